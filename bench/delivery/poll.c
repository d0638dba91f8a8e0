/* Many Engine.IO clients that poll over HTTP, in one thread; what load.c is for WebSockets.
 *
 * Each client has one connection, on which it asks (GET) and, between two questions, tells (POST): it opens a session,
 * enters the main namespace, says its first messages, and then polls for events. Events are counted as load.c counts
 * them. It is told what to do by lines on standard input, and answers each with one line of JSON on standard output:
 *   connect            connects all; answers when all are ready, or after CONNECT_S
 *   expect N SECONDS   answers when each client has received number N, or after SECONDS
 *   reset              sets the counts to zero
 * The end of standard input ends it. */

#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES (8u << 20)
#define CONNECT_S 60
#define IN_FLIGHT 50 /* clients that become ready at the same time */
#define SEPARATOR '\x1e'

typedef enum { ABSENT, CONNECTING, OPENING, ENTERING, GREETED, ASKING, WAITING, READY, GONE } Phase;
/* OPENING waits for the handshake, ENTERING for the answer to the POST of `40`, GREETED for `40`, ASKING for the answer
 * to the POST of the first messages, WAITING for what says that it is ready. */

typedef struct {
    int fd;
    Phase phase;
    int is_ponging; /* waits for the answer to the POST of `3` */
    char sid[64];
    char *rest;
    size_t rest_length;
    uint64_t last;
} Client;

typedef struct {
    uint64_t messages, responses, duplicates, holes, closed;
    Histogram latency;
} Counts;

static const char *host = "127.0.0.1", *path = "/socket.io/", *hello = "", *ready_text, *number_key = "\"n\":",
                  *time_key = "\"t\":";
static int port;
static unsigned count = 1, next_client, in_flight, ready, arrived;
static Client *clients;
static Counts counts;
static int poller, is_connecting, is_expecting, is_stopping;
static uint64_t expected, until_us;
static char buffer[BUFFER_BYTES], body[BUFFER_BYTES];

static void report(void) {
    unsigned open = 0;
    for (unsigned i = 0; i < count; i++)
        open += clients[i].phase == READY;
    printf("{\"open\":%u,\"complete\":%u,\"messages\":%llu,\"responses\":%llu,\"duplicates\":%llu,\"holes\":%llu,"
           "\"closed\":%llu,\"cpu_s\":%.6f,",
           open, arrived, (unsigned long long)counts.messages, (unsigned long long)counts.responses,
           (unsigned long long)counts.duplicates, (unsigned long long)counts.holes,
           (unsigned long long)counts.closed, used_cpu_s());
    histogram_print("latency_us", &counts.latency);
    printf("}\n");
    fflush(stdout);
}

/* ---- what is said ------------------------------------------------------------------------------------------------- */

static void gone(Client *c, const char *why, size_t length) {
    if (!counts.closed++)
        fprintf(stderr, "lost: %.*s\n", (int)(length < 300 ? length : 300), why);
    if (c->phase != READY)
        in_flight--;
    close(c->fd);
    c->phase = GONE;
}

static void say(Client *c, const char *request, int length) {
    if (length < 0 || length >= (int)sizeof buffer || send(c->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        gone(c, "cannot write", 12);
}

static void ask(Client *c) {
    char request[1024];
    const char *sid = *c->sid ? "&sid=" : "";
    say(c, request, snprintf(request, sizeof request,
                             "GET %s?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: %s:%d\r\n\r\n", path, sid, c->sid,
                             host, port));
}

static void tell(Client *c, const char *text) {
    static char request[65536];
    say(c, request, snprintf(request, sizeof request,
                             "POST %s?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: %s:%d\r\n"
                             "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n%s",
                             path, c->sid, host, port, strlen(text), text));
}

static void begin_some(void) {
    while (in_flight < IN_FLIGHT && next_client < count) {
        Client *c = &clients[next_client++];
        struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
        c->fd = connect_start(host, port, 0, 0);
        if (c->fd < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0)
            fail("cannot connect: %s", strerror(errno));
        c->phase = CONNECTING;
        in_flight++;
    }
}

static void become_ready(Client *c) {
    c->phase = READY;
    ready++;
    in_flight--;
}

/* ---- what is heard ------------------------------------------------------------------------------------------------ */

static void on_event(Client *c, const char *text, const char *end, uint64_t now) {
    const char *at = memmem(text, (size_t)(end - text), number_key, strlen(number_key));
    if (!at)
        return;
    uint64_t number = digits(at + strlen(number_key), end);
    counts.messages++;
    if (number <= c->last) {
        counts.duplicates++;
        return;
    }
    counts.holes += number - c->last - 1;
    arrived += c->last < expected && number >= expected;
    c->last = number;
    const char *stamp = memmem(at, (size_t)(end - at), time_key, strlen(time_key));
    uint64_t sent = stamp ? digits(stamp + strlen(time_key), end) : 0;
    if (sent)
        histogram_add(&counts.latency, now > sent ? now - sent : 0);
}

static int has(const char *text, size_t length, const char *wanted) {
    return memmem(text, length, wanted, strlen(wanted)) != NULL;
}

/* All packets of a body; returns whether a ping is among them. */
static int on_packets(Client *c, const char *text, size_t length, uint64_t now) {
    int is_pinged = 0;
    const char *end = text + length;
    while (text < end) {
        const char *next = memchr(text, SEPARATOR, (size_t)(end - text));
        const char *stop = next ? next : end;
        is_pinged |= stop - text == 1 && *text == '2';
        if (stop - text > 1 && *text == '4')
            on_event(c, text, stop, now);
        text = stop + 1;
    }
    return is_pinged;
}

static void on_handshake(Client *c, const char *text, size_t length) {
    const char *sid = memmem(text, length, "\"sid\":\"", 7);
    size_t size = sid ? strcspn(sid + 7, "\"") : 0;
    if (!size || size >= sizeof c->sid)
        fail("no handshake: %.*s", (int)length, text);
    memcpy(c->sid, sid + 7, size);
    c->phase = ENTERING;
    tell(c, "40");
}

static void on_answer(Client *c, const char *text, size_t length, uint64_t now) {
    counts.responses++;
    if (c->phase == OPENING) {
        on_handshake(c, text, length);
        return;
    }
    if (c->is_ponging || c->phase == ENTERING || c->phase == ASKING) {
        c->phase = c->phase == ENTERING ? GREETED : c->phase == ASKING ? WAITING : c->phase;
        c->is_ponging = 0;
        ask(c);
        return;
    }
    int is_pinged = on_packets(c, text, length, now);
    if (c->phase == GREETED && has(text, length, "40{")) {
        c->phase = *hello ? ASKING : WAITING;
        if (*hello) {
            tell(c, hello);
            return;
        }
    }
    if (c->phase == WAITING && has(text, length, ready_text))
        become_ready(c);
    c->is_ponging = is_pinged;
    if (is_pinged)
        tell(c, "3");
    else
        ask(c);
}

/* The size of a chunked body that has arrived whole, with its text in `body`; 0 where it has not. */
static size_t read_chunks(const char *data, size_t length, size_t *body_length) {
    size_t at = 0;
    *body_length = 0;
    for (;;) {
        const char *line = memmem(data + at, length - at, "\r\n", 2);
        if (!line)
            return 0;
        size_t size = strtoul(data + at, NULL, 16);
        at = (size_t)(line - data) + 2;
        if (length < at + size + 2)
            return 0;
        if (!size)
            return at + 2;
        memcpy(body + *body_length, data + at, size);
        *body_length += size;
        at += size + 2;
    }
}

/* Reads one response. Returns its size, or 0 where it has not arrived whole. */
static size_t read_response(const char *data, size_t length, const char **text, size_t *text_length) {
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - data) + 4;
    const char *sized = strcasestr(data, "\r\ncontent-length:");
    if (!sized || sized > end) {
        size_t size = read_chunks(data + head, length - head, text_length);
        *text = body;
        return size ? head + size : 0;
    }
    *text_length = strtoul(sized + 17, NULL, 10);
    *text = data + head;
    return length < head + *text_length ? 0 : head + *text_length;
}

static void on_readable(Client *c) {
    memcpy(buffer, c->rest, c->rest_length);
    ssize_t received = recv(c->fd, buffer + c->rest_length, sizeof buffer - 1 - c->rest_length, 0);
    if (received <= 0) {
        if (received == 0 || (errno != EAGAIN && errno != EINTR))
            gone(c, "closed", 6);
        return;
    }
    size_t length = c->rest_length + (size_t)received, text_length = 0;
    buffer[length] = 0;
    const char *text = NULL;
    size_t size = read_response(buffer, length, &text, &text_length);
    if (size && memcmp(buffer, "HTTP/1.1 200", 12) != 0)
        gone(c, buffer, length);
    else if (size)
        on_answer(c, text, text_length, now_us());
    c->rest_length = size ? 0 : length; /* one question at a time: nothing follows an answer */
    if (c->rest_length) {
        c->rest = realloc(c->rest, length);
        memcpy(c->rest, buffer, length);
    }
}

static void on_client(Client *c) {
    if (c->phase != CONNECTING) {
        on_readable(c);
        return;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
    c->phase = OPENING;
    ask(c);
}

/* ---- what we are told --------------------------------------------------------------------------------------------- */

static void obey(char *line) {
    is_connecting = !strncmp(line, "connect", 7);
    is_expecting = !strncmp(line, "expect ", 7);
    if (is_connecting) {
        until_us = now_us() + CONNECT_S * 1000000u;
    } else if (is_expecting) {
        char *rest;
        expected = strtoull(line + 7, &rest, 10);
        until_us = now_us() + (uint64_t)(strtod(rest, NULL) * 1e6);
        arrived = 0;
        for (unsigned i = 0; i < count; i++)
            arrived += clients[i].last >= expected;
    } else {
        memset(&counts, 0, sizeof counts);
        report();
    }
}

static void on_command(void) {
    static char line[256];
    ssize_t received = read(STDIN_FILENO, line, sizeof line - 1); /* one line at a time: each waits for its answer */
    is_stopping = received <= 0;
    if (!is_stopping) {
        line[received] = 0;
        obey(line);
    }
}

static void answer_if_done(void) {
    int is_late = now_us() >= until_us;
    if ((is_connecting && (ready == count || is_late)) || (is_expecting && (arrived == count || is_late))) {
        is_connecting = is_expecting = 0;
        report();
    }
}

static void serve(void) {
    struct epoll_event events[512];
    while (!is_stopping) {
        if (is_connecting)
            begin_some();
        int found = epoll_wait(poller, events, 512, is_connecting || is_expecting ? 20 : -1);
        for (int i = 0; i < found; i++) {
            if (!events[i].data.ptr)
                on_command();
            else
                on_client(events[i].data.ptr);
        }
        answer_if_done();
    }
}

int main(int argc, char **argv) {
    static const struct option names[] = {{"port", 1, 0, 'p'},   {"path", 1, 0, 'u'}, {"count", 1, 0, 'n'},
                                          {"hello", 1, 0, 'h'},  {"ready", 1, 0, 'R'}, {"number", 1, 0, 'N'},
                                          {"time", 1, 0, 'T'},   {0, 0, 0, 0}};
    int name;
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 'p': port = atoi(optarg); break;
        case 'u': path = optarg; break;
        case 'n': count = (unsigned)atoi(optarg); break;
        case 'h': hello = file_read(optarg); break;
        case 'R': ready_text = optarg; break;
        case 'N': number_key = optarg; break;
        case 'T': time_key = optarg; break;
        default: exit(2);
        }
    }
    if (!port || !count || !ready_text)
        fail("usage: poll --port PORT --count N --ready TEXT [--path PATH] [--hello FILE]");
    raise_file_limit();
    clients = calloc(count, sizeof *clients);
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
    if (!clients || poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &commands) < 0)
        fail("cannot start: %s", strerror(errno));
    serve();
    return 0;
}

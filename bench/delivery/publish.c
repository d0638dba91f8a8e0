/* A publisher: events at a steady pace or as fast as they are acknowledged, over WebSocket or HTTP, in one thread.
 *
 * `--rate 60 --burst 10` sends ten events every sixth of a second; rate 0 keeps `--window` events unacknowledged on each
 * connection. HTTP requests are pipelined on one connection where the window is larger than one, so that their order
 * is kept. In the template `@N@` is the event's number and `@T@` the time at which it was due (not the time at which it
 * could be sent at last: a publisher that is held up must not hide the delay).
 *
 * Prints one line of JSON when everything is acknowledged. */

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

#define OUT_BYTES (1u << 20)
#define IN_BYTES (1u << 18)
#define MAX_WINDOW 8192u
#define MESSAGE_BYTES (1u << 16)

typedef enum { UPGRADING, GREETING, OPEN } Phase;

typedef struct {
    int fd;
    Phase phase;
    char *out; /* what the socket has not taken yet */
    size_t out_length;
    char *in;
    size_t in_length;
    uint64_t *due_us; /* of the events that are not acknowledged: a ring */
    unsigned sent, acknowledged;
    int wants_room;
} Publisher;

typedef struct {
    const char *host, *path, *header, *template, *hello; /* hello: a first frame, the answer to which begins like it */
    int port, is_http;
    unsigned connections, window, burst;
    uint64_t count, first;
    double rate, limit_s;
} Options;

static Options options = {.host = "127.0.0.1", .path = "/", .header = "", .connections = 1, .window = 1, .burst = 1,
                          .count = 1, .first = 1, .limit_s = 60};
static Publisher *publishers;
static Histogram latency;
static uint64_t given, acknowledged, errors, started_us, latest_us;
static unsigned turn; /* paced events go to the connections in turn */
static int poller;

/* Asks to be told when there is room, only while something waits for it. */
static void want_room(Publisher *p) {
    if (p->wants_room == (p->out_length > 0))
        return;
    p->wants_room = p->out_length > 0;
    struct epoll_event event = {.events = EPOLLIN | (p->wants_room ? EPOLLOUT : 0), .data.ptr = p};
    epoll_ctl(poller, EPOLL_CTL_MOD, p->fd, &event);
}

static void flush(Publisher *p) {
    if (!p->out_length) {
        want_room(p);
        return;
    }
    ssize_t taken = send(p->fd, p->out, p->out_length, MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN)
        fail("the server closed the publisher's connection: %s", strerror(errno));
    if (taken > 0) {
        p->out_length -= (size_t)taken;
        memmove(p->out, p->out + taken, p->out_length);
    }
    want_room(p);
}

static void add(Publisher *p, uint64_t due_us) {
    static char text[MESSAGE_BYTES];
    Place places[] = {{"@N@", options.first + given}, {"@T@", due_us}};
    size_t length = template_fill(text, sizeof text, options.template, places, 2);
    char *out = p->out + p->out_length;
    if (options.is_http) {
        int head = sprintf(out, "POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\n%s%s"
                                "Content-Length: %zu\r\n\r\n",
                           options.path, options.host, options.port, options.header, *options.header ? "\r\n" : "",
                           length);
        memcpy(out + head, text, length);
        p->out_length += (size_t)head + length;
    } else {
        p->out_length += frame_write(out, OPCODE_TEXT, text, length);
    }
    p->due_us[p->sent++ % options.window] = due_us;
    given++;
}

static int has_room(const Publisher *p) {
    return p->sent - p->acknowledged < options.window && p->out_length + MESSAGE_BYTES + 1024 < OUT_BYTES;
}

static void answered(Publisher *p, int is_error) {
    if (p->acknowledged == p->sent)
        fail("more answers than requests");
    uint64_t now = now_us(), due = p->due_us[p->acknowledged++ % options.window];
    histogram_add(&latency, now > due ? now - due : 0);
    errors += (uint64_t)is_error;
    acknowledged++;
}

/* ---- what is received --------------------------------------------------------------------------------------------- */

/* Whether this is Socket.IO's word for what we said, by its first two characters. */
static int begins(const Frame *frame, const char *text) {
    return frame->length >= 2 && memcmp(frame->payload, text, 2) == 0;
}

static void on_frame(Publisher *p, const Frame *frame) {
    if (frame->opcode == OPCODE_PING) {
        p->out_length += frame_write(p->out + p->out_length, OPCODE_PONG, frame->payload, frame->length);
    } else if (frame->opcode == OPCODE_CLOSE) {
        fail("the server closed the publisher's connection");
    } else if (p->phase == GREETING) {
        p->phase = begins(frame, options.hello) ? OPEN : GREETING;
    } else if (options.hello ? begins(frame, "43") : memmem(frame->payload, frame->length, "\"result\":", 9) != NULL) {
        answered(p, 0);
    } else if (memmem(frame->payload, frame->length, "\"error\":", 8)) {
        if (!errors)
            fprintf(stderr, "refused: %.*s\n", (int)(frame->length < 300 ? frame->length : 300), frame->payload);
        answered(p, 1);
    }
}

static size_t on_frames(Publisher *p) {
    size_t at = 0, needed;
    Frame frame;
    while (frame_read(p->in + at, p->in_length - at, &frame, &needed)) {
        at += frame.size;
        on_frame(p, &frame);
    }
    return at;
}

/* The size of an HTTP answer, or 0 where it is not whole. */
static size_t response_size(const char *data, size_t length) {
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    end += 4;
    size_t head = (size_t)(end - data), size = head;
    for (const char *line = data; line < end - 2; line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1) {
        if (!strncasecmp(line, "content-length:", 15)) {
            size += (size_t)strtoull(line + 15, NULL, 10);
        } else if (!strncasecmp(line, "transfer-encoding:", 18)) {
            const char *last = memmem(end, length - head, "0\r\n\r\n", 5);
            return last ? (size_t)(last - data) + 5 : 0;
        }
    }
    return size <= length ? size : 0;
}

static size_t on_responses(Publisher *p) {
    size_t at = 0, size;
    while (at < p->in_length && (size = response_size(p->in + at, p->in_length - at))) {
        int is_error = p->in_length - at > 9 && p->in[at + 9] != '2';
        if (is_error && !errors)
            fprintf(stderr, "refused: %.*s\n", (int)(size < 300 ? size : 300), p->in + at);
        answered(p, is_error);
        at += size;
    }
    return at;
}

static size_t on_upgrade(Publisher *p) {
    const char *end = memmem(p->in, p->in_length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (memcmp(p->in, "HTTP/1.1 101", 12) != 0)
        fail("refused: %.*s", (int)(p->in_length < 300 ? p->in_length : 300), p->in);
    p->phase = options.hello ? GREETING : OPEN;
    if (options.hello) {
        p->out_length += frame_write(p->out + p->out_length, OPCODE_TEXT, options.hello, strlen(options.hello));
        flush(p);
    }
    return (size_t)(end - p->in) + 4;
}

static void on_readable(Publisher *p) {
    ssize_t received = recv(p->fd, p->in + p->in_length, IN_BYTES - p->in_length, 0);
    if (received == 0 || (received < 0 && errno != EAGAIN))
        fail("the server closed the publisher's connection");
    if (received < 0)
        return;
    p->in_length += (size_t)received;
    for (size_t used = 1; used;) {
        used = p->phase == UPGRADING ? on_upgrade(p) : options.is_http ? on_responses(p) : on_frames(p);
        p->in_length -= used;
        memmove(p->in, p->in + used, p->in_length);
    }
}

/* ---- pace --------------------------------------------------------------------------------------------------------- */

static void add_all_that_fit(void) {
    for (unsigned i = 0; i < options.connections; i++) {
        Publisher *p = &publishers[i];
        uint64_t now = now_us();
        while (given < options.count && has_room(p))
            add(p, now);
    }
}

/* Adds the bursts that are due; returns when the next one is. */
static uint64_t add_due(void) {
    double interval_us = 1e6 * options.burst / options.rate;
    for (;;) {
        uint64_t due = started_us + (uint64_t)(interval_us * (double)(given / options.burst)), now = now_us();
        if (given >= options.count || due > now)
            return due;
        if (now - due > latest_us)
            latest_us = now - due;
        do {
            Publisher *p = &publishers[turn];
            if (!has_room(p))
                return now + 1000;
            turn = (turn + 1) % options.connections;
            add(p, due);
        } while (given % options.burst && given < options.count);
    }
}

static void wait(uint64_t until_us) {
    struct epoll_event events[128];
    uint64_t now = now_us(), pause = until_us > now ? until_us - now : 0;
    struct timespec timeout = {(time_t)(pause / 1000000), (long)(pause % 1000000) * 1000};
    int count = epoll_pwait2(poller, events, 128, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            on_readable(events[i].data.ptr);
        if (events[i].events & EPOLLOUT)
            flush(events[i].data.ptr);
    }
}

static void publish_all(void) {
    started_us = now_us();
    uint64_t end = started_us + (uint64_t)(options.limit_s * 1e6);
    while (acknowledged < options.count && now_us() < end) {
        uint64_t next = now_us() + 100000;
        if (options.rate > 0) {
            uint64_t due = add_due();
            if (given < options.count && due < next)
                next = due;
        } else {
            add_all_that_fit();
        }
        for (unsigned i = 0; i < options.connections; i++)
            flush(&publishers[i]);
        wait(next);
    }
}

/* ---- start -------------------------------------------------------------------------------------------------------- */

static void open_one(Publisher *p, unsigned index) {
    p->out = malloc(OUT_BYTES);
    p->in = malloc(IN_BYTES);
    p->due_us = calloc(options.window, sizeof *p->due_us);
    p->fd = connect_start(options.host, options.port, index, 0);
    if (p->fd < 0 || !p->out || !p->in || !p->due_us)
        fail("cannot connect: %s", strerror(errno));
    p->phase = options.is_http ? OPEN : UPGRADING;
    if (!options.is_http)
        p->out_length = upgrade_write(p->out, OUT_BYTES, options.host, options.port, options.path, "");
    p->wants_room = 1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = p};
    epoll_ctl(poller, EPOLL_CTL_ADD, p->fd, &event);
}

static void open_all(void) {
    uint64_t end = now_us() + 30000000;
    for (unsigned i = 0; i < options.connections; i++)
        open_one(&publishers[i], i);
    for (unsigned open = 0; open < options.connections;) {
        if (now_us() > end)
            fail("the publisher could not connect within 30 s");
        wait(now_us() + 100000);
        open = 0;
        for (unsigned i = 0; i < options.connections; i++)
            open += publishers[i].phase == OPEN;
    }
}

static void read_options(int argc, char **argv) {
    static const struct option names[] = {
        {"host", 1, 0, 'H'},     {"port", 1, 0, 'p'},  {"path", 1, 0, 'u'},        {"http", 0, 0, 'h'},
        {"header", 1, 0, 'd'},   {"count", 1, 0, 'n'}, {"connections", 1, 0, 'c'}, {"window", 1, 0, 'w'},
        {"template", 1, 0, 't'}, {"rate", 1, 0, 'r'},  {"burst", 1, 0, 'b'},       {"first", 1, 0, 'f'},
        {"limit", 1, 0, 'l'},    {"hello", 1, 0, 'e'}, {0, 0, 0, 0}};
    int name;
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 'H': options.host = optarg; break;
        case 'p': options.port = atoi(optarg); break;
        case 'u': options.path = optarg; break;
        case 'h': options.is_http = 1; break;
        case 'd': options.header = optarg; break;
        case 'n': options.count = strtoull(optarg, NULL, 10); break;
        case 'c': options.connections = (unsigned)atoi(optarg); break;
        case 'w': options.window = (unsigned)atoi(optarg); break;
        case 't': options.template = file_read(optarg); break;
        case 'r': options.rate = atof(optarg); break;
        case 'b': options.burst = (unsigned)atoi(optarg); break;
        case 'f': options.first = strtoull(optarg, NULL, 10); break;
        case 'e': options.hello = optarg; break;
        case 'l': options.limit_s = atof(optarg); break;
        default: exit(2);
        }
    }
    if (!options.port || !options.template || !options.connections || !options.burst || !options.window ||
        options.window > MAX_WINDOW)
        fail("usage: publish --port PORT --path PATH --template FILE --count N [--rate R --burst B] [--window W] …");
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    raise_file_limit();
    publishers = calloc(options.connections, sizeof *publishers);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!publishers || poller < 0)
        fail("cannot start: %s", strerror(errno));
    open_all();
    double cpu = used_cpu_s();
    publish_all();
    double elapsed = (double)(now_us() - started_us) / 1e6;
    printf("{\"sent\":%llu,\"acknowledged\":%llu,\"errors\":%llu,\"elapsed_s\":%.6f,\"per_s\":%.1f,\"latest_us\":%llu,"
           "\"cpu_s\":%.6f,",
           (unsigned long long)given, (unsigned long long)acknowledged, (unsigned long long)errors, elapsed,
           (double)acknowledged / elapsed, (unsigned long long)latest_us, used_cpu_s() - cpu);
    histogram_print("acknowledged_us", &latency);
    printf("}\n");
    return 0;
}

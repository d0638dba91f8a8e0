/* Many WebSocket clients in one thread, so light that the server is the limit, not its measurement.
 *
 * It connects, sends each connection's first messages, and then reads. Every event carries a sequence number and may
 * carry the publisher's time, both found by their JSON key: there is no JSON parser, and only a frame that arrived in
 * parts is ever copied. Per connection it knows the last number, and so sees every hole, duplicate and turned order.
 *
 * It is told what to do by lines on standard input and answers each with one line of JSON on standard output:
 *   connect [FILE]     (re)connect all that are not connected; FILE replaces the first messages. Answers when ready
 *   expect N SECONDS   answers when each reading connection has received number N, or after SECONDS
 *   report             counts since the last reset
 *   reset              set the counts to zero (what each connection received last is kept)
 *   stall N            the first N connections stop reading, for ever
 *   cut                drop all connections at once, without a closing handshake
 *   quit               also the end of standard input
 *
 * First messages: one frame per line; `@I@` is the connection's number, `@LAST@` the last number that it received.
 * With `--greeted TEXT` all but the first wait for a message that begins with TEXT. */

#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES (2u << 20) /* no frame may be longer */
#define HELLO_BYTES (256u << 10)
#define CONNECT_S 60     /* for all of them to become ready */
#define RETRY_US 200000    /* after a refused connection */
#define MAX_EVENTS 512

typedef enum { ABSENT, CONNECTING, UPGRADING, GREETING, PREPARING, READY, STALLED } Phase;

typedef struct {
    int fd;
    Phase phase;
    uint32_t answers; /* still expected before it is ready */
    uint32_t rest_length;
    char *rest; /* the beginning of a frame whose end has not arrived */
    uint64_t last;
    uint64_t text_bytes;
    uint64_t text_hash; /* FNV-1a, so that all can be compared without keeping the text */
    uint64_t wire_bytes;
} Client;

typedef struct {
    const char *host, *path, *protocol;
    int port;
    unsigned count, in_flight, ramp_per_s, small;
    const char *ready, *filter, *number_key, *time_key, *text_key, *ping, *pong, *greeted;
    unsigned answers;
} Options;

typedef struct {
    uint64_t messages, bytes, wire_bytes, reads, duplicates, holes, closed, retries;
    uint64_t first_us, last_us, started_us;
    double cpu_s;
    Histogram latency;
} Counts;

typedef enum { NOTHING, ALL_READY, ALL_ARRIVED } Wait;

static Options options = {.host = "127.0.0.1", .path = "/", .protocol = "", .count = 1, .in_flight = 200,
                          .number_key = "\"n\":", .time_key = "\"t\":"};
static Client *clients;
static Counts counts;
static int poller;
static char *hello = "";
static char buffer[BUFFER_BYTES];
static unsigned ready, in_flight;
static unsigned next_client;        /* connecting goes round from here */
static uint64_t not_before_us;      /* no new connection until then */
static uint64_t ramp_start_us, ramp_started;
static Wait wait_for;
static uint64_t wait_until_us, wait_started_us, expected;
static unsigned arrived;
static int is_stopping;

/* ---- answers ---------------------------------------------------------------------------------------------------- */

static unsigned reading(void) {
    unsigned found = 0;
    for (unsigned i = 0; i < options.count; i++)
        found += clients[i].phase != STALLED;
    return found;
}

static void report(void) {
    unsigned open = 0, stalled = 0;
    uint64_t low = UINT64_MAX, high = 0, text_low = UINT64_MAX, text_high = 0, wire_high = 0, hash = 0;
    int is_same = 1, is_first = 1;
    for (unsigned i = 0; i < options.count; i++) {
        Client *c = &clients[i];
        open += c->phase == READY;
        stalled += c->phase == STALLED;
        if (c->phase == STALLED)
            continue;
        low = c->last < low ? c->last : low;
        high = c->last > high ? c->last : high;
        text_low = c->text_bytes < text_low ? c->text_bytes : text_low;
        text_high = c->text_bytes > text_high ? c->text_bytes : text_high;
        wire_high = c->wire_bytes > wire_high ? c->wire_bytes : wire_high;
        is_same &= is_first || hash == c->text_hash;
        hash = c->text_hash;
        is_first = 0;
    }
    printf("{\"open\":%u,\"stalled\":%u,\"complete\":%u,\"messages\":%llu,\"bytes\":%llu,\"wire_bytes\":%llu,"
           "\"reads\":%llu,\"duplicates\":%llu,\"holes\":%llu,\"closed\":%llu,\"retries\":%llu,",
           open, stalled, arrived, (unsigned long long)counts.messages, (unsigned long long)counts.bytes,
           (unsigned long long)counts.wire_bytes, (unsigned long long)counts.reads,
           (unsigned long long)counts.duplicates, (unsigned long long)counts.holes,
           (unsigned long long)counts.closed, (unsigned long long)counts.retries);
    printf("\"lowest\":%llu,\"highest\":%llu,\"text_lowest\":%llu,\"text_highest\":%llu,\"text_same\":%s,"
           "\"wire_highest\":%llu,\"first_us\":%llu,\"last_us\":%llu,\"waited_s\":%.6f,\"elapsed_s\":%.6f,"
           "\"cpu_s\":%.6f,",
           (unsigned long long)(low == UINT64_MAX ? 0 : low), (unsigned long long)high,
           (unsigned long long)(text_low == UINT64_MAX ? 0 : text_low), (unsigned long long)text_high,
           is_same ? "true" : "false", (unsigned long long)wire_high, (unsigned long long)counts.first_us,
           (unsigned long long)counts.last_us, wait_started_us ? (double)(now_us() - wait_started_us) / 1e6 : 0.0,
           (double)(now_us() - counts.started_us) / 1e6, used_cpu_s() - counts.cpu_s);
    histogram_print("latency_us", &counts.latency);
    printf("}\n");
    fflush(stdout);
}

static void reset(void) {
    memset(&counts, 0, sizeof counts);
    counts.started_us = now_us();
    counts.cpu_s = used_cpu_s();
    for (unsigned i = 0; i < options.count; i++)
        clients[i].wire_bytes = clients[i].text_bytes = clients[i].text_hash = 0;
}

/* ---- connections ------------------------------------------------------------------------------------------------ */

static void watch(Client *c, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &event) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void drop(Client *c) {
    if (c->phase >= CONNECTING && c->phase <= PREPARING)
        in_flight--;
    if (c->phase == READY)
        ready--;
    close(c->fd);
    free(c->rest);
    c->rest = NULL;
    c->rest_length = 0;
    c->phase = ABSENT;
}

static void refused(Client *c) {
    if (c->phase == READY)
        counts.closed++;
    else
        counts.retries++;
    drop(c);
    not_before_us = now_us() + RETRY_US;
}

/* What a client says is short and its socket's buffer empty: whoever cannot take it is broken. */
static void say(Client *c, const char *data, size_t length) {
    if (send(c->fd, data, length, MSG_NOSIGNAL) != (ssize_t)length)
        refused(c);
}

static void say_frame(Client *c, int opcode, const char *payload, size_t length) {
    char frame[256];
    if (length <= sizeof frame - 14)
        say(c, frame, frame_write(frame, opcode, payload, length));
}

/* Sends some of the first messages' lines. */
static void say_hello(Client *c, unsigned first, unsigned last) {
    static char text[HELLO_BYTES], line[4096];
    Place places[] = {{"@I@", (uint64_t)(c - clients)}, {"@LAST@", c->last}};
    size_t at = 0;
    const char *from = hello;
    for (unsigned number = 0; *from && number <= last; number++) {
        size_t length = strcspn(from, "\n");
        if (length >= sizeof line || at + sizeof line * 2 > sizeof text)
            fail("the first messages are too long");
        memcpy(line, from, length);
        line[length] = 0;
        if (number >= first && length) {
            static char filled[sizeof line + 1024];
            size_t size = template_fill(filled, sizeof filled, line, places, 2);
            at += frame_write(text + at, OPCODE_TEXT, filled, size);
        }
        from += length + (from[length] == '\n');
    }
    if (at)
        say(c, text, at);
}

static void begin(Client *c) {
    unsigned index = (unsigned)(c - clients);
    c->fd = connect_start(options.host, options.port, index, index < options.small ? 4096 : 0);
    if (c->fd < 0) {
        counts.retries++;
        not_before_us = now_us() + RETRY_US;
        return;
    }
    c->phase = CONNECTING;
    in_flight++;
    ramp_started++;
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

/* Starts as many connections as may be under way. Returns when more may start, or 0 where nothing is left to start. */
static uint64_t begin_some(void) {
    for (unsigned tried = 0; tried < options.count; tried++) {
        uint64_t now = now_us();
        if (in_flight >= options.in_flight)
            return now + RETRY_US;
        if (now < not_before_us)
            return not_before_us;
        if (options.ramp_per_s) {
            uint64_t due = ramp_start_us + ramp_started * 1000000u / options.ramp_per_s;
            if (due > now)
                return due;
        }
        Client *c = &clients[next_client];
        next_client = (next_client + 1) % options.count;
        if (c->phase == ABSENT)
            begin(c);
    }
    return ready + in_flight < reading() ? now_us() + RETRY_US : 0;
}

static void connected(Client *c) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        refused(c);
        return;
    }
    char request[2048];
    c->phase = UPGRADING;
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
    say(c, request, upgrade_write(request, sizeof request, options.host, options.port, options.path, options.protocol));
}

static void become_ready(Client *c) {
    c->phase = READY;
    in_flight--;
    ready++;
}

/* ---- what is received --------------------------------------------------------------------------------------------- */

/* Where a key ends. Events of one kind have it at the same place or nearly so: look there before searching. */
static const char *find(const char *text, const char *end, const char *key, size_t *hint) {
    size_t length = strlen(key), size = (size_t)(end - text);
    if (*hint + length <= size && memcmp(text + *hint, key, length) == 0)
        return text + *hint + length;
    const char *found = memmem(text, size, key, length);
    if (!found)
        return NULL;
    *hint = (size_t)(found - text);
    return found + length;
}

static void count_number(Client *c, uint64_t number) {
    if (number <= c->last) {
        counts.duplicates++;
        return;
    }
    counts.holes += number - c->last - 1;
    if (c->last < expected && number >= expected)
        arrived++;
    c->last = number;
}

static void count_text(Client *c, const char *text, const char *end) {
    static size_t hint;
    const char *at = find(text, end, options.text_key, &hint);
    for (; at && at < end && *at != '"'; at++) {
        c->text_hash = (c->text_hash ^ (uint8_t)*at) * 1099511628211ull;
        c->text_bytes++;
    }
}

/* A frame may hold several events: some servers join them. */
static void on_events(Client *c, const char *text, const char *end, uint64_t now) {
    static size_t number_hint, time_hint;
    size_t *hint = &number_hint;
    size_t search = 0;
    for (;;) {
        const char *at = find(text, end, options.number_key, hint);
        if (!at)
            return;
        if (!counts.messages++)
            counts.first_us = now;
        counts.last_us = now;
        count_number(c, digits(at, end));
        const char *stamp = *options.time_key ? find(text, end, options.time_key, &time_hint) : NULL;
        uint64_t sent = stamp ? digits(stamp, end) : 0;
        if (sent)
            histogram_add(&counts.latency, now > sent ? now - sent : 0);
        if (options.text_key)
            count_text(c, text, end);
        text = stamp && stamp > at ? stamp : at;
        hint = &search; /* of a second event in the same frame nothing is known */
        search = 0;
    }
}

static void on_greeting(Client *c, const char *text, size_t length) {
    size_t expected_length = strlen(options.greeted);
    if (length < expected_length || memcmp(text, options.greeted, expected_length) != 0)
        return;
    c->phase = PREPARING;
    say_hello(c, 1, UINT_MAX);
}

static void on_text(Client *c, const char *text, size_t length, uint64_t now) {
    const char *end = text + length;
    if (c->phase == GREETING) {
        on_greeting(c, text, length);
        return;
    }
    if (options.ping && length == strlen(options.ping) && memcmp(text, options.ping, length) == 0) {
        say_frame(c, OPCODE_TEXT, options.pong, strlen(options.pong));
        return;
    }
    if (c->phase == PREPARING && options.ready && memmem(text, length, options.ready, strlen(options.ready)))
        if (--c->answers == 0)
            become_ready(c);
    if (!options.filter || memmem(text, length, options.filter, strlen(options.filter)))
        on_events(c, text, end, now);
    counts.bytes += length;
}

static void on_frame(Client *c, const Frame *frame, uint64_t now) {
    if (!frame->is_final || frame->opcode == 0)
        fail("a fragmented message: this receiver knows none");
    if (frame->opcode == OPCODE_PING)
        say_frame(c, OPCODE_PONG, frame->payload, frame->length);
    else if (frame->opcode == OPCODE_CLOSE)
        refused(c);
    else if (frame->opcode == OPCODE_TEXT)
        on_text(c, frame->payload, frame->length, now);
}

/* Reads the answer to the upgrade request; returns its size, or 0 where it is not whole or the connection was dropped. */
static size_t on_upgrade(Client *c, const char *data, size_t length) {
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (length < 12 || memcmp(data, "HTTP/1.1 101", 12) != 0) {
        if (!counts.retries)
            fprintf(stderr, "refused: %.*s\n", (int)(length < 300 ? length : 300), data);
        refused(c);
        return 0;
    }
    c->phase = options.greeted ? GREETING : PREPARING;
    c->answers = options.answers;
    say_hello(c, 0, options.greeted ? 0 : UINT_MAX);
    if (c->phase == PREPARING && c->answers == 0)
        become_ready(c);
    return (size_t)(end - data) + 4;
}

static void on_readable(Client *c) {
    size_t length = c->rest_length;
    if (length)
        memcpy(buffer, c->rest, length);
    ssize_t received = recv(c->fd, buffer + length, sizeof buffer - length, 0);
    if (received <= 0) {
        if (received == 0 || (errno != EAGAIN && errno != EINTR))
            refused(c);
        return;
    }
    uint64_t now = now_us();
    counts.reads++;
    counts.wire_bytes += (uint64_t)received;
    c->wire_bytes += (uint64_t)received;
    length += (size_t)received;
    size_t at = c->phase == UPGRADING ? on_upgrade(c, buffer, length) : 0, needed = 0;
    Frame frame;
    while (c->phase >= GREETING && frame_read(buffer + at, length - at, &frame, &needed)) {
        at += frame.size;
        on_frame(c, &frame, now);
    }
    if (c->phase == ABSENT)
        return;
    if (needed > sizeof buffer)
        fail("a frame of %zu bytes: more than this receiver takes", needed);
    free(c->rest);
    c->rest_length = (uint32_t)(length - at);
    c->rest = c->rest_length ? malloc(c->rest_length) : NULL;
    if (c->rest_length)
        memcpy(c->rest, buffer + at, c->rest_length);
}

/* ---- what we are told --------------------------------------------------------------------------------------------- */

static void wait_until(Wait what, double seconds) {
    wait_for = what;
    wait_started_us = now_us();
    wait_until_us = wait_started_us + (uint64_t)(seconds * 1e6);
}

static void start_expecting(uint64_t number, double seconds) {
    expected = number;
    arrived = 0;
    for (unsigned i = 0; i < options.count; i++)
        arrived += clients[i].phase != STALLED && clients[i].last >= number;
    wait_until(ALL_ARRIVED, seconds);
}

static void stall(unsigned count) {
    for (unsigned i = 0; i < count && i < options.count; i++) {
        if (clients[i].phase != READY)
            continue;
        epoll_ctl(poller, EPOLL_CTL_DEL, clients[i].fd, NULL);
        clients[i].phase = STALLED;
        ready--;
    }
}

static void cut(void) {
    struct linger reset_at_once = {1, 0};
    for (unsigned i = 0; i < options.count; i++) {
        if (clients[i].phase == ABSENT)
            continue;
        setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &reset_at_once, sizeof reset_at_once);
        drop(&clients[i]);
    }
}

static void start_connecting(const char *file) {
    if (*file)
        hello = file_read(file);
    ramp_start_us = now_us();
    ramp_started = 0;
    wait_until(ALL_READY, CONNECT_S);
}

static void obey(char *line) {
    char *argument = strchr(line, ' ');
    if (argument)
        *argument++ = 0;
    else
        argument = line + strlen(line);
    if (!strcmp(line, "connect")) {
        start_connecting(argument);
        return;
    }
    if (!strcmp(line, "expect")) {
        char *rest;
        uint64_t number = strtoull(argument, &rest, 10);
        start_expecting(number, strtod(rest, NULL));
        return;
    }
    if (!strcmp(line, "reset"))
        reset();
    else if (!strcmp(line, "stall"))
        stall((unsigned)atoi(argument));
    else if (!strcmp(line, "cut"))
        cut();
    else if (!strcmp(line, "quit"))
        is_stopping = 1;
    else if (strcmp(line, "report") != 0)
        fail("unknown command: %s", line);
    report();
}

static void on_command(void) {
    static char lines[8192];
    static size_t length;
    ssize_t received = read(STDIN_FILENO, lines + length, sizeof lines - 1 - length);
    if (received <= 0) {
        is_stopping = 1;
        return;
    }
    length += (size_t)received;
    lines[length] = 0;
    char *end;
    while ((end = strchr(lines, '\n'))) {
        *end = 0;
        obey(lines);
        length -= (size_t)(end + 1 - lines);
        memmove(lines, end + 1, length + 1);
    }
}

/* Answers what is being waited for, if it happened or takes too long. Returns until when to wait at most. */
static uint64_t check_wait(void) {
    if (wait_for == NOTHING)
        return UINT64_MAX;
    unsigned done = wait_for == ALL_READY ? ready : arrived;
    if (done < reading() && now_us() < wait_until_us)
        return wait_until_us;
    wait_for = NOTHING;
    report();
    return UINT64_MAX;
}

static void serve(void) {
    struct epoll_event events[MAX_EVENTS];
    while (!is_stopping) {
        uint64_t next = check_wait(), more = wait_for == ALL_READY ? begin_some() : 0, now = now_us();
        if (more && more < next)
            next = more;
        int timeout_ms = next == UINT64_MAX ? -1 : next <= now ? 0 : (int)((next - now) / 1000 + 1);
        int count = epoll_wait(poller, events, MAX_EVENTS, timeout_ms);
        for (int i = 0; i < count; i++) {
            Client *c = events[i].data.ptr;
            if (!c)
                on_command();
            else if (c->phase == CONNECTING)
                connected(c);
            else if (c->phase != ABSENT && c->phase != STALLED)
                on_readable(c);
        }
    }
}

/* ---- start -------------------------------------------------------------------------------------------------------- */

static void read_options(int argc, char **argv) {
    static const struct option names[] = {
        {"host", 1, 0, 'H'},   {"port", 1, 0, 'p'},       {"path", 1, 0, 'u'},      {"protocol", 1, 0, 'P'},
        {"count", 1, 0, 'n'},  {"in-flight", 1, 0, 'f'},  {"ramp", 1, 0, 'r'},      {"small-buffers", 1, 0, 's'},
        {"hello", 1, 0, 'h'},  {"ready", 1, 0, 'R'},      {"answers", 1, 0, 'a'},   {"filter", 1, 0, 'F'},
        {"number", 1, 0, 'N'}, {"time", 1, 0, 'T'},       {"text", 1, 0, 'x'},      {"ping", 1, 0, 'i'},
        {"pong", 1, 0, 'o'},   {"greeted", 1, 0, 'g'},    {0, 0, 0, 0}};
    int name;
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 'H': options.host = optarg; break;
        case 'p': options.port = atoi(optarg); break;
        case 'u': options.path = optarg; break;
        case 'P': options.protocol = optarg; break;
        case 'n': options.count = (unsigned)atoi(optarg); break;
        case 'f': options.in_flight = (unsigned)atoi(optarg); break;
        case 'r': options.ramp_per_s = (unsigned)atoi(optarg); break;
        case 's': options.small = (unsigned)atoi(optarg); break;
        case 'h': hello = file_read(optarg); break;
        case 'R': options.ready = optarg; break;
        case 'a': options.answers = (unsigned)atoi(optarg); break;
        case 'F': options.filter = optarg; break;
        case 'N': options.number_key = optarg; break;
        case 'T': options.time_key = optarg; break;
        case 'x': options.text_key = optarg; break;
        case 'i': options.ping = optarg; break;
        case 'g': options.greeted = optarg; break;
        case 'o': options.pong = optarg; break;
        default: exit(2);
        }
    }
    if (!options.port || !options.count || (options.ping && !options.pong) || (options.answers && !options.ready))
        fail("usage: load --port PORT --count N [--path PATH] [--hello FILE] [--ready TEXT --answers N] …");
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    raise_file_limit();
    clients = calloc(options.count, sizeof *clients);
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
    if (!clients || poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &commands) < 0)
        fail("cannot start: %s", strerror(errno));
    reset();
    serve();
    return 0;
}

/* See wire.h. */

#define _GNU_SOURCE
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_PER_SOURCE 20000u /* of the about 28 000 ports that an address has */

uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

double used_cpu_s(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Values below 64 have a bucket each; above, the exponent chooses a row and the next six bits a bucket in it. */
static unsigned bucket_of(uint64_t value) {
    if (value < 64)
        return (unsigned)value;
    unsigned shift = 57u - (unsigned)__builtin_clzll(value);
    return (shift + 1) * 64 + (unsigned)((value >> shift) & 63);
}

static uint64_t bucket_end(unsigned bucket) {
    if (bucket < 64)
        return bucket;
    unsigned shift = bucket / 64 - 1;
    return ((64ull + bucket % 64 + 1) << shift) - 1;
}

void histogram_add(Histogram *histogram, uint64_t value) {
    histogram->counts[bucket_of(value)]++;
    histogram->total++;
    if (value > histogram->max)
        histogram->max = value;
}

uint64_t histogram_quantile(const Histogram *histogram, double quantile) {
    uint64_t seen = 0, wanted = (uint64_t)(quantile * (double)histogram->total);
    for (unsigned i = 0; i < 64 * 64; i++) {
        seen += histogram->counts[i];
        if (histogram->counts[i] && seen >= wanted)
            return bucket_end(i) < histogram->max ? bucket_end(i) : histogram->max;
    }
    return histogram->max;
}

void histogram_print(const char *name, const Histogram *histogram) {
    printf("\"%s\":{\"n\":%llu,\"p50\":%llu,\"p99\":%llu,\"max\":%llu}", name, (unsigned long long)histogram->total,
           (unsigned long long)histogram_quantile(histogram, 0.50),
           (unsigned long long)histogram_quantile(histogram, 0.99), (unsigned long long)histogram->max);
}

int frame_read(const char *data, size_t length, Frame *frame, size_t *needed) {
    const uint8_t *head = (const uint8_t *)data;
    *needed = 0;
    if (length < 2)
        return 0;
    size_t start = 2;
    uint64_t size = head[1] & 127;
    if (size >= 126) {
        start = size == 126 ? 4 : 10;
        if (length < start)
            return 0;
        size = 0;
        for (size_t i = 2; i < start; i++)
            size = size << 8 | head[i];
    }
    *needed = start + size;
    if (length < *needed)
        return 0;
    *frame = (Frame){head[0] & 15, head[0] >> 7, data + start, size, *needed};
    return 1;
}

/* The mask protects proxies from crafted bytes; here it only has to be there. */
size_t frame_write(char *out, int opcode, const char *payload, size_t length) {
    static const char mask[4] = {0x5a, 0x17, 0x3c, 0x61};
    size_t at = 0;
    out[at++] = (char)(0x80 | opcode);
    if (length < 126) {
        out[at++] = (char)(0x80 | length);
    } else if (length < 65536) {
        out[at++] = (char)(0x80 | 126);
        out[at++] = (char)(length >> 8);
        out[at++] = (char)length;
    } else {
        out[at++] = (char)(0x80 | 127);
        for (int shift = 56; shift >= 0; shift -= 8)
            out[at++] = (char)((uint64_t)length >> shift);
    }
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < length; i++)
        out[at + i] = (char)(payload[i] ^ mask[i & 3]);
    return at + length;
}

size_t upgrade_write(char *out, size_t room, const char *host, int port, const char *path, const char *protocol) {
    int size = snprintf(out, room,
                        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
                        path, host, port, *protocol ? "Sec-WebSocket-Protocol: " : "", protocol,
                        *protocol ? "\r\n" : "");
    if (size < 0 || (size_t)size >= room)
        fail("the path is too long");
    return (size_t)size;
}

int connect_start(const char *host, int port, unsigned source, int receive_bytes) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail("cannot open a socket: %s", strerror(errno));
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (receive_bytes > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source / CONNECTIONS_PER_SOURCE);
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1 || ntohl(to.sin_addr.s_addr) >> 24 != 127)
        fail("%s is not an address in 127.0.0.0/8: load goes only to this machine", host);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)) {
        close(fd);
        return -1;
    }
    return fd;
}

size_t template_fill(char *out, size_t room, const char *text, const Place *places, size_t count) {
    size_t at = 0;
    while (*text) {
        size_t i = 0;
        while (i < count && strncmp(text, places[i].name, strlen(places[i].name)) != 0)
            i++;
        if (at + 24 > room)
            fail("a message does not fit into %zu bytes", room);
        if (i == count) {
            out[at++] = *text++;
        } else {
            at += (size_t)snprintf(out + at, 24, "%llu", (unsigned long long)places[i].value);
            text += strlen(places[i].name);
        }
    }
    return at;
}

char *file_read(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        fail("cannot read %s: %s", path, strerror(errno));
    size_t room = 1 << 20;
    char *text = malloc(room + 1);
    if (!text)
        fail("no memory");
    size_t length = fread(text, 1, room, file);
    fclose(file);
    text[length] = 0;
    return text;
}

void raise_file_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* What the load generator and the publisher share: a clock, a histogram, WebSocket frames, text templates. */

#ifndef ANTIPHON_BENCH_WIRE_H
#define ANTIPHON_BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* CLOCK_MONOTONIC in microseconds: the same for all programs of one machine, so that a publisher's stamp can be
 * compared with a receiver's clock. */
uint64_t now_us(void);

/* Processor time that this program has used, in seconds. Who measures must be able to show that it was not the limit. */
double used_cpu_s(void);

/* Counts in buckets that grow with the value: 64 per power of two, so a quantile is at most 1.6 % off. */
typedef struct {
    uint64_t counts[64 * 64];
    uint64_t total;
    uint64_t max;
} Histogram;

void histogram_add(Histogram *histogram, uint64_t value);
uint64_t histogram_quantile(const Histogram *histogram, double quantile);

/* Writes `"NAME":{"n":…,"p50":…,"p99":…,"max":…}` to standard output. */
void histogram_print(const char *name, const Histogram *histogram);

enum { OPCODE_TEXT = 1, OPCODE_CLOSE = 8, OPCODE_PING = 9, OPCODE_PONG = 10 };

typedef struct {
    int opcode;
    int is_final;
    const char *payload;
    size_t length;
    size_t size; /* of the whole frame */
} Frame;

/* Reads one frame from a server. Returns 0 where it has not arrived whole; `needed` then tells its size, if known. */
int frame_read(const char *data, size_t length, Frame *frame, size_t *needed);

/* Writes a masked frame (as clients must) and returns its size: at most `length + 14`. */
size_t frame_write(char *out, int opcode, const char *payload, size_t length);

/* Writes an upgrade request; `protocol` may be empty. */
size_t upgrade_write(char *out, size_t room, const char *host, int port, const char *path, const char *protocol);

/* A socket that is connecting to an IPv4 loopback address, from the `source`-th address of 127.0.0.0/8, so that more
 * connections fit than one address has ports. `receive_bytes` > 0 makes its receive buffer small. -1 on failure. */
int connect_start(const char *host, int port, unsigned source, int receive_bytes);

/* Text with places (`@N@`) that are filled in per use. */
typedef struct {
    const char *name;
    uint64_t value;
} Place;

size_t template_fill(char *out, size_t room, const char *text, const Place *places, size_t count);

char *file_read(const char *path);
void raise_file_limit(void);

__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

/* The digits at `text`, up to `end`. */
static inline uint64_t digits(const char *text, const char *end) {
    uint64_t value = 0;
    while (text < end && *text >= '0' && *text <= '9')
        value = value * 10 + (uint64_t)(*text++ - '0');
    return value;
}

#endif

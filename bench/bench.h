/* bench/bench.h - what programs that measure share: the clock and a table with a baseline taken in the same run.
 *
 *     bench_begin("addresses and maps", seed);
 *     BENCH(ours, 100000) { ip_parse(texts[bench_i % N], &ip); }        nanoseconds for one round
 *     BENCH(theirs, 100000) { inet_pton(AF_INET, texts[bench_i % N], &in); }
 *     bench_row("read an IPv4 address", ours, "ns", "inet_pton", theirs);
 *
 * A figure is the best of five runs: on a shared machine the others measure the neighbours. */
#pragma once
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static inline double
bench_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Of getrusage(): processor time. */
static inline double
bench_timeval_ms(const struct timeval *t)
{
    return (double)t->tv_sec * 1e3 + (double)t->tv_usec / 1e3;
}

/* Of /proc/meminfo or /proc/PID/status: "VmRSS:" in KiB; 0 if there is none. */
static inline long
bench_kib(const char *path, const char *name)
{
    FILE *file = fopen(path, "r");
    char line[200];
    long kib = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kib = strtol(line + strlen(name), NULL, 10);
        }
    }
    if (file) {
        fclose(file);
    }
    return kib;
}

static inline void
bench_begin(const char *what, uint64_t seed)
{
    printf("%s, seed %" PRIu64 "\n\n%-34s %10s      %-22s %10s %8s\n", what, seed, "what", "figure", "baseline", "figure", "ratio");
}

/* 'baseline' NULL: there is none.  The ratio says how many times faster we are (where less is better). */
static inline void
bench_row(const char *what, double figure, const char *unit, const char *baseline, double baseline_figure)
{
    printf("%-34s %10.1f %-4s ", what, figure, unit);
    if (baseline) {
        printf("%-22s %10.1f %7.2fx", baseline, baseline_figure, baseline_figure / figure);
    }
    putchar('\n');
}

/* Keeps the compiler from leaving out what nobody looks at. */
#define BENCH_USE(value_) __asm__ volatile("" : : "g"(value_) : "memory")

/* A loop body run 'rounds_' times, five times over; 'bench_i' counts.  Afterwards 'result_' is the nanoseconds of one round. */
#define BENCH(result_, rounds_)                                                                            \
    double result_ = 1e300;                                                                                \
    for (int bench_try = 0; bench_try < 5; bench_try++)                                                    \
        for (double bench_t0 = bench_now_ns(), bench_done = 0; !bench_done;                                \
             bench_done = 1, bench_t0 = (bench_now_ns() - bench_t0) / (double)(rounds_),                   \
                    result_ = bench_t0 < result_ ? bench_t0 : result_)                                     \
            for (size_t bench_i = 0; bench_i < (size_t)(rounds_); bench_i++)

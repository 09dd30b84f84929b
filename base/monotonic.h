/* base/monotonic.h - time that only goes forward, for waiting and for measuring; it begins anywhere. */
#pragma once
#include <stdint.h>
#include <time.h>

static inline int64_t
monotonic_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline int64_t
monotonic_ms(void)
{
    return monotonic_us() / 1000;
}

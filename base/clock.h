/* base/clock.h - the lab's time: the machine's, or a set one that only moves when told.  Milliseconds since 1970 UTC. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct clock {
    bool fixed;      /* the time stands still but for clock_advance() */
    int64_t base_ms; /* fixed: the time.  Else: an offset to the machine's. */
};

int64_t clock_now_ms(const struct clock *clock);
void clock_set_ms(struct clock *clock, int64_t ms); /* fixes it */
void clock_advance_ms(struct clock *clock, int64_t ms);

/* "2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05Z" as AWS and CloudTrail print them. */
void clock_format_ms(int64_t ms, char text[static 32]);
void clock_format_s(int64_t ms, char text[static 32]);
/* Reads RFC 3339 and "2020-03-03 01:21:01+00:00".  False if it is neither. */
bool clock_parse(const char *text, int64_t *ms);
/* "90s", "5m", "2h", "1d".  False if it is not, or more than 100 years. */
bool clock_parse_span(const char *text, int64_t *ms);

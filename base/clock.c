#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS_PER_DAY INT64_C(86400000)

static int64_t
machine_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_now_ms(const struct clock *clock)
{
    return clock->fixed ? clock->base_ms : machine_now_ms() + clock->base_ms;
}

void
clock_set_ms(struct clock *clock, int64_t ms)
{
    *clock = (struct clock){ .fixed = true, .base_ms = ms };
}

void
clock_advance_ms(struct clock *clock, int64_t ms)
{
    clock->base_ms += ms;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar, and back.  A year is counted from 1 March, so that the leap
 * day is its last; 400 years are 146097 days.  (timegm would do, but a time zone database lookup is no part of a log
 * line.) */
static int64_t
days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void
date_from_days(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static int
days_of_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static void
format(int64_t ms, bool fraction, char text[static 32])
{
    int64_t days = ms / MS_PER_DAY, rest = ms % MS_PER_DAY;
    if (rest < 0) {
        rest += MS_PER_DAY;
        days--;
    }
    int year, month, day, r = (int)rest;
    date_from_days(days, &year, &month, &day);
    int n = snprintf(text, 32, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, r / 3600000, r / 60000 % 60,
                     r / 1000 % 60);
    if (fraction) {
        snprintf(text + n, 32 - (size_t)n, ".%03dZ", r % 1000);
    } else {
        snprintf(text + n, 32 - (size_t)n, "Z");
    }
}

void
clock_format_ms(int64_t ms, char text[static 32])
{
    format(ms, true, text);
}

void
clock_format_s(int64_t ms, char text[static 32])
{
    format(ms, false, text);
}

/* Exactly 'n' digits. */
static bool
number(const char **text, int n, int *value)
{
    *value = 0;
    for (int i = 0; i < n; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9') {
            return false;
        }
        *value = *value * 10 + (c - '0');
    }
    *text += n;
    return true;
}

static bool
skip(const char **text, char c)
{
    return **text == c ? (++*text, true) : false;
}

/* ".123456789": milliseconds; further digits are dropped. */
static bool
fraction_of_second(const char **text, int *ms)
{
    int scale = 100;
    *ms = 0;
    if (!skip(text, '.')) {
        return true;
    }
    if (**text < '0' || **text > '9') {
        return false;
    }
    for (; **text >= '0' && **text <= '9'; ++*text) {
        *ms += (**text - '0') * scale;
        scale /= 10;
    }
    return true;
}

/* "Z", "+01:00" or "+0100": minutes east of Greenwich. */
static bool
zone(const char **text, int *minutes)
{
    *minutes = 0;
    if (skip(text, 'Z') || skip(text, 'z')) {
        return true;
    }
    int sign = **text == '-' ? -1 : 1, hours, rest;
    if (!skip(text, '+') && !skip(text, '-')) {
        return false;
    }
    if (!number(text, 2, &hours)) {
        return false;
    }
    skip(text, ':');
    if (!number(text, 2, &rest) || hours > 23 || rest > 59) {
        return false;
    }
    *minutes = sign * (hours * 60 + rest);
    return true;
}

bool
clock_parse(const char *text, int64_t *ms)
{
    int year, month, day, hour, minute, second, thousandths, east;
    if (!number(&text, 4, &year) || !skip(&text, '-') || !number(&text, 2, &month) || !skip(&text, '-') ||
        !number(&text, 2, &day)) {
        return false;
    }
    if (!skip(&text, 'T') && !skip(&text, 't') && !skip(&text, ' ')) {
        return false;
    }
    if (!number(&text, 2, &hour) || !skip(&text, ':') || !number(&text, 2, &minute) || !skip(&text, ':') ||
        !number(&text, 2, &second) || !fraction_of_second(&text, &thousandths) || !zone(&text, &east) || *text) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) || hour > 23 || minute > 59 ||
        second > 60) { /* 60: a leap second, which Unix time counts as the next one */
        return false;
    }
    int64_t seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + (minute - east) * 60 + second;
    *ms = seconds * 1000 + thousandths;
    return true;
}

bool
clock_parse_span(const char *text, int64_t *ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', MS_PER_DAY } };
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10 || !text[digits] || text[digits + 1]) {
        return false;
    }
    int64_t n = strtoll(text, NULL, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (text[digits] == units[i].unit && n <= 36525 * MS_PER_DAY / units[i].ms) {
            *ms = n * units[i].ms;
            return true;
        }
    }
    return false;
}

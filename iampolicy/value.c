#include "iampolicy/value.h"

#include <string.h>

/* ---- decimals ---- */

bool
iam_decimal_parse(struct iam_text text, struct iam_decimal *decimal)
{
    const char *s = text.s, *end = text.s + text.n, *last = NULL;
    int64_t before = 0, zeros = 0, exponent = 0;
    bool negative = false, seen_dot = false, any = false;
    *decimal = (struct iam_decimal){ 0 };
    if (s < end && (*s == '+' || *s == '-')) {
        negative = *s++ == '-';
    }
    uint32_t count = 0;
    for (; s < end && ((*s >= '0' && *s <= '9') || (*s == '.' && !seen_dot)); s++) {
        if (*s == '.') {
            seen_dot = true;
            continue;
        }
        any = true;
        if (!decimal->first && *s == '0') {
            zeros += seen_dot; /* 0.00123: the point moves left of the first digit */
            continue;
        }
        if (!decimal->first) {
            decimal->first = s;
        }
        before += !seen_dot;
        count++;
        if (*s != '0') {
            last = s;
            decimal->n = count;
        }
    }
    if (!any) {
        return false;
    }
    if (s < end && (*s | 32) == 'e') {
        bool down = false;
        s++;
        if (s < end && (*s == '+' || *s == '-')) {
            down = *s++ == '-';
        }
        if (s == end) {
            return false;
        }
        for (; s < end && *s >= '0' && *s <= '9'; s++) {
            if (exponent > INT64_MAX / 1000) {
                return false;
            }
            exponent = exponent * 10 + (*s - '0');
        }
        exponent = down ? -exponent : exponent;
    }
    if (s != end) {
        return false;
    }
    if (last) {
        decimal->sign = negative ? -1 : 1;
        decimal->point = before - zeros + exponent;
    }
    return true;
}

static int
compare_digits(const struct iam_decimal *a, const struct iam_decimal *b)
{
    const char *x = a->first, *y = b->first;
    uint32_t n = a->n < b->n ? a->n : b->n;
    for (uint32_t i = 0; i < n; i++, x++, y++) {
        x += *x == '.';
        y += *y == '.';
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return (a->n > b->n) - (a->n < b->n);
}

int
iam_decimal_compare(const struct iam_decimal *a, const struct iam_decimal *b)
{
    if (a->sign != b->sign) {
        return a->sign < b->sign ? -1 : 1;
    }
    if (a->sign == 0) {
        return 0;
    }
    int order = a->point != b->point ? (a->point < b->point ? -1 : 1) : compare_digits(a, b);
    return a->sign * order;
}

/* ---- instants ---- */

/* Exactly 'n' digits at *s; moves on. */
static bool
take(const char **s, const char *end, int n, int *value)
{
    *value = 0;
    if (end - *s < n) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        char c = *(*s)++;
        if (c < '0' || c > '9') {
            return false;
        }
        *value = *value * 10 + (c - '0');
    }
    return true;
}

static bool
take_char(const char **s, const char *end, char c)
{
    if (*s < end && **s == c) {
        ++*s;
        return true;
    }
    return false;
}

static int64_t
days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = y / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool
date_exists(int year, int month, int day)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

static bool
parse_epoch(struct iam_text text, struct iam_instant *instant)
{
    int64_t s = 0;
    if (!text.n || text.n > 18) {
        return false;
    }
    for (uint32_t i = 0; i < text.n; i++) {
        if (text.s[i] < '0' || text.s[i] > '9') {
            return false;
        }
        s = s * 10 + (text.s[i] - '0');
    }
    *instant = (struct iam_instant){ s, 0 };
    return true;
}

/* "hh:mm[:ss[.f]][TZ]" after the T. */
static bool
parse_time(const char *s, const char *end, int64_t *seconds, uint32_t *ns)
{
    int hour, minute, second = 0;
    if (!take(&s, end, 2, &hour) || !take_char(&s, end, ':') || !take(&s, end, 2, &minute)) {
        return false;
    }
    if (take_char(&s, end, ':')) {
        if (!take(&s, end, 2, &second)) {
            return false;
        }
        if (take_char(&s, end, '.')) {
            const char *first = s;
            uint32_t unit = 100000000;
            for (; s < end && *s >= '0' && *s <= '9'; s++, unit /= 10) {
                *ns += (uint32_t)(*s - '0') * unit;
            }
            if (s == first) {
                return false;
            }
        }
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *seconds += hour * 3600 + minute * 60 + second;
    if (s == end || take_char(&s, end, 'Z')) {
        return s == end;
    }
    int sign = *s == '+' ? 1 : *s == '-' ? -1 : 0, zone_hour, zone_minute;
    s++;
    if (!sign || !take(&s, end, 2, &zone_hour) || !take_char(&s, end, ':') || !take(&s, end, 2, &zone_minute) ||
        zone_hour > 23 || zone_minute > 59) {
        return false;
    }
    *seconds -= sign * (zone_hour * 3600 + zone_minute * 60);
    return s == end;
}

bool
iam_instant_parse(struct iam_text text, struct iam_instant *instant)
{
    const char *s = text.s, *end = text.s + text.n;
    int year, month, day = 1;
    if (parse_epoch(text, instant)) {
        return true;
    }
    if (!take(&s, end, 4, &year) || !take_char(&s, end, '-') || !take(&s, end, 2, &month)) {
        return false;
    }
    if (take_char(&s, end, '-') && !take(&s, end, 2, &day)) {
        return false;
    }
    if (!date_exists(year, month, day)) {
        return false;
    }
    *instant = (struct iam_instant){ days_from_civil(year, month, day) * 86400, 0 };
    if (s == end) {
        return true;
    }
    return text.n > 10 && take_char(&s, end, 'T') && parse_time(s, end, &instant->s, &instant->ns);
}

int
iam_instant_compare(const struct iam_instant *a, const struct iam_instant *b)
{
    if (a->s != b->s) {
        return a->s < b->s ? -1 : 1;
    }
    return (a->ns > b->ns) - (a->ns < b->ns);
}

/* ---- addresses ---- */

bool
iam_cidr_parse(struct iam_text text, struct cidr *cidr)
{
    char room[64];
    if (text.n >= sizeof room || memchr(text.s, '\0', text.n)) {
        return false;
    }
    memcpy(room, text.s, text.n);
    room[text.n] = '\0';
    if (!cidr_parse_loose(room, cidr)) {
        return false;
    }
    struct ip inner = ip_unmap(&cidr->ip);
    if (cidr->ip.family == IP_V6 && inner.family == IP_V4 && cidr->bits >= 96) {
        *cidr = (struct cidr){ inner, (uint8_t)(cidr->bits - 96) };
    }
    return true;
}

bool
iam_address_parse(struct iam_text text, struct ip *ip)
{
    char room[64];
    if (text.n >= sizeof room || memchr(text.s, '\0', text.n)) {
        return false;
    }
    memcpy(room, text.s, text.n);
    room[text.n] = '\0';
    if (!ip_parse(room, ip)) {
        return false;
    }
    *ip = ip_unmap(ip);
    return true;
}

/* ---- bytes, truth, letters ---- */

static int
base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    return c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bytes that 4 characters stand for, 0 if they are not base64.  Only the last group may be padded. */
static int
decode_group(const char *s, bool last, unsigned char out[3])
{
    int a = base64_digit(s[0]), b = base64_digit(s[1]), c = base64_digit(s[2]), d = base64_digit(s[3]);
    int n = last && s[3] == '=' ? (s[2] == '=' ? 1 : 2) : 3;
    if (a < 0 || b < 0 || (n >= 2 && c < 0) || (n == 3 && d < 0)) {
        return 0;
    }
    c = n >= 2 ? c : 0;
    d = n == 3 ? d : 0;
    out[0] = (unsigned char)(a << 2 | b >> 4);
    out[1] = (unsigned char)((b & 15) << 4 | c >> 2);
    out[2] = (unsigned char)((c & 3) << 6 | d);
    return n;
}

bool
iam_base64_decode(struct iam_text text, unsigned char *out, uint32_t *size)
{
    *size = 0;
    if (text.n % 4) {
        return false;
    }
    for (uint32_t i = 0; i < text.n; i += 4) {
        unsigned char group[3];
        int n = decode_group(text.s + i, i + 4 == text.n, group);
        if (!n) {
            return false;
        }
        memcpy(out + *size, group, (size_t)n);
        *size += (uint32_t)n;
    }
    return true;
}

bool
iam_base64_equal(struct iam_text a, struct iam_text b)
{
    if (a.n != b.n || a.n % 4) {
        return false;
    }
    for (uint32_t i = 0; i < a.n; i += 4) {
        unsigned char x[3], y[3];
        int n = decode_group(a.s + i, i + 4 == a.n, x);
        if (!n || decode_group(b.s + i, i + 4 == b.n, y) != n || memcmp(x, y, (size_t)n) != 0) {
            return false;
        }
    }
    return true;
}

bool
iam_bool_parse(struct iam_text text, bool *value)
{
    *value = iam_fold_equal(text, (struct iam_text){ "true", 4 });
    return *value || iam_fold_equal(text, (struct iam_text){ "false", 5 });
}

/* One character in small letters: ASCII, and U+00C0..U+00DE but U+00D7, whose UTF-8 is C3 80..C3 9E. */
static unsigned
folded(const unsigned char **s, const unsigned char *end)
{
    unsigned c = *(*s)++;
    if (c >= 'A' && c <= 'Z') {
        return c | 32;
    }
    if (c == 0xC3 && *s < end && **s >= 0x80 && **s <= 0x9E && **s != 0x97) {
        unsigned next = *(*s)++;
        return 0xC300 | (next + 0x20);
    }
    if (c == 0xC3 && *s < end) {
        return 0xC300 | *(*s)++;
    }
    return c;
}

bool
iam_fold_equal(struct iam_text a, struct iam_text b)
{
    const unsigned char *x = (const unsigned char *)a.s, *x_end = x + a.n;
    const unsigned char *y = (const unsigned char *)b.s, *y_end = y + b.n;
    if (a.n != b.n) {
        return false;
    }
    while (x < x_end && y < y_end) {
        if (folded(&x, x_end) != folded(&y, y_end)) {
            return false;
        }
    }
    return x == x_end && y == y_end;
}

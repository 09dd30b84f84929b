#include "netsim/analysis/packet_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define LAST_PROTOCOL      255
#define FIRST_UNPRIVILEGED 1024

void
packet_set_done(struct packet_set *set)
{
    VEC_DONE(&set->boxes);
}

int
packet_axis_last(int protocol)
{
    switch (protocol) {
    case PROTOCOL_TCP:
    case PROTOCOL_UDP:
        return 65535;
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
        return 255;
    default:
        return 0;
    }
}

bool
packet_set_is_empty(const struct packet_set *set)
{
    return set->boxes.n == 0;
}

bool
packet_set_equal(const struct packet_set *a, const struct packet_set *b)
{
    return a->boxes.n == b->boxes.n &&
           (a->boxes.n == 0 || memcmp(a->boxes.items, b->boxes.items, a->boxes.n * sizeof *a->boxes.items) == 0);
}

uint64_t
packet_set_hash(const struct packet_set *set)
{
    return hash_bytes(set->boxes.items, set->boxes.n * sizeof *set->boxes.items);
}

bool
packet_set_has(const struct packet_set *set, int protocol, int from, int to)
{
    const int at[N_PACKET_AXES] = { protocol, from, to };
    for (size_t i = 0; i < set->boxes.n; i++) {
        const struct packet_box *box = &set->boxes.items[i];
        bool in = true;
        for (int axis = 0; axis < N_PACKET_AXES; axis++) {
            in = in && at[axis] >= box->lo[axis] && at[axis] <= box->hi[axis];
        }
        if (in) {
            return true;
        }
    }
    return false;
}

/* ---- Combining -----------------------------------------------------------------------------------------------------
 */

struct operand {
    const struct packet_box **boxes;
    size_t n;
};
struct combination {
    enum packet_op op;
    struct packet_box box; /* bounds on the axes that are cut already */
    struct packet_set *out;
};

static int
compare_cuts(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Where any box begins on this axis, or has just ended. */
static size_t
collect_cuts(const struct operand operands[2], int axis, uint32_t *cuts)
{
    size_t n = 0, n_unique = 0;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < operands[side].n; i++) {
            cuts[n++] = operands[side].boxes[i]->lo[axis];
            cuts[n++] = operands[side].boxes[i]->hi[axis] + 1u;
        }
    }
    qsort(cuts, n, sizeof *cuts, compare_cuts);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || cuts[i] != cuts[n_unique - 1]) {
            cuts[n_unique++] = cuts[i];
        }
    }
    return n_unique;
}

static bool
keeps(enum packet_op op, bool in_a, bool in_b)
{
    switch (op) {
    case PACKETS_UNION:
        return in_a || in_b;
    case PACKETS_INTERSECT:
        return in_a && in_b;
    case PACKETS_SUBTRACT:
        return in_a && !in_b;
    }
    return false;
}

/* Do two runs of boxes have the same cross-section beyond 'axis'? */
static bool
same_section(const struct packet_box *a, const struct packet_box *b, size_t n, int axis)
{
    for (size_t i = 0; i < n; i++) {
        for (int k = axis + 1; k < N_PACKET_AXES; k++) {
            if (a[i].lo[k] != b[i].lo[k] || a[i].hi[k] != b[i].hi[k]) {
                return false;
            }
        }
    }
    return true;
}

static void combine_axis(struct combination *c, const struct operand operands[2], int axis);

/* The boxes of one slab, then maybe joined to the slab before it (which begins at 'before' in the output). */
static void
combine_slab(struct combination *c, const struct operand slab[2], int axis, size_t *before)
{
    struct packet_set *out = c->out;
    size_t begin = out->boxes.n;
    if (axis + 1 < N_PACKET_AXES) {
        combine_axis(c, slab, axis + 1);
    } else if (keeps(c->op, slab[0].n > 0, slab[1].n > 0)) {
        *VEC_ADD(&out->boxes) = c->box;
    }
    size_t n = out->boxes.n - begin;
    struct packet_box *items = out->boxes.items;
    bool joins = n > 0 && begin - *before == n && items[*before].hi[axis] + 1 == c->box.lo[axis] &&
                 same_section(&items[*before], &items[begin], n, axis);
    if (joins) {
        for (size_t i = 0; i < n; i++) {
            items[*before + i].hi[axis] = c->box.hi[axis];
        }
        out->boxes.n = begin;
    } else if (n > 0) {
        *before = begin;
    }
}

static void
combine_axis(struct combination *c, const struct operand operands[2], int axis)
{
    size_t room = operands[0].n + operands[1].n;
    uint32_t *cuts = xmalloc(2 * room * sizeof *cuts + 1);
    const struct packet_box **boxes = xmalloc(room * sizeof *boxes + 1);
    size_t n_cuts = collect_cuts(operands, axis, cuts), before = c->out->boxes.n;
    for (size_t i = 0; i + 1 < n_cuts; i++) {
        struct operand slab[2] = { { boxes, 0 }, { boxes, 0 } };
        size_t n = 0;
        for (int side = 0; side < 2; side++) {
            slab[side].boxes = boxes + n;
            for (size_t k = 0; k < operands[side].n; k++) {
                const struct packet_box *box = operands[side].boxes[k];
                if (box->lo[axis] <= cuts[i] && box->hi[axis] >= cuts[i]) {
                    boxes[n++] = box;
                    slab[side].n++;
                }
            }
        }
        c->box.lo[axis] = (uint16_t)cuts[i];
        c->box.hi[axis] = (uint16_t)(cuts[i + 1] - 1);
        if (n > 0) {
            combine_slab(c, slab, axis, &before);
        }
    }
    free(cuts);
    free(boxes);
}

struct packet_set
packet_set_combine(const struct packet_set *a, const struct packet_set *b, enum packet_op op)
{
    struct packet_set out = { 0 };
    const struct packet_set *sets[2] = { a, b };
    struct operand operands[2];
    for (int side = 0; side < 2; side++) {
        operands[side].n = sets[side]->boxes.n;
        operands[side].boxes = xmalloc(operands[side].n * sizeof *operands[side].boxes + 1);
        for (size_t i = 0; i < operands[side].n; i++) {
            operands[side].boxes[i] = &sets[side]->boxes.items[i];
        }
    }
    struct combination c = { .op = op, .out = &out };
    combine_axis(&c, operands, 0);
    free(operands[0].boxes);
    free(operands[1].boxes);
    return out;
}

/* ---- Building ------------------------------------------------------------------------------------------------------
 */

/* Protocols in runs with the same axes, so that few boxes say "every protocol". */
static const struct {
    uint16_t lo, hi;
} protocol_runs[] = {
    { 0, 0 }, { 1, 1 }, { 2, 5 }, { 6, 6 }, { 7, 16 }, { 17, 17 }, { 18, 57 }, { 58, 58 }, { 59, 255 }
};

static uint16_t
clamp(int value, int last)
{
    return (uint16_t)(value < 0 ? 0 : value > last ? last : value);
}

static struct packet_set
packets_of_every_protocol(void)
{
    struct packet_set all = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(protocol_runs); i++) {
        uint16_t last = (uint16_t)packet_axis_last(protocol_runs[i].lo);
        *VEC_ADD(&all.boxes) =
            (struct packet_box){ { protocol_runs[i].lo, 0, 0 }, { protocol_runs[i].hi, last, last } };
    }
    return all;
}

static void
replace(struct packet_set *set, const struct packet_set *with, enum packet_op op)
{
    struct packet_set result = packet_set_combine(set, with, op);
    packet_set_done(set);
    *set = result;
}

void
packet_set_add(struct packet_set *set, int protocol, int from_lo, int from_hi, int to_lo, int to_hi)
{
    struct packet_set more = { 0 };
    if (protocol == PROTOCOL_ALL) {
        more = packets_of_every_protocol();
    } else if (from_lo <= from_hi && to_lo <= to_hi) {
        int last = packet_axis_last(protocol);
        *VEC_ADD(&more.boxes) = (struct packet_box){ { (uint16_t)protocol, clamp(from_lo, last), clamp(to_lo, last) },
                                                     { (uint16_t)protocol, clamp(from_hi, last), clamp(to_hi, last) } };
    }
    replace(set, &more, PACKETS_UNION);
    packet_set_done(&more);
}

struct packet_set
packet_set_all(int family)
{
    struct packet_set all = packets_of_every_protocol(), foreign = { 0 };
    packet_set_add(&foreign, family == IP_V6 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, 0, 255, 0, 255);
    replace(&all, &foreign, PACKETS_SUBTRACT);
    packet_set_done(&foreign);
    return all;
}

/* ---- Text ----------------------------------------------------------------------------------------------------------
 */

static void
print_range(struct buf *text, int lo, int hi)
{
    buf_printf(text, lo == hi ? "%d" : "%d-%d", lo, hi);
}

/* A run of boxes of one protocol and one range of source ports. */
static void
print_ports(struct buf *text, int protocol, const struct packet_box *boxes, size_t n)
{
    int last = packet_axis_last(protocol);
    buf_str_add(text, protocol_name(protocol));
    if (boxes[0].lo[AXIS_TO] > 0 || boxes[0].hi[AXIS_TO] < last) {
        for (size_t i = 0; i < n; i++) {
            buf_char(text, i == 0 ? '/' : ',');
            print_range(text, boxes[i].lo[AXIS_TO], boxes[i].hi[AXIS_TO]);
        }
    }
    if (boxes[0].lo[AXIS_FROM] > FIRST_UNPRIVILEGED || boxes[0].hi[AXIS_FROM] < last) {
        buf_str_add(text, " from ");
        print_range(text, boxes[0].lo[AXIS_FROM], boxes[0].hi[AXIS_FROM]);
    }
}

static void
print_types(struct buf *text, int protocol, const struct packet_box *boxes, size_t n)
{
    int last = packet_axis_last(protocol);
    buf_str_add(text, protocol == PROTOCOL_ICMP ? "icmp" : "icmpv6");
    for (size_t i = 0; i < n; i++) {
        const struct packet_box *box = &boxes[i];
        bool all_codes = box->lo[AXIS_TO] == 0 && box->hi[AXIS_TO] == last;
        if (all_codes && box->lo[AXIS_FROM] == 0 && box->hi[AXIS_FROM] == last) {
            return;
        }
        buf_char(text, i == 0 ? '/' : ',');
        print_range(text, box->lo[AXIS_FROM], box->hi[AXIS_FROM]);
        if (!all_codes) {
            buf_char(text, ':');
            print_range(text, box->lo[AXIS_TO], box->hi[AXIS_TO]);
        }
    }
}

static size_t
cut_protocol(const struct packet_set *set, int protocol, struct packet_box *out)
{
    size_t n = 0;
    for (size_t i = 0; i < set->boxes.n; i++) {
        const struct packet_box *box = &set->boxes.items[i];
        if (box->lo[AXIS_PROTOCOL] <= protocol && box->hi[AXIS_PROTOCOL] >= protocol) {
            out[n++] = *box;
        }
    }
    return n;
}

static void
print_protocol(struct buf *text, const struct packet_set *set, int protocol, struct packet_box *room)
{
    size_t n = cut_protocol(set, protocol, room), end;
    bool is_icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6;
    for (size_t i = 0; i < n; i = end) {
        /* A run with the same source ports is one word; ICMP is one word altogether. */
        for (end = i + 1; end < n && (is_icmp || room[end].lo[AXIS_FROM] == room[i].lo[AXIS_FROM]); end++) {
        }
        if (!is_icmp && room[i].hi[AXIS_FROM] < FIRST_UNPRIVILEGED && end < n) {
            continue; /* privileged source ports beside ordinary ones: not worth a word to a person */
        }
        if (text->size > 0 && buf_str(text)[text->size - 1] != ' ') {
            buf_char(text, ' ');
        }
        if (is_icmp) {
            print_types(text, protocol, &room[i], end - i);
        } else {
            print_ports(text, protocol, &room[i], end - i);
        }
    }
}

/* Protocols that have no ports: ranges of numbers, or "other" for all of them. */
static void
print_portless(struct buf *text, const struct packet_set *set)
{
    struct buf words = { 0 };
    int n = 0, begin = -1, n_all = 0;
    for (int p = 0; p <= LAST_PROTOCOL + 1; p++) {
        bool portless = p <= LAST_PROTOCOL && packet_axis_last(p) == 0;
        bool in = portless && packet_set_has(set, p, 0, 0);
        n_all += portless;
        n += in;
        if (in && begin < 0) {
            begin = p;
        } else if (!in && begin >= 0) {
            buf_printf(&words, p - 1 == begin ? " %d" : " %d-%d", begin, p - 1);
            begin = -1;
        }
    }
    if (n > 0) {
        const char *separated = n == n_all ? " other" : buf_str(&words);
        buf_str_add(text, text->size > 0 ? separated : separated + 1);
    }
    buf_done(&words);
}

void
packet_set_print(const struct packet_set *set, int family, struct buf *text)
{
    static const int with_axes[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP, PROTOCOL_ICMPV6 };
    struct packet_set all = packet_set_all(family);
    struct buf words = { 0 };
    struct packet_box *room = xmalloc((set->boxes.n + 1) * sizeof *room);
    if (packet_set_is_empty(set) || packet_set_equal(set, &all)) {
        buf_str_add(&words, packet_set_is_empty(set) ? "none" : "all");
    } else {
        for (size_t i = 0; i < ARRAY_SIZE(with_axes); i++) {
            print_protocol(&words, set, with_axes[i], room);
        }
        print_portless(&words, set);
    }
    buf_str_add(text, buf_str(&words));
    free(room);
    buf_done(&words);
    packet_set_done(&all);
}

static bool
read_number(const char **at, int last, int *value)
{
    char *end;
    if (**at < '0' || **at > '9') {
        return false;
    }
    long number = strtol(*at, &end, 10);
    *at = end;
    *value = (int)number;
    return number >= 0 && number <= last;
}

static bool
read_range(const char **at, int last, int *lo, int *hi)
{
    if (!read_number(at, last, lo)) {
        return false;
    }
    *hi = *lo;
    if (**at == '-') {
        (*at)++;
        return read_number(at, last, hi) && *hi >= *lo;
    }
    return true;
}

/* "80,443,1024-65535", or types with codes: "8,3:4". */
static bool
parse_list(const char *at, int protocol, struct packet_set *set)
{
    int last = packet_axis_last(protocol), lo, hi, code_lo = 0, code_hi = last;
    for (;; at++) {
        if (!read_range(&at, last, &lo, &hi)) {
            return false;
        }
        if (last == 65535) {
            packet_set_add(set, protocol, 0, last, lo, hi);
        } else {
            code_lo = 0;
            code_hi = last;
            if (*at == ':' && (at++, !read_range(&at, last, &code_lo, &code_hi))) {
                return false;
            }
            packet_set_add(set, protocol, lo, hi, code_lo, code_hi);
        }
        if (*at != ',') {
            return *at == '\0';
        }
    }
}

static bool
parse_word(const char *word, int family, struct packet_set *set)
{
    char name[32];
    const char *slash = strchr(word, '/'), *at = word;
    int protocol, lo, hi;
    if (strcmp(word, "all") == 0 || strcmp(word, "other") == 0) {
        struct packet_set all = packet_set_all(family), with_axes = { 0 };
        static const int ported[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP, PROTOCOL_ICMPV6 };
        for (size_t i = 0; i < ARRAY_SIZE(ported) && word[0] == 'o'; i++) {
            packet_set_add(&with_axes, ported[i], 0, 65535, 0, 65535);
        }
        replace(&all, &with_axes, PACKETS_SUBTRACT);
        replace(set, &all, PACKETS_UNION);
        packet_set_done(&all);
        packet_set_done(&with_axes);
        return true;
    }
    if (read_range(&at, LAST_PROTOCOL, &lo, &hi) && *at == '\0') {
        for (protocol = lo; protocol <= hi; protocol++) {
            packet_set_add(set, protocol, 0, 65535, 0, 65535);
        }
        return true;
    }
    snprintf(name, sizeof name, "%.*s", slash ? (int)(slash - word) : (int)strlen(word), word);
    if (!protocol_parse(name, &protocol) || protocol == PROTOCOL_ALL) {
        return false;
    }
    if (protocol == PROTOCOL_ICMP && family == IP_V6) {
        protocol = PROTOCOL_ICMPV6; /* people say icmp for both */
    }
    if (!slash) {
        packet_set_add(set, protocol, 0, 65535, 0, 65535);
        return true;
    }
    return packet_axis_last(protocol) > 0 && parse_list(slash + 1, protocol, set);
}

bool
packet_set_parse(const char *text, int family, struct packet_set *set, struct err *err)
{
    struct packet_set read = { 0 };
    char *copy = xstrdup(text), *state = NULL;
    bool ok = true;
    for (char *word = strtok_r(copy, " \t", &state); word && ok; word = strtok_r(NULL, " \t", &state)) {
        ok = parse_word(word, family, &read);
        if (!ok) {
            err_set(err, ERR_USAGE, "", "`%s` names no packets", word);
            err_hint(err,
                     "packets are written `tcp/80,443`, `udp/1024-65535`, `icmp/8`, `tcp`, a protocol number or `all`");
        }
    }
    free(copy);
    packet_set_done(set);
    *set = read;
    return ok;
}

#include "netsim/flowlog/flowlog.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static bool
within(const struct cidr *block, const struct ip *a, const struct ip *b)
{
    return cidr_contains_ip(block, a) || cidr_contains_ip(block, b);
}

static bool
at_either_end(const struct cidr *block, const struct flow_record *r)
{
    return !block->ip.family || within(block, &r->src, &r->pkt_src) || within(block, &r->dst, &r->pkt_dst);
}

static bool
is_wanted_eni(const struct flow_query *query, const char *eni_id)
{
    for (size_t i = 0; i < query->n_enis; i++) {
        if (strcmp(query->eni_ids[i], eni_id) == 0) {
            return true;
        }
    }
    return query->n_enis == 0;
}

/* Does the record have this number?  Zero may be a value, so a record without the field must say so. */
static bool
has_number(const struct flow_record *record, size_t offset, uint16_t wanted, uint16_t value)
{
    for (size_t i = 0; flow_fields[i].name; i++) {
        if (flow_fields[i].type != FLOW_NEVER && flow_fields[i].offset == offset) {
            return (record->present >> i & 1) && wanted == value;
        }
    }
    return false;
}
#define HAS_NUMBER(record_, member_, wanted_)                                                                          \
    has_number((record_), offsetof(struct flow_record, member_), (wanted_), (record_)->member_)

/* Of the other members zero means that the record has no value, and no filter asks for that. */
bool
flow_query_match(const struct flow_query *query, const struct flow_record *record)
{
    const struct flow_query *q = query;
    if ((q->action && q->action != record->action) || (q->direction && q->direction != record->direction) ||
        (q->status && q->status != record->status)) {
        return false;
    }
    if ((q->has_protocol && !HAS_NUMBER(record, protocol, q->protocol)) ||
        (q->has_src_port && !HAS_NUMBER(record, src_port, q->src_port)) ||
        (q->has_dst_port && !HAS_NUMBER(record, dst_port, q->dst_port))) {
        return false;
    }
    if ((q->src.ip.family && !within(&q->src, &record->src, &record->pkt_src)) ||
        (q->dst.ip.family && !within(&q->dst, &record->dst, &record->pkt_dst)) || !at_either_end(&q->address, record) ||
        !at_either_end(&q->peer, record)) {
        return false;
    }
    return is_wanted_eni(q, record->eni_id) && (!q->since_s || record->end_s >= q->since_s) &&
           (!q->until_s || record->start_s <= q->until_s);
}

static bool
format_names(const struct flow_format *format, const char *name)
{
    for (size_t i = 0; i < format->n; i++) {
        if (strcmp(format->fields[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

size_t
flow_query_lacks(const struct flow_query *query, const struct flow_format *format,
                 const char *names[static FLOW_LACKS_MAX])
{
    const struct flow_query *q = query;
    bool src = q->src.ip.family || q->address.ip.family, dst = q->dst.ip.family;
    const struct {
        bool asked;
        const char *name, *or_name; /* either will do */
    } needs[] = {
        { q->n_enis > 0, "interface-id", NULL },  { q->action, "action", NULL },
        { q->direction, "flow-direction", NULL }, { q->status, "log-status", NULL },
        { q->has_protocol, "protocol", NULL },    { q->has_src_port, "srcport", NULL },
        { q->has_dst_port, "dstport", NULL },     { src, "srcaddr", "pkt-srcaddr" },
        { dst, "dstaddr", "pkt-dstaddr" },        { q->since_s, "end", NULL },
    };
    static_assert(ARRAY_SIZE(needs) <= FLOW_LACKS_MAX, "room for every name");
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
        if (needs[i].asked && !format_names(format, needs[i].name) &&
            !(needs[i].or_name && format_names(format, needs[i].or_name))) {
            names[n++] = needs[i].name;
        }
    }
    return n;
}

/* ---- any field ----------------------------------------------------------------------------------------------------
 */
static bool
where_add(struct flow_where *where, const char *name, size_t name_size, const char *value, size_t size)
{
    const struct flow_field *field = flow_fields;
    while (field->name && (strlen(field->name) != name_size || strncmp(field->name, name, name_size) != 0)) {
        field++;
    }
    struct flow_wanted *wanted = &where->items[where->n];
    if (!field->name || where->n == FLOW_WHERE_MAX || size == 0 || size >= sizeof wanted->value) {
        return false;
    }
    wanted->field = field;
    snprintf(wanted->value, sizeof wanted->value, "%.*s", (int)size, value);
    where->n++;
    return true;
}

bool
flow_where_add(struct flow_where *where, const char *field, const char *value)
{
    return where_add(where, field, strlen(field), value, strlen(value));
}

bool
flow_where_parse(const char *text, struct flow_where *where, struct err *err)
{
    size_t before = where->n;
    for (const char *p = text + strspn(text, " "); *p; p += strspn(p, " ")) {
        size_t size = strcspn(p, " ");
        const char *equal = memchr(p, '=', size);
        if (!equal || !where_add(where, p, (size_t)(equal - p), equal + 1, size - (size_t)(equal - p) - 1)) {
            err_set(err, ERR_USAGE, "", "`%.*s` is not a field of flow logs with a value", (int)(size > 80 ? 80 : size),
                    p);
            return err_hint(
                err, "as in ecs-service-name=web; * and ? stand for anything; up to %d of them, with blanks between",
                FLOW_WHERE_MAX);
        }
        p += size;
    }
    return where->n > before || err_set(err, ERR_USAGE, "", "no field is named");
}

bool
flow_where_match(const struct flow_where *where, const struct flow_format *format, const char *line)
{
    size_t n_found = 0;
    for (size_t i = 0; where->n && i < format->n; i++) {
        size_t size = strcspn(line, " \r\n");
        for (size_t j = 0; j < where->n; j++) {
            char value[2048];
            if (where->items[j].field == format->fields[i]) {
                snprintf(value, sizeof value, "%.*s", (int)size, line);
                n_found += fnmatch(where->items[j].value, value, 0) == 0;
            }
        }
        line += size;
        line += strspn(line, " ");
    }
    return n_found == where->n;
}

bool
flow_since_parse(const char *text, int64_t now_ms, int64_t *since_s)
{
    int64_t ms;
    if (clock_parse(text, &ms)) {
        *since_s = ms / 1000;
        return true;
    }
    if (clock_parse_span(text, &ms)) {
        *since_s = (now_ms - ms) / 1000;
        return true;
    }
    return false;
}

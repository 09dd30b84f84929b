/* The fields of a record as rows; formats, records to text and back. */
#include "netsim/flowlog/flowlog.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const action_words[] = { [FLOW_ACCEPT] = "ACCEPT", [FLOW_REJECT] = "REJECT" };
static const char *const status_words[] = { [FLOW_OK] = "OK", [FLOW_NODATA] = "NODATA", [FLOW_SKIPDATA] = "SKIPDATA" };
static const char *const direction_words[] = { [FLOW_INGRESS] = "ingress", [FLOW_EGRESS] = "egress" };
static const char *const reason_words[] = { [FLOW_REASON_BPA] = "BPA", [FLOW_REASON_EC] = "EC" };
/* The last is of Elastic Fabric Adapters, which only records from elsewhere have. */
static const char *const type_words[] = { [IP_V4] = "IPv4", [IP_V6] = "IPv6", [IP_V6 + 1] = "EFA" };

#define AT(member_)   .offset = offsetof(struct flow_record, member_), .size = sizeof(((struct flow_record *)0)->member_)
#define WORDS(words_) .words = (words_), .n_words = ARRAY_SIZE(words_)
#define NEVER(name_, version_)                                                                                         \
    {                                                                                                                  \
        .name = (name_), .version = (version_), .type = FLOW_NEVER                                                     \
    }

#define TRANSIT(name_, member_, flags_)                                                                                \
    {                                                                                                                  \
        .name = (name_), .version = 6, .type = FLOW_TRANSIT, .flags = FLOW_OF_TRANSIT | FLOW_NOT_OF_ENI | (flags_),    \
        .offset = offsetof(struct flow_transit, member_), .size = sizeof(((struct flow_transit *)0)->member_)          \
    }
#define LOST(name_, reason_)                                                                                           \
    {                                                                                                                  \
        .name = (name_), .version = 6, .type = FLOW_U64,                                                               \
        .flags = FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT | FLOW_NOT_OF_ENI, AT(lost[reason_])                              \
    }

/* clang-format off */
const struct flow_field flow_fields[] = {
    { "version",             2, FLOW_U8,   FLOW_OF_TRANSIT,                       AT(version) },
    { "account-id",          2, FLOW_TEXT, FLOW_OF_TRANSIT,                       AT(account) },
    { "interface-id",        2, FLOW_TEXT, 0,                                     AT(eni_id) },
    { "srcaddr",             2, FLOW_IP,   FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(src) },
    { "dstaddr",             2, FLOW_IP,   FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(dst) },
    { "srcport",             2, FLOW_U16,  FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(src_port) },
    { "dstport",             2, FLOW_U16,  FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(dst_port) },
    { "protocol",            2, FLOW_U8,   FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(protocol) },
    { "packets",             2, FLOW_U64,  FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(packets) },
    { "bytes",               2, FLOW_U64,  FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT | FLOW_NOT_OF_BPA, AT(bytes) },
    { "start",               2, FLOW_TIME, FLOW_OF_TRANSIT,                       AT(start_s) },
    { "end",                 2, FLOW_TIME, FLOW_OF_TRANSIT,                       AT(end_s) },
    { "action",              2, FLOW_WORD, FLOW_TRAFFIC_ONLY,                     AT(action),           WORDS(action_words) },
    { "log-status",          2, FLOW_WORD, FLOW_OF_TRANSIT,                       AT(status),           WORDS(status_words) },
    { "vpc-id",              3, FLOW_TEXT, 0,                                     AT(vpc_id) },
    { "subnet-id",           3, FLOW_TEXT, 0,                                     AT(subnet_id) },
    { "instance-id",         3, FLOW_TEXT, 0,                                     AT(instance_id) },
    { "tcp-flags",           3, FLOW_U8,   FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(tcp_flags) },
    { "type",                3, FLOW_WORD, FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(type),             WORDS(type_words) },
    { "pkt-srcaddr",         3, FLOW_IP,   FLOW_TRAFFIC_ONLY,                     AT(pkt_src) },
    { "pkt-dstaddr",         3, FLOW_IP,   FLOW_TRAFFIC_ONLY,                     AT(pkt_dst) },
    { "region",              4, FLOW_TEXT, FLOW_OF_TRANSIT,                       AT(region) },
    { "az-id",               4, FLOW_TEXT, 0,                                     AT(zone_id) },
    NEVER("sublocation-type", 4),
    NEVER("sublocation-id", 4),
    { "pkt-src-aws-service", 5, FLOW_TEXT, FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(pkt_src_service) },
    { "pkt-dst-aws-service", 5, FLOW_TEXT, FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(pkt_dst_service) },
    { "flow-direction",      5, FLOW_WORD, FLOW_TRAFFIC_ONLY | FLOW_OF_TRANSIT,   AT(direction),        WORDS(direction_words) },
    { "traffic-path",        5, FLOW_U8,   FLOW_TRAFFIC_ONLY | FLOW_ZERO_IS_NONE, AT(path) },
    TRANSIT("resource-type", resource, 0),
    TRANSIT("tgw-id", tgw_id, 0),
    TRANSIT("tgw-attachment-id", attachment_id, 0),
    TRANSIT("tgw-src-vpc-account-id", from.account, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-dst-vpc-account-id", to.account, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-src-vpc-id", from.vpc_id, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-dst-vpc-id", to.vpc_id, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-src-subnet-id", from.subnet_id, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-dst-subnet-id", to.subnet_id, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-src-eni", from.eni_id, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-dst-eni", to.eni_id, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-src-az-id", from.zone_id, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-dst-az-id", to.zone_id, FLOW_TRAFFIC_ONLY),
    TRANSIT("tgw-pair-attachment-id", pair_id, FLOW_TRAFFIC_ONLY),
    LOST("packets-lost-no-route", FLOW_LOST_NO_ROUTE),
    LOST("packets-lost-blackhole", FLOW_LOST_BLACKHOLE),
    LOST("packets-lost-mtu-exceeded", FLOW_LOST_MTU),
    LOST("packets-lost-ttl-expired", FLOW_LOST_TTL),
    NEVER("ecs-cluster-arn", 7),
    NEVER("ecs-cluster-name", 7),
    NEVER("ecs-container-instance-arn", 7),
    NEVER("ecs-container-instance-id", 7),
    NEVER("ecs-container-id", 7),
    NEVER("ecs-second-container-id", 7),
    NEVER("ecs-service-name", 7),
    NEVER("ecs-task-definition-arn", 7),
    NEVER("ecs-task-arn", 7),
    NEVER("ecs-task-id", 7),
    { "reject-reason",       8, FLOW_WORD, FLOW_TRAFFIC_ONLY,                     AT(reason),           WORDS(reason_words) },
    NEVER("resource-id", 9),   /* of regional NAT gateways */
    NEVER("encryption-status", 10),
    { .name = NULL },
};
/* clang-format on */
static_assert(ARRAY_SIZE(flow_fields) <= FLOW_FIELDS_MAX,
              "a format may name every field, and 'present' has a bit for each");

static const struct flow_field *
field_by_name(const char *name, size_t size)
{
    for (const struct flow_field *field = flow_fields; field->name; field++) {
        if (strlen(field->name) == size && memcmp(field->name, name, size) == 0) {
            return field;
        }
    }
    return NULL;
}

/* ---- formats ------------------------------------------------------------------------------------------------------
 */

static void
format_add(struct flow_format *format, const struct flow_field *field)
{
    format->fields[format->n++] = field;
    if (field->version > format->version) {
        format->version = field->version;
    }
}

static bool
format_has(const struct flow_format *format, const struct flow_field *field)
{
    for (size_t i = 0; i < format->n; i++) {
        if (format->fields[i] == field) {
            return true;
        }
    }
    return false;
}

static bool
fail_unknown(const char *name, size_t size, enum err_kind kind, const char *code, struct err *err)
{
    struct buf names = { 0 };
    for (const struct flow_field *field = flow_fields; field->name; field++) {
        /* the rest would not fit in a hint, and a lab has no use for them */
        if (field->type != FLOW_NEVER && !(field->flags & FLOW_NOT_OF_ENI)) {
            buf_printf(&names, "%s%s", names.size ? " " : "", field->name);
        }
    }
    err_set(err, kind, code, "`%.*s` is not a field of flow logs", (int)(size > 64 ? 64 : size), name);
    err_hint(err, "the fields are %s", buf_str(&names));
    buf_done(&names);
    return false;
}

/* Reads one field name into 'format'. */
static bool
format_read(struct flow_format *format, const char *name, size_t size, enum err_kind kind, const char *code,
            struct err *err)
{
    const struct flow_field *field = field_by_name(name, size);
    if (!field) {
        return fail_unknown(name, size, kind, code, err);
    }
    if (format_has(format, field)) {
        return err_set(err, kind, code, "the format names `%s` twice", field->name);
    }
    format_add(format, field);
    return true;
}

bool
flow_format_parse(const char *text, struct flow_format *format, struct err *err)
{
    static const char code[] = "InvalidParameterValue";
    struct flow_format read = { 0 };
    if (!text || !*text) {
        for (const struct flow_field *field = flow_fields; field->name && field->version == 2; field++) {
            format_add(&read, field);
        }
        *format = read;
        return true;
    }
    for (const char *p = text; *p;) {
        const char *end = p[0] == '$' && p[1] == '{' ? strchr(p, '}') : NULL;
        if (!end || (end[1] && end[1] != ' ') || (end[1] == ' ' && !end[2])) {
            err_set(err, ERR_INPUT, code, "the format is wrong at `%.40s`", end && !end[1] ? end : p);
            return err_hint(err, "fields stand in ${} with one space between them: ${srcaddr} ${dstaddr} ${action}");
        }
        if (!format_read(&read, p + 2, (size_t)(end - p - 2), ERR_INPUT, code, err)) {
            return false;
        }
        p = end + 1 + (end[1] == ' ');
    }
    *format = read;
    return true;
}

bool
flow_format_fits(const struct flow_format *format, bool transit, struct err *err)
{
    for (size_t i = 0; i < format->n; i++) {
        const struct flow_field *field = format->fields[i];
        if (transit ? !(field->flags & FLOW_OF_TRANSIT) : field->flags & FLOW_NOT_OF_ENI) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not a field of flow logs of %s", field->name,
                    transit ? "transit gateways" : "VPCs, subnets and network interfaces");
            return err_hint(err, transit ? "those with tgw- and packets-lost- are; without a format a log has them all"
                                         : "it is one of transit gateways and their attachments");
        }
    }
    return true;
}

bool
flow_format_parse_header(const char *line, struct flow_format *format, struct err *err)
{
    struct flow_format read = { 0 };
    for (const char *p = line + strspn(line, " "); *p;) {
        size_t size = strcspn(p, " \r\n");
        if (!format_read(&read, p, size, ERR_DOCUMENT, "", err)) {
            return err_at(err, NULL, 1, (int)(p - line) + 1);
        }
        p += size;
        p += strspn(p, " \r\n");
    }
    if (read.n == 0) {
        err_set(err, ERR_DOCUMENT, "", "the first line names no fields");
        return err_at(err, NULL, 1, 1);
    }
    *format = read;
    return true;
}

void
flow_format_header(const struct flow_format *format, struct buf *out)
{
    for (size_t i = 0; i < format->n; i++) {
        buf_printf(out, "%s%s", i ? " " : "", format->fields[i]->name);
    }
}

/* ---- records ------------------------------------------------------------------------------------------------------
 */

/* Adds nothing if the record has no value. */
static void
print_field(const struct flow_record *record, const struct flow_field *field, struct buf *out)
{
    const void *member = (const char *)record + field->offset;
    char ip[IP_STR_SIZE];
    uint64_t number = 0;
    if (((field->flags & FLOW_TRAFFIC_ONLY) && record->status != FLOW_OK) ||
        ((field->flags & FLOW_NOT_OF_BPA) && record->reason == FLOW_REASON_BPA)) {
        return;
    }
    switch (field->type) {
    case FLOW_NEVER:
        return;
    case FLOW_TRANSIT:
        buf_str_add(out, record->transit ? (const char *)record->transit + field->offset : "");
        return;
    case FLOW_TEXT:
        buf_str_add(out, member);
        return;
    case FLOW_IP:
        buf_str_add(out, ip_format(member, ip));
        return;
    case FLOW_WORD:
        number = *(const uint8_t *)member;
        if (number < field->n_words && field->words[number]) {
            buf_str_add(out, field->words[number]);
        }
        return;
    case FLOW_U8:
        number = *(const uint8_t *)member;
        break;
    case FLOW_U16:
        number = *(const uint16_t *)member;
        break;
    case FLOW_U64:
        number = *(const uint64_t *)member;
        break;
    case FLOW_TIME:
        number = (uint64_t) * (const int64_t *)member;
        break;
    }
    if (number > 0 || !(field->flags & FLOW_ZERO_IS_NONE)) {
        buf_printf(out, "%" PRIu64, number);
    }
}

void
flow_record_print(const struct flow_record *record, const struct flow_format *format, struct buf *out)
{
    struct flow_record copy = *record;
    copy.version = (uint8_t)format->version;
    for (size_t i = 0; i < format->n; i++) {
        if (i > 0) {
            buf_char(out, ' ');
        }
        size_t before = out->size;
        print_field(&copy, format->fields[i], out);
        if (out->size == before) {
            buf_char(out, '-');
        }
    }
}

static bool
parse_number(const char *text, uint64_t limit, uint64_t *number)
{
    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 19) {
        return false;
    }
    *number = strtoull(text, NULL, 10);
    return *number <= limit;
}

static bool
parse_field(const char *text, const struct flow_field *field, struct flow_record *record)
{
    void *member = (char *)record + field->offset;
    uint64_t number = 0;
    switch (field->type) {
    case FLOW_NEVER: /* a real log has it; who asks for it looks at the line */
    case FLOW_TRANSIT:
        return true;
    case FLOW_TEXT:
        if (strlen(text) >= field->size) {
            return false;
        }
        strcpy(member, text);
        return true;
    case FLOW_IP:
        return ip_parse(text, member);
    case FLOW_WORD:
        for (size_t i = 0; i < field->n_words; i++) {
            if (field->words[i] && strcmp(field->words[i], text) == 0) {
                *(uint8_t *)member = (uint8_t)i;
                return true;
            }
        }
        return false;
    case FLOW_U8:
        if (!parse_number(text, UINT8_MAX, &number)) {
            return false;
        }
        *(uint8_t *)member = (uint8_t)number;
        return true;
    case FLOW_U16:
        if (!parse_number(text, UINT16_MAX, &number)) {
            return false;
        }
        *(uint16_t *)member = (uint16_t)number;
        return true;
    case FLOW_U64:
        return parse_number(text, UINT64_MAX, member);
    case FLOW_TIME:
        if (!parse_number(text, INT64_MAX, &number)) {
            return false;
        }
        *(int64_t *)member = (int64_t)number;
        return true;
    }
    return false;
}

bool
flow_record_parse(const char *line, const struct flow_format *format, struct flow_record *record, struct err *err)
{
    struct flow_record read = { .status = FLOW_OK };
    const char *p = line;
    for (size_t i = 0; i < format->n; i++) {
        const struct flow_field *field = format->fields[i];
        size_t size = strcspn(p, " \r\n");
        char text[64];
        if (size == 0) {
            err_set(err, ERR_DOCUMENT, "", "the record ends before its field `%s`", field->name);
            return err_at(err, NULL, 1, (int)(p - line) + 1);
        }
        if (!(size == 1 && *p == '-')) {
            /* What a lab never prints may be longer than any value we know: a task's ARN. */
            size_t kept = size < sizeof text ? size : sizeof text - 1;
            memcpy(text, p, kept);
            text[kept] = '\0';
            if ((kept < size && field->type != FLOW_NEVER && field->type != FLOW_TRANSIT) ||
                !parse_field(text, field, &read)) {
                err_set(err, ERR_DOCUMENT, "", "`%s` is not a value of `%s`", text, field->name);
                err_at(err, NULL, 1, (int)(p - line) + 1);
                return false;
            }
            read.present |= UINT64_C(1) << (field - flow_fields);
        }
        p += size;
        p += strspn(p, " ");
    }
    if (*p && *p != '\n' && *p != '\r') {
        err_set(err, ERR_DOCUMENT, "", "the record goes on after its %zu fields", format->n);
        err_at(err, NULL, 1, (int)(p - line) + 1);
        return false;
    }
    *record = read;
    return true;
}

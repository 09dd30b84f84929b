/* The kind row of hosted zones and the questions about one; the operations are in hosted_zone_ops.c. */
#include "netsim/model/hosted_zone.h"

#include <ctype.h>
#include <stdio.h>
#include "netsim/model/internal.h"

static const struct field value_fields[] = {
    FIELD(struct dns_value, "Value", FIELD_STRING, value, 0),
    FIELD_END,
};
const struct field dns_record_fields[] = {
    FIELD(struct dns_record_set, "Name", FIELD_STRING, name, 0),
    FIELD(struct dns_record_set, "Type", FIELD_STRING, type, 0),
    FIELD(struct dns_record_set, "SetIdentifier", FIELD_STRING, set_identifier, 0),
    FIELD(struct dns_record_set, "Weight", FIELD_DOCUMENT, weight, 0),
    FIELD(struct dns_record_set, "Region", FIELD_DOCUMENT, region, 0),
    FIELD(struct dns_record_set, "GeoLocation", FIELD_DOCUMENT, geo, 0),
    FIELD(struct dns_record_set, "Failover", FIELD_DOCUMENT, failover, 0),
    FIELD(struct dns_record_set, "MultiValueAnswer", FIELD_DOCUMENT, multi_value, 0),
    FIELD(struct dns_record_set, "TTL", FIELD_LONG, ttl_s, FIELD_OPTIONAL),
    FIELD_LIST(struct dns_record_set, "ResourceRecords", values, value_fields, 0),
    FIELD(struct dns_record_set, "AliasTarget.HostedZoneId", FIELD_STRING, alias_zone_id, 0),
    FIELD(struct dns_record_set, "AliasTarget.DNSName", FIELD_STRING, alias_name, 0),
    FIELD(struct dns_record_set, "AliasTarget.EvaluateTargetHealth", FIELD_BOOL, alias_health, FIELD_OPTIONAL),
    FIELD(struct dns_record_set, "HealthCheckId", FIELD_DOCUMENT, health_check, 0),
    FIELD(struct dns_record_set, "CidrRoutingConfig", FIELD_DOCUMENT, cidr_routing, 0),
    FIELD(struct dns_record_set, "GeoProximityLocation", FIELD_DOCUMENT, geo_proximity, 0),
    FIELD_END,
};
static const struct field vpc_fields[] = {
    FIELD(struct hosted_zone_vpc, "VPCRegion", FIELD_STRING, region, 0),
    FIELD(struct hosted_zone_vpc, "VPCId", FIELD_STRING, vpc_id, 0),
    FIELD_END,
};
static const struct field zone_fields[] = {
    FIELD(struct hosted_zone, "Id", FIELD_STRING, path, 0),
    FIELD(struct hosted_zone, "Name", FIELD_STRING, name, 0),
    FIELD(struct hosted_zone, "CallerReference", FIELD_STRING, caller_reference, 0),
    FIELD(struct hosted_zone, "Config.Comment", FIELD_STRING, comment, 0),
    FIELD(struct hosted_zone, "Config.PrivateZone", FIELD_BOOL, is_private, 0),
    FIELD_LIST(struct hosted_zone, "VPCs", vpcs, vpc_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct hosted_zone, "VPCAssociationAuthorizations", authorized, vpc_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct hosted_zone, "ResourceRecordSets", records, dns_record_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct hosted_zone, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};

static void
name_normalise(char **name)
{
    char read[DNS_NAME_SIZE];
    if (*name && dns_name_read(*name, read)) {
        str_set(name, read);
    }
}

static void
zone_loaded(struct store *store, void *object)
{
    struct hosted_zone *zone = object;
    (void)store;
    name_normalise(&zone->name);
    for (size_t i = 0; i < zone->records.n; i++) {
        name_normalise(&zone->records.items[i].name);
    }
}

static void
zone_describe(const struct store *store, const void *object, json_t *out)
{
    (void)store;
    json_object_set_new(out, "ResourceRecordSetCount",
                        json_integer((json_int_t)((const struct hosted_zone *)object)->records.n));
}

const struct kind hosted_zone_kind = {
    .name = "hosted-zone",
    .prefix = "",
    .arn_type = "hostedzone/",
    .type = "hostedzone",
    .list = "HostedZones",
    .id_member = "Id",
    .not_found = "NoSuchHostedZone",
    .size = sizeof(struct hosted_zone),
    .fields = zone_fields,
    .loaded = zone_loaded,
    .describe = zone_describe,
};

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* Three octal digits after a backslash are a character: AWS writes `*` as \052. */
static int
character(const char **at)
{
    const char *p = *at;
    if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
        *at += 4;
        return (p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0');
    }
    *at += 1;
    return (unsigned char)*p;
}

bool
dns_name_read(const char *text, char out[static DNS_NAME_SIZE])
{
    size_t n = 0, label = 0;
    for (const char *at = text; *at;) {
        int c = character(&at);
        if (c <= ' ' || c == 127 || n + 2 >= DNS_NAME_SIZE || (c == '.' ? label == 0 : label >= 63)) {
            return false;
        }
        label = c == '.' ? 0 : label + 1;
        out[n++] = (char)tolower(c);
    }
    if (label > 0) {
        out[n++] = '.';
    }
    out[n] = '\0';
    return n > 0;
}

bool
dns_name_within(const char *name, const char *domain)
{
    size_t a = strlen(name), b = strlen(domain);
    return a >= b && strcmp(name + a - b, domain) == 0 && (a == b || name[a - b - 1] == '.');
}

const char *
dns_name_short(const char *name)
{
    static _Thread_local char buffers[8][DNS_NAME_SIZE];
    static _Thread_local unsigned next;
    char *out = buffers[next++ % 8];
    snprintf(out, DNS_NAME_SIZE, "%s", name);
    size_t n = strlen(out);
    if (n > 1 && out[n - 1] == '.') {
        out[n - 1] = '\0';
    }
    return out;
}

bool
hosted_zone_has_vpc(const struct hosted_zone *zone, const char *vpc_id)
{
    for (size_t i = 0; i < zone->vpcs.n; i++) {
        if (str_is(zone->vpcs.items[i].vpc_id, vpc_id)) {
            return true;
        }
    }
    return false;
}

const struct dns_record_set *
hosted_zone_record(const struct hosted_zone *zone, const char *name, const char *type)
{
    for (size_t i = 0; i < zone->records.n; i++) {
        const struct dns_record_set *record = &zone->records.items[i];
        if (str_is(record->name, name) && str_is(record->type, type)) {
            return record;
        }
    }
    return NULL;
}

const struct dns_record_set *
hosted_zone_record_set(const struct hosted_zone *zone, const char *name, const char *type, const char *identifier)
{
    for (size_t i = 0; i < zone->records.n; i++) {
        const struct dns_record_set *record = &zone->records.items[i];
        if (str_is(record->name, name) && str_is(record->type, type) &&
            (identifier ? str_is(record->set_identifier, identifier) : !record->set_identifier)) {
            return record;
        }
    }
    return NULL;
}

json_t *
dns_record_set_json(const struct dns_record_set *record)
{
    json_t *out = json_object();
    fields_print(dns_record_fields, record, false, out);
    if (record->name && strncmp(record->name, "*.", 2) == 0) {
        json_object_set_new(out, "Name", json_sprintf("\\052%s", record->name + 1));
    }
    json_t *alias = json_object_get(out, "AliasTarget");
    if (alias && !json_object_get(alias, "EvaluateTargetHealth")) {
        json_object_set_new(alias, "EvaluateTargetHealth", json_false());
    }
    return out;
}

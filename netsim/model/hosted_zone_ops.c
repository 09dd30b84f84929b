/* Hosted zones: creating, associating, deleting; changing records.
 * Sources: https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHostedZone.html,
 * API_ChangeResourceRecordSets.html, API_AssociateVPCWithHostedZone.html and neighbours,
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html */
#include "netsim/model/hosted_zone.h"
#include "netsim/model/internal.h"
#include "netsim/model/record_routing.h"
#include "netsim/model/resolver_names.h"

#define NS_TTL_S   172800
#define SOA_TTL_S  900
#define VALUES_MAX 400 /* AWS's quota of values in one record */
#define TTL_MAX    2147483647

extern const struct field dns_record_fields[]; /* hosted_zone.c */

static void
record_done(struct dns_record_set *record)
{
    fields_done(dns_record_fields, record);
    *record = (struct dns_record_set){ 0 };
}

/* ---- zones ------------------------------------------------------------------------------------------------------- */

static struct dns_record_set *
first_record(struct hosted_zone *zone, const char *type, int64_t ttl_s)
{
    struct dns_record_set *record = VEC_ADD(&zone->records);
    record->name = xstrdup(zone->name);
    record->type = xstrdup(type);
    record->ttl_s = ttl_s;
    return record;
}

/* The servers that Route 53 names for every private zone. */
static void
first_records(struct hosted_zone *zone)
{
    static const char *const servers[] = { "ns-1536.awsdns-00.co.uk.", "ns-0.awsdns-00.com.", "ns-1024.awsdns-00.org.",
                                           "ns-512.awsdns-00.net." };
    struct dns_record_set *ns = first_record(zone, "NS", NS_TTL_S);
    for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
        VEC_ADD(&ns->values)->value = xstrdup(servers[i]);
    }
    VEC_ADD(&first_record(zone, "SOA", SOA_TTL_S)->values)->value =
        xasprintf("%s awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400", servers[0]);
}

/* The VPC, unless it has another private zone of that name. */
static const struct vpc *
vpc_for_zone(const struct network *net, const char *name, const char *vpc_id, const char *region, struct err *err)
{
    const struct vpc *vpc = vpc_id ? store_get(net->store, &vpc_kind, vpc_id) : NULL;
    if (!vpc || (region && strcmp(vpc->obj.region, region) != 0)) {
        err_set(err, ERR_INPUT, "InvalidVPCId", "the VPC `%s` does not exist in %s", vpc_id ? vpc_id : "",
                region ? region : net->region);
        return NULL;
    }
    for (const struct hosted_zone *z = store_first(net->store, &hosted_zone_kind); z; z = store_next(net->store, z)) {
        if (z->is_private && str_is(z->name, name) && hosted_zone_has_vpc(z, vpc_id)) {
            err_set(err, ERR_INPUT, "ConflictingDomainExists",
                    "the VPC `%s` is associated with the hosted zone `%s`, which has the same name `%s`", vpc_id,
                    z->obj.id, dns_name_short(name));
            return NULL;
        }
    }
    return vpc;
}

static void
add_vpc(struct hosted_zone *zone, const struct vpc *vpc)
{
    struct hosted_zone_vpc *association = VEC_ADD(&zone->vpcs);
    association->vpc_id = xstrdup(vpc->obj.id);
    association->region = xstrdup(vpc->obj.region);
}

struct hosted_zone *
hosted_zone_create(struct network *net, const char *name, const char *caller_reference, const char *comment,
                   const char *vpc_id, const char *vpc_region, struct err *err)
{
    char read[DNS_NAME_SIZE], id[ID_SIZE];
    if (!name || !dns_name_read(name, read) || strncmp(read, "*.", 2) == 0) {
        err_set(err, ERR_INPUT, "InvalidDomainName", "`%s` is no domain name", name ? name : "");
        return NULL;
    }
    for (const struct hosted_zone *z = store_first(net->store, &hosted_zone_kind); z; z = store_next(net->store, z)) {
        if (str_is(z->caller_reference, caller_reference) && strcmp(z->obj.account, net->account) == 0) {
            err_set(err, ERR_INPUT, "HostedZoneAlreadyExists",
                    "a hosted zone was created with the caller reference `%s`", caller_reference);
            err_hint(err, "it is `%s`; another reference makes another zone", z->obj.id);
            return NULL;
        }
    }
    const struct vpc *vpc = vpc_id ? vpc_for_zone(net, read, vpc_id, vpc_region, err) : NULL;
    if (vpc_id && !vpc) {
        return NULL;
    }
    id_new_iam(net->ids, "Z", id);
    struct hosted_zone *zone = network_add(net, &hosted_zone_kind, id);
    zone->path = xasprintf("/hostedzone/%s", id);
    zone->name = xstrdup(read);
    zone->caller_reference = xstrdup(caller_reference ? caller_reference : "");
    zone->comment = comment ? xstrdup(comment) : NULL;
    zone->is_private = vpc != NULL;
    first_records(zone);
    if (vpc) {
        add_vpc(zone, vpc);
    }
    return zone;
}

bool
hosted_zone_delete(struct network *net, struct hosted_zone *zone, struct err *err)
{
    for (size_t i = 0; i < zone->records.n; i++) {
        const struct dns_record_set *r = &zone->records.items[i];
        if (!str_is(r->name, zone->name) || !(str_is(r->type, "NS") || str_is(r->type, "SOA"))) {
            err_set(err, ERR_INPUT, "HostedZoneNotEmpty", "`%s` has records beside its NS and SOA: %s %s", zone->obj.id,
                    dns_name_short(r->name), r->type);
            return err_hint(err, "delete them first: change-resource-record-sets");
        }
    }
    network_remove(net, zone);
    return true;
}

static bool
is_private_zone(const struct hosted_zone *zone, struct err *err)
{
    return zone->is_private ||
           err_set(err, ERR_INPUT, "PublicZoneVPCAssociation",
                   "`%s` is a public hosted zone: VPCs are associated with private ones", zone->obj.id);
}

static size_t
index_of_vpc(const struct hosted_zone_vpc *vpcs, size_t n, const char *vpc_id)
{
    size_t i = 0;
    while (i < n && !str_is(vpcs[i].vpc_id, vpc_id)) {
        i++;
    }
    return i;
}

static void
association_done(struct hosted_zone_vpc *association)
{
    free(association->region);
    free(association->vpc_id);
}

bool
hosted_zone_associate(struct network *net, struct hosted_zone *zone, const char *vpc_id, const char *region,
                      struct err *err)
{
    if (!is_private_zone(zone, err)) {
        return false;
    }
    const struct vpc *vpc = vpc_for_zone(net, zone->name, vpc_id, region, err);
    if (!vpc) {
        return false;
    }
    if (strcmp(vpc->obj.account, zone->obj.account) != 0 &&
        index_of_vpc(zone->authorized.items, zone->authorized.n, vpc_id) == zone->authorized.n) {
        err_set(err, ERR_INPUT, "NotAuthorizedException",
                "the owner of `%s` has not authorized the VPC `%s` of account %s", zone->obj.id, vpc_id,
                vpc->obj.account);
        return err_hint(err,
                        "its owner first: route53 create-vpc-association-authorization --hosted-zone-id %s "
                        "--vpc VPCRegion=%s,VPCId=%s",
                        zone->obj.id, vpc->obj.region, vpc_id);
    }
    add_vpc(zone, vpc);
    network_touch(net);
    return true;
}

bool
hosted_zone_disassociate(struct network *net, struct hosted_zone *zone, const char *vpc_id, struct err *err)
{
    size_t i = index_of_vpc(zone->vpcs.items, zone->vpcs.n, vpc_id);
    if (i == zone->vpcs.n) {
        return err_set(err, ERR_INPUT, "VPCAssociationNotFound", "the VPC `%s` is not associated with `%s`", vpc_id,
                       zone->obj.id);
    }
    if (zone->vpcs.n == 1) {
        err_set(err, ERR_INPUT, "LastVPCAssociation", "`%s` is the last VPC of the private hosted zone `%s`", vpc_id,
                zone->obj.id);
        return err_hint(err, "associate another VPC first, or delete the zone");
    }
    association_done(&zone->vpcs.items[i]);
    VEC_REMOVE(&zone->vpcs, i);
    network_touch(net);
    return true;
}

bool
hosted_zone_authorize(struct network *net, struct hosted_zone *zone, const char *vpc_id, const char *region,
                      struct err *err)
{
    if (!is_private_zone(zone, err)) {
        return false;
    }
    if (index_of_vpc(zone->authorized.items, zone->authorized.n, vpc_id) == zone->authorized.n) {
        struct hosted_zone_vpc *added = VEC_ADD(&zone->authorized);
        added->vpc_id = xstrdup(vpc_id);
        added->region = xstrdup(region);
    }
    network_touch(net);
    return true;
}

bool
hosted_zone_unauthorize(struct network *net, struct hosted_zone *zone, const char *vpc_id, struct err *err)
{
    size_t i = index_of_vpc(zone->authorized.items, zone->authorized.n, vpc_id);
    if (i == zone->authorized.n) {
        return err_set(err, ERR_INPUT, "VPCAssociationAuthorizationNotFound", "the VPC `%s` is not authorized for `%s`",
                       vpc_id, zone->obj.id);
    }
    association_done(&zone->authorized.items[i]);
    VEC_REMOVE(&zone->authorized, i);
    network_touch(net);
    return true;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static bool
is_ipv4(const char *value)
{
    struct ip ip;
    return ip_parse(value, &ip) && ip.family == IP_V4;
}

static bool
is_ipv6(const char *value)
{
    struct ip ip;
    return ip_parse(value, &ip) && ip.family == IP_V6;
}

static bool
is_name(const char *value)
{
    char read[DNS_NAME_SIZE];
    return dns_name_read(value, read);
}

static bool
is_quoted(const char *value)
{
    size_t n = strlen(value);
    return n >= 2 && value[0] == '"' && value[n - 1] == '"';
}

/* "10 mail.example.com", "1 10 5269 xmpp.example.com": numbers, then a name. */
static bool
numbers_and_name(const char *value, size_t n_numbers)
{
    for (size_t i = 0; i < n_numbers; i++) {
        size_t digits = strspn(value, "0123456789");
        if (!digits || digits > 5 || value[digits] != ' ') {
            return false;
        }
        value += digits + strspn(value + digits, " ");
    }
    return is_name(value);
}

static bool
is_mail(const char *value)
{
    return numbers_and_name(value, 1);
}

static bool
is_service(const char *value)
{
    return numbers_and_name(value, 3);
}

static const struct type_row {
    const char *type;
    bool (*valid)(const char *value); /* NULL: not looked at */
    const char *form;
    bool one; /* a single value */
} type_rows[] = {
    { "A", is_ipv4, "an IPv4 address", false },
    { "AAAA", is_ipv6, "an IPv6 address", false },
    { "CNAME", is_name, "a domain name", true },
    { "NS", is_name, "a domain name", false },
    { "PTR", is_name, "a domain name", false },
    { "MX", is_mail, "a priority and a domain name", false },
    { "SRV", is_service, "priority, weight, port and a domain name", false },
    { "TXT", is_quoted, "text in double quotes", false },
    { "SPF", is_quoted, "text in double quotes", false },
    { "SOA", NULL, NULL, true },
    { "CAA", NULL, NULL, false },
    { "NAPTR", NULL, NULL, false },
    { "DS", NULL, NULL, false },
    { "TLSA", NULL, NULL, false },
    { "SSHFP", NULL, NULL, false },
    { "SVCB", NULL, NULL, false },
    { "HTTPS", NULL, NULL, false },
};

#define BAD(...) err_set(err, ERR_INPUT, "InvalidChangeBatch", __VA_ARGS__)

static bool
has_value(const struct dns_record_set *record, const char *value)
{
    for (size_t i = 0; i < record->values.n; i++) {
        if (str_is(record->values.items[i].value, value)) {
            return true;
        }
    }
    return false;
}

static bool
check_values(const struct dns_record_set *record, const struct type_row *row, struct err *err)
{
    if (record->values.n == 0 || record->values.n > VALUES_MAX || (row->one && record->values.n > 1)) {
        return BAD("a %s record takes %s, not %zu values", row->type, row->one ? "one value" : "1 to 400 values",
                   record->values.n);
    }
    for (size_t i = 0; i < record->values.n; i++) {
        const char *value = record->values.items[i].value;
        if (str_empty(value) || (row->valid && !row->valid(value))) {
            return BAD("`%s` is not %s, the value of a %s record", value ? value : "", row->form ? row->form : "text",
                       row->type);
        }
        for (size_t k = 0; k < i; k++) {
            if (str_is(record->values.items[k].value, value)) {
                return BAD("duplicate resource record: `%s`", value);
            }
        }
    }
    return true;
}

static bool
check_alias(const struct dns_record_set *record, struct err *err)
{
    if (record->values.n || record->ttl_s) {
        return BAD("an alias takes neither ResourceRecords nor TTL: `%s`", dns_name_short(record->name));
    }
    if (str_empty(record->alias_zone_id) || str_empty(record->alias_name) || !is_name(record->alias_name)) {
        return BAD("an alias needs HostedZoneId and DNSName of its target");
    }
    return str_is(record->type, "NS") || str_is(record->type, "SOA")
               ? BAD("a record of type %s cannot be an alias", record->type)
               : true;
}

/* Reads and checks what is there in the record itself. */
static bool
read_record(const struct hosted_zone *zone, const json_t *json, struct dns_record_set *record, struct err *err)
{
    char name[DNS_NAME_SIZE];
    if (json_object_get(json, "TrafficPolicyInstanceId")) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab models no traffic policies");
    }
    if (!fields_load(dns_record_fields, record, json, "ResourceRecordSet", NULL, err)) {
        return false;
    }
    if (!record->name || !dns_name_read(record->name, name) || !dns_name_within(name, zone->name)) {
        return BAD("the name `%s` is not in the zone `%s`", record->name ? record->name : "",
                   dns_name_short(zone->name));
    }
    str_set(&record->name, name);
    const struct type_row *row = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(type_rows); i++) {
        row = str_is(type_rows[i].type, record->type) ? &type_rows[i] : row;
    }
    if (!row) {
        return BAD("`%s` is no type of record", record->type ? record->type : "");
    }
    if (!record_policy_check(zone, record, err)) {
        return false;
    }
    if (json_object_get(json, "AliasTarget")) {
        return check_alias(record, err);
    }
    if (!json_object_get(json, "TTL") || record->ttl_s < 0 || record->ttl_s > TTL_MAX) {
        return BAD("the record `%s` needs a TTL of 0 to %d seconds", dns_name_short(name), TTL_MAX);
    }
    return check_values(record, row, err);
}

static bool
same_record(const struct dns_record_set *a, const struct dns_record_set *b)
{
    if (a->values.n != b->values.n || a->ttl_s != b->ttl_s || !a->alias_name != !b->alias_name) {
        return false;
    }
    json_t *const pairs[][2] = { { a->weight, b->weight },     { a->region, b->region },
                                 { a->failover, b->failover }, { a->multi_value, b->multi_value },
                                 { a->geo, b->geo },           { a->health_check, b->health_check } };
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        if (pairs[i][0] != pairs[i][1] && !json_equal(pairs[i][0], pairs[i][1])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->values.n; i++) {
        if (!has_value(b, a->values.items[i].value)) {
            return false;
        }
    }
    char x[DNS_NAME_SIZE], y[DNS_NAME_SIZE];
    return !a->alias_name || (dns_name_read(a->alias_name, x) && dns_name_read(b->alias_name, y) && strcmp(x, y) == 0 &&
                              str_is(a->alias_zone_id, b->alias_zone_id));
}

/* A CNAME stands alone, and not at the top of the zone, where NS and SOA stand. */
static bool
check_neighbours(const struct hosted_zone *zone, const struct dns_record_set *record, struct err *err)
{
    bool cname = str_is(record->type, "CNAME");
    if (cname && str_is(record->name, zone->name)) {
        BAD("a CNAME is not permitted at the top of the zone `%s`", dns_name_short(zone->name));
        return err_hint(err, "an alias is: AliasTarget");
    }
    for (size_t i = 0; i < zone->records.n; i++) {
        const struct dns_record_set *other = &zone->records.items[i];
        if (str_is(other->name, record->name) && !str_is(other->type, record->type) &&
            (cname || str_is(other->type, "CNAME"))) {
            return BAD("a CNAME stands alone, and `%s` would have %s and %s", dns_name_short(record->name), other->type,
                       record->type);
        }
    }
    return true;
}

static bool
delete_record(struct hosted_zone *zone, const struct dns_record_set *record, struct err *err)
{
    struct dns_record_set *there =
        (struct dns_record_set *)hosted_zone_record_set(zone, record->name, record->type, record->set_identifier);
    if (!there) {
        return BAD("tried to delete the record `%s` %s but it was not found", dns_name_short(record->name),
                   record->type);
    }
    if (str_is(record->name, zone->name) && (str_is(record->type, "NS") || str_is(record->type, "SOA"))) {
        return BAD("a hosted zone keeps its own %s record", record->type);
    }
    if (!same_record(there, record)) {
        return BAD("tried to delete the record `%s` %s but the values given are not those it has",
                   dns_name_short(record->name), record->type);
    }
    record_done(there);
    VEC_REMOVE(&zone->records, (size_t)(there - zone->records.items));
    return true;
}

bool
hosted_zone_change(struct network *net, struct hosted_zone *zone, const char *action, const json_t *json,
                   struct err *err)
{
    struct dns_record_set record = { 0 };
    bool ok = read_record(zone, json, &record, err);
    if (ok && strcmp(action, "DELETE") == 0) {
        ok = delete_record(zone, &record, err);
    } else if (ok) {
        struct dns_record_set *there =
            (struct dns_record_set *)hosted_zone_record_set(zone, record.name, record.type, record.set_identifier);
        if (there && strcmp(action, "CREATE") == 0) {
            BAD("tried to create the record `%s` %s but it already exists", dns_name_short(record.name), record.type);
            ok = err_hint(err, "the action UPSERT replaces it");
        }
        ok = ok && (there || check_neighbours(zone, &record, err));
        if (ok) {
            there = there ? there : VEC_ADD(&zone->records);
            record_done(there);
            *there = record;
            record = (struct dns_record_set){ 0 };
        }
    }
    record_done(&record);
    network_touch(net);
    return ok;
}

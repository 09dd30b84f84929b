/* cloud/ops_route53.c - hosted zones and their records: the names that VPCs know.
 *
 * A zone is named by its id, by "/hostedzone/ID" or by its domain where only one has it.  What the names mean to
 * whoever asks is netsim/model/resolver.h's.
 * Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/hosted_zone.h"

#define PAGE_MAX 300 /* AWS's most of one page */

static const struct store *
zones(const struct op_call *call)
{
    return network_store(ec2_net(call));
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static struct hosted_zone *
find_zone(const struct op_call *call, const char *member, struct err *err)
{
    const char *id = arg_str(call->in, member);
    struct hosted_zone *zone = store_get(zones(call), &hosted_zone_kind, id);
    if (!zone) {
        err_set(err, ERR_INPUT, "NoSuchHostedZone", "there is no hosted zone `%s`", id);
        err_hint(err, "`route53 list-hosted-zones` shows those there are");
    }
    return zone;
}

/* VPC={VPCRegion,VPCId}. */
static bool
read_vpc(const struct op_call *call, const char **id, const char **region, struct err *err)
{
    const json_t *vpc = json_object_get(call->in, "VPC");
    *id = json_str(vpc, "VPCId");
    *region = json_str(vpc, "VPCRegion");
    return (*id && *region) || err_set(err, ERR_INPUT, "InvalidInput", "a VPC is given by VPCRegion and VPCId") ||
           err_hint(err, "--vpc VPCRegion=%s,VPCId=VPC", call->cloud->region);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* What a lab changes is in force at once, so no change is ever PENDING. */
static void
answer_change(struct op_call *call, const char *comment)
{
    char id[ID_SIZE], now[32];
    id_new_iam(network_ids(ec2_net(call)), "C", id);
    clock_format_ms(network_now_ms(ec2_net(call)), now);
    json_t *change =
        json_pack("{s:o, s:s, s:s}", "Id", json_sprintf("/change/%s", id), "Status", "INSYNC", "SubmittedAt", now);
    if (comment) {
        json_object_set_new(change, "Comment", json_string(comment));
    }
    json_object_set_new(call->out, "ChangeInfo", change);
}

static json_t *
vpc_json(const struct hosted_zone_vpc *vpc)
{
    return json_pack("{s:s, s:s}", "VPCRegion", vpc->region ? vpc->region : "", "VPCId",
                     vpc->vpc_id ? vpc->vpc_id : "");
}

static void
answer_vpcs(struct op_call *call, const struct hosted_zone_vpc *vpcs, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, vpc_json(&vpcs[i]));
    }
    json_object_set_new(call->out, "VPCs", list);
}

static void
answer_servers(struct op_call *call, const struct hosted_zone *zone)
{
    const struct dns_record_set *ns = hosted_zone_record(zone, zone->name, "NS");
    json_t *list = json_array();
    for (size_t i = 0; ns && i < ns->values.n; i++) {
        const char *server = ns->values.items[i].value;
        size_t size = strlen(server);
        json_array_append_new(list, json_stringn(server, size && server[size - 1] == '.' ? size - 1 : size));
    }
    json_object_set_new(call->out, "DelegationSet", json_pack("{s:o}", "NameServers", list));
}

/* How many items a page may have; false: `MaxItems` is no number. */
static bool
read_page_size(const struct op_call *call, size_t *size, struct err *err)
{
    const char *text = arg_str(call->in, "MaxItems");
    *size = text ? strtoul(text, NULL, 10) : 100;
    if (text && (strspn(text, "0123456789") != strlen(text) || *size < 1)) {
        return err_set(err, ERR_INPUT, "InvalidInput", "`%s` is no number of items", text);
    }
    *size = *size > PAGE_MAX ? PAGE_MAX : *size;
    json_object_set_new(call->out, "MaxItems", json_sprintf("%zu", *size));
    return true;
}

/* ---- zones ------------------------------------------------------------------------------------------------------- */

static bool
create_zone(struct op_call *call, struct err *err)
{
    const json_t *config = json_object_get(call->in, "HostedZoneConfig");
    const char *vpc_id = NULL, *region = NULL;
    bool vpc = json_object_get(call->in, "VPC") != NULL;
    if ((vpc && !read_vpc(call, &vpc_id, &region, err))) {
        return false;
    }
    if (json_flag(config, "PrivateZone", vpc) != vpc) {
        err_set(err, ERR_INPUT, "InvalidInput",
                vpc ? "a hosted zone with a VPC is private" : "a private hosted zone is created with its first VPC");
        return err_hint(err, vpc ? "leave PrivateZone out" : "--vpc VPCRegion=%s,VPCId=VPC", call->cloud->region);
    }
    struct hosted_zone *zone =
        hosted_zone_create(ec2_net(call), arg_str(call->in, "Name"), arg_str(call->in, "CallerReference"),
                           json_str(config, "Comment"), vpc_id, region, err);
    if (!zone) {
        return false;
    }
    ec2_answer(call, "HostedZone", zone);
    answer_change(call, NULL);
    if (zone->is_private) {
        json_object_set_new(call->out, "VPC", vpc_json(&zone->vpcs.items[0]));
    } else {
        answer_servers(call, zone);
    }
    json_object_set_new(call->out, "Location",
                        json_sprintf("https://route53.amazonaws.com/2013-04-01/hostedzone/%s", zone->obj.id));
    return true;
}

static bool
get_zone(struct op_call *call, struct err *err)
{
    const struct hosted_zone *zone = find_zone(call, "Id", err);
    if (!zone) {
        return false;
    }
    ec2_answer(call, "HostedZone", zone);
    if (zone->is_private) {
        answer_vpcs(call, zone->vpcs.items, zone->vpcs.n);
    } else {
        answer_servers(call, zone);
    }
    return true;
}

static bool
delete_zone(struct op_call *call, struct err *err)
{
    struct hosted_zone *zone = find_zone(call, "Id", err);
    if (!zone || !hosted_zone_delete(ec2_net(call), zone, err)) {
        return false;
    }
    answer_change(call, NULL);
    return true;
}

static bool
is_own(const struct op_call *call, const struct hosted_zone *zone)
{
    return strcmp(zone->obj.account, call->cloud->account) == 0;
}

static bool
list_zones(struct op_call *call, struct err *err)
{
    const char *marker = arg_str(call->in, "Marker"), *type = arg_str(call->in, "HostedZoneType");
    size_t size, n = 0;
    if (!read_page_size(call, &size, err)) {
        return false;
    }
    json_t *list = json_array();
    const struct hosted_zone *next = NULL;
    bool begun = !marker;
    for (const struct hosted_zone *z = store_first(zones(call), &hosted_zone_kind); z && !next;
         z = store_next(zones(call), z)) {
        begun = begun || strcmp(z->obj.id, kind_id(&hosted_zone_kind, marker)) == 0;
        if (!begun || !is_own(call, z) || (type && strcmp(type, "PrivateHostedZone") == 0 && !z->is_private)) {
            continue;
        }
        if (n++ < size) {
            json_array_append_new(list, object_describe(zones(call), z));
        } else {
            next = z;
        }
    }
    if (!begun) {
        json_decref(list);
        return err_set(err, ERR_INPUT, "NoSuchHostedZone", "no hosted zone `%s` to go on from", marker);
    }
    json_object_set_new(call->out, "HostedZones", list);
    json_object_set_new(call->out, "IsTruncated", json_boolean(next));
    if (marker) {
        json_object_set_new(call->out, "Marker", json_string(marker));
    }
    if (next) {
        json_object_set_new(call->out, "NextMarker", json_string(next->obj.id));
    }
    return true;
}

/* Zones that answer in a VPC, with whose they are; the private DNS of endpoints is a zone of AWS's own. */
static bool
list_zones_by_vpc(struct op_call *call, struct err *err)
{
    const char *vpc_id = arg_str(call->in, "VPCId"), *token = arg_str(call->in, "NextToken");
    const struct object *vpc = store_find(network_store(ec2_net(call)), vpc_id);
    size_t size, n = 0, start = token ? strtoul(token, NULL, 10) : 0;
    if (!vpc || strcmp(vpc->region, arg_str(call->in, "VPCRegion")) != 0) {
        return err_set(err, ERR_INPUT, "InvalidInput", "the VPC `%s` does not exist in %s", vpc_id,
                       arg_str(call->in, "VPCRegion"));
    }
    if (token && strspn(token, "0123456789") != strlen(token)) {
        return err_set(err, ERR_INPUT, "InvalidPaginationToken", "`%.60s` is no token of this list", token);
    }
    if (!read_page_size(call, &size, err)) {
        return false;
    }
    json_t *list = json_array();
    for (const struct hosted_zone *z = store_first(zones(call), &hosted_zone_kind); z; z = store_next(zones(call), z)) {
        if (!z->is_private || !hosted_zone_has_vpc(z, vpc_id)) {
            continue;
        }
        if (n >= start && n < start + size) {
            json_array_append_new(list, json_pack("{s:s, s:s, s:{s:s}}", "HostedZoneId", z->obj.id, "Name", z->name,
                                                  "Owner", "OwningAccount", z->obj.account));
        }
        n++;
    }
    json_object_set_new(call->out, "HostedZoneSummaries", list);
    if (n > start + size) {
        json_object_set_new(call->out, "NextToken", json_sprintf("%zu", start + size));
    }
    return true;
}

/* ---- VPCs of a zone ---------------------------------------------------------------------------------------------- */

static bool
change_vpc(struct op_call *call, struct err *err)
{
    const char *id, *region;
    struct hosted_zone *zone = find_zone(call, "HostedZoneId", err);
    if (!zone || !read_vpc(call, &id, &region, err)) {
        return false;
    }
    bool joins = strcmp(call->op->name, "AssociateVPCWithHostedZone") == 0;
    if (joins ? !hosted_zone_associate(ec2_net(call), zone, id, region, err)
              : !hosted_zone_disassociate(ec2_net(call), zone, id, err)) {
        return false;
    }
    answer_change(call, arg_str(call->in, "Comment"));
    return true;
}

static bool
authorize(struct op_call *call, struct err *err)
{
    const char *id, *region;
    struct hosted_zone *zone = find_zone(call, "HostedZoneId", err);
    if (!zone || !read_vpc(call, &id, &region, err) || !hosted_zone_authorize(ec2_net(call), zone, id, region, err)) {
        return false;
    }
    json_object_set_new(call->out, "HostedZoneId", json_string(zone->obj.id));
    json_object_set(call->out, "VPC", json_object_get(call->in, "VPC"));
    return true;
}

static bool
unauthorize(struct op_call *call, struct err *err)
{
    const char *id, *region;
    struct hosted_zone *zone = find_zone(call, "HostedZoneId", err);
    return zone && read_vpc(call, &id, &region, err) && hosted_zone_unauthorize(ec2_net(call), zone, id, err);
}

static bool
list_authorizations(struct op_call *call, struct err *err)
{
    const struct hosted_zone *zone = find_zone(call, "HostedZoneId", err);
    if (!zone) {
        return false;
    }
    json_object_set_new(call->out, "HostedZoneId", json_string(zone->obj.id));
    answer_vpcs(call, zone->authorized.items, zone->authorized.n);
    return true;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static bool
change_records(struct op_call *call, struct err *err)
{
    struct hosted_zone *zone = find_zone(call, "HostedZoneId", err);
    const json_t *batch = json_object_get(call->in, "ChangeBatch"), *changes = json_object_get(batch, "Changes");
    if (!zone) {
        return false;
    }
    if (json_array_size(changes) == 0) {
        return err_set(err, ERR_INPUT, "InvalidInput", "a change batch has at least one change");
    }
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        if (!hosted_zone_change(ec2_net(call), zone, json_str(change, "Action"),
                                json_object_get(change, "ResourceRecordSet"), err)) {
            char where[64];
            snprintf(where, sizeof where, "ChangeBatch.Changes[%zu]", i);
            return err_at(err, where, 0, 0);
        }
    }
    answer_change(call, json_str(batch, "Comment"));
    return true;
}

/* AWS's order: by name, its labels from the last to the first, then by type. */
static int
compare_names(const char *a, const char *b)
{
    const char *x = a + strlen(a), *y = b + strlen(b);
    while (x > a && y > b) {
        const char *i = x - 1, *k = y - 1; /* before the dot that ends a label */
        while (i > a && i[-1] != '.') {
            i--;
        }
        while (k > b && k[-1] != '.') {
            k--;
        }
        size_t n = (size_t)(x - i), m = (size_t)(y - k);
        int order = memcmp(i, k, n < m ? n : m);
        if (order || n != m) {
            return order ? order : n < m ? -1 : 1;
        }
        x = i;
        y = k;
    }
    return x > a ? 1 : y > b ? -1 : 0;
}

static int
compare_records(const void *a, const void *b)
{
    const struct dns_record_set *x = *(const struct dns_record_set *const *)a,
                                *y = *(const struct dns_record_set *const *)b;
    int order = compare_names(x->name, y->name);
    order = order ? order : strcmp(x->type, y->type);
    return order ? order
                 : strcmp(x->set_identifier ? x->set_identifier : "", y->set_identifier ? y->set_identifier : "");
}

static bool
list_records(struct op_call *call, struct err *err)
{
    const struct hosted_zone *zone = find_zone(call, "HostedZoneId", err);
    const char *start = arg_str(call->in, "StartRecordName"), *type = arg_str(call->in, "StartRecordType");
    char name[DNS_NAME_SIZE] = "";
    size_t size, n = 0;
    const char *identifier = arg_str(call->in, "StartRecordIdentifier");
    if (!zone || !read_page_size(call, &size, err)) {
        return false;
    }
    if (identifier && !type) {
        return err_set(err, ERR_INPUT, "InvalidInput", "an identifier to start at needs a name and a type: `%s`",
                       identifier);
    }
    if ((start && !dns_name_read(start, name)) || (type && !start)) {
        return err_set(err, ERR_INPUT, "InvalidInput",
                       start ? "`%s` is no domain name" : "a type to start at needs a name: `%s`",
                       start ? start : type);
    }
    const struct dns_record_set **sorted = xcalloc(zone->records.n + 1, sizeof *sorted);
    for (size_t i = 0; i < zone->records.n; i++) {
        sorted[i] = &zone->records.items[i];
    }
    qsort(sorted, zone->records.n, sizeof *sorted, compare_records);
    json_t *list = json_array();
    const struct dns_record_set *next = NULL;
    for (size_t i = 0; i < zone->records.n && !next; i++) {
        int order = start ? compare_names(sorted[i]->name, name) : 1;
        int later = order == 0 && type ? strcmp(sorted[i]->type, type) : order;
        const char *own = sorted[i]->set_identifier;
        if (later < 0 || (later == 0 && order == 0 && identifier && strcmp(own ? own : "", identifier) < 0)) {
            continue;
        }
        if (n++ < size) {
            json_array_append_new(list, dns_record_set_json(sorted[i]));
        } else {
            next = sorted[i];
        }
    }
    json_object_set_new(call->out, "ResourceRecordSets", list);
    json_object_set_new(call->out, "IsTruncated", json_boolean(next));
    if (next) {
        json_object_set_new(call->out, "NextRecordName", json_string(next->name));
        json_object_set_new(call->out, "NextRecordType", json_string(next->type));
        if (next->set_identifier) {
            json_object_set_new(call->out, "NextRecordIdentifier", json_string(next->set_identifier));
        }
    }
    free(sorted);
    return true;
}

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "route53", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_        \
    }
const struct op ops_route53[] = {
    ROW("CreateHostedZone", OP_WRITE, create_zone, NULL,
        "Create a hosted zone: with --vpc a private one, whose names only its VPCs know."),
    ROW("GetHostedZone", OP_READ, get_zone, NULL, "Show a hosted zone and the VPCs that know it."),
    ROW("DeleteHostedZone", OP_WRITE, delete_zone, NULL, "Delete a hosted zone that has no records of its own."),
    ROW("ListHostedZones", OP_READ, list_zones, NULL, "List the hosted zones of the account."),
    ROW("ListHostedZonesByVPC", OP_READ, list_zones_by_vpc, NULL, "List the private hosted zones that a VPC knows."),
    ROW("AssociateVPCWithHostedZone", OP_WRITE, change_vpc, NULL, "Let a further VPC know a private hosted zone."),
    ROW("DisassociateVPCFromHostedZone", OP_WRITE, change_vpc, NULL, "Take a private hosted zone from a VPC."),
    ROW("CreateVPCAssociationAuthorization", OP_WRITE, authorize, NULL,
        "Allow a VPC of another account to be associated with a private hosted zone."),
    ROW("DeleteVPCAssociationAuthorization", OP_WRITE, unauthorize, NULL,
        "Take back what create-vpc-association-authorization allowed."),
    ROW("ListVPCAssociationAuthorizations", OP_READ, list_authorizations, NULL,
        "List the VPCs of other accounts that may be associated with a hosted zone."),
    ROW("ChangeResourceRecordSets", OP_WRITE, change_records, NULL,
        "Create, replace or delete records of a hosted zone, all of the batch or none."),
    ROW("ListResourceRecordSets", OP_READ, list_records, NULL, "List the records of a hosted zone."),
    { 0 },
};

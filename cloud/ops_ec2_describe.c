/* cloud/ops_ec2_describe.c - describe-* for every kind, from its row; zones, regions and account attributes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2.h"
#include "cloud/sharing.h"
#include "netsim/model/peering.h"
#include "base/clock.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"

/* ---- pages ------------------------------------------------------------------------------------------------------- */

/* A token is the key of the last item given, in hexadecimal: it goes on being right when the list grows or shrinks. */
static char *
token_of(const char *key)
{
    struct buf token = { 0 };
    for (; *key; key++) {
        buf_printf(&token, "%02x", (unsigned char)*key);
    }
    return buf_steal(&token);
}

static char *
item_key(const json_t *item, const char *members)
{
    size_t first = strcspn(members, " ");
    char *name = xstrndup(members, first);
    const char *a = json_str(item, name), *b = members[first] ? json_str(item, members + first + 1) : NULL;
    char *key = xasprintf("%s%s%s", a ? a : "", b ? " " : "", b ? b : "");
    free(name);
    return key;
}

/* The index after the item that the token names; the list's size + 1 if there is none. */
static size_t
start_of_page(const json_t *list, const char *members, const char *token)
{
    size_t n = json_array_size(list), at = n + 1;
    for (size_t i = 0; i < n && at > n; i++) {
        char *key = item_key(json_array_get(list, i), members), *own = token_of(key);
        if (strcmp(own, token) == 0) {
            at = i + 1;
        }
        free(own);
        free(key);
    }
    return at;
}

bool
ec2_answer_page(struct op_call *call, const char *member, json_t *list, const char *key, struct err *err)
{
    const char *token = arg_str(call->in, "NextToken");
    size_t n = json_array_size(list), start = token && token[0] ? start_of_page(list, key, token) : 0;
    size_t most = (size_t)arg_int(call->in, "MaxResults", (long long)n + 1);
    if (start > n) {
        json_decref(list);
        err_set(err, ERR_INPUT, "InvalidPaginationToken", "the pagination token `%.80s` is not valid", token);
        err_hint(err, "give the NextToken of the page before, or none to begin again");
        return err_at(err, "NextToken", 0, 0);
    }
    if (start > 0 || most < n) {
        json_t *page = json_array();
        for (size_t i = start; i < n && i - start < most; i++) {
            json_array_append(page, json_array_get(list, i));
        }
        size_t next = start + json_array_size(page);
        if (next < n) {
            char *last = item_key(json_array_get(list, next - 1), key), *text = token_of(last);
            json_object_set_new(call->out, "NextToken", json_string(text));
            free(text);
            free(last);
        }
        json_decref(list);
        list = page;
    }
    json_object_set_new(call->out, member, list);
    return true;
}

/* ---- any kind ---------------------------------------------------------------------------------------------------- */

/* DescribeVpcs: "Vpcs"; DescribeManagedPrefixLists: "PrefixLists". */
const struct kind *
ec2_described_kind(const struct op *op)
{
    if (strncmp(op->name, "Describe", strlen("Describe")) != 0) {
        return NULL;
    }
    const char *list = op->name + strlen("Describe");
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        if (strcmp((*kind)->list, list) == 0) {
            return *kind;
        }
    }
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        size_t length = strlen(list), ours = strlen((*kind)->list);
        if (length >= ours && strcmp(list + length - ours, (*kind)->list) == 0) {
            return *kind;
        }
    }
    return NULL;
}

/* Other ways than ids to name what is to be described. */
static const struct other_names {
    const char *argument, *member, *not_found, *what;
} other_names[] = {
    { "PublicIps", "PublicIp", "InvalidAddress.NotFound", "address" },
    { "GroupNames", "GroupName", "InvalidGroup.NotFound", "security group" },
};

/* Arguments that narrow the list further: what the member must be, or the time it must not be before or after. */
static const struct narrowing {
    const char *argument, *member;
    enum { SAME, NOT_BEFORE, NOT_AFTER } how;
} narrowings[] = {
    { "NetworkInsightsPathId", "NetworkInsightsPathId", SAME },
    { "NetworkInsightsAccessScopeId", "NetworkInsightsAccessScopeId", SAME },
    { "AnalysisStartTime", "StartDate", NOT_BEFORE },
    { "AnalysisEndTime", "StartDate", NOT_AFTER },
    { "AnalysisStartTimeBegin", "StartDate", NOT_BEFORE },
    { "AnalysisStartTimeEnd", "StartDate", NOT_AFTER },
};

static bool
narrowed_out(const struct op_call *call, const json_t *described)
{
    bool out = false;
    for (size_t i = 0; i < ARRAY_SIZE(narrowings); i++) {
        const char *asked = arg_str(call->in, narrowings[i].argument), *own = json_str(described, narrowings[i].member);
        int64_t wanted, is;
        if (!asked || narrowings[i].how == SAME) {
            out |= asked && (!own || strcmp(asked, own) != 0);
        } else if (clock_parse(asked, &wanted)) {
            out |= !own || !clock_parse(own, &is) || (narrowings[i].how == NOT_BEFORE ? is < wanted : is > wanted);
        }
    }
    return out;
}

static bool
list_has(const json_t *list, const char *text)
{
    for (size_t i = 0; text && i < json_array_size(list); i++) {
        const char *item = json_string_value(json_array_get(list, i));
        if (item && strcmp(item, text) == 0) {
            return true;
        }
    }
    return false;
}

struct description {
    const struct op_call *call;
    const struct kind *kind;
    const json_t *filters;
    json_t *list;
};

/* The person at the prompt is the root user of every account in the lab, so all of them show; whoever was named (--as)
 * sees what his account may see. */
bool
ec2_shows(const struct op_call *call, const struct object *object)
{
    return !call->cloud->caller || sharing_shows(call->cloud, object);
}

bool
ec2_owns(const struct op_call *call, const struct object *object)
{
    return !call->cloud->caller || strcmp(object->account, call->cloud->account) == 0 ||
           sharing_is_side(object, call->cloud->account);
}

/* A region is a place of its own; a peering connection may be in two. */
static bool
is_in_region(const struct object *object, const char *region)
{
    return object->kind == &peering_kind ? peering_in_region((const struct peering *)(const void *)object, region)
                                         : strcmp(object->region, region) == 0;
}

static void
describe_one(struct description *d, const struct object *object)
{
    if (!is_in_region(object, d->call->cloud->region) || !ec2_shows(d->call, object)) {
        return;
    }
    json_t *described = object_describe(network_store(ec2_net(d->call)), object);
    if (json_object_get(described, "Tags") && !ec2_owns(d->call, object) && strlen(object->account) == 12) {
        json_object_set_new(described, "Tags", json_array()); /* what is shared, is shared without its tags */
    }
    for (size_t i = 0; i < ARRAY_SIZE(other_names); i++) {
        const json_t *names = json_object_get(d->call->in, other_names[i].argument);
        if (json_array_size(names) > 0 && !list_has(names, json_str(described, other_names[i].member))) {
            json_decref(described);
            return;
        }
    }
    if (filters_match(d->kind, d->filters, described) && !narrowed_out(d->call, described)) {
        json_array_append(d->list, described);
    }
    json_decref(described);
}

static bool
describe_ids(struct description *d, const json_t *ids, struct err *err)
{
    if (json_object_get(d->call->in, "MaxResults")) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "the parameter `%s` cannot be used with the parameter `MaxResults`", d->kind->ids_param);
    }
    struct map seen = { 0 };
    bool ok = true;
    for (size_t i = 0; i < json_array_size(ids) && ok; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        const struct object *object = network_require(ec2_net(d->call), d->kind, id, err);
        if (object && !is_in_region(object, d->call->cloud->region)) {
            err_set(err, ERR_INPUT, d->kind->not_found, "the %s ID `%s` does not exist in %s", d->kind->name, id,
                    d->call->cloud->region);
            err_hint(err, "it is in %s: `--region %s`", object->region, object->region);
            object = NULL;
        }
        ok = object != NULL;
        if (object && !map_get(&seen, id)) {
            map_put(&seen, id, (void *)object);
            describe_one(d, object);
        }
    }
    map_done(&seen);
    return ok;
}

static bool
check_other_names(const struct description *d, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(other_names); i++) {
        const struct other_names *row = &other_names[i];
        const json_t *names = json_object_get(d->call->in, row->argument), *filters = d->filters;
        for (size_t k = 0; k < json_array_size(names); k++) {
            const char *name = json_string_value(json_array_get(names, k));
            bool found = false;
            for (size_t j = 0; j < json_array_size(d->list) && !found; j++) {
                const char *own = json_str(json_array_get(d->list, j), row->member);
                found = own && strcmp(own, name) == 0;
            }
            if (!found && json_array_size(filters) == 0) {
                return err_set(err, ERR_INPUT, row->not_found, "the %s `%s` does not exist", row->what, name);
            }
        }
    }
    return true;
}

/* describe-prefix-lists shows the same lists as describe-managed-prefix-lists in an older and smaller shape. */
static json_t *
older_prefix_lists(const struct op_call *call, const json_t *lists)
{
    json_t *older = json_array();
    for (size_t i = 0; i < json_array_size(lists); i++) {
        const json_t *item = json_array_get(lists, i);
        const struct prefix_list *list =
            store_get(network_store(ec2_net(call)), &prefix_list_kind, json_str(item, "PrefixListId"));
        json_t *cidrs = json_array(), *shown = json_object();
        for (size_t k = 0; k < list->entries.n; k++) {
            json_array_append_new(cidrs, json_string(cidr_str(&list->entries.items[k].cidr)));
        }
        json_object_set_new(shown, "Cidrs", cidrs);
        json_object_set(shown, "PrefixListId", json_object_get(item, "PrefixListId"));
        json_object_set(shown, "PrefixListName", json_object_get(item, "PrefixListName"));
        json_array_append_new(older, shown);
    }
    return older;
}

bool
ec2_describe(struct op_call *call, struct err *err)
{
    const struct kind *kind = ec2_described_kind(call->op);
    const json_t *filters = json_object_get(call->in, "Filters"), *ids = json_object_get(call->in, kind->ids_param);
    filters = filters ? filters : json_object_get(call->in, "Filter"); /* as the older operations call it */
    if (!filters_check(kind, filters, err)) {
        return err_at(err, "Filters", 0, 0);
    }
    struct description d = { call, kind, filters, json_array() };
    bool ok = true;
    if (json_array_size(ids) > 0) {
        ok = describe_ids(&d, ids, err);
    } else {
        const struct store *store = network_store(ec2_net(call));
        for (const struct object *object = store_first(store, kind); object; object = store_next(store, object)) {
            describe_one(&d, object);
        }
    }
    if (!ok || !check_other_names(&d, err)) {
        json_decref(d.list);
        return false;
    }
    const char *member = kind->list;
    if (strcmp(call->op->name, "DescribePrefixLists") == 0) {
        json_t *older = older_prefix_lists(call, d.list);
        json_decref(d.list);
        d.list = older;
    }
    if (!ec2_answer_page(call, member, d.list, kind->id_member, err)) {
        return false;
    }
    if (kind == &instance_kind) {
        json_t *reservations = instances_to_reservations(ec2_net(call), json_object_get(call->out, member));
        json_object_del(call->out, member);
        json_object_set_new(call->out, "Reservations", reservations);
    }
    return true;
}

/* ---- what the handlers share ------------------------------------------------------------------------------------- */

void *
ec2_require(const struct op_call *call, const struct kind *kind, const char *name, struct err *err)
{
    const char *id = arg_str(call->in, name);
    if (!id || !id[0]) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `%s`", name);
        return NULL;
    }
    struct object *object = network_require(ec2_net(call), kind, id, err);
    if (object && object->region[0] && !is_in_region(object, call->cloud->region)) {
        err_set(err, ERR_INPUT, kind->not_found, "the %s ID `%s` does not exist in %s", kind->name, id,
                call->cloud->region);
        err_hint(err, "it is in %s: `--region %s`", object->region, object->region);
        object = NULL;
    }
    if (!object) {
        err_at(err, name, 0, 0);
    }
    return object;
}

void
ec2_answer(struct op_call *call, const char *member, const void *object)
{
    json_object_set_new(call->out, member, object_describe(network_store(ec2_net(call)), object));
}

void
ec2_answer_token(struct op_call *call)
{
    json_t *token = json_object_get(call->in, "ClientToken");
    if (token) {
        json_object_set(call->out, "ClientToken", token);
    }
}

static bool
fail_address(const char *name, const char *text, const char *expected, struct err *err)
{
    err_set(err, ERR_INPUT, "InvalidParameterValue", "value (`%.80s`) for parameter `%s` is invalid: this is not %s",
            text, name, expected);
    return err_at(err, name, 0, 0);
}

bool
ec2_cidr(const struct op_call *call, const char *name, int family, bool strict, struct cidr *cidr, struct err *err)
{
    const char *text = arg_str(call->in, name);
    *cidr = (struct cidr){ 0 };
    if (!text) {
        return true;
    }
    bool ok = strict ? cidr_parse(text, cidr) : cidr_parse_loose(text, cidr);
    if (!ok || !strchr(text, '/') || cidr->ip.family != family) {
        struct cidr loose;
        fail_address(name, text, family == IP_V6 ? "a valid IPv6 CIDR block" : "a valid CIDR block", err);
        if (strict && !ok && cidr_parse_loose(text, &loose) && loose.ip.family == family) {
            err_hint(err, "did you mean `%s`?", cidr_str(&loose));
        }
        return false;
    }
    return true;
}

bool
ec2_ip(const struct op_call *call, const char *name, int family, struct ip *ip, struct err *err)
{
    const char *text = arg_str(call->in, name);
    *ip = (struct ip){ 0 };
    if (text && (!ip_parse(text, ip) || ip->family != family)) {
        return fail_address(name, text, family == IP_V6 ? "a valid IPv6 address" : "a valid IPv4 address", err);
    }
    return true;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

#define DESCRIBE(name_, help_)                                                                                         \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = OP_READ, .run = ec2_describe, .help = help_                           \
    }
const struct op ops_ec2_describe[] = {
    DESCRIBE("DescribeVpcs", "Show VPCs: address blocks, tenancy, whether it is the default one."),
    DESCRIBE("DescribeSubnets", "Show subnets: block, zone and how many addresses are left."),
    DESCRIBE("DescribeRouteTables", "Show route tables with their routes and what uses them."),
    DESCRIBE("DescribeInternetGateways", "Show internet gateways and the VPC each is attached to."),
    DESCRIBE("DescribeNatGateways", "Show NAT gateways with their addresses and state."),
    DESCRIBE("DescribeAddresses", "Show Elastic IP addresses and what they are associated with."),
    DESCRIBE("DescribeManagedPrefixLists",
             "Show managed prefix lists; get-managed-prefix-list-entries shows what is in one."),
    DESCRIBE("DescribePrefixLists", "Show prefix lists with their address blocks."),
    DESCRIBE("DescribeNetworkAcls", "Show network ACLs with their entries and subnets."),
    DESCRIBE("DescribeSecurityGroups", "Show security groups with their rules."),
    DESCRIBE("DescribeNetworkInterfaces", "Show network interfaces: addresses, groups, what they are attached to."),
    DESCRIBE("DescribeInstances", "Show instances, in the reservations they were run in."),
    DESCRIBE("DescribeFlowLogs", "Show flow logs: what they watch and where the records go."),
    { 0 },
};

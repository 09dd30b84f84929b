/* cloud/ops_ec2_transit_gateway.c - transit gateways, their route tables and routes.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGateway.html and neighbours */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2_transit_gateway.h"

/* ---- gateways ---------------------------------------------------------------------------------------------------- */

static bool
create_transit_gateway(struct op_call *call, struct err *err)
{
    const json_t *o = json_object_get(call->in, "Options");
    const char *multicast = json_str(o, "MulticastSupport");
    if (!ec2_check_tags(call, (const struct kind *const[]){ &transit_gateway_kind, NULL }, err)) {
        return false;
    }
    if ((multicast && strcmp(multicast, "enable") == 0) || json_object_get(o, "TransitGatewayCidrBlocks")) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model `%s` of transit gateways",
                       json_object_get(o, "TransitGatewayCidrBlocks") ? "TransitGatewayCidrBlocks"
                                                                      : "MulticastSupport");
    }
    struct tgw_spec spec = { .description = arg_str(call->in, "Description"),
                             .auto_accept = json_str(o, "AutoAcceptSharedAttachments"),
                             .default_association = json_str(o, "DefaultRouteTableAssociation"),
                             .default_propagation = json_str(o, "DefaultRouteTablePropagation"),
                             .vpn_ecmp = json_str(o, "VpnEcmpSupport"),
                             .dns_support = json_str(o, "DnsSupport"),
                             .sg_referencing = json_str(o, "SecurityGroupReferencingSupport"),
                             .amazon_side_asn = json_int(o, "AmazonSideAsn", 0) };
    struct transit_gateway *tgw = tgw_create(ec2_net(call), &spec, err);
    if (!tgw) {
        return false;
    }
    ec2_tag_new(call, &tgw->obj);
    ec2_answer(call, "TransitGateway", tgw);
    return true;
}

struct transit_gateway *
tgw_op_gateway(const struct op_call *call, struct err *err)
{
    const struct object *object = ec2_require(call, &transit_gateway_kind, "TransitGatewayId", err);
    return object ? tgw_require(ec2_net(call), object->id, err) : NULL;
}

struct tgw_attachment *
tgw_op_attachment(const struct op_call *call, struct err *err)
{
    /* A peering stands in the regions of both its gateways. */
    const struct tgw_attachment *known =
        store_get(network_store(ec2_net(call)), &tgw_attachment_kind, arg_str(call->in, "TransitGatewayAttachmentId"));
    const struct object *object = known && known->peer_tgw_id[0]
                                      ? &known->obj
                                      : ec2_require(call, &tgw_attachment_kind, "TransitGatewayAttachmentId", err);
    return object ? tgw_attachment_require(ec2_net(call), object->id, err) : NULL;
}

static bool
delete_transit_gateway(struct op_call *call, struct err *err)
{
    struct transit_gateway *tgw = tgw_op_gateway(call, err);
    if (!tgw || !tgw_delete(ec2_net(call), tgw, err)) {
        return false;
    }
    ec2_answer(call, "TransitGateway", tgw);
    return true;
}

/* ---- route tables ------------------------------------------------------------------------------------------------ */

static struct tgw_route_table *
require_table(const struct op_call *call, struct err *err)
{
    return ec2_require(call, &tgw_route_table_kind, "TransitGatewayRouteTableId", err);
}

static bool
create_table(struct op_call *call, struct err *err)
{
    if (!ec2_check_tags(call, (const struct kind *const[]){ &tgw_route_table_kind, NULL }, err) ||
        !tgw_op_gateway(call, err)) {
        return false;
    }
    struct tgw_route_table *table = tgw_table_create(ec2_net(call), arg_str(call->in, "TransitGatewayId"), err);
    if (!table) {
        return false;
    }
    ec2_tag_new(call, &table->obj);
    ec2_answer(call, "TransitGatewayRouteTable", table);
    return true;
}

static bool
delete_table(struct op_call *call, struct err *err)
{
    struct tgw_route_table *table = require_table(call, err);
    json_t *shown = table ? object_describe(network_store(ec2_net(call)), table) : NULL;
    bool ok = table && tgw_table_delete(ec2_net(call), table, err);
    if (ok) {
        json_object_set_new(shown, "State", json_string("deleted"));
        json_object_set(call->out, "TransitGatewayRouteTable", shown);
    }
    json_decref(shown);
    return ok;
}

static json_t *
link_json(const struct op_call *call, const struct tgw_attachment *attachment, const char *state)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "TransitGatewayRouteTableId",
                     arg_str(call->in, "TransitGatewayRouteTableId"), "TransitGatewayAttachmentId", attachment->obj.id,
                     "ResourceId", attachment->resource_id, "ResourceType", attachment->resource_type, "State", state);
}

static bool
associate(struct op_call *call, struct err *err)
{
    struct tgw_route_table *table = require_table(call, err);
    struct tgw_attachment *attachment = table ? tgw_op_attachment(call, err) : NULL;
    if (!attachment || !tgw_associate(ec2_net(call), table, attachment, err)) {
        return false;
    }
    json_object_set_new(call->out, "Association", link_json(call, attachment, "associated"));
    return true;
}

static bool
disassociate(struct op_call *call, struct err *err)
{
    struct tgw_route_table *table = require_table(call, err);
    struct tgw_attachment *attachment = table ? tgw_op_attachment(call, err) : NULL;
    if (!attachment || !tgw_disassociate(ec2_net(call), table, attachment, err)) {
        return false;
    }
    json_object_set_new(call->out, "Association", link_json(call, attachment, "disassociated"));
    return true;
}

static bool
enable_propagation(struct op_call *call, struct err *err)
{
    struct tgw_route_table *table = require_table(call, err);
    struct tgw_attachment *attachment = table ? tgw_op_attachment(call, err) : NULL;
    if (!attachment || !tgw_propagate(ec2_net(call), table, attachment, err)) {
        return false;
    }
    json_object_set_new(call->out, "Propagation", link_json(call, attachment, "enabled"));
    return true;
}

static bool
disable_propagation(struct op_call *call, struct err *err)
{
    struct tgw_route_table *table = require_table(call, err);
    struct tgw_attachment *attachment = table ? tgw_op_attachment(call, err) : NULL;
    if (!attachment || !tgw_unpropagate(ec2_net(call), table, attachment, err)) {
        return false;
    }
    json_object_set_new(call->out, "Propagation", link_json(call, attachment, "disabled"));
    return true;
}

/* What both get-* lists can be filtered by. */
static const struct filter_row link_filters[] = {
    { "resource-id", "ResourceId" },
    { "resource-type", "ResourceType" },
    { "transit-gateway-attachment-id", "TransitGatewayAttachmentId" },
    { NULL, NULL },
};
static const struct kind link_view = { .name = "transit-gateway-route-table",
                                       .list = "Associations",
                                       .id_member = "TransitGatewayAttachmentId",
                                       .filters = link_filters };

static void
link_add(json_t *list, const json_t *filters, const struct tgw_attachment *attachment, const char *state)
{
    json_t *item = json_pack("{s:s, s:s, s:s, s:s}", "TransitGatewayAttachmentId", attachment->obj.id, "ResourceId",
                             attachment->resource_id, "ResourceType", attachment->resource_type, "State", state);
    if (filters_match(&link_view, filters, item)) {
        json_array_append(list, item);
    }
    json_decref(item);
}

static bool
get_associations(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const struct tgw_route_table *table = require_table(call, err);
    const json_t *filters = json_object_get(call->in, "Filters");
    if (!table || !filters_check(&link_view, filters, err)) {
        return false;
    }
    json_t *list = json_array();
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (strcmp(a->table_id, table->obj.id) == 0 || strcmp(a->peer_table_id, table->obj.id) == 0) {
            link_add(list, filters, a, "associated");
        }
    }
    return ec2_answer_page(call, "Associations", list, "TransitGatewayAttachmentId", err);
}

static bool
get_propagations(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const struct tgw_route_table *table = require_table(call, err);
    const json_t *filters = json_object_get(call->in, "Filters");
    if (!table || !filters_check(&link_view, filters, err)) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < table->propagations.n; i++) {
        const struct tgw_attachment *a =
            store_get(store, &tgw_attachment_kind, table->propagations.items[i].attachment_id);
        if (a) {
            link_add(list, filters, a, "enabled");
        }
    }
    return ec2_answer_page(call, "TransitGatewayRouteTablePropagations", list, "TransitGatewayAttachmentId", err);
}

/* ---- routes ------------------------------------------------------------------------------------------------------ */

static json_t *
route_json(const struct tgw_route *route)
{
    json_t *out = json_object();
    fields_print(tgw_route_fields, route, false, out);
    return out;
}

static bool
read_destination(const struct op_call *call, struct cidr *cidr, struct err *err)
{
    const char *text = arg_str(call->in, "DestinationCidrBlock");
    return ec2_cidr(call, "DestinationCidrBlock", text && strchr(text, ':') ? IP_V6 : IP_V4, true, cidr, err);
}

static bool
put_route(struct op_call *call, bool replace, struct err *err)
{
    struct tgw_route_table *table = require_table(call, err);
    struct cidr cidr;
    if (!table || !read_destination(call, &cidr, err)) {
        return false;
    }
    bool blackhole = arg_flag(call->in, "Blackhole", false), named = arg_str(call->in, "TransitGatewayAttachmentId");
    if (blackhole == named) {
        return err_set(err, ERR_INPUT, named ? "InvalidParameterCombination" : "MissingParameter",
                       "a route leads to `TransitGatewayAttachmentId` or is a `Blackhole`%s",
                       named ? ", not both" : ": give one");
    }
    const struct tgw_attachment *attachment = named ? tgw_op_attachment(call, err) : NULL;
    if (named && !attachment) {
        return false;
    }
    const struct tgw_route *route = tgw_route_put(ec2_net(call), table, &cidr, attachment, replace, err);
    if (!route) {
        return false;
    }
    json_object_set_new(call->out, "Route", route_json(route));
    return true;
}

static bool
create_route(struct op_call *call, struct err *err)
{
    return put_route(call, false, err);
}

static bool
replace_route(struct op_call *call, struct err *err)
{
    return put_route(call, true, err);
}

static bool
delete_route(struct op_call *call, struct err *err)
{
    struct tgw_route_table *table = require_table(call, err);
    struct cidr cidr;
    if (!table || !read_destination(call, &cidr, err)) {
        return false;
    }
    const struct tgw_route *route = tgw_route_find(table, &cidr);
    json_t *shown = route ? route_json(route) : NULL;
    bool ok = tgw_route_delete(ec2_net(call), table, &cidr, err);
    if (ok) {
        json_object_set_new(shown, "State", json_string("deleted"));
        json_object_set(call->out, "Route", shown);
    }
    json_decref(shown);
    return ok;
}

/* search-transit-gateway-routes: filters by members, and by how the prefix lies to a given one. */
static const struct filter_row route_filters[] = {
    { "attachment.transit-gateway-attachment-id", "TransitGatewayAttachments.TransitGatewayAttachmentId" },
    { "attachment.resource-id", "TransitGatewayAttachments.ResourceId" },
    { "attachment.resource-type", "TransitGatewayAttachments.ResourceType" },
    { "prefix-list-id", "PrefixListId" },
    { "state", "State" },
    { "type", "Type" },
    { NULL, NULL },
};
static const struct kind route_view = {
    .name = "transit-gateway-route", .list = "Routes", .id_member = "DestinationCidrBlock", .filters = route_filters
};

static bool
same_prefix(const struct cidr *route, const struct cidr *asked)
{
    return cidr_equal(route, asked);
}

static bool
within_asked(const struct cidr *route, const struct cidr *asked)
{
    return cidr_contains(asked, route);
}

static bool
covers_asked(const struct cidr *route, const struct cidr *asked)
{
    return cidr_contains(route, asked);
}

static const struct prefix_filter {
    const char *name;
    bool (*match)(const struct cidr *route, const struct cidr *asked);
    bool longest; /* of all that match only the longest */
} prefix_filters[] = {
    { "route-search.exact-match", same_prefix, false },
    { "route-search.subnet-of-match", within_asked, false },
    { "route-search.supernet-of-match", covers_asked, false },
    { "route-search.longest-prefix-match", covers_asked, true },
};

struct route_search {
    const struct prefix_filter *filter; /* NULL: by members alone */
    struct cidr asked;
    json_t *members; /* the other filters */
};

static bool
read_search(const json_t *filters, struct route_search *search, struct err *err)
{
    search->members = json_array();
    for (size_t i = 0; i < json_array_size(filters); i++) {
        json_t *item = json_array_get(filters, i);
        const char *name = json_str(item, "Name"), *value;
        const struct prefix_filter *found = NULL;
        for (size_t k = 0; name && k < ARRAY_SIZE(prefix_filters); k++) {
            found = strcmp(prefix_filters[k].name, name) == 0 ? &prefix_filters[k] : found;
        }
        if (!found) {
            json_array_append(search->members, item);
            continue;
        }
        value = json_string_value(json_array_get(json_object_get(item, "Values"), 0));
        if (!value || !cidr_parse_loose(value, &search->asked) || search->filter) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue",
                           search->filter ? "`%s`: one search by prefix at a time"
                                          : "`%s` needs a CIDR block or an address",
                           name);
        }
        search->filter = found;
    }
    return filters_check(&route_view, search->members, err);
}

static bool
search_routes(struct op_call *call, struct err *err)
{
    const struct tgw_route_table *table = require_table(call, err);
    struct route_search search = { 0 };
    if (!table || !read_search(json_object_get(call->in, "Filters"), &search, err)) {
        json_decref(search.members);
        return false;
    }
    tgw_route_vec routes = { 0 };
    tgw_table_routes(ec2_net(call), table, &routes);
    int longest = -1;
    for (size_t i = 0; search.filter && search.filter->longest && i < routes.n; i++) {
        const struct cidr *cidr = &routes.items[i].cidr;
        longest = cidr_contains(cidr, &search.asked) && cidr->bits > longest ? cidr->bits : longest;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < routes.n; i++) {
        const struct cidr *cidr = &routes.items[i].cidr;
        json_t *shown = route_json(&routes.items[i]);
        if ((!search.filter || search.filter->match(cidr, &search.asked)) && (longest < 0 || cidr->bits == longest) &&
            filters_match(&route_view, search.members, shown)) {
            json_array_append(list, shown);
        }
        json_decref(shown);
        tgw_route_done(&routes.items[i]);
    }
    VEC_DONE(&routes);
    json_decref(search.members);
    size_t n = json_array_size(list);
    if (!ec2_answer_page(call, "Routes", list, "DestinationCidrBlock", err)) {
        return false;
    }
    bool more = json_array_size(json_object_get(call->out, "Routes")) < n && json_object_get(call->out, "NextToken");
    json_object_set_new(call->out, "AdditionalRoutesAvailable", json_boolean(more));
    return true;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
#define TABLE      "transit-gateway-route-table/${TransitGatewayRouteTableId}"
#define ATTACHMENT "transit-gateway-attachment/${TransitGatewayAttachmentId}"
const struct op ops_ec2_transit_gateway[] = {
    ROW("CreateTransitGateway", OP_WRITE, create_transit_gateway, "transit-gateway/*",
        "Create a transit gateway with its default route table."),
    ROW("DeleteTransitGateway", OP_WRITE, delete_transit_gateway, "transit-gateway/${TransitGatewayId}",
        "Delete a transit gateway that has no attachments."),
    ROW("DescribeTransitGateways", OP_READ, ec2_describe, NULL, "Show transit gateways with their options."),
    ROW("CreateTransitGatewayRouteTable", OP_WRITE, create_table,
        "transit-gateway/${TransitGatewayId} transit-gateway-route-table/*",
        "Create a route table of a transit gateway."),
    ROW("DeleteTransitGatewayRouteTable", OP_WRITE, delete_table, TABLE,
        "Delete a route table of a transit gateway that nothing is associated with."),
    ROW("DescribeTransitGatewayRouteTables", OP_READ, ec2_describe, NULL, "Show route tables of transit gateways."),
    ROW("AssociateTransitGatewayRouteTable", OP_WRITE, associate, TABLE " " ATTACHMENT,
        "Let a table decide where packets go that come in through an attachment."),
    ROW("DisassociateTransitGatewayRouteTable", OP_WRITE, disassociate, TABLE " " ATTACHMENT,
        "End the association of an attachment with its table."),
    ROW("EnableTransitGatewayRouteTablePropagation", OP_WRITE, enable_propagation, TABLE " " ATTACHMENT,
        "Let an attachment's prefixes be routes of a table."),
    ROW("DisableTransitGatewayRouteTablePropagation", OP_WRITE, disable_propagation, TABLE " " ATTACHMENT,
        "End the propagation of an attachment's prefixes to a table."),
    ROW("GetTransitGatewayRouteTableAssociations", OP_READ, get_associations, NULL,
        "Show which attachments are associated with a table."),
    ROW("GetTransitGatewayRouteTablePropagations", OP_READ, get_propagations, NULL,
        "Show which attachments propagate to a table."),
    ROW("CreateTransitGatewayRoute", OP_WRITE, create_route, TABLE " " ATTACHMENT,
        "Add a static route or a blackhole to a table of a transit gateway."),
    ROW("ReplaceTransitGatewayRoute", OP_WRITE, replace_route, TABLE " " ATTACHMENT,
        "Change where a static route of a transit gateway leads."),
    ROW("DeleteTransitGatewayRoute", OP_WRITE, delete_route, TABLE, "Delete a static route of a transit gateway."),
    ROW("SearchTransitGatewayRoutes", OP_READ, search_routes, NULL,
        "Show the routes of a transit gateway's table, static and propagated, by filters."),
    { 0 },
};

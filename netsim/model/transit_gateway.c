#include "netsim/model/failure.h"
#include "netsim/model/transit_gateway.h"

#include "netsim/model/internal.h"

static const struct field tgw_fields[] = {
    FIELD(struct transit_gateway, "TransitGatewayId", FIELD_ID, obj.id, 0),
    FIELD(struct transit_gateway, "TransitGatewayArn", FIELD_STRING, arn, 0),
    FIELD(struct transit_gateway, "State", FIELD_STRING, state, 0),
    FIELD(struct transit_gateway, "Description", FIELD_STRING, description, 0),
    FIELD(struct transit_gateway, "CreationTime", FIELD_TIME, creation_time, 0),
    FIELD(struct transit_gateway, "Options.AmazonSideAsn", FIELD_LONG, amazon_side_asn, FIELD_OPTIONAL),
    FIELD(struct transit_gateway, "Options.TransitGatewayCidrBlocks", FIELD_STRINGS, cidr_blocks, 0),
    FIELD(struct transit_gateway, "Options.AutoAcceptSharedAttachments", FIELD_STRING, auto_accept, 0),
    FIELD(struct transit_gateway, "Options.DefaultRouteTableAssociation", FIELD_STRING, default_association, 0),
    FIELD(struct transit_gateway, "Options.AssociationDefaultRouteTableId", FIELD_ID, association_table_id, 0),
    FIELD(struct transit_gateway, "Options.DefaultRouteTablePropagation", FIELD_STRING, default_propagation, 0),
    FIELD(struct transit_gateway, "Options.PropagationDefaultRouteTableId", FIELD_ID, propagation_table_id, 0),
    FIELD(struct transit_gateway, "Options.VpnEcmpSupport", FIELD_STRING, vpn_ecmp, 0),
    FIELD(struct transit_gateway, "Options.DnsSupport", FIELD_STRING, dns_support, 0),
    FIELD(struct transit_gateway, "Options.SecurityGroupReferencingSupport", FIELD_STRING, sg_referencing, 0),
    FIELD(struct transit_gateway, "Options.MulticastSupport", FIELD_STRING, multicast, 0),
    FIELD_LIST(struct transit_gateway, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTransitGateways.html */
static const struct filter_row tgw_filters[] = {
    { "options.propagation-default-route-table-id", "Options.PropagationDefaultRouteTableId" },
    { "options.amazon-side-asn", "Options.AmazonSideAsn" },
    { "options.association-default-route-table-id", "Options.AssociationDefaultRouteTableId" },
    { "options.auto-accept-shared-attachments", "Options.AutoAcceptSharedAttachments" },
    { "options.default-route-table-association", "Options.DefaultRouteTableAssociation" },
    { "options.default-route-table-propagation", "Options.DefaultRouteTablePropagation" },
    { "options.dns-support", "Options.DnsSupport" },
    { "options.vpn-ecmp-support", "Options.VpnEcmpSupport" },
    { "state", "State" },
    { "transit-gateway-id", "TransitGatewayId" },
    { NULL, NULL },
};

const struct kind transit_gateway_kind = {
    .name = "transit-gateway",
    .prefix = "tgw",
    .type = "transit-gateway",
    .list = "TransitGateways",
    .id_member = "TransitGatewayId",
    .ids_param = "TransitGatewayIds",
    .not_found = "InvalidTransitGatewayID.NotFound",
    .malformed = "InvalidTransitGatewayID.Malformed",
    .size = sizeof(struct transit_gateway),
    .fields = tgw_fields,
    .shows_owner = true,
    .filters = tgw_filters,
};

static const struct field attachment_fields[] = {
    FIELD(struct tgw_attachment, "TransitGatewayAttachmentId", FIELD_ID, obj.id, 0),
    FIELD(struct tgw_attachment, "TransitGatewayId", FIELD_ID, tgw_id, 0),
    FIELD(struct tgw_attachment, "TransitGatewayOwnerId", FIELD_STRING, tgw_owner_id, 0),
    FIELD(struct tgw_attachment, "ResourceOwnerId", FIELD_STRING, resource_owner_id, 0),
    FIELD(struct tgw_attachment, "ResourceType", FIELD_STRING, resource_type, 0),
    FIELD(struct tgw_attachment, "ResourceId", FIELD_ID, resource_id, 0),
    FIELD(struct tgw_attachment, "State", FIELD_STRING, state, 0),
    FIELD(struct tgw_attachment, "Association.TransitGatewayRouteTableId", FIELD_ID, table_id, 0),
    FIELD(struct tgw_attachment, "Association.State", FIELD_STRING, association_state, 0),
    FIELD(struct tgw_attachment, "CreationTime", FIELD_TIME, creation_time, 0),
    FIELD_LIST(struct tgw_attachment, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    /* describe-transit-gateway-vpc-attachments */
    FIELD(struct tgw_attachment, "VpcId", FIELD_ID, vpc_id, FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "VpcOwnerId", FIELD_STRING, vpc_owner_id, FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "SubnetIds", FIELD_STRINGS, subnet_ids, FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "Options.DnsSupport", FIELD_STRING, dns_support, FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "Options.SecurityGroupReferencingSupport", FIELD_STRING, sg_referencing,
          FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "Options.Ipv6Support", FIELD_STRING, ipv6_support, FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "Options.ApplianceModeSupport", FIELD_STRING, appliance_mode, FIELD_STATE_ONLY),
    /* describe-transit-gateway-peering-attachments; the requester is TransitGatewayId */
    FIELD(struct tgw_attachment, "AccepterTgwInfo.TransitGatewayId", FIELD_ID, peer_tgw_id, FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "AccepterTgwInfo.OwnerId", FIELD_STRING, peer_owner_id, FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "AccepterTgwInfo.Region", FIELD_STRING, peer_region, FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "RequesterTgwInfo.TransitGatewayId", FIELD_ID, tgw_id, FIELD_INPUT_ONLY),
    FIELD(struct tgw_attachment, "RequesterTgwInfo.OwnerId", FIELD_STRING, tgw_owner_id, FIELD_INPUT_ONLY),
    FIELD(struct tgw_attachment, "PeerAssociation.TransitGatewayRouteTableId", FIELD_ID, peer_table_id,
          FIELD_STATE_ONLY),
    FIELD(struct tgw_attachment, "PeerAssociation.State", FIELD_STRING, peer_association_state, FIELD_STATE_ONLY),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTransitGatewayAttachments.html */
static const struct filter_row attachment_filters[] = {
    { "association.state", "Association.State" },
    { "association.transit-gateway-route-table-id", "Association.TransitGatewayRouteTableId" },
    { "resource-id", "ResourceId" },
    { "resource-owner-id", "ResourceOwnerId" },
    { "resource-type", "ResourceType" },
    { "state", "State" },
    { "transit-gateway-attachment-id", "TransitGatewayAttachmentId" },
    { "transit-gateway-id", "TransitGatewayId" },
    { "transit-gateway-owner-id", "TransitGatewayOwnerId" },
    { NULL, NULL },
};

/* Either call tells the VPC, each in its own words. */
static void
attachment_loaded(struct store *store, void *object)
{
    struct tgw_attachment *attachment = object;
    (void)store;
    if (!attachment->resource_type) {
        attachment->resource_type = xstrdup(attachment->peer_tgw_id[0] ? "peering" : "vpc");
    }
    if (str_is(attachment->resource_type, "vpc")) {
        if (!attachment->vpc_id[0]) {
            id_set(attachment->vpc_id, attachment->resource_id);
        } else if (!attachment->resource_id[0]) {
            id_set(attachment->resource_id, attachment->vpc_id);
        }
        if (!attachment->resource_owner_id && attachment->vpc_owner_id) {
            attachment->resource_owner_id = xstrdup(attachment->vpc_owner_id);
        }
    } else if (str_is(attachment->resource_type, "peering")) {
        if (!attachment->peer_tgw_id[0]) {
            id_set(attachment->peer_tgw_id, attachment->resource_id);
        } else if (!attachment->resource_id[0]) {
            id_set(attachment->resource_id, attachment->peer_tgw_id);
        }
    }
}

const struct kind tgw_attachment_kind = {
    .name = "transit-gateway-attachment",
    .prefix = "tgw-attach",
    .type = "transit-gateway-attachment",
    .list = "TransitGatewayAttachments",
    .id_member = "TransitGatewayAttachmentId",
    .ids_param = "TransitGatewayAttachmentIds",
    .not_found = "InvalidTransitGatewayAttachmentID.NotFound",
    .malformed = "InvalidTransitGatewayAttachmentID.Malformed",
    .size = sizeof(struct tgw_attachment),
    .fields = attachment_fields,
    .filters = attachment_filters,
    .loaded = attachment_loaded,
};

static const struct field route_attachment_fields[] = {
    FIELD(struct tgw_route_attachment, "ResourceId", FIELD_ID, resource_id, 0),
    FIELD(struct tgw_route_attachment, "TransitGatewayAttachmentId", FIELD_ID, attachment_id, 0),
    FIELD(struct tgw_route_attachment, "ResourceType", FIELD_STRING, resource_type, 0),
    FIELD_END,
};
const struct field tgw_route_fields[] = {
    FIELD(struct tgw_route, "DestinationCidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct tgw_route, "PrefixListId", FIELD_STRING, prefix_list_id, 0),
    FIELD_LIST(struct tgw_route, "TransitGatewayAttachments", attachments, route_attachment_fields, 0),
    FIELD(struct tgw_route, "Type", FIELD_STRING, type, 0),
    FIELD(struct tgw_route, "State", FIELD_STRING, state, 0),
    FIELD_END,
};
static const struct field propagation_fields[] = {
    FIELD(struct tgw_propagation, "TransitGatewayAttachmentId", FIELD_ID, attachment_id, 0),
    FIELD(struct tgw_propagation, "ResourceId", FIELD_ID, resource_id, 0),
    FIELD(struct tgw_propagation, "ResourceType", FIELD_STRING, resource_type, 0),
    FIELD(struct tgw_propagation, "State", FIELD_STRING, state, 0),
    FIELD_END,
};
static const struct field table_fields[] = {
    FIELD(struct tgw_route_table, "TransitGatewayRouteTableId", FIELD_ID, obj.id, 0),
    FIELD(struct tgw_route_table, "TransitGatewayId", FIELD_ID, tgw_id, 0),
    FIELD(struct tgw_route_table, "State", FIELD_STRING, state, 0),
    FIELD(struct tgw_route_table, "DefaultAssociationRouteTable", FIELD_BOOL, default_association, 0),
    FIELD(struct tgw_route_table, "DefaultPropagationRouteTable", FIELD_BOOL, default_propagation, 0),
    FIELD(struct tgw_route_table, "CreationTime", FIELD_TIME, creation_time, 0),
    FIELD_LIST(struct tgw_route_table, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_LIST(struct tgw_route_table, "TransitGatewayRouteTablePropagations", propagations, propagation_fields,
               FIELD_STATE_ONLY),
    FIELD_LIST(struct tgw_route_table, "Routes", routes, tgw_route_fields, FIELD_STATE_ONLY),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTransitGatewayRouteTables.html */
static const struct filter_row table_filters[] = {
    { "default-association-route-table", "DefaultAssociationRouteTable" },
    { "default-propagation-route-table", "DefaultPropagationRouteTable" },
    { "state", "State" },
    { "transit-gateway-id", "TransitGatewayId" },
    { "transit-gateway-route-table-id", "TransitGatewayRouteTableId" },
    { NULL, NULL },
};

bool
tgw_route_is_announced(const struct tgw_route *route)
{
    return str_is(route->type, "propagated");
}

bool
tgw_route_holds(const struct network *net, const struct tgw_route_table *table, const struct tgw_route *route)
{
    if (!tgw_route_is_announced(route)) {
        return true;
    }
    const char *id = route->attachments.n ? route->attachments.items[0].attachment_id : "";
    const struct tgw_attachment *attachment = store_get(net->store, &tgw_attachment_kind, id);
    bool propagates = table->propagations.n == 0; /* a dump without them */
    for (size_t i = 0; i < table->propagations.n && !propagates; i++) {
        propagates = strcmp(table->propagations.items[i].attachment_id, id) == 0;
    }
    return propagates && attachment && tgw_attachment_is_available(attachment);
}

/* search-transit-gateway-routes may have been asked for every type.  What VPCs propagate follows from the propagations;
 * what a router outside announces stands nowhere else. */
static void
table_loaded(struct store *store, void *object)
{
    struct tgw_route_table *table = object;
    (void)store;
    for (size_t i = table->routes.n; i-- > 0;) {
        const struct tgw_route *route = &table->routes.items[i];
        const char *from = route->attachments.n ? route->attachments.items[0].resource_type : NULL;
        bool outside = str_is(from, "vpn") || str_is(from, "direct-connect-gateway") || str_is(from, "connect");
        if (tgw_route_is_announced(route) && !outside) {
            fields_done(tgw_route_fields, &table->routes.items[i]);
            VEC_REMOVE(&table->routes, i);
        }
    }
}

const struct kind tgw_route_table_kind = {
    .name = "transit-gateway-route-table",
    .prefix = "tgw-rtb",
    .type = "transit-gateway-route-table",
    .list = "TransitGatewayRouteTables",
    .id_member = "TransitGatewayRouteTableId",
    .ids_param = "TransitGatewayRouteTableIds",
    .not_found = "InvalidRouteTableID.NotFound",
    .malformed = "InvalidRouteTableId.Malformed",
    .size = sizeof(struct tgw_route_table),
    .fields = table_fields,
    .filters = table_filters,
    .loaded = table_loaded,
};

/* ---- answers ----------------------------------------------------------------------------------------------------- */

bool
tgw_attachment_is_available(const struct tgw_attachment *attachment)
{
    return str_is(attachment->state, "available");
}

const struct subnet *
tgw_attachment_subnet(const struct network *net, const struct tgw_attachment *attachment, const char *zone)
{
    for (size_t i = 0; i < attachment->subnet_ids.n; i++) {
        const struct subnet *subnet = store_get(net->store, &subnet_kind, attachment->subnet_ids.items[i]);
        if (subnet && str_is(subnet->zone, zone) && !subnet_failure(net, subnet)) {
            return subnet;
        }
    }
    return NULL;
}

struct tgw_route_table *
tgw_attachment_table(const struct network *net, const struct tgw_attachment *attachment, const char *tgw_id)
{
    bool peer = strcmp(attachment->tgw_id, tgw_id) != 0;
    struct tgw_route_table *own = store_get(net->store, &tgw_route_table_kind, attachment->table_id),
                           *theirs = store_get(net->store, &tgw_route_table_kind, attachment->peer_table_id);
    struct tgw_route_table *table = peer ? theirs : own, *other = peer ? own : theirs;
    /* Imported, the associations of a peering may stand the other way round: each side's dump calls its own the first.
     */
    bool crossed = other && strcmp(other->tgw_id, tgw_id) == 0 && (!table || strcmp(table->tgw_id, tgw_id) != 0);
    return crossed ? other : table;
}

bool
tgw_references_groups(const struct transit_gateway *tgw)
{
    return str_is(tgw->sg_referencing, "enable");
}

bool
tgw_attachment_references_groups(const struct tgw_attachment *attachment)
{
    return !str_is(attachment->sg_referencing, "disable");
}

bool
tgw_attachment_is_appliance(const struct tgw_attachment *attachment)
{
    return str_is(attachment->appliance_mode, "enable");
}

bool
tgw_route_is_blackhole(const struct tgw_route *route)
{
    return route->attachments.n == 0 || str_is(route->state, "blackhole");
}

/* AWS describes it by the attachment's id. */
const struct eni *
tgw_attachment_eni(const struct network *net, const struct tgw_attachment *attachment, const char *subnet_id)
{
    for (const struct eni *eni = store_first(net->store, &eni_kind); eni; eni = store_next(net->store, eni)) {
        if (strcmp(eni->subnet_id, subnet_id) == 0 && eni->description &&
            strstr(eni->description, attachment->obj.id)) {
            return eni;
        }
    }
    return NULL;
}

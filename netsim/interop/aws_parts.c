#include "netsim/interop/aws_parts.h"

#include <string.h>
#include "netsim/model/hosted_zone.h"
#include "netsim/model/network.h"
#include "netsim/model/private_service.h"
#include "netsim/model/transit_gateway.h"

const struct aws_part aws_parts[] = {
    { "TransitGatewayVpcAttachments", &tgw_attachment_kind, true, " VpcId VpcOwnerId SubnetIds Options " },
    { "TransitGatewayPeeringAttachments", &tgw_attachment_kind, true,
      " AccepterTgwInfo RequesterTgwInfo PeerAssociation " },
    { "TransitGatewayPropagations", &tgw_route_table_kind, false, " TransitGatewayRouteTablePropagations " },
    { "TransitGatewayStaticRoutes", &tgw_route_table_kind, false, " Routes " },
    { "LoadBalancerListeners", &load_balancer_kind, false, " Listeners " },
    { "LoadBalancerAttributes", &load_balancer_kind, false, " Attributes " },
    { "TargetGroupAttributes", &target_group_kind, false, " Attributes " },
    { "LoadBalancerTargetHealth", &target_group_kind, false, " TargetHealthDescriptions " },
    { "AllowedPrincipals", &private_service_kind, false, " AllowedPrincipals " },
    { "VpcEndpointConnections", &endpoint_kind, false, " VpcEndpointConnectionId " },
    { "HostedZoneVPCs", &hosted_zone_kind, true, " VPCs " },
    { "HostedZoneRecords", &hosted_zone_kind, false, " ResourceRecordSets " },
    { NULL, NULL, false, NULL },
};

const struct aws_part *
aws_part_of(const char *list)
{
    for (const struct aws_part *part = aws_parts; part->list; part++) {
        if (strcmp(part->list, list) == 0) {
            return part;
        }
    }
    return NULL;
}

static json_t *
gather_principals(const json_t *list)
{
    json_t *by_service = json_object(), *out = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        const char *id = json_str(item, "ServiceId");
        json_t *principals = json_object_get(by_service, id ? id : "");
        if (json_object_get(item, "AllowedPrincipals") || !id) {
            json_array_append(out, item); /* in one object for each service, as a tool may keep them */
            continue;
        }
        if (!principals) {
            principals = json_array();
            json_object_set_new(by_service, id, principals);
            json_array_append_new(out, json_pack("{s:s, s:O}", "ServiceId", id, "AllowedPrincipals", principals));
        }
        json_t *own = json_copy(item);
        json_object_del(own, "ServiceId");
        json_array_append_new(principals, own);
    }
    json_decref(by_service);
    return out;
}

static json_t *
scatter_principals(const json_t *items)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i), *principals = json_object_get(item, "AllowedPrincipals");
        for (size_t k = 0; k < json_array_size(principals); k++) {
            json_t *own = json_copy(json_array_get(principals, k));
            json_object_set(own, "ServiceId", json_object_get(item, "ServiceId"));
            json_array_append_new(out, own);
        }
    }
    return out;
}

/* What a connection shows besides stands in its endpoint and its service. */
static json_t *
gather_connections(const json_t *list)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        json_t *own = json_object();
        for (size_t k = 0; k < 2; k++) {
            const char *member = k ? "VpcEndpointConnectionId" : "VpcEndpointId";
            json_t *value = json_object_get(item, member);
            if (value) {
                json_object_set(own, member, value);
            }
        }
        json_array_append_new(out, own);
    }
    return out;
}

static json_t *
scatter_connections(const struct network *net, const json_t *items)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(items); i++) {
        const struct endpoint *endpoint =
            store_get(network_store(net), &endpoint_kind, json_str(json_array_get(items, i), "VpcEndpointId"));
        const struct private_service *service = endpoint ? network_private_service(net, endpoint->service_name) : NULL;
        if (service) {
            json_array_append_new(out, endpoint_connection_json(net, endpoint, service));
        }
    }
    return out;
}

static bool
is_list(const struct aws_part *part, const char *name)
{
    return strcmp(part->list, name) == 0;
}

json_t *
aws_part_gather(const struct aws_part *part, const json_t *list)
{
    return is_list(part, "AllowedPrincipals")        ? gather_principals(list)
           : is_list(part, "VpcEndpointConnections") ? gather_connections(list)
                                                     : json_incref((json_t *)list);
}

json_t *
aws_part_scatter(const struct network *net, const struct aws_part *part, const json_t *items)
{
    return is_list(part, "AllowedPrincipals")        ? scatter_principals(items)
           : is_list(part, "VpcEndpointConnections") ? scatter_connections(net, items)
                                                     : json_incref((json_t *)items);
}

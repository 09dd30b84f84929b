#include "netsim/interop/aws_parts.h"

#include <string.h>
#include "netsim/model/endpoint.h"
#include "netsim/model/hosted_zone.h"
#include "netsim/model/network.h"
#include "netsim/model/private_service.h"
#include "netsim/model/transit_gateway.h"

const struct aws_part aws_parts[] = {
    { "TransitGatewayVpcAttachments", &tgw_attachment_kind, true, " VpcId VpcOwnerId SubnetIds Options ", false },
    { "TransitGatewayPeeringAttachments", &tgw_attachment_kind, true,
      " AccepterTgwInfo RequesterTgwInfo PeerAssociation ", false },
    { "TransitGatewayPropagations", &tgw_route_table_kind, false, " TransitGatewayRouteTablePropagations ", false },
    { "TransitGatewayStaticRoutes", &tgw_route_table_kind, false, " Routes ", false },
    { "LoadBalancerListeners", &load_balancer_kind, false, " Listeners ", false },
    { "LoadBalancerAttributes", &load_balancer_kind, false, " Attributes ", false },
    { "TargetGroupAttributes", &target_group_kind, false, " Attributes ", false },
    { "LoadBalancerTargetHealth", &target_group_kind, false, " TargetHealthDescriptions ", false },
    { "AllowedPrincipals", &private_service_kind, false, " AllowedPrincipals ", false },
    { "ServiceDetails", &private_service_kind, true, " ", true },
    { "VpcEndpointConnections", &endpoint_kind, false, " VpcEndpointConnectionId ", false },
    { "HostedZoneVPCs", &hosted_zone_kind, true, " VPCs ", false },
    { "HostedZoneRecords", &hosted_zone_kind, false, " ResourceRecordSets ", false },
    { NULL, NULL, false, NULL, false },
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

/* "com.amazonaws.REGION.s3" of the table that every lab has. */
static bool
is_known_service(const char *name)
{
    static const char prefix[] = "com.amazonaws.";
    const char *region = name && strncmp(name, prefix, sizeof prefix - 1) == 0 ? name + sizeof prefix - 1 : NULL;
    const char *dot = region ? strchr(region, '.') : NULL;
    for (const struct endpoint_service *s = endpoint_services; dot && s->name; s++) {
        if (strcmp(s->name, dot + 1) == 0) {
            return true;
        }
    }
    return false;
}

/* A service as its users see it, in the words of its owner: who is shown it may use it. */
static json_t *
gather_detail(const json_t *detail, const char *account)
{
    static const char *const others_words[] = { "Owner", "PrivateDnsNameVerificationState", "ServiceRegion" };
    json_t *out = json_copy((json_t *)detail), *names = json_object_get(detail, "PrivateDnsNames");
    const char *owner = json_str(detail, "Owner"), *state = json_str(detail, "PrivateDnsNameVerificationState"),
               *dns = json_str(detail, "PrivateDnsName");
    bool of_aws = owner && strspn(owner, "0123456789") != strlen(owner);
    if (owner) {
        json_object_set_new(out, "OwnerId", json_string(of_aws ? AWS_OWNER : owner));
    }
    if (owner && strcmp(owner, account) != 0 && !json_object_get(out, "OfferedTo")) {
        json_object_set_new(out, "OfferedTo", json_pack("[s]", of_aws ? "*" : account));
    }
    if (dns && state) {
        json_object_set_new(out, "PrivateDnsNameConfiguration", json_pack("{s:s}", "State", state));
    }
    if (dns && json_array_size(names) == 1) {
        const char *only = json_str(json_array_get(names, 0), "PrivateDnsName");
        json_object_del(only && strcmp(only, dns) == 0 ? out : NULL, "PrivateDnsNames");
    }
    for (size_t i = 0; i < ARRAY_SIZE(others_words); i++) {
        json_object_del(out, others_words[i]);
    }
    if (!json_object_get(out, "ServiceId")) { /* as AWS left it out for its own, long ago */
        const char *name = json_str(detail, "ServiceName");
        size_t size = name ? strlen(name) : 0, most = ID_SIZE - 1;
        json_object_set_new(out, "ServiceId", json_string(size > most ? name + size - most : name ? name : ""));
    }
    return out;
}

static json_t *
gather_details(const json_t *list, const char *account)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_object(item)) {
            json_array_append(out, (json_t *)item);
        } else if (!is_known_service(json_str(item, "ServiceName"))) {
            json_array_append_new(out, gather_detail(item, account));
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
aws_part_gather(const struct aws_part *part, const json_t *list, const char *account)
{
    return is_list(part, "ServiceDetails")           ? gather_details(list, account)
           : is_list(part, "AllowedPrincipals")      ? gather_principals(list)
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

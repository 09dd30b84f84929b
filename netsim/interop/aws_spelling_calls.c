/* Calls that answer for one thing, named in the name of the file only: routes and propagations of a transit gateway's
 * table ("tgw-rtb-0a1b.json"), attributes of a Classic Load Balancer ("web.json", or the only one there is); and
 * addresses of EC2-Classic, which have no AllocationId.
 * Sources: API_SearchTransitGatewayRoutes, API_GetTransitGatewayRouteTablePropagations,
 * https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DescribeLoadBalancerAttributes.html */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/vec.h"
#include "netsim/interop/aws_spelling.h"

/* ---- transit gateways -------------------------------------------------------------------------------------------- */

static bool
table_of_name(const char *file, char id[static ID_SIZE])
{
    const char *slash = strrchr(file, '/'), *at = strstr(slash ? slash : file, "tgw-rtb-");
    size_t length = at ? strlen("tgw-rtb-") : 0;
    while (at && isalnum((unsigned char)at[length])) {
        length++;
    }
    snprintf(id, ID_SIZE, "%.*s", (int)length, at ? at : "");
    return length > strlen("tgw-rtb-") && length < ID_SIZE;
}

/* What VPCs and static routes of VPNs propagate is known without it; what comes by BGP stands here alone. */
static bool
is_told_elsewhere(const json_t *route)
{
    const char *type = json_str(route, "Type");
    const json_t *to = json_array_get(json_object_get(route, "TransitGatewayAttachments"), 0);
    const char *resource = json_str(to, "ResourceType");
    return type && strcmp(type, "propagated") == 0 && resource && strcmp(resource, "vpc") == 0;
}

static void
move_list(json_t *file, const char *member, const char *list, const char *table)
{
    json_t *own = json_object_get(file, member), *kept = json_array(), *item;
    size_t i;
    json_array_foreach(own, i, item)
    {
        if (!is_told_elsewhere(item)) {
            json_array_append(kept, item);
        }
    }
    json_object_set_new(file, list, json_pack("[{s:s, s:o}]", "TransitGatewayRouteTableId", table, member, kept));
    json_object_del(file, member);
}

static void
spell_transit(json_t *file, const char *name)
{
    static const char *const members[][2] = {
        { "Routes", "TransitGatewayStaticRoutes" },
        { "TransitGatewayRouteTablePropagations", "TransitGatewayPropagations" },
    };
    char table[ID_SIZE];
    for (size_t i = 0; i < ARRAY_SIZE(members) && table_of_name(name, table); i++) {
        if (json_is_array(json_object_get(file, members[i][0])) && !json_object_get(file, members[i][1])) {
            move_list(file, members[i][0], members[i][1], table);
        }
    }
    if (json_object_get(file, "TransitGatewayStaticRoutes") &&
        !json_is_true(json_object_get(file, "AdditionalRoutesAvailable"))) {
        json_object_del(file, "AdditionalRoutesAvailable");
    }
}

/* ---- Classic balancers ------------------------------------------------------------------------------------------- */

static json_t *
balancer_of_name(json_t *const *files, size_t n, const char *file)
{
    const char *slash = strrchr(file, '/'), *own = slash ? slash + 1 : file;
    json_t *any = NULL;
    size_t size = strlen(own) > 5 ? strlen(own) - strlen(".json") : 0, count = 0;
    for (size_t f = 0; f < n; f++) {
        json_t *list = json_object_get(files[f], "LoadBalancerDescriptions"), *lb;
        size_t i;
        json_array_foreach(list, i, lb)
        {
            const char *name = json_str(lb, "LoadBalancerName");
            size_t length = name ? strlen(name) : 0;
            count++;
            any = lb;
            if (length && size >= length &&
                memcmp(own + size - length, name, length) == 0) { /* "attributes-web.json" */
                return lb;
            }
        }
    }
    return count == 1 ? any : NULL;
}

static void
spell_classic(json_t *file, const char *name, json_t *const *files, size_t n)
{
    static const char *const places[][3] = {
        { "CrossZoneLoadBalancing", "Enabled", "CrossZoneLoadBalancing" },
        { "ConnectionDraining", "Enabled", "ConnectionDraining" },
        { "ConnectionDraining", "Timeout", "DrainingTimeout" },
        { "ConnectionSettings", "IdleTimeout", "IdleTimeout" },
    };
    json_t *attributes = json_object_get(file, "LoadBalancerAttributes");
    json_t *lb = json_is_object(attributes) ? balancer_of_name(files, n, name) : NULL;
    if (!json_is_object(attributes)) {
        return;
    }
    for (size_t i = 0; lb && i < ARRAY_SIZE(places); i++) {
        json_t *group = json_object_get(attributes, places[i][0]), *value = json_object_get(group, places[i][1]);
        if (value) {
            json_object_set(lb, places[i][2], value);
            json_object_del(group, places[i][1]);
        }
        if (group && json_object_size(group) == 0) {
            json_object_del(attributes, places[i][0]);
        }
    }
    /* What is left is no list of elbv2's; the report names it. */
    json_object_set(file, "ClassicLoadBalancerAttributes", attributes);
    json_object_del(file, "LoadBalancerAttributes");
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static void
spell_addresses(json_t *file)
{
    json_t *list = json_object_get(file, "Addresses"), *address;
    size_t i;
    json_array_foreach(list, i, address)
    {
        const char *ip = json_str(address, "PublicIp");
        if (!json_str(address, "AllocationId") && ip) {
            json_object_set_new(address, "AllocationId", json_string(ip));
        }
    }
}

void
aws_spell_calls(json_t *const *files, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        spell_transit(files[i], names[i]);
        spell_classic(files[i], names[i], files, n);
        spell_addresses(files[i]);
    }
}

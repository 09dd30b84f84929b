#include "netsim/model/endpoint.h"

#include "netsim/model/internal.h"

static const struct field group_fields[] = {
    FIELD(struct eni_group, "GroupId", FIELD_ID, id, 0),
    FIELD(struct eni_group, "GroupName", FIELD_STRING, name, 0),
    FIELD_END,
};
static const struct field dns_fields[] = {
    FIELD(struct endpoint_dns_entry, "DnsName", FIELD_STRING, name, 0),
    FIELD(struct endpoint_dns_entry, "HostedZoneId", FIELD_STRING, zone_id, 0),
    FIELD_END,
};
static const struct field endpoint_fields[] = {
    FIELD(struct endpoint, "VpcEndpointId", FIELD_ID, obj.id, 0),
    FIELD(struct endpoint, "VpcEndpointType", FIELD_STRING, type, 0),
    FIELD(struct endpoint, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD(struct endpoint, "ServiceName", FIELD_STRING, service_name, 0),
    FIELD(struct endpoint, "State", FIELD_STRING, state, 0),
    FIELD(struct endpoint, "PolicyDocument", FIELD_STRING, policy, 0),
    FIELD(struct endpoint, "RouteTableIds", FIELD_STRINGS, table_ids, FIELD_ALWAYS),
    FIELD(struct endpoint, "SubnetIds", FIELD_STRINGS, subnet_ids, FIELD_ALWAYS),
    FIELD_LIST(struct endpoint, "Groups", groups, group_fields, FIELD_ALWAYS),
    FIELD(struct endpoint, "IpAddressType", FIELD_STRING, ip_address_type, 0),
    FIELD(struct endpoint, "DnsOptions.DnsRecordIpType", FIELD_STRING, dns_record_ip_type, 0),
    FIELD(struct endpoint, "PrivateDnsEnabled", FIELD_BOOL, private_dns, 0),
    FIELD(struct endpoint, "RequesterManaged", FIELD_BOOL, requester_managed, 0),
    FIELD(struct endpoint, "NetworkInterfaceIds", FIELD_STRINGS, eni_ids, FIELD_ALWAYS),
    FIELD_LIST(struct endpoint, "DnsEntries", dns_entries, dns_fields, FIELD_ALWAYS),
    FIELD(struct endpoint, "CreationTimestamp", FIELD_TIME, creation_time, 0),
    FIELD_LIST(struct endpoint, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD(struct endpoint, "VpcEndpointConnectionId", FIELD_STRING, connection_id, FIELD_STATE_ONLY),
    FIELD(struct endpoint, "ServiceRegion", FIELD_STRING, service_region, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpoints.html */
static const struct filter_row endpoint_filters[] = {
    { "ip-address-type", "IpAddressType" },     { "service-name", "ServiceName" },
    { "service-region", "ServiceRegion" },      { "vpc-id", "VpcId" },
    { "vpc-endpoint-id", "VpcEndpointId" },     { "vpc-endpoint-state", "State" },
    { "vpc-endpoint-type", "VpcEndpointType" }, { NULL, NULL },
};

static bool
has_text(char *const *texts, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(texts[i], text) == 0) {
            return true;
        }
    }
    return false;
}

/* What one of its interfaces tells of an endpoint whose record lacks it, and the other way round: groups stand in both.
 */
static void
learn_from_eni(struct endpoint *endpoint, struct eni *eni)
{
    if (!*endpoint->vpc_id) {
        id_set(endpoint->vpc_id, eni->vpc_id);
    }
    if (*eni->subnet_id && !has_text(endpoint->subnet_ids.items, endpoint->subnet_ids.n, eni->subnet_id)) {
        *VEC_ADD(&endpoint->subnet_ids) = xstrdup(eni->subnet_id);
    }
    for (size_t i = 0; eni->groups.n == 0 && str_is(endpoint->type, "Interface") && i < endpoint->groups.n; i++) {
        struct eni_group *group = VEC_ADD(&eni->groups);
        id_set(group->id, endpoint->groups.items[i].id);
        str_set(&group->name, endpoint->groups.items[i].name);
    }
}

/* Dumps from before interface endpoints do not say which they are; test data leaves out members that an interface's
 * description or the interface itself tells. */
static void
endpoint_loaded(struct store *store, void *object)
{
    struct endpoint *endpoint = object;
    bool listed = endpoint->eni_ids.n > 0, routes = endpoint->table_ids.n > 0;
    for (struct eni *eni = listed || routes ? NULL : store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        if (str_is(endpoint_of_description(eni), endpoint->obj.id)) {
            *VEC_ADD(&endpoint->eni_ids) = xstrdup(eni->obj.id);
        }
    }
    if (!endpoint->type) {
        endpoint->type = xstrdup(endpoint->eni_ids.n || endpoint->subnet_ids.n ? "Interface" : "Gateway");
    }
    for (size_t i = 0; i < endpoint->eni_ids.n; i++) {
        struct eni *eni = store_get(store, &eni_kind, endpoint->eni_ids.items[i]);
        if (eni) {
            learn_from_eni(endpoint, eni);
        }
    }
    store_touch(store);
}

const struct kind endpoint_kind = {
    .name = "vpc-endpoint",
    .prefix = "vpce",
    .type = "vpc-endpoint",
    .list = "VpcEndpoints",
    .id_member = "VpcEndpointId",
    .ids_param = "VpcEndpointIds",
    .not_found = "InvalidVpcEndpointId.NotFound",
    .malformed = "InvalidVpcEndpointId.Malformed",
    .size = sizeof(struct endpoint),
    .fields = endpoint_fields,
    .shows_owner = true,
    .filters = endpoint_filters,
    .loaded = endpoint_loaded,
};

const char *
endpoint_of_description(const struct eni *eni)
{
    static const char start[] = "VPC Endpoint Interface ";
    bool names = eni->description && strncmp(eni->description, start, sizeof start - 1) == 0;
    return names ? eni->description + sizeof start - 1 : NULL;
}

bool
endpoint_is_gateway(const struct endpoint *endpoint)
{
    return str_is(endpoint->type, "Gateway");
}

bool
endpoint_is_interface(const struct endpoint *endpoint)
{
    return str_is(endpoint->type, "Interface");
}

bool
endpoint_is_gateway_lb(const struct endpoint *endpoint)
{
    return str_is(endpoint->type, "GatewayLoadBalancer");
}

bool
endpoint_is_available(const struct endpoint *endpoint)
{
    return !endpoint->state || str_is(endpoint->state, "available") || str_is(endpoint->state, "Available");
}

struct prefix_list *
network_service_prefix_list(const struct network *net, const char *service_name)
{
    for (struct prefix_list *list = store_first(net->store, &prefix_list_kind); list;
         list = store_next(net->store, list)) {
        if (str_is(list->name, service_name)) {
            return list;
        }
    }
    return NULL;
}

bool
endpoint_service_has(const struct network *net, const char *name, const struct ip *ip)
{
    size_t size = strlen(name);
    for (const struct prefix_list *list = store_first(net->store, &prefix_list_kind); list;
         list = store_next(net->store, list)) {
        size_t length = list->name ? strlen(list->name) : 0;
        bool named = length > size + 1 && strncmp(list->name, "com.amazonaws.", 14) == 0 &&
                     list->name[length - size - 1] == '.' && strcmp(list->name + length - size, name) == 0;
        for (size_t i = 0; named && i < list->entries.n; i++) {
            if (cidr_contains_ip(&list->entries.items[i].cidr, ip)) {
                return true;
            }
        }
    }
    for (const struct endpoint_service *s = endpoint_services; s->name; s++) {
        for (size_t i = 0; strcmp(s->name, name) == 0 && i < ARRAY_SIZE(s->blocks) && s->blocks[i]; i++) {
            struct cidr block = cidr_lit(s->blocks[i]);
            if (cidr_contains_ip(&block, ip)) {
                return true;
            }
        }
    }
    return false;
}

#include "netsim/model/private_service.h"

#include "netsim/model/internal.h"

static const struct field type_fields[] = {
    FIELD(struct service_type, "ServiceType", FIELD_STRING, name, 0),
    FIELD_END,
};
const struct field service_principal_fields[] = {
    FIELD(struct service_principal, "PrincipalType", FIELD_STRING, type, 0),
    FIELD(struct service_principal, "Principal", FIELD_STRING, arn, 0),
    FIELD(struct service_principal, "ServicePermissionId", FIELD_STRING, permission_id, 0),
    FIELD_END,
};
static const struct field service_fields[] = {
    FIELD_LIST(struct private_service, "ServiceType", types, type_fields, FIELD_ALWAYS),
    FIELD(struct private_service, "ServiceId", FIELD_ID, obj.id, 0),
    FIELD(struct private_service, "ServiceName", FIELD_STRING, name, 0),
    FIELD(struct private_service, "ServiceState", FIELD_STRING, state, 0),
    FIELD(struct private_service, "AvailabilityZones", FIELD_STRINGS, zones, FIELD_ALWAYS),
    FIELD(struct private_service, "AcceptanceRequired", FIELD_BOOL, acceptance_required, 0),
    FIELD(struct private_service, "ManagesVpcEndpoints", FIELD_BOOL, manages_endpoints, 0),
    FIELD(struct private_service, "NetworkLoadBalancerArns", FIELD_STRINGS, nlb_arns, 0),
    FIELD(struct private_service, "GatewayLoadBalancerArns", FIELD_STRINGS, gwlb_arns, 0),
    FIELD(struct private_service, "SupportedIpAddressTypes", FIELD_STRINGS, ip_types, 0),
    FIELD(struct private_service, "BaseEndpointDnsNames", FIELD_STRINGS, base_dns_names, 0),
    FIELD(struct private_service, "PrivateDnsName", FIELD_STRING, private_dns_name, 0),
    FIELD(struct private_service, "PrivateDnsNameConfiguration.State", FIELD_STRING, dns_state, 0),
    FIELD(struct private_service, "PrivateDnsNameConfiguration.Type", FIELD_STRING, dns_record_type, 0),
    FIELD(struct private_service, "PrivateDnsNameConfiguration.Value", FIELD_STRING, dns_record_value, 0),
    FIELD(struct private_service, "PrivateDnsNameConfiguration.Name", FIELD_STRING, dns_record_name, 0),
    FIELD(struct private_service, "PayerResponsibility", FIELD_STRING, payer, 0),
    FIELD_LIST(struct private_service, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_LIST(struct private_service, "AllowedPrincipals", principals, service_principal_fields, FIELD_STATE_ONLY),
    FIELD(struct private_service, "OfferedTo", FIELD_STRINGS, offered_to, FIELD_STATE_ONLY),
    FIELD(struct private_service, "VpcEndpointPolicySupported", FIELD_BOOL, takes_policy,
          FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointServiceConfigurations.html */
static const struct filter_row service_filters[] = {
    { "service-name", "ServiceName" },
    { "service-id", "ServiceId" },
    { "service-state", "ServiceState" },
    { "supported-ip-address-types", "SupportedIpAddressTypes" },
    { NULL, NULL },
};

const struct kind private_service_kind = {
    .name = "vpc-endpoint-service",
    .prefix = "vpce-svc",
    .type = "vpc-endpoint-service",
    .list = "ServiceConfigurations",
    .id_member = "ServiceId",
    .ids_param = "ServiceIds",
    .not_found = "InvalidVpcEndpointServiceId.NotFound",
    .malformed = "InvalidVpcEndpointServiceId.Malformed",
    .size = sizeof(struct private_service),
    .fields = service_fields,
    .filters = service_filters,
};

struct private_service *
network_private_service(const struct network *net, const char *service_name)
{
    for (struct private_service *s = store_first(net->store, &private_service_kind); s; s = store_next(net->store, s)) {
        if (str_is(s->name, service_name)) {
            return s;
        }
    }
    return NULL;
}

struct private_service *
network_service_of_balancer(const struct network *net, const char *arn)
{
    for (struct private_service *s = store_first(net->store, &private_service_kind); s; s = store_next(net->store, s)) {
        for (size_t i = 0; i < s->nlb_arns.n + s->gwlb_arns.n; i++) {
            if (str_is(i < s->nlb_arns.n ? s->nlb_arns.items[i] : s->gwlb_arns.items[i - s->nlb_arns.n], arn)) {
                return s;
            }
        }
    }
    return NULL;
}

bool
private_service_is_gateway(const struct private_service *service)
{
    return service->gwlb_arns.n > 0 ||
           (service->types.n > 0 && str_is(service->types.items[0].name, "GatewayLoadBalancer"));
}

/* An account's root stands for everybody in the account.
 * Source: https://docs.aws.amazon.com/vpc/latest/privatelink/configure-endpoint-service.html#add-remove-permissions */
bool
private_service_admits(const struct private_service *service, const char *account, const char *arn)
{
    if (strcmp(service->obj.account, account) == 0) {
        return true;
    }
    char root[64];
    snprintf(root, sizeof root, "arn:aws:iam::%s:root", account);
    for (size_t i = 0; i < service->principals.n; i++) {
        const char *permitted = service->principals.items[i].arn;
        if (str_is(permitted, "*") || str_is(permitted, root) || (arn && str_is(permitted, arn))) {
            return true;
        }
    }
    for (size_t i = 0; i < service->offered_to.n; i++) {
        if (str_is(service->offered_to.items[i], account) || str_is(service->offered_to.items[i], "*")) {
            return true;
        }
    }
    return false;
}

bool
private_service_has_balancer(const struct network *net, const struct private_service *service)
{
    const service_texts *lists[] = { &service->nlb_arns, &service->gwlb_arns };
    for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
        for (size_t i = 0; i < lists[k]->n; i++) {
            if (network_load_balancer(net, lists[k]->items[i])) {
                return true;
            }
        }
    }
    return false;
}

json_t *
private_service_details(const struct network *net, const struct private_service *service)
{
    static const char *const shared[] = { "ServiceName",
                                          "ServiceId",
                                          "ServiceType",
                                          "AvailabilityZones",
                                          "BaseEndpointDnsNames",
                                          "AcceptanceRequired",
                                          "ManagesVpcEndpoints",
                                          "PayerResponsibility",
                                          "Tags",
                                          "SupportedIpAddressTypes" };
    json_t *described = object_describe(net->store, service), *out = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
        json_t *value = json_object_get(described, shared[i]);
        if (value) {
            json_object_set(out, shared[i], value);
        }
    }
    bool of_aws = strcmp(service->obj.account, "AWS") == 0;
    json_object_set_new(out, "Owner", json_string(of_aws ? "amazon" : service->obj.account));
    json_object_set_new(out, "VpcEndpointPolicySupported", json_boolean(service->takes_policy));
    if (service->private_dns_name) {
        json_object_set_new(out, "PrivateDnsName", json_string(service->private_dns_name));
        json_object_set_new(out, "PrivateDnsNames", json_pack("[{s:s}]", "PrivateDnsName", service->private_dns_name));
        json_object_set_new(out, "PrivateDnsNameVerificationState",
                            json_string(service->dns_state ? service->dns_state : "pendingVerification"));
    }
    json_decref(described);
    return out;
}

const char *
private_service_dns_name(const struct private_service *service)
{
    return service->private_dns_name && str_is(service->dns_state, "verified") ? service->private_dns_name : NULL;
}

static void
put_strings(json_t *out, const char *member, char *const *texts, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, json_string(texts[i]));
    }
    if (n > 0) {
        json_object_set(out, member, list);
    }
    json_decref(list);
}

json_t *
endpoint_connection_json(const struct network *net, const struct endpoint *endpoint,
                         const struct private_service *service)
{
    static const char *const shared[] = { "VpcEndpointId", "CreationTimestamp", "DnsEntries", "IpAddressType" };
    json_t *described = object_describe(net->store, endpoint);
    json_t *out = json_pack("{s:s, s:s, s:s}", "ServiceId", service->obj.id, "VpcEndpointOwner", endpoint->obj.account,
                            "VpcEndpointState", endpoint->state ? endpoint->state : "available");
    for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
        json_t *value = json_object_get(described, shared[i]);
        if (value) {
            json_object_set(out, shared[i], value);
        }
    }
    put_strings(out, "NetworkLoadBalancerArns", service->nlb_arns.items, service->nlb_arns.n);
    put_strings(out, "GatewayLoadBalancerArns", service->gwlb_arns.items, service->gwlb_arns.n);
    if (endpoint->connection_id) {
        json_object_set_new(out, "VpcEndpointConnectionId", json_string(endpoint->connection_id));
    }
    json_object_set_new(out, "VpcEndpointRegion", json_string(endpoint->obj.region));
    json_object_set_new(out, "Tags", json_array());
    json_decref(described);
    return out;
}

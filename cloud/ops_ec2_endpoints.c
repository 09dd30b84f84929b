/* cloud/ops_ec2_endpoints.c - VPC endpoints and the services there are for them.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html and neighbours */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/endpoint.h"

/* Ids of a list argument; the array is the caller's, the texts are the arguments'. */
static const char *const *
id_list(const struct op_call *call, const char *name, size_t *n)
{
    const json_t *list = json_object_get(call->in, name);
    *n = json_array_size(list);
    const char **ids = xcalloc(*n + 1, sizeof *ids);
    for (size_t i = 0; i < *n; i++) {
        ids[i] = json_string_value(json_array_get(list, i));
    }
    return ids;
}

static bool
check_policy(const struct op_call *call, struct err *err)
{
    const char *text = arg_str(call->in, "PolicyDocument");
    struct err cause = { 0 };
    json_t *policy = text ? json_read(text, strlen(text), "PolicyDocument", &cause) : NULL;
    bool ok = !text || json_is_object(policy);
    json_decref(policy);
    if (!ok) {
        err_set(err, ERR_INPUT, "InvalidPolicyDocument", "the policy is not a JSON object%s%s",
                cause.text[0] ? ": " : "", cause.text);
        return err_at(err, "PolicyDocument", cause.line, cause.column);
    }
    return true;
}

#define NOT_MODELLED                                                                                                   \
    "IpAddressType DnsOptions SubnetConfigurations ServiceNetworkArn ResourceConfigurationArn ServiceRegion"

static bool
create_vpc_endpoint(struct op_call *call, struct err *err)
{
    const char *type = arg_str(call->in, "VpcEndpointType");
    bool interface = type && strcmp(type, "Interface") == 0;
    if (!ec2_check_tags(call, (const struct kind *const[]){ &endpoint_kind, NULL }, err) ||
        !ec2_refuse(call, NOT_MODELLED, err) || !ec2_require(call, &vpc_kind, "VpcId", err) ||
        !check_policy(call, err)) {
        return false;
    }
    if (type && !interface && strcmp(type, "Gateway") != 0) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model endpoints of type `%s`", type);
    }
    struct endpoint_spec spec = { .vpc_id = arg_str(call->in, "VpcId"),
                                  .service_name = arg_str(call->in, "ServiceName"),
                                  .policy = arg_str(call->in, "PolicyDocument"),
                                  .interface = interface,
                                  /* As the API: on unless said otherwise. */
                                  .private_dns = arg_flag(call->in, "PrivateDnsEnabled", interface) };
    spec.tables = id_list(call, "RouteTableIds", &spec.n_tables);
    spec.subnets = id_list(call, "SubnetIds", &spec.n_subnets);
    spec.groups = id_list(call, "SecurityGroupIds", &spec.n_groups);
    struct endpoint *endpoint = endpoint_create(ec2_net(call), &spec, err);
    free((void *)spec.tables);
    free((void *)spec.subnets);
    free((void *)spec.groups);
    if (!endpoint) {
        return false;
    }
    ec2_tag_new(call, &endpoint->obj);
    ec2_answer(call, "VpcEndpoint", endpoint);
    ec2_answer_token(call);
    return true;
}

static bool
modify_vpc_endpoint(struct op_call *call, struct err *err)
{
    struct endpoint *endpoint = ec2_require(call, &endpoint_kind, "VpcEndpointId", err);
    if (!endpoint || !ec2_refuse(call, "IpAddressType DnsOptions SubnetConfigurations", err) ||
        !check_policy(call, err)) {
        return false;
    }
    bool reset = arg_flag(call->in, "ResetPolicy", false);
    if (reset && arg_str(call->in, "PolicyDocument")) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "`ResetPolicy` and `PolicyDocument` cannot be given together");
    }
    struct endpoint_change change = {
        .policy = reset ? "" : arg_str(call->in, "PolicyDocument"),
        .private_dns =
            json_object_get(call->in, "PrivateDnsEnabled") ? arg_flag(call->in, "PrivateDnsEnabled", false) : -1,
    };
    change.add_tables = id_list(call, "AddRouteTableIds", &change.n_add_tables);
    change.remove_tables = id_list(call, "RemoveRouteTableIds", &change.n_remove_tables);
    change.add_subnets = id_list(call, "AddSubnetIds", &change.n_add_subnets);
    change.remove_subnets = id_list(call, "RemoveSubnetIds", &change.n_remove_subnets);
    change.add_groups = id_list(call, "AddSecurityGroupIds", &change.n_add_groups);
    change.remove_groups = id_list(call, "RemoveSecurityGroupIds", &change.n_remove_groups);
    bool ok = endpoint_modify(ec2_net(call), endpoint, &change, err);
    const char *const *const lists[] = { change.add_tables,     change.remove_tables, change.add_subnets,
                                         change.remove_subnets, change.add_groups,    change.remove_groups };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        free((void *)lists[i]);
    }
    return ok && ec2_return(call);
}

static bool
delete_vpc_endpoints(struct op_call *call, struct err *err)
{
    const json_t *ids = json_object_get(call->in, "VpcEndpointIds");
    json_t *unsuccessful = json_array();
    (void)err;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        struct err cause = { 0 };
        struct endpoint *endpoint = network_require(ec2_net(call), &endpoint_kind, id, &cause);
        if (endpoint) {
            endpoint_delete(ec2_net(call), endpoint);
        } else {
            json_array_append_new(unsuccessful, json_pack("{s:s, s:{s:s, s:s}}", "ResourceId", id, "Error", "Code",
                                                          cause.code, "Message", cause.text));
        }
    }
    json_object_set_new(call->out, "Unsuccessful", unsuccessful);
    return true;
}

/* ---- services ---------------------------------------------------------------------------------------------------- */

static bool
is_asked(const json_t *names, const char *name)
{
    bool asked = json_array_size(names) == 0;
    for (size_t i = 0; i < json_array_size(names) && !asked; i++) {
        asked = strcmp(json_string_value(json_array_get(names, i)), name) == 0;
    }
    return asked;
}

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointServices.html */
static const struct filter_row service_filters[] = {
    { "owner", "Owner" },
    { "service-name", "ServiceName" },
    { "service-type", "ServiceType.ServiceType" },
    { NULL, NULL },
};
static const struct kind service_view = {
    .name = "vpc-endpoint-service", .list = "ServiceDetails", .id_member = "ServiceName", .filters = service_filters
};

static json_t *
service_json(const struct op_call *call, const struct endpoint_service *service, bool gateway)
{
    char *name = xasprintf("com.amazonaws.%s.%s", call->cloud->region, service->name);
    json_t *zones = json_array();
    char zone[24], zone_id[24];
    for (size_t i = 0; network_zone(ec2_net(call), i, zone, zone_id); i++) {
        json_array_append_new(zones, json_string(zone));
    }
    json_t *out = json_pack("{s:s, s:[{s:s}], s:o, s:s, s:b, s:b, s:b, s:[s]}", "ServiceName", name, "ServiceType",
                            "ServiceType", gateway ? "Gateway" : "Interface", "AvailabilityZones", zones, "Owner",
                            "amazon", "VpcEndpointPolicySupported", 1, "AcceptanceRequired", 0, "ManagesVpcEndpoints",
                            0, "SupportedIpAddressTypes", "ipv4");
    if (!gateway) {
        char *private_name = xasprintf("%s.%s.amazonaws.com", service->name, call->cloud->region);
        json_object_set_new(out, "PrivateDnsName", json_string(private_name));
        free(private_name);
    }
    free(name);
    return out;
}

static bool
describe_services(struct op_call *call, struct err *err)
{
    const json_t *filters = json_object_get(call->in, "Filters"), *asked = json_object_get(call->in, "ServiceNames");
    if (!filters_check(&service_view, filters, err) || !ec2_refuse(call, "ServiceRegions", err)) {
        return false;
    }
    json_t *names = json_array(), *details = json_array();
    for (const struct endpoint_service *s = endpoint_services; s->name; s++) {
        for (int gateway = s->gateway; gateway >= !s->interface; gateway--) {
            json_t *shown = service_json(call, s, gateway);
            json_t *name = json_object_get(shown, "ServiceName");
            if (is_asked(asked, json_string_value(name)) && filters_match(&service_view, filters, shown)) {
                json_array_append(details, shown);
                size_t n = json_array_size(names);
                if (n == 0 || !json_equal(json_array_get(names, n - 1), name)) {
                    json_array_append(names, name);
                }
            }
            json_decref(shown);
        }
    }
    if (json_array_size(asked) > 0 && json_array_size(names) == 0 && json_array_size(filters) == 0) {
        err_set(err, ERR_INPUT, "InvalidServiceName", "the VPC endpoint service `%s` does not exist",
                json_string_value(json_array_get(asked, 0)));
        json_decref(names);
        json_decref(details);
        return false;
    }
    json_object_set_new(call->out, "ServiceNames", names);
    return ec2_answer_page(call, "ServiceDetails", details, "ServiceName", err);
}

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_endpoints[] = {
    ROW("CreateVpcEndpoint", OP_WRITE, create_vpc_endpoint, "vpc/${VpcId} vpc-endpoint/*",
        "Create a gateway endpoint (routes to S3 or DynamoDB) or an interface endpoint."),
    ROW("ModifyVpcEndpoint", OP_WRITE, modify_vpc_endpoint, "vpc-endpoint/${VpcEndpointId}",
        "Change the route tables, subnets, groups or policy of an endpoint."),
    ROW("DeleteVpcEndpoints", OP_WRITE, delete_vpc_endpoints, "vpc-endpoint/${VpcEndpointIds}",
        "Delete endpoints with their routes and interfaces."),
    ROW("DescribeVpcEndpoints", OP_READ, ec2_describe, NULL, "Show VPC endpoints."),
    ROW("DescribeVpcEndpointServices", OP_READ, describe_services, NULL,
        "Show the services that endpoints can be made for."),
    { 0 },
};

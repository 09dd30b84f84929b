/* cloud/ops_ec2_endpoints.c - VPC endpoints; the services they lead to: ops_ec2_endpoint_services.c.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html and neighbours */
#include <stdlib.h>
#include <string.h>
#include "cloud/caller.h"
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

/* Of DnsOptions the type of the records is modelled. */
static bool
read_dns_options(const struct op_call *call, const char **type, struct err *err)
{
    const json_t *options = json_object_get(call->in, "DnsOptions");
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)options, member, value)
    {
        if (strcmp(member, "DnsRecordIpType") != 0) {
            return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model `DnsOptions.%s`", member);
        }
        *type = json_string_value(value);
    }
    return true;
}

static bool
create_vpc_endpoint(struct op_call *call, struct err *err)
{
    static const struct {
        const char *name;
        enum endpoint_type type;
    } types[] = { { "Gateway", ENDPOINT_GATEWAY },
                  { "Interface", ENDPOINT_INTERFACE },
                  { "GatewayLoadBalancer", ENDPOINT_GATEWAY_LB } };
    const char *type = arg_str(call->in, "VpcEndpointType"), *dns_type = NULL;
    if (!ec2_check_tags(call, (const struct kind *const[]){ &endpoint_kind, NULL }, err) ||
        !read_dns_options(call, &dns_type, err) || !ec2_require(call, &vpc_kind, "VpcId", err) ||
        !check_policy(call, err)) {
        return false;
    }
    size_t row = 0;
    while (type && row < ARRAY_SIZE(types) && strcmp(types[row].name, type) != 0) {
        row++;
    }
    if (row == ARRAY_SIZE(types)) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model endpoints of type `%s`", type);
    }
    const struct caller *caller = call->cloud->caller;
    bool asks_dns = json_object_get(call->in, "PrivateDnsEnabled") != NULL;
    struct endpoint_spec spec = { .vpc_id = arg_str(call->in, "VpcId"),
                                  .service_name = arg_str(call->in, "ServiceName"),
                                  .policy = arg_str(call->in, "PolicyDocument"),
                                  .principal = !caller                       ? NULL
                                               : caller->kind == CALLER_ROLE ? caller->issuer
                                                                             : caller->arn,
                                  .type = types[row].type,
                                  .private_dns = asks_dns ? arg_flag(call->in, "PrivateDnsEnabled", false) : -1,
                                  .ip_address_type = arg_str(call->in, "IpAddressType"),
                                  .dns_record_type = dns_type };
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
    const char *dns_type = NULL;
    if (!endpoint || !read_dns_options(call, &dns_type, err) || !check_policy(call, err)) {
        return false;
    }
    bool reset = arg_flag(call->in, "ResetPolicy", false);
    if (reset && arg_str(call->in, "PolicyDocument")) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "`ResetPolicy` and `PolicyDocument` cannot be given together");
    }
    struct endpoint_change change = {
        .policy = reset ? "" : arg_str(call->in, "PolicyDocument"),
        .ip_address_type = arg_str(call->in, "IpAddressType"),
        .dns_record_type = dns_type,
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

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_endpoints[] = {
    ROW("CreateVpcEndpoint", OP_WRITE, create_vpc_endpoint, "vpc/${VpcId} vpc-endpoint/*",
        "Create a gateway endpoint (routes to S3 or DynamoDB), an interface endpoint, or one of a Gateway Load "
        "Balancer."),
    ROW("ModifyVpcEndpoint", OP_WRITE, modify_vpc_endpoint, "vpc-endpoint/${VpcEndpointId}",
        "Change the route tables, subnets, groups or policy of an endpoint."),
    ROW("DeleteVpcEndpoints", OP_WRITE, delete_vpc_endpoints, "vpc-endpoint/${VpcEndpointIds}",
        "Delete endpoints with their routes and interfaces."),
    ROW("DescribeVpcEndpoints", OP_READ, ec2_describe, NULL, "Show VPC endpoints."),
    { 0 },
};

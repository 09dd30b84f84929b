/* cloud/ops_ec2_endpoint_services.c - endpoint services (AWS PrivateLink): what an account offers, who may connect, and
 * their connections; and the list of all services, AWS's and the lab's. Source:
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpointServiceConfiguration.html and neighbours
 */
#include <stdlib.h>
#include <string.h>
#include "cloud/caller.h"
#include "cloud/ops_elbv2.h"
#include "netsim/model/private_service.h"

static const char *const *
text_list(const struct op_call *call, const char *name, size_t *n)
{
    const json_t *list = json_object_get(call->in, name);
    *n = json_array_size(list);
    const char **texts = xcalloc(*n + 1, sizeof *texts);
    for (size_t i = 0; i < *n; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
    }
    return texts;
}

/* Balancers by ARN or, as elbv2 understands them, by name; the texts are borrowed from the arguments and the lab. */
static const char *const *
balancer_list(const struct op_call *call, const char *name, size_t *n)
{
    const char **texts = (const char **)(void *)text_list(call, name, n);
    for (size_t i = 0; i < *n; i++) {
        struct err absent = { 0 };
        const struct load_balancer *lb = elbv2_find_balancer(call, texts[i], &absent);
        texts[i] = lb ? lb->arn : texts[i];
    }
    return texts;
}

static void
change_read(const struct op_call *call, const char *prefix, struct private_service_change *c)
{
    char name[64];
    const struct {
        const char *member;
        const char *const **texts;
        size_t *n;
    } lists[] = { { "NetworkLoadBalancerArns", &c->add_nlbs, &c->n_add_nlbs },
                  { "GatewayLoadBalancerArns", &c->add_gwlbs, &c->n_add_gwlbs },
                  { "SupportedIpAddressTypes", &c->add_ip_types, &c->n_add_ip_types } };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        snprintf(name, sizeof name, "%s%s", prefix, lists[i].member);
        *lists[i].texts = i < 2 ? balancer_list(call, name, lists[i].n) : text_list(call, name, lists[i].n);
    }
    c->remove_nlbs = balancer_list(call, "RemoveNetworkLoadBalancerArns", &c->n_remove_nlbs);
    c->remove_gwlbs = balancer_list(call, "RemoveGatewayLoadBalancerArns", &c->n_remove_gwlbs);
    c->remove_ip_types = text_list(call, "RemoveSupportedIpAddressTypes", &c->n_remove_ip_types);
    c->private_dns_name = arg_flag(call->in, "RemovePrivateDnsName", false) ? "" : arg_str(call->in, "PrivateDnsName");
    bool asked = json_object_get(call->in, "AcceptanceRequired") != NULL;
    c->acceptance_required = asked ? arg_flag(call->in, "AcceptanceRequired", true) : -1;
}

static void
change_done(struct private_service_change *c)
{
    const char *const *const lists[] = { c->add_nlbs,     c->remove_nlbs,  c->add_gwlbs,
                                         c->remove_gwlbs, c->add_ip_types, c->remove_ip_types };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        free((void *)lists[i]);
    }
}

static bool
create_service(struct op_call *call, struct err *err)
{
    if (!ec2_check_tags(call, (const struct kind *const[]){ &private_service_kind, NULL }, err)) {
        return false;
    }
    struct private_service_change spec = { 0 };
    change_read(call, "", &spec);
    struct private_service *service = private_service_create(ec2_net(call), &spec, err);
    change_done(&spec);
    if (!service) {
        return false;
    }
    ec2_tag_new(call, &service->obj);
    ec2_answer(call, "ServiceConfiguration", service);
    ec2_answer_token(call);
    return true;
}

static bool
modify_service(struct op_call *call, struct err *err)
{
    struct private_service *service = ec2_require(call, &private_service_kind, "ServiceId", err);
    if (!service) {
        return false;
    }
    if (arg_flag(call->in, "RemovePrivateDnsName", false) && arg_str(call->in, "PrivateDnsName")) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "`RemovePrivateDnsName` and `PrivateDnsName` cannot be given together");
    }
    struct private_service_change change = { 0 };
    change_read(call, "Add", &change);
    bool ok = private_service_modify(ec2_net(call), service, &change, err);
    change_done(&change);
    return ok && ec2_return(call);
}

static void
add_unsuccessful(json_t *list, const char *id, const struct err *cause)
{
    json_array_append_new(
        list, json_pack("{s:{s:s, s:s}, s:s}", "Error", "Code", cause->code, "Message", cause->text, "ResourceId", id));
}

static bool
delete_services(struct op_call *call, struct err *err)
{
    const json_t *ids = json_object_get(call->in, "ServiceIds");
    json_t *unsuccessful = json_array();
    (void)err;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        struct err cause = { 0 };
        struct private_service *service = network_require(ec2_net(call), &private_service_kind, id, &cause);
        if (!service || !private_service_delete(ec2_net(call), service, &cause)) {
            add_unsuccessful(unsuccessful, id, &cause);
        }
    }
    json_object_set_new(call->out, "Unsuccessful", unsuccessful);
    return true;
}

/* ---- who may connect --------------------------------------------------------------------------------------------- */

static json_t *
principal_json(const struct private_service *service, const struct service_principal *principal)
{
    json_t *out = json_object();
    fields_print(service_principal_fields, principal, false, out);
    json_object_set_new(out, "ServiceId", json_string(service->obj.id));
    return out;
}

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointServicePermissions.html */
static const struct filter_row principal_filters[] = { { "principal", "Principal" },
                                                       { "principal-type", "PrincipalType" },
                                                       { NULL, NULL } };
static const struct kind principal_view = { .name = "vpc-endpoint-service-permission",
                                            .list = "AllowedPrincipals",
                                            .id_member = "ServicePermissionId",
                                            .filters = principal_filters };

static bool
describe_permissions(struct op_call *call, struct err *err)
{
    const struct private_service *service = ec2_require(call, &private_service_kind, "ServiceId", err);
    const json_t *filters = json_object_get(call->in, "Filters");
    if (!service || !filters_check(&principal_view, filters, err)) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < service->principals.n; i++) {
        json_t *shown = principal_json(service, &service->principals.items[i]);
        if (filters_match(&principal_view, filters, shown)) {
            json_array_append(list, shown);
        }
        json_decref(shown);
    }
    return ec2_answer_page(call, "AllowedPrincipals", list, "ServicePermissionId", err);
}

static bool
modify_permissions(struct op_call *call, struct err *err)
{
    struct private_service *service = ec2_require(call, &private_service_kind, "ServiceId", err);
    const json_t *add = json_object_get(call->in, "AddAllowedPrincipals");
    const json_t *remove = json_object_get(call->in, "RemoveAllowedPrincipals");
    bool ok = service != NULL;
    for (size_t i = 0; ok && i < json_array_size(remove); i++) {
        ok = private_service_forbid(ec2_net(call), service, json_string_value(json_array_get(remove, i)), err);
    }
    size_t before = ok ? service->principals.n : 0;
    for (size_t i = 0; ok && i < json_array_size(add); i++) {
        ok = private_service_permit(ec2_net(call), service, json_string_value(json_array_get(add, i)), err);
    }
    if (!ok) {
        return false;
    }
    json_t *added = json_array();
    for (size_t i = before; i < service->principals.n; i++) {
        json_array_append_new(added, principal_json(service, &service->principals.items[i]));
    }
    json_object_set_new(call->out, "AddedPrincipals", added);
    json_object_set_new(call->out, "ReturnValue", json_true());
    return true;
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcEndpointConnections.html */
static const struct filter_row connection_filters[] = {
    { "ip-address-type", "IpAddressType" },
    { "service-id", "ServiceId" },
    { "vpc-endpoint-owner", "VpcEndpointOwner" },
    { "vpc-endpoint-region", "VpcEndpointRegion" },
    { "vpc-endpoint-state", "VpcEndpointState" },
    { "vpc-endpoint-id", "VpcEndpointId" },
    { NULL, NULL },
};
static const struct kind connection_view = { .name = "vpc-endpoint-connection",
                                             .list = "VpcEndpointConnections",
                                             .id_member = "VpcEndpointConnectionId",
                                             .filters = connection_filters };

/* The person at the prompt is root of every account; whoever was named sees what is his account's. */
static bool
sees(const struct op_call *call, const struct private_service *service)
{
    return strcmp(service->obj.region, call->cloud->region) == 0 &&
           (!call->cloud->caller || strcmp(service->obj.account, call->cloud->account) == 0);
}

static bool
describe_connections(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const json_t *filters = json_object_get(call->in, "Filters");
    if (!filters_check(&connection_view, filters, err)) {
        return false;
    }
    json_t *list = json_array();
    for (const struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
        const struct private_service *service = network_private_service(ec2_net(call), e->service_name);
        json_t *shown = service && sees(call, service) ? endpoint_connection_json(ec2_net(call), e, service) : NULL;
        if (shown && filters_match(&connection_view, filters, shown)) {
            json_array_append(list, shown);
        }
        json_decref(shown);
    }
    return ec2_answer_page(call, "VpcEndpointConnections", list, "VpcEndpointId", err);
}

static bool
decide_connections(struct op_call *call,
                   bool (*decide)(struct network *, struct private_service *, const char *, struct err *),
                   struct err *err)
{
    struct private_service *service = ec2_require(call, &private_service_kind, "ServiceId", err);
    const json_t *ids = json_object_get(call->in, "VpcEndpointIds");
    if (!service) {
        return false;
    }
    json_t *unsuccessful = json_array();
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        struct err cause = { 0 };
        if (!decide(ec2_net(call), service, id, &cause)) {
            add_unsuccessful(unsuccessful, id, &cause);
        }
    }
    json_object_set_new(call->out, "Unsuccessful", unsuccessful);
    return true;
}

static bool
accept_connections(struct op_call *call, struct err *err)
{
    return decide_connections(call, private_service_accept, err);
}

static bool
reject_connections(struct op_call *call, struct err *err)
{
    return decide_connections(call, private_service_reject, err);
}

static bool
start_verification(struct op_call *call, struct err *err)
{
    struct private_service *service = ec2_require(call, &private_service_kind, "ServiceId", err);
    if (!service || !private_service_verify_dns(ec2_net(call), service, err)) {
        return false;
    }
    json_object_set_new(call->out, "ReturnValue", json_true());
    return true;
}

/* Of a service that is known by what its users see, nobody here is the owner. */
static bool
describe_configurations(struct op_call *call, struct err *err)
{
    if (!ec2_describe(call, err)) {
        return false;
    }
    json_t *list = json_object_get(call->out, "ServiceConfigurations");
    for (size_t i = json_array_size(list); i-- > 0;) {
        const char *id = json_str(json_array_get(list, i), "ServiceId");
        const struct private_service *service = store_get(network_store(ec2_net(call)), &private_service_kind, id);
        if (service && service->offered_to.n > 0 && service->nlb_arns.n + service->gwlb_arns.n == 0) {
            json_array_remove(list, i);
        }
    }
    return true;
}

/* ---- all services ------------------------------------------------------------------------------------------------ */

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
    { "supported-ip-address-types", "SupportedIpAddressTypes" },
    { NULL, NULL },
};
static const struct kind service_view = {
    .name = "vpc-endpoint-service", .list = "ServiceDetails", .id_member = "ServiceName", .filters = service_filters
};

static json_t *
aws_service_json(const struct op_call *call, const struct endpoint_service *service, bool gateway)
{
    char *name = xasprintf("com.amazonaws.%s.%s", call->cloud->region, service->name);
    json_t *zones = json_array();
    char zone[24], zone_id[24];
    for (size_t i = 0; network_zone(ec2_net(call), i, zone, zone_id); i++) {
        json_array_append_new(zones, json_string(zone));
    }
    json_t *out =
        json_pack("{s:s, s:[{s:s}], s:o, s:s, s:b, s:b, s:b}", "ServiceName", name, "ServiceType", "ServiceType",
                  gateway ? "Gateway" : "Interface", "AvailabilityZones", zones, "Owner", "amazon",
                  "VpcEndpointPolicySupported", 1, "AcceptanceRequired", 0, "ManagesVpcEndpoints", 0);
    json_object_set_new(out, "SupportedIpAddressTypes",
                        gateway ? json_pack("[s]", "ipv4") : json_pack("[ss]", "ipv4", "ipv6"));
    if (!gateway) {
        char *private_name = xasprintf("%s.%s.amazonaws.com", service->name, call->cloud->region);
        json_object_set_new(out, "PrivateDnsName", json_string(private_name));
        free(private_name);
    }
    free(name);
    return out;
}

struct service_list {
    const json_t *filters, *asked;
    json_t *names, *details;
};

static void
add_service(struct service_list *list, json_t *shown)
{
    json_t *name = json_object_get(shown, "ServiceName");
    if (is_asked(list->asked, json_string_value(name)) && filters_match(&service_view, list->filters, shown)) {
        json_array_append(list->details, shown);
        size_t n = json_array_size(list->names);
        if (n == 0 || !json_equal(json_array_get(list->names, n - 1), name)) {
            json_array_append(list->names, name);
        }
    }
    json_decref(shown);
}

static bool
describe_services(struct op_call *call, struct err *err)
{
    struct service_list list = { json_object_get(call->in, "Filters"), json_object_get(call->in, "ServiceNames"), NULL,
                                 NULL };
    const struct caller *caller = call->cloud->caller;
    const char *principal = !caller ? NULL : caller->kind == CALLER_ROLE ? caller->issuer : caller->arn;
    if (!filters_check(&service_view, list.filters, err)) {
        return false;
    }
    list.names = json_array();
    list.details = json_array();
    for (const struct endpoint_service *s = endpoint_services; s->name; s++) {
        for (int gateway = s->gateway; gateway >= !s->interface; gateway--) {
            add_service(&list, aws_service_json(call, s, gateway));
        }
    }
    const struct store *store = network_store(ec2_net(call));
    for (const struct private_service *s = store_first(store, &private_service_kind); s; s = store_next(store, s)) {
        bool admitted = !caller || private_service_admits(s, call->cloud->account, principal);
        if (admitted && strcmp(s->obj.region, call->cloud->region) == 0) {
            add_service(&list, private_service_details(ec2_net(call), s));
        }
    }
    if (json_array_size(list.asked) > 0 && json_array_size(list.names) == 0 && json_array_size(list.filters) == 0) {
        err_set(err, ERR_INPUT, "InvalidServiceName", "the VPC endpoint service `%s` does not exist",
                json_string_value(json_array_get(list.asked, 0)));
        json_decref(list.names);
        json_decref(list.details);
        return false;
    }
    json_object_set_new(call->out, "ServiceNames", list.names);
    return ec2_answer_page(call, "ServiceDetails", list.details, "ServiceName", err);
}

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
#define SERVICE "vpc-endpoint-service/${ServiceId}"
const struct op ops_ec2_endpoint_services[] = {
    ROW("DescribeVpcEndpointServices", OP_READ, describe_services, NULL,
        "Show the services that endpoints can be made for, AWS's and those of the lab."),
    ROW("CreateVpcEndpointServiceConfiguration", OP_WRITE, create_service, "vpc-endpoint-service/*",
        "Offer what is behind Network or Gateway Load Balancers to endpoints in other VPCs."),
    ROW("DescribeVpcEndpointServiceConfigurations", OP_READ, describe_configurations, NULL,
        "Show the endpoint services of the account."),
    ROW("ModifyVpcEndpointServiceConfiguration", OP_WRITE, modify_service, SERVICE,
        "Change the load balancers, acceptance, address types or private DNS name of an endpoint service."),
    ROW("DeleteVpcEndpointServiceConfigurations", OP_WRITE, delete_services, "vpc-endpoint-service/${ServiceIds}",
        "Delete endpoint services that no endpoint is connected to."),
    ROW("DescribeVpcEndpointServicePermissions", OP_READ, describe_permissions, SERVICE,
        "Show who may make endpoints to a service."),
    ROW("ModifyVpcEndpointServicePermissions", OP_WRITE, modify_permissions, SERVICE,
        "Permit or forbid accounts, users and roles to make endpoints to a service."),
    ROW("DescribeVpcEndpointConnections", OP_READ, describe_connections, NULL,
        "Show the endpoints connected to the account's services and the state of each connection."),
    ROW("AcceptVpcEndpointConnections", OP_WRITE, accept_connections, SERVICE,
        "Let endpoints connect that wait for acceptance."),
    ROW("RejectVpcEndpointConnections", OP_WRITE, reject_connections, SERVICE,
        "Refuse endpoints that wait for acceptance, or cut off accepted ones."),
    ROW("StartVpcEndpointServicePrivateDnsVerification", OP_WRITE, start_verification, SERVICE,
        "Have the private DNS name of a service verified, so that endpoints may use it."),
    { 0 },
};

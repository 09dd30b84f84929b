/* VPC endpoints: creating, changing, deleting. */
#include "netsim/model/internal.h"
#include "netsim/model/private_service.h"

#define FULL_ACCESS                                                                                                    \
    "{\"Version\":\"2008-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\","           \
    "\"Resource\":\"*\"}]}"

/* What AWS offers in a region, as far as labs ask for it; 'blocks' of gateway services stand for the much longer lists
 * that AWS keeps, with blocks it announces for us-east-1.
 * Source: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html */
const struct endpoint_service endpoint_services[] = {
    { "s3", true, true, { "52.216.0.0/15", "3.5.0.0/19" } },
    { "dynamodb", true, true, { "52.94.0.0/22", "52.119.224.0/20" } },
    { "athena", false, true, { NULL } },
    { "autoscaling", false, true, { NULL } },
    { "cloudformation", false, true, { NULL } },
    { "cloudtrail", false, true, { NULL } },
    { "codebuild", false, true, { NULL } },
    { "ec2", false, true, { NULL } },
    { "ec2messages", false, true, { NULL } },
    { "ecr.api", false, true, { NULL } },
    { "ecr.dkr", false, true, { NULL } },
    { "ecs", false, true, { NULL } },
    { "elasticfilesystem", false, true, { NULL } },
    { "elasticloadbalancing", false, true, { NULL } },
    { "events", false, true, { NULL } },
    { "execute-api", false, true, { NULL } },
    { "glue", false, true, { NULL } },
    { "kinesis-streams", false, true, { NULL } },
    { "kms", false, true, { NULL } },
    { "lambda", false, true, { NULL } },
    { "logs", false, true, { NULL } },
    { "monitoring", false, true, { NULL } },
    { "rds", false, true, { NULL } },
    { "sagemaker.api", false, true, { NULL } },
    { "secretsmanager", false, true, { NULL } },
    { "sns", false, true, { NULL } },
    { "sqs", false, true, { NULL } },
    { "ssm", false, true, { NULL } },
    { "ssmmessages", false, true, { NULL } },
    { "states", false, true, { NULL } },
    { "sts", false, true, { NULL } },
    { NULL, false, false, { NULL } },
};

/* What the name of a service means: one of AWS's or of the lab's own; at most one is there. */
struct offer {
    const struct endpoint_service *aws;
    const struct private_service *own;
    const char *label; /* in DNS names: "s3", "vpce-svc-0a1b" */
};

/* "com.amazonaws.us-east-1.s3" in us-east-1 -> the row of s3. */
static struct offer
offer_of(const struct network *net, const char *name)
{
    struct offer offer = { .own = name ? network_private_service(net, name) : NULL, .label = name };
    char prefix[48];
    int length = snprintf(prefix, sizeof prefix, "com.amazonaws.%s.", net->region);
    bool here = name && strncmp(name, prefix, (size_t)length) == 0;
    for (const struct endpoint_service *s = endpoint_services; here && s->name && !offer.aws; s++) {
        offer.aws = strcmp(s->name, name + length) == 0 ? s : NULL;
    }
    if (offer.own && strcmp(offer.own->obj.region, net->region) != 0) {
        offer.own = NULL;
    }
    offer.label = offer.own ? offer.own->obj.id : offer.aws ? offer.aws->name : name;
    return offer;
}

/* AWS's own list is there as soon as something needs it. */
static struct prefix_list *
service_prefix_list(struct network *net, const struct endpoint_service *service, const char *name)
{
    struct prefix_list *list = network_service_prefix_list(net, name);
    if (!list) {
        list = network_add(net, &prefix_list_kind, NULL);
        snprintf(list->obj.account, sizeof list->obj.account, "AWS");
        list->name = xstrdup(name);
        list->state = xstrdup("create-complete");
        list->address_family = xstrdup("IPv4");
        list->version = 1;
        for (size_t i = 0; i < ARRAY_SIZE(service->blocks) && service->blocks[i]; i++) {
            VEC_ADD(&list->entries)->cidr = cidr_lit(service->blocks[i]);
        }
        list->max_entries = (int32_t)list->entries.n;
    }
    return list;
}

/* ---- gateway endpoints: routes ----------------------------------------------------------------------------------- */

static bool
is_in(const char *const *ids, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static bool
has_table(const struct endpoint *endpoint, const char *id)
{
    return is_in((const char *const *)endpoint->table_ids.items, endpoint->table_ids.n, id);
}

static bool
table_add(struct network *net, struct endpoint *endpoint, const struct prefix_list *list, const char *table_id,
          struct err *err)
{
    struct route_table *table = network_require(net, &route_table_kind, table_id, err);
    if (!table) {
        return false;
    }
    if (strcmp(table->vpc_id, endpoint->vpc_id) != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "the route table `%s` is of `%s`, not of `%s`", table_id,
                       table->vpc_id, endpoint->vpc_id);
    }
    for (size_t i = 0; i < table->routes.n; i++) {
        if (str_is(table->routes.items[i].prefix_list_id, list->obj.id)) {
            return err_set(err, ERR_INPUT, "RouteAlreadyExists",
                           "route table `%s` already has a route with destination-prefix-list-id `%s`", table_id,
                           list->obj.id);
        }
    }
    struct route *route = VEC_ADD(&table->routes);
    route->prefix_list_id = xstrdup(list->obj.id);
    route->gateway_id = xstrdup(endpoint->obj.id);
    route->origin = xstrdup("CreateRoute");
    route->state = xstrdup("active");
    *VEC_ADD(&endpoint->table_ids) = xstrdup(table_id);
    return true;
}

static void
strings_drop(char ***items, size_t *n, const char *text)
{
    for (size_t i = *n; i-- > 0;) {
        if (strcmp((*items)[i], text) == 0) {
            free((*items)[i]);
            memmove(*items + i, *items + i + 1, (--*n - i) * sizeof **items);
        }
    }
}

static void
table_drop(struct network *net, struct endpoint *endpoint, const char *table_id)
{
    struct route_table *table = store_get(net->store, &route_table_kind, table_id);
    for (size_t i = table ? table->routes.n : 0; i-- > 0;) {
        if (str_is(table->routes.items[i].gateway_id, endpoint->obj.id)) {
            route_done(&table->routes.items[i]);
            VEC_REMOVE(&table->routes, i);
        }
    }
    strings_drop(&endpoint->table_ids.items, &endpoint->table_ids.n, table_id);
}

void
endpoints_forget_table(struct network *net, const char *table_id)
{
    for (struct endpoint *e = store_first(net->store, &endpoint_kind); e; e = store_next(net->store, e)) {
        strings_drop(&e->table_ids.items, &e->table_ids.n, table_id);
    }
}

/* ---- interface endpoints: interfaces ----------------------------------------------------------------------------- */

/* A service of the lab is in the zones of its balancers; AWS's own are in every zone. */
static bool
zone_check(const struct offer *offer, const struct subnet *subnet, struct err *err)
{
    for (size_t i = 0; offer->own && i < offer->own->zones.n; i++) {
        if (str_is(offer->own->zones.items[i], subnet->zone)) {
            return true;
        }
    }
    if (!offer->own || offer->own->zones.n == 0) {
        return true;
    }
    err_set(err, ERR_INPUT, "InvalidParameter",
            "the VPC endpoint service `%s` does not support the availability zone of the subnet `%s` (%s)",
            offer->own->name, subnet->obj.id, subnet->zone ? subnet->zone : "");
    return err_hint(err, "describe-vpc-endpoint-services shows the zones of a service");
}

/* IPv4, IPv6 or both, as the endpoint is to have. */
static bool
family_check(const struct endpoint *endpoint, const struct subnet *subnet, struct err *err)
{
    bool dualstack = str_is(endpoint->ip_address_type, "dualstack"), v6 = str_is(endpoint->ip_address_type, "ipv6");
    if ((dualstack && !subnet_cidr6(subnet)) || (v6 && !subnet->ipv6_native) || (!v6 && subnet->ipv6_native)) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "the subnet `%s` does not fit the address type `%s`: it %s",
                       subnet->obj.id, endpoint->ip_address_type,
                       subnet->ipv6_native ? "is for IPv6 only"
                       : v6                ? "is not for IPv6 only"
                                           : "has no IPv6 block");
    }
    return true;
}

static bool
subnet_add(struct network *net, struct endpoint *endpoint, const struct offer *offer, const char *subnet_id,
           struct err *err)
{
    const struct subnet *subnet = network_require(net, &subnet_kind, subnet_id, err);
    if (!subnet || !family_check(endpoint, subnet, err) || !zone_check(offer, subnet, err)) {
        return false;
    }
    if (strcmp(subnet->vpc_id, endpoint->vpc_id) != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "the subnet `%s` is of `%s`, not of `%s`", subnet_id,
                       subnet->vpc_id, endpoint->vpc_id);
    }
    for (size_t i = 0; i < endpoint->subnet_ids.n; i++) {
        const struct subnet *other = store_get(net->store, &subnet_kind, endpoint->subnet_ids.items[i]);
        if (other && str_is(other->zone, subnet->zone)) {
            return err_set(err, ERR_INPUT, "DuplicateSubnetsInSameZone", "`%s` and `%s` are both in %s", other->obj.id,
                           subnet_id, subnet->zone);
        }
    }
    const char **groups = xcalloc(endpoint->groups.n + 1, sizeof *groups);
    for (size_t i = 0; i < endpoint->groups.n; i++) {
        groups[i] = endpoint->groups.items[i].id;
    }
    char *description = xasprintf("VPC Endpoint Interface %s", endpoint->obj.id);
    bool gateway_lb = endpoint_is_gateway_lb(endpoint);
    struct eni_spec spec = { .subnet_id = subnet_id,
                             .type = gateway_lb ? "gateway_load_balancer_endpoint" : "vpc_endpoint",
                             .description = description,
                             .groups = groups,
                             .n_groups = endpoint->groups.n,
                             .no_groups = gateway_lb,
                             .n_pick_ips6 = !str_is(endpoint->ip_address_type, "ipv4"),
                             .requester_managed = true };
    struct eni *eni = eni_create(net, &spec, err);
    free(description);
    free(groups);
    if (!eni) {
        return false;
    }
    eni_attach_to(net, eni, "", "amazon-aws", 1, false);
    *VEC_ADD(&endpoint->subnet_ids) = xstrdup(subnet_id);
    *VEC_ADD(&endpoint->eni_ids) = xstrdup(eni->obj.id);
    return true;
}

static void
subnet_drop(struct network *net, struct endpoint *endpoint, const char *subnet_id)
{
    for (size_t i = endpoint->eni_ids.n; i-- > 0;) {
        struct eni *eni = store_get(net->store, &eni_kind, endpoint->eni_ids.items[i]);
        if (eni && strcmp(eni->subnet_id, subnet_id) == 0) {
            eni_remove(net, eni);
            free(endpoint->eni_ids.items[i]);
            VEC_REMOVE(&endpoint->eni_ids, i);
        }
    }
    strings_drop(&endpoint->subnet_ids.items, &endpoint->subnet_ids.n, subnet_id);
}

static bool
group_add(struct network *net, struct endpoint *endpoint, const char *group_id, struct err *err)
{
    const struct security_group *group = network_require(net, &security_group_kind, group_id, err);
    if (!group) {
        return false;
    }
    if (strcmp(group->vpc_id, endpoint->vpc_id) != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "the security group `%s` is of `%s`, not of `%s`", group_id,
                       group->vpc_id, endpoint->vpc_id);
    }
    for (size_t i = 0; i < endpoint->groups.n; i++) {
        if (strcmp(endpoint->groups.items[i].id, group_id) == 0) {
            return true;
        }
    }
    struct eni_group *added = VEC_ADD(&endpoint->groups);
    id_set(added->id, group_id);
    str_set(&added->name, group->name);
    return true;
}

static bool
groups_to_enis(struct network *net, struct endpoint *endpoint, struct err *err)
{
    const char **groups = xcalloc(endpoint->groups.n + 1, sizeof *groups);
    for (size_t i = 0; i < endpoint->groups.n; i++) {
        groups[i] = endpoint->groups.items[i].id;
    }
    bool ok = true;
    for (size_t i = 0; i < endpoint->eni_ids.n && ok; i++) {
        struct eni *eni = store_get(net->store, &eni_kind, endpoint->eni_ids.items[i]);
        if (eni) { /* its requester is who asks here */
            eni->requester_managed = false;
            ok = eni_set_groups(net, eni, groups, endpoint->groups.n, err);
            eni->requester_managed = true;
        }
    }
    free(groups);
    return ok;
}

static void
dns_entry(struct endpoint *endpoint, char *name, const char *zone_id)
{
    struct endpoint_dns_entry *entry = VEC_ADD(&endpoint->dns_entries);
    entry->name = name;
    entry->zone_id = xstrdup(zone_id);
}

/* "vpce-0a1b-9xyz.sts.us-east-1.vpce.amazonaws.com", one more for each zone, and with private DNS the service's own
 * name. */
static void
dns_entries(struct network *net, struct endpoint *endpoint, const struct offer *offer)
{
    const char *service = offer->label;
    for (size_t i = 0; i < endpoint->dns_entries.n; i++) {
        free(endpoint->dns_entries.items[i].name);
        free(endpoint->dns_entries.items[i].zone_id);
    }
    endpoint->dns_entries.n = 0;
    const char *id = endpoint->obj.id, *region = endpoint->obj.region, *tail = id + strlen(id) - 8;
    dns_entry(endpoint, xasprintf("%s-%s.%s.%s.vpce.amazonaws.com", id, tail, service, region), "Z7HUB22UULQXV");
    for (size_t i = 0; i < endpoint->subnet_ids.n; i++) {
        const struct subnet *subnet = store_get(net->store, &subnet_kind, endpoint->subnet_ids.items[i]);
        dns_entry(endpoint, xasprintf("%s-%s-%s.%s.%s.vpce.amazonaws.com", id, tail, subnet->zone, service, region),
                  "Z7HUB22UULQXV");
    }
    if (endpoint->private_dns && offer->own) {
        dns_entry(endpoint, xstrdup(offer->own->private_dns_name ? offer->own->private_dns_name : ""), "ZONEIDPENDING");
    } else if (endpoint->private_dns) {
        dns_entry(endpoint, xasprintf("%s.%s.amazonaws.com", service, region), "ZONEIDPENDING");
    }
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

/* The name a private zone would answer: the VPC must ask the resolver, the service must own the name, and its owner
 * must have let the endpoint in. */
static bool
private_dns_check(const struct network *net, const char *vpc_id, const struct offer *offer, bool accepted,
                  struct err *err)
{
    const struct vpc *vpc = store_get(net->store, &vpc_kind, vpc_id);
    if (offer->own && !private_service_dns_name(offer->own)) {
        err_set(err, ERR_INPUT, "InvalidParameter", "private DNS cannot be enabled: `%s` %s", offer->own->name,
                offer->own->private_dns_name ? "has not verified its private DNS name" : "has no private DNS name");
        return err_hint(err,
                        "--no-private-dns-enabled, or its owner's start-vpc-endpoint-service-private-dns-verification");
    }
    if (!accepted) {
        return err_set(err, ERR_INPUT, "InvalidParameter",
                       "private DNS can only be enabled after the endpoint connection is accepted by the owner of `%s`",
                       offer->own->name);
    }
    if (vpc && vpc->dns_support && vpc->dns_hostnames) {
        return true;
    }
    err_set(err, ERR_INPUT, "InvalidParameter",
            "private DNS needs the attributes enableDnsSupport and enableDnsHostnames of `%s`", vpc_id);
    return err_hint(err, "modify-vpc-attribute --enable-dns-hostnames, or --no-private-dns-enabled");
}

static bool
offers(const struct offer *offer, enum endpoint_type type)
{
    bool own_gateway = offer->own && private_service_is_gateway(offer->own);
    bool own_routed = offer->own && offer->own->types.n && str_is(offer->own->types.items[0].name, "Gateway");
    if (own_routed) { /* a service of AWS that an import told of; which addresses it has is not told */
        return false;
    }
    switch (type) {
    case ENDPOINT_GATEWAY:
        return offer->aws && offer->aws->gateway;
    case ENDPOINT_INTERFACE:
        return offer->own ? !own_gateway : offer->aws && offer->aws->interface;
    case ENDPOINT_GATEWAY_LB:
        return own_gateway;
    }
    return false;
}

static const char *const type_names[] = {
    [ENDPOINT_GATEWAY] = "Gateway", [ENDPOINT_INTERFACE] = "Interface", [ENDPOINT_GATEWAY_LB] = "GatewayLoadBalancer"
};

/* To who may not use it a service does not exist. */
static bool
service_check(const struct network *net, const struct endpoint_spec *spec, const struct offer *offer,
              const char *account, struct err *err)
{
    bool admitted = !offer->own || private_service_admits(offer->own, account, spec->principal);
    if (admitted && offers(offer, spec->type)) {
        return true;
    }
    bool exists = admitted && (offer->own || offer->aws);
    err_set(err, ERR_INPUT, "InvalidServiceName", "the VPC endpoint service `%s` does not exist%s%s%s",
            spec->service_name ? spec->service_name : "", exists ? " for endpoints of type `" : "",
            exists ? type_names[spec->type] : "", exists ? "`" : "");
    return admitted
               ? err_hint(err, "names are like `com.amazonaws.%s.s3`: describe-vpc-endpoint-services", net->region)
               : err_hint(
                     err,
                     "its owner has to permit you: modify-vpc-endpoint-service-permissions --add-allowed-principals "
                     "arn:aws:iam::%s:root",
                     account);
}

static bool
address_type_check(const struct offer *offer, const char *type, const char *dns_type, struct err *err)
{
    static const char *const types[] = { "ipv4", "dualstack", "ipv6", "service-defined" };
    bool known = !dns_type;
    for (size_t i = 0; i < ARRAY_SIZE(types) && !known; i++) {
        known = strcmp(types[i], dns_type) == 0;
    }
    if (!known) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "`DnsRecordIpType` cannot be `%s`", dns_type);
    }
    bool v4 = !type || strcmp(type, "ipv6") != 0, v6 = type && strcmp(type, "ipv4") != 0;
    v4 = v4 && offer->own && offer->own->ip_types.n > 0; /* a dump that does not say: AWS's default, ipv4 */
    for (size_t i = 0; offer->own && i < offer->own->ip_types.n; i++) {
        v4 = v4 && !str_is(offer->own->ip_types.items[i], "ipv4");
        v6 = v6 && !str_is(offer->own->ip_types.items[i], "ipv6");
    }
    return !offer->own || (!v4 && !v6) ||
           err_set(err, ERR_INPUT, "InvalidParameter",
                   "the VPC endpoint service `%s` does not support the address type `%s`", offer->own->name,
                   type ? type : "ipv4");
}

static bool
spec_check(const struct network *net, const struct endpoint_spec *spec, const struct offer *offer,
           const struct vpc *vpc, struct err *err)
{
    if (!service_check(net, spec, offer, vpc->obj.account, err)) {
        return false;
    }
    bool gateway = spec->type == ENDPOINT_GATEWAY, gateway_lb = spec->type == ENDPOINT_GATEWAY_LB;
    if (gateway ? spec->n_subnets + spec->n_groups : spec->n_tables) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "%s endpoint takes no %s",
                       gateway ? "a gateway" : "an interface", gateway ? "subnets or security groups" : "route tables");
    }
    if (gateway_lb && (spec->n_groups || spec->policy || spec->private_dns > 0 || spec->n_subnets != 1)) {
        return err_set(
            err, ERR_INPUT, "InvalidParameter",
            "a Gateway Load Balancer endpoint has one subnet, and neither security groups, policy nor private DNS");
    }
    if (gateway && (spec->ip_address_type || spec->dns_record_type)) {
        return err_set(err, ERR_INPUT, "InvalidParameter",
                       "the address type of a gateway endpoint is that of its service: IPv4");
    }
    return address_type_check(offer, spec->ip_address_type, spec->dns_record_type, err);
}

/* Its owner has asked for nothing: the own name of AWS's services, and of others if it can be had. */
static bool
wants_private_dns(const struct network *net, const struct endpoint_spec *spec, const struct offer *offer, bool accepted)
{
    struct err ignored = { 0 };
    return spec->type == ENDPOINT_INTERFACE &&
           (spec->private_dns > 0 ||
            (spec->private_dns < 0 && (offer->aws || private_dns_check(net, spec->vpc_id, offer, accepted, &ignored))));
}

static struct endpoint *
endpoint_add(struct network *net, const struct endpoint_spec *spec, const struct offer *offer, const struct vpc *vpc,
             bool accepted)
{
    bool interface = spec->type == ENDPOINT_INTERFACE;
    struct endpoint *endpoint = network_add(net, &endpoint_kind, NULL);
    snprintf(endpoint->obj.account, sizeof endpoint->obj.account, "%s", vpc->obj.account);
    endpoint->type = xstrdup(type_names[spec->type]);
    id_set(endpoint->vpc_id, spec->vpc_id);
    endpoint->service_name = xstrdup(spec->service_name);
    endpoint->state = xstrdup(accepted ? "available" : "pendingAcceptance");
    endpoint->policy = spec->type == ENDPOINT_GATEWAY_LB ? NULL : xstrdup(spec->policy ? spec->policy : FULL_ACCESS);
    endpoint->creation_time = network_now_ms(net);
    const char *type = spec->ip_address_type ? spec->ip_address_type : "ipv4";
    endpoint->ip_address_type = spec->type == ENDPOINT_GATEWAY ? NULL : xstrdup(type);
    endpoint->dns_record_ip_type = interface ? xstrdup(spec->dns_record_type ? spec->dns_record_type : type) : NULL;
    if (offer->own) {
        char id[ID_SIZE];
        id_new(net->ids, "vpce-con", id);
        endpoint->connection_id = xstrdup(id);
    }
    return endpoint;
}

struct endpoint *
endpoint_create(struct network *net, const struct endpoint_spec *spec, struct err *err)
{
    const struct vpc *vpc = network_require(net, &vpc_kind, spec->vpc_id, err);
    const struct offer offer = offer_of(net, spec->service_name);
    if (!vpc || !spec_check(net, spec, &offer, vpc, err)) {
        return NULL;
    }
    bool accepted = !offer.own || !offer.own->acceptance_required;
    bool private_dns = wants_private_dns(net, spec, &offer, accepted);
    if (private_dns && !private_dns_check(net, spec->vpc_id, &offer, accepted, err)) {
        return NULL;
    }
    struct endpoint *endpoint = endpoint_add(net, spec, &offer, vpc, accepted);
    endpoint->private_dns = private_dns;
    struct endpoint_change change = { .add_tables = spec->tables,
                                      .n_add_tables = spec->n_tables,
                                      .add_subnets = spec->subnets,
                                      .n_add_subnets = spec->n_subnets,
                                      .add_groups = spec->groups,
                                      .n_add_groups = spec->n_groups,
                                      .private_dns = -1 };
    const struct security_group *own = network_group_by_name(net, spec->vpc_id, "default");
    if (spec->type == ENDPOINT_INTERFACE && spec->n_groups == 0 && own && !group_add(net, endpoint, own->obj.id, err)) {
        return NULL;
    }
    return endpoint_modify(net, endpoint, &change, err) ? endpoint : NULL;
}

static bool
modify_gateway(struct network *net, struct endpoint *endpoint, const struct endpoint_change *change,
               const struct endpoint_service *service, struct err *err)
{
    if (change->ip_address_type || change->dns_record_type) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "the gateway endpoint `%s` has no address type of its own",
                       endpoint->obj.id);
    }
    if (change->n_add_subnets + change->n_remove_subnets + change->n_add_groups + change->n_remove_groups ||
        change->private_dns > 0) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "the gateway endpoint `%s` has no subnets, groups or DNS",
                       endpoint->obj.id);
    }
    if (change->n_add_tables && !service) {
        return err_set(err, ERR_INPUT, "InvalidServiceName", "`%s` is no service of %s", endpoint->service_name,
                       net->region);
    }
    const struct prefix_list *list = service ? service_prefix_list(net, service, endpoint->service_name) : NULL;
    for (size_t i = 0; i < change->n_remove_tables; i++) {
        if (!has_table(endpoint, change->remove_tables[i])) {
            return err_set(err, ERR_INPUT, "InvalidRouteTableId.NotFound", "`%s` is not associated with `%s`",
                           change->remove_tables[i], endpoint->obj.id);
        }
        table_drop(net, endpoint, change->remove_tables[i]);
    }
    for (size_t i = 0; i < change->n_add_tables; i++) {
        if (!has_table(endpoint, change->add_tables[i]) &&
            !table_add(net, endpoint, list, change->add_tables[i], err)) {
            return false;
        }
    }
    return true;
}

/* Its interfaces gain or lose an IPv6 address. */
static bool
address_type_change(struct network *net, struct endpoint *endpoint, const struct endpoint_change *change,
                    const struct offer *offer, struct err *err)
{
    const char *type = change->ip_address_type;
    if (!address_type_check(offer, type ? type : endpoint->ip_address_type, change->dns_record_type, err)) {
        return false;
    }
    if (change->dns_record_type) {
        str_set(&endpoint->dns_record_ip_type, change->dns_record_type);
    }
    if (!type || str_is(endpoint->ip_address_type, type)) {
        return true;
    }
    if (strcmp(type, "ipv6") == 0 || str_is(endpoint->ip_address_type, "ipv6")) {
        return err_set(err, ERR_INPUT, "InvalidParameter",
                       "the interfaces of `%s` cannot change between IPv4 and IPv6 alone", endpoint->obj.id);
    }
    str_set(&endpoint->ip_address_type, type);
    for (size_t i = 0; i < endpoint->eni_ids.n; i++) {
        struct eni *eni = store_get(net->store, &eni_kind, endpoint->eni_ids.items[i]);
        const struct subnet *subnet = eni ? store_get(net->store, &subnet_kind, eni->subnet_id) : NULL;
        if (subnet && (!family_check(endpoint, subnet, err) ||
                       !eni_set_dualstack(net, eni, strcmp(type, "dualstack") == 0, err))) {
            return false;
        }
    }
    return true;
}

static bool
modify_gateway_lb(const struct endpoint *endpoint, const struct endpoint_change *change, struct err *err)
{
    bool more = change->n_add_subnets + endpoint->subnet_ids.n > 1 || change->n_remove_subnets > 0;
    return (!more && !change->policy && !change->n_add_groups && !change->n_remove_groups && change->private_dns <= 0 &&
            !change->dns_record_type) ||
           err_set(err, ERR_INPUT, "InvalidParameter",
                   "the Gateway Load Balancer endpoint `%s` keeps its one subnet and has no groups, policy or DNS",
                   endpoint->obj.id);
}

static bool
modify_interface(struct network *net, struct endpoint *endpoint, const struct endpoint_change *change,
                 const struct offer *offer, struct err *err)
{
    if (change->n_add_tables + change->n_remove_tables) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "the interface endpoint `%s` has no route tables",
                       endpoint->obj.id);
    }
    if (endpoint_is_gateway_lb(endpoint) && !modify_gateway_lb(endpoint, change, err)) {
        return false;
    }
    if (change->private_dns > 0 &&
        !private_dns_check(net, endpoint->vpc_id, offer, endpoint_is_available(endpoint), err)) {
        return false;
    }
    if (!address_type_change(net, endpoint, change, offer, err)) {
        return false;
    }
    endpoint->private_dns = change->private_dns < 0 ? endpoint->private_dns : change->private_dns;
    for (size_t i = 0; i < change->n_add_groups; i++) {
        if (!group_add(net, endpoint, change->add_groups[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < change->n_remove_groups; i++) {
        for (size_t k = endpoint->groups.n; k-- > 0;) {
            if (strcmp(endpoint->groups.items[k].id, change->remove_groups[i]) == 0) {
                free(endpoint->groups.items[k].name);
                VEC_REMOVE(&endpoint->groups, k);
            }
        }
    }
    if (endpoint->groups.n == 0 && endpoint_is_interface(endpoint)) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "`%s` needs a security group", endpoint->obj.id);
    }
    for (size_t i = 0; i < change->n_remove_subnets; i++) {
        subnet_drop(net, endpoint, change->remove_subnets[i]);
    }
    for (size_t i = 0; i < change->n_add_subnets; i++) {
        if (!is_in((const char *const *)endpoint->subnet_ids.items, endpoint->subnet_ids.n, change->add_subnets[i]) &&
            !subnet_add(net, endpoint, offer, change->add_subnets[i], err)) {
            return false;
        }
    }
    bool groups = change->n_add_groups + change->n_remove_groups > 0;
    if (groups && !groups_to_enis(net, endpoint, err)) {
        return false;
    }
    if (endpoint_is_interface(endpoint)) {
        dns_entries(net, endpoint, offer);
    }
    return true;
}

bool
endpoint_modify(struct network *net, struct endpoint *endpoint, const struct endpoint_change *change, struct err *err)
{
    const struct offer offer = offer_of(net, endpoint->service_name);
    bool ok = endpoint_is_gateway(endpoint) ? modify_gateway(net, endpoint, change, offer.aws, err)
                                            : modify_interface(net, endpoint, change, &offer, err);
    if (ok && change->policy) {
        str_set(&endpoint->policy, change->policy[0] ? change->policy : FULL_ACCESS);
    }
    store_touch(net->store);
    return ok;
}

void
endpoint_delete(struct network *net, struct endpoint *endpoint)
{
    char id[ID_SIZE];
    memcpy(id, endpoint->obj.id, ID_SIZE);
    while (endpoint->table_ids.n) {
        char *table_id = xstrdup(endpoint->table_ids.items[0]);
        table_drop(net, endpoint, table_id);
        free(table_id);
    }
    while (endpoint->eni_ids.n) {
        char *eni_id = endpoint->eni_ids.items[0];
        struct eni *eni = store_get(net->store, &eni_kind, eni_id);
        if (eni) {
            eni_remove(net, eni);
        }
        free(eni_id);
        VEC_REMOVE(&endpoint->eni_ids, 0);
    }
    network_remove(net, endpoint);
    routes_target_gone(net, id);
}

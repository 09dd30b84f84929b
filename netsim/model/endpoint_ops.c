/* VPC endpoints: creating, changing, deleting. */
#include "netsim/model/internal.h"

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

/* "com.amazonaws.us-east-1.s3" in us-east-1 -> the row of s3. */
static const struct endpoint_service *
service_of(const struct network *net, const char *name)
{
    char prefix[48];
    int length = snprintf(prefix, sizeof prefix, "com.amazonaws.%s.", net->region);
    for (const struct endpoint_service *s = endpoint_services; strncmp(name, prefix, (size_t)length) == 0 && s->name;
         s++) {
        if (strcmp(s->name, name + length) == 0) {
            return s;
        }
    }
    return NULL;
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

static bool
subnet_add(struct network *net, struct endpoint *endpoint, const char *subnet_id, struct err *err)
{
    const struct subnet *subnet = network_require(net, &subnet_kind, subnet_id, err);
    if (!subnet) {
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
    struct eni_spec spec = { .subnet_id = subnet_id,
                             .type = "vpc_endpoint",
                             .description = description,
                             .groups = groups,
                             .n_groups = endpoint->groups.n,
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
dns_entries(struct network *net, struct endpoint *endpoint, const char *service)
{
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
    if (endpoint->private_dns) {
        dns_entry(endpoint, xasprintf("%s.%s.amazonaws.com", service, region), "ZONEIDPENDING");
    }
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static bool
private_dns_check(const struct network *net, const char *vpc_id, struct err *err)
{
    const struct vpc *vpc = store_get(net->store, &vpc_kind, vpc_id);
    if (vpc && vpc->dns_support && vpc->dns_hostnames) {
        return true;
    }
    err_set(err, ERR_INPUT, "InvalidParameter",
            "private DNS needs the attributes enableDnsSupport and enableDnsHostnames of `%s`", vpc_id);
    return err_hint(err, "modify-vpc-attribute --enable-dns-hostnames, or --no-private-dns-enabled");
}

static bool
spec_check(const struct network *net, const struct endpoint_spec *spec, const struct endpoint_service *service,
           struct err *err)
{
    if (!service || (spec->interface ? !service->interface : !service->gateway)) {
        err_set(err, ERR_INPUT, "InvalidServiceName", "the VPC endpoint service `%s` does not exist%s",
                spec->service_name ? spec->service_name : "",
                service && spec->interface ? " for interface endpoints"
                : service                  ? " for gateway endpoints"
                                           : "");
        return err_hint(err, "names are like `com.amazonaws.%s.s3`: describe-vpc-endpoint-services", net->region);
    }
    if (spec->interface ? spec->n_tables : spec->n_subnets + spec->n_groups) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "%s endpoint takes no %s",
                       spec->interface ? "an interface" : "a gateway",
                       spec->interface ? "route tables" : "subnets or security groups");
    }
    return !spec->private_dns || !spec->interface || private_dns_check(net, spec->vpc_id, err);
}

struct endpoint *
endpoint_create(struct network *net, const struct endpoint_spec *spec, struct err *err)
{
    const struct vpc *vpc = network_require(net, &vpc_kind, spec->vpc_id, err);
    const struct endpoint_service *service = service_of(net, spec->service_name ? spec->service_name : "");
    if (!vpc || !spec_check(net, spec, service, err)) {
        return NULL;
    }
    struct endpoint *endpoint = network_add(net, &endpoint_kind, NULL);
    endpoint->type = xstrdup(spec->interface ? "Interface" : "Gateway");
    id_set(endpoint->vpc_id, spec->vpc_id);
    endpoint->service_name = xstrdup(spec->service_name);
    endpoint->state = xstrdup("available");
    endpoint->policy = xstrdup(spec->policy ? spec->policy : FULL_ACCESS);
    endpoint->creation_time = network_now_ms(net);
    endpoint->private_dns = spec->interface && spec->private_dns;
    endpoint->ip_address_type = spec->interface ? xstrdup("ipv4") : NULL;
    endpoint->dns_record_ip_type = spec->interface ? xstrdup("ipv4") : NULL;
    struct endpoint_change change = { .add_tables = spec->tables,
                                      .n_add_tables = spec->n_tables,
                                      .add_subnets = spec->subnets,
                                      .n_add_subnets = spec->n_subnets,
                                      .add_groups = spec->groups,
                                      .n_add_groups = spec->n_groups,
                                      .private_dns = -1 };
    const struct security_group *own = network_group_by_name(net, spec->vpc_id, "default");
    if (spec->interface && spec->n_groups == 0 && own && !group_add(net, endpoint, own->obj.id, err)) {
        return NULL;
    }
    return endpoint_modify(net, endpoint, &change, err) ? endpoint : NULL;
}

static bool
modify_gateway(struct network *net, struct endpoint *endpoint, const struct endpoint_change *change,
               const struct endpoint_service *service, struct err *err)
{
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

static bool
modify_interface(struct network *net, struct endpoint *endpoint, const struct endpoint_change *change,
                 const struct endpoint_service *service, struct err *err)
{
    if (change->n_add_tables + change->n_remove_tables) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "the interface endpoint `%s` has no route tables",
                       endpoint->obj.id);
    }
    if (change->private_dns > 0 && !private_dns_check(net, endpoint->vpc_id, err)) {
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
    if (endpoint->groups.n == 0) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "`%s` needs a security group", endpoint->obj.id);
    }
    for (size_t i = 0; i < change->n_remove_subnets; i++) {
        subnet_drop(net, endpoint, change->remove_subnets[i]);
    }
    for (size_t i = 0; i < change->n_add_subnets; i++) {
        if (!is_in((const char *const *)endpoint->subnet_ids.items, endpoint->subnet_ids.n, change->add_subnets[i]) &&
            !subnet_add(net, endpoint, change->add_subnets[i], err)) {
            return false;
        }
    }
    bool groups = change->n_add_groups + change->n_remove_groups > 0;
    if (groups && !groups_to_enis(net, endpoint, err)) {
        return false;
    }
    dns_entries(net, endpoint, service ? service->name : endpoint->service_name);
    return true;
}

bool
endpoint_modify(struct network *net, struct endpoint *endpoint, const struct endpoint_change *change, struct err *err)
{
    const struct endpoint_service *service = service_of(net, endpoint->service_name ? endpoint->service_name : "");
    if (change->policy) {
        str_set(&endpoint->policy, change->policy[0] ? change->policy : FULL_ACCESS);
    }
    bool ok = endpoint_is_gateway(endpoint) ? modify_gateway(net, endpoint, change, service, err)
                                            : modify_interface(net, endpoint, change, service, err);
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

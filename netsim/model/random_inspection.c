/* Gateway Load Balancers in a random network: made by the operations themselves, as random_places.c makes the others.
 */
#include <stdio.h>
#include <string.h>

#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/private_service.h"
#include "netsim/model/random_net.h"
#include "netsim/model/route_table.h"

#define SUBNETS 3 /* of each VPC, as random_net_make() draws them */

static const char *
id_of(const char *format, int n, char out[static ID_SIZE])
{
    snprintf(out, ID_SIZE, format, n);
    return out;
}

/* Running instances of the VPC as targets. */
static void
register_instances(struct random_net *r, struct target_group *group)
{
    const struct store *store = network_store(r->net);
    struct err err = { 0 };
    char id[ID_SIZE];
    for (int i = 0; i < r->n_enis; i++) {
        const struct eni *eni = store_get(store, &eni_kind, id_of("eni-%d", i, id));
        const struct instance *instance = eni ? store_get(store, &instance_kind, eni->attachment.instance_id) : NULL;
        if (instance && instance_is_running(instance) && strcmp(eni->vpc_id, group->vpc_id) == 0 && chance(r, 60)) {
            target_group_register(r->net, group, instance->obj.id, 0, NULL, &err);
        }
    }
}

/* What it offers to endpoints; NULL: AWS refuses something. */
static struct private_service *
inspection_service(struct random_net *r, int vpc)
{
    struct err err = { 0 };
    char subnet[ID_SIZE], vpc_id[ID_SIZE], name[ID_SIZE];
    struct lb_subnet zone = { .subnet_id = id_of("subnet-%d", vpc * 10 + lot(r, SUBNETS), subnet) };
    struct lb_spec spec = { .name = id_of("gwlb-%d", vpc, name),
                            .type = "gateway",
                            .ip_address_type = chance(r, 50) ? "dualstack" : NULL,
                            .subnets = &zone,
                            .n_subnets = 1 };
    struct target_group_spec group_spec = {
        .name = spec.name, .protocol = "GENEVE", .vpc_id = id_of("vpc-%d", vpc, vpc_id), .port = 6081
    };
    struct load_balancer *lb = load_balancer_create(r->net, &spec, &err);
    struct target_group *group = lb ? target_group_create(r->net, &group_spec, &err) : NULL;
    if (!group) {
        return NULL;
    }
    register_instances(r, group);
    load_balancer_set_attribute(r->net, lb, "load_balancing.cross_zone.enabled", chance(r, 75) ? "true" : "false",
                                &err);
    json_t *json = json_pack("{s:[{s:s, s:s}]}", "DefaultActions", "Type", "forward", "TargetGroupArn", group->arn);
    load_balancer_listen(r->net, lb, json, &err);
    json_decref(json);
    static const char *const types[] = { "ipv4", "ipv6" };
    const char *arn = lb->arn;
    struct private_service_change change = { .add_gwlbs = &arn,
                                             .n_add_gwlbs = 1,
                                             .add_ip_types = types,
                                             .n_add_ip_types = spec.ip_address_type ? 2 : 1,
                                             .acceptance_required = 0 };
    return private_service_create(r->net, &change, &err);
}

/* What AWS refuses is not there. */
static void
lead_to(struct random_net *r, struct route_table *table, const char *block, const struct endpoint *endpoint)
{
    struct err refused = { 0 };
    struct cidr cidr = cidr_lit(block);
    struct route spec = { .gateway_id = (char *)endpoint->obj.id };
    *(cidr.ip.family == IP_V6 ? &spec.cidr6 : &spec.cidr) = cidr;
    route_create(r->net, table, &spec, &refused);
}

/* Of a subnet's table: the way out, or to another subnet; of a table of the internet gateway: to a subnet. */
static void
lead_through(struct random_net *r, int vpc, const struct endpoint *endpoint)
{
    struct err err = { 0 };
    char id[ID_SIZE], four[64], six[64];
    const struct internet_gateway *igw = network_vpc_igw(r->net, endpoint->vpc_id);
    for (int i = 1 + lot(r, 3); i > 0; i--) {
        struct route_table *table =
            store_get(network_store(r->net), &route_table_kind, id_of("rtb-%d", vpc * 10 + lot(r, 3), id));
        int to = lot(r, SUBNETS);
        snprintf(four, sizeof four, chance(r, 50) ? "10.%d.%d.0/24" : "8.0.0.0/8", vpc, to);
        snprintf(six, sizeof six, chance(r, 50) ? "2001:db8:%x:%x::/64" : "2600::/12", vpc, to);
        lead_to(r, table, four, endpoint);
        lead_to(r, table, six, endpoint);
    }
    struct route_table *edge = igw && chance(r, 60) ? route_table_create(r->net, endpoint->vpc_id, false, &err) : NULL;
    if (edge && route_table_associate(r->net, edge, igw->obj.id, &err)) {
        int to = lot(r, SUBNETS);
        snprintf(four, sizeof four, "10.%d.%d.0/24", vpc, to);
        snprintf(six, sizeof six, "2001:db8:%x:%x::/64", vpc, to);
        lead_to(r, edge, four, endpoint);
        lead_to(r, edge, six, endpoint);
    }
}

void
random_net_add_inspection(struct random_net *r)
{
    struct private_service *service = inspection_service(r, lot(r, r->n_vpcs));
    for (int v = 0; service && v < r->n_vpcs; v++) {
        struct err err = { 0 };
        char vpc_id[ID_SIZE], subnet_id[ID_SIZE];
        const char *subnet = id_of("subnet-%d", v * 10 + lot(r, SUBNETS), subnet_id);
        struct endpoint_spec spec = { .vpc_id = id_of("vpc-%d", v, vpc_id),
                                      .service_name = service->name,
                                      .type = ENDPOINT_GATEWAY_LB,
                                      .private_dns = 0,
                                      .ip_address_type = service->ip_types.n > 1 && chance(r, 75) ? "dualstack" : NULL,
                                      .subnets = &subnet,
                                      .n_subnets = 1 };
        struct endpoint *endpoint = chance(r, 75) ? endpoint_create(r->net, &spec, &err) : NULL;
        if (endpoint) {
            lead_through(r, v, endpoint);
        }
    }
    store_touch(network_store(r->net));
}

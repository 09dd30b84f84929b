/* Two VPCs with IPv6 and an instance each, for tests that ask the model and for those that send packets. */
#pragma once
#include "netsim/model/egress_only_gateway.h"
#include "tests/unit/model.h"

struct place {
    struct vpc *vpc;
    struct subnet *subnet;
    struct instance *instance;
    struct security_group *group;
};

__attribute__((unused)) static struct place
place_new(struct network *net, const char *block)
{
    struct err err = { 0 };
    struct place p = { .vpc = model_vpc(net, block, true) };
    p.subnet = model_subnet(net, p.vpc, block);
    struct cidr six = { .ip = p.vpc->cidrs6.items[0].cidr.ip, .bits = 64 };
    REQUIRE(subnet_associate_cidr6(net, p.subnet, &six, &err), "%s", err.text);
    p.group = security_group_create(net, p.vpc->obj.id, "test", "test", &err);
    const char *group = p.group->obj.id;
    struct instance_spec spec = { .image_id = "ami-0123456789abcdef0" };
    spec.eni = (struct eni_spec){ .subnet_id = p.subnet->obj.id, .groups = &group, .n_groups = 1, .n_pick_ips6 = 1 };
    REQUIRE(instances_run(net, &spec, 1, &p.instance, &err), "%s", err.text);
    return p;
}

__attribute__((unused)) static void
lead_out(struct network *net, const struct place *p, char *igw, char *eigw)
{
    struct err err = { 0 };
    struct route route = { .cidr6 = cidr_lit("::/0"), .gateway_id = igw, .egress_only_igw_id = eigw };
    REQUIRE(route_create(net, network_subnet_route_table(net, p->subnet), &route, &err), "%s", err.text);
}

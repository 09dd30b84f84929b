#include "tests/unit/model.h"

/* A VPC 10.0.0.0/16 with IPv6, a subnet in it, its main table, an attached gateway, and a VPC beside it. */
struct lab {
    struct network *net;
    struct vpc *vpc, *other;
    struct subnet *subnet;
    struct route_table *table;
    struct internet_gateway *igw;
    struct nat_gateway *nat;
    struct eni *eni, *foreign_eni;
    struct instance *instance;
};

static struct lab
lab(void)
{
    struct lab l = { .net = model_new() };
    l.vpc = model_vpc(l.net, "10.0.0.0/16", true);
    l.table = store_first(network_store(l.net), &route_table_kind);
    l.other = model_vpc(l.net, "10.9.0.0/16", false);
    l.subnet = model_subnet(l.net, l.vpc, "10.0.1.0/24");
    l.igw = model_igw(l.net, l.vpc);
    l.eni = model_eni(l.net, l.subnet, "10.0.1.50");
    l.foreign_eni = model_eni(l.net, model_subnet(l.net, l.other, "10.9.1.0/24"), NULL);
    l.instance = model_instance(l.net, l.subnet, 0);
    l.nat = nat_gateway_create(l.net, l.subnet->obj.id, NULL, NULL, NULL);
    REQUIRE(l.nat);
    return l;
}

TEST(route_create_checks_destination_and_target)
{
    struct lab l = lab();
    struct cidr any = cidr_lit("0.0.0.0/0"), any6 = cidr_lit("::/0"), remote = cidr_lit("192.168.0.0/16");
    const struct {
        const char *what;
        struct route route;
        const char *code;
    } cases[] = {
        { "nothing", { .origin = NULL }, "MissingParameter" },
        { "no target", { .cidr = any }, "MissingParameter" },
        { "no destination", { .gateway_id = l.igw->obj.id }, "MissingParameter" },
        { "two destinations",
          { .cidr = any, .cidr6 = any6, .gateway_id = l.igw->obj.id },
          "InvalidParameterCombination" },
        { "two targets",
          { .cidr = any, .gateway_id = l.igw->obj.id, .nat_gateway_id = l.nat->obj.id },
          "InvalidParameterCombination" },
        { "the local block", { .cidr = cidr_lit("10.0.0.0/16"), .gateway_id = l.igw->obj.id }, "RouteAlreadyExists" },
        { "local as target", { .cidr = remote, .gateway_id = "local" }, "InvalidParameterValue" },
        { "part of a subnet", { .cidr = cidr_lit("10.0.1.0/25"), .eni_id = l.eni->obj.id }, "InvalidParameterValue" },
        { "a whole subnet to a gateway",
          { .cidr = cidr_lit("10.0.1.0/24"), .gateway_id = l.igw->obj.id },
          "InvalidParameterValue" },
        { "a whole subnet to an interface", { .cidr = cidr_lit("10.0.1.0/24"), .eni_id = l.eni->obj.id }, "" },
        { "no such gateway", { .cidr = any, .gateway_id = "igw-00000000000000000" }, "InvalidGatewayID.NotFound" },
        { "odd gateway", { .cidr = any, .gateway_id = "web" }, "InvalidGatewayID.NotFound" },
        { "no such NAT gateway",
          { .cidr = any, .nat_gateway_id = "nat-00000000000000000" },
          "InvalidNatGatewayID.NotFound" },
        { "no such interface", { .cidr = any, .eni_id = "eni-00000000" }, "InvalidNetworkInterfaceID.NotFound" },
        { "no such instance", { .cidr = any, .instance_id = "i-00000000" }, "InvalidInstanceID.NotFound" },
        { "no such peering", { .cidr = any, .peering_id = "pcx-00000000" }, "InvalidVpcPeeringConnectionID.NotFound" },
        { "no such transit gateway",
          { .cidr = any, .transit_gateway_id = "tgw-00000000" },
          "InvalidTransitGatewayID.NotFound" },
        { "interface of another VPC", { .cidr = any, .eni_id = l.foreign_eni->obj.id }, "InvalidParameterValue" },
        { "no such prefix list",
          { .prefix_list_id = "pl-00000000", .gateway_id = l.igw->obj.id },
          "InvalidPrefixListID.NotFound" },
        { "NAT gateway for IPv6", { .cidr6 = any6, .nat_gateway_id = l.nat->obj.id }, "InvalidParameterValue" },
        { "NAT gateway for NAT64", { .cidr6 = cidr_lit("64:ff9b::/96"), .nat_gateway_id = l.nat->obj.id }, "" },
        { "reserved", { .cidr = cidr_lit("169.254.169.0/24"), .eni_id = l.eni->obj.id }, "InvalidParameterValue" },
        { "the other family", { .cidr = any6, .gateway_id = l.igw->obj.id }, "InvalidParameterValue" },
        { "the internet", { .cidr = any, .gateway_id = l.igw->obj.id }, "" },
        { "again", { .cidr = any, .nat_gateway_id = l.nat->obj.id }, "RouteAlreadyExists" },
        { "IPv6", { .cidr6 = any6, .gateway_id = l.igw->obj.id }, "" },
        { "an instance", { .cidr = remote, .instance_id = l.instance->obj.id }, "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        size_t before = l.table->routes.n;
        route_create(l.net, l.table, &cases[i].route, &err);
        CHECK_STR(err.code, cases[i].code, "%s: %s", cases[i].what, err.text);
        CHECK_INT(l.table->routes.n, before + !cases[i].code[0], "%s", cases[i].what);
    }
    network_free(l.net);
}

TEST(an_instance_as_target_means_its_interface)
{
    struct lab l = lab();
    struct err err = { 0 };
    CHECK(route_create(l.net, l.table,
                       &(struct route){ .cidr = cidr_lit("192.168.0.0/16"), .instance_id = l.instance->obj.id }, &err),
          "%s", err.text);
    const struct route *route = &l.table->routes.items[l.table->routes.n - 1];
    const char *id;
    CHECK(route_target(route, &id) == ROUTE_ENI);
    CHECK_STR(id, instance_eni(l.net, l.instance, 0)->obj.id);
    CHECK_STR(route_machine(route), id);
    CHECK(!route_machine(&l.table->routes.items[0]), "the local route leads to no machine");
    CHECK_STR(route_machine(&(struct route){ .instance_id = "i-1" }), "i-1", "as imported, without an interface");
    CHECK_STR(route->instance_id, l.instance->obj.id);
    CHECK_STR(route->instance_owner_id, "123456789012");
    CHECK(eni_attach(l.net, l.eni, l.instance->obj.id, 1, &err), "%s", err.text);
    CHECK(!route_create(l.net, l.table,
                        &(struct route){ .cidr = cidr_lit("192.0.0.0/16"), .instance_id = l.instance->obj.id }, &err));
    CHECK_STR(err.code, "InvalidInstanceID");
    network_free(l.net);
}

TEST(a_target_that_goes_away_leaves_a_blackhole)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct eni *eni = instance_eni(l.net, l.instance, 0);
    CHECK(route_create(l.net, l.table, &(struct route){ .cidr = cidr_lit("0.0.0.0/0"), .gateway_id = l.igw->obj.id },
                       &err),
          "%s", err.text);
    CHECK(route_create(l.net, l.table,
                       &(struct route){ .cidr = cidr_lit("1.0.0.0/8"), .nat_gateway_id = l.nat->obj.id }, &err),
          "%s", err.text);
    CHECK(route_create(l.net, l.table, &(struct route){ .cidr = cidr_lit("2.0.0.0/8"), .eni_id = eni->obj.id }, &err),
          "%s", err.text);
    CHECK(route_create(l.net, l.table, &(struct route){ .cidr = cidr_lit("3.0.0.0/8"), .eni_id = l.eni->obj.id }, &err),
          "%s", err.text);
    const struct route *igw = &l.table->routes.items[2], *nat = igw + 1, *instance = nat + 1, *loose = instance + 1;
    CHECK(!route_is_blackhole(igw) && !route_is_blackhole(nat) && !route_is_blackhole(instance));
    CHECK(route_is_blackhole(loose), "an interface attached to nothing forwards nothing");
    CHECK(internet_gateway_detach(l.net, l.igw, l.vpc->obj.id, &err), "%s", err.text);
    CHECK(route_is_blackhole(igw));
    CHECK(internet_gateway_attach(l.net, l.igw, l.vpc->obj.id, &err), "%s", err.text);
    CHECK(!route_is_blackhole(igw));
    CHECK(nat_gateway_delete(l.net, l.nat, &err), "%s", err.text);
    CHECK(route_is_blackhole(nat));
    CHECK(instance_stop(l.net, l.instance, &err), "%s", err.text);
    CHECK(route_is_blackhole(instance));
    CHECK(instance_start(l.net, l.instance, &err), "%s", err.text);
    CHECK(!route_is_blackhole(instance));
    CHECK(instance_terminate(l.net, l.instance, &err), "%s", err.text);
    CHECK(route_is_blackhole(instance));
    CHECK(internet_gateway_detach(l.net, l.igw, l.vpc->obj.id, &err) && internet_gateway_delete(l.net, l.igw, &err),
          "%s", err.text);
    CHECK(route_is_blackhole(igw));
    network_free(l.net);
}

TEST(route_replace_and_delete)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct route route = { .cidr = cidr_lit("0.0.0.0/0"), .gateway_id = l.igw->obj.id };
    CHECK(!route_replace(l.net, l.table, &route, &err));
    CHECK_STR(err.code, "InvalidRoute.NotFound");
    err_clear(&err);
    CHECK(!route_delete(l.net, l.table, &route, &err));
    CHECK_STR(err.code, "InvalidRoute.NotFound");
    err_clear(&err);
    CHECK(route_create(l.net, l.table, &route, &err), "%s", err.text);
    CHECK(route_replace(l.net, l.table, &(struct route){ .cidr = route.cidr, .nat_gateway_id = l.nat->obj.id }, &err),
          "%s", err.text);
    CHECK(route_target(&l.table->routes.items[2], NULL) == ROUTE_NAT_GATEWAY);
    CHECK(route_delete(l.net, l.table, &route, &err), "%s", err.text);
    CHECK(!route_delete(l.net, l.table, &(struct route){ .cidr = cidr_lit("10.0.0.0/16") }, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    CHECK(strstr(err.text, "local"), "%s", err.text);
    err_clear(&err);
    /* The local route may lead to a middlebox, and back. */
    struct route local = { .cidr = cidr_lit("10.0.0.0/16"), .eni_id = l.eni->obj.id };
    CHECK(route_replace(l.net, l.table, &local, &err), "%s", err.text);
    CHECK(route_target(&l.table->routes.items[0], NULL) == ROUTE_ENI);
    CHECK(route_replace(l.net, l.table, &(struct route){ .cidr = local.cidr, .gateway_id = "local" }, &err), "%s",
          err.text);
    CHECK(route_target(&l.table->routes.items[0], NULL) == ROUTE_LOCAL);
    network_free(l.net);
}

TEST(subnets_use_their_own_table_or_the_main_one)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct route_table *own = route_table_create(l.net, l.vpc->obj.id, false, &err);
    struct route_table *foreign = route_table_create(l.net, l.other->obj.id, false, &err);
    REQUIRE(own && foreign, "%s", err.text);
    CHECK(network_subnet_route_table(l.net, l.subnet) == l.table);
    CHECK(!route_table_associate(l.net, foreign, l.subnet->obj.id, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    const struct route_association *association = route_table_associate(l.net, own, l.subnet->obj.id, &err);
    REQUIRE(association, "%s", err.text);
    char id[ID_SIZE];
    strcpy(id, association->id);
    CHECK(network_subnet_route_table(l.net, l.subnet) == own);
    CHECK(!route_table_associate(l.net, l.table, l.subnet->obj.id, &err));
    CHECK_STR(err.code, "Resource.AlreadyAssociated");
    err_clear(&err);
    CHECK(!route_table_delete(l.net, own, &err));
    CHECK_STR(err.code, "DependencyViolation");
    CHECK(strstr(err.text, l.subnet->obj.id), "%s", err.text);
    err_clear(&err);
    CHECK(!route_table_delete(l.net, l.table, &err), "the main table stays");
    CHECK_STR(err.code, "DependencyViolation");
    err_clear(&err);
    CHECK(route_table_disassociate(l.net, id, &err), "%s", err.text);
    CHECK(network_subnet_route_table(l.net, l.subnet) == l.table);
    CHECK(!route_table_disassociate(l.net, id, &err));
    CHECK_STR(err.code, "InvalidAssociationID.NotFound");
    err_clear(&err);
    /* The main association moves to another table. */
    strcpy(id, l.table->associations.items[0].id);
    CHECK(!route_table_disassociate(l.net, id, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    association = route_table_replace_association(l.net, id, own, &err);
    REQUIRE(association, "%s", err.text);
    CHECK(association->main && strcmp(association->id, id) != 0);
    CHECK(network_subnet_route_table(l.net, l.subnet) == own);
    CHECK(route_table_delete(l.net, l.table, &err), "%s", err.text);
    network_free(l.net);
}

TEST(gateways_may_have_a_table_of_their_own)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct route_table *own = route_table_create(l.net, l.vpc->obj.id, false, &err);
    struct route_table *foreign = route_table_create(l.net, l.other->obj.id, false, &err);
    const struct route_association *association = route_table_associate(l.net, own, l.igw->obj.id, &err);
    REQUIRE(association, "%s", err.text);
    CHECK_STR(association->gateway_id, l.igw->obj.id);
    CHECK(!route_table_associate(l.net, foreign, l.igw->obj.id, &err));
    CHECK_STR(err.code, "Gateway.NotAttached");
    err_clear(&err);
    CHECK(!route_table_associate(l.net, own, "igw-00000000000000000", &err));
    CHECK_STR(err.code, "InvalidGatewayID.NotFound");
    network_free(l.net);
}

TEST_MAIN

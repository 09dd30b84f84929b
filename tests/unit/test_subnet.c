#include "tests/unit/model.h"

TEST(subnet_create_checks_the_block)
{
    static const struct {
        const char *cidr, *code;
    } cases[] = {
        { "10.0.1.0/24", "" },
        { "10.1.0.0/24", "InvalidSubnet.Range" }, /* outside the VPC's 10.0.0.0/16 */
        { "10.0.2.0/29", "InvalidSubnet.Range" }, /* smaller than /28 */
        { "10.0.0.0/15", "InvalidSubnet.Range" },
        { "10.0.1.128/25", "InvalidSubnet.Conflict" }, /* the first case has it */
        { "10.0.0.0/23", "InvalidSubnet.Conflict" },
        { "10.0.2.0/28", "" },
    };
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        subnet_create(net, &(struct subnet_spec){ .vpc_id = vpc->obj.id, .cidr = cidr_lit(cases[i].cidr) }, &err);
        CHECK_STR(err.code, cases[i].code, "%s: %s", cases[i].cidr, err.text);
    }
    network_free(net);
}

TEST(subnet_create_checks_the_rest)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", true);
    struct cidr mine = vpc->cidrs6.items[0].cidr, sub = mine, odd = mine, other = cidr_lit("2001:db8:ffff:ffff::/64");
    sub.bits = 64;
    odd.bits = 62;
    const struct {
        struct subnet_spec spec;
        const char *code;
    } cases[] = {
        { { .vpc_id = "vpc-00000000", .cidr = cidr_lit("10.0.1.0/24") }, "InvalidVpcID.NotFound" },
        { { .vpc_id = "web", .cidr = cidr_lit("10.0.1.0/24") }, "InvalidVpcID.Malformed" },
        { { .vpc_id = vpc->obj.id }, "MissingParameter" },
        { { .vpc_id = vpc->obj.id, .cidr = cidr_lit("10.0.1.0/24"), .zone = "eu-west-1a" }, "InvalidParameterValue" },
        { { .vpc_id = vpc->obj.id, .cidr = cidr_lit("10.0.1.0/24"), .cidr6 = other }, "InvalidSubnet.Range" },
        { { .vpc_id = vpc->obj.id, .cidr = cidr_lit("10.0.1.0/24"), .cidr6 = odd }, "InvalidSubnet.Range" },
        { { .vpc_id = vpc->obj.id, .cidr = cidr_lit("10.0.1.0/24"), .cidr6 = sub, .zone = "use1-az2" }, "" },
        { { .vpc_id = vpc->obj.id, .cidr = cidr_lit("10.0.2.0/24"), .cidr6 = sub }, "InvalidSubnet.Conflict" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        size_t before = store_count(network_store(net), &subnet_kind);
        const struct subnet *subnet = subnet_create(net, &cases[i].spec, &err);
        CHECK_STR(err.code, cases[i].code, "case %zu: %s", i, err.text);
        CHECK_INT(store_count(network_store(net), &subnet_kind), before + !cases[i].code[0]);
        CHECK(!subnet || strcmp(subnet->zone, "us-east-1b") == 0);
    }
    network_free(net);
}

TEST(five_addresses_are_awss)
{
    static const struct {
        const char *ip;
        bool reserved;
    } cases[] = {
        { "10.0.1.0", true },  { "10.0.1.1", true },    { "10.0.1.2", true },   { "10.0.1.3", true },
        { "10.0.1.4", false }, { "10.0.1.254", false }, { "10.0.1.255", true }, { "10.0.2.0", false },
    };
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ip ip = ip_lit(cases[i].ip);
        CHECK_INT(subnet_reserves(subnet, &ip), cases[i].reserved, "%s", cases[i].ip);
    }
    CHECK_INT(subnet_free_addresses(net, subnet), 251);
    network_free(net);
}

TEST(the_lowest_free_address_is_picked_and_a_full_subnet_refuses)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/28");
    struct eni *enis[11];
    for (size_t i = 0; i < ARRAY_SIZE(enis); i++) {
        enis[i] = model_eni(net, subnet, NULL);
        CHECK_INT(eni_primary_ip(enis[i])->lo & 255, 4 + i);
    }
    CHECK_INT(subnet_free_addresses(net, subnet), 0);
    CHECK(!eni_create(net, &(struct eni_spec){ .subnet_id = subnet->obj.id }, &err));
    CHECK_STR(err.code, "InsufficientFreeAddressesInSubnet");
    err_clear(&err);
    CHECK(eni_delete(net, enis[3], &err), "%s", err.text);
    CHECK_INT(subnet_free_addresses(net, subnet), 1);
    CHECK_STR(ip_str(eni_primary_ip(model_eni(net, subnet, NULL))), "10.0.1.7");
    network_free(net);
}

TEST(subnet_delete_names_what_depends)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    struct instance *instance = model_instance(net, subnet, 0);
    CHECK(!subnet_delete(net, subnet, &err));
    CHECK_STR(err.code, "DependencyViolation");
    CHECK(strstr(err.text, instance->obj.id), "%s", err.text);
    err_clear(&err);
    CHECK(instance_terminate(net, instance, &err), "%s", err.text);
    struct network_acl *acl = network_subnet_acl(net, subnet);
    CHECK_INT(acl->associations.n, 1);
    CHECK(subnet_delete(net, subnet, &err), "%s", err.text);
    CHECK_INT(acl->associations.n, 0);
    network_free(net);
}

TEST(ipv6_blocks_come_and_go)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", true);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    struct cidr cidr = vpc->cidrs6.items[0].cidr;
    cidr.bits = 64;
    const struct vpc_cidr *block = subnet_associate_cidr6(net, subnet, &cidr, &err);
    REQUIRE(block, "%s", err.text);
    char id[ID_SIZE];
    strcpy(id, block->association_id);
    CHECK(!subnet_associate_cidr6(net, subnet, &cidr, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    subnet->assign_ipv6 = true;
    struct eni *eni = model_eni(net, subnet, NULL);
    REQUIRE(eni->addresses6.n == 1);
    CHECK(cidr_contains_ip(&cidr, &eni->addresses6.items[0].ip) &&
          !subnet_reserves(subnet, &eni->addresses6.items[0].ip));
    CHECK(!subnet_disassociate_cidr6(net, id, &err));
    CHECK_STR(err.code, "InvalidCidrBlock.InUse");
    err_clear(&err);
    CHECK(eni_delete(net, eni, &err), "%s", err.text);
    CHECK(subnet_disassociate_cidr6(net, id, &err), "%s", err.text);
    CHECK(!subnet_cidr6(subnet));
    network_free(net);
}

TEST(an_ipv6_only_subnet_has_no_ipv4)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", true);
    struct subnet_spec spec = { .vpc_id = vpc->obj.id, .cidr6 = vpc->cidrs6.items[0].cidr };
    spec.cidr6.bits = 64;
    struct subnet *subnet = subnet_create(net, &spec, &err);
    REQUIRE(subnet, "%s", err.text);
    CHECK(subnet->ipv6_native);
    struct eni *eni = model_eni(net, subnet, NULL);
    CHECK(!eni_primary_ip(eni));
    CHECK_INT(eni->addresses6.n, 1);
    json_t *described = object_describe(network_store(net), subnet);
    CHECK(!json_object_get(described, "CidrBlock"));
    CHECK_INT(json_int(described, "AvailableIpAddressCount", -1), 0);
    json_decref(described);
    network_free(net);
}

TEST_MAIN

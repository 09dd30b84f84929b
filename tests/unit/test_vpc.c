#include "tests/unit/model.h"

TEST(vpc_create_checks_the_block)
{
    static const struct {
        const char *cidr, *code;
    } cases[] = {
        { "10.0.0.0/16", "" },
        { "10.0.0.0/28", "" },
        { "10.0.0.0/15", "InvalidVpc.Range" },
        { "10.0.0.0/29", "InvalidVpc.Range" },
        { "127.0.0.0/16", "InvalidVpc.Range" },
        { "169.254.0.0/20", "InvalidVpc.Range" },
        { "224.0.0.0/16", "InvalidVpc.Range" },
        { "2001:db8::/56", "InvalidVpc.Range" },
        { "203.0.113.0/24", "" }, /* public ranges are allowed */
    };
    struct network *net = model_new();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        vpc_create(net, &(struct vpc_spec){ .cidr = cidr_lit(cases[i].cidr) }, &err);
        CHECK_STR(err.code, cases[i].code, "%s: %s", cases[i].cidr, err.text);
    }
    network_free(net);
}

TEST(vpc_comes_with_table_list_and_group)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", true);
    struct store *store = network_store(net);
    const struct route_table *table = store_first(store, &route_table_kind);
    const struct network_acl *acl = store_first(store, &network_acl_kind);
    const struct security_group *group = store_first(store, &security_group_kind);
    REQUIRE(table && acl && group);
    CHECK_INT(table->routes.n, 2, "one local route for each block");
    CHECK_STR(table->routes.items[1].gateway_id, "local");
    CHECK(table->associations.items[0].main);
    CHECK(acl->is_default);
    CHECK_INT(acl->entries.n, 8);
    CHECK_INT(acl->entries.items[0].number, 100);
    CHECK_INT(acl->entries.items[1].number, 101);
    CHECK_STR(group->name, "default");
    CHECK_INT(group->rules.n, 3, "from itself; everything out for both versions");
    CHECK_INT(vpc->cidrs6.items[0].cidr.bits, 56);
    struct cidr documentation = cidr_lit("2001:db8::/32");
    CHECK(cidr_contains(&documentation, &vpc->cidrs6.items[0].cidr));
    CHECK(vpc->dns_support && !vpc->dns_hostnames);
    network_free(net);
}

TEST(secondary_blocks_obey_awss_table)
{
    static const struct {
        const char *vpc, *cidr, *code;
    } cases[] = {
        { "10.0.0.0/16", "10.2.0.0/16", "" },
        { "10.0.0.0/16", "10.0.128.0/20", "CidrConflict" },
        { "10.2.0.0/16", "172.16.0.0/16", "InvalidVpc.Range" },
        { "10.2.0.0/16", "192.168.0.0/16", "InvalidVpc.Range" },
        { "10.2.0.0/16", "198.19.0.0/24", "InvalidVpc.Range" },
        { "10.1.0.0/16", "10.0.0.0/24", "InvalidVpc.Range" }, /* the VPC is in 10.0.0.0/15 */
        { "10.2.0.0/16", "10.0.0.0/24", "" },
        { "10.2.0.0/16", "100.64.0.0/16", "" },
        { "10.2.0.0/16", "8.8.0.0/16", "" },
        { "172.16.0.0/16", "172.31.0.0/16", "InvalidVpc.Range" },
        { "172.16.0.0/16", "172.17.0.0/16", "" },
        { "192.168.0.0/24", "10.0.0.0/24", "InvalidVpc.Range" },
        { "100.64.0.0/16", "10.0.0.0/24", "InvalidVpc.Range" },
        { "100.64.0.0/16", "100.65.0.0/24", "" },
        { "10.0.0.0/16", "10.2.0.0/15", "InvalidVpc.Range" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct network *net = model_new();
        struct err err = { 0 };
        struct vpc *vpc = model_vpc(net, cases[i].vpc, false);
        struct cidr cidr = cidr_lit(cases[i].cidr);
        vpc_associate_cidr(net, vpc, &cidr, &err);
        CHECK_STR(err.code, cases[i].code, "%s + %s: %s", cases[i].vpc, cases[i].cidr, err.text);
        const struct route_table *table = store_first(network_store(net), &route_table_kind);
        CHECK_INT(table->routes.n, cases[i].code[0] ? 1 : 2);
        network_free(net);
    }
}

TEST(a_new_block_may_not_swallow_a_route)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.2.0.0/16", false);
    struct internet_gateway *igw = model_igw(net, vpc);
    struct route_table *table = store_first(network_store(net), &route_table_kind);
    CHECK(route_create(net, table, &(struct route){ .cidr = cidr_lit("10.3.0.0/24"), .gateway_id = igw->obj.id }, &err),
          "%s", err.text);
    struct cidr wide = cidr_lit("10.3.0.0/16"), narrow = cidr_lit("10.3.0.0/25");
    CHECK(!vpc_associate_cidr(net, vpc, &wide, &err));
    CHECK_STR(err.code, "CidrConflict");
    err_clear(&err);
    CHECK(vpc_associate_cidr(net, vpc, &narrow, &err), "%s", err.text);
    network_free(net);
}

TEST(vpc_disassociate_keeps_what_is_used)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.2.0.0/16", false);
    struct cidr cidr = cidr_lit("10.3.0.0/16");
    char id[ID_SIZE];
    strcpy(id, vpc_associate_cidr(net, vpc, &cidr, &err)->association_id);
    struct subnet *subnet = model_subnet(net, vpc, "10.3.1.0/24");
    CHECK(!vpc_disassociate_cidr(net, id, &err));
    CHECK_STR(err.code, "InvalidCidrBlock.InUse");
    err_clear(&err);
    CHECK(subnet_delete(net, subnet, &err), "%s", err.text);
    CHECK(vpc_disassociate_cidr(net, id, &err), "%s", err.text);
    CHECK_INT(((struct route_table *)store_first(network_store(net), &route_table_kind))->routes.n, 1);
    CHECK(!vpc_disassociate_cidr(net, vpc->cidrs.items[0].association_id, &err));
    CHECK_STR(err.code, "OperationNotPermitted");
    err_clear(&err);
    CHECK(!vpc_disassociate_cidr(net, "vpc-cidr-assoc-0", &err));
    CHECK_STR(err.code, "InvalidVpcCidrBlockAssociationID.NotFound");
    network_free(net);
}

TEST(the_first_ipv6_block_opens_what_aws_made)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    const struct network_acl *acl = store_first(network_store(net), &network_acl_kind);
    const struct security_group *group = store_first(network_store(net), &security_group_kind);
    CHECK_INT(acl->entries.n, 4);
    CHECK_INT(group->rules.n, 2);
    REQUIRE(vpc_associate_amazon_ipv6(net, vpc, &err), "%s", err.text);
    CHECK_INT(acl->entries.n, 8);
    CHECK_INT(group->rules.n, 3);
    network_free(net);
}

TEST(vpc_delete_names_what_depends)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    struct internet_gateway *igw = model_igw(net, vpc);
    CHECK(!vpc_delete(net, vpc, &err));
    CHECK_STR(err.code, "DependencyViolation");
    CHECK(strstr(err.text, subnet->obj.id) && strstr(err.text, igw->obj.id), "%s", err.text);
    err_clear(&err);
    CHECK(subnet_delete(net, subnet, &err), "%s", err.text);
    CHECK(internet_gateway_detach(net, igw, vpc->obj.id, &err), "%s", err.text);
    CHECK(vpc_delete(net, vpc, &err), "%s", err.text);
    CHECK_INT(store_count(network_store(net), &route_table_kind), 0, "main table, default list and group go along");
    CHECK_INT(store_count(network_store(net), &network_acl_kind), 0);
    CHECK_INT(store_count(network_store(net), &security_group_kind), 0);
    network_free(net);
}

TEST(quotas_hold_until_they_are_turned_off)
{
    struct network *net = model_new();
    struct err err = { 0 };
    for (int i = 0; i < 5; i++) {
        model_vpc(net, "10.0.0.0/16", false);
    }
    CHECK(!vpc_create(net, &(struct vpc_spec){ .cidr = cidr_lit("10.0.0.0/16") }, &err));
    CHECK_STR(err.code, "VpcLimitExceeded");
    network_set_limits(net, false);
    model_vpc(net, "10.0.0.0/16", false);
    network_set_limits(net, true);
    network_set_owner(net, "123456789012", "eu-west-1");
    model_vpc(net, "10.0.0.0/16", false); /* a region has its own quota */
    network_free(net);
}

TEST(default_vpc_is_as_aws_builds_it)
{
    static const struct {
        const char *region;
        size_t zones;
        const char *last_zone, *last_id;
    } cases[] = {
        { "us-east-1", 6, "us-east-1f", "use1-az6" },
        { "eu-west-1", 3, "eu-west-1c", "euw1-az3" },
        { "ap-southeast-2", 3, "ap-southeast-2c", "apse2-az3" },
        { "eu-central-1", 3, "eu-central-1c", "euc1-az3" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct network *net = model_new();
        struct err err = { 0 };
        network_set_owner(net, "123456789012", cases[i].region);
        const struct vpc *vpc = network_create_default_vpc(net, &err);
        REQUIRE(vpc, "%s", err.text);
        CHECK(vpc->is_default && vpc->dns_hostnames);
        const struct subnet *last = NULL;
        size_t n = 0;
        for (struct subnet *s = store_first(network_store(net), &subnet_kind); s;
             s = store_next(network_store(net), s), n++) {
            CHECK(s->default_for_az && s->map_public_ip);
            CHECK_INT(s->cidr.bits, 20);
            last = s;
        }
        CHECK_INT(n, cases[i].zones);
        CHECK_STR(last->zone, cases[i].last_zone);
        CHECK_STR(last->zone_id, cases[i].last_id);
        const struct route_table *table = network_subnet_route_table(net, last);
        REQUIRE(table && table->routes.n == 2);
        CHECK(route_target(&table->routes.items[1], NULL) == ROUTE_IGW);
        CHECK(!network_create_default_vpc(net, &err));
        CHECK_STR(err.code, "DefaultVpcAlreadyExists");
        network_free(net);
    }
}

TEST_MAIN

#include "tests/unit/model.h"

TEST(eni_create_checks_addresses_and_groups)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false), *other = model_vpc(net, "10.1.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    const char *foreign = network_group_by_name(net, other->obj.id, "default")->obj.id;
    const char *own = network_group_by_name(net, vpc->obj.id, "default")->obj.id;
    const char *many[6];
    for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
        char name[8];
        snprintf(name, sizeof name, "g%zu", i);
        many[i] = security_group_create(net, vpc->obj.id, name, "x", NULL)->obj.id;
    }
    struct ip outside = ip_lit("10.0.2.10"), reserved = ip_lit("10.0.1.3"), last = ip_lit("10.0.1.255"),
              good = ip_lit("10.0.1.10"), v6 = ip_lit("2001:db8::5");
    struct ip twice[] = { good, good };
    const struct {
        const char *what;
        struct eni_spec spec;
        const char *code;
    } cases[] = {
        { "no subnet", { .subnet_id = "subnet-00000000" }, "InvalidSubnetID.NotFound" },
        { "outside", { .subnet_id = subnet->obj.id, .ip = outside }, "InvalidParameterValue" },
        { "reserved", { .subnet_id = subnet->obj.id, .ip = reserved }, "InvalidParameterValue" },
        { "broadcast", { .subnet_id = subnet->obj.id, .ip = last }, "InvalidParameterValue" },
        { "IPv6 without a block", { .subnet_id = subnet->obj.id, .ips6 = &v6, .n_ips6 = 1 }, "InvalidParameterValue" },
        { "pick IPv6 without a block", { .subnet_id = subnet->obj.id, .n_pick_ips6 = 1 }, "InvalidParameterValue" },
        { "twice in one request",
          { .subnet_id = subnet->obj.id, .secondary = twice, .n_secondary = 2 },
          "InvalidIPAddress.InUse" },
        { "good", { .subnet_id = subnet->obj.id, .ip = good }, "" },
        { "in use", { .subnet_id = subnet->obj.id, .ip = good }, "InvalidIPAddress.InUse" },
        { "too many", { .subnet_id = subnet->obj.id, .n_pick_secondary = 250 }, "InsufficientFreeAddressesInSubnet" },
        { "no such group",
          { .subnet_id = subnet->obj.id, .groups = (const char *[]){ "sg-00000000" }, .n_groups = 1 },
          "InvalidGroup.NotFound" },
        { "group of another VPC",
          { .subnet_id = subnet->obj.id, .groups = &foreign, .n_groups = 1 },
          "InvalidParameterValue" },
        { "six groups",
          { .subnet_id = subnet->obj.id, .groups = many, .n_groups = 6 },
          "SecurityGroupsPerInterfaceLimitExceeded" },
        { "five groups", { .subnet_id = subnet->obj.id, .groups = many, .n_groups = 5 }, "" },
        { "no group: the default one", { .subnet_id = subnet->obj.id }, "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        size_t before = store_count(network_store(net), &eni_kind);
        const struct eni *eni = eni_create(net, &cases[i].spec, &err);
        CHECK_STR(err.code, cases[i].code, "%s: %s", cases[i].what, err.text);
        CHECK_INT(store_count(network_store(net), &eni_kind), before + !cases[i].code[0], "%s", cases[i].what);
        CHECK(!eni || cases[i].spec.n_groups || eni_has_group(eni, own));
    }
    network_free(net);
}

TEST(a_picked_primary_address_leaves_the_named_ones_alone)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct subnet *subnet = model_subnet(net, model_vpc(net, "10.0.0.0/16", false), "10.0.1.0/24");
    struct ip secondary = ip_lit("10.0.1.4");
    struct eni *eni = eni_create(
        net, &(struct eni_spec){ .subnet_id = subnet->obj.id, .secondary = &secondary, .n_secondary = 1 }, &err);
    REQUIRE(eni, "%s", err.text);
    CHECK_STR(ip_str(eni_primary_ip(eni)), "10.0.1.5");
    CHECK(eni->addresses.items[0].primary && !eni->addresses.items[1].primary);
    network_free(net);
}

TEST(addresses_come_and_go)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    struct eni *eni = model_eni(net, subnet, "10.0.1.10"), *other = model_eni(net, subnet, "10.0.1.11");
    struct ip one = ip_lit("10.0.1.20"), taken = ip_lit("10.0.1.11"), primary = ip_lit("10.0.1.10");
    CHECK(!eni_assign_ips(net, eni, &taken, 1, 0, &err));
    CHECK_STR(err.code, "InvalidIPAddress.InUse");
    CHECK(strstr(err.text, other->obj.id), "%s", err.text);
    err_clear(&err);
    CHECK(!eni_assign_ips(net, eni, NULL, 0, 0, &err));
    CHECK_STR(err.code, "MissingParameter");
    err_clear(&err);
    CHECK(eni_assign_ips(net, eni, &one, 1, 0, &err) && eni_assign_ips(net, eni, NULL, 0, 2, &err), "%s", err.text);
    CHECK_INT(eni->addresses.n, 4);
    CHECK(network_eni_by_address(net, vpc->obj.id, &one) == eni);
    CHECK_INT(subnet_free_addresses(net, subnet), 251 - 5);
    CHECK(!eni_unassign_ips(net, eni, &primary, 1, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    CHECK(!eni_unassign_ips(net, eni, &taken, 1, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    CHECK(eni_unassign_ips(net, eni, &one, 1, &err), "%s", err.text);
    CHECK(!network_eni_by_address(net, vpc->obj.id, &one));
    CHECK_INT(subnet_free_addresses(net, subnet), 251 - 4);
    network_free(net);
}

TEST(ipv6_addresses_come_and_go)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", true);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    struct cidr cidr = vpc->cidrs6.items[0].cidr;
    cidr.bits = 64;
    REQUIRE(subnet_associate_cidr6(net, subnet, &cidr, &err), "%s", err.text);
    struct eni *eni = model_eni(net, subnet, NULL);
    CHECK_INT(eni->addresses6.n, 0);
    struct ip wanted = ip_add(&cidr.ip, 0x99), reserved = ip_add(&cidr.ip, 2);
    CHECK(!eni_assign_ips6(net, eni, &reserved, 1, 0, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    CHECK(eni_assign_ips6(net, eni, &wanted, 1, 0, &err) && eni_assign_ips6(net, eni, NULL, 0, 3, &err), "%s",
          err.text);
    CHECK_INT(eni->addresses6.n, 4);
    CHECK(network_eni_by_public_ip(net, &wanted, NULL) == eni, "IPv6 addresses are reached as they are");
    CHECK(network_eni_by_address(net, vpc->obj.id, &wanted) == eni);
    CHECK(eni_unassign_ips6(net, eni, &wanted, 1, &err), "%s", err.text);
    CHECK(!network_eni_by_public_ip(net, &wanted, NULL));
    CHECK(!eni_unassign_ips6(net, eni, &wanted, 1, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    network_free(net);
}

TEST(attaching_and_detaching)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    struct subnet_spec elsewhere = { .vpc_id = vpc->obj.id, .cidr = cidr_lit("10.0.2.0/24"), .zone = "us-east-1b" };
    struct subnet *far = subnet_create(net, &elsewhere, &err);
    struct instance *instance = model_instance(net, subnet, 0);
    struct eni *eni = model_eni(net, subnet, NULL), *far_eni = model_eni(net, far, NULL);
    CHECK(!eni_attach(net, far_eni, instance->obj.id, 1, &err));
    CHECK_STR(err.code, "InvalidParameterCombination");
    err_clear(&err);
    CHECK(!eni_attach(net, eni, instance->obj.id, 0, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    CHECK(!eni_attach(net, eni, "i-00000000", 1, &err));
    CHECK_STR(err.code, "InvalidInstanceID.NotFound");
    err_clear(&err);
    CHECK(eni_attach(net, eni, instance->obj.id, 1, &err), "%s", err.text);
    CHECK_STR(eni->status, "in-use");
    CHECK(instance_eni(net, instance, 1) == eni);
    CHECK(!eni_attach(net, eni, instance->obj.id, 2, &err));
    CHECK_STR(err.code, "InvalidNetworkInterface.InUse");
    err_clear(&err);
    CHECK(!eni_delete(net, eni, &err));
    CHECK_STR(err.code, "InvalidNetworkInterface.InUse");
    err_clear(&err);
    CHECK(!eni_detach(net, instance_eni(net, instance, 0)->attachment.id, false, &err));
    CHECK_STR(err.code, "OperationNotPermitted");
    err_clear(&err);
    CHECK(!eni_detach(net, "eni-attach-0", false, &err));
    CHECK_STR(err.code, "InvalidAttachmentID.NotFound");
    err_clear(&err);
    CHECK(eni_detach(net, eni->attachment.id, false, &err), "%s", err.text);
    CHECK(!instance_eni(net, instance, 1) && !eni->attached);
    CHECK(eni_delete(net, eni, &err), "%s", err.text);
    network_free(net);
}

TEST(names_follow_the_vpcs_dns_attributes)
{
    static const struct {
        const char *region, *private_name, *public_name;
    } cases[] = {
        { "us-east-1", "ip-10-0-1-10.ec2.internal", "ec2-203-0-113-1.compute-1.amazonaws.com" },
        { "eu-west-1", "ip-10-0-1-10.eu-west-1.compute.internal", "ec2-203-0-113-1.eu-west-1.compute.amazonaws.com" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct network *net = model_new();
        struct err err = { 0 };
        network_set_owner(net, "123456789012", cases[i].region);
        struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
        struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
        model_igw(net, vpc);
        struct eni *eni = model_eni(net, subnet, "10.0.1.10");
        CHECK(elastic_ip_associate(net, elastic_ip_allocate(net, &err), eni, NULL, false, &err), "%s", err.text);
        json_t *described = object_describe(network_store(net), eni);
        CHECK(!json_str(described, "PrivateDnsName"));
        json_decref(described);
        vpc->dns_hostnames = true;
        described = object_describe(network_store(net), eni);
        CHECK_STR(json_str(described, "PrivateDnsName"), cases[i].private_name);
        CHECK_STR(json_string_value(json_at(described, "Association.PublicDnsName")), cases[i].public_name);
        CHECK_STR(json_str(described, "PublicDnsName"), cases[i].public_name);
        json_decref(described);
        network_free(net);
    }
}

TEST(mac_addresses_are_local_and_differ)
{
    struct network *net = model_new();
    struct subnet *subnet = model_subnet(net, model_vpc(net, "10.0.0.0/16", false), "10.0.1.0/24");
    const char *before = "";
    for (int i = 0; i < 20; i++) {
        const struct eni *eni = model_eni(net, subnet, NULL);
        CHECK(strchr("26ae", eni->mac[1]) && eni->mac[0] == '0', "%s", eni->mac);
        CHECK(strcmp(eni->mac, before) != 0);
        before = eni->mac;
    }
    network_free(net);
}

TEST(the_index_follows_every_change)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.0.0/20");
    struct security_group *group = security_group_create(net, vpc->obj.id, "web", "web", &err);
    const char *groups[] = { group->obj.id };
    struct eni *enis[200];
    for (size_t i = 0; i < ARRAY_SIZE(enis); i++) {
        enis[i] = model_eni(net, subnet, NULL);
        CHECK(eni_set_groups(net, enis[i], groups, 1, &err));
    }
    for (size_t i = 0; i < ARRAY_SIZE(enis); i += 3) {
        struct ip ip = *eni_primary_ip(enis[i]);
        CHECK(eni_delete(net, enis[i], &err));
        CHECK(!network_eni_by_address(net, vpc->obj.id, &ip));
        enis[i] = NULL;
    }
    struct eni *const *members;
    size_t n = network_group_members(net, group->obj.id, &members), left = 0;
    for (size_t i = 0; i < ARRAY_SIZE(enis); i++) {
        if (enis[i]) {
            CHECK(left < n && members[left] == enis[i], "members are in order of creation");
            CHECK(network_eni_by_address(net, vpc->obj.id, eni_primary_ip(enis[i])) == enis[i]);
            left++;
        }
    }
    CHECK_INT(n, left);
    store_touch(network_store(net)); /* from scratch it is the same */
    CHECK_INT(network_group_members(net, group->obj.id, &members), left);
    CHECK_INT(subnet_free_addresses(net, subnet), 4096 - 5 - left);
    network_free(net);
}

TEST_MAIN

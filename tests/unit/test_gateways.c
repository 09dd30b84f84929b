#include "tests/unit/model.h"

struct lab {
    struct network *net;
    struct vpc *vpc;
    struct subnet *subnet;
};

static struct lab
lab(void)
{
    struct lab l = { .net = model_new() };
    l.vpc = model_vpc(l.net, "10.0.0.0/16", false);
    l.subnet = model_subnet(l.net, l.vpc, "10.0.1.0/24");
    return l;
}

TEST(an_internet_gateway_serves_one_vpc)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct vpc *other = model_vpc(l.net, "10.1.0.0/16", false);
    struct internet_gateway *igw = model_igw(l.net, l.vpc), *second = internet_gateway_create(l.net, &err);
    CHECK(network_vpc_igw(l.net, l.vpc->obj.id) == igw);
    CHECK(!internet_gateway_attach(l.net, igw, other->obj.id, &err));
    CHECK_STR(err.code, "Resource.AlreadyAssociated");
    err_clear(&err);
    CHECK(!internet_gateway_attach(l.net, second, l.vpc->obj.id, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    CHECK(!internet_gateway_detach(l.net, igw, other->obj.id, &err));
    CHECK_STR(err.code, "Gateway.NotAttached");
    err_clear(&err);
    CHECK(!internet_gateway_delete(l.net, igw, &err));
    CHECK_STR(err.code, "DependencyViolation");
    err_clear(&err);
    struct instance *instance = model_instance(l.net, l.subnet, 1);
    CHECK(!internet_gateway_detach(l.net, igw, l.vpc->obj.id, &err));
    CHECK_STR(err.code, "DependencyViolation");
    CHECK(strstr(err.text, "203.0.113.1") && strstr(err.text, instance->obj.id), "%s", err.text);
    err_clear(&err);
    CHECK(instance_stop(l.net, instance, &err) && internet_gateway_detach(l.net, igw, l.vpc->obj.id, &err), "%s",
          err.text);
    CHECK(internet_gateway_delete(l.net, igw, &err), "%s", err.text);
    network_free(l.net);
}

TEST(a_nat_gateway_needs_an_address_and_a_way_out)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct elastic_ip *eip = elastic_ip_allocate(l.net, &err);
    CHECK(!nat_gateway_create(l.net, "subnet-00000000", eip->obj.id, NULL, &err));
    CHECK_STR(err.code, "InvalidSubnetID.NotFound");
    err_clear(&err);
    CHECK(!nat_gateway_create(l.net, l.subnet->obj.id, "eipalloc-00000000", NULL, &err));
    CHECK_STR(err.code, "InvalidAllocationID.NotFound");
    err_clear(&err);
    CHECK(!nat_gateway_create(l.net, l.subnet->obj.id, eip->obj.id, NULL, &err));
    CHECK_STR(err.code, "Gateway.NotAttached");
    CHECK_INT(store_count(network_store(l.net), &eni_kind), 0);
    err_clear(&err);
    model_igw(l.net, l.vpc);
    struct nat_gateway *nat = nat_gateway_create(l.net, l.subnet->obj.id, eip->obj.id, NULL, &err);
    REQUIRE(nat, "%s", err.text);
    struct eni *eni = store_get(network_store(l.net), &eni_kind, nat->addresses.items[0].eni_id);
    REQUIRE(eni);
    CHECK(eni->requester_managed && !eni->source_dest_check && eni->groups.n == 0);
    CHECK(ip_equal(eni_public_ip(eni, eni_primary_ip(eni)), &eip->public_ip));
    CHECK(ip_equal(&nat->addresses.items[0].public_ip, &eip->public_ip));
    CHECK(!nat_gateway_create(l.net, l.subnet->obj.id, eip->obj.id, NULL, &err));
    CHECK_STR(err.code, "Resource.AlreadyAssociated");
    err_clear(&err);
    CHECK(!eni_delete(l.net, eni, &err));
    CHECK_STR(err.code, "OperationNotPermitted");
    err_clear(&err);
    CHECK(!elastic_ip_disassociate(l.net, eip->association_id, &err));
    CHECK_STR(err.code, "AuthFailure");
    err_clear(&err);
    CHECK(!subnet_delete(l.net, l.subnet, &err));
    CHECK(strstr(err.text, nat->obj.id), "%s", err.text);
    err_clear(&err);
    CHECK(nat_gateway_delete(l.net, nat, &err), "%s", err.text);
    CHECK_STR(nat->state, "deleted");
    CHECK_INT(store_count(network_store(l.net), &eni_kind), 0);
    CHECK(!eip->association_id[0]);
    CHECK(!nat_gateway_delete(l.net, nat, &err));
    CHECK_STR(err.code, "NatGatewayNotFound");
    err_clear(&err);
    CHECK(subnet_delete(l.net, l.subnet, &err), "%s", err.text);
    network_free(l.net);
}

TEST(a_private_nat_gateway_needs_neither)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct ip ip = ip_lit("10.0.1.77");
    struct nat_gateway *nat = nat_gateway_create(l.net, l.subnet->obj.id, NULL, &ip, &err);
    REQUIRE(nat, "%s", err.text);
    CHECK_STR(nat->connectivity, "private");
    CHECK(ip_equal(&nat->addresses.items[0].private_ip, &ip));
    network_free(l.net);
}

TEST(elastic_ips_move_only_when_told)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct elastic_ip *one = elastic_ip_allocate(l.net, &err), *two = elastic_ip_allocate(l.net, &err);
    struct eni *a = model_eni(l.net, l.subnet, NULL), *b = model_eni(l.net, l.subnet, NULL);
    CHECK(!ip_equal(&one->public_ip, &two->public_ip));
    CHECK(!elastic_ip_associate(l.net, one, a, NULL, false, &err));
    CHECK_STR(err.code, "Gateway.NotAttached");
    err_clear(&err);
    model_igw(l.net, l.vpc);
    struct ip stranger = ip_lit("10.0.1.200");
    CHECK(!elastic_ip_associate(l.net, one, a, &stranger, false, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    CHECK(elastic_ip_associate(l.net, one, a, NULL, false, &err), "%s", err.text);
    struct ip private_ip;
    CHECK(network_eni_by_public_ip(l.net, &one->public_ip, &private_ip) == a);
    CHECK(!elastic_ip_associate(l.net, one, b, NULL, false, &err));
    CHECK_STR(err.code, "Resource.AlreadyAssociated");
    err_clear(&err);
    CHECK(!elastic_ip_associate(l.net, two, a, NULL, false, &err), "the private address has one");
    CHECK_STR(err.code, "Resource.AlreadyAssociated");
    err_clear(&err);
    CHECK(!elastic_ip_release(l.net, one, &err));
    CHECK_STR(err.code, "InvalidIPAddress.InUse");
    err_clear(&err);
    CHECK(elastic_ip_associate(l.net, one, b, NULL, true, &err), "%s", err.text);
    CHECK(network_eni_by_public_ip(l.net, &one->public_ip, NULL) == b);
    CHECK(!eni_public_ip(a, eni_primary_ip(a)));
    /* Two public addresses on one interface: each for a private one. */
    CHECK(eni_assign_ips(l.net, b, NULL, 0, 1, &err), "%s", err.text);
    CHECK(elastic_ip_associate(l.net, two, b, &b->addresses.items[1].ip, false, &err), "%s", err.text);
    CHECK(network_eni_by_public_ip(l.net, &two->public_ip, &private_ip) == b &&
          ip_equal(&private_ip, &b->addresses.items[1].ip));
    CHECK(!elastic_ip_disassociate(l.net, "eipassoc-0", &err));
    CHECK_STR(err.code, "InvalidAssociationID.NotFound");
    err_clear(&err);
    CHECK(!elastic_ip_disassociate(l.net, "", &err));
    err_clear(&err);
    CHECK(elastic_ip_disassociate(l.net, one->association_id, &err), "%s", err.text);
    CHECK(elastic_ip_release(l.net, one, &err), "%s", err.text);
    CHECK(eni_delete(l.net, b, &err), "%s", err.text);
    CHECK(!two->association_id[0]);
    network_free(l.net);
}

TEST(five_elastic_ips_and_no_strangers_address)
{
    struct lab l = lab();
    struct err err = { 0 };
    for (int i = 0; i < 5; i++) {
        REQUIRE(elastic_ip_allocate(l.net, &err), "%s", err.text);
    }
    CHECK(!elastic_ip_allocate(l.net, &err));
    CHECK_STR(err.code, "AddressLimitExceeded");
    err_clear(&err);
    network_set_limits(l.net, false);
    struct cidr pools[] = { cidr_lit("203.0.113.0/24"), cidr_lit("198.51.100.0/24"), cidr_lit("192.0.2.0/24"),
                            cidr_lit("198.18.0.0/15") };
    for (int i = 0; i < 800; i++) {
        const struct elastic_ip *eip = elastic_ip_allocate(l.net, &err);
        REQUIRE(eip, "%s", err.text);
        bool ours = false;
        for (size_t p = 0; p < ARRAY_SIZE(pools); p++) {
            ours = ours || cidr_contains_ip(&pools[p], &eip->public_ip);
        }
        CHECK(ours, "%s", ip_str(&eip->public_ip));
    }
    network_free(l.net);
}

TEST(prefix_lists_have_versions)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct prefix_list_entry entries[] = { { .cidr = cidr_lit("10.0.0.0/8") },
                                           { .cidr = cidr_lit("10.1.0.0/16"), .description = "a" } };
    const struct {
        const char *name, *family;
        int max;
        size_t n;
        const char *code;
    } cases[] = {
        { "offices", "IPv4", 5, 2, "" },
        { "offices", "IPv4", 1, 2, "InvalidParameterValue" },
        { "offices", "IPv6", 5, 2, "InvalidParameterValue" },
        { "offices", "IPv5", 5, 0, "InvalidParameterValue" },
        { "com.amazonaws.x", "IPv4", 5, 0, "InvalidParameterValue" },
        { "", "IPv4", 5, 0, "InvalidParameterValue" },
        { "offices", "IPv4", 0, 0, "InvalidParameterValue" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        err_clear(&err);
        prefix_list_create(l.net, cases[i].name, cases[i].family, cases[i].max, entries, cases[i].n, &err);
        CHECK_STR(err.code, cases[i].code, "case %zu: %s", i, err.text);
    }
    err_clear(&err);
    struct prefix_list *list = store_first(network_store(l.net), &prefix_list_kind);
    struct ip inside = ip_lit("10.1.2.3"), outside = ip_lit("11.0.0.1");
    struct cidr match;
    CHECK(prefix_list_contains(list, &inside, &match));
    CHECK_STR(cidr_str(&match), "10.1.0.0/16", "the longest");
    CHECK(!prefix_list_contains(list, &outside, NULL));
    struct prefix_list_entry more = { .cidr = cidr_lit("11.0.0.0/8") };
    struct cidr gone = cidr_lit("10.0.0.0/8"), never = cidr_lit("12.0.0.0/8");
    CHECK(!prefix_list_modify(l.net, list, 7, &more, 1, NULL, 0, &err));
    CHECK_STR(err.code, "PrefixListVersionMismatch");
    err_clear(&err);
    CHECK(!prefix_list_modify(l.net, list, 1, &more, 1, &never, 1, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    CHECK_INT(list->entries.n, 2);
    err_clear(&err);
    CHECK(prefix_list_modify(l.net, list, 1, &more, 1, &gone, 1, &err), "%s", err.text);
    CHECK_INT(list->version, 2);
    CHECK(prefix_list_contains(list, &outside, NULL));
    CHECK(prefix_list_delete(l.net, list, &err), "%s", err.text);
    network_free(l.net);
}

TEST(flow_logs_watch_a_vpc_a_subnet_or_an_interface)
{
    struct lab l = lab();
    struct eni *eni = model_eni(l.net, l.subnet, NULL);
    const struct {
        const char *resource, *traffic;
        int interval;
        const char *code;
    } cases[] = {
        { l.vpc->obj.id, "ALL", 600, "" },
        { l.vpc->obj.id, "ALL", 600, "FlowLogAlreadyExists" },
        { l.subnet->obj.id, "REJECT", 60, "" },
        { eni->obj.id, "ACCEPT", 60, "" },
        { "vpc-00000000", "ALL", 60, "InvalidVpcID.NotFound" },
        { "i-00000000", "ALL", 60, "InvalidParameterValue" },
        { eni->obj.id, "DROP", 60, "InvalidParameterValue" },
        { eni->obj.id, "ALL", 61, "InvalidParameterValue" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct flow_log_spec spec = { .resource_id = cases[i].resource,
                                      .traffic_type = cases[i].traffic,
                                      .group_name = "logs",
                                      .max_interval = cases[i].interval };
        flow_log_create(l.net, &spec, &err);
        CHECK_STR(err.code, cases[i].code, "case %zu: %s", i, err.text);
    }
    const struct flow_log *logs[8];
    CHECK_INT(flow_logs_of_eni(l.net, eni, logs, 8), 3);
    CHECK_INT(flow_logs_of_eni(l.net, eni, logs, 2), 2);
    network_free(l.net);
}

TEST(everything_survives_saving)
{
    struct lab l = lab();
    struct err err = { 0 };
    struct vpc *v6 = model_vpc(l.net, "10.6.0.0/16", true);
    struct subnet_spec spec = { .vpc_id = v6->obj.id,
                                .cidr = cidr_lit("10.6.1.0/24"),
                                .cidr6 = v6->cidrs6.items[0].cidr };
    spec.cidr6.bits = 64;
    struct subnet *subnet6 = subnet_create(l.net, &spec, &err);
    REQUIRE(subnet6, "%s", err.text);
    struct internet_gateway *igw = model_igw(l.net, l.vpc);
    struct prefix_list_entry entry = { .cidr = cidr_lit("10.0.0.0/8"), .description = "ours" };
    struct prefix_list *list = prefix_list_create(l.net, "offices", "IPv4", 5, &entry, 1, &err);
    struct elastic_ip *eip = elastic_ip_allocate(l.net, &err);
    CHECK(nat_gateway_create(l.net, l.subnet->obj.id, eip->obj.id, NULL, &err), "%s", err.text);
    struct security_group *group = security_group_create(l.net, l.vpc->obj.id, "web", "web", &err);
    struct sg_rule rules[] = {
        { .protocol = PROTOCOL_ICMP, .from = 8, .to = -1, .cidr = cidr_lit("0.0.0.0/0"), .description = "ping" },
        { .protocol = PROTOCOL_TCP, .from = 0, .to = 65535, .group_id = group->obj.id },
        { .protocol = PROTOCOL_UDP, .from = 53, .to = 53, .egress = true, .prefix_list_id = list->obj.id },
        { .protocol = 50, .from = -1, .to = -1, .cidr = cidr_lit("2001:db8::/32") },
    };
    CHECK(security_group_authorize(l.net, group, rules, ARRAY_SIZE(rules), &err), "%s", err.text);
    struct network_acl *acl = network_acl_create(l.net, l.vpc->obj.id, false, &err);
    struct nacl_entry entries[] = {
        { .number = 1,
          .protocol = PROTOCOL_ICMP,
          .has_icmp = true,
          .icmp = { 8, 0 },
          .cidr = cidr_lit("0.0.0.0/0"),
          .action = NACL_ALLOW },
        { .number = 2, .protocol = PROTOCOL_TCP, .has_ports = true, .ports = { 0, 0 }, .cidr6 = cidr_lit("::/0") },
    };
    CHECK(network_acl_add_entry(l.net, acl, &entries[0], &err) && network_acl_add_entry(l.net, acl, &entries[1], &err),
          "%s", err.text);
    struct route_table *table = route_table_create(l.net, l.vpc->obj.id, false, &err);
    CHECK(
        route_create(l.net, table, &(struct route){ .prefix_list_id = list->obj.id, .gateway_id = igw->obj.id }, &err),
        "%s", err.text);
    CHECK(route_create(l.net, table, &(struct route){ .cidr6 = cidr_lit("::/0"), .gateway_id = igw->obj.id }, &err),
          "%s", err.text);
    REQUIRE(route_table_associate(l.net, table, l.subnet->obj.id, &err), "%s", err.text);
    struct instance *stopped = model_instance(l.net, l.subnet, 1);
    model_instance(l.net, subnet6, 0);
    CHECK(instance_stop(l.net, stopped, &err), "%s", err.text);
    object_set_tag(&stopped->obj, "Name", "web");
    CHECK(eni_assign_ips6(l.net, model_eni(l.net, subnet6, NULL), NULL, 0, 2, &err), "%s", err.text);
    struct flow_log_spec watch = {
        .resource_id = l.vpc->obj.id, .traffic_type = "ALL", .group_name = "logs", .max_interval = 60
    };
    REQUIRE(flow_log_create(l.net, &watch, &err), "%s", err.text);
    l.vpc->dns_support = false;
    struct network *copy = model_reload(l.net);
    char *before = model_save(l.net), *after = model_save(copy);
    CHECK_STR(after, before);
    const struct vpc *vpc = store_get(network_store(copy), &vpc_kind, l.vpc->obj.id);
    CHECK(!vpc->dns_support, "what is off stays off");
    free(before);
    free(after);
    network_free(copy);
    network_free(l.net);
}

TEST_MAIN

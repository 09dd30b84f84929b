#include "tests/unit/model.h"

#define TCP(number_, egress_, from_, to_)                                                                              \
    {                                                                                                                  \
        .number = number_, .egress = egress_, .action = NACL_ALLOW, .protocol = PROTOCOL_TCP, .has_ports = true,       \
        .ports = { from_, to_ }, .cidr = any                                                                           \
    }

TEST(entries_are_checked_and_sorted)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct network_acl *acl = network_acl_create(net, vpc->obj.id, false, NULL);
    struct cidr any = cidr_lit("0.0.0.0/0"), any6 = cidr_lit("::/0");
    const struct {
        const char *what;
        struct nacl_entry entry;
        const char *code;
    } cases[] = {
        { "first", TCP(200, false, 80, 80), "" },
        { "lower, later", TCP(100, false, 443, 443), "" },
        { "the other direction", TCP(100, true, 443, 443), "" },
        { "taken", TCP(100, false, 22, 22), "NetworkAclEntryAlreadyExists" },
        { "number 0", TCP(0, false, 22, 22), "InvalidParameterValue" },
        { "number of *", TCP(32767, false, 22, 22), "InvalidParameterValue" },
        { "ports the wrong way", TCP(300, false, 90, 80), "InvalidParameterValue" },
        { "port too high", TCP(300, false, 0, 65536), "InvalidParameterValue" },
        { "no ports", { .number = 300, .protocol = PROTOCOL_UDP, .cidr = any }, "InvalidParameterValue" },
        { "no type", { .number = 300, .protocol = PROTOCOL_ICMP, .cidr = any }, "InvalidParameterValue" },
        { "every type, one code",
          { .number = 300, .protocol = PROTOCOL_ICMP, .cidr = any, .has_icmp = true, .icmp = { -1, 0 } },
          "InvalidParameterValue" },
        { "ping", { .number = 300, .protocol = PROTOCOL_ICMP, .cidr = any, .has_icmp = true, .icmp = { 8, -1 } }, "" },
        { "no block", { .number = 301, .protocol = PROTOCOL_ALL }, "MissingParameter" },
        { "two blocks",
          { .number = 301, .protocol = PROTOCOL_ALL, .cidr = any, .cidr6 = any6 },
          "InvalidParameterCombination" },
        { "wrong family", { .number = 301, .protocol = PROTOCOL_ALL, .cidr = any6 }, "InvalidParameterValue" },
        { "ICMPv6 over IPv4",
          { .number = 301, .protocol = 58, .cidr = any, .has_icmp = true, .icmp = { -1, -1 } },
          "InvalidParameterValue" },
        { "IPv6", { .number = 301, .protocol = PROTOCOL_ALL, .cidr6 = any6 }, "" },
        { "protocol 256", { .number = 302, .protocol = 256, .cidr = any }, "InvalidParameterValue" },
        { "protocol 50 has no ports",
          { .number = 302, .protocol = 50, .cidr = any, .has_ports = true, .ports = { 1, 2 } },
          "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        network_acl_add_entry(net, acl, &cases[i].entry, &err);
        CHECK_STR(err.code, cases[i].code, "%s: %s", cases[i].what, err.text);
    }
    static const int order[] = { 100, 200, 300, 301, 302, 32767, 100, 32767 };
    REQUIRE(acl->entries.n == ARRAY_SIZE(order));
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        CHECK_INT(acl->entries.items[i].number, order[i], "place %zu", i);
    }
    CHECK(!acl->entries.items[4].has_ports);
    network_free(net);
}

TEST(the_star_rule_is_awss)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct network_acl *acl = network_acl_create(net, vpc->obj.id, false, NULL);
    CHECK(!network_acl_delete_entry(net, acl, 32767, false, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    CHECK(!network_acl_delete_entry(net, acl, 100, false, &err));
    CHECK_STR(err.code, "InvalidNetworkAclEntry.NotFound");
    err_clear(&err);
    struct nacl_entry entry = {
        .number = 100, .protocol = PROTOCOL_ALL, .cidr = cidr_lit("0.0.0.0/0"), .action = NACL_ALLOW
    };
    CHECK(!network_acl_replace_entry(net, acl, &entry, &err));
    CHECK_STR(err.code, "InvalidNetworkAclEntry.NotFound");
    err_clear(&err);
    for (entry.number = 1; entry.number <= 19; entry.number++) {
        CHECK(network_acl_add_entry(net, acl, &entry, &err), "%s", err.text);
    }
    CHECK(!network_acl_add_entry(net, acl, &entry, &err), "20 with the rule *");
    CHECK_STR(err.code, "NetworkAclEntryLimitExceeded");
    err_clear(&err);
    entry.number = 7;
    entry.action = NACL_DENY;
    CHECK(network_acl_replace_entry(net, acl, &entry, &err), "%s", err.text);
    CHECK_INT(acl->entries.items[6].action, NACL_DENY);
    CHECK(network_acl_delete_entry(net, acl, 7, false, &err), "%s", err.text);
    CHECK_INT(acl->entries.items[6].number, 8);
    network_free(net);
}

TEST(a_subnet_always_has_one_list)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false), *other = model_vpc(net, "10.1.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    struct network_acl *first = network_subnet_acl(net, subnet),
                       *own = network_acl_create(net, vpc->obj.id, false, &err);
    struct network_acl *foreign = network_acl_create(net, other->obj.id, false, &err);
    REQUIRE(first && own && foreign);
    CHECK(first->is_default);
    char id[ID_SIZE];
    strcpy(id, first->associations.items[0].id);
    CHECK(!network_acl_replace_association(net, id, foreign, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    const struct nacl_association *association = network_acl_replace_association(net, id, own, &err);
    REQUIRE(association, "%s", err.text);
    CHECK(strcmp(association->id, id) != 0, "a new association has a new id");
    CHECK(network_subnet_acl(net, subnet) == own);
    CHECK(!network_acl_replace_association(net, id, own, &err));
    CHECK_STR(err.code, "InvalidAssociationID.NotFound");
    err_clear(&err);
    CHECK(!network_acl_delete(net, own, &err));
    CHECK_STR(err.code, "DependencyViolation");
    CHECK(strstr(err.text, subnet->obj.id), "%s", err.text);
    err_clear(&err);
    CHECK(!network_acl_delete(net, first, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    err_clear(&err);
    CHECK(network_acl_delete(net, foreign, &err), "%s", err.text);
    network_free(net);
}

TEST_MAIN

/* netsim/analysis/audit.h on networks made by AWS's own operations and by import: which remarks, and which not. */
#include "netsim/analysis/audit.h"
#include "netsim/model/peering.h"
#include "tests/unit/model.h"

static size_t
count(const struct network *net, const char *code)
{
    struct audit audit;
    size_t n = 0;
    audit_run(&audit, net);
    for (size_t i = 0; i < audit.findings.n; i++) {
        n += strcmp(audit.findings.items[i].check->code, code) == 0;
    }
    audit_done(&audit);
    return n;
}

static void
allow(struct network *net, struct security_group *group, int protocol, int from, int to, const char *cidr)
{
    struct err err = { 0 };
    struct sg_rule rule = { .protocol = protocol, .from = from, .to = to, .cidr = cidr_lit(cidr) };
    CHECK(security_group_authorize(net, group, &rule, 1, &err), "%s", err.text);
}

static struct security_group *
group_new(struct network *net, const char *name)
{
    struct err err = { 0 };
    struct security_group *group =
        security_group_create(net, model_vpc(net, "10.0.0.0/16", false)->obj.id, name, name, &err);
    REQUIRE(group, "%s", err.text);
    return group;
}

TEST(a_guarded_port_counts_only_when_everybody_gets_in)
{
    static const struct {
        int protocol, from, to;
        const char *cidr;
        size_t port, all;
    } cases[] = {
        { PROTOCOL_TCP, 22, 22, "0.0.0.0/0", 1, 0 },   { PROTOCOL_TCP, 22, 22, "::/0", 1, 0 },
        { PROTOCOL_TCP, 0, 65535, "0.0.0.0/0", 1, 0 }, { PROTOCOL_TCP, 5000, 6000, "0.0.0.0/0", 1, 0 },
        { PROTOCOL_UDP, 11211, 11211, "::/0", 1, 0 },  { PROTOCOL_UDP, 22, 22, "0.0.0.0/0", 0, 0 },
        { PROTOCOL_TCP, 443, 443, "0.0.0.0/0", 0, 0 }, { PROTOCOL_TCP, 22, 22, "10.0.0.0/8", 0, 0 },
        { PROTOCOL_ALL, -1, -1, "0.0.0.0/0", 0, 1 },   { PROTOCOL_ALL, -1, -1, "10.0.0.0/8", 0, 0 },
        { PROTOCOL_ICMP, -1, -1, "0.0.0.0/0", 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct network *net = model_new();
        struct security_group *group = group_new(net, "web");
        allow(net, group, cases[i].protocol, cases[i].from, cases[i].to, cases[i].cidr);
        CHECK_INT(count(net, "sg-port-from-world"), cases[i].port, "case %zu", i);
        CHECK_INT(count(net, "sg-all-from-world"), cases[i].all, "case %zu", i);
        network_free(net);
    }
}

TEST(a_rule_is_implied_by_the_others_together)
{
    struct network *net = model_new();
    struct security_group *group = group_new(net, "web");
    allow(net, group, PROTOCOL_TCP, 80, 85, "10.0.0.0/8");
    allow(net, group, PROTOCOL_TCP, 86, 90, "10.0.0.0/16");
    allow(net, group, PROTOCOL_TCP, 80, 90, "10.0.0.0/9"); /* wider than the second */
    CHECK_INT(count(net, "sg-rule-implied"), 1, "the second, inside the third");
    allow(net, group, PROTOCOL_TCP, 84, 87, "10.0.1.0/24");
    CHECK_INT(count(net, "sg-rule-implied"), 2);
    allow(net, group, PROTOCOL_UDP, 84, 87, "10.0.1.0/24"); /* another protocol */
    allow(net, group, PROTOCOL_TCP, 84, 91, "10.0.1.0/24"); /* one port more; now it holds the one before */
    CHECK_INT(count(net, "sg-rule-implied"), 2);
    network_free(net);
}

TEST(the_last_entry_of_an_acl_is_never_a_finding)
{
    struct network *net = model_new();
    model_subnet(net, model_vpc(net, "10.0.0.0/16", true), "10.0.1.0/24"); /* 100 allows all, so '*' never decides */
    CHECK_INT(count(net, "nacl-entry-overruled"), 0);
    CHECK_INT(count(net, "nacl-entry-redundant"), 0);
    CHECK_INT(count(net, "nacl-blocks-replies"), 0);
    CHECK_INT(count(net, "nacl-unattached"), 0);
    model_vpc(net, "10.1.0.0/16", false);
    CHECK_INT(count(net, "nacl-unattached"), 1);
    network_free(net);
}

TEST(peered_vpcs_may_not_overlap)
{
    struct err err = { 0 };
    for (int overlaps = 0; overlaps < 2; overlaps++) {
        struct network *net = model_new();
        struct vpc *a = model_vpc(net, "10.0.0.0/16", false), *b = model_vpc(net, "10.1.0.0/16", false);
        struct peering *peering =
            peering_create(net, &(struct peering_spec){ .vpc_id = a->obj.id, .peer_vpc_id = b->obj.id }, &err);
        REQUIRE(peering && peering_accept(net, peering, &err), "%s", err.text);
        if (overlaps) { /* only imported data can say so */
            b->cidrs.items[0].cidr = cidr_lit("10.0.128.0/17");
        }
        CHECK_INT(count(net, "peering-overlap"), overlaps);
        network_free(net);
    }
}

TEST_MAIN

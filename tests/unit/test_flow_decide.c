/* Records from elsewhere, held against the model: which rule refuses them. */
#include "netsim/flowlog/decide.h"
#include "netsim/model/eni.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/security_group.h"
#include "tests/unit/model.h"

/* Inside a subnet no ACL is asked; a subnet with IPv6 is no exception for its IPv4, nor the other way round. */
TEST(an_acl_is_asked_of_who_is_not_in_the_subnet)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", true);
    struct err err = { 0 };
    struct cidr six = vpc->cidrs6.items[0].cidr;
    six.bits = 64;
    struct subnet_spec spec = { .vpc_id = vpc->obj.id, .cidr = cidr_lit("10.0.1.0/24"), .cidr6 = six };
    struct subnet *subnet = subnet_create(net, &spec, &err);
    REQUIRE(subnet, "%s", err.text);
    struct eni *eni = model_eni(net, subnet, "10.0.1.10");
    struct network_acl *acl = network_subnet_acl(net, subnet);
    REQUIRE(network_acl_delete_entry(net, acl, 100, false, &err), "%s", err.text);
    char refused[FLOW_RULE_SIZE];
    snprintf(refused, sizeof refused, "%s:ingress:*", acl->obj.id);
    static const struct {
        const char *src;
        bool refused;
    } cases[] = { { "10.0.2.5", true }, { "10.0.1.5", false } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_verdict verdict = { 0 };
        struct flow_record record = { .status = FLOW_OK,
                                      .src = ip_lit(cases[i].src),
                                      .dst = ip_lit("10.0.1.10"),
                                      .src_port = 40000,
                                      .dst_port = 443,
                                      .protocol = PROTOCOL_TCP,
                                      .tcp_flags = FLOW_TCP_SYN,
                                      .direction = FLOW_INGRESS };
        snprintf(record.eni_id, sizeof record.eni_id, "%s", eni->obj.id);
        CHECK(flow_decide(net, &record, &verdict), "%s", cases[i].src);
        CHECK((strcmp(verdict.rule, refused) == 0) == cases[i].refused, "%s: %s", cases[i].src, verdict.rule);
    }
    network_free(net);
}

/* From or to everywhere; 'id' is the rule's. */
static void
add_rule(struct network *net, struct security_group *group, bool egress, int protocol, int port,
         char id[static ID_SIZE])
{
    struct err err = { 0 };
    struct sg_rule rule = {
        .egress = egress, .protocol = protocol, .from = port, .to = port, .cidr = cidr_lit("0.0.0.0/0")
    };
    REQUIRE(security_group_authorize(net, group, &rule, 1, &err), "%s", err.text);
    snprintf(id, ID_SIZE, "%s", group->rules.items[group->rules.n - 1].id);
}

static void
add_denial(struct network *net, struct network_acl *acl, int number, bool egress, const char *block)
{
    struct err err = { 0 };
    struct nacl_entry entry = {
        .number = number, .egress = egress, .action = NACL_DENY, .protocol = PROTOCOL_ALL, .cidr = cidr_lit(block)
    };
    REQUIRE(network_acl_add_entry(net, acl, &entry, &err), "%s", err.text);
}

/* Groups next to the interface, the ACL before them on the way in and behind them on the way out; a record does not say
 * who began the connection: its flags and ports do. */
TEST(the_rule_that_decides_is_named)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    struct eni *eni = model_eni(net, subnet, "10.0.1.10");
    struct network_acl *acl = network_subnet_acl(net, subnet);
    struct err err = { 0 };
    struct security_group *group = security_group_create(net, vpc->obj.id, "web", "web", &err);
    REQUIRE(group, "%s", err.text);
    const char *all_out = group->rules.items[0].id, *ids[] = { group->obj.id };
    REQUIRE(security_group_revoke_ids(net, group, true, &all_out, 1, &err), "%s", err.text);
    char https[ID_SIZE], echo[ID_SIZE], db[ID_SIZE];
    add_rule(net, group, false, PROTOCOL_TCP, 443, https);
    add_rule(net, group, false, PROTOCOL_ICMP, -1, echo);
    add_rule(net, group, true, PROTOCOL_TCP, 5432, db);
    REQUIRE(eni_set_groups(net, eni, ids, 1, &err), "%s", err.text);
    add_denial(net, acl, 50, true, "10.0.2.99/32");
    add_denial(net, acl, 55, true, "198.51.100.0/24");
    add_denial(net, acl, 60, false, "203.0.113.0/24");
    enum { SYN = FLOW_TCP_SYN, SYN_ACK = FLOW_TCP_SYN_ACK, TCP = PROTOCOL_TCP, IN = FLOW_INGRESS, OUT = FLOW_EGRESS };
    const struct {
        const char *src, *dst;
        int from, to, protocol, flags, direction;
        const char *who, *what; /* "GROUP or ACL id:ingress or egress:what" */
    } cases[] = {
        { "8.8.8.8", "10.0.1.10", 40000, 443, TCP, SYN, IN, "sg:ingress", https },
        { "8.8.8.8", "10.0.1.10", 40000, 80, TCP, SYN, IN, "sg:ingress", "none" },
        { "203.0.113.9", "10.0.1.10", 40000, 443, TCP, SYN, IN, "acl:ingress", "60" },
        { "203.0.113.9", "10.0.1.10", 40000, 80, TCP, SYN, IN, "acl:ingress", "60" },
        { "10.0.1.10", "8.8.8.8", 443, 40000, TCP, SYN_ACK, OUT, "reply:ingress", https },
        { "10.0.1.10", "8.8.8.8", 443, 40000, TCP, 0, OUT, "reply:ingress", https }, /* the lower port is a service's */
        { "10.0.1.10", "8.8.8.8", 443, 40000, TCP, SYN, OUT, "sg:egress", "none" },  /* it calls */
        { "10.0.1.10", "8.8.8.8", 443, 80, TCP, 0, OUT, "sg:egress", "none" },
        { "10.0.1.10", "8.8.8.8", 443, 443, TCP, 0, OUT, "sg:egress", "none" },
        { "10.0.1.10", "8.8.8.8", 443, 80, TCP, SYN_ACK, OUT, "reply:ingress", https },
        { "10.0.1.10", "198.51.100.9", 443, 40000, TCP, SYN_ACK, OUT, "acl:egress", "55" },
        { "10.0.1.10", "10.0.2.5", 40000, 5432, TCP, SYN, OUT, "sg:egress", db },
        { "10.0.1.10", "10.0.2.99", 40000, 5432, TCP, SYN, OUT, "acl:egress", "50" },
        { "10.0.1.10", "10.0.2.99", 40000, 80, TCP, SYN, OUT, "sg:egress", "none" }, /* the group is asked first */
        { "10.0.2.5", "10.0.1.10", 5432, 40000, TCP, SYN_ACK, IN, "reply:egress", db },
        { "8.8.8.8", "10.0.1.10", 0, 0, PROTOCOL_ICMP, 0, IN, "sg:ingress", echo },
        { "10.0.1.10", "8.8.8.8", 0, 0, PROTOCOL_ICMP, 0, OUT, "reply:ingress", echo },
        /* formats without flow-direction */
        { "10.0.1.10", "10.0.2.5", 40000, 5432, TCP, SYN, 0, "sg:egress", db },
        { "8.8.8.8", "10.0.1.10", 40000, 443, TCP, SYN, 0, "sg:ingress", https },
        { "8.8.8.8", "10.9.9.9", 40000, 443, TCP, SYN, 0, "sg:ingress", https }, /* through an appliance */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_verdict verdict = { 0 };
        struct flow_record record = { .status = FLOW_OK,
                                      .src = ip_lit(cases[i].src),
                                      .dst = ip_lit(cases[i].dst),
                                      .src_port = (uint16_t)cases[i].from,
                                      .dst_port = (uint16_t)cases[i].to,
                                      .protocol = (uint8_t)cases[i].protocol,
                                      .tcp_flags = (uint8_t)cases[i].flags,
                                      .direction = (uint8_t)cases[i].direction };
        snprintf(record.eni_id, sizeof record.eni_id, "%s", eni->obj.id);
        const char *way = strchr(cases[i].who, ':') + 1;
        bool by_acl = cases[i].who[0] == 'a', reply = cases[i].who[0] == 'r';
        bool refused = by_acl || strcmp(cases[i].what, "none") == 0;
        char expected[FLOW_RULE_SIZE];
        snprintf(expected, sizeof expected, "%s:%s:%s%s", by_acl ? acl->obj.id : group->obj.id, way, cases[i].what,
                 reply ? ":reply" : "");
        CHECK(flow_decide(net, &record, &verdict), "case %zu", i);
        CHECK_STR(verdict.rule, expected, "case %zu", i);
        CHECK_INT(verdict.action, refused ? FLOW_REJECT : FLOW_ACCEPT, "case %zu: %s", i, verdict.rule);
    }
    network_free(net);
}

/* A record names its interface, or its addresses do: first the end that its direction means. */
TEST(the_interface_of_a_record)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    const struct eni *a = model_eni(net, subnet, "10.0.1.10"), *b = model_eni(net, subnet, "10.0.1.20");
    const struct {
        const char *id, *src, *dst;
        uint8_t direction;
        const struct eni *eni;
    } cases[] = {
        { "", "10.0.1.10", "10.0.1.20", FLOW_EGRESS, a },
        { "", "10.0.1.10", "10.0.1.20", FLOW_INGRESS, b },
        { "", "10.0.1.10", "10.0.1.20", 0, b },
        { "", "10.0.1.10", "8.8.8.8", FLOW_INGRESS, a },
        { "", "8.8.8.8", "10.0.1.20", FLOW_EGRESS, b },
        { "", "8.8.8.8", "9.9.9.9", FLOW_EGRESS, NULL },
        { a->obj.id, "10.0.1.20", "10.0.1.20", FLOW_EGRESS, a },
        { "eni-0123456789abcdef0", "10.0.1.10", "10.0.1.20", FLOW_EGRESS, NULL }, /* of another account */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_record record = { .src = ip_lit(cases[i].src),
                                      .dst = ip_lit(cases[i].dst),
                                      .direction = cases[i].direction };
        struct flow_verdict verdict;
        snprintf(record.eni_id, sizeof record.eni_id, "%s", cases[i].id);
        CHECK(flow_record_eni(net, &record) == cases[i].eni, "case %zu", i);
        record.status = FLOW_NODATA;
        CHECK(!flow_decide(net, &record, &verdict), "case %zu: no traffic, no verdict", i);
    }
    network_free(net);
}

TEST_MAIN

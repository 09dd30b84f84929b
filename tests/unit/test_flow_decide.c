/* Records from elsewhere, held against the model: which rule refuses them. */
#include "netsim/flowlog/decide.h"
#include "netsim/model/eni.h"
#include "netsim/model/network_acl.h"
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

TEST_MAIN

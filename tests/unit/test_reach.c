#include "netsim/analysis/reach.h"

#include <stdlib.h>

#include "tests/unit/reach_lab.h"

/* "i-web", "eni-db", "igw-1", "internet", "10.0.0.1" */
static struct flow_end
end_of(const char *text)
{
    struct flow_end end = { 0 };
    if (strcmp(text, "internet") == 0) {
        end.kind = FLOW_END_INTERNET;
    } else if (ip_parse(text, &end.ip)) {
        end.kind = FLOW_END_IP;
    } else {
        end.kind = strncmp(text, "i-", 2) == 0      ? FLOW_END_INSTANCE
                   : strncmp(text, "eni-", 4) == 0  ? FLOW_END_ENI
                   : strncmp(text, "vpce-", 5) == 0 ? FLOW_END_VPCE
                                                    : FLOW_END_GATEWAY;
        snprintf(end.id, sizeof end.id, "%s", text);
    }
    return end;
}

struct question {
    const char *from, *to, *protocol;
    int port;           /* or ICMP type; -1 */
    const char *answer; /* "reachable", "reachable allowed", "reachable blocked", "why CODE" */
    const char *src_ip, *dst_ip;
    int src_port, family;
};

static struct flow_spec
flow_of(const struct question *q)
{
    struct flow_spec flow = {
        .from = end_of(q->from), .to = end_of(q->to), .src_port = -1, .dst_port = -1, .icmp_type = -1, .icmp_code = -1
    };
    CHECK(protocol_parse(q->protocol, &flow.protocol), "%s", q->protocol);
    bool icmp = strncmp(q->protocol, "icmp", 4) == 0;
    flow.dst_port = icmp ? -1 : q->port;
    flow.icmp_type = icmp ? q->port : -1;
    flow.src_port = q->src_port ? q->src_port : -1;
    flow.family = q->family;
    if (q->src_ip) {
        flow.src_ip = ip_lit(q->src_ip);
    }
    if (q->dst_ip) {
        flow.dst_ip = ip_lit(q->dst_ip);
    }
    return flow;
}

static const char *
answer_str(const struct reach_result *r, char text[static 160])
{
    static const char *const replies[] = { "", " allowed", " blocked" };
    if (r->reachable) {
        snprintf(text, 160, "reachable%s", replies[r->reply]);
    } else {
        snprintf(text, 160, "%s %s", r->why, r->codes[0]);
    }
    return text;
}

static void
check_question(const struct lab *lab, const struct question *q)
{
    struct flow_spec flow = flow_of(q);
    struct reach_result r = { 0 };
    struct err err = { 0 };
    char text[160];
    if (reach(lab->net, &flow, true, &r, &err)) {
        CHECK_STR(answer_str(&r, text), q->answer, "%s -> %s %s %d: %s", q->from, q->to, q->protocol, q->port,
                  r.reason ? r.reason : "");
        bool no = !r.reachable || r.reply == REPLY_BLOCKED;
        CHECK(no == (json_array_size(r.explanations) >= 1) && no == (r.reason != NULL), "%s -> %s %s", q->from, q->to,
              q->protocol);
    } else {
        CHECK_STR(err.code, q->answer, "%s -> %s %s %d: %s", q->from, q->to, q->protocol, q->port, err.text);
    }
    reach_result_done(&r);
}

TEST(verdicts)
{
    static const struct question cases[] = {
        /* security groups */
        { "i-web", "i-app", "tcp", 8080, "reachable allowed" }, /* by a reference to web's group */
        { "i-web", "i-app", "tcp", 8081, "sg-ingress ENI_SG_RULES_MISMATCH" },
        { "i-web", "i-app", "udp", 8080, "sg-ingress ENI_SG_RULES_MISMATCH" },
        { "i-app", "i-app2", "tcp", 9000, "reachable allowed" }, /* the group names itself */
        { "i-web", "i-app", "tcp", 9000, "sg-ingress ENI_SG_RULES_MISMATCH" },
        { "i-db", "i-app", "tcp", 8080, "sg-egress ENI_SG_RULES_MISMATCH" }, /* no outbound rules at all */
        { "i-web", "i-off", "tcp", 80, "instance-state BAD_STATE" },
        { "i-off", "i-web", "tcp", 443, "instance-state BAD_STATE" },
        { "i-app", "i-web", "icmp", 8, "reachable allowed" },
        { "i-app", "i-web", "icmp", 13, "sg-ingress ENI_SG_RULES_MISMATCH" },
        { "i-app", "i-web", "tcp", 443, "reachable allowed", NULL, "10.0.0.11" }, /* a secondary address */
        { "i-app", "i-web", "tcp", 443, "other-destination NO_POSSIBLE_DESTINATION", NULL, "10.0.0.30" },

        /* network ACLs, both ways */
        { "i-app", "i-db", "tcp", 5432, "reachable allowed" },
        { "i-app", "i-db", "tcp", 5432, "reachable blocked", .src_port = 1023 },
        { "i-app2", "i-db", "tcp", 5432, "nacl-ingress SUBNET_ACL_RESTRICTION" }, /* 90 denies before 100 allows */
        { "i-app", "i-db", "tcp", 5433, "nacl-ingress SUBNET_ACL_RESTRICTION" },
        { "i-app", "i-db", "icmp", 8, "reachable blocked" }, /* the echo reply finds no outbound rule */
        { "i-app", "i-db", "icmp", 0, "nacl-ingress SUBNET_ACL_RESTRICTION" },
        { "i-web", "i-db", "tcp", 5432, "nacl-ingress SUBNET_ACL_RESTRICTION" },

        /* internet gateway */
        { "internet", "i-web", "tcp", 443, "reachable allowed" },
        { "internet", "i-web", "tcp", 80, "sg-ingress ENI_SG_RULES_MISMATCH" },
        { "internet", "i-web", "tcp", 22, "sg-ingress ENI_SG_RULES_MISMATCH" },
        { "internet", "i-web", "tcp", 22, "reachable allowed", "198.18.7.9" }, /* in the prefix list */
        { "internet", "i-web", "tcp", 443, "igw-private-source IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS",
          "192.168.1.1" },
        { "internet", "i-web", "tcp", 443, "igw-private-source IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS",
          "100.64.1.1" },
        { "internet", "i-web", "tcp", 443, "igw-no-such-public-ip IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", NULL,
          "10.0.0.10" },
        { "internet", "i-app", "tcp", 8080, "no-public-ip IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS" },
        { "internet", "203.0.113.200", "tcp", 80, "igw-no-such-public-ip IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS" },
        { "internet", "eni-free", "tcp", 80,
          "no-public-ip IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS" }, /* attached to nothing */
        { "igw-1", "i-web", "tcp", 443, "reachable allowed" },
        { "igw-2", "i-web", "tcp", 443, "igw-no-such-public-ip IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS" },
        { "i-web", "internet", "tcp", 443, "reachable allowed" },
        { "i-web", "igw-1", "tcp", 443, "reachable allowed" },
        { "i-web", "igw-2", "tcp", 443, "no-route NO_ROUTE_TO_DESTINATION" },
        { "i-web", "internet", "tcp", 443, "igw-no-public-ip IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", "10.0.0.11" },
        { "i-fw", "internet", "tcp", 443, "igw-no-public-ip IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" },
        { "i-web", "172.30.0.1", "tcp", 443, "igw-private-destination IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS" },
        { "i-web", "100.64.0.1", "tcp", 443, "igw-private-destination IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS" },
        { "i-web", "192.168.1.1", "tcp", 443, "no-igw BAD_STATE_ATTACHMENT" }, /* igw-2 is attached to nothing */
        { "i-web", "i-web", "tcp", 443, "reachable allowed", NULL,
          "203.0.113.10" }, /* out and in again, as real packets do */
        { "i-app", "i-web", "tcp", 443, "reachable allowed", NULL,
          "203.0.113.10" }, /* out by the NAT gateway and in again */

        /* NAT gateway */
        { "i-app", "internet", "tcp", 443, "reachable allowed" },
        { "i-app", "internet", "udp", 53, "reachable allowed" },
        { "i-app", "internet", "icmp", 8, "reachable allowed" },
        { "i-app", "internet", "tcp", 443, "reachable allowed", .src_port = 80 },
        { "i-app", "internet", "47", -1, "nat-protocol PROTOCOL_RESTRICTION" },
        { "internet", "eni-nat", "tcp", 443, "nat-unsolicited NGW_DEST_ADDRESS_PRESERVATION" },
        { "i-web", "eni-nat", "tcp", 443, "nat-unsolicited NGW_DEST_ADDRESS_PRESERVATION" },
        { "i-web", "nat-1", "udp", 53, "nat-unsolicited NGW_DEST_ADDRESS_PRESERVATION" },

        /* routes */
        { "i-db", "internet", "tcp", 443, "sg-egress ENI_SG_RULES_MISMATCH" },
        { "i-app", "198.51.100.7", "tcp", 443, "blackhole-route BAD_STATE_ROUTE" },
        { "i-app", "172.16.0.1", "tcp", 443, "unknown-resource UNKNOWN_RESOURCE" }, /* a peering connection */
        { "i-app", "192.0.2.1", "tcp", 443,
          "igw-no-public-ip IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" }, /* /25 beats the list's /24 */
        { "i-app", "192.0.2.200", "tcp", 443, "source-dest-check ENI_SOURCE_DEST_CHECK_RESTRICTION" },
        { "i-app", "10.0.0.99", "tcp", 80, "no-such-address NO_POSSIBLE_DESTINATION" },
        { "i-app", "10.0.1.99", "tcp", 80, "no-such-address NO_POSSIBLE_DESTINATION" },
        { "i-app", "10.0.77.1", "tcp", 80, "no-such-address NO_POSSIBLE_DESTINATION" },
        { "i-web", "i-app", "tcp", 8080, "source-dest-check ENI_SOURCE_DEST_CHECK_RESTRICTION", "10.9.9.9" },

        /* IPv6 */
        { "i-web", "internet", "tcp", 443, "reachable allowed", .family = 6 },
        { "internet", "i-web", "tcp", 443, "reachable allowed", .family = 6 },
        { "internet", "i-web", "icmp", -1, "sg-ingress ENI_SG_RULES_MISMATCH",
          .family = 6 }, /* the icmp rule is IPv4's */
        { "i-web", "internet", "udp", 53, "nacl-egress SUBNET_ACL_RESTRICTION", .family = 6 },
        { "i-app", "i-web", "tcp", 443, "reachable allowed", .family = 6 },
        { "i-web", "i-app", "tcp", 8080, "reachable allowed", .family = 6 },
        { "i-app", "internet", "tcp", 443, "no-route NO_ROUTE_TO_DESTINATION", .family = 6 },
        { "internet", "i-app", "tcp", 8080, "sg-ingress ENI_SG_RULES_MISMATCH", .family = 6 },
        { "i-web", "internet", "tcp", 443, "igw-private-destination IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS",
          NULL, "fd00::1" },

        /* ends that are not modelled, and questions that cannot be asked */
        { "i-web", "tgw-1", "tcp", 443, "InvalidTransitGatewayID.Malformed" },
        { "vpce-1", "i-web", "tcp", 443, "InvalidVpcEndpointId.NotFound" },
        { "i-00000000000000000", "i-web", "tcp", 443, "InvalidInstanceID.NotFound" },
        { "i-db", "i-web", "tcp", 443, "InvalidParameterValue", .family = 6 }, /* db has no IPv6 address */
        { "i-web", "i-app", "-1", -1, "InvalidParameterValue" },
        { "internet", "internet", "tcp", 443, "InvalidParameterValue" },
        { "i-web", "i-app", "tcp", 443, "InvalidParameterCombination", "10.0.0.10", "2001:db8:1:1::10" },
    };
    struct lab lab;
    lab_init(&lab, REACH_LAB);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        check_question(&lab, &cases[i]);
    }
    lab_done(&lab);
}

/* ---- The same lab with one thing changed ---------------------------------------------------------------------------
 */

static void *
object(struct lab *lab, const struct kind *kind, const char *id)
{
    void *found = store_get(network_store(lab->net), kind, id);
    REQUIRE(found, "%s", id);
    return found;
}

static void
set_text(char **slot, const char *text)
{
    free(*slot);
    *slot = text ? xstrdup(text) : NULL;
}

static struct route *
default_route(struct lab *lab, const char *table_id)
{
    struct route_table *table = object(lab, &route_table_kind, table_id);
    for (size_t i = 0; i < table->routes.n; i++) {
        if (table->routes.items[i].cidr.ip.family && table->routes.items[i].cidr.bits == 0) {
            return &table->routes.items[i];
        }
    }
    return NULL;
}

static void
nat_is_pending(struct lab *lab)
{
    set_text(&((struct nat_gateway *)object(lab, &nat_gateway_kind, "nat-1"))->state, "pending");
}

static void
public_table_leads_to_nat(struct lab *lab)
{
    struct route *route = default_route(lab, "rtb-pub");
    set_text(&route->gateway_id, NULL);
    set_text(&route->nat_gateway_id, "nat-1");
}

static void
public_table_has_no_default(struct lab *lab)
{
    default_route(lab, "rtb-pub")->cidr = cidr_lit("203.0.113.128/25");
}

static void
firewall_forwards(struct lab *lab)
{
    ((struct eni *)object(lab, &eni_kind, "eni-fw"))->source_dest_check = false;
}

static void
app_may_spoof(struct lab *lab)
{
    ((struct eni *)object(lab, &eni_kind, "eni-app"))->source_dest_check = false;
}

static void
gateway_has_a_table(struct lab *lab)
{
    struct route_table *table = object(lab, &route_table_kind, "rtb-main");
    snprintf(VEC_ADD(&table->associations)->gateway_id, ID_SIZE, "igw-1");
}

static void
gateway_leads_to_firewall(struct lab *lab)
{
    gateway_has_a_table(lab);
    struct route_table *table = object(lab, &route_table_kind, "rtb-main");
    struct route *route = VEC_ADD(&table->routes);
    route->cidr = cidr_lit("10.0.0.0/24");
    set_text(&route->eni_id, "eni-fw");
}

static void
vpc_is_smaller(struct lab *lab)
{
    struct vpc *vpc = object(lab, &vpc_kind, "vpc-1");
    vpc->cidr = vpc->cidrs.items[0].cidr = cidr_lit("10.0.0.0/17");
}

static void
web_has_no_subnet(struct lab *lab)
{
    snprintf(((struct eni *)object(lab, &eni_kind, "eni-web"))->subnet_id, ID_SIZE, "subnet-none");
}

static void
no_acl_on_db(struct lab *lab)
{
    VEC_DONE(&((struct network_acl *)object(lab, &network_acl_kind, "acl-db"))->associations);
}

static void
db_group_is_unknown(struct lab *lab)
{
    snprintf(((struct eni *)object(lab, &eni_kind, "eni-db"))->groups.items[0].id, ID_SIZE, "sg-none");
}

TEST(verdicts_after_one_change)
{
    static const struct {
        void (*change)(struct lab *lab);
        struct question q;
    } cases[] = {
        { nat_is_pending, { "i-app", "internet", "tcp", 443, "nat-state BAD_STATE" } },
        { public_table_leads_to_nat,
          { "i-app", "internet", "tcp", 443, "nat-in-private-subnet NO_ROUTE_TO_DESTINATION" } },
        { public_table_leads_to_nat,
          { "internet", "i-web", "tcp", 443, "reachable blocked" } }, /* the answer would go by the NAT gateway */
        { public_table_leads_to_nat,
          { "i-web", "internet", "tcp", 443, "nat-in-private-subnet NO_ROUTE_TO_DESTINATION" } },
        { public_table_has_no_default, { "internet", "i-web", "tcp", 443, "reachable blocked" } },
        { public_table_has_no_default, { "i-web", "internet", "tcp", 443, "no-route NO_ROUTE_TO_DESTINATION" } },
        { firewall_forwards,
          { "i-app", "192.0.2.200", "tcp", 443, "igw-no-public-ip IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" } },
        { firewall_forwards, { "i-app", "eni-fw", "tcp", 443, "reachable allowed", NULL, "192.0.2.200" } },
        { app_may_spoof, { "i-app", "internet", "tcp", 443, "nat-source NGW_REQUIRES_SOURCE_IN_VPC", "172.20.0.1" } },
        { app_may_spoof, { "i-app", "i-app2", "tcp", 9000, "sg-ingress ENI_SG_RULES_MISMATCH", "172.20.0.1" } },
        { gateway_has_a_table, { "internet", "i-web", "tcp", 443, "reachable allowed" } },
        { gateway_leads_to_firewall,
          { "internet", "i-web", "tcp", 443, "ingress-no-public-ip INGRESS_RTB_NO_PUBLIC_IP" } },
        { vpc_is_smaller, { "i-app", "10.0.200.1", "tcp", 443, "no-such-address VPC_LOCAL_ROUTE_CIDR_RESTRICTION" } },
        { web_has_no_subnet, { "i-web", "internet", "tcp", 443, "unknown-subnet UNKNOWN_RESOURCE" } },
        { no_acl_on_db, { "i-app", "i-db", "icmp", 8, "reachable allowed" } }, /* an import without ACLs: unfiltered */
        { db_group_is_unknown, { "i-app", "i-db", "tcp", 5432, "sg-ingress ENI_SG_RULES_MISMATCH" } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lab lab;
        lab_init(&lab, REACH_LAB);
        cases[i].change(&lab);
        store_touch(network_store(lab.net));
        check_question(&lab, &cases[i].q);
        lab_done(&lab);
    }
}

/* Without --port any port that gets through counts. */
TEST(any_port)
{
    static const struct {
        const char *from, *to;
        int port;
        bool reachable;
    } cases[] = {
        { "i-web", "i-app", 8080, true },   { "i-app", "i-app2", 9000, true }, { "i-app", "i-db", 5432, true },
        { "internet", "i-web", 443, true }, { "i-web", "i-db", 0, false },
    };
    struct lab lab;
    lab_init(&lab, REACH_LAB);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct question q = { cases[i].from, cases[i].to, "tcp", -1, NULL, NULL, NULL, 0, 0 };
        struct flow_spec flow = flow_of(&q);
        struct reach_result r = { 0 };
        REQUIRE(reach(lab.net, &flow, false, &r, NULL));
        CHECK(r.reachable == cases[i].reachable, "%s -> %s", q.from, q.to);
        CHECK_INT(r.sent.dst_port, cases[i].port, "%s -> %s", q.from, q.to);
        reach_result_done(&r);
    }
    lab_done(&lab);
}

static void
join_path(const struct reach_result *r, char *text, size_t size)
{
    *text = '\0';
    for (size_t i = 0; i < r->path.n; i++) {
        size_t n = strlen(text);
        snprintf(text + n, size - n, "%s%s", i ? " " : "", r->path.items[i]);
    }
}

TEST(path_and_arrival)
{
    static const struct {
        struct question q;
        const char *path, *arrives;
    } cases[] = {
        { { "i-app", "i-app2", "tcp", 9000 }, "i-app i-app2", "10.0.1.10 10.0.1.66" },
        { { "i-web", "i-app", "tcp", 8080 }, "i-web subnet-pub vpc-1 subnet-app i-app", "10.0.0.10 10.0.1.10" },
        { { "i-web", "i-app", "tcp", 80 }, "i-web subnet-pub vpc-1 subnet-app i-app", "10.0.0.10 10.0.1.10" },
        { { "i-web", "internet", "tcp", 80 }, "i-web subnet-pub igw-1", "203.0.113.10 8.8.8.8" },
        { { "internet", "i-web", "tcp", 443 }, "igw-1 subnet-pub i-web", "8.8.8.8 10.0.0.10" },
        { { "i-app", "internet", "tcp", 80 },
          "i-app subnet-app subnet-pub nat-1 subnet-pub igw-1",
          "203.0.113.5 8.8.8.8" },
        { { "i-web", "internet", "tcp", 80, .family = 6 },
          "i-web subnet-pub igw-1",
          "2001:db8:1::10 2001:4860:4860::8888" },
        { { "internet", "203.0.113.200", "tcp", 443 }, "igw-1", "8.8.8.8 203.0.113.200" },
        { { "i-db", "i-app", "tcp", 80 }, "i-db", "10.0.2.10 10.0.1.10" },
        { { "i-app", "10.0.2.99", "tcp", 80 }, "i-app subnet-app vpc-1 subnet-db", "10.0.1.10 10.0.2.99" },
        { { "i-app", "10.0.77.9", "tcp", 80 }, "i-app subnet-app vpc-1", "10.0.1.10 10.0.77.9" },
    };
    struct lab lab;
    lab_init(&lab, REACH_LAB);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_spec flow = flow_of(&cases[i].q);
        struct reach_result r = { 0 };
        char path[512], arrives[128];
        REQUIRE(reach(lab.net, &flow, false, &r, NULL));
        join_path(&r, path, sizeof path);
        snprintf(arrives, sizeof arrives, "%s %s", ip_str(&r.arrives.src), ip_str(&r.arrives.dst));
        CHECK_STR(path, cases[i].path, "%s -> %s", cases[i].q.from, cases[i].q.to);
        CHECK_STR(arrives, cases[i].arrives, "%s -> %s", cases[i].q.from, cases[i].q.to);
        reach_result_done(&r);
    }
    lab_done(&lab);
}

static void
components_str(const json_t *components, char *text, size_t size)
{
    *text = '\0';
    for (size_t i = 0; i < json_array_size(components); i++) {
        const json_t *component = json_array_get(components, i);
        size_t n = strlen(text);
        snprintf(text + n, size - n, "%s%s", i ? " " : "", json_str(json_object_get(component, "Component"), "Id"));
        CHECK_INT(json_int(component, "SequenceNumber", 0), i + 1);
    }
}

/* The order AWS lists components in, there and back. */
TEST(components_in_aws_order)
{
    static const struct {
        struct question q;
        const char *forward, *back;
    } cases[] = {
        { { "internet", "i-web", "tcp", 443 },
          "igw-1 acl-1 sg-web eni-web i-web",
          "i-web eni-web sg-web acl-1 rtb-pub igw-1" },
        { { "i-web", "i-app", "tcp", 8080 },
          "i-web eni-web sg-web acl-1 rtb-pub acl-1 sg-app eni-app i-app",
          "i-app eni-app sg-app acl-1 rtb-app acl-1 sg-web eni-web i-web" },
        { { "i-app", "internet", "tcp", 443 },
          "i-app eni-app sg-app acl-1 rtb-app acl-1 nat-1 acl-1 rtb-pub igw-1",
          "igw-1 acl-1 nat-1 acl-1 rtb-pub acl-1 sg-app eni-app i-app" },
    };
    struct lab lab;
    lab_init(&lab, REACH_LAB);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_spec flow = flow_of(&cases[i].q);
        struct reach_result r = { 0 };
        char text[512];
        REQUIRE(reach(lab.net, &flow, true, &r, NULL));
        components_str(r.forward, text, sizeof text);
        CHECK_STR(text, cases[i].forward, "%s -> %s", cases[i].q.from, cases[i].q.to);
        components_str(r.back, text, sizeof text);
        CHECK_STR(text, cases[i].back, "%s -> %s back", cases[i].q.from, cases[i].q.to);
        reach_result_done(&r);
    }
    lab_done(&lab);
}

/* What a no says: the members AWS's analyzer fills, and the command that mends it. */
TEST(explanations_and_mends)
{
    static const struct {
        struct question q;
        const char *explanation, *hint;
    } cases[] = {
        { { "i-web", "i-app", "tcp", 80 },
          "{\"Direction\":\"ingress\",\"ExplanationCode\":\"ENI_SG_RULES_MISMATCH\",\"NetworkInterface\":\"eni-app\","
          "\"SecurityGroups\":\"sg-app\",\"Vpc\":\"vpc-1\"}",
          "ec2 authorize-security-group-ingress --group-id sg-app --protocol tcp --port 80 --source-group sg-web" },
        { { "internet", "i-web", "tcp", 80 },
          "{\"Direction\":\"ingress\",\"ExplanationCode\":\"ENI_SG_RULES_MISMATCH\",\"NetworkInterface\":\"eni-web\","
          "\"SecurityGroups\":\"sg-web\",\"Vpc\":\"vpc-1\"}",
          "ec2 authorize-security-group-ingress --group-id sg-web --protocol tcp --port 80 --cidr 0.0.0.0/0" },
        { { "i-app2", "i-db", "tcp", 5432 },
          "{\"Acl\":\"acl-db\",\"AclRule\":90,\"Direction\":\"ingress\",\"ExplanationCode\":\"SUBNET_ACL_RESTRICTION\","
          "\"Subnet\":\"subnet-db\",\"Vpc\":\"vpc-1\"}",
          "ec2 create-network-acl-entry --network-acl-id acl-db --rule-number 89 --ingress --protocol tcp --port-range "
          "From=5432,To=5432 "
          "--cidr-block 10.0.1.66/32 --rule-action allow" },
        { { "i-app", "i-db", "tcp", 5432, .src_port = 1023 },
          "{\"Acl\":\"acl-db\",\"AclRule\":32767,\"Direction\":\"egress\",\"ExplanationCode\":\"SUBNET_ACL_"
          "RESTRICTION\",\"Subnet\":\"subnet-db\",\"Vpc\":\"vpc-1\"}",
          "ec2 create-network-acl-entry --network-acl-id acl-db --rule-number 200 --egress --protocol tcp --port-range "
          "From=1023,To=1023 "
          "--cidr-block 10.0.1.10/32 --rule-action allow" },
        { { "i-app", "internet", "tcp", 443, .family = 6 },
          "{\"Address\":\"2001:4860:4860::8888\",\"ExplanationCode\":\"NO_ROUTE_TO_DESTINATION\",\"RouteTable\":\"rtb-"
          "app\",\"Vpc\":\"vpc-1\"}",
          "ec2 create-route --route-table-id rtb-app --destination-ipv6-cidr-block ::/0 --gateway-id igw-1" },
        { { "i-app", "198.51.100.7", "tcp", 443 },
          "{\"ExplanationCode\":\"BAD_STATE_ROUTE\",\"RouteTable\":\"rtb-app\",\"RouteTableRoute\":\"198.51.100.0/"
          "24\",\"State\":\"blackhole\",\"Vpc\":\"vpc-1\"}",
          "ec2 delete-route --route-table-id rtb-app --destination-cidr-block 198.51.100.0/24" },
        { { "i-web", "i-off", "tcp", 80 },
          "{\"Component\":\"i-off\",\"ExplanationCode\":\"BAD_STATE\",\"State\":\"stopped\",\"Vpc\":\"vpc-1\"}",
          "ec2 start-instances --instance-ids i-off" },
        { { "i-fw", "internet", "tcp", 80 },
          "{\"Address\":\"10.0.0.30\",\"ExplanationCode\":\"IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS\",\"InternetGateway\":"
          "\"igw-1\",\"Vpc\":\"vpc-1\"}",
          "ec2 allocate-address, then ec2 associate-address --allocation-id ALLOCATION --network-interface-id eni-fw" },
        { { "i-web", "192.168.1.1", "tcp", 443 },
          "{\"ExplanationCode\":\"BAD_STATE_ATTACHMENT\",\"InternetGateway\":\"igw-2\",\"Vpc\":\"vpc-1\"}",
          "ec2 attach-internet-gateway --internet-gateway-id igw-2 --vpc-id vpc-1" },
    };
    struct lab lab;
    lab_init(&lab, REACH_LAB);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_spec flow = flow_of(&cases[i].q);
        struct reach_result r = { 0 };
        REQUIRE(reach(lab.net, &flow, true, &r, NULL));
        /* Components by id, rules by what tells them apart. */
        json_t *got = json_object();
        const char *key;
        json_t *value;
        json_object_foreach(json_array_get(r.explanations, 0), key, value)
        {
            json_t *first = json_is_array(value) ? json_array_get(value, 0) : value;
            json_t *id = json_object_get(first, "Id");
            id = id ? id : json_object_get(first, "RuleNumber");
            id = id ? id : json_object_get(first, "DestinationCidr");
            json_object_set(got, key, id ? id : first);
        }
        char *text = json_dumps(got, JSON_COMPACT | JSON_SORT_KEYS);
        CHECK_STR(text, cases[i].explanation, "%s -> %s", cases[i].q.from, cases[i].q.to);
        CHECK_STR(r.hint, cases[i].hint, "%s -> %s", cases[i].q.from, cases[i].q.to);
        CHECK(r.reason && *r.reason, "%s -> %s has no reason", cases[i].q.from, cases[i].q.to);
        free(text);
        json_decref(got);
        reach_result_done(&r);
    }
    lab_done(&lab);
}

TEST(filters_alone)
{
    static const struct {
        const char *id;
        bool egress;
        const char *src, *dst, *protocol;
        int port;
        bool permits;
    } cases[] = {
        { "sg-web", false, "1.2.3.4", "10.0.0.10", "tcp", 443, true },
        { "sg-web", false, "1.2.3.4", "10.0.0.10", "tcp", 444, false },
        { "sg-web", false, "198.18.7.1", "10.0.0.10", "tcp", 22, true },
        { "sg-web", false, "198.18.8.1", "10.0.0.10", "tcp", 22, false },
        { "sg-app", false, "10.0.0.10", "10.0.1.10", "tcp", 8080, true },
        { "sg-app", false, "10.0.0.30", "10.0.1.10", "tcp", 8080, false },
        { "sg-db", true, "10.0.2.10", "10.0.1.10", "tcp", 40000, false }, /* rules only: no connection is known */
        { "acl-db", false, "10.0.1.10", "10.0.2.10", "tcp", 5432, true },
        { "acl-db", false, "10.0.1.66", "10.0.2.10", "tcp", 5432, false },
        { "acl-db", true, "10.0.2.10", "10.0.1.10", "tcp", 1023, false },
        { "eni-nat", false, "1.2.3.4", "10.0.0.5", "tcp", 1, true },
        { "eni-app", false, "10.0.1.66", "10.0.1.10", "tcp", 9000, true },
        { "eni-app", false, "1.1.1.1", "10.0.1.10", "tcp", 9000, false },
    };
    struct lab lab;
    lab_init(&lab, REACH_LAB);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct packet p = { ip_lit(cases[i].src), ip_lit(cases[i].dst), 0, 40000, cases[i].port, -1, -1 };
        bool permits;
        struct err err = { 0 };
        REQUIRE(protocol_parse(cases[i].protocol, &p.protocol));
        REQUIRE(filter_permits(lab.net, cases[i].id, cases[i].egress, &p, &permits, &err), "%s", err.text);
        CHECK(permits == cases[i].permits, "%s %s %d from %s", cases[i].id, cases[i].protocol, cases[i].port,
              cases[i].src);
    }
    struct err err = { 0 };
    bool permits;
    CHECK(!filter_permits(lab.net, "sg-none", false, &(struct packet){ 0 }, &permits, &err));
    CHECK_STR(err.code, "InvalidGroup.NotFound");
    err_clear(&err);
    CHECK(!filter_permits(lab.net, "vpc-1", false, &(struct packet){ 0 }, &permits, &err));
    CHECK_STR(err.code, "InvalidParameterValue");
    lab_done(&lab);
}

TEST_MAIN

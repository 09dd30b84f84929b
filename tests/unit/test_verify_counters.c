/* What the kernel's counters must say of packets, by analysis.  The counters are made up here. */
#include "cloud/verify_counters.h"
#include "cloud/verify_trace.h"
#include "netsim/model/network.h"
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

struct lab {
    struct cloud *cloud;
    const struct eni *web, *db;
    const struct network_acl *acl; /* of db's subnet */
    struct verify_counters *counters;
};

static char *
run(struct cloud *cloud, const char *query, const char *format, ...)
{
    char line[500], *text;
    struct err err = { 0 };
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    json_t *out = lab_run(cloud, line, &err);
    REQUIRE(out, "%s: %s", line, err.text);
    const char *value = query ? json_string_value(json_at(out, query)) : "";
    REQUIRE(value, "%s: no %s", line, query);
    text = strdup(value);
    json_decref(out);
    return text;
}

/* web and db in subnets of one VPC; db opens one port to all, and its ACL denies another. */
static struct lab
lab_of_two(void)
{
    struct err err = { 0 };
    struct lab lab = { .cloud = lab_open(&err) };
    struct cloud *cloud = lab.cloud;
    REQUIRE(cloud, "%s", err.text);
    char *vpc = run(cloud, "Vpc.VpcId", "ec2 create-vpc --cidr-block 10.0.0.0/16");
    char *near = run(cloud, "Subnet.SubnetId", "ec2 create-subnet --vpc-id %s --cidr-block 10.0.1.0/24", vpc);
    char *far = run(cloud, "Subnet.SubnetId", "ec2 create-subnet --vpc-id %s --cidr-block 10.0.2.0/24", vpc);
    char *group = run(cloud, "GroupId", "ec2 create-security-group --group-name db --description db --vpc-id %s", vpc);
    free(run(cloud, NULL,
             "ec2 authorize-security-group-ingress --group-id %s --protocol tcp --port 80-90 --cidr 0.0.0.0/0", group));
    free(run(cloud, NULL, "ec2 run-instances --image-id ami-12345678 --subnet-id %s --security-group-ids %s", near,
             group));
    free(run(cloud, NULL, "ec2 run-instances --image-id ami-12345678 --subnet-id %s --security-group-ids %s", far,
             group));
    const struct store *store = network_store(cloud->net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        *(strcmp(eni->subnet_id, near) == 0 ? &lab.web : &lab.db) = eni;
    }
    const struct subnet *subnet = store_get(store, &subnet_kind, far);
    lab.acl = network_subnet_acl(cloud->net, subnet);
    free(run(cloud, NULL,
             "ec2 create-network-acl-entry --network-acl-id %s --rule-number 50 --ingress --protocol tcp "
             "--port-range From=85,To=85 --cidr-block 10.0.1.0/24 --rule-action deny",
             lab.acl->obj.id));
    lab.counters = verify_counters_new(cloud->net);
    free(vpc);
    free(near);
    free(far);
    free(group);
    return lab;
}

static void
lab_done(struct lab *lab)
{
    verify_counters_free(lab->counters);
    cloud_close(lab->cloud);
}

static struct flow_spec
flow_to(const struct lab *lab, int port)
{
    struct flow_spec flow = { .from = { .kind = FLOW_END_ENI }, .to = { .kind = FLOW_END_ENI } };
    flow.protocol = PROTOCOL_TCP;
    flow.src_port = 40000;
    flow.dst_port = port;
    flow.icmp_type = flow.icmp_code = -1;
    snprintf(flow.from.id, sizeof flow.from.id, "%s", lab->web->obj.id);
    snprintf(flow.to.id, sizeof flow.to.id, "%s", lab->db->obj.id);
    return flow;
}

static void
send_to(struct lab *lab, const struct ip *dst, int port)
{
    struct flow_spec flow = flow_to(lab, port);
    flow.dst_ip = dst ? *dst : (struct ip){ 0 };
    verify_counters_expect(lab->counters, &flow, true);
}

/* What the kernel would count of one packet to port 80, one to 85 and two to 91. */
static json_t *
true_counters(const struct lab *lab)
{
    const struct {
        const char *format;
        json_int_t packets;
    } rules[] = {
        { "%s:ingress:100", 4 }, /* 80, 91, 91 there, and the answer of 80 */
        { "%s:ingress:50", 1 },  /* 85 */
        { "%s:egress:100", 5 },  /* all four there, and the answer */
    };
    json_t *counted = json_object();
    char name[200];
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        snprintf(name, sizeof name, rules[i].format, lab->acl->obj.id);
        json_object_set_new(counted, name, json_integer(rules[i].packets));
    }
    snprintf(name, sizeof name, "%s %s:ingress:none", lab->db->obj.id, lab->db->groups.items[0].id);
    const struct network *net = lab->cloud->net;
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, lab->web->subnet_id);
    const struct route_table *table = network_subnet_route_table(net, subnet);
    char route[200]; /* all four there, and the answer */
    snprintf(route, sizeof route, "%s %s", table->obj.id, cidr_str(&table->routes.items[0].cidr));
    return json_pack("{s:o, s:{s:i}, s:{s:i}}", "rules", counted, "refused", name, 2, "routes", route, 5);
}

TEST(counters_are_those_that_the_packets_must_leave)
{
    struct lab lab = lab_of_two();
    const int ports[] = { 80, 85, 91, 91 };
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        send_to(&lab, NULL, ports[i]);
    }
    json_t *before = json_object(), *after = true_counters(&lab);
    json_t *none = verify_counters_compare(lab.counters, before, after);
    CHECK(json_array_size(none) == 0, "%zu", json_array_size(none));
    json_decref(none);
    /* Any of them one less is a disagreement, and about that one; one more is the lab's own traffic. */
    const char *list;
    json_t *counts;
    size_t n = 0;
    json_object_foreach(after, list, counts)
    {
        const char *name;
        json_t *count;
        json_object_foreach(counts, name, count)
        {
            json_int_t is = json_integer_value(count);
            for (int more = -1; more <= 1; more += 2) {
                json_integer_set(count, is + more);
                json_t *said = verify_counters_compare(lab.counters, before, after);
                REQUIRE(json_array_size(said) == (more < 0), "%s %+d: %zu", name, more, json_array_size(said));
                const json_t *d = json_array_get(said, 0);
                CHECK(!d || (strcmp(json_str(d, "Rule"), name) == 0 && json_int(d, "Analysis", 0) == is &&
                             json_int(d, "Kernel", 0) == is - 1),
                      "%s", name);
                json_decref(said);
            }
            json_integer_set(count, is);
            n++;
        }
    }
    CHECK(n == 5, "%zu", n);
    json_decref(before);
    json_decref(after);
    lab_done(&lab);
}

TEST(only_what_came_in_between_counts)
{
    struct lab lab = lab_of_two();
    send_to(&lab, NULL, 80);
    json_t *before = true_counters(&lab), *after = true_counters(&lab);
    json_t *said = verify_counters_compare(lab.counters, before, after);
    CHECK(json_array_size(said) == 3, "%zu", json_array_size(said)); /* both ways through the ACL, and the route */
    json_decref(said);
    json_decref(before);
    json_decref(after);
    lab_done(&lab);
}

TEST(a_packet_without_a_way_is_not_expected_anywhere)
{
    struct lab lab = lab_of_two();
    const struct ip nobody = ip_lit("10.9.9.9");
    send_to(&lab, &nobody, 85); /* routes come before filters in the kernel */
    json_t *before = json_object(), *said = verify_counters_compare(lab.counters, before, before);
    CHECK(json_array_size(said) == 0, "%zu", json_array_size(said));
    json_decref(said);
    json_decref(before);
    lab_done(&lab);
}

/* ---- hop by hop -----------------------------------------------------------------------------------------------------
 */

/* A rule of the interface's first group. */
static const char *
rule_of(const struct lab *lab, const struct eni *eni, bool egress)
{
    const struct security_group *group =
        store_get(network_store(lab->cloud->net), &security_group_kind, eni->groups.items[0].id);
    for (size_t i = 0; i < group->rules.n; i++) {
        if (group->rules.items[i].egress == egress) {
            return group->rules.items[i].id;
        }
    }
    return "";
}

/* What the kernel tells of a packet from web to port 80 of db, and of its answer. */
static json_t *
true_hops(const struct lab *lab)
{
    const struct network *net = lab->cloud->net;
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, lab->web->subnet_id);
    const char *table = network_subnet_route_table(net, subnet)->obj.id;
    char node[80], out[80], in[80];
    snprintf(node, sizeof node, "router:%s", lab->web->vpc_id);
    snprintf(out, sizeof out, "%s:egress:100", lab->acl->obj.id);
    snprintf(in, sizeof in, "%s:ingress:100", lab->acl->obj.id);
    return json_pack("[{s:s, s:s, s:s, s:[s, s, s, s]}, {s:s, s:s, s:s, s:[s, s, s]}]", "Direction", "forward", "Node",
                     node, "RouteTable", table, "Rules", rule_of(lab, lab->web, true), out, in,
                     rule_of(lab, lab->db, false), "Direction", "answer", "Node", node, "RouteTable", table, "Rules",
                     "tracked", out, in);
}

static size_t
count_differences(const struct lab *lab, const json_t *hops, int port, bool arrived, bool replied)
{
    struct flow_spec flow = flow_to(lab, port);
    struct live_probe probe = { .arrived = arrived, .replied = replied };
    json_t *differences = json_array();
    size_t n = verify_trace_compare(lab->cloud->net, &flow, &probe, hops, differences);
    size_t n_different = json_array_size(differences);
    CHECK(n > 0 || n_different > 0, "nothing was compared");
    json_decref(differences);
    return n_different;
}

TEST(the_kernels_hops_are_those_of_analysis_or_the_difference_is_told)
{
    struct lab lab = lab_of_two();
    static const struct {
        const char *what, *member, *becomes; /* NULL: it is taken out */
        size_t hop, rule;                    /* of "Rules" */
    } cases[] = {
        { "another entry of the ACL", "Rules", "acl-1:egress:90", 0, 1 },
        { "an ACL that was not asked", "Rules", NULL, 0, 2 },
        { "a rule of no group of db", "Rules", "sgr-0", 0, 3 },
        { "no group was asked", "Rules", NULL, 0, 3 },
        { "the answer was not tracked", "Rules", NULL, 1, 0 },
        { "another table", "RouteTable", "rtb-0", 0, 0 },
        { "a gateway that is not on the way", "Node", "nat-0", 1, 0 },
        { "a refusal", "Stopped", "acl-1:ingress:*", 0, 0 },
    };
    json_t *hops = true_hops(&lab);
    CHECK(count_differences(&lab, hops, 80, true, true) == 0, "as it is");
    CHECK(count_differences(&lab, hops, 80, true, false) > 0, "no answer came");
    CHECK(count_differences(&lab, hops, 91, false, false) > 0, "analysis has db's group refuse it");
    json_decref(hops);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        hops = true_hops(&lab);
        json_t *hop = json_array_get(hops, cases[i].hop), *rules = json_object_get(hop, "Rules");
        if (strcmp(cases[i].member, "Rules") != 0) {
            json_object_set_new(hop, cases[i].member, json_string(cases[i].becomes));
        } else if (cases[i].becomes) {
            json_array_set_new(rules, cases[i].rule, json_string(cases[i].becomes));
        } else {
            json_array_remove(rules, cases[i].rule);
        }
        CHECK(count_differences(&lab, hops, 80, true, true) > 0, "%s", cases[i].what);
        json_decref(hops);
    }
    lab_done(&lab);
}

TEST_MAIN

/* What is left of a network in which two judges differ.  Here the "kernel" is analysis itself with a fault put in. */
#include "cloud/random_verify.h"
#include "cloud/shrink.h"
#include "cloud/state.h"
#include "netsim/analysis/reach.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/random_net.h"
#include "netsim/model/vpn.h"
#include "tests/test.h"

static json_t *
saved(const struct network *net)
{
    json_t *out = json_object();
    for (size_t k = 0; network_kinds[k]; k++) {
        json_object_set_new(out, network_kinds[k]->list, store_save_kind(network_store(net), network_kinds[k]));
    }
    return out;
}

static size_t
count(const json_t *network, const char *list)
{
    return json_array_size(json_object_get(network, list));
}

/* ---- by a predicate ------------------------------------------------------------------------------------------------
 */
struct wanted {
    const char *list, *id_member, *id, *member;
    size_t parts; /* of the member */
    size_t n_asked;
};

static bool
has_it(void *context, const json_t *network)
{
    struct wanted *wanted = context;
    size_t i;
    const json_t *object, *list = json_object_get(network, wanted->list);
    wanted->n_asked++;
    json_array_foreach(list, i, object)
    {
        if (strcmp(json_str(object, wanted->id_member), wanted->id) == 0) {
            return json_array_size(json_object_get(object, wanted->member)) >= wanted->parts;
        }
    }
    return false;
}

TEST(what_the_test_does_not_need_goes)
{
    static const struct {
        struct wanted wanted;
        const char *stays; /* list and number; no others */
    } cases[] = {
        { { "Vpcs", "VpcId", "vpc-0", "Tags", 0, 0 }, "Vpcs 1 RouteTables 1 " },
        { { "Subnets", "SubnetId", "subnet-1", "Tags", 0, 0 }, "Vpcs 1 Subnets 1 RouteTables 1 " },
        { { "SecurityGroups", "GroupId", "sg-0", "Rules", 2, 0 }, "SecurityGroups 1 " },
        { { "NetworkInterfaces", "NetworkInterfaceId", "eni-1", "Groups", 1, 0 },
          "Vpcs 1 Subnets 1 SecurityGroups 1 NetworkInterfaces 1 Instances 1 RouteTables 1 " },
    };
    struct random_net r;
    random_net_make(&r, 12, true, false);
    json_t *network = saved(r.net);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct wanted wanted = cases[i].wanted;
        char stays[300] = "";
        REQUIRE(has_it(&wanted, network), "%s: the random network has none", wanted.id);
        json_t *small = shrink_network(network, has_it, &wanted, 100000, 60);
        for (size_t k = 0; network_kinds[k]; k++) {
            size_t n = count(small, network_kinds[k]->list), used = strlen(stays);
            if (n) {
                snprintf(stays + used, sizeof stays - used, "%s %zu ", network_kinds[k]->list, n);
            }
        }
        CHECK(has_it(&wanted, small), "%s", wanted.id);
        CHECK(strcmp(stays, cases[i].stays) == 0, "%s: %s", wanted.id, stays);
        json_decref(small);
    }
    json_decref(network);
    random_net_done(&r);
}

TEST(parts_go_one_by_one)
{
    struct random_net r;
    random_net_make(&r, 12, true, false);
    json_t *network = saved(r.net);
    for (size_t n = 1; n <= 2; n++) {
        struct wanted wanted = { "SecurityGroups", "GroupId", "sg-0", "Rules", n, 0 };
        json_t *small = shrink_network(network, has_it, &wanted, 100000, 60);
        const json_t *group = json_array_get(json_object_get(small, "SecurityGroups"), 0);
        CHECK(json_array_size(json_object_get(group, "Rules")) == n, "%zu rules", n);
        json_decref(small);
    }
    json_decref(network);
    random_net_done(&r);
}

/* What AWS makes with a VPC stays with it. */
TEST(a_vpc_keeps_its_local_routes)
{
    struct random_net r;
    random_net_make(&r, 12, true, false);
    json_t *network = saved(r.net);
    struct wanted wanted = { "Vpcs", "VpcId", "vpc-0", "Tags", 0, 0 };
    json_t *small = shrink_network(network, has_it, &wanted, 100000, 60);
    const json_t *route, *table = json_array_get(json_object_get(small, "RouteTables"), 0);
    size_t i;
    json_array_foreach(json_object_get(table, "Routes"), i, route)
    {
        CHECK(strcmp(json_str(route, "GatewayId"), "local") == 0, "%zu", i);
    }
    CHECK(i == 2, "%zu routes", i); /* IPv4 and IPv6 */
    json_decref(small);
    json_decref(network);
    random_net_done(&r);
}

TEST(it_asks_no_more_than_it_may)
{
    struct random_net r;
    random_net_make(&r, 12, true, false);
    json_t *network = saved(r.net);
    for (size_t tries = 0; tries < 20; tries += 7) {
        struct wanted wanted = { "Vpcs", "VpcId", "vpc-0", "Tags", 0, 0 };
        json_t *small = shrink_network(network, has_it, &wanted, tries, 60);
        CHECK(wanted.n_asked == tries, "%zu of %zu", wanted.n_asked, tries);
        CHECK(count(small, "Vpcs") > 0);
        json_decref(small);
    }
    json_decref(network);
    random_net_done(&r);
}

/* ---- through `verify --random` with a kernel that has a fault -------------------------------------------------------
 */
struct kernel {
    int loses_port;     /* every packet to a port from here on; 0: none */
    bool loses_answers; /* through a NAT gateway */
    bool loses_at_node; /* what comes to an application balancer */
    bool loses_behind;  /* what it sends on */
    bool loses_line;    /* what comes by Direct Connect */
    int n_lies;         /* in that many labs the fault shows; -1: in all */
    int n_labs, n_lied;
};

static bool
passes_nat(const struct reach_result *said)
{
    for (size_t i = 0; i < said->path.n; i++) {
        if (strncmp(said->path.items[i], "nat-", 4) == 0) {
            return true;
        }
    }
    return false;
}

/* False: it is gone. */
static bool
read_end(const struct network *net, const char *id, struct flow_end *end)
{
    if (store_get(network_store(net), &direct_connect_gateway_kind, id)) {
        end->kind = FLOW_END_GATEWAY;
        snprintf(end->id, sizeof end->id, "%s", id);
        return true;
    }
    if (strcmp(id, "internet") == 0) {
        end->kind = FLOW_END_INTERNET;
        return true;
    }
    if (strncmp(id, "vpn-", 4) == 0) {
        end->kind = FLOW_END_GATEWAY;
        snprintf(end->id, sizeof end->id, "%s", id);
        return true;
    }
    return flow_end_of_id(id, end);
}

static const struct load_balancer *
balancer_at(const struct network *net, const char *id)
{
    const struct eni *eni = store_get(network_store(net), &eni_kind, id);
    return eni ? network_load_balancer_of_eni(net, eni) : NULL;
}

static bool
is_application(const struct load_balancer *lb)
{
    return lb && strcmp(lb->type, "application") == 0;
}

static bool
is_node(const struct network *net, const char *id)
{
    const struct eni *eni = store_get(network_store(net), &eni_kind, id);
    return eni && (network_load_balancer_of_eni(net, eni) || network_classic_balancer_of_eni(net, eni));
}

static bool
loses(const struct kernel *kernel, const struct network *net, const struct live_probe *p)
{
    bool icmp = p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6;
    return (kernel->loses_port && !icmp && p->dst_port >= kernel->loses_port) ||
           (kernel->loses_at_node && is_application(balancer_at(net, p->to))) ||
           (kernel->loses_behind && is_application(balancer_at(net, p->from))) ||
           (kernel->loses_line && store_get(network_store(net), &direct_connect_gateway_kind, p->from));
}

static bool
send_to_analysis(void *context, const struct network *net, struct live_probe *probes, size_t n, struct err *err)
{
    struct kernel *kernel = context;
    bool lies = kernel->n_lies < 0 || kernel->n_lied < kernel->n_lies, lied = false;
    kernel->n_labs++;
    for (size_t i = 0; i < n; i++) {
        struct live_probe *p = &probes[i];
        bool icmp = p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6;
        struct flow_spec flow = { .protocol = p->protocol,
                                  .src_ip = p->src,
                                  .dst_ip = p->dst,
                                  .src_port = icmp ? -1 : p->src_port,
                                  .dst_port = icmp ? -1 : p->dst_port,
                                  .icmp_type = icmp ? p->dst_port : -1,
                                  .icmp_code = icmp ? p->src_port : -1,
                                  .ends_at_balancer = is_application(balancer_at(net, p->to)),
                                  .health_check = is_node(net, p->from) };
        struct reach_result said = { 0 };
        if (!read_end(net, p->from, &flow.from) || !read_end(net, p->to, &flow.to) ||
            !reach(net, &flow, false, &said, err)) {
            return false;
        }
        bool lost = said.reachable && lies && loses(kernel, net, p);
        lied = lied || lost;
        p->arrived = said.reachable && !lost;
        p->replied = p->arrived && said.reply == REPLY_ALLOWED && !(lies && kernel->loses_answers && passes_nat(&said));
        p->seen_src = said.arrives.src;
        p->seen_dst = said.arrives.dst;
        reach_result_done(&said);
    }
    kernel->n_lied += lied;
    return true;
}

/* The first disagreement among some seeds; NULL if there is none. The caller owns it. */
static json_t *
first_disagreement(struct kernel *kernel, uint64_t last, uint64_t *seed)
{
    json_t *found = NULL;
    for (*seed = 1; !found && *seed <= last; ++*seed) {
        struct err err = { 0 };
        struct random_trial trial = {
            .seed = *seed, .send = send_to_analysis, .context = kernel, .shrink_tries = 100000, .shrink_seconds = 60
        };
        json_t *out = random_verify(&trial, &err);
        REQUIRE(out, "seed %" PRIu64 ": %s", *seed, err.text);
        found = json_incref(json_object_get(out, "Disagreement"));
        CHECK(!found == !json_int(out, "Disagree", 0), "seed %" PRIu64, *seed);
        json_decref(out);
    }
    return found;
}

TEST(a_kernel_without_fault_agrees)
{
    struct kernel kernel = { .n_lies = -1 };
    uint64_t seed;
    json_t *found = first_disagreement(&kernel, 40, &seed);
    CHECK(!found);
    CHECK(kernel.n_labs == 40, "%d", kernel.n_labs);
    json_decref(found);
}

static void
check_loads(const json_t *state)
{
    struct err err = { 0 };
    struct buf text = { 0 };
    struct cloud *cloud = cloud_open(&(struct cloud_options){ .throw_away = true, .bare = true }, &err);
    REQUIRE(cloud, "%s", err.text);
    json_write_compact(state, &text);
    CHECK(state_parse(cloud, buf_str(&text), text.size, "shrunk", &err), "%s: %s", err.where, err.text);
    buf_done(&text);
    cloud_close(cloud);
}

TEST(a_fault_in_the_kernel_leaves_a_lab_that_shows_it)
{
    static const struct {
        struct kernel kernel;
        const char *difference, *needs; /* a list without which it could not be shown */
        json_int_t objects;             /* no more than these */
    } cases[] = {
        /* Two instances in a subnet with a group each, or one and the internet with its gateway, or with an endpoint.
         */
        { { .loses_port = 1, .n_lies = -1 }, "analysis lets it arrive, in the kernel it did not", "Instances", 10 },
        { { .loses_answers = true, .n_lies = -1 },
          "analysis lets the answer back, in the kernel it was lost",
          "NatGateways",
          13 },
        { { .loses_at_node = true, .n_lies = -1 },
          "analysis lets it arrive, in the kernel it did not",
          "LoadBalancers",
          15 },
        { { .loses_behind = true, .n_lies = -1 },
          "analysis lets it arrive, in the kernel it did not",
          "TargetGroups",
          15 },
        { { .loses_line = true, .n_lies = -1 },
          "analysis lets it arrive, in the kernel it did not",
          "DirectConnectGatewayAssociations",
          12 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct kernel kernel = cases[i].kernel;
        uint64_t seed;
        json_t *found = first_disagreement(&kernel, 200, &seed);
        REQUIRE(found, "%s", cases[i].difference);
        const json_t *state = json_object_get(found, "State"), *network = json_object_get(state, "network");
        CHECK(strcmp(json_str(found, "Difference"), cases[i].difference) == 0, "%s", json_str(found, "Difference"));
        CHECK(json_flag(found, "Shrunk", false), "%s", cases[i].difference);
        CHECK(count(network, cases[i].needs) > 0, "%s: %s", cases[i].difference, cases[i].needs);
        CHECK(json_int(found, "Objects", 0) <= cases[i].objects, "%s: %lld objects", cases[i].difference,
              (long long)json_int(found, "Objects", 0));
        CHECK(count(network, "NetworkAcls") == 0, "%s", cases[i].difference);
        CHECK(json_array_size(json_object_get(found, "Commands")) == 3); /* up, the one packet, down */
        check_loads(state);
        json_decref(found);
    }
}

TEST(what_does_not_happen_again_is_said_so)
{
    struct kernel kernel = { .loses_port = 1, .n_lies = 1 };
    uint64_t seed;
    json_t *found = first_disagreement(&kernel, 40, &seed);
    REQUIRE(found);
    CHECK(!json_flag(found, "Shrunk", true));
    CHECK(json_int(found, "Objects", 0) > 15, "%lld", (long long)json_int(found, "Objects", 0)); /* all of it */
    json_decref(found);
}

TEST_MAIN

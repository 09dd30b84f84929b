/* bench/bench_reach.c - how long one `reach` takes, by the number of interfaces in the network.
 *
 *     make bench && build/bench/bench_reach [SEED]
 *
 * A VPC with N interfaces in N/100 subnets, five groups' worth of rules each way, a custom ACL on every other subnet, a
 * public and a private half behind a NAT gateway.  Questions: random pairs of interfaces, a tenth to and a tenth from
 * the internet, ports that pass and ports that do not.  The baseline answers the same questions in the same run by
 * walking every object (tests/spec/plain_net.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "netsim/analysis/reach.h"
#include "tests/spec/plain_net.h"

#define QUESTIONS 20000

struct lab {
    struct id_gen ids, lot;
    struct clock clock;
    struct network *net;
    VEC(struct eni *) enis;
    VEC(struct security_group *) groups;
    VEC(struct subnet *) subnets;
};

static double
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
must(bool ok, const struct err *err)
{
    if (!ok) {
        fprintf(stderr, "bench_reach: %s %s\n", err->code, err->text);
        exit(70);
    }
}

static size_t
lot(struct lab *lab, size_t n)
{
    return (size_t)id_random_below(&lab->lot, n);
}

static void
add_groups(struct lab *lab, const char *vpc_id, size_t n)
{
    struct err err = { 0 };
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "group-%zu", i);
        struct security_group *group = security_group_create(lab->net, vpc_id, name, name, &err);
        must(group, &err);
        *VEC_ADD(&lab->groups) = group;
    }
    for (size_t i = 0; i < n; i++) {
        struct sg_rule rules[8] = { 0 };
        for (size_t j = 0; j < ARRAY_SIZE(rules); j++) {
            rules[j].protocol = j == 7 ? PROTOCOL_UDP : PROTOCOL_TCP;
            rules[j].from = rules[j].to = (int)(1000 * j + 443);
            if (j % 2) {
                rules[j].group_id = lab->groups.items[(i + j * 7) % n]->obj.id;
            } else {
                rules[j].cidr = j == 0 ? cidr_lit("0.0.0.0/0") : cidr_lit("10.0.0.0/10");
            }
        }
        must(security_group_authorize(lab->net, lab->groups.items[i], rules, ARRAY_SIZE(rules), &err), &err);
    }
}

static void
add_acl(struct lab *lab, const char *vpc_id, struct network_acl **out)
{
    struct err err = { 0 };
    struct network_acl *acl = network_acl_create(lab->net, vpc_id, false, &err);
    must(acl, &err);
    for (int i = 0; i < 20; i++) {
        for (int egress = 0; egress < 2; egress++) {
            struct nacl_entry entry = {
                .number = 100 + i, .egress = egress, .protocol = PROTOCOL_TCP, .has_ports = true
            };
            entry.cidr = i == 19 ? cidr_lit("0.0.0.0/0") : cidr_lit("192.0.2.0/24");
            entry.ports = (struct nacl_port_range){ i == 19 ? 0 : i, 65535 };
            entry.action = i == 19 ? NACL_ALLOW : NACL_DENY;
            must(network_acl_add_entry(lab->net, acl, &entry, &err), &err);
        }
    }
    *out = acl;
}

static void
use_acl(struct lab *lab, const struct subnet *subnet, struct network_acl *acl)
{
    struct err err = { 0 };
    const struct network_acl *current = network_subnet_acl(lab->net, subnet);
    for (size_t i = 0; i < current->associations.n; i++) {
        if (strcmp(current->associations.items[i].subnet_id, subnet->obj.id) == 0) {
            must(network_acl_replace_association(lab->net, current->associations.items[i].id, acl, &err), &err);
            return;
        }
    }
}

static void
add_subnets(struct lab *lab, struct vpc *vpc, size_t n)
{
    struct err err = { 0 };
    struct network_acl *acl;
    struct internet_gateway *igw = internet_gateway_create(lab->net, &err);
    must(igw && internet_gateway_attach(lab->net, igw, vpc->obj.id, &err), &err);
    struct route_table *public = route_table_create(lab->net, vpc->obj.id, false, &err);
    struct route_table *private = route_table_create(lab->net, vpc->obj.id, false, &err);
    must(public && private, &err);
    add_acl(lab, vpc->obj.id, &acl);
    for (size_t i = 0; i < n; i++) {
        struct subnet_spec spec = { .vpc_id = vpc->obj.id };
        spec.cidr.ip = ip_v4((uint32_t)(0x0a000000 + i * 256));
        spec.cidr.bits = 24;
        struct subnet *subnet = subnet_create(lab->net, &spec, &err);
        must(subnet, &err);
        *VEC_ADD(&lab->subnets) = subnet;
        must(route_table_associate(lab->net, i % 2 ? private : public, subnet->obj.id, &err), &err);
        if (i % 4 == 3) {
            use_acl(lab, subnet, acl);
        }
    }
    struct elastic_ip *eip = elastic_ip_allocate(lab->net, &err);
    must(eip, &err);
    struct nat_gateway *nat = nat_gateway_create(lab->net, lab->subnets.items[0]->obj.id, eip->obj.id, NULL, &err);
    must(nat, &err);
    struct route out = { .cidr = cidr_lit("0.0.0.0/0"), .gateway_id = igw->obj.id };
    must(route_create(lab->net, public, &out, &err), &err);
    struct route through = { .cidr = cidr_lit("0.0.0.0/0"), .nat_gateway_id = nat->obj.id };
    must(route_create(lab->net, private, &through, &err), &err);
}

static void
lab_build(struct lab *lab, size_t n_enis, uint64_t seed)
{
    struct err err = { 0 };
    *lab = (struct lab){ 0 };
    id_gen_seed(&lab->ids, seed);
    id_gen_seed(&lab->lot, seed);
    lab->net = network_new(&lab->ids, &lab->clock);
    network_set_limits(lab->net, false);
    struct vpc *vpc = vpc_create(lab->net, &(struct vpc_spec){ .cidr = cidr_lit("10.0.0.0/16") }, &err);
    must(vpc, &err);
    add_groups(lab, vpc->obj.id, n_enis < 1000 ? 20 : 200);
    add_subnets(lab, vpc, n_enis < 400 ? 4 : n_enis / 100);
    for (size_t i = 0; i < n_enis; i++) {
        const char *groups[] = { lab->groups.items[lot(lab, lab->groups.n)]->obj.id,
                                 lab->groups.items[lot(lab, lab->groups.n)]->obj.id };
        struct eni_spec spec = { .subnet_id = lab->subnets.items[i % lab->subnets.n]->obj.id,
                                 .groups = groups,
                                 .n_groups = 1 + (groups[0] != groups[1]) };
        struct eni *eni = eni_create(lab->net, &spec, &err);
        must(eni, &err);
        *VEC_ADD(&lab->enis) = eni;
        if (i % 40 == 0 && i % lab->subnets.n % 2 == 0) {
            struct elastic_ip *eip = elastic_ip_allocate(lab->net, &err);
            must(eip && elastic_ip_associate(lab->net, eip, eni, &(struct ip){ 0 }, false, &err), &err);
        }
    }
}

static void
lab_free(struct lab *lab)
{
    network_free(lab->net);
    VEC_DONE(&lab->enis);
    VEC_DONE(&lab->groups);
    VEC_DONE(&lab->subnets);
}

static struct flow_spec
question(struct lab *lab)
{
    static const int ports[] = { 443, 1443, 2443, 3443, 80 };
    struct flow_spec flow = { .protocol = PROTOCOL_TCP,
                              .src_port = 40000,
                              .dst_port = ports[lot(lab, ARRAY_SIZE(ports))],
                              .icmp_type = -1,
                              .icmp_code = -1 };
    size_t ends = lot(lab, 10);
    struct flow_end *const end[] = { &flow.from, &flow.to };
    for (size_t i = 0; i < 2; i++) {
        if (ends == i) {
            end[i]->kind = FLOW_END_INTERNET;
        } else {
            end[i]->kind = FLOW_END_ENI;
            snprintf(end[i]->id, sizeof end[i]->id, "%s", lab->enis.items[lot(lab, lab->enis.n)]->obj.id);
        }
    }
    return flow;
}

static bool
plain_reachable(const struct network *net, const struct flow_spec *flow, const struct packet *sent)
{
    struct plain w = { .net = net };
    w.p = (struct plain_packet){ sent->src, sent->dst, sent->protocol, sent->src_port, sent->dst_port, -1, -1 };
    const struct plain_packet first = w.p;
    const struct eni *from =
        flow->from.kind == FLOW_END_ENI ? store_get(network_store(net), &eni_kind, flow->from.id) : NULL;
    w.to_eni = flow->to.kind == FLOW_END_ENI ? store_get(network_store(net), &eni_kind, flow->to.id) : NULL;
    w.to_internet = !w.to_eni;
    if (from) {
        plain_send(&w, from);
    } else {
        plain_from_outside(&w, NULL);
    }
    return !w.why && strcmp(plain_answer(&w, &first, from), "allowed") == 0;
}

/* Microseconds a question. */
static double
time_reach(const struct lab *lab, const struct flow_spec *flows, size_t n, bool components, struct packet *sent,
           bool *found)
{
    double begin = now_us();
    for (size_t i = 0; i < n; i++) {
        struct reach_result result = { 0 };
        struct err err = { 0 };
        must(reach(lab->net, &flows[i], components, &result, &err), &err);
        sent[i] = result.sent;
        found[i] = result.path_found;
        reach_result_done(&result);
    }
    return (now_us() - begin) / (double)n;
}

static void
measure(size_t n_enis, uint64_t seed)
{
    struct lab lab;
    lab_build(&lab, n_enis, seed);
    struct flow_spec *flows = xcalloc(QUESTIONS, sizeof *flows);
    struct packet *sent = xcalloc(QUESTIONS, sizeof *sent);
    bool *found = xcalloc(QUESTIONS, sizeof *found);
    for (size_t i = 0; i < QUESTIONS; i++) {
        flows[i] = question(&lab);
    }
    time_reach(&lab, flows, 100, false, sent, found); /* the index is built on the first question */
    double bare = time_reach(&lab, flows, QUESTIONS, false, sent, found);
    double full = time_reach(&lab, flows, QUESTIONS / 10, true, sent, found);
    size_t n_plain = n_enis > 1000 ? 200 : 1000, n_found = 0, n_differ = 0;
    double begin = now_us();
    for (size_t i = 0; i < n_plain; i++) {
        n_differ += plain_reachable(lab.net, &flows[i], &sent[i]) != found[i];
    }
    double plain = (now_us() - begin) / (double)n_plain;
    for (size_t i = 0; i < QUESTIONS; i++) {
        n_found += found[i];
    }
    printf("%10zu %8zu %7zu %9.2f %11.0f %15.1f %10.1f %8.0fx %9.0f%% %7zu\n", n_enis, lab.subnets.n, lab.groups.n,
           bare, 1e6 / bare, full, plain, plain / bare, 100.0 * (double)n_found / QUESTIONS, n_differ);
    free(flows);
    free(sent);
    free(found);
    lab_free(&lab);
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    printf("reach, both ways, seed %" PRIu64 ", %d questions\n\n", seed, QUESTIONS);
    printf(
        "interfaces  subnets  groups  us/query   queries/s  with components  plain us   faster  reachable  differ\n");
    measure(100, seed);
    measure(1000, seed);
    measure(10000, seed);
    return 0;
}

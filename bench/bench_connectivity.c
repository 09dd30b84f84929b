/* bench/bench_connectivity.c - all pairs as exact sets, and the difference of two networks, by the number of
 * interfaces.
 *
 *     make bench && build/bench/bench_connectivity [SEED]
 *
 * A VPC with N interfaces in 50 subnets, each carrying one of 200 groups (the last row: two of them); every group has
 * rules for its own members, for three other groups and some CIDRs; every other subnet has an ACL of its own; half of
 * the subnets are public, the others behind a NAT gateway. "all pairs" builds the classes and looks at the set of every
 * pair of them, joined to groups as the verb prints them.  The baseline, in the same run, asks reach() one port for a
 * sample of pairs and scales that to all pairs: one port, where the sets hold all. The second network of "diff" is the
 * first with one rule more in every twentieth group. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "netsim/analysis/network_diff.h"
#include "netsim/analysis/reach.h"
#include "netsim/model/network.h"
#include "netsim/model/vpc.h"

#define SUBNETS 50
#define GROUPS  200
#define SAMPLE  20000

struct lab {
    struct id_gen ids, lot;
    struct clock clock;
    struct network *net;
    VEC(struct eni *) enis;
    VEC(struct security_group *) groups;
    VEC(struct subnet *) subnets;
};

static void
must(bool ok, const struct err *err)
{
    if (!ok) {
        fprintf(stderr, "bench_connectivity: %s %s\n", err->code, err->text);
        exit(70);
    }
}

static size_t
lot(struct lab *lab, size_t n)
{
    return (size_t)id_random_below(&lab->lot, n);
}

static void
allow(struct lab *lab, struct security_group *group, const char *peer, const char *cidr, int port)
{
    struct err err = { 0 };
    struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = port, .to = port };
    rule.group_id = peer ? (char *)(uintptr_t)peer : NULL;
    rule.cidr = peer ? (struct cidr){ 0 } : cidr_lit(cidr);
    must(security_group_authorize(lab->net, group, &rule, 1, &err), &err);
}

static void
add_groups(struct lab *lab, const char *vpc_id)
{
    static const char *const cidrs[] = { "0.0.0.0/0", "10.0.0.0/16", "10.0.128.0/17", "198.51.100.0/24",
                                         "10.0.8.0/21" };
    struct err err = { 0 };
    for (size_t i = 0; i < GROUPS; i++) {
        char name[32];
        snprintf(name, sizeof name, "group-%zu", i);
        struct security_group *group = security_group_create(lab->net, vpc_id, name, name, &err);
        must(group, &err);
        *VEC_ADD(&lab->groups) = group;
    }
    for (size_t i = 0; i < GROUPS; i++) {
        struct security_group *group = lab->groups.items[i];
        allow(lab, group, group->obj.id, NULL, 7000);
        for (int port = 8080; port < 8083; port++) {
            allow(lab, group, lab->groups.items[lot(lab, GROUPS)]->obj.id, NULL, port);
        }
        allow(lab, group, NULL, cidrs[lot(lab, ARRAY_SIZE(cidrs))], 443);
    }
}

static void
add_acl(struct lab *lab, const struct subnet *subnet, int number)
{
    struct err err = { 0 };
    struct network_acl *acl = network_acl_create(lab->net, subnet->vpc_id, false, &err);
    must(acl, &err);
    for (int egress = 0; egress < 2; egress++) {
        struct nacl_entry deny = { .number = 10,
                                   .egress = egress,
                                   .protocol = PROTOCOL_TCP,
                                   .cidr = cidr_lit("0.0.0.0/0"),
                                   .has_ports = true,
                                   .ports = { 20 + number % 3, 22 + number % 3 } };
        struct nacl_entry rest = { .number = 100,
                                   .egress = egress,
                                   .action = NACL_ALLOW,
                                   .protocol = PROTOCOL_ALL,
                                   .cidr = cidr_lit("0.0.0.0/0") };
        must(network_acl_add_entry(lab->net, acl, &deny, &err) && network_acl_add_entry(lab->net, acl, &rest, &err),
             &err);
    }
    const struct network_acl *now = network_subnet_acl(lab->net, subnet);
    for (size_t i = 0; now && i < now->associations.n; i++) {
        if (strcmp(now->associations.items[i].subnet_id, subnet->obj.id) == 0) {
            char id[ID_SIZE];
            snprintf(id, sizeof id, "%s", now->associations.items[i].id);
            must(network_acl_replace_association(lab->net, id, acl, &err), &err);
            return;
        }
    }
}

/* Even subnets by their own table to the internet gateway, the others by the main one to a NAT gateway in the first. */
static void
add_routes(struct lab *lab, const struct vpc *vpc)
{
    struct err err = { 0 };
    struct internet_gateway *igw = internet_gateway_create(lab->net, &err);
    must(igw && internet_gateway_attach(lab->net, igw, vpc->obj.id, &err), &err);
    struct route out = { .cidr = cidr_lit("0.0.0.0/0"), .gateway_id = igw->obj.id };
    struct route_table *open = route_table_create(lab->net, vpc->obj.id, false, &err);
    must(open && route_create(lab->net, open, &out, &err), &err);
    for (size_t i = 0; i < SUBNETS; i += 2) {
        must(route_table_associate(lab->net, open, lab->subnets.items[i]->obj.id, &err), &err);
    }
    struct elastic_ip *eip = elastic_ip_allocate(lab->net, &err);
    struct nat_gateway *nat =
        eip ? nat_gateway_create(lab->net, lab->subnets.items[0]->obj.id, eip->obj.id, NULL, &err) : NULL;
    must(nat, &err);
    struct route through = { .cidr = cidr_lit("0.0.0.0/0"), .nat_gateway_id = nat->obj.id };
    struct route_table *main = network_subnet_route_table(lab->net, lab->subnets.items[1]);
    must(route_create(lab->net, main, &through, &err), &err);
}

static void
lab_build(struct lab *lab, size_t n_enis, size_t groups_each, uint64_t seed)
{
    struct err err = { 0 };
    *lab = (struct lab){ 0 };
    id_gen_seed(&lab->ids, seed);
    id_gen_seed(&lab->lot, seed);
    lab->net = network_new(&lab->ids, &lab->clock);
    network_set_limits(lab->net, false);
    struct vpc *vpc = vpc_create(lab->net, &(struct vpc_spec){ .cidr = cidr_lit("10.0.0.0/16") }, &err);
    must(vpc, &err);
    add_groups(lab, vpc->obj.id);
    for (size_t i = 0; i < SUBNETS; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.0.%zu.0/22", 4 * i);
        struct subnet_spec spec = { .vpc_id = vpc->obj.id, .cidr = cidr_lit(text) };
        *VEC_ADD(&lab->subnets) = subnet_create(lab->net, &spec, &err);
        must(lab->subnets.items[i], &err);
    }
    add_routes(lab, vpc);
    for (size_t i = 0; i < SUBNETS; i += 2) {
        add_acl(lab, lab->subnets.items[i], (int)i);
    }
    for (size_t i = 0; i < n_enis; i++) {
        const char *groups[] = { lab->groups.items[lot(lab, GROUPS)]->obj.id,
                                 lab->groups.items[lot(lab, GROUPS)]->obj.id };
        struct eni_spec spec = { .subnet_id = lab->subnets.items[lot(lab, SUBNETS)]->obj.id,
                                 .groups = groups,
                                 .n_groups = groups[0] == groups[1] ? 1 : groups_each };
        struct eni *eni = eni_create(lab->net, &spec, &err);
        must(eni, &err);
        *VEC_ADD(&lab->enis) = eni;
        if (lot(lab, 20) == 0) {
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

/* Builds, joins and looks at every pair of classes; how many of them let something through. */
static size_t
all_pairs(const struct network *net, struct connectivity_counts *counts, size_t *n_groups)
{
    struct connectivity *c = connectivity_new(net, IP_V4);
    int *groups;
    size_t n_open = 0, n = connectivity_n_classes(c);
    *n_groups = connectivity_groups(c, &groups);
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            n_open += connectivity_between(c, a, b).passes != PACKETS_NONE;
        }
    }
    *counts = connectivity_counts(c);
    free(groups);
    connectivity_free(c);
    return n_open;
}

/* Seconds that reach() would take for one port of each pair of interfaces, from a sample. */
static double
reach_scaled(struct lab *lab)
{
    struct flow_spec flow = {
        .protocol = PROTOCOL_TCP, .src_port = 40000, .dst_port = 8080, .icmp_type = -1, .icmp_code = -1
    };
    flow.from.kind = flow.to.kind = FLOW_END_ENI;
    double begin = bench_now_ns();
    for (size_t i = 0; i < SAMPLE; i++) {
        struct reach_result result = { 0 };
        struct err err = { 0 };
        snprintf(flow.from.id, sizeof flow.from.id, "%s", lab->enis.items[lot(lab, lab->enis.n)]->obj.id);
        snprintf(flow.to.id, sizeof flow.to.id, "%s", lab->enis.items[lot(lab, lab->enis.n)]->obj.id);
        must(reach(lab->net, &flow, false, &result, &err), &err);
        reach_result_done(&result);
    }
    double n = (double)lab->enis.n;
    return (bench_now_ns() - begin) / 1e9 / SAMPLE * n * (n - 1);
}

static double
time_diff(const struct lab *lab, size_t n_enis, size_t groups_each, uint64_t seed, size_t *n_changes)
{
    struct lab other;
    lab_build(&other, n_enis, groups_each, seed);
    for (size_t i = 0; i < GROUPS; i += 20) {
        allow(&other, other.groups.items[i], NULL, "10.0.0.0/18", 9000);
    }
    double begin = bench_now_ns();
    struct network_diff *diff = network_diff_new(lab->net, other.net, IP_V4);
    *n_changes = diff->changes.n;
    network_diff_free(diff);
    double seconds = (bench_now_ns() - begin) / 1e9;
    lab_free(&other);
    return seconds;
}

static void
measure(size_t n_enis, size_t groups_each, uint64_t seed)
{
    struct lab lab;
    struct connectivity_counts counts;
    size_t n_groups, n_changes;
    lab_build(&lab, n_enis, groups_each, seed);
    network_eni_by_address(lab.net, "", &(struct ip){ 0 }); /* the model's index is built on the first question */
    double begin = bench_now_ns();
    size_t n_open = all_pairs(lab.net, &counts, &n_groups);
    double seconds = (bench_now_ns() - begin) / 1e9, plain = reach_scaled(&lab);
    double diff = time_diff(&lab, n_enis, groups_each, seed, &n_changes);
    printf("%10zu %8zu %6zu %6zu %8zu %7zu %9zu %9.3f %14.1f %8.0fx %8.3f %8zu\n", n_enis, groups_each, counts.sites,
           counts.roles, counts.classes, n_groups, n_open, seconds, plain, plain / seconds, diff, n_changes);
    lab_free(&lab);
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    printf("connectivity of all pairs, %d subnets, %d groups, seed %" PRIu64 "\n\n", SUBNETS, GROUPS, seed);
    printf("interfaces groups/i  sites  roles  classes  groups     pairs   seconds  reach, scaled   faster   diff s  "
           "changes\n");
    measure(100, 1, seed);
    measure(1000, 1, seed);
    measure(10000, 1, seed);
    measure(1000, 2, seed);
    return 0;
}

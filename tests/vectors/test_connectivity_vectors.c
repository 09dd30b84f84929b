/* The sets of every pair of interfaces in the networks of ../shared/vectors/net against `reach`, at their bounds: real
 * configurations with peerings, transit gateways and endpoints, which the random networks do not have. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/interop/aws_import.h"
#include "netsim/model/network.h"
#include "tests/spec/check_connectivity.h"

#define VECTORS "../shared/vectors/net"

static void
check_between(struct pair *pair, size_t from, size_t to, struct counts *counts)
{
    pair->flow = connectivity_between(pair->c, from, to);
    check_flow(pair, counts);
    for (int port = 22; port < 9000; port += 421) {
        check_packet(pair, PROTOCOL_TCP, 40000, port, counts);
        check_packet(pair, PROTOCOL_UDP, 40000, port, counts);
    }
}

static void
check_family(const struct network *net, int family, struct counts *counts)
{
    struct connectivity *c = connectivity_new(net, family);
    struct pair pair = { .c = c, .net = net };
    size_t n = connectivity_n_classes(c);
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            pair.from = end_of_class(c, a);
            pair.to = end_of_class(c, b);
            bool outside = !pair.from.eni && !pair.to.eni;
            if (!outside && !(a == b && connectivity_class(c, a)->members.n == 1)) {
                check_between(&pair, a, b, counts);
            }
        }
    }
    connectivity_free(c);
}

TEST(sets_agree_with_reach_in_real_configurations)
{
    glob_t found;
    struct counts counts = { 0 };
    if (glob(VECTORS "/*/aws", 0, NULL, &found) != 0) {
        TEST_SKIP(VECTORS " is not there");
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct id_gen ids;
        struct clock clock = { 0 };
        struct err err = { 0 };
        id_gen_seed(&ids, 1);
        struct network *net = network_new(&ids, &clock);
        json_t *report = json_object();
        int before = test_complaints;
        if (aws_import(net, found.gl_pathv[i], report, &err)) {
            check_family(net, IP_V4, &counts);
            check_family(net, IP_V6, &counts);
        }
        CHECK(test_complaints == before, "%s %s", found.gl_pathv[i], err.text);
        json_decref(report);
        network_free(net);
    }
    fprintf(stderr, "%zu packets: %zu reachable, %zu answered\n", counts.packets, counts.reachable, counts.answered);
    CHECK(counts.reachable > 100);
    globfree(&found);
}

TEST_MAIN

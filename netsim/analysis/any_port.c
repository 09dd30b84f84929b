/* A question without a destination port: one port of every range between the bounds that rules name is asked. */
#include <stdlib.h>

#include "netsim/analysis/question.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"

/* Ports at which some rule begins or has just ended; between two of them nothing changes. */
static void
add_bounds(unsigned char *is_bound, int protocol, int rule_protocol, int from, int to)
{
    if (rule_protocol == protocol) {
        is_bound[from >= 0 && from <= 65535 ? from : 0] = 1;
        if (to >= 0 && to < 65535) {
            is_bound[to + 1] = 1;
        }
    }
}

static void
collect_bounds(const struct network *net, int protocol, unsigned char *is_bound)
{
    const struct store *store = network_store(net);
    for (const struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        for (size_t i = 0; i < g->rules.n; i++) {
            add_bounds(is_bound, protocol, g->rules.items[i].protocol, g->rules.items[i].from, g->rules.items[i].to);
        }
    }
    for (const struct network_acl *acl = store_first(store, &network_acl_kind); acl; acl = store_next(store, acl)) {
        for (size_t i = 0; i < acl->entries.n; i++) {
            const struct nacl_entry *entry = &acl->entries.items[i];
            add_bounds(is_bound, protocol, entry->protocol, entry->ports.from, entry->ports.to);
        }
    }
    /* A balancer takes single ports, whatever its groups allow. */
    for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
        for (size_t i = 0; i < lb->listeners.n; i++) {
            add_bounds(is_bound, protocol, protocol, lb->listeners.items[i].port, lb->listeners.items[i].port);
        }
    }
    for (const struct classic_balancer *lb = store_first(store, &classic_balancer_kind); lb;
         lb = store_next(store, lb)) {
        for (size_t i = 0; i < lb->listeners.n; i++) {
            add_bounds(is_bound, protocol, PROTOCOL_TCP, lb->listeners.items[i].port, lb->listeners.items[i].port);
        }
    }
}

unsigned char *
port_bounds(const struct network *net, int protocol)
{
    unsigned char *is_bound = xcalloc(65536, 1);
    is_bound[0] = 1;
    collect_bounds(net, protocol, is_bound);
    return is_bound;
}

int
reach_any_port(const struct network *net, const struct flow_spec *flow, int otherwise)
{
    struct question q;
    if (!question_init(net, flow, &q, NULL) || !protocol_has_ports(q.packet.protocol)) {
        return otherwise;
    }
    unsigned char *is_bound = port_bounds(net, q.packet.protocol);
    int found = -1;
    for (int port = 0, one_way = -1; port < 65536 && found < 0; port++) {
        if (is_bound[port]) {
            struct reach_result result = { 0 };
            q.packet.dst_port = port;
            question_answer(&q, false, &result);
            found = result.path_found ? port : -1;
            one_way = result.reachable && one_way < 0 ? port : one_way;
            reach_result_done(&result);
        }
        if (port == 65535 && found < 0) {
            found = one_way;
        }
    }
    free(is_bound);
    return found >= 0 ? found : otherwise;
}

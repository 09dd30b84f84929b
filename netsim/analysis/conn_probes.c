#include "netsim/analysis/conn_probes.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/model/classic_balancer.h"
#include "netsim/model/network.h"
#include "netsim/model/private_service.h"

struct conn_probes {
    const struct network *net;
    struct set_pool *pool;
    int family;
    VEC(int) starts; /* of the ranges of source ports that answers may fare differently with, sorted */
};

typedef VEC(int) port_list;

static bool
add_listeners(port_list *ports, const struct load_balancer *lb)
{
    for (size_t i = 0; lb && i < lb->listeners.n; i++) {
        *VEC_ADD(ports) = lb->listeners.items[i].port;
    }
    return lb != NULL;
}

/* The ports that the balancer behind the interface listens on, or those behind the service of the endpoint it is of.
 * False: there is none. */
static bool
listened_ports(const struct network *net, const struct eni *eni, port_list *ports)
{
    const struct classic_balancer *classic = network_classic_balancer_of_eni(net, eni);
    const struct endpoint *endpoint = network_endpoint_of_eni(net, eni->obj.id);
    const struct private_service *service =
        endpoint && endpoint_is_interface(endpoint) ? network_private_service(net, endpoint->service_name) : NULL;
    bool found = classic || add_listeners(ports, network_load_balancer_of_eni(net, eni));
    for (size_t i = 0; classic && i < classic->listeners.n; i++) {
        *VEC_ADD(ports) = classic->listeners.items[i].port;
    }
    for (size_t i = 0; service && i < service->nlb_arns.n; i++) {
        found = add_listeners(ports, network_load_balancer(net, service->nlb_arns.items[i])) || found;
    }
    return found;
}

bool
conn_probes_wants(const struct network *net, const struct eni *eni)
{
    port_list ports = { 0 };
    bool found = listened_ports(net, eni, &ports);
    VEC_DONE(&ports);
    return found;
}

static int
compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* An ACL begins or ends to match here, on a port as it is or as a NAT gateway made it. */
static void
add_start(struct conn_probes *probes, int port)
{
    const int at[] = { port, port - 1024 };
    for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
        if (at[i] > 0 && at[i] <= 65535) {
            *VEC_ADD(&probes->starts) = at[i];
        }
    }
}

struct conn_probes *
conn_probes_new(const struct network *net, struct set_pool *pool, int family)
{
    struct conn_probes *probes = xcalloc(1, sizeof *probes);
    const struct store *store = network_store(net);
    *probes = (struct conn_probes){ .net = net, .pool = pool, .family = family };
    *VEC_ADD(&probes->starts) = 0;
    add_start(probes, 1024); /* below, a NAT gateway changes the port */
    for (const struct network_acl *acl = store_first(store, &network_acl_kind); acl; acl = store_next(store, acl)) {
        for (size_t i = 0; i < acl->entries.n && acl->associations.n; i++) {
            const struct nacl_entry *entry = &acl->entries.items[i];
            if (entry->has_ports) {
                add_start(probes, entry->ports.from);
                add_start(probes, entry->ports.to + 1);
            }
        }
    }
    qsort(probes->starts.items, probes->starts.n, sizeof *probes->starts.items, compare_ints);
    size_t n = 0;
    for (size_t i = 0; i < probes->starts.n; i++) {
        if (n == 0 || probes->starts.items[n - 1] != probes->starts.items[i]) {
            probes->starts.items[n++] = probes->starts.items[i];
        }
    }
    probes->starts.n = n;
    return probes;
}

void
conn_probes_free(struct conn_probes *probes)
{
    if (probes) {
        VEC_DONE(&probes->starts);
        free(probes);
    }
}

static void
unite_ports(struct conn_probes *probes, int *sum, int protocol, int from_lo, int from_hi, int port)
{
    struct packet_set ports = { 0 };
    packet_set_add(&ports, protocol, from_lo, from_hi, port, port);
    *sum = set_pool_combine(probes->pool, *sum, set_pool_take(probes->pool, &ports), PACKETS_UNION);
}

static bool
ask(const struct conn_probes *probes, struct flow_spec *flow, int src_port, bool *answered)
{
    struct reach_result result = { 0 };
    struct err err = { 0 };
    flow->src_port = src_port;
    if (!reach(probes->net, flow, false, &result, &err)) {
        return false;
    }
    bool reachable = result.reachable;
    *answered = result.reply == REPLY_ALLOWED;
    reach_result_done(&result);
    return reachable;
}

/* What passes by one listener's port: no rule looks at the source port on the way there. */
static void
probe_port(struct conn_probes *probes, const struct conn_end *from, const struct conn_end *to, int protocol, int port,
           int *passes, int *answered)
{
    struct flow_spec flow;
    bool reply;
    if (!conn_question(from, to, probes->family, &flow)) {
        return;
    }
    flow.protocol = protocol;
    flow.dst_port = port;
    if (!ask(probes, &flow, 40000, &reply)) {
        return;
    }
    unite_ports(probes, passes, protocol, 0, 65535, port);
    for (size_t i = 0; i < probes->starts.n; i++) {
        int first = probes->starts.items[i];
        int last = i + 1 < probes->starts.n ? probes->starts.items[i + 1] - 1 : 65535;
        if (ask(probes, &flow, first, &reply) && reply) {
            unite_ports(probes, answered, protocol, first, last, port);
        }
    }
}

void
conn_probes_ask(struct conn_probes *probes, const struct conn_end *from, const struct conn_end *to, int front,
                int *passes, int *answered)
{
    static const int protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP };
    port_list ports = { 0 };
    int heard = PACKETS_NONE, replied = PACKETS_NONE;
    listened_ports(probes->net, to->eni, &ports);
    for (size_t i = 0; i < ports.n; i++) {
        for (size_t k = 0; k < ARRAY_SIZE(protocols); k++) { /* asking may move the pool's sets: look each time */
            if (packet_set_has(set_pool_get(probes->pool, front), protocols[k], 40000, ports.items[i])) {
                probe_port(probes, from, to, protocols[k], ports.items[i], &heard, &replied);
            }
        }
    }
    VEC_DONE(&ports);
    *passes = set_pool_combine(probes->pool, heard, front, PACKETS_INTERSECT);
    *answered = set_pool_combine(probes->pool, replied, *passes, PACKETS_INTERSECT);
}

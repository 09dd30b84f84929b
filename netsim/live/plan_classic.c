/* Classic Load Balancers: each interface is a node that translates a listener's connections to one of the registered
 * instances that run, of its zone or of all, and that is in service, chosen by the flow's own numbers, with its own
 * address.  Where HTTP is read or TLS ends or begins, connections end at the node (balancer.h, relay.h).  With no
 * instance in service there is nobody to send to, other than with a target group.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/introduction.html */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_balancer.h"
#include "netsim/live/plan_build.h"
#include "netsim/model/classic_balancer.h"

static const char *
zone_of(const struct network *net, const struct eni *eni)
{
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, eni->subnet_id);
    return eni->zone ? eni->zone : subnet ? subnet->zone : NULL;
}

static bool
sends_to(const struct classic_balancer *lb, const char *node, const char *zone)
{
    bool enabled = lb->zones.n == 0 || !zone;
    for (size_t i = 0; !enabled && i < lb->zones.n; i++) {
        enabled = strcmp(lb->zones.items[i], zone) == 0;
    }
    return enabled && (lb->cross_zone || !node || !zone || strcmp(node, zone) == 0);
}

const struct eni *
balancer_classic_instance(const struct network *net, const struct classic_balancer *lb, const char *node_zone,
                          const char *instance_id)
{
    const struct instance *instance = store_get(network_store(net), &instance_kind, instance_id);
    const struct eni *eni = instance && instance_is_running(instance) ? instance_eni(net, instance, 0) : NULL;
    return eni && eni_primary_ip(eni) && sends_to(lb, node_zone, zone_of(net, eni)) ? eni : NULL;
}

const char *
balancer_classic_key(const struct classic_balancer *lb, const char *instance_id, char out[static BALANCER_KEY_SIZE])
{
    snprintf(out, BALANCER_KEY_SIZE, "%s %s", lb->obj.id, instance_id);
    return out;
}

void
balancer_classic_instances(const struct network *net, const struct classic_balancer *lb, const struct eni *node,
                           const struct map *unhealthy, balancer_ip_vec *out)
{
    for (size_t i = 0; i < lb->instances.n; i++) {
        char key[BALANCER_KEY_SIZE];
        const char *id = lb->instances.items[i].id;
        const struct eni *eni = balancer_classic_instance(net, lb, zone_of(net, node), id);
        bool well = !unhealthy || !map_get(unhealthy, balancer_classic_key(lb, id, key));
        if (eni && well) {
            *VEC_ADD(out) = *eni_primary_ip(eni);
        }
    }
}

/* Towards its own subnet too what it passes on meets the outbound ACL, as AWS's analyzer has it; its health checks do
 * not. */
static void
meet_acl(struct builder *b, struct plan_ns *ns, const struct plan_port *port, struct buf *forward, struct buf *output)
{
    const struct network_acl *acl = network_subnet_acl(b->net, port->subnet);
    if (acl) {
        struct buf rules = { 0 };
        map_put(&b->plan->elsewhere, acl->obj.id, (void *)1);
        map_put(&b->plan->elsewhere, port->subnet->obj.id, (void *)1);
        plan_acl_blocks(acl, true, &rules);
        plan_chain_add(b, ns, "acl_out", "", buf_str(&rules));
        buf_printf(forward, "ct direction original ip daddr %s jump acl_out\n", cidr_str(&port->subnet->cidr));
        buf_printf(output, "meta mark 0x%x-0x%x ct direction original ip daddr %s jump acl_out\n", PLAN_MARK_PROXIED,
                   PLAN_MARK_RELAYED_TLS, cidr_str(&port->subnet->cidr));
        buf_done(&rules);
    }
}

/* A listener whose connections end at the node. */
static void
serve(struct builder *b, struct plan_ns *ns, const struct plan_port *port, const struct classic_balancer *lb,
      const struct classic_listener *l, struct buf *local)
{
    buf_printf(local, "tcp dport %d counter accept comment \"listener %d\"\n", l->port, l->port);
    plan_service_add(b, ns, classic_listener_is_web(l) ? PLAN_SERVE_BALANCER : PLAN_SERVE_RELAY, port->primary,
                     (uint16_t)l->port, lb->obj.id);
}

void
plan_classic_node(struct builder *b, struct plan_ns *ns, const struct plan_port *port,
                  const struct classic_balancer *lb)
{
    struct buf dnat = { 0 }, snat = { 0 }, forward = { 0 }, output = { 0 }, local = { 0 };
    balancer_ip_vec instances = { 0 };
    balancer_classic_instances(b->net, lb, port->eni, b->numbers->unhealthy, &instances);
    for (size_t i = 0; i < lb->listeners.n; i++) {
        const struct classic_listener *l = &lb->listeners.items[i];
        if (classic_listener_is_proxied(lb, l)) {
            serve(b, ns, port, lb, l, &local);
            continue;
        }
        if (!instances.n) {
            continue;
        }
        buf_printf(&dnat,
                   "iifname \"eth0\" ip daddr %s tcp dport %d counter dnat ip to jhash ip saddr . tcp sport mod %zu "
                   "map { ",
                   ip_str(&port->primary), l->port, instances.n);
        for (size_t j = 0; j < instances.n; j++) {
            buf_printf(&dnat, "%s%zu : %s . %d", j ? ", " : "", j, ip_str(&instances.items[j]), l->instance_port);
        }
        buf_printf(&dnat, " } comment \"tcp %d\"\n", l->port);
    }
    buf_printf(&snat, "ct status dnat snat ip to %s\n", ip_str(&port->primary));
    buf_str_add(&forward, "ct state invalid counter drop\n");
    meet_acl(b, ns, port, &forward, &output);
    buf_str_add(&forward, "ct status dnat counter accept\n");
    buf_str_add(&local, "ct state established,related accept\n");
    plan_chain_add(b, ns, "p_dnat", "type nat hook prerouting priority -100; policy accept;", buf_str(&dnat));
    plan_chain_add(b, ns, "p_snat", "type nat hook postrouting priority 100; policy accept;", buf_str(&snat));
    plan_chain_add(b, ns, "f_balancer", "type filter hook forward priority 0; policy drop;", buf_str(&forward));
    plan_chain_add(b, ns, "o_proxied", "type filter hook output priority 0; policy accept;", buf_str(&output));
    plan_chain_add(b, ns, "i_local", "type filter hook input priority 0; policy drop;", buf_str(&local));
    balancer_count(b, ns);
    VEC_DONE(&instances);
    buf_done(&dnat);
    buf_done(&snat);
    buf_done(&forward);
    buf_done(&output);
    buf_done(&local);
}

/* VPC Block Public Access at a gateway: connections are stopped where they begin, their answers go with them. */
#include "netsim/live/plan_build.h"

#include <string.h>

static void
stop(struct buf *text, const char *link, const char *end, const struct cidr *block)
{
    if (block && block->ip.family) {
        buf_printf(text, "iifname \"%s\" %s %s %s counter drop comment \"Block Public Access\"\n", link,
                   block->ip.family == IP_V4 ? "ip" : "ip6", end, cidr_str(block));
    }
}

void
plan_public_access(struct builder *b, const struct plan_vpc *v, struct plan_ns *gateway, enum bpa_way out)
{
    struct buf text = { 0 };
    if (strcmp(public_access_mode(b->net, v->vpc), "off") == 0) {
        return;
    }
    buf_str_add(&text, "ct direction reply accept\n");
    for (size_t i = 0; i < v->ports.n; i++) {
        const struct plan_port *port = &v->ports.items[i];
        if (port->nat && port->primary.family &&
            !public_access_blocked(b->net, v->vpc, port->subnet->obj.id, BPA_OUT_ONLY)) {
            buf_printf(&text, "iifname \"vpc\" ip saddr %s accept\n", ip_str(&port->primary));
        }
    }
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        if (strcmp(s->vpc_id, v->vpc->obj.id) != 0) {
            continue;
        }
        if (public_access_blocked(b->net, v->vpc, s->obj.id, out)) {
            stop(&text, "vpc", "saddr", &s->cidr);
            stop(&text, "vpc", "saddr", subnet_cidr6(s));
        }
        if (public_access_blocked(b->net, v->vpc, s->obj.id, BPA_IN)) {
            stop(&text, "inet", "daddr", &s->cidr);
            stop(&text, "inet", "daddr", subnet_cidr6(s));
        }
    }
    plan_chain_add(b, gateway, "f_public_access", "type filter hook forward priority -1; policy accept;",
                   buf_str(&text));
    buf_done(&text);
}

/* VPC Block Public Access: connections to and from a gateway are stopped where they begin, their answers go with them.
 *
 * The router stops them, behind its groups and ACLs, for there the interface is known whose flow log tells of it. */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"
#include "netsim/live/plan_flows.h"

static void
stop(struct builder *b, struct buf *text, bool out, const char *link, const struct cidr *block)
{
    if (block && block->ip.family) {
        buf_printf(text, "%s \"%s\" %s %s %s counter %s\n", out ? "oifname" : "iifname", link,
                   block->ip.family == IP_V4 ? "ip" : "ip6", out ? "saddr" : "daddr", cidr_str(block),
                   plan_refusal(b, out ? PLAN_REFUSED_PUBLIC_OUT : PLAN_REFUSED_PUBLIC_IN, out));
    }
}

void
plan_public_access(struct builder *b, const struct plan_vpc *v, const char *link, enum bpa_way out)
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
            buf_printf(&text, "oifname \"%s\" ip saddr %s accept\n", link, ip_str(&port->primary));
        }
    }
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        if (strcmp(s->vpc_id, v->vpc->obj.id) != 0) {
            continue;
        }
        if (public_access_blocked(b->net, v->vpc, s->obj.id, out)) {
            stop(b, &text, true, link, &s->cidr);
            stop(b, &text, true, link, subnet_cidr6(s));
        }
        if (public_access_blocked(b->net, v->vpc, s->obj.id, BPA_IN)) {
            stop(b, &text, false, link, &s->cidr);
            stop(b, &text, false, link, subnet_cidr6(s));
        }
    }
    char name[40];
    snprintf(name, sizeof name, "f_public_access_%s", link);
    plan_chain_add(b, v->router, name, "type filter hook forward priority 42; policy accept;", buf_str(&text));
    buf_done(&text);
}

/* What a router answers itself: instance metadata.
 *
 * The addresses are the router's own, so no group and no ACL sees what is sent to them, as in AWS.  Who asks is known
 * by his address alone, so it must be one of the interface it comes from, also where the source check is off.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
#include <string.h>

#include "netsim/live/plan_build.h"

void
plan_service_add(struct builder *b, struct plan_ns *ns, enum plan_service_kind kind, struct ip ip, uint16_t port,
                 const char *id)
{
    *VEC_ADD(&ns->services) =
        (struct plan_service){ .kind = kind, .ip = ip, .port = port, .id = arena_strdup(b->plan->arena, id) };
}

/* An address of the router that its instances may ask at a port. */
static void
serve(struct builder *b, struct plan_vpc *v, enum plan_service_kind kind, const char *address, const char *protocols,
      uint16_t port, struct buf *local)
{
    struct ip ip = ip_lit(address);
    bool six = ip.family == IP_V6;
    *VEC_ADD(&v->router->addresses) = (struct plan_address){ PLAN_LOOPBACK, ip, (uint8_t)ip_width(&ip) };
    plan_service_add(b, v->router, kind, ip, port, v->vpc->obj.id);
    buf_printf(local, "iifname . %s saddr @%s %s daddr %s meta l4proto %s th dport %u accept\n", six ? "ip6" : "ip",
               six ? "eni_addresses6" : "eni_addresses", six ? "ip6" : "ip", address, protocols, port);
}

void
plan_services(struct builder *b, struct plan_vpc *v)
{
    struct buf local = { 0 };
    serve(b, v, PLAN_SERVE_METADATA, "169.254.169.254", "tcp", 80, &local);
    if (v->ip6) {
        serve(b, v, PLAN_SERVE_METADATA, "fd00:ec2::254", "tcp", 80, &local);
    }
    plan_chain_add(b, v->router, "i_local", "type filter hook input priority 0; policy drop;", buf_str(&local));
    buf_done(&local);
}

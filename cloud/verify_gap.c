/* cloud/verify_gap.c - walks the open ways of a flow and looks for what one of the judges does not have. */
#include "cloud/verify_gap.h"

#include <stdio.h>
#include <string.h>

#include "netsim/analysis/walk.h"
#include "netsim/model/direct_connect_way.h"

static void
set_gap(struct verify_gap *gap, const char *lacks, const char *what, const char *id)
{
    gap->lacks = lacks;
    gap->what = what;
    snprintf(gap->id, sizeof gap->id, "%s", id);
}

/* Linux's translation tracks connections, AWS's internet gateway none: of ICMP over IPv4 it passes what asks something
 * that is answered.  Errors about packets that were never sent pass neither family's tracking. */
static bool
untranslated(const struct hop *hop)
{
    int type = hop->packet.icmp_type;
    bool asks = type == 8 || type == 13 || type == 15 || type == 17;
    bool outside = hop->kind == HOP_IGW || hop->kind == HOP_EIGW;
    return outside && ((hop->packet.protocol == PROTOCOL_ICMP && !asks) ||
                       (hop->packet.protocol == PROTOCOL_ICMPV6 && type < 128));
}

/* With a VPN connection whose routes come by BGP and a line of Direct Connect beside it nobody but their sessions tells
 * which of them a packet from AWS takes: the site asked about may be the other one's, with the same addresses. */
static bool
bgp_decides(const struct network *net, const char *vgw_id, int family)
{
    const struct store *store = network_store(net);
    bool by_vpn = false, by_line = false;
    for (const struct vpn_connection *v = store_first(store, &vpn_connection_kind); v; v = store_next(store, v)) {
        by_vpn = by_vpn ||
                 (strcmp(v->vpn_gateway_id, vgw_id) == 0 && vpn_connection_is_available(v) && !v->static_routes_only);
    }
    for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); by_vpn && a;
         a = store_next(store, a)) {
        by_line = by_line || (strcmp(a->associated_id, vgw_id) == 0 && direct_connect_association_carries(a) &&
                              !direct_connect_fault(net, a->gateway_id, family));
    }
    return by_vpn && by_line;
}

/* On its way out: not after the connection by which it came in. */
static bool
leaves_by(const struct walk *walk, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        enum hop_kind kind = walk->hops.items[i].kind;
        if (kind == HOP_VPN || kind == HOP_DX || kind == HOP_CUSTOMER) {
            return false;
        }
    }
    return walk->hops.items[at].kind == HOP_VGW;
}

static void
find_on_walk(const struct plan *plan, const struct walk *walk, const char *kept_at, struct verify_gap *gap)
{
    for (size_t i = 0; i < walk->hops.n && !gap->lacks; i++) {
        const struct hop *hop = &walk->hops.items[i];
        const char *target = NULL;
        if (hop->route) {
            route_target(hop->route, &target);
        }
        const struct plan_unbuilt *unbuilt = hop->id ? plan_find_unbuilt(plan, hop->id) : NULL;
        unbuilt = !unbuilt && target ? plan_find_unbuilt(plan, target) : unbuilt;
        if (unbuilt) {
            set_gap(gap, "not built live", unbuilt->what, unbuilt->id);
        } else if (hop->kind == HOP_VPCE && hop->id && *kept_at && strcmp(hop->id, kept_at) == 0) {
            set_gap(gap, "not returned", "by the appliances behind", hop->id);
        } else if (hop->id && leaves_by(walk, i) && bgp_decides(walk->net, hop->id, walk->packet.dst.family)) {
            set_gap(gap, "not analysed", "which connection BGP prefers at", hop->id);
        } else if (hop->kind == HOP_UNMODELLED && hop->id) {
            set_gap(gap, "not analysed", walk->stop_what ? walk->stop_what : "component", hop->id);
        } else if (walk->stop == STOP_APPLIANCE && hop->stopped && hop->id) {
            /* Whether it forwards is its software's affair. */
            set_gap(gap, "not analysed", "appliance", hop->id);
        } else if (!walk->is_reply && untranslated(hop) && hop->id) {
            set_gap(gap, "not built live", "ICMP that asks nothing, through", hop->id);
        }
    }
}

/* A packet that a route leads to the interface asked about, and that is for another address: AWS's analyzer has it
 * arrive; what becomes of it is the machine's affair. */
static void
find_at_end(const struct walk *walk, struct verify_gap *gap)
{
    const struct hop *last = walk->arrived && walk->hops.n ? &walk->hops.items[walk->hops.n - 1] : NULL;
    bool machine = last && (last->kind == HOP_INSTANCE || last->kind == HOP_ENI) && last->eni;
    if (machine && !gap->lacks && !eni_has_ip(last->eni, &walk->packet.dst)) {
        set_gap(gap, "not analysed", "appliance", last->eni->obj.id);
    }
}

bool
verify_find_gap(const struct network *net, const struct plan *plan, const struct flow_spec *flow, const char *kept_at,
                struct verify_gap *gap, struct err *err)
{
    struct open_ways ways = { 0 };
    *gap = (struct verify_gap){ 0 };
    if (!reach_open_ways(net, flow, &ways, err)) {
        return false;
    }
    find_on_walk(plan, &ways.forward, kept_at, gap);
    find_at_end(&ways.forward, gap);
    find_on_walk(plan, &ways.back, kept_at, gap);
    open_ways_done(&ways);
    return true;
}

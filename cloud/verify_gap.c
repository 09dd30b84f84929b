/* cloud/verify_gap.c - walks the open ways of a flow and looks for what one of the judges does not have. */
#include "cloud/verify_gap.h"

#include <stdio.h>
#include <string.h>

#include "netsim/analysis/walk.h"
#include "netsim/model/direct_connect_way.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/onprem.h"
#include "netsim/model/private_service.h"

#define GENEVE_PORT 6081

static void
set_gap(struct verify_gap *gap, const char *lacks, const char *what, const char *id)
{
    gap->lacks = lacks;
    gap->what = what;
    snprintf(gap->id, sizeof gap->id, "%s", id);
}

/* Linux's translation tracks connections, AWS's internet gateway none: of ICMP over IPv4 it passes what asks something
 * that is answered; so does a NAT gateway's.  Errors about packets that were never sent pass neither family's tracking.
 */
static bool
untranslated(const struct hop *hop)
{
    int type = hop->packet.icmp_type;
    bool asks = type == 8 || type == 13 || type == 15 || type == 17;
    bool outside = hop->kind == HOP_IGW || hop->kind == HOP_EIGW || hop->kind == HOP_NAT;
    return outside && ((hop->packet.protocol == PROTOCOL_ICMP && !asks) ||
                       (hop->packet.protocol == PROTOCOL_ICMPV6 && type < 128));
}

/* By BGP anything may be announced. */
static bool
may_route(const struct vpn_connection *vpn, const struct ip *ip)
{
    bool covered = !vpn->static_routes_only;
    for (size_t i = 0; !covered && i < vpn->routes.n; i++) {
        covered = cidr_contains_ip(&vpn->routes.items[i].cidr, ip);
    }
    return covered;
}

/* With a VPN connection that may take the packet and a line of Direct Connect beside it nobody but BGP's sessions tells
 * which of them it takes from AWS: how long a prefix the line announces decides, also beside a static route.  The site
 * asked about may be the other one's, with the same addresses. */
static bool
bgp_decides(const struct network *net, const char *vgw_id, const struct ip *ip)
{
    const struct store *store = network_store(net);
    bool by_vpn = false, by_line = false;
    for (const struct vpn_connection *v = store_first(store, &vpn_connection_kind); v; v = store_next(store, v)) {
        by_vpn =
            by_vpn || (strcmp(v->vpn_gateway_id, vgw_id) == 0 && vpn_connection_is_available(v) && may_route(v, ip));
    }
    for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); by_vpn && a;
         a = store_next(store, a)) {
        by_line = by_line || (strcmp(a->associated_id, vgw_id) == 0 && direct_connect_association_carries(a) &&
                              !direct_connect_fault(net, a->gateway_id, ip->family));
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

/* Does analysis let packets of GENEVE from the balancer's node in the endpoint's zone come to one of the appliances? */
static bool
node_has_way(const struct network *net, const struct load_balancer *lb, const struct eni *node)
{
    const struct lb_listener *listener = lb->listeners.n ? &lb->listeners.items[0] : NULL;
    const struct lb_action *action = listener && listener->actions.n ? &listener->actions.items[0] : NULL;
    const struct target_group *group =
        action && action->group_arn ? network_target_group(net, action->group_arn) : NULL;
    for (size_t i = 0; group && i < group->targets.n; i++) {
        const struct instance *instance = store_get(network_store(net), &instance_kind, group->targets.items[i].id);
        const struct eni *eni = instance ? instance_eni(net, instance, 0) : NULL;
        struct flow_spec flow = { .from = { .kind = FLOW_END_ENI },
                                  .to = { .kind = FLOW_END_ENI },
                                  .protocol = PROTOCOL_UDP,
                                  .src_port = -1,
                                  .dst_port = GENEVE_PORT,
                                  .icmp_type = -1,
                                  .icmp_code = -1 };
        struct reach_result said = { 0 };
        struct err err = { 0 };
        if (!eni) {
            return true; /* an address, or somebody of another lab: not known */
        }
        snprintf(flow.from.id, sizeof flow.from.id, "%s", node->obj.id);
        snprintf(flow.to.id, sizeof flow.to.id, "%s", eni->obj.id);
        bool passes = reach(net, &flow, false, &said, &err) && said.reachable && said.reply != REPLY_BLOCKED;
        reach_result_done(&said);
        if (passes) {
            return true;
        }
    }
    return !group;
}

static const char *
zone_of(const struct network *net, const struct eni *eni)
{
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, eni->subnet_id);
    return subnet && subnet->zone ? subnet->zone : "";
}

/* AWS's analyzer does not look behind the endpoint.  What is lost there because nothing comes to the appliances it can
 * tell. */
static bool
has_way_behind(const struct network *net, const char *endpoint_id)
{
    const struct store *store = network_store(net);
    const struct endpoint *endpoint = store_get(store, &endpoint_kind, endpoint_id);
    const struct private_service *service = endpoint ? network_private_service(net, endpoint->service_name) : NULL;
    const struct eni *inside =
        endpoint && endpoint->eni_ids.n ? store_get(store, &eni_kind, endpoint->eni_ids.items[0]) : NULL;
    bool known = false;
    for (size_t i = 0; service && inside && i < service->gwlb_arns.n; i++) {
        const struct load_balancer *lb = network_load_balancer(net, service->gwlb_arns.items[i]);
        struct eni *const *nodes;
        for (size_t n = lb ? load_balancer_enis(net, lb, &nodes) : 0; n-- > 0;) {
            if (strcmp(zone_of(net, nodes[n]), zone_of(net, inside)) == 0) {
                known = true;
                if (node_has_way(net, lb, nodes[n])) {
                    return true;
                }
            }
        }
    }
    return !known;
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
            gap->lost_behind = !has_way_behind(walk->net, hop->id);
            if (!gap->lost_behind) {
                set_gap(gap, "not returned", "by the appliances behind", hop->id);
                gap->kept = true;
            }
        } else if (hop->id && leaves_by(walk, i) && bgp_decides(walk->net, hop->id, &hop->packet.dst)) {
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

typedef bool ways_fn(const struct network *net, const struct flow_spec *flow, struct open_ways *ways, struct err *err);

/* Behind a balancer the way that is shown need not be that of the target which the kernel chose: was it kept on that of
 * another? */
static void
find_kept_elsewhere(const struct plan *plan, const struct flow_spec *flow, const struct walk *shown, ways_fn *find_ways,
                    const char *kept_at, struct verify_gap *gap)
{
    for (size_t i = 0; i < shown->receivers.n && !gap->lacks && !gap->lost_behind; i++) {
        struct flow_spec other = *flow;
        struct open_ways ways = { 0 };
        struct verify_gap met = { 0 };
        struct err err = { 0 };
        other.receiver = shown->receivers.items[i];
        if (find_ways(shown->net, &other, &ways, &err)) {
            find_on_walk(plan, &ways.forward, kept_at, &met);
            find_on_walk(plan, &ways.back, kept_at, &met);
            *gap = met.kept || met.lost_behind ? met : *gap;
            open_ways_done(&ways);
        }
    }
}

/* Past every filter, where verdicts have no say; and as it is, since the first ends at an endpoint of a service of the
 * lab: behind that there are gaps too. */
/* Is the address in the blocks of the network outside AWS that the end names?  From there it is not sent to AWS. */
static bool
site_has(const struct network *net, const struct flow_end *end, const struct ip *ip)
{
    onprem_site_vec sites = { 0 };
    const struct vpn_connection *vpn =
        end->kind == FLOW_END_GATEWAY ? store_get(network_store(net), &vpn_connection_kind, end->id) : NULL;
    const char *of_vpn = vpn ? onprem_site_of_vpn(net, vpn) : NULL;
    bool has = false;
    onprem_sites(net, &sites);
    for (size_t i = 0; end->kind == FLOW_END_GATEWAY && i < sites.n && !has; i++) {
        const struct onprem_site *site = &sites.items[i];
        const char *named = onprem_site_end(net, site->id);
        bool meant = of_vpn ? strcmp(site->id, of_vpn) == 0 : named && strcmp(named, end->id) == 0;
        for (size_t k = 0; meant && k < site->n_prefixes; k++) {
            has = has || cidr_contains_ip(&site->prefixes[k], ip);
        }
    }
    VEC_DONE(&sites);
    return has;
}

bool
verify_find_gap(const struct network *net, const struct plan *plan, const struct flow_spec *flow, const char *kept_at,
                struct verify_gap *gap, struct err *err)
{
    static ways_fn *const kinds[] = { reach_open_ways, reach_ways };
    *gap = (struct verify_gap){ 0 };
    for (size_t i = 0; i < ARRAY_SIZE(kinds) && !gap->lacks && !gap->lost_behind; i++) {
        struct open_ways ways = { 0 };
        if (!kinds[i](net, flow, &ways, err)) {
            return false;
        }
        find_on_walk(plan, &ways.forward, kept_at, gap);
        find_at_end(&ways.forward, gap);
        find_on_walk(plan, &ways.back, kept_at, gap);
        if (*kept_at && !flow->receiver && !gap->lacks && !gap->lost_behind) {
            find_kept_elsewhere(plan, flow, &ways.forward, kinds[i], kept_at, gap);
        }
        open_ways_done(&ways);
    }
    bool outside = flow->from.kind == FLOW_END_GATEWAY && flow->to.kind == FLOW_END_GATEWAY;
    if (outside && !gap->lacks &&
        (site_has(net, &flow->from, &flow->dst_ip) || site_has(net, &flow->to, &flow->src_ip))) {
        set_gap(gap, "not built live", "way out of a network outside AWS to addresses of its own", flow->from.id);
    }
    return true;
}

void
verify_gap_settle(struct verify_gap *gap, const struct reach_result *said, const struct live_probe *seen)
{
    if (gap->kept && !said->reachable && !seen->arrived) {
        gap->lacks = NULL;
    }
}

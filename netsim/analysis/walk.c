#include "netsim/analysis/mended.h"
#include "netsim/analysis/walk_places.h"

#include <string.h>

#include "netsim/model/failure.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"

/* More components than any chain of AWS routers can put in a packet's way; a loop is reported, not followed. */
#define MAX_HOPS 128

/* Which place a route leads to.  What is not modelled says what it is, so that the answer is honest. */
static const struct target_row {
    enum place next;
    const char *unmodelled;
} route_targets[] = {
    [ROUTE_NONE] = { AT_UNMODELLED, "route without a target" },
    [ROUTE_LOCAL] = { AT_LOCAL, NULL },
    [ROUTE_IGW] = { AT_IGW_OUT, NULL },
    [ROUTE_NAT_GATEWAY] = { AT_NAT, NULL },
    [ROUTE_ENI] = { AT_APPLIANCE, NULL },
    [ROUTE_INSTANCE] = { AT_APPLIANCE, NULL },
    [ROUTE_PEERING] = { AT_PEERING, NULL },
    [ROUTE_TRANSIT_GATEWAY] = { AT_TGW, NULL },
    [ROUTE_VPN_GATEWAY] = { AT_VGW_OUT, NULL },
    [ROUTE_EGRESS_ONLY_IGW] = { AT_EIGW_OUT, NULL },
    [ROUTE_ENDPOINT] = { AT_VPCE, NULL },
    [ROUTE_LOCAL_GATEWAY] = { AT_UNMODELLED, "local gateway" },
    [ROUTE_CARRIER_GATEWAY] = { AT_UNMODELLED, "carrier gateway" },
    [ROUTE_CORE_NETWORK] = { AT_UNMODELLED, "core network" },
};

void
session_done(struct session *session)
{
    VEC_DONE(&session->passed);
    VEC_DONE(&session->translations);
    VEC_DONE(&session->inspected);
}

void
walk_done(struct walk *walk)
{
    if (!walk) {
        return;
    }
    VEC_DONE(&walk->receivers);
    VEC_DONE(&walk->hops);
}

/* ---- What the places use -------------------------------------------------------------------------------------------
 */

struct hop *
walk_cross(struct walk *w, enum hop_kind kind, const struct object *component)
{
    struct hop *hop = VEC_ADD(&w->hops);
    hop->kind = kind;
    hop->component = component;
    hop->id = component ? component->id : NULL;
    hop->eni = w->eni;
    hop->subnet = w->subnet;
    hop->vpc_id = w->vpc_id;
    hop->packet = w->packet;
    hop->origin = w->origin;
    return hop;
}

void
walk_stop(struct walk *w, enum stop stop)
{
    w->stop = stop;
    w->at = AT_END;
    if (w->hops.n > 0) {
        w->hops.items[w->hops.n - 1].stopped = true;
    }
}

void
walk_arrive(struct walk *w)
{
    w->arrived = true;
    w->ended_at = w->at;
    w->at = AT_END;
}

void *
walk_get(const struct walk *w, const struct kind *kind, const char *id)
{
    return id && *id ? store_get(network_store(w->net), kind, id) : NULL;
}

const struct instance *
eni_instance(const struct network *net, const struct eni *eni)
{
    return *eni->attachment.instance_id ? store_get(network_store(net), &instance_kind, eni->attachment.instance_id)
                                        : NULL;
}

const struct nat_gateway *
eni_nat_gateway(const struct network *net, const struct eni *eni)
{
    if (eni->groups.n > 0 || *eni->attachment.instance_id) {
        return NULL; /* a NAT gateway's interface has no groups and no instance: most need not be searched for */
    }
    const struct store *store = network_store(net);
    for (const struct nat_gateway *nat = store_first(store, &nat_gateway_kind); nat; nat = store_next(store, nat)) {
        for (size_t i = 0; i < nat->addresses.n; i++) {
            if (strcmp(nat->addresses.items[i].eni_id, eni->obj.id) == 0) {
                return nat;
            }
        }
    }
    return NULL;
}

static void
cross_instance_and_eni(struct walk *w, bool leaving)
{
    const struct instance *instance = eni_instance(w->net, w->eni);
    if (leaving && instance) {
        walk_cross(w, HOP_INSTANCE, &instance->obj);
    }
    walk_cross(w, HOP_ENI, &w->eni->obj);
    if (!leaving && instance) {
        walk_cross(w, HOP_INSTANCE, &instance->obj);
    }
}

/* Groups are stateful: who let the first packet through lets the answer through, whatever its rules say. */
static bool
connection_known(const struct walk *w)
{
    if (w->is_reply) {
        for (size_t i = 0; i < w->session->passed.n; i++) {
            if (w->session->passed.items[i] == w->eni) {
                return true;
            }
        }
    }
    return false;
}

bool
walk_pass_groups(struct walk *w, bool egress)
{
    if (w->eni->groups.n == 0) {
        return true; /* the interfaces of gateways have none and filter nothing */
    }
    if (connection_known(w)) {
        const struct object *group = walk_get(w, &security_group_kind, w->eni->groups.items[0].id);
        struct hop *hop = walk_cross(w, HOP_GROUPS, group);
        hop->id = w->eni->groups.items[0].id;
        hop->egress = egress;
        hop->established = true;
        return true;
    }
    const struct security_group *group = NULL;
    const struct sg_rule *rule =
        w->filters_open ? NULL : groups_permit(w->net, w->eni, egress, &w->packet, &w->origin, &group);
    struct hop *hop =
        walk_cross(w, HOP_GROUPS, group ? &group->obj : walk_get(w, &security_group_kind, w->eni->groups.items[0].id));
    hop->id = group ? group->obj.id : w->eni->groups.items[0].id;
    hop->egress = egress;
    hop->sg_rule = rule;
    if (!rule && !w->filters_open && walk_stops(w, egress ? STOP_SG_EGRESS : STOP_SG_INGRESS)) {
        return false;
    }
    if (!w->is_reply) {
        *VEC_ADD(&w->session->passed) = w->eni;
    }
    return true;
}

/* Across the edge of w->subnet.  Stateless: an answer is judged like any other packet. */
bool
walk_pass_acl(struct walk *w, bool egress)
{
    walk_cross(w, HOP_SUBNET, &w->subnet->obj);
    const struct network_acl *acl = network_subnet_acl(w->net, w->subnet);
    if (!acl) {
        return true; /* an import without ACLs: unfiltered */
    }
    struct hop *hop = walk_cross(w, HOP_ACL, &acl->obj);
    hop->egress = egress;
    if (w->filters_open) {
        return true;
    }
    hop->nacl_entry = acl_decide(acl, egress, &w->packet);
    bool denied = !hop->nacl_entry || hop->nacl_entry->action == NACL_DENY;
    return !denied || !walk_stops(w, egress ? STOP_NACL_EGRESS : STOP_NACL_INGRESS);
}

/* An instance that does not run neither sends nor answers. */
static bool
powered(const struct walk *w)
{
    const struct instance *instance = eni_instance(w->net, w->eni);
    if (w->eni == w->alone[0] || w->eni == w->alone[1]) {
        return true;
    }
    return !instance || instance_is_running(instance);
}

/* ---- The places ----------------------------------------------------------------------------------------------------
 */

static void
at_sender(struct walk *w)
{
    cross_instance_and_eni(w, true);
    if (eni_failure(w->net, w->eni) && walk_stops(w, STOP_FAILED)) {
        return;
    }
    if (!powered(w) && walk_stops(w, STOP_INSTANCE_STATE)) {
        return;
    }
    if (w->eni->source_dest_check && !eni_has_ip(w->eni, &w->packet.src) && walk_stops(w, STOP_SPOOFED)) {
        return;
    }
    if (!w->subnet) {
        walk_stop(w, STOP_NO_SUBNET); /* an import that lacks it */
    } else if (endpoint_sends(w) && balancer_sends(w) && walk_pass_groups(w, true)) {
        w->at = AT_EDGE_OUT;
    }
}

static void
at_edge_out(struct walk *w)
{
    if (w->is_reply && balancer_takes_answer(w)) {
        return;
    }
    if (!subnet_contains_ip(w->subnet, &w->packet.dst)) {
        w->at = walk_pass_acl(w, true) ? AT_ROUTER : AT_END;
        return;
    }
    /* Inside one subnet there is no router: neither route table nor network ACL is asked. */
    w->eni = network_eni_by_address(w->net, w->vpc_id, &w->packet.dst);
    if (!w->eni) {
        walk_cross(w, HOP_SUBNET, &w->subnet->obj);
        walk_stop(w, STOP_NO_SUCH_ADDRESS);
        return;
    }
    w->at = AT_RECEIVER;
}

static void
at_router(struct walk *w)
{
    const struct route_table *table = network_subnet_route_table(w->net, w->subnet);
    struct hop *hop = walk_cross(w, HOP_ROUTE_TABLE, table ? &table->obj : NULL);
    hop->route = w->route = table ? route_lookup(w->net, table, &w->packet.dst, NULL) : NULL;
    enum stop stop = !w->route ? STOP_NO_ROUTE : route_is_blackhole(w->route) ? STOP_BLACKHOLE : STOP_NONE;
    if (stop && (walk_stops(w, stop) || !walk_detour(w))) {
        w->at = AT_END;
        return;
    }
    const char *id;
    w->at = route_targets[route_target(w->route, &id)].next;
}

static const struct subnet *
subnet_of_address(const struct walk *w, const struct ip *ip)
{
    const struct store *store = network_store(w->net);
    for (const struct subnet *subnet = store_first(store, &subnet_kind); subnet; subnet = store_next(store, subnet)) {
        if (strcmp(subnet->vpc_id, w->vpc_id) == 0 && subnet_contains_ip(subnet, ip)) {
            return subnet;
        }
    }
    return NULL;
}

static void
at_local(struct walk *w)
{
    const struct vpc *vpc = walk_get(w, &vpc_kind, w->vpc_id);
    walk_cross(w, HOP_VPC, vpc ? &vpc->obj : NULL)->id = w->vpc_id;
    if (vpc && !vpc_contains_ip(vpc, &w->packet.dst)) {
        walk_stop(w, STOP_LOCAL_ROUTE);
        return;
    }
    const struct eni *eni = network_eni_by_address(w->net, w->vpc_id, &w->packet.dst);
    if (!eni) {
        const struct subnet *subnet = subnet_of_address(w, &w->packet.dst);
        if (subnet) {
            walk_cross(w, HOP_SUBNET, &subnet->obj)->subnet = subnet;
        }
        walk_stop(w, STOP_NO_SUCH_ADDRESS);
        return;
    }
    w->eni = eni;
    w->at = AT_EDGE_IN;
}

static void
at_edge_in(struct walk *w)
{
    w->subnet = walk_get(w, &subnet_kind, w->eni->subnet_id);
    w->at = !w->subnet || walk_pass_acl(w, false) ? AT_RECEIVER : AT_END;
}

/* Does it end here?  With a target interface only there; with a target address at whoever holds it. */
static void
delivered(struct walk *w)
{
    bool mine = w->target.kind == TARGET_ENI ? w->target.eni == w->eni : w->target.kind == TARGET_ADDRESS;
    if (mine) {
        walk_arrive(w);
    } else {
        walk_stop(w, w->target.kind == TARGET_ENI ? STOP_OTHER_DESTINATION : STOP_NO_INTERNET_ROUTE);
    }
}

/* Interfaces behind which something stands that is not modelled. */
static const struct {
    const char *type, *what;
} unmodelled_interfaces[] = {
    { "network_load_balancer", "load balancer" }, { "load_balancer", "load balancer" },
    { "gateway_load_balancer", "load balancer" }, { "gateway_load_balancer_endpoint", "load balancer endpoint" },
    { "transit_gateway", "transit gateway" },
};

static const char *
unmodelled_interface(const struct eni *eni)
{
    for (size_t i = 0; eni->type && i < ARRAY_SIZE(unmodelled_interfaces); i++) {
        if (strcmp(eni->type, unmodelled_interfaces[i].type) == 0) {
            return unmodelled_interfaces[i].what;
        }
    }
    return NULL;
}

/* Another interface of the instance, which has the address that the packet is for; NULL: none. */
static const struct eni *
own_interface(const struct walk *w)
{
    const struct instance *instance = eni_instance(w->net, w->eni);
    struct eni *const *enis;
    size_t n = instance ? instance_enis(w->net, instance, &enis) : 0;
    for (size_t i = 0; i < n; i++) {
        if (eni_has_ip(enis[i], &w->packet.dst)) {
            return enis[i];
        }
    }
    return NULL;
}

static void
at_receiver(struct walk *w)
{
    const struct nat_gateway *nat = eni_nat_gateway(w->net, w->eni);
    if (eni_failure(w->net, w->eni)) { /* in the lab: its zone, its instance, its NAT gateway */
        walk_cross(w, HOP_ENI, &w->eni->obj);
        if (walk_stops(w, STOP_FAILED)) {
            return;
        }
    }
    if (nat) {
        nat_receives(w, nat);
        return;
    }
    const struct load_balancer *lb = network_load_balancer_of_eni(w->net, w->eni);
    if (lb && !w->filters_open) {
        balancer_receives(w, lb);
        return;
    }
    const struct classic_balancer *classic =
        lb || w->filters_open ? NULL : network_classic_balancer_of_eni(w->net, w->eni);
    if (classic) {
        classic_receives(w, classic);
        return;
    }
    /* With the filters open the ports are not those that listeners ask for: conn_probes.c asks for each of those. */
    w->stop_what = lb ? NULL : unmodelled_interface(w->eni);
    if (w->stop_what) {
        walk_cross(w, HOP_ENI, &w->eni->obj);
        walk_stop(w, STOP_UNMODELLED);
        return;
    }
    if (!walk_pass_groups(w, false)) {
        return;
    }
    cross_instance_and_eni(w, false);
    if (!powered(w) && walk_stops(w, STOP_INSTANCE_STATE)) {
        return;
    }
    if (!endpoint_receives(w)) {
        return;
    } else if (appliance_turns_back(w)) {
        appliance_sends_on(w, true);
    } else if (eni_has_ip(w->eni, &w->packet.dst)) {
        delivered(w);
    } else if (w->eni->source_dest_check) {
        walk_stop(w, STOP_SOURCE_DEST_CHECK);
    } else if (!w->is_reply && w->target.kind == TARGET_ENI && w->target.eni == w->eni) {
        walk_arrive(w); /* it was asked about with a foreign address; an answer is for the one who asked */
    } else if (own_interface(w)) {
        w->eni = own_interface(w); /* the machine takes it, whichever of its interfaces has the address */
        walk_cross(w, HOP_ENI, &w->eni->obj);
        delivered(w);
    } else {
        appliance_sends_on(w, false);
    }
}

static void
at_unmodelled(struct walk *w)
{
    const char *id;
    enum route_target target = route_target(w->route, &id);
    walk_cross(w, HOP_UNMODELLED, NULL)->id = id;
    w->stop_what = route_targets[target].unmodelled;
    walk_stop(w, STOP_UNMODELLED);
}

/* ---- The walk ------------------------------------------------------------------------------------------------------
 */

static void (*const places[N_PLACES])(struct walk *) = {
    [AT_SENDER] = at_sender,          [AT_EDGE_OUT] = at_edge_out,
    [AT_ROUTER] = at_router,          [AT_LOCAL] = at_local,
    [AT_EDGE_IN] = at_edge_in,        [AT_RECEIVER] = at_receiver,
    [AT_IGW_OUT] = place_igw_out,     [AT_INTERNET] = place_internet,
    [AT_IGW_IN] = place_igw_in,       [AT_NAT] = place_nat,
    [AT_APPLIANCE] = place_appliance, [AT_UNMODELLED] = at_unmodelled,
    [AT_PEERING] = place_peering,     [AT_TGW] = place_tgw,
    [AT_TGW_TABLE] = place_tgw_table, [AT_VGW_OUT] = place_vgw_out,
    [AT_EIGW_OUT] = place_eigw_out,   [AT_VPCE] = place_vpce,
};

void
walk_go_on(struct walk *w)
{
    while (w->at != AT_END) {
        places[w->at](w);
        if (w->hops.n > MAX_HOPS) {
            walk_stop(w, STOP_TOO_LONG);
        }
    }
}

static void
go(struct walk *w, const struct packet *packet, enum place from)
{
    w->start = w->packet = *packet;
    w->at = (int)from;
    walk_go_on(w);
}

void
walk_from_eni(struct walk *walk, const struct eni *eni, const struct packet *packet)
{
    walk->eni = eni;
    walk->subnet = store_get(network_store(walk->net), &subnet_kind, eni->subnet_id);
    walk->vpc_id = eni->vpc_id;
    walk->origin.vpc_id = eni->vpc_id;
    go(walk, packet, AT_SENDER);
}

void
walk_from_internet(struct walk *walk, const struct packet *packet)
{
    go(walk, packet, AT_IGW_IN);
}

void
walk_answer(const struct walk *forward, struct walk *walk, const struct packet *packet)
{
    walk->start = walk->packet = *packet;
    walk->vpc_id = forward->vpc_id;
    if (!walk_dx_returns(walk, forward->dx)) {
        return;
    }
    switch (forward->ended_at) {
    case AT_RECEIVER:
        walk_from_eni(walk, forward->eni, packet);
        return;
    case AT_TGW:
    case AT_TGW_TABLE:
        walk_enter_tgw(walk, forward->tgw_id, forward->attachment);
        break;
    case AT_PEERING:
    case AT_VGW_OUT:
    case AT_EIGW_OUT:
        walk_enter_vpc(walk, forward->gateway_id);
        break;
    case AT_VPCE:
        endpoint_answers(walk, forward->gateway_id);
        break;
    default:
        walk->at = AT_IGW_IN;
    }
    walk_go_on(walk);
}

#include "netsim/analysis/walk_places.h"

#include <string.h>

#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"

/* More components than any chain of AWS routers can put in a packet's way; a loop is reported, not followed. */
#define MAX_HOPS 128

const struct stop_row stop_rows[N_STOPS] = {
    [STOP_NONE] = { NULL, { NULL } },
    [STOP_SG_EGRESS] = { "sg-egress", { "ENI_SG_RULES_MISMATCH" } },
    [STOP_SG_INGRESS] = { "sg-ingress", { "ENI_SG_RULES_MISMATCH" } },
    [STOP_NACL_EGRESS] = { "nacl-egress", { "SUBNET_ACL_RESTRICTION" } },
    [STOP_NACL_INGRESS] = { "nacl-ingress", { "SUBNET_ACL_RESTRICTION" } },
    [STOP_NO_SUBNET] = { "unknown-subnet", { "UNKNOWN_RESOURCE" } },
    [STOP_NO_ROUTE] = { "no-route", { "NO_ROUTE_TO_DESTINATION" } },
    [STOP_BLACKHOLE] = { "blackhole-route", { "BAD_STATE_ROUTE" } },
    [STOP_NO_SUCH_ADDRESS] = { "no-such-address", { "NO_POSSIBLE_DESTINATION", "NO_ROUTE_TO_DESTINATION" } },
    [STOP_LOCAL_ROUTE] = { "no-such-address", { "VPC_LOCAL_ROUTE_CIDR_RESTRICTION", "NO_POSSIBLE_DESTINATION" } },
    [STOP_OTHER_DESTINATION] = { "other-destination", { "NO_POSSIBLE_DESTINATION", "ENI_ADDRESS_RESTRICTION" } },
    [STOP_NO_INTERNET_ROUTE] = { "no-internet-route", { "NO_ROUTE_TO_DESTINATION" } },
    [STOP_INSTANCE_STATE] = { "instance-state", { "BAD_STATE" } },
    [STOP_SPOOFED] = { "source-dest-check",
                       { "ENI_SOURCE_DEST_CHECK_RESTRICTION", "GATEWAY_REJECTS_SPOOFED_TRAFFIC" } },
    [STOP_SOURCE_DEST_CHECK] = { "source-dest-check", { "ENI_SOURCE_DEST_CHECK_RESTRICTION" } },
    [STOP_APPLIANCE] = { "unsupported-appliance", { "UNSUPPORTED_COMPONENT" } },
    [STOP_NO_IGW] = { "no-igw", { "BAD_STATE_ATTACHMENT" } },
    [STOP_IGW_NO_PUBLIC_IP] = { "igw-no-public-ip", { "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS" } },
    [STOP_IGW_PRIVATE_DESTINATION] = { "igw-private-destination", { "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS" } },
    [STOP_IGW_SHARED_DESTINATION] = { "igw-private-destination", { "IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS" } },
    [STOP_IGW_PRIVATE_SOURCE] = { "igw-private-source", { "IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS" } },
    [STOP_IGW_SHARED_SOURCE] = { "igw-private-source", { "IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS" } },
    [STOP_IGW_NO_SUCH_PUBLIC_IP] = { "igw-no-such-public-ip", { "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS" } },
    [STOP_NO_PUBLIC_IP] = { "no-public-ip", { "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS" } },
    [STOP_GATEWAY_ROUTE_TABLE] = { "unsupported-gateway-route-table", { "UNSUPPORTED_COMPONENT" } },
    [STOP_NAT_STATE] = { "nat-state", { "BAD_STATE" } },
    [STOP_NAT_PROTOCOL] = { "nat-protocol", { "PROTOCOL_RESTRICTION" } },
    [STOP_NAT_SOURCE] = { "nat-source", { "NGW_REQUIRES_SOURCE_IN_VPC" } },
    [STOP_NAT_UNSOLICITED] = { "nat-unsolicited", { "NGW_DEST_ADDRESS_PRESERVATION", "NO_POSSIBLE_DESTINATION" } },
    [STOP_NAT_LOOP] = { "nat-in-private-subnet", { "NO_ROUTE_TO_DESTINATION" } },
    [STOP_NAT_REPLY] = { "asymmetric-return", { "NGW_SOURCE_ADDRESS_REASSIGN", "NO_ROUTE_TO_DESTINATION" } },
    [STOP_UNKNOWN_RESOURCE] = { "unknown-resource", { "UNKNOWN_RESOURCE" } },
    [STOP_GATEWAY_STATE] = { "gateway-state", { "BAD_STATE" } },
    [STOP_GATEWAY_ATTACHMENT] = { "gateway-attachment", { "BAD_STATE_ATTACHMENT" } },
    [STOP_PCX_INACTIVE] = { "pcx-inactive", { "BAD_STATE" } },
    [STOP_PCX_ADDRESS] = { "pcx-address", { "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR" } },
    [STOP_TGW_ZONE] = { "tgw-az", { "TGW_ROUTE_AZ_RESTRICTION" } },
    [STOP_TGW_NO_ASSOCIATION] = { "tgw-no-association", { "TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION" } },
    [STOP_TGW_UNKNOWN_ROUTES] = { "tgw-unknown-routes", { "TGW_RTB_ROUTES_ARE_UNKNOWN" } },
    [STOP_TGW_NO_ROUTE] = { "tgw-no-route", { "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT", "TGW_RTB_CANNOT_ROUTE" } },
    [STOP_TGW_BLACKHOLE] = { "tgw-blackhole", { "TGW_RTB_BAD_STATE_ROUTE" } },
    [STOP_TGW_VPN] = { "vpn-state", { "TGW_BAD_STATE_VPN" } },
    [STOP_VPN] = { "vpn-state", { "BAD_STATE_VPN" } },
    [STOP_VPN_NO_ROUTE] = { "vpn-no-route", { "CANNOT_ROUTE", "NO_ROUTE_TO_DESTINATION" } },
    [STOP_VGW_SOURCE] = { "vgw-source", { "VGW_PRIVATE_IP_ASSOCIATION_FOR_EGRESS" } },
    [STOP_VGW_NO_ROUTE] = { "vgw-no-route", { "VGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS" } },
    [STOP_VPCE_PROTOCOL] = { "vpce-protocol", { "VPCE_GATEWAY_PROTOCOL_RESTRICTION", "PROTOCOL_RESTRICTION" } },
    [STOP_VPCE_SOURCE] = { "vpce-source", { "VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION" } },
    [STOP_VPCE_INTRA_VPC] = { "vpce-unsolicited", { "VPCE_INTRA_VPC_TRAFFIC", "NO_PATH" } },
    [STOP_EIGW_PROTOCOL] = { "eigw-protocol", { "PROTOCOL_RESTRICTION" } },
    [STOP_EIGW_UNSOLICITED] = { "eigw-unsolicited", { "NO_PATH" } },
    [STOP_LB_STATE] = { "lb-state", { "BAD_STATE" } },
    [STOP_LB_NO_LISTENER] = { "lb-no-listener", { "ELBV2_LISTENERS_MISMATCH", "ELBV2_LISTENER_PORT_RESTRICTION" } },
    [STOP_LB_NO_GROUP] = { "lb-no-target", { "ELBV2_LISTENER_HAS_NO_TG", "ELBV2_LISTENER_REQUIRES_TG_ACCEPT" } },
    [STOP_LB_NO_TARGET] = { "lb-no-target", { "ELBV2_LISTENER_REQUIRES_TG_ACCEPT", "TARGET_ADDRESS_RESTRICTION" } },
    [STOP_LB_NO_TARGET_IN_ZONE] = { "lb-no-target", { "ELBV2_NO_TARGETS_IN_AZ", "ELBV2_LISTENER_REQUIRES_TG_ACCEPT" } },
    [STOP_UNMODELLED] = { "unsupported", { "UNSUPPORTED_COMPONENT" } },
    [STOP_ASYMMETRIC] = { "asymmetric-return", { "NO_ROUTE_TO_DESTINATION" } },
    [STOP_TOO_LONG] = { "routing-loop", { "NO_PATH" } },
};

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
    if (!rule && !w->filters_open) {
        walk_stop(w, egress ? STOP_SG_EGRESS : STOP_SG_INGRESS);
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
    if (!hop->nacl_entry || hop->nacl_entry->action == NACL_DENY) {
        walk_stop(w, egress ? STOP_NACL_EGRESS : STOP_NACL_INGRESS);
        return false;
    }
    return true;
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
    if (!powered(w)) {
        walk_stop(w, STOP_INSTANCE_STATE);
    } else if (w->eni->source_dest_check && !eni_has_ip(w->eni, &w->packet.src)) {
        walk_stop(w, STOP_SPOOFED);
    } else if (!w->subnet) {
        walk_stop(w, STOP_NO_SUBNET); /* an import that lacks it */
    } else if (walk_pass_groups(w, true)) {
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
    if (!w->route) {
        walk_stop(w, STOP_NO_ROUTE);
    } else if (route_is_blackhole(w->route)) {
        walk_stop(w, STOP_BLACKHOLE);
    } else {
        const char *id;
        w->at = route_targets[route_target(w->route, &id)].next;
    }
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

static bool
same_address(const struct packet *a, const struct packet *b)
{
    return ip_equal(&a->src, &b->src) && ip_equal(&a->dst, &b->dst) && a->src_port == b->src_port &&
           a->dst_port == b->dst_port;
}

/* What the NAT gateway remembers: the reply of a packet it sent out gets its first sender's address back. */
static bool
nat_turn_back(struct walk *w, const struct nat_gateway *nat)
{
    for (size_t i = 0; w->is_reply && i < w->session->translations.n; i++) {
        const struct translation *t = &w->session->translations.items[i];
        const struct packet *after = &t->after;
        const struct packet answer = {
            after->dst, after->src, after->protocol, after->dst_port, after->src_port, 0, 0
        };
        if (t->nat == nat && same_address(&answer, &w->packet)) {
            w->packet.dst = t->before.src;
            w->packet.dst_port = t->before.src_port;
            return true;
        }
    }
    return false;
}

static void
nat_receives(struct walk *w, const struct nat_gateway *nat)
{
    struct hop *hop = walk_cross(w, HOP_NAT, &nat->obj);
    if (!nat_turn_back(w, nat)) {
        walk_stop(w, STOP_NAT_UNSOLICITED);
        return;
    }
    hop->packet = w->packet;
    w->at = AT_EDGE_OUT; /* its interface has no groups */
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

static void
at_receiver(struct walk *w)
{
    const struct nat_gateway *nat = eni_nat_gateway(w->net, w->eni);
    if (nat) {
        nat_receives(w, nat);
        return;
    }
    /* With the filters open the ports are not those that listeners ask for: connectivity leaves balancers out. */
    const struct load_balancer *lb = w->filters_open ? NULL : network_load_balancer_of_eni(w->net, w->eni);
    if (lb) {
        balancer_receives(w, lb);
        return;
    }
    w->stop_what = unmodelled_interface(w->eni);
    if (w->stop_what) {
        walk_cross(w, HOP_ENI, &w->eni->obj);
        walk_stop(w, STOP_UNMODELLED);
        return;
    }
    if (!walk_pass_groups(w, false)) {
        return;
    }
    cross_instance_and_eni(w, false);
    if (!powered(w)) {
        walk_stop(w, STOP_INSTANCE_STATE);
    } else if (eni_has_ip(w->eni, &w->packet.dst)) {
        delivered(w);
    } else if (w->eni->source_dest_check) {
        walk_stop(w, STOP_SOURCE_DEST_CHECK);
    } else if (w->target.kind == TARGET_ENI && w->target.eni == w->eni) {
        walk_arrive(w);
    } else {
        walk_stop(w, STOP_APPLIANCE); /* what its software does with the packet is not in the model */
    }
}

bool
igw_attached_to(const struct internet_gateway *igw, const char *vpc_id)
{
    for (size_t i = 0; i < igw->attachments.n; i++) {
        const struct igw_attachment *attachment = &igw->attachments.items[i];
        if (strcmp(attachment->vpc_id, vpc_id) == 0) {
            return !attachment->state || strcmp(attachment->state, "available") == 0 ||
                   strcmp(attachment->state, "attached") == 0;
        }
    }
    return false;
}

/* IPv4 leaves under the public address mapped to the private one; IPv6 as it is.  The gateway does not carry private
 * addresses. */
static enum stop
igw_translate_out(struct walk *w)
{
    const struct eni *sender = network_eni_by_address(w->net, w->vpc_id, &w->packet.src);
    if (w->packet.src.family == IP_V6) {
        if (!sender || ip_is_private(&w->packet.src)) {
            return STOP_IGW_NO_PUBLIC_IP; /* unique local addresses (fc00::/7) stay inside */
        }
        return ip_is_private(&w->packet.dst) ? STOP_IGW_PRIVATE_DESTINATION : STOP_NONE;
    }
    const struct ip *public_ip = sender ? eni_public_ip(sender, &w->packet.src) : NULL;
    if (!public_ip) {
        return STOP_IGW_NO_PUBLIC_IP;
    }
    if (ip_is_private(&w->packet.dst)) {
        return STOP_IGW_PRIVATE_DESTINATION;
    }
    if (ip_is_shared(&w->packet.dst)) {
        return STOP_IGW_SHARED_DESTINATION;
    }
    w->packet.src = *public_ip;
    return STOP_NONE;
}

static void
at_igw_out(struct walk *w)
{
    const struct internet_gateway *igw = walk_get(w, &internet_gateway_kind, w->route->gateway_id);
    struct hop *hop = walk_cross(w, HOP_IGW, igw ? &igw->obj : NULL);
    hop->id = w->route->gateway_id;
    if (!igw || !igw_attached_to(igw, w->vpc_id)) {
        walk_stop(w, STOP_NO_IGW);
        return;
    }
    enum stop stop = igw_translate_out(w);
    if (stop) {
        walk_stop(w, stop);
        return;
    }
    hop->packet = w->packet;
    if (walk_is_target(w, igw->obj.id)) {
        walk_arrive(w);
        return;
    }
    w->at = AT_INTERNET;
    w->origin = (struct origin){ 0 };
}

/* Outside.  A public address of the lab turns the packet round into its gateway: AWS's analyzer calls that
 * IGW_NAT_REFLECTION and asks for two questions; real packets pass, so they are followed. */
static void
at_internet(struct walk *w)
{
    struct ip private_ip;
    if (w->target.kind == TARGET_INTERNET) {
        walk_arrive(w);
    } else if (network_eni_by_public_ip(w->net, &w->packet.dst, &private_ip)) {
        w->at = AT_IGW_IN;
    } else if (w->target.kind == TARGET_ADDRESS) {
        walk_arrive(w);
    } else {
        walk_stop(w, w->target.kind == TARGET_GATEWAY ? STOP_NO_ROUTE : STOP_OTHER_DESTINATION);
    }
}

static enum stop
igw_refuses_source(const struct ip *src)
{
    return ip_is_private(src) ? STOP_IGW_PRIVATE_SOURCE : ip_is_shared(src) ? STOP_IGW_SHARED_SOURCE : STOP_NONE;
}

/* A table associated with the gateway itself (ingress routing) may lead a packet to an appliance first. */
static const struct route_table *
gateway_route_table(const struct walk *w, const char *gateway_id)
{
    const struct store *store = network_store(w->net);
    for (const struct route_table *table = store_first(store, &route_table_kind); table;
         table = store_next(store, table)) {
        for (size_t i = 0; i < table->associations.n; i++) {
            if (strcmp(table->associations.items[i].gateway_id, gateway_id) == 0) {
                return table;
            }
        }
    }
    return NULL;
}

bool
walk_ingress_routed(struct walk *w, const char *gateway_id)
{
    const struct route_table *table = gateway_route_table(w, gateway_id);
    if (!table) {
        return true;
    }
    struct hop *hop = walk_cross(w, HOP_ROUTE_TABLE, &table->obj);
    hop->route = route_lookup(w->net, table, &w->packet.dst, NULL);
    const char *id;
    if (!hop->route) {
        walk_stop(w, STOP_NO_ROUTE);
    } else if (route_is_blackhole(hop->route)) {
        walk_stop(w, STOP_BLACKHOLE);
    } else {
        enum route_target target = route_target(hop->route, &id);
        if (target == ROUTE_ENI || target == ROUTE_INSTANCE) {
            w->route = hop->route;
            w->subnet = NULL; /* it comes from no subnet, so it meets the ACL of the appliance's */
            w->at = AT_APPLIANCE;
            return false;
        }
        if (target == ROUTE_LOCAL) {
            return true;
        }
        walk_stop(w, STOP_GATEWAY_ROUTE_TABLE);
    }
    return false;
}

static void
at_igw_in(struct walk *w)
{
    struct ip private_ip = w->packet.dst;
    const struct eni *eni = network_eni_by_public_ip(w->net, &w->packet.dst, &private_ip);
    w->eni = eni;
    w->subnet = eni ? walk_get(w, &subnet_kind, eni->subnet_id) : NULL;
    w->vpc_id = eni ? eni->vpc_id : w->vpc_id;
    const struct internet_gateway *igw = w->vpc_id ? network_vpc_igw(w->net, w->vpc_id) : NULL;
    struct hop *hop = igw ? walk_cross(w, HOP_IGW, &igw->obj) : NULL;
    enum stop refused = igw_refuses_source(&w->packet.src);
    bool entered_elsewhere = igw && w->entry_id && strcmp(w->entry_id, igw->obj.id) != 0;
    if (!eni || entered_elsewhere) {
        walk_stop(w, STOP_IGW_NO_SUCH_PUBLIC_IP);
    } else if (!igw || !igw_attached_to(igw, w->vpc_id)) {
        walk_stop(w, STOP_NO_IGW);
    } else if (eni->status && strcmp(eni->status, "available") == 0) {
        walk_stop(w, STOP_NO_PUBLIC_IP); /* AWS: the address must be one of an interface in use */
    } else if (refused) {
        walk_stop(w, refused);
    } else {
        w->packet.dst = private_ip;
        hop->packet = w->packet;
        if (walk_ingress_routed(w, igw->obj.id)) {
            w->at = AT_EDGE_IN;
        }
    }
}

static bool
nat_carries(const struct packet *packet)
{
    return packet->src.family == IP_V4 &&
           (packet->protocol == PROTOCOL_TCP || packet->protocol == PROTOCOL_UDP || packet->protocol == PROTOCOL_ICMP);
}

/* Loops show as a NAT gateway crossed twice: its own subnet's route leads back to it. */
static bool
crossed(const struct walk *w, const struct object *component)
{
    for (size_t i = 0; i < w->hops.n; i++) {
        if (w->hops.items[i].component == component) {
            return true;
        }
    }
    return false;
}

static enum stop
nat_refuses(struct walk *w, const struct nat_gateway *nat)
{
    const struct vpc *vpc = walk_get(w, &vpc_kind, nat->vpc_id);
    if (nat->state && strcmp(nat->state, "available") != 0) {
        return STOP_NAT_STATE;
    }
    if (w->is_reply) {
        return STOP_NAT_REPLY; /* nothing in its memory: it would leave under another address */
    }
    if (!nat_carries(&w->packet)) {
        return STOP_NAT_PROTOCOL;
    }
    /* AWS serves other VPCs behind a transit gateway (central egress), not those behind a peering or a VPN. */
    return vpc && !vpc_contains_ip(vpc, &w->packet.src) && w->origin.by != ORIGIN_TGW ? STOP_NAT_SOURCE : STOP_NONE;
}

static void
nat_sends(struct walk *w, const struct nat_gateway *nat, const struct nat_address *address)
{
    struct translation *t = VEC_ADD(&w->session->translations);
    t->nat = nat;
    t->before = w->packet;
    w->packet.src = address->private_ip;
    if (protocol_has_ports(w->packet.protocol) && w->packet.src_port >= 0 && w->packet.src_port < 1024) {
        w->packet.src_port += 1024; /* source ports become 1024-65535; which one, AWS does not say */
    }
    t->after = w->packet;
    w->origin = (struct origin){ .vpc_id = nat->vpc_id, .translated = true };
}

static void
at_nat(struct walk *w)
{
    const struct nat_gateway *nat = walk_get(w, &nat_gateway_kind, w->route->nat_gateway_id);
    const struct subnet *subnet = nat ? walk_get(w, &subnet_kind, nat->subnet_id) : NULL;
    bool again = nat && crossed(w, &nat->obj);
    if (nat && strcmp(nat->vpc_id, w->vpc_id) != 0) {
        walk_stop(w, STOP_BLACKHOLE);
        return;
    }
    if (!nat || !subnet || nat->addresses.n == 0 || again) {
        walk_cross(w, HOP_NAT, nat ? &nat->obj : NULL)->id = w->route->nat_gateway_id;
        walk_stop(w, again ? STOP_NAT_LOOP : STOP_NAT_STATE);
        return;
    }
    const struct nat_address *address = &nat->addresses.items[0];
    bool enters = subnet != w->subnet; /* in one subnet the ACL is not met */
    w->subnet = subnet;
    w->vpc_id = nat->vpc_id;
    w->eni = walk_get(w, &eni_kind, address->eni_id);
    if (enters && !walk_pass_acl(w, false)) {
        return;
    }
    struct hop *hop = walk_cross(w, HOP_NAT, &nat->obj);
    enum stop refused = nat_refuses(w, nat);
    if (refused) {
        walk_stop(w, refused);
        return;
    }
    nat_sends(w, nat, address);
    hop->packet = w->packet;
    w->at = AT_EDGE_OUT;
}

static void
at_appliance(struct walk *w)
{
    const char *id;
    enum route_target target = route_target(w->route, &id);
    const struct instance *instance = target == ROUTE_INSTANCE ? walk_get(w, &instance_kind, id) : NULL;
    const struct eni *eni = instance ? instance_eni(w->net, instance, 0) : walk_get(w, &eni_kind, id);
    if (!eni || strcmp(eni->vpc_id, w->vpc_id) != 0) {
        walk_stop(w, STOP_BLACKHOLE); /* AWS refuses a target of another VPC; an import may hold one */
        return;
    }
    w->eni = eni;
    bool enters = !w->subnet || strcmp(w->subnet->obj.id, eni->subnet_id) != 0;
    w->at = enters ? AT_EDGE_IN : AT_RECEIVER;
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
    [AT_IGW_OUT] = at_igw_out,        [AT_INTERNET] = at_internet,
    [AT_IGW_IN] = at_igw_in,          [AT_NAT] = at_nat,
    [AT_APPLIANCE] = at_appliance,    [AT_UNMODELLED] = at_unmodelled,
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
    case AT_VPCE:
        walk_enter_vpc(walk, forward->gateway_id);
        break;
    default:
        walk->at = AT_IGW_IN;
    }
    walk_go_on(walk);
}

#include "netsim/analysis/obstacle.h"

#include <stdio.h>
#include <string.h>

#include "netsim/analysis/explanation.h"
#include "netsim/analysis/obstacle_mend.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/appliance.h"
#include "netsim/model/block_public_access.h"
#include "netsim/model/failure.h"
#include "netsim/model/network.h"

static struct obstacle
obstacle_of(const struct walk *walk)
{
    static const struct hop nothing;
    struct obstacle o = { .walk = walk, .net = walk->net, .hop = &nothing, .packet = &walk->packet, .eni = walk->eni };
    if (walk->hops.n > 0) {
        o.hop = &walk->hops.items[walk->hops.n - 1];
    }
    for (size_t i = 0; i < walk->hops.n; i++) {
        if (walk->hops.items[i].kind == HOP_ROUTE_TABLE) {
            o.table = (const struct route_table *)(const void *)walk->hops.items[i].component;
        }
    }
    return o;
}

static void *
get(const struct obstacle *o, const struct kind *kind, const char *id)
{
    return id && *id ? store_get(network_store(o->net), kind, id) : NULL;
}

static const char *
named(const struct object *object, const char *id)
{
    static _Thread_local char buffers[8][160];
    static _Thread_local unsigned turn;
    char *text = buffers[turn++ % 8];
    const char *name = component_name(object);
    snprintf(text, sizeof buffers[0], name ? "%s (%s)" : "%s", object ? object->id : id ? id : "?", name);
    return text;
}

static const char *
named_eni(const struct obstacle *o)
{
    if (!o->eni) {
        return "the interface";
    }
    const struct instance *instance = eni_instance(o->net, o->eni);
    return instance ? named(&instance->obj, NULL) : named(&o->eni->obj, NULL);
}

/* ---- What stopped it, as a sentence --------------------------------------------------------------------------------
 */

static void
say_groups(const struct obstacle *o, struct buf *out)
{
    bool egress = o->hop->egress;
    const struct ip *other = egress ? &o->packet->dst : &o->packet->src;
    buf_printf(out, "no %s rule of ", egress ? "outbound" : "inbound");
    for (size_t i = 0; o->eni && i < o->eni->groups.n; i++) {
        const char *id = o->eni->groups.items[i].id;
        buf_printf(out, i ? ", %s" : "%s", named(get(o, &security_group_kind, id), id));
    }
    buf_printf(out, " lets %s %s %s", flow_str(o->packet), egress ? "out to" : "in from", ip_str(other));
}

static void
say_acl(const struct obstacle *o, struct buf *out)
{
    const struct nacl_entry *entry = o->hop->nacl_entry;
    buf_printf(out, "network ACL %s of %s denies %s %s %s", named(o->hop->component, o->hop->id),
               o->hop->subnet ? named(&o->hop->subnet->obj, NULL) : "the subnet", flow_str(o->packet),
               o->hop->egress ? "out to" : "in from", ip_str(o->hop->egress ? &o->packet->dst : &o->packet->src));
    buf_str_add(out, ": ");
    if (entry && entry->number < 32767) {
        nacl_entry_words(entry, out);
    } else {
        buf_str_add(out, "no numbered rule matches");
    }
    if (o->walk->is_reply) {
        buf_str_add(out, "; ACLs are stateless, so an answer needs a rule of its own");
    }
}

static void
say_no_route(const struct obstacle *o, struct buf *out)
{
    if (o->hop->kind == HOP_ROUTE_TABLE && !o->hop->component) {
        buf_printf(out, "%s has no route table", o->hop->subnet ? o->hop->subnet->obj.id : "the subnet");
    } else {
        buf_printf(out, "route table %s has no route to %s", named(o->hop->component, o->hop->id),
                   ip_str(&o->packet->dst));
    }
}

static void
say_blackhole(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "the route ");
    if (o->walk->route) {
        route_words(o->walk->route, out);
    }
    const struct peering *pending = pending_peering(o);
    buf_printf(out, " of %s leads to %s", o->table ? named(&o->table->obj, NULL) : "the route table",
               pending ? "a peering connection that is pending-acceptance" : "something that is gone");
}

static void
say_no_such_address(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "no interface in %s has the address %s", o->walk->vpc_id ? o->walk->vpc_id : "the VPC",
               ip_str(&o->packet->dst));
}

static void
say_local_route(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "the local route covers %s, but no block of %s does", ip_str(&o->packet->dst), o->walk->vpc_id);
}

static void
say_other_destination(const struct obstacle *o, struct buf *out)
{
    const char *wanted = o->walk->target.kind == TARGET_ENI ? o->walk->target.eni->obj.id : "the destination";
    buf_printf(out, "a packet to %s does not end at %s", ip_str(&o->packet->dst), wanted);
}

static void
say_no_internet_route(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "%s ends inside the VPC, at %s, and not outside", ip_str(&o->packet->dst), named_eni(o));
}

static void
say_instance_state(const struct obstacle *o, struct buf *out)
{
    const struct instance *instance = o->eni ? eni_instance(o->net, o->eni) : NULL;
    buf_printf(out, "%s is %s", named_eni(o), instance && instance->state_name ? instance->state_name : "not running");
}

static void
say_failed(const struct obstacle *o, struct buf *out)
{
    const struct failure *f = obstacle_failure(o);
    const char *what = !f                            ? "what it needs"
                       : strcmp(f->type, "az") == 0  ? "zone"
                       : strcmp(f->type, "nat") == 0 ? "NAT gateway"
                                                     : f->type;
    buf_printf(out, "%s %s has failed in this lab", what, f ? f->target : "");
}

static void
say_spoofed(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "%s is no address of %s, whose source/destination check is on", ip_str(&o->packet->src),
               o->eni->obj.id);
}

static void
say_source_dest_check(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "%s is no address of %s, whose source/destination check is on", ip_str(&o->packet->dst),
               o->eni->obj.id);
}

static void
say_appliance(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "a route hands %s to %s, which is no instance's; what stands behind it is not modelled",
               ip_str(&o->packet->dst), named_eni(o));
}

static void
say_appliance_keeps(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "a route hands %s to %s, which sends on nothing (tag " APPLIANCE_TAG "=none)",
               ip_str(&o->packet->dst), named_eni(o));
}

static void
say_public_access(const struct obstacle *o, struct buf *out)
{
    const struct vpc *vpc = o->walk->vpc_id ? store_get(network_store(o->net), &vpc_kind, o->walk->vpc_id) : NULL;
    buf_printf(out, "VPC Block Public Access is in the mode %s, and neither %s nor its subnet %s is excluded for this",
               vpc ? public_access_mode(o->net, vpc) : "?", vpc ? vpc->obj.id : "the VPC",
               o->hop->subnet ? named(&o->hop->subnet->obj, NULL) : "");
}

static void
say_ingress_no_public_ip(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "the gateway's route table leads %s to %s, which has no public address", ip_str(&o->packet->dst),
               named_eni(o));
}

static void
say_no_subnet(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "the subnet of %s is not known", named_eni(o));
}

static void
say_no_igw(const struct obstacle *o, struct buf *out)
{
    const char *vpc = o->walk->vpc_id ? o->walk->vpc_id : "the VPC";
    if (o->hop->kind == HOP_IGW) {
        buf_printf(out, "internet gateway %s is not attached to %s", named(o->hop->component, o->hop->id), vpc);
    } else {
        buf_printf(out, "%s has no internet gateway", vpc);
    }
}

static void
say_igw_no_public_ip(const struct obstacle *o, struct buf *out)
{
    bool v6 = o->packet->src.family == IP_V6;
    buf_printf(out,
               v6 ? "%s is no global IPv6 address of an interface"
                  : "%s has no public address mapped to it, so the internet gateway does not carry it",
               ip_str(&o->packet->src));
}

static void
say_igw_destination(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "an internet gateway does not carry packets to the private address %s", ip_str(&o->packet->dst));
}

static void
say_igw_source(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "no packet from the private address %s comes in from the internet", ip_str(&o->packet->src));
}

static void
say_no_such_public_ip(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "no interface in use has the public address %s", ip_str(&o->packet->dst));
}

static void
say_no_public_ip(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "%s has no public address%s", named_eni(o),
               o->eni && o->eni->status && strcmp(o->eni->status, "available") == 0
                   ? " in use: its interface is attached to nothing"
                   : "");
}

static void
say_gateway_route_table(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "the gateway's own route table %s leads to something else than an interface, which is not modelled",
               named(o->hop->component, o->hop->id));
}

static void
say_nat_state(const struct obstacle *o, struct buf *out)
{
    const struct nat_gateway *nat = (const struct nat_gateway *)(const void *)o->hop->component;
    buf_printf(out, "NAT gateway %s is %s", named(o->hop->component, o->hop->id),
               nat && nat->state ? nat->state : "not there");
}

static void
say_nat_protocol(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "NAT gateway %s carries tcp, udp and icmp to IPv4 (also as 64:ff9b::/96) only, not %s",
               named(o->hop->component, o->hop->id), flow_str(o->packet));
}

static void
say_nat_source(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "NAT gateway %s serves its own VPC only, and %s is outside", named(o->hop->component, o->hop->id),
               ip_str(&o->packet->src));
}

static void
say_nat_unsolicited(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "NAT gateway %s passes answers only; nothing can be opened towards it",
               named(o->hop->component, o->hop->id));
}

static void
say_nat_loop(const struct obstacle *o, struct buf *out)
{
    buf_printf(out,
               "NAT gateway %s sits in a subnet whose own route leads back to it; a NAT gateway needs a subnet with a "
               "route to an internet gateway",
               named(o->hop->component, o->hop->id));
}

static void
say_nat_reply(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "the answer's route leads to NAT gateway %s, which does not know the connection",
               named(o->hop->component, o->hop->id));
}

static void
say_unmodelled(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "the way leads to %s (%s), which is not modelled, so there is no verdict beyond it",
               o->hop->id ? o->hop->id : "?", o->walk->stop_what);
}

/* What a gateway says no to: one sentence each, the gateway first. */
static const char *const gateway_texts[N_STOPS] = {
    [STOP_UNKNOWN_RESOURCE] = "is not in the lab (another account or region that was not imported)",
    [STOP_GATEWAY_STATE] = "is not available",
    [STOP_GATEWAY_ATTACHMENT] = "is not attached to this VPC, or the attachment is not available",
    [STOP_PCX_INACTIVE] = "is not active",
    [STOP_PCX_ADDRESS] = "carries packets between addresses of its two VPCs only (peering is not transitive)",
    [STOP_TGW_ZONE] = "has a route to a transit gateway whose attachment has no subnet in the sender's zone",
    [STOP_TGW_NO_ASSOCIATION] = "has no route table associated with the attachment the packet came in by",
    [STOP_TGW_UNKNOWN_ROUTES] = "routes by a table that is not in the lab",
    [STOP_TGW_NO_ROUTE] = "has no route to the destination",
    [STOP_TGW_BLACKHOLE] = "drops packets to the destination (blackhole route)",
    [STOP_TGW_VPN] = "is not up",
    [STOP_VPN] = "is not up",
    [STOP_VPN_NO_ROUTE] = "has no static route to the destination",
    [STOP_DX_NO_ROUTE] = "announces no prefix to the customer's side that holds the destination",
    [STOP_VGW_SOURCE] = "takes packets from private addresses of interfaces of its VPC only",
    [STOP_VGW_NO_ROUTE] = "reaches private addresses of its VPC only",
    [STOP_VPCE_PROTOCOL] = "is a gateway endpoint: it takes tcp and icmp echo only",
    [STOP_VPCE_SOURCE] = "serves interfaces of its own VPC only",
    [STOP_VPCE_INTRA_VPC] = "answers; it opens no connections into its VPC",
    [STOP_VPCE_ZONE] = "has no load balancer node in the zone of the endpoint's interface",
    [STOP_GWLB_PROTOCOL] = "sends to its targets by GENEVE, which is udp",
    [STOP_GWLB_PORT] = "sends to its targets by GENEVE, on port 6081",
    [STOP_GWLB_NO_FLOW] = "drops the answer of a connection whose first packet did not come through it",
    [STOP_EIGW_PROTOCOL] = "carries IPv6 only",
    [STOP_EIGW_UNSOLICITED] = "passes answers only; nothing can be opened towards it",
    [STOP_LB_STATE] = "is not active",
    [STOP_LB_NO_LISTENER] = "has no listener for this protocol and port",
    [STOP_LB_NO_GROUP] = "has a listener without a target group",
    [STOP_LB_NO_TARGET] = "has no registered target behind this listener",
    [STOP_LB_NO_TARGET_IN_ZONE] = "has no target in the zone of this node, and cross-zone balancing is off",
    [STOP_LB_LOOPBACK] = "keeps the client's address, so it cannot send to the target that is the client",
    [STOP_CLB_NO_LISTENER] = "has no listener for this protocol and port",
    [STOP_CLB_NO_TARGET] = "has no registered instance",
    [STOP_CLB_ZONE] = "is not enabled in the zone of any registered instance",
    [STOP_CLB_NOT_CROSS_ZONE] = "has no instance in the zone of this node, and cross-zone balancing is off",
};

static void
say_by_gateway(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "%s %s: %s to %s", named(o->hop->component, o->hop->id), gateway_texts[o->walk->stop],
               flow_str(o->packet), ip_str(&o->packet->dst));
}

static void
say_dx_state(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "%s is not up (%s), and no other line of the gateway is: %s to %s",
               named(o->hop->component, o->hop->id), explanation_state(o), flow_str(o->packet),
               ip_str(&o->packet->dst));
}

static void
say_asymmetric(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "the answer comes back from %s and not from the address that was asked", ip_str(&o->packet->src));
}

static void
say_too_long(const struct obstacle *o, struct buf *out)
{
    (void)o;
    buf_str_add(out, "the packet goes round in a loop of routes");
}

/* ---- One row per reason --------------------------------------------------------------------------------------------
 */

static const struct stop_words {
    unsigned members;
    void (*say)(const struct obstacle *, struct buf *);
    void (*mend)(const struct obstacle *, struct buf *); /* NULL: no one command does */
} stop_words[N_STOPS] = {
    [STOP_SG_EGRESS] = { M_DIRECTION | M_ENI | M_GROUPS, say_groups, mend_groups },
    [STOP_SG_INGRESS] = { M_DIRECTION | M_ENI | M_GROUPS, say_groups, mend_groups },
    [STOP_NACL_EGRESS] = { M_DIRECTION | M_ACL | M_SUBNET, say_acl, mend_acl },
    [STOP_NACL_INGRESS] = { M_DIRECTION | M_ACL | M_SUBNET, say_acl, mend_acl },
    [STOP_NO_SUBNET] = { M_ENI, say_no_subnet, NULL },
    [STOP_NO_ROUTE] = { M_TABLE | M_DESTINATION | M_ADDRESS_DST, say_no_route, mend_no_route },
    [STOP_BLACKHOLE] = { M_TABLE | M_ROUTE | M_STATE, say_blackhole, mend_blackhole },
    [STOP_NO_SUCH_ADDRESS] = { M_DESTINATION | M_ADDRESS_DST, say_no_such_address, NULL },
    [STOP_LOCAL_ROUTE] = { M_TABLE | M_ROUTE | M_CIDRS | M_ADDRESS_DST, say_local_route, NULL },
    [STOP_OTHER_DESTINATION] = { M_DESTINATION | M_ADDRESS_DST, say_other_destination, NULL },
    [STOP_NO_INTERNET_ROUTE] = { M_TABLE | M_ADDRESS_DST, say_no_internet_route, NULL },
    [STOP_INSTANCE_STATE] = { M_COMPONENT | M_STATE, say_instance_state, mend_instance_state },
    [STOP_FAILED] = { M_COMPONENT | M_STATE, say_failed, mend_failed },
    [STOP_SPOOFED] = { M_ENI | M_ADDRESS_SRC, say_spoofed, mend_source_dest_check },
    [STOP_SOURCE_DEST_CHECK] = { M_ENI | M_ADDRESS_DST, say_source_dest_check, mend_source_dest_check },
    [STOP_APPLIANCE] = { M_ENI | M_COMPONENT, say_appliance, NULL },
    [STOP_APPLIANCE_KEEPS] = { M_ENI | M_COMPONENT | M_ADDRESS_DST, say_appliance_keeps, NULL },
    [STOP_PUBLIC_ACCESS] = { M_IGW | M_COMPONENT | M_SUBNET | M_ENI, say_public_access, mend_public_access },
    [STOP_INGRESS_NO_PUBLIC_IP] = { M_ENI | M_COMPONENT | M_TABLE, say_ingress_no_public_ip, NULL },
    [STOP_NO_IGW] = { M_IGW, say_no_igw, mend_no_igw },
    [STOP_IGW_NO_PUBLIC_IP] = { M_IGW | M_ADDRESS_SRC, say_igw_no_public_ip, mend_public_ip },
    [STOP_IGW_PRIVATE_DESTINATION] = { M_IGW | M_ADDRESS_DST, say_igw_destination, NULL },
    [STOP_IGW_SHARED_DESTINATION] = { M_IGW | M_ADDRESS_DST, say_igw_destination, NULL },
    [STOP_IGW_PRIVATE_SOURCE] = { M_IGW | M_ADDRESS_SRC, say_igw_source, NULL },
    [STOP_IGW_SHARED_SOURCE] = { M_IGW | M_ADDRESS_SRC, say_igw_source, NULL },
    [STOP_IGW_NO_SUCH_PUBLIC_IP] = { M_IGW | M_ADDRESS_DST, say_no_such_public_ip, NULL },
    [STOP_NO_PUBLIC_IP] = { M_IGW | M_ENI | M_ADDRESS_DST, say_no_public_ip, mend_public_ip },
    [STOP_GATEWAY_ROUTE_TABLE] = { M_TABLE | M_ROUTE | M_COMPONENT, say_gateway_route_table, NULL },
    [STOP_NAT_STATE] = { M_NAT | M_STATE, say_nat_state, NULL },
    [STOP_NAT_PROTOCOL] = { M_NAT | M_PROTOCOL | M_COMPONENT, say_nat_protocol, NULL },
    [STOP_NAT_SOURCE] = { M_NAT | M_ADDRESS_SRC, say_nat_source, NULL },
    [STOP_NAT_UNSOLICITED] = { M_NAT | M_ADDRESS_DST, say_nat_unsolicited, mend_nat_unsolicited },
    [STOP_NAT_LOOP] = { M_NAT | M_TABLE | M_ROUTE, say_nat_loop, mend_nat_loop },
    [STOP_NAT_REPLY] = { M_NAT | M_TABLE | M_ROUTE, say_nat_reply, NULL },
    [STOP_UNKNOWN_RESOURCE] = { M_COMPONENT | M_MISSING, say_by_gateway, NULL },
    [STOP_GATEWAY_STATE] = { M_COMPONENT | M_STATE, say_by_gateway, NULL },
    [STOP_GATEWAY_ATTACHMENT] = { M_COMPONENT, say_by_gateway, mend_gateway_attachment },
    [STOP_PCX_INACTIVE] = { M_PCX | M_VPCS | M_STATE, say_by_gateway, mend_pcx_inactive },
    [STOP_PCX_ADDRESS] = { M_PCX | M_VPCS | M_CIDRS | M_ADDRESS_DST, say_by_gateway, NULL },
    [STOP_TGW_ZONE] = { M_TABLE | M_ROUTE | M_ATTACHMENT | M_ZONE | M_SUBNET, say_by_gateway, mend_tgw_zone },
    [STOP_TGW_NO_ASSOCIATION] = { M_TGW | M_ATTACHMENT, say_by_gateway, NULL },
    [STOP_TGW_UNKNOWN_ROUTES] = { M_TGW | M_ATTACHMENT, say_by_gateway, NULL },
    [STOP_TGW_NO_ROUTE] = { M_TGW | M_ADDRESS_DST, say_by_gateway, mend_tgw_no_route },
    [STOP_TGW_BLACKHOLE] = { M_TGW | M_TGW_ROUTE | M_ADDRESS_DST | M_STATE, say_by_gateway, NULL },
    [STOP_TGW_VPN] = { M_VPN | M_ATTACHMENT | M_STATE, say_by_gateway, NULL },
    [STOP_VPN] = { M_VPN | M_CUSTOMER | M_STATE, say_by_gateway, NULL },
    [STOP_VPN_NO_ROUTE] = { M_VPN | M_CUSTOMER | M_CIDRS | M_ADDRESS_DST, say_by_gateway, NULL },
    [STOP_DX_STATE] = { M_COMPONENT | M_STATE, say_dx_state, NULL },
    [STOP_DX_NO_ROUTE] = { M_COMPONENT | M_CIDRS | M_ADDRESS_DST, say_by_gateway, mend_dx_no_route },
    [STOP_VGW_SOURCE] = { M_VGW | M_ADDRESS_SRC, say_by_gateway, NULL },
    [STOP_VGW_NO_ROUTE] = { M_VGW | M_ADDRESS_DST, say_by_gateway, NULL },
    [STOP_VPCE_PROTOCOL] = { M_VPCE | M_PROTOCOL, say_by_gateway, NULL },
    [STOP_VPCE_SOURCE] = { M_VPCE | M_ADDRESS_SRC, say_by_gateway, NULL },
    [STOP_VPCE_INTRA_VPC] = { M_COMPONENT, say_by_gateway, NULL },
    [STOP_VPCE_ZONE] = { M_COMPONENT | M_SUBNET, say_by_gateway, NULL },
    [STOP_GWLB_PROTOCOL] = { M_COMPONENT | M_PROTOCOL, say_by_gateway, NULL },
    [STOP_GWLB_PORT] = { M_COMPONENT, say_by_gateway, NULL },
    [STOP_GWLB_NO_FLOW] = { M_COMPONENT, say_by_gateway, NULL },
    [STOP_EIGW_PROTOCOL] = { M_COMPONENT | M_PROTOCOL, say_by_gateway, NULL },
    [STOP_EIGW_UNSOLICITED] = { M_COMPONENT, say_by_gateway, NULL },
    [STOP_LB_STATE] = { M_COMPONENT | M_LB | M_STATE, say_by_gateway, NULL },
    [STOP_LB_NO_LISTENER] = { M_COMPONENT | M_LB | M_PORT | M_PROTOCOL, say_by_gateway, NULL },
    [STOP_LB_NO_GROUP] = { M_COMPONENT | M_LB, say_by_gateway, NULL },
    [STOP_LB_NO_TARGET] = { M_COMPONENT | M_LB | M_LB_GROUPS, say_by_gateway, NULL },
    [STOP_LB_NO_TARGET_IN_ZONE] = { M_COMPONENT | M_LB | M_LB_GROUPS | M_ZONE, say_by_gateway, NULL },
    [STOP_LB_LOOPBACK] = { M_COMPONENT | M_LB, say_by_gateway, NULL },
    [STOP_CLB_NO_LISTENER] = { M_COMPONENT | M_PORT | M_PROTOCOL, say_by_gateway, NULL },
    [STOP_CLB_NO_TARGET] = { M_COMPONENT, say_by_gateway, NULL },
    [STOP_CLB_ZONE] = { M_COMPONENT, say_by_gateway, NULL },
    [STOP_CLB_NOT_CROSS_ZONE] = { M_COMPONENT, say_by_gateway, NULL },
    [STOP_CLB_ACL] = { M_DIRECTION | M_ACL | M_SUBNET, say_acl, mend_acl },
    [STOP_UNMODELLED] = { M_COMPONENT, say_unmodelled, NULL },
    [STOP_ASYMMETRIC] = { M_ADDRESS_SRC, say_asymmetric, NULL },
    [STOP_TOO_LONG] = { M_TABLE | M_ROUTE, say_too_long, NULL },
};

json_t *
obstacle_explanation(const struct walk *walk)
{
    struct obstacle o = obstacle_of(walk);
    return explanation_json(&o, stop_words[walk->stop].members);
}

char *
obstacle_reason(const struct walk *walk)
{
    struct obstacle o = obstacle_of(walk);
    struct buf out = { 0 };
    stop_words[walk->stop].say(&o, &out);
    return buf_steal(&out);
}

char *
obstacle_hint(const struct walk *walk)
{
    struct obstacle o = obstacle_of(walk);
    struct buf out = { 0 };
    if (stop_words[walk->stop].mend) {
        stop_words[walk->stop].mend(&o, &out);
    }
    if (out.size == 0) {
        buf_done(&out);
        return NULL;
    }
    mend_where_it_is(o.net, &out);
    return buf_steal(&out);
}

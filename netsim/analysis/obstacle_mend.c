#include "netsim/analysis/obstacle_mend.h"

#include <stdio.h>
#include <string.h>

#include "netsim/analysis/wording.h"
#include "netsim/model/failure.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/vpn.h"

/* The peer as a group rule would name it: a group of the interface that sends from an untranslated address of the same
 * VPC. */
static const char *
peer_group(const struct obstacle *o, const struct ip *other)
{
    const struct eni *eni = o->eni ? network_eni_by_address(o->net, o->eni->vpc_id, other) : NULL;
    return eni && eni->groups.n > 0 ? eni->groups.items[0].id : NULL;
}

/* What a rule must cover: the one address, or everybody where the question was about the internet as such. */
static struct cidr
rule_cidr(const struct obstacle *o, const struct ip *ip)
{
    return ip_equal(ip, &o->walk->anyone) ? cidr_lit(ip->family == IP_V6 ? "::/0" : "0.0.0.0/0") : cidr_host(ip);
}

void
mend_groups(const struct obstacle *o, struct buf *out)
{
    if (!o->eni || o->eni->groups.n == 0) {
        return;
    }
    bool egress = o->hop->egress;
    const struct packet *p = o->packet;
    const struct ip *other = egress ? &p->dst : &p->src;
    struct cidr host = rule_cidr(o, other);
    const char *source = peer_group(o, other);
    buf_printf(out, "ec2 authorize-security-group-%s --group-id %s", egress ? "egress" : "ingress",
               o->eni->groups.items[0].id);
    bool simple = protocol_has_ports(p->protocol) && other->family == IP_V4 && !(egress && source);
    if (simple) {
        buf_printf(out, " --protocol %s --port %d %s %s", protocol_name(p->protocol), p->dst_port,
                   source ? "--source-group" : "--cidr", source ? source : cidr_str(&host));
        return;
    }
    buf_printf(out, " --ip-permissions 'IpProtocol=%s",
               p->protocol == PROTOCOL_ICMPV6 ? "icmpv6" : protocol_name(p->protocol));
    if (protocol_has_ports(p->protocol)) {
        buf_printf(out, ",FromPort=%d,ToPort=%d", p->dst_port, p->dst_port);
    } else if (protocol_is_icmp(p->protocol)) {
        buf_printf(out, ",FromPort=%d,ToPort=-1", p->icmp_type);
    }
    if (source) {
        buf_printf(out, ",UserIdGroupPairs=[{GroupId=%s}]'", source);
    } else {
        buf_printf(out, other->family == IP_V6 ? ",Ipv6Ranges=[{CidrIpv6=%s}]'" : ",IpRanges=[{CidrIp=%s}]'",
                   cidr_str(&host));
    }
}

/* The association that leads to the address, and the block that would have to be allowed. */
void
mend_dx_no_route(const struct obstacle *o, struct buf *out)
{
    const struct store *store = network_store(o->net);
    const struct direct_connect_association *found = NULL;
    const struct vpc *vpc = store_first(store, &vpc_kind);
    while (vpc && !vpc_contains_ip(vpc, &o->packet->dst)) {
        vpc = store_next(store, vpc);
    }
    for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); a;
         a = store_next(store, a)) {
        const struct vpn_gateway *vgw = store_get(store, &vpn_gateway_kind, a->associated_id);
        const char *of = vgw ? vpn_gateway_vpc(vgw) : NULL;
        bool leads = !vgw || (of && vpc && strcmp(of, vpc->obj.id) == 0);
        found = !found && leads && o->hop->id && strcmp(a->gateway_id, o->hop->id) == 0 ? a : found;
    }
    for (size_t i = 0; found && vpc && i < vpc->cidrs.n; i++) {
        if (cidr_contains_ip(&vpc->cidrs.items[i].cidr, &o->packet->dst)) {
            buf_printf(out,
                       "directconnect update-direct-connect-gateway-association --association-id %s "
                       "--add-allowed-prefixes-to-direct-connect-gateway cidr=%s",
                       found->obj.id, cidr_str(&vpc->cidrs.items[i].cidr));
        }
    }
}

static bool
acl_number_taken(const struct network_acl *acl, bool egress, int number)
{
    for (size_t i = 0; i < acl->entries.n; i++) {
        if (acl->entries.items[i].egress == egress && acl->entries.items[i].number == number) {
            return true;
        }
    }
    return false;
}

/* A free number before the rule that decided; before '*' the next hundred. */
static int
acl_number_before(const struct network_acl *acl, bool egress, const struct nacl_entry *decided)
{
    if (decided && decided->number < 32767) {
        int number = decided->number - 1;
        while (number > 0 && acl_number_taken(acl, egress, number)) {
            number--;
        }
        return number;
    }
    int last = 0;
    for (size_t i = 0; i < acl->entries.n; i++) {
        if (acl->entries.items[i].egress == egress && acl->entries.items[i].number < 32767) {
            last = acl->entries.items[i].number > last ? acl->entries.items[i].number : last;
        }
    }
    int next = (last / 100 + 1) * 100;
    return next <= 32766 ? next : last + 1;
}

void
mend_acl(const struct obstacle *o, struct buf *out)
{
    const struct network_acl *acl = (const struct network_acl *)(const void *)o->hop->component;
    const struct packet *p = o->packet;
    bool egress = o->hop->egress;
    int number = acl ? acl_number_before(acl, egress, o->hop->nacl_entry) : 0;
    if (number < 1 || number > 32766) {
        return;
    }
    struct cidr host = rule_cidr(o, egress ? &p->dst : &p->src);
    buf_printf(out, "ec2 create-network-acl-entry --network-acl-id %s --rule-number %d --%s --protocol %s", acl->obj.id,
               number, egress ? "egress" : "ingress",
               p->protocol == PROTOCOL_ICMPV6 ? "58" : protocol_name(p->protocol));
    if (protocol_has_ports(p->protocol)) {
        /* The answer goes to whatever port the asker chose. */
        bool ephemeral = o->walk->is_reply && p->dst_port >= 1024;
        buf_printf(out, " --port-range From=%d,To=%d", ephemeral ? 1024 : p->dst_port, ephemeral ? 65535 : p->dst_port);
    } else if (protocol_is_icmp(p->protocol)) {
        buf_printf(out, " --icmp-type-code Type=%d,Code=-1", p->icmp_type);
    }
    buf_printf(out, " --%s %s --rule-action allow", host.ip.family == IP_V6 ? "ipv6-cidr-block" : "cidr-block",
               cidr_str(&host));
}

static const struct nat_gateway *
vpc_nat_gateway(const struct obstacle *o, const char *vpc_id)
{
    const struct store *store = network_store(o->net);
    for (const struct nat_gateway *nat = store_first(store, &nat_gateway_kind); nat; nat = store_next(store, nat)) {
        if (strcmp(nat->vpc_id, vpc_id) == 0 && (!nat->state || strcmp(nat->state, "available") == 0)) {
            return nat;
        }
    }
    return NULL;
}

/* A default route: through the internet gateway for who has a public address (IPv6 always has), else through a NAT
 * gateway. */
void
mend_no_route(const struct obstacle *o, struct buf *out)
{
    const struct packet *p = o->packet;
    if (!o->table || !o->walk->vpc_id || mend_route_to_vpc(o, out) || ip_is_private(&p->dst)) {
        return;
    }
    bool v6 = p->dst.family == IP_V6;
    const struct eni *sender = network_eni_by_address(o->net, o->walk->vpc_id, &p->src);
    bool is_public = v6 || (sender && eni_public_ip(sender, &p->src));
    const struct internet_gateway *igw = network_vpc_igw(o->net, o->walk->vpc_id);
    const struct nat_gateway *nat = is_public ? NULL : vpc_nat_gateway(o, o->walk->vpc_id);
    const char *destination = v6 ? "--destination-ipv6-cidr-block ::/0" : "--destination-cidr-block 0.0.0.0/0";
    if (nat) {
        buf_printf(out, "ec2 create-route --route-table-id %s %s --nat-gateway-id %s", o->table->obj.id, destination,
                   nat->obj.id);
    } else if (igw) {
        buf_printf(out, "ec2 create-route --route-table-id %s %s --gateway-id %s", o->table->obj.id, destination,
                   igw->obj.id);
    }
}

/* A route may be made before the accepter agrees; until then it is a blackhole. */
const struct peering *
pending_peering(const struct obstacle *o)
{
    const struct route *route = o->walk->route;
    const struct peering *peering =
        route && route->peering_id ? store_get(network_store(o->net), &peering_kind, route->peering_id) : NULL;
    return peering && peering->status && strcmp(peering->status, "pending-acceptance") == 0 ? peering : NULL;
}

static void
mend_pending(const struct peering *peering, struct buf *out)
{
    buf_printf(out, "ec2 accept-vpc-peering-connection --vpc-peering-connection-id %s", peering->obj.id);
}

void
mend_blackhole(const struct obstacle *o, struct buf *out)
{
    const struct route *route = o->walk->route;
    const struct peering *pending = pending_peering(o);
    if (route && route->transit_gateway_id) {
        mend_gateway_attachment(o, out); /* unless it waits, the route is what can go */
    }
    if (pending) {
        mend_pending(pending, out);
    } else if (o->table && route && !out->size) {
        const char *option = route->prefix_list_id   ? "destination-prefix-list-id"
                             : route->cidr.ip.family ? "destination-cidr-block"
                                                     : "destination-ipv6-cidr-block";
        buf_printf(out, "ec2 delete-route --route-table-id %s --%s %s", o->table->obj.id, option,
                   route_destination_str(route));
    }
}

void
mend_instance_state(const struct obstacle *o, struct buf *out)
{
    if (o->eni && *o->eni->attachment.instance_id) {
        buf_printf(out, "ec2 start-instances --instance-ids %s", o->eni->attachment.instance_id);
    }
}

const struct failure *
obstacle_failure(const struct obstacle *o)
{
    const struct failure *f = o->eni ? eni_failure(o->net, o->eni) : NULL;
    if (!f && o->hop->kind == HOP_NAT && o->hop->component) {
        f = nat_failure(o->net, (const struct nat_gateway *)o->hop->component);
    }
    return f ? f : o->hop->subnet ? subnet_failure(o->net, o->hop->subnet) : NULL;
}

void
mend_failed(const struct obstacle *o, struct buf *out)
{
    const struct failure *f = obstacle_failure(o);
    if (f) {
        buf_printf(out, "restore %s %s", f->type, f->target);
    }
}

void
mend_source_dest_check(const struct obstacle *o, struct buf *out)
{
    buf_printf(out, "ec2 modify-network-interface-attribute --network-interface-id %s --no-source-dest-check",
               o->eni->obj.id);
}

void
mend_no_igw(const struct obstacle *o, struct buf *out)
{
    if (o->walk->vpc_id && o->hop->kind == HOP_IGW && o->hop->component) {
        buf_printf(out, "ec2 attach-internet-gateway --internet-gateway-id %s --vpc-id %s", o->hop->id,
                   o->walk->vpc_id);
    } else if (o->walk->vpc_id) {
        buf_printf(out, "ec2 create-internet-gateway, then ec2 attach-internet-gateway --vpc-id %s", o->walk->vpc_id);
    }
}

static const struct elastic_ip *
free_elastic_ip(const struct obstacle *o)
{
    const struct store *store = network_store(o->net);
    for (const struct elastic_ip *eip = store_first(store, &elastic_ip_kind); eip; eip = store_next(store, eip)) {
        if (!*eip->association_id) {
            return eip;
        }
    }
    return NULL;
}

void
mend_public_access(const struct obstacle *o, struct buf *out)
{
    const char *id = o->hop->subnet ? o->hop->subnet->obj.id : o->walk->vpc_id;
    buf_printf(out, "ec2 create-vpc-block-public-access-exclusion --%s-id %s --internet-gateway-exclusion-mode %s",
               o->hop->subnet ? "subnet" : "vpc", id ? id : "VPC",
               network_eni_by_address(o->net, o->walk->vpc_id ? o->walk->vpc_id : "", &o->packet->src)
                   ? "allow-egress"
                   : "allow-bidirectional");
}

void
mend_public_ip(const struct obstacle *o, struct buf *out)
{
    const struct eni *eni = o->walk->stop == STOP_NO_PUBLIC_IP ? o->eni
                            : o->walk->vpc_id ? network_eni_by_address(o->net, o->walk->vpc_id, &o->packet->src)
                                              : NULL;
    if (!eni || o->packet->src.family == IP_V6) {
        return;
    }
    const struct elastic_ip *eip = free_elastic_ip(o);
    if (!eip) {
        buf_str_add(out, "ec2 allocate-address, then ");
    }
    buf_printf(out, "ec2 associate-address --allocation-id %s --network-interface-id %s",
               eip ? eip->obj.id : "ALLOCATION", eni->obj.id);
}

void
mend_nat_loop(const struct obstacle *o, struct buf *out)
{
    const struct internet_gateway *igw = o->walk->vpc_id ? network_vpc_igw(o->net, o->walk->vpc_id) : NULL;
    if (igw && o->table && o->hop->route == NULL) {
        buf_printf(out,
                   "ec2 replace-route --route-table-id %s --destination-cidr-block 0.0.0.0/0 --gateway-id %s (or a "
                   "public subnet for the NAT gateway)",
                   o->table->obj.id, igw->obj.id);
    }
}

void
mend_nat_unsolicited(const struct obstacle *o, struct buf *out)
{
    (void)o;
    buf_str_add(out, "ask for `internet` as the destination to see what passes through it");
}

void
mend_pcx_inactive(const struct obstacle *o, struct buf *out)
{
    const struct peering *peering = (const struct peering *)(const void *)o->hop->component;
    if (peering && peering->status && strcmp(peering->status, "pending-acceptance") == 0) {
        mend_pending(peering, out);
    }
}

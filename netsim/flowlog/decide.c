#include "netsim/flowlog/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/rules.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/security_group.h"

/* ---- the interface ------------------------------------------------------------------------------------------------
 */
static const struct eni *
eni_of_address(const struct network *net, const struct ip *ip)
{
    const struct store *store = network_store(net);
    for (const struct vpc *vpc = store_first(store, &vpc_kind); ip->family && vpc; vpc = store_next(store, vpc)) {
        const struct eni *eni = network_eni_by_address(net, vpc->obj.id, ip);
        if (eni) {
            return eni;
        }
    }
    return NULL;
}

const struct eni *
flow_record_eni(const struct network *net, const struct flow_record *record)
{
    const struct eni *eni = *record->eni_id ? store_get(network_store(net), &eni_kind, record->eni_id) : NULL;
    if (eni || *record->eni_id) {
        return eni;
    }
    const struct ip *first = record->direction == FLOW_EGRESS ? &record->src : &record->dst;
    eni = eni_of_address(net, first);
    return eni ? eni : eni_of_address(net, first == &record->src ? &record->dst : &record->src);
}

/* Formats without flow-direction: the interface's own address says which end it is. */
static bool
is_egress(const struct eni *eni, const struct flow_record *record)
{
    if (record->direction) {
        return record->direction == FLOW_EGRESS;
    }
    return !eni_has_ip(eni, &record->dst) && eni_has_ip(eni, &record->src);
}

/* ---- its filters --------------------------------------------------------------------------------------------------
 */
static struct packet
packet_of(const struct flow_record *record)
{
    bool icmp = protocol_is_icmp(record->protocol);
    return (struct packet){ .src = record->pkt_src.family ? record->pkt_src : record->src,
                            .dst = record->pkt_dst.family ? record->pkt_dst : record->dst,
                            .protocol = record->protocol,
                            .src_port = record->src_port,
                            .dst_port = record->dst_port,
                            /* A record has no type: an echo request is what people send. */
                            .icmp_type = icmp ? record->type == IP_V6 ? 128 : 8 : 0 };
}

/* Is the flow perhaps the answering half of a connection?  A record does not say who began it: SYN-ACK is sent by who
 * was called, a lone SYN by who calls, and otherwise the higher port is the caller's, as it is where programs do not
 * choose their own. */
static bool
may_answer(const struct flow_record *record)
{
    if (!protocol_has_ports(record->protocol)) {
        return true;
    }
    return (record->tcp_flags & 16) || (record->tcp_flags != FLOW_TCP_SYN && record->src_port < record->dst_port);
}

/* True when the ACL refuses; then 'verdict' says by which entry. */
static bool
acl_refuses(const struct network *net, const struct eni *eni, bool egress, const struct packet *packet,
            struct flow_verdict *verdict)
{
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, eni->subnet_id);
    const struct network_acl *acl = subnet ? network_subnet_acl(net, subnet) : NULL;
    const struct ip *peer = egress ? &packet->dst : &packet->src;
    const struct cidr *own6 = subnet ? subnet_cidr6(subnet) : NULL;
    if (!acl || cidr_contains_ip(&subnet->cidr, peer) || (own6 && cidr_contains_ip(own6, peer))) {
        return false; /* inside the subnet no ACL is asked */
    }
    const struct nacl_entry *entry = acl_decide(acl, egress, packet);
    if (entry && entry->action == NACL_ALLOW) {
        return false;
    }
    char number[16] = "*";
    if (entry && entry->number < 32767) {
        snprintf(number, sizeof number, "%d", entry->number);
    }
    snprintf(verdict->rule, sizeof verdict->rule, "%s:%s:%s", acl->obj.id, egress ? "egress" : "ingress", number);
    verdict->action = FLOW_REJECT;
    return true;
}

static bool
groups_decide(const struct network *net, const struct eni *eni, bool egress, const struct packet *packet,
              bool may_answer, struct flow_verdict *verdict)
{
    const struct security_group *group;
    const struct sg_rule *rule = groups_permit(net, eni, egress, packet, NULL, &group);
    struct packet answered = { .src = packet->dst,
                               .dst = packet->src,
                               .protocol = packet->protocol,
                               .src_port = packet->dst_port,
                               .dst_port = packet->src_port,
                               .icmp_type = packet->icmp_type };
    verdict->action = FLOW_ACCEPT;
    if (rule) {
        snprintf(verdict->rule, sizeof verdict->rule, "%s:%s:%s", group->obj.id, egress ? "egress" : "ingress",
                 rule->id);
        return true;
    }
    rule = may_answer ? groups_permit(net, eni, !egress, &answered, NULL, &group) : NULL;
    if (rule) {
        snprintf(verdict->rule, sizeof verdict->rule, "%s:%s:%s:reply", group->obj.id, egress ? "ingress" : "egress",
                 rule->id);
        return true;
    }
    verdict->action = FLOW_REJECT;
    size_t size = 0;
    for (size_t i = 0; i < eni->groups.n && size < sizeof verdict->rule - 90; i++) {
        size += (size_t)snprintf(verdict->rule + size, sizeof verdict->rule - size, "%s%s", i ? "," : "",
                                 eni->groups.items[i].id);
    }
    snprintf(verdict->rule + size, sizeof verdict->rule - size, ":%s:none", egress ? "egress" : "ingress");
    return false;
}

bool
flow_decide(const struct network *net, const struct flow_record *record, struct flow_verdict *verdict)
{
    const struct eni *eni = record->status == FLOW_OK ? flow_record_eni(net, record) : NULL;
    *verdict = (struct flow_verdict){ 0 };
    if (!eni || !record->src.family || !record->dst.family) {
        return false;
    }
    bool egress = is_egress(eni, record);
    struct packet packet = packet_of(record);
    /* The groups are next to the interface: they are asked first on the way out, last on the way in. */
    if (egress) {
        struct flow_verdict acl;
        if (groups_decide(net, eni, true, &packet, may_answer(record), verdict) &&
            acl_refuses(net, eni, true, &packet, &acl)) {
            *verdict = acl;
        }
    } else if (!acl_refuses(net, eni, false, &packet, verdict)) {
        groups_decide(net, eni, false, &packet, may_answer(record), verdict);
    }
    return true;
}

#include "netsim/analysis/rules.h"

#include <string.h>

#include "netsim/model/network.h"
#include "netsim/model/peering.h"

const char *
mismatch_str(enum mismatch mismatch, int protocol)
{
    switch (mismatch) {
    case MATCHES:
        return "matches";
    case MISMATCH_DIRECTION:
        return "other direction";
    case MISMATCH_PROTOCOL:
        return "other protocol";
    case MISMATCH_PORT:
        return protocol_is_icmp(protocol) ? "other ICMP type or code" : "other port";
    case MISMATCH_ADDRESS:
        return "other address";
    }
    return "";
}

/* The address a rule speaks of: who sends, for rules inwards; who is sent to, outwards. */
static const struct ip *
other_end(const struct packet *packet, bool egress)
{
    return egress ? &packet->dst : &packet->src;
}

static bool
within(int value, int from, int to)
{
    return value >= from && value <= to;
}

/* -1 stands for every type, every code.  A code without a type is nothing AWS stores and matches nothing. */
static bool
icmp_fits(const struct packet *packet, int type, int code)
{
    if (type == -1) {
        return code == -1;
    }
    return packet->icmp_type == type && (code == -1 || packet->icmp_code == code);
}

/* ---- Security groups -----------------------------------------------------------------------------------------------
 */

static bool
sg_rule_fits_port(const struct sg_rule *rule, const struct packet *packet)
{
    if (rule->protocol == PROTOCOL_ALL) {
        return true;
    }
    if (protocol_is_icmp(packet->protocol)) {
        return icmp_fits(packet, rule->from, rule->to);
    }
    if (protocol_has_ports(packet->protocol)) {
        /* -1/-1 on tcp or udp is how older tools wrote "all ports". */
        return within(packet->dst_port, rule->from, rule->to == -1 ? 65535 : rule->to);
    }
    return true; /* other protocols have no ports to name */
}

/* A reference to a group means the private addresses of the interfaces carrying it: an address that was translated on
 * the way is nobody's any more.  Source: security-group-rules.html, "Security group referencing". */
static bool
group_holds_address(const struct network *net, const char *vpc_id, const char *group_id, const struct ip *ip)
{
    const struct eni *eni = network_eni_by_address(net, vpc_id, ip);
    return eni && eni_has_group(eni, group_id);
}

static const char *
group_vpc(const struct network *net, const struct sg_rule *rule)
{
    const struct security_group *group = store_get(network_store(net), &security_group_kind, rule->group_id);
    return group ? group->vpc_id : rule->group_vpc_id;
}

/* AWS lets groups of a peer VPC be named while the connection is active, within one region. */
static bool
peering_carries_groups(const struct network *net, const char *vpc_id, const char *other_vpc_id)
{
    const struct peering *p = network_peering_between(net, vpc_id, other_vpc_id);
    return p && (!p->requester.region || !p->accepter.region || strcmp(p->requester.region, p->accepter.region) == 0);
}

static bool
origin_carries_group(const struct network *net, const char *vpc_id, const char *other_vpc_id,
                     const struct origin *origin)
{
    if (!origin) {
        return peering_carries_groups(net, vpc_id, other_vpc_id);
    }
    if (!origin->vpc_id || strcmp(origin->vpc_id, other_vpc_id) != 0 || origin->translated) {
        return false;
    }
    return origin->by == ORIGIN_TGW ? origin->references
                                    : origin->by == ORIGIN_PEERING && peering_carries_groups(net, vpc_id, other_vpc_id);
}

/* Whose groups count for what comes from 'ip': of what a balancer sends on, whatever address it bears, the balancer's
 * alone. */
static bool
sender_in_group(const struct network *net, const char *vpc_id, const char *group_id, const struct ip *ip,
                const struct origin *origin)
{
    return origin && origin->balancer ? eni_has_group(origin->balancer, group_id)
                                      : group_holds_address(net, vpc_id, group_id, ip);
}

/* 'origin': of a packet that comes in; NULL: outwards, or wherever it may come from. */
static bool
sg_rule_fits_group(const struct network *net, const char *vpc_id, const struct sg_rule *rule, const struct ip *ip,
                   const struct origin *origin)
{
    bool from_elsewhere = origin && origin->by != ORIGIN_HERE;
    if (!from_elsewhere && sender_in_group(net, vpc_id, rule->group_id, ip, origin)) {
        return true;
    }
    const char *other = group_vpc(net, rule);
    return other && strcmp(other, vpc_id) != 0 && origin_carries_group(net, vpc_id, other, origin) &&
           sender_in_group(net, other, rule->group_id, ip, origin);
}

bool
sg_rule_fits_address(const struct network *net, const char *vpc_id, const struct sg_rule *rule, const struct ip *ip)
{
    if (rule->group_id) {
        return sg_rule_fits_group(net, vpc_id, rule, ip, NULL);
    }
    if (rule->prefix_list_id) {
        const struct prefix_list *list = store_get(network_store(net), &prefix_list_kind, rule->prefix_list_id);
        return list && prefix_list_contains(list, ip, NULL);
    }
    return cidr_contains_ip(&rule->cidr, ip);
}

enum mismatch
sg_rule_test(const struct network *net, const char *vpc_id, const struct sg_rule *rule, bool egress,
             const struct packet *packet)
{
    if (rule->egress != egress) {
        return MISMATCH_DIRECTION;
    }
    if (rule->protocol != PROTOCOL_ALL && rule->protocol != packet->protocol) {
        return MISMATCH_PROTOCOL;
    }
    if (!sg_rule_fits_port(rule, packet)) {
        return MISMATCH_PORT;
    }
    return sg_rule_fits_address(net, vpc_id, rule, other_end(packet, egress)) ? MATCHES : MISMATCH_ADDRESS;
}

bool
sg_rule_fits_peer(const struct network *net, const char *vpc_id, const struct sg_rule *rule, const struct ip *ip,
                  const struct origin *origin)
{
    return rule->egress || !rule->group_id || !origin ? sg_rule_fits_address(net, vpc_id, rule, ip)
                                                      : sg_rule_fits_group(net, vpc_id, rule, ip, origin);
}

static bool
sg_rule_permits(const struct network *net, const char *vpc_id, const struct sg_rule *rule, bool egress,
                const struct packet *packet, const struct origin *origin)
{
    if (egress || !rule->group_id || !origin) {
        return sg_rule_test(net, vpc_id, rule, egress, packet) == MATCHES;
    }
    return !rule->egress && (rule->protocol == PROTOCOL_ALL || rule->protocol == packet->protocol) &&
           sg_rule_fits_port(rule, packet) && sg_rule_fits_group(net, vpc_id, rule, &packet->src, origin);
}

static const struct sg_rule *
group_permits(const struct network *net, const struct security_group *group, const char *vpc_id, bool egress,
              const struct packet *packet, const struct origin *origin)
{
    for (size_t i = 0; i < group->rules.n; i++) {
        if (sg_rule_permits(net, vpc_id, &group->rules.items[i], egress, packet, origin)) {
            return &group->rules.items[i];
        }
    }
    return NULL;
}

const struct sg_rule *
groups_permit(const struct network *net, const struct eni *eni, bool egress, const struct packet *packet,
              const struct origin *origin, const struct security_group **by)
{
    for (size_t i = 0; i < eni->groups.n; i++) {
        const struct security_group *group =
            store_get(network_store(net), &security_group_kind, eni->groups.items[i].id);
        const struct sg_rule *rule = group ? group_permits(net, group, eni->vpc_id, egress, packet, origin) : NULL;
        if (rule) {
            *by = group;
            return rule;
        }
    }
    return NULL;
}

bool
groups_would_permit_reference(const struct network *net, const struct eni *eni, const struct packet *packet,
                              const struct origin *origin)
{
    if (origin->by != ORIGIN_TGW || origin->references) {
        return false;
    }
    struct origin carried = *origin;
    carried.references = true;
    const struct security_group *group;
    return groups_permit(net, eni, false, packet, &carried, &group);
}

bool
groups_have_rules(const struct network *net, const struct eni *eni, bool egress)
{
    for (size_t i = 0; i < eni->groups.n; i++) {
        const struct security_group *group =
            store_get(network_store(net), &security_group_kind, eni->groups.items[i].id);
        for (size_t j = 0; group && j < group->rules.n; j++) {
            if (group->rules.items[j].egress == egress) {
                return true;
            }
        }
    }
    return false;
}

/* ---- Network ACLs --------------------------------------------------------------------------------------------------
 */

static bool
nacl_entry_fits_port(const struct nacl_entry *entry, const struct packet *packet)
{
    if (entry->protocol == PROTOCOL_ALL) {
        return true; /* ports written beside "all protocols" mean nothing */
    }
    if (protocol_is_icmp(packet->protocol)) {
        /* A code counts only beside its type: type -1 with a code is read as every ICMP packet. */
        return !entry->has_icmp || entry->icmp.type == -1 || icmp_fits(packet, entry->icmp.type, entry->icmp.code);
    }
    if (protocol_has_ports(packet->protocol)) {
        return !entry->has_ports ||
               within(packet->dst_port, entry->ports.from, entry->ports.to == -1 ? 65535 : entry->ports.to);
    }
    return true;
}

enum mismatch
nacl_entry_test(const struct nacl_entry *entry, bool egress, const struct packet *packet)
{
    if (entry->egress != egress) {
        return MISMATCH_DIRECTION;
    }
    if (entry->protocol != PROTOCOL_ALL && entry->protocol != packet->protocol) {
        return MISMATCH_PROTOCOL;
    }
    if (!nacl_entry_fits_port(entry, packet)) {
        return MISMATCH_PORT;
    }
    const struct ip *ip = other_end(packet, egress);
    return cidr_contains_ip(ip->family == IP_V6 ? &entry->cidr6 : &entry->cidr, ip) ? MATCHES : MISMATCH_ADDRESS;
}

const struct nacl_entry *
acl_decide(const struct network_acl *acl, bool egress, const struct packet *packet)
{
    /* Sorted by number within a direction, and the first match ends it: an early allow beats a later deny. */
    for (size_t i = 0; i < acl->entries.n; i++) {
        if (nacl_entry_test(&acl->entries.items[i], egress, packet) == MATCHES) {
            return &acl->entries.items[i];
        }
    }
    return NULL;
}

/* ---- Route tables --------------------------------------------------------------------------------------------------
 */

static bool
route_is_propagated(const struct route *route)
{
    return route->origin && strcmp(route->origin, "EnableVgwRoutePropagation") == 0;
}

static bool
route_is_local(const struct route *route)
{
    return route->gateway_id && strcmp(route->gateway_id, "local") == 0;
}

/* Which of two routes with the same prefix is taken: a static CIDR before a prefix list before a propagated route.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html */
static int
route_rank(const struct route *route)
{
    return route_is_propagated(route) ? 0 : route->prefix_list_id ? 1 : 2;
}

/* The part of the route's destination that covers 'ip'. */
static bool
route_covers(const struct network *net, const struct route *route, const struct ip *ip, struct cidr *prefix)
{
    if (route->prefix_list_id) {
        const struct prefix_list *list = store_get(network_store(net), &prefix_list_kind, route->prefix_list_id);
        return list && prefix_list_contains(list, ip, prefix);
    }
    *prefix = route->cidr.ip.family ? route->cidr : route->cidr6;
    return cidr_contains_ip(prefix, ip);
}

static const struct route *
longest_prefix(const struct network *net, const struct route_table *table, const struct ip *destination,
               bool with_propagated, bool *is_local, struct cidr *prefix)
{
    const struct route *best = NULL;
    struct cidr best_prefix = { 0 };
    for (size_t i = 0; i < table->routes.n; i++) {
        const struct route *route = &table->routes.items[i];
        struct cidr covers;
        if ((!with_propagated && route_is_propagated(route)) || !route_covers(net, route, destination, &covers)) {
            continue;
        }
        *is_local = *is_local || route_is_local(route);
        if (!best || covers.bits > best_prefix.bits ||
            (covers.bits == best_prefix.bits && route_rank(route) > route_rank(best))) {
            best = route;
            best_prefix = covers;
        }
    }
    *prefix = best_prefix;
    return best;
}

const struct route *
route_lookup(const struct network *net, const struct route_table *table, const struct ip *destination,
             struct cidr *prefix)
{
    struct cidr unasked;
    bool is_local = false;
    prefix = prefix ? prefix : &unasked;
    const struct route *best = longest_prefix(net, table, destination, true, &is_local, prefix);
    /* The exception: what a virtual private gateway propagates never takes traffic away from the local route, however
     * specific it is. */
    if (best && is_local && route_is_propagated(best)) {
        best = longest_prefix(net, table, destination, false, &is_local, prefix);
    }
    return best;
}

/* ---- The question by id --------------------------------------------------------------------------------------------
 */

bool
filter_permits(const struct network *net, const char *id, bool egress, const struct packet *packet, bool *permits,
               struct err *err)
{
    const struct store *store = network_store(net);
    const struct security_group *group = store_get(store, &security_group_kind, id);
    const struct network_acl *acl = group ? NULL : store_get(store, &network_acl_kind, id);
    const struct eni *eni = group || acl ? NULL : store_get(store, &eni_kind, id);
    if (group) {
        *permits = group_permits(net, group, group->vpc_id, egress, packet, NULL);
    } else if (acl) {
        const struct nacl_entry *entry = acl_decide(acl, egress, packet);
        *permits = entry && entry->action == NACL_ALLOW;
    } else if (eni) {
        const struct security_group *by;
        *permits = eni->groups.n == 0 || groups_permit(net, eni, egress, packet, NULL, &by);
    } else {
        const struct kind *kind = network_kind_of_id(id);
        if (kind && kind != &security_group_kind && kind != &network_acl_kind && kind != &eni_kind) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue",
                           "`%s` filters nothing: a filter is a group, a network ACL or an interface", id);
        }
        return err_set(err, ERR_INPUT, kind ? kind->not_found : "InvalidGroup.NotFound",
                       "no group, network ACL or interface is called `%s`", id);
    }
    return true;
}

#include "netsim/analysis/conn_ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "netsim/analysis/conn_alike.h"
#include "netsim/analysis/walk.h"
#include "netsim/model/network.h"

struct site {
    struct conn_end end;
    int side;
};
struct conn_ways {
    const struct network *net;
    struct set_pool *pool;
    int family;
    VEC(struct site) sites;
    struct map by_key, known_ways, acl_sets, origins; /* origins: "vpc vpc" -> struct origin, owned */
    VEC(struct conn_way) ways;                        /* the different ones */
    int *between;                                     /* sites.n squared: index of 'ways' */
    int *like;
    size_t n_walks;
};

struct conn_ways *
conn_ways_new(const struct network *net, struct set_pool *pool, int family)
{
    struct conn_ways *ways = xcalloc(1, sizeof *ways);
    ways->net = net;
    ways->pool = pool;
    ways->family = family;
    return ways;
}

void
conn_ways_free(struct conn_ways *ways)
{
    VEC_DONE(&ways->sites);
    VEC_DONE(&ways->ways);
    map_done(&ways->by_key);
    map_done(&ways->known_ways);
    map_done(&ways->acl_sets);
    const char *key;
    void *origin;
    for (size_t cursor = 0; map_next(&ways->origins, &cursor, &key, &origin);) {
        free(origin);
    }
    map_done(&ways->origins);
    free(ways->between);
    free(ways->like);
    free(ways);
}

int
conn_ways_site(struct conn_ways *ways, const char *key, const struct conn_end *end, int side)
{
    uintptr_t index = (uintptr_t)map_get(&ways->by_key, key);
    if (!index) {
        *VEC_ADD(&ways->sites) = (struct site){ *end, side };
        index = ways->sites.n;
        map_put(&ways->by_key, key, (void *)index);
    }
    return (int)index - 1;
}

size_t
conn_ways_n_sites(const struct conn_ways *ways)
{
    return ways->sites.n;
}

size_t
conn_ways_n_walks(const struct conn_ways *ways)
{
    return ways->n_walks;
}

/* ---- One way -------------------------------------------------------------------------------------------------------
 */

/* What carries every protocol alike; the other places (NAT gateways ...) are asked with one packet of each kind. */
static bool
hop_is_plain(const struct hop *hop)
{
    switch (hop->kind) {
    case HOP_INSTANCE:
        return !hop->sent_on; /* an appliance that translates looks at answers by their protocol */
    case HOP_ENI:
    case HOP_GROUPS:
    case HOP_SUBNET:
    case HOP_ACL:
    case HOP_ROUTE_TABLE:
    case HOP_VPC:
    case HOP_IGW:
        return true;
    default:
        return false;
    }
}

static bool
walk_is_plain(const struct walk *walk)
{
    for (size_t i = 0; i < walk->hops.n; i++) {
        if (!hop_is_plain(&walk->hops.items[i])) {
            return false;
        }
    }
    return true;
}

struct ends {
    const struct conn_end *from, *to;
};

static bool
same_origin(const struct origin *a, const struct origin *b)
{
    bool same_vpc = a->vpc_id && b->vpc_id ? strcmp(a->vpc_id, b->vpc_id) == 0 : a->vpc_id == b->vpc_id;
    return same_vpc && a->by == b->by && a->references == b->references && a->translated == b->translated;
}

const struct origin *
conn_ways_origin(const struct conn_ways *ways, const char *from_vpc, const char *to_vpc)
{
    char key[2 * ID_SIZE + 2];
    snprintf(key, sizeof key, "%s %s", from_vpc, to_vpc);
    return map_get(&ways->origins, key);
}

/* Rules that name groups ask where a packet came from.  The roles ask once for two VPCs: a way that differs from the
 * first between them is judged by itself. */
static bool
usual_origin(struct conn_ways *ways, const struct hop *hop, const struct ends *ends)
{
    const char *from = ends->from->eni ? ends->from->eni->vpc_id : NULL;
    const char *to = ends->to->eni ? ends->to->eni->vpc_id : NULL;
    if (hop->egress || !from || !to) {
        return true; /* nobody's groups are named for an address outside */
    }
    if (strcmp(from, to) == 0) {
        return hop->origin.by == ORIGIN_HERE && !hop->origin.translated;
    }
    const struct origin *known = conn_ways_origin(ways, from, to);
    if (!known) {
        char key[2 * ID_SIZE + 2];
        struct origin *copy = xmalloc(sizeof *copy);
        *copy = hop->origin;
        snprintf(key, sizeof key, "%s %s", from, to);
        map_put(&ways->origins, key, copy);
        return true;
    }
    return same_origin(known, &hop->origin);
}

/* Are these the groups of an end, asked about the other end's own address?  Then the roles know the answer. */
static bool
groups_of_an_end(const struct hop *hop, const struct ends *ends)
{
    if (hop->egress) {
        return hop->eni == ends->from->eni && ip_equal(&hop->packet.dst, &ends->to->ip);
    }
    return hop->eni == ends->to->eni && ip_equal(&hop->packet.src, &ends->from->ip);
}

/* The ACL's set is asked for by many ways: remembered by the address where the ACL can tell addresses apart. */
static int
acl_hop_packets(struct conn_ways *ways, const struct hop *hop)
{
    const struct network_acl *acl = (const struct network_acl *)hop->component;
    const struct ip *ip = hop->egress ? &hop->packet.dst : &hop->packet.src;
    char key[ID_SIZE + IP_STR_SIZE + 4], address[IP_STR_SIZE];
    snprintf(key, sizeof key, "%s %d %s", acl->obj.id, hop->egress, ip_format(ip, address));
    uintptr_t known = (uintptr_t)map_get(&ways->acl_sets, key);
    if (!known) {
        known = (uintptr_t)acl_packets(ways->pool, acl, hop->egress, ip) + 1;
        map_put(&ways->acl_sets, key, (void *)known);
    }
    return (int)known - 1;
}

/* What the filter of a hop lets through; ALL where it is none. */
static int
hop_packets(struct conn_ways *ways, const struct hop *hop, bool is_answer, bool with_groups, const struct ends *ends,
            struct conn_way *way)
{
    if (hop->kind == HOP_ACL && hop->component) {
        return acl_hop_packets(ways, hop);
    }
    if (hop->kind != HOP_GROUPS || hop->established) {
        return PACKETS_ALL;
    }
    if (with_groups) {
        return groups_packets(ways->pool, ways->net, hop->eni, hop->egress,
                              hop->egress ? &hop->packet.dst : &hop->packet.src, &hop->origin);
    }
    way->by_pair = way->by_pair || is_answer || !groups_of_an_end(hop, ends) || !usual_origin(ways, hop, ends);
    return PACKETS_ALL;
}

static int
forward_packets(struct conn_ways *ways, const struct walk *walk, bool with_groups, const struct ends *ends,
                struct conn_way *way)
{
    int passes = PACKETS_ALL;
    for (size_t i = 0; i < walk->hops.n; i++) {
        int filter = hop_packets(ways, &walk->hops.items[i], false, with_groups, ends, way);
        passes = set_pool_combine(ways->pool, passes, filter, PACKETS_INTERSECT);
    }
    return passes;
}

/* The packets whose answers pass.  On their way to a NAT gateway answers bear the source port it gave the packet. */
static int
answered_packets(struct conn_ways *ways, const struct walk *walk, bool with_groups, const struct ends *ends,
                 struct conn_way *way)
{
    int before = PACKETS_ALL, after = PACKETS_ALL;
    bool turned_back = false;
    for (size_t i = 0; i < walk->hops.n; i++) {
        const struct hop *hop = &walk->hops.items[i];
        int filter = hop_packets(ways, hop, true, with_groups, ends, way);
        if (hop->kind == HOP_NAT) {
            before = after;
            after = PACKETS_ALL;
            turned_back = true;
        }
        after = set_pool_combine(ways->pool, after, filter, PACKETS_INTERSECT);
    }
    int answered = packets_answered_by(ways->pool, after, false);
    if (turned_back) {
        int translated = packets_answered_by(ways->pool, before, true);
        answered = set_pool_combine(ways->pool, answered, translated, PACKETS_INTERSECT);
    }
    return answered;
}

static void
name_end(const struct conn_end *end, struct flow_end *out, struct ip *ip)
{
    out->kind = end->eni ? FLOW_END_ENI : end->gate ? FLOW_END_GATEWAY : FLOW_END_INTERNET;
    snprintf(out->id, sizeof out->id, "%s", end->eni ? end->eni->obj.id : end->gate ? end->gate : "");
    *ip = end->ip;
}

bool
conn_question(const struct conn_end *from, const struct conn_end *to, int family, struct flow_spec *flow)
{
    bool from_internet = !from->eni && !from->gate;
    *flow = (struct flow_spec){
        .protocol = PROTOCOL_TCP, .src_port = 40000, .dst_port = 443, .icmp_type = -1, .icmp_code = -1, .family = family
    };
    name_end(from, &flow->from, &flow->src_ip);
    name_end(to, &flow->to, &flow->dst_ip);
    if (from_internet && to->eni && family == IP_V4) {
        const struct ip *public_ip = eni_public_ip(to->eni, &to->ip);
        flow->dst_ip = public_ip ? *public_ip : to->ip;
        return public_ip != NULL;
    }
    return !from_internet || to->eni;
}

/* One packet's way.  False: it met a place that looks at the protocol. */
static bool
ask_with(struct conn_ways *ways, const struct ends *ends, int protocol, int icmp_type, bool with_groups,
         struct conn_way *way)
{
    struct open_ways walks;
    struct flow_spec flow;
    struct err err = { 0 };
    if (!conn_question(ends->from, ends->to, ways->family, &flow)) {
        way->why = "no-public-ip";
        return true;
    }
    flow.protocol = protocol;
    flow.icmp_type = icmp_type;
    ways->n_walks++;
    if (!reach_open_ways(ways->net, &flow, &walks, &err)) {
        way->why = "no-such-question";
        return true;
    }
    bool plain = walk_is_plain(&walks.forward) && walk_is_plain(&walks.back);
    way->why = stop_rows[walks.forward.stop].why;
    if (walks.forward.arrived) {
        way->passes = forward_packets(ways, &walks.forward, with_groups, ends, way);
    }
    if (walks.answered && walks.back.arrived) {
        way->answered = answered_packets(ways, &walks.back, with_groups, ends, way);
    }
    way->lost = walks.answered ? stop_rows[walks.back.stop].why : NULL;
    open_ways_done(&walks);
    return plain;
}

/* Packets that NAT gateways, endpoints and egress-only gateways treat alike, and one of each to ask about. */
static const struct {
    const char *packets;
    int family, protocol, icmp_type; /* family 0: both */
} kinds[] = {
    { "tcp", 0, PROTOCOL_TCP, -1 },
    { "udp", 0, PROTOCOL_UDP, -1 },
    { "icmp/8", IP_V4, PROTOCOL_ICMP, 8 },
    { "icmp/0", IP_V4, PROTOCOL_ICMP, 0 },
    { "icmp/1-7,9-255", IP_V4, PROTOCOL_ICMP, 13 },
    { "icmp/128", IP_V6, PROTOCOL_ICMPV6, 128 },
    { "icmp/129", IP_V6, PROTOCOL_ICMPV6, 129 },
    { "icmp/0-127,130-255", IP_V6, PROTOCOL_ICMPV6, 3 },
    { "other", 0, 47, -1 },
};

void
conn_ways_ask(struct conn_ways *ways, const struct conn_end *from, const struct conn_end *to, bool with_groups,
              struct conn_way *way)
{
    const struct ends ends = { from, to };
    *way = (struct conn_way){ .passes = PACKETS_NONE, .answered = PACKETS_NONE };
    if (!from->eni && !to->eni && (!from->gate || (to->gate && strcmp(from->gate, to->gate) == 0))) {
        return; /* not through AWS */
    }
    if (ask_with(ways, &ends, PROTOCOL_TCP, -1, with_groups, way)) {
        return;
    }
    struct conn_way sum = { .passes = PACKETS_NONE, .answered = PACKETS_NONE, .why = way->why, .lost = way->lost };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].family && kinds[i].family != ways->family) {
            continue;
        }
        struct conn_way one = { .passes = PACKETS_NONE, .answered = PACKETS_NONE };
        struct packet_set kind = { 0 };
        packet_set_parse(kinds[i].packets, ways->family, &kind, NULL);
        int only = set_pool_take(ways->pool, &kind);
        ask_with(ways, &ends, kinds[i].protocol, kinds[i].icmp_type, with_groups, &one);
        one.passes = set_pool_combine(ways->pool, one.passes, only, PACKETS_INTERSECT);
        one.answered = set_pool_combine(ways->pool, one.answered, only, PACKETS_INTERSECT);
        sum.passes = set_pool_combine(ways->pool, sum.passes, one.passes, PACKETS_UNION);
        sum.answered = set_pool_combine(ways->pool, sum.answered, one.answered, PACKETS_UNION);
        sum.by_pair = sum.by_pair || one.by_pair;
        sum.why = one.why ? sum.why : NULL;
    }
    *way = sum;
}

/* ---- All ways ------------------------------------------------------------------------------------------------------
 */

static int
way_index(struct conn_ways *ways, const struct conn_way *way)
{
    char key[120];
    snprintf(key, sizeof key, "%d %d %d %s/%s", way->passes, way->answered, way->by_pair, way->why ? way->why : "",
             way->lost ? way->lost : "");
    uintptr_t index = (uintptr_t)map_get(&ways->known_ways, key);
    if (!index) {
        *VEC_ADD(&ways->ways) = *way;
        index = ways->ways.n;
        map_put(&ways->known_ways, key, (void *)index);
    }
    return (int)index - 1;
}

bool
conn_ways_walk(struct conn_ways *ways)
{
    size_t n = ways->sites.n;
    bool by_pair = false;
    int *sides = xcalloc(n + 1, sizeof *sides);
    ways->between = xcalloc(n * n + 1, sizeof *ways->between);
    ways->like = xcalloc(n + 1, sizeof *ways->like);
    for (size_t i = 0; i < n; i++) {
        const struct site *from = &ways->sites.items[i];
        sides[i] = from->side;
        ways->like[i] = (int)i;
        for (size_t k = 0; k < n; k++) {
            const struct site *to = &ways->sites.items[k];
            struct conn_way way;
            conn_ways_ask(ways, &from->end, &to->end, false, &way);
            by_pair = by_pair || way.by_pair;
            ways->between[i * n + k] = way_index(ways, &way);
        }
    }
    if (!by_pair) {
        conn_find_alike(n, ways->between, sides, ways->like);
    }
    free(sides);
    return !by_pair;
}

int
conn_ways_like(const struct conn_ways *ways, int site)
{
    return ways->like[site];
}

const struct conn_way *
conn_ways_between(const struct conn_ways *ways, int from, int to)
{
    return &ways->ways.items[ways->between[(size_t)from * ways->sites.n + (size_t)to]];
}

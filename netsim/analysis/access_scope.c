#include "netsim/analysis/access_scope.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/access_scope_match.h"
#include "netsim/analysis/question.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

#define MAX_FINDINGS  1000 /* of one match; AWS shows a part of many, too */
#define MAX_ADDRESSES 24   /* tried for one pair */

/* ---- The ends ------------------------------------------------------------------------------------------------------
 */

typedef VEC(struct scope_end) end_list;

/* Interfaces of gateways and balancers are places on the way. */
static bool
is_end(const struct eni *eni)
{
    return !eni->type || strcmp(eni->type, "interface") == 0 || strcmp(eni->type, "vpc_endpoint") == 0 ||
           strcmp(eni->type, "lambda") == 0;
}

/* Nothing tells them apart: same subnet and groups, both or neither with a public address, both or neither running. */
static bool
alike(const struct network *net, const struct eni *a, const struct eni *b)
{
    if (strcmp(a->subnet_id, b->subnet_id) != 0 || a->groups.n != b->groups.n ||
        a->source_dest_check != b->source_dest_check) {
        return false;
    }
    for (size_t i = 0; i < a->groups.n; i++) {
        if (strcmp(a->groups.items[i].id, b->groups.items[i].id) != 0) {
            return false;
        }
    }
    const struct ip *pa = eni_primary_ip(a), *pb = eni_primary_ip(b);
    bool public_a = pa && eni_public_ip(a, pa), public_b = pb && eni_public_ip(b, pb);
    const struct instance *ia = eni_instance(net, a), *ib = eni_instance(net, b);
    return public_a == public_b && (!ia || instance_is_running(ia)) == (!ib || instance_is_running(ib));
}

/* At most two of a kind: one, and one that it may talk to. */
static bool
enough_alike(const struct network *net, const end_list *ends, const struct eni *eni)
{
    size_t n = 0;
    for (size_t i = 0; i < ends->n && n < 2; i++) {
        n += ends->items[i].eni && alike(net, ends->items[i].eni, eni);
    }
    return n >= 2;
}

static const struct kind *const gateway_kinds[] = { &internet_gateway_kind, &vpn_gateway_kind, &peering_kind,
                                                    &tgw_attachment_kind };

static int
collect_ends(const struct network *net, const json_t *path, const char *side, end_list *ends)
{
    const struct store *store = network_store(net);
    bool named = json_object_get(json_object_get(path, side), "ResourceStatement") != NULL;
    int n_enis = 0;
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        struct scope_end end = { .eni = eni };
        if (is_end(eni) && scope_end_fits(net, &end, path, side)) {
            n_enis++;
            if (named || !enough_alike(net, ends, eni)) {
                *VEC_ADD(ends) = end;
            }
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(gateway_kinds); i++) {
        for (const struct object *o = store_first(store, gateway_kinds[i]); o; o = store_next(store, o)) {
            struct scope_end end = { .gateway = o };
            if (scope_end_fits(net, &end, path, side)) {
                *VEC_ADD(ends) = end;
            }
        }
    }
    return n_enis;
}

static struct flow_end
flow_end_of(const struct scope_end *end)
{
    struct flow_end out = { .kind = end->eni ? FLOW_END_ENI : FLOW_END_GATEWAY };
    strcpy(out.id, end->eni ? end->eni->obj.id : end->gateway->id);
    return out;
}

/* ---- Packets to try ------------------------------------------------------------------------------------------------
 */

struct scope_search {
    const struct network *net;
    const json_t *match, *exclude;
    const struct scope_end *from, *to;
    json_t *findings;
    unsigned char *bounds[2]; /* of tcp, udp */
};

struct addresses {
    struct ip list[MAX_ADDRESSES]; /* IP_NONE: the end's own */
    size_t n;
};

static void
add_address(struct addresses *a, const struct ip *ip)
{
    for (size_t i = 0; i < a->n; i++) {
        if (ip_equal(&a->list[i], ip)) {
            return;
        }
    }
    bool nowhere = ip->family != IP_V4 || (uint32_t)ip->lo >> 24 == 0; /* 0.0.0.0/8 is no host */
    if (a->n < MAX_ADDRESSES && !nowhere) {
        a->list[a->n++] = *ip;
    }
}

/* The first address inside, and the first one past it: what is excluded ends there. */
static void
add_bounds(struct addresses *a, const struct cidr *cidr)
{
    struct ip first = cidr_first(cidr), last = cidr_last(cidr), after = ip_add(&last, 1);
    add_address(a, &first);
    add_address(a, &after);
}

static void
add_texts(struct addresses *a, const json_t *path, const char *side, const char *member)
{
    const json_t *header = json_object_get(json_object_get(path, side), "PacketHeaderStatement"),
                 *list = json_object_get(header, member);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct cidr cidr;
        if (cidr_parse_loose(json_string_value(json_array_get(list, i)), &cidr)) {
            add_bounds(a, &cidr);
        }
    }
}

/* Far apart, so that a block that is excluded seldom holds them all. */
static const char *const hosts_outside[] = { "1.1.1.1", "54.0.0.1", "133.0.0.1", "217.0.0.1" };

/* Beyond a gateway: its own idea of an address, what the statements name, and what rules of the other end name. */
static void
addresses_beyond(const struct scope_search *s, bool source, const struct eni *other, struct addresses *a)
{
    const char *member = source ? "SourceAddresses" : "DestinationAddresses";
    *a = (struct addresses){ .n = 1 };
    add_texts(a, s->match, "Source", member);
    add_texts(a, s->match, "Destination", member);
    for (size_t i = 0; i < json_array_size(s->exclude); i++) {
        add_texts(a, json_array_get(s->exclude, i), "Source", member);
        add_texts(a, json_array_get(s->exclude, i), "Destination", member);
    }
    for (size_t i = 0; i < ARRAY_SIZE(hosts_outside); i++) {
        struct ip host = ip_lit(hosts_outside[i]);
        add_address(a, &host);
    }
    for (size_t g = 0; other && g < other->groups.n; g++) {
        const struct security_group *group =
            store_get(network_store(s->net), &security_group_kind, other->groups.items[g].id);
        for (size_t i = 0; group && i < group->rules.n; i++) {
            if (group->rules.items[i].egress != source && group->rules.items[i].cidr.ip.family) {
                add_bounds(a, &group->rules.items[i].cidr);
            }
        }
    }
}

/* ---- Findings ------------------------------------------------------------------------------------------------------
 */

static bool
path_fits(const struct scope_search *s, const json_t *path, const struct reach_result *r)
{
    return scope_end_fits(s->net, s->from, path, "Source") && scope_end_fits(s->net, s->to, path, "Destination") &&
           scope_header_fits(s->net, &r->sent, path, "Source") &&
           scope_header_fits(s->net, &r->arrives, path, "Destination") && scope_through_fits(s->net, r->forward, path);
}

static bool
excluded(const struct scope_search *s, const struct reach_result *r)
{
    bool out = false;
    for (size_t i = 0; i < json_array_size(s->exclude) && !out; i++) {
        out = path_fits(s, json_array_get(s->exclude, i), r);
    }
    return out;
}

/* The cheap question first; components only for what arrives. */
static bool
try_packet(const struct scope_search *s, struct flow_spec *flow)
{
    struct reach_result r = { 0 };
    bool found = reach(s->net, flow, false, &r, NULL) && r.path_found;
    reach_result_done(&r);
    if (!found || !reach(s->net, flow, true, &r, NULL)) {
        return false;
    }
    found = path_fits(s, s->match, &r) && !excluded(s, &r);
    if (found) {
        json_array_append(s->findings, r.forward);
    }
    reach_result_done(&r);
    return found;
}

/* Ports the statements begin or end with are bounds, too. */
static void
add_port_bounds(const json_t *path, unsigned char *bounds)
{
    static const char *const sides[] = { "Source", "Destination" };
    for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
        const json_t *header = json_object_get(json_object_get(path, sides[i]), "PacketHeaderStatement"),
                     *ports = json_object_get(header, "DestinationPorts");
        for (size_t k = 0; k < json_array_size(ports); k++) {
            int from, to;
            if (scope_port_range(json_string_value(json_array_get(ports, k)), &from, &to)) {
                bounds[from] = 1;
                bounds[to < 65535 ? to + 1 : to] = 1;
            }
        }
    }
}

static int
source_port(const json_t *path)
{
    const json_t *header = json_object_get(json_object_get(path, "Source"), "PacketHeaderStatement");
    const char *text = json_string_value(json_array_get(json_object_get(header, "SourcePorts"), 0));
    int from = -1, to;
    return text && scope_port_range(text, &from, &to) ? from : -1;
}

static bool
try_ports(const struct scope_search *s, struct flow_spec *flow)
{
    const unsigned char *bounds = s->bounds[flow->protocol == PROTOCOL_UDP];
    bool found = false;
    for (int port = 0; port < 65536 && !found; port++) {
        if (bounds[port]) {
            flow->dst_port = port;
            found = try_packet(s, flow);
        }
    }
    return found;
}

/* One finding a pair and protocol. */
static void
find_between(const struct scope_search *s)
{
    static const int protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP };
    struct addresses sources = { .n = 1 }, destinations = { .n = 1 };
    if (!s->from->eni) {
        addresses_beyond(s, true, s->to->eni, &sources);
    }
    if (!s->to->eni) {
        addresses_beyond(s, false, s->from->eni, &destinations);
    }
    for (size_t p = 0; p < ARRAY_SIZE(protocols); p++) {
        bool found = false;
        for (size_t i = 0; i < sources.n && !found; i++) {
            for (size_t k = 0; k < destinations.n && !found; k++) {
                struct flow_spec flow = { .from = flow_end_of(s->from),
                                          .to = flow_end_of(s->to),
                                          .protocol = protocols[p],
                                          .src_port = source_port(s->match),
                                          .icmp_type = -1,
                                          .icmp_code = -1,
                                          .src_ip = sources.list[i],
                                          .dst_ip = destinations.list[k],
                                          .family = IP_V4 };
                found = try_ports(s, &flow);
            }
        }
    }
}

static int
find_match(const struct network *net, const json_t *match, const json_t *exclude, json_t *findings)
{
    end_list from = { 0 }, to = { 0 };
    struct scope_search s = { .net = net, .match = match, .exclude = exclude, .findings = json_array() };
    int n_enis = collect_ends(net, match, "Source", &from) + collect_ends(net, match, "Destination", &to);
    for (int p = 0; p < 2; p++) {
        s.bounds[p] = port_bounds(net, p ? PROTOCOL_UDP : PROTOCOL_TCP);
        add_port_bounds(match, s.bounds[p]);
        for (size_t i = 0; i < json_array_size(exclude); i++) {
            add_port_bounds(json_array_get(exclude, i), s.bounds[p]);
        }
    }
    for (size_t i = 0; i < from.n; i++) {
        for (size_t k = 0; k < to.n && json_array_size(s.findings) < MAX_FINDINGS; k++) {
            s.from = &from.items[i];
            s.to = &to.items[k];
            if ((s.from->eni || s.to->eni) && s.from->eni != s.to->eni) {
                find_between(&s);
            }
        }
    }
    json_array_extend(findings, s.findings);
    json_decref(s.findings);
    free(s.bounds[0]);
    free(s.bounds[1]);
    VEC_DONE(&from);
    VEC_DONE(&to);
    return n_enis;
}

int
access_scope_findings(const struct network *net, const json_t *match, const json_t *exclude, json_t *findings)
{
    int most = 0, n_all = (int)store_count(network_store(net), &eni_kind);
    for (size_t i = 0; i < json_array_size(match); i++) {
        int n = find_match(net, json_array_get(match, i), exclude, findings);
        most = n > most ? n : most;
    }
    return most < n_all ? most : n_all;
}

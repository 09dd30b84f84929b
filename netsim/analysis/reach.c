#include "netsim/analysis/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/explain.h"
#include "netsim/analysis/obstacle.h"
#include "netsim/analysis/vpce.h"
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

#define EPHEMERAL_PORT 40000
#define MAX_DEVICES    32 /* interfaces of one instance; the largest types take 15 a network card */

/* An outside host to ask from or about, where the question names none. */
static struct ip
internet_host(int family)
{
    return ip_lit(family == IP_V6 ? "2001:4860:4860::8888" : "8.8.8.8");
}

const char *
flow_str(const struct packet *packet)
{
    static _Thread_local char buffers[8][48];
    static _Thread_local unsigned turn;
    char *text = buffers[turn++ % 8];
    if (protocol_has_ports(packet->protocol) && packet->dst_port >= 0) {
        snprintf(text, sizeof buffers[0], "%s/%d", protocol_name(packet->protocol), packet->dst_port);
    } else if (protocol_is_icmp(packet->protocol)) {
        snprintf(text, sizeof buffers[0], "%s %d/%d", packet->protocol == PROTOCOL_ICMP ? "icmp" : "icmpv6",
                 packet->icmp_type, packet->icmp_code);
    } else {
        snprintf(text, sizeof buffers[0], protocol_has_ports(packet->protocol) ? "%s" : "protocol %s",
                 protocol_name(packet->protocol));
    }
    return text;
}

/* ---- The ends ------------------------------------------------------------------------------------------------------
 */

/* An end as the model knows it. */
struct end {
    const struct eni *eni; /* NULL: the internet */
    struct ip ip;          /* its address in the question */
    const char *gateway_id;
    bool any_holder; /* given as an address: whoever has it */
};

/* The kinds of gateways an end may be, by id prefix. */
static const struct {
    const char *prefix;
    const struct kind *kind;
} gateway_ends[] = {
    { "igw-", &internet_gateway_kind },
    { "tgw-attach-", &tgw_attachment_kind },
    { "tgw-", &transit_gateway_kind },
    { "vgw-", &vpn_gateway_kind },
    { "pcx-", &peering_kind },
    { "eigw-", &egress_only_gateway_kind },
    { "cgw-", &customer_gateway_kind },
    { "vpn-", &vpn_connection_kind },
    { "", &direct_connect_gateway_kind }, /* ids of any form */
};

static int
flow_family(const struct flow_spec *flow)
{
    const struct ip *stated[] = { &flow->src_ip, &flow->dst_ip, &flow->from.ip, &flow->to.ip };
    for (size_t i = 0; i < ARRAY_SIZE(stated); i++) {
        if (stated[i]->family != IP_NONE) {
            return stated[i]->family;
        }
    }
    return flow->family == IP_V6 || flow->protocol == PROTOCOL_ICMPV6 ? IP_V6 : IP_V4;
}

static const struct ip *
eni_address_of_family(const struct eni *eni, int family)
{
    if (family == IP_V6) {
        return eni->addresses6.n ? &eni->addresses6.items[0].ip : NULL;
    }
    return eni_primary_ip(eni);
}

/* An address as an end: the interface that has it (only one may), else the world outside. */
static bool
end_from_address(const struct network *net, const struct ip *ip, const char *near_vpc, const struct eni **eni,
                 struct err *err)
{
    *eni = near_vpc ? network_eni_by_address(net, near_vpc, ip) : NULL;
    if (*eni) {
        return true;
    }
    const struct store *store = network_store(net);
    for (const struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        const struct eni *found = network_eni_by_address(net, vpc->obj.id, ip);
        if (found && *eni) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is an address of %s and of %s", ip_str(ip),
                    (*eni)->obj.id, found->obj.id);
            return err_hint(err, "name the interface or the instance");
        }
        *eni = found ? found : *eni;
    }
    if (!*eni && ip->family == IP_V4) {
        struct ip private_ip;
        *eni = network_eni_by_public_ip(net, ip, &private_ip);
    }
    return true;
}

static bool
end_from_instance(const struct network *net, const char *id, struct end *end, struct err *err)
{
    const struct instance *instance = network_require(net, &instance_kind, id, err);
    if (!instance) {
        return false;
    }
    for (int device = 0; !end->eni && device < MAX_DEVICES; device++) {
        end->eni = instance_eni(net, instance, device); /* its first interface */
    }
    if (!end->eni) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "instance `%s` (%s) has no network interface", id,
                       instance->state_name ? instance->state_name : "unknown state");
    }
    return true;
}

static bool
end_from_gateway(const struct network *net, const char *id, struct end *end, struct err *err)
{
    if (strncmp(id, "nat-", 4) == 0) {
        const struct nat_gateway *nat = network_require(net, &nat_gateway_kind, id, err);
        if (!nat) {
            return false;
        }
        end->eni = nat->addresses.n ? store_get(network_store(net), &eni_kind, nat->addresses.items[0].eni_id) : NULL;
        if (!end->eni) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "NAT gateway `%s` has no network interface", id);
        }
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(gateway_ends); i++) {
        if (strncmp(id, gateway_ends[i].prefix, strlen(gateway_ends[i].prefix)) == 0) {
            end->gateway_id = id;
            return network_require(net, gateway_ends[i].kind, id, err) != NULL;
        }
    }
    return false;
}

/* An interface endpoint is one of its interfaces; a gateway endpoint is a gateway. */
static bool
end_from_vpce(const struct network *net, const char *id, const struct ip *override, const char *near_subnet,
              struct end *end, struct err *err)
{
    struct vpce vpce;
    if (!vpce_find(net, id, &vpce)) {
        return err_set(err, ERR_INPUT, "InvalidVpcEndpointId.NotFound", "no VPC endpoint is called `%s`", id);
    }
    end->gateway_id = id;
    if (!vpce.is_gateway) {
        const struct eni *stated = override->family ? network_eni_by_address(net, vpce.vpc_id, override) : NULL;
        const char *owner = stated ? vpce_of_eni(net, stated->obj.id) : NULL;
        end->eni = owner && strcmp(owner, id) == 0 ? stated : vpce_eni(net, id, near_subnet);
    }
    if (!vpce.is_gateway && !end->eni) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "VPC endpoint `%s` has no network interface", id);
    }
    return true;
}

static bool
end_resolve(const struct network *net, const struct flow_end *named, const struct ip *override, const struct eni *near,
            bool is_destination, struct end *end, struct err *err)
{
    switch (named->kind) {
    case FLOW_END_INSTANCE:
        return end_from_instance(net, named->id, end, err);
    case FLOW_END_ENI:
        end->eni = network_require(net, &eni_kind, named->id, err);
        return end->eni != NULL;
    case FLOW_END_GATEWAY:
        if (strncmp(named->id, "vpce-", 5) != 0) {
            return end_from_gateway(net, named->id, end, err);
        }
        return end_from_vpce(net, named->id, override, near ? near->subnet_id : NULL, end, err);
    case FLOW_END_VPCE:
        return end_from_vpce(net, named->id, override, near ? near->subnet_id : NULL, end, err);
    case FLOW_END_IP:
        end->any_holder = true;
        end->ip = named->ip;
        return end_from_address(net, override->family ? override : &named->ip,
                                is_destination ? near ? near->vpc_id : "" : NULL, &end->eni, err);
    case FLOW_END_INTERNET:
        return true;
    case FLOW_END_NONE:
        break;
    }
    return err_set(err, ERR_INPUT, "MissingParameter", "the question names no %s",
                   is_destination ? "destination" : "source");
}

/* The address an interface is spoken of by: the stated one, else its own of that family. */
static bool
eni_end_ip(const struct eni *eni, int family, struct ip *ip, struct err *err)
{
    const struct ip *own = eni_address_of_family(eni, family);
    if (!own) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no IPv%d address", eni->obj.id, family);
    }
    *ip = *own;
    return true;
}

/* From outside an interface goes by its public address.  False: it has none. */
static bool
public_end_ip(const struct eni *eni, int family, struct ip *ip)
{
    if (family == IP_V6) {
        const struct ip *own = eni_address_of_family(eni, family);
        *ip = own ? *own : (struct ip){ 0 };
        return own && !ip_is_private(own);
    }
    const struct ip *own = eni_primary_ip(eni);
    const struct ip *public_ip = own ? eni_public_ip(eni, own) : NULL;
    for (size_t i = 0; !public_ip && i < eni->addresses.n; i++) {
        public_ip = eni_public_ip(eni, &eni->addresses.items[i].ip);
    }
    *ip = public_ip ? *public_ip : own ? *own : (struct ip){ 0 };
    return public_ip != NULL;
}

/* ---- The question --------------------------------------------------------------------------------------------------
 */

struct question {
    const struct network *net;
    struct end from, to;
    struct packet packet;
    bool from_alone, to_alone;   /* interfaces, whatever the state of their instances */
    const char *wanted_receiver; /* behind a balancer; NULL: any */
    struct ip anyone;            /* the outside host, where the question names none */
    bool filters_open;           /* walk past every filter: reach_open_ways() */
    bool no_public_ip;           /* from outside to an interface without public address */
};

/* From the internet, or an internet gateway: the packet is meant for a public address. */
static bool
from_public_side(const struct question *q)
{
    return !q->from.eni && (!q->from.gateway_id || strncmp(q->from.gateway_id, "igw-", 4) == 0);
}

static bool
protocol_check(const struct flow_spec *flow, int family, int *protocol, struct err *err)
{
    *protocol = flow->protocol;
    if (flow->protocol < 0 || flow->protocol > 255) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "a packet has one protocol, 0 to 255; `%s` is none",
                protocol_name(flow->protocol));
        return err_hint(err, "ask for tcp, udp, icmp or a number");
    }
    if (protocol_is_icmp(flow->protocol)) {
        *protocol = family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP; /* people say icmp for both */
    }
    if (flow->dst_port > 65535 || flow->src_port > 65535) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "a port is 0 to 65535, not `%d`",
                       flow->dst_port > 65535 ? flow->dst_port : flow->src_port);
    }
    return true;
}

static bool
ends_check(const struct question *q, struct err *err)
{
    if (q->packet.src.family != q->packet.dst.family) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination", "`%s` and `%s` are of different families",
                       ip_str(&q->packet.src), ip_str(&q->packet.dst));
    }
    if (!q->from.eni && !q->to.eni && !q->to.any_holder && from_public_side(q)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "both ends are outside the lab");
        return err_hint(err, "name an instance or an interface as one end");
    }
    return true;
}

/* Who stands behind a gateway, as far as the model tells: a service of an endpoint, a static route of a VPN. */
static bool
gateway_address(const struct question *q, const struct end *end, int family, struct ip *ip)
{
    const struct store *store = network_store(q->net);
    const char *id = end->gateway_id;
    for (const struct vpn_connection *vpn = store_first(store, &vpn_connection_kind); vpn;
         vpn = store_next(store, vpn)) {
        bool behind = strcmp(vpn->obj.id, id) == 0 || strcmp(vpn->vpn_gateway_id, id) == 0 ||
                      strcmp(vpn->customer_gateway_id, id) == 0;
        if (behind && vpn->routes.n > 0 && vpn->routes.items[0].cidr.ip.family == family) {
            struct ip first = cidr_first(&vpn->routes.items[0].cidr);
            *ip = ip_add(&first, 1);
            return true;
        }
    }
    return strncmp(id, "vpce-", 5) == 0 && vpce_service_address(q->net, id, family, ip);
}

static bool
question_addresses(const struct flow_spec *flow, int family, struct question *q, struct err *err)
{
    struct packet *p = &q->packet;
    p->src = flow->src_ip;
    p->dst = flow->dst_ip;
    if (!p->src.family) {
        if (q->from.eni) {
            if (q->from.any_holder && eni_has_ip(q->from.eni, &q->from.ip)) {
                p->src = q->from.ip;
            } else if (!eni_end_ip(q->from.eni, family, &p->src, err)) {
                return false;
            }
        } else {
            bool known = q->from.ip.family || (q->from.gateway_id && gateway_address(q, &q->from, family, &p->src));
            if (q->from.ip.family) {
                p->src = q->from.ip;
            } else if (!known) {
                p->src = q->anyone = internet_host(family);
            }
        }
    }
    if (p->dst.family) {
        return true;
    }
    if (q->to.ip.family) {
        p->dst = q->to.ip;
    } else if (!q->to.eni) {
        bool known = q->to.gateway_id && gateway_address(q, &q->to, family, &p->dst);
        if (!known) {
            p->dst = q->anyone = internet_host(family);
        }
    } else if (!from_public_side(q)) {
        return eni_end_ip(q->to.eni, family, &p->dst, err);
    } else if (!public_end_ip(q->to.eni, family, &p->dst)) {
        if (!p->dst.family) {
            return eni_end_ip(q->to.eni, family, &p->dst, err);
        }
        q->no_public_ip = true;
    }
    return true;
}

static bool
question_init(const struct network *net, const struct flow_spec *flow, struct question *q, struct err *err)
{
    *q = (struct question){ .net = net };
    int family = flow_family(flow);
    struct packet *p = &q->packet;
    if (!protocol_check(flow, family, &p->protocol, err)) {
        return false;
    }
    p->src_port = p->dst_port = -1;
    if (protocol_has_ports(p->protocol)) {
        p->src_port = flow->src_port >= 0 ? flow->src_port : EPHEMERAL_PORT;
        p->dst_port = flow->dst_port;
    }
    p->icmp_type = p->icmp_code = -1;
    if (protocol_is_icmp(p->protocol)) {
        p->icmp_type = flow->icmp_type >= 0 ? flow->icmp_type : p->protocol == PROTOCOL_ICMP ? 8 : 128;
        p->icmp_code = flow->icmp_code >= 0 ? flow->icmp_code : 0;
    }
    q->wanted_receiver = flow->receiver;
    q->from_alone = flow->interfaces_alone && flow->from.kind == FLOW_END_ENI;
    q->to_alone = flow->interfaces_alone && flow->to.kind == FLOW_END_ENI;
    if (!end_resolve(net, &flow->from, &flow->src_ip, NULL, false, &q->from, err) ||
        !end_resolve(net, &flow->to, &flow->dst_ip, q->from.eni, true, &q->to, err)) {
        return false;
    }
    return question_addresses(flow, family, q, err) && ends_check(q, err);
}

static struct target
question_target(const struct question *q)
{
    if (q->to.gateway_id) {
        return (struct target){ .kind = q->to.eni ? TARGET_ENI : TARGET_GATEWAY,
                                .eni = q->to.eni,
                                .gateway_id = q->to.gateway_id };
    }
    if (q->to.any_holder) {
        return (struct target){ .kind = TARGET_ADDRESS };
    }
    if (q->to.eni) {
        return (struct target){ .kind = TARGET_ENI, .eni = q->to.eni };
    }
    return (struct target){ .kind = TARGET_INTERNET };
}

/* ---- Both ways -----------------------------------------------------------------------------------------------------
 */

/* Types that ask for an answer, and the answer's.  Sources: RFC 792, RFC 4443; IANA's ICMP parameters. */
static const struct {
    int protocol, request, reply;
} icmp_answers[] = {
    { PROTOCOL_ICMP, 8, 0 },   { PROTOCOL_ICMP, 10, 9 },  { PROTOCOL_ICMP, 13, 14 },
    { PROTOCOL_ICMP, 15, 16 }, { PROTOCOL_ICMP, 17, 18 }, { PROTOCOL_ICMPV6, 128, 129 },
};

bool
packet_answer(const struct packet *packet, struct packet *answer)
{
    *answer = *packet;
    answer->src = packet->dst;
    answer->dst = packet->src;
    answer->src_port = packet->dst_port;
    answer->dst_port = packet->src_port;
    if (!protocol_is_icmp(packet->protocol)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(icmp_answers); i++) {
        if (icmp_answers[i].protocol == packet->protocol && icmp_answers[i].request == packet->icmp_type) {
            answer->icmp_type = icmp_answers[i].reply;
            answer->icmp_code = 0;
            return true;
        }
    }
    return false;
}

/* The VPC that a packet from outside to an address of nobody would be offered to: the one with an internet gateway, if
 * only one has. */
static const char *
only_open_vpc(const struct network *net)
{
    const struct store *store = network_store(net);
    const char *vpc_id = NULL;
    for (const struct internet_gateway *igw = store_first(store, &internet_gateway_kind); igw;
         igw = store_next(store, igw)) {
        for (size_t i = 0; i < igw->attachments.n; i++) {
            if (vpc_id && strcmp(vpc_id, igw->attachments.items[i].vpc_id) != 0) {
                return NULL;
            }
            vpc_id = igw->attachments.items[i].vpc_id;
        }
    }
    return vpc_id;
}

static void
walk_forward(const struct question *q, struct session *session, struct walk *walk)
{
    *walk = (struct walk){ .net = q->net, .target = question_target(q), .session = session, .anyone = q->anyone };
    walk->filters_open = q->filters_open;
    walk->alone[0] = q->from_alone ? q->from.eni : NULL;
    walk->alone[1] = q->to_alone ? q->to.eni : NULL;
    walk->wanted_receiver = q->wanted_receiver;
    if (q->from.gateway_id && !from_public_side(q)) {
        walk_from_gateway(walk, q->from.gateway_id, &q->packet);
    } else if (q->from.eni) {
        walk_from_eni(walk, q->from.eni, &q->packet);
    } else {
        walk->vpc_id = q->to.eni ? q->to.eni->vpc_id : only_open_vpc(q->net);
        walk->entry_id = q->from.gateway_id;
        walk_from_internet(walk, &q->packet);
        if (q->no_public_ip && walk->stop == STOP_IGW_NO_SUCH_PUBLIC_IP) {
            walk->stop = STOP_NO_PUBLIC_IP;
            walk->eni = q->to.eni;
        }
    }
}

/* The answer is a packet from where the first one ended, meant for where it came from; it must come under the address
 * that was asked. */
static bool
walk_back(const struct question *q, const struct walk *forward, struct session *session, struct walk *walk)
{
    struct packet answer, expected;
    if (!packet_answer(&forward->packet, &answer) || !packet_answer(&forward->start, &expected)) {
        return false;
    }
    *walk = (struct walk){ .net = q->net, .session = session, .is_reply = true, .anyone = q->anyone };
    walk->filters_open = q->filters_open;
    walk->alone[0] = q->from_alone ? q->from.eni : NULL;
    walk->alone[1] = q->to_alone ? q->to.eni : NULL;
    walk->target = q->from.eni ? (struct target){ .kind = TARGET_ENI, .eni = q->from.eni }
                               : (struct target){ .kind = TARGET_INTERNET };
    if (q->from.gateway_id && !from_public_side(q)) {
        walk->target = (struct target){ .kind = TARGET_GATEWAY, .gateway_id = q->from.gateway_id };
    }
    walk_answer(forward, walk, &answer);
    if (walk->arrived && (!ip_equal(&walk->packet.src, &expected.src) || walk->packet.src_port != expected.src_port)) {
        walk->arrived = false;
        walk->stop = STOP_ASYMMETRIC;
    }
    return true;
}

static void
result_codes(const struct walk *walk, const char **why, const char *codes[static 4])
{
    const struct stop_row *row = &stop_rows[walk->stop];
    *why = row->why;
    memcpy(codes, row->codes, sizeof row->codes);
    if (walk->stop == STOP_SG_EGRESS || walk->stop == STOP_SG_INGRESS) {
        size_t n = 1;
        if (walk->eni && !groups_have_rules(walk->net, walk->eni, walk->stop == STOP_SG_EGRESS)) {
            codes[n++] = "SG_HAS_NO_RULES";
        }
        if (walk->stop == STOP_SG_INGRESS && walk->eni &&
            groups_would_permit_reference(walk->net, walk->eni, &walk->packet, &walk->origin)) {
            codes[n++] = "SG_REFERENCING_SUPPORT";
        }
    }
}

static void
result_words(const struct walk *forward, const struct walk *back, struct reach_result *result)
{
    result->forward = explain_components(forward);
    result->back = back ? explain_components(back) : json_array();
    result->explanations = json_array();
    result->steps = json_array();
    explain_steps(forward, "forward", result->steps, NULL);
    const struct walk *no = forward->stop ? forward : back && back->stop ? back : NULL;
    if (back) {
        explain_steps(back, "return", result->steps, NULL);
    }
    if (no) {
        json_array_append_new(result->explanations, obstacle_explanation(no));
        result->reason = obstacle_reason(no);
        result->hint = obstacle_hint(no);
    }
}

static void
answer(const struct question *q, bool want_components, struct reach_result *result, struct trace *trace)
{
    struct session session = { 0 };
    struct walk forward, back = { 0 };
    walk_forward(q, &session, &forward);
    result->reachable = forward.arrived;
    result->sent = forward.start;
    result->arrives = forward.packet;
    explain_path(&forward, &result->path);
    trace_open(trace, "forward: %s from %s to %s", flow_str(&forward.start), ip_str(&forward.start.src),
               ip_str(&forward.start.dst));
    explain_steps(&forward, "forward", NULL, trace);
    trace_close(trace, forward.arrived ? TRACE_YES : TRACE_NO);
    bool answered = forward.arrived && walk_back(q, &forward, &session, &back);
    if (!forward.arrived) {
        result_codes(&forward, &result->why, result->codes);
    }
    if (answered) {
        result->reply = back.arrived ? REPLY_ALLOWED : REPLY_BLOCKED;
        if (!back.arrived) {
            result_codes(&back, &result->reply_why, result->reply_codes);
        }
        trace_open(trace, "return: %s from %s to %s", flow_str(&back.start), ip_str(&back.start.src),
                   ip_str(&back.start.dst));
        explain_steps(&back, "return", NULL, trace);
        trace_close(trace, back.arrived ? TRACE_YES : TRACE_NO);
    }
    /* AWS looks at tcp both ways, but through a transit gateway table and with the rest one way only. */
    result->path_found = forward.arrived && (forward.start.protocol != PROTOCOL_TCP || forward.crossed_tgw_table ||
                                             result->reply != REPLY_BLOCKED);
    for (size_t i = 0; i < forward.receivers.n; i++) {
        *VEC_ADD(&result->receivers) = xstrdup(forward.receivers.items[i]);
    }
    if (want_components) {
        result_words(&forward, answered ? &back : NULL, result);
    }
    walk_done(&forward);
    walk_done(&back);
    session_done(&session);
}

bool
reach(const struct network *net, const struct flow_spec *flow, bool want_components, struct reach_result *result,
      struct trace *trace, struct err *err)
{
    struct question q;
    if (!question_init(net, flow, &q, err)) {
        return false;
    }
    if (protocol_has_ports(q.packet.protocol) && q.packet.dst_port < 0) {
        q.packet.dst_port = reach_any_port(net, flow, 0);
    }
    answer(&q, want_components, result, trace);
    return true;
}

bool
reach_open_ways(const struct network *net, const struct flow_spec *flow, struct open_ways *ways, struct err *err)
{
    struct question q;
    *ways = (struct open_ways){ 0 };
    if (!question_init(net, flow, &q, err)) {
        return false;
    }
    q.filters_open = true;
    walk_forward(&q, &ways->session, &ways->forward);
    ways->answered = ways->forward.arrived && walk_back(&q, &ways->forward, &ways->session, &ways->back);
    return true;
}

void
open_ways_done(struct open_ways *ways)
{
    walk_done(&ways->forward);
    walk_done(&ways->back);
    session_done(&ways->session);
}

void
reach_result_done(struct reach_result *result)
{
    for (size_t i = 0; i < result->path.n; i++) {
        free(result->path.items[i]);
    }
    VEC_DONE(&result->path);
    for (size_t i = 0; i < result->receivers.n; i++) {
        free(result->receivers.items[i]);
    }
    VEC_DONE(&result->receivers);
    json_decref(result->forward);
    json_decref(result->back);
    json_decref(result->explanations);
    json_decref(result->steps);
    free(result->reason);
    free(result->hint);
    *result = (struct reach_result){ 0 };
}

/* ---- Any port ------------------------------------------------------------------------------------------------------
 */

/* Ports at which some rule begins or has just ended; between two of them nothing changes. */
static void
add_bounds(unsigned char *is_bound, int protocol, int rule_protocol, int from, int to)
{
    if (rule_protocol == protocol) {
        is_bound[from >= 0 && from <= 65535 ? from : 0] = 1;
        if (to >= 0 && to < 65535) {
            is_bound[to + 1] = 1;
        }
    }
}

static void
collect_bounds(const struct network *net, int protocol, unsigned char *is_bound)
{
    const struct store *store = network_store(net);
    for (const struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        for (size_t i = 0; i < g->rules.n; i++) {
            add_bounds(is_bound, protocol, g->rules.items[i].protocol, g->rules.items[i].from, g->rules.items[i].to);
        }
    }
    for (const struct network_acl *acl = store_first(store, &network_acl_kind); acl; acl = store_next(store, acl)) {
        for (size_t i = 0; i < acl->entries.n; i++) {
            const struct nacl_entry *entry = &acl->entries.items[i];
            add_bounds(is_bound, protocol, entry->protocol, entry->ports.from, entry->ports.to);
        }
    }
}

int
reach_any_port(const struct network *net, const struct flow_spec *flow, int otherwise)
{
    struct question q;
    if (!question_init(net, flow, &q, NULL) || !protocol_has_ports(q.packet.protocol)) {
        return otherwise;
    }
    unsigned char *is_bound = xcalloc(65536, 1);
    is_bound[0] = 1;
    collect_bounds(net, q.packet.protocol, is_bound);
    int found = -1;
    for (int port = 0, one_way = -1; port < 65536 && found < 0; port++) {
        if (is_bound[port]) {
            struct reach_result result = { 0 };
            q.packet.dst_port = port;
            answer(&q, false, &result, NULL);
            found = result.path_found ? port : -1;
            one_way = result.reachable && one_way < 0 ? port : one_way;
            reach_result_done(&result);
        }
        if (port == 65535 && found < 0) {
            found = one_way;
        }
    }
    free(is_bound);
    return found >= 0 ? found : otherwise;
}

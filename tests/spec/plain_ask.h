/* tests/spec/plain_ask.h - what reach() was asked, asked of the plain reading (plain_net.h): the header is taken from
 * reach()'s result, so that defaults are stated once. */
#pragma once
#include "netsim/analysis/reach.h"
#include "tests/spec/plain_net.h"

static inline struct plain_packet
plain_header(const struct packet *sent)
{
    return (struct plain_packet){ sent->src,      sent->dst,       sent->protocol, sent->src_port,
                                  sent->dst_port, sent->icmp_type, sent->icmp_code };
}

/* The way there. */
static inline struct plain
plain_ask(const struct network *net, const struct flow_spec *flow, const struct packet *sent)
{
    const struct store *store = network_store(net);
    const struct eni *from = flow->from.kind == FLOW_END_ENI ? store_get(store, &eni_kind, flow->from.id) : NULL;
    struct plain w = { .net = net, .p = plain_header(sent) };
    w.to_eni = flow->to.kind == FLOW_END_ENI ? store_get(store, &eni_kind, flow->to.id) : NULL;
    w.to_address = flow->to.kind == FLOW_END_IP;
    w.to_internet = flow->to.kind == FLOW_END_INTERNET;
    w.to_gateway = flow->to.kind == FLOW_END_GATEWAY ? flow->to.id : NULL;
    if (from) {
        plain_send(&w, from);
    } else if (flow->from.kind == FLOW_END_GATEWAY) {
        plain_from_gateway(&w, flow->from.id);
    } else {
        plain_from_outside(&w, NULL);
    }
    return w;
}

/* "allowed", "blocked" or "none", of a packet that arrived. */
static inline const char *
plain_ask_answer(const struct plain *there, const struct flow_spec *flow, const struct packet *sent)
{
    const struct store *store = network_store(there->net);
    const struct plain_packet first = plain_header(sent);
    bool gateway = flow->from.kind == FLOW_END_GATEWAY && strncmp(flow->from.id, "igw-", 4) != 0;
    return plain_answer_to(there, &first,
                           flow->from.kind == FLOW_END_ENI ? store_get(store, &eni_kind, flow->from.id) : NULL,
                           gateway ? flow->from.id : NULL);
}

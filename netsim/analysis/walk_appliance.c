/* Places of appliances: an interface that a route names as its target, and the instance behind it that sends packets
 * on.
 *
 * AWS's analyzer does not look through an instance; model/appliance.h says what is taken for granted here. */
#include <string.h>

#include "netsim/analysis/walk_places.h"
#include "netsim/model/appliance.h"
#include "netsim/model/network.h"

void
place_appliance(struct walk *w)
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

static bool
is_own(const struct walk *w, const struct ip *ip)
{
    const struct instance *instance = eni_instance(w->net, w->eni);
    struct eni *const *enis;
    bool own = false;
    for (size_t i = 0, n = instance ? instance_enis(w->net, instance, &enis) : 0; i < n; i++) {
        own = own || eni_has_ip(enis[i], ip);
    }
    return own;
}

/* What an appliance that translates remembers: an answer to its own address goes back to the first sender. */
bool
appliance_turns_back(struct walk *w)
{
    for (size_t i = 0; w->is_reply && i < w->session->translations.n; i++) {
        const struct translation *t = &w->session->translations.items[i];
        struct packet answer;
        if (t->appliance == w->eni && packet_answer(&t->after, &answer) && ip_equal(&answer.src, &w->packet.src) &&
            ip_equal(&answer.dst, &w->packet.dst) && answer.src_port == w->packet.src_port &&
            answer.dst_port == w->packet.dst_port) {
            w->packet.dst = t->before.src;
            w->packet.dst_port = t->before.src_port;
            w->hops.items[w->hops.n - 1].packet = w->packet;
            return true;
        }
    }
    return false;
}

static void
translate(struct walk *w, const struct eni *out)
{
    const struct ip *own = eni_primary_ip(out);
    /* An answer of which it knows nothing passes as it is, but for udp's, which looks like any first packet. */
    bool passes = w->is_reply && w->packet.protocol != PROTOCOL_UDP;
    if (passes || !own || w->packet.src.family != IP_V4 || is_own(w, &w->packet.src)) {
        return; /* of a connection of its own, which it began without translating */
    }
    struct translation *t = VEC_ADD(&w->session->translations);
    t->appliance = out;
    t->before = w->packet;
    w->packet.src = *own;
    t->after = w->packet;
    w->hops.items[w->hops.n - 1].packet = w->packet;
    w->origin = (struct origin){ .vpc_id = out->vpc_id };
}

/* AWS: "if you reference the security group of the other instance as the source, this does not allow traffic" through a
 * middlebox.  That it came by a transit gateway a NAT gateway still asks.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html */
void
walk_through_middlebox(struct walk *w)
{
    w->origin = (struct origin){ .by = w->origin.by == ORIGIN_TGW ? ORIGIN_TGW : ORIGIN_OUTSIDE };
}

void
appliance_sends_on(struct walk *w, bool turned_back)
{
    const struct instance *instance = eni_instance(w->net, w->eni);
    enum appliance_role role = instance ? instance_appliance(w->net, instance) : APPLIANCE_NONE;
    bool hears = instance && appliance_hears(w->net, w->eni, w->packet.dst.family);
    const struct eni *out = hears ? appliance_exit(w->net, instance, &w->packet.src, &w->packet.dst) : NULL;
    if (role == APPLIANCE_NONE || !out) {
        walk_stop(w, instance ? STOP_APPLIANCE_KEEPS : STOP_APPLIANCE);
        return;
    }
    struct hop *hop = &w->hops.items[w->hops.n - 1];
    hop->sent_on = true;
    walk_through_middlebox(w);
    if (role == APPLIANCE_TRANSLATES && !turned_back) {
        translate(w, out);
    }
    if (out != w->eni) {
        w->eni = out;
        walk_cross(w, HOP_ENI, &out->obj);
    }
    w->subnet = walk_get(w, &subnet_kind, out->subnet_id);
    if (!w->subnet) {
        walk_stop(w, STOP_NO_SUBNET);
    } else if (out->source_dest_check && !eni_has_ip(out, &w->packet.src)) {
        walk_stop(w, STOP_SPOOFED);
    } else if (walk_pass_groups(w, true)) {
        w->at = AT_EDGE_OUT;
    }
}

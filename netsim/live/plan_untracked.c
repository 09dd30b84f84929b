/* Flows that AWS does not track: a rule for tcp or udp lets everybody in (or out) and another lets every answer out (or
 * in).  Each of their packets is judged by the groups as they are now, so taking the rule away cuts them at once; a
 * tracked flow goes on.
 *
 * The connection's mark says for whom it is untracked: the sender's groups, the receiver's, or both.  What passes a NAT
 * gateway, a transit gateway, an endpoint, a balancer or an appliance is always tracked, and ICMP is.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"

static bool
is_everybody(const struct sg_rule *rule, int family)
{
    return rule->cidr.ip.family == family && rule->cidr.bits == 0;
}

/* Do the interface's groups let everything of the protocol pass in that direction, to and from everybody? */
static bool
is_open(struct builder *b, const struct eni *eni, bool egress, int family, int protocol)
{
    for (size_t i = 0; i < eni->groups.n; i++) {
        const struct security_group *group = store_get(b->store, &security_group_kind, eni->groups.items[i].id);
        for (size_t j = 0; group && j < group->rules.n; j++) {
            const struct sg_rule *r = &group->rules.items[j];
            bool all = r->protocol == PROTOCOL_ALL ||
                       (r->protocol == protocol && r->from <= 0 && (r->to == 65535 || r->to == -1));
            if (r->egress == egress && is_everybody(r, family) && all) {
                return true;
            }
        }
    }
    return false;
}

/* A line for each rule that leaves what it admits untracked. */
static void
write_lines(struct builder *b, const struct eni *eni, bool egress, struct buf *out)
{
    static const struct {
        int family, protocol;
        const char *match, *ports;
    } kinds[] = {
        { IP_V4, PROTOCOL_TCP, "meta nfproto ipv4 meta l4proto tcp", "tcp" },
        { IP_V4, PROTOCOL_UDP, "meta nfproto ipv4 meta l4proto udp", "udp" },
        { IP_V6, PROTOCOL_TCP, "meta nfproto ipv6 meta l4proto tcp", "tcp" },
        { IP_V6, PROTOCOL_UDP, "meta nfproto ipv6 meta l4proto udp", "udp" },
    };
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        if (!is_open(b, eni, !egress, kinds[k].family, kinds[k].protocol)) {
            continue;
        }
        for (size_t i = 0; i < eni->groups.n; i++) {
            const struct security_group *group = store_get(b->store, &security_group_kind, eni->groups.items[i].id);
            for (size_t j = 0; group && j < group->rules.n; j++) {
                const struct sg_rule *r = &group->rules.items[j];
                bool named = r->protocol == kinds[k].protocol;
                if (r->egress != egress || !is_everybody(r, kinds[k].family) ||
                    !(named || r->protocol == PROTOCOL_ALL)) {
                    continue;
                }
                buf_str_add(out, kinds[k].match);
                if (named && r->from > 0 && r->to == r->from) {
                    buf_printf(out, " %s dport %d", kinds[k].ports, r->from);
                } else if (named && r->from >= 0 && !(r->from == 0 && r->to == 65535)) {
                    buf_printf(out, " %s dport %d-%d", kinds[k].ports, r->from, r->to);
                }
                buf_printf(out, " ct mark set ct mark | 0x%x\n",
                           egress ? PLAN_UNTRACKED_SENDER : PLAN_UNTRACKED_RECEIVER);
            }
        }
    }
}

/* Interfaces with the same groups share a chain. */
static bool
chain_name(const struct eni *eni, bool egress, char name[static 40])
{
    if (!eni || !eni->groups.n || !eni->attachment.instance_id[0]) {
        return false;
    }
    struct buf ids = { 0 };
    for (size_t i = 0; i < eni->groups.n; i++) {
        buf_str_add(&ids, eni->groups.items[i].id);
        buf_char(&ids, ' ');
    }
    snprintf(name, 40, "unt_%016" PRIx64 "_%s", hash_bytes(ids.data, ids.size), egress ? "out" : "in");
    buf_done(&ids);
    return true;
}

bool
plan_untracked_chain(struct builder *b, const struct eni *eni, bool egress, char name[static 40], struct buf *rules)
{
    if (!chain_name(eni, egress, name)) {
        return false;
    }
    if (rules) {
        write_lines(b, eni, egress, rules);
    }
    return true;
}

static void
plan_direction(struct builder *b, struct plan_vpc *v, bool egress)
{
    struct map known = { 0 };
    struct plan_set *set = plan_set_add(b, v->router, egress ? "untracked_out" : "untracked_in",
                                        egress ? "map untracked_out { type ifname : verdict; }"
                                               : "map untracked_in { type ifname : verdict; }");
    VEC(struct plan_element) elements = { 0 };
    for (size_t i = 0; i < v->ports.n; i++) {
        const struct plan_port *port = &v->ports.items[i];
        char name[40];
        if (!chain_name(port->eni, egress, name)) {
            continue;
        }
        const char *made = map_get(&known, name);
        if (!made) {
            struct buf lines = { 0 };
            write_lines(b, port->eni, egress, &lines);
            made = lines.size ? "some" : "none";
            map_put(&known, name, (void *)(uintptr_t)made);
            if (lines.size) {
                plan_chain_add(b, v->router, name, "", buf_str(&lines));
            }
            buf_done(&lines);
        }
        if (strcmp(made, "some") == 0) {
            *VEC_ADD(&elements) = (struct plan_element){ arena_join(b->plan->arena, "\"", port->name, "\"", NULL),
                                                         arena_join(b->plan->arena, "jump ", name, NULL) };
        }
    }
    memcpy(&set->elements, &elements, sizeof elements);
    map_done(&known);
}

void
plan_untracked(struct builder *b, struct plan_vpc *v)
{
    struct plan_set *always = plan_set_add(b, v->router, "always_tracked", "set always_tracked { type ifname; }");
    for (size_t i = 0; i < v->ports.n; i++) {
        const struct eni *eni = v->ports.items[i].eni;
        if (!eni || !eni->attachment.instance_id[0] || !eni->source_dest_check) {
            plan_element_add(b, always, NULL, "\"%s\"", v->ports.items[i].name);
        }
    }
    for (size_t i = 0; i < v->transits.n; i++) {
        plan_element_add(b, always, NULL, "\"%s\"", v->transits.items[i].name);
    }
    for (size_t i = 0; i < v->endpoints.n; i++) {
        plan_element_add(b, always, NULL, "\"%s\"", v->endpoints.items[i].name);
    }
    if (v->egress_only) {
        plan_element_add(b, always, NULL, "\"eigw\"");
    }
    plan_direction(b, v, true);
    plan_direction(b, v, false);
}

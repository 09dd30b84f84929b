#include "netsim/analysis/explain.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/tgw_table.h"
#include "netsim/analysis/vpce.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/appliance.h"
#include "netsim/model/eni_owner.h"
#include "netsim/model/network.h"

#define MAX_RULES_SHOWN 8

typedef void say_fn(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out);

static const struct packet *
packet_before(const struct walk *walk, size_t i)
{
    return i ? &walk->hops.items[i - 1].packet : &walk->start;
}

/* ---- What a person reads -------------------------------------------------------------------------------------------
 */

static void
say_instance(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out)
{
    const struct instance *instance = (const struct instance *)(const void *)hop->component;
    if (instance && hop->sent_on) { /* what AWS's analyzer does not look through */
        bool own = !ip_equal(&before->src, &hop->packet.src), back = !ip_equal(&before->dst, &hop->packet.dst);
        bool tagged = instance_appliance(walk->net, instance) == APPLIANCE_TRANSLATES;
        buf_printf(out, "sends it on %s%s", own || back ? (own ? "as from " : "to ") : "unchanged",
                   own    ? ip_str(&hop->packet.src)
                   : back ? ip_str(&hop->packet.dst)
                          : "");
        buf_str_add(out, tagged ? " (tag " APPLIANCE_TAG "=nat)" : " (taken for granted: no source/destination check)");
    } else if (instance) {
        buf_str_add(out, instance->state_name ? instance->state_name : "running");
    }
}

static void
say_eni(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out)
{
    bool leaves = hop->eni && eni_has_ip(hop->eni, &before->src);
    const struct ip *own = leaves ? &before->src : &before->dst;
    if (hop->eni && !eni_has_ip(hop->eni, own) && eni_primary_ip(hop->eni)) {
        own = eni_primary_ip(hop->eni); /* it passes on what is another's */
    }
    buf_str_add(out, ip_str(own));
    if (hop->eni && *hop->eni->subnet_id) {
        const struct subnet *subnet = store_get(network_store(walk->net), &subnet_kind, hop->eni->subnet_id);
        const char *name = subnet ? object_name(&subnet->obj) : NULL;
        buf_printf(out, " in %s", name ? name : hop->eni->subnet_id);
    }
    const char *owner = hop->eni ? eni_owner_str(hop->eni) : NULL;
    if (owner) {
        buf_printf(out, ", of %s", owner);
    }
}

static void
say_groups(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out)
{
    if (hop->established) {
        buf_str_add(out, "answer of a connection it let through");
    } else if (hop->sg_rule) {
        buf_printf(out, *hop->sg_rule->id ? "rule %s: " : "rule%s: ", hop->sg_rule->id);
        sg_rule_words(walk->net, hop->sg_rule, out);
    } else {
        buf_printf(out, "no %s rule for %s %s %s", hop->egress ? "egress" : "ingress", flow_str(before),
                   hop->egress ? "to" : "from", ip_str(hop->egress ? &before->dst : &before->src));
    }
}

static void
say_acl(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out)
{
    (void)walk;
    if (hop->nacl_entry) {
        buf_printf(out, "%s ", hop->egress ? "out:" : "in:");
        nacl_entry_words(hop->nacl_entry, out);
    } else {
        buf_printf(out, "%s no rule for %s", hop->egress ? "out:" : "in:", flow_str(before));
    }
}

static void
say_route_table(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out)
{
    (void)walk;
    if (hop->route) {
        route_words(hop->route, out);
    } else {
        buf_printf(out, "no route to %s", ip_str(&before->dst));
    }
}

static void
say_end(const char *what, const struct ip *ip, int port, const struct ip *new_ip, int new_port, struct buf *out)
{
    if (port == new_port) {
        buf_printf(out, "%s %s becomes %s", what, ip_str(ip), ip_str(new_ip));
    } else {
        buf_printf(out, "%s %s port %d becomes %s port %d", what, ip_str(ip), port, ip_str(new_ip), new_port);
    }
}

static void
say_gateway(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out)
{
    const struct packet *after = &hop->packet;
    (void)walk;
    if (!ip_equal(&before->src, &after->src)) {
        say_end("source", &before->src, before->src_port, &after->src, after->src_port, out);
    } else if (!ip_equal(&before->dst, &after->dst)) {
        say_end("destination", &before->dst, before->dst_port, &after->dst, after->dst_port, out);
    } else if (hop->stopped) {
        buf_printf(out, "does not carry it");
    } else {
        buf_printf(out, "carries it unchanged");
    }
}

static void
say_tgw_table(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out)
{
    const struct tgw_route_table *table = (const struct tgw_route_table *)(const void *)hop->component;
    struct cidr host = cidr_host(&before->dst);
    struct tgw_way way = tgw_table_lookup(walk->net, table, &host);
    if (way.found) {
        buf_printf(out, "%s -> %s (%s)", cidr_str(&way.prefix), way.blackhole ? "blackhole" : way.attachment_id,
                   way.is_static ? "static" : "propagated");
    } else {
        buf_printf(out, "no route to %s", ip_str(&before->dst));
    }
}

static void
say_attachment(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out)
{
    const struct tgw_attachment *attachment = (const struct tgw_attachment *)(const void *)hop->component;
    (void)walk, (void)before;
    buf_printf(out, "%s %s, %s", attachment->resource_type ? attachment->resource_type : "attachment",
               attachment->resource_id, attachment->state ? attachment->state : "unknown state");
}

static void
say_unmodelled(const struct walk *walk, const struct hop *hop, const struct packet *before, struct buf *out)
{
    (void)hop, (void)before;
    buf_printf(out, "%s: not modelled", walk->stop_what ? walk->stop_what : "component");
}

/* ---- One row per kind of hop ---------------------------------------------------------------------------------------
 */

/* What the list of crossed ids shows: an instance stands for its interface, a subnet for its ACL. */
enum path_id { PATH_NOTHING, PATH_COMPONENT, PATH_HOLDER, PATH_SUBNET };

static const struct hop_row {
    const char *word;
    enum path_id path;
    say_fn *say;
} hop_rows[] = {
    [HOP_INSTANCE] = { "instance", PATH_HOLDER, say_instance },
    [HOP_ENI] = { "interface", PATH_HOLDER, say_eni },
    [HOP_GROUPS] = { "security group", PATH_HOLDER, say_groups },
    [HOP_SUBNET] = { "subnet", PATH_SUBNET, NULL },
    [HOP_ACL] = { "network ACL", PATH_SUBNET, say_acl },
    [HOP_ROUTE_TABLE] = { "route table", PATH_NOTHING, say_route_table },
    [HOP_VPC] = { "VPC", PATH_COMPONENT, NULL },
    [HOP_IGW] = { "internet gateway", PATH_COMPONENT, say_gateway },
    [HOP_NAT] = { "NAT gateway", PATH_COMPONENT, say_gateway },
    [HOP_PEERING] = { "peering connection", PATH_COMPONENT, say_gateway },
    [HOP_TGW] = { "transit gateway", PATH_COMPONENT, say_gateway },
    [HOP_TGW_TABLE] = { "transit gateway table", PATH_NOTHING, say_tgw_table },
    [HOP_ATTACHMENT] = { "attachment", PATH_COMPONENT, say_attachment },
    [HOP_VGW] = { "virtual private gateway", PATH_COMPONENT, say_gateway },
    [HOP_VPN] = { "VPN connection", PATH_COMPONENT, say_gateway },
    [HOP_CUSTOMER] = { "customer gateway", PATH_COMPONENT, say_gateway },
    [HOP_DX] = { "Direct Connect gateway", PATH_COMPONENT, say_gateway },
    [HOP_VIF] = { "virtual interface", PATH_COMPONENT, say_gateway },
    [HOP_EIGW] = { "egress-only gateway", PATH_COMPONENT, say_gateway },
    [HOP_VPCE] = { "VPC endpoint", PATH_COMPONENT, say_gateway },
    [HOP_SERVICE] = { "endpoint service", PATH_COMPONENT, say_gateway },
    [HOP_LB] = { "load balancer", PATH_NOTHING, say_gateway },
    [HOP_UNMODELLED] = { "unknown", PATH_COMPONENT, say_unmodelled },
};

static const char *
hop_path_id(const struct walk *walk, const struct hop *hop)
{
    switch (hop_rows[hop->kind].path) {
    case PATH_NOTHING:
        return NULL;
    case PATH_COMPONENT:
        return hop->id;
    case PATH_SUBNET:
        return hop->subnet ? hop->subnet->obj.id : NULL;
    case PATH_HOLDER:
        break;
    }
    const struct nat_gateway *nat = hop->eni ? eni_nat_gateway(walk->net, hop->eni) : NULL;
    return nat                                             ? nat->obj.id
           : hop->eni && *hop->eni->attachment.instance_id ? hop->eni->attachment.instance_id
           : hop->eni                                      ? hop->eni->obj.id
                                                           : hop->id;
}

static void
add_path_id(id_list *path, const char *id)
{
    if (id && (path->n == 0 || strcmp(path->items[path->n - 1], id) != 0)) {
        *VEC_ADD(path) = xstrdup(id);
    }
}

void
explain_path(const struct walk *walk, id_list *path)
{
    for (size_t i = 0; i < walk->hops.n; i++) {
        const struct hop *hop = &walk->hops.items[i];
        const char *id = hop_path_id(walk, hop);
        bool holder = hop_rows[hop->kind].path == PATH_HOLDER;
        /* An interface endpoint and its interface: what the question named comes last. */
        const char *endpoint =
            holder && hop->eni && !*hop->eni->attachment.instance_id ? vpce_of_eni(walk->net, hop->eni->obj.id) : NULL;
        bool asked = endpoint && walk->target.gateway_id && strcmp(walk->target.gateway_id, endpoint) == 0;
        if (endpoint && path->n > 0 && strcmp(path->items[path->n - 1], asked ? endpoint : id) == 0) {
            continue;
        }
        add_path_id(path, asked ? id : endpoint);
        add_path_id(path, asked ? endpoint : id);
    }
}

/* ---- Steps ---------------------------------------------------------------------------------------------------------
 */

static void
set(json_t *json, const char *member, json_t *value)
{
    json_object_set_new(json, member, value);
}

/* Which rules were looked at and why they do not fit, the nearest miss first. */
static json_t *
refused_by_groups(const struct walk *walk, const struct hop *hop)
{
    json_t *list = json_array();
    for (int nearness = MISMATCH_ADDRESS; nearness > MISMATCH_DIRECTION; nearness--) {
        for (size_t g = 0; g < hop->eni->groups.n; g++) {
            const struct security_group *group =
                store_get(network_store(walk->net), &security_group_kind, hop->eni->groups.items[g].id);
            for (size_t i = 0; group && i < group->rules.n && json_array_size(list) < MAX_RULES_SHOWN; i++) {
                const struct sg_rule *rule = &group->rules.items[i];
                enum mismatch mismatch = sg_rule_test(walk->net, hop->eni->vpc_id, rule, hop->egress, &hop->packet);
                if ((int)mismatch == nearness) {
                    struct buf words = { 0 };
                    sg_rule_words(walk->net, rule, &words);
                    json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "Id", *rule->id ? rule->id : group->obj.id,
                                                          "Text", buf_str(&words), "Misses",
                                                          mismatch_str(mismatch, hop->packet.protocol)));
                    buf_done(&words);
                }
            }
        }
    }
    return list;
}

static const char *
step_word(const struct walk *walk, const struct hop *hop)
{
    return hop->kind == HOP_UNMODELLED && walk->stop_what ? walk->stop_what : hop_rows[hop->kind].word;
}

static void
add_step(const struct walk *walk, const struct hop *hop, const char *direction, const char *text, json_t *steps)
{
    json_t *step = json_object();
    const char *name = component_name(hop->component);
    set(step, "Direction", json_string(direction));
    set(step, "Component", json_string(step_word(walk, hop)));
    set(step, "Id", json_string(hop->id ? hop->id : ""));
    if (name) {
        set(step, "Name", json_string(name));
    }
    set(step, "Verdict", json_string(hop->stopped ? "no" : "yes"));
    set(step, "Text", json_string(text));
    if (hop->stopped && hop->kind == HOP_GROUPS && hop->eni) {
        set(step, "Rules", refused_by_groups(walk, hop));
    }
    json_array_append_new(steps, step);
}

void
explain_steps(const struct walk *walk, const char *direction, json_t *steps)
{
    for (size_t i = 0; i < walk->hops.n; i++) {
        const struct hop *hop = &walk->hops.items[i];
        if (!hop_rows[hop->kind].say) {
            continue;
        }
        struct buf text = { 0 };
        hop_rows[hop->kind].say(walk, hop, packet_before(walk, i), &text);
        add_step(walk, hop, direction, buf_str(&text), steps);
        buf_done(&text);
    }
}

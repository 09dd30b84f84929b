/* Instances that send on what is not theirs (model/appliance.h), and route tables of internet gateways, which lead to
 * them. */
#include "netsim/model/appliance.h"

#include <string.h>
#include "netsim/live/plan_build.h"

enum { LABELS = 128 }; /* of a connection, in the kernel */

void
plan_appliance(struct builder *b, struct plan_vpc *v, struct plan_ns *ns)
{
    const struct instance *instance = store_get(b->store, &instance_kind, ns->id);
    enum appliance_role role = instance ? instance_appliance(b->net, instance) : APPLIANCE_NONE;
    ns->forwards = role != APPLIANCE_NONE;
    v->appliances |= ns->forwards;
    if (role == APPLIANCE_TRANSLATES) { /* what it sends by itself keeps its address */
        plan_chain_add(b, ns, "p_snat", "type nat hook postrouting priority 100; policy accept;",
                       "iifname \"eth*\" meta nfproto ipv4 counter masquerade\n");
    }
}

static void
plan_ports(struct builder *b, struct plan_vpc *v)
{
    struct plan_set *set = plan_set_add(b, v->router, "appliances", "set appliances { type ifname; }");
    for (size_t i = 0; i < v->ports.n; i++) {
        const struct plan_ns *ns = map_get(&b->plan->by_id, v->ports.items[i].ns);
        if ((ns && ns->forwards) || v->ports.items[i].place == PLAN_PLACE_INSPECTION) {
            plan_element_add(b, set, NULL, "\"%s\"", v->ports.items[i].name);
        }
    }
}

static void
plan_nodes(struct builder *b, struct plan_vpc *v)
{
    struct plan_set *set = plan_set_add(b, v->router, "balancer_nodes", "set balancer_nodes { type ifname; }");
    for (size_t i = 0; i < v->ports.n; i++) {
        if (v->ports.items[i].place == PLAN_PLACE_NODE) {
            plan_element_add(b, set, NULL, "\"%s\"", v->ports.items[i].name);
        }
    }
    for (size_t i = 0; i < v->peerings.n; i++) {
        if (v->peerings.items[i].node) {
            plan_element_add(b, set, NULL, "\"%s\"", v->peerings.items[i].name);
        }
    }
}

static const struct route_table *
gateway_table(struct builder *b, const char *gateway_id)
{
    for (const struct route_table *t = store_first(b->store, &route_table_kind); t; t = store_next(b->store, t)) {
        for (size_t i = 0; i < t->associations.n; i++) {
            if (strcmp(t->associations.items[i].gateway_id, gateway_id) == 0) {
                return t;
            }
        }
    }
    return NULL;
}

static bool
has_public_ip(const struct eni *eni)
{
    for (size_t i = 0; i < eni->addresses.n; i++) {
        if (eni->addresses.items[i].association.public_ip.family) {
            return true;
        }
    }
    return false;
}

/* To an interface without a public address AWS's internet gateway hands on no IPv4 packet of anybody else. */
static void
refuse_private_targets(struct builder *b, const struct route_table *table, struct buf *text)
{
    for (size_t i = 0; i < table->routes.n; i++) {
        const struct route *route = &table->routes.items[i];
        const char *id = route_machine(route);
        const struct instance *instance = id ? store_get(b->store, &instance_kind, id) : NULL;
        const struct eni *eni = instance ? instance_eni(b->net, instance, 0)
                                : id     ? store_get(b->store, &eni_kind, id)
                                         : NULL;
        if (eni && route->cidr.ip.family && !has_public_ip(eni)) {
            buf_printf(text,
                       "iifname \"igw\" ip daddr %s counter drop comment \"middlebox without a public address\"\n",
                       cidr_str(&route->cidr));
        }
    }
}

/* Of an answer that refuses a connection (RST), which the kernel forgets with it: its request passed this appliance
 * not. */
#define NOTE_REFUSAL(ip, set)                                                                                          \
    "tcp flags & (rst | ack) == rst | ack update @" set " { " ip " saddr . " ip " daddr . tcp sport . tcp dport }\n"
#define REFUSALS(name, address)                                                                                        \
    "set " name " { type " address " . " address                                                                       \
    " . inet_service . inet_service; size 65536; flags dynamic, timeout; "                                             \
    "timeout 5s; }"

/* The router tracks a connection once, for all interfaces.  Which of the appliances let it pass, a label of the
 * connection says for each: an answer that comes to another one is judged by that one's rules, as its first packet
 * would be. */
static void
plan_memory(struct builder *b, struct plan_vpc *v)
{
    static const struct {
        const char *chain, *link, *before, *map, *refusal;
    } ways[] = {
        { "a_out", "iifname", "", "@sg_out",
          "meta mark " PLAN_ADMITTED " return\n"
          "meta mark set 1 meta priority set 0:1 goto fl_deny_out" },
        { "a_in", "oifname", NOTE_REFUSAL("ip", "a_refusals") NOTE_REFUSAL("ip6", "a_refusals6"), "@sg_in",
          "meta mark set 4 meta priority set 0:4 goto fl_deny_in" },
    };
    struct buf passed = { 0 };
    plan_set_add(b, v->router, "a_refusals", REFUSALS("a_refusals", "ipv4_addr"));
    plan_set_add(b, v->router, "a_refusals6", REFUSALS("a_refusals6", "ipv6_addr"));
    for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
        struct buf text = { 0 };
        for (size_t i = 0; i < v->ports.n; i++) {
            const struct plan_port *port = &v->ports.items[i];
            const struct plan_ns *ns = map_get(&b->plan->by_id, port->ns);
            if ((ns && ns->forwards) || v->ports.items[i].place == PLAN_PLACE_INSPECTION) {
                uint32_t label = plan_number(b->numbers, "label", port->key) % LABELS;
                buf_printf(&text, "%s \"%s\" ct label %u return\n", ways[w].link, port->name, label);
                buf_printf(&passed, "ct direction original %s \"%s\" ct label set %u\n", ways[w].link, port->name,
                           label);
            }
        }
        buf_str_add(&text, ways[w].before);
        buf_printf(&text, "%s vmap %s\n%s\n", ways[w].link, ways[w].map, ways[w].refusal);
        plan_chain_add(b, v->router, ways[w].chain, "", buf_str(&text));
        buf_done(&text);
    }
    plan_chain_add(b, v->router, "f_passed", "type filter hook forward priority 41; policy accept;", buf_str(&passed));
    buf_done(&passed);
}

void
plan_gateways(struct builder *b, struct plan_vpc *v)
{
    const struct route_table *table = v->igw ? gateway_table(b, v->igw->obj.id) : NULL;
    struct buf text = { 0 };
    if (table) {
        refuse_private_targets(b, table, &text);
    }
    buf_str_add(&text, "meta mark set iifname map @rt_of_gateway accept\n");
    plan_chain_add(b, v->router, "p_gateways", "", buf_str(&text));
    buf_done(&text);
}

void
plan_appliances(struct builder *b, struct plan_vpc *v)
{
    for (size_t i = 0; i < v->ports.n; i++) {
        v->appliances |= v->ports.items[i].place == PLAN_PLACE_INSPECTION;
    }
    if (v->appliances) {
        plan_ports(b, v);
        plan_memory(b, v);
    }
    if (v->nodes) {
        plan_nodes(b, v);
    }
    plan_gateways(b, v);
}

/* ---- an appliance is no other machine ------------------------------------------------------------------------------
 */
static size_t
eni_address_at(const struct eni *eni, size_t i, struct ip *ip)
{
    size_t n = eni->addresses.n;
    if (i < n + eni->addresses6.n) {
        *ip = i < n ? eni->addresses.items[i].ip : eni->addresses6.items[i - n].ip;
    }
    return n + eni->addresses6.n;
}

/* From any address of the machine to one of this interface. */
static void
from_itself(const struct plan_vpc *v, const struct plan_port *to, struct buf *text)
{
    for (size_t p = 0; p < v->ports.n; p++) {
        const struct plan_port *from = &v->ports.items[p];
        struct ip src, dst;
        if (!from->eni || strcmp(from->ns, to->ns) != 0) {
            continue;
        }
        for (size_t i = 0; i < eni_address_at(from->eni, i, &src); i++) {
            for (size_t j = 0; j < eni_address_at(to->eni, j, &dst); j++) {
                char a[IP_STR_SIZE], b[IP_STR_SIZE];
                const char *word = src.family == IP_V4 ? "ip" : "ip6";
                if (src.family == dst.family && (v->ip6 || src.family == IP_V4)) {
                    buf_printf(text, "oifname \"%s\" %s saddr %s %s daddr %s counter drop comment \"from itself\"\n",
                               to->name, word, ip_format(&src, a), word, ip_format(&dst, b));
                }
            }
        }
    }
}

/* What bears its own address it may send on (`accept_local`), but no more take for itself than other machines do.  The
 * router sees to it, as rules in the machine's own namespace are its user's. */
void
plan_from_itself(struct builder *b)
{
    for (struct plan_vpc *v = b->vpcs; v; v = v->next) {
        struct buf text = { 0 };
        for (size_t i = 0; i < v->ports.n; i++) {
            const struct plan_port *port = &v->ports.items[i];
            const struct plan_ns *ns = port->instance && !port->tap ? map_get(&b->plan->by_id, port->ns) : NULL;
            if (ns && ns->forwards && port->eni) {
                from_itself(v, port, &text);
            }
        }
        if (text.size) {
            plan_chain_add(b, v->router, "f_itself", "type filter hook forward priority 41; policy accept;",
                           buf_str(&text));
        }
        buf_done(&text);
    }
}

/* Instances that send on what is not theirs (model/appliance.h), and route tables of internet gateways, which lead to
 * them. */
#include "netsim/model/appliance.h"

#include <string.h>
#include "netsim/live/plan_build.h"

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
        if (ns && ns->forwards) {
            plan_element_add(b, set, NULL, "\"%s\"", v->ports.items[i].name);
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
        const char *id;
        enum route_target target = route_target(route, &id);
        const struct instance *instance = target == ROUTE_INSTANCE ? store_get(b->store, &instance_kind, id) : NULL;
        const struct eni *eni = instance              ? instance_eni(b->net, instance, 0)
                                : target == ROUTE_ENI ? store_get(b->store, &eni_kind, id)
                                                      : NULL;
        if (eni && route->cidr.ip.family && !has_public_ip(eni)) {
            buf_printf(text,
                       "iifname \"igw\" ip daddr %s counter drop comment \"middlebox without a public address\"\n",
                       cidr_str(&route->cidr));
        }
    }
}

void
plan_appliances(struct builder *b, struct plan_vpc *v)
{
    const struct route_table *table = v->igw ? gateway_table(b, v->igw->obj.id) : NULL;
    struct buf text = { 0 };
    if (v->appliances) {
        plan_ports(b, v);
    }
    if (table) {
        refuse_private_targets(b, table, &text);
    }
    buf_str_add(&text, "meta mark set iifname map @rt_of_gateway accept\n");
    plan_chain_add(b, v->router, "p_gateways", "", buf_str(&text));
    buf_done(&text);
}

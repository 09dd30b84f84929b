/* TAP hosts share a device where the router would treat them alike: a network device costs the kernel some 40 KiB, an
 * address behind one that is there 1 KiB.
 *
 * What the router knows by a link's name (subnet, security groups, flow logs) is the same for all behind a device;
 * what it knows by an address stays each host's own.  What is decided for one interface alone (a flow log of its own,
 * being a route's target) keeps it on a device of its own. */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"

/* 'id': of an interface or an instance.  Others have links of their own anyway. */
static void
put_alone(struct builder *b, struct map *alone, const char *id)
{
    const struct eni *eni = store_get(b->store, &eni_kind, id);
    const struct instance *instance = store_get(b->store, &instance_kind, eni ? eni->attachment.instance_id : id);
    if (instance && instance_is_tap(b->net, instance)) {
        map_put(alone, id, (void *)1);
    }
}

void
plan_taps_alone(struct builder *b, struct map *alone)
{
    const struct flow_log *log = store_first(b->store, &flow_log_kind);
    for (; log; log = store_next(b->store, log)) {
        if (log->resource_id) {
            put_alone(b, alone, log->resource_id);
        }
    }
    /* What is routed to a machine need not bear its address: the destination check is of that interface alone. */
    const struct route_table *table = store_first(b->store, &route_table_kind);
    for (; table; table = store_next(b->store, table)) {
        for (size_t i = 0; i < table->routes.n; i++) {
            const char *id = route_machine(&table->routes.items[i]);
            if (id) {
                put_alone(b, alone, id);
            }
        }
    }
}

bool
plan_may_share(struct builder *b, struct map *macs, const struct plan_port *port)
{
    char mac[16];
    const uint8_t *m = port->mac;
    snprintf(mac, sizeof mac, "%02x%02x%02x%02x%02x%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    bool is_new = !map_get(macs, mac); /* imported networks may have one twice */
    map_put(macs, mac, (void *)1);
    return is_new && port->eni->source_dest_check && !map_get(&b->plan->taps_alone, port->key) &&
           !(port->device == 0 && map_get(&b->plan->taps_alone, port->ns));
}

void
plan_port_number(struct builder *b, struct plan_port *port)
{
    struct buf key = { 0 };
    buf_printf(&key, port->shared ? "alike:%s" : "alone:%s", port->shared ? port->subnet->obj.id : port->key);
    for (size_t i = 0; port->shared && i < port->eni->groups.n; i++) {
        buf_printf(&key, " %s", port->eni->groups.items[i].id);
    }
    uint32_t number = plan_number_as(b->numbers, port->key, buf_str(&key));
    buf_done(&key);
    port->index = PLAN_LINK_BASE + number;
    snprintf(port->name, sizeof port->name, "e%u", number);
}

/* The machine behind a TAP device: this interface alone, as if it were all of it. */
static struct plan_tap
tap_of(struct builder *b, const struct plan_vpc *v, const struct plan_port *port)
{
    struct arena *arena = b->plan->arena;
    struct plan_tap tap = { .eni_id = arena_strdup(arena, port->key),
                            .instance_id = port->device == 0 ? arena_strdup(arena, port->ns) : "" };
    struct tap_host *host = &tap.host;
    const struct eni *eni = port->eni;
    memcpy(host->mac, port->mac, 6);
    size_t n6 = v->ip6 ? eni->addresses6.n : 0;
    host->addresses.items = arena_alloc(arena, (eni->addresses.n + n6) * sizeof *host->addresses.items);
    for (size_t i = 0; i < eni->addresses.n; i++) {
        host->addresses.items[host->addresses.n++] = eni->addresses.items[i].ip;
    }
    for (size_t i = 0; i < n6; i++) {
        host->addresses.items[host->addresses.n++] = eni->addresses6.items[i].ip;
    }
    host->open.items = arena_alloc(arena, port->instance->served.n * sizeof *host->open.items);
    for (size_t i = 0; i < port->instance->served.n; i++) {
        const struct served_port *p = &port->instance->served.items[i];
        host->open.items[host->open.n++] =
            (struct tap_port){ (uint8_t)p->protocol, { (uint16_t)p->from, (uint16_t)p->to } };
    }
    return tap;
}

struct plan_link *
plan_tap_device(struct builder *b, struct plan_vpc *v, const struct plan_port *port)
{
    struct plan_link *link = plan_router_end(b, v, port);
    link->tap = true;
    link->eni_id = port->shared ? "" : link->eni_id;
    return link;
}

void
plan_tap_link(struct builder *b, struct plan_vpc *v, const struct plan_port *port)
{
    uintptr_t place = port->shared ? (uintptr_t)map_get(&v->shared, port->name) : 0;
    if (!place) {
        plan_tap_device(b, v, port);
        place = v->router->links.n;
        if (port->shared) {
            map_put(&v->shared, port->name, (void *)place);
        }
    }
    *VEC_ADD(&v->router->links.items[place - 1].hosts) = tap_of(b, v, port);
}

bool
plan_shared_taps(struct builder *b, struct plan_vpc *v)
{
    size_t cursor = 0;
    const char *name;
    void *place;
    if (!v->shared.n) {
        return false;
    }
    struct plan_set *set = plan_set_add(b, v->router, "taps", "set taps { type ifname; }");
    while (map_next(&v->shared, &cursor, &name, &place)) {
        plan_element_add(b, set, NULL, "\"%s\"", name);
    }
    plan_set_add(b, v->router, "fl_refused4",
                 "set fl_refused4 { type iface_index . mark . ipv4_addr; size 65536; flags dynamic; }");
    plan_set_add(b, v->router, "fl_refused6",
                 "set fl_refused6 { type iface_index . mark . ipv6_addr; size 65536; flags dynamic; }");
    return true;
}

/* ---- who is behind a link ------------------------------------------------------------------------------------------
 */
const char *
plan_link_eni(const struct plan_link *link, const struct ip *address)
{
    for (size_t i = 0; !*link->eni_id && i < link->hosts.n; i++) {
        const struct plan_tap *tap = &link->hosts.items[i];
        for (size_t j = 0; j < tap->host.addresses.n; j++) {
            if (ip_equal(&tap->host.addresses.items[j], address)) {
                return tap->eni_id;
            }
        }
    }
    return link->eni_id;
}

const struct plan_tap *
plan_link_host(const struct plan_link *link, const char *id)
{
    for (size_t i = 0; i < link->hosts.n; i++) {
        const struct plan_tap *tap = &link->hosts.items[i];
        if (strcmp(tap->eni_id, id) == 0 || strcmp(tap->instance_id, id) == 0) {
            return tap;
        }
    }
    return NULL;
}

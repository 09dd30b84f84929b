/* TAP hosts that other groups bring behind another device: their addresses follow them; a device that nobody had comes,
 * one that nobody has any more goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/live/plan_mend_part.h"

bool
mend_move_tap(struct mend *m, struct plan_port *port)
{
    struct plan_port was = *port;
    plan_port_number(&m->b, port);
    if (port->index == was.index) {
        return false;
    }
    *VEC_ADD(&m->moved) = was;
    return true;
}

/* ---- addresses ----------------------------------------------------------------------------------------------------
 */
static void
plan_addresses(struct mend *m, struct plan_ns *ns, const struct plan_port *port)
{
    static const char *const names[] = { "eni_addresses", "eni_addresses6", "fl_lost4", "fl_lost6" };
    struct plan_set *sets[ARRAY_SIZE(names)];
    m->v->router = ns;
    plan_port_ways(m->v, port);
    m->v->router = m->to;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct plan_set *standing = plan_find_set(m->standing, names[i]);
        if (standing) {
            mend_part_of(m->from, standing);
            mend_part_of(m->to, standing);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        sets[i] = plan_set_added(ns, names[i]);
    }
    plan_port_addresses(&m->b, m->v, port, sets[0], sets[1]);
    if (sets[2]) {
        plan_port_lost(&m->b, m->v, port, sets[2], sets[3]);
    }
}

/* ---- devices ------------------------------------------------------------------------------------------------------
 */
static struct plan_link *
link_of(const struct plan_ns *ns, uint32_t index)
{
    for (size_t i = 0; i < ns->links.n; i++) {
        if (ns->links.items[i].here.index == index) {
            return &ns->links.items[i];
        }
    }
    return NULL;
}

/* The device as 'ns' (from or to) has it, with the hosts that go or come; NULL: not at all. */
static struct plan_link *
part_of_link(struct plan_ns *ns, uint32_t index, const struct plan_link *standing)
{
    struct plan_link *part = link_of(ns, index);
    if (!part && standing) {
        part = VEC_ADD(&ns->links);
        *part = *standing;
        memset(&part->hosts, 0, sizeof part->hosts);
    }
    return part;
}

static bool
is_empty(const struct mend *m, uint32_t index)
{
    for (size_t i = 0; i < m->v->ports.n; i++) {
        if (m->v->ports.items[i].index == index) {
            return false;
        }
    }
    return true;
}

static void
put_key(struct mend *m, struct plan_ns *ns, const char *set, const char *key, const char *data)
{
    const struct plan_set *standing = plan_find_set(m->standing, set);
    if (standing) {
        mend_part_of(m->from, standing);
        mend_part_of(m->to, standing);
        plan_element_add(&m->b, plan_set_added(ns, set), data, "%s", key);
    }
}

/* What the router knows by the name of a device that comes or goes ('ns': to or from), but for its groups. */
static void
put_device(struct mend *m, struct plan_ns *ns, const struct plan_port *port)
{
    static const char *const maps[] = { "fl_egress", "fl_ingress" };
    char name[24], mark[16], counter[32];
    snprintf(name, sizeof name, "\"%s\"", port->name);
    put_key(m, ns, "taps", name, NULL);
    for (int ingress = 0; ingress < 2; ingress++) {
        if (plan_link_mark(&m->b, port->eni, port->index, ingress == 1, mark)) {
            snprintf(counter, sizeof counter, "%s counter", mark);
            put_key(m, ns, maps[ingress], name, mark);
            put_key(m, ns, "fl_lost", counter, NULL);
        }
    }
}

static void
leave_device(struct mend *m, const struct plan_port *was, const struct plan_link *standing, const struct plan_tap *host)
{
    bool first = !link_of(m->from, was->index);
    *VEC_ADD(&part_of_link(m->from, was->index, standing)->hosts) = *host;
    if (!is_empty(m, was->index)) {
        part_of_link(m->to, was->index, standing);
    } else if (first) {
        char name[24];
        snprintf(name, sizeof name, "\"%s\"", was->name);
        put_device(m, m->from, was);
        for (int d = 0; d < 2; d++) {
            mend_put_element(m, mend_group_maps[d], name, NULL);
            mend_put_element(m, mend_untracked_maps[d], name, NULL);
        }
    }
}

static void
join_device(struct mend *m, const struct plan_port *now, const struct plan_tap *host)
{
    const struct plan_link *standing = link_of(m->standing, now->index);
    struct plan_link *part = part_of_link(m->to, now->index, standing);
    if (standing) {
        part_of_link(m->from, now->index, standing);
    } else if (!part) {
        part = plan_tap_device(&m->b, m->v, now);
        put_device(m, m->to, now);
    }
    *VEC_ADD(&part->hosts) = *host;
}

static const struct plan_tap *
host_of(const struct plan_link *link, const uint8_t mac[6])
{
    struct plan_tap wanted = { 0 };
    memcpy(wanted.host.mac, mac, sizeof wanted.host.mac);
    return bsearch(&wanted, link->hosts.items, link->hosts.n, sizeof wanted, plan_tap_compare);
}

void
mend_moved_taps(struct mend *m)
{
    for (size_t i = 0; i < m->moved.n; i++) {
        const struct plan_port *was = &m->moved.items[i], *now = mend_port_of(m->v, was->key);
        const struct plan_link *standing = link_of(m->standing, was->index);
        const struct plan_tap *host = host_of(standing, was->mac);
        plan_addresses(m, m->from, was);
        plan_addresses(m, m->to, now);
        leave_device(m, was, standing, host);
        join_device(m, now, host);
    }
}

/* ---- who has a device to himself ----------------------------------------------------------------------------------
 */
bool
mend_parts_taps(struct mend *m)
{
    struct map alone = { 0 };
    size_t cursor = 0;
    const char *id;
    void *yes;
    if (!m->b.plan->has_taps) {
        return false;
    }
    plan_taps_alone(&m->b, &alone);
    bool same = alone.n == m->b.plan->taps_alone.n;
    while (same && map_next(&alone, &cursor, &id, &yes)) {
        same = map_get(&m->b.plan->taps_alone, id) != NULL;
    }
    map_done(&alone);
    return !same;
}

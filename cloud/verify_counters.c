#include "cloud/verify_counters.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "netsim/analysis/walk.h"
#include "netsim/flowlog/flowlog.h"
#include "netsim/model/network.h"

#define LAST_ENTRY 32767 /* and IPv6's 32768: the console's `*`, which has one counter's name */

struct verify_counters {
    const struct network *net;
    VEC(struct expected {
        const char *list; /* of the counters: "rules", "refused", "routes" */
        char name[FLOW_RULE_SIZE + ID_SIZE];
        json_int_t packets;
    } *)
    all;
    struct map by_name;
};

struct verify_counters *
verify_counters_new(const struct network *net)
{
    struct verify_counters *counters = xcalloc(1, sizeof *counters);
    counters->net = net;
    return counters;
}

void
verify_counters_free(struct verify_counters *counters)
{
    for (size_t i = 0; counters && i < counters->all.n; i++) {
        free(counters->all.items[i]);
    }
    if (counters) {
        VEC_DONE(&counters->all);
        map_done(&counters->by_name);
    }
    free(counters);
}

static void
expect(struct verify_counters *counters, const char *list, const char *name)
{
    struct expected *expected = map_get(&counters->by_name, name);
    if (!expected) {
        expected = *VEC_ADD(&counters->all) = xcalloc(1, sizeof *expected);
        expected->list = list;
        snprintf(expected->name, sizeof expected->name, "%s", name);
        map_put(&counters->by_name, name, expected);
    }
    expected->packets++;
}

static void
expect_entry(struct verify_counters *counters, const struct hop *hop)
{
    char name[FLOW_RULE_SIZE], number[16] = "*";
    if (hop->nacl_entry->number < LAST_ENTRY) {
        snprintf(number, sizeof number, "%d", hop->nacl_entry->number);
    }
    snprintf(name, sizeof name, "%s:%s:%s", hop->id, hop->egress ? "egress" : "ingress", number);
    expect(counters, "rules", name);
}

/* As the kernel's refusals are called: the interface, and all its groups. */
static void
expect_refusal(struct verify_counters *counters, const struct hop *hop)
{
    struct buf name = { 0 };
    buf_printf(&name, "%s ", hop->eni->obj.id);
    for (size_t i = 0; i < hop->eni->groups.n; i++) {
        buf_printf(&name, "%s%s", i ? "," : "", hop->eni->groups.items[i].id);
    }
    buf_printf(&name, ":%s:none", hop->egress ? "egress" : "ingress");
    if (name.size < FLOW_RULE_SIZE) { /* longer ones are cut in the kernel's table */
        expect(counters, "refused", buf_str(&name));
    }
    buf_done(&name);
}

/* A prefix list is a route for each of its blocks. */
static void
expect_route(struct verify_counters *counters, const struct hop *hop)
{
    const struct route *route = hop->route;
    const struct prefix_list *list =
        route->prefix_list_id ? store_get(network_store(counters->net), &prefix_list_kind, route->prefix_list_id)
                              : NULL;
    struct cidr block = route->cidr.ip.family ? route->cidr : route->cidr6;
    if (list && !prefix_list_contains(list, &hop->packet.dst, &block)) {
        return;
    }
    char name[FLOW_RULE_SIZE];
    snprintf(name, sizeof name, "%s %s", hop->id, cidr_str(&block));
    expect(counters, "routes", name);
}

static void
expect_walk(struct verify_counters *counters, const struct walk *walk)
{
    for (size_t i = 0; i < walk->hops.n; i++) {
        const struct hop *hop = &walk->hops.items[i];
        if (hop->kind == HOP_ROUTE_TABLE && hop->route && hop->id && !hop->stopped) {
            expect_route(counters, hop);
        }
        if (hop->kind == HOP_ACL && hop->nacl_entry && hop->id) {
            expect_entry(counters, hop);
        } else if (hop->kind == HOP_GROUPS && hop->stopped && hop->eni) {
            expect_refusal(counters, hop);
        }
    }
}

/* Past every filter the packet must arrive: where something else stops it, a route, the kernel may do so before it asks
 * any filter. */
void
verify_counters_expect(struct verify_counters *counters, const struct flow_spec *flow, bool answers)
{
    struct open_ways open, ways;
    struct err err = { 0 };
    if (!reach_open_ways(counters->net, flow, &open, &err)) {
        return;
    }
    if (open.forward.arrived && reach_ways(counters->net, flow, &ways, &err)) {
        expect_walk(counters, &ways.forward);
        if (open.back.arrived && answers) {
            expect_walk(counters, &ways.back);
        }
        open_ways_done(&ways);
    }
    open_ways_done(&open);
}

json_t *
verify_counters_compare(const struct verify_counters *counters, const json_t *before, const json_t *after)
{
    json_t *out = json_array();
    for (size_t i = 0; i < counters->all.n; i++) {
        const struct expected *e = counters->all.items[i];
        json_int_t was = json_int(json_object_get(before, e->list), e->name, 0),
                   is = json_int(json_object_get(after, e->list), e->name, 0);
        json_int_t counted = is >= was ? is - was : is; /* a chain that was written anew begins at nothing */
        if (counted < e->packets) {
            json_array_append_new(
                out, json_pack("{s:s, s:I, s:I}", "Rule", e->name, "Analysis", e->packets, "Kernel", counted));
        }
    }
    return out;
}

#include "cloud/verify_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "netsim/analysis/walk.h"
#include "netsim/flowlog/flowlog.h"
#include "netsim/model/network.h"

#define LAST_ENTRY 32767 /* and IPv6's 32768: the console's `*`, which has one name */

typedef VEC(char *) text_vec; /* owned */

/* One direction, as either judge has it. */
struct story {
    text_vec acls, gateways, tables, rules;
    char *refused;   /* by a filter; NULL: none did */
    const char *why; /* what else stopped it, in words; NULL: not known */
    bool stopped, tracked;
};
struct comparison {
    const struct network *net;
    const char *direction;
    bool whole; /* past every filter the packet arrives, so the kernel asks the same ones */
    struct story kernel, analysis;
    size_t n_decisions;
    json_t *differences;
};

static void
add(text_vec *list, char *text)
{
    *VEC_ADD(list) = text;
}

static void
texts_done(text_vec *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i]);
    }
    VEC_DONE(list);
}

static void
story_done(struct story *story)
{
    texts_done(&story->acls);
    texts_done(&story->gateways);
    texts_done(&story->tables);
    texts_done(&story->rules);
    free(story->refused);
}

static bool
begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool
is_gateway(const char *id)
{
    static const char *const prefixes[] = { "igw-", "eigw-", "nat-", "tgw-", "vgw-" };
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (begins(id, prefixes[i])) {
            return true;
        }
    }
    return false;
}

/* ---- the kernel's -------------------------------------------------------------------------------------------------
 */
static void
read_decision(struct story *story, const char *name)
{
    if (begins(name, "acl-")) {
        add(&story->acls, xstrdup(name));
    } else if (strcmp(name, "tracked") == 0) {
        story->tracked = true;
    } else {
        add(&story->rules, xstrdup(name));
    }
}

static void
read_kernel(struct comparison *c, const json_t *hops)
{
    struct story *story = &c->kernel;
    size_t i, j;
    const json_t *hop, *rule;
    json_array_foreach(hops, i, hop)
    {
        if (strcmp(json_str(hop, "Direction"), c->direction) != 0) {
            continue;
        }
        const char *node = json_str(hop, "Node"), *table = json_str(hop, "RouteTable"),
                   *stopped = json_str(hop, "Stopped");
        if (is_gateway(node)) {
            add(&story->gateways, xstrdup(node));
        }
        if (table) {
            add(&story->tables, xstrdup(table));
        }
        json_array_foreach(json_object_get(hop, "Rules"), j, rule)
        {
            read_decision(story, json_string_value(rule));
        }
        if (stopped) {
            bool by_groups = strlen(stopped) > 5 && strcmp(stopped + strlen(stopped) - 5, ":none") == 0;
            if (begins(stopped, "acl-")) {
                add(&story->acls, xstrdup(stopped));
            }
            story->refused = begins(stopped, "acl-") || by_groups ? xstrdup(stopped) : NULL;
            story->why = stopped;
        }
    }
}

/* ---- the analysis' ------------------------------------------------------------------------------------------------
 */
static char *
entry_name(const struct hop *hop)
{
    const char *way = hop->egress ? "egress" : "ingress";
    return hop->nacl_entry->number < LAST_ENTRY ? xasprintf("%s:%s:%d", hop->id, way, hop->nacl_entry->number)
                                                : xasprintf("%s:%s:*", hop->id, way);
}

/* As the kernel's refusals are called; they are cut where a name is longer. */
static char *
refusal_name(const struct hop *hop)
{
    struct buf name = { 0 };
    for (size_t i = 0; i < hop->eni->groups.n; i++) {
        buf_printf(&name, "%s%s", i ? "," : "", hop->eni->groups.items[i].id);
    }
    buf_printf(&name, ":%s:none", hop->egress ? "egress" : "ingress");
    return buf_steal(&name);
}

static bool
is_gateway_hop(enum hop_kind kind)
{
    return kind == HOP_IGW || kind == HOP_EIGW || kind == HOP_NAT || kind == HOP_TGW || kind == HOP_VGW;
}

static void
read_hop(struct story *story, const struct hop *hop)
{
    if (hop->kind == HOP_ACL && hop->nacl_entry && hop->id) {
        char *name = entry_name(hop);
        add(&story->acls, name);
        story->refused = hop->stopped ? xstrdup(name) : story->refused;
    } else if (hop->kind == HOP_GROUPS && hop->stopped && hop->eni && !story->refused) {
        story->refused = refusal_name(hop);
    } else if ((hop->kind == HOP_ROUTE_TABLE || hop->kind == HOP_TGW_TABLE) && hop->id) {
        add(&story->tables, xstrdup(hop->id));
    } else if (hop->id && is_gateway_hop(hop->kind)) {
        add(&story->gateways, xstrdup(hop->id));
    }
}

static void
read_analysis(struct comparison *c, const struct walk *walk)
{
    for (size_t i = 0; i < walk->hops.n; i++) {
        read_hop(&c->analysis, &walk->hops.items[i]);
    }
    c->analysis.stopped = !walk->arrived;
    c->analysis.why = walk->arrived ? NULL : stop_rows[walk->stop].why;
}

/* ---- side by side -------------------------------------------------------------------------------------------------
 */
static void
differ(struct comparison *c, const char *what, const char *analysis, const char *kernel)
{
    json_array_append_new(c->differences, json_sprintf("%s: %s: analysis %s, kernel %s", c->direction, what,
                                                       analysis ? analysis : "none", kernel ? kernel : "none"));
}

static void
compare_lists(struct comparison *c, const char *what, const text_vec *analysis, const text_vec *kernel)
{
    size_t n = analysis->n > kernel->n ? analysis->n : kernel->n;
    for (size_t i = 0; i < n; i++) {
        const char *a = i < analysis->n ? analysis->items[i] : NULL, *k = i < kernel->n ? kernel->items[i] : NULL;
        if (!c->whole && (!a || !k)) {
            return; /* one of them stopped it before */
        }
        if (!a || !k || strcmp(a, k) != 0) {
            differ(c, what, a, k);
            return;
        }
        c->n_decisions++;
    }
}

/* The kernel's may have more: in a subnet no table is asked, and the mark stands all the same. */
static void
compare_tables(struct comparison *c)
{
    size_t k = 0;
    for (size_t a = 0; c->whole && !c->analysis.refused && a < c->analysis.tables.n; a++) {
        while (k < c->kernel.tables.n && strcmp(c->kernel.tables.items[k], c->analysis.tables.items[a]) != 0) {
            k++;
        }
        if (k++ >= c->kernel.tables.n) {
            differ(c, "route table", c->analysis.tables.items[a], NULL);
            return;
        }
        c->n_decisions++;
    }
}

/* Is it a rule of the interface's groups?  '*nameless': one of these has no id, so its decision is not told. */
static bool
is_rule_of(const struct comparison *c, const struct hop *hop, const char *name, bool *nameless)
{
    bool found = false;
    for (size_t i = 0; i < hop->eni->groups.n; i++) {
        const struct security_group *group =
            store_get(network_store(c->net), &security_group_kind, hop->eni->groups.items[i].id);
        for (size_t j = 0; group && j < group->rules.n; j++) {
            const struct sg_rule *rule = &group->rules.items[j];
            bool fits = rule->egress == hop->egress;
            found = found || (fits && name && strcmp(rule->id, name) == 0);
            *nameless = *nameless || (fits && !begins(rule->id, "sgr-"));
        }
    }
    return found;
}

static void
compare_groups(struct comparison *c, const struct walk *walk)
{
    size_t k = 0;
    for (size_t i = 0; i < walk->hops.n; i++) {
        const struct hop *hop = &walk->hops.items[i];
        if (hop->kind != HOP_GROUPS || hop->stopped || !hop->eni || !hop->eni->groups.n) {
            continue;
        }
        bool nameless = false;
        const char *name = k < c->kernel.rules.n ? c->kernel.rules.items[k] : NULL;
        bool passed = is_rule_of(c, hop, name, &nameless);
        k += passed;
        if (!passed && !nameless && !(hop->established && c->kernel.tracked)) {
            if (c->whole) {
                char *what = xasprintf("groups of %s, %s", hop->eni->obj.id, hop->egress ? "outwards" : "inwards");
                differ(c, what, hop->established ? "tracked" : hop->sg_rule ? hop->sg_rule->id : "a rule", name);
                free(what);
            }
            return;
        }
        c->n_decisions++;
    }
}

static void
compare_ends(struct comparison *c)
{
    const char *a = c->analysis.refused, *k = c->kernel.refused;
    if (c->analysis.stopped != c->kernel.stopped) {
        differ(c, "end", c->analysis.stopped ? "stopped" : "arrived", c->kernel.stopped ? "stopped" : "arrived");
    } else if (c->whole && (a || k) && (!a || !k || strncmp(a, k, FLOW_RULE_SIZE - 1) != 0)) {
        differ(c, "refused by", a ? a : c->analysis.why, k ? k : c->kernel.why);
    } else {
        c->n_decisions++;
    }
}

static void
compare_way(struct comparison *c, const struct walk *walk, const json_t *hops, bool arrived)
{
    read_kernel(c, hops);
    c->kernel.stopped = !arrived; /* it may have come to somebody else */
    read_analysis(c, walk);
    size_t before = json_array_size(c->differences);
    compare_ends(c);
    compare_lists(c, "ACL", &c->analysis.acls, &c->kernel.acls);
    if (json_array_size(c->differences) == before) {
        compare_groups(c, walk);
        compare_tables(c);
        if (c->whole && !c->analysis.refused) {
            compare_lists(c, "gateway", &c->analysis.gateways, &c->kernel.gateways);
        }
    }
    story_done(&c->kernel);
    story_done(&c->analysis);
}

static bool
has_direction(const json_t *hops, const char *direction)
{
    size_t i;
    const json_t *hop;
    json_array_foreach(hops, i, hop)
    {
        if (strcmp(json_str(hop, "Direction"), direction) == 0) {
            return true;
        }
    }
    return false;
}

/* Behind an endpoint of a service of the lab the ways past every filter do not go on, and who of several that stop a
 * packet there is first asked is nobody's affair. */
static bool
enters_service(const struct walk *walk)
{
    for (size_t i = 0; i < walk->hops.n; i++) {
        if (walk->hops.items[i].kind == HOP_SERVICE) {
            return true;
        }
    }
    return false;
}

size_t
verify_trace_compare(const struct network *net, const struct flow_spec *flow, const struct live_probe *probe,
                     const json_t *hops, json_t *differences)
{
    struct open_ways open, ways;
    struct err err = { 0 };
    size_t n = 0;
    if (!reach_open_ways(net, flow, &open, &err)) {
        return 0;
    }
    if (has_direction(hops, "forward") && reach_ways(net, flow, &ways, &err)) {
        bool straight = !enters_service(&ways.forward);
        struct comparison there = {
            .net = net, .direction = "forward", .whole = open.forward.arrived && straight, .differences = differences
        };
        compare_way(&there, &ways.forward, hops, probe->arrived);
        n += there.n_decisions;
        if (ways.answered && has_direction(hops, "answer")) {
            struct comparison back = {
                .net = net, .direction = "answer", .whole = open.back.arrived && straight, .differences = differences
            };
            compare_way(&back, &ways.back, hops, probe->replied);
            n += back.n_decisions;
        }
        open_ways_done(&ways);
    }
    open_ways_done(&open);
    return n;
}

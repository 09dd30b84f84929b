/* cloud/ops_connectivity.c - `connectivity`, `who-can-reach`, `can-reach`, `exposed`: all that passes, as exact sets.
 */
#include <string.h>

#include "base/vec.h"
#include "cloud/conn_view.h"
#include "netsim/model/eni.h"
#include "netsim/model/network.h"

static bool
look(struct op_call *call, int family, const struct selection *from, const struct selection *to, struct err *err)
{
    struct conn_view view;
    conn_view_init(&view, call->cloud->net, family, from, to);
    bool ok = selection_check(from, view.c, err) && selection_check(to, view.c, err);
    if (ok) {
        conn_view_json(&view, call->out);
    }
    conn_view_done(&view);
    return ok;
}

static void
note_graph(struct op_call *call)
{
    const char *graph = arg_str(call->in, "Graph");
    if (graph) {
        json_object_set_new(call->out, "Graph", json_string(graph));
    }
}

/* Flows between what two words name; NULL: everything. */
static bool
between(struct op_call *call, const char *from_text, const char *to_text, struct err *err)
{
    struct selection from = { 0 }, to = { 0 };
    bool ok = selection_find(call->cloud, from_text, &from, err) && selection_find(call->cloud, to_text, &to, err);
    bool v6 = arg_flag(call->in, "Ipv6", false) || selection_family(&from) == IP_V6 || selection_family(&to) == IP_V6;
    ok = ok && look(call, v6 ? IP_V6 : IP_V4, &from, &to, err);
    if (ok) {
        note_graph(call);
    }
    selection_done(&from);
    selection_done(&to);
    return ok;
}

static bool
connectivity_run(struct op_call *call, struct err *err)
{
    return between(call, arg_str(call->in, "From"), arg_str(call->in, "To"), err);
}

static bool
who_can_reach(struct op_call *call, struct err *err)
{
    return between(call, NULL, arg_str(call->in, "Destination"), err);
}

static bool
can_reach(struct op_call *call, struct err *err)
{
    return between(call, arg_str(call->in, "Source"), NULL, err);
}

static bool
has_ipv6(const struct network *net)
{
    const struct store *store = network_store(net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        if (eni->addresses6.n > 0) {
            return true;
        }
    }
    return false;
}

/* Both families: a forgotten ::/0 is as open as a forgotten 0.0.0.0/0. */
static bool
exposed(struct op_call *call, struct err *err)
{
    struct selection from = { 0 }, to = { 0 };
    bool ok = selection_find(call->cloud, "internet", &from, err) && selection_find(call->cloud, NULL, &to, err);
    ok = ok && look(call, IP_V4, &from, &to, err);
    if (ok) {
        json_t *groups = json_array();
        json_t *all = json_object_get(call->out, "Groups");
        if (has_ipv6(call->cloud->net)) {
            json_t *v6 = json_object(), *flows = json_object_get(call->out, "Flows");
            struct op_call again = *call;
            again.out = v6;
            ok = look(&again, IP_V6, &from, &to, err);
            json_array_extend(flows, json_object_get(v6, "Flows"));
            json_array_extend(all, json_object_get(v6, "Groups"));
            json_decref(v6);
        }
        /* Only who is exposed. */
        for (size_t i = 0; i < json_array_size(all); i++) {
            json_t *group = json_array_get(all, i);
            const json_t *flows = json_object_get(call->out, "Flows");
            bool named = false, known = false;
            for (size_t k = 0; k < json_array_size(flows) && !named; k++) {
                const json_t *flow = json_array_get(flows, k);
                named = strcmp(json_str(flow, "Family"), json_str(group, "Family")) == 0 &&
                        (strcmp(json_str(flow, "To"), json_str(group, "Name")) == 0 ||
                         strcmp(json_str(flow, "From"), json_str(group, "Name")) == 0);
            }
            for (size_t k = 0; k < json_array_size(groups) && !known; k++) {
                known = json_equal(json_array_get(groups, k), group);
            }
            if (named && !known) {
                json_array_append(groups, group);
            }
        }
        json_object_set_new(call->out, "Groups", groups);
        note_graph(call);
    }
    selection_done(&from);
    selection_done(&to);
    return ok;
}

/* ---- For a person --------------------------------------------------------------------------------------------------
 */

static void
flows_text(const json_t *out, struct buf *text)
{
    const char *graph = json_str(out, "Graph");
    if (!graph) {
        conn_view_text(out, text);
    } else {
        conn_view_graph(out, graph, text);
    }
}

static void
exposed_text(const json_t *out, struct buf *text)
{
    if (json_array_size(json_object_get(out, "Flows")) == 0 && !json_str(out, "Graph")) {
        buf_str_add(text, "the internet can open nothing\n");
        return;
    }
    flows_text(out, text);
}

/* ---- The rows ------------------------------------------------------------------------------------------------------
 */
#define END_HELP                                                                                                       \
    "instance, interface, balancer, gateway, endpoint, subnet, VPC, group, KEY=VALUE of a tag, address, CIDR, "        \
    "`internet` or `onprem`"
#define GRAPH_ROW                                                                                                      \
    {                                                                                                                  \
        "Graph", OP_STRING, OP_OPTIONAL, "print a graph instead of a table", NULL, "dot mermaid svg"                   \
    }
#define FAMILY_ROW                                                                                                     \
    {                                                                                                                  \
        "Ipv6", OP_BOOL, OP_OPTIONAL, "by IPv6", NULL, NULL                                                            \
    }

static const struct op_param connectivity_params[] = {
    { "From", OP_ENDPOINT, OP_OPTIONAL, "only from here: " END_HELP, NULL, NULL },
    { "To", OP_ENDPOINT, OP_OPTIONAL, "only to there", NULL, NULL },
    FAMILY_ROW,
    GRAPH_ROW,
    { 0 },
};
static const struct op_param who_params[] = {
    { "Destination", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL, END_HELP, NULL, NULL },
    FAMILY_ROW,
    GRAPH_ROW,
    { 0 },
};
static const struct op_param can_params[] = {
    { "Source", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL, END_HELP, NULL, NULL },
    FAMILY_ROW,
    GRAPH_ROW,
    { 0 },
};
static const struct op_param exposed_params[] = { GRAPH_ROW, { 0 } };

const struct op ops_connectivity[] = {
    { .name = "connectivity",
      .mode = OP_LOCAL,
      .run = connectivity_run,
      .text = flows_text,
      .params = connectivity_params,
      .group = "ask",
      .help = "Show which protocols and ports pass between all interfaces and the internet, exactly.",
      .examples = "connectivity                      everybody with everybody, alike interfaces joined\n"
                  "connectivity --from web --to db   between two of them\n"
                  "connectivity --from onprem        what comes in by VPN and Direct Connect\n"
                  "connectivity --graph svg >n.svg   a picture; also dot (for graphviz) and mermaid\n" },
    { .name = "who-can-reach",
      .mode = OP_LOCAL,
      .run = who_can_reach,
      .text = flows_text,
      .params = who_params,
      .group = "ask",
      .help = "Show who can open what at a destination.",
      .examples = "who-can-reach db          which machines, which ports\n" },
    { .name = "can-reach",
      .mode = OP_LOCAL,
      .run = can_reach,
      .text = flows_text,
      .params = can_params,
      .group = "ask",
      .help = "Show what a source can open, and where.",
      .examples = "can-reach web             whom a taken-over web server could talk to\n" },
    { .name = "exposed",
      .mode = OP_LOCAL,
      .run = exposed,
      .text = exposed_text,
      .params = exposed_params,
      .group = "ask",
      .help = "Show everything the internet can open, by IPv4 and IPv6.",
      .examples = "exposed                   by whom, on which interfaces, which ports\n" },
    { 0 },
};

/* cloud/ops_trace.c - the way of one real packet through the live lab, hop by hop: `trace web db tcp/5432`. */
#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/flow_word.h"
#include "cloud/live_link.h"
#include "cloud/live_names.h"
#include "cloud/names.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/instance.h"

#define WAIT_MS 1000 /* at most; mostly the lab knows at once that nothing more can come */

/* ---- the question -------------------------------------------------------------------------------------------------
 */
/* An echo request, unless a port or protocol is named. */
static bool
read_protocol(const json_t *in, struct live_probe *probe, int family, struct err *err)
{
    const char *word = arg_str(in, "Flow"), *protocol = arg_str(in, "Protocol");
    int port = (int)arg_int(in, "Port", -1);
    probe->protocol = port >= 0 ? PROTOCOL_TCP : PROTOCOL_ICMP;
    if (word && (protocol || port >= 0)) {
        err_set(err, ERR_USAGE, "", "`%s` says protocol and port already", word);
        return err_at(err, "FLOW", 0, 0);
    }
    if (word && !flow_word_read(word, &probe->protocol, &port, err)) {
        return err_at(err, "FLOW", 0, 0);
    }
    if (protocol && (!protocol_parse(protocol, &probe->protocol) || probe->protocol == PROTOCOL_ALL)) {
        return err_set(err, ERR_USAGE, "", "`%s` is not a protocol", protocol) || err_at(err, "--protocol", 0, 0);
    }
    bool ports = probe->protocol == PROTOCOL_TCP || probe->protocol == PROTOCOL_UDP;
    if (ports != (port > 0)) {
        err_set(err, ERR_USAGE, "", ports ? "%s needs a port" : "only tcp and udp have ports, not %s",
                protocol_name(probe->protocol));
        return err_hint(err, "like tcp/443, udp/53 or icmp; or --protocol and --port");
    }
    if (probe->protocol == PROTOCOL_ICMP || probe->protocol == PROTOCOL_ICMPV6) {
        probe->protocol = family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
        port = family == IP_V6 ? 128 : 8;
    }
    probe->dst_port = port;
    return true;
}

static bool
read_question(struct op_call *call, struct live_node *from, struct live_node *to, struct live_probe *probe,
              struct err *err)
{
    int family = arg_flag(call->in, "Ipv6", false) ? IP_V6 : IP_V4;
    if (!live_node_find(call->cloud, arg_str(call->in, "Source"), from, err) ||
        !live_destination_find(call->cloud, from, arg_str(call->in, "Destination"), family, to, err)) {
        return false;
    }
    if (!from->end[0] || strcmp(from->id, "scanner") == 0) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` sends no packets of its own", from->name);
        return err_hint(err, "an instance, an interface, `onprem` or `internet` does");
    }
    family = to->ip.family ? to->ip.family : family;
    snprintf(probe->from, sizeof probe->from, "%s", from->end);
    snprintf(probe->to, sizeof probe->to, "%s", to->end);
    return live_node_address(call->cloud, from, to, family, &probe->dst, err) &&
           read_protocol(call->in, probe, family, err);
}

/* ---- the answer ---------------------------------------------------------------------------------------------------
 */
static const struct {
    const char *prefix, *type;
} node_types[] = {
    { "router:", "router" },   { "igw-", "internet gateway" }, { "eigw-", "egress-only gateway" },
    { "nat-", "NAT gateway" }, { "tgw-", "transit gateway" },  { "vgw-", "private gateway" },
    { "cgw-", "on premises" }, { "internet", "internet" },     { "i-", "appliance" },
    { "vpce-", "endpoint" },   { "eni-", "interface" },
};

static const char *
type_of(const char *node)
{
    for (size_t i = 0; i < ARRAY_SIZE(node_types); i++) {
        if (strncmp(node, node_types[i].prefix, strlen(node_types[i].prefix)) == 0) {
            return node_types[i].type;
        }
    }
    return "on premises"; /* behind a Direct Connect gateway, whose id is a UUID */
}

/* The Name tag; of an interface its instance's, or whose it is.  "" if there is none. */
static const char *
name_of(const struct cloud *cloud, const char *id)
{
    const struct store *store = network_store(cloud->net);
    const struct eni *eni = store_get(store, &eni_kind, id);
    if (eni) {
        const struct instance *instance = store_get(store, &instance_kind, eni->attachment.instance_id);
        const char *name = instance ? object_name(&instance->obj) : object_name(&eni->obj);
        return name ? name : "";
    }
    for (size_t i = 0; network_kinds[i]; i++) {
        const struct object *object = store_get(store, network_kinds[i], id);
        const char *name = object ? object_name(object) : NULL;
        if (name) {
            return name;
        }
    }
    return "";
}

static json_t *
hop_new(const struct cloud *cloud, const char *direction, const char *node)
{
    const char *id = strncmp(node, "router:", 7) == 0 ? node + 7 : node, *name = name_of(cloud, id);
    json_t *hop = json_pack("{s:s, s:s, s:s}", "Direction", direction, "Type", type_of(node), "Id", id);
    if (*name) {
        json_object_set_new(hop, "Name", json_string(name));
    }
    return hop;
}

/* Both ends of the way, between them what the kernel told. */
static void
add_way(const struct cloud *cloud, json_t *list, const json_t *told, const char *direction, const char *begin)
{
    const json_t *visit, *last = NULL;
    size_t i;
    json_array_foreach(told, i, visit)
    {
        if (strcmp(json_str(visit, "Direction"), direction) != 0) {
            continue;
        }
        if (!last && json_str(visit, "In")) {
            json_t *first = hop_new(cloud, direction, json_str(visit, "In"));
            json_object_set(first, "Source", json_object_get(visit, "Source"));
            json_object_set(first, "Destination", json_object_get(visit, "Destination"));
            json_array_append_new(list, first);
        }
        json_t *hop = hop_new(cloud, direction, json_str(visit, "Node"));
        json_t *rest = json_deep_copy(visit);
        json_object_del(rest, "Node");
        json_object_update(hop, rest);
        json_decref(rest);
        json_array_append_new(list, hop);
        last = visit;
    }
    if (last && json_str(last, "Out")) {
        json_array_append_new(list, hop_new(cloud, direction, json_str(last, "Out")));
    } else if (!last && begin) {
        json_t *hop = hop_new(cloud, direction, begin);
        json_object_set_new(hop, "Stopped",
                            json_string("the packet never left it: no link, or its own routes lead nowhere"));
        json_array_append_new(list, hop);
    }
}

static const json_t *
stop_of(const json_t *hops, const char *direction)
{
    size_t i;
    const json_t *hop;
    json_array_foreach(hops, i, hop)
    {
        if (json_str(hop, "Stopped") && strcmp(json_str(hop, "Direction"), direction) == 0) {
            return hop;
        }
    }
    return NULL;
}

static bool
trace_run(struct op_call *call, struct err *err)
{
    struct live_node from, to;
    struct live_probe probe = { 0 };
    if (!live_link_require(call->cloud, err) || !read_question(call, &from, &to, &probe, err)) {
        return false;
    }
    json_t *ways = live_link_trace(call->cloud, &probe, 1, WAIT_MS, err), *hops = json_array();
    if (!ways) {
        json_decref(hops);
        return false;
    }
    const json_t *told = json_array_get(ways, 0);
    add_way(call->cloud, hops, told, "forward", from.eni ? from.eni->obj.id : from.id);
    bool arrived = !stop_of(hops, "forward");
    if (arrived) {
        add_way(call->cloud, hops, told, "answer", NULL);
    }
    json_decref(ways);
    json_t *out = call->out;
    json_object_set_new(out, "Source", json_string(from.name));
    json_object_set_new(out, "Destination", json_string(to.name));
    json_object_set_new(out, "Address", json_string(ip_str(&probe.dst)));
    json_object_set_new(out, "Protocol", json_string(protocol_name(probe.protocol)));
    if (probe.protocol == PROTOCOL_TCP || probe.protocol == PROTOCOL_UDP) {
        json_object_set_new(out, "Port", json_integer(probe.dst_port));
    }
    json_object_set_new(out, "Hops", hops);
    json_object_set_new(out, "Arrived", json_boolean(arrived));
    json_object_set_new(out, "Replied", json_boolean(probe.replied));
    json_object_set_new(out, "Refused", json_boolean(probe.refused));
    if (probe.replied) {
        json_object_set_new(out, "Milliseconds", json_real((double)probe.rtt_us / 1000));
    }
    call->no = !arrived || !probe.replied;
    return true;
}

/* ---- for a person -------------------------------------------------------------------------------------------------
 */
static size_t
label(const json_t *hop, char *out, size_t size)
{
    const char *name = json_str(hop, "Name");
    if (name) {
        snprintf(out, size, "%s (%s)", json_str(hop, "Id"), name);
    } else {
        snprintf(out, size, "%s", json_str(hop, "Id"));
    }
    return strlen(out);
}

static void
print_hop(const json_t *hop, bool first, struct buf *text)
{
    const char *gap = "";
    if (first && json_str(hop, "Source")) {
        buf_printf(text, "%s -> %s", json_str(hop, "Source"), json_str(hop, "Destination"));
        gap = "; ";
    }
    if (json_str(hop, "NewSource")) {
        buf_printf(text, "%ssource %s becomes %s", gap, json_str(hop, "Source"), json_str(hop, "NewSource"));
        gap = "; ";
    }
    if (json_str(hop, "NewDestination")) {
        buf_printf(text, "%sdestination %s becomes %s", gap, json_str(hop, "Destination"),
                   json_str(hop, "NewDestination"));
        gap = "; ";
    }
    if (json_str(hop, "RouteTable") && !json_str(hop, "Stopped")) {
        buf_printf(text, "%srouted by %s", gap, json_str(hop, "RouteTable"));
    }
}

/* A line for each: ids are long. */
static void
print_decisions(const json_t *hop, struct buf *text)
{
    const json_t *rules = json_object_get(hop, "Rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        buf_printf(text, "          passes %s\n", json_string_value(json_array_get(rules, i)));
    }
    if (json_str(hop, "Stopped")) {
        buf_printf(text, "          stopped: %s\n", json_str(hop, "Stopped"));
    }
}

static void
print_way(const json_t *hops, const char *direction, struct buf *text)
{
    char name[ID_SIZE + 96];
    size_t i, types = 0, labels = 0;
    const json_t *hop;
    int n = 0;
    json_array_foreach(hops, i, hop)
    {
        size_t type = strlen(json_str(hop, "Type")), width = label(hop, name, sizeof name);
        types = type > types ? type : types;
        labels = width > labels ? width : labels;
    }
    json_array_foreach(hops, i, hop)
    {
        if (strcmp(json_str(hop, "Direction"), direction) != 0) {
            continue;
        }
        struct buf said = { 0 };
        if (n++ == 0) {
            buf_printf(text, "\n%s\n", direction);
        }
        label(hop, name, sizeof name);
        print_hop(hop, n == 1, &said);
        buf_printf(text, "  %2d %c  %-*s  ", n, json_str(hop, "Stopped") ? 'x' : ' ', (int)types,
                   json_str(hop, "Type"));
        if (said.size) {
            buf_printf(text, "%-*s  %s\n", (int)labels, name, buf_str(&said));
        } else {
            buf_printf(text, "%s\n", name);
        }
        print_decisions(hop, text);
        buf_done(&said);
    }
}

static void
trace_text(const json_t *out, struct buf *text)
{
    const json_t *hops = json_object_get(out, "Hops");
    const char *from = json_str(out, "Source"), *to = json_str(out, "Destination"),
               *protocol = json_str(out, "Protocol");
    long long port = json_int(out, "Port", 0);
    char flow[64];
    snprintf(flow, sizeof flow, port ? "%s/%lld" : "%s", protocol, port);
    buf_printf(text, "%s -> %s (%s)  %s\n", from, to, json_str(out, "Address"), flow);
    print_way(hops, "forward", text);
    print_way(hops, "answer", text);
    bool arrived = json_flag(out, "Arrived", false), replied = json_flag(out, "Replied", false);
    if (replied) {
        buf_printf(text, "\narrived, and the answer%s came back after %.3f ms\n",
                   json_flag(out, "Refused", false) ? " (the port is closed)" : "",
                   json_real_value(json_object_get(out, "Milliseconds")));
        return;
    }
    buf_printf(text, "\n%s\n",
               !arrived                  ? "did not arrive"
               : stop_of(hops, "answer") ? "arrived; the answer did not come back"
                                         : "arrived; nothing answered");
    if (!arrived || stop_of(hops, "answer")) {
        buf_printf(text, "hint: `reach %s %s %s --all` says what would have to change\n", from, to, flow);
    }
}

/* ---- the row ------------------------------------------------------------------------------------------------------
 */
static const struct op_param trace_params[] = {
    { "Source", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL, "instance, interface, `onprem` or `internet` that sends",
      NULL, NULL },
    { "Destination", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL,
      "instance, interface, endpoint, `onprem`, `internet`, address or domain name", NULL, NULL },
    { "Flow", OP_STRING, OP_POSITIONAL, "protocol and port in one: tcp/5432, udp/53, icmp", NULL, NULL },
    { "Port", OP_PORT, OP_OPTIONAL, "destination port; an ICMP echo request if not given", NULL, NULL },
    { "Protocol", OP_PROTOCOL, OP_OPTIONAL, "tcp (default with a port), udp, icmp or a protocol number", NULL, NULL },
    { "Ipv6", OP_BOOL, OP_OPTIONAL, "by IPv6", NULL, NULL },
    { 0 },
};

const struct op ops_trace[] = {
    { .name = "trace",
      .mode = OP_LOCAL,
      .run = trace_run,
      .text = trace_text,
      .params = trace_params,
      .group = "ask",
      .help = "Follow a real packet and its answer through the live lab, hop by hop, to the rule that stops it.",
      .examples = "trace web db tcp/5432           which rules let it pass, which table routes it?\n"
                  "trace app internet              which way out, and as which address?\n"
                  "trace internet web --port 22    where does it stop?\n" },
    { 0 },
};

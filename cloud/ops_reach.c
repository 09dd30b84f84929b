/* cloud/ops_reach.c - `vpclab reach`: does a packet arrive, hop by hop, and what decided?
 *
 * The verdict is netsim/analysis/reach; this file reads the words, shapes the answer as AWS's analyzer does
 * (NetworkInsightsAnalyses) beside our own reading (Verdict, Steps), and prints it for a person. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"
#include "cloud/flow_word.h"
#include "cloud/names.h"
#include "cloud/op.h"
#include "cloud/render.h"
#include "cloud/batch_lines.h"
#include "netsim/analysis/batch.h"
#include "netsim/model/eni_owner.h"
#include "netsim/model/network.h"
#include "netsim/model/vpn.h"

/* ---- Reading the question ------------------------------------------------------------------------------------------
 */

static bool
end_from_words(const struct cloud *cloud, const char *text, const char *where, struct flow_end *end, struct err *err)
{
    char id[ID_SIZE];
    if (!text) {
        err_set(err, ERR_USAGE, "", "`reach` asks from where to where, and %s is missing", where);
        return err_hint(
            err, "reach SOURCE DESTINATION, each an instance, an interface, a gateway, `internet` or an address");
    }
    if (strcmp(text, "internet") == 0) {
        end->kind = FLOW_END_INTERNET;
        return true;
    }
    if (ip_parse(text, &end->ip)) {
        end->kind = FLOW_END_IP;
        return true;
    }
    if (flow_end_of_id(text, end) && !network_kind_of_id(text)) {
        return true; /* of a kind that is not modelled: the answer says so */
    }
    if (!cloud_resolve(cloud, NULL, text, id, err)) {
        return err_at(err, where, 0, 0);
    }
    if (looks_like_domain(id) && !store_find(network_store(cloud->net), id)) {
        return true; /* a name, which read_destination() looks up */
    }
    if (!flow_end_of_id(id, end) && !store_find(network_store(cloud->net), id)) {
        return cloud_resolve(cloud, "instance", text, id, err) ||
               err_at(err, where, 0, 0); /* says so, with what is near */
    }
    if (store_get(network_store(cloud->net), &direct_connect_gateway_kind, id)) { /* its ids have no prefix */
        *end = (struct flow_end){ .kind = FLOW_END_GATEWAY };
        snprintf(end->id, sizeof end->id, "%s", id);
    }
    if (end->kind == FLOW_END_NONE) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` sends and receives no packets", text);
        err_hint(err, "an end is an instance, an interface, a gateway, `internet` or an address");
        return err_at(err, where, 0, 0);
    }
    return true;
}

static bool
read_address(const json_t *in, const char *name, const char *where, struct ip *ip, struct err *err)
{
    const char *text = arg_str(in, name);
    if (text && !ip_parse(text, ip)) {
        err_set(err, ERR_USAGE, "", "`%s` is not an address", text);
        return err_at(err, where, 0, 0);
    }
    return true;
}

static bool
is_no_name(const struct flow_end *end, const char *text, struct err *err)
{
    return end->kind != FLOW_END_NONE || err_set(err, ERR_USAGE, "", "a source is no domain name: `%s`", text) ||
           err_at(err, "SOURCE", 0, 0);
}

/* A name means what the resolver answers to the source; the answer of this command says so.  A name without an address
 * leaves the end empty. */
static bool
read_destination(struct op_call *call, struct flow_spec *flow, struct err *err)
{
    const char *text = arg_str(call->in, "Destination");
    if (!end_from_words(call->cloud, text, "DESTINATION", &flow->to, err)) {
        return false;
    }
    if (flow->to.kind != FLOW_END_NONE) {
        return true;
    }
    struct dns_answer answer = { 0 };
    const char *vpc_id = vpc_of_end(call->cloud->net, flow->from.id);
    if (!names_ask(call->cloud, vpc_id, subnet_of_end(call->cloud->net, flow->from.id), text, 0, &answer, err)) {
        return err_at(err, "DESTINATION", 0, 0);
    }
    const struct ip *ip = names_address(&answer);
    if (ip) {
        flow->to = (struct flow_end){ .kind = FLOW_END_IP, .ip = *ip };
    }
    json_object_set_new(call->out, "Resolution", names_json(call->cloud->net, vpc_id, &answer));
    dns_answer_done(&answer);
    return true;
}

/* "tcp/5432", "udp/53", "icmp": protocol and port in one word. */
static bool
read_flow_word(const json_t *in, struct flow_spec *flow, struct err *err)
{
    const char *word = arg_str(in, "Flow");
    if (!word) {
        return true;
    }
    if (arg_str(in, "Protocol") || json_object_get(in, "Port")) {
        err_set(err, ERR_USAGE, "", "`%s` says protocol and port already", word);
        err_hint(err, "like tcp/443, udp/53 or icmp; or --protocol and --port");
        return err_at(err, "FLOW", 0, 0);
    }
    return flow_word_read(word, &flow->protocol, &flow->dst_port, err) || err_at(err, "FLOW", 0, 0);
}

static bool
read_flow(struct op_call *call, struct flow_spec *flow, struct err *err)
{
    const json_t *in = call->in;
    const char *protocol = arg_str(in, "Protocol");
    *flow = (struct flow_spec){ .protocol = PROTOCOL_TCP, .interfaces_alone = true };
    if (!end_from_words(call->cloud, arg_str(in, "Source"), "SOURCE", &flow->from, err) ||
        !is_no_name(&flow->from, arg_str(in, "Source"), err) || !read_destination(call, flow, err) ||
        !read_address(in, "SourceIp", "--source-ip", &flow->src_ip, err) ||
        !read_address(in, "DestinationIp", "--destination-ip", &flow->dst_ip, err)) {
        return false;
    }
    flow->dst_port = (int)arg_int(in, "Port", -1);
    if (!read_flow_word(in, flow, err)) {
        return false;
    }
    flow->src_port = (int)arg_int(in, "SourcePort", -1);
    flow->icmp_type = (int)arg_int(in, "IcmpType", -1);
    flow->icmp_code = (int)arg_int(in, "IcmpCode", -1);
    if (flow->icmp_type > 255 || flow->icmp_code > 255) {
        return err_set(err, ERR_USAGE, "", "an ICMP type or code is 0 to 255") || err_at(err, "--icmp-type", 0, 0);
    }
    if (protocol && !protocol_parse(protocol, &flow->protocol)) {
        return err_set(err, ERR_USAGE, "", "`%s` is not a protocol", protocol) || err_at(err, "--protocol", 0, 0);
    }
    if (!protocol && !arg_str(in, "Flow") && flow->icmp_type >= 0) {
        flow->protocol = PROTOCOL_ICMP;
    }
    bool has_ports = flow->protocol == PROTOCOL_TCP || flow->protocol == PROTOCOL_UDP;
    if (!has_ports && (flow->dst_port >= 0 || flow->src_port >= 0)) {
        err_set(err, ERR_USAGE, "", "only tcp and udp have ports, not %s", protocol_name(flow->protocol));
        return err_at(err, "--port", 0, 0);
    }
    flow->family = arg_flag(in, "Ipv6", false) ? IP_V6 : IP_NONE;
    flow->all_obstacles = arg_flag(in, "All", false);
    return true;
}

/* ---- The answer ----------------------------------------------------------------------------------------------------
 */

static const char *
end_name(const struct network *net, const struct flow_end *end)
{
    if (end->kind == FLOW_END_INTERNET) {
        return "internet";
    }
    if (end->kind == FLOW_END_IP) {
        return ip_str(&end->ip);
    }
    const struct object *object = store_find(network_store(net), end->id);
    const char *name = object ? object_name(object) : NULL;
    if (!name && object && object->kind == &eni_kind) {
        name = eni_owner_str((const struct eni *)(const void *)object);
    }
    return name ? name : end->id;
}

static json_t *
codes_json(const char *const codes[static 4])
{
    json_t *list = json_array();
    for (size_t i = 0; i < 4 && codes[i]; i++) {
        json_array_append_new(list, json_string(codes[i]));
    }
    return list;
}

static void
set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

/* "10.0.0.1:443", "[2001:db8::1]:443", or the address alone where there are no ports. */
static json_t *
socket_json(const struct ip *ip, int port)
{
    if (port < 0) {
        return json_string(ip_str(ip));
    }
    return json_sprintf(ip->family == IP_V6 ? "[%s]:%d" : "%s:%d", ip_str(ip), port);
}

static json_t *
verdict_json(const struct network *net, const struct flow_spec *flow, const struct reach_result *r)
{
    bool answer_lost = r->reachable && r->reply == REPLY_BLOCKED;
    json_t *v = json_object();
    set(v, "From", json_string(end_name(net, &flow->from)));
    set(v, "To", json_string(end_name(net, &flow->to)));
    set(v, "Flow", json_string(flow_str(&r->sent)));
    set(v, "Reachable", json_boolean(r->reachable));
    set(v, "Reply", r->reply == REPLY_UNKNOWN ? json_null() : json_string(answer_lost ? "blocked" : "allowed"));
    set(v, "Why", r->why ? json_string(r->why) : answer_lost ? json_string(r->reply_why) : json_null());
    set(v, "ExplanationCodes", codes_json(answer_lost ? r->reply_codes : r->codes));
    set(v, "Source", socket_json(&r->sent.src, r->sent.src_port));
    set(v, "Destination", socket_json(&r->sent.dst, r->sent.dst_port));
    set(v, "ArrivesFrom", socket_json(&r->arrives.src, r->arrives.src_port));
    set(v, "ArrivesAt", socket_json(&r->arrives.dst, r->arrives.dst_port));
    json_t *path = json_array();
    for (size_t i = 0; i < r->path.n; i++) {
        json_array_append_new(path, json_string(r->path.items[i]));
    }
    set(v, "Path", path);
    if (r->reason) {
        set(v, "Reason", json_string(r->reason));
    }
    if (r->hint) {
        set(v, "Hint", json_string(r->hint));
    }
    return v;
}

/* As describe-network-insights-analyses shows an analysis; members in its order, and no others. */
static json_t *
analysis_json(const struct op_call *call, const struct reach_result *result, struct err *err)
{
    char now[32];
    clock_format_ms(network_now_ms(call->cloud->net), now);
    json_t *analysis =
        json_pack("{s:s, s:s, s:b}", "StartDate", now, "Status", "succeeded", "NetworkPathFound", result->path_found);
    set(analysis, "ForwardPathComponents", json_incref(result->forward));
    set(analysis, "ReturnPathComponents", json_incref(result->back));
    set(analysis, "Explanations", json_incref(result->explanations));
    json_t *list = json_pack("{s:[o]}", "NetworkInsightsAnalyses", analysis);
    json_t *ordered = render_ordered(op_by_name("ec2", "DescribeNetworkInsightsAnalyses"), list, err);
    json_decref(list);
    return ordered;
}

/* A destination that no address stands for: nothing is sent. */
static bool
no_address(struct op_call *call, const struct flow_spec *flow, struct err *err)
{
    const json_t *resolution = json_object_get(call->out, "Resolution");
    const struct packet packet = { .protocol = flow->protocol, .src_port = -1, .dst_port = flow->dst_port };
    struct reach_result none = { .forward = json_array(), .back = json_array(), .explanations = json_array() };
    json_array_append_new(none.explanations, json_pack("{s:s}", "ExplanationCode", "NO_SOURCE_OR_DESTINATION"));
    json_t *answer = analysis_json(call, &none, err);
    reach_result_done(&none);
    if (!answer) {
        return false;
    }
    json_object_update(call->out, answer);
    json_decref(answer);
    json_t *v = json_pack("{s:s, s:O, s:s, s:b, s:n, s:s, s:[s], s:[], s:O}", "From",
                          end_name(call->cloud->net, &flow->from), "To", json_object_get(resolution, "Name"), "Flow",
                          flow_str(&packet), "Reachable", 0, "Reply", "Why", "no-such-name", "ExplanationCodes",
                          "NO_SOURCE_OR_DESTINATION", "Path", "Reason", json_object_get(resolution, "Reason"));
    if (json_object_get(resolution, "Hint")) {
        json_object_set(v, "Hint", json_object_get(resolution, "Hint"));
    }
    set(call->out, "Verdict", v);
    set(call->out, "Steps", json_array());
    call->no = true;
    return true;
}

static bool
reach_one(struct op_call *call, struct err *err)
{
    struct flow_spec flow;
    struct reach_result result = { 0 };
    if (!read_flow(call, &flow, err)) {
        return false;
    }
    if (flow.to.kind == FLOW_END_NONE) {
        return no_address(call, &flow, err);
    }
    if (!reach(call->cloud->net, &flow, true, &result, err)) {
        return false;
    }
    json_t *answer = analysis_json(call, &result, err);
    if (answer) {
        json_object_update(call->out, answer);
        set(call->out, "Verdict", verdict_json(call->cloud->net, &flow, &result));
        set(call->out, "Steps", json_incref(result.steps));
        if (result.obstacles) {
            set(call->out, "Obstacles", json_incref(result.obstacles));
        }
        call->no = !result.path_found;
    }
    reach_result_done(&result);
    json_decref(answer);
    return answer != NULL;
}

/* ---- Batch ---------------------------------------------------------------------------------------------------------
 */

static json_t *
batch_error(const struct err *err, int line)
{
    json_t *error = json_pack("{s:s, s:s, s:i}", "code", *err->code ? err->code : "InvalidQuestion", "message",
                              err->text, "line", err->line && strcmp(err->where, "line") == 0 ? err->line : line);
    if (err->column) {
        set(error, "column", json_integer(err->column));
    }
    if (*err->where) {
        set(error, "where", json_string(err->where));
    }
    return json_pack("{s:o}", "error", error);
}

static void
batch_line(void *net, const char *text, size_t size, int line, struct buf *out)
{
    struct err err = { 0 };
    json_t *question = json_read(text, size, "", &err);
    json_t *answer = question ? batch_answer(net, question, &err) : NULL;
    const char *id = json_str(question, "id");
    if (!answer) {
        answer = batch_error(&err, line);
    }
    if (id) {
        set(answer, "id", json_string(id));
    }
    json_write_compact(answer, out);
    buf_char(out, '\n');
    json_decref(answer);
    json_decref(question);
}

static bool
reach_run(struct op_call *call, struct err *err)
{
    const char *batch = arg_str(call->in, "Batch");
    return batch ? batch_lines(batch, batch_line, call->cloud->net, err) : reach_one(call, err);
}

/* ---- For a person --------------------------------------------------------------------------------------------------
 */

static size_t
label_width(const json_t *step)
{
    const char *name = json_str(step, "Name");
    return strlen(json_str(step, "Id")) + (name ? strlen(name) + 3 : 0);
}

/* Spaces up to 'width' columns after what was printed since 'from'. */
static void
pad(struct buf *text, size_t from, size_t width)
{
    while (text->size - from < width) {
        buf_char(text, ' ');
    }
}

static void
print_column(struct buf *text, const char *column, size_t width)
{
    size_t from = text->size;
    buf_str_add(text, column);
    pad(text, from, width);
}

static void
print_label(struct buf *text, const json_t *step, size_t width)
{
    const char *name = json_str(step, "Name"), *id = json_str(step, "Id");
    size_t from = text->size;
    buf_printf(text, name ? "%s (%s)" : "%s", name ? name : id, id);
    pad(text, from, width);
}

/* The rules that were looked at and did not fit, the nearest miss first. */
static void
print_missed_rules(struct buf *text, const json_t *rules)
{
    size_t width = 0;
    for (size_t i = 0; i < json_array_size(rules); i++) {
        size_t length = strlen(json_str(json_array_get(rules, i), "Text"));
        width = length > width ? length : width;
    }
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        buf_str_add(text, "         not  ");
        print_column(text, json_str(rule, "Text"), width + 2);
        buf_printf(text, "%s  %s\n", json_str(rule, "Misses"), json_str(rule, "Id"));
    }
}

static size_t
print_direction(struct buf *text, const json_t *steps, const char *direction, const char *title)
{
    size_t width = 0, n = 0, kind_width = 0;
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        if (strcmp(json_str(step, "Direction"), direction) == 0) {
            size_t kind = strlen(json_str(step, "Component"));
            width = label_width(step) > width ? label_width(step) : width;
            kind_width = kind > kind_width ? kind : kind_width;
        }
    }
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        bool no = strcmp(json_str(step, "Verdict"), "no") == 0;
        if (strcmp(json_str(step, "Direction"), direction) != 0) {
            continue;
        }
        if (n++ == 0) {
            buf_printf(text, "\n%s\n", title);
        }
        buf_printf(text, "  %2zu %c  ", n, no ? 'x' : ' ');
        print_column(text, json_str(step, "Component"), kind_width + 2);
        print_label(text, step, width + 2);
        buf_printf(text, "%s\n", json_str(step, "Text"));
        print_missed_rules(text, json_object_get(step, "Rules"));
    }
    return n;
}

static void
print_header(struct buf *text, const json_t *out, size_t n_hops)
{
    const json_t *v = json_object_get(out, "Verdict");
    const char *code = json_string_value(json_array_get(json_object_get(v, "ExplanationCodes"), 0));
    const char *reply = json_str(v, "Reply");
    const json_t *analysis = json_array_get(json_object_get(out, "NetworkInsightsAnalyses"), 0);
    bool found = json_flag(analysis, "NetworkPathFound", false), lost = reply && strcmp(reply, "blocked") == 0;
    const char *why = json_str(v, "Why");
    bool unknown = why && (strncmp(why, "unsupported", 11) == 0 || strcmp(why, "unknown-resource") == 0 ||
                           strcmp(why, "tgw-unknown-routes") == 0); /* the way leads where the lab has no data */
    buf_printf(text, "%s  %s -> %s  %s  ",
               found     ? "REACHABLE"
               : unknown ? "UNKNOWN"
                         : "BLOCKED",
               json_str(v, "From"), json_str(v, "To"), json_str(v, "Flow"));
    if (!found) {
        buf_printf(text, "%s%s\n", code ? code : json_str(v, "Why"),
                   lost ? "  (it arrives, the answer does not come back)" : "");
    } else {
        buf_printf(text, "%zu hop%s%s%s\n", n_hops, plural((long long)n_hops), lost ? ", but the answer is lost  " : "",
                   lost ? code : "");
    }
}

/* --all: numbered in the order they are met, each with its mend. */
static void
print_obstacles(struct buf *text, const json_t *obstacles)
{
    size_t n = json_array_size(obstacles);
    buf_printf(text, "\n%zu obstacle%s\n", n, plural((long long)n));
    for (size_t i = 0; i < n; i++) {
        const json_t *o = json_array_get(obstacles, i);
        const char *hint = json_str(o, "Hint");
        bool back = strcmp(json_str(o, "Direction"), "return") == 0;
        buf_printf(text, "  %zu  %s  %s%s\n", i + 1, json_str(o, "ExplanationCode"), back ? "on the way back, " : "",
                   json_str(o, "Reason"));
        if (hint) {
            buf_printf(text, "     hint: %s\n", hint);
        }
    }
}

static void
reach_text(const json_t *out, struct buf *text)
{
    if (!json_object_get(out, "Verdict")) {
        return; /* a batch: the answers are out already */
    }
    const json_t *v = json_object_get(out, "Verdict"), *steps = json_object_get(out, "Steps");
    struct buf body = { 0 }, forward = { 0 }, back = { 0 };
    const json_t *resolution = json_object_get(out, "Resolution");
    if (json_str(v, "Source")) { /* it was sent */
        buf_printf(&forward, "forward  %s -> %s", json_str(v, "Source"), json_str(v, "Destination"));
        buf_printf(&back, "return  %s -> %s", json_str(v, "ArrivesAt"), json_str(v, "ArrivesFrom"));
    }
    size_t n_hops = print_direction(&body, steps, "forward", buf_str(&forward));
    print_direction(&body, steps, "return", buf_str(&back));
    print_header(text, out, n_hops);
    if (resolution && json_str(v, "Source")) {
        buf_printf(text, "\nname  %s: %s\n", json_str(resolution, "Name"), json_str(resolution, "Reason"));
        const json_t *possible = json_object_get(resolution, "AlsoPossible");
        for (size_t i = 0; i < json_array_size(possible); i++) {
            buf_printf(text, i ? ", %s" : "      it may as well mean %s",
                       json_str(json_array_get(possible, i), "Value"));
        }
        buf_str_add(text, json_array_size(possible) ? "\n" : "");
    }
    buf_str_add(text, buf_str(&body));
    const json_t *obstacles = json_object_get(out, "Obstacles");
    if (obstacles) {
        print_obstacles(text, obstacles);
    } else if (json_str(v, "Reason")) {
        buf_printf(text, "\nbecause: %s\n", json_str(v, "Reason"));
    }
    if (!obstacles && json_str(v, "Hint")) {
        buf_printf(text, "hint: %s\n", json_str(v, "Hint"));
    }
    buf_done(&body);
    buf_done(&forward);
    buf_done(&back);
}

/* ---- The row -------------------------------------------------------------------------------------------------------
 */

static const struct op_param reach_params[] = {
    { "Source", OP_ENDPOINT, OP_POSITIONAL, "instance, interface, gateway, `internet` or address it leaves from", NULL,
      NULL },
    { "Destination", OP_ENDPOINT, OP_POSITIONAL,
      "where it should arrive; a domain name means what it means to the source", NULL, NULL },
    { "Flow", OP_STRING, OP_POSITIONAL, "protocol and port in one: tcp/5432, udp/53, icmp", NULL, NULL },
    { "Port", OP_PORT, OP_OPTIONAL, "destination port; any that gets through if not given", NULL, NULL },
    { "Protocol", OP_PROTOCOL, OP_OPTIONAL, "tcp (default), udp, icmp or a protocol number", NULL, NULL },
    { "SourcePort", OP_PORT, OP_OPTIONAL, "an ephemeral port if not given", NULL, NULL },
    { "SourceIp", OP_ADDRESS, OP_OPTIONAL, "another source address than the primary one", NULL, NULL },
    { "DestinationIp", OP_ADDRESS, OP_OPTIONAL, "another destination address than the primary one", NULL, NULL },
    { "IcmpType", OP_INT, OP_OPTIONAL, "8 (echo request) if not given", NULL, NULL },
    { "IcmpCode", OP_INT, OP_OPTIONAL, "0 if not given", NULL, NULL },
    { "Ipv6", OP_BOOL, OP_OPTIONAL, "by IPv6, where no address says so", NULL, NULL },
    { "All", OP_BOOL, OP_OPTIONAL, "every obstacle on the way there and back, not only the first", NULL, NULL },
    { "Batch", OP_PATH, OP_STDIN, "answer JSON lines from a file or `-`, one question each", NULL, NULL },
    { 0 },
};

const struct op ops_reach[] = {
    {
        .name = "reach",
        .mode = OP_LOCAL,
        .run = reach_run,
        .help = "Show whether a packet arrives and its answer comes back, hop by hop, and the rule that decided.",
        .params = reach_params,
        .text = reach_text,
        .aside = "Verdict Steps Obstacles",
        .group = "ask",
        .examples = "reach web db --port 5432            may the web server open the database?\n"
                    "reach internet web --port 443       is the site open to the world?\n"
                    "reach app internet --protocol icmp   can it ping out, and which way?\n"
                    "reach web db --port 22 --all        what else would have to change?\n"
                    "reach --batch questions.jsonl       one JSON question a line, one answer a line\n",
    },
    { 0 },
};

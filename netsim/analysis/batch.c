#include "netsim/analysis/batch.h"

#include <string.h>

#include "netsim/analysis/rules.h"
#include "netsim/analysis/tgw_table.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/network.h"

/* ---- Reading -------------------------------------------------------------------------------------------------------
 */

static bool
wrong(struct err *err, const char *member, const char *expected)
{
    err_set(err, ERR_DOCUMENT, "", "`%s` must be %s", member, expected);
    return err_at(err, member, 0, 0);
}

static const struct end_member {
    const char *name;
    enum flow_end_kind kind;
} end_members[] = {
    { "instance", FLOW_END_INSTANCE }, { "eni", FLOW_END_ENI },
    { "internet", FLOW_END_INTERNET }, { "ip", FLOW_END_IP },
    { "gateway", FLOW_END_GATEWAY },   { "endpoint", FLOW_END_VPCE },
};

static bool
read_ip(const json_t *question, const char *member, struct ip *ip, struct err *err)
{
    const json_t *value = json_object_get(question, member);
    if (!value || json_is_null(value)) {
        return true;
    }
    return (json_is_string(value) && ip_parse(json_string_value(value), ip)) ||
           wrong(err, member, "an IPv4 or IPv6 address");
}

static bool
read_end(const json_t *question, const char *member, struct flow_end *end, struct err *err)
{
    const json_t *json = json_object_get(question, member);
    for (size_t i = 0; json_is_object(json) && i < ARRAY_SIZE(end_members); i++) {
        const json_t *value = json_object_get(json, end_members[i].name);
        if (!value) {
            continue;
        }
        end->kind = end_members[i].kind;
        if (end->kind == FLOW_END_INTERNET) {
            return json_is_true(value) || wrong(err, member, "{\"internet\": true}");
        }
        if (end->kind == FLOW_END_IP) {
            return read_ip(json, "ip", &end->ip, err) &&
                   (end->ip.family || wrong(err, "ip", "an IPv4 or IPv6 address"));
        }
        const char *id = json_string_value(value);
        if (!id || strlen(id) >= sizeof end->id) {
            return wrong(err, end_members[i].name, "an id");
        }
        strcpy(end->id, id);
        return true;
    }
    return wrong(err, member, "an object with one of instance, eni, internet, ip, gateway, endpoint");
}

static bool
read_int(const json_t *question, const char *member, int limit, int *value, struct err *err)
{
    const json_t *json = json_object_get(question, member);
    if (!json || json_is_null(json)) {
        return true;
    }
    if (!json_is_integer(json) || json_integer_value(json) < 0 || json_integer_value(json) > limit) {
        return wrong(err, member, limit == 255 ? "a number from 0 to 255" : "a number from 0 to 65535");
    }
    *value = (int)json_integer_value(json);
    return true;
}

/* Protocol, ports, ICMP type and code; -1 for those not stated. */
static bool
read_header(const json_t *question, struct packet *p, struct err *err)
{
    const json_t *protocol = json_object_get(question, "protocol");
    p->src_port = p->dst_port = p->icmp_type = p->icmp_code = -1;
    if (json_is_integer(protocol)) {
        p->protocol = (int)json_integer_value(protocol);
    } else if (!json_is_string(protocol) || !protocol_parse(json_string_value(protocol), &p->protocol)) {
        return wrong(err, "protocol", "tcp, udp, icmp or a protocol number");
    }
    return read_int(question, "srcPort", 65535, &p->src_port, err) &&
           read_int(question, "dstPort", 65535, &p->dst_port, err) &&
           read_int(question, "icmpType", 255, &p->icmp_type, err) &&
           read_int(question, "icmpCode", 255, &p->icmp_code, err) && read_ip(question, "srcIp", &p->src, err) &&
           read_ip(question, "dstIp", &p->dst, err);
}

bool
flow_from_json(const json_t *question, struct flow_spec *flow, struct err *err)
{
    struct packet p = { 0 };
    *flow = (struct flow_spec){ 0 };
    if (!read_end(question, "from", &flow->from, err) || !read_end(question, "to", &flow->to, err) ||
        !read_header(question, &p, err)) {
        return false;
    }
    flow->protocol = p.protocol;
    flow->src_port = p.src_port;
    flow->dst_port = p.dst_port;
    flow->icmp_type = p.icmp_type;
    flow->icmp_code = p.icmp_code;
    flow->interfaces_alone = true;
    flow->receiver = json_str(question, "lbTarget");
    flow->src_ip = p.src;
    flow->dst_ip = p.dst;
    return true;
}

/* ---- Answering -----------------------------------------------------------------------------------------------------
 */

static json_t *
strings(const char *const *items, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n && items[i]; i++) {
        json_array_append_new(list, json_string(items[i]));
    }
    return list;
}

static json_t *
header_json(const struct packet *p)
{
    json_t *json = json_pack("{s:s, s:s, s:s}", "srcIp", ip_str(&p->src), "dstIp", ip_str(&p->dst), "protocol",
                             protocol_is_icmp(p->protocol) ? "icmp" : protocol_name(p->protocol));
    if (protocol_has_ports(p->protocol)) {
        json_object_set_new(json, "srcPort", json_integer(p->src_port));
        json_object_set_new(json, "dstPort", json_integer(p->dst_port));
    } else if (protocol_is_icmp(p->protocol)) {
        json_object_set_new(json, "icmpType", json_integer(p->icmp_type));
        json_object_set_new(json, "icmpCode", json_integer(p->icmp_code));
    }
    return json;
}

static json_t *
reply_json(enum reach_reply reply)
{
    return reply == REPLY_UNKNOWN ? json_null() : json_string(reply == REPLY_ALLOWED ? "allowed" : "blocked");
}

static json_t *
answer_flow(const struct network *net, const json_t *question, struct err *err)
{
    struct flow_spec flow;
    struct reach_result result = { 0 };
    if (!flow_from_json(question, &flow, err) || !reach(net, &flow, false, &result, err)) {
        return NULL;
    }
    json_t *out = json_object();
    json_object_set_new(out, "verdict", json_string(result.reachable ? "reachable" : "unreachable"));
    json_object_set_new(out, "reply", reply_json(result.reply));
    json_object_set_new(out, "why", result.why ? json_string(result.why) : json_null());
    json_object_set_new(out, "codes", strings(result.codes, ARRAY_SIZE(result.codes)));
    json_object_set_new(out, "path", strings((const char *const *)result.path.items, result.path.n));
    json_object_set_new(out, "arrives", header_json(&result.arrives));
    if (result.receivers.n > 0) {
        json_object_set_new(out, "lbTargets", strings((const char *const *)result.receivers.items, result.receivers.n));
    }
    if (result.reply == REPLY_BLOCKED) {
        json_object_set_new(out, "replyWhy", json_string(result.reply_why));
        json_object_set_new(out, "replyCodes", strings(result.reply_codes, ARRAY_SIZE(result.reply_codes)));
    }
    reach_result_done(&result);
    return out;
}

static json_t *
answer_filter(const struct network *net, const char *id, const json_t *question, struct err *err)
{
    const char *direction = json_str(question, "direction");
    bool egress = direction && strcmp(direction, "egress") == 0;
    struct packet p = { 0 };
    if (!egress && (!direction || strcmp(direction, "ingress") != 0)) {
        wrong(err, "direction", "ingress or egress");
        return NULL;
    }
    if (!read_header(question, &p, err)) {
        return NULL;
    }
    const struct ip *other = egress ? &p.dst : &p.src;
    if (!other->family) {
        wrong(err, egress ? "dstIp" : "srcIp", "an IPv4 or IPv6 address");
        return NULL;
    }
    if (protocol_is_icmp(p.protocol)) {
        p.protocol = other->family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
        p.icmp_type = p.icmp_type >= 0 ? p.icmp_type : p.protocol == PROTOCOL_ICMP ? 8 : 128;
        p.icmp_code = p.icmp_code >= 0 ? p.icmp_code : 0;
    }
    bool permits;
    if (!filter_permits(net, id, egress, &p, &permits, err)) {
        return NULL;
    }
    return json_pack("{s:s}", "verdict", permits ? "permit" : "deny");
}

static json_t *
answer_table(const struct network *net, const char *id, const json_t *question, struct err *err)
{
    const char *text = json_str(question, "destination");
    struct cidr destination;
    if (!text || !cidr_parse_loose(text, &destination)) {
        wrong(err, "destination", "a CIDR block");
        return NULL;
    }
    if (strncmp(id, "tgw-rtb-", 8) == 0) {
        const struct tgw_route_table *tgw_table = network_require(net, &tgw_route_table_kind, id, err);
        if (!tgw_table) {
            return NULL;
        }
        struct tgw_way way = tgw_table_lookup(net, tgw_table, &destination);
        return json_pack("{s:b, s:s?}", "present", way.found, "via", way.attachment_id);
    }
    const struct route_table *table = network_require(net, &route_table_kind, id, err);
    if (!table) {
        return NULL;
    }
    /* The whole block must be covered, so its first address takes the route only if the prefix holds the last one too.
     */
    struct ip first = cidr_first(&destination);
    struct cidr prefix;
    const struct route *route = route_lookup(net, table, &first, &prefix);
    const char *via = NULL;
    bool present = route && cidr_contains(&prefix, &destination);
    if (present) {
        route_target(route, &via);
    }
    return json_pack("{s:b, s:s?}", "present", present, "via", via);
}

json_t *
batch_answer(const struct network *net, const json_t *question, struct err *err)
{
    static const char *const filters[] = { "securityGroup", "networkAcl", "eni" };
    if (!json_is_object(question)) {
        err_set(err, ERR_DOCUMENT, "", "a question is a JSON object");
        return NULL;
    }
    if (json_str(question, "table")) {
        return answer_table(net, json_str(question, "table"), question, err);
    }
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        if (json_str(question, filters[i])) {
            return answer_filter(net, json_str(question, filters[i]), question, err);
        }
    }
    return answer_flow(net, question, err);
}

#include "cloud/ops_verify_request.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud/http_questions.h"
#include "cloud/live_link.h"
#include "cloud/live_names.h"
#include "netsim/live/plan.h"

/* ---- what the options say -------------------------------------------------------------------------------------------
 */
bool
verify_request_asked(const json_t *in, bool *asked, struct err *err)
{
    static const char *const others[][2] = { { "Protocol", "--protocol" },
                                             { "SourcePort", "--source-port" },
                                             { "IcmpType", "--icmp-type" },
                                             { "IcmpCode", "--icmp-code" },
                                             { "Trace", "--trace" } };
    *asked = json_object_get(in, "Request") != NULL;
    if (!*asked && json_object_get(in, "Headers")) {
        err_set(err, ERR_USAGE, "", "fields belong to an HTTP request");
        err_at(err, "--headers", 0, 0);
        return err_hint(err, "add --request 'GET /'");
    }
    for (size_t i = 0; *asked && i < ARRAY_SIZE(others); i++) {
        if (json_object_get(in, others[i][0])) {
            err_set(err, ERR_USAGE, "", "an HTTP request goes by TCP, from ports of its own, and is not followed");
            return err_at(err, others[i][1], 0, 0);
        }
    }
    if (*asked && (!json_object_get(in, "Source") || !json_object_get(in, "Destination"))) {
        err_set(err, ERR_USAGE, "", "who sends the request, and to which load balancer?");
        err_at(err, "--request", 0, 0);
        return err_hint(err, "verify web alb --request 'GET /'");
    }
    return true;
}

/* The request, with texts of its own. */
struct typed {
    struct http_asked asked;
    char *texts[HTTP_FIELDS_MOST + 2];
    size_t n_texts;
};

static void
typed_done(struct typed *typed)
{
    for (size_t i = 0; i < typed->n_texts; i++) {
        free(typed->texts[i]);
    }
}

static char *
keep(struct typed *typed, const char *text)
{
    return typed->texts[typed->n_texts++] = xstrdup(text);
}

static bool
is_printable(const char *text)
{
    while (*text && (unsigned char)*text >= ' ' && *text != 127) {
        text++;
    }
    return *text == '\0';
}

/* "GET /path?query" */
static bool
read_line(struct typed *typed, const char *text, struct err *err)
{
    char *method = keep(typed, text), *target = strchr(method, ' '), *p = method;
    while (isupper((unsigned char)*p)) {
        p++;
    }
    if (p == method || p != target || target[1] != '/' || !is_printable(text) || strpbrk(target + 1, " #")) {
        err_set(err, ERR_USAGE, "", "`%.80s` is not a method and a path", text);
        err_at(err, "--request", 0, 0);
        return err_hint(err, "--request 'GET /index.html?v=1'");
    }
    *target = '\0';
    typed->asked.method = method;
    typed->asked.path = target + 1;
    char *query = strchr(target + 1, '?');
    if (query) {
        *query = '\0';
        typed->asked.query = query + 1;
    }
    return true;
}

/* "Name: value" */
static bool
read_field(struct typed *typed, const char *text, struct err *err)
{
    static const char *const own[] = { "Connection", "Content-Length", "Transfer-Encoding", "Expect", "Cookie" };
    char *name = keep(typed, text), *colon = strchr(name, ':');
    struct http_asked *a = &typed->asked;
    if (!colon || colon == name || !is_printable(text) || strcspn(name, " \t") < (size_t)(colon - name)) {
        err_set(err, ERR_USAGE, "", "`%.80s` is not a field", text);
        err_at(err, "--headers", 0, 0);
        return err_hint(err, "--headers 'Host: www.example.com' 'X-Tier: gold'");
    }
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " ");
    for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
        if (strcasecmp(name, own[i]) == 0) {
            err_set(err, ERR_USAGE, "", "`%s` is the sender's own affair here", name);
            return err_at(err, "--headers", 0, 0);
        }
    }
    if (strcasecmp(name, "Host") == 0) {
        a->host = value;
    } else {
        a->fields[a->n_fields++] = (struct listener_header){ name, value };
    }
    return true;
}

static bool
read_request(const json_t *in, struct typed *typed, struct err *err)
{
    const json_t *fields = json_object_get(in, "Headers");
    if (json_array_size(fields) > HTTP_FIELDS_MOST) {
        err_set(err, ERR_USAGE, "", "at most %d fields", HTTP_FIELDS_MOST);
        return err_at(err, "--headers", 0, 0);
    }
    bool ok = read_line(typed, arg_str(in, "Request"), err);
    for (size_t i = 0; ok && i < json_array_size(fields); i++) {
        ok = read_field(typed, json_string_value(json_array_get(fields, i)), err);
    }
    return ok;
}

static bool
read_address(const json_t *in, const char *member, const char *option, struct ip *ip, struct err *err)
{
    const char *text = arg_str(in, member);
    *ip = (struct ip){ 0 };
    if (text && !ip_parse(text, ip)) {
        err_set(err, ERR_USAGE, "", "`%s` is not an address", text);
        return err_at(err, option, 0, 0);
    }
    return true;
}

/* ---- who sends it where ---------------------------------------------------------------------------------------------
 */
struct ends {
    char from[ID_SIZE];
    const struct eni *sender;    /* NULL: the internet */
    const char *balancer, *node; /* ids; one of them */
    struct live_node node_found;
    struct ip src, dst; /* as given */
    int family;
};

static bool
find_ends(const struct cloud *cloud, const json_t *in, struct ends *ends, struct err *err)
{
    struct live_node from;
    struct live_balancer balancer;
    const char *to = arg_str(in, "Destination");
    if (!live_node_find(cloud, arg_str(in, "Source"), &from, err) ||
        !read_address(in, "SourceIp", "--source-ip", &ends->src, err) ||
        !read_address(in, "DestinationIp", "--destination-ip", &ends->dst, err)) {
        return false;
    }
    if (!from.eni && strcmp(from.id, PLAN_INTERNET_ID) != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "requests are verified from instances, interfaces and `internet`, not `%s`", from.name);
    }
    snprintf(ends->from, sizeof ends->from, "%s", from.eni ? from.eni->obj.id : PLAN_INTERNET_ID);
    ends->sender = from.eni;
    ends->family = ends->dst.family ? ends->dst.family : arg_flag(in, "Ipv6", false) ? IP_V6 : IP_V4;
    if (live_balancer_find(cloud, to, &balancer)) {
        ends->balancer = balancer.id;
    } else if (!live_node_find(cloud, to, &ends->node_found, err)) {
        return false;
    } else if (!ends->node_found.eni) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is no load balancer", to);
    } else {
        ends->node = ends->node_found.eni->obj.id;
    }
    return true;
}

static bool
is_meant(const struct ends *ends, const struct verify_side *side)
{
    return http_side_is_node(side) && (ends->balancer ? strcmp(side->balancer->obj.id, ends->balancer) == 0
                                                      : strcmp(side->eni->obj.id, ends->node) == 0);
}

/* The addresses that are not given; false: there are none of the family, or the node has another one than is asked for.
 */
static bool
fill_in(const struct ends *ends, const verify_side_vec *sides, const struct verify_side *door, struct http_asked *a)
{
    const struct ip *own = verify_side_address(door, ends->family),
                    *public = own && !ends->sender ? eni_public_ip(door->eni, own) : NULL, *src = NULL;
    for (size_t i = 0; i < sides->n && !src; i++) {
        const struct verify_side *side = &sides->items[i];
        bool sends = http_side_asks(side) && side->eni == ends->sender;
        src = sends ? verify_side_address(side, ends->family) : NULL;
    }
    public = public ? public : own;
    if (!own || (!src && !ends->src.family)) {
        return false;
    }
    a->src = ends->src.family ? ends->src : *src;
    a->dst = ends->dst.family ? ends->dst : *public;
    const struct ip *also = eni_public_ip(door->eni, own);
    return ip_equal(&a->dst, own) || (also && ip_equal(&a->dst, also));
}

/* ---- asking ---------------------------------------------------------------------------------------------------------
 */
struct inquiry {
    verify_side_vec sides;
    onprem_site_vec sites;
    struct plan *plan;
    struct http_questions questions;
};

/* The port asked for, else that of the only listener; 0 with 'err'. */
static int
port_of(const json_t *in, const struct load_balancer *lb, struct err *err)
{
    int port = (int)arg_int(in, "Port", lb->listeners.n == 1 ? lb->listeners.items[0].port : 0);
    if (!port) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has %zu listeners", lb->name, lb->listeners.n);
        err_hint(err, "say which with --port");
    }
    return port;
}

static bool
ask_nodes(const struct cloud *cloud, const json_t *in, const struct ends *ends, struct typed *typed,
          struct inquiry *inquiry, struct err *err)
{
    const char *why = "it has no node with listeners and addresses of that family, or whoever asks has none";
    for (size_t i = 0; i < inquiry->sides.n; i++) {
        const struct verify_side *door = &inquiry->sides.items[i];
        struct http_asked asked = typed->asked;
        if (!is_meant(ends, door) || !fill_in(ends, &inquiry->sides, door, &asked)) {
            continue;
        }
        asked.port = port_of(in, door->balancer, err);
        if (!asked.port) {
            return false;
        }
        snprintf(asked.from, sizeof asked.from, "%s", ends->from);
        snprintf(asked.door, sizeof asked.door, "%s", door->eni->obj.id);
        asked.host = asked.host ? asked.host : door->balancer->dns_name;
        http_questions_add(cloud->net, inquiry->plan, &inquiry->sides, &asked, &inquiry->questions, &why);
    }
    if (!inquiry->questions.asked.n) {
        err_set(err, ERR_INPUT, "IncorrectState", "the request cannot be compared: %s", why);
        return err_hint(err, "`vpclab reach FROM BALANCER --port PORT` shows the way");
    }
    return true;
}

static bool
send_live(void *context, const live_server_vec *servers, live_request_vec *requests, struct err *err)
{
    return live_link_request(context, servers, requests, err);
}

static void
report(struct op_call *call, const struct inquiry *inquiry)
{
    json_t *list = json_array();
    json_int_t n_differ = 0, n = (json_int_t)inquiry->questions.asked.n;
    for (size_t i = 0; i < inquiry->questions.asked.n; i++) {
        json_t *one = http_question_report(call->cloud->net, &inquiry->questions, i);
        n_differ += json_object_get(one, "Difference") != NULL;
        json_array_append_new(list, one);
    }
    json_object_set_new(call->out, "HttpRequests", list);
    json_object_set_new(call->out, "Agree", json_integer(n - n_differ));
    json_object_set_new(call->out, "Disagree", json_integer(n_differ));
    call->no = n_differ > 0;
}

bool
verify_request_run(struct op_call *call, struct err *err)
{
    struct ends ends = { .family = IP_V4 };
    struct typed typed = { .n_texts = 0 };
    struct inquiry inquiry = { .plan = NULL };
    const struct cloud *cloud = call->cloud;
    bool ok =
        read_request(call->in, &typed, err) && live_link_require(cloud, err) && find_ends(cloud, call->in, &ends, err);
    if (ok) {
        struct plan_numbers numbers = { 0 };
        inquiry.plan = plan_new(cloud->net, &numbers);
        plan_numbers_done(&numbers);
        verify_sides_gather(cloud->net, &inquiry.sites, &inquiry.sides);
        ok = ask_nodes(cloud, call->in, &ends, &typed, &inquiry, err) &&
             http_questions_send(&inquiry.questions, send_live, (void *)cloud, err);
    }
    if (ok) {
        report(call, &inquiry);
    }
    http_questions_done(&inquiry.questions);
    verify_sides_done(&inquiry.sides);
    VEC_DONE(&inquiry.sites);
    plan_free(inquiry.plan);
    typed_done(&typed);
    return ok;
}

/* ---- for a person -------------------------------------------------------------------------------------------------
 */
void
verify_request_text(const json_t *out, struct buf *text)
{
    size_t i, k;
    const json_t *r, *field;
    json_array_foreach(json_object_get(out, "HttpRequests"), i, r)
    {
        const char *how = json_str(r, "Difference");
        buf_printf(text, "%s%s -> %s port %lld  (%s -> %s)  %s", how ? "DISAGREE " : "", json_str(r, "From"),
                   json_str(r, "To"), json_int(r, "Port", 0), json_str(r, "SourceIp"), json_str(r, "DestinationIp"),
                   json_str(r, "Request"));
        json_array_foreach(json_object_get(r, "Fields"), k, field)
        {
            buf_printf(text, "  %s", json_string_value(field));
        }
        buf_printf(text, "%s%s\n  analysis: %s\n  kernel:   %s\n", how ? ": " : "", how ? how : "",
                   json_str(r, "Analysis"), json_str(r, "Kernel"));
    }
    long long agree = json_int(out, "Agree", 0), no = json_int(out, "Disagree", 0);
    buf_printf(text, "%lld request%s: analysis and kernel agree on %lld, disagree on %lld\n", agree + no,
               plural(agree + no), agree, no);
}

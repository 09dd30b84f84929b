#include "netsim/analysis/listener_request.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

/* ---- texts and patterns ------------------------------------------------------------------------------------------
 */
enum pattern_kind { PLAIN_TEXT = 0, ANY_CASE = 1, ESCAPES = 2 /* `\*` and `\?` stand for themselves */ };

/* `*`: any text, none too; `?`: one character. */
static bool
fits(const char *pattern, const char *text, size_t length, int kind)
{
    if (*pattern == '\0') {
        return length == 0;
    }
    if (*pattern == '*') {
        for (size_t skipped = 0; skipped <= length; skipped++) {
            if (fits(pattern + 1, text + skipped, length - skipped, kind)) {
                return true;
            }
        }
        return false;
    }
    bool literal = (kind & ESCAPES) && *pattern == '\\' && (pattern[1] == '*' || pattern[1] == '?');
    const char *wanted = pattern + literal;
    bool one = !literal && *wanted == '?';
    bool same = length && (*wanted == *text ||
                           ((kind & ANY_CASE) && tolower((unsigned char)*wanted) == tolower((unsigned char)*text)));
    return length && (one || same) && fits(wanted + 1, text + 1, length - 1, kind);
}

static const json_t *
values_of(const json_t *condition, const char *config)
{
    const json_t *modern = json_object_get(json_object_get(condition, config), "Values");
    return modern ? modern : json_object_get(condition, "Values");
}

static bool
one_fits(const json_t *values, const char *text, size_t length, int kind)
{
    size_t i;
    const json_t *value;
    json_array_foreach(values, i, value)
    {
        if (fits(json_string_value(value), text, length, kind)) {
            return true;
        }
    }
    return false;
}

/* ---- conditions ----------------------------------------------------------------------------------------------------
 */
static size_t
host_length(const char *host)
{
    const char *colon = strrchr(host, ':');
    return colon && strspn(colon + 1, "0123456789") == strlen(colon + 1) ? (size_t)(colon - host) : strlen(host);
}

static bool
host_meets(const struct listener_request *r, const json_t *condition)
{
    return one_fits(values_of(condition, "HostHeaderConfig"), r->host, host_length(r->host), ANY_CASE);
}

static bool
path_meets(const struct listener_request *r, const json_t *condition)
{
    return one_fits(values_of(condition, "PathPatternConfig"), r->path, strlen(r->path), PLAIN_TEXT);
}

static bool
method_meets(const struct listener_request *r, const json_t *condition)
{
    return one_fits(values_of(condition, "HttpRequestMethodConfig"), r->method, strlen(r->method), PLAIN_TEXT);
}

/* The same field may be there several times: one of them is enough. */
static bool
header_meets(const struct listener_request *r, const json_t *condition)
{
    const char *name = json_str(json_object_get(condition, "HttpHeaderConfig"), "HttpHeaderName");
    for (size_t i = 0; name && i < r->n_headers; i++) {
        const struct listener_header *h = &r->headers[i];
        if (strcasecmp(h->name, name) == 0 &&
            one_fits(values_of(condition, "HttpHeaderConfig"), h->value, strlen(h->value), ANY_CASE)) {
            return true;
        }
    }
    return false;
}

static bool
parameter_fits(const json_t *pair, const char *text, size_t length)
{
    const char *key = json_str(pair, "Key"), *value = json_str(pair, "Value");
    const char *equals = memchr(text, '=', length);
    size_t name = equals ? (size_t)(equals - text) : length;
    const char *rest = equals ? equals + 1 : text + length;
    return value && (!key || fits(key, text, name, ANY_CASE | ESCAPES)) &&
           fits(value, rest, (size_t)(text + length - rest), ANY_CASE | ESCAPES);
}

static bool
query_meets(const struct listener_request *r, const json_t *condition)
{
    size_t i;
    const json_t *pair;
    json_array_foreach(values_of(condition, "QueryStringConfig"), i, pair)
    {
        for (const char *p = r->query; p && *p; p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL) {
            if (parameter_fits(pair, p, strcspn(p, "&"))) {
                return true;
            }
        }
    }
    return false;
}

static bool
source_meets(const struct listener_request *r, const json_t *condition)
{
    size_t i;
    const json_t *value;
    json_array_foreach(values_of(condition, "SourceIpConfig"), i, value)
    {
        struct cidr block;
        if (cidr_parse(json_string_value(value), &block) && cidr_contains_ip(&block, &r->client)) {
            return true;
        }
    }
    return false;
}

static bool
rule_takes(const struct lb_rule *rule, const struct listener_request *request)
{
    static const struct {
        const char *field;
        bool (*meets)(const struct listener_request *r, const json_t *condition);
    } kinds[] = {
        { "host-header", host_meets },           { "path-pattern", path_meets },  { "http-header", header_meets },
        { "http-request-method", method_meets }, { "query-string", query_meets }, { "source-ip", source_meets },
    };
    size_t i, n_met = 0;
    const json_t *condition;
    json_array_foreach(rule->conditions, i, condition)
    {
        const char *field = json_str(condition, "Field");
        for (size_t k = 0; field && k < ARRAY_SIZE(kinds); k++) {
            n_met += strcmp(kinds[k].field, field) == 0 && kinds[k].meets(request, condition);
        }
    }
    return n_met == json_array_size(rule->conditions);
}

/* ---- what it does --------------------------------------------------------------------------------------------------
 */
struct part {
    const char *name, *text;
    size_t length;
};

static void
put_part(struct buf *out, const char *pattern, const struct part *parts, size_t n)
{
    for (const char *p = pattern; *p;) {
        size_t i = 0;
        while (i < n && strncmp(p, parts[i].name, strlen(parts[i].name)) != 0) {
            i++;
        }
        buf_add(out, i < n ? parts[i].text : p, i < n ? parts[i].length : 1);
        p += i < n ? strlen(parts[i].name) : 1;
    }
}

static const char *
own_or(const json_t *redirect, const char *member, const char *otherwise)
{
    const char *own = json_str(redirect, member);
    return own ? own : otherwise;
}

/* protocol://host:port/path?query; what the action does not name is as in the request. */
static char *
location_of(const json_t *redirect, const struct lb_listener *listener, const struct listener_request *r)
{
    char port[16], protocol[16];
    const char *path = r->path + (r->path[0] == '/'), *query = r->query ? r->query : "";
    struct buf out = { 0 }, asked = { 0 };
    snprintf(port, sizeof port, "%d", listener->port);
    snprintf(protocol, sizeof protocol, "%s", listener->protocol);
    const struct part parts[] = { { "#{protocol}", protocol, strlen(protocol) },
                                  { "#{host}", r->host, host_length(r->host) },
                                  { "#{port}", port, strlen(port) },
                                  { "#{path}", path, strlen(path) },
                                  { "#{query}", query, strlen(query) } };
    put_part(&out, own_or(redirect, "Protocol", "#{protocol}"), parts, ARRAY_SIZE(parts));
    for (size_t i = 0; i < out.size; i++) {
        out.data[i] = (char)tolower((unsigned char)out.data[i]);
    }
    buf_str_add(&out, "://");
    put_part(&out, own_or(redirect, "Host", "#{host}"), parts, ARRAY_SIZE(parts));
    buf_char(&out, ':');
    put_part(&out, own_or(redirect, "Port", "#{port}"), parts, ARRAY_SIZE(parts));
    put_part(&out, own_or(redirect, "Path", "/#{path}"), parts, ARRAY_SIZE(parts));
    put_part(&asked, own_or(redirect, "Query", "#{query}"), parts, ARRAY_SIZE(parts));
    if (asked.size) {
        buf_char(&out, '?');
        buf_add(&out, asked.data, asked.size);
    }
    buf_done(&asked);
    return buf_steal(&out);
}

/* Authentication may stand before the one that answers, which is the last. */
static void
act(const struct lb_action *actions, size_t n, const struct lb_listener *listener,
    const struct listener_request *request, struct listener_decision *out)
{
    const struct lb_action *a = n ? &actions[n - 1] : NULL;
    const char *type = a && a->type ? a->type : "";
    out->action = a;
    if (strcmp(type, "forward") == 0) {
        out->answer = LISTENER_FORWARD;
    } else if (strcmp(type, "fixed-response") == 0) {
        const char *code = json_str(a->fixed_response, "StatusCode");
        out->answer = LISTENER_FIXED_RESPONSE;
        out->status = code ? atoi(code) : 0;
    } else if (strcmp(type, "redirect") == 0) {
        const char *code = json_str(a->redirect, "StatusCode");
        out->answer = LISTENER_REDIRECT;
        out->status = code && strcmp(code, "HTTP_301") == 0 ? 301 : 302;
        out->location = location_of(a->redirect, listener, request);
    }
}

void
listener_decide(const struct lb_listener *listener, const struct listener_request *request,
                struct listener_decision *out)
{
    long first = LONG_MAX;
    *out = (struct listener_decision){ .answer = LISTENER_NOTHING };
    for (size_t i = 0; i < listener->rules.n; i++) {
        const struct lb_rule *rule = &listener->rules.items[i];
        long priority = rule->is_default || !rule->priority ? LONG_MAX : strtol(rule->priority, NULL, 10);
        if (priority < first && rule_takes(rule, request)) {
            first = priority;
            out->rule = rule;
        }
    }
    if (out->rule) {
        act(out->rule->actions.items, out->rule->actions.n, listener, request, out);
    } else {
        act(listener->actions.items, listener->actions.n, listener, request, out);
    }
}

void
listener_decision_done(struct listener_decision *decision)
{
    free(decision->location);
    *decision = (struct listener_decision){ 0 };
}

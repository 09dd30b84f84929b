#include "netsim/live/balancer_rules.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

/* With 'escapes' a backslash before `*` or `?` takes its meaning away. */
static bool
matches(const char *pattern, const char *text, bool any_case, bool escapes)
{
    const char *star = NULL, *again = NULL;
    while (*text) {
        bool literal = escapes && pattern[0] == '\\' && (pattern[1] == '*' || pattern[1] == '?');
        char wanted = pattern[literal];
        bool same = any_case ? tolower((unsigned char)wanted) == tolower((unsigned char)*text) : wanted == *text;
        if (!literal && wanted == '*') {
            star = pattern++;
            again = text;
        } else if ((!literal && wanted == '?') || (wanted && same)) {
            pattern += 1 + literal;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++again;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

bool
balancer_matches(const char *pattern, const char *text, bool any_case)
{
    return matches(pattern, text, any_case, false);
}

/* ---- conditions ---------------------------------------------------------------------------------------------------
 */
struct subject {
    const struct http_head *request;
    const struct ip *client;
    char *host, *path, *query; /* owned */
};

static bool
any_value(const json_t *values, const char *text, bool any_case)
{
    for (size_t i = 0; text && i < json_array_size(values); i++) {
        if (balancer_matches(json_string_value(json_array_get(values, i)), text, any_case)) {
            return true;
        }
    }
    return false;
}

static const json_t *
values_of(const json_t *condition, const char *config)
{
    const json_t *values = json_object_get(json_object_get(condition, config), "Values");
    return values ? values : json_object_get(condition, "Values");
}

static bool
host_holds(const struct subject *s, const json_t *condition)
{
    return any_value(values_of(condition, "HostHeaderConfig"), s->host, true);
}

static bool
path_holds(const struct subject *s, const json_t *condition)
{
    return any_value(values_of(condition, "PathPatternConfig"), s->path, false);
}

static bool
method_holds(const struct subject *s, const json_t *condition)
{
    return any_value(values_of(condition, "HttpRequestMethodConfig"), s->request->method, false);
}

static bool
header_holds(const struct subject *s, const json_t *condition)
{
    const char *name = json_str(json_object_get(condition, "HttpHeaderConfig"), "HttpHeaderName");
    const json_t *values = values_of(condition, "HttpHeaderConfig");
    for (size_t i = 0; name && i < s->request->n_fields; i++) { /* a field may be there several times */
        const struct http_field *field = &s->request->fields[i];
        if (strcasecmp(field->name, name) == 0 && any_value(values, field->value, true)) {
            return true;
        }
    }
    return false;
}

static bool
source_holds(const struct subject *s, const json_t *condition)
{
    const json_t *values = values_of(condition, "SourceIpConfig");
    for (size_t i = 0; i < json_array_size(values); i++) {
        struct cidr block;
        if (cidr_parse_loose(json_string_value(json_array_get(values, i)), &block) &&
            cidr_contains_ip(&block, s->client)) {
            return true;
        }
    }
    return false;
}

/* Any of the pairs, in any of the query's parameters. */
static bool
query_holds(const struct subject *s, const json_t *condition)
{
    const json_t *values = values_of(condition, "QueryStringConfig");
    for (const char *p = s->query; p && *p; p += strcspn(p, "&"), p += *p == '&') {
        size_t size = strcspn(p, "&"), key = strcspn(p, "=&");
        char *name = xstrndup(p, key), *value = key < size ? xstrndup(p + key + 1, size - key - 1) : xstrdup("");
        bool holds = false;
        for (size_t i = 0; i < json_array_size(values) && !holds; i++) {
            const json_t *pair = json_array_get(values, i);
            const char *k = json_str(pair, "Key"), *v = json_str(pair, "Value");
            holds = v && (!k || matches(k, name, true, true)) && matches(v, value, true, true);
        }
        free(name);
        free(value);
        if (holds) {
            return true;
        }
    }
    return false;
}

static const struct {
    const char *field;
    bool (*holds)(const struct subject *s, const json_t *condition);
} conditions[] = {
    { "host-header", host_holds },           { "path-pattern", path_holds },  { "http-header", header_holds },
    { "http-request-method", method_holds }, { "query-string", query_holds }, { "source-ip", source_holds },
};

static bool
condition_holds(const struct subject *s, const json_t *condition)
{
    const char *field = json_str(condition, "Field");
    for (size_t i = 0; field && i < ARRAY_SIZE(conditions); i++) {
        if (strcmp(conditions[i].field, field) == 0) {
            return conditions[i].holds(s, condition);
        }
    }
    return false;
}

static bool
rule_holds(const struct subject *s, const struct lb_rule *rule)
{
    for (size_t i = 0; i < json_array_size(rule->conditions); i++) {
        if (!condition_holds(s, json_array_get(rule->conditions, i))) {
            return false;
        }
    }
    return true;
}

static void
subject_init(struct subject *s, const struct http_head *request, const struct ip *client)
{
    const char *host = http_field(request, "Host"), *target = request->target;
    *s = (struct subject){ .request = request, .client = client };
    s->host = xstrndup(host ? host : "", strcspn(host ? host : "", ":"));
    s->path = xstrndup(target, strcspn(target, "?#"));
    s->query = xstrdup(target[strcspn(target, "?")] ? target + strcspn(target, "?") + 1 : "");
}

static void
subject_done(struct subject *s)
{
    free(s->host);
    free(s->path);
    free(s->query);
}

/* ---- actions ------------------------------------------------------------------------------------------------------
 */
static const struct lb_action *
last_action(const struct lb_action *actions, size_t n)
{
    static const char *const kinds[] = { "forward", "redirect", "fixed-response" };
    for (size_t i = n; i-- > 0;) {
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
            if (actions[i].type && strcmp(actions[i].type, kinds[k]) == 0) {
                return &actions[i];
            }
        }
    }
    return NULL;
}

const struct lb_action *
balancer_action(const struct lb_listener *listener, const struct http_head *request, const struct ip *client)
{
    struct subject s;
    const struct lb_rule *best = NULL;
    subject_init(&s, request, client);
    for (size_t i = 0; i < listener->rules.n; i++) {
        const struct lb_rule *rule = &listener->rules.items[i];
        if (!rule->is_default && rule->priority && (!best || atoi(rule->priority) < atoi(best->priority)) &&
            rule_holds(&s, rule)) {
            best = rule;
        }
    }
    subject_done(&s);
    return best ? last_action(best->actions.items, best->actions.n)
                : last_action(listener->actions.items, listener->actions.n);
}

/* #{host}, #{path} (without its first stroke), #{port}, #{protocol}, #{query} stand for what the request had. */
static void
expand(struct buf *out, const char *text, const struct subject *s, const char *protocol, int port)
{
    char number[16];
    snprintf(number, sizeof number, "%d", port);
    const struct {
        const char *name, *value;
    } words[] = { { "#{host}", s->host },
                  { "#{path}", s->path[0] == '/' ? s->path + 1 : s->path },
                  { "#{port}", number },
                  { "#{protocol}", protocol },
                  { "#{query}", s->query } };
    while (*text) {
        size_t i = 0;
        while (i < ARRAY_SIZE(words) && strncmp(text, words[i].name, strlen(words[i].name)) != 0) {
            i++;
        }
        if (i < ARRAY_SIZE(words)) {
            buf_str_add(out, words[i].value);
            text += strlen(words[i].name);
        } else {
            buf_char(out, *text++);
        }
    }
}

static const char *
member(const json_t *redirect, const char *name, const char *otherwise)
{
    const char *text = json_str(redirect, name);
    return text ? text : otherwise;
}

char *
balancer_redirect(const json_t *redirect, const struct http_head *request, const char *protocol, int port)
{
    struct subject s;
    struct buf out = { 0 }, query = { 0 };
    subject_init(&s, request, NULL);
    expand(&out, member(redirect, "Protocol", "#{protocol}"), &s, protocol, port);
    for (size_t i = 0; i < out.size; i++) {
        out.data[i] = (char)tolower((unsigned char)out.data[i]);
    }
    buf_str_add(&out, "://");
    expand(&out, member(redirect, "Host", "#{host}"), &s, protocol, port);
    buf_char(&out, ':');
    expand(&out, member(redirect, "Port", "#{port}"), &s, protocol, port);
    expand(&out, member(redirect, "Path", "/#{path}"), &s, protocol, port);
    expand(&query, member(redirect, "Query", "#{query}"), &s, protocol, port);
    if (query.size) {
        buf_printf(&out, "?%s", buf_str(&query));
    }
    buf_done(&query);
    subject_done(&s);
    return buf_steal(&out);
}

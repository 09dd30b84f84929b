/* tests/spec/plain_iam.h - the evaluation rules a second time, as plainly as they can be written, from AWS's pages and our
 * specification.
 *
 * It shares no code with iampolicy/: documents are jansson values read again for every question, globs are recursion,
 * sets are loops.  It understands what tests/spec/test_iam_spec.c makes up, and nothing is optimised. */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <arpa/inet.h>
#include "base/json.h"

enum n_kind { N_NONE, N_ACCOUNT, N_ISSUER, N_DIRECT, N_ANY };
struct n_ask {
    const char *principal, *action, *resource, *owner;
    json_t *context;
    bool boundary; /* the principal has one */
};

static bool
n_glob(const char *p, const char *s, bool fold)
{
    if (!*p) {
        return !*s;
    }
    if (*p == '*') {
        return n_glob(p + 1, s, fold) || (*s && n_glob(p, s + 1, fold));
    }
    if (!*s) {
        return false;
    }
    bool same = *p == '?' || *p == *s || (fold && strncasecmp(p, s, 1) == 0);
    return same && n_glob(p + 1, s + 1, fold);
}

static json_t *
n_context(const struct n_ask *ask, const char *key)
{
    const char *name;
    json_t *value;
    json_object_foreach(ask->context, name, value)
    {
        if (strcasecmp(name, key) == 0) {
            return value;
        }
    }
    return NULL;
}

/* Replaces ${key} and ${key, 'default'}; substituted stars are marked by \1 and \2.  False if a variable has no single
 * value. */
static bool
n_substitute(const struct n_ask *ask, const char *text, char *out)
{
    while (*text) {
        const char *end = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;
        if (!end) {
            *out++ = *text++;
            continue;
        }
        char key[80], *comma;
        snprintf(key, sizeof key, "%.*s", (int)(end - text - 2), text + 2);
        const char *value = NULL;
        if (strcmp(key, "*") == 0) {
            value = "*";
        } else {
            if ((comma = strchr(key, ','))) {
                *comma = '\0';
            }
            json_t *given = n_context(ask, key);
            if (json_is_string(given)) {
                value = json_string_value(given);
            } else if (!given && comma) {
                value = comma + 3; /* ", 'x'" */
                comma[strlen(comma + 1)] = '\0';
            }
        }
        if (!value) {
            return false;
        }
        for (; *value; value++) {
            *out++ = *value == '*' ? '\1' : *value == '?' ? '\2' : *value;
        }
        text = end + 1;
    }
    *out = '\0';
    return true;
}

/* The text with its own stars and question marks marked the same way, so that substituted ones meet them. */
static void
n_mark(const char *text, char *out)
{
    for (; *text; text++) {
        *out++ = *text == '*' ? '\1' : *text == '?' ? '\2' : *text;
    }
    *out = '\0';
}

/* As a list, whether it is one or not. */
static json_t *
n_list(json_t *value)
{
    return json_is_array(value) ? json_incref(value) : json_pack("[O]", value);
}

/* ---- conditions ---- */

static bool
n_number(const char *s, double *value)
{
    char *end;
    *value = strtod(s, &end);
    return *s && !*end;
}

static bool
n_ip(const char *s, unsigned *address)
{
    struct in_addr a;
    bool ok = inet_pton(AF_INET, s, &a) == 1;
    *address = ntohl(a.s_addr);
    return ok;
}

static bool
n_cidr(const char *s, unsigned *address, int *bits)
{
    char room[40];
    snprintf(room, sizeof room, "%s", s);
    char *slash = strchr(room, '/');
    *bits = slash ? atoi(slash + 1) : 32;
    if (slash) {
        *slash = '\0';
    }
    return n_ip(room, address);
}

static bool
n_value_parses(const char *op, const char *v)
{
    double d;
    unsigned a;
    int b;
    if (strncmp(op, "Numeric", 7) == 0) {
        return n_number(v, &d);
    }
    if (strstr(op, "IpAddress")) {
        return n_cidr(v, &a, &b);
    }
    if (strcmp(op, "Bool") == 0) {
        return strcmp(v, "true") == 0 || strcmp(v, "false") == 0 || strncmp(v, "${", 2) == 0;
    }
    return true;
}

/* The positive form of the operator; *typed false when the request's value is of another type. */
static bool
n_hit(const struct n_ask *ask, const char *op, const char *x, const char *p, bool *typed)
{
    char pattern[400], marked[400];
    double a, b;
    unsigned address, net;
    int bits;
    if (strncmp(op, "Numeric", 7) == 0) {
        *typed = n_number(x, &a);
        if (!*typed || !n_number(p, &b)) {
            return false;
        }
        return strstr(op, "LessThanEquals")      ? a <= b
               : strstr(op, "LessThan")          ? a < b
               : strstr(op, "GreaterThanEquals") ? a >= b
               : strstr(op, "GreaterThan")       ? a > b
                                                 : a == b;
    }
    if (strstr(op, "IpAddress")) {
        *typed = n_ip(x, &address);
        return *typed && n_cidr(p, &net, &bits) && (bits == 0 || (address ^ net) >> (32 - bits) == 0);
    }
    if (strcmp(op, "Bool") == 0) {
        *typed = strcmp(x, "true") == 0 || strcmp(x, "false") == 0;
        return *typed && n_substitute(ask, p, pattern) && strcmp(x, pattern) == 0;
    }
    if (!n_substitute(ask, p, pattern)) {
        return false;
    }
    n_mark(x, marked);
    if (strstr(op, "IgnoreCase")) {
        n_mark(pattern, pattern);
        return strcasecmp(pattern, marked) == 0;
    }
    if (strstr(op, "Like")) {
        return n_glob(pattern, marked, false);
    }
    n_mark(pattern, pattern);
    return strcmp(pattern, marked) == 0;
}

static bool
n_one(const struct n_ask *ask, const char *op, const char *x, json_t *values)
{
    bool negated = strstr(op, "Not") != NULL, hit = false, typed = true;
    for (size_t i = 0; i < json_array_size(values); i++) {
        hit |= n_hit(ask, op, x, json_string_value(json_array_get(values, i)), &typed);
    }
    return typed && (negated ? !hit : hit);
}

static bool
n_condition(const struct n_ask *ask, const char *operator_, const char *key, json_t *values)
{
    char op[80];
    bool all = strncmp(operator_, "ForAllValues:", 13) == 0, any = strncmp(operator_, "ForAnyValue:", 12) == 0;
    snprintf(op, sizeof op, "%s", operator_ + (all ? 13 : any ? 12 : 0));
    bool if_exists = strlen(op) > 8 && strcmp(op + strlen(op) - 8, "IfExists") == 0,
         negated = strstr(op, "Not") != NULL;
    if (if_exists) {
        op[strlen(op) - 8] = '\0';
    }
    json_t *given = n_context(ask, key), *list = given ? n_list(given) : json_array();
    bool null = true, valid = false, result;
    for (size_t i = 0; i < json_array_size(list); i++) {
        null &= json_string_value(json_array_get(list, i))[0] == '\0';
    }
    for (size_t i = 0; i < json_array_size(values); i++) {
        valid |= n_value_parses(op, json_string_value(json_array_get(values, i)));
    }
    if (strcmp(op, "Null") == 0) {
        result = false;
        for (size_t i = 0; i < json_array_size(values); i++) {
            result |= (strcmp(json_string_value(json_array_get(values, i)), "true") == 0) == null;
        }
        result = all ? true : any ? false : result;
    } else if (!valid) {
        result = !given && (if_exists || all);
    } else if (!all && !any) {
        result =
            !given ? if_exists || negated : json_is_string(given) && n_one(ask, op, json_string_value(given), values);
    } else if (all) {
        result = true;
        for (size_t i = 0; i < json_array_size(list) && !null; i++) {
            result &= n_one(ask, op, json_string_value(json_array_get(list, i)), values);
        }
    } else {
        result = !given && if_exists;
        for (size_t i = 0; i < json_array_size(list) && !null; i++) {
            result |= n_one(ask, op, json_string_value(json_array_get(list, i)), values);
        }
    }
    json_decref(list);
    return result;
}

/* ---- principals ---- */

static const char *
n_account(const char *arn)
{
    static char account[4][16];
    static int turn;
    char *out = account[turn++ % 4];
    const char *digits = strstr(arn, "::");
    snprintf(out, 16, "%.12s", strncmp(arn, "arn:", 4) == 0 && digits ? digits + 2 : "");
    return out;
}

static bool
n_is(const struct n_ask *ask, const char *part)
{
    return strstr(ask->principal, part) != NULL;
}

static const char *
n_last(const char *s)
{
    return strrchr(s, '/') + 1;
}

static enum n_kind
n_entry(const struct n_ask *ask, const char *type, const char *entry)
{
    const char *p = ask->principal;
    bool anonymous = strcmp(p, "*anonymous*") == 0, service = strncmp(p, "arn:", 4) != 0 && !anonymous;
    if (strcmp(type, "Service") == 0) {
        return service && strcmp(entry, p) == 0 ? N_DIRECT : N_NONE;
    }
    if (strcmp(entry, "*") == 0) {
        return N_ANY;
    }
    if (anonymous || service) {
        return N_NONE;
    }
    bool is_account = strlen(entry) == 12 || strstr(entry, ":root");
    if (is_account) {
        const char *account = strlen(entry) == 12 ? entry : n_account(entry);
        return strcmp(account, n_account(p)) != 0 ? N_NONE : n_is(ask, ":root") ? N_DIRECT : N_ACCOUNT;
    }
    if (strstr(entry, ":role/")) {
        if (n_is(ask, ":role/")) {
            return strcmp(entry, p) == 0 ? N_ISSUER : N_NONE;
        }
        char role[80];
        const char *name = strstr(p, "assumed-role/");
        snprintf(role, sizeof role, "%s", name ? name + 13 : "");
        role[strcspn(role, "/")] = '\0';
        return name && strcmp(n_account(entry), n_account(p)) == 0 && strcmp(n_last(entry), role) == 0 ? N_ISSUER
                                                                                                       : N_NONE;
    }
    return strcmp(entry, p) == 0 ? N_DIRECT : N_NONE;
}

static enum n_kind
n_principal(const struct n_ask *ask, json_t *element)
{
    enum n_kind best = N_NONE;
    const char *type;
    json_t *value;
    if (json_is_string(element)) {
        return n_entry(ask, "AWS", json_string_value(element));
    }
    json_object_foreach(element, type, value)
    {
        json_t *list = n_list(value);
        for (size_t i = 0; i < json_array_size(list); i++) {
            enum n_kind kind = n_entry(ask, type, json_string_value(json_array_get(list, i)));
            best = kind > best ? kind : best;
        }
        json_decref(list);
    }
    return best;
}

/* ---- statements and sets ---- */

static bool
n_action(const struct n_ask *ask, json_t *statement)
{
    json_t *element = json_object_get(statement, "Action"), *list;
    bool not = !element, hit = false;
    list = n_list(element ? element : json_object_get(statement, "NotAction"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        hit |= n_glob(json_string_value(json_array_get(list, i)), ask->action, true);
    }
    json_decref(list);
    return hit != not ;
}

static bool
n_resource(const struct n_ask *ask, json_t *statement, bool deny)
{
    json_t *element = json_object_get(statement, "Resource"), *list;
    bool not = !element, hit = false, unresolved = false;
    if (!element && !json_object_get(statement, "NotResource")) {
        return true;
    }
    list = n_list(element ? element : json_object_get(statement, "NotResource"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *pattern = json_string_value(json_array_get(list, i));
        char resolved[400], marked[400];
        if (strcmp(ask->resource, "*") == 0) {
            hit |= strcmp(pattern, "*") == 0;
            unresolved |= !n_substitute(ask, pattern, resolved);
        } else if (!n_substitute(ask, pattern, resolved)) {
            unresolved = true;
        } else {
            n_mark(ask->resource, marked);
            hit |= n_glob(resolved, marked, false);
        }
    }
    json_decref(list);
    return not ? (hit ? false : unresolved ? deny : true) : hit;
}

static bool
n_conditions(const struct n_ask *ask, json_t *statement)
{
    const char *operator_, *key;
    json_t *keys, *value;
    bool all = true;
    json_object_foreach(json_object_get(statement, "Condition"), operator_, keys)
    {
        json_object_foreach(keys, key, value)
        {
            json_t *values = n_list(value);
            all &= n_condition(ask, operator_, key, values);
            json_decref(values);
        }
    }
    return all;
}

/* How the statement's principal concerns the caller; N_ANY where the statement has none. */
static enum n_kind
n_concerns(const struct n_ask *ask, json_t *statement, bool deny)
{
    json_t *principal = json_object_get(statement, "Principal"), *not = json_object_get(statement, "NotPrincipal");
    if (principal) {
        return n_principal(ask, principal);
    }
    if (not ) {
        bool entity = n_is(ask, ":user/") || n_is(ask, ":role/") || n_is(ask, "assumed-role/");
        if (deny && ask->boundary && entity) {
            return N_ANY;
        }
        return n_principal(ask, not ) == N_NONE ? N_ANY : N_NONE;
    }
    return N_ANY;
}

struct n_said {
    bool deny, allow, kinds[5];
};

static void
n_policy(const struct n_ask *ask, json_t *document, struct n_said *said)
{
    json_t *statements = n_list(json_object_get(document, "Statement"));
    for (size_t i = 0; i < json_array_size(statements); i++) {
        json_t *s = json_array_get(statements, i);
        bool deny = strcmp(json_str(s, "Effect"), "Deny") == 0;
        enum n_kind kind = n_concerns(ask, s, deny);
        if (kind != N_NONE && n_action(ask, s) && n_resource(ask, s, deny) && n_conditions(ask, s)) {
            said->deny |= deny;
            said->allow |= !deny;
            said->kinds[kind] |= !deny;
        }
    }
    json_decref(statements);
}

static struct n_said
n_set(const struct n_ask *ask, json_t *list)
{
    struct n_said said = { 0 };
    for (size_t i = 0; i < json_array_size(list); i++) {
        n_policy(ask, json_object_get(json_array_get(list, i), "document"), &said);
    }
    return said;
}

/* Every level must allow. */
static struct n_said
n_levels(const struct n_ask *ask, json_t *levels)
{
    struct n_said all = { .allow = true };
    for (size_t i = 0; i < json_array_size(levels); i++) {
        struct n_said said = n_set(ask, json_object_get(json_array_get(levels, i), "policies"));
        all.deny |= said.deny;
        all.allow &= said.allow;
    }
    return all;
}

/* ---- the decision ---- */

static const char *
n_decide(json_t *item)
{
    json_t *r = json_object_get(item, "request"), *p = json_object_get(item, "policies"),
           *resource = json_object_get(r, "resource");
    struct n_ask ask = { json_str(r, "principal"),      json_str(r, "action"),
                         json_str(resource, "arn"),     json_str(resource, "account"),
                         json_object_get(r, "context"), json_is_array(json_object_get(p, "permissionsBoundary")) };
    bool anonymous = strcmp(ask.principal, "*anonymous*") == 0,
         service = !anonymous && strncmp(ask.principal, "arn:", 4) != 0, root = n_is(&ask, ":root");
    bool linked = n_is(&ask, "/aws-service-role/"), federated = n_is(&ask, "federated-user/"),
         person = !anonymous && !service;
    bool same = person && strcmp(n_account(ask.principal), ask.owner) == 0;
    bool kms = strncmp(ask.action, "kms:", 4) == 0 && strstr(ask.resource, ":key/");
    bool trust = strcmp(ask.action, "sts:AssumeRole") == 0 && strstr(ask.resource, ":role/");
    bool rcp_service = strncmp(ask.action, "ec2:", 4) != 0 && strncmp(ask.action, "iam:", 4) != 0;
    struct n_said none = { 0 }, resource_said = none, rcp = { .allow = true }, scp = rcp, endpoint = rcp,
                  boundary = rcp, session = rcp;
    if (strcmp(ask.action, "sts:GetCallerIdentity") == 0 && !anonymous) {
        return "allowed";
    }
    if (json_is_object(json_object_get(p, "resource"))) {
        n_policy(&ask, json_object_get(p, "resource"), &resource_said);
    }
    if (!linked && rcp_service) {
        rcp = n_levels(&ask, json_object_get(p, "rcp"));
    }
    if (!linked && person) {
        scp = n_levels(&ask, json_object_get(p, "scp"));
    }
    if (json_array_size(json_object_get(p, "vpcEndpoint"))) {
        endpoint = n_set(&ask, json_object_get(p, "vpcEndpoint"));
    }
    bool has_session = json_is_array(json_object_get(p, "session"));
    if (ask.boundary && person && !root) {
        boundary = n_set(&ask, json_object_get(p, "permissionsBoundary"));
    }
    if (has_session) {
        session = n_set(&ask, json_object_get(p, "session"));
    }
    struct n_said identity = person ? n_set(&ask, json_object_get(p, "identity")) : none;
    if (rcp.deny || scp.deny || endpoint.deny || resource_said.deny || boundary.deny || session.deny || identity.deny) {
        return "explicitDeny";
    }
    if (!rcp.allow || !scp.allow || !endpoint.allow) {
        return "implicitDeny";
    }
    identity.allow |= root;
    bool granted, self = resource_said.kinds[N_ANY] || resource_said.kinds[N_DIRECT];
    bool limits = boundary.allow && session.allow && (has_session || !federated);
    if (anonymous) {
        granted = resource_said.kinds[N_ANY];
    } else if (service) {
        granted = resource_said.allow;
    } else if (!same) {
        granted = resource_said.allow && identity.allow && limits;
    } else if (self) {
        granted = true;
    } else if (kms || trust) {
        granted = (resource_said.kinds[N_ISSUER] || (resource_said.kinds[N_ACCOUNT] && identity.allow)) && limits;
    } else {
        granted = (resource_said.kinds[N_ISSUER] || identity.allow) && limits;
    }
    if (granted && strcmp(ask.action, "iam:DeleteRole") == 0 && strstr(ask.resource, "role/aws-reserved/")) {
        granted = false;
    }
    return granted ? "allowed" : "implicitDeny";
}

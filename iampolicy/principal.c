#include "iampolicy/principal.h"

#include <stdio.h>
#include <string.h>

static bool
text_equal(struct iam_text a, struct iam_text b)
{
    return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

static struct iam_text
part_text(struct arn_part part)
{
    return (struct iam_text){ part.text, (uint32_t)part.size };
}

static bool
starts_with(struct iam_text text, const char *prefix)
{
    size_t n = strlen(prefix);
    return text.n >= n && memcmp(text.s, prefix, n) == 0;
}

static bool
ends_with(struct iam_text text, const char *suffix)
{
    size_t n = strlen(suffix);
    return text.n >= n && memcmp(text.s + text.n - n, suffix, n) == 0;
}

static struct iam_text
after_last_slash(struct iam_text text)
{
    uint32_t i = text.n;
    while (i > 0 && text.s[i - 1] != '/') {
        i--;
    }
    return (struct iam_text){ text.s + i, text.n - i };
}

static bool
is_account_id(struct iam_text text)
{
    if (text.n != 12) {
        return false;
    }
    for (uint32_t i = 0; i < 12; i++) {
        if (text.s[i] < '0' || text.s[i] > '9') {
            return false;
        }
    }
    return true;
}

static void
set_account(char account[16], struct iam_text text)
{
    snprintf(account, 16, "%.*s", text.n < 15 ? (int)text.n : 15, text.s);
}

/* Domains of the providers AWS knows without an ARN, beside whatever an OIDC provider is called. */
static bool
is_domain(struct iam_text text)
{
    bool dot = false;
    for (uint32_t i = 0; i < text.n; i++) {
        char c = text.s[i];
        dot |= c == '.';
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
              c == '/' || c == ':' || c == '_')) {
            return false;
        }
    }
    return dot;
}

static bool
is_canonical_id(struct iam_text text)
{
    if (text.n < 40 || text.n > 64) {
        return false;
    }
    for (uint32_t i = 0; i < text.n; i++) {
        if (!strchr("0123456789abcdefABCDEF", text.s[i])) {
            return false;
        }
    }
    return true;
}

/* "role/path/NAME": one role, its name, and whether it is linked to a service. */
static void
set_role(struct iam_principal *principal, struct iam_text resource)
{
    principal->kind = IAM_ROLE_SESSION;
    principal->given_as_role = true;
    principal->issuer = principal->arn;
    principal->role = after_last_slash(resource);
    principal->name = (struct iam_text){ "simulated", 9 };
    principal->service_linked = starts_with(resource, "role/aws-service-role/");
}

static bool
parse_arn_caller(struct iam_principal *principal, const struct arn *arn)
{
    struct iam_text resource = part_text(arn->resource);
    set_account(principal->account, part_text(arn->account));
    principal->partition = part_text(arn->partition);
    if (!is_account_id(part_text(arn->account))) {
        return false;
    }
    if (arn_part_is(arn->service, "iam")) {
        if (iam_text_is(resource, "root")) {
            principal->kind = IAM_ROOT;
            return true;
        }
        if (starts_with(resource, "user/")) {
            principal->kind = IAM_USER;
            principal->name = after_last_slash(resource);
            return principal->name.n > 0;
        }
        if (starts_with(resource, "role/")) {
            set_role(principal, resource);
            return principal->role.n > 0;
        }
        if (starts_with(resource, "saml-provider/") || starts_with(resource, "oidc-provider/")) {
            principal->kind = starts_with(resource, "saml") ? IAM_SAML : IAM_WEB_IDENTITY;
            principal->account[0] = '\0'; /* the provider is not a principal of the account */
            return true;
        }
        return false;
    }
    if (!arn_part_is(arn->service, "sts")) {
        return false;
    }
    if (starts_with(resource, "federated-user/")) {
        principal->kind = IAM_FEDERATED_USER;
        principal->name = (struct iam_text){ resource.s + 15, resource.n - 15 };
        return principal->name.n > 0;
    }
    if (!starts_with(resource, "assumed-role/")) {
        return false;
    }
    struct iam_text rest = { resource.s + 13, resource.n - 13 };
    const char *slash = memchr(rest.s, '/', rest.n);
    principal->kind = IAM_ROLE_SESSION;
    principal->role = slash ? (struct iam_text){ rest.s, (uint32_t)(slash - rest.s) } : rest;
    principal->name = after_last_slash(rest);
    principal->service_linked = starts_with(principal->role, "AWSServiceRoleFor");
    return principal->role.n > 0 && slash && principal->name.n > 0;
}

bool
iam_principal_parse(struct arena *arena, struct iam_text text, struct iam_principal *principal, struct err *err)
{
    struct arn arn;
    *principal = (struct iam_principal){ .arn = arena_strndup(arena, text.s, text.n), .arn_size = text.n };
    struct iam_text own = { principal->arn, text.n };
    bool ok = true;
    if (iam_text_is(own, "*anonymous*") || iam_text_is(own, "anonymous")) {
        principal->kind = IAM_ANONYMOUS;
    } else if (is_account_id(own)) {
        principal->kind = IAM_ROOT;
        set_account(principal->account, own);
        principal->partition = (struct iam_text){ "aws", 3 };
        principal->arn = arena_printf(arena, "arn:aws:iam::%s:root", principal->account);
        principal->arn_size = (uint32_t)strlen(principal->arn);
    } else if (arn_parse(principal->arn, &arn)) {
        ok = parse_arn_caller(principal, &arn);
    } else if (ends_with(own, ".amazonaws.com") || ends_with(own, ".amazonaws.com.cn")) {
        principal->kind = IAM_SERVICE;
    } else if (is_canonical_id(own)) {
        principal->kind = IAM_CANONICAL;
    } else if (is_domain(own)) {
        principal->kind = IAM_WEB_IDENTITY;
    } else {
        ok = false;
    }
    if (!ok) {
        err_set(err, ERR_USAGE, "InvalidInput", "`%.*s` is not a principal", text.n < 200 ? (int)text.n : 200, text.s);
        return err_hint(
            err, "a user, role or session ARN, an account id, a service such as lambda.amazonaws.com, or *anonymous*");
    }
    return true;
}

/* ---- entries of a Principal element ---- */

static void
compile_arn_entry(struct iam_principal_entry *entry)
{
    struct arn arn;
    if (!arn_parse(entry->text, &arn)) {
        return;
    }
    struct iam_text resource = part_text(arn.resource);
    entry->partition = part_text(arn.partition);
    set_account(entry->account, part_text(arn.account));
    if (arn_part_is(arn.service, "iam")) {
        if (iam_text_is(resource, "root")) {
            entry->kind = IAM_ENTRY_ACCOUNT;
        } else if (starts_with(resource, "user/")) {
            entry->kind = IAM_ENTRY_USER;
            entry->name = after_last_slash(resource);
        } else if (starts_with(resource, "role/")) {
            entry->kind = IAM_ENTRY_ROLE;
            entry->name = after_last_slash(resource);
        }
    } else if (arn_part_is(arn.service, "sts")) {
        if (starts_with(resource, "assumed-role/")) {
            entry->kind = IAM_ENTRY_SESSION;
        } else if (starts_with(resource, "federated-user/")) {
            entry->kind = IAM_ENTRY_FEDERATED_USER;
        }
    }
}

/* "s3.eu-west-1.amazonaws.com" names the same service as "s3.amazonaws.com". */
static struct iam_text
service_name(struct iam_text text)
{
    struct iam_text name = text;
    const char *dot = memchr(text.s, '.', text.n);
    if (dot && (ends_with(text, ".amazonaws.com") || ends_with(text, ".amazonaws.com.cn"))) {
        name.n = (uint32_t)(dot - text.s);
    }
    return name;
}

struct iam_principal_entry
iam_principal_entry_compile(struct arena *arena, const char *type, struct iam_text text)
{
    struct iam_principal_entry entry = { .text = arena_strndup(arena, text.s, text.n), .size = text.n };
    struct iam_text own = { entry.text, text.n };
    if (strcmp(type, "AWS") == 0) {
        if (iam_text_is(own, "*")) {
            entry.kind = IAM_ENTRY_ANY;
        } else if (is_account_id(own)) {
            entry.kind = IAM_ENTRY_ACCOUNT;
            set_account(entry.account, own);
        } else if (starts_with(own, "AIDA") || starts_with(own, "AROA")) {
            entry.kind = IAM_ENTRY_UNIQUE_ID;
        } else {
            compile_arn_entry(&entry);
        }
    } else if (strcmp(type, "Service") == 0) {
        entry.kind = IAM_ENTRY_SERVICE;
        entry.name = service_name(own);
    } else if (strcmp(type, "Federated") == 0) {
        entry.kind = IAM_ENTRY_FEDERATED;
    } else if (strcmp(type, "CanonicalUser") == 0) {
        entry.kind = IAM_ENTRY_CANONICAL;
    }
    return entry;
}

static bool
same_text(const struct iam_principal_entry *entry, const struct iam_principal *caller)
{
    return entry->size == caller->arn_size && memcmp(entry->text, caller->arn, entry->size) == 0;
}

/* A session ARN carries no path, so a role is told by account, partition and name; where the session's role is known,
 * by its whole ARN. */
static bool
is_role_of(const struct iam_principal_entry *entry, const struct iam_principal *caller)
{
    if (caller->kind != IAM_ROLE_SESSION) {
        return false;
    }
    if (caller->issuer) {
        return strcmp(entry->text, caller->issuer) == 0;
    }
    return strcmp(entry->account, caller->account) == 0 && text_equal(entry->partition, caller->partition) &&
           text_equal(entry->name, caller->role);
}

/* A federated user belongs to the user who called GetFederationToken; where that is not known, to the user of its name.
 */
static bool
is_federated_by(const struct iam_principal_entry *entry, const struct iam_principal *caller)
{
    if (caller->kind != IAM_FEDERATED_USER) {
        return false;
    }
    if (caller->issuer) {
        return strcmp(caller->issuer, entry->text) == 0;
    }
    return strcmp(entry->account, caller->account) == 0 && text_equal(entry->partition, caller->partition) &&
           text_equal(entry->name, caller->name);
}

static enum iam_match_kind
match_service(const struct iam_principal_entry *entry, const struct iam_principal *caller)
{
    if (caller->kind != IAM_SERVICE) {
        return IAM_MATCH_NONE;
    }
    if (same_text(entry, caller)) {
        return IAM_MATCH_DIRECT;
    }
    /* The regional form and the global one are the same service, but two regions are not. */
    struct iam_text asked = { caller->arn, caller->arn_size };
    struct iam_text name = service_name(asked);
    bool entry_global = entry->size == entry->name.n + strlen(".amazonaws.com");
    bool caller_global = asked.n == name.n + strlen(".amazonaws.com");
    return text_equal(name, entry->name) && (entry_global || caller_global) ? IAM_MATCH_DIRECT : IAM_MATCH_NONE;
}

enum iam_match_kind
iam_principal_match(const struct iam_principal_entry *entry, const struct iam_principal *caller)
{
    switch (entry->kind) {
    case IAM_ENTRY_NEVER:
        return IAM_MATCH_NONE;
    case IAM_ENTRY_ANY:
        return IAM_MATCH_ANY;
    case IAM_ENTRY_ACCOUNT:
        if (!caller->account[0] || strcmp(entry->account, caller->account) != 0) {
            return IAM_MATCH_NONE;
        }
        return caller->kind == IAM_ROOT ? IAM_MATCH_DIRECT : IAM_MATCH_ACCOUNT;
    case IAM_ENTRY_USER:
        if (caller->kind == IAM_USER && same_text(entry, caller)) {
            return IAM_MATCH_DIRECT;
        }
        return is_federated_by(entry, caller) ? IAM_MATCH_ISSUER : IAM_MATCH_NONE;
    case IAM_ENTRY_ROLE:
        return is_role_of(entry, caller) ? IAM_MATCH_ISSUER : IAM_MATCH_NONE;
    case IAM_ENTRY_SESSION:
        return caller->kind == IAM_ROLE_SESSION && same_text(entry, caller) ? IAM_MATCH_DIRECT : IAM_MATCH_NONE;
    case IAM_ENTRY_FEDERATED_USER:
        return caller->kind == IAM_FEDERATED_USER && same_text(entry, caller) ? IAM_MATCH_DIRECT : IAM_MATCH_NONE;
    case IAM_ENTRY_UNIQUE_ID:
        if (!caller->unique_id || strcmp(caller->unique_id, entry->text) != 0) {
            return IAM_MATCH_NONE;
        }
        return caller->kind == IAM_USER ? IAM_MATCH_DIRECT : IAM_MATCH_ISSUER;
    case IAM_ENTRY_SERVICE:
        return match_service(entry, caller);
    case IAM_ENTRY_FEDERATED:
        /* cognito-identity.amazonaws.com reads like a service and is a web identity provider. */
        return (caller->kind == IAM_WEB_IDENTITY || caller->kind == IAM_SAML || caller->kind == IAM_SERVICE) &&
                       same_text(entry, caller)
                   ? IAM_MATCH_DIRECT
                   : IAM_MATCH_NONE;
    case IAM_ENTRY_CANONICAL:
        return caller->kind == IAM_CANONICAL && same_text(entry, caller) ? IAM_MATCH_ACCOUNT : IAM_MATCH_NONE;
    }
    return IAM_MATCH_NONE;
}

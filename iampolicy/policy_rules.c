#include "iampolicy/policy_rules.h"

#include <stdio.h>
#include <string.h>

struct rules {
    const struct iam_policy *policy;
    iam_report *report;
    void *context;
};

static void __attribute__((format(printf, 5, 6))) say(const struct rules *r, enum iam_finding_level level,
                                                      const char *code, struct iam_span span, const char *format, ...)
{
    char text[320];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->report(r->context, level, code, span, text);
}

#define REFUSES IAM_FINDING_REFUSES
#define WARNS   IAM_FINDING_WARNS

/* "*", or a service prefix and a name of letters, digits, '-', '_', '*' and '?'. */
static bool
is_action(const char *text)
{
    int colons = 0;
    if (strcmp(text, "*") == 0) {
        return true;
    }
    for (const char *s = text; *s; s++) {
        bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9');
        if (*s == ':' && s > text && s[1] && !colons) {
            colons++;
        } else if (!letter && !strchr("-_*?", *s)) {
            return false;
        }
    }
    return colons == 1;
}

static void
check_actions(const struct rules *r, const struct iam_statement *s)
{
    for (uint32_t i = 0; i < s->n_actions; i++) {
        const struct iam_pattern *a = &s->actions[i];
        if (!is_action(a->text)) {
            say(r, REFUSES, "INVALID_ACTION", a->span,
                "`%.80s` is not an action: write service:Name, as in s3:GetObject", a->text);
        }
    }
    if (!s->n_actions) {
        say(r, WARNS, "EMPTY_ARRAY_ACTION", s->action_span, "the statement lists no actions and has no effect");
    }
}

static void
check_resources(const struct rules *r, const struct iam_statement *s)
{
    for (uint32_t i = 0; i < s->n_resources; i++) {
        const struct iam_pattern *p = &s->resources[i];
        int colons = 0;
        for (const char *c = p->text; *c; c++) {
            colons += *c == ':';
        }
        if (p->kind == IAM_PATTERN_ALL) {
            continue;
        }
        if (strncmp(p->text, "arn:", 4) != 0) {
            say(r, REFUSES, "INVALID_ARN_PREFIX", p->span, "`%.80s` must be an ARN or \"*\"", p->text);
        } else if (colons < 5) {
            say(r, WARNS, "MISSING_ARN_FIELD", p->span, "`%.80s` has fewer than the six fields of an ARN", p->text);
        }
    }
    if (s->has_resource && !s->n_resources) {
        say(r, WARNS, "EMPTY_ARRAY_RESOURCE", s->resource_span, "the statement lists no resources and has no effect");
    }
}

static void
check_entry(const struct rules *r, const struct iam_principal_entry *e)
{
    if (e->kind == IAM_ENTRY_ANY) {
        return;
    }
    if (strpbrk(e->text, "*?")) {
        say(r, REFUSES, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL", e->span,
            "`%.80s`: a wildcard can only be the whole principal", e->text);
    } else if (e->kind == IAM_ENTRY_NEVER) {
        say(r, REFUSES, "INVALID_PRINCIPAL_FORMAT", e->span, "`%.80s` is not a principal", e->text);
    } else if (e->kind == IAM_ENTRY_SERVICE && !strchr(e->text, '.')) {
        say(r, REFUSES, "INVALID_SERVICE_PRINCIPAL_FORMAT", e->span,
            "`%.80s` is not a service principal such as ec2.amazonaws.com", e->text);
    } else if (e->kind == IAM_ENTRY_UNIQUE_ID) {
        say(r, WARNS, strncmp(e->text, "AROA", 4) == 0 ? "INVALID_ROLE_REFERENCE" : "INVALID_USER_REFERENCE", e->span,
            "`%.80s` is what is left of a deleted entity", e->text);
    }
}

static void
check_principals(const struct rules *r, const struct iam_statement *s)
{
    const struct iam_policy *policy = r->policy;
    if (!s->has_principal) {
        return;
    }
    for (uint32_t i = 0; i < s->n_principals; i++) {
        check_entry(r, &s->principals[i]);
    }
    bool bare = policy->text[s->principal_span.start] == '"';
    if (policy->type == IAM_POLICY_TRUST && s->not_principal) {
        say(r, REFUSES, "ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL", s->principal_span,
            "a role trust policy cannot use NotPrincipal");
    } else if (s->not_principal && !s->deny) {
        say(r, REFUSES, "ALLOW_WITH_NOT_PRINCIPAL", s->principal_span,
            "NotPrincipal with Allow grants to everybody but the list; use it with Deny only");
    }
    if (policy->type == IAM_POLICY_TRUST && bare && s->n_principals == 1 && s->principals[0].kind == IAM_ENTRY_ANY) {
        say(r, REFUSES, "ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL", s->principal_span,
            "a role trust policy cannot use the principal \"*\"; write {\"AWS\": \"*\"} if anybody is meant");
    }
    if (!s->n_principals) {
        say(r, WARNS, "EMPTY_ARRAY_PRINCIPAL", s->principal_span, "the statement names no principal and has no effect");
    }
}

static void
check_scp(const struct rules *r, const struct iam_statement *s)
{
    bool everything = !s->not_resource && s->n_resources == 1 && s->resources[0].kind == IAM_PATTERN_ALL;
    if (!s->deny && !everything) {
        say(r, REFUSES, "SCP_SYNTAX_ERROR_ALLOW_RESOURCE", s->resource_span,
            "a service control policy allows only with \"Resource\": \"*\"");
    }
}

static void
check_rcp(const struct rules *r, const struct iam_statement *s)
{
    bool all_actions = !s->not_action && s->n_actions == 1 && s->actions[0].kind == IAM_PATTERN_ALL;
    bool all_principals = !s->not_principal && s->n_principals == 1 && s->principals[0].kind == IAM_ENTRY_ANY;
    if (!s->deny && !(all_actions && all_principals && !s->n_conditions)) {
        say(r, REFUSES, "RCP_SYNTAX_ERROR_ALLOW", s->span, "a resource control policy can only deny");
    }
    if (s->not_action) {
        say(r, REFUSES, "RCP_SYNTAX_ERROR_NOTACTION", s->action_span, "a resource control policy cannot use NotAction");
    } else if (s->deny && all_actions) {
        say(r, REFUSES, "RCP_SYNTAX_ERROR_ACTION", s->action_span,
            "a resource control policy names the service: s3:*, not *");
    }
    if (!all_principals) {
        say(r, REFUSES, "RCP_SYNTAX_ERROR_PRINCIPAL", s->principal_span,
            "the principal of a resource control policy is \"*\"");
    }
}

static void
check_sid(const struct rules *r, const struct iam_statement *s)
{
    const struct iam_policy *policy = r->policy;
    bool strict = policy->type <= IAM_POLICY_SESSION;
    if (!s->sid) {
        return;
    }
    for (const char *c = s->sid; *c && strict; c++) {
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9'))) {
            say(r, REFUSES, "UNSUPPORTED_SID", s->sid_span, "the Sid `%.80s` may hold only letters and digits", s->sid);
            break;
        }
    }
    for (uint32_t i = 0; i < s->index && s->sid[0]; i++) {
        const char *other = policy->statements[i].sid;
        if (other && strcmp(other, s->sid) == 0) {
            say(r, strict ? REFUSES : WARNS, strict ? "UNIQUE_SIDS_REQUIRED" : "UNIQUE_SIDS_RECOMMENDED", s->sid_span,
                "the Sid `%.80s` stands twice", s->sid);
            break;
        }
    }
}

/* IAM stores tab, LF, CR and U+0020 to U+00FF. */
static void
check_characters(const struct rules *r)
{
    const struct iam_policy *policy = r->policy;
    for (uint32_t i = 0; i < policy->text_size && policy->type <= IAM_POLICY_TRUST; i++) {
        if ((unsigned char)policy->text[i] >= 0xC4) {
            say(r, REFUSES, "JSON_SYNTAX_ERROR", (struct iam_span){ i, i + 1 },
                "IAM stores only characters up to U+00FF in a policy");
            return;
        }
    }
}

void
iam_policy_rules(const struct iam_policy *policy, iam_report *report, void *context)
{
    struct rules r = { policy, report, context };
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        const struct iam_statement *s = &policy->statements[i];
        check_sid(&r, s);
        check_actions(&r, s);
        check_resources(&r, s);
        check_principals(&r, s);
        if (policy->type == IAM_POLICY_SCP) {
            check_scp(&r, s);
        } else if (policy->type == IAM_POLICY_RCP) {
            check_rcp(&r, s);
        }
    }
    check_characters(&r);
}

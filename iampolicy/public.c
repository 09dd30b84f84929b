#include "iampolicy/public.h"

#include <string.h>

/* Keys whose fixed value makes a grant to everybody a grant to somebody, in small letters. */
static const char *const pinning_keys[] = {
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceip",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:userid",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
};

static bool
is_pinning(const struct iam_condition *condition)
{
    for (size_t i = 0; i < sizeof pinning_keys / sizeof *pinning_keys; i++) {
        if (strcmp(condition->key.lower, pinning_keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Blocks wider than /8, or /32 of IPv6, hold too much of the internet to name anybody. */
static bool
is_fixed_block(const struct cidr *cidr)
{
    return cidr->bits >= (cidr->ip.family == IP_V6 ? 32 : 8) || ip_is_private(&cidr->ip);
}

/* An access point's name may be '*' when its account is fixed. */
static bool
is_fixed_access_point(const char *text)
{
    const char *s = text;
    for (int colons = 0; s && colons < 4; colons++) {
        s = strchr(s, ':');
        s = s ? s + 1 : NULL;
    }
    return s && strspn(s, "0123456789") == 12 && s[12] == ':';
}

static bool
is_fixed(const struct iam_condition *condition, const struct iam_condition_value *value)
{
    if (condition->op->kind == IAM_VALUE_IP) {
        return value->valid && is_fixed_block(&value->cidr);
    }
    if (condition->op->kind == IAM_VALUE_BOOL) {
        return value->valid && strcasecmp(value->text, "true") == 0;
    }
    if (strcmp(condition->key.lower, "s3:dataaccesspointarn") == 0 && is_fixed_access_point(value->text)) {
        return true;
    }
    return value->valid && value->pattern.kind == IAM_PATTERN_LITERAL && value->text_size > 0 &&
           !strpbrk(value->text, "*?");
}

static bool
pins_caller(const struct iam_condition *c)
{
    enum iam_value_kind kind = c->op->kind;
    bool compares = kind == IAM_VALUE_STRING || kind == IAM_VALUE_FOLDED || kind == IAM_VALUE_LIKE ||
                    kind == IAM_VALUE_ARN || kind == IAM_VALUE_IP || kind == IAM_VALUE_BOOL;
    /* IfExists and ForAllValues hold for a request without the key, which is everybody's. */
    if (!compares || c->op->negated || c->if_exists || c->qualifier == IAM_FOR_ALL_VALUES || !is_pinning(c)) {
        return false;
    }
    for (uint32_t i = 0; i < c->n; i++) {
        if (!is_fixed(c, &c->values[i])) {
            return false;
        }
    }
    return true;
}

static bool
names_everybody(const struct iam_statement *s)
{
    static const char *const open_providers[] = { "graph.facebook.com", "accounts.google.com", "www.amazon.com",
                                                  "cognito-identity.amazonaws.com" };
    for (uint32_t i = 0; i < s->n_principals; i++) {
        if (s->principals[i].kind == IAM_ENTRY_ANY) {
            return true;
        }
        for (size_t k = 0; k < sizeof open_providers / sizeof *open_providers; k++) {
            if (s->principals[i].kind == IAM_ENTRY_FEDERATED && strcmp(s->principals[i].text, open_providers[k]) == 0) {
                return true;
            }
        }
    }
    return s->not_principal;
}

const struct iam_statement *
iam_policy_public_statement(const struct iam_policy *policy)
{
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        const struct iam_statement *s = &policy->statements[i];
        bool pinned = false;
        for (uint32_t k = 0; k < s->n_conditions; k++) {
            pinned |= pins_caller(&s->conditions[k]);
        }
        if (!s->deny && names_everybody(s) && !pinned) {
            return s;
        }
    }
    return NULL;
}

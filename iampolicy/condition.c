#include "iampolicy/condition.h"

#include <string.h>
#include "iampolicy/remark.h"
#include "iampolicy/request.h"
#include "iampolicy/suggest.h"

static const struct iam_condition_op ops[] = {
    { "StringEquals", IAM_VALUE_STRING, false, 0 },
    { "StringNotEquals", IAM_VALUE_STRING, true, 0 },
    { "StringEqualsIgnoreCase", IAM_VALUE_FOLDED, false, 0 },
    { "StringNotEqualsIgnoreCase", IAM_VALUE_FOLDED, true, 0 },
    { "StringLike", IAM_VALUE_LIKE, false, 0 },
    { "StringNotLike", IAM_VALUE_LIKE, true, 0 },
    { "NumericEquals", IAM_VALUE_DECIMAL, false, IAM_EQUAL },
    { "NumericNotEquals", IAM_VALUE_DECIMAL, true, IAM_EQUAL },
    { "NumericLessThan", IAM_VALUE_DECIMAL, false, IAM_LESS },
    { "NumericLessThanEquals", IAM_VALUE_DECIMAL, false, IAM_LESS | IAM_EQUAL },
    { "NumericGreaterThan", IAM_VALUE_DECIMAL, false, IAM_GREATER },
    { "NumericGreaterThanEquals", IAM_VALUE_DECIMAL, false, IAM_GREATER | IAM_EQUAL },
    { "DateEquals", IAM_VALUE_DATE, false, IAM_EQUAL },
    { "DateNotEquals", IAM_VALUE_DATE, true, IAM_EQUAL },
    { "DateLessThan", IAM_VALUE_DATE, false, IAM_LESS },
    { "DateLessThanEquals", IAM_VALUE_DATE, false, IAM_LESS | IAM_EQUAL },
    { "DateGreaterThan", IAM_VALUE_DATE, false, IAM_GREATER },
    { "DateGreaterThanEquals", IAM_VALUE_DATE, false, IAM_GREATER | IAM_EQUAL },
    { "Bool", IAM_VALUE_BOOL, false, 0 },
    { "BinaryEquals", IAM_VALUE_BINARY, false, 0 },
    { "IpAddress", IAM_VALUE_IP, false, 0 },
    { "NotIpAddress", IAM_VALUE_IP, true, 0 },
    { "ArnEquals", IAM_VALUE_ARN, false, 0 },
    { "ArnLike", IAM_VALUE_ARN, false, 0 },
    { "ArnNotEquals", IAM_VALUE_ARN, true, 0 },
    { "ArnNotLike", IAM_VALUE_ARN, true, 0 },
    { "Null", IAM_VALUE_NULL, false, 0 },
};

/* ---- names ---- */

static bool
starts_folded(struct iam_text text, const char *prefix)
{
    uint32_t n = (uint32_t)strlen(prefix);
    return text.n >= n && iam_fold_equal((struct iam_text){ text.s, n }, (struct iam_text){ prefix, n });
}

static bool
ends_folded(struct iam_text text, const char *suffix)
{
    uint32_t n = (uint32_t)strlen(suffix);
    return text.n >= n && iam_fold_equal((struct iam_text){ text.s + text.n - n, n }, (struct iam_text){ suffix, n });
}

bool
iam_condition_operator(struct iam_text name, const struct iam_condition_op **op, enum iam_qualifier *qualifier,
                       bool *if_exists, const char **suggestion)
{
    *qualifier = IAM_NO_QUALIFIER;
    *if_exists = false;
    *suggestion = NULL;
    if (starts_folded(name, "ForAllValues:")) {
        *qualifier = IAM_FOR_ALL_VALUES;
        name = (struct iam_text){ name.s + 13, name.n - 13 };
    } else if (starts_folded(name, "ForAnyValue:")) {
        *qualifier = IAM_FOR_ANY_VALUE;
        name = (struct iam_text){ name.s + 12, name.n - 12 };
    }
    if (ends_folded(name, "IfExists")) {
        *if_exists = true;
        name.n -= 8;
    }
    const char *colon = name.n ? memchr(name.s, ':', name.n) : NULL;
    if (colon && *qualifier == IAM_NO_QUALIFIER) {
        *suggestion = starts_folded(name, "ForAn") ? "ForAnyValue:" : "ForAllValues:";
        return false;
    }
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (iam_fold_equal(name, (struct iam_text){ ops[i].name, (uint32_t)strlen(ops[i].name) })) {
            *op = &ops[i];
            return true;
        }
    }
    const char *names[sizeof ops / sizeof *ops];
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        names[i] = ops[i].name;
    }
    *suggestion = iam_suggest(name, names, sizeof names / sizeof *names);
    return false;
}

/* ---- values of the policy ---- */

/* An ARN pattern has six parts, the first of them "arn". */
static bool
is_arn_pattern(const unsigned char *bytes, uint32_t size)
{
    int colons = 0;
    for (uint32_t i = 0; i < size && colons < 5; i++) {
        colons += bytes[i] == ':';
    }
    return colons == 5 && memcmp(bytes, "arn:", 4) == 0;
}

void
iam_condition_value_compile(struct arena *arena, const struct iam_condition_op *op, struct iam_text text,
                            bool variables, struct iam_condition_value *value)
{
    unsigned flags = variables ? IAM_VARIABLES : 0;
    bool truth;
    value->text = arena_strndup(arena, text.s, text.n);
    value->text_size = text.n;
    struct iam_text own = { value->text, text.n };
    value->valid = true;
    switch (op->kind) {
    case IAM_VALUE_STRING:
    case IAM_VALUE_FOLDED:
        value->pattern = iam_pattern_of(arena, own, flags);
        break;
    case IAM_VALUE_LIKE:
        value->pattern = iam_pattern_of(arena, own, flags | IAM_WILDCARDS);
        break;
    case IAM_VALUE_ARN:
        /* A star at the end belongs to the last part only. */
        value->pattern = iam_pattern_of(arena, own, flags | IAM_WILDCARDS | IAM_WHOLE);
        value->valid =
            value->pattern.kind == IAM_PATTERN_VARIABLE || is_arn_pattern(value->pattern.bytes, value->pattern.size);
        break;
    case IAM_VALUE_BOOL:
        value->pattern = iam_pattern_of(arena, own, flags);
        value->valid = value->pattern.kind == IAM_PATTERN_VARIABLE || iam_bool_parse(own, &truth);
        break;
    case IAM_VALUE_DECIMAL:
        value->valid = iam_decimal_parse(own, &value->decimal);
        break;
    case IAM_VALUE_DATE:
        value->valid = iam_instant_parse(own, &value->instant);
        break;
    case IAM_VALUE_IP:
        value->valid = iam_cidr_parse(own, &value->cidr);
        break;
    case IAM_VALUE_BINARY:
        value->valid = text.n == 0 || iam_base64_equal(own, own);
        break;
    case IAM_VALUE_NULL:
        value->valid = iam_bool_parse(own, &value->truth);
        break;
    }
}

/* ---- one value of the request against the policy's ---- */

struct asked { /* the request's value read as the operator's type */
    struct iam_text text;
    struct iam_decimal decimal;
    struct iam_instant instant;
    struct ip ip;
    bool truth;
    const char *parts[7]; /* of an ARN: where each begins; [6] is one past the end plus one */
};

static bool
split_arn(struct iam_text text, const char *parts[7])
{
    const char *s = text.s, *end = text.s + text.n;
    for (int i = 0; i < 6; i++) {
        parts[i] = s;
        if (i < 5) {
            s = s < end ? memchr(s, ':', (size_t)(end - s)) : NULL;
            if (!s) {
                return false;
            }
            s++;
        }
    }
    parts[6] = end + 1;
    return text.n >= 4 && memcmp(text.s, "arn:", 4) == 0;
}

static bool
read_asked(const struct iam_condition_op *op, struct iam_text text, struct asked *asked)
{
    asked->text = text;
    switch (op->kind) {
    case IAM_VALUE_DECIMAL:
        return iam_decimal_parse(text, &asked->decimal);
    case IAM_VALUE_DATE:
        return iam_instant_parse(text, &asked->instant);
    case IAM_VALUE_IP:
        return iam_address_parse(text, &asked->ip);
    case IAM_VALUE_BOOL:
        return iam_bool_parse(text, &asked->truth);
    case IAM_VALUE_ARN:
        return split_arn(text, asked->parts);
    case IAM_VALUE_BINARY:
        return text.n == 0 || iam_base64_equal(text, text);
    default:
        return true;
    }
}

/* Each part is a glob of its own: a star cannot leave its part, but for the last, which may hold colons. */
static bool
arn_like(const unsigned char *bytes, uint32_t size, const char *const parts[7])
{
    const unsigned char *p = bytes, *end = bytes + size;
    for (int i = 0; i < 6; i++) {
        const unsigned char *stop = i < 5 ? memchr(p, ':', (size_t)(end - p)) : end;
        if (!stop || !iam_glob(p, (size_t)(stop - p), parts[i], (size_t)(parts[i + 1] - parts[i] - 1))) {
            return false;
        }
        p = stop + 1;
    }
    return true;
}

static bool
match_pattern(const struct iam_condition_op *op, const struct iam_pattern *pattern, const struct asked *asked,
              const struct iam_request *request)
{
    struct iam_resolved value;
    bool matched = false, truth;
    if (op->kind == IAM_VALUE_LIKE || (op->kind == IAM_VALUE_STRING && pattern->kind != IAM_PATTERN_VARIABLE)) {
        return iam_pattern_match(pattern, asked->text.s, asked->text.n, request);
    }
    if (iam_pattern_resolve(pattern, request, &value)) {
        struct iam_text text = { (const char *)value.bytes, value.size };
        switch (op->kind) {
        case IAM_VALUE_ARN:
            matched = is_arn_pattern(value.bytes, value.size) && arn_like(value.bytes, value.size, asked->parts);
            break;
        case IAM_VALUE_FOLDED:
            matched = iam_fold_equal(text, asked->text);
            break;
        case IAM_VALUE_BOOL:
            matched = iam_bool_parse(text, &truth) && truth == asked->truth;
            break;
        default:
            matched = text.n == asked->text.n && memcmp(text.s, asked->text.s, text.n) == 0;
            break;
        }
    }
    iam_resolved_done(&value);
    return matched;
}

static bool
in_order(unsigned order, int compared)
{
    return order & (compared < 0 ? IAM_LESS : compared > 0 ? IAM_GREATER : IAM_EQUAL);
}

static bool
match_value(const struct iam_condition_op *op, const struct iam_condition_value *value, const struct asked *asked,
            const struct iam_request *request)
{
    switch (op->kind) {
    case IAM_VALUE_DECIMAL:
        return in_order(op->order, iam_decimal_compare(&asked->decimal, &value->decimal));
    case IAM_VALUE_DATE:
        return in_order(op->order, iam_instant_compare(&asked->instant, &value->instant));
    case IAM_VALUE_IP:
        return cidr_contains_ip(&value->cidr, &asked->ip);
    case IAM_VALUE_BINARY:
        return iam_base64_equal((struct iam_text){ value->text, value->text_size }, asked->text);
    default:
        return match_pattern(op, &value->pattern, asked, request);
    }
}

/* Does one request value satisfy the operator against all of the policy's values, in its polarity? */
static bool
value_holds(const struct iam_condition *c, struct iam_text text, const struct iam_request *request, unsigned *remarks)
{
    struct asked asked;
    if (!read_asked(c->op, text, &asked)) {
        *remarks |= IAM_REMARK_REQUEST_VALUE;
        return false;
    }
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->values[i].valid && match_value(c->op, &c->values[i], &asked, request)) {
            return !c->op->negated;
        }
    }
    return c->op->negated;
}

/* ---- the whole condition ---- */

static bool
is_null_set(const struct iam_context_value *value)
{
    for (uint32_t i = 0; value && i < value->n; i++) {
        if (value->values[i].n) {
            return false;
        }
    }
    return true;
}

static bool
null_holds(const struct iam_condition *c, const struct iam_context_value *value)
{
    if (c->qualifier != IAM_NO_QUALIFIER) {
        return c->qualifier == IAM_FOR_ALL_VALUES;
    }
    bool null = is_null_set(value);
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->values[i].valid && c->values[i].truth == null) {
            return true;
        }
    }
    return false;
}

bool
iam_condition_holds(const struct iam_condition *c, const struct iam_request *request, unsigned *remarks)
{
    const struct iam_context_value *value = iam_request_value(request, &c->key);
    if (c->op->kind == IAM_VALUE_NULL) {
        return null_holds(c, value);
    }
    if (!c->any_valid) {
        *remarks |= c->n ? IAM_REMARK_POLICY_VALUE : 0;
        return !value && (c->if_exists || c->qualifier == IAM_FOR_ALL_VALUES);
    }
    if (c->qualifier == IAM_NO_QUALIFIER) {
        if (!value) {
            return c->if_exists || c->op->negated;
        }
        if (value->multi || value->n != 1) {
            *remarks |= IAM_REMARK_MISSING_QUALIFIER;
            return false;
        }
        return value_holds(c, value->values[0], request, remarks);
    }
    bool all = c->qualifier == IAM_FOR_ALL_VALUES;
    if (is_null_set(value)) {
        return all || (!value && c->if_exists);
    }
    for (uint32_t i = 0; i < value->n; i++) {
        if (value_holds(c, value->values[i], request, remarks) != all) {
            return !all;
        }
    }
    return all;
}

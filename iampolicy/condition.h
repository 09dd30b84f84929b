/* iampolicy/condition.h - the operators of a Condition block, compiled from a policy and asked about a request.
 *
 * A block holds when every operator holds for every key.  Rules and order are those of section 4 of the evaluation
 * specification: NotX over several values is NOR; absent keys satisfy negated and IfExists operators; a key with
 * several values needs ForAllValues: or ForAnyValue:; a request value of the wrong type satisfies neither polarity.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * Uses: pattern.h, value.h, request.h.   Used by: policy.c, evaluate.c. */
#pragma once
#include <stdbool.h>
#include "iampolicy/pattern.h"
#include "iampolicy/value.h"

enum iam_value_kind {
    IAM_VALUE_STRING,
    IAM_VALUE_LIKE,
    IAM_VALUE_FOLDED,
    IAM_VALUE_DECIMAL,
    IAM_VALUE_DATE,
    IAM_VALUE_BOOL,
    IAM_VALUE_BINARY,
    IAM_VALUE_IP,
    IAM_VALUE_ARN,
    IAM_VALUE_NULL
};

struct iam_condition_value {
    bool valid;       /* it parses as the operator's type (a value with variables is judged when they are known) */
    const char *text; /* as written */
    uint32_t text_size;
    struct iam_span span;
    union {
        struct iam_pattern pattern; /* strings, ARNs, Bool */
        struct iam_decimal decimal;
        struct iam_instant instant;
        struct cidr cidr;
        bool truth; /* Null */
    };
};

struct iam_condition_op {
    const char *name; /* as a policy writes it, without IfExists and ForAllValues: */
    enum iam_value_kind kind;
    bool negated;
    /* How the request's value may stand to the policy's: a set of IAM_LESS, IAM_EQUAL, IAM_GREATER. */
    unsigned order;
};
enum { IAM_LESS = 1, IAM_EQUAL = 2, IAM_GREATER = 4 };

enum iam_qualifier { IAM_NO_QUALIFIER, IAM_FOR_ALL_VALUES, IAM_FOR_ANY_VALUE };

struct iam_condition {
    const struct iam_condition_op *op;
    enum iam_qualifier qualifier;
    bool if_exists;
    bool any_valid;            /* some policy value parses */
    const char *operator_text; /* as written, "ForAnyValue:StringLike" */
    struct iam_key key;
    uint32_t n;
    const struct iam_condition_value *values;
    struct iam_span span; /* of the key's value or values */
    struct iam_span key_span;
};

/* Reads an operator's name, in any case.  Fails without a message; *suggestion is then the nearest spelling or NULL. */
bool iam_condition_operator(struct iam_text name, const struct iam_condition_op **op, enum iam_qualifier *qualifier,
                            bool *if_exists, const char **suggestion);

/* Fills 'value' from a JSON scalar's text.  'variables': the policy's version knows them. */
void iam_condition_value_compile(struct arena *arena, const struct iam_condition_op *op, struct iam_text text,
                                 bool variables, struct iam_condition_value *value);

/* Remarks on an answer, a set: see evaluate.h. */
bool iam_condition_holds(const struct iam_condition *condition, const struct iam_request *request, unsigned *remarks);

/* Random small cases: iampolicy and the plain evaluator of tests/spec/plain_iam.h must answer alike.
 *
 * SPEC_POLICIES (20,000) says how many, SPEC_SEED (1) where to begin; `make check-deep` asks a million.  A
 * difference prints the case as a line for `vpclab iam decide --batch`. */
#include "tests/test.h"

#include <stdlib.h>
#include "base/id.h"
#include "iampolicy/batch.h"
#include "tests/spec/plain_iam.h"

static struct id_gen dice;

static size_t
below(size_t n)
{
    return (size_t)id_random_below(&dice, n);
}

#define PICK(list) ((list)[below(ARRAY_SIZE(list))])
#define A          "arn:aws:iam::111111111111:"

static const char *const callers[] = {
    A "user/bob",
    A "user/al",
    A "role/app",
    A "role/x/app",
    A "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
    "arn:aws:sts::111111111111:assumed-role/app/s1",
    "arn:aws:sts::111111111111:assumed-role/app/s2",
    "arn:aws:sts::111111111111:federated-user/pat",
    A "root",
    "arn:aws:iam::222222222222:user/bob",
    "arn:aws:sts::222222222222:assumed-role/app/s1",
    "s3.amazonaws.com",
    "sqs.amazonaws.com",
    "*anonymous*",
};
static const char *const questions[][2] = {
    { "s3:GetObject", "arn:aws:s3:::b/bob/k" },
    { "s3:GetObject", "arn:aws:s3:::b/*/k" },
    { "s3:PutObject", "arn:aws:s3:::b/al/k" },
    { "s3:ListAllMyBuckets", "*" },
    { "kms:Decrypt", "arn:aws:kms:r:111111111111:key/1" },
    { "kms:ListKeys", "*" },
    { "sts:AssumeRole", A "role/app" },
    { "sts:GetCallerIdentity", "*" },
    { "ec2:RunInstances", "arn:aws:ec2:r:111111111111:instance/i" },
    { "iam:DeleteRole", A "role/aws-reserved/r" },
};
static const char *const actions[] = { "*",      "s3:*",  "s3:GetObject",     "S3:get*",
                                       "kms:*",  "sts:*", "ec2:Run?nstances", "iam:*",
                                       "s?:Put*" };
static const char *const resources[] = { "*",
                                         "arn:aws:s3:::b/*",
                                         "arn:aws:s3:::b/${aws:username}/*",
                                         "arn:aws:s3:::b/bob/?",
                                         "arn:aws:s3:::b/${aws:username, 'bob'}/k",
                                         "arn:aws:kms:*",
                                         "arn:aws:*:*:111111111111:*",
                                         "arn:aws:s3:::b/${*}/k" };
static const char *const entries[] = { "*",
                                       "111111111111",
                                       A "root",
                                       A "user/bob",
                                       A "role/app",
                                       A "role/x/app",
                                       "arn:aws:sts::111111111111:assumed-role/app/s1",
                                       "222222222222",
                                       "arn:aws:iam::222222222222:user/bob",
                                       "arn:aws:sts::111111111111:federated-user/pat" };
static const char *const operators[] = { "StringEquals",
                                         "StringNotEquals",
                                         "StringLike",
                                         "StringNotLike",
                                         "StringEqualsIgnoreCase",
                                         "NumericEquals",
                                         "NumericNotEquals",
                                         "NumericLessThan",
                                         "NumericGreaterThanEquals",
                                         "IpAddress",
                                         "NotIpAddress",
                                         "Bool",
                                         "Null" };
static const char *const keys[] = { "aws:username", "aws:TagKeys", "aws:SourceIp", "s3:max-keys",
                                    "aws:SecureTransport" };
static const char *const values[] = { "bob", "Bob", "b*",         "*",        "",     "10",    "10.0",
                                      "9",   "x",   "10.0.0.0/8", "10.1.2.3", "true", "false", "${aws:username}" };

static json_t *
some(const char *const *list, size_t n, size_t most)
{
    size_t count = 1 + below(most);
    if (count == 1 && below(2)) {
        return json_string(list[below(n)]);
    }
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(out, json_string(list[below(n)]));
    }
    return out;
}

static json_t *
random_condition(void)
{
    char name[80];
    const char *op = PICK(operators);
    static const char *const qualifiers[] = { "", "", "", "ForAllValues:", "ForAnyValue:" };
    bool null = strcmp(op, "Null") == 0;
    snprintf(name, sizeof name, "%s%s%s", PICK(qualifiers), op, !null && below(4) == 0 ? "IfExists" : "");
    json_t *value = null ? json_string(below(2) ? "true" : "false") : some(values, ARRAY_SIZE(values), 2);
    return json_pack("{s:{s:o}}", name, PICK(keys), value);
}

static json_t *
random_statement(bool principal, bool resource, bool may_allow)
{
    bool deny = !may_allow || below(4) == 0;
    json_t *s = json_pack("{s:s}", "Effect", deny ? "Deny" : "Allow");
    if (principal) {
        const char *element = below(6) ? "Principal" : "NotPrincipal";
        json_t *who = below(5) == 0 ? json_pack("{s:s}", "Service", below(2) ? "s3.amazonaws.com" : "sqs.amazonaws.com")
                      : below(6) == 0 ? json_string("*")
                                      : json_pack("{s:o}", "AWS", some(entries, ARRAY_SIZE(entries), 2));
        json_object_set_new(s, element, who);
    }
    json_object_set_new(s, below(6) ? "Action" : "NotAction", some(actions, ARRAY_SIZE(actions), 2));
    if (resource) {
        json_object_set_new(s, below(5) ? "Resource" : "NotResource", some(resources, ARRAY_SIZE(resources), 2));
    }
    if (below(3) == 0) {
        json_object_set_new(s, "Condition", random_condition());
    }
    return s;
}

static json_t *
random_policy(bool principal, bool resource)
{
    json_t *statements = json_array();
    for (size_t n = 1 + below(3); n > 0; n--) {
        json_array_append_new(statements, random_statement(principal, resource, true));
    }
    if (below(2)) {
        json_t *all = json_pack("{s:s, s:s}", "Effect", "Allow", "Action", "*");
        if (principal) {
            json_object_set_new(all, "Principal", json_pack("{s:s}", "AWS", PICK(entries)));
        }
        if (resource) {
            json_object_set_new(all, "Resource", json_string("*"));
        }
        json_array_append_new(statements, all);
    }
    return json_pack("{s:s, s:o}", "Version", "2012-10-17", "Statement", statements);
}

static json_t *
named(json_t *document)
{
    return json_pack("{s:s, s:o}", "name", "p", "document", document);
}

static json_t *
random_list(size_t least, size_t most, bool principal)
{
    json_t *list = json_array();
    for (size_t n = least + below(most - least + 1); n > 0; n--) {
        json_array_append_new(list, named(random_policy(principal, true)));
    }
    return list;
}

static json_t *
random_levels(bool principal)
{
    json_t *levels = json_array();
    for (size_t n = below(3) ? 0 : 1 + below(2); n > 0; n--) {
        json_array_append_new(levels, json_pack("{s:s, s:o}", "entity", "e", "policies", random_list(1, 2, principal)));
    }
    return levels;
}

static json_t *
random_case(size_t number)
{
    size_t q = below(ARRAY_SIZE(questions));
    bool trust = strstr(questions[q][1], ":role/") != NULL;
    json_t *context = json_object();
    for (size_t n = below(4); n > 0; n--) {
        const char *key = PICK(keys);
        json_object_set_new(context, key,
                            below(5) ? json_string(values[below(13)])
                                     : json_pack("[s,s]", values[below(13)], values[below(13)]));
    }
    json_t *request = json_pack("{s:s, s:s, s:{s:s, s:s}, s:o}", "principal", PICK(callers), "action", questions[q][0],
                                "resource", "arn", questions[q][1], "account", "111111111111", "context", context);
    json_t *policies = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "identity", random_list(0, 2, false),
                                 "resource", below(2) ? random_policy(true, !trust) : json_null(),
                                 "permissionsBoundary", below(4) ? json_null() : random_list(1, 1, false), "session",
                                 below(4) ? json_null() : random_list(1, 1, false), "scp", random_levels(false), "rcp",
                                 random_levels(true), "vpcEndpoint", below(5) ? json_array() : random_list(1, 1, true));
    return json_pack("{s:I, s:o, s:o}", "id", (json_int_t)number, "request", request, "policies", policies);
}

static size_t
number_from(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

TEST(two_evaluators_agree)
{
    size_t n = number_from("SPEC_POLICIES", 20000), seed = number_from("SPEC_SEED", 1), differ = 0;
    size_t allowed = 0, denied = 0;
    struct iam_batch *batch = iam_batch_new();
    struct buf answer = { 0 };
    id_gen_seed(&dice, seed);
    for (size_t i = 0; i < n && differ < 5; i++) {
        json_t *item = random_case(i);
        const char *expected = n_decide(item);
        char *line = json_dumps(item, JSON_COMPACT), wanted[40];
        buf_clear(&answer);
        iam_batch_decide(batch, line, strlen(line), 1, &answer);
        snprintf(wanted, sizeof wanted, "\"decision\": \"%s\"", expected);
        if (!CHECK(strstr(buf_str(&answer), wanted), "%s expected\n    %s\n    %s", expected, line, buf_str(&answer))) {
            differ++;
        }
        allowed += strcmp(expected, "allowed") == 0;
        denied += strcmp(expected, "explicitDeny") == 0;
        free(line);
        json_decref(item);
    }
    printf("%zu cases from seed %zu: %zu allowed, %zu explicitly denied\n", n, seed, allowed, denied);
    CHECK(allowed > n / 20 && denied > n / 20, "the cases are worth something");
    buf_done(&answer);
    iam_batch_free(batch);
}

TEST_MAIN

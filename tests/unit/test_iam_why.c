/* What would change a decision: every key and every change proposed must change it. */
#include "tests/test.h"

#include <stdlib.h>
#include "iampolicy/why.h"

static const char caller[] = "arn:aws:iam::123456789012:user/alice", bucket[] = "arn:aws:s3:::b/red/x";
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define READ               "{\"Sid\":\"Read\",\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":[\"arn:aws:s3:::b/blue/*\"]}"
#define ALL                "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}"
#define MFA                                                                                                            \
    "{\"Sid\":\"Mfa\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"BoolIfExists\":{\"aws:" \
    "MultiFactorAuthPresent\":\"false\"}}}"
#define TEAM                                                                                                           \
    "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::b/"                                            \
    "${aws:PrincipalTag/team}/*\",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.0/"                       \
    "24\"},\"StringEquals\":{\"a:Other\":\"x\"}}}"
#define UNRELATED                                                                                                      \
    "{\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"arn:aws:s3:::c/"                                      \
    "*\",\"Condition\":{\"StringEquals\":{\"a:"                                                                        \
    "Unrelated\":\"x\"}}}"

static const struct {
    const char *identity, *boundary, *scp, *session; /* NULL: there is none */
    const char *changes, *keys;                      /* as "Change@Layer ..." and "Key=Decision ..." */
} cases[] = {
    { POLICY(""), NULL, NULL, NULL, "AddStatement@identity ", "" },
    { POLICY(READ), NULL, NULL, NULL, "AddValue@identity ", "" },
    { POLICY(ALL), POLICY(READ), NULL, NULL, "AddValue@permissionsBoundary ", "" },
    { POLICY(ALL), POLICY(""), POLICY(""), POLICY(""),
      "AddStatement@scp AddStatement@permissionsBoundary AddStatement@session ", "" },
    { POLICY(ALL "," MFA), NULL, NULL, NULL, "RemoveStatement@identity ", "aws:MultiFactorAuthPresent=allowed " },
    { POLICY(MFA "," READ), NULL, NULL, NULL, "RemoveStatement@identity AddValue@identity ",
      "aws:MultiFactorAuthPresent=implicitDeny " },
    { POLICY(TEAM), NULL, NULL, NULL, "AddStatement@identity ",
      "aws:PrincipalTag/team=allowed aws:SourceIp=allowed a:Other=allowed " },
    { POLICY(UNRELATED), NULL, NULL, NULL, "AddStatement@identity ", "" },
    { POLICY(ALL), NULL, POLICY("{\"Effect\":\"Deny\",\"Action\":\"s3:*\",\"Resource\":\"*\"}," ALL), NULL,
      "RemoveStatement@scp ", "" },
    { "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}", NULL,
      NULL, NULL, "RemoveStatement@identity AddStatement@identity ", "" },
};

struct set_up {
    struct iam_policies policies;
    struct iam_policy *owned[4];
    struct iam_request *request;
};

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

static void
add(struct set_up *u, size_t i, iam_policy_list *list, const char *text, enum iam_policy_type type, const char *name)
{
    struct err err = { 0 };
    u->owned[i] = iam_policy_parse(text, strlen(text), type, name, &err);
    CHECK_OK(&err, "%s", text);
    *VEC_ADD(list) = u->owned[i];
}

static struct set_up
set_up(size_t i)
{
    struct set_up u = { .request = iam_request_new() };
    struct iam_policies *p = &u.policies;
    add(&u, 0, &p->identity, cases[i].identity, IAM_POLICY_IDENTITY, "identity");
    if ((p->has_boundary = cases[i].boundary)) {
        add(&u, 1, &p->boundary, cases[i].boundary, IAM_POLICY_BOUNDARY, "boundary");
    }
    if (cases[i].scp) {
        struct iam_level *level = VEC_ADD(&p->scp);
        level->entity = "r-root";
        add(&u, 2, &level->policies, cases[i].scp, IAM_POLICY_SCP, "scp");
    }
    if ((p->has_session = cases[i].session)) {
        add(&u, 3, &p->session, cases[i].session, IAM_POLICY_SESSION, "session");
    }
    iam_request_set_principal(u.request, as_text(caller), NULL);
    iam_request_set_action(u.request, as_text("s3:GetObject"), NULL);
    iam_request_set_resource(u.request, as_text(bucket), as_text("123456789012"), true);
    return u;
}

static void
tear_down(struct set_up *u)
{
    for (size_t i = 0; i < ARRAY_SIZE(u->owned); i++) {
        iam_policy_free(u->owned[i]);
    }
    iam_policies_done(&u->policies);
    iam_request_free(u->request);
}

TEST(changes_are_the_smallest_that_allow)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct set_up u = set_up(i);
        json_t *changes = iam_why_changes(&u.policies, u.request), *item;
        struct buf text = { 0 };
        size_t k;
        json_array_foreach(changes, k, item)
        {
            buf_printf(&text, "%s@%s ", json_str(item, "Change"), json_str(item, "Layer"));
        }
        CHECK_STR(buf_str(&text), cases[i].changes, "case %zu", i);
        buf_done(&text);
        json_decref(changes);
        tear_down(&u);
    }
}

TEST(keys_that_matter_change_the_answer)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct set_up u = set_up(i);
        uint32_t n = u.request->n_context;
        json_t *keys = iam_why_keys(&u.policies, u.request), *item, *value;
        struct buf text = { 0 };
        const char *key;
        size_t k;
        CHECK_INT((int)u.request->n_context, (int)n, "the request is as it was");
        json_array_foreach(keys, k, item)
        {
            buf_printf(&text, "%s=%s ", json_str(item, "Key"), json_str(item, "Decision"));
            struct set_up again = set_up(i);
            json_object_foreach(json_object_get(item, "With"), key, value)
            {
                iam_request_set_string(again.request, key, json_string_value(value));
            }
            const char *without = iam_decision_name(iam_decide(&again.policies, again.request, NULL));
            iam_request_set_string(again.request, json_str(item, "Key"), json_str(item, "Value"));
            const char *with = iam_decision_name(iam_decide(&again.policies, again.request, NULL));
            CHECK_STR(with, json_str(item, "Decision"), "case %zu, %s", i, json_str(item, "Key"));
            CHECK(strcmp(with, without) != 0, "case %zu: %s changes nothing", i, json_str(item, "Key"));
            tear_down(&again);
        }
        CHECK_STR(buf_str(&text), cases[i].keys, "case %zu", i);
        buf_done(&text);
        json_decref(keys);
        tear_down(&u);
    }
}

TEST_MAIN

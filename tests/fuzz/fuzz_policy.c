/* The first byte chooses: a policy of that type, or a batch line.  A policy that is refused is refused with a place;
 * one that parses decides the same with and without a record of what was looked at, and its spans lie in its text.  A
 * batch answers every line with one line of JSON. */
#include <time.h>
#include "tests/fuzz/fuzz.h"

#include "base/json.h"
#include "iampolicy/batch.h"
#include "iampolicy/explain.h"

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

static void
check_spans(const struct iam_policy *policy)
{
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        const struct iam_statement *s = &policy->statements[i];
        FUZZ_CHECK(s->span.start < s->span.end && s->span.end <= policy->text_size);
        FUZZ_CHECK(policy->text[s->span.start] == '{' && policy->text[s->span.end - 1] == '}');
        FUZZ_CHECK(s->line >= 1 && s->column >= 1 && s->end_line >= s->line);
        for (uint32_t k = 0; k < s->n_resources; k++) {
            FUZZ_CHECK(policy->text[s->resources[k].span.start] == '"');
        }
    }
    for (uint32_t i = 0; i < policy->n_findings; i++) {
        FUZZ_CHECK(policy->findings[i].span.end <= policy->text_size);
    }
}

static void
put_in(struct iam_policies *p, const struct iam_policy *policy)
{
    switch (policy->type) {
    case IAM_POLICY_BOUNDARY:
        p->has_boundary = true;
        *VEC_ADD(&p->boundary) = policy;
        break;
    case IAM_POLICY_SESSION:
        p->has_session = true;
        *VEC_ADD(&p->session) = policy;
        break;
    case IAM_POLICY_SCP:
    case IAM_POLICY_RCP: {
        struct iam_level *level = policy->type == IAM_POLICY_SCP ? VEC_ADD(&p->scp) : VEC_ADD(&p->rcp);
        level->entity = "r";
        *VEC_ADD(&level->policies) = policy;
        break;
    }
    case IAM_POLICY_ENDPOINT:
        p->via_endpoint = true;
        *VEC_ADD(&p->endpoint) = policy;
        break;
    case IAM_POLICY_IDENTITY:
        *VEC_ADD(&p->identity) = policy;
        break;
    default:
        *VEC_ADD(&p->resource) = policy;
        break;
    }
}

static void
decide_both_ways(const struct iam_policy *policy)
{
    static const char *const callers[] = { "arn:aws:iam::123456789012:user/bob",
                                           "arn:aws:sts::123456789012:assumed-role/app/run", "*anonymous*",
                                           "lambda.amazonaws.com" };
    struct iam_policies policies = { 0 };
    put_in(&policies, policy);
    for (size_t i = 0; i < 4; i++) {
        struct iam_request *r = iam_request_new();
        struct iam_result plain = { 0 }, traced = { .want_looks = true };
        iam_request_set_principal(r, as_text(callers[i]), NULL);
        iam_request_set_action(r, as_text(policy->type == IAM_POLICY_TRUST ? "sts:AssumeRole" : "s3:GetObject"), NULL);
        iam_request_set_resource(r, as_text(i % 2 ? "arn:aws:s3:::b/k" : "*"), as_text("123456789012"), true);
        iam_request_set_string(r, "aws:username", "bob");
        iam_request_set_string(r, "aws:SourceIp", "10.0.0.1");
        iam_request_set_context(r, as_text("aws:TagKeys"), (struct iam_text[]){ { "a", 1 }, { "b", 1 } }, 2, true);
        iam_decide(&policies, r, &plain);
        iam_decide(&policies, r, &traced);
        FUZZ_CHECK(plain.decision == traced.decision && plain.step == traced.step && plain.remarks == traced.remarks);
        FUZZ_CHECK(plain.matched.n == traced.matched.n && plain.blocked_by == traced.blocked_by);
        json_t *explanation = iam_explain(&policies, r, &traced);
        struct buf text = { 0 };
        iam_explain_text(explanation, &text);
        json_decref(explanation);
        buf_done(&text);
        iam_result_done(&plain);
        iam_result_done(&traced);
        iam_request_free(r);
    }
    iam_policies_done(&policies);
}

static void
answer_line(const char *text, size_t size, bool match)
{
    struct iam_batch *batch = iam_batch_new();
    struct buf first = { 0 }, second = { 0 };
    struct err err = { 0 };
    /* Twice: the second time documents are stepped over.  Within one second, as both ask what time it is. */
    for (time_t begin = 0; begin != time(NULL);) {
        begin = time(NULL);
        buf_clear(&first);
        buf_clear(&second);
        match ? iam_batch_match(batch, text, size, 1, &first) : iam_batch_decide(batch, text, size, 1, &first);
        match ? iam_batch_match(batch, text, size, 1, &second) : iam_batch_decide(batch, text, size, 1, &second);
    }
    FUZZ_CHECK(strcmp(buf_str(&first), buf_str(&second)) == 0);
    FUZZ_CHECK(first.size > 0 && strchr(first.data, '\n') == first.data + first.size - 1);
    json_t *answer = json_read(buf_str(&first), first.size, "answer", &err);
    /* An id is echoed as written, and may be a number that jansson cannot hold. */
    FUZZ_CHECK(answer || strstr(err.text, "number") || strstr(err.text, "integer"));
    json_decref(answer);
    buf_done(&first);
    buf_done(&second);
    iam_batch_free(batch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = { 0 };
    if (size < 1) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    unsigned mode = data[0] % 10;
    if (mode >= 8) {
        answer_line(text, size - 1, mode == 9);
        return 0;
    }
    struct iam_policy *policy = iam_policy_parse(text, size - 1, (enum iam_policy_type)mode, "fuzz", &err);
    if (!policy) {
        FUZZ_CHECK(err.kind == ERR_DOCUMENT && err.text[0] && err.line >= 1 && err.column >= 1);
        FUZZ_CHECK(strcmp(err.text, "this is not JSON") != 0); /* base/json.h refuses it too, and knows why */
        return 0;
    }
    FUZZ_CHECK(err.kind == ERR_NONE);
    check_spans(policy);
    iam_policy_check_storable(policy, &err);
    decide_both_ways(policy);
    iam_policy_free(policy);
    return 0;
}

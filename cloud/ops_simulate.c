/* cloud/ops_simulate.c - the verbs `simulate` and `why`: may this principal do that in this lab, and why?
 *
 * They ask everything the lab knows - the principal's policies, the resource's, the organization's - and fill in the
 * context AWS would.  `why` alone explains the last refusal in the lab, as it was decided then. */
#include <stdlib.h>
#include <string.h>

#include "cloud/denial.h"
#include "cloud/resource_word.h"
#include "cloud/sharing.h"
#include "cloud/simulation.h"
#include "cloud/simulator.h"
#include "iampolicy/explain.h"
#include "iampolicy/why.h"

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

/* A name or an ARN; a name is a user's, else a role's. */
static bool
resolve_principal(struct simulation *s, const char *text, struct err *err)
{
    const struct cloud *cloud = s->call->cloud;
    const struct iam_user *user = iam_find_user(cloud->accounts, cloud->account, text);
    const struct iam_role *role = user ? NULL : iam_find_role(cloud->accounts, cloud->account, text);
    if (user || role) {
        return iam_request_set_principal(s->request, as_text(user ? user->arn : role->arn), err);
    }
    if (strcmp(text, "root") == 0) {
        return iam_request_set_principal(s->request, as_text(cloud->account), err);
    }
    struct err found = { 0 };
    if (!iam_request_set_principal(s->request, as_text(text), &found)) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "there is no user or role `%.100s`", text);
        return err_hint(
            err, "`iam list-users` and `iam list-roles` list them; an ARN, a service or *anonymous* will do as well");
    }
    return true;
}

static bool
read_words(struct simulation *s, struct err *err)
{
    const json_t *pairs = json_object_get(s->call->in, "Context");
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const char *pair = json_string_value(json_array_get(pairs, i)), *equal = strchr(pair, '=');
        if (!equal || !memchr(pair, ':', (size_t)(equal - pair))) {
            err_set(err, ERR_USAGE, "", "`%.100s` is not a context key with its value", pair);
            err_hint(err,
                     "write it as aws:SourceIp=203.0.113.9; several values with commas make a list: aws:TagKeys=[a,b]");
            return err_at(err, "--context", 0, 0);
        }
        struct iam_text key = { pair, (uint32_t)(equal - pair) };
        size_t n = strlen(equal + 1);
        if (s->bent & SIMULATOR_NO_EMPTY_VALUES && (n == 0 || strcmp(equal + 1, "[]") == 0)) {
            continue;
        }
        if (equal[1] != '[' || equal[n] != ']') {
            struct iam_text value = as_text(equal + 1);
            iam_request_set_context(s->request, key, &value, 1, false);
            continue;
        }
        struct iam_text values[64];
        uint32_t count = 0;
        for (const char *p = equal + 2; n > 2 && p < equal + n && count < 64;) {
            size_t size = strcspn(p, ",]");
            values[count++] = (struct iam_text){ p, (uint32_t)size };
            p += size + 1;
        }
        iam_request_set_context(s->request, key, values, count, true);
    }
    return true;
}

static bool
simulate_words(struct simulation *s, struct err *err)
{
    const json_t *in = s->call->in;
    const struct cloud *cloud = s->call->cloud;
    if (!resolve_principal(s, arg_str(in, "Principal"), err) ||
        !iam_request_set_action(s->request, as_text(arg_str(in, "Action")), err)) {
        return false;
    }
    const char *action = s->request->action.s;
    const struct iam_action_info *info = iam_catalog_action(s->catalog, action);
    char *resource = resource_of_word(cloud, s->catalog, action, arg_str(in, "Resource"), err);
    if (!resource) {
        return false;
    }
    iam_request_set_resource(s->request, as_text(resource), as_text(""), !info || info->n_resources > 0);
    resource_tell_request(s->call->cloud, s->catalog, action, resource, s->request);
    bool ok = read_words(s, err) && iam_gather_identity(cloud->accounts, s->request, &s->gathered, err) &&
              sharing_gather(cloud, s->request, &s->gathered, err) &&
              iam_gather_resource(cloud->accounts, s->request, &s->gathered, err);
    if (ok) {
        iam_request_derive(s->request, IAM_DERIVE_PRINCIPAL | IAM_DERIVE_RESOURCE | IAM_DERIVE_CALL,
                           clock_now_ms(&cloud->clock), cloud->region);
        simulator_bend(s->bent, s->request, &s->gathered);
        s->result.want_looks = true;
        iam_decide(&s->gathered.policies, s->request, &s->result);
        json_t *explanation = s->why ? iam_why(&s->gathered.policies, s->request)
                                     : iam_explain(&s->gathered.policies, s->request, &s->result);
        if (!info) {
            const char *near = iam_catalog_nearest_action(s->catalog, s->request->action.s);
            char *text = xasprintf("`%s` is not an action of AWS%s%s%s", s->request->action.s,
                                   near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
            json_array_append_new(json_object_get(explanation, "Remarks"),
                                  json_pack("{s:s, s:s, s:s}", "Code", "UNKNOWN_ACTION", "Choice", "", "Text", text));
            free(text);
        }
        json_object_update(s->call->out, explanation);
        json_decref(explanation);
        s->call->no = s->result.decision != IAM_ALLOW;
    }
    free(resource);
    return ok;
}

static bool
simulate(struct op_call *call, struct err *err)
{
    return simulation_run(call, simulate_words, false, err);
}

/* Alone: the last refusal, as it was decided then. */
static bool
why_last(struct op_call *call, struct err *err)
{
    json_t *last = denial_last(call->cloud);
    if (!last) {
        err_set(err, ERR_INPUT, "", "nothing was refused in this lab yet");
        return err_hint(err, "ask about a request: why PRINCIPAL ACTION [RESOURCE]");
    }
    json_object_update(call->out, last);
    json_decref(last);
    call->no = true;
    return true;
}

static bool
why(struct op_call *call, struct err *err)
{
    if (!arg_str(call->in, "Principal")) {
        return why_last(call, err);
    }
    if (!arg_str(call->in, "Action")) {
        err_set(err, ERR_USAGE, "", "`why %.100s` lacks the action", arg_str(call->in, "Principal"));
        return err_hint(err, "why PRINCIPAL ACTION [RESOURCE], or `why` alone for the last refusal");
    }
    return simulation_run(call, simulate_words, true, err);
}

static void
why_text(const json_t *out, struct buf *text)
{
    if (json_str(out, "Operation")) {
        buf_printf(text, "%s was refused at %s (%s)\n", json_str(out, "Operation"), json_str(out, "EventTime"),
                   json_str(out, "ErrorCode"));
    }
    iam_why_text(out, text);
}

/* clang-format off */
#define QUESTION_PARAMS(needed)                                                                                                \
    { "Principal", OP_STRING, (needed) | OP_POSITIONAL,                                                             \
      "user or role by name or ARN, session ARN, service, root, *anonymous*", NULL, NULL, "principal" },               \
    { "Action", OP_STRING, (needed) | OP_POSITIONAL, "service:Action", NULL, NULL, "action" },                      \
    { "Resource", OP_STRING, OP_POSITIONAL,                                                                            \
      "ARN; bucket/key for S3; user, role, key, instance, VPC... by name, tag or id; any (`*`) if not given", NULL, NULL, "arn" },           \
    { "Context", OP_LIST, OP_OPTIONAL, "context keys as KEY=VALUE or KEY=[A,B]", NULL, NULL, "context" }
/* clang-format on */

static const struct op_param simulate_params[] = { QUESTION_PARAMS(OP_REQUIRED), SIMULATION_LIKE_AWS, { 0 } };
static const struct op_param why_params[] = { QUESTION_PARAMS(OP_OPTIONAL), { 0 } };

const struct op ops_simulate[] = {
    {
        .name = "simulate",
        .mode = OP_READ,
        .run = simulate,
        .help = "Show whether a principal may do something in this lab, the statement that decided and what came near.",
        .params = simulate_params,
        .text = iam_explain_text,
        .group = "ask",
        .examples = "simulate alice s3:GetObject my-bucket/reports/q3.csv\n"
                    "simulate app s3:PutObject my-bucket/x --context aws:SourceIp=203.0.113.9\n"
                    "simulate lambda.amazonaws.com sts:AssumeRole app   may the service take the role?\n"
                    "simulate app s3:GetObject my-bucket/x --like-aws   what would AWS's own simulator say?\n",
    },
    {
        .name = "why",
        .mode = OP_READ,
        .run = why,
        .help =
            "Show why a request is allowed or denied, the context keys that would change it and the smallest change "
            "of policies that would allow it; alone, why the last one was refused.",
        .params = why_params,
        .text = why_text,
        .group = "ask",
        .examples = "why alice s3:PutObject my-bucket/x\n"
                    "why   why was the last request refused?\n"
                    "why app ec2:StopInstances --context aws:MultiFactorAuthPresent=true\n",
    },
    { 0 },
};

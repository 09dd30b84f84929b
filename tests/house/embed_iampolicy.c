/* A program that embeds libiampolicy: one policy, one request, one decision.  Built with libiampolicy, libbase and jansson alone. */
#include <string.h>
#include "iampolicy/chain.h"

static struct iam_text
text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

int
main(void)
{
    static const char json[] = "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"arn:aws:s3:::photos/*\"}}";
    struct err err = { 0 };
    struct iam_policy *policy = iam_policy_parse(json, strlen(json), IAM_POLICY_IDENTITY, "readers", &err);
    struct iam_request *request = iam_request_new();
    struct iam_policies policies = { 0 };
    if (!policy || !iam_request_set_principal(request, text("arn:aws:iam::123456789012:user/ann"), &err) ||
        !iam_request_set_action(request, text("s3:GetObject"), &err)) {
        return 2;
    }
    iam_request_set_resource(request, text("arn:aws:s3:::photos/cat.jpg"), text("123456789012"), true);
    *VEC_ADD(&policies.identity) = policy;
    enum iam_decision decision = iam_decide(&policies, request, NULL);
    iam_policies_done(&policies);
    iam_request_free(request);
    iam_policy_free(policy);
    return decision == IAM_ALLOW ? 0 : 1;
}

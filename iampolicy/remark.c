#include "iampolicy/remark.h"

static const struct iam_remark_words words[] = {
    { "NOTPRINCIPAL_AMBIGUOUS", "C-6",
      "services may ask NotPrincipal for the account beside the user or role; with the strict reading the answer can "
      "differ" },
    { "MISSING_QUALIFIER", "C-11",
      "the request has several values for a key that is compared without ForAllValues or ForAnyValue, which does not "
      "match" },
    { "REQUEST_VALUE_TYPE", "C-12", "a request value is not of the operator's type and matches neither way" },
    { "POLICY_VALUE_TYPE", "", "no value in the policy is of the operator's type, so the condition never holds" },
    { "UNRESOLVED_NOTRESOURCE", "C-5", "a variable in NotResource has no value: an Allow does not apply, a Deny does" },
    { "NO_SESSION_POLICY", "C-16", "a federated user without a session policy has no permissions" },
    { "ACCOUNT_PRINCIPAL", "C-18",
      "naming the caller's own account in a resource policy leaves the decision to the identity policies" },
    { "RESOURCE_OWNER_ASSUMED", "",
      "the ARN does not say who owns the resource; it was taken to be the caller's account" },
    { "UNKNOWN_SERVICE", "", "the service is not in the table of services that support resource control policies" },
    { "SERVICE_GUARD", "", "the service refuses this whatever the policies say" },
};

const struct iam_remark_words *
iam_remark_at(size_t index)
{
    return index < sizeof words / sizeof *words ? &words[index] : NULL;
}

#include "iampolicy/service.h"

#include <string.h>
#include "iampolicy/request.h"

/* Services that resource control policies reach (OG: list of AWS services that support RCPs), in alphabetical order,
 * with the commonly asked ones they do not reach yet.  A service in neither list counts as reached: the list only
 * grows. */
static const struct iam_service services[] = {
    { "acm", false },
    { "aoss", true },
    { "apigateway", false },
    { "appconfig", true },
    { "appstream", true },
    { "autoscaling", true },
    { "cloudformation", false },
    { "cloudfront", false },
    { "cloudtrail", false },
    { "cloudwatch", false },
    { "codebuild", true },
    { "codecommit", true },
    { "cognito-identity", true },
    { "cognito-idp", true },
    { "comprehend", true },
    { "dax", true },
    { "dynamodb", true },
    { "ec2", false },
    { "ecr", true },
    { "ecs", false },
    { "eks", false },
    { "elasticloadbalancing", false },
    { "events", false },
    { "health", true },
    { "iam", false },
    { "kinesis", false },
    { "kinesisvideo", true },
    { "kms", true },
    { "lambda", false },
    { "logs", true },
    { "organizations", false },
    { "rds", false },
    { "route53", false },
    { "s3", true },
    { "s3express", true },
    { "secretsmanager", true },
    { "signin", true },
    { "sns", false },
    { "sqs", true },
    { "ssm", false },
    { "states", false },
    { "sts", true },
    { "support", true },
    { "textract", true },
    { "transcribe", true },
    { "translate", true },
};
static const struct iam_service unknown = { "", true };

const struct iam_service *
iam_service_find(const char *lower_prefix, uint32_t size)
{
    size_t low = 0, high = sizeof services / sizeof *services;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(services[middle].prefix, lower_prefix, size);
        if (order == 0 && services[middle].prefix[size]) {
            order = 1; /* the row is longer: "s3express" after "s3" */
        }
        if (order == 0) {
            return &services[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return &unknown;
}

static bool
is_service(const struct iam_request *request, const char *prefix)
{
    return strcmp(request->service->prefix, prefix) == 0;
}

/* The resource part of the requested ARN: what follows the fifth colon; "" for "*". */
static const char *
resource_part(const struct iam_request *request)
{
    const char *s = request->resource.s;
    for (int colons = 0; s && colons < 5; colons++) {
        s = strchr(s, ':');
        s = s ? s + 1 : NULL;
    }
    return s ? s : "";
}

static bool
begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
iam_is_assume_role(const struct iam_request *request)
{
    static const char *const actions[] = { "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity",
                                           "sts:tagsession", "sts:setsourceidentity" };
    if (!is_service(request, "sts")) {
        return false;
    }
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (iam_text_is(request->action_lower, actions[i])) {
            return begins(resource_part(request), "role/");
        }
    }
    return false;
}

bool
iam_resource_must_speak(const struct iam_request *request)
{
    if (is_service(request, "kms")) {
        return begins(resource_part(request), "key/");
    }
    return iam_is_assume_role(request);
}

/* Words that begin the names of IAM actions that only read (access levels List and Read of the service authorization
 * reference); every other action changes its resource. */
static bool
iam_action_reads(const char *name)
{
    static const char *const verbs[] = { "get", "list", "generate", "simulate" };
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (begins(name, verbs[i])) {
            return true;
        }
    }
    return false;
}

const char *
iam_service_guard(const struct iam_request *request)
{
    if (is_service(request, "iam") && !request->resource_all) {
        const char *resource = resource_part(request);
        if (iam_action_reads(request->action_lower.s + request->service_size + 1)) {
            return NULL;
        }
        if (begins(resource, "policy/") && resource - request->resource.s >= 4 && begins(resource - 4, "aws:")) {
            return "an AWS managed policy cannot be changed";
        }
        if (begins(resource, "role/aws-reserved/")) {
            return "a role below /aws-reserved/ can only be changed by the service that owns it";
        }
    }
    if (is_service(request, "kms") && begins(resource_part(request), "alias/aws/")) {
        static const char *const actions[] = { "kms:createalias", "kms:updatealias", "kms:deletealias" };
        for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
            if (iam_text_is(request->action_lower, actions[i])) {
                return "an alias that begins with alias/aws/ belongs to an AWS managed key";
            }
        }
    }
    return NULL;
}

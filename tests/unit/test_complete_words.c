#include "cloud/complete_words.h"
#include "base/map.h"
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

static void
note(void *context, const char *text, const char *detail, bool more)
{
    free(map_get(context, text)); /* a global key may also be one of the service's */
    map_put(context, text, xasprintf("%s%s", detail, more ? "..." : ""));
}

static void
forget(struct map *found)
{
    size_t cursor = 0;
    const char *text;
    void *detail;
    while (map_next(found, &cursor, &text, &detail)) {
        free(detail);
    }
    map_done(found);
}

TEST(each_candidate_says_what_it_is)
{
    static char action[] = "s3:ListBucket", unknown[] = "s3:ListBuckit";
    static const struct {
        const char *words, *word, *candidate, *detail; /* NULL: not among them */
        char *before;
    } cases[] = {
        { "action", "s", "s3:", "Amazon S3...", NULL },
        { "action", "s3:", "s3:GetObject", "Read", NULL },
        { "action", "s3:", "s3:PutBucketPolicy", "Permissions management", NULL },
        { "action", "s4:", "s4:GetObject", NULL, NULL },
        { "action", "s3:", "ec2:RunInstances", NULL, NULL },
        { "context", "", "aws:SourceIp=", "IP address...", NULL },
        { "context", "", "aws:TagKeys=", "string, many values...", NULL },
        { "context", "", "aws:PrincipalTag/", "string...", NULL },
        { "context", "", "s3:prefix=", NULL, NULL },
        { "context", "", "s3:prefix=", "string...", action },
        { "context", "", "s3:prefix=", NULL, unknown },
        { "entry", "",
          "ContextKeyName=aws:TagKeys,ContextKeyType=stringList,ContextKeyValues=", "string, many values...", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *before[] = { cases[i].before };
        const struct complete_words what = {
            .words = cases[i].words, .word = cases[i].word, .n_before = cases[i].before != NULL, .before = before
        };
        struct map found = { 0 };
        complete_words(NULL, &what, note, &found);
        CHECK_STR(map_get(&found, cases[i].candidate), cases[i].detail, "%s", cases[i].candidate);
        forget(&found);
    }
}

TEST(the_lab_gives_its_principals_and_arns)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    json_decref(lab_run(cloud, "iam create-user --user-name alice", &err));
    json_decref(lab_run(cloud, "iam create-group --group-name staff", &err));
    json_decref(lab_run(cloud, "s3api create-bucket --bucket shop", &err));
    json_t *tgw = lab_run(cloud, "ec2 create-transit-gateway", &err),
           *share = lab_run(cloud, "ram create-resource-share --name hub --principals 111122223333", &err);
    const char *tgw_arn = json_string_value(json_at(tgw, "TransitGateway.TransitGatewayArn")),
               *share_arn = json_string_value(json_at(share, "resourceShare.resourceShareArn"));
    const struct {
        const char *words, *candidate, *detail;
    } cases[] = {
        { "shareable", tgw_arn, "transit-gateway" },
        { "share", share_arn, "hub" },
        { "invitation", share_arn, NULL },
        { "principal", "alice", "user" },
        { "principal", "staff", NULL }, /* a group does nothing itself */
        { "entity", "arn:aws:iam::123456789012:group/staff", "group" },
        { "role", "arn:aws:iam::123456789012:user/alice", NULL },
        { "policy", "arn:aws:iam::aws:policy/PowerUserAccess", "AWS's own policy" },
        { "policy", "arn:aws:iam::123456789012:user/alice", NULL },
        { "arn", "arn:aws:s3:::shop", "bucket..." },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct complete_words what = { .words = cases[i].words, .word = "" };
        struct map found = { 0 };
        complete_words(cloud, &what, note, &found);
        CHECK_STR(map_get(&found, cases[i].candidate), cases[i].detail, "%s", cases[i].candidate);
        forget(&found);
    }
    json_decref(tgw);
    json_decref(share);
    cloud_close(cloud);
}

TEST_MAIN

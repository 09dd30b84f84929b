#include "iampolicy/catalog/catalog.h"
#include "tests/test.h"

TEST(catalog_knows_actions_with_their_resources)
{
    struct iam_catalog *catalog = iam_catalog_new();
    static const struct {
        const char *action, *name, *level, *resource;
    } cases[] = {
        { "s3:GetObject", "GetObject", "Read", "object" },
        { "S3:getobject", "GetObject", "Read", "object" }, /* case does not count */
        { "s3:PutBucketPolicy", "PutBucketPolicy", "Permissions management", "bucket" },
        { "ec2:CreateTags", "CreateTags", "Tagging", "vpc" },
        { "s3:ListAllMyBuckets", "ListAllMyBuckets", "List", NULL }, /* no resource-level permission */
        { "s3:GetObjct", NULL, NULL, NULL },
        { "s4:GetObject", NULL, NULL, NULL },
        { "GetObject", NULL, NULL, NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct iam_action_info *action = iam_catalog_action(catalog, cases[i].action);
        CHECK_STR(action ? action->name : NULL, cases[i].name, "%s", cases[i].action);
        CHECK_STR(action ? iam_access_level_name(action->level) : NULL, cases[i].level, "%s", cases[i].action);
        bool found = false;
        for (size_t r = 0; action && cases[i].resource && r < action->n_resources; r++) {
            found |= strcmp(action->resources[r].type->name, cases[i].resource) == 0;
        }
        CHECK(found == (cases[i].resource != NULL), "%s has resource type %s", cases[i].action, cases[i].resource);
    }
    iam_catalog_free(catalog);
}

TEST(catalog_knows_condition_keys)
{
    struct iam_catalog *catalog = iam_catalog_new();
    static const struct {
        const char *key, *name;
        enum iam_key_kind kind;
        bool multivalued;
    } cases[] = {
        { "aws:SourceIp", "aws:SourceIp", IAM_KEY_IP, false },
        { "aws:sourceip", "aws:SourceIp", IAM_KEY_IP, false },
        { "aws:TagKeys", "aws:TagKeys", IAM_KEY_STRING, true },
        { "aws:RequestTag/team", "aws:RequestTag/${TagKey}", IAM_KEY_STRING, false },
        { "s3:prefix", "s3:prefix", IAM_KEY_STRING, false },
        { "ec2:Vpc", "ec2:Vpc", IAM_KEY_ARN, false },
        { "aws:Nothing", NULL, 0, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct iam_condition_key *key = iam_catalog_key(catalog, cases[i].key);
        CHECK_STR(key ? key->name : NULL, cases[i].name, "%s", cases[i].key);
        CHECK(!key || (key->kind == cases[i].kind && key->multivalued == cases[i].multivalued), "%s", cases[i].key);
    }
    iam_catalog_free(catalog);
}

TEST(catalog_finds_the_nearest_action)
{
    struct iam_catalog *catalog = iam_catalog_new();
    static const struct {
        const char *typed, *nearest;
    } cases[] = {
        { "s3:GetObjct", "s3:GetObject" },
        { "s3:getobjects", "s3:GetObject" },
        { "ec2:RunInstence", "ec2:RunInstances" },
        { "dynamodbb:GetItem", "dynamodb:GetItem" },
        { "s3:Zzzzzzzz", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_STR(iam_catalog_nearest_action(catalog, cases[i].typed), cases[i].nearest, "%s", cases[i].typed);
    }
    iam_catalog_free(catalog);
}

TEST(catalog_arn_fits_its_template)
{
    static const struct {
        const char *arn, *template_arn;
        bool fits;
    } cases[] = {
        { "arn:aws:s3:::b", "arn:${Partition}:s3:::${BucketName}", true },
        { "arn:aws:s3:::b/k", "arn:${Partition}:s3:::${BucketName}", false },
        { "arn:aws:s3:::b/k/l", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", true },
        { "arn:aws:iam::1:role/a/b", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", true },
        { "arn:aws:iam::1:user/a", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", false },
        { "arn:aws:ec2:r:1:vpc/", "arn:${Partition}:ec2:${Region}:${Account}:vpc/${VpcId}", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK(iam_arn_fits(cases[i].arn, cases[i].template_arn) == cases[i].fits, "%s in %s", cases[i].arn,
              cases[i].template_arn);
    }
}

TEST(catalog_reads_every_service)
{
    struct iam_catalog *catalog = iam_catalog_new();
    size_t n_actions = 0;
    for (size_t i = 0; i < iam_catalog_n_services(); i++) {
        const struct iam_service_info *service = iam_catalog_service(catalog, iam_catalog_service_prefix(i));
        CHECK(service != NULL, "%s", iam_catalog_service_prefix(i));
        for (size_t a = 0; service && a < service->n_actions; a++) {
            char name[256];
            snprintf(name, sizeof name, "%s:%s", service->prefix, service->actions[a].name);
            CHECK(iam_catalog_action(catalog, name) == &service->actions[a], "%s is found by name", name);
        }
        n_actions += service ? service->n_actions : 0;
    }
    CHECK(n_actions > 15000, "%zu actions", n_actions);
    iam_catalog_free(catalog);
}

TEST_MAIN

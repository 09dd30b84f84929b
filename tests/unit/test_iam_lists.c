/* Lists of IAM: which entities and policies each filter leaves. */
#include "tests/test.h"
#include "tests/unit/lab_story.h"

#define DOCUMENT                                                                                                       \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}"
#define TRUST                                                                                                          \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"                     \
    "\"ec2.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"
#define P "arn:aws:iam::123456789012:policy/"
#define DO(line)                                                                                                       \
    {                                                                                                                  \
        line, "", ""                                                                                                   \
    }
#define ENTITIES(options) "iam list-entities-for-policy --policy-arn " P "team/p " options
#define NAMES             " --query [PolicyGroups[].GroupName,PolicyUsers[].UserName,PolicyRoles[].RoleName]"
#define POLICIES          " --query Policies[].PolicyName"
#define ATTACHED          " --query AttachedPolicies[].PolicyName"

TEST(lists_are_filtered)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    static const struct step steps[] = {
        DO("iam create-policy --policy-name p --path /team/ --policy-document " DOCUMENT),
        DO("iam create-policy --policy-name q --path /team/web/ --policy-document " DOCUMENT),
        DO("iam create-policy --policy-name r --policy-document " DOCUMENT),
        DO("iam create-group --group-name g"),
        DO("iam create-user --user-name ann --path /x/"),
        DO("iam create-user --user-name ben --permissions-boundary " P "team/p"),
        DO("iam create-user --user-name eve --permissions-boundary " P "team/p"),
        DO("iam create-user --user-name zoe"),
        DO("iam create-role --role-name ro --path /x/ --assume-role-policy-document " TRUST),
        DO("iam attach-group-policy --group-name g --policy-arn " P "team/p"),
        DO("iam attach-user-policy --user-name ann --policy-arn " P "team/p"),
        DO("iam attach-user-policy --user-name eve --policy-arn " P "team/p"),
        DO("iam attach-role-policy --role-name ro --policy-arn " P "team/p"),
        DO("iam attach-user-policy --user-name ann --policy-arn " P "team/web/q"),
        DO("iam attach-user-policy --user-name ann --policy-arn " P "r"),
        DO("iam put-role-permissions-boundary --role-name ro --permissions-boundary " P "r"),
        /* who has it, for either use: each once */
        { ENTITIES("") NAMES, "", "[[\"g\"],[\"ann\",\"ben\",\"eve\"],[\"ro\"]]" },
        { ENTITIES("--policy-usage-filter PermissionsPolicy") NAMES, "", "[[\"g\"],[\"ann\",\"eve\"],[\"ro\"]]" },
        { ENTITIES("--policy-usage-filter PermissionsBoundary") NAMES, "", "[[],[\"ben\",\"eve\"],[]]" },
        { ENTITIES("--entity-filter Group") NAMES, "", "[[\"g\"],[],[]]" },
        { ENTITIES("--entity-filter User") NAMES, "", "[[],[\"ann\",\"ben\",\"eve\"],[]]" },
        { ENTITIES("--entity-filter Role") NAMES, "", "[[],[],[\"ro\"]]" },
        { ENTITIES("--entity-filter Robot") NAMES, "ValidationError", "Robot" },
        { ENTITIES("--path-prefix /x/") NAMES, "", "[[],[\"ann\"],[\"ro\"]]" },
        { ENTITIES("--entity-filter User --path-prefix /x/") NAMES, "", "[[],[\"ann\"],[]]" },
        { ENTITIES("--max-items 2"), "", "\"IsTruncated\":true" },
        { ENTITIES("--max-items 2") NAMES, "", "[[\"g\"],[\"ann\"],[]]" },
        { ENTITIES("--max-items 2 --marker 2") NAMES, "", "[[],[\"ben\",\"eve\"],[]]" },
        { ENTITIES("--marker x"), "ValidationError", "`x` is not a marker" },
        { "iam list-entities-for-policy --policy-arn " P "none", "NoSuchEntity", P "none" },
        /* which are used, and how */
        { "iam list-policies --scope Local" POLICIES, "", "[\"p\",\"q\",\"r\"]" },
        { "iam list-policies --scope Local --path-prefix /team/web/" POLICIES, "", "[\"q\"]" },
        { "iam list-policies --scope Local --policy-usage-filter PermissionsBoundary" POLICIES, "", "[\"p\",\"r\"]" },
        { "iam list-policies --scope Local --policy-usage-filter PermissionsPolicy" POLICIES, "",
          "[\"p\",\"q\",\"r\"]" },
        { "iam list-attached-user-policies --user-name ann" ATTACHED, "", "[\"p\",\"q\",\"r\"]" },
        { "iam list-attached-user-policies --user-name ann --path-prefix /team/" ATTACHED, "", "[\"p\",\"q\"]" },
        { "iam list-attached-user-policies --user-name ann --path-prefix /team/web/" ATTACHED, "", "[\"q\"]" },
        { "iam list-attached-user-policies --user-name ann --path-prefix /team/web" ATTACHED, "ValidationError",
          "/team/web" },
        { "iam list-attached-user-policies --user-name ann --path-prefix /team/web/deep/" ATTACHED, "", "[]" },
        DO("iam detach-user-policy --user-name ann --policy-arn " P "r"),
        { "iam list-policies --scope Local --policy-usage-filter PermissionsPolicy" POLICIES, "", "[\"p\",\"q\"]" },
        { "iam list-policies --scope Local --only-attached" POLICIES, "", "[\"p\",\"q\"]" },
        /* groups of a user, and the account as a whole */
        DO("iam add-user-to-group --user-name ann --group-name g"),
        { "iam list-groups-for-user --user-name ann --query Groups[].GroupName", "", "[\"g\"]" },
        { "iam list-groups-for-user --user-name zoe --query Groups[].GroupName", "", "[]" },
        { "iam list-groups-for-user --user-name nobody", "NoSuchEntity", "nobody" },
        { "iam get-account-authorization-details --filter Role --query "
          "[length(UserDetailList),length(GroupDetailList),length(RoleDetailList),length(Policies)]",
          "", "[0,0,1,0]" },
        { "iam get-account-authorization-details --filter User Group --query "
          "[length(UserDetailList),length(GroupDetailList),length(RoleDetailList),length(Policies)]",
          "", "[4,1,0,0]" },
        { "iam get-account-authorization-details --filter LocalManagedPolicy --query "
          "[length(UserDetailList),length(Policies)]",
          "", "[0,3]" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST_MAIN

/* Resource shares: whom each association reaches, and how invitations end. */
#include "iampolicy/share.h"
#include "tests/test.h"

#define TGW    "arn:aws:ec2:us-east-1:111111111111:transit-gateway/tgw-1"
#define ARN(n) "arn:aws:ram:us-east-1:111111111111:resource-share/" n
#define DAY    INT64_C(86400000)

/* Account 1 is the management account, 2 is below the unit, 3 right below the root, 4 somewhere else. */
static const char organization[] =
    "\"Organizations\": [{\"Id\": \"o-1\", \"Arn\": \"arn:aws:organizations::111111111111:organization/o-1\","
    " \"FeatureSet\": \"ALL\", \"RamSharing\": %s, \"OwnerId\": \"111111111111\"}],"
    "\"Roots\": [{\"Id\": \"r-1\", \"Name\": \"Root\", \"OwnerId\": \"111111111111\"}],"
    "\"OrganizationalUnits\": [{\"Id\": \"ou-1\", \"Name\": \"U\", \"ParentId\": \"r-1\", \"OwnerId\": "
    "\"111111111111\"}],"
    "\"Accounts\": [{\"Id\": \"111111111111\", \"Name\": \"m\", \"ParentId\": \"r-1\", \"OwnerId\": \"111111111111\"},"
    " {\"Id\": \"222222222222\", \"Name\": \"a\", \"ParentId\": \"ou-1\", \"OwnerId\": \"111111111111\"},"
    " {\"Id\": \"333333333333\", \"Name\": \"b\", \"ParentId\": \"r-1\", \"OwnerId\": \"111111111111\"}]";

static struct id_gen ids;
static struct clock now;

static struct iam_accounts *
accounts_of(char *json)
{
    struct err err = { 0 };
    json_t *saved = json_read(json, strlen(json), "test", &err);
    struct iam_accounts *accounts = iam_accounts_new(&ids, &now);
    REQUIRE(saved && iam_accounts_load(accounts, saved, "test", &err), "%s %s", err.where, err.text);
    json_decref(saved);
    free(json);
    return accounts;
}

static struct iam_accounts *
share_with(const char *sharing, const char *state, const char *link_state, const char *principal, const char *more)
{
    char *tree = xasprintf(organization, sharing);
    struct iam_accounts *accounts = accounts_of(xasprintf(
        "{%s, \"ResourceShares\": [{\"shareId\": \"s1\", \"resourceShareArn\": \"" ARN(
            "s1") "\", \"name\": \"s\", \"status\": \"%s\","
                  " \"OwnerId\": \"111111111111\", \"Region\": \"us-east-1\", \"associations\": ["
                  "{\"associatedEntity\": \"" TGW "\", \"associationType\": \"RESOURCE\", \"status\": \"ASSOCIATED\"},"
                  "{\"associatedEntity\": \"%s\", \"associationType\": \"PRINCIPAL\", \"status\": \"%s\"%s}]}]}",
        tree, state, principal, link_state, more));
    free(tree);
    return accounts;
}

TEST(an_association_reaches_whom_it_names)
{
    static const char org[] = "arn:aws:organizations::111111111111:organization/o-1";
    static const char unit[] = "arn:aws:organizations::111111111111:ou/o-1/ou-1";
    static const struct {
        const char *sharing, *state, *link_state, *principal, *more, *reached; /* which of accounts 1 to 4 */
    } cases[] = {
        { "true", "ACTIVE", "ASSOCIATED", org, "", "23" }, /* never its own owner */
        { "true", "ACTIVE", "ASSOCIATED", unit, "", "2" },
        { "false", "ACTIVE", "ASSOCIATED", org, "", "" },
        { "true", "ACTIVE", "ASSOCIATED", "arn:aws:organizations::111111111111:ou/o-1/ou-2", "", "" },
        { "true", "ACTIVE", "ASSOCIATED", "333333333333", ", \"byOrganization\": true", "3" },
        { "false", "ACTIVE", "ASSOCIATED", "333333333333", ", \"byOrganization\": true", "" },
        { "false", "ACTIVE", "ASSOCIATED", "333333333333", "", "3" }, /* by an invitation */
        { "true", "ACTIVE", "ASSOCIATED", "444444444444", ", \"external\": true", "4" },
        { "true", "ACTIVE", "ASSOCIATED", "444444444444", ", \"byOrganization\": true", "" }, /* has left */
        { "true", "ACTIVE", "ASSOCIATING", "444444444444", ", \"external\": true", "" },
        { "true", "ACTIVE", "DISASSOCIATED", "444444444444", ", \"external\": true", "" },
        { "true", "DELETED", "ASSOCIATED", "444444444444", ", \"external\": true", "" },
    };
    static const char *const accounts_list[] = { "111111111111", "222222222222", "333333333333", "444444444444" };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct iam_accounts *accounts =
            share_with(cases[i].sharing, cases[i].state, cases[i].link_state, cases[i].principal, cases[i].more);
        char reached[8] = "";
        for (size_t k = 0; k < 4; k++) {
            if (ram_is_shared(accounts, TGW, accounts_list[k])) {
                strncat(reached, accounts_list[k], 1);
            }
        }
        CHECK_STR(reached, cases[i].reached, "case %zu: %s %s", i, cases[i].principal, cases[i].more);
        CHECK(!ram_is_shared(accounts, "arn:aws:ec2:us-east-1:111111111111:transit-gateway/tgw-2", "333333333333"));
        iam_accounts_free(accounts);
    }
}

TEST(an_invitation_waits_a_week)
{
    static const struct {
        const char *saved;
        int64_t after;
        const char *status;
    } cases[] = {
        { "PENDING", 0, "PENDING" },          { "PENDING", 7 * DAY - 1, "PENDING" }, { "PENDING", 7 * DAY, "EXPIRED" },
        { "ACCEPTED", 30 * DAY, "ACCEPTED" }, { "REJECTED", 30 * DAY, "REJECTED" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ram_invitation one = { .status = (char *)cases[i].saved, .sent = 1000 };
        CHECK_STR(ram_invitation_status(&one, 1000 + cases[i].after), cases[i].status, "case %zu", i);
    }
}

TEST(shares_are_saved_and_read_back)
{
    struct iam_accounts *accounts =
        share_with("true", "ACTIVE", "ASSOCIATED", "333333333333", ", \"byOrganization\": true");
    struct ram_share *share = ram_share_find(accounts, ARN("s1"));
    REQUIRE(share);
    object_set_tag(&share->obj, "team", "net");
    json_t *saved = json_object();
    for (size_t i = 0; iam_account_kinds[i]; i++) {
        json_object_set_new(saved, iam_account_kinds[i]->list, store_save_kind(accounts->store, iam_account_kinds[i]));
    }
    struct iam_accounts *again = iam_accounts_new(&ids, &now);
    struct err err = { 0 };
    CHECK(iam_accounts_load(again, saved, "test", &err), "%s %s", err.where, err.text);
    json_t *second = store_save_kind(again->store, &ram_share_kind);
    CHECK(json_equal(json_object_get(saved, ram_share_kind.list), second));
    share = ram_share_find(again, ARN("s1"));
    CHECK_STR(share ? object_tag(&share->obj, "team") : "", "net");
    CHECK(ram_is_shared(again, TGW, "333333333333"));
    CHECK(ram_share_find(again, ARN("s2")) == NULL);
    json_decref(saved);
    json_decref(second);
    iam_accounts_free(accounts);
    iam_accounts_free(again);
}

TEST_MAIN

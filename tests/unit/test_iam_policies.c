/* tests/policies/NAME/: policies as a user writes them, beside the requests asked and the answers expected.  The form
 * is that of `vpclab policy test` (iampolicy/table.h). */
#include "tests/test.h"

#include <glob.h>
#include <stdlib.h>
#include "cloud/policy_test.h"

TEST(policies_decide_as_written)
{
    struct iam_table table = { 0 };
    struct err err = { 0 };
    glob_t folders;
    glob("tests/policies/*", GLOB_ONLYDIR, NULL, &folders);
    for (size_t i = 0; i < folders.gl_pathc; i++) {
        policy_test_file(&table, folders.gl_pathv[i], &err);
        CHECK_OK(&err, "%s", folders.gl_pathv[i]);
    }
    for (size_t i = 0; i < table.rows.n; i++) {
        const struct iam_table_row *row = &table.rows.items[i];
        CHECK(!row->problem, "%s:%d: %s: %s", row->where, row->line, row->name, row->problem);
    }
    CHECK(table.rows.n > 0, "there are cases");
    printf("%zu requests in %zu folders\n", table.rows.n, folders.gl_pathc);
    iam_table_done(&table);
    globfree(&folders);
}

static struct iam_table_policies *
allow_read(struct err *err)
{
    static const char text[] = "{\"Version\":\"2012-10-17\",\"Statement\":{\"Sid\":\"Read\",\"Effect\":\"Allow\","
                               "\"Action\":\"s3:Get*\",\"Resource\":\"*\"}}";
    struct iam_table_policies *policies = iam_table_policies_new();
    iam_table_add_policy(policies, "identity.json", text, sizeof text - 1, "identity.json", err);
    return policies;
}

TEST(a_row_that_differs_says_how)
{
    static const struct {
        const char *line, *problem;
    } cases[] = {
        { "-> allowed", NULL },
        { "-> allowed by Read at allowed", NULL },
        { "aws:UserAgent=\"a b\" -> allowed", NULL },
        { "-> explicitDeny", "expected explicitDeny, decided allowed" },
        { "-> allowed by Write", "expected allowed by Write, decided by Read" },
        { "-> allowed by Read,Write", "expected allowed by Read,Write, decided by Read" },
        { "-> allowed at identity", "expected allowed at identity, decided at allowed" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct iam_table table = { 0 };
        struct iam_table_policies *policies = allow_read(&err);
        char *user = xasprintf("arn:aws:iam::123456789012:user/u s3:GetObject arn:aws:s3:::b/k %s\n", cases[i].line);
        CHECK(iam_table_run_text(&table, policies, user, strlen(user), "t", &err), "%s: %s", cases[i].line, err.text);
        REQUIRE(table.rows.n == 1, "%s", cases[i].line);
        CHECK_STR(table.rows.items[0].problem ? table.rows.items[0].problem : "",
                  cases[i].problem ? cases[i].problem : "", "%s", cases[i].line);
        CHECK(!cases[i].problem == !table.rows.items[0].decision, "%s has its decision", cases[i].line);
        free(user);
        iam_table_done(&table);
        iam_table_policies_free(policies);
    }
}

TEST(a_line_that_is_no_request_is_named_with_its_place)
{
    static const struct {
        const char *text;
        int line, column;
    } cases[] = {
        { "# x\n\nu s3:GetObject", 3, 1 },
        { "arn:aws:iam::123456789012:user/u GetObject * -> allowed", 1, 34 },
        { "nobody s3:GetObject * -> allowed", 1, 1 },
        { "*anonymous* s3:GetObject * key -> allowed", 1, 28 },
        { "*anonymous* s3:GetObject * -> maybe", 1, 31 },
        { "*anonymous* s3:GetObject * -> allowed for fun", 1, 39 },
        { "*anonymous* s3:GetObject * aws:a=\"b -> allowed", 1, 28 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct iam_table table = { 0 };
        struct iam_table_policies *policies = iam_table_policies_new();
        CHECK(!iam_table_run_text(&table, policies, cases[i].text, strlen(cases[i].text), "t.txt", &err), "%s",
              cases[i].text);
        CHECK_INT(err.line, cases[i].line, "%s: %s", cases[i].text, err.text);
        CHECK_INT(err.column, cases[i].column, "%s: %s", cases[i].text, err.text);
        CHECK_STR(err.where, "t.txt", "%s", cases[i].text);
        iam_table_done(&table);
        iam_table_policies_free(policies);
    }
}

TEST(the_name_of_a_policy_says_its_kind)
{
    static const char text[] = "{\"Version\":\"2012-10-17\",\"Statement\":[]}";
    static const struct {
        const char *file;
        enum err_kind kind;
    } cases[] = { { "identity-a.json", ERR_NONE },
                  { "scp-1-root.json", ERR_NONE },
                  { "scp-0.json", ERR_USAGE },
                  { "scp-2-ou.json", ERR_USAGE },
                  { "notes.json", ERR_USAGE } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct iam_table_policies *policies = iam_table_policies_new();
        iam_table_add_policy(policies, cases[i].file, text, sizeof text - 1, cases[i].file, &err);
        CHECK_INT((int)err.kind, (int)cases[i].kind, "%s: %s", cases[i].file, err.text);
        iam_table_policies_free(policies);
    }
}

TEST(json_cases_bring_their_policies)
{
    static const char one[] =
        "{\"id\": \"a\", \"request\": {\"principal\": \"123456789012\", \"action\": \"s3:GetObject\", "
        "\"resource\": {\"arn\": \"*\"}}, \"policies\": {}, \"expect\": {\"decision\": \"%s\"}}";
    static const struct {
        const char *form, *decision;
        size_t rows, failed;
        int line;
    } cases[] = {
        { "%s", "allowed", 1, 0, 0 },
        { "[\n%s\n]", "implicitDeny", 1, 1, 0 },
        { "%s\n\n{\"id\": 1}", "allowed", 1, 0, 3 },
        { "[\n  {\"id\": 1}, %s]", "allowed", 0, 0, 2 },
        { "%s", "perhaps", 0, 0, 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct iam_table table = { 0 };
        char item[400], text[500];
        snprintf(item, sizeof item, one, cases[i].decision);
        snprintf(text, sizeof text, cases[i].form, item);
        iam_table_run_json(&table, text, strlen(text), "c.json", &err);
        CHECK_INT(err.line, cases[i].line, "%s: %s", text, err.text);
        CHECK_INT((int)table.rows.n, (int)cases[i].rows, "%s", text);
        CHECK_INT((int)table.n_failed, (int)cases[i].failed, "%s", text);
        iam_table_done(&table);
    }
}

TEST_MAIN

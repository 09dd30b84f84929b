/* Requests and matches as lines: an answer is one line of JSON, whatever the line asked. */
#include "iampolicy/batch.h"
#include "tests/test.h"

#include <stdlib.h>

TEST(an_answer_is_one_line_with_the_id_as_given)
{
    static const struct {
        const char *line, *id;
    } cases[] = {
        { "{\"id\": 7}", "{\"id\": 7," },
        { "{\"id\": \"a\\nb\"}", "{\"id\": \"a\\nb\"," },
        { "{\"id\": [1,\n 2]}", "{\"id\": [1,  2]," },
        { "{\"id\": {\r\n}}", "{\"id\": {  }," },
        { "{}", "{\"id\": null," },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct iam_batch *batch = iam_batch_new();
        struct buf out = { 0 };
        CHECK(!iam_batch_decide(batch, cases[i].line, strlen(cases[i].line), 1, &out), "%s", cases[i].line);
        CHECK(strncmp(buf_str(&out), cases[i].id, strlen(cases[i].id)) == 0, "%s: %s", cases[i].line, buf_str(&out));
        CHECK(strchr(buf_str(&out), '\n') == out.data + out.size - 1, "%s: %s", cases[i].line, buf_str(&out));
        buf_done(&out);
        iam_batch_free(batch);
    }
}

#define STATEMENT(sid, effect, action)                                                                                 \
    "{\"Version\":\"2012-10-17\",\"Statement\":{\"Sid\":\"" sid "\",\"Effect\":\"" effect "\",\"Action\":\"" action    \
    "\",\"Resource\":\"*\"}}"
#define NAMED(name, document) "{\"name\":\"" name "\",\"document\":" document "}"
#define READS                 STATEMENT("reads", "Allow", "s3:Get*")
#define WRITES                STATEMENT("write", "Allow", "s3:Put*") /* as long as READS */
#define NEVER                 STATEMENT("never", "Deny", "s3:*")

/* One policy text may stand under several names and in several sets, and another may be as long: what the batch
 * remembers of earlier lines changes no answer. */
TEST(what_a_batch_remembers_changes_no_answer)
{
    static const struct {
        const char *policies, *answer; /* a part of it */
    } cases[] = {
        { "\"identity\":[" NAMED("aa", READS) "]", "\"SourcePolicyId\": \"aa\"" },
        { "\"identity\":[" NAMED("aa", READS) "]", "\"SourcePolicyId\": \"aa\"" },
        { "\"identity\":[" NAMED("bb", READS) "]", "\"SourcePolicyId\": \"bb\"" },
        { "\"identity\":[" NAMED("aa", WRITES) "]", "\"implicitDeny\"" },
        { "\"identity\":[" NAMED("aa", READS) "," NAMED("bb", READS) "]", "\"SourcePolicyId\": \"bb\"" },
        { "\"identity\":[" NAMED("bb", READS) "],\"permissionsBoundary\":[" NAMED("bb", READS) "]", "\"allowed\"" },
        { "\"identity\":[" NAMED("bb", READS) "],\"permissionsBoundary\":[" NAMED("bb", WRITES) "]",
          "\"blockedBy\": [\"permissionsBoundary\"]" },
        { "\"identity\":[" NAMED("bb", READS) "],\"session\":[" NAMED("bb", NEVER) "]", "\"explicitDeny\"" },
        { "\"identity\":[" NAMED("bb", NEVER) "],\"session\":[" NAMED("bb", READS) "]",
          "\"SourcePolicyType\": \"identity\"" },
        { "\"identity\":[" NAMED("bb", READS) "]", "\"allowed\"" },
    };
    struct iam_batch *batch = iam_batch_new();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct iam_batch *fresh = iam_batch_new();
        struct buf out = { 0 }, alone = { 0 };
        char *line =
            xasprintf("{\"id\":1,\"request\":{\"principal\":\"arn:aws:iam::123456789012:user/u\",\"action\":"
                      "\"s3:GetObject\",\"resource\":{\"arn\":\"arn:aws:s3:::b/k\",\"account\":\"123456789012\"}},"
                      "\"policies\":{%s}}",
                      cases[i].policies);
        CHECK(iam_batch_decide(batch, line, strlen(line), 1, &out), "case %zu: %s", i, buf_str(&out));
        CHECK(iam_batch_decide(fresh, line, strlen(line), 1, &alone), "case %zu: %s", i, buf_str(&alone));
        CHECK_STR(buf_str(&out), buf_str(&alone), "case %zu", i);
        CHECK(strstr(buf_str(&alone), cases[i].answer), "case %zu: %s", i, buf_str(&alone));
        free(line);
        buf_done(&out);
        buf_done(&alone);
        iam_batch_free(fresh);
    }
    iam_batch_free(batch);
}

TEST_MAIN

/* Every case of ../shared/vectors/iam through the batch forms: `iam decide` and `iam match`.
 *
 * Cases without a caveat must agree, and so must those whose caveat still leaves AWS's answer clear.  The others are
 * counted; docs/EVALUATION.md explains the differences.  Agreement is on the decision, and on blockedBy where the case
 * states it. */
#include "tests/test.h"

#include <glob.h>
#include "base/json.h"
#include "iampolicy/batch.h"

#define VECTORS "../shared/vectors/iam/"

struct score {
    size_t agree, differ, caveat_agree, caveat_differ;
};

static bool
must_agree(const json_t *item)
{
    static const char *const binding[] = { "recheck", "unknown-action", "service-guard", "request-pattern" };
    size_t i;
    json_t *caveat;
    json_array_foreach(json_object_get(item, "caveats"), i, caveat)
    {
        bool known = false;
        for (size_t j = 0; j < ARRAY_SIZE(binding); j++) {
            known |= strcmp(json_string_value(caveat), binding[j]) == 0;
        }
        if (!known) {
            return false;
        }
    }
    return true;
}

static bool
agrees(const json_t *item, const json_t *answer)
{
    const json_t *expect = json_object_get(item, "expect");
    if (!expect) {
        return json_equal(json_object_get(answer, "result"), json_object_get(item, "expected"));
    }
    const json_t *blocked_by = json_object_get(expect, "blockedBy");
    return json_equal(json_object_get(answer, "decision"), json_object_get(expect, "decision")) &&
           (!blocked_by || json_equal(json_object_get(answer, "blockedBy"), blocked_by));
}

static void
ask(struct iam_batch *batch, const json_t *item, struct score *score)
{
    struct buf answer = { 0 };
    struct err err = { 0 };
    char *text = json_dumps(item, JSON_COMPACT);
    if (json_object_get(item, "request")) {
        iam_batch_decide(batch, text, strlen(text), 1, &answer);
    } else {
        iam_batch_match(batch, text, strlen(text), 1, &answer);
    }
    json_t *got = json_read(buf_str(&answer), answer.size, "answer", &err);
    bool same = CHECK_OK(&err, "%s", json_str(item, "id")) && agrees(item, got);
    if (must_agree(item)) {
        CHECK(same, "%s %s %s: %s", json_str(item, "id"), json_str(item, "name") ? json_str(item, "name") : "",
              json_str(item, "operator") ? json_str(item, "operator") : "", buf_str(&answer));
        same ? score->agree++ : score->differ++;
    } else {
        same ? score->caveat_agree++ : score->caveat_differ++;
    }
    json_decref(got);
    free(text);
    buf_done(&answer);
}

static void
ask_files(const char *pattern, struct score *score)
{
    glob_t found = { 0 };
    struct iam_batch *batch = iam_batch_new();
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct err err = { 0 };
        json_t *cases = json_read_file(found.gl_pathv[i], &err), *item;
        size_t j;
        CHECK_OK(&err, "%s", found.gl_pathv[i]);
        json_array_foreach(cases, j, item)
        {
            ask(batch, item, score);
        }
        json_decref(cases);
    }
    iam_batch_free(batch);
    globfree(&found);
}

static void
run(const char *what, const char *const *patterns, size_t n)
{
    struct score score = { 0 };
    for (size_t i = 0; i < n; i++) {
        ask_files(patterns[i], &score);
    }
    if (score.agree + score.differ == 0) {
        TEST_SKIP("no cases below %s", VECTORS);
    }
    printf("%s: %zu of %zu agree; with a caveat %zu of %zu\n", what, score.agree, score.agree + score.differ,
           score.caveat_agree, score.caveat_agree + score.caveat_differ);
}

TEST(decisions_agree)
{
    static const char *const patterns[] = { VECTORS "iam-simulate/*.json", VECTORS "aws-doc/*.json" };
    run("decisions", patterns, ARRAY_SIZE(patterns));
}

TEST(conditions_and_elements_agree)
{
    static const char *const patterns[] = { VECTORS "conditions/*.json", VECTORS "elements/*.json" };
    run("conditions and elements", patterns, ARRAY_SIZE(patterns));
}

TEST_MAIN

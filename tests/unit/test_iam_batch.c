/* Requests and matches as lines: an answer is one line of JSON, whatever the line asked. */
#include "iampolicy/batch.h"
#include "tests/test.h"

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

TEST_MAIN

#include "base/trace.h"

#include <stdlib.h>
#include "tests/test.h"

static struct trace *
example(void)
{
    struct trace *trace = trace_new();
    trace_note(trace, TRACE_INFO, "from %s", "web");
    trace_open(trace, "network ACL `%s`", "acl-1");
    trace_subject(trace, "acl-1");
    trace_note(trace, TRACE_NO, "rule %d denies", 100);
    trace_place(trace, "acl.json", 7, 18);
    trace_note(trace, TRACE_WARN, "never reached");
    trace_close(trace, TRACE_NO);
    trace_note(trace, TRACE_YES, "after");
    return trace;
}

TEST(trace_prints_as_text)
{
    struct trace *trace = example();
    char *text = trace_text(trace);
    CHECK_STR(text, "   from web\n"
                    "NO network ACL `acl-1`\n"
                    "  NO rule 100 denies (acl.json 7:18)\n"
                    "  !  never reached\n"
                    "ok after\n");
    free(text);
    trace_free(trace);
}

TEST(trace_prints_as_json)
{
    struct trace *trace = example();
    json_t *json = trace_json(trace);
    struct buf text = { 0 };
    json_write_compact(json, &text);
    CHECK_STR(buf_str(&text),
              "[{\"verdict\":\"info\",\"text\":\"from web\"},"
              "{\"verdict\":\"no\",\"text\":\"network ACL `acl-1`\",\"subject\":\"acl-1\",\"children\":["
              "{\"verdict\":\"no\",\"text\":\"rule 100 denies\",\"where\":\"acl.json\",\"line\":7,\"column\":18},"
              "{\"verdict\":\"warn\",\"text\":\"never reached\"}]},"
              "{\"verdict\":\"yes\",\"text\":\"after\"}]");
    buf_done(&text);
    json_decref(json);
    trace_free(trace);
}

TEST(trace_of_nobody_does_nothing)
{
    trace_open(NULL, "x");
    trace_note(NULL, TRACE_YES, "x");
    trace_place(NULL, "x", 1, 1);
    trace_subject(NULL, "x");
    trace_close(NULL, TRACE_NO);
    trace_free(NULL);

    /* More closes than opens, and places before the first node, do no harm. */
    struct trace *trace = trace_new();
    trace_place(trace, "x", 1, 1);
    trace_close(trace, TRACE_NO);
    char *text = trace_text(trace);
    CHECK_STR(text, "");
    free(text);
    trace_free(trace);
}

TEST_MAIN

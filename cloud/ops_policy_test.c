/* cloud/ops_policy_test.c - `policy test`: tables of requests with expected decisions, for people and for CI.
 *
 * Asks nothing of the lab.  Prints text, the Test Anything Protocol (version 14, https://testanything.org) or JUnit's
 * XML; the answer is no when one row differs. */
#include <stdlib.h>
#include <string.h>

#include "cloud/op.h"
#include "cloud/policy_test.h"
#include "cloud/xml_text.h"
#include "iampolicy/explain.h"

static bool
policy_test(struct op_call *call, struct err *err)
{
    const json_t *files = json_object_get(call->in, "Files");
    const char *format = arg_str(call->in, "Format");
    struct iam_table table = { 0 };
    json_t *cases = json_array();
    for (size_t i = 0; i < json_array_size(files) && !err->kind; i++) {
        policy_test_file(&table, json_string_value(json_array_get(files, i)), err);
    }
    for (size_t i = 0; i < table.rows.n && !err->kind; i++) {
        const struct iam_table_row *row = &table.rows.items[i];
        json_t *item = json_pack("{s:s, s:i, s:s, s:b}", "File", row->where, "Line", row->line, "Name", row->name,
                                 "Passed", (int)!row->problem);
        if (row->problem) {
            json_object_set_new(item, "Problem", json_string(row->problem));
            json_object_set(item, "Why", row->decision);
        }
        json_array_append_new(cases, item);
    }
    json_object_set_new(call->out, "Format", json_string(format ? format : "text"));
    json_object_set_new(call->out, "Passed", json_integer((json_int_t)(table.rows.n - table.n_failed)));
    json_object_set_new(call->out, "Failed", json_integer((json_int_t)table.n_failed));
    json_object_set_new(call->out, "Cases", cases);
    call->no = table.n_failed > 0;
    iam_table_done(&table);
    return !err->kind;
}

/* ---- formats ---- */

/* Every line of 'text' behind 'margin'. */
static void
indent(const char *margin, const char *text, struct buf *out)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        buf_printf(out, n ? "%s%.*s\n" : "\n", margin, (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static char *
why(const json_t *item)
{
    struct buf text = { 0 };
    iam_explain_text(json_object_get(item, "Why"), &text);
    return buf_steal(&text);
}

static void
print_text(const json_t *out, struct buf *text)
{
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(out, "Cases"), i, item)
    {
        if (json_flag(item, "Passed", false)) {
            continue;
        }
        char *reason = why(item);
        buf_printf(text, "%s:%lld: %s\n    %s\n", json_str(item, "File"), json_int(item, "Line", 0),
                   json_str(item, "Problem"), json_str(item, "Name"));
        indent("    ", reason, text);
        buf_char(text, '\n');
        free(reason);
    }
    buf_printf(text, "%lld passed, %lld failed\n", json_int(out, "Passed", 0), json_int(out, "Failed", 0));
}

/* A '#' begins a directive in TAP, a backslash takes that away. */
static void
put_tap(const char *name, struct buf *text)
{
    for (; *name; name++) {
        if (*name == '#' || *name == '\\') {
            buf_char(text, '\\');
        }
        buf_char(text, *name == '\n' || *name == '\r' ? ' ' : *name);
    }
}

static void
print_tap(const json_t *out, struct buf *text)
{
    const json_t *cases = json_object_get(out, "Cases"), *item;
    size_t i;
    buf_printf(text, "TAP version 14\n1..%zu\n", json_array_size(cases));
    json_array_foreach(cases, i, item)
    {
        bool passed = json_flag(item, "Passed", false);
        buf_printf(text, "%sok %zu - %s:%lld ", passed ? "" : "not ", i + 1, json_str(item, "File"),
                   json_int(item, "Line", 0));
        put_tap(json_str(item, "Name"), text);
        buf_char(text, '\n');
        if (!passed) {
            char *reason = why(item);
            json_t *message = json_string(json_str(item, "Problem"));
            char *quoted = json_dumps(message, JSON_ENCODE_ANY); /* a JSON string is a YAML string */
            buf_printf(text, "  ---\n  message: %s\n  why: |\n", quoted);
            indent("    ", reason, text);
            buf_str_add(text, "  ...\n");
            free(quoted);
            json_decref(message);
            free(reason);
        }
    }
}

static void
print_junit(const json_t *out, struct buf *text)
{
    const json_t *cases = json_object_get(out, "Cases"), *item;
    size_t i;
    buf_str_add(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    buf_printf(text, "<testsuites>\n  <testsuite name=\"vpclab policy test\" tests=\"%zu\" failures=\"%lld\">\n",
               json_array_size(cases), json_int(out, "Failed", 0));
    json_array_foreach(cases, i, item)
    {
        bool passed = json_flag(item, "Passed", false);
        buf_str_add(text, "    <testcase classname=\"");
        xml_text(text, json_str(item, "File"));
        buf_printf(text, "\" line=\"%lld\" name=\"", json_int(item, "Line", 0));
        xml_text(text, json_str(item, "Name"));
        buf_str_add(text, passed ? "\"/>\n" : "\">\n      <failure message=\"");
        if (!passed) {
            char *reason = why(item);
            xml_text(text, json_str(item, "Problem"));
            buf_str_add(text, "\">");
            xml_text(text, reason);
            buf_str_add(text, "</failure>\n    </testcase>\n");
            free(reason);
        }
    }
    buf_str_add(text, "  </testsuite>\n</testsuites>\n");
}

static void
print(const json_t *out, struct buf *text)
{
    static const struct {
        const char *name;
        void (*print)(const json_t *out, struct buf *text);
    } formats[] = { { "text", print_text }, { "tap", print_tap }, { "junit", print_junit } };
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (strcmp(json_str(out, "Format"), formats[i].name) == 0) {
            formats[i].print(out, text);
        }
    }
}

static const struct op_param policy_test_params[] = {
    { "Files", OP_LIST, OP_REQUIRED | OP_POSITIONAL,
      "requests with decisions: plain text with its policies beside it, a directory with requests.txt, or .json", NULL,
      NULL },
    { "Format", OP_STRING, OP_OPTIONAL, "how the outcome is printed", NULL, "text tap junit" },
    { 0 },
};

const struct op ops_policy_test[] = {
    {
        .name = "policy test",
        .mode = OP_LOCAL,
        .run = policy_test,
        .help = "Ask the requests of files and compare the decisions with those expected; exit status 1 if one "
                "differs.",
        .params = policy_test_params,
        .text = print,
        .group = "ask",
        .examples = "policy test buckets/requests.txt           the policies are buckets/*.json\n"
                    "policy test cases.json --format junit      decision cases with their policies\n",
    },
    { 0 },
};

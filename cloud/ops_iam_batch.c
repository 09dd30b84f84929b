/* cloud/ops_iam_batch.c - `iam decide --batch` and `iam match --batch`: questions as JSON lines, answers as JSON lines.
 *
 * Answers are written as lines are read, so that a batch of any length needs the memory of one line.  The deciding is
 * iampolicy/batch; these verbs ask nothing of the lab.  A wrong line is answered with its error and is no failure of
 * the batch. */
#include "cloud/op.h"
#include "cloud/batch_lines.h"
#include "iampolicy/batch.h"

static void
decide_line(void *batch, const char *text, size_t size, int line, struct buf *out)
{
    iam_batch_decide(batch, text, size, line, out);
}

static void
match_line(void *batch, const char *text, size_t size, int line, struct buf *out)
{
    iam_batch_match(batch, text, size, line, out);
}

static bool
run_batch(struct op_call *call, batch_line_fn *answer, struct err *err)
{
    struct iam_batch *batch = iam_batch_new();
    bool ok = batch_lines(arg_str(call->in, "Batch"), answer, batch, err);
    iam_batch_free(batch);
    return ok;
}

static bool
decide(struct op_call *call, struct err *err)
{
    return run_batch(call, decide_line, err);
}

static bool
match(struct op_call *call, struct err *err)
{
    return run_batch(call, match_line, err);
}

/* The answers are out already. */
static void
no_text(const json_t *out, struct buf *text)
{
    (void)out;
    (void)text;
}

static const struct op_param batch_params[] = {
    { "Batch", OP_PATH, OP_REQUIRED | OP_STDIN, "JSON lines from a file or `-`, one question each", NULL, NULL },
    { 0 },
};

const struct op ops_iam_batch[] = {
    {
        .name = "iam decide",
        .mode = OP_LOCAL,
        .run = decide,
        .help = "Decide requests under the policies beside them, one JSON question a line, one answer a line.",
        .params = batch_params,
        .text = no_text,
        .group = "ask",
        .examples = "iam decide --batch cases.jsonl      {\"id\", \"request\", \"policies\"} a line\n",
    },
    {
        .name = "iam match",
        .mode = OP_LOCAL,
        .run = match,
        .help = "Ask single conditions and elements whether they match, one JSON question a line.",
        .params = batch_params,
        .text = no_text,
        .group = "ask",
        .examples =
            "iam match --batch facts.jsonl       {\"id\", \"operator\", \"key\", \"policyValues\", ...} a line\n",
    },
    { 0 },
};

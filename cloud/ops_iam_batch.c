/* cloud/ops_iam_batch.c - `iam decide --batch` and `iam match --batch`: questions as JSON lines, answers as JSON lines.
 *
 * Answers are written as lines are read, so that a batch of any length needs the memory of one line.  The deciding is
 * iampolicy/batch; these verbs ask nothing of the lab.  A wrong line is answered with its error and is no failure of
 * the batch. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/op.h"
#include "iampolicy/batch.h"

typedef bool batch_answer(struct iam_batch *batch, const char *text, size_t size, int line, struct buf *out);

enum { LINE_LIMIT = 64 << 20, OUT_SIZE = 64 << 10 };

static bool
is_blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n') {
            return false;
        }
    }
    return true;
}

static bool
flush(struct buf *out, struct err *err)
{
    bool written = fwrite(out->data ? out->data : "", 1, out->size, stdout) == out->size && fflush(stdout) == 0;
    buf_clear(out);
    return written || err_set(err, ERR_MACHINE, "", "cannot write the answers: %s", strerror(errno));
}

/* An interactive reader sees each answer at once; a file goes out in blocks. */
static bool
answer_lines(FILE *in, const char *path, batch_answer *answer, struct err *err)
{
    struct iam_batch *batch = iam_batch_new();
    struct buf out = { 0 };
    char *text = NULL;
    size_t cap = 0;
    ssize_t size;
    bool ok = true;
    bool at_once = in == stdin;
    for (int line = 1; ok && (size = getline(&text, &cap, in)) >= 0; line++) {
        if (is_blank(text, (size_t)size)) {
            continue;
        }
        if (size > LINE_LIMIT) {
            ok = err_set(err, ERR_DOCUMENT, "", "line %d is longer than %d MiB", line, LINE_LIMIT >> 20);
            break;
        }
        size -= text[size - 1] == '\n';
        answer(batch, text, (size_t)size, line, &out);
        if (out.size >= OUT_SIZE || (at_once && out.size >= 4096)) {
            ok = flush(&out, err);
        }
    }
    if (ok && ferror(in)) {
        ok = err_set(err, ERR_MACHINE, "", "cannot read `%s`: %s", path, strerror(errno));
    }
    ok = flush(&out, err) && ok;
    free(text);
    buf_done(&out);
    iam_batch_free(batch);
    return ok;
}

static bool
run_batch(struct op_call *call, batch_answer *answer, struct err *err)
{
    const char *path = arg_str(call->in, "Batch");
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!in) {
        err_set(err, ERR_MACHINE, "", "cannot read `%s`: %s", path, strerror(errno));
        return err_at(err, "--batch", 0, 0);
    }
    bool ok = answer_lines(in, path, answer, err);
    if (in != stdin) {
        fclose(in);
    }
    return ok;
}

static bool
decide(struct op_call *call, struct err *err)
{
    return run_batch(call, iam_batch_decide, err);
}

static bool
match(struct op_call *call, struct err *err)
{
    return run_batch(call, iam_batch_match, err);
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

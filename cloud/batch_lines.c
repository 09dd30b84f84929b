#include "cloud/batch_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
answer_lines(FILE *in, const char *path, batch_line_fn *answer, void *context, struct err *err)
{
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
        answer(context, text, (size_t)size, line, &out);
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
    return ok;
}

bool
batch_lines(const char *path, batch_line_fn *answer, void *context, struct err *err)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!in) {
        err_set(err, ERR_MACHINE, "", "cannot read `%s`: %s", path, strerror(errno));
        return err_at(err, "--batch", 0, 0);
    }
    bool ok = answer_lines(in, path, answer, context, err);
    if (in != stdin) {
        fclose(in);
    }
    return ok;
}

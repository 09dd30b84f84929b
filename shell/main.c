/* shell/main.c - the program: one command from the words given. */
#include <stdio.h>
#include <string.h>
#include "cloud/op.h"

static int
fail(const struct err *err)
{
    fprintf(stderr, "vpclab: error: %s%s%s%s%s%s\n", err->where, err->where[0] ? ": " : "", err->text, err->code[0] ? " [" : "", err->code,
            err->code[0] ? "]" : "");
    if (err->hint[0]) {
        fprintf(stderr, "hint: %s\n", err->hint);
    }
    return err_exit_status(err);
}

int
main(int argc, char **argv)
{
    struct err err = { 0 };
    struct op_result result = { 0 };
    struct buf text = { 0 };
    const char *format = NULL, *query = NULL;
    struct cloud_options options = { 0 };
    int n = 0;
    for (int i = 1; i < argc; i++) {
        if (i + 1 < argc && strcmp(argv[i], "--output") == 0) {
            format = argv[++i];
        } else if (i + 1 < argc && strcmp(argv[i], "--query") == 0) {
            query = argv[++i];
        } else if (i + 1 < argc && strcmp(argv[i], "--lab") == 0) {
            options.lab = argv[++i];
        } else {
            argv[n++] = argv[i];
        }
    }
    size_t n_words = 0;
    struct cloud *cloud = NULL;
    json_t *in = NULL;
    const struct op *op = op_find((size_t)n, argv, &n_words, &err);
    bool done = op && (cloud = cloud_open(&options, &err)) &&
                (in = op_read_argv(op, cloud, (size_t)n - n_words, argv + n_words, &err)) &&
                op_call(cloud, op, in, NULL, &result, &err) && render(op, result.out, format, query, &text, &err);
    int status = done ? result.no : fail(&err);
    fwrite(buf_str(&text), 1, text.size, stdout);
    buf_done(&text);
    op_result_done(&result);
    json_decref(in);
    cloud_close(cloud);
    return status;
}

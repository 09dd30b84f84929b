/* tests/unit/cloud_lab.h - a throw-away lab and command lines on it, for tests of cloud/. */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "cloud/cloud.h"
#include "cloud/op.h"
#include "cloud/state.h"
#include "tests/test.h"

static struct cloud *
lab_open(struct err *err)
{
    return cloud_open(&(struct cloud_options){ .throw_away = true, .seed = 7 }, err);
}

/* A directory for a lab; remove_dir() takes both away. */
__attribute__((unused)) static char *
make_dir(void)
{
    const char *tmp = getenv("TMPDIR");
    char *path = xasprintf("%s/vpclab-test-XXXXXX", tmp ? tmp : "/tmp");
    REQUIRE(mkdtemp(path) != NULL);
    return path;
}

__attribute__((unused)) static void
remove_dir(char *path)
{
    lab_dir_remove(path, NULL);
    free(path);
}

/* Runs "ec2 create-vpc --cidr-block 10.0.0.0/16" (words by single spaces; 'x y' holds one together). The answer, NULL
 * with 'err'. */
__attribute__((unused)) static json_t *
lab_run(struct cloud *cloud, const char *line, struct err *err)
{
    char *copy = strdup(line), *words[64];
    size_t n = 0, n_words;
    for (char *p = copy; *p && n < 64;) {
        char end = *p == '\'' ? '\'' : ' ';
        words[n++] = end == '\'' ? ++p : p;
        p += strcspn(p, end == '\'' ? "'" : " ");
        if (*p) {
            *p++ = '\0';
        }
        p += strspn(p, " ");
    }
    struct op_result result = { 0 };
    const struct op *op = op_find(n, words, &n_words, err);
    json_t *in = op ? op_read_argv(op, n - n_words, words + n_words, err) : NULL;
    json_t *out = in && op_call(cloud, op, in, NULL, &result, err) ? json_incref(result.out) : NULL;
    op_result_done(&result);
    json_decref(in);
    free(copy);
    return out;
}

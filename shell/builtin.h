/* shell/builtin.h - the words of the shell itself: help, history, set, source, run ...
 *
 * What works on the lab is an operation (cloud/op.h); a built-in works on the session, the files of commands, or the
 * program.  One row gives its help, completion and manual entry.
 *
 * Used by: shell.h, help.h, man.h, completion.h */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

struct shell;

struct builtin {
    const char *name;
    const char *usage;    /* after the name: "FILE.lua [ARG]..." */
    const char *help;     /* one sentence */
    const char *examples; /* lines "command   explanation"; NULL */
    const char *group;    /* help by task, as struct op's */
    int raw_after;        /* words after this many operands belong to another program or command; -1: none */
    int min, max;         /* how many operands; max -1: any number */
    const char *paths;    /* for completion: "file": operands are paths; "principal": users, roles, sessions; NULL */
    int (*run)(struct shell *session, size_t n, char **operands); /* exit status; prints its own errors */
};
extern const struct builtin builtins[];               /* ends with a NULL name */
const struct builtin *builtin_find(const char *name); /* NULL if there is none */

/* shell/shell.h - commands carried out one after another on a lab: what a typed line, an argv and a file of commands
 * share.
 *
 * A session holds the open lab, the defaults (`set output table`), the variables and the last error.  It knows no
 * operation by name but `exec`, which `NODE command` is short for: everything else comes from the rows of cloud/op.h
 * and builtin.h.
 *
 * Uses: cloud/.   Used by: main.c, repl.h, builtin.c, completion.h */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/id.h"
#include "base/map.h"
#include "cloud/cloud.h"
#include "cloud/op.h"
#include "shell/line.h"
#include "shell/options.h"

/* DESIGN.md section 5; a signal's is 128 + its number. */
enum {
    STATUS_YES = 0,
    STATUS_NO = 1,
    STATUS_USAGE = 2,
    STATUS_DOCUMENT = 3,
    STATUS_REFUSED = 4,
    STATUS_MACHINE = 5,
    STATUS_FAULT = 70
};

struct shell {
    struct options options;                    /* of the program's own argv; strings borrowed from it */
    char *set_output, *set_color, *set_prompt; /* `set`; NULL: not set */
    char *set_as;                              /* `assume`; NULL: nobody was named */
    bool expanded;                             /* `set expanded on`: tables as records */
    bool stop_any;                             /* `set stop any`: a script stops at every status but 0 */
    bool interactive;                          /* at a prompt: words may be shortened */
    struct cloud *cloud;                       /* NULL until the first command that needs it */
    struct map variables;                      /* name -> char *, owned */
    char last_id[128];                         /* $_ */
    struct err last_error;
    bool hold_errors;   /* `expect`: errors are kept in last_error and not printed */
    bool keep_id;       /* NAME = command: a reading command's first id counts too */
    const char *script; /* the file whose command runs; NULL: none */
    int line;           /* of that command */
    int depth;          /* of files that run files */
    bool leave;         /* `exit` was said */
    int status;         /* of the last command */
};

void shell_init(struct shell *session, const struct options *options);
void shell_done(struct shell *session);

/* The lab, opened or read anew if another process changed it; NULL with 'err'. */
struct cloud *shell_cloud(struct shell *session, const struct options *options, struct err *err);

/* Who acts: --as of this command or of the program, else whom `assume` named, else NULL. */
const char *shell_as(const struct shell *session, const struct options *options);

/* One command in words, which are borrowed (the array is changed). Prints its answer or error; returns the exit status.
 */
int shell_run(struct shell *session, size_t n, char **words);

/* One command read from a line: the same with its variable, pipe, file or host's command. */
int shell_run_command(struct shell *session, struct line_command *command);

/* All commands of a text.  'where' names it in errors, or NULL for a typed line.  Stops at the first status above 1. */
int shell_run_text(struct shell *session, const char *text, const char *where);

/* All commands of a file; "-" is standard input. */
int shell_run_file(struct shell *session, const char *path);

/* Prints the error with the session's place and colours, remembers it for $? and returns its exit status. */
int shell_fail(struct shell *session, const struct err *err, size_t n, char *const *words);

/* Prints a text of our own (help, manual, lists) as an answer. */
int shell_print(struct shell *session, const char *text);

/* The value of $name or $_; NULL if there is none. A line_lookup; 'session' is a struct shell. */
const char *shell_lookup(void *session, const char *name);
void shell_set(struct shell *session, const char *name, const char *value);

/* The operation or built-in that words begin with: one of the two is set, and *n_words says how many words it took.  At
 * a prompt unique prefixes are right.  "aws" in front is skipped by the caller. */
struct shell_verb {
    const struct op *op;
    const struct builtin *builtin;
    const char *node; /* the id of an instance: `NODE command` */
    size_t n_words;
};
bool shell_find(struct shell *session, size_t n, char *const *words, struct shell_verb *verb, struct err *err);

extern volatile sig_atomic_t shell_interrupted; /* the signal that came while a command ran: SIGINT, ... */

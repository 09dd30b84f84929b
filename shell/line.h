/* shell/line.h - what a person typed, taken apart into commands and words.
 *
 *     vpc = ec2 create-vpc --cidr-block 10.0.0.0/16     a variable keeps the new id
 *     ec2 describe-subnets | grep $vpc ; reach web db   a pipe to the host, a second command
 *     s3api put-bucket-policy --bucket b --policy <<END a value on the lines that follow
 *
 * Quoting is that of sh ('literal', "with $name", \x) without expansion of *, `...` or $(...).  A word that begins with
 * { or [, also after --option= , follows JSON's rules up to the matching bracket, newlines included.  $name, ${name}
 * and $_ are replaced outside single quotes and JSON; ${aws:username} and other text that is no variable name stays.
 * Commands are read one at a time, because a command may set the variable that the next one uses.
 *
 * Uses: base/.   Used by: shell.h, repl.h, completion.h */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/vec.h"

struct line_word {
    char *text;        /* quotes off, variables replaced */
    size_t start, end; /* the bytes of the input it came from */
    bool quoted;       /* some of it was quoted: never a variable name, an operator or a comment */
};

enum line_sink { LINE_PRINT, LINE_PIPE, LINE_FILE, LINE_APPEND };

struct line_command {
    char *variable; /* NAME = command; NULL otherwise */
    VEC(struct line_word) words;
    enum line_sink sink;
    char *target; /* LINE_PIPE: the host's command; LINE_FILE, LINE_APPEND: the path; else NULL */
    char *host;   /* "!command" for the host's shell: nothing else is set; else NULL */
    int line;     /* where the command begins, from 1 */
    char open;    /* tolerant reading only: the quote or bracket the input ends in, 0 if none */
};

/* The value of $name (without the $), borrowed; NULL if there is none. */
typedef const char *line_lookup(void *context, const char *name);

struct line_reader {
    const char *text;
    size_t size, at;
    int line;            /* from 1 */
    size_t heredoc_end;  /* where the text goes on after the heredocs of this line; 0: none */
    line_lookup *lookup; /* NULL: variables are replaced by nothing and none is unknown */
    void *context;
    bool tolerant;     /* for completion: what is left open counts as closed at the end */
    const char *where; /* names the text in errors: "setup.vpc"; NULL: none */
};

enum line_status {
    LINE_COMMAND, /* one more command */
    LINE_END,     /* no more */
    LINE_MORE,  /* the input ends inside a quote, bracket, heredoc or after a backslash: 'err' says where it was opened
                 */
    LINE_WRONG, /* it can never be right: 'err' (ERR_USAGE) says why */
};

void line_reader_init(struct line_reader *reader, const char *text, line_lookup *lookup, void *context);

/* Reads the next command.  'command' is filled only for LINE_COMMAND; the caller ends it with line_command_done(). */
enum line_status line_next(struct line_reader *reader, struct line_command *command, struct err *err);
void line_command_done(struct line_command *command);

/* Is the whole text complete?  LINE_END, LINE_MORE or LINE_WRONG; runs nothing and looks up nothing. */
enum line_status line_check(const char *text, struct err *err);

/* A word as it must be typed to be read back the same: quoted if it needs to be.  The caller frees it. */
char *line_quote(const char *text);

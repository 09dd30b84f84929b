/* shell/completion.h - what may come next on a line: the same answer for Tab, for `?` and for `vpclab complete`.
 *
 * Reads the rows and the open lab, and directories where a path is expected; changes nothing and asks nothing.
 *
 * Uses: line.h, shell.h.   Used by: repl.h, builtin.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/vec.h"
#include "shell/shell.h"

struct candidate {
    char *text; /* the whole word as it would stand, unquoted: "--cidr-block", "subnet-0a1b..", "file://policy.json" */
    char *detail;  /* help, type, Name tag; may be "" */
    bool required; /* an option that must be given */
    bool more;     /* the word goes on (a directory, "Name=", "s3:"): no blank after it */
};
struct completion {
    VEC(struct candidate) items;
    size_t start;     /* the byte where the word begins */
    char quote;       /* the quote it is in; 0: none */
    const char *what; /* what is expected, for `?`: "a subnet", "an option"; static */
};

/* What may stand at the end of 'line' ('size' bytes; the cursor is there). */
void completion_find(struct shell *session, const char *line, size_t size, struct completion *completion);
void completion_done(struct completion *completion);

/* The script for `eval "$(vpclab completion bash)"`. */
extern const char completion_bash[];

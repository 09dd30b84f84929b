/* shell/options.h - the options every command takes, before or after its words: --lab, --output, --query ...
 *
 * They are one table (global_options), from which they are parsed, completed and described.  An operation's own options
 * are not here: those come from its row.
 *
 * Used by: shell.h, help.h, completion.h, man.h */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

/* Strings are borrowed from the words they were read from (or, in a session's defaults, owned by the session). */
struct options {
    const char *lab, *region, *as, *output, *query;
    const char *color; /* "auto", "always", "never"; NULL: auto */
    bool no_pager, quiet, verbose, dry_run, no_rc, help, version;
};

struct global_option {
    const char *name;    /* without the dashes */
    char letter;         /* 0: none */
    const char *value;   /* what stands for its value in help: "DIR"; NULL: it takes none */
    const char *choices; /* "json table text record"; NULL: anything */
    const char *help;    /* NULL: accepted so that pasted `aws` lines work, and without meaning here */
    size_t offset;       /* in struct options: const char * if it has a value, else bool */
};
extern const struct global_option global_options[]; /* ends with a NULL name */

/* Takes the global options out of 'words' (which are borrowed; the array is changed) and puts them into 'options'.
 * Words from index 'end' on, and after a "--", are left alone.  ERR_USAGE for a missing or impossible value; 'words' is
 * then of no more use. */
bool options_take(struct options *options, size_t *n, char **words, size_t end, struct err *err);

/* Does this word name a global option?  *takes_value says whether the next word belongs to it ("--lab x", not
 * "--lab=x"). */
const struct global_option *global_option_find(const char *word, bool *takes_value);

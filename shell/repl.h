/* shell/repl.h - the prompt: readline, history, completion at the key.
 *
 * Uses: shell.h, completion.h, readline (only here).   Used by: main.c, builtin.c */
#pragma once
#include "base/buf.h"
#include "shell/shell.h"

/* Reads and runs lines until Ctrl-D or `exit`; the status of the last command. */
int repl_run(struct shell *session);

/* The lines kept, newest last: the last 'n', and only those that contain 'text' (NULL: all). Nothing without a prompt.
 */
void repl_history(size_t n, const char *text, struct buf *out);

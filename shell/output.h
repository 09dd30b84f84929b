/* shell/output.h - what goes to the terminal: answers through a pager, errors with their place, progress, pipes and
 * files.
 *
 * Answers go to standard output and everything else to standard error.  The content never depends on whether these are
 * terminals; colour, paging and progress do.
 *
 * Uses: options.h, line.h.   Used by: shell.h, repl.h, main.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/progress.h"
#include "shell/line.h"
#include "shell/options.h"

/* Colour on this descriptor: --color, NO_COLOR, TERM and whether it is a terminal. */
bool output_color(const struct options *options, int fd);

/* A verb's text with the verdict that leads a line in colour: the words carry the meaning, colour repeats it. */
void output_paint(const char *text, struct buf *out);

/* Writes an answer to standard output, through a pager when it is taller than the screen and everything allows it.
 * Returns false when the reader went away (EPIPE) or the disk is full; then errno says which. */
bool output_answer(const struct options *options, const char *text, size_t size);

/* Prints an error: place, what, [code]; the line of the document with ^~~~ under the place if it can be had; hint.
 * 'words' are the command's, where the text of a document given as an option's value is looked up; n may be 0.
 * 'script' and 'line' are where the command stands if it came from a file, else NULL and 0. */
void output_error(const struct options *options, const struct err *err, size_t n, char *const *words,
                  const char *script, int line);

/* A note on standard error; nothing with --quiet. */
void output_note(const struct options *options, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "[ 7/24] veth web" on a terminal once a call takes longer than 300 ms; with --verbose one line each elsewhere. */
struct output_progress {
    struct progress progress; /* give this to the call */
    const struct options *options;
    int64_t start_ms;
    bool shown;
};
void output_progress_init(struct output_progress *p, const struct options *options);
void output_progress_done(struct output_progress *p); /* erases the line */

/* Standard output turned into a pipe or a file while a command runs. */
struct output_sink {
    int saved; /* the real standard output; -1: none was turned */
    long pid;  /* of the host's command after |; 0: none */
};
bool output_sink_open(struct output_sink *sink, const struct line_command *command, struct err *err);
/* Back to what it was.  Returns the status of the host's command, 0 for a file. */
int output_sink_close(struct output_sink *sink);

/* Runs the host's shell on a command with the terminal; its exit status, 128 + signal when it was killed. */
int output_host(const char *command);

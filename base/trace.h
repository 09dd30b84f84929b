/* base/trace.h - the explanation tree: what was looked at, in order, and what each thing said.
 *
 * An evaluator that takes a 'struct trace *' adds nodes while it decides and decides the same with NULL; explaining is
 * evaluating aloud.  A node is a verdict, a short text in the user's words, and a place in the user's text. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/json.h"

enum trace_verdict { TRACE_INFO, TRACE_YES, TRACE_NO, TRACE_WARN };

struct trace;
struct trace *trace_new(void);
void trace_free(struct trace *trace);

/* trace_open begins a node under the one that is open now; what follows goes below it until trace_close, which may
 * change its verdict.  trace_note adds a leaf.  All do nothing when 'trace' is NULL. */
void trace_open(struct trace *trace, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_close(struct trace *trace, enum trace_verdict verdict);
void trace_note(struct trace *trace, enum trace_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds a place ("bucket.json" 7:18) or an id ("sg-0a1b") to the node added last. */
void trace_place(struct trace *trace, const char *where, int line, int column);
void trace_subject(struct trace *trace, const char *id);

/* The tree as JSON: [{"verdict":"no","text":..,"where":..,"line":..,"column":..,"subject":..,"children":[..]}]. */
json_t *trace_json(const struct trace *trace);
/* The tree as indented text, one node a line, "ok", "NO", "!" or " " first. The caller frees it. */
char *trace_text(const struct trace *trace);

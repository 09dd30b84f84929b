#include "base/trace.h"

#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "base/vec.h"

struct node {
    enum trace_verdict verdict;
    const char *text, *where, *subject;
    int line, column;
    struct node *parent, *first, *last, *next;
};
struct trace {
    struct arena *arena;
    struct node root;
    struct node *open;   /* what new nodes go below */
    struct node *latest; /* NULL before the first */
};

struct trace *
trace_new(void)
{
    struct trace *trace = xcalloc(1, sizeof *trace);
    trace->arena = arena_new();
    trace->open = &trace->root;
    return trace;
}

void
trace_free(struct trace *trace)
{
    if (trace) {
        arena_free(trace->arena);
        free(trace);
    }
}

static struct node *
add(struct trace *trace, enum trace_verdict verdict, const char *format, va_list args)
{
    struct buf text = { 0 };
    buf_vprintf(&text, format, args);
    struct node *node = arena_alloc(trace->arena, sizeof *node), *parent = trace->open;
    *node = (struct node){ .verdict = verdict, .parent = parent };
    node->text = arena_strndup(trace->arena, buf_str(&text), text.size);
    buf_done(&text);
    if (parent->last) {
        parent->last->next = node;
    } else {
        parent->first = node;
    }
    parent->last = node;
    trace->latest = node;
    return node;
}

void
trace_open(struct trace *trace, const char *format, ...)
{
    if (trace) {
        va_list args;
        va_start(args, format);
        trace->open = add(trace, TRACE_INFO, format, args);
        va_end(args);
    }
}

void
trace_close(struct trace *trace, enum trace_verdict verdict)
{
    if (trace && trace->open->parent) {
        trace->open->verdict = verdict;
        trace->open = trace->open->parent;
    }
}

void
trace_note(struct trace *trace, enum trace_verdict verdict, const char *format, ...)
{
    if (trace) {
        va_list args;
        va_start(args, format);
        add(trace, verdict, format, args);
        va_end(args);
    }
}

void
trace_place(struct trace *trace, const char *where, int line, int column)
{
    if (trace && trace->latest) {
        trace->latest->where = where ? arena_strdup(trace->arena, where) : NULL;
        trace->latest->line = line;
        trace->latest->column = column;
    }
}

void
trace_subject(struct trace *trace, const char *id)
{
    if (trace && trace->latest) {
        trace->latest->subject = id ? arena_strdup(trace->arena, id) : NULL;
    }
}

static json_t *
nodes_json(const struct node *first)
{
    static const char *const names[] = { "info", "yes", "no", "warn" };
    json_t *list = json_array();
    for (const struct node *node = first; node; node = node->next) {
        json_t *object = json_object();
        json_object_set_new(object, "verdict", json_string(names[node->verdict]));
        json_object_set_new(object, "text", json_string(node->text));
        if (node->where) {
            json_object_set_new(object, "where", json_string(node->where));
        }
        if (node->line > 0) {
            json_object_set_new(object, "line", json_integer(node->line));
            json_object_set_new(object, "column", json_integer(node->column));
        }
        if (node->subject) {
            json_object_set_new(object, "subject", json_string(node->subject));
        }
        if (node->first) {
            json_object_set_new(object, "children", nodes_json(node->first));
        }
        json_array_append_new(list, object);
    }
    return list;
}

json_t *
trace_json(const struct trace *trace)
{
    return nodes_json(trace ? trace->root.first : NULL);
}

static void
nodes_text(const struct node *first, int depth, struct buf *out)
{
    static const char *const marks[] = { "  ", "ok", "NO", "! " };
    for (const struct node *node = first; node; node = node->next) {
        buf_printf(out, "%*s%s %s", depth * 2, "", marks[node->verdict], node->text);
        if (node->where && node->line > 0) {
            buf_printf(out, " (%s %d:%d)", node->where, node->line, node->column);
        } else if (node->where) {
            buf_printf(out, " (%s)", node->where);
        } else if (node->line > 0) {
            buf_printf(out, " (%d:%d)", node->line, node->column);
        }
        buf_char(out, '\n');
        nodes_text(node->first, depth + 1, out);
    }
}

char *
trace_text(const struct trace *trace)
{
    struct buf out = { 0 };
    nodes_text(trace ? trace->root.first : NULL, 0, &out);
    return buf_steal(&out);
}

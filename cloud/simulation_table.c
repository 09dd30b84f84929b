/* cloud/simulation_table.c - the simulator's answer as a person reads it: a table of decisions, then for each the
 * statements that decided, line for line as the user wrote them, or those that came near. */
#include <stdio.h>
#include <string.h>

#include "cloud/simulation.h"
#include "iampolicy/explain.h"

enum { LINES_MAX = 12 }; /* of one statement */

/* The statement's own lines, from the text of its policy. */
static json_t *
lines_of(const struct iam_policy *policy, const struct iam_statement *statement)
{
    json_t *lines = json_array();
    const char *text = policy->text, *end = text + policy->text_size, *at = text;
    for (int line = 1; at < end && line <= statement->end_line; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *to = newline ? newline : end;
        if (line >= statement->line) {
            bool cr = to > at && to[-1] == '\r';
            json_array_append_new(lines, json_stringn(at, (size_t)(to - at) - cr));
        }
        at = newline ? newline + 1 : end;
    }
    return lines;
}

json_t *
simulation_told(const struct simulation *s)
{
    json_t *told = iam_explain(&s->gathered.policies, s->request, &s->result);
    json_t *list = json_array();
    bool deny = s->result.decision == IAM_EXPLICIT_DENY;
    for (size_t i = 0; i < s->result.matched.n && s->result.decision != IAM_IMPLICIT_DENY; i++) {
        const struct iam_look *look = &s->result.matched.items[i];
        if (look->statement->deny == deny) {
            json_array_append_new(list, json_pack("{s:s, s:s*, s:s, s:i, s:i, s:o}", "Policy", look->policy->name,
                                                  "Sid", look->statement->sid, "Effect", deny ? "Deny" : "Allow",
                                                  "Line", look->statement->line, "Column", look->statement->column,
                                                  "Lines", lines_of(look->policy, look->statement)));
        }
    }
    json_object_set_new(told, "Statements", list);
    return told;
}

static size_t
indent_of(const char *line)
{
    return strspn(line, " \t");
}

/* The lines with their numbers, without the indentation that all of them have. */
static void
print_lines(const json_t *statement, struct buf *text)
{
    const json_t *lines = json_object_get(statement, "Lines");
    size_t n = json_array_size(lines), least = 200;
    for (size_t i = 0; i < n; i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        size_t indent = line ? indent_of(line) : 0;
        least = line && line[indent] && indent < least ? indent : least;
    }
    for (size_t i = 0; i < n && i < LINES_MAX; i++) {
        const char *line = json_string_value(json_array_get(lines, i));
        size_t skip = line && strlen(line) > least ? least : 0;
        buf_printf(text, "  %5lld | %.160s\n", json_int(statement, "Line", 1) + (long long)i, line ? line + skip : "");
    }
    if (n > LINES_MAX) {
        buf_printf(text, "        | and %zu line%s more\n", n - LINES_MAX, plural((long long)(n - LINES_MAX)));
    }
}

static void
print_one(const json_t *told, struct buf *text)
{
    const json_t *item;
    size_t i;
    buf_printf(text, "\n%s on %s: %s, %s\n", json_str(told, "Action"), json_str(told, "Resource"),
               json_str(told, "Decision"), json_str(told, "Because"));
    json_array_foreach(json_object_get(told, "Statements"), i, item)
    {
        const char *sid = json_str(item, "Sid");
        buf_printf(text, "  %s:%lld:%lld  %s%s%s%s\n", json_str(item, "Policy"), json_int(item, "Line", 0),
                   json_int(item, "Column", 0), json_str(item, "Effect"), sid ? " `" : "", sid ? sid : "",
                   sid ? "`" : "");
        print_lines(item, text);
    }
    json_array_foreach(json_object_get(told, "NearMisses"), i, item)
    {
        buf_printf(text, "  %s:%lld:%lld  %s, but its %s does not match (%s)\n", json_str(item, "Policy"),
                   json_int(item, "Line", 0), json_int(item, "Column", 0), json_str(item, "Effect"),
                   json_str(item, "Fails"), json_str(item, "Layer"));
        buf_printf(text, "  %5lld | %s\n", json_int(item, "TextLine", 0), json_str(item, "Text"));
        buf_printf(text, "          wants  %s\n          has    %s\n", json_str(item, "Wants"), json_str(item, "Has"));
    }
    json_array_foreach(json_object_get(told, "MissingContextValues"), i, item)
    {
        buf_printf(text, "%s%s", i ? ", " : "  not in the request: ", json_string_value(item));
    }
    buf_str_add(text, json_array_size(json_object_get(told, "MissingContextValues")) ? "\n" : "");
}

/* Those of the actions on this page of the answer. */
static json_t *
on_page(const json_t *out)
{
    const json_t *results = json_object_get(out, "EvaluationResults"), *all = json_object_get(out, "Told");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *told = json_array_get(all, i);
        bool shown = false;
        for (size_t k = 0; k < json_array_size(results) && !shown; k++) {
            shown = strcmp(json_str(json_array_get(results, k), "EvalActionName"), json_str(told, "Action")) == 0;
        }
        if (shown) {
            json_array_append(list, told);
        }
    }
    return list;
}

void
simulation_table(const json_t *out, struct buf *text)
{
    const json_t *item;
    json_t *list = on_page(out);
    size_t i, action = strlen("ACTION"), resource = strlen("RESOURCE");
    json_array_foreach(list, i, item)
    {
        size_t a = strlen(json_str(item, "Action")), r = strlen(json_str(item, "Resource"));
        action = a > action ? a : action;
        resource = r > resource ? r : resource;
    }
    buf_printf(text, "%-*s  %-*s  DECISION\n", (int)action, "ACTION", (int)resource, "RESOURCE");
    json_array_foreach(list, i, item)
    {
        buf_printf(text, "%-*s  %-*s  %s\n", (int)action, json_str(item, "Action"), (int)resource,
                   json_str(item, "Resource"), json_str(item, "Decision"));
    }
    json_array_foreach(list, i, item)
    {
        print_one(item, text);
    }
    json_array_foreach(json_object_get(out, "Remarks"), i, item)
    {
        buf_printf(text, "%sremark: %s\n", i ? "" : "\n", json_str(item, "Text"));
    }
    json_decref(list);
}

#include "shell/help.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "shell/options.h"

#define WIDTH 80

const struct help_task help_tasks[] = {
    { "build", "Build" },
    { "look", "Look" },
    { "ask", "Ask" },
    { "change", "Change" },
    { "lab", "The live lab" },
    { "learn", "Scenarios" },
    { "prompt", "The prompt and files of commands" },
    { NULL, NULL },
};

void
help_wrap(struct buf *out, const char *text, size_t indent, size_t column)
{
    for (bool first = true; *text; first = false) {
        size_t size = strcspn(text, " ");
        size_t shown = 0;
        for (size_t i = 0; i < size; i++) {
            shown += ((unsigned char)text[i] & 0xc0) != 0x80;
        }
        if (!first && column + 1 + shown > WIDTH) {
            buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            buf_char(out, ' ');
            column++;
        }
        buf_add(out, text, size);
        column += shown;
        text += size;
        text += strspn(text, " ");
    }
    buf_char(out, '\n');
}

/* A term and its explanation, in two columns. */
static void
entry(struct buf *out, const char *term, size_t column, const char *text)
{
    size_t size = strlen(term) + 2;
    buf_printf(out, "  %s", term);
    if (!text || !*text) {
        buf_char(out, '\n');
        return;
    }
    if (size + 2 > column) {
        buf_printf(out, "\n%*s", (int)column, "");
    } else {
        buf_printf(out, "%*s", (int)(column - size), "");
    }
    help_wrap(out, text, column, column);
}

/* tcp|udp|icmp where that is short. */
static bool
short_choices(const struct op_param_info *param, struct buf *out)
{
    size_t size = 0, n = 0;
    for (; param->choices && param->choices[n]; n++) {
        size += strlen(param->choices[n]) + 1;
    }
    if (n == 0 || n > 4 || size > 32) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s%s", i ? "|" : "", param->choices[i]);
    }
    return true;
}

static void
value_name(const struct op_param_info *param, struct buf *out)
{
    const char *name = param->positional ? param->option : NULL;
    if (!param->positional && short_choices(param, out)) {
        return;
    }
    if (!name && param->kind && *param->kind) { /* --source-group-id GROUP */
        size_t size = strlen(param->option);
        size -= size > 3 && strcmp(param->option + size - 3, "ids") == 0  ? 4
                : size > 2 && strcmp(param->option + size - 2, "id") == 0 ? 3
                                                                          : 0;
        const char *dash = memrchr(param->option, '-', size);
        for (name = dash ? dash + 1 : param->option; name < param->option + size; name++) {
            buf_char(out, (char)toupper((unsigned char)*name));
        }
        return;
    }
    if (!name) {
        static const struct {
            const char *type, *name;
        } names[] = {
            { "integer", "N" },       { "port", "PORT" },          { "number", "N" },
            { "structure", "JSON" },  { "JSON", "JSON" },          { "map", "KEY=VALUE" },
            { "path", "PATH" },       { "timestamp", "TIME" },     { "endpoint", "NODE" },
            { "address", "ADDRESS" }, { "protocol", "PROTOCOL" },  { "blob", "DATA" },
            { "words", "WORD" },      { "list of integers", "N" }, { "list of structures", "KEY=VALUE,..." }
        };
        name = "TEXT";
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            name = strcmp(names[i].type, param->type) == 0 ? names[i].name : name;
        }
    }
    for (; *name; name++) {
        buf_char(out, (char)toupper((unsigned char)*name));
    }
}

void
help_param(const struct op_param_info *param, struct buf *out)
{
    if (param->flag) {
        buf_printf(out, "--[no-]%s", param->option);
        return;
    }
    if (!param->positional) {
        buf_printf(out, "--%s ", param->option);
    }
    value_name(param, out);
    if (param->list && (!out->size || out->data[out->size - 1] != '.')) {
        buf_str_add(out, "...");
    }
}

void
help_usage(const struct op *op, struct buf *out)
{
    const struct op_param_info *params;
    size_t n = op_params(op, &params), shown = 0;
    buf_str_add(out, op_words(op));
    for (int pass = 0; pass < 3; pass++) { /* operands, required options, a few of the others */
        for (size_t i = 0; i < n; i++) {
            const struct op_param_info *p = &params[i];
            if ((pass == 0) != p->positional || (pass == 1 && !p->required) ||
                (pass == 2 && (p->required || shown++ >= 2))) {
                continue;
            }
            buf_str_add(out, p->required ? " " : " [");
            help_param(p, out);
            buf_str_add(out, p->required ? "" : "]");
        }
    }
    if (shown > 2) {
        buf_str_add(out, " [OPTION]...");
    }
}

static void
param_entry(const struct op_param_info *p, size_t column, struct buf *out)
{
    struct buf term = { 0 }, text = { 0 };
    buf_str_add(&term, p->positional ? "" : "    ");
    help_param(p, &term);
    if (p->help && p->help[0]) {
        buf_str_add(&text, p->help);
    } else {
        buf_str_add(&text, p->list ? "list" : p->type);
    }
    if (p->required && !p->positional) {
        buf_str_add(&text, ", required");
    }
    struct buf choices = { 0 };
    if (p->choices && !(short_choices(p, &choices) && !p->positional)) {
        buf_str_add(&text, ":");
        size_t i = 0;
        for (; p->choices[i] && i < 8; i++) {
            buf_printf(&text, "%s %s", i ? "," : "", p->choices[i]);
        }
        buf_str_add(&text, p->choices[i] ? ", ..." : "");
    }
    entry(out, buf_str(&term), column, buf_str(&text));
    buf_done(&choices);
    buf_done(&term);
    buf_done(&text);
}

/* "command   explanation" lines, the explanations under each other. */
static void
examples(const char *lines, struct buf *out)
{
    size_t widest = 0;
    for (const char *line = lines; *line;
         line += line[strcspn(line, "\n")] ? strcspn(line, "\n") + 1 : strcspn(line, "\n")) {
        const char *gap = strstr(line, "   ");
        size_t size = strcspn(line, "\n"), command = gap && gap < line + size ? (size_t)(gap - line) : size;
        widest = command > widest && command < 50 ? command : widest;
    }
    while (*lines) {
        size_t size = strcspn(lines, "\n");
        char *line = xstrndup(lines, size);
        char *gap = strstr(line, "   ");
        if (gap) {
            *gap = '\0';
            gap += 1 + strspn(gap + 1, " ");
        }
        entry(out, line, widest + 5, gap);
        free(line);
        lines += size + (lines[size] == '\n');
    }
    buf_char(out, '\n');
}

static bool
is_verb_of(const struct op *op, const char *group)
{
    return !op->service && op->group && group && strcmp(op->group, group) == 0;
}

/* Operations one would look at next: neighbours in the same task, or the same noun (create-vpc: delete-vpc,
 * describe-vpcs). */
static void
see_also(const struct op *op, struct buf *out)
{
    struct buf text = { 0 }, mine = { 0 };
    size_t n = 0, skip = 0, verbs = 0;
    for (const struct op *const *all = ops_all(); !op->service && *all; all++) {
        skip = *all == op ? verbs : skip;
        verbs += is_verb_of(*all, op->group);
    }
    /* Two before it and two behind, or more of one side at an end of the list. */
    skip = skip < 2 || verbs < 5 ? 0 : skip + 2 < verbs ? skip - 2 : verbs - 5;
    buf_str_add(&mine, op_words(op));
    const char *noun = strchr(buf_str(&mine), '-');
    size_t noun_size = noun ? strlen(noun) - (noun[strlen(noun) - 1] == 's') : 0;
    for (const struct op *const *all = ops_all(); *all && n < 4; all++) {
        const char *words = op_words(*all), *other = strchr(words, '-');
        bool near = op->service ? (*all)->service && strcmp(op->service, (*all)->service) == 0 && noun && other &&
                                      strncmp(other, noun, noun_size) == 0 && strlen(other) <= noun_size + 1
                                : is_verb_of(*all, op->group);
        if (near && !op->service && skip > 0) {
            skip--;
        } else if (near && *all != op) {
            buf_printf(&text, "%s%s", n++ ? ", " : "See also: ", words);
        }
    }
    if (n) {
        help_wrap(out, buf_str(&text), 10, 0);
    }
    buf_done(&text);
    buf_done(&mine);
}

void
help_op(const struct op *op, struct buf *out)
{
    const struct op_param_info *params;
    size_t n = op_params(op, &params);
    struct buf usage = { 0 };
    help_usage(op, &usage);
    buf_str_add(out, "Usage: vpclab ");
    help_wrap(out, buf_str(&usage), 14, 14);
    help_wrap(out, op->help, 0, 0);
    buf_char(out, '\n');
    if (op->examples) {
        examples(op->examples, out);
    }
    for (int pass = 0; pass < 3; pass++) { /* operands, required options, the others */
        for (size_t i = 0; i < n; i++) {
            int its = params[i].positional ? 0 : params[i].required ? 1 : 2;
            if (its == pass) {
                param_entry(&params[i], 26, out);
            }
        }
    }
    buf_str_add(out, n ? "\n" : "");
    help_wrap(
        out,
        op->service
            ? "Exit status: 0 done, 2 the command line is wrong, 3 a document is wrong, 4 refused with AWS's code."
            : "Exit status: 0 done or yes, 1 the answer is no, 2 the command line is wrong, 3 a document is wrong, "
              "4 refused, 5 this machine cannot.",
        13, 0);
    see_also(op, out);
    buf_done(&usage);
}

void
help_builtin(const struct builtin *b, struct buf *out)
{
    buf_printf(out, "Usage: vpclab %s%s%s\n", b->name, b->usage[0] ? " " : "", b->usage);
    help_wrap(out, b->help, 0, 0);
    if (b->examples) {
        buf_char(out, '\n');
        examples(b->examples, out);
    }
}

bool
help_service(const char *service, struct buf *out)
{
    bool found = false;
    for (const struct op *const *op = ops_all(); *op; op++) {
        if (!(*op)->service || strcmp((*op)->service, service) != 0) {
            continue;
        }
        if (!found) {
            buf_printf(out,
                       "Usage: vpclab %s OPERATION [OPTION]...\nThe same words and options as `aws %s`; OPERATION "
                       "--help says more.\n\n",
                       service, service);
        }
        found = true;
        entry(out, op_words(*op) + strlen(service) + 1, 36, (*op)->help);
    }
    return found;
}

/* What a line may be, beside a command's words. */
static const char *const line_forms[][2] = {
    { "NAME = COMMAND", "keep the id that the command makes; $NAME and $_ (the last id) stand for it" },
    { "NODE PROGRAM...", "run a program in an instance of the live lab: web ping -c1 db" },
    { "COMMAND | PROGRAM", "and > FILE, >> FILE: as in sh" },
    { "!PROGRAM", "a program of this machine" },
    { "A; B # text", "two commands and a comment" },
    { "'a b' \"$x\" \\", "quoted as in sh; {...} and [...] are JSON up to their bracket" },
    { "<<END", "a value on the lines that follow; also <<'END', <<-END, <<json" },
    { "file://PATH, -", "a value from a file, from standard input" },
};

bool
help_group(const char *group, struct buf *out)
{
    bool found = false;
    for (const struct op *const *op = ops_all(); *op; op++) {
        if (!(*op)->service && (*op)->group && strcmp((*op)->group, group) == 0) {
            entry(out, (*op)->name, 22, (*op)->help);
            found = true;
        }
    }
    for (const struct builtin *b = builtins; b->name; b++) {
        if (b->group && strcmp(b->group, group) == 0) {
            entry(out, b->name, 22, b->help);
            found = true;
        }
    }
    for (size_t i = 0; strcmp(group, "prompt") == 0 && i < ARRAY_SIZE(line_forms); i++) {
        buf_str_add(out, i ? "" : "\n");
        entry(out, line_forms[i][0], 22, line_forms[i][1]);
    }
    return found;
}

void
help_overview(struct buf *out)
{
    buf_str_add(out, "Usage: vpclab [OPTION]... [COMMAND]\n"
                     "A laboratory for AWS networking and access control; a shell without COMMAND.\n");
    for (const struct help_task *task = help_tasks; task->name; task++) {
        struct buf list = { 0 };
        if (strcmp(task->name, "prompt") == 0) { /* the shell's own words would fill the screen */
            buf_printf(out, "\n%s: `help prompt` says more\n", task->title);
            for (const struct builtin *b = builtins; b->name; b++) {
                buf_printf(&list, b->group && strcmp(b->group, "prompt") == 0 ? "%s " : "%.0s", b->name);
            }
            buf_str_add(out, "  ");
            help_wrap(out, buf_str(&list), 2, 2);
        } else if (help_group(task->name, &list)) {
            buf_printf(out, "\n%s\n%s", task->title, buf_str(&list));
        }
        buf_done(&list);
    }
    buf_str_add(out, "\nAWS, in its own words\n");
    for (const struct op *const *op = ops_all(); *op; op++) {
        const char *service = (*op)->service;
        size_t n = 0;
        bool first = service != NULL;
        for (const struct op *const *o = ops_all(); service && *o; o++) {
            bool same = (*o)->service && strcmp((*o)->service, service) == 0;
            first = first && !(same && o < op); /* a service's rows need not stand together */
            n += same;
        }
        if (!first) {
            continue;
        }
        struct buf text = { 0 };
        buf_printf(&text, "%zu operation%s: `vpclab %s --help`", n, plural((long long)n), service);
        entry(out, service, 22, buf_str(&text));
        buf_done(&text);
    }
    buf_str_add(out, "\nOptions, before or after the command\n");
    for (const struct global_option *o = global_options; o->name; o++) {
        struct buf term = { 0 };
        if (!o->help) {
            continue;
        }
        if (o->letter) {
            buf_printf(&term, "-%c, ", o->letter);
        } else {
            buf_str_add(&term, "    ");
        }
        buf_printf(&term, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        entry(out, buf_str(&term), 26, o->help);
        buf_done(&term);
    }
    buf_str_add(out, "  -c COMMANDS             run commands from the argument\n"
                     "  -f FILE                 run commands from a file; - is standard input\n"
                     "\n`vpclab COMMAND --help` describes a command, `vpclab man` prints the manual.\n");
}

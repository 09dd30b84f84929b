#include "shell/shell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/inside.h"
#include "cloud/suggest.h"
#include "shell/answer.h"
#include "shell/builtin.h"
#include "shell/help.h"
#include "shell/output.h"

#define SCRIPT_LIMIT (16u << 20) /* bytes of a file of commands */
#define DEPTH_MAX    16          /* files that run files */

volatile sig_atomic_t shell_interrupted;

void
shell_init(struct shell *s, const struct options *options)
{
    *s = (struct shell){ .options = *options };
}

void
shell_done(struct shell *s)
{
    size_t cursor = 0;
    const char *name;
    void *value;
    while (map_next(&s->variables, &cursor, &name, &value)) {
        free(value);
    }
    map_done(&s->variables);
    free(s->set_output);
    free(s->set_as);
    free(s->set_color);
    free(s->set_prompt);
    cloud_close(s->cloud);
    s->cloud = NULL;
}

const char *
shell_lookup(void *context, const char *name)
{
    struct shell *s = context;
    if (strcmp(name, "_") == 0) {
        return s->last_id[0] ? s->last_id : NULL;
    }
    return map_get(&s->variables, name);
}

void
shell_set(struct shell *s, const char *name, const char *value)
{
    free(map_get(&s->variables, name));
    map_put(&s->variables, name, xstrdup(value));
}

struct cloud *
shell_cloud(struct shell *s, const struct options *options, struct err *err)
{
    if (!s->cloud) {
        const struct cloud_options how = { .lab = options->lab, .region = options->region };
        s->cloud = cloud_open(&how, err);
    } else if (!cloud_refresh(s->cloud, err)) {
        return NULL;
    }
    return s->cloud;
}

const char *
shell_as(const struct shell *s, const struct options *options)
{
    return options->as ? options->as : s->set_as;
}

int
shell_fail(struct shell *s, const struct err *err, size_t n, char *const *words)
{
    s->last_error = *err;
    if (s->hold_errors) {
        return err_exit_status(err);
    }
    output_error(&s->options, err, n, words, s->script, s->line);
    return err_exit_status(err);
}

int
shell_print(struct shell *s, const char *text)
{
    if (output_answer(&s->options, text, strlen(text))) {
        return STATUS_YES;
    }
    if (errno == EPIPE) {
        return 141;
    }
    struct err err = { 0 };
    err_set(&err, ERR_MACHINE, "", "cannot write the answer: %s", strerror(errno));
    return shell_fail(s, &err, 0, NULL);
}

/* ---- which command the words name
 * ---------------------------------------------------------------------------------------------- */

/* The only word of that position that begins with 'prefix'; NULL if there is none or more than one.  'after' is the
 * service or first word before it, NULL for the first position. */
static const char *
only_word(const char *after, const char *prefix, char word[static 80], size_t *n_found)
{
    size_t size = strlen(prefix), after_size = after ? strlen(after) : 0;
    *n_found = 0;
    for (const struct op *const *op = ops_all(); *op; op++) {
        const char *words = op_words(*op);
        if (after && (strncmp(words, after, after_size) != 0 || words[after_size] != ' ')) {
            continue;
        }
        words += after ? after_size + 1 : 0;
        size_t length = strcspn(words, " ");
        if (strncmp(words, prefix, size) == 0 &&
            !(*n_found && strlen(word) == length && strncmp(word, words, length) == 0)) {
            snprintf(word, 80, "%.*s", (int)length, words);
            ++*n_found;
        }
    }
    for (const struct builtin *b = builtins; b->name && !after; b++) {
        if (strncmp(b->name, prefix, size) == 0) {
            snprintf(word, 80, "%s", b->name);
            ++*n_found;
        }
    }
    return *n_found == 1 ? word : NULL;
}

static bool
find_shortened(struct shell *s, size_t n, char *const *words, struct shell_verb *verb, struct err *err)
{
    struct err ignored = { 0 };
    char full[2][80];
    char *spelled[2] = { words[0], n > 1 ? words[1] : NULL };
    size_t found, used = 0;
    if (only_word(NULL, words[0], full[0], &found)) {
        spelled[0] = full[0];
    }
    if (n > 1 && only_word(spelled[0], words[1], full[1], &found)) {
        spelled[1] = full[1];
    }
    const struct op *op = op_find(n > 1 ? 2 : 1, spelled, &used, &ignored);
    const struct builtin *builtin = op ? NULL : builtin_find(spelled[0]);
    if (!op && !builtin) {
        return false;
    }
    if (!s->interactive) {
        err_clear(err);
        err_set(err, ERR_USAGE, "", "`%s%s%s` is not written in full", words[0], op && used > 1 ? " " : "",
                op && used > 1 ? words[1] : "");
        err_hint(err, "`%s`: words may be shortened at the prompt only", op ? op_words(op) : builtin->name);
        return false;
    }
    err_clear(err);
    *verb = (struct shell_verb){ .op = op, .builtin = builtin, .n_words = op ? used : 1 };
    return true;
}

bool
shell_find(struct shell *s, size_t n, char *const *words, struct shell_verb *verb, struct err *err)
{
    size_t used = 0;
    *verb = (struct shell_verb){ 0 };
    verb->builtin = n > 0 ? builtin_find(words[0]) : NULL;
    if (verb->builtin) {
        verb->n_words = 1;
        return true;
    }
    verb->op = op_find(n, words, &used, err);
    if (verb->op) {
        verb->n_words = used;
        return true;
    }
    if (n > 1) {
        struct err ignored = { 0 };
        char id[ID_SIZE];
        struct cloud *cloud = shell_cloud(s, &s->options, &ignored);
        const struct op *exec = op_by_name(NULL, "exec");
        bool outside = strcmp(words[0], "internet") == 0; /* a node of every live lab */
        if (exec && cloud && (outside || cloud_resolve(cloud, "instance", words[0], id, &ignored))) {
            err_clear(err);
            *verb = (struct shell_verb){ .op = exec, .node = words[0], .n_words = 0 };
            return true;
        }
        if (exec && cloud && ignored.kind == ERR_USAGE) { /* the name of several instances */
            *err = ignored;
            return false;
        }
    }
    return n > 0 && find_shortened(s, n, words, verb, err);
}

/* ---- where the words of another program begin
 * ---------------------------------------------------------------------------------- */

/* The index of the first word that is not ours to read: `exec web ping -c1 db` belongs to ping from `ping` on.  Options
 * may stand before it and take values.  'operands' is how many of our own words come first, the command's included. */
static size_t
raw_start(const struct op *op, size_t n, char *const *words, size_t operands)
{
    const struct op_param_info *params = NULL;
    size_t n_params = op ? op_params(op, &params) : 0, seen = 0, i = 0;
    for (; i < n; i++) {
        bool takes_value = false;
        if (strcmp(words[i], "--") == 0) {
            return i;
        }
        if (words[i][0] != '-' || !words[i][1]) {
            if (seen++ == operands) {
                return i;
            }
            continue;
        }
        if (!global_option_find(words[i], &takes_value)) {
            for (size_t p = 0; p < n_params; p++) {
                if (strncmp(words[i], "--", 2) == 0 && strcmp(words[i] + 2, params[p].option) == 0) {
                    takes_value = !params[p].flag;
                }
            }
        }
        i += takes_value;
    }
    return n;
}

/* How many operands come before the OP_REST parameter; SIZE_MAX if there is none. */
static size_t
operands_before_rest(const struct op *op)
{
    size_t n = 0;
    for (const struct op_param *p = op->service ? NULL : op->params; p && p->name; p++) {
        if (p->type == OP_REST) {
            return n;
        }
        n += (p->flags & OP_POSITIONAL) != 0;
    }
    return SIZE_MAX;
}

/* The words up to the first that cannot be an operation's or built-in's name, in 'first' (room for 3); global options
 * are passed over. */
static size_t
leading_words(size_t n, char *const *words, char *first[static 3])
{
    size_t found = 0;
    for (size_t i = 0; i < n && found < 3; i++) {
        bool takes_value = false;
        if (words[i][0] == '-' && words[i][1]) {
            if (!global_option_find(words[i], &takes_value)) {
                break;
            }
            i += takes_value;
        } else {
            first[found++] = words[i];
        }
    }
    return found;
}

/* ---- one operation
 * ------------------------------------------------------------------------------------------------------------- */

static bool
has_param(const struct op *op, const char *name)
{
    const struct op_param_info *params;
    size_t n = op_params(op, &params);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(params[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* --dry-run: AWS's own parameter where the operation has it. */
static bool
add_dry_run(const struct op *op, json_t *in, struct err *err)
{
    if (has_param(op, "DryRun")) {
        json_object_set_new(in, "DryRun", json_true());
        return true;
    }
    if (op->mode == OP_READ) {
        return true; /* it changes nothing anyway */
    }
    err_set(err, ERR_USAGE, "", "`%s` has no dry run", op_words(op));
    return err_hint(err, "nothing was done; AWS offers a dry run for ec2 operations");
}

/* The format to print in; NULL for the operation's own. */
static const char *
format_of(const struct shell *s, const struct options *options)
{
    const char *format = options->output ? options->output : getenv("VPCLAB_OUTPUT");
    format = format && *format ? format : s->set_output;
    return format ? format : s->expanded ? "record" : NULL;
}

static int
print_result(struct shell *s, const struct options *options, const struct op *op, const json_t *out)
{
    struct buf text = { 0 };
    struct err err = { 0 };
    answer_ids ids = { 0 };
    bool ok = true;
    if (options->quiet && op->text) {
        ok = true; /* a question's answer is its exit status, as with grep -q */
    } else if (options->quiet) {
        answer_find_ids(out, &ids);
        for (size_t i = 0; i < ids.n; i++) {
            buf_printf(&text, "%s\n", ids.items[i]);
        }
    } else {
        ok = render(op, out, format_of(s, options), options->query, &text, &err);
    }
    int status = ok ? STATUS_YES : shell_fail(s, &err, 0, NULL);
    if (ok && op->text && !format_of(s, options) && output_color(options, STDOUT_FILENO)) {
        struct buf painted = { 0 };
        output_paint(buf_str(&text), &painted);
        buf_done(&text);
        text = painted;
    }
    if (ok && text.size) {
        status = shell_print(s, buf_str(&text));
    } else if (ok && !op->text && op->mode == OP_READ && isatty(STDERR_FILENO)) {
        output_note(options, "none found");
    }
    VEC_DONE(&ids);
    buf_done(&text);
    return status;
}

static void
remember_id(struct shell *s, const json_t *out)
{
    answer_ids ids = { 0 };
    answer_find_ids(out, &ids);
    if (ids.n) {
        snprintf(s->last_id, sizeof s->last_id, "%s", ids.items[0]);
    }
    VEC_DONE(&ids);
}

/* Another lab than the session's, for this command only. */
static struct cloud *
cloud_for(struct shell *s, const struct options *options, const struct op *op, struct cloud **other, struct err *err)
{
    if ((op->no_lab && !shell_as(s, options)) || (op->inside && inside_node())) {
        const struct cloud_options how = { .lab = options->lab, .region = options->region, .unread = true };
        return *other = cloud_open(&how, err);
    }
    const char *mine = s->options.lab ? s->options.lab : "", *lab = options->lab ? options->lab : "";
    /* What the keeper of a live lab does needs nothing of the lab in this process. */
    bool later = op->mode != OP_LOCAL && !shell_as(s, options) && !options->region;
    *other = NULL;
    if (strcmp(mine, lab) == 0 && (!s->cloud || !options->region || strcmp(options->region, s->cloud->region) == 0)) {
        if (s->cloud && later && cloud_is_live(s->cloud)) {
            return s->cloud;
        }
        if (s->cloud || !later) {
            return shell_cloud(s, options, err);
        }
        return s->cloud = cloud_open(&(struct cloud_options){ .lab = options->lab, .later = true }, err);
    }
    const struct cloud_options how = { .lab = options->lab, .region = options->region, .later = later };
    return *other = cloud_open(&how, err);
}

/* After a mistake in the command line, where help is; not at a prompt or in a script, whose reader is not at the
 * terminal. */
static void
try_help(const struct shell *s, int status, const char *about)
{
    if (status == STATUS_USAGE && !s->script && !s->interactive && !s->hold_errors) {
        fprintf(stderr, "Try 'vpclab %s%s--help'.\n", about, *about ? " " : "");
    }
}

static int
run_op(struct shell *s, const struct options *options, const struct op *op, size_t n, char **words)
{
    struct err err = { 0 };
    struct op_result result = { 0 };
    struct cloud *other = NULL, *cloud = cloud_for(s, options, op, &other, &err);
    json_t *in = cloud && cloud_act_as(cloud, shell_as(s, options), &err) ? op_read_argv(op, n, words, &err) : NULL;
    int status;
    struct output_progress progress;
    output_progress_init(&progress, options);
    const char *format = format_of(s, options);
    progress.progress.formatted = options->quiet || options->query || format;
    progress.progress.lines = !options->quiet && !options->query && format && strcmp(format, "json") == 0;
    if (!in || (options->dry_run && !add_dry_run(op, in, &err)) ||
        !op_call(cloud, op, in, &progress.progress, &result, &err)) {
        output_progress_done(&progress);
        op_spell_where(op, n, words, &err);
        status = shell_fail(s, &err, n, words);
        try_help(s, status, op_words(op));
    } else {
        output_progress_done(&progress);
        status = print_result(s, options, op, result.out);
        status = status ? status : result.status ? result.status : result.no ? STATUS_NO : STATUS_YES;
        if (op->mode != OP_READ || s->keep_id) {
            remember_id(s, result.out);
        }
    }
    op_result_done(&result);
    json_decref(in);
    cloud_close(other);
    return status;
}

/* `web ping -c1 db`: what follows the node is the other program's, options included. */
static int
run_node(struct shell *s, const struct options *options, const struct op *exec, size_t n, char **words)
{
    static char dashes[] = "--";
    char **all = xcalloc(n + 1, sizeof *all);
    bool there = n > 1 && strcmp(words[1], "--") == 0;
    size_t k = 0;
    all[k++] = words[0];
    if (!there) {
        all[k++] = dashes;
    }
    for (size_t i = 1; i < n; i++) {
        all[k++] = words[i];
    }
    int status = run_op(s, options, exec, k, all);
    free(all);
    return status;
}

/* ---- one command
 * --------------------------------------------------------------------------------------------------------------- */

static int
usage_error(struct shell *s, const struct err *err, const char *about)
{
    int status = shell_fail(s, err, 0, NULL);
    try_help(s, status, about);
    return status;
}

static int
run_builtin(struct shell *s, const struct builtin *b, size_t n, char **operands)
{
    struct err err = { 0 };
    for (size_t i = 0; b->raw_after < 0 && i < n; i++) {
        if (operands[i][0] == '-' && operands[i][1] && strcmp(operands[i], "--") != 0) {
            err_set(&err, ERR_USAGE, "", "`%s` is not an option of `%s`", operands[i], b->name);
            return usage_error(s, &err, b->name);
        }
    }
    if ((int)n < b->min || (b->max >= 0 && (int)n > b->max)) {
        const char *form = (int)n < b->min ? "`%s` needs %s"
                           : b->usage[0]   ? "`%s` takes %s only"
                                           : "`%s` takes no operand";
        err_set(&err, ERR_USAGE, "", form, b->name, b->usage);
        return usage_error(s, &err, b->name);
    }
    return b->run(s, n, operands);
}

static int
print_help(struct shell *s, const struct shell_verb *verb)
{
    struct buf text = { 0 };
    if (verb->op) {
        help_op(verb->op, &text);
    } else {
        help_builtin(verb->builtin, &text);
    }
    int status = shell_print(s, buf_str(&text));
    buf_done(&text);
    return status;
}

/* `--help` and `--version` without a command, and `ec2 --help`. */
static int
run_without_verb(struct shell *s, const struct options *options, size_t n, char **words, struct err *err)
{
    struct buf text = { 0 };
    int status = STATUS_YES;
    if (options->version) {
        char *version[] = { "version" };
        status = shell_run(s, 1, version);
    } else if (options->help && n == 0) {
        help_overview(&text);
    } else if (!(n > 0 && (options->help || n == 1) &&
                 (help_service(words[0], &text) || help_group(words[0], &text)))) {
        if (n > 0 && !err->kind) { /* no word before it, so nothing was looked up */
            err_set(err, ERR_USAGE, "", "`%s` is not an option of `vpclab`", words[0]);
        }
        status = n == 0 ? STATUS_YES : usage_error(s, err, "");
    } else if (!options->help) {
        buf_clear(&text); /* `ec2` alone */
        status = usage_error(s, err, words[0]);
    }
    if (text.size) {
        status = shell_print(s, buf_str(&text));
    }
    buf_done(&text);
    return status;
}

int
shell_run(struct shell *s, size_t n, char **words)
{
    struct options saved = s->options, options = s->options;
    struct err err = { 0 };
    struct shell_verb verb = { 0 };
    char *first[3];
    options.help = options.version = false;
    if (n > 0 && strcmp(words[0], "aws") == 0) { /* a pasted line */
        words++;
        n--;
    }
    size_t n_first = leading_words(n, words, first);
    bool found = n_first > 0 && shell_find(s, n_first, first, &verb, &err);
    size_t operands = SIZE_MAX;
    if (found && verb.node) {
        operands = 1;
    } else if (found && verb.builtin) {
        operands = verb.builtin->raw_after < 0 ? SIZE_MAX : (size_t)verb.builtin->raw_after + 1;
    } else if (found) {
        operands = operands_before_rest(verb.op);
        operands = operands == SIZE_MAX ? operands : operands + verb.n_words;
    }
    size_t raw = operands == SIZE_MAX ? n : raw_start(verb.op, n, words, operands);
    struct err usage = { 0 };
    if (!options_take(&options, &n, words, raw, &usage)) {
        return s->status = usage_error(s, &usage,
                                       found && verb.op ? op_words(verb.op)
                                       : found          ? verb.builtin->name
                                                        : "");
    }
    s->options = options;
    if (options.version || !found) {
        s->status = run_without_verb(s, &options, n, words, &err);
    } else if (options.help ||
               (verb.op && verb.op->service && n == verb.n_words + 1 && strcmp(words[verb.n_words], "help") == 0)) {
        s->status = print_help(s, &verb);
    } else if (verb.builtin) {
        s->status = run_builtin(s, verb.builtin, n - 1, words + 1);
    } else if (verb.node) {
        s->status = run_node(s, &options, verb.op, n, words);
    } else {
        s->status = run_op(s, &options, verb.op, n - verb.n_words, words + verb.n_words);
    }
    s->options = saved;
    return s->status;
}

int
shell_run_command(struct shell *s, struct line_command *command)
{
    struct output_sink sink;
    struct err err = { 0 };
    if (command->host) {
        return s->status = output_host(command->host);
    }
    if (!output_sink_open(&sink, command, &err)) {
        return s->status = shell_fail(s, &err, 0, NULL);
    }
    size_t n = command->words.n;
    char **words = xcalloc(n + 1, sizeof *words);
    for (size_t i = 0; i < n; i++) {
        words[i] = command->words.items[i].text;
    }
    char last_id[sizeof s->last_id];
    memcpy(last_id, s->last_id, sizeof last_id);
    s->keep_id = command->variable != NULL;
    if (s->keep_id) {
        s->last_id[0] = '\0';
    }
    int status = shell_run(s, n, words);
    s->keep_id = false;
    int host = output_sink_close(&sink);
    if (status == 141 && command->sink == LINE_PIPE) {
        status = STATUS_YES; /* `| head` had enough */
    }
    if (status == STATUS_YES && host != 0) {
        status = STATUS_NO;
    }
    if (status == STATUS_YES && command->variable) {
        if (s->last_id[0]) {
            shell_set(s, command->variable, s->last_id);
        } else {
            err_set(&err, ERR_USAGE, "", "the answer has no id for `%s` to keep", command->variable);
            status = shell_fail(s, &err, 0, NULL);
        }
    }
    if (!s->last_id[0]) {
        memcpy(s->last_id, last_id, sizeof last_id);
    }
    free(words);
    return s->status = status;
}

int
shell_run_text(struct shell *s, const char *text, const char *where)
{
    struct line_reader reader;
    struct line_command command;
    struct err err = { 0 };
    const char *outer = s->script;
    int outer_line = s->line, status = STATUS_YES, worst = STATUS_YES;
    enum line_status next = LINE_END;
    line_reader_init(&reader, text, shell_lookup, s);
    reader.where = where;
    while (!s->leave && (next = line_next(&reader, &command, &err)) == LINE_COMMAND) {
        s->script = where;
        s->line = command.line;
        status = shell_run_command(s, &command);
        line_command_done(&command);
        worst = status > worst ? status : worst;
        if (status > STATUS_NO || (status && s->stop_any) || shell_interrupted) {
            next = LINE_END;
            break;
        }
    }
    s->script = outer;
    s->line = outer_line;
    if (next == LINE_MORE || next == LINE_WRONG) {
        worst = shell_fail(s, &err, 0, NULL);
    }
    return s->status = worst;
}

int
shell_run_file(struct shell *s, const char *path)
{
    struct buf text = { 0 };
    struct err err = { 0 };
    bool standard = strcmp(path, "-") == 0;
    int status;
    if (s->depth == DEPTH_MAX) {
        err_set(&err, ERR_USAGE, "", "`%s` is run by files that run each other more than %d deep", path, DEPTH_MAX);
    } else if (buf_read_file(&text, path, SCRIPT_LIMIT, &err) && memchr(buf_str(&text), '\0', text.size)) {
        err_set(&err, ERR_DOCUMENT, "", "`%s` is no text: it holds a NUL byte", standard ? "<stdin>" : path);
    }
    if (err.kind) {
        status = shell_fail(s, &err, 0, NULL);
    } else {
        bool interactive = s->interactive;
        s->interactive = false;
        s->depth++;
        status = shell_run_text(s, buf_str(&text), standard ? "<stdin>" : path);
        s->depth--;
        s->interactive = interactive;
    }
    buf_done(&text);
    return s->status = status;
}

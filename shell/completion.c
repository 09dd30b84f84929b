#include "shell/completion.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cloud/complete_words.h"
#include "shell/builtin.h"
#include "shell/help.h"

struct finder {
    struct shell *session;
    struct completion *out;
    const char *word;   /* what stands there already */
    const char *prefix; /* in front of each candidate: "--output=" */
    struct map seen;    /* candidates so far */
};

static bool
begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Adds 'text' unless it does not begin with the word or is there already. */
static struct candidate *
offer(struct finder *f, const char *text, const char *detail)
{
    if (!begins(text, f->word)) {
        return NULL;
    }
    if (map_get(&f->seen, text)) {
        return NULL;
    }
    map_put(&f->seen, text, f);
    struct candidate *c = VEC_ADD(&f->out->items);
    *c = (struct candidate){ .text = xasprintf("%s%s", f->prefix, text), .detail = xstrdup(detail ? detail : "") };
    return c;
}

void
completion_done(struct completion *completion)
{
    for (size_t i = 0; i < completion->items.n; i++) {
        free(completion->items.items[i].text);
        free(completion->items.items[i].detail);
    }
    VEC_DONE(&completion->items);
}

/* ---- values
 * --------------------------------------------------------------------------------------------------------------------
 */

/* Paths that continue 'path', which stands after 'scheme' ("file://" or nothing). */
static void
offer_paths(struct finder *f, const char *scheme, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t dir_size = slash ? (size_t)(slash + 1 - path) : 0;
    char *dir = dir_size ? xstrndup(path, dir_size) : xstrdup(".");
    DIR *entries = opendir(dir);
    for (struct dirent *e; entries && (e = readdir(entries));) {
        const char *base = path + dir_size;
        if (!begins(e->d_name, base) || (e->d_name[0] == '.' && base[0] != '.')) {
            continue;
        }
        struct stat st;
        char *full = xasprintf("%.*s%s", (int)dir_size, path, e->d_name);
        bool is_dir = stat(full, &st) == 0 && S_ISDIR(st.st_mode);
        char *text = xasprintf("%s%s%s", scheme, full, is_dir ? "/" : "");
        struct candidate *c = offer(f, text, "");
        if (c) {
            c->more = is_dir;
        }
        free(full);
        free(text);
    }
    if (entries) {
        closedir(entries);
    }
    free(dir);
}

/* A resource goes by its Name tag where it has one, and by its id once the word looks like one. */
static void
offer_resource(void *context, const char *id, const char *name, const char *detail)
{
    struct finder *f = context;
    char *text = xasprintf("%s%s%s", name ? name : "", name && detail && *detail ? "  " : "", detail ? detail : "");
    if (name && *name && begins(name, f->word)) {
        char *with_id = xasprintf("%s  %s", id, detail ? detail : "");
        offer(f, name, with_id);
        free(with_id);
    } else if (!name || !*name || *f->word) {
        offer(f, id, text);
    }
    free(text);
}

static void
offer_resources(struct finder *f, const char *kind)
{
    struct err ignored = { 0 };
    struct cloud *cloud = shell_cloud(f->session, &f->session->options, &ignored);
    if (cloud) {
        cloud_each_resource(cloud, kind && *kind ? kind : NULL, offer_resource, f);
    }
}

static void
offer_principal(void *context, const char *who, const char *detail)
{
    offer(context, who, detail);
}

static void
offer_principals(struct finder *f)
{
    struct err ignored = { 0 };
    struct cloud *cloud = shell_cloud(f->session, &f->session->options, &ignored);
    if (cloud) {
        cloud_each_principal(cloud, offer_principal, f);
    }
}

static void
offer_choices(struct finder *f, const char *choices)
{
    char word[80];
    while (choices && *choices) {
        size_t size = strcspn(choices, " ");
        snprintf(word, sizeof word, "%.*s", (int)size, choices);
        offer(f, word, "");
        choices += size + (choices[size] == ' ');
    }
}

static void
offer_variables(struct finder *f)
{
    size_t cursor = 0;
    const char *name;
    void *value;
    while (map_next(&f->session->variables, &cursor, &name, &value)) {
        char *text = xasprintf("$%s", name);
        offer(f, text, value);
        free(text);
    }
    if (f->session->last_id[0]) {
        offer(f, "$_", f->session->last_id);
    }
}

static void
offer_known(void *context, const char *text, const char *detail, bool more)
{
    struct candidate *c = offer(context, text, detail);
    if (c) {
        c->more = more;
    }
}

/* What the catalogue and the lab know for this parameter. */
static void
offer_known_words(struct finder *f, const struct op *op, const struct op_param_info *p, size_t n, char *const *words)
{
    struct err ignored = { 0 };
    const struct complete_words what = { .op = op, .words = p->words, .word = f->word, .n_before = n, .before = words };
    bool lab = complete_words_need_lab(p->words);
    struct cloud *cloud = lab ? shell_cloud(f->session, &f->session->options, &ignored) : NULL;
    if (!lab || cloud) {
        complete_words(cloud, &what, offer_known, f);
    }
}

static void
offer_value(struct finder *f, const struct op *op, const struct op_param_info *p, size_t n, char *const *words)
{
    static const char *const schemes[] = { "file://", "fileb://" };
    f->out->what = p->help && p->help[0] ? p->help : p->type;
    if (f->word[0] == '$') {
        offer_variables(f);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        if (begins(f->word, schemes[i])) {
            offer_paths(f, schemes[i], f->word + strlen(schemes[i]));
            return;
        }
    }
    for (size_t i = 0; p->choices && p->choices[i]; i++) {
        offer(f, p->choices[i], "");
    }
    if (strcmp(p->type, "endpoint") == 0) {
        static const char *const ends[] = { "i", "eni", "igw", "nat" };
        offer(f, "internet", "");
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
            offer_resources(f, ends[i]);
        }
    } else if (p->kind) {
        offer_resources(f, p->kind);
    }
    if (p->words) {
        offer_known_words(f, op, p, n, words);
    }
    if (strcmp(p->type, "path") == 0) {
        offer_paths(f, "", f->word);
    }
}

/* ---- words and options
 * --------------------------------------------------------------------------------------------------------- */

/* First words: services, verbs, built-ins, names of instances. */
static void
offer_first(struct finder *f)
{
    f->out->what = "a command";
    for (const struct op *const *op = ops_all(); *op; op++) {
        char word[80];
        const char *words = op_words(*op), *space = strchr(words, ' ');
        snprintf(word, sizeof word, "%.*s", (int)strcspn(words, " "), words);
        offer(f, word, !space ? (*op)->help : (*op)->service ? "AWS operations" : "");
    }
    for (const struct builtin *b = builtins; b->name; b++) {
        if (b->group) {
            offer(f, b->name, b->help);
        }
    }
    offer_resources(f, "instance");
    if (f->word[0] == '$') {
        offer_variables(f);
    }
}

static void
offer_second(struct finder *f, const char *first)
{
    size_t size = strlen(first);
    f->out->what = "an operation";
    for (const struct op *const *op = ops_all(); *op; op++) {
        const char *words = op_words(*op);
        if (strncmp(words, first, size) == 0 && words[size] == ' ') {
            offer(f, words + size + 1, (*op)->help);
        }
    }
}

static bool
is_given(const struct op_param_info *p, size_t n, char *const *words)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = words[i] + 2;
        if (!begins(words[i], "--")) {
            continue;
        }
        if (begins(name, "no-") && p->flag) {
            name += 3;
        }
        size_t size = strlen(p->option);
        if (strncmp(name, p->option, size) == 0 && (!name[size] || name[size] == '=')) {
            return true;
        }
    }
    return false;
}

static void
offer_options(struct finder *f, const struct op *op, size_t n, char *const *words)
{
    const struct op_param_info *params;
    size_t n_params = op_params(op, &params);
    f->out->what = "an option";
    for (int required = 1; required >= 0; required--) {
        for (size_t i = 0; i < n_params; i++) {
            const struct op_param_info *p = &params[i];
            if (p->positional || p->required != required || is_given(p, n, words)) {
                continue;
            }
            char *text = xasprintf("--%s", p->option);
            struct candidate *c = offer(f, text, p->help && p->help[0] ? p->help : p->type);
            if (c) {
                c->required = required;
            }
            free(text);
            if (p->flag && begins(f->word, "--no")) {
                text = xasprintf("--no-%s", p->option);
                offer(f, text, "");
                free(text);
            }
        }
    }
}

static void
offer_global_options(struct finder *f)
{
    for (const struct global_option *o = global_options; o->name; o++) {
        if (o->help) {
            char *text = xasprintf("--%s", o->name);
            offer(f, text, o->help);
            free(text);
        }
    }
}

static void
offer_global_value(struct finder *f, const struct global_option *o)
{
    f->out->what = o->help;
    offer_choices(f, o->choices);
    if (strcmp(o->name, "lab") == 0) {
        const struct complete_words labs = { .words = "lab", .word = f->word };
        complete_words(NULL, &labs, offer_known, f);
        offer_paths(f, "", f->word);
    } else if (strcmp(o->name, "as") == 0) {
        offer_principals(f);
    }
}

static const struct op_param_info *
param_by_option(const struct op *op, const char *word, size_t size)
{
    const struct op_param_info *params;
    size_t n = op_params(op, &params);
    for (size_t i = 0; i < n; i++) {
        if (strlen(params[i].option) == size && strncmp(params[i].option, word, size) == 0) {
            return &params[i];
        }
    }
    return NULL;
}

/* The parameter whose value stands at the end of 'words'; NULL if an option or nothing is expected there. */
static const struct op_param_info *
param_here(const struct op *op, size_t n, char *const *words)
{
    const struct op_param_info *open = NULL, *params;
    size_t n_params = op_params(op, &params), operands = 0, seen = 0;
    for (size_t i = 0; i < n; i++) {
        if (begins(words[i], "--") && words[i][2]) {
            open = strchr(words[i], '=') ? NULL : param_by_option(op, words[i] + 2, strlen(words[i] + 2));
            open = open && open->flag ? NULL : open;
        } else if (open && !open->list) {
            open = NULL;
        } else if (!open) {
            operands++;
        }
    }
    for (size_t i = 0; i < n_params && !open; i++) {
        if (params[i].positional && (seen++ == operands || (params[i].list && seen <= operands + 1))) {
            open = &params[i];
        }
    }
    return open;
}

static void
complete_op(struct finder *f, const struct op *op, size_t n, char *const *words)
{
    const char *equals = begins(f->word, "--") ? strchr(f->word, '=') : NULL;
    if (equals) {
        const struct op_param_info *p = param_by_option(op, f->word + 2, (size_t)(equals - f->word - 2));
        char *prefix = xstrndup(f->word, (size_t)(equals + 1 - f->word));
        f->prefix = prefix;
        f->word = equals + 1;
        bool takes_value;
        const struct global_option *o = p ? NULL : global_option_find(prefix, &takes_value);
        if (p) {
            offer_value(f, op, p, n, words);
        } else if (o) {
            offer_global_value(f, o);
        }
        f->prefix = "";
        free(prefix);
        return;
    }
    const struct op_param_info *p = param_here(op, n, words);
    if (p && f->word[0] != '-') {
        offer_value(f, op, p, n, words);
    }
    if (!p || p->list || p->positional) {
        if (f->word[0] == '-' || (!*f->word && f->out->items.n == 0)) {
            offer_options(f, op, n, words);
        }
        if (begins(f->word, "-")) {
            offer_global_options(f);
        }
    }
}

/* ---- the line
 * ------------------------------------------------------------------------------------------------------------------ */

static void
complete_line(struct finder *f, size_t n, char **words)
{
    VEC(char *) rest = { 0 };
    const struct global_option *open = NULL;
    struct shell_verb verb;
    struct err ignored = { 0 };
    if (n > 0 && strcmp(words[0], "aws") == 0) {
        words++;
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        bool takes_value = false;
        const struct global_option *o = global_option_find(words[i], &takes_value);
        if (!o) {
            *VEC_ADD(&rest) = words[i];
        } else if (takes_value && ++i == n) {
            open = o;
        }
    }
    bool interactive = f->session->interactive;
    f->session->interactive = false; /* words before the cursor are taken as they stand */
    bool found = rest.n > 0 && shell_find(f->session, rest.n > 2 ? 2 : rest.n, rest.items, &verb, &ignored);
    f->session->interactive = interactive;
    if (open) {
        offer_global_value(f, open);
    } else if (found && verb.builtin && verb.builtin->raw_after >= 0 && !verb.builtin->paths) {
        size_t skip = 1 + (size_t)verb.builtin->raw_after;
        if (rest.n >= skip) {
            complete_line(f, rest.n - skip, rest.items + skip);
        }
    } else if (found && verb.builtin && verb.builtin->paths && strcmp(verb.builtin->paths, "principal") == 0) {
        f->out->what = "a user, role or session";
        offer_principals(f);
    } else if (found && verb.builtin && verb.builtin->paths) {
        f->out->what = "a file";
        offer_paths(f, "", f->word);
    } else if (found && verb.builtin && strcmp(verb.builtin->name, "help") == 0) {
        rest.n == 1 ? offer_first(f) : offer_second(f, rest.items[1]);
    } else if (found && verb.op && !verb.node) {
        if (rest.n == 1) {
            offer_second(f, rest.items[0]); /* `clock`, and `clock advance` */
        }
        complete_op(f, verb.op, rest.n - verb.n_words, rest.items + verb.n_words);
    } else if (!found && f->word[0] == '-') {
        f->out->what = "an option";
        offer_global_options(f);
    } else if (!found && rest.n == 0) {
        offer_first(f);
    } else if (!found && rest.n == 1) {
        offer_second(f, rest.items[0]);
    }
    VEC_DONE(&rest);
}

void
completion_find(struct shell *session, const char *line, size_t size, struct completion *out)
{
    struct line_reader reader;
    struct line_command command = { 0 }, next;
    char *text = xstrndup(line, size);
    *out = (struct completion){ .start = size, .what = "nothing more" };
    line_reader_init(&reader, text, shell_lookup, session);
    reader.tolerant = true;
    size_t end = 0;
    while (line_next(&reader, &next, NULL) == LINE_COMMAND) {
        line_command_done(&command);
        command = next;
        end = reader.at;
    }
    while (end < size && (text[end] == ' ' || text[end] == '\t')) {
        end++;
    }
    if (end < size) { /* a ; or a newline ended the last command */
        line_command_done(&command);
    }
    struct finder finder = { .session = session, .out = out, .word = "", .prefix = "" };
    size_t n = command.words.n;
    char **words = xcalloc(n + 1, sizeof *words);
    for (size_t i = 0; i < n; i++) {
        words[i] = command.words.items[i].text;
    }
    /* A variable is offered by its name, not by the value that the reader has put in its place. */
    if (command.host || command.sink == LINE_PIPE) {
        out->what = "a command of this machine";
    } else if (command.sink != LINE_PRINT) {
        finder.word = command.target ? command.target : "";
        out->start = size - strlen(finder.word);
        out->what = "a file";
        offer_paths(&finder, "", finder.word);
    } else {
        char *typed = NULL;
        if (n > 0 && command.words.items[n - 1].end == size && command.open != '<') {
            const struct line_word *last = &command.words.items[--n];
            out->start = last->start;
            out->quote = command.open == '\'' || command.open == '"' ? command.open : 0;
            typed = text[last->start] == '$' ? xstrndup(text + last->start, size - last->start) : NULL;
            finder.word = typed ? typed : last->text;
        }
        complete_line(&finder, n, words);
        free(typed);
    }
    map_done(&finder.seen);
    free(words);
    line_command_done(&command);
    free(text);
}

/* COMP_WORDS is cut at = and : too, so the words are taken from the line as bash-completion does, or joined again. */
const char completion_bash[] =
    "# vpclab completion for bash: eval \"$(vpclab completion bash)\"\n"
    "_vpclab() {\n"
    "    local words cword cur line\n"
    "    if declare -F _get_comp_words_by_ref >/dev/null; then\n"
    "        _get_comp_words_by_ref -n =: words cword cur\n"
    "    else\n"
    "        words=(\"${COMP_WORDS[@]}\") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]}\n"
    "    fi\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r line; do\n"
    "        COMPREPLY+=(\"$line\")\n"
    "    done < <(\"${words[0]}\" complete -- \"${words[@]:1:cword}\" 2>/dev/null)\n"
    "    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions \"$cur\"\n"
    "}\n"
    "complete -o nospace -F _vpclab vpclab\n";

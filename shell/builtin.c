#include "shell/builtin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "scenarios/lua_run.h"
#include "shell/completion.h"
#include "shell/help.h"
#include "shell/man.h"
#include "shell/output.h"
#include "shell/repl.h"
#include "shell/shell.h"

static int
refuse(struct shell *s, struct err *err)
{
    return shell_fail(s, err, 0, NULL);
}

static int
run_help(struct shell *s, size_t n, char **words)
{
    struct buf text = { 0 };
    struct err err = { 0 };
    struct shell_verb verb;
    if (n == 0) {
        help_overview(&text);
    } else if (n > 1 || !(help_service(words[0], &text) || help_group(words[0], &text))) {
        if (shell_find(s, n, words, &verb, &err) && !verb.node) {
            verb.op ? help_op(verb.op, &text) : help_builtin(verb.builtin, &text);
        } else {
            err_set(&err, ERR_USAGE, "", "`%s` is not a command", words[0]);
        }
    }
    int status = err.kind ? refuse(s, &err) : shell_print(s, buf_str(&text));
    buf_done(&text);
    return status;
}

static int
run_version(struct shell *s, size_t n, char **words)
{
    (void)n;
    (void)words;
    return shell_print(s, "vpclab " VPCLAB_VERSION "\nnames and types of AWS operations: botocore's service models\n");
}

/* ---- files and other programs
 * -------------------------------------------------------------------------------------------------- */

static int
run_source(struct shell *s, size_t n, char **words)
{
    (void)n;
    return shell_run_file(s, words[0]);
}

static void
on_interrupt(int number)
{
    shell_interrupted = number;
}

static bool
seed_of(const char *text, uint64_t *seed)
{
    char *end;
    *seed = strtoull(text, &end, 0);
    return *text && !*end && *text != '-';
}

static int
run_scenario(struct shell *s, size_t n, char **words)
{
    struct err err = { 0 };
    struct scenario_options options = {
        .lab = s->options.lab, .region = s->options.region, .as = shell_as(s, &s->options), .seed = 1
    };
    size_t first = 0;
    for (; first < n && strncmp(words[first], "--", 2) == 0; first++) {
        const char *value = strncmp(words[first], "--seed", 6) != 0 ? NULL
                            : words[first][6] == '='                ? words[first] + 7
                            : !words[first][6] && first + 1 < n     ? words[++first]
                                                                    : NULL;
        if (!value || !seed_of(value, &options.seed)) {
            err_set(&err, ERR_USAGE, "", value ? "`%s` is not a number for --seed" : "`%s` is not an option of `run`",
                    value ? value : words[first]);
            return refuse(s, &err);
        }
    }
    if (first == n) {
        err_set(&err, ERR_USAGE, "", "`run` needs a scenario: a file of Lua");
        err_hint(&err, "for example: vpclab run three-tier");
        return refuse(s, &err);
    }
    struct output_progress progress;
    output_progress_init(&progress, &s->options);
    char *path = scenario_find(words[first]);
    options.path = path;
    options.n_args = n - first - 1;
    options.args = words + first + 1;
    options.color = output_color(&s->options, STDOUT_FILENO);
    options.progress = &progress.progress;
    options.interrupted = &shell_interrupted;
    shell_interrupted = 0;
    /* Whatever ends the program must end the throw-away lab first; a reader of the pipe that goes away, too. */
    static const int endings[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    struct sigaction before[ARRAY_SIZE(endings)], action = { .sa_handler = on_interrupt };
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        sigaction(endings[i], &action, &before[i]);
    }
    int status = scenario_run(&options, &err);
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        sigaction(endings[i], &before[i], NULL);
    }
    output_progress_done(&progress);
    fflush(stdout);
    if (shell_interrupted) {
        status = 128 + shell_interrupted;
    } else if (err.kind) {
        status = refuse(s, &err);
    }
    free(path);
    return status;
}

/* ---- commands about commands
 * --------------------------------------------------------------------------------------------------- */

static int
run_try(struct shell *s, size_t n, char **words)
{
    shell_run(s, n, words);
    return STATUS_YES;
}

/* assume alice: what follows is asked for by alice; assume root: by the account itself again. */
static int
run_assume(struct shell *s, size_t n, char **words)
{
    struct err err = { 0 };
    struct cloud *cloud = shell_cloud(s, &s->options, &err);
    if (!cloud || (n && !cloud_act_as(cloud, words[0], &err)) ||
        (!n && !cloud_act_as(cloud, shell_as(s, &s->options), &err))) {
        return refuse(s, &err);
    }
    if (n) {
        free(s->set_as);
        s->set_as = cloud->as ? xstrdup(cloud->as) : NULL;
    }
    char *arn = cloud_who(cloud), *text = xasprintf("%s\n", arn);
    int status = shell_print(s, text);
    free(arn);
    free(text);
    return status;
}

/* expect 4 CMD, expect InvalidSubnet.Range CMD: the command must fail that way. */
static int
run_expect(struct shell *s, size_t n, char **words)
{
    char *end;
    long wanted = strtol(words[0], &end, 10);
    bool by_status = !*end;
    s->hold_errors = true;
    s->last_error = (struct err){ 0 };
    int status = shell_run(s, n - 1, words + 1);
    s->hold_errors = false;
    if (by_status ? status == wanted : strcmp(s->last_error.code, words[0]) == 0) {
        return STATUS_YES;
    }
    if (s->last_error.kind) {
        struct err last = s->last_error;
        shell_fail(s, &last, n - 1, words + 1);
    }
    output_note(&s->options, "expected %s%s, got %s%d", by_status ? "status " : "", words[0],
                by_status ? "" : "status ", status);
    return STATUS_NO;
}

static bool
count_of(struct shell *s, const char *text, double *count)
{
    struct err err = { 0 };
    char *end;
    *count = strtod(text, &end);
    if (*text && !*end && *count >= 0 && *count < 1e9) {
        return true;
    }
    err_set(&err, ERR_USAGE, "", "`%s` is not a number", text);
    refuse(s, &err);
    return false;
}

/* The words again for each run: shell_run() changes its array. */
static int
run_copy(struct shell *s, size_t n, char **words)
{
    char **copy = xcalloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        copy[i] = words[i];
    }
    int status = shell_run(s, n, copy);
    free(copy);
    return status;
}

static int
run_repeat(struct shell *s, size_t n, char **words)
{
    double count;
    int status = STATUS_YES;
    if (!count_of(s, words[0], &count)) {
        return STATUS_USAGE;
    }
    for (long i = 0; i < (long)count && status <= STATUS_NO && !shell_interrupted; i++) {
        status = run_copy(s, n - 1, words + 1);
    }
    return status;
}

static int
run_watch(struct shell *s, size_t n, char **words)
{
    double seconds;
    if (!count_of(s, words[0], &seconds)) {
        return STATUS_USAGE;
    }
    for (;;) {
        int status = run_copy(s, n - 1, words + 1);
        struct timespec pause = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
        if (status > STATUS_NO || shell_interrupted || nanosleep(&pause, NULL) != 0) {
            return status;
        }
    }
}

static int
run_time(struct shell *s, size_t n, char **words)
{
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    int status = shell_run(s, n, words);
    clock_gettime(CLOCK_MONOTONIC, &after);
    double ms = (double)(after.tv_sec - before.tv_sec) * 1e3 + (double)(after.tv_nsec - before.tv_nsec) / 1e6;
    fprintf(stderr, "%.1f ms\n", ms);
    return status;
}

/* ---- the session
 * --------------------------------------------------------------------------------------------------------------- */

static const struct setting {
    const char *name, *choices, *help;
    size_t offset; /* of a char *, or of a bool whose choices are "off on" (first is false) */
    bool flag;
} settings[] = {
    { "output", "json table text record", "the format of answers", offsetof(struct shell, set_output), false },
    { "color", "auto always never", "colour", offsetof(struct shell, set_color), false },
    { "prompt", NULL, "\\l the lab, \\a the account, \\r the region, \\p who acts", offsetof(struct shell, set_prompt),
      false },
    { "expanded", "off on", "tables as records", offsetof(struct shell, expanded), true },
    { "stop", "error any", "a script stops at a status above 1, or above 0", offsetof(struct shell, stop_any), true },
};

static void
show_setting(const struct shell *s, const struct setting *setting, struct buf *out)
{
    const char *place = (const char *)s + setting->offset;
    const char *value = setting->flag ? "" : *(char *const *)place;
    if (setting->flag) {
        const char *space = strchr(setting->choices, ' ');
        bool on = *(const bool *)place;
        buf_printf(out, "%-9s %-8.*s %s\n", setting->name,
                   (int)(on ? strlen(space + 1) : (size_t)(space - setting->choices)),
                   on ? space + 1 : setting->choices, setting->help);
    } else {
        buf_printf(out, "%-9s %-8s %s%s%s\n", setting->name, value ? value : "-", setting->help,
                   setting->choices ? ": " : "", setting->choices ? setting->choices : "");
    }
}

static int
run_set(struct shell *s, size_t n, char **words)
{
    struct err err = { 0 };
    const struct setting *found = NULL;
    struct buf text = { 0 }, names = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        buf_printf(&names, "%s%s", i ? " " : "", settings[i].name);
        if (n == 0) {
            show_setting(s, &settings[i], &text);
        } else if (strcmp(settings[i].name, words[0]) == 0) {
            found = &settings[i];
        }
    }
    int status = STATUS_YES;
    size_t index = 0;
    char word[32];
    if (n == 0) {
        status = shell_print(s, buf_str(&text));
    } else if (!found) {
        err_set(&err, ERR_USAGE, "", "`%s` is not a setting", words[0]);
        err_hint(&err, "one of: %s", buf_str(&names));
    } else if (n == 1) {
        show_setting(s, found, &text);
        status = shell_print(s, buf_str(&text));
    } else {
        bool right = !found->choices;
        for (const char *c = found->choices; c && *c && !right; index++) {
            snprintf(word, sizeof word, "%.*s", (int)strcspn(c, " "), c);
            right = strcmp(word, words[1]) == 0;
            c += strcspn(c, " ") + (c[strcspn(c, " ")] == ' ');
        }
        char *place = (char *)s + found->offset;
        if (!right) {
            err_set(&err, ERR_USAGE, "", "`%s` is not a value of `%s`", words[1], found->name);
            err_hint(&err, "one of: %s", found->choices);
        } else if (found->flag) {
            *(bool *)place = index == 2;
        } else {
            free(*(char **)place);
            *(char **)place = xstrdup(words[1]);
        }
    }
    buf_done(&text);
    buf_done(&names);
    return err.kind ? refuse(s, &err) : status;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
run_vars(struct shell *s, size_t n, char **words)
{
    (void)n;
    (void)words;
    VEC(const char *) names = { 0 };
    struct buf text = { 0 };
    size_t cursor = 0;
    const char *name;
    void *value;
    while (map_next(&s->variables, &cursor, &name, &value)) {
        *VEC_ADD(&names) = name;
    }
    if (names.n) {
        qsort(names.items, names.n, sizeof *names.items, by_name);
    }
    for (size_t i = 0; i < names.n; i++) {
        buf_printf(&text, "%s = %s\n", names.items[i], (const char *)map_get(&s->variables, names.items[i]));
    }
    if (s->last_id[0]) {
        buf_printf(&text, "_ = %s\n", s->last_id);
    }
    int status = shell_print(s, buf_str(&text));
    buf_done(&text);
    VEC_DONE(&names);
    return status;
}

static int
run_history(struct shell *s, size_t n, char **words)
{
    struct buf text = { 0 };
    char *end = "x";
    size_t count = n ? strtoul(words[0], &end, 10) : SIZE_MAX;
    bool by_text = n && (*end || !words[0][0]);
    repl_history(by_text ? SIZE_MAX : count, by_text ? words[0] : NULL, &text);
    int status = shell_print(s, buf_str(&text));
    buf_done(&text);
    return status;
}

static int
run_exit(struct shell *s, size_t n, char **words)
{
    int before = s->status;
    s->leave = true;
    return n ? atoi(words[0]) & 255 : before;
}

static int
run_instead(struct shell *s, size_t n, char **words)
{
    (void)n;
    (void)words;
    return run_help(s, 0, NULL);
}

/* ---- made from the table
 * ------------------------------------------------------------------------------------------------------- */

static int
run_man(struct shell *s, size_t n, char **words)
{
    (void)n;
    (void)words;
    struct buf text = { 0 };
    man_page(&text);
    int status = shell_print(s, buf_str(&text));
    buf_done(&text);
    return status;
}

static int
run_completion(struct shell *s, size_t n, char **words)
{
    (void)n;
    struct err err = { 0 };
    if (strcmp(words[0], "bash") != 0) {
        err_set(&err, ERR_USAGE, "", "there is no completion for `%s`", words[0]);
        err_hint(&err, "write: vpclab completion bash");
        return refuse(s, &err);
    }
    return shell_print(s, completion_bash);
}

/* complete -- WORDS: the last word is the one to complete. */
static int
run_complete(struct shell *s, size_t n, char **words)
{
    struct buf line = { 0 }, text = { 0 };
    struct completion completion;
    size_t first = n > 0 && strcmp(words[0], "--") == 0;
    for (size_t i = first; i < n; i++) {
        char *quoted = i + 1 < n ? line_quote(words[i]) : xstrdup(words[i]);
        buf_printf(&line, "%s%s", i > first ? " " : "", quoted);
        free(quoted);
    }
    completion_find(s, buf_str(&line), line.size, &completion);
    for (size_t i = 0; i < completion.items.n; i++) {
        const struct candidate *c = &completion.items.items[i];
        char *word = strpbrk(c->text, " '\"\\$&;|<>()") ? line_quote(c->text) : xstrdup(c->text);
        buf_printf(&text, "%s%s\n", word, c->more ? "" : " ");
        free(word);
    }
    int status = shell_print(s, buf_str(&text));
    completion_done(&completion);
    buf_done(&line);
    buf_done(&text);
    return status;
}

const struct builtin builtins[] = {
    { "run", "[--seed N] FILE.lua [ARG]...", "Run a scenario on a throw-away lab, or on the one --lab names.",
      "run three-tier   a shipped scenario, by its name\nrun --lab mine ./build.lua 3   on a lab that stays, with an "
      "argument\n",
      "learn", 0, 1, -1, "file", run_scenario },
    { "help", "[COMMAND|SERVICE|TASK]", "List the commands by task, or describe one.", NULL, "prompt", -1, 0, 3, NULL,
      run_help },
    { "source", "FILE", "Run the commands of a file; - is standard input.", NULL, "prompt", -1, 1, 1, "file",
      run_source },
    { "set", "[NAME [VALUE]]", "Show or change a setting of the shell.",
      "set output table   answers as tables from now on\n", "prompt", -1, 0, 2, NULL, run_set },
    { "vars", "", "List the variables: NAME = COMMAND keeps the id that the command made.", NULL, "prompt", -1, 0, 0,
      NULL, run_vars },
    { "history", "[N|TEXT]", "List the lines typed before.", NULL, "prompt", -1, 0, 1, NULL, run_history },
    { "assume", "[PRINCIPAL]", "Act as a user, role or session from here on, or show who acts; `root` ends it.",
      "assume alice\nassume arn:aws:sts::123456789012:assumed-role/app/batch   a session that assume-role gave\n",
      "prompt", -1, 0, 1, "principal", run_assume },
    { "try", "COMMAND...", "Run a command; a script goes on if it fails.", NULL, "prompt", 0, 1, -1, NULL, run_try },
    { "expect", "STATUS|CODE COMMAND...", "Run a command that must fail with that status or AWS code.",
      "expect InvalidVpc.Range ec2 create-vpc --cidr-block 10.0.0.0/8   too large\n", "prompt", 1, 2, -1, NULL,
      run_expect },
    { "repeat", "N COMMAND...", "Run a command N times.", NULL, "prompt", 1, 2, -1, NULL, run_repeat },
    { "watch", "SECONDS COMMAND...", "Run a command again and again until Ctrl-C.", NULL, "prompt", 1, 2, -1, NULL,
      run_watch },
    { "time", "COMMAND...", "Run a command and say how long it took.", NULL, "prompt", 0, 1, -1, NULL, run_time },
    { "man", "", "Print the manual page: vpclab man | man -l -", NULL, "prompt", -1, 0, 0, NULL, run_man },
    { "completion", "bash", "Print the completion script: eval \"$(vpclab completion bash)\"", NULL, "prompt", -1, 1, 1,
      NULL, run_completion },
    { "complete", "-- WORD...", "Print what may stand for the last word; for completion scripts.", NULL, NULL, 0, 0, -1,
      NULL, run_complete },
    { "version", "", "Print the version.", NULL, "prompt", -1, 0, 0, NULL, run_version },
    { "exit", "[STATUS]", "Leave the shell; also quit, end, \\q and Ctrl-D.", NULL, "prompt", -1, 0, 1, NULL,
      run_exit },
    { "quit", "[STATUS]", "Leave the shell.", NULL, NULL, -1, 0, 1, NULL, run_exit },
    { "end", "[STATUS]", "Leave the shell.", NULL, NULL, -1, 0, 1, NULL, run_exit },
    { ":q", "", "Leave the shell.", NULL, NULL, -1, 0, 0, NULL, run_exit },
    { "\\q", "", "Leave the shell.", NULL, NULL, -1, 0, 0, NULL, run_exit },
    { "\\h", "", "List the commands: `help`.", NULL, NULL, -1, 0, 0, NULL, run_instead },
    { "\\?", "", "List the commands: `help`.", NULL, NULL, -1, 0, 0, NULL, run_instead },
    { NULL },
};

const struct builtin *
builtin_find(const char *name)
{
    for (const struct builtin *b = builtins; b->name; b++) {
        if (strcmp(b->name, name) == 0) {
            return b;
        }
    }
    return NULL;
}

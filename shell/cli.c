#include "shell/cli.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "shell/repl.h"
#include "shell/shell.h"

/* -c and -f stand before any command: behind one they may be its own. */
struct start {
    const char *commands, *file;
};

static bool
take_start(struct start *start, size_t *n, char **words, struct err *err)
{
    size_t kept = 0, i = 0;
    while (i < *n) {
        bool takes_value = false, command = strcmp(words[i], "-c") == 0, file = strcmp(words[i], "-f") == 0;
        if (command || file) {
            if (i + 1 == *n) {
                return err_set(err, ERR_USAGE, "", command ? "`-c` needs commands" : "`-f` needs a file");
            }
            *(command ? &start->commands : &start->file) = words[i + 1];
            i += 2;
        } else if (global_option_find(words[i], &takes_value)) {
            words[kept++] = words[i++];
            if (takes_value && i < *n) {
                words[kept++] = words[i++];
            }
        } else {
            break;
        }
    }
    if ((start->commands || start->file) && i < *n) {
        err_set(err, ERR_USAGE, "", "`%s` is one command too many beside `%s`", words[i],
                start->commands ? "-c" : "-f");
        return err_hint(err, "write all commands in one argument, separated by `;`");
    }
    if (start->commands && start->file) {
        return err_set(err, ERR_USAGE, "", "`-c` and `-f` exclude each other");
    }
    while (i < *n) {
        words[kept++] = words[i++];
    }
    *n = kept;
    return true;
}

/* True if something is left for shell_run(): words, or an option that is a request of its own. */
static bool
asks_something(size_t n, char *const *words)
{
    for (size_t i = 0; i < n; i++) {
        bool takes_value = false;
        const struct global_option *o = global_option_find(words[i], &takes_value);
        if (!o || strcmp(o->name, "help") == 0 || strcmp(o->name, "version") == 0) {
            return true;
        }
        i += takes_value;
    }
    return false;
}

int
cli_main(int argc, char **argv)
{
    struct start start = { 0 };
    struct options options = { 0 };
    struct shell session;
    struct err err = { 0 };
    size_t n = (size_t)argc - 1;
    char **words = argv + 1;
    int status;
    setlocale(LC_CTYPE, "");
    shell_init(&session, &options);
    if (!take_start(&start, &n, words, &err)) {
        status = shell_fail(&session, &err, 0, NULL);
        fputs("Try 'vpclab --help'.\n", stderr);
    } else if (!start.commands && !start.file && asks_something(n, words)) {
        status = shell_run(&session, n, words);
    } else if (!options_take(&session.options, &n, words, n, &err)) {
        status = shell_fail(&session, &err, 0, NULL);
        fputs("Try 'vpclab --help'.\n", stderr);
    } else if (start.commands) {
        status = shell_run_text(&session, start.commands, NULL);
    } else if (!start.file && isatty(STDIN_FILENO)) {
        status = repl_run(&session);
    } else {
        status = shell_run_file(&session, start.file ? start.file : "-");
    }
    shell_done(&session);
    return status;
}

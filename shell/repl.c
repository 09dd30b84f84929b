#include "shell/repl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "shell/completion.h"
#include "shell/output.h"

#define HISTORY_MAX 5000
#define LIST_MAX    100 /* candidates shown one by one; more are counted */

/* readline calls back without a context: there is one prompt in a process. */
static struct {
    struct shell *session;
    char *history; /* path; NULL: not kept */
    char *line;    /* what readline has just read */
    bool got_line, end;
} repl;

/* ---- history
 * -------------------------------------------------------------------------------------------------------------------
 */

/* $VPCLAB_HISTFILE, else $XDG_STATE_HOME/vpclab/history with its directory made; NULL where there is no place for it.
 */
static char *
history_path(void)
{
    const char *set = getenv("VPCLAB_HISTFILE"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (set) {
        return *set ? xstrdup(set) : NULL;
    }
    if (!(state && *state == '/') && !(home && *home == '/')) {
        return NULL;
    }
    char *path = state && *state == '/' ? xasprintf("%s/vpclab/history", state)
                                        : xasprintf("%s/.local/state/vpclab/history", home);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    return path;
}

static void
history_begin(void)
{
    using_history();
    stifle_history(HISTORY_MAX);
    history_write_timestamps = 1; /* and so an input of several lines stays one entry */
    history_comment_char = '#';
    history_multiline_entries = 1;
    repl.history = history_path();
    if (!repl.history) {
        return;
    }
    read_history(repl.history);
    if (history_length >= HISTORY_MAX) {
        history_truncate_file(repl.history, HISTORY_MAX);
    }
}

static bool
is_secret(const char *text)
{
    return strstr(text, "--secret-access-key") || strstr(text, "--session-token") || strstr(text, "--password");
}

static void
history_keep(const char *text)
{
    HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
    if (text[0] == ' ' || !text[strspn(text, " \t\n")] || is_secret(text) || (last && strcmp(last->line, text) == 0)) {
        return;
    }
    add_history(text);
    if (!repl.history) {
        return;
    }
    mode_t before = umask(077);
    if (append_history(1, repl.history) != 0) {
        write_history(repl.history); /* the first line ever */
    }
    umask(before);
    chmod(repl.history, 0600);
}

void
repl_history(size_t n, const char *text, struct buf *out)
{
    int first = 0;
    if (!text && n < (size_t)history_length) {
        first = history_length - (int)n;
    }
    for (int i = first; i < history_length; i++) {
        HIST_ENTRY *entry = history_get(history_base + i);
        if (entry && (!text || strstr(entry->line, text))) {
            buf_printf(out, "%5d  %s\n", history_base + i, entry->line);
        }
    }
}

/* ---- completion at the key
 * ----------------------------------------------------------------------------------------------------- */

static size_t
screen_width(void)
{
    struct winsize screen;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &screen) == 0 && screen.ws_col ? screen.ws_col : 80;
}

/* What a candidate is called in a list: without the directories before it. */
static const char *
short_name(const struct candidate *c)
{
    size_t size = strlen(c->text);
    const char *slash = size > 1 ? memrchr(c->text, '/', size - 1) : NULL;
    return slash && (strstr(c->text, "file") == c->text || c->text[0] == '/' || c->text[0] == '.') ? slash + 1
                                                                                                   : c->text;
}

static void
list_in_columns(const struct completion *completion)
{
    size_t widest = 0, width = screen_width();
    for (size_t i = 0; i < completion->items.n; i++) {
        size_t size = strlen(short_name(&completion->items.items[i])) + completion->items.items[i].required;
        widest = size > widest ? size : widest;
    }
    size_t columns = width / (widest + 2) ? width / (widest + 2) : 1;
    size_t rows = (completion->items.n + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < completion->items.n; i += rows) {
            const struct candidate *c = &completion->items.items[i];
            int size = printf("%s%s", short_name(c), c->required ? "*" : "");
            if (i + rows < completion->items.n) {
                printf("%*s", (int)widest + 2 - size, "");
            }
        }
        putchar('\n');
    }
}

static void
list_with_details(const struct completion *completion)
{
    size_t widest = 0, width = screen_width();
    for (size_t i = 0; i < completion->items.n; i++) {
        size_t size = strlen(short_name(&completion->items.items[i]));
        widest = size > widest && size < 48 ? size : widest;
    }
    for (size_t i = 0; i < completion->items.n; i++) {
        const struct candidate *c = &completion->items.items[i];
        int room = (int)width - (int)widest - 6;
        printf("%s %-*s  %.*s\n", c->required ? "*" : " ", (int)widest, short_name(c), room > 0 ? room : 0, c->detail);
    }
}

/* More than LIST_MAX: how many begin with each piece up to a dash or dot. */
static void
list_groups(const struct completion *completion)
{
    printf("%zu possibilities:\n", completion->items.n);
    for (size_t i = 0; i < completion->items.n;) {
        const char *text = completion->items.items[i].text;
        size_t size = strcspn(text + strspn(text, "-"), "-.:/") + strspn(text, "-"), n = 0;
        while (i < completion->items.n && strncmp(completion->items.items[i].text, text, size) == 0) {
            n++;
            i++;
        }
        printf("  %.*s... %zu\n", (int)size, text, n);
    }
}

static void
show_candidates(const struct completion *completion, bool details)
{
    putchar('\n');
    if (completion->items.n > LIST_MAX) {
        list_groups(completion);
    } else if (details) {
        list_with_details(completion);
    } else {
        list_in_columns(completion);
    }
    fflush(stdout);
    rl_on_new_line();
    rl_redisplay();
}

static size_t
common_size(const struct completion *completion)
{
    const char *first = completion->items.items[0].text;
    size_t size = strlen(first);
    for (size_t i = 1; i < completion->items.n; i++) {
        size_t k = 0;
        while (k < size && first[k] == completion->items.items[i].text[k]) {
            k++;
        }
        size = k;
    }
    while (size && ((unsigned char)first[size] & 0xc0) == 0x80) {
        size--; /* never half a character */
    }
    return size;
}

/* Puts what all candidates have in common in the place of the word; true if that changed the line. */
static bool
insert_common(const struct completion *completion)
{
    char *text = xstrndup(completion->items.items[0].text, common_size(completion));
    char *quoted = completion->quote ? xasprintf("%c%s", completion->quote, text)
                   : text[0] == '$'  ? xstrdup(text)
                                     : line_quote(text);
    bool only = completion->items.n == 1, more = completion->items.items[0].more;
    if (quoted[0] == '\'' && !only && !completion->quote) {
        quoted[strlen(quoted) - 1] = '\0'; /* the word goes on: leave its quote open */
    }
    char *word = only && !more ? xasprintf("%s%s ", quoted, completion->quote ? (char[]){ completion->quote, 0 } : "")
                               : xstrdup(quoted);
    size_t start = completion->start, size = (size_t)rl_point - start;
    bool changed = strlen(word) != size || strncmp(rl_line_buffer + start, word, size) != 0;
    /* Shorter than what stands there: the candidates differ before the cursor (a Name tag and an id); leave the word.
     */
    if (changed && (only || strlen(text) > 0) && strlen(word) >= size) {
        rl_begin_undo_group();
        rl_delete_text((int)start, rl_point);
        rl_point = (int)start;
        rl_insert_text(word);
        rl_end_undo_group();
    } else {
        changed = false;
    }
    free(word);
    free(quoted);
    free(text);
    return changed;
}

static int
on_tab(int count, int key)
{
    struct completion completion;
    bool again = rl_last_func == on_tab;
    (void)count;
    (void)key;
    completion_find(repl.session, rl_line_buffer, (size_t)rl_point, &completion);
    if (completion.items.n == 0) {
        rl_ding();
    } else if (!insert_common(&completion) && completion.items.n > 1) {
        show_candidates(&completion, again);
    }
    completion_done(&completion);
    return 0;
}

/* ? outside quotes says what may come next; the line stays as it is. */
static int
on_question(int count, int key)
{
    struct completion completion;
    completion_find(repl.session, rl_line_buffer, (size_t)rl_point, &completion);
    bool inside =
        completion.quote || (completion.start < (size_t)rl_point && strpbrk(rl_line_buffer + completion.start, "[{*"));
    if (inside) {
        completion_done(&completion);
        return rl_insert(count, key);
    }
    printf("?\n  %s", completion.what);
    if (completion.items.n) {
        show_candidates(&completion, true);
    } else {
        putchar('\n');
        rl_on_new_line();
        rl_redisplay();
    }
    completion_done(&completion);
    return 0;
}

/* ---- lines
 * ---------------------------------------------------------------------------------------------------------------------
 */

static void
on_line(char *line)
{
    rl_callback_handler_remove();
    repl.line = line;
    repl.got_line = true;
    repl.end = line == NULL;
}

/* One line; NULL at the end of input.  Sets *dropped when Ctrl-C came instead. */
static char *
read_one(const char *prompt, bool *dropped)
{
    *dropped = false;
    repl.got_line = repl.end = false;
    shell_interrupted = 0;
    rl_callback_handler_install(prompt, on_line);
    while (!repl.got_line) {
        struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
        int n = poll(&input, 1, -1);
        if (shell_interrupted) {
            shell_interrupted = 0;
            rl_callback_sigcleanup();
            fputs("^C\n", rl_outstream);
            rl_free_undo_list();
            rl_replace_line("", 1);
            rl_callback_handler_remove();
            *dropped = true;
            return NULL;
        }
        if (n > 0) {
            rl_callback_read_char();
        } else if (n < 0 && errno == EINTR) {
            rl_resize_terminal();
        }
    }
    return repl.line;
}

/* "alice" of "arn:aws:iam::123456789012:user/alice", "app/batch" of a session, "root". */
static void
add_who(const struct cloud *cloud, struct buf *text)
{
    char *arn = cloud_who(cloud);
    const char *name = strrchr(arn, ':') + 1;
    name += strncmp(name, "assumed-role/", 13) == 0 ? 13 : strncmp(name, "user/", 5) == 0 ? 5 : 0;
    buf_str_add(text, name);
    free(arn);
}

/* A template with \l, \a, \r, \p: the lab, the account, the region, who acts. */
static char *
make_prompt(struct shell *s)
{
    struct err ignored = { 0 };
    struct cloud *cloud = shell_cloud(s, &s->options, &ignored);
    struct buf text = { 0 };
    bool color = output_color(&s->options, STDOUT_FILENO);
    bool somebody = cloud && cloud_act_as(cloud, shell_as(s, &s->options), &ignored) && cloud->as;
    const char *template = s->set_prompt ? s->set_prompt
                           : somebody    ? "vpclab \\l \\a \\r \\p> "
                                         : "vpclab \\l \\a \\r> ";
    for (const char *c = template; *c; c++) {
        if (c[0] != '\\' || !c[1]) {
            buf_char(&text, *c);
            continue;
        }
        switch (*++c) {
        case 'l':
            buf_printf(&text, color ? "\001\033[1m\002%s%s\001\033[0m\002" : "%s%s",
                       cloud ? cloud_lab_name(cloud) : "?", cloud && cloud_is_live(cloud) ? " (live)" : "");
            break;
        case 'a':
            buf_str_add(&text, cloud ? cloud->account : "?");
            break;
        case 'r':
            buf_str_add(&text, cloud ? cloud->region : "?");
            break;
        case 'p':
            if (cloud) {
                add_who(cloud, &text);
            }
            break;
        default:
            buf_printf(&text, "\\%c", *c);
        }
    }
    return buf_steal(&text);
}

/* One whole input, continuation lines included; NULL when it was dropped or ended. */
static char *
read_input(struct shell *s, bool *end)
{
    struct buf text = { 0 };
    char *prompt = make_prompt(s);
    bool dropped = false, more = false;
    *end = false;
    do {
        char *line = read_one(more ? "   ...> " : prompt, &dropped);
        if (!line) {
            *end = !dropped && !more;
            if (more && !dropped) {
                fputs("\n", rl_outstream); /* Ctrl-D in the middle drops the input, as Ctrl-C does */
            }
            free(prompt);
            buf_done(&text);
            return NULL;
        }
        buf_printf(&text, "%s%s", more ? "\n" : "", line);
        free(line);
        more = true;
    } while (line_check(buf_str(&text), NULL) == LINE_MORE);
    free(prompt);
    return buf_steal(&text);
}

static void
on_interrupt(int number)
{
    (void)number;
    shell_interrupted = 1;
}

static void
begin(struct shell *s)
{
    struct sigaction action = { .sa_handler = on_interrupt };
    repl.session = s;
    s->interactive = true;
    rl_readline_name = "vpclab";
    rl_catch_signals = 0;
    rl_variable_bind("enable-bracketed-paste", "on");
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTSTP, SIG_IGN);
    rl_initialize();
    rl_bind_key('\t', on_tab);
    rl_bind_key('?', on_question);
    history_begin();
}

/* $XDG_CONFIG_HOME/vpclab/vpclabrc. */
static void
run_rc(struct shell *s)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *path = config && *config == '/' ? xasprintf("%s/vpclab/vpclabrc", config)
                 : home                   ? xasprintf("%s/.config/vpclab/vpclabrc", home)
                                          : NULL;
    if (path && !s->options.no_rc && access(path, R_OK) == 0) {
        shell_run_file(s, path);
    }
    free(path);
}

int
repl_run(struct shell *s)
{
    begin(s);
    run_rc(s);
    puts("vpclab " VPCLAB_VERSION "; `help` lists the commands, Tab and ? say what comes next, Ctrl-D leaves.");
    while (!s->leave) {
        bool end;
        char *text = read_input(s, &end);
        if (end) {
            putchar('\n');
            break;
        }
        if (!text) {
            continue;
        }
        history_keep(text);
        /* psql's words, which the grammar would read as a quoted letter. */
        const char *word = text + strspn(text, " \t");
        char *psql[] = { (char *)word };
        if (word[0] == '\\' && strlen(word) == 2 && word[1] != '\n') {
            shell_run(s, 1, psql);
        } else {
            shell_run_text(s, text, NULL);
        }
        if (shell_interrupted) {
            putchar('\n'); /* the terminal has shown ^C */
        }
        free(text);
    }
    if (s->cloud && cloud_is_live(s->cloud)) {
        output_note(&s->options, "lab `%s` stays live; `vpclab down` takes it down", cloud_lab_name(s->cloud));
    }
    free(repl.history);
    return s->status;
}

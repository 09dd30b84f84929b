#include "shell/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/monotonic.h"

#define RED    "\033[1;31m"
#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define BOLD   "\033[1m"
#define PLAIN  "\033[0m"

bool
output_color(const struct options *options, int fd)
{
    if (options->color && strcmp(options->color, "auto") != 0) {
        return strcmp(options->color, "always") == 0;
    }
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb") != 0 && !(no_color && *no_color);
}

/* ---- answers
 * -------------------------------------------------------------------------------------------------------------------
 */

static bool
write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            text += n;
            size -= (size_t)n;
        }
    }
    return true;
}

void
output_paint(const char *text, struct buf *out)
{
    static const struct {
        const char *word, *color;
    } verdicts[] = {
        { "REACHABLE", GREEN }, { "ALLOWED", GREEN }, { "ok", GREEN },     { "BLOCKED", RED },
        { "DENIED", RED },      { "NO", RED },        { "hint:", YELLOW },
    };
    while (*text) {
        size_t size = strcspn(text, "\n"), word = strcspn(text, " \n");
        const char *color = NULL;
        for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
            bool same = strlen(verdicts[i].word) == word && strncmp(text, verdicts[i].word, word) == 0;
            color = same ? verdicts[i].color : color;
        }
        if (color) {
            buf_printf(out, "%s%.*s" PLAIN, color, (int)word, text);
            text += word;
            size -= word;
        }
        size += text[size] == '\n';
        buf_add(out, text, size);
        text += size;
    }
}

static bool
taller_than_screen(const char *text, size_t size)
{
    struct winsize screen;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &screen) != 0 || screen.ws_row == 0 || screen.ws_col == 0) {
        return false;
    }
    size_t lines = 0, column = 0;
    for (size_t i = 0; i < size; i++) {
        column = text[i] == '\n' ? 0 : column + 1;
        lines += text[i] == '\n' || column == screen.ws_col;
    }
    return lines + 1 >= screen.ws_row;
}

/* The pager to use: VPCLAB_PAGER, PAGER, less; NULL for none. */
static const char *
pager(const struct options *options, const char *text, size_t size)
{
    if (options->no_pager || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !taller_than_screen(text, size)) {
        return NULL;
    }
    const char *command = getenv("VPCLAB_PAGER");
    command = command ? command : getenv("PAGER");
    command = command ? command : "less";
    return *command ? command : NULL;
}

bool
output_answer(const struct options *options, const char *text, size_t size)
{
    fflush(stdout);
    const char *command = pager(options, text, size);
    if (command) {
        setenv("LESS", "FRX", 0);
        FILE *pipe = popen(command, "w");
        if (pipe) {
            /* The reader may quit before the end: that is no error. */
            void (*before)(int) = signal(SIGPIPE, SIG_IGN);
            fwrite(text, 1, size, pipe);
            int status = pclose(pipe);
            signal(SIGPIPE, before);
            if (!(WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
                return true;
            }
        }
    }
    return write_all(STDOUT_FILENO, text, size);
}

void
output_note(const struct options *options, const char *format, ...)
{
    if (options->quiet) {
        return;
    }
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ---- errors
 * --------------------------------------------------------------------------------------------------------------------
 */

/* The value of an option in the command's words, "--policy-document"; NULL if it is not there. */
static const char *
option_value(const char *option, size_t n, char *const *words)
{
    size_t size = strlen(option);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(words[i], option, size) == 0 && words[i][size] == '=') {
            return words[i] + size + 1;
        }
        if (strcmp(words[i], option) == 0 && i + 1 < n) {
            return words[i + 1];
        }
    }
    return NULL;
}

/* An operation names a document by what it is ("the policy read"), a person by where it came from.  If the command has
 * one document only, that is it: its file, or its option. */
static const char *
only_document(size_t n, char *const *words)
{
    const char *found = NULL;
    size_t n_found = 0;
    for (size_t i = 1; i < n; i++) {
        bool file = strncmp(words[i], "file://", 7) == 0, inline_ = strchr("{[", words[i][0]) && words[i][0];
        if ((file || inline_) && strncmp(words[i - 1], "--", 2) == 0) {
            found = file ? words[i] + 7 : words[i - 1];
            n_found++;
        }
    }
    return n_found == 1 ? found : NULL;
}

/* The text that 'where' names: a file, or an option of the command.  The caller frees it; NULL if it cannot be had. */
static char *
document(const char *where, size_t n, char *const *words)
{
    if (strncmp(where, "--", 2) == 0) {
        const char *value = option_value(where, n, words);
        if (value && strncmp(value, "file", 4) != 0) {
            return xstrdup(value);
        }
        where = value ? strstr(value, "://") : NULL;
        where = where ? where + 3 : NULL;
    }
    struct buf text = { 0 };
    struct stat st;
    /* Only regular files: reading a pipe or a terminal a second time would wait or take what is not ours. */
    if (!where || stat(where, &st) != 0 || !S_ISREG(st.st_mode) || !buf_read_file(&text, where, 16u << 20, NULL)) {
        buf_done(&text);
        return NULL;
    }
    return buf_steal(&text);
}

static size_t
char_size(const char *text)
{
    size_t size = text[0] ? 1 : 0;
    while (size && ((unsigned char)text[size] & 0xc0) == 0x80) {
        size++;
    }
    return size;
}

/* How many characters the thing at 'at' has: a string with its quotes, a word, one sign. */
static size_t
mark_length(const char *at)
{
    size_t length = 0;
    const char *word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    if (*at == '"') {
        for (length = 1, at++; *at && *at != '\n' && *at != '"'; at += char_size(at)) {
            length++;
        }
        return length + (*at == '"');
    }
    length = strspn(at, word);
    return length ? length : 1;
}

/*     7 |       "Action": "s3:GetObjct",
 *       |                 ^~~~~~~~~~~~~      */
static void
show_line(const struct err *err, const char *text, bool color)
{
    const char *line = text;
    for (int i = 1; i < err->line && line; i++) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (!line || !*line) {
        return;
    }
    int size = (int)strcspn(line, "\r\n");
    const char *at = line;
    struct buf under = { 0 };
    for (int i = 1; i < err->column && at < line + size; i++) {
        buf_char(&under, *at == '\t' ? '\t' : ' ');
        at += char_size(at);
    }
    /* A document on one line may be very long: show what surrounds the place. */
    const char *from = line;
    size_t cut = 0;
    if (size > 100 && under.size > 50) {
        cut = under.size - 50;
        for (size_t i = 0; i < cut; i++) {
            from += char_size(from);
        }
        size -= (int)(from - line);
    }
    int shown = size > 100 ? 100 : size;
    while (shown < size && ((unsigned char)from[shown] & 0xc0) == 0x80) {
        shown++;
    }
    fprintf(stderr, "%5d | %s%.*s%s\n      | %s%s%s^", err->line, cut ? "..." : "", shown, from,
            shown < size ? "..." : "", cut ? "   " : "", buf_str(&under) + cut, color ? GREEN : "");
    size_t length = mark_length(at);
    for (size_t i = 1; i < length && i < 60; i++) {
        fputc('~', stderr);
    }
    fprintf(stderr, "%s\n", color ? PLAIN : "");
    buf_done(&under);
}

void
output_error(const struct options *options, const struct err *err, size_t n, char *const *words, const char *script,
             int line)
{
    bool color = output_color(options, STDERR_FILENO);
    const char *where = err->where;
    char *text = err->line && err->column && *where ? document(where, n, words) : NULL;
    if (err->line && err->column && !text && only_document(n, words)) {
        where = only_document(n, words);
        text = document(where, n, words);
    }
    fflush(stdout);
    if (script) {
        fprintf(stderr, "%s:%d: ", script, line);
    } else if (!err->line) {
        fputs("vpclab: ", stderr);
    }
    if (err->line && *where) {
        fprintf(stderr, err->column ? "%s:%d:%d: " : "%s:%d: ", where, err->line, err->column);
    } else if (err->line) {
        fprintf(stderr, "line %d, column %d: ", err->line, err->column);
    }
    fprintf(stderr, "%serror:%s ", color ? RED : "", color ? PLAIN : "");
    if (!err->line && *where && !strstr(err->text, where)) {
        fprintf(stderr, "%s: ", where);
    }
    fputs(err->text, stderr);
    if (err->code[0]) {
        fprintf(stderr, " %s[%s]%s", color ? BOLD : "", err->code, color ? PLAIN : "");
    }
    fputc('\n', stderr);
    if (text) {
        show_line(err, text, color);
    }
    free(text);
    if (err->hint[0]) {
        fprintf(stderr, "%shint:%s %s\n", color ? YELLOW : "", color ? PLAIN : "", err->hint);
    }
}

/* ---- progress
 * ------------------------------------------------------------------------------------------------------------------ */

static void
report(void *context, const char *what, size_t done, size_t total)
{
    struct output_progress *p = context;
    if (!isatty(STDERR_FILENO)) {
        if (p->options->verbose) {
            fprintf(stderr, "[%zu/%zu] %s\n", done, total, what);
        }
        return;
    }
    int64_t passed = monotonic_ms() - p->start_ms;
    if (passed < 300 || p->options->quiet) {
        return;
    }
    int width = snprintf(NULL, 0, "%zu", total);
    fprintf(stderr, "\r\033[K[%*zu/%zu] %.60s", width, done, total, what);
    if (passed > 2000 && done > 0 && done < total) {
        fprintf(stderr, ", %lld s left", (long long)(passed * (int64_t)(total - done) / (int64_t)done / 1000 + 1));
    }
    fflush(stderr);
    p->shown = true;
}

static void
write_part(void *context, const char *text)
{
    output_progress_done(context);
    fputs(text, stdout);
    fflush(stdout);
}

void
output_progress_init(struct output_progress *p, const struct options *options)
{
    *p = (struct output_progress){ .options = options, .start_ms = monotonic_ms() };
    p->progress = (struct progress){ .report = report, .context = p, .write = write_part };
}

void
output_progress_done(struct output_progress *p)
{
    if (p->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        p->shown = false;
    }
}

/* ---- pipes and files
 * ----------------------------------------------------------------------------------------------------------- */

static long
spawn_host(const char *command, int input, const struct output_sink *sink)
{
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    if (input >= 0) {
        dup2(input, STDIN_FILENO);
        dup2(sink->saved, STDOUT_FILENO);
    }
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static int
wait_host(long pid)
{
    int status;
    while (waitpid((pid_t)pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return 127;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
output_host(const char *command)
{
    fflush(NULL);
    long pid = spawn_host(command, -1, NULL);
    return pid < 0 ? 127 : wait_host(pid);
}

bool
output_sink_open(struct output_sink *sink, const struct line_command *command, struct err *err)
{
    *sink = (struct output_sink){ .saved = -1 };
    if (command->sink == LINE_PRINT) {
        return true;
    }
    int fds[2] = { -1, -1 };
    fflush(stdout);
    if (command->sink == LINE_PIPE) {
        if (pipe2(fds, O_CLOEXEC) != 0) {
            return err_set(err, ERR_MACHINE, "", "cannot make a pipe: %s", strerror(errno));
        }
    } else {
        fds[1] = open(command->target,
                      O_WRONLY | O_CREAT | O_CLOEXEC | (command->sink == LINE_APPEND ? O_APPEND : O_TRUNC), 0666);
        if (fds[1] < 0) {
            return err_set(err, ERR_MACHINE, "", "cannot write `%s`: %s", command->target, strerror(errno));
        }
    }
    sink->saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    if (command->sink == LINE_PIPE) {
        sink->pid = spawn_host(command->target, fds[0], sink);
        close(fds[0]);
    }
    dup2(fds[1], STDOUT_FILENO);
    close(fds[1]);
    return true;
}

int
output_sink_close(struct output_sink *sink)
{
    if (sink->saved < 0) {
        return 0;
    }
    fflush(stdout);
    dup2(sink->saved, STDOUT_FILENO);
    close(sink->saved);
    sink->saved = -1;
    return sink->pid > 0 ? wait_host(sink->pid) : 0;
}

#include "shell/line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void
line_reader_init(struct line_reader *reader, const char *text, line_lookup *lookup, void *context)
{
    *reader =
        (struct line_reader){ .text = text, .size = strlen(text), .line = 1, .lookup = lookup, .context = context };
}

void
line_command_done(struct line_command *command)
{
    for (size_t i = 0; i < command->words.n; i++) {
        free(command->words.items[i].text);
    }
    VEC_DONE(&command->words);
    free(command->variable);
    free(command->target);
    free(command->host);
    *command = (struct line_command){ 0 };
}

static int
peek(const struct line_reader *r, size_t ahead)
{
    return r->at + ahead < r->size ? (unsigned char)r->text[r->at + ahead] : -1;
}

/* Every step over the text goes through here, so that line numbers are right and heredoc bodies are jumped over. */
static void
advance(struct line_reader *r)
{
    if (r->text[r->at++] != '\n') {
        return;
    }
    r->line++;
    if (r->heredoc_end) {
        for (; r->at < r->heredoc_end; r->at++) {
            r->line += r->text[r->at] == '\n';
        }
        r->heredoc_end = 0;
    }
}

static bool
name_start(int c)
{
    return c == '_' || isalpha(c);
}

static bool
name_char(int c)
{
    return c == '_' || isalnum(c);
}

/* Where in the text byte 'at' is, as the error's place. */
static enum line_status
wrong(const struct line_reader *r, size_t at, struct err *err, enum line_status status)
{
    int line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        if (r->text[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)r->text[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    err_at(err, r->where ? r->where : "", line, column);
    return status;
}

/* $name, ${name}, $_ at the reader; anything else leaves the $ as it is (policy variables, regular expressions). */
static enum line_status
read_variable(struct line_reader *r, struct buf *out, struct err *err)
{
    size_t start = r->at, braces = peek(r, 1) == '{', from = start + 1 + braces, to = from;
    if (to < r->size && name_start((unsigned char)r->text[to])) {
        while (to < r->size && name_char((unsigned char)r->text[to])) {
            to++;
        }
    }
    if (to == from || (braces && (to >= r->size || r->text[to] != '}'))) {
        buf_char(out, '$');
        r->at++;
        return LINE_COMMAND;
    }
    r->at = to + braces;
    if (!r->lookup) { /* nobody knows the values yet: it stands for itself, so that `> $file` has a file */
        buf_add(out, r->text + start, r->at - start);
        return LINE_COMMAND;
    }
    char *name = xstrndup(r->text + from, to - from);
    const char *value = r->lookup(r->context, name);
    if (value) {
        buf_str_add(out, value);
    } else if (!r->tolerant) {
        if (strcmp(name, "_") == 0) {
            err_set(err, ERR_USAGE, "", "`$_` is the last id made, and nothing has been made yet");
        } else {
            err_set(err, ERR_USAGE, "", "there is no variable `$%s`", name);
            err_hint(err, "set it with `%s = COMMAND`, or write '$%s' in single quotes to mean the text itself", name,
                     name);
        }
    }
    free(name);
    return err && err->kind ? wrong(r, start, err, LINE_WRONG) : LINE_COMMAND;
}

/* A bracketed JSON value, strings and newlines included.  What JSON itself makes of it is for the parameter's reader.
 */
static enum line_status
read_json(struct line_reader *r, struct buf *out, char *open, struct err *err)
{
    char stack[512];
    size_t depth = 0, start = r->at, places[512];
    bool string = false;
    for (; r->at < r->size; advance(r)) {
        char c = r->text[r->at];
        buf_char(out, c);
        if (string) {
            if (c == '\\' && r->at + 1 < r->size) {
                advance(r);
                buf_char(out, r->text[r->at]);
            } else if (c == '"') {
                string = false;
            }
        } else if (c == '"') {
            string = true;
        } else if (c == '{' || c == '[') {
            if (depth == sizeof stack) {
                err_set(err, ERR_USAGE, "", "brackets are nested more than %zu deep", sizeof stack);
                return wrong(r, r->at, err, LINE_WRONG);
            }
            places[depth] = r->at;
            stack[depth++] = c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (stack[depth - 1] != c) {
                err_set(err, ERR_USAGE, "", "`%c` does not close the `%c` before it", c,
                        stack[depth - 1] == '}' ? '{' : '[');
                return wrong(r, r->at, err, LINE_WRONG);
            }
            if (--depth == 0) {
                advance(r);
                return LINE_COMMAND;
            }
        }
    }
    *open = string ? '"' : r->text[start];
    if (r->tolerant) {
        return LINE_COMMAND;
    }
    err_set(err, ERR_USAGE, "", "`%c` is never closed", r->text[places[depth - 1]]);
    return wrong(r, places[depth - 1], err, LINE_MORE);
}

static enum line_status
read_quoted(struct line_reader *r, struct buf *out, char *open, struct err *err)
{
    size_t start = r->at;
    char quote = r->text[r->at];
    advance(r);
    while (r->at < r->size) {
        char c = r->text[r->at];
        if (c == quote) {
            advance(r);
            return LINE_COMMAND;
        }
        if (quote == '"' && c == '$') {
            enum line_status status = read_variable(r, out, err);
            if (status != LINE_COMMAND) {
                return status;
            }
            continue;
        }
        if (quote == '"' && c == '\\' && r->at + 1 < r->size && strchr("\"\\$`\n", r->text[r->at + 1])) {
            advance(r);
            if (r->text[r->at] != '\n') {
                buf_char(out, r->text[r->at]);
            }
            advance(r);
            continue;
        }
        buf_char(out, c);
        advance(r);
    }
    *open = quote;
    if (r->tolerant) {
        return LINE_COMMAND;
    }
    err_set(err, ERR_USAGE, "", "the quote %c is never closed", quote);
    return wrong(r, start, err, LINE_MORE);
}

/* The body of <<json: from 'at' up to the end of the JSON value that begins there.  Returns where the next line begins,
 * 0 if it does not end. */
static size_t
json_body_end(const struct line_reader *r, size_t at, struct buf *out)
{
    struct line_reader body = *r;
    body.at = at;
    body.heredoc_end = 0;
    body.tolerant = true;
    while (body.at < body.size && isspace((unsigned char)body.text[body.at])) {
        body.at++;
    }
    char open = 0;
    if (body.at == body.size || !strchr("{[", body.text[body.at]) ||
        read_json(&body, out, &open, NULL) != LINE_COMMAND || open) {
        return 0;
    }
    const char *newline = memchr(body.text + body.at, '\n', body.size - body.at);
    return newline ? (size_t)(newline + 1 - body.text) : body.size;
}

/* Adds one line of a heredoc; variables are replaced unless it is literal. */
static enum line_status
heredoc_line(const struct line_reader *r, size_t from, size_t to, bool literal, struct buf *out, struct err *err)
{
    struct line_reader body = *r;
    body.heredoc_end = 0;
    body.at = from;
    body.size = to;
    while (body.at < to) {
        if (literal || body.text[body.at] != '$') {
            buf_char(out, body.text[body.at++]);
        } else if (read_variable(&body, out, err) != LINE_COMMAND) {
            return LINE_WRONG;
        }
    }
    buf_char(out, '\n');
    return LINE_COMMAND;
}

/* <<END, <<'END' (as it is), <<-END (leading tabs off), <<json (ends when the JSON does).  The body begins on the next
 * line, or after the heredoc before it on this line. */
static enum line_status
read_heredoc(struct line_reader *r, struct buf *out, char *open, struct err *err)
{
    size_t start = r->at;
    r->at += 2;
    bool tabs = peek(r, 0) == '-';
    r->at += tabs;
    char quote = (char)(peek(r, 0) == '\'' || peek(r, 0) == '"' ? peek(r, 0) : 0);
    r->at += quote != 0;
    size_t from = r->at;
    while (r->at < r->size && !isspace((unsigned char)r->text[r->at]) && !strchr("'\";|<>", r->text[r->at])) {
        r->at++;
    }
    char *end = xstrndup(r->text + from, r->at - from);
    size_t end_size = strlen(end);
    if (quote && peek(r, 0) == quote) {
        r->at++;
    }
    enum line_status status = LINE_COMMAND;
    size_t at = r->heredoc_end;
    const char *newline = at ? NULL : memchr(r->text + r->at, '\n', r->size - r->at);
    if (end_size == 0) {
        err_set(err, ERR_USAGE, "", "`<<` needs the word that ends the text");
        err_hint(err, "write <<END, the lines, and END alone on the last line");
        status = wrong(r, start, err, LINE_WRONG);
        goto out;
    }
    at = newline ? (size_t)(newline + 1 - r->text) : at;
    if (at && !quote && strcmp(end, "json") == 0) {
        r->heredoc_end = json_body_end(r, at, out);
    } else {
        for (r->heredoc_end = 0; at && at < r->size && !r->heredoc_end && status == LINE_COMMAND;) {
            const char *stop = memchr(r->text + at, '\n', r->size - at);
            size_t to = stop ? (size_t)(stop - r->text) : r->size, text = at;
            while (tabs && text < to && r->text[text] == '\t') {
                text++;
            }
            if (to - text == end_size && memcmp(r->text + text, end, end_size) == 0) {
                r->heredoc_end = stop ? to + 1 : to;
            } else {
                status = heredoc_line(r, text, to, quote != 0, out, err);
            }
            at = stop ? to + 1 : to;
        }
    }
    if (status == LINE_COMMAND && !r->heredoc_end) {
        *open = '<';
        if (r->tolerant) {
            r->heredoc_end = r->size;
        } else {
            err_set(err, ERR_USAGE, "", "the text after `<<%s` does not end", end);
            err_hint(err,
                     strcmp(end, "json") == 0 ? "it ends when its brackets are closed" : "write %s alone on a line",
                     end);
            status = wrong(r, start, err, LINE_MORE);
        }
    }
out:
    free(end);
    return status;
}

/* May a JSON value begin here?  At the start of a word and after "--option=". */
static bool
json_may_start(const struct line_reader *r, size_t word_start)
{
    if (r->at == word_start) {
        return true;
    }
    return r->at > word_start + 3 && r->text[r->at - 1] == '=' && memcmp(r->text + word_start, "--", 2) == 0 &&
           !memchr(r->text + word_start, '=', r->at - 1 - word_start);
}

static enum line_status
read_word(struct line_reader *r, struct line_command *command, struct err *err)
{
    struct buf out = { 0 };
    size_t start = r->at;
    bool quoted = false;
    int depth = 0; /* of [ ] inside a word, Vpcs[?Size>`4`]: operators are text there */
    enum line_status status = LINE_COMMAND;
    while (r->at < r->size && status == LINE_COMMAND) {
        char c = r->text[r->at];
        if (isspace((unsigned char)c) || (depth == 0 && strchr(";|>", c))) {
            break;
        }
        if ((c == '{' || c == '[') && json_may_start(r, start)) {
            quoted = true;
            status = read_json(r, &out, &command->open, err);
        } else if (c == '\'' || c == '"') {
            quoted = true;
            status = read_quoted(r, &out, &command->open, err);
        } else if (c == '<' && peek(r, 1) == '<' && (r->at == start || r->text[r->at - 1] == '=')) {
            quoted = true;
            status = read_heredoc(r, &out, &command->open, err);
        } else if (c == '$') {
            quoted = true;
            status = read_variable(r, &out, err);
        } else if (c == '\\') {
            quoted = true;
            advance(r);
            if (r->at < r->size) {
                if (r->text[r->at] != '\n') {
                    buf_char(&out, r->text[r->at]);
                }
                advance(r);
            } else if (!r->tolerant) {
                err_set(err, ERR_USAGE, "", "a `\\` at the end goes on with the next line, and there is none");
                status = wrong(r, r->at - 1, err, LINE_MORE);
            }
        } else {
            depth += c == '[' ? 1 : c == ']' && depth ? -1 : 0;
            buf_char(&out, c);
            advance(r);
        }
    }
    if (status == LINE_COMMAND) {
        *VEC_ADD(&command->words) = (struct line_word){ buf_steal(&out), start, r->at, quoted };
    }
    buf_done(&out);
    return status;
}

/* Skips blanks, line continuations and a comment; true if the command goes on here. */
static bool
skip_blanks(struct line_reader *r)
{
    for (;;) {
        int c = peek(r, 0);
        if (c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f') {
            advance(r);
        } else if (c == '\\' && (peek(r, 1) == '\n' || (peek(r, 1) == '\r' && peek(r, 2) == '\n'))) {
            while (peek(r, 0) != '\n') {
                advance(r);
            }
            advance(r);
        } else if (c == '#') {
            while (r->at < r->size && r->text[r->at] != '\n') {
                advance(r);
            }
        } else {
            return c != -1 && c != '\n' && c != ';';
        }
    }
}

/* The host's command after | or !: as it stands, up to a newline or, after |, a ; outside quotes. */
static char *
read_host(struct line_reader *r, bool semicolon_ends)
{
    size_t start = r->at;
    char quote = 0;
    for (; r->at < r->size; advance(r)) {
        char c = r->text[r->at];
        if (quote) {
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '\n' || (c == ';' && semicolon_ends)) {
            break;
        } else if (c == '\\' && r->at + 1 < r->size) {
            advance(r);
        }
    }
    while (start < r->at && isspace((unsigned char)r->text[start])) {
        start++;
    }
    return xstrndup(r->text + start, r->at - start);
}

static enum line_status
read_sink(struct line_reader *r, struct line_command *command, struct err *err)
{
    size_t start = r->at;
    char c = r->text[r->at];
    advance(r);
    if (c == '|') {
        command->sink = LINE_PIPE;
        free(command->target); /* of an earlier one: tolerant reading takes the last */
        command->target = read_host(r, true);
    } else {
        command->sink = peek(r, 0) == '>' ? LINE_APPEND : LINE_FILE;
        r->at += command->sink == LINE_APPEND;
        size_t n = command->words.n;
        if (skip_blanks(r) && !strchr("|>", peek(r, 0))) {
            enum line_status status = read_word(r, command, err);
            if (status != LINE_COMMAND) {
                return status;
            }
            free(command->target);
            command->target = command->words.items[n].text;
            command->words.n = n;
        }
    }
    if ((!command->target || !command->target[0]) && !r->tolerant) {
        err_set(err, ERR_USAGE, "",
                c == '|' ? "`|` needs a command of the host after it" : "`>` needs a file name after it");
        return wrong(r, start, err, LINE_WRONG);
    }
    return LINE_COMMAND;
}

/* "vpc = ec2 create-vpc": the name goes to 'variable'. */
static void
take_variable(struct line_command *command)
{
    const struct line_word *words = command->words.items;
    if (command->words.n < 3 || words[0].quoted || words[1].quoted || strcmp(words[1].text, "=") != 0 ||
        !name_start((unsigned char)words[0].text[0])) {
        return;
    }
    for (const char *c = words[0].text; *c; c++) {
        if (!name_char((unsigned char)*c)) {
            return;
        }
    }
    command->variable = words[0].text;
    free(words[1].text);
    VEC_REMOVE(&command->words, 0);
    VEC_REMOVE(&command->words, 0);
}

enum line_status
line_next(struct line_reader *r, struct line_command *command, struct err *err)
{
    *command = (struct line_command){ 0 };
    while (!skip_blanks(r)) {
        if (r->at >= r->size) {
            return LINE_END;
        }
        advance(r); /* an empty command: a blank line, a stray ; */
    }
    command->line = r->line;
    if (peek(r, 0) == '!') {
        advance(r);
        command->host = read_host(r, false);
        if (!command->host[0] && !r->tolerant) {
            line_command_done(command);
            err_set(err, ERR_USAGE, "", "`!` needs a command of the host after it");
            return wrong(r, r->at - 1, err, LINE_WRONG);
        }
        return LINE_COMMAND;
    }
    enum line_status status = LINE_COMMAND;
    while (status == LINE_COMMAND && skip_blanks(r)) {
        bool sink = peek(r, 0) == '|' || peek(r, 0) == '>';
        if (command->sink != LINE_PRINT && !(r->tolerant && sink)) {
            err_set(err, ERR_USAGE, "", "nothing may follow the file after `>`");
            status = wrong(r, r->at, err, LINE_WRONG);
        } else if (sink && command->words.n == 0 && !r->tolerant) {
            err_set(err, ERR_USAGE, "", "there is no command before `%c`", peek(r, 0));
            status = wrong(r, r->at, err, LINE_WRONG);
        } else {
            status = sink ? read_sink(r, command, err) : read_word(r, command, err);
        }
    }
    if (status != LINE_COMMAND) {
        line_command_done(command);
        return status;
    }
    take_variable(command);
    return LINE_COMMAND;
}

enum line_status
line_check(const char *text, struct err *err)
{
    struct line_reader reader;
    struct line_command command;
    line_reader_init(&reader, text, NULL, NULL);
    enum line_status status;
    while ((status = line_next(&reader, &command, err)) == LINE_COMMAND) {
        line_command_done(&command);
    }
    return status;
}

char *
line_quote(const char *text)
{
    bool plain = text[0] != '\0' && !strchr("#!", text[0]);
    for (const char *c = text; *c && plain; c++) {
        plain = (unsigned char)*c >= 0x80 || isalnum((unsigned char)*c) || strchr("-_./:=,@+%^*?~!#", *c);
    }
    if (plain) {
        return xstrdup(text);
    }
    struct buf out = { 0 };
    buf_char(&out, '\'');
    for (const char *c = text; *c; c++) {
        if (*c == '\'') {
            buf_str_add(&out, "'\\''");
        } else {
            buf_char(&out, *c);
        }
    }
    buf_char(&out, '\'');
    return buf_steal(&out);
}

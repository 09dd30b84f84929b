#include "netsim/live/http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/vec.h"

/* ---- heads --------------------------------------------------------------------------------------------------------
 */
static bool
is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr("!#$%&'*+-.^_`|~", text[i])) {
            return false;
        }
    }
    return size > 0;
}

/* Lines end in CR LF; a lone LF is read as one too, as RFC 9112 section 2.2 allows.  The size with the empty line, 0 if
 * it is not all there. */
static size_t
head_size(const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n') {
            continue;
        }
        if (i + 1 < size && data[i + 1] == '\n') {
            return i + 2;
        }
        if (i + 2 < size && data[i + 1] == '\r' && data[i + 2] == '\n') {
            return i + 3;
        }
    }
    return 0;
}

/* The next line of the text, without its end; NULL after the last. */
static char *
next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    if (!end) {
        return NULL;
    }
    *at = end + 1;
    *end = '\0';
    if (end > line && end[-1] == '\r') {
        end[-1] = '\0';
    }
    return line;
}

static bool
read_version(const char *text, struct http_head *head)
{
    if (strncmp(text, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)text[7]) || text[8]) {
        return false;
    }
    head->minor = text[7] - '0';
    return true;
}

static bool
read_request_line(char *line, struct http_head *head)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
    if (!version) {
        return false;
    }
    *target++ = '\0';
    *version++ = '\0';
    head->method = line;
    head->target = target;
    return is_token(line, strlen(line)) &&
           (*target == '/' || *target == '*' || strncasecmp(target, "http://", 7) == 0) && read_version(version, head);
}

static bool
read_status_line(char *line, struct http_head *head)
{
    char *status = strchr(line, ' ');
    if (!status) {
        return false;
    }
    *status++ = '\0';
    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)status[i])) {
            return false;
        }
        head->status = head->status * 10 + (status[i] - '0');
    }
    head->reason = status[3] == ' ' ? status + 4 : "";
    return (!status[3] || status[3] == ' ') && head->status >= 100 && read_version(line, head);
}

static bool
read_field(char *line, struct http_head *head)
{
    char *colon = strchr(line, ':');
    if (!colon || !is_token(line, (size_t)(colon - line)) || head->n_fields == HTTP_FIELDS_MAX) {
        return false;
    }
    *colon++ = '\0';
    colon += strspn(colon, " \t");
    size_t size = strlen(colon);
    while (size && (colon[size - 1] == ' ' || colon[size - 1] == '\t')) {
        colon[--size] = '\0';
    }
    for (size_t i = 0; i < size; i++) {
        if (((unsigned char)colon[i] < 32 && colon[i] != '\t') || colon[i] == 127) {
            return false;
        }
    }
    head->fields[head->n_fields++] = (struct http_field){ line, colon };
    return true;
}

/* How the body ends, and what becomes of the connection. */
static bool
read_framing(struct http_head *head)
{
    head->content_length = -1;
    head->keeps_alive = head->minor > 0;
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct http_field *f = &head->fields[i];
        if (strcasecmp(f->name, "Content-Length") == 0) {
            size_t digits = strspn(f->value, "0123456789");
            if (!digits || f->value[digits] || digits > 15) {
                return false;
            }
            long long length = strtoll(f->value, NULL, 10);
            if (head->content_length >= 0 && head->content_length != length) {
                return false;
            }
            head->content_length = length;
        } else if (strcasecmp(f->name, "Transfer-Encoding") == 0) {
            if (strcasecmp(f->value, "chunked") != 0 || head->chunked) {
                return false;
            }
            head->chunked = true;
        } else if (strcasecmp(f->name, "Connection") == 0) {
            if (strcasestr(f->value, "close")) {
                head->keeps_alive = false;
            } else if (strcasestr(f->value, "keep-alive")) {
                head->keeps_alive = true;
            }
        }
    }
    return !(head->chunked && head->content_length >= 0);
}

static enum http_progress
read_head(const char *data, size_t size, bool (*first)(char *line, struct http_head *head), struct http_head *head,
          size_t *used)
{
    *head = (struct http_head){ 0 };
    *used = head_size(data, size < HTTP_HEAD_MAX ? size : HTTP_HEAD_MAX);
    if (!*used) {
        return size >= HTTP_HEAD_MAX ? HTTP_BAD : HTTP_MORE;
    }
    if (memchr(data, '\0', *used)) {
        return HTTP_BAD;
    }
    head->text = xstrndup(data, *used);
    char *at = head->text, *line = next_line(&at);
    bool ok = line && first(line, head);
    while (ok && (line = next_line(&at)) && *line) {
        ok = read_field(line, head);
    }
    if (!ok || !read_framing(head)) {
        http_head_done(head);
        return HTTP_BAD;
    }
    return HTTP_DONE;
}

enum http_progress
http_read_request(const char *data, size_t size, struct http_head *head, size_t *used)
{
    return read_head(data, size, read_request_line, head, used);
}

enum http_progress
http_read_answer(const char *data, size_t size, struct http_head *head, size_t *used)
{
    return read_head(data, size, read_status_line, head, used);
}

void
http_head_done(struct http_head *head)
{
    free(head->text);
    *head = (struct http_head){ 0 };
}

const char *
http_field(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->n_fields; i++) {
        if (strcasecmp(head->fields[i].name, name) == 0) {
            return head->fields[i].value;
        }
    }
    return NULL;
}

/* ---- chunks -------------------------------------------------------------------------------------------------------
 */
enum { SIZE_LINE, DATA, DATA_END, TRAILER };

/* One line of the framing, 0 if its end has not come; at most 256 bytes. */
static size_t
line_size(const char *data, size_t size, bool *bad)
{
    const char *end = memchr(data, '\n', size < 256 ? size : 256);
    *bad = !end && size >= 256;
    return end ? (size_t)(end - data) + 1 : 0;
}

static bool
read_size(const char *data, size_t size, size_t *left)
{
    size_t n = 0;
    *left = 0;
    while (n < size && isxdigit((unsigned char)data[n])) {
        char c = (char)tolower((unsigned char)data[n]);
        *left = *left * 16 + (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        n++;
    }
    return n > 0 && n <= 8 && (data[n] == ';' || data[n] == '\r' || data[n] == '\n');
}

enum http_progress
http_read_chunks(struct http_chunks *chunks, const char *data, size_t size, size_t *used, struct buf *body,
                 size_t limit)
{
    *used = 0;
    while (*used < size) {
        const char *at = data + *used;
        size_t rest = size - *used;
        if (chunks->state == DATA) {
            size_t n = rest < chunks->left ? rest : chunks->left;
            if (body && body->size + n > limit) {
                return HTTP_BAD;
            }
            if (body) {
                buf_add(body, at, n);
            }
            *used += n;
            chunks->left -= n;
            chunks->state = chunks->left ? DATA : DATA_END;
            continue;
        }
        bool bad;
        size_t line = line_size(at, rest, &bad);
        if (!line) {
            return bad ? HTTP_BAD : HTTP_MORE;
        }
        bool empty = line == 1 || (line == 2 && at[0] == '\r');
        if (chunks->state == SIZE_LINE) {
            if (!read_size(at, line, &chunks->left)) {
                return HTTP_BAD;
            }
            chunks->state = chunks->left ? DATA : TRAILER;
        } else if (chunks->state == DATA_END) {
            if (!empty) {
                return HTTP_BAD;
            }
            chunks->state = SIZE_LINE;
        } else if (empty) {
            *used += line;
            return HTTP_DONE;
        }
        *used += line;
    }
    return HTTP_MORE;
}

/* ---- bodies that are passed on --------------------------------------------------------------------------------------
 */
void
http_body_of_request(struct http_body *body, const struct http_head *request)
{
    *body = (struct http_body){ .kind = request->chunked              ? HTTP_BODY_CHUNKED
                                        : request->content_length > 0 ? HTTP_BODY_SIZED
                                                                      : HTTP_BODY_NONE };
    body->left = body->kind == HTTP_BODY_SIZED ? (size_t)request->content_length : 0;
    body->done = body->kind == HTTP_BODY_NONE;
}

void
http_body_of_answer(struct http_body *body, const struct http_head *answer, bool to_head)
{
    bool none = to_head || answer->status < 200 || answer->status == 204 || answer->status == 304;
    *body = (struct http_body){ .kind = none || answer->content_length == 0 ? HTTP_BODY_NONE
                                        : answer->chunked                   ? HTTP_BODY_CHUNKED
                                        : answer->content_length > 0        ? HTTP_BODY_SIZED
                                                                            : HTTP_BODY_TO_END };
    body->left = body->kind == HTTP_BODY_SIZED ? (size_t)answer->content_length : 0;
    body->done = body->kind == HTTP_BODY_NONE;
}

enum http_progress
http_body_pass(struct http_body *body, const char *data, size_t size, size_t *used)
{
    enum http_progress progress = HTTP_MORE;
    *used = 0;
    if (body->done) {
        return HTTP_DONE;
    }
    if (body->kind == HTTP_BODY_CHUNKED) {
        progress = http_read_chunks(&body->chunks, data, size, used, NULL, 0);
    } else if (body->kind == HTTP_BODY_SIZED) {
        *used = size < body->left ? size : body->left;
        body->left -= *used;
        progress = body->left ? HTTP_MORE : HTTP_DONE;
    } else {
        *used = size;
    }
    body->done = progress == HTTP_DONE;
    return progress;
}

bool
http_field_names(const char *value, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = value ? value : ""; *at; at += *at == ',') {
        at += strspn(at, " \t");
        size_t size = strcspn(at, ",");
        size_t bare = size;
        while (bare && (at[bare - 1] == ' ' || at[bare - 1] == '\t')) {
            bare--;
        }
        if (bare == length && strncasecmp(at, word, length) == 0) {
            return true;
        }
        at += size;
    }
    return false;
}

/* ---- words --------------------------------------------------------------------------------------------------------
 */
const char *
http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = { { 100, "Continue" },
                 { 200, "OK" },
                 { 204, "No Content" },
                 { 301, "Moved Permanently" },
                 { 302, "Found" },
                 { 304, "Not Modified" },
                 { 400, "Bad Request" },
                 { 401, "Unauthorized" },
                 { 403, "Forbidden" },
                 { 404, "Not Found" },
                 { 405, "Method Not Allowed" },
                 { 408, "Request Timeout" },
                 { 409, "Conflict" },
                 { 411, "Length Required" },
                 { 412, "Precondition Failed" },
                 { 413, "Content Too Large" },
                 { 429, "Too Many Requests" },
                 { 431, "Request Header Fields Too Large" },
                 { 500, "Internal Server Error" },
                 { 501, "Not Implemented" },
                 { 502, "Bad Gateway" },
                 { 503, "Service Unavailable" },
                 { 504, "Gateway Timeout" } };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].status == status) {
            return rows[i].reason;
        }
    }
    return "Status";
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

char *
http_unescape(const char *text, size_t size)
{
    char *out = xmalloc(size + 1);
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        int high = text[i] == '%' && i + 2 < size ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (text[i] == '%' && (low < 0 || (high == 0 && low == 0))) {
            free(out);
            return NULL;
        }
        out[n++] = text[i] == '%' ? (char)(high << 4 | low) : text[i];
        i += text[i] == '%' ? 2 : 0;
    }
    out[n] = '\0';
    return out;
}

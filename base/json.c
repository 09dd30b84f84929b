#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json_pool.h"
#include "base/json_quick.h"
#include "base/json_scan.h"
#include "base/map.h"
#include "base/vec.h"

#define LARGE ((size_t)1 << 20) /* bytes of text from which on the pool pays */

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* Which name stands twice in one object, found by a second walk that only runs when jansson said there is one. */
struct duplicate_search {
    const char *text;
    VEC(struct map) names; /* of each open value */
    VEC(size_t *) offsets; /* what the maps point to; freed at the end */
    size_t first, second;
};

static char *
key_text(const char *text, size_t key, size_t key_end)
{
    json_t *decoded = json_loadb(text + key, key_end - key, JSON_DECODE_ANY, NULL);
    char *copy = xstrdup(decoded ? json_string_value(decoded) : "");
    json_decref(decoded);
    return copy;
}

static bool
duplicate_begin(void *context, size_t start, size_t key, size_t key_end)
{
    struct duplicate_search *search = context;
    (void)start;
    bool go_on = true;
    if (key != JSON_SCAN_NONE) {
        struct map *names = &search->names.items[search->names.n - 1];
        char *name = key_text(search->text, key, key_end);
        size_t *earlier = map_get(names, name);
        if (earlier) {
            search->first = *earlier;
            search->second = key;
            go_on = false;
        } else {
            size_t *offset = xmalloc(sizeof *offset);
            *offset = key;
            *VEC_ADD(&search->offsets) = offset;
            map_put(names, name, offset);
        }
        free(name);
    }
    VEC_ADD(&search->names);
    return go_on;
}

static void
duplicate_end(void *context, size_t end)
{
    struct duplicate_search *search = context;
    (void)end;
    map_done(&search->names.items[--search->names.n]);
}

static bool
fail_duplicate(const char *text, size_t size, const char *where, struct err *err)
{
    struct duplicate_search search = { .text = text, .first = JSON_SCAN_NONE };
    json_scan(text, size, &(struct json_sink){ &search, duplicate_begin, duplicate_end }, NULL);
    int line, column, first_line, first_column;
    if (search.first != JSON_SCAN_NONE) {
        json_line_column(text, size, search.first, &first_line, &first_column);
        json_line_column(text, size, search.second, &line, &column);
        size_t length = 1; /* up to its closing quote */
        while (text[search.second + length] != '"') {
            length += text[search.second + length] == '\\' ? 2 : 1;
        }
        err_set(err, ERR_DOCUMENT, "", "member `%.*s` stands twice in one object", (int)(length > 80 ? 80 : length) - 1,
                text + search.second + 1);
        err_at(err, where, line, column);
        err_hint(err, "the first one is at %d:%d; keep one of them", first_line, first_column);
    }
    while (search.names.n > 0) {
        duplicate_end(&search, 0);
    }
    VEC_DONE(&search.names);
    for (size_t i = 0; i < search.offsets.n; i++) {
        free(search.offsets.items[i]);
    }
    VEC_DONE(&search.offsets);
    return search.first != JSON_SCAN_NONE;
}

static bool
fail_scan(const char *text, size_t size, const char *where, struct err *err)
{
    struct json_fault fault;
    if (json_scan(text, size, NULL, &fault)) {
        return false;
    }
    int line, column;
    json_line_column(text, size, fault.offset, &line, &column);
    if (fault.opened != JSON_SCAN_NONE) {
        int open_line, open_column;
        json_line_column(text, size, fault.opened, &open_line, &open_column);
        err_set(err, ERR_DOCUMENT, "", "%s of %d:%d", fault.text, open_line, open_column);
        err_hint(err, "close the `%c` opened at %d:%d with `%c`", text[fault.opened], open_line, open_column,
                 text[fault.opened] == '{' ? '}' : ']');
    } else {
        err_set(err, ERR_DOCUMENT, "", "%s", fault.text);
    }
    err_at(err, where, line, column);
    if (fault.hint[0]) {
        err_hint(err, "%s", fault.hint);
    }
    return true;
}

/* jansson's own limit is 2048 levels; ours is what every walker here can follow. */
static bool
too_deep(const char *text, size_t size)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_SCAN_DEPTH) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

json_t *
json_read(const char *text, size_t size, const char *where, struct err *err)
{
    if (size > JSON_FILE_LIMIT) {
        err_set(err, ERR_DOCUMENT, "", "larger than %u MB", JSON_FILE_LIMIT >> 20);
        err_at(err, where, 0, 0);
        return NULL;
    }
    size_t blank = 0;
    while (blank < size && strchr(" \t\r\n", text[blank]) && text[blank]) {
        blank++;
    }
    if (blank == size) {
        err_set(err, ERR_DOCUMENT, "", "the text is empty, expected JSON");
        err_at(err, where, 1, 1);
        return NULL;
    }
    json_error_t error;
    bool large = size > LARGE;
    if (large) {
        json_pool_begin();
    }
    json_t *value = json_quick(text, size);
    /* jansson 2.14 skips a NUL that follows a number. */
    if (!value && !memchr(text, '\0', size) && !too_deep(text, size)) {
        value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    }
    if (large) {
        json_pool_end();
    }
    if (value) {
        return value;
    }
    /* The scanner finds what the grammar forbids; what is left is a name given twice or a number out of range. */
    if (!fail_scan(text, size, where, err) && !fail_duplicate(text, size, where, err)) {
        err_set(err, ERR_DOCUMENT, "", "%s", error.text);
        err_at(err, where, error.line, error.column);
    }
    return NULL;
}

bool
json_read_parts(const char *text, size_t size, const struct json_parts *parts)
{
    if (size > JSON_FILE_LIMIT) {
        return false;
    }
    if (size > LARGE) {
        json_pool_begin();
    }
    bool ok = json_quick_parts(text, size, parts);
    if (size > LARGE) {
        json_pool_end();
    }
    return ok;
}

json_t *
json_read_file(const char *path, struct err *err)
{
    struct buf text = { 0 };
    json_t *value = NULL;
    if (buf_read_file(&text, path, JSON_FILE_LIMIT, err)) {
        value = json_read(buf_str(&text), text.size, strcmp(path, "-") == 0 ? "standard input" : path, err);
    }
    buf_done(&text);
    return value;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* As python's json.dumps(ensure_ascii=False), which the aws command line uses: only the quote, the backslash and
 * control characters are escaped. */
static void
write_string(const char *text, size_t size, struct buf *out)
{
    static const char short_escapes[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    buf_char(out, '"');
    size_t plain = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        buf_add(out, text + plain, i - plain);
        plain = i + 1;
        const char *escape = short_escapes;
        while (*escape && *escape != (char)c) {
            escape += 2;
        }
        if (*escape) {
            buf_char(out, '\\');
            buf_char(out, escape[1]);
        } else {
            buf_printf(out, "\\u%04x", c);
        }
    }
    buf_add(out, text + plain, size - plain);
    buf_char(out, '"');
}

void
json_write_string(const char *text, struct buf *out)
{
    write_string(text, strlen(text), out);
}

/* The shortest digits that read back as the same number, laid out as python's repr() does. */
static void
write_real(double number, struct buf *out)
{
    char digits[40];
    int precision = 0;
    do {
        snprintf(digits, sizeof digits, "%.*e", precision, number);
    } while (strtod(digits, NULL) != number && ++precision < 17);
    char *exponent_text = strchr(digits, 'e');
    int exponent = atoi(exponent_text + 1);
    if (exponent >= -4 && exponent < 16) {
        int decimals = precision - exponent;
        buf_printf(out, "%.*f", decimals > 0 ? decimals : 1, number);
    } else {
        buf_printf(out, "%.*se%c%02d", (int)(exponent_text - digits), digits, exponent < 0 ? '-' : '+', abs(exponent));
    }
}

static void
new_line(struct buf *out, int depth)
{
    buf_char(out, '\n');
    for (int i = 0; i < depth; i++) {
        buf_str_add(out, "    ");
    }
}

/* 'depth' < 0: compact. */
static void
write_value(const json_t *value, int depth, struct buf *out)
{
    int inner = depth < 0 ? depth : depth + 1;
    bool first = true;
    const char *key;
    json_t *member;
    size_t index;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        buf_char(out, '{');
        json_object_foreach((json_t *)value, key, member)
        {
            if (!first) {
                buf_char(out, ',');
            }
            first = false;
            if (depth >= 0) {
                new_line(out, inner);
            }
            write_string(key, strlen(key), out);
            buf_str_add(out, depth < 0 ? ":" : ": ");
            write_value(member, inner, out);
        }
        if (depth >= 0 && !first) {
            new_line(out, depth);
        }
        buf_char(out, '}');
        break;
    case JSON_ARRAY:
        buf_char(out, '[');
        json_array_foreach(value, index, member)
        {
            if (index > 0) {
                buf_char(out, ',');
            }
            if (depth >= 0) {
                new_line(out, inner);
            }
            write_value(member, inner, out);
        }
        if (depth >= 0 && json_array_size(value) > 0) {
            new_line(out, depth);
        }
        buf_char(out, ']');
        break;
    case JSON_STRING:
        write_string(json_string_value(value), json_string_length(value), out);
        break;
    case JSON_INTEGER:
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        write_real(json_real_value(value), out);
        break;
    case JSON_TRUE:
        buf_str_add(out, "true");
        break;
    case JSON_FALSE:
        buf_str_add(out, "false");
        break;
    case JSON_NULL:
        buf_str_add(out, "null");
        break;
    }
}

void
json_write_compact(const json_t *value, struct buf *out)
{
    write_value(value, -1, out);
}

void
json_write_aws(const json_t *value, struct buf *out)
{
    write_value(value, 0, out);
    buf_char(out, '\n');
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool
fail_file(struct err *err, const char *path, const char *what)
{
    err_set(err, ERR_MACHINE, "", "cannot %s: %s", what, strerror(errno));
    return err_at(err, path, 0, 0);
}

static bool
write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        text += n;
        size -= (size_t)n;
    }
    return true;
}

/* A rename is only sure to outlive a power cut once its directory is on disk.  Not every file system can do that, and
 * the new file is in place by then, so a failure here is not one of the call. */
static void
sync_directory_of(const char *path)
{
    char *directory = xstrdup(path);
    char *slash = strrchr(directory, '/');
    if (slash) {
        slash[slash == directory] = '\0';
    }
    int fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(directory);
}

bool
file_write_atomic(const char *path, const char *text, size_t size, struct err *err)
{
    /* The process id keeps two writers from writing one temporary file; a stale one of a killed process with this id is
     * overwritten.  The new file has the old one's permissions. */
    struct stat old;
    bool existed = stat(path, &old) == 0;
    char *temporary = xasprintf("%s.tmp%ld", path, (long)getpid());
    bool ok = false;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) {
        fail_file(err, path, "write");
        goto out;
    }
    if (!write_all(fd, text, size) || (existed && fchmod(fd, old.st_mode & 07777) < 0) || fsync(fd) < 0) {
        fail_file(err, path, "write");
        close(fd);
        unlink(temporary);
        goto out;
    }
    if (close(fd) < 0 || rename(temporary, path) < 0) {
        fail_file(err, path, "replace");
        unlink(temporary);
        goto out;
    }
    sync_directory_of(path);
    ok = true;
out:
    free(temporary);
    return ok;
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

const char *
json_str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

long long
json_int(const json_t *object, const char *key, long long otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool
json_flag(const json_t *object, const char *key, bool otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

json_t *
json_at(const json_t *object, const char *path)
{
    for (;;) {
        size_t length = strcspn(path, ".");
        json_t *member = json_object_getn(object, path, length);
        if (!member || !path[length]) {
            return member;
        }
        object = member;
        path += length + 1;
    }
}

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/vec.h"

/* Room for 'size' more bytes and the NUL. */
static void
buf_reserve(struct buf *buf, size_t size)
{
    size_t need = buf->size + size + 1;
    if (need <= buf->cap) {
        return;
    }
    size_t cap = buf->cap ? buf->cap * 2 : 64;
    buf->cap = cap < need ? need : cap;
    buf->data = xrealloc(buf->data, buf->cap);
}

void
buf_add(struct buf *buf, const void *data, size_t size)
{
    buf_reserve(buf, size);
    if (size > 0) {
        memcpy(buf->data + buf->size, data, size);
    }
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void
buf_str_add(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void
buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void
buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    buf_reserve(buf, 0);
    int n = vsnprintf(buf->data + buf->size, buf->cap - buf->size, format, args);
    if (n < 0) { /* an invalid wide character: nothing of it is added */
        buf->data[buf->size] = '\0';
        n = 0;
    } else if ((size_t)n >= buf->cap - buf->size) {
        buf_reserve(buf, (size_t)n);
        vsnprintf(buf->data + buf->size, buf->cap - buf->size, format, again);
    }
    buf->size += (size_t)n;
    va_end(again);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

const char *
buf_str(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

void
buf_cut(struct buf *buf, size_t size)
{
    if (size < buf->size) {
        buf->size = size;
        buf->data[size] = '\0';
    }
}

void
buf_clear(struct buf *buf)
{
    buf->size = 0;
    if (buf->data) {
        buf->data[0] = '\0';
    }
}

char *
buf_steal(struct buf *buf)
{
    buf_reserve(buf, 0);
    buf->data[buf->size] = '\0';
    char *data = buf->data;
    *buf = (struct buf){ 0 };
    return data;
}

void
buf_done(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){ 0 };
}

static bool
read_all(struct buf *buf, int fd, const char *name, size_t limit, struct err *err)
{
    size_t begin = buf->size;
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (uintmax_t)st.st_size <= limit) {
        buf_reserve(buf, (size_t)st.st_size + 1); /* one read, and one that finds the end */
    }
    for (;;) {
        buf_reserve(buf, 4096);
        ssize_t n = read(fd, buf->data + buf->size, buf->cap - buf->size - 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_set(err, ERR_MACHINE, "", "cannot read `%s`: %s", name, strerror(errno));
        }
        if (n == 0) {
            return true;
        }
        buf->size += (size_t)n;
        buf->data[buf->size] = '\0';
        if (buf->size - begin > limit) {
            return err_set(err, ERR_MACHINE, "", "`%s` is larger than %zu bytes", name, limit);
        }
    }
}

bool
buf_read_file(struct buf *buf, const char *path, size_t limit, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot open `%s`: %s", path, strerror(errno));
    }
    size_t size = buf->size;
    bool ok = read_all(buf, fd, is_stdin ? "standard input" : path, limit, err);
    if (!is_stdin) {
        close(fd);
    }
    buf_reserve(buf, 0);
    if (!ok) {
        buf->size = size;
    }
    buf->data[buf->size] = '\0';
    return ok;
}

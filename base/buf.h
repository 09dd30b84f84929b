/* base/buf.h - a string that grows.  Always NUL-terminated; may hold NUL bytes.  A zeroed buf is empty. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL until something was added; use buf_str() to read it as a string. */
    size_t size, cap;
};

void buf_add(struct buf *buf, const void *data, size_t size);
void buf_str_add(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
const char *buf_str(const struct buf *buf); /* never NULL; valid until the next change */
void buf_clear(struct buf *buf);            /* keeps the memory */
void buf_cut(struct buf *buf, size_t size); /* to its first bytes */
char *buf_steal(struct buf *buf);           /* the caller frees it; never NULL; 'buf' is empty again */
void buf_done(struct buf *buf);

/* What an English noun ends with after this number: "%lld packet%s". */
static inline const char *
plural(long long n)
{
    return n == 1 ? "" : "s";
}

/* Reads a whole file ("-" is standard input), at most 'limit' bytes.  Fails with ERR_MACHINE naming the path. */
struct err;
bool buf_read_file(struct buf *buf, const char *path, size_t limit, struct err *err);

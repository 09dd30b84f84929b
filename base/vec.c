#include "base/vec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
checked(void *memory)
{
    if (!memory) {
        fputs("vpclab: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *
xmalloc(size_t size)
{
    return checked(malloc(size ? size : 1));
}

void *
xcalloc(size_t n, size_t size)
{
    return checked(calloc(n ? n : 1, size ? size : 1));
}

void *
xrealloc(void *old, size_t size)
{
    return checked(realloc(old, size ? size : 1));
}

char *
xstrdup(const char *text)
{
    return checked(strdup(text));
}

char *
xstrndup(const char *text, size_t size)
{
    return checked(strndup(text, size));
}

char *
xasprintf(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return checked(n < 0 ? NULL : text);
}

void *
vec_add(struct vec_any *vec, size_t item_size)
{
    if (vec->n == vec->cap) {
        vec->cap = vec->cap ? vec->cap * 2 : 4;
        vec->items = xrealloc(vec->items, vec->cap * item_size);
    }
    void *item = (char *)vec->items + vec->n++ * item_size;
    memset(item, 0, item_size);
    return item;
}

void
vec_remove(struct vec_any *vec, size_t item_size, size_t index)
{
    char *item = (char *)vec->items + index * item_size;
    memmove(item, item + item_size, (--vec->n - index) * item_size);
}

void
vec_done(struct vec_any *vec)
{
    free(vec->items);
    *vec = (struct vec_any){ 0 };
}

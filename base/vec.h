/* base/vec.h - a typed array that grows.
 *
 *     VEC(struct route) routes = { 0 };
 *     *VEC_ADD(&routes) = (struct route){ ... };        a zeroed item at the end, by pointer
 *     for (size_t i = 0; i < routes.n; i++) use(&routes.items[i]);
 *     VEC_DONE(&routes);
 *
 * Every VEC has the layout of struct vec_any, which is how field tables (field.h) reach it.  Pointers to items
 * are borrowed until the next VEC_ADD. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define VEC(type)     \
    struct {          \
        type *items;  \
        size_t n, cap; \
    }
struct vec_any {
    void *items;
    size_t n, cap;
};
#define VEC_ADD(vec) ((__typeof__((vec)->items))vec_add((struct vec_any *)(vec), sizeof *(vec)->items))
#define VEC_REMOVE(vec, index) vec_remove((struct vec_any *)(vec), sizeof *(vec)->items, (index))
#define VEC_DONE(vec) vec_done((struct vec_any *)(vec))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof *(array))

void *vec_add(struct vec_any *vec, size_t item_size);
void vec_remove(struct vec_any *vec, size_t item_size, size_t index); /* keeps the order */
void vec_done(struct vec_any *vec);                                   /* frees the array, not what items own */

/* Memory: these end the process with a message when memory runs out; limits are set where input is read. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t size);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

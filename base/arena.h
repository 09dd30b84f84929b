/* base/arena.h - memory that goes all at once: a parsed document or one analysis lives in one arena. */
#pragma once
#include <stddef.h>

struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t size);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_join(struct arena *arena, const char *first, ...) __attribute__((sentinel)); /* texts one after the other, up to a NULL */
size_t arena_used(const struct arena *arena); /* bytes handed out */

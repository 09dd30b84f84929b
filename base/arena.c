#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* Blocks double up to this size; what is larger than a block gets one of its own. */
#define BLOCK_MAX (64u << 10)

struct block {
    struct block *next;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *blocks;
    char *free;  /* of the newest shared block */
    size_t room; /* bytes left there */
    size_t block_size;
    size_t used;
};

struct arena *
arena_new(void)
{
    struct arena *arena = xcalloc(1, sizeof *arena);
    arena->block_size = 1024;
    return arena;
}

void
arena_free(struct arena *arena)
{
    if (!arena) {
        return;
    }
    struct block *next;
    for (struct block *block = arena->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

static char *
add_block(struct arena *arena, size_t size)
{
    struct block *block = xcalloc(1, sizeof *block + size);
    block->next = arena->blocks;
    arena->blocks = block;
    return block->data;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
    arena->used += size;
    size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2) {
        size = SIZE_MAX / 2; /* xcalloc then reports that memory ran out */
    }
    size = size ? (size + align - 1) & ~(align - 1) : align; /* a place of its own, never NULL */
    if (size > arena->room) {
        if (size > arena->block_size / 4) {
            return add_block(arena, size);
        }
        arena->free = add_block(arena, arena->block_size);
        arena->room = arena->block_size;
        if (arena->block_size < BLOCK_MAX) {
            arena->block_size *= 2;
        }
    }
    void *memory = arena->free;
    arena->free += size;
    arena->room -= size;
    return memory;
}

char *
arena_strndup(struct arena *arena, const char *text, size_t size)
{
    size = strnlen(text, size);
    char *copy = arena_alloc(arena, size + 1);
    memcpy(copy, text, size);
    return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *text = arena_alloc(arena, n < 0 ? 1 : (size_t)n + 1);
    if (n >= 0) {
        vsnprintf(text, (size_t)n + 1, format, again);
    }
    va_end(again);
    va_end(args);
    return text;
}

size_t
arena_used(const struct arena *arena)
{
    return arena->used;
}

char *
arena_join(struct arena *arena, const char *first, ...)
{
    va_list args;
    size_t size = 1;
    va_start(args, first);
    for (const char *part = first; part; part = va_arg(args, const char *)) {
        size += strlen(part);
    }
    va_end(args);
    char *text = arena_alloc(arena, size), *end = text;
    va_start(args, first);
    for (const char *part = first; part; part = va_arg(args, const char *)) {
        end = stpcpy(end, part);
    }
    va_end(args);
    return text;
}

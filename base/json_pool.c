#include "base/json_pool.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LARGEST   512u              /* bytes; larger pieces are the C library's */
#define STEP      16u               /* of sizes, and what malloc() aligns to */
#define RUN       ((size_t)1 << 16) /* bytes of pieces of one size */
#define RUNS      ((size_t)1 << 17) /* 8 GB of addresses; pages are the kernel's until they are written to */
#define N_CLASSES (LARGEST / STEP)

/* The sanitizers shall see every piece for itself. */
#if defined(__SANITIZE_ADDRESS__)
#define BYPASS true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BYPASS true
#endif
#endif
#ifndef BYPASS
#define BYPASS false
#endif

struct piece {
    struct piece *next;
};
static struct {
    char *base; /* NULL: not asked for yet, or refused */
    size_t n_runs;
    uint8_t class_of[RUNS];
    struct piece *freed[N_CLASSES];
    char *fresh[N_CLASSES], *fresh_end[N_CLASSES];
    bool open, tried;
} pool;

static void *
take_run(size_t class)
{
    if (pool.n_runs == RUNS) {
        return NULL;
    }
    pool.class_of[pool.n_runs] = (uint8_t) class;
    pool.fresh[class] = pool.base + pool.n_runs++ * RUN;
    pool.fresh_end[class] = pool.fresh[class] + RUN;
    return pool.fresh[class];
}

static void *
pool_malloc(size_t size)
{
    if (!pool.open || size == 0 || size > LARGEST) {
        return malloc(size);
    }
    size_t class = (size - 1) / STEP, bytes = (class + 1) * STEP;
    struct piece *piece = pool.freed[class];
    if (piece) {
        pool.freed[class] = piece->next;
        return piece;
    }
    if ((size_t)(pool.fresh_end[class] - pool.fresh[class]) < bytes && !take_run(class)) {
        return malloc(size);
    }
    void *fresh = pool.fresh[class];
    pool.fresh[class] += bytes;
    return fresh;
}

static void
pool_free(void *memory)
{
    size_t offset = (size_t)((char *)memory - pool.base);
    if (memory && offset < RUNS * RUN) {
        size_t class = pool.class_of[offset / RUN];
        struct piece *piece = memory;
        piece->next = pool.freed[class];
        pool.freed[class] = piece;
    } else {
        free(memory);
    }
}

void
json_pool_begin(void)
{
    if (!pool.tried && !BYPASS) {
        pool.tried = true;
        void *base = mmap(NULL, RUNS * RUN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base != MAP_FAILED) {
            madvise(base, RUNS * RUN, MADV_HUGEPAGE); /* where the kernel has them; a matter of speed alone */
            pool.base = base;
            json_set_alloc_funcs(pool_malloc, pool_free);
        }
    }
    pool.open = pool.base != NULL;
}

void
json_pool_end(void)
{
    pool.open = false;
}

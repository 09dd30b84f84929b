#include "base/id.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* splitmix64: spreads a small seed over the whole state, which must not be all zero. */
static uint64_t
split(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void
id_gen_seed(struct id_gen *gen, uint64_t seed)
{
    gen->state[0] = split(&seed);
    gen->state[1] = split(&seed) | 1;
}

void
id_gen_seed_random(struct id_gen *gen)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) !=
        sizeof seed) { /* a kernel without it: ids need to differ, not to be secret */
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec << 20 ^ (uint64_t)getpid();
    }
    id_gen_seed(gen, seed);
}

uint64_t
id_random(struct id_gen *gen)
{
    uint64_t a = gen->state[0], b = gen->state[1];
    if ((a | b) == 0) { /* a generator nobody seeded would give zeros for ever */
        id_gen_seed(gen, 0);
        a = gen->state[0], b = gen->state[1];
    }
    gen->state[0] = b;
    a ^= a << 23;
    gen->state[1] = a ^ b ^ a >> 18 ^ b >> 5;
    return gen->state[1] + b;
}

uint64_t
id_random_below(struct id_gen *gen, uint64_t limit)
{
    assert(limit > 0);
    /* The lowest 2^64 mod limit values would make some results likelier than others. */
    uint64_t uneven = -limit % limit, r;
    do {
        r = id_random(gen);
    } while (r < uneven);
    return r % limit;
}

void
id_new(struct id_gen *gen, const char *prefix, char id[static ID_SIZE])
{
    assert(strlen(prefix) + 1 + 17 < ID_SIZE);
    /* AWS's 17 digits have begun with 0 since they came in. */
    snprintf(id, ID_SIZE, "%s-0%016llx", prefix, (unsigned long long)id_random(gen));
}

void
id_new_iam(struct id_gen *gen, const char *prefix, char id[static ID_SIZE])
{
    static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    size_t size = strlen(prefix);
    assert(size + 17 < ID_SIZE);
    memcpy(id, prefix, size);
    for (int i = 0; i < 17; i++) {
        id[size++] = base32[id_random(gen) >> 59];
    }
    id[size] = '\0';
}

void
id_new_uuid(struct id_gen *gen, char uuid[static 37])
{
    uint64_t a = id_random(gen), b = id_random(gen);
    a = (a & ~0xf000ull) | 0x4000;        /* version 4: random */
    b = (b & ~(3ull << 62)) | 2ull << 62; /* variant of RFC 9562 */
    snprintf(uuid, 37, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
             (unsigned)(a & 0xffff), (unsigned)(b >> 48), (unsigned long long)(b & 0xffffffffffffu));
}

bool
id_well_formed(const char *id, const char *prefix)
{
    size_t size = strlen(prefix);
    if (strncmp(id, prefix, size) != 0 || id[size] != '-') {
        return false;
    }
    const char *digits = id + size + 1;
    size_t n = strspn(digits, "0123456789abcdef");
    return digits[n] == '\0' && (n == 8 || n == 17);
}

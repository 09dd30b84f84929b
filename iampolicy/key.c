#include "iampolicy/key.h"

#include "base/map.h"

struct iam_key
iam_key_make(struct arena *arena, struct iam_text name)
{
    char *lower = arena_strndup(arena, name.s, name.n);
    for (uint32_t i = 0; i < name.n; i++) {
        lower[i] = iam_lower(lower[i]);
    }
    return (struct iam_key){ arena_strndup(arena, name.s, name.n), lower, name.n, hash_bytes(lower, name.n) };
}

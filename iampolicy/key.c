#include "iampolicy/key.h"

#include "base/map.h"

struct iam_key
iam_key_make(struct arena *arena, struct iam_text name)
{
    const char *own = arena_strndup(arena, name.s, name.n), *lower = own;
    bool small = true;
    for (uint32_t i = 0; i < name.n; i++) {
        small &= own[i] == iam_lower(own[i]);
    }
    if (!small) {
        char *made = arena_strndup(arena, name.s, name.n);
        for (uint32_t i = 0; i < name.n; i++) {
            made[i] = iam_lower(made[i]);
        }
        lower = made;
    }
    return (struct iam_key){ own, lower, name.n, hash_bytes(lower, name.n) };
}

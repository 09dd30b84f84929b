/* iampolicy/key.h - condition key names and the hash by which a policy's key meets the request's value.
 *
 * Names are compared without distinguishing ASCII case, tag keys after the slash included.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
 * Used by: request.h, variable.h, condition.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "iampolicy/document.h"

struct iam_key {
    const char *name;  /* as the user wrote it, terminated */
    const char *lower; /* in small letters, terminated */
    uint32_t size;
    uint64_t hash; /* of 'lower' */
};
/* Copies 'name' into 'arena'. */
struct iam_key iam_key_make(struct arena *arena, struct iam_text name);
static inline char
iam_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

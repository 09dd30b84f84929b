#include "iampolicy/suggest.h"

#include <string.h>
#include "iampolicy/key.h"

enum { LONGEST = 48 };

/* Edit distance without distinguishing case; both texts are at most LONGEST long. */
static size_t
distance(struct iam_text a, const char *b, size_t b_size)
{
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b_size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t replace = diagonal + (iam_lower(a.s[i - 1]) != iam_lower(b[j - 1]));
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = replace < least ? replace : least;
        }
    }
    return row[b_size];
}

const char *
iam_suggest(struct iam_text text, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t least = text.n / 3 + 1;
    if (!text.n || text.n > LONGEST) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(names[i]), d = size <= LONGEST ? distance(text, names[i], size) : least + 1;
        if (d <= least && (!best || d < least)) {
            best = names[i];
            least = d;
        }
    }
    return best;
}

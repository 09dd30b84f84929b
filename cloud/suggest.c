#include "cloud/suggest.h"
#include <string.h>

#define WORD_MAX 64

/* Letters to insert, delete, replace or swap with a neighbour to make 'b' of 'a'; 'limit' + 1 when it is more than
 * 'limit'. */
static size_t
edit_distance(const char *a, const char *b, size_t limit)
{
    size_t n = strlen(a), m = strlen(b);
    size_t row[3][WORD_MAX + 1];
    if (n > WORD_MAX || m > WORD_MAX || (n > m ? n - m : m - n) > limit) {
        return limit + 1;
    }
    for (size_t j = 0; j <= m; j++) {
        row[0][j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *before = row[(i - 1) % 3], *two = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = before[j - 1] + (a[i - 1] != b[j - 1]);
            best = before[j] + 1 < best ? before[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = two[j - 2] + 1 < best ? two[j - 2] + 1 : best;
            }
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

struct suggest
suggest_start(const char *word)
{
    size_t limit = strlen(word) < 5 ? 1 : 2;
    return (struct suggest){ .word = word, .limit = limit, .distance = limit + 1 };
}

void
suggest_offer(struct suggest *suggest, const char *candidate)
{
    size_t distance = edit_distance(suggest->word, candidate, suggest->limit);
    if (distance < suggest->distance) {
        suggest->distance = distance;
        suggest->best = candidate;
    }
}

bool
suggest_hint(const struct suggest *suggest, struct err *err, const char *prefix)
{
    if (suggest->best) {
        err_hint(err, "did you mean `%s%s`?", prefix, suggest->best);
    }
    return false;
}

/* cloud/suggest.h - did you mean?  The nearest of some words to one that is unknown.
 *
 *     struct suggest s = suggest_start("creat-vpc");
 *     for (...) suggest_offer(&s, candidate);
 *     suggest_hint(&s, err, "--");          sets the hint: did you mean `create-vpc`? */
#pragma once
#include "base/err.h"

struct suggest {
    const char *word, *best;
    size_t limit, distance;
};
struct suggest suggest_start(const char *word);
void suggest_offer(struct suggest *suggest, const char *candidate); /* borrowed until suggest_hint() */
/* With nothing near enough (2 letters; 1 in words under 5) 'err' stays as it is. Returns false. */
bool suggest_hint(const struct suggest *suggest, struct err *err, const char *prefix);

/* base/progress.h - how far a long call has come, told to whoever shows it.  Libraries never print. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct progress {
    void (*report)(void *context, const char *what, size_t done, size_t total); /* NULL: nobody listens */
    void *context;
    void (*write)(void *context, const char *text); /* shows a part of an answer that never ends; NULL: nobody can see it */
    bool lines;     /* such parts are to be JSON, an object a line */
    bool formatted; /* the answer is asked for as JSON or the like, or not at all */
};
static inline void progress_report(const struct progress *p, const char *what, size_t done, size_t total)
{
    if (p && p->report) {
        p->report(p->context, what, done, total);
    }
}

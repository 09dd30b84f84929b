/* netsim/analysis/walk_outcome.h - several ways on from one place, to a balancer's targets, of which one comes to be shown.
 *
 * Each is walked by a branch of its own.  Shown is the one that arrives, of these the one that was asked for; past obstacles (mended.h), where all
 * arrive, the one with the fewest.  What the session remembers, and which obstacles are listed, is of the way that is shown alone: a connection
 * goes to one target.
 *
 * Uses: walk.h, mended.h.   Used by: walk_balancer.c. */
#pragma once
#include "netsim/analysis/mended.h"

struct outcome {
    struct session *session;
    struct obstacles *mended;                                /* NULL: the first one ends a way */
    size_t n_passed, n_translations, n_inspected, n_mended; /* there were before */
    struct session remembered;                              /* what the way that is shown added */
    struct obstacles met;                                   /* on the way that is shown */
    struct walk shown;
    bool any, arrived;
    int rank; /* of the way that is shown */
    VEC(const char *) receivers;
};
struct outcome outcome_of(const struct walk *w);
/* Takes over 'branch', a copy of 'w' that has come to its end, at the target called 'id' (borrowed). */
void outcome_add(struct outcome *o, const struct walk *w, struct walk *branch, const char *id);
/* Past obstacles: did the branch that has just come to its end meet fewer than the way that is shown? */
bool outcome_has_fewer_obstacles(const struct outcome *o);
/* Likewise; the caller says whether it takes the place of the one that is shown. */
void outcome_keep(struct outcome *o, struct walk *branch, bool better);
/* The way that is shown takes the place of 'w', which goes on being about 'target'.  There must be one. */
void outcome_take(struct outcome *o, struct walk *w, struct target target);

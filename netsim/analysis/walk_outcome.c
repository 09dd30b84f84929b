#include "netsim/analysis/walk_outcome.h"

#include <string.h>

struct outcome
outcome_of(const struct walk *w)
{
    return (struct outcome){ .session = w->session,
                             .mended = w->mended,
                             .n_passed = w->session->passed.n,
                             .n_translations = w->session->translations.n,
                             .n_inspected = w->session->inspected.n,
                             .n_mended = w->mended ? w->mended->items.n : 0 };
}

static size_t
n_obstacles(const struct outcome *o)
{
    return o->mended ? o->mended->items.n - o->n_mended : 0;
}

bool
outcome_has_fewer_obstacles(const struct outcome *o)
{
    return n_obstacles(o) < o->met.items.n;
}

static void
forget_obstacles(struct outcome *o, bool keep)
{
    if (keep) {
        obstacles_done(&o->met);
        memset(&o->met, 0, sizeof o->met);
    }
    for (size_t i = o->n_mended; o->mended && i < o->mended->items.n; i++) {
        if (keep) {
            *VEC_ADD(&o->met.items) = o->mended->items.items[i];
        } else {
            walk_done(&o->mended->items.items[i]);
        }
    }
    if (o->mended) {
        o->mended->items.n = o->n_mended;
    }
}

/* What was remembered on the ways to the other targets nobody knows. */
static void
forget(struct outcome *o, bool keep)
{
    struct session *s = o->session;
    if (keep) {
        session_done(&o->remembered);
        o->remembered = (struct session){ 0 };
    }
    for (size_t i = o->n_passed; i < s->passed.n && keep; i++) {
        *VEC_ADD(&o->remembered.passed) = s->passed.items[i];
    }
    for (size_t i = o->n_translations; i < s->translations.n && keep; i++) {
        *VEC_ADD(&o->remembered.translations) = s->translations.items[i];
    }
    for (size_t i = o->n_inspected; i < s->inspected.n && keep; i++) {
        *VEC_ADD(&o->remembered.inspected) = s->inspected.items[i];
    }
    s->passed.n = o->n_passed;
    s->inspected.n = o->n_inspected;
    s->translations.n = o->n_translations;
    forget_obstacles(o, keep);
}

void
outcome_take(struct outcome *o, struct walk *w, struct target target)
{
    for (size_t i = 0; i < o->remembered.passed.n; i++) {
        *VEC_ADD(&o->session->passed) = o->remembered.passed.items[i];
    }
    for (size_t i = 0; i < o->remembered.translations.n; i++) {
        *VEC_ADD(&o->session->translations) = o->remembered.translations.items[i];
    }
    for (size_t i = 0; i < o->remembered.inspected.n; i++) {
        *VEC_ADD(&o->session->inspected) = o->remembered.inspected.items[i];
    }
    for (size_t i = 0; i < o->met.items.n; i++) {
        *VEC_ADD(&o->mended->items) = o->met.items.items[i];
    }
    VEC_DONE(&o->met.items); /* the walks in it are the list's now */
    session_done(&o->remembered);
    walk_done(w);
    *w = o->shown;
    if (o->receivers.n > 0) {
        VEC_DONE(&w->receivers);
        memcpy(&w->receivers, &o->receivers, sizeof w->receivers);
    }
    w->target = target;
}

void
outcome_keep(struct outcome *o, struct walk *branch, bool better)
{
    forget(o, better);
    o->arrived = o->arrived || branch->arrived;
    if (better) {
        walk_done(o->any ? &o->shown : NULL);
        o->shown = *branch;
        o->any = true;
    } else {
        walk_done(branch);
    }
}

static bool
same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* The first that arrives, better the one that was asked for, and of its ways, by several groups, the one that was. */
static int
rank_of(const struct walk *w, const struct walk *branch, const char *id)
{
    bool wanted = branch->arrived && same(id, w->wanted_receiver);
    bool at_port = wanted && w->wanted_port && branch->packet.dst_port == w->wanted_port;
    bool by_client = wanted && w->wanted_src.family && ip_equal(&branch->packet.src, &w->wanted_src);
    return branch->arrived + wanted + 2 * at_port + 2 * by_client;
}

void
outcome_add(struct outcome *o, const struct walk *w, struct walk *branch, const char *id)
{
    int rank = rank_of(w, branch, id);
    bool better = !o->any || rank > o->rank || (rank == o->rank && outcome_has_fewer_obstacles(o));
    o->rank = better ? rank : o->rank;
    for (size_t i = 0; i < branch->receivers.n; i++) {
        *VEC_ADD(&o->receivers) = branch->receivers.items[i];
    }
    if (branch->arrived && branch->receivers.n == 0) {
        *VEC_ADD(&o->receivers) = id;
    }
    outcome_keep(o, branch, better);
}

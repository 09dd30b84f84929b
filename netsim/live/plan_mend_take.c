/* The other half of plan_mend.h: a mend becomes part of the plan. */
#include <stdlib.h>
#include <string.h>

#include "netsim/live/plan_mend.h"
#include "netsim/live/plan_mend_part.h"

/* Without what compares equal to an item of 'gone', and with 'come'. */
static void
splice(struct vec_any *all, const struct vec_any *gone, const struct vec_any *come, size_t size,
       int (*compare)(const void *, const void *))
{
    if (!gone->n && !come->n) {
        return;
    }
    struct vec_any next = { .items = xmalloc((all->n + come->n + 1) * size), .cap = all->n + come->n + 1 };
    char *out = next.items;
    size_t g = 0, c = 0;
    for (size_t i = 0; i < all->n; i++) {
        const char *item = (const char *)all->items + i * size;
        for (; c < come->n && compare((const char *)come->items + c * size, item) < 0; c++, next.n++) {
            memcpy(out + next.n * size, (const char *)come->items + c * size, size);
        }
        if (g < gone->n && compare((const char *)gone->items + g * size, item) == 0) {
            g++;
        } else {
            memcpy(out + next.n++ * size, item, size);
        }
    }
    for (; c < come->n; c++, next.n++) {
        memcpy(out + next.n * size, (const char *)come->items + c * size, size);
    }
    free(all->items);
    *all = next;
}
#define SPLICE(all, gone, come, compare)                                                                               \
    splice((struct vec_any *)(all), (const struct vec_any *)(gone), (const struct vec_any *)(come),                    \
           sizeof *(all)->items, compare)

static void
take_sets(struct plan_ns *all, struct plan_ns *from, struct plan_ns *to)
{
    struct plan_ns gone = { 0 }, come = { 0 };
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->sets, &to->sets, plan_set_compare);) {
        const struct plan_set *was = m.was, *is = m.is;
        struct plan_set *standing = (struct plan_set *)(uintptr_t)plan_find_set(all, (was ? was : is)->name);
        if (was && is) {
            SPLICE(&standing->elements, &was->elements, &is->elements, plan_element_compare);
        } else if (was) {
            VEC_DONE(&standing->elements);
            *VEC_ADD(&gone.sets) = *was;
        } else {
            struct plan_set *mine = VEC_ADD(&come.sets);
            *mine = *is;
            memset(&((struct plan_set *)(uintptr_t)is)->elements, 0, sizeof is->elements); /* the plan's now */
        }
    }
    SPLICE(&all->sets, &gone.sets, &come.sets, plan_set_compare);
    VEC_DONE(&gone.sets);
    VEC_DONE(&come.sets);
}

/* Of TAP devices, which are the only links that a mend knows. */
static void
take_links(struct plan_ns *all, struct plan_ns *from, struct plan_ns *to)
{
    struct plan_ns gone = { 0 }, come = { 0 };
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->links, &to->links, plan_link_compare);) {
        const struct plan_link *was = m.was, *is = m.is;
        struct plan_link *standing =
            was ? bsearch(was, all->links.items, all->links.n, sizeof *was, plan_link_compare) : NULL;
        if (was && is) {
            SPLICE(&standing->hosts, &was->hosts, &is->hosts, plan_tap_compare);
        } else if (was) {
            VEC_DONE(&standing->hosts);
            *VEC_ADD(&gone.links) = *was;
        } else {
            *VEC_ADD(&come.links) = *is;
            memset(&((struct plan_link *)(uintptr_t)is)->hosts, 0, sizeof is->hosts); /* the plan's now */
        }
    }
    SPLICE(&all->links, &gone.links, &come.links, plan_link_compare);
    VEC_DONE(&gone.links);
    VEC_DONE(&come.links);
}

static void
take_ports(struct plan_vpc *v, const struct plan_vpc *next)
{
    for (size_t i = 0; i < next->ports.n; i++) {
        *mend_port_of(v, next->ports.items[i].key) = next->ports.items[i];
    }
}

void
plan_mend_take(struct plan *plan, struct plan_mend *mend)
{
    for (size_t i = 0; i < mend->to->namespaces.n; i++) {
        struct plan_ns *from = mend->from->namespaces.items[i], *to = mend->to->namespaces.items[i];
        struct plan_ns *all = map_get(&plan->by_id, to->id);
        take_sets(all, from, to);
        take_links(all, from, to);
        SPLICE(&all->neighbours, &from->neighbours, &to->neighbours, plan_neighbour_compare);
        SPLICE(&all->chains, &from->chains, &to->chains, plan_chain_compare);
        SPLICE(&all->routes, &from->routes, &to->routes, plan_route_compare);
        SPLICE(&all->rules, &from->rules, &to->rules, plan_rule_compare);
    }
    for (struct plan_vpc *next = mend->to->vpcs; next; next = next->next) {
        for (struct plan_vpc *v = plan->vpcs; v; v = v->next) {
            if (v->vpc == next->vpc) {
                take_ports(v, next);
                VEC_DONE(&v->overridden);
                memcpy(&v->overridden, &next->overridden, sizeof v->overridden);
                memset(&next->overridden, 0, sizeof next->overridden); /* the plan's now */
            }
        }
    }
}

void
plan_mend_done(struct plan_mend *mend)
{
    plan_free(mend->from);
    plan_free(mend->to);
    *mend = (struct plan_mend){ 0 };
}

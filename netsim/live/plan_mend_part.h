/* netsim/live/plan_mend_part.h - one router while it is mended.  Used by: plan_mend*.c only. */
#pragma once
#include "netsim/live/plan_build.h"
#include "netsim/model/changes.h"

/* What goes is gathered in 'from', what comes is planned into 'to'. */
struct mend {
    struct builder b;
    struct plan_vpc *v;
    const struct plan_ns *standing;
    struct plan_ns *from, *to;
    const struct network_change *changes;
    size_t n_changes;
    struct map known;   /* groups, ACLs and tables that are planned again */
    struct map flipped; /* untracked chains that came into being ("some") or ended ("none") */
    VEC(const struct plan_port *) regrouped;
    VEC(struct plan_port) moved; /* TAP hosts behind another device now: as they were */
    struct map put;              /* devices whose elements are put already */
    VEC(const char *) left; /* chains that an interface no longer goes through, as "jump NAME_in" */
    bool remark;            /* a table has its first routes inside the VPC, or its last are gone */
};

/* The part of a standing set or map that 'ns' (from or to) holds; a set that stays must be in both. */
struct plan_set *mend_part_of(struct plan_ns *ns, const struct plan_set *standing);
/* In a map that stays, 'key' shall lead to 'data' (NULL: nowhere). */
void mend_put_element(struct mend *m, const char *map, const char *key, const char *data);
struct plan_port *mend_port_of(struct plan_vpc *v, const char *key); /* NULL if there is none */
extern const char *const mend_group_maps[2], *const mend_untracked_maps[2]; /* in, out: what a link's packets go through */

/* plan_mend_taps.c: with its groups the host goes to another device, in the model of the ports too; false: it stays where it is.  Then, when all have
 * gone, what the router knows of them and of the devices. */
bool mend_move_tap(struct mend *m, struct plan_port *port);
void mend_moved_taps(struct mend *m);
/* TAP hosts have or lose a device to themselves by routes that have changed. */
bool mend_parts_taps(struct mend *m);

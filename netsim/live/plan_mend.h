/* netsim/live/plan_mend.h - a plan kept up with small changes: only what a change of rules, membership or routes can touch is planned again.
 *
 * The result is the same as plan_new()'s (tests/unit/test_plan_mend.c compares them), for a hundredth of its work.
 *
 * Uses: plan.h, netsim/model/changes.h.   Used by: live.c */
#pragma once
#include "netsim/live/plan.h"
#include "netsim/model/changes.h"

/* Plans of the routers that the changes touch, which hold nothing but what goes ('from') and what comes ('to'); an element of a set or
 * map that both hold is one of a set that stays.  They borrow from 'plan'. */
struct plan_mend {
    struct plan *from, *to;
};
/* False: the changes are such that a new plan is needed; 'mend' is then empty.  'net' is what 'plan' was made of. */
bool plan_mend_new(struct plan *plan, const struct network *net, struct plan_numbers *numbers, const struct network_change *changes,
                   size_t n_changes, struct plan_mend *mend);
/* Makes 'plan' say what the mend says. */
void plan_mend_take(struct plan *plan, struct plan_mend *mend);
void plan_mend_done(struct plan_mend *mend);

/* netsim/analysis/mended.h - past obstacles as if each were mended, to see the next one: `reach --all`.
 *
 * A walk with a list of obstacles notes where it would have stopped, and goes on: past a filter, a component that is down, a missing
 * public address; where a route is missing, by whatever joins this VPC to the destination's.
 *
 * Uses: walk_places.h.   Used by: the places, reach.c. */
#pragma once
#include "netsim/analysis/walk.h"

/* What the walk was at each obstacle; owned, with their hops. */
struct obstacles {
    VEC(struct walk) items;
    VEC(struct route *) routes; /* that were thought of */
};
void obstacles_done(struct obstacles *obstacles);

/* Stops the walk (true), unless obstacles are noted: then false, and the place goes on as if this one were not there. */
bool walk_stops(struct walk *walk, enum stop stop);

/* No route, or one to something that is gone: another that would do is taken.  False: there is no way to think of. */
bool walk_detour(struct walk *walk);
/* What joins the VPC to the destination's, as the target of a route (texts borrowed from the model).  False: nothing does. */
bool walk_route_to_other_vpc(const struct walk *walk, struct route *thought);
/* The attachment by which a transit gateway would reach the destination; NULL. */
const struct tgw_attachment *walk_tgw_detour(const struct walk *walk);

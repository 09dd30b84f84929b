/* cloud/verify_gap.h - what on a packet's way only one of the two judges has: it is neither agreement nor disagreement.
 *
 * The way is walked past every filter, there and back, so that the verdicts have no say in it; what the kernel has not
 * is known from the plan.
 *
 * Used by: ops_verify.c, random_verify.c. */
#pragma once
#include "netsim/analysis/reach.h"
#include "netsim/live/live.h"
#include "netsim/live/plan.h"

struct verify_gap {
    const char *lacks; /* "not built live", "not analysed"; NULL: both have everything on its way */
    const char *what;  /* "carrier gateway"; static */
    char id[ID_SIZE];
    bool kept;        /* 'lacks' is that it was not returned */
    bool lost_behind; /* the kernel lost it at 'kept_at', and rightly: analysis finds no way from there to any of the appliances */
};
/* The first one that the flow would meet in 'net', of which 'plan' was made.  'kept_at': the endpoint of a gateway load balancer that the kernel's
 * packet did not come out of ("" none), which is one if the flow comes there: analysis does not look at appliances.  False only where
 * reach_open_ways() is. */
bool verify_find_gap(const struct network *net, const struct plan *plan, const struct flow_spec *flow,
                     const char *kept_at, struct verify_gap *gap, struct err *err);
/* Takes back a gap that changes nothing: what appliances kept does not arrive by what analysis says either. */
void verify_gap_settle(struct verify_gap *gap, const struct reach_result *said, const struct live_probe *seen);

/* netsim/live/live_internal.h - what a running lab is made of.  Used by: live.c, probe.c only. */
#pragma once
#include "netsim/live/apply.h"
#include "netsim/live/live.h"

struct live {
    struct spaces spaces;
    struct plan_numbers numbers;
    struct plan *plan;
};

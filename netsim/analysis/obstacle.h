/* netsim/analysis/obstacle.h - why a walk stopped: AWS's Explanation, one sentence, and the command that would mend it.
 *
 * One table row per reason (enum stop), so a new reason adds a row here and one in walk_stops.c.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Explanation.html
 *
 * Uses: walk.h, wording.h.   Used by: reach.c. */
#pragma once
#include "netsim/analysis/walk.h"

json_t *obstacle_explanation(const struct walk *walk);
char *obstacle_reason(const struct walk *walk); /* no full stop; the caller frees it */
char *obstacle_hint(const struct walk *walk);   /* NULL when no one command mends it; the caller frees it */

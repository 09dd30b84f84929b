/* cloud/verify_difference.h - do analysis and kernel say the same of one packet?
 *
 * Used by: ops_verify.c, random_verify.c. */
#pragma once
#include "netsim/analysis/reach.h"
#include "netsim/live/live.h"

/* How the two differ, in words (static); NULL when they agree. */
const char *verify_difference(const struct reach_result *said, const struct live_probe *seen);
/* Does the one who gets it answer?  Only echo requests, TCP and what probes answer themselves. */
bool verify_answers(const struct live_probe *probe);

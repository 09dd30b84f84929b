/* cloud/verify_counters.h - hop by hop: which ACL entry, route and refusal each packet must have met, and what the kernel counted.
 *
 * An entry of an ACL, a route, or the refusal by the groups of an interface, that counts fewer packets in the kernel than analysis says it
 * decides is a disagreement, even where the packet's fate is the same.  It may count more: the lab has traffic of its own.  Rules that
 * let a packet through a group are not compared, because several may match and either judge may name another.
 *
 * Used by: ops_verify.c. */
#pragma once
#include "base/json.h"
#include "netsim/analysis/reach.h"

struct verify_counters;

struct verify_counters *verify_counters_new(const struct network *net); /* 'net' must stay */
void verify_counters_free(struct verify_counters *counters);
/* The packet has been sent, and, if it 'answers', whoever gets it has answered. */
void verify_counters_expect(struct verify_counters *counters, const struct flow_spec *flow, bool answers);
/* [{"Rule", "Analysis", "Kernel"}], both in packets; the counters as live_link_meter() reads them, with rules, before the first packet and after
 * the last.  The caller owns it. */
json_t *verify_counters_compare(const struct verify_counters *counters, const json_t *before, const json_t *after);

/* cloud/verify_trace.h - one packet hop by hop: what nftables' traces in the kernels along its way tell (netsim/live/trace.h) beside the hops of
 * analysis, there and back.
 *
 * Compared are, each in its order: the entries of ACLs that decided; the groups of which interfaces let it pass, by a rule of theirs or as the
 * answer to what had passed; the gateways; the route tables (the kernel may ask one where analysis needs none); and what refused it.  Where
 * several rules of an interface's groups admit a packet either judge may name another, so the rule must only be one of them.  Where something
 * else than a filter stops it, a route, the kernel may find that before it asks any filter.
 *
 * Used by: ops_verify.c, random_verify.c. */
#pragma once
#include "base/json.h"
#include "netsim/analysis/reach.h"
#include "netsim/live/live.h"

/* What the two said of 'flow', which must have the very source port of 'probe', which was traced; 'hops' as live_trace() tells.  Appends a line for each
 * difference to 'differences'.  Returns the number of decisions that were compared; 0: analysis cannot be asked. */
size_t verify_trace_compare(const struct network *net, const struct flow_spec *flow, const struct live_probe *probe, const json_t *hops,
                            json_t *differences);

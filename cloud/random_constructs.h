/* cloud/random_constructs.h - what the packets of `verify --random` met, finer than the kinds of AWS's objects: a private NAT gateway is not a
 * public one, and a second interface not the first.
 *
 * Used by: random_verify.c. */
#pragma once
#include "base/json.h"
#include "netsim/analysis/reach.h"

/* Adds 1 to the number of each construct in 'met' that the packet or its answer met, as analysis walks them. */
void random_constructs_meet(const struct network *net, const struct flow_spec *flow, json_t *met);

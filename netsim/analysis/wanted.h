/* netsim/analysis/wanted.h - why a packet did not come by a component that the question wanted it to: the routes that lead there and
 * what took it elsewhere instead.
 *
 * Sources: https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html (CANNOT_ROUTE, MORE_SPECIFIC_ROUTE,
 * HIGHER_PRIORITY_ROUTE, and their TGW_RTB_ siblings)
 * Uses: walk.h.   Used by: reach.c (a gateway as the end), insights.c (components a path must have). */
#pragma once
#include "netsim/analysis/walk.h"

/* Appends an Explanation for each route table crossed that knows a way to 'id' and did not take it.  False: none did. */
bool wanted_explanations(const struct walk *walk, const char *id, json_t *explanations);

/* cloud/random_questions.h - packets by lot for a random network: between any two ends, from balancers' nodes to their targets, and at the bounds of
 * rules and routes.
 *
 * Used by: random_verify.c. */
#pragma once
#include "base/vec.h"
#include "cloud/verify_sides.h"
#include "netsim/live/live.h"

struct asked {
    struct flow_spec flow;
    struct live_probe probe;
};
typedef VEC(struct asked) asked_vec;

struct random_net;
/* Adds at most RANDOM_QUESTIONS (random_verify.h), each with a source port of its own; whom a packet is for at last is not filled in. */
void random_questions(struct random_net *r, const verify_side_vec *sides, asked_vec *questions);

/* netsim/live/trace_rule.h - the name of a rule of the kernel that had a say about a packet, by its handle.   Used by: trace.c */
#pragma once
#include "netsim/live/flow_source.h"
#include "netsim/live/plan.h"

struct live;
struct trace_rule {
    const char *chain;
    char name[FLOW_RULE_SIZE]; /* out; "" if it has none */
    char comment[96];          /* out */
};
void trace_rule_ask(const struct live *live, const struct plan_ns *ns, uint64_t handle, struct trace_rule *wanted);

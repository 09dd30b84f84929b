/* cloud/verify_rules.h - which rules and routes of the lab the packets of `verify` have met, and packets aimed at the others.
 *
 * A rule was exercised when the kernel's counter of it grew (live/meter.h), a route when a packet arrived, or its answer
 * came back, by a way that has it and the kernel counted packets by it (live/route_count.h); a blackhole when the kernel
 * counted packets that it took.  What stands at no running interface is counted apart: nothing can meet it.
 *
 * Used by: ops_verify.c. */
#pragma once
#include "base/vec.h"
#include "netsim/analysis/reach.h"

/* Somebody who sends and receives. */
struct verify_end {
    const struct eni *eni;   /* NULL: a network outside AWS, the internet */
    bool internet, answers_only;
    struct ip ips[2];        /* its own, IPv4 and IPv6; family IP_NONE: none */
};
/* One packet; ends by their number, addresses of IP_NONE are those that any packet between the two has. */
struct verify_aim {
    size_t from, to;
    struct flow_spec flow;
};
typedef VEC(struct verify_aim) verify_aim_vec;

struct verify_rules;
/* 'ends' stay the caller's and must stay. */
struct verify_rules *verify_rules_new(const struct network *net, const struct verify_end *ends, size_t n_ends);
void verify_rules_free(struct verify_rules *rules);
/* The kernel's counters before and after the packets, as live_link_meter() reads them with rules. */
void verify_rules_count(struct verify_rules *rules, const json_t *before, const json_t *after);
/* A packet arrived (or not), and was answered (or not). */
void verify_rules_see(struct verify_rules *rules, const struct flow_spec *flow, bool arrived, bool answered);
/* Packets for what has not been met yet, its boundary ports among them. */
void verify_rules_aim(const struct verify_rules *rules, verify_aim_vec *aims);
/* {"Rules": n, "Exercised": n, "Idle": n, "NotExercised": [{"Rule", "Of", "Text", "Reason"}], "Routes": n, "Taken": n, "NotTaken": [...]} */
json_t *verify_rules_json(const struct verify_rules *rules);

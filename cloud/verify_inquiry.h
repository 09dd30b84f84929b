/* cloud/verify_inquiry.h - what the files of `verify` share: the questions of one run, what both judges said, and how it is reported.
 *
 * Used by: ops_verify.c (asks), verify_report.c (answers). */
#pragma once
#include "cloud/live_link.h"
#include "cloud/verify_counters.h"
#include "cloud/verify_gap.h"
#include "cloud/verify_rules.h"
#include "cloud/verify_sides.h"

/* A construct that one of the two does not have, and how often it was met. */
struct verify_gap_met {
    struct verify_gap met;
    size_t n_packets, n_pairs;
};
/* An instance that a listener may send to, or the node of an application balancer. */
struct verify_target {
    const char *instance_id, *id; /* of the node that of its interface; 'id': as it was registered */
    const struct target_group *group; /* NULL: a Classic balancer's */
    int family, port;
    double part; /* of the connections */
};
typedef VEC(struct verify_target) verify_target_vec;
/* Packets of one client to a listener with several targets: questions 'first' and those after it. */
struct verify_spread {
    size_t first, n;
    verify_target_vec targets;
    bool strangers; /* there are others, that no machine of the lab is */
    bool sticky;
};
struct verify_question {
    const struct verify_side *from, *to;
    struct flow_spec flow;
    struct live_probe probe;
    struct reach_result said;
    struct verify_gap_met *gap; /* NULL: both have everything on its way */
    bool lost_behind;           /* as struct verify_gap has it: they agree */
    const struct verify_spread *spread; /* NULL: one alone can get it */
    bool aimed;                 /* at a rule or route that the pairs' packets did not meet */
};
struct verify_inquiry {
    const struct cloud *cloud;
    verify_side_vec sides;
    onprem_site_vec sites;
    VEC(struct verify_question) questions;
    struct plan *plan;
    VEC(struct verify_gap_met *) gaps;
    size_t n_asked;              /* questions that are answered */
    VEC(struct verify_end) ends; /* of 'sides' */
    struct verify_counters *counters;
    json_t *uncounted;
    struct verify_rules *rules; /* NULL: only some packets were asked for */
    size_t n_aimed;
    json_t *followed;            /* verify_follow.h; NULL: none was */
    VEC(struct verify_spread *) spreads;
    json_t *health[2]; /* of balancers' targets, before the packets and after: {group or balancer: {instance: state}} */
};

/* The answer: pair by pair, and every disagreement. */
void verify_report(struct op_call *call, const struct verify_inquiry *inquiry);

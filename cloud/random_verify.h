/* cloud/random_verify.h - one random network, random flows, both judges; and what is left of a disagreement when all
 * is taken away that it does not need.
 *
 * The network comes from netsim/model/random_net.h by its seed.  Every third is joined to others and to sites outside AWS.
 * Used by: ops_verify_random.c. */
#pragma once
#include "base/json.h"
#include "cloud/http_questions.h"
#include "netsim/live/live.h"
#include "netsim/live/trace.h"

#define RANDOM_QUESTIONS 40 /* flows tried in each network; some ends have no address of the family, so fewer are sent */

/* The kernel: builds the network, sends the probes, takes it down again. */
typedef bool random_send_fn(void *context, const struct network *net, struct live_probe *probes, size_t n,
                            struct err *err);
/* Packets to be followed hop by hop when the others are sent (netsim/live/trace.h). */
struct random_followed {
    struct live_probe probes[LIVE_TRACED_MOST];
    size_t n;
    json_t *ways; /* out */
};
/* What is sent beside the probes. */
struct random_live {
    struct random_followed followed;
    struct http_questions requests; /* of HTTP, when the probes have come to their ends */
    int requests_ms;                /* so long these may take together; 0: 20 s */
};
/* The live lab as it is; the caller is alone in namespaces of its own, as in a keeper.  'context': struct random_live, or NULL. (random_send.c) */
bool random_send_live(void *context, const struct network *net, struct live_probe *probes, size_t n, struct err *err);

struct random_trial {
    uint64_t seed;
    bool tap_hosts; /* instances without namespaces of their own */
    random_send_fn *send;
    void *context;
    struct random_live *live; /* what 'send' sends beside the probes; NULL: nothing */
    size_t shrink_tries; /* at most so many smaller networks are built */
    int shrink_seconds;
};
/* {"Asked", "Stopped", "Arrived", "Answered", "Disagree", "NotCompared", "Gaps": {"not analysed: appliance": packets, ..},
 *  "Constructs": {"vpc": [objects, packets whose way met one], ..}, "Met": {"private NAT gateway": packets, ..} (random_constructs.h),
 *  "Followed": {"Packets", "Decisions", "Differences": [text]} (with 'live': verify_trace.h), "Requests": {..} (http_questions_judge()),
 *  "Disagreement": {..}, "RequestDisagreement": {..} (shrink_request.h)}
 * The disagreement (left out when there is none) is the first one, shrunk: {"Seed", "From", "To", "Flow", "SourceIp",
 * "DestinationIp", "Difference", "AnalysisWhy", "Kernel", "Objects", "Shrunk", "Lab": "./shrunk-7", "Commands": [text],
 * "State": the state.json of a lab}.  "Shrunk" is false, and the network whole, when it did not differ a second time.
 * NULL when the machine cannot build the lab.  The caller owns it. */
json_t *random_verify(const struct random_trial *trial, struct err *err);

/* The state.json of a lab of that network, which it takes. */
json_t *random_state_json(const struct random_trial *trial, json_t *network);
json_int_t random_count_objects(const json_t *network);

/* cloud/random_requests.h - HTTP requests by lot for the application balancers of a random network: which rule takes them, who answers, and how often.
 *
 * Analysis says which rule takes a request (listener_request.h) and whether its packets pass; real requests say what the balancer did.
 * Asked are only those whose every possible answer analysis knows: packets pass to the node, and from it to all targets of the rule that takes it.
 *
 * Used by: random_verify.c. */
#pragma once
#include "cloud/verify_sides.h"
#include "netsim/analysis/listener_request.h"
#include "netsim/live/request.h"

struct random_request {
    const struct verify_side *from;
    const struct verify_side *door; /* whom it is sent to: the node, or that of a network balancer before it */
    const struct verify_side *node; /* of the application balancer; behind a network balancer any of its nodes */
    const struct lb_listener *listener;
    struct listener_request request;
    struct listener_header headers[2];
    size_t first, n; /* of the requests sent */
};
struct random_requests {
    VEC(struct random_request) asked;
    live_server_vec servers;
    live_request_vec sent;
};
struct random_net;
struct plan;
void random_requests_draw(struct random_net *r, const struct plan *plan, const verify_side_vec *sides, struct random_requests *out);
/* {"Asked": requests, "Rules": by rules other than the listener's own, "Forwarded", "Redirected", "Fixed", "Unserved" (503), "Differences": [text]} */
json_t *random_requests_judge(const struct network *net, const struct random_requests *requests);
void random_requests_done(struct random_requests *requests);

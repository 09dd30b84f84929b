/* netsim/analysis/listener_request.h - which rule of an application balancer's listener takes an HTTP request, and what it does with it.
 *
 * What walk.h is for packets, for what is in them.  A rule takes the request if each of its conditions holds for one of its values; of those that take it the
 * one with the lowest priority acts, else the listener itself.  Health, stickiness and who of a group is chosen are not looked at.
 * live/ decides it for real requests by code of its own (balancer_rules.h): `verify --random` compares the two.
 * Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html, .../rule-action-types.html
 *
 * Used by: cloud/random_requests.c. */
#pragma once
#include "netsim/model/load_balancer.h"

struct listener_header {
    const char *name, *value;
};
struct listener_request {
    const char *method;
    const char *host;           /* as in the field Host: with a port or without */
    const char *path, *query;   /* what is before and after the `?`; NULL: no query */
    const struct listener_header *headers; /* the others */
    size_t n_headers;
    struct ip client;           /* as the balancer sees it */
};
enum listener_answer { LISTENER_NOTHING, LISTENER_FORWARD, LISTENER_REDIRECT, LISTENER_FIXED_RESPONSE };
struct listener_decision {
    enum listener_answer answer;
    const struct lb_rule *rule;     /* NULL: the listener itself */
    const struct lb_action *action; /* NULL: it has none that answers */
    int status;                     /* of a redirect or fixed response */
    char *location;                 /* of a redirect; owned */
};
/* 'protocol' and 'port' of the listener stand for themselves in a redirect.  listener_decision_done() afterwards. */
void listener_decide(const struct lb_listener *listener, const struct listener_request *request, struct listener_decision *out);
void listener_decision_done(struct listener_decision *decision);

/* netsim/model/classic_policy.h - policies of Classic Load Balancers: cookies that keep a client with an instance (of listeners for HTTP and HTTPS), and
 * the PROXY header before the bytes (of instances' ports).
 *
 * A policy does nothing until a listener or an instance port is given it.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-sticky-sessions.html, .../enable-proxy-protocol.html,
 * https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_CreateLoadBalancerPolicy.html
 * Used by: cloud/ops_elb_policies.c, cloud/live_remarks.c, netsim/live/. */
#pragma once
#include "netsim/model/classic_balancer.h"

/* 'attributes': [{AttributeName, AttributeValue}].  ValidationError (a name), DuplicatePolicyName, TooManyPolicies, PolicyTypeNotFound,
 * InvalidConfigurationRequest (an attribute that the type lacks, or needs, or its value). */
bool classic_policy_create(struct network *net, struct classic_balancer *lb, const char *name, const char *type, const json_t *attributes,
                           struct err *err);
/* One that is not there is no error.  InvalidConfigurationRequest: it is in use. */
bool classic_policy_delete(struct network *net, struct classic_balancer *lb, const char *name, struct err *err);
/* In the place of those that were there; 'names' may be empty.  ListenerNotFound, PolicyNotFound, InvalidConfigurationRequest. */
bool classic_listener_set_policies(struct network *net, struct classic_balancer *lb, int port, const json_t *names, struct err *err);
bool classic_backend_set_policies(struct network *net, struct classic_balancer *lb, int instance_port, const json_t *names, struct err *err);
/* PolicyDescriptions of those named ('names' empty: of all).  NULL: PolicyNotFound.  The caller owns the list. */
json_t *classic_policies_json(const struct classic_balancer *lb, const json_t *names, struct err *err);

/* ---- what they ask of a node ---------------------------------------------------------------------------------------- */
bool classic_listener_sends_header(const struct classic_balancer *lb, const struct classic_listener *listener);
struct classic_stickiness {
    const char *app_cookie; /* the application's, which the balancer's follows; NULL: the balancer's lives by itself */
    int64_t period_s;       /* of its own; 0: as long as the browser runs */
};
bool classic_listener_stickiness(const struct classic_balancer *lb, const struct classic_listener *listener, struct classic_stickiness *out);
/* The n-th policy in use of which an import did not say what it is; NULL: there are not so many. */
const char *classic_unknown_policy(const struct classic_balancer *lb, size_t n);

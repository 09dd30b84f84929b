/* netsim/live/balancer_rules.h - which rule of a listener takes a request.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html   Used by: balancer.c */
#pragma once
#include "base/ip.h"
#include "netsim/live/http.h"
#include "netsim/model/load_balancer.h"

/* The action that answers the request: forward, redirect or fixed-response of the rule with the lowest priority that matches, else the
 * listener's own.  NULL: there is none of these. */
const struct lb_action *balancer_action(const struct lb_listener *listener, const struct http_head *request, const struct ip *client);
/* The target of a redirect; the caller frees it. */
char *balancer_redirect(const json_t *redirect, const struct http_head *request, const char *protocol, int port);
bool balancer_matches(const char *pattern, const char *text, bool any_case); /* `*` and `?` */

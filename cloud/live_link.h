/* cloud/live_link.h - a lab's live half: starting and ending its keeper, what the keeper serves, and asking it.
 *
 *     {"op": ...}                                      keeper_link.h
 *     {"enter": "i-0a.."}                              -> {} and the descriptors keeper_exec() wants
 *     {"probe": [[from, to, src, dst, protocol, src_port, dst_port, also], ...], "timeout": 500}
 *                                                      -> {"probes": [[arrived, replied, src, dst, rtt_us, src_port, dst_port, sent src_port, refused, receiver, kept at], ...]}
 *     {"trace": [as of probes], "timeout": 500}         -> {"probes": [...], "ways": [[hops], ...]} (netsim/live/trace.h)
 *     {"requests": [..], "servers": [..]}               -> {"requests": [..]} (live_link_request.c)
 *     {"socket": [node, 4 or 6, protocol, address or "", port]}  -> {} and the descriptor (live_socket())
 *     {"host_socket": [node, 4 or 6, protocol]}                  -> {"address", "port"} and the descriptor (live_host_socket())
 *     {"flows": true}                                  -> {} once what the flow logs' running intervals hold is written
 *     {"meter": true}                                  -> {"interfaces": {"eni-..": [packets in, bytes in, packets out, bytes out]}, "refused": {"eni-.. RULE": packets}}
 *     {"health": true}                                 -> {"health": {group or Classic balancer: {target: "healthy"}}}
 *     {"meter": true, "rules": true}                   -> the same with "rules": {"sgr-..": packets, "acl-..:ingress:100": packets} and, while they are counted,
 *                                                         "routes": {"rtb-.. 10.0.0.0/16": packets} (netsim/live/route_count.h)
 *     {"count_routes": true}                           -> {}: from now on, from 0; with false no longer
 *     {"stop": true}                                   -> {}
 *
 * Uses: netsim/live.   Used by: ops_live.c, ops_verify.c, ops_trace.c ... */
#pragma once
#include "cloud/op.h"
#include "netsim/live/keeper.h"
#include "netsim/live/live.h"
#include "netsim/live/request.h"

/* Forks the keeper, which builds the lab; returns when it is live.  The lab must be locked (lab_dir_lock): the keeper goes on holding it. */
bool live_link_up(struct cloud *cloud, const struct progress *progress, struct err *err);
/* Ends the keeper and waits until nothing of the lab is left. */
bool live_link_down(struct cloud *cloud, struct err *err);
/* IncorrectState with a hint if the lab is not live. */
bool live_link_require(const struct cloud *cloud, struct err *err);

/* One question for the keeper, which is given the question for good; the error that the reply may hold becomes ours. */
bool live_link_ask(const struct cloud *cloud, json_t *question, struct keeper_message *reply, struct err *err);

/* live_probe() in whichever process holds the lab. */
bool live_link_probe(const struct cloud *cloud, struct live_probe *probes, size_t n, int timeout_ms, struct err *err);
/* live_request() likewise (live_link_request.c); and what the keeper does with it. */
bool live_link_request(const struct cloud *cloud, const live_server_vec *servers, live_request_vec *requests, struct err *err);
bool live_link_serve_requests(struct cloud *cloud, const json_t *asked, json_t *out, struct err *err);
/* live_trace() likewise; NULL on failure, else the ways, which the caller owns. */
json_t *live_link_trace(const struct cloud *cloud, struct live_probe *probes, size_t n, int timeout_ms, struct err *err);
/* live_socket() in the keeper; -1 on failure. */
int live_link_socket(const struct cloud *cloud, const char *node, int family, int protocol, const struct ip *ip, int port, struct err *err);
int live_link_host_socket(const struct cloud *cloud, const char *node, int family, int protocol, struct ip *ip, int *port, struct err *err);
/* What the health checks of balancers say (live_health()); the caller owns it.  NULL on failure. */
json_t *live_link_health(const struct cloud *cloud, struct err *err);
/* Has the keeper write what the running intervals of flow logs hold. */
bool live_link_flush(const struct cloud *cloud, struct err *err);
bool live_link_count_routes(const struct cloud *cloud, bool on, struct err *err); /* live_count_routes() likewise */
/* Counters since the lab is live, as "meter" answers; the caller owns it.  NULL on failure. */
json_t *live_link_meter(const struct cloud *cloud, bool rules, struct err *err);
/* The name of an interface's link in its VPC's router; ERR_INPUT when it has none. */
bool live_link_router_end(const struct cloud *cloud, const char *eni_id, char name[static 16], struct err *err);
/* Descriptors of the namespaces of a node (live_namespace()), for keeper_exec(); the caller closes those that are not -1. */
bool live_link_enter(const struct cloud *cloud, const char *node, int fds[static KEEPER_NAMESPACES], struct err *err);

/* cloud/verify_balancers.h - `verify` through load balancers: who may get a connection, whether one of these got it, and whether each did.
 *
 * Which of several targets gets a connection the kernel decides by the flow.  So a client sends a listener with several of them so many
 * connections that none of them can be left out by chance; every arrival must be at one that analysis allows, with the addresses it has there;
 * and each of those must get some, unless the lab's health checks keep it out.
 *
 * An application balancer ends connections, and so does a network one that ends TLS or sends to the other address family, and a Classic one that
 * reads HTTP or ends TLS: there the client's way to the node is one question, and the node's ways to its targets are others.
 *
 * Used by: ops_verify.c, verify_report.c, verify_sides.c. */
#pragma once
#include "cloud/verify_inquiry.h"

struct private_service;
/* Fills in who may get what is sent to the balancer or service behind side->eni. False: nobody that runs in the lab. */
bool verify_side_find_receivers(const struct network *net, const struct private_service *service, struct verify_side *side);
/* Does a connection end at the node? */
bool verify_ends_at_node(const struct network *net, const struct verify_side *side, int protocol, int port, int family);
/* Can both judges be asked about the same end?  Not where a connection ends at a node and comes from an endpoint, which the node alone
 * sees; nor where the sender's VPC has another interface of that address. */
bool verify_can_ask(const struct network *net, const struct verify_side *from, const struct verify_side *to, int protocol, int port,
                    const struct ip *dst);

/* Ports and protocols of the side's listeners. */
struct verify_ports;
void verify_listener_ports(const struct verify_side *side, struct verify_ports *ports);
/* Where a node sends to, and looks whether it is well, each once. */
void verify_node_targets(const struct network *net, const struct verify_side *side, verify_target_vec *out);
/* Fills in 'targets' and what goes with them: those that may get a packet to that port.  VEC_DONE(&spread.targets). */
void verify_spread_targets(const struct network *net, const struct verify_side *side, int protocol, int port, struct verify_spread *spread);
/* Of one of a listener's groups, which gets 'part' of the connections. */
void verify_spread_group(const struct network *net, const struct verify_side *side, const char *group_arn, double part,
                         struct verify_spread *spread);
/* So many packets of one client to that port; 1 where one is enough. */
size_t verify_spread_size(const struct network *net, const struct verify_side *side, int protocol, int port);
/* The last 'n' questions are such packets. */
void verify_spread_add(struct verify_inquiry *inquiry, size_t n);
const char *verify_receiver(const struct verify_question *q); /* the one that got it; NULL: nobody did */
void verify_ask_receiver(struct verify_question *q); /* analysis shall show the way by which that one got it */
/* How the two differ (static); NULL: they agree.  Of any question. */
const char *verify_question_difference(const struct verify_question *q);
/* It went to a target that analysis says gets nothing: lost rightly, but nobody can say whose rules it met. */
bool verify_lost_elsewhere(const struct verify_question *q);
/* A Classic balancer sends to nobody while none of its instances is in service, which analysis does not look at. */
bool verify_health_gap(const struct verify_inquiry *inquiry, const struct verify_question *q, struct verify_gap *gap);
/* Adds [{From, To, Flow, ...}] for each target that analysis allows and no packet reached. */
void verify_spread_judge(const struct verify_inquiry *inquiry, json_t *differences);

/* netsim/analysis/conn_probes.h - what a load balancer lets pass, as sets; for connectivity.c.
 *
 * A packet to a balancer's interface arrives if a listener takes its port and one of the targets behind gets it.  The way and the filters up to
 * the interface are known as sets; for each listener reach() is asked one packet, and one for each range of source ports that some ACL tells
 * apart, because answers go there. */
#pragma once
#include "netsim/analysis/conn_ways.h"

struct conn_probes;
struct conn_probes *conn_probes_new(const struct network *net, struct set_pool *pool, int family);
void conn_probes_free(struct conn_probes *probes);
bool conn_probes_wants(const struct network *net, const struct eni *eni); /* is it an interface of a balancer? */
/* 'front': the packets that get as far as the interface 'to'. */
void conn_probes_ask(struct conn_probes *probes, const struct conn_end *from, const struct conn_end *to, int front, int *passes, int *answered);

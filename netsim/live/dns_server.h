/* netsim/live/dns_server.h - DNS over UDP and TCP at one address: reads questions, asks a handler, sends answers.
 * Uses: dns.h, reactor.h.   Used by: services.c */
#pragma once
#include "netsim/live/dns.h"
#include "netsim/live/reactor.h"

/* Fills 'answer' (zeroed; freed by the server) for who asks from that address.  False: the question cannot be answered (SERVFAIL). */
typedef bool dns_handler(void *context, const struct ip *asker, const struct dns_question *question, struct dns_answer *answer);

struct dns_server;
/* Takes both sockets, bound and not blocking; the one for TCP listens. */
struct dns_server *dns_server_new(struct reactor *reactor, int udp, int tcp, dns_handler *handler, void *context);
void dns_server_free(struct dns_server *server);
void dns_server_tick(struct dns_server *server, long long now_ms);

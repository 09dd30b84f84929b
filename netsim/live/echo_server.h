/* netsim/live/echo_server.h - UDP that comes back as it came (RFC 862).  Uses: reactor.h.   Used by: services.c */
#pragma once
#include "netsim/live/reactor.h"

struct echo_server;
struct echo_server *echo_server_new(struct reactor *reactor, int udp); /* takes the socket, bound and not blocking */
void echo_server_free(struct echo_server *server);

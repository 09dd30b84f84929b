/* netsim/live/request.h - HTTP requests through a live lab: who answers them, and how the answerer saw the client.
 *
 * What live_probe() is for packets, for what is in them.  The requests are sent by sockets in the senders' namespaces; servers stand in the
 * targets' for as long as the call lasts, and each says who it is.  The lab must be served (live_serve()), since balancers read requests there.
 *
 * Uses: http.h, reactor.h.   Used by: cloud/random_send.c, cloud/live_link_request.c */
#pragma once
#include "netsim/live/live.h"

struct live_server {
    char ns[ID_SIZE]; /* id of an instance */
    struct ip ip;
    int port;
};
typedef VEC(struct live_server) live_server_vec;

struct live_request {
    char from[ID_SIZE]; /* id of an instance, or "internet" */
    struct ip src, dst;
    int src_port, dst_port;
    char *text; /* the whole request */
    /* out: */
    int status;         /* 0: no answer came */
    char *location;     /* of a redirect; NULL: none.  The caller frees it. */
    size_t server;      /* which of the servers answered; n_servers: none of them */
    struct ip told_src; /* whom it was told the client is (X-Forwarded-For); IP_NONE: nothing */
};
typedef VEC(struct live_request) live_request_vec;
void live_request_done(struct live_request *request); /* its texts */
/* Sends all, a few at a time, and returns when all are answered or 'timeout_ms' have passed.  ERR_MACHINE: a socket cannot be opened. */
bool live_request(struct live *live, const struct live_server *servers, size_t n_servers, struct live_request *requests, size_t n, int timeout_ms,
                  struct err *err);

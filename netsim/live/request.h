/* netsim/live/request.h - HTTP requests through a live lab: who answers them, and how the answerer saw the client.
 *
 * Each server sets a cookie LIVE_SERVER_COOKIE, as an application does.
 * What live_probe() is for packets, for what is in them.  The requests are sent by sockets in the senders' namespaces; servers stand in the
 * targets' for as long as the call lasts, and each says who it is.  The lab must be served (live_serve()), since balancers read requests there.
 *
 * Uses: http.h, reactor.h, tls.h.   Used by: cloud/random_send.c, cloud/live_link_request.c */
#pragma once
#include "netsim/live/live.h"

#define LIVE_SERVER_COOKIE "SESSION"

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
    bool secure; /* inside TLS; a certificate is taken as it is */
    char host[80]; /* for which certificate it asks; "": for none */
    /* out: */
    int status;         /* 0: no answer came */
    char *location;     /* of a redirect; NULL: none.  The caller frees it. */
    size_t server;      /* which of the servers answered; n_servers: none of them */
    char told_protocol[8]; /* that the client spoke (X-Forwarded-Proto) */
    char *cookies;      /* of a server's answer, as a client sends them back: "a=1; b=2"; NULL: none.  The caller frees it. */
    char serial[64];    /* of the certificate that was shown, as authority.h writes it; "": none */
    char tls[16];       /* "TLSv1.3"; "": hands were not shaken */
    bool issued;        /* the certificate is one of the lab's own authority */
    struct ip told_src; /* whom it was told the client is (X-Forwarded-For); IP_NONE: nothing */
};
typedef VEC(struct live_request) live_request_vec;
void live_request_done(struct live_request *request); /* its texts */
/* Sends all, a few at a time, and returns when all are answered or 'timeout_ms' have passed.  ERR_MACHINE: a socket cannot be opened. */
bool live_request(struct live *live, const struct live_server *servers, size_t n_servers, struct live_request *requests, size_t n, int timeout_ms,
                  struct err *err);

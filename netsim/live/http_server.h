/* netsim/live/http_server.h - a small HTTP/1.1 server on a listening socket: it reads a request, asks a handler, writes the answer.
 *
 * Connections stay open for further requests; one that is silent for a minute is closed, and so is the one that waits longest when there are
 * more than HTTP_CONNECTIONS_MAX.  A body has at most HTTP_BODY_MAX bytes.   Uses: http.h, reactor.h, stream.h.   Used by: the services. */
#pragma once
#include "base/ip.h"
#include "netsim/live/http.h"
#include "netsim/live/reactor.h"

#define HTTP_CONNECTIONS_MAX 512
#define HTTP_BODY_MAX        (16u << 20)

struct http_exchange {
    struct ip peer, local; /* who asks, and at which of our addresses */
    int peer_port, local_port;
    bool secure; /* inside TLS */
    const struct http_head *request;
    const char *body; /* of the request; never NULL */
    size_t body_size;
    int status;         /* of the answer; 200 unless the handler says otherwise */
    struct buf fields;  /* further fields: "Server: x\r\n"; Content-Length, Date and Connection are the server's */
    struct buf answer;  /* its body */
    bool no_body;       /* a HEAD request: only the size of the body is told */
    long long size;     /* with no_body: that size */
    int ttl;            /* of the packets of the answer and all after it on this connection; 0: the kernel's */
};
typedef void http_handler(void *context, struct http_exchange *exchange);

struct http_server;
struct tls_offer;
typedef struct tls_offer *http_offer(void *context); /* what a new connection is shown; NULL: it is closed */
/* Takes the listening socket, which must not block. */
struct http_server *http_server_new(struct reactor *reactor, int fd, http_handler *handler, void *context);
void http_server_secure(struct http_server *server, http_offer *offer); /* from now on TLS is spoken; with the handler's context */
void http_server_free(struct http_server *server); /* closes everything */
void http_server_tick(struct http_server *server, long long now_ms); /* about once a second: closes the silent ones */
void http_field_add(struct http_exchange *exchange, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));


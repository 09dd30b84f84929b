/* netsim/live/balancer_h2.h - a client's connection in HTTP/2: each of its streams is a connection of HTTP/1.1 to the balancer, inside this process.
 *
 * So what a request meets is the same in both: rules, targets, cookies, limits.  Frames, header compression and flow control are libnghttp2's; where it was not
 * there when the program was built, nobody is offered HTTP/2.
 * Source: https://www.rfc-editor.org/rfc/rfc9113,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html
 * Uses: libnghttp2, http.h, stream.h.   Used by: balancer.c */
#pragma once
#include "netsim/live/reactor.h"
#include "netsim/live/stream.h"

struct balancer_h2;
struct balancer_h2_owner {
    int (*open)(void *context);    /* a connection for one request, whose other end is the owner's; -1: none now */
    void (*ended)(void *context);  /* the client's connection is over: balancer_h2_free() is due */
    void *context;
};
bool balancer_h2_is_built(void);
/* Takes the stream, whose hands are shaken. */
struct balancer_h2 *balancer_h2_new(struct reactor *reactor, const struct stream *stream, const struct balancer_h2_owner *owner);
void balancer_h2_free(struct balancer_h2 *h2); /* closes everything */
const struct stream *balancer_h2_stream(const struct balancer_h2 *h2);
bool balancer_h2_is_idle(const struct balancer_h2 *h2, long long since_ms); /* no stream, and nothing came since */

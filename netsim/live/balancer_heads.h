/* netsim/live/balancer_heads.h - what a balancer that reads HTTP changes in the heads it passes on.
 *
 * Hop-by-hop fields end here (RFC 9110 section 7.6.1); an `Expect` has been answered; targets are told whom they serve.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html, .../application-load-balancers.html
 * (attributes), .../load-balancer-request-tracing.html   Used by: balancer.c, tests/fuzz/fuzz_http.c */
#pragma once
#include <stdint.h>
#include "base/buf.h"
#include "netsim/live/http.h"

enum balancer_xff { XFF_APPEND, XFF_PRESERVE, XFF_REMOVE }; /* what becomes of X-Forwarded-For */
struct balancer_told {
    const char *client; /* its address */
    int client_port, port; /* the client's, the listener's */
    bool secure; /* the client came by TLS */
    enum balancer_xff xff;
    bool shows_port;   /* X-Forwarded-For has the client's port too */
    bool drops_invalid; /* fields whose names have more than letters, digits and hyphens */
    const char *tls_version, *tls_cipher; /* X-Amzn-TLS-..; NULL: not told */
    const char *mutual; /* X-Amzn-Mtls-..: whole lines, in the place of what the client says by these names; NULL: not told */
    const char *host; /* for a request that names none */
    const char *trace; /* "1-67891233-abcdef012345678912345678": X-Amzn-Trace-Id; NULL: not told */
};
#define BALANCER_TRACE_SIZE 40
/* 'turn' counts requests, for a kernel that has no chance to give. */
void balancer_make_trace(int64_t now_ms, size_t turn, char trace[static BALANCER_TRACE_SIZE]);
void balancer_write_request(struct buf *out, const struct http_head *head, const struct balancer_told *told);
/* 'more': further fields, whole lines, or NULL.  'keeps': the client may ask again.  'plain': chunks are undone, as the client reads HTTP/1.0. */
void balancer_write_answer(struct buf *out, const struct http_head *head, const char *more, bool keeps, bool plain);
bool balancer_asks_upgrade(const struct http_head *head);

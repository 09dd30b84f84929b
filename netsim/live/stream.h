/* netsim/live/stream.h - one end of a TCP connection that never blocks, plain or inside TLS.
 *
 * With TLS the two sides first shake hands: until that is done nothing is read or written, and stream_read() says EAGAIN.  What the socket must be
 * watched for is stream_events(), since TLS may have to write in order to read.
 * Uses: tls.h, OpenSSL.   Used by: balancer.c, relay.c, health.c, http_server.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ssl_st;
struct stream {
    int fd;             /* -1: there is none */
    struct ssl_st *tls; /* NULL: plain */
    bool shaken;        /* hands are shaken; of a plain one always */
    bool wants_out;     /* TLS has something to write before it can go on */
};
/* Takes the descriptor, and the connection's TLS (tls_accept(), tls_connect(); NULL: plain). */
struct stream stream_of(int fd, struct ssl_st *tls);
void stream_close(struct stream *stream);

/* As far as hands can be shaken now; false: the other side does not speak TLS, or not ours. */
bool stream_shake(struct stream *stream);
/* As recv() and send() that do not block: 0 is the other side's end, -1 with EAGAIN not now, any other errno a broken connection. */
ssize_t stream_read(struct stream *stream, void *data, size_t size);
ssize_t stream_write(struct stream *stream, const void *data, size_t size);
/* Tells the other side that no more will be written. */
void stream_end(struct stream *stream);
/* EPOLLIN, EPOLLOUT: what to wait for when one wants to read, to write, or both. */
uint32_t stream_events(const struct stream *stream, bool reads, bool writes);

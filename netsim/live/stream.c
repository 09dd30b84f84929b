#include "netsim/live/stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct stream
stream_of(int fd, struct ssl_st *tls)
{
    if (tls) {
        SSL_set_fd(tls, fd);
    }
    return (struct stream){ .fd = fd, .tls = tls, .shaken = !tls };
}

void
stream_close(struct stream *stream)
{
    if (stream->tls) {
        if (stream->shaken) {
            SSL_shutdown(stream->tls); /* as far as it goes at once */
        }
        SSL_free(stream->tls);
        ERR_clear_error();
    }
    if (stream->fd >= 0) {
        close(stream->fd);
    }
    *stream = (struct stream){ .fd = -1 };
}

/* What a call that did not go on means, as errno. */
static ssize_t
why(struct stream *stream, int result)
{
    int before = errno;
    stream->wants_out = false;
    switch (SSL_get_error(stream->tls, result)) {
    case SSL_ERROR_WANT_WRITE:
        stream->wants_out = true;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_READ:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        errno = before && before != EAGAIN ? before : ECONNRESET;
        return -1;
    default:
        ERR_clear_error();
        errno = EPROTO;
        return -1;
    }
}

bool
stream_shake(struct stream *stream)
{
    if (stream->shaken) {
        return true;
    }
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(stream->tls);
    if (result == 1) {
        stream->shaken = true;
        stream->wants_out = false;
        return true;
    }
    return why(stream, result) < 0 && errno == EAGAIN;
}

/* Hands are shaken and TLS may be asked; else errno says why not. */
static bool
ready(struct stream *stream)
{
    bool ok = stream_shake(stream);
    ERR_clear_error();
    errno = !ok ? EPROTO : stream->shaken ? 0 : EAGAIN;
    return errno == 0;
}

ssize_t
stream_read(struct stream *stream, void *data, size_t size)
{
    if (!stream->tls) {
        return recv(stream->fd, data, size, MSG_DONTWAIT);
    }
    if (!ready(stream)) {
        return -1;
    }
    int n = SSL_read(stream->tls, data, (int)size);
    return n > 0 ? n : why(stream, n);
}

ssize_t
stream_write(struct stream *stream, const void *data, size_t size)
{
    if (!stream->tls) {
        return send(stream->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (!ready(stream)) {
        return -1;
    }
    int n = SSL_write(stream->tls, data, (int)(size < 16384 ? size : 16384));
    ssize_t said = n > 0 ? n : why(stream, n);
    if (said == 0) {
        errno = EPIPE;
        said = -1;
    }
    return said;
}

void
stream_end(struct stream *stream)
{
    if (stream->tls && stream->shaken) {
        SSL_shutdown(stream->tls);
        ERR_clear_error();
    }
    shutdown(stream->fd, SHUT_WR);
}

uint32_t
stream_events(const struct stream *stream, bool reads, bool writes)
{
    if (!stream->shaken) {
        return stream->wants_out ? EPOLLOUT : EPOLLIN;
    }
    return (reads ? EPOLLIN : 0) | (writes || stream->wants_out ? EPOLLOUT : 0);
}

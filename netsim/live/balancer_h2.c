#include "netsim/live/balancer_h2.h"

#if __has_include(<nghttp2/nghttp2.h>)
#include <ctype.h>
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/monotonic.h"
#include "base/vec.h"
#include "netsim/live/http.h"
#include "netsim/live/services.h"

#define HELD_MAX    65536 /* bytes of one direction that wait for the other side */
#define STREAMS_MAX 128   /* at a time, as AWS's */

/* A request and its answer. */
struct h2_stream {
    struct watch watch; /* first; of its inner connection; fd -1: none (any more) */
    struct balancer_h2 *h2;
    struct h2_stream *next, *before;
    int32_t id;
    uint32_t events;
    char *method, *path, *authority;
    struct buf fields, cookies; /* of the request's head */
    struct buf out;             /* waits for the inner connection */
    struct buf in, body;        /* came from it; the answer's body that waits for the client */
    size_t taken;               /* bytes of the request's body that the client was not told to be gone */
    bool has_length, chunked, too_large, to_head;
    bool ended;    /* the inner connection says no more */
    bool answered; /* the answer's head is told */
    bool done;     /* all of its body has come */
    struct http_body answer;
};
struct balancer_h2 {
    struct watch watch; /* first */
    struct reactor *reactor;
    struct stream stream;
    struct balancer_h2_owner owner;
    nghttp2_session *session;
    struct h2_stream *first;
    struct buf out;
    uint32_t events;
    long long last_ms;
};

bool
balancer_h2_is_built(void)
{
    return true;
}

/* ---- streams ------------------------------------------------------------------------------------------------------
 */
static void
take(struct buf *buf, size_t used)
{
    if (used) {
        memmove(buf->data, buf->data + used, buf->size - used);
        buf->size -= used;
    }
}

static void
close_inner(struct h2_stream *s)
{
    if (s->watch.fd >= 0) {
        reactor_remove(s->h2->reactor, &s->watch);
        close(s->watch.fd);
        s->watch.fd = -1;
    }
}

static void
stream_free(struct h2_stream *s)
{
    struct buf *const bufs[] = { &s->fields, &s->cookies, &s->out, &s->in, &s->body };
    close_inner(s);
    for (size_t i = 0; i < ARRAY_SIZE(bufs); i++) {
        buf_done(bufs[i]);
    }
    free(s->method);
    free(s->path);
    free(s->authority);
    *(s->before ? &s->before->next : &s->h2->first) = s->next;
    if (s->next) {
        s->next->before = s->before;
    }
    free(s);
}

static void
reset(struct h2_stream *s, uint32_t code)
{
    close_inner(s);
    s->done = true;
    nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, code);
}

/* An answer without a body, where there is nobody to ask. */
static void
refuse(struct h2_stream *s, const char *status)
{
    nghttp2_nv line = { (uint8_t *)":status", (uint8_t *)status, 7, strlen(status), NGHTTP2_NV_FLAG_NONE };
    s->answered = s->done = true;
    nghttp2_submit_response(s->h2->session, s->id, &line, 1, NULL);
}

/* ---- the answer ---------------------------------------------------------------------------------------------------
 */
static ssize_t
give_body(nghttp2_session *session, int32_t id, uint8_t *data, size_t size, uint32_t *flags,
          nghttp2_data_source *source, void *context)
{
    struct h2_stream *s = source->ptr;
    size_t n = s->body.size < size ? s->body.size : size;
    (void)session, (void)id, (void)context;
    if (n) {
        memcpy(data, s->body.data, n);
        take(&s->body, n);
    }
    if (s->done && s->body.size == 0) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (n == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)n;
}

/* What HTTP/2 says in other ways. */
static bool
is_dropped(const char *name)
{
    static const char *const names[] = { "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding",
                                         "Upgrade" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void
tell_answer(struct h2_stream *s, const struct http_head *head)
{
    nghttp2_nv lines[HTTP_FIELDS_MAX + 1];
    char status[16], *names[HTTP_FIELDS_MAX];
    size_t n = 0, n_names = 0;
    snprintf(status, sizeof status, "%d", head->status);
    lines[n++] = (nghttp2_nv){ (uint8_t *)":status", (uint8_t *)status, 7, strlen(status), NGHTTP2_NV_FLAG_NONE };
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct http_field *f = &head->fields[i];
        if (is_dropped(f->name)) {
            continue;
        }
        char *name = names[n_names++] = xstrdup(f->name);
        for (char *c = name; *c; c++) {
            *c = (char)tolower((unsigned char)*c);
        }
        lines[n++] =
            (nghttp2_nv){ (uint8_t *)name, (uint8_t *)f->value, strlen(name), strlen(f->value), NGHTTP2_NV_FLAG_NONE };
    }
    http_body_of_answer(&s->answer, head, s->to_head);
    s->answered = true;
    s->done = s->answer.done;
    nghttp2_data_provider provider = { .source.ptr = s, .read_callback = give_body };
    nghttp2_submit_response(s->h2->session, s->id, lines, n, s->done ? NULL : &provider);
    while (n_names) {
        free(names[--n_names]);
    }
}

static bool
read_body(struct h2_stream *s)
{
    size_t used = 0;
    enum http_progress progress;
    if (s->answer.kind == HTTP_BODY_CHUNKED) {
        progress = http_read_chunks(&s->answer.chunks, buf_str(&s->in), s->in.size, &used, &s->body, SIZE_MAX);
    } else {
        progress = http_body_pass(&s->answer, buf_str(&s->in), s->in.size, &used);
        buf_add(&s->body, buf_str(&s->in), used);
    }
    take(&s->in, used);
    s->done = progress == HTTP_DONE || (s->ended && s->answer.kind == HTTP_BODY_TO_END && s->in.size == 0);
    return progress != HTTP_BAD;
}

/* As far as it goes with what has come. */
static void
read_answer(struct h2_stream *s)
{
    bool ok = true;
    while (ok && !s->answered && s->in.size) {
        struct http_head head;
        size_t used;
        enum http_progress progress = http_read_answer(s->in.data, s->in.size, &head, &used);
        if (progress != HTTP_DONE) {
            ok = progress == HTTP_MORE;
            break;
        }
        take(&s->in, used);
        if (head.status >= 200) { /* what came before the answer was for the client of HTTP/1.1 that we are */
            tell_answer(s, &head);
        }
        http_head_done(&head);
    }
    if (ok && s->answered && !s->done) {
        ok = read_body(s);
        nghttp2_session_resume_data(s->h2->session, s->id);
    }
    if (!ok || (s->ended && !s->done)) {
        reset(s, NGHTTP2_INTERNAL_ERROR);
    } else if (s->done) {
        close_inner(s);
    }
}

/* ---- the request --------------------------------------------------------------------------------------------------
 */
/* Nothing that a line of HTTP/1.1 would end at. */
static bool
is_word(const char *text)
{
    return text && *text && !text[strcspn(text, " \t\r\n")];
}

static void on_inner(struct watch *watch, uint32_t events);

static void
ask(struct h2_stream *s, bool has_body)
{
    struct balancer_h2 *h2 = s->h2;
    if (s->too_large || !is_word(s->method) || !is_word(s->path) || !is_word(s->authority)) {
        refuse(s, s->too_large ? "431" : "400");
        return;
    }
    int fd = h2->owner.open(h2->owner.context);
    if (fd < 0) {
        refuse(s, "503");
        return;
    }
    s->to_head = strcmp(s->method, "HEAD") == 0;
    s->chunked = has_body && !s->has_length;
    buf_printf(&s->out, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", s->method, s->path, s->authority, buf_str(&s->fields));
    if (s->cookies.size) {
        buf_printf(&s->out, "Cookie: %s\r\n", buf_str(&s->cookies));
    }
    buf_str_add(&s->out, s->chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
    s->watch = (struct watch){ fd, on_inner };
    s->events = EPOLLIN | EPOLLOUT;
    reactor_add(h2->reactor, &s->watch, s->events);
}

/* False when the inner connection takes no more. */
static bool
push_inner(struct h2_stream *s)
{
    while (s->out.size && s->watch.fd >= 0) {
        ssize_t n = send(s->watch.fd, s->out.data, s->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        take(&s->out, (size_t)n);
    }
    if (s->taken) { /* the client may send as much again */
        nghttp2_session_consume(s->h2->session, s->id, s->taken);
        s->taken = 0;
    }
    return true;
}

/* ---- what libnghttp2 reads ----------------------------------------------------------------------------------------
 */
static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct balancer_h2 *h2 = context;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        struct h2_stream *s = xcalloc(1, sizeof *s);
        s->h2 = h2;
        s->id = frame->hd.stream_id;
        s->watch.fd = -1;
        s->next = h2->first;
        if (s->next) {
            s->next->before = s;
        }
        h2->first = s;
        nghttp2_session_set_stream_user_data(session, s->id, s);
    }
    return 0;
}

static void
set_text(char **slot, const uint8_t *value, size_t size)
{
    free(*slot);
    *slot = xstrndup((const char *)value, size);
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
          const uint8_t *value, size_t size, uint8_t flags, void *context)
{
    struct h2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    const char *called = (const char *)name, *said = (const char *)value;
    (void)flags, (void)context;
    if (!s || frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0; /* what stands after a body has no place */
    }
    s->too_large = s->too_large || s->fields.size + s->cookies.size + name_size + size > HTTP_HEAD_MAX;
    if (s->too_large || memchr(value, '\r', size) || memchr(value, '\n', size) || memchr(value, '\0', size)) {
        return s->too_large ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (strcmp(called, ":method") == 0) {
        set_text(&s->method, value, size);
    } else if (strcmp(called, ":path") == 0) {
        set_text(&s->path, value, size);
    } else if (strcmp(called, ":authority") == 0 || (strcmp(called, "host") == 0 && !s->authority)) {
        set_text(&s->authority, value, size);
    } else if (strcmp(called, "cookie") == 0) { /* RFC 9113 section 8.2.3: in pieces */
        buf_printf(&s->cookies, "%s%.*s", s->cookies.size ? "; " : "", (int)size, said);
    } else if (*called != ':' && strcmp(called, "host") != 0) {
        s->has_length = s->has_length || strcmp(called, "content-length") == 0;
        buf_printf(&s->fields, "%.*s: %.*s\r\n", (int)name_size, called, (int)size, said);
    }
    return 0;
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct h2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    (void)context;
    if (!s || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)) {
        return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        ask(s, !ends);
    } else if (ends && s->chunked) {
        buf_str_add(&s->out, "0\r\n\r\n");
    }
    return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size, void *context)
{
    struct h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    (void)flags, (void)context;
    if (!s || s->watch.fd < 0) {
        nghttp2_session_consume(session, id, size);
        return 0;
    }
    if (s->chunked) {
        buf_printf(&s->out, "%zx\r\n", size);
    }
    buf_add(&s->out, data, size);
    buf_str_add(&s->out, s->chunked ? "\r\n" : "");
    s->taken += size;
    return 0;
}

static int
on_close(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
    struct h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    (void)code, (void)context;
    if (s) {
        nghttp2_session_set_stream_user_data(session, id, NULL);
        nghttp2_session_consume_connection(session, s->taken);
        stream_free(s);
    }
    return 0;
}

/* ---- the connection -----------------------------------------------------------------------------------------------
 */
/* What libnghttp2 has to say, as far as the client takes it.  False: it is over. */
static bool
push(struct balancer_h2 *h2)
{
    const uint8_t *data;
    ssize_t n = 1;
    while (n > 0 || h2->out.size) {
        while (h2->out.size < HELD_MAX && (n = nghttp2_session_mem_send(h2->session, &data)) > 0) {
            buf_add(&h2->out, data, (size_t)n);
        }
        if (n < 0) {
            return false;
        }
        ssize_t sent = h2->out.size ? stream_write(&h2->stream, h2->out.data, h2->out.size) : 0;
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        take(&h2->out, (size_t)sent);
    }
    return nghttp2_session_want_read(h2->session) || nghttp2_session_want_write(h2->session);
}

static void
settle(struct balancer_h2 *h2)
{
    for (struct h2_stream *s = h2->first; s; s = s->next) {
        if (!push_inner(s)) {
            s->out.size = 0; /* it has answered all the same, or its end is read next */
        }
    }
    if (!push(h2)) {
        h2->owner.ended(h2->owner.context);
        return;
    }
    for (struct h2_stream *s = h2->first; s; s = s->next) {
        uint32_t events = (s->body.size < HELD_MAX ? EPOLLIN : 0) | (s->out.size ? EPOLLOUT : 0);
        if (s->watch.fd >= 0 && events != s->events) {
            s->events = events;
            reactor_change(h2->reactor, &s->watch, events);
        }
    }
    uint32_t events = stream_events(&h2->stream, true, h2->out.size > 0);
    if (events != h2->events) {
        h2->events = events;
        reactor_change(h2->reactor, &h2->watch, events);
    }
}

static void
on_inner(struct watch *watch, uint32_t events)
{
    struct h2_stream *s = (struct h2_stream *)watch;
    struct balancer_h2 *h2 = s->h2;
    h2->last_ms = monotonic_ms();
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        char data[16384];
        ssize_t n = recv(watch->fd, data, sizeof data, MSG_DONTWAIT);
        if (n > 0) {
            buf_add(&s->in, data, (size_t)n);
        }
        s->ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
        read_answer(s);
    }
    settle(h2);
}

static void
on_client(struct watch *watch, uint32_t events)
{
    struct balancer_h2 *h2 = (struct balancer_h2 *)watch;
    bool ok = true;
    h2->last_ms = monotonic_ms();
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        char data[16384];
        ssize_t n = stream_read(&h2->stream, data, sizeof data);
        ok = n > 0 ? nghttp2_session_mem_recv(h2->session, (const uint8_t *)data, (size_t)n) >= 0
                   : n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    if (ok) {
        settle(h2);
    } else {
        h2->owner.ended(h2->owner.context);
    }
}

static nghttp2_session *
new_session(struct balancer_h2 *h2)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session *session = NULL;
    const nghttp2_settings_entry settings[] = { { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX },
                                                { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX } };
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return NULL;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_option_new(&option) == 0) {
        nghttp2_option_set_no_auto_window_update(option, 1);
        if (nghttp2_session_server_new2(&session, callbacks, h2, option) == 0) {
            nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, ARRAY_SIZE(settings));
        }
        nghttp2_option_del(option);
    }
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

struct balancer_h2 *
balancer_h2_new(struct reactor *reactor, const struct stream *stream, const struct balancer_h2_owner *owner)
{
    struct balancer_h2 *h2 = xcalloc(1, sizeof *h2);
    *h2 = (struct balancer_h2){ .watch = { stream->fd, on_client },
                                .reactor = reactor,
                                .stream = *stream,
                                .owner = *owner,
                                .events = EPOLLIN | EPOLLOUT,
                                .last_ms = monotonic_ms() };
    h2->session = new_session(h2);
    if (!h2->session || !reactor_add(reactor, &h2->watch, h2->events)) {
        nghttp2_session_del(h2->session);
        stream_close(&h2->stream);
        free(h2);
        return NULL;
    }
    return h2;
}

void
balancer_h2_free(struct balancer_h2 *h2)
{
    if (h2) {
        while (h2->first) {
            stream_free(h2->first);
        }
        nghttp2_session_del(h2->session);
        reactor_remove(h2->reactor, &h2->watch);
        stream_close(&h2->stream);
        buf_done(&h2->out);
        free(h2);
    }
}

const struct stream *
balancer_h2_stream(const struct balancer_h2 *h2)
{
    return &h2->stream;
}

bool
balancer_h2_is_idle(const struct balancer_h2 *h2, long long since_ms)
{
    return !h2->first && h2->last_ms < since_ms;
}

#else
#include <stddef.h>

/* Nobody is offered HTTP/2 (tls_offers.c asks), so nobody comes. */
bool
balancer_h2_is_built(void)
{
    return false;
}

struct balancer_h2 *
balancer_h2_new(struct reactor *reactor, const struct stream *stream, const struct balancer_h2_owner *owner)
{
    struct stream own = *stream;
    (void)reactor, (void)owner;
    stream_close(&own);
    return NULL;
}

void
balancer_h2_free(struct balancer_h2 *h2)
{
    (void)h2;
}

const struct stream *
balancer_h2_stream(const struct balancer_h2 *h2)
{
    (void)h2;
    return NULL;
}

bool
balancer_h2_is_idle(const struct balancer_h2 *h2, long long since_ms)
{
    (void)h2, (void)since_ms;
    return true;
}
#endif

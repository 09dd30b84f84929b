/* A client's connection in HTTP/2: what the balancer inside is asked in HTTP/1.1, and what the client gets of its
 * answer. */
#include "netsim/live/balancer_h2.h"
#include "tests/test.h"

#if __has_include(<nghttp2/nghttp2.h>)
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

/* Both ends: the client speaks to one side by libnghttp2, and is the balancer behind the other. */
struct talk {
    struct reactor *reactor;
    struct balancer_h2 *h2;
    nghttp2_session *session;
    int client, inner; /* inner: the last connection that was opened; -1 none */
    bool refuses, over;
    struct buf asked;     /* by the connection inside */
    struct buf said;      /* to the client: fields and body, as text */
    uint32_t closed_with; /* error code of the last stream */
    size_t n_closed;
    const char *body; /* of the request */
};

static int
open_inner(void *context)
{
    struct talk *t = context;
    int fds[2];
    if (t->refuses || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0) {
        return -1;
    }
    if (t->inner >= 0) {
        close(t->inner);
    }
    t->inner = fds[1];
    return fds[0];
}

static void
end(void *context)
{
    struct talk *t = context;
    balancer_h2_free(t->h2);
    t->h2 = NULL;
    t->over = true;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
          const uint8_t *value, size_t size, uint8_t flags, void *context)
{
    struct talk *t = context;
    (void)session, (void)frame, (void)flags;
    buf_printf(&t->said, "%.*s=%.*s|", (int)name_size, (const char *)name, (int)size, (const char *)value);
    return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size, void *context)
{
    struct talk *t = context;
    (void)session, (void)flags, (void)id;
    buf_add(&t->said, data, size);
    return 0;
}

static int
on_close(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
    struct talk *t = context;
    (void)session, (void)id;
    t->closed_with = code;
    t->n_closed++;
    return 0;
}

static ssize_t
give(nghttp2_session *session, int32_t id, uint8_t *data, size_t size, uint32_t *flags, nghttp2_data_source *source,
     void *context)
{
    struct talk *t = context;
    size_t n = strlen(t->body) < size ? strlen(t->body) : size;
    (void)session, (void)id, (void)source;
    memcpy(data, t->body, n);
    t->body += n;
    *flags |= *t->body ? 0 : NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static void
begin(struct talk *t)
{
    int fds[2];
    nghttp2_session_callbacks *callbacks;
    *t = (struct talk){ .inner = -1 };
    t->reactor = reactor_new();
    REQUIRE(t->reactor && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0, "");
    struct stream stream = stream_of(fds[0], NULL);
    t->client = fds[1];
    t->h2 = balancer_h2_new(t->reactor, &stream, &(struct balancer_h2_owner){ open_inner, end, t });
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&t->session, callbacks, t);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(t->session, NGHTTP2_FLAG_NONE, NULL, 0);
}

static void
finish(struct talk *t)
{
    balancer_h2_free(t->h2);
    nghttp2_session_del(t->session);
    reactor_free(t->reactor);
    close(t->client);
    if (t->inner >= 0) {
        close(t->inner);
    }
    buf_done(&t->asked);
    buf_done(&t->said);
}

/* Everything that is on its way arrives. */
static void
run(struct talk *t)
{
    for (int i = 0; i < 40; i++) {
        const uint8_t *out;
        char data[65536];
        ssize_t n;
        while ((n = nghttp2_session_mem_send(t->session, &out)) > 0) {
            CHECK(write(t->client, out, (size_t)n) == n, "");
        }
        reactor_run(t->reactor);
        while ((n = read(t->client, data, sizeof data)) > 0) {
            nghttp2_session_mem_recv(t->session, (const uint8_t *)data, (size_t)n);
        }
        while (t->inner >= 0 && (n = read(t->inner, data, sizeof data)) > 0) {
            buf_add(&t->asked, data, (size_t)n);
        }
    }
}

/* Fields as "name value name value", ended by NULL. */
static void
ask(struct talk *t, const char *const *fields, const char *body)
{
    nghttp2_nv lines[16];
    size_t n = 0;
    for (size_t i = 0; fields[i]; i += 2) {
        lines[n++] = (nghttp2_nv){ (uint8_t *)fields[i], (uint8_t *)fields[i + 1], strlen(fields[i]),
                                   strlen(fields[i + 1]), NGHTTP2_NV_FLAG_NONE };
    }
    nghttp2_data_provider provider = { .read_callback = give };
    t->body = body;
    buf_clear(&t->asked);
    buf_clear(&t->said);
    nghttp2_submit_request(t->session, NULL, lines, n, body ? &provider : NULL, NULL);
    run(t);
}

static void
answer(struct talk *t, const char *text, bool ends)
{
    REQUIRE(t->inner >= 0 && write(t->inner, text, strlen(text)) == (ssize_t)strlen(text), "%s", text);
    if (ends) {
        shutdown(t->inner, SHUT_WR);
    }
    run(t);
}
#define HEAD(method) ":method", method, ":scheme", "https", ":path", "/x?y", ":authority", "h"

TEST(a_request_is_asked_in_the_words_of_http_1)
{
    static const struct {
        const char *what, *fields[24], *body, *asked;
    } cases[] = {
        { "plain", { HEAD("GET") }, NULL, "GET /x?y HTTP/1.1\r\nHost: h\r\n\r\n" },
        { "fields, and cookies that came in pieces",
          { HEAD("GET"), "a", "1", "cookie", "b=2", "cookie", "c=3" },
          NULL,
          "GET /x?y HTTP/1.1\r\nHost: h\r\na: 1\r\nCookie: b=2; c=3\r\n\r\n" },
        { "a body of no known size",
          { HEAD("POST") },
          "abcd",
          "POST /x?y HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n" },
        { "a body of known size",
          { HEAD("PUT"), "content-length", "4" },
          "abcd",
          "PUT /x?y HTTP/1.1\r\nHost: h\r\ncontent-length: 4\r\n\r\nabcd" },
        { "no authority but a host",
          { ":method", "GET", ":scheme", "https", ":path", "/", "host", "other" },
          NULL,
          "GET / HTTP/1.1\r\nHost: other\r\n\r\n" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct talk t;
        begin(&t);
        ask(&t, cases[i].fields, cases[i].body);
        CHECK_STR(buf_str(&t.asked), cases[i].asked, "%s", cases[i].what);
        finish(&t);
    }
}

TEST(an_answer_comes_back)
{
    static const char *const get[] = { HEAD("GET"), NULL }, *const head[] = { HEAD("HEAD"), NULL };
    static const struct {
        const char *what, *answer;
        bool to_head, ends;
        const char *said;
        uint32_t code;
    } cases[] = {
        { "of known size", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\nConnection: close\r\n\r\nhi", false,
          false, ":status=200|content-length=2|x-a=b|hi", NGHTTP2_NO_ERROR },
        { "in chunks", "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n", false,
          false, ":status=404|hi!", NGHTTP2_NO_ERROR },
        { "to the end", "HTTP/1.1 200 OK\r\n\r\nhi", false, true, ":status=200|hi", NGHTTP2_NO_ERROR },
        { "after others", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Gone\r\n\r\n", false, false, ":status=204|",
          NGHTTP2_NO_ERROR },
        { "to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true, false, ":status=200|content-length=2|",
          NGHTTP2_NO_ERROR },
        { "cut off", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", false, true, NULL, NGHTTP2_INTERNAL_ERROR },
        { "none", "", false, true, "", NGHTTP2_INTERNAL_ERROR },
        { "nonsense", "what?\r\n\r\n", false, false, "", NGHTTP2_INTERNAL_ERROR },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct talk t;
        begin(&t);
        ask(&t, cases[i].to_head ? head : get, NULL);
        answer(&t, cases[i].answer, cases[i].ends);
        CHECK_INT(t.n_closed, 1, "%s", cases[i].what);
        CHECK_INT(t.closed_with, cases[i].code, "%s", cases[i].what);
        if (cases[i].said) {
            CHECK_STR(buf_str(&t.said), cases[i].said, "%s", cases[i].what);
        }
        finish(&t);
    }
}

TEST(who_gets_no_connection_inside)
{
    static const char *const get[] = { HEAD("GET"), NULL };
    static const char *const tunnel[] = { ":method", "CONNECT", ":authority", "h", NULL };
    static const char *const spaced[] = {
        ":method", "GET", ":scheme", "https", ":path", "/", ":authority", "a b", NULL
    };
    char *large = xcalloc(20001, 1);
    memset(large, 'a', 20000);
    const char *const too_large[] = { HEAD("GET"), "x", large, NULL };
    const struct {
        const char *what, *const *fields;
        bool refuses;
        const char *said; /* NULL: the stream is broken off */
    } cases[] = {
        { "nobody takes it", get, true, ":status=503|" },
        { "a tunnel", tunnel, false, ":status=400|" },
        { "a name with a blank", spaced, false, NULL },
        { "a head that is too large", too_large, false, ":status=431|" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct talk t;
        begin(&t);
        t.refuses = cases[i].refuses;
        ask(&t, cases[i].fields, NULL);
        CHECK_INT(t.inner, -1, "%s", cases[i].what);
        CHECK_INT(t.n_closed, 1, "%s", cases[i].what);
        CHECK_STR(buf_str(&t.said), cases[i].said ? cases[i].said : "", "%s", cases[i].what);
        CHECK(cases[i].said || t.closed_with != NGHTTP2_NO_ERROR, "%s", cases[i].what);
        finish(&t);
    }
    free(large);
}

TEST(the_connection_ends_with_the_client_and_with_nonsense)
{
    for (int nonsense = 0; nonsense < 2; nonsense++) {
        static const char *const get[] = { HEAD("GET"), NULL };
        struct talk t;
        char byte;
        begin(&t);
        ask(&t, get, NULL);
        CHECK(t.h2 && !balancer_h2_is_idle(t.h2, 1LL << 60), "a stream is under way");
        if (nonsense) {
            CHECK(write(t.client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n what is this supposed to be, and why", 60) > 0,
                  "");
        } else {
            shutdown(t.client, SHUT_RDWR);
        }
        for (int i = 0; i < 10; i++) {
            reactor_run(t.reactor);
        }
        CHECK(t.over, "nonsense %d", nonsense);
        CHECK_INT(read(t.inner, &byte, 1), 0, "its request inside is given up");
        finish(&t);
    }
}

TEST(streams_that_are_answered_leave_an_idle_connection)
{
    static const char *const get[] = { HEAD("GET"), NULL };
    struct talk t;
    begin(&t);
    for (int i = 0; i < 300; i++) { /* more than may be open at a time */
        ask(&t, get, NULL);
        answer(&t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false);
    }
    CHECK_INT(t.n_closed, 300, "");
    CHECK(t.h2 && balancer_h2_is_idle(t.h2, 1LL << 60), "");
    CHECK(!balancer_h2_is_idle(t.h2, 0), "something came since then");
    finish(&t);
}

#else
TEST(without_the_library_nobody_is_offered_it)
{
    CHECK(!balancer_h2_is_built(), "");
}
#endif

TEST_MAIN

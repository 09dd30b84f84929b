/* What a balancer that reads HTTP changes in heads, and where bodies end that it passes on. */
#include <stdlib.h>

#include "netsim/live/balancer_heads.h"
#include "tests/test.h"

static struct http_head
head_of(const char *text, bool answer)
{
    struct http_head head;
    size_t used;
    enum http_progress progress = (answer ? http_read_answer : http_read_request)(text, strlen(text), &head, &used);
    CHECK(progress == HTTP_DONE, "%s", text);
    return head;
}

TEST(targets_are_told_whom_they_serve)
{
#define GET  "GET / HTTP/1.1\r\nHost: h\r\n"
#define TAIL "X-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\n"
    static const struct {
        const char *said;
        struct balancer_told told;
        const char *want;
    } cases[] = {
        { GET "\r\n", { .client = "10.0.0.1" }, GET "X-Forwarded-For: 10.0.0.1\r\n" TAIL },
        { GET "X-Forwarded-For: a\r\nX-Forwarded-For: b\r\n\r\n",
          { .client = "10.0.0.1" },
          GET "X-Forwarded-For: a, b, 10.0.0.1\r\n" TAIL },
        { GET "X-Forwarded-For: a\r\n\r\n",
          { .client = "10.0.0.1", .xff = XFF_PRESERVE },
          GET "X-Forwarded-For: a\r\n" TAIL },
        { GET "\r\n", { .client = "10.0.0.1", .xff = XFF_PRESERVE }, GET TAIL },
        { GET "X-Forwarded-For: a\r\n\r\n", { .client = "10.0.0.1", .xff = XFF_REMOVE }, GET TAIL },
        { GET "\r\n",
          { .client = "10.0.0.1", .client_port = 7, .shows_port = true },
          GET "X-Forwarded-For: 10.0.0.1:7\r\n" TAIL },
        { GET "\r\n",
          { .client = "2001:db8::1", .client_port = 7, .shows_port = true },
          GET "X-Forwarded-For: [2001:db8::1]:7\r\n" TAIL },
        { GET "X-Forwarded-Proto: https\r\nx-forwarded-port: 9\r\nExpect: 100-continue\r\n\r\n",
          { .client = "c" },
          GET "X-Forwarded-For: c\r\n" TAIL },
        { GET "Connection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: x\r\nTE: trailers\r\nUpgrade: h2c\r\n\r\n",
          { .client = "c" },
          GET "X-Forwarded-For: c\r\n" TAIL },
        /* what frames the body stays, whatever Connection says of it */
        { GET "Connection: content-length\r\nContent-Length: 3\r\n\r\n",
          { .client = "c" },
          GET "Content-Length: 3\r\nX-Forwarded-For: c\r\n" TAIL },
        { "GET / HTTP/1.0\r\n\r\n",
          { .client = "c", .host = "lb" },
          "GET / HTTP/1.1\r\nHost: lb\r\nX-Forwarded-For: c\r\n" TAIL },
        { GET "X_a: 1\r\nX-b: 2\r\n\r\n",
          { .client = "c", .drops_invalid = true },
          GET "X-b: 2\r\nX-Forwarded-For: c\r\n" TAIL },
        { GET "\r\n",
          { .client = "c", .trace = "1-a-b" },
          GET "X-Forwarded-For: c\r\n" TAIL "X-Amzn-Trace-Id: Root=1-a-b\r\n" },
        { GET "X-Amzn-Trace-Id: Root=1-c-d\r\n\r\n",
          { .client = "c", .trace = "1-a-b" },
          GET "X-Forwarded-For: c\r\n" TAIL "X-Amzn-Trace-Id: Self=1-a-b;Root=1-c-d\r\n" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_head head = head_of(cases[i].said, false);
        struct balancer_told told = cases[i].told;
        struct buf out = { 0 };
        told.port = 80;
        balancer_write_request(&out, &head, &told);
        char *want = xasprintf("%sConnection: close\r\n\r\n", cases[i].want);
        CHECK_STR(buf_str(&out), want, "%zu", i);
        free(want);
        buf_done(&out);
        http_head_done(&head);
    }
}

TEST(answers_say_whether_the_client_may_ask_again)
{
    static const struct {
        const char *said, *want;
        bool keeps, plain;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\nConnection: close\r\nA: b\r\n\r\n",
          "HTTP/1.1 200 OK\r\nA: b\r\nConnection: keep-alive\r\n\r\n", true, false },
        { "HTTP/1.0 200 OK\r\nKeep-Alive: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", false, false },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
          false, true },
        { "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n", "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n", true, false },
        { "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
          "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", false, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_head head = head_of(cases[i].said, true);
        struct buf out = { 0 };
        balancer_write_answer(&out, &head, NULL, cases[i].keeps, cases[i].plain);
        CHECK_STR(buf_str(&out), cases[i].want, "%zu", i);
        buf_done(&out);
        http_head_done(&head);
    }
}

TEST(bodies_end_where_their_framing_says)
{
    static const struct {
        const char *said;
        bool answer, to_head;
        const char *data;
        size_t used;
        enum http_progress progress;
    } cases[] = {
        { GET "\r\n", false, false, "GET", 0, HTTP_DONE },
        { GET "Content-Length: 3\r\n\r\n", false, false, "abcGET", 3, HTTP_DONE },
        { GET "Content-Length: 9\r\n\r\n", false, false, "abcdef", 6, HTTP_MORE },
        { GET "Transfer-Encoding: chunked\r\n\r\n", false, false, "2\r\nab\r\n0\r\nT: x\r\n\r\nGET", 18, HTTP_DONE },
        { GET "Transfer-Encoding: chunked\r\n\r\n", false, false, "2\r\nabc\r\n", 5, HTTP_BAD },
        { "HTTP/1.1 200 OK\r\n\r\n", true, false, "all of it", 9, HTTP_MORE },
        { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, false, "x", 0, HTTP_DONE },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, true, "x", 0, HTTP_DONE },
        { "HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n", true, false, "x", 0, HTTP_DONE },
        { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true, false, "abc", 2, HTTP_DONE },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_head head = head_of(cases[i].said, cases[i].answer);
        struct http_body body;
        size_t used;
        if (cases[i].answer) {
            http_body_of_answer(&body, &head, cases[i].to_head);
        } else {
            http_body_of_request(&body, &head);
        }
        enum http_progress progress = http_body_pass(&body, cases[i].data, strlen(cases[i].data), &used);
        CHECK(progress == cases[i].progress, "%zu: %d", i, (int)progress);
        CHECK(progress == HTTP_BAD || used == cases[i].used, "%zu: %zu", i, used);
        http_head_done(&head);
    }
}

TEST(words_of_a_list_are_found_whole)
{
    CHECK(http_field_names("keep-alive, Upgrade", "upgrade"), "last");
    CHECK(http_field_names(" close ,x", "close"), "first");
    CHECK(!http_field_names("upgraded", "upgrade"), "longer");
    CHECK(!http_field_names("", "upgrade") && !http_field_names(NULL, "upgrade"), "nothing");
}

TEST_MAIN

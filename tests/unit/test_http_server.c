/* Connections to what answers inside a lab, without a lab. */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "netsim/live/dns_server.h"
#include "netsim/live/http_server.h"
#include "tests/test.h"

static int
listen_here(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    bool ok = bind(fd, (struct sockaddr *)address, size) == 0 && listen(fd, 8) == 0 &&
              getsockname(fd, (struct sockaddr *)address, &size) == 0;
    return ok ? fd : -1;
}

/* A connection that the reactor has accepted. */
static int
connect_to(const struct sockaddr_in *address, struct reactor *reactor)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (const struct sockaddr *)address, sizeof *address) == 0, "connect");
    reactor_run(reactor);
    return fd;
}

static bool
is_open(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void
say_hello(void *context, struct http_exchange *exchange)
{
    (void)context;
    buf_str_add(&exchange->answer, "hello");
}

TEST(a_connection_outlives_the_first_look_at_the_clock)
{
    struct sockaddr_in web, names;
    struct reactor *reactor = reactor_new();
    struct http_server *http = http_server_new(reactor, listen_here(&web), say_hello, NULL);
    struct dns_server *dns =
        dns_server_new(reactor, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), listen_here(&names), NULL, NULL);
    int a = connect_to(&web, reactor), b = connect_to(&names, reactor);
    http_server_tick(http, monotonic_ms());
    dns_server_tick(dns, monotonic_ms());
    CHECK(is_open(a), "who asks for a page was cut off");
    CHECK(is_open(b), "who asks for a name was cut off");
    CHECK(send(a, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, 0) == 27, "send");
    reactor_run(reactor);
    char answer[512] = "";
    CHECK(recv(a, answer, sizeof answer - 1, MSG_DONTWAIT) > 0 && strstr(answer, "hello"), "%s", answer);
    /* Silence for minutes ends them. */
    http_server_tick(http, monotonic_ms() + 600000);
    dns_server_tick(dns, monotonic_ms() + 600000);
    CHECK(!is_open(a), "a silent connection is kept");
    CHECK(!is_open(b), "a silent connection is kept");
    close(a);
    close(b);
    http_server_free(http);
    dns_server_free(dns);
    reactor_free(reactor);
}

TEST_MAIN

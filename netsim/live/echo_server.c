#include "netsim/live/echo_server.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/vec.h"

#define DATAGRAMS_AT_ONCE 64 /* then others have their turn */

struct echo_server {
    struct watch udp; /* first */
    struct reactor *reactor;
};

static void
on_datagram(struct watch *watch, uint32_t events)
{
    (void)events;
    for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        char data[65536];
        struct sockaddr_storage from;
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(watch->fd, data, sizeof data, 0, (struct sockaddr *)&from, &size);
        if (n < 0) {
            return;
        }
        ssize_t sent = sendto(watch->fd, data, (size_t)n, 0, (struct sockaddr *)&from, size);
        (void)sent; /* what does not fit is lost, as datagrams are */
    }
}

struct echo_server *
echo_server_new(struct reactor *reactor, int udp)
{
    struct echo_server *server = xcalloc(1, sizeof *server);
    *server = (struct echo_server){ .udp = { udp, on_datagram }, .reactor = reactor };
    reactor_add(reactor, &server->udp, EPOLLIN);
    return server;
}

void
echo_server_free(struct echo_server *server)
{
    if (server) {
        reactor_remove(server->reactor, &server->udp);
        close(server->udp.fd);
        free(server);
    }
}

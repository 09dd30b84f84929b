#include "netsim/live/door.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/netlink.h"
#include "netsim/live/socket_address.h"

/* A listener that takes no more must not be asked about, or it would be ready for ever. */
static void
pause_door(struct door *door, bool paused)
{
    if (door->paused != paused) {
        door->paused = paused;
        reactor_change(door->reactor, &door->watch, paused ? 0 : EPOLLIN);
    }
}

bool
door_is_full(const struct door *door)
{
    return door->n >= door->most;
}

static void
on_listener(struct watch *watch, uint32_t events)
{
    struct door *door = (struct door *)watch;
    (void)events;
    for (int i = 0; i < 64 && !door_is_full(door); i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int port,
            fd = nlq_high_fd(accept4(watch->fd, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (fd < 0) {
            pause_door(door, errno == EMFILE || errno == ENFILE);
            return;
        }
        struct ip client = socket_address_ip(&address, &port);
        door->came(door, fd, &client, port);
    }
    door_tick(door);
}

void
door_open(struct door *door, struct reactor *reactor, int fd, size_t most, door_came *came)
{
    *door = (struct door){ .watch = { fd, on_listener }, .reactor = reactor, .came = came, .most = most };
    reactor_add(reactor, &door->watch, EPOLLIN);
}

void
door_close(struct door *door)
{
    reactor_remove(door->reactor, &door->watch);
    close(door->watch.fd);
}

void
door_left(struct door *door)
{
    door->n--;
    pause_door(door, false);
}

void
door_tick(struct door *door)
{
    pause_door(door, door_is_full(door));
}

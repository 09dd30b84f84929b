/* netsim/live/door.h - a listening socket of a balancer: it takes connections until there are too many.
 * Uses: reactor.h.   Used by: balancer.c, relay.c */
#pragma once
#include <stddef.h>

#include "base/ip.h"
#include "netsim/live/reactor.h"

struct door;
typedef void door_came(struct door *door, int fd, const struct ip *client, int port); /* takes the socket, not blocking */
/* The first member of whom it belongs to. */
struct door {
    struct watch watch; /* first */
    struct reactor *reactor;
    door_came *came;
    size_t n, most; /* 'n', those inside, is the owner's to count */
    bool paused;    /* too many: no more until one has ended */
};

void door_open(struct door *door, struct reactor *reactor, int fd, size_t most, door_came *came); /* takes the socket */
void door_close(struct door *door);
void door_left(struct door *door); /* somebody has left: 'n' is one less */
void door_tick(struct door *door); /* asks again where the process had no descriptor left */
bool door_is_full(const struct door *door);

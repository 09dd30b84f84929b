#include "netsim/live/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/vec.h"

#define EVENTS_AT_ONCE 128
#define ROUNDS         8 /* then commands get their turn */

struct reactor {
    int epoll;
    struct epoll_event *events; /* of the round under way; a removed watch's are taken out */
    int n_events;
};

struct reactor *
reactor_new(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) {
        return NULL;
    }
    struct reactor *reactor = xcalloc(1, sizeof *reactor);
    reactor->epoll = epoll;
    return reactor;
}

void
reactor_free(struct reactor *reactor)
{
    if (reactor) {
        close(reactor->epoll);
        free(reactor);
    }
}

int
reactor_fd(const struct reactor *reactor)
{
    return reactor->epoll;
}

static bool
control(struct reactor *reactor, int what, struct watch *watch, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = watch };
    return epoll_ctl(reactor->epoll, what, watch->fd, &event) == 0;
}

bool
reactor_add(struct reactor *reactor, struct watch *watch, uint32_t events)
{
    return control(reactor, EPOLL_CTL_ADD, watch, events);
}

void
reactor_change(struct reactor *reactor, struct watch *watch, uint32_t events)
{
    control(reactor, EPOLL_CTL_MOD, watch, events);
}

void
reactor_remove(struct reactor *reactor, struct watch *watch)
{
    control(reactor, EPOLL_CTL_DEL, watch, 0);
    for (int i = 0; i < reactor->n_events; i++) {
        if (reactor->events[i].data.ptr == watch) {
            reactor->events[i].data.ptr = NULL;
        }
    }
}

void
reactor_run(struct reactor *reactor)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    for (int round = 0; round < ROUNDS; round++) {
        int n = epoll_wait(reactor->epoll, events, EVENTS_AT_ONCE, 0);
        if (n <= 0) {
            break;
        }
        reactor->events = events;
        reactor->n_events = n;
        for (int i = 0; i < n; i++) {
            struct watch *watch = events[i].data.ptr;
            if (watch) {
                watch->ready(watch, events[i].events);
            }
        }
        reactor->n_events = 0;
        reactor->events = NULL;
        if (n < EVENTS_AT_ONCE) {
            break;
        }
    }
}

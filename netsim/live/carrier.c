#include "netsim/live/carrier.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/vec.h"
#include "netsim/live/netlink.h"

#define EVENTS_AT_ONCE 256
#define ROUNDS_MAX     64 /* after which what waited when somebody asked is through, though there is always something new \
                           */
#define PACKETS_AT_ONCE 64 /* of one socket, before the next has its turn */

struct carrier {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t settled;
    int epoll, wake;
    carrier_serve *serve;
    void *owner;
    uint64_t asked, done; /* carrier_settle(): questions, and up to which they are answered */
    unsigned n_rounds;    /* since the latest of them, in which there was something to do */
    size_t n_carried;
    bool ending;
};

static void
wake(struct carrier *carrier)
{
    uint64_t one = 1;
    ssize_t written = write(carrier->wake, &one, sizeof one);
    (void)written;
}

static void *
run(void *context)
{
    struct carrier *carrier = context;
    struct epoll_event events[EVENTS_AT_ONCE];
    pthread_mutex_lock(&carrier->lock);
    while (!carrier->ending) {
        uint64_t asked = carrier->asked;
        bool waiting = asked != carrier->done, busy = false;
        pthread_mutex_unlock(&carrier->lock);
        int n = epoll_wait(carrier->epoll, events, EVENTS_AT_ONCE, waiting ? 0 : -1);
        pthread_mutex_lock(&carrier->lock);
        for (int i = 0; i < n; i++) {
            if (events[i].data.u32 == 0) {
                uint64_t count;
                ssize_t got = read(carrier->wake, &count, sizeof count);
                (void)got;
                continue;
            }
            busy = true;
            for (int turn = 0; turn < PACKETS_AT_ONCE && carrier->serve(carrier->owner, events[i].data.u32); turn++) {
                carrier->n_carried++;
            }
        }
        carrier->n_rounds = waiting && busy ? carrier->n_rounds + 1 : 0;
        if (waiting && (!busy || carrier->n_rounds >= ROUNDS_MAX)) {
            carrier->n_rounds = 0;
            carrier->done = asked;
            pthread_cond_broadcast(&carrier->settled);
        }
    }
    pthread_mutex_unlock(&carrier->lock);
    return NULL;
}

struct carrier *
carrier_new(const char *what, carrier_serve *serve, void *owner, struct err *err)
{
    struct carrier *carrier = xcalloc(1, sizeof *carrier);
    struct epoll_event event = { .events = EPOLLIN };
    carrier->serve = serve;
    carrier->owner = owner;
    carrier->epoll = nlq_high_fd(epoll_create1(EPOLL_CLOEXEC));
    carrier->wake = nlq_high_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    pthread_mutex_init(&carrier->lock, NULL);
    pthread_cond_init(&carrier->settled, NULL);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the keeper's own thread's */
    bool ok = carrier->epoll >= 0 && carrier->wake >= 0 &&
              epoll_ctl(carrier->epoll, EPOLL_CTL_ADD, carrier->wake, &event) == 0 &&
              pthread_create(&carrier->thread, NULL, run, carrier) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!ok) {
        err_set(err, ERR_MACHINE, "", "cannot start the thread of the %s: %s", what, strerror(errno));
        carrier->ending = true;
        carrier_free(carrier);
        return NULL;
    }
    return carrier;
}

void
carrier_free(struct carrier *carrier)
{
    if (!carrier) {
        return;
    }
    pthread_mutex_lock(&carrier->lock);
    bool runs = !carrier->ending;
    carrier->ending = true;
    pthread_mutex_unlock(&carrier->lock);
    if (runs) {
        wake(carrier);
        pthread_join(carrier->thread, NULL);
    }
    close(carrier->epoll);
    close(carrier->wake);
    pthread_cond_destroy(&carrier->settled);
    pthread_mutex_destroy(&carrier->lock);
    free(carrier);
}

bool
carrier_watch(struct carrier *carrier, int fd, uint32_t number)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };
    return epoll_ctl(carrier->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void
carrier_lock(struct carrier *carrier)
{
    pthread_mutex_lock(&carrier->lock);
}

void
carrier_unlock(struct carrier *carrier)
{
    pthread_mutex_unlock(&carrier->lock);
}

size_t
carrier_settle(struct carrier *carrier)
{
    pthread_mutex_lock(&carrier->lock);
    uint64_t mine = ++carrier->asked;
    wake(carrier);
    while (carrier->done < mine && !carrier->ending) {
        pthread_cond_wait(&carrier->settled, &carrier->lock);
    }
    size_t carried = carrier->n_carried;
    carrier->n_carried = 0;
    pthread_mutex_unlock(&carrier->lock);
    return carried;
}

void
carrier_run_on(struct carrier *carrier, const cpu_set_t *processors)
{
    pthread_setaffinity_np(carrier->thread, sizeof *processors, processors);
}

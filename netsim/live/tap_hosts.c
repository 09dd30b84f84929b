#include "netsim/live/tap_hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256
#define FRAMES_AT_ONCE 64 /* of one device, before the next has its turn */
#define ETHERNET       14 /* bytes of a frame's header, which are not counted */

struct guest {
    struct tap_host host;
    struct tap_count in, out;
};
struct tap {
    uint32_t index;
    int fd;
    uint8_t router_mac[6];
    VEC(struct guest *) guests; /* by hardware address, sorted */
};
struct tap_hosts {
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows; the thread holds it while it works and lets go while it waits */
    pthread_cond_t settled;
    int epoll, wake;
    VEC(struct tap *) taps;   /* by index, sorted */
    VEC(struct guest *) gone; /* may come again behind another device */
    uint64_t asked, done;     /* tap_hosts_settle(): questions, and up to which they are answered */
    bool ending;
    int watch[2]; /* ours to write, the caller's to read; -1: no watch */
    enum tap_wanted (*wanted)(void *context, const uint8_t *packet, size_t size);
    void *context;
};

/* ---- looking up --------------------------------------------------------------------------------------------------
 */
/* Where the device with that number is, or would be. */
static size_t
place_of(const struct tap_hosts *hosts, uint32_t index)
{
    size_t low = 0, high = hosts->taps.n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (hosts->taps.items[middle]->index < index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct tap *
find_tap(const struct tap_hosts *hosts, uint32_t index)
{
    size_t i = place_of(hosts, index);
    return i < hosts->taps.n && hosts->taps.items[i]->index == index ? hosts->taps.items[i] : NULL;
}

static size_t
place_of_guest(const struct tap *tap, const uint8_t mac[6])
{
    size_t low = 0, high = tap->guests.n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (memcmp(tap->guests.items[middle]->host.mac, mac, 6) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct guest *
find_guest(const struct tap *tap, const uint8_t mac[6])
{
    size_t i = place_of_guest(tap, mac);
    return i < tap->guests.n && memcmp(tap->guests.items[i]->host.mac, mac, 6) == 0 ? tap->guests.items[i] : NULL;
}

/* ---- serving ------------------------------------------------------------------------------------------------------
 */
/* Shows a frame to who watches; true if he takes it for himself, or nobody does. */
static bool
is_taken(struct tap_hosts *hosts, const struct tap *tap, const struct guest *guest, const uint8_t *frame, size_t size)
{
    const uint8_t *packet;
    size_t packet_size;
    if (!tap_packet(frame, size, &packet, &packet_size)) {
        return false;
    }
    if (tap_is_martian(&guest->host, packet, packet_size)) {
        return true;
    }
    if (hosts->watch[0] < 0) {
        return false;
    }
    enum tap_wanted wanted = hosts->wanted(hosts->context, packet, packet_size);
    if (wanted == TAP_NOT_WANTED) {
        return false;
    }
    struct tap_name name = { .index = tap->index };
    memcpy(name.mac, guest->host.mac, sizeof name.mac);
    struct iovec parts[] = { { &name, sizeof name }, { (void *)packet, packet_size } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t sent = sendmsg(hosts->watch[0], &message, MSG_DONTWAIT | MSG_NOSIGNAL); /* who does not read misses it */
    (void)sent;
    return wanted == TAP_TAKEN;
}

/* A full queue loses packets, like any wire. */
static bool
write_frame(const struct tap *tap, struct guest *guest, const uint8_t *frame, size_t size)
{
    bool ok = write(tap->fd, frame, size) == (ssize_t)size;
    guest->out.packets += ok;
    guest->out.bytes += ok ? size - ETHERNET : 0;
    return ok;
}

static void
serve_guest(struct tap_hosts *hosts, struct tap *tap, struct guest *guest, const uint8_t *frame, size_t n,
            uint8_t *answer)
{
    if (!(frame[0] & 1)) { /* what goes to all is the router's own talk */
        guest->in.packets++;
        guest->in.bytes += n - ETHERNET;
    }
    if (!is_taken(hosts, tap, guest, frame, n)) {
        size_t size = tap_answer(&guest->host, frame, n, answer);
        if (size) {
            write_frame(tap, guest, answer, size);
        }
    }
}

/* False when the device has no more. */
static bool
serve_frame(struct tap_hosts *hosts, struct tap *tap, uint8_t *frame, uint8_t *answer)
{
    ssize_t n = read(tap->fd, frame, TAP_FRAME_MAX);
    if (n < ETHERNET) {
        return n >= 0 || errno == EINTR;
    }
    if (frame[0] & 1) { /* to all of them */
        for (size_t i = 0; i < tap->guests.n; i++) {
            serve_guest(hosts, tap, tap->guests.items[i], frame, (size_t)n, answer);
        }
        return true;
    }
    struct guest *guest = find_guest(tap, frame);
    if (guest) {
        serve_guest(hosts, tap, guest, frame, (size_t)n, answer);
    }
    return true;
}

static void *
serve(void *context)
{
    struct tap_hosts *hosts = context;
    uint8_t *frame = xmalloc(TAP_FRAME_MAX), *answer = xmalloc(TAP_FRAME_MAX);
    struct epoll_event events[EVENTS_AT_ONCE];
    pthread_mutex_lock(&hosts->lock);
    while (!hosts->ending) {
        uint64_t asked = hosts->asked;
        bool waiting = asked != hosts->done;
        pthread_mutex_unlock(&hosts->lock);
        int n = epoll_wait(hosts->epoll, events, EVENTS_AT_ONCE, waiting ? 0 : -1);
        pthread_mutex_lock(&hosts->lock);
        bool busy = false;
        for (int i = 0; i < n; i++) {
            struct tap *tap = find_tap(hosts, events[i].data.u32);
            if (!tap) { /* our own wake, or a device that was removed meanwhile */
                uint64_t count;
                ssize_t got = events[i].data.u32 == 0 ? read(hosts->wake, &count, sizeof count) : 0;
                (void)got;
                continue;
            }
            busy = true;
            for (int turn = 0; turn < FRAMES_AT_ONCE && serve_frame(hosts, tap, frame, answer); turn++) {
            }
        }
        if (waiting && !busy) {
            hosts->done = asked;
            pthread_cond_broadcast(&hosts->settled);
        }
    }
    pthread_mutex_unlock(&hosts->lock);
    free(frame);
    free(answer);
    return NULL;
}

static void
wake(struct tap_hosts *hosts)
{
    uint64_t one = 1;
    ssize_t written = write(hosts->wake, &one, sizeof one);
    (void)written;
}

/* ---- beginning and end --------------------------------------------------------------------------------------------
 */
struct tap_hosts *
tap_hosts_new(struct err *err)
{
    struct tap_hosts *hosts = xcalloc(1, sizeof *hosts);
    struct epoll_event event = { .events = EPOLLIN };
    hosts->epoll = epoll_create1(EPOLL_CLOEXEC);
    hosts->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hosts->watch[0] = hosts->watch[1] = -1;
    pthread_mutex_init(&hosts->lock, NULL);
    pthread_cond_init(&hosts->settled, NULL);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the keeper's own thread's */
    bool ok = hosts->epoll >= 0 && hosts->wake >= 0 &&
              epoll_ctl(hosts->epoll, EPOLL_CTL_ADD, hosts->wake, &event) == 0 &&
              pthread_create(&hosts->thread, NULL, serve, hosts) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ok) {
        return hosts;
    }
    err_set(err, ERR_MACHINE, "", "cannot start the thread that serves TAP hosts: %s", strerror(errno));
    close(hosts->epoll);
    close(hosts->wake);
    free(hosts);
    return NULL;
}

static void
guest_free(struct guest *guest)
{
    VEC_DONE(&guest->host.addresses);
    VEC_DONE(&guest->host.open);
    free(guest);
}

static void
tap_free(struct tap *tap)
{
    close(tap->fd);
    for (size_t i = 0; i < tap->guests.n; i++) {
        guest_free(tap->guests.items[i]);
    }
    VEC_DONE(&tap->guests);
    free(tap);
}

void
tap_hosts_free(struct tap_hosts *hosts)
{
    if (!hosts) {
        return;
    }
    pthread_mutex_lock(&hosts->lock);
    hosts->ending = true;
    pthread_mutex_unlock(&hosts->lock);
    wake(hosts);
    pthread_join(hosts->thread, NULL);
    for (size_t i = 0; i < hosts->taps.n; i++) {
        tap_free(hosts->taps.items[i]);
    }
    VEC_DONE(&hosts->taps);
    tap_hosts_forget(hosts);
    VEC_DONE(&hosts->gone);
    tap_hosts_unwatch(hosts);
    close(hosts->epoll);
    close(hosts->wake);
    pthread_cond_destroy(&hosts->settled);
    pthread_mutex_destroy(&hosts->lock);
    free(hosts);
}

/* ---- devices ------------------------------------------------------------------------------------------------------
 */
const char *
tap_hosts_remedy(int why)
{
    switch (why) {
    case ENOENT:
        return "as root: modprobe tun; mkdir -p /dev/net; mknod -m 666 /dev/net/tun c 10 200 (in a container: --device "
               "/dev/net/tun)";
    case EACCES:
        return "as root: chmod 666 /dev/net/tun";
    case EPERM: /* not the file's mode: a device cgroup */
        return "give the container the device (docker: --device /dev/net/tun)";
    case EMFILE:
    case ENFILE:
        return "raise the limit of open files (ulimit -n)";
    default:
        return "as root: modprobe tun";
    }
}

static bool
explain_tun(int why, struct err *err)
{
    err_set(err, ERR_MACHINE, "", "cannot open `/dev/net/tun`, which TAP hosts need: %s", strerror(why));
    return err_hint(err, "%s; or `vpclab lab hosts namespaces`", tap_hosts_remedy(why));
}

static int
open_device(const struct nlq_end *end, struct err *err)
{
    int fd = nlq_high_fd(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (fd < 0) {
        explain_tun(errno, err);
        return -1;
    }
    unsigned index = end->index;
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    memcpy(request.ifr_name, end->name, sizeof end->name);
    /* Persistent: else closing thousands of descriptors would take as many devices away one by one, some ten
     * milliseconds each.  So they go with their namespace, all at once, however this process ends. */
    if (ioctl(fd, TUNSETIFINDEX, &index) < 0 || ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0) {
        err_set(err, ERR_MACHINE, "", "cannot make the TAP device `%s`: %s", end->name, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

bool
tap_hosts_add(struct tap_hosts *hosts, const struct nlq_end *end, const uint8_t router_mac[6], struct err *err)
{
    int fd = open_device(end, err);
    if (fd < 0) {
        return false;
    }
    struct tap *tap = xcalloc(1, sizeof *tap);
    tap->index = end->index;
    tap->fd = fd;
    memcpy(tap->router_mac, router_mac, 6);
    pthread_mutex_lock(&hosts->lock);
    size_t at = place_of(hosts, end->index);
    VEC_ADD(&hosts->taps);
    memmove(&hosts->taps.items[at + 1], &hosts->taps.items[at], (hosts->taps.n - 1 - at) * sizeof *hosts->taps.items);
    hosts->taps.items[at] = tap;
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = end->index };
    epoll_ctl(hosts->epoll, EPOLL_CTL_ADD, fd, &event);
    pthread_mutex_unlock(&hosts->lock);
    return true;
}

/* The host with that address, new if there is none. */
static struct guest *
put_guest(struct tap_hosts *hosts, struct tap *tap, const uint8_t mac[6])
{
    struct guest *guest = find_guest(tap, mac);
    if (!guest) {
        size_t at = place_of_guest(tap, mac);
        guest = xcalloc(1, sizeof *guest);
        memcpy(guest->host.mac, mac, 6);
        VEC_ADD(&tap->guests);
        memmove(&tap->guests.items[at + 1], &tap->guests.items[at],
                (tap->guests.n - 1 - at) * sizeof *tap->guests.items);
        tap->guests.items[at] = guest;
        for (size_t i = 0; i < hosts->gone.n; i++) {
            const struct guest *was = hosts->gone.items[i];
            if (memcmp(was->host.mac, mac, 6) == 0) {
                guest->in = was->in;
                guest->out = was->out;
            }
        }
    }
    return guest;
}

void
tap_hosts_set(struct tap_hosts *hosts, uint32_t index, const struct tap_host *host)
{
    pthread_mutex_lock(&hosts->lock);
    struct tap *tap = find_tap(hosts, index);
    if (tap) {
        struct tap_host *mine = &put_guest(hosts, tap, host->mac)->host;
        mine->addresses.n = mine->open.n = 0;
        for (size_t i = 0; i < host->addresses.n; i++) {
            *VEC_ADD(&mine->addresses) = host->addresses.items[i];
        }
        for (size_t i = 0; i < host->open.n; i++) {
            *VEC_ADD(&mine->open) = host->open.items[i];
        }
    }
    pthread_mutex_unlock(&hosts->lock);
}

void
tap_hosts_unset(struct tap_hosts *hosts, uint32_t index, const uint8_t mac[6])
{
    pthread_mutex_lock(&hosts->lock);
    struct tap *tap = find_tap(hosts, index);
    size_t at = tap ? place_of_guest(tap, mac) : 0;
    if (tap && find_guest(tap, mac)) {
        *VEC_ADD(&hosts->gone) = tap->guests.items[at];
        VEC_REMOVE(&tap->guests, at);
    }
    pthread_mutex_unlock(&hosts->lock);
}

void
tap_hosts_forget(struct tap_hosts *hosts)
{
    pthread_mutex_lock(&hosts->lock);
    for (size_t i = 0; i < hosts->gone.n; i++) {
        guest_free(hosts->gone.items[i]);
    }
    hosts->gone.n = 0;
    pthread_mutex_unlock(&hosts->lock);
}

void
tap_hosts_remove(struct tap_hosts *hosts, uint32_t index)
{
    if (!hosts) {
        return;
    }
    pthread_mutex_lock(&hosts->lock);
    size_t at = place_of(hosts, index);
    if (at < hosts->taps.n && hosts->taps.items[at]->index == index) {
        struct tap *tap = hosts->taps.items[at];
        for (size_t i = 0; i < tap->guests.n; i++) {
            *VEC_ADD(&hosts->gone) = tap->guests.items[i];
        }
        tap->guests.n = 0;
        tap_free(tap); /* closing takes it out of the epoll too */
        VEC_REMOVE(&hosts->taps, at);
    }
    pthread_mutex_unlock(&hosts->lock);
}

/* Does it bear the address of another host behind the device? */
static bool
is_of_another(const struct tap *tap, const struct guest *guest, const uint8_t *packet, size_t size)
{
    bool another = false;
    if (tap->guests.n > 1 && !tap_is_martian(&guest->host, packet, size)) {
        for (size_t i = 0; i < tap->guests.n && !another; i++) {
            another = tap_is_martian(&tap->guests.items[i]->host, packet, size);
        }
    }
    return another;
}

bool
tap_hosts_send(struct tap_hosts *hosts, const struct tap_name *host, const uint8_t *packet, size_t size)
{
    uint8_t frame[2048];
    bool ok = false;
    pthread_mutex_lock(&hosts->lock);
    const struct tap *tap = find_tap(hosts, host->index);
    struct guest *guest = tap ? find_guest(tap, host->mac) : NULL;
    if (guest && size > 0 && size + ETHERNET <= sizeof frame && !is_of_another(tap, guest, packet, size)) {
        size_t n = tap_frame(&guest->host, tap->router_mac, packet, size, frame);
        ok = write_frame(tap, guest, frame, n);
    }
    pthread_mutex_unlock(&hosts->lock);
    return ok;
}

void
tap_hosts_counts(struct tap_hosts *hosts, uint32_t index,
                 void (*each)(void *context, const uint8_t mac[6], const struct tap_count *in,
                              const struct tap_count *out),
                 void *context)
{
    pthread_mutex_lock(&hosts->lock);
    const struct tap *tap = find_tap(hosts, index);
    for (size_t i = 0; tap && i < tap->guests.n; i++) {
        const struct guest *guest = tap->guests.items[i];
        each(context, guest->host.mac, &guest->in, &guest->out);
    }
    pthread_mutex_unlock(&hosts->lock);
}

/* ---- watching -----------------------------------------------------------------------------------------------------
 */
int
tap_hosts_watch(struct tap_hosts *hosts, enum tap_wanted (*wanted)(void *context, const uint8_t *packet, size_t size),
                void *context)
{
    int ends[2];
    if (hosts->watch[0] >= 0 || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        return -1;
    }
    int size = 4 << 20;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    pthread_mutex_lock(&hosts->lock);
    memcpy(hosts->watch, ends, sizeof ends);
    hosts->wanted = wanted;
    hosts->context = context;
    pthread_mutex_unlock(&hosts->lock);
    return ends[1];
}

void
tap_hosts_unwatch(struct tap_hosts *hosts)
{
    pthread_mutex_lock(&hosts->lock);
    for (int i = 0; i < 2; i++) {
        if (hosts->watch[i] >= 0) {
            close(hosts->watch[i]);
        }
        hosts->watch[i] = -1;
    }
    pthread_mutex_unlock(&hosts->lock);
}

void
tap_hosts_settle(struct tap_hosts *hosts)
{
    pthread_mutex_lock(&hosts->lock);
    uint64_t mine = ++hosts->asked;
    wake(hosts);
    while (hosts->done < mine && !hosts->ending) {
        pthread_cond_wait(&hosts->settled, &hosts->lock);
    }
    pthread_mutex_unlock(&hosts->lock);
}

void
tap_hosts_run_on(struct tap_hosts *hosts, const cpu_set_t *processors)
{
    pthread_setaffinity_np(hosts->thread, sizeof *processors, processors);
}

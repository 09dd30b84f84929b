#include "netsim/live/tap_hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/carrier.h"
#include "netsim/live/mac_table.h"
#include "netsim/live/packet_bytes.h"
#include "netsim/live/tap_fragments.h"

#define ETHERNET       14 /* bytes of a frame's header, which are not counted */
#define FRAMES_AT_ONCE 64 /* of one device, before the next has its turn */
#define FRAMES_SIZE    (2 * TAP_FRAME_MAX)
#define ROUND_UP(size) (((size) + 63) & ~(size_t)63) /* each begins a line of the cache */
#define LENT           0x80000000u /* what the carrier knows lent ports by; links have smaller numbers */

struct tap;
struct guest {
    struct tap_host host;
    struct tap_count in, out;
    struct tap *tap; /* NULL: it is gone */
    unsigned n_lent; /* ports */
};
/* A port of a host that somebody sends from. */
struct lent {
    uint32_t number; /* for the carrier */
    int fd;
    struct guest *guest;
    int protocol;
    uint16_t port;
};
struct tap {
    uint32_t index, mtu;
    int fd;
    uint8_t router_mac[6];
    struct mac_table guests;
};
struct tap_hosts {
    struct carrier *carrier;         /* reads the devices; what follows is shared with its thread */
    VEC(struct tap *) taps;          /* by index, sorted */
    VEC(struct guest *) gone;        /* may come again behind another device */
    uint8_t *frame, *answer, *piece; /* frame: several, one after the other */
    struct fragments *fragments;
    uint32_t last_id; /* of an answer in pieces */
    VEC(struct lent) lent;
    uint32_t last_lent;
    int watch[2]; /* ours to write, the caller's to read; -1: no watch */
    enum tap_wanted (*wanted)(void *context, const uint8_t *packet, size_t size);
    void *context;
};

/* ---- looking up --------------------------------------------------------------------------------------------------
 */
/* Where the device is, or would be. */
static size_t
place_of_tap(const struct tap_hosts *hosts, uint32_t index)
{
    size_t low = 0, high = hosts->taps.n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (index > hosts->taps.items[middle]->index) {
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
    size_t i = place_of_tap(hosts, index);
    return i < hosts->taps.n && hosts->taps.items[i]->index == index ? hosts->taps.items[i] : NULL;
}

static struct guest *
find_guest(const struct tap *tap, const uint8_t mac[6])
{
    return mac_table_get(&tap->guests, mac);
}

/* ---- lent ports ---------------------------------------------------------------------------------------------------
 */
/* Where in a packet what is behind its IP header begins, and of which protocol that is; 0: it is not there. */
static size_t
transport_of(const uint8_t *packet, size_t size, int *protocol)
{
    enum { IP6 = 40, FRAGMENT = 8, PROTOCOL_FRAGMENT = 44 };
    bool six = size > 0 && packet[0] >> 4 == 6;
    if (size < (six ? IP6 + FRAGMENT : 20)) {
        return 0;
    }
    bool piece = six && packet[6] == PROTOCOL_FRAGMENT; /* what came is whole, but not what an error is about */
    bool first = piece ? !(get16(packet + IP6 + 2) & 0xfff8) : six || !(get16(packet + 6) & 0x1fff);
    *protocol = packet[piece ? IP6 : six ? 6 : 9];
    return !first ? 0 : piece ? IP6 + FRAGMENT : six ? IP6 : (size_t)(packet[0] & 15) * 4;
}

/* Protocol and port at the host's end, of a packet that came to it or was 'sent' by it. */
static bool
host_end(const uint8_t *packet, size_t size, bool sent, int *protocol, unsigned *port)
{
    size_t head = transport_of(packet, size, protocol);
    if (head < 20 || size < head + 4) {
        return false;
    }
    *port = get16(packet + head + (sent ? 0 : 2));
    bool error = *protocol == PROTOCOL_ICMP     ? packet[head] == 3 || packet[head] == 11 || packet[head] == 12
                 : *protocol == PROTOCOL_ICMPV6 ? packet[head] >= 1 && packet[head] <= 4
                                                : false;
    return !error || sent || (size > head + 8 && host_end(packet + head + 8, size - head - 8, true, protocol, port));
}

static bool
is_for_lent(const struct tap_hosts *hosts, const struct guest *guest, const uint8_t *packet, size_t size)
{
    int protocol;
    unsigned port;
    if (!host_end(packet, size, false, &protocol, &port)) {
        return false;
    }
    for (size_t i = 0; i < hosts->lent.n; i++) {
        const struct lent *lent = &hosts->lent.items[i];
        if (lent->guest == guest && lent->protocol == protocol && lent->port == port) {
            ssize_t sent = send(lent->fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL); /* a full queue loses packets */
            (void)sent;
            return true;
        }
    }
    return false;
}

static void
give_back(struct tap_hosts *hosts, size_t i)
{
    close(hosts->lent.items[i].fd); /* takes it out of the epoll too */
    hosts->lent.items[i].guest->n_lent--;
    VEC_REMOVE(&hosts->lent, i);
}

static void
give_all_back(struct tap_hosts *hosts, const struct guest *guest)
{
    for (size_t i = hosts->lent.n; guest->n_lent && i-- > 0;) {
        if (hosts->lent.items[i].guest == guest) {
            give_back(hosts, i);
        }
    }
}

static bool write_frame(const struct tap *tap, struct guest *guest, const uint8_t *frame, size_t size);

/* A packet that somebody sends from a host's port; false when there is no more. */
static bool
serve_lent(struct tap_hosts *hosts, uint32_t number)
{
    size_t i = 0;
    while (i < hosts->lent.n && hosts->lent.items[i].number != number) {
        i++;
    }
    if (i == hosts->lent.n) {
        return false;
    }
    ssize_t n = recv(hosts->lent.items[i].fd, hosts->frame, TAP_FRAME_MAX - ETHERNET, MSG_DONTWAIT);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            give_back(hosts, i);
        }
        return false;
    }
    struct guest *guest = hosts->lent.items[i].guest;
    if (guest->tap && n >= 20 && tap_is_martian(&guest->host, hosts->frame, (size_t)n)) { /* it is its own address */
        size_t size = tap_frame(&guest->host, guest->tap->router_mac, hosts->frame, (size_t)n, hosts->answer);
        write_frame(guest->tap, guest, hosts->answer, size);
    }
    return true;
}

static bool
may_lend(const struct tap_hosts *hosts, const struct guest *guest, int protocol, uint16_t port)
{
    for (size_t i = 0; i < hosts->lent.n; i++) {
        const struct lent *lent = &hosts->lent.items[i];
        if (lent->guest == guest && lent->protocol == protocol && lent->port == port) {
            return false;
        }
    }
    for (size_t i = 0; i < guest->host.open.n; i++) {
        const struct tap_port *open = &guest->host.open.items[i];
        if (open->protocol == protocol && open->ports.from <= port && port <= open->ports.to) {
            return false;
        }
    }
    return true;
}

static bool
lend(struct tap_hosts *hosts, struct guest *guest, int protocol, int fd, uint16_t *port)
{
    enum { FIRST = 32768, PORTS = 20000 }; /* of LIVE_PROGRAM_PORTS */
    for (int tries = 0; tries < PORTS; tries++) {
        uint32_t number = ++hosts->last_lent;
        *port = (uint16_t)(FIRST + number % PORTS);
        if (may_lend(hosts, guest, protocol, *port)) {
            number |= LENT;
            *VEC_ADD(&hosts->lent) = (struct lent){ number, fd, guest, protocol, *port };
            guest->n_lent++;
            return carrier_watch(hosts->carrier, fd, number);
        }
    }
    errno = EADDRINUSE;
    return false;
}

int
tap_hosts_lend(struct tap_hosts *hosts, const struct tap_name *host, int protocol, uint16_t *port)
{
    int pair[2], size = 4 << 20;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        pair[i] = nlq_high_fd(pair[i]);
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    carrier_lock(hosts->carrier);
    const struct tap *tap = find_tap(hosts, host->index);
    struct guest *guest = tap ? find_guest(tap, host->mac) : NULL;
    size_t before = hosts->lent.n;
    errno = ENODEV;
    bool ok = guest && lend(hosts, guest, protocol, pair[0], port);
    int why = errno;
    if (!ok && hosts->lent.n > before) {
        give_back(hosts, before);
    } else if (!ok) {
        close(pair[0]);
    }
    carrier_unlock(hosts->carrier);
    if (!ok) {
        close(pair[1]);
        errno = why;
    }
    return ok ? pair[1] : -1;
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
    if (tap_is_martian(&guest->host, packet, packet_size) ||
        (guest->n_lent && is_for_lent(hosts, guest, packet, packet_size))) {
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

/* An answer, in pieces if its packet is longer than 'most'. */
static void
write_answer(struct tap_hosts *hosts, const struct tap *tap, struct guest *guest, size_t size, size_t most)
{
    if (size <= ETHERNET + most) {
        write_frame(tap, guest, hosts->answer, size);
        return;
    }
    size_t at = 0, n;
    hosts->last_id++;
    while ((n = tap_piece(hosts->answer, size, most, hosts->last_id, &at, hosts->piece)) > 0) {
        write_frame(tap, guest, hosts->piece, n);
    }
}

static void
serve_guest(struct tap_hosts *hosts, struct tap *tap, struct guest *guest, uint8_t *frame, size_t n)
{
    size_t most = tap->mtu;
    if (!(frame[0] & 1)) { /* what goes to all is the router's own talk */
        guest->in.packets++;
        guest->in.bytes += n - ETHERNET;
    }
    const uint8_t *whole = frame;
    if (tap_may_be_piece(frame, n)) { /* what goes to all comes whole (RFC 6980) */
        whole = frame[0] & 1 ? NULL : tap_whole(hosts->fragments, tap->index, frame, &n, tap->mtu, &most);
        if (!whole) {
            return;
        }
    }
    if (!is_taken(hosts, tap, guest, whole, n)) {
        size_t size = tap_answer(&guest->host, whole, n, hosts->answer);
        if (size) {
            write_answer(hosts, tap, guest, size, most);
        }
    }
}

static void
serve_frame(struct tap_hosts *hosts, struct tap *tap, uint8_t *frame, size_t n)
{
    if (frame[0] & 1) { /* to all of them */
        size_t cursor = 0;
        for (struct guest *guest; (guest = mac_table_next(&tap->guests, &cursor));) {
            serve_guest(hosts, tap, guest, frame, n);
        }
        return;
    }
    struct guest *guest = find_guest(tap, frame);
    if (guest) {
        serve_guest(hosts, tap, guest, frame, n);
    }
}

/* Frames from a device; false when it has no more, or was removed meanwhile.  Many are read before the first is
 * answered: an answer goes all the way to its receiver while it is written, and what reading needs is out of the
 * processor's caches then. */
static bool
serve(void *owner, uint32_t index)
{
    struct tap_hosts *hosts = owner;
    if (index & LENT) {
        return serve_lent(hosts, index);
    }
    struct tap *tap = find_tap(hosts, index);
    if (!tap) {
        return false;
    }
    size_t sizes[FRAMES_AT_ONCE], n = 0, used = 0;
    bool more = true;
    while (more && n < FRAMES_AT_ONCE && used + TAP_FRAME_MAX <= FRAMES_SIZE) {
        ssize_t size = read(tap->fd, hosts->frame + used, TAP_FRAME_MAX);
        more = size >= 0 || errno == EINTR;
        if (size >= ETHERNET) {
            sizes[n++] = (size_t)size;
            used += ROUND_UP((size_t)size);
        }
    }
    uint8_t *frame = hosts->frame;
    for (size_t i = 0; i < n; frame += ROUND_UP(sizes[i]), i++) {
        serve_frame(hosts, tap, frame, sizes[i]);
    }
    return false; /* what is still there wakes us again, after the others */
}

/* ---- beginning and end --------------------------------------------------------------------------------------------
 */
struct tap_hosts *
tap_hosts_new(struct err *err)
{
    struct tap_hosts *hosts = xcalloc(1, sizeof *hosts);
    hosts->watch[0] = hosts->watch[1] = -1;
    hosts->frame = xmalloc(FRAMES_SIZE);
    hosts->answer = xmalloc(TAP_FRAME_MAX);
    hosts->piece = xmalloc(TAP_FRAME_MAX);
    hosts->fragments = fragments_new();
    hosts->carrier = carrier_new("TAP hosts", serve, hosts, err);
    if (!hosts->carrier) {
        fragments_free(hosts->fragments);
        free(hosts->frame);
        free(hosts->answer);
        free(hosts->piece);
        free(hosts);
        return NULL;
    }
    return hosts;
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
    size_t cursor = 0;
    for (struct guest *guest; (guest = mac_table_next(&tap->guests, &cursor));) {
        guest_free(guest);
    }
    mac_table_done(&tap->guests);
    free(tap);
}

static void
forget(struct tap_hosts *hosts)
{
    for (size_t i = 0; i < hosts->gone.n; i++) {
        give_all_back(hosts, hosts->gone.items[i]);
        guest_free(hosts->gone.items[i]);
    }
    hosts->gone.n = 0;
}

static void
unwatch(struct tap_hosts *hosts)
{
    for (int i = 0; i < 2; i++) {
        if (hosts->watch[i] >= 0) {
            close(hosts->watch[i]);
        }
        hosts->watch[i] = -1;
    }
}

void
tap_hosts_free(struct tap_hosts *hosts)
{
    if (!hosts) {
        return;
    }
    carrier_free(hosts->carrier);
    while (hosts->lent.n) {
        give_back(hosts, hosts->lent.n - 1);
    }
    VEC_DONE(&hosts->lent);
    for (size_t i = 0; i < hosts->taps.n; i++) {
        tap_free(hosts->taps.items[i]);
    }
    VEC_DONE(&hosts->taps);
    forget(hosts);
    VEC_DONE(&hosts->gone);
    unwatch(hosts);
    fragments_free(hosts->fragments);
    free(hosts->frame);
    free(hosts->answer);
    free(hosts->piece);
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
    tap->mtu = end->mtu;
    tap->fd = fd;
    memcpy(tap->router_mac, router_mac, 6);
    carrier_lock(hosts->carrier);
    size_t at = place_of_tap(hosts, end->index);
    VEC_ADD(&hosts->taps);
    memmove(&hosts->taps.items[at + 1], &hosts->taps.items[at], (hosts->taps.n - 1 - at) * sizeof *hosts->taps.items);
    hosts->taps.items[at] = tap;
    bool ok = carrier_watch(hosts->carrier, fd, end->index);
    int why = errno;
    carrier_unlock(hosts->carrier);
    return ok || err_set(err, ERR_MACHINE, "", "cannot wait for the TAP device `%s`: %s", end->name, strerror(why));
}

/* Who went from another device just now, with what he has counted and lent; else a new one. */
static struct guest *
came_again(struct tap_hosts *hosts, const uint8_t mac[6])
{
    for (size_t i = 0; i < hosts->gone.n; i++) {
        struct guest *guest = hosts->gone.items[i];
        if (memcmp(guest->host.mac, mac, 6) == 0) {
            VEC_REMOVE(&hosts->gone, i);
            return guest;
        }
    }
    struct guest *guest = xcalloc(1, sizeof *guest);
    memcpy(guest->host.mac, mac, 6);
    return guest;
}

/* The host with that address, new if there is none. */
static struct guest *
put_guest(struct tap_hosts *hosts, struct tap *tap, const uint8_t mac[6])
{
    struct guest *guest = find_guest(tap, mac);
    if (!guest) {
        guest = came_again(hosts, mac);
        guest->tap = tap;
        mac_table_put(&tap->guests, mac, guest);
    }
    return guest;
}

void
tap_hosts_set(struct tap_hosts *hosts, uint32_t index, const struct tap_host *host)
{
    carrier_lock(hosts->carrier);
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
    carrier_unlock(hosts->carrier);
}

void
tap_hosts_unset(struct tap_hosts *hosts, uint32_t index, const uint8_t mac[6])
{
    carrier_lock(hosts->carrier);
    struct tap *tap = find_tap(hosts, index);
    struct guest *guest = tap ? mac_table_remove(&tap->guests, mac) : NULL;
    if (guest) {
        *VEC_ADD(&hosts->gone) = guest;
        guest->tap = NULL;
    }
    carrier_unlock(hosts->carrier);
}

void
tap_hosts_forget(struct tap_hosts *hosts)
{
    carrier_lock(hosts->carrier);
    forget(hosts);
    carrier_unlock(hosts->carrier);
}

void
tap_hosts_remove(struct tap_hosts *hosts, uint32_t index)
{
    if (!hosts) {
        return;
    }
    carrier_lock(hosts->carrier);
    size_t at = place_of_tap(hosts, index);
    if (at < hosts->taps.n && hosts->taps.items[at]->index == index) {
        struct tap *tap = hosts->taps.items[at];
        size_t cursor = 0;
        for (struct guest *guest; (guest = mac_table_next(&tap->guests, &cursor));) {
            *VEC_ADD(&hosts->gone) = guest;
            guest->tap = NULL;
        }
        mac_table_done(&tap->guests);
        tap_free(tap); /* closing takes it out of the epoll too */
        VEC_REMOVE(&hosts->taps, at);
    }
    carrier_unlock(hosts->carrier);
}

/* Does it bear the address of another host behind the device? */
static bool
is_of_another(const struct tap *tap, const struct guest *guest, const uint8_t *packet, size_t size)
{
    bool another = false;
    if (tap->guests.n > 1 && !tap_is_martian(&guest->host, packet, size)) {
        size_t cursor = 0;
        for (const struct guest *other; !another && (other = mac_table_next(&tap->guests, &cursor));) {
            another = tap_is_martian(&other->host, packet, size);
        }
    }
    return another;
}

bool
tap_hosts_send(struct tap_hosts *hosts, const struct tap_name *host, const uint8_t *packet, size_t size)
{
    uint8_t frame[2048];
    bool ok = false;
    carrier_lock(hosts->carrier);
    const struct tap *tap = find_tap(hosts, host->index);
    struct guest *guest = tap ? find_guest(tap, host->mac) : NULL;
    if (guest && size > 0 && size + ETHERNET <= sizeof frame && !is_of_another(tap, guest, packet, size)) {
        size_t n = tap_frame(&guest->host, tap->router_mac, packet, size, frame);
        ok = write_frame(tap, guest, frame, n);
    }
    carrier_unlock(hosts->carrier);
    return ok;
}

void
tap_hosts_counts(struct tap_hosts *hosts, uint32_t index,
                 void (*each)(void *context, const uint8_t mac[6], const struct tap_count *in,
                              const struct tap_count *out),
                 void *context)
{
    carrier_lock(hosts->carrier);
    const struct tap *tap = find_tap(hosts, index);
    size_t cursor = 0;
    for (const struct guest *guest; tap && (guest = mac_table_next(&tap->guests, &cursor));) {
        each(context, guest->host.mac, &guest->in, &guest->out);
    }
    carrier_unlock(hosts->carrier);
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
    carrier_lock(hosts->carrier);
    memcpy(hosts->watch, ends, sizeof ends);
    hosts->wanted = wanted;
    hosts->context = context;
    carrier_unlock(hosts->carrier);
    return ends[1];
}

void
tap_hosts_unwatch(struct tap_hosts *hosts)
{
    carrier_lock(hosts->carrier);
    unwatch(hosts);
    carrier_unlock(hosts->carrier);
}

void
tap_hosts_settle(struct tap_hosts *hosts)
{
    carrier_settle(hosts->carrier);
}

void
tap_hosts_run_on(struct tap_hosts *hosts, const cpu_set_t *processors)
{
    carrier_run_on(hosts->carrier, processors);
}

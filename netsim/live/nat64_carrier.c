#include "netsim/live/nat64_carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "netsim/live/carrier.h"
#include "netsim/live/fragments.h"
#include "netsim/live/frames.h"
#include "netsim/live/nat64.h"
#include "netsim/live/plan_nat64.h"

#define CLIENTS_MAX 65536 /* of a gateway: then all are forgotten, and begin anew under other addresses */
#define POOL_SIZE   (1u << 24)

struct clients {
    VEC(struct ip) known; /* the i-th has the address 'first' + i of the pool */
    uint32_t first;
    VEC(uint32_t) slots; /* by hash: 1 + i; 0: free.  A power of two, at most half full */
};
struct place {               /* a NAT gateway */
    uint32_t number, serial; /* of no other place; of the namespace */
    int fd;
    struct clients clients;
    bool wanted;
};
struct nat64_carrier {
    struct carrier *carrier; /* its lock is held where what follows is touched */
    VEC(struct place *) places;
    uint32_t last_number, last_id;
    struct fragments *fragments;
    uint8_t *in, *out;
};

/* ---- clients ------------------------------------------------------------------------------------------------------
 */

static uint32_t *
slot_of(struct clients *c, const struct ip *six)
{
    size_t mask = c->slots.n - 1, at = ip_hash(six) & mask;
    while (c->slots.items[at] && !ip_equal(&c->known.items[c->slots.items[at] - 1], six)) {
        at = (at + 1) & mask;
    }
    return &c->slots.items[at];
}

static void
hash_anew(struct clients *c, size_t n)
{
    c->slots.n = 0;
    while (c->slots.n < n) {
        *VEC_ADD(&c->slots) = 0;
    }
    for (size_t i = 0; i < c->known.n; i++) {
        *slot_of(c, &c->known.items[i]) = (uint32_t)i + 1;
    }
}

static struct ip
pool_address(const struct clients *c, size_t i)
{
    struct cidr pool = cidr_lit(PLAN_NAT64_POOL);
    return ip_add(&pool.ip, 1 + (c->first + i) % (POOL_SIZE - 2));
}

static struct ip
address_of_client(struct clients *c, const struct ip *six)
{
    if (c->known.n == CLIENTS_MAX) {
        c->first = (c->first + CLIENTS_MAX) % (POOL_SIZE - 2);
        c->known.n = 0;
        hash_anew(c, 64);
    } else if (c->slots.n < 2 * (c->known.n + 1)) {
        hash_anew(c, c->slots.n ? 2 * c->slots.n : 64);
    }
    uint32_t *slot = slot_of(c, six);
    if (!*slot) {
        *VEC_ADD(&c->known) = *six;
        *slot = (uint32_t)c->known.n;
    }
    return pool_address(c, *slot - 1);
}

static const struct ip *
client_of_address(const struct clients *c, const struct ip *four)
{
    struct ip first = pool_address(c, 0);
    uint64_t i = (four->lo - first.lo + POOL_SIZE - 2) % (POOL_SIZE - 2);
    struct ip again = pool_address(c, i);
    return i < c->known.n && ip_equal(&again, four) ? &c->known.items[i] : NULL;
}

/* ---- packets ------------------------------------------------------------------------------------------------------
 */

static void
send_on(const struct place *place, const uint8_t *packet, size_t size)
{
    frames_send(place->fd, PLAN_NAT64_THREAD, plan_nat64_mac, packet, size);
}

static void
translate6(struct nat64_carrier *n, struct place *place, const uint8_t *packet, size_t size, const struct ip *src,
           bool cut)
{
    struct ip client4 = address_of_client(&place->clients, src);
    size_t made = nat64_to4(packet, size, &client4, cut, ++n->last_id, n->out);
    if (made) {
        send_on(place, n->out, made);
    }
}

/* Where routers of IPv4 could have cut it, none of IPv6 can: it is cut here (RFC 7915, 4). */
static void
translate4(struct nat64_carrier *n, struct place *place, const uint8_t *packet, size_t size, const struct ip *dst,
           bool cut)
{
    const struct ip *client6 = client_of_address(&place->clients, dst);
    size_t made = client6 ? nat64_to6(packet, size, dst, client6, n->out) : 0;
    cut = cut || !(packet[6] & 0x40);
    if (made && (!cut || made <= NAT64_PIECE)) {
        send_on(place, n->out, made);
    } else if (made) {
        uint8_t piece[NAT64_PIECE];
        size_t at = 0, piece_size;
        n->last_id++;
        while ((piece_size = fragments_piece(n->out, made, NAT64_PIECE, n->last_id, &at, piece)) > 0) {
            send_on(place, piece, piece_size);
        }
    }
}

static bool
serve(void *owner, uint32_t number)
{
    struct nat64_carrier *n = owner;
    struct place *place = NULL;
    for (size_t i = 0; i < n->places.n; i++) {
        place = n->places.items[i]->number == number ? n->places.items[i] : place;
    }
    uint32_t link;
    uint8_t *packet;
    size_t size;
    if (!place || !frames_take(place->fd, n->in, &link, &packet, &size)) {
        return false;
    }
    size_t cut;
    struct ip src, dst;
    const uint8_t *whole = size ? fragments_whole(n->fragments, number, packet, &size, monotonic_ms(), &cut) : NULL;
    if (whole && nat64_addresses(whole, size, &src, &dst)) {
        if (src.family == IP_V6) {
            translate6(n, place, whole, size, &src, cut);
        } else {
            translate4(n, place, whole, size, &dst, cut);
        }
    }
    return true;
}

/* ---- beginning and end --------------------------------------------------------------------------------------------
 */

struct nat64_carrier *
nat64_carrier_new(struct err *err)
{
    struct nat64_carrier *n = xcalloc(1, sizeof *n);
    n->fragments = fragments_new();
    n->in = xmalloc(FRAMES_BUFFER_SIZE);
    n->out = xmalloc(NAT64_PACKET_MAX);
    n->carrier = carrier_new("NAT gateways' NAT64", serve, n, err);
    if (!n->carrier) {
        nat64_carrier_free(n);
        return NULL;
    }
    return n;
}

static void
place_free(struct place *place)
{
    if (place->fd >= 0) {
        close(place->fd);
    }
    VEC_DONE(&place->clients.known);
    VEC_DONE(&place->clients.slots);
    free(place);
}

void
nat64_carrier_free(struct nat64_carrier *n)
{
    if (!n) {
        return;
    }
    carrier_free(n->carrier);
    for (size_t i = 0; i < n->places.n; i++) {
        place_free(n->places.items[i]);
    }
    VEC_DONE(&n->places);
    fragments_free(n->fragments);
    free(n->in);
    free(n->out);
    free(n);
}

/* ---- as the plan says ---------------------------------------------------------------------------------------------
 */

static bool
want_place(struct nat64_carrier *n, const struct spaces *spaces, const struct plan_ns *ns, struct err *err)
{
    const struct space *space = spaces_find(spaces, ns->id);
    for (size_t i = 0; space && i < n->places.n; i++) {
        if (n->places.items[i]->serial == space->serial) {
            n->places.items[i]->wanted = true;
            return true;
        }
    }
    if (!space) {
        return true;
    }
    struct place *place = xcalloc(1, sizeof *place);
    *place = (struct place){ .number = ++n->last_number, .serial = space->serial, .wanted = true };
    spaces_enter(spaces, space);
    place->fd = frames_open(PLAN_NAT64_THREAD);
    int why = errno;
    spaces_go_home(spaces);
    errno = why;
    if (place->fd < 0 || !carrier_watch(n->carrier, place->fd, place->number)) {
        err_set(err, ERR_MACHINE, "", "cannot take packets from `%s` for NAT64: %s", ns->id, strerror(errno));
        place_free(place);
        return false;
    }
    *VEC_ADD(&n->places) = place;
    return true;
}

bool
nat64_carrier_sync(struct nat64_carrier *n, const struct spaces *spaces, const struct plan *plan, struct err *err)
{
    bool ok = true;
    carrier_lock(n->carrier);
    for (size_t i = 0; i < n->places.n; i++) {
        n->places.items[i]->wanted = false;
    }
    for (size_t i = 0; i < plan->namespaces.n; i++) {
        const struct plan_ns *ns = plan->namespaces.items[i];
        ok = (!plan_has_nat64(ns) || want_place(n, spaces, ns, err)) && ok;
    }
    for (size_t i = n->places.n; i-- > 0;) {
        if (!n->places.items[i]->wanted) {
            place_free(n->places.items[i]);
            VEC_REMOVE(&n->places, i);
        }
    }
    carrier_unlock(n->carrier);
    return ok;
}

size_t
nat64_carrier_settle(struct nat64_carrier *n)
{
    return carrier_settle(n->carrier);
}

void
nat64_carrier_run_on(struct nat64_carrier *n, const cpu_set_t *processors)
{
    carrier_run_on(n->carrier, processors);
}

#include "netsim/live/gwlb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "netsim/live/carrier.h"
#include "netsim/live/frames.h"
#include "netsim/live/packet_bytes.h"
#include "netsim/live/plan_gwlb.h"

#define FLOW_PORT_FIRST 49152

/* A namespace that packets are taken from: an endpoint's, a node's, or an appliance's. */
enum place_kind { PLACE_ENDPOINT, PLACE_NODE, PLACE_APPLIANCE };
struct place {
    enum place_kind kind;
    uint32_t number; /* of no other place */
    char ns[ID_SIZE + 16];
    uint32_t serial; /* of the namespace */
    int in, out;     /* the same for an endpoint: frames; else datagrams of GENEVE, and packets with their headers */
    struct ip ip;    /* of a node */
    struct gwlb_count count; /* likewise */
    bool wanted;
    /* Of an endpoint: */
    char id[ID_SIZE];
    uint64_t wire_number, attachment;
    struct place *node; /* NULL: none */
    enum flow_stickiness stickiness;
    bool rebalances;
    VEC(struct plan_gwlb_target) targets; /* 'ns' is not used: */
    VEC(struct place *) appliances;       /* of the targets, NULL where the lab's program is not */
};
struct gwlb {
    struct carrier *carrier; /* holds its lock while it works: what follows is shared with it */
    VEC(struct place *) places;
    uint32_t last_number, last_cookie;
    struct gwlb_flows *flows, *answers; /* the balancers'; the appliances' */
    gwlb_seen *seen;
    void *context;
    uint8_t *buffer;
};

/* ---- sending -----------------------------------------------------------------------------------------------------
 * What a full queue does not take is lost, as on any wire. */

static void
send_geneve(const struct place *from, const struct ip *src, const struct gwlb_flow *flow, const struct geneve *head,
            const uint8_t *packet, size_t size)
{
    uint8_t outer[GENEVE_OUTER], bytes[GENEVE_HEAD];
    geneve_write(head, packet[0] >> 4 == 6 ? IP_V6 : IP_V4, bytes);
    geneve_outer(src, &flow->peer, flow->port, sizeof bytes + size, outer);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl((uint32_t)flow->peer.lo) };
    struct iovec parts[] = { { outer, sizeof outer }, { bytes, sizeof bytes }, { (void *)packet, size } };
    struct msghdr message = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = parts, .msg_iovlen = 3 };
    ssize_t sent = sendmsg(from->out, &message, MSG_DONTWAIT);
    (void)sent;
}

/* ---- the balancer's choice ----------------------------------------------------------------------------------------
 */

/* Each flow ranks the targets in an order of its own, so when one goes only its flows move. */
static const struct plan_gwlb_target *
choose(const struct place *endpoint, const struct flow_key *key)
{
    const struct plan_gwlb_target *best = NULL;
    uint64_t highest = 0;
    for (size_t i = 0; i < endpoint->targets.n; i++) {
        const struct plan_gwlb_target *t = &endpoint->targets.items[i];
        uint64_t words[] = {
            key->low.hi,  key->low.lo, key->high.hi,
            key->high.lo, t->ip.lo,    (uint64_t)key->low_port << 32 | (uint64_t)key->high_port << 16 | key->protocol
        };
        uint64_t rank = hash_bytes(words, sizeof words);
        if (t->chosen && (!best || rank > highest)) {
            best = t;
            highest = rank;
        }
    }
    return best;
}

/* By default a flow stays with a target that failed; it leaves one only where the group says `rebalance`. */
static bool
must_move(const struct place *endpoint, const struct gwlb_flow *flow)
{
    bool good = false;
    for (size_t i = 0; i < endpoint->targets.n; i++) {
        good |= endpoint->targets.items[i].chosen && ip_equal(&endpoint->targets.items[i].ip, &flow->peer);
    }
    return !flow->peer.family || (endpoint->rebalances && !good);
}

static struct gwlb_flow *
flow_of(struct gwlb *gwlb, const struct place *endpoint, const struct flow_tuple *tuple)
{
    struct flow_key key = flow_key_of(endpoint->wire_number, tuple, endpoint->stickiness);
    int64_t now = monotonic_ms();
    struct gwlb_flow *flow = gwlb_flows_find(gwlb->flows, &key, now);
    bool middle = tuple->protocol == PROTOCOL_TCP && tuple->dst_port && !tuple->opens;
    if (!flow && middle && endpoint->stickiness == FLOW_5_TUPLE) {
        return NULL; /* "data packets sent after the idle timeout period elapses are dropped" */
    }
    if (!flow) {
        flow = gwlb_flows_add(gwlb->flows, &key, now);
        flow->head = (struct geneve){ endpoint->wire_number, endpoint->attachment, ++gwlb->last_cookie };
        uint64_t words[] = { endpoint->wire_number, flow->head.cookie };
        flow->port = (uint16_t)(FLOW_PORT_FIRST + hash_bytes(words, sizeof words) % (65536 - FLOW_PORT_FIRST));
        if (endpoint->node) {
            endpoint->node->count.flows++;
        }
    }
    if (must_move(endpoint, flow)) {
        const struct plan_gwlb_target *target = choose(endpoint, &key);
        flow->peer = target ? target->ip : (struct ip){ 0 };
    }
    return flow;
}

/* ---- the three ways of a packet -----------------------------------------------------------------------------------
 */

static void
count_packet(struct place *node, size_t size)
{
    node->count.packets++;
    node->count.bytes += size;
}

static void
tell(const struct gwlb *gwlb, const struct place *endpoint, const uint8_t *packet, size_t size, bool comes_out)
{
    if (gwlb->seen) {
        gwlb->seen(gwlb->context, endpoint->id, packet, size, comes_out);
    }
}

/* A packet that a route led to the endpoint. */
static void
enter(struct gwlb *gwlb, const struct place *endpoint, const uint8_t *packet, size_t size)
{
    struct flow_tuple tuple;
    if (!flow_tuple_read(packet, size, &tuple)) {
        return;
    }
    struct gwlb_flow *flow = flow_of(gwlb, endpoint, &tuple);
    if (!flow || size > GENEVE_INNER_MAX) {
        return;
    }
    tell(gwlb, endpoint, packet, size, false);
    if (endpoint->node && flow->peer.family) {
        count_packet(endpoint->node, size);
        send_geneve(endpoint->node, &endpoint->node->ip, flow, &flow->head, packet, size);
    }
}

/* An appliance returned it.  It must be of a flow that this target has, or it is lost. */
static void
come_out(struct gwlb *gwlb, struct place *node, const struct ip *from, const struct geneve *head, const uint8_t *packet,
         size_t size)
{
    struct flow_tuple tuple;
    for (size_t i = 0; i < gwlb->places.n && flow_tuple_read(packet, size, &tuple); i++) {
        const struct place *endpoint = gwlb->places.items[i];
        if (endpoint->kind != PLACE_ENDPOINT || endpoint->wire_number != head->endpoint || endpoint->node != node) {
            continue;
        }
        struct flow_key key = flow_key_of(endpoint->wire_number, &tuple, endpoint->stickiness);
        const struct gwlb_flow *flow = gwlb_flows_find(gwlb->flows, &key, monotonic_ms());
        if (flow && flow->head.cookie == head->cookie && ip_equal(&flow->peer, from)) {
            count_packet(node, size);
            tell(gwlb, endpoint, packet, size, true);
            frames_send(endpoint->out, PLAN_ETH0, plan_router_mac, packet, size);
        }
        return;
    }
}

static struct flow_key
answer_key(const struct place *endpoint, const struct place *appliance, const struct flow_tuple *tuple)
{
    return flow_key_of((uint64_t)endpoint->number << 32 | appliance->number, tuple, FLOW_5_TUPLE);
}

/* The lab's program in an appliance got it, and hands it to the instance's kernel. */
static void
hand_over(struct gwlb *gwlb, const struct place *appliance, const struct sockaddr_in *from, const struct geneve *head,
          const uint8_t *packet, size_t size)
{
    struct flow_tuple tuple;
    for (size_t i = 0; i < gwlb->places.n && flow_tuple_read(packet, size, &tuple); i++) {
        const struct place *endpoint = gwlb->places.items[i];
        for (size_t j = 0; endpoint->kind == PLACE_ENDPOINT && j < endpoint->targets.n; j++) {
            if (endpoint->appliances.items[j] != appliance || endpoint->wire_number != head->endpoint) {
                continue;
            }
            struct flow_key key = answer_key(endpoint, appliance, &tuple);
            struct gwlb_flow *flow = gwlb_flows_find(gwlb->answers, &key, monotonic_ms());
            flow = flow ? flow : gwlb_flows_add(gwlb->answers, &key, monotonic_ms());
            flow->head = *head;
            flow->peer = ip_v4(ntohl(from->sin_addr.s_addr));
            flow->port = ntohs(from->sin_port);
            frames_send(endpoint->out, endpoint->targets.items[j].link, plan_gwlb_mac, packet, size);
            return;
        }
    }
}

/* The kernel of the instance behind that link forwarded it: it goes back under the header it came with, addresses
 * exchanged, ports as they were. */
static void
hand_back(struct gwlb *gwlb, const struct place *endpoint, uint32_t link, const uint8_t *packet, size_t size)
{
    struct flow_tuple tuple;
    for (size_t i = 0; i < endpoint->targets.n && flow_tuple_read(packet, size, &tuple); i++) {
        const struct place *appliance = endpoint->appliances.items[i];
        if (!appliance || endpoint->targets.items[i].link != link) {
            continue;
        }
        struct flow_key key = answer_key(endpoint, appliance, &tuple);
        const struct gwlb_flow *flow = gwlb_flows_find(gwlb->answers, &key, monotonic_ms());
        if (flow) {
            send_geneve(appliance, &endpoint->targets.items[i].ip, flow, &flow->head, packet, size);
        }
        return;
    }
}

/* ---- receiving ----------------------------------------------------------------------------------------------------
 */
/* False when there is no more. */
static bool
serve_endpoint(struct gwlb *gwlb, struct place *endpoint)
{
    uint32_t link;
    uint8_t *packet;
    size_t size;
    if (!frames_take(endpoint->in, gwlb->buffer, &link, &packet, &size)) {
        return false;
    }
    if (!size) {
        return true;
    }
    if (link == PLAN_ETH0) {
        enter(gwlb, endpoint, packet, size);
    } else {
        hand_back(gwlb, endpoint, link, packet, size);
    }
    return true;
}

static bool
serve_datagram(struct gwlb *gwlb, struct place *place)
{
    struct sockaddr_in from = { 0 };
    socklen_t from_size = sizeof from;
    ssize_t n =
        recvfrom(place->in, gwlb->buffer, FRAMES_BUFFER_SIZE, MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
    if (n < 0) {
        return errno == EINTR;
    }
    struct geneve head;
    const uint8_t *packet;
    size_t size;
    if (!geneve_read(gwlb->buffer, (size_t)n, &head, &packet, &size)) {
        return true;
    }
    if (place->kind == PLACE_NODE) {
        struct ip target = ip_v4(ntohl(from.sin_addr.s_addr));
        come_out(gwlb, place, &target, &head, packet, size);
    } else {
        hand_over(gwlb, place, &from, &head, packet, size);
    }
    return true;
}

static struct place *
place_by_number(const struct gwlb *gwlb, uint32_t number)
{
    for (size_t i = 0; i < gwlb->places.n; i++) {
        if (gwlb->places.items[i]->number == number) {
            return gwlb->places.items[i];
        }
    }
    return NULL;
}

static bool
serve(void *owner, uint32_t number)
{
    struct gwlb *gwlb = owner;
    struct place *place = place_by_number(gwlb, number);
    return place && (place->kind == PLACE_ENDPOINT ? serve_endpoint : serve_datagram)(gwlb, place);
}

/* ---- beginning and end --------------------------------------------------------------------------------------------
 */
struct gwlb *
gwlb_new(struct err *err)
{
    struct gwlb *gwlb = xcalloc(1, sizeof *gwlb);
    gwlb->flows = gwlb_flows_new(FLOWS_MAX);
    gwlb->answers = gwlb_flows_new(FLOWS_MAX);
    gwlb->buffer = xmalloc(FRAMES_BUFFER_SIZE);
    gwlb->carrier = carrier_new("gateway load balancers", serve, gwlb, err);
    if (!gwlb->carrier) {
        gwlb_free(gwlb);
        return NULL;
    }
    return gwlb;
}

static void
place_free(struct place *place)
{
    if (place->out != place->in && place->out >= 0) {
        close(place->out);
    }
    if (place->in >= 0) {
        close(place->in);
    }
    VEC_DONE(&place->targets);
    VEC_DONE(&place->appliances);
    free(place);
}

void
gwlb_free(struct gwlb *gwlb)
{
    if (!gwlb) {
        return;
    }
    carrier_free(gwlb->carrier);
    for (size_t i = 0; i < gwlb->places.n; i++) {
        place_free(gwlb->places.items[i]);
    }
    VEC_DONE(&gwlb->places);
    gwlb_flows_free(gwlb->flows);
    gwlb_flows_free(gwlb->answers);
    free(gwlb->buffer);
    free(gwlb);
}

/* ---- sockets ------------------------------------------------------------------------------------------------------
 */
static int
open_datagrams(void)
{
    int size = 4 << 20;
    int fd = nlq_high_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(GENEVE_PORT) };
    if (fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) < 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return fd;
}

static bool
open_sockets(struct place *place, const struct spaces *spaces, const struct space *space)
{
    spaces_enter(spaces, space);
    if (place->kind == PLACE_ENDPOINT) {
        place->in = place->out = frames_open(0);
    } else {
        place->in = open_datagrams();
        place->out = nlq_high_fd(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW));
    }
    int why = errno;
    spaces_go_home(spaces);
    errno = why;
    return place->in >= 0 && place->out >= 0;
}

/* ---- as the plan says -----------------------------------------------------------------------------------------------
 */
/* Of that kind in the namespace as it is now; made when it is not there.  NULL: the kernel refuses. */
static struct place *
want_place(struct gwlb *gwlb, const struct spaces *spaces, enum place_kind kind, const char *ns, struct err *err)
{
    const struct space *space = spaces_find(spaces, ns);
    for (size_t i = 0; space && i < gwlb->places.n; i++) {
        struct place *place = gwlb->places.items[i];
        if (place->kind == kind && place->serial == space->serial) {
            place->wanted = true;
            return place;
        }
    }
    if (!space) {
        return NULL;
    }
    struct place *place = xcalloc(1, sizeof *place);
    place->kind = kind;
    place->serial = space->serial;
    place->in = place->out = -1;
    place->wanted = true;
    snprintf(place->ns, sizeof place->ns, "%s", ns);
    place->number = ++gwlb->last_number;
    if (!open_sockets(place, spaces, space) || !carrier_watch(gwlb->carrier, place->in, place->number)) {
        err_set(err, ERR_MACHINE, "", "cannot take packets from `%s` for a gateway load balancer: %s", ns,
                strerror(errno));
        place_free(place);
        return NULL;
    }
    *VEC_ADD(&gwlb->places) = place;
    return place;
}

static bool
want_endpoint(struct gwlb *gwlb, const struct spaces *spaces, const struct plan_gwlb_endpoint *e, struct err *err)
{
    struct place *place = want_place(gwlb, spaces, PLACE_ENDPOINT, e->ns, err);
    if (!place) {
        return false;
    }
    snprintf(place->id, sizeof place->id, "%s", e->id);
    place->wire_number = e->number;
    place->attachment = e->attachment;
    place->stickiness = e->stickiness;
    place->rebalances = e->rebalances;
    place->node = *e->node_ns ? want_place(gwlb, spaces, PLACE_NODE, e->node_ns, err) : NULL;
    if (place->node) {
        place->node->ip = e->node;
    }
    place->targets.n = place->appliances.n = 0;
    for (const struct plan_gwlb_target *t = e->targets; t; t = t->next) {
        *VEC_ADD(&place->targets) = *t;
        *VEC_ADD(&place->appliances) = *t->ns ? want_place(gwlb, spaces, PLACE_APPLIANCE, t->ns, NULL) : NULL;
    }
    return place->node || !*e->node_ns;
}

bool
gwlb_sync(struct gwlb *gwlb, const struct spaces *spaces, const struct plan *plan, struct err *err)
{
    bool ok = true;
    carrier_lock(gwlb->carrier);
    for (size_t i = 0; i < gwlb->places.n; i++) {
        gwlb->places.items[i]->wanted = false;
    }
    for (const struct plan_gwlb_endpoint *e = plan->gwlb; e; e = e->next) {
        ok = want_endpoint(gwlb, spaces, e, err) && ok;
    }
    for (size_t i = gwlb->places.n; i-- > 0;) {
        if (!gwlb->places.items[i]->wanted) {
            place_free(gwlb->places.items[i]); /* closing takes it out of the epoll too */
            VEC_REMOVE(&gwlb->places, i);
        }
    }
    carrier_unlock(gwlb->carrier);
    return ok;
}

/* ---- watching -----------------------------------------------------------------------------------------------------
 */
void
gwlb_watch(struct gwlb *gwlb, gwlb_seen *seen, void *context)
{
    carrier_lock(gwlb->carrier);
    gwlb->seen = seen;
    gwlb->context = context;
    carrier_unlock(gwlb->carrier);
}

void
gwlb_unwatch(struct gwlb *gwlb)
{
    gwlb_watch(gwlb, NULL, NULL);
}

size_t
gwlb_settle(struct gwlb *gwlb)
{
    return carrier_settle(gwlb->carrier);
}

/* ---- counting -----------------------------------------------------------------------------------------------------
 */
static void
count_active(void *context, const struct gwlb_flow *flow)
{
    struct gwlb *gwlb = context;
    for (size_t i = 0; i < gwlb->places.n; i++) {
        const struct place *endpoint = gwlb->places.items[i];
        if (endpoint->kind == PLACE_ENDPOINT && endpoint->wire_number == flow->key.owner && endpoint->node) {
            endpoint->node->count.active++;
            return; /* an endpoint has one interface */
        }
    }
}

void
gwlb_counts(struct gwlb *gwlb, gwlb_counted *counted, void *context)
{
    carrier_lock(gwlb->carrier);
    for (size_t i = 0; i < gwlb->places.n; i++) {
        gwlb->places.items[i]->count.active = 0;
    }
    gwlb_flows_visit(gwlb->flows, monotonic_ms(), count_active, gwlb);
    for (size_t i = 0; i < gwlb->places.n; i++) {
        const struct place *place = gwlb->places.items[i];
        if (place->kind == PLACE_NODE) {
            counted(context, place->ns, &place->count);
        }
    }
    carrier_unlock(gwlb->carrier);
}

void
gwlb_run_on(struct gwlb *gwlb, const cpu_set_t *processors)
{
    carrier_run_on(gwlb->carrier, processors);
}

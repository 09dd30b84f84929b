#include "netsim/live/flow_source.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netsim/live/live_internal.h"
#include "netsim/live/plan_build.h"

/* What the router's chains write into the mark before they count (plan_router.c). */
#define MARK_LINK        0x007fffffu
#define MARK_REJECT      0x00800000u
#define MARK_INGRESS     0x80000000u
#define MARK_FLAGS(mark) ((uint8_t)((mark) >> 24 & 0x7f))

static const struct flow_set {
    const char *name;
    int family;
    int protocol; /* 0: the key says which, and has no ports */
} flow_sets[] = {
    { "fl_tcp", IP_V4, PROTOCOL_TCP },  { "fl_udp", IP_V4, PROTOCOL_UDP },  { "fl_oth", IP_V4, 0 },
    { "fl_tcp6", IP_V6, PROTOCOL_TCP }, { "fl_udp6", IP_V6, PROTOCOL_UDP }, { "fl_oth6", IP_V6, 0 },
};
#define N_FLOW_SETS ARRAY_SIZE(flow_sets)

/* One element of a set, as last read. */
struct counted {
    uint8_t key[48]; /* mark, addresses, ports or protocol, each on a word boundary */
    uint64_t packets, bytes;
    uint64_t idle_ms; /* since its last packet */
};
typedef VEC(struct counted) counted_vec;

struct flow_router {
    char *id;
    int fd;
    counted_vec known[N_FLOW_SETS]; /* sorted by key */
};
struct flow_source {
    VEC(struct flow_router *) routers;
    int64_t polled_ms;
    uint32_t sequence;
};

static int
counted_compare(const void *a, const void *b)
{
    return memcmp(((const struct counted *)a)->key, ((const struct counted *)b)->key,
                  sizeof((const struct counted *)a)->key);
}

static void
router_free(struct flow_router *router)
{
    for (size_t i = 0; i < N_FLOW_SETS; i++) {
        VEC_DONE(&router->known[i]);
    }
    close(router->fd);
    free(router->id);
    free(router);
}

void
flow_source_free(struct flow_source *source)
{
    for (size_t i = 0; source && i < source->routers.n; i++) {
        router_free(source->routers.items[i]);
    }
    if (source) {
        VEC_DONE(&source->routers);
        free(source);
    }
}

/* ---- reading a set ------------------------------------------------------------------------------------------------
 */
static int
take_element(struct nftnl_set_elem *elem, void *data)
{
    counted_vec *out = data;
    uint32_t size = 0;
    const void *key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &size);
    const struct nftnl_expr *counter = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_EXPR, NULL);
    if (!key || !counter || size > sizeof out->items->key) {
        return 0;
    }
    struct counted *c = VEC_ADD(out);
    memcpy(c->key, key, size);
    c->packets = nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_PACKETS);
    c->bytes = nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_BYTES);
    uint64_t timeout = nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_TIMEOUT)
                           ? nftnl_set_elem_get_u64(elem, NFTNL_SET_ELEM_TIMEOUT)
                           : PLAN_FLOW_TIMEOUT_MS;
    uint64_t left = nftnl_set_elem_get_u64(elem, NFTNL_SET_ELEM_EXPIRATION);
    c->idle_ms = timeout > left && left ? timeout - left : 0;
    return 0;
}

static int
take_message(const struct nlmsghdr *h, void *data)
{
    struct nftnl_set *set = nftnl_set_alloc();
    if (set && nftnl_set_elems_nlmsg_parse(h, set) == 0) {
        nftnl_set_elem_foreach(set, take_element, data);
    }
    nftnl_set_free(set);
    return MNL_CB_OK;
}

static bool
read_set(struct flow_source *source, const struct flow_router *router, const char *name, counted_vec *out,
         struct err *err)
{
    char buffer[65536] __attribute__((aligned(8)));
    struct nftnl_set *set = nftnl_set_alloc();
    struct nlmsghdr *h =
        nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, ++source->sequence);
    nftnl_set_set_str(set, NFTNL_SET_TABLE, "vpc");
    nftnl_set_set_str(set, NFTNL_SET_NAME, name);
    nftnl_set_elems_nlmsg_build_payload(h, set);
    nftnl_set_free(set);
    int status = send(router->fd, h, h->nlmsg_len, 0) < 0 ? -1 : MNL_CB_OK;
    while (status > MNL_CB_STOP) {
        ssize_t n = recv(router->fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        /* A set that changed while it was read (EINTR from the callback) is good enough: counters only grow. */
        status = n < 0 ? -1 : mnl_cb_run(buffer, (size_t)n, source->sequence, 0, take_message, out);
        if (status < 0 && n >= 0 && errno == EINTR) {
            status = MNL_CB_OK;
        }
    }
    if (status < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot read the flow counters of `%s`: %s", router->id, strerror(errno));
    }
    if (out->n > 1) {
        qsort(out->items, out->n, sizeof *out->items, counted_compare);
    }
    return true;
}

/* ---- from elements to samples -------------------------------------------------------------------------------------
 */
struct poll {
    struct live *live;
    const struct network *net;
    const struct live_flow_listener *listener;
    int64_t now_ms, last_ms;
    VEC(const char *) eni_of; /* link number -> interface id; NULL where there is none */
};

/* Link numbers are small and dense enough to index by. */
static void
name_links(struct poll *poll)
{
    for (size_t i = 0; i < poll->live->plan->namespaces.n; i++) {
        const struct plan_ns *ns = poll->live->plan->namespaces.items[i];
        for (size_t j = 0; j < ns->links.n; j++) {
            const struct plan_link *link = &ns->links.items[j];
            if (!*link->eni_id) {
                continue;
            }
            const struct nat_gateway *nat = store_get(network_store(poll->net), &nat_gateway_kind, link->eni_id);
            size_t number = link->here.index - PLAN_LINK_BASE;
            while (poll->eni_of.n <= number) {
                *VEC_ADD(&poll->eni_of) = NULL;
            }
            poll->eni_of.items[number] = nat && nat->addresses.n ? nat->addresses.items[0].eni_id : link->eni_id;
        }
    }
}

static struct ip
ip_at(const uint8_t *p, int family)
{
    struct ip ip = { .family = (uint8_t)family };
    for (int i = 0; i < (family == IP_V4 ? 4 : 16); i++) {
        ip.hi = ip.hi << 8 | ip.lo >> 56;
        ip.lo = ip.lo << 8 | p[i];
    }
    return ip;
}

static void
tell(const struct poll *poll, const struct flow_set *set, const struct counted *was, const struct counted *is)
{
    bool again = was && was->packets <= is->packets; /* else it had expired and began anew */
    uint64_t packets = is->packets - (again ? was->packets : 0);
    uint32_t mark;
    memcpy(&mark, is->key, sizeof mark);
    const char *eni = (mark & MARK_LINK) < poll->eni_of.n ? poll->eni_of.items[mark & MARK_LINK] : NULL;
    if (!packets || !eni) {
        return;
    }
    size_t size = set->family == IP_V4 ? 4 : 16;
    const uint8_t *rest = is->key + 4 + 2 * size;
    struct flow_sample sample = {
        .src = ip_at(is->key + 4, set->family),
        .dst = ip_at(is->key + 4 + size, set->family),
        .protocol = set->protocol ? (uint8_t)set->protocol : rest[0],
        .action = mark & MARK_REJECT ? FLOW_REJECT : FLOW_ACCEPT,
        .direction = mark & MARK_INGRESS ? FLOW_INGRESS : FLOW_EGRESS,
        .tcp_flags = MARK_FLAGS(mark),
        .packets = packets,
        .bytes = is->bytes - (again ? was->bytes : 0),
        .last_ms = poll->now_ms - (int64_t)is->idle_ms,
    };
    memcpy(sample.eni_id, eni, strlen(eni) + 1);
    if (set->protocol) {
        sample.src_port = (uint16_t)(rest[0] << 8 | rest[1]);
        sample.dst_port = (uint16_t)(rest[4] << 8 | rest[5]);
    }
    if (sample.last_ms < poll->last_ms) {
        sample.last_ms = poll->last_ms;
    }
    sample.first_ms = packets == 1 ? sample.last_ms : poll->last_ms;
    poll->listener->sample(poll->listener->context, &sample);
}

static bool
poll_router(struct poll *poll, struct flow_router *router, const struct plan_ns *ns, struct err *err)
{
    for (size_t i = 0; i < N_FLOW_SETS; i++) {
        bool there = false;
        for (size_t j = 0; j < ns->sets.n; j++) {
            there |= strcmp(ns->sets.items[j].name, flow_sets[i].name) == 0;
        }
        counted_vec now = { 0 };
        if (there && !read_set(poll->live->flows, router, flow_sets[i].name, &now, err)) {
            VEC_DONE(&now);
            return false;
        }
        for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &router->known[i], &now, counted_compare);) {
            if (m.is) {
                tell(poll, &flow_sets[i], m.was, m.is);
            }
        }
        /* A full set drops new flows without a word. */
        if (now.n >= PLAN_FLOW_SET_SIZE && poll->listener->lost) {
            poll->listener->lost(poll->listener->context, NULL);
        }
        VEC_DONE(&router->known[i]);
        memcpy(&router->known[i], &now, sizeof now);
    }
    return true;
}

static struct flow_router *
router_of(struct live *live, const struct plan_ns *ns, struct err *err)
{
    struct flow_source *source = live->flows;
    for (size_t i = 0; i < source->routers.n; i++) {
        if (strcmp(source->routers.items[i]->id, ns->id) == 0) {
            return source->routers.items[i];
        }
    }
    spaces_enter(&live->spaces, spaces_find(&live->spaces, ns->id));
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    spaces_go_home(&live->spaces);
    if (fd < 0) {
        err_set(err, ERR_MACHINE, "", "cannot open a netfilter socket in `%s`: %s", ns->id, strerror(errno));
        return NULL;
    }
    int size = 4 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    struct flow_router *router = xcalloc(1, sizeof *router);
    router->id = xstrdup(ns->id);
    router->fd = fd;
    *VEC_ADD(&source->routers) = router;
    return router;
}

/* Routers of deleted VPCs: their socket would keep the namespace alive. */
static void
forget_gone_routers(struct live *live)
{
    struct flow_source *source = live->flows;
    for (size_t i = source->routers.n; i-- > 0;) {
        if (!plan_find(live->plan, source->routers.items[i]->id)) {
            router_free(source->routers.items[i]);
            VEC_REMOVE(&source->routers, i);
        }
    }
}

bool
live_flows_poll(struct live *live, const struct network *net, int64_t now_ms, const struct live_flow_listener *listener,
                struct err *err)
{
    if (!live->flows) {
        live->flows = xcalloc(1, sizeof *live->flows);
        live->flows->polled_ms = now_ms;
    }
    forget_gone_routers(live);
    struct poll poll = {
        .live = live, .net = net, .listener = listener, .now_ms = now_ms, .last_ms = live->flows->polled_ms
    };
    bool ok = true, named = false;
    for (size_t i = 0; ok && i < live->plan->namespaces.n; i++) {
        const struct plan_ns *ns = live->plan->namespaces.items[i];
        bool records = false;
        for (size_t j = 0; ns->kind == PLAN_ROUTER && j < ns->sets.n; j++) {
            records |= strcmp(ns->sets.items[j].name, "fl_egress") == 0;
        }
        if (!records) {
            continue;
        }
        if (!named) {
            name_links(&poll);
            named = true;
        }
        struct flow_router *router = router_of(live, ns, err);
        ok = router && poll_router(&poll, router, ns, err);
    }
    VEC_DONE(&poll.eni_of);
    live->flows->polled_ms = now_ms;
    return ok;
}

#include "netsim/live/flow_source.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "netsim/live/apply_nft.h"
#include "netsim/live/flow_counted.h"
#include "netsim/live/live_internal.h"
#include "netsim/live/plan_build.h"
#include "netsim/live/plan_flows.h"

/* What the router's chains write into the mark before they count (plan_flows.c). */
#define MARK_LINK        0x007fffffu
#define MARK_REJECT      0x00800000u
#define MARK_INGRESS     0x80000000u
#define MARK_FLAGS(mark) ((uint8_t)((mark) >> 24 & 0x7f))

#define N_FLOW_SETS 6
enum { OLD_FLOWS_MAX = 8192 }; /* a set with more, most of them idle, is exchanged for an empty one */
static const char generations[] = { 'a', 'b' };

struct flow_router {
    char *id;
    bool transit; /* a transit gateway, whose marks are of another kind */
    int fd;
    int writing;                       /* the generation that the router's chains write */
    counted_vec known[2][N_FLOW_SETS]; /* of each generation, sorted by key */
    counted_vec lost;                  /* packets without room; by mark */
    counted_vec reasons[4];            /* by family, and with or without ports: reason_sets[] */
    counted_vec old_reasons[4];        /* as they were when the poll before this one ended */
    bool reasons_read;                 /* by the poll that goes on */
};
static const struct reason_set {
    const char *name;
    int family;
    bool ports;
} reason_sets[] = {
    { "fl_why", IP_V4, true }, { "fl_whyo", IP_V4, false }, { "fl_why6", IP_V6, true }, { "fl_whyo6", IP_V6, false }
};
struct flow_source {
    VEC(struct flow_router *) routers;
    int64_t polled_ms;
    uint32_t sequence;
};

static void
router_free(struct flow_router *router)
{
    for (size_t i = 0; i < N_FLOW_SETS; i++) {
        VEC_DONE(&router->known[0][i]);
        VEC_DONE(&router->known[1][i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(reason_sets); i++) {
        VEC_DONE(&router->reasons[i]);
        VEC_DONE(&router->old_reasons[i]);
    }
    VEC_DONE(&router->lost);
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
    uint64_t left = nftnl_set_elem_is_set(elem, NFTNL_SET_ELEM_EXPIRATION)
                        ? nftnl_set_elem_get_u64(elem, NFTNL_SET_ELEM_EXPIRATION)
                        : 0;
    c->idle_ms = timeout > left && left ? timeout - left : 0;
    c->until_ms = monotonic_ms() + (int64_t)left;
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
         size_t *n_repeated, struct err *err)
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
    *n_repeated = counted_sort(out);
    return true;
}

enum { READINGS_MAX = 5 };

/* As many elements as a reading has twice it has left out, and it may leave out others where old ones go.  So a reading
 * that has none twice and all that are known is whole; else one more is added to it. */
static bool
read_whole_set(struct flow_source *source, const struct flow_router *router, const char *name, const counted_vec *known,
               counted_vec *out, struct err *err)
{
    size_t n_repeated = 0;
    bool ok = read_set(source, router, name, out, &n_repeated, err);
    for (int i = 1; ok && i < READINGS_MAX && (n_repeated || counted_lacks(out, known)); i++) {
        counted_vec again = { 0 };
        ok = read_set(source, router, name, &again, &n_repeated, err);
        counted_join(out, &again);
        VEC_DONE(&again);
    }
    return ok;
}

/* ---- from elements to samples -------------------------------------------------------------------------------------
 */
/* A TAP host: it may share its link, and change it for another with its groups. */
struct behind {
    const struct plan_ns *router;
    struct ip ip;
    const char *eni_id;
};
struct poll {
    struct live *live;
    const struct network *net;
    const struct live_flow_listener *listener;
    int64_t now_ms, last_ms;
    VEC(const char *) eni_of;  /* link number -> interface id; NULL where there is none or more than one */
    VEC(struct behind) behind; /* sorted */
    const struct plan_ns *ns;  /* whose flows are told */
    plan_transit_ports port_of;
};

static int
behind_compare(const void *pa, const void *pb)
{
    const struct behind *a = pa, *b = pb;
    return a->router != b->router ? ((uintptr_t)a->router < (uintptr_t)b->router ? -1 : 1) : ip_compare(&a->ip, &b->ip);
}

static void
name_hosts(struct poll *poll, const struct plan_ns *router, const struct plan_link *link)
{
    for (size_t i = 0; i < link->hosts.n; i++) {
        const struct plan_tap *tap = &link->hosts.items[i];
        for (size_t j = 0; j < tap->host.addresses.n; j++) {
            *VEC_ADD(&poll->behind) = (struct behind){ router, tap->host.addresses.items[j], tap->eni_id };
        }
    }
}

/* Link numbers are small and dense enough to index by. */
static void
name_links(struct poll *poll)
{
    for (size_t i = 0; i < poll->live->plan->namespaces.n; i++) {
        const struct plan_ns *ns = poll->live->plan->namespaces.items[i];
        for (size_t j = 0; j < ns->links.n; j++) {
            const struct plan_link *link = &ns->links.items[j];
            const char *id = link->attachment_eni ? link->attachment_eni : link->eni_id;
            name_hosts(poll, ns, link);
            if (!*id) {
                continue;
            }
            const struct nat_gateway *nat = store_get(network_store(poll->net), &nat_gateway_kind, id);
            size_t number = link->here.index - PLAN_LINK_BASE;
            while (poll->eni_of.n <= number) {
                *VEC_ADD(&poll->eni_of) = NULL;
            }
            poll->eni_of.items[number] = nat && nat->addresses.n ? nat->addresses.items[0].eni_id : id;
        }
    }
    if (poll->behind.n > 1) {
        qsort(poll->behind.items, poll->behind.n, sizeof *poll->behind.items, behind_compare);
    }
}

/* NULL: of another transit gateway, or nobody's. */
static const struct plan_transit_port *
port_of(const struct poll *poll, const struct flow_router *router, uint32_t number)
{
    number &= PLAN_TRANSIT_PORT_MASK;
    return number < poll->port_of.n && strcmp(poll->port_of.items[number].tgw_id, router->id) == 0
               ? &poll->port_of.items[number]
               : NULL;
}

/* ---- what refused a flow ------------------------------------------------------------------------------------------
 */
/* The groups of an interface, or the ACL of its subnet, as the refusal of a stage is called. */
static void
name_stage(const struct network *net, const char *eni_id, uint32_t refusal, char rule[static FLOW_RULE_SIZE])
{
    const struct eni *eni = store_get(network_store(net), &eni_kind, eni_id);
    bool egress = refusal == PLAN_REFUSED_GROUP_OUT || refusal == PLAN_REFUSED_ACL_OUT;
    struct buf text = { 0 };
    if (plan_refused_public(refusal)) {
        buf_str_add(&text, plan_refused_egress(refusal) ? PLAN_PUBLIC_ACCESS ":egress" : PLAN_PUBLIC_ACCESS ":ingress");
    } else if (refusal == PLAN_REFUSED_GROUP_OUT || refusal == PLAN_REFUSED_GROUP_IN) {
        for (size_t i = 0; eni && i < eni->groups.n; i++) {
            buf_printf(&text, "%s%s", i ? "," : "", eni->groups.items[i].id);
        }
        buf_str_add(&text, egress ? ":egress:none" : ":ingress:none");
    } else {
        const struct subnet *subnet = eni ? store_get(network_store(net), &subnet_kind, eni->subnet_id) : NULL;
        const struct network_acl *acl = subnet ? network_subnet_acl(net, subnet) : NULL;
        buf_printf(&text, "%s:%s:*", acl ? acl->obj.id : "", egress ? "egress" : "ingress");
    }
    snprintf(rule, FLOW_RULE_SIZE, "%s", buf_str(&text));
    buf_done(&text);
}

void
live_refusal_name(const struct live *live, const struct network *net, const char *eni_id, uint32_t refusal,
                  char rule[static FLOW_RULE_SIZE])
{
    if (!plan_rule_text(&live->numbers, refusal, rule, FLOW_RULE_SIZE)) {
        name_stage(net, eni_id, refusal, rule);
    }
}

/* How a reason is found: by the flow's mark without flags, addresses, destination port or protocol; what refused it
 * comes last. */
static size_t
reason_size(const struct reason_set *set)
{
    return 4 + 2 * (set->family == IP_V4 ? 4 : 16) + 4;
}

static void
turn_reason(const struct reason_set *set, struct counted *c)
{
    size_t rest = reason_size(set) - 4;
    uint8_t refusal[4];
    memcpy(refusal, c->key + 4, 4);
    memmove(c->key + 4, c->key + 8, rest);
    memcpy(c->key + 4 + rest, refusal, 4);
}

/* Whether packets came for a reason since the poll before. */
static bool
reason_is_fresh(const counted_vec *old, const struct counted *reason)
{
    const struct counted *was =
        old->n ? bsearch(reason, old->items, old->n, sizeof *old->items, counted_compare) : NULL;
    return !was || was->packets != reason->packets;
}

/* Joins a refused flow with what the router noted.  Of several (the rules changed) the one with the latest packet; the
 * kernel's clock is coarse, so what this poll does not find changed comes last. */
static void
name_refusal(const struct poll *poll, const struct flow_router *router, const struct plan_flow_set *set,
             const struct counted *c, struct flow_sample *sample)
{
    size_t addresses = set->family == IP_V4 ? 8 : 32, which = (set->family == IP_V6 ? 2 : 0) + (set->protocol ? 0 : 1);
    const counted_vec *reasons = &router->reasons[which];
    size_t size = reason_size(&reason_sets[which]), low = 0, high = reasons->n;
    const struct counted *best = NULL;
    bool best_fresh = false;
    uint8_t wanted[48] = { 0 };
    uint32_t mark;
    memcpy(&mark, c->key, sizeof mark);
    mark &= MARK_LINK | MARK_REJECT | MARK_INGRESS;
    memcpy(wanted, &mark, sizeof mark);
    memcpy(wanted + 4, c->key + 4, addresses);
    memcpy(wanted + 4 + addresses, c->key + 4 + addresses + (set->protocol ? 4 : 0), set->protocol ? 2 : 1);
    while (low < high) {
        size_t middle = (low + high) / 2;
        bool less = memcmp(reasons->items[middle].key, wanted, size) < 0;
        low = less ? middle + 1 : low;
        high = less ? high : middle;
    }
    for (; low < reasons->n && memcmp(reasons->items[low].key, wanted, size) == 0; low++) {
        const struct counted *reason = &reasons->items[low];
        bool fresh = reason_is_fresh(&router->old_reasons[which], reason);
        if (!best || (fresh == best_fresh ? reason->idle_ms < best->idle_ms : fresh)) {
            best = reason;
            best_fresh = fresh;
        }
    }
    if (!best) {
        return;
    }
    uint32_t refusal;
    memcpy(&refusal, best->key + size, sizeof refusal);
    live_refusal_name(poll->live, poll->net, sample->eni_id, refusal, sample->rule);
    sample->reason = plan_refused_public(refusal) ? FLOW_REASON_BPA : 0;
}

/* ---- telling ------------------------------------------------------------------------------------------------------
 */
/* Of TAP hosts it is the one that the flow came from, or went to. */
static const char *
eni_of_mark(const struct poll *poll, uint32_t mark, const struct ip *src, const struct ip *dst)
{
    struct behind wanted = { .router = poll->ns, .ip = mark & MARK_INGRESS ? *dst : *src };
    const char *eni = (mark & MARK_LINK) < poll->eni_of.n ? poll->eni_of.items[mark & MARK_LINK] : NULL;
    if (eni || !poll->behind.n) {
        return eni;
    }
    const struct behind *found = bsearch(&wanted, poll->behind.items, poll->behind.n, sizeof wanted, behind_compare);
    return found ? found->eni_id : NULL;
}

/* When the packets were that a poll finds. */
static void
date(const struct poll *poll, const struct counted *is, uint64_t packets, int64_t *first_ms, int64_t *last_ms)
{
    int64_t last = poll->now_ms - (int64_t)is->idle_ms;
    *last_ms = last < poll->last_ms ? poll->last_ms : last;
    *first_ms = packets == 1 ? *last_ms : poll->last_ms;
}

/* True if there was something to tell: of a transit gateway. */
static bool
tell_transit(const struct poll *poll, const struct flow_router *router, const struct plan_flow_set *set,
             const struct counted *was, const struct counted *is)
{
    bool again = was && was->packets <= is->packets;
    size_t size = set->family == IP_V4 ? 4 : 16;
    const uint8_t *rest = is->key + 4 + 2 * size;
    uint32_t mark;
    memcpy(&mark, is->key, sizeof mark);
    uint32_t out = mark >> PLAN_TRANSIT_TO_SHIFT & PLAN_TRANSIT_PORT_MASK;
    const struct plan_transit_port *from = port_of(poll, router, mark), *to = port_of(poll, router, out);
    struct flow_transit_sample sample = {
        .src = ip_of_bytes(is->key + 4, set->family),
        .dst = ip_of_bytes(is->key + 4 + size, set->family),
        .protocol = set->protocol ? (uint8_t)set->protocol : rest[0],
        .tcp_flags = (uint8_t)(mark >> PLAN_TRANSIT_FLAGS_SHIFT),
        .lost = (uint8_t)(PLAN_TRANSIT_PORT_MASK - out),
        .packets = is->packets - (again ? was->packets : 0),
        .bytes = is->bytes - (again ? was->bytes : 0),
    };
    if (!sample.packets || !from || (!to && sample.lost >= FLOW_LOSSES) || !poll->listener->transit) {
        return false;
    }
    snprintf(sample.tgw_id, sizeof sample.tgw_id, "%s", router->id);
    memcpy(sample.from_id, from->attachment_id, sizeof sample.from_id);
    memcpy(sample.from_subnet, from->subnet_id, sizeof sample.from_subnet);
    if (to) {
        memcpy(sample.to_id, to->attachment_id, sizeof sample.to_id);
        memcpy(sample.to_subnet, to->subnet_id, sizeof sample.to_subnet);
    }
    if (set->protocol) {
        sample.src_port = (uint16_t)(rest[0] << 8 | rest[1]);
        sample.dst_port = (uint16_t)(rest[4] << 8 | rest[5]);
    }
    date(poll, is, sample.packets, &sample.first_ms, &sample.last_ms);
    poll->listener->transit(poll->listener->context, &sample);
    return true;
}

/* True if there was something to tell. */
static bool
tell(const struct poll *poll, const struct flow_router *router, const struct plan_flow_set *set,
     const struct counted *was, const struct counted *is)
{
    bool again = was && was->packets <= is->packets; /* else it had expired and began anew */
    uint64_t packets = is->packets - (again ? was->packets : 0);
    uint32_t mark;
    memcpy(&mark, is->key, sizeof mark);
    size_t size = set->family == IP_V4 ? 4 : 16;
    const uint8_t *rest = is->key + 4 + 2 * size;
    struct ip src = ip_of_bytes(is->key + 4, set->family), dst = ip_of_bytes(is->key + 4 + size, set->family);
    const char *eni = eni_of_mark(poll, mark, &src, &dst);
    if (!packets || !eni) {
        return false;
    }
    struct flow_sample sample = {
        .src = src,
        .dst = dst,
        .protocol = set->protocol ? (uint8_t)set->protocol : rest[0],
        .action = mark & MARK_REJECT ? FLOW_REJECT : FLOW_ACCEPT,
        .direction = mark & MARK_INGRESS ? FLOW_INGRESS : FLOW_EGRESS,
        .tcp_flags = MARK_FLAGS(mark),
        .packets = packets,
        .bytes = is->bytes - (again ? was->bytes : 0),
    };
    memcpy(sample.eni_id, eni, strlen(eni) + 1);
    if (set->protocol) {
        sample.src_port = (uint16_t)(rest[0] << 8 | rest[1]);
        sample.dst_port = (uint16_t)(rest[4] << 8 | rest[5]);
    }
    date(poll, is, packets, &sample.first_ms, &sample.last_ms);
    if (sample.action == FLOW_REJECT) {
        name_refusal(poll, router, set, is, &sample);
    }
    poll->listener->sample(poll->listener->context, &sample);
    return true;
}

/* The sets of one generation as they are now, or nothing and an error. */
static bool
read_generation(struct poll *poll, struct flow_router *router, const struct plan_ns *ns, int generation, bool whole,
                counted_vec now[static N_FLOW_SETS], bool *refused, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; i < N_FLOW_SETS; i++) {
        char name[16];
        now[i] = (counted_vec){ 0 };
        plan_flow_name(plan_flow_sets[i].name, generations[generation], name);
        if (ok && plan_find_set(ns, name)) {
            size_t n_repeated;
            ok = whole ? read_whole_set(poll->live->flows, router, name, &router->known[generation][i], &now[i], err)
                       : read_set(poll->live->flows, router, name, &now[i], &n_repeated, err);
        }
        if (ok) {
            counted_keep_missed(&router->known[generation][i], &now[i], monotonic_ms());
        }
        for (size_t j = 0; j < now[i].n; j++) {
            uint32_t mark;
            memcpy(&mark, now[i].items[j].key, sizeof mark);
            *refused |= !router->transit && (mark & MARK_REJECT) != 0;
        }
    }
    for (size_t i = 0; !ok && i < N_FLOW_SETS; i++) {
        VEC_DONE(&now[i]);
    }
    return ok;
}

static bool
read_reasons(struct poll *poll, struct flow_router *router, const struct plan_ns *ns, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(reason_sets); i++) {
        size_t n_repeated;
        VEC_DONE(&router->reasons[i]);
        if (plan_find_set(ns, reason_sets[i].name) &&
            !read_set(poll->live->flows, router, reason_sets[i].name, &router->reasons[i], &n_repeated, err)) {
            return false;
        }
        router->reasons_read = true;
        for (size_t j = 0; j < router->reasons[i].n; j++) {
            turn_reason(&reason_sets[i], &router->reasons[i].items[j]);
        }
        if (router->reasons[i].n > 1) {
            qsort(router->reasons[i].items, router->reasons[i].n, sizeof *router->reasons[i].items, counted_compare);
        }
    }
    return true;
}

/* Reads one generation and tells what is new in it.  The reasons of refusals are read after the flows: the router notes
 * a reason before it counts the flow, so whatever was counted has its reason there.  '*crowded': a set has become
 * large, with flows of which few still go on. */
static bool
poll_generation(struct poll *poll, struct flow_router *router, const struct plan_ns *ns, int generation, bool whole,
                bool *crowded, struct err *err)
{
    counted_vec now[N_FLOW_SETS];
    bool refused = false;
    uint32_t room = poll->live->numbers.flow_set_size ? poll->live->numbers.flow_set_size : PLAN_FLOW_SET_SIZE;
    if (!read_generation(poll, router, ns, generation, whole, now, &refused, err)) {
        return false;
    }
    bool ok = !refused || read_reasons(poll, router, ns, err);
    for (size_t i = 0; i < N_FLOW_SETS; i++) {
        counted_vec *known = &router->known[generation][i];
        size_t n_active = 0;
        for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, known, &now[i], counted_compare);) {
            n_active += m.is && (router->transit ? tell_transit : tell)(poll, router, &plan_flow_sets[i], m.was, m.is);
        }
        *crowded |= now[i].n > room / 4 || (now[i].n > OLD_FLOWS_MAX && now[i].n > 4 * n_active);
        VEC_DONE(known);
        memcpy(known, &now[i], sizeof now[i]);
    }
    return ok;
}

/* The chains and sets of a generation anew.  A set that was only emptied would shrink to a small table, and while that
 * grows again the kernel refuses elements; a new one has the size for all it may hold. */
static void
write_empty_generation(const struct plan_ns *ns, char generation, struct buf *text)
{
    static const struct plan_ns none;
    struct plan_ns part = { 0 };
    for (size_t i = 0; plan_flow_sets[i].name; i++) {
        char name[16];
        plan_flow_name(plan_flow_sets[i].name, generation, name);
        for (size_t j = 0; j < ns->sets.n; j++) {
            if (strcmp(ns->sets.items[j].name, name) == 0) {
                *VEC_ADD(&part.sets) = ns->sets.items[j];
            }
        }
        for (size_t j = 0; j < ns->chains.n; j++) { /* one for both families */
            if (strcmp(ns->chains.items[j].name, name) == 0) {
                *VEC_ADD(&part.chains) = ns->chains.items[j];
            }
        }
    }
    nft_diff(&part, &none, NULL, text);
    nft_diff(&none, &part, NULL, text);
    VEC_DONE(&part.sets);
    VEC_DONE(&part.chains);
}

/* The router's chains write the other generation from here on; what the old one holds is told, then it is emptied.  No
 * packet is missed: the kernel ends a transaction when nobody uses the old rules any more. */
static bool
exchange(struct poll *poll, struct flow_router *router, const struct plan_ns *ns, struct err *err)
{
    int old = router->writing;
    struct space *space = spaces_find(&poll->live->spaces, ns->id);
    struct buf text = { 0 };
    bool crowded = false;
    buf_str_add(&text, "flush chain inet vpc fl_record\n");
    plan_flow_record(generations[!old], "add rule inet vpc fl_record ", &text);
    bool ok = space_nft(space, buf_str(&text), err);
    if (ok) {
        router->writing = !old;
        ok = poll_generation(poll, router, ns, old, true, &crowded, err); /* for the last time */
        buf_clear(&text);
        write_empty_generation(ns, generations[old], &text);
        for (size_t i = 0; i < N_FLOW_SETS; i++) {
            VEC_DONE(&router->known[old][i]);
        }
        ok = ok && space_nft(space, buf_str(&text), err);
    }
    buf_done(&text);
    return ok;
}

static void
tell_transit_lost(const struct poll *poll, const struct flow_router *router, uint32_t mark, uint64_t packets)
{
    const struct plan_transit_port *ends[] = { port_of(poll, router, mark),
                                               port_of(poll, router, mark >> PLAN_TRANSIT_TO_SHIFT) };
    for (size_t i = 0; packets && poll->listener->transit_lost && i < ARRAY_SIZE(ends); i++) {
        if (ends[i]) {
            poll->listener->transit_lost(poll->listener->context, router->id, ends[i]->attachment_id, packets);
        }
    }
}

/* The address after the mark, of one of several interfaces behind a link; none where there is but one. */
static struct ip
address_of_lost(const struct counted *lost)
{
    static const uint8_t nothing[12];
    return ip_of_bytes(lost->key + 4, memcmp(lost->key + 8, nothing, sizeof nothing) ? IP_V6 : IP_V4);
}

/* What found no room, interface by interface. */
static bool
poll_lost(struct poll *poll, struct flow_router *router, const struct plan_ns *ns, struct err *err)
{
    static const char *const sets[] = { "fl_lost", "fl_lost4", "fl_lost6" };
    counted_vec now = { 0 };
    size_t n_repeated;
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        if (plan_find_set(ns, sets[i]) && !read_set(poll->live->flows, router, sets[i], &now, &n_repeated, err)) {
            VEC_DONE(&now);
            return false;
        }
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &router->lost, &now, counted_compare);) {
        const struct counted *was = m.was, *is = m.is;
        uint64_t packets = is ? is->packets - (was && was->packets <= is->packets ? was->packets : 0) : 0;
        uint32_t mark = 0;
        memcpy(&mark, is ? is->key : (const uint8_t *)&mark, sizeof mark);
        if (router->transit) {
            tell_transit_lost(poll, router, mark, packets);
            continue;
        }
        struct ip ip = is ? address_of_lost(is) : (struct ip){ 0 };
        const char *eni = eni_of_mark(poll, mark, &ip, &ip);
        if (packets && eni && poll->listener->lost) {
            poll->listener->lost(poll->listener->context, eni, packets);
        }
    }
    VEC_DONE(&router->lost);
    memcpy(&router->lost, &now, sizeof now);
    return true;
}

static bool
poll_router(struct poll *poll, struct flow_router *router, const struct plan_ns *ns, struct err *err)
{
    bool ok = true, crowded = false;
    for (int generation = 0; ok && generation < 2; generation++) {
        ok = poll_generation(poll, router, ns, generation, poll->listener->whole, &crowded, err);
    }
    ok = ok && poll_lost(poll, router, ns, err) && (!crowded || exchange(poll, router, ns, err));
    for (size_t i = 0; ok && router->reasons_read && i < ARRAY_SIZE(reason_sets); i++) {
        VEC_DONE(&router->old_reasons[i]);
        memcpy(&router->old_reasons[i], &router->reasons[i], sizeof router->reasons[i]);
        memset(&router->reasons[i], 0, sizeof router->reasons[i]);
    }
    router->reasons_read = false;
    return ok;
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
    router->transit = ns->kind == PLAN_TRANSIT;
    router->fd = fd;
    *VEC_ADD(&source->routers) = router;
    return router;
}

static bool
is_recorded(const struct plan_ns *ns)
{
    return (ns->kind == PLAN_ROUTER && plan_find_set(ns, "fl_egress")) ||
           (ns->kind == PLAN_TRANSIT && plan_find_set(ns, "fl_to"));
}

/* The socket of a deleted VPC's router would keep the namespace alive. */
void
flow_source_follow(struct flow_source *source, const struct plan *plan)
{
    for (size_t i = source ? source->routers.n : 0; i-- > 0;) {
        const struct plan_ns *ns = plan_find(plan, source->routers.items[i]->id);
        if (!ns || !is_recorded(ns)) {
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
    struct poll poll = {
        .live = live, .net = net, .listener = listener, .now_ms = now_ms, .last_ms = live->flows->polled_ms
    };
    bool ok = true, named = false;
    for (size_t i = 0; ok && i < live->plan->namespaces.n; i++) {
        const struct plan_ns *ns = live->plan->namespaces.items[i];
        if (!is_recorded(ns)) {
            continue;
        }
        if (!named) {
            name_links(&poll);
            plan_transit_ports_of(&live->numbers, &poll.port_of);
            named = true;
        }
        poll.ns = ns;
        struct flow_router *router = router_of(live, ns, err);
        ok = router && poll_router(&poll, router, ns, err);
    }
    VEC_DONE(&poll.eni_of);
    VEC_DONE(&poll.behind);
    VEC_DONE(&poll.port_of);
    live->flows->polled_ms = now_ms;
    return ok;
}

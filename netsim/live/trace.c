#include "netsim/live/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/trace.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netsim/live/live_internal.h"
#include "netsim/live/meter.h"
#include "netsim/live/flow_source.h"
#include "netsim/live/packet.h"
#include "netsim/live/packet_bytes.h"
#include "netsim/live/plan_build.h"
#include "netsim/live/plan_gwlb.h"
#include "netsim/live/plan_nat64.h"
#include "netsim/live/trace_route.h"
#include "netsim/live/trace_rule.h"

#define TABLE "vpclab_trace"

/* What is known of the packet at one place. */
struct header {
    struct ip src, dst;
    int src_port, dst_port; /* -1: none */
};
/* One rule that had a say. */
struct vote {
    char chain[64];
    uint64_t handle;
};
/* The packet's stay in one namespace. */
struct visit {
    const struct plan_ns *ns;
    uint32_t number; /* of the probe */
    bool answer, told;
    uint32_t in, out; /* links; 0: it began, it ended here */
    struct header came, left;
    uint32_t mark; /* when it was routed */
    bool routed;   /* it came as far as that */
    bool here;     /* it was for this namespace */
    bool dropped;
    uint32_t refusal; /* the mark it had when it was refused */
    char chain[64];   /* that dropped it */
    uint64_t handle;  /* the rule that did; 0: the chain's policy */
    uint32_t towards; /* the link it would have left by */
    VEC(struct vote) votes;
};
/* What listens in a namespace. */
struct ear {
    const struct plan_ns *ns;
    struct nft_ctx *nft;
    bool own; /* the context is ours, not the space's */
    int fd;
    size_t current; /* its latest visit + 1; 0: none yet */
};
struct trace {
    struct live *live;
    const struct network *net;
    const struct live_probe *probes;
    size_t n;
    uint32_t nonce;
    VEC(struct ear) ears;
    VEC(struct visit) visits;
    struct ear *reading;
};

/* ---- asking for traces --------------------------------------------------------------------------------------------
 */
/* The rules that know the probe and its answer: by its TCP sequence number, else by what its payload begins with
 * (packet.c), neither of which is translated. */
static void
write_rules(const struct trace *t, int protocol, struct buf *text, const char *chain)
{
    if (protocol == PROTOCOL_TCP) { /* its lower bits are the probe's number, in the answer one more */
        uint32_t sequence = t->nonce & ~0xfffffu;
        for (int at = 32; at <= 64; at += 32) {
            buf_printf(text,
                       "add rule inet " TABLE
                       " %s meta l4proto 6 @th,%d,32 >= 0x%08x @th,%d,32 <= 0x%08x meta nftrace set 1\n",
                       chain, at, sequence, at, sequence + (uint32_t)t->n);
        }
        return;
    }
    bool head = protocol == PROTOCOL_UDP || protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6;
    buf_printf(text, "add rule inet " TABLE " %s meta l4proto %d @th,%d,32 0x%08x meta nftrace set 1\n", chain,
               protocol, head ? 64 : 0, t->nonce);
}

/* Each protocol once. */
static bool
is_first_of_protocol(const struct trace *t, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (t->probes[j].protocol == t->probes[i].protocol) {
            return false;
        }
    }
    return true;
}

static bool
any_protocol(const struct trace *t, int protocol)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->probes[i].protocol == protocol) {
            return true;
        }
    }
    return false;
}

static char *
table_text(const struct trace *t)
{
    /* Each base chain tells once where the packet is. */
    static const char *const chains[][2] = {
        { "t_in", "prerouting priority -500" },  { "t_routed", "prerouting priority 500" },
        { "t_out", "postrouting priority 500" }, { "t_here", "input priority 500" },
        { "t_from", "output priority -500" },
    };
    struct buf text = { 0 };
    buf_str_add(&text, "add table inet " TABLE "\n");
    for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
        buf_printf(&text, "add chain inet " TABLE " %s { type filter hook %s; policy accept; }\n", chains[i][0],
                   chains[i][1]);
    }
    for (size_t i = 0; i < t->n; i++) {
        if (is_first_of_protocol(t, i)) {
            write_rules(t, t->probes[i].protocol, &text, "t_in");
            write_rules(t, t->probes[i].protocol, &text, "t_from");
        }
    }
    if (any_protocol(t, PROTOCOL_ICMPV6) && !any_protocol(t, PROTOCOL_ICMP)) { /* what NAT64 makes of it */
        write_rules(t, PROTOCOL_ICMP, &text, "t_in");
        write_rules(t, PROTOCOL_ICMP, &text, "t_from");
    }
    return buf_steal(&text);
}

static bool
run_nft(const struct ear *ear, const char *text, struct err *err)
{
    if (nft_run_cmd_from_buffer(ear->nft, text) == 0) {
        return true;
    }
    const char *said = nft_ctx_get_error_buffer(ear->nft);
    err_set(err, ERR_MACHINE, "", "`%s` cannot trace packets: %.120s", ear->ns->id, said);
    return err_hint(err, "`ping` and `reach` do without");
}

static bool
open_ear(struct trace *t, const struct plan_ns *ns, const char *text, struct err *err)
{
    const struct space *space = spaces_find(&t->live->spaces, ns->id);
    struct ear ear = { .ns = ns, .fd = -1 };
    int group = NFNLGRP_NFTRACE, size = 1 << 20;
    if (!space) {
        return true;
    }
    spaces_enter(&t->live->spaces, space);
    ear.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
    ear.own = !space->nft;
    ear.nft = ear.own ? nft_ctx_new(NFT_CTX_DEFAULT) : space->nft;
    spaces_go_home(&t->live->spaces);
    if (ear.own && ear.nft) {
        nft_ctx_buffer_error(ear.nft);
        nft_ctx_buffer_output(ear.nft);
    }
    *VEC_ADD(&t->ears) = ear;
    struct sockaddr_nl any = { .nl_family = AF_NETLINK };
    if (!ear.nft || ear.fd < 0 || bind(ear.fd, (struct sockaddr *)&any, sizeof any) < 0 ||
        setsockopt(ear.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot listen to the traces of `%s`: %s", ns->id, strerror(errno));
    }
    setsockopt(ear.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return run_nft(&ear, text, err);
}

/* Machines only end the way; what forwards, translates or filters is asked.  In an endpoint of a gateway load balancer
 * the kernel does nothing. */
static bool
is_asked(const struct plan *plan, const struct plan_ns *ns)
{
    return (ns->kind != PLAN_INSTANCE || ns->forwards || ns->chains.n) && !plan_gwlb_endpoint_of(plan, ns->id);
}

/* ---- who is asked -------------------------------------------------------------------------------------------------
 */
/* The router of the VPC whose interface has the address, private or public; NULL: nobody's. */
static const struct plan_ns *
router_of_address(const struct trace *t, const struct ip *ip)
{
    const struct store *store = network_store(t->net);
    char id[ID_SIZE + 16];
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        bool is = eni_has_ip(eni, ip);
        for (size_t i = 0; !is && i < eni->addresses.n; i++) {
            is = ip_equal(&eni->addresses.items[i].association.public_ip, ip);
        }
        snprintf(id, sizeof id, "router:%s", eni->vpc_id);
        if (is && plan_find(t->live->plan, id)) {
            return plan_find(t->live->plan, id);
        }
    }
    return NULL;
}

/* The namespace that a machine or interface of a probe is joined to. */
static const struct plan_ns *
beginning(const struct trace *t, const char *end)
{
    const struct plan *plan = t->live->plan;
    const struct plan_ns *own = plan_find(plan, end);
    for (size_t i = 0; !own && i < plan->namespaces.n; i++) {
        const struct plan_ns *ns = plan->namespaces.items[i];
        for (size_t j = 0; j < ns->links.n; j++) {
            const struct plan_link *link = &ns->links.items[j];
            if (strcmp(link->eni_id, end) == 0 || plan_link_host(link, end)) {
                return ns;
            }
        }
    }
    return own;
}

/* All that can be reached from both ends without passing the internet, and the internet: others cannot be on the way,
 * and each that is asked takes some milliseconds. */
static void
spread(const struct trace *t, struct map *near)
{
    const struct plan *plan = t->live->plan;
    for (size_t p = 0; p < t->n; p++) {
        const struct plan_ns *begins[] = { beginning(t, t->probes[p].from), beginning(t, t->probes[p].to),
                                           router_of_address(t, &t->probes[p].dst), plan_find(plan, PLAN_INTERNET_ID) };
        for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
            if (begins[i]) {
                map_put(near, begins[i]->id, (void *)1);
            }
        }
    }
    for (bool grows = true; grows;) {
        grows = false;
        for (size_t i = 0; i < plan->namespaces.n; i++) {
            const struct plan_ns *ns = plan->namespaces.items[i];
            for (size_t j = 0; j < ns->links.n; j++) {
                const struct plan_ns *far = plan_find(plan, ns->links.items[j].peer_ns);
                bool here = map_get(near, ns->id), there = far && map_get(near, far->id);
                bool through = far && ns->kind != PLAN_INTERNET && far->kind != PLAN_INTERNET;
                if (through && here != there) {
                    map_put(near, here ? far->id : ns->id, (void *)1);
                    grows = true;
                }
            }
        }
    }
}

static bool
open_ears(struct trace *t, struct err *err)
{
    const struct plan *plan = t->live->plan;
    struct map near = { 0 };
    char *text = table_text(t);
    bool ok = true;
    spread(t, &near);
    for (size_t i = 0; ok && i < plan->namespaces.n; i++) {
        const struct plan_ns *ns = plan->namespaces.items[i];
        ok = !is_asked(plan, ns) || !map_get(&near, ns->id) || open_ear(t, ns, text, err);
    }
    map_done(&near);
    free(text);
    return ok;
}

static void
close_ears(struct trace *t)
{
    for (size_t i = 0; i < t->ears.n; i++) {
        struct ear *ear = &t->ears.items[i];
        if (ear->nft) {
            run_nft(ear, "delete table inet " TABLE "\n", NULL);
        }
        if (ear->own && ear->nft) {
            nft_ctx_free(ear->nft);
        }
        if (ear->fd >= 0) {
            close(ear->fd);
        }
    }
    VEC_DONE(&t->ears);
}

/* ---- reading them -------------------------------------------------------------------------------------------------
 */
/* What the headers say; false if it is none of our packets. */
static bool
read_header(const struct trace *t, const struct nftnl_trace *m, struct header *header, bool *answer, uint32_t *number)
{
    uint32_t n = 0, size = 0;
    const uint8_t *net = nftnl_trace_get_data(m, NFTNL_TRACE_NETWORK_HEADER, &n);
    const uint8_t *transport = nftnl_trace_get_data(m, NFTNL_TRACE_TRANSPORT_HEADER, &size);
    struct packet_seen seen;
    if (!net || !transport || n < 20 || (net[0] >> 4 == 6 && n < 40)) {
        return false;
    }
    int family = net[0] >> 4 == 6 ? IP_V6 : IP_V4, protocol = net[family == IP_V6 ? 6 : 9];
    enum packet_kind kind = packet_read(transport, size, family, protocol, t->nonce, &seen);
    bool ports = protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
    *answer = kind == PACKET_ANSWER;
    *number = seen.number;
    header->src = ip_of_bytes(net + (family == IP_V6 ? 8 : 12), family);
    header->dst = ip_of_bytes(net + (family == IP_V6 ? 24 : 16), family);
    header->src_port = ports ? seen.src_port : -1;
    header->dst_port = ports ? seen.dst_port : -1;
    return kind != PACKET_OTHER && seen.number < t->n;
}

static void
begin_visit(struct trace *t, const struct nftnl_trace *m)
{
    struct visit visit = { .ns = t->reading->ns };
    if (!read_header(t, m, &visit.came, &visit.answer, &visit.number)) {
        t->reading->current = 0;
        return;
    }
    visit.left = visit.came;
    visit.in = nftnl_trace_is_set(m, NFTNL_TRACE_IIF) ? nftnl_trace_get_u32(m, NFTNL_TRACE_IIF) : 0;
    *VEC_ADD(&t->visits) = visit;
    t->reading->current = t->visits.n;
}

static void
take_own(struct trace *t, const struct nftnl_trace *m, const char *chain)
{
    bool begins = strcmp(chain, "t_in") == 0 || strcmp(chain, "t_from") == 0, answer;
    uint32_t number;
    if (begins && nftnl_trace_is_set(m, NFTNL_TRACE_NETWORK_HEADER)) { /* only a chain's first message has it */
        begin_visit(t, m);
    }
    struct visit *v = t->reading->current ? &t->visits.items[t->reading->current - 1] : NULL;
    if (!v || begins || !nftnl_trace_is_set(m, NFTNL_TRACE_NETWORK_HEADER)) {
        return;
    }
    if (strcmp(chain, "t_routed") == 0) {
        v->routed = true;
        v->mark = nftnl_trace_is_set(m, NFTNL_TRACE_MARK) ? nftnl_trace_get_u32(m, NFTNL_TRACE_MARK) : 0;
    } else if (strcmp(chain, "t_out") == 0) {
        v->out = nftnl_trace_is_set(m, NFTNL_TRACE_OIF) ? nftnl_trace_get_u32(m, NFTNL_TRACE_OIF) : 0;
    } else {
        v->here = true;
    }
    read_header(t, m, &v->left, &answer, &number);
}

/* Does a rule of that chain let a packet pass by that verdict?  Where a stage's rules do not accept, they return or go
 * on to what says so (plan_router.c). */
static bool
lets_pass(const char *chain, int verdict)
{
    static const struct {
        const char *chain;
        int verdict;
    } ways[] = { { "nacl_", NFT_RETURN }, { "f_sg_out", NFT_RETURN }, { "f_stages", NFT_GOTO }, { "sg_", NFT_GOTO } };
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        if (verdict == ways[i].verdict && strncmp(chain, ways[i].chain, strlen(ways[i].chain)) == 0) {
            return true;
        }
    }
    return verdict == NF_ACCEPT;
}

/* A rule of the lab had its say. */
static void
take_vote(struct visit *v, const struct nftnl_trace *m, const char *chain)
{
    uint32_t type = nftnl_trace_get_u32(m, NFTNL_TRACE_TYPE);
    int verdict = NFT_CONTINUE;
    if (nftnl_trace_is_set(m, NFTNL_TRACE_OIF)) {
        v->towards = nftnl_trace_get_u32(m, NFTNL_TRACE_OIF);
    }
    if (type == NFT_TRACETYPE_POLICY && nftnl_trace_is_set(m, NFTNL_TRACE_POLICY)) {
        verdict = (int)nftnl_trace_get_u32(m, NFTNL_TRACE_POLICY);
    } else if (type == NFT_TRACETYPE_RULE && nftnl_trace_is_set(m, NFTNL_TRACE_VERDICT)) {
        verdict = (int)nftnl_trace_get_u32(m, NFTNL_TRACE_VERDICT);
    }
    if (!v->refusal && strncmp(chain, "fl_deny_", 8) == 0) { /* flow logs need the mark next */
        v->refusal = nftnl_trace_is_set(m, NFTNL_TRACE_MARK) ? nftnl_trace_get_u32(m, NFTNL_TRACE_MARK) : 0;
    }
    uint64_t handle = type == NFT_TRACETYPE_RULE ? nftnl_trace_get_u64(m, NFTNL_TRACE_RULE_HANDLE) : 0;
    if (verdict >= 0 && (verdict & NF_VERDICT_MASK) == NF_DROP) {
        v->dropped = true;
        snprintf(v->chain, sizeof v->chain, "%s", chain);
        v->handle = handle;
    } else if (handle && lets_pass(chain, verdict)) {
        struct vote *vote = VEC_ADD(&v->votes);
        snprintf(vote->chain, sizeof vote->chain, "%s", chain);
        vote->handle = handle;
    }
}

static int
take_message(const struct nlmsghdr *h, void *data)
{
    struct trace *t = data;
    struct nftnl_trace *m = nftnl_trace_alloc();
    if (m && nftnl_trace_nlmsg_parse(h, m) == 0 && nftnl_trace_is_set(m, NFTNL_TRACE_TABLE) &&
        nftnl_trace_is_set(m, NFTNL_TRACE_CHAIN)) {
        const char *chain = nftnl_trace_get_str(m, NFTNL_TRACE_CHAIN);
        if (strcmp(nftnl_trace_get_str(m, NFTNL_TRACE_TABLE), TABLE) == 0) {
            take_own(t, m, chain);
        } else if (t->reading->current) {
            take_vote(&t->visits.items[t->reading->current - 1], m, chain);
        }
    }
    nftnl_trace_free(m);
    return MNL_CB_OK;
}

/* False: the kernel had more to tell than waits for us. */
static bool
read_traces(struct trace *t)
{
    char buffer[65536] __attribute__((aligned(8)));
    bool all = true;
    for (size_t i = 0; i < t->ears.n; i++) {
        ssize_t n;
        t->reading = &t->ears.items[i];
        while ((n = recv(t->reading->fd, buffer, sizeof buffer, 0)) > 0 || (n < 0 && errno == ENOBUFS)) {
            all = all && n > 0;
            if (n > 0) {
                mnl_cb_run(buffer, (size_t)n, 0, 0, take_message, t);
            }
        }
    }
    return all;
}

/* One after the other: what the kernels tell of one packet fits into the buffers where it waits, of several it may not.
 * Of a packet that is too much all the same nothing is told. */
static bool
send_one_by_one(struct trace *t, struct live_probe *probes, int timeout_ms, struct err *err)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < t->n; i++) {
        size_t before = t->visits.n;
        ok = live_probe_as(t->live, &probes[i], 1, t->nonce, i, timeout_ms, err);
        if (ok && !read_traces(t)) {
            for (; t->visits.n > before; t->visits.n--) {
                VEC_DONE(&t->visits.items[t->visits.n - 1].votes);
            }
        }
    }
    return ok;
}

/* ---- names --------------------------------------------------------------------------------------------------------
 */
/* The link of the namespace with that index; '*far_ns' and '*far_index' are its other end. */
static const struct plan_link *
find_link(const struct trace *t, const struct plan_ns *ns, uint32_t index, const char **far_ns, uint32_t *far_index)
{
    const struct plan *plan = t->live->plan;
    for (size_t i = 0; i < plan->namespaces.n; i++) {
        const struct plan_ns *owner = plan->namespaces.items[i];
        for (size_t j = 0; j < owner->links.n; j++) {
            const struct plan_link *link = &owner->links.items[j];
            if (owner == ns && link->here.index == index) {
                *far_ns = link->peer_ns;
                *far_index = link->peer.index;
                return link;
            }
            if (link->peer.index == index && strcmp(link->peer_ns, ns->id) == 0) {
                *far_ns = owner->id;
                *far_index = link->here.index;
                return link;
            }
        }
    }
    return NULL;
}

/* What stands at the other end of a link: an interface, of several there the one with that address, or a node.  NULL:
 * not known. */
static const char *
name_far_end(const struct trace *t, const struct plan_ns *ns, uint32_t index, const struct ip *address)
{
    const char *far = NULL;
    uint32_t far_index;
    const struct plan_link *link = index ? find_link(t, ns, index, &far, &far_index) : NULL;
    const char *eni_id = link && ns->kind == PLAN_ROUTER ? plan_link_eni(link, address) : "";
    return !link ? NULL : *eni_id ? eni_id : *far ? far : NULL;
}

/* The route table, a VPC's or a transit gateway's, that a mark stands for: its number was given for "table:rtb-0a1b" or
 * "table:rtb-0a1b@us-east-1a". */
static bool
name_table(const struct trace *t, uint32_t mark, char out[static ID_SIZE])
{
    size_t cursor = 0;
    const char *key;
    void *value;
    while (mark && map_next(&t->live->numbers.known, &cursor, &key, &value)) {
        const char *id = strncmp(key, "tgw-", 4) == 0 ? key + 4 : key;
        if ((uint32_t)(uintptr_t)value == mark && strncmp(id, "table:", 6) == 0) {
            snprintf(out, ID_SIZE, "%.*s", (int)strcspn(id + 6, "@"), id + 6);
            return true;
        }
    }
    return false;
}

static bool
has_tables(const struct plan_ns *ns)
{
    return ns->kind == PLAN_ROUTER || ns->kind == PLAN_TRANSIT;
}

/* Why a chain drops that refuses without a number. */
static const struct {
    const char *chain, *why;
} reasons[] = {
    { "p_pre", "the source address is not the interface's (source/destination check)" },
    { "p_mark", "the subnet has no route table" },
    { "f_destination", "the destination address is not the interface's (source/destination check)" },
    { "f_egress_only", "nothing comes in by an egress-only internet gateway but answers" },
    { "f_own", "the address is of another network: peerings and virtual private gateways are not transitive" },
    { "f_itself", "the machine would get its own packet: no machine takes what bears its own address" },
    { "f_igw", "the interface has no public address, so the internet gateway does not translate it" },
    { "f_public_access", "VPC Block Public Access" },
    { "f_protocols", "a NAT gateway carries tcp, udp and icmp only, and only what was opened from inside" },
    { "nat64",
      "a NAT gateway carries IPv6 only to 64:ff9b::/96, tcp, udp and echo, and only what was opened from inside" },
    { "f_balancer", "the balancer has no listener there" },
    { "i_local", "nothing answers at this address" },
};

/* The interface whose groups or ACL refused. */
static const char *
refusing_interface(const struct trace *t, const struct visit *v)
{
    bool egress = strcmp(v->chain, "fl_deny_out") == 0;
    const char *far = name_far_end(t, v->ns, egress ? v->in : v->towards, egress ? &v->came.src : &v->left.dst);
    const struct nat_gateway *nat = far ? store_get(network_store(t->net), &nat_gateway_kind, far) : NULL;
    return nat && nat->addresses.n ? nat->addresses.items[0].eni_id : far ? far : "";
}

/* The ACL of the attachment subnet that a transit gateway's link stands in, before the rest of the refusal's name. */
static void
name_transit_acl(const struct trace *t, const struct visit *v, char refusal[static FLOW_RULE_SIZE])
{
    const char *far = NULL, *key;
    uint32_t index;
    size_t cursor = 0;
    void *value;
    const struct plan_link *link =
        find_link(t, v->ns, strcmp(v->chain, "fl_deny_out") == 0 ? v->in : v->towards, &far, &index);
    while (link && map_next(&t->live->numbers.known, &cursor, &key, &value)) {
        bool is = strncmp(key, "tgw-subnet:", 11) == 0 && (uint32_t)(uintptr_t)value == link->here.group;
        const struct subnet *subnet = is ? store_get(network_store(t->net), &subnet_kind, key + 11) : NULL;
        const struct network_acl *acl = subnet ? network_subnet_acl(t->net, subnet) : NULL;
        if (acl) {
            char rest[FLOW_RULE_SIZE];
            memcpy(rest, refusal, sizeof rest);
            snprintf(refusal, FLOW_RULE_SIZE, "%s%.*s", acl->obj.id, FLOW_RULE_SIZE - ID_SIZE, rest);
        }
    }
}

static void
say_why_it_stopped(const struct trace *t, const struct visit *v, json_t *hop)
{
    char text[FLOW_RULE_SIZE], table[ID_SIZE];
    struct trace_rule wanted = { .chain = v->chain };
    if (!v->dropped) {
        struct buf why = { 0 };
        if (has_tables(v->ns) && name_table(t, v->mark, table)) {
            trace_route_say(t->net, v->ns, v->mark, table, &v->left.dst, &why);
        } else {
            buf_printf(&why, "no route leads to %s", ip_str(&v->left.dst));
        }
        json_object_set_new(hop, "Stopped", json_string(buf_str(&why)));
        buf_done(&why);
        return;
    }
    if (strncmp(v->chain, "fl_deny_", 8) == 0) {
        live_refusal_name(t->live, t->net, refusing_interface(t, v), v->refusal, text);
        if (text[0] == ':') {
            name_transit_acl(t, v, text);
        }
        json_object_set_new(hop, "Stopped", json_string(text));
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (strcmp(reasons[i].chain, v->chain) == 0) {
            json_object_set_new(hop, "Stopped", json_string(reasons[i].why));
            return;
        }
    }
    if (v->ns->inspects) { /* whose rules are its own */
        snprintf(text, sizeof text, "the appliance's own rules drop it (chain %s)", v->chain);
        json_object_set_new(hop, "Stopped", json_string(text));
        return;
    }
    if (v->handle) {
        trace_rule_ask(t->live, v->ns, v->handle, &wanted);
    }
    json_object_set_new(hop, "Stopped", json_string(*wanted.comment ? wanted.comment : v->chain));
}

static void
put_address(json_t *hop, const char *member, const struct ip *ip, int port)
{
    char text[IP_STR_SIZE + 16];
    if (port < 0) {
        snprintf(text, sizeof text, "%s", ip_str(ip));
    } else {
        snprintf(text, sizeof text, ip->family == IP_V6 ? "[%s]:%d" : "%s:%d", ip_str(ip), port);
    }
    json_object_set_new(hop, member, json_string(text));
}

/* A tracked connection passes the groups of both ends for the same reason. */
static bool
is_listed(const json_t *rules, const char *name)
{
    for (size_t i = 0; i < json_array_size(rules); i++) {
        if (strcmp(json_string_value(json_array_get(rules, i)), name) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *
tell_visit(const struct trace *t, const struct visit *v)
{
    const struct header *a = &v->came, *z = &v->left;
    const char *in = name_far_end(t, v->ns, v->in, &a->src), *out = name_far_end(t, v->ns, v->out, &z->dst);
    char table[ID_SIZE];
    json_t *hop = json_pack("{s:s, s:s}", "Direction", v->answer ? "answer" : "forward", "Node", v->ns->id);
    if (in) {
        json_object_set_new(hop, "In", json_string(in));
    }
    if (out) {
        json_object_set_new(hop, "Out", json_string(out));
    }
    put_address(hop, "Source", &a->src, a->src_port);
    put_address(hop, "Destination", &a->dst, a->dst_port);
    if (!ip_equal(&a->src, &z->src) || a->src_port != z->src_port) {
        put_address(hop, "NewSource", &z->src, z->src_port);
    }
    if (!ip_equal(&a->dst, &z->dst) || a->dst_port != z->dst_port) {
        put_address(hop, "NewDestination", &z->dst, z->dst_port);
    }
    if (has_tables(v->ns) && name_table(t, v->mark, table)) {
        json_object_set_new(hop, "RouteTable", json_string(table));
    }
    json_t *rules = json_array();
    for (size_t i = 0; i < v->votes.n; i++) {
        struct trace_rule wanted = { .chain = v->votes.items[i].chain };
        trace_rule_ask(t->live, v->ns, v->votes.items[i].handle, &wanted);
        if (*wanted.name && !is_listed(rules, wanted.name)) {
            json_array_append_new(rules, json_string(wanted.name));
        }
    }
    json_object_set_new(hop, "Rules", rules);
    if (!v->out && !v->here) {
        say_why_it_stopped(t, v, hop);
    }
    return hop;
}

/* ---- in order -----------------------------------------------------------------------------------------------------
 */
/* Does the visit 'next' begin where 'v' ended?  What goes into an endpoint of a gateway load balancer comes out in an
 * appliance, what comes from there at the router again; of an appliance that tells nothing the router's own two visits
 * follow each other. */
static bool
follows(const struct trace *t, const struct visit *v, const struct visit *next)
{
    const char *to = NULL, *from = NULL;
    uint32_t index = 0, other = 0;
    bool same = next->number == v->number && next->answer == v->answer;
    if (!same || !v->out || !next->in || next == v || !find_link(t, v->ns, v->out, &to, &index)) {
        return false;
    }
    if (next->in == index && strcmp(next->ns->id, to) == 0) {
        return true;
    }
    return plan_gwlb_endpoint_of(t->live->plan, to) && find_link(t, next->ns, next->in, &from, &other) &&
           strcmp(from, to) == 0 && (v->ns->kind == PLAN_ROUTER) != (next->ns->kind == PLAN_ROUTER);
}

/* The visit in which a packet that leaves 'v' goes on; NULL: it went to a machine. */
static struct visit *
next_visit(const struct trace *t, const struct visit *v)
{
    for (size_t i = 0; i < t->visits.n; i++) {
        if (!t->visits.items[i].told && follows(t, v, &t->visits.items[i])) {
            return &t->visits.items[i];
        }
    }
    return NULL;
}

/* What a NAT gateway's kernel saw before and after NAT64, which another thread does, is one visit. */
static void
join_translations(struct trace *t)
{
    for (size_t i = 0; i < t->visits.n; i++) {
        struct visit *v = &t->visits.items[i];
        for (size_t j = i + 1; v->out == PLAN_NAT64_KERNEL && plan_has_nat64(v->ns) && j < t->visits.n; j++) {
            struct visit *next = &t->visits.items[j];
            if (next->ns != v->ns || next->in != v->out || next->number != v->number || next->answer != v->answer) {
                continue;
            }
            struct visit whole = *next;
            whole.in = v->in;
            whole.came = v->came;
            for (size_t k = 0; k < v->votes.n; k++) {
                *VEC_ADD(&whole.votes) = v->votes.items[k];
            }
            VEC_DONE(&v->votes);
            *v = whole;
            VEC_REMOVE(&t->visits, j);
            break;
        }
    }
}

static bool
is_first(const struct trace *t, const struct visit *v)
{
    for (size_t i = 0; i < t->visits.n; i++) {
        if (follows(t, &t->visits.items[i], v)) {
            return false;
        }
    }
    return true;
}

static void
tell_way(struct trace *t, uint32_t number, bool answer, json_t *hops)
{
    for (int pass = 0; pass < 2; pass++) { /* at last what has no beginning: there should be none */
        for (size_t i = 0; i < t->visits.n; i++) {
            struct visit *v = &t->visits.items[i];
            if (v->told || v->number != number || v->answer != answer || (pass == 0 && !is_first(t, v))) {
                continue;
            }
            for (; v; v = next_visit(t, v)) {
                v->told = true;
                json_array_append_new(hops, tell_visit(t, v));
            }
        }
    }
}

bool
live_trace(struct live *live, const struct network *net, struct live_probe *probes, size_t n, int timeout_ms,
           json_t *ways, struct err *err)
{
    struct trace t = { .live = live, .net = net, .probes = probes, .n = n, .nonce = live_probe_nonce() };
    bool ok = open_ears(&t, err) && send_one_by_one(&t, probes, timeout_ms, err);
    if (ok) {
        join_translations(&t);
    }
    close_ears(&t);
    for (uint32_t i = 0; ok && i < n; i++) {
        json_t *hops = json_array();
        tell_way(&t, i, false, hops);
        tell_way(&t, i, true, hops);
        json_array_append_new(ways, hops);
    }
    for (size_t i = 0; i < t.visits.n; i++) {
        VEC_DONE(&t.visits.items[i].votes);
    }
    VEC_DONE(&t.visits);
    return ok;
}

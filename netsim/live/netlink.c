#include "netsim/live/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/vec.h"

/* Below the default send buffer; one system call for some hundred changes. */
#define BATCH_SIZE (96u << 10)

struct nlq {
    int fd;
    uint32_t sequence;
    struct nl_msg *msg; /* the message being built, used again and again */
    struct buf batch;   /* finished messages */
    bool exact;         /* nlq_exact() */
    size_t last;        /* offset of the last one in 'batch' */
    struct err failed;  /* the first failure since the last flush */
    bool links_may_be_gone;
};

int
nlq_high_fd(int fd)
{
    int high = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, FD_SETSIZE) : -1;
    if (high < 0) {
        return fd; /* a small limit of open files, then there are not that many */
    }
    close(fd);
    return high;
}

struct nlq *
nlq_new(struct err *err)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) {
        err_set(err, ERR_MACHINE, "", "cannot open a netlink socket: %s", strerror(errno));
        return NULL;
    }
    int on = 1;
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    struct nlq *q = xcalloc(1, sizeof *q);
    q->fd = nlq_high_fd(fd);
    q->msg = nlmsg_alloc_size(4096);
    return q;
}

void
nlq_free(struct nlq *q)
{
    if (q) {
        close(q->fd);
        nlmsg_free(q->msg);
        buf_done(&q->batch);
        free(q);
    }
}

static const char *
message_name(int type)
{
    static const struct {
        int type;
        const char *name;
    } names[] = {
        { RTM_NEWLINK, "a link" },
        { RTM_SETLINK, "a link's state" },
        { RTM_DELLINK, "the end of a link" },
        { RTM_NEWADDR, "an address" },
        { RTM_DELADDR, "the end of an address" },
        { RTM_NEWROUTE, "a route" },
        { RTM_DELROUTE, "the end of a route" },
        { RTM_NEWRULE, "a routing rule" },
        { RTM_DELRULE, "the end of a routing rule" },
        { RTM_NEWNEIGH, "a neighbour" },
        { RTM_DELNEIGH, "the end of a neighbour" },
        { RTM_SETNEIGHTBL, "a link's proxy delay" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].type == type) {
            return names[i].name;
        }
    }
    return "a change";
}

/* The request a sequence number belongs to; NULL if it is not in the batch. */
static const struct nlmsghdr *
request_of(const struct nlq *q, uint32_t sequence)
{
    for (size_t at = 0; at + sizeof(struct nlmsghdr) <= q->batch.size;) {
        const struct nlmsghdr *h = (const struct nlmsghdr *)(q->batch.data + at);
        if (h->nlmsg_seq == sequence) {
            return h;
        }
        at += NLMSG_ALIGN(h->nlmsg_len);
    }
    return NULL;
}

/* Which one it was about: the address of an address, route or neighbour, the name of a link. */
static void
name_object(const struct nlmsghdr *request, char about[static IP_STR_SIZE])
{
    static const struct {
        int type, body, attribute;
    } rows[] = {
        { RTM_NEWLINK, sizeof(struct ifinfomsg), IFLA_IFNAME },
        { RTM_NEWADDR, sizeof(struct ifaddrmsg), IFA_LOCAL },
        { RTM_NEWROUTE, sizeof(struct rtmsg), RTA_DST },
        { RTM_NEWNEIGH, sizeof(struct ndmsg), NDA_DST },
    };
    for (size_t i = 0; request && i < ARRAY_SIZE(rows); i++) {
        const struct nlattr *a = rows[i].type != request->nlmsg_type
                                     ? NULL
                                     : nlmsg_find_attr((struct nlmsghdr *)request, rows[i].body, rows[i].attribute);
        if (a && rows[i].attribute == IFLA_IFNAME && request->nlmsg_type == RTM_NEWLINK) {
            snprintf(about, IP_STR_SIZE, "%s", (const char *)nla_data(a));
        } else if (a && nla_len(a) >= 4) {
            inet_ntop(nla_len(a) == 4 ? AF_INET : AF_INET6, nla_data(a), about, IP_STR_SIZE);
        }
    }
}

/* What was deleted together with its link or namespace is not there any more, which is what was asked for. */
static bool
harmless(int type, int why)
{
    bool deletes = type == RTM_DELLINK || type == RTM_DELADDR || type == RTM_DELROUTE || type == RTM_DELRULE ||
                   type == RTM_DELNEIGH;
    return deletes && (why == ENOENT || why == ESRCH || why == ENODEV || why == EADDRNOTAVAIL || why == ENXIO);
}

static void
note_error(struct nlq *q, const struct nlmsghdr *h)
{
    const struct nlmsgerr *e = nlmsg_data(h);
    const struct nlmsghdr *request = request_of(q, e->msg.nlmsg_seq);
    int type = request ? request->nlmsg_type : 0, why = -e->error;
    if (harmless(type, why) || (q->links_may_be_gone && why == ENODEV)) {
        return;
    }
    const char *detail = "";
    if (h->nlmsg_flags & NLM_F_ACK_TLVS) {
        size_t skip = sizeof *e + (h->nlmsg_flags & NLM_F_CAPPED ? 0 : e->msg.nlmsg_len - sizeof e->msg);
        int left = (int)(h->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(skip));
        for (struct nlattr *a = (struct nlattr *)((char *)nlmsg_data(h) + NLMSG_ALIGN(skip)); nla_ok(a, left);
             a = nla_next(a, &left)) {
            if (nla_type(a) == NLMSGERR_ATTR_MSG) {
                detail = nla_get_string(a);
            }
        }
    }
    char about[IP_STR_SIZE] = "";
    name_object(request, about);
    err_set(&q->failed, ERR_MACHINE, "", "the kernel refused %s%s%s: %s%s%s", message_name(type), *about ? " " : "",
            about, strerror(why), *detail ? ": " : "", detail);
}

void
nlq_links_may_be_gone(struct nlq *q, bool may_be)
{
    q->links_may_be_gone = may_be;
}

static void
send_batch(struct nlq *q)
{
    if (!q->batch.size) {
        return;
    }
    struct nlmsghdr *last = (struct nlmsghdr *)(q->batch.data + q->last);
    last->nlmsg_flags |= NLM_F_ACK;
    uint32_t last_sequence = last->nlmsg_seq;
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    if (sendto(q->fd, q->batch.data, q->batch.size, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) {
        err_set(&q->failed, ERR_MACHINE, "", "cannot send to the kernel's netlink: %s", strerror(errno));
        buf_clear(&q->batch);
        return;
    }
    for (bool done = false; !done;) {
        char answer[16384] __attribute__((aligned(8)));
        ssize_t n = recv(q->fd, answer, sizeof answer, 0);
        if (n < 0 && (errno == EINTR || errno == ENOBUFS)) {
            continue;
        }
        if (n < 0) {
            err_set(&q->failed, ERR_MACHINE, "", "no answer from the kernel's netlink: %s", strerror(errno));
            break;
        }
        int left = (int)n;
        for (struct nlmsghdr *h = (struct nlmsghdr *)answer; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
            if (h->nlmsg_type == NLMSG_ERROR) {
                const struct nlmsgerr *e = nlmsg_data(h);
                if (e->error) {
                    note_error(q, h);
                }
                done |= e->msg.nlmsg_seq == last_sequence;
            }
        }
    }
    buf_clear(&q->batch);
}

bool
nlq_flush(struct nlq *q, struct err *err)
{
    send_batch(q);
    if (q->failed.kind == ERR_NONE) {
        return true;
    }
    if (err && err->kind == ERR_NONE) {
        *err = q->failed;
    }
    err_clear(&q->failed);
    return false;
}

/* ---- building messages --------------------------------------------------------------------------------------------
 */
static struct nl_msg *
begin(struct nlq *q, int type, int flags, const void *body, size_t size)
{
    if (q->batch.size > BATCH_SIZE) {
        send_batch(q);
    }
    struct nlmsghdr *h = nlmsg_hdr(q->msg);
    h->nlmsg_len = NLMSG_HDRLEN;
    h->nlmsg_type = (uint16_t)type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    h->nlmsg_seq = ++q->sequence;
    h->nlmsg_pid = 0;
    nlmsg_append(q->msg, (void *)body, size, NLMSG_ALIGNTO);
    return q->msg;
}

static void
end(struct nlq *q)
{
    struct nlmsghdr *h = nlmsg_hdr(q->msg);
    q->last = q->batch.size;
    buf_add(&q->batch, h, h->nlmsg_len);
    static const char zero[NLMSG_ALIGNTO];
    buf_add(&q->batch, zero, NLMSG_ALIGN(h->nlmsg_len) - h->nlmsg_len);
}

static void
put_ip(struct nl_msg *m, int attribute, const struct ip *ip)
{
    uint8_t bytes[16];
    size_t n = ip_to_bytes(ip, bytes);
    nla_put(m, attribute, (int)n, bytes);
}

static uint8_t
af_of(const struct ip *ip)
{
    return ip->family == IP_V6 ? AF_INET6 : AF_INET;
}

static void
put_end(struct nl_msg *m, const struct nlq_end *e)
{
    nla_put_string(m, IFLA_IFNAME, e->name);
    nla_put(m, IFLA_ADDRESS, 6, e->mac);
    nla_put_u32(m, IFLA_NUM_TX_QUEUES, 1);
    nla_put_u32(m, IFLA_NUM_RX_QUEUES, 1);
    if (e->mtu) {
        nla_put_u32(m, IFLA_MTU, e->mtu);
    }
    if (e->group) {
        nla_put_u32(m, IFLA_GROUP, e->group);
    }
}

void
nlq_exact(struct nlq *q)
{
    q->exact = true;
}

/* A device that takes no packet of several segments has them cut before they set out.  Others take pieces of TCP as
 * long as a capture's reader accepts a frame (256 KiB, with room to spare): what a router asks of a packet it then asks
 * three times less often than of pieces of 64 KiB.  Kernels before 6.3 do not know the attribute, and pass over it. */
static void
put_segments(const struct nlq *q, const struct nlq_end *e, struct nl_msg *m)
{
    enum { GSO_IPV4_MAX_SIZE = 63 /* IFLA_GSO_IPV4_MAX_SIZE, for headers older than 6.3 */, PIECE = 192 << 10 };
    if (q->exact || e->single) {
        nla_put_u32(m, IFLA_GSO_MAX_SEGS, 1);
    } else {
        nla_put_u32(m, GSO_IPV4_MAX_SIZE, PIECE);
    }
}

void
nlq_veth_add(struct nlq *q, const struct nlq_end *here, const struct nlq_end *peer, int peer_ns_fd)
{
    struct ifinfomsg mine = { .ifi_index = (int)here->index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
    /* The peer cannot be up yet: the kernel makes it before it knows its other half. */
    struct ifinfomsg theirs = { .ifi_index = (int)peer->index };
    struct nl_msg *m = begin(q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &mine, sizeof mine);
    put_end(m, here);
    put_segments(q, here, m);
    struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
    nla_put_string(m, IFLA_INFO_KIND, "veth");
    struct nlattr *data = nla_nest_start(m, IFLA_INFO_DATA);
    struct nlattr *other = nla_nest_start(m, VETH_INFO_PEER);
    nlmsg_append(m, &theirs, sizeof theirs, NLMSG_ALIGNTO);
    put_end(m, peer);
    put_segments(q, peer, m);
    nla_put_u32(m, IFLA_NET_NS_FD, (uint32_t)peer_ns_fd);
    nla_nest_end(m, other);
    nla_nest_end(m, data);
    nla_nest_end(m, info);
    end(q);
}

void
nlq_link_set(struct nlq *q, const struct nlq_end *e, uint32_t queue)
{
    struct ifinfomsg body = { .ifi_index = (int)e->index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
    struct nl_msg *m = begin(q, RTM_SETLINK, 0, &body, sizeof body);
    nla_put(m, IFLA_ADDRESS, 6, e->mac);
    nla_put_u32(m, IFLA_MTU, e->mtu);
    nla_put_u32(m, IFLA_GROUP, e->group);
    nla_put_u32(m, IFLA_TXQLEN, queue);
    end(q);
}

void
nlq_link_delete(struct nlq *q, uint32_t index)
{
    struct ifinfomsg body = { .ifi_index = (int)index };
    begin(q, RTM_DELLINK, 0, &body, sizeof body);
    end(q);
}

void
nlq_link_up(struct nlq *q, uint32_t index)
{
    struct ifinfomsg body = { .ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
    begin(q, RTM_SETLINK, 0, &body, sizeof body);
    end(q);
}

void
nlq_link_no_auto6(struct nlq *q, uint32_t index)
{
    struct ifinfomsg body = { .ifi_index = (int)index };
    struct nl_msg *m = begin(q, RTM_SETLINK, 0, &body, sizeof body);
    struct nlattr *spec = nla_nest_start(m, IFLA_AF_SPEC);
    struct nlattr *inet6 = nla_nest_start(m, AF_INET6);
    nla_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    nla_nest_end(m, inet6);
    nla_nest_end(m, spec);
    end(q);
}

void
nlq_address(struct nlq *q, bool add, uint32_t index, const struct ip *ip, uint8_t bits)
{
    struct ifaddrmsg body = { .ifa_family = af_of(ip), .ifa_prefixlen = bits, .ifa_index = index };
    struct nl_msg *m =
        begin(q, add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &body, sizeof body);
    put_ip(m, IFA_LOCAL, ip);
    put_ip(m, IFA_ADDRESS, ip);
    if (ip->family == IP_V6) {
        nla_put_u32(m, IFA_FLAGS, IFA_F_NODAD); /* usable at once: nobody else can have it */
    } else if (bits < 31 && add) {
        struct ip broadcast = ip_v4((uint32_t)ip->lo | (bits ? 0xffffffffu >> bits : 0xffffffffu));
        put_ip(m, IFA_BROADCAST, &broadcast);
    }
    end(q);
}

void
nlq_route(struct nlq *q, bool add, const struct nlq_route *r)
{
    static const uint8_t types[] = {
        [NLQ_UNICAST] = RTN_UNICAST, [NLQ_BLACKHOLE] = RTN_BLACKHOLE, [NLQ_LOCAL] = RTN_LOCAL
    };
    struct rtmsg body = { .rtm_family = af_of(&r->to.ip),
                          .rtm_dst_len = r->to.bits,
                          .rtm_protocol = RTPROT_STATIC,
                          .rtm_type = types[r->type],
                          .rtm_table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC };
    body.rtm_scope = !add                                       ? RT_SCOPE_NOWHERE
                     : r->type == NLQ_LOCAL                     ? RT_SCOPE_HOST
                     : r->type == NLQ_UNICAST && !r->via.family ? RT_SCOPE_LINK
                                                                : RT_SCOPE_UNIVERSE;
    if (r->to.ip.family == IP_V6) {
        body.rtm_scope = RT_SCOPE_UNIVERSE;
    }
    if (r->via.family) {
        body.rtm_flags = RTNH_F_ONLINK;
    }
    struct nl_msg *m =
        begin(q, add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &body, sizeof body);
    nla_put_u32(m, RTA_TABLE, r->table);
    put_ip(m, RTA_DST, &r->to.ip);
    if (r->index && (add || r->type != NLQ_BLACKHOLE)) {
        nla_put_u32(m, RTA_OIF, r->index);
    }
    if (r->via.family) {
        put_ip(m, RTA_GATEWAY, &r->via);
    }
    if (r->source.family && add) {
        put_ip(m, RTA_PREFSRC, &r->source);
    }
    if (r->metric) {
        nla_put_u32(m, RTA_PRIORITY, r->metric);
    }
    end(q);
}

void
nlq_rule(struct nlq *q, bool add, const struct nlq_rule *r)
{
    struct fib_rule_hdr body = { .family = r->family == IP_V6 ? AF_INET6 : AF_INET,
                                 .action = FR_ACT_TO_TBL,
                                 .table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC,
                                 .src_len = r->from.ip.family ? r->from.bits : 0 };
    struct nl_msg *m =
        begin(q, add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &body, sizeof body);
    nla_put_u32(m, FRA_PRIORITY, r->priority);
    nla_put_u32(m, FRA_TABLE, r->table);
    if (r->mark) {
        nla_put_u32(m, FRA_FWMARK, r->mark);
        nla_put_u32(m, FRA_FWMASK, UINT32_MAX);
    }
    if (r->from.ip.family) {
        put_ip(m, FRA_SRC, &r->from.ip);
    }
    if (r->iif[0]) {
        nla_put_string(m, FRA_IIFNAME, r->iif);
    }
    end(q);
}

void
nlq_neighbour(struct nlq *q, bool add, uint32_t index, const struct ip *ip, const uint8_t mac[6])
{
    struct ndmsg body = { .ndm_family = af_of(ip), .ndm_ifindex = (int)index, .ndm_state = NUD_PERMANENT };
    struct nl_msg *m =
        begin(q, add ? RTM_NEWNEIGH : RTM_DELNEIGH, add ? NLM_F_CREATE | NLM_F_REPLACE : 0, &body, sizeof body);
    put_ip(m, NDA_DST, ip);
    if (add) {
        nla_put(m, NDA_LLADDR, 6, mac);
    }
    end(q);
}

void
nlq_no_proxy_delay(struct nlq *q, uint32_t index)
{
    struct ndtmsg body = { .ndtm_family = AF_INET };
    struct nl_msg *m = begin(q, RTM_SETNEIGHTBL, NLM_F_REPLACE, &body, sizeof body);
    nla_put_string(m, NDTA_NAME, "arp_cache");
    struct nlattr *parms = nla_nest_start(m, NDTA_PARMS);
    nla_put_u32(m, NDTPA_IFINDEX, index);
    nla_put_u64(m, NDTPA_PROXY_DELAY, 0);
    nla_nest_end(m, parms);
    end(q);
}

/* ---- asking -------------------------------------------------------------------------------------------------------
 */
static bool
link_is_up(struct nlq *q, uint32_t index)
{
    struct {
        struct nlmsghdr head;
        struct ifinfomsg body;
        struct nlattr mask_head;
        uint32_t mask;
    } ask = { .head = { .nlmsg_len = sizeof ask,
                        .nlmsg_type = RTM_GETLINK,
                        .nlmsg_flags = NLM_F_REQUEST,
                        .nlmsg_seq = ++q->sequence },
              .body = { .ifi_index = (int)index },
              .mask_head = { .nla_len = 8, .nla_type = IFLA_EXT_MASK },
              .mask = RTEXT_FILTER_SKIP_STATS };
    char answer[8192] __attribute__((aligned(8)));
    ssize_t n = send(q->fd, &ask, sizeof ask, 0) < 0 ? -1 : recv(q->fd, answer, sizeof answer, 0);
    struct nlmsghdr *h = (struct nlmsghdr *)answer;
    if (n < (ssize_t)sizeof *h || h->nlmsg_type != RTM_NEWLINK) {
        return true; /* it is gone, or there is nothing to wait for */
    }
    const struct nlattr *state = nlmsg_find_attr(h, sizeof(struct ifinfomsg), IFLA_OPERSTATE);
    return !state || nla_get_u8(state) == IF_OPER_UP;
}

void
nlq_link_wait(struct nlq *q, uint32_t index)
{
    for (int i = 0; i < 2000 && !link_is_up(q, index); i++) {
        nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
    }
}

static bool
address_is_local(struct nlq *q, const struct ip *ip)
{
    struct {
        struct nlmsghdr head;
        struct rtmsg body;
        struct nlattr to_head;
        uint8_t to[16];
    } ask = { .head = { .nlmsg_len = sizeof ask,
                        .nlmsg_type = RTM_GETROUTE,
                        .nlmsg_flags = NLM_F_REQUEST,
                        .nlmsg_seq = ++q->sequence },
              .body = { .rtm_family = AF_INET6, .rtm_dst_len = 128 },
              .to_head = { .nla_len = 20, .nla_type = RTA_DST } };
    ip_to_bytes(ip, ask.to);
    char answer[8192] __attribute__((aligned(8)));
    ssize_t n = send(q->fd, &ask, sizeof ask, 0) < 0 ? 0 : recv(q->fd, answer, sizeof answer, 0);
    const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
    if (n >= (ssize_t)sizeof *h && h->nlmsg_type == RTM_NEWROUTE) {
        return ((const struct rtmsg *)nlmsg_data(h))->rtm_type == RTN_LOCAL;
    }
    return n < (ssize_t)sizeof *h; /* an error says that there is no route yet */
}

void
nlq_address_wait(struct nlq *q, const struct ip *ip)
{
    for (int i = 0; ip->family == IP_V6 && i < 2000 && !address_is_local(q, ip); i++) {
        nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
    }
}

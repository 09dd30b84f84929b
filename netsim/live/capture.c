/* The capturing process: links and the router's log into one file. */
#include "netsim/live/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"
#include "netsim/flowlog/pcapng.h"
#include "netsim/live/capture_log.h"
#include "netsim/live/capture_ring.h"
#include "netsim/live/keeper.h"
#include "netsim/model/network_acl.h"

#define HELD_US 30000 /* a packet waits so long for the router's word and for older ones from elsewhere */
#define LOOK_US 500000
/* The largest packet: the kernel hands over what was not yet cut into frames, and each place of its buffer holds one
 * such. */
#define SNAP 65550

struct open_link {
    const struct capture_link *link;
    pcap_t *pcap;
    uint8_t mac[6];
    uint32_t router_index; /* of the link's other end; 0: no verdicts */
    uint32_t refused;      /* the pcapng interface of what never was on the link */
    struct bpf_program raw_filter;
    bool has_filter;
};
struct held { /* a packet until it is written */
    struct pcap_packet packet;
    uint8_t *bytes;
    size_t link;
    char comment[256]; /* "": none */
    bool open;         /* it left: the router may still refuse it */
    bool refused;
};
struct capture {
    const struct network *net;
    const struct capture_options *options;
    struct open_link *links;
    size_t n;
    struct capture_log *log; /* NULL: no verdicts */
    VEC(struct held) held;   /* oldest first */
    struct buf out;
    int out_fd;
    struct capture_ring ring;
    struct capture_result result;
    bool full; /* the disk; or who read the packets has had enough */
    int why;   /* the kernel's reason */
    bool gone; /* an interface, or the lab */
};
/* What the child says at its end. */
struct report {
    bool ok;
    struct capture_result result;
    struct err err;
};

static volatile sig_atomic_t ended;

static void
on_signal(int number)
{
    (void)number;
    ended = 1;
}

static int64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the file -----------------------------------------------------------------------------------------------------
 */
static void
write_out(struct capture *c)
{
    for (size_t done = 0; done < c->out.size && !c->full;) {
        ssize_t n = write(c->out_fd, c->out.data + done, c->out.size - done);
        if (n < 0 && errno != EINTR) {
            c->full = true;
            c->why = errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    buf_clear(&c->out);
}

static bool
is_enough(const struct capture *c)
{
    return c->options->max_packets && c->result.packets >= c->options->max_packets;
}

static void
write_packet(struct capture *c, const struct pcap_packet *packet)
{
    if (!is_enough(c)) {
        struct pcap_packet stamped = *packet;
        stamped.time_us += c->options->ahead_us;
        pcapng_packet(&c->out, &stamped);
        c->result.packets++;
        if (c->ring.half) {
            c->full |= !capture_ring_add(&c->ring, c->out.data, c->out.size);
            buf_clear(&c->out);
        } else if (c->out.size > 1 << 16) {
            write_out(c);
        }
    }
}

/* ---- verdicts -----------------------------------------------------------------------------------------------------
 */
/* "REJECT egress acl-0a1b:egress:100" */
static void
refusal_text(const struct capture *c, const struct capture_link *link, uint32_t refusal, char text[static 256])
{
    char rule[FLOW_RULE_SIZE] = "";
    bool egress = plan_refused_egress(refusal);
    const struct eni *eni = link->eni;
    if (plan_refused_public(refusal)) {
        snprintf(rule, sizeof rule, PLAN_PUBLIC_ACCESS);
    } else if (refusal == PLAN_REFUSED_GROUP_OUT || refusal == PLAN_REFUSED_GROUP_IN) {
        size_t size = 0;
        for (size_t i = 0; i < eni->groups.n && size < sizeof rule - 40; i++) {
            size += (size_t)snprintf(rule + size, sizeof rule - size, "%s%s", i ? "," : "", eni->groups.items[i].id);
        }
        snprintf(rule + size, sizeof rule - size, ":%s:none", egress ? "egress" : "ingress");
    } else {
        const struct subnet *subnet = store_get(network_store(c->net), &subnet_kind, eni->subnet_id);
        const struct network_acl *acl = subnet ? network_subnet_acl(c->net, subnet) : NULL;
        char number[16] = "*";
        if (plan_refused_number(refusal)) {
            snprintf(number, sizeof number, "%u", plan_refused_number(refusal));
        }
        snprintf(rule, sizeof rule, "%s:%s:%s", acl ? acl->obj.id : "acl", egress ? "egress" : "ingress", number);
    }
    snprintf(text, 256, "REJECT %s %s", egress ? "egress" : "ingress", rule);
}

/* Where the IP packet of an Ethernet frame begins; NULL for ARP and the like. */
static const uint8_t *
ip_of_frame(const uint8_t *frame, size_t size, size_t *ip_size)
{
    int type = size >= 14 ? frame[12] << 8 | frame[13] : 0;
    if (type != 0x0800 && type != 0x86dd) {
        return NULL;
    }
    *ip_size = size - 14;
    return frame + 14;
}

/* The same packet, before and after the router: all but TTL and checksums. */
static bool
same_packet(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b)
{
    size_t head = n_a && a[0] >> 4 == 4 ? 20 : 40;
    if (n_a < head + 8 || n_b < head + 8 || a[0] != b[0]) {
        return false;
    }
    if (head == 20 ? memcmp(a, b, 8) != 0 || a[9] != b[9] || memcmp(a + 12, b + 12, 8) != 0
                   : memcmp(a, b, 7) != 0 || memcmp(a + 8, b + 8, 32) != 0) {
        return false;
    }
    bool icmp = (head == 20 ? a[9] : a[6]) == (head == 20 ? 1 : 58), udp = (head == 20 ? a[9] : a[6]) == 17;
    size_t same = n_a < n_b ? n_a - head : n_b - head;
    if (icmp) {
        return memcmp(a + head, b + head, 2) == 0 && memcmp(a + head + 4, b + head + 4, 4) == 0;
    }
    return memcmp(a + head, b + head, udp || same < 14 ? 6 : 14) == 0;
}

/* Keeps the packets in the order of their times, whoever saw them. */
static struct held *
hold(struct capture *c, const struct pcap_packet *packet, size_t link)
{
    struct held *held = VEC_ADD(&c->held);
    size_t at = c->held.n - 1;
    while (at > 0 && c->held.items[at - 1].packet.time_us > packet->time_us) {
        at--;
    }
    memmove(&c->held.items[at + 1], &c->held.items[at], (c->held.n - 1 - at) * sizeof *held);
    held = &c->held.items[at];
    *held = (struct held){ .packet = *packet, .bytes = xmalloc(packet->captured + 1), .link = link };
    memcpy(held->bytes, packet->bytes, packet->captured);
    return held;
}

/* Frames of which the router has said nothing by now have passed. */
static void
release_old(struct capture *c, int64_t until_us)
{
    size_t n = 0;
    for (; n < c->held.n && c->held.items[n].packet.time_us <= until_us; n++) {
        struct held *held = &c->held.items[n];
        held->packet.bytes = held->bytes;
        held->packet.comment = *held->comment ? held->comment : NULL;
        c->result.refused += held->refused && !is_enough(c);
        write_packet(c, &held->packet);
        free(held->bytes);
    }
    if (n) {
        memmove(c->held.items, c->held.items + n, (c->held.n - n) * sizeof *c->held.items);
        c->held.n -= n;
    }
}

/* Has the packet's sender (receiver) an address of the interface? */
static bool
is_own(const struct eni *eni, bool sender, const uint8_t *packet, size_t size)
{
    bool four = size >= 20 && packet[0] >> 4 == 4, six = size >= 40 && packet[0] >> 4 == 6;
    struct ip ip = four  ? ip_of_bytes(packet + (sender ? 12 : 16), IP_V4)
                   : six ? ip_of_bytes(packet + (sender ? 8 : 24), IP_V6)
                         : (struct ip){ 0 };
    bool own = false;
    for (size_t i = 0; i < (four ? eni->addresses.n : six ? eni->addresses6.n : 0); i++) {
        own |= ip_equal(four ? &eni->addresses.items[i].ip : &eni->addresses6.items[i].ip, &ip);
    }
    return own;
}

static void
on_refusal(void *context, const struct capture_refusal *r)
{
    struct capture *c = context;
    bool egress = plan_refused_egress(r->refusal);
    char text[256];
    for (size_t i = 0; i < c->n; i++) {
        struct open_link *l = &c->links[i];
        if (!l->router_index || l->router_index != (egress ? r->in_index : r->out_index) ||
            (l->link->outside && !is_own(l->link->eni, egress, r->packet, r->size))) {
            continue;
        }
        refusal_text(c, l->link, r->refusal, text);
        if (egress) {
            for (size_t j = 0; j < c->held.n; j++) {
                size_t size;
                const uint8_t *ip = ip_of_frame(c->held.items[j].bytes, c->held.items[j].packet.captured, &size);
                struct held *held = &c->held.items[j];
                if (held->link == i && held->open && ip && same_packet(ip, size, r->packet, r->size)) {
                    memcpy(held->comment, text, sizeof held->comment);
                    held->refused = true;
                    held->open = false;
                    return;
                }
            }
            return;
        }
        struct pcap_pkthdr head = { .caplen = (bpf_u_int32)r->size, .len = (bpf_u_int32)r->size };
        if (!l->has_filter || pcap_offline_filter(&l->raw_filter, &head, r->packet)) {
            struct pcap_packet packet = { .interface = l->refused,
                                          .time_us = now_us(),
                                          .bytes = r->packet,
                                          .captured = r->size,
                                          .length = r->size,
                                          .direction = PCAP_INBOUND };
            struct held *held = hold(c, &packet, i);
            memcpy(held->comment, text, sizeof held->comment);
            held->refused = true;
        }
        return;
    }
}

/* ---- frames -------------------------------------------------------------------------------------------------------
 */
static void
take_frame(struct capture *c, size_t i, const struct pcap_pkthdr *head, const uint8_t *bytes)
{
    struct open_link *l = &c->links[i];
    size_t ip_size;
    bool ethernet = pcap_datalink(l->pcap) == DLT_EN10MB;
    bool leaves = ethernet && head->caplen >= 14 && memcmp(bytes + 6, l->mac, 6) == 0;
    bool judged = l->router_index && ip_of_frame(bytes, head->caplen, &ip_size);
    if (l->link->outside && !leaves && (head->caplen < 14 || memcmp(bytes, l->mac, 6) != 0)) {
        return; /* another's who is behind the same device */
    }
    struct pcap_packet packet = { .interface = (uint32_t)i,
                                  .time_us = (int64_t)head->ts.tv_sec * 1000000 + head->ts.tv_usec,
                                  .bytes = bytes,
                                  .captured = head->caplen,
                                  .length = head->len,
                                  .direction = leaves     ? PCAP_OUTBOUND
                                               : ethernet ? PCAP_INBOUND
                                                          : PCAP_UNKNOWN };
    struct held *held = hold(c, &packet, i);
    held->open = judged && leaves;
    snprintf(held->comment, sizeof held->comment, "%s", !judged ? "" : leaves ? "ACCEPT egress" : "ACCEPT ingress");
}

static void
read_links(struct capture *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct pcap_pkthdr *head;
        const uint8_t *bytes;
        for (int n = 0; n < 1000 && !is_enough(c) && pcap_next_ex(c->links[i].pcap, &head, &bytes) == 1; n++) {
            take_frame(c, i, head, bytes);
        }
    }
}

/* A packet socket whose interface was deleted has the number -1 (packet(7)); libpcap goes on waiting. */
static bool
lost_its_link(int fd)
{
    struct sockaddr_ll address = { 0 };
    socklen_t size = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 && address.sll_ifindex == -1;
}

/* The namespaces that the capture is in outlive the lab, so it must ask. */
static void
look_around(struct capture *c, int64_t *next_us)
{
    if (now_us() >= *next_us) {
        *next_us = now_us() + LOOK_US;
        for (size_t i = 0; i < c->n; i++) {
            c->gone |= lost_its_link(pcap_get_selectable_fd(c->links[i].pcap));
        }
        c->gone |= !keeper_is_alive(c->options->lab_socket);
    }
}

static void
capture_loop(struct capture *c)
{
    int64_t next_look = now_us() + LOOK_US;
    struct pollfd *fds = xcalloc(c->n + 1, sizeof *fds);
    int64_t end = c->options->max_ms ? now_us() + (int64_t)c->options->max_ms * 1000 : INT64_MAX;
    for (size_t i = 0; i < c->n; i++) {
        fds[i] = (struct pollfd){ .fd = pcap_get_selectable_fd(c->links[i].pcap), .events = POLLIN };
    }
    fds[c->n] = (struct pollfd){ .fd = capture_log_fd(c->log), .events = POLLIN };
    while (!ended && !is_enough(c) && !c->full && !c->gone && now_us() < end) {
        int64_t left = (end - now_us()) / 1000;
        int wait = c->held.n ? HELD_US / 2000 : 500;
        poll(fds, c->n + 1, left < wait ? (int)left + 1 : wait);
        read_links(c);
        capture_log_read(c->log, on_refusal, c);
        release_old(c, now_us() - HELD_US);
        write_out(c);
        look_around(c, &next_look);
    }
    /* What was under way at the end still gets its verdict. */
    if (!is_enough(c)) {
        read_links(c);
    }
    if (c->held.n) {
        usleep(HELD_US);
    }
    capture_log_read(c->log, on_refusal, c);
    release_old(c, INT64_MAX);
    write_out(c);
    free(fds);
}

/* ---- opening ------------------------------------------------------------------------------------------------------
 */
static bool
go_into(int fd, int kind, struct err *err)
{
    return setns(fd, kind) == 0 ||
           err_set(err, ERR_MACHINE, "", "cannot join the lab's namespaces: %s", strerror(errno));
}

static void
read_mac(const char *link, uint8_t mac[static 6])
{
    struct ifreq request = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", link);
    if (fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &request) == 0) {
        memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static bool
set_filter(struct open_link *l, const char *filter, struct err *err)
{
    struct bpf_program program;
    if (!filter) {
        return true;
    }
    if (pcap_compile(l->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        err_set(err, ERR_USAGE, "", "`%s` is no filter: %s", filter, pcap_geterr(l->pcap));
        return err_hint(err, "write it as for tcpdump: `tcp port 443`, `host 10.0.1.10 and not icmp`");
    }
    bool ok = pcap_setfilter(l->pcap, &program) == 0 ||
              err_set(err, ERR_MACHINE, "", "the kernel refuses the filter: %s", pcap_geterr(l->pcap));
    pcap_freecode(&program);
    pcap_t *raw = pcap_open_dead(DLT_RAW, SNAP);
    l->has_filter = raw && pcap_compile(raw, &l->raw_filter, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (raw) {
        pcap_close(raw);
    }
    return ok;
}

/* For each of so many links: 64 MiB among them, at least libpcap's 2 MiB and not more than a burst of some 250 of the
 * largest packets needs. */
static int
fair_buffer(size_t n_links)
{
    size_t share = (64 << 20) / (n_links ? n_links : 1);
    return (int)(share > 16 << 20 ? 16 << 20 : share < 2 << 20 ? 2 << 20 : share);
}

static bool
open_link(struct open_link *l, size_t n_links, const struct capture_options *options, struct err *err)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    if (!go_into(l->link->net_fd, CLONE_NEWNET, err)) {
        return false;
    }
    l->pcap = pcap_create(l->link->link, error);
    if (!l->pcap) {
        return err_set(err, ERR_MACHINE, "", "cannot capture on `%s`: %s", l->link->link, error);
    }
    pcap_set_snaplen(l->pcap, SNAP);
    pcap_set_immediate_mode(l->pcap, 1);
    pcap_set_buffer_size(l->pcap, options->buffer_bytes ? options->buffer_bytes : fair_buffer(n_links));
    if (pcap_activate(l->pcap) < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot capture on `%s` of %s: %s", l->link->link, l->link->name,
                       pcap_geterr(l->pcap));
    }
    pcap_setnonblock(l->pcap, 1, error);
    const struct capture_link *link = l->link;
    bool judged = link->eni && options->router_fd >= 0;
    if (link->outside) {
        unsigned char *m = l->mac;
        sscanf(link->eni->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5);
        l->router_index = judged ? if_nametoindex(link->link) : 0;
    } else {
        read_mac(link->link, l->mac);
        l->router_index = judged ? capture_peer_index(link->link) : 0;
    }
    return set_filter(l, options->filter, err);
}

static void
begin_file(struct capture *c)
{
    char name[ID_SIZE + 16];
    uint32_t next = (uint32_t)c->n;
    pcapng_begin(&c->out, "vpclab");
    for (size_t i = 0; i < c->n; i++) {
        pcapng_interface(&c->out, pcap_datalink(c->links[i].pcap), c->links[i].link->name,
                         c->links[i].link->description, c->options->filter);
    }
    for (size_t i = 0; i < c->n; i++) {
        if (c->links[i].router_index) {
            snprintf(name, sizeof name, "%s refused", c->links[i].link->name);
            c->links[i].refused = next++;
            pcapng_interface(&c->out, PCAP_RAW, name, "what the router refused on its way to the interface",
                             c->options->filter);
        }
    }
}

static bool
capture_all(struct capture *c, const struct capture_link *links, struct err *err)
{
    bool ok = go_into(c->options->user_fd, CLONE_NEWUSER, err);
    for (size_t i = 0; ok && i < c->n; i++) {
        c->links[i].link = &links[i];
        ok = open_link(&c->links[i], c->n, c->options, err);
    }
    if (ok && c->options->router_fd >= 0) {
        ok = go_into(c->options->router_fd, CLONE_NEWNET, err) && (c->log = capture_log_open(err));
    }
    if (ok) {
        bool emptied = c->options->replaces && ftruncate(c->out_fd, 0) == 0;
        (void)emptied; /* not a pipe or a device, which holds nothing */
        begin_file(c);
        buf_add(&c->ring.begin, c->out.data, c->out.size);
        write_out(c);
        c->ring.sizes[0] = c->ring.begin.size;
        if (c->options->ready) {
            c->options->ready(c->options->context);
        }
        capture_loop(c);
        c->full |= c->ring.half && !capture_ring_finish(&c->ring);
        c->result.overwritten = c->ring.overwritten;
        ok = !c->full || c->why == EPIPE ||
             err_set(err, ERR_MACHINE, "", "cannot write the capture: %s", strerror(c->why ? c->why : ENOSPC));
    }
    for (size_t i = 0; i < c->n; i++) {
        struct pcap_stat stat;
        if (c->links[i].pcap && pcap_stats(c->links[i].pcap, &stat) == 0) {
            c->result.dropped += stat.ps_drop;
        }
        if (c->links[i].has_filter) {
            pcap_freecode(&c->links[i].raw_filter);
        }
        if (c->links[i].pcap) {
            pcap_close(c->links[i].pcap);
        }
    }
    capture_log_close(c->log);
    VEC_DONE(&c->held);
    buf_done(&c->out);
    buf_done(&c->ring.begin);
    return ok;
}

/* ---- the child ----------------------------------------------------------------------------------------------------
 */
bool
capture_run(const struct network *net, const struct capture_link *links, size_t n_links,
            const struct capture_options *options, int out_fd, struct capture_result *result, struct err *err)
{
    int pipe_fds[2];
    struct report report = { 0 };
    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot open a pipe: %s", strerror(errno));
    }
    /* ^C ends the capture, not the program that waits for it; SIGTERM, which only the latter gets, is passed on by its
     * end. */
    struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
    fflush(NULL);
    sigaction(SIGINT, &ignore, &old);
    pid_t pid = fork();
    if (pid == 0) {
        struct sigaction act = { .sa_handler = on_signal };
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        signal(SIGPIPE, SIG_IGN); /* then writing says so */
        sigaction(SIGINT, &act, NULL);
        sigaction(SIGTERM, &act, NULL);
        struct capture c = { .net = net, .options = options, .n = n_links, .out_fd = out_fd };
        c.ring = (struct capture_ring){ .fds = { out_fd, options->spare_fd }, .half = options->ring_bytes / 2 };
        c.links = xcalloc(n_links, sizeof *c.links);
        report.ok = capture_all(&c, links, &report.err);
        report.result = c.result;
        free(c.links);
        ssize_t n = write(pipe_fds[1], &report, sizeof report);
        _exit(n == (ssize_t)sizeof report ? 0 : 1);
    }
    close(pipe_fds[1]);
    ssize_t n;
    do {
        n = pid > 0 ? read(pipe_fds[0], &report, sizeof report) : 0;
    } while (n < 0 && errno == EINTR);
    close(pipe_fds[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    sigaction(SIGINT, &old, NULL);
    if (n != (ssize_t)sizeof report) {
        return err_set(err, ERR_MACHINE, "", "the capturing process ended before its time");
    }
    *result = report.result;
    if (!report.ok && err) {
        *err = report.err;
    }
    return report.ok;
}

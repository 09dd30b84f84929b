/* Captured packets as flow records. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/flowlog/decide.h"
#include "netsim/flowlog/pcapng.h"

/* The first fragment of a packet: it alone has the ports. */
struct first_piece {
    struct ip src, dst;
    uint32_t id;
    uint8_t protocol;
    uint16_t src_port, dst_port;
};
struct packet_flows {
    const struct network *net;
    struct first_piece firsts[64]; /* the latest, over and over */
    size_t n_firsts;
    VEC(struct flow_record) records;
    struct map by_key;
    size_t strangers, unread;
    int unread_link;
};

/* What the headers say. */
struct header {
    struct ip src, dst;
    uint8_t protocol, tcp_flags;
    uint16_t src_port, dst_port;
    uint64_t length; /* of the IP packet; of a later fragment what it adds to that */
    uint32_t id;     /* of fragments */
    bool piece, later;
};

struct packet_flows *
packet_flows_new(const struct network *net)
{
    struct packet_flows *flows = xcalloc(1, sizeof *flows);
    flows->net = net;
    return flows;
}

void
packet_flows_free(struct packet_flows *flows)
{
    if (flows) {
        VEC_DONE(&flows->records);
        map_done(&flows->by_key);
        free(flows);
    }
}

/* ---- headers ------------------------------------------------------------------------------------------------------
 */
static uint16_t
get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static const struct link {
    int link_type, size, type_at; /* where the protocol's number is; -1: nowhere */
} links[] = {
    { PCAP_ETHERNET, 14, 12 }, { PCAP_RAW, 0, -1 }, { PCAP_SLL, 16, 14 }, { PCAP_SLL2, 20, 0 }, { PCAP_NULL, 4, -1 }
};

static bool
is_known_link(int link_type)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(links) && links[i].link_type != link_type) {
        i++;
    }
    return i < ARRAY_SIZE(links);
}

/* How many bytes stand before the IP header; -1: no IP. */
static int
link_size(const struct pcap_packet *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        if (links[i].link_type != p->link_type || p->captured < (size_t)links[i].size) {
            continue;
        }
        int at = links[i].type_at, size = links[i].size;
        while (at >= 0 && (get16(p->bytes + at) == 0x8100 || get16(p->bytes + at) == 0x88a8) &&
               p->captured >= (size_t)size + 4) {
            at = size + 2; /* a VLAN tag */
            size += 4;
        }
        return at < 0 || get16(p->bytes + at) == 0x0800 || get16(p->bytes + at) == 0x86dd ? size : -1;
    }
    return -1;
}

static uint8_t
flags_of(uint8_t tcp)
{
    uint8_t flags = (tcp & 0x12) == 0x12 ? FLOW_TCP_SYN_ACK : (tcp & 2) ? FLOW_TCP_SYN : 0;
    return (uint8_t)(flags | (tcp & 1 ? FLOW_TCP_FIN : 0) | (tcp & 4 ? FLOW_TCP_RST : 0));
}

/* Linux forwards TCP in pieces for which the header's 16 bits have no room, and says 0 (RFC 2675 for IPv6): then it is
 * the frame's length that counts. */
static uint64_t
length_said(uint16_t said, unsigned head, const struct pcap_packet *p, int before)
{
    return said || p->length < (size_t)before ? said + head : p->length - (size_t)before;
}

static bool
read_ip4(const struct pcap_packet *p, const uint8_t *ip, int before, struct header *h, size_t *head)
{
    unsigned fragment = get16(ip + 6) & 0x3fff;
    *head = (size_t)(ip[0] & 15) * 4;
    h->src = ip_of_bytes(ip + 12, IP_V4);
    h->dst = ip_of_bytes(ip + 16, IP_V4);
    h->protocol = ip[9];
    h->length = length_said(get16(ip + 2), 0, p, before);
    h->id = get16(ip + 4);
    h->piece = fragment != 0;
    h->later = (fragment & 0x1fff) != 0;
    return *head >= 20;
}

static bool
read_ip6(const struct pcap_packet *p, const uint8_t *ip, int before, size_t size, struct header *h, size_t *head)
{
    enum { HEAD = 40, FRAGMENT = 8, PROTOCOL_FRAGMENT = 44 };
    *head = HEAD;
    h->src = ip_of_bytes(ip + 8, IP_V6);
    h->dst = ip_of_bytes(ip + 24, IP_V6);
    h->protocol = ip[6];
    h->length = length_said(get16(ip + 4), HEAD, p, before);
    h->piece = h->protocol == PROTOCOL_FRAGMENT && size >= HEAD + FRAGMENT && h->length >= HEAD + FRAGMENT;
    if (h->piece) { /* what the whole packet does not have */
        h->protocol = ip[HEAD];
        h->later = (get16(ip + HEAD + 2) & 0xfff8) != 0;
        h->id = (uint32_t)get16(ip + HEAD + 4) << 16 | get16(ip + HEAD + 6);
        h->length -= FRAGMENT;
        *head += FRAGMENT;
    }
    return true;
}

static bool
read_header(const struct pcap_packet *p, struct header *h)
{
    int before = link_size(p);
    if (before < 0) {
        return false;
    }
    const uint8_t *ip = p->bytes + before;
    size_t size = p->captured - (size_t)before, head;
    *h = (struct header){ 0 };
    bool is = size >= 20 && ip[0] >> 4 == 4   ? read_ip4(p, ip, before, h, &head)
              : size >= 40 && ip[0] >> 4 == 6 ? read_ip6(p, ip, before, size, h, &head)
                                              : false;
    if (!is) {
        return false;
    }
    bool ports = h->protocol == PROTOCOL_TCP || h->protocol == PROTOCOL_UDP;
    if (ports && !h->later && size >= head + 4) {
        h->src_port = get16(ip + head);
        h->dst_port = get16(ip + head + 2);
    }
    if (h->protocol == PROTOCOL_TCP && !h->later && size >= head + 14) {
        h->tcp_flags = flags_of(ip[head + 13]);
    }
    return true;
}

/* A router sees the packet whole: later fragments belong to the flow of the first, and add bytes alone.  One whose
 * first was not seen stands for itself. */
static void
join_pieces(struct packet_flows *flows, struct header *h)
{
    uint64_t repeated = h->src.family == IP_V6 ? 40 : 20;
    if (h->piece && !h->later) {
        flows->firsts[flows->n_firsts++ % ARRAY_SIZE(flows->firsts)] =
            (struct first_piece){ h->src, h->dst, h->id, h->protocol, h->src_port, h->dst_port };
    }
    bool known = false;
    for (size_t i = 0; h->later && i < flows->n_firsts && i < ARRAY_SIZE(flows->firsts) && !known; i++) {
        const struct first_piece *first = &flows->firsts[(flows->n_firsts - 1 - i) % ARRAY_SIZE(flows->firsts)];
        known = first->id == h->id && first->protocol == h->protocol && ip_equal(&first->src, &h->src) &&
                ip_equal(&first->dst, &h->dst);
        if (known) {
            h->src_port = first->src_port;
            h->dst_port = first->dst_port;
        }
    }
    h->later = known;
    h->length -= known && h->length >= repeated ? repeated : 0;
}

/* ---- records ------------------------------------------------------------------------------------------------------
 */
static void
count_packet(struct packet_flows *flows, const struct eni *eni, const struct header *h, const struct pcap_packet *p,
             bool egress, int action, const char *rule)
{
    char key[320];
    int64_t second = p->time_us / 1000000;
    snprintf(key, sizeof key, "%s %" PRIx64 ":%" PRIx64 " %" PRIx64 ":%" PRIx64 " %x %x %x %d %d %" PRId64, eni->obj.id,
             h->src.hi, h->src.lo, h->dst.hi, h->dst.lo, h->src_port, h->dst_port, h->protocol, egress, action,
             second / 60);
    size_t index = (size_t)(uintptr_t)map_get(&flows->by_key, key);
    if (!index) {
        struct flow_sample sample = { .src = h->src,
                                      .dst = h->dst,
                                      .src_port = h->src_port,
                                      .dst_port = h->dst_port,
                                      .protocol = h->protocol,
                                      .action = (uint8_t)action,
                                      .direction = egress ? FLOW_EGRESS : FLOW_INGRESS,
                                      .first_ms = second * 1000,
                                      .last_ms = second * 1000 };
        snprintf(sample.eni_id, sizeof sample.eni_id, "%s", eni->obj.id);
        *VEC_ADD(&flows->records) = flow_record_begin(flows->net, eni, &sample);
        index = flows->records.n;
        map_put(&flows->by_key, key, (void *)(uintptr_t)index);
    }
    struct flow_record *r = &flows->records.items[index - 1];
    r->packets += !h->later || !r->packets;
    r->bytes += h->length;
    r->tcp_flags |= h->tcp_flags;
    r->end_s = second > r->end_s ? second : r->end_s;
    r->start_s = second < r->start_s ? second : r->start_s;
    if (rule) {
        snprintf(r->rule, sizeof r->rule, "%s", rule);
    }
}

/* "REJECT ingress acl-0a1b:ingress:100": what a capture of vpclab says of the packet.  0: nothing. */
static int
told(const struct pcap_packet *p, char rule[static FLOW_RULE_SIZE])
{
    rule[0] = '\0';
    if (!p->comment) {
        return 0;
    }
    if (strncmp(p->comment, "ACCEPT ", 7) == 0) {
        return FLOW_ACCEPT;
    }
    return sscanf(p->comment, "REJECT %*s %159s", rule) == 1 ? FLOW_REJECT : 0;
}

static const struct eni *
named_eni(const struct packet_flows *flows, const struct pcap_packet *p)
{
    char id[64];
    snprintf(id, sizeof id, "%.*s", (int)strcspn(p->interface_name, " "), p->interface_name);
    return store_get(network_store(flows->net), &eni_kind, id);
}

static void
take_packet(void *context, const struct pcap_packet *p)
{
    struct packet_flows *flows = context;
    struct header h;
    char rule[FLOW_RULE_SIZE];
    if (!is_known_link(p->link_type)) {
        flows->unread++;
        flows->unread_link = p->link_type;
        return;
    }
    if (!read_header(p, &h)) {
        return;
    }
    join_pieces(flows, &h);
    const struct eni *eni = named_eni(flows, p);
    int action = told(p, rule);
    if (eni) {
        bool egress = p->direction ? p->direction == PCAP_OUTBOUND : eni_has_ip(eni, &h.src);
        count_packet(flows, eni, &h, p, egress, action, rule);
        return;
    }
    bool known = false;
    for (int egress = 1; egress >= 0; egress--) {
        struct flow_record end = { .src = egress ? h.src : (struct ip){ 0 }, .dst = egress ? (struct ip){ 0 } : h.dst };
        end.direction = egress ? FLOW_EGRESS : FLOW_INGRESS;
        eni = flow_record_eni(flows->net, &end);
        if (eni) {
            count_packet(flows, eni, &h, p, egress, action, rule);
            known = true;
        }
    }
    flows->strangers += !known;
}

bool
packet_flows_read(struct packet_flows *flows, const void *bytes, size_t size, struct err *err)
{
    return pcap_read(bytes, size, take_packet, flows, err);
}

void
packet_flows_each(const struct packet_flows *flows, packet_flows_visit *visit, void *context)
{
    for (size_t i = 0; i < flows->records.n; i++) {
        struct flow_record record = flows->records.items[i];
        struct flow_verdict verdict;
        if (!record.action && flow_decide(flows->net, &record, &verdict)) {
            record.action = verdict.action;
            memcpy(record.rule, verdict.rule, sizeof record.rule);
        }
        visit(context, &record);
    }
}

size_t
packet_flows_strangers(const struct packet_flows *flows)
{
    return flows->strangers;
}

size_t
packet_flows_unread(const struct packet_flows *flows, int *link_type)
{
    *link_type = flows->unread_link;
    return flows->unread;
}

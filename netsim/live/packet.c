#include "netsim/live/packet.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <string.h>

#include "netsim/live/packet_bytes.h"

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
#define NUMBER_BITS 20
#define NUMBER_MASK ((1u << NUMBER_BITS) - 1)

static unsigned
checksum(const struct packet_spec *spec, const uint8_t *data, size_t size)
{
    return transport_checksum(&spec->src, &spec->dst, spec->protocol, data, size);
}

/* The 12 bytes by which a probe or answer without sequence numbers is known. */
static void
put_mark(uint8_t *p, const struct packet_spec *spec)
{
    put32(p, spec->nonce);
    put32(p + 4, spec->number);
    put32(p + 8, spec->answer ? 1 : 0);
}

static size_t
build_transport(const struct packet_spec *spec, uint8_t *p)
{
    size_t size;
    switch (spec->protocol) {
    case PROTOCOL_TCP:
        size = 20;
        put16(p, (unsigned)spec->src_port);
        put16(p + 2, (unsigned)spec->dst_port);
        put32(p + 4, (spec->nonce & ~NUMBER_MASK) | spec->number);
        p[12] = 5 << 4;
        p[13] = TCP_SYN;
        put16(p + 14, 64240);
        put16(p + 16, checksum(spec, p, size));
        return size;
    case PROTOCOL_UDP:
        size = 8 + 12;
        put16(p, (unsigned)spec->src_port);
        put16(p + 2, (unsigned)spec->dst_port);
        put16(p + 4, (unsigned)size);
        put_mark(p + 8, spec);
        put16(p + 6, checksum(spec, p, size));
        return size;
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
        size = 8 + 12;
        p[0] = (uint8_t)spec->dst_port;
        p[1] = (uint8_t)spec->src_port;
        put16(p + 4,
              (spec->nonce >> 16) ^ (spec->number >> 16)); /* identifier and sequence: a conversation for each probe */
        put16(p + 6, spec->number & 0xffff);
        put_mark(p + 8, spec);
        put16(p + 2, checksum(spec, p, size));
        return size;
    default:
        put_mark(p, spec);
        return 12;
    }
}

size_t
packet_build(const struct packet_spec *spec, uint8_t out[static PACKET_MAX])
{
    memset(out, 0, PACKET_MAX);
    bool v4 = spec->src.family == IP_V4;
    size_t head = v4 ? 20 : 40, size = build_transport(spec, out + head);
    if (v4) {
        out[0] = 0x45;
        put16(out + 2, (unsigned)(head + size));
        out[8] = 64;
        out[9] = (uint8_t)spec->protocol;
        put_ip(out + 12, &spec->src);
        put_ip(out + 16, &spec->dst);
        put16(out + 10, fold(sum16(out, 20, 0)));
    } else {
        out[0] = 0x60;
        put16(out + 4, (unsigned)size);
        out[6] = (uint8_t)spec->protocol;
        out[7] = 64;
        put_ip(out + 8, &spec->src);
        put_ip(out + 24, &spec->dst);
    }
    return head + size;
}

enum packet_kind
packet_read(const uint8_t *data, size_t size, int family, int protocol, uint32_t nonce, struct packet_seen *seen)
{
    *seen = (struct packet_seen){ 0 };
    if (protocol == PROTOCOL_TCP) {
        if (size < 20) {
            return PACKET_OTHER;
        }
        unsigned flags = data[13] & (TCP_SYN | TCP_RST | TCP_ACK);
        uint32_t own = flags == TCP_SYN ? get32(data + 4) : get32(data + 8) - 1;
        seen->src_port = data[0] << 8 | data[1];
        seen->dst_port = data[2] << 8 | data[3];
        seen->number = own & NUMBER_MASK;
        seen->refused = flags & TCP_RST;
        /* A RST without ACK is our own kernel ending what a listener had accepted: neither. */
        bool known = flags == TCP_SYN || ((flags & TCP_ACK) && (flags & (TCP_SYN | TCP_RST)));
        return !known || (own ^ nonce) & ~NUMBER_MASK ? PACKET_OTHER : flags == TCP_SYN ? PACKET_PROBE : PACKET_ANSWER;
    }
    bool icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6;
    size_t skip = icmp || protocol == PROTOCOL_UDP ? 8 : 0;
    if (size < skip + 12 || get32(data + skip) != nonce) {
        return PACKET_OTHER;
    }
    seen->number = get32(data + skip + 4);
    if (icmp) {
        seen->dst_port = data[0];
        seen->src_port = data[1];
        return data[0] == (family == IP_V6 ? 129 : 0) ? PACKET_ANSWER : PACKET_PROBE;
    }
    if (protocol == PROTOCOL_UDP) {
        seen->src_port = data[0] << 8 | data[1];
        seen->dst_port = data[2] << 8 | data[3];
    }
    return get32(data + skip + 8) ? PACKET_ANSWER : PACKET_PROBE;
}

size_t
packet_filter(int family, int protocol, uint32_t nonce, struct sock_filter out[static PACKET_FILTER_MAX])
{
    size_t n = 0;
    /* X: where the transport header starts. */
    out[n++] = family == IP_V4 ? (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0)
                               : (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0);
    if (protocol == PROTOCOL_TCP) {
        /* Half the nonce in the sequence number, or in the acknowledged one; packet_read() looks closer. */
        out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_IND, 4);
        out[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~NUMBER_MASK);
        out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nonce & ~NUMBER_MASK, 4, 0);
        out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_IND, 8);
        out[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 1);
        out[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~NUMBER_MASK);
        out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nonce & ~NUMBER_MASK, 0, 1);
    } else {
        bool skip = protocol == PROTOCOL_UDP || protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6;
        out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_IND, skip ? 8 : 0);
        out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nonce, 0, 1);
    }
    out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
    out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    return n;
}

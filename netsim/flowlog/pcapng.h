/* netsim/flowlog/pcapng.h - capture files: pcapng written, pcapng and pcap read.
 *
 * Read without libpcap, which gives neither the names of interfaces nor comments, and those say which interface of the lab saw a packet and what
 * became of it.  Damage ends the reading with an error that says where; what was read before is good.
 *
 * Sources: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html, draft-ietf-opsawg-pcap-04.html
 * Used by: netsim/live/capture.c (writes), packet_flows.c (reads) */
#pragma once
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"

enum { PCAP_ETHERNET = 1, PCAP_RAW = 101 /* begins with the IP header */, PCAP_SLL = 113, PCAP_NULL = 0, PCAP_SLL2 = 276 };
enum pcap_direction { PCAP_UNKNOWN, PCAP_INBOUND, PCAP_OUTBOUND };

/* ---- writing: appended to 'out' ---- */
void pcapng_begin(struct buf *out, const char *program);
/* The interface that the next index stands for, from 0.  NULL: not said. */
void pcapng_interface(struct buf *out, int link_type, const char *name, const char *description, const char *filter);
struct pcap_packet {
    uint32_t interface;    /* its index */
    int link_type;         /* of the interface */
    int64_t time_us;       /* since 1970 */
    const uint8_t *bytes;
    size_t captured, length; /* on the wire it had 'length' */
    enum pcap_direction direction;
    const char *comment;   /* NULL: none; read ones end with NUL and are good during the call */
    const char *interface_name; /* of a read packet; "" where the file has none */
};
void pcapng_packet(struct buf *out, const struct pcap_packet *packet);

/* ---- reading ---- */
typedef void pcap_visit(void *context, const struct pcap_packet *packet);
/* ERR_DOCUMENT, with where in the text the byte is, for what is no capture or a damaged one. */
bool pcap_read(const void *bytes, size_t size, pcap_visit *visit, void *context, struct err *err);
/* The beginning of either format? */
bool pcap_is_capture(const void *bytes, size_t size);

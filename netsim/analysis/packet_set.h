/* netsim/analysis/packet_set.h - exact sets of packets, as rules see them: protocol, source port and destination port; of ICMP the type
 * and the code instead of ports; of other protocols the number alone.
 *
 * A set is a list of boxes in canonical form: the protocol axis is cut into the longest runs with one and the same cross-section, each
 * cross-section likewise by source port (or type), then by destination port (or code).  So two sets are equal when their lists are.
 * Addresses are not in it: who asks holds a pair of interfaces, and has one set for the pair.
 *
 * Uses: base/ip.h (protocol numbers), base/vec.h.   Used by: connectivity.c, cloud/ops_connectivity.c. */
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/vec.h"

enum packet_axis { AXIS_PROTOCOL, AXIS_FROM /* source port, ICMP type */, AXIS_TO /* destination port, ICMP code */, N_PACKET_AXES };
struct packet_box { /* bounds are inclusive; on an axis the protocol does not have, 0..0 */
    uint16_t lo[N_PACKET_AXES], hi[N_PACKET_AXES];
};
struct packet_set { /* zeroed: the empty set */
    VEC(struct packet_box) boxes;
};
void packet_set_done(struct packet_set *set);

enum packet_op { PACKETS_UNION, PACKETS_INTERSECT, PACKETS_SUBTRACT /* a without b */ };
/* The canonical result, owned by the caller. */
struct packet_set packet_set_combine(const struct packet_set *a, const struct packet_set *b, enum packet_op op);
/* Adds the packets of one protocol (PROTOCOL_ALL: every packet; the bounds then count for nothing) to 'set'.  Bounds of tcp and udp are ports,
 * of icmp and icmpv6 types and codes; other protocols have neither. */
void packet_set_add(struct packet_set *set, int protocol, int from_lo, int from_hi, int to_lo, int to_hi);
/* Every packet that an IPv4 (IPv6) header can carry: icmp belongs to the one, icmpv6 to the other. */
struct packet_set packet_set_all(int family);

bool packet_set_is_empty(const struct packet_set *set);
bool packet_set_equal(const struct packet_set *a, const struct packet_set *b);
bool packet_set_has(const struct packet_set *set, int protocol, int from, int to);
uint64_t packet_set_hash(const struct packet_set *set);
/* The last value of an axis for a protocol: 65535, 255 or 0. */
int packet_axis_last(int protocol);

/* "tcp/80,443,1024-65535 udp icmp/8"; "all" for all of the family; "other" for every protocol without ports or types; "none".  Source ports are
 * written only where not all of 1024-65535 pass: "tcp/80 from 40000-50000".  ICMP codes only where not all pass: "icmp/3:4". */
void packet_set_print(const struct packet_set *set, int family, struct buf *text);
/* What packet_set_print() writes, but for the source ports; words separated by blanks are united.  False with ERR_USAGE, naming the word. */
bool packet_set_parse(const char *text, int family, struct packet_set *set, struct err *err);

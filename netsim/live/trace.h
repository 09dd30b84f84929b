/* netsim/live/trace.h - the way of a packet and of its answer through the lab, as the kernels that carry it tell.
 *
 * Every namespace that forwards gets a table of its own for a moment, which asks nftables to trace the packets that bear the probe's mark; each
 * namespace then says where the packet came in, which rules decided, and where it left, or that it did not.  Nothing of the lab's own rules is
 * touched, and nothing is left.
 *
 * Uses: probe.c (sends the packet), libnftnl (reads the trace).   Used by: cloud/live_link.c */
#pragma once
#include "netsim/live/live.h"

#define LIVE_TRACED_MOST 16 /* at once: what the kernels tell waits in buffers of some hundred kilobytes */

/* Sends the probes as live_probe() does, and appends to 'ways' (an array) an array for each, with an object for every namespace that it and its
 * answer passed, in order:
 *     "Direction"            "forward" or "answer"
 *     "Node"                 id of the namespace as in plan.h ("router:vpc-..", "nat-..", "igw-..", "internet")
 *     "In", "Out"            id of the interface, or of the node, that it came from and went to; absent where it began or ended
 *     "Source", "Destination"           addresses as it came ("10.0.1.10:33001"; no port for ICMP)
 *     "NewSource", "NewDestination"     as it left, where they were translated
 *     "RouteTable"           that decided, of a VPC's router
 *     "Rules"                that let it pass: "sgr-0a1b", "acl-0a1b:egress:100", "tracked" (the answer to what had passed)
 *     "Stopped"              it went no further: what refused it, as in flowlog.h ("sg-0a1b:ingress:none"), or the reason in words
 * ERR_MACHINE when the kernel does not trace. */
bool live_trace(struct live *live, const struct network *net, struct live_probe *probes, size_t n, int timeout_ms, json_t *ways,
                struct err *err);

/* netsim/live/plan_nat64.h - the link of a NAT gateway by which packets to 64:ff9b::/96 leave its kernel for translation, and come back.
 *
 * Both ends are in the gateway's own namespace.  The kernel routes to one of them what is to be translated, and takes from it what was; at the
 * other a thread of the keeper does it.   Used by: plan_nat64.c (makes it), nat64_carrier.c, trace.c */
#pragma once
#include "netsim/live/plan.h"

#define PLAN_NAT64_POOL "240.0.0.0/8" /* of the clients, in the gateway only: nobody else has such addresses */
enum { PLAN_NAT64_KERNEL = 64, PLAN_NAT64_THREAD = 65 }; /* the ends */
extern const uint8_t plan_nat64_mac[6]; /* of the kernel's end */

bool plan_has_nat64(const struct plan_ns *ns);

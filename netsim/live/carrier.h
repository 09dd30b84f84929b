/* netsim/live/carrier.h - a thread of the keeper that takes packets from sockets and sends them on, and can be asked whether it is through.
 *
 * Who owns it says what is done with a packet.  All that the two share is touched with carrier_lock() held; the thread holds it while it works and
 * lets go while it waits.   Used by: gwlb.c, nat64_carrier.c, tap_hosts.c */
#pragma once
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

struct carrier;
/* One packet of what was watched under 'number'; false when there is no more (or no such thing any longer).  Called by the thread, locked. */
typedef bool carrier_serve(void *owner, uint32_t number);
struct carrier *carrier_new(const char *what, carrier_serve *serve, void *owner, struct err *err); /* NULL: no thread or no epoll */
void carrier_free(struct carrier *carrier); /* ends the thread; NULL is fine */
/* Until it is closed.  'number' is not 0, and no other's.  False: errno says why. */
bool carrier_watch(struct carrier *carrier, int fd, uint32_t number);
void carrier_lock(struct carrier *carrier);
void carrier_unlock(struct carrier *carrier);
/* Returns when all that waited at the time of the call is carried on; how many packets that was since the last call. */
size_t carrier_settle(struct carrier *carrier);
void carrier_run_on(struct carrier *carrier, const cpu_set_t *processors); /* where the thread may run */

/* netsim/live/tap_hosts.h - the machines behind TAP devices, all served by one thread: no process, no namespace each.
 *
 * A TAP device in its VPC's router is the interface of a host, or of many that the router treats alike (plan_taps.c), so the router's rules
 * are the same as for any other machine.  The thread reads what the router sends there, finds the host by the frame's hardware address and
 * writes what tap_stack.h answers.  Other threads may call every function here.
 *
 * Uses: tap_stack.h.   Used by: apply.c, probe.c, doctor.c */
#pragma once
#include <sched.h>
#include "base/err.h"
#include "netsim/live/netlink.h"
#include "netsim/live/tap_stack.h"

/* What mends it when /dev/net/tun could not be opened for the reason 'why' (errno): a command. */
const char *tap_hosts_remedy(int why);

struct tap_hosts;
struct tap_hosts *tap_hosts_new(struct err *err); /* NULL: no thread or no epoll */
void tap_hosts_free(struct tap_hosts *hosts);     /* their devices go with their namespaces */

/* Makes the device in the namespace the calling thread is in, not yet up, and serves it from now on.  'end' says its index, name and MTU; its
 * group and hardware address are the caller's to set.  ERR_MACHINE with the remedy when this user may not (/dev/net/tun). */
bool tap_hosts_add(struct tap_hosts *hosts, const struct nlq_end *end, const uint8_t router_mac[6], struct err *err);
/* Behind link 'index' is a host like that from now on, in place of the one with its hardware address; 'host' is copied. */
void tap_hosts_set(struct tap_hosts *hosts, uint32_t index, const struct tap_host *host);
/* That host is gone; it goes on counting where it was if it is set behind another link before tap_hosts_forget(). */
void tap_hosts_unset(struct tap_hosts *hosts, uint32_t index, const uint8_t mac[6]);
void tap_hosts_forget(struct tap_hosts *hosts);
void tap_hosts_remove(struct tap_hosts *hosts, uint32_t index); /* serves it no more; its device stays, for the caller or the end of its namespace */

/* One host: its link and its hardware address, which no other there has. */
struct tap_name {
    uint32_t index;
    uint8_t mac[6];
};
/* An IP packet from the host to its router; false if the device does not take it now, or if it bears the address of another host there: of
 * those behind one device the router cannot tell who sent it, so its source check is made here. */
bool tap_hosts_send(struct tap_hosts *hosts, const struct tap_name *host, const uint8_t *packet, size_t size);

/* What went to and from each host behind a link, without Ethernet headers, as the kernel counts at a device. */
struct tap_count {
    uint64_t packets, bytes;
};
void tap_hosts_counts(struct tap_hosts *hosts, uint32_t index,
                      void (*each)(void *context, const uint8_t mac[6], const struct tap_count *in, const struct tap_count *out),
                      void *context);

/* A port of the host, chosen among those that programs have, for who wants to send from it: what is written to the descriptor that is returned
 * (SOCK_SEQPACKET, nonblocking) leaves the host as an IP packet if it bears one of its addresses; what comes for the port, and ICMP errors about
 * what left from it, are read there, and not answered.  Closing it gives the port back.  -1 with errno: ENODEV, there is no such host. */
int tap_hosts_lend(struct tap_hosts *hosts, const struct tap_name *host, int protocol, uint16_t *port);

/* Until tap_hosts_unwatch() 'wanted', called by the serving thread, sees each IP packet; those it wants can be read from the descriptor that is
 * returned, each after the struct tap_name of who got it.  The host answers what is not taken.  One watch at a time; -1: no room for one. */
enum tap_wanted { TAP_NOT_WANTED, TAP_COPIED, TAP_TAKEN };
int tap_hosts_watch(struct tap_hosts *hosts, enum tap_wanted (*wanted)(void *context, const uint8_t *packet, size_t size), void *context);
void tap_hosts_unwatch(struct tap_hosts *hosts); /* closes the descriptor */
/* Returns when all that waited on the devices at the time of the call has been read, and answered. */
void tap_hosts_settle(struct tap_hosts *hosts);
void tap_hosts_run_on(struct tap_hosts *hosts, const cpu_set_t *processors); /* where the thread may run */

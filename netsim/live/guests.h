/* netsim/live/guests.h - what instances own: one user namespace for all of a lab, below the keeper's, and a PID namespace for each.
 *
 * Root in an instance is root of the guests' user namespace: it rules its own network namespace, but neither the router's, which belong to
 * the keeper's user namespace (a veth pair tells either side how to name the other: IFLA_TARGET_NETNSID), nor the keeper itself.  On the machine it is a
 * user whom nobody else is (GUESTS_FIRST_ID) when the lab is root's, else the lab's owner.  What it sees of files: guest_files.h.  A process
 * cannot leave a user namespace and come back, so a second process makes the namespaces; it shares our table of descriptors.
 *
 * Source: user_namespaces(7), pid_namespaces(7).   Used by: apply.c, keeper_exec.c by descriptors */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* The machine's number for root in an instance, where the lab may choose: above all that distributions give to users and containers. */
#define GUESTS_FIRST_ID 2130706432

struct guests; /* ends with the process that made it, however that ends */

/* ERR_MACHINE when the kernel allows no user namespace inside the lab's. */
struct guests *guests_new(struct err *err);
void guests_free(struct guests *guests); /* NULL is fine */

int guests_user(const struct guests *guests); /* descriptor of the user namespace, borrowed */

/* 'n' network namespaces will be asked for: they are made from now on, while the caller does something else.  Those that were not taken
 * must be cancelled before anything but guests_net() is called. */
void guests_order(struct guests *guests, size_t n);
void guests_cancel(struct guests *guests);
/* A new network namespace that guests own; its descriptor (close-on-exec) is the caller's.  -1 with errno set on failure. */
int guests_net(struct guests *guests);

/* What the programs of one instance share: a PID namespace, a namespace of mounts, and the first process, which reaps what is left behind and holds
 * nothing; when it is killed the kernel ends every process of the instance. */
struct guest {
    int processes, files; /* descriptors, owned */
    pid_t init;
};
/* Makes one for the instance of that network namespace; false with errno set. */
bool guests_settle(struct guests *guests, int net_fd, struct guest *guest);
void guest_leave(struct guest *guest); /* also when there is none: descriptors -1 */

/* The calling process, which has joined the guests' user namespace, becomes root there; false with errno set. */
bool guests_become_root(void);

/* netsim/live/apply_switches.h - the kernel's own switches (sysctl) of the namespace that the calling thread is in.  Used by: apply.c */
#pragma once
#include "netsim/live/apply.h"

/* 'fresh': the namespace was just made.  ERR_MACHINE with a hint where /proc/sys cannot be written. */
bool switch_kind(struct spaces *spaces, enum plan_kind kind, struct err *err); /* of a fresh one */
bool switch_ip6(struct spaces *spaces, enum plan_kind kind, bool on, bool fresh, struct err *err);
bool switch_forwards(struct spaces *spaces, const struct plan_ns *ns, bool fresh, struct err *err);
/* Of an instance in which a program is about to run: the ports that its connections come from.  Not at its start, since a file in /proc for
 * each of a thousand costs. */
bool switch_programs(struct err *err);

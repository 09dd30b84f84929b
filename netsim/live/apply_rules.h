/* netsim/live/apply_rules.h - the nftables tables of a namespace brought from one plan to the next.  Used by: apply.c */
#pragma once
#include "netsim/live/apply.h"

/* False with 'err' when the kernel refuses; the table is then as it was. */
bool apply_rules(struct spaces *spaces, struct space *space, const struct plan_ns *from, const struct plan_ns *to, struct err *err);

/* What libnftables can send at once: in a user namespace it cannot enlarge its socket's buffer (and does not try the humbler way). */
size_t apply_rules_transaction(void);

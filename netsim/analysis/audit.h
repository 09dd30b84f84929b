/* netsim/analysis/audit.h - what stands in the model and serves nothing: groups that no interface carries, ACLs that no subnet has.
 * Default groups and ACLs count like the others: whoever uses none of them learns that rules written there do nothing. */
#pragma once
#include "netsim/model/network.h"

struct audit_finding {
    const char *rule; /* "sg-unattached", "nacl-unattached"; static */
    const struct object *object; /* borrowed */
};
/* The findings in order of creation, groups first, for the caller to free(); '*n' gets how many. */
struct audit_finding *audit_unattached(const struct network *net, size_t *n);

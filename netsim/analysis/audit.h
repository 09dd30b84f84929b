/* netsim/analysis/audit.h - what a reviewer would remark on a network that AWS accepts as it stands.
 *
 * A check is one row: code, severity and a function that looks through the model.  High: the world may come in.  Medium: traffic that
 * somebody wanted is lost.  Low: it does nothing.  The last entry of every ACL ('*', 32767 and 32768) cannot be deleted and is never a
 * finding.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-best-practices.html, nacl-ephemeral-ports.html,
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html
 *
 * Uses: netsim/model, rule_sets.h.   Used by: cloud/ops_audit.c. */
#pragma once
#include "netsim/model/network.h"

enum audit_severity { AUDIT_LOW, AUDIT_MEDIUM, AUDIT_HIGH };
const char *audit_severity_str(enum audit_severity severity); /* "high", static */

struct audit;
struct audit_check {
    const char *code; /* "sg-unattached" */
    enum audit_severity severity;
    const char *what; /* in one sentence, whatever the resource */
    void (*run)(struct audit *audit);
};
extern const struct audit_check audit_checks[]; /* ends with a NULL code */

struct audit_finding {
    const struct audit_check *check;
    const struct object *object; /* borrowed from the network */
    char *rule;                  /* which rule, entry or route of it, in words; NULL: the whole resource */
    char *reason;
    char *mend; /* a command, as typed after `vpclab`; NULL where none mends it alone */
};
struct audit {
    const struct network *net;
    const struct audit_check *check; /* the one that runs */
    VEC(struct audit_finding) findings;
};
/* Every check; high findings first, those of one check in the order of the model.  Cannot fail. */
void audit_run(struct audit *audit, const struct network *net);
void audit_done(struct audit *audit);

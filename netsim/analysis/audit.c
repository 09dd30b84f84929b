#include "netsim/analysis/audit.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "netsim/analysis/audit_checks.h"
#include "netsim/analysis/obstacle_mend.h"
#include "netsim/model/endpoint.h"

const struct audit_check audit_checks[] = {
    { "sg-all-from-world", AUDIT_HIGH, "a group lets every protocol and port in from everywhere",
      audit_all_from_world },
    { "sg-port-from-world", AUDIT_HIGH, "a group lets everybody reach a port of administration or of a database",
      audit_ports_from_world },
    { "nat-private-subnet", AUDIT_MEDIUM, "a public NAT gateway stands where no route leads to an internet gateway",
      audit_nat_private_subnet },
    { "nacl-blocks-replies", AUDIT_MEDIUM, "an ACL allows requests whose replies it drops", audit_acl_blocks_replies },
    { "nacl-entry-overruled", AUDIT_MEDIUM, "an ACL entry never decides: lower numbers say the contrary",
      audit_entry_overruled },
    { "route-blackhole", AUDIT_MEDIUM, "a route leads to nothing", audit_route_blackhole },
    { "peering-one-sided", AUDIT_MEDIUM, "only one side of a peering connection has routes to the other",
      audit_peering_one_sided },
    { "path-asymmetric", AUDIT_MEDIUM, "packets arrive whose answers do not find back", audit_asymmetric },
    { "tgw-overlap", AUDIT_MEDIUM, "two VPCs behind one transit gateway table have addresses in common",
      audit_tgw_overlap },
    { "tgw-blackhole", AUDIT_MEDIUM, "a transit gateway route drops packets", audit_tgw_blackhole },
    { "peering-overlap", AUDIT_MEDIUM, "two peered VPCs have addresses in common", audit_peering_overlap },
    { "sg-reference-gone", AUDIT_MEDIUM, "a rule names a group that does not exist any more", audit_group_gone },
    { "sg-rule-implied", AUDIT_LOW, "a rule allows nothing that other rules of its group do not allow",
      audit_rule_implied },
    { "sg-rule-unused", AUDIT_LOW, "no packet comes to the rule, whatever is sent", audit_rule_unused },
    { "sg-cidr-split", AUDIT_LOW, "two rules say the same of the two halves of one block", audit_cidr_split },
    { "nacl-entry-redundant", AUDIT_LOW, "an ACL entry never decides: lower numbers say the same",
      audit_entry_redundant },
    { "sg-unattached", AUDIT_LOW, "nothing carries the group", audit_group_unattached },
    { "nacl-unattached", AUDIT_LOW, "no subnet uses the ACL", audit_acl_unattached },
    { 0 },
};

const char *
audit_severity_str(enum audit_severity severity)
{
    static const char *const words[] = { [AUDIT_LOW] = "low", [AUDIT_MEDIUM] = "medium", [AUDIT_HIGH] = "high" };
    return words[severity];
}

void
audit_report(struct audit *audit, const void *object, char *rule, char *mend, const char *reason, ...)
{
    struct buf text = { 0 };
    va_list args;
    va_start(args, reason);
    buf_vprintf(&text, reason, args);
    va_end(args);
    struct buf command = { 0 };
    if (mend) {
        buf_str_add(&command, mend);
        free(mend);
        mend_where_it_is(audit->net, &command);
        mend = buf_steal(&command);
    }
    *VEC_ADD(&audit->findings) = (struct audit_finding){
        .check = audit->check, .object = object, .rule = rule, .reason = buf_steal(&text), .mend = mend
    };
}

bool
audit_endpoint_carries(const struct audit *audit, const char *group_id)
{
    const struct store *store = network_store(audit->net);
    for (const struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
        for (size_t i = 0; i < e->groups.n; i++) {
            if (strcmp(e->groups.items[i].id, group_id) == 0) {
                return true;
            }
        }
    }
    return false;
}

void
audit_run(struct audit *audit, const struct network *net)
{
    *audit = (struct audit){ .net = net };
    for (int severity = AUDIT_HIGH; severity >= AUDIT_LOW; severity--) {
        for (const struct audit_check *check = audit_checks; check->code; check++) {
            if ((int)check->severity == severity) {
                audit->check = check;
                check->run(audit);
            }
        }
    }
}

void
audit_done(struct audit *audit)
{
    for (size_t i = 0; i < audit->findings.n; i++) {
        free(audit->findings.items[i].rule);
        free(audit->findings.items[i].reason);
        free(audit->findings.items[i].mend);
    }
    VEC_DONE(&audit->findings);
}

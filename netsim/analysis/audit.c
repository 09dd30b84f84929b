#include "netsim/analysis/audit.h"

#include <string.h>

#include "base/vec.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/security_group.h"

/* A balancer carries its groups also where an import lacks its interfaces. */
static bool
balancer_carries(const struct network *net, const char *group_id)
{
    const struct store *store = network_store(net);
    for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
        for (size_t i = 0; i < lb->group_ids.n; i++) {
            if (strcmp(lb->group_ids.items[i], group_id) == 0) {
                return true;
            }
        }
    }
    return false;
}

struct audit_finding *
audit_unattached(const struct network *net, size_t *n)
{
    const struct store *store = network_store(net);
    VEC(struct audit_finding) found = { 0 };
    for (const struct security_group *group = store_first(store, &security_group_kind); group;
         group = store_next(store, group)) {
        struct eni *const *members;
        if (network_group_members(net, group->obj.id, &members) == 0 && !balancer_carries(net, group->obj.id)) {
            *VEC_ADD(&found) = (struct audit_finding){ "sg-unattached", &group->obj };
        }
    }
    for (const struct network_acl *acl = store_first(store, &network_acl_kind); acl; acl = store_next(store, acl)) {
        if (acl->associations.n == 0) {
            *VEC_ADD(&found) = (struct audit_finding){ "nacl-unattached", &acl->obj };
        }
    }
    *n = found.n;
    return found.items;
}

/* Interfaces: creating, deleting, attaching, addresses and groups. */
#include "netsim/model/internal.h"

#include <stdio.h>

typedef VEC(struct ip) ip_vec;

/* ---- addresses
 * -------------------------------------------------------------------------------------------------------------- */

static bool
ip_check(const struct network *net, const struct subnet *subnet, const struct ip *ip, int family, const ip_vec *so_far,
         struct err *err)
{
    if (ip->family != family) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not an IPv%d address", ip_str(ip), family);
    }
    if (!subnet_contains_ip(subnet, ip)) {
        const struct cidr *block = family == IP_V6 ? subnet_cidr6(subnet) : &subnet->cidr;
        err_set(err, ERR_INPUT, "InvalidParameterValue", "address `%s` does not fall within the subnet's address range",
                ip_str(ip));
        return err_hint(err, block && block->ip.family ? "`%s` has %s" : "`%s` has no IPv6 block%s", subnet->obj.id,
                        block && block->ip.family ? cidr_str(block) : "");
    }
    if (subnet_reserves(subnet, ip)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "address `%s` is in the subnet's reserved address range",
                ip_str(ip));
        return err_hint(err, "AWS keeps the first four addresses of a subnet and the last one");
    }
    const struct eni *owner = network_eni_by_address(net, subnet->vpc_id, ip);
    bool twice = owner != NULL;
    for (size_t i = 0; i < so_far->n; i++) {
        twice = twice || ip_equal(&so_far->items[i], ip);
    }
    if (twice) {
        return err_set(err, ERR_INPUT, "InvalidIPAddress.InUse", "address `%s` is in use%s%s", ip_str(ip),
                       owner ? " by " : "", owner ? eni_label(net, owner) : "");
    }
    return true;
}

/* The addresses asked for, then as many more as are to be picked. */
static bool
ips_gather(const struct network *net, const struct subnet *subnet, int family, const struct ip *ips, size_t n,
           size_t n_pick, ip_vec *out, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!ip_check(net, subnet, &ips[i], family, out, err)) {
            return false;
        }
        *VEC_ADD(out) = ips[i];
    }
    if (family == IP_V4 && n_pick > subnet_free_addresses(net, subnet)) {
        return err_set(err, ERR_INPUT, "InsufficientFreeAddressesInSubnet", "`%s` has %u free addresses, not %zu",
                       subnet->obj.id, (unsigned)subnet_free_addresses(net, subnet), n_pick);
    }
    for (size_t i = 0; i < n_pick; i++) {
        struct ip ip;
        if (!subnet_pick(net, subnet, family, out->items, out->n, &ip, err)) {
            return false;
        }
        *VEC_ADD(out) = ip;
    }
    return true;
}

static void
addresses_put(struct eni *eni, const ip_vec *ips)
{
    for (size_t i = 0; i < ips->n; i++) {
        if (ips->items[i].family == IP_V6) {
            VEC_ADD(&eni->addresses6)->ip = ips->items[i];
        } else {
            bool first = eni->addresses.n == 0;
            *VEC_ADD(&eni->addresses) = (struct eni_address){ .ip = ips->items[i], .primary = first };
        }
    }
}

/* ---- groups
 * -------------------------------------------------------------------------------------------------------------------
 */

static bool
groups_check(const struct network *net, const char *vpc_id, const char *const *groups, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct security_group *group = network_require(net, &security_group_kind, groups[i], err);
        if (!group) {
            return false;
        }
        if (strcmp(group->vpc_id, vpc_id) != 0) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "the security group `%s` is in `%s`, not in `%s`",
                           groups[i], group->vpc_id, vpc_id);
        }
    }
    return !net->limits || n <= 5 ||
           err_set(err, ERR_INPUT, "SecurityGroupsPerInterfaceLimitExceeded",
                   "the maximum number of security groups per interface has been reached (5)");
}

static void
groups_put(struct eni *eni, const char *const *groups, size_t n)
{
    for (size_t i = 0; i < eni->groups.n; i++) {
        free(eni->groups.items[i].name);
    }
    VEC_DONE(&eni->groups);
    for (size_t i = 0; i < n; i++) {
        if (!eni_has_group(eni, groups[i])) {
            struct eni_group *group = VEC_ADD(&eni->groups);
            id_set(group->id, groups[i]);
        }
    }
}

/* ---- creating and deleting
 * --------------------------------------------------------------------------------------------------------- */

/* Locally administered, as AWS's are: the second digit is 2, 6, a or e. */
static char *
new_mac(struct network *net)
{
    uint64_t r = id_random(net->ids);
    return xasprintf("0%c:%02x:%02x:%02x:%02x:%02x", "26ae"[r & 3], (unsigned)(r >> 8 & 255), (unsigned)(r >> 16 & 255),
                     (unsigned)(r >> 24 & 255), (unsigned)(r >> 32 & 255), (unsigned)(r >> 40 & 255));
}

static bool
eni_addresses(const struct network *net, const struct subnet *subnet, const struct eni_spec *spec, ip_vec *ips,
              struct err *err)
{
    if (subnet->cidr.ip.family) {
        struct ip *wanted = xcalloc(spec->n_secondary + 1, sizeof *wanted);
        size_t n = 0;
        if (spec->ip.family) {
            wanted[n++] = spec->ip;
        } else if (spec->n_secondary) {
            /* The primary one comes first, but must not take what is asked for. */
            if (!subnet_pick(net, subnet, IP_V4, spec->secondary, spec->n_secondary, &wanted[0], err)) {
                free(wanted);
                return false;
            }
            n++;
        }
        if (spec->n_secondary) {
            memcpy(wanted + n, spec->secondary, spec->n_secondary * sizeof *wanted);
        }
        n += spec->n_secondary;
        bool ok = ips_gather(net, subnet, IP_V4, wanted, n, spec->n_pick_secondary + (n == 0), ips, err);
        free(wanted);
        if (!ok) {
            return false;
        }
    } else if (spec->ip.family == IP_V4 || spec->n_secondary || spec->n_pick_secondary) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is an IPv6-only subnet", subnet->obj.id);
    }
    size_t n_pick6 = spec->n_pick_ips6;
    if (spec->n_ips6 == 0 && n_pick6 == 0 && subnet->assign_ipv6 && subnet_cidr6(subnet)) {
        n_pick6 = 1;
    }
    return ips_gather(net, subnet, IP_V6, spec->ips6, spec->n_ips6, n_pick6, ips, err);
}

struct eni *
eni_create(struct network *net, const struct eni_spec *spec, struct err *err)
{
    const struct subnet *subnet = network_require(net, &subnet_kind, spec->subnet_id, err);
    if (!subnet || !groups_check(net, subnet->vpc_id, spec->groups, spec->n_groups, err)) {
        return NULL;
    }
    if (net->limits && store_count(net->store, &eni_kind) >= 5000) {
        err_set(err, ERR_INPUT, "NetworkInterfaceLimitExceeded",
                "the maximum number of network interfaces has been reached (5000)");
        return NULL;
    }
    ip_vec ips = { 0 };
    if (!eni_addresses(net, subnet, spec, &ips, err)) {
        VEC_DONE(&ips);
        return NULL;
    }
    index_prepare(net);
    struct eni *eni = network_add(net, &eni_kind, NULL);
    memcpy(eni->vpc_id, subnet->vpc_id, ID_SIZE);
    memcpy(eni->subnet_id, subnet->obj.id, ID_SIZE);
    eni->zone = xstrdup(subnet->zone ? subnet->zone : "");
    eni->description = xstrdup(spec->description ? spec->description : "");
    eni->type = xstrdup(spec->type ? spec->type : "interface");
    eni->mac = new_mac(net);
    eni->status = xstrdup("available");
    eni->requester_managed = spec->requester_managed;
    eni->requester_id = spec->requester_managed ? xstrdup(eni->obj.account) : NULL;
    addresses_put(eni, &ips);
    VEC_DONE(&ips);
    const struct security_group *group = spec->n_groups ? NULL : network_group_by_name(net, subnet->vpc_id, "default");
    if (group && !spec->no_groups) {
        groups_put(eni, (const char *const[]){ group->obj.id }, 1);
    } else {
        groups_put(eni, spec->groups, spec->n_groups);
    }
    index_eni_in(net, eni);
    return eni;
}

void
eni_remove(struct network *net, struct eni *eni)
{
    char id[ID_SIZE];
    memcpy(id, eni->obj.id, ID_SIZE);
    elastic_ips_forget_eni(net, eni, NULL);
    index_eni_out(net, eni);
    store_delete(net->store, eni);
    index_stamp(net);
    routes_target_gone(net, id);
}

bool
eni_delete(struct network *net, struct eni *eni, struct err *err)
{
    if (eni->requester_managed) {
        err_set(err, ERR_INPUT, "OperationNotPermitted", "you are not allowed to manage `%s`: %s", eni->obj.id,
                str_empty(eni->description) ? "its requester does" : eni->description);
        return err_hint(err, "delete what it belongs to");
    }
    if (eni->attached) {
        err_set(err, ERR_INPUT, "InvalidNetworkInterface.InUse", "the network interface `%s` is in use by `%s`",
                eni->obj.id, eni->attachment.instance_id);
        return err_hint(err, "detach it first (attachment `%s`)", eni->attachment.id);
    }
    eni_remove(net, eni);
    return true;
}

/* ---- attaching
 * ----------------------------------------------------------------------------------------------------------------------
 */

void
eni_attach_to(struct network *net, struct eni *eni, const char *instance_id, const char *owner, int device_index,
              bool delete_on_termination)
{
    index_eni_out(net, eni);
    eni->attached = true;
    id_new(net->ids, "eni-attach", eni->attachment.id);
    id_set(eni->attachment.instance_id, instance_id);
    str_set(&eni->attachment.instance_owner_id, owner);
    str_set(&eni->attachment.status, "attached");
    eni->attachment.device_index = device_index;
    eni->attachment.delete_on_termination = delete_on_termination;
    eni->attachment.attach_time = network_now_ms(net);
    str_set(&eni->status, "in-use");
    index_eni_in(net, eni);
    elastic_ips_follow(net, eni);
}

bool
eni_attach(struct network *net, struct eni *eni, const char *instance_id, int device_index, struct err *err)
{
    const struct instance *instance = network_require(net, &instance_kind, instance_id, err);
    if (!instance) {
        return false;
    }
    if (eni->attached) {
        return err_set(err, ERR_INPUT, "InvalidNetworkInterface.InUse", "the network interface `%s` is in use by `%s`",
                       eni->obj.id, eni->attachment.instance_id);
    }
    if (!instance_is_running(instance) && instance->state_code != INSTANCE_STOPPED) {
        return err_set(err, ERR_INPUT, "IncorrectState", "the instance `%s` is %s", instance_id, instance->state_name);
    }
    if (device_index < 0 || instance_eni(net, instance, device_index)) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "instance `%s` already has an interface attached at device index `%d`", instance_id,
                       device_index);
    }
    if (instance->zone && eni->zone && strcmp(instance->zone, eni->zone) != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "you may not attach a network interface to an instance if they are not in the same availability "
                       "zone: `%s` and `%s`",
                       eni->zone, instance->zone);
    }
    eni_attach_to(net, eni, instance_id, instance->obj.account, device_index, false);
    route_tables_refresh(net);
    return true;
}

void
eni_detach_from(struct network *net, struct eni *eni)
{
    index_eni_out(net, eni);
    for (size_t i = 0; i < eni->addresses.n;
         i++) { /* an auto-assigned public address belongs to the running instance */
        if (!eni->addresses.items[i].association.allocation_id) {
            eni_association_done(&eni->addresses.items[i].association);
        }
    }
    free(eni->attachment.instance_owner_id);
    free(eni->attachment.status);
    eni->attachment = (struct eni_attachment){ 0 };
    eni->attached = false;
    str_set(&eni->status, "available");
    index_eni_in(net, eni);
    elastic_ips_follow(net, eni);
}

bool
eni_detach(struct network *net, const char *attachment_id, bool force, struct err *err)
{
    (void)force; /* for attachments that hang; here none does */
    for (struct eni *eni = store_first(net->store, &eni_kind); eni; eni = store_next(net->store, eni)) {
        if (!eni->attached || strcmp(eni->attachment.id, attachment_id) != 0) {
            continue;
        }
        if (eni->requester_managed) {
            return err_set(err, ERR_INPUT, "OperationNotPermitted", "you are not allowed to manage `%s`", eni->obj.id);
        }
        if (eni->attachment.device_index == 0) {
            return err_set(err, ERR_INPUT, "OperationNotPermitted",
                           "the network interface at device index 0 cannot be detached");
        }
        eni_detach_from(net, eni);
        route_tables_refresh(net);
        return true;
    }
    return err_set(err, ERR_INPUT, "InvalidAttachmentID.NotFound", "the attachment `%s` does not exist", attachment_id);
}

/* ---- changing
 * ------------------------------------------------------------------------------------------------------------------------
 */

static bool
managed_check(const struct eni *eni, struct err *err)
{
    return !eni->requester_managed ||
           err_set(err, ERR_INPUT, "OperationNotPermitted", "you are not allowed to manage `%s`", eni->obj.id);
}

bool
eni_set_groups(struct network *net, struct eni *eni, const char *const *groups, size_t n_groups, struct err *err)
{
    if (!managed_check(eni, err)) {
        return false;
    }
    if (n_groups == 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "an interface has at least one security group");
    }
    if (!groups_check(net, eni->vpc_id, groups, n_groups, err)) {
        return false;
    }
    VEC(struct network_change) touched = { 0 };
    for (size_t i = 0; i < eni->groups.n; i++) {
        id_set(VEC_ADD(&touched)->id, eni->groups.items[i].id);
    }
    uint64_t before = store_generation(net->store);
    index_eni_out(net, eni);
    groups_put(eni, groups, n_groups);
    index_eni_in(net, eni);
    network_changed(net, before, CHANGED_ENI_GROUPS, eni->obj.id);
    for (size_t i = 0; i < eni->groups.n; i++) {
        id_set(VEC_ADD(&touched)->id, eni->groups.items[i].id);
    }
    for (size_t i = 0; i < touched.n; i++) {
        network_changed(net, store_generation(net->store), CHANGED_MEMBERS, touched.items[i].id);
    }
    VEC_DONE(&touched);
    return true;
}

static bool
assign(struct network *net, struct eni *eni, int family, const struct ip *ips, size_t n_ips, size_t n_pick,
       struct err *err)
{
    const struct subnet *subnet = network_require(net, &subnet_kind, eni->subnet_id, err);
    ip_vec added = { 0 };
    if (!subnet || !managed_check(eni, err)) {
        return false;
    }
    if (n_ips && n_pick) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination", "give either addresses or a count, not both");
    }
    if (n_ips + n_pick == 0) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain addresses or a count");
    }
    bool ok = ips_gather(net, subnet, family, ips, n_ips, n_pick, &added, err);
    if (ok) {
        index_eni_out(net, eni);
        addresses_put(eni, &added);
        index_eni_in(net, eni);
    }
    VEC_DONE(&added);
    return ok;
}

bool
eni_assign_ips(struct network *net, struct eni *eni, const struct ip *ips, size_t n_ips, size_t n_pick, struct err *err)
{
    return assign(net, eni, IP_V4, ips, n_ips, n_pick, err);
}

bool
eni_assign_ips6(struct network *net, struct eni *eni, const struct ip *ips, size_t n_ips, size_t n_pick,
                struct err *err)
{
    return assign(net, eni, IP_V6, ips, n_ips, n_pick, err);
}

static bool
has_all(const struct eni *eni, const struct ip *ips, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!eni_has_ip(eni, &ips[i])) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "address `%s` is not assigned to `%s`",
                           ip_str(&ips[i]), eni->obj.id);
        }
    }
    return true;
}

bool
eni_unassign_ips(struct network *net, struct eni *eni, const struct ip *ips, size_t n_ips, struct err *err)
{
    if (!managed_check(eni, err) || !has_all(eni, ips, n_ips, err)) {
        return false;
    }
    for (size_t i = 0; i < n_ips; i++) {
        if (eni->addresses.n && ip_equal(&ips[i], &eni->addresses.items[0].ip)) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue",
                           "`%s` is the primary address of `%s` and cannot be unassigned", ip_str(&ips[i]),
                           eni->obj.id);
        }
    }
    for (size_t i = 0; i < n_ips; i++) {
        elastic_ips_forget_eni(net, eni, &ips[i]);
    }
    index_eni_out(net, eni);
    for (size_t i = 0; i < n_ips; i++) {
        for (size_t j = eni->addresses.n; j-- > 1;) {
            if (ip_equal(&eni->addresses.items[j].ip, &ips[i])) {
                eni_address_done(&eni->addresses.items[j]);
                VEC_REMOVE(&eni->addresses, j);
            }
        }
    }
    index_eni_in(net, eni);
    return true;
}

bool
eni_unassign_ips6(struct network *net, struct eni *eni, const struct ip *ips, size_t n_ips, struct err *err)
{
    if (!managed_check(eni, err) || !has_all(eni, ips, n_ips, err)) {
        return false;
    }
    index_eni_out(net, eni);
    for (size_t i = 0; i < n_ips; i++) {
        for (size_t j = eni->addresses6.n; j-- > 0;) {
            if (ip_equal(&eni->addresses6.items[j].ip, &ips[i])) {
                VEC_REMOVE(&eni->addresses6, j);
            }
        }
    }
    index_eni_in(net, eni);
    return true;
}

bool
eni_set_dualstack(struct network *net, struct eni *eni, bool dualstack, struct err *err)
{
    bool managed = eni->requester_managed, ok = true;
    eni->requester_managed = false; /* its requester is who asks here */
    if (dualstack && eni->addresses6.n == 0) {
        ok = eni_assign_ips6(net, eni, NULL, 0, 1, err);
    }
    while (!dualstack && ok && eni->addresses6.n > 0) {
        struct ip ip = eni->addresses6.items[0].ip;
        ok = eni_unassign_ips6(net, eni, &ip, 1, err);
    }
    eni->requester_managed = managed;
    return ok;
}

void
eni_set_public_ip(struct network *net, struct eni *eni, const struct ip *private_ip, const struct ip *public_ip,
                  const struct elastic_ip *eip)
{
    index_eni_out(net, eni);
    for (size_t i = 0; i < eni->addresses.n; i++) {
        struct eni_address *address = &eni->addresses.items[i];
        if (!ip_equal(&address->ip, private_ip)) {
            continue;
        }
        eni_association_done(&address->association);
        if (public_ip) {
            address->association.public_ip = *public_ip;
            address->association.ip_owner_id = xstrdup(eip ? eip->obj.account : "amazon");
            address->association.allocation_id = eip ? xstrdup(eip->obj.id) : NULL;
            address->association.association_id = eip ? xstrdup(eip->association_id) : NULL;
        }
    }
    index_eni_in(net, eni);
}

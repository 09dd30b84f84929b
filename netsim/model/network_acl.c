#include "netsim/model/internal.h"

static const char *const action_names[] = { "deny", "allow", NULL };

static const struct field icmp_fields[] = {
    FIELD(struct nacl_icmp, "Code", FIELD_INT, code, 0),
    FIELD(struct nacl_icmp, "Type", FIELD_INT, type, 0),
    FIELD_END,
};
static const struct field port_fields[] = {
    FIELD(struct nacl_port_range, "From", FIELD_INT, from, 0),
    FIELD(struct nacl_port_range, "To", FIELD_INT, to, 0),
    FIELD_END,
};
static const struct field entry_fields[] = {
    FIELD(struct nacl_entry, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct nacl_entry, "Egress", FIELD_BOOL, egress, 0),
    FIELD_NEST_IF(struct nacl_entry, "IcmpTypeCode", icmp, has_icmp, icmp_fields, 0),
    FIELD(struct nacl_entry, "Ipv6CidrBlock", FIELD_CIDR, cidr6, 0),
    FIELD_NEST_IF(struct nacl_entry, "PortRange", ports, has_ports, port_fields, 0),
    FIELD(struct nacl_entry, "Protocol", FIELD_INT, protocol, FIELD_TEXT),
    FIELD_CHOICE(struct nacl_entry, "RuleAction", action, action_names, 0),
    FIELD(struct nacl_entry, "RuleNumber", FIELD_INT, number, 0),
    FIELD_END,
};
static const struct field association_fields[] = {
    FIELD(struct nacl_association, "NetworkAclAssociationId", FIELD_ID, id, 0),
    FIELD(struct nacl_association, "NetworkAclId", FIELD_ID, acl_id, 0),
    FIELD(struct nacl_association, "SubnetId", FIELD_ID, subnet_id, 0),
    FIELD_END,
};
static const struct field acl_fields[] = {
    FIELD_LIST(struct network_acl, "Associations", associations, association_fields, FIELD_ALWAYS),
    FIELD_LIST(struct network_acl, "Entries", entries, entry_fields, FIELD_ALWAYS),
    FIELD(struct network_acl, "IsDefault", FIELD_BOOL, is_default, 0),
    FIELD(struct network_acl, "NetworkAclId", FIELD_ID, obj.id, 0),
    FIELD_LIST(struct network_acl, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD(struct network_acl, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkAcls.html */
static const struct filter_row acl_filters[] = {
    { "association.association-id", "Associations.NetworkAclAssociationId" },
    { "association.network-acl-id", "Associations.NetworkAclId" },
    { "association.subnet-id", "Associations.SubnetId" },
    { "default", "IsDefault" },
    { "entry.cidr", "Entries.CidrBlock" },
    { "entry.icmp.code", "Entries.IcmpTypeCode.Code" },
    { "entry.icmp.type", "Entries.IcmpTypeCode.Type" },
    { "entry.ipv6-cidr", "Entries.Ipv6CidrBlock" },
    { "entry.port-range.from", "Entries.PortRange.From" },
    { "entry.port-range.to", "Entries.PortRange.To" },
    { "entry.protocol", "Entries.Protocol" },
    { "entry.rule-action", "Entries.RuleAction" },
    { "entry.egress", "Entries.Egress" },
    { "entry.rule-number", "Entries.RuleNumber" },
    { "network-acl-id", "NetworkAclId" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

static int
entry_compare(const void *a, const void *b)
{
    const struct nacl_entry *x = a, *y = b;
    if (x->egress != y->egress) {
        return x->egress ? 1 : -1;
    }
    if (x->number != y->number) {
        return x->number < y->number ? -1 : 1;
    }
    /* Imported default rules: 32767 once for each family. */
    return (x->cidr6.ip.family != 0) - (y->cidr6.ip.family != 0);
}

static void
entries_sort(struct network_acl *acl)
{
    if (acl->entries.n > 1) {
        qsort(acl->entries.items, acl->entries.n, sizeof *acl->entries.items, entry_compare);
    }
}

static void
acl_loaded(struct store *store, void *object)
{
    struct network_acl *acl = object;
    (void)store;
    entries_sort(acl);
    for (size_t i = 0; i < acl->associations.n; i++) {
        if (!acl->associations.items[i].acl_id[0]) {
            memcpy(acl->associations.items[i].acl_id, acl->obj.id, ID_SIZE);
        }
    }
}

const struct kind network_acl_kind = {
    .name = "network-acl",
    .prefix = "acl",
    .type = "network-acl",
    .list = "NetworkAcls",
    .id_member = "NetworkAclId",
    .ids_param = "NetworkAclIds",
    .not_found = "InvalidNetworkAclID.NotFound",
    .malformed = "InvalidNetworkAclId.Malformed",
    .size = sizeof(struct network_acl),
    .fields = acl_fields,
    .shows_owner = true,
    .filters = acl_filters,
    .loaded = acl_loaded,
};

/* ---- operations
 * --------------------------------------------------------------------------------------------------------- */

static void
entry_put(struct network_acl *acl, int number, bool egress, enum nacl_action action, int family)
{
    struct nacl_entry *entry = VEC_ADD(&acl->entries);
    *entry = (struct nacl_entry){ .number = number, .egress = egress, .action = action, .protocol = PROTOCOL_ALL };
    *(family == IP_V6 ? &entry->cidr6 : &entry->cidr) = cidr_lit(family == IP_V6 ? "::/0" : "0.0.0.0/0");
}

/* AWS's own rules of one family: the default list allows everything, every list ends with the rule shown as '*'. */
static void
entries_put(struct network_acl *acl, int family)
{
    for (int egress = 0; egress < 2; egress++) {
        if (acl->is_default) {
            entry_put(acl, family == IP_V6 ? 101 : 100, egress, NACL_ALLOW, family);
        }
        entry_put(acl, family == IP_V6 ? 32768 : 32767, egress, NACL_DENY, family);
    }
    entries_sort(acl);
}

struct network_acl *
network_acl_add(struct network *net, const struct vpc *vpc, bool is_default)
{
    struct network_acl *acl = network_add(net, &network_acl_kind, NULL);
    memcpy(acl->vpc_id, vpc->obj.id, ID_SIZE);
    acl->is_default = is_default;
    entries_put(acl, IP_V4);
    if (vpc->cidrs6.n) {
        entries_put(acl, IP_V6);
    }
    return acl;
}

struct network_acl *
network_acl_create(struct network *net, const char *vpc_id, bool is_default, struct err *err)
{
    const struct vpc *vpc = network_require(net, &vpc_kind, vpc_id, err);
    size_t n = 0;
    for (struct network_acl *a = store_first(net->store, &network_acl_kind); a; a = store_next(net->store, a)) {
        n += strcmp(a->vpc_id, vpc_id ? vpc_id : "") == 0;
    }
    if (vpc && net->limits && n >= 200) {
        err_set(err, ERR_INPUT, "NetworkAclLimitExceeded",
                "the maximum number of network ACLs in `%s` has been reached (200)", vpc_id);
        return NULL;
    }
    return vpc ? network_acl_add(net, vpc, is_default) : NULL;
}

bool
network_acl_delete(struct network *net, struct network_acl *acl, struct err *err)
{
    struct dependents left = { 0 };
    if (acl->is_default) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "cannot delete default network ACL `%s`", acl->obj.id);
    }
    for (size_t i = 0; i < acl->associations.n; i++) {
        dependents_add(&left, acl->associations.items[i].subnet_id);
    }
    if (!dependents_none(&left, acl->obj.id, err)) {
        return false;
    }
    network_remove(net, acl);
    return true;
}

static struct network_acl *
default_acl(const struct network *net, const char *vpc_id)
{
    for (struct network_acl *a = store_first(net->store, &network_acl_kind); a; a = store_next(net->store, a)) {
        if (a->is_default && strcmp(a->vpc_id, vpc_id) == 0) {
            return a;
        }
    }
    return NULL;
}

static struct nacl_association *
association_add(struct network *net, struct network_acl *acl, const char *subnet_id)
{
    struct nacl_association *association = VEC_ADD(&acl->associations);
    id_new(net->ids, "aclassoc", association->id);
    memcpy(association->acl_id, acl->obj.id, ID_SIZE);
    id_set(association->subnet_id, subnet_id);
    store_touch(net->store);
    return association;
}

void
network_acl_adopt_subnet(struct network *net, const struct subnet *subnet)
{
    struct network_acl *acl = default_acl(net, subnet->vpc_id);
    if (acl) { /* an import may have come without any */
        association_add(net, acl, subnet->obj.id);
    }
}

void
network_acls_forget_subnet(struct network *net, const char *subnet_id)
{
    for (struct network_acl *a = store_first(net->store, &network_acl_kind); a; a = store_next(net->store, a)) {
        for (size_t i = a->associations.n; i-- > 0;) {
            if (strcmp(a->associations.items[i].subnet_id, subnet_id) == 0) {
                VEC_REMOVE(&a->associations, i);
            }
        }
    }
    store_touch(net->store);
}

void
network_acls_add_ipv6(struct network *net, const struct vpc *vpc)
{
    for (struct network_acl *a = store_first(net->store, &network_acl_kind); a; a = store_next(net->store, a)) {
        bool has = strcmp(a->vpc_id, vpc->obj.id) != 0;
        for (size_t i = 0; i < a->entries.n; i++) {
            has = has || a->entries.items[i].number == 32768;
        }
        if (!has) {
            entries_put(a, IP_V6);
        }
    }
}

/* ---- entries
 * ------------------------------------------------------------------------------------------------------------ */

static bool
entry_check(const struct nacl_entry *entry, struct err *err)
{
    if (entry->number < 1 || entry->number > 32766) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%d` for ruleNumber", entry->number);
        return err_hint(err, "rule numbers are 1 to 32766; 32767 is the rule shown as *");
    }
    if (entry->protocol < -1 || entry->protocol > 255) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%d` for protocol", entry->protocol);
    }
    if ((entry->cidr.ip.family != IP_NONE) == (entry->cidr6.ip.family != IP_NONE)) {
        return err_set(err, ERR_INPUT, entry->cidr.ip.family ? "InvalidParameterCombination" : "MissingParameter",
                       "an entry has one of CidrBlock and Ipv6CidrBlock");
    }
    if (entry->cidr.ip.family == IP_V6 || entry->cidr6.ip.family == IP_V4) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is of the other IP version",
                       cidr_str(entry->cidr.ip.family ? &entry->cidr : &entry->cidr6));
    }
    if (entry->protocol == PROTOCOL_TCP || entry->protocol == PROTOCOL_UDP) {
        if (!entry->has_ports) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "protocol %s needs a port range",
                    protocol_name(entry->protocol));
            return err_hint(err, "give PortRange, From=0,To=65535 for every port");
        }
        return sg_ports_check(entry->protocol, entry->ports.from, entry->ports.to, err);
    }
    if (entry->protocol == PROTOCOL_ICMP || entry->protocol == PROTOCOL_ICMPV6) {
        if (!entry->has_icmp) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "protocol %s needs a type and code",
                    protocol_name(entry->protocol));
            return err_hint(err, "give IcmpTypeCode, Type=-1,Code=-1 for every message");
        }
        if (entry->protocol == PROTOCOL_ICMPV6 && entry->cidr6.ip.family == IP_NONE) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "protocol 58 (ICMPv6) needs an IPv6 CIDR block");
        }
        return sg_ports_check(entry->protocol, entry->icmp.type, entry->icmp.code, err);
    }
    return true;
}

/* What AWS does not keep: ports of a protocol without ports, types of one without types. */
static struct nacl_entry
entry_normal(const struct nacl_entry *entry)
{
    struct nacl_entry normal = *entry;
    if (entry->protocol != PROTOCOL_TCP && entry->protocol != PROTOCOL_UDP) {
        normal.has_ports = false;
        normal.ports = (struct nacl_port_range){ 0 };
    }
    if (entry->protocol != PROTOCOL_ICMP && entry->protocol != PROTOCOL_ICMPV6) {
        normal.has_icmp = false;
        normal.icmp = (struct nacl_icmp){ 0 };
    }
    return normal;
}

static void
entries_changed(struct network *net, const struct network_acl *acl)
{
    uint64_t before = store_generation(net->store);
    network_touch(net);
    network_changed(net, before, CHANGED_ENTRIES, acl->obj.id);
}

static struct nacl_entry *
entry_find(struct network_acl *acl, int number, bool egress)
{
    for (size_t i = 0; i < acl->entries.n; i++) {
        if (acl->entries.items[i].number == number && acl->entries.items[i].egress == egress) {
            return &acl->entries.items[i];
        }
    }
    return NULL;
}

bool
network_acl_add_entry(struct network *net, struct network_acl *acl, const struct nacl_entry *entry, struct err *err)
{
    if (!entry_check(entry, err)) {
        return false;
    }
    if (entry_find(acl, entry->number, entry->egress)) {
        err_set(err, ERR_INPUT, "NetworkAclEntryAlreadyExists", "`%s` already has an %s entry with rule number %d",
                acl->obj.id, entry->egress ? "egress" : "ingress", entry->number);
        return err_hint(err, "replace-network-acl-entry changes it");
    }
    size_t n = 0; /* of the direction and family, the rule * among them */
    for (size_t i = 0; i < acl->entries.n; i++) {
        const struct nacl_entry *other = &acl->entries.items[i];
        n += other->egress == entry->egress && (other->cidr6.ip.family != 0) == (entry->cidr6.ip.family != 0);
    }
    if (net->limits && n >= 20) {
        err_set(err, ERR_INPUT, "NetworkAclEntryLimitExceeded", "`%s` has reached the maximum of 20 %s entries",
                acl->obj.id, entry->egress ? "egress" : "ingress");
        return err_hint(err, "the entry shown as * counts");
    }
    *VEC_ADD(&acl->entries) = entry_normal(entry);
    entries_sort(acl);
    entries_changed(net, acl);
    return true;
}

static struct nacl_entry *
entry_require(struct network_acl *acl, int number, bool egress, struct err *err)
{
    struct nacl_entry *entry = entry_find(acl, number, egress);
    if (number >= 32767) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "the entry shown as * (%d) cannot be changed", number);
        return NULL;
    }
    if (!entry) {
        err_set(err, ERR_INPUT, "InvalidNetworkAclEntry.NotFound", "`%s` has no %s entry with rule number %d",
                acl->obj.id, egress ? "egress" : "ingress", number);
    }
    return entry;
}

bool
network_acl_replace_entry(struct network *net, struct network_acl *acl, const struct nacl_entry *entry, struct err *err)
{
    struct nacl_entry *old = entry_require(acl, entry->number, entry->egress, err);
    if (!old || !entry_check(entry, err)) {
        return false;
    }
    *old = entry_normal(entry);
    entries_sort(acl);
    entries_changed(net, acl);
    return true;
}

bool
network_acl_delete_entry(struct network *net, struct network_acl *acl, int number, bool egress, struct err *err)
{
    const struct nacl_entry *entry = entry_require(acl, number, egress, err);
    if (!entry) {
        return false;
    }
    VEC_REMOVE(&acl->entries, (size_t)(entry - acl->entries.items));
    entries_changed(net, acl);
    return true;
}

struct nacl_association *
network_acl_replace_association(struct network *net, const char *association_id, struct network_acl *acl,
                                struct err *err)
{
    for (struct network_acl *a = store_first(net->store, &network_acl_kind); a; a = store_next(net->store, a)) {
        for (size_t i = 0; i < a->associations.n; i++) {
            if (strcmp(a->associations.items[i].id, association_id) != 0) {
                continue;
            }
            if (strcmp(a->vpc_id, acl->vpc_id) != 0) {
                err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` and subnet `%s` belong to different networks",
                        acl->obj.id, a->associations.items[i].subnet_id);
                return NULL;
            }
            char subnet_id[ID_SIZE];
            memcpy(subnet_id, a->associations.items[i].subnet_id, ID_SIZE);
            uint64_t before = store_generation(net->store);
            VEC_REMOVE(&a->associations, i);
            struct nacl_association *association = association_add(net, acl, subnet_id);
            network_changed(net, before, CHANGED_SUBNET_ACL, subnet_id);
            return association;
        }
    }
    err_set(err, ERR_INPUT, "InvalidAssociationID.NotFound", "the association ID `%s` does not exist", association_id);
    return NULL;
}

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

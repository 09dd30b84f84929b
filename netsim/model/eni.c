/* The kind row of interfaces and the questions about one; the operations are in eni_ops.c. */
#include "netsim/model/eni_owner.h"
#include "netsim/model/internal.h"

#include <stdio.h>

static const struct field association_fields[] = {
    FIELD(struct eni_association, "AllocationId", FIELD_STRING, allocation_id, 0),
    FIELD(struct eni_association, "AssociationId", FIELD_STRING, association_id, 0),
    FIELD(struct eni_association, "IpOwnerId", FIELD_STRING, ip_owner_id, 0),
    FIELD(struct eni_association, "PublicDnsName", FIELD_STRING, public_dns_name, 0),
    FIELD(struct eni_association, "PublicIp", FIELD_IP, public_ip, 0),
    FIELD_END,
};
static const struct field address_fields[] = {
    FIELD_NEST(struct eni_address, "Association", association, association_fields, 0),
    FIELD(struct eni_address, "Primary", FIELD_BOOL, primary, 0),
    FIELD(struct eni_address, "PrivateDnsName", FIELD_STRING, dns_name, 0),
    FIELD(struct eni_address, "PrivateIpAddress", FIELD_IP, ip, 0),
    FIELD_END,
};
static const struct field address6_fields[] = {
    FIELD(struct eni_address6, "Ipv6Address", FIELD_IP, ip, 0),
    FIELD(struct eni_address6, "IsPrimaryIpv6", FIELD_BOOL, is_primary, 0),
    FIELD_END,
};
static const struct field eni_group_fields[] = {
    FIELD(struct eni_group, "GroupId", FIELD_ID, id, 0),
    FIELD(struct eni_group, "GroupName", FIELD_STRING, name, 0),
    FIELD_END,
};
static const struct field attachment_fields[] = {
    FIELD(struct eni_attachment, "AttachTime", FIELD_TIME, attach_time, 0),
    FIELD(struct eni_attachment, "AttachmentId", FIELD_ID, id, 0),
    FIELD(struct eni_attachment, "DeleteOnTermination", FIELD_BOOL, delete_on_termination, 0),
    FIELD(struct eni_attachment, "DeviceIndex", FIELD_INT, device_index, 0),
    FIELD(struct eni_attachment, "NetworkCardIndex", FIELD_INT, network_card_index, 0),
    FIELD(struct eni_attachment, "InstanceId", FIELD_ID, instance_id, 0),
    FIELD(struct eni_attachment, "InstanceOwnerId", FIELD_STRING, instance_owner_id, 0),
    FIELD(struct eni_attachment, "Status", FIELD_STRING, status, 0),
    FIELD_END,
};
const struct field eni_fields[] = {
    FIELD_NEST(struct eni, "Association", loaded_association, association_fields, FIELD_INPUT_ONLY),
    FIELD_NEST_IF(struct eni, "Attachment", attachment, attached, attachment_fields, 0),
    FIELD(struct eni, "AvailabilityZone", FIELD_STRING, zone, 0),
    FIELD(struct eni, "Description", FIELD_STRING, description, FIELD_ALWAYS),
    FIELD_LIST(struct eni, "Groups", groups, eni_group_fields, FIELD_ALWAYS),
    FIELD(struct eni, "InterfaceType", FIELD_STRING, type, 0),
    FIELD_LIST(struct eni, "Ipv6Addresses", addresses6, address6_fields, FIELD_ALWAYS),
    FIELD(struct eni, "MacAddress", FIELD_STRING, mac, 0),
    FIELD(struct eni, "NetworkInterfaceId", FIELD_ID, obj.id, 0),
    FIELD(struct eni, "PrivateDnsName", FIELD_STRING, private_dns_name, 0),
    FIELD(struct eni, "PrivateIpAddress", FIELD_IP, loaded_ip, FIELD_INPUT_ONLY),
    FIELD_LIST(struct eni, "PrivateIpAddresses", addresses, address_fields, FIELD_ALWAYS),
    FIELD(struct eni, "RequesterId", FIELD_STRING, requester_id, 0),
    FIELD(struct eni, "RequesterManaged", FIELD_BOOL, requester_managed, 0),
    FIELD(struct eni, "SourceDestCheck", FIELD_BOOL, source_dest_check, 0),
    FIELD(struct eni, "Status", FIELD_STRING, status, 0),
    FIELD(struct eni, "SubnetId", FIELD_ID, subnet_id, 0),
    FIELD_LIST(struct eni, "TagSet", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD(struct eni, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html */
static const struct filter_row eni_filters[] = {
    { "association.allocation-id", "PrivateIpAddresses.Association.AllocationId" },
    { "association.association-id", "PrivateIpAddresses.Association.AssociationId" },
    { "association.ip-owner-id", "PrivateIpAddresses.Association.IpOwnerId" },
    { "association.public-ip", "PrivateIpAddresses.Association.PublicIp" },
    { "association.public-dns-name", "PrivateIpAddresses.Association.PublicDnsName" },
    { "addresses.association.owner-id", "PrivateIpAddresses.Association.IpOwnerId" },
    { "addresses.association.public-ip", "PrivateIpAddresses.Association.PublicIp" },
    { "addresses.primary", "PrivateIpAddresses.Primary" },
    { "addresses.private-ip-address", "PrivateIpAddresses.PrivateIpAddress" },
    { "attachment.attach-time", "Attachment.AttachTime" },
    { "attachment.attachment-id", "Attachment.AttachmentId" },
    { "attachment.delete-on-termination", "Attachment.DeleteOnTermination" },
    { "attachment.device-index", "Attachment.DeviceIndex" },
    { "attachment.instance-id", "Attachment.InstanceId" },
    { "attachment.instance-owner-id", "Attachment.InstanceOwnerId" },
    { "attachment.status", "Attachment.Status" },
    { "availability-zone", "AvailabilityZone" },
    { "description", "Description" },
    { "group-id", "Groups.GroupId" },
    { "group-name", "Groups.GroupName" },
    { "ipv6-addresses.ipv6-address", "Ipv6Addresses.Ipv6Address" },
    { "interface-type", "InterfaceType" },
    { "mac-address", "MacAddress" },
    { "network-interface-id", "NetworkInterfaceId" },
    { "private-dns-name", "PrivateDnsName" },
    { "private-ip-address", "PrivateIpAddress" },
    { "requester-id", "RequesterId" },
    { "requester-managed", "RequesterManaged" },
    { "source-dest-check", "SourceDestCheck" },
    { "status", "Status" },
    { "subnet-id", "SubnetId" },
    { "tag-key", "TagSet.Key" },
    { "tag-value", "TagSet.Value" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

static void
eni_init(void *object)
{
    struct eni *eni = object;
    eni->source_dest_check = true; /* on unless said otherwise */
}

/* To one form: the primary address first, in 'addresses', with its public address beside it. */
static void
eni_loaded(struct store *store, void *object)
{
    struct eni *eni = object;
    (void)store;
    if (eni->addresses.n == 0 && eni->loaded_ip.family != IP_NONE) {
        *VEC_ADD(&eni->addresses) = (struct eni_address){ .ip = eni->loaded_ip, .primary = true };
    }
    for (size_t i = 1; i < eni->addresses.n; i++) {
        if (eni->addresses.items[i].primary && !eni->addresses.items[0].primary) {
            struct eni_address first = eni->addresses.items[0];
            eni->addresses.items[0] = eni->addresses.items[i];
            eni->addresses.items[i] = first;
        }
    }
    struct eni_address *primary = eni->addresses.n ? &eni->addresses.items[0] : NULL;
    if (primary) {
        primary->primary = true;
    }
    if (primary && primary->association.public_ip.family == IP_NONE &&
        eni->loaded_association.public_ip.family != IP_NONE) {
        fields_done(association_fields, &primary->association);
        primary->association = eni->loaded_association;
    } else {
        fields_done(association_fields, &eni->loaded_association);
    }
    eni->loaded_association = (struct eni_association){ 0 };
    eni->loaded_ip = (struct ip){ 0 };
}

void
eni_finish_loading(struct store *store, struct eni *eni)
{
    eni_loaded(store, eni);
}

/* The names AWS derives for addresses of a VPC with DNS hostnames, where none was given with imported data. */
static void
names_describe(const struct eni *eni, json_t *out)
{
    char name[80];
    json_t *list = json_object_get(out, "PrivateIpAddresses"), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        const struct eni_address *address = &eni->addresses.items[i];
        if (!address->dns_name) {
            dns_private_name(eni->obj.region, &address->ip, name, sizeof name);
            json_object_set_new(item, "PrivateDnsName", json_string(name));
        }
        json_t *association = json_object_get(item, "Association");
        if (association && !address->association.public_dns_name) {
            dns_public_name(eni->obj.region, &address->association.public_ip, name, sizeof name);
            json_object_set_new(association, "PublicDnsName", json_string(name));
        }
    }
    if (!eni->private_dns_name && eni->addresses.n) {
        json_object_set(out, "PrivateDnsName", json_object_get(json_array_get(list, 0), "PrivateDnsName"));
    }
}

static void
eni_describe(const struct store *store, const void *object, json_t *out)
{
    const struct eni *eni = object;
    const struct vpc *vpc = store_get(store, &vpc_kind, eni->vpc_id);
    if (vpc && vpc->dns_support && vpc->dns_hostnames) {
        names_describe(eni, out);
    }
    json_t *primary = json_array_get(json_object_get(out, "PrivateIpAddresses"), 0);
    json_t *association = json_object_get(primary, "Association");
    if (association) {
        json_object_set(out, "Association", association);
        if (json_str(association, "PublicDnsName")) {
            json_object_set(out, "PublicDnsName", json_object_get(association, "PublicDnsName"));
        }
    }
    if (primary) {
        json_object_set(out, "PrivateIpAddress", json_object_get(primary, "PrivateIpAddress"));
    }
    if (eni->addresses6.n) {
        json_object_set_new(out, "Ipv6Address", json_string(ip_str(&eni->addresses6.items[0].ip)));
    }
    json_t *groups = json_object_get(out, "Groups"), *item;
    size_t i;
    json_array_foreach(groups, i, item)
    {
        const struct security_group *group = store_get(store, &security_group_kind, eni->groups.items[i].id);
        if (group && group->name) {
            json_object_set_new(item, "GroupName", json_string(group->name));
        }
    }
}

const struct kind eni_kind = {
    .name = "network-interface",
    .prefix = "eni",
    .type = "network-interface",
    .list = "NetworkInterfaces",
    .id_member = "NetworkInterfaceId",
    .ids_param = "NetworkInterfaceIds",
    .not_found = "InvalidNetworkInterfaceID.NotFound",
    .malformed = "InvalidNetworkInterfaceId.Malformed",
    .size = sizeof(struct eni),
    .fields = eni_fields,
    .shows_owner = true,
    .filters = eni_filters,
    .init = eni_init,
    .loaded = eni_loaded,
    .describe = eni_describe,
};

void
eni_association_done(struct eni_association *association)
{
    fields_done(association_fields, association);
    *association = (struct eni_association){ 0 };
}

void
eni_address_done(struct eni_address *address)
{
    fields_done(address_fields, address);
}

/* ip-10-0-1-10.ec2.internal; outside us-east-1 ip-10-0-1-10.REGION.compute.internal.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html */
void
dns_private_name(const char *region, const struct ip *ip, char *name, size_t size)
{
    unsigned a = (unsigned)ip->lo;
    if (strcmp(region, "us-east-1") == 0) {
        snprintf(name, size, "ip-%u-%u-%u-%u.ec2.internal", a >> 24 & 255, a >> 16 & 255, a >> 8 & 255, a & 255);
    } else {
        snprintf(name, size, "ip-%u-%u-%u-%u.%s.compute.internal", a >> 24 & 255, a >> 16 & 255, a >> 8 & 255, a & 255,
                 region);
    }
}

void
dns_public_name(const char *region, const struct ip *ip, char *name, size_t size)
{
    unsigned a = (unsigned)ip->lo;
    if (strcmp(region, "us-east-1") == 0) {
        snprintf(name, size, "ec2-%u-%u-%u-%u.compute-1.amazonaws.com", a >> 24 & 255, a >> 16 & 255, a >> 8 & 255,
                 a & 255);
    } else {
        snprintf(name, size, "ec2-%u-%u-%u-%u.%s.compute.amazonaws.com", a >> 24 & 255, a >> 16 & 255, a >> 8 & 255,
                 a & 255, region);
    }
}

const struct ip *
eni_primary_ip(const struct eni *eni)
{
    return eni->addresses.n ? &eni->addresses.items[0].ip : NULL;
}

bool
eni_has_ip(const struct eni *eni, const struct ip *ip)
{
    for (size_t i = 0; i < eni->addresses.n; i++) {
        if (ip_equal(&eni->addresses.items[i].ip, ip)) {
            return true;
        }
    }
    for (size_t i = 0; i < eni->addresses6.n; i++) {
        if (ip_equal(&eni->addresses6.items[i].ip, ip)) {
            return true;
        }
    }
    return false;
}

bool
eni_has_group(const struct eni *eni, const char *group_id)
{
    for (size_t i = 0; i < eni->groups.n; i++) {
        if (strcmp(eni->groups.items[i].id, group_id) == 0) {
            return true;
        }
    }
    return false;
}

const struct ip *
eni_public_ip(const struct eni *eni, const struct ip *private_ip)
{
    for (size_t i = 0; i < eni->addresses.n; i++) {
        const struct eni_address *address = &eni->addresses.items[i];
        if (ip_equal(&address->ip, private_ip)) {
            return address->association.public_ip.family ? &address->association.public_ip : NULL;
        }
    }
    return NULL;
}

const char *
eni_label(const struct network *net, const struct eni *eni)
{
    static _Thread_local char buffers[8][160];
    static _Thread_local unsigned next;
    char *out = buffers[next++ % 8];
    const struct instance *instance =
        eni->attached ? store_get(net->store, &instance_kind, eni->attachment.instance_id) : NULL;
    const struct object *object = instance ? &instance->obj : &eni->obj;
    const char *name = object_name(object), *owner = instance ? NULL : eni_owner_str(eni);
    name = name ? name : owner;
    if (name) {
        snprintf(out, sizeof buffers[0], "%s (%s)", name, object->id);
    } else {
        snprintf(out, sizeof buffers[0], "%s", object->id);
    }
    return out;
}

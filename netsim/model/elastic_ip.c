#include "netsim/model/internal.h"

static const struct field eip_fields[] = {
    FIELD(struct elastic_ip, "AllocationId", FIELD_ID, obj.id, 0),
    FIELD(struct elastic_ip, "AssociationId", FIELD_ID, association_id, 0),
    FIELD(struct elastic_ip, "Domain", FIELD_STRING, domain, 0),
    FIELD(struct elastic_ip, "NetworkInterfaceId", FIELD_ID, eni_id, 0),
    FIELD(struct elastic_ip, "NetworkInterfaceOwnerId", FIELD_STRING, eni_owner_id, 0),
    FIELD(struct elastic_ip, "PrivateIpAddress", FIELD_IP, private_ip, 0),
    FIELD_LIST(struct elastic_ip, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct elastic_ip, "PublicIpv4Pool", FIELD_STRING, pool, 0),
    FIELD(struct elastic_ip, "NetworkBorderGroup", FIELD_STRING, border_group, 0),
    FIELD(struct elastic_ip, "InstanceId", FIELD_ID, instance_id, 0),
    FIELD(struct elastic_ip, "PublicIp", FIELD_IP, public_ip, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html */
static const struct filter_row eip_filters[] = {
    { "allocation-id", "AllocationId" },
    { "association-id", "AssociationId" },
    { "domain", "Domain" },
    { "instance-id", "InstanceId" },
    { "network-border-group", "NetworkBorderGroup" },
    { "network-interface-id", "NetworkInterfaceId" },
    { "network-interface-owner-id", "NetworkInterfaceOwnerId" },
    { "private-ip-address", "PrivateIpAddress" },
    { "public-ip", "PublicIp" },
    { NULL, NULL },
};

const struct kind elastic_ip_kind = {
    .name = "elastic-ip",
    .prefix = "eipalloc",
    .type = "elastic-ip",
    .list = "Addresses",
    .id_member = "AllocationId",
    .ids_param = "AllocationIds",
    .not_found = "InvalidAllocationID.NotFound",
    .size = sizeof(struct elastic_ip),
    .fields = eip_fields,
    .filters = eip_filters,
};

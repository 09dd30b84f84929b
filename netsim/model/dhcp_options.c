#include "netsim/model/dhcp_options.h"

#include "netsim/model/internal.h"

static const struct field value_fields[] = {
    FIELD(struct dhcp_value, "Value", FIELD_STRING, value, 0),
    FIELD_END,
};
static const struct field configuration_fields[] = {
    FIELD(struct dhcp_configuration, "Key", FIELD_STRING, key, 0),
    FIELD_LIST(struct dhcp_configuration, "Values", values, value_fields, FIELD_ALWAYS),
    FIELD_END,
};
static const struct field dhcp_fields[] = {
    FIELD_LIST(struct dhcp_options, "DhcpConfigurations", configurations, configuration_fields, FIELD_ALWAYS),
    FIELD(struct dhcp_options, "DhcpOptionsId", FIELD_ID, obj.id, 0),
    FIELD_LIST(struct dhcp_options, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeDhcpOptions.html */
static const struct filter_row dhcp_filters[] = {
    { "dhcp-options-id", "DhcpOptionsId" },
    { "key", "DhcpConfigurations.Key" },
    { "value", "DhcpConfigurations.Values.Value" },
    { NULL, NULL },
};

const struct kind dhcp_options_kind = {
    .name = "dhcp-options",
    .prefix = "dopt",
    .type = "dhcp-options",
    .list = "DhcpOptions",
    .id_member = "DhcpOptionsId",
    .ids_param = "DhcpOptionsIds",
    .not_found = "InvalidDhcpOptionID.NotFound",
    .malformed = "InvalidDhcpOptionsId.Malformed",
    .size = sizeof(struct dhcp_options),
    .fields = dhcp_fields,
    .shows_owner = true,
    .filters = dhcp_filters,
};

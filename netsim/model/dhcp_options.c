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

/* ---- operations -------------------------------------------------------------------------------------------------- */

static bool
is_address_or_amazon(const char *text)
{
    struct ip ip;
    return strcmp(text, "AmazonProvidedDNS") == 0 || ip_parse(text, &ip);
}

static bool
is_address(const char *text)
{
    struct ip ip;
    return ip_parse(text, &ip);
}

static bool
is_node_type(const char *text)
{
    return strlen(text) == 1 && strchr("1248", text[0]);
}

static bool
is_lease_time(const char *text)
{
    long seconds = strspn(text, "0123456789") == strlen(text) ? atol(text) : 0;
    return seconds >= 140 && seconds <= 2147483647;
}

static const struct option_row {
    const char *key;
    size_t most;
    bool (*valid)(const char *text); /* NULL: any text */
} option_rows[] = {
    { "domain-name-servers", 4, is_address_or_amazon },
    { "domain-name", 1, NULL },
    { "ntp-servers", 4, is_address },
    { "netbios-name-servers", 4, is_address },
    { "netbios-node-type", 1, is_node_type },
    { "ipv6-address-preferred-lease-time", 1, is_lease_time },
};

struct dhcp_options *
dhcp_options_create(struct network *net)
{
    return network_add(net, &dhcp_options_kind, NULL);
}

static void
add(struct dhcp_options *options, const char *key, const char *value)
{
    struct dhcp_configuration *configuration = NULL;
    for (size_t i = 0; i < options->configurations.n; i++) {
        if (str_is(options->configurations.items[i].key, key)) {
            configuration = &options->configurations.items[i];
        }
    }
    if (!configuration) {
        configuration = VEC_ADD(&options->configurations);
        configuration->key = xstrdup(key);
    }
    VEC_ADD(&configuration->values)->value = xstrdup(value);
}

bool
dhcp_options_add(struct dhcp_options *options, const char *key, const json_t *values, struct err *err)
{
    const struct option_row *row = NULL;
    for (size_t i = 0; key && i < ARRAY_SIZE(option_rows); i++) {
        row = strcmp(option_rows[i].key, key) == 0 ? &option_rows[i] : row;
    }
    if (!row) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is no DHCP option", key ? key : "");
        return err_hint(err, "domain-name-servers, domain-name, ntp-servers, netbios-name-servers, netbios-node-type");
    }
    if (json_array_size(values) == 0 || json_array_size(values) > row->most) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` takes one value to %zu, not %zu", key, row->most,
                       json_array_size(values));
    }
    for (size_t i = 0; i < json_array_size(values); i++) {
        const char *value = json_string_value(json_array_get(values, i));
        if (!value || !value[0] || (row->valid && !row->valid(value))) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is no value of `%s`", value ? value : "",
                           key);
        }
        add(options, key, value);
    }
    return true;
}

struct dhcp_options *
dhcp_options_create_default(struct network *net)
{
    struct dhcp_options *options = dhcp_options_create(net);
    char domain[64];
    if (strcmp(net->region, "us-east-1") == 0) {
        snprintf(domain, sizeof domain, "ec2.internal");
    } else {
        snprintf(domain, sizeof domain, "%s.compute.internal", net->region);
    }
    add(options, "domain-name", domain);
    add(options, "domain-name-servers", "AmazonProvidedDNS");
    return options;
}

void
dhcp_options_associate(struct network *net, struct vpc *vpc, const char *id)
{
    str_set(&vpc->dhcp_options_id, id);
    network_touch(net);
}

bool
dhcp_options_delete(struct network *net, struct dhcp_options *options, struct err *err)
{
    struct dependents left = { 0 };
    for (const struct vpc *vpc = store_first(net->store, &vpc_kind); vpc; vpc = store_next(net->store, vpc)) {
        dependents_add_if(&left, str_is(vpc->dhcp_options_id, options->obj.id), vpc->obj.id);
    }
    if (!dependents_none(&left, options->obj.id, err)) {
        return false;
    }
    network_remove(net, options);
    return true;
}

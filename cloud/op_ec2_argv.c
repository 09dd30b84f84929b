/* cloud/op_ec2_argv.c - the aws command's own options and rewritings for ec2.
 * Source: the command reference, https://docs.aws.amazon.com/cli/latest/reference/ec2/ */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "base/vec.h"
#include "cloud/op_argv.h"

/* in[list][0], made when it is not there yet. */
static json_t *
first_item(json_t *in, const char *list)
{
    json_t *array = json_object_get(in, list);
    if (!array) {
        array = json_array();
        json_object_set_new(in, list, array);
    }
    if (json_array_size(array) == 0) {
        json_array_append_new(array, json_object());
    }
    return json_array_get(array, 0);
}

static json_t *
permission(json_t *in)
{
    return first_item(in, "IpPermissions");
}

static bool
put_protocol(json_t *in, const json_t *value, struct err *err)
{
    const char *text = json_string_value(value);
    char *end;
    long number = strtol(text, &end, 10);
    bool numeric = *text && !*end && number >= -1 && number <= 255;
    if (!numeric && strcmp(text, "tcp") != 0 && strcmp(text, "udp") != 0 && strcmp(text, "icmp") != 0 &&
        strcmp(text, "all") != 0) {
        return err_set(err, ERR_USAGE, "", "`%s` is not tcp, udp, icmp, all or a protocol number", text);
    }
    return json_object_set_new(permission(in), "IpProtocol", json_string(strcmp(text, "all") == 0 ? "-1" : text)) == 0;
}

static bool
put_port(json_t *in, const json_t *value, struct err *err)
{
    const char *text = json_string_value(value);
    long from = -1, to = -1;
    int used = 0;
    bool all = strcmp(text, "all") == 0 || strcmp(text, "-1") == 0;
    bool range = !all && sscanf(text, "%ld-%ld%n", &from, &to, &used) == 2 && !text[used];
    if (!all && !range) {
        char *end;
        from = to = strtol(text, &end, 10);
        if (end == text || *end) {
            err_set(err, ERR_USAGE, "", "`%s` is not a port or a range of ports", text);
            return err_hint(err, "write 443, 1024-65535 or all; for icmp TYPE-CODE");
        }
    }
    json_object_set_new(permission(in), "FromPort", json_integer(from));
    return json_object_set_new(permission(in), "ToPort", json_integer(to)) == 0;
}

static bool
put_cidr(json_t *in, const json_t *value, struct err *err)
{
    (void)err;
    json_t *ranges = json_pack("[{s:O}]", "CidrIp", value);
    return json_object_set_new(permission(in), "IpRanges", ranges) == 0;
}

static bool
put_source_group(json_t *in, const json_t *value, struct err *err)
{
    (void)err;
    /* aws tells ids and names apart by the prefix; op_resolve_names() knows Name tags as well. */
    json_object_set(first_item(permission(in), "UserIdGroupPairs"), "GroupId", (json_t *)value);
    return true;
}

static bool
put_group_owner(json_t *in, const json_t *value, struct err *err)
{
    (void)err;
    json_object_set(first_item(permission(in), "UserIdGroupPairs"), "UserId", (json_t *)value);
    return true;
}

static bool
put_count(json_t *in, const json_t *value, struct err *err)
{
    const char *text = json_string_value(value);
    long min, max;
    int used = 0;
    if (sscanf(text, "%ld%n", &min, &used) == 1 && !text[used]) {
        max = min;
    } else if (sscanf(text, "%ld:%ld%n", &min, &max, &used) != 2 || text[used]) {
        return err_set(err, ERR_USAGE, "", "`%s` is not MIN or MIN:MAX", text);
    }
    json_object_set_new(in, "MinCount", json_integer(min));
    return json_object_set_new(in, "MaxCount", json_integer(max)) == 0;
}

static json_t *
first_interface(json_t *in)
{
    json_t *interface = first_item(in, "NetworkInterfaces");
    if (!json_object_get(interface, "DeviceIndex")) {
        json_object_set_new(interface, "DeviceIndex", json_integer(0));
    }
    return interface;
}

static bool
put_secondary_addresses(json_t *in, const json_t *value, struct err *err)
{
    (void)err;
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_array_append_new(list,
                              json_pack("{s:O, s:b}", "PrivateIpAddress", json_array_get(value, i), "Primary", 0));
    }
    return json_object_set_new(first_interface(in), "PrivateIpAddresses", list) == 0;
}

static bool
put_secondary_count(json_t *in, const json_t *value, struct err *err)
{
    (void)err;
    return json_object_set(first_interface(in), "SecondaryPrivateIpAddressCount", (json_t *)value) == 0;
}

static bool
put_public_address(json_t *in, const json_t *value, struct err *err)
{
    (void)err;
    return json_object_set(first_interface(in), "AssociatePublicIpAddress", (json_t *)value) == 0;
}

static bool
put_ingress(json_t *in, const json_t *value, struct err *err)
{
    (void)err;
    return json_object_set_new(in, "Egress", json_boolean(!json_is_true(value))) == 0;
}

static bool
put_api_termination(json_t *in, const json_t *value, struct err *err)
{
    (void)err;
    return json_object_set_new(in, "DisableApiTermination", json_boolean(!json_is_true(value))) == 0;
}

#define GROUP_RULES                                                                                                    \
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress"
#define ACL_ENTRIES "CreateNetworkAclEntry ReplaceNetworkAclEntry DeleteNetworkAclEntry"

const struct argv_custom argv_customs[] = {
    { GROUP_RULES, "protocol", CUSTOM_TEXT, "tcp, udp, icmp, all or a number", "ip-permissions", put_protocol },
    { GROUP_RULES, "port", CUSTOM_TEXT, "a port, a range FROM-TO, or all; for icmp TYPE-CODE", "ip-permissions",
      put_port },
    { GROUP_RULES, "cidr", CUSTOM_TEXT, "an IPv4 block", "ip-permissions", put_cidr },
    { GROUP_RULES, "source-group", CUSTOM_TEXT, "a security group, by id or name", "ip-permissions", put_source_group },
    { GROUP_RULES, "group-owner", CUSTOM_TEXT, "the account that owns --source-group", "ip-permissions",
      put_group_owner },
    { ACL_ENTRIES, "ingress", CUSTOM_FLAG, "an inbound rule; --egress is outbound", NULL, put_ingress },
    { "RunInstances", "count", CUSTOM_TEXT, "how many, N or MIN:MAX; 1 if not given", NULL, put_count },
    { "RunInstances", "secondary-private-ip-addresses", CUSTOM_LIST, "further private addresses", "network-interfaces",
      put_secondary_addresses },
    { "RunInstances", "secondary-private-ip-address-count", CUSTOM_TEXT, "how many further private addresses",
      "network-interfaces", put_secondary_count },
    { "RunInstances", "associate-public-ip-address", CUSTOM_FLAG, "a public address, or none", "network-interfaces",
      put_public_address },
    { "RunInstances", "enable-api-termination", CUSTOM_FLAG, "may be terminated", NULL, put_api_termination },
    { NULL },
};

bool
argv_custom_applies(const struct argv_custom *custom, const struct op *op)
{
    if (!op->service || strcmp(op->service, "ec2") != 0) {
        return false;
    }
    size_t size = strlen(op->name);
    for (const char *at = custom->operations; (at = strstr(at, op->name)); at += size) {
        if ((at == custom->operations || at[-1] == ' ') && (at[size] == ' ' || !at[size])) {
            return true;
        }
    }
    return false;
}

bool
argv_hides(const struct op *op, const char *option)
{
    return op->service && strcmp(op->service, "ec2") == 0 && strcmp(op->name, "RunInstances") == 0 &&
           (strcmp(option, "min-count") == 0 || strcmp(option, "max-count") == 0);
}

/* Once the first interface is spelled out, aws moves what was said beside it inside. */
static void
move_into_interface(json_t *in)
{
    static const char *const triggers[] = { "PrivateIpAddresses", "SecondaryPrivateIpAddressCount",
                                            "AssociatePublicIpAddress" };
    static const struct {
        const char *from, *to;
    } moves[] = {
        { "SubnetId", "SubnetId" },
        { "SecurityGroupIds", "Groups" },
        { "Ipv6AddressCount", "Ipv6AddressCount" },
        { "Ipv6Addresses", "Ipv6Addresses" },
        { "EnablePrimaryIpv6", "PrimaryIpv6" },
    };
    json_t *interface = json_array_get(json_object_get(in, "NetworkInterfaces"), 0);
    bool moved = false;
    for (size_t i = 0; i < ARRAY_SIZE(triggers); i++) {
        moved |= json_object_get(interface, triggers[i]) != NULL;
    }
    if (!moved) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
        json_t *value = json_object_get(in, moves[i].from);
        if (value) {
            json_object_set(interface, moves[i].to, value);
            json_object_del(in, moves[i].from);
        }
    }
    json_t *address = json_object_get(in, "PrivateIpAddress");
    if (address) {
        json_t *list = json_object_get(interface, "PrivateIpAddresses");
        if (!list) {
            list = json_array();
            json_object_set_new(interface, "PrivateIpAddresses", list);
        }
        json_array_insert_new(list, 0, json_pack("{s:O, s:b}", "PrivateIpAddress", address, "Primary", 1));
        json_object_del(in, "PrivateIpAddress");
    }
}

static void
finish_run_instances(json_t *in)
{
    static const char *const counts[] = { "MinCount", "MaxCount" };
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        if (!json_object_get(in, counts[i])) {
            json_object_set_new(in, counts[i], json_integer(1));
        }
    }
    move_into_interface(in);
    const char *user_data = json_string_value(json_object_get(in, "UserData"));
    if (user_data) {
        char *encoded = base64_text(user_data, strlen(user_data));
        json_object_set_new(in, "UserData", json_string(encoded));
        free(encoded);
    }
}

bool
argv_finish(const struct op *op, json_t *in, struct err *err)
{
    (void)err;
    static const struct {
        const char *name, *number;
    } protocols[] = { { "tcp", "6" }, { "udp", "17" }, { "icmp", "1" }, { "all", "-1" } };
    if (!op->service || strcmp(op->service, "ec2") != 0) {
        return true;
    }
    if (strcmp(op->name, "RunInstances") == 0) {
        finish_run_instances(in);
    }
    if (strcmp(op->name, "CreateNetworkAclEntry") == 0 || strcmp(op->name, "ReplaceNetworkAclEntry") == 0) {
        const char *protocol = json_string_value(json_object_get(in, "Protocol"));
        for (size_t i = 0; protocol && i < ARRAY_SIZE(protocols); i++) {
            if (strcmp(protocol, protocols[i].name) == 0) {
                json_object_set_new(in, "Protocol", json_string(protocols[i].number));
                break;
            }
        }
    }
    return true;
}

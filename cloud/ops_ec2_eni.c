/* cloud/ops_ec2_eni.c - network interfaces: creating, attaching, addresses, groups. */
#include "cloud/ops_ec2_eni.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "netsim/model/instance.h"

/* ---- an interface in a request -------------------------------------------------------------------------------------
 */

static bool
fail_at(const char *where, const char *member, struct err *err)
{
    char place[160];
    snprintf(place, sizeof place, "%s%s%s", where, *where ? "." : "", member);
    return err_at(err, place, 0, 0);
}

static bool
read_ip(const json_t *value, const char *where, const char *member, int family, struct ip *ip, struct err *err)
{
    const char *text = json_string_value(value);
    if (!text || !ip_parse(text, ip) || ip->family != family) {
        err_set(err, ERR_INPUT, "InvalidParameterValue",
                "value (`%s`) for parameter `%s` is invalid: this is not a valid IPv%d address", text ? text : "",
                member, family);
        return fail_at(where, member, err);
    }
    return true;
}

/* PrivateIpAddress and PrivateIpAddresses together: one primary, the rest secondary. */
static bool
read_addresses(const json_t *json, const char *where, struct eni_request *request, struct err *err)
{
    const json_t *single = json_object_get(json, "PrivateIpAddress"),
                 *list = json_object_get(json, "PrivateIpAddresses"), *item;
    size_t i;
    if (single && !read_ip(single, where, "PrivateIpAddress", IP_V4, &request->spec.ip, err)) {
        return false;
    }
    json_array_foreach(list, i, item)
    {
        struct ip ip;
        if (!read_ip(json_object_get(item, "PrivateIpAddress"), where, "PrivateIpAddresses", IP_V4, &ip, err)) {
            return false;
        }
        if (!json_flag(item, "Primary", false)) {
            *VEC_ADD(&request->secondary) = ip;
        } else if (request->spec.ip.family) {
            err_set(err, ERR_INPUT, "InvalidParameterCombination", "an interface has one primary address: `%s` or `%s`",
                    ip_str(&request->spec.ip), ip_str(&ip));
            return fail_at(where, "PrivateIpAddresses", err);
        } else {
            request->spec.ip = ip;
        }
    }
    long long count = json_int(json, "SecondaryPrivateIpAddressCount", 0);
    if (count < 0 || count > 1000 || (count && request->secondary.n)) {
        err_set(
            err, ERR_INPUT, count && request->secondary.n ? "InvalidParameterCombination" : "InvalidParameterValue",
            "`SecondaryPrivateIpAddressCount` (%lld) says how many to pick when none are named in `PrivateIpAddresses`",
            count);
        return fail_at(where, "SecondaryPrivateIpAddressCount", err);
    }
    request->spec.n_pick_secondary = (size_t)count;
    return true;
}

static bool
read_addresses6(const json_t *json, const char *where, struct eni_request *request, struct err *err)
{
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(json, "Ipv6Addresses"), i, item)
    {
        const json_t *value = json_is_object(item) ? json_object_get(item, "Ipv6Address") : item;
        struct ip ip;
        if (!read_ip(value, where, "Ipv6Addresses", IP_V6, &ip, err)) {
            return false;
        }
        if (json_flag(item, "IsPrimaryIpv6", false)) {
            return err_set(err, ERR_INPUT, "UnsupportedOperation",
                           "vpclab does not model primary IPv6 addresses (`IsPrimaryIpv6`)");
        }
        *VEC_ADD(&request->ips6) = ip;
    }
    long long count = json_int(json, "Ipv6AddressCount", 0);
    if (count < 0 || count > 1000 || (count && request->ips6.n)) {
        err_set(err, ERR_INPUT, count && request->ips6.n ? "InvalidParameterCombination" : "InvalidParameterValue",
                "`Ipv6AddressCount` (%lld) says how many to pick when none are named in `Ipv6Addresses`", count);
        return fail_at(where, "Ipv6AddressCount", err);
    }
    request->spec.n_pick_ips6 = (size_t)count;
    return true;
}

bool
eni_request_read(const json_t *json, const char *where, struct eni_request *request, struct err *err)
{
    const json_t *item;
    size_t i;
    *request = (struct eni_request){ .spec = { .subnet_id = json_str(json, "SubnetId"),
                                               .description = json_str(json, "Description") } };
    if (!read_addresses(json, where, request, err) || !read_addresses6(json, where, request, err)) {
        return false;
    }
    json_array_foreach(json_object_get(json, "Groups"), i, item)
    {
        *VEC_ADD(&request->groups) = json_string_value(item);
    }
    request->spec.secondary = request->secondary.items;
    request->spec.n_secondary = request->secondary.n;
    request->spec.ips6 = request->ips6.items;
    request->spec.n_ips6 = request->ips6.n;
    request->spec.groups = request->groups.items;
    request->spec.n_groups = request->groups.n;
    return true;
}

void
eni_request_done(struct eni_request *request)
{
    VEC_DONE(&request->secondary);
    VEC_DONE(&request->ips6);
    VEC_DONE(&request->groups);
}

/* ---- creating and deleting -----------------------------------------------------------------------------------------
 */

static bool
create_network_interface(struct op_call *call, struct err *err)
{
    static const struct kind *const kinds[] = { &eni_kind, NULL };
    const char *type = arg_str(call->in, "InterfaceType");
    struct eni_request request = { 0 };
    struct eni *eni = NULL;
    if (!ec2_require(call, &subnet_kind, "SubnetId", err) || !ec2_check_tags(call, kinds, err)) {
        return false;
    }
    if (type && strcmp(type, "interface") != 0) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model interfaces of the type `%s`",
                       type);
    }
    if (eni_request_read(call->in, "", &request, err)) {
        eni = eni_create(ec2_net(call), &request.spec, err);
    }
    eni_request_done(&request);
    if (!eni) {
        return false;
    }
    ec2_tag_new(call, &eni->obj);
    ec2_answer(call, "NetworkInterface", eni);
    ec2_answer_token(call);
    return true;
}

static struct eni *
require_eni(const struct op_call *call, struct err *err)
{
    return ec2_require(call, &eni_kind, "NetworkInterfaceId", err);
}

static bool
delete_network_interface(struct op_call *call, struct err *err)
{
    struct eni *eni = require_eni(call, err);
    return eni && eni_delete(ec2_net(call), eni, err);
}

static bool
attach_network_interface(struct op_call *call, struct err *err)
{
    struct eni *eni = require_eni(call, err);
    if (!eni) {
        return false;
    }
    if (arg_int(call->in, "NetworkCardIndex", 0) != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "invalid network card index `%lld`: the instances here have one network card (0)",
                       arg_int(call->in, "NetworkCardIndex", 0));
    }
    if (!eni_attach(ec2_net(call), eni, arg_str(call->in, "InstanceId"), (int)arg_int(call->in, "DeviceIndex", -1),
                    err)) {
        return false;
    }
    json_object_set_new(call->out, "AttachmentId", json_string(eni->attachment.id));
    json_object_set_new(call->out, "NetworkCardIndex", json_integer(0));
    return true;
}

static bool
detach_network_interface(struct op_call *call, struct err *err)
{
    return eni_detach(ec2_net(call), arg_str(call->in, "AttachmentId"), arg_flag(call->in, "Force", false), err);
}

/* ---- attributes
 * ------------------------------------------------------------------------------------------------------ */

static bool
modify_description(struct op_call *call, struct eni *eni, struct err *err)
{
    const char *text = json_string_value(json_at(call->in, "Description.Value"));
    (void)err;
    char *copy = xstrdup(text ? text : "");
    free(eni->description);
    eni->description = copy;
    return true;
}

static bool
modify_source_dest_check(struct op_call *call, struct eni *eni, struct err *err)
{
    (void)err;
    eni->source_dest_check = arg_flag(call->in, "SourceDestCheck", true);
    return true;
}

static bool
modify_groups(struct op_call *call, struct eni *eni, struct err *err)
{
    struct eni_request request;
    bool ok = eni_request_read(call->in, "", &request, err) &&
              eni_set_groups(ec2_net(call), eni, request.spec.groups, request.spec.n_groups, err);
    eni_request_done(&request);
    return ok;
}

static bool
modify_attachment(struct op_call *call, struct eni *eni, struct err *err)
{
    const json_t *attachment = json_object_get(call->in, "Attachment");
    const char *id = json_str(attachment, "AttachmentId");
    if (!id || !json_object_get(attachment, "DeleteOnTermination")) {
        return err_set(err, ERR_INPUT, "MissingParameter",
                       "`Attachment` needs `AttachmentId` and `DeleteOnTermination`");
    }
    if (json_object_get(attachment, "EnaQueueCount") || json_object_get(attachment, "DefaultEnaQueueCount")) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation",
                       "vpclab does not model queues of an interface (`EnaQueueCount`)");
    }
    if (!eni->attached || strcmp(eni->attachment.id, id) != 0) {
        return err_set(err, ERR_INPUT, "InvalidAttachmentID.NotFound", "the attachment `%s` is not one of `%s`", id,
                       eni->obj.id);
    }
    eni->attachment.delete_on_termination = json_flag(attachment, "DeleteOnTermination", false);
    return true;
}

static bool
modify_network_interface_attribute(struct op_call *call, struct err *err)
{
    static const struct {
        const char *member;
        bool (*modify)(struct op_call *call, struct eni *eni, struct err *err);
    } rows[] = {
        { "Description", modify_description },
        { "SourceDestCheck", modify_source_dest_check },
        { "Groups", modify_groups },
        { "Attachment", modify_attachment },
    };
    struct eni *eni = require_eni(call, err);
    size_t found = ARRAY_SIZE(rows);
    if (!eni) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!json_object_get(call->in, rows[i].member)) {
            continue;
        }
        if (found < ARRAY_SIZE(rows)) {
            err_set(err, ERR_INPUT, "InvalidParameterCombination",
                    "the parameters `%s` and `%s` cannot be used together", rows[found].member, rows[i].member);
            return err_hint(err, "modify one attribute at a time");
        }
        found = i;
    }
    if (found == ARRAY_SIZE(rows)) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain an attribute to modify");
        return err_hint(err, "attributes: Description, SourceDestCheck, Groups, Attachment");
    }
    if (eni->requester_managed) {
        return err_set(err, ERR_INPUT, "OperationNotPermitted", "you are not allowed to manage `%s`", eni->obj.id);
    }
    if (rows[found].modify != modify_groups) { /* which notes by itself what it changes (netsim/model/changes.h) */
        store_touch(network_store(ec2_net(call)));
    }
    return rows[found].modify(call, eni, err);
}

static bool
describe_network_interface_attribute(struct op_call *call, struct err *err)
{
    static const struct {
        const char *attribute, *member;
        bool wrapped; /* as {"Value": ...} */
    } rows[] = {
        { "attachment", "Attachment", false },
        { "description", "Description", true },
        { "groupSet", "Groups", false },
        { "sourceDestCheck", "SourceDestCheck", true },
    };
    const struct eni *eni = require_eni(call, err);
    const char *name = arg_str(call->in, "Attribute");
    if (!eni) {
        return false;
    }
    if (!name) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `Attribute`");
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].attribute, name) != 0) {
            continue;
        }
        json_t *described = object_describe(network_store(ec2_net(call)), eni),
               *value = json_object_get(described, rows[i].member);
        if (value) {
            json_object_set_new(call->out, rows[i].member,
                                rows[i].wrapped ? json_pack("{s:O}", "Value", value) : json_incref(value));
        }
        json_decref(described);
        json_object_set_new(call->out, "NetworkInterfaceId", json_string(eni->obj.id));
        return true;
    }
    err_set(err, ERR_INPUT, "InvalidParameterValue", "value (`%s`) for parameter `Attribute` is invalid", name);
    return err_hint(err, "use attachment, description, groupSet or sourceDestCheck");
}

static bool
reset_network_interface_attribute(struct op_call *call, struct err *err)
{
    struct eni *eni = require_eni(call, err);
    if (eni && !arg_str(call->in, "SourceDestCheck")) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `SourceDestCheck`");
    }
    if (eni) {
        eni->source_dest_check = true;
        store_touch(network_store(ec2_net(call)));
    }
    return eni != NULL;
}

/* ---- addresses
 * --------------------------------------------------------------------------------------------------------- */

typedef VEC(struct ip) ip_vec;

static bool
read_ips(const struct op_call *call, const char *member, int family, ip_vec *ips, struct err *err)
{
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(call->in, member), i, item)
    {
        if (!read_ip(item, "", member, family, VEC_ADD(ips), err)) {
            return false;
        }
    }
    return true;
}

/* AllowReassignment: an address that another interface of the subnet has as a secondary one moves over. */
static bool
take_over(struct op_call *call, const struct eni *eni, const ip_vec *ips, struct err *err)
{
    for (size_t i = 0; i < ips->n; i++) {
        struct eni *owner = network_eni_by_address(ec2_net(call), eni->vpc_id, &ips->items[i]);
        if (owner && owner != eni && strcmp(owner->subnet_id, eni->subnet_id) == 0 &&
            !eni_unassign_ips(ec2_net(call), owner, &ips->items[i], 1, err)) {
            return false;
        }
    }
    return true;
}

static bool
assign_private_ip_addresses(struct op_call *call, struct err *err)
{
    struct eni *eni = require_eni(call, err);
    ip_vec ips = { 0 };
    long long count = arg_int(call->in, "SecondaryPrivateIpAddressCount", 0);
    if (!eni) {
        return false;
    }
    if (count < 0 || count > 1000) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "invalid value `%lld` for SecondaryPrivateIpAddressCount", count);
    }
    bool ok = read_ips(call, "PrivateIpAddresses", IP_V4, &ips, err) &&
              (!arg_flag(call->in, "AllowReassignment", false) || take_over(call, eni, &ips, err));
    size_t before = eni->addresses.n;
    ok = ok && eni_assign_ips(ec2_net(call), eni, ips.items, ips.n, (size_t)count, err);
    VEC_DONE(&ips);
    if (!ok) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = before; i < eni->addresses.n; i++) {
        json_array_append_new(list, json_pack("{s:s}", "PrivateIpAddress", ip_str(&eni->addresses.items[i].ip)));
    }
    json_object_set_new(call->out, "NetworkInterfaceId", json_string(eni->obj.id));
    json_object_set_new(call->out, "AssignedPrivateIpAddresses", list);
    return true;
}

static bool
unassign_private_ip_addresses(struct op_call *call, struct err *err)
{
    struct eni *eni = require_eni(call, err);
    ip_vec ips = { 0 };
    if (!eni) {
        return false;
    }
    if (!json_object_get(call->in, "PrivateIpAddresses")) {
        return err_set(err, ERR_INPUT, "MissingParameter",
                       "the request must contain the parameter `PrivateIpAddresses`");
    }
    bool ok = read_ips(call, "PrivateIpAddresses", IP_V4, &ips, err) &&
              eni_unassign_ips(ec2_net(call), eni, ips.items, ips.n, err);
    VEC_DONE(&ips);
    return ok;
}

static bool
assign_ipv6_addresses(struct op_call *call, struct err *err)
{
    struct eni *eni = require_eni(call, err);
    ip_vec ips = { 0 };
    long long count = arg_int(call->in, "Ipv6AddressCount", 0);
    if (!eni) {
        return false;
    }
    if (count < 0 || count > 1000) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%lld` for Ipv6AddressCount", count);
    }
    size_t before = eni->addresses6.n;
    bool ok = read_ips(call, "Ipv6Addresses", IP_V6, &ips, err) &&
              eni_assign_ips6(ec2_net(call), eni, ips.items, ips.n, (size_t)count, err);
    VEC_DONE(&ips);
    if (!ok) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = before; i < eni->addresses6.n; i++) {
        json_array_append_new(list, json_string(ip_str(&eni->addresses6.items[i].ip)));
    }
    json_object_set_new(call->out, "AssignedIpv6Addresses", list);
    json_object_set_new(call->out, "NetworkInterfaceId", json_string(eni->obj.id));
    return true;
}

static bool
unassign_ipv6_addresses(struct op_call *call, struct err *err)
{
    struct eni *eni = require_eni(call, err);
    ip_vec ips = { 0 };
    if (!eni) {
        return false;
    }
    if (!json_object_get(call->in, "Ipv6Addresses")) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `Ipv6Addresses`");
    }
    bool ok = read_ips(call, "Ipv6Addresses", IP_V6, &ips, err) &&
              eni_unassign_ips6(ec2_net(call), eni, ips.items, ips.n, err);
    VEC_DONE(&ips);
    if (ok) {
        json_object_set_new(call->out, "NetworkInterfaceId", json_string(eni->obj.id));
        json_object_set(call->out, "UnassignedIpv6Addresses", json_object_get(call->in, "Ipv6Addresses"));
    }
    return ok;
}

#define WRITE(name_, run_, resources_, help_)                                                                          \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = OP_WRITE, .run = run_, .resources = resources_, .help = help_         \
    }
#define ENI "network-interface/${NetworkInterfaceId}"
const struct op ops_ec2_eni[] = {
    WRITE("CreateNetworkInterface", create_network_interface, "network-interface/* subnet/${SubnetId}",
          "Create a network interface in a subnet."),
    WRITE("DeleteNetworkInterface", delete_network_interface, ENI, "Delete an interface that is not attached."),
    WRITE("AttachNetworkInterface", attach_network_interface, ENI " instance/${InstanceId}",
          "Attach an interface to an instance of its zone."),
    WRITE("DetachNetworkInterface", detach_network_interface, NULL, "Detach an interface; not the one of device 0."),
    WRITE("ModifyNetworkInterfaceAttribute", modify_network_interface_attribute, ENI,
          "Change an interface's groups, source/destination check or description."),
    { .service = "ec2",
      .name = "DescribeNetworkInterfaceAttribute",
      .mode = OP_READ,
      .run = describe_network_interface_attribute,
      .resources = ENI,
      .help = "Show one attribute of an interface." },
    WRITE("ResetNetworkInterfaceAttribute", reset_network_interface_attribute, ENI,
          "Turn the source/destination check on again."),
    WRITE("AssignPrivateIpAddresses", assign_private_ip_addresses, ENI,
          "Give an interface further private IPv4 addresses."),
    WRITE("UnassignPrivateIpAddresses", unassign_private_ip_addresses, ENI,
          "Take secondary private addresses from an interface."),
    WRITE("AssignIpv6Addresses", assign_ipv6_addresses, ENI, "Give an interface IPv6 addresses."),
    WRITE("UnassignIpv6Addresses", unassign_ipv6_addresses, ENI, "Take IPv6 addresses from an interface."),
    { 0 },
};

/* cloud/ops_directconnect.c - Direct Connect gateways, their associations, connections and virtual interfaces.
 *
 * AWS spells the members of this service with a small letter first; the kinds, which imports fill, with a capital.
 * Source: https://docs.aws.amazon.com/directconnect/latest/APIReference/API_Operations.html */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "cloud/answer_page.h"
#include "cloud/ops_ec2.h"
#include "netsim/model/vpn.h"

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static json_t *
small_letters(const json_t *value)
{
    if (json_is_array(value)) {
        json_t *list = json_array();
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_array_append_new(list, small_letters(json_array_get(value, i)));
        }
        return list;
    }
    if (!json_is_object(value)) {
        return json_incref((json_t *)value);
    }
    json_t *out = json_object(), *item;
    const char *name;
    json_object_foreach((json_t *)value, name, item)
    {
        char small[64];
        snprintf(small, sizeof small, "%c%s", tolower((unsigned char)name[0]), name + 1);
        json_object_set_new(out, small, small_letters(item));
    }
    return out;
}

/* As its operation prints it; owners and regions stand beside the fields of the kind. */
static json_t *
described(const struct op_call *call, const struct object *object)
{
    json_t *capital = object_describe(network_store(ec2_net(call)), object), *out = small_letters(capital);
    bool association = object->kind == &direct_connect_association_kind;
    json_object_set_new(out, association ? "directConnectGatewayOwnerAccount" : "ownerAccount",
                        json_string(object->account));
    if (object->kind == &virtual_interface_kind || object->kind == &direct_connect_connection_kind) {
        json_object_set_new(out, "region", json_string(object->region));
    }
    if (object->kind == &virtual_interface_kind) {
        json_object_set_new(out, "asnLong",
                            json_integer(((const struct virtual_interface *)(const void *)object)->asn));
    }
    if (object->kind == &direct_connect_gateway_kind) {
        json_object_del(out, "tags");
    }
    json_decref(capital);
    return out;
}

static void
answer(struct op_call *call, const char *member, const struct object *object)
{
    json_object_set_new(call->out, member, described(call, object));
}

static struct object *
require(const struct op_call *call, const struct kind *kind, const char *member, struct err *err)
{
    const char *id = arg_str(call->in, member);
    struct object *object = id ? store_get(network_store(ec2_net(call)), kind, id) : NULL;
    if (!object) {
        err_set(err, ERR_INPUT, "DirectConnectClientException",
                id ? "the %s `%s` does not exist" : "the %s is not named%s", kind->name, id ? id : "");
    }
    return object;
}

static void
tag_new(struct object *object, const json_t *tags)
{
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        object_set_tag(object, json_str(tag, "key"), json_str(tag, "value") ? json_str(tag, "value") : "");
    }
}

/* A page of all objects of a kind that the request's ids leave; 'fits' may be NULL. */
static bool
list_all(struct op_call *call, const struct kind *kind, const char *member,
         bool (*fits)(const struct op_call *call, const struct object *object), struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const char *token = arg_str(call->in, "nextToken");
    size_t start = token ? strtoul(token, NULL, 10) : 0, n = 0;
    size_t size = (size_t)arg_int(call->in, "maxResults", 100);
    if (token && strspn(token, "0123456789") != strlen(token)) {
        return err_set(err, ERR_INPUT, "DirectConnectClientException", "`%.60s` is no token of this list", token);
    }
    json_t *list = json_array();
    for (const struct object *o = store_first(store, kind); o; o = store_next(store, o)) {
        if (strcmp(o->account, call->cloud->account) != 0 || (fits && !fits(call, o))) {
            continue;
        }
        if (n >= start && n < start + size) {
            json_array_append_new(list, described(call, o));
        }
        n++;
    }
    json_object_set_new(call->out, member, list);
    if (n > start + size) {
        json_object_set_new(call->out, "nextToken", json_sprintf("%zu", start + size));
    }
    return true;
}

static bool
is_asked(const struct op_call *call, const char *member, const char *id)
{
    const char *asked = arg_str(call->in, member);
    return !asked || strcmp(asked, id) == 0;
}

/* ---- gateways ---------------------------------------------------------------------------------------------------- */

static bool
create_gateway(struct op_call *call, struct err *err)
{
    struct direct_connect_gateway *gateway = direct_connect_gateway_create(
        ec2_net(call), arg_str(call->in, "directConnectGatewayName"), arg_int(call->in, "amazonSideAsn", 0), err);
    if (!gateway) {
        return false;
    }
    tag_new(&gateway->obj, json_object_get(call->in, "tags"));
    answer(call, "directConnectGateway", &gateway->obj);
    return true;
}

static bool
rename_gateway(struct op_call *call, struct err *err)
{
    struct direct_connect_gateway *gateway =
        (void *)require(call, &direct_connect_gateway_kind, "directConnectGatewayId", err);
    if (!gateway) {
        return false;
    }
    free(gateway->name);
    gateway->name = xstrdup(arg_str(call->in, "newDirectConnectGatewayName"));
    answer(call, "directConnectGateway", &gateway->obj);
    return true;
}

static bool
delete_gateway(struct op_call *call, struct err *err)
{
    struct direct_connect_gateway *gateway =
        (void *)require(call, &direct_connect_gateway_kind, "directConnectGatewayId", err);
    if (!gateway) {
        return false;
    }
    answer(call, "directConnectGateway", &gateway->obj);
    json_object_set_new(json_object_get(call->out, "directConnectGateway"), "directConnectGatewayState",
                        json_string("deleted"));
    return direct_connect_gateway_delete(ec2_net(call), gateway, err);
}

static bool
gateway_fits(const struct op_call *call, const struct object *object)
{
    return is_asked(call, "directConnectGatewayId", object->id);
}

static bool
describe_gateways(struct op_call *call, struct err *err)
{
    return list_all(call, &direct_connect_gateway_kind, "directConnectGateways", gateway_fits, err);
}

/* ---- associations ------------------------------------------------------------------------------------------------ */

static bool
read_prefixes(const struct op_call *call, const char *member, struct cidr **cidrs, size_t *n, struct err *err)
{
    const json_t *list = json_object_get(call->in, member);
    *n = json_array_size(list);
    *cidrs = xcalloc(*n + 1, sizeof **cidrs);
    for (size_t i = 0; i < *n; i++) {
        const char *text = json_str(json_array_get(list, i), "cidr");
        if (!text || !cidr_parse(text, &(*cidrs)[i])) {
            return err_set(err, ERR_INPUT, "DirectConnectClientException", "`%s` is no block", text ? text : "") ||
                   err_at(err, member, 0, 0);
        }
    }
    return true;
}

static bool
create_association(struct op_call *call, struct err *err)
{
    struct direct_connect_gateway *gateway =
        (void *)require(call, &direct_connect_gateway_kind, "directConnectGatewayId", err);
    const char *id = arg_str(call->in, "gatewayId");
    struct cidr *allowed = NULL;
    size_t n = 0;
    bool ok = gateway && read_prefixes(call, "addAllowedPrefixesToDirectConnectGateway", &allowed, &n, err);
    struct direct_connect_association *association =
        ok ? direct_connect_associate(ec2_net(call), gateway, id ? id : arg_str(call->in, "virtualGatewayId"), allowed,
                                      n, err)
           : NULL;
    free(allowed);
    if (association) {
        answer(call, "directConnectGatewayAssociation", &association->obj);
    }
    return association != NULL;
}

/* By its id, or by the two that it joins. */
static struct direct_connect_association *
require_association(const struct op_call *call, struct err *err)
{
    const char *gateway = arg_str(call->in, "directConnectGatewayId"), *other = arg_str(call->in, "virtualGatewayId");
    struct direct_connect_association *association =
        gateway && other ? direct_connect_association_of(ec2_net(call), gateway, other) : NULL;
    return association ? association : (void *)require(call, &direct_connect_association_kind, "associationId", err);
}

static bool
update_association(struct op_call *call, struct err *err)
{
    struct direct_connect_association *association = require_association(call, err);
    struct cidr *add = NULL, *remove = NULL;
    size_t n_add = 0, n_remove = 0;
    bool ok = association && read_prefixes(call, "addAllowedPrefixesToDirectConnectGateway", &add, &n_add, err) &&
              read_prefixes(call, "removeAllowedPrefixesToDirectConnectGateway", &remove, &n_remove, err) &&
              direct_connect_allow(ec2_net(call), association, add, n_add, remove, n_remove, err);
    free(add);
    free(remove);
    if (ok) {
        answer(call, "directConnectGatewayAssociation", &association->obj);
    }
    return ok;
}

static bool
delete_association(struct op_call *call, struct err *err)
{
    struct direct_connect_association *association = require_association(call, err);
    if (!association) {
        return false;
    }
    answer(call, "directConnectGatewayAssociation", &association->obj);
    json_object_set_new(json_object_get(call->out, "directConnectGatewayAssociation"), "associationState",
                        json_string("disassociated"));
    direct_connect_disassociate(ec2_net(call), association);
    return true;
}

static bool
association_fits(const struct op_call *call, const struct object *object)
{
    const struct direct_connect_association *a = (const void *)object;
    return is_asked(call, "associationId", a->obj.id) && is_asked(call, "associatedGatewayId", a->associated_id) &&
           is_asked(call, "directConnectGatewayId", a->gateway_id) && is_asked(call, "virtualGatewayId", a->vgw_id);
}

static bool
describe_associations(struct op_call *call, struct err *err)
{
    return list_all(call, &direct_connect_association_kind, "directConnectGatewayAssociations", association_fits, err);
}

/* Virtual interfaces seen from their gateways. */
static bool
describe_attachments(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    json_t *list = json_array();
    for (const struct virtual_interface *v = store_first(store, &virtual_interface_kind); v; v = store_next(store, v)) {
        if (v->gateway_id[0] && is_asked(call, "directConnectGatewayId", v->gateway_id) &&
            is_asked(call, "virtualInterfaceId", v->obj.id)) {
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "directConnectGatewayId", v->gateway_id,
                                            "virtualInterfaceId", v->obj.id, "virtualInterfaceRegion", v->obj.region,
                                            "virtualInterfaceOwnerAccount", v->obj.account, "attachmentState",
                                            "attached", "attachmentType",
                                            v->type && strcmp(v->type, "transit") == 0 ? "TransitVirtualInterface"
                                                                                       : "PrivateVirtualInterface"));
        }
    }
    return answer_page(call, "directConnectGatewayAttachments", list, err);
}

/* ---- connections, virtual interfaces ----------------------------------------------------------------------------- */

static bool
create_connection(struct op_call *call, struct err *err)
{
    (void)err;
    struct direct_connect_connection *connection =
        direct_connect_connection_create(ec2_net(call), arg_str(call->in, "connectionName"),
                                         arg_str(call->in, "location"), arg_str(call->in, "bandwidth"));
    tag_new(&connection->obj, json_object_get(call->in, "tags"));
    json_t *out = described(call, &connection->obj);
    json_object_update(call->out, out);
    json_decref(out);
    return true;
}

static bool
delete_connection(struct op_call *call, struct err *err)
{
    struct object *connection = require(call, &direct_connect_connection_kind, "connectionId", err);
    const struct store *store = network_store(ec2_net(call));
    for (const struct virtual_interface *v = connection ? store_first(store, &virtual_interface_kind) : NULL; v;
         v = store_next(store, v)) {
        if (v->connection_id && strcmp(v->connection_id, connection->id) == 0) {
            return err_set(err, ERR_INPUT, "DirectConnectClientException", "`%s` carries the virtual interface `%s`",
                           connection->id, v->obj.id);
        }
    }
    if (!connection) {
        return false;
    }
    json_t *out = described(call, connection);
    json_object_update(call->out, out);
    json_object_set_new(call->out, "connectionState", json_string("deleted"));
    json_decref(out);
    store_delete(network_store(ec2_net(call)), connection);
    return true;
}

static bool
connection_fits(const struct op_call *call, const struct object *object)
{
    return is_asked(call, "connectionId", object->id);
}

static bool
describe_connections(struct op_call *call, struct err *err)
{
    return list_all(call, &direct_connect_connection_kind, "connections", connection_fits, err);
}

static bool
create_interface(struct op_call *call, struct err *err)
{
    bool transit = strcmp(call->op->name, "CreateTransitVirtualInterface") == 0;
    const json_t *in = json_object_get(call->in, transit ? "newTransitVirtualInterface" : "newPrivateVirtualInterface");
    static const char *const refused[] = { "authKey", "enableSiteLink", "mtu" };
    const char *family = json_str(in, "addressFamily");
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        if (json_object_get(in, refused[i])) {
            return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model `%s` of a virtual interface",
                           refused[i]);
        }
    }
    if (family && strcmp(family, "ipv4") != 0) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab models virtual interfaces of IPv4 only");
    }
    struct virtual_interface_spec spec = { .connection_id = arg_str(call->in, "connectionId"),
                                           .name = json_str(in, "virtualInterfaceName"),
                                           .type = transit ? "transit" : "private",
                                           .gateway_id = json_str(in, "directConnectGatewayId"),
                                           .vgw_id = json_str(in, "virtualGatewayId"),
                                           .amazon_address = json_str(in, "amazonAddress"),
                                           .customer_address = json_str(in, "customerAddress"),
                                           .vlan = (int)json_int(in, "vlan", 0),
                                           .asn = json_int(in, "asnLong", json_int(in, "asn", 0)) };
    struct virtual_interface *v = virtual_interface_create(ec2_net(call), &spec, err);
    if (!v) {
        return false;
    }
    tag_new(&v->obj, json_object_get(in, "tags"));
    if (transit) {
        answer(call, "virtualInterface", &v->obj);
    } else {
        json_t *out = described(call, &v->obj);
        json_object_update(call->out, out);
        json_decref(out);
    }
    return true;
}

static bool
delete_interface(struct op_call *call, struct err *err)
{
    struct object *v = require(call, &virtual_interface_kind, "virtualInterfaceId", err);
    if (v) {
        store_delete(network_store(ec2_net(call)), v);
        json_object_set_new(call->out, "virtualInterfaceState", json_string("deleted"));
    }
    return v != NULL;
}

static bool
interface_fits(const struct op_call *call, const struct object *object)
{
    const struct virtual_interface *v = (const void *)object;
    return is_asked(call, "virtualInterfaceId", v->obj.id) &&
           is_asked(call, "connectionId", v->connection_id ? v->connection_id : "");
}

static bool
describe_interfaces(struct op_call *call, struct err *err)
{
    return list_all(call, &virtual_interface_kind, "virtualInterfaces", interface_fits, err);
}

#define ROW(name_, mode_, run_, help_)                                                                                 \
    {                                                                                                                  \
        .service = "directconnect", .name = name_, .mode = mode_, .run = run_, .help = help_                           \
    }
const struct op ops_directconnect[] = {
    ROW("CreateDirectConnectGateway", OP_WRITE, create_gateway,
        "Create a Direct Connect gateway, which joins virtual interfaces with VPCs."),
    ROW("DescribeDirectConnectGateways", OP_READ, describe_gateways, "Show Direct Connect gateways."),
    ROW("UpdateDirectConnectGateway", OP_WRITE, rename_gateway, "Give a Direct Connect gateway another name."),
    ROW("DeleteDirectConnectGateway", OP_WRITE, delete_gateway, "Delete a Direct Connect gateway that nothing uses."),
    ROW("CreateDirectConnectGatewayAssociation", OP_WRITE, create_association,
        "Join a virtual private or transit gateway to a Direct Connect gateway."),
    ROW("DescribeDirectConnectGatewayAssociations", OP_READ, describe_associations,
        "Show what Direct Connect gateways are joined to, and the prefixes they announce."),
    ROW("UpdateDirectConnectGatewayAssociation", OP_WRITE, update_association,
        "Change the prefixes that an association announces to the customer's side."),
    ROW("DeleteDirectConnectGatewayAssociation", OP_WRITE, delete_association,
        "End the association of a gateway with a Direct Connect gateway."),
    ROW("DescribeDirectConnectGatewayAttachments", OP_READ, describe_attachments,
        "Show the virtual interfaces of Direct Connect gateways."),
    ROW("CreateConnection", OP_WRITE, create_connection, "Create a Direct Connect connection: the line itself."),
    ROW("DescribeConnections", OP_READ, describe_connections, "Show Direct Connect connections."),
    ROW("DeleteConnection", OP_WRITE, delete_connection, "Delete a connection that carries no virtual interface."),
    ROW("CreatePrivateVirtualInterface", OP_WRITE, create_interface,
        "Create a virtual interface to a virtual private gateway or a Direct Connect gateway."),
    ROW("CreateTransitVirtualInterface", OP_WRITE, create_interface,
        "Create a virtual interface to a Direct Connect gateway for transit gateways."),
    ROW("DescribeVirtualInterfaces", OP_READ, describe_interfaces, "Show virtual interfaces."),
    ROW("DeleteVirtualInterface", OP_WRITE, delete_interface, "Delete a virtual interface."),
    { 0 },
};

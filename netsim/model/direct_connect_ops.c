/* Direct Connect: gateways, associations, virtual interfaces.
 * Sources: https://docs.aws.amazon.com/directconnect/latest/APIReference/API_Operations.html,
 * https://docs.aws.amazon.com/directconnect/latest/UserGuide/direct-connect-gateways.html (what may be associated with
 * what), https://docs.aws.amazon.com/directconnect/latest/UserGuide/limits.html */
#include "netsim/model/internal.h"

#define ALLOWED_VGW 20
#define ALLOWED_TGW 200
#define DEFAULT_ASN 64512

#define REFUSE(...) err_set(err, ERR_INPUT, "DirectConnectClientException", __VA_ARGS__)

/* Of 2 bytes or 4, for private use (RFC 6996). */
static bool
asn_is_private(int64_t asn)
{
    return (asn >= 64512 && asn <= 65534) || (asn >= 4200000000 && asn <= 4294967294);
}

struct direct_connect_gateway *
direct_connect_gateway_create(struct network *net, const char *name, int64_t asn, struct err *err)
{
    char id[37];
    if (str_empty(name) || strlen(name) > 100) {
        REFUSE("a Direct Connect gateway has a name of 1 to 100 characters");
        return NULL;
    }
    if (asn && !asn_is_private(asn)) {
        REFUSE("`%lld` is no private autonomous system number", (long long)asn);
        err_hint(err, "64512 to 65534, or 4200000000 to 4294967294");
        return NULL;
    }
    id_new_uuid(net->ids, id);
    struct direct_connect_gateway *gateway = network_add(net, &direct_connect_gateway_kind, id);
    gateway->name = xstrdup(name);
    gateway->amazon_side_asn = asn ? asn : DEFAULT_ASN;
    gateway->state = xstrdup("available");
    return gateway;
}

bool
direct_connect_gateway_delete(struct network *net, struct direct_connect_gateway *gateway, struct err *err)
{
    for (const struct direct_connect_association *a = store_first(net->store, &direct_connect_association_kind); a;
         a = store_next(net->store, a)) {
        if (strcmp(a->gateway_id, gateway->obj.id) == 0) {
            return REFUSE("the Direct Connect gateway `%s` is associated with `%s`", gateway->obj.id, a->associated_id);
        }
    }
    for (const struct virtual_interface *v = store_first(net->store, &virtual_interface_kind); v;
         v = store_next(net->store, v)) {
        if (strcmp(v->gateway_id, gateway->obj.id) == 0) {
            return REFUSE("the Direct Connect gateway `%s` has the virtual interface `%s`", gateway->obj.id, v->obj.id);
        }
    }
    network_remove(net, gateway);
    return true;
}

/* ---- associations ------------------------------------------------------------------------------------------------ */

static bool
gateway_takes(const struct network *net, const struct direct_connect_gateway *gateway, const struct object *other,
              const char *type, struct err *err)
{
    for (const struct direct_connect_association *a = store_first(net->store, &direct_connect_association_kind); a;
         a = store_next(net->store, a)) {
        if (strcmp(a->gateway_id, gateway->obj.id) != 0) {
            continue;
        }
        if (strcmp(a->associated_id, other->id) == 0) {
            return REFUSE("`%s` is already associated with `%s`", other->id, gateway->obj.id);
        }
        if (!str_is(a->associated_type, type)) {
            REFUSE("`%s` serves virtual private gateways or transit gateways, not both: it has `%s`", gateway->obj.id,
                   a->associated_id);
            return err_hint(err, "another Direct Connect gateway for the other sort");
        }
    }
    const struct direct_connect_gateway *dx = gateway;
    const struct transit_gateway *tgw = other->kind == &transit_gateway_kind ? (const void *)other : NULL;
    return !tgw || tgw->amazon_side_asn != dx->amazon_side_asn ||
           REFUSE("`%s` and `%s` have the same autonomous system number %lld", other->id, dx->obj.id,
                  (long long)dx->amazon_side_asn);
}

static bool
allowed_check(const char *id, size_t n, struct err *err)
{
    bool tgw = strncmp(id, "tgw-", 4) == 0;
    size_t most = tgw ? ALLOWED_TGW : ALLOWED_VGW;
    if ((n == 0 && tgw) || n > most) {
        return REFUSE("`%s` announces %s to %zu allowed prefixes, not %zu", id, tgw ? "1" : "up", most, n);
    }
    return true;
}

struct direct_connect_association *
direct_connect_associate(struct network *net, struct direct_connect_gateway *gateway, const char *id,
                         const struct cidr *allowed, size_t n_allowed, struct err *err)
{
    bool tgw = id && strncmp(id, "tgw-", 4) == 0;
    const char *type = tgw ? "transitGateway" : "virtualPrivateGateway";
    struct object *other = id ? store_get(net->store, tgw ? &transit_gateway_kind : &vpn_gateway_kind, id) : NULL;
    if (!other) {
        REFUSE("the gateway `%s` does not exist", id ? id : "");
        err_hint(err, "a virtual private gateway or a transit gateway");
        return NULL;
    }
    if (!gateway_takes(net, gateway, other, type, err) || !allowed_check(id, n_allowed, err)) {
        return NULL;
    }
    char uuid[37];
    id_new_uuid(net->ids, uuid);
    struct direct_connect_association *association = network_add(net, &direct_connect_association_kind, uuid);
    id_set(association->gateway_id, gateway->obj.id);
    id_set(association->associated_id, id);
    id_set(association->vgw_id, tgw ? "" : id);
    association->associated_type = xstrdup(type);
    association->associated_owner = xstrdup(other->account);
    association->associated_region = xstrdup(other->region);
    association->state = xstrdup("associated");
    const char *vpc_id = tgw ? NULL : vpn_gateway_vpc((struct vpn_gateway *)other);
    const struct vpc *vpc = vpc_id ? store_get(net->store, &vpc_kind, vpc_id) : NULL;
    for (size_t i = 0; i < n_allowed; i++) {
        VEC_ADD(&association->allowed)->cidr = allowed[i];
    }
    for (size_t i = 0; vpc && !n_allowed && i < vpc->cidrs.n; i++) {
        VEC_ADD(&association->allowed)->cidr = vpc->cidrs.items[i].cidr;
    }
    if (tgw) {
        tgw_attach(net, (struct transit_gateway *)other, "direct-connect-gateway", &gateway->obj);
    }
    store_touch(net->store);
    return association;
}

static size_t
allowed_index(const struct direct_connect_association *association, const struct cidr *cidr)
{
    size_t i = 0;
    while (i < association->allowed.n && !cidr_equal(&association->allowed.items[i].cidr, cidr)) {
        i++;
    }
    return i;
}

bool
direct_connect_allow(struct network *net, struct direct_connect_association *association, const struct cidr *add,
                     size_t n_add, const struct cidr *remove, size_t n_remove, struct err *err)
{
    for (size_t i = 0; i < n_remove; i++) {
        size_t at = allowed_index(association, &remove[i]);
        if (at == association->allowed.n) {
            return REFUSE("`%s` is no allowed prefix of `%s`", cidr_str(&remove[i]), association->obj.id);
        }
        VEC_REMOVE(&association->allowed, at);
    }
    for (size_t i = 0; i < n_add; i++) {
        if (allowed_index(association, &add[i]) == association->allowed.n) {
            VEC_ADD(&association->allowed)->cidr = add[i];
        }
    }
    store_touch(net->store);
    return allowed_check(association->associated_id, association->allowed.n, err);
}

void
direct_connect_disassociate(struct network *net, struct direct_connect_association *association)
{
    for (struct tgw_attachment *a = store_first(net->store, &tgw_attachment_kind); a; a = store_next(net->store, a)) {
        if (strcmp(a->resource_id, association->gateway_id) == 0 &&
            strcmp(a->tgw_id, association->associated_id) == 0 && !str_is(a->state, "deleted")) {
            tgw_attachment_end(net, a);
        }
    }
    network_remove(net, association);
}

/* ---- connections and virtual interfaces -------------------------------------------------------------------------- */

struct direct_connect_connection *
direct_connect_connection_create(struct network *net, const char *name, const char *location, const char *bandwidth)
{
    struct direct_connect_connection *connection = network_add(net, &direct_connect_connection_kind, NULL);
    connection->name = xstrdup(name);
    connection->location = xstrdup(location);
    connection->bandwidth = xstrdup(bandwidth);
    connection->state = xstrdup("available");
    return connection;
}

static bool
interface_check(const struct network *net, const struct virtual_interface_spec *spec, struct err *err)
{
    if (!store_get(net->store, &direct_connect_connection_kind, spec->connection_id)) {
        return REFUSE("the connection `%s` does not exist", spec->connection_id);
    }
    if (str_empty(spec->name) || spec->vlan < 1 || spec->vlan > 4094) {
        return REFUSE("a virtual interface has a name and a VLAN of 1 to 4094, not %d", spec->vlan);
    }
    if (spec->asn < 1 || spec->asn > 4294967294) {
        return REFUSE("`%lld` is no autonomous system number", (long long)spec->asn);
    }
    if (!spec->gateway_id == !spec->vgw_id) {
        return REFUSE("a %s virtual interface leads to %s", spec->type,
                      strcmp(spec->type, "transit") == 0
                          ? "a Direct Connect gateway"
                          : "a Direct Connect gateway or to a virtual private gateway, one of the two");
    }
    if (spec->gateway_id && !store_get(net->store, &direct_connect_gateway_kind, spec->gateway_id)) {
        return REFUSE("the Direct Connect gateway `%s` does not exist", spec->gateway_id);
    }
    if (spec->vgw_id && !store_get(net->store, &vpn_gateway_kind, spec->vgw_id)) {
        return REFUSE("the virtual private gateway `%s` does not exist", spec->vgw_id);
    }
    for (const struct virtual_interface *v = store_first(net->store, &virtual_interface_kind); v;
         v = store_next(net->store, v)) {
        if (str_is(v->connection_id, spec->connection_id) && v->vlan == spec->vlan) {
            return REFUSE("the VLAN %d of `%s` is used by `%s`", spec->vlan, spec->connection_id, v->obj.id);
        }
        if (spec->gateway_id && strcmp(v->gateway_id, spec->gateway_id) == 0 && !str_is(v->type, spec->type)) {
            return REFUSE("`%s` has the %s virtual interface `%s`: all of one gateway are of one sort",
                          spec->gateway_id, v->type, v->obj.id);
        }
    }
    return true;
}

struct virtual_interface *
virtual_interface_create(struct network *net, const struct virtual_interface_spec *spec, struct err *err)
{
    if (!interface_check(net, spec, err)) {
        return NULL;
    }
    struct virtual_interface *v = network_add(net, &virtual_interface_kind, NULL);
    v->connection_id = xstrdup(spec->connection_id);
    v->name = xstrdup(spec->name);
    v->type = xstrdup(spec->type);
    v->vlan = spec->vlan;
    v->asn = spec->asn;
    id_set(v->gateway_id, spec->gateway_id);
    id_set(v->vgw_id, spec->vgw_id);
    v->state = xstrdup("available");
    /* AWS picks a /30 of link-local addresses; here by the VLAN, so that no two of a connection are the same. */
    unsigned base = (unsigned)spec->vlan * 4;
    v->amazon_address = spec->amazon_address ? xstrdup(spec->amazon_address)
                                             : xasprintf("169.254.%u.%u/30", base >> 8 & 255, (base & 255) + 1);
    v->customer_address = spec->customer_address ? xstrdup(spec->customer_address)
                                                 : xasprintf("169.254.%u.%u/30", base >> 8 & 255, (base & 255) + 2);
    struct direct_connect_peer *peer = VEC_ADD(&v->peers);
    peer->asn = spec->asn;
    peer->amazon_address = xstrdup(v->amazon_address);
    peer->customer_address = xstrdup(v->customer_address);
    peer->state = xstrdup("available");
    peer->status = xstrdup("up");
    return v;
}

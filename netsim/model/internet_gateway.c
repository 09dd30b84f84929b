#include "netsim/model/internal.h"

static const struct field attachment_fields[] = {
    FIELD(struct igw_attachment, "State", FIELD_STRING, state, 0),
    FIELD(struct igw_attachment, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD_END,
};
static const struct field igw_fields[] = {
    FIELD_LIST(struct internet_gateway, "Attachments", attachments, attachment_fields, FIELD_ALWAYS),
    FIELD(struct internet_gateway, "InternetGatewayId", FIELD_ID, obj.id, 0),
    FIELD_LIST(struct internet_gateway, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInternetGateways.html */
static const struct filter_row igw_filters[] = {
    { "attachment.state", "Attachments.State" },
    { "attachment.vpc-id", "Attachments.VpcId" },
    { "internet-gateway-id", "InternetGatewayId" },
    { NULL, NULL },
};

const struct kind internet_gateway_kind = {
    .name = "internet-gateway",
    .prefix = "igw",
    .type = "internet-gateway",
    .list = "InternetGateways",
    .id_member = "InternetGatewayId",
    .ids_param = "InternetGatewayIds",
    .not_found = "InvalidInternetGatewayID.NotFound",
    .malformed = "InvalidInternetGatewayId.Malformed",
    .size = sizeof(struct internet_gateway),
    .fields = igw_fields,
    .shows_owner = true,
    .filters = igw_filters,
};

struct internet_gateway *
internet_gateway_create(struct network *net, struct err *err)
{
    if (net->limits && store_count(net->store, &internet_gateway_kind) >= 5) {
        err_set(err, ERR_INPUT, "InternetGatewayLimitExceeded",
                "the maximum number of internet gateways has been reached (5)");
        return NULL;
    }
    return network_add(net, &internet_gateway_kind, NULL);
}

bool
internet_gateway_delete(struct network *net, struct internet_gateway *igw, struct err *err)
{
    if (igw->attachments.n) {
        err_set(err, ERR_INPUT, "DependencyViolation",
                "the internet gateway `%s` is attached to `%s` and cannot be deleted", igw->obj.id,
                igw->attachments.items[0].vpc_id);
        return err_hint(err, "detach it first");
    }
    char id[ID_SIZE];
    memcpy(id, igw->obj.id, ID_SIZE);
    network_remove(net, igw);
    routes_target_gone(net, id);
    return true;
}

bool
internet_gateway_attach(struct network *net, struct internet_gateway *igw, const char *vpc_id, struct err *err)
{
    const struct vpc *vpc = network_require(net, &vpc_kind, vpc_id, err);
    if (!vpc) {
        return false;
    }
    if (igw->attachments.n) {
        return err_set(err, ERR_INPUT, "Resource.AlreadyAssociated", "`%s` is already attached to `%s`", igw->obj.id,
                       igw->attachments.items[0].vpc_id);
    }
    const struct internet_gateway *other = network_vpc_igw(net, vpc_id);
    if (other) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "network `%s` already has an internet gateway attached: `%s`", vpc_id, other->obj.id);
    }
    struct igw_attachment *attachment = VEC_ADD(&igw->attachments);
    id_set(attachment->vpc_id, vpc_id);
    attachment->state = xstrdup("available");
    store_touch(net->store);
    route_tables_refresh(net);
    return true;
}

bool
internet_gateway_detach(struct network *net, struct internet_gateway *igw, const char *vpc_id, struct err *err)
{
    if (!network_require(net, &vpc_kind, vpc_id, err)) {
        return false;
    }
    if (igw->attachments.n == 0 || strcmp(igw->attachments.items[0].vpc_id, vpc_id) != 0) {
        return err_set(err, ERR_INPUT, "Gateway.NotAttached", "resource `%s` is not attached to network `%s`",
                       igw->obj.id, vpc_id);
    }
    for (const struct eni *eni = store_first(net->store, &eni_kind); eni; eni = store_next(net->store, eni)) {
        for (size_t i = 0; strcmp(eni->vpc_id, vpc_id) == 0 && i < eni->addresses.n; i++) {
            const struct eni_association *association = &eni->addresses.items[i].association;
            if (association->public_ip.family) {
                err_set(err, ERR_INPUT, "DependencyViolation",
                        "network `%s` has some mapped public address(es): %s of %s", vpc_id,
                        ip_str(&association->public_ip), eni_label(net, eni));
                return err_hint(err, association->allocation_id ? "disassociate the Elastic IP, delete the NAT gateway"
                                                                : "stop or terminate the instance");
            }
        }
    }
    free(igw->attachments.items[0].state);
    VEC_REMOVE(&igw->attachments, 0);
    store_touch(net->store);
    route_tables_refresh(net);
    return true;
}

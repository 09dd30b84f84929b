/* cloud/ops_ec2_tgw_attachments.c - what is attached to transit gateways: VPCs, and other transit gateways by peerings.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayVpcAttachment.html and
 * neighbours */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2_transit_gateway.h"
#include "cloud/sharing.h"

/* ---- VPC attachments --------------------------------------------------------------------------------------------- */

/* describe-transit-gateway-vpc-attachments shows other members than describe-transit-gateway-attachments. */
static json_t *
vpc_attachment(const struct tgw_attachment *attachment)
{
    static const char *const shown[] = { "TransitGatewayAttachmentId",
                                         "TransitGatewayId",
                                         "VpcId",
                                         "VpcOwnerId",
                                         "State",
                                         "SubnetIds",
                                         "CreationTime",
                                         "Options",
                                         "Tags" };
    json_t *all = json_object(), *out = json_object();
    fields_print(tgw_attachment_kind.fields, attachment, true, all);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        json_t *value = json_object_get(all, shown[i]);
        if (value) {
            json_object_set(out, shown[i], value);
        }
    }
    json_decref(all);
    return out;
}

static void
answer_vpc_attachment(struct op_call *call, const struct tgw_attachment *attachment)
{
    json_object_set_new(call->out, "TransitGatewayVpcAttachment", vpc_attachment(attachment));
}

/* Another account attaches its VPC only to what is shared with it. */
static bool
check_shared(const struct op_call *call, const struct object *tgw, const struct object *vpc, struct err *err)
{
    if (sharing_allows(call->cloud, tgw, vpc->account)) {
        return true;
    }
    err_set(err, ERR_INPUT, tgw->kind->not_found, "the transit gateway ID `%s` does not exist for account %s", tgw->id,
            vpc->account);
    err_hint(err, "account %s has it and does not share it with %s (`ram create-resource-share --as %s`)", tgw->account,
             vpc->account, tgw->account);
    return err_at(err, "TransitGatewayId", 0, 0);
}

static bool
create_vpc_attachment(struct op_call *call, struct err *err)
{
    const struct transit_gateway *tgw =
        ec2_check_tags(call, (const struct kind *const[]){ &tgw_attachment_kind, NULL }, err)
            ? tgw_op_gateway(call, err)
            : NULL;
    const struct vpc *vpc = tgw ? ec2_require(call, &vpc_kind, "VpcId", err) : NULL;
    if (!vpc || !check_shared(call, &tgw->obj, &vpc->obj, err)) {
        return false;
    }
    const json_t *o = json_object_get(call->in, "Options"), *ids = json_object_get(call->in, "SubnetIds");
    size_t n = json_array_size(ids);
    const char **subnets = xcalloc(n + 1, sizeof *subnets);
    for (size_t i = 0; i < n; i++) {
        subnets[i] = json_string_value(json_array_get(ids, i));
    }
    struct tgw_vpc_spec spec = { .tgw_id = arg_str(call->in, "TransitGatewayId"),
                                 .vpc_id = arg_str(call->in, "VpcId"),
                                 .subnet_ids = subnets,
                                 .n_subnets = n,
                                 .dns_support = json_str(o, "DnsSupport"),
                                 .sg_referencing = json_str(o, "SecurityGroupReferencingSupport"),
                                 .ipv6_support = json_str(o, "Ipv6Support"),
                                 .appliance_mode = json_str(o, "ApplianceModeSupport") };
    struct tgw_attachment *attachment = tgw_attach_vpc(ec2_net(call), &spec, err);
    free(subnets);
    if (!attachment) {
        return false;
    }
    ec2_tag_new(call, &attachment->obj);
    answer_vpc_attachment(call, attachment);
    return true;
}

static struct tgw_attachment *
require_vpc_attachment(const struct op_call *call, struct err *err)
{
    struct tgw_attachment *attachment = tgw_op_attachment(call, err);
    if (attachment && !attachment->vpc_id[0]) {
        err_set(err, ERR_INPUT, "InvalidTransitGatewayAttachmentID.NotFound", "`%s` is a %s attachment",
                attachment->obj.id, attachment->resource_type);
        return NULL;
    }
    return attachment;
}

static bool
answer_waiting(struct op_call *call, bool accept, struct err *err)
{
    struct tgw_attachment *attachment = require_vpc_attachment(call, err);
    if (!attachment || !tgw_vpc_answer(ec2_net(call), attachment, accept, err)) {
        return false;
    }
    answer_vpc_attachment(call, attachment);
    return true;
}

static bool
accept_vpc_attachment(struct op_call *call, struct err *err)
{
    return answer_waiting(call, true, err);
}

static bool
reject_vpc_attachment(struct op_call *call, struct err *err)
{
    return answer_waiting(call, false, err);
}

static bool
delete_vpc_attachment(struct op_call *call, struct err *err)
{
    struct tgw_attachment *attachment = require_vpc_attachment(call, err);
    if (!attachment) {
        return false;
    }
    tgw_attachment_end(ec2_net(call), attachment);
    answer_vpc_attachment(call, attachment);
    return true;
}

static const char **
text_list(const struct op_call *call, const char *name, size_t *n)
{
    const json_t *list = json_object_get(call->in, name);
    *n = json_array_size(list);
    const char **texts = xcalloc(*n + 1, sizeof *texts);
    for (size_t i = 0; i < *n; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
    }
    return texts;
}

static bool
modify_vpc_attachment(struct op_call *call, struct err *err)
{
    struct tgw_attachment *attachment = require_vpc_attachment(call, err);
    const char *account = call->cloud->account;
    if (!attachment) {
        return false;
    }
    /* Subnets and options are the VPC's; the owner of a shared gateway may only take the attachment away. */
    const char *vpc_owner = attachment->vpc_owner_id ? attachment->vpc_owner_id : attachment->obj.account;
    if (strcmp(vpc_owner, account) != 0 && attachment->tgw_owner_id && strcmp(attachment->tgw_owner_id, account) == 0) {
        err_set(err, ERR_INPUT, "OperationNotPermitted", "`%s` is changed by account %s, which owns `%s`",
                attachment->obj.id, vpc_owner, attachment->vpc_id);
        return err_hint(err, "`--as %s`, or as a role there", vpc_owner);
    }
    const json_t *o = json_object_get(call->in, "Options");
    struct tgw_vpc_spec spec = { .dns_support = json_str(o, "DnsSupport"),
                                 .sg_referencing = json_str(o, "SecurityGroupReferencingSupport"),
                                 .ipv6_support = json_str(o, "Ipv6Support"),
                                 .appliance_mode = json_str(o, "ApplianceModeSupport") };
    size_t n_drop;
    const char **added = text_list(call, "AddSubnetIds", &spec.n_subnets),
               **drop = text_list(call, "RemoveSubnetIds", &n_drop);
    spec.subnet_ids = added;
    bool ok = tgw_modify_vpc_attachment(ec2_net(call), attachment, &spec, drop, n_drop, err);
    free(added);
    free(drop);
    if (ok) {
        answer_vpc_attachment(call, attachment);
    }
    return ok;
}

/* ---- peering attachments ----------------------------------------------------------------------------------------- */

static json_t *
peering_attachment(const struct network *net, const struct tgw_attachment *a)
{
    const struct object *own = store_get(network_store(net), &transit_gateway_kind, a->tgw_id);
    json_t *all = json_object(), *tags;
    fields_print(tgw_attachment_kind.fields, a, true, all);
    tags = json_object_get(all, "Tags");
    json_t *out = json_pack(
        "{s:s, s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s}, s:s, s:O, s:O}", "TransitGatewayAttachmentId", a->obj.id,
        "RequesterTgwInfo", "TransitGatewayId", a->tgw_id, "OwnerId",
        a->tgw_owner_id ? a->tgw_owner_id : a->obj.account, "Region", own ? own->region : a->obj.region,
        "AccepterTgwInfo", "TransitGatewayId", a->peer_tgw_id, "OwnerId", a->peer_owner_id ? a->peer_owner_id : "",
        "Region", a->peer_region ? a->peer_region : "", "State", a->state ? a->state : "", "CreationTime",
        json_object_get(all, "CreationTime") ? json_object_get(all, "CreationTime") : json_null(), "Tags", tags);
    json_decref(all);
    return out;
}

static bool
answer_peering(struct op_call *call, const struct tgw_attachment *attachment)
{
    json_object_set_new(call->out, "TransitGatewayPeeringAttachment", peering_attachment(ec2_net(call), attachment));
    return true;
}

static bool
create_peering(struct op_call *call, struct err *err)
{
    struct transit_gateway *tgw = tgw_op_gateway(call, err);
    if (!tgw || !ec2_check_tags(call, (const struct kind *const[]){ &tgw_attachment_kind, NULL }, err)) {
        return false;
    }
    struct tgw_attachment *attachment =
        tgw_peer(ec2_net(call), tgw, arg_str(call->in, "PeerTransitGatewayId"), arg_str(call->in, "PeerAccountId"),
                 arg_str(call->in, "PeerRegion"), err);
    if (!attachment) {
        return false;
    }
    ec2_tag_new(call, &attachment->obj);
    return answer_peering(call, attachment);
}

static struct tgw_attachment *
require_peering(const struct op_call *call, struct err *err)
{
    struct tgw_attachment *attachment = tgw_op_attachment(call, err);
    if (attachment && !attachment->peer_tgw_id[0]) {
        err_set(err, ERR_INPUT, "InvalidTransitGatewayAttachmentID.NotFound", "`%s` is a %s attachment",
                attachment->obj.id, attachment->resource_type);
        return NULL;
    }
    return attachment;
}

static bool
accept_peering(struct op_call *call, struct err *err)
{
    struct tgw_attachment *attachment = require_peering(call, err);
    return attachment && tgw_peer_answer(ec2_net(call), attachment, true, err) && answer_peering(call, attachment);
}

static bool
reject_peering(struct op_call *call, struct err *err)
{
    struct tgw_attachment *attachment = require_peering(call, err);
    return attachment && tgw_peer_answer(ec2_net(call), attachment, false, err) && answer_peering(call, attachment);
}

static bool
delete_peering(struct op_call *call, struct err *err)
{
    struct tgw_attachment *attachment = require_peering(call, err);
    if (attachment) {
        tgw_attachment_end(ec2_net(call), attachment);
        answer_peering(call, attachment);
    }
    return attachment != NULL;
}

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTransitGatewayPeeringAttachments.html */
static const struct filter_row peering_filters[] = {
    { "transit-gateway-attachment-id", "TransitGatewayAttachmentId" },
    { "local-owner-id", "RequesterTgwInfo.OwnerId" },
    { "remote-owner-id", "AccepterTgwInfo.OwnerId" },
    { "state", "State" },
    { "transit-gateway-id", "RequesterTgwInfo.TransitGatewayId" },
    { NULL, NULL },
};
static const struct kind peering_view = { .name = "transit-gateway-attachment",
                                          .list = "TransitGatewayPeeringAttachments",
                                          .id_member = "TransitGatewayAttachmentId",
                                          .filters = peering_filters };

static bool
describe_peerings(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const json_t *filters = json_object_get(call->in, "Filters"),
                 *ids = json_object_get(call->in, "TransitGatewayAttachmentIds");
    if (!filters_check(&peering_view, filters, err)) {
        return err_at(err, "Filters", 0, 0);
    }
    json_t *list = json_array();
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        bool asked = json_array_size(ids) == 0,
             here = strcmp(a->obj.region, call->cloud->region) == 0 ||
                    (a->peer_region && strcmp(a->peer_region, call->cloud->region) == 0);
        for (size_t i = 0; i < json_array_size(ids) && !asked; i++) {
            asked = strcmp(json_string_value(json_array_get(ids, i)), a->obj.id) == 0;
        }
        json_t *shown = a->peer_tgw_id[0] && asked && here && ec2_shows(call, &a->obj)
                            ? peering_attachment(ec2_net(call), a)
                            : NULL;
        if (shown && filters_match(&peering_view, filters, shown)) {
            json_array_append(list, shown);
        }
        json_decref(shown);
    }
    return ec2_answer_page(call, "TransitGatewayPeeringAttachments", list, "TransitGatewayAttachmentId", err);
}

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTransitGatewayVpcAttachments.html */
static const struct filter_row vpc_attachment_filters[] = {
    { "state", "State" },
    { "transit-gateway-attachment-id", "TransitGatewayAttachmentId" },
    { "transit-gateway-id", "TransitGatewayId" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};
static const struct kind vpc_attachment_view = { .name = "transit-gateway-attachment",
                                                 .list = "TransitGatewayVpcAttachments",
                                                 .id_member = "TransitGatewayAttachmentId",
                                                 .filters = vpc_attachment_filters };

static bool
describe_vpc_attachments(struct op_call *call, struct err *err)
{
    const json_t *filters = json_object_get(call->in, "Filters"),
                 *ids = json_object_get(call->in, "TransitGatewayAttachmentIds");
    const struct network *net = ec2_net(call);
    if (!filters_check(&vpc_attachment_view, filters, err)) {
        return err_at(err, "Filters", 0, 0);
    }
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (!network_require(net, &tgw_attachment_kind, json_string_value(json_array_get(ids, i)), err)) {
            return err_at(err, "TransitGatewayAttachmentIds", 0, 0);
        }
    }
    json_t *list = json_array();
    for (const struct tgw_attachment *a = store_first(network_store(net), &tgw_attachment_kind); a;
         a = store_next(network_store(net), a)) {
        bool asked = json_array_size(ids) == 0;
        for (size_t i = 0; i < json_array_size(ids) && !asked; i++) {
            asked = strcmp(json_string_value(json_array_get(ids, i)), a->obj.id) == 0;
        }
        json_t *shown = vpc_attachment(a);
        if (asked && a->vpc_id[0] && ec2_shows(call, &a->obj) && strcmp(a->obj.region, call->cloud->region) == 0 &&
            filters_match(&vpc_attachment_view, filters, shown)) {
            json_array_append(list, shown);
        }
        json_decref(shown);
    }
    return ec2_answer_page(call, "TransitGatewayVpcAttachments", list, "TransitGatewayAttachmentId", err);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
#define ATTACHMENT "transit-gateway-attachment/${TransitGatewayAttachmentId}"
const struct op ops_ec2_tgw_attachments[] = {
    ROW("CreateTransitGatewayVpcAttachment", OP_WRITE, create_vpc_attachment,
        "transit-gateway/${TransitGatewayId} vpc/${VpcId} transit-gateway-attachment/*",
        "Attach a VPC to a transit gateway, by one subnet in each zone it is to serve."),
    ROW("AcceptTransitGatewayVpcAttachment", OP_WRITE, accept_vpc_attachment, ATTACHMENT,
        "Accept a VPC of another account that waits to be attached to a shared transit gateway."),
    ROW("RejectTransitGatewayVpcAttachment", OP_WRITE, reject_vpc_attachment, ATTACHMENT,
        "Reject a VPC of another account that waits to be attached to a shared transit gateway."),
    ROW("DeleteTransitGatewayVpcAttachment", OP_WRITE, delete_vpc_attachment, ATTACHMENT,
        "Detach a VPC from a transit gateway; routes through it become blackholes."),
    ROW("ModifyTransitGatewayVpcAttachment", OP_WRITE, modify_vpc_attachment, ATTACHMENT,
        "Change the subnets and options of a VPC's attachment."),
    ROW("CreateTransitGatewayPeeringAttachment", OP_WRITE, create_peering,
        "transit-gateway/${TransitGatewayId} transit-gateway-attachment/*",
        "Ask for a peering of two transit gateways; the other's region accepts it."),
    ROW("AcceptTransitGatewayPeeringAttachment", OP_WRITE, accept_peering, ATTACHMENT,
        "Accept a peering of two transit gateways."),
    ROW("RejectTransitGatewayPeeringAttachment", OP_WRITE, reject_peering, ATTACHMENT,
        "Reject a peering of two transit gateways."),
    ROW("DeleteTransitGatewayPeeringAttachment", OP_WRITE, delete_peering, ATTACHMENT,
        "Delete a peering of two transit gateways."),
    ROW("DescribeTransitGatewayPeeringAttachments", OP_READ, describe_peerings, NULL,
        "Show the peerings of transit gateways."),
    ROW("DescribeTransitGatewayVpcAttachments", OP_READ, describe_vpc_attachments, NULL,
        "Show VPC attachments with their subnets and options."),
    ROW("DescribeTransitGatewayAttachments", OP_READ, ec2_describe, NULL,
        "Show what is attached to transit gateways and with which route table each is associated."),
    { 0 },
};

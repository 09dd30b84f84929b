#include "cloud/sharing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arn.h"
#include "cloud/op_types.h"
#include "cloud/permission.h"
#include "iampolicy/share.h"
#include "netsim/model/eni.h"
#include "netsim/model/gateways.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/peering.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "netsim/model/subnet.h"
#include "netsim/model/transit_gateway.h"

/* ---- what can be shared ------------------------------------------------------------------------------------------ */

const struct shareable shareables[] = {
    { "transit-gateway", "ec2:TransitGateway", &transit_gateway_kind, false, "AWSRAMDefaultPermissionTransitGateway",
      "\"ec2:CreateTransitGatewayVpcAttachment\", \"ec2:ModifyTransitGatewayVpcAttachment\", "
      "\"ec2:DeleteTransitGatewayVpcAttachment\", \"ec2:DescribeTransitGateways\"" },
    { "subnet", "ec2:Subnet", &subnet_kind, true, "AWSRAMDefaultPermissionSubnet",
      "\"ec2:RunInstances\", \"ec2:CreateNetworkInterface\", \"ec2:DescribeSubnets\"" },
    { "prefix-list", "ec2:PrefixList", &prefix_list_kind, false, "AWSRAMDefaultPermissionPrefixList",
      "\"ec2:DescribeManagedPrefixLists\", \"ec2:GetManagedPrefixListEntries\"" },
    { 0 },
};

/* Who may use a subnet may have groups of his own in its VPC. */
#define VPC_ACTIONS "\"ec2:CreateSecurityGroup\""

const struct shareable *
shareable_of(const struct object *object)
{
    const struct shareable *row = shareables;
    while (row->kind && row->kind != object->kind) {
        row++;
    }
    return row->kind ? row : NULL;
}

char *
sharing_arn(const struct object *object)
{
    const struct shareable *row = shareable_of(object);
    return xasprintf("arn:aws:ec2:%s:%s:%s/%s", object->region, object->account, row ? row->arn_type : "", object->id);
}

/* The id in an ARN of EC2 if it is TYPE/ID. */
static bool
id_of_arn(const char *text, const char *type, char id[static ID_SIZE])
{
    struct arn arn;
    size_t n = strlen(type);
    bool fits = arn_parse(text, &arn) && arn_part_is(arn.service, "ec2") && arn.resource.size > n + 1 &&
                arn.resource.size - n - 1 < ID_SIZE && memcmp(arn.resource.text, type, n) == 0 &&
                arn.resource.text[n] == '/';
    if (fits) {
        snprintf(id, ID_SIZE, "%.*s", (int)(arn.resource.size - n - 1), arn.resource.text + n + 1);
    }
    return fits;
}

const struct shareable *
shareable_of_arn(const char *arn)
{
    char id[ID_SIZE];
    const struct shareable *row = shareables;
    while (row->kind && !id_of_arn(arn, row->arn_type, id)) {
        row++;
    }
    return row->kind ? row : NULL;
}

const struct object *
sharing_object(const struct cloud *cloud, const char *arn)
{
    char id[ID_SIZE];
    for (const struct shareable *row = shareables; row->kind; row++) {
        const struct object *object =
            id_of_arn(arn, row->arn_type, id) ? store_get(network_store(cloud->net), row->kind, id) : NULL;
        const void *it = object;
        const char *state = object && row->kind == &transit_gateway_kind
                                ? ((const struct transit_gateway *)it)->state
                                : NULL; /* "deleted": still listed, and nothing that could be used */
        object = state && strcmp(state, "deleted") == 0 ? NULL : object;
        char *own = object ? sharing_arn(object) : NULL;
        bool same = own && strcmp(own, arn) == 0;
        free(own);
        if (same) {
            return object;
        }
    }
    return NULL;
}

/* ---- who has it -------------------------------------------------------------------------------------------------- */

static bool
is_shared(const struct cloud *cloud, const struct object *object, const char *account)
{
    if (!shareable_of(object) || store_count(cloud->accounts->store, &ram_share_kind) == 0) {
        return false;
    }
    char *arn = sharing_arn(object);
    bool shared = ram_is_shared(cloud->accounts, arn, account);
    free(arn);
    return shared;
}

bool
sharing_allows(const struct cloud *cloud, const struct object *object, const char *account)
{
    return strcmp(object->account, account) == 0 || is_shared(cloud, object, account);
}

/* A shared subnet of a VPC that 'fits'; NULL: any. */
typedef bool subnet_fits(const struct cloud *cloud, const struct subnet *subnet, const void *with);

static bool
any_shared_subnet(const struct cloud *cloud, const char *vpc_id, subnet_fits *fits, const void *with)
{
    const struct store *store = network_store(cloud->net);
    for (const struct subnet *s = store_first(store, &subnet_kind); s; s = store_next(store, s)) {
        if (strcmp(s->vpc_id, vpc_id) == 0 && (!fits || fits(cloud, s, with)) &&
            is_shared(cloud, &s->obj, cloud->account)) {
            return true;
        }
    }
    return false;
}

static bool
routed_by(const struct cloud *cloud, const struct subnet *subnet, const void *table)
{
    return network_subnet_route_table(cloud->net, subnet) == table;
}

static bool
guarded_by(const struct cloud *cloud, const struct subnet *subnet, const void *acl)
{
    return network_subnet_acl(cloud->net, subnet) == acl;
}

static bool
owns_vpc(const struct cloud *cloud, const char *vpc_id)
{
    const struct object *vpc = store_get(network_store(cloud->net), &vpc_kind, vpc_id);
    return vpc && strcmp(vpc->account, cloud->account) == 0;
}

bool
sharing_is_side(const struct object *object, const char *account)
{
    const void *it = object;
    return object->kind == &peering_kind          ? peering_of_account(it, account)
           : object->kind == &tgw_attachment_kind ? tgw_attachment_of_account(it, account)
                                                  : false;
}

bool
sharing_shows(const struct cloud *cloud, const struct object *object)
{
    const struct kind *kind = object->kind;
    const void *it = object;
    if (strlen(object->account) != 12 || strcmp(object->account, cloud->account) == 0 ||
        sharing_is_side(object, cloud->account)) {
        return true;
    }
    if (kind == &eni_kind) {
        return owns_vpc(cloud, ((const struct eni *)it)->vpc_id);
    }
    if (kind == &security_group_kind) {
        return owns_vpc(cloud, ((const struct security_group *)it)->vpc_id);
    }
    if (store_count(cloud->accounts->store, &ram_share_kind) == 0) {
        return false;
    }
    return kind == &vpc_kind ? any_shared_subnet(cloud, object->id, NULL, NULL)
           : kind == &route_table_kind
               ? any_shared_subnet(cloud, ((const struct route_table *)it)->vpc_id, routed_by, it)
           : kind == &network_acl_kind
               ? any_shared_subnet(cloud, ((const struct network_acl *)it)->vpc_id, guarded_by, it)
               : is_shared(cloud, object, cloud->account);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

struct check {
    const struct op_call *call;
    struct err *err;
};

static void
on_id(void *context, const char *member, const char *text)
{
    struct check *check = context;
    const struct cloud *cloud = check->call->cloud;
    bool others = strncmp(member, "Peer", 4) == 0 || check->err->kind; /* what is asked of somebody else */
    const char *kind = others ? NULL : op_member_kind(check->call->op, member);
    const struct object *object = kind ? store_find(network_store(cloud->net), text) : NULL;
    if (object && object->kind->not_found && !sharing_shows(cloud, object)) {
        err_set(check->err, ERR_INPUT, object->kind->not_found, "the %s ID `%s` does not exist", object->kind->name,
                text);
        err_hint(check->err,
                 shareable_of(object)
                     ? "account %s has it and does not share it with %s (`ram create-resource-share --as %s`)"
                     : "account %s has it, not %s: `--as %s`",
                 object->account, cloud->account, object->account);
        err_at(check->err, member, 0, 0);
    }
}

/* The default group of a shared VPC is its owner's. */
static bool
check_groups(const struct op_call *call, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const char *name = call->op->name;
    const json_t *first = json_array_get(json_object_get(call->in, "NetworkInterfaces"), 0);
    const struct subnet *subnet = permission_subnet(call);
    bool takes = strcmp(name, "RunInstances") == 0 || strcmp(name, "CreateNetworkInterface") == 0;
    bool given = json_object_get(call->in, "SecurityGroupIds") || json_object_get(call->in, "SecurityGroups") ||
                 json_object_get(call->in, "Groups") || json_object_get(first, "Groups") ||
                 json_object_get(first, "NetworkInterfaceId");
    if (!takes || given || !subnet || strcmp(subnet->obj.account, cloud->account) == 0) {
        return true;
    }
    err_set(err, ERR_INPUT, "InvalidGroup.NotFound",
            "the default security group of `%s` belongs to account %s, which owns the VPC", subnet->vpc_id,
            subnet->obj.account);
    return err_hint(err,
                    "`ec2 create-security-group --vpc-id %s` makes one of your own; give it with "
                    "--security-group-ids",
                    subnet->vpc_id);
}

bool
sharing_check(const struct op_call *call, struct err *err)
{
    /* Filters find nothing; rules and service owners name others' things on purpose. */
    static const char *const skip[] = { "Filters", "Filter", "IpPermissions", "SecurityGroupRules", "TagSpecifications",
                                        "Tags",    NULL };
    static const char *const services[] = { "ec2", "elbv2", "elb" };
    struct err found = { 0 };
    struct check check = { call, &found };
    bool network = strstr(call->op->name, "VpcEndpointConnections") == NULL, ours = false;
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        ours |= strcmp(call->op->service, services[i]) == 0;
    }
    bool looks = !call->cloud->caller && call->op->mode == OP_READ; /* who owns the lab sees all of it */
    if (!ours || !network || looks) {
        return true;
    }
    permission_walk(call->in, "", skip, on_id, &check);
    if (found.kind) {
        *err = found;
        return false;
    }
    return check_groups(call, err);
}

/* ---- the policy on a shared resource ----------------------------------------------------------------------------- */

static bool
gather_allow(struct iam_gathered *gathered, const char *name, const char *account, const char *actions, const char *arn,
             struct err *err)
{
    char *text = xasprintf("{\"Version\": \"2012-10-17\", \"Statement\": {\"Sid\": \"%s\", \"Effect\": \"Allow\", "
                           "\"Principal\": {\"AWS\": \"%s\"}, \"Action\": [%s], \"Resource\": \"%s\"}}",
                           name, account, actions, arn);
    gathered->has_resource_policy = true;
    bool ok =
        iam_gather_text(gathered, &gathered->policies.resource, text, IAM_POLICY_RESOURCE, name, "resource", name, err);
    free(text);
    return ok;
}

/* Who is invited may answer, who accepted may leave; the ARNs are the sender's. */
static bool
gather_share(const struct cloud *cloud, const char *arn, const char *account, struct iam_gathered *gathered,
             struct err *err)
{
    const struct ram_invitation *invitation = ram_invitation_find(cloud->accounts, arn);
    const struct ram_share *share = ram_share_find(cloud->accounts, arn);
    if (invitation && strcmp(invitation->receiver, account) == 0) {
        return gather_allow(gathered, "Invited", account,
                            "\"ram:AcceptResourceShareInvitation\", \"ram:RejectResourceShareInvitation\", "
                            "\"ram:ListPendingInvitationResources\"",
                            arn, err);
    }
    if (share && ram_share_reaches(cloud->accounts, share, account)) {
        return gather_allow(gathered, "Member", account, "\"ram:DisassociateResourceShare\"", arn, err);
    }
    return true;
}

bool
sharing_gather(const struct cloud *cloud, struct iam_request *request, struct iam_gathered *gathered, struct err *err)
{
    const char *arn = request->resource.s, *account = request->principal.account, *actions = NULL, *name = NULL;
    char id[ID_SIZE];
    const struct store *store = network_store(cloud->net);
    if (strncmp(arn, "arn:aws:ram:", 12) == 0) {
        return gather_share(cloud, arn, account, gathered, err);
    }
    if (strncmp(arn, "arn:aws:ec2:", 12) != 0 || store_count(cloud->accounts->store, &ram_share_kind) == 0) {
        return true;
    }
    const struct object *object = sharing_object(cloud, arn);
    if (object && is_shared(cloud, object, account)) {
        actions = shareable_of(object)->actions;
        name = shareable_of(object)->permission;
    }
    if (!object && id_of_arn(arn, "vpc", id)) {
        for (const struct subnet *s = store_first(store, &subnet_kind); s && !actions; s = store_next(store, s)) {
            bool shared = strcmp(s->vpc_id, id) == 0 && is_shared(cloud, &s->obj, account);
            actions = shared ? VPC_ACTIONS : NULL;
            name = "AWSRAMDefaultPermissionSubnet";
        }
    }
    if (!object && id_of_arn(arn, "network-interface", id)) { /* whose VPC it is may log what passes there */
        const struct eni *eni = store_get(store, &eni_kind, id);
        const struct object *vpc = eni ? store_get(store, &vpc_kind, eni->vpc_id) : NULL;
        actions = vpc && strcmp(vpc->account, account) == 0 ? "\"ec2:CreateFlowLogs\"" : NULL;
        name = "VpcOwner";
    }
    return !actions || gather_allow(gathered, name, account, actions, arn, err);
}

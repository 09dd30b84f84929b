/* cloud/ops_ec2_gateways.c - internet gateways, NAT gateways and Elastic IP addresses. */
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/vpc.h"

/* ---- internet gateways ------------------------------------------------------------------------------------------- */

static bool
create_internet_gateway(struct op_call *call, struct err *err)
{
    if (!ec2_check_tags(call, (const struct kind *const[]){ &internet_gateway_kind, NULL }, err)) {
        return false;
    }
    struct internet_gateway *igw = internet_gateway_create(ec2_net(call), err);
    if (!igw) {
        return false;
    }
    ec2_tag_new(call, &igw->obj);
    ec2_answer(call, "InternetGateway", igw);
    return true;
}

static bool
delete_internet_gateway(struct op_call *call, struct err *err)
{
    struct internet_gateway *igw = ec2_require(call, &internet_gateway_kind, "InternetGatewayId", err);
    return igw && internet_gateway_delete(ec2_net(call), igw, err);
}

static bool
attach_internet_gateway(struct op_call *call, struct err *err)
{
    struct internet_gateway *igw = ec2_require(call, &internet_gateway_kind, "InternetGatewayId", err);
    const struct vpc *vpc = igw ? ec2_require(call, &vpc_kind, "VpcId", err) : NULL;
    return vpc && internet_gateway_attach(ec2_net(call), igw, vpc->obj.id, err);
}

static bool
detach_internet_gateway(struct op_call *call, struct err *err)
{
    struct internet_gateway *igw = ec2_require(call, &internet_gateway_kind, "InternetGatewayId", err);
    const struct vpc *vpc = igw ? ec2_require(call, &vpc_kind, "VpcId", err) : NULL;
    return vpc && internet_gateway_detach(ec2_net(call), igw, vpc->obj.id, err);
}

/* ---- NAT gateways ------------------------------------------------------------------------------------------------ */

static bool
create_nat_gateway(struct op_call *call, struct err *err)
{
    const char *allocation = arg_str(call->in, "AllocationId"), *type = arg_str(call->in, "ConnectivityType"),
               *mode = arg_str(call->in, "AvailabilityMode");
    bool private = type && strcmp(type, "private") == 0;
    struct ip ip;
    if (!ec2_check_tags(call, (const struct kind *const[]){ &nat_gateway_kind, NULL }, err) ||
        !ec2_ip(call, "PrivateIpAddress", IP_V4, &ip, err)) {
        return false;
    }
    if (mode && strcmp(mode, "zonal") != 0) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab models zonal NAT gateways only, not `%s` ones",
                       mode);
    }
    if (private && allocation) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination", "a private NAT gateway has no `AllocationId`");
    }
    if (!private && !allocation) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `AllocationId`");
        return err_hint(err, "`allocate-address` gives one; `ConnectivityType` `private` needs none");
    }
    struct nat_gateway *nat = nat_gateway_create(ec2_net(call), arg_str(call->in, "SubnetId"), allocation,
                                                 ip.family != IP_NONE ? &ip : NULL, err);
    if (!nat) {
        return false;
    }
    ec2_tag_new(call, &nat->obj);
    ec2_answer(call, "NatGateway", nat);
    ec2_answer_token(call);
    return true;
}

static bool
delete_nat_gateway(struct op_call *call, struct err *err)
{
    struct nat_gateway *nat = ec2_require(call, &nat_gateway_kind, "NatGatewayId", err);
    if (!nat || !nat_gateway_delete(ec2_net(call), nat, err)) {
        return false;
    }
    json_object_set(call->out, "NatGatewayId", json_object_get(call->in, "NatGatewayId"));
    return true;
}

/* ---- Elastic IP addresses ---------------------------------------------------------------------------------------- */

/* The network border group of an ordinary region is the region itself. */
static bool
check_border_group(const struct op_call *call, struct err *err)
{
    const char *group = arg_str(call->in, "NetworkBorderGroup");
    if (group && strcmp(group, call->cloud->region) != 0) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not a network border group of %s", group,
                call->cloud->region);
        return err_at(err, "NetworkBorderGroup", 0, 0);
    }
    return true;
}

static bool
allocate_address(struct op_call *call, struct err *err)
{
    const char *domain = arg_str(call->in, "Domain"), *pool = arg_str(call->in, "PublicIpv4Pool");
    if (!ec2_check_tags(call, (const struct kind *const[]){ &elastic_ip_kind, NULL }, err) ||
        !check_border_group(call, err)) {
        return false;
    }
    if (domain && strcmp(domain, "vpc") != 0) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "`Domain` `%s` belongs to EC2-Classic, which is retired",
                       domain);
    }
    if (pool && strcmp(pool, "amazon") != 0) {
        return err_set(err, ERR_INPUT, "InvalidPublicIpv4PoolID.NotFound", "the pool ID `%s` does not exist", pool);
    }
    struct elastic_ip *eip = elastic_ip_allocate(ec2_net(call), err);
    if (!eip) {
        return false;
    }
    ec2_tag_new(call, &eip->obj);
    static const char *const shown[] = { "AllocationId", "PublicIpv4Pool", "NetworkBorderGroup", "Domain", "PublicIp" };
    json_t *described = object_describe(network_store(ec2_net(call)), eip);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        json_t *value = json_object_get(described, shown[i]);
        if (value) {
            json_object_set(call->out, shown[i], value);
        }
    }
    json_decref(described);
    return true;
}

/* By AllocationId, else by PublicIp. */
static struct elastic_ip *
find_address(const struct op_call *call, struct err *err)
{
    if (arg_str(call->in, "AllocationId")) {
        return ec2_require(call, &elastic_ip_kind, "AllocationId", err);
    }
    struct ip ip;
    if (!arg_str(call->in, "PublicIp")) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `AllocationId`");
        return NULL;
    }
    if (!ec2_ip(call, "PublicIp", IP_V4, &ip, err)) {
        return NULL;
    }
    const struct store *store = network_store(ec2_net(call));
    for (struct elastic_ip *eip = store_first(store, &elastic_ip_kind); eip; eip = store_next(store, eip)) {
        if (ip_equal(&eip->public_ip, &ip)) {
            return eip;
        }
    }
    err_set(err, ERR_INPUT, "InvalidAddress.NotFound", "the address `%s` does not belong to you", ip_str(&ip));
    err_at(err, "PublicIp", 0, 0);
    return NULL;
}

static bool
release_address(struct op_call *call, struct err *err)
{
    if (!arg_str(call->in, "AllocationId") && arg_str(call->in, "PublicIp")) {
        const struct elastic_ip *eip = find_address(call, err);
        if (eip) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "an address of a VPC is released by its allocation id");
            err_hint(err, "give `AllocationId` `%s`", eip->obj.id);
        }
        return false;
    }
    struct elastic_ip *eip = find_address(call, err);
    return eip && check_border_group(call, err) && elastic_ip_release(ec2_net(call), eip, err);
}

/* The interface that InstanceId or NetworkInterfaceId names.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html */
static struct eni *
address_target(const struct op_call *call, struct err *err)
{
    bool by_eni = arg_str(call->in, "NetworkInterfaceId"), by_instance = arg_str(call->in, "InstanceId");
    if (by_eni && by_instance) {
        err_set(err, ERR_INPUT, "InvalidParameterCombination",
                "`InstanceId` and `NetworkInterfaceId` cannot be given together");
        return NULL;
    }
    if (!by_eni && !by_instance) {
        err_set(err, ERR_INPUT, "MissingParameter",
                "the request must contain the parameter `InstanceId` or `NetworkInterfaceId`");
        return NULL;
    }
    if (by_eni) {
        return ec2_require(call, &eni_kind, "NetworkInterfaceId", err);
    }
    const struct instance *instance = ec2_require(call, &instance_kind, "InstanceId", err);
    struct eni *eni = instance ? instance_eni(ec2_net(call), instance, 0) : NULL;
    if (instance && !eni) {
        err_set(err, ERR_INPUT, "IncorrectInstanceState", "the instance `%s` is %s and has no network interface",
                instance->obj.id, instance->state_name);
    } else if (eni && instance_eni(ec2_net(call), instance, 1)) {
        err_set(err, ERR_INPUT, "InvalidInstanceID",
                "the instance `%s` has several network interfaces: specify `NetworkInterfaceId`", instance->obj.id);
        eni = NULL;
    }
    return eni;
}

static bool
associate_address(struct op_call *call, struct err *err)
{
    struct elastic_ip *eip = find_address(call, err);
    struct eni *eni = eip ? address_target(call, err) : NULL;
    struct ip ip;
    if (!eni || !ec2_ip(call, "PrivateIpAddress", IP_V4, &ip, err)) {
        return false;
    }
    /* In a VPC an address moves unless AllowReassociation is false. */
    bool move = arg_flag(call->in, "AllowReassociation", true);
    if (!elastic_ip_associate(ec2_net(call), eip, eni, ip.family != IP_NONE ? &ip : NULL, move, err)) {
        return false;
    }
    json_object_set_new(call->out, "AssociationId", json_string(eip->association_id));
    return true;
}

static bool
disassociate_address(struct op_call *call, struct err *err)
{
    const char *association = arg_str(call->in, "AssociationId");
    if (!association && arg_str(call->in, "PublicIp")) {
        const struct elastic_ip *eip = find_address(call, err);
        if (!eip) {
            return false;
        }
        if (!eip->association_id[0]) {
            return err_set(err, ERR_INPUT, "InvalidAssociationID.NotFound", "the address `%s` is not associated",
                           ip_str(&eip->public_ip));
        }
        association = eip->association_id;
    }
    if (!association) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `AssociationId`");
    }
    char id[ID_SIZE]; /* it may be the address's own, which goes */
    snprintf(id, sizeof id, "%s", association);
    return elastic_ip_disassociate(ec2_net(call), id, err);
}

#define WRITE(name_, run_, resources_, help_)                                                                          \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = OP_WRITE, .run = run_, .resources = resources_, .help = help_         \
    }
const struct op ops_ec2_gateways[] = {
    WRITE("CreateInternetGateway", create_internet_gateway, "internet-gateway/*",
          "Create an internet gateway, attached to nothing yet."),
    WRITE("DeleteInternetGateway", delete_internet_gateway, "internet-gateway/${InternetGatewayId}",
          "Delete an internet gateway that is detached."),
    WRITE("AttachInternetGateway", attach_internet_gateway, "internet-gateway/${InternetGatewayId} vpc/${VpcId}",
          "Attach an internet gateway to a VPC."),
    WRITE("DetachInternetGateway", detach_internet_gateway, "internet-gateway/${InternetGatewayId} vpc/${VpcId}",
          "Detach an internet gateway from its VPC."),
    WRITE("CreateNatGateway", create_nat_gateway, "natgateway/* subnet/${SubnetId} elastic-ip/${AllocationId}",
          "Create a NAT gateway in a subnet, public with an Elastic IP or private."),
    WRITE("DeleteNatGateway", delete_nat_gateway, "natgateway/${NatGatewayId}",
          "Delete a NAT gateway; its Elastic IP stays allocated, routes to it become blackholes."),
    WRITE("AllocateAddress", allocate_address, "elastic-ip/*", "Allocate an Elastic IP address."),
    WRITE("ReleaseAddress", release_address, "elastic-ip/${AllocationId}", "Give an Elastic IP address back."),
    WRITE("AssociateAddress", associate_address,
          "elastic-ip/${AllocationId} instance/${InstanceId} network-interface/${NetworkInterfaceId}",
          "Map an Elastic IP address to an instance or network interface."),
    WRITE("DisassociateAddress", disassociate_address, "elastic-ip/*", "End the mapping of an Elastic IP address."),
    { 0 },
};

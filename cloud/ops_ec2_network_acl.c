/* cloud/ops_ec2_network_acl.c - network ACLs: creating, deleting, entries, which subnet has which list. */
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/network_acl.h"

static bool
create_network_acl(struct op_call *call, struct err *err)
{
    static const struct kind *const kinds[] = { &network_acl_kind, NULL };
    if (!ec2_require(call, &vpc_kind, "VpcId", err) || !ec2_check_tags(call, kinds, err)) {
        return false;
    }
    struct network_acl *acl = network_acl_create(ec2_net(call), arg_str(call->in, "VpcId"), false, err);
    if (!acl) {
        return false;
    }
    ec2_tag_new(call, &acl->obj);
    ec2_answer(call, "NetworkAcl", acl);
    ec2_answer_token(call);
    return true;
}

static bool
delete_network_acl(struct op_call *call, struct err *err)
{
    struct network_acl *acl = ec2_require(call, &network_acl_kind, "NetworkAclId", err);
    return acl && network_acl_delete(ec2_net(call), acl, err);
}

/* A member of a nested structure must be there: {"From", "To"}. */
static bool
pair(const struct op_call *call, const char *name, const char *first, const char *second, bool *has, int32_t *a,
     int32_t *b, struct err *err)
{
    const json_t *object = json_object_get(call->in, name);
    *has = object != NULL;
    if (!object) {
        return true;
    }
    if (!json_object_get(object, first) || !json_object_get(object, second)) {
        err_set(err, ERR_INPUT, "MissingParameter", "`%s` needs both `%s` and `%s`", name, first, second);
        return err_at(err, name, 0, 0);
    }
    *a = (int32_t)json_int(object, first, 0);
    *b = (int32_t)json_int(object, second, 0);
    return true;
}

static bool
read_entry(const struct op_call *call, struct nacl_entry *entry, struct err *err)
{
    const char *protocol = arg_str(call->in, "Protocol"), *action = arg_str(call->in, "RuleAction");
    int number;
    *entry = (struct nacl_entry){ .number = (int32_t)arg_int(call->in, "RuleNumber", 0),
                                  .egress = arg_flag(call->in, "Egress", false) };
    if (!protocol_parse(protocol, &number)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%s` for protocol", protocol);
        err_hint(err, "use tcp, udp, icmp, a number from 0 to 255, or -1 for every protocol");
        return err_at(err, "Protocol", 0, 0);
    }
    entry->protocol = number;
    if (strcmp(action, "allow") != 0 && strcmp(action, "deny") != 0) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%s` for ruleAction", action);
        err_hint(err, "use allow or deny");
        return err_at(err, "RuleAction", 0, 0);
    }
    entry->action = strcmp(action, "allow") == 0 ? NACL_ALLOW : NACL_DENY;
    return ec2_cidr(call, "CidrBlock", IP_V4, false, &entry->cidr, err) &&
           ec2_cidr(call, "Ipv6CidrBlock", IP_V6, false, &entry->cidr6, err) &&
           pair(call, "PortRange", "From", "To", &entry->has_ports, &entry->ports.from, &entry->ports.to, err) &&
           pair(call, "IcmpTypeCode", "Type", "Code", &entry->has_icmp, &entry->icmp.type, &entry->icmp.code, err);
}

static bool
create_network_acl_entry(struct op_call *call, struct err *err)
{
    struct network_acl *acl = ec2_require(call, &network_acl_kind, "NetworkAclId", err);
    struct nacl_entry entry;
    return acl && read_entry(call, &entry, err) && network_acl_add_entry(ec2_net(call), acl, &entry, err);
}

static bool
replace_network_acl_entry(struct op_call *call, struct err *err)
{
    struct network_acl *acl = ec2_require(call, &network_acl_kind, "NetworkAclId", err);
    struct nacl_entry entry;
    return acl && read_entry(call, &entry, err) && network_acl_replace_entry(ec2_net(call), acl, &entry, err);
}

static bool
delete_network_acl_entry(struct op_call *call, struct err *err)
{
    struct network_acl *acl = ec2_require(call, &network_acl_kind, "NetworkAclId", err);
    return acl && network_acl_delete_entry(ec2_net(call), acl, (int)arg_int(call->in, "RuleNumber", 0),
                                           arg_flag(call->in, "Egress", false), err);
}

static bool
replace_network_acl_association(struct op_call *call, struct err *err)
{
    struct network_acl *acl = ec2_require(call, &network_acl_kind, "NetworkAclId", err);
    const struct nacl_association *association =
        acl ? network_acl_replace_association(ec2_net(call), arg_str(call->in, "AssociationId"), acl, err) : NULL;
    if (association) {
        json_object_set_new(call->out, "NewAssociationId", json_string(association->id));
    }
    return association != NULL;
}

#define WRITE(name_, run_, resources_, help_)                                                                          \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = OP_WRITE, .run = run_, .resources = resources_, .help = help_         \
    }
#define ACL "network-acl/${NetworkAclId}"
const struct op ops_ec2_network_acl[] = {
    WRITE("CreateNetworkAcl", create_network_acl, "network-acl/* vpc/${VpcId}",
          "Create a network ACL that denies everything."),
    WRITE("DeleteNetworkAcl", delete_network_acl, ACL, "Delete a network ACL that no subnet uses."),
    WRITE("CreateNetworkAclEntry", create_network_acl_entry, ACL,
          "Add a numbered rule; the lowest number is tried first."),
    WRITE("ReplaceNetworkAclEntry", replace_network_acl_entry, ACL, "Change the rule of a number."),
    WRITE("DeleteNetworkAclEntry", delete_network_acl_entry, ACL, "Delete the rule of a number."),
    WRITE("ReplaceNetworkAclAssociation", replace_network_acl_association, ACL, "Give a subnet another network ACL."),
    { 0 },
};

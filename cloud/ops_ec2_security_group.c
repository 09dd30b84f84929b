/* cloud/ops_ec2_security_group.c - security groups and their rules. */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/security_group.h"

/* Rules are tagged at creation, but live inside their group: what ec2_check_tags() and ec2_tag_new() need to know of
 * them. */
static const struct kind rule_kind = { .name = "security-group-rule", .prefix = "sgr", .type = "security-group-rule" };

static bool
no_default_vpc(struct err *err)
{
    err_set(err, ERR_INPUT, "VPCIdNotSpecified", "no default VPC for this user");
    return err_hint(err, "name a VPC (--vpc-id)");
}

/* By id; by name only in the default VPC, as in AWS. */
static struct security_group *
require_group(const struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "GroupName");
    if (arg_str(call->in, "GroupId") || !name) {
        return ec2_require(call, &security_group_kind, "GroupId", err);
    }
    const struct vpc *vpc = network_default_vpc(ec2_net(call));
    struct security_group *group = vpc ? network_group_by_name(ec2_net(call), vpc->obj.id, name) : NULL;
    if (!group) {
        err_set(err, ERR_INPUT, "InvalidGroup.NotFound", "the security group `%s` does not exist in default VPC `%s`",
                name, vpc ? vpc->obj.id : "none");
        err_hint(err, "groups of other VPCs are named by their id (--group-id)");
    }
    return group;
}

/* ---- groups --------------------------------------------------------------------------------------------------------
 */

static bool
create_security_group(struct op_call *call, struct err *err)
{
    static const struct kind *const kinds[] = { &security_group_kind, NULL };
    const char *vpc_id = arg_str(call->in, "VpcId");
    if ((vpc_id && !ec2_require(call, &vpc_kind, "VpcId", err)) || !ec2_check_tags(call, kinds, err)) {
        return false;
    }
    if (!vpc_id) {
        const struct vpc *vpc = network_default_vpc(ec2_net(call));
        if (!vpc) {
            return no_default_vpc(err);
        }
        vpc_id = vpc->obj.id;
    }
    struct security_group *group = security_group_create(ec2_net(call), vpc_id, arg_str(call->in, "GroupName"),
                                                         arg_str(call->in, "Description"), err);
    if (!group) {
        return false;
    }
    ec2_tag_new(call, &group->obj);
    json_t *described = object_describe(network_store(ec2_net(call)), group);
    static const char *const members[] = { "GroupId", "Tags", "SecurityGroupArn" };
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        json_t *value = json_object_get(described, members[i]);
        if (value) {
            json_object_set(call->out, members[i], value);
        }
    }
    json_decref(described);
    return true;
}

static bool
delete_security_group(struct op_call *call, struct err *err)
{
    struct security_group *group = require_group(call, err);
    if (!group) {
        return false;
    }
    json_t *id = json_string(group->obj.id);
    bool ok = security_group_delete(ec2_net(call), group, err);
    if (ok) {
        ec2_return(call);
        json_object_set(call->out, "GroupId", id);
    }
    json_decref(id);
    return ok;
}

/* ---- rules in a request --------------------------------------------------------------------------------------------
 */

/* The older flat parameters as one permission; NULL if the request has none of them. */
static json_t *
flat_permission(const struct op_call *call)
{
    static const char *const members[] = { "IpProtocol", "FromPort", "ToPort" };
    json_t *permission = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        json_t *value = json_object_get(call->in, members[i]);
        if (value) {
            json_object_set(permission, members[i], value);
        }
    }
    const char *cidr = arg_str(call->in, "CidrIp"), *group = arg_str(call->in, "SourceSecurityGroupName"),
               *owner = arg_str(call->in, "SourceSecurityGroupOwnerId");
    if (cidr) {
        json_object_set_new(permission, "IpRanges", json_pack("[{s:s}]", "CidrIp", cidr));
    }
    if (group) {
        json_t *pair = json_pack("{s:s}", "GroupName", group);
        if (owner) {
            json_object_set_new(pair, "UserId", json_string(owner));
        }
        json_object_set_new(permission, "UserIdGroupPairs", json_pack("[o]", pair));
        if (!json_object_get(permission, "IpProtocol")) { /* the whole group, whatever the protocol */
            json_object_set_new(permission, "IpProtocol", json_string("-1"));
        }
    }
    if (json_object_size(permission) == 0) {
        json_decref(permission);
        return NULL;
    }
    return permission;
}

static void
rules_done(sg_rule_vec *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        sg_rule_done(&rules->items[i]);
    }
    VEC_DONE(rules);
}

static bool
read_rules(const struct op_call *call, bool egress, sg_rule_vec *rules, struct err *err)
{
    json_t *permissions = json_object_get(call->in, "IpPermissions"), *flat = flat_permission(call);
    bool ok = true;
    if (permissions && flat) {
        ok = err_set(
            err, ERR_INPUT, "InvalidParameterCombination",
            "the parameter `IpPermissions` cannot be used with the flat ones (`IpProtocol`, `CidrIp` and the like)");
    } else if (!permissions && !flat) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `IpPermissions`");
        ok = err_hint(err, "or --protocol, --port and --cidr or --source-group");
    } else {
        json_t *list = permissions ? json_incref(permissions) : json_pack("[O]", flat);
        ok = sg_rules_from_permissions(list, egress, permissions ? "IpPermissions" : "", rules, err);
        json_decref(list);
    }
    json_decref(flat);
    return ok;
}

/* ---- authorize, revoke ---------------------------------------------------------------------------------------------
 */

static void
tag_rule(const struct op_call *call, struct sg_rule *rule)
{
    struct object stand_in = { .kind = &rule_kind };
    ec2_tag_new(call, &stand_in);
    memcpy(&rule->tags, &stand_in.tags, sizeof stand_in.tags);
}

static bool
authorize(struct op_call *call, bool egress, struct err *err)
{
    static const struct kind *const kinds[] = { &rule_kind, NULL };
    struct security_group *group = require_group(call, err);
    sg_rule_vec rules = { 0 };
    if (!group || !ec2_check_tags(call, kinds, err) || !read_rules(call, egress, &rules, err)) {
        return false;
    }
    size_t before = group->rules.n;
    bool ok = security_group_authorize(ec2_net(call), group, rules.items, rules.n, err);
    rules_done(&rules);
    if (ok) {
        json_t *list = json_array();
        for (size_t i = before; i < group->rules.n; i++) {
            tag_rule(call, &group->rules.items[i]);
            json_array_append_new(list, sg_rule_describe(ec2_net(call), group, &group->rules.items[i]));
        }
        ec2_return(call);
        json_object_set_new(call->out, "SecurityGroupRules", list);
    }
    return ok;
}

static bool
authorize_ingress(struct op_call *call, struct err *err)
{
    return authorize(call, false, err);
}

static bool
authorize_egress(struct op_call *call, struct err *err)
{
    return authorize(call, true, err);
}

/* Shape RevokedSecurityGroupRule: like a described rule, but with less. */
static json_t *
revoked(const struct network *net, const struct security_group *group, const struct sg_rule *rule)
{
    json_t *out = sg_rule_describe(net, group, rule);
    json_t *referenced = json_object_get(json_object_get(out, "ReferencedGroupInfo"), "GroupId");
    if (referenced) {
        json_object_set(out, "ReferencedGroupId", referenced);
    }
    static const char *const dropped[] = { "GroupOwnerId", "ReferencedGroupInfo", "Tags", "SecurityGroupRuleArn" };
    for (size_t i = 0; i < ARRAY_SIZE(dropped); i++) {
        json_object_del(out, dropped[i]);
    }
    return out;
}

static bool
revoke_ids(struct op_call *call, struct security_group *group, bool egress, struct err *err)
{
    const json_t *ids = json_object_get(call->in, "SecurityGroupRuleIds");
    size_t n = json_array_size(ids);
    json_t *flat = flat_permission(call);
    bool both = flat || json_object_get(call->in, "IpPermissions");
    json_decref(flat);
    if (both) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "the parameter `SecurityGroupRuleIds` cannot be used with rules spelled out");
    }
    const char **texts = xcalloc(n, sizeof *texts);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        texts[i] = json_string_value(json_array_get(ids, i));
        const struct sg_rule *rule = security_group_rule(group, texts[i]);
        if (rule) {
            json_array_append_new(list, revoked(ec2_net(call), group, rule));
        }
    }
    bool ok = security_group_revoke_ids(ec2_net(call), group, egress, texts, n, err);
    free(texts);
    json_object_set_new(call->out, "RevokedSecurityGroupRules", list);
    return ok && ec2_return(call);
}

/* In a default VPC AWS answers with the permissions that were not there instead of failing. */
static bool
revoke(struct op_call *call, bool egress, struct err *err)
{
    struct security_group *group = require_group(call, err);
    sg_rule_vec rules = { 0 };
    if (!group) {
        return false;
    }
    if (json_object_get(call->in, "SecurityGroupRuleIds")) {
        return revoke_ids(call, group, egress, err);
    }
    if (!read_rules(call, egress, &rules, err)) {
        return false;
    }
    struct security_group unknown = { 0 }; /* a group of its own only to print them as permissions */
    memcpy(unknown.obj.account, group->obj.account, sizeof unknown.obj.account);
    json_t *list = json_array();
    for (size_t i = 0; i < rules.n; i++) {
        const struct sg_rule *rule = security_group_find_rule(group, &rules.items[i]);
        if (rule) {
            json_array_append_new(list, revoked(ec2_net(call), group, rule));
        } else {
            *VEC_ADD(&unknown.rules) = rules.items[i];
        }
    }
    bool ok = security_group_revoke(ec2_net(call), group, rules.items, rules.n, err);
    if (ok) {
        ec2_return(call);
        if (unknown.rules.n) {
            json_object_set_new(call->out, "UnknownIpPermissions", sg_permissions(ec2_net(call), &unknown, egress));
        }
        json_object_set(call->out, "RevokedSecurityGroupRules", list);
    }
    json_decref(list);
    VEC_DONE(&unknown.rules); /* they belong to 'rules' */
    rules_done(&rules);
    return ok;
}

static bool
revoke_ingress(struct op_call *call, struct err *err)
{
    return revoke(call, false, err);
}

static bool
revoke_egress(struct op_call *call, struct err *err)
{
    return revoke(call, true, err);
}

/* ---- rules by id
 * ----------------------------------------------------------------------------------------------------- */

static struct sg_rule *
require_rule(struct security_group *group, const char *id, struct err *err)
{
    struct sg_rule *rule = security_group_rule(group, id ? id : "");
    if (!rule) {
        err_set(err, ERR_INPUT, "InvalidSecurityGroupRuleId.NotFound",
                "the security group rule ID `%s` does not exist in `%s`", id ? id : "", group->obj.id);
    }
    return rule;
}

/* Shape SecurityGroupRuleRequest to the permission it says. */
static json_t *
request_permission(const json_t *request)
{
    static const struct {
        const char *member, *list, *item;
    } peers[] = {
        { "CidrIpv4", "IpRanges", "CidrIp" },
        { "CidrIpv6", "Ipv6Ranges", "CidrIpv6" },
        { "PrefixListId", "PrefixListIds", "PrefixListId" },
        { "ReferencedGroupId", "UserIdGroupPairs", "GroupId" },
    };
    static const char *const members[] = { "IpProtocol", "FromPort", "ToPort" };
    json_t *permission = json_object(), *description = json_object_get(request, "Description");
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        json_t *value = json_object_get(request, members[i]);
        if (value) {
            json_object_set(permission, members[i], value);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
        json_t *value = json_object_get(request, peers[i].member);
        if (value) {
            json_t *item = json_pack("{s:O}", peers[i].item, value);
            if (description) {
                json_object_set(item, "Description", description);
            }
            json_object_set_new(permission, peers[i].list, json_pack("[o]", item));
        }
    }
    return permission;
}

static bool
modify_rule(struct op_call *call, struct security_group *group, const json_t *update, struct err *err)
{
    const char *id = json_str(update, "SecurityGroupRuleId");
    const struct sg_rule *rule = require_rule(group, id, err);
    const json_t *request = json_object_get(update, "SecurityGroupRule");
    sg_rule_vec rules = { 0 };
    if (!rule) {
        return false;
    }
    if (!request) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain `SecurityGroupRule` for `%s`", id);
    }
    json_t *list = json_pack("[o]", request_permission(request));
    bool ok = sg_rules_from_permissions(list, rule->egress, "SecurityGroupRules", &rules, err);
    json_decref(list);
    if (ok && rules.n != 1) {
        ok = err_set(err, ERR_INPUT, "InvalidParameterCombination",
                     "a rule names one peer: a CIDR block, a prefix list or a security group");
    }
    ok = ok && security_group_modify_rule(ec2_net(call), group, id, &rules.items[0], err);
    rules_done(&rules);
    return ok;
}

static bool
modify_security_group_rules(struct op_call *call, struct err *err)
{
    struct security_group *group = require_group(call, err);
    const json_t *updates = json_object_get(call->in, "SecurityGroupRules");
    for (size_t i = 0; group && i < json_array_size(updates); i++) {
        if (!modify_rule(call, group, json_array_get(updates, i), err)) {
            return false;
        }
    }
    return group && ec2_return(call);
}

static void
set_description(struct sg_rule *rule, const char *text)
{
    char *copy = text && text[0] ? xstrdup(text) : NULL; /* leaving it out, or "", takes it away */
    free(rule->description);
    rule->description = copy;
}

static bool
describe_by_rules(struct op_call *call, struct security_group *group, bool egress, struct err *err)
{
    sg_rule_vec rules = { 0 };
    if (!read_rules(call, egress, &rules, err)) {
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < rules.n && ok; i++) {
        struct sg_rule *rule = security_group_find_rule(group, &rules.items[i]);
        if (rule) {
            set_description(rule, rules.items[i].description);
        } else {
            ok = err_set(err, ERR_INPUT, "InvalidPermission.NotFound", "rule %zu of the request does not exist in `%s`",
                         i + 1, group->obj.id);
        }
    }
    rules_done(&rules);
    return ok && ec2_return(call);
}

static bool
update_descriptions(struct op_call *call, bool egress, struct err *err)
{
    struct security_group *group = require_group(call, err);
    const json_t *list = json_object_get(call->in, "SecurityGroupRuleDescriptions");
    if (!group) {
        return false;
    }
    if (!list) {
        return describe_by_rules(call, group, egress, err);
    }
    if (json_object_get(call->in, "IpPermissions")) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "the parameters `SecurityGroupRuleDescriptions` and `IpPermissions` cannot be used together");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        struct sg_rule *rule = require_rule(group, json_str(item, "SecurityGroupRuleId"), err);
        if (!rule) {
            return false;
        }
        if (rule->egress != egress) {
            return err_set(err, ERR_INPUT, "InvalidSecurityGroupRuleId.NotFound", "`%s` is an %s rule", rule->id,
                           rule->egress ? "egress" : "ingress");
        }
        set_description(rule, json_str(item, "Description"));
    }
    return ec2_return(call);
}

static bool
update_descriptions_ingress(struct op_call *call, struct err *err)
{
    return update_descriptions(call, false, err);
}

static bool
update_descriptions_egress(struct op_call *call, struct err *err)
{
    return update_descriptions(call, true, err);
}

/* ---- describe-security-group-rules
 * ------------------------------------------------------------------------------------- */

static const struct filter_row rule_filters[] = {
    { "group-id", "GroupId" },
    { "security-group-rule-id", "SecurityGroupRuleId" },
    { NULL, NULL },
};
static const struct kind rule_view = { .name = "security-group-rule",
                                       .list = "SecurityGroupRules",
                                       .filters = rule_filters };

static bool
wanted(const json_t *ids, const char *id)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (strcmp(json_string_value(json_array_get(ids, i)), id) == 0) {
            return true;
        }
    }
    return json_array_size(ids) == 0;
}

static bool
rule_exists(const struct store *store, const char *id)
{
    struct security_group *group = store_first(store, &security_group_kind);
    while (group && !security_group_rule(group, id)) {
        group = store_next(store, group);
    }
    return group != NULL;
}

static bool
describe_security_group_rules(struct op_call *call, struct err *err)
{
    const json_t *filters = json_object_get(call->in, "Filters"),
                 *ids = json_object_get(call->in, "SecurityGroupRuleIds");
    const struct store *store = network_store(ec2_net(call));
    if (!filters_check(&rule_view, filters, err)) {
        return err_at(err, "Filters", 0, 0);
    }
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        if (!rule_exists(store, id)) {
            return err_set(err, ERR_INPUT,
                           id_well_formed(id, "sgr") ? "InvalidSecurityGroupRuleId.NotFound"
                                                     : "InvalidSecurityGroupRuleId.Malformed",
                           "the security group rule ID `%s` does not exist", id);
        }
    }
    json_t *list = json_array();
    for (const struct security_group *group = store_first(store, &security_group_kind); group;
         group = store_next(store, group)) {
        bool shown = strcmp(group->obj.region, call->cloud->region) == 0 && ec2_shows(call, &group->obj);
        for (size_t i = 0; shown && i < group->rules.n; i++) {
            json_t *described = sg_rule_describe(ec2_net(call), group, &group->rules.items[i]);
            if (wanted(ids, group->rules.items[i].id) && filters_match(&rule_view, filters, described)) {
                json_array_append(list, described);
            }
            json_decref(described);
        }
    }
    return ec2_answer_page(call, "SecurityGroupRules", list, "SecurityGroupRuleId", err);
}

/* Rules in other VPCs that name the groups; the way there is the rule's peering connection.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupReferences.html */
static bool
describe_security_group_references(struct op_call *call, struct err *err)
{
    const json_t *ids = json_object_get(call->in, "GroupId");
    const struct store *store = network_store(ec2_net(call));
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        const struct security_group *named = network_require(ec2_net(call), &security_group_kind, id, err);
        for (const struct security_group *g = named ? store_first(store, &security_group_kind) : NULL; g;
             g = store_next(store, g)) {
            for (size_t r = 0; r < g->rules.n && strcmp(g->vpc_id, named->vpc_id) != 0; r++) {
                const struct sg_rule *rule = &g->rules.items[r];
                if (rule->group_id && rule->peering_id && strcmp(rule->group_id, id) == 0) {
                    json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "GroupId", id, "ReferencingVpcId",
                                                          g->vpc_id, "VpcPeeringConnectionId", rule->peering_id));
                    break; /* once for each group that names it */
                }
            }
        }
    }
    json_object_set_new(call->out, "SecurityGroupReferenceSet", list);
    return !err->kind;
}

#define WRITE(name_, run_, resources_, help_)                                                                          \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = OP_WRITE, .run = run_, .resources = resources_, .help = help_         \
    }
#define GROUP "security-group/${GroupId}"
const struct op ops_ec2_security_group[] = {
    WRITE("CreateSecurityGroup", create_security_group, "security-group/* vpc/${VpcId}",
          "Create a security group that lets everything out and nothing in."),
    WRITE("DeleteSecurityGroup", delete_security_group, GROUP,
          "Delete a security group that nothing carries or names."),
    WRITE("AuthorizeSecurityGroupIngress", authorize_ingress, GROUP,
          "Allow traffic in: by block, prefix list or security group."),
    WRITE("AuthorizeSecurityGroupEgress", authorize_egress, GROUP,
          "Allow traffic out: by block, prefix list or security group."),
    WRITE("RevokeSecurityGroupIngress", revoke_ingress, GROUP, "Take inbound rules away, by id or spelled out."),
    WRITE("RevokeSecurityGroupEgress", revoke_egress, GROUP, "Take outbound rules away, by id or spelled out."),
    WRITE("ModifySecurityGroupRules", modify_security_group_rules, GROUP, "Change rules in place, by id."),
    WRITE("UpdateSecurityGroupRuleDescriptionsIngress", update_descriptions_ingress, GROUP,
          "Describe inbound rules in words."),
    WRITE("UpdateSecurityGroupRuleDescriptionsEgress", update_descriptions_egress, GROUP,
          "Describe outbound rules in words."),
    { .service = "ec2",
      .name = "DescribeSecurityGroupRules",
      .mode = OP_READ,
      .run = describe_security_group_rules,
      .help = "Show security group rules one by one, each with its id." },
    { .service = "ec2",
      .name = "DescribeSecurityGroupReferences",
      .mode = OP_READ,
      .run = describe_security_group_references,
      .help = "Show which VPCs across a peering connection name these groups in their rules." },
    { 0 },
};

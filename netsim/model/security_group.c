/* The kind row and both views of the rules; the operations are in sg_rules.c and below. */
#include "netsim/model/internal.h"

/* The state keeps the flat rules, ids, tags and all; AWS's form (IpPermissions) has neither ids nor order. */
static const struct field rule_fields[] = {
    FIELD(struct sg_rule, "SecurityGroupRuleId", FIELD_ID, id, 0),
    FIELD(struct sg_rule, "IsEgress", FIELD_BOOL, egress, 0),
    FIELD(struct sg_rule, "IpProtocol", FIELD_INT, protocol, FIELD_TEXT),
    FIELD(struct sg_rule, "FromPort", FIELD_INT, from, 0),
    FIELD(struct sg_rule, "ToPort", FIELD_INT, to, 0),
    FIELD(struct sg_rule, "Cidr", FIELD_CIDR, cidr, 0),
    FIELD(struct sg_rule, "PrefixListId", FIELD_STRING, prefix_list_id, 0),
    FIELD(struct sg_rule, "ReferencedGroupInfo.GroupId", FIELD_STRING, group_id, 0),
    FIELD(struct sg_rule, "ReferencedGroupInfo.UserId", FIELD_STRING, group_owner, 0),
    FIELD(struct sg_rule, "ReferencedGroupInfo.VpcId", FIELD_STRING, group_vpc_id, 0),
    FIELD(struct sg_rule, "ReferencedGroupInfo.VpcPeeringConnectionId", FIELD_STRING, peering_id, 0),
    FIELD(struct sg_rule, "ReferencedGroupInfo.PeeringStatus", FIELD_STRING, peering_status, 0),
    FIELD(struct sg_rule, "Description", FIELD_STRING, description, 0),
    FIELD_LIST(struct sg_rule, "Tags", tags, tag_fields, 0),
    FIELD_END,
};
static const struct field group_fields[] = {
    FIELD(struct security_group, "GroupId", FIELD_ID, obj.id, 0),
    FIELD_LIST(struct security_group, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct security_group, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD(struct security_group, "GroupName", FIELD_STRING, name, 0),
    FIELD(struct security_group, "Description", FIELD_STRING, description, FIELD_ALWAYS),
    FIELD_LIST(struct security_group, "Rules", rules, rule_fields, FIELD_STATE_ONLY | FIELD_ALWAYS),
    FIELD(struct security_group, "IpPermissions", FIELD_DOCUMENT, permissions, FIELD_INPUT_ONLY),
    FIELD(struct security_group, "IpPermissionsEgress", FIELD_DOCUMENT, permissions_egress, FIELD_INPUT_ONLY),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html */
static const struct filter_row group_filters[] = {
    { "description", "Description" },
    { "egress.ip-permission.cidr", "IpPermissionsEgress.IpRanges.CidrIp" },
    { "egress.ip-permission.from-port", "IpPermissionsEgress.FromPort" },
    { "egress.ip-permission.group-id", "IpPermissionsEgress.UserIdGroupPairs.GroupId" },
    { "egress.ip-permission.group-name", "IpPermissionsEgress.UserIdGroupPairs.GroupName" },
    { "egress.ip-permission.ipv6-cidr", "IpPermissionsEgress.Ipv6Ranges.CidrIpv6" },
    { "egress.ip-permission.prefix-list-id", "IpPermissionsEgress.PrefixListIds.PrefixListId" },
    { "egress.ip-permission.protocol", "IpPermissionsEgress.IpProtocol" },
    { "egress.ip-permission.to-port", "IpPermissionsEgress.ToPort" },
    { "egress.ip-permission.user-id", "IpPermissionsEgress.UserIdGroupPairs.UserId" },
    { "group-id", "GroupId" },
    { "group-name", "GroupName" },
    { "ip-permission.cidr", "IpPermissions.IpRanges.CidrIp" },
    { "ip-permission.from-port", "IpPermissions.FromPort" },
    { "ip-permission.group-id", "IpPermissions.UserIdGroupPairs.GroupId" },
    { "ip-permission.group-name", "IpPermissions.UserIdGroupPairs.GroupName" },
    { "ip-permission.ipv6-cidr", "IpPermissions.Ipv6Ranges.CidrIpv6" },
    { "ip-permission.prefix-list-id", "IpPermissions.PrefixListIds.PrefixListId" },
    { "ip-permission.protocol", "IpPermissions.IpProtocol" },
    { "ip-permission.to-port", "IpPermissions.ToPort" },
    { "ip-permission.user-id", "IpPermissions.UserIdGroupPairs.UserId" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

static void
group_loaded(struct store *store, void *object)
{
    struct security_group *group = object;
    sg_rule_vec rules = { 0 };
    (void)store;
    if (group->rules.n > 0) { /* the flat form, ids and all, is there: IpPermissions says the same again */
        json_decref(group->permissions);
        json_decref(group->permissions_egress);
        group->permissions = group->permissions_egress = NULL;
    }
    /* What cannot be read stays in 'permissions', and network_load_kind() reports it: this callback has no error to
     * set. */
    if (sg_rules_read(group->permissions, false, false, "", &rules, NULL)) {
        json_decref(group->permissions);
        group->permissions = NULL;
    }
    if (sg_rules_read(group->permissions_egress, true, false, "", &rules, NULL)) {
        json_decref(group->permissions_egress);
        group->permissions_egress = NULL;
    }
    for (size_t i = 0; i < rules.n; i++) {
        *VEC_ADD(&group->rules) = rules.items[i];
    }
    VEC_DONE(&rules);
}

static void
group_describe(const struct store *store, const void *object, json_t *out)
{
    const struct security_group *group = object;
    const struct network *net = network_of(store);
    char *arn = object_arn(&group->obj, "security-group");
    json_object_set_new(out, "IpPermissionsEgress", sg_permissions(net, group, true));
    json_object_set_new(out, "SecurityGroupArn", json_string(arn));
    json_object_set_new(out, "IpPermissions", sg_permissions(net, group, false));
    free(arn);
}

const struct kind security_group_kind = {
    .name = "security-group",
    .prefix = "sg",
    .type = "security-group",
    .list = "SecurityGroups",
    .id_member = "GroupId",
    .ids_param = "GroupIds",
    .not_found = "InvalidGroup.NotFound",
    .malformed = "InvalidGroupId.Malformed",
    .size = sizeof(struct security_group),
    .fields = group_fields,
    .shows_owner = true,
    .filters = group_filters,
    .loaded = group_loaded,
    .describe = group_describe,
};

void
sg_rule_done(struct sg_rule *rule)
{
    fields_done(rule_fields, rule);
}

void
sg_rule_copy(struct sg_rule *to, const struct sg_rule *from)
{
    *to = (struct sg_rule){ 0 };
    fields_copy(rule_fields, to, from);
}

/* ---- the views
 * ------------------------------------------------------------------------------------------------------- */

static void
set_text(json_t *object, const char *member, const char *text)
{
    if (text) {
        json_object_set_new(object, member, json_string(text));
    }
}

/* Who the rule's group belongs to: as AWS stated it, else the group itself if it is here, else this group's owner. */
static const char *
pair_owner(const struct network *net, const struct security_group *group, const struct sg_rule *rule)
{
    const struct security_group *other = net ? store_get(net->store, &security_group_kind, rule->group_id) : NULL;
    return rule->group_owner ? rule->group_owner : other ? other->obj.account : group->obj.account;
}

json_t *
sg_rule_describe(const struct network *net, const struct security_group *group, const struct sg_rule *rule)
{
    json_t *out = json_object();
    struct object as_object = group->obj;
    id_set(as_object.id, rule->id);
    json_object_set_new(out, "SecurityGroupRuleId", json_string(rule->id));
    json_object_set_new(out, "GroupId", json_string(group->obj.id));
    json_object_set_new(out, "GroupOwnerId", json_string(group->obj.account));
    json_object_set_new(out, "IsEgress", json_boolean(rule->egress));
    json_object_set_new(out, "IpProtocol",
                        json_string(rule->protocol == PROTOCOL_ALL ? "-1" : protocol_name(rule->protocol)));
    json_object_set_new(out, "FromPort", json_integer(rule->from));
    json_object_set_new(out, "ToPort", json_integer(rule->to));
    if (rule->cidr.ip.family != IP_NONE) {
        set_text(out, rule->cidr.ip.family == IP_V6 ? "CidrIpv6" : "CidrIpv4", cidr_str(&rule->cidr));
    }
    set_text(out, "PrefixListId", rule->prefix_list_id);
    if (rule->group_id) {
        json_t *info = json_object();
        set_text(info, "GroupId", rule->group_id);
        set_text(info, "PeeringStatus", rule->peering_status);
        set_text(info, "UserId", pair_owner(net, group, rule));
        set_text(info, "VpcId", rule->group_vpc_id);
        set_text(info, "VpcPeeringConnectionId", rule->peering_id);
        json_object_set_new(out, "ReferencedGroupInfo", info);
    }
    set_text(out, "Description", rule->description);
    json_t *tags = json_array();
    for (size_t i = 0; i < rule->tags.n; i++) {
        json_array_append_new(tags, json_pack("{s:s, s:s}", "Key", rule->tags.items[i].key, "Value",
                                              rule->tags.items[i].value ? rule->tags.items[i].value : ""));
    }
    json_object_set_new(out, "Tags", tags);
    char *arn = object_arn(&as_object, "security-group-rule");
    set_text(out, "SecurityGroupRuleArn", arn);
    free(arn);
    return out;
}

/* The permission of these ports that 'list' has already; a new one at its end otherwise. */
static json_t *
permission_of(json_t *list, const struct sg_rule *rule)
{
    const char *protocol = rule->protocol == PROTOCOL_ALL ? "-1" : protocol_name(rule->protocol);
    bool ports = rule->protocol == PROTOCOL_TCP || rule->protocol == PROTOCOL_UDP || rule->protocol == PROTOCOL_ICMP ||
                 rule->protocol == PROTOCOL_ICMPV6;
    size_t i;
    json_t *permission;
    json_array_foreach(list, i, permission)
    {
        if (strcmp(json_str(permission, "IpProtocol"), protocol) == 0 &&
            (!ports ||
             (json_int(permission, "FromPort", -2) == rule->from && json_int(permission, "ToPort", -2) == rule->to))) {
            return permission;
        }
    }
    permission = json_object();
    json_object_set_new(permission, "IpProtocol", json_string(protocol));
    if (ports) {
        json_object_set_new(permission, "FromPort", json_integer(rule->from));
        json_object_set_new(permission, "ToPort", json_integer(rule->to));
    }
    json_object_set_new(permission, "UserIdGroupPairs", json_array());
    json_object_set_new(permission, "IpRanges", json_array());
    json_object_set_new(permission, "Ipv6Ranges", json_array());
    json_object_set_new(permission, "PrefixListIds", json_array());
    json_array_append_new(list, permission);
    return permission;
}

json_t *
sg_permissions(const struct network *net, const struct security_group *group, bool egress)
{
    json_t *list = json_array();
    for (size_t i = 0; i < group->rules.n; i++) {
        const struct sg_rule *rule = &group->rules.items[i];
        if (rule->egress != egress) {
            continue;
        }
        json_t *permission = permission_of(list, rule), *source = json_object();
        const char *member = rule->group_id ? "UserIdGroupPairs" : rule->prefix_list_id ? "PrefixListIds" : "IpRanges";
        set_text(source, "Description", rule->description);
        if (rule->group_id) {
            set_text(source, "UserId", pair_owner(net, group, rule));
            set_text(source, "GroupId", rule->group_id);
            set_text(source, "VpcId", rule->group_vpc_id);
            set_text(source, "VpcPeeringConnectionId", rule->peering_id);
            set_text(source, "PeeringStatus", rule->peering_status);
        } else if (rule->prefix_list_id) {
            set_text(source, "PrefixListId", rule->prefix_list_id);
        } else if (rule->cidr.ip.family == IP_V6) {
            member = "Ipv6Ranges";
            set_text(source, "CidrIpv6", cidr_str(&rule->cidr));
        } else {
            set_text(source, "CidrIp", cidr_str(&rule->cidr));
        }
        json_array_append_new(json_object_get(permission, member), source);
    }
    return list;
}

#include "tests/unit/model.h"

static sg_rule_vec
rules_of(const char *permissions, bool egress, struct err *err)
{
    sg_rule_vec rules = { 0 };
    struct err bad = { 0 };
    json_t *json = json_read(permissions, strlen(permissions), "test", &bad);
    REQUIRE(json, "%s: %s", permissions, bad.text);
    sg_rules_from_permissions(json, egress, "IpPermissions", &rules, err);
    json_decref(json);
    return rules;
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
authorize(struct network *net, struct security_group *group, const char *permissions, struct err *err)
{
    sg_rule_vec rules = rules_of(permissions, false, err);
    bool ok = err->kind == ERR_NONE && security_group_authorize(net, group, rules.items, rules.n, err);
    rules_done(&rules);
    return ok;
}

static bool
revoke(struct network *net, struct security_group *group, const char *permissions, struct err *err)
{
    sg_rule_vec rules = rules_of(permissions, false, err);
    bool ok = err->kind == ERR_NONE && security_group_revoke(net, group, rules.items, rules.n, err);
    rules_done(&rules);
    return ok;
}

#define TCP(ports_, rest_) "[{\"IpProtocol\":\"tcp\"," ports_ "," rest_ "}]"
#define P80                "\"FromPort\":80,\"ToPort\":80"
#define ANY                "\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}]"

TEST(permissions_are_read_strictly)
{
    static const struct {
        const char *permissions, *code, *where;
    } cases[] = {
        { TCP(P80, ANY), "", "" },
        { "[{\"IpProtocol\":\"-1\"," ANY "}]", "", "" },
        { "[{\"IpProtocol\":\"50\"," ANY "}]", "", "" },
        { "[{\"IpProtocol\":\"icmpv6\",\"Ipv6Ranges\":[{\"CidrIpv6\":\"::/0\"}]}]", "", "" },
        { "[{\"IpProtocol\":\"icmp\",\"FromPort\":8,\"ToPort\":-1," ANY "}]", "", "" },
        { "[{" P80 "," ANY "}]", "MissingParameter", "IpPermissions[0].IpProtocol" },
        { "[{\"IpProtocol\":\"tpc\"," P80 "," ANY "}]", "InvalidParameterValue", "IpPermissions[0].IpProtocol" },
        { "[{\"IpProtocol\":\"tcp\"," ANY "}]", "InvalidParameterValue", "IpPermissions[0].FromPort" },
        { TCP("\"FromPort\":80", ANY), "InvalidParameterValue", "IpPermissions[0].ToPort" },
        { TCP("\"FromPort\":81,\"ToPort\":80", ANY), "InvalidParameterValue", "IpPermissions[0].FromPort" },
        { TCP("\"FromPort\":0,\"ToPort\":70000", ANY), "InvalidParameterValue", "IpPermissions[0].FromPort" },
        { TCP("\"FromPort\":-1,\"ToPort\":-1", ANY), "InvalidParameterValue", "IpPermissions[0].FromPort" },
        { TCP("\"FromPort\":99999999999,\"ToPort\":99999999999", ANY), "InvalidParameterValue",
          "IpPermissions[0].FromPort" },
        { "[{\"IpProtocol\":\"icmp\"," ANY "}]", "InvalidParameterValue", "IpPermissions[0].FromPort" },
        { TCP(P80, "\"IpRanges\":[{\"CidrIp\":\"10.0.0.1\"}]"), "InvalidParameterValue",
          "IpPermissions[0].IpRanges.CidrIp" },
        { TCP(P80, "\"IpRanges\":[{\"CidrIp\":\"10.0.0/8\"}]"), "InvalidParameterValue",
          "IpPermissions[0].IpRanges.CidrIp" },
        { TCP(P80, "\"IpRanges\":[{\"CidrIp\":\"::/0\"}]"), "InvalidParameterValue",
          "IpPermissions[0].IpRanges.CidrIp" },
        { TCP(P80, "\"Ipv6Ranges\":[{\"CidrIpv6\":\"10.0.0.0/8\"}]"), "InvalidParameterValue",
          "IpPermissions[0].Ipv6Ranges.CidrIpv6" },
        { TCP(P80, "\"IpRanges\":[]"), "MissingParameter", "IpPermissions[0]" },
        { TCP(P80, "\"UserIdGroupPairs\":[{}]"), "InvalidParameterValue", "IpPermissions[0].UserIdGroupPairs" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        sg_rule_vec rules = rules_of(cases[i].permissions, false, &err);
        CHECK_STR(err.code, cases[i].code, "%s: %s", cases[i].permissions, err.text);
        CHECK_STR(err.where, cases[i].where, "%s", cases[i].permissions);
        CHECK_INT(rules.n, cases[i].code[0] == '\0', "%s", cases[i].permissions);
        rules_done(&rules);
    }
}

TEST(host_bits_are_masked_off)
{
    struct err err = { 0 };
    sg_rule_vec rules = rules_of(TCP(P80, "\"IpRanges\":[{\"CidrIp\":\"100.68.0.18/18\"}]"), false, &err);
    REQUIRE(rules.n == 1, "%s", err.text);
    CHECK_STR(cidr_str(&rules.items[0].cidr), "100.68.0.0/18");
    rules_done(&rules);
}

TEST(groups_are_checked)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    char long_name[300];
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const struct {
        const char *vpc, *name, *description, *code;
    } cases[] = {
        { vpc->obj.id, "web", "web servers", "" },
        { vpc->obj.id, "web", "again", "InvalidGroup.Duplicate" },
        { vpc->obj.id, "default", "mine", "InvalidGroup.Reserved" },
        { vpc->obj.id, "sg-web", "x", "InvalidParameterValue" },
        { vpc->obj.id, long_name, "x", "InvalidParameterValue" },
        { vpc->obj.id, "caf\xc3\xa9", "x", "InvalidParameterValue" },
        { vpc->obj.id, "db", "", "MissingParameter" },
        { vpc->obj.id, "", "x", "MissingParameter" },
        { "vpc-00000000", "db", "x", "InvalidVpcID.NotFound" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        security_group_create(net, cases[i].vpc, cases[i].name, cases[i].description, &err);
        CHECK_STR(err.code, cases[i].code, "%.20s: %s", cases[i].name, err.text);
    }
    network_free(net);
}

TEST(authorize_is_all_or_nothing)
{
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false), *other = model_vpc(net, "10.1.0.0/16", false);
    struct security_group *group = security_group_create(net, vpc->obj.id, "web", "web", NULL);
    struct security_group *foreign = network_group_by_name(net, other->obj.id, "default");
    char to_foreign[200], to_self[200];
    snprintf(to_foreign, sizeof to_foreign, TCP(P80, "\"UserIdGroupPairs\":[{\"GroupId\":\"%s\"}]"), foreign->obj.id);
    snprintf(to_self, sizeof to_self, TCP(P80, "\"UserIdGroupPairs\":[{\"GroupId\":\"%s\"}]"), group->obj.id);
    const struct {
        const char *permissions, *code;
    } cases[] = {
        { TCP(P80, ANY), "" },
        { TCP(P80, ANY), "InvalidPermission.Duplicate" },
        { TCP("\"FromPort\":81,\"ToPort\":81",
              "\"IpRanges\":[{\"CidrIp\":\"10.0.0.0/8\"},{\"CidrIp\":\"10.0.0.0/8\"}]"),
          "InvalidPermission.Duplicate" },
        { TCP(P80, "\"UserIdGroupPairs\":[{\"GroupId\":\"sg-00000000\"}]"), "InvalidGroup.NotFound" },
        { TCP(P80, "\"UserIdGroupPairs\":[{\"GroupName\":\"web\"}]"),
          "InvalidGroup.NotFound" }, /* names work in a default VPC */
        { to_foreign, "InvalidGroup.NotFound" },
        { to_self, "" },
        { TCP(P80, "\"PrefixListIds\":[{\"PrefixListId\":\"pl-00000000\"}]"), "InvalidPrefixListID.NotFound" },
        { "[{\"IpProtocol\":\"icmpv6\"," ANY "}]", "InvalidParameterValue" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        size_t before = group->rules.n;
        authorize(net, group, cases[i].permissions, &err);
        CHECK_STR(err.code, cases[i].code, "%s: %s", cases[i].permissions, err.text);
        CHECK_INT(group->rules.n, before + !cases[i].code[0], "%s", cases[i].permissions);
    }
    network_free(net);
}

TEST(revoke_is_strict_but_in_a_default_vpc)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false), *standard = network_create_default_vpc(net, &err);
    struct security_group *group = security_group_create(net, vpc->obj.id, "web", "web", &err);
    struct security_group *lenient = security_group_create(net, standard->obj.id, "web", "web", &err);
    REQUIRE(group && lenient, "%s", err.text);
    const char *two = TCP(P80, "\"IpRanges\":[{\"CidrIp\":\"10.0.0.0/8\"},{\"CidrIp\":\"11.0.0.0/8\"}]");
    CHECK(authorize(net, group, TCP(P80, "\"IpRanges\":[{\"CidrIp\":\"10.0.0.0/8\"}]"), &err), "%s", err.text);
    CHECK(authorize(net, lenient, TCP(P80, "\"IpRanges\":[{\"CidrIp\":\"10.0.0.0/8\"}]"), &err), "%s", err.text);
    CHECK(!revoke(net, group, two, &err));
    CHECK_STR(err.code, "InvalidPermission.NotFound");
    CHECK_INT(group->rules.n, 2, "nothing was taken away");
    err_clear(&err);
    CHECK(revoke(net, lenient, two, &err), "%s", err.text);
    CHECK_INT(lenient->rules.n, 1);
    char *ids[] = { group->rules.items[1].id };
    CHECK(!security_group_revoke_ids(net, group, true, (const char *const *)ids, 1, &err));
    CHECK_STR(err.code, "InvalidSecurityGroupRuleId.NotFound");
    err_clear(&err);
    CHECK(security_group_revoke_ids(net, group, false, (const char *const *)ids, 1, &err), "%s", err.text);
    CHECK_INT(group->rules.n, 1);
    /* In a default VPC a group may be named. */
    CHECK(authorize(net, lenient, TCP(P80, "\"UserIdGroupPairs\":[{\"GroupName\":\"default\"}]"), &err), "%s",
          err.text);
    CHECK_STR(lenient->rules.items[1].group_id, network_group_by_name(net, standard->obj.id, "default")->obj.id);
    network_free(net);
}

TEST(sixty_rules_a_direction_and_family)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct security_group *group = security_group_create(net, vpc->obj.id, "web", "web", NULL);
    for (int i = 0; i < 60; i++) {
        struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = i, .to = i, .cidr = cidr_lit("10.0.0.0/8") };
        CHECK(security_group_authorize(net, group, &rule, 1, &err), "%s", err.text);
    }
    struct sg_rule more = { .protocol = PROTOCOL_TCP, .from = 80, .to = 80, .cidr = cidr_lit("10.0.0.0/8") }, v6 = more,
                   out = more;
    v6.cidr = cidr_lit("::/0");
    out.egress = true;
    CHECK(!security_group_authorize(net, group, &more, 1, &err));
    CHECK_STR(err.code, "RulesPerSecurityGroupLimitExceeded");
    err_clear(&err);
    CHECK(security_group_authorize(net, group, &v6, 1, &err), "%s", err.text);
    CHECK(security_group_authorize(net, group, &out, 1, &err), "%s", err.text);
    network_set_limits(net, false);
    CHECK(security_group_authorize(net, group, &more, 1, &err), "%s", err.text);
    network_free(net);
}

TEST(a_prefix_list_counts_with_its_maximum)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct security_group *group = security_group_create(net, vpc->obj.id, "web", "web", NULL);
    struct prefix_list *list = prefix_list_create(net, "offices", "IPv4", 50, NULL, 0, &err);
    REQUIRE(list, "%s", err.text);
    struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = 80, .to = 80, .prefix_list_id = list->obj.id };
    CHECK(security_group_authorize(net, group, &rule, 1, &err), "%s", err.text);
    rule.from = rule.to = 81;
    CHECK(!security_group_authorize(net, group, &rule, 1, &err));
    CHECK_STR(err.code, "RulesPerSecurityGroupLimitExceeded");
    err_clear(&err);
    CHECK(!prefix_list_delete(net, list, &err));
    CHECK_STR(err.code, "DependencyViolation");
    CHECK(strstr(err.text, group->obj.id), "%s", err.text);
    network_free(net);
}

TEST(delete_names_what_depends)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(net, vpc, "10.0.1.0/24");
    struct security_group *web = security_group_create(net, vpc->obj.id, "web", "web", NULL);
    struct security_group *db = security_group_create(net, vpc->obj.id, "db", "db", NULL);
    struct eni *eni = model_eni(net, subnet, NULL);
    const char *groups[] = { web->obj.id };
    CHECK(!security_group_delete(net, network_group_by_name(net, vpc->obj.id, "default"), &err));
    CHECK_STR(err.code, "CannotDelete");
    err_clear(&err);
    CHECK(eni_set_groups(net, eni, groups, 1, &err), "%s", err.text);
    struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = 5432, .to = 5432, .group_id = web->obj.id };
    CHECK(security_group_authorize(net, db, &rule, 1, &err), "%s", err.text);
    CHECK(!security_group_delete(net, web, &err));
    CHECK_STR(err.code, "DependencyViolation");
    CHECK(strstr(err.text, eni->obj.id) && strstr(err.text, db->obj.id), "%s", err.text);
    err_clear(&err);
    CHECK(eni_delete(net, eni, &err), "%s", err.text);
    CHECK(security_group_revoke(net, db, &rule, 1, &err), "%s", err.text);
    CHECK(security_group_delete(net, web, &err), "%s", err.text);
    network_free(net);
}

TEST(a_modified_rule_keeps_its_id)
{
    struct network *net = model_new();
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", false);
    struct security_group *group = security_group_create(net, vpc->obj.id, "web", "web", NULL);
    struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = 80, .to = 80, .cidr = cidr_lit("10.0.0.0/8") },
                   other = rule, v6 = rule;
    other.from = other.to = 443;
    v6.cidr = cidr_lit("2001:db8::/32");
    CHECK(security_group_authorize(net, group, &rule, 1, &err) && security_group_authorize(net, group, &other, 1, &err),
          "%s", err.text);
    char id[ID_SIZE];
    strcpy(id, group->rules.items[1].id);
    CHECK(!security_group_modify_rule(net, group, id, &other, &err));
    CHECK_STR(err.code, "InvalidPermission.Duplicate");
    err_clear(&err);
    CHECK(security_group_modify_rule(net, group, id, &v6, &err), "%s", err.text);
    CHECK_STR(group->rules.items[1].id, id);
    CHECK_STR(cidr_str(&group->rules.items[1].cidr), "2001:db8::/32");
    CHECK(!security_group_modify_rule(net, group, "sgr-0", &v6, &err));
    CHECK_STR(err.code, "InvalidSecurityGroupRuleId.NotFound");
    network_free(net);
}

TEST_MAIN

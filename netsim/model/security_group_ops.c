/* Security groups: creating, deleting, authorizing and revoking rules. */
#include "netsim/model/internal.h"
#include "netsim/model/peering.h"

#include <stdio.h>

/* ---- groups
 * ------------------------------------------------------------------------------------------------------------- */

static struct sg_rule *
rule_add(struct network *net, struct security_group *group)
{
    struct sg_rule *rule = VEC_ADD(&group->rules);
    id_new(net->ids, "sgr", rule->id);
    return rule;
}

static void
everything_out(struct network *net, struct security_group *group, int family)
{
    struct sg_rule *rule = rule_add(net, group);
    rule->egress = true;
    rule->protocol = PROTOCOL_ALL;
    rule->from = rule->to = -1;
    rule->cidr = cidr_lit(family == IP_V6 ? "::/0" : "0.0.0.0/0");
}

struct security_group *
security_group_add(struct network *net, const struct vpc *vpc, const char *name, const char *description)
{
    struct security_group *group = network_add(net, &security_group_kind, NULL);
    memcpy(group->vpc_id, vpc->obj.id, ID_SIZE);
    group->name = xstrdup(name);
    group->description = xstrdup(description);
    if (strcmp(name, "default") == 0) { /* its members may talk to each other */
        struct sg_rule *rule = rule_add(net, group);
        rule->protocol = PROTOCOL_ALL;
        rule->from = rule->to = -1;
        rule->group_id = xstrdup(group->obj.id);
        rule->group_owner = xstrdup(group->obj.account);
    }
    everything_out(net, group, IP_V4);
    if (vpc->cidrs6.n) {
        everything_out(net, group, IP_V6);
    }
    return group;
}

/* The first IPv6 block of a VPC opens IPv6 in groups that still have AWS's rule for IPv4. */
void
security_groups_add_ipv6(struct network *net, const struct vpc *vpc)
{
    struct sg_rule v4 = { .egress = true,
                          .protocol = PROTOCOL_ALL,
                          .from = -1,
                          .to = -1,
                          .cidr = cidr_lit("0.0.0.0/0") },
                   v6 = v4;
    v6.cidr = cidr_lit("::/0");
    for (struct security_group *g = store_first(net->store, &security_group_kind); g; g = store_next(net->store, g)) {
        if (strcmp(g->vpc_id, vpc->obj.id) == 0 && security_group_find_rule(g, &v4) &&
            !security_group_find_rule(g, &v6)) {
            everything_out(net, g, IP_V6);
        }
    }
}

struct security_group *
network_group_by_name(const struct network *net, const char *vpc_id, const char *name)
{
    for (struct security_group *g = store_first(net->store, &security_group_kind); g; g = store_next(net->store, g)) {
        if (str_is(g->name, name) && strcmp(g->vpc_id, vpc_id) == 0) {
            return g;
        }
    }
    return NULL;
}

static bool
text_check(const char *what, const char *text, struct err *err)
{
    static const char more[] = " ._-:/()#,@[]+=&;{}!$*";
    size_t length = strlen(text);
    if (length == 0 || length > 255) {
        return err_set(err, ERR_INPUT, length ? "InvalidParameterValue" : "MissingParameter",
                       "%s needs 1 to 255 characters, not %zu", what, length);
    }
    for (const char *c = text; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (!letter && !strchr(more, *c)) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%s` for %s: character %zu is not allowed",
                    text, what, (size_t)(c - text) + 1);
            return err_hint(err, "valid characters: a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*");
        }
    }
    return true;
}

struct security_group *
security_group_create(struct network *net, const char *vpc_id, const char *name, const char *description,
                      struct err *err)
{
    const struct vpc *vpc = network_require(net, &vpc_kind, vpc_id, err);
    if (!vpc || !text_check("GroupName", name ? name : "", err) ||
        !text_check("GroupDescription", description ? description : "", err)) {
        return NULL;
    }
    if (strncmp(name, "sg-", 3) == 0) {
        err_set(err, ERR_INPUT, "InvalidParameterValue",
                "invalid value `%s` for groupName: it may not be in the format sg-*", name);
        return NULL;
    }
    if (strcmp(name, "default") == 0) {
        err_set(err, ERR_INPUT, "InvalidGroup.Reserved", "the name `default` is reserved");
        return NULL;
    }
    if (network_group_by_name(net, vpc_id, name)) {
        err_set(err, ERR_INPUT, "InvalidGroup.Duplicate", "the security group `%s` already exists for VPC `%s`", name,
                vpc_id);
        return NULL;
    }
    if (net->limits && store_count(net->store, &security_group_kind) >= 2500) {
        err_set(err, ERR_INPUT, "SecurityGroupLimitExceeded",
                "the maximum number of security groups has been reached (2500)");
        return NULL;
    }
    return security_group_add(net, vpc, name, description);
}

bool
security_group_delete(struct network *net, struct security_group *group, struct err *err)
{
    struct dependents left = { 0 };
    struct eni *const *members;
    size_t n = network_group_members(net, group->obj.id, &members);
    if (str_is(group->name, "default")) {
        return err_set(err, ERR_INPUT, "CannotDelete",
                       "the security group `%s` is the default one of `%s` and cannot be deleted", group->obj.id,
                       group->vpc_id);
    }
    for (size_t i = 0; i < n; i++) {
        dependents_add(&left, members[i]->obj.id);
    }
    for (struct security_group *g = store_first(net->store, &security_group_kind); g; g = store_next(net->store, g)) {
        bool names = false;
        for (size_t i = 0; i < g->rules.n && g != group; i++) {
            names = names || str_is(g->rules.items[i].group_id, group->obj.id);
        }
        dependents_add_if(&left, names, g->obj.id);
    }
    if (!dependents_none(&left, group->obj.id, err)) {
        return false;
    }
    network_remove(net, group);
    return true;
}

/* ---- rules
 * ---------------------------------------------------------------------------------------------------------------- */

static bool
same_text(const char *a, const char *b)
{
    return a ? str_is(a, b) : !b;
}

static bool
same_rule(const struct sg_rule *a, const struct sg_rule *b)
{
    return a->egress == b->egress && a->protocol == b->protocol && a->from == b->from && a->to == b->to &&
           same_text(a->group_id, b->group_id) && same_text(a->prefix_list_id, b->prefix_list_id) &&
           (a->cidr.ip.family == IP_NONE ? b->cidr.ip.family == IP_NONE : cidr_equal(&a->cidr, &b->cidr));
}

struct sg_rule *
security_group_rule(struct security_group *group, const char *rule_id)
{
    for (size_t i = 0; i < group->rules.n; i++) {
        if (strcmp(group->rules.items[i].id, rule_id) == 0) {
            return &group->rules.items[i];
        }
    }
    return NULL;
}

struct sg_rule *
security_group_find_rule(struct security_group *group, const struct sg_rule *like)
{
    for (size_t i = 0; i < group->rules.n; i++) {
        if (same_rule(&group->rules.items[i], like)) {
            return &group->rules.items[i];
        }
    }
    return NULL;
}

static const char *
rule_str(const struct sg_rule *rule)
{
    static _Thread_local char text[200];
    const char *peer = rule->group_id         ? rule->group_id
                       : rule->prefix_list_id ? rule->prefix_list_id
                                              : cidr_str(&rule->cidr);
    if (rule->protocol == PROTOCOL_TCP || rule->protocol == PROTOCOL_UDP) {
        snprintf(text, sizeof text, "peer: %s, %s, from port: %d, to port: %d, ALLOW", peer,
                 protocol_name(rule->protocol), rule->from, rule->to);
    } else if (rule->protocol == PROTOCOL_ICMP || rule->protocol == PROTOCOL_ICMPV6) {
        snprintf(text, sizeof text, "peer: %s, %s, type: %d, code: %d, ALLOW", peer, protocol_name(rule->protocol),
                 rule->from, rule->to);
    } else {
        snprintf(text, sizeof text, "peer: %s, %s, ALLOW", peer, protocol_name(rule->protocol));
    }
    return text;
}

/* A copy with what AWS fills in: the group's id for its name, its owner, no ports where the protocol has none.  The
 * caller frees it. */
static void
rule_normal(const struct network *net, const struct security_group *group, const struct sg_rule *spec,
            struct sg_rule *rule)
{
    sg_rule_copy(rule, spec);
    rule->id[0] = '\0';
    if (rule->protocol != PROTOCOL_TCP && rule->protocol != PROTOCOL_UDP && rule->protocol != PROTOCOL_ICMP &&
        rule->protocol != PROTOCOL_ICMPV6) {
        rule->from = rule->to = -1;
    }
    const struct security_group *named =
        rule->group_id ? network_group_by_name(net, group->vpc_id, rule->group_id) : NULL;
    const struct vpc *vpc = store_get(net->store, &vpc_kind, group->vpc_id);
    if (named && vpc && vpc->is_default && !store_get(net->store, &security_group_kind, rule->group_id)) {
        str_set(&rule->group_id, named->obj.id); /* names only work in a default VPC */
    }
    const struct security_group *other =
        rule->group_id ? store_get(net->store, &security_group_kind, rule->group_id) : NULL;
    if (other && !rule->group_owner) {
        rule->group_owner = xstrdup(other->obj.account);
    }
}

static bool
rule_check(const struct network *net, const struct security_group *group, const struct sg_rule *rule, struct err *err)
{
    int n = (rule->cidr.ip.family != IP_NONE) + (rule->prefix_list_id != NULL) + (rule->group_id != NULL);
    if (n != 1) {
        return err_set(err, ERR_INPUT, n ? "InvalidParameterCombination" : "MissingParameter",
                       "a rule names one peer: a CIDR block, a prefix list or a security group");
    }
    if (rule->protocol < -1 || rule->protocol > 255) {
        return err_set(err, ERR_INPUT, "InvalidPermission.Malformed", "invalid protocol `%d`", rule->protocol);
    }
    if (!sg_ports_check(rule->protocol, rule->from, rule->to, err)) {
        return false;
    }
    if (rule->protocol == PROTOCOL_ICMPV6 && rule->cidr.ip.family == IP_V4) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "icmpv6 needs an IPv6 block, not `%s`",
                       cidr_str(&rule->cidr));
    }
    if (rule->prefix_list_id && !network_require(net, &prefix_list_kind, rule->prefix_list_id, err)) {
        return false;
    }
    if (!rule->group_id) {
        return true;
    }
    const struct security_group *other = store_get(net->store, &security_group_kind, rule->group_id);
    if (!other) {
        err_set(err, ERR_INPUT, "InvalidGroup.NotFound", "the security group `%s` does not exist", rule->group_id);
        return network_group_by_name(net, group->vpc_id, rule->group_id)
                   ? err_hint(err, "outside a default VPC name the group by its id")
                   : false;
    }
    /* A group of another VPC works across a peering, which the rule may name.
     * Source: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html */
    if (strcmp(other->vpc_id, group->vpc_id) != 0 && !rule->peering_id &&
        !network_peering_between(net, group->vpc_id, other->vpc_id)) {
        err_set(err, ERR_INPUT, "InvalidGroup.NotFound",
                "you have specified two resources that belong to different networks: `%s` is in `%s`", other->obj.id,
                other->vpc_id);
        return err_hint(err, "name a group of `%s`", group->vpc_id);
    }
    return true;
}

/* How much a rule counts towards the quota: a prefix list with its maximum.  The quota holds for each direction and IP
 * version. */
static bool
limit_check(const struct network *net, const struct security_group *group, const sg_rule_vec *added, struct err *err)
{
    size_t weight[2][2] = { { 0 } };
    for (size_t i = 0; i < group->rules.n + added->n && net->limits; i++) {
        const struct sg_rule *rule = i < group->rules.n ? &group->rules.items[i] : &added->items[i - group->rules.n];
        const struct prefix_list *list =
            rule->prefix_list_id ? store_get(net->store, &prefix_list_kind, rule->prefix_list_id) : NULL;
        bool v6 = list ? str_is(list->address_family, "IPv6") : rule->cidr.ip.family == IP_V6;
        size_t n = list && list->max_entries > 0 ? (size_t)list->max_entries : 1;
        weight[rule->egress][v6] += n;
        if (rule->group_id) {
            weight[rule->egress][1] += n; /* groups count for both */
        }
    }
    for (int egress = 0; egress < 2; egress++) {
        for (int v6 = 0; v6 < 2; v6++) {
            if (weight[egress][v6] > 60) {
                err_set(err, ERR_INPUT, "RulesPerSecurityGroupLimitExceeded",
                        "the maximum number of %s rules for `%s` has been reached (60 for IPv%d)",
                        egress ? "egress" : "ingress", group->obj.id, v6 ? 6 : 4);
                return err_hint(err, "a prefix list counts with its MaxEntries");
            }
        }
    }
    return true;
}

static void
rules_changed(struct network *net, const struct security_group *group)
{
    uint64_t before = store_generation(net->store);
    network_touch(net);
    network_changed(net, before, CHANGED_RULES, group->obj.id);
}

static void
rules_done(sg_rule_vec *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        sg_rule_done(&rules->items[i]);
    }
    VEC_DONE(rules);
}

bool
security_group_authorize(struct network *net, struct security_group *group, const struct sg_rule *rules, size_t n_rules,
                         struct err *err)
{
    sg_rule_vec added = { 0 };
    bool ok = true;
    for (size_t i = 0; i < n_rules && ok; i++) {
        struct sg_rule *rule = VEC_ADD(&added);
        rule_normal(net, group, &rules[i], rule);
        ok = rule_check(net, group, rule, err);
        bool twice = ok && security_group_find_rule(group, rule);
        for (size_t j = 0; ok && j + 1 < added.n; j++) {
            twice = twice || same_rule(&added.items[j], rule);
        }
        if (twice) {
            ok = err_set(err, ERR_INPUT, "InvalidPermission.Duplicate", "the specified rule `%s` already exists",
                         rule_str(rule));
        }
    }
    if (!ok || !limit_check(net, group, &added, err)) {
        rules_done(&added);
        return false;
    }
    for (size_t i = 0; i < added.n; i++) {
        id_new(net->ids, "sgr", added.items[i].id);
        *VEC_ADD(&group->rules) = added.items[i];
    }
    VEC_DONE(&added);
    rules_changed(net, group);
    return true;
}

static void
rule_remove(struct security_group *group, struct sg_rule *rule)
{
    sg_rule_done(rule);
    VEC_REMOVE(&group->rules, (size_t)(rule - group->rules.items));
}

bool
security_group_revoke(struct network *net, struct security_group *group, const struct sg_rule *rules, size_t n_rules,
                      struct err *err)
{
    const struct vpc *vpc = store_get(net->store, &vpc_kind, group->vpc_id);
    bool lenient = vpc && vpc->is_default;
    for (int removing = 0; removing < 2; removing++) { /* first look, then act: all or nothing */
        for (size_t i = 0; i < n_rules; i++) {
            struct sg_rule rule;
            rule_normal(net, group, &rules[i], &rule);
            struct sg_rule *found = security_group_find_rule(group, &rule);
            if (!found && !lenient && !removing) {
                err_set(err, ERR_INPUT, "InvalidPermission.NotFound", "the specified rule `%s` does not exist in `%s`",
                        rule_str(&rule), group->obj.id);
                sg_rule_done(&rule);
                return false;
            }
            sg_rule_done(&rule);
            if (found && removing) {
                rule_remove(group, found);
            }
        }
    }
    rules_changed(net, group);
    return true;
}

bool
security_group_revoke_ids(struct network *net, struct security_group *group, bool egress, const char *const *ids,
                          size_t n_ids, struct err *err)
{
    for (size_t i = 0; i < n_ids; i++) {
        const struct sg_rule *rule = security_group_rule(group, ids[i]);
        if (!rule || rule->egress != egress) {
            err_set(err, ERR_INPUT, "InvalidSecurityGroupRuleId.NotFound",
                    "the security group rule ID `%s` does not exist in `%s`", ids[i], group->obj.id);
            return rule ? err_hint(err, "it is an %s rule", rule->egress ? "egress" : "ingress") : false;
        }
    }
    for (size_t i = 0; i < n_ids; i++) {
        struct sg_rule *rule = security_group_rule(group, ids[i]);
        if (rule) { /* the same id may be given twice */
            rule_remove(group, rule);
        }
    }
    rules_changed(net, group);
    return true;
}

bool
security_group_modify_rule(struct network *net, struct security_group *group, const char *rule_id,
                           const struct sg_rule *spec, struct err *err)
{
    struct sg_rule *old = security_group_rule(group, rule_id), rule;
    if (!old) {
        return err_set(err, ERR_INPUT, "InvalidSecurityGroupRuleId.NotFound",
                       "the security group rule ID `%s` does not exist in `%s`", rule_id, group->obj.id);
    }
    rule_normal(net, group, spec, &rule);
    rule.egress = old->egress;
    struct sg_rule *same = security_group_find_rule(group, &rule);
    if (!rule_check(net, group, &rule, err) || (same && same != old &&
                                                !err_set(err, ERR_INPUT, "InvalidPermission.Duplicate",
                                                         "the specified rule `%s` already exists", rule_str(&rule)))) {
        sg_rule_done(&rule);
        return false;
    }
    memcpy(rule.id, old->id, ID_SIZE);
    __typeof__(rule.tags) none = rule.tags;
    rule.tags = old->tags; /* they stay with the id */
    old->tags = none;
    sg_rule_done(old);
    *old = rule;
    rules_changed(net, group);
    return true;
}

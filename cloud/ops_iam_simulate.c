/* cloud/ops_iam_simulate.c - AWS's questions to the policies: simulate-custom-policy, simulate-principal-policy, and
 * the context keys they need.
 *
 * They take the policies they are given, as AWS's do: simulate-principal-policy adds those of the principal and its
 * boundary, but no bucket policy unless it is passed; the verb `simulate` (ops_simulate.c) asks everything the lab
 * knows. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_iam.h"
#include "cloud/simulation.h"
#include "cloud/simulator.h"
#include "iampolicy/explain.h"
#include "iampolicy/missing.h"

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

static void
set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

/* ---- what the API's parameters say ---- */

static bool
add_inputs(struct simulation *s, const char *member, iam_policy_list *list, enum iam_policy_type type, struct err *err)
{
    const json_t *texts = json_object_get(s->call->in, member);
    for (size_t i = 0; i < json_array_size(texts); i++) {
        char id[80];
        snprintf(id, sizeof id, "%s.%zu", member, i + 1);
        if (!iam_gather_text(&s->gathered, list, json_string_value(json_array_get(texts, i)), type, id, "none", id,
                             err)) {
            return false;
        }
    }
    return true;
}

/* ContextEntries: [{"ContextKeyName", "ContextKeyValues", "ContextKeyType"}]; a type that ends in List makes the key
 * multi-valued. */
static bool
add_context(struct simulation *s, struct err *err)
{
    const json_t *entries = json_object_get(s->call->in, "ContextEntries");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i), *list = json_object_get(entry, "ContextKeyValues");
        const char *name = json_str(entry, "ContextKeyName"), *type = json_str(entry, "ContextKeyType");
        size_t n = json_array_size(list);
        if (!name || !strchr(name, ':')) {
            err_set(err, ERR_INPUT, "InvalidInput", "`%.100s` is not a context key", name ? name : "");
            return err_hint(err, "a key begins with its service, as in aws:SourceIp");
        }
        struct iam_text *values = xcalloc(n ? n : 1, sizeof *values);
        size_t kept = 0;
        for (size_t k = 0; k < n; k++) {
            struct iam_text value = as_text(json_string_value(json_array_get(list, k)));
            if (value.n || !(s->bent & SIMULATOR_NO_EMPTY_VALUES)) {
                values[kept++] = value;
            }
        }
        bool multi = type && strlen(type) > 4 && strcmp(type + strlen(type) - 4, "List") == 0;
        if (kept > 0 || (multi && !(s->bent & SIMULATOR_NO_EMPTY_VALUES))) {
            iam_request_set_context(s->request, as_text(name), values, (uint32_t)kept, multi);
        }
        free(values);
    }
    return true;
}

static bool
read_owner(struct simulation *s, struct err *err)
{
    const char *owner = arg_str(s->call->in, "ResourceOwner");
    struct arn arn;
    if (!owner) {
        return true;
    }
    if (arn_parse(owner, &arn) && arn.account.size == 12) {
        s->owner = arena_strndup(s->request->arena, arn.account.text, 12);
        return true;
    }
    if (strlen(owner) == 12 && strspn(owner, "0123456789") == 12) {
        s->owner = owner;
        return true;
    }
    err_set(err, ERR_INPUT, "InvalidInput", "`%.100s` is not the owner of a resource", owner);
    return err_hint(err, "an account id, or arn:aws:iam::123456789012:root");
}

static bool
add_resource_policy(struct simulation *s, struct err *err)
{
    const char *text = arg_str(s->call->in, "ResourcePolicy");
    const json_t *arns = json_object_get(s->call->in, "ResourceArns");
    const char *first = json_string_value(json_array_get(arns, 0));
    bool role = first && strstr(first, ":iam:") && strstr(first, ":role/");
    if (!text) {
        return true;
    }
    s->gathered.has_resource_policy = true;
    return iam_gather_text(&s->gathered, &s->gathered.policies.resource, text,
                           role ? IAM_POLICY_TRUST : IAM_POLICY_RESOURCE, "ResourcePolicy", "resource",
                           "ResourcePolicy", err);
}

/* ---- the API's answer ---- */

static json_t *
position(int line, int column)
{
    return json_pack("{s:i, s:i}", "Line", line, "Column", column);
}

/* Statements that produced the decision, of identity, boundary and resource policies. */
static json_t *
matched_statements(const struct simulation *s)
{
    json_t *list = json_array();
    bool deny = s->result.decision == IAM_EXPLICIT_DENY;
    for (size_t i = 0; i < s->result.matched.n && s->result.decision != IAM_IMPLICIT_DENY; i++) {
        const struct iam_look *look = &s->result.matched.items[i];
        const struct iam_source *source = iam_source_of(&s->gathered, look->policy);
        const struct iam_statement *st = look->statement;
        if (st->deny == deny && look->set != IAM_SET_SCP && look->set != IAM_SET_RCP && source) {
            json_t *item = json_pack("{s:s, s:s}", "SourcePolicyId", source->id, "SourcePolicyType", source->type);
            set(item, "StartPosition", position(st->line, st->column));
            set(item, "EndPosition", position(st->end_line, st->end_column));
            json_array_append_new(list, item);
        }
    }
    return list;
}

static json_t *
missing_values(const struct simulation *s)
{
    json_t *list = json_array();
    iam_keys keys = { 0 };
    iam_missing_keys(&s->gathered.policies, s->request, &keys);
    for (size_t i = 0; i < keys.n; i++) {
        json_array_append_new(list, json_string(keys.items[i]->name));
    }
    VEC_DONE(&keys);
    return list;
}

static const char *
said_name(const struct iam_said *said)
{
    return said->deny ? "explicitDeny" : said->allow ? "allowed" : "implicitDeny";
}

static json_t *
decision_details(const struct simulation *s)
{
    json_t *details = json_object();
    if (s->result.cross_account) {
        set(details, "IAM Policy", json_string(said_name(&s->result.said[IAM_SET_IDENTITY])));
        set(details, "Resource Policy", json_string(said_name(&s->result.said[IAM_SET_RESOURCE])));
        if (s->gathered.policies.has_boundary) {
            set(details, "Permissions Boundary", json_string(said_name(&s->result.said[IAM_SET_BOUNDARY])));
        }
    }
    return details;
}

static json_t *
boundary_detail(const struct simulation *s)
{
    const struct iam_said *said = &s->result.said[IAM_SET_BOUNDARY];
    return json_pack("{s:b}", "AllowedByPermissionsBoundary", (int)(said->allow && !said->deny));
}

static void
ask(struct simulation *s, const char *resource)
{
    iam_request_set_resource(s->request, as_text(resource), as_text(s->owner), true);
    if (s->organization) { /* what is stored has been parsed before: this cannot fail */
        iam_gather_rcps(s->call->cloud->accounts, s->request, &s->gathered, NULL);
    }
    simulator_bend(s->bent, s->request, &s->gathered);
    s->result.want_looks = true;
    iam_decide(&s->gathered.policies, s->request, &s->result);
    json_array_append_new(json_object_get(s->call->out, "Told"), simulation_told(s));
    for (int layer = 0; layer < 2; layer++) {
        enum iam_set which = layer ? IAM_SET_RCP : IAM_SET_SCP;
        const struct iam_said *said = &s->result.said[which];
        s->within_organization &= !(s->result.asked & 1u << which) || (said->allow && !said->deny);
    }
}

static json_t *
resource_result(struct simulation *s, const char *arn)
{
    ask(s, arn);
    json_t *out = json_object();
    set(out, "EvalResourceName", json_string(arn));
    set(out, "EvalResourceDecision", json_string(iam_decision_name(s->result.decision)));
    set(out, "MatchedStatements", matched_statements(s));
    set(out, "MissingContextValues", missing_values(s));
    set(out, "EvalDecisionDetails", decision_details(s));
    if (s->gathered.policies.has_boundary) {
        set(out, "PermissionsBoundaryDecisionDetail", boundary_detail(s));
    }
    return out;
}

static void
merge(json_t *into, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        bool there = false;
        for (size_t k = 0; k < json_array_size(into) && !there; k++) {
            there = json_equal(json_array_get(into, k), item);
        }
        if (!there) {
            json_array_append(into, item);
        }
    }
}

/* Deny beats implicit deny beats allow. */
static enum iam_decision
stricter(enum iam_decision a, enum iam_decision b)
{
    static const int rank[] = { [IAM_ALLOW] = 0, [IAM_IMPLICIT_DENY] = 1, [IAM_EXPLICIT_DENY] = 2 };
    return rank[a] >= rank[b] ? a : b;
}

/* The ARN template of the action's resource type that the resources have, "*" where nothing fits. */
static const char *
resource_template(struct simulation *s, const char *action, const char *arn)
{
    const struct iam_action_info *info = arn ? iam_catalog_action(s->catalog, action) : NULL;
    for (size_t i = 0; info && i < info->n_resources; i++) {
        if (iam_arn_fits(arn, info->resources[i].type->arn)) {
            return info->resources[i].type->arn;
        }
    }
    return "*";
}

static json_t *
action_result(struct simulation *s, const char *action)
{
    const json_t *arns = json_object_get(s->call->in, "ResourceArns");
    size_t n = json_array_size(arns);
    const char *template = resource_template(s, action, json_string_value(json_array_get(arns, 0)));
    enum iam_decision decision = IAM_ALLOW;
    json_t *out = json_object(), *matched = json_array(), *missing = json_array(), *specific = json_array();
    bool within_boundary = true;
    s->within_organization = true;
    for (size_t i = 0; i < n; i++) {
        json_t *one = resource_result(s, json_string_value(json_array_get(arns, i)));
        decision = i ? stricter(decision, s->result.decision) : s->result.decision;
        within_boundary &= s->result.said[IAM_SET_BOUNDARY].allow && !s->result.said[IAM_SET_BOUNDARY].deny;
        merge(matched, json_object_get(one, "MatchedStatements"));
        merge(missing, json_object_get(one, "MissingContextValues"));
        json_array_append_new(specific, one);
    }
    if (n == 0) {
        ask(s, "*");
        decision = s->result.decision;
        within_boundary = s->result.said[IAM_SET_BOUNDARY].allow && !s->result.said[IAM_SET_BOUNDARY].deny;
        json_decref(matched);
        json_decref(missing);
        matched = matched_statements(s);
        missing = missing_values(s);
    }
    set(out, "EvalActionName", json_string(action));
    set(out, "EvalResourceName", json_string(template));
    set(out, "EvalDecision", json_string(iam_decision_name(decision)));
    set(out, "MatchedStatements", matched);
    set(out, "MissingContextValues", missing);
    if (s->gathered.policies.has_boundary) {
        set(out, "PermissionsBoundaryDecisionDetail",
            json_pack("{s:b}", "AllowedByPermissionsBoundary", (int)within_boundary));
    }
    if (s->gathered.policies.scp.n) {
        set(out, "OrganizationsDecisionDetail",
            json_pack("{s:b}", "AllowedByOrganizations", (int)s->within_organization));
    }
    if (n) {
        if (s->within_organization) {
            set(out, "EvalDecisionDetails", decision_details(s));
        }
        set(out, "ResourceSpecificResults", specific);
    } else {
        json_decref(specific);
    }
    return out;
}

static bool
check_resources(const struct simulation *s, struct err *err)
{
    const json_t *arns = json_object_get(s->call->in, "ResourceArns");
    for (size_t i = 0; i < json_array_size(arns); i++) {
        const char *text = json_string_value(json_array_get(arns, i));
        struct arn arn;
        if (strcmp(text, "*") != 0 && !arn_parse(text, &arn)) {
            err_set(err, ERR_INPUT, "InvalidInput", "`%.160s` is not the ARN of a resource", text);
            return err_hint(err, "an ARN has six fields: arn:aws:s3:::bucket/key");
        }
    }
    return true;
}

static bool
answer(struct simulation *s, struct err *err)
{
    const json_t *actions = json_object_get(s->call->in, "ActionNames");
    json_t *results = json_array();
    set(s->call->out, "Told", json_array());
    for (size_t i = 0; i < json_array_size(actions); i++) {
        const char *action = json_string_value(json_array_get(actions, i));
        struct err found = { 0 };
        if (!iam_request_set_action(s->request, as_text(action), &found)) {
            json_decref(results);
            err_set(err, ERR_INPUT, "InvalidInput", "%s", found.text);
            return err_hint(err, "%s", found.hint);
        }
        json_array_append_new(results, action_result(s, action));
    }
    return iam_answer_list(s->call, "EvaluationResults", results, err);
}

/* ResourceHandlingOption says how EC2 launches: it is checked that the resources of the scenario are named. */
static bool
check_scenario(const struct op_call *call, struct err *err)
{
    static const struct {
        const char *option, *needs[8];
    } scenarios[] = {
        { "EC2-Classic-InstanceStore", { "instance", "image", "security-group" } },
        { "EC2-Classic-EBS", { "instance", "image", "security-group", "volume" } },
        { "EC2-VPC-InstanceStore", { "instance", "image", "security-group", "network-interface" } },
        { "EC2-VPC-InstanceStore-Subnet", { "instance", "image", "security-group", "network-interface", "subnet" } },
        { "EC2-VPC-EBS", { "instance", "image", "security-group", "network-interface", "volume" } },
        { "EC2-VPC-EBS-Subnet", { "instance", "image", "security-group", "network-interface", "subnet", "volume" } },
    };
    const char *option = arg_str(call->in, "ResourceHandlingOption");
    const json_t *arns = json_object_get(call->in, "ResourceArns");
    size_t i = 0;
    while (option && i < ARRAY_SIZE(scenarios) && strcmp(option, scenarios[i].option) != 0) {
        i++;
    }
    if (i == ARRAY_SIZE(scenarios)) {
        err_set(err, ERR_INPUT, "InvalidInput", "`%.60s` is not a way of handling resources", option);
        return err_hint(err, "EC2-VPC-EBS-Subnet, EC2-VPC-EBS, EC2-VPC-InstanceStore-Subnet, EC2-VPC-InstanceStore, "
                             "EC2-Classic-EBS or EC2-Classic-InstanceStore");
    }
    for (const char *const *need = scenarios[i].needs; option && *need; need++) {
        char part[40];
        bool named = false;
        snprintf(part, sizeof part, ":%s/", *need);
        for (size_t k = 0; k < json_array_size(arns) && !named; k++) {
            const char *arn = json_string_value(json_array_get(arns, k));
            named = strstr(arn, ":ec2:") && strstr(arn, part);
        }
        if (!named) {
            err_set(err, ERR_INPUT, "InvalidInput", "the scenario `%s` needs a resource of type `%s`", option, *need);
            return err_hint(err, "add its ARN to ResourceArns: arn:aws:ec2:REGION:ACCOUNT:%s/*", *need);
        }
    }
    return true;
}

/* The caller of a custom simulation; a user of this account where none is named. */
static bool
set_caller(struct simulation *s, const char *caller, struct err *err)
{
    struct err found = { 0 };
    char *arn = caller ? xstrdup(caller) : xasprintf("arn:aws:iam::%s:user/simulated", s->call->cloud->account);
    bool ok = iam_request_set_principal(s->request, as_text(arn), &found);
    if (!ok) {
        err_set(err, ERR_INPUT, "InvalidInput", "%s", found.text);
        err_hint(err, "%s", found.hint);
    }
    free(arn);
    return ok;
}

/* AWS's simulator takes nobody but a user for CallerArn. */
static bool
check_caller(const struct simulation *s, struct err *err)
{
    const char *caller = arg_str(s->call->in, "CallerArn");
    if (!s->bent || !caller || s->request->principal.kind == IAM_USER) {
        return true;
    }
    err_set(err, ERR_INPUT, "InvalidInput", "`%.160s` is not the ARN of an IAM user", caller);
    return err_hint(err, "AWS's simulator takes users only as CallerArn; without --like-aws any principal will do");
}

static bool
run_simulation(struct simulation *s, struct err *err)
{
    struct iam_policies *p = &s->gathered.policies;
    if (json_object_get(s->call->in, "PermissionsBoundaryPolicyInputList")) {
        p->boundary.n = 0; /* instead of the principal's own */
        p->has_boundary = true;
    }
    return check_caller(s, err) && check_scenario(s->call, err) &&
           add_inputs(s, "PolicyInputList", &p->identity, IAM_POLICY_IDENTITY, err) &&
           add_inputs(s, "PermissionsBoundaryPolicyInputList", &p->boundary, IAM_POLICY_BOUNDARY, err) &&
           add_resource_policy(s, err) && add_context(s, err) && read_owner(s, err) && check_resources(s, err) &&
           answer(s, err);
}

static bool
simulate_custom(struct simulation *s, struct err *err)
{
    const char *caller = arg_str(s->call->in, "CallerArn");
    if (!caller && arg_str(s->call->in, "ResourcePolicy")) {
        err_set(err, ERR_INPUT, "InvalidInput", "a `ResourcePolicy` needs a `CallerArn`");
        return err_hint(err,
                        "the resource policy names principals, so say who asks: --caller-arn arn:aws:iam::%s:user/NAME",
                        s->call->cloud->account);
    }
    return set_caller(s, caller, err) && run_simulation(s, err);
}

/* Policies of the user, role or group with this ARN. */
static bool
gather_source(struct simulation *s, const char *arn, struct err *err)
{
    const struct iam_accounts *accounts = s->call->cloud->accounts;
    const char *group = strstr(arn, ":group/");
    if (strncmp(arn, "arn:aws:iam::", 13) == 0 && group) {
        char account[16];
        snprintf(account, sizeof account, "%.12s", arn + 13);
        const char *slash = strrchr(group, '/');
        const struct iam_group *found = iam_find_group(accounts, account, slash + 1);
        if (!found || strcmp(found->arn, arn) != 0) {
            return err_set(err, ERR_INPUT, "NoSuchEntity", "there is no group `%.160s`", arn);
        }
        return iam_gather_group(accounts, found, &s->gathered, err);
    }
    if (!set_caller(s, arn, err)) {
        return false;
    }
    if (s->request->principal.kind != IAM_USER && s->request->principal.kind != IAM_ROLE_SESSION) {
        return err_set(err, ERR_INPUT, "InvalidInput", "`%.160s` is not a user, group or role", arn);
    }
    return iam_gather_identity(accounts, s->request, &s->gathered, err);
}

static bool
simulate_principal(struct simulation *s, struct err *err)
{
    const char *source = arg_str(s->call->in, "PolicySourceArn"), *caller = arg_str(s->call->in, "CallerArn");
    bool ok = gather_source(s, source, err);
    if (ok && (caller || strstr(source, ":group/"))) {
        ok = set_caller(s, caller, err);
    }
    if (ok && !strstr(source, ":group/")) {
        iam_request_derive(s->request, IAM_DERIVE_PRINCIPAL, 0, NULL);
    }
    s->organization = true;
    return ok && iam_gather_scps(s->call->cloud->accounts, s->request, &s->gathered, err) && run_simulation(s, err);
}

static bool
run_custom(struct op_call *call, struct err *err)
{
    return simulation_run(call, simulate_custom, false, err);
}

static bool
run_principal(struct op_call *call, struct err *err)
{
    return simulation_run(call, simulate_principal, false, err);
}

/* ---- context keys ---- */

static bool
answer_keys(struct simulation *s, struct err *err)
{
    struct iam_policies *p = &s->gathered.policies;
    json_t *names = json_array();
    iam_keys keys = { 0 };
    if (!add_inputs(s, "PolicyInputList", &p->identity, IAM_POLICY_IDENTITY, err)) {
        json_decref(names);
        return false;
    }
    for (size_t i = 0; i < p->identity.n; i++) {
        iam_policy_keys(p->identity.items[i], &keys);
    }
    for (size_t i = 0; i < keys.n; i++) {
        json_array_append_new(names, json_string(keys.items[i]->name));
    }
    VEC_DONE(&keys);
    set(s->call->out, "ContextKeyNames", names);
    return true;
}

static bool
context_keys_custom(struct op_call *call, struct err *err)
{
    struct simulation s;
    simulation_init(&s, call);
    bool ok = answer_keys(&s, err);
    simulation_done(&s);
    return ok;
}

static bool
context_keys_principal(struct op_call *call, struct err *err)
{
    struct simulation s;
    simulation_init(&s, call);
    bool ok = gather_source(&s, arg_str(call->in, "PolicySourceArn"), err) && answer_keys(&s, err);
    simulation_done(&s);
    return ok;
}

static const struct op_param like_aws_params[] = { SIMULATION_LIKE_AWS, { 0 } };

const struct op ops_iam_simulate[] = {
    { .service = "iam",
      .name = "SimulateCustomPolicy",
      .mode = OP_READ,
      .run = run_custom,
      .params = like_aws_params,
      .beside = "Remarks",
      .told = "Told",
      .text = simulation_table,
      .help = "Decide actions under the policies given." },
    { .service = "iam",
      .name = "SimulatePrincipalPolicy",
      .mode = OP_READ,
      .run = run_principal,
      .params = like_aws_params,
      .beside = "Remarks",
      .told = "Told",
      .text = simulation_table,
      .help = "Decide actions under the policies of a user, group or role." },
    { .service = "iam",
      .name = "GetContextKeysForCustomPolicy",
      .mode = OP_READ,
      .run = context_keys_custom,
      .help = "List the context keys that policies ask for." },
    { .service = "iam",
      .name = "GetContextKeysForPrincipalPolicy",
      .mode = OP_READ,
      .run = context_keys_principal,
      .help = "List the context keys that the policies of a user, group or role ask for." },
    { 0 },
};

/* cloud/ops_iam_simulate.c - questions to the policies: simulate-custom-policy, simulate-principal-policy, the context
 * keys they need, and the short verb `simulate`, which asks everything the lab knows and explains.
 *
 * The API's operations take the policies they are given, as AWS's do: simulate-principal-policy adds those of the
 * principal and its boundary, but no bucket policy unless it is passed.  The verb gathers resource policies too and
 * fills in the context AWS would. Source:
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_iam.h"
#include "cloud/simulator.h"
#include "iampolicy/catalog/catalog.h"
#include "iampolicy/explain.h"
#include "iampolicy/gather.h"
#include "iampolicy/kms_key.h"
#include "iampolicy/missing.h"
#include "iampolicy/why.h"

struct simulation {
    struct op_call *call;
    struct iam_catalog *catalog;
    struct iam_request *request;
    struct iam_gathered gathered;
    struct iam_result result;
    unsigned bent;            /* enum simulator_deviation bits in force; 0: the exact decision */
    bool why;                 /* the verb is `why`: also what would change the answer */
    const char *owner;        /* account id of resources whose ARN has none; "" the caller's */
    bool organization;        /* control policies are part of the simulation */
    bool within_organization; /* of the action now asked about: they allow it on every resource */
};

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

static void
simulation_init(struct simulation *s, struct op_call *call)
{
    *s = (struct simulation){ .call = call, .catalog = iam_catalog_new(), .request = iam_request_new(), .owner = "" };
}

static void
simulation_done(struct simulation *s)
{
    iam_result_done(&s->result);
    iam_gathered_done(&s->gathered);
    iam_request_free(s->request);
    iam_catalog_free(s->catalog);
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
    iam_decide(&s->gathered.policies, s->request, &s->result);
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

/* ---- like AWS's simulator ---- */

/* A question that may be put again with other deviations. */
struct question {
    struct op_call *call;
    bool (*put)(struct simulation *s, struct err *err);
    bool why;
};

static json_t *
put_question(void *context, unsigned deviations, struct err *err)
{
    const struct question *question = context;
    struct op_call call = *question->call;
    struct simulation s;
    call.out = json_object();
    simulation_init(&s, &call);
    s.bent = deviations;
    s.why = question->why;
    bool ok = question->put(&s, err);
    simulation_done(&s);
    if (!ok) {
        json_decref(call.out);
        return NULL;
    }
    question->call->no = call.no;
    return call.out;
}

static bool
ask_question(struct question question, struct err *err)
{
    struct op_call *call = question.call;
    bool like_aws = arg_flag(call->in, "LikeAws", false);
    json_t *answer = put_question(&question, like_aws ? SIMULATOR_ALL : 0, err);
    if (!answer) {
        return false;
    }
    bool no = call->no, ok = true;
    json_object_update(call->out, answer);
    if (like_aws) {
        json_t *remarks = json_object_get(call->out, "Remarks");
        remarks = remarks ? json_incref(remarks) : json_array();
        ok = simulator_remark(put_question, &question, answer, remarks, err);
        set(call->out, "Remarks", remarks);
    }
    call->no = no;
    json_decref(answer);
    return ok;
}

static bool
run_custom(struct op_call *call, struct err *err)
{
    return ask_question((struct question){ call, simulate_custom, false }, err);
}

static bool
run_principal(struct op_call *call, struct err *err)
{
    return ask_question((struct question){ call, simulate_principal, false }, err);
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

/* ---- the verb ---- */

/* A name or an ARN; a name is a user's, else a role's. */
static bool
resolve_principal(struct simulation *s, const char *text, struct err *err)
{
    const struct cloud *cloud = s->call->cloud;
    const struct iam_user *user = iam_find_user(cloud->accounts, cloud->account, text);
    const struct iam_role *role = user ? NULL : iam_find_role(cloud->accounts, cloud->account, text);
    if (user || role) {
        return iam_request_set_principal(s->request, as_text(user ? user->arn : role->arn), err);
    }
    if (strcmp(text, "root") == 0) {
        return iam_request_set_principal(s->request, as_text(cloud->account), err);
    }
    struct err found = { 0 };
    if (!iam_request_set_principal(s->request, as_text(text), &found)) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "there is no user or role `%.100s`", text);
        return err_hint(
            err, "`iam list-users` and `iam list-roles` list them; an ARN, a service or *anonymous* will do as well");
    }
    return true;
}

static char *
resolve_resource(const struct simulation *s, const char *text)
{
    const struct iam_text action = s->request->action_lower;
    if (!text || strcmp(text, "*") == 0) {
        return xstrdup("*");
    }
    if (strncmp(text, "arn:", 4) == 0) {
        return xstrdup(text);
    }
    if (strncmp(action.s, "s3:", 3) == 0) {
        return xasprintf("arn:aws:s3:::%s", strncmp(text, "s3://", 5) == 0 ? text + 5 : text);
    }
    if (strncmp(action.s, "kms:", 4) == 0) { /* a key id, or the key that an alias stands for */
        const struct cloud *cloud = s->call->cloud;
        const struct kms_key *key =
            kms_key_find(cloud->accounts, cloud->account, cloud->region, text, clock_now_ms(&cloud->clock));
        return xstrdup(key ? key->arn : text);
    }
    const struct iam_role *role = iam_find_role(s->call->cloud->accounts, s->call->cloud->account, text);
    return xstrdup(role && (strncmp(action.s, "sts:", 4) == 0 || strncmp(action.s, "iam:", 4) == 0) ? role->arn : text);
}

static bool
read_words(struct simulation *s, struct err *err)
{
    const json_t *pairs = json_object_get(s->call->in, "Context");
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const char *pair = json_string_value(json_array_get(pairs, i)), *equal = strchr(pair, '=');
        if (!equal || !memchr(pair, ':', (size_t)(equal - pair))) {
            err_set(err, ERR_USAGE, "", "`%.100s` is not a context key with its value", pair);
            err_hint(err,
                     "write it as aws:SourceIp=203.0.113.9; several values with commas make a list: aws:TagKeys=[a,b]");
            return err_at(err, "--context", 0, 0);
        }
        struct iam_text key = { pair, (uint32_t)(equal - pair) };
        size_t n = strlen(equal + 1);
        if (s->bent & SIMULATOR_NO_EMPTY_VALUES && (n == 0 || strcmp(equal + 1, "[]") == 0)) {
            continue;
        }
        if (equal[1] != '[' || equal[n] != ']') {
            struct iam_text value = as_text(equal + 1);
            iam_request_set_context(s->request, key, &value, 1, false);
            continue;
        }
        struct iam_text values[64];
        uint32_t count = 0;
        for (const char *p = equal + 2; n > 2 && p < equal + n && count < 64;) {
            size_t size = strcspn(p, ",]");
            values[count++] = (struct iam_text){ p, (uint32_t)size };
            p += size + 1;
        }
        iam_request_set_context(s->request, key, values, count, true);
    }
    return true;
}

static bool
simulate_words(struct simulation *s, struct err *err)
{
    const json_t *in = s->call->in;
    const struct cloud *cloud = s->call->cloud;
    if (!resolve_principal(s, arg_str(in, "Principal"), err) ||
        !iam_request_set_action(s->request, as_text(arg_str(in, "Action")), err)) {
        return false;
    }
    const struct iam_action_info *info = iam_catalog_action(s->catalog, s->request->action.s);
    char *resource = resolve_resource(s, arg_str(in, "Resource"));
    iam_request_set_resource(s->request, as_text(resource), as_text(""), !info || info->n_resources > 0);
    bool ok = read_words(s, err) && iam_gather_identity(cloud->accounts, s->request, &s->gathered, err) &&
              iam_gather_resource(cloud->accounts, s->request, &s->gathered, err);
    if (ok) {
        iam_request_derive(s->request, IAM_DERIVE_PRINCIPAL | IAM_DERIVE_RESOURCE | IAM_DERIVE_CALL,
                           clock_now_ms(&cloud->clock), cloud->region);
        simulator_bend(s->bent, s->request, &s->gathered);
        s->result.want_looks = true;
        iam_decide(&s->gathered.policies, s->request, &s->result);
        json_t *explanation = s->why ? iam_why(&s->gathered.policies, s->request)
                                     : iam_explain(&s->gathered.policies, s->request, &s->result);
        if (!info) {
            const char *near = iam_catalog_nearest_action(s->catalog, s->request->action.s);
            char *text = xasprintf("`%s` is not an action of AWS%s%s%s", s->request->action.s,
                                   near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
            json_array_append_new(json_object_get(explanation, "Remarks"),
                                  json_pack("{s:s, s:s, s:s}", "Code", "UNKNOWN_ACTION", "Choice", "", "Text", text));
            free(text);
        }
        json_object_update(s->call->out, explanation);
        json_decref(explanation);
        s->call->no = s->result.decision != IAM_ALLOW;
    }
    free(resource);
    return ok;
}

static bool
simulate(struct op_call *call, struct err *err)
{
    return ask_question((struct question){ call, simulate_words, false }, err);
}

static bool
why(struct op_call *call, struct err *err)
{
    return ask_question((struct question){ call, simulate_words, true }, err);
}

/* clang-format off */
#define QUESTION_PARAMS                                                                                                \
    { "Principal", OP_STRING, OP_REQUIRED | OP_POSITIONAL,                                                             \
      "user or role by name or ARN, session ARN, service, root, *anonymous*", NULL, NULL, "principal" },               \
    { "Action", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "service:Action", NULL, NULL, "action" },                      \
    { "Resource", OP_STRING, OP_POSITIONAL,                                                                            \
      "ARN, bucket/key for S3, role name, KMS key id or alias; any (`*`) if not given", NULL, NULL, "arn" },           \
    { "Context", OP_LIST, OP_OPTIONAL, "context keys as KEY=VALUE or KEY=[A,B]", NULL, NULL, "context" }
#define LIKE_AWS                                                                                                       \
    { "LikeAws", OP_BOOL, OP_OPTIONAL,                                                                                 \
      "answer as AWS's policy simulator, where it differs from AWS; remarks say what changed", NULL, NULL, NULL }
/* clang-format on */

static const struct op_param simulate_params[] = { QUESTION_PARAMS, LIKE_AWS, { 0 } };
static const struct op_param why_params[] = { QUESTION_PARAMS, { 0 } };
static const struct op_param like_aws_params[] = { LIKE_AWS, { 0 } };

const struct op ops_iam_simulate[] = {
    { .service = "iam",
      .name = "SimulateCustomPolicy",
      .mode = OP_READ,
      .run = run_custom,
      .params = like_aws_params,
      .beside = "Remarks",
      .help = "Decide actions under the policies given." },
    { .service = "iam",
      .name = "SimulatePrincipalPolicy",
      .mode = OP_READ,
      .run = run_principal,
      .params = like_aws_params,
      .beside = "Remarks",
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
    {
        .name = "simulate",
        .mode = OP_READ,
        .run = simulate,
        .help = "Show whether a principal may do something in this lab, the statement that decided and what came near.",
        .params = simulate_params,
        .text = iam_explain_text,
        .group = "ask",
        .examples = "simulate alice s3:GetObject my-bucket/reports/q3.csv\n"
                    "simulate app s3:PutObject my-bucket/x --context aws:SourceIp=203.0.113.9\n"
                    "simulate lambda.amazonaws.com sts:AssumeRole app   may the service take the role?\n"
                    "simulate app s3:GetObject my-bucket/x --like-aws   what would AWS's own simulator say?\n",
    },
    {
        .name = "why",
        .mode = OP_READ,
        .run = why,
        .help =
            "Show why a request is allowed or denied, the context keys that would change it and the smallest change "
            "of policies that would allow it.",
        .params = why_params,
        .text = iam_why_text,
        .group = "ask",
        .examples = "why alice s3:PutObject my-bucket/x\n"
                    "why app ec2:StopInstances --context aws:MultiFactorAuthPresent=true\n",
    },
    { 0 },
};

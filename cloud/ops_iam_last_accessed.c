/* cloud/ops_iam_last_accessed.c - which services an entity may use, and when it used them last: the lab's journal
 * knows.
 *
 * A report is made when it is asked for: the policies are those of that moment, the attempts those up to the job's
 * creation, refused ones too, as AWS counts them.
 *
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html,
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPoliciesGrantingServiceAccess.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/line_log.h"
#include "cloud/op_types.h"
#include "cloud/ops_iam.h"
#include "cloud/permission.h"
#include "cloud/state.h"
#include "iampolicy/grants.h"
#include "iampolicy/provider.h"

/* ---- whom it is about -------------------------------------------------------------------------------------------- */

struct subject { /* exactly one is set */
    const struct iam_user *user;
    const struct iam_group *group;
    const struct iam_role *role;
    const struct iam_managed_policy *policy;
};

static bool
find_subject(const struct op_call *call, const char *arn, bool policies, struct subject *subject, struct err *err)
{
    const struct store *store = call->cloud->accounts->store;
    const char *account = call->cloud->account;
    *subject = (struct subject){ 0 };
    if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":iam::")) {
        err_set(err, ERR_INPUT, "InvalidInput", "`%.160s` is not the ARN of a user, group%s", arn,
                policies ? ", role or policy" : " or role");
        return err_hint(err, "as in arn:aws:iam::%s:user/NAME", account);
    }
    for (const struct iam_user *u = store_first(store, &iam_user_kind); u; u = store_next(store, u)) {
        subject->user = strcmp(u->arn, arn) == 0 ? u : subject->user;
    }
    for (const struct iam_group *g = store_first(store, &iam_group_kind); g; g = store_next(store, g)) {
        subject->group = strcmp(g->arn, arn) == 0 ? g : subject->group;
    }
    for (const struct iam_role *r = store_first(store, &iam_role_kind); r; r = store_next(store, r)) {
        subject->role = strcmp(r->arn, arn) == 0 ? r : subject->role;
    }
    subject->policy = policies ? iam_find_policy(call->cloud->accounts, arn) : NULL;
    const struct object *own = subject->user    ? &subject->user->obj
                               : subject->group ? &subject->group->obj
                               : subject->role  ? &subject->role->obj
                                                : NULL;
    if (!subject->policy && (!own || strcmp(own->account, account) != 0)) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "the account has no `%.160s`", arn);
        return err_hint(err, "`iam list-users`, `list-groups`, `list-roles` show the ARNs there are");
    }
    return true;
}

/* ---- its policies ------------------------------------------------------------------------------------------------ */

struct held { /* a policy that the subject has, and through whom */
    struct iam_policy *policy;
    const char *name, *arn;           /* arn NULL: inline */
    const char *entity_type, *entity; /* of an inline policy */
};
typedef VEC(struct held) held_list;

static void
add_held(held_list *list, const char *text, const char *name, const char *arn, const char *type, const char *entity)
{
    struct err err = { 0 };
    struct iam_policy *policy =
        text ? iam_policy_parse(text, strlen(text), IAM_POLICY_IDENTITY, name, &err) : NULL; /* stored ones parse */
    for (size_t i = 0; policy && arn && i < list->n; i++) {
        if (list->items[i].arn && strcmp(list->items[i].arn, arn) == 0) {
            iam_policy_free(policy); /* attached twice: to the user and to a group */
            return;
        }
    }
    if (policy) {
        *VEC_ADD(list) = (struct held){ policy, name, arn, type, entity };
    }
}

static void
add_entity(const struct iam_accounts *accounts, held_list *list, const iam_inline_policies *own,
           const iam_attached_policies *attached, const char *type, const char *name)
{
    for (size_t i = 0; i < own->n; i++) {
        add_held(list, own->items[i].document, own->items[i].name, NULL, type, name);
    }
    for (size_t i = 0; i < attached->n; i++) {
        const struct iam_managed_policy *policy = iam_find_policy(accounts, attached->items[i].arn);
        add_held(list, policy ? iam_managed_policy_document(policy) : NULL, attached->items[i].name,
                 attached->items[i].arn, NULL, NULL);
    }
}

static void
hold(const struct op_call *call, const struct subject *s, held_list *list)
{
    const struct iam_accounts *accounts = call->cloud->accounts;
    if (s->policy) {
        add_held(list, iam_managed_policy_document(s->policy), s->policy->name, s->policy->arn, NULL, NULL);
    } else if (s->role) {
        add_entity(accounts, list, &s->role->inline_policies, &s->role->attached, "ROLE", s->role->name);
    } else if (s->group) {
        add_entity(accounts, list, &s->group->inline_policies, &s->group->attached, "GROUP", s->group->name);
    } else {
        add_entity(accounts, list, &s->user->inline_policies, &s->user->attached, "USER", s->user->name);
        for (size_t i = 0; i < s->user->groups.n; i++) {
            const struct iam_group *g = iam_find_group(accounts, s->user->obj.account, s->user->groups.items[i]);
            if (g) {
                add_entity(accounts, list, &g->inline_policies, &g->attached, "GROUP", g->name);
            }
        }
    }
}

static void
held_done(held_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        iam_policy_free(list->items[i].policy);
    }
    VEC_DONE(list);
}

static bool
grants_service(const held_list *list, const struct iam_service_info *service)
{
    bool granted = false;
    for (size_t i = 0; i < list->n && !granted; i++) {
        granted = iam_policy_grants_service(list->items[i].policy, service);
    }
    return granted;
}

/* ---- who counts -------------------------------------------------------------------------------------------------- */

struct entity { /* a user or role that may have asked */
    const struct object *object;
    const char *arn, *name, *path, *type;
    const char
        *last; /* eventTime of its last attempt at the service now looked at; NULL: none.  Borrowed from the events */
};
typedef VEC(struct entity) entity_list;

static void
add_user_entity(entity_list *list, const struct iam_user *u)
{
    *VEC_ADD(list) = (struct entity){ &u->obj, u->arn, u->name, u->path, "USER", NULL };
}

static bool
is_member(const struct iam_user *user, const struct iam_group *group)
{
    bool member = false;
    for (size_t i = 0; i < user->groups.n; i++) {
        member |= strcasecmp(user->groups.items[i], group->name) == 0;
    }
    return member && strcmp(user->obj.account, group->obj.account) == 0;
}

static bool
has_attached(const iam_attached_policies *list, const char *arn)
{
    bool there = false;
    for (size_t i = 0; i < list->n; i++) {
        there |= strcmp(list->items[i].arn, arn) == 0;
    }
    return there;
}

/* Has the user the policy, itself or by a group? */
static bool
user_has(const struct iam_accounts *accounts, const struct iam_user *user, const char *arn)
{
    bool has = has_attached(&user->attached, arn);
    for (size_t i = 0; i < user->groups.n && !has; i++) {
        const struct iam_group *g = iam_find_group(accounts, user->obj.account, user->groups.items[i]);
        has = g && has_attached(&g->attached, arn);
    }
    return has;
}

static void
list_entities(const struct op_call *call, const struct subject *s, entity_list *list)
{
    const struct iam_accounts *accounts = call->cloud->accounts;
    for (const struct iam_user *u = store_first(accounts->store, &iam_user_kind); u;
         u = store_next(accounts->store, u)) {
        bool own = strcmp(u->obj.account, call->cloud->account) == 0;
        if (own && (u == s->user || (s->group && is_member(u, s->group)) ||
                    (s->policy && user_has(accounts, u, s->policy->arn)))) {
            add_user_entity(list, u);
        }
    }
    for (const struct iam_role *r = store_first(accounts->store, &iam_role_kind); r;
         r = store_next(accounts->store, r)) {
        bool own = strcmp(r->obj.account, call->cloud->account) == 0;
        if (own && (r == s->role || (s->policy && has_attached(&r->attached, s->policy->arn)))) {
            *VEC_ADD(list) = (struct entity){ &r->obj, r->arn, r->name, r->path, "ROLE", NULL };
        }
    }
}

/* ---- what they asked --------------------------------------------------------------------------------------------- */

/* The journal's calls of AWS up to a time, one JSON array; the caller owns it. */
static json_t *
read_events(const struct cloud *cloud, int64_t until_ms)
{
    struct buf text = { 0 };
    json_t *events = json_array();
    char until[32];
    clock_format_s(until_ms, until);
    if (cloud->dir && line_log_read(cloud->dir->journal_path, &text, NULL, NULL)) {
        const char *line = buf_str(&text), *end = line + text.size, *next;
        for (; line < end; line = next) {
            const char *newline = memchr(line, '\n', (size_t)(end - line));
            next = newline ? newline + 1 : end;
            json_t *event = json_read(line, (size_t)(next - line), "journal.jsonl", NULL);
            const char *type = json_str(event, "eventType"), *when = json_str(event, "eventTime");
            if (type && strcmp(type, "AwsApiCall") == 0 && when && strcmp(when, until) <= 0) {
                json_array_append(events, event);
            }
            json_decref(event);
        }
    }
    buf_done(&text);
    return events;
}

/* A session's attempts are its role's. */
static struct entity *
who_asked(const json_t *event, const entity_list *entities)
{
    const json_t *identity = json_object_get(event, "userIdentity");
    const char *arn = json_str(identity, "arn");
    const char *issuer = json_string_value(json_at(identity, "sessionContext.sessionIssuer.arn"));
    for (size_t i = 0; i < entities->n; i++) {
        if ((arn && strcmp(entities->items[i].arn, arn) == 0) ||
            (issuer && strcmp(entities->items[i].arn, issuer) == 0)) {
            return &entities->items[i];
        }
    }
    return NULL;
}

static bool
is_of_service(const json_t *event, const char *prefix)
{
    const char *source = json_str(event, "eventSource");
    size_t n = strlen(prefix);
    return source && strncmp(source, prefix, n) == 0 && source[n] == '.';
}

/* The last attempt at the service, or at the one operation of it; every entity's 'last' is set.  NULL: none. */
static const json_t *
last_attempt(const json_t *events, const char *prefix, const char *operation, entity_list *entities,
             const struct entity **by)
{
    const json_t *last = NULL;
    for (size_t i = 0; i < entities->n; i++) {
        entities->items[i].last = NULL;
    }
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        bool meant =
            is_of_service(event, prefix) && (!operation || strcmp(json_str(event, "eventName"), operation) == 0);
        struct entity *entity = meant ? who_asked(event, entities) : NULL;
        if (entity) {
            entity->last = json_str(event, "eventTime");
            *by = entity;
            last = event;
        }
    }
    return last;
}

/* ---- reports ----------------------------------------------------------------------------------------------------- */

static bool
generate(struct op_call *call, struct err *err)
{
    const char *arn = arg_str(call->in, "Arn"), *granularity = arg_str(call->in, "Granularity");
    struct subject subject;
    if (!find_subject(call, arn, true, &subject, err)) {
        return false;
    }
    struct iam_task *task = iam_add_object(call->cloud->accounts, &iam_task_kind, call->cloud->account, "JOB");
    char uuid[37];
    id_new_uuid(call->cloud->accounts->ids, uuid);
    task->name = xstrdup(uuid);
    task->arn = xstrdup(arn);
    task->type = xstrdup(granularity ? granularity : "SERVICE_LEVEL");
    task->created = iam_now(call);
    json_object_set_new(call->out, "JobId", json_string(uuid));
    return true;
}

static const struct iam_task *
find_job(const struct op_call *call, struct subject *subject, struct err *err)
{
    const char *id = arg_str(call->in, "JobId");
    const struct iam_task *task = iam_find_task(call->cloud->accounts, call->cloud->account, id);
    if (!task || !task->arn) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "there is no report `%.80s`", id);
        err_hint(err, "`iam generate-service-last-accessed-details --arn ARN` answers a JobId");
        return NULL;
    }
    return find_subject(call, task->arn, true, subject, err) ? task : NULL;
}

static void
add_job(struct op_call *call, const struct iam_task *task)
{
    char when[32];
    clock_format_s(task->created, when);
    json_object_set_new(call->out, "JobStatus", json_string("COMPLETED"));
    json_object_set_new(call->out, "JobCreationDate", json_string(when));
    json_object_set_new(call->out, "JobCompletionDate", json_string(when));
}

/* Actions of the service that the lab can be asked for and that the policies grant, with their last attempts. */
static json_t *
tracked_actions(const struct iam_service_info *service, struct iam_catalog *catalog, const held_list *held,
                const json_t *events, entity_list *entities)
{
    json_t *list = json_array();
    for (const struct op *const *op = ops_all(); *op; op++) {
        const struct aws_service *of = (*op)->service ? aws_service_find((*op)->service) : NULL;
        if (!of || strcmp(aws_text(of->signing), service->prefix) != 0) {
            continue;
        }
        char *action = permission_action(*op, catalog);
        bool granted = iam_catalog_action(catalog, action) != NULL, there = false;
        for (size_t i = 0; i < json_array_size(list); i++) {
            there |= strcmp(json_str(json_array_get(list, i), "ActionName"), strchr(action, ':') + 1) == 0;
        }
        bool any = false;
        for (size_t i = 0; i < held->n; i++) {
            any |= iam_policy_grants_action(held->items[i].policy, action);
        }
        if (granted && any && !there) {
            const struct entity *by = NULL;
            const json_t *last = last_attempt(events, service->prefix, (*op)->name, entities, &by);
            json_t *entry = json_pack("{s:s}", "ActionName", strchr(action, ':') + 1);
            if (last) {
                json_object_set_new(entry, "LastAccessedEntity", json_string(by->arn));
                json_object_set(entry, "LastAccessedTime", json_object_get(last, "eventTime"));
                json_object_set(entry, "LastAccessedRegion", json_object_get(last, "awsRegion"));
            }
            json_array_append_new(list, entry);
        }
        free(action);
    }
    return list;
}

static json_t *
show_service(const struct iam_service_info *service, const json_t *events, entity_list *entities)
{
    const struct entity *by = NULL;
    const json_t *last = last_attempt(events, service->prefix, NULL, entities, &by);
    json_t *shown = json_pack("{s:s}", "ServiceName", service->name);
    json_int_t n = 0;
    for (size_t i = 0; i < entities->n; i++) {
        n += entities->items[i].last != NULL;
    }
    if (last) {
        json_object_set(shown, "LastAuthenticated", json_object_get(last, "eventTime"));
    }
    json_object_set_new(shown, "ServiceNamespace", json_string(service->prefix));
    if (last) {
        json_object_set_new(shown, "LastAuthenticatedEntity", json_string(by->arn));
        json_object_set(shown, "LastAuthenticatedRegion", json_object_get(last, "awsRegion"));
    }
    json_object_set_new(shown, "TotalAuthenticatedEntities", json_integer(n));
    return shown;
}

static bool
get_details(struct op_call *call, struct err *err)
{
    struct subject subject;
    const struct iam_task *task = find_job(call, &subject, err);
    if (!task) {
        return false;
    }
    struct iam_catalog *catalog = iam_catalog_new();
    json_t *events = read_events(call->cloud, task->created), *list = json_array();
    held_list held = { 0 };
    entity_list entities = { 0 };
    bool actions = strcmp(task->type, "ACTION_LEVEL") == 0;
    hold(call, &subject, &held);
    list_entities(call, &subject, &entities);
    for (size_t i = 0; i < iam_catalog_n_services(); i++) {
        const struct iam_service_info *service = iam_catalog_service(catalog, iam_catalog_service_prefix(i));
        if (grants_service(&held, service)) {
            json_t *shown = show_service(service, events, &entities);
            json_t *tracked = actions ? tracked_actions(service, catalog, &held, events, &entities) : NULL;
            if (json_array_size(tracked)) {
                json_object_set(shown, "TrackedActionsLastAccessed", tracked);
            }
            json_decref(tracked);
            json_array_append_new(list, shown);
        }
    }
    add_job(call, task);
    json_object_set_new(call->out, "JobType", json_string(task->type));
    bool ok = iam_answer_list(call, "ServicesLastAccessed", list, err);
    VEC_DONE(&entities);
    held_done(&held);
    json_decref(events);
    iam_catalog_free(catalog);
    return ok;
}

static bool
get_details_with_entities(struct op_call *call, struct err *err)
{
    struct subject subject;
    const char *prefix = arg_str(call->in, "ServiceNamespace");
    const struct iam_task *task = find_job(call, &subject, err);
    if (!task) {
        return false;
    }
    if (!subject.group && !subject.policy) {
        err_set(err, ERR_INPUT, "InvalidInput", "the report is about `%.160s` alone", task->arn);
        return err_hint(
            err, "entities are told of groups and policies; `iam get-service-last-accessed-details` tells the rest");
    }
    json_t *events = read_events(call->cloud, task->created), *list = json_array();
    entity_list entities = { 0 };
    const struct entity *by;
    list_entities(call, &subject, &entities);
    last_attempt(events, prefix, NULL, &entities, &by);
    for (size_t i = 0; i < entities.n; i++) {
        const struct entity *e = &entities.items[i];
        json_t *info = json_pack("{s:s, s:s, s:s, s:s, s:s}", "Arn", e->arn, "Name", e->name, "Type", e->type, "Id",
                                 e->object->id, "Path", e->path);
        json_array_append_new(list, json_pack("{s:o, s:s*}", "EntityInfo", info, "LastAuthenticated", e->last));
    }
    add_job(call, task);
    bool ok = iam_answer_list(call, "EntityDetailsList", list, err);
    VEC_DONE(&entities);
    json_decref(events);
    return ok;
}

/* ---- policies that grant ----------------------------------------------------------------------------------------- */

static json_t *
show_held(const struct held *h)
{
    return h->arn ? json_pack("{s:s, s:s, s:s}", "PolicyName", h->name, "PolicyType", "MANAGED", "PolicyArn", h->arn)
                  : json_pack("{s:s, s:s, s:s, s:s}", "PolicyName", h->name, "PolicyType", "INLINE", "EntityType",
                              h->entity_type, "EntityName", h->entity);
}

static bool
list_granting(struct op_call *call, struct err *err)
{
    const json_t *prefixes = json_object_get(call->in, "ServiceNamespaces");
    struct subject subject;
    if (!find_subject(call, arg_str(call->in, "Arn"), false, &subject, err)) {
        return false;
    }
    struct iam_catalog *catalog = iam_catalog_new();
    held_list held = { 0 };
    json_t *list = json_array();
    bool ok = true;
    hold(call, &subject, &held);
    for (size_t i = 0; i < json_array_size(prefixes) && ok; i++) {
        const char *prefix = json_string_value(json_array_get(prefixes, i));
        const struct iam_service_info *service = iam_catalog_service(catalog, prefix);
        json_t *policies = json_array();
        if (!service) {
            ok = err_set(err, ERR_INPUT, "InvalidInput", "`%.64s` is not a service", prefix);
            err_hint(err, "what stands before the colon of an action, as in s3:GetObject");
        }
        for (size_t k = 0; ok && k < held.n; k++) {
            if (iam_policy_grants_service(held.items[k].policy, service)) {
                json_array_append_new(policies, show_held(&held.items[k]));
            }
        }
        json_array_append_new(list, json_pack("{s:s, s:o}", "ServiceNamespace", prefix, "Policies", policies));
    }
    if (ok) {
        json_object_set_new(call->out, "IsTruncated", json_false());
        json_object_set(call->out, "PoliciesGrantingServiceAccess", list);
    }
    json_decref(list);
    held_done(&held);
    iam_catalog_free(catalog);
    return ok;
}

const struct op ops_iam_last_accessed[] = {
    { .service = "iam",
      .name = "GenerateServiceLastAccessedDetails",
      .mode = OP_WRITE,
      .run = generate,
      .help = "Have a report made of what a user, group, role or policy was last used for." },
    { .service = "iam",
      .name = "GetServiceLastAccessedDetails",
      .mode = OP_READ,
      .run = get_details,
      .help = "Show such a report: the services granted, and who used each last." },
    { .service = "iam",
      .name = "GetServiceLastAccessedDetailsWithEntities",
      .mode = OP_READ,
      .run = get_details_with_entities,
      .help = "Show when each member of a group, or each user of a policy, used a service last." },
    { .service = "iam",
      .name = "ListPoliciesGrantingServiceAccess",
      .mode = OP_READ,
      .run = list_granting,
      .help = "List the policies by which a user, group or role may use each of some services." },
    { 0 },
};

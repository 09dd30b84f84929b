/* cloud/ops_iam_service_roles.c - roles that a service makes for itself, and that nobody else may change.
 *
 * A deletion is done, or has failed, when it is asked for; the task that AWS would work on tells how it came out.
 *
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html,
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_iam.h"
#include "iampolicy/provider.h"
#include "iampolicy/service_role.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"
#include "netsim/model/transit_gateway.h"

static const struct iam_service_role *
require_service(const char *service, struct err *err)
{
    const struct iam_service_role *row = iam_service_role_find(service);
    if (!row) {
        const char *near = NULL;
        for (const struct iam_service_role *r = iam_service_roles; r->service && !near; r++) {
            near = strncmp(r->service, service, strcspn(service, ".")) == 0 ? r->service : NULL;
        }
        err_set(err, ERR_INPUT, "InvalidInput", "the lab knows no service-linked role of `%.128s`", service);
        near ? err_hint(err, "did you mean `%s`?", near)
             : err_hint(err, "a service's principal, as in autoscaling.amazonaws.com");
    }
    return row;
}

static bool
create(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const char *service = arg_str(call->in, "AWSServiceName"), *suffix = arg_str(call->in, "CustomSuffix");
    const char *description = arg_str(call->in, "Description");
    const struct iam_service_role *row = require_service(service, err);
    if (!row || (suffix && !iam_check_name("CustomSuffix", suffix, 64, err))) {
        return false;
    }
    if (suffix && !row->suffix) {
        return err_set(err, ERR_INPUT, "InvalidInput", "Custom suffix is not allowed for %s", service);
    }
    if (description && strlen(description) > 1000) {
        return err_set(err, ERR_INPUT, "ValidationError", "Description has %zu characters; 1000 are allowed",
                       strlen(description));
    }
    char *name = suffix ? xasprintf("%s_%s", row->name, suffix) : xstrdup(row->name);
    if (strlen(name) > 64 || iam_find_role(accounts, call->cloud->account, name)) {
        strlen(name) > 64
            ? err_set(err, ERR_INPUT, "ValidationError", "the name `%.100s` would be longer than 64 characters", name)
            : err_set(err, ERR_INPUT, "InvalidInput",
                      "Service role name %s has been taken in this account, please try a different suffix.", name);
        free(name);
        return false;
    }
    struct iam_role *role = iam_add_object(accounts, &iam_role_kind, call->cloud->account, "AROA");
    role->name = name;
    role->path = xasprintf("/aws-service-role/%s/", service);
    role->arn = iam_make_arn(call, "role", role->path, name);
    role->created = iam_now(call);
    role->description = description ? xstrdup(description) : NULL;
    role->trust = xasprintf("{\"Version\": \"2012-10-17\", \"Statement\": [{\"Action\": [\"sts:AssumeRole\"], "
                            "\"Effect\": \"Allow\", \"Principal\": {\"Service\": [\"%s\"]}}]}",
                            service);
    *VEC_ADD(&role->attached) =
        (struct iam_attached_policy){ xstrdup(row->policy),
                                      xasprintf("arn:aws:iam::aws:policy/aws-service-role/%s", row->policy) };
    json_object_set_new(call->out, "Role", iam_show(call, role, true));
    return true;
}

/* ---- deletion ---------------------------------------------------------------------------------------------------- */

static void
add_load_balancers(const struct cloud *cloud, json_t *arns)
{
    const struct store *store = network_store(cloud->net);
    for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
        if (strcmp(lb->obj.account, cloud->account) == 0) {
            json_array_append_new(arns, json_string(lb->arn));
        }
    }
}

static void
add_transit_attachments(const struct cloud *cloud, json_t *arns)
{
    const struct store *store = network_store(cloud->net);
    for (const struct object *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (strcmp(a->account, cloud->account) == 0) {
            char arn[200];
            snprintf(arn, sizeof arn, "arn:aws:ec2:%s:%s:transit-gateway-attachment/%s", a->region, a->account, a->id);
            json_array_append_new(arns, json_string(arn));
        }
    }
}

/* What the lab has that still needs the role; an empty list: nothing.  The caller owns it. */
static json_t *
resources_of(const struct cloud *cloud, const char *role)
{
    json_t *arns = json_array();
    if (strcmp(role, "AWSServiceRoleForElasticLoadBalancing") == 0) {
        add_load_balancers(cloud, arns);
    } else if (strcmp(role, "AWSServiceRoleForVPCTransitGateway") == 0) {
        add_transit_attachments(cloud, arns);
    }
    return arns;
}

static bool
delete_linked_role(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    struct iam_role *role = iam_op_role(call, err);
    if (!role) {
        return false;
    }
    if (!iam_is_service_role_path(role->path)) {
        err_set(err, ERR_INPUT, "InvalidInput", "the role `%s` is not linked to a service", role->name);
        return err_hint(err, "`iam delete-role --role-name %s` deletes it", role->name);
    }
    json_t *used = resources_of(call->cloud, role->name);
    char uuid[37];
    id_new_uuid(accounts->ids, uuid);
    struct iam_task *task = iam_add_object(accounts, &iam_task_kind, call->cloud->account, "TASK");
    task->name = xasprintf("task%s%s/%s", role->path, role->name, uuid);
    task->created = iam_now(call);
    task->status = xstrdup(json_array_size(used) ? "FAILED" : "SUCCEEDED");
    if (json_array_size(used)) {
        task->reason = xstrdup("Deletion failed because the role is in use");
        task->usage = json_pack("[{s:s, s:o}]", "Region", call->cloud->region, "Resources", used);
    } else {
        json_decref(used);
        store_delete(accounts->store, role);
    }
    json_object_set_new(call->out, "DeletionTaskId", json_string(task->name));
    return true;
}

static bool
get_status(struct op_call *call, struct err *err)
{
    const char *id = arg_str(call->in, "DeletionTaskId");
    const struct iam_task *task = iam_find_task(call->cloud->accounts, call->cloud->account, id);
    if (!task || !task->status) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "there is no deletion `%.200s`", id);
        return err_hint(err, "`iam delete-service-linked-role` answers the DeletionTaskId");
    }
    json_object_set_new(call->out, "Status", json_string(task->status));
    if (task->reason) {
        json_object_set_new(call->out, "Reason",
                            json_pack("{s:s, s:O}", "Reason", task->reason, "RoleUsageList", task->usage));
    }
    return true;
}

const struct op ops_iam_service_roles[] = {
    { .service = "iam",
      .name = "CreateServiceLinkedRole",
      .mode = OP_WRITE,
      .run = create,
      .help = "Create the role that a service uses for itself." },
    { .service = "iam",
      .name = "DeleteServiceLinkedRole",
      .mode = OP_WRITE,
      .run = delete_linked_role,
      .help = "Delete a service's role, if nothing of the service needs it." },
    { .service = "iam",
      .name = "GetServiceLinkedRoleDeletionStatus",
      .mode = OP_READ,
      .run = get_status,
      .help = "Show whether a service's role was deleted, or what still needs it." },
    { 0 },
};

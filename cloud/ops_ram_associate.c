/* cloud/ops_ram_associate.c - AWS Resource Access Manager: which resources and principals a share may have, and has.
 * Source: https://docs.aws.amazon.com/ram/latest/APIReference/API_AssociateResourceShare.html and neighbours */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arn.h"
#include "cloud/ops_ec2.h"
#include "cloud/ops_ram.h"
#include "cloud/sharing.h"
#include "netsim/model/subnet.h"

/* ---- resources --------------------------------------------------------------------------------------------------- */

static bool
check_type(const char *arn, struct err *err)
{
    if (shareable_of_arn(arn)) {
        return true;
    }
    err_set(err, ERR_INPUT, "InvalidParameterException", "resources of the type of `%.160s` cannot be shared", arn);
    return err_hint(err, "vpclab shares transit gateways, subnets and customer-managed prefix lists");
}

/* Default subnets and AWS's own lists are not to be shared, what is deleted is not there. */
static bool
check_object(const struct object *object, const char *arn, struct err *err)
{
    const void *it = object;
    if (!object) {
        return err_set(err, ERR_INPUT, "UnknownResourceException", "the resource `%.160s` could not be found", arn);
    }
    if (object->kind == &subnet_kind && ((const struct subnet *)it)->default_for_az) {
        err_set(err, ERR_INPUT, "InvalidParameterException", "`%s` is a default subnet, which cannot be shared",
                object->id);
        return err_hint(err, "`ec2 create-subnet` makes one that can be");
    }
    return true;
}

static bool
check_resource(const struct op_call *call, const char *arn, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    struct arn parts;
    if (!arn_parse(arn, &parts)) {
        char id[ID_SIZE];
        const struct object *meant =
            arn[0] && cloud_resolve(cloud, NULL, arn, id, NULL) ? store_find(network_store(cloud->net), id) : NULL;
        err_set(err, ERR_INPUT, "MalformedArnException", "the specified resource ARN `%.160s` is not valid", arn);
        if (meant && shareable_of(meant)) {
            char *right = sharing_arn(meant);
            err_hint(err, "write it in full: %s", right);
            free(right);
            return false;
        }
        return err_hint(err, "as in arn:aws:ec2:%s:%s:transit-gateway/tgw-...", cloud->region, cloud->account);
    }
    if (!check_type(arn, err)) {
        return false;
    }
    if (!arn_part_is(parts.region, cloud->region)) {
        return err_set(err, ERR_INPUT, "InvalidParameterException",
                       "`%.160s` is not in %s, where the resource share is", arn, cloud->region);
    }
    if (!arn_part_is(parts.account, cloud->account)) {
        return err_set(err, ERR_INPUT, "OperationNotPermittedException", "`%.160s` is not a resource of account %s",
                       arn, cloud->account);
    }
    const struct object *object = sharing_object(cloud, arn);
    if (!check_object(object, arn, err)) {
        return false;
    }
    if (shareable_of(object)->inside_only && !ram_organization(cloud->accounts, cloud->account)) {
        err_set(err, ERR_INPUT, "InvalidParameterException",
                "`%s` can only be shared within your organization, and sharing with it is not enabled", object->id);
        return err_hint(err, "the management account runs `ram enable-sharing-with-aws-organization`");
    }
    return true;
}

static bool
holds_inside_only(const struct op_call *call, const struct ram_share *share)
{
    for (size_t i = 0; i < share->links.n; i++) {
        const struct ram_link *link = &share->links.items[i];
        const struct object *object = strcmp(link->type, RAM_RESOURCE) == 0 && ram_link_holds(link)
                                          ? sharing_object(call->cloud, link->entity)
                                          : NULL;
        if (object && shareable_of(object)->inside_only) {
            return true;
        }
    }
    return false;
}

/* Somebody outside of the organization, invited or in. */
static const struct ram_link *
outsider(const struct ram_share *share)
{
    for (size_t i = 0; i < share->links.n; i++) {
        const struct ram_link *link = &share->links.items[i];
        if (link->external && strcmp(link->status, "DISASSOCIATED") != 0) {
            return link;
        }
    }
    return NULL;
}

/* Subnets and outsiders do not go together, whichever came first. */
bool
ram_check_inside(const struct op_call *call, const struct ram_share *share, struct err *err)
{
    const struct ram_link *link = outsider(share);
    if (!link) {
        return true;
    }
    if (holds_inside_only(call, share)) {
        return err_set(err, ERR_INPUT, "InvalidParameterException",
                       "subnets can only be shared within your organization, and %s is not in it", link->entity);
    }
    if (!share->allow_external) {
        err_set(err, ERR_INPUT, "OperationNotPermittedException",
                "account %s is not in your organization, and `%s` allows no external principals", link->entity,
                share->name);
        return err_hint(err, "`ram update-resource-share --allow-external-principals` allows them");
    }
    return true;
}

/* ---- principals -------------------------------------------------------------------------------------------------- */

static bool
is_account(const char *text)
{
    return strlen(text) == 12 && strspn(text, "0123456789") == 12;
}

/* "arn:aws:organizations::MANAGEMENT:organization/o-1", "...:ou/o-1/ou-2" */
static bool
check_organization(const struct op_call *call, const char *arn, struct err *err)
{
    const struct iam_accounts *accounts = call->cloud->accounts;
    const struct org_organization *o = org_of_account(accounts, call->cloud->account);
    const char *unit = strstr(arn, ":ou/"), *last = strrchr(arn, '/');
    const struct org_entity *entity = unit && last ? org_entity_find(accounts, last + 1) : NULL;
    bool known = o && (unit ? entity && org_entity_is(entity, &org_unit_kind) && strcmp(entity->arn, arn) == 0 &&
                                  strcmp(entity->obj.account, o->obj.account) == 0
                            : strcmp(o->arn, arn) == 0);
    if (!known) {
        return err_set(err, ERR_INPUT, "UnknownResourceException", "%s `%.160s` could not be found",
                       unit ? "OrganizationalUnit" : "Organization", last ? last + 1 : arn);
    }
    if (!o->ram_sharing) {
        err_set(err, ERR_INPUT, "OperationNotPermittedException", "sharing with your organization `%s` is not enabled",
                o->obj.id);
        return err_hint(err, "the management account %s runs `ram enable-sharing-with-aws-organization`",
                        o->obj.account);
    }
    return true;
}

static bool
check_principal(const struct op_call *call, const char *entity, struct err *err)
{
    struct arn arn;
    if (is_account(entity)) {
        return strcmp(entity, call->cloud->account) != 0 ||
               err_set(err, ERR_INPUT, "InvalidParameterException", "%s is the account that shares", entity);
    }
    bool parsed = arn_parse(entity, &arn);
    if (parsed && arn_part_is(arn.service, "organizations") &&
        (strstr(entity, ":organization/") || strstr(entity, ":ou/"))) {
        return check_organization(call, entity, err);
    }
    if (parsed && arn_part_is(arn.service, "iam")) {
        err_set(err, ERR_INPUT, "InvalidParameterException",
                "transit gateways, subnets and prefix lists cannot be shared with `%.160s`", entity);
        return err_hint(err, "share with its account; policies there say who may use what is shared");
    }
    err_set(err, ERR_INPUT, "InvalidParameterException",
            "the principal ID `%.160s` is malformed; verify the ID and try again", entity);
    return err_hint(err, "12 digits of an account, or the ARN of an organization or organizational unit");
}

static void
invite(const struct op_call *call, const struct ram_share *share, const char *account)
{
    char id[37];
    if (ram_invitation_pending(call->cloud->accounts, share, account)) {
        return;
    }
    id_new_uuid(&call->cloud->ids, id);
    struct ram_invitation *invitation = store_add(call->cloud->accounts->store, &ram_invitation_kind, id);
    snprintf(invitation->obj.account, sizeof invitation->obj.account, "%s", share->obj.account);
    snprintf(invitation->obj.region, sizeof invitation->obj.region, "%s", share->obj.region);
    invitation->arn =
        xasprintf("arn:aws:ram:%s:%s:resource-share-invitation/%s", share->obj.region, share->obj.account, id);
    invitation->share_arn = xstrdup(share->arn);
    invitation->share_name = xstrdup(share->name);
    invitation->receiver = xstrdup(account);
    invitation->status = xstrdup("PENDING");
    invitation->sent = ram_now(call);
}

/* ---- associating ------------------------------------------------------------------------------------------------- */

/* One of the share, as good as new; what is associated or waits for an answer stays as it is. */
static struct ram_link *
link_put(const struct op_call *call, struct ram_share *share, const char *type, const char *entity)
{
    struct ram_link *link = ram_link_find(share, type, entity);
    int64_t now = ram_now(call);
    if (!link) {
        link = VEC_ADD(&share->links);
        link->type = xstrdup(type);
        link->entity = xstrdup(entity);
        link->status = xstrdup("DISASSOCIATED");
    }
    if (strcmp(link->status, "DISASSOCIATED") == 0) {
        link->created = now;
    }
    link->updated = now;
    return link;
}

static void
admit(const struct op_call *call, struct ram_share *share, const char *entity)
{
    const struct iam_accounts *accounts = call->cloud->accounts;
    struct ram_link *link = link_put(call, share, RAM_PRINCIPAL, entity);
    bool account = is_account(entity), same = !account || ram_same_organization(accounts, share->obj.account, entity);
    if (ram_link_holds(link)) {
        return;
    }
    link->external = !same;
    link->by_organization = same && ram_organization(accounts, share->obj.account);
    ram_set(&link->status, link->by_organization ? "ASSOCIATED" : "ASSOCIATING");
    if (!link->by_organization) {
        invite(call, share, entity);
    }
}

bool
ram_check_lists(const struct op_call *call, struct err *err)
{
    const json_t *arns = json_object_get(call->in, "resourceArns"), *who = json_object_get(call->in, "principals");
    for (size_t i = 0; i < json_array_size(arns); i++) {
        if (!check_resource(call, json_string_value(json_array_get(arns, i)), err)) {
            return err_at(err, "resourceArns", 0, 0);
        }
    }
    for (size_t i = 0; i < json_array_size(who); i++) {
        if (!check_principal(call, json_string_value(json_array_get(who, i)), err)) {
            return err_at(err, "principals", 0, 0);
        }
    }
    return true;
}

void
ram_put_lists(const struct op_call *call, struct ram_share *share)
{
    const json_t *arns = json_object_get(call->in, "resourceArns"), *who = json_object_get(call->in, "principals");
    for (size_t i = 0; i < json_array_size(arns); i++) {
        ram_set(&link_put(call, share, RAM_RESOURCE, json_string_value(json_array_get(arns, i)))->status, "ASSOCIATED");
    }
    for (size_t i = 0; i < json_array_size(who); i++) {
        admit(call, share, json_string_value(json_array_get(who, i)));
    }
}

/* The associations that the request names, as they are now. */
static void
answer_links(struct op_call *call, const struct ram_share *share)
{
    static const struct {
        const char *member, *type;
    } lists[] = { { "resourceArns", RAM_RESOURCE }, { "principals", RAM_PRINCIPAL } };
    json_t *out = json_array();
    for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
        const json_t *list = json_object_get(call->in, lists[k].member);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const char *entity = json_string_value(json_array_get(list, i));
            const struct ram_link *link = ram_link_find(share, lists[k].type, entity);
            json_array_append_new(out, ram_show_link(share, link));
        }
    }
    json_object_set_new(call->out, "resourceShareAssociations", out);
    ram_answer_token(call);
}

static bool
check_named(const struct op_call *call, struct err *err)
{
    if (json_array_size(json_object_get(call->in, "resourceArns")) == 0 &&
        json_array_size(json_object_get(call->in, "principals")) == 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterException",
                       "the request names neither `resourceArns` nor `principals`");
    }
    return true;
}

static bool
associate(struct op_call *call, struct err *err)
{
    struct ram_share *share = ram_own_share(call, err);
    if (!share || !check_named(call, err) || !ram_check_lists(call, err)) {
        return false;
    }
    ram_put_lists(call, share);
    if (!ram_check_inside(call, share, err)) {
        return false;
    }
    share->updated = ram_now(call);
    answer_links(call, share);
    return true;
}

void
ram_link_end(const struct op_call *call, const struct ram_share *share, struct ram_link *link)
{
    struct ram_invitation *invitation = ram_invitation_pending(call->cloud->accounts, share, link->entity);
    if (strcmp(link->status, "DISASSOCIATED") != 0) {
        ram_set(&link->status, "DISASSOCIATED");
        link->updated = ram_now(call);
    }
    if (invitation && strcmp(link->type, RAM_PRINCIPAL) == 0) {
        ram_set(&invitation->status, "EXPIRED");
    }
}

static struct ram_link *
standing_link(const struct ram_share *share, const char *type, const char *entity, struct err *err)
{
    struct ram_link *link = ram_link_find(share, type, entity);
    if (!link || strcmp(link->status, "DISASSOCIATED") == 0) {
        err_set(err, ERR_INPUT, "UnknownResourceException", "`%.160s` is not associated with the resource share `%s`",
                entity, share->name);
        return NULL;
    }
    return link;
}

/* Who accepted an invitation may leave again: it takes itself out of the share of another. */
static struct ram_share *
share_to_leave(const struct op_call *call)
{
    const char *arn = arg_str(call->in, "resourceShareArn"), *own = call->cloud->account;
    const json_t *who = json_object_get(call->in, "principals");
    const char *only = json_array_size(who) == 1 ? json_string_value(json_array_get(who, 0)) : NULL;
    struct ram_share *share = ram_share_find(call->cloud->accounts, arn);
    bool leaves = share && only && strcmp(only, own) == 0 && !json_object_get(call->in, "resourceArns") &&
                  ram_share_reaches(call->cloud->accounts, share, own);
    const struct ram_link *link = leaves ? ram_link_find(share, RAM_PRINCIPAL, own) : NULL;
    return link && !link->by_organization ? share : NULL;
}

static bool
disassociate(struct op_call *call, struct err *err)
{
    struct ram_share *share = share_to_leave(call);
    share = share || err->kind ? share : ram_own_share(call, err);
    if (!share || !check_named(call, err)) {
        return false;
    }
    const json_t *arns = json_object_get(call->in, "resourceArns"), *who = json_object_get(call->in, "principals");
    for (size_t i = 0; i < json_array_size(arns) + json_array_size(who); i++) {
        bool resource = i < json_array_size(arns);
        const json_t *item = resource ? json_array_get(arns, i) : json_array_get(who, i - json_array_size(arns));
        struct ram_link *link =
            standing_link(share, resource ? RAM_RESOURCE : RAM_PRINCIPAL, json_string_value(item), err);
        if (!link) {
            return err_at(err, resource ? "resourceArns" : "principals", 0, 0);
        }
        ram_link_end(call, share, link);
    }
    share->updated = ram_now(call);
    answer_links(call, share);
    return true;
}

#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "ram", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                            \
    }
const struct op ops_ram_associate[] = {
    WRITE("AssociateResourceShare", associate, "Add resources or principals to a resource share."),
    WRITE("DisassociateResourceShare", disassociate, "Take resources or principals out of a resource share."),
    { 0 },
};

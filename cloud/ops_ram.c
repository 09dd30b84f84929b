/* cloud/ops_ram.c - AWS Resource Access Manager: resource shares, their tags, invitations, sharing in organizations.
 *
 * Whatever AWS does in the background is done at once: what is associated says ASSOCIATED, what is taken out
 * DISASSOCIATED.  Only an invitation waits, for its receiver.
 * Source: https://docs.aws.amazon.com/ram/latest/APIReference/API_Operations.html */
#include "cloud/ops_ram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arn.h"
#include "cloud/ops_ec2.h"

#define TAGS_MAX 50

static struct store *
store_of(const struct op_call *call)
{
    return call->cloud->accounts->store;
}

int64_t
ram_now(const struct op_call *call)
{
    return clock_now_ms(&call->cloud->clock);
}

void
ram_set(char **slot, const char *text)
{
    char *copy = text ? xstrdup(text) : NULL;
    free(*slot);
    *slot = copy;
}

/* ---- what is meant ----------------------------------------------------------------------------------------------- */

static bool
is_ram_arn(const char *text, const char *type)
{
    struct arn arn;
    size_t n = strlen(type);
    return arn_parse(text, &arn) && arn_part_is(arn.service, "ram") && arn.resource.size > n &&
           memcmp(arn.resource.text, type, n) == 0;
}

struct ram_share *
ram_op_share(const struct op_call *call, const char *arn, struct err *err)
{
    struct ram_share *share = ram_share_find(call->cloud->accounts, arn);
    if (!is_ram_arn(arn, "resource-share/")) {
        err_set(err, ERR_INPUT, "MalformedArnException", "the specified resource share ARN `%.160s` is not valid", arn);
        err_hint(err, "`ram get-resource-shares --resource-owner SELF` shows the ARNs");
        return NULL;
    }
    if (!share || strcmp(share->obj.region, call->cloud->region) != 0) {
        err_set(err, ERR_INPUT, "UnknownResourceException", "the resource share `%.160s` could not be found in %s", arn,
                call->cloud->region);
        return NULL;
    }
    return share;
}

struct ram_invitation *
ram_op_invitation(const struct op_call *call, const char *arn, struct err *err)
{
    struct ram_invitation *invitation = ram_invitation_find(call->cloud->accounts, arn);
    if (!is_ram_arn(arn, "resource-share-invitation/")) {
        err_set(err, ERR_INPUT, "MalformedArnException", "the specified invitation ARN `%.160s` is not valid", arn);
        err_hint(err, "`ram get-resource-share-invitations` shows the ARNs");
        return NULL;
    }
    if (!invitation || strcmp(invitation->receiver, call->cloud->account) != 0 ||
        strcmp(invitation->obj.region, call->cloud->region) != 0) {
        err_set(err, ERR_INPUT, "ResourceShareInvitationArnNotFoundException",
                "account %s has no invitation `%.160s` in %s", call->cloud->account, arn, call->cloud->region);
        if (invitation) {
            err_hint(err, "account %s got it, in %s", invitation->receiver, invitation->obj.region);
        }
        return NULL;
    }
    return invitation;
}

/* The share that resourceShareArn names, in force, of the account in force. */
struct ram_share *
ram_own_share(const struct op_call *call, struct err *err)
{
    struct ram_share *share = ram_op_share(call, arg_str(call->in, "resourceShareArn"), err);
    if (!share) {
        err_at(err, "resourceShareArn", 0, 0);
        return NULL;
    }
    if (strcmp(share->obj.account, call->cloud->account) != 0) {
        err_set(err, ERR_INPUT, "OperationNotPermittedException", "the resource share `%s` is account %s's",
                share->name, share->obj.account);
        err_hint(err, "`--as %s`, or as a role there", share->obj.account);
        return NULL;
    }
    if (!ram_share_is_active(share)) {
        err_set(err, ERR_INPUT, "InvalidStateTransitionException", "the resource share `%s` is %s", share->name,
                share->status);
        return NULL;
    }
    return share;
}

/* ---- what answers show ------------------------------------------------------------------------------------------- */

json_t *
ram_show_link(const struct ram_share *share, const struct ram_link *link)
{
    json_t *out = json_object();
    fields_print(ram_link_fields, link, false, out);
    json_object_set_new(out, "resourceShareArn", json_string(share->arn));
    json_object_set_new(out, "resourceShareName", json_string(share->name));
    return out;
}

json_t *
ram_show_invitation(const struct op_call *call, const struct ram_invitation *invitation)
{
    json_t *out = object_describe(store_of(call), invitation);
    json_object_set_new(out, "status", json_string(ram_invitation_status(invitation, ram_now(call))));
    return out;
}

json_t *
ram_show_share(const struct op_call *call, const struct ram_share *share)
{
    json_t *out = object_describe(store_of(call), share);
    bool own = strcmp(share->obj.account, call->cloud->account) == 0;
    bool pending = !own && ram_invitation_pending(call->cloud->accounts, share, call->cloud->account);
    if (pending) {
        json_object_set_new(out, "status", json_string("PENDING"));
    }
    if (!own) {
        json_object_del(out, "tags"); /* its owner's affair */
    }
    return out;
}

void
ram_answer_token(struct op_call *call)
{
    json_t *token = json_object_get(call->in, "clientToken");
    if (token) {
        json_object_set(call->out, "clientToken", token);
    }
}

static bool
answer_share(struct op_call *call, const struct ram_share *share)
{
    json_object_set_new(call->out, "resourceShare", ram_show_share(call, share));
    ram_answer_token(call);
    return true;
}

/* ---- shares ------------------------------------------------------------------------------------------------------ */

static bool
check_name(const char *name, struct err *err)
{
    if (name && !name[0]) {
        err_set(err, ERR_INPUT, "InvalidParameterException", "the name of a resource share is empty");
        return err_at(err, "name", 0, 0);
    }
    return true;
}

static bool
set_tags(struct ram_share *share, const json_t *tags, struct err *err)
{
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *key = json_str(json_array_get(tags, i), "key"), *value = json_str(json_array_get(tags, i), "value");
        if (!key || !key[0]) {
            return err_set(err, ERR_INPUT, "InvalidParameterException", "a tag has no `key`");
        }
        object_set_tag(&share->obj, key, value ? value : "");
    }
    return share->obj.tags.n <= TAGS_MAX ||
           err_set(err, ERR_INPUT, "TagLimitExceededException", "a resource share has at most %d tags", TAGS_MAX);
}

/* By resourceShareArn; the ARN of a permission is not vpclab's to tag. */
static struct ram_share *
tagged_share(const struct op_call *call, struct err *err)
{
    if (!arg_str(call->in, "resourceShareArn")) {
        err_set(err, ERR_INPUT, "InvalidParameterException", "the request must contain `resourceShareArn`");
        return NULL;
    }
    return ram_own_share(call, err);
}

static bool
tag_share(struct op_call *call, struct err *err)
{
    struct ram_share *share = tagged_share(call, err);
    return share && set_tags(share, json_object_get(call->in, "tags"), err);
}

static bool
untag_share(struct op_call *call, struct err *err)
{
    struct ram_share *share = tagged_share(call, err);
    const json_t *keys = json_object_get(call->in, "tagKeys");
    for (size_t i = 0; share && i < json_array_size(keys); i++) {
        object_unset_tag(&share->obj, json_string_value(json_array_get(keys, i)));
    }
    return share != NULL;
}

static bool
create_share(struct op_call *call, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const char *name = arg_str(call->in, "name");
    char id[37];
    if (!check_name(name, err) || !ram_check_lists(call, err)) {
        return false;
    }
    id_new_uuid(&call->cloud->ids, id);
    struct ram_share *share = store_add(store_of(call), &ram_share_kind, id);
    snprintf(share->obj.account, sizeof share->obj.account, "%s", cloud->account);
    snprintf(share->obj.region, sizeof share->obj.region, "%s", cloud->region);
    share->arn = xasprintf("arn:aws:ram:%s:%s:resource-share/%s", cloud->region, cloud->account, id);
    share->name = xstrdup(name);
    share->status = xstrdup("ACTIVE");
    share->allow_external = arg_flag(call->in, "allowExternalPrincipals", true);
    share->created = share->updated = ram_now(call);
    if (set_tags(share, json_object_get(call->in, "tags"), err)) {
        ram_put_lists(call, share);
    }
    if (err->kind || !ram_check_inside(call, share, err)) {
        return false; /* op_call() puts the lab back */
    }
    return answer_share(call, share);
}

static bool
update_share(struct op_call *call, struct err *err)
{
    struct ram_share *share = ram_own_share(call, err);
    const char *name = arg_str(call->in, "name");
    if (!share || !check_name(name, err)) {
        return false;
    }
    share->allow_external = arg_flag(call->in, "allowExternalPrincipals", share->allow_external);
    if (!ram_check_inside(call, share, err)) {
        return false;
    }
    if (name) {
        ram_set(&share->name, name);
    }
    share->updated = ram_now(call);
    return answer_share(call, share);
}

static bool
delete_share(struct op_call *call, struct err *err)
{
    struct ram_share *share = ram_own_share(call, err);
    if (!share) {
        return false;
    }
    for (size_t i = 0; i < share->links.n; i++) {
        ram_link_end(call, share, &share->links.items[i]);
    }
    ram_set(&share->status, "DELETED");
    share->updated = ram_now(call);
    json_object_set_new(call->out, "returnValue", json_true());
    ram_answer_token(call);
    return true;
}

/* ---- invitations and the organization ---------------------------------------------------------------------------- */

static bool
answer_invitation(struct op_call *call, bool accept, struct err *err)
{
    static const struct {
        const char *status, *code;
    } answered[] = { { "ACCEPTED", "ResourceShareInvitationAlreadyAcceptedException" },
                     { "REJECTED", "ResourceShareInvitationAlreadyRejectedException" },
                     { "EXPIRED", "ResourceShareInvitationExpiredException" } };
    struct ram_invitation *invitation = ram_op_invitation(call, arg_str(call->in, "resourceShareInvitationArn"), err);
    if (!invitation) {
        return err_at(err, "resourceShareInvitationArn", 0, 0);
    }
    const char *status = ram_invitation_status(invitation, ram_now(call));
    for (size_t i = 0; i < ARRAY_SIZE(answered); i++) {
        if (strcmp(answered[i].status, status) == 0) {
            return err_set(err, ERR_INPUT, answered[i].code, "the invitation to `%s` is %s", invitation->share_name,
                           status);
        }
    }
    struct ram_share *share = ram_share_find(call->cloud->accounts, invitation->share_arn);
    struct ram_link *link = share ? ram_link_find(share, RAM_PRINCIPAL, invitation->receiver) : NULL;
    ram_set(&invitation->status, accept ? "ACCEPTED" : "REJECTED");
    if (link) {
        ram_set(&link->status, accept ? "ASSOCIATED" : "DISASSOCIATED");
        link->updated = ram_now(call);
    }
    json_object_set_new(call->out, "resourceShareInvitation", ram_show_invitation(call, invitation));
    ram_answer_token(call);
    return true;
}

static bool
accept_invitation(struct op_call *call, struct err *err)
{
    return answer_invitation(call, true, err);
}

static bool
reject_invitation(struct op_call *call, struct err *err)
{
    return answer_invitation(call, false, err);
}

static bool
enable_organization(struct op_call *call, struct err *err)
{
    const char *account = call->cloud->account;
    struct org_organization *o = org_of_account(call->cloud->accounts, account);
    if (!o || strcmp(o->obj.account, account) != 0 || strcmp(o->feature_set, "ALL") != 0) {
        err_set(err, ERR_INPUT, "OperationNotPermittedException",
                !o                                     ? "account %s is not in an organization"
                : strcmp(o->obj.account, account) != 0 ? "account %s is not the management account"
                                                       : "the organization of account %s has not all features",
                account);
        return o ? err_hint(err, "the management account of %s is %s", o->obj.id, o->obj.account)
                 : err_hint(err, "`organizations create-organization` begins one");
    }
    o->ram_sharing = true;
    json_object_set_new(call->out, "returnValue", json_true());
    return true;
}

#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "ram", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                            \
    }
const struct op ops_ram[] = {
    WRITE("CreateResourceShare", create_share,
          "Share transit gateways, subnets or prefix lists with accounts, units or the organization."),
    WRITE("UpdateResourceShare", update_share,
          "Rename a resource share, or allow principals outside the organization."),
    WRITE("DeleteResourceShare", delete_share, "Stop sharing and delete the resource share."),
    WRITE("AcceptResourceShareInvitation", accept_invitation, "Accept what another account shares."),
    WRITE("RejectResourceShareInvitation", reject_invitation, "Reject what another account shares."),
    WRITE("TagResource", tag_share, "Tag a resource share."),
    WRITE("UntagResource", untag_share, "Take tags off a resource share."),
    WRITE("EnableSharingWithAwsOrganization", enable_organization,
          "Let accounts of the organization share with each other without invitations."),
    { 0 },
};

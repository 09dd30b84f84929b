/* cloud/ops_ram_list.c - AWS Resource Access Manager: what is shared with whom, as each account may see it.
 * Source: https://docs.aws.amazon.com/ram/latest/APIReference/API_Operations.html */
#include <stdlib.h>
#include <string.h>
#include "cloud/answer_page.h"
#include "cloud/ops_ec2.h"
#include "cloud/ops_ram.h"
#include "cloud/sharing.h"

static const struct store *
store_of(const struct op_call *call)
{
    return call->cloud->accounts->store;
}

static bool
list_has(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0) {
            return true;
        }
    }
    return false;
}

/* Asked for by this argument, or not narrowed by it. */
static bool
asked(const struct op_call *call, const char *name, const char *text)
{
    const json_t *value = json_object_get(call->in, name);
    return !value || (json_is_array(value) ? json_array_size(value) == 0 || list_has(value, text)
                                           : strcmp(json_string_value(value), text) == 0);
}

bool
ram_sees(const struct op_call *call, const struct ram_share *share, bool own)
{
    const struct iam_accounts *accounts = call->cloud->accounts;
    const char *account = call->cloud->account;
    bool mine = strcmp(share->obj.account, account) == 0;
    if (strcmp(share->obj.region, call->cloud->region) != 0 || mine != own) {
        return false;
    }
    return own || ram_share_reaches(accounts, share, account) || ram_invitation_pending(accounts, share, account);
}

static bool
is_self(const struct op_call *call)
{
    return strcmp(arg_str(call->in, "resourceOwner"), "SELF") == 0;
}

/* Of those the caller shares, or takes part in, that the request asks about. */
static bool
is_asked_share(const struct op_call *call, const struct ram_share *share, bool own)
{
    return ram_sees(call, share, own) &&
           (own || ram_share_reaches(call->cloud->accounts, share, call->cloud->account)) &&
           asked(call, "resourceShareArns", share->arn);
}

/* The ARNs of shares that the request gives must be of shares that are there. */
static bool
check_share_arns(const struct op_call *call, struct err *err)
{
    const json_t *arns = json_object_get(call->in, "resourceShareArns");
    for (size_t i = 0; i < json_array_size(arns); i++) {
        const struct ram_share *share = ram_op_share(call, json_string_value(json_array_get(arns, i)), err);
        if (share && !ram_sees(call, share, true) && !ram_sees(call, share, false)) {
            err_set(err, ERR_INPUT, "UnknownResourceException", "the resource share `%s` is not shared with %s",
                    share->arn, call->cloud->account);
        }
        if (err->kind) {
            return err_at(err, "resourceShareArns", 0, 0);
        }
    }
    return true;
}

/* ---- shares ------------------------------------------------------------------------------------------------------ */

static bool
has_tags(const struct ram_share *share, const json_t *filters)
{
    for (size_t i = 0; i < json_array_size(filters); i++) {
        const json_t *filter = json_array_get(filters, i), *values = json_object_get(filter, "tagValues");
        const char *value = json_str(filter, "tagKey") ? object_tag(&share->obj, json_str(filter, "tagKey")) : NULL;
        if (!value || (json_array_size(values) > 0 && !list_has(values, value))) {
            return false;
        }
    }
    return true;
}

static bool
get_shares(struct op_call *call, struct err *err)
{
    bool own = is_self(call);
    if (!check_share_arns(call, err)) {
        return false;
    }
    json_t *list = json_array();
    for (const struct ram_share *s = store_first(store_of(call), &ram_share_kind); s;
         s = store_next(store_of(call), s)) {
        json_t *shown = ram_sees(call, s, own) ? ram_show_share(call, s) : NULL;
        if (shown && asked(call, "resourceShareArns", s->arn) && asked(call, "name", s->name) &&
            asked(call, "resourceShareStatus", json_str(shown, "status")) &&
            has_tags(s, json_object_get(call->in, "tagFilters"))) {
            json_array_append(list, shown);
        }
        json_decref(shown);
    }
    return answer_page(call, "resourceShares", list, err);
}

static bool
get_associations(struct op_call *call, struct err *err)
{
    const char *type = arg_str(call->in, "associationType"), *arn = arg_str(call->in, "resourceArn");
    const char *principal = arg_str(call->in, "principal");
    const char *wrong = arn && strcmp(type, RAM_RESOURCE) != 0          ? "resourceArn"
                        : principal && strcmp(type, RAM_PRINCIPAL) != 0 ? "principal"
                                                                        : NULL;
    if (wrong) {
        err_set(err, ERR_INPUT, "InvalidParameterException", "`%s` cannot be given with associations of type %s", wrong,
                type);
        return err_at(err, wrong, 0, 0);
    }
    if (!check_share_arns(call, err)) {
        return false;
    }
    json_t *list = json_array();
    for (const struct ram_share *s = store_first(store_of(call), &ram_share_kind); s;
         s = store_next(store_of(call), s)) {
        for (size_t i = 0; ram_sees(call, s, true) && asked(call, "resourceShareArns", s->arn) && i < s->links.n; i++) {
            const struct ram_link *link = &s->links.items[i];
            if (strcmp(link->type, type) == 0 && asked(call, "associationStatus", link->status) &&
                (!arn || strcmp(link->entity, arn) == 0) && (!principal || strcmp(link->entity, principal) == 0)) {
                json_array_append_new(list, ram_show_link(s, link));
            }
        }
    }
    return answer_page(call, "resourceShareAssociations", list, err);
}

/* ---- invitations ------------------------------------------------------------------------------------------------- */

static bool
get_invitations(struct op_call *call, struct err *err)
{
    const json_t *arns = json_object_get(call->in, "resourceShareInvitationArns");
    for (size_t i = 0; i < json_array_size(arns); i++) {
        if (!ram_op_invitation(call, json_string_value(json_array_get(arns, i)), err)) {
            return err_at(err, "resourceShareInvitationArns", 0, 0);
        }
    }
    json_t *list = json_array();
    for (const struct ram_invitation *i = store_first(store_of(call), &ram_invitation_kind); i;
         i = store_next(store_of(call), i)) {
        if (strcmp(i->receiver, call->cloud->account) == 0 && strcmp(i->obj.region, call->cloud->region) == 0 &&
            asked(call, "resourceShareInvitationArns", i->arn) && asked(call, "resourceShareArns", i->share_arn)) {
            json_array_append_new(list, ram_show_invitation(call, i));
        }
    }
    return answer_page(call, "resourceShareInvitations", list, err);
}

/* ---- resources and principals ------------------------------------------------------------------------------------ */

static const struct shareable *
type_named(const char *type)
{
    const struct shareable *row = shareables;
    while (row->kind && strcmp(row->type, type) != 0) {
        row++;
    }
    return row->kind ? row : NULL;
}

static bool
check_type(const struct op_call *call, struct err *err)
{
    const char *type = arg_str(call->in, "resourceType");
    if (type && !type_named(type)) {
        err_set(err, ERR_INPUT, "InvalidResourceTypeException", "`%.80s` is no type of resource that is shared", type);
        err_hint(err, "`ram list-resource-types` shows them: ec2:TransitGateway, ec2:Subnet, ec2:PrefixList");
        return err_at(err, "resourceType", 0, 0);
    }
    return true;
}

static json_t *
show_resource(const struct op_call *call, const struct ram_share *share, const struct ram_link *link)
{
    const struct object *object = sharing_object(call->cloud, link->entity);
    json_t *all = json_object(), *out = json_object();
    fields_print(ram_link_fields, link, false, all);
    json_object_set_new(out, "arn", json_string(link->entity));
    json_object_set_new(out, "type", json_string(shareable_of_arn(link->entity)->type));
    json_object_set_new(out, "resourceShareArn", json_string(share->arn));
    json_object_set_new(out, "status", json_string(object ? "AVAILABLE" : "UNAVAILABLE"));
    json_object_set_new(out, "resourceRegionScope", json_string("REGIONAL"));
    json_object_set(out, "creationTime", json_object_get(all, "creationTime"));
    json_object_set(out, "lastUpdatedTime", json_object_get(all, "lastUpdatedTime"));
    json_decref(all);
    return out;
}

static bool
has_link(const struct ram_share *share, const char *type, const char *entity)
{
    const struct ram_link *link = ram_link_find(share, type, entity);
    return link && ram_link_holds(link);
}

/* All resources of the share that hold and pass the arguments. */
static void
add_resources(const struct op_call *call, const struct ram_share *share, json_t *list)
{
    const char *type = arg_str(call->in, "resourceType"), *scope = arg_str(call->in, "resourceRegionScope");
    for (size_t i = 0; i < share->links.n; i++) {
        const struct ram_link *link = &share->links.items[i];
        if (strcmp(link->type, RAM_RESOURCE) != 0 || !ram_link_holds(link) || (scope && strcmp(scope, "GLOBAL") == 0) ||
            !asked(call, "resourceArns", link->entity)) {
            continue;
        }
        json_t *shown = show_resource(call, share, link);
        const char *own = json_str(shown, "type");
        if (!type || (own && strcmp(own, type) == 0)) {
            json_array_append(list, shown);
        }
        json_decref(shown);
    }
}

static bool
list_resources(struct op_call *call, struct err *err)
{
    bool own = is_self(call);
    const char *principal = arg_str(call->in, "principal");
    if (!check_type(call, err) || !check_share_arns(call, err)) {
        return false;
    }
    json_t *list = json_array();
    for (const struct ram_share *s = store_first(store_of(call), &ram_share_kind); s;
         s = store_next(store_of(call), s)) {
        /* OTHER-ACCOUNTS: the principal is who shares. */
        bool by = !principal || (own ? has_link(s, RAM_PRINCIPAL, principal) : strcmp(s->obj.account, principal) == 0);
        if (by && is_asked_share(call, s, own)) {
            add_resources(call, s, list);
        }
    }
    return answer_page(call, "resources", list, err);
}

static bool
list_pending_resources(struct op_call *call, struct err *err)
{
    const struct ram_invitation *invitation =
        ram_op_invitation(call, arg_str(call->in, "resourceShareInvitationArn"), err);
    if (!invitation) {
        return err_at(err, "resourceShareInvitationArn", 0, 0);
    }
    const char *status = ram_invitation_status(invitation, ram_now(call));
    if (strcmp(status, "REJECTED") == 0 || strcmp(status, "EXPIRED") == 0) {
        return err_set(err, ERR_INPUT,
                       status[0] == 'R' ? "ResourceShareInvitationAlreadyRejectedException"
                                        : "ResourceShareInvitationExpiredException",
                       "the invitation to `%s` is %s", invitation->share_name, status);
    }
    const struct ram_share *share = ram_share_find(call->cloud->accounts, invitation->share_arn);
    json_t *list = json_array();
    if (share && strcmp(status, "PENDING") == 0) {
        add_resources(call, share, list);
    }
    return answer_page(call, "resources", list, err);
}

static json_t *
show_principal(const struct ram_share *share, const struct ram_link *link, const char *id)
{
    json_t *all = json_object();
    fields_print(ram_link_fields, link, false, all);
    json_t *out = json_pack("{s:s, s:s, s:O, s:O, s:b}", "id", id, "resourceShareArn", share->arn, "creationTime",
                            json_object_get(all, "creationTime"), "lastUpdatedTime",
                            json_object_get(all, "lastUpdatedTime"), "external", link->external);
    json_decref(all);
    return out;
}

static bool
shares_type(const struct op_call *call, const struct ram_share *share, const char *type)
{
    for (size_t i = 0; i < share->links.n; i++) {
        const struct ram_link *link = &share->links.items[i];
        const struct object *object = strcmp(link->type, RAM_RESOURCE) == 0 && ram_link_holds(link)
                                          ? sharing_object(call->cloud, link->entity)
                                          : NULL;
        if (object && strcmp(shareable_of(object)->type, type) == 0) {
            return true;
        }
    }
    return false;
}

/* With whom we share (SELF), or who shares with us (OTHER-ACCOUNTS). */
static void
add_principals(const struct op_call *call, const struct ram_share *share, bool own, json_t *list)
{
    for (size_t i = 0; i < share->links.n; i++) {
        const struct ram_link *link = &share->links.items[i];
        const char *id = own ? link->entity : share->obj.account;
        if (strcmp(link->type, RAM_PRINCIPAL) == 0 && ram_link_holds(link) && asked(call, "principals", id)) {
            json_array_append_new(list, show_principal(share, link, id));
            if (!own) {
                return; /* one account shares, however many ways it reaches us */
            }
        }
    }
}

static bool
list_principals(struct op_call *call, struct err *err)
{
    bool own = is_self(call);
    const char *arn = arg_str(call->in, "resourceArn"), *type = arg_str(call->in, "resourceType");
    if (!check_type(call, err) || !check_share_arns(call, err)) {
        return false;
    }
    json_t *list = json_array();
    for (const struct ram_share *s = store_first(store_of(call), &ram_share_kind); s;
         s = store_next(store_of(call), s)) {
        if (is_asked_share(call, s, own) && (!arn || has_link(s, RAM_RESOURCE, arn)) &&
            (!type || shares_type(call, s, type))) {
            add_principals(call, s, own, list);
        }
    }
    return answer_page(call, "principals", list, err);
}

static bool
list_types(struct op_call *call, struct err *err)
{
    const char *scope = arg_str(call->in, "resourceRegionScope");
    json_t *list = json_array();
    for (const struct shareable *row = shareables; row->kind && (!scope || strcmp(scope, "GLOBAL") != 0); row++) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "resourceType", row->type, "serviceName", "ec2",
                                              "resourceRegionScope", "REGIONAL"));
    }
    return answer_page(call, "resourceTypes", list, err);
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "ram", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                             \
    }
const struct op ops_ram_list[] = {
    READ("GetResourceShares", get_shares, "Show resource shares: one's own, or those of others that include one."),
    READ("GetResourceShareAssociations", get_associations, "Show the resources or principals of one's own shares."),
    READ("GetResourceShareInvitations", get_invitations, "Show the invitations to others' resource shares."),
    READ("ListResources", list_resources, "List what one shares, or what others share with one."),
    READ("ListPrincipals", list_principals, "List with whom one shares, or who shares with one."),
    READ("ListPendingInvitationResources", list_pending_resources, "List what an invitation offers."),
    READ("ListResourceTypes", list_types, "List the types of resources that can be shared."),
    { 0 },
};

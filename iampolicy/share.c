#include "iampolicy/share.h"

#include <string.h>

#define INVITATION_MS (INT64_C(7) * 24 * 3600 * 1000) /* of the types that vpclab shares */

const struct field ram_link_fields[] = {
    FIELD(struct ram_link, "associatedEntity", FIELD_STRING, entity, 0),
    FIELD(struct ram_link, "associationType", FIELD_STRING, type, 0),
    FIELD(struct ram_link, "status", FIELD_STRING, status, 0),
    FIELD(struct ram_link, "statusMessage", FIELD_STRING, message, 0),
    FIELD(struct ram_link, "creationTime", FIELD_TIME, created, 0),
    FIELD(struct ram_link, "lastUpdatedTime", FIELD_TIME, updated, 0),
    FIELD(struct ram_link, "external", FIELD_BOOL, external, 0),
    FIELD(struct ram_link, "byOrganization", FIELD_BOOL, by_organization, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD_END,
};
static const struct field share_tag_fields[] = {
    FIELD(struct tag, "key", FIELD_STRING, key, FIELD_ALWAYS),
    FIELD(struct tag, "value", FIELD_STRING, value, FIELD_ALWAYS),
    FIELD_END,
};
static const struct field share_fields[] = {
    FIELD(struct ram_share, "shareId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct ram_share, "resourceShareArn", FIELD_STRING, arn, 0),
    FIELD(struct ram_share, "name", FIELD_STRING, name, 0),
    FIELD(struct ram_share, "allowExternalPrincipals", FIELD_BOOL, allow_external, 0),
    FIELD(struct ram_share, "status", FIELD_STRING, status, 0),
    FIELD_LIST(struct ram_share, "tags", obj.tags, share_tag_fields, 0),
    FIELD(struct ram_share, "creationTime", FIELD_TIME, created, 0),
    FIELD(struct ram_share, "lastUpdatedTime", FIELD_TIME, updated, 0),
    FIELD_LIST(struct ram_share, "associations", links, ram_link_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field invitation_fields[] = {
    FIELD(struct ram_invitation, "invitationId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct ram_invitation, "resourceShareInvitationArn", FIELD_STRING, arn, 0),
    FIELD(struct ram_invitation, "resourceShareName", FIELD_STRING, share_name, 0),
    FIELD(struct ram_invitation, "resourceShareArn", FIELD_STRING, share_arn, 0),
    FIELD(struct ram_invitation, "receiverAccountId", FIELD_STRING, receiver, 0),
    FIELD(struct ram_invitation, "invitationTimestamp", FIELD_TIME, sent, 0),
    FIELD(struct ram_invitation, "status", FIELD_STRING, status, 0),
    FIELD_END,
};

static void
describe_share(const struct store *store, const void *object, json_t *out)
{
    const struct ram_share *share = object;
    (void)store;
    json_object_set_new(out, "owningAccountId", json_string(share->obj.account));
    json_object_set_new(out, "featureSet", json_string("STANDARD"));
}

static void
describe_invitation(const struct store *store, const void *object, json_t *out)
{
    const struct ram_invitation *invitation = object;
    (void)store;
    json_object_set_new(out, "senderAccountId", json_string(invitation->obj.account));
}

#define RAM_KIND(name_, list_, id_, struct_, fields_, describe_)                                                       \
    {                                                                                                                  \
        .name = (name_), .prefix = "", .list = (list_), .id_member = (id_), .not_found = "UnknownResourceException",   \
        .size = sizeof(struct struct_), .fields = (fields_), .describe = (describe_)                                   \
    }
const struct kind ram_share_kind =
    RAM_KIND("resource-share", "ResourceShares", "shareId", ram_share, share_fields, describe_share);
const struct kind ram_invitation_kind =
    RAM_KIND("resource-share-invitation", "ResourceShareInvitations", "invitationId", ram_invitation, invitation_fields,
             describe_invitation);

/* ---- finding ----------------------------------------------------------------------------------------------------- */

struct ram_share *
ram_share_find(const struct iam_accounts *accounts, const char *arn)
{
    struct ram_share *share = store_first(accounts->store, &ram_share_kind);
    while (share && strcmp(share->arn, arn) != 0) {
        share = store_next(accounts->store, share);
    }
    return share;
}

struct ram_invitation *
ram_invitation_find(const struct iam_accounts *accounts, const char *arn)
{
    struct ram_invitation *invitation = store_first(accounts->store, &ram_invitation_kind);
    while (invitation && strcmp(invitation->arn, arn) != 0) {
        invitation = store_next(accounts->store, invitation);
    }
    return invitation;
}

bool
ram_share_is_active(const struct ram_share *share)
{
    return strcmp(share->status, "ACTIVE") == 0;
}

struct ram_link *
ram_link_find(const struct ram_share *share, const char *type, const char *entity)
{
    for (size_t i = 0; i < share->links.n; i++) {
        struct ram_link *link = &share->links.items[i];
        if (strcmp(link->type, type) == 0 && strcmp(link->entity, entity) == 0) {
            return link;
        }
    }
    return NULL;
}

bool
ram_link_holds(const struct ram_link *link)
{
    return strcmp(link->status, "ASSOCIATED") == 0;
}

/* ---- who has it -------------------------------------------------------------------------------------------------- */

bool
ram_same_organization(const struct iam_accounts *accounts, const char *a, const char *b)
{
    const struct org_organization *o = org_of_account(accounts, a);
    return o && o == org_of_account(accounts, b);
}

const struct org_organization *
ram_organization(const struct iam_accounts *accounts, const char *account)
{
    const struct org_organization *o = org_of_account(accounts, account);
    return o && o->ram_sharing ? o : NULL;
}

/* The last part of "arn:aws:organizations::ACCOUNT:ou/o-1/ou-2". */
static const char *
arn_end(const char *arn)
{
    const char *slash = strrchr(arn, '/');
    return slash ? slash + 1 : "";
}

static bool
is_below(const struct iam_accounts *accounts, const char *account, const char *id)
{
    const struct org_entity *path[ORG_DEPTH], *entity = org_entity_find(accounts, account);
    size_t n = entity ? org_path(accounts, entity, path) : 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(path[i]->obj.id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool
link_reaches(const struct iam_accounts *accounts, const struct ram_share *share, const struct ram_link *link,
             const char *account)
{
    if (strcmp(link->type, RAM_PRINCIPAL) != 0 || !ram_link_holds(link)) {
        return false;
    }
    bool inside =
        ram_organization(accounts, share->obj.account) && ram_same_organization(accounts, share->obj.account, account);
    if (strncmp(link->entity, "arn:", 4) != 0) {
        return strcmp(link->entity, account) == 0 && (inside || !link->by_organization);
    }
    const char *id = arn_end(link->entity);
    const struct org_organization *o = org_of_account(accounts, account);
    return inside && (strcmp(o->obj.id, id) == 0 || is_below(accounts, account, id));
}

bool
ram_share_reaches(const struct iam_accounts *accounts, const struct ram_share *share, const char *account)
{
    if (!ram_share_is_active(share) || strcmp(share->obj.account, account) == 0) {
        return false;
    }
    for (size_t i = 0; i < share->links.n; i++) {
        if (link_reaches(accounts, share, &share->links.items[i], account)) {
            return true;
        }
    }
    return false;
}

bool
ram_is_shared(const struct iam_accounts *accounts, const char *resource_arn, const char *account)
{
    const struct store *store = accounts->store;
    for (const struct ram_share *s = store_first(store, &ram_share_kind); s; s = store_next(store, s)) {
        const struct ram_link *link = ram_link_find(s, RAM_RESOURCE, resource_arn);
        if (link && ram_link_holds(link) && ram_share_reaches(accounts, s, account)) {
            return true;
        }
    }
    return false;
}

/* ---- invitations ------------------------------------------------------------------------------------------------- */

const char *
ram_invitation_status(const struct ram_invitation *invitation, int64_t now_ms)
{
    bool late = strcmp(invitation->status, "PENDING") == 0 && now_ms >= invitation->sent + INVITATION_MS;
    return late ? "EXPIRED" : invitation->status;
}

struct ram_invitation *
ram_invitation_pending(const struct iam_accounts *accounts, const struct ram_share *share, const char *account)
{
    int64_t now_ms = clock_now_ms(accounts->clock);
    struct ram_invitation *i = store_first(accounts->store, &ram_invitation_kind);
    while (i && (strcmp(i->share_arn, share->arn) != 0 || strcmp(i->receiver, account) != 0 ||
                 strcmp(ram_invitation_status(i, now_ms), "PENDING") != 0)) {
        i = store_next(accounts->store, i);
    }
    return i;
}

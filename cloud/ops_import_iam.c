/* cloud/ops_import_iam.c - `import iam`: the users, groups, roles and policies of a real account, as `aws iam
 * get-account-authorization-details` prints them.
 *
 * An entity replaces the lab's of the same ARN; everything else stays.  Documents are objects or URL-encoded text and
 * become indented text, so that explanations have lines to name.  AWS's own policies are taken over where the lab does
 * not know them.
 * Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/op.h"
#include "cloud/ops_iam.h"

static int
hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* As the API sends documents (RFC 3986); a text that begins with '{' is one already. */
static char *
url_decoded(const char *text)
{
    struct buf out = { 0 };
    bool encoded = text[0] == '%';
    for (; *text; text++) {
        if (encoded && *text == '%' && hex(text[1]) >= 0 && hex(text[2]) >= 0) {
            buf_char(&out, (char)(hex(text[1]) * 16 + hex(text[2])));
            text += 2;
        } else {
            buf_char(&out, *text);
        }
    }
    return buf_steal(&out);
}

struct import {
    struct op_call *call;
    const char *path;
    struct err *err;
    char account[16]; /* of the first entity that is not AWS's */
};

static bool
refuse(struct import *im, const char *place, const char *text)
{
    err_set(im->err, ERR_DOCUMENT, "", "%s: %s", place, text);
    err_hint(im->err, "the file is what `aws iam get-account-authorization-details` prints");
    return err_at(im->err, im->path, 0, 0);
}

/* The document as text, checked: what cannot be read could not decide either. */
static bool
close_document(struct import *im, json_t *object, const char *member, enum iam_policy_type type, const char *place)
{
    json_t *document = json_object_get(object, member);
    struct buf text = { 0 };
    struct err found = { 0 };
    if (json_is_object(document)) {
        json_write_aws(document, &text);
    } else if (json_is_string(document)) {
        char *plain = url_decoded(json_string_value(document));
        buf_str_add(&text, plain);
        free(plain);
    } else {
        char message[120];
        snprintf(message, sizeof message, "`%s` must be a policy document", member);
        return refuse(im, place, message);
    }
    struct iam_policy *policy = iam_policy_parse(buf_str(&text), text.size, type, place, &found);
    bool ok = policy != NULL;
    if (ok) {
        json_object_set_new(object, member, json_string(buf_str(&text)));
    } else {
        err_set(im->err, ERR_DOCUMENT, found.code, "%s: %s", place, found.text);
        err_hint(im->err, "%s", found.hint);
        err_at(im->err, im->path, 0, 0);
    }
    iam_policy_free(policy);
    buf_done(&text);
    return ok;
}

static bool
close_documents(struct import *im, json_t *entity, const char *list, const char *member, const char *place)
{
    json_t *policies = json_object_get(entity, list);
    for (size_t i = 0; i < json_array_size(policies); i++) {
        if (!close_document(im, json_array_get(policies, i), member, IAM_POLICY_IDENTITY, place)) {
            return false;
        }
    }
    return true;
}

/* ---- the four kinds ---- */

static bool
read_user(struct import *im, json_t *user, const char *place)
{
    return close_documents(im, user, "UserPolicyList", "PolicyDocument", place);
}

static bool
read_group(struct import *im, json_t *group, const char *place)
{
    return close_documents(im, group, "GroupPolicyList", "PolicyDocument", place);
}

static bool
read_role(struct import *im, json_t *role, const char *place)
{
    return close_document(im, role, "AssumeRolePolicyDocument", IAM_POLICY_TRUST, place) &&
           close_documents(im, role, "RolePolicyList", "PolicyDocument", place);
}

/* The next version is counted from the highest there is. */
static bool
read_policy(struct import *im, json_t *policy, const char *place)
{
    const json_t *versions = json_object_get(policy, "PolicyVersionList");
    long long highest = 0;
    for (size_t i = 0; i < json_array_size(versions); i++) {
        const char *id = json_str(json_array_get(versions, i), "VersionId");
        long long n = id && id[0] == 'v' ? atoll(id + 1) : 0;
        highest = n > highest ? n : highest;
    }
    json_object_set_new(policy, "NextVersion", json_integer(highest));
    return close_documents(im, policy, "PolicyVersionList", "Document", place);
}

static const struct detail {
    const char *list, *name;
    const struct kind *kind;
    bool (*read)(struct import *im, json_t *entity, const char *place);
} details[] = {
    { "Policies", "PolicyName", &iam_managed_policy_kind, read_policy },
    { "GroupDetailList", "GroupName", &iam_group_kind, read_group },
    { "UserDetailList", "UserName", &iam_user_kind, read_user },
    { "RoleDetailList", "RoleName", &iam_role_kind, read_role },
};

/* Of a role: members of their own in the lab. */
static bool
load_profiles(struct import *im, const json_t *role, const char *account)
{
    struct store *store = im->call->cloud->accounts->store;
    const json_t *profiles = json_object_get(role, "InstanceProfileList");
    for (size_t i = 0; i < json_array_size(profiles); i++) {
        json_t *profile = json_deep_copy(json_array_get(profiles, i));
        const char *id = json_str(profile, "InstanceProfileId");
        struct object *old = id ? store_get(store, &iam_instance_profile_kind, id) : NULL;
        json_object_set(profile, "RoleName", json_object_get(role, "RoleName"));
        if (old) {
            store_delete(store, old);
        }
        struct object *new = store_load_object(store, &iam_instance_profile_kind, profile, im->path, NULL, im->err);
        json_decref(profile);
        if (!new) {
            return false;
        }
        snprintf(new->account, sizeof new->account, "%s", account);
    }
    return true;
}

static struct object *
with_arn(struct store *store, const struct kind *kind, const char *arn)
{
    for (struct object *o = store_first(store, kind); o; o = store_next(store, o)) {
        json_t *shown = json_object();
        fields_print(kind->fields, o, true, shown);
        bool same = json_str(shown, "Arn") && strcmp(json_str(shown, "Arn"), arn) == 0;
        json_decref(shown);
        if (same) {
            return o;
        }
    }
    return NULL;
}

static bool
load_one(struct import *im, const struct detail *detail, json_t *entity, const char *place, bool *known)
{
    struct iam_accounts *accounts = im->call->cloud->accounts;
    const char *text = json_str(entity, "Arn");
    struct arn arn;
    if (!text || !arn_parse(text, &arn) || !json_str(entity, detail->name)) {
        return refuse(im, place, "it has no name and ARN");
    }
    char account[16];
    snprintf(account, sizeof account, "%.*s", (int)(arn.account.size < 12 ? arn.account.size : 12), arn.account.text);
    bool aws = strcmp(account, "aws") == 0;
    *known = aws && iam_find_policy(accounts, text);
    if (*known) {
        return true;
    }
    if (!aws && !im->account[0]) {
        snprintf(im->account, sizeof im->account, "%s", account);
    }
    if (!detail->read(im, entity, place)) {
        return false;
    }
    struct object *old = with_arn(accounts->store, detail->kind, text);
    if (old) {
        store_delete(accounts->store, old);
    }
    struct object *new = store_load_object(accounts->store, detail->kind, entity, place, NULL, im->err);
    if (!new) {
        return err_at(im->err, im->path, 0, 0);
    }
    snprintf(new->account, sizeof new->account, "%s", account);
    return load_profiles(im, entity, account);
}

static bool
load_list(struct import *im, const json_t *root, const struct detail *detail, json_t *counts)
{
    const json_t *list = json_object_get(root, detail->list);
    json_int_t n = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        char place[80];
        bool known;
        json_t *entity = json_deep_copy(json_array_get(list, i));
        snprintf(place, sizeof place, "%s[%zu]", detail->list, i);
        bool ok = load_one(im, detail, entity, place, &known);
        json_decref(entity);
        if (!ok) {
            return false;
        }
        n += !known;
    }
    json_object_set_new(counts, detail->list, json_integer(n));
    return true;
}

static bool
import_iam(struct op_call *call, struct err *err)
{
    struct import im = { .call = call, .path = arg_str(call->in, "File"), .err = err };
    json_t *root = json_read_file(im.path, err), *counts = json_object();
    bool some = false, ok = root != NULL;
    for (size_t i = 0; i < ARRAY_SIZE(details); i++) {
        some |= json_is_array(json_object_get(root, details[i].list));
    }
    if (ok && !some) {
        ok = refuse(&im, "file", "it has no `UserDetailList`, `GroupDetailList`, `RoleDetailList` or `Policies`");
    }
    for (size_t i = 0; i < ARRAY_SIZE(details) && ok; i++) {
        ok = load_list(&im, root, &details[i], counts);
    }
    if (ok) {
        json_object_set_new(call->out, "Account", json_string(im.account));
        json_object_set(call->out, "Imported", counts);
    }
    json_decref(counts);
    json_decref(root);
    return ok;
}

static void
import_text(const json_t *out, struct buf *text)
{
    const json_t *counts = json_object_get(out, "Imported");
    long long users = json_int(counts, "UserDetailList", 0), groups = json_int(counts, "GroupDetailList", 0),
              roles = json_int(counts, "RoleDetailList", 0), policies = json_int(counts, "Policies", 0);
    buf_printf(text, "imported into account %s: %lld user%s, %lld group%s, %lld role%s, %lld polic%s\n",
               json_str(out, "Account"), users, plural(users), groups, plural(groups), roles, plural(roles), policies,
               policies == 1 ? "y" : "ies");
}

static const struct op_param import_params[] = {
    { "File", OP_PATH, OP_REQUIRED | OP_POSITIONAL, "what `aws iam get-account-authorization-details` printed", NULL,
      NULL },
    { 0 },
};

const struct op ops_import_iam[] = {
    { .name = "import iam",
      .mode = OP_WRITE,
      .run = import_iam,
      .params = import_params,
      .text = import_text,
      .group = "build",
      .help = "Take over the users, groups, roles and policies of a real account.",
      .examples = "import iam account.json    what `aws iam get-account-authorization-details` printed\n" },
    { 0 },
};

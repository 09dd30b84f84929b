/* cloud/ops_ec2_prefix_lists.c - managed prefix lists.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateManagedPrefixList.html and its neighbours */
#include <stdlib.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/ops_ec2.h"
#include "netsim/model/gateways.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"

typedef VEC(struct prefix_list_entry) entry_vec;

/* The entries of an argument; descriptions stay borrowed from it. */
static bool
read_entries(const struct op_call *call, const char *name, entry_vec *entries, struct err *err)
{
    const json_t *list = json_object_get(call->in, name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *text = json_str(item, "Cidr");
        struct cidr cidr;
        if (!text || !strchr(text, '/') || !cidr_parse_loose(text, &cidr)) {
            err_set(err, ERR_INPUT, text ? "InvalidParameterValue" : "MissingParameter",
                    text ? "the CIDR block `%.80s` is malformed" : "an entry needs a `Cidr`", text);
            return err_at(err, name, 0, 0);
        }
        *VEC_ADD(entries) = (struct prefix_list_entry){ cidr, (char *)json_str(item, "Description") };
    }
    return true;
}

static bool
create_managed_prefix_list(struct op_call *call, struct err *err)
{
    entry_vec entries = { 0 };
    struct prefix_list *list = NULL;
    if (ec2_check_tags(call, (const struct kind *const[]){ &prefix_list_kind, NULL }, err) &&
        read_entries(call, "Entries", &entries, err)) {
        list =
            prefix_list_create(ec2_net(call), arg_str(call->in, "PrefixListName"), arg_str(call->in, "AddressFamily"),
                               (int)arg_int(call->in, "MaxEntries", 0), entries.items, entries.n, err);
    }
    VEC_DONE(&entries);
    if (list) {
        ec2_tag_new(call, &list->obj);
        ec2_answer(call, "PrefixList", list);
    }
    return list != NULL;
}

/* AWS changes entries, or the size, or the name; a version passes only when entries change. */
static bool
modify_managed_prefix_list(struct op_call *call, struct err *err)
{
    struct prefix_list *list = ec2_require(call, &prefix_list_kind, "PrefixListId", err);
    const char *name = arg_str(call->in, "PrefixListName");
    bool sized = json_object_get(call->in, "MaxEntries");
    entry_vec add = { 0 }, remove = { 0 };
    VEC(struct cidr) gone = { 0 };
    bool ok = list && read_entries(call, "AddEntries", &add, err) && read_entries(call, "RemoveEntries", &remove, err);
    if (ok && sized && add.n + remove.n > 0) {
        ok = err_set(err, ERR_INPUT, "InvalidParameterCombination",
                     "`MaxEntries` cannot be given together with entries to add or remove");
    }
    if (ok && add.n + remove.n > 0 && !json_object_get(call->in, "CurrentVersion")) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `CurrentVersion`");
        ok = err_hint(err, "`%s` has version %lld", list->obj.id, (long long)list->version);
    }
    if (ok && sized) {
        ok = prefix_list_resize(ec2_net(call), list, (int)arg_int(call->in, "MaxEntries", 0), err);
    }
    for (size_t i = 0; i < remove.n; i++) {
        *VEC_ADD(&gone) = remove.items[i].cidr;
    }
    ok = ok && (!name || prefix_list_rename(ec2_net(call), list, name, err)) &&
         prefix_list_modify(ec2_net(call), list, arg_int(call->in, "CurrentVersion", list->version), add.items, add.n,
                            gone.items, gone.n, err);
    VEC_DONE(&gone);
    VEC_DONE(&remove);
    VEC_DONE(&add);
    if (ok) {
        ec2_answer(call, "PrefixList", list);
    }
    return ok;
}

static bool
delete_managed_prefix_list(struct op_call *call, struct err *err)
{
    struct prefix_list *list = ec2_require(call, &prefix_list_kind, "PrefixListId", err);
    if (!list) {
        return false;
    }
    json_t *last = object_describe(network_store(ec2_net(call)), list);
    json_object_set_new(last, "State", json_string("delete-complete"));
    json_object_set_new(call->out, "PrefixList", last);
    return prefix_list_delete(ec2_net(call), list, err);
}

static bool
get_managed_prefix_list_entries(struct op_call *call, struct err *err)
{
    const struct prefix_list *list = ec2_require(call, &prefix_list_kind, "PrefixListId", err);
    if (!list) {
        return false;
    }
    long long version = arg_int(call->in, "TargetVersion", list->version);
    if (version != list->version) {
        err_set(err, ERR_INPUT,
                version > 0 && version < list->version ? "UnsupportedOperation" : "InvalidParameterValue",
                "`%s` is at version %lld; vpclab keeps no other, so not `%lld`", list->obj.id, (long long)list->version,
                version);
        return err_at(err, "TargetVersion", 0, 0);
    }
    json_t *entries = json_array();
    for (size_t i = 0; i < list->entries.n; i++) {
        json_t *entry = json_pack("{s:s}", "Cidr", cidr_str(&list->entries.items[i].cidr));
        if (list->entries.items[i].description) {
            json_object_set_new(entry, "Description", json_string(list->entries.items[i].description));
        }
        json_array_append_new(entries, entry);
    }
    return ec2_answer_page(call, "Entries", entries, "Cidr", err);
}

static void
add_user(json_t *users, const struct object *object)
{
    json_array_append_new(users, json_pack("{s:s, s:s}", "ResourceId", object->id, "ResourceOwner", object->account));
}

/* Who uses the list: rules of security groups and routes. */
static bool
get_managed_prefix_list_associations(struct op_call *call, struct err *err)
{
    const struct prefix_list *list = ec2_require(call, &prefix_list_kind, "PrefixListId", err);
    if (!list) {
        return false;
    }
    const struct store *store = network_store(ec2_net(call));
    json_t *users = json_array();
    for (const struct security_group *group = store_first(store, &security_group_kind); group;
         group = store_next(store, group)) {
        bool uses = false;
        for (size_t i = 0; i < group->rules.n && !uses; i++) {
            const char *id = group->rules.items[i].prefix_list_id;
            uses = id && strcmp(id, list->obj.id) == 0;
        }
        if (uses) {
            add_user(users, &group->obj);
        }
    }
    for (const struct route_table *table = store_first(store, &route_table_kind); table;
         table = store_next(store, table)) {
        bool uses = false;
        for (size_t i = 0; i < table->routes.n && !uses; i++) {
            const char *id = table->routes.items[i].prefix_list_id;
            uses = id && strcmp(id, list->obj.id) == 0;
        }
        if (uses) {
            add_user(users, &table->obj);
        }
    }
    return ec2_answer_page(call, "PrefixListAssociations", users, "ResourceId", err);
}

#define OP(mode_, name_, run_, resources_, help_)                                                                      \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_prefix_lists[] = {
    OP(OP_WRITE, "CreateManagedPrefixList", create_managed_prefix_list, "prefix-list/*",
       "Create a named list of address blocks for groups and routes to refer to."),
    OP(OP_WRITE, "ModifyManagedPrefixList", modify_managed_prefix_list, "prefix-list/${PrefixListId}",
       "Add or remove entries, or change the size or the name of a prefix list."),
    OP(OP_WRITE, "DeleteManagedPrefixList", delete_managed_prefix_list, "prefix-list/${PrefixListId}",
       "Delete a prefix list that nothing refers to."),
    OP(OP_READ, "GetManagedPrefixListEntries", get_managed_prefix_list_entries, "prefix-list/${PrefixListId}",
       "Show the entries of a prefix list."),
    OP(OP_READ, "GetManagedPrefixListAssociations", get_managed_prefix_list_associations, "prefix-list/${PrefixListId}",
       "Show which security groups and route tables refer to a prefix list."),
    { 0 },
};

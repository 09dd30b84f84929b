#include "netsim/model/internal.h"

static const struct field entry_fields[] = {
    FIELD(struct prefix_list_entry, "Cidr", FIELD_CIDR, cidr, 0),
    FIELD(struct prefix_list_entry, "Description", FIELD_STRING, description, 0),
    FIELD_END,
};
static const struct field list_fields[] = {
    FIELD(struct prefix_list, "PrefixListId", FIELD_ID, obj.id, 0),
    FIELD(struct prefix_list, "AddressFamily", FIELD_STRING, address_family, 0),
    FIELD(struct prefix_list, "State", FIELD_STRING, state, 0),
    FIELD(struct prefix_list, "PrefixListName", FIELD_STRING, name, 0),
    FIELD(struct prefix_list, "MaxEntries", FIELD_INT, max_entries, 0),
    FIELD(struct prefix_list, "Version", FIELD_LONG, version, 0),
    FIELD_LIST(struct prefix_list, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_LIST(struct prefix_list, "Entries", entries, entry_fields, FIELD_STATE_ONLY | FIELD_ALWAYS),
    FIELD(struct prefix_list, "Cidrs", FIELD_STRINGS, cidrs, FIELD_INPUT_ONLY),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeManagedPrefixLists.html */
static const struct filter_row list_filters[] = {
    { "prefix-list-id", "PrefixListId" },
    { "prefix-list-name", "PrefixListName" },
    { NULL, NULL },
};

/* describe-prefix-lists gives bare Cidrs and none of the other members. */
static void
list_loaded(struct store *store, void *object)
{
    struct prefix_list *list = object;
    (void)store;
    for (size_t i = 0; i < list->cidrs.n; i++) {
        struct cidr cidr;
        if (list->cidrs.items[i] && cidr_parse_loose(list->cidrs.items[i], &cidr)) {
            VEC_ADD(&list->entries)->cidr = cidr;
        }
        free(list->cidrs.items[i]);
    }
    VEC_DONE(&list->cidrs);
    if (!list->address_family) {
        bool v6 = list->entries.n && list->entries.items[0].cidr.ip.family == IP_V6;
        list->address_family = xstrdup(v6 ? "IPv6" : "IPv4");
    }
    if (!list->state) {
        list->state = xstrdup("create-complete");
    }
    if (list->max_entries < (int32_t)list->entries.n) {
        list->max_entries = (int32_t)list->entries.n;
    }
}

static void
list_describe(const struct store *store, const void *object, json_t *out)
{
    const struct prefix_list *list = object;
    (void)store;
    char *arn = object_arn(&list->obj, "prefix-list");
    json_object_set_new(out, "PrefixListArn", json_string(arn));
    free(arn);
}

const struct kind prefix_list_kind = {
    .name = "prefix-list",
    .prefix = "pl",
    .type = "prefix-list",
    .list = "PrefixLists",
    .id_member = "PrefixListId",
    .ids_param = "PrefixListIds",
    .not_found = "InvalidPrefixListID.NotFound",
    .malformed = "InvalidPrefixListId.Malformed",
    .size = sizeof(struct prefix_list),
    .fields = list_fields,
    .shows_owner = true,
    .filters = list_filters,
    .loaded = list_loaded,
    .describe = list_describe,
};

bool
prefix_list_contains(const struct prefix_list *list, const struct ip *ip, struct cidr *entry)
{
    const struct cidr *best = NULL;
    for (size_t i = 0; i < list->entries.n; i++) {
        const struct cidr *cidr = &list->entries.items[i].cidr;
        if (cidr_contains_ip(cidr, ip) && (!best || cidr->bits > best->bits)) {
            best = cidr;
        }
    }
    if (best && entry) {
        *entry = *best;
    }
    return best != NULL;
}

/* ---- operations
 * ----------------------------------------------------------------------------------------------------------- */

static bool
entries_check(const char *family, const struct prefix_list_entry *entries, size_t n, struct err *err)
{
    int wanted = str_is(family, "IPv6") ? IP_V6 : IP_V4;
    for (size_t i = 0; i < n; i++) {
        if (entries[i].cidr.ip.family != wanted) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not of the address family %s",
                           cidr_str(&entries[i].cidr), family);
        }
        for (size_t j = 0; j < i; j++) {
            if (cidr_equal(&entries[i].cidr, &entries[j].cidr)) {
                return err_set(err, ERR_INPUT, "InvalidParameterValue", "the entry `%s` is given twice",
                               cidr_str(&entries[i].cidr));
            }
        }
    }
    return true;
}

static void
entry_put(struct prefix_list *list, const struct prefix_list_entry *entry)
{
    struct prefix_list_entry *copy = VEC_ADD(&list->entries);
    copy->cidr = entry->cidr;
    copy->description = entry->description ? xstrdup(entry->description) : NULL;
}

static bool
name_check(const char *name, struct err *err)
{
    if (str_empty(name) || strlen(name) > 255 || strncmp(name, "com.amazonaws", 13) == 0) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid prefix list name `%s`", name ? name : "");
        return err_hint(err, "1 to 255 characters, not beginning with com.amazonaws");
    }
    return true;
}

static bool
size_check(int max_entries, struct err *err)
{
    return (max_entries >= 1 && max_entries <= 1000) ||
           err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%d` for MaxEntries: 1 to 1000",
                   max_entries);
}

struct prefix_list *
prefix_list_create(struct network *net, const char *name, const char *family, int max_entries,
                   const struct prefix_list_entry *entries, size_t n_entries, struct err *err)
{
    if (!name_check(name, err)) {
        return NULL;
    }
    if (!str_is(family, "IPv4") && !str_is(family, "IPv6")) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%s` for AddressFamily", family ? family : "");
        err_hint(err, "use IPv4 or IPv6");
        return NULL;
    }
    if (!size_check(max_entries, err)) {
        return NULL;
    }
    if (n_entries > (size_t)max_entries) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "%zu entries are more than MaxEntries (%d)", n_entries,
                max_entries);
        return NULL;
    }
    if (!entries_check(family, entries, n_entries, err)) {
        return NULL;
    }
    struct prefix_list *list = network_add(net, &prefix_list_kind, NULL);
    list->name = xstrdup(name);
    list->address_family = xstrdup(family);
    list->state = xstrdup("create-complete");
    list->max_entries = max_entries;
    list->version = 1;
    for (size_t i = 0; i < n_entries; i++) {
        entry_put(list, &entries[i]);
    }
    return list;
}

static size_t
entry_find(const struct prefix_list *list, const struct cidr *cidr)
{
    for (size_t i = 0; i < list->entries.n; i++) {
        if (cidr_equal(&list->entries.items[i].cidr, cidr)) {
            return i;
        }
    }
    return list->entries.n;
}

bool
prefix_list_modify(struct network *net, struct prefix_list *list, int64_t current_version,
                   const struct prefix_list_entry *add, size_t n_add, const struct cidr *remove, size_t n_remove,
                   struct err *err)
{
    size_t n_new = 0;
    if (n_add + n_remove > 0 && current_version != list->version) {
        err_set(err, ERR_INPUT, "PrefixListVersionMismatch", "the prefix list has version %lld, not `%lld`",
                (long long)list->version, (long long)current_version);
        return err_hint(err, "give --current-version %lld", (long long)list->version);
    }
    for (size_t i = 0; i < n_remove; i++) {
        if (entry_find(list, &remove[i]) == list->entries.n) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no entry `%s`", list->obj.id,
                           cidr_str(&remove[i]));
        }
    }
    if (!entries_check(list->address_family, add, n_add, err)) {
        return false;
    }
    for (size_t i = 0; i < n_add; i++) {
        bool removed = false;
        for (size_t j = 0; j < n_remove; j++) {
            removed = removed || cidr_equal(&remove[j], &add[i].cidr);
        }
        if (removed) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` cannot be added and removed at once",
                           cidr_str(&add[i].cidr));
        }
        n_new += entry_find(list, &add[i].cidr) == list->entries.n;
    }
    if (list->entries.n - n_remove + n_new > (size_t)list->max_entries) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "%zu entries are more than MaxEntries (%d) of `%s`",
                       list->entries.n - n_remove + n_new, list->max_entries, list->obj.id);
    }
    for (size_t i = 0; i < n_remove; i++) {
        size_t at = entry_find(list, &remove[i]);
        if (at < list->entries.n) {
            free(list->entries.items[at].description);
            VEC_REMOVE(&list->entries, at);
        }
    }
    for (size_t i = 0; i < n_add; i++) {
        size_t at = entry_find(list, &add[i].cidr);
        if (at < list->entries.n) {
            str_set(&list->entries.items[at].description,
                    add[i].description); /* adding what is there changes its description */
        } else {
            entry_put(list, &add[i]);
        }
    }
    if (n_add + n_remove) {
        list->version++;
        str_set(&list->state, "modify-complete");
    }
    network_touch(net);
    return true;
}

bool
prefix_list_resize(struct network *net, struct prefix_list *list, int max_entries, struct err *err)
{
    if (!size_check(max_entries, err)) {
        return false;
    }
    if ((size_t)max_entries < list->entries.n) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has %zu entries, more than MaxEntries `%d`",
                       list->obj.id, list->entries.n, max_entries);
    }
    list->max_entries = max_entries;
    str_set(&list->state, "modify-complete");
    network_touch(net);
    return true;
}

bool
prefix_list_rename(struct network *net, struct prefix_list *list, const char *name, struct err *err)
{
    if (!name_check(name, err)) {
        return false;
    }
    str_set(&list->name, name);
    network_touch(net);
    return true;
}

bool
prefix_list_delete(struct network *net, struct prefix_list *list, struct err *err)
{
    struct dependents left = { 0 };
    for (struct security_group *g = store_first(net->store, &security_group_kind); g; g = store_next(net->store, g)) {
        bool names = false;
        for (size_t i = 0; i < g->rules.n; i++) {
            names = names || str_is(g->rules.items[i].prefix_list_id, list->obj.id);
        }
        dependents_add_if(&left, names, g->obj.id);
    }
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        bool names = false;
        for (size_t i = 0; i < t->routes.n; i++) {
            names = names || str_is(t->routes.items[i].prefix_list_id, list->obj.id);
        }
        dependents_add_if(&left, names, t->obj.id);
    }
    if (!dependents_none(&left, list->obj.id, err)) {
        return false;
    }
    network_remove(net, list);
    return true;
}

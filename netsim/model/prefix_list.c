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

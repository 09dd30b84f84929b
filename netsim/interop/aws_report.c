#include "netsim/interop/aws_report.h"
#include "base/json_pool.h"
#include "netsim/interop/aws_parts.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IDS_SHOWN 10 /* of the objects that have a member nobody models; there may be ten thousand */

void
report_init(struct aws_report *report, const struct network *net)
{
    report->net = net;
    report->files = json_array();
    report->warnings = json_array();
    json_t **objects[] = { &report->lists,    &report->members, &report->counts,
                           &report->accounts, &report->regions, &report->missing };
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
        *objects[i] = json_object();
    }
}

void
report_done(struct aws_report *report)
{
    json_t *const all[] = { report->files,  report->warnings, report->lists,   report->members,
                            report->counts, report->accounts, report->regions, report->missing };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        json_decref(all[i]);
    }
}

static void
count(json_t *counts, const char *name, size_t n)
{
    json_object_set_new(counts, name, json_integer(json_int(counts, name, 0) + (json_int_t)n));
}

static json_t *
entry(json_t *of, const char *name)
{
    json_t *found = json_object_get(of, name);
    if (!found) {
        found = json_object();
        json_object_set_new(of, name, found);
    }
    return found;
}

static json_t *
list_in(json_t *of, const char *name)
{
    json_t *found = json_object_get(of, name);
    if (!found) {
        found = json_array();
        json_object_set_new(of, name, found);
    }
    return found;
}

void
report_skipped_file(struct aws_report *report, const char *file, const char *reason)
{
    json_array_append_new(report->files, json_pack("{s:s, s:s}", "File", file, "Reason", reason));
}

/* The name of an object of a kind we do not know: its id, which stands in a member like TransitGatewayId for
 * TransitGateways; else its ARN or name. */
static const char *
guess_id(const char *list, const json_t *item)
{
    static const char *const endings[] = { "Id", "Arn", "Name" };
    const char *key;
    json_t *value;
    size_t stem = strlen(list) > 1 ? strlen(list) - 1 : 0;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        json_object_foreach((json_t *)item, key, value)
        {
            if (strncmp(key, list, stem) == 0 && strcmp(key + stem, endings[i]) == 0 && json_is_string(value)) {
                return json_string_value(value);
            }
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        json_object_foreach((json_t *)item, key, value)
        {
            size_t length = strlen(key), ending = strlen(endings[i]);
            if (length >= ending && strcmp(key + length - ending, endings[i]) == 0 && json_is_string(value) &&
                strcmp(key, "OwnerId") != 0 && strcmp(key, "VpcId") != 0) {
                return json_string_value(value);
            }
        }
    }
    return NULL;
}

/* Members that all answers may have, whatever they list. */
static bool
is_about_the_answer(const char *name)
{
    static const char *const names[] = { "NextToken", "NextMarker",  "Marker",          "IsTruncated",
                                         "MaxItems",  "MaxResults",  "NextRecordName",  "NextRecordType",
                                         "RequestId", "HTTPHeaders", "ResponseMetadata" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcasecmp(name, names[i]) == 0) { /* Direct Connect: nextToken */
            return true;
        }
    }
    return false;
}

/* The next page's token; with IsTruncated (Route 53) the other words say where it begins. */
static bool
says_more(const char *name, const json_t *value)
{
    bool token = strcasecmp(name, "NextToken") == 0 || strcmp(name, "NextMarker") == 0 || strcmp(name, "Marker") == 0;
    return token ? json_string_length(value) > 0 : strcmp(name, "IsTruncated") == 0 && json_is_true(value);
}

static bool
is_empty(const json_t *value)
{
    return json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

void
report_skipped_list(struct aws_report *report, const char *file, const char *name, const json_t *list)
{
    if (says_more(name, list)) {
        json_array_append_new(report->warnings,
                              json_sprintf("%s is one page of several: it ends with %s %s, so objects are missing",
                                           file, name[0] == 'I' ? "an" : "a", name));
        return;
    }
    if (is_about_the_answer(name) || is_empty(list)) {
        return;
    }
    json_t *skipped = entry(report->lists, name), *ids = list_in(skipped, "Ids");
    size_t n = json_is_array(list) ? json_array_size(list) : 1;
    count(skipped, "Count", n);
    json_array_append_new(list_in(skipped, "Files"), json_string(file));
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(list) ? json_array_get(list, i) : list;
        const char *id = json_is_string(item) ? json_string_value(item) : guess_id(name, item);
        const char *last = json_string_value(json_array_get(ids, json_array_size(ids) - 1));
        if (id && !(last && strcmp(id, last) == 0)) { /* tags repeat the id of their resource */
            json_array_append_new(ids, json_string(id));
        }
    }
}

void
report_warning(struct aws_report *report, const char *format, ...)
{
    va_list args;
    struct buf text = { 0 };
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    json_array_append_new(report->warnings, json_string(buf_str(&text)));
    buf_done(&text);
}

/* ---- members nobody models --------------------------------------------------------------------------------------- */

struct member_search {
    struct aws_report *report;
    const struct kind *kind;
    const struct object *object;
    json_t *described; /* computed members have no row, yet are shown; NULL until one is looked for */
};

/* Is there anything at "Attachment.Items[].Id" of 'json'?  Of lists any item counts: ours may be in another order. */
static bool
shows(const json_t *json, const char *path)
{
    size_t length = strcspn(path, ".[");
    const json_t *member = json_object_getn(json, path, length);
    if (!member || !path[length]) {
        return member != NULL;
    }
    path += length;
    if (strncmp(path, "[].", 3) != 0) {
        return shows(member, path + 1);
    }
    for (size_t i = 0; i < json_array_size(member); i++) {
        if (shows(json_array_get(member, i), path + 3)) {
            return true;
        }
    }
    return false;
}

static void
unknown_member(void *context, const char *path, const json_t *value)
{
    struct member_search *search = context;
    if (is_empty(value) || strcmp(path, "OwnerId") == 0 || strcmp(path, "AdditionalRoutesAvailable") == 0 ||
        strcmp(path, "Region") == 0) {
        return;
    }
    if (!search->described) {
        json_pool_begin(); /* ten thousand objects are described and dropped */
        search->described = object_describe(network_store(search->report->net), search->object);
        json_pool_end();
    }
    if (shows(search->described, path)) {
        return;
    }
    json_t *left = entry(entry(search->report->members, search->kind->name), path), *ids = list_in(left, "Ids");
    size_t n = json_array_size(ids);
    count(left, "Count", 1);
    const char *last = json_string_value(json_array_get(ids, n - 1));
    if (n < IDS_SHOWN && !(last && strcmp(last, search->object->id) == 0)) {
        json_array_append_new(ids, json_string(search->object->id));
    }
}

/* ---- ids that name nothing --------------------------------------------------------------------------------------- */

/* The kind that a member's id should be of: by the member's name ("SubnetId"), for gateways of routes by the id itself.
 */
static const struct kind *
kind_of_member(const char *key, const char *id)
{
    /* Many things have associations, every balancer has a name; and a VPC names DHCP options that a dump of its network
     * seldom holds. */
    static const char *const no_reference[] = { "AssociationId", "LoadBalancerName", "DhcpOptionsId" };
    for (size_t i = 0; i < ARRAY_SIZE(no_reference); i++) {
        if (strcmp(key, no_reference[i]) == 0) {
            return NULL;
        }
    }
    /* "Id" is a target, an association's gateway, a zone: the id says which. */
    if (strcmp(key, "Id") == 0) {
        return network_kind_of_id(id);
    }
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        if ((*kind)->id_member[0] == key[0] && strcmp((*kind)->id_member, key) == 0) {
            return *kind;
        }
    }
    return strcmp(key, "GatewayId") == 0 || strcmp(key, "DestinationPrefixListId") == 0 ? network_kind_of_id(id) : NULL;
}

static void
check_ids(struct aws_report *report, const struct kind *kind, const char *owner, const json_t *json)
{
    const char *key;
    json_t *value;
    size_t index;
    json_object_foreach((json_t *)json, key, value)
    {
        const char *id = json_string_value(value);
        const struct kind *wanted = id && id[0] ? kind_of_member(key, id) : NULL;
        if (wanted && !store_get(network_store(report->net), wanted, kind_id(wanted, id))) {
            char *name = xasprintf("%s %s", kind->name, key);
            json_t *missing = entry(report->missing, name);
            free(name);
            count(missing, "Count", 1);
            if (!json_object_get(missing, "Id")) {
                json_object_set_new(missing, "Id", json_string(id));
                json_object_set_new(missing, "In", json_string(owner));
                json_object_set_new(missing, "Wanted", json_string(wanted->name));
            }
        }
        if (strcmp(key, "Tags") != 0 && strcmp(key, "TagSet") != 0) {
            check_ids(report, kind, owner, value);
        }
    }
    json_array_foreach(json, index, value)
    {
        check_ids(report, kind, owner, value);
    }
}

void
report_record(struct aws_report *report, const struct kind *kind, const json_t *record)
{
    const struct object *object =
        store_get(network_store(report->net), kind, kind_id(kind, json_str(record, kind->id_member)));
    count(report->counts, kind->name, 1);
    if (strcmp(object->account, AWS_OWNER) != 0) { /* no account to work in */
        count(report->accounts, object->account, 1);
    }
    count(report->regions, object->region, 1);
    struct member_search search = { report, kind, object, NULL };
    fields_unknown(kind->fields, record, unknown_member, &search);
    json_decref(search.described);
    check_ids(report, kind, object->id, record);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* The names of a count, the most frequent first; of equals the first seen. */
static json_t *
names_by_count(json_t *counts)
{
    json_t *names = json_array();
    json_t *left = json_copy(counts);
    while (json_object_size(left) > 0) {
        const char *key, *best = NULL;
        json_t *value;
        json_object_foreach(left, key, value)
        {
            if (!best || json_integer_value(value) > json_int(left, best, 0)) {
                best = key;
            }
        }
        json_array_append_new(names, json_string(best));
        json_object_del(left, best);
    }
    json_decref(left);
    return names;
}

static void
write_warnings(const struct aws_report *report, json_t *out)
{
    json_t *warnings = json_copy(report->warnings), *missing;
    const char *key;
    json_object_foreach(report->missing, key, missing)
    {
        const char *member = strrchr(key, ' ') + 1; /* "network-acl SubnetId" */
        long long n = json_int(missing, "Count", 0);
        json_t *more = n > 1 ? json_sprintf(" (%lld such in all)", n) : json_string("");
        json_array_append_new(warnings, json_sprintf("%.*s `%s` names the %s `%s` in %s, which is not in the import%s",
                                                     (int)(member - 1 - key), key, json_str(missing, "In"),
                                                     json_str(missing, "Wanted"), json_str(missing, "Id"), member,
                                                     json_string_value(more)));
        json_decref(more);
    }
    json_object_set_new(out, "Warnings", warnings);
}

void
report_write(const struct aws_report *report, json_t *out)
{
    const char *name, *member;
    json_t *value, *n;
    json_object_set_new(out, "Accounts", names_by_count(report->accounts));
    json_object_set_new(out, "Regions", names_by_count(report->regions));
    json_t *imported = json_array(), *skipped = json_array(), *members = json_array();
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        if ((n = json_object_get(report->counts, (*kind)->name))) {
            json_array_append_new(imported, json_pack("{s:s, s:O}", "Type", (*kind)->name, "Count", n));
        }
        json_object_foreach(json_object_get(report->members, (*kind)->name), member, n)
        {
            json_array_append_new(members,
                                  json_pack("{s:s, s:s, s:O, s:O}", "Type", (*kind)->name, "Member", member, "Count",
                                            json_object_get(n, "Count"), "Ids", json_object_get(n, "Ids")));
        }
    }
    json_object_foreach(report->lists, name, value)
    {
        json_t *list = json_pack("{s:s}", "List", name);
        json_object_update(list, value);
        json_array_append_new(skipped, list);
    }
    json_object_set_new(out, "Imported", imported);
    json_object_set_new(out, "Merged", json_integer((json_int_t)report->merged));
    json_object_set_new(out, "Skipped", skipped);
    json_object_set(out, "SkippedFiles", report->files);
    json_object_set_new(out, "SkippedMembers", members);
    write_warnings(report, out);
}

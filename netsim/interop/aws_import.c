#include "netsim/interop/aws_import.h"

#include <ctype.h>
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/json_loc.h"
#include "netsim/interop/aws_parts.h"
#include "netsim/interop/aws_report.h"
#include "netsim/interop/aws_shared.h"
#include "netsim/interop/aws_spelling.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"

/* One file: what stands in it and whose it is. */
struct dump {
    char *path;       /* as opened */
    const char *name; /* below the directory asked for: in messages */
    json_t *json;
    char account[16], region[24]; /* "" where no folder says so */
    bool account_given;           /* by a folder: then it counts more than OwnerId */
    char *folder;                 /* files of one folder belong to one account and region */
};

/* One object as a file shows it. */
struct record {
    json_t *json; /* owned */
    const struct dump *dump;
    char *path; /* in the file: "Reservations[0].Instances[2]" */
    size_t members;
    bool owners_copy; /* from the folder of the account that owns it */
    bool whole;       /* not only parts that calls about this one object told */
    bool listed;      /* in the kind's own list */
};
struct record_list {
    const struct kind *kind;
    VEC(struct record) records;
    struct map by_id; /* id -> index + 1 */
};

/* What get-managed-prefix-list-entries printed: which list it is of stands in the name of the file only. */
struct entries {
    const struct dump *dump;
    char id[ID_SIZE];
};

struct importer {
    struct network *net;
    const char *dir;
    VEC(struct dump *) dumps;
    size_t n_useless;              /* .json files that are no dumps: empty, or not an object */
    VEC(struct record_list) lists; /* as network_kinds */
    VEC(struct entries) entries;
    aws_sightings sightings;
    struct aws_report report;
    struct err *err;
};

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* "us-east-1", "us-gov-west-1" */
static bool
is_region(const char *name, size_t size)
{
    size_t dashes = 0;
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '-') {
            dashes++;
        } else if (!islower((unsigned char)name[i]) && !(i + 1 == size && isdigit((unsigned char)name[i]))) {
            return false;
        }
    }
    return size >= 8 && size < 24 && dashes >= 2 && isdigit((unsigned char)name[size - 1]) && name[size - 2] == '-';
}

static bool
is_number(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!isdigit((unsigned char)name[i])) {
            return false;
        }
    }
    return size > 0 && size < 16;
}

/* Reads account and region off the folders of "accounts/111/us-west-1/Vpcs.json". */
static void
read_folders(struct dump *dump)
{
    const char *name = dump->name, *slash;
    bool after_accounts = false;
    for (; (slash = strchr(name, '/')); name = slash + 1) {
        size_t size = (size_t)(slash - name);
        if (is_number(name, size) && (after_accounts || size == 12)) {
            snprintf(dump->account, sizeof dump->account, "%.*s", (int)size, name);
            dump->account_given = true;
        } else if (is_region(name, size)) {
            snprintf(dump->region, sizeof dump->region, "%.*s", (int)size, name);
        }
        after_accounts = size == 8 && memcmp(name, "accounts", 8) == 0;
    }
    dump->folder = xstrndup(dump->name, (size_t)(name - dump->name));
}

static bool
add_file(struct importer *im, const char *path, bool empty)
{
    const char *name = path + strlen(im->dir);
    while (*name == '/') {
        name++;
    }
    size_t length = strlen(name);
    if (length < 5 || strcmp(name + length - 5, ".json") != 0) {
        report_skipped_file(&im->report, name, "not named .json");
        return true;
    }
    if (empty) {
        im->n_useless++;
        report_skipped_file(&im->report, name, "empty: the command that should have filled it failed");
        return true;
    }
    json_t *json = json_read_file(path, im->err);
    if (!json) {
        return false;
    }
    if (!json_is_object(json)) {
        im->n_useless++;
        report_skipped_file(&im->report, name,
                            json_is_array(json) ? "a list without its name, as `aws --query` prints it"
                                                : "no object with lists, as describe-* prints");
        json_decref(json);
        return true;
    }
    struct dump *dump = xcalloc(1, sizeof *dump);
    *VEC_ADD(&im->dumps) = dump;
    dump->path = xstrdup(path);
    dump->name = dump->path + (name - path);
    dump->json = json;
    read_folders(dump);
    return true;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool
fail_path(struct importer *im, const char *path, int error)
{
    err_set(im->err, ERR_MACHINE, "", "cannot read: %s", strerror(error));
    return err_at(im->err, path, 0, 0);
}

/* Follows symbolic links but not in circles; hidden files are an editor's or git's. */
static bool
read_files(struct importer *im)
{
    char *dir = xstrdup(im->dir);
    FTS *walk = fts_open((char *const[]){ dir, NULL }, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    bool ok = walk || fail_path(im, im->dir, errno);
    for (FTSENT *entry; ok && (errno = 0, entry = fts_read(walk));) {
        bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
        if (entry->fts_info == FTS_D && hidden) {
            fts_set(walk, entry, FTS_SKIP);
        } else if (entry->fts_info == FTS_F && entry->fts_level == 0) {
            err_set(im->err, ERR_MACHINE, "", "not a directory");
            err_hint(im->err, "name the directory that holds the describe-* files");
            ok = err_at(im->err, im->dir, 0, 0);
        } else if (entry->fts_info == FTS_F && !hidden) {
            ok = add_file(im, entry->fts_path, entry->fts_statp->st_size == 0);
        } else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
            ok = fail_path(im, entry->fts_path, entry->fts_errno);
        }
    }
    if (walk) {
        fts_close(walk);
    }
    free(dir);
    return ok;
}

/* ---- whose they are ---------------------------------------------------------------------------------------------- */

/* A name and how often it was seen. */
struct vote {
    char name[24];
    size_t n;
};
typedef VEC(struct vote) votes;

static void
vote_for(votes *all, const char *name, size_t size)
{
    for (size_t i = 0; i < all->n; i++) {
        if (strlen(all->items[i].name) == size && memcmp(all->items[i].name, name, size) == 0) {
            all->items[i].n++;
            return;
        }
    }
    if (size > 0 && size < sizeof all->items->name) {
        struct vote *vote = VEC_ADD(all);
        memcpy(vote->name, name, size);
        vote->n = 1;
    }
}

static void
elect(votes *all, char *out, size_t size)
{
    const struct vote *best = NULL;
    for (size_t i = 0; i < all->n; i++) {
        if (!best || all->items[i].n > best->n) {
            best = &all->items[i];
        }
    }
    if (!out[0] && best && strlen(best->name) < size) {
        strcpy(out, best->name);
    }
    VEC_DONE(all);
}

/* Counts OwnerIds and the regions of zones among the records of a list. */
static void
canvass(const json_t *list, votes *accounts, votes *regions)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *owner = json_str(item, "OwnerId"), *zone = json_str(item, "AvailabilityZone");
        zone = zone ? zone : json_string_value(json_at(item, "Placement.AvailabilityZone"));
        if (owner && is_number(owner, strlen(owner))) {
            vote_for(accounts, owner, strlen(owner));
        }
        if (zone && strlen(zone) > 1 && is_region(zone, strlen(zone) - 1)) {
            vote_for(regions, zone, strlen(zone) - 1);
        }
        canvass(json_object_get(item, "Instances"), accounts, regions);
    }
}

static void
settle_owners(struct importer *im)
{
    for (size_t i = 0; i < im->dumps.n; i++) {
        struct dump *dump = im->dumps.items[i];
        if (i > 0 && strcmp(im->dumps.items[i - 1]->folder, dump->folder) == 0) {
            memcpy(dump->account, im->dumps.items[i - 1]->account, sizeof dump->account);
            memcpy(dump->region, im->dumps.items[i - 1]->region, sizeof dump->region);
            continue;
        }
        votes accounts = { 0 }, regions = { 0 };
        for (size_t k = 0; k < im->dumps.n; k++) {
            const char *key;
            json_t *list;
            bool same = strcmp(im->dumps.items[k]->folder, dump->folder) == 0;
            json_object_foreach(same ? im->dumps.items[k]->json : NULL, key, list)
            {
                canvass(list, &accounts, &regions);
            }
        }
        elect(&accounts, dump->account, sizeof dump->account);
        elect(&regions, dump->region, sizeof dump->region);
        if (!dump->account[0]) {
            snprintf(dump->account, sizeof dump->account, "%s", network_account(im->net));
        }
        if (!dump->region[0]) {
            snprintf(dump->region, sizeof dump->region, "%s", network_region(im->net));
        }
    }
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static size_t
count_members(const json_t *json)
{
    size_t n = 0, index;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value)
    {
        n += json_is_null(value) ? 0 : 1 + count_members(value);
    }
    json_array_foreach(json, index, value)
    {
        n += 1 + count_members(value);
    }
    return n;
}

static void
record_done(struct record *record)
{
    json_decref(record->json);
    free(record->path);
}

/* Both transit gateways of a peering list the attachment, under one id and each with the association of its own side.
 */
static void
keep_peers_association(json_t *first, const json_t *second)
{
    const char *type = json_str(second, "ResourceType"), *tgw = json_str(first, "TransitGatewayId"),
               *other = json_str(second, "TransitGatewayId");
    json_t *association = json_object_get(second, "Association");
    if (type && strcmp(type, "peering") == 0 && tgw && other && strcmp(tgw, other) != 0 && association &&
        !json_object_get(first, "PeerAssociation")) {
        json_object_set(first, "PeerAssociation", association);
    }
}

/* The richer of two records of one object; on equal terms the first.  It gains the members that only the other has. */
static void
merge_records(struct record *first, struct record *second)
{
    if (second->members > first->members ||
        (second->members == first->members && second->owners_copy && !first->owners_copy)) {
        struct record swap = *first;
        *first = *second;
        *second = swap;
    }
    keep_peers_association(first->json, second->json);
    const char *key;
    json_t *value;
    json_object_foreach(second->json, key, value)
    {
        bool theirs = strcmp(key, "Association") == 0 && json_object_get(first->json, "PeerAssociation");
        if (!json_object_get(first->json, key) && !theirs) {
            json_object_set(first->json, key, value);
        }
    }
    if (second->owners_copy && !first->owners_copy) { /* the owner stays the owner, whoever's copy says more */
        json_object_set(first->json, "OwnerId", json_object_get(second->json, "OwnerId"));
        json_object_set(first->json, "Region", json_object_get(second->json, "Region"));
        first->owners_copy = true;
    }
    first->whole = first->whole || second->whole;
    first->listed = first->listed || second->listed;
    record_done(second);
}

/* Two in what is taken for one account and region: no folder tells whose they are. */
static bool
is_namesake(const struct kind *kind, const json_t *first, const json_t *second)
{
    const char *name = json_str(first, "DNSName"), *other = json_str(second, "DNSName");
    return kind == &classic_balancer_kind && name && other && strcmp(name, other) != 0;
}

/* The name of a Classic Load Balancer is its own in one account and region only: a namesake elsewhere is another. */
static void
tell_apart(const struct network *net, const struct record_list *list, json_t *record)
{
    size_t known = (size_t)(uintptr_t)map_get(&list->by_id, json_str(record, list->kind->id_member));
    const json_t *first = known ? list->records.items[known - 1].json : NULL;
    const char *name = json_str(record, list->kind->id_member), *account = json_str(record, "OwnerId"),
               *region = json_str(record, "Region");
    const struct object *there = store_get(network_store(net), list->kind, name);
    bool same = first
                    ? strcmp(json_str(first, "OwnerId"), account) == 0 && strcmp(json_str(first, "Region"), region) == 0
                    : !there || (strcmp(there->account, account) == 0 && strcmp(there->region, region) == 0);
    char id[ID_SIZE];
    classic_balancer_id(name, account, region, !same, id);
    json_object_set_new(record, list->kind->id_member, json_string(id));
}

static bool fail_record(struct importer *im, const struct dump *dump, const char *path, const struct err *cause);

static bool
add_record(struct importer *im, struct record_list *list, const struct dump *dump, const json_t *json, char *path,
           const struct aws_part *part)
{
    const struct kind *kind = list->kind;
    struct err cause = { 0 };
    const char *id = kind_id(kind, json_str(json, kind->id_member));
    if (!json_is_object(json) || !id || !id[0] || strlen(id) >= ID_SIZE) {
        err_set(&cause, ERR_DOCUMENT, "",
                !json_is_object(json) ? "expected an object" : "a %s needs an id in `%s` (at most %d characters)",
                kind->name, kind->id_member, ID_SIZE - 1);
        fail_record(im, dump, path, &cause);
        free(path);
        return false;
    }
    const char *owner = json_str(json, "OwnerId");
    struct record record = {
        json_copy((json_t *)json), dump, path, count_members(json), owner && strcmp(owner, dump->account) == 0,
        !part || part->whole,      !part
    };
    bool of_aws = owner && strcmp(owner, AWS_OWNER) == 0;
    bool stands = of_aws || (part && part->keeps_owner && owner && is_number(owner, strlen(owner)));
    if (!stands && (dump->account_given || !owner || !is_number(owner, strlen(owner)))) {
        json_object_set_new(record.json, "OwnerId", json_string(dump->account));
    }
    json_object_set_new(record.json, "Region", json_string(dump->region));
    aws_sighted(&im->sightings, kind, id, dump->account);
    if (kind == &classic_balancer_kind) {
        tell_apart(im->net, list, record.json);
        id = json_str(record.json, kind->id_member);
    }
    size_t known = (size_t)(uintptr_t)map_get(&list->by_id, id);
    if (known > 0 && is_namesake(kind, list->records.items[known - 1].json, record.json)) {
        report_warning(&im->report,
                       "%s: another %s is called `%s` already, in %s: an account has one of a name in a region, this "
                       "one is left out; folders ACCOUNT/REGION/ tell them apart",
                       dump->name, kind->name, id, list->records.items[known - 1].dump->name);
        record_done(&record);
        return true;
    }
    if (known > 0) {
        im->report.merged += record.listed && list->records.items[known - 1].listed;
        merge_records(&list->records.items[known - 1], &record);
        return true;
    }
    if (store_get(network_store(im->net), kind, id)) {
        err_set(&cause, ERR_INPUT, "ResourceAlreadyExists", "the lab has the %s `%s` already", kind->name, id);
        err_hint(&cause, "`--replace` starts from an empty network; `--lab NAME` uses another lab");
        fail_record(im, dump, path, &cause);
        record_done(&record);
        return false;
    }
    *VEC_ADD(&list->records) = record;
    map_put(&list->by_id, id, (void *)(uintptr_t)list->records.n);
    return true;
}

/* AWS hands instances out inside reservations. */
static bool
add_reservation(struct importer *im, struct record_list *list, const struct dump *dump, const json_t *reservation,
                size_t index)
{
    json_t *one = json_array(), *flat;
    json_array_append(one, (json_t *)reservation);
    flat = instances_from_reservations(one);
    bool ok = true;
    for (size_t i = 0; i < json_array_size(flat) && ok; i++) {
        ok = add_record(im, list, dump, json_array_get(flat, i),
                        xasprintf("Reservations[%zu].Instances[%zu]", index, i), NULL);
    }
    json_decref(flat);
    json_decref(one);
    return ok;
}

static struct record_list *
list_by_name(struct importer *im, const char *name, bool *reservations, const struct aws_part **part)
{
    *reservations = strcmp(name, "Reservations") == 0;
    *part = aws_part_of(name);
    for (size_t i = 0; i < im->lists.n; i++) {
        const struct kind *kind = im->lists.items[i].kind;
        if (*reservations ? kind == &instance_kind : *part ? kind == (*part)->kind : strcmp(kind->list, name) == 0) {
            return &im->lists.items[i];
        }
    }
    return NULL;
}

/* "pl-0123456789abcdef0.json", "entries-pl-0123.json": the id of a prefix list in the name of a file. */
static bool
prefix_list_of_file(const char *name, char id[static ID_SIZE])
{
    const char *slash = strrchr(name, '/'), *at = strstr(slash ? slash + 1 : name, "pl-");
    size_t length = 3;
    while (at && isalnum((unsigned char)at[length])) {
        length++;
    }
    snprintf(id, ID_SIZE, "%.*s", at ? (int)length : 0, at ? at : "");
    return at && length > 3;
}

/* AWS prints it without a list and names it by the account and region it is of. */
static bool
add_single(struct importer *im, struct record_list *list, const struct dump *dump, const char *name,
           const json_t *value)
{
    json_t *item = json_copy((json_t *)value);
    const char *account = json_str(item, "AwsAccountId"), *region = json_str(item, "AwsRegion");
    account = account ? account : dump->account[0] ? dump->account : network_account(im->net);
    region = region ? region : dump->region[0] ? dump->region : network_region(im->net);
    json_object_set_new(item, list->kind->id_member, json_sprintf("%s/%s", account, region));
    json_object_set_new(item, "OwnerId", json_string(account));
    json_object_set_new(item, "Region", json_string(region));
    json_object_del(item, "AwsAccountId");
    json_object_del(item, "AwsRegion");
    im->report.known_lists++;
    bool ok = add_record(im, list, dump, item, xstrdup(name), NULL);
    json_decref(item);
    return ok;
}

static bool
collect_list(struct importer *im, const struct dump *dump, const char *name, const json_t *value)
{
    bool reservations;
    const struct aws_part *part;
    struct record_list *list = list_by_name(im, name, &reservations, &part);
    char id[ID_SIZE];
    if (!list && strcmp(name, "Entries") == 0 && prefix_list_of_file(dump->name, id)) {
        struct entries *entries = VEC_ADD(&im->entries);
        entries->dump = dump;
        memcpy(entries->id, id, sizeof id);
        return true;
    }
    if (!list) {
        report_skipped_list(&im->report, dump->name, name, value);
        return true;
    }
    if (list->kind->single && json_is_object(value)) {
        return add_single(im, list, dump, name, value);
    }
    if (json_is_null(value)) { /* as SDKs print an empty list */
        im->report.known_lists++;
        return true;
    }
    if (!json_is_array(value)) {
        struct err cause = { 0 };
        err_set(&cause, ERR_DOCUMENT, "", "expected a list of %s objects", list->kind->name);
        return fail_record(im, dump, name, &cause);
    }
    im->report.known_lists++;
    bool ok = true;
    json_t *gathered = part ? aws_part_gather(part, value, dump->account) : json_incref((json_t *)value);
    if (part && part->keeps_owner) { /* what the lab has anyway */
        im->report.merged += json_array_size(value) - json_array_size(gathered);
    }
    for (size_t i = 0; i < json_array_size(gathered) && ok; i++) {
        const json_t *item = json_array_get(gathered, i);
        ok = reservations && json_is_object(item)
                 ? add_reservation(im, list, dump, item, i)
                 : add_record(im, list, dump, item, xasprintf("%s[%zu]", name, i), part);
        if (json_is_true(json_object_get(item, "AdditionalRoutesAvailable"))) {
            report_warning(&im->report, "%s holds not all routes of `%s`: AWS had more (AdditionalRoutesAvailable)",
                           dump->name, json_str(item, list->kind->id_member));
        }
    }
    json_decref(gathered);
    return ok;
}

/* Parts of objects that no list tells are no objects. */
static void
drop_parts(struct importer *im, struct record_list *list)
{
    size_t kept = 0;
    map_done(&list->by_id);
    for (size_t i = 0; i < list->records.n; i++) {
        struct record *record = &list->records.items[i];
        const char *id = kind_id(list->kind, json_str(record->json, list->kind->id_member));
        if (record->whole) {
            list->records.items[kept++] = *record;
            map_put(&list->by_id, id, (void *)(uintptr_t)kept);
        } else {
            report_warning(&im->report, "%s tells of the %s `%s`, which is not in the import", record->dump->name,
                           list->kind->name, id);
            record_done(record);
        }
    }
    list->records.n = kept;
}

static void
spell(struct importer *im)
{
    json_t **files = xcalloc(im->dumps.n + 1, sizeof *files);
    const char **names = xcalloc(im->dumps.n + 1, sizeof *names);
    for (size_t i = 0; i < im->dumps.n; i++) {
        files[i] = im->dumps.items[i]->json;
        names[i] = im->dumps.items[i]->name;
    }
    aws_spell(files, names, im->dumps.n);
    free(files);
    free(names);
}

static bool
collect(struct importer *im)
{
    spell(im);
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        VEC_ADD(&im->lists)->kind = *kind;
    }
    for (size_t i = 0; i < im->dumps.n; i++) {
        const struct dump *dump = im->dumps.items[i];
        const char *name;
        json_t *value;
        json_object_foreach(dump->json, name, value)
        {
            if (!collect_list(im, dump, name, value)) {
                return false;
            }
        }
    }
    for (size_t i = 0; i < im->lists.n; i++) {
        drop_parts(im, &im->lists.items[i]);
    }
    return true;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

/* Reports 'cause' at the place of 'path' in the file; the file is read again, as this happens once. */
static bool
fail_record(struct importer *im, const struct dump *dump, const char *path, const struct err *cause)
{
    struct buf text = { 0 };
    int line = 0, column = 0;
    if (buf_read_file(&text, dump->path, JSON_FILE_LIMIT, NULL)) {
        struct json_loc *loc = json_loc_new(buf_str(&text), text.size);
        char *prefix = xstrdup(path);
        while (loc) { /* the whole path, or as much of it as there is */
            json_node node = json_loc_path(loc, prefix);
            if (node != JSON_NO_NODE) {
                struct json_place place = json_loc_place(loc, json_loc_span(loc, node).start);
                line = place.line;
                column = place.column;
                break;
            }
            char *dot = strrchr(prefix, '.');
            *(dot ? dot : prefix) = '\0';
        }
        free(prefix);
        json_loc_free(loc);
    }
    buf_done(&text);
    err_set(im->err, cause->kind, cause->code, "%s: %s", path, cause->text);
    if (cause->hint[0]) {
        err_hint(im->err, "%s", cause->hint);
    }
    return err_at(im->err, dump->path, line, column);
}

/* Which record an error is about: "Vpcs[17].CidrBlock" by index, "Vpcs sg-1.IpPermissions[0]" by id. */
static bool
fail_list(struct importer *im, const struct record_list *list, const struct err *cause)
{
    const char *rest = cause->where + strcspn(cause->where, "[ ");
    size_t index = list->records.n;
    if (*rest == '[') {
        char *end;
        index = strtoul(rest + 1, &end, 10);
        rest = *end == ']' ? end + 1 : end;
    } else if (*rest == ' ') {
        char id[sizeof cause->where];
        snprintf(id, sizeof id, "%.*s", (int)strcspn(rest + 1, "."), rest + 1);
        index = (size_t)(uintptr_t)map_get(&list->by_id, id) - 1;
        rest += 1 + strlen(id);
    }
    if (index >= list->records.n) {
        err_set(im->err, cause->kind, cause->code, "%s", cause->text);
        return err_at(im->err, cause->where[0] ? cause->where : list->kind->list, 0, 0);
    }
    const struct record *record = &list->records.items[index];
    char *path = xasprintf("%s%s", record->path, rest);
    fail_record(im, record->dump, path, cause);
    free(path);
    return false;
}

static bool
load(struct importer *im)
{
    for (size_t i = 0; i < im->lists.n; i++) {
        const struct record_list *list = &im->lists.items[i];
        json_t *array = json_array();
        for (size_t k = 0; k < list->records.n; k++) {
            json_array_append(array, list->records.items[k].json);
        }
        struct err cause = { 0 };
        bool ok = network_load_kind(im->net, list->kind, array, list->kind->list, NULL, &cause);
        json_decref(array);
        if (!ok) {
            if (cause.kind == ERR_INPUT) {
                cause.kind = ERR_DOCUMENT; /* the document is wrong, not the request */
            }
            return fail_list(im, list, &cause);
        }
    }
    return true;
}

/* describe-managed-prefix-lists tells everything but what is in a list. */
static bool
load_entries(struct importer *im)
{
    struct store *store = network_store(im->net);
    for (size_t i = 0; i < im->entries.n; i++) {
        const struct entries *entries = &im->entries.items[i];
        struct prefix_list *list = store_get(store, &prefix_list_kind, entries->id);
        struct err cause = { 0 };
        if (!list) {
            report_warning(&im->report, "%s holds entries of `%s`, which is not in the import", entries->dump->name,
                           entries->id);
        } else if (!fields_load(prefix_list_kind.fields, list, entries->dump->json, NULL, NULL, &cause)) {
            return fail_record(im, entries->dump, cause.where, &cause);
        } else {
            prefix_list_kind.loaded(store, list);
        }
    }
    const struct record_list *lists = NULL;
    for (size_t i = 0; i < im->lists.n; i++) {
        lists = im->lists.items[i].kind == &prefix_list_kind ? &im->lists.items[i] : lists;
    }
    for (size_t i = 0; i < lists->records.n; i++) {
        const json_t *json = lists->records.items[i].json;
        const char *id = json_str(json, "PrefixListId");
        const struct prefix_list *list = store_get(store, &prefix_list_kind, id);
        if (list->entries.n == 0 && !json_object_get(json, "Entries") && !json_object_get(json, "Cidrs")) {
            report_warning(&im->report,
                           "prefix-list `%s` came without entries: add `aws ec2 get-managed-prefix-list-entries "
                           "--prefix-list-id %s > %s.json`",
                           id, id, id);
        }
    }
    return true;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void
importer_done(struct importer *im)
{
    for (size_t i = 0; i < im->lists.n; i++) {
        struct record_list *list = &im->lists.items[i];
        for (size_t k = 0; k < list->records.n; k++) {
            record_done(&list->records.items[k]);
        }
        VEC_DONE(&list->records);
        map_done(&list->by_id);
    }
    VEC_DONE(&im->lists);
    VEC_DONE(&im->entries);
    VEC_DONE(&im->sightings);
    for (size_t i = 0; i < im->dumps.n; i++) {
        struct dump *dump = im->dumps.items[i];
        json_decref(dump->json);
        free(dump->path);
        free(dump->folder);
        free(dump);
    }
    VEC_DONE(&im->dumps);
    report_done(&im->report);
}

static bool
fail_empty(struct importer *im)
{
    size_t n = im->dumps.n + im->n_useless;
    err_set(im->err, ERR_DOCUMENT, "",
            n ? "none of the %zu JSON files below holds a list of network resources" : "there are no JSON files below",
            n);
    err_hint(im->err, "a file holds what the command printed, without --query: `aws ec2 describe-vpcs > Vpcs.json`");
    return err_at(im->err, im->dir, 0, 0);
}

bool
aws_import(struct network *net, const char *dir, json_t *report, struct err *err)
{
    struct importer im = { .net = net, .dir = dir, .err = err };
    report_init(&im.report, net);
    bool ok = read_files(&im);
    if (ok) {
        settle_owners(&im);
        ok = collect(&im) && (im.report.known_lists > 0 || fail_empty(&im)) && load(&im) && load_entries(&im);
    }
    for (size_t i = 0; ok && i < im.lists.n; i++) {
        const struct record_list *list = &im.lists.items[i];
        for (size_t k = 0; k < list->records.n; k++) {
            report_record(&im.report, list->kind, list->records.items[k].json);
        }
    }
    if (ok) {
        report_write(&im.report, report);
        aws_shared_write(net, &im.sightings, report);
    }
    importer_done(&im);
    return ok;
}

#include "iampolicy/catalog/catalog.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "iampolicy/catalog/catalog_data.h"

struct iam_catalog {
    struct arena *arena;
    const struct iam_service_info **services; /* by index into catalog_services; NULL until read */
    const struct iam_service_info *globals;
};

static const char *const level_names[] = { "Read", "List", "Write", "Tagging", "Permissions management" };
static const char level_letters[] = "RLWTP";
/* Upper case: many values. */
static const struct {
    char letter;
    enum iam_key_kind kind;
    bool multivalued;
} key_letters[] = {
    { 's', IAM_KEY_STRING, false },  { 'S', IAM_KEY_STRING, true }, { 'a', IAM_KEY_ARN, false },
    { 'A', IAM_KEY_ARN, true },      { 'b', IAM_KEY_BOOL, false },  { 'B', IAM_KEY_BOOL, true },
    { 'n', IAM_KEY_NUMERIC, false }, { 'd', IAM_KEY_DATE, false },  { 'i', IAM_KEY_IP, false },
};

const char *
iam_access_level_name(enum iam_access_level level)
{
    return level_names[level];
}

struct iam_catalog *
iam_catalog_new(void)
{
    struct iam_catalog *catalog = xcalloc(1, sizeof *catalog);
    catalog->arena = arena_new();
    catalog->services = xcalloc(catalog_n_services, sizeof *catalog->services);
    return catalog;
}

void
iam_catalog_free(struct iam_catalog *catalog)
{
    if (catalog) {
        arena_free(catalog->arena);
        free(catalog->services);
        free(catalog);
    }
}

const char *
iam_catalog_version(void)
{
    return catalog_version;
}

size_t
iam_catalog_n_services(void)
{
    return catalog_n_services;
}

const char *
iam_catalog_service_prefix(size_t index)
{
    return index < catalog_n_services ? catalog_services[index].prefix : NULL;
}

/* ---- reading one service's text ------------------------------------------------------------------------------------
 */

/* Cuts the field before 'separator' (or the end) off *text, terminated, in place. */
static char *
cut(char **text, char separator)
{
    char *field = *text, *end = field ? strchr(field, separator) : NULL;
    if (end) {
        *end = '\0';
    }
    *text = end ? end + 1 : NULL;
    return field;
}

static size_t
count(const char *text, char c)
{
    size_t n = *text != '\0';
    for (; *text; text++) {
        n += *text == c;
    }
    return n;
}

static const struct iam_condition_key *const *
read_keys(struct arena *arena, const struct iam_condition_key *keys, char *list, char separator, size_t *n_out)
{
    size_t n = list ? count(list, separator) : 0;
    const struct iam_condition_key **out = arena_alloc(arena, (n + 1) * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        out[i] = &keys[atoi(cut(&list, separator))];
    }
    *n_out = n;
    return out;
}

static void
read_key(struct iam_condition_key *key, char *line)
{
    key->name = cut(&line, '\t');
    for (size_t i = 0; i < ARRAY_SIZE(key_letters); i++) {
        if (key_letters[i].letter == *line) {
            key->kind = key_letters[i].kind;
            key->multivalued = key_letters[i].multivalued;
        }
    }
}

static void
read_action(struct arena *arena, const struct iam_service_info *service, struct iam_action_info *action, char *line)
{
    action->name = cut(&line, '\t');
    action->level = (enum iam_access_level)(strchr(level_letters, *cut(&line, '\t')) - level_letters);
    char *list = cut(&line, '\t');
    size_t n = count(list, ',');
    struct iam_action_resource *resources = arena_alloc(arena, (n + 1) * sizeof *resources);
    for (size_t i = 0; i < n; i++) {
        char *entry = cut(&list, ','), *own = entry;
        entry = cut(&own, ':');
        resources[i].type = &service->resources[atoi(entry)];
        resources[i].required = strchr(entry, '*') != NULL;
        resources[i].keys = read_keys(arena, service->keys, own, '.', &resources[i].n_keys);
    }
    action->resources = resources;
    action->n_resources = n;
    action->keys = read_keys(arena, service->keys, line, ',', &action->n_keys);
}

static const struct iam_service_info *
read_service(struct arena *arena, const struct catalog_text *text)
{
    struct iam_service_info *service = arena_alloc(arena, sizeof *service);
    service->prefix = text->prefix;
    service->name = text->name;
    service->rcp = text->rcp;
    for (const char *p = text->lines; *p; p = strchr(p, '\n') + 1) {
        size_t *n = *p == 'K' ? &service->n_keys : *p == 'R' ? &service->n_resources : &service->n_actions;
        (*n)++;
    }
    struct iam_condition_key *keys = arena_alloc(arena, (service->n_keys + 1) * sizeof *keys);
    struct iam_resource_type *resources = arena_alloc(arena, (service->n_resources + 1) * sizeof *resources);
    struct iam_action_info *actions = arena_alloc(arena, (service->n_actions + 1) * sizeof *actions);
    service->keys = keys;
    service->resources = resources;
    service->actions = actions;
    for (char *rest = arena_strdup(arena, text->lines), *line; rest && *rest;) {
        line = cut(&rest, '\n');
        if (*line == 'K') {
            read_key(keys++, line + 1);
        } else if (*line == 'R') {
            line++;
            resources->name = cut(&line, '\t');
            resources->arn = cut(&line, '\t');
            resources->keys = read_keys(arena, service->keys, line, ',', &resources->n_keys);
            resources++;
        } else {
            read_action(arena, service, actions++, line + 1);
        }
    }
    return service;
}

/* ---- look-ups
 * -------------------------------------------------------------------------------------------------------- */

/* A prefix as the user wrote it, not terminated. */
struct word {
    const char *text;
    size_t size;
};

static int
compare_service(const void *key, const void *row)
{
    const struct word *word = key;
    const char *prefix = ((const struct catalog_text *)row)->prefix;
    int order = strncasecmp(word->text, prefix, word->size);
    return order ? order : prefix[word->size] ? -1 : 0;
}

static const struct iam_service_info *
find_service(struct iam_catalog *catalog, const char *prefix, size_t size)
{
    struct word word = { prefix, size };
    const struct catalog_text *text =
        bsearch(&word, catalog_services, catalog_n_services, sizeof *catalog_services, compare_service);
    if (!text) {
        return NULL;
    }
    size_t index = (size_t)(text - catalog_services);
    if (!catalog->services[index]) {
        catalog->services[index] = read_service(catalog->arena, text);
    }
    return catalog->services[index];
}

const struct iam_service_info *
iam_catalog_service(struct iam_catalog *catalog, const char *prefix)
{
    return find_service(catalog, prefix, strlen(prefix));
}

static int
compare_action(const void *name, const void *row)
{
    return strcasecmp(name, ((const struct iam_action_info *)row)->name);
}

const struct iam_action_info *
iam_catalog_action(struct iam_catalog *catalog, const char *action)
{
    const char *colon = strchr(action, ':');
    const struct iam_service_info *service = colon ? find_service(catalog, action, (size_t)(colon - action)) : NULL;
    return service ? bsearch(colon + 1, service->actions, service->n_actions, sizeof *service->actions, compare_action)
                   : NULL;
}

/* Is 'key' the catalogue's name, or does it fill its last ${...}? */
static bool
key_fits(const char *name, const char *key)
{
    const char *hole = strstr(name, "${");
    if (!hole) {
        return strcasecmp(name, key) == 0;
    }
    size_t size = (size_t)(hole - name);
    return strncasecmp(name, key, size) == 0 && key[size] != '\0';
}

static const struct iam_condition_key *
find_key(const struct iam_service_info *service, const char *key)
{
    for (size_t i = 0; service && i < service->n_keys; i++) {
        if (key_fits(service->keys[i].name, key)) {
            return &service->keys[i];
        }
    }
    return NULL;
}

const struct iam_service_info *
iam_catalog_globals(struct iam_catalog *catalog)
{
    if (!catalog->globals) {
        catalog->globals = read_service(catalog->arena, &catalog_global_keys);
    }
    return catalog->globals;
}

const struct iam_condition_key *
iam_catalog_key(struct iam_catalog *catalog, const char *key)
{
    const struct iam_condition_key *found = find_key(iam_catalog_globals(catalog), key);
    const char *colon = strchr(key, ':');
    if (!found && colon) {
        found = find_key(find_service(catalog, key, (size_t)(colon - key)), key);
    }
    return found;
}

/* Levenshtein distance without regard to case, or 'limit' + 1 when it is more. */
static unsigned
distance(const char *a, size_t na, const char *b, size_t nb, unsigned limit)
{
    unsigned row[128];
    if (nb >= ARRAY_SIZE(row) || (na > nb ? na - nb : nb - na) > limit) {
        return limit + 1;
    }
    for (unsigned j = 0; j <= nb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= na; i++) {
        unsigned diagonal = row[0], best = row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned cost = diagonal + (strncasecmp(a + i - 1, b + j - 1, 1) != 0);
            diagonal = row[j];
            unsigned step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = cost < step ? cost : step;
            best = row[j] < best ? row[j] : best;
        }
        if (best > limit) {
            return limit + 1;
        }
    }
    return row[nb];
}

static unsigned
tolerance(size_t size)
{
    return size < 5 ? 1 : 2;
}

/* The service with this prefix, else the nearest one to it. */
static const struct iam_service_info *
near_service(struct iam_catalog *catalog, const char *prefix, size_t size)
{
    const struct iam_service_info *exact = find_service(catalog, prefix, size);
    size_t best = catalog_n_services;
    unsigned least = tolerance(size) + 1;
    for (size_t i = 0; !exact && i < catalog_n_services; i++) {
        const char *name = catalog_services[i].prefix;
        unsigned d = distance(prefix, size, name, strlen(name), least - 1);
        if (d < least) {
            least = d;
            best = i;
        }
    }
    return exact || best == catalog_n_services ? exact : iam_catalog_service(catalog, catalog_services[best].prefix);
}

const char *
iam_catalog_nearest_action(struct iam_catalog *catalog, const char *action)
{
    const char *colon = strchr(action, ':');
    const struct iam_service_info *service = colon ? near_service(catalog, action, (size_t)(colon - action)) : NULL;
    if (!service) {
        return NULL;
    }
    const char *name = colon + 1, *nearest = NULL;
    unsigned least = tolerance(strlen(name)) + 1;
    for (size_t i = 0; i < service->n_actions; i++) {
        const char *candidate = service->actions[i].name;
        unsigned d = distance(name, strlen(name), candidate, strlen(candidate), least - 1);
        if (d < least) {
            least = d;
            nearest = candidate;
        }
    }
    return nearest ? arena_printf(catalog->arena, "%s:%s", service->prefix, nearest) : NULL;
}

bool
iam_arn_fits(const char *arn, const char *template_arn)
{
    const char *p = template_arn;
    while (*p) {
        if (p[0] != '$' || p[1] != '{') {
            if (*arn++ != *p++) {
                return false;
            }
            continue;
        }
        /* Most holes may hold slashes (paths, log groups), a bucket's name may not, or every object would be a bucket.
         */
        bool bucket = strncmp(p, "${BucketName}", 13) == 0;
        p = strchr(p, '}') + 1;
        if (!*p) {
            return *arn != '\0' && !(bucket && strchr(arn, '/'));
        }
        for (; *arn; arn++) {
            if (*arn == *p && iam_arn_fits(arn, p)) {
                return true;
            }
            if (*arn == ':' || (bucket && *arn == '/')) {
                return false; /* a hole within the ARN stays within its field */
            }
        }
        return false;
    }
    return *arn == '\0';
}

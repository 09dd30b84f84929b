#include "cloud/log_groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/flow_store.h"

void
log_groups_done(log_groups *list)
{
    for (size_t i = 0; i < list->n; i++) {
        for (size_t j = 0; j < list->items[i].log_ids.n; j++) {
            free(list->items[i].log_ids.items[j]);
        }
        VEC_DONE(&list->items[i].log_ids);
    }
    VEC_DONE(list);
}

static int
compare_groups(const void *a, const void *b)
{
    return strcmp(((const struct log_group_found *)a)->name, ((const struct log_group_found *)b)->name);
}

static struct log_group_found *
group_named(log_groups *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].name, name) == 0) {
            return &list->items[i];
        }
    }
    struct log_group_found *group = VEC_ADD(list);
    *group = (struct log_group_found){ 0 };
    snprintf(group->name, sizeof group->name, "%s", name);
    return group;
}

static void
add_to_group(log_groups *list, const struct cloud *cloud, const char *log_id)
{
    struct flow_home home;
    const struct flow_log *log = store_get(network_store(cloud->net), &flow_log_kind, log_id);
    if (!flow_store_home(cloud, log_id, &home) || !home.to_logs || !*home.destination) {
        return;
    }
    struct log_group_found *group = group_named(list, home.destination);
    if (log && (!group->created_ms || log->creation_time < group->created_ms)) {
        group->created_ms = log->creation_time;
    }
    *VEC_ADD(&group->log_ids) = xstrdup(log_id);
}

log_groups
log_groups_find(const struct cloud *cloud)
{
    log_groups list = { 0 };
    struct store *store = network_store(cloud->net);
    char **ids;
    for (const struct log_group *made = store_first(store, &log_group_kind); made; made = store_next(store, made)) {
        struct log_group_found *group = group_named(&list, made->name);
        group->created_ms = made->creation_time;
        group->retention_days = made->retention_days;
    }
    for (const struct flow_log *log = store_first(store, &flow_log_kind); log; log = store_next(store, log)) {
        add_to_group(&list, cloud, log->obj.id);
    }
    size_t n = flow_store_ids(cloud, &ids); /* of logs that were deleted: what was delivered stays */
    for (size_t i = 0; i < n; i++) {
        if (!store_get(store, &flow_log_kind, ids[i])) {
            add_to_group(&list, cloud, ids[i]);
        }
        free(ids[i]);
    }
    free(ids);
    if (list.n > 1) {
        qsort(list.items, list.n, sizeof *list.items, compare_groups);
    }
    return list;
}

char *
log_group_arn(const struct cloud *cloud, const char *name, const char *rest)
{
    return xasprintf("arn:aws:logs:%s:%s:log-group:%s%s", cloud->region, cloud->account, name, rest);
}

struct log_group_found *
log_groups_named(const struct cloud *cloud, const log_groups *list, const char *name_or_arn)
{
    for (size_t i = 0; i < list->n; i++) {
        char *arn = log_group_arn(cloud, list->items[i].name, "");
        size_t size = strlen(arn);
        bool is =
            strcmp(list->items[i].name, name_or_arn) == 0 ||
            (strncmp(name_or_arn, arn, size) == 0 && (!name_or_arn[size] || strcmp(name_or_arn + size, ":*") == 0));
        free(arn);
        if (is) {
            return &list->items[i];
        }
    }
    return NULL;
}

#include "netsim/model/log_group.h"

#include "netsim/model/internal.h"

static const struct field log_group_fields[] = {
    FIELD(struct log_group, "LogGroupId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct log_group, "LogGroupName", FIELD_STRING, name, 0),
    FIELD(struct log_group, "CreationTime", FIELD_TIME, creation_time, 0),
    FIELD_END,
};

const struct kind log_group_kind = {
    .name = "log-group",
    .prefix = "lg",
    .list = "LogGroups",
    .id_member = "LogGroupId",
    .not_found = "ResourceNotFoundException",
    .size = sizeof(struct log_group),
    .fields = log_group_fields,
};

struct log_group *
network_log_group(const struct network *net, const char *name)
{
    for (struct log_group *g = store_first(net->store, &log_group_kind); g; g = store_next(net->store, g)) {
        if (str_is(g->name, name)) {
            return g;
        }
    }
    return NULL;
}

struct log_group *
log_group_create(struct network *net, const char *name, struct err *err)
{
    if (network_log_group(net, name)) {
        err_set(err, ERR_INPUT, "ResourceAlreadyExistsException", "the log group `%.80s` exists already", name);
        return NULL;
    }
    struct log_group *group = network_add(net, &log_group_kind, NULL);
    group->name = xstrdup(name);
    group->creation_time = network_now_ms(net);
    return group;
}

void
log_group_delete(struct network *net, struct log_group *group)
{
    network_remove(net, group);
}

#include "netsim/model/log_group.h"

#include "netsim/model/internal.h"

static const struct field log_group_fields[] = {
    FIELD(struct log_group, "LogGroupId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct log_group, "LogGroupName", FIELD_STRING, name, 0),
    FIELD(struct log_group, "CreationTime", FIELD_TIME, creation_time, 0),
    FIELD(struct log_group, "RetentionInDays", FIELD_INT, retention_days, 0),
    FIELD_LIST(struct log_group, "Tags", obj.tags, tag_fields, 0),
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

bool
log_group_retain(struct log_group *group, int days, struct err *err)
{
    static const int allowed[] = { 0,   1,   3,   5,   7,    14,   30,   60,   90,   120,  150, 180,
                                   365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 };
    struct buf list = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
        if (allowed[i] == days) {
            buf_done(&list);
            group->retention_days = days;
            return true;
        }
        if (allowed[i]) {
            buf_printf(&list, " %d", allowed[i]);
        }
    }
    err_set(err, ERR_INPUT, "InvalidParameterException", "`%d` is no number of days that a log group can retain events",
            days);
    err_hint(err, "one of%s", buf_str(&list));
    buf_done(&list);
    return false;
}

void
log_group_delete(struct network *net, struct log_group *group)
{
    network_remove(net, group);
}

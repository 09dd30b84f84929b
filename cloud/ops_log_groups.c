/* cloud/ops_log_groups.c - log groups of CloudWatch Logs: made, deleted, listed; how long events stay; tags.
 *
 * Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cloud/answer_page.h"
#include "cloud/flow_capture.h"
#include "cloud/flow_store.h"
#include "cloud/log_groups.h"
#include "cloud/op.h"
#include "cloud/ops_ec2.h"

#define TAGS_MAX 50

static bool
fail_no_group(const char *name, struct err *err)
{
    err_set(err, ERR_INPUT, "ResourceNotFoundException", "the log group `%s` does not exist", name);
    return err_hint(err, "a group begins with the flow log that names it: ec2 create-flow-logs --log-group-name; `logs "
                         "describe-log-groups` lists them");
}

/* The group that 'member' names, by name or ARN, with a place for what is set on it: one that only a flow log named has
 * none yet. */
static struct log_group *
require_group(struct op_call *call, const char *member, struct err *err)
{
    const char *name = arg_str(call->in, member);
    log_groups list = log_groups_find(call->cloud);
    const struct log_group_found *found = log_groups_named(call->cloud, &list, name);
    struct log_group *group = found ? network_log_group(call->cloud->net, found->name) : NULL;
    if (!found) {
        fail_no_group(name, err);
        err_at(err, member, 0, 0);
    } else if (!group) {
        group = log_group_create(call->cloud->net, found->name, err);
        group->creation_time = found->created_ms;
    }
    log_groups_done(&list);
    return group;
}

/* ---- tags ---------------------------------------------------------------------------------------------------------
 */
static bool
add_tags(struct log_group *group, const json_t *tags, struct err *err)
{
    const char *key;
    json_t *value;
    size_t n = group->obj.tags.n;
    json_object_foreach((json_t *)tags, key, value)
    {
        n += object_tag(&group->obj, key) == NULL;
        if (strncmp(key, "aws:", 4) == 0) {
            err_set(err, ERR_INPUT, "InvalidParameterException", "the tag key `%s` begins with `aws:`", key);
            return err_hint(err, "that prefix is AWS's own");
        }
    }
    if (n > TAGS_MAX) {
        return err_set(err, ERR_INPUT, "TooManyTagsException", "a log group has at most %d tags, not %zu", TAGS_MAX, n);
    }
    json_object_foreach((json_t *)tags, key, value)
    {
        object_set_tag(&group->obj, key, json_string_value(value));
    }
    return true;
}

static bool
tag(struct op_call *call, const char *member, struct err *err)
{
    struct log_group *group = require_group(call, member, err);
    return group && add_tags(group, json_object_get(call->in, "tags"), err);
}

static bool
untag(struct op_call *call, const char *member, const char *keys, struct err *err)
{
    struct log_group *group = require_group(call, member, err);
    size_t i;
    json_t *key;
    if (!group) {
        return false;
    }
    json_array_foreach(json_object_get(call->in, keys), i, key)
    {
        object_unset_tag(&group->obj, json_string_value(key));
    }
    return true;
}

static bool
list_tags(struct op_call *call, const char *member, struct err *err)
{
    const char *name = arg_str(call->in, member);
    log_groups list = log_groups_find(call->cloud);
    const struct log_group_found *found = log_groups_named(call->cloud, &list, name);
    const struct log_group *group = found ? network_log_group(call->cloud->net, found->name) : NULL;
    json_t *tags = json_object();
    for (size_t i = 0; group && i < group->obj.tags.n; i++) {
        json_object_set_new(tags, group->obj.tags.items[i].key, json_string(group->obj.tags.items[i].value));
    }
    log_groups_done(&list);
    json_object_set_new(call->out, "tags", tags);
    return found || (fail_no_group(name, err), err_at(err, member, 0, 0));
}

static bool
tag_resource(struct op_call *call, struct err *err)
{
    return tag(call, "resourceArn", err);
}

static bool
untag_resource(struct op_call *call, struct err *err)
{
    return untag(call, "resourceArn", "tagKeys", err);
}

static bool
list_tags_for_resource(struct op_call *call, struct err *err)
{
    return list_tags(call, "resourceArn", err);
}

static bool
tag_log_group(struct op_call *call, struct err *err)
{
    return tag(call, "logGroupName", err);
}

static bool
untag_log_group(struct op_call *call, struct err *err)
{
    return untag(call, "logGroupName", "tags", err);
}

static bool
list_tags_log_group(struct op_call *call, struct err *err)
{
    return list_tags(call, "logGroupName", err);
}

/* ---- retention ----------------------------------------------------------------------------------------------------
 */
static bool
put_retention_policy(struct op_call *call, struct err *err)
{
    int days = (int)arg_int(call->in, "retentionInDays", 0);
    struct log_group *group = require_group(call, "logGroupName", err);
    if (!group) {
        return false;
    }
    if (days == 0) {
        err_set(err, ERR_INPUT, "InvalidParameterException", "`0` is no number of days");
        err_hint(err, "`logs delete-retention-policy` keeps events for ever");
        return err_at(err, "retentionInDays", 0, 0);
    }
    return log_group_retain(group, days, err) || err_at(err, "retentionInDays", 0, 0);
}

static bool
delete_retention_policy(struct op_call *call, struct err *err)
{
    struct log_group *group = require_group(call, "logGroupName", err);
    return group && log_group_retain(group, 0, err);
}

/* ---- groups -------------------------------------------------------------------------------------------------------
 */
/* Whether the request asks for this group, by name or ARN; without names it asks for all. */
static bool
is_identified(const struct op_call *call, const log_groups *list, const struct log_group_found *group)
{
    const json_t *names = json_object_get(call->in, "logGroupIdentifiers");
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name)
    {
        if (log_groups_named(call->cloud, list, json_string_value(name)) == group) {
            return true;
        }
    }
    return json_array_size(names) == 0;
}

static int64_t
stored_bytes(const struct cloud *cloud, const struct log_group_found *group)
{
    int64_t sum = 0;
    for (size_t i = 0; i < group->log_ids.n; i++) {
        char *path = flow_logs_path(cloud, group->log_ids.items[i]);
        struct stat about;
        sum += path && stat(path, &about) == 0 ? about.st_size : 0;
        free(path);
    }
    return sum;
}

static bool
describe_log_groups(struct op_call *call, struct err *err)
{
    const char *prefix = arg_str(call->in, "logGroupNamePrefix"), *part = arg_str(call->in, "logGroupNamePattern");
    const char *class = arg_str(call->in, "logGroupClass");
    if (prefix && part) {
        return err_set(err, ERR_INPUT, "InvalidParameterException",
                       "`logGroupNamePrefix` and `logGroupNamePattern` cannot be given together");
    }
    log_groups list = log_groups_find(call->cloud);
    json_t *out = json_array();
    for (size_t i = 0; i < list.n; i++) {
        const struct log_group_found *group = &list.items[i];
        if ((prefix && strncmp(group->name, prefix, strlen(prefix)) != 0) || (part && !strstr(group->name, part)) ||
            (class && strcmp(class, "STANDARD") != 0) || !is_identified(call, &list, group)) {
            continue;
        }
        char *arn = log_group_arn(call->cloud, group->name, ":*"), *plain = log_group_arn(call->cloud, group->name, "");
        json_t *one =
            json_pack("{s:s, s:I, s:i, s:s, s:I, s:s, s:s}", "logGroupName", group->name, "creationTime",
                      (json_int_t)group->created_ms, "metricFilterCount", 0, "arn", arn, "storedBytes",
                      (json_int_t)stored_bytes(call->cloud, group), "logGroupClass", "STANDARD", "logGroupArn", plain);
        if (group->retention_days) {
            json_object_set_new(one, "retentionInDays", json_integer(group->retention_days));
        }
        json_array_append_new(out, one);
        free(arn);
        free(plain);
    }
    log_groups_done(&list);
    return answer_page(call, "logGroups", out, err);
}

static bool
create_log_group(struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "logGroupName");
    const char *class = arg_str(call->in, "logGroupClass");
    if (class && strcmp(class, "STANDARD") != 0) {
        err_set(err, ERR_INPUT, "UnsupportedOperation", "log groups of a lab are of class STANDARD, not `%s`", class);
        return err_at(err, "logGroupClass", 0, 0);
    }
    log_groups list = log_groups_find(call->cloud);
    bool known = log_groups_named(call->cloud, &list, name) != NULL; /* also by a flow log that is delivered there */
    log_groups_done(&list);
    if (known) {
        return err_set(err, ERR_INPUT, "ResourceAlreadyExistsException", "the log group `%s` exists already", name);
    }
    struct log_group *group = log_group_create(call->cloud->net, name, err);
    return group && add_tags(group, json_object_get(call->in, "tags"), err);
}

/* The records go with it.  A flow log that is still delivered there makes it anew. */
static bool
delete_log_group(struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "logGroupName");
    if (call->cloud->flows && !flow_capture_tick(call->cloud, true, err)) {
        return false;
    }
    log_groups list = log_groups_find(call->cloud);
    const struct log_group_found *group = log_groups_named(call->cloud, &list, name);
    bool found = group != NULL;
    for (size_t j = 0; found && j < group->log_ids.n; j++) {
        flow_store_forget(call->cloud, group->log_ids.items[j]);
    }
    log_groups_done(&list);
    struct log_group *made = network_log_group(call->cloud->net, name);
    if (made) {
        log_group_delete(call->cloud->net, made);
    }
    return found || fail_no_group(name, err);
}

#define OP(name_, mode_, run_, help_)                                                                                  \
    {                                                                                                                  \
        .service = "logs", .name = name_, .mode = mode_, .run = run_, .help = help_                                    \
    }
#define OP_ON(name_, mode_, run_, arn_, help_)                                                                         \
    {                                                                                                                  \
        .service = "logs", .name = name_, .mode = mode_, .run = run_, .resources = arn_, .help = help_                 \
    }

const struct op ops_log_groups[] = {
    OP("CreateLogGroup", OP_WRITE, create_log_group, "Make a log group; a flow log that names one makes it by itself."),
    OP("DeleteLogGroup", OP_WRITE, delete_log_group, "Delete a log group with its records."),
    OP("DescribeLogGroups", OP_READ, describe_log_groups, "List the log groups that flow logs are delivered to."),
    OP("PutRetentionPolicy", OP_WRITE, put_retention_policy, "Keep the records of a log group for so many days."),
    OP("DeleteRetentionPolicy", OP_WRITE, delete_retention_policy, "Keep the records of a log group for ever."),
    OP_ON("TagResource", OP_WRITE, tag_resource, "${resourceArn}", "Tag a log group, by its ARN."),
    OP_ON("UntagResource", OP_WRITE, untag_resource, "${resourceArn}", "Take tags off a log group, by its ARN."),
    OP_ON("ListTagsForResource", OP_READ, list_tags_for_resource, "${resourceArn}",
          "Show the tags of a log group, by its ARN."),
    OP("TagLogGroup", OP_WRITE, tag_log_group, "Tag a log group, by its name."),
    OP("UntagLogGroup", OP_WRITE, untag_log_group, "Take tags off a log group, by its name."),
    OP("ListTagsLogGroup", OP_READ, list_tags_log_group, "Show the tags of a log group, by its name."),
    { 0 },
};

/* netsim/model/log_group.h - a log group of CloudWatch Logs that somebody made, before any flow log was delivered there, or gave tags or a retention.
 *
 * A group that a flow log names exists without it (cloud/ops_logs.c).
 * Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
#pragma once
#include "netsim/model/network.h"

struct log_group {
    struct object obj; /* id: of ours; AWS knows groups by their names */
    char *name;
    int64_t creation_time;
    int32_t retention_days; /* 0: for ever */
};
extern const struct kind log_group_kind;

struct log_group *network_log_group(const struct network *net, const char *name); /* NULL if nobody made it */
/* ResourceAlreadyExistsException. */
struct log_group *log_group_create(struct network *net, const char *name, struct err *err);
/* The events of that many days are kept, 0: all.  InvalidParameterException: AWS has a list of numbers.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
bool log_group_retain(struct log_group *group, int days, struct err *err);
void log_group_delete(struct network *net, struct log_group *group);

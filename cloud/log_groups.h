/* cloud/log_groups.h - the log groups of a lab: those that flow logs name as their destination, and those that were made by name.
 *
 * Nothing is stored twice: what is known of a group beside its name is in netsim/model/log_group.h, its events are the lines of the logs' files.
 * Used by: ops_log_groups.c, ops_logs.c */
#pragma once
#include "base/vec.h"
#include "cloud/cloud.h"
#include "netsim/model/log_group.h"

struct log_group_found {
    char name[1024];
    int64_t created_ms;
    int retention_days; /* 0: kept for ever */
    VEC(char *) log_ids; /* flow logs, also of those that were deleted */
};
typedef VEC(struct log_group_found) log_groups;
log_groups log_groups_find(const struct cloud *cloud); /* by name */
void log_groups_done(log_groups *list);

/* Of a name or an ARN, with or without ":*" at its end; NULL: there is none. */
struct log_group_found *log_groups_named(const struct cloud *cloud, const log_groups *list, const char *name_or_arn);
/* "arn:aws:logs:REGION:ACCOUNT:log-group:NAME" and 'rest'; the caller frees it. */
char *log_group_arn(const struct cloud *cloud, const char *name, const char *rest);

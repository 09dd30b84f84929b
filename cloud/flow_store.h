/* cloud/flow_store.h - the files of flow logs in a lab's directory.
 *
 *     DIR/flowlogs/fl-0a1b....log     the format's field names, then one record a line, as AWS delivers them
 *     DIR/flowlogs/fl-0a1b....more    for each record what AWS has no field for: where in the .log it begins, its interface or transit gateway (which names the stream in
 *                                     CloudWatch Logs), when it was written (ms), what refused it, how many packets were lost; `-` for none
 *
 * The .more file begins with where the log's records are delivered: "# cloud-watch-logs GROUP all", "# s3 arn:aws:s3:::bucket reject".
 * A .more file without the line of a record (the keeper was killed between the two) only means that nothing more is known.
 *
 * Uses: netsim/flowlog.   Used by: flow_capture.c (writes), ops_flows.c, ops_logs.c, log_groups.c (read) */
#pragma once
#include "cloud/cloud.h"
#include "netsim/flowlog/flowlog.h"

/* "DIR/flowlogs" and "DIR/flowlogs/FL.log" of a lab; the caller frees it.  NULL for a lab that is never saved. */
char *flow_logs_path(const struct cloud *cloud, const char *flow_log_id);

/* Where a log's records are delivered, as long as anybody knows: also when the log was deleted. */
struct flow_home {
    bool to_s3, to_logs;     /* CloudWatch Logs; neither: a delivery stream, which a lab has not */
    char destination[1024];  /* the log group's name, or the bucket's ARN with a prefix */
    char traffic[8];         /* "all", "accept", "reject": the end of the streams' names; "-" of transit gateways: there is none */
};
void flow_home_of(const struct flow_log *log, struct flow_home *home);
/* False when nobody knows any more. */
bool flow_store_home(const struct cloud *cloud, const char *log_id, struct flow_home *home);

/* ---- writing ---- */
struct flow_batch { /* records of one log that are written together; zeroed it is empty */
    char log_id[ID_SIZE];
    struct flow_home home;
    struct buf header, lines, more;
};
void flow_batch_add(struct flow_batch *batch, const struct flow_record *record, const char *line, int64_t now_ms);
/* Appends the lines in one write, so that a reader never sees half a record unless the disk is full, and empties the batch. */
bool flow_batch_write(const struct cloud *cloud, struct flow_batch *batch, struct err *err);
void flow_batch_done(struct flow_batch *batch);

/* Forgets a log's records, as if none had been written. */
void flow_store_forget(const struct cloud *cloud, const char *log_id);

/* ---- reading ---- */
struct flow_entry {
    const struct flow_record *record; /* 'rule' and 'lost_packets' too */
    const char *line;                 /* without the newline */
    const char *eni_id;               /* "" if nobody knows */
    int64_t written_ms;               /* 0 if nobody knows */
    long offset;                      /* where the line begins in the file */
    uint8_t model;                    /* FLOW_ACCEPT or FLOW_REJECT: what the model says of an imported one; 0: nothing */
    bool stranger;                    /* imported, of an interface that the model does not have */
};
struct flow_reading {
    struct flow_format format;
    bool exists;     /* a log without a file has no records yet */
    long end;        /* where the next record will be */
    size_t damaged;  /* lines that could not be read; the last one when a keeper was killed while it wrote */
};
typedef void flow_visit(void *context, const struct flow_format *format, const struct flow_entry *entry);
/* Every record of the log that begins at 'from' or later.  ERR_DOCUMENT with the place when the first line names no fields. */
bool flow_store_read(const struct cloud *cloud, const char *log_id, long from, flow_visit *visit, void *context, struct flow_reading *reading,
                     struct err *err);
/* Ids of all logs that have a file, also of those that were deleted, sorted; the caller frees each and the list. */
size_t flow_store_ids(const struct cloud *cloud, char ***ids);

/* cloud/flow_import.h - flow log records and captures that were made elsewhere.   Used by: ops_flows.c */
#pragma once
#include "cloud/flow_store.h"

/* Every record of a file: records of a flow log with their first line or without (then in 'format', NULL: the default one), as AWS delivers them to S3, gzip
 * too; the answer of CloudWatch Logs' FilterLogEvents or GetLogEvents that has them as messages; or what the packets of a pcapng or pcap file would be recorded as.  "-" is standard input.  Each entry's 'model' and, where the file does not
 * say, its record's 'rule' are the model's.  'note' gets what was left out, for a person.  ERR_DOCUMENT with line and column. */
bool flow_import(const struct cloud *cloud, const char *path, const char *format, flow_visit *visit, void *context, struct flow_reading *reading,
                 struct buf *note, struct err *err);

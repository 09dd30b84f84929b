/* cloud/flow_s3.h - flow logs delivered to S3: gzip files named as AWS names them.
 *
 *     DIR/flowlogs/s3/BUCKET/PREFIX/AWSLogs/ACCOUNT/vpcflowlogs/REGION/YYYY/MM/DD/ACCOUNT_vpcflowlogs_REGION_FL_YYYYMMDDTHHmmZ_HASH.log.gz
 *
 * If the lab has the bucket, the object is in it as well.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html   Used by: flow_capture.c */
#pragma once
#include "cloud/cloud.h"
#include "cloud/flow_store.h"

/* One object of the batch's records; nothing for a batch that goes elsewhere. */
bool flow_s3_deliver(struct cloud *cloud, const struct flow_batch *batch, struct err *err);

/* cloud/verify_follow.h - some of the packets of `verify` once more, followed hop by hop by the kernel's own traces.
 *
 * Used by: ops_verify.c. */
#pragma once
#include "cloud/verify_inquiry.h"

#define VERIFY_FOLLOWED 12 /* packets, unless told otherwise */

/* Of the questions that are answered at most 'n', first one of each way and end.
 * {"Packets", "Decisions": compared, "Differences": [{"From", "To", "Flow", "SourceIp", "DestinationIp", "Text"}]}; the caller owns it.  NULL on failure. */
json_t *verify_follow(const struct verify_inquiry *inquiry, size_t n, struct err *err);

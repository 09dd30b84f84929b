/* cloud/live_remarks.h - what of the model's balancers, and of what stands behind endpoints, the live lab does not carry: said when the lab goes live.
 *
 * Used by: ops_live.c. */
#pragma once
#include "base/json.h"
#include "netsim/model/network.h"

/* [{"Id", "What"}]: of what, and what happens instead ("TLS: bytes are passed on as they are"); the caller owns it. */
json_t *live_remarks(const struct network *net);

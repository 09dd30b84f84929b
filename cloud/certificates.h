/* cloud/certificates.h - the lab's own certificate authority, made when it is first needed.
 * Uses: netsim/live/authority.h.   Used by: ops_acm.c, ops_live.c */
#pragma once
#include "cloud/cloud.h"
#include "netsim/live/authority.h"

/* Borrowed from the network.  ERR_MACHINE when none can be made. */
bool cloud_authority(struct cloud *cloud, struct pem_pair *out, struct err *err);

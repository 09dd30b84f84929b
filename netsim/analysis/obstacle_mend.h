/* netsim/analysis/obstacle_mend.h - the command that would mend an obstacle, one function a reason; obstacle.c has the rows.
 * Nothing is written when no one command does. */
#pragma once
#include "base/buf.h"
#include "netsim/analysis/walk.h"

/* What sentences, mends and explanations work from: the walk, the hop it ended at, and the packet as it stood there. */
struct obstacle {
    const struct walk *walk;
    const struct network *net;
    const struct hop *hop; /* never NULL; a blank one when nothing was crossed */
    const struct packet *packet;
    const struct eni *eni;
    const struct route_table *table; /* the last one crossed; NULL */
};

/* What has failed in the lab where the walk ended; NULL: nothing. */
struct failure;
const struct failure *obstacle_failure(const struct obstacle *obstacle);

/* A route to the VPC that holds the destination, by what joins the two, or the acceptance of what would.  False: nothing does. */
bool mend_route_to_vpc(const struct obstacle *obstacle, struct buf *out);
/* Commands act in the account and region in force: what is elsewhere needs --as and --region. */
void mend_where_it_is(const struct network *net, struct buf *command);
/* The peering connection that the last route leads to, while it waits to be accepted; NULL: there is none. */
struct peering;
const struct peering *pending_peering(const struct obstacle *obstacle);

typedef void mend_fn(const struct obstacle *obstacle, struct buf *out);
mend_fn mend_groups, mend_acl, mend_no_route, mend_blackhole, mend_dx_no_route, mend_instance_state, mend_failed, mend_source_dest_check, mend_no_igw, mend_public_access, mend_public_ip, mend_nat_loop, mend_nat_unsolicited, mend_pcx_inactive, mend_tgw_no_route, mend_tgw_zone, mend_gateway_attachment;

/* netsim/analysis/tgw_table.h - the longest match in a transit gateway route table: static routes, and what attachments propagate.
 * For one prefix a static route beats a propagated one, of those a VPC beats Direct Connect beats VPN.
 * Source: https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html, "Route evaluation order"
 * Used by: walk_routers.c, batch.c. */
#pragma once
#include "netsim/model/transit_gateway.h"

struct tgw_way {
    bool found, blackhole, is_static;
    struct cidr prefix;
    const char *attachment_id; /* borrowed; NULL for a blackhole */
    const char *prefix_list_id; /* by whose entry it came; NULL: by a route of its own */
};
/* The route that covers the whole of 'destination'. */
struct tgw_way tgw_table_lookup(const struct network *net, const struct tgw_route_table *table, const struct cidr *destination);
/* Has the table any route to the attachment?  'way' is the best one of them that covers 'destination'. */
bool tgw_table_leads_to(const struct network *net, const struct tgw_route_table *table, const struct cidr *destination,
                        const char *attachment_id, struct tgw_way *way);

/* netsim/model/appliance.h - what an instance does with packets that are not for itself: firewalls, routers, NAT instances.
 *
 * AWS lets such packets in and out of an interface whose source/destination check is off; what becomes of them is the instance's
 * software, which no describe call shows.  Here an instance without the check forwards them unchanged, as Linux does with
 * ip_forward on.  The tag `vpclab:appliance` says otherwise: `nat` sends them on under its own address, as a NAT instance
 * does, `none` keeps them.  The live lab sets its instances up accordingly.
 *
 * An appliance has the routes of an Amazon Linux instance: what bears an address of one of its interfaces leaves by that interface, a
 * neighbour of one is reached by that one, everything else by the lowest device.  Of IPv6 it hears from its router in every subnet that has a block of it, also
 * without an address of its own.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html,
 * https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html (middlebox appliances)
 * Used by: analysis/walk_appliance.c, live/plan_appliance.c. */
#pragma once
#include "netsim/model/instance.h"

#define APPLIANCE_TAG "vpclab:appliance"

enum appliance_role {
    APPLIANCE_NONE,      /* keeps what is not its own */
    APPLIANCE_FORWARDS,  /* sends it on as it is */
    APPLIANCE_TRANSLATES /* sends IPv4 on with its own address as the source, and turns the answers back */
};
/* APPLIANCE_NONE unless one of its interfaces has the check off. */
enum appliance_role instance_appliance(const struct network *net, const struct instance *instance);
/* Is there a router for packets of the family in the interface's subnet? */
bool appliance_hears(const struct network *net, const struct eni *eni, int family);
/* The interface by which it sends what 'source' sent to 'destination'; NULL if it has none. */
const struct eni *appliance_exit(const struct network *net, const struct instance *instance, const struct ip *source,
                                 const struct ip *destination);

/* netsim/analysis/walk_places.h - what the files of places share: walk.c (interface, subnet, router), walk_internet.c (internet and NAT
 * gateways), walk_routers.c (what joins VPCs), walk_outside.c (what leads out of AWS), walk_endpoint.c and walk_balancer.c.  Nobody else includes it. */
#pragma once
#include "netsim/analysis/walk.h"
#include "netsim/model/block_public_access.h"

enum place {
    AT_END,
    AT_SENDER,   /* in an interface, about to send: source check, groups */
    AT_EDGE_OUT, /* leaving the interface: a neighbour in the subnet, or out past the network ACL */
    AT_ROUTER,   /* the subnet's route table decides */
    AT_LOCAL,    /* inside the VPC: which interface has the address? */
    AT_EDGE_IN,  /* into the receiver's subnet past the network ACL */
    AT_RECEIVER, /* at an interface: groups, then delivered */
    AT_IGW_OUT,
    AT_INTERNET,
    AT_IGW_IN,
    AT_NAT,       /* a NAT gateway, reached by a route */
    AT_APPLIANCE, /* an interface that a route names as its target */
    AT_PEERING,
    AT_TGW,       /* a transit gateway, reached by a route of a VPC */
    AT_TGW_TABLE, /* inside: the table of the attachment it came in by */
    AT_VGW_OUT,
    AT_EIGW_OUT,
    AT_VPCE, /* a gateway endpoint */
    AT_UNMODELLED,
    N_PLACES,
};

struct hop *walk_cross(struct walk *w, enum hop_kind kind, const struct object *component);
void walk_stop(struct walk *w, enum stop stop);
void walk_arrive(struct walk *w);
void *walk_get(const struct walk *w, const struct kind *kind, const char *id); /* NULL for an empty id too */
bool walk_pass_groups(struct walk *w, bool egress); /* of w->eni; false: stopped */
bool walk_pass_acl(struct walk *w, bool egress);    /* of w->subnet; false: stopped */
/* A table associated with a gateway lets the packet into the VPC; false: it was stopped or led to an appliance. */
bool walk_ingress_routed(struct walk *w, const char *gateway_id);
void walk_outside(struct walk *w); /* beyond what is modelled: it arrives if an address is asked for */
bool walk_is_target(const struct walk *w, const char *gateway_id);
/* walk_outside.c: out by a VPN connection to its customer gateway, or by a Direct Connect gateway; 'way' is how an answer comes back (NULL: by any). */
struct vpn_connection;
bool walk_vpn_is_target(const struct walk *w, const struct vpn_connection *vpn);
void walk_through_vpn(struct walk *w, const struct vpn_connection *vpn, enum stop when_down);
void walk_through_direct_connect(struct walk *w, const char *gateway_id, const struct direct_connect_association *way);
void walk_from_direct_connect(struct walk *w, const char *id);
/* An answer from the customer's side, at the gateway: is its destination announced there?  False: stopped. */
bool walk_dx_returns(struct walk *w, const struct direct_connect_association *way);
/* walk_routers.c: a gateway as the source; the attachment of a resource, to that transit gateway (NULL: to any). */
void walk_enter_by_vgw(struct walk *w, const char *vgw_id);
void walk_enter_by_attachment(struct walk *w, const struct tgw_attachment *attachment, const char *tgw_id);
const struct tgw_attachment *walk_attachment_of(const struct walk *w, const char *resource_id, const char *tgw_id);
void walk_go_on(struct walk *w); /* from w->at until it ends */

/* Into the VPC of w->vpc_id by one of its gateways. */
void walk_enter_vpc(struct walk *w, const char *gateway_id);
/* Into the transit gateway by an attachment. */
void walk_enter_tgw(struct walk *w, const char *tgw_id, const struct tgw_attachment *attachment);

bool igw_attached_to(const struct internet_gateway *igw, const char *vpc_id);
/* An interface of a balancer got the packet; an answer leaves a target: does it go back through the balancer (true: it did)? */
struct load_balancer;
struct private_service;
struct classic_balancer;
void balancer_receives(struct walk *w, const struct load_balancer *lb);
void classic_receives(struct walk *w, const struct classic_balancer *lb);
bool balancer_takes_answer(struct walk *w);
/* w->eni is about to send: what only a Gateway Load Balancer must keep to; false: stopped. */
bool balancer_sends(struct walk *w);
/* From an interface of an endpoint (w->eni) to the service's balancers and on; false: none of them is in the model. */
bool service_receives(struct walk *w, const struct private_service *service);
void nat_receives(struct walk *w, const struct nat_gateway *nat); /* a packet addressed to its interface */
void place_igw_out(struct walk *w);
void place_internet(struct walk *w);
void place_igw_in(struct walk *w);
void place_nat(struct walk *w);
void place_peering(struct walk *w);
void place_tgw(struct walk *w);
void place_tgw_table(struct walk *w);
void place_vgw_out(struct walk *w);
void place_eigw_out(struct walk *w);
bool eigw_takes_answer(struct walk *w); /* outside: to what an egress-only gateway let out; false: it opened nothing */
void place_vpce(struct walk *w);
/* VPC Block Public Access; 'eni' has the address that the gateway sees.  True: stopped there. */
bool walk_public_access_stops(struct walk *w, const struct eni *eni, enum bpa_way way);
/* walk_appliance.c: an interface that a route leads to; an answer to an address that the appliance lent (true: turned back, to be sent
 * on); out again by the interface that leads to the destination. */
void place_appliance(struct walk *w);
bool appliance_turns_back(struct walk *w);
void appliance_sends_on(struct walk *w, bool turned_back);
/* It comes out of a middlebox: the groups of who sent it are not known any more. */
void walk_through_middlebox(struct walk *w);
/* The packet leaves or has reached w->eni, past its groups; false: it is an endpoint's, which stopped it. */
bool endpoint_sends(struct walk *w);
bool endpoint_receives(struct walk *w);
void walk_from_endpoint(struct walk *w, const char *id);
void endpoint_answers(struct walk *w, const char *id); /* an answer comes back by the endpoint a packet ended at */

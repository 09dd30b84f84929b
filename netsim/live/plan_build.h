/* netsim/live/plan_build.h - what the parts of the planner share while one plan is made.  Used by: plan*.c only. */
#pragma once
#include "base/buf.h"
#include "netsim/live/plan.h"
#include "netsim/model/block_public_access.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/direct_connect_way.h"
#include "netsim/model/onprem.h"
#include "netsim/model/peering.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"

enum {
    PLAN_GROUP_NONE = 0,            /* links that belong to no subnet */
    PLAN_TABLE_SILENCE = 999,       /* blackhole default: nothing is ever answered with "unreachable" */
    PLAN_TABLE_FIRST = 1000,        /* route table n: 1000 + 2n, its override table 1001 + 2n */
    PLAN_TABLE_PUBLIC = 500,        /* internet: where the labs' public addresses are */
    PLAN_TABLE_ANSWERS = 1000000,   /* internet: answers to what came by an egress-only gateway */
    PLAN_TABLE_ETH = 600,           /* instance: routes of eth1 and so on */
    PLAN_PRIORITY_OVERRIDE = 100,   /* below main (32766): routes more specific than the VPC */
    PLAN_PRIORITY_TABLE = 40000,    /* above main: all other routes of a route table */
    PLAN_PRIORITY_SILENCE = 60000,
    PLAN_LINK_BASE = 1000,          /* router-side link index: 1000 + number */
    PLAN_MEND_MAX = 64,             /* changes that are worth less than a new plan */
    PLAN_FLOW_SET_SIZE = 262144,    /* flows of one kind that a router counts at a time */
    PLAN_UNTRACKED_RECEIVER = 0x2,  /* marks of connections in a router; others are of balancers (plan_balancer.c) */
    PLAN_UNTRACKED_SENDER = 0x10,
    PLAN_FLOW_TIMEOUT_MS = 120000,  /* a flow without packets is forgotten after that; read every second */
    PLAN_MTU = 9001,                /* between instances; 1500 through an internet gateway, as in AWS */
    PLAN_MTU_INTERNET = 1500,
};

/* Of sets that every packet is looked up in: with a size the kernel finds elements in half the time.  More than a VPC has subnets and links of
 * transit gateways. */
#define PLAN_SUBNETS_SIZE "size 8192;"

/* The mark of a packet that the sender's groups let pass; no route table has it, and nothing reads marks after them but what sets its own. */
#define PLAN_ADMITTED "0x7fffffff"
/* The verdict of what lets a packet of the sender's pass. */
#define PLAN_ADMIT_SENDER "goto f_admitted"

/* What of AWS's own stands behind an interface. */
enum plan_place { PLAN_PLACE_NONE, PLAN_PLACE_ENDPOINT, PLAN_PLACE_NODE /* of a network balancer */, PLAN_PLACE_PROXY /* of an application balancer */,
    PLAN_PLACE_INSPECTION /* an endpoint of a gateway balancer */, PLAN_PLACE_GATEWAY /* a node of one */ };

/* A network interface that gets a link. */
struct plan_port {
    const char *key;    /* eni or NAT gateway id */
    const char *ns;     /* of the far end */
    int device;         /* eth number there */
    const struct subnet *subnet;
    const struct eni *eni;         /* NULL: a NAT gateway's */
    const struct nat_gateway *nat; /* NULL: an instance's */
    enum plan_place place;
    const struct instance *instance; /* whose it is; NULL: nobody's that has a machine */
    bool tap;                        /* a TAP host is behind it, not a namespace */
    bool shared;                     /* its TAP device may have other hosts too */
    struct ip primary;             /* IPv4; IP_NONE if IPv6 only */
    uint32_t index;
    char name[16];
    uint8_t mac[6];
};
struct plan_vpc;
/* One end of an active peering connection. */
struct plan_peering {
    const struct peering *peering;
    struct plan_vpc *other;
    uint32_t index; /* of this router's link */
    char name[16];
    const char *node; /* the balancer's interface, here or there, whose packets alone go by this link; NULL: the connection's own link */
};
/* A VPC's link to a transit gateway. */
struct plan_transit {
    const struct transit_gateway *tgw;
    const struct tgw_attachment *attachment;
    const struct subnet *subnet; /* of the attachment; NULL: not known */
    uint32_t index;              /* of this router's link */
    char name[16];
};
/* The same link, or one to something else that is attached, as the transit gateway sees it. */
struct plan_tgw_port {
    const struct tgw_attachment *attachment;
    const struct subnet *subnet; /* NULL: zones do not matter */
    uint32_t index;
    uint32_t mtu;
    char name[16];
    bool ip6, no_ip4;                 /* 'no_ip4': a line whose session for it is down */
    const struct vpn_connection *vpn; /* NULL: not a VPN connection's */
};
struct plan_tgw {
    const struct transit_gateway *tgw;
    struct plan_ns *ns;
    VEC(struct plan_tgw_port) ports;
    uint32_t mtu; /* of all but tunnels */
    struct plan_tgw *next;
};
/* A network outside AWS. */
struct plan_site {
    struct onprem_site site;
    struct plan_ns *ns;
    uint32_t n_tunnels, last_index; /* of the tunnel planned last, at its end */
    struct buf marks, limits;
    struct plan_site *next;
};
/* The router's link to a gateway endpoint. */
struct plan_endpoint {
    const struct endpoint *endpoint;
    uint32_t index;
    char name[16];
};
struct plan_vpc {
    const struct vpc *vpc;
    const struct internet_gateway *igw; /* NULL if none attached */
    struct ip igw_via, igw_via6;        /* its address on the router's link; IP_NONE without IPv6 */
    struct plan_ns *router;
    bool ip6;
    bool appliances; /* an instance sends on what is not its own */
    bool nodes;      /* so do nodes of balancers, here or across a peering */
    bool leads_nodes; /* which may have links of their own across a peering, as routes are */
    VEC(struct plan_port) ports;
    VEC(struct plan_peering) peerings;
    VEC(struct plan_transit) transits;
    VEC(struct plan_endpoint) endpoints;
    const struct egress_only_gateway *egress_only; /* NULL if none is built */
    uint32_t egress_only_index;                    /* of the router's link to it */
    const struct vpn_gateway *vgw; /* NULL if none is attached */
    uint32_t vgw_index;            /* of the router's link to it */
    VEC(const struct route_table *) overridden; /* with routes inside the VPC's own blocks */
    struct map shared;                          /* TAP devices that may have several hosts -> place in the router's links, from 1 */
    struct plan_vpc *next;
};
struct builder {
    const struct network *net;
    struct store *store;
    struct plan *plan;
    struct plan_numbers *numbers;
    struct plan_vpc *vpcs;
    struct plan_tgw *tgws;
    struct plan_site *sites;
    struct plan_ns *internet;
    const struct plan_ns *standing; /* while only a part of a router is planned: what it has; NULL otherwise */
};

struct plan_vpc *plan_vpc_find(struct builder *b, const char *id); /* NULL if there is none */
struct plan_ns *plan_ns_add(struct builder *b, const char *id, enum plan_kind kind, bool ip6);
struct plan_set *plan_set_add(struct builder *b, struct plan_ns *ns, const char *name, const char *head); /* sets must be added before their elements */
struct plan_set *plan_set_added(const struct plan_ns *ns, const char *name); /* NULL: not yet; plan_find_set() needs the order of a finished plan */
void plan_element_add(struct builder *b, struct plan_set *set, const char *data, const char *key_format, ...)
    __attribute__((format(printf, 4, 5)));
void plan_chain_add(struct builder *b, struct plan_ns *ns, const char *name, const char *head, const char *rules);
void plan_unbuilt_add(struct builder *b, const char *what, const char *id);
void plan_ns_sort(struct plan_ns *ns);
void plan_neighbour_add(struct plan_ns *ns, uint32_t index, const struct ip *ip, const uint8_t mac[6]);

/* Names of nftables objects: an AWS id with a prefix, other characters replaced. Rotating buffers. */
const char *plan_name(const char *prefix, const char *id, const char *suffix);

/* plan_taps.c: TAP hosts that have a device to themselves, by what the model says of them; whether a port's may have others too ('macs': hardware
 * addresses that were seen); its number, with index and name; its device, without a host; its link to the router, with the host behind it;
 * which devices are shared, for the counters of what was refused (false: none). */
void plan_taps_alone(struct builder *b, struct map *alone);
bool plan_may_share(struct builder *b, struct map *macs, const struct plan_port *port);
void plan_port_number(struct builder *b, struct plan_port *port);
struct plan_link *plan_tap_device(struct builder *b, struct plan_vpc *v, const struct plan_port *port);
void plan_tap_link(struct builder *b, struct plan_vpc *v, const struct plan_port *port);
bool plan_shared_taps(struct builder *b, struct plan_vpc *v); /* sets `taps`, `fl_refused4` and `fl_refused6` */
/* plan.c: the router's end of a port's link. */
struct plan_link *plan_router_end(struct builder *b, struct plan_vpc *v, const struct plan_port *port);
/* plan_nat64.c: what a NAT gateway does with IPv6. */
void plan_nat64(struct builder *b, struct plan_ns *ns);
/* plan_gateway.c: the namespace of an attached internet gateway, its links and its translation. */
void plan_internet_gateway(struct builder *b, struct plan_vpc *v);
uint32_t plan_igw_index(struct builder *b, const struct plan_vpc *v); /* of the router's link to it */
/* plan_peering.c: the links of all active peering connections; then, VPC by VPC, a route's next hop (a blackhole if there is none), whether
 * rules may name groups of the other VPC, and what keeps foreign addresses out of peerings and the virtual private gateway. */
void plan_peerings(struct builder *b);
struct ip plan_peering_hop(int family); /* the next hop at either end */
struct nlq_end plan_peering_end(struct builder *b, struct plan_vpc *v, struct plan_vpc *other, const struct peering *peering, const char *side,
                                const char *key);
/* plan_peering_nodes.c: links of their own for balancers' nodes that send to the other side under the client's address. */
void plan_peering_nodes(struct builder *b);
struct nlq_route plan_peering_route(const struct plan_vpc *v, const char *id, int family);
bool plan_peering_carries_groups(const struct plan_vpc *v, const char *vpc_id);
void plan_own_rules(struct builder *b, struct plan_vpc *v);
/* plan_transit.c: namespaces and links of all transit gateways; then, VPC by VPC, a route's next hop from a zone, the link group of what the
 * gateways send into a subnet (PLAN_GROUP_NONE: it is in no attachment) and the links over which rules may name groups of the other VPC
 * ("a", "b"); at last the gateways' own tables. */
void plan_transit_gateways(struct builder *b);
struct nlq_route plan_transit_route(const struct plan_vpc *v, const char *id, const char *zone, int family);
uint32_t plan_transit_group(struct builder *b, const struct plan_vpc *v, const struct subnet *subnet);
void plan_transit_carriers(struct builder *b, const struct plan_vpc *v, const char *vpc_id, struct buf *names);
void plan_transit_tables(struct builder *b);
/* plan_onprem.c: the sites outside AWS; a tunnel from a gateway's namespace to one (returns the gateway's end) and what the site sends into the
 * tunnel planned last; virtual private gateways and a route's next hop to one. */
void plan_sites(struct builder *b);
struct plan_site *plan_site_find(struct builder *b, const char *id); /* NULL if there is none */
struct nlq_end plan_tunnel(struct builder *b, struct plan_site *site, struct plan_ns *gateway, const char *connection_id);
/* The site sends by the tunnel planned last only to what the association announces to it. */
void plan_announce(struct builder *b, struct plan_site *site, const struct direct_connect_association *association);
void plan_site_route(struct plan_site *site, const struct cidr *to);
void plan_site_route_all(struct builder *b, struct plan_site *site);
void plan_sites_finish(struct builder *b);
void plan_vpn_gateways(struct builder *b);
struct nlq_route plan_vpn_gateway_route(const struct plan_vpc *v, const char *id, int family);
/* plan_egress_only.c: the egress-only internet gateway of a VPC, if it has one; 'marks' gathers what the internet must know of all of them. */
void plan_egress_only(struct builder *b, struct plan_vpc *v, struct buf *marks);
void plan_egress_only_marks(struct builder *b, const struct buf *marks);
/* plan_endpoint.c: what an interface endpoint answers; gateway endpoints of a VPC and a route's next hop to one (false: it is none of them). */
void plan_endpoint_interface(struct builder *b, struct plan_ns *ns, const struct plan_port *port);
void plan_gateway_endpoints(struct builder *b, struct plan_vpc *v);
bool plan_endpoint_route(const struct plan_vpc *v, const char *id, int family, struct nlq_route *route);
/* plan_balancer.c: what a balancer's interface does (false: it is none); in the router, the way back of answers. */
#define PLAN_MARK_PROXIED     0x50 /* in a node: requests of HTTP that it passes on by itself */
#define PLAN_MARK_RELAYED     0x51 /* and bytes; health checks have no mark */
#define PLAN_MARK_RELAYED_TLS 0x52 /* the same from a listener that ends TLS */
#define PLAN_MARK_KEPT        0x54 /* in a node: answers to what it relayed with a client's address */
#define PLAN_MARK_KEPT_TLS    0x55
bool plan_balancer_node(struct builder *b, struct plan_ns *ns, const struct plan_port *port);
void plan_balancer_returns(struct builder *b, struct plan_vpc *v);
/* plan_private_link.c: joins endpoints to the balancers of the lab's own services, when all VPCs are planned.  The links' names begin so,
 * at the node too. */
#define PLAN_PRIVATE_LINK "svc"
#define PLAN_PRIVATE_LINK_BLOCK "169.254.0.0/17"
#define PLAN_PRIVATE_LINK_BLOCK6 "fd76:7063:6c61:6200::/64"
void plan_private_links(struct builder *b);
/* plan_gwlb.c: is it an interface of a gateway balancer; what the kernel does at one, and at an endpoint of one; the interface of the endpoint
 * in the VPC (NULL: none); at last, who carries what (struct plan_gwlb_endpoint). */
bool plan_gwlb_is_node(struct builder *b, const struct eni *eni);
void plan_gwlb_place(struct builder *b, struct plan_ns *ns, const struct plan_port *port);
const struct plan_port *plan_gwlb_port(struct builder *b, const struct plan_vpc *v, const char *endpoint_id);
void plan_gwlb(struct builder *b);
/* plan_filter.c: what the blocks and prefix lists of a group's ingress rules admit, each rule after 'before'. */
void plan_group_blocks(struct builder *b, const char *group_id, const char *before, struct buf *out);
void plan_acl(struct builder *b, struct plan_vpc *v, const struct network_acl *acl); /* both directions, in its router */
/* One direction of an ACL outside its router: what it allows returns. */
void plan_acl_blocks(const struct network_acl *acl, bool egress, struct buf *out);
/* plan_classic.c: what an interface of a Classic Load Balancer does. */
struct classic_balancer;
void plan_classic_node(struct builder *b, struct plan_ns *ns, const struct plan_port *port, const struct classic_balancer *lb);
/* plan_services.c: what the router itself answers: its addresses, and who may ask. */
void plan_services(struct builder *b, struct plan_vpc *v);
void plan_served_ports(struct builder *b, struct plan_ns *ns, const struct plan_port *port, bool ip6); /* of an instance with a namespace */
/* The named hosts of the internet (internet_hosts.h), once for all VPCs. */
void plan_internet_hosts(struct builder *b, bool ip6);
void plan_service_add(struct builder *b, struct plan_ns *ns, enum plan_service_kind kind, struct ip ip, uint16_t port, const char *id);
/* plan_router.c: routes and the packet path of a VPC; the mark of packets that a table routes from a zone; all of one table. */
void plan_router(struct builder *b, struct plan_vpc *v);
uint32_t plan_table_mark(struct builder *b, const struct route_table *table, const char *zone);
void plan_route_table(struct builder *b, struct plan_vpc *v, const struct route_table *table);
void plan_stages(struct builder *b, struct plan_vpc *v); /* the chain at the hook that leads through the stages; asks for routes to machines */
void plan_marks(struct builder *b, struct plan_vpc *v); /* the chain by which subnets find their table; asks v->overridden */
/* Its parts for one interface: routes and neighbours; elements of `eni_addresses` and `eni_addresses6`. */
void plan_port_ways(struct plan_vpc *v, const struct plan_port *port);
void plan_port_addresses(struct builder *b, const struct plan_vpc *v, const struct plan_port *port, struct plan_set *own, struct plan_set *own6);
/* plan_public_access.c: what VPC Block Public Access stops before a gateway, behind the router's link of that name; its connections from
 * inside count as 'out'. */
void plan_public_access(struct builder *b, const struct plan_vpc *v, const char *link, enum bpa_way out);
/* plan_appliance.c: an instance's namespace as its role asks for; then what the router must know of appliances. */
void plan_appliance(struct builder *b, struct plan_vpc *v, struct plan_ns *ns);
void plan_from_itself(struct builder *b); /* when all that forward are known */
void plan_appliances(struct builder *b, struct plan_vpc *v);
void plan_gateways(struct builder *b, struct plan_vpc *v); /* part of it: the chain of what comes in by a gateway */
/* plan_untracked.c: whose flows are untracked, and what is always tracked. */
void plan_untracked(struct builder *b, struct plan_vpc *v);
/* Its chain for an interface: the name, and (unless NULL) its rules: with none there is no such chain.  False: the interface is never in one. */
bool plan_untracked_chain(struct builder *b, const struct eni *eni, bool egress, char name[static 40], struct buf *rules);
/* plan_filter.c: chains and sets of the security groups and ACLs that the VPC's links use. */
void plan_filters(struct builder *b, struct plan_vpc *v);
/* Its parts: the chains of a group; the chain of an interface, less "_in" or "_out", with those it leads to ('known': made already); the
 * addresses of a group's members in this VPC and, through a peering, in the other, or those in VPC 'there' alone. */
void plan_group(struct builder *b, struct plan_vpc *v, const char *group_id);
void plan_groups_chain(struct builder *b, struct plan_vpc *v, const struct eni *eni, struct map *known, char base[static 128]);
bool plan_counts_members(const struct plan_vpc *v, const char *vpc_id, const char *there); /* do those in that VPC count? */
const char *plan_member_set(struct builder *b, struct plan_vpc *v, const char *group_id, int family, const char *there);
/* plan_flows.c: what is counted for flow logs; then the verdict of an ACL's deny, which says which rule it was. */
void plan_flow_logs(struct builder *b, struct plan_vpc *v);
void plan_flow_counting(struct builder *b, struct plan_ns *ns, bool ip6); /* the chain `fl_record` and what it leads to, less `fl_flags` */
/* Its parts for one interface: the mark of its link (false: it is not recorded); elements of `fl_lost4` and `fl_lost6`, if it shares its link. */
bool plan_link_mark(struct builder *b, const struct eni *eni, uint32_t index, bool ingress, char mark[static 16]);
void plan_port_lost(struct builder *b, const struct plan_vpc *v, const struct plan_port *port, struct plan_set *lost4, struct plan_set *lost6);
/* plan_transit_flows.c: what a transit gateway counts, when its routes and ports are planned. */
void plan_transit_flows(struct builder *b, struct plan_tgw *t);
const char *plan_refusal(struct builder *b, uint32_t number, bool egress);
const char *plan_deny(struct builder *b, const char *acl_id, bool egress, int number);

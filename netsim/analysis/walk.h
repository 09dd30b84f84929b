/* netsim/analysis/walk.h - one packet on its way through the model, place by place, in one direction.
 *
 * A walk stands at a place (an interface, the edge of a subnet, a router, a gateway); a table in walk.c has one small function per
 * place, which looks at the packet, records the components crossed as hops and moves on.  A new construct is a place, a row in the
 * table of route targets, and a row in explain.c; nothing else changes.
 *
 * The way back is a second walk with the packet turned round and the first walk's session, which is what stateful components remember.
 *
 * Uses: rules.h.   Used by: reach.c (asks), explain.c (reads the hops). */
#pragma once
#include "netsim/analysis/rules.h"

struct tgw_attachment;
struct direct_connect_association;
struct lb_listener;
struct endpoint;
struct obstacles;

enum hop_kind { HOP_INSTANCE, HOP_ENI, HOP_GROUPS, HOP_SUBNET, HOP_ACL, HOP_ROUTE_TABLE, HOP_VPC, HOP_IGW, HOP_NAT,
    HOP_PEERING, HOP_TGW, HOP_TGW_TABLE, HOP_ATTACHMENT, HOP_VGW, HOP_VPN, HOP_CUSTOMER, HOP_DX, HOP_VIF, HOP_EIGW, HOP_VPCE, HOP_SERVICE, HOP_LB, HOP_UNMODELLED };

/* Why a packet goes no further.  walk_stops.c has the reason words and AWS's codes, explain.c the sentences and mends. */
enum stop {
    STOP_NONE,
    STOP_SG_EGRESS, STOP_SG_INGRESS, STOP_NACL_EGRESS, STOP_NACL_INGRESS,
    STOP_NO_SUBNET, STOP_NO_ROUTE, STOP_BLACKHOLE, STOP_NO_SUCH_ADDRESS, STOP_LOCAL_ROUTE, STOP_OTHER_DESTINATION, STOP_NO_INTERNET_ROUTE,
    STOP_INSTANCE_STATE, STOP_FAILED, STOP_SPOOFED, STOP_SOURCE_DEST_CHECK, STOP_APPLIANCE, STOP_APPLIANCE_KEEPS, STOP_INGRESS_NO_PUBLIC_IP, STOP_PUBLIC_ACCESS,
    STOP_NO_IGW, STOP_IGW_NO_PUBLIC_IP, STOP_IGW_PRIVATE_DESTINATION, STOP_IGW_SHARED_DESTINATION, STOP_IGW_PRIVATE_SOURCE,
    STOP_IGW_SHARED_SOURCE, STOP_IGW_NO_SUCH_PUBLIC_IP, STOP_NO_PUBLIC_IP, STOP_GATEWAY_ROUTE_TABLE,
    STOP_NAT_STATE, STOP_NAT_PROTOCOL, STOP_NAT_SOURCE, STOP_NAT_UNSOLICITED, STOP_NAT_LOOP, STOP_NAT_REPLY,
    STOP_UNKNOWN_RESOURCE, STOP_GATEWAY_STATE, STOP_GATEWAY_ATTACHMENT, STOP_PCX_INACTIVE, STOP_PCX_ADDRESS,
    STOP_TGW_ZONE, STOP_TGW_NO_ASSOCIATION, STOP_TGW_UNKNOWN_ROUTES, STOP_TGW_NO_ROUTE, STOP_TGW_BLACKHOLE, STOP_TGW_VPN,
    STOP_VPN, STOP_VPN_NO_ROUTE, STOP_DX_STATE, STOP_DX_NO_ROUTE, STOP_VGW_SOURCE, STOP_VGW_NO_ROUTE,
    STOP_VPCE_PROTOCOL, STOP_VPCE_SOURCE, STOP_VPCE_INTRA_VPC, STOP_VPCE_ZONE, STOP_GWLB_PROTOCOL, STOP_GWLB_PORT, STOP_GWLB_NO_FLOW, STOP_EIGW_PROTOCOL, STOP_EIGW_UNSOLICITED,
    STOP_LB_STATE, STOP_LB_NO_LISTENER, STOP_LB_NO_GROUP, STOP_LB_NO_TARGET, STOP_LB_NO_TARGET_IN_ZONE, STOP_LB_LOOPBACK,
    STOP_CLB_NO_LISTENER, STOP_CLB_NO_TARGET, STOP_CLB_ZONE, STOP_CLB_NOT_CROSS_ZONE, STOP_CLB_ACL,
    STOP_UNMODELLED, STOP_ASYMMETRIC, STOP_TOO_LONG,
    N_STOPS,
};
struct stop_row {
    const char *why;      /* reason word of vectors/net */
    const char *codes[4]; /* AWS's explanation codes, the best first; ends with NULL */
};
extern const struct stop_row stop_rows[N_STOPS];

/* One component crossed.  What is NULL does not apply or is not in the (imported) model. */
struct hop {
    enum hop_kind kind;
    bool egress;      /* groups, ACLs: on the way out of the interface or subnet */
    bool established; /* groups: a reply of a connection that is known; no rule is asked */
    bool stopped;     /* the walk ended here */
    bool sent_on;     /* instances: an appliance, which sends the packet on */
    const struct object *component;
    const char *id;   /* of the component, also where the model lacks it; NULL for an ACL that an import left out */
    const struct eni *eni;
    const struct subnet *subnet;
    const char *vpc_id;
    const struct sg_rule *sg_rule;       /* what let it through */
    const struct nacl_entry *nacl_entry; /* what decided */
    const struct route *route;           /* what was taken */
    const struct lb_listener *listener;  /* of a balancer: what took it */
    struct packet packet;                /* as it leaves the component */
    struct origin origin;                /* of the packet, as rules that name groups see it */
};

/* What stateful components remember of the first packet. */
struct translation {
    const struct nat_gateway *nat;  /* NULL: a balancer, at its interface: */
    const struct eni *balancer, *appliance;
    const struct eni *endpoint; /* the packet came by this interface of an endpoint, where 'before' is told; NULL: it came itself */
    struct packet before, after;
};
struct inspection {
    const struct endpoint *endpoint;
    struct ip src, dst; /* of the packet there: a flow under other addresses is another one */
};
struct session {
    VEC(const struct eni *) passed; /* interfaces whose groups let the connection through */
    VEC(struct translation) translations;
    const char *egress_only_id, *egress_only_vpc; /* the gateway by which it was opened towards the internet, and whose it is; NULL: none */
    struct ip egress_only_source;
    VEC(struct inspection) inspected; /* endpoints of Gateway Load Balancers that it went through */
};
void session_done(struct session *session);

/* Where a packet is meant to end. */
struct target {
    enum { TARGET_ENI, TARGET_ADDRESS, TARGET_INTERNET, TARGET_GATEWAY } kind;
    const struct eni *eni;
    const char *gateway_id;
};

struct walk {
    const struct network *net;
    struct target target;
    struct packet start, packet; /* as it set out; as it is now */
    struct ip anyone;            /* an address that stands for every host outside; IP_NONE: none does */
    bool is_reply;
    struct obstacles *mended; /* noted and passed, as mended.h says; NULL: the first one ends the walk */
    bool ends_at_balancer; /* a listener that takes it is where it arrives */
    bool ends_at_application; /* one of an application balancer is, behind another balancer too */
    bool health_check; /* a balancer's own question to its target */
    bool filters_open; /* groups and ACLs become hops and let everything through: connectivity.c judges them as sets */
    struct session *session; /* the first packet writes it, the reply reads it */
    VEC(struct hop) hops;
    enum stop stop;
    const char *stop_what; /* STOP_UNMODELLED: "peering connection" */
    bool arrived;

    const struct eni *alone[2]; /* interfaces asked about as such: whether their instance runs is not looked at */
    struct origin origin;    /* where the sender of the packet as it is now stands, for rules that name its groups */
    const char *tgw_id;      /* the transit gateway it is in or came through last */
    const struct tgw_attachment *attachment; /* by which it came into the transit gateway */
    const struct direct_connect_association *dx; /* by which it left for the customer's side; NULL: it did not */
    const char *zone;        /* of the subnet it left for the transit gateway; NULL: none */
    const char *gateway_id;  /* the gateway of 'vpc_id' by which it leaves */
    bool crossed_tgw_table;
    const char *wanted_receiver; /* of the targets behind a balancer, the instance to show; NULL: the first */
    struct ip wanted_src;        /* of its ways that on which it sees this client (IP_NONE: any) */
    int wanted_port;             /* at this port (0: any) */
    VEC(const char *) receivers; /* every target behind the balancer that gets it: instance ids, else addresses */
    int balancers;               /* how many it went through */
    const struct eni *endpoint;  /* it stands at a balancer's node, handed over from this interface of an endpoint; */
    struct packet at_endpoint;   /* there it was this */

    /* Where the packet stands; for the places in walk.c. */
    int at;
    int ended_at; /* the place where it arrived */
    const struct eni *eni;       /* it leaves or enters */
    const struct subnet *subnet; /* it leaves or enters */
    const char *vpc_id;
    const char *entry_id; /* the gateway a packet from outside must come in by; NULL: any */
    const struct route *route;
};

/* From inside an interface ('eni' sends 'packet'), or from the internet through the gateway of whoever has the public address. */
void walk_from_eni(struct walk *walk, const struct eni *eni, const struct packet *packet);
void walk_from_internet(struct walk *walk, const struct packet *packet);
/* From a gateway that leads outside, a transit gateway or an attachment, a peering connection or an endpoint. */
void walk_from_gateway(struct walk *walk, const char *gateway_id, const struct packet *packet);
/* The answer sets out from where 'forward' ended. */
void walk_answer(const struct walk *forward, struct walk *walk, const struct packet *packet);
void walk_done(struct walk *walk);

/* The way of one packet there and of its answer back, past every group and ACL on it (filters_open): for whoever judges those itself.
 * 'answered': there was a way back to walk.  False when the question cannot be asked, as in reach(). */
struct open_ways {
    struct walk forward, back;
    struct session session;
    bool answered;
};
bool reach_open_ways(const struct network *net, const struct flow_spec *flow, struct open_ways *ways, struct err *err);
/* The same as reach() walks it: the hops of groups and ACLs name the rule that decided. */
bool reach_ways(const struct network *net, const struct flow_spec *flow, struct open_ways *ways, struct err *err);
void open_ways_done(struct open_ways *ways);

/* The NAT gateway that owns the interface; NULL if none does. */
const struct nat_gateway *eni_nat_gateway(const struct network *net, const struct eni *eni);
const struct instance *eni_instance(const struct network *net, const struct eni *eni); /* attached to; NULL if none */

/* netsim/live/plan.h - what the kernel must hold for a model, as pure data: no system call, no privilege.
 *
 * A plan is a list of namespaces, each with links, addresses, routes, routing rules, neighbours and one nftables table of sets and
 * chains.  apply.h brings a kernel from one plan to the next by the difference, so a plan must come out the same for the same model: lists
 * are sorted, and numbers (link indexes, group numbers, marks) are given once per AWS id and kept by 'struct plan_numbers'.
 *
 * How AWS's objects map to these: docs/LIVE.md.   Uses: netsim/model, netlink.h (the value structs).   Used by: apply.c, live.c */
#pragma once
#include "base/arena.h"
#include "base/map.h"
#include "netsim/live/netlink.h"
#include "netsim/live/tap_stack.h"
#include "netsim/model/network.h"

/* Small numbers for AWS ids, never given twice in the life of a lab. */
struct plan_numbers {
    struct map known; /* "link:eni-0a.." -> number */
    uint32_t last, last_acl, last_transit;
    const struct map *unhealthy; /* targets of balancers that get nothing (plan_balancer.h); borrowed; NULL: none known */
    uint32_t flow_set_size; /* flows of one kind that a router counts at a time; 0: PLAN_FLOW_SET_SIZE */
};
uint32_t plan_number(struct plan_numbers *numbers, const char *kind, const char *id); /* from 1 */
/* The number of what is known as 'key' (with its kind) is now that of the link of an interface too. */
uint32_t plan_number_as(struct plan_numbers *numbers, const char *eni_id, const char *key);
void plan_numbers_done(struct plan_numbers *numbers);

enum plan_kind { PLAN_INTERNET, PLAN_ROUTER, PLAN_IGW, PLAN_NAT, PLAN_INSTANCE, PLAN_TRANSIT, PLAN_ONPREM };

/* A machine behind a TAP device. */
struct plan_tap {
    struct tap_host host;
    const char *eni_id;
    const char *instance_id; /* whose primary interface it is; "" otherwise */
};
struct plan_link { /* a veth pair, made from the namespace that lists it, or a TAP device */
    struct nlq_end here, peer;
    const char *peer_ns;        /* "" for a TAP device */
    bool tap;
    VEC(struct plan_tap) hosts; /* behind the TAP device, by hardware address; several where the router treats them alike */
    const char *eni_id; /* of the interface behind it; "" for an igw link and for a TAP device that may have several */
    const char *attachment_eni; /* where flows are recorded: of a transit gateway's attachment; NULL otherwise */
};
struct plan_address {
    uint32_t index;
    struct ip ip;
    uint8_t bits;
};
struct plan_neighbour {
    uint32_t index;
    struct ip ip;
    uint8_t mac[6];
};
struct plan_element {
    const char *key, *data; /* nft text; data NULL in sets */
};
struct plan_set { /* a set or map */
    const char *name, *head; /* head: "map x { type ifname : verdict; }" */
    VEC(struct plan_element) elements;
};
struct plan_chain {
    const char *name, *head; /* head: "type filter hook forward priority 10; policy drop;" or "" */
    const char *rules;       /* a rule a line */
};
/* What answers at an address of a namespace; not the kernel's business but services.h's. */
enum plan_service_kind {
    PLAN_SERVE_METADATA, PLAN_SERVE_DNS, PLAN_SERVE_WEB, PLAN_SERVE_S3, PLAN_SERVE_PLAIN, PLAN_SERVE_BALANCER, PLAN_SERVE_RELAY,
    PLAN_SERVE_PAGE /* what `serve` opened: TCP */, PLAN_SERVE_ECHO /* UDP */
};
struct plan_service {
    enum plan_service_kind kind;
    struct ip ip;
    uint16_t port;
    const char *id; /* what it is about: a VPC's, endpoint's or balancer's id; "" of the internet */
};
struct plan_ns {
    const char *id; /* "internet", "router:vpc-..", an instance's, NAT gateway's, internet, transit or customer gateway's ... */
    enum plan_kind kind;
    bool ip6;       /* IPv6 is switched on */
    bool forwards;  /* an instance that sends on what is not its own */
    bool inspects;  /* one that gets packets from a gateway load balancer */
    VEC(struct plan_link) links;
    VEC(struct plan_address) addresses;
    VEC(struct nlq_route) routes;
    VEC(struct nlq_rule) rules;
    VEC(struct plan_neighbour) neighbours;
    VEC(struct plan_set) sets;
    VEC(struct plan_chain) chains; /* table "inet vpc" */
    VEC(struct plan_service) services;
    const struct plan_ns *whole; /* of which this is a part (plan_mend.h); NULL: it is whole */
};
/* A construct of the model that routes lead to and that the kernel does not get: its routes are blackholes. */
struct plan_unbuilt {
    const char *what, *id; /* "transit gateway", "tgw-0a.." */
};
struct plan {
    struct arena *arena;
    VEC(struct plan_ns *) namespaces; /* internet, routers, then the rest */
    struct map by_id;
    VEC(struct plan_unbuilt) unbuilt; /* by id, each once */
    struct plan_vpc *vpcs;            /* what plan_mend.c goes on from; borrows from the network */
    size_t new_size;                  /* of the arena when the plan was new */
    bool has_taps;                    /* TAP hosts */
    struct map taps_alone;            /* interfaces and instances of those that must not share a device */
    struct map elsewhere;             /* security groups whose rules, and subnets and their ACLs whose entries, also stand outside the routers' chains */
    struct plan_gwlb_endpoint *gwlb;  /* what endpoints of Gateway Load Balancers carry (plan_gwlb.h) */
};

/* Indexes and addresses that probes and tests know. */
extern const uint8_t plan_router_mac[6]; /* of every router-side link end: each is alone on its wire */
#define PLAN_LOOPBACK 1
#define PLAN_ETH0     2 /* eth1 is 3, and so on */
#define PLAN_INTERNET_ID "internet"
#define PLAN_SCANNER_ID  "scanner" /* a machine of the internet that is not ours */
#define PLAN_CALLER4 "8.8.8.8" /* who calls from the internet unless told otherwise */
#define PLAN_CALLER6 "2001:4860:4860::8888"

/* Cannot fail: what the lab does not build (a target that is gone) becomes a blackhole, as in AWS. */
struct plan *plan_new(const struct network *net, struct plan_numbers *numbers);
void plan_free(struct plan *plan);
const struct plan_ns *plan_find(const struct plan *plan, const char *id); /* NULL if there is none */
const struct plan_unbuilt *plan_find_unbuilt(const struct plan *plan, const char *id); /* NULL: built, or no route leads there */

/* The interface behind a link of a router that has the address; "" if there is none. */
const char *plan_link_eni(const struct plan_link *link, const struct ip *address);
/* The host with that interface, or whose primary interface is the instance's, behind a TAP device; NULL if there is none. */
const struct plan_tap *plan_link_host(const struct plan_link *link, const char *id);

/* Of a planned namespace; NULL if there is none. */
const struct plan_set *plan_find_set(const struct plan_ns *ns, const char *name);
const struct plan_chain *plan_find_chain(const struct plan_ns *ns, const char *name);
const struct plan_element *plan_find_element(const struct plan_set *set, const char *key);

int plan_address_compare(const void *a, const void *b);
int plan_neighbour_compare(const void *a, const void *b);
int plan_route_compare(const void *a, const void *b);
int plan_route_key_compare(const void *a, const void *b); /* table, block and metric only: a route's identity */
int plan_rule_compare(const void *a, const void *b);
int plan_link_compare(const void *a, const void *b);
int plan_tap_compare(const void *a, const void *b); /* by hardware address */
int plan_set_compare(const void *a, const void *b);   /* by name */
int plan_chain_compare(const void *a, const void *b); /* by name */
int plan_element_compare(const void *a, const void *b); /* by key */

/* Walks two sorted lists side by side:
 *     for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &from->rules, &to->rules, plan_rule_compare);) ... m.was, m.is
 * 'was' or 'is' is NULL where only the other list has the item; both are there when they compare equal. */
struct plan_merge {
    const void *was, *is;
    size_t o, n;
};
bool plan_merge_next(struct plan_merge *m, const struct vec_any *from, const struct vec_any *to, size_t size,
                     int (*compare)(const void *, const void *));
#define PLAN_MERGE(m, from, to, compare) \
    plan_merge_next(m, (const struct vec_any *)(from), (const struct vec_any *)(to), sizeof *(to)->items, compare)

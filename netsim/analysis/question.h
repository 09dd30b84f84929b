/* netsim/analysis/question.h - what a flow_spec asks, in the model's terms: who sends which packet, and where it is meant to end.
 *
 * Uses: walk.h.   Used by: reach.c, any_port.c, insights.c. */
#pragma once
#include "netsim/analysis/walk.h"

/* An end as the model knows it. */
struct end {
    const struct eni *eni; /* NULL: the internet */
    struct ip ip;          /* its address in the question */
    const char *gateway_id;
    bool any_holder; /* given as an address: whoever has it */
};

struct question {
    const struct network *net;
    struct end from, to;
    struct packet packet;
    bool from_alone, to_alone;   /* interfaces, whatever the state of their instances */
    const char *wanted_receiver; /* behind a balancer; NULL: any */
    struct ip wanted_src;        /* as it sees the client; IP_NONE: any way to it */
    int wanted_port;             /* 0: any */
    struct ip anyone;            /* the outside host, where the question names none */
    bool all_obstacles;
    struct obstacles *mended;    /* noted and passed; NULL: the first one ends it */
    bool health_check;           /* a balancer's own */
    bool ends_at_balancer;       /* a balancer is asked, not what is behind it */
    bool ends_at_application;    /* an application balancer behind another is where it ends */
    bool filters_open;           /* walk past every filter: reach_open_ways() */
    bool no_public_ip;           /* from outside to an interface without public address */
};

/* False as reach() says: an id of nothing, an end without address of the family, no packet. */
bool question_init(const struct network *net, const struct flow_spec *flow, struct question *question, struct err *err);
/* From the internet, or an internet gateway: the packet is meant for a public address. */
bool question_from_public_side(const struct question *question);
struct target question_target(const struct question *question);
/* The walk there; the walk back, where it is answered (false: nothing answers it). */
void question_walk(const struct question *question, struct session *session, struct walk *walk);
bool question_walk_back(const struct question *question, const struct walk *forward, struct session *session, struct walk *walk);
/* An address behind the gateway 'id' to ask about, seen from 'other' (NULL: no interface): question_address.c.  False: none is known. */
bool gateway_address(const struct network *net, const char *id, const struct eni *other, bool is_destination, int family,
                     struct ip *ip);
/* By which gateway a private address of no interface would come; NULL: by none. */
const char *gateway_of_outsider(const struct network *net, const struct ip *ip, const struct eni *receiver);
/* Ports between which nothing in the network tells one port from the next: 65,536 flags, the caller frees them. */
unsigned char *port_bounds(const struct network *net, int protocol);
/* Walks both ways; 'result' is zeroed memory. */
void question_answer(const struct question *question, bool want_components, struct reach_result *result);

/* cloud/conn_view.h - connectivity as people ask about it: ends by name, classes joined to groups with names, flows as JSON and as text.
 *
 * Uses: netsim/analysis/connectivity.h.   Used by: ops_connectivity.c, ops_assert.c, ops_diff.c. */
#pragma once
#include "cloud/op.h"
#include "netsim/analysis/connectivity.h"

/* What a word names: interfaces, or addresses outside. */
struct selection {
    bool everything;
    bool internet;     /* all of it */
    bool onprem;       /* all that lies behind VPN and Direct Connect */
    const char *gate;  /* all that lies behind this one, or its service; borrowed */
    struct cidr block; /* addresses, of interfaces and outside; IP_NONE: none */
    struct map enis;   /* interface ids */
    char *text;        /* as it was written */
};
/* 'text': "internet", "onprem", an address or a CIDR, an id, a Name tag (of instances, else interfaces, subnets, VPCs), a group's name, KEY=VALUE of a tag; NULL:
 * everything.  Fails when it names nothing that sends packets. */
bool selection_find(const struct cloud *cloud, const char *text, struct selection *selection, struct err *err);
/* InvalidParameterValue: an address or a block of which 'c' knows nothing. */
bool selection_check(const struct selection *selection, const struct connectivity *c, struct err *err);
void selection_done(struct selection *selection);
bool selection_has_eni(const struct selection *selection, const struct eni *eni);
int selection_family(const struct selection *selection); /* that it asks for; 0: none */
/* Does the selection name a gateway, whose parts are then asked about together? */
bool selection_is_by_gate(const struct selection *selection, const struct conn_class *class);
/* Does the class (of 'c') stand for anything selected? */
bool selection_has_class(const struct selection *selection, const struct connectivity *c, size_t class);

/* A group of classes that behave alike, cut where selections end. */
struct view_group {
    char *name; /* unique in the view: "web", "web (12)", "internet", "198.51.100.0/24" */
    size_t class;
    VEC(const struct eni *) members;
    VEC(struct ip) addresses; /* of each of them */
    VEC(struct cidr) outside;
    const char *gate;
    bool secondary, service;
    bool in_from, in_to;
};
struct conn_view {
    const struct network *net;
    struct connectivity *c;
    VEC(struct view_group) groups;
};
/* 'from' and 'to' say which flows are asked about. */
void conn_view_init(struct conn_view *view, const struct network *net, int family, const struct selection *from, const struct selection *to);
void conn_view_done(struct conn_view *view);

/* Interfaces by these addresses, or parts of what lies outside, behind 'gate' (NULL: the internet). */
struct crowd {
    const struct network *net;
    const struct eni *const *members;
    const struct ip *addresses;
    size_t n;
    bool secondary;
    const struct cidr *outside;
    size_t n_outside;
    const char *gate;
};
/* A name for them: "web (12)", "web 10.0.1.20", "internet", "192.168.0.0/16 via vpn-1"; the caller frees it. */
char *crowd_name(const struct crowd *crowd);
char *packets_text(const struct connectivity *c, int set); /* packet_set_print(); the caller frees it */

/* {"Groups": [..], "Flows": [{"From", "To", "Packets", "Unanswered", "Family"}]} added to 'out'. */
void conn_view_json(const struct conn_view *view, json_t *out);
/* 'out' as a table: one row for destinations with the same packets; then who the groups are. */
void conn_view_text(const json_t *out, struct buf *text);
/* The graph that --graph asks for: "dot", "mermaid" or "svg". */
void conn_view_graph(const json_t *out, const char *graph, struct buf *text);
void conn_view_dot(const json_t *out, struct buf *text);
void conn_view_mermaid(const json_t *out, struct buf *text);
void conn_view_svg(const json_t *out, struct buf *text);
char *flow_label(const json_t *flow); /* its packets, those without answer marked so; the caller frees it */

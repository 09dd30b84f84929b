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
    struct ip outside; /* one address of it; IP_NONE: none */
    struct map enis;   /* interface ids */
    char *text;        /* as it was written */
};
/* 'text': "internet", an address, an id, a Name tag (of instances, else interfaces, subnets, VPCs), a group's name, KEY=VALUE of a tag; NULL:
 * everything.  Fails when it names nothing that sends packets. */
bool selection_find(const struct cloud *cloud, const char *text, struct selection *selection, struct err *err);
void selection_done(struct selection *selection);
bool selection_has_eni(const struct selection *selection, const struct eni *eni);
/* Does the class (of 'c') stand for anything selected? */
bool selection_has_class(const struct selection *selection, const struct connectivity *c, size_t class);

/* A group of classes that behave alike, cut where selections end. */
struct view_group {
    char *name; /* unique in the view: "web", "web (12)", "internet", "198.51.100.0/24" */
    size_t class;
    VEC(const struct eni *) members;
    VEC(struct cidr) outside;
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

/* A name for several interfaces or parts of the internet: "web (12)"; the caller frees it. */
char *members_name(const struct network *net, const struct eni *const *members, size_t n, const struct cidr *outside, size_t n_outside);
char *packets_text(const struct connectivity *c, int set); /* packet_set_print(); the caller frees it */

/* {"Groups": [..], "Flows": [{"From", "To", "Packets", "Unanswered", "Family"}]} added to 'out'. */
void conn_view_json(const struct conn_view *view, json_t *out);
/* 'out' as a table: one row for destinations with the same packets; then who the groups are. */
void conn_view_text(const json_t *out, struct buf *text);
void conn_view_dot(const json_t *out, struct buf *text);
void conn_view_mermaid(const json_t *out, struct buf *text);

/* cloud/live_names.h - what a person calls the machines of a live lab, and the addresses and host names they have.
 * Used by: ops_live.c, ops_trace.c, ops_scan.c, ops_verify.c */
#pragma once
#include "base/ip.h"
#include "cloud/op.h"

struct eni;
struct live_node {
    char id[80];        /* as live_namespace() knows it: "i-..", "nat-..", "internet", "scanner", "router:vpc-..", "cgw-.." */
    char end[ID_SIZE];  /* as probes know it: the interface if one was named; "" for a router */
    char name[80];      /* for people: the Name tag, else the id */
    char hostname[64];  /* "ip-10-0-1-10" */
    const struct eni *eni; /* the interface meant; NULL: the internet, a router */
    struct ip ip;       /* the very address asked for; IP_NONE: a node was named */
    char site[ID_SIZE]; /* the network outside AWS that it is; "": none */
};
/* 'text' is an instance, interface, NAT gateway (ids or names), "internet", "scanner", "onprem" (or "onprem:SITE" where there are several: a customer
 * or Direct Connect gateway), "router:ROUTER" (a VPC, a transit or virtual private gateway) or an address: that of an interface, a host on
 * premises, else the internet's.  IncorrectInstanceState for a machine that is not running; InvalidParameterValue for what is none. */
bool live_node_find(const struct cloud *cloud, const char *text, struct live_node *node, struct err *err);

struct live_balancer {
    const char *id, *domain;
    bool application;
};
/* The balancer that is called so (its name, ARN, id or domain name); false: none is, or something else of the lab is. */
bool live_balancer_find(const struct cloud *cloud, const char *text, struct live_balancer *out);
/* The same of whom 'from' sends to, who may also be a balancer, an endpoint or its interface, or a domain name as the resolver of 'from' answers it. */
bool live_destination_find(const struct cloud *cloud, const struct live_node *from, const char *text, int family, struct live_node *to, struct err *err);
/* The address by which 'from' reaches 'to': private within a VPC, public from elsewhere (private too when there is no public one: it will
 * not arrive, as in AWS).  InvalidParameterValue when 'to' has none of the family, or one of them is a router. */
bool live_node_address(const struct cloud *cloud, const struct live_node *from, const struct live_node *to, int family, struct ip *ip,
                       struct err *err);

/* An /etc/hosts with every running instance by its Name tag and id; real names are the resolver's. */
void live_hosts_text(const struct cloud *cloud, const struct live_node *node, struct buf *text);
/* An /etc/resolv.conf as DHCP would make it. */
void live_resolv_text(const struct cloud *cloud, const struct live_node *node, struct buf *text);

/* netsim/live/internet_hosts.h - the hosts of the lab's internet that have names: what a lab can look up, fetch, and be scanned by.
 *
 * Their addresses are of no block that the lab gives to anybody (elastic_ip.c).   Used by: plan_services.c, services.c, cloud/live_names.c */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "netsim/model/resolver.h"

struct internet_host {
    const char *name; /* "web.example."; NULL ends the list */
    const char *ip4, *ip6;
    uint16_t port;    /* that is served; 0: a machine to run programs in */
};
extern const struct internet_host internet_hosts[];

/* Answers for a name of one of them, or for the name of an address of theirs; false when it is none. */
bool internet_hosts_ask(const char *name, int type, struct dns_answer *answer);

/* netsim/live/internet_hosts.h - the hosts of the lab's internet that have names: what a lab can look up, fetch, and be scanned by.
 *
 * Their addresses are of no block that the lab gives to anybody (elastic_ip.c).   Used by: plan_services.c, services.c, cloud/names.c */
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

/* What the lab's public DNS says where the model's resolver leaves the question to it (DNS_ELSEWHERE): the answer becomes that of the host, or of a
 * service of AWS, that has the name asked for, or the name that its CNAMEs lead to.  False, with 'answer' as it was: none of them has it. */
bool internet_hosts_complete(int type, struct dns_answer *answer);

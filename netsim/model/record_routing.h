/* netsim/model/record_routing.h - which of several records of one name and type is answered: Route 53's routing policies.
 *
 * Records of a name and type that differ in SetIdentifier are chosen from by weight, failover, region (latency), location or as many values
 * together.  Location and region of who asks are those of its VPC's region.  A record with a health check, or an alias that evaluates its
 * target, is unhealthy while every address it leads to belongs to machines that do not run or have failed in the lab; other addresses, and
 * what health checks ask besides, are not known, and taken to be healthy.
 *
 * Sources: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy.html and its pages, dns-failover-complex-configs.html,
 * routing-policy-geo-phz.html, routing-policy-latency-phz.html
 * Used by: resolver.c, hosted_zone_ops.c. */
#pragma once
#include "netsim/model/hosted_zone.h"

/* "Weight", "Failover", "Region", "GeoLocation", "MultiValueAnswer"; NULL: simple. */
const char *record_policy(const struct dns_record_set *record);
/* Policy, its value and SetIdentifier.  InvalidInput: none or several of them, out of range.  UnsupportedOperation: one that a lab cannot
 * decide (by proximity, by the asker's IP address).  InvalidChangeBatch: beside records of another policy, or a second one of its value. */
bool record_policy_check(const struct hosted_zone *zone, const struct dns_record_set *record, struct err *err);

/* The records that may be answered, the one that is first; 'together': all of them are. */
struct record_choice {
    VEC(const struct dns_record_set *) sets;
    bool together;
    char why[96]; /* "by weight (7 of 10)"; "" simple */
};
/* 'region' of the VPC that asks, NULL: from the internet.  'draw' decides where chance does; 0: the one that is most likely. */
void record_choose(const struct network *net, const struct hosted_zone *zone, const char *name, const char *type, const char *region,
                   uint32_t draw, struct record_choice *choice);
void record_choice_done(struct record_choice *choice);

/* netsim/interop/aws_shared.h - what an import tells of sharing: an account's dump lists what another owns.
 *
 * describe-transit-gateways, -subnets and -managed-prefix-lists show an account, beside its own, what is shared with it.
 * Used by: aws_import.c. */
#pragma once
#include "base/vec.h"
#include "netsim/model/network.h"

struct aws_sighting {
    const struct kind *kind;
    char id[ID_SIZE];
    char account[16]; /* whose dump lists it */
};
typedef VEC(struct aws_sighting) aws_sightings;

/* Kinds that are never shared are not noted. */
void aws_sighted(aws_sightings *sightings, const struct kind *kind, const char *id, const char *account);
/* Adds "Shared" [{Id, Account}] to the report: what is another account's than the one whose dump lists it, once each. */
void aws_shared_write(const struct network *net, const aws_sightings *sightings, json_t *report);

/* netsim/model/failure.h - what is out of order in the lab, though it exists: a zone, a NAT gateway, an instance, a virtual interface of
 * Direct Connect.
 *
 * AWS has no call for this and no describe answer shows it; it is the lab's own state, saved with the rest.  In a failed zone every network
 * interface is dead (instances, NAT gateways, attachment subnets of transit gateways, interface endpoints); what is regional goes on.
 * A failed instance or interface keeps its model, its programs and its addresses, and neither sends nor receives until it is restored.
 *
 * Used by: analysis/, live/plan*.c, cloud/ops_failure.c */
#pragma once
#include "netsim/model/network.h"

struct failure {
    struct object obj;        /* id: "failed:" and the target */
    char *type;               /* az | nat | instance | vif */
    char target[ID_SIZE];     /* "us-east-1a", "nat-..", "i-.." */
    int64_t time;             /* since when, ms */
};
extern const struct kind failure_kind;

/* InvalidParameterValue: no such type or zone; the kind's .NotFound; IncorrectState: it has failed already; for restore: it has not. */
struct failure *failure_add(struct network *net, const char *type, const char *target, struct err *err);
bool failure_remove(struct network *net, const char *type, const char *target, struct err *err);
size_t failures_remove_all(struct network *net); /* how many there were */

/* Why the thing is dead; NULL: it is not. */
struct eni;
struct subnet;
struct instance;
struct nat_gateway;
struct virtual_interface;
const struct failure *subnet_failure(const struct network *net, const struct subnet *subnet); /* its zone's */
const struct failure *eni_failure(const struct network *net, const struct eni *eni);          /* its zone's, instance's or NAT gateway's */
const struct failure *nat_failure(const struct network *net, const struct nat_gateway *nat);  /* its own or its zone's */
const struct failure *vif_failure(const struct network *net, const struct virtual_interface *vif); /* its own */

/* netsim/model/hosted_zone.h - Route 53 hosted zones: a domain and its records, for everybody or for the VPCs that the zone is
 * associated with.
 *
 * Names are kept in one form: lower case, a dot at the end, `*` as itself (AWS prints it as \052).  A zone begins with
 * its NS and SOA records.  Sources: https://docs.aws.amazon.com/Route53/latest/APIReference/Welcome.html,
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zones-private.html
 * Used by: resolver.h (what names mean), cloud/ops_route53.c. */
#pragma once
#include "netsim/model/vpc.h"

#define DNS_NAME_SIZE 256 /* 253 characters, a dot, the end */

struct dns_value {
    char *value; /* "10.0.1.5", "other.example.com", "10 mail.example.com" */
};
struct dns_record_set {
    char *name, *type;        /* "db.corp.internal.", "A" */
    char *set_identifier;     /* of a routing policy, with what belongs to it: record_routing.h */
    json_t *weight, *region, *failover, *multi_value, *geo, *health_check, *cidr_routing, *geo_proximity;
    int64_t ttl_s;
    VEC(struct dns_value) values;             /* ResourceRecords */
    char *alias_zone_id, *alias_name;         /* AliasTarget: instead of 'values' */
    bool alias_health;                        /* EvaluateTargetHealth */
};
struct hosted_zone_vpc {
    char *region, *vpc_id;
};
struct hosted_zone {
    struct object obj; /* id: Z and capitals and digits; a global kind */
    char *path /* "/hostedzone/Z..." */, *name /* "corp.internal." */, *caller_reference, *comment;
    bool is_private;
    VEC(struct hosted_zone_vpc) vpcs;             /* of a private zone: at least one */
    VEC(struct hosted_zone_vpc) authorized;       /* VPCs of other accounts that may be associated */
    VEC(struct dns_record_set) records;
};
extern const struct kind hosted_zone_kind;

/* Lower case with a dot at the end, "\052" as `*`.  False: empty, a label of more than 63 characters, more than 253 in all, a blank. */
bool dns_name_read(const char *text, char out[static DNS_NAME_SIZE]);
/* Is 'name' the domain itself or below it?  Both as dns_name_read() gives them. */
bool dns_name_within(const char *name, const char *domain);
const char *dns_name_short(const char *name); /* without the last dot, for messages; rotating buffer */

bool hosted_zone_has_vpc(const struct hosted_zone *zone, const char *vpc_id);
const struct dns_record_set *hosted_zone_record(const struct hosted_zone *zone, const char *name, const char *type); /* the first of them */
/* The one with that SetIdentifier; NULL: the simple one. */
const struct dns_record_set *hosted_zone_record_set(const struct hosted_zone *zone, const char *name, const char *type, const char *identifier);

/* ---- Operations: hosted_zone_ops.c --------------------------------------------------------------------------------- */

/* With NS and SOA records; 'vpc_id' NULL: a public zone.  InvalidDomainName, HostedZoneAlreadyExists (the caller reference was used),
 * InvalidVPCId, ConflictingDomainExists (the VPC has a private zone of that name, or private DNS of an endpoint). */
struct hosted_zone *hosted_zone_create(struct network *net, const char *name, const char *caller_reference, const char *comment,
                                       const char *vpc_id, const char *vpc_region, struct err *err);
/* HostedZoneNotEmpty: records other than the first NS and SOA. */
bool hosted_zone_delete(struct network *net, struct hosted_zone *zone, struct err *err);
/* PublicZoneVPCAssociation, InvalidVPCId, ConflictingDomainExists, NotAuthorizedException (a VPC of another account without the zone
 * owner's authorization). */
bool hosted_zone_associate(struct network *net, struct hosted_zone *zone, const char *vpc_id, const char *region, struct err *err);
bool hosted_zone_disassociate(struct network *net, struct hosted_zone *zone, const char *vpc_id, struct err *err); /* VPCAssociationNotFound,
                                                                                                                      LastVPCAssociation */
bool hosted_zone_authorize(struct network *net, struct hosted_zone *zone, const char *vpc_id, const char *region, struct err *err);
bool hosted_zone_unauthorize(struct network *net, struct hosted_zone *zone, const char *vpc_id, struct err *err);

/* One change of a batch: 'action' CREATE, UPSERT or DELETE; 'record' in AWS's form.  Err InvalidChangeBatch: the record is there already,
 * is not there as given, its values do not fit its type, a CNAME beside others or at the zone's top, a name outside the zone.
 * Changes of a batch are all made or none; the caller puts the zone back (op_call() does). */
bool hosted_zone_change(struct network *net, struct hosted_zone *zone, const char *action, const json_t *record, struct err *err);
/* A record as list-resource-record-sets prints it.  The caller owns it. */
json_t *dns_record_set_json(const struct dns_record_set *record);

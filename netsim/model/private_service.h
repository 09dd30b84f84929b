/* netsim/model/private_service.h - endpoint services: what one account offers to endpoints in other VPCs (AWS PrivateLink).
 *
 * A service stands before Network Load Balancers (interface endpoints) or Gateway Load Balancers (endpoints that routes lead to).  It is in
 * the zones of its balancers.  Endpoints connect to it: from its own account, or from principals it permits; where acceptance is required
 * a connection waits ("pendingAcceptance") until the owner accepts or rejects it.  The connection's state is the endpoint's.
 *
 * Sources: https://docs.aws.amazon.com/vpc/latest/privatelink/create-endpoint-service.html, .../accept-reject-endpoint-requests.html,
 * API_ServiceConfiguration, API_VpcEndpointConnection
 * Used by: endpoint_ops.c, analysis/, interop/, cloud/ops_ec2_endpoint_services.c. */
#pragma once
#include "netsim/model/endpoint.h"
#include "netsim/model/load_balancer.h"

struct service_type {
    char *name; /* Interface | GatewayLoadBalancer */
};
struct service_principal { /* who may make endpoints to it */
    char *type; /* All Account User Role Service OrganizationUnit */
    char *arn;  /* "*", "arn:aws:iam::111122223333:root", a user's, a role's */
    char *permission_id;
};
typedef VEC(char *) service_texts;
struct private_service {
    struct object obj; /* id: vpce-svc-... */
    char *name;        /* "com.amazonaws.vpce.us-east-1.vpce-svc-0a1b" */
    char *state;       /* Available */
    VEC(struct service_type) types;
    service_texts zones, nlb_arns, gwlb_arns, ip_types /* ipv4 ipv6 */, base_dns_names;
    bool acceptance_required, manages_endpoints;
    char *payer;
    char *private_dns_name, *dns_state /* pendingVerification verified failed */, *dns_record_type, *dns_record_value, *dns_record_name;
    VEC(struct service_principal) principals;
    service_texts offered_to; /* other accounts that were shown it by describe-vpc-endpoint-services, where its owner's word is not known */
    bool takes_policy;        /* endpoints may have a policy: AWS's own services */
};
extern const struct kind private_service_kind;
extern const struct field service_principal_fields[]; /* PrincipalType, Principal, ServicePermissionId */

struct private_service *network_private_service(const struct network *net, const char *service_name); /* NULL if the lab knows none */
bool private_service_is_gateway(const struct private_service *service); /* behind Gateway Load Balancers */
/* Is a balancer of it in the lab?  What stands behind another account's is not known: it ends at the endpoint. */
bool private_service_has_balancer(const struct network *net, const struct private_service *service);
/* The service as whoever may use it sees it (ServiceDetail); the caller owns the JSON. */
json_t *private_service_details(const struct network *net, const struct private_service *service);
/* May this caller make endpoints to it?  'arn': of a user or role; NULL: the account's root user. */
bool private_service_admits(const struct private_service *service, const char *account, const char *arn);
/* The private DNS name that endpoints may take; NULL: none, or its domain is not verified. */
const char *private_service_dns_name(const struct private_service *service);
/* The endpoint as the owner of its service sees it (VpcEndpointConnection); the caller owns the JSON. */
json_t *endpoint_connection_json(const struct network *net, const struct endpoint *endpoint, const struct private_service *service);

/* ---- Operations: private_service_ops.c ------------------------------------------------------------------------------------------- */

struct private_service_change { /* what is NULL or 0 stays */
    const char *const *add_nlbs, *const *remove_nlbs, *const *add_gwlbs, *const *remove_gwlbs, *const *add_ip_types,
        *const *remove_ip_types;
    size_t n_add_nlbs, n_remove_nlbs, n_add_gwlbs, n_remove_gwlbs, n_add_ip_types, n_remove_ip_types;
    const char *private_dns_name; /* "": takes it away */
    int acceptance_required;      /* -1: stays */
};
/* InvalidParameter (no balancer, one of another type, of another VPC's owner, or serving another service; both kinds of balancers; an address
 * type the balancers lack), InvalidPrivateDnsName. */
struct private_service *private_service_create(struct network *net, const struct private_service_change *spec, struct err *err);
bool private_service_modify(struct network *net, struct private_service *service, const struct private_service_change *change, struct err *err);
bool private_service_delete(struct network *net, struct private_service *service, struct err *err); /* ExistingVpcEndpointConnections */
/* InvalidPrincipal.  A principal that is there already is added no second time. */
bool private_service_permit(struct network *net, struct private_service *service, const char *arn, struct err *err);
bool private_service_forbid(struct network *net, struct private_service *service, const char *arn, struct err *err);
/* Of a connection that waits, or was rejected / that waits, or was accepted: InvalidState.  InvalidVpcEndpointId.NotFound: none to this service. */
bool private_service_accept(struct network *net, struct private_service *service, const char *endpoint_id, struct err *err);
bool private_service_reject(struct network *net, struct private_service *service, const char *endpoint_id, struct err *err);
/* Nobody outside can publish the record here, so the owner's word counts: the domain becomes verified.  InvalidParameter: no private DNS name. */
bool private_service_verify_dns(struct network *net, struct private_service *service, struct err *err);
/* The service that a balancer stands behind; NULL: none does. */
struct private_service *network_service_of_balancer(const struct network *net, const char *arn);

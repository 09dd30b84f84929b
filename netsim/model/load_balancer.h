/* netsim/model/load_balancer.h - load balancers (network, application, gateway, classic) and their target groups.
 *
 * Kinds of Elastic Load Balancing are named by ARN; their object's id is what follows "loadbalancer/" or "targetgroup/"
 * in it
 * ("net/web/50dc6c495c0c9188"), and both forms are understood.  A balancer is reached at its interfaces, one a subnet,
 * described "ELB net/web/50dc6c495c0c9188". Sources:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html (2015-12-01; classic: 2012-06-01)
 * Used by: analysis/, cloud/ops_elbv2.c. */
#pragma once
#include "netsim/model/eni.h"

struct lb_action_group {
    char *group_arn;
    int32_t weight;
};
struct lb_action {
    char *type;                         /* forward redirect fixed-response authenticate-... */
    char *group_arn;                    /* of a forward action with one group */
    VEC(struct lb_action_group) groups; /* ForwardConfig.TargetGroups */
    int32_t order;
    json_t *stickiness, *redirect, *fixed_response, *cognito, *oidc;
};
struct lb_rule {
    char *arn, *priority /* "1".. or "default" */;
    bool is_default;
    json_t *conditions;
    VEC(struct lb_action) actions;
};
struct lb_listener {
    char *arn, *balancer_arn, *protocol /* TCP UDP TCP_UDP TLS HTTP HTTPS */, *ssl_policy;
    int32_t port;
    json_t *certificates, *alpn;
    json_t *mutual; /* MutualAuthentication: trust_store.h; NULL: off */
    json_t *more_certificates; /* [{CertificateArn}], chosen by the name that a client asks for */
    VEC(struct lb_action) actions; /* DefaultActions */
    VEC(struct lb_rule) rules;     /* without the default one */
};
struct lb_address {
    struct ip ip, private_ip;
    char *allocation_id;
};
struct lb_zone {
    char subnet_id[ID_SIZE];
    char *zone;
    VEC(struct lb_address) addresses;
};
struct lb_attribute {
    char *key, *value;
};
struct load_balancer {
    struct object obj; /* id: "net/NAME/16 hex digits" */
    char *arn, *dns_name, *hosted_zone_id, *name, *scheme /* internet-facing | internal */, *state /* active */,
        *type /* network | application | gateway */, *ip_address_type;
    char vpc_id[ID_SIZE];
    int64_t created_time;
    VEC(struct lb_zone) zones;
    VEC(char *) group_ids;
    VEC(struct lb_listener) listeners;
    VEC(struct lb_attribute) attributes;
    char *endpoint_rules; /* "on" "off": do its groups filter what comes through PrivateLink? NULL: on, if it has groups */
};
extern const struct kind load_balancer_kind;

struct lb_target {
    char *id; /* instance id, address, or ARN of a function or balancer */
    int32_t port;
    char *zone, *health_port, *health /* healthy unhealthy initial unused draining */, *health_reason,
        *health_description;
};
struct target_group {
    struct object obj; /* id: "NAME/16 hex digits" */
    char *arn, *name, *protocol, *protocol_version, *target_type /* instance ip lambda alb */, *ip_address_type;
    int32_t port;
    char vpc_id[ID_SIZE];
    bool health_enabled;
    char *health_protocol, *health_port, *health_path, *matcher_http, *matcher_grpc;
    int32_t health_interval_s, health_timeout_s, healthy_count, unhealthy_count;
    VEC(char *) balancer_arns;
    VEC(struct lb_target) targets;
    VEC(struct lb_attribute) attributes; /* none in imports without them: AWS's defaults hold */
};
extern const struct kind target_group_kind;

bool load_balancer_is_network(const struct load_balancer *lb);
bool load_balancer_filters_endpoints(const struct load_balancer *lb); /* its groups are asked about traffic from endpoints */
/* The balancer whose interface it is; NULL if it belongs to none. */
struct load_balancer *network_load_balancer_of_eni(const struct network *net, const struct eni *eni);
/* Its interfaces, in order of creation; borrowed until the next change. */
size_t load_balancer_enis(const struct network *net, const struct load_balancer *lb, struct eni *const **enis);
struct load_balancer *network_load_balancer(const struct network *net,
                                            const char *arn_or_id); /* NULL if there is none */
struct target_group *network_target_group(const struct network *net, const char *arn_or_id);
/* "load_balancing.cross_zone.enabled": balancers of type application always do. */
bool load_balancer_crosses_zones(const struct load_balancer *lb);
const char *target_group_attribute(const struct target_group *group, const char *key); /* NULL if not set */
/* "load_balancing.cross_zone.enabled" of the group, which may leave it to the balancer. */
bool target_group_crosses_zones(const struct target_group *group, const struct load_balancer *lb);
/* "preserve_client_ip.enabled" of a network balancer's group; not set: for instances and udp, not for addresses over tcp. */
bool target_group_keeps_client(const struct target_group *group);
/* "proxy_protocol_v2.enabled": the PROXY header stands before the bytes of a connection. */
bool target_group_sends_header(const struct target_group *group);
const char *load_balancer_attribute(const struct load_balancer *lb, const char *key); /* NULL if not set */

/* ---- Operations: load_balancer_ops.c, target_group_ops.c, listener_ops.c ---------------------------------------------- */
extern const struct field lb_listener_fields[], lb_rule_fields[], lb_attribute_fields[];

struct lb_subnet {
    const char *subnet_id, *allocation_id; /* an Elastic IP for it; NULL: none or any */
    struct ip private_ip;                  /* IP_NONE: any */
};
struct lb_spec {
    const char *name, *type /* application | network | gateway */, *scheme /* internet-facing | internal */;
    const char *ip_address_type; /* ipv4 | dualstack; NULL: ipv4 */
    const struct lb_subnet *subnets;
    size_t n_subnets;
    const char *const *groups; /* none: the VPC's default group (application), none at all (network) */
    size_t n_groups;
};
/* With an interface in each subnet, public unless internal.  ValidationError (name, too few zones), DuplicateLoadBalancerName,
 * SubnetNotFound, InvalidSubnet (no internet gateway), InvalidConfigurationRequest, InvalidSecurityGroup, errors of eni_create().  After a
 * failure the network is to be put back by the caller (op_call() does). */
struct load_balancer *load_balancer_create(struct network *net, const struct lb_spec *spec, struct err *err);
bool load_balancer_delete(struct network *net, struct load_balancer *lb, struct err *err); /* OperationNotPermitted: protected */
bool load_balancer_set_groups(struct network *net, struct load_balancer *lb, const char *const *ids, size_t n, struct err *err);
/* What comes through PrivateLink: do the rules of its groups count for it?  Without groups it changes nothing. */
void load_balancer_filter_endpoints(struct network *net, struct load_balancer *lb, bool filter);
bool load_balancer_set_subnets(struct network *net, struct load_balancer *lb, const struct lb_subnet *subnets, size_t n, struct err *err);
/* ValidationError: a key that the balancer does not have, a flag that is neither true nor false. */
bool load_balancer_set_attribute(struct network *net, struct load_balancer *lb, const char *key, const char *value, struct err *err);

/* ipv4 or dualstack: the interfaces gain or lose an IPv6 address.  InvalidSubnet (no IPv6 block), ValidationError. */
bool load_balancer_set_ip_type(struct network *net, struct load_balancer *lb, const char *type, struct err *err);

struct health_spec { /* NULL or 0: as it is, or AWS's default for a new group */
    const char *protocol, *port, *path, *http_codes, *grpc_codes;
    int interval_s, timeout_s, healthy, unhealthy;
};
struct target_group_spec {
    const char *name, *protocol, *vpc_id, *target_type /* instance | ip | alb; NULL: instance */;
    const char *version /* HTTP1 HTTP2 GRPC */, *ip_address_type /* ipv4 | ipv6; NULL: ipv4 */;
    int port;
    struct health_spec health;
};
/* ValidationError: what the protocol cannot have, a time or count out of range. */
bool target_group_modify(struct network *net, struct target_group *group, const struct health_spec *health, struct err *err);
/* ValidationError: stickiness is on and lacks what it needs.  For when all attributes of a request are set. */
bool target_group_check_stickiness(const struct target_group *group, struct err *err);
bool target_group_set_attribute(struct network *net, struct target_group *group, const char *key, const char *value, struct err *err);
/* ValidationError, DuplicateTargetGroupName. */
struct target_group *target_group_create(struct network *net, const struct target_group_spec *spec, struct err *err);
bool target_group_delete(struct network *net, struct target_group *group, struct err *err); /* ResourceInUse */
/* 'port' 0: the group's.  InvalidTarget: an instance that is not running or of another VPC, an address that is neither of the VPC nor
 * private; not registered.  Deregistering with port 0 takes every port. */
bool target_group_register(struct network *net, struct target_group *group, const char *id, int port, const char *zone, struct err *err);
bool target_group_deregister(struct network *net, struct target_group *group, const char *id, int port, struct err *err);

/* 'json' has AWS's members Protocol, Port, DefaultActions, Certificates, MutualAuthentication.  ValidationError, DuplicateListener, TargetGroupNotFound,
 * TargetGroupAssociationLimit, InvalidConfigurationRequest, InvalidLoadBalancerAction, CertificateNotFound, TooManyCertificates, SSLPolicyNotFound,
 * TrustStoreNotFound,
 * ALPNPolicyNotSupported.  Borrowed until the balancer changes. */
struct lb_listener *load_balancer_listen(struct network *net, struct load_balancer *lb, const json_t *json, struct err *err);
struct lb_listener *network_listener(const struct network *net, const char *arn, struct load_balancer **owner); /* NULL if none */
/* The same members; those that are not there stay. */
bool listener_modify(struct network *net, struct load_balancer *lb, struct lb_listener *listener, const json_t *json, struct err *err);
/* [{CertificateArn}] beside the default one.  CertificateNotFound, TooManyCertificates, ValidationError (a listener without TLS). */
bool listener_add_certificates(struct network *net, struct lb_listener *listener, const json_t *certificates, struct err *err);
/* OperationNotPermitted: the default one. */
bool listener_drop_certificates(struct network *net, struct lb_listener *listener, const json_t *certificates, struct err *err);
bool listener_has_tls(const struct lb_listener *listener); /* HTTPS or TLS */
/* Of a network balancer: do connections of TCP end at its nodes and begin anew?  For TLS, and where a group wants the PROXY header. */
bool listener_ends_at_node(const struct network *net, const struct lb_listener *listener);
void listener_delete(struct network *net, struct load_balancer *lb, struct lb_listener *listener);
/* 'json' has Priority (text), Conditions and Actions.  PriorityInUse, ValidationError, and as above. */
struct lb_rule *listener_add_rule(struct network *net, struct load_balancer *lb, struct lb_listener *listener, const json_t *json,
                                  struct err *err);
/* Conditions and Actions; those that are not there stay.  Errors as of listener_add_rule(), RuleNotFound. */
struct lb_rule *rule_modify(struct network *net, const char *arn, const json_t *json, struct err *err);
/* [{RuleArn, Priority}], all at once.  RuleNotFound, PriorityInUse, ValidationError; after a failure the caller puts the network back. */
bool rules_set_priorities(struct network *net, const json_t *priorities, struct err *err);
struct lb_rule *network_rule(const struct network *net, const char *arn, struct load_balancer **lb, struct lb_listener **listener); /* NULL */
/* May a request from 'client' meet the rule's conditions?  Only source-ip conditions are known of a packet.  'always': every one does. */
bool rule_may_take(const struct lb_rule *rule, const struct ip *client, bool *always);
/* The n-th block that its source-ip conditions name (IP_NONE: what stands there is none); false: there are not so many. */
bool rule_source_block(const struct lb_rule *rule, size_t n, struct cidr *block);
bool rule_delete(struct network *net, const char *arn); /* false: there is none */

/* netsim/model/classic_balancer.h - Classic Load Balancers: listeners on ports of tcp that instances are registered behind.
 *
 * They have no ARNs in requests but names, unique in an account and region: the first of a name in a lab has it for its id, any further
 * "ACCOUNT/REGION/NAME".  A balancer is reached at its interfaces, one a subnet, described "ELB name".  Instances see its address, not the client's.
 *
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/Welcome.html, .../classic/introduction.html
 * Used by: analysis/, cloud/ops_elb.c. */
#pragma once
#include "netsim/model/eni.h"

struct classic_listener {
    char *protocol, *instance_protocol /* HTTP HTTPS TCP SSL */, *certificate_id;
    int32_t port, instance_port;
    VEC(char *) policies;
};
struct classic_instance {
    char id[ID_SIZE];
};
struct classic_balancer {
    struct object obj; /* id: its name, or what tells it from one of that name elsewhere */
    char *dns_name, *hosted_zone_name, *hosted_zone_id, *scheme /* internet-facing | internal */;
    char vpc_id[ID_SIZE];
    int64_t created_time;
    VEC(struct classic_listener) listeners;
    VEC(char *) zones, subnet_ids, group_ids;
    VEC(struct classic_instance) instances;
    char *health_target; /* "TCP:80", "HTTP:80/index.html" */
    int32_t health_interval_s, health_timeout_s, unhealthy_count, healthy_count;
    char *source_group_owner, *source_group_name;
    json_t *policies, *backends; /* as describe-load-balancers shows them */
    json_t *more_policies; /* of "OtherPolicies" whose meaning is known: [{PolicyName, PolicyTypeName, PolicyAttributeDescriptions}] */
    bool cross_zone, draining; /* not in describe-load-balancers: an import has AWS's default, off */
    int32_t draining_s, idle_s;
};
extern const struct kind classic_balancer_kind;
extern const struct field classic_instance_fields[]; /* InstanceId */

const char *classic_balancer_name(const struct classic_balancer *lb);
/* The one of that name in an account and region; NULL if there is none. */
struct classic_balancer *network_classic_balancer(const struct network *net, const char *name, const char *account, const char *region);
/* The id of a balancer of that name there, while 'taken' says the name itself is another's id. */
void classic_balancer_id(const char *name, const char *account, const char *region, bool taken, char id[static ID_SIZE]);
struct classic_balancer *network_classic_balancer_of_eni(const struct network *net, const struct eni *eni); /* NULL */
/* Its interfaces, in order of creation; borrowed until the next change. */
size_t classic_balancer_enis(const struct network *net, const struct classic_balancer *lb, struct eni *const **enis);
/* What a listener's protocol asks of its node: ends it TLS, reads it HTTP? */
bool classic_listener_has_tls(const struct classic_listener *listener); /* HTTPS or SSL */
bool classic_listener_is_web(const struct classic_listener *listener);  /* HTTP or HTTPS */
/* Either, or TLS or the PROXY header towards instances: connections end at the node. */
bool classic_listener_is_proxied(const struct classic_balancer *lb, const struct classic_listener *listener);
bool classic_listener_sends_tls(const struct classic_listener *listener); /* to its instances */
/* The port of its health checks; 0: none is set. */
int classic_balancer_health_port(const struct classic_balancer *lb);

/* ---- Operations: classic_balancer_ops.c -------------------------------------------------------------------------------------------- */

struct classic_spec {
    const char *name, *scheme /* NULL: internet-facing */;
    const json_t *listeners; /* [{Protocol, LoadBalancerPort, InstanceProtocol, InstancePort, SSLCertificateId}] */
    const char *const *subnets, *const *groups; /* no groups: the VPC's default one */
    size_t n_subnets, n_groups;
};
/* ValidationError, DuplicateLoadBalancerName, SubnetNotFound, InvalidSubnet, InvalidConfigurationRequest (two subnets of one zone, of two VPCs),
 * InvalidSecurityGroup, UnsupportedProtocol, DuplicateListener, errors of eni_create().  After a failure of any of these the network is to be
 * put back by the caller. */
struct classic_balancer *classic_balancer_create(struct network *net, const struct classic_spec *spec, struct err *err);
void classic_balancer_delete(struct network *net, struct classic_balancer *lb);
bool classic_balancer_listen(struct network *net, struct classic_balancer *lb, const json_t *listeners, struct err *err);
/* The certificate of a listener that ends TLS.  ListenerNotFound, CertificateNotFound, InvalidConfigurationRequest (it ends none). */
bool classic_balancer_certify(struct network *net, struct classic_balancer *lb, int port, const char *certificate, struct err *err);
bool classic_balancer_unlisten(struct network *net, struct classic_balancer *lb, int port, struct err *err); /* ListenerNotFound */
bool classic_balancer_add_subnet(struct network *net, struct classic_balancer *lb, const char *subnet_id, struct err *err);
bool classic_balancer_drop_subnet(struct network *net, struct classic_balancer *lb, const char *subnet_id, struct err *err);
bool classic_balancer_set_groups(struct network *net, struct classic_balancer *lb, const char *const *ids, size_t n, struct err *err);
/* InvalidInstance: not there, of another VPC; not registered. */
bool classic_balancer_register(struct network *net, struct classic_balancer *lb, const char *instance_id, struct err *err);
bool classic_balancer_deregister(struct network *net, struct classic_balancer *lb, const char *instance_id, struct err *err);
/* 'json' has AWS's members Target, Interval, Timeout, UnhealthyThreshold, HealthyThreshold.  ValidationError. */
bool classic_balancer_check_health(struct network *net, struct classic_balancer *lb, const json_t *json, struct err *err);

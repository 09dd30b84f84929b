/* netsim/live/plan_balancer.h - which targets a node of a load balancer sends to.   Used by: plan_balancer.c, health.c, balancer.c,
 * relay.c */
#pragma once
#include "base/map.h"
#include "netsim/model/instance.h"
#include "netsim/model/load_balancer.h"

struct balancer_target {
    const struct target_group *group;
    const struct lb_target *target;
    struct ip ip;
    int port;
    const char *zone;  /* NULL: not known */
    bool keeps_client; /* it sees the client's address */
    bool healthy;
    int weight, n_alike; /* of its group in the listener; how many share that */
    int slots;           /* its part of the listener's connections */
};
typedef VEC(struct balancer_target) balancer_target_vec;

/* False: it has no address now (a stopped instance, a function). */
bool balancer_target_address(const struct network *net, const struct load_balancer *lb, const struct target_group *group,
                             const struct lb_target *target, struct balancer_target *out);
/* Adds those of the group that a node in the zone may send to: the healthy ones, or all when none is.  'unhealthy' has keys as
 * balancer_target_key() makes them; NULL: all are well. */
void balancer_targets(const struct network *net, const struct load_balancer *lb, const char *node_zone, const struct target_group *group,
                      const struct map *unhealthy, balancer_target_vec *out);
/* Those of a network balancer's listener, with their parts: a group's weight is shared by its targets. */
void balancer_listener_targets(const struct network *net, const struct load_balancer *lb, const char *zone,
                               const struct lb_listener *listener, const struct map *unhealthy, balancer_target_vec *out);
/* All connections of a client go to one target (`source_ip`). */
bool balancer_is_sticky(const struct network *net, const struct lb_listener *listener);
/* Counts in a node what it translates: its chains do not change with the targets, so the counters last. */
struct builder;
struct plan_ns;
void balancer_count(struct builder *b, struct plan_ns *ns);
#define BALANCER_KEY_SIZE 320
struct classic_balancer;
const char *balancer_classic_key(const struct classic_balancer *lb, const char *instance_id, char out[static BALANCER_KEY_SIZE]);
/* The instance's interface; NULL where the node sends nothing: not running, of a zone that it does not serve (NULL: serves all). */
const struct eni *balancer_classic_instance(const struct network *net, const struct classic_balancer *lb, const char *node_zone,
                                            const char *instance_id);
/* Addresses of those in service that the node 'node' may send to; 'unhealthy' as in balancer_targets(). */
typedef VEC(struct ip) balancer_ip_vec;
void balancer_classic_instances(const struct network *net, const struct classic_balancer *lb, const struct eni *node,
                                const struct map *unhealthy, balancer_ip_vec *out);
const char *balancer_target_key(const struct target_group *group, const struct lb_target *target, char out[static BALANCER_KEY_SIZE]);

/* netsim/live/services.h - what answers inside a live lab: instance metadata, the resolver, hosts of the internet.
 *
 * The plan says which service listens where (struct plan_service); services_sync() opens and closes sockets by it.  All of them are served by
 * the keeper's own loop, in no process of their own, and read the model as it is at the moment of the question.  What another room knows
 * (credentials of roles, objects in S3) comes through 'hooks'.
 *
 * Uses: reactor.h, http_server.h, plan.h.   Used by: live.c */
#pragma once
#include "netsim/live/apply.h"
#include "netsim/live/http_server.h"
#include "netsim/live/live.h"
#include "netsim/model/instance.h"

struct services;
struct services *services_new(const struct live_hooks *hooks, struct err *err);
void services_free(struct services *services);
int services_fd(const struct services *services);
void services_run(struct services *services);
void services_tick(struct services *services); /* about once a second */
bool services_want_plan(struct services *services); /* targets of balancers became healthy or unhealthy since the last call: a new plan is due */
/* Takes note of what the model says now, before a plan is made by it. */
void services_note(struct services *services);
const struct map *services_unhealthy(const struct services *services); /* for struct plan_numbers */
const struct buf *services_console(const struct services *services, const char *instance_id); /* boot_console() */
json_t *services_health_json(const struct services *services); /* health_json() */
bool services_health(const struct services *services, const char *target_key, struct live_health *out); /* health_state() */
/* Opens what 'plan' wants and is not open, closes what it no more wants. A socket that the kernel refuses is left out. */
void services_sync(struct services *services, const struct spaces *spaces, const struct plan *plan);

/* One service at one address. */
struct service_place {
    struct services *services;
    enum plan_service_kind kind;
    const char *ns, *id; /* the namespace; what the service is about (a VPC's id) */
};
/* What balancers count by themselves: 'name' as CloudWatch has it, 'group' "-" where none was chosen. */
void services_count(struct services *services, const char *name, const char *balancer, const char *group);
void services_count_bytes(struct services *services, const char *balancer, uint64_t n); /* as "bytes-http" */
typedef void services_visit(void *context, const char *name, const char *balancer, const char *group, uint64_t n);
void services_counts(const struct services *services, services_visit *visit, void *context);
const struct network *services_network(const struct services *services);
const struct live_hooks *services_hooks(const struct services *services);
/* A TCP connection begun inside the namespace, not waited for; -1 if the kernel refuses at once. */
int services_connect(const struct spaces *spaces, const struct space *space, const struct ip *ip, int port);
/* What a balancer passes on: marked for its node's rules (PLAN_MARK_PROXIED, _RELAYED, _RELAYED_TLS), and with the client's own address and port where
 * 'as' is not NULL. */
int services_connect_proxied(const struct services *services, const char *ns, unsigned mark, const struct ip *ip, int port, const struct ip *as,
                             int as_port);
/* A socket inside the namespace; -1: there is none, or no such namespace. */
int services_socket(const struct services *services, const char *ns, int domain, int type, int protocol);
struct tls_book;
struct tls_book *services_tls(const struct services *services);

/* ---- the services, each in its file */
struct metadata; /* tokens given out */
struct metadata *metadata_new(void);
void metadata_free(struct metadata *metadata);
void metadata_tick(struct metadata *metadata);
/* Answers an instance of VPC place->id. */
void metadata_answer(struct metadata *metadata, const struct service_place *place, struct http_exchange *exchange);

/* netsim/live/live.h - the network built for real: namespaces, veth, routes, nftables; and packets through it.
 *
 * plan.h computes from the model, as pure data, what the kernel must hold; live_update() applies the difference between two plans, so a
 * change costs what changed.  The keeper (keeper.h) is the one process that owns the namespaces; when it dies, by any signal, the kernel
 * takes everything with it.  live/ never includes analysis/: the two are each other's test.
 *
 * How AWS objects become Linux objects: docs/LIVE.md.   Uses: netsim/model, flowlog, libnl, libnftables.   Used by: cloud/ */
#pragma once
#include "base/err.h"
#include "base/json.h"
#include "base/progress.h"
#include "netsim/model/network.h"

struct live; /* lives in the keeper process */
struct instance;
struct http_exchange;

/* What a program in an instance finds: its host name, /etc/hosts and /etc/resolv.conf, and whom it trusts. */
struct live_identity {
    char hostname[64];
    struct buf hosts, resolv; /* the caller frees them */
    const char *authority;    /* PEM that its programs trust beside the machine's own; NULL: none */
};
/* What the lab's services ask of the rooms that live/ does not see. */
struct live_hooks {
    void *context;
    const struct network *(*network)(void *context); /* as it is now */
    /* The role of the instance's profile: its name, or NULL (no profile, or one without a role). */
    const char *(*role)(void *context, const struct instance *instance);
    /* Credentials for it, as instance metadata shows them: {"AccessKeyId", "SecretAccessKey", "Token", "LastUpdated", "Expiration"}; NULL when the role does not
     * trust EC2.  The caller owns them. */
    json_t *(*credentials)(void *context, const struct instance *instance);
    int64_t (*now_ms)(void *context); /* the lab's clock */
    void (*identity)(void *context, const struct instance *instance, struct live_identity *identity);
    /* A request to S3, through the endpoint ("": by the internet). */
    void (*s3)(void *context, const char *endpoint_id, struct http_exchange *exchange);
};

/* Builds everything inside the caller's (new) namespaces.  ERR_MACHINE with the exact missing thing and its remedy. */
struct live *live_start(const struct network *net, const struct progress *progress, struct err *err);
/* The same with every packet by itself, as on a wire, where otherwise large TCP transfers travel as packets of many segments: flow logs then count
 * packets as AWS does, and transfers are several times slower. */
struct live *live_start_exact(const struct network *net, const struct progress *progress, struct err *err);
/* Brings the kernel to the model as it is now, in one transaction per namespace.  On failure the kernel is as it was. */
bool live_update(struct live *live, const struct network *net, struct err *err);
void live_stop(struct live *live);

/* From now on the lab's services answer (services.h); 'hooks' is copied.  live_update() keeps them with the model.  What they wait for is ready when
 * live_fd() can be read: then live_ready() is to be called, and live_tick() about once a second. */
bool live_serve(struct live *live, const struct live_hooks *hooks, struct err *err);
int live_fd(const struct live *live); /* -1: nothing is served */
void live_ready(struct live *live);
void live_tick(struct live *live);
/* What the user data of an instance has printed since the lab is live; NULL: nothing. */
const struct buf *live_console(const struct live *live, const char *instance_id);
struct target_group;
struct lb_target;
struct classic_balancer;
/* What the health checks of the live lab say, and why the latest failed. */
struct live_health {
    const char *state; /* "initial" "healthy" "unhealthy" */
    enum live_health_why { LIVE_HEALTH_WELL, LIVE_HEALTH_TIMEOUT, LIVE_HEALTH_CONNECTION, LIVE_HEALTH_STATUS } why;
    int status; /* of HTTP, with LIVE_HEALTH_STATUS */
};
/* False: it is not checked. */
json_t *live_health(const struct live *live); /* of all: {group or Classic balancer: {target: state}}; the caller owns it */
bool live_target_health(const struct live *live, const struct target_group *group, const struct lb_target *target, struct live_health *out);
bool live_instance_health(const struct live *live, const struct classic_balancer *lb, const char *instance_id, struct live_health *out);

const char *live_router_end(const struct live *live, const char *eni_id); /* "e12": an interface's link in its router; NULL: none */
/* File descriptor of the network namespace of an instance (or "internet", "router:vpc-.."), borrowed; -1 if there is none. */
int live_namespace(const struct live *live, const char *id);
/* A socket in such a namespace, bound to address and port ('ip' NULL: any; port 0: any), listening if it is a TCP socket with a port; it can be used wherever
 * its descriptor is, which is the caller's.  -1 with ERR_INPUT `IncorrectState` when the port is taken. */
int live_socket(const struct live *live, const char *id, int family, int protocol, const struct ip *ip, int port, struct err *err);
/* A TAP host ('id': an interface, or an instance by its primary one) has no sockets, but lends a port: the descriptor carries its IP packets
 * (tap_hosts_lend(), tap_flow.h); '*ip' is the address of the family to send from.  -1 with InvalidParameterValue, ERR_MACHINE. */
int live_host_socket(const struct live *live, const char *id, int family, int protocol, struct ip *ip, int *port, struct err *err);

/* For a program of the node: '*guest' is what the programs of an instance share, borrowed, and '*user_fd' its user namespace; NULL and -1 where programs
 * run as the keeper's own (routers, gateways, the internet).  False with 'err' when there is no such node or it cannot be made. */
struct guest;
bool live_guest(const struct live *live, const char *id, const struct guest **guest, int *user_fd, struct err *err);

/* ---- probes: real packets, many at once ------------------------------------------------------------------------ */
struct live_probe {
    char from[ID_SIZE]; /* instance or interface id, or "internet" */
    char to[ID_SIZE];   /* likewise */
    const char *also;   /* further ones, ids with spaces between, of whom one may get it (behind a balancer); NULL: none */
    struct ip src, dst; /* header of the packet as it leaves; src IP_NONE: the sender's own address */
    int protocol, dst_port, src_port; /* src_port 0: a free one; icmp: dst_port holds the type, src_port the code */
    /* out: */
    bool arrived;       /* it was seen at 'to', or at one of 'also' */
    size_t receiver;    /* 0: at 'to'; 1: at the first of 'also' ... */
    bool replied;       /* the answer was seen back at 'from' */
    bool refused;       /* and it said that the TCP port is closed */
    struct ip seen_src, seen_dst; /* header as it arrived */
    int seen_src_port, seen_dst_port;
    int64_t rtt_us;
    char kept_at[ID_SIZE]; /* the endpoint of a gateway load balancer that it, or its answer, went into and did not come out of; "": none */
};
/* Sends all, then waits until all that will come has come (at most 'timeout_ms'). Traffic stays inside the lab. */
bool live_probe(struct live *live, struct live_probe *probes, size_t n, int timeout_ms, struct err *err);

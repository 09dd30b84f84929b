/* netsim/live/keeper.h - the one process that owns a live lab, and how commands reach it.
 *
 * keeper_spawn() forks a process that enters new user, mount, network and PID namespaces and is PID 1 of the last: when it dies, by any
 * signal, the kernel ends every process in the lab and frees every namespace, link and rule.  It listens on a Unix socket (mode 0600 in a 0700
 * directory; the peer's uid must be ours, and the peer outside the lab).  A message is a 4-byte little-endian size and that many bytes of JSON, one object, with up to 8 file
 * descriptors beside it (SCM_RIGHTS).  One request, one reply, then the connection closes.
 *
 *     {"op": ["ec2", "CreateVpc"], "in": {...}, "as": ...}      -> {"out": {...}, "no": false} or {"error": {...}}
 *     {"enter": "i-0a.."}                                       -> {} and descriptors: user, mnt, pid, net namespaces, for keeper_exec(); for an instance
 *                                                                  its user namespace and that of its mounts besides
 *     {"router_end": "eni-0a.."}                                -> {"link": "e12"}: its link's name in the router
 *     {"stop": true}                                            -> {} once everything is gone
 *
 * The keeper knows none of these words: cloud/ serves them.  Used by: cloud/keeper_link.c, cloud/ops_live.c */
#pragma once
#include <stdbool.h>
#include "base/err.h"
#include "base/json.h"
#include "base/progress.h"

#define KEEPER_FDS_MAX 8
struct keeper_message {
    json_t *json; /* owned */
    int fds[KEEPER_FDS_MAX];
    int n_fds;
};

struct keeper_hooks {
    void *context; /* the forked copy of the caller's memory */
    /* Builds the lab, inside the new namespaces. Progress reaches the parent's 'progress'. */
    bool (*start)(void *context, const struct progress *progress, struct err *err);
    /* Answers one request; the reply's fds are duplicates that the keeper closes after sending. Sets *stop to end the keeper. */
    void (*serve)(void *context, const struct keeper_message *request, struct keeper_message *reply, bool *stop);
    /* Called about every 'tick_ms' (flow log windows). */
    void (*tick)(void *context);
    int tick_ms;
    /* What the lab serves beside commands: when the descriptor can be read, 'ready' is called.  NULL, or -1 for a while: nothing. */
    int (*fd)(void *context);
    void (*ready)(void *context);
    void (*stopped)(void *context); /* before it exits by request */
    /* The lab belongs to the process that calls keeper_spawn(): when that ends, however it ends, the keeper stops too and then calls
     * this, to remove what the process would have removed.  NULL: the lab lives until somebody stops it. */
    void (*orphaned)(void *context);
    /* The lab's directory: when somebody removes it, or the socket, nobody can reach the lab any more and the keeper stops. NULL: none. */
    const char *place;
};

/* Forks the keeper and waits until it is ready or has failed; then 'err' is the keeper's. The caller's flock descriptors stay with the keeper. */
bool keeper_spawn(const char *socket_path, const struct keeper_hooks *hooks, const struct progress *progress, struct err *err);

/* True if a keeper answers there. A socket file whose keeper is dead is removed. */
bool keeper_is_alive(const char *socket_path);

/* One request and its reply. ERR_MACHINE when no keeper answers. Takes neither message; the caller frees the reply (keeper_message_done). */
bool keeper_call(const char *socket_path, const struct keeper_message *request, struct keeper_message *reply, struct err *err);
void keeper_message_done(struct keeper_message *message); /* decref and close */

/* Sends {"stop": true} and waits until the keeper process and all it held are gone.  ERR_MACHINE when none answers. */
bool keeper_stop(const char *socket_path, struct err *err);

/* The namespaces that a program enters; the last two are an instance's, -1: none. */
enum { KEEPER_USER, KEEPER_MOUNT, KEEPER_PID, KEEPER_NET, KEEPER_GUEST, KEEPER_FILES, KEEPER_NAMESPACES };
struct guest;
/* Fills 'reply' with duplicates of the keeper's own user, mount and pid namespaces and of 'net_fd': what keeper_exec() wants.  With a 'guest'
 * (live_guest()) its PID namespace takes the place of the keeper's, and 'guest_user' and its files come after. */
bool keeper_reply_namespaces(struct keeper_message *reply, int net_fd, const struct guest *guest, int guest_user, struct err *err);

#define KEEPER_NODE_VARIABLE "VPCLAB_NODE" /* tells a program where it runs: options.name */
#define KEEPER_PROGRAM_DIRECTORY "/run/vpclab" /* in an instance that cannot see it at its place: this very program; at the end of PATH */

#define KEEPER_TRUSTED "/etc/ssl/certs/ca-certificates.crt" /* where there is such a file; SSL_CERT_FILE names it then */
struct keeper_exec_options {
    const char *name;       /* of the machine, as people call it: "web" */
    const char *hostname;   /* of the UTS namespace: "ip-10-0-1-10" */
    const char *hosts;      /* text bound over /etc/hosts; NULL: none */
    const char *resolv;     /* text bound over /etc/resolv.conf; NULL: none */
    const char *authority;  /* PEM added to what the machine's programs trust (KEEPER_TRUSTED); NULL: none */
    const char *lab;        /* directory of the lab, which an instance must not see; NULL: none */
    bool detach;            /* do not wait; output to /dev/null */
};
/* Runs argv in the namespaces given by 'fds', with the caller's terminal; returns its exit status, 128 + signal when it was
 * killed, or -1 with 'err'. */
int keeper_exec(const int fds[static KEEPER_NAMESPACES], char *const *argv, const struct keeper_exec_options *options, struct err *err);

/* In the keeper itself: starts 'script' (it begins with `#!`) in an instance, with its output to 'out_fd', and does not wait. */
bool keeper_run_script(int net_fd, const struct guest *guest, int guest_user, const char *script, size_t size, const struct keeper_exec_options *options, int out_fd, struct err *err);

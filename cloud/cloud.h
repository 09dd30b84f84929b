/* cloud/cloud.h - a lab: accounts, network, live kernel and saving, under all faces.
 *
 * A lab is a directory (DESIGN.md section 3).  cloud_open() reads it; operations (op.h) work on it; op_run() saves it after each
 * change.  Nothing here assumes a terminal: faces print.
 *
 * Uses: iampolicy/, netsim/.   Used by: shell/, scenarios/ (which see only cloud/ and base/). */
#pragma once
#include <stdio.h>
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/json.h"
#include "base/progress.h"

struct network;
struct iam_accounts; /* iampolicy/account.h */
struct live;
struct flow_capture;
struct metrics;
struct lab_dir; /* cloud/state.h: paths, lock, journal */
struct caller;  /* cloud/caller.h */

/* Whence a request came that was made inside the live lab. */
struct call_origin {
    const char *source_ip; /* as the service sees it */
    const char *vpc_id, *endpoint_id, *endpoint_policy; /* NULL: not through an endpoint */
    bool anonymous;        /* nobody signed it */
    bool plain;            /* it did not come inside TLS */
};
struct cloud {
    struct id_gen ids;
    struct clock clock;
    struct network *net;
    struct iam_accounts *accounts;
    struct lab_dir *dir;   /* NULL: a lab that is never saved (vpclab run, unit tests) */
    bool exact;            /* `up --exact`: live_start_exact() */
    struct live *live;     /* in the keeper process while live; else NULL */
    struct flow_capture *flows; /* likewise: flow_capture.h */
    struct metrics *metrics;    /* likewise: metrics.h */
    char account[16], region[24]; /* where things are done now: the account of who acts, the region asked for */
    char home_account[16]; /* the lab's own account, as saved: "123456789012" */
    char home_region[24];  /* the lab's own region, as saved; 'region' is this unless an option said otherwise */
    bool limits;           /* AWS's default quotas are enforced */
    char *as;              /* who acts, as cloud_act_as() understood it; NULL: the root user of the lab's account */
    json_t *unsigned_by;   /* userIdentity of a call that an identity provider vouches for, until the journal has it */
    const struct call_origin *origin; /* of the operation under way; NULL: this machine */
    struct caller *caller; /* the same in full while an operation runs; NULL: the root user of the lab's account */
};

struct cloud_options {
    const char *lab;    /* name or directory; NULL: $VPCLAB_LAB, else "default" */
    const char *region; /* NULL: as saved, else us-east-1 */
    const char *as;     /* who acts; see cloud_act_as() */
    bool unread;        /* the lab is neither read nor begun: for operations about labs (op.h 'no_lab'); 'dir' NULL if it is not there */
    bool later;         /* a live lab is not read here before cloud_refresh(), or an operation that its keeper does not do: for those it does */
    bool throw_away;    /* a temporary directory, removed by cloud_close() */
    bool bare;          /* a new lab starts empty, without the default VPC */
    bool no_limits;     /* a new lab without AWS's default quotas */
    uint64_t seed;      /* for a new lab; 0: random */
};
/* Opens or begins the lab.  ERR_DOCUMENT with place for a damaged or newer state file (nothing is overwritten), ERR_MACHINE when the
 * directory cannot be made or read. */
struct cloud *cloud_open(const struct cloud_options *options, struct err *err);
void cloud_close(struct cloud *cloud); /* NULL is fine */
/* Takes over what other processes have changed since; cheap when nothing has.  Operations do this themselves: it is for a face that looks
 * names up or completes them while the lab stays open. */
bool cloud_refresh(struct cloud *cloud, struct err *err);
/* From now on operations are made by 'who', and are refused unless its policies allow them: the name or ARN of a user or role, "user/NAME",
 * "role/NAME", the ARN or access key id of a session that STS gave, the access key id of a user, "root", an account's 12 digits, its name in its
 * organization or its root ARN (that account's root user).  NULL or "root": the root user of the lab's account, as at first.
 * NoSuchEntity when the lab has none such; ERR_USAGE when the name is both a user's and a role's. */
bool cloud_act_as(struct cloud *cloud, const char *who, struct err *err);
/* Everybody whom cloud_act_as() may be given by a short name: users and roles of the lab's account, "root", and sessions that still last. */
void cloud_each_principal(const struct cloud *cloud, void (*each)(void *context, const char *who, const char *detail), void *context);
char *cloud_who(const struct cloud *cloud); /* the ARN of who acts; the caller frees it */
const char *cloud_lab_name(const struct cloud *cloud);
bool cloud_is_live(const struct cloud *cloud); /* a keeper answers for this lab */

/* A kind is meant by its name ("security-group"), its type in TagSpecifications or its id prefix ("sg").
 *
 * Every resource that completion may offer for an id parameter of this kind ("subnet"; NULL or "": any): calls 'each' with id and Name tag. */
void cloud_each_resource(const struct cloud *cloud, const char *kind, void (*each)(void *context, const char *id, const char *name, const char *detail),
                         void *context);
/* An id from what a person wrote: the id, an id prefix of 4 or more hex digits, the Name tag, "vpc/name".  'kind' NULL or "": any,
 * and a name that an instance shares with other things is the instance's.
 * What has the form of an id comes back as it is even when nothing has it (the operation says so in its own words); other text that names
 * nothing fails with InvalidX.NotFound, but for 'kind' NULL, where it also comes back ("internet", an address).  ERR_USAGE listing the
 * candidates when ambiguous. */
bool cloud_resolve(const struct cloud *cloud, const char *kind, const char *text, char id[static ID_SIZE], struct err *err);

/* netsim/live/nft_batch.h - the commands of nft that a lab has many of, written for the kernel without libnftables.
 *
 * libnftables reads text and asks the kernel for its chains before every transaction; of a lab of 100 instances that took as much time as all
 * links.  A batch takes the lines of apply_nft.h that it knows, chains without a hook, sets of addresses, rules of groups and ACLs, elements, and makes the
 * messages of them that libnftables would make (tests/live/test_nft_batch.c compares); the rest it leaves to libnftables.
 *
 * Source: linux/netfilter/nf_tables.h.   Used by: apply.c */
#pragma once
#include "base/buf.h"
#include "base/vec.h"
#include "netsim/live/plan.h"

struct nft_batch {
    struct buf data;    /* messages */
    VEC(size_t) starts; /* of each in 'data' */
};
void nft_batch_done(struct nft_batch *batch);

/* Appends one line; false, and the batch as it was, when it is none that a batch knows.  Sets and maps are those of 'ns'; the types of one
 * that is not there are looked for in 'other' (NULL: nowhere). */
bool nft_batch_add(struct nft_batch *batch, const char *line, size_t length, const struct plan_ns *ns, const struct plan_ns *other);
/* A whole text of commands; the batch stays as it was if one of them is not known. */
bool nft_batch_add_all(struct nft_batch *batch, const struct buf *text, const struct plan_ns *ns, const struct plan_ns *other);

/* The head of a message of nfnetlink, whose length the caller sets when it is whole.  Used by: nft_batch*.c only. */
void nft_batch_message(struct buf *out, int type, int flags, int family, uint16_t resource);

/* A netlink socket for batches in the namespace that the thread is in; '*limit' says how many bytes it takes at once.  -1: none. */
int nft_batch_socket(size_t *limit);
/* In one transaction, unless it is larger than 'limit': then in several, if 'may_split'.  False with errno when the kernel refuses, EMSGSIZE
 * also when it must not be split; '*torn' says that a first part was done. */
bool nft_batch_send(const struct nft_batch *batch, int fd, size_t limit, bool may_split, bool *torn);

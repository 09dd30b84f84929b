/* netsim/live/apply_nft.h - the nftables half of a change: two tables of a plan to one transaction.  Used by: apply.c */
#pragma once
#include "base/buf.h"
#include "netsim/live/plan.h"

/* Appends the commands that lead from 'from' (NULL: no table yet) to 'to'; nothing when they hold the same.  One command a line. */
void nft_diff(const struct plan_ns *from, const struct plan_ns *to, struct buf *out);

/* How many bytes of the text, whole commands, make a transaction of at most about 'limit' bytes. */
size_t nft_piece(const char *text, size_t limit);

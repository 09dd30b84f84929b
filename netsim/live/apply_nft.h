/* netsim/live/apply_nft.h - the nftables half of a change: two tables of a plan to one transaction, or two.  Used by: apply_rules.c, flow_source.c */
#pragma once
#include "base/buf.h"
#include "netsim/live/plan.h"

/* Appends the commands that lead from 'from' (NULL: no table yet) to 'to'; nothing when they hold the same.  One command a line.
 *
 * What is new to a table that stands and that no packet meets before something refers to it (sets, and chains that no hook calls) is
 * written to 'first', for a transaction of its own: a packet that is under way while a transaction takes effect sees its elements at
 * once but the chains as they were, so an element that leads to a chain of the same transaction leads it into an empty one.  NULL: one
 * transaction for all. */
void nft_diff(const struct plan_ns *from, const struct plan_ns *to, struct buf *first, struct buf *out);

/* The commands that take away what 'first' made, when the rest of the change was refused. */
void nft_undo_new(const struct plan_ns *from, const struct plan_ns *to, struct buf *out);

/* One of them as commands: a chain without its rules, its rules, and the elements of a set. */
void nft_chain(const struct plan_chain *chain, struct buf *out);
void nft_rules(const struct plan_chain *chain, struct buf *out);
void nft_elements(const struct plan_set *set, struct buf *out);

/* How many bytes of the text, whole commands, make a transaction of at most about 'limit' bytes. */
size_t nft_piece(const char *text, size_t limit);

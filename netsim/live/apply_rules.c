#include "netsim/live/apply_rules.h"

#include <errno.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/apply_nft.h"
#include "netsim/live/nft_batch.h"

size_t
apply_rules_transaction(void)
{
    int got = 0;
    socklen_t length = sizeof got;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd >= 0) {
        getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &got, &length);
        close(fd);
    }
    return got > 32768 ? (size_t)got - 8192 : 24576;
}

/* ---- by libnftables -----------------------------------------------------------------------------------------------
 */
static bool
open_nft(struct spaces *spaces, struct space *space, struct err *err)
{
    if (!space->nft) {
        spaces_enter(spaces, space);
        space->nft = nft_ctx_new(NFT_CTX_DEFAULT);
        spaces_go_home(spaces);
        if (!space->nft) {
            return err_set(err, ERR_MACHINE, "", "libnftables does not start in `%s`", space->id);
        }
        nft_ctx_buffer_error(space->nft);
        nft_ctx_buffer_output(space->nft);
    }
    return true;
}

bool
space_nft(struct space *space, const char *text, struct err *err)
{
    if (nft_run_cmd_from_buffer(space->nft, text) == 0) {
        return true;
    }
    const char *said = nft_ctx_get_error_buffer(space->nft);
    said = strncmp(said, "Error: ", 7) == 0 ? said + 7 : said;
    err_set(err, ERR_MACHINE, "", "nftables refused the rules of `%s`: %.*s", space->id, (int)strcspn(said, "\n"),
            said);
    const char *second = strchr(said, '\n');
    return second ? err_hint(err, "it was: %.*s", (int)strcspn(second + 1, "\n"), second + 1) : false;
}

/* One transaction, unless the text is larger than the kernel takes at once; '*torn' says that a first part was done and
 * a later one was not. */
static bool
run_text(struct spaces *spaces, struct space *space, const struct buf *text, bool *torn, struct err *err)
{
    *torn = false;
    if (!open_nft(spaces, space, err)) {
        return false;
    }
    if (nft_piece(buf_str(text), spaces->transaction_size) == text->size) {
        return space_nft(space, buf_str(text), err);
    }
    bool ok = true;
    for (size_t at = 0; ok && at < text->size;) {
        size_t size = nft_piece(text->data + at, spaces->transaction_size);
        char *piece = xstrndup(text->data + at, size);
        ok = space_nft(space, piece, err);
        *torn = !ok && at > 0;
        free(piece);
        at += size;
    }
    return ok;
}

/* ---- by ourselves -------------------------------------------------------------------------------------------------
 */
static bool
send_batch(struct spaces *spaces, struct space *space, const struct nft_batch *batch, bool may_split)
{
    bool torn;
    if (space->batch_fd < 0) {
        spaces_enter(spaces, space);
        space->batch_fd = nft_batch_socket(&space->batch_limit);
        spaces_go_home(spaces);
    }
    return space->batch_fd >= 0 && nft_batch_send(batch, space->batch_fd, space->batch_limit, may_split, &torn);
}

/* A change that a batch knows wholly.  What the kernel refuses is left as it was, and libnftables is told the same: it
 * says why. */
static bool
run_change(struct spaces *spaces, struct space *space, const struct plan_ns *from, const struct plan_ns *to,
           const struct buf *text, bool *torn, struct err *err)
{
    struct nft_batch batch = { 0 };
    *torn = false;
    bool ok = nft_batch_add_all(&batch, text, to, from) && send_batch(spaces, space, &batch, false);
    nft_batch_done(&batch);
    return ok || run_text(spaces, space, text, torn, err);
}

/* ---- a table that is not there yet --------------------------------------------------------------------------------
 */
/* Only maps and others of the kind lead to the chains of groups and ACLs. */
static bool
is_bulk(const struct plan_chain *chain)
{
    return !*chain->head && (strncmp(chain->name, "sg", 2) == 0 || strncmp(chain->name, "nacl_", 5) == 0);
}

struct bulk {
    struct nft_batch chains, rules, elements;
};

static void
bulk_done(struct bulk *bulk)
{
    nft_batch_done(&bulk->chains);
    nft_batch_done(&bulk->rules);
    nft_batch_done(&bulk->elements);
}

/* Elements come last: the kernel follows them through all chains at the end of each transaction. */
static bool
send_bulk(struct spaces *spaces, struct space *space, const struct bulk *bulk)
{
    const struct nft_batch *const parts[] = { &bulk->chains, &bulk->rules, &bulk->elements };
    struct nft_batch all = { 0 };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (size_t j = 0; j < parts[i]->starts.n; j++) {
            *VEC_ADD(&all.starts) = all.data.size + parts[i]->starts.items[j];
        }
        buf_add(&all.data, parts[i]->data.data, parts[i]->data.size);
    }
    bool ok = !all.starts.n || send_batch(spaces, space, &all, true);
    nft_batch_done(&all);
    return ok;
}

/* The bulk of the table, and in 'rest', which borrows from it, what remains. */
static void
divide(const struct plan_ns *to, struct plan_ns *rest, struct bulk *bulk)
{
    struct buf text = { 0 };
    for (size_t i = 0; i < to->chains.n; i++) {
        const struct plan_chain *chain = &to->chains.items[i];
        buf_clear(&text);
        nft_rules(chain, &text);
        if (is_bulk(chain) && nft_batch_add_all(&bulk->rules, &text, to, NULL)) {
            buf_clear(&text);
            nft_chain(chain, &text);
            nft_batch_add_all(&bulk->chains, &text, to, NULL);
        } else {
            *VEC_ADD(&rest->chains) = *chain;
        }
    }
    for (size_t i = 0; i < to->sets.n; i++) {
        struct plan_set *set = VEC_ADD(&rest->sets);
        *set = to->sets.items[i];
        buf_clear(&text);
        nft_elements(set, &text);
        if (nft_batch_add_all(&bulk->elements, &text, to, NULL)) {
            memset(&set->elements, 0, sizeof set->elements);
        }
    }
    buf_done(&text);
}

/* Nobody's packets pass as yet, so it may take several transactions. */
static bool
make_table(struct spaces *spaces, struct space *space, const struct plan_ns *to, struct err *err)
{
    struct plan_ns rest = { 0 };
    struct bulk bulk = { 0 };
    struct buf text = { 0 };
    bool torn;
    divide(to, &rest, &bulk);
    nft_diff(NULL, &rest, NULL, &text);
    bool ok = run_text(spaces, space, &text, &torn, err);
    if (ok && !send_bulk(spaces, space, &bulk)) {
        buf_clear(&text);
        buf_str_add(&text, "delete table inet vpc\n");
        nft_diff(NULL, to, NULL, &text); /* all of it by libnftables, which says why it cannot be */
        ok = run_text(spaces, space, &text, &torn, err);
    }
    if (!ok && torn) {
        buf_clear(&text);
        buf_str_add(&text, "delete table inet vpc\n");
        run_text(spaces, space, &text, &torn, NULL);
    }
    VEC_DONE(&rest.chains);
    VEC_DONE(&rest.sets);
    bulk_done(&bulk);
    buf_done(&text);
    return ok;
}

/* ---- from one to the next -----------------------------------------------------------------------------------------
 */
static void
make_anew(struct spaces *spaces, struct space *space, const struct plan_ns *ns)
{
    struct buf text = { 0 };
    bool torn;
    buf_str_add(&text, "delete table inet vpc\n");
    nft_diff(NULL, ns, NULL, &text);
    run_text(spaces, space, &text, &torn, NULL);
    buf_done(&text);
}

bool
apply_rules(struct spaces *spaces, struct space *space, const struct plan_ns *from, const struct plan_ns *to,
            struct err *err)
{
    struct buf first = { 0 }, text = { 0 };
    bool torn = false, ok = true;
    if (!from->chains.n && !from->sets.n && !from->whole) {
        return (!to->chains.n && !to->sets.n) || make_table(spaces, space, to, err);
    }
    nft_diff(from, to, &first, &text);
    ok = !first.size || run_change(spaces, space, from, to, &first, &torn, err);
    if (ok && text.size && !run_change(spaces, space, from, to, &text, &torn, err)) {
        ok = false;
        buf_clear(&first);
        if (!torn) {
            nft_undo_new(from, to, &first);
        }
        if (first.size) {
            run_text(spaces, space, &first, &torn, NULL);
        }
    }
    /* If a change of several transactions breaks in the middle, the table is made anew as it was. */
    if (!ok && torn) {
        make_anew(spaces, space, from->whole ? from->whole : from);
    }
    buf_done(&first);
    buf_done(&text);
    return ok;
}

/* Tables that were sent without libnftables read as those that libnftables sent: of random networks, made anew and
 * changed from one network's to another's. */
#include <nftables/libnftables.h>

#include "netsim/live/apply_nft.h"
#include "netsim/live/apply_rules.h"
#include "netsim/live/nft_batch.h"
#include "netsim/model/random_net.h"
#include "tests/live/lab.h"

/* ---- a namespace with a table -------------------------------------------------------------------------------------
 */
struct world {
    struct spaces spaces;
    struct space space;
};

static struct world
world_new(void)
{
    struct world w = { .spaces = { .home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC),
                                   .transaction_size = apply_rules_transaction() } };
    REQUIRE(unshare(CLONE_NEWNET) == 0);
    w.space = (struct space){
        .id = "test", .kind = PLAN_ROUTER, .fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), .batch_fd = -1
    };
    w.space.nft = nft_ctx_new(NFT_CTX_DEFAULT);
    nft_ctx_buffer_output(w.space.nft);
    nft_ctx_buffer_error(w.space.nft);
    REQUIRE(setns(w.spaces.home, CLONE_NEWNET) == 0);
    return w;
}

static void
world_done(struct world *w)
{
    nft_ctx_free(w->space.nft);
    close(w->space.fd);
    close(w->spaces.home);
    if (w->space.batch_fd >= 0) {
        close(w->space.batch_fd);
    }
}

/* By libnftables alone. */
static void
make_by_text(struct world *w, const struct plan_ns *ns)
{
    struct err err = { 0 };
    struct buf text = { 0 };
    nft_diff(NULL, ns, NULL, &text);
    for (size_t at = 0; at < text.size;) {
        size_t size = nft_piece(text.data + at, w->spaces.transaction_size);
        char *piece = xstrndup(text.data + at, size);
        CHECK(space_nft(&w->space, piece, &err), "%s %s", err.text, err.hint);
        free(piece);
        at += size;
    }
    buf_done(&text);
}

static int
compare_blocks(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What `nft list ruleset` shows: its chains and sets in order of their text, as the kernel's is that of their making.
 */
static char *
listed(struct world *w)
{
    REQUIRE(nft_run_cmd_from_buffer(w->space.nft, "list ruleset") == 0);
    char *text = xstrdup(nft_ctx_get_output_buffer(w->space.nft));
    VEC(char *) blocks = { 0 };
    for (char *at = text, *end; (end = strstr(at, "\n\t}\n")); at = end + 4) {
        const char *first = strncmp(at, "table", 5) == 0 ? strchr(at, '\n') + 1 : at + strspn(at, "\n");
        *VEC_ADD(&blocks) = xstrndup(first, (size_t)(end - first));
    }
    struct buf out = { 0 };
    if (blocks.n) {
        qsort(blocks.items, blocks.n, sizeof *blocks.items, compare_blocks);
    }
    for (size_t i = 0; i < blocks.n; i++) {
        buf_str_add(&out, blocks.items[i]);
        buf_char(&out, '\n');
        free(blocks.items[i]);
    }
    VEC_DONE(&blocks);
    free(text);
    text = xstrdup(buf_str(&out));
    buf_done(&out);
    return text;
}

static void
check_same(struct world *ours, const struct plan_ns *ns, uint64_t seed, const char *how)
{
    struct world theirs = world_new();
    make_by_text(&theirs, ns);
    char *a = listed(&ours[0]), *b = listed(&theirs);
    size_t line = 0, i = 0;
    for (; a[i] && a[i] == b[i]; i++) {
        line = a[i] == '\n' ? i + 1 : line;
    }
    CHECK(strcmp(a, b) == 0, "%s %s, seed %" PRIu64 ":\n  ours   %.*s\n  theirs %.*s", ns->id, how, seed,
          (int)strcspn(a + line, "\n"), a + line, (int)strcspn(b + line, "\n"), b + line);
    free(a);
    free(b);
    world_done(&theirs);
}

/* ---- the tests ----------------------------------------------------------------------------------------------------
 */
static struct plan *
random_plan(uint64_t seed, struct plan_numbers *numbers)
{
    struct random_net r = { 0 };
    if (seed % 3 == 2) {
        random_net_make_joined(&r, seed);
    } else {
        random_net_make(&r, seed, seed % 3 == 0, false);
    }
    struct plan *plan = plan_new(r.net, numbers);
    random_net_done(&r);
    return plan;
}

TEST(tables_read_as_those_of_libnftables)
{
    LAB_OR_SKIP();
    static const struct plan_ns none;
    const char *rounds = getenv("SPEC_NETWORKS");
    struct err err = { 0 };
    for (uint64_t seed = 0; seed < (rounds ? strtoull(rounds, NULL, 0) : 6) && test_complaints < 5; seed++) {
        struct plan_numbers numbers = { 0 };
        struct plan *first = random_plan(seed, &numbers), *second = random_plan(seed + 3, &numbers);
        for (size_t i = 0; i < first->namespaces.n; i++) {
            const struct plan_ns *ns = first->namespaces.items[i], *next = plan_find(second, ns->id);
            if (!ns->chains.n) {
                continue;
            }
            struct world ours = world_new();
            CHECK(apply_rules(&ours.spaces, &ours.space, &none, ns, &err), "%s", err.text);
            check_same(&ours, ns, seed, "made");
            if (next && next->chains.n) { /* the other network has one of that name too */
                CHECK(apply_rules(&ours.spaces, &ours.space, ns, next, &err), "%s", err.text);
                check_same(&ours, next, seed, "changed");
            }
            world_done(&ours);
        }
        plan_free(first);
        plan_free(second);
        plan_numbers_done(&numbers);
    }
}

/* A group that is named for the first time comes with sets of its members. */
TEST(sets_of_members_read_as_those_of_libnftables)
{
    LAB_OR_SKIP();
    static struct plan_element members[] = { { "10.0.0.1", NULL }, { "10.0.0.2", NULL } };
    static struct plan_element members6[] = { { "fd00::1", NULL } };
    static struct plan_set sets[] = {
        { .name = "sgm6_a", .head = "set sgm6_a { type ipv6_addr; }", .elements = { .items = members6, .n = 1 } },
        { .name = "sgm_a", .head = "set sgm_a { type ipv4_addr; }", .elements = { .items = members, .n = 2 } },
    };
    static struct plan_chain chains[] = {
        { "f", "type filter hook forward priority 0; policy accept;", "" },
        { "sg_a_in", "",
          "ip saddr @sgm_a tcp dport 80 counter accept comment \"x\"\n"
          "ip6 saddr @sgm6_a counter accept comment \"y\"\n" },
    };
    struct err err = { 0 };
    struct plan_ns before = { .id = "test", .chains = { .items = chains, .n = 1 } };
    struct plan_ns after = { .id = "test", .chains = { .items = chains, .n = 2 }, .sets = { .items = sets, .n = 2 } };
    struct nft_batch batch = { 0 };
    struct buf first = { 0 }, text = { 0 };
    nft_diff(&before, &after, &first, &text);
    CHECK(!text.size && nft_batch_add_all(&batch, &first, &after, &before), "%s%s", buf_str(&first), buf_str(&text));
    struct world ours = world_new();
    make_by_text(&ours, &before);
    CHECK(apply_rules(&ours.spaces, &ours.space, &before, &after, &err), "%s", err.text);
    check_same(&ours, &after, 0, "changed");
    CHECK(apply_rules(&ours.spaces, &ours.space, &after, &before, &err), "%s", err.text);
    check_same(&ours, &before, 0, "changed back");
    world_done(&ours);
    nft_batch_done(&batch);
    buf_done(&first);
    buf_done(&text);
}

/* The commands of every day are known, and what is not is left alone. */
TEST(common_commands_are_known)
{
    static const struct {
        const char *line;
        bool known;
    } cases[] = {
        { "add chain inet vpc sg_a_in", true },
        { "delete chain inet vpc sg_a_in", true },
        { "flush chain inet vpc sg_a_in", true },
        { "delete set inet vpc sgm_a", true },
        { "add rule inet vpc sg_a_in ip saddr 10.0.0.0/9 tcp dport 1-2 counter accept comment \"sgr-1 of two words\"",
          true },
        { "add rule inet vpc sg_a_in ip6 saddr @sgm6_a udp dport 53 counter accept comment \"sgr-1\"", true },
        { "add rule inet vpc sg_a_in meta nfproto ipv4 icmp type 3 icmp code 4 counter accept comment \"x\"", true },
        { "add rule inet vpc sg_a_in meta nfproto ipv6 meta l4proto 50 counter accept comment \"x\"", true },
        { "add rule inet vpc nacl_a_in meta nfproto ipv4 counter meta mark set 0x3 meta priority set 0:3 goto "
          "fl_deny_in "
          "comment \"acl-1 32767\"",
          true },
        { "add rule inet vpc sgs_a_in jump sg_a_in", true },
        { "add rule inet vpc sgs_a_out meta mark 0x7fffffff return", true },
        { "add rule inet vpc sg_a_out tcp dport 1 counter goto f_admitted comment \"x\"", true },
        { "add element inet vpc sg_in { \"e1\" : jump sg_a_in, \"e2\" : accept }", true },
        { "delete element inet vpc sg_in { \"e1\" : jump sg_a_in }", true },
        { "add element inet vpc own { \"e1\" . 10.0.0.4 }", true },
        { "add element inet vpc marks { 7 : 0x00000098 }", true },
        { "add element inet vpc sg_in { \"e1\" }", false },
        { "add element inet vpc sg_in { \"e1\" : jump sg_a_in more }", false },
        { "add element inet vpc own { \"e1\" . fd00::1 }", false },
        { "add element inet vpc ranges { 10.0.0.0/8 }", false },
        { "add element inet vpc nowhere { 1 }", false },
        { "add set inet vpc sgm_a { type ipv4_addr; }", true },
        { "add set inet vpc sgm6_a { type ipv6_addr; }", true },
        { "add set inet vpc pl_a { type ipv4_addr; flags interval; }", false },
        { "add map inet vpc m { type ipv4_addr : ipv4_addr; }", false },
        { "add chain inet vpc f { type filter hook forward priority 10; policy drop; }", false },
        { "add rule inet vpc sg_a_in iifname { \"tgw1\" } ip saddr 10.0.0.1 accept", false },
        { "add rule inet vpc sg_a_in ip saddr 10.0.0.0/33 accept", false },
        { "add rule inet vpc sg_a_in ip saddr", false },
        { "add rule inet vpc sg_a_in tcp dport 80 jump", false },
        { "add rule inet vpc sg_a_in accept comment \"never ends", false },
        { "add rule inet vpc sg_a_in", false },
        { "add table inet vpc", false },
        { "", false },
    };
    static struct plan_set sets[] = {
        { .name = "marks", .head = "map marks { type devgroup : mark; }" },
        { .name = "own", .head = "set own { type ifname . ipv4_addr; }" },
        { .name = "ranges", .head = "set ranges { type ipv4_addr; flags interval; }" },
        { .name = "sg_in", .head = "map sg_in { type ifname : verdict; }" },
    };
    struct plan_ns ns = { .sets = { .items = sets, .n = ARRAY_SIZE(sets) } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct nft_batch batch = { 0 };
        bool known = nft_batch_add(&batch, cases[i].line, strlen(cases[i].line), &ns, NULL);
        CHECK(known == cases[i].known, "%s", cases[i].line);
        CHECK(known || (!batch.data.size && !batch.starts.n), "%s", cases[i].line);
        nft_batch_done(&batch);
    }
}

TEST_MAIN

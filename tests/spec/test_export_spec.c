/* import(export(x)) answers as x does: random networks with all their parts, and the published configurations of
 * ../shared/vectors/net with their balancers and endpoints.  Every question of one is asked of the other, and their
 * sets are compared.
 *
 * SPEC_EXPORTS=n tries n networks (default 40), SPEC_SEED=s begins at another seed. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netsim/analysis/network_diff.h"
#include "netsim/interop/aws_import.h"
#include "tests/spec/random_services.h"
#include "tests/test.h"

static struct id_gen ids;
static struct clock test_clock;

static struct network *
read_dump(const char *dir, const char *place)
{
    struct err err = { 0 };
    struct network *net = network_new(&ids, &test_clock);
    json_t *report = json_object();
    network_set_limits(net, false);
    if (!CHECK(aws_import(net, dir, report, &err), "%s: %s %s", place, err.where, err.text)) {
        network_free(net);
        net = NULL;
    }
    json_decref(report);
    return net;
}

/* Out and in again; NULL after a failed check. */
static struct network *
copy_of(const struct network *net, const char *place)
{
    char dir[] = "/tmp/vpclab-export-XXXXXX";
    struct err err = { 0 };
    json_t *report = json_object();
    REQUIRE(mkdtemp(dir), "mkdtemp");
    bool ok = CHECK(aws_export(net, dir, report, &err), "%s: %s %s", place, err.where, err.text);
    json_decref(report);
    struct network *copy = ok ? read_dump(dir, place) : NULL;
    char *command = xasprintf("rm -r %s", dir);
    CHECK(system(command) == 0);
    free(command);
    return copy;
}

static void
same_answer(const struct network *a, const struct network *b, const struct flow_spec *flow, const char *place,
            size_t *n)
{
    struct reach_result x = { 0 }, y = { 0 };
    struct err one = { 0 }, other = { 0 };
    bool asked = reach(a, flow, false, &x, &one), again = reach(b, flow, false, &y, &other);
    CHECK(asked == again, "%s: %s -> %s: %s, then %s", place, flow->from.id, flow->to.id, one.text, other.text);
    if (asked && again) {
        CHECK_STR(y.why, x.why, "%s: %s -> %s %s", place, flow->from.id, flow->to.id, flow_str(&x.sent));
        CHECK(x.reply == y.reply && x.path_found == y.path_found, "%s: %s -> %s %s reply", place, flow->from.id,
              flow->to.id, flow_str(&x.sent));
        ++*n;
    }
    reach_result_done(&x);
    reach_result_done(&y);
}

static void
same_sets(const struct network *a, const struct network *b, const char *place)
{
    static const int families[] = { IP_V4, IP_V6 };
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        struct network_diff *diff = network_diff_new(a, b, families[i]);
        CHECK(diff->changes.n == 0, "%s: %zu flows differ, IPv%d", place, diff->changes.n, families[i]);
        network_diff_free(diff);
    }
}

/* A pair of ends that both networks hold: interfaces, the internet, gateways. */
static void
any_end(struct random_net *r, const struct network *net, struct flow_end *end)
{
    const struct kind *const kinds[] = { &eni_kind, &eni_kind, &eni_kind, &vpn_gateway_kind, &vpn_connection_kind };
    const struct kind *kind = kinds[lot(r, 5)];
    int at = lot(r, (int)store_count(network_store(net), kind));
    const struct object *object = store_first(network_store(net), kind);
    for (; object && at > 0; at--) {
        object = store_next(network_store(net), object);
    }
    end->kind = !object || chance(r, 20) ? FLOW_END_INTERNET : kind == &eni_kind ? FLOW_END_ENI : FLOW_END_GATEWAY;
    snprintf(end->id, sizeof end->id, "%s", object ? object->id : "");
}

static size_t
compare(struct random_net *r, const struct network *a, const char *place, int questions)
{
    size_t n = 0;
    struct network *b = copy_of(a, place);
    for (int i = 0; b && i < questions; i++) {
        struct flow_spec flow = { .icmp_type = -1, .icmp_code = -1, .src_port = 40000 };
        any_end(r, a, &flow.from);
        any_end(r, a, &flow.to);
        flow.protocol = lot_protocol(r, false);
        flow.dst_port = lot_port(r);
        flow.family = chance(r, 20) ? IP_V6 : IP_V4;
        same_answer(a, b, &flow, place, &n);
    }
    if (b) {
        same_sets(a, b, place);
        network_free(b);
    }
    return n;
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

TEST(an_exported_random_network_answers_as_before)
{
    uint64_t first = setting("SPEC_SEED", 1), n = setting("SPEC_EXPORTS", 40);
    size_t asked = 0;
    for (uint64_t seed = first; seed < first + n && test_complaints < 10; seed++) {
        struct random_lab l;
        char place[40];
        snprintf(place, sizeof place, "seed %" PRIu64, seed);
        random_lab_make(&l, seed, false);
        asked += compare(&l.net, l.net.net, place, 40);
        random_lab_done(&l);
    }
    CHECK(asked > n * 10, "%zu", asked);
}

TEST(an_exported_dump_answers_as_before)
{
    glob_t found;
    size_t asked = 0;
    if (glob("../shared/vectors/net/*/aws", 0, NULL, &found) != 0) {
        TEST_SKIP("../shared/vectors/net is not there");
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct random_net r = { 0 };
        id_gen_seed(&r.lot, i + 1);
        id_gen_seed(&ids, 1);
        struct network *net = read_dump(found.gl_pathv[i], found.gl_pathv[i]);
        if (net) {
            asked += compare(&r, net, found.gl_pathv[i], 100);
            network_free(net);
        }
    }
    CHECK(asked > 500, "%zu", asked);
    globfree(&found);
}

TEST_MAIN

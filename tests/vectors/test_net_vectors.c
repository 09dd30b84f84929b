/* Every flow, filter, route, resource and lint check of ../shared/vectors/net, quirks apart, and of the cases of our own
 * of the same form in tests/reach/half, against `reach --batch`'s answers and the audit. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "netsim/analysis/audit.h"
#include "netsim/analysis/batch.h"
#include "netsim/interop/aws_import.h"
#include "netsim/model/network.h"
#include "tests/test.h"

#define VECTORS "../shared/vectors/net"
#define OWN     "tests/reach/half" /* the topics again, with other inputs; expectations read from AWS's pages */

struct tally {
    size_t n_checks, n_wrong;
};

struct lab {
    struct id_gen ids;
    struct clock clock;
    struct network *net;
};

static bool
complain(struct tally *tally, const json_t *question, const json_t *answer, const char *member)
{
    tally->n_wrong++;
    char *q = json_dumps(question, JSON_COMPACT), *a = json_dumps(answer, JSON_COMPACT);
    TEST_COMPLAIN("the answer", "%s differs\n    asked %s\n    got   %s", member, q, a);
    free(q);
    free(a);
    return false;
}

static bool
is_subsequence(const json_t *wanted, const json_t *got)
{
    size_t at = 0;
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        while (at < json_array_size(got) && !json_equal(json_array_get(wanted, i), json_array_get(got, at))) {
            at++;
        }
        if (at++ >= json_array_size(got)) {
            return false;
        }
    }
    return true;
}

/* When a packet is stopped the last id says where. */
static bool
same_end(const json_t *wanted, const json_t *got)
{
    size_t n = json_array_size(wanted), m = json_array_size(got);
    return n == 0 || (m > 0 && json_equal(json_array_get(wanted, n - 1), json_array_get(got, m - 1)));
}

static bool
any_shared(const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < json_array_size(a); i++) {
        for (size_t j = 0; j < json_array_size(b); j++) {
            if (json_equal(json_array_get(a, i), json_array_get(b, j))) {
                return true;
            }
        }
    }
    return json_array_size(a) == 0;
}

/* Stated members only; true if all agree. */
static bool
check_flow(const json_t *flow, const json_t *got, struct tally *tally)
{
    const char *expect = json_str(flow, "expect"), *key;
    const json_t *path = json_object_get(flow, "path"), *got_path = json_object_get(got, "path"), *value;
    if (!test_same(json_str(got, "verdict"), expect)) {
        return complain(tally, flow, got, "verdict");
    }
    if (json_str(flow, "reply") && !test_same(json_str(got, "reply"), json_str(flow, "reply"))) {
        return complain(tally, flow, got, "reply");
    }
    if (json_str(flow, "why") && !test_same(json_str(got, "why"), json_str(flow, "why"))) {
        return complain(tally, flow, got, "why");
    }
    if (!any_shared(json_object_get(flow, "codes"), json_object_get(got, "codes"))) {
        return complain(tally, flow, got, "codes");
    }
    if (!is_subsequence(path, got_path) || (strcmp(expect, "unreachable") == 0 && !same_end(path, got_path))) {
        return complain(tally, flow, got, "path");
    }
    value = json_object_get(flow, "lbTarget");
    json_t *targets = json_object_get(got, "lbTargets");
    bool received = !value;
    for (size_t i = 0; i < json_array_size(targets); i++) {
        received = received || json_equal(value, json_array_get(targets, i));
    }
    if (!received) {
        return complain(tally, flow, got, "lbTarget");
    }
    json_object_foreach(json_object_get(flow, "arrives"), key, value)
    {
        if (!json_equal(value, json_object_get(json_object_get(got, "arrives"), key))) {
            return complain(tally, flow, got, "arrives");
        }
    }
    return true;
}

static void
check_route(const json_t *route, const json_t *got, struct tally *tally)
{
    bool present = json_is_true(json_object_get(route, "present"));
    if (present != json_is_true(json_object_get(got, "present")) ||
        (present && !test_same(json_str(got, "via"), json_str(route, "via")))) {
        complain(tally, route, got, "route");
    }
}

static bool
is_listed(const json_t *list, const struct audit_finding *finding)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *wanted = json_array_get(list, i);
        if (test_same(json_str(wanted, "rule"), finding->check->code) &&
            test_same(json_str(wanted, "id"), finding->object->id)) {
            return true;
        }
    }
    return false;
}

/* The list is complete for these rules: no more and no fewer. */
static void
check_lint(const struct network *net, const json_t *list, struct tally *tally)
{
    size_t n_listed = 0;
    struct audit audit = { 0 };
    if (list) {
        audit_run(&audit, net);
    }
    for (size_t i = 0; i < audit.findings.n; i++) {
        const struct audit_finding *found = &audit.findings.items[i];
        bool listed = is_listed(list, found);
        n_listed += listed;
        if (!listed && strstr(found->check->code, "-unattached")) {
            json_t *got = json_pack("{s:s, s:s}", "rule", found->check->code, "id", found->object->id);
            complain(tally, list, got, "lint");
            json_decref(got);
        }
    }
    if (n_listed != json_array_size(list)) {
        json_t *got = json_integer((json_int_t)n_listed);
        complain(tally, list, got, "lint");
        json_decref(got);
    }
    tally->n_checks += json_array_size(list);
    audit_done(&audit);
}

static void
check_resources(const struct network *net, const json_t *list, struct tally *tally)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *wanted = json_array_get(list, i);
        const char *id = json_str(wanted, "id");
        const struct kind *kind = network_kind_of_id(id);
        const struct object *object = kind ? store_get(network_store(net), kind, id) : NULL;
        tally->n_checks++;
        if (!object || !test_same(object->account, json_str(wanted, "account")) ||
            !test_same(object->region, json_str(wanted, "region"))) {
            json_t *got = json_pack("{s:s?, s:s?}", "account", object ? object->account : NULL, "region",
                                    object ? object->region : NULL);
            complain(tally, wanted, got, "resource");
            json_decref(got);
        }
    }
}

static void
check_list(const struct network *net, const json_t *list, struct tally *tally)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *question = json_array_get(list, i);
        if (json_is_true(json_object_get(question, "quirk"))) {
            continue;
        }
        struct err err = { 0 };
        json_t *got = batch_answer(net, question, &err);
        tally->n_checks++;
        if (!got) {
            json_t *text = json_string(err.text);
            complain(tally, question, text, "error");
            json_decref(text);
        } else if (json_str(question, "direction")) {
            if (!test_same(json_str(got, "verdict"), json_str(question, "expect"))) {
                complain(tally, question, got, "verdict");
            }
        } else if (json_str(question, "table")) {
            check_route(question, got, tally);
        } else {
            check_flow(question, got, tally);
        }
        json_decref(got);
    }
}

static struct tally
check_case(const char *dir)
{
    struct tally tally = { 0 };
    struct err err = { 0 };
    char path[512];
    struct lab lab = { 0 };
    id_gen_seed(&lab.ids, 1);
    lab.net = network_new(&lab.ids, &lab.clock);
    snprintf(path, sizeof path, "%s/expect.json", dir);
    json_t *expect = json_read_file(path, &err);
    snprintf(path, sizeof path, "%s/aws", dir);
    json_t *report = json_object();
    bool imported =
        CHECK_OK(&err, "%s", dir) && (aws_import(lab.net, path, report, &err) || CHECK_OK(&err, "%s", dir));
    if (imported) {
        check_list(lab.net, json_object_get(expect, "flows"), &tally);
        check_list(lab.net, json_object_get(expect, "filters"), &tally);
        check_list(lab.net, json_object_get(expect, "routes"), &tally);
        check_lint(lab.net, json_object_get(expect, "lint"), &tally);
        check_resources(lab.net, json_object_get(expect, "resources"), &tally);
    }
    json_decref(report);
    json_decref(expect);
    network_free(lab.net);
    return tally;
}

static void
check_cases(const glob_t *found)
{
    for (size_t i = 0; i < found->gl_pathc; i++) {
        char dir[256];
        snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(found->gl_pathv[i], '/') - found->gl_pathv[i]),
                 found->gl_pathv[i]);
        struct tally tally = check_case(dir);
        CHECK(tally.n_checks > 0, "%s has no checks", dir);
        CHECK(tally.n_wrong == 0, "%s: %zu of %zu", dir, tally.n_wrong, tally.n_checks);
    }
}

TEST(every_case_agrees)
{
    glob_t found;
    if (glob(VECTORS "/*/expect.json", 0, NULL, &found) != 0) {
        TEST_SKIP("no " VECTORS);
    }
    check_cases(&found);
    globfree(&found);
}

TEST(the_other_half_agrees)
{
    glob_t found;
    REQUIRE(glob(OWN "/*/expect.json", 0, NULL, &found) == 0);
    check_cases(&found);
    globfree(&found);
}

TEST_MAIN

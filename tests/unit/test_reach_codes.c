/* Explanation and detail codes: those that only a question with filters, or a component of the answer, can show; and
 * that every code that analysis/ knows is expected somewhere in the tests, and every other one of AWS's is listed in
 * docs/REACHABILITY.md with the reason. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "netsim/analysis/insights.h"
#include "netsim/interop/aws_import.h"
#include "netsim/model/transit_gateway.h"
#include "tests/unit/reach_lab.h"

static void
open_half(struct lab *lab, const char *name)
{
    struct err err = { 0 };
    char dir[128];
    *lab = (struct lab){ 0 };
    id_gen_seed(&lab->ids, 1);
    lab->net = network_new(&lab->ids, &lab->clock);
    snprintf(dir, sizeof dir, "tests/reach/half/%s/aws", name);
    json_t *report = json_object();
    REQUIRE(aws_import(lab->net, dir, report, &err), "%s: %s", dir, err.text);
    json_decref(report);
}

static struct insights_question
question(const char *from, const char *to, int port)
{
    static const struct header_filter any = HEADER_FILTER_ANY;
    struct insights_question q = { .at_source = any, .at_destination = any };
    q.flow = (struct flow_spec){ .protocol = PROTOCOL_TCP, .dst_port = port, .src_port = -1, .interfaces_alone = true };
    flow_end_of_id(from, &q.flow.from);
    if (!flow_end_of_id(to, &q.flow.to)) {
        q.flow.to = (struct flow_end){ .kind = FLOW_END_IP, .ip = ip_lit(to) };
    }
    return q;
}

/* Both paths' details and the explanations, each code once, by blanks. */
static char *
codes_of(const struct reach_result *r)
{
    struct buf out = { 0 };
    const json_t *paths[] = { r->forward, r->back };
    for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
        for (size_t i = 0; i < json_array_size(paths[p]); i++) {
            const json_t *details = json_object_get(json_array_get(paths[p], i), "AdditionalDetails");
            for (size_t d = 0; d < json_array_size(details); d++) {
                const char *code = json_str(json_array_get(details, d), "AdditionalDetailType");
                if (!strstr(buf_str(&out), code)) {
                    buf_printf(&out, " %s", code);
                }
            }
        }
    }
    for (size_t i = 0; i < json_array_size(r->explanations); i++) {
        buf_printf(&out, " %s", json_str(json_array_get(r->explanations, i), "ExplanationCode"));
    }
    return buf_steal(&out);
}

TEST(wanted_components_and_details)
{
    static const struct {
        const char *half, *from, *to;
        int port;
        const char *through, *codes;
    } cases[] = {
        { "route-choice", "i-b", "198.51.3.3", 80, "vgw-1", " COMPONENT_FILTER_RESTRICTION HIGHER_PRIORITY_ROUTE" },
        { "route-choice", "i-a", "192.0.2.200", 80, "vgw-1", " COMPONENT_FILTER_RESTRICTION MORE_SPECIFIC_ROUTE" },
        { "route-choice", "i-a", "9.9.9.9", 80, "vgw-1", " COMPONENT_FILTER_RESTRICTION CANNOT_ROUTE" },
        { "tgw-regions", "i-a", "198.18.3.3", 22, "vpn-1",
          " UNIDIRECTIONAL_PATH_ANALYSIS_ONLY COMPONENT_FILTER_RESTRICTION TGW_RTB_HIGHER_PRIORITY_ROUTE" },
        { "tgw-regions", "i-a", "192.168.5.9", 22, "vpn-1",
          " UNIDIRECTIONAL_PATH_ANALYSIS_ONLY COMPONENT_FILTER_RESTRICTION TGW_RTB_MORE_SPECIFIC_ROUTE" },
        { "tgw-regions", "i-a", "192.168.9.9", 22, "vpn-2",
          " UNIDIRECTIONAL_PATH_ANALYSIS_ONLY COMPONENT_FILTER_RESTRICTION TGW_RTB_CANNOT_ROUTE" },
        { "tgw-regions", "i-a", "192.168.9.9", 22, "dxgw-1",
          " UNIDIRECTIONAL_PATH_ANALYSIS_ONLY COMPONENT_FILTER_RESTRICTION TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT" },
        { "addresses", "i-b", "i-a", 9, NULL, " AVAILABILITY_ZONE_CROSSED" },
        { "balancers", "igw-1", "203.0.113.101", 514, NULL,
          " MISSING_TARGET_GROUP_ATTRIBUTES ASSUMPTION_PRESERVE_CLIENT_IP_IS_ENABLED" },
        { "balancer-groups", "igw-1", "203.0.113.101", 82, NULL,
          " MISSING_TARGET_GROUP_ATTRIBUTES ASSUMPTION_PRESERVE_CLIENT_IP_IS_DISABLED" },
        { "tgw-tables", "i-a", "i-lost", 80, NULL, " UNIDIRECTIONAL_PATH_ANALYSIS_ONLY TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lab lab;
        struct reach_result r = { 0 };
        open_half(&lab, cases[i].half);
        struct insights_question q = question(cases[i].from, cases[i].to, cases[i].port);
        json_t *through = cases[i].through ? json_pack("[s]", cases[i].through) : NULL;
        q.through = through;
        insights_analyze(lab.net, &q, &r);
        char *codes = codes_of(&r);
        CHECK_STR(codes, cases[i].codes, "%s: %s -> %s", cases[i].half, cases[i].from, cases[i].to);
        free(codes);
        json_decref(through);
        reach_result_done(&r);
        network_free(lab.net);
    }
}

/* Every kind of end that AWS's analyzer takes, as source and as destination, without addresses; and one that is not there. */
TEST(ends_of_every_kind)
{
    static const struct {
        const char *half, *from, *to;
        int port;
        const char *answer; /* "path", else the first code */
    } cases[] = {
        { "edges", "i-web", "i-db", 5432, "path" },
        { "edges", "eni-web", "eni-db", 5432, "path" },
        { "edges", "i-web", "igw-1", 443, "path" },
        { "edges", "igw-1", "i-web", 80, "path" },
        { "edges", "igw-1", "i-web", 81, "ENI_SG_RULES_MISMATCH" },
        { "edges", "i-web", "8.8.4.4", 443, "path" },
        { "edges", "i-web", "10.0.1.20", 5432, "path" },
        { "edges", "i-web", "10.0.1.21", 5432, "NO_POSSIBLE_DESTINATION" },
        { "edges", "i-web", "pcx-1", 443, "path" },
        { "edges", "pcx-1", "i-web", 80, "path" },
        { "edges", "pcx-1", "i-web", 81, "ENI_SG_RULES_MISMATCH" },
        { "endpoints", "i-a", "vpce-kms", 443, "path" },
        { "endpoints", "i-a", "vpce-kms", 80, "SUBNET_ACL_RESTRICTION" },
        { "endpoints", "i-a", "vpce-s3", 443, "path" },
        { "endpoints", "i-b2", "vpce-s3", 443, "NO_ROUTE_TO_DESTINATION" },
        { "endpoints", "vpce-s3", "i-a", 443, "VPCE_INTRA_VPC_TRAFFIC" },
        { "tgw-regions", "i-a", "tgw-e", 22, "path" },
        { "tgw-regions", "i-a", "tgw-attach-b", 22, "path" },
        { "tgw-regions", "tgw-e", "i-a", 22, "path" },
        { "tgw-regions", "tgw-attach-b", "i-a", 22, "path" },
        { "tgw-regions", "tgw-attach-b", "i-a", 23, "ENI_SG_RULES_MISMATCH" },
        { "vpn-ways", "i-a", "vgw-1", 22, "path" },
        { "vpn-ways", "vgw-1", "i-a", 22, "path" },
        { "vpn-ways", "vgw-1", "i-a", 23, "ENI_SG_RULES_MISMATCH" },
        { "vpn-ways", "i-a", "vgw-2", 22, "UNASSOCIATED_COMPONENT" },
        { "vpn-ways", "i-a", "vpn-1", 22, "UNSUPPORTED_COMPONENT" }, /* no end for AWS; `reach` takes it */
        { "edges", "i-web", "i-0000", 80, "NO_SOURCE_OR_DESTINATION" },
        { "edges", "eni-0000", "i-web", 80, "NO_SOURCE_OR_DESTINATION" },
        { "edges", "igw-0000", "i-web", 80, "NO_SOURCE_OR_DESTINATION" },
        { "edges", "i-web", "vpce-0000", 80, "NO_SOURCE_OR_DESTINATION" },
        { "edges", "i-web", "vpce-svc-0000", 80, "NO_SOURCE_OR_DESTINATION" },
        { "edges", "i-web", "pcx-0000", 80, "NO_SOURCE_OR_DESTINATION" },
        { "edges", "i-web", "tgw-0000", 80, "NO_SOURCE_OR_DESTINATION" },
        { "edges", "tgw-attach-0000", "i-web", 80, "NO_SOURCE_OR_DESTINATION" },
        { "edges", "vgw-0000", "i-web", 80, "NO_SOURCE_OR_DESTINATION" },
        { "edges", "nat-1", "i-web", 80, "UNSUPPORTED_COMPONENT" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lab lab;
        struct reach_result r = { 0 };
        open_half(&lab, cases[i].half);
        struct insights_question q = question(cases[i].from, cases[i].to, cases[i].port);
        insights_analyze(lab.net, &q, &r);
        const char *code = json_str(json_array_get(r.explanations, 0), "ExplanationCode");
        CHECK_STR(r.path_found ? "path" : code, cases[i].answer, "%s: %s -> %s %d", cases[i].half, cases[i].from,
                  cases[i].to, cases[i].port);
        reach_result_done(&r);
        network_free(lab.net);
    }
}

/* What a dump cannot show alone: tables of another account, an answer that has no route to the transit gateway. */
TEST(tables_that_are_not_there)
{
    struct lab lab;
    open_half(&lab, "transit-limits");
    struct tgw_attachment *a = store_get(network_store(lab.net), &tgw_attachment_kind, "tgw-attach-a");
    struct route_table *table = store_get(network_store(lab.net), &route_table_kind, "rtb-b");
    REQUIRE(a && table);
    struct reach_result r = { 0 };
    struct insights_question q = question("i-a", "i-b", 80);
    table->routes.n = 1; /* local alone */
    insights_analyze(lab.net, &q, &r);
    char *codes = codes_of(&r);
    CHECK(r.path_found);
    CHECK_STR(codes, " UNIDIRECTIONAL_PATH_ANALYSIS_ONLY RESPONSE_RTB_HAS_NO_ROUTE_TO_TRANSIT_GATEWAY "
                     "NO_ROUTE_TO_DESTINATION");
    free(codes);
    reach_result_done(&r);
    strcpy(a->table_id, "tgw-rtb-theirs");
    insights_analyze(lab.net, &q, &r);
    codes = codes_of(&r);
    CHECK_STR(codes, " TGW_RTB_ROUTES_ARE_UNKNOWN");
    free(codes);
    reach_result_done(&r);
    table->routes.n = 4;
    network_free(lab.net);
}

/* ---- Every code ----------------------------------------------------------------------------------------------------
 */

#define SPEC "../shared/specs/reachability-explanations.md"

static char *
read_all(const char *pattern)
{
    glob_t found;
    struct buf text = { 0 };
    REQUIRE(glob(pattern, 0, NULL, &found) == 0, "%s", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        buf_read_file(&text, found.gl_pathv[i], (size_t)1 << 26, NULL);
    }
    globfree(&found);
    return buf_steal(&text);
}

static bool
is_word_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool
has_word(const char *text, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += size) {
        if ((at == text || !is_word_char(at[-1])) && !is_word_char(at[size])) {
            return true;
        }
    }
    return false;
}

/* "ELB_*" in the list stands for all that begin so. */
static bool
is_listed(const char *list, const char *code)
{
    char family[64];
    snprintf(family, sizeof family, "%.*s_*", (int)strcspn(code, "_"), code);
    return has_word(list, code) || strstr(list, family);
}

TEST(every_code_is_expected_somewhere_or_listed)
{
    struct err err = { 0 };
    struct buf spec = { 0 };
    if (!buf_read_file(&spec, SPEC, (size_t)1 << 20, &err)) {
        TEST_SKIP("no " SPEC);
    }
    char *code_text = read_all("netsim/analysis/*.c"), *docs = read_all("docs/REACHABILITY.md");
    char *tests[] = { read_all("tests/unit/*.c"), read_all("tests/cli/*.bats"),
                      read_all("tests/reach/half/*/expect.json") };
    char *list = strstr(docs, "Codes of AWS that no answer has"),
         *end = list ? strstr(list, "\nWhere we differ") : NULL;
    char *from = strstr(spec.data, "## 3. Codes"), *to = strstr(spec.data, "## 7.");
    REQUIRE(list && end && from && to);
    *end = *to = '\0';
    size_t n = 0;
    for (char *at = from; *at;) {
        size_t size = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        bool is_code = size > 5 && memchr(at, '_', size) && strncmp(at, "FILTER_AT", 9) != 0 && at[size] != '*';
        char word[80], quoted[84];
        snprintf(word, sizeof word, "%.*s", (int)size, at);
        snprintf(quoted, sizeof quoted, "\"%s\"", word);
        bool header =
            strstr("SOURCE_ADDRESS SOURCE_PORT_RANGE DESTINATION_ADDRESS DESTINATION_PORT_RANGE", word) != NULL;
        if (is_code && !header) {
            bool known = strstr(code_text, quoted), expected = false;
            for (size_t t = 0; t < ARRAY_SIZE(tests); t++) {
                expected = expected || has_word(tests[t], word);
            }
            CHECK(!known || expected, "%s is in the code and no test expects it", word);
            CHECK(known || is_listed(list, word), "%s is neither in the code nor listed in docs/REACHABILITY.md", word);
            n++;
        }
        at += size ? size : 1;
    }
    CHECK(n > 80, "only %zu codes in " SPEC, n);
    free(code_text);
    free(docs);
    for (size_t t = 0; t < ARRAY_SIZE(tests); t++) {
        free(tests[t]);
    }
    buf_done(&spec);
}

TEST_MAIN

/* Route 53's routing policies in a private zone: what is answered, and which records are refused. */
#include "netsim/model/failure.h"
#include "netsim/model/record_routing.h"
#include "netsim/model/resolver.h"
#include "tests/unit/model.h"

struct lab {
    struct network *net;
    struct vpc *vpc;
    struct instance *one, *two; /* 10.0.1.10, 10.0.1.11 */
    struct hosted_zone *zone;
};

static struct instance *
instance_at(struct lab *lab, const struct subnet *subnet, const char *ip)
{
    struct err err = { 0 };
    struct instance *instance = NULL;
    struct instance_spec spec = { .image_id = "ami-0123456789abcdef0", .public_ip = -1 };
    spec.eni.subnet_id = subnet->obj.id;
    spec.eni.ip = ip_lit(ip);
    REQUIRE(instances_run(lab->net, &spec, 1, &instance, &err), "%s", err.text);
    return instance;
}

static struct lab
lab_new(void)
{
    struct err err = { 0 };
    struct lab lab = { .net = model_new() };
    lab.vpc = model_vpc(lab.net, "10.0.0.0/16", false);
    lab.vpc->dns_hostnames = true;
    struct subnet *subnet = model_subnet(lab.net, lab.vpc, "10.0.1.0/24");
    lab.one = instance_at(&lab, subnet, "10.0.1.10");
    lab.two = instance_at(&lab, subnet, "10.0.1.11");
    lab.zone = hosted_zone_create(lab.net, "corp.internal", "1", NULL, lab.vpc->obj.id, "us-east-1", &err);
    REQUIRE(lab.zone, "%s", err.text);
    return lab;
}

/* A record of db.corp.internal with the members of 'policy'; what an attempt to make it says. */
static const char *
put(struct lab *lab, const char *action, const char *policy, const char *value)
{
    static char code[64];
    struct err err = { 0 };
    char text[512];
    snprintf(text, sizeof text,
             "{\"Name\":\"db.corp.internal\",\"Type\":\"A\",\"TTL\":60,%s\"ResourceRecords\":[{\"Value\":\"%s\"}]}",
             policy, value);
    json_t *json = json_loads(text, 0, NULL);
    REQUIRE(json, "%s", text);
    snprintf(code, sizeof code, "%s", hosted_zone_change(lab->net, lab->zone, action, json, &err) ? "" : err.code);
    json_decref(json);
    return code;
}

static void
make(struct lab *lab, const char *policy, const char *value)
{
    CHECK_STR(put(lab, "CREATE", policy, value), "", "%s", policy);
}

/* "10.0.1.10 10.0.1.11 | 10.0.1.12": the answer, and what else was possible. */
static const char *
ask(const struct lab *lab, uint32_t draw)
{
    static char text[256];
    struct dns_answer answer = { 0 };
    struct err err = { 0 };
    REQUIRE(resolver_ask_at(lab->net, lab->vpc->obj.id, "db.corp.internal", DNS_A,
                            &(struct resolver_moment){ .draw = draw }, &answer, &err),
            "%s", err.text);
    text[0] = '\0';
    for (size_t i = 0; i < answer.records.n + answer.possible.n; i++) {
        bool answered = i < answer.records.n;
        const struct ip *ip = answered ? &answer.records.items[i].ip : &answer.possible.items[i - answer.records.n].ip;
        const char *between = i == answer.records.n ? " | " : i ? " " : "";
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s%s", between, ip_str(ip));
    }
    if (answer.outcome != DNS_ANSWERED) {
        snprintf(text, sizeof text, "outcome %d", answer.outcome);
    }
    dns_answer_done(&answer);
    return text;
}

#define W(id, n)    "\"SetIdentifier\":\"" id "\",\"Weight\":" #n ","
#define F(id, role) "\"SetIdentifier\":\"" id "\",\"Failover\":\"" role "\",\"HealthCheckId\":\"h\","
#define R(id, name) "\"SetIdentifier\":\"" id "\",\"Region\":\"" name "\","
#define M(id)       "\"SetIdentifier\":\"" id "\",\"MultiValueAnswer\":true,\"HealthCheckId\":\"h\","
#define G(id, json) "\"SetIdentifier\":\"" id "\",\"GeoLocation\":{" json "},"

TEST(weights_are_a_set_of_possible_answers)
{
    struct lab lab = lab_new();
    make(&lab, W("a", 1), "10.0.1.1");
    make(&lab, W("b", 3), "10.0.1.2");
    make(&lab, W("c", 0), "10.0.1.3");
    CHECK_STR(ask(&lab, 0), "10.0.1.2 | 10.0.1.1", "the heaviest; of weight 0 never");
    int seen[3] = { 0 };
    for (uint32_t draw = 1; draw <= 400; draw++) {
        const char *text = ask(&lab, draw);
        seen[text[strlen("10.0.1.")] - '1']++;
    }
    CHECK_INT(seen[0], 100);
    CHECK_INT(seen[1], 300);
    CHECK_INT(seen[2], 0);
    CHECK_STR(put(&lab, "UPSERT", W("b", 0), "10.0.1.2"), "");
    CHECK_STR(put(&lab, "UPSERT", W("a", 0), "10.0.1.1"), "");
    CHECK_STR(ask(&lab, 0), "10.0.1.1 | 10.0.1.2 10.0.1.3", "all of weight 0 count alike");
    network_free(lab.net);
}

TEST(the_secondary_answers_while_the_primary_is_down)
{
    struct lab lab = lab_new();
    struct err err = { 0 };
    make(&lab, F("p", "PRIMARY"), "10.0.1.10");
    make(&lab, F("s", "SECONDARY"), "10.0.1.11");
    CHECK_STR(ask(&lab, 0), "10.0.1.10");
    REQUIRE(failure_add(lab.net, "instance", lab.one->obj.id, &err), "%s", err.text);
    CHECK_STR(ask(&lab, 0), "10.0.1.11");
    REQUIRE(failure_add(lab.net, "instance", lab.two->obj.id, &err), "%s", err.text);
    CHECK_STR(ask(&lab, 0), "10.0.1.10", "both are down: the primary");
    CHECK_STR(put(&lab, "UPSERT", "\"SetIdentifier\":\"p\",\"Failover\":\"PRIMARY\",", "10.0.1.10"), "");
    REQUIRE(failure_remove(lab.net, "instance", lab.two->obj.id, &err), "%s", err.text);
    CHECK_STR(ask(&lab, 0), "10.0.1.10", "nobody checks it: it is healthy");
    network_free(lab.net);
}

TEST(as_many_values_as_are_healthy_are_answered_together)
{
    struct lab lab = lab_new();
    struct err err = { 0 };
    make(&lab, M("a"), "10.0.1.10");
    make(&lab, M("b"), "10.0.1.11");
    make(&lab, M("c"), "192.0.2.1"); /* nobody's in the lab: taken to be healthy */
    CHECK_STR(ask(&lab, 0), "10.0.1.10 10.0.1.11 192.0.2.1");
    REQUIRE(failure_add(lab.net, "instance", lab.one->obj.id, &err), "%s", err.text);
    CHECK_STR(ask(&lab, 0), "10.0.1.11 192.0.2.1");
    for (char id = 'd'; id < 'n'; id++) {
        char policy[64], value[16];
        snprintf(policy, sizeof policy, "\"SetIdentifier\":\"%c\",\"MultiValueAnswer\":true,", id);
        snprintf(value, sizeof value, "192.0.2.%d", id);
        make(&lab, policy, value);
    }
    struct dns_answer answer = { 0 };
    CHECK(resolver_ask(lab.net, lab.vpc->obj.id, "db.corp.internal", DNS_A, &answer, &err));
    CHECK_INT(answer.records.n, 8);
    dns_answer_done(&answer);
    network_free(lab.net);
}

TEST(region_and_place_are_those_of_the_vpc)
{
    static const struct {
        const char *first, *second, *answer;
    } cases[] = {
        { R("a", "us-east-1"), R("b", "eu-west-1"), "10.0.1.1" },
        { R("a", "eu-west-1"), R("b", "us-east-1"), "10.0.1.2" },
        { R("a", "eu-west-1"), R("b", "ap-south-1"), "10.0.1.1 | 10.0.1.2" }, /* which is nearer is not known */
        { G("a", "\"CountryCode\":\"*\""), G("b", "\"ContinentCode\":\"NA\""), "10.0.1.2" },
        { G("a", "\"CountryCode\":\"US\""), G("b", "\"ContinentCode\":\"NA\""), "10.0.1.1" },
        { G("a", "\"CountryCode\":\"US\""), G("b", "\"CountryCode\":\"US\",\"SubdivisionCode\":\"VA\""), "10.0.1.2" },
        { G("a", "\"CountryCode\":\"US\",\"SubdivisionCode\":\"OR\""), G("b", "\"CountryCode\":\"*\""), "10.0.1.2" },
        { G("a", "\"CountryCode\":\"DE\""), G("b", "\"ContinentCode\":\"EU\""), "outcome 2" }, /* DNS_NO_DATA */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lab lab = lab_new();
        make(&lab, cases[i].first, "10.0.1.1");
        make(&lab, cases[i].second, "10.0.1.2");
        CHECK_STR(ask(&lab, 0), cases[i].answer, "%s %s", cases[i].first, cases[i].second);
        network_free(lab.net);
    }
}

TEST(records_that_do_not_fit_are_refused)
{
    static const struct {
        const char *first, *policy, *code;
    } cases[] = {
        { NULL, "\"Weight\":1,", "InvalidInput" },            /* no SetIdentifier */
        { NULL, "\"SetIdentifier\":\"a\",", "InvalidInput" }, /* no policy */
        { NULL, "\"SetIdentifier\":\"a\",\"Weight\":1,\"Region\":\"us-east-1\",", "InvalidInput" },
        { NULL, W("a", 256), "InvalidInput" },
        { NULL, "\"SetIdentifier\":\"a\",\"Failover\":\"THIRD\",", "InvalidInput" },
        { NULL, G("a", "\"SubdivisionCode\":\"VA\""), "InvalidInput" },
        { NULL, "\"SetIdentifier\":\"a\",\"GeoProximityLocation\":{\"AWSRegion\":\"us-east-1\"},",
          "UnsupportedOperation" },
        { W("a", 1), W("a", 2), "InvalidChangeBatch" }, /* there already */
        { W("a", 1), W("b", 1), "" },
        { W("a", 1), R("b", "us-east-1"), "InvalidChangeBatch" }, /* two policies */
        { W("a", 1), "", "InvalidChangeBatch" },                  /* a simple one beside it */
        { "", W("a", 1), "InvalidChangeBatch" },
        { R("a", "us-east-1"), R("b", "us-east-1"), "InvalidChangeBatch" },
        { F("a", "PRIMARY"), F("b", "PRIMARY"), "InvalidChangeBatch" },
        { F("a", "PRIMARY"), F("b", "SECONDARY"), "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lab lab = lab_new();
        if (cases[i].first) {
            make(&lab, cases[i].first, "10.0.1.1");
        }
        size_t before = lab.zone->records.n;
        CHECK_STR(put(&lab, "CREATE", cases[i].policy, "10.0.1.2"), cases[i].code, "%s", cases[i].policy);
        CHECK_INT(lab.zone->records.n, before + !*cases[i].code);
        network_free(lab.net);
    }
    struct lab lab = lab_new();
    make(&lab, W("a", 1), "10.0.1.1");
    make(&lab, W("b", 2), "10.0.1.2");
    CHECK_STR(put(&lab, "DELETE", W("b", 1), "10.0.1.2"), "InvalidChangeBatch", "another weight");
    CHECK_STR(put(&lab, "DELETE", W("b", 2), "10.0.1.2"), "");
    CHECK_STR(ask(&lab, 0), "10.0.1.1");
    network_free(lab.net);
}

TEST_MAIN

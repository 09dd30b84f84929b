#include "netsim/model/endpoint.h"
#include "netsim/model/dhcp_options.h"
#include "netsim/model/peering.h"
#include "netsim/model/resolver.h"
#include "tests/unit/model.h"

/* Two VPCs, `web` in the first; a private zone of the first. */
struct names {
    struct network *net;
    struct vpc *vpc, *other;
    struct subnet *subnet;
    struct instance *web;
    struct hosted_zone *zone;
};

static const char *const records[] = {
    "{\"Name\":\"db.corp.internal\",\"Type\":\"A\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"10.0.1.9\"},{\"Value\":"
    "\"10.0.1.8\"}]}",
    "{\"Name\":\"sql.corp.internal\",\"Type\":\"CNAME\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"db.corp.internal."
    "\"}]}",
    "{\"Name\":\"out.corp.internal\",\"Type\":\"CNAME\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"example.com\"}]}",
    "{\"Name\":\"*.apps.corp.internal\",\"Type\":\"A\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"10.0.1.7\"}]}",
    "{\"Name\":\"x.deep.apps.corp.internal\",\"Type\":\"A\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"10.0.1.6\"}]}",
    "{\"Name\":\"a.corp.internal\",\"Type\":\"CNAME\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"b.corp.internal\"}]"
    "}",
    "{\"Name\":\"b.corp.internal\",\"Type\":\"CNAME\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"a.corp.internal\"}]"
    "}",
};

static void
add_record(struct names *n, const char *text)
{
    struct err err = { 0 };
    json_t *json = json_loads(text, 0, NULL);
    REQUIRE(hosted_zone_change(n->net, n->zone, "CREATE", json, &err), "%s: %s", text, err.text);
    json_decref(json);
}

static void
names_start(struct names *n)
{
    struct err err = { 0 };
    n->net = model_new();
    n->vpc = model_vpc(n->net, "10.0.0.0/16", false);
    n->other = model_vpc(n->net, "10.1.0.0/16", false);
    n->vpc->dns_hostnames = n->other->dns_hostnames = true;
    n->subnet = model_subnet(n->net, n->vpc, "10.0.1.0/24");
    model_igw(n->net, n->vpc);
    n->web = model_instance(n->net, n->subnet, 1);
    n->zone = hosted_zone_create(n->net, "Corp.Internal", "1", NULL, n->vpc->obj.id, "us-east-1", &err);
    REQUIRE(n->zone, "%s", err.text);
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        add_record(n, records[i]);
    }
}

/* The answer as "outcome address address": what a test compares. */
static const char *
ask(const struct names *n, const struct vpc *vpc, const char *name, int type)
{
    static char text[256];
    static const char *const outcomes[] = { "no-name", "answered", "no-data", "silent", "elsewhere", "failed" };
    struct dns_answer answer = { 0 };
    struct err err = { 0 };
    if (!resolver_lookup(n->net, vpc ? vpc->obj.id : NULL, name, type, &answer, &err)) {
        snprintf(text, sizeof text, "%s", err.code);
        return text;
    }
    int used = snprintf(text, sizeof text, "%s", outcomes[answer.outcome]);
    for (size_t i = 0; i < answer.records.n; i++) {
        const struct dns_record *r = &answer.records.items[i];
        used += snprintf(text + used, sizeof text - (size_t)used, " %s", r->text ? r->text : ip_str(&r->ip));
    }
    CHECK(answer.reason && answer.reason[0], "%s", name);
    dns_answer_done(&answer);
    return text;
}

TEST(a_private_zone_answers_in_its_vpcs)
{
    static const struct {
        const char *name;
        int type;
        const char *answer;
    } cases[] = {
        { "db.corp.internal", DNS_A, "answered 10.0.1.9 10.0.1.8" },
        { "DB.Corp.Internal.", DNS_A, "answered 10.0.1.9 10.0.1.8" },
        { "db.corp.internal", DNS_AAAA, "no-data" },
        { "sql.corp.internal", DNS_A, "answered db.corp.internal. 10.0.1.9 10.0.1.8" },
        { "sql.corp.internal", DNS_CNAME, "answered db.corp.internal." },
        { "out.corp.internal", DNS_A, "elsewhere example.com." },
        { "a.corp.internal", DNS_A,
          "failed b.corp.internal. a.corp.internal. b.corp.internal. a.corp.internal. b.corp.internal. "
          "a.corp.internal. "
          "b.corp.internal. a.corp.internal. b.corp.internal." },
        { "nobody.corp.internal", DNS_A, "no-name" },
        { "one.apps.corp.internal", DNS_A, "answered 10.0.1.7" },
        { "two.one.apps.corp.internal", DNS_A, "answered 10.0.1.7" },
        { "y.deep.apps.corp.internal", DNS_A, "no-name" }, /* deep.apps exists, so the wildcard stops above it */
        { "deep.apps.corp.internal", DNS_A, "no-data" },   /* there only because something is below it */
        { "corp.internal", DNS_A, "no-data" },
        { "notcorp.internal", DNS_A, "elsewhere" },
        { "", DNS_A, "InvalidParameterValue" },
        { "a..b", DNS_A, "InvalidParameterValue" },
    };
    struct names n;
    names_start(&n);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *answer = ask(&n, n.vpc, cases[i].name, cases[i].type);
        CHECK_STR(answer, cases[i].answer, "%s", cases[i].name);
    }
    CHECK_STR(ask(&n, n.other, "db.corp.internal", DNS_A), "elsewhere", "not associated");
    n.vpc->dns_hostnames = false;
    CHECK_STR(ask(&n, n.vpc, "db.corp.internal", DNS_A), "elsewhere", "hostnames off");
    n.vpc->dns_support = false;
    CHECK_STR(ask(&n, n.vpc, "db.corp.internal", DNS_A), "silent", "support off");
    network_free(n.net);
}

TEST(the_most_specific_zone_has_the_last_word)
{
    struct names n;
    struct err err = { 0 };
    names_start(&n);
    struct hosted_zone *below =
        hosted_zone_create(n.net, "eu.corp.internal", "2", NULL, n.vpc->obj.id, "us-east-1", &err);
    REQUIRE(below, "%s", err.text);
    add_record(
        &n,
        "{\"Name\":\"db.eu.corp.internal\",\"Type\":\"A\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"10.0.1.5\"}]}");
    CHECK_STR(ask(&n, n.vpc, "db.eu.corp.internal", DNS_A), "no-name", "the zone above is not asked");
    CHECK(!hosted_zone_create(n.net, "corp.internal", "3", NULL, n.vpc->obj.id, "us-east-1", &err) &&
              strcmp(err.code, "ConflictingDomainExists") == 0,
          "%s", err.code);
    /* A public zone of the same name is for everybody else. */
    err = (struct err){ 0 };
    struct hosted_zone *public = hosted_zone_create(n.net, "corp.internal", "4", NULL, NULL, NULL, &err);
    REQUIRE(public, "%s", err.text);
    json_t *json = json_loads(
        "{\"Name\":\"db.corp.internal\",\"Type\":\"A\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"203.0.113.9\"}]}",
        0, NULL);
    REQUIRE(hosted_zone_change(n.net, public, "CREATE", json, &err), "%s", err.text);
    json_decref(json);
    CHECK_STR(ask(&n, n.vpc, "db.corp.internal", DNS_A), "answered 10.0.1.9 10.0.1.8", "split view");
    CHECK_STR(ask(&n, n.other, "db.corp.internal", DNS_A), "answered 203.0.113.9", "split view");
    CHECK_STR(ask(&n, NULL, "db.corp.internal", DNS_A), "answered 203.0.113.9", "from the internet");
    network_free(n.net);
}

TEST(instances_have_names)
{
    struct names n;
    struct err err = { 0 };
    names_start(&n);
    const struct eni *eni = instance_eni(n.net, n.web, 0);
    char name[80], expected[80], public[80];
    unsigned last = (unsigned)eni_primary_ip(eni)->lo & 255;
    snprintf(name, sizeof name, "ip-10-0-1-%u.ec2.internal", last);
    snprintf(expected, sizeof expected, "answered 10.0.1.%u", last);
    CHECK_STR(ask(&n, n.vpc, name, DNS_A), expected, "%s", name);
    CHECK_STR(ask(&n, n.other, name, DNS_A), "no-name", "in another VPC");
    CHECK_STR(ask(&n, n.vpc, "ip-10-0-1-250.ec2.internal", DNS_A), "no-name", "nobody there");
    snprintf(name, sizeof name, "ip-10-0-1-%u", last);
    CHECK_STR(ask(&n, n.vpc, name, DNS_A), expected, "DHCP's domain is added");
    snprintf(name, sizeof name, "%u.1.0.10.in-addr.arpa", last);
    snprintf(public, sizeof public, "answered ip-10-0-1-%u.ec2.internal.", last);
    CHECK_STR(ask(&n, n.vpc, name, DNS_PTR), public, "%s", name);

    snprintf(name, sizeof name, "%s.ec2.internal", n.web->obj.id);
    CHECK_STR(ask(&n, n.vpc, name, DNS_A), "no-data", "resource name without its record");
    n.web->dns_a_record = true;
    CHECK_STR(ask(&n, n.vpc, name, DNS_A), expected, "resource name");
    CHECK_STR(ask(&n, n.vpc, name, DNS_AAAA), "no-data", "resource name");

    const struct ip *ip = eni_public_ip(eni, eni_primary_ip(eni));
    unsigned a = (unsigned)ip->lo;
    snprintf(name, sizeof name, "ec2-%u-%u-%u-%u.compute-1.amazonaws.com", a >> 24, a >> 16 & 255, a >> 8 & 255,
             a & 255);
    snprintf(public, sizeof public, "answered %s", ip_str(ip));
    CHECK_STR(ask(&n, n.vpc, name, DNS_A), expected, "inside: the private address");
    CHECK_STR(ask(&n, NULL, name, DNS_A), public, "outside");
    CHECK_STR(ask(&n, n.other, name, DNS_A), public, "another VPC");
    struct peering *peering =
        peering_create(n.net, &(struct peering_spec){ .vpc_id = n.other->obj.id, .peer_vpc_id = n.vpc->obj.id }, &err);
    REQUIRE(peering && peering_accept(n.net, peering, &err), "%s", err.text);
    CHECK_STR(ask(&n, n.other, name, DNS_A), public, "a peered VPC");
    peering->accepter.dns_resolution = true;
    CHECK_STR(ask(&n, n.other, name, DNS_A), expected, "a peered VPC with DNS resolution");
    n.vpc->dns_hostnames = false;
    CHECK_STR(ask(&n, NULL, name, DNS_A), "no-name", "no public names");
    network_free(n.net);
}

TEST(an_endpoint_answers_for_its_service)
{
    struct names n;
    struct err err = { 0 };
    names_start(&n);
    const char *subnets[] = { n.subnet->obj.id };
    struct endpoint_spec spec = { .vpc_id = n.vpc->obj.id,
                                  .service_name = "com.amazonaws.us-east-1.sts",
                                  .type = ENDPOINT_INTERFACE,
                                  .private_dns = true,
                                  .subnets = subnets,
                                  .n_subnets = 1 };
    CHECK_STR(ask(&n, n.vpc, "sts.us-east-1.amazonaws.com", DNS_A), "elsewhere", "before");
    struct endpoint *endpoint = endpoint_create(n.net, &spec, &err);
    REQUIRE(endpoint, "%s", err.text);
    const struct eni *eni = store_get(network_store(n.net), &eni_kind, endpoint->eni_ids.items[0]);
    char expected[80];
    snprintf(expected, sizeof expected, "answered %s", ip_str(eni_primary_ip(eni)));
    CHECK_STR(ask(&n, n.vpc, "sts.us-east-1.amazonaws.com", DNS_A), expected, "private DNS");
    CHECK_STR(ask(&n, n.other, "sts.us-east-1.amazonaws.com", DNS_A), "elsewhere", "another VPC");
    for (size_t i = 0; i < 2; i++) { /* its own names, also of the zone, mean the same everywhere */
        CHECK_STR(ask(&n, n.other, endpoint->dns_entries.items[i].name, DNS_A), expected, "%zu", i);
    }
    add_record(&n,
               "{\"Name\":\"token.corp.internal\",\"Type\":\"A\",\"AliasTarget\":{\"HostedZoneId\":\"Z7HUB22UULQXV\","
               "\"DNSName\":\"sts.us-east-1.amazonaws.com\",\"EvaluateTargetHealth\":false}}");
    CHECK_STR(ask(&n, n.vpc, "token.corp.internal", DNS_A), expected, "an alias has the addresses, no CNAME");
    network_free(n.net);
}

TEST(dhcp_says_whom_to_ask)
{
    struct names n;
    struct err err = { 0 };
    names_start(&n);
    struct dhcp_options *options = dhcp_options_create(n.net);
    json_t *servers = json_pack("[s]", "10.0.1.200"), *domain = json_pack("[s]", "corp.internal");
    CHECK(dhcp_options_add(options, "domain-name-servers", servers, &err) &&
              dhcp_options_add(options, "domain-name", domain, &err),
          "%s", err.text);
    dhcp_options_associate(n.net, n.vpc, options->obj.id);
    CHECK_STR(ask(&n, n.vpc, "db.corp.internal", DNS_A), "elsewhere", "another server");
    struct dns_answer answer = { 0 };
    CHECK(resolver_ask(n.net, n.vpc->obj.id, "db.corp.internal", DNS_A, &answer, &err) &&
              answer.outcome == DNS_ANSWERED,
          "VPC+2 answers all the same");
    dns_answer_done(&answer);
    free(options->configurations.items[0].values.items[0].value);
    options->configurations.items[0].values.items[0].value = xstrdup("10.0.0.2");
    CHECK_STR(ask(&n, n.vpc, "db", DNS_A), "answered 10.0.1.9 10.0.1.8", "VPC+2, and DHCP's domain");
    dhcp_options_associate(n.net, n.vpc, "default");
    CHECK_STR(ask(&n, n.vpc, "db.corp.internal", DNS_A), "silent", "no options");
    json_decref(servers);
    json_decref(domain);
    network_free(n.net);
}

TEST_MAIN

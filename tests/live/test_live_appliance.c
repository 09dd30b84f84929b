/* NAT instances, firewalls and routes of a gateway with real packets: the questions of tests/unit/test_appliance.c, and
 * the model is asked beside each. */
#include "netsim/model/internal.h"
#include "tests/live/lab.h"
#include "tests/unit/appliance_lab.h"

static const char *
end_of(const struct appliance_lab *l, const char *name)
{
    return strcmp(name, "app") == 0   ? l->app->obj.id
           : strcmp(name, "db") == 0  ? l->db->obj.id
           : strcmp(name, "web") == 0 ? l->web->obj.id
                                      : "internet";
}

static struct live_probe
send_one(struct live *live, const struct appliance_lab *l, const struct appliance_case *c)
{
    struct err err = { 0 };
    struct live_probe p = { .protocol = c->protocol, .dst_port = c->port };
    snprintf(p.from, sizeof p.from, "%s", end_of(l, c->from));
    snprintf(p.to, sizeof p.to, "%s", end_of(l, c->to));
    if (strcmp(c->from, "internet") == 0) {
        const struct eni *eni = instance_eni(l->net, l->web, 0);
        p.dst = *eni_public_ip(eni, eni_primary_ip(eni));
    }
    CHECK(live_probe(live, &p, 1, 300, &err), "%s: %s", c->name, err.text);
    return p;
}

/* The change of a case comes while the lab lives, as a user's would. */
TEST(packets_go_as_the_model_says)
{
    LAB_OR_SKIP();
    for (size_t i = 0; i < ARRAY_SIZE(appliance_cases); i++) {
        const struct appliance_case *c = &appliance_cases[i];
        struct appliance_lab l = appliance_lab();
        struct err err = { 0 };
        struct live *live = live_start(l.net, NULL, &err);
        REQUIRE(live, "%s", err.text);
        if (c->change) {
            c->change(&l);
            store_touch(network_store(l.net));
            REQUIRE(live_update(live, l.net, &err), "%s: %s", c->name, err.text);
        }
        struct live_probe p = send_one(live, &l, c);
        CHECK(p.arrived == c->arrives && p.replied == c->answered, "%s: arrived %d, answered %d", c->name, p.arrived,
              p.replied);
        live_stop(live);
        network_free(l.net);
    }
}

TEST_MAIN

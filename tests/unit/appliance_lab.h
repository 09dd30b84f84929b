/* A VPC with a NAT instance and a firewall in the way, for tests that ask the model and for those that send packets.
 *
 *   10.0.0.0/24 public: nat (10.0.0.10, 203.0.113.x), fw (10.0.0.20, and an address of its own)
 *   10.0.1.0/24 apps: app 10.0.1.10, its table: 0.0.0.0/0 -> nat, 10.0.2.0/24 -> fw
 *   10.0.2.0/24 data: db 10.0.2.10 (group "db": udp and tcp 5432 from 10.0.1.0/24, udp 53 from the group of app)
 *   10.0.3.0/24 site: web 10.0.3.10 with a public address, its table: 0.0.0.0/0 -> fw; the gateway's table: 10.0.3.0/24
 * -> fw */
#pragma once
#include "netsim/model/appliance.h"
#include "netsim/model/block_public_access.h"
#include "tests/unit/model.h"

struct appliance_lab {
    struct network *net;
    struct vpc *vpc;
    struct subnet *public, *apps, *data, *site;
    struct instance *nat, *fw, *app, *db, *web;
    struct eni *nat_eni, *fw_eni;
    struct security_group *fw_group;
    struct route_table *apps_table, *data_table, *site_table;
};

__attribute__((unused)) static struct instance *
appliance_run(struct appliance_lab *l, const struct subnet *subnet, const char *ip, const char *group, bool public)
{
    struct err err = { 0 };
    struct instance *instance;
    struct instance_spec spec = {
        .image_id = "ami-0123456789abcdef0",
        .public_ip = public,
        .eni = { .subnet_id = subnet->obj.id, .ip = ip_lit(ip), .groups = &group, .n_groups = 1 }
    };
    REQUIRE(instances_run(l->net, &spec, 1, &instance, &err), "%s", err.text);
    return instance;
}

__attribute__((unused)) static void
appliance_allow(struct appliance_lab *l, struct security_group *group, int protocol, int port, const char *cidr,
                const char *from_group)
{
    struct err err = { 0 };
    struct sg_rule rule = { .protocol = protocol, .from = port, .to = port };
    if (cidr) {
        rule.cidr = cidr_lit(cidr);
    } else {
        rule.group_id = (char *)from_group;
    }
    REQUIRE(security_group_authorize(l->net, group, &rule, 1, &err), "%s", err.text);
}

__attribute__((unused)) static struct route_table *
appliance_table(struct appliance_lab *l, const char *target)
{
    struct err err = { 0 };
    struct route_table *table = route_table_create(l->net, l->vpc->obj.id, false, &err);
    REQUIRE(table && route_table_associate(l->net, table, target, &err), "%s", err.text);
    return table;
}

__attribute__((unused)) static void
appliance_route(struct appliance_lab *l, struct route_table *table, const char *to, const char *eni_id,
                const char *gateway_id)
{
    struct err err = { 0 };
    struct route route = { .cidr = cidr_lit(to), .eni_id = (char *)eni_id, .gateway_id = (char *)gateway_id };
    REQUIRE(route_create(l->net, table, &route, &err), "%s", err.text);
}

__attribute__((unused)) static struct appliance_lab
appliance_lab(void)
{
    struct appliance_lab l = { .net = model_new() };
    struct err err = { 0 };
    l.vpc = model_vpc(l.net, "10.0.0.0/16", false);
    struct internet_gateway *igw = model_igw(l.net, l.vpc);
    l.public = model_subnet(l.net, l.vpc, "10.0.0.0/24");
    l.apps = model_subnet(l.net, l.vpc, "10.0.1.0/24");
    l.data = model_subnet(l.net, l.vpc, "10.0.2.0/24");
    l.site = model_subnet(l.net, l.vpc, "10.0.3.0/24");
    struct security_group *app_group = security_group_create(l.net, l.vpc->obj.id, "app", "app", &err),
                          *db_group = security_group_create(l.net, l.vpc->obj.id, "db", "db", &err),
                          *web_group = security_group_create(l.net, l.vpc->obj.id, "web", "web", &err);
    l.fw_group = security_group_create(l.net, l.vpc->obj.id, "fw", "fw", &err);
    appliance_allow(&l, l.fw_group, -1, -1, "10.0.0.0/16", NULL);
    appliance_allow(&l, l.fw_group, PROTOCOL_TCP, 80, "0.0.0.0/0", NULL);
    appliance_allow(&l, db_group, PROTOCOL_UDP, 5432, "10.0.1.0/24", NULL);
    appliance_allow(&l, db_group, PROTOCOL_TCP, 5432, "10.0.1.0/24", NULL);
    appliance_allow(&l, db_group, PROTOCOL_UDP, 53, NULL, app_group->obj.id);
    appliance_allow(&l, web_group, PROTOCOL_TCP, 80, "0.0.0.0/0", NULL);
    appliance_allow(&l, web_group, PROTOCOL_TCP, 22, "0.0.0.0/0", NULL);
    l.nat = appliance_run(&l, l.public, "10.0.0.10", l.fw_group->obj.id, true);
    l.fw = appliance_run(&l, l.public, "10.0.0.20", l.fw_group->obj.id, true);
    l.app = appliance_run(&l, l.apps, "10.0.1.10", app_group->obj.id, false);
    l.db = appliance_run(&l, l.data, "10.0.2.10", db_group->obj.id, false);
    l.web = appliance_run(&l, l.site, "10.0.3.10", web_group->obj.id, true);
    l.nat_eni = instance_eni(l.net, l.nat, 0);
    l.fw_eni = instance_eni(l.net, l.fw, 0);
    l.nat_eni->source_dest_check = l.fw_eni->source_dest_check = false;
    object_set_tag(&l.nat->obj, APPLIANCE_TAG, "nat");
    struct route_table *main = network_subnet_route_table(l.net, l.public);
    appliance_route(&l, main, "0.0.0.0/0", NULL, igw->obj.id);
    l.apps_table = appliance_table(&l, l.apps->obj.id);
    appliance_route(&l, l.apps_table, "0.0.0.0/0", l.nat_eni->obj.id, NULL);
    appliance_route(&l, l.apps_table, "10.0.2.0/24", l.fw_eni->obj.id, NULL);
    l.data_table = appliance_table(&l, l.data->obj.id);
    l.site_table = appliance_table(&l, l.site->obj.id);
    appliance_route(&l, l.site_table, "0.0.0.0/0", l.fw_eni->obj.id, NULL);
    appliance_route(&l, appliance_table(&l, igw->obj.id), "10.0.3.0/24", l.fw_eni->obj.id, NULL);
    return l;
}

/* What both are asked: from, to ("internet" or a name), protocol, port, the verdict after 'change'. */
struct appliance_case {
    const char *name;
    void (*change)(struct appliance_lab *l);
    const char *from, *to;
    int protocol, port;
    bool arrives, answered;
    const char *why; /* of a packet that does not arrive, or of an answer that does not */
};

__attribute__((unused)) static void
check_is_on(struct appliance_lab *l)
{
    l->nat_eni->source_dest_check = l->fw_eni->source_dest_check = true;
}

__attribute__((unused)) static void
appliances_keep(struct appliance_lab *l)
{
    object_set_tag(&l->nat->obj, APPLIANCE_TAG, "none");
    object_set_tag(&l->fw->obj, APPLIANCE_TAG, "none");
}

__attribute__((unused)) static void
nat_forwards_only(struct appliance_lab *l)
{
    object_unset_tag(&l->nat->obj, APPLIANCE_TAG);
}

__attribute__((unused)) static void
fw_lets_nothing_out(struct appliance_lab *l)
{
    while (l->fw_group->rules.n && l->fw_group->rules.items[l->fw_group->rules.n - 1].egress) {
        VEC_REMOVE(&l->fw_group->rules, l->fw_group->rules.n - 1);
    }
    for (size_t i = l->fw_group->rules.n; i-- > 0;) {
        if (l->fw_group->rules.items[i].egress) {
            VEC_REMOVE(&l->fw_group->rules, i);
        }
    }
}

__attribute__((unused)) static void
fw_has_no_public_ip(struct appliance_lab *l)
{
    struct ip ip = *eni_primary_ip(l->fw_eni);
    for (size_t i = 0; i < l->fw_eni->addresses.n; i++) {
        CHECK(ip_equal(&ip, &l->fw_eni->addresses.items[i].ip), "one address");
        eni_association_done(&l->fw_eni->addresses.items[i].association);
    }
}

__attribute__((unused)) static void
answers_go_through_too(struct appliance_lab *l)
{
    appliance_route(l, l->data_table, "10.0.1.0/24", l->fw_eni->obj.id, NULL);
}

/* What app asks goes straight to db, what db answers through the firewall. */
__attribute__((unused)) static void
only_answers_go_through(struct appliance_lab *l)
{
    struct err err = { 0 };
    struct route direct = { .cidr = cidr_lit("10.0.2.0/24") };
    REQUIRE(route_delete(l->net, l->apps_table, &direct, &err), "%s", err.text);
    answers_go_through_too(l);
}

__attribute__((unused)) static void
only_answers_and_no_rule(struct appliance_lab *l)
{
    only_answers_go_through(l);
    for (size_t i = l->fw_group->rules.n; i-- > 0;) {
        if (!l->fw_group->rules.items[i].egress) {
            VEC_REMOVE(&l->fw_group->rules, i);
        }
    }
}

__attribute__((unused)) static void
only_answers_and_none_out(struct appliance_lab *l)
{
    only_answers_go_through(l);
    fw_lets_nothing_out(l);
}

__attribute__((unused)) static void
nothing_public(struct appliance_lab *l)
{
    block_public_access_set(l->net, "block-bidirectional");
}

__attribute__((unused)) static void
nothing_inwards(struct appliance_lab *l)
{
    block_public_access_set(l->net, "block-ingress");
}

__attribute__((unused)) static void
nothing_public_but_site(struct appliance_lab *l)
{
    struct err err = { 0 };
    nothing_public(l);
    REQUIRE(bpa_exclusion_create(l->net, l->site->obj.id, "allow-bidirectional", &err), "%s", err.text);
}

/* The subnet's own exclusion counts, not its VPC's. */
__attribute__((unused)) static void
site_may_go_out(struct appliance_lab *l)
{
    struct err err = { 0 };
    nothing_public(l);
    REQUIRE(bpa_exclusion_create(l->net, l->vpc->obj.id, "allow-bidirectional", &err), "%s", err.text);
    REQUIRE(bpa_exclusion_create(l->net, l->site->obj.id, "allow-egress", &err), "%s", err.text);
}

/* AWS: such an exclusion "only applies when BPA is set to Bidirectional". */
__attribute__((unused)) static void
site_may_go_out_where_all_may(struct appliance_lab *l)
{
    struct err err = { 0 };
    nothing_inwards(l);
    REQUIRE(bpa_exclusion_create(l->net, l->site->obj.id, "allow-egress", &err), "%s", err.text);
}

__attribute__((unused)) static void
closed_and_opened_again(struct appliance_lab *l)
{
    nothing_public(l);
    block_public_access_set(l->net, "off");
}

static const struct appliance_case appliance_cases[] = {
    { "the NAT instance sends to the internet", NULL, "app", "internet", PROTOCOL_TCP, 443, true, true, NULL },
    { "the answers over udp come back too", NULL, "app", "internet", PROTOCOL_UDP, 53, true, true, NULL },
    { "without its tag it sends private addresses, which the gateway does not carry", nat_forwards_only, "app",
      "internet", PROTOCOL_TCP, 443, false, false, "igw-no-public-ip" },
    { "with the check on nothing gets through", check_is_on, "app", "internet", PROTOCOL_TCP, 443, false, false,
      "source-dest-check" },
    { "kept", appliances_keep, "app", "internet", PROTOCOL_UDP, 53, false, false, "appliance-keeps" },
    { "through the firewall inside the VPC", NULL, "app", "db", PROTOCOL_UDP, 5432, true, true, NULL },
    { "the answers too", answers_go_through_too, "app", "db", PROTOCOL_TCP, 5432, true, true, NULL },
    { "only the answers: the rules of the firewall, which never saw the question, let them by", only_answers_go_through,
      "app", "db", PROTOCOL_UDP, 5432, true, true, NULL },
    { "likewise tcp", only_answers_go_through, "app", "db", PROTOCOL_TCP, 5432, true, true, NULL },
    { "not in", only_answers_and_no_rule, "app", "db", PROTOCOL_UDP, 5432, true, false, "sg-ingress" },
    { "nor out", only_answers_and_none_out, "app", "db", PROTOCOL_UDP, 5432, true, false, "sg-egress" },
    { "the check", check_is_on, "app", "db", PROTOCOL_TCP, 5432, false, false, "source-dest-check" },
    { "a group of the sender is not known behind a middlebox", NULL, "app", "db", PROTOCOL_UDP, 53, false, false,
      "sg-ingress" },
    { "the appliance's own group, outwards", fw_lets_nothing_out, "app", "db", PROTOCOL_UDP, 5432, false, false,
      "sg-egress" },
    { "ingress routing: in through the firewall", NULL, "internet", "web", PROTOCOL_TCP, 80, true, true, NULL },
    { "its group is asked as well", NULL, "internet", "web", PROTOCOL_TCP, 22, false, false, "sg-ingress" },
    { "a middlebox behind the gateway needs a public address", fw_has_no_public_ip, "internet", "web", PROTOCOL_TCP, 80,
      false, false, "ingress-no-public-ip" },
    { "Block Public Access", nothing_public, "app", "internet", PROTOCOL_TCP, 443, false, false,
      "vpc-block-public-access" },
    { "inwards too", nothing_public, "internet", "web", PROTOCOL_TCP, 80, false, false, "vpc-block-public-access" },
    { "inside the VPC it means nothing", nothing_public, "app", "db", PROTOCOL_UDP, 5432, true, true, NULL },
    { "block-ingress leaves NAT gateways a way out, not instances", nothing_inwards, "web", "internet", PROTOCOL_TCP,
      443, false, false, "vpc-block-public-access" },
    { "an exclusion for connections from inside is none then", site_may_go_out_where_all_may, "web", "internet",
      PROTOCOL_TCP, 443, false, false, "vpc-block-public-access" },
    { "an excluded subnet", nothing_public_but_site, "internet", "web", PROTOCOL_TCP, 80, true, true, NULL },
    { "the others are not", nothing_public_but_site, "app", "internet", PROTOCOL_TCP, 443, false, false,
      "vpc-block-public-access" },
    { "an exclusion for connections from inside", site_may_go_out, "web", "internet", PROTOCOL_TCP, 443, true, true,
      NULL },
    { "lets none in", site_may_go_out, "internet", "web", PROTOCOL_TCP, 80, false, false, "vpc-block-public-access" },
    { "the VPC's exclusion", site_may_go_out, "app", "internet", PROTOCOL_TCP, 443, true, true, NULL },
    { "off", closed_and_opened_again, "app", "internet", PROTOCOL_TCP, 443, true, true, NULL },
    { "out through the firewall: its own public address is web's", NULL, "web", "internet", PROTOCOL_TCP, 443, true,
      true, NULL },
};

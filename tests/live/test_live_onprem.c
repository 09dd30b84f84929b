/* Networks outside AWS by VPN and Direct Connect, tables of gateways and appliances, with real packets.  Every "does
 * not arrive" stands beside the same packet arriving once the one thing that stops it is changed. */
#include "netsim/model/onprem.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"
#include "tests/live/places.h"

static struct live_probe
send_probe(struct fixture *f, const char *from, const char *to, const char *src, const char *dst)
{
    struct err err = { 0 };
    struct live_probe p = { .protocol = PROTOCOL_TCP, .dst_port = 80, .src = ip_lit(src), .dst = ip_lit(dst) };
    snprintf(p.from, sizeof p.from, "%s", from);
    snprintf(p.to, sizeof p.to, "%s", to);
    CHECK(live_probe(f->live, &p, 1, 300, &err), "%s", err.text);
    return p;
}

static struct customer_gateway *
site_new(struct fixture *f, const char *public_ip)
{
    struct err err = { 0 };
    struct ip ip = ip_lit(public_ip);
    struct customer_gateway *cgw = customer_gateway_create(f->net, &ip, 65000, NULL, &err);
    REQUIRE(cgw, "%s", err.text);
    return cgw;
}

static struct vpn_connection *
vpn_new(struct fixture *f, const struct customer_gateway *cgw, const char *vgw, const char *tgw, const char *block)
{
    struct err err = { 0 };
    struct vpn_spec spec = {
        .customer_gateway_id = cgw->obj.id, .vpn_gateway_id = vgw, .tgw_id = tgw, .static_routes_only = true
    };
    struct vpn_connection *vpn = vpn_connection_create(f->net, &spec, &err);
    struct cidr cidr = cidr_lit(block);
    REQUIRE(vpn && vpn_connection_add_route(f->net, vpn, &cidr, &err), "%s", err.text);
    return vpn;
}

static void
add_route(struct fixture *f, struct route_table *table, struct route route, const char *to)
{
    struct err err = { 0 };
    route.cidr = cidr_lit(to);
    CHECK(route_create(f->net, table, &route, &err), "%s: %s", to, err.text);
    update(f);
}

TEST(a_virtual_private_gateway_leads_to_the_site_and_back)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct customer_gateway *cgw = site_new(&f, "198.51.100.1");
    struct vpn_gateway *vgw = vpn_gateway_create(f.net, 64512, NULL, &err);
    REQUIRE(vgw && vpn_gateway_attach(f.net, vgw, f.a.vpc->obj.id, &err), "%s", err.text);
    struct vpn_connection *vpn = vpn_new(&f, cgw, vgw->obj.id, NULL, "192.168.7.0/24");
    update(&f);
    const char *a = f.a.instance->obj.id, *site = cgw->obj.id;
    CHECK(!send_probe(&f, a, site, "10.1.0.10", "192.168.7.10").arrived, "no route");
    struct live_probe p = send_probe(&f, site, a, "192.168.7.10", "10.1.0.10");
    CHECK(p.arrived && !p.replied, "in it comes; the answer has no route");
    CHECK(vpn_gateway_propagate(f.net, vgw, f.a.table, &err), "%s", err.text);
    update(&f);
    CHECK(send_probe(&f, a, site, "10.1.0.10", "192.168.7.10").replied, "propagated");
    CHECK(send_probe(&f, site, a, "192.168.7.10", "10.1.0.10").replied, "from the site");
    CHECK(!send_probe(&f, site, f.b.instance->obj.id, "192.168.7.10", "10.2.0.10").arrived, "not to another VPC");
    add_route(&f, f.a.table, (struct route){ .gateway_id = (char *)vgw->obj.id }, "192.168.0.0/16");
    CHECK(!send_probe(&f, a, site, "10.1.0.10", "192.168.8.10").arrived, "a route of the VPC, none of the connection");
    struct cidr more = cidr_lit("192.168.8.0/24");
    CHECK(vpn_connection_add_route(f.net, vpn, &more, &err), "%s", err.text);
    update(&f);
    CHECK(send_probe(&f, a, site, "10.1.0.10", "192.168.8.10").replied, "both have a route");
    CHECK(vpn_connection_delete(f.net, vpn, &err), "%s", err.text);
    update(&f);
    CHECK(!send_probe(&f, a, site, "10.1.0.10", "192.168.8.10").arrived, "the connection is gone");
    fixture_done(&f);
}

TEST(two_sites_of_one_gateway_have_their_own_prefixes)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct customer_gateway *one = site_new(&f, "198.51.100.1"), *two = site_new(&f, "198.51.100.2");
    struct vpn_gateway *vgw = vpn_gateway_create(f.net, 64512, NULL, &err);
    REQUIRE(vgw && vpn_gateway_attach(f.net, vgw, f.a.vpc->obj.id, &err), "%s", err.text);
    vpn_new(&f, one, vgw->obj.id, NULL, "192.168.0.0/16");
    vpn_new(&f, two, vgw->obj.id, NULL, "192.168.2.0/24");
    add_route(&f, f.a.table, (struct route){ .gateway_id = (char *)vgw->obj.id }, "192.168.0.0/16");
    const char *a = f.a.instance->obj.id;
    CHECK(send_probe(&f, a, one->obj.id, "10.1.0.10", "192.168.1.10").replied, "the wide prefix");
    CHECK(send_probe(&f, a, two->obj.id, "10.1.0.10", "192.168.2.10").replied, "the narrow one");
    CHECK(!send_probe(&f, a, one->obj.id, "10.1.0.10", "192.168.2.10").arrived, "which is not the other's");
    CHECK(!send_probe(&f, one->obj.id, two->obj.id, "192.168.1.10", "192.168.2.10").arrived, "sites do not meet here");
    fixture_done(&f);
}

TEST(a_transit_gateway_joins_sites_and_vpcs)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct transit_gateway *tgw = tgw_create(f.net, &(struct tgw_spec){ 0 }, &err);
    REQUIRE(tgw, "%s", err.text);
    struct tgw_vpc_spec spec = { .tgw_id = tgw->obj.id,
                                 .vpc_id = f.a.vpc->obj.id,
                                 .subnet_ids = (const char *[]){ f.a.subnet->obj.id },
                                 .n_subnets = 1 };
    REQUIRE(tgw_attach_vpc(f.net, &spec, &err), "%s", err.text);
    struct customer_gateway *one = site_new(&f, "198.51.100.1"), *two = site_new(&f, "198.51.100.2");
    struct vpn_connection *vpn = vpn_new(&f, one, NULL, tgw->obj.id, "192.168.1.0/24");
    vpn_new(&f, two, NULL, tgw->obj.id, "192.168.2.0/24");
    update(&f);
    const char *a = f.a.instance->obj.id;
    CHECK(!send_probe(&f, one->obj.id, a, "192.168.1.10", "10.1.0.10").replied, "the VPC has no route back");
    add_route(&f, f.a.table, (struct route){ .transit_gateway_id = (char *)tgw->obj.id }, "192.168.0.0/16");
    CHECK(send_probe(&f, one->obj.id, a, "192.168.1.10", "10.1.0.10").replied, "from the first site");
    CHECK(send_probe(&f, a, two->obj.id, "10.1.0.10", "192.168.2.10").replied, "to the second site");
    CHECK(send_probe(&f, one->obj.id, two->obj.id, "192.168.1.10", "192.168.2.10").replied, "from site to site");
    struct tgw_route_table *table = store_get(network_store(f.net), &tgw_route_table_kind, tgw->association_table_id);
    struct cidr block = cidr_lit("192.168.2.0/24");
    CHECK(tgw_route_put(f.net, table, &block, NULL, false, &err), "%s", err.text);
    update(&f);
    CHECK(!send_probe(&f, one->obj.id, two->obj.id, "192.168.1.10", "192.168.2.10").arrived, "a blackhole");
    CHECK(send_probe(&f, one->obj.id, a, "192.168.1.10", "10.1.0.10").replied, "which changes nothing else");
    CHECK(vpn_connection_delete(f.net, vpn, &err), "%s", err.text);
    update(&f);
    CHECK(!send_probe(&f, a, one->obj.id, "10.1.0.10", "192.168.1.10").arrived, "the connection is gone");
    fixture_done(&f);
}

TEST(direct_connect_leads_to_a_site)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct vpn_gateway *vgw = vpn_gateway_create(f.net, 64512, NULL, &err);
    REQUIRE(vgw && vpn_gateway_attach(f.net, vgw, f.a.vpc->obj.id, &err), "%s", err.text);
    const char *dx = "0a1b2c3d-1111-2222-3333-444455556666";
    store_add(network_store(f.net), &direct_connect_gateway_kind, dx);
    struct direct_connect_association *association =
        store_add(network_store(f.net), &direct_connect_association_kind, "association-1");
    snprintf(association->gateway_id, sizeof association->gateway_id, "%s", dx);
    snprintf(association->associated_id, sizeof association->associated_id, "%s", vgw->obj.id);
    association->state = xstrdup("associated");
    update(&f);
    const char *a = f.a.instance->obj.id;
    CHECK(!send_probe(&f, a, dx, "10.1.0.10", "172.20.0.10").arrived, "no route");
    add_route(&f, f.a.table, (struct route){ .gateway_id = (char *)vgw->obj.id }, "172.20.0.0/16");
    CHECK(send_probe(&f, a, dx, "10.1.0.10", "172.20.0.10").replied, "by the virtual private gateway");
    CHECK(send_probe(&f, dx, a, "172.20.0.10", "10.1.0.10").replied, "and in");
    struct store *store = network_store(f.net);
    VEC_ADD(&association->allowed)->cidr = cidr_lit("10.200.0.0/16");
    store_touch(store);
    update(&f);
    CHECK(!send_probe(&f, dx, a, "172.20.0.10", "10.1.0.10").arrived, "the VPC's block is not announced");
    struct live_probe p = send_probe(&f, a, dx, "10.1.0.10", "172.20.0.10");
    CHECK(p.arrived && !p.replied, "nor does the site know where to answer to");
    association->allowed.items[0].cidr = cidr_lit("10.0.0.0/8");
    struct virtual_interface *vif = store_add(store, &virtual_interface_kind, "dxvif-1");
    snprintf(vif->gateway_id, sizeof vif->gateway_id, "%s", dx);
    vif->state = xstrdup("available");
    update(&f);
    CHECK(send_probe(&f, dx, a, "172.20.0.10", "10.1.0.10").replied, "a wider prefix lets it be announced");
    vif->state[0] = 'X';
    store_touch(store);
    update(&f);
    CHECK(!send_probe(&f, a, f.b.instance->obj.id, "10.1.0.10", "172.20.0.10").arrived, "the line is down");
    vif->state[0] = 'a';
    store_touch(store);
    update(&f);
    CHECK(send_probe(&f, a, dx, "10.1.0.10", "172.20.0.10").replied, "and up again");
    fixture_done(&f);
}

static struct virtual_interface *
line_new(struct fixture *f, const char *id, const struct vpn_gateway *vgw)
{
    struct virtual_interface *vif = store_add(network_store(f->net), &virtual_interface_kind, id);
    snprintf(vif->vgw_id, sizeof vif->vgw_id, "%s", vgw->obj.id);
    vif->state = xstrdup("available");
    return vif;
}

TEST(a_virtual_interface_leads_directly_to_a_virtual_private_gateway)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct vpn_gateway *vgw = vpn_gateway_create(f.net, 64512, NULL, &err);
    REQUIRE(vgw && vpn_gateway_attach(f.net, vgw, f.a.vpc->obj.id, &err), "%s", err.text);
    struct virtual_interface *one = line_new(&f, "dxvif-1", vgw);
    add_route(&f, f.a.table, (struct route){ .gateway_id = (char *)vgw->obj.id }, "172.20.0.0/16");
    const char *a = f.a.instance->obj.id, *site = one->obj.id;
    CHECK_STR(onprem_site_of_vgw(f.net, vgw->obj.id), site);
    CHECK_STR(onprem_site_end(f.net, site), vgw->obj.id);
    CHECK(send_probe(&f, a, site, "10.1.0.10", "172.20.0.10").replied, "out by the virtual private gateway");
    CHECK(send_probe(&f, site, a, "172.20.0.10", "10.1.0.10").replied, "and in");
    /* With its line down there is no way, by a second one there is again, and by what a VPN connection routes there is
     * another. */
    one->state[0] = 'X';
    store_touch(network_store(f.net));
    update(&f);
    CHECK(!onprem_site_of_vgw(f.net, vgw->obj.id), "no line is up");
    CHECK(!send_probe(&f, a, "internet", "10.1.0.10", "172.20.0.10").arrived, "the line is down");
    line_new(&f, "dxvif-2", vgw);
    update(&f);
    CHECK(send_probe(&f, a, site, "10.1.0.10", "172.20.0.10").replied, "by the second line to the same site");
    struct vpn_connection *vpn = vpn_new(&f, site_new(&f, "198.51.100.1"), vgw->obj.id, NULL, "172.20.7.0/24");
    update(&f);
    CHECK(send_probe(&f, a, vpn->customer_gateway_id, "10.1.0.10", "172.20.7.10").replied,
          "what VPN routes goes by VPN");
    CHECK(send_probe(&f, a, site, "10.1.0.10", "172.20.0.10").replied, "the rest by the line");
    fixture_done(&f);
}

TEST(ipv6_goes_to_a_site_too)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(true);
    const char *dx = "0a1b2c3d-1111-2222-3333-444455556666", *a = f.a.instance->obj.id, *b = f.b.instance->obj.id;
    struct vpn_gateway *vgw = vpn_gateway_create(f.net, 64512, NULL, &err);
    struct transit_gateway *tgw = tgw_create(f.net, &(struct tgw_spec){ 0 }, &err);
    REQUIRE(vgw && tgw && vpn_gateway_attach(f.net, vgw, f.a.vpc->obj.id, &err), "%s", err.text);
    struct direct_connect_gateway *gateway = store_add(network_store(f.net), &direct_connect_gateway_kind, dx);
    struct direct_connect_association *association =
        store_add(network_store(f.net), &direct_connect_association_kind, "association-1");
    snprintf(association->gateway_id, sizeof association->gateway_id, "%s", dx);
    snprintf(association->associated_id, sizeof association->associated_id, "%s", vgw->obj.id);
    association->state = xstrdup("associated");
    struct tgw_vpc_spec spec = { .tgw_id = tgw->obj.id,
                                 .vpc_id = f.b.vpc->obj.id,
                                 .subnet_ids = (const char *[]){ f.b.subnet->obj.id },
                                 .n_subnets = 1,
                                 .ipv6_support = "enable" };
    REQUIRE(tgw_attach_vpc(f.net, &spec, &err), "%s", err.text);
    const struct tgw_attachment *attachment = tgw_attach(f.net, tgw, "direct-connect-gateway", &gateway->obj);
    struct cidr block = cidr_lit("2600:77::/48");
    struct route by_vgw = { .cidr6 = block, .gateway_id = vgw->obj.id },
                 by_tgw = { .cidr6 = block, .transit_gateway_id = tgw->obj.id };
    char in_a[IP_STR_SIZE], in_b[IP_STR_SIZE];
    ip_format(&instance_eni(f.net, f.a.instance, 0)->addresses6.items[0].ip, in_a);
    ip_format(&instance_eni(f.net, f.b.instance, 0)->addresses6.items[0].ip, in_b);
    update(&f);
    CHECK(!send_probe(&f, a, dx, in_a, "2600:77::a").arrived, "no route");
    CHECK(route_create(f.net, f.a.table, &by_vgw, &err) && route_create(f.net, f.b.table, &by_tgw, &err), "%s",
          err.text);
    update(&f);
    CHECK(send_probe(&f, a, dx, in_a, "2600:77::a").replied, "by the virtual private gateway");
    CHECK(send_probe(&f, dx, a, "2600:77::a", in_a).replied, "and in");
    struct tgw_route_table *table = store_get(network_store(f.net), &tgw_route_table_kind, tgw->association_table_id);
    CHECK(tgw_route_put(f.net, table, &block, NULL, false, &err), "%s", err.text);
    update(&f);
    CHECK(!send_probe(&f, b, dx, in_b, "2600:77::a").arrived, "a blackhole in the transit gateway");
    CHECK(tgw_route_put(f.net, table, &block, attachment, true, &err), "%s", err.text);
    update(&f);
    CHECK(send_probe(&f, b, dx, in_b, "2600:77::a").replied, "a static route to the attachment");
    CHECK(send_probe(&f, dx, b, "2600:77::a", in_b).replied, "and in");
    /* A line whose session of the one family is down carries the other one. */
    struct virtual_interface *vif = store_add(network_store(f.net), &virtual_interface_kind, "dxvif-1");
    snprintf(vif->gateway_id, sizeof vif->gateway_id, "%s", dx);
    vif->state = xstrdup("available");
    for (int i = 0; i < 2; i++) {
        struct direct_connect_peer *peer = VEC_ADD(&vif->peers);
        peer->family = xstrdup(i ? "ipv6" : "ipv4");
        peer->state = xstrdup("available");
        peer->status = xstrdup(i ? "down" : "up");
    }
    update(&f);
    CHECK(!send_probe(&f, b, dx, in_b, "2600:77::a").arrived, "the session for IPv6 is down");
    CHECK(!send_probe(&f, a, dx, in_a, "2600:77::a").arrived, "also by the virtual private gateway");
    free(vif->peers.items[1].status);
    vif->peers.items[1].status = xstrdup("up");
    update(&f);
    CHECK(send_probe(&f, b, dx, in_b, "2600:77::a").replied, "and up again");
    CHECK(send_probe(&f, a, dx, in_a, "2600:77::a").replied, "for both");
    fixture_done(&f);
}

/* a's appliance looks at what comes in by the internet gateway for a's second subnet. */
TEST(the_table_of_a_gateway_leads_to_an_appliance)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct vpc *vpc = model_vpc(f.net, "10.5.0.0/16", false);
    struct internet_gateway *igw = model_igw(f.net, vpc);
    struct place server = { .vpc = vpc, .subnet = model_subnet(f.net, vpc, "10.5.1.0/24") };
    struct place appliance = { .vpc = vpc, .subnet = model_subnet(f.net, vpc, "10.5.2.0/24") };
    server.table = appliance.table = network_subnet_route_table(f.net, server.subnet);
    server.group = appliance.group = security_group_create(f.net, vpc->obj.id, "open", "open", &err);
    allow(f.net, server.group, 80, "0.0.0.0/0");
    server.instance = run(f.net, &server, ip_lit("10.5.1.10"));
    appliance.instance = run(f.net, &appliance, ip_lit("10.5.2.10"));
    struct elastic_ip *eip = elastic_ip_allocate(f.net, &err);
    struct eni *eni = instance_eni(f.net, server.instance, 0), *middle = instance_eni(f.net, appliance.instance, 0);
    REQUIRE(eip && elastic_ip_associate(f.net, eip, eni, eni_primary_ip(eni), false, &err), "%s", err.text);
    char public_ip[IP_STR_SIZE];
    ip_format(eni_public_ip(eni, eni_primary_ip(eni)), public_ip);
    add_route(&f, server.table, (struct route){ .gateway_id = (char *)igw->obj.id }, "0.0.0.0/0");
    const char *to = server.instance->obj.id;
    CHECK(send_probe(&f, "internet", to, "8.8.8.8", public_ip).replied, "straight");

    middle->source_dest_check = false;
    object_set_tag(&appliance.instance->obj, "vpclab:appliance", "none");
    struct elastic_ip *own = elastic_ip_allocate(f.net, &err); /* without one AWS hands it nothing from outside */
    REQUIRE(own && elastic_ip_associate(f.net, own, middle, eni_primary_ip(middle), false, &err), "%s", err.text);
    struct route_table *ingress = route_table_create(f.net, vpc->obj.id, false, &err);
    REQUIRE(ingress && route_table_associate(f.net, ingress, igw->obj.id, &err), "%s", err.text);
    update(&f);
    CHECK(send_probe(&f, "internet", to, "8.8.8.8", public_ip).replied, "a table with `local` alone");
    add_route(&f, ingress, (struct route){ .eni_id = (char *)middle->obj.id }, "10.5.1.0/24");
    CHECK(!send_probe(&f, "internet", to, "8.8.8.8", public_ip).arrived, "the appliance does not forward");
    object_unset_tag(&appliance.instance->obj, "vpclab:appliance");
    update(&f);
    CHECK(send_probe(&f, "internet", to, "8.8.8.8", public_ip).replied, "through the appliance");
    middle->source_dest_check = true;
    update(&f);
    CHECK(!send_probe(&f, "internet", to, "8.8.8.8", public_ip).arrived, "whose check is on");
    middle->source_dest_check = false;
    update(&f);
    CHECK(send_probe(&f, "internet", to, "8.8.8.8", public_ip).replied, "off again");
    appliance.instance->state_code = INSTANCE_STOPPED;
    update(&f);
    CHECK(!send_probe(&f, "internet", to, "8.8.8.8", public_ip).arrived, "stopped: its routes are blackholes");
    fixture_done(&f);
}

TEST_MAIN

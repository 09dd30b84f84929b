/* Where the planned routers send packets: a lab as commands make it, its plan, and the kernel's rules and tables of
 * that plan looked up as the kernel does it. */
#include "tests/test.h"
#include "tests/unit/lab_story.h"

#include <stdlib.h>

#include "netsim/live/plan_build.h"

#define NAMED(type, name) " --tag-specifications ResourceType=" type ",Tags=[{Key=Name,Value=" name "}]"
#define VPC(name, block)                                                                                               \
    {                                                                                                                  \
        "ec2 create-vpc --cidr-block " block NAMED("vpc", name), "", ""                                                \
    }
#define SUBNET(vpc, name, block, zone)                                                                                 \
    {                                                                                                                  \
        "ec2 create-subnet --vpc-id " vpc " --cidr-block " block                                                       \
        " --availability-zone us-east-1" zone NAMED("subnet", name),                                                   \
            "", ""                                                                                                     \
    }
#define ATTACH(tgw, vpc, subnets, name)                                                                                \
    {                                                                                                                  \
        "ec2 create-transit-gateway-vpc-attachment --transit-gateway-id " tgw " --vpc-id " vpc                         \
        " --subnet-ids " subnets NAMED("transit-gateway-attachment", name),                                            \
            "", ""                                                                                                     \
    }
#define TABLE(vpc, name)                                                                                               \
    {                                                                                                                  \
        "ec2 create-route-table --vpc-id " vpc NAMED("route-table", name), "", ""                                      \
    }
#define ROUTE(table, block, target)                                                                                    \
    {                                                                                                                  \
        "ec2 create-route --route-table-id " table " --destination-cidr-block " block " " target, "", ""               \
    }
#define DO(line)                                                                                                       \
    {                                                                                                                  \
        line, "", ""                                                                                                   \
    }

struct lab {
    struct cloud *cloud;
    struct plan_numbers numbers;
    struct plan *plan;
};

static const char *
id_of(struct lab *lab, const char *name)
{
    static char ids[8][ID_SIZE];
    static int next;
    struct err err = { 0 };
    char *id = ids[next++ % 8];
    REQUIRE(cloud_resolve(lab->cloud, NULL, name, id, &err), "%s: %s", name, err.text);
    return id;
}

/* ---- what the kernel does with a plan -------------------------------------------------------------------------------
 */
static const struct nlq_route *
lookup(const struct plan_ns *ns, uint32_t table, const struct ip *to)
{
    const struct nlq_route *best = NULL;
    for (size_t i = 0; i < ns->routes.n; i++) {
        const struct nlq_route *r = &ns->routes.items[i];
        bool fits = r->table == table && r->to.ip.family == to->family && cidr_contains_ip(&r->to, to);
        best = fits && (!best || r->to.bits > best->to.bits) ? r : best;
    }
    return best;
}

/* By the rules, lowest priority first; the kernel's own `main` among them. */
static const struct nlq_route *
route_of(const struct plan_ns *ns, uint32_t mark, const struct ip *to)
{
    enum { MAIN = 254, MAIN_PRIORITY = 32766 };
    const struct nlq_route *found = NULL;
    for (uint32_t above = 0; !found;) {
        struct nlq_rule next = { .priority = UINT32_MAX };
        for (size_t i = 0; i < ns->rules.n; i++) {
            const struct nlq_rule *r = &ns->rules.items[i];
            bool fits = r->family == to->family && (!r->mark || r->mark == mark) && !r->from.ip.family && !*r->iif;
            next = fits && r->priority > above && r->priority < next.priority ? *r : next;
        }
        if (above < MAIN_PRIORITY && next.priority > MAIN_PRIORITY) {
            next = (struct nlq_rule){ .priority = MAIN_PRIORITY, .table = MAIN };
        }
        if (next.priority == UINT32_MAX) {
            return NULL;
        }
        found = lookup(ns, next.table, to);
        above = next.priority;
    }
    return found;
}

/* The namespace at the other end, and the subnet of the attachment when it is a transit gateway's link. */
static void
describe_end(struct lab *lab, const struct plan_ns *ns, uint32_t index, struct buf *out)
{
    static const char *const subnets[] = { "a1", "a2", "a3", "b1", "b2" };
    for (size_t i = 0; i < lab->plan->namespaces.n; i++) {
        const struct plan_ns *other = lab->plan->namespaces.items[i];
        for (size_t j = 0; j < other->links.n; j++) {
            const struct plan_link *link = &other->links.items[j];
            bool near = other == ns && link->here.index == index;
            if (!near && (strcmp(link->peer_ns, ns->id) != 0 || link->peer.index != index)) {
                continue;
            }
            const char *id = near ? link->peer_ns : other->id;
            const struct object *object =
                store_find(network_store(lab->cloud->net), strncmp(id, "router:", 7) == 0 ? id + 7 : id);
            buf_str_add(out, object && object_name(object) ? object_name(object) : id);
            for (size_t s = 0; s < ARRAY_SIZE(subnets); s++) {
                struct err err = { 0 };
                char subnet[ID_SIZE];
                if (cloud_resolve(lab->cloud, NULL, subnets[s], subnet, &err) &&
                    link->here.group == plan_number(&lab->numbers, "tgw-subnet", subnet)) {
                    buf_printf(out, " by %s", subnets[s]);
                }
            }
            return;
        }
    }
    buf_str_add(out, "no link");
}

/* Of packets that come to a transit gateway by the attachment in a subnet, or to a VPC's router from a subnet whose
 * table is named; "table@zone" where the zone matters. */
static uint32_t
mark_of(struct lab *lab, const struct plan_ns *ns, const char *by)
{
    if (ns->kind != PLAN_TRANSIT) {
        const char *zone = strchr(by, '@');
        char name[32], key[ID_SIZE + 32];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(by, "@"), by);
        snprintf(key, sizeof key, "%s%s", id_of(lab, name), zone ? zone : "");
        return plan_number(&lab->numbers, "table", key);
    }
    const struct plan_set *marks = plan_find_set(ns, "table_of_link");
    uint32_t group = plan_number(&lab->numbers, "tgw-subnet", id_of(lab, by));
    for (size_t i = 0; i < lab->plan->namespaces.n; i++) {
        const struct plan_ns *other = lab->plan->namespaces.items[i];
        for (size_t j = 0; j < other->links.n; j++) {
            const struct plan_link *link = &other->links.items[j];
            char name[24];
            snprintf(name, sizeof name, "\"%s\"", link->peer.name);
            const struct plan_element *mark = marks ? plan_find_element(marks, name) : NULL;
            if (strcmp(link->peer_ns, ns->id) == 0 && link->here.group == group && mark) {
                return (uint32_t)strtoul(mark->data, NULL, 0);
            }
        }
    }
    return 0;
}

struct way {
    const char *at, *by, *to, *goes;
};

static void
check_ways(struct lab *lab, const struct way *ways, size_t n)
{
    lab->plan = plan_new(lab->cloud->net, &lab->numbers);
    for (size_t i = 0; i < n; i++) {
        const struct way *w = &ways[i];
        char *router = xasprintf("router:%s", id_of(lab, w->at));
        const struct plan_ns *ns = plan_find(lab->plan, router);
        ns = ns ? ns : plan_find(lab->plan, id_of(lab, w->at));
        REQUIRE(ns, "no namespace of %s", w->at);
        struct ip to = ip_lit(w->to);
        const struct nlq_route *route = route_of(ns, mark_of(lab, ns, w->by), &to);
        struct buf goes = { 0 };
        if (route && route->type == NLQ_UNICAST) {
            describe_end(lab, ns, route->index, &goes);
        } else {
            buf_str_add(&goes, route ? "blackhole" : "nowhere");
        }
        CHECK_STR(buf_str(&goes), w->goes, "at %s by %s to %s", w->at, w->by, w->to);
        buf_done(&goes);
        free(router);
    }
    plan_free(lab->plan);
}

#define CHECK_WAYS(lab, ways) check_ways(lab, ways, ARRAY_SIZE(ways))

/* ---- the network ----------------------------------------------------------------------------------------------------
 */

/* VPC a with three zones, b behind a transit gateway, c behind a peering. */
static struct lab
lab_new(void)
{
    struct err err = { 0 };
    struct lab lab = { .cloud = lab_open(&err) };
    REQUIRE(lab.cloud, "%s", err.text);
    static const struct step base[] = {
        VPC("a", "10.0.0.0/16"),
        VPC("b", "10.1.0.0/16"),
        VPC("c", "10.2.0.0/16"),
        SUBNET("a", "a1", "10.0.1.0/24", "a"),
        SUBNET("a", "a2", "10.0.2.0/24", "b"),
        SUBNET("a", "a3", "10.0.3.0/24", "c"),
        SUBNET("b", "b1", "10.1.1.0/24", "a"),
        SUBNET("b", "b2", "10.1.2.0/24", "b"),
        DO("ec2 create-internet-gateway" NAMED("internet-gateway", "igw")),
        DO("ec2 attach-internet-gateway --internet-gateway-id igw --vpc-id a"),
        DO("ec2 create-vpn-gateway --type ipsec.1" NAMED("vpn-gateway", "vgw")),
        DO("ec2 attach-vpn-gateway --vpn-gateway-id vgw --vpc-id a"),
        DO("ec2 create-vpc-peering-connection --vpc-id a --peer-vpc-id c" NAMED("vpc-peering-connection", "pcx")),
        DO("ec2 accept-vpc-peering-connection --vpc-peering-connection-id pcx"),
        DO("ec2 allocate-address" NAMED("elastic-ip", "eip")),
        DO("ec2 create-nat-gateway --subnet-id a1 --allocation-id eip" NAMED("natgateway", "nat")),
        DO("ec2 run-instances --image-id ami-12345678 --subnet-id a1" NAMED("instance", "fw")),
        DO("ec2 create-transit-gateway" NAMED("transit-gateway", "t")),
        ATTACH("t", "a", "a1 a2", "ta"),
        ATTACH("t", "b", "b1 b2", "tb"),
        TABLE("a", "plain"),
        DO("ec2 associate-route-table --route-table-id plain --subnet-id a3"),
        ROUTE("plain", "0.0.0.0/0", "--nat-gateway-id nat"),
        TABLE("a", "zoned"),
        DO("ec2 associate-route-table --route-table-id zoned --subnet-id a1"),
        DO("ec2 associate-route-table --route-table-id zoned --subnet-id a2"),
        ROUTE("zoned", "0.0.0.0/0", "--gateway-id igw"),
        ROUTE("zoned", "10.1.0.0/16", "--transit-gateway-id t"),
        ROUTE("zoned", "10.2.0.0/16", "--vpc-peering-connection-id pcx"),
        ROUTE("zoned", "192.168.0.0/16", "--gateway-id vgw"),
        ROUTE("zoned", "198.51.100.0/24", "--instance-id fw"),
    };
    TELL(lab.cloud, base);
    return lab;
}

static void
lab_done(struct lab *lab)
{
    plan_numbers_done(&lab->numbers);
    cloud_close(lab->cloud);
}

TEST(each_target_has_its_link)
{
    struct lab lab = lab_new();
    static const struct way ways[] = {
        { "a", "zoned@us-east-1a", "8.8.8.8", "igw" },
        { "a", "zoned@us-east-1a", "10.2.3.4", "c" },
        { "a", "zoned@us-east-1a", "198.51.100.7", "fw" },
        { "a", "zoned@us-east-1a", "10.0.3.4", "blackhole" }, /* the VPC's own: no interface has it */
        { "a", "zoned@us-east-1a", "10.0.1.4", "nat" },
        { "a", "plain", "8.8.8.8", "nat" },
        { "a", "plain", "10.1.1.10", "nat" }, /* this table has no route to the transit gateway */
    };
    CHECK_WAYS(&lab, ways);
    lab_done(&lab);
}

/* A packet stays in its zone where the attachment has a subnet there; from a zone without one it is lost. */
TEST(the_zone_chooses_the_link_to_a_transit_gateway)
{
    struct lab lab = lab_new();
    static const struct way ways[] = {
        { "a", "zoned@us-east-1a", "10.1.1.10", "t by a1" },
        { "a", "zoned@us-east-1b", "10.1.1.10", "t by a2" },
        { "t", "a1", "10.1.2.10", "b by b1" },
        { "t", "a2", "10.1.1.10", "b by b2" },
        { "t", "b1", "10.0.2.10", "a by a1" },
        { "t", "b2", "10.0.3.10", "a by a2" },
        { "t", "a1", "10.2.0.1", "blackhole" },
    };
    CHECK_WAYS(&lab, ways);
    static const struct step more[] = {
        DO("ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id tb --remove-subnet-ids b2"),
        DO("ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id ta --remove-subnet-ids a2"),
    };
    TELL(lab.cloud, more);
    static const struct way one_zone[] = {
        { "a", "zoned@us-east-1a", "10.1.1.10", "t by a1" },
        { "a", "zoned@us-east-1b", "10.1.1.10", "blackhole" },
        { "t", "a1", "10.1.2.10", "b by b1" },
        { "t", "b1", "10.0.2.10", "a by a1" },
    };
    CHECK_WAYS(&lab, one_zone);
    static const struct step other_zone[] = {
        DO("ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id tb --add-subnet-ids b2"),
        DO("ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id tb --remove-subnet-ids b1"),
    };
    TELL(lab.cloud, other_zone);
    static const struct way crossing[] = { { "t", "a1", "10.1.1.10", "b by b2" },
                                           { "t", "b2", "10.0.1.10", "a by a1" } };
    CHECK_WAYS(&lab, crossing);
    lab_done(&lab);
}

TEST(routes_of_a_transit_gateway)
{
    struct lab lab = lab_new();
    const struct transit_gateway *t = store_get(network_store(lab.cloud->net), &transit_gateway_kind, id_of(&lab, "t"));
    struct tgw_route_table *table =
        store_get(network_store(lab.cloud->net), &tgw_route_table_kind, t->association_table_id);
    struct err err = { 0 };
    static const struct {
        const char *to, *attachment;
    } routes[] = {
        { "10.1.1.0/24", NULL }, /* longer than what b propagates */
        { "172.16.0.0/12", "tb" },
        { "0.0.0.0/0", "ta" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        struct cidr to = cidr_lit(routes[i].to);
        const char *name = routes[i].attachment;
        const struct tgw_attachment *via =
            name ? store_get(network_store(lab.cloud->net), &tgw_attachment_kind, id_of(&lab, name)) : NULL;
        REQUIRE(tgw_route_put(lab.cloud->net, table, &to, via, false, &err), "%s", err.text);
    }
    static const struct way ways[] = {
        { "t", "a1", "10.1.1.10", "blackhole" }, { "t", "a1", "10.1.2.10", "b by b1" },
        { "t", "a2", "172.16.1.1", "b by b2" },  { "t", "b2", "8.8.8.8", "a by a2" },
        { "t", "a1", "8.8.8.8", "a by a1" }, /* back to where it came from */
    };
    CHECK_WAYS(&lab, ways);
    static const struct step less[] = { DO(
        "ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id tb") };
    TELL(lab.cloud, less);
    static const struct way gone[] = {
        { "t", "a1", "172.16.1.1", "blackhole" },
        { "t", "a1", "10.1.2.10", "a by a1" }, /* what b propagated is gone: the default route */
        { "t", "a1", "8.8.8.8", "a by a1" },
    };
    CHECK_WAYS(&lab, gone);
    lab_done(&lab);
}

/* From a zone in which the receiver's attachment has no subnet the receiver's own zone decides. */
TEST(the_receivers_zone_decides_where_the_senders_has_no_link)
{
    struct lab lab = lab_new();
    static const struct step more[] = {
        DO("ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id ta --add-subnet-ids a3"),
    };
    TELL(lab.cloud, more);
    static const struct way ways[] = {
        { "t", "a3", "10.1.1.10", "b by b1" },
        { "t", "a3", "10.1.2.10", "b by b2" },
        { "t", "a2", "10.1.1.10", "b by b2" }, /* has a link of its own zone */
        { "t", "b1", "10.0.3.10", "a by a1" },
    };
    CHECK_WAYS(&lab, ways);
    lab_done(&lab);
}

TEST(only_attachments_that_are_available_and_known_are_built)
{
    struct lab lab = lab_new();
    struct store *store = network_store(lab.cloud->net);
    struct tgw_attachment *ta = store_get(store, &tgw_attachment_kind, id_of(&lab, "ta"));
    struct tgw_attachment *odd = store_add(store, &tgw_attachment_kind, "tgw-attach-0123456789abcdef0");
    snprintf(odd->tgw_id, sizeof odd->tgw_id, "%s", ta->tgw_id);
    odd->resource_type = xstrdup("connect");
    odd->state = xstrdup("available");
    lab.plan = plan_new(lab.cloud->net, &lab.numbers);
    CHECK(plan_find_unbuilt(lab.plan, odd->obj.id), "what is not built is named");
    CHECK(!plan_find_unbuilt(lab.plan, ta->obj.id), "and nothing else is");
    plan_free(lab.plan);
    free(ta->state);
    ta->state = xstrdup("pendingAcceptance");
    static const struct way ways[] = {
        { "a", "zoned@us-east-1a", "10.1.1.10", "blackhole" },
        { "a", "zoned@us-east-1a", "8.8.8.8", "igw" },
    };
    CHECK_WAYS(&lab, ways);
    lab_done(&lab);
}

/* In appliance mode both directions take one zone. */
TEST(an_attachment_in_appliance_mode_has_one_zone)
{
    struct lab lab = lab_new();
    static const struct step more[] = {
        DO("ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id tb --options "
           "ApplianceModeSupport=enable"),
    };
    TELL(lab.cloud, more);
    static const struct way ways[] = { { "t", "a1", "10.1.2.10", "b by b1" },
                                       { "t", "a2", "10.1.2.10", "b by b1" },
                                       { "t", "b1", "10.0.2.10", "a by a1" },
                                       { "t", "b2", "10.0.2.10", "a by a2" } };
    CHECK_WAYS(&lab, ways);
    lab_done(&lab);
}

/* No table applies inside a subnet, which matters where a table has routes inside the VPC: the chain that gives packets
 * their table says it of such subnets only. */
TEST(a_subnets_own_block_is_left_to_its_interfaces)
{
    static const struct {
        const char *route, *told; /* after it */
    } cases[] = {
        { "198.51.100.128/25", "no no no" }, { "10.0.3.0/24", "yes yes no" }, /* of the subnets with this table */
    };
    static const char *const blocks[] = { "10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24" };
    struct lab lab = lab_new();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf told = { 0 };
        struct err err = { 0 };
        char *router = xasprintf("router:%s", id_of(&lab, "a"));
        char *line = xasprintf("ec2 create-route --route-table-id zoned --destination-cidr-block %s --instance-id fw",
                               cases[i].route);
        json_decref(lab_run(lab.cloud, line, &err));
        CHECK_OK(&err, "%s", line);
        lab.plan = plan_new(lab.cloud->net, &lab.numbers);
        const struct plan_chain *chain = plan_find_chain(plan_find(lab.plan, router), "p_mark");
        REQUIRE(chain);
        for (size_t s = 0; s < ARRAY_SIZE(blocks); s++) {
            buf_printf(&told, "%s%s", s ? " " : "", strstr(chain->rules, blocks[s]) ? "yes" : "no");
        }
        CHECK_STR(buf_str(&told), cases[i].told, "%s: %s", cases[i].route, chain->rules);
        plan_free(lab.plan);
        buf_done(&told);
        free(line);
        free(router);
    }
    lab_done(&lab);
}

/* Routes inside the VPC are asked before its interfaces, those outside after them; of two to one block a static route
 * comes before one of a prefix list, and `local` before both. */
TEST(routes_have_their_order)
{
    struct lab lab = lab_new();
    static const struct step more[] = {
        ROUTE("zoned", "10.0.3.0/24", "--instance-id fw"),
        ROUTE("zoned", "10.1.0.0/24", "--vpc-peering-connection-id pcx"), /* begins as the transit gateway's /16 */
        DO("ec2 create-managed-prefix-list --prefix-list-name l --max-entries 5 --address-family IPv4 --entries "
           "Cidr=198.51.100.0/24 Cidr=203.0.113.0/24 Cidr=10.0.0.0/16" NAMED("prefix-list", "l")),
        DO("ec2 create-route --route-table-id zoned --destination-prefix-list-id l --vpc-peering-connection-id pcx"),
    };
    TELL(lab.cloud, more);
    static const struct way ways[] = {
        { "a", "zoned@us-east-1a", "10.0.3.77", "fw" },
        { "a", "zoned@us-east-1a", "10.0.1.4", "nat" },    /* an interface of the VPC: not the list's 10.0.0.0/16 */
        { "a", "zoned@us-east-1a", "198.51.100.7", "fw" }, /* the static route */
        { "a", "zoned@us-east-1a", "203.0.113.7", "c" },   /* the list's */
        { "a", "zoned@us-east-1a", "10.1.0.5", "c" },
        { "a", "zoned@us-east-1a", "10.1.1.5", "t by a1" },
        { "a", "plain", "10.0.3.77", "blackhole" },
        { "a", "plain", "203.0.113.7", "nat" },
    };
    CHECK_WAYS(&lab, ways);
    static const struct step less[] = { DO("ec2 terminate-instances --instance-ids fw") };
    TELL(lab.cloud, less);
    static const struct way gone[] = {
        { "a", "zoned@us-east-1a", "10.0.3.77", "blackhole" },
        { "a", "zoned@us-east-1a", "198.51.100.7", "blackhole" },
    };
    CHECK_WAYS(&lab, gone);
    lab_done(&lab);
}

TEST(ipv6_has_routes_of_its_own)
{
    struct lab lab = lab_new();
    static const struct step more[] = {
        VPC("d", "10.3.0.0/16 --amazon-provided-ipv6-cidr-block"),
        DO("ec2 create-internet-gateway" NAMED("internet-gateway", "igw6")),
        DO("ec2 attach-internet-gateway --internet-gateway-id igw6 --vpc-id d"),
        DO("ec2 create-egress-only-internet-gateway --vpc-id d" NAMED("egress-only-internet-gateway", "eigw")),
        TABLE("d", "six"),
        ROUTE("six", "8.8.0.0/16", "--gateway-id igw6"),
        DO("ec2 create-route --route-table-id six --destination-ipv6-cidr-block ::/0 --gateway-id igw6"),
        DO("ec2 create-route --route-table-id six --destination-ipv6-cidr-block 2001:db8::/32 "
           "--egress-only-internet-gateway-id eigw"),
    };
    TELL(lab.cloud, more);
    static const struct way ways[] = {
        { "d", "six", "8.8.8.8", "igw6" },
        { "d", "six", "2001:4860::1", "igw6" },
        { "d", "six", "2001:db8::1", "eigw" },
        { "d", "six", "9.9.9.9", "blackhole" },
    };
    CHECK_WAYS(&lab, ways);
    lab_done(&lab);
}

TEST_MAIN

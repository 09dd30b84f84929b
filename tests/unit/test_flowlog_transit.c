/* Records of transit gateways, and intervals of Nitro instances: windows over a network as the operations make it. */
#include "tests/test.h"
#include "tests/unit/lab_story.h"

#include "netsim/flowlog/flowlog.h"
#include "netsim/flowlog/transit_record.h"
#include "netsim/model/transit_gateway.h"

#define NAMED(type, name) " --tag-specifications ResourceType=" type ",Tags=[{Key=Name,Value=" name "}]"
#define S3                " --log-destination-type s3 --log-destination arn:aws:s3:::logs"

struct lab {
    struct cloud *cloud;
    struct flow_window *window;
    struct buf lines;
    int64_t t0;
    char tgw[ID_SIZE], a[ID_SIZE], b[ID_SIZE], a1[ID_SIZE], b1[ID_SIZE];
};

static void
id_of(struct lab *lab, const char *name, char id[static ID_SIZE])
{
    struct err err = { 0 };
    REQUIRE(cloud_resolve(lab->cloud, NULL, name, id, &err), "%s", err.text);
}

/* Two VPCs on one transit gateway, and a blackhole for 10.9.0.0/16 in its table. */
static struct lab
lab_new(void)
{
    struct err err = { 0 };
    struct lab lab = { .cloud = lab_open(&err) };
    REQUIRE(lab.cloud, "%s", err.text);
    static const struct step base[] = {
        { "ec2 create-vpc --cidr-block 10.0.0.0/16" NAMED("vpc", "va"), "", "" },
        { "ec2 create-vpc --cidr-block 10.1.0.0/16" NAMED("vpc", "vb"), "", "" },
        { "ec2 create-subnet --vpc-id va --cidr-block 10.0.1.0/24 --availability-zone us-east-1a" NAMED("subnet", "a1"),
          "", "" },
        { "ec2 create-subnet --vpc-id vb --cidr-block 10.1.1.0/24 --availability-zone us-east-1b" NAMED("subnet", "b1"),
          "", "" },
        { "ec2 create-transit-gateway" NAMED("transit-gateway", "t"), "", "" },
        { "ec2 create-transit-gateway-vpc-attachment --transit-gateway-id t --vpc-id va --subnet-ids a1" NAMED(
              "transit-gateway-attachment", "ta"),
          "", "" },
        { "ec2 create-transit-gateway-vpc-attachment --transit-gateway-id t --vpc-id vb --subnet-ids b1" NAMED(
              "transit-gateway-attachment", "tb"),
          "", "" },
    };
    TELL(lab.cloud, base);
    id_of(&lab, "t", lab.tgw);
    id_of(&lab, "ta", lab.a);
    id_of(&lab, "tb", lab.b);
    id_of(&lab, "a1", lab.a1);
    id_of(&lab, "b1", lab.b1);
    const struct transit_gateway *tgw = store_get(network_store(lab.cloud->net), &transit_gateway_kind, lab.tgw);
    struct tgw_route_table *table =
        store_get(network_store(lab.cloud->net), &tgw_route_table_kind, tgw->association_table_id);
    struct cidr hole = cidr_lit("10.9.0.0/16");
    REQUIRE(tgw_route_put(lab.cloud->net, table, &hole, NULL, false, &err), "%s", err.text);
    lab.window = flow_window_new();
    lab.t0 = INT64_C(1767225600000);
    return lab;
}

static void
lab_done(struct lab *lab)
{
    flow_window_free(lab->window);
    buf_done(&lab->lines);
    cloud_close(lab->cloud);
}

static void
keep_line(void *context, const struct flow_log *log, const struct flow_format *format, const struct flow_record *record,
          const char *line)
{
    struct lab *lab = context;
    (void)log;
    (void)format;
    buf_printf(&lab->lines, "%s%s%s", line, *record->rule ? " | " : "", record->rule);
    if (record->lost_packets) {
        buf_printf(&lab->lines, " | %d lost", (int)record->lost_packets);
    }
    buf_str_add(&lab->lines, "\n");
}

static const char *
close_at(struct lab *lab, int64_t ms)
{
    buf_clear(&lab->lines);
    flow_window_close(lab->window, lab->cloud->net, lab->t0 + ms, false, keep_line, lab);
    return buf_str(&lab->lines);
}

/* 10.0.1.10:4000 -> 'dst':443, five packets of 60 bytes. */
static void
add(struct lab *lab, const char *to, const char *to_subnet, const char *dst, uint8_t flags, uint8_t lost)
{
    struct flow_transit_sample s = { .src = ip_lit("10.0.1.10"),
                                     .dst = ip_lit(dst),
                                     .src_port = 4000,
                                     .dst_port = 443,
                                     .protocol = PROTOCOL_TCP,
                                     .tcp_flags = flags,
                                     .lost = lost,
                                     .packets = 5,
                                     .bytes = 300,
                                     .first_ms = lab->t0 + 1000,
                                     .last_ms = lab->t0 + 4000 };
    snprintf(s.tgw_id, sizeof s.tgw_id, "%s", lab->tgw);
    snprintf(s.from_id, sizeof s.from_id, "%s", lab->a);
    snprintf(s.from_subnet, sizeof s.from_subnet, "%s", lab->a1);
    snprintf(s.to_id, sizeof s.to_id, "%s", to);
    snprintf(s.to_subnet, sizeof s.to_subnet, "%s", to_subnet);
    flow_window_add_transit(lab->window, lab->cloud->net, &s);
}

static void
log_of(struct lab *lab, const char *line)
{
    struct err err = { 0 };
    json_t *out = lab_run(lab->cloud, line, &err);
    REQUIRE(out, "%s: %s", line, err.text);
    CHECK_INT(json_array_size(json_object_get(out, "Unsuccessful")), 0);
    json_decref(out);
    flow_window_sync(lab->window, lab->cloud->net, lab->t0);
}

TEST(a_flow_is_recorded_where_it_comes_in_and_where_it_leaves)
{
    struct lab lab = lab_new();
    log_of(&lab, "ec2 create-flow-logs --resource-type TransitGateway --resource-ids t" S3);
    add(&lab, lab.b, lab.b1, "10.1.1.10", 2 | 16 | 8, 0);
    const char *text = close_at(&lab, 60000);
    const struct store *store = network_store(lab.cloud->net);
    const char *eni_a = "", *eni_b = "";
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        eni_a = strcmp(eni->subnet_id, lab.a1) == 0 ? eni->obj.id : eni_a;
        eni_b = strcmp(eni->subnet_id, lab.b1) == 0 ? eni->obj.id : eni_b;
    }
    const struct subnet *a1 = store_get(store, &subnet_kind, lab.a1), *b1 = store_get(store, &subnet_kind, lab.b1);
    const char *account = "123456789012";
    char *expected[2];
    for (int i = 0; i < 2; i++) {
        expected[i] =
            xasprintf("6 TransitGateway %s %s %s %s %s %s %s %s %s %s %s %s %s %s 10.0.1.10 10.1.1.10 4000 443 6 5 300 "
                      "1767225601 1767225604 OK IPv4 0 0 0 0 26 us-east-1 %s - -\n",
                      account, lab.tgw, i ? lab.b : lab.a, account, account, a1->vpc_id, b1->vpc_id, lab.a1, lab.b1,
                      eni_a, eni_b, a1->zone_id, b1->zone_id, i ? lab.a : lab.b, i ? "egress" : "ingress");
    }
    CHECK(eni_a[0] && eni_b[0], "the attachments have interfaces");
    CHECK(strncmp(text, expected[0], strlen(expected[0])) == 0, "%s\n%s", text, expected[0]);
    CHECK_STR(text + strlen(expected[0]), expected[1]);
    free(expected[0]);
    free(expected[1]);
    lab_done(&lab);
}

TEST(what_is_lost_is_counted_by_its_reason)
{
    struct lab lab = lab_new();
    log_of(&lab, "ec2 create-flow-logs --resource-type TransitGateway --resource-ids t --log-format '${dstaddr} "
                 "${tgw-pair-attachment-id} ${packets} ${packets-lost-no-route} ${packets-lost-blackhole} "
                 "${packets-lost-mtu-exceeded} ${packets-lost-ttl-expired} ${tcp-flags} ${flow-direction}'" S3);
    add(&lab, "", "", "10.9.1.1", 2, FLOW_LOST_BLACKHOLE);
    add(&lab, "", "", "10.9.1.1", 2, FLOW_LOST_BLACKHOLE);
    add(&lab, "", "", "10.8.1.1", 2, FLOW_LOST_NO_ROUTE);
    add(&lab, "", "", "10.1.1.9", 16, FLOW_LOST_TTL);
    add(&lab, "", "", "10.1.1.8", 0, FLOW_LOST_MTU);
    const char *text = close_at(&lab, 60000);
    CHECK(strstr(text, "10.9.1.1 - 10 0 10 0 0 2 ingress | tgw-rtb-"), "%s", text);
    CHECK(strstr(text, ":10.9.0.0/16:blackhole\n"), "%s", text);
    CHECK(strstr(text, "10.8.1.1 - 5 5 0 0 0 2 ingress | tgw-rtb-"), "%s", text);
    CHECK(strstr(text, ":none\n"), "%s", text);
    CHECK(strstr(text, "10.1.1.9 - 5 0 0 0 5 0 ingress | tgw-"), "only ACKs are 0: %s", text);
    CHECK(strstr(text, "10.1.1.8 - 5 0 0 5 0 0 ingress | tgw-"), "%s", text);
    CHECK(!strstr(text, "egress"), "nothing left: %s", text);
    lab_done(&lab);
}

TEST(an_attachment_has_its_own_records_and_gaps)
{
    struct lab lab = lab_new();
    log_of(&lab, "ec2 create-flow-logs --resource-type TransitGatewayAttachment --resource-ids tb --log-format "
                 "'${tgw-attachment-id} ${flow-direction} ${dstport} ${log-status} ${tgw-id} ${start} ${end}'" S3);
    char expected[400];
    add(&lab, lab.b, lab.b1, "10.1.1.10", 2, 0);
    snprintf(expected, sizeof expected, "%s egress 443 OK %s 1767225601 1767225604\n", lab.b, lab.tgw);
    CHECK_STR(close_at(&lab, 60000), expected);
    snprintf(expected, sizeof expected, "%s - - NODATA %s 1767225660 1767225720\n", lab.b, lab.tgw);
    CHECK_STR(close_at(&lab, 120000), expected);
    flow_window_skipped_transit(lab.window, lab.cloud->net, lab.tgw, lab.b, 7);
    flow_window_skipped_transit(lab.window, lab.cloud->net, lab.tgw, lab.a, 7);
    snprintf(expected, sizeof expected, "%s - - SKIPDATA %s 1767225720 1767225780 | 7 lost\n", lab.b, lab.tgw);
    CHECK_STR(close_at(&lab, 180000), expected);
    lab_done(&lab);
}

/* What is said of a packet of the first VPC must be what stands in lab->lines, which is emptied. */
static void
check_loss(struct lab *lab, const char *dst, uint8_t lost)
{
    struct flow_transit_sample s = { .dst = ip_lit(dst), .lost = lost };
    char rule[FLOW_RULE_SIZE];
    snprintf(s.tgw_id, sizeof s.tgw_id, "%s", lab->tgw);
    snprintf(s.from_id, sizeof s.from_id, "%s", lab->a);
    transit_name_loss(lab->cloud->net, &s, rule);
    CHECK_STR(rule, buf_str(&lab->lines), "%s", dst);
    buf_clear(&lab->lines);
}

/* The most specific of a table's routes lost it; an attachment without a table loses everything. */
TEST(the_route_that_lost_it_is_named)
{
    struct lab lab = lab_new();
    struct err err = { 0 };
    struct store *store = network_store(lab.cloud->net);
    const struct transit_gateway *tgw = store_get(store, &transit_gateway_kind, lab.tgw);
    struct tgw_route_table *table = store_get(store, &tgw_route_table_kind, tgw->association_table_id);
    struct cidr narrow = cidr_lit("10.9.1.0/24"), wide = cidr_lit("10.0.0.0/8"), six = cidr_lit("2001:db8::/32");
    REQUIRE(tgw_route_put(lab.cloud->net, table, &narrow, NULL, false, &err), "%s", err.text);
    REQUIRE(tgw_route_put(lab.cloud->net, table, &wide, NULL, false, &err), "%s", err.text);
    REQUIRE(tgw_route_put(lab.cloud->net, table, &six, NULL, false, &err), "%s", err.text);
    static const struct {
        const char *dst, *route;
    } cases[] = {
        { "10.9.1.1", "10.9.1.0/24" },      { "10.9.2.1", "10.9.0.0/16" }, { "10.10.0.1", "10.0.0.0/8" },
        { "2001:db8::1", "2001:db8::/32" }, { "192.0.2.1", "-" }, /* lost to a route that is gone since */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        buf_printf(&lab.lines, "%s:%s:blackhole", table->obj.id, cases[i].route);
        check_loss(&lab, cases[i].dst, FLOW_LOST_BLACKHOLE);
    }
    char *line = xasprintf("ec2 disassociate-transit-gateway-route-table --transit-gateway-route-table-id %s "
                           "--transit-gateway-attachment-id %s",
                           table->obj.id, lab.a);
    json_decref(lab_run(lab.cloud, line, &err));
    CHECK_OK(&err, "%s", line);
    free(line);
    buf_printf(&lab.lines, "%s:no-table", lab.a);
    check_loss(&lab, "10.9.1.1", FLOW_LOST_NO_ROUTE);
    lab_done(&lab);
}

/* A peering is an attachment of two gateways: a log of it records the side of its own account and region. */
TEST(a_log_records_its_own_gateway_and_its_own_side_of_a_peering)
{
    struct id_gen ids;
    struct clock clock = { .fixed = true };
    id_gen_seed(&ids, 1);
    struct network *net = network_new(&ids, &clock);
    struct store *store = network_store(net);
    static const struct {
        const char *id, *account, *region;
    } gateways[] = { { "tgw-1", "111111111111", "us-east-1" }, { "tgw-2", "222222222222", "eu-west-1" } };
    static const struct {
        const char *id, *tgw, *peer;
    } attachments[] = { { "tgw-attach-vpc", "tgw-1", "" }, { "tgw-attach-peer", "tgw-1", "tgw-2" } };
    for (size_t i = 0; i < ARRAY_SIZE(gateways); i++) {
        struct transit_gateway *g = store_add(store, &transit_gateway_kind, gateways[i].id);
        snprintf(g->obj.account, sizeof g->obj.account, "%s", gateways[i].account);
        snprintf(g->obj.region, sizeof g->obj.region, "%s", gateways[i].region);
        struct tgw_attachment *a = store_add(store, &tgw_attachment_kind, attachments[i].id);
        snprintf(a->tgw_id, sizeof a->tgw_id, "%s", attachments[i].tgw);
        snprintf(a->peer_tgw_id, sizeof a->peer_tgw_id, "%s", attachments[i].peer);
    }
    /* In order: what passes the VPC's attachment at tgw-1 and at tgw-2, the peering at tgw-1 and at tgw-2. */
    static const struct {
        const char *resource, *account, *region, *covers;
    } cases[] = {
        { "tgw-1", "111111111111", "us-east-1", "yes no yes no" },
        { "tgw-2", "222222222222", "eu-west-1", "no no no yes" },
        { "tgw-attach-vpc", "111111111111", "us-east-1", "yes no no no" },
        { "tgw-attach-vpc", "333333333333", "us-east-1", "yes no no no" }, /* the VPC's owner makes the log */
        { "tgw-attach-peer", "111111111111", "us-east-1", "no no yes no" },
        { "tgw-attach-peer", "222222222222", "eu-west-1", "no no no yes" },
        { "tgw-attach-peer", "111111111111", "eu-west-1", "no no no no" },
        { "tgw-attach-peer", "222222222222", "us-east-1", "no no no no" },
        { "vpc-1", "111111111111", "us-east-1", "no no no no" },
        { NULL, "111111111111", "us-east-1", "no no no no" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_log log = { .resource_id = (char *)(uintptr_t)cases[i].resource };
        struct buf covers = { 0 };
        snprintf(log.obj.account, sizeof log.obj.account, "%s", cases[i].account);
        snprintf(log.obj.region, sizeof log.obj.region, "%s", cases[i].region);
        for (int at = 0; at < 4; at++) {
            bool yes = transit_log_covers(net, &log, gateways[at % 2].id, attachments[at / 2].id);
            buf_printf(&covers, "%s%s", at ? " " : "", yes ? "yes" : "no");
        }
        CHECK_STR(buf_str(&covers), cases[i].covers, "log of %s, %s %s", cases[i].resource ? cases[i].resource : "none",
                  cases[i].account, cases[i].region);
        CHECK(!transit_log_covers(net, &log, "tgw-gone", "tgw-attach-vpc"), "case %zu: the gateway is gone", i);
        CHECK(!transit_log_covers(net, &log, "tgw-1", "tgw-attach-gone"), "case %zu: the attachment is gone", i);
        buf_done(&covers);
    }
    store_delete(store, store_get(store, &transit_gateway_kind, "tgw-2"));
    struct flow_log log = { .resource_id = "tgw-attach-peer" };
    CHECK(!transit_log_covers(net, &log, "tgw-2", "tgw-attach-peer"), "the gateway is gone, its peering is not");
    network_free(net);
}

/* "When a network interface is attached to a Nitro-based instance, the aggregation interval is always 1 minute or
 * less". */
TEST(a_nitro_instance_has_intervals_of_a_minute)
{
    struct lab lab = lab_new();
    static const struct step more[] = {
        { "ec2 run-instances --image-id ami-12345678 --instance-type t2.micro --subnet-id a1" NAMED("instance", "xen"),
          "", "" },
        { "ec2 run-instances --image-id ami-12345678 --instance-type m5.large --subnet-id a1" NAMED("instance",
                                                                                                    "nitro"),
          "", "" },
    };
    TELL(lab.cloud, more);
    log_of(&lab, "ec2 create-flow-logs --resource-type Subnet --resource-ids a1 --traffic-type ALL --log-format "
                 "'${instance-id} ${log-status} ${end}'" S3);
    char xen[ID_SIZE], nitro[ID_SIZE], expected[200];
    id_of(&lab, "xen", xen);
    id_of(&lab, "nitro", nitro);
    struct flow_sample s = { .src = ip_lit("10.0.1.10"),
                             .dst = ip_lit("10.0.1.20"),
                             .protocol = PROTOCOL_ICMP,
                             .direction = FLOW_EGRESS,
                             .action = FLOW_ACCEPT,
                             .packets = 1,
                             .bytes = 84,
                             .first_ms = lab.t0 + 1000,
                             .last_ms = lab.t0 + 1000 };
    const struct store *store = network_store(lab.cloud->net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        if (*eni->attachment.instance_id) {
            snprintf(s.eni_id, sizeof s.eni_id, "%s", eni->obj.id);
            flow_window_add(lab.window, lab.cloud->net, &s);
        }
    }
    snprintf(expected, sizeof expected, "%s OK 1767225601\n", nitro);
    CHECK_STR(close_at(&lab, 60000), expected);
    snprintf(expected, sizeof expected, "%s NODATA 1767225720\n", nitro);
    CHECK_STR(close_at(&lab, 120000), expected);
    close_at(&lab, 599999);
    const char *text = close_at(&lab, 600000);
    snprintf(expected, sizeof expected, "%s OK 1767225601\n", xen);
    CHECK(strstr(text, expected), "%s", text);
    snprintf(expected, sizeof expected, "%s NODATA 1767226200\n", nitro);
    CHECK(strstr(text, expected), "%s", text);
    snprintf(expected, sizeof expected, "%s NODATA", xen);
    CHECK(!strstr(text, expected), "%s", text);
    lab_done(&lab);
}

/* traffic-path, value by value.  Source: flow-log-records.html */
TEST(the_way_out_is_named_by_the_route_and_the_instance)
{
    struct lab lab = lab_new();
    static const struct step more[] = {
        { "ec2 create-internet-gateway" NAMED("internet-gateway", "igw"), "", "" },
        { "ec2 attach-internet-gateway --internet-gateway-id igw --vpc-id va", "", "" },
        { "ec2 create-vpn-gateway --type ipsec.1" NAMED("vpn-gateway", "vgw"), "", "" },
        { "ec2 attach-vpn-gateway --vpn-gateway-id vgw --vpc-id va", "", "" },
        { "ec2 create-vpc --cidr-block 10.2.0.0/16" NAMED("vpc", "vc"), "", "" },
        { "ec2 create-vpc-peering-connection --vpc-id va --peer-vpc-id vc" NAMED("vpc-peering-connection", "near"), "",
          "" },
        { "ec2 accept-vpc-peering-connection --vpc-peering-connection-id near", "", "" },
        { "ec2 create-route-table --vpc-id va" NAMED("route-table", "r"), "", "" },
        { "ec2 associate-route-table --route-table-id r --subnet-id a1", "", "" },
        { "ec2 create-route --route-table-id r --destination-cidr-block 0.0.0.0/0 --gateway-id igw", "", "" },
        { "ec2 create-route --route-table-id r --destination-cidr-block 192.168.0.0/16 --gateway-id vgw", "", "" },
        { "ec2 create-route --route-table-id r --destination-cidr-block 10.2.0.0/16 --vpc-peering-connection-id near",
          "", "" },
        { "ec2 create-route --route-table-id r --destination-cidr-block 10.1.0.0/16 --transit-gateway-id t", "", "" },
        { "ec2 create-vpc-endpoint --vpc-id va --service-name com.amazonaws.us-east-1.s3 --route-table-ids r", "", "" },
        { "ec2 run-instances --image-id ami-12345678 --instance-type t2.micro --subnet-id a1" NAMED("instance", "xen"),
          "", "" },
        { "ec2 run-instances --image-id ami-12345678 --instance-type m5.large --subnet-id a1" NAMED("instance",
                                                                                                    "nitro"),
          "", "" },
    };
    static const struct {
        const char *to, *nitro, *xen;
    } cases[] = {
        { "10.0.1.99", "1", "1" },   /* the VPC's own */
        { "10.1.1.10", "1", "1" },   /* a transit gateway has an interface here */
        { "10.2.1.10", "4", "4" },   /* a peering in the region */
        { "192.168.1.1", "3", "3" }, /* a virtual private gateway */
        { "8.8.8.8", "8", "2" },     /* an internet gateway */
        { "52.216.1.1", "7", "2" },  /* S3, by its gateway endpoint */
    };
    TELL(lab.cloud, more);
    log_of(&lab, "ec2 create-flow-logs --resource-type Subnet --resource-ids a1 --traffic-type ALL "
                 "--max-aggregation-interval 60 --log-format '${traffic-path}'" S3);
    char ids[2][ID_SIZE];
    id_of(&lab, "nitro", ids[0]);
    id_of(&lab, "xen", ids[1]);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        const struct store *store = network_store(lab.cloud->net);
        struct flow_sample s = { .src = ip_lit("10.0.1.10"),
                                 .dst = ip_lit(cases[i / 2].to),
                                 .direction = FLOW_EGRESS,
                                 .action = FLOW_ACCEPT,
                                 .packets = 1,
                                 .bytes = 40 };
        for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
            if (strcmp(eni->attachment.instance_id, ids[i % 2]) == 0) {
                snprintf(s.eni_id, sizeof s.eni_id, "%s", eni->obj.id);
            }
        }
        flow_window_add(lab.window, lab.cloud->net, &s);
        buf_clear(&lab.lines);
        flow_window_close(lab.window, lab.cloud->net, lab.t0, true, keep_line, &lab);
        char expected[8];
        snprintf(expected, sizeof expected, "%s\n", i % 2 ? cases[i / 2].xen : cases[i / 2].nitro);
        CHECK_STR(buf_str(&lab.lines), expected, "%s of %s", cases[i / 2].to, i % 2 ? "xen" : "nitro");
    }
    lab_done(&lab);
}

TEST_MAIN

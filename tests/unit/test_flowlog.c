#include "tests/test.h"

#include <stdlib.h>

#include "netsim/flowlog/flowlog.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/peering.h"
#include "netsim/model/route_table.h"

/* ---- the format ---------------------------------------------------------------------------------------------------
 */

TEST(flow_format_reads_custom_formats)
{
    static const struct {
        const char *text, *header; /* header NULL: refused */
        int version;
        const char *complaint;
    } cases[] = {
        { NULL,
          "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
          "log-status",
          2, "" },
        { "",
          "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
          "log-status",
          2, "" },
        { "${srcaddr}", "srcaddr", 2, "" },
        { "${vpc-id} ${srcaddr} ${tcp-flags}", "vpc-id srcaddr tcp-flags", 3, "" },
        { "${version} ${flow-direction} ${az-id}", "version flow-direction az-id", 5, "" },
        { "${ecs-task-arn}", "ecs-task-arn", 7, "" },
        { "${reject-reason}", "reject-reason", 8, "" },
        { "${srcadr}", NULL, 0, "`srcadr`" },
        { "${srcaddr} ${srcaddr}", NULL, 0, "twice" },
        { "srcaddr", NULL, 0, "`srcaddr`" },
        { "${srcaddr", NULL, 0, "`${srcaddr`" },
        { "${srcaddr},${dstaddr}", NULL, 0, "`${srcaddr},${dstaddr}`" },
        { "${srcaddr}  ${dstaddr}", NULL, 0, "` ${dstaddr}`" },
        { "${srcaddr} ", NULL, 0, "wrong" }, /* AWS refuses a blank at the end as well */
        { " ${srcaddr}", NULL, 0, "wrong" },
        { "${}", NULL, 0, "``" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_format format = { 0 };
        struct err err = { 0 };
        struct buf header = { 0 };
        const char *text = cases[i].text ? cases[i].text : "(NULL)";
        bool ok = flow_format_parse(cases[i].text, &format, &err);
        CHECK_INT(ok, cases[i].header != NULL, "%s", text);
        flow_format_header(&format, &header);
        CHECK_STR(buf_str(&header), cases[i].header ? cases[i].header : "", "%s", text);
        CHECK_INT(format.version, cases[i].version, "%s", text);
        CHECK_STR(err.code, ok ? "" : "InvalidParameterValue", "%s", text);
        CHECK(strstr(err.text, cases[i].complaint), "%s: %s", text, err.text);
        CHECK(ok || err.hint[0] || strstr(err.text, "twice"), "%s", text);
        buf_done(&header);
    }
}

TEST(flow_format_names_the_valid_fields)
{
    struct flow_format format;
    struct err err = { 0 };
    CHECK(!flow_format_parse("${source}", &format, &err));
    for (size_t i = 0; flow_fields[i].name; i++) {
        if (flow_fields[i].type != FLOW_NEVER && !(flow_fields[i].flags & FLOW_NOT_OF_ENI)) {
            CHECK(strstr(err.hint, flow_fields[i].name), "%s is missing from: %s", flow_fields[i].name, err.hint);
        }
    }
}

/* Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html, .../tgw/tgw-flow-log-records.html */
TEST(a_format_has_the_version_of_its_newest_field)
{
    static const char *const fields[] = {
        [2] = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
              "log-status",
        [3] = "vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr",
        [4] = "region az-id sublocation-type sublocation-id",
        [5] = "pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path",
        [6] = "resource-type tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id "
              "tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id "
              "tgw-pair-attachment-id packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded "
              "packets-lost-ttl-expired",
        [7] = "ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id "
              "ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id",
        [8] = "reject-reason",
    };
    for (int version = 2; version < (int)ARRAY_SIZE(fields); version++) {
        for (const char *p = fields[version]; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
            struct flow_format format = { 0 };
            struct err err = { 0 };
            char text[64];
            snprintf(text, sizeof text, "${%.*s} ${srcaddr}", (int)strcspn(p, " "), p);
            text[0] = strncmp(p, "srcaddr", 7) == 0 ? '\0' : text[0]; /* no field twice: AWS's default instead */
            CHECK(flow_format_parse(text, &format, &err), "%s: %s", text, err.text);
            CHECK_INT(format.version, version, "%s", text);
        }
    }
}

TEST(a_format_fits_the_resource_of_its_log)
{
    static const struct {
        const char *text;
        bool transit;
        const char *complaint; /* "": it fits */
    } cases[] = {
        { "${srcaddr} ${vpc-id}", false, "" },
        { "${srcaddr} ${tgw-id}", true, "" },
        { "${srcaddr} ${tgw-id}", false,
          "`tgw-id` is not a field of flow logs of VPCs, subnets and network interfaces" },
        { "${packets-lost-blackhole}", false, "`packets-lost-blackhole`" },
        { "${srcaddr} ${vpc-id}", true, "`vpc-id` is not a field of flow logs of transit gateways" },
        { "${action}", true, "`action`" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_format format;
        struct err err = { 0 };
        REQUIRE(flow_format_parse(cases[i].text, &format, NULL));
        CHECK_INT(flow_format_fits(&format, cases[i].transit, &err), !*cases[i].complaint, "%s", cases[i].text);
        CHECK_STR(err.code, *cases[i].complaint ? "InvalidParameterValue" : "", "%s", cases[i].text);
        CHECK(strstr(err.text, cases[i].complaint), "%s: %s", cases[i].text, err.text);
    }
}

/* The records of AWS's examples page, read and printed again. */
TEST(flow_record_reads_aws_examples)
{
    static const struct {
        const char *format, *line;
    } cases[] = {
        { NULL, "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 "
                "1418530070 ACCEPT OK" },
        { NULL, "2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 "
                "1418530070 REJECT OK" },
        { NULL, "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA" },
        { NULL, "2 123456789010 eni-11111111aaaaaaaaa - - - - - - - 1431280876 1431280934 - SKIPDATA" },
        { NULL, "2 123456789010 eni-1235b8ca123456789 2001:db8:1234:a100:8d6e:3477:df66:f105 "
                "2001:db8:1234:a102:3304:8879:34cf:4071 "
                "34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK" },
        { "${version} ${vpc-id} ${subnet-id} ${instance-id} ${interface-id} ${account-id} ${type} ${srcaddr} "
          "${dstaddr} ${srcport} "
          "${dstport} ${pkt-srcaddr} ${pkt-dstaddr} ${protocol} ${bytes} ${packets} ${start} ${end} ${action} "
          "${tcp-flags} ${log-status}",
          "3 vpc-abcdefab012345678 subnet-aaaaaaaa012345678 i-01234567890123456 eni-1235b8ca123456789 123456789010 "
          "IPv4 52.213.180.42 "
          "10.0.0.62 43416 5001 52.213.180.42 10.0.0.62 6 568 8 1566848875 1566848933 ACCEPT 2 OK" },
        { "${instance-id} ${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr}",
          "- eni-1235b8ca123456789 10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_format format;
        struct flow_record record = { 0 };
        struct err err = { 0 };
        struct buf line = { 0 };
        REQUIRE(flow_format_parse(cases[i].format, &format, &err));
        CHECK(flow_record_parse(cases[i].line, &format, &record, &err));
        CHECK_OK(&err, "%s", cases[i].line);
        flow_record_print(&record, &format, &line);
        CHECK_STR(buf_str(&line), cases[i].line);
        buf_done(&line);
    }
}

TEST(flow_record_says_what_is_wrong)
{
    static const struct {
        const char *line;
        int column;
        const char *complaint;
    } cases[] = {
        { "", 1, "`interface-id`" },
        { "eni-1 10.0.0.1 80", 18, "`action`" },
        { "eni-1 10.0.0.256 80 ACCEPT", 7, "`10.0.0.256` is not a value of `srcaddr`" },
        { "eni-1 10.0.0.1 65536 ACCEPT", 16, "`65536` is not a value of `dstport`" },
        { "eni-1 10.0.0.1 -1 ACCEPT", 16, "`-1`" },
        { "eni-1 10.0.0.1 80 accept", 19, "`accept`" },
        { "eni-1 10.0.0.1 80 ACCEPT more", 26, "goes on" },
        { "eni-0123456789012345678901234567890123456789012345678901234567890123 10.0.0.1 80 ACCEPT", 1,
          "interface-id" },
    };
    struct flow_format format;
    REQUIRE(flow_format_parse("${interface-id} ${srcaddr} ${dstport} ${action}", &format, NULL));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_record record = { .packets = 77 };
        struct err err = { 0 };
        CHECK(!flow_record_parse(cases[i].line, &format, &record, &err), "%s", cases[i].line);
        CHECK_INT(err.kind, ERR_DOCUMENT, "%s", cases[i].line);
        CHECK_INT(err.column, cases[i].column, "%s", cases[i].line);
        CHECK(strstr(err.text, cases[i].complaint), "%s: %s", cases[i].line, err.text);
        CHECK_INT(record.packets, 77, "a failure changes nothing");
    }
}

TEST(flow_format_header_comes_back)
{
    struct flow_format format = { 0 };
    struct err err = { 0 };
    CHECK(flow_format_parse_header("srcaddr tcp-flags action\n", &format, &err));
    CHECK_INT(format.n, 3);
    CHECK_INT(format.version, 3);
    CHECK(!flow_format_parse_header("srcaddr tcpflags", &format, &err));
    CHECK_INT(err.column, 9);
    err_clear(&err);
    CHECK(!flow_format_parse_header(" ", &format, &err));
    CHECK_INT(err.kind, ERR_DOCUMENT);
}

/* ---- windows ------------------------------------------------------------------------------------------------------
 */

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

struct lab {
    struct id_gen ids;
    struct clock clock;
    struct network *net;
    struct flow_window *window;
    struct buf lines; /* "fl-1 LINE\n" of every record emitted */
    size_t n;
};

static struct eni *
add_eni(struct lab *lab, const char *id, const char *instance_id, const char *const *ips, const char *status)
{
    struct eni *eni = store_add(network_store(lab->net), &eni_kind, id);
    strcpy(eni->obj.account, "123456789012");
    strcpy(eni->vpc_id, "vpc-1");
    strcpy(eni->subnet_id, "subnet-1");
    strcpy(eni->attachment.instance_id, instance_id);
    eni->status = xstrdup(status);
    for (; *ips; ips++) {
        struct ip ip = ip_lit(*ips);
        if (ip.family == IP_V4) {
            struct eni_address *address = VEC_ADD(&eni->addresses);
            address->primary = eni->addresses.n == 1;
            address->ip = ip;
        } else {
            VEC_ADD(&eni->addresses6)->ip = ip;
        }
    }
    return eni;
}

static void
add_log(struct lab *lab, const char *id, const char *resource, const char *type, const char *format, int interval)
{
    struct flow_log *log = store_add(network_store(lab->net), &flow_log_kind, id);
    log->resource_id = xstrdup(resource);
    log->traffic_type = xstrdup(type);
    log->format = format ? xstrdup(format) : NULL;
    log->max_interval = interval;
}

static void
add_route(struct route_table *table, const char *cidr, const char *gateway, const char *nat)
{
    struct route *route = VEC_ADD(&table->routes);
    struct cidr block = cidr_lit(cidr);
    *(block.ip.family == IP_V4 ? &route->cidr : &route->cidr6) = block;
    route->gateway_id = gateway ? xstrdup(gateway) : NULL;
    route->nat_gateway_id = nat ? xstrdup(nat) : NULL;
    route->state = xstrdup("active");
}

/* One subnet with an instance of two addresses (10.0.0.10, .11), a NAT gateway (10.0.0.220) and an unused interface. */
static struct lab *
lab_new(void)
{
    struct lab *lab = xcalloc(1, sizeof *lab);
    id_gen_seed(&lab->ids, 1);
    clock_set_ms(&lab->clock, T0);
    lab->net = network_new(&lab->ids, &lab->clock);
    struct store *store = network_store(lab->net);
    struct vpc *vpc = store_add(store, &vpc_kind, "vpc-1");
    vpc->cidr = cidr_lit("10.0.0.0/16");
    struct subnet *subnet = store_add(store, &subnet_kind, "subnet-1");
    strcpy(subnet->vpc_id, "vpc-1");
    subnet->cidr = cidr_lit("10.0.0.0/24");
    subnet->zone_id = xstrdup("use1-az1");
    struct route_table *table = store_add(store, &route_table_kind, "rtb-1");
    strcpy(table->vpc_id, "vpc-1");
    struct route_association *association = VEC_ADD(&table->associations);
    association->main = true;
    strcpy(association->table_id, "rtb-1");
    add_route(table, "10.0.0.0/16", "local", NULL);
    add_route(table, "0.0.0.0/0", "igw-1", NULL);
    add_route(table, "198.51.100.0/24", NULL, "nat-1");
    add_eni(lab, "eni-1", "i-1",
            (const char *const[]){ "10.0.0.10", "10.0.0.11", "2001:db8::10", "2001:db8::11", NULL }, "in-use");
    add_eni(lab, "eni-nat", "", (const char *const[]){ "10.0.0.220", NULL }, "in-use");
    add_eni(lab, "eni-idle", "", (const char *const[]){ "10.0.0.30", NULL }, "available");
    lab->window = flow_window_new();
    return lab;
}

static void
lab_free(struct lab *lab)
{
    flow_window_free(lab->window);
    network_free(lab->net);
    buf_done(&lab->lines);
    free(lab);
}

static void
keep_line(void *context, const struct flow_log *log, const struct flow_format *format, const struct flow_record *record,
          const char *line)
{
    struct lab *lab = context;
    CHECK_INT(record->version, format->version);
    buf_printf(&lab->lines, "%s %s\n", log->obj.id, line);
}

/* Closes at T0 + 'ms' and returns what was emitted. */
static const char *
close_at(struct lab *lab, int64_t ms, bool flush)
{
    buf_clear(&lab->lines);
    lab->n = flow_window_close(lab->window, lab->net, T0 + ms, flush, keep_line, lab);
    return buf_str(&lab->lines);
}

static struct flow_sample
sample(const char *eni, const char *src, int src_port, const char *dst, int dst_port, int direction, int action,
       int64_t at_ms)
{
    struct flow_sample s = {
        .src = ip_lit(src),
        .dst = ip_lit(dst),
        .src_port = (uint16_t)src_port,
        .dst_port = (uint16_t)dst_port,
        .protocol = PROTOCOL_TCP,
        .direction = (uint8_t)direction,
        .action = (uint8_t)action,
        .packets = 3,
        .bytes = 180,
        .first_ms = T0 + at_ms,
        .last_ms = T0 + at_ms + 1500,
    };
    strcpy(s.eni_id, eni);
    return s;
}

static void
add_sample(struct lab *lab, struct flow_sample s)
{
    flow_window_add(lab->window, lab->net, &s);
}

TEST(flow_window_adds_up_a_flow)
{
    struct lab *lab = lab_new();
    add_log(lab, "fl-1", "eni-1", "ALL", NULL, 60);
    flow_window_sync(lab->window, lab->net, T0);
    struct flow_sample s = sample("eni-1", "10.0.0.99", 40000, "10.0.0.10", 443, FLOW_INGRESS, FLOW_ACCEPT, 1000);
    add_sample(lab, s);
    s.first_ms += 20000;
    s.last_ms += 20000;
    s.packets = 7;
    s.bytes = 1000;
    add_sample(lab, s);
    s.packets = 0; /* nothing new */
    s.last_ms += 30000;
    add_sample(lab, s);
    s.packets = 1;
    strcpy(s.eni_id, "eni-unknown");
    add_sample(lab, s);
    CHECK_STR(close_at(lab, 59999, false), "");
    CHECK_STR(close_at(lab, 60000, false),
              "fl-1 2 123456789012 eni-1 10.0.0.99 10.0.0.10 40000 443 6 10 1180 1767225601 1767225622 ACCEPT OK\n");
    CHECK_STR(close_at(lab, 60001, false), "");
    lab_free(lab);
}

TEST(flow_window_tells_flows_apart)
{
    struct lab *lab = lab_new();
    add_log(lab, "fl-1", "eni-1", "ALL", "${srcaddr} ${srcport} ${dstport} ${flow-direction} ${action} ${packets}", 60);
    flow_window_sync(lab->window, lab->net, T0);
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 443, FLOW_INGRESS, FLOW_ACCEPT, 0));
    add_sample(lab, sample("eni-1", "10.0.0.99", 2, "10.0.0.10", 443, FLOW_INGRESS, FLOW_ACCEPT, 0));
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 443, FLOW_INGRESS, FLOW_REJECT, 0));
    add_sample(lab, sample("eni-1", "10.0.0.10", 443, "10.0.0.99", 1, FLOW_EGRESS, FLOW_ACCEPT, 0));
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 443, FLOW_INGRESS, FLOW_ACCEPT, 0));
    CHECK_STR(close_at(lab, 60000, false), "fl-1 10.0.0.99 1 443 ingress ACCEPT 6\n"
                                           "fl-1 10.0.0.99 2 443 ingress ACCEPT 3\n"
                                           "fl-1 10.0.0.99 1 443 ingress REJECT 3\n"
                                           "fl-1 10.0.0.10 443 1 egress ACCEPT 3\n");
    lab_free(lab);
}

/* An endpoint that is no gateway is a resource of the VPC, and a peering may lead to another region; a route whose
 * target is gone leads nowhere.  Source: flow-log-records.html, traffic-path */
TEST(the_traffic_path_is_that_of_the_target)
{
    static const struct {
        const char *dst, *line;
    } cases[] = {
        { "192.0.2.1", "fl-1 1\n" },  { "203.0.113.1", "fl-1 7\n" }, { "10.7.0.1", "fl-1 5\n" },
        { "10.8.0.1", "fl-1 4\n" },   { "10.9.0.1", "fl-1 -\n" },    { "10.0.0.99", "fl-1 1\n" },
        { "100.64.0.1", "fl-1 8\n" },
    };
    struct lab *lab = lab_new();
    struct store *store = network_store(lab->net);
    struct route_table *table = store_get(store, &route_table_kind, "rtb-1");
    static const char *const types[] = { "GatewayLoadBalancer", "Gateway" }, *const endpoints[] = { "vpce-1",
                                                                                                    "vpce-2" };
    static const char *const regions[] = { "eu-west-1", "us-east-1" }, *const peerings[] = { "pcx-1", "pcx-2" };
    for (int i = 0; i < 2; i++) {
        struct endpoint *endpoint = store_add(store, &endpoint_kind, endpoints[i]);
        endpoint->type = xstrdup(types[i]);
        add_route(table, i ? "203.0.113.0/24" : "192.0.2.0/24", endpoints[i], NULL);
        struct peering *peering = store_add(store, &peering_kind, peerings[i]);
        peering->requester.region = xstrdup("us-east-1");
        peering->accepter.region = xstrdup(regions[i]);
        add_route(table, i ? "10.8.0.0/16" : "10.7.0.0/16", NULL, NULL);
        table->routes.items[table->routes.n - 1].peering_id = xstrdup(peerings[i]);
    }
    add_route(table, "10.9.0.0/16", "igw-gone", NULL);
    free(table->routes.items[table->routes.n - 1].state);
    table->routes.items[table->routes.n - 1].state = xstrdup("blackhole");
    add_log(lab, "fl-1", "vpc-1", "ALL", "${traffic-path}", 60);
    flow_window_sync(lab->window, lab->net, T0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        add_sample(lab, sample("eni-nat", "10.0.0.220", 1, cases[i].dst, 2, FLOW_EGRESS, FLOW_ACCEPT, 0));
        CHECK_STR(close_at(lab, 1000, true), cases[i].line, "%s", cases[i].dst);
    }
    lab_free(lab);
}

static void
keep_rule(void *context, const struct flow_log *log, const struct flow_format *format, const struct flow_record *record,
          const char *line)
{
    struct lab *lab = context;
    (void)log;
    (void)format;
    buf_printf(&lab->lines, "%s | %s\n", line, record->rule);
}

/* What refused is not always known of each batch of packets: what is known stays, and the last that is known counts. */
TEST(a_flow_keeps_the_rule_that_refused_it)
{
    struct lab *lab = lab_new();
    add_log(lab, "fl-1", "eni-1", "ALL", "${dstport} ${packets} ${reject-reason}", 60);
    flow_window_sync(lab->window, lab->net, T0);
    struct flow_sample s = sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 22, FLOW_INGRESS, FLOW_REJECT, 0);
    static const struct {
        const char *rule;
        uint8_t reason;
    } parts[] = { { "", 0 }, { "acl-1:ingress:100", FLOW_REASON_BPA }, { "", 0 } };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        strcpy(s.rule, parts[i].rule);
        s.reason = parts[i].reason;
        add_sample(lab, s);
    }
    flow_window_close(lab->window, lab->net, T0 + 1000, true, keep_rule, lab);
    CHECK_STR(buf_str(&lab->lines), "22 9 BPA | acl-1:ingress:100\n");
    buf_clear(&lab->lines);
    for (int i = 0; i < 2; i++) {
        strcpy(s.rule, i ? "acl-1:ingress:200" : "acl-1:ingress:100");
        s.reason = 0;
        add_sample(lab, s);
    }
    flow_window_close(lab->window, lab->net, T0 + 2000, true, keep_rule, lab);
    CHECK_STR(buf_str(&lab->lines), "22 6 - | acl-1:ingress:200\n");
    lab_free(lab);
}

/* AWS's example of a NAT gateway: srcaddr and dstaddr name the gateway, pkt-srcaddr and pkt-dstaddr the ends; a
 * secondary address shows only in pkt-dstaddr. */
TEST(flow_window_names_the_primary_address)
{
    static const struct {
        const char *eni, *src, *dst;
        int direction;
        const char *line;
    } cases[] = {
        { "eni-nat", "10.0.1.5", "203.0.113.5", FLOW_INGRESS,
          "- eni-nat 10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5 - IPv4" },
        { "eni-nat", "10.0.0.220", "203.0.113.5", FLOW_EGRESS,
          "- eni-nat 10.0.0.220 203.0.113.5 10.0.0.220 203.0.113.5 8 IPv4" },
        { "eni-nat", "203.0.113.5", "10.0.0.220", FLOW_INGRESS,
          "- eni-nat 203.0.113.5 10.0.0.220 203.0.113.5 10.0.0.220 - IPv4" },
        { "eni-nat", "203.0.113.5", "10.0.1.5", FLOW_EGRESS,
          "- eni-nat 10.0.0.220 10.0.1.5 203.0.113.5 10.0.1.5 1 IPv4" },
        { "eni-1", "10.0.0.99", "10.0.0.11", FLOW_INGRESS, "i-1 eni-1 10.0.0.99 10.0.0.10 10.0.0.99 10.0.0.11 - IPv4" },
        { "eni-1", "10.0.0.11", "198.51.100.7", FLOW_EGRESS,
          "i-1 eni-1 10.0.0.10 198.51.100.7 10.0.0.11 198.51.100.7 1 IPv4" },
        { "eni-1", "2001:db8::10", "2001:db8:ffff::1", FLOW_EGRESS,
          "i-1 eni-1 2001:db8::10 2001:db8:ffff::1 2001:db8::10 2001:db8:ffff::1 - IPv6" },
        { "eni-1", "2001:db8::11", "2001:db8:ffff::1", FLOW_EGRESS,
          "i-1 eni-1 2001:db8::11 2001:db8:ffff::1 2001:db8::11 2001:db8:ffff::1 - IPv6" },
        /* what an appliance sends on, and one without an IPv6 address of its own */
        { "eni-1", "2001:db8:9::9", "2001:db8:ffff::1", FLOW_EGRESS,
          "i-1 eni-1 2001:db8::10 2001:db8:ffff::1 2001:db8:9::9 2001:db8:ffff::1 - IPv6" },
        { "eni-nat", "2001:db8:9::9", "2001:db8:ffff::1", FLOW_EGRESS,
          "- eni-nat 2001:db8:9::9 2001:db8:ffff::1 2001:db8:9::9 2001:db8:ffff::1 - IPv6" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lab *lab = lab_new();
        char expected[256];
        add_log(lab, "fl-1", "vpc-1", "ALL",
                "${instance-id} ${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${traffic-path} "
                "${type}",
                60);
        flow_window_sync(lab->window, lab->net, T0);
        add_sample(lab, sample(cases[i].eni, cases[i].src, 1, cases[i].dst, 2, cases[i].direction, FLOW_ACCEPT, 0));
        snprintf(expected, sizeof expected, "fl-1 %s\n", cases[i].line);
        CHECK_STR(close_at(lab, 1000, true), expected);
        lab_free(lab);
    }
}

TEST(flow_window_serves_each_log_by_its_own_terms)
{
    struct lab *lab = lab_new();
    static const char format[] = "${interface-id} ${action}";
    add_log(lab, "fl-vpc", "vpc-1", "ALL", format, 60);
    add_log(lab, "fl-subnet", "subnet-1", "ACCEPT", format, 600);
    add_log(lab, "fl-eni", "eni-1", "REJECT", format, 60);
    add_log(lab, "fl-nat", "eni-nat", "REJECT", format, 60);
    add_log(lab, "fl-other", "vpc-2", "ALL", format, 60);
    flow_window_sync(lab->window, lab->net, T0);
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 443, FLOW_INGRESS, FLOW_ACCEPT, 0));
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 22, FLOW_INGRESS, FLOW_REJECT, 0));
    add_sample(lab, sample("eni-nat", "10.0.0.99", 1, "10.0.0.220", 22, FLOW_INGRESS, FLOW_ACCEPT, 0));
    CHECK_STR(close_at(lab, 60000, false),
              "fl-vpc eni-1 ACCEPT\nfl-vpc eni-1 REJECT\nfl-vpc eni-nat ACCEPT\nfl-eni eni-1 REJECT\n",
              "a log of rejects has no NODATA for an interface that had traffic");
    for (int at = 120000; at < 600000; at += 60000) {
        CHECK_STR(close_at(lab, at, false), "fl-vpc eni-1 -\nfl-vpc eni-nat -\nfl-eni eni-1 -\nfl-nat eni-nat -\n");
    }
    CHECK_STR(close_at(lab, 600000, false), "fl-vpc eni-1 -\nfl-vpc eni-nat -\nfl-subnet eni-1 ACCEPT\nfl-subnet "
                                            "eni-nat ACCEPT\nfl-eni eni-1 -\nfl-nat eni-nat -\n");
    lab_free(lab);
}

TEST(flow_window_reports_quiet_interfaces_in_use)
{
    struct lab *lab = lab_new();
    add_log(lab, "fl-1", "vpc-1", "ALL", NULL, 60);
    flow_window_sync(lab->window, lab->net, T0);
    CHECK_STR(close_at(lab, 30000, true), "", "half a quiet window is no record");
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 443, FLOW_INGRESS, FLOW_ACCEPT, 31000));
    close_at(lab, 40000, true);
    CHECK_INT(lab->n, 1, "%s", buf_str(&lab->lines));
    CHECK_STR(close_at(lab, 60000, false),
              "fl-1 2 123456789012 eni-nat - - - - - - - 1767225600 1767225660 - NODATA\n");
    CHECK_STR(close_at(lab, 120000, false),
              "fl-1 2 123456789012 eni-1 - - - - - - - 1767225660 1767225720 - NODATA\n"
              "fl-1 2 123456789012 eni-nat - - - - - - - 1767225660 1767225720 - NODATA\n");
    lab_free(lab);
}

TEST(flow_window_reports_lost_flows_once)
{
    struct lab *lab = lab_new();
    add_log(lab, "fl-1", "vpc-1", "ALL", "${interface-id} ${packets} ${log-status}", 60);
    flow_window_sync(lab->window, lab->net, T0);
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 443, FLOW_INGRESS, FLOW_ACCEPT, 0));
    flow_window_skipped(lab->window, lab->net, "eni-1", 7);
    CHECK_STR(close_at(lab, 1000, true), "fl-1 eni-1 3 OK\nfl-1 eni-1 - SKIPDATA\n");
    CHECK_STR(close_at(lab, 2000, true), "");
    CHECK_STR(close_at(lab, 60000, false), "fl-1 eni-nat - NODATA\n");
    flow_window_skipped(lab->window, lab->net, NULL, 0);
    CHECK_STR(close_at(lab, 120000, false),
              "fl-1 eni-1 - SKIPDATA\nfl-1 eni-nat - SKIPDATA\nfl-1 eni-idle - SKIPDATA\n");
    lab_free(lab);
}

TEST(an_interface_whose_flows_were_lost_was_not_quiet)
{
    struct lab *lab = lab_new();
    add_log(lab, "fl-1", "vpc-1", "ALL", "${interface-id} ${start} ${end} ${log-status}", 60);
    flow_window_sync(lab->window, lab->net, T0);
    flow_window_skipped(lab->window, lab->net, "eni-nat", 7);
    CHECK_STR(close_at(lab, 30000, true), "fl-1 eni-nat 1767225600 1767225630 SKIPDATA\n");
    CHECK_STR(close_at(lab, 60000, false), "fl-1 eni-1 1767225600 1767225660 NODATA\n");
    lab_free(lab);
}

TEST(flow_window_follows_logs_that_come_and_go)
{
    struct lab *lab = lab_new();
    add_log(lab, "fl-1", "eni-1", "ALL", "${dstport}", 60);
    flow_window_sync(lab->window, lab->net, T0);
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 1, FLOW_INGRESS, FLOW_ACCEPT, 0));
    add_log(lab, "fl-2", "eni-1", "ALL", "${dstport}", 60);
    flow_window_sync(lab->window, lab->net, T0 + 30000);
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 2, FLOW_INGRESS, FLOW_ACCEPT, 31000));
    CHECK_STR(close_at(lab, 60000, false), "fl-1 1\nfl-1 2\n");
    CHECK_STR(close_at(lab, 90000, false), "fl-2 2\n");
    add_sample(lab, sample("eni-1", "10.0.0.99", 1, "10.0.0.10", 3, FLOW_INGRESS, FLOW_ACCEPT, 91000));
    store_delete(network_store(lab->net), store_get(network_store(lab->net), &flow_log_kind, "fl-1"));
    CHECK_STR(close_at(lab, 100000, true), "fl-2 3\n", "the log is gone and so are its records");
    flow_window_sync(lab->window, lab->net, T0 + 100000);
    CHECK_STR(close_at(lab, 150000, false), "");
    CHECK_STR(close_at(lab, 500000, false), "fl-2 -\nfl-2 -\nfl-2 -\nfl-2 -\nfl-2 -\n", "one for each quiet interval");
    close_at(lab, 500000 + INT64_C(4000) * 60000, false);
    CHECK_INT(lab->n, 1, "not one for each minute of three days");
    lab_free(lab);
}

/* ---- queries ------------------------------------------------------------------------------------------------------
 */

TEST(flow_query_picks_records)
{
    static const char line[] =
        "2 123456789010 eni-1 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
    static const char *const one[] = { "eni-2", "eni-1" }, *const other[] = { "eni-2" };
    const struct {
        const char *what;
        struct flow_query query;
        bool match;
    } cases[] = {
        { "all", { 0 }, true },
        { "ACCEPT", { .action = FLOW_ACCEPT }, true },
        { "REJECT", { .action = FLOW_REJECT }, false },
        { "dst-port 22", { .has_dst_port = true, .dst_port = 22 }, true },
        { "dst-port 0", { .has_dst_port = true }, false },
        { "src-port 22", { .has_src_port = true, .src_port = 22 }, false },
        { "tcp", { .has_protocol = true, .protocol = 6 }, true },
        { "udp", { .has_protocol = true, .protocol = 17 }, false },
        { "eni of two", { .eni_ids = one, .n_enis = 2 }, true },
        { "another eni", { .eni_ids = other, .n_enis = 1 }, false },
        { "src", { .src = cidr_lit("172.31.16.139") }, true },
        { "src block", { .src = cidr_lit("172.31.0.0/16") }, true },
        { "src is dst", { .src = cidr_lit("172.31.16.21") }, false },
        { "address", { .address = cidr_lit("172.31.16.21") }, true },
        { "address of nobody", { .address = cidr_lit("10.0.0.0/8") }, false },
        { "address of the other family", { .address = cidr_lit("::/0") }, false },
        { "since its end", { .since_s = 1418530070 }, true },
        { "since later", { .since_s = 1418530071 }, false },
        { "until its start", { .until_s = 1418530010 }, true },
        { "until earlier", { .until_s = 1418530009 }, false },
        { "a field the format lacks", { .direction = FLOW_INGRESS }, false },
        { "NODATA", { .status = FLOW_NODATA }, false },
        { "OK", { .status = FLOW_OK }, true },
    };
    struct flow_format format;
    struct flow_record record;
    REQUIRE(flow_format_parse(NULL, &format, NULL) && flow_record_parse(line, &format, &record, NULL));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_INT(flow_query_match(&cases[i].query, &record), cases[i].match, "%s", cases[i].what);
    }
    REQUIRE(flow_record_parse("2 1 eni-1 - - - - - - - 1431280876 1431280934 - NODATA", &format, &record, NULL));
    CHECK(!flow_query_match(&(struct flow_query){ .has_dst_port = true }, &record), "a quiet interface has no port 0");
    CHECK(flow_query_match(&(struct flow_query){ .status = FLOW_NODATA }, &record));
}

TEST(flow_query_says_what_a_format_lacks)
{
    static const char *const eni[] = { "eni-1" };
    const struct {
        const char *format;
        struct flow_query query;
        const char *lacks;
    } cases[] = {
        { "${dstport}", { 0 }, "" },
        { "${dstport}", { .has_dst_port = true }, "" },
        { "${dstport}", { .eni_ids = eni, .n_enis = 1, .action = FLOW_REJECT }, "interface-id action " },
        { "${pkt-srcaddr}", { .src = cidr_lit("10.0.0.0/8") }, "" },
        { "${dstaddr}", { .src = cidr_lit("10.0.0.0/8"), .since_s = 1 }, "srcaddr end " },
        { NULL, { .direction = FLOW_EGRESS, .has_protocol = true }, "flow-direction " },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_format format;
        const char *names[FLOW_LACKS_MAX];
        struct buf text = { 0 };
        REQUIRE(flow_format_parse(cases[i].format, &format, NULL));
        size_t n = flow_query_lacks(&cases[i].query, &format, names);
        for (size_t j = 0; j < n; j++) {
            buf_printf(&text, "%s ", names[j]);
        }
        CHECK_STR(buf_str(&text), cases[i].lacks, "case %zu", i);
        buf_done(&text);
    }
}

TEST(flow_since_reads_spans_and_times)
{
    static const struct {
        const char *text;
        int64_t since; /* -1: refused */
    } cases[] = {
        { "90s", 1767225510 },
        { "5m", 1767225300 },
        { "2h", 1767218400 },
        { "1d", 1767139200 },
        { "0s", 1767225600 },
        { "2026-01-01T00:00:00Z", 1767225600 },
        { "5", -1 },
        { "m", -1 },
        { "5w", -1 },
        { "5mm", -1 },
        { "-5m", -1 },
        { "", -1 },
        { "99999999999d", -1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t since = -1;
        CHECK_INT(flow_since_parse(cases[i].text, T0, &since), cases[i].since >= 0, "`%s`", cases[i].text);
        CHECK_INT(since, cases[i].since, "`%s`", cases[i].text);
    }
}

TEST_MAIN

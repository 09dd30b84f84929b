/* Packets of a capture as the flow records that interfaces of the model would have of them. */
#include "netsim/flowlog/decide.h"
#include "netsim/flowlog/pcapng.h"
#include "netsim/model/eni.h"
#include "tests/unit/model.h"

#define AT INT64_C(1767225600) /* a whole minute */

struct lab {
    struct network *net;
    const struct eni *web, *db; /* 10.0.1.10 and 2001:db8::10, 10.0.1.20 */
    struct buf file;
};

static struct lab
lab_new(void)
{
    struct lab lab = { .net = model_new() };
    struct vpc *vpc = model_vpc(lab.net, "10.0.0.0/16", false);
    struct subnet *subnet = model_subnet(lab.net, vpc, "10.0.1.0/24");
    struct eni *web = model_eni(lab.net, subnet, "10.0.1.10");
    VEC_ADD(&web->addresses6)->ip = ip_lit("2001:db8::10");
    store_touch(network_store(lab.net));
    lab.web = web;
    lab.db = model_eni(lab.net, subnet, "10.0.1.20");
    pcapng_begin(&lab.file, "test");
    return lab;
}

static void
lab_done(struct lab *lab)
{
    buf_done(&lab->file);
    network_free(lab->net);
}

/* What is read of the file: "SRC DST SPORT DPORT PROTOCOL PACKETS BYTES START END FLAGS DIRECTION ACTION RULE", a line
 * a record; then the file is begun anew. */
static void
keep_record(void *context, const struct flow_record *record)
{
    struct flow_format format;
    REQUIRE(flow_format_parse("${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} "
                              "${end} ${tcp-flags} ${flow-direction}",
                              &format, NULL));
    flow_record_print(record, &format, context);
    buf_str_add(context, "\n");
}

/* "DIRECTION ACTION RULE"; a rule of the interfaces' group is "group". */
static void
keep_verdict(void *context, const struct flow_record *record)
{
    bool of_group = strncmp(record->rule, "sg-0", 4) == 0;
    buf_printf(context, "%s %s %s\n", record->direction == FLOW_EGRESS ? "egress" : "ingress",
               record->action == FLOW_ACCEPT   ? "ACCEPT"
               : record->action == FLOW_REJECT ? "REJECT"
                                               : "-",
               of_group ? "group" : record->rule);
}

static struct packet_flows *
read_file(struct lab *lab)
{
    struct packet_flows *flows = packet_flows_new(lab->net);
    struct err err = { 0 };
    CHECK(packet_flows_read(flows, lab->file.data, lab->file.size, &err), "%s", err.text);
    buf_clear(&lab->file);
    pcapng_begin(&lab->file, "test");
    return flows;
}

/* ---- packets --------------------------------------------------------------------------------------------------------
 */
struct bytes {
    uint8_t data[128];
    size_t size;
};

static void
put(struct bytes *b, const void *data, size_t size)
{
    REQUIRE(b->size + size <= sizeof b->data);
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static void
put16(struct bytes *b, unsigned value)
{
    put(b, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

static void
put_address(struct bytes *b, const struct ip *ip)
{
    for (int shift = 48; ip->family == IP_V6 && shift >= 0; shift -= 16) {
        put16(b, (unsigned)(ip->hi >> shift) & 0xffff);
    }
    for (int shift = ip->family == IP_V6 ? 48 : 16; shift >= 0; shift -= 16) {
        put16(b, (unsigned)(ip->lo >> shift) & 0xffff);
    }
}

struct shape {
    const char *src, *dst;
    int protocol, flags, fragment, options; /* 'options': bytes of them in the IPv4 header */
};

/* From port 4000 to 443, of 60 bytes as its header says. */
static void
put_ip(struct bytes *b, const struct shape *s)
{
    struct ip src = ip_lit(s->src), dst = ip_lit(s->dst);
    if (src.family == IP_V4) {
        put(b, (uint8_t[]){ (uint8_t)(0x45 + s->options / 4), 0 }, 2);
        put16(b, 60);
        put16(b, 1);
        put16(b, (unsigned)s->fragment);
        put(b, (uint8_t[]){ 64, (uint8_t)s->protocol, 0, 0 }, 4);
        put_address(b, &src);
        put_address(b, &dst);
        put(b, (uint8_t[40]){ 1 }, (size_t)s->options);
    } else {
        put(b, (uint8_t[]){ 0x60, 0, 0, 0, 0, 20, (uint8_t)s->protocol, 64 }, 8);
        put_address(b, &src);
        put_address(b, &dst);
    }
    put16(b, 4000);
    put16(b, 443);
    put(b, (uint8_t[]){ 0, 0, 0, 1, 0, 0, 0, 0, 0x50, (uint8_t)s->flags, 0, 1, 0, 0, 0, 0 }, 16);
}

static void
add_packet(struct lab *lab, const struct bytes *b, int64_t second, const char *comment, enum pcap_direction direction)
{
    struct pcap_packet p = { .time_us = second * 1000000 + 999999,
                             .bytes = b->data,
                             .captured = b->size,
                             .length = b->size,
                             .comment = comment,
                             .direction = direction };
    pcapng_packet(&lab->file, &p);
}

/* One packet of a capture without names. */
static void
check_packet(struct lab *lab, int link_type, const struct bytes *b, const char *expected, const char *what)
{
    struct buf out = { 0 };
    pcapng_interface(&lab->file, link_type, "any", NULL, NULL);
    add_packet(lab, b, AT, NULL, PCAP_UNKNOWN);
    struct packet_flows *flows = read_file(lab);
    packet_flows_each(flows, keep_record, &out);
    CHECK_STR(buf_str(&out), expected, "%s", what);
    packet_flows_free(flows);
    buf_done(&out);
}

#define BOTH(line) line " 1 60 1767225600 1767225600 0 egress\n" line " 1 60 1767225600 1767225600 0 ingress\n"

TEST(the_ip_header_is_found_behind_that_of_the_link)
{
    static const struct {
        int link_type;
        size_t size;
        const char *before, *what;
        bool is_ip;
    } cases[] = {
        { PCAP_ETHERNET, 14, "ffffffeeeeee\x08\x00", "Ethernet", true },
        { PCAP_ETHERNET, 18, "ffffffeeeeee\x81\x00\x00\x07\x08\x00", "a VLAN tag", true },
        { PCAP_ETHERNET, 22, "ffffffeeeeee\x88\xa8\x00\x07\x81\x00\x00\x07\x08\x00", "two tags", true },
        { PCAP_ETHERNET, 14, "ffffffeeeeee\x08\x06", "ARP", false },
        { PCAP_ETHERNET, 18, "ffffffeeeeee\x81\x00\x00\x07\x08\x06", "ARP with a tag", false },
        { PCAP_RAW, 0, "", "nothing before it", true },
        { PCAP_NULL, 4, "\2\0\0\0", "a word before it", true },
        { PCAP_SLL, 16, "00000000000000\x08\x00", "Linux cooked", true },
        { PCAP_SLL, 16, "00000000000000\x08\x06", "Linux cooked ARP", false },
        { PCAP_SLL2, 20,
          "\x08\x00"
          "000000000000000000",
          "Linux cooked 2", true },
        { PCAP_SLL2, 20,
          "\x86\xdc"
          "000000000000000000",
          "Linux cooked 2 of another protocol", false },
    };
    struct lab lab = lab_new();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bytes b = { 0 };
        put(&b, cases[i].before, cases[i].size);
        put_ip(&b, &(struct shape){ "10.0.1.10", "10.0.1.20", PROTOCOL_UDP, 0, 0, 0 });
        check_packet(&lab, cases[i].link_type, &b, cases[i].is_ip ? BOTH("10.0.1.10 10.0.1.20 4000 443 17") : "",
                     cases[i].what);
    }
    lab_done(&lab);
}

TEST(ports_and_flags_are_read_where_they_are)
{
    static const struct {
        struct shape shape;
        const char *line, *flags;
    } cases[] = {
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 0x02, 0, 0 }, "10.0.1.10 10.0.1.20 4000 443 6", "2" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 0x12, 0, 0 }, "10.0.1.10 10.0.1.20 4000 443 6", "18" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 0x10, 0, 0 }, "10.0.1.10 10.0.1.20 4000 443 6", "0" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 0x11, 0, 0 }, "10.0.1.10 10.0.1.20 4000 443 6", "1" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 0x14, 0, 0 }, "10.0.1.10 10.0.1.20 4000 443 6", "4" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 0x03, 0, 0 }, "10.0.1.10 10.0.1.20 4000 443 6", "3" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 0x02, 0, 4 }, "10.0.1.10 10.0.1.20 4000 443 6", "2" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 0x02, 0x2000, 0 }, "10.0.1.10 10.0.1.20 4000 443 6", "2" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 0x02, 0x2001, 0 }, "10.0.1.10 10.0.1.20 0 0 6", "0" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_UDP, 0x02, 0x0001, 0 }, "10.0.1.10 10.0.1.20 0 0 17", "0" },
        { { "10.0.1.10", "10.0.1.20", PROTOCOL_ICMP, 0x02, 0, 0 }, "10.0.1.10 10.0.1.20 0 0 1", "0" },
        { { "10.0.1.10", "8.8.8.8", PROTOCOL_UDP, 0, 0, 0 }, "10.0.1.10 8.8.8.8 4000 443 17", "0" },
        { { "2001:db8::10", "2001:db8:1::1", PROTOCOL_TCP, 0x02, 0, 0 }, "2001:db8::10 2001:db8:1::1 4000 443 6", "2" },
    };
    struct lab lab = lab_new();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bytes b = { 0 };
        struct buf expected = { 0 };
        put_ip(&b, &cases[i].shape);
        bool both = strcmp(cases[i].shape.dst, "10.0.1.20") == 0; /* the other end is nobody's here */
        buf_printf(&expected, "%s 1 60 1767225600 1767225600 %s egress\n", cases[i].line, cases[i].flags);
        if (both) {
            buf_printf(&expected, "%s 1 60 1767225600 1767225600 %s ingress\n", cases[i].line, cases[i].flags);
        }
        check_packet(&lab, PCAP_RAW, &b, buf_str(&expected), cases[i].line);
        buf_done(&expected);
    }
    /* A packet cut short has what is there. */
    static const struct {
        size_t size;
        const char *line;
    } cut[] = {
        { 34, "10.0.1.10 8.8.8.8 4000 443 6 1 60 1767225600 1767225600 2 egress\n" },
        { 33, "10.0.1.10 8.8.8.8 4000 443 6 1 60 1767225600 1767225600 0 egress\n" },
        { 24, "10.0.1.10 8.8.8.8 4000 443 6 1 60 1767225600 1767225600 0 egress\n" },
        { 23, "10.0.1.10 8.8.8.8 0 0 6 1 60 1767225600 1767225600 0 egress\n" },
        { 20, "10.0.1.10 8.8.8.8 0 0 6 1 60 1767225600 1767225600 0 egress\n" },
        { 19, "" },
        { 0, "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
        struct bytes b = { 0 };
        char what[32];
        put_ip(&b, &(struct shape){ "10.0.1.10", "8.8.8.8", PROTOCOL_TCP, 2, 0, 0 });
        b.size = cut[i].size;
        snprintf(what, sizeof what, "%zu bytes", b.size);
        check_packet(&lab, PCAP_RAW, &b, cut[i].line, what);
    }
    lab_done(&lab);
}

TEST(packets_of_a_flow_are_added_up_minute_by_minute)
{
    struct lab lab = lab_new();
    struct bytes ours = { 0 }, theirs = { 0 }, back = { 0 };
    struct buf out = { 0 };
    put_ip(&ours, &(struct shape){ "10.0.1.10", "8.8.8.8", PROTOCOL_TCP, 2, 0, 0 });
    put_ip(&back, &(struct shape){ "8.8.8.8", "10.0.1.10", PROTOCOL_TCP, 0x12, 0, 0 });
    put_ip(&theirs, &(struct shape){ "8.8.8.8", "9.9.9.9", PROTOCOL_TCP, 2, 0, 0 });
    pcapng_interface(&lab.file, PCAP_RAW, "any", NULL, NULL);
    add_packet(&lab, &ours, AT + 5, NULL, PCAP_UNKNOWN);
    add_packet(&lab, &back, AT + 6, NULL, PCAP_UNKNOWN);
    add_packet(&lab, &ours, AT + 59, NULL, PCAP_UNKNOWN);
    add_packet(&lab, &ours, AT + 3, NULL, PCAP_UNKNOWN); /* late */
    add_packet(&lab, &ours, AT + 60, NULL, PCAP_UNKNOWN);
    add_packet(&lab, &theirs, AT + 61, NULL, PCAP_UNKNOWN);
    struct packet_flows *flows = read_file(&lab);
    packet_flows_each(flows, keep_record, &out);
    CHECK_STR(buf_str(&out), "10.0.1.10 8.8.8.8 4000 443 6 3 180 1767225603 1767225659 2 egress\n"
                             "8.8.8.8 10.0.1.10 4000 443 6 1 60 1767225606 1767225606 18 ingress\n"
                             "10.0.1.10 8.8.8.8 4000 443 6 1 60 1767225660 1767225660 2 egress\n");
    CHECK_INT(packet_flows_strangers(flows), 1, "only what nobody here sent or got");
    packet_flows_free(flows);
    buf_done(&out);
    lab_done(&lab);
}

/* As a router sees it, which puts them together. */
TEST(fragments_are_one_packet_with_the_ports_of_the_first)
{
    static const uint8_t heads[][12] = { { PROTOCOL_UDP, 0, 0, 1, 0, 0, 0, 9, 0x0f, 0xa0, 1,
                                           0xbb }, /* port 4000 to 443 */
                                         { PROTOCOL_UDP, 0, 0, 8, 0, 0, 0, 9 },
                                         { PROTOCOL_UDP, 0, 0, 8, 0, 0, 0, 10 } };
    struct lab lab = lab_new();
    struct buf out = { 0 };
    pcapng_interface(&lab.file, PCAP_RAW, "any", NULL, NULL);
    for (int i = 0; i < 3; i++) { /* the third is of a packet whose first piece nobody saw */
        struct bytes b = { 0 };
        put_ip(&b, &(struct shape){ "10.0.1.10", i < 2 ? "8.8.8.8" : "8.8.4.4", PROTOCOL_UDP, 0, i ? 5 : 0x2000, 0 });
        add_packet(&lab, &b, AT, NULL, PCAP_UNKNOWN);
    }
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        struct bytes b = { 0 };
        put_ip(&b, &(struct shape){ "2001:db8::10", "2001:db8:1::1", 44, 0, 0, 0 });
        memcpy(b.data + 40, heads[i], sizeof heads[i]);
        add_packet(&lab, &b, AT, NULL, PCAP_UNKNOWN);
    }
    struct packet_flows *flows = read_file(&lab);
    packet_flows_each(flows, keep_record, &out);
    CHECK_STR(buf_str(&out), "10.0.1.10 8.8.8.8 4000 443 17 1 100 1767225600 1767225600 0 egress\n"
                             "10.0.1.10 8.8.4.4 0 0 17 1 60 1767225600 1767225600 0 egress\n"
                             "2001:db8::10 2001:db8:1::1 4000 443 17 1 64 1767225600 1767225600 0 egress\n"
                             "2001:db8::10 2001:db8:1::1 0 0 17 1 52 1767225600 1767225600 0 egress\n");
    packet_flows_free(flows);
    buf_done(&out);
    lab_done(&lab);
}

/* A header has room for a length of 65,535: what Linux sends as one piece beyond that says 0 (RFC 2675 for IPv6). */
TEST(a_packet_longer_than_its_header_can_say_counts_whole)
{
    struct lab lab = lab_new();
    struct bytes four = { 0 }, six = { 0 };
    struct buf out = { 0 };
    put_ip(&four, &(struct shape){ "10.0.1.10", "8.8.8.8", PROTOCOL_TCP, 0x10, 0, 0 });
    put_ip(&six, &(struct shape){ "2001:db8::10", "2001:db8:1::1", PROTOCOL_TCP, 0x10, 0, 0 });
    memset(four.data + 2, 0, 2);
    memset(six.data + 4, 0, 2);
    pcapng_interface(&lab.file, PCAP_RAW, "any", NULL, NULL);
    for (int i = 0; i < 2; i++) {
        const struct bytes *b = i ? &six : &four;
        struct pcap_packet p = {
            .time_us = (int64_t)AT * 1000000, .bytes = b->data, .captured = b->size, .length = 180000
        };
        pcapng_packet(&lab.file, &p);
    }
    struct packet_flows *flows = read_file(&lab);
    packet_flows_each(flows, keep_record, &out);
    CHECK_STR(buf_str(&out), "10.0.1.10 8.8.8.8 4000 443 6 1 180000 1767225600 1767225600 0 egress\n"
                             "2001:db8::10 2001:db8:1::1 4000 443 6 1 180000 1767225600 1767225600 0 egress\n");
    packet_flows_free(flows);
    buf_done(&out);
    lab_done(&lab);
}

/* A capture of vpclab names the interface and what became of the packet; else addresses and the model say it. */
TEST(what_the_capture_says_counts_before_what_the_model_says)
{
    static const struct {
        const char *name; /* of whose interface: "web", "db"; else as it stands */
        const char *comment;
        enum pcap_direction direction;
        const char *verdicts;
    } cases[] = {
        { "web", "ACCEPT egress", PCAP_OUTBOUND, "egress ACCEPT \n" },
        { "web", "ACCEPT ingress", PCAP_INBOUND, "ingress ACCEPT \n" }, /* not the sender: a mirror, an appliance */
        { "web", "ACCEPT egress", PCAP_UNKNOWN, "egress ACCEPT \n" },
        { "db", "ACCEPT ingress", PCAP_UNKNOWN, "ingress ACCEPT \n" },
        { "web", "REJECT egress sg-1:egress:none", PCAP_OUTBOUND, "egress REJECT sg-1:egress:none\n" },
        { "db", "REJECT ingress acl-1:ingress:100", PCAP_INBOUND, "ingress REJECT acl-1:ingress:100\n" },
        { "lo", "REJECT ingress acl-1:ingress:100", PCAP_UNKNOWN,
          "egress REJECT acl-1:ingress:100\ningress REJECT acl-1:ingress:100\n" },
        { "lo", "ACCEPT", PCAP_UNKNOWN, "egress ACCEPT group\ningress ACCEPT group\n" },
        { "lo", NULL, PCAP_UNKNOWN, "egress ACCEPT group\ningress ACCEPT group\n" },
    };
    struct lab lab = lab_new();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bytes b = { 0 };
        struct buf out = { 0 };
        char name[ID_SIZE + 8];
        const struct eni *eni = strcmp(cases[i].name, "web") == 0  ? lab.web
                                : strcmp(cases[i].name, "db") == 0 ? lab.db
                                                                   : NULL;
        snprintf(name, sizeof name, "%s %s", eni ? eni->obj.id : cases[i].name, cases[i].name);
        put_ip(&b, &(struct shape){ "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 2, 0, 0 });
        pcapng_interface(&lab.file, PCAP_RAW, name, NULL, NULL);
        add_packet(&lab, &b, AT, cases[i].comment, cases[i].direction);
        struct packet_flows *flows = read_file(&lab);
        packet_flows_each(flows, keep_verdict, &out);
        CHECK_STR(buf_str(&out), cases[i].verdicts, "case %zu", i);
        CHECK_INT(packet_flows_strangers(flows), 0, "case %zu", i);
        packet_flows_free(flows);
        buf_done(&out);
    }
    lab_done(&lab);
}

TEST(links_that_are_not_read_are_counted)
{
    struct lab lab = lab_new();
    struct bytes b = { 0 };
    int type = -1;
    put_ip(&b, &(struct shape){ "10.0.1.10", "10.0.1.20", PROTOCOL_TCP, 2, 0, 0 });
    pcapng_interface(&lab.file, 147, "odd", NULL, NULL);
    add_packet(&lab, &b, AT, NULL, PCAP_UNKNOWN);
    add_packet(&lab, &b, AT, NULL, PCAP_UNKNOWN);
    struct packet_flows *flows = read_file(&lab);
    CHECK_INT(packet_flows_unread(flows, &type), 2);
    CHECK_INT(type, 147);
    CHECK_INT(packet_flows_strangers(flows), 0);
    packet_flows_free(flows);
    lab_done(&lab);
}

TEST_MAIN

/* bench/bench_base.c - the words everybody uses, in nanoseconds: addresses, blocks, hash maps, ids, ARNs, flow records.
 *
 *     make bench && build/bench/bench_base [SEED]
 *
 * Baselines: libc's inet_pton and inet_ntop for addresses, tsearch's tree for the map, snprintf for ids. */
#include "bench/bench.h"

#include <arpa/inet.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/arn.h"
#include "base/id.h"
#include "base/ip.h"
#include "base/map.h"
#include "base/vec.h"
#include "netsim/flowlog/flowlog.h"

#define N      1024 /* a power of two */
#define ROUNDS 400000

static char v4[N][IP_STR_SIZE], v6[N][IP_STR_SIZE], ids[N][ID_SIZE];
static struct ip ips[N], ips6[N];
static struct cidr blocks[N];

static void
make_inputs(struct id_gen *gen)
{
    for (int i = 0; i < N; i++) {
        ips[i] = ip_v4((uint32_t)id_random(gen));
        ips6[i] = (struct ip){ .hi = 0x20010db800000000u | id_random_below(gen, 1u << 16),
                               .lo = id_random(gen),
                               .family = IP_V6 };
        uint8_t bits = (uint8_t)(8 + id_random_below(gen, 21));
        blocks[i] = (struct cidr){ ip_mask(&ips[i], bits), bits };
        ip_format(&ips[i], v4[i]);
        ip_format(&ips6[i], v6[i]);
        id_new(gen, "eni", ids[i]);
    }
}

static int
compare_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void
keep(void *node)
{
    (void)node;
}

static void
bench_addresses(void)
{
    struct ip ip;
    unsigned char bytes[16];
    char text[64];
    BENCH(read4, ROUNDS)
    {
        BENCH_USE(ip_parse(v4[bench_i % N], &ip));
    }
    BENCH(pton4, ROUNDS)
    {
        BENCH_USE(inet_pton(AF_INET, v4[bench_i % N], bytes));
    }
    bench_row("read an IPv4 address", read4, "ns", "inet_pton", pton4);
    BENCH(read6, ROUNDS)
    {
        BENCH_USE(ip_parse(v6[bench_i % N], &ip));
    }
    BENCH(pton6, ROUNDS)
    {
        BENCH_USE(inet_pton(AF_INET6, v6[bench_i % N], bytes));
    }
    bench_row("read an IPv6 address", read6, "ns", "inet_pton", pton6);
    BENCH(print4, ROUNDS)
    {
        BENCH_USE(ip_format(&ips[bench_i % N], text));
    }
    BENCH(ntop4, ROUNDS)
    {
        BENCH_USE(inet_ntop(AF_INET, &ips[bench_i % N].lo, text, sizeof text));
    }
    bench_row("print an IPv4 address", print4, "ns", "inet_ntop", ntop4);
    BENCH(print6, ROUNDS)
    {
        BENCH_USE(ip_format(&ips6[bench_i % N], text));
    }
    BENCH(ntop6, ROUNDS)
    {
        BENCH_USE(inet_ntop(AF_INET6, &ips6[bench_i % N].hi, text, sizeof text));
    }
    bench_row("print an IPv6 address", print6, "ns", "inet_ntop", ntop6);
    BENCH(contains, ROUNDS)
    {
        BENCH_USE(cidr_contains_ip(&blocks[bench_i % N], &ips[bench_i / 7 % N]));
    }
    bench_row("is an address in a block", contains, "ns", NULL, 0);
}

static void
bench_maps(struct id_gen *gen)
{
    struct map map = { 0 };
    void *tree = NULL;
    char id[ID_SIZE];
    for (int i = 0; i < N; i++) {
        map_put(&map, ids[i], ids[i]);
        tsearch(ids[i], &tree, compare_text);
    }
    BENCH(found, ROUNDS)
    {
        BENCH_USE(map_get(&map, ids[bench_i * 7 % N]));
    }
    BENCH(tree_found, ROUNDS)
    {
        BENCH_USE(tfind(ids[bench_i * 7 % N], &tree, compare_text));
    }
    bench_row("find one of 1024 ids", found, "ns", "tfind", tree_found);
    BENCH(new_id, ROUNDS)
    {
        id_new(gen, "eni", id);
        BENCH_USE(id);
    }
    bench_row("make an id", new_id, "ns", NULL, 0);
    tdestroy(tree, keep);
    map_done(&map);
}

static void
bench_records(void)
{
    static const char line[] = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 "
                               "1418530010 1418530070 ACCEPT OK";
    struct flow_format format;
    struct flow_record record;
    struct buf text = { 0 };
    struct arn arn;
    flow_format_parse(NULL, &format, NULL);
    BENCH(parsed, ROUNDS / 10)
    {
        BENCH_USE(flow_record_parse(line, &format, &record, NULL));
    }
    bench_row("read a flow log record", parsed, "ns", NULL, 0);
    BENCH(printed, ROUNDS / 10)
    {
        buf_clear(&text);
        flow_record_print(&record, &format, &text);
    }
    bench_row("print a flow log record", printed, "ns", NULL, 0);
    BENCH(arns, ROUNDS)
    {
        BENCH_USE(arn_parse("arn:aws:iam::123456789012:role/path/name", &arn));
    }
    bench_row("split an ARN", arns, "ns", NULL, 0);
    buf_done(&text);
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    struct id_gen gen;
    id_gen_seed(&gen, seed);
    make_inputs(&gen);
    bench_begin("base", seed);
    bench_addresses();
    bench_maps(&gen);
    bench_records();
    return 0;
}

/* bench/bench_flows.c - what the router of a live lab costs a packet: rules, flow logs, captures.
 *
 *     make bench && build/bench/bench_flows
 *
 * Two instances in different subnets, five groups of 20 rules each of 1,000 groups that are loaded, and an ACL in both
 * subnets: the way leads through all four stages.  Rows, taken in turn in the same process, the best of many short
 * ones, of tcp the median:
 *   small packets   UDP datagrams of 18 bytes sent one by one and received at the other end; nothing ever answers, so
 *                   that each is new to the router and is asked of the groups
 *   answered        the same after one answer: the router knows the flow
 *   tcp             one connection, as many bytes as will go, each end on a processor of its own where there are two;
 *                   "clock": the time that passes; "one": both ends and the router on one processor, the time that
 *                   passes, which depends less on who waits for whom
 * `flow logs` has a log of every packet of the VPC, `rules alone` the same lab
 * without one, `no rules` the same two instances in another lab, whose router's nftables are taken away.  The program
 * moves itself into a user namespace, so it needs no privilege and leaves nothing. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/vec.h"
#include "bench/bench.h"
#include "netsim/live/live.h"
#include "netsim/live/live_internal.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/security_group.h"

#define N_GROUPS 1000
#define N_RULES  20
#define ROUNDS   9
#define SLICES   8 /* of a round; short, so that some of them have a busy machine's processor to themselves */
#define SMALL_NS 10e6
#define TCP_NS   50e6

static struct id_gen ids;
static const struct clock bench_clock = { .fixed = true, .base_ms = 1767312000000 };

struct lab {
    struct network *net;
    struct live *live;
    struct vpc *vpc;
    struct instance *a, *b;
    int home;
};

static void
fail(const char *what, const struct err *err)
{
    fprintf(stderr, "bench_flows: %s: %s\n", what, err && *err->text ? err->text : strerror(errno));
    exit(1);
}

static void
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) {
        fail(path, NULL);
    }
    close(fd);
}

static void
enter_namespaces(void)
{
    char uids[48], gids[48];
    snprintf(uids, sizeof uids, "0 %u 1", (unsigned)geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0) {
        fail("unshare", NULL);
    }
    write_file("/proc/self/uid_map", uids);
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/gid_map", gids);
    if (mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
        fail("mount", NULL);
    }
}

static struct instance *
run(struct lab *lab, const struct subnet *subnet, const char *const *groups, size_t n, const char *ip)
{
    struct err err = { 0 };
    struct instance *instance;
    struct instance_spec spec = { .image_id = "ami-0123456789abcdef0" };
    spec.eni = (struct eni_spec){ .subnet_id = subnet->obj.id, .ip = ip_lit(ip), .groups = groups, .n_groups = n };
    if (!instances_run(lab->net, &spec, 1, &instance, &err)) {
        fail("instance", &err);
    }
    return instance;
}

/* Every group has 19 rules that do not fit and one, the last, that does. */
static void
add_rules(struct lab *lab, struct security_group *group, int number)
{
    struct err err = { 0 };
    for (int i = 0; i < N_RULES; i++) {
        char cidr[32];
        snprintf(cidr, sizeof cidr, "192.168.%d.%d/32", number % 250, i);
        struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = 1000 + i, .to = 1000 + i, .cidr = cidr_lit(cidr) };
        if (i == N_RULES - 1) {
            rule = (struct sg_rule){ .protocol = -1, .from = -1, .to = -1, .cidr = cidr_lit("10.0.0.0/16") };
        }
        if (!security_group_authorize(lab->net, group, &rule, 1, &err)) {
            fail("rule", &err);
        }
    }
}

static struct lab
lab_new(int n_groups)
{
    struct lab lab = { 0 };
    struct err err = { 0 };
    const char *groups[N_GROUPS];
    id_gen_seed(&ids, 1);
    lab.net = network_new(&ids, &bench_clock);
    network_set_limits(lab.net, false);
    lab.vpc = vpc_create(lab.net, &(struct vpc_spec){ .cidr = cidr_lit("10.0.0.0/16") }, &err);
    struct subnet *one = subnet_create(
        lab.net, &(struct subnet_spec){ .vpc_id = lab.vpc->obj.id, .cidr = cidr_lit("10.0.1.0/24") }, &err);
    struct subnet *two = subnet_create(
        lab.net, &(struct subnet_spec){ .vpc_id = lab.vpc->obj.id, .cidr = cidr_lit("10.0.2.0/24") }, &err);
    for (int i = 0; i < n_groups; i++) {
        char name[32];
        snprintf(name, sizeof name, "group-%d", i);
        struct security_group *group = security_group_create(lab.net, lab.vpc->obj.id, name, name, &err);
        add_rules(&lab, group, i);
        groups[i] = group->obj.id;
    }
    lab.a = run(&lab, one, groups, 5, "10.0.1.10");
    lab.b = run(&lab, two, groups + 5, 5, "10.0.2.10");
    /* The other groups need members to be loaded: 198 idle instances with five groups each. */
    for (int i = 10; i + 5 <= n_groups; i += 5) {
        char ip[32];
        snprintf(ip, sizeof ip, "10.0.2.%d", 20 + i / 5);
        run(&lab, two, groups + i, 5, ip);
    }
    lab.live = live_start(lab.net, NULL, &err);
    if (!lab.live) {
        fail("up", &err);
    }
    lab.home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return lab;
}

static int
socket_in(struct lab *lab, const struct instance *instance, int type)
{
    if (setns(live_namespace(lab->live, instance->obj.id), CLONE_NEWNET) < 0) {
        fail("setns", NULL);
    }
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), size = 8 << 20;
    if (type == SOCK_DGRAM) { /* of TCP the kernel finds the size, as for most programs */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    setns(lab->home, CLONE_NEWNET);
    return fd;
}

static struct sockaddr_in
address_of_b(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    inet_pton(AF_INET, "10.0.2.10", &to.sin_addr);
    return to;
}

/* ---- small packets ------------------------------------------------------------------------------------------------
 */
/* The processor's time for this program, in which the kernel forwards its packets: what the neighbours do is not in it.
 */
static double
cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* One packet there and one back. */
static void
exchange(int sender, int receiver)
{
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    char byte = 0;
    if (send(sender, &byte, 1, 0) != 1 || recvfrom(receiver, &byte, 1, 0, (struct sockaddr *)&from, &length) != 1 ||
        sendto(receiver, &byte, 1, 0, (struct sockaddr *)&from, length) != 1 || recv(sender, &byte, 1, 0) != 1) {
        fail("exchange", NULL);
    }
}

/* Microseconds a packet.  They are forwarded and queued at the receiver before send() returns. */
static double
small_packets(struct lab *lab, bool answered)
{
    struct sockaddr_in to = address_of_b(9000);
    int sender = socket_in(lab, lab->a, SOCK_DGRAM), receiver = socket_in(lab, lab->b, SOCK_DGRAM);
    char bytes[18] = { 0 }, drain[64];
    long n = 0, arrived = 0;
    if (bind(receiver, (struct sockaddr *)&to, sizeof to) < 0 ||
        connect(sender, (struct sockaddr *)&to, sizeof to) < 0) {
        fail("bind", NULL);
    }
    if (answered) {
        exchange(sender, receiver);
    }
    double begin = cpu_ns(), end;
    do {
        for (int i = 0; i < 64; i++) {
            n += send(sender, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes;
        }
        while (recv(receiver, drain, sizeof drain, MSG_DONTWAIT) > 0) {
            arrived++;
        }
        end = cpu_ns();
    } while (end - begin < SMALL_NS);
    close(sender);
    close(receiver);
    if (arrived < n * 9 / 10) {
        fprintf(stderr, "bench_flows: only %ld of %ld packets arrived\n", arrived, n);
        exit(1);
    }
    return (end - begin) / 1000 / (double)arrived;
}

/* ---- tcp ----------------------------------------------------------------------------------------------------------
 */
struct sink {
    int listener, processor;
    atomic_long bytes;
};

/* This thread's from now on. */
static void
run_on(int processor)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)processor, &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0) {
        fail("a processor of its own", NULL);
    }
}

static void *
swallow(void *context)
{
    struct sink *sink = context;
    run_on(sink->processor);
    static char bytes[1 << 18];
    int fd = accept(sink->listener, NULL, NULL);
    for (ssize_t n; fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0;) {
        sink->bytes += n;
    }
    close(fd);
    return NULL;
}

/* Nanoseconds a kilobyte, of processor time; '*clock' those that passed.  Each end runs on its processor. */
static double
tcp(struct lab *lab, const int processors[2], double *clock)
{
    static char bytes[1 << 18];
    struct sockaddr_in to = address_of_b(9001);
    struct sink sink = { .listener = socket_in(lab, lab->b, SOCK_STREAM), .processor = processors[1] };
    int sender = socket_in(lab, lab->a, SOCK_STREAM), one = 1;
    pthread_t thread;
    run_on(processors[0]);
    setsockopt(sink.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(sink.listener, (struct sockaddr *)&to, sizeof to) < 0 || listen(sink.listener, 1) < 0 ||
        pthread_create(&thread, NULL, swallow, &sink) != 0 || connect(sender, (struct sockaddr *)&to, sizeof to) < 0) {
        fail("tcp", NULL);
    }
    double begin = bench_now_ns(), cpu = cpu_ns();
    while (bench_now_ns() - begin < TCP_NS) {
        if (write(sender, bytes, sizeof bytes) < 0) {
            fail("write", NULL);
        }
    }
    close(sender);
    pthread_join(thread, NULL);
    double ns = cpu_ns() - cpu;
    double kilobytes = (double)sink.bytes / 1024;
    *clock = (bench_now_ns() - begin) / kilobytes;
    close(sink.listener);
    return ns / kilobytes;
}

/* ---- in turn ------------------------------------------------------------------------------------------------------
 */
struct figures {
    double small, answered;
    VEC(double) bulk, clock, one; /* all, as the best of it depends on how much the two ends gather into one packet */
};

static void
keep_best(double *best, double figure)
{
    *best = *best == 0 || figure < *best ? figure : *best;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median_of(double *items, size_t n)
{
    qsort(items, n, sizeof *items, compare_doubles);
    return items[n / 2];
}

/* The first two processors that this program may run on; the same twice where there is one. */
static void
find_processors(int found[2])
{
    cpu_set_t all;
    int n = 0;
    sched_getaffinity(0, sizeof all, &all);
    for (int i = 0; n < 2 && i < CPU_SETSIZE; i++) {
        if (CPU_ISSET((size_t)i, &all)) {
            found[n++] = i;
        }
    }
    found[1] = n == 2 ? found[1] : found[0];
}

static void
measure(struct lab *lab, const int processors[2], struct figures *f)
{
    double clock;
    keep_best(&f->small, small_packets(lab, false));
    keep_best(&f->answered, small_packets(lab, true));
    *VEC_ADD(&f->bulk) = tcp(lab, processors, &clock);
    *VEC_ADD(&f->clock) = clock;
    tcp(lab, (int[]){ processors[0], processors[0] }, &clock);
    *VEC_ADD(&f->one) = clock;
}

static void
set_log(struct lab *lab, struct flow_log **log)
{
    struct err err = { 0 };
    struct flow_log_spec spec = {
        .resource_id = lab->vpc->obj.id, .traffic_type = "ALL", .group_name = "flows", .max_interval = 600
    };
    if (*log) {
        flow_log_delete(lab->net, *log, &err);
        *log = NULL;
    } else if (!(*log = flow_log_create(lab->net, &spec, &err))) {
        fail("flow log", &err);
    }
    store_touch(network_store(lab->net));
    if (!live_update(lab->live, lab->net, &err)) {
        fail("update", &err);
    }
}

static void
take_rules_away(struct lab *lab)
{
    char router[ID_SIZE + 16];
    struct err err = { 0 };
    snprintf(router, sizeof router, "router:%s", lab->vpc->obj.id);
    if (!space_nft(spaces_find(&lab->live->spaces, router), "delete table inet vpc\n", &err)) {
        fail("no rules", &err);
    }
}

int
main(void)
{
    struct figures f[3] = { 0 };
    struct flow_log *log = NULL;
    int processors[2];
    enter_namespaces();
    find_processors(processors);
    struct lab lab = lab_new(N_GROUPS), bare = lab_new(10);
    take_rules_away(&bare);
    for (int i = 0; i < ROUNDS * 2; i++) {
        for (int j = 0; j < SLICES; j++) {
            measure(&lab, processors, &f[i % 2]);
            measure(&bare, processors, &f[2]);
        }
        set_log(&lab, &log);
    }
    bench_begin("a packet through the router: 1,000 groups of 20 rules", 1);
    bench_row("small packets, rules alone", f[0].small, "us", "no rules", f[2].small);
    bench_row("small packets, flow logs", f[1].small, "us", "rules alone", f[0].small);
    bench_row("answered, rules alone", f[0].answered, "us", "no rules", f[2].answered);
    bench_row("answered, flow logs", f[1].answered, "us", "rules alone", f[0].answered);
    double tcp_ns[3], clock_ns[3], one_ns[3];
    for (int i = 0; i < 3; i++) {
        tcp_ns[i] = median_of(f[i].bulk.items, f[i].bulk.n);
        clock_ns[i] = median_of(f[i].clock.items, f[i].clock.n);
        one_ns[i] = median_of(f[i].one.items, f[i].one.n);
        VEC_DONE(&f[i].one);
        VEC_DONE(&f[i].bulk);
        VEC_DONE(&f[i].clock);
    }
    bench_row("tcp, a kilobyte, rules alone", tcp_ns[0], "ns", "no rules", tcp_ns[2]);
    bench_row("tcp, a kilobyte, flow logs", tcp_ns[1], "ns", "rules alone", tcp_ns[0]);
    bench_row("tcp, clock, rules alone", clock_ns[0], "ns", "no rules", clock_ns[2]);
    bench_row("tcp, clock, flow logs", clock_ns[1], "ns", "rules alone", clock_ns[0]);
    bench_row("tcp, one, rules alone", one_ns[0], "ns", "no rules", one_ns[2]);
    bench_row("tcp, one, flow logs", one_ns[1], "ns", "rules alone", one_ns[0]);
    live_stop(lab.live);
    live_stop(bare.live);
    network_free(lab.net);
    network_free(bare.net);
    return 0;
}

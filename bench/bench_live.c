/* bench/bench_live.c - a lab of N instances built in the kernel and taken down, beside the bare cost of as many
 * namespaces.
 *
 *     make bench && build/bench/bench_live [-p PAIRS] [N]...          (default 4 100 1000)
 *
 * The network: N instances in 50 subnets (fewer if N is small) of one VPC with an internet gateway, 200 groups (fewer
 * if N is small) with 5 rules each, every group somebody's: of 100 instances each has two.
 *
 *   bare     N network namespaces, each with a veth pair to one router namespace, an address and routes, by batched
 *            netlink: a lab's own messages, without rules, kernel switches and plan.  The baseline
 *   lab      live_start(): plan, namespaces, rules, links, routes
 *
 * The first table takes the two in turn, PAIRS times (default 9, fewer of many instances), and shows medians; the
 * ratios are medians of each pair's.  `up` is the time on the clock and the processor time of all our processes, `down`
 * lasts from the stop to the end of the process that held everything, and `freed` until the kernel, which goes on by
 * itself, has no namespace of it any more.  The second table is of changes to one lab, each a live_update():
 *
 *   plan     a plan of the whole, which the first update and every uncommon one make
 *   rule     one rule more in one group
 *   route    one route more in the VPC's main table
 *   acl      one entry more, or less again, in the ACL that all subnets have
 *   member   one interface in one group more, or less again
 *   kernel   what the machine had less of after live_start(), without our process, for each instance (others' work
 *            shows)
 *   process  what ours had at most
 *
 * The median time, and the processor time of one: ours (libnftables' included) and the kernel's.  Every measurement
 * runs in a process of its own with its own user namespace, so it needs no privilege and leaves nothing. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "netsim/live/live.h"
#include "netsim/live/netlink.h"
#include "netsim/live/plan.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"

#define N_GROUPS  200
#define N_RULES   5
#define MAX_PAIRS 99
#define N_CHANGES 101 /* of each kind, one by one, in the running lab */

static struct id_gen ids;
static const struct clock bench_clock = { .fixed = true, .base_ms = 1767312000000 };

struct change {
    double ms, user_ms, kernel_ms;
};
enum { RULE, ROUTE, ACL, MEMBER, N_KINDS };
struct figures {
    double up_ms, cpu_ms, plan_ms;
    struct change changes[N_KINDS];
    long kib, kernel_kib; /* of our process at most; what the machine had less of, without our process */
};

static double
clock_ms(clockid_t clock)
{
    struct timespec t;
    return clock_gettime(clock, &t) < 0 ? 0 : (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

/* Of this process and its children. */
static double
cpu_ms(void)
{
    double all = clock_ms(CLOCK_PROCESS_CPUTIME_ID);
    FILE *children = fopen("/proc/thread-self/children", "r");
    for (int pid; children && fscanf(children, "%d", &pid) == 1;) {
        clockid_t clock;
        all += clock_getcpuclockid(pid, &clock) == 0 ? clock_ms(clock) : 0;
    }
    if (children) {
        fclose(children);
    }
    return all;
}

static void
fail(const char *what, const struct err *err)
{
    fprintf(stderr, "bench_live: %s: %s %s\n", what, err ? err->where : "", err ? err->text : strerror(errno));
    _exit(1);
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
enter_namespaces(int flags)
{
    char uids[48], gids[48];
    snprintf(uids, sizeof uids, "0 %u 1", (unsigned)geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | flags) < 0) {
        fail("unshare", NULL);
    }
    write_file("/proc/self/uid_map", uids);
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/gid_map", gids);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* ---- the lab ------------------------------------------------------------------------------------------------------
 */
static struct network *
make_network(size_t n)
{
    struct err err = { 0 };
    id_gen_seed(&ids, 7);
    struct network *net = network_new(&ids, &bench_clock);
    network_set_limits(net, false);
    struct vpc *vpc = vpc_create(net, &(struct vpc_spec){ .cidr = cidr_lit("10.0.0.0/16") }, &err);
    struct internet_gateway *igw = vpc ? internet_gateway_create(net, &err) : NULL;
    if (!igw || !internet_gateway_attach(net, igw, vpc->obj.id, &err)) {
        fail("vpc", &err);
    }
    size_t n_subnets = n < 50 ? (n + 1) / 2 : 50, n_groups = 2 * n < N_GROUPS ? n : N_GROUPS;
    char names[N_GROUPS][ID_SIZE];
    for (size_t i = 0; i < n_groups; i++) {
        char name[32];
        snprintf(name, sizeof name, "group-%zu", i);
        struct security_group *group = security_group_create(net, vpc->obj.id, name, "bench", &err);
        if (!group) {
            fail("group", &err);
        }
        struct sg_rule rules[N_RULES] = { 0 };
        for (int r = 0; r < N_RULES; r++) {
            rules[r] = (struct sg_rule){
                .protocol = PROTOCOL_TCP, .from = 1000 + r, .to = 1000 + r, .cidr = cidr_lit("10.0.0.0/16")
            };
        }
        if (!security_group_authorize(net, group, rules, N_RULES, &err)) {
            fail("rules", &err);
        }
        snprintf(names[i], ID_SIZE, "%s", group->obj.id);
    }
    for (size_t s = 0; s < n_subnets; s++) {
        struct cidr block = { .ip = ip_v4(0x0a000000u + (uint32_t)s * 1024), .bits = 22 };
        struct subnet *subnet = subnet_create(net, &(struct subnet_spec){ .vpc_id = vpc->obj.id, .cidr = block }, &err);
        if (!subnet) {
            fail("subnet", &err);
        }
        for (size_t i = s; i < n; i += n_subnets) {
            const char *groups[] = { names[i % n_groups], names[(i + n) % n_groups] };
            struct instance *instance;
            struct instance_spec spec = { .image_id = "ami-12345678", .type = "t3.micro", .public_ip = 0 };
            spec.eni =
                (struct eni_spec){ .subnet_id = subnet->obj.id, .groups = groups, .n_groups = n < n_groups ? 2 : 1 };
            if (!instances_run(net, &spec, 1, &instance, &err)) {
                fail("instance", &err);
            }
        }
    }
    return net;
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
change_rule(struct network *net, int i)
{
    struct err err = { 0 };
    struct security_group *group = store_first(network_store(net), &security_group_kind);
    for (size_t skip = (size_t)i % (store_count(network_store(net), &security_group_kind) - 1) + 1; skip > 0; skip--) {
        group = store_next(network_store(net), group); /* the VPC's default group is nobody's here */
    }
    struct sg_rule rule = {
        .protocol = PROTOCOL_TCP, .from = 7000 + i, .to = 7000 + i, .cidr = cidr_lit("10.0.0.0/8")
    };
    if (!security_group_authorize(net, group, &rule, 1, &err)) {
        fail("rule", &err);
    }
}

static void
change_route(struct network *net, int i)
{
    struct err err = { 0 };
    const struct internet_gateway *igw = store_first(network_store(net), &internet_gateway_kind);
    char id[ID_SIZE];
    memcpy(id, igw->obj.id, sizeof id);
    struct route route = { .cidr = { .ip = ip_v4(0xcb007100u + (uint32_t)i), .bits = 32 }, .gateway_id = id };
    if (!route_create(net, store_first(network_store(net), &route_table_kind), &route, &err)) {
        fail("route", &err);
    }
}

static void
change_acl(struct network *net, int i)
{
    struct err err = { 0 };
    struct network_acl *acl = store_first(network_store(net), &network_acl_kind);
    struct nacl_entry entry = { .number = 50, .protocol = PROTOCOL_ALL, .cidr = cidr_lit("192.0.2.0/24") };
    if (!(i % 2 ? network_acl_delete_entry(net, acl, 50, false, &err)
                : network_acl_add_entry(net, acl, &entry, &err))) {
        fail("acl", &err);
    }
}

static void
change_member(struct network *net, int i)
{
    struct err err = { 0 };
    struct eni *eni = store_first(network_store(net), &eni_kind);
    const struct security_group *other = store_first(network_store(net), &security_group_kind);
    char own[ID_SIZE];
    memcpy(own, eni->groups.items[0].id, sizeof own);
    const char *groups[] = { own, other->obj.id };
    if (!eni_set_groups(net, eni, groups, i % 2 ? 1 : 2, &err)) {
        fail("membership", &err);
    }
}

static struct change
measure_changes(struct live *live, struct network *net, void (*change)(struct network *net, int i))
{
    struct err err = { 0 };
    double took[N_CHANGES];
    struct rusage before, after;
    struct change c = { 0 };
    for (int i = 0; i < N_CHANGES; i++) {
        change(net, i);
        double begin = now_ms();
        getrusage(RUSAGE_SELF, &before);
        if (!live_update(live, net, &err)) {
            fail("live_update", &err);
        }
        getrusage(RUSAGE_SELF, &after);
        took[i] = now_ms() - begin;
        c.user_ms += (bench_timeval_ms(&after.ru_utime) - bench_timeval_ms(&before.ru_utime)) / N_CHANGES;
        c.kernel_ms += (bench_timeval_ms(&after.ru_stime) - bench_timeval_ms(&before.ru_stime)) / N_CHANGES;
    }
    qsort(took, N_CHANGES, sizeof *took, compare_doubles);
    c.ms = took[N_CHANGES / 2];
    return c;
}

static struct figures
measure_lab(size_t n)
{
    struct figures f = { 0 };
    struct err err = { 0 };
    struct network *net = make_network(n);
    double begin = now_ms(), cpu = cpu_ms();
    if (!live_start(net, NULL, &err)) {
        fail("live_start", &err);
    }
    f.up_ms = now_ms() - begin;
    f.cpu_ms = cpu_ms() - cpu;
    return f; /* the lab ends with the process */
}

static struct figures
measure_changed_lab(size_t n)
{
    struct figures f = { 0 };
    struct err err = { 0 };
    struct network *net = make_network(n);
    double begin = now_ms();
    struct plan_numbers numbers = { 0 };
    plan_free(plan_new(net, &numbers));
    plan_numbers_done(&numbers);
    f.plan_ms = now_ms() - begin;
    long own = bench_kib("/proc/self/status", "VmRSS:"), all = bench_kib("/proc/meminfo", "MemAvailable:");
    struct live *live = live_start(net, NULL, &err);
    if (!live) {
        fail("live_start", &err);
    }
    f.kernel_kib = bench_kib("/proc/self/status", "VmRSS:");
    f.kernel_kib = all - bench_kib("/proc/meminfo", "MemAvailable:") - (f.kernel_kib - own);
    static void (*const changes[N_KINDS])(struct network * net, int i) = { change_rule, change_route, change_acl,
                                                                           change_member };
    for (int k = 0; k < N_KINDS; k++) {
        f.changes[k] = measure_changes(live, net, changes[k]);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    f.kib = usage.ru_maxrss;
    return f;
}

/* ---- bare ---------------------------------------------------------------------------------------------------------
 */
struct bare {
    int fd;
    struct nlq *q;
};

static struct bare
bare_namespace(struct err *err)
{
    if (unshare(CLONE_NEWNET) < 0) {
        fail("unshare", NULL);
    }
    struct bare b = { open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), nlq_new(err) };
    if (b.fd < 0 || !b.q) {
        fail("namespace", err);
    }
    nlq_link_up(b.q, PLAN_LOOPBACK);
    return b;
}

static struct figures
measure_bare(size_t n)
{
    struct figures f = { 0 };
    struct err err = { 0 };
    struct bare *all = xcalloc(n, sizeof *all);
    const uint8_t gateway_mac[6] = { 2, 0, 0, 0, 0, 1 };
    struct ip gateway = ip_v4(0x0a000001u);
    double begin = now_ms(), cpu = cpu_ms();
    struct bare router = bare_namespace(&err);
    for (size_t i = 0; i < n; i++) {
        all[i] = bare_namespace(&err);
    }
    for (size_t i = 0; i < n; i++) {
        struct nlq_end here = { .index = 1000 + (uint32_t)i, .group = 1 },
                       peer = { .index = PLAN_ETH0, .name = "eth0" };
        snprintf(here.name, sizeof here.name, "e%u", (unsigned)i);
        memcpy(here.mac, gateway_mac, 6);
        uint32_t number = (uint32_t)i + 2;
        memcpy(peer.mac, (uint8_t[]){ 2, 1, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number, 0 }, 6);
        nlq_veth_add(router.q, &here, &peer, all[i].fd);
    }
    if (!nlq_flush(router.q, &err)) {
        fail("links", &err);
    }
    for (size_t i = 0; i < n; i++) {
        struct ip ip = ip_add(&gateway, i + 1);
        nlq_link_up(all[i].q, PLAN_ETH0);
        nlq_address(all[i].q, true, PLAN_ETH0, &ip, 16);
        nlq_neighbour(all[i].q, true, PLAN_ETH0, &gateway, gateway_mac);
        nlq_route(all[i].q, true,
                  &(struct nlq_route){ .table = 254, .to = cidr_lit("0.0.0.0/0"), .index = PLAN_ETH0, .via = gateway });
        nlq_route(router.q, true,
                  &(struct nlq_route){ .table = 254, .to = cidr_host(&ip), .index = 1000 + (uint32_t)i });
        if (!nlq_flush(all[i].q, &err)) {
            fail("inside", &err);
        }
    }
    if (!nlq_flush(router.q, &err)) {
        fail("routes", &err);
    }
    f.up_ms = now_ms() - begin;
    f.cpu_ms = cpu_ms() - cpu;
    return f;
}

/* ---- running ------------------------------------------------------------------------------------------------------
 */
static bool
may_make_namespace(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(unshare(CLONE_NEWNET) < 0);
    }
    int status;
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* All network namespaces below our user namespace are gone once there may be one and there is none yet.  The kernel
 * counts them until the last of their memory is freed. */
static void
wait_until_freed(void)
{
    write_file("/proc/sys/user/max_net_namespaces", "1");
    while (!may_make_namespace()) {
        usleep(500);
    }
    write_file("/proc/sys/user/max_net_namespaces", "100000");
}

struct ends {
    double down_ms, freed_ms;
};

/* In a process of its own. */
static struct figures
in_process(struct figures (*measure)(size_t n), size_t n, struct ends *ends)
{
    int out[2], stop[2];
    if (pipe(out) < 0 || pipe(stop) < 0) {
        fail("pipe", NULL);
    }
    pid_t pid = fork();
    if (pid == 0) {
        enter_namespaces(CLONE_NEWNET | CLONE_NEWNS);
        struct figures f = measure(n);
        char byte;
        close(stop[1]);
        if (write(out[1], &f, sizeof f) != sizeof f || read(stop[0], &byte, 1) < 0) {
            _exit(1);
        }
        _exit(0);
    }
    close(out[1]);
    close(stop[0]);
    struct figures f = { 0 };
    if (read(out[0], &f, sizeof f) != sizeof f) {
        exit(1);
    }
    double begin = now_ms();
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ends->down_ms = now_ms() - begin;
    wait_until_freed(); /* the next measurement shall not pay for it */
    ends->freed_ms = now_ms() - begin;
    close(out[0]);
    close(stop[1]);
    return f;
}

static double
median(double *all, size_t n)
{
    qsort(all, n, sizeof *all, compare_doubles);
    return n % 2 ? all[n / 2] : (all[n / 2 - 1] + all[n / 2]) / 2;
}

/* What is measured of either, in the order of the table. */
enum { UP, CPU, DOWN, FREED, N_TIMES };

static void
take_pairs(size_t n, int pairs)
{
    double bare[N_TIMES][MAX_PAIRS], lab[N_TIMES][MAX_PAIRS], ratio[N_TIMES][MAX_PAIRS];
    for (int i = 0; i < pairs; i++) {
        for (int turn = 0; turn < 2; turn++) {
            bool is_lab = (i + turn) % 2;
            struct ends ends;
            struct figures f = in_process(is_lab ? measure_lab : measure_bare, n, &ends);
            double(*to)[MAX_PAIRS] = is_lab ? lab : bare;
            to[UP][i] = f.up_ms;
            to[CPU][i] = f.cpu_ms;
            to[DOWN][i] = ends.down_ms;
            to[FREED][i] = ends.freed_ms;
        }
        for (int t = 0; t < N_TIMES; t++) {
            ratio[t][i] = lab[t][i] / bare[t][i];
        }
    }
    printf("%9zu %5d", n, pairs);
    for (int t = 0; t < N_TIMES; t++) {
        printf("  %7.1f %7.1f %5.2f", median(bare[t], (size_t)pairs), median(lab[t], (size_t)pairs),
               median(ratio[t], (size_t)pairs));
    }
    putchar('\n');
    fflush(stdout);
}

static void
take_changes(size_t n)
{
    struct ends ends;
    struct figures lab = in_process(measure_changed_lab, n, &ends);
    printf("%9zu  %6.2f ms ", n, lab.plan_ms);
    for (int k = 0; k < N_KINDS; k++) {
        const struct change *c = &lab.changes[k];
        printf(" %5.2f ms (%4.2f + %4.2f)", c->ms, c->user_ms, c->kernel_ms);
    }
    printf("  %6ld KiB %4ld KiB\n", lab.kernel_kib / (long)n, lab.kib);
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    static char *usual[] = { "4", "100", "1000" };
    int pairs = 0;
    if (argc > 2 && strcmp(argv[1], "-p") == 0) {
        pairs = atoi(argv[2]);
        argc -= 2;
        argv += 2;
    }
    char **sizes = argc > 1 ? argv + 1 : usual;
    int n_sizes = argc > 1 ? argc - 1 : (int)ARRAY_SIZE(usual);
    enter_namespaces(0);
    printf("%9s %5s  %21s  %21s  %21s  %21s\n%15s", "instances", "pairs", "up, ms", "processor, ms", "down, ms",
           "freed, ms", "");
    for (int t = 0; t < N_TIMES; t++) {
        printf("  %7s %7s %5s", "bare", "lab", "ratio");
    }
    putchar('\n');
    for (int i = 0; i < n_sizes; i++) {
        size_t n = strtoul(sizes[i], NULL, 10);
        int usual_pairs = n > 500 ? 3 : 9;
        take_pairs(n, pairs < 1 ? usual_pairs : pairs < MAX_PAIRS ? pairs : MAX_PAIRS);
    }
    printf("\n%9s  %9s  %22s %22s %22s %22s  %10s %8s\n", "instances", "plan", "rule (ours + kernel)", "route", "acl",
           "member", "kernel", "process");
    for (int i = 0; i < n_sizes; i++) {
        take_changes(strtoul(sizes[i], NULL, 10));
    }
    return 0;
}

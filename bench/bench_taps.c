/* bench/bench_taps.c - TAP hosts: how long thousands take to come up, what they cost, how many pings they answer.
 *
 *     make bench && build/bench/bench_taps [N]...          (default 100 1000 5000)
 *
 * The network: N TAP hosts in 20 subnets of one VPC, and two instances with namespaces.  Everything runs on one
 * processor.
 *
 *   up        live_start(): plan, rules, TAP devices, routes
 *   kernel    what the kernel's own memory (slabs that it cannot give back, vmalloc, per processor) grew by, for each
 *             host
 *   ours      what our process grew by, model and plan and all, for each host
 *   pings     echo requests a second that one instance sends to all hosts in turn and that were answered: sender,
 *             router and who answers share the processor
 *   baseline  the same from it to the other instance, whose kernel answers
 *   one core  answers for each second of processor time of the thread that serves all hosts, with what the kernel does
 *             in its name: taking the request, and the answer's way through the router to the sender
 *   groups    processor time, ours and the kernel's, for other groups of one host: to a device of its own and back, and
 *             to one that others have and back
 *
 * Every measurement runs in a process of its own with its own user namespace, so it leaves nothing. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/icmp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "netsim/live/live.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/security_group.h"

#define N_SUBNETS 20
#define N_PINGS   200000
#define BURST     64

static struct id_gen ids;
static const struct clock bench_clock = { .fixed = true, .base_ms = 1767312000000 };

struct figures {
    double groups_ms[2][2]; /* alone, joining others; ours, the kernel's */
    double up_ms, pings, baseline, per_core;
    long kernel_kib, own_kib;
};

static double
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
fail(const char *what, const struct err *err)
{
    fprintf(stderr, "bench_taps: %s: %s %s\n", what, err ? err->where : "", err ? err->text : strerror(errno));
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
enter_namespaces(void)
{
    char uids[48], gids[48];
    snprintf(uids, sizeof uids, "0 %u 1", (unsigned)geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", (unsigned)getegid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
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
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* Runs 'n' hosts spread over the subnets; the first two instances have namespaces. */
static struct network *
make_network(size_t n, struct instance *with_namespace[2])
{
    struct err err = { 0 };
    id_gen_seed(&ids, 7);
    struct network *net = network_new(&ids, &bench_clock);
    network_set_limits(net, false);
    network_set_tap_hosts(net, true);
    struct vpc *vpc = vpc_create(net, &(struct vpc_spec){ .cidr = cidr_lit("10.0.0.0/16") }, &err);
    for (uint32_t s = 0; vpc && s < N_SUBNETS; s++) {
        struct cidr block = { .ip = ip_v4(0x0a000000u + s * 2048), .bits = 21 };
        struct subnet *subnet = subnet_create(net, &(struct subnet_spec){ .vpc_id = vpc->obj.id, .cidr = block }, &err);
        size_t count = n / N_SUBNETS + (s < n % N_SUBNETS ? 1 : 0) + (s == 0 ? 2 : 0);
        struct instance **out = xcalloc(count ? count : 1, sizeof *out);
        struct instance_spec spec = { .image_id = "ami-12345678", .type = "t3.micro", .public_ip = 0 };
        spec.eni = (struct eni_spec){ .subnet_id = subnet ? subnet->obj.id : NULL };
        if (!subnet || (count && !instances_run(net, &spec, count, out, &err))) {
            fail("instances", &err);
        }
        for (size_t i = 0; s == 0 && i < 2; i++) {
            object_set_tag(&out[i]->obj, INSTANCE_HOST_TAG, "namespace");
            with_namespace[i] = out[i];
        }
        free(out);
    }
    if (!vpc) {
        fail("vpc", &err);
    }
    return net;
}

/* ---- pings --------------------------------------------------------------------------------------------------------
 */
static unsigned
checksum(const void *data, size_t size)
{
    const uint16_t *p = data;
    uint32_t sum = 0;
    for (size_t i = 0; i < size / 2; i++) {
        sum += p[i];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return ~(sum + (sum >> 16)) & 0xffff;
}

static size_t
take_replies(int fd, int timeout_ms)
{
    size_t n = 0;
    char data[256];
    struct pollfd p = { .fd = fd, .events = POLLIN };
    while (poll(&p, 1, n ? 0 : timeout_ms) > 0) {
        ssize_t got = recv(fd, data, sizeof data, MSG_DONTWAIT);
        n += got > 28 && data[20] == ICMP_ECHOREPLY;
    }
    return n;
}

/* Processor time in nanoseconds of all threads but this one. */
static double
others_ns(void)
{
    double sum = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (const struct dirent *task; tasks && (task = readdir(tasks));) {
        char path[300], text[64] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", task->d_name);
        bool is_other = task->d_name[0] != '.' && strtol(task->d_name, NULL, 10) != getpid();
        int fd = is_other ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) {
            sum += strtod(text, NULL);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    if (tasks) {
        closedir(tasks);
    }
    return sum;
}

/* Answered requests a second; 'to' is asked in turn. */
static double
ping_rate(int fd, const struct ip *to, size_t n_to, size_t *n_answered)
{
    struct {
        struct icmphdr head;
        char text[32];
    } packet = { .head = { .type = ICMP_ECHO } };
    size_t answered = 0;
    double begin = now_ms();
    for (size_t i = 0; i < N_PINGS; i += BURST) {
        for (size_t j = 0; j < BURST; j++) {
            struct sockaddr_in address = { .sin_family = AF_INET,
                                           .sin_addr.s_addr = htonl((uint32_t)to[(i + j) % n_to].lo) };
            packet.head.un.echo.sequence = (uint16_t)(i + j);
            packet.head.checksum = 0;
            packet.head.checksum = (uint16_t)checksum(&packet, sizeof packet);
            sendto(fd, &packet, sizeof packet, 0, (struct sockaddr *)&address, sizeof address);
        }
        for (size_t got = 0, more = 1; got < BURST && more; got += more, answered += more) {
            more = take_replies(fd, 20);
        }
    }
    *n_answered = answered;
    return (double)answered / (now_ms() - begin) * 1e3;
}

static long
kernel_kib(void)
{
    return bench_kib("/proc/meminfo", "SUnreclaim:") + bench_kib("/proc/meminfo", "VmallocUsed:") +
           bench_kib("/proc/meminfo", "Percpu:");
}

/* One host after the other gets the group for itself, or all go to the device that the first has made. */
static void
measure_groups(struct live *live, struct network *net, struct figures *f)
{
    enum { N_CHANGES = 100 };
    struct err err = { 0 };
    struct instance *hosts[2] = { 0 };
    for (struct instance *i = store_first(network_store(net), &instance_kind); i && !hosts[1];
         i = store_next(network_store(net), i)) {
        if (instance_is_tap(net, i)) {
            hosts[hosts[0] != NULL] = i;
        }
    }
    struct eni *eni = hosts[0] ? instance_eni(net, hosts[0], 0) : NULL,
               *other = hosts[1] ? instance_eni(net, hosts[1], 0) : NULL;
    const struct security_group *group = eni ? security_group_create(net, eni->vpc_id, "bench", "bench", &err) : NULL;
    if (!group || !other) {
        return;
    }
    const char *usual = xstrdup(eni->groups.items[0].id), *sets[] = { group->obj.id, usual };
    for (int joined = 0; joined < 2; joined++) {
        struct rusage before, after;
        if ((joined && !eni_set_groups(net, other, sets, 1, &err)) || !live_update(live, net, &err)) {
            fail("groups", &err);
        }
        getrusage(RUSAGE_SELF, &before);
        for (int i = 0; i < N_CHANGES; i++) {
            if (!eni_set_groups(net, eni, &sets[i % 2], 1, &err) || !live_update(live, net, &err)) {
                fail("groups", &err);
            }
        }
        getrusage(RUSAGE_SELF, &after);
        f->groups_ms[joined][0] = (bench_timeval_ms(&after.ru_utime) - bench_timeval_ms(&before.ru_utime)) / N_CHANGES;
        f->groups_ms[joined][1] = (bench_timeval_ms(&after.ru_stime) - bench_timeval_ms(&before.ru_stime)) / N_CHANGES;
    }
}

static struct figures
measure(size_t n)
{
    struct figures f = { 0 };
    struct err err = { 0 };
    struct instance *with_namespace[2];
    long own = bench_kib("/proc/self/status", "VmRSS:"), kernel = kernel_kib();
    struct network *net = make_network(n, with_namespace);
    double begin = now_ms();
    struct live *live = live_start(net, NULL, &err);
    if (!live) {
        fail("live_start", &err);
    }
    f.up_ms = now_ms() - begin;
    f.own_kib = bench_kib("/proc/self/status", "VmRSS:") - own;
    f.kernel_kib = kernel_kib() - kernel;
    struct ip *to = xcalloc(n, sizeof *to);
    size_t n_to = 0;
    for (const struct instance *i = store_first(network_store(net), &instance_kind); i;
         i = store_next(network_store(net), i)) {
        if (instance_is_tap(net, i)) {
            to[n_to++] = *eni_primary_ip(instance_eni(net, i, 0));
        }
    }
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    setns(live_namespace(live, with_namespace[0]->obj.id), CLONE_NEWNET);
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), size = 8 << 20;
    setns(home, CLONE_NEWNET);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    size_t answered;
    f.baseline = ping_rate(fd, eni_primary_ip(instance_eni(net, with_namespace[1], 0)), 1, &answered);
    double before = others_ns();
    f.pings = ping_rate(fd, to, n_to, &answered);
    f.per_core = (double)answered / (others_ns() - before) * 1e9;
    measure_groups(live, net, &f);
    return f; /* the lab ends with the process */
}

static struct figures
in_process(size_t n, double *down_ms)
{
    int out[2];
    if (pipe(out) < 0) {
        fail("pipe", NULL);
    }
    pid_t pid = fork();
    if (pid == 0) {
        enter_namespaces();
        struct figures f = measure(n);
        if (write(out[1], &f, sizeof f) != sizeof f) {
            _exit(1);
        }
        pause();
    }
    close(out[1]);
    struct figures f = { 0 };
    if (read(out[0], &f, sizeof f) != sizeof f) {
        exit(1);
    }
    double begin = now_ms();
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    *down_ms = now_ms() - begin;
    close(out[0]);
    usleep((useconds_t)(100000 + n * 500)); /* the kernel frees devices behind our back */
    return f;
}

int
main(int argc, char **argv)
{
    static char *usual[] = { "100", "1000", "5000" };
    char **sizes = argc > 1 ? argv + 1 : usual;
    int n_sizes = argc > 1 ? argc - 1 : (int)ARRAY_SIZE(usual);
    if (access("/dev/net/tun", R_OK | W_OK) != 0) {
        printf("SKIPPED: no access to /dev/net/tun\n");
        return 0;
    }
    printf("%6s  %10s %10s  %11s %11s  %11s %11s %6s  %11s\n", "hosts", "up", "down", "kernel", "ours", "pings",
           "baseline", "ratio", "one core");
    printf("%6s  %28s  %28s\n", "", "groups: alone (ours + kernel)", "joining others");
    for (int i = 0; i < n_sizes; i++) {
        size_t n = strtoul(sizes[i], NULL, 10);
        double down;
        struct figures f = in_process(n, &down);
        printf("%6zu  %7.1f ms %7.1f ms  %5.1f KiB/h %5.1f KiB/h  %9.0f/s %9.0f/s %6.2f  %9.0f/s\n", n, f.up_ms, down,
               (double)f.kernel_kib / (double)n, (double)f.own_kib / (double)n, f.pings, f.baseline,
               f.pings / f.baseline, f.per_core);
        printf("%6s  %12.2f + %.2f ms %21.2f + %.2f ms\n", "", f.groups_ms[0][0], f.groups_ms[0][1], f.groups_ms[1][0],
               f.groups_ms[1][1]);
    }
    return 0;
}

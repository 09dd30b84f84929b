#include "netsim/live/doctor.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "netsim/live/guest_files.h"
#include "netsim/live/netlink.h"
#include "netsim/live/tap_hosts.h"

/* The number in a file of /proc/sys; -1 if it is not there. */
static long
read_sysctl(const char *name)
{
    char path[128], text[32] = "";
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    return n > 0 ? strtol(text, NULL, 10) : -1;
}

/* Switches that forbid user namespaces, and what lifts each. */
static const struct {
    const char *sysctl;
    long forbids;
    const char *remedy;
} userns_switches[] = {
    { "user/max_user_namespaces", 0, "as root: sysctl -w user.max_user_namespaces=10000" },
    { "user/max_net_namespaces", 0, "as root: sysctl -w user.max_net_namespaces=10000" },
    { "kernel/unprivileged_userns_clone", 0, "as root: sysctl -w kernel.unprivileged_userns_clone=1" },
    { "kernel/apparmor_restrict_unprivileged_userns", 1,
      "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or give vpclab an AppArmor profile with "
      "`userns,`)" },
};

static const char *
userns_remedy(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(userns_switches); i++) {
        if (read_sysctl(userns_switches[i].sysctl) == userns_switches[i].forbids) {
            return userns_switches[i].remedy;
        }
    }
    return "in a container, allow unshare and mount (docker: --security-opt seccomp=unconfined --security-opt "
           "apparmor=unconfined, or "
           "--privileged)";
}

bool
doctor_explain_userns(struct err *err)
{
    return err_hint(err, "%s", userns_remedy());
}

/* ---- checks, each run inside fresh namespaces ---------------------------------------------------------------------
 */
static bool
can_make_links(char *detail, size_t size)
{
    struct err err = { 0 };
    struct nlq *q = nlq_new(&err);
    int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    bool ok = q && ns >= 0;
    if (ok) {
        nlq_veth_add(q, &(struct nlq_end){ .index = 10, .name = "a", .group = 7, .mac = { 2, 0, 0, 0, 0, 1 } },
                     &(struct nlq_end){ .index = 11, .name = "b", .mac = { 2, 0, 0, 0, 0, 2 } }, ns);
        ok = nlq_flush(q, &err);
    }
    snprintf(detail, size, "%s", ok ? "veth pairs with chosen indexes and groups" : err.text);
    nlq_free(q);
    if (ns >= 0) {
        close(ns);
    }
    return ok;
}

static bool
can_write_sysctls(char *detail, size_t size)
{
    int fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, "1", 1) == 1;
    snprintf(detail, size, "%s", ok ? "net.ipv4.ip_forward" : strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool
run_nft(const char *text, char *detail, size_t size)
{
    struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!nft) {
        snprintf(detail, size, "libnftables does not start");
        return false;
    }
    nft_ctx_buffer_error(nft);
    nft_ctx_buffer_output(nft);
    bool ok = nft_run_cmd_from_buffer(nft, text) == 0;
    const char *said = nft_ctx_get_error_buffer(nft);
    snprintf(detail, size, "%.*s", ok ? 0 : (int)strcspn(said, "\n"), said);
    nft_ctx_free(nft);
    return ok;
}

static bool
can_filter(char *detail, size_t size)
{
    bool ok = run_nft("table inet filter {\n"
                      " map m { type ifname : verdict; }\n map g { type devgroup : mark; }\n"
                      " set s { type ifname . ipv4_addr; }\n"
                      " chain c { type filter hook forward priority 10; policy drop;\n"
                      "  ct state established,related accept\n  iifname vmap @m\n  iifname . ip saddr @s counter "
                      "accept comment \"x\"\n }\n}\n",
                      detail, size);
    if (ok) {
        snprintf(detail, size, "inet tables, verdict maps, concatenations, connection tracking");
    }
    return ok;
}

static bool
can_translate(char *detail, size_t size)
{
    bool ok = run_nft(
        "table inet translate {\n map m { type ipv4_addr : ipv4_addr; }\n"
        " chain d { type nat hook prerouting priority -100;\n  iifname \"igw\" dnat ip to ip daddr map @m\n }\n"
        " chain s { type nat hook postrouting priority 100;\n  oifname \"igw\" snat ip to ip saddr map @m\n }\n}\n",
        detail, size);
    if (ok) {
        snprintf(detail, size, "source and destination translation by maps");
    }
    return ok;
}

static bool
can_record_flows(char *detail, size_t size)
{
    bool ok = run_nft("table inet flows {\n set f { type mark . ipv4_addr . ipv4_addr . inet_service . inet_service; "
                      "size 1024; flags dynamic,timeout; "
                      "timeout 5m; }\n chain c { type filter hook forward priority 45;\n  meta l4proto tcp update @f { "
                      "meta mark . ip saddr . ip "
                      "daddr . tcp sport . tcp dport counter }\n }\n chain p { type filter hook prerouting priority "
                      "-290;\n  fib daddr . mark oif missing counter\n }\n}\n",
                      detail, size);
    if (ok) {
        snprintf(detail, size, "dynamic sets with counters, look-ups in routes (fib)");
    }
    return ok;
}

/* A device as TAP hosts have: it goes with the descriptor. */
static bool
can_make_taps(char *detail, size_t size)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    struct ifreq request = { .ifr_name = "tap", .ifr_flags = IFF_TAP | IFF_NO_PI };
    bool ok = fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0;
    snprintf(detail, size, "/dev/net/tun%s%s", ok ? "" : ": ", ok ? "" : strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* The reason is another for a missing file, its mode, and a container. */
static const char *
taps_remedy(void)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return tap_hosts_remedy(errno);
    }
    close(fd);
    return "a kernel with TAP devices in network namespaces";
}

/* As an instance gets the machine's files: guest_files.c. */
static bool
can_seal_files(char *detail, size_t size)
{
    int copy = guest_files_copy("/");
    bool ok = copy >= 0;
    snprintf(detail, size, "%s", ok ? "read-only for programs of instances" : strerror(errno));
    if (ok) {
        close(copy);
    }
    return ok;
}

static bool
can_mount_proc(char *detail, size_t size)
{
    bool ok = mount("proc", "/proc", "proc", 0, NULL) == 0;
    snprintf(detail, size, "%s", ok ? "the lab has its own /proc" : "the lab shows the outer /proc");
    return ok;
}

static const struct check {
    const char *name, *purpose;
    bool required;
    bool (*run)(char *detail, size_t size);
    const char *remedy;
    const char *(*find_remedy)(void); /* where it depends on the reason; else NULL */
} checks[] = {
    { "links", "a veth pair for each network interface", true, can_make_links,
      "load the kernel module veth (as root: modprobe veth)", NULL },
    { "forwarding", "the router of each VPC", true, can_write_sysctls,
      "/proc/sys is read-only here: run outside the container, or with --privileged", NULL },
    { "filter", "security groups and network ACLs", true, can_filter,
      "load the kernel modules nf_tables and nf_conntrack (as root: modprobe -a nf_tables nf_conntrack nft_ct)", NULL },
    { "translation", "internet and NAT gateways", true, can_translate,
      "load the kernel module nft_nat (as root: modprobe -a nft_nat nft_chain_nat)", NULL },
    { "flow records", "VPC flow logs", false, can_record_flows, "a kernel with nf_tables dynamic sets (5.2 or later)",
      NULL },
    { "TAP hosts", "labs of thousands of instances (`lab hosts tap`)", false, can_make_taps, NULL, taps_remedy },
    { "files", "instances see the machine's files and change none", true, can_seal_files,
      "Linux 5.12 or later (mount_setattr); in a container, allow mounts", NULL },
    { "own /proc", "`ps` in an instance shows only the lab", false, can_mount_proc,
      "a container runtime that does not mask /proc", NULL },
};

static bool
unshare_all(char *detail, size_t size)
{
    bool ok = unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC) == 0;
    snprintf(detail, size, "%s", ok ? "user, mount, network and PID namespaces" : strerror(errno));
    return ok;
}

/* In the child: every check, results to the pipe. */
static void __attribute__((noreturn)) examine(int out)
{
    struct doctor_finding f = { .required = true };
    uid_t uid = geteuid();
    gid_t gid = getegid();
    f.ok = unshare_all(f.detail, sizeof f.detail);
    if (f.ok) {
        char map[64];
        int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
        f.ok = fd >= 0 && write(fd, map, (size_t)snprintf(map, sizeof map, "0 %u 1", (unsigned)uid)) > 0;
        close(fd);
        fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
        f.ok = f.ok && fd >= 0 && write(fd, "deny", 4) > 0;
        close(fd);
        fd = open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC);
        f.ok = f.ok && fd >= 0 && write(fd, map, (size_t)snprintf(map, sizeof map, "0 %u 1", (unsigned)gid)) > 0;
        close(fd);
        f.ok = f.ok && mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
        if (!f.ok) {
            snprintf(f.detail, sizeof f.detail, "%s", strerror(errno));
        }
    }
    bool go_on = f.ok && write(out, &f, sizeof f) == (ssize_t)sizeof f;
    if (!f.ok) {
        go_on = false;
        if (write(out, &f, sizeof f) < 0) {
            _exit(1);
        }
    }
    /* The first process of a PID namespace must live while /proc is mounted for it. */
    pid_t pid = go_on ? fork() : -1;
    if (pid == 0) {
        for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
            struct doctor_finding g = { 0 };
            g.ok = checks[i].run(g.detail, sizeof g.detail);
            if (write(out, &g, sizeof g) < 0) {
                break;
            }
        }
        _exit(0);
    }
    if (pid > 0) {
        waitpid(pid, NULL, 0);
    }
    _exit(0);
}

size_t
doctor_run(struct doctor_finding findings[static DOCTOR_FINDINGS_MAX])
{
    int fds[2];
    size_t n = 0;
    if (pipe2(fds, O_CLOEXEC) < 0) {
        return 0;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        examine(fds[1]);
    }
    close(fds[1]);
    for (size_t i = 0; i <= ARRAY_SIZE(checks); i++) {
        struct doctor_finding *f = &findings[n];
        *f = (struct doctor_finding){ 0 };
        size_t got = 0;
        while (got < sizeof *f) {
            ssize_t r = read(fds[0], (char *)f + got, sizeof *f - got);
            if (r < 0 && errno == EINTR) {
                continue;
            }
            if (r <= 0) {
                break;
            }
            got += (size_t)r;
        }
        if (got < sizeof *f) {
            *f = (struct doctor_finding){ .ok = false };
            f->untried = true;
            snprintf(f->detail, sizeof f->detail, "needs what is missing above");
        }
        const struct check *c = i ? &checks[i - 1] : NULL;
        f->name = c ? c->name : "namespaces";
        f->purpose = c ? c->purpose : "a network of its own for each instance, without privilege";
        f->required = !c || c->required;
        snprintf(f->remedy, sizeof f->remedy, "%s",
                 f->ok        ? ""
                 : f->untried ? ""
                 : !c         ? userns_remedy()
                 : c->remedy  ? c->remedy
                              : c->find_remedy());
        n++;
    }
    close(fds[0]);
    if (pid > 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    return n;
}

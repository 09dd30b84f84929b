/* The kernel's own switches (sysctl) of a namespace, as its kind and the plan want them. */
#include "netsim/live/apply_switches.h"
#include "netsim/live/live_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct sysctl {
    const char *name, *value;
};
/* A router forwards by its own tables only: no reverse path filter (the source check is ours), no redirects, ARP
 * answered for others.  With rules of its own the kernel looks up the way back of each packet all the same, to see that
 * no sender has one of the router's addresses, unless it may; and a socket for each, which none of them is for. */
static const struct sysctl router_sysctls[] = {
    { "ipv4/ip_forward", "1" },
    { "ipv4/ip_early_demux", "0" },
    { "ipv4/conf/all/accept_local", "1" },
    { "ipv4/conf/all/rp_filter", "0" },
    { "ipv4/conf/default/rp_filter", "0" },
    { "ipv4/conf/all/send_redirects", "0" },
    { "ipv4/conf/default/send_redirects", "0" },
    { "ipv4/conf/default/proxy_arp", "1" },
    { 0 },
};
/* Nodes of balancers and the like, which connect to their targets by themselves. */
static const struct sysctl forward_sysctls[] = {
    { "ipv4/ip_local_port_range", LIVE_PROGRAM_PORTS },
    { "ipv4/ip_forward", "1" },
    { "ipv4/conf/all/rp_filter", "0" },
    { "ipv4/conf/default/rp_filter", "0" },
    { "ipv4/conf/all/send_redirects", "0" },
    { "ipv4/conf/default/send_redirects", "0" },
    { 0 },
};
static const struct sysctl instance_sysctls[] = { { "ipv4/conf/all/rp_filter", "0" },
                                                  { "ipv4/conf/default/rp_filter", "0" },
                                                  { 0 } };
/* An appliance does what its user would have told it with sysctl; one that is no longer one has forgotten. */
static const struct sysctl appliance_sysctls[] = { { "ipv4/ip_forward", "1" },
                                                   { "ipv4/conf/all/accept_local", "1" }, /* its own, by a balancer */
                                                   { "ipv4/conf/all/send_redirects", "0" },
                                                   { "ipv4/conf/default/send_redirects", "0" },
                                                   { 0 } };
static const struct sysctl appliance_off_sysctls[] = { { "ipv4/ip_forward", "0" }, { 0 } };
static const struct sysctl *const kind_sysctls[] = {
    [PLAN_INTERNET] = forward_sysctls, [PLAN_ROUTER] = router_sysctls,     [PLAN_NAT] = forward_sysctls,
    [PLAN_IGW] = forward_sysctls,      [PLAN_INSTANCE] = instance_sysctls, [PLAN_TRANSIT] = forward_sysctls,
    [PLAN_ONPREM] = forward_sysctls,
};
/* Without IPv6 in the model links stay quiet: no link-local address, no solicitation. */
static const struct sysctl ip6_off_sysctls[] = { { "ipv6/conf/default/disable_ipv6", "1" }, { 0 } };
static const struct sysctl ip6_on_sysctls[] = {
    { "ipv6/conf/default/addr_gen_mode", "1" }, { "ipv6/conf/all/accept_ra", "0" },
    { "ipv6/conf/default/accept_ra", "0" },     { "ipv6/conf/all/disable_ipv6", "0" },
    { "ipv6/conf/default/disable_ipv6", "0" },  { 0 },
};
static const struct sysctl ip6_forward_sysctls[] = { { "ipv6/conf/all/forwarding", "1" },
                                                     { "ipv6/conf/default/forwarding", "1" },
                                                     { 0 } };

/* Is it so in every new namespace anyway?  Asked once, of the first: opening files in /proc for each instance would
 * take a third of the time. */
static bool
is_default(struct spaces *spaces, const struct sysctl *s, const char *path)
{
    char *known = map_get(&spaces->defaults, s->name);
    if (!known) {
        char text[16] = "";
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
        if (fd >= 0) {
            close(fd);
        }
        known = xstrndup(text, n > 0 ? strcspn(text, "\n") : 0);
        map_put(&spaces->defaults, s->name, known);
    }
    return strcmp(known, s->value) == 0;
}

/* 'fresh': the namespace was just made. */
static bool
set_sysctls(struct spaces *spaces, const struct sysctl *list, bool fresh, struct err *err)
{
    for (; list->name; list++) {
        char path[96];
        snprintf(path, sizeof path, "/proc/sys/net/%s", list->name);
        if (fresh && is_default(spaces, list, path)) {
            continue;
        }
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool ok = fd >= 0 && write(fd, list->value, strlen(list->value)) > 0;
        int why = errno;
        if (fd >= 0) {
            close(fd);
        }
        if (!ok) {
            err_set(err, ERR_MACHINE, "", "cannot set `%s` to %s: %s", path, list->value, strerror(why));
            return err_hint(err, "%s",
                            why == EROFS
                                ? "/proc/sys is read-only here: run outside the container, or with --privileged"
                                : "`vpclab doctor` tells what this machine can do");
        }
    }
    return true;
}

bool
switch_ip6(struct spaces *spaces, enum plan_kind kind, bool on, bool fresh, struct err *err)
{
    if (kind == PLAN_INSTANCE && (spaces->has_ip6 || !on)) {
        return true; /* link by link, in put_inside(): cheaper by far than a file in /proc for each of a thousand */
    }
    if (!spaces->has_ip6) {
        return !on || err_set(err, ERR_MACHINE, "", "this kernel has no IPv6, which the network uses");
    }
    return set_sysctls(spaces, on ? ip6_on_sysctls : ip6_off_sysctls, fresh, err) &&
           (!on || kind == PLAN_INSTANCE || set_sysctls(spaces, ip6_forward_sysctls, fresh, err));
}

static const struct sysctl ip6_forward_off_sysctls[] = { { "ipv6/conf/all/forwarding", "0" }, { 0 } };

bool
switch_forwards(struct spaces *spaces, const struct plan_ns *ns, bool fresh, struct err *err)
{
    if (fresh && !ns->forwards) {
        return true;
    }
    return set_sysctls(spaces, ns->forwards ? appliance_sysctls : appliance_off_sysctls, fresh, err) &&
           (!ns->ip6 || !spaces->has_ip6 ||
            set_sysctls(spaces, ns->forwards ? ip6_forward_sysctls : ip6_forward_off_sysctls, fresh, err));
}

bool
switch_kind(struct spaces *spaces, enum plan_kind kind, struct err *err)
{
    return set_sysctls(spaces, kind_sysctls[kind], true, err);
}

bool
switch_programs(struct err *err)
{
    static const struct sysctl ports[] = { { "ipv4/ip_local_port_range", LIVE_PROGRAM_PORTS }, { 0 } };
    return set_sysctls(NULL, ports, false, err);
}

#include "netsim/live/trace_rule.h"

#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/live_internal.h"
#include "netsim/live/meter.h"

static int
find_tracking(struct nftnl_expr *expr, void *data)
{
    const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
    *(bool *)data |= name && strcmp(name, "ct") == 0;
    return 0;
}

static int
take_rule(const struct nlmsghdr *h, void *data)
{
    struct trace_rule *wanted = data;
    struct nftnl_rule *rule = nftnl_rule_alloc();
    bool tracked = false;
    if (rule && nftnl_rule_nlmsg_parse(h, rule) == 0) {
        const char *comment = live_rule_comment(rule);
        nftnl_expr_foreach(rule, find_tracking, &tracked);
        if (comment) {
            snprintf(wanted->comment, sizeof wanted->comment, "%s", comment);
            live_rule_name(wanted->chain, comment, wanted->name);
        } else if (tracked && (strncmp(wanted->chain, "f_sg_", 5) == 0 || strcmp(wanted->chain, "f_stages") == 0)) {
            snprintf(wanted->name, sizeof wanted->name, "tracked");
        }
    }
    nftnl_rule_free(rule);
    return MNL_CB_OK;
}

void
trace_rule_ask(const struct live *live, const struct plan_ns *ns, uint64_t handle, struct trace_rule *wanted)
{
    char buffer[8192] __attribute__((aligned(8)));
    spaces_enter(&live->spaces, spaces_find(&live->spaces, ns->id));
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    spaces_go_home(&live->spaces);
    struct nftnl_rule *rule = nftnl_rule_alloc();
    struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, NFPROTO_INET, 0, 1);
    nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, "vpc");
    nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, wanted->chain);
    nftnl_rule_set_u64(rule, NFTNL_RULE_HANDLE, handle);
    nftnl_rule_nlmsg_build_payload(h, rule);
    nftnl_rule_free(rule);
    ssize_t n = fd >= 0 && send(fd, h, h->nlmsg_len, 0) > 0 ? recv(fd, buffer, sizeof buffer, 0) : -1;
    if (n > 0) {
        mnl_cb_run(buffer, (size_t)n, 1, 0, take_rule, wanted);
    }
    if (fd >= 0) {
        close(fd);
    }
}

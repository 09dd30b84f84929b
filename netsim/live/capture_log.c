#include "netsim/live/capture_log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"

#define FIRST_GROUP 970 /* of the kernel's packet log; any number would do */

struct capture_log {
    int fd, number; /* of the chain, from 1 */
    struct nft_ctx *nft;
};

/* ---- the router's chain -------------------------------------------------------------------------------------------
 */
static bool
set_chain(struct capture_log *log, bool on, struct err *err)
{
    char text[256];
    int size = snprintf(text, sizeof text, "flush chain inet vpc fl_log_%d\n", log->number);
    if (on) {
        snprintf(text + size, sizeof text - (size_t)size,
                 "add rule inet vpc fl_log_%d log group %d queue-threshold 1\n", log->number,
                 FIRST_GROUP + log->number);
    }
    if (nft_run_cmd_from_buffer(log->nft, text) == 0) {
        return true;
    }
    err_set(err, ERR_MACHINE, "", "the router cannot log what it refuses: %.120s", nft_ctx_get_error_buffer(log->nft));
    return err_hint(err, "the kernel needs nfnetlink_log; `--no-verdicts` captures without");
}

/* ---- binding ------------------------------------------------------------------------------------------------------
 */
static struct nlmsghdr *
config_message(char *buffer, int group)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
    g->nfgen_family = AF_UNSPEC;
    g->version = NFNETLINK_V0;
    g->res_id = htons((uint16_t)group);
    return h;
}

/* 0, or the kernel's errno. */
static int
talk(int fd, const struct nlmsghdr *h)
{
    char buffer[8192];
    if (send(fd, h, h->nlmsg_len, 0) < 0) {
        return errno;
    }
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    const struct nlmsghdr *answer = (const struct nlmsghdr *)buffer;
    if (n < (ssize_t)sizeof *answer) {
        return EIO;
    }
    const struct nlmsgerr *e = mnl_nlmsg_get_payload(answer);
    return answer->nlmsg_type == NLMSG_ERROR ? -e->error : 0;
}

static int
bind_group(int fd, int group)
{
    char buffer[256];
    struct nlmsghdr *h = config_message(buffer, group);
    struct nfulnl_msg_config_cmd bind = { .command = NFULNL_CFG_CMD_BIND };
    struct nfulnl_msg_config_mode mode = { .copy_mode = NFULNL_COPY_PACKET, .copy_range = htonl(0xffff) };
    mnl_attr_put(h, NFULA_CFG_CMD, sizeof bind, &bind);
    int status = talk(fd, h);
    if (status == 0) {
        h = config_message(buffer, group);
        mnl_attr_put(h, NFULA_CFG_MODE, sizeof mode, &mode);
        status = talk(fd, h);
    }
    return status;
}

struct capture_log *
capture_log_open(struct err *err)
{
    struct capture_log *log = xcalloc(1, sizeof *log);
    int status = 0, size = 4 << 20;
    log->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    for (int i = 1; i <= PLAN_LOG_GROUPS && log->fd >= 0 && !log->number; i++) {
        status = bind_group(log->fd, FIRST_GROUP + i);
        log->number = status == 0 ? i : 0;
        if (status != 0 && status != EBUSY && status != EPERM) { /* EPERM: another process has it */
            break;
        }
    }
    if (!log->number) {
        err_set(err, ERR_MACHINE, "", "cannot listen to what the router refuses: %s",
                status == EBUSY || status == EPERM ? "four captures with verdicts run in this VPC already"
                                                   : strerror(status ? status : errno));
        err_hint(err, "`--no-verdicts` captures without");
        capture_log_close(log);
        return NULL;
    }
    setsockopt(log->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    int flags = fcntl(log->fd, F_GETFL);
    fcntl(log->fd, F_SETFL, flags | O_NONBLOCK);
    log->nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (log->nft) {
        nft_ctx_buffer_error(log->nft);
        nft_ctx_buffer_output(log->nft);
    }
    if (!log->nft || !set_chain(log, true, err)) {
        capture_log_close(log);
        return NULL;
    }
    return log;
}

void
capture_log_close(struct capture_log *log)
{
    if (!log) {
        return;
    }
    if (log->nft) {
        set_chain(log, false, NULL);
        nft_ctx_free(log->nft);
    }
    if (log->fd >= 0) {
        close(log->fd);
    }
    free(log);
}

int
capture_log_fd(const struct capture_log *log)
{
    return log ? log->fd : -1;
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */
struct reading {
    capture_on_refusal *each;
    void *context;
};

static int
take_message(const struct nlmsghdr *h, void *data)
{
    const struct reading *reading = data;
    struct capture_refusal r = { 0 };
    const struct nlattr *attribute;
    if (h->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET)) {
        return MNL_CB_OK;
    }
    mnl_attr_for_each(attribute, h, sizeof(struct nfgenmsg))
    {
        switch (mnl_attr_get_type(attribute)) {
        case NFULA_MARK:
            r.refusal = ntohl(mnl_attr_get_u32(attribute));
            break;
        case NFULA_IFINDEX_INDEV:
            r.in_index = ntohl(mnl_attr_get_u32(attribute));
            break;
        case NFULA_IFINDEX_OUTDEV:
            r.out_index = ntohl(mnl_attr_get_u32(attribute));
            break;
        case NFULA_PAYLOAD:
            r.packet = mnl_attr_get_payload(attribute);
            r.size = mnl_attr_get_payload_len(attribute);
            break;
        default:
            break;
        }
    }
    if (r.packet) {
        reading->each(reading->context, &r);
    }
    return MNL_CB_OK;
}

void
capture_log_read(struct capture_log *log, capture_on_refusal *each, void *context)
{
    struct reading reading = { each, context };
    static char buffer[1 << 17] __attribute__((aligned(8)));
    ssize_t n;
    while (log && (n = recv(log->fd, buffer, sizeof buffer, 0)) > 0) {
        mnl_cb_run(buffer, (size_t)n, 0, 0, take_message, &reading);
    }
}

/* ---- links --------------------------------------------------------------------------------------------------------
 */
uint32_t
capture_peer_index(const char *link)
{
    char buffer[16384] __attribute__((aligned(8)));
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    h->nlmsg_type = RTM_GETLINK;
    h->nlmsg_flags = NLM_F_REQUEST;
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(h, sizeof *info);
    uint32_t index = 0;
    info->ifi_family = AF_UNSPEC;
    mnl_attr_put_strz(h, IFLA_IFNAME, link);
    ssize_t n = fd >= 0 && send(fd, h, h->nlmsg_len, 0) > 0 ? recv(fd, buffer, sizeof buffer, 0) : -1;
    const struct nlattr *attribute;
    h = (struct nlmsghdr *)buffer;
    if (n > (ssize_t)sizeof *h && mnl_nlmsg_ok(h, (int)n) && h->nlmsg_type == RTM_NEWLINK) {
        mnl_attr_for_each(attribute, h, sizeof *info)
        {
            if (mnl_attr_get_type(attribute) == IFLA_LINK) {
                index = mnl_attr_get_u32(attribute);
            }
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return index;
}

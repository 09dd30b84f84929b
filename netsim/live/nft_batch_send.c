/* The other half of nft_batch.h: transactions of it, and what the kernel says. */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "netsim/live/netlink.h"
#include "netsim/live/nft_batch.h"

#define WANTED_BUFFER (4 << 20)

int
nft_batch_socket(size_t *limit)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), size = WANTED_BUFFER;
    socklen_t length = sizeof size;
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* as much as a plain user may */
    }
    int on = 1;
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    *limit = getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) < 0 ? 65536 : (size_t)size - 256;
    return nlq_high_fd(fd);
}

/* The kernel has worked when the call returns; it answers refusals only. */
static bool
send_one(int fd, const struct buf *transaction)
{
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    if (sendto(fd, transaction->data, transaction->size, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0) {
        return false;
    }
    char answer[8192] __attribute__((aligned(8)));
    int why = 0;
    for (ssize_t n; (n = recv(fd, answer, sizeof answer, MSG_DONTWAIT)) != 0;) {
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            why = errno == EAGAIN || why ? why : errno; /* ENOBUFS: so many refusals that there was no room */
            break;
        }
        const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
        for (size_t left = (size_t)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
            const struct nlmsgerr *e = NLMSG_DATA(h);
            if (h->nlmsg_type == NLMSG_ERROR && e->error && !why) {
                why = -e->error;
            }
        }
    }
    errno = why;
    return why == 0;
}

static void
bracket(struct buf *out, int type)
{
    size_t at = out->size;
    nft_batch_message(out, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    ((struct nlmsghdr *)(out->data + at))->nlmsg_len = (uint32_t)(out->size - at);
}

bool
nft_batch_send(const struct nft_batch *batch, int fd, size_t limit, bool may_split, bool *torn)
{
    const size_t brackets = 2 * (NLMSG_HDRLEN + sizeof(struct nfgenmsg));
    bool ok = true;
    *torn = false;
    if (!may_split && batch->data.size + brackets > limit) {
        errno = EMSGSIZE;
        return false;
    }
    for (size_t i = 0, start = 0; ok && i < batch->starts.n; start = i < batch->starts.n ? batch->starts.items[i] : 0) {
        size_t stop = start;
        for (; i < batch->starts.n; i++) {
            size_t next = i + 1 < batch->starts.n ? batch->starts.items[i + 1] : batch->data.size;
            if (stop > start && next - start + brackets > limit) {
                break;
            }
            stop = next;
        }
        struct buf transaction = { 0 };
        bracket(&transaction, NFNL_MSG_BATCH_BEGIN);
        buf_add(&transaction, batch->data.data + start, stop - start);
        bracket(&transaction, NFNL_MSG_BATCH_END);
        ok = send_one(fd, &transaction);
        *torn = !ok && start > 0;
        buf_done(&transaction);
    }
    return ok;
}

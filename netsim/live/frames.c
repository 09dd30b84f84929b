#include "netsim/live/frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/netlink.h"
#include "netsim/live/packet_bytes.h"

#define VNET sizeof(struct virtio_net_hdr)
_Static_assert(FRAMES_BUFFER_SIZE >= sizeof(struct virtio_net_hdr) + ETH_HLEN + 65536, "a whole packet must fit");

int
frames_open(uint32_t link)
{
    int one = 1, size = 4 << 20;
    /* Bound only when it is set up: nothing comes before its header does. */
    int fd = nlq_high_fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    struct sockaddr_ll from = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)link };
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&from, sizeof from) < 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* The sender's kernel left the checksum to a device that would have computed it. */
static void
complete_checksum(const struct virtio_net_hdr *head, uint8_t *frame, size_t size)
{
    size_t start = head->csum_start, at = start + head->csum_offset;
    if ((head->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) && at + 2 <= size) {
        unsigned sum = fold(sum16(frame + start, size - start, 0));
        put16(frame + at, sum ? sum : 0xffff);
    }
}

bool
frames_take(int fd, uint8_t *buffer, uint32_t *link, uint8_t **packet, size_t *size)
{
    struct sockaddr_ll from = { 0 };
    socklen_t from_size = sizeof from;
    *size = 0;
    ssize_t n = recvfrom(fd, buffer, FRAMES_BUFFER_SIZE, MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
    if (n < 0) {
        return errno == EINTR;
    }
    struct virtio_net_hdr head;
    unsigned type = ntohs(from.sll_protocol);
    uint8_t *frame = buffer + VNET;
    if ((size_t)n <= VNET + ETH_HLEN || (type != ETH_P_IP && type != ETH_P_IPV6) || (from.sll_pkttype != PACKET_HOST && from.sll_pkttype != PACKET_OTHERHOST)) {
        return true;
    }
    memcpy(&head, buffer, sizeof head);
    if (head.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
        return true; /* links of the plan cut such packets before they come here */
    }
    complete_checksum(&head, frame, (size_t)n - VNET);
    *link = (uint32_t)from.sll_ifindex;
    *packet = frame + ETH_HLEN;
    *size = (size_t)n - VNET - ETH_HLEN;
    return true;
}

void
frames_send(int fd, uint32_t link, const uint8_t mac[6], const uint8_t *packet, size_t size)
{
    struct virtio_net_hdr plain = { 0 };
    uint8_t ether[ETH_HLEN] = { 0 };
    unsigned type = packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
    memcpy(ether, mac, 6);
    memcpy(ether + 6, mac, 6);
    put16(ether + 12, type);
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)link, .sll_protocol = htons((uint16_t)type), .sll_halen = 6
    };
    memcpy(to.sll_addr, mac, 6);
    struct iovec parts[] = { { &plain, sizeof plain }, { ether, sizeof ether }, { (void *)packet, size } };
    struct msghdr message = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = parts, .msg_iovlen = 3 };
    ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT);
    (void)sent;
}

#include "netsim/live/keeper_wire.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/vec.h"

#define WIRE_LIMIT (64u << 20)

static bool
send_all(int fd, const void *data, size_t size)
{
    const char *p = data;
    while (size) {
        ssize_t n = send(fd, p, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static bool
receive_all(int fd, void *data, size_t size)
{
    char *p = data;
    while (size) {
        ssize_t n = recv(fd, p, size, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        p += n;
        size -= (size_t)n;
    }
    return true;
}

bool
wire_send(int fd, const struct keeper_message *message, struct err *err)
{
    struct buf text = { 0 };
    json_write_compact(message->json, &text);
    uint32_t size = (uint32_t)text.size;
    unsigned char head[4] = { size & 255, size >> 8 & 255, size >> 16 & 255, size >> 24 };

    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * KEEPER_FDS_MAX)];
    } control = { 0 };
    struct iovec iov = { head, sizeof head };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    if (message->n_fds) {
        size_t fds_size = sizeof(int) * (size_t)message->n_fds;
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(fds_size);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fds_size);
        memcpy(CMSG_DATA(c), message->fds, fds_size);
    }
    ssize_t n;
    do {
        n = sendmsg(fd, &msg, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    bool ok = n > 0 && send_all(fd, head + n, sizeof head - (size_t)n) && send_all(fd, text.data, text.size);
    buf_done(&text);
    return ok || err_set(err, ERR_MACHINE, "", "the other end of the lab's socket hung up");
}

bool
wire_receive(int fd, struct keeper_message *message, struct err *err)
{
    unsigned char head[4];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * KEEPER_FDS_MAX)];
    } control;
    struct iovec iov = { head, sizeof head };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control
    };
    ssize_t n;
    do {
        n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return err_set(err, ERR_MACHINE, "", "the lab's keeper closed the connection without an answer");
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            message->n_fds = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(message->fds, CMSG_DATA(c), sizeof(int) * (size_t)message->n_fds);
        }
    }
    if (!receive_all(fd, head + n, sizeof head - (size_t)n)) {
        return err_set(err, ERR_MACHINE, "", "the lab's socket broke in the middle of a message");
    }
    uint32_t size = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
    if (size > WIRE_LIMIT) {
        return err_set(err, ERR_MACHINE, "", "a message of %u bytes on the lab's socket is too large", size);
    }
    char *text = xmalloc(size + 1);
    text[size] = '\0';
    bool ok = receive_all(fd, text, size);
    if (!ok) {
        err_set(err, ERR_MACHINE, "", "the lab's socket broke in the middle of a message");
    } else {
        message->json = json_read(text, size, "lab socket", err);
        ok = message->json && json_is_object(message->json);
        if (!ok) {
            err_set(err, ERR_MACHINE, "", "a message on the lab's socket is not a JSON object");
        }
    }
    free(text);
    return ok;
}

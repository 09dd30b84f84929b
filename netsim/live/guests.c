#include "netsim/live/guests.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "netsim/live/doctor.h"

#define PATIENCE_MS 10000

struct guests {
    pid_t maker;
    int link; /* SOCK_SEQPACKET to the maker */
    int user_fd;
};
enum wish { WISH_NET = 'n', WISH_PROCESSES = 'p' };
/* Two records answer WISH_PROCESSES: the maker knows the process, and the process its namespace. */
struct answer {
    int fd;    /* -1: none in this record */
    pid_t pid; /* 0: none in this record */
    int why;   /* errno; 0: it worked */
};

/* ---- the maker ----------------------------------------------------------------------------------------------------
 * A fork of the keeper with its memory, hence never dumpable: nothing in an instance may look into it. */
static void
say(int link, int fd, pid_t pid, int why)
{
    const struct answer answer = { fd, pid, why };
    if (send(link, &answer, sizeof answer, MSG_NOSIGNAL) < 0) {
        _exit(1);
    }
}

static void
say_namespace(int link, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    say(link, fd, 0, fd < 0 ? errno : 0);
}

/* fork() without the C library's work around it, which threads of the keeper could hold up. */
static pid_t
fork_sharing_descriptors(unsigned long flags)
{
    return (pid_t)syscall(SYS_clone, flags | CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
}

static void __attribute__((noreturn)) be_init(int link)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    say_namespace(link, "/proc/self/ns/pid");
    /* Its own, empty table: a lock or a socket must not live on in it. */
    if (unshare(CLONE_FILES) < 0 || syscall(SYS_close_range, 0U, ~0U, 0U) < 0) {
        _exit(1);
    }
    setsid();
    for (;;) {
        pause();
    }
}

static void __attribute__((noreturn)) be_maker(int link)
{
    char self[24] = "";
    int why = unshare(CLONE_NEWUSER) < 0 ? errno : 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    /* The number as /proc shows it, which may be the outer one's. */
    if (readlink("/proc/self", self, sizeof self - 1) < 0) {
        why = why ? why : errno;
    }
    say(link, -1, (pid_t)atoi(self), why);
    char wish;
    while (recv(link, &wish, 1, 0) == 1) {
        prctl(PR_SET_DUMPABLE, 0);
        if (wish == WISH_NET) {
            if (unshare(CLONE_NEWNET) < 0) {
                say(link, -1, 0, errno);
            } else {
                say_namespace(link, "/proc/self/ns/net");
            }
        } else {
            pid_t pid = fork_sharing_descriptors(CLONE_NEWPID);
            if (pid == 0) {
                be_init(link);
            }
            say(link, -1, pid < 0 ? 0 : pid, pid < 0 ? errno : 0);
        }
    }
    _exit(0);
}

/* ---- the keeper's side --------------------------------------------------------------------------------------------
 */
static bool
hear(struct guests *guests, struct answer *answer)
{
    /* The maker's end of the socket is in our table too, so its death does not close it. */
    struct pollfd p = { .fd = guests->link, .events = POLLIN };
    int n;
    while ((n = poll(&p, 1, PATIENCE_MS)) < 0 && errno == EINTR) {
    }
    if (n <= 0) {
        errno = n == 0 ? ETIMEDOUT : errno;
        return false;
    }
    if (recv(guests->link, answer, sizeof *answer, 0) != (ssize_t)sizeof *answer) {
        errno = EPROTO;
        return false;
    }
    errno = answer->why;
    return answer->why == 0;
}

static bool
ask(struct guests *guests, enum wish wish)
{
    char byte = (char)wish;
    return send(guests->link, &byte, 1, MSG_NOSIGNAL) == 1;
}

static bool
write_map(pid_t pid, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int why = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = why;
    return ok;
}

/* Guests have the ids that the lab has: all of them, or root only. */
static bool
map_ids(pid_t pid)
{
    static const char *const files[] = { "uid_map", "gid_map" };
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (!write_map(pid, files[i], "0 0 4294967295") && !write_map(pid, files[i], "0 0 1")) {
            return false;
        }
    }
    return true;
}

static bool
meet(struct guests *guests)
{
    struct answer hello;
    char path[64];
    if (guests->maker < 0 || !hear(guests, &hello) || !map_ids(hello.pid)) {
        return false;
    }
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)hello.pid);
    guests->user_fd = open(path, O_RDONLY | O_CLOEXEC);
    return guests->user_fd >= 0;
}

struct guests *
guests_new(struct err *err)
{
    struct guests *guests = xcalloc(1, sizeof *guests);
    int link[2];
    guests->user_fd = guests->maker = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0) {
        err_set(err, ERR_MACHINE, "", "cannot open a socket pair: %s", strerror(errno));
        free(guests);
        return NULL;
    }
    guests->link = link[0];
    guests->maker = fork_sharing_descriptors(0);
    if (guests->maker == 0) {
        be_maker(link[1]);
    }
    if (!meet(guests)) {
        err_set(err, ERR_MACHINE, "", "cannot make a user namespace for the instances: %s", strerror(errno));
        doctor_explain_userns(err);
        close(link[1]);
        guests_free(guests);
        return NULL;
    }
    /* link[1] stays open: it is the maker's too. */
    return guests;
}

void
guests_free(struct guests *guests)
{
    if (!guests) {
        return;
    }
    if (guests->maker > 0) {
        kill(guests->maker, SIGKILL);
        while (waitpid(guests->maker, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close(guests->link);
    if (guests->user_fd >= 0) {
        close(guests->user_fd);
    }
    free(guests);
}

int
guests_user(const struct guests *guests)
{
    return guests->user_fd;
}

int
guests_net(struct guests *guests)
{
    struct answer answer;
    return ask(guests, WISH_NET) && hear(guests, &answer) ? answer.fd : -1;
}

int
guests_processes(struct guests *guests, pid_t *init)
{
    int fd = -1;
    *init = 0;
    if (!ask(guests, WISH_PROCESSES)) {
        return -1;
    }
    while (fd < 0 || *init == 0) {
        struct answer answer;
        if (!hear(guests, &answer)) {
            int why = errno;
            if (*init > 0) {
                kill(*init, SIGKILL);
            }
            if (fd >= 0) {
                close(fd);
            }
            errno = why;
            return -1;
        }
        fd = answer.fd >= 0 ? answer.fd : fd;
        *init = answer.pid > 0 ? answer.pid : *init;
    }
    return fd;
}

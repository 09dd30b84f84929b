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
#include "netsim/live/guest_files.h"
#include "netsim/live/netlink.h"

#define PATIENCE_MS 10000

struct guests {
    pid_t maker;
    int link; /* SOCK_SEQPACKET to the maker */
    int user_fd;
    int of_maker[3]; /* its end of the link, its /proc, its network: they stand in the keeper's table too, and outlive
                        it */
    size_t ordered, asked; /* namespaces: still to be asked for, and asked for but not taken */
};
struct wish {
    enum { WISH_MAPPED, WISH_NET, WISH_GUEST } kind;
    int net_fd;
};
/* WISH_GUEST has two answers: the maker knows the process, and the process its namespaces. */
struct answer {
    int fds[2]; /* -1: none in this record */
    pid_t pid;  /* 0: none in this record */
    int why;    /* errno; 0: it worked */
};

/* ---- the maker ----------------------------------------------------------------------------------------------------
 * A fork of the keeper with its memory, hence never dumpable: nothing in an instance may look into it. */
static void
say(int link, const struct answer *answer)
{
    if (send(link, answer, sizeof *answer, MSG_NOSIGNAL) < 0) {
        _exit(1);
    }
}

static int
open_own(int proc, const char *path, struct answer *answer)
{
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    answer->why = fd < 0 ? errno : answer->why;
    return fd;
}

/* fork() without the C library's work around it, which threads of the keeper could hold up. */
static pid_t
fork_sharing_descriptors(unsigned long flags)
{
    return (pid_t)syscall(SYS_clone, flags | CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
}

static void __attribute__((noreturn)) be_init(int link, int net_fd)
{
    struct answer answer = { .fds = { -1, -1 } };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setns(net_fd, CLONE_NEWNET) < 0 || unshare(CLONE_NEWNS) < 0 || !guest_files_own()) {
        answer.why = errno;
    } else {
        answer.fds[0] = open_own(AT_FDCWD, "/proc/self/ns/pid", &answer);
        answer.fds[1] = open_own(AT_FDCWD, "/proc/self/ns/mnt", &answer);
    }
    say(link, &answer);
    /* Its own, empty table: a lock or a socket must not live on in it. */
    if (answer.why || unshare(CLONE_FILES) < 0 || syscall(SYS_close_range, 0U, ~0U, 0U) < 0) {
        _exit(1);
    }
    setsid();
    for (;;) {
        pause();
    }
}

static void
grant(int link, int proc, int *home, const struct wish *wish)
{
    struct answer answer = { .fds = { -1, -1 } };
    if (wish->kind == WISH_MAPPED) {
        answer.why = guests_become_root() && unshare(CLONE_NEWNET) == 0 ? 0 : errno;
        answer.fds[0] = *home = open_own(proc, "self/ns/net", &answer);
        prctl(PR_SET_DUMPABLE, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    } else if (wish->kind == WISH_NET) {
        if (unshare(CLONE_NEWNET) < 0) {
            answer.why = errno;
        } else {
            answer.fds[0] = nlq_high_fd(open_own(proc, "self/ns/net", &answer));
            setns(*home, CLONE_NEWNET); /* who stays inside keeps it */
        }
    } else {
        pid_t pid = fork_sharing_descriptors(CLONE_NEWPID);
        if (pid == 0) {
            be_init(link, wish->net_fd);
        }
        answer.pid = pid < 0 ? 0 : pid;
        answer.why = pid < 0 ? errno : 0;
        if (pid < 0) {
            say(link, &answer); /* for the process that there is not */
        }
    }
    say(link, &answer);
}

static void __attribute__((noreturn)) be_maker(int link)
{
    struct answer hello = { .fds = { -1, -1 } };
    char self[24] = "";
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC); /* ours, where the guests' is sealed */
    /* The number as /proc shows it, which may be the outer one's. */
    if (readlink("/proc/self", self, sizeof self - 1) < 0 || unshare(CLONE_NEWNS) < 0 || !guest_files_seal() ||
        unshare(CLONE_NEWUSER) < 0) {
        hello.why = errno;
    }
    signal(SIGCHLD, SIG_IGN);
    hello.pid = (pid_t)atoi(self);
    hello.fds[0] = proc;
    say(link, &hello);
    struct wish wish;
    int home = -1; /* a network of nobody's */
    while (recv(link, &wish, sizeof wish, 0) == (ssize_t)sizeof wish) {
        grant(link, proc, &home, &wish);
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
ask(struct guests *guests, const struct wish *wish)
{
    return send(guests->link, wish, sizeof *wish, MSG_NOSIGNAL) == (ssize_t)sizeof *wish;
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

/* A lab of root's gives its guests ids of nobody; a plain user has one id to give. */
static bool
map_ids(pid_t pid)
{
    static const char *const files[] = { "uid_map", "gid_map" };
    char many[64];
    snprintf(many, sizeof many, "0 %u 65536", (unsigned)GUESTS_FIRST_ID);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (!write_map(pid, files[i], many) && !write_map(pid, files[i], "0 0 1")) {
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
    bool heard = guests->maker >= 0 && hear(guests, &hello);
    guests->of_maker[1] = heard ? hello.fds[0] : -1;
    if (!heard || !map_ids(hello.pid)) {
        return false;
    }
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)hello.pid);
    guests->user_fd = open(path, O_RDONLY | O_CLOEXEC);
    heard = guests->user_fd >= 0 && ask(guests, &(struct wish){ .kind = WISH_MAPPED }) && hear(guests, &hello);
    guests->of_maker[2] = heard ? hello.fds[0] : -1;
    return heard;
}

struct guests *
guests_new(struct err *err)
{
    struct guests *guests = xcalloc(1, sizeof *guests);
    int link[2];
    guests->user_fd = guests->maker = -1;
    guests->of_maker[1] = guests->of_maker[2] = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0) {
        err_set(err, ERR_MACHINE, "", "cannot open a socket pair: %s", strerror(errno));
        free(guests);
        return NULL;
    }
    guests->link = link[0];
    guests->of_maker[0] = link[1];
    guests->maker = fork_sharing_descriptors(0);
    if (guests->maker == 0) {
        be_maker(link[1]);
    }
    if (!meet(guests)) {
        err_set(err, ERR_MACHINE, "", "cannot make a user namespace for the instances: %s", strerror(errno));
        doctor_explain_userns(err);
        guests_free(guests);
        return NULL;
    }
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
    for (size_t i = 0; i < ARRAY_SIZE(guests->of_maker); i++) {
        if (guests->of_maker[i] >= 0) {
            close(guests->of_maker[i]);
        }
    }
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

/* As many wishes as the maker's queue takes: whoever waited for room there could wait for one who waits for him. */
static void
ask_ahead(struct guests *guests)
{
    const struct wish wish = { .kind = WISH_NET };
    while (guests->ordered &&
           send(guests->link, &wish, sizeof wish, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof wish) {
        guests->ordered--;
        guests->asked++;
    }
}

void
guests_order(struct guests *guests, size_t n)
{
    guests->ordered += n;
    ask_ahead(guests);
}

int
guests_net(struct guests *guests)
{
    struct answer answer;
    if (!guests->asked && !guests->ordered) {
        guests->ordered = 1;
    }
    ask_ahead(guests);
    guests->asked -= guests->asked > 0;
    return hear(guests, &answer) ? answer.fds[0] : -1;
}

void
guests_cancel(struct guests *guests)
{
    guests->ordered = 0;
    while (guests->asked) {
        int fd = guests_net(guests);
        if (fd >= 0) {
            close(fd);
        }
    }
}

bool
guests_settle(struct guests *guests, int net_fd, struct guest *guest)
{
    *guest = (struct guest){ .processes = -1, .files = -1 };
    int why = 0;
    if (!ask(guests, &(struct wish){ .kind = WISH_GUEST, .net_fd = net_fd })) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        struct answer answer = { .fds = { -1, -1 } };
        if (!hear(guests, &answer)) {
            why = errno;
        }
        guest->init = answer.pid > 0 ? answer.pid : guest->init;
        guest->processes = answer.fds[0] >= 0 ? answer.fds[0] : guest->processes;
        guest->files = answer.fds[1] >= 0 ? answer.fds[1] : guest->files;
    }
    if (why) {
        guest_leave(guest);
        errno = why;
    }
    return !why;
}

void
guest_leave(struct guest *guest)
{
    if (guest->init > 0) {
        kill(guest->init, SIGKILL);
    }
    if (guest->processes >= 0) {
        close(guest->processes);
    }
    if (guest->files >= 0) {
        close(guest->files);
    }
    *guest = (struct guest){ .processes = -1, .files = -1 };
}

/* System calls of this very thread: a fork of the maker's kind has none of the threads that the C library would tell.
 */
bool
guests_become_root(void)
{
    if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM) {
        return false; /* a plain user's lab forbids it */
    }
    return syscall(SYS_setresgid, 0, 0, 0) == 0 && syscall(SYS_setresuid, 0, 0, 0) == 0;
}

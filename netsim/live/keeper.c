#include "netsim/live/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "base/vec.h"
#include "netsim/live/doctor.h"
#include "netsim/live/guests.h"
#include "netsim/live/keeper_wire.h"

#define YOUNG_S 60 /* of a socket that nobody listens at yet, perhaps */

/* What the forked side tells the caller while it starts; one SOCK_SEQPACKET record each. */
enum status_kind { STATUS_UNSHARED = 1, STATUS_PROGRESS, STATUS_READY, STATUS_FAILED };
struct status {
    enum status_kind kind;
    size_t done, total;
    char what[64];
    struct err err;
};

/* ---- the socket --- ------------------------------------------------------------------------------------
 */
static bool
socket_address(const char *path, struct sockaddr_un *address, struct err *err)
{
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address->sun_path) {
        return err_set(err, ERR_MACHINE, "", "the socket path `%s` is too long", path);
    }
    strcpy(address->sun_path, path);
    return true;
}

/* The directory of sockets, without which there is none; the caller frees it. */
static char *
parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
}

/* The directory goes with the last socket in it: nothing of ours stays. */
static void
remove_socket(const char *path)
{
    char *directory = parent_of(path);
    unlink(path);
    rmdir(directory);
    free(directory);
}

/* ---- the calling side ---------------------------------------------------------------------------------------------
 */
static int
connect_keeper(const char *path, struct err *err)
{
    struct sockaddr_un address;
    if (!socket_address(path, &address, err)) {
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        err_set(err, ERR_MACHINE, "", "cannot open a Unix socket: %s", strerror(errno));
        return -1;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int why = errno;
        close(fd);
        if (why == ECONNREFUSED) {
            remove_socket(path); /* its keeper is dead: the kernel has already taken everything else away */
        }
        err_set(err, ERR_MACHINE, "", "the lab is not live (%s)", strerror(why));
        err_hint(err, "start it with `vpclab up`");
        return -1;
    }
    return fd;
}

bool
keeper_is_alive(const char *socket_path)
{
    int fd = connect_keeper(socket_path, NULL);
    if (fd < 0) {
        return false;
    }
    close(fd);
    return true;
}

void
keeper_message_done(struct keeper_message *message)
{
    json_decref(message->json);
    for (int i = 0; i < message->n_fds; i++) {
        close(message->fds[i]);
    }
    *message = (struct keeper_message){ 0 };
}

bool
keeper_call(const char *socket_path, const struct keeper_message *request, struct keeper_message *reply,
            struct err *err)
{
    *reply = (struct keeper_message){ 0 };
    int fd = connect_keeper(socket_path, err);
    if (fd < 0) {
        return false;
    }
    bool ok = wire_send(fd, request, err) && wire_receive(fd, reply, err);
    if (!ok) {
        keeper_message_done(reply);
    }
    close(fd);
    return ok;
}

bool
keeper_stop(const char *socket_path, struct err *err)
{
    int fd = connect_keeper(socket_path, err);
    if (fd < 0) {
        return false;
    }
    struct ucred peer = { 0 };
    socklen_t size = sizeof peer;
    int pidfd = -1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0) {
        pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    }
    struct keeper_message request = { .json = json_pack("{s:b}", "stop", 1) }, reply = { 0 };
    bool ok = wire_send(fd, &request, err) && wire_receive(fd, &reply, err);
    keeper_message_done(&request);
    keeper_message_done(&reply);
    if (ok && pidfd >= 0) {
        /* A PID namespace's first process is reported dead only after every other process in it is. */
        struct pollfd p = { .fd = pidfd, .events = POLLIN };
        while (poll(&p, 1, 10000) < 0 && errno == EINTR) {
        }
    } else if (ok) {
        char byte;
        while (recv(fd, &byte, 1, 0) > 0) {
        }
    }
    if (pidfd >= 0) {
        close(pidfd);
    }
    close(fd);
    return ok;
}

bool
keeper_reply_namespaces(struct keeper_message *reply, int net_fd, const struct guest *guest, int guest_user,
                        struct err *err)
{
    static const char *const files[] = { "/proc/self/ns/user", "/proc/self/ns/mnt", "/proc/self/ns/pid" };
    const int given[KEEPER_NAMESPACES] = { -1,     -1,         guest ? guest->processes : -1,
                                           net_fd, guest_user, guest ? guest->files : -1 };
    for (size_t i = 0; i < (guest ? KEEPER_NAMESPACES : KEEPER_GUEST); i++) {
        int fd = given[i] >= 0 ? fcntl(given[i], F_DUPFD_CLOEXEC, 3) : open(files[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return err_set(err, ERR_MACHINE, "", "cannot hand out `%s`: %s", given[i] >= 0 ? "namespace" : files[i],
                           strerror(errno));
        }
        reply->fds[reply->n_fds++] = fd;
    }
    return true;
}

/* ---- the keeper's side --------------------------------------------------------------------------------------------
 */
static volatile sig_atomic_t keeper_ended;

static void
on_signal(int number)
{
    (void)number;
    keeper_ended = 1;
}

static void
report_progress(void *context, const char *what, size_t done, size_t total)
{
    int fd = *(int *)context;
    struct status status = { .kind = STATUS_PROGRESS, .done = done, .total = total };
    snprintf(status.what, sizeof status.what, "%s", what);
    /* Nobody there: whoever asked for the lab was killed.  Leaving takes all that is built with us. */
    if (send(fd, &status, sizeof status, MSG_NOSIGNAL) < 0) {
        _exit(1);
    }
}

/* Keeps descriptors marked close-on-exec (ours: the lab's lock, namespaces) and drops what the caller merely inherited,
 * such as a pipe whose reader would otherwise wait for the keeper's end. */
static void
close_strangers(int keep)
{
    struct rlimit limit;
    long top = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 4096 ? (long)limit.rlim_cur : 4096;
    for (int fd = 3; fd < top; fd++) {
        int flags = fd == keep ? -1 : fcntl(fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC)) {
            close(fd);
        }
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < 3; fd++) {
        dup2(null, fd);
    }
    if (null > 2) {
        close(null);
    }
}

/* Binds in a directory of ours that nobody else may enter.  One that is empty another command may take away at any time
 * until then. */
static bool
bind_in_directory(int fd, const struct sockaddr_un *address, const char *path)
{
    char *directory = parent_of(path);
    struct stat st;
    bool bound = false;
    for (int i = 0; i < 20 && !bound && (i == 0 || errno == ENOENT); i++) {
        mode_t mask = umask(077);
        mkdir(directory, 0700);
        umask(mask);
        bound = bind(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    }
    if (bound && (lstat(directory, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)) {
        unlink(path);
        errno = EPERM;
        bound = false;
    }
    free(directory);
    return bound;
}

static int
listen_at(const char *path, struct err *err)
{
    struct sockaddr_un address;
    if (!socket_address(path, &address, err)) {
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    unlink(path);
    bool ok = fd >= 0 && bind_in_directory(fd, &address, path) && listen(fd, 64) == 0;
    umask(mask);
    if (!ok) {
        err_set(err, ERR_MACHINE, "", "cannot listen on `%s`: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

/* A process of the lab has a number in our PID namespace, one of the machine has none: what runs in the lab must not
 * command it. */
static bool
peer_is_owner(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid() && peer.pid == 0;
}

/* Answers one connection.  Returns its descriptor when the keeper shall stop (the client waits for the end of it), else
 * -1. */
static int
serve_one(int fd, const struct keeper_hooks *hooks)
{
    struct timeval patience = { .tv_sec = 10 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    bool stop = false;
    struct keeper_message request = { 0 }, reply = { 0 };
    if (peer_is_owner(fd) && wire_receive(fd, &request, NULL)) {
        hooks->serve(hooks->context, &request, &reply, &stop);
        if (stop) {
            if (hooks->stopped) {
                hooks->stopped(hooks->context);
            }
            kill(-1, SIGKILL); /* all that was started in the lab; PID 1 itself is spared */
        }
        wire_send(fd, &reply, NULL);
    }
    keeper_message_done(&request);
    keeper_message_done(&reply);
    if (stop) {
        return fd;
    }
    close(fd);
    return -1;
}

/* ---- what a lab is reached by ---- */

struct anchor {
    const char *socket, *place; /* place: NULL, none */
    struct stat listening;
    int watch; /* readable when one of them may be gone */
};

static struct anchor
anchor_watch(const char *socket, const char *place)
{
    struct anchor anchor = { .socket = socket, .place = place, .watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
    if (stat(socket, &anchor.listening) == 0 && anchor.watch >= 0) { /* without a watch it is still known as ours */
        inotify_add_watch(anchor.watch, socket,
                          IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF); /* an unlink is an IN_ATTRIB */
        char *parent = place ? xasprintf("%.*s", (int)(strrchr(place, '/') - place), place) : NULL;
        if (parent) { /* the directory itself would say so only when nobody has it open */
            inotify_add_watch(anchor.watch, parent, IN_DELETE | IN_MOVED_FROM);
        }
        free(parent);
    }
    return anchor;
}

/* The socket at the path may be another keeper's by now. */
static bool
anchor_owns_socket(const struct anchor *anchor)
{
    struct stat now;
    return stat(anchor->socket, &now) == 0 && now.st_ino == anchor->listening.st_ino &&
           now.st_dev == anchor->listening.st_dev;
}

static bool
anchor_is_lost(const struct anchor *anchor)
{
    char events[4096];
    while (read(anchor->watch, events, sizeof events) > 0) {
    }
    return !anchor_owns_socket(anchor) || (anchor->place && access(anchor->place, F_OK) < 0);
}

/* 'owner': hangs up when the process that the lab belongs to ends; -1: it belongs to nobody. */
static void
keeper_loop(int listener, int owner, const char *path, const struct keeper_hooks *hooks)
{
    bool ticking = hooks->tick && hooks->tick_ms > 0;
    int64_t next_tick = monotonic_ms() + hooks->tick_ms;
    int last = -1;
    bool orphaned = false, lost = false;
    struct anchor anchor = anchor_watch(path, hooks->place);
    while (!keeper_ended && last < 0 && !orphaned && !lost) {
        int64_t wait = ticking ? next_tick - monotonic_ms() : 60000;
        struct pollfd p[] = { { .fd = listener, .events = POLLIN },
                              { .fd = owner },
                              { .fd = hooks->fd ? hooks->fd(hooks->context) : -1, .events = POLLIN },
                              { .fd = anchor.watch, .events = POLLIN } };
        int n = poll(p, ARRAY_SIZE(p), wait < 0 ? 0 : (int)wait);
        orphaned = n > 0 && p[1].revents;
        lost = n > 0 && p[3].revents && anchor_is_lost(&anchor);
        if (n > 0 && p[2].revents) {
            hooks->ready(hooks->context);
        }
        if (n > 0 && p[0].revents) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0) {
                last = serve_one(fd, hooks);
            }
        }
        if (ticking && monotonic_ms() >= next_tick) {
            hooks->tick(hooks->context);
            next_tick = monotonic_ms() + hooks->tick_ms;
        }
    }
    if (last < 0 && hooks->stopped) {
        hooks->stopped(hooks->context);
    }
    if (anchor_owns_socket(&anchor)) {
        remove_socket(path);
    }
    if (orphaned) {
        hooks->orphaned(hooks->context);
    }
}

static bool
prepare_mounts(struct err *err)
{
    /* Slave: unmounting a disk on the machine still works, and nothing of ours ever shows outside. */
    if (mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
        err_set(err, ERR_MACHINE, "", "cannot make the lab's mounts private: %s", strerror(errno));
        return doctor_explain_userns(err);
    }
    /* Own /proc, so that `ps` in the lab shows the lab.  A container may forbid it; then the outer one does. */
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    return true;
}

static void
keeper_main(int link, const char *path, const struct keeper_hooks *hooks)
{
    struct status status = { .kind = STATUS_FAILED };
    setsid();
    close_strangers(link);
    signal(SIGCHLD, SIG_IGN); /* PID 1: what a detached program leaves behind is reaped by the kernel */
    signal(SIGPIPE, SIG_IGN);
    struct sigaction act = { .sa_handler = on_signal };
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    signal(SIGHUP, SIG_IGN);
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    struct progress progress = { report_progress, &link };
    int listener = -1;
    if (prepare_mounts(&status.err) && hooks->start(hooks->context, &progress, &status.err)) {
        listener = listen_at(path, &status.err);
    }
    if (listener >= 0) {
        status.kind = STATUS_READY;
    }
    char go;
    /* The caller confirms: if it died meanwhile nobody knows of this lab, so there must be none. */
    if (send(link, &status, sizeof status, MSG_NOSIGNAL) < 0 || listener < 0 || recv(link, &go, 1, 0) != 1) {
        if (listener >= 0) {
            remove_socket(path);
        }
        _exit(1);
    }
    if (!hooks->orphaned) {
        close(link);
        link = -1;
    }
    keeper_loop(listener, link, path, hooks);
    _exit(0);
}

/* ---- forking it ---------------------------------------------------------------------------------------------------
 */
static bool
write_file(pid_t pid, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* Root maps every id onto itself, so that programs that drop privileges work; a plain user maps himself to 0. */
static bool
map_ids(pid_t pid, struct err *err)
{
    char uids[64], gids[64];
    if (write_file(pid, "uid_map", "0 0 4294967295") && write_file(pid, "gid_map", "0 0 4294967295")) {
        return true;
    }
    snprintf(uids, sizeof uids, "0 %u 1", (unsigned)geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", (unsigned)getegid());
    write_file(pid, "setgroups", "deny");
    if (!write_file(pid, "uid_map", uids) || !write_file(pid, "gid_map", gids)) {
        err_set(err, ERR_MACHINE, "", "cannot map this user into a user namespace: %s", strerror(errno));
        return doctor_explain_userns(err);
    }
    return true;
}

static void
unshare_and_fork(int link, const char *path, const struct keeper_hooks *hooks)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct status status = { .kind = STATUS_UNSHARED };
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC) < 0) {
        status.kind = STATUS_FAILED;
        err_set(&status.err, ERR_MACHINE, "", "cannot make a user namespace: %s", strerror(errno));
        doctor_explain_userns(&status.err);
    }
    char go;
    if (send(link, &status, sizeof status, MSG_NOSIGNAL) < 0 || status.kind == STATUS_FAILED ||
        recv(link, &go, 1, 0) != 1) {
        _exit(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, 0);
        keeper_main(link, path, hooks);
    }
    _exit(pid > 0 ? 0 : 1);
}

/* Follows the start until it is ready or has failed. */
static bool
follow_start(int link, pid_t pid, const struct progress *progress, struct err *err)
{
    for (;;) {
        struct status status;
        ssize_t n = recv(link, &status, sizeof status, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n != (ssize_t)sizeof status) {
            return err_set(err, ERR_MACHINE, "", "the lab's keeper ended while it started");
        }
        switch (status.kind) {
        case STATUS_UNSHARED:
            if (!map_ids(pid, err)) {
                return false;
            }
            if (send(link, "g", 1, MSG_NOSIGNAL) < 0) {
                return err_set(err, ERR_MACHINE, "", "the lab's keeper ended while it started");
            }
            break;
        case STATUS_PROGRESS:
            status.what[sizeof status.what - 1] = '\0';
            progress_report(progress, status.what, status.done, status.total);
            break;
        case STATUS_READY:
            return send(link, "g", 1, MSG_NOSIGNAL) == 1 ||
                   err_set(err, ERR_MACHINE, "", "the lab's keeper ended while it started");
        case STATUS_FAILED:
            if (err && err->kind == ERR_NONE) {
                *err = status.err;
            }
            return false;
        }
    }
}

/* Sockets beside ours whose keepers were killed, and whose labs perhaps nobody will ask for again.  A young one may be
 * about to listen. */
static void
sweep(const char *socket_path)
{
    char *directory = parent_of(socket_path);
    DIR *open = opendir(directory);
    for (struct dirent *entry = open ? readdir(open) : NULL; entry; entry = readdir(open)) {
        size_t size = strlen(entry->d_name);
        struct stat about;
        if (size > 5 && strcmp(entry->d_name + size - 5, ".sock") == 0 &&
            fstatat(dirfd(open), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(about.st_mode) &&
            time(NULL) - about.st_mtime > YOUNG_S) {
            char *path = xasprintf("%s/%s", directory, entry->d_name);
            keeper_is_alive(path); /* takes it away if not */
            free(path);
        }
    }
    if (open) {
        closedir(open);
    }
    free(directory);
}

bool
keeper_spawn(const char *socket_path, const struct keeper_hooks *hooks, const struct progress *progress,
             struct err *err)
{
    if (keeper_is_alive(socket_path)) {
        err_set(err, ERR_INPUT, "IncorrectState", "the lab is live already");
        return err_hint(err, "`vpclab down` ends it");
    }
    sweep(socket_path);
    int link[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot open a socket pair: %s", strerror(errno));
    }
    fflush(NULL); /* the child must not print what waits in our buffers */
    pid_t pid = fork();
    if (pid == 0) {
        close(link[0]);
        unshare_and_fork(link[1], socket_path, hooks);
    }
    close(link[1]);
    bool ok = pid > 0 ? follow_start(link[0], pid, progress, err)
                      : err_set(err, ERR_MACHINE, "", "cannot fork: %s", strerror(errno));
    if (!ok || !hooks->orphaned) {
        close(link[0]);
    } /* else it stays open until this process ends: that is what the keeper waits for */
    if (pid > 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    return ok;
}

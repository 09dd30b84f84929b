/* Running a program inside a live lab: join its namespaces, give it host names, hand it the terminal, wait. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/vec.h"
#include "netsim/live/guest_files.h"
#include "netsim/live/guests.h"
#include "netsim/live/keeper.h"

#define TRUSTED_MAX (2u << 20)

/* What the forked side says before it becomes the program: where it failed, or nothing (the pipe closes on exec). */
struct exec_report {
    int why;        /* errno */
    bool not_found; /* it was execvp itself */
    char what[48];
};

static void __attribute__((noreturn)) give_up(int report_fd, const char *what, bool at_exec)
{
    struct exec_report report = { .why = errno, .not_found = at_exec };
    snprintf(report.what, sizeof report.what, "%s", what);
    if (write(report_fd, &report, sizeof report) < 0) {
        _exit(126);
    }
    _exit(at_exec ? 127 : 126);
}

static bool
write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* An instance's /run is its own and empty, and /etc/resolv.conf often a link to there. */
static void
make_target(const char *target)
{
    char path[PATH_MAX];
    char link[PATH_MAX - 8];
    ssize_t n = readlink(target, link, sizeof link - 1);
    if (n > 0) {
        link[n] = '\0';
        snprintf(path, sizeof path, "%s%s", link[0] == '/' ? "" : "/etc/", link);
        int fd = guest_files_parents(path) ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) : -1;
        if (fd >= 0) {
            close(fd);
        }
    }
}

/* The certificates that the machine trusts and the lab's own authority. */
static char *
trusted_text(const char *authority)
{
    struct buf text = { 0 };
    struct err absent = { 0 };
    if (!authority || !buf_read_file(&text, KEEPER_TRUSTED, TRUSTED_MAX, &absent)) {
        buf_done(&text);
        return NULL;
    }
    buf_printf(&text, "\n%s", authority);
    return buf_steal(&text);
}

/* Shows the options' texts as /etc/hosts, /etc/resolv.conf and what is trusted.  The texts need a file system to live
 * on: a small tmpfs is mounted over a directory that every system has, the files are bound to their places, and the
 * cover is lifted again; the binds keep them. */
static bool
bind_texts(const struct keeper_exec_options *options)
{
    char *trusted = trusted_text(options->authority);
    static const char *const covers[] = { "/tmp", "/var/tmp", "/mnt", "/run" };
    const struct {
        const char *text, *file, *target;
    } rows[] = { { options->hosts, "hosts", "/etc/hosts" },
                 { options->resolv, "resolv.conf", "/etc/resolv.conf" },
                 { trusted, "trusted", KEEPER_TRUSTED } };
    const char *cover = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(covers) && !cover; i++) {
        if (mount("tmpfs", covers[i], "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=0755") == 0) {
            cover = covers[i];
        }
    }
    bool ok = cover != NULL;
    for (size_t i = 0; ok && i < ARRAY_SIZE(rows); i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", cover, rows[i].file);
        if (rows[i].text && access(rows[i].target, F_OK) < 0) {
            make_target(rows[i].target);
        }
        if (rows[i].text && access(rows[i].target, F_OK) == 0) {
            ok = write_text(path, rows[i].text) && mount(path, rows[i].target, NULL, MS_BIND, NULL) == 0;
        }
    }
    if (cover) {
        umount2(cover, MNT_DETACH);
    }
    if (ok && trusted) {
        setenv("SSL_CERT_FILE", KEEPER_TRUSTED,
               1); /* programs that look into a directory of hashes would not find it */
    }
    free(trusted);
    return ok;
}

static void
join(int fd, int kind, const char *what, int report_fd)
{
    if (setns(fd, kind) < 0) {
        give_up(report_fd, what, false);
    }
}

/* What a program of either kind has of its own. */
static void
furnish(const struct keeper_exec_options *options, int report_fd)
{
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) < 0) {
        give_up(report_fd, "make the program's own mounts", false);
    }
    mount("", "/", NULL, MS_REC | MS_SLAVE, NULL);
    if (options->hostname) {
        sethostname(options->hostname, strlen(options->hostname));
    }
    if ((options->hosts || options->resolv) && !bind_texts(options)) {
        give_up(report_fd, "bind /etc/hosts", false);
    }
}

/* A program of the lab's owner: in a router, a gateway, the internet. */
static void
enter_as_owner(const int fds[static KEEPER_NAMESPACES], const struct keeper_exec_options *options, int report_fd)
{
    join(fds[KEEPER_PID], CLONE_NEWPID, "join the PID namespace", report_fd);
    join(fds[KEEPER_NET], CLONE_NEWNET, "join the network namespace", report_fd);
    furnish(options, report_fd);
    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
          NULL); /* its own links; may be forbidden */
}

/* "" when it has been replaced since it was started. */
static void
find_program(char program[static PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", program, PATH_MAX - 1);
    program[n > 0 ? n : 0] = '\0';
    if (n > 0 && access(program, X_OK) < 0) {
        program[0] = '\0';
    }
}

/* A program of an instance.  Whoever is root there must find nothing of ours in it, not even between fork and exec: it
 * cannot be traced. */
static void
enter_as_guest(const int fds[static KEEPER_NAMESPACES], const struct keeper_exec_options *options, const char *cwd,
               const char *program, int report_fd)
{
    prctl(PR_SET_DUMPABLE, 0);
    int copy = guest_files_may_show(cwd, options->lab) ? guest_files_copy(cwd) : -1;
    int own = *program ? guest_files_copy(program) : -1;
    join(fds[KEEPER_FILES], CLONE_NEWNS, "join the instance's mounts", report_fd);
    if (copy >= 0 || (own >= 0 && access(program, X_OK) < 0)) {
        /* Still as the lab's owner: then the instance cannot make it writable. */
        if (unshare(CLONE_NEWNS) < 0) {
            give_up(report_fd, "make the program's own mounts", false);
        }
    }
    if (copy >= 0) {
        guest_files_show(copy, cwd);
        close(copy);
    }
    if (own >= 0 && access(program, X_OK) < 0) { /* still: it is not where the caller stands */
        guest_files_show_program(own, KEEPER_PROGRAM_DIRECTORY "/vpclab");
    }
    if (own >= 0) {
        close(own);
    }
    join(fds[KEEPER_PID], CLONE_NEWPID, "join the PID namespace", report_fd);
    join(fds[KEEPER_NET], CLONE_NEWNET, "join the network namespace", report_fd);
    join(fds[KEEPER_GUEST], CLONE_NEWUSER, "join the instances' user namespace", report_fd);
    if (!guests_become_root()) {
        give_up(report_fd, "become root in the instance", false);
    }
    prctl(PR_SET_DUMPABLE, 0);
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    furnish(options, report_fd);
}

static void
enter(const int fds[static KEEPER_NAMESPACES], const struct keeper_exec_options *options, const char *program,
      int report_fd)
{
    char cwd[PATH_MAX];
    bool has_cwd = getcwd(cwd, sizeof cwd) != NULL;
    join(fds[KEEPER_USER], CLONE_NEWUSER, "join the user namespace", report_fd);
    join(fds[KEEPER_MOUNT], CLONE_NEWNS, "join the mount namespace", report_fd);
    if (fds[KEEPER_GUEST] >= 0) {
        enter_as_guest(fds, options, has_cwd ? cwd : "/", program, report_fd);
    } else {
        enter_as_owner(fds, options, report_fd);
    }
    if (!has_cwd || chdir(cwd) < 0) {
        if (chdir("/") < 0) {
            give_up(report_fd, "change to /", false);
        }
    }
}

/* The terminal is the owner's, and older kernels let a program type into it (TIOCSTI): what it types the owner's shell
 * would run. */
static void
forbid_typing(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x3fffffff), /* x32 sets a bit */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 54, 2, 0),  /* ioctl of 32-bit programs */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 514, 1, 0), /* and of x32 */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSTI, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCLINUX, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { ARRAY_SIZE(filter), filter };
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
          &program); /* as root of the instance; a kernel without it has no such promise */
}

/* Where it runs, and how it finds this program there. */
static void
tell_where(const struct keeper_exec_options *options, const char *program)
{
    const char *path = getenv("PATH"), *slash = strrchr(program, '/');
    bool seen = slash && access(program, X_OK) == 0;
    if (options->name) {
        setenv(KEEPER_NODE_VARIABLE, options->name, 1);
    }
    if (path && (seen || access(KEEPER_PROGRAM_DIRECTORY "/vpclab", X_OK) == 0)) {
        char *longer = xasprintf("%s:%.*s", path, seen ? (int)(slash - program) : (int)strlen(KEEPER_PROGRAM_DIRECTORY),
                                 seen ? program : KEEPER_PROGRAM_DIRECTORY);
        setenv("PATH", longer, 1);
        free(longer);
    }
}

static void __attribute__((noreturn)) become_program(char *const *argv, bool detach, bool own_terminal, int report_fd)
{
    if (detach) {
        setsid();
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = 0; null >= 0 && fd < 3; fd++) {
            dup2(null, fd);
        }
    } else {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (own_terminal) {
            /* Its own foreground group: a shell inside cannot see the caller's, which is in another PID namespace. */
            setpgid(0, 0);
            tcsetpgrp(STDIN_FILENO, getpgrp());
        }
    }
    static const int defaults[] = { SIGINT, SIGQUIT, SIGTTOU, SIGPIPE, SIGCHLD };
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
        signal(defaults[i], SIG_DFL);
    }
    const char *temporary = getenv("TMPDIR");
    if (temporary && access(temporary, W_OK) < 0) {
        unsetenv("TMPDIR"); /* the owner's, which an instance does not see: it has a /tmp of its own */
    }
    execvp(argv[0], argv);
    give_up(report_fd, argv[0], true);
}

/* Waits for 'pid'; a stop (^Z) stops us too, so that the caller's shell notices, and goes on with us. */
static int
wait_for(pid_t pid, bool own_terminal)
{
    int status;
    for (;;) {
        if (waitpid(pid, &status, WUNTRACED) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return 126;
        }
        if (!WIFSTOPPED(status)) {
            break;
        }
        if (own_terminal) {
            tcsetpgrp(STDIN_FILENO, getpgrp());
        }
        kill(0, SIGSTOP);
        if (own_terminal) {
            tcsetpgrp(STDIN_FILENO, pid);
        }
        kill(-pid, SIGCONT);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The process between: a PID namespace can only be joined by a child of who entered it. */
static void __attribute__((noreturn))
between(const int fds[static KEEPER_NAMESPACES], char *const *argv, const struct keeper_exec_options *options,
        bool own_terminal, int report_fd)
{
    if (!options->detach) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    char program[PATH_MAX];
    find_program(program);
    enter(fds, options, program, report_fd);
    if (!options->detach) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* once more: another user has become of us */
    }
    pid_t pid = fork();
    if (pid < 0) {
        give_up(report_fd, "fork", false);
    }
    if (pid == 0) {
        /* A detached program needs a parent inside the namespace to lose, or some process outside would inherit (and
         * have to reap) it. */
        if (options->detach && fork() > 0) {
            _exit(0);
        }
        if (fds[KEEPER_GUEST] >= 0) {
            forbid_typing();
        }
        tell_where(options, program);
        become_program(argv, options->detach, own_terminal, report_fd);
    }
    close(report_fd);
    _exit(wait_for(pid, own_terminal));
}

int
keeper_exec(const int fds[static KEEPER_NAMESPACES], char *const *argv, const struct keeper_exec_options *options,
            struct err *err)
{
    int report_pipe[2];
    if (pipe2(report_pipe, O_CLOEXEC) < 0) {
        err_set(err, ERR_MACHINE, "", "cannot open a pipe: %s", strerror(errno));
        return -1;
    }
    bool own_terminal = !options->detach && isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
    fflush(NULL);
    struct sigaction ignore = { .sa_handler = SIG_IGN }, old[3];
    static const int quiet[] = { SIGINT, SIGQUIT, SIGTTOU };
    for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
        sigaction(quiet[i], &ignore, &old[i]);
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(report_pipe[0]);
        between(fds, argv, options, own_terminal, report_pipe[1]);
    }
    close(report_pipe[1]);
    struct exec_report report = { 0 };
    ssize_t n;
    do {
        n = pid > 0 ? read(report_pipe[0], &report, sizeof report) : 0;
    } while (n < 0 && errno == EINTR);
    close(report_pipe[0]);
    int status = 126, raw = 0;
    while (pid > 0 && waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
    }
    if (pid > 0) {
        status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    }
    if (own_terminal) {
        tcsetpgrp(STDIN_FILENO, getpgrp());
    }
    for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
        sigaction(quiet[i], &old[i], NULL);
    }
    if (pid < 0) {
        err_set(err, ERR_MACHINE, "", "cannot fork");
        return -1;
    }
    if (n == (ssize_t)sizeof report && report.not_found) {
        err_set(err, ERR_MACHINE, "", "cannot run `%s`: %s", argv[0], strerror(report.why));
        if (fds[KEEPER_GUEST] >= 0 && strchr(argv[0], '/') && access(argv[0], X_OK) == 0) {
            err_hint(err, "an instance sees nothing of home and temporary directories but the one you stand in: "
                          "change to the program's");
        }
        return 127;
    }
    if (n == (ssize_t)sizeof report) {
        err_set(err, ERR_MACHINE, "", "cannot %s: %s", report.what, strerror(report.why));
        return -1;
    }
    return status;
}

/* ---- from within the keeper ---------------------------------------------------------------------------------------
 */
static void __attribute__((noreturn))
become_script(int net_fd, const struct guest *guest, int guest_user, int script_fd,
              const struct keeper_exec_options *options, int out_fd)
{
    char path[32], program[PATH_MAX];
    char *argv[] = { path, NULL };
    static const int defaults[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD };
    setsid();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(null, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0) {
        _exit(126);
    }
    find_program(program);
    prctl(PR_SET_DUMPABLE, 0);
    if (setns(guest->files, CLONE_NEWNS) < 0 || setns(guest->processes, CLONE_NEWPID) < 0 ||
        setns(net_fd, CLONE_NEWNET) < 0 || setns(guest_user, CLONE_NEWUSER) < 0 || !guests_become_root() ||
        unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) < 0) {
        dprintf(2, "cannot enter the instance: %s\n", strerror(errno));
        _exit(126);
    }
    prctl(PR_SET_DUMPABLE, 0);
    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    sethostname(options->hostname, strlen(options->hostname));
    bind_texts(options);
    pid_t pid = fork(); /* the PID namespace is for children only */
    if (pid != 0) {
        _exit(pid > 0 ? 0 : 126);
    }
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
        signal(defaults[i], SIG_DFL);
    }
    if (chdir("/") < 0) {
        _exit(126);
    }
    tell_where(options, program);
    snprintf(path, sizeof path, "/proc/self/fd/%d", script_fd);
    execv(path, argv);
    dprintf(2, "cannot run the script: %s\n", strerror(errno));
    _exit(127);
}

bool
keeper_run_script(int net_fd, const struct guest *guest, int guest_user, const char *script, size_t size,
                  const struct keeper_exec_options *options, int out_fd, struct err *err)
{
    int fd = memfd_create("user-data", 0); /* stays open for the interpreter, which reads it by name */
    if (fd < 0 || write(fd, script, size) != (ssize_t)size) {
        if (fd >= 0) {
            close(fd);
        }
        return err_set(err, ERR_MACHINE, "", "cannot keep the script: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0) {
        become_script(net_fd, guest, guest_user, fd, options, out_fd);
    }
    close(fd);
    return pid > 0 || err_set(err, ERR_MACHINE, "", "cannot fork: %s", strerror(errno));
}

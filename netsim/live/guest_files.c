#include "netsim/live/guest_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "netsim/live/guests.h"

/* <sys/mount.h> and <linux/mount.h> do not always go together. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
#define COVERS_MAX 16
#define SEALED     (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV)

/* ---- what is covered ----------------------------------------------------------------------------------------------
 * Each directory with the mode that an instance's own gets. */
struct cover {
    char path[PATH_MAX];
    mode_t mode;
};

static const struct {
    const char *path;
    mode_t mode;
} everywhere[] = {
    { "/tmp", 01777 }, { "/var/tmp", 01777 }, { "/run", 0755 }, { "/home", 0755 }, { "/root", 0700 },
};
/* Directories of the owner: the first are places for many things, the others hold his own. */
#define N_PLACES 2
static const char *const of_the_owner[] = {
    "HOME",           "TMPDIR",          "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "VPCLAB_LAB"
};
/* Without these no program runs; a home directory there is one of a system's account. */
static const char *const never[] = { "/",    "/usr", "/etc", "/bin",  "/sbin", "/lib", "/lib64",
                                     "/opt", "/var", "/dev", "/proc", "/sys",  "/nix" };

static bool
is_below(const char *path, const char *directory)
{
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 && (path[size] == '/' || !path[size]);
}

static size_t
add_cover(struct cover *covers, size_t n, const char *path, mode_t mode)
{
    struct stat st;
    if (n == COVERS_MAX || !realpath(path, covers[n].path) || stat(covers[n].path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        return n;
    }
    for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
        if (strcmp(never[i], covers[n].path) == 0) {
            return n;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (is_below(covers[n].path, covers[i].path)) {
            return n;
        }
    }
    covers[n].mode = mode;
    return n + 1;
}

static size_t
list_covers(struct cover covers[static COVERS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++) {
        n = add_cover(covers, n, everywhere[i].path, everywhere[i].mode);
    }
    for (size_t i = 0; i < ARRAY_SIZE(of_the_owner); i++) {
        const char *path = getenv(of_the_owner[i]);
        n = path && path[0] == '/' ? add_cover(covers, n, path, 0700) : n;
    }
    return n;
}

bool
guest_files_may_show(const char *directory, const char *lab)
{
    static struct cover covers[COVERS_MAX];
    bool covered = false;
    for (size_t i = 0, n = list_covers(covers); i < n; i++) {
        if (is_below(covers[i].path, directory)) {
            return false;
        }
        covered = covered || is_below(directory, covers[i].path);
    }
    if (lab && (is_below(lab, directory) || is_below(directory, lab))) {
        return false;
    }
    /* The owner's own may lie below one of the general covers. */
    for (size_t i = 0; covered && i < ARRAY_SIZE(of_the_owner); i++) {
        const char *path = getenv(of_the_owner[i]);
        char real[PATH_MAX];
        if (path && realpath(path, real) &&
            (is_below(real, directory) || (i >= N_PLACES && is_below(directory, real)))) {
            return false;
        }
    }
    return covered;
}

/* ---- the machine's, sealed ----------------------------------------------------------------------------------------
 */
static const char *const devices[] = { "null", "zero", "full", "random", "urandom", "tty", "net/tun" };
static const struct {
    const char *name, *target;
} links[] = {
    { "/dev/fd", "/proc/self/fd" },       { "/dev/stdin", "/proc/self/fd/0" }, { "/dev/stdout", "/proc/self/fd/1" },
    { "/dev/stderr", "/proc/self/fd/2" }, { "/dev/ptmx", "pts/ptmx" },
};
static const char *const rooms[] = { "/dev/net", "/dev/shm", "/dev/pts" };

static int
copy_tree(const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

static int
set_attributes(int fd, const char *path, unsigned flags, uint64_t attributes, uint64_t propagation)
{
    struct mount_attr attr = { .attr_set = attributes, .propagation = propagation };
    return (int)syscall(SYS_mount_setattr, fd, path, flags | AT_RECURSIVE, &attr, sizeof attr);
}

static bool
put_tree(int fd, const char *path)
{
    return syscall(SYS_move_mount, fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

static bool
seal_devices(const int copies[static ARRAY_SIZE(devices)])
{
    if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "size=64k,mode=0755") < 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
        mkdir(rooms[i], 0755);
    }
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        char path[32];
        snprintf(path, sizeof path, "/dev/%s", devices[i]);
        int fd = copies[i] >= 0 ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444) : -1;
        if (fd >= 0) {
            close(fd);
            put_tree(copies[i], path);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        if (symlink(links[i].target, links[i].name) < 0) {
            return false;
        }
    }
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
    return syscall(SYS_mount_setattr, AT_FDCWD, "/dev", 0, &attr, sizeof attr) == 0;
}

/* A /proc of no processes, of a PID namespace that has ended: what lies below an instance's own must tell nothing of
 * others. */
static bool
seal_processes(void)
{
    int status = 0;
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        _exit(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0; /* a container may forbid it; then the lab's stays, where the kernel asks for what nobody in an
                       instance has */
}

bool
guest_files_seal(void)
{
    static struct cover covers[COVERS_MAX];
    int copies[ARRAY_SIZE(devices)];
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        char path[32];
        snprintf(path, sizeof path, "/dev/%s", devices[i]);
        copies[i] = copy_tree(path, 0);
    }
    size_t n = list_covers(covers);
    /* Private: a disk that the machine mounts later must not turn up here, writable. */
    bool ok = set_attributes(AT_FDCWD, "/", 0, SEALED, MS_PRIVATE) == 0;
    ok = ok && seal_processes() && seal_devices(copies);
    for (size_t i = 0; ok && i < n; i++) {
        ok = mount("tmpfs", covers[i].path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k,mode=0755") == 0;
    }
    int why = errno;
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        if (copies[i] >= 0) {
            close(copies[i]);
        }
    }
    errno = why;
    return ok;
}

/* ---- an instance's own --------------------------------------------------------------------------------------------
 */
static bool
own_room(const char *path, mode_t mode)
{
    char options[32];
    snprintf(options, sizeof options, "size=50%%,mode=%o", (unsigned)mode);
    return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
}

bool
guest_files_own(void)
{
    static struct cover covers[COVERS_MAX];
    bool ok = own_room("/dev/shm", 01777);
    for (size_t i = 0, n = list_covers(covers); ok && i < n; i++) {
        ok = own_room(covers[i].path, covers[i].mode);
    }
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
    /* Its own links and processes; a container may forbid it. */
    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    return ok;
}

bool
guest_files_parents(const char *path)
{
    char part[PATH_MAX];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        if ((size_t)(slash - path) >= sizeof part) {
            errno = ENAMETOOLONG;
            return false;
        }
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        if (access(part, F_OK) < 0 && mkdir(part, 0755) < 0 && errno != EEXIST) {
            return false;
        }
    }
    return true;
}

int
guest_files_copy(const char *directory)
{
    int fd = copy_tree(directory, AT_RECURSIVE);
    if (fd >= 0 && set_attributes(fd, "", AT_EMPTY_PATH, SEALED, MS_PRIVATE) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool
guest_files_show(int copy, const char *directory)
{
    /* An instance's room knows its own users only; where there are none (a plain user's lab) this changes nothing. */
    setfsgid(GUESTS_FIRST_ID);
    setfsuid(GUESTS_FIRST_ID);
    bool ok = guest_files_parents(directory) && (mkdir(directory, 0755) == 0 || errno == EEXIST);
    setfsuid(0);
    setfsgid(0);
    return ok && put_tree(copy, directory);
}

bool
guest_files_show_program(int copy, const char *path)
{
    setfsgid(GUESTS_FIRST_ID);
    setfsuid(GUESTS_FIRST_ID);
    /* What the instance has put there itself is not opened: it may be a pipe, at which one waits. */
    int fd = guest_files_parents(path) ? open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0555) : -1;
    bool ok = fd >= 0 || errno == EEXIST;
    setfsuid(0);
    setfsgid(0);
    if (fd >= 0) {
        close(fd);
    }
    return ok && put_tree(copy, path);
}

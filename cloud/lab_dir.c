/* cloud/lab_dir.c - the directory of a lab and its lock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/map.h"
#include "base/vec.h"
#include "cloud/state.h"
#include "netsim/live/keeper.h"

#define LOCK_WAIT_MS 1000

/* $NAME, or $HOME/otherwise. The caller frees it. */
static char *
xdg_path(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    if (value && value[0] == '/') {
        return xstrdup(value);
    }
    const char *home = getenv("HOME");
    return xasprintf("%s/%s", home && home[0] ? home : "/tmp", otherwise);
}

char *
labs_path(void)
{
    char *data = xdg_path("XDG_DATA_HOME", ".local/share");
    char *path = xasprintf("%s/vpclab/labs", data);
    free(data);
    return path;
}

bool
lab_name_valid(const char *name)
{
    return name[0] && name[0] != '.' && name[0] != '-' && strlen(name) < 64 &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static bool
make_directories(const char *path, mode_t mode, struct err *err)
{
    char *copy = xstrdup(path);
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p) {
            continue;
        }
        char c = *p;
        *p = '\0';
        if (mkdir(copy, c ? 0755 : mode) != 0 && errno != EEXIST) {
            err_set(err, ERR_MACHINE, "", "the directory `%s` cannot be made: %s", copy, strerror(errno));
            err_hint(err, "labs are below XDG_DATA_HOME or HOME, sockets below XDG_RUNTIME_DIR; `--lab ./DIR` is a lab "
                          "elsewhere");
            free(copy);
            return false;
        }
        if (!c) {
            break;
        }
        *p = c;
    }
    struct stat st;
    bool directory = stat(copy, &st) == 0 && S_ISDIR(st.st_mode);
    if (!directory) {
        err_set(err, ERR_MACHINE, "", "`%s` is not a directory", path);
    }
    free(copy);
    return directory;
}

/* Sockets live apart from the lab: their paths must be short, and they must not survive the machine.  The directory is
 * there while a lab is live: the keeper makes it. */
static char *
runtime_path(struct err *err)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char *path = runtime && runtime[0] == '/' && strlen(runtime) < 40
                     ? xasprintf("%s/vpclab", runtime)
                     : xasprintf("/tmp/vpclab-%u", (unsigned)geteuid());
    struct stat st = { 0 };
    *strrchr(path, '/') = '\0';
    bool made = make_directories(path, 0700, err);
    path[strlen(path)] = '/';
    if (!made) {
        free(path);
        return NULL;
    }
    bool is_there = lstat(path, &st) == 0 || errno != ENOENT;
    if (is_there && (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)) {
        err_set(err, ERR_MACHINE, "", "`%s` must be a directory of ours that nobody else may enter", path);
        err_hint(err, "remove it, or set XDG_RUNTIME_DIR");
        free(path);
        return NULL;
    }
    return path;
}

static bool
name_files(struct lab_dir *dir, struct err *err)
{
    char real[PATH_MAX];
    if (!realpath(dir->path, real)) {
        return err_set(err, ERR_MACHINE, "", "`%s` cannot be read: %s", dir->path, strerror(errno));
    }
    free(dir->path);
    dir->path = xstrdup(real);
    const char *slash = strrchr(real, '/');
    dir->name = xstrdup(slash && slash[1] ? slash + 1 : "lab");
    dir->state_path = xasprintf("%s/state.json", real);
    dir->journal_path = xasprintf("%s/journal.jsonl", real);
    dir->lock_path = xasprintf("%s/lock", real);
    char *runtime = runtime_path(err);
    if (!runtime) {
        return false;
    }
    dir->socket_path = xasprintf("%s/%.24s-%08x.sock", runtime, dir->name, (unsigned)hash_bytes(real, strlen(real)));
    free(runtime);
    return true;
}

/* A directory with other things in it is somebody's, not a lab to begin. */
static bool
may_hold_lab(const char *path, struct err *err)
{
    char *state = xasprintf("%s/state.json", path);
    bool good = access(state, F_OK) == 0;
    free(state);
    DIR *directory = good ? NULL : opendir(path);
    good = true;
    for (struct dirent *entry; directory && good && (entry = readdir(directory));) {
        good = entry->d_name[0] == '.' || strcmp(entry->d_name, "lock") == 0;
    }
    if (directory) {
        closedir(directory);
    }
    if (!good) {
        err_set(err, ERR_USAGE, "", "`%s` is not a lab: it has other files and no state.json", path);
        err_at(err, "--lab", 0, 0);
    }
    return good;
}

static bool
make_throw_away(struct lab_dir *dir, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    dir->path = xasprintf("%s/vpclab-run-XXXXXX", tmp && tmp[0] == '/' ? tmp : "/tmp");
    if (!mkdtemp(dir->path)) {
        return err_set(err, ERR_MACHINE, "", "no directory can be made like `%s`: %s", dir->path, strerror(errno));
    }
    return true;
}

/* Where a lab of that name or path is or would be. */
static bool
find_path(struct lab_dir *dir, const char *lab, struct err *err)
{
    const char *from_environment = getenv("VPCLAB_LAB");
    lab = lab ? lab : from_environment && from_environment[0] ? from_environment : "default";
    if (strchr(lab, '/')) {
        dir->path = xstrdup(lab);
    } else if (lab_name_valid(lab)) {
        char *labs = labs_path();
        dir->path = xasprintf("%s/%s", labs, lab);
        free(labs);
    } else {
        err_set(err, ERR_USAGE, "", "`%s` is not a name for a lab", lab);
        return err_hint(err, "a name has letters, digits, `.`, `_` and `-`; a directory has a `/`, as in ./%s", lab);
    }
    return true;
}

static struct lab_dir *
lab_dir_new(void)
{
    struct lab_dir *dir = xcalloc(1, sizeof *dir);
    dir->lock_fd = -1;
    dir->owner = getpid();
    return dir;
}

struct lab_dir *
lab_dir_open(const char *lab, bool throw_away, struct err *err)
{
    struct lab_dir *dir = lab_dir_new();
    dir->throw_away = throw_away;
    bool there =
        throw_away ? make_throw_away(dir, err)
                   : find_path(dir, lab, err) && make_directories(dir->path, 0700, err) && may_hold_lab(dir->path, err);
    if (!there || !name_files(dir, err)) {
        lab_dir_close(dir);
        return NULL;
    }
    return dir;
}

struct lab_dir *
lab_dir_find(const char *lab, struct err *err)
{
    struct lab_dir *dir = lab_dir_new();
    if (!find_path(dir, lab, err) || access(dir->path, F_OK) != 0 || !name_files(dir, err)) {
        lab_dir_close(dir);
        return NULL;
    }
    return dir;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

bool
lab_dir_remove(const char *path, struct err *err)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        return err_set(err, ERR_MACHINE, "", "`%s` cannot be removed: %s", path, strerror(errno));
    }
    return true;
}

void
lab_dir_close(struct lab_dir *dir)
{
    if (!dir) {
        return;
    }
    lab_dir_unlock(dir);
    if (dir->throw_away && dir->state_path && dir->owner == getpid()) {
        lab_dir_remove(dir->path, NULL);
    }
    free(dir->name);
    free(dir->path);
    free(dir->state_path);
    free(dir->journal_path);
    free(dir->lock_path);
    free(dir->socket_path);
    free(dir->saved);
    free(dir);
}

/* ---- The lock ---------------------------------------------------------------------------------------------------- */

static bool
lock_failed(const struct lab_dir *dir, int fd, struct err *err)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (keeper_is_alive(dir->socket_path)) {
        err_set(err, ERR_MACHINE, "", "lab `%s` is live: its keeper holds it", dir->name);
        return err_hint(err, "first: vpclab --lab %s down", dir->name);
    }
    char *proc = xasprintf("/proc/%ld/comm", pid);
    struct buf name = { 0 };
    if (pid > 0 && buf_read_file(&name, proc, 64, NULL)) {
        err_set(err, ERR_MACHINE, "", "lab `%s` is being changed by process %ld (%.*s)", dir->name, pid,
                (int)strcspn(buf_str(&name), "\n"), buf_str(&name));
    } else {
        err_set(err, ERR_MACHINE, "", "lab `%s` is being changed by another process", dir->name);
    }
    buf_done(&name);
    free(proc);
    err_hint(err, "wait until it has finished, or work in another lab: --lab NAME");
    return false;
}

void
lab_dir_note_owner(struct lab_dir *dir)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    /* The pid is for error messages only: the lock itself is the kernel's. */
    if (ftruncate(dir->lock_fd, 0) == 0 && pwrite(dir->lock_fd, text, (size_t)size, 0) != size) {
        (void)!ftruncate(dir->lock_fd, 0);
    }
}

/* What a writer that was killed left half written.  Only the holder of the lock writes, so nobody is at it now. */
static void
sweep_half_written(const struct lab_dir *dir)
{
    static const char begin[] = "state.json.tmp";
    DIR *directory = opendir(dir->path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (strncmp(entry->d_name, begin, sizeof begin - 1) == 0) {
            unlinkat(dirfd(directory), entry->d_name, 0);
        }
    }
    if (directory) {
        closedir(directory);
    }
}

bool
lab_dir_lock(struct lab_dir *dir, struct err *err)
{
    if (dir->lock_fd >= 0) {
        return true;
    }
    int fd = open(dir->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return err_set(err, ERR_MACHINE, "", "`%s` cannot be opened: %s", dir->lock_path, strerror(errno));
    }
    for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += 10) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            err_set(err, ERR_MACHINE, "", "`%s` cannot be locked: %s", dir->lock_path, strerror(errno));
        } else if (waited < LOCK_WAIT_MS) {
            nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
            continue;
        } else {
            lock_failed(dir, fd, err);
        }
        close(fd);
        return false;
    }
    dir->lock_fd = fd;
    lab_dir_note_owner(dir);
    sweep_half_written(dir);
    return true;
}

void
lab_dir_unlock(struct lab_dir *dir)
{
    /* Closing, not LOCK_UN: that would also take the lock from a keeper forked meanwhile. */
    if (dir->lock_fd >= 0) {
        close(dir->lock_fd);
        dir->lock_fd = -1;
    }
}

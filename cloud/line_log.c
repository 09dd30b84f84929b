#include "cloud/line_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/vec.h"

static int
open_log(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Of several processes that find the log full the first turns it over; who waited for it finds another file there. */
static void
turn_over(const char *path, int fd, size_t *forgotten)
{
    char *old_path = xasprintf("%s.1", path);
    struct stat ours, there, old;
    flock(fd, LOCK_EX);
    if (fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino) {
        size_t size = stat(old_path, &old) == 0 ? (size_t)old.st_size : 0;
        if (rename(path, old_path) == 0 && forgotten) {
            *forgotten = size;
        }
    }
    free(old_path);
}

bool
line_log_append(const char *path, const char *lines, size_t size, size_t limit, size_t *forgotten, struct err *err)
{
    struct stat st;
    if (forgotten) {
        *forgotten = 0;
    }
    int fd = open_log(path);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && (size_t)st.st_size + size > limit) {
        turn_over(path, fd, forgotten);
        close(fd); /* and with it the lock */
        fd = open_log(path);
    }
    bool done = fd >= 0 && write(fd, lines, size) == (ssize_t)size;
    if (!done) {
        err_set(err, ERR_MACHINE, "", "`%s` cannot be written: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return done;
}

static bool
read_all(int fd, struct buf *out)
{
    char block[65536];
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR)) {
        buf_add(out, block, n > 0 ? (size_t)n : 0);
    }
    return n == 0;
}

bool
line_log_read(const char *path, struct buf *lines, size_t *older, struct err *err)
{
    /* Opened in this order, so that a log that is turned over meanwhile is read once and not missed. */
    char *old_path = xasprintf("%s.1", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC), old_fd = open(old_path, O_RDONLY | O_CLOEXEC);
    struct stat st, old;
    bool missing = fd < 0 && errno == ENOENT;
    if (old_fd >= 0 && fd >= 0 && fstat(fd, &st) == 0 && fstat(old_fd, &old) == 0 && st.st_ino == old.st_ino) {
        close(old_fd);
        old_fd = -1;
    }
    bool good = old_fd < 0 || read_all(old_fd, lines);
    if (older) {
        *older = lines->size;
    }
    good = good && (missing || (fd >= 0 && read_all(fd, lines)));
    if (!good) {
        err_set(err, ERR_MACHINE, "", "`%s` cannot be read: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    if (old_fd >= 0) {
        close(old_fd);
    }
    free(old_path);
    return good;
}

size_t
line_log_size(const char *path)
{
    char *old_path = xasprintf("%s.1", path);
    struct stat st = { 0 }, old = { 0 };
    size_t size = stat(path, &st) == 0 ? (size_t)st.st_size : 0;
    size += stat(old_path, &old) == 0 ? (size_t)old.st_size : 0;
    free(old_path);
    return size;
}

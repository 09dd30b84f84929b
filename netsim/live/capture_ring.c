#include "netsim/live/capture_ring.h"

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

static bool
write_all(int fd, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, bytes + done, size - done);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool
begin(struct capture_ring *ring, int which)
{
    ring->overwritten += ring->packets[which];
    ring->packets[which] = 0;
    ring->writing = which;
    ring->sizes[which] = ring->begin.size;
    return ftruncate(ring->fds[which], 0) == 0 && lseek(ring->fds[which], 0, SEEK_SET) == 0 &&
           write_all(ring->fds[which], ring->begin.data, ring->begin.size);
}

bool
capture_ring_add(struct capture_ring *ring, const void *bytes, size_t size)
{
    bool ok = ring->sizes[ring->writing] || begin(ring, ring->writing);
    if (ring->sizes[ring->writing] + size > ring->half) {
        ok = ok && begin(ring, !ring->writing);
    }
    ok = ok && write_all(ring->fds[ring->writing], bytes, size);
    ring->sizes[ring->writing] += size;
    ring->packets[ring->writing]++;
    return ok;
}

static bool
append(int from, int to)
{
    char buffer[65536];
    ssize_t n;
    bool ok = lseek(from, 0, SEEK_SET) == 0 && lseek(to, 0, SEEK_END) >= 0;
    while (ok && (n = read(from, buffer, sizeof buffer)) != 0) {
        ok = n > 0 ? write_all(to, buffer, (size_t)n) : errno == EINTR;
    }
    return ok;
}

bool
capture_ring_finish(struct capture_ring *ring)
{
    if (!ring->sizes[1]) {
        return true;
    }
    /* The older half comes first: where that is the spare one, the file is put behind it and all of it copied back. */
    return ring->writing == 1 ? append(ring->fds[1], ring->fds[0])
                              : append(ring->fds[0], ring->fds[1]) && ftruncate(ring->fds[0], 0) == 0 &&
                                    append(ring->fds[1], ring->fds[0]);
}

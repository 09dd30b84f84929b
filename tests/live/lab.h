/* tests/live/lab.h - a test program that moves itself into namespaces of its own, so that a lab can be built in it as any user. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>
#include "tests/test.h"
#include "netsim/live/live.h"

static bool
lab_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* True once the program is alone in its namespaces, as their root. */
static bool
lab_enter(void)
{
    static int entered; /* 1 yes, -1 no */
    if (!entered) {
        char uids[48], gids[48];
        snprintf(uids, sizeof uids, "0 %u 1", (unsigned)geteuid());
        snprintf(gids, sizeof gids, "0 %u 1", (unsigned)getegid());
        bool ok = unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0 && lab_write("/proc/self/uid_map", uids) &&
                  lab_write("/proc/self/setgroups", "deny") && lab_write("/proc/self/gid_map", gids) &&
                  mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
        entered = ok ? 1 : -1;
    }
    return entered == 1;
}

/* Without user namespaces a live test cannot run; where it must (CI), that is a failure. */
#define LAB_OR_SKIP()                                                     \
    do {                                                                  \
        if (!lab_enter()) {                                               \
            REQUIRE(!getenv("VPCLAB_REQUIRE_LIVE"), "no user namespaces here"); \
            TEST_SKIP("no user namespaces here (see `vpclab doctor`)");   \
        }                                                                 \
    } while (0)

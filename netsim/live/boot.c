#include "netsim/live/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/base64.h"
#include "netsim/live/guests.h"
#include "netsim/live/keeper.h"
#include "netsim/model/instance.h"

struct console {
    struct watch watch; /* first; fd -1: nobody writes any more */
    struct reactor *reactor;
    struct buf text;
};
struct boot {
    struct reactor *reactor;
    const struct live_hooks *hooks;
    struct map begun; /* instance id -> struct console */
};

struct boot *
boot_new(struct reactor *reactor, const struct live_hooks *hooks)
{
    struct boot *boot = xcalloc(1, sizeof *boot);
    boot->reactor = reactor;
    boot->hooks = hooks;
    return boot;
}

static void
hang_up(struct console *console)
{
    if (console->watch.fd >= 0) {
        reactor_remove(console->reactor, &console->watch);
        close(console->watch.fd);
        console->watch.fd = -1;
    }
}

void
boot_free(struct boot *boot)
{
    const char *id;
    void *value;
    for (size_t cursor = 0; boot && map_next(&boot->begun, &cursor, &id, &value);) {
        struct console *console = value;
        hang_up(console);
        buf_done(&console->text);
        free(console);
    }
    if (boot) {
        map_done(&boot->begun);
        free(boot);
    }
}

static void
on_output(struct watch *watch, uint32_t events)
{
    struct console *console = (struct console *)watch;
    char data[4096];
    ssize_t n = read(watch->fd, data, sizeof data);
    (void)events;
    if (n > 0) {
        buf_add(&console->text, data, (size_t)n);
        if (console->text.size > BOOT_CONSOLE_MAX) {
            size_t gone = console->text.size - BOOT_CONSOLE_MAX;
            memmove(console->text.data, console->text.data + gone, BOOT_CONSOLE_MAX + 1);
            console->text.size = BOOT_CONSOLE_MAX;
        }
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        hang_up(console);
    }
}

static void
run(struct boot *boot, const struct spaces *spaces, const struct instance *instance, struct space *space,
    const char *script, size_t size, struct console *console)
{
    int ends[2];
    struct live_identity identity = { 0 };
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return;
    }
    boot->hooks->identity(boot->hooks->context, instance, &identity);
    const struct keeper_exec_options options = { .name = instance->obj.id,
                                                 .hostname = identity.hostname,
                                                 .hosts = buf_str(&identity.hosts),
                                                 .resolv = buf_str(&identity.resolv),
                                                 .authority = identity.authority };
    struct err err = { 0 };
    const struct guest *guest = space_guest(spaces, space, &err);
    if (!guest ||
        !keeper_run_script(space->fd, guest, guests_user(spaces->guests), script, size, &options, ends[1], &err)) {
        buf_printf(&console->text, "user data cannot be run: %s\n", err.text);
    }
    close(ends[1]);
    console->watch = (struct watch){ nlq_high_fd(ends[0]), on_output };
    fcntl(console->watch.fd, F_SETFL, O_NONBLOCK);
    reactor_add(boot->reactor, &console->watch, EPOLLIN);
    buf_done(&identity.hosts);
    buf_done(&identity.resolv);
}

void
boot_sync(struct boot *boot, const struct spaces *spaces, const struct network *net)
{
    const struct store *store = network_store(net);
    for (const struct instance *i = store_first(store, &instance_kind); i; i = store_next(store, i)) {
        struct space *space = i->user_data && instance_is_running(i) && !map_get(&boot->begun, i->obj.id)
                                  ? spaces_find(spaces, i->obj.id)
                                  : NULL;
        if (!space) {
            continue;
        }
        struct console *console = xcalloc(1, sizeof *console);
        size_t size;
        char *script = base64_bytes(i->user_data, &size);
        console->watch.fd = -1;
        console->reactor = boot->reactor;
        map_put(&boot->begun, i->obj.id, console);
        if (script && size > 2 && memcmp(script, "#!", 2) == 0) {
            run(boot, spaces, i, space, script, size, console);
        }
        free(script);
    }
}

const struct buf *
boot_console(const struct boot *boot, const char *instance_id)
{
    const struct console *console = map_get(&boot->begun, instance_id);
    return console ? &console->text : NULL;
}

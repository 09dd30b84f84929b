/* netsim/live/reactor.h - sockets that the keeper serves beside commands: one epoll for all services of a lab.
 *
 * The keeper waits for reactor_fd() and then calls reactor_run().  Nothing here blocks.
 * Used by: http_server.c, services.c and the services themselves. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct reactor;
struct watch {
    int fd;
    void (*ready)(struct watch *watch, uint32_t events); /* EPOLLIN ...; may remove any watch, its own too */
};

struct reactor *reactor_new(void); /* NULL: the kernel gives no epoll */
void reactor_free(struct reactor *reactor); /* closes no socket but its own */
int reactor_fd(const struct reactor *reactor); /* readable when something is to be done */
void reactor_run(struct reactor *reactor);     /* does what is to be done now */

/* The watch stays where it is until it is removed. */
bool reactor_add(struct reactor *reactor, struct watch *watch, uint32_t events);
void reactor_change(struct reactor *reactor, struct watch *watch, uint32_t events);
void reactor_remove(struct reactor *reactor, struct watch *watch); /* before its descriptor is closed */

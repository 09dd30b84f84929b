/* netsim/live/boot.h - the first start of instances: user data that begins with `#!` runs in the instance, what it prints is its console.
 *
 * As with cloud-init once for each instance: a stop and a start do not run it again, a new `up`, before which nothing of the instance was there,
 * does.  Scripts run beside each other and beside everything else.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html   Used by: services.c */
#pragma once
#include "base/map.h"
#include "netsim/live/apply.h"
#include "netsim/live/live.h"
#include "netsim/live/reactor.h"

#define BOOT_CONSOLE_MAX 65536 /* the latest bytes, as AWS keeps them */

struct boot;
struct boot *boot_new(struct reactor *reactor, const struct live_hooks *hooks);
void boot_free(struct boot *boot);
/* Starts what runs for the first time. */
void boot_sync(struct boot *boot, const struct spaces *spaces, const struct network *net);
const struct buf *boot_console(const struct boot *boot, const char *instance_id); /* NULL: nothing was printed */

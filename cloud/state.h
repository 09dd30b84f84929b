/* cloud/state.h - where a lab lies on disk: its directory, state file, lock and the path of its keeper's socket.
 *
 *     DIR/state.json      everything; replaced as a whole after each change
 *     DIR/journal.jsonl   journal.h
 *     DIR/lock            flock()ed by the one process that changes the lab; holds its pid
 *
 * Used by: cloud.c, op_run.c, journal.c, keeper_link.c, ops_live.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "cloud/cloud.h"

#define STATE_VERSION 1

struct lab_dir {
    char *name;         /* as in the prompt: "default"; the last part of a directory's path */
    char *path;         /* absolute */
    char *state_path, *journal_path, *lock_path;
    char *socket_path;  /* of the keeper while the lab is live; short enough for a Unix socket */
    bool throw_away;    /* removed by lab_dir_close() */
    int lock_fd;        /* -1: not locked by us */
    pid_t owner;        /* who opened it: a forked keeper does not remove the directory */
    char *saved;        /* the text of state.json as we last read or wrote it */
    size_t saved_size;
    size_t saved_stamp, last_stamp; /* of that text (base/store.h, struct store_text), and the last one given */
    struct timespec saved_time; /* and what tells that another process has replaced it */
    ino_t saved_inode;
};

/* Finds or makes the directory. 'lab': a name, or a path (it has a '/'); NULL: $VPCLAB_LAB, else "default". 'throw_away': a new temporary
 * one.  ERR_USAGE for a name that is none, ERR_MACHINE when it cannot be made. */
struct lab_dir *lab_dir_open(const char *lab, bool throw_away, struct err *err);
/* The same, but makes nothing: NULL without an error when the directory is not there. */
struct lab_dir *lab_dir_find(const char *lab, struct err *err);
void lab_dir_close(struct lab_dir *dir);
/* "$XDG_DATA_HOME/vpclab/labs"; the caller frees it. */
char *labs_path(void);
bool lab_name_valid(const char *name);
/* Deletes a lab's directory and what is in it. */
bool lab_dir_remove(const char *path, struct err *err);

/* Becomes the one process that may change the lab; waits up to a second for another, then fails with ERR_MACHINE naming its pid.  A forked
 * keeper goes on holding it when the parent unlocks. */
bool lab_dir_lock(struct lab_dir *dir, struct err *err);
void lab_dir_unlock(struct lab_dir *dir);
void lab_dir_note_owner(struct lab_dir *dir); /* the lock is ours now: writes our pid (a keeper, after the fork) */

/* cloud's state as text, one resource a line; the caller frees it. */
char *state_text(const struct cloud *cloud, size_t *size);
/* Fills an empty cloud from the text. ERR_DOCUMENT with line and column in 'where'; the cloud is then half filled. */
bool state_parse(struct cloud *cloud, const char *text, size_t size, const char *where, struct err *err);

/* Writes state.json if it changed. 'cloud->dir' NULL: nothing to do. */
bool state_save(struct cloud *cloud, struct err *err);
/* Takes over what another process has saved since. */
bool state_refresh(struct cloud *cloud, struct err *err);
/* Makes memory as state.json was last read or written (an operation failed half way). */
void state_restore(struct cloud *cloud);
/* The same from a text that state_text() gave. */
void state_return_to(struct cloud *cloud, const char *text, size_t size);

/* netsim/live/guest_files.h - the machine's files as programs of an instance see them: to read, without what is anybody's own.
 *
 * Two namespaces of mounts lie above each other.  The first, made once for a lab by its owner, has everything read-only and without devices, a /dev of
 * harmless ones, and covers over home directories, temporary and runtime files and the lab's own files.  The second is an instance's: on
 * the covers it has room of its own in memory, which all its programs share and which ends with it.  What the first holds, root of the second can neither
 * lift nor make writable: mounts that come from a more privileged user namespace are locked.
 *
 * Source: mount_namespaces(7), mount_setattr(2).   Used by: guests.c, keeper_exec.c */
#pragma once
#include <stdbool.h>

/* In a new mount namespace of the lab's user namespace: makes it the first kind.  False with errno set. */
bool guest_files_seal(void);
/* In a copy of that namespace, inside the instance's PID and network namespace: makes it the second kind.  False with errno set. */
bool guest_files_own(void);

/* Is the directory that a program is started in covered, and yet nothing that must stay so (a whole home directory, the files of 'lab', which may be NULL)? */
bool guest_files_may_show(const char *directory, const char *lab);
/* A detached, read-only copy of 'directory' (or a file), for guest_files_show(); -1 with errno set. */
int guest_files_copy(const char *directory);
/* Mounts the copy at its old place where that is covered, in a namespace of mounts that the lab's user namespace owns. */
bool guest_files_show(int copy, const char *directory);

/* The same with the copy of a program, to be run at 'path', which lies in a room of the instance's own. */
bool guest_files_show_program(int copy, const char *path);

/* Makes the directories above the last name of 'path' that are missing. */
bool guest_files_parents(const char *path);

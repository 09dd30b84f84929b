/* cloud/load_inside.h - `load` as a program in a machine of the lab: by ordinary sockets of that machine, knowing nothing of the lab.
 * Used by: ops_load.c */
#pragma once
#include "cloud/op.h"
#include "netsim/live/load.h"

/* Sends to 'name', an address or a name that the machine's resolver knows.  ERR_INPUT when there is none, ERR_MACHINE when nothing connects. */
bool load_inside_send(const char *name, int family, struct load_options *options, struct load_result *result, struct err *err);
/* Counts what comes to the port over TCP and UDP, a line for each run as it ends.  'out': "Port", "Runs". */
bool load_inside_receive(struct op_call *call, int port, struct err *err);
void load_inside_receive_text(const json_t *out, struct buf *text);

/* cloud/inside.h - is this program itself running in a machine of a live lab?  `exec`, `shell` and user data say so to what they start.
 * Nothing rests on it: what a program there may do the kernel decides; it only makes for the right words.
 * Used by: cloud.c, op_run.c, ops_load.c, load_inside.c */
#pragma once
#include "base/err.h"

const char *inside_node(void); /* "web"; NULL: outside */
/* For what asks the lab; always false. */
bool inside_refuse(struct err *err);

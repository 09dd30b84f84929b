/* netsim/analysis/explain.h - a finished walk, hop by hop: ids, and lines a person reads.
 *
 * One table row per kind of hop, so a new construct adds a row; components.c has the same in AWS's words.
 *
 * Uses: walk.h, wording.h.   Used by: reach.c; obstacle.c says why a walk stopped. */
#pragma once
#include "netsim/analysis/walk.h"

/* Appends the ids crossed, without doubles in a row. */
void explain_path(const struct walk *walk, id_list *path);

/* Appends one reading of each hop to 'steps'.  'direction' is "forward" or "return". */
void explain_steps(const struct walk *walk, const char *direction, json_t *steps);

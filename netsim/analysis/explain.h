/* netsim/analysis/explain.h - a finished walk, hop by hop: ids, AWS's PathComponents, and lines a person reads.
 *
 * One table row per kind of hop, so a new construct adds a row.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_PathComponent.html
 *
 * Uses: walk.h, wording.h.   Used by: reach.c; obstacle.c says why a walk stopped. */
#pragma once
#include "netsim/analysis/walk.h"

/* Appends the ids crossed, without doubles in a row. */
void explain_path(const struct walk *walk, id_list *path);

json_t *explain_components(const struct walk *walk); /* array of PathComponent */

/* Appends one reading of each hop to 'steps' and one note to 'trace'; either may be NULL.  'direction' is "forward" or "return". */
void explain_steps(const struct walk *walk, const char *direction, json_t *steps, struct trace *trace);

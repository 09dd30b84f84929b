/* netsim/analysis/components.h - a finished walk as AWS's PathComponents.
 *
 * One table row per kind of hop, so a new construct adds a row here and one in explain.c.
 * Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_PathComponent.html, API_AdditionalDetail,
 * https://docs.aws.amazon.com/vpc/latest/reachability/additional-detail-codes.html
 *
 * Uses: walk.h, wording.h, obstacle.h.   Used by: reach.c. */
#pragma once
#include "netsim/analysis/walk.h"

/* Array of PathComponent.  A component at which the walk stopped says why, in its Explanations. */
json_t *path_components(const struct walk *walk);

/* Adds {"AdditionalDetailType": code} to the AdditionalDetails of the component. */
json_t *component_detail(json_t *component, const char *code);

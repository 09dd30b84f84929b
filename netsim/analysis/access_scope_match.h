/* netsim/analysis/access_scope_match.h - does an end, a header or a path fit a statement of an access scope?
 *
 * Uses: reach.h.   Used by: access_scope.c. */
#pragma once
#include "netsim/analysis/reach.h"

/* An end of a path: an interface, with all it belongs to, or a gateway. */
struct scope_end {
    const struct eni *eni;
    const struct object *gateway; /* when eni is NULL */
};
/* 'path' is an AccessScopePath, 'side' its "Source" or "Destination"; what it does not say, anything fits. */
bool scope_end_fits(const struct network *net, const struct scope_end *end, const json_t *path, const char *side);
bool scope_header_fits(const struct network *net, const struct packet *packet, const json_t *path, const char *side);
/* Each of its ThroughResources stands on the way. */
bool scope_through_fits(const struct network *net, const json_t *components, const json_t *path);
bool scope_port_range(const char *text, int *from, int *to); /* "80", "80-90" */

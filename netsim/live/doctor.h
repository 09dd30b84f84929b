/* netsim/live/doctor.h - what of the live lab this machine can do, and how to mend what it cannot.
 *
 * Each check tries the thing itself in a forked child with namespaces of its own, so that asking leaves no trace.
 * Used by: keeper.c (why did unshare fail?), apply.c, cloud/ops_live.c (`doctor`). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

struct doctor_finding {
    const char *name;    /* "user namespaces" */
    bool untried; /* what is missing above it needs */
    bool ok, required;   /* required: without it there is no live lab */
    const char *purpose; /* what it is for */
    char detail[200];    /* what was seen */
    char remedy[200];    /* "" when ok */
};

#define DOCTOR_FINDINGS_MAX 16
/* Fills 'findings'; returns how many. Takes some milliseconds. */
size_t doctor_run(struct doctor_finding findings[static DOCTOR_FINDINGS_MAX]);

/* Adds to an error about user namespaces the remedy for this machine's very reason. Returns false like err_hint(). */
bool doctor_explain_userns(struct err *err);

/* netsim/interop/aws_report.h - what an import took, what it left and what looks wrong, gathered while it runs.
 * Used by: aws_import.c, which describes the JSON in its header. */
#pragma once
#include "base/map.h"
#include "netsim/model/network.h"

struct aws_report {
    const struct network *net;
    size_t merged, known_lists;
    json_t *files;              /* SkippedFiles */
    json_t *lists, *members;    /* as Skipped and SkippedMembers, by name */
    json_t *counts;             /* objects by kind */
    json_t *accounts, *regions; /* objects by name */
    json_t *missing;            /* by "TYPE MEMBER": {Count, Of, Id} */
    json_t *warnings;
};

void report_init(struct aws_report *report, const struct network *net);
void report_done(struct aws_report *report);
void report_skipped_file(struct aws_report *report, const char *file, const char *reason);
/* A top-level member that no kind has: a list of objects, or AWS's own "NextToken". */
void report_skipped_list(struct aws_report *report, const char *file, const char *name, const json_t *list);
void report_warning(struct aws_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An object that has been loaded: counts it, its members that nobody models, and the ids in it that name nothing. */
void report_record(struct aws_report *report, const struct kind *kind, const json_t *record);
void report_write(const struct aws_report *report, json_t *out);

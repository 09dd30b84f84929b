/* iampolicy/table.h - requests beside the decisions expected of them, and what was decided instead.
 *
 * Two forms.  Plain text, a request a line, decided under the policies added before:
 *
 *     PRINCIPAL ACTION RESOURCE [owner=ACCOUNT] [KEY=VALUE | KEY=[A,B]]... -> DECISION [by SID[,SID...]] [at STEP]
 *
 * '#' begins a comment line; a word with spaces in it stands in double quotes, whole or in part.  DECISION is allowed,
 * explicitDeny or implicitDeny; SIDs are all those of the statements that decided, in any order; STEP is what decided:
 * guard explicit-deny rcp scp endpoint resource boundary session identity allowed bucket-restricted
 * no-permission-needed.
 *
 * JSON: a list of decision cases, or one a line, each with its policies: as batch.h says, and beside "request" and
 * "policies" an "expect": {"decision", "blockedBy"}, with "id" or "name" as its title.
 *
 * The context is complete as given: nothing is filled in.   Uses: chain.h, batch.h.   Used by: cloud/ops_policy_test.c
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"

struct iam_table_row {
    char *where; /* the text the row stands in */
    int line;
    char *name;
    char *problem;    /* NULL: as expected */
    json_t *decision; /* of a row that differs: explain.h; else NULL */
};

struct iam_table {
    VEC(struct iam_table_row) rows;
    size_t n_failed;
};
void iam_table_done(struct iam_table *table);

/* The policies of plain text, by the names of their files:
 *   identity*.json policy*.json resource*.json trust*.json boundary*.json session*.json endpoint*.json
 *   scp-LEVEL-ENTITY.json rcp-LEVEL-ENTITY.json, levels from 1 (the root) without a gap. */
struct iam_table_policies;
struct iam_table_policies *iam_table_policies_new(void);
void iam_table_policies_free(struct iam_table_policies *policies);
/* Parses a policy; 'file' is the name that says its kind, 'where' is shown before line and column.  ERR_USAGE for a
 * name of no kind, ERR_DOCUMENT for a wrong policy.  Files must come in alphabetical order. */
bool iam_table_add_policy(struct iam_table_policies *policies, const char *file, const char *text, size_t size,
                          const char *where, struct err *err);

/* Decides every row and adds it to 'table'.  Stops at the first line that is no request: ERR_DOCUMENT with the place.
 */
bool iam_table_run_text(struct iam_table *table, const struct iam_table_policies *policies, const char *text,
                        size_t size, const char *where, struct err *err);
bool iam_table_run_json(struct iam_table *table, const char *text, size_t size, const char *where, struct err *err);

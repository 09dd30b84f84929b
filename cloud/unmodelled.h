/* cloud/unmodelled.h - members of AWS requests that the lab has no meaning for.
 *
 * What is accepted is not ignored: a member that no code reads has a row here, and a request that gives it is refused
 * by every face alike. A value that is AWS's own default changes nothing and passes, where the row names it.
 * tests/unit/test_members.c finds members that are neither read nor in a row.  Used by: op_run.c. */
#pragma once
#include "cloud/op.h"

/* False and UnsupportedOperation (S3: NotImplemented), at the member, when the request says something the lab does not
 * model. */
bool unmodelled_check(const struct op_call *call, struct err *err);
/* The rows; the last has a NULL service. */
struct unmodelled {
    const char *service, *operations; /* "CreateRule ModifyRule" */
    const char *members; /* "Member Structure.Member Member=VALUE": a value after = is AWS's default and passes */
    const char *hint;    /* NULL: none */
};
extern const struct unmodelled unmodelled_rows[];

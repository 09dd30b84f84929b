/* cloud/op_argv.h - what the aws command line adds to the operations' own parameters: the rows behind op_read_argv().
 *
 * The real `aws` has options that are no parameters (`--protocol tcp --port 22 --cidr C` for IpPermissions) and rewrites values before it
 * sends them.  Each is one row here, so that a line copied from a tutorial means the same.
 * Used by: op_argv.c, op_params.c. */
#pragma once
#include "cloud/op_types.h"

enum custom_type { CUSTOM_TEXT, CUSTOM_LIST, CUSTOM_FLAG };
struct argv_custom {
    const char *operations; /* space-separated names within ec2 */
    const char *option;     /* "count" */
    enum custom_type type;
    const char *help;
    const char *against;    /* the option that says the same in full, "ip-permissions": not both; NULL: none */
    /* Puts the value (a string, a list of strings, or a boolean) into the request. */
    bool (*put)(json_t *in, const json_t *value, struct err *err);
};
extern const struct argv_custom argv_customs[]; /* ends with a NULL option */
bool argv_custom_applies(const struct argv_custom *custom, const struct op *op);
/* Options of the model that the aws command does not offer (run-instances --min-count). */
bool argv_hides(const struct op *op, const char *option);
/* What the aws command does to a request once all options are read. */
bool argv_finish(const struct op *op, json_t *in, struct err *err);


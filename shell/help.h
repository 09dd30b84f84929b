/* shell/help.h - help texts made from the rows: of one operation, of a service, of the whole program by task.
 *
 * At most 80 columns; the first line is the usage.  Uses: cloud/op.h, builtin.h, options.h.   Used by: shell.h, man.h,
 * repl.h */
#pragma once
#include "base/buf.h"
#include "cloud/op.h"
#include "shell/builtin.h"

void help_overview(struct buf *out);                /* `help`, `vpclab --help` */
void help_op(const struct op *op, struct buf *out); /* `vpclab reach --help` */
void help_builtin(const struct builtin *builtin, struct buf *out);
bool help_service(const char *service, struct buf *out); /* `vpclab ec2 --help`; false if there is no such service */
bool help_group(const char *group, struct buf *out);     /* `help look`; likewise */

/* "--cidr-block TEXT", "SOURCE", "[--no-]dry-run": a parameter as it is typed. */
void help_param(const struct op_param_info *param, struct buf *out);
/* "reach SOURCE DESTINATION [--port N] [OPTION]...": words and parameters, required ones first. */
void help_usage(const struct op *op, struct buf *out);

/* Adds 'text' wrapped at 80 columns, each line after the first indented by 'indent'; 'column' is where the cursor
 * stands. */
void help_wrap(struct buf *out, const char *text, size_t indent, size_t column);

/* The tasks of `help`, in order: { "build", "Describe a network and its accounts" }, ... ends with a NULL name. */
struct help_task {
    const char *name, *title;
};
extern const struct help_task help_tasks[];

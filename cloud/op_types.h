/* cloud/op_types.h - parameter types of operations: checking a JSON object against them, and which members name resources.
 *
 * Types of an AWS operation come from cloud/awsmodel, those of a lab verb from its struct op_param rows.
 * Uses: awsmodel.   Used by: op_run.c, op_argv.c, op_object.c. */
#pragma once
#include "cloud/awsmodel/awsmodel.h"
#include "cloud/op.h"

/* How strict a check is and in whose words it complains. */
enum check_mode {
    CHECK_CALL, /* AWS's codes: MissingParameter, InvalidParameterValue, UnknownParameter (or the service's own for these) */
    CHECK_ARGV, /* as the aws command does before it sends anything: ERR_USAGE, options by their spelling; enums are left to CHECK_CALL */
};

/* A checked copy of 'in': numbers and flags given as text are converted, resource names stay as they are.  NULL and 'err' naming the
 * member's path ("IpPermissions[0].FromPort", "--ip-permissions[0].FromPort") when a member is unknown, missing or of another type. */
json_t *op_check(const struct op *op, const json_t *in, enum check_mode mode, struct err *err);

/* Replaces names and id prefixes in 'args' (an op_check() copy) by ids.  cloud_resolve()'s errors, with the member's path. */
bool op_resolve_names(const struct op *op, const struct cloud *cloud, json_t *args, struct err *err);

/* The kind of resource whose id a member of a request holds, by its name ("SourceSubnetId": "subnet"): an id prefix; "" when it may be of
 * any kind; NULL when the member is no id that a person may write as a name.  Also for lists ("SubnetIds"). */
const char *op_member_kind(const struct op *op, const char *member);

/* The AWS operation behind a row; NULL for lab verbs. */
const struct aws_operation *op_aws(const struct op *op);
/* {"Value": true} structures, which the command line writes as flags. */
bool shape_is_flag(const struct aws_shape *shape);
const char *shape_type_name(const struct aws_shape *shape); /* "string", "list of structure" */
/* AWS's code for a bad parameter in that service: which is one of "missing", "value", "unknown". */
enum parameter_fault { FAULT_MISSING, FAULT_VALUE, FAULT_UNKNOWN };
const char *op_fault_code(const struct op *op, enum parameter_fault fault);
/* "SrcIp" -> "src-ip" (or with '_'), for lab verbs; AWS's own come from the model. */
void option_spelling(const char *name, char separator, char *out, size_t size);
/* True if the names are equal but for case, '-' and '_': "cidr_block" and "CidrBlock". */
bool same_spelling(const char *a, const char *b);

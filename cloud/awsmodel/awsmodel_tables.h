/* cloud/awsmodel/awsmodel_tables.h - the generated tables themselves; everybody else uses awsmodel.h. */
#pragma once
#include "cloud/awsmodel/awsmodel.h"

extern const struct aws_service aws_services[];
extern const size_t aws_n_services;
extern const struct aws_operation aws_operations[];
extern const struct aws_shape aws_shapes[];
extern const struct aws_member aws_members_table[];
extern const uint32_t aws_enum_values[];
extern const struct aws_limit aws_limits[];
extern const struct aws_error aws_errors[];
extern const uint16_t aws_error_refs[];
extern const struct aws_pager aws_pagers[];
extern const char aws_pool[];

#include <string.h>
#include "cloud/awsmodel/awsmodel_tables.h"

const char *
aws_text(uint32_t offset)
{
    return aws_pool + offset;
}

size_t
aws_service_count(void)
{
    return aws_n_services;
}

const struct aws_service *
aws_service_at(size_t index)
{
    return &aws_services[index];
}

const struct aws_service *
aws_service_find(const char *name)
{
    for (size_t i = 0; i < aws_n_services; i++) {
        if (strcmp(aws_text(aws_services[i].name), name) == 0) {
            return &aws_services[i];
        }
    }
    return NULL;
}

const struct aws_operation *
aws_operation_at(const struct aws_service *service, size_t index)
{
    return &aws_operations[service->first_operation + index];
}

const struct aws_operation *
aws_operation_find(const char *service, const char *name)
{
    const struct aws_service *s = aws_service_find(service);
    size_t low = 0, high = s ? s->n_operations : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct aws_operation *operation = aws_operation_at(s, middle);
        int order = strcmp(name, aws_text(operation->name));
        if (order == 0) {
            return operation;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct aws_operation *
aws_operation_by_words(const char *service, const char *words)
{
    /* Words and names sort differently ("get-role" against "GetRolePolicy"), so this one looks at all. */
    const struct aws_service *s = aws_service_find(service);
    for (size_t i = 0; s && i < s->n_operations; i++) {
        const struct aws_operation *operation = aws_operation_at(s, i);
        if (strcmp(words, aws_text(operation->words)) == 0) {
            return operation;
        }
    }
    return NULL;
}

const struct aws_service *
aws_operation_service(const struct aws_operation *operation)
{
    return &aws_services[operation->service];
}

const struct aws_error *
aws_operation_error(const struct aws_operation *operation, size_t index)
{
    return &aws_errors[aws_error_refs[operation->first_error + index]];
}

const struct aws_pager *
aws_pager_of(const struct aws_operation *operation)
{
    return operation->pager ? &aws_pagers[operation->pager] : NULL;
}

const struct aws_shape *
aws_shape(uint16_t number)
{
    return number ? &aws_shapes[number] : NULL;
}

const struct aws_limit *
aws_limits_of(const struct aws_shape *shape)
{
    return shape->limit ? &aws_limits[shape->limit] : NULL;
}

const struct aws_member *
aws_members(const struct aws_shape *shape)
{
    return &aws_members_table[shape->first];
}

const struct aws_member *
aws_member_find(const struct aws_shape *shape, const char *name)
{
    const struct aws_member *members = aws_members(shape);
    for (size_t i = 0; i < shape->n; i++) {
        if (strcmp(aws_text(members[i].name), name) == 0) {
            return &members[i];
        }
    }
    return NULL;
}

const char *
aws_enum_value(const struct aws_shape *shape, size_t index)
{
    return aws_text(aws_enum_values[shape->first + index]);
}

/* base/field_internal.h - what field.c and field_text.c share. */
#pragma once
#include "base/field.h"

typedef VEC(char *) string_vec;

static inline void *
member_of(const void *object, const struct field *field)
{
    return (char *)object + field->offset;
}

/* A row takes part on a level of names when its name begins as the group's does, up to 'prefix' characters ("A.B." of "A.B.C"). */
static inline bool
in_group(const struct field *field, const struct field *group, size_t prefix)
{
    return prefix == 0 || __builtin_strncmp(field->name, group->name, prefix) == 0;
}

bool field_is_printed(const struct field *field, const void *object, bool state);
const char *field_enum_text(const struct field *field, int choice); /* "": none */

/* cloud/render_table.c - answers for a person: tables and records. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/op_types.h"
#include "cloud/render.h"

struct column {
    const char *key; /* borrowed from the rows */
    size_t width;    /* characters */
    bool number;     /* every value is one: right-aligned */
};
typedef VEC(struct column) columns;

static size_t
width_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

/* A value in one cell: scalars as they are, a list's items with commas, a structure's values; nothing where there is
 * nothing. */
static void
cell(const json_t *value, struct buf *text)
{
    if (!value || json_is_null(value)) {
        return;
    }
    if (json_is_boolean(value)) {
        buf_str_add(text, json_is_true(value) ? "yes" : "no");
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            buf_str_add(text, i ? "," : "");
            cell(json_array_get(value, i), text);
        }
    } else if (json_is_object(value)) {
        const char *key;
        json_t *item;
        bool first = true;
        json_object_foreach((json_t *)value, key, item)
        {
            buf_printf(text, "%s%s=", first ? "" : " ", key);
            first = false;
            cell(item, text);
        }
    } else {
        render_scalar(value, text);
    }
}

/* Tabs and line ends would break the rows. */
static const char *
cell_text(const json_t *value, struct buf *text)
{
    buf_clear(text);
    cell(value, text);
    for (size_t i = 0; i < text->size; i++) {
        text->data[i] = iscntrl((unsigned char)text->data[i]) ? ' ' : text->data[i];
    }
    return buf_str(text);
}

static void
add_columns(columns *list, const json_t *row)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)row, key, value)
    {
        size_t i = 0;
        while (i < list->n && strcmp(list->items[i].key, key) != 0) {
            i++;
        }
        if (i == list->n) {
            *VEC_ADD(list) = (struct column){ .key = key, .number = true };
        }
    }
}

static void
heading(const char *key, struct buf *text)
{
    char spelled[128];
    buf_clear(text);
    option_spelling(key, ' ', spelled, sizeof spelled);
    for (char *p = spelled; *p; p++) {
        buf_char(text, (char)toupper((unsigned char)*p));
    }
}

static void
pad(struct buf *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_char(text, ' ');
    }
}

static void
print_cell(struct buf *text, const struct column *column, const char *value, bool first, bool last)
{
    size_t width = width_of(value), gap = column->width > width ? column->width - width : 0;
    buf_str_add(text, first ? "" : "  ");
    pad(text, column->number ? gap : 0);
    buf_str_add(text, value);
    pad(text, column->number || last ? 0 : gap);
}

static void
trim_line(struct buf *text)
{
    while (text->size && text->data[text->size - 1] == ' ') {
        text->size--;
    }
    buf_char(text, '\n');
}

static void
table_of_rows(const json_t *rows, struct buf *text)
{
    columns list = { 0 };
    struct buf value = { 0 };
    for (size_t i = 0; i < json_array_size(rows); i++) {
        add_columns(&list, json_array_get(rows, i));
    }
    for (size_t c = 0; c < list.n; c++) {
        struct column *column = &list.items[c];
        heading(column->key, &value);
        column->width = width_of(buf_str(&value));
        for (size_t i = 0; i < json_array_size(rows); i++) {
            const json_t *item = json_object_get(json_array_get(rows, i), column->key);
            size_t width = width_of(cell_text(item, &value));
            column->width = width > column->width ? width : column->width;
            column->number &= !item || json_is_null(item) || json_is_number(item);
        }
    }
    for (size_t c = 0; c < list.n; c++) {
        heading(list.items[c].key, &value);
        print_cell(text, &list.items[c], buf_str(&value), c == 0, c + 1 == list.n);
    }
    trim_line(text);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        for (size_t c = 0; c < list.n; c++) {
            const json_t *item = json_object_get(json_array_get(rows, i), list.items[c].key);
            print_cell(text, &list.items[c], cell_text(item, &value), c == 0, c + 1 == list.n);
        }
        trim_line(text);
    }
    buf_done(&value);
    VEC_DONE(&list);
}

/* The one list of an answer such as {"Vpcs": [...]}: then the table has its items as rows. */
static const json_t *
only_list(const json_t *value)
{
    const json_t *found = NULL;
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        if (json_is_array(item)) {
            if (found) {
                return NULL;
            }
            found = item;
        } else if (json_is_object(item)) {
            return NULL;
        }
    }
    return found;
}

static bool
all_objects(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_object(json_array_get(list, i))) {
            return false;
        }
    }
    return true;
}

static void
lines_of_list(const json_t *list, struct buf *text)
{
    struct buf value = { 0 };
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        for (size_t j = 0; json_is_array(item) && j < json_array_size(item); j++) {
            buf_printf(text, "%s%s", j ? "  " : "", cell_text(json_array_get(item, j), &value));
        }
        if (!json_is_array(item)) {
            buf_str_add(text, cell_text(item, &value));
        }
        buf_char(text, '\n');
    }
    buf_done(&value);
}

void
render_table(const json_t *value, struct buf *text)
{
    const json_t *list = json_is_array(value) ? value : json_is_object(value) ? only_list(value) : NULL;
    struct buf one = { 0 };
    if (list && json_array_size(list) == 0) {
        return;
    }
    if (list && all_objects(list)) {
        table_of_rows(list, text);
    } else if (list) {
        lines_of_list(list, text);
    } else if (json_is_object(value)) {
        render_record(value, text);
    } else if (!json_is_null(value)) {
        buf_printf(text, "%s\n", cell_text(value, &one));
    }
    buf_done(&one);
}

static void
record(const json_t *object, int depth, struct buf *text)
{
    const char *key;
    json_t *value;
    struct buf one = { 0 };
    size_t width = 0;
    json_object_foreach((json_t *)object, key, value)
    {
        width = strlen(key) > width ? strlen(key) : width;
    }
    json_object_foreach((json_t *)object, key, value)
    {
        bool rows = json_is_array(value) && json_array_size(value) > 0 && all_objects(value);
        pad(text, (size_t)depth * 2);
        if (json_is_object(value) || rows) {
            buf_printf(text, "%s:\n", key);
        }
        if (json_is_object(value)) {
            record(value, depth + 1, text);
        } else if (rows) {
            for (size_t i = 0; i < json_array_size(value); i++) {
                buf_str_add(text, i ? "\n" : "");
                record(json_array_get(value, i), depth + 1, text);
            }
        } else {
            buf_printf(text, "%s:", key);
            pad(text, width - strlen(key) + 2);
            buf_str_add(text, cell_text(value, &one));
            trim_line(text);
        }
    }
    buf_done(&one);
}

void
render_record(const json_t *value, struct buf *text)
{
    const json_t *list = json_is_array(value) ? value : json_is_object(value) ? only_list(value) : NULL;
    if (list && all_objects(list)) {
        for (size_t i = 0; i < json_array_size(list); i++) {
            buf_str_add(text, i ? "\n" : "");
            record(json_array_get(list, i), 0, text);
        }
    } else if (list) {
        lines_of_list(list, text);
    } else if (json_is_object(value)) {
        record(value, 0, text);
    } else {
        render_table(value, text);
    }
}

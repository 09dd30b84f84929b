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
    bool empty;      /* no row has a value */
    bool all_no;     /* every row says no */
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

static void cell(const json_t *value, struct buf *text);

/* What a structure is called: its name, else its value or state, else the first plain thing it has. */
static void
brief(const json_t *object, struct buf *text)
{
    static const char *const names[] = { "Name", "GroupName", "Value", "State", "Code" };
    const json_t *found = NULL, *key = json_object_get(object, "Key");
    for (size_t i = 0; i < ARRAY_SIZE(names) && !found; i++) {
        found = json_object_get(object, names[i]);
    }
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)object, member, value)
    {
        bool plain = !json_is_object(value) && !json_is_array(value);
        found = found ? found : plain ? value : NULL;
    }
    if (json_is_string(key)) { /* a tag */
        buf_printf(text, "%s=", json_string_value(key));
    }
    if (found) {
        cell(found, text);
    }
}

/* A value in one cell: scalars as they are, a list's items with commas, of a structure what it is called.  `--output
 * record` shows all. */
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
        brief(value, text);
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

static const json_t *
cell_value(const json_t *row, const struct column *column)
{
    return json_is_array(row) ? json_array_get(row, (size_t)column->key[0]) : json_object_get(row, column->key);
}

static void
measure(struct column *column, const json_t *rows, struct buf *scratch)
{
    bool empty = true;
    column->all_no = true;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *item = cell_value(json_array_get(rows, i), column);
        size_t width = width_of(cell_text(item, scratch));
        column->width = width > column->width ? width : column->width;
        column->number &= !item || json_is_null(item) || json_is_number(item);
        column->all_no &= item && json_is_false(item);
        empty &= width == 0;
    }
    column->empty = empty;
}

static void
print_rows(const columns *list, const json_t *rows, struct buf *text, struct buf *scratch)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        for (size_t c = 0; c < list->n; c++) {
            const json_t *item = cell_value(json_array_get(rows, i), &list->items[c]);
            print_cell(text, &list->items[c], cell_text(item, scratch), c == 0, c + 1 == list->n);
        }
        trim_line(text);
    }
}

/* AWS's resources have more members than a line has room: those that are no for all, and the ARN, which holds the id
 * once more, are left to the other formats. */
static void
leave_out(columns *list)
{
    for (size_t c = list->n; c-- > 1;) {
        const char *key = list->items[c].key;
        size_t size = strlen(key);
        if (list->items[c].all_no || (size > 3 && strcmp(key + size - 3, "Arn") == 0)) {
            VEC_REMOVE(list, c);
        }
    }
}

/* The column that names the row comes first: SubnetId in a list called Subnets, GroupId in SecurityGroups. */
static void
put_id_first(columns *list, const char *name)
{
    size_t size = name ? strlen(name) : 0;
    size = size && name[size - 1] == 's' ? size - 1 : size;
    for (size_t c = 0; size && c < list->n; c++) {
        const char *key = list->items[c].key, *id = key + strlen(key) - (strlen(key) > 2 ? 2 : 0);
        size_t stem = (size_t)(id - key);
        if (strcmp(id, "Id") == 0 && stem <= size && memcmp(name + size - stem, key, stem) == 0) {
            struct column column = list->items[c];
            memmove(&list->items[1], &list->items[0], c * sizeof column);
            list->items[0] = column;
            leave_out(list);
            return;
        }
    }
}

static void
table_of_rows(const json_t *rows, const char *name, struct buf *text)
{
    columns list = { 0 };
    struct buf scratch = { 0 };
    for (size_t i = 0; i < json_array_size(rows); i++) {
        add_columns(&list, json_array_get(rows, i));
    }
    for (size_t c = list.n; c-- > 0;) {
        heading(list.items[c].key, &scratch);
        list.items[c].width = width_of(buf_str(&scratch));
        measure(&list.items[c], rows, &scratch);
        if (list.items[c].empty && json_array_size(rows)) {
            VEC_REMOVE(&list, c); /* a column nobody has anything in only takes room */
        }
    }
    put_id_first(&list, name);
    for (size_t c = 0; c < list.n; c++) {
        heading(list.items[c].key, &scratch);
        print_cell(text, &list.items[c], buf_str(&scratch), c == 0, c + 1 == list.n);
    }
    trim_line(text);
    print_rows(&list, rows, text, &scratch);
    buf_done(&scratch);
    VEC_DONE(&list);
}

/* Rows without names, as `--query '[].[A,B]'` gives them: columns of equal width, no header. */
static void
table_of_lists(const json_t *rows, struct buf *text)
{
    static const char places[] = "\000\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017";
    columns list = { 0 };
    struct buf scratch = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        size_t size = json_array_size(json_array_get(rows, i));
        n = size > n ? size : n;
    }
    for (size_t c = 0; c < n && c + 1 < sizeof places; c++) {
        *VEC_ADD(&list) = (struct column){ .key = &places[c], .number = true };
        measure(&list.items[c], rows, &scratch);
    }
    print_rows(&list, rows, text, &scratch);
    buf_done(&scratch);
    VEC_DONE(&list);
}

/* The one list of an answer such as {"Vpcs": [...]}: then the table has its items as rows. */
static const json_t *
only_list(const json_t *value, const char **name)
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
            *name = key;
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

static bool
all_lists(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_array(json_array_get(list, i))) {
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
        buf_printf(text, "%s\n", cell_text(json_array_get(list, i), &value));
    }
    buf_done(&value);
}

void
render_table(const json_t *value, struct buf *text)
{
    const char *name = NULL;
    const json_t *list = json_is_array(value) ? value : json_is_object(value) ? only_list(value, &name) : NULL;
    struct buf one = { 0 };
    if (list && json_array_size(list) == 0) {
        return;
    }
    if (list && all_objects(list)) {
        table_of_rows(list, name, text);
    } else if (list && all_lists(list)) {
        table_of_lists(list, text);
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
    const char *name;
    const json_t *list = json_is_array(value) ? value : json_is_object(value) ? only_list(value, &name) : NULL;
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

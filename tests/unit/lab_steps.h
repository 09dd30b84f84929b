/* tests/unit/lab_steps.h - a lab, and a table of command lines on it with what each must answer.
 *
 *     { "organizations list-roots", .path = "Roots.Id", .keep = "ROOT" },
 *     { "organizations list-children --parent-id {ROOT} --child-type ACCOUNT", .path = "Children.Id", .value = "..." },
 *     { "organizations list-children --parent-id r-none --child-type ACCOUNT", .code = "ParentNotFoundException" },
 *
 * A path is dotted; a list on the way is entered at its first item, or at the item whose number the path gives
 * ("Accounts.1.Id").  A kept value stands for {NAME} in later lines. */
#pragma once
#include "tests/unit/cloud_lab.h"

struct lab_step {
    const char *line;  /* NULL ends the list */
    const char *code;  /* the refusal; NULL: it works */
    const char *path;  /* of the answer; NULL: not looked at */
    const char *value; /* what stands at 'path'; "" for nothing; NULL: not looked at */
    const char *keep;  /* the name under which what stands at 'path' is kept */
};

struct lab_kept {
    const char *name;
    char value[80];
};

/* 'text' holds a number when that is what stands there. */
static const char *
lab_text_at(const json_t *json, const char *path, char text[static 32])
{
    while (json && *path) {
        size_t length = strcspn(path, ".");
        if (json_is_array(json) && strspn(path, "0123456789") == length) {
            json = json_array_get(json, (size_t)atoi(path));
        } else {
            json = json_object_getn(json_is_array(json) ? json_array_get(json, 0) : json, path, length);
        }
        path += length + (path[length] == '.');
    }
    json = json_is_array(json) ? json_array_get(json, 0) : json;
    if (json_is_integer(json)) {
        snprintf(text, 32, "%lld", (long long)json_integer_value(json));
        return text;
    }
    return json_is_boolean(json) ? (json_is_true(json) ? "true" : "false") : json_string_value(json);
}

static char *
lab_fill_in(const char *line, const struct lab_kept *kept, size_t n_kept)
{
    char *out = xcalloc(1, strlen(line) + 80 * 16);
    for (size_t n = 0; *line; line++) {
        size_t length = *line == '{' ? strcspn(line, "}") : 0, i = 0;
        while (i < n_kept && !(length == strlen(kept[i].name) + 1 && strncmp(line + 1, kept[i].name, length - 1) == 0)) {
            i++;
        }
        if (i < n_kept) {
            n += (size_t)sprintf(out + n, "%s", kept[i].value);
            line += length;
        } else {
            out[n++] = *line;
        }
    }
    return out;
}

static void
lab_steps(const struct lab_step *steps)
{
    struct err err = { 0 };
    struct lab_kept kept[16];
    size_t n_kept = 0;
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    for (; steps->line; steps++) {
        struct err refused = { 0 };
        char number[32];
        char *line = lab_fill_in(steps->line, kept, n_kept);
        json_t *out = lab_run(cloud, line, &refused);
        CHECK_STR(refused.code, steps->code ? steps->code : "", "%s: %s", line, refused.text);
        CHECK((out != NULL) == !steps->code, "%s: %s", line, refused.text);
        const char *found = steps->path && out ? lab_text_at(out, steps->path, number) : NULL;
        if (steps->value && out) {
            CHECK_STR(found ? found : "", steps->value, "%s: %s", line, steps->path);
        }
        if (steps->keep) {
            REQUIRE(found && n_kept < ARRAY_SIZE(kept), "%s: nothing at %s", line, steps->path);
            kept[n_kept].name = steps->keep;
            snprintf(kept[n_kept++].value, sizeof kept->value, "%s", found);
        }
        json_decref(out);
        free(line);
    }
    cloud_close(cloud);
}

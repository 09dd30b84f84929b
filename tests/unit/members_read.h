/* tests/unit/members_read.h - which members of a request the code of its operation names.
 *
 * Reads the sources of cloud/ and the tables of netsim/model, finds the row of an operation in its family, and follows what the row names
 * from definition to definition: functions, tables, macros.  The words of all strings on that way are what the operation can read.  That
 * a member is among them is less than that it has a meaning; that it is not says that it has none.
 *
 * It leans on the house's layout: a function's name begins its line, a definition ends at the next `}` that begins a line, and the rows of
 * a family begin after four spaces.  Used by: test_members.c. */
#pragma once
#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/map.h"
#include "tests/test.h"

struct definition {
    const char *file;    /* "cloud/ops_kms.c" */
    bool is_table;       /* of data, or a macro; else a function */
    VEC(char *) words;   /* in its strings */
    VEC(char *) names;   /* identifiers in it */
    unsigned followed;   /* by the way of that number */
};

struct sources {
    struct map definitions; /* "FILE:NAME", and ":NAME" for what other files may use, to struct definition */
    VEC(struct definition *) all;
    VEC(struct definition *) rows; /* of operations */
    struct map kept;               /* words of the rooms that read documents as they were given, nested members that is */
    VEC(char *) files;
    unsigned ways;
};

static inline bool
is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* From the opening quote to the closing one. */
static inline const char *
take_string(struct definition *definition, const char *at)
{
    const char *word = ++at;
    for (;; at++) {
        if (is_name_char(*at)) {
            continue;
        }
        if (at > word && definition) {
            *VEC_ADD(&definition->words) = xstrndup(word, (size_t)(at - word));
        }
        if (*at == '"' || !*at) {
            return at;
        }
        at += *at == '\\';
        word = at + 1;
    }
}

/* Calls whose strings go into the answer or an error. */
static inline bool
is_telling(const char *call, size_t size)
{
    static const char *const calls[] = { "json_pack", "json_object_set", "json_object_del", "err_", "answer_page" };
    bool is = false;
    for (size_t i = 0; i < ARRAY_SIZE(calls) && !is; i++) {
        is = size >= strlen(calls[i]) && memcmp(call, calls[i], strlen(calls[i])) == 0;
    }
    return is;
}

static inline void
take_tokens(struct definition *definition, const char *at, const char *end)
{
    bool tells[128] = { false }; /* for each open parenthesis: the call around tells */
    size_t depth = 0;
    for (; at < end; at++) {
        if (*at == '(') {
            const char *to = at;
            while (is_name_char(to[-1])) {
                to--;
            }
            bool around = tells[depth];
            depth += depth + 1 < ARRAY_SIZE(tells);
            tells[depth] = to < at ? is_telling(to, (size_t)(at - to)) : around;
        } else if (*at == ')') {
            depth -= depth > 0;
        }
        if (at[0] == '/' && at[1] == '*') {
            at = strstr(at, "*/") + 1;
        } else if (at[0] == '\'') {
            at += at[1] == '\\' ? 3 : 2;
        } else if (at[0] == '"') {
            at = take_string(tells[depth] ? NULL : definition, at);
        } else if (is_name_char(*at)) {
            const char *from = at;
            bool is_field = from[-1] == '.' || (from[-1] == '>' && from[-2] == '-');
            while (is_name_char(at[1])) {
                at++;
            }
            if (!isdigit((unsigned char)*from) && !is_field) {
                *VEC_ADD(&definition->names) = xstrndup(from, (size_t)(at + 1 - from));
            }
        }
    }
}

static inline struct definition *
take_definition(struct sources *sources, const char *file, const char *from, const char *end, bool is_table)
{
    struct definition *definition = xcalloc(1, sizeof *definition);
    definition->file = file;
    definition->is_table = is_table;
    take_tokens(definition, from, end);
    *VEC_ADD(&sources->all) = definition;
    return definition;
}

static inline const char *
line_end(const char *at)
{
    return at + strcspn(at, "\n");
}

/* Where what begins the line 'at' ends. */
static inline const char *
definition_end(const char *at)
{
    const char *end = line_end(at);
    if (*at == '#') {
        while (*end && end[-1] == '\\') {
            end = line_end(end + 1);
        }
        return end;
    }
    if (end[-1] == ';') {
        return end;
    }
    const char *brace = strstr(at, "\n}"), *stop = strstr(at, ";\n");
    bool is_plain = end[-1] != '{' && strncmp(end, "\n{", 2) != 0 && memchr(at, '=', (size_t)(end - at));
    end = is_plain && stop ? stop : brace ? brace + 1 : end;
    return line_end(end);
}

/* What the line defines, freed by the caller; NULL for others. */
static inline char *
defined_name(const char *at, bool *is_table)
{
    size_t line = strcspn(at, "\n"), word = 0;
    *is_table = true;
    if (strncmp(at, "#define ", 8) == 0) {
        return xstrndup(at + 8, strcspn(at + 8, " (\n"));
    }
    while (is_name_char(at[word])) {
        word++;
    }
    if (word && at[word] == '(' && at[line - 1] != ';') {
        *is_table = false;
        return xstrndup(at, word);
    }
    const char *equals = memchr(at, '=', line), *bracket = memchr(at, '[', line);
    if ((!word && *at != '}') || !equals) { /* `} rows[] = {` ends a type and begins a table */
        return NULL;
    }
    const char *end = bracket && bracket < equals ? bracket : equals;
    while (end > at && !is_name_char(end[-1])) {
        end--;
    }
    const char *from = end;
    while (from > at && is_name_char(from[-1])) {
        from--;
    }
    return xstrndup(from, (size_t)(end - from));
}

static inline void
take_rows(struct sources *sources, const char *file, const char *at, const char *end)
{
    for (at = line_end(at); at < end;) {
        const char *row = at + 1;
        do {
            at = line_end(at + 1);
        } while (at < end && strncmp(at, "\n     ", 6) == 0);
        *VEC_ADD(&sources->rows) = take_definition(sources, file, row, at, true);
    }
}

static inline void
take_source(struct sources *sources, const char *path, bool tables_only)
{
    struct buf text = { 0 };
    struct err err = { 0 };
    REQUIRE(buf_read_file(&text, path, 1 << 24, &err), "%s", path);
    char *file = *VEC_ADD(&sources->files) = xstrdup(path);
    const char *before = "";
    for (const char *at = buf_str(&text); *at;) {
        bool is_table, family = strncmp(at, "const struct op ops_", 20) == 0;
        char *name = strncmp(at, "/*", 2) == 0 ? NULL : defined_name(at, &is_table);
        const char *end = strncmp(at, "/*", 2) == 0 ? line_end(strstr(at, "*/")) : name ? definition_end(at) : line_end(at);
        if (family) {
            take_rows(sources, file, at, definition_end(at));
        } else if (name && (is_table || !tables_only)) {
            struct definition *definition = take_definition(sources, file, at, end, is_table);
            bool is_static = strncmp(at, "static", 6) == 0 || *at == '#' || (!is_table && strncmp(before, "static", 6) == 0);
            char *key = xasprintf("%s:%s", file, name);
            map_put(&sources->definitions, key, definition);
            if (!is_static || strcmp(path + strlen(path) - 2, ".h") == 0) {
                map_put(&sources->definitions, strchr(key, ':'), definition);
            }
            free(key);
        }
        free(name);
        before = at;
        at = *end ? end + 1 : end;
    }
    buf_done(&text);
}

/* Kinds keep some structures as they were given (FIELD_DOCUMENT) and read them where they matter. */
static inline void
take_kept(struct sources *sources, const char *files)
{
    glob_t found;
    REQUIRE(glob(files, 0, NULL, &found) == 0, "%s", files);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buf text = { 0 };
        struct err err = { 0 };
        REQUIRE(buf_read_file(&text, found.gl_pathv[i], 1 << 24, &err), "%s", found.gl_pathv[i]);
        struct definition *all = take_definition(sources, "", buf_str(&text), buf_str(&text) + text.size, true);
        for (size_t k = 0; k < all->words.n; k++) {
            map_put(&sources->kept, all->words.items[k], all);
        }
        buf_done(&text);
    }
    globfree(&found);
}

static inline void
sources_read(struct sources *sources)
{
    static const struct {
        const char *files;
        bool tables_only;
    } rooms[] = { { "cloud/*.c", false },
                  { "cloud/*.h", false },
                  { "netsim/model/*.c", true } }; /* field rows of kinds; functions there see no request */
    for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
        glob_t found;
        REQUIRE(glob(rooms[i].files, 0, NULL, &found) == 0, "%s", rooms[i].files);
        for (size_t k = 0; k < found.gl_pathc; k++) {
            take_source(sources, found.gl_pathv[k], rooms[i].tables_only);
        }
        globfree(&found);
    }
    take_kept(sources, "netsim/*/*.c");
    take_kept(sources, "iampolicy/*.c");
}

static inline const struct definition *
find_definition(const struct sources *sources, const char *file, const char *name)
{
    char key[256];
    snprintf(key, sizeof key, "%s:%s", file, name);
    const struct definition *found = map_get(&sources->definitions, key);
    return found ? found : map_get(&sources->definitions, strchr(key, ':'));
}

/* What every operation goes through looks at members of any name, and does not make one read. */
static inline bool
is_machinery(const char *file)
{
    static const char *const files[] = { "authorize", "caller",   "denial",    "idempotency", "journal",  "keeper_link", "lab_dir",
                                         "op_",       "ops.c",    "permission", "render",     "resolve",  "sigv4", "state", "suggest" };
    bool is = false;
    for (size_t i = 0; i < ARRAY_SIZE(files) && !is; i++) {
        is = strncmp(file + strlen("cloud/"), files[i], strlen(files[i])) == 0;
    }
    return is && strncmp(file, "cloud/", 6) == 0;
}

/* Adds the words that 'from' and what it names can read; a word's value is any definition that has it. */
static inline void
follow(struct sources *sources, struct definition *from, bool own_words, struct map *words)
{
    from->followed = sources->ways;
    for (size_t i = 0; own_words && i < from->words.n; i++) {
        map_put(words, from->words.items[i], from);
    }
    for (size_t i = 0; i < from->names.n; i++) {
        struct definition *to = (struct definition *)find_definition(sources, from->file, from->names.items[i]);
        if (to) {
            map_put(words, from->names.items[i], to); /* for who asks what was called */
        }
        if (to && to->followed != sources->ways && !is_machinery(to->file)) {
            follow(sources, to, true, words);
        }
    }
}

static inline bool
has_word(const struct definition *definition, const char *word)
{
    bool found = false;
    for (size_t i = 0; i < definition->words.n && !found; i++) {
        found = strcmp(definition->words.items[i], word) == 0;
    }
    return found;
}

/* Is the row, or a macro that makes it, of that service? */
static inline bool
row_is_of(const struct sources *sources, const struct definition *row, const char *service)
{
    bool is = has_word(row, service);
    for (size_t i = 0; i < row->names.n && !is; i++) {
        const struct definition *macro = find_definition(sources, row->file, row->names.items[i]);
        is = macro && macro->is_table && has_word(macro, service);
    }
    return is;
}

static inline struct definition *
find_row(const struct sources *sources, const char *service, const char *name)
{
    struct definition *row = NULL;
    for (size_t i = 0; i < sources->rows.n && !row; i++) {
        struct definition *r = sources->rows.items[i];
        bool named = (r->words.n && strcmp(r->words.items[0], name) == 0) ||
                     (r->words.n > 1 && strcmp(r->words.items[1], name) == 0); /* after its service */
        row = named && row_is_of(sources, r, service) ? r : NULL;
    }
    return row;
}

static inline void
sources_done(struct sources *sources)
{
    for (size_t i = 0; i < sources->all.n; i++) {
        struct definition *definition = sources->all.items[i];
        for (size_t k = 0; k < definition->words.n; k++) {
            free(definition->words.items[k]);
        }
        for (size_t k = 0; k < definition->names.n; k++) {
            free(definition->names.items[k]);
        }
        VEC_DONE(&definition->words);
        VEC_DONE(&definition->names);
        free(definition);
    }
    for (size_t i = 0; i < sources->files.n; i++) {
        free(sources->files.items[i]);
    }
    VEC_DONE(&sources->all);
    VEC_DONE(&sources->rows);
    VEC_DONE(&sources->files);
    map_done(&sources->definitions);
    map_done(&sources->kept);
}

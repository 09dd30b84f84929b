#include "iampolicy/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "iampolicy/batch.h"
#include "iampolicy/chain.h"
#include "iampolicy/explain.h"

enum { WORDS_MAX = 128, VALUES_MAX = 256, LEVELS_MAX = 16 };

void
iam_table_done(struct iam_table *table)
{
    for (size_t i = 0; i < table->rows.n; i++) {
        struct iam_table_row *row = &table->rows.items[i];
        free(row->where);
        free(row->name);
        free(row->problem);
        json_decref(row->decision);
    }
    VEC_DONE(&table->rows);
    table->n_failed = 0;
}

/* Takes 'name', 'problem' and 'decision'. */
static void
add_row(struct iam_table *table, const char *where, int line, char *name, char *problem, json_t *decision)
{
    *VEC_ADD(&table->rows) = (struct iam_table_row){ xstrdup(where), line, name, problem, decision };
    table->n_failed += problem != NULL;
}

/* ---- policies by file name ---- */

struct iam_table_policies {
    struct iam_policies policies;
    VEC(struct iam_policy *) owned;
    VEC(char *) entities; /* of levels */
};

struct iam_table_policies *
iam_table_policies_new(void)
{
    return xcalloc(1, sizeof(struct iam_table_policies));
}

void
iam_table_policies_free(struct iam_table_policies *policies)
{
    if (!policies) {
        return;
    }
    for (size_t i = 0; i < policies->owned.n; i++) {
        iam_policy_free(policies->owned.items[i]);
    }
    for (size_t i = 0; i < policies->entities.n; i++) {
        free(policies->entities.items[i]);
    }
    VEC_DONE(&policies->owned);
    VEC_DONE(&policies->entities);
    iam_policies_done(&policies->policies);
    free(policies);
}

static const struct {
    const char *prefix;
    enum iam_policy_type type;
} kinds[] = {
    { "policy", IAM_POLICY_IDENTITY },   { "identity", IAM_POLICY_IDENTITY }, { "resource", IAM_POLICY_RESOURCE },
    { "trust", IAM_POLICY_TRUST },       { "boundary", IAM_POLICY_BOUNDARY }, { "session", IAM_POLICY_SESSION },
    { "endpoint", IAM_POLICY_ENDPOINT }, { "scp-", IAM_POLICY_SCP },          { "rcp-", IAM_POLICY_RCP },
};

typedef VEC(struct iam_level) level_list;

/* The list of "scp-2-ou.json": level 2, whose entity is "ou". */
static iam_policy_list *
level_of(struct iam_table_policies *t, const char *file, level_list *levels, struct err *err)
{
    char *end;
    unsigned long level = strtoul(file + 4, &end, 10);
    if (level < 1 || level > levels->n + 1 || level > LEVELS_MAX) {
        err_set(err, ERR_USAGE, "", level > 1 ? "`%s` has no level above it" : "`%s` has no level", file);
        err_hint(err, "levels count from the root: %.3s-1-root.json, %.3s-2-ou.json, ...", file, file);
        return NULL;
    }
    if (level > levels->n) {
        const char *entity = *end == '-' ? end + 1 : "level";
        char *name = xstrndup(entity, strcspn(entity, "."));
        *VEC_ADD(&t->entities) = name;
        VEC_ADD(levels)->entity = name;
    }
    return &levels->items[level - 1].policies;
}

static iam_policy_list *
list_of(struct iam_table_policies *t, const char *file, enum iam_policy_type type, struct err *err)
{
    struct iam_policies *p = &t->policies;
    switch (type) {
    case IAM_POLICY_IDENTITY:
        return &p->identity;
    case IAM_POLICY_BOUNDARY:
        p->has_boundary = true;
        return &p->boundary;
    case IAM_POLICY_SESSION:
        p->has_session = true;
        return &p->session;
    case IAM_POLICY_ENDPOINT:
        p->via_endpoint = true;
        return &p->endpoint;
    case IAM_POLICY_SCP:
        return level_of(t, file, (level_list *)&p->scp, err);
    case IAM_POLICY_RCP:
        return level_of(t, file, (level_list *)&p->rcp, err);
    default:
        return &p->resource;
    }
}

bool
iam_table_add_policy(struct iam_table_policies *policies, const char *file, const char *text, size_t size,
                     const char *where, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strncmp(file, kinds[i].prefix, strlen(kinds[i].prefix)) != 0) {
            continue;
        }
        struct iam_policy *policy = iam_policy_parse(text, size, kinds[i].type, where, err);
        iam_policy_list *list = policy ? list_of(policies, file, kinds[i].type, err) : NULL;
        if (!list) {
            iam_policy_free(policy);
            return false;
        }
        *VEC_ADD(&policies->owned) = policy;
        *VEC_ADD(list) = policy;
        return true;
    }
    err_set(err, ERR_USAGE, "", "the name of `%s` does not say what policy it is", where);
    return err_hint(err,
                    "it begins with identity, policy, resource, trust, boundary, session, endpoint, scp-1- or rcp-1-");
}

/* ---- plain text ---- */

struct line { /* a line cut into words; quotes taken away */
    char *text, *words[WORDS_MAX];
    int columns[WORDS_MAX];
    size_t n;
    const char *where;
    int number;
};

static bool
wrong(const struct line *line, size_t word, struct err *err, const char *text, const char *shown)
{
    err_set(err, ERR_DOCUMENT, "InvalidInput", text, shown);
    return err_at(err, line->where, line->number, word < line->n ? line->columns[word] : 1);
}

static bool
cut(struct line *line, struct err *err)
{
    char *from = line->text, *to = line->text;
    int column = 1;
    for (line->n = 0; *from;) {
        if (*from == ' ' || *from == '\t' || *from == '\r') {
            from++;
            column++;
            continue;
        }
        if (line->n == WORDS_MAX) {
            return wrong(line, 0, err, "the line has more than %s words", "128");
        }
        line->columns[line->n] = column;
        line->words[line->n++] = to;
        bool quoted = false;
        for (; *from && (quoted || !strchr(" \t\r", *from)); from++) {
            column += ((unsigned char)*from & 0xC0) != 0x80;
            if (*from == '"') {
                quoted = !quoted;
            } else {
                *to++ = *from;
            }
        }
        if (quoted) {
            return wrong(line, line->n - 1, err, "a quotation that begins in `%s` has no end", "this word");
        }
        bool last = !*from;
        *to++ = '\0';
        from += !last;
        column += !last;
    }
    return true;
}

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

static bool
add_context(struct iam_request *request, const struct line *line, size_t word, struct err *err)
{
    char *pair = line->words[word], *equal = strchr(pair, '=');
    if (!equal || !memchr(pair, ':', (size_t)(equal - pair))) {
        wrong(line, word, err, "`%.100s` is not a context key with its value", pair);
        return err_hint(err, "write it as aws:SourceIp=203.0.113.9, several values as aws:TagKeys=[a,b]");
    }
    struct iam_text key = { pair, (uint32_t)(equal - pair) }, values[VALUES_MAX];
    size_t size = strlen(equal + 1);
    uint32_t n = 0;
    if (equal[1] != '[' || equal[size] != ']') {
        values[0] = as_text(equal + 1);
        iam_request_set_context(request, key, values, 1, false);
        return true;
    }
    for (const char *p = equal + 2, *end = equal + size; size > 2 && p <= end && n < VALUES_MAX;) {
        size_t length = strcspn(p, ",");
        length = p + length > end ? (size_t)(end - p) : length;
        values[n++] = (struct iam_text){ p, (uint32_t)length };
        p += length + 1;
    }
    iam_request_set_context(request, key, values, n, true);
    return true;
}

static bool
read_request(struct iam_request *request, const struct line *line, size_t n, struct err *err)
{
    const char *owner = "";
    struct err found = { 0 };
    if (n < 3) {
        wrong(line, line->n, err, "a request has a principal, an action and a resource%s", "");
        return err_hint(err, "arn:aws:iam::123456789012:user/alice s3:GetObject arn:aws:s3:::bucket/key -> allowed");
    }
    if (!iam_request_set_principal(request, as_text(line->words[0]), &found)) {
        wrong(line, 0, err, "%s", found.text);
        return err_hint(err, "%s", found.hint);
    }
    if (!iam_request_set_action(request, as_text(line->words[1]), &found)) {
        wrong(line, 1, err, "%s", found.text);
        return err_hint(err, "%s", found.hint);
    }
    for (size_t i = 3; i < n; i++) {
        if (strncmp(line->words[i], "owner=", 6) == 0) {
            owner = line->words[i] + 6;
        } else if (!add_context(request, line, i, err)) {
            return false;
        }
    }
    iam_request_set_resource(request, as_text(line->words[2]), as_text(owner), true);
    return true;
}

static const char *const step_names[] = {
    [IAM_STEP_NO_PERMISSION_NEEDED] = "no-permission-needed",
    [IAM_STEP_GUARD] = "guard",
    [IAM_STEP_EXPLICIT_DENY] = "explicit-deny",
    [IAM_STEP_RCP] = "rcp",
    [IAM_STEP_SCP] = "scp",
    [IAM_STEP_ENDPOINT] = "endpoint",
    [IAM_STEP_RESOURCE] = "resource",
    [IAM_STEP_BOUNDARY] = "boundary",
    [IAM_STEP_SESSION] = "session",
    [IAM_STEP_IDENTITY] = "identity",
    [IAM_STEP_ALLOWED] = "allowed",
    [IAM_STEP_BUCKET_RESTRICTED] = "bucket-restricted",
};

/* "a,b" holds the same names as the statements that decided?  *others: those that did. */
static bool
same_sids(const struct iam_result *result, const char *expected, struct buf *others)
{
    size_t wanted = 1, found = 0;
    bool same = true;
    for (const char *s = expected; *s; s++) {
        wanted += *s == ',';
    }
    for (size_t i = 0; i < result->matched.n && result->decision != IAM_IMPLICIT_DENY; i++) {
        const struct iam_statement *s = result->matched.items[i].statement;
        if (s->deny != (result->decision == IAM_EXPLICIT_DENY)) {
            continue;
        }
        buf_printf(others, "%s%s", others->size ? "," : "", s->sid ? s->sid : "(without Sid)");
        bool listed = false;
        for (const char *p = expected; s->sid && !listed; p += strcspn(p, ",") + 1) {
            listed = strcspn(p, ",") == strlen(s->sid) && strncmp(p, s->sid, strlen(s->sid)) == 0;
            if (!p[strcspn(p, ",")]) {
                break;
            }
        }
        same &= listed;
        found++;
    }
    return same && found == wanted;
}

static bool
is_one_of(const char *word, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(word, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Compares with words[at...] = DECISION [by SIDS] [at STEP].  NULL: as expected. */
static char *
compare(const struct iam_result *result, const struct line *line, size_t at, struct err *err)
{
    static const char *const decisions[] = { "allowed", "explicitDeny", "implicitDeny" };
    const char *decided = iam_decision_name(result->decision);
    char *problem = NULL;
    if (at >= line->n || !is_one_of(line->words[at], decisions, ARRAY_SIZE(decisions))) {
        wrong(line, at < line->n ? at : at - 1, err, "`%.60s` is no decision", at < line->n ? line->words[at] : "->");
        err_hint(err, "after `->` stands allowed, explicitDeny or implicitDeny");
        return NULL;
    }
    if (strcmp(line->words[at], decided) != 0) {
        problem = xasprintf("expected %s, decided %s", line->words[at], decided);
    }
    for (size_t i = at + 1; i < line->n; i += 2) {
        bool by = strcmp(line->words[i], "by") == 0;
        const char *value = i + 1 < line->n ? line->words[i + 1] : NULL;
        struct buf others = { 0 };
        if (!value || (!by && strcmp(line->words[i], "at") != 0) ||
            (!by && !is_one_of(value, step_names, ARRAY_SIZE(step_names)))) {
            wrong(line, i, err, "`%.60s` does not follow a decision", line->words[i]);
            err_hint(err, "`by SID,SID` names the statements, `at STEP` one of: rcp scp endpoint resource boundary "
                          "session identity explicit-deny allowed guard bucket-restricted no-permission-needed");
            free(problem);
            return NULL;
        }
        bool same = by ? same_sids(result, value, &others) : strcmp(step_names[result->step], value) == 0;
        if (!same && !problem) {
            problem = by ? xasprintf("expected %s by %s, decided by %s", decided, value,
                                     others.size ? buf_str(&others) : "no statement")
                         : xasprintf("expected %s at %s, decided at %s", decided, value, step_names[result->step]);
        }
        buf_done(&others);
    }
    return problem;
}

static bool
run_line(struct iam_table *table, const struct iam_table_policies *policies, struct line *line, const char *title,
         struct err *err)
{
    size_t arrow = 0;
    while (arrow < line->n && strcmp(line->words[arrow], "->") != 0) {
        arrow++;
    }
    if (arrow == line->n) {
        wrong(line, 0, err, "the line has no `->` with a decision after it%s", "");
        return err_hint(err, "PRINCIPAL ACTION RESOURCE [KEY=VALUE]... -> allowed|explicitDeny|implicitDeny");
    }
    struct iam_request *request = iam_request_new();
    struct iam_result result = { .want_looks = true };
    bool ok = read_request(request, line, arrow, err);
    if (ok) {
        iam_decide(&policies->policies, request, &result);
        char *problem = compare(&result, line, arrow + 1, err);
        ok = !err->kind;
        if (ok) {
            add_row(table, line->where, line->number, xstrdup(title), problem,
                    problem ? iam_explain(&policies->policies, request, &result) : NULL);
        }
    }
    iam_result_done(&result);
    iam_request_free(request);
    return ok;
}

bool
iam_table_run_text(struct iam_table *table, const struct iam_table_policies *policies, const char *text, size_t size,
                   const char *where, struct err *err)
{
    struct line line = { .where = where };
    bool ok = true;
    if (memchr(text, '\0', size)) {
        return err_set(err, ERR_DOCUMENT, "InvalidInput", "`%s` is not a text: it holds a NUL byte", where);
    }
    for (const char *p = text, *end = text + size; p < end && ok; line.number++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *to = newline ? newline : end;
        char *title = xstrndup(p, (size_t)(to - p));
        line.text = xstrdup(title);
        line.number += line.number == 0;
        ok = title[strspn(title, " \t")] == '#' || (cut(&line, err) && line.n == 0) ||
             (!err->kind && run_line(table, policies, &line, title, err));
        free(line.text);
        free(title);
        p = to + (newline != NULL);
    }
    return ok;
}

/* ---- JSON ---- */

static json_t *
sorted(const json_t *names)
{
    json_t *set = json_object(), *list = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        json_object_set_new(set, json_string_value(json_array_get(names, i)), json_null());
    }
    for (size_t n = json_object_size(set); n > 0; n--) {
        const char *least = NULL, *key;
        json_t *value;
        json_object_foreach(set, key, value)
        {
            least = !least || strcmp(key, least) < 0 ? key : least;
        }
        json_array_append_new(list, json_string(least));
        json_object_del(set, least);
    }
    json_decref(set);
    return list;
}

static char *
compare_case(const json_t *expect, const json_t *answer)
{
    const char *wanted = json_str(expect, "decision"), *decided = json_str(answer, "decision");
    if (wanted && strcmp(wanted, decided) != 0) {
        return xasprintf("expected %s, decided %s", wanted, decided);
    }
    const json_t *blocked = json_object_get(expect, "blockedBy");
    char *problem = NULL;
    if (json_is_array(blocked)) {
        json_t *a = sorted(blocked), *b = sorted(json_object_get(answer, "blockedBy"));
        if (!json_equal(a, b)) {
            char *x = json_dumps(a, JSON_COMPACT), *y = json_dumps(b, JSON_COMPACT);
            problem = xasprintf("expected %s blocked by %s, blocked by %s", decided, x, y);
            free(x);
            free(y);
        }
        json_decref(a);
        json_decref(b);
    }
    return problem;
}

static bool
is_decision(const char *word)
{
    return word && (!strcmp(word, "allowed") || !strcmp(word, "explicitDeny") || !strcmp(word, "implicitDeny"));
}

/* One case: text[0, size), which begins at line:column of 'where'. */
static bool
run_case(struct iam_table *table, struct iam_batch *batch, const char *text, size_t size, const char *where, int line,
         int column, struct err *err)
{
    struct buf out = { 0 };
    bool decided = iam_batch_decide(batch, text, size, line, &out);
    json_t *answer = json_read(buf_str(&out), out.size, "answer", err), *whole = NULL;
    if (answer && !decided) {
        const json_t *error = json_object_get(answer, "error");
        int at = (int)json_int(error, "line", line), in = (int)json_int(error, "column", 1);
        err_set(err, ERR_DOCUMENT, json_str(error, "code"), "%s", json_str(error, "message"));
        err_at(err, where, at, at == line ? column + in - 1 : in);
    } else if (answer && (whole = json_read(text, size, where, err))) {
        const json_t *expect = json_object_get(whole, "expect");
        if (!is_decision(json_str(expect, "decision"))) {
            err_set(err, ERR_DOCUMENT, "InvalidInput", "the case expects no decision");
            err_hint(err, "add \"expect\": {\"decision\": \"allowed\"}, \"explicitDeny\" or \"implicitDeny\"");
            err_at(err, where, line, column);
        } else {
            const json_t *id = json_object_get(whole, "id");
            const char *name = json_str(whole, "name");
            char *title = name                 ? xstrdup(name)
                          : json_is_string(id) ? xstrdup(json_string_value(id))
                                               : json_dumps(id ? id : json_null(), JSON_ENCODE_ANY);
            char *problem = compare_case(expect, answer);
            add_row(table, where, line, title, problem, problem ? iam_batch_explain(batch) : NULL);
        }
    }
    json_decref(whole);
    json_decref(answer);
    buf_done(&out);
    return !err->kind;
}

static bool
run_list(struct iam_table *table, struct iam_batch *batch, const char *text, size_t size, const char *where,
         struct err *err)
{
    struct iam_document doc = { 0 };
    bool ok = iam_document_read(&doc, text, size, where, err);
    const struct iam_node *root = doc.nodes;
    bool one = ok && root->type == IAM_OBJECT;
    for (const struct iam_node *item = !ok   ? NULL
                                       : one ? root
                                             : iam_node_first(&doc, root);
         item && ok; item = one ? NULL : iam_node_next(&doc, item)) {
        int line, column;
        iam_text_place(text, size, item->span.start, &line, &column);
        ok = run_case(table, batch, text + item->span.start, item->span.end - item->span.start, where, line, column,
                      err);
    }
    iam_document_done(&doc);
    return ok;
}

bool
iam_table_run_json(struct iam_table *table, const char *text, size_t size, const char *where, struct err *err)
{
    struct iam_batch *batch = iam_batch_new();
    struct iam_document doc = { 0 };
    const char *end = text + size, *p = text;
    size_t blank = strspn(text, " \t\r\n");
    bool ok = true;
    /* Lines of objects are no JSON text; a list or a single object is. */
    bool lines = blank < size && text[blank] == '{' && !iam_document_read(&doc, text, size, where, NULL);
    iam_document_done(&doc);
    if (!lines) {
        ok = run_list(table, batch, text, size, where, err);
    }
    for (int line = 1; lines && ok && p < end; line++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *to = newline ? newline : end;
        size_t skip = strspn(p, " \t\r");
        if (p + skip < to) {
            ok = run_case(table, batch, p + skip, (size_t)(to - p) - skip, where, line, (int)skip + 1, err);
        }
        p = to + (newline != NULL);
    }
    iam_batch_free(batch);
    return ok;
}

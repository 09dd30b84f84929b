/* tests/policies/NAME/: policies as a user writes them, beside the requests asked and the answers expected.
 *
 *   identity.json (or policy.json) resource.json trust.json boundary.json session.json endpoint.json scp-N-ENTITY.json
 * rcp-N-ENTITY.json requests.txt    PRINCIPAL ACTION RESOURCE [owner=ACCOUNT] [KEY=VALUE | KEY=[A,B]]... -> DECISION
 * [by SID[,SID...]] [at STEP]
 *
 * DECISION is allowed, explicitDeny or implicitDeny; SIDs are those of the statements that decided, in any order; STEP
 * is what the decision names as its reason.  Nothing is filled into the context.  '#' begins a comment. */
#include "tests/test.h"

#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include "base/buf.h"
#include "iampolicy/chain.h"

struct folder {
    struct iam_policies policies;
    VEC(struct iam_policy *) owned;
};

static const char *const step_names[] = { "no-permission-needed",
                                          "guard",
                                          "explicit-deny",
                                          "rcp",
                                          "scp",
                                          "endpoint",
                                          "resource",
                                          "boundary",
                                          "session",
                                          "identity",
                                          "allowed",
                                          "bucket-restricted" };

static iam_policy_list *
list_for(struct folder *f, const char *file, enum iam_policy_type *type)
{
    static const struct {
        const char *prefix;
        enum iam_policy_type type;
    } rows[] = {
        { "policy", IAM_POLICY_IDENTITY },   { "identity", IAM_POLICY_IDENTITY }, { "resource", IAM_POLICY_RESOURCE },
        { "trust", IAM_POLICY_TRUST },       { "boundary", IAM_POLICY_BOUNDARY }, { "session", IAM_POLICY_SESSION },
        { "endpoint", IAM_POLICY_ENDPOINT }, { "scp-", IAM_POLICY_SCP },          { "rcp-", IAM_POLICY_RCP },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strncmp(file, rows[i].prefix, strlen(rows[i].prefix)) != 0) {
            continue;
        }
        *type = rows[i].type;
        struct iam_policies *p = &f->policies;
        size_t level = (size_t)atoi(file + 4);
        switch (rows[i].type) {
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
            while (p->scp.n < level) {
                VEC_ADD(&p->scp)->entity = "level";
            }
            return &p->scp.items[level - 1].policies;
        case IAM_POLICY_RCP:
            while (p->rcp.n < level) {
                VEC_ADD(&p->rcp)->entity = "level";
            }
            return &p->rcp.items[level - 1].policies;
        default:
            return &p->resource;
        }
    }
    return NULL;
}

static void
load(struct folder *f, const char *path)
{
    glob_t files;
    char pattern[300];
    snprintf(pattern, sizeof pattern, "%s/*.json", path);
    glob(pattern, 0, NULL, &files);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct err err = { 0 };
        struct buf text = { 0 };
        enum iam_policy_type type = IAM_POLICY_IDENTITY;
        iam_policy_list *list = list_for(f, strrchr(files.gl_pathv[i], '/') + 1, &type);
        REQUIRE(list, "%s has a name of its kind", files.gl_pathv[i]);
        buf_read_file(&text, files.gl_pathv[i], 1 << 20, &err);
        struct iam_policy *policy = iam_policy_parse(buf_str(&text), text.size, type, files.gl_pathv[i], &err);
        CHECK_OK(&err);
        if (policy) {
            *VEC_ADD(&f->owned) = policy;
            *VEC_ADD(list) = policy;
        }
        buf_done(&text);
    }
    globfree(&files);
}

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

static void
add_context(struct iam_request *request, char *pair)
{
    char *value = strchr(pair, '=');
    struct iam_text values[16];
    uint32_t n = 0;
    *value++ = '\0';
    if (value[0] != '[') {
        iam_request_set_string(request, pair, value);
        return;
    }
    value[strlen(value) - 1] = '\0';
    for (char *save, *item = strtok_r(value + 1, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
        values[n++] = as_text(item);
    }
    iam_request_set_context(request, as_text(pair), values, n, true);
}

/* "a,b" holds the same names as the statements that decided? */
static bool
same_sids(const struct iam_result *result, const char *expected)
{
    size_t wanted = 1, found = 0;
    for (const char *s = expected; *s; s++) {
        wanted += *s == ',';
    }
    for (size_t i = 0; i < result->matched.n; i++) {
        const struct iam_statement *s = result->matched.items[i].statement;
        if (s->deny != (result->decision == IAM_EXPLICIT_DENY)) {
            continue;
        }
        const char *hit = s->sid ? strstr(expected, s->sid) : NULL;
        if (!hit || (hit[strlen(s->sid)] && hit[strlen(s->sid)] != ',')) {
            return false;
        }
        found++;
    }
    return found == wanted;
}

static void
ask(const struct folder *f, const char *where, int line, char *question, char *answer)
{
    struct iam_request *request = iam_request_new();
    struct iam_result result = { 0 };
    struct err err = { 0 };
    char *save, *words[64], *owner = "";
    size_t n = 0;
    for (char *w = strtok_r(question, " \t", &save); w && n < 64; w = strtok_r(NULL, " \t", &save)) {
        words[n++] = w;
    }
    REQUIRE(n >= 3, "%s:%d has principal, action and resource", where, line);
    iam_request_set_principal(request, as_text(words[0]), &err);
    iam_request_set_action(request, as_text(words[1]), &err);
    CHECK_OK(&err, "%s:%d", where, line);
    for (size_t i = 3; i < n; i++) {
        if (strncmp(words[i], "owner=", 6) == 0) {
            owner = words[i] + 6;
        } else {
            add_context(request, words[i]);
        }
    }
    iam_request_set_resource(request, as_text(words[2]), as_text(owner), true);
    iam_decide(&f->policies, request, &result);
    char *decision = strtok_r(answer, " \t\n", &save);
    CHECK_STR(iam_decision_name(result.decision), decision, "%s:%d (%s)", where, line, step_names[result.step]);
    for (char *w = strtok_r(NULL, " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save)) {
        char *value = strtok_r(NULL, " \t\n", &save);
        REQUIRE(value && (!strcmp(w, "by") || !strcmp(w, "at")), "%s:%d: by SID or at STEP", where, line);
        if (strcmp(w, "by") == 0) {
            CHECK(same_sids(&result, value), "%s:%d by %s", where, line, value);
        } else {
            CHECK_STR(step_names[result.step], value, "%s:%d", where, line);
        }
    }
    iam_result_done(&result);
    iam_request_free(request);
}

static size_t
run_folder(const char *path)
{
    struct folder f = { 0 };
    char name[300], text[4096];
    size_t n = 0;
    load(&f, path);
    snprintf(name, sizeof name, "%s/requests.txt", path);
    FILE *in = fopen(name, "r");
    REQUIRE(in, "%s", name);
    for (int line = 1; fgets(text, sizeof text, in); line++) {
        char *arrow = strstr(text, "->");
        if (text[0] == '#' || !arrow) {
            CHECK(text[0] == '#' || text[strspn(text, " \t\n")] == '\0', "%s:%d has no ->", name, line);
            continue;
        }
        *arrow = '\0';
        ask(&f, name, line, text, arrow + 2);
        n++;
    }
    fclose(in);
    for (size_t i = 0; i < f.owned.n; i++) {
        iam_policy_free(f.owned.items[i]);
    }
    VEC_DONE(&f.owned);
    iam_policies_done(&f.policies);
    return n;
}

TEST(policies_decide_as_written)
{
    glob_t folders;
    size_t n = 0;
    glob("tests/policies/*", GLOB_ONLYDIR, NULL, &folders);
    for (size_t i = 0; i < folders.gl_pathc; i++) {
        n += run_folder(folders.gl_pathv[i]);
    }
    CHECK(n > 0, "there are cases");
    printf("%zu requests in %zu folders\n", n, folders.gl_pathc);
    globfree(&folders);
}

TEST_MAIN

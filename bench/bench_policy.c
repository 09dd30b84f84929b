/* bench/bench_policy.c - policy decisions per second on one thread, policies loaded once.
 *
 *     make bench && build/bench/bench_policy [SECONDS PER ROW]
 *
 * Cases: ../shared/bench/iam/simple.json (one identity statement) and rich.json (identity, resource, boundary and three
 * levels of SCPs with conditions and variables).  Rows: decide            iam_decide() with the matched statements in
 * the result with trace        every statement looked at is recorded with the first part that did not match new request
 * the request is built from its strings each time batch line        one JSON line in, one JSON line out, documents seen
 * before baseline          the same request against no policies at all: what asking costs by itself "malloc" counts
 * allocations of one decision after the first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "iampolicy/batch.h"
#include "iampolicy/chain.h"

static size_t n_allocations;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
void *
malloc(size_t size)
{
    n_allocations++;
    return __libc_malloc(size);
}
void *
calloc(size_t n, size_t size)
{
    n_allocations++;
    return __libc_calloc(n, size);
}
void *
realloc(void *old, size_t size)
{
    n_allocations++;
    return __libc_realloc(old, size);
}

static double
now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct bench {
    json_t *item; /* the case */
    struct iam_policies policies, none;
    VEC(struct iam_policy *) owned;
    struct iam_request *request;
    struct iam_result result, traced;
    struct iam_batch *batch;
    char *line;
    struct buf answer;
};

/* ---- loading ---- */

static void
add_policy(struct bench *b, const json_t *document, enum iam_policy_type type, const char *name, iam_policy_list *list)
{
    struct err err = { 0 };
    char *text = json_dumps(document, JSON_INDENT(1));
    struct iam_policy *policy = iam_policy_parse(text, strlen(text), type, name, &err);
    free(text);
    if (!policy) {
        fprintf(stderr, "bench_policy: %s: %s\n", err.where, err.text);
        exit(3);
    }
    *VEC_ADD(&b->owned) = policy;
    *VEC_ADD(list) = policy;
}

static void
add_list(struct bench *b, const json_t *list, enum iam_policy_type type, iam_policy_list *out)
{
    json_t *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        add_policy(b, json_object_get(item, "document"), type, json_str(item, "name"), out);
    }
}

static void
load_policies(struct bench *b)
{
    const json_t *p = json_object_get(b->item, "policies");
    json_t *level;
    size_t i;
    add_list(b, json_object_get(p, "identity"), IAM_POLICY_IDENTITY, &b->policies.identity);
    add_list(b, json_object_get(p, "permissionsBoundary"), IAM_POLICY_BOUNDARY, &b->policies.boundary);
    add_list(b, json_object_get(p, "session"), IAM_POLICY_SESSION, &b->policies.session);
    b->policies.has_boundary = b->policies.boundary.n > 0;
    b->policies.has_session = b->policies.session.n > 0;
    if (json_is_object(json_object_get(p, "resource"))) {
        add_policy(b, json_object_get(p, "resource"), IAM_POLICY_RESOURCE, "resource", &b->policies.resource);
    }
    json_array_foreach(json_object_get(p, "scp"), i, level)
    {
        struct iam_level *scp = VEC_ADD(&b->policies.scp);
        add_list(b, json_object_get(level, "policies"), IAM_POLICY_SCP, &scp->policies);
    }
}

static struct iam_text
text_of(const json_t *object, const char *name)
{
    const char *s = json_str(object, name);
    return (struct iam_text){ s ? s : "", s ? (uint32_t)strlen(s) : 0 };
}

static void
build_request(struct bench *b)
{
    json_t *r = json_object_get(b->item, "request"), *resource = json_object_get(r, "resource"), *value;
    const char *key;
    struct err err = { 0 };
    iam_request_clear(b->request);
    iam_request_set_principal(b->request, text_of(r, "principal"), &err);
    iam_request_set_action(b->request, text_of(r, "action"), &err);
    iam_request_set_resource(b->request, text_of(resource, "arn"), text_of(resource, "account"), true);
    json_object_foreach(json_object_get(r, "context"), key, value)
    {
        iam_request_set_string(b->request, key, json_string_value(value));
    }
}

static void
load(struct bench *b, json_t *item)
{
    b->item = item;
    load_policies(b);
    b->request = iam_request_new();
    build_request(b);
    b->traced.want_looks = true;
    b->batch = iam_batch_new();
    b->line = json_dumps(b->item, 0);
}

static json_t *
read_case(const char *path)
{
    struct err err = { 0 };
    json_t *cases = json_read_file(path, &err);
    json_t *item = json_incref(json_array_get(cases, 0));
    if (!item) {
        printf("SKIPPED %s: %s\n", path, err.text);
    }
    json_decref(cases);
    return item;
}

/* A user with 1,000 statements over ten services, three actions and two resources each; the last but nine applies. */
static json_t *
long_case(void)
{
    static const char *const services[] = {
        "s3", "ec2", "sqs", "sns", "kms", "iam", "sts", "dynamodb", "lambda", "logs"
    };
    json_t *statements = json_array();
    for (int i = 0; i < 1000; i++) {
        const char *s = services[i % 10];
        char text[400];
        snprintf(
            text, sizeof text,
            "{\"Effect\": \"Allow\", \"Action\": [\"%s:Get*\", \"%s:Action%d\", \"%s:List*Things\"], \"Resource\": "
            "[\"arn:aws:%s:*:123456789012:thing%d/*\", \"arn:aws:%s:*:123456789012:other%d\"]}",
            s, s, i, s, s, i, s, i);
        json_array_append_new(statements, json_loads(text, 0, NULL));
    }
    return json_pack("{s:s, s:{s:s, s:s, s:{s:s, s:s}, s:{}}, s:{s:[{s:s, s:{s:s, s:o}}]}}", "id", "long", "request",
                     "principal", "arn:aws:iam::123456789012:user/lab", "action", "s3:GetObject", "resource", "arn",
                     "arn:aws:s3:eu-west-1:123456789012:thing990/k", "account", "123456789012", "context", "policies",
                     "identity", "name", "long", "document", "Version", "2012-10-17", "Statement", statements);
}

static void
unload(struct bench *b)
{
    for (size_t i = 0; i < b->owned.n; i++) {
        iam_policy_free(b->owned.items[i]);
    }
    VEC_DONE(&b->owned);
    iam_policies_done(&b->policies);
    iam_result_done(&b->result);
    iam_result_done(&b->traced);
    iam_request_free(b->request);
    iam_batch_free(b->batch);
    buf_done(&b->answer);
    free(b->line);
    json_decref(b->item);
}

/* ---- rows ---- */

static void
run_decide(struct bench *b)
{
    iam_decide(&b->policies, b->request, &b->result);
}
static void
run_traced(struct bench *b)
{
    iam_decide(&b->policies, b->request, &b->traced);
}
static void
run_new_request(struct bench *b)
{
    build_request(b);
    iam_decide(&b->policies, b->request, &b->result);
}
static void
run_batch(struct bench *b)
{
    buf_clear(&b->answer);
    iam_batch_decide(b->batch, b->line, strlen(b->line), 1, &b->answer);
}
static void
run_baseline(struct bench *b)
{
    iam_decide(&b->none, b->request, &b->result);
}

static const struct {
    const char *name;
    void (*run)(struct bench *b);
} rows[] = {
    { "decide", run_decide },    { "with trace", run_traced }, { "new request", run_new_request },
    { "batch line", run_batch }, { "baseline", run_baseline },
};

static void
measure(struct bench *b, size_t row, double seconds)
{
    size_t n = 0, chunk = 100;
    rows[row].run(b);
    n_allocations = 0;
    rows[row].run(b);
    size_t allocations = n_allocations;
    double begin = now_s(), end = begin;
    while (end - begin < seconds) {
        for (size_t i = 0; i < chunk; i++) {
            rows[row].run(b);
        }
        n += chunk;
        end = now_s();
    }
    printf("  %-14s %12.0f /s %9.0f ns %6zu malloc\n", rows[row].name, (double)n / (end - begin),
           (end - begin) / (double)n * 1e9, allocations);
}

static void
run_case(const char *name, json_t *item, double seconds)
{
    struct bench b = { 0 };
    if (!item) {
        return;
    }
    load(&b, item);
    run_decide(&b);
    size_t used = 0, n_statements = 0, largest = 0;
    for (size_t i = 0; i < b.owned.n; i++) {
        size_t own = arena_used(b.owned.items[i]->arena), n = b.owned.items[i]->n_statements;
        largest = n && own / n > largest ? own / n : largest;
        used += own;
        n_statements += n;
    }
    printf("%s: %s, %zu policies, %zu bytes a statement, %zu in the largest policy\n", name,
           iam_decision_name(b.result.decision), b.owned.n, n_statements ? used / n_statements : 0, largest);
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        measure(&b, row, seconds);
    }
    unload(&b);
}

int
main(int argc, char **argv)
{
    static const char *const files[] = { "../shared/bench/iam/simple.json", "../shared/bench/iam/rich.json" };
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    for (size_t i = 0; i < 2; i++) {
        run_case(files[i], read_case(files[i]), seconds);
    }
    run_case("1,000 statements", long_case(), seconds);
    return 0;
}

/* What is left of a network in which one HTTP request makes the two judges differ.  Here the "kernel" is analysis
 * itself with a fault put in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/random_verify.h"
#include "cloud/state.h"
#include "cloud/verify_balancers.h"
#include "netsim/analysis/listener_session.h"
#include "tests/test.h"

struct kernel {
    bool forgets_fields;  /* rules do not see the fields of a request beside Host */
    bool tells_wrong;     /* targets are told of another client */
    bool redirects_wrong; /* to nowhere */
    bool drops_posts;     /* without an answer */
    bool shows_default;   /* certificate, whatever the client asks for */
    bool sets_no_cookies;
    int n_lies; /* in that many labs the fault shows; -1: in all */
    int n_labs, n_lied;
    struct random_live beside;
};

/* The one whose turn it is. */
static void
answer_as_target(const struct network *net, struct http_questions *all, const struct http_question *q,
                 const struct lb_action *action, size_t turn, struct live_request *r)
{
    struct verify_spread spread = { .first = 0 };
    if (action->groups.n == 0) {
        verify_spread_group(net, q->node, action->group_arn, 1, &spread);
    }
    for (size_t i = 0; i < action->groups.n; i++) {
        verify_spread_group(net, q->node, action->groups.items[i].group_arn, action->groups.items[i].weight, &spread);
    }
    const struct verify_target *t = spread.targets.n ? &spread.targets.items[turn % spread.targets.n] : NULL;
    r->status = t ? 200 : 503;
    for (size_t i = 0; t && i < all->servers.n; i++) {
        const struct live_server *s = &all->servers.items[i];
        if (strcmp(s->ns, t->instance_id) == 0 && s->port == t->port) {
            unsigned flags = listener_cookies(action, t->group, LIVE_SERVER_COOKIE);
            r->server = i;
            r->told_src = q->client;
            snprintf(r->told_protocol, sizeof r->told_protocol, "%s", r->secure ? "https" : "http");
            r->cookies = xasprintf("SESSION=1%s%s%s", flags & LISTENER_COOKIE_TARGET ? "; AWSALB=1; AWSALBCORS=1" : "",
                                   flags & LISTENER_COOKIE_APP ? "; AWSALBAPP-0=1" : "",
                                   flags & LISTENER_COOKIE_GROUP ? "; AWSALBTG=1; AWSALBTGCORS=1" : "");
        }
    }
    VEC_DONE(&spread.targets);
}

static void
shake_hands(const struct kernel *kernel, const struct network *net, const struct http_question *q,
            struct live_request *r)
{
    const char *host = kernel->shows_default ? "" : r->host;
    const struct store *store = network_store(net);
    for (const struct certificate *c = store_first(store, &certificate_kind); c; c = store_next(store, c)) {
        if (listener_may_show(net, q->listener, host, c)) {
            snprintf(r->serial, sizeof r->serial, "%s", c->serial);
        }
    }
    snprintf(r->tls, sizeof r->tls, "TLSv1.%d", listener_tls_version(q->listener));
    r->issued = true;
}

static void
answer(const struct kernel *kernel, const struct network *net, struct http_questions *all,
       const struct http_question *q, size_t turn, struct live_request *r)
{
    struct listener_decision d;
    const struct http_asked *a = &q->asked;
    struct listener_request request = { a->method, a->host, a->path, a->query, a->fields, a->n_fields, q->client };
    request.n_headers = kernel->forgets_fields ? 0 : request.n_headers;
    listener_decide(q->listener, &request, &d);
    r->server = all->servers.n;
    r->status = d.status;
    r->location = d.location ? xasprintf("%s%s", d.location, kernel->redirects_wrong ? "nowhere" : "") : NULL;
    if (r->secure) {
        shake_hands(kernel, net, q, r);
    }
    if (d.answer == LISTENER_FORWARD) {
        answer_as_target(net, all, q, d.action, turn, r);
    }
    if (kernel->sets_no_cookies) {
        free(r->cookies);
        r->cookies = NULL;
    }
    if (kernel->tells_wrong && r->told_src.family) {
        r->told_src = ip_lit("192.0.2.1");
    }
    if (kernel->drops_posts && strcmp(a->method, "POST") == 0) {
        r->status = 0;
    }
    listener_decision_done(&d);
}

static bool
send_to_analysis(void *context, const struct network *net, struct live_probe *probes, size_t n, struct err *err)
{
    struct kernel *kernel = context, honest = { .n_lies = -1 };
    struct http_questions *all = &kernel->beside.requests;
    bool lies = kernel->n_lies < 0 || kernel->n_lied < kernel->n_lies;
    (void)probes, (void)n, (void)err;
    kernel->n_labs++;
    bool posts = false;
    for (size_t i = 0; i < all->asked.n; i++) {
        const struct http_question *q = &all->asked.items[i];
        posts = posts || strcmp(q->asked.method, "POST") == 0;
        for (size_t k = 0; k < q->n; k++) {
            answer(lies ? kernel : &honest, net, all, q, k, &all->sent.items[q->first + k]);
        }
    }
    kernel->n_lied += posts;
    return true;
}

/* The first disagreement on a request among some seeds; NULL if there is none.  The caller owns it. */
static json_t *
first_disagreement(struct kernel *kernel, uint64_t last, long long *n_requests)
{
    json_t *found = NULL;
    *n_requests = 0;
    for (uint64_t seed = 1; !found && seed <= last; seed++) {
        struct err err = { 0 };
        struct random_trial trial = { .seed = seed,
                                      .send = send_to_analysis,
                                      .context = kernel,
                                      .live = &kernel->beside,
                                      .shrink_tries = 100000,
                                      .shrink_seconds = 60 };
        if (seed % 4 == 1) { /* packets followed hop by hop, which this kernel cannot */
            continue;
        }
        json_t *out = random_verify(&trial, &err);
        REQUIRE(out, "seed %d: %s", (int)seed, err.text);
        const json_t *requests = json_object_get(out, "Requests");
        *n_requests += json_int(requests, "Asked", 0);
        found = json_incref(json_object_get(out, "RequestDisagreement"));
        CHECK(!found == !json_array_size(json_object_get(requests, "Differences")), "seed %d", (int)seed);
        json_decref(out);
    }
    return found;
}

TEST(a_kernel_without_fault_agrees)
{
    struct kernel kernel = { .n_lies = -1 };
    long long n;
    json_t *found = first_disagreement(&kernel, 60, &n);
    CHECK(!found, "%s: %s, %s", json_str(found, "Difference"), json_str(found, "Analysis"), json_str(found, "Kernel"));
    CHECK(n > 100, "%lld requests", n);
    json_decref(found);
}

static void
check_loads(const json_t *state)
{
    struct err err = { 0 };
    struct buf text = { 0 };
    struct cloud *cloud = cloud_open(&(struct cloud_options){ .throw_away = true, .bare = true }, &err);
    REQUIRE(cloud, "%s", err.text);
    json_write_compact(state, &text);
    CHECK(state_parse(cloud, buf_str(&text), text.size, "shrunk", &err), "%s: %s", err.where, err.text);
    buf_done(&text);
    cloud_close(cloud);
}

TEST(a_fault_of_a_balancer_leaves_a_lab_and_a_request_that_show_it)
{
    static const struct {
        struct kernel kernel;
        const char *says[3]; /* one of them */
        const char *request; /* in the command */
        json_int_t objects;  /* no more than these */
    } cases[] = {
        /* A VPC, two subnets with the balancer's nodes, its group and table, who asks; target groups and targets. */
        { { .forgets_fields = true, .n_lies = -1 },
          { "another answer than analysis says came", "a target answered that analysis does not allow",
            "no target answered, but the balancer" },
          "-TIER: ",
          20 },
        { { .tells_wrong = true, .n_lies = -1 },
          { "the target was told of another client than analysis says" },
          "/' --headers 'Host: ",
          20 },
        { { .redirects_wrong = true, .n_lies = -1 }, { "another answer than analysis says came" }, " --request '", 16 },
        { { .shows_default = true, .n_lies = -1 },
          { "another certificate than analysis says was shown" },
          "--headers 'Host: ",
          20 },
        { { .sets_no_cookies = true, .n_lies = -1 }, { "other cookies than analysis says came" }, "/' --headers", 20 },
        { { .drops_posts = true, .n_lies = -1 }, { HTTP_UNANSWERED }, "--request 'POST /' --headers 'Host: ", 16 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct kernel kernel = cases[i].kernel;
        long long n;
        json_t *found = first_disagreement(&kernel, 200, &n);
        REQUIRE(found, "%s", cases[i].says[0]);
        const char *how = json_str(found, "Difference"),
                   *command = json_string_value(json_array_get(json_object_get(found, "Commands"), 1));
        bool said = false;
        for (size_t k = 0; k < 3 && cases[i].says[k]; k++) {
            said = said || strcmp(how, cases[i].says[k]) == 0;
        }
        CHECK(said, "%zu: %s", i, how);
        CHECK(json_flag(found, "Shrunk", false), "%s", how);
        CHECK(json_array_size(json_object_get(found, "Commands")) == 3);
        CHECK(strstr(command, " verify eni-") || strstr(command, " verify internet "), "%s", command);
        CHECK(strcasestr(command, cases[i].request), "%s", command);
        CHECK(json_int(found, "Objects", 0) <= cases[i].objects, "%s: %lld objects", how,
              (long long)json_int(found, "Objects", 0));
        check_loads(json_object_get(found, "State"));
        json_decref(found);
    }
}

TEST(what_does_not_happen_again_is_said_so)
{
    struct kernel kernel = { .drops_posts = true, .n_lies = 1 };
    long long n;
    json_t *found = first_disagreement(&kernel, 60, &n);
    REQUIRE(found);
    CHECK(!json_flag(found, "Shrunk", true));
    CHECK(json_int(found, "Objects", 0) > 18, "%lld", (long long)json_int(found, "Objects", 0)); /* all of it */
    json_decref(found);
}

TEST_MAIN

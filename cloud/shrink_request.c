#include "cloud/shrink_request.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/shrink.h"
#include "netsim/live/plan.h"

/* A smaller network may lose what it is sent; not to be answered at all takes a retransmission more. */
#define LOST_MS    1500
#define UNHEARD_MS 4000

struct request_doubt {
    const struct random_trial *trial;
    struct http_asked asked;
    const char *how;
    json_t *report; /* of the time when it differed last */
};

/* Sends the request alone through the network. */
static bool
differs(struct request_doubt *doubt, const struct network *net)
{
    struct plan_numbers numbers = { 0 };
    struct plan *plan = plan_new(net, &numbers);
    onprem_site_vec sites = { 0 };
    verify_side_vec sides = { 0 };
    struct random_live *live = doubt->trial->live;
    struct http_questions *sent = &live->requests;
    const char *why, *how = NULL;
    struct err err = { 0 };
    plan_numbers_done(&numbers);
    verify_sides_gather(net, &sites, &sides);
    live->requests_ms = strcmp(doubt->how, HTTP_UNANSWERED) == 0 ? UNHEARD_MS : LOST_MS;
    if (http_questions_add(net, plan, &sides, &doubt->asked, sent, &why) &&
        doubt->trial->send(doubt->trial->context, net, NULL, 0, &err)) {
        how = http_question_differs(net, sent, 0);
    }
    bool same = how && strcmp(how, doubt->how) == 0;
    if (same) {
        json_decref(doubt->report);
        doubt->report = http_question_report(net, sent, 0);
    }
    http_questions_done(sent);
    *live = (struct random_live){ .followed = { .n = 0 } };
    verify_sides_done(&sides);
    VEC_DONE(&sites);
    plan_free(plan);
    return same;
}

static bool
still_differs(void *context, const json_t *json)
{
    struct request_doubt *doubt = context;
    struct id_gen ids = { 0 };
    struct clock clock = { 0 };
    struct network *net = network_new(&ids, &clock);
    bool ok = shrink_load(net, json) && differs(doubt, net);
    network_free(net);
    return ok;
}

/* Without one of its fields, its query, the path below the root; what it still needs to differ stays. */
static void
shrink_text(struct request_doubt *doubt, const json_t *network)
{
    struct http_asked whole = doubt->asked;
    doubt->asked.query = NULL;
    if (whole.query && !still_differs(doubt, network)) {
        doubt->asked.query = whole.query;
    }
    doubt->asked.path = "/";
    if (strcmp(whole.path, "/") != 0 && !still_differs(doubt, network)) {
        doubt->asked.path = whole.path;
    }
    for (size_t i = doubt->asked.n_fields; i-- > 0;) {
        struct http_asked before = doubt->asked, *a = &doubt->asked;
        memmove(&a->fields[i], &a->fields[i + 1], (--a->n_fields - i) * sizeof *a->fields);
        if (!still_differs(doubt, network)) {
            doubt->asked = before;
        }
    }
}

/* In single quotes, in which a shell reads everything but these as it is. */
static void
quote(struct buf *out, const char *text)
{
    buf_char(out, '\'');
    for (; *text; text++) {
        buf_str_add(out, *text == '\'' ? "'\\'" : "");
        buf_char(out, *text);
    }
    buf_char(out, '\'');
}

/* The question as one types it. */
static char *
command(const char *lab, const struct http_asked *a)
{
    struct buf out = { 0 };
    char *request = xasprintf("%s %s%s%s", a->method, a->path, a->query ? "?" : "", a->query ? a->query : "");
    buf_printf(&out, "vpclab --lab %s verify %s %s --port %d --source-ip %s --destination-ip %s --request ", lab,
               a->from, a->door, a->port, ip_str(&a->src), ip_str(&a->dst));
    quote(&out, request);
    free(request);
    request = xasprintf("Host: %s", a->host);
    buf_str_add(&out, " --headers ");
    quote(&out, request);
    free(request);
    for (size_t i = 0; i < a->n_fields; i++) {
        char *field = xasprintf("%s: %s", a->fields[i].name, a->fields[i].value);
        buf_char(&out, ' ');
        quote(&out, field);
        free(field);
    }
    return buf_steal(&out);
}

json_t *
shrink_request(const struct random_trial *trial, const struct network *net, const struct http_questions *questions,
               size_t first)
{
    struct request_doubt doubt = { .trial = trial,
                                   .asked = questions->asked.items[first].asked,
                                   .how = http_question_differs(net, questions, first),
                                   .report = http_question_report(net, questions, first) };
    json_t *network = shrink_save(net);
    bool shrunk = still_differs(&doubt, network);
    if (shrunk) {
        json_t *smaller = shrink_network(network, still_differs, &doubt, trial->shrink_tries, trial->shrink_seconds);
        json_decref(network);
        network = smaller;
        shrink_text(&doubt, network);
    }
    char *lab = xasprintf("./shrunk-http-%" PRIu64, trial->seed), *text = command(lab, &doubt.asked);
    json_t *out = doubt.report,
           *more = json_pack("{s:I, s:I, s:b, s:s, s:[o, s, o], s:o}", "Seed", (json_int_t)trial->seed, "Objects",
                             random_count_objects(network), "Shrunk", shrunk, "Lab", lab, "Commands",
                             json_sprintf("vpclab --lab %s up", lab), text, json_sprintf("vpclab --lab %s down", lab),
                             "State", random_state_json(trial, network));
    json_object_update_missing(out, more);
    json_decref(more);
    free(lab);
    free(text);
    return out;
}

/* cloud/http_answers.c - what became of HTTP questions, beside what analysis expects. */
#include "cloud/http_expected.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "netsim/analysis/listener_session.h"

#define LEFT_OUT_CHANCE 1e-5

/* NULL: none has the number, as with one that is not in the lab. */
static const struct certificate *
certificate_shown(const struct network *net, const struct live_request *got)
{
    const struct store *store = network_store(net);
    for (const struct certificate *c = store_first(store, &certificate_kind); c; c = store_next(store, c)) {
        if (c->serial && strcmp(c->serial, got->serial) == 0) {
            return c;
        }
    }
    return NULL;
}

/* A listener whose default certificate the lab knows by name only shows a stand-in. */
static bool
has_own_certificate(const struct network *net, const struct lb_listener *l)
{
    const struct certificate *c =
        network_certificate(net, json_str(json_array_get(l->certificates, 0), "CertificateArn"));
    return c && c->pem && c->key;
}

static const char *
tls_differs(const struct network *net, const struct http_question *q, const struct live_request *got)
{
    char version[16], host[80];
    const struct certificate *shown = certificate_shown(net, got);
    const struct authority *authority = network_authority(net);
    snprintf(version, sizeof version, "TLSv1.%d", listener_tls_version(q->listener));
    http_host(&q->asked, host);
    if (!has_own_certificate(net, q->listener)) {
        return NULL;
    }
    if (strcmp(version, got->tls) != 0) {
        return "TLS of another version than analysis says was spoken";
    }
    if (!shown || !listener_may_show(net, q->listener, host, shown)) {
        return "another certificate than analysis says was shown";
    }
    bool own = authority && shown->chain && strcmp(shown->chain, authority->pem) == 0;
    return own && !got->issued ? "the certificate is not one of the lab's authority" : NULL;
}

/* Is the target told of its client alone, as balancers do if nobody says otherwise? */
static bool
tells_client(const struct http_question *q)
{
    const char *mode = load_balancer_attribute(q->node->balancer, "routing.http.xff_header_processing.mode"),
               *port = load_balancer_attribute(q->node->balancer, "routing.http.xff_client_port.enabled");
    bool usual = (!mode || strcmp(mode, "append") == 0) && (!port || strcmp(port, "true") != 0);
    for (size_t i = 0; i < q->asked.n_fields; i++) {
        usual = usual && strncasecmp(q->asked.fields[i].name, "X-Forwarded-", 12) != 0;
    }
    return usual;
}

static bool
is_server(const struct network *net, const struct verify_target *t, const struct live_server *by)
{
    const struct eni *eni;
    const struct ip *ip = http_target_address(net, t, &eni);
    return ip && strcmp(t->instance_id, by->ns) == 0 && t->port == by->port && ip_equal(ip, &by->ip);
}

/* The cookies that come with the answer of a target; one that is in several groups is not asked. */
static bool
sets_other_cookies(const struct network *net, const struct expected *e, const struct live_server *by,
                   const struct live_request *got)
{
    bool strange;
    size_t n = 0;
    unsigned wanted = 0, came = listener_cookies_read(got->cookies, &strange);
    for (size_t i = 0; i < e->spread.targets.n; i++) {
        const struct verify_target *t = &e->spread.targets.items[i];
        if (is_server(net, t, by)) {
            wanted = listener_cookies(e->decision.action, t->group, LIVE_SERVER_COOKIE);
            n++;
        }
    }
    return n == 1 && (strange || wanted != came);
}

/* NULL: the answer is one of those that analysis allows. */
static const char *
answer_differs(const struct network *net, const struct http_questions *all, const struct http_question *q,
               const struct expected *e, const struct live_request *got)
{
    const struct listener_decision *d = &e->decision;
    bool strange, allowed = false;
    const char *how = got->status == 0 ? HTTP_UNANSWERED : http_is_secure(q) ? tls_differs(net, q, got) : NULL;
    if (how) {
        return how;
    }
    if (d->answer == LISTENER_REDIRECT || d->answer == LISTENER_FIXED_RESPONSE) {
        const char *wanted = d->location ? d->location : "", *location = got->location ? got->location : "";
        bool same =
            got->status == d->status && strcmp(wanted, location) == 0 && !listener_cookies_read(got->cookies, &strange);
        return same ? NULL : "another answer than analysis says came";
    }
    if (got->server >= all->servers.n) {
        return e->unserved && got->status == 503 ? NULL : "no target answered, but the balancer";
    }
    if (tells_client(q) && !ip_equal(&got->told_src, &q->client)) {
        return "the target was told of another client than analysis says";
    }
    if (tells_client(q) && strcmp(got->told_protocol, http_is_secure(q) ? "https" : "http") != 0) {
        return "the target was told of another protocol than analysis says";
    }
    const struct live_server *by = &all->servers.items[got->server];
    for (size_t i = 0; i < e->spread.targets.n && !allowed; i++) {
        allowed = is_server(net, &e->spread.targets.items[i], by);
    }
    return !allowed                              ? "a target answered that analysis does not allow"
           : sets_other_cookies(net, e, by, got) ? "other cookies than analysis says came"
                                                 : NULL;
}

/* The only one that this server can be; NULL: it is in several groups. */
static const struct verify_target *
target_of(const struct network *net, const struct expected *e, const struct live_server *by)
{
    const struct verify_target *found = NULL;
    for (size_t i = 0; i < e->spread.targets.n; i++) {
        const struct verify_target *t = &e->spread.targets.items[i];
        if (is_server(net, t, by)) {
            if (found) {
                return NULL;
            }
            found = t;
        }
    }
    return found;
}

/* Is a client that comes back with its cookies kept where it was?  A group that is drawn anew knows its own target
 * only. */
static const char *
return_differs(const struct network *net, const struct http_questions *all, const struct http_question *q,
               const struct expected *e, const struct live_request *before, const struct live_request *got)
{
    const char *how = answer_differs(net, all, q, e, got);
    const struct verify_target *t = target_of(net, e, &all->servers.items[before->server]);
    if (how || !t || got->server == before->server) {
        return how;
    }
    bool keeps = listener_keeps_group(e->decision.action), in_same = false, in_other = false,
         stays = listener_cookies(e->decision.action, t->group, LIVE_SERVER_COOKIE) &
                 (LISTENER_COOKIE_TARGET | LISTENER_COOKIE_APP);
    for (size_t i = 0; got->server < all->servers.n && i < e->spread.targets.n; i++) {
        const struct verify_target *u = &e->spread.targets.items[i];
        if (is_server(net, u, &all->servers.items[got->server])) {
            *(u->group == t->group ? &in_same : &in_other) = true;
        }
    }
    if (keeps && !in_same) {
        return "a client came back with its cookies and got another target group";
    }
    return stays && in_same && (keeps || !in_other) ? "a client came back with its cookies and got another target"
                                                    : NULL;
}

/* Each target gets its part. */
static bool
leaves_out(const struct http_questions *all, const struct http_question *q, const struct expected *e)
{
    for (size_t i = 0; i < e->spread.targets.n; i++) {
        const struct verify_target *t = &e->spread.targets.items[i];
        bool met = false;
        for (size_t k = q->first; k < q->first + q->n; k++) {
            size_t server = all->sent.items[k].server;
            const struct live_server *by = server < all->servers.n ? &all->servers.items[server] : NULL;
            met = met || (by && strcmp(by->ns, t->instance_id) == 0 && by->port == t->port);
        }
        if (!met && pow(1 - t->part, (double)q->n) < LEFT_OUT_CHANCE) {
            return true;
        }
    }
    return false;
}

static const char *
differs(const struct network *net, const struct http_questions *all, const struct http_question *q,
        const struct expected *e)
{
    for (size_t k = q->first; k < q->first + q->n; k++) {
        const char *how = answer_differs(net, all, q, e, &all->sent.items[k]);
        if (how) {
            return how;
        }
    }
    for (size_t k = 0; k < all->again.n; k++) {
        size_t of = all->again_of.items[k];
        const char *how = of < q->first || of >= q->first + q->n
                              ? NULL
                              : return_differs(net, all, q, e, &all->sent.items[of], &all->again.items[k]);
        if (how) {
            return how;
        }
    }
    return leaves_out(all, q, e) ? "a target got none of the requests" : NULL;
}

const char *
http_question_differs(const struct network *net, const struct http_questions *questions, size_t i)
{
    struct expected e = { .unserved = false };
    http_expect(net, &questions->asked.items[i], &e);
    const char *how = differs(net, questions, &questions->asked.items[i], &e);
    http_expected_done(&e);
    return how;
}

/* ---- in words -------------------------------------------------------------------------------------------------------
 */
static void
add_analysis_of_session(const struct network *net, const struct http_question *q, const struct expected *e,
                        struct buf *text)
{
    const struct store *store = network_store(net);
    char host[80];
    if (q->sticks) {
        buf_printf(text, "; cookies keep clients with %s",
                   !listener_keeps_group(e->decision.action) ? "the target"
                   : e->decision.action->groups.n > 1        ? "the target group"
                                                             : "it");
    }
    if (!http_is_secure(q) || !has_own_certificate(net, q->listener)) {
        return;
    }
    http_host(&q->asked, host);
    buf_printf(text, "; TLSv1.%d", listener_tls_version(q->listener));
    for (const struct certificate *c = store_first(store, &certificate_kind); c; c = store_next(store, c)) {
        if (listener_may_show(net, q->listener, host, c)) {
            buf_printf(text, ", certificate %s", c->serial);
        }
    }
}

static char *
analysis_text(const struct network *net, const struct http_question *q, const struct expected *e)
{
    const struct listener_decision *d = &e->decision;
    struct buf text = { 0 };
    if (d->rule) {
        buf_printf(&text, "rule %s", d->rule->priority);
    } else {
        buf_str_add(&text, "the listener itself");
    }
    buf_printf(&text, " of %s port %d", q->node->balancer->name, q->listener->port);
    if (d->answer == LISTENER_REDIRECT) {
        buf_printf(&text, " redirects it (%d) to %s", d->status, d->location);
    } else if (d->answer == LISTENER_FIXED_RESPONSE) {
        buf_printf(&text, " answers %d", d->status);
    } else if (d->answer == LISTENER_FORWARD) {
        buf_printf(&text, " forwards it to %s", e->spread.targets.n ? "" : "nobody: 503");
        for (size_t i = 0; i < e->spread.targets.n; i++) {
            const struct verify_target *t = &e->spread.targets.items[i];
            buf_printf(&text, "%s%s port %d", i ? " or " : "", t->instance_id, t->port);
        }
        if (e->spread.targets.n) {
            buf_printf(&text, "%s, and tells of the client %s", e->unserved ? " or nobody (503)" : "",
                       ip_str(&q->client));
        }
    } else {
        buf_str_add(&text, " has no answer for it");
    }
    add_analysis_of_session(net, q, e, &text);
    return buf_steal(&text);
}

static char *
answer_text(const struct http_questions *all, const struct live_request *got)
{
    struct buf text = { 0 };
    if (got->server < all->servers.n) {
        const struct live_server *by = &all->servers.items[got->server];
        buf_printf(&text, "%s port %d answered, told of the client %s", by->ns, by->port,
                   got->told_src.family ? ip_str(&got->told_src) : "-");
    } else if (got->status == 0) {
        buf_str_add(&text, "no answer");
    } else {
        buf_printf(&text, "the balancer answered %d%s%s", got->status, got->location ? " to " : "",
                   got->location ? got->location : "");
    }
    for (const char *p = got->cookies ? got->cookies : ""; *p; p += strcspn(p, ";"), p += strspn(p, "; ")) {
        buf_printf(&text, "%s%.*s", p == got->cookies ? ", with cookies " : " ", (int)strcspn(p, "="), p);
    }
    if (got->tls[0]) {
        buf_printf(&text, ", %s, certificate %s", got->tls, got->serial);
    }
    return buf_steal(&text);
}

/* Equal answers of several requests once, with their number. */
static char *
kernel_text(const struct http_questions *all, const struct http_question *q)
{
    json_t *times = json_object();
    const char *key;
    json_t *n;
    struct buf text = { 0 };
    for (size_t k = q->first; k < q->first + q->n; k++) {
        char *one = answer_text(all, &all->sent.items[k]);
        json_object_set_new(times, one, json_integer(json_int(times, one, 0) + 1));
        free(one);
    }
    json_object_foreach(times, key, n)
    {
        buf_printf(&text, "%s%s", text.size ? "; " : "", key);
        if (q->n > 1) {
            buf_printf(&text, " (%lld of %zu)", (long long)json_integer_value(n), q->n);
        }
    }
    json_decref(times);
    size_t n_again = 0, n_kept = 0;
    for (size_t k = 0; k < all->again.n; k++) {
        size_t of = all->again_of.items[k];
        bool own = of >= q->first && of < q->first + q->n;
        n_again += own;
        n_kept += own && all->again.items[k].server == all->sent.items[of].server;
    }
    if (n_again) {
        buf_printf(&text, "; %zu of %zu that came back with their cookies got the same", n_kept, n_again);
    }
    return buf_steal(&text);
}

static json_t *
fields_json(const struct http_asked *a)
{
    json_t *list = json_array();
    json_array_append_new(list, json_sprintf("Host: %s", a->host));
    for (size_t i = 0; i < a->n_fields; i++) {
        json_array_append_new(list, json_sprintf("%s: %s", a->fields[i].name, a->fields[i].value));
    }
    return list;
}

json_t *
http_question_report(const struct network *net, const struct http_questions *questions, size_t i)
{
    const struct http_question *q = &questions->asked.items[i];
    const struct http_asked *a = &q->asked;
    struct expected e = { .unserved = false };
    http_expect(net, q, &e);
    const char *how = differs(net, questions, q, &e);
    char *analysis = analysis_text(net, q, &e), *kernel = kernel_text(questions, q);
    json_t *out =
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:o, s:o, s:s, s:s, s:s*}", "From", q->from->name, "To", q->door->name,
                  "Port", a->port, "SourceIp", ip_str(&a->src), "DestinationIp", ip_str(&a->dst), "Request",
                  json_sprintf("%s %s%s%s", a->method, a->path, a->query ? "?" : "", a->query ? a->query : ""),
                  "Fields", fields_json(a), "Analysis", analysis, "Kernel", kernel, "Difference", how);
    free(analysis);
    free(kernel);
    http_expected_done(&e);
    return out;
}

static void
count(json_t *counts, const struct expected *e, const struct live_request *got)
{
    const char *fate = e->decision.answer == LISTENER_REDIRECT         ? "Redirected"
                       : e->decision.answer == LISTENER_FIXED_RESPONSE ? "Fixed"
                       : got->status == 503                            ? "Unserved"
                                                                       : "Forwarded";
    json_object_set_new(counts, fate, json_integer(json_int(counts, fate, 0) + 1));
    json_object_set_new(counts, "Asked", json_integer(json_int(counts, "Asked", 0) + 1));
    json_object_set_new(counts, "Rules", json_integer(json_int(counts, "Rules", 0) + (e->decision.rule != NULL)));
}

json_t *
http_questions_judge(const struct network *net, const struct http_questions *questions, size_t *first)
{
    json_t *differences = json_array(),
           *counts = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:o}", "Asked", 0, "Rules", 0, "Forwarded", 0,
                               "Redirected", 0, "Fixed", 0, "Unserved", 0, "Secure", 0, "Again",
                               (json_int_t)questions->again.n, "Differences", differences);
    *first = questions->asked.n;
    for (size_t i = 0; i < questions->asked.n; i++) {
        const struct http_question *q = &questions->asked.items[i];
        struct expected e = { .unserved = false };
        http_expect(net, q, &e);
        for (size_t k = q->first; k < q->first + q->n; k++) {
            count(counts, &e, &questions->sent.items[k]);
            json_object_set_new(counts, "Secure", json_integer(json_int(counts, "Secure", 0) + http_is_secure(q)));
        }
        if (differs(net, questions, q, &e)) {
            json_t *r = http_question_report(net, questions, i);
            json_array_append_new(differences,
                                  json_sprintf("%s -> %s port %lld, %s of %s: %s; analysis: %s; kernel: %s",
                                               json_str(r, "From"), json_str(r, "To"), json_int(r, "Port", 0),
                                               json_str(r, "Request"), q->asked.host, json_str(r, "Difference"),
                                               json_str(r, "Analysis"), json_str(r, "Kernel")));
            json_decref(r);
            *first = *first < i ? *first : i;
        }
        http_expected_done(&e);
    }
    return counts;
}

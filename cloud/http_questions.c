#include "cloud/http_questions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/verify_balancers.h"
#include "cloud/verify_gap.h"
#include "netsim/analysis/walk.h"
#include "netsim/live/plan.h"
#include "netsim/model/endpoint.h"

#define SENT_EACH       12 /* for each target, so that none is left out by chance */
#define SENT_MOST       40 /* of one question */
#define FIRST_PORT      43000
#define LEFT_OUT_CHANCE 1e-5

/* ---- what may become of a request ----------------------------------------------------------------------------------
 */
struct expected {
    struct listener_decision decision;
    struct verify_spread spread; /* who may answer when it is forwarded */
    bool unserved;               /* a group that may get it has nobody: 503 */
    struct ip client;            /* as the balancer sees it */
};

static void
expected_done(struct expected *e)
{
    listener_decision_done(&e->decision);
    VEC_DONE(&e->spread.targets);
}

static void
add_group(const struct network *net, const struct verify_side *node, const char *arn, double part, struct expected *e)
{
    size_t before = e->spread.targets.n;
    if (part > 0) {
        verify_spread_group(net, node, arn, part, &e->spread);
        e->unserved = e->unserved || e->spread.targets.n == before;
    }
}

static void
expect(const struct network *net, const struct http_question *r, struct expected *e)
{
    const struct http_asked *asked = &r->asked;
    const struct listener_request request = { .method = asked->method,
                                              .host = asked->host,
                                              .path = asked->path,
                                              .query = asked->query,
                                              .headers = asked->fields,
                                              .n_headers = asked->n_fields,
                                              .client = r->client };
    listener_decide(r->listener, &request, &e->decision);
    const struct lb_action *a = e->decision.action;
    double sum = 0;
    if (e->decision.answer != LISTENER_FORWARD) {
        return;
    }
    for (size_t i = 0; i < a->groups.n; i++) {
        sum += a->groups.items[i].weight;
    }
    for (size_t i = 0; i < a->groups.n; i++) {
        double part = a->groups.n == 1 || sum <= 0 ? 1 : a->groups.items[i].weight / sum;
        add_group(net, r->node, a->groups.items[i].group_arn, part, e);
    }
    if (a->groups.n == 0) {
        add_group(net, r->node, a->group_arn, 1, e);
    }
}

/* ---- which can be asked ---------------------------------------------------------------------------------------------
 */
/* What becomes of a connection in an appliance is its software's affair: one that translates and sees only the answers
 * of a handshake lets these pass and takes what follows for a connection of its own. */
static bool
by_appliance(const struct walk *walk)
{
    for (size_t i = 0; i < walk->hops.n; i++) {
        const struct hop *hop = &walk->hops.items[i];
        bool endpoint = hop->component && hop->component->kind == &endpoint_kind;
        if (hop->sent_on || (endpoint && endpoint_is_gateway_lb((const struct endpoint *)hop->component))) {
            return true;
        }
    }
    return false;
}

static bool
meets_appliance(const struct network *net, const struct flow_spec *flow)
{
    struct open_ways ways;
    struct err err = { 0 };
    if (!reach_ways(net, flow, &ways, &err)) {
        return true;
    }
    bool meets = by_appliance(&ways.forward) || (ways.answered && by_appliance(&ways.back));
    open_ways_done(&ways);
    return meets;
}

/* Where one of several is asked for, it is that one which gets it. */
static bool
gets_it(const struct reach_result *said, const char *receiver)
{
    bool found = !receiver;
    for (size_t i = 0; !found && i < said->receivers.n; i++) {
        found = strcmp(said->receivers.items[i], receiver) == 0;
    }
    return found;
}

/* There and back, and both judges know all of the way; '*seen' is the sender as the far end sees it. */
static bool
passes(const struct network *net, const struct plan *plan, const struct flow_spec *flow, struct ip *seen)
{
    struct reach_result said = { 0 };
    struct verify_gap gap = { 0 };
    struct err err = { 0 };
    if (!reach(net, flow, false, &said, &err)) {
        return false;
    }
    bool ok = said.reachable && said.reply == REPLY_ALLOWED && gets_it(&said, flow->receiver) &&
              !meets_appliance(net, flow) && verify_find_gap(net, plan, flow, "", &gap, &err) && !gap.lacks &&
              !gap.lost_behind;
    *seen = said.arrives.src;
    reach_result_done(&said);
    return ok;
}

/* From the node to the target, from whichever port the node takes: ACLs may know a difference. */
static bool
reaches_target(const struct network *net, const struct plan *plan, const struct verify_side *node,
               const struct verify_target *t, const struct eni *eni)
{
    static const int ports[] = { 32768, 39999, 40000, 40001, 43000, 52766, 52767, 52768, 52999, 60999 };
    const struct ip *src = verify_side_address(node, t->family), *dst = verify_eni_address(eni, t->family);
    struct flow_spec flow = { .from = verify_side_end(node),
                              .to = { .kind = FLOW_END_ENI },
                              .protocol = PROTOCOL_TCP,
                              .dst_port = t->port,
                              .family = t->family,
                              .icmp_type = -1,
                              .icmp_code = -1,
                              .health_check = true };
    bool ok = src && dst;
    snprintf(flow.to.id, sizeof flow.to.id, "%s", eni->obj.id);
    for (size_t i = 0; ok && i < ARRAY_SIZE(ports); i++) {
        struct ip seen;
        flow.src_ip = *src;
        flow.dst_ip = *dst;
        flow.src_port = ports[i];
        ok = passes(net, plan, &flow, &seen);
    }
    return ok;
}

static size_t
server_of(const struct http_questions *all, const char *instance_id, const struct ip *ip, int port)
{
    size_t i = 0;
    while (i < all->servers.n && (strcmp(all->servers.items[i].ns, instance_id) != 0 ||
                                  !ip_equal(&all->servers.items[i].ip, ip) || all->servers.items[i].port != port)) {
        i++;
    }
    return i;
}

static const struct ip *
target_address(const struct network *net, const struct verify_target *t, const struct eni **eni)
{
    const struct instance *instance = store_get(network_store(net), &instance_kind, t->instance_id);
    *eni = instance ? instance_eni(net, instance, 0) : NULL;
    return *eni ? verify_eni_address(*eni, t->family) : NULL;
}

/* Does the lab itself answer there, as it does for an appliance's health? */
static bool
is_served(const struct plan *plan, const char *instance_id, int port)
{
    const struct plan_ns *ns = plan_find(plan, instance_id);
    for (size_t i = 0; ns && i < ns->services.n; i++) {
        if (ns->services.items[i].port == port) {
            return true;
        }
    }
    return false;
}

/* A server for each of the targets; false: it is not known what becomes of what one of them gets. */
static bool
serve_targets(const struct network *net, const struct plan *plan, const struct http_question *r,
              const struct expected *e, struct http_questions *all)
{
    bool ok = !e->spread.strangers;
    for (size_t i = 0; ok && i < e->spread.targets.n; i++) {
        const struct verify_target *t = &e->spread.targets.items[i];
        const struct eni *eni;
        const struct ip *ip = target_address(net, t, &eni);
        struct ip own;
        bool registered = !t->id || !ip_parse(t->id, &own) || (ip && ip_equal(&own, ip)); /* by its first address */
        ok = ip && registered && !is_served(plan, t->instance_id, t->port) && strcmp(t->group->protocol, "HTTP") == 0 &&
             reaches_target(net, plan, r->node, t, eni);
        if (ok && server_of(all, t->instance_id, ip, t->port) == all->servers.n) {
            struct live_server *server = VEC_ADD(&all->servers);
            *server = (struct live_server){ .ip = *ip, .port = t->port };
            snprintf(server->ns, sizeof server->ns, "%s", t->instance_id);
        }
    }
    return ok;
}

/* ---- asking ---------------------------------------------------------------------------------------------------------
 */
bool
http_side_is_node(const struct verify_side *side)
{
    return side->eni && side->node == side->eni && side->balancer && side->balancer->listeners.n;
}

bool
http_side_asks(const struct verify_side *side)
{
    return !side->only_answers && !side->gateway && (!side->eni || *side->eni->attachment.instance_id);
}

static const struct verify_side *
node_side(const verify_side_vec *sides, const char *eni_id)
{
    for (size_t i = 0; i < sides->n; i++) {
        const struct verify_side *side = &sides->items[i];
        if (http_side_is_node(side) && strcmp(side->eni->obj.id, eni_id) == 0) {
            return side;
        }
    }
    return NULL;
}

static const struct verify_side *
asking_side(const verify_side_vec *sides, const char *id)
{
    for (size_t i = 0; i < sides->n; i++) {
        const struct verify_side *side = &sides->items[i];
        if (http_side_asks(side) && strcmp(side->eni ? side->eni->obj.id : PLAN_INTERNET_ID, id) == 0) {
            return side;
        }
    }
    return NULL;
}

static const struct lb_listener *
listener_at(const struct load_balancer *lb, int port)
{
    for (size_t i = 0; i < lb->listeners.n; i++) {
        if (lb->listeners.items[i].port == port) {
            return &lb->listeners.items[i];
        }
    }
    return NULL;
}

/* What a listener of a network balancer is before: fills in the application balancer's listener and a node of it. */
static bool
find_behind(const struct network *net, const verify_side_vec *sides, struct http_question *q)
{
    const struct lb_action *a = q->listener->actions.n ? &q->listener->actions.items[0] : NULL;
    const struct target_group *group = a && a->group_arn ? network_target_group(net, a->group_arn) : NULL;
    bool application = group && strcmp(group->target_type, "alb") == 0 && group->targets.n;
    const struct load_balancer *behind = application ? network_load_balancer(net, group->targets.items[0].id) : NULL;
    struct eni *const *nodes;
    q->node = behind && load_balancer_enis(net, behind, &nodes) ? node_side(sides, nodes[0]->obj.id) : NULL;
    q->listener = q->node ? listener_at(behind, group->port) : NULL;
    return q->listener != NULL;
}

static char *
text_of(const struct http_asked *a)
{
    struct buf text = { 0 };
    buf_printf(&text, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n", a->method,
               a->path, a->query ? "?" : "", a->query ? a->query : "", a->host);
    for (size_t i = 0; i < a->n_fields; i++) {
        buf_printf(&text, "%s: %s\r\n", a->fields[i].name, a->fields[i].value);
    }
    buf_str_add(&text, "\r\n");
    return buf_steal(&text);
}

static void
send_some(struct http_questions *all, struct http_question *q, const struct expected *e)
{
    const struct http_asked *a = &q->asked;
    size_t n = e->spread.targets.n > 1 ? SENT_EACH * e->spread.targets.n : 1;
    q->first = all->sent.n;
    q->n = n < SENT_MOST ? n : SENT_MOST;
    for (size_t i = 0; i < q->n; i++) {
        struct live_request *one = VEC_ADD(&all->sent);
        *one = (struct live_request){ .src = a->src,
                                      .dst = a->dst,
                                      .src_port = FIRST_PORT + (int)all->sent.n,
                                      .dst_port = a->port,
                                      .text = text_of(a) };
        snprintf(one->from, sizeof one->from, "%s",
                 q->from->eni ? q->from->eni->attachment.instance_id : PLAN_INTERNET_ID);
    }
}

/* Is each of the nodes behind the network balancer reached, and does each reach the targets? */
static bool
passes_behind(const struct network *net, const struct plan *plan, const verify_side_vec *sides, struct flow_spec *flow,
              struct http_question *q, const struct expected *e, struct http_questions *all)
{
    struct verify_spread spread = { 0 };
    verify_spread_targets(net, q->door, PROTOCOL_TCP, flow->dst_port, &spread);
    bool ok = spread.targets.n > 0;
    for (size_t i = 0; ok && i < spread.targets.n; i++) {
        flow->receiver = spread.targets.items[i].instance_id;
        q->node = node_side(sides, flow->receiver);
        struct ip seen;
        ok = q->node && passes(net, plan, flow, &seen) && ip_equal(&seen, &q->client) &&
             serve_targets(net, plan, q, e, all);
    }
    VEC_DONE(&spread.targets);
    return ok;
}

/* Fills in who asks whom; false with 'why'. */
static bool
find_ends(const struct network *net, const verify_side_vec *sides, struct http_question *q, const char **why)
{
    const struct http_asked *a = &q->asked;
    q->from = asking_side(sides, a->from);
    q->door = q->node = node_side(sides, a->door);
    q->listener = q->door ? listener_at(q->door->balancer, a->port) : NULL;
    *why = !q->from       ? "whoever asks is gone"
           : !q->door     ? "it is no node of a balancer with listeners"
           : !q->listener ? "the balancer has no listener at that port"
                          : NULL;
    if (!*why && load_balancer_is_network(q->door->balancer) && !find_behind(net, sides, q)) {
        *why = "no application balancer reads what comes to that port";
    }
    return !*why;
}

bool
http_questions_add(const struct network *net, const struct plan *plan, const verify_side_vec *sides,
                   const struct http_asked *asked, struct http_questions *out, const char **why)
{
    struct http_question q = { .asked = *asked };
    struct expected e = { .unserved = false };
    if (!find_ends(net, sides, &q, why)) {
        return false;
    }
    bool front = load_balancer_is_network(q.door->balancer);
    struct flow_spec flow = { .from = verify_side_end(q.from),
                              .to = verify_side_end(q.door),
                              .protocol = PROTOCOL_TCP,
                              .src_ip = asked->src,
                              .dst_ip = asked->dst,
                              .src_port = FIRST_PORT,
                              .dst_port = asked->port,
                              .icmp_type = -1,
                              .icmp_code = -1,
                              .family = asked->dst.family,
                              .ends_at_balancer = !front,
                              .ends_at_application = true };
    *why = "its packets do not come to the balancer and back, or not all of their way can be compared";
    if (!verify_can_ask(net, q.from, q.door, PROTOCOL_TCP, asked->port, &flow.dst_ip) ||
        !passes(net, plan, &flow, &q.client)) {
        return false;
    }
    *why = "not all targets of the rule that takes it can be compared: each must be a running instance, by its first "
           "address, that the balancer reaches, with a target group of HTTP";
    expect(net, &q, &e);
    bool ok = front ? passes_behind(net, plan, sides, &flow, &q, &e, out) : serve_targets(net, plan, &q, &e, out);
    if (ok) {
        send_some(out, &q, &e);
        *VEC_ADD(&out->asked) = q;
    }
    expected_done(&e);
    return ok;
}

bool
http_questions_send(struct http_questions *questions, http_send_fn *send, void *context, struct err *err)
{
    return questions->sent.n == 0 || send(context, &questions->servers, &questions->sent, err);
}

void
http_questions_done(struct http_questions *questions)
{
    for (size_t i = 0; i < questions->sent.n; i++) {
        live_request_done(&questions->sent.items[i]);
    }
    VEC_DONE(&questions->sent);
    VEC_DONE(&questions->servers);
    VEC_DONE(&questions->asked);
}

/* ---- judging
 * ----------------------------------------------------------------------------------------------------------
 */
/* NULL: the answer is one of those that analysis allows. */
static const char *
answer_differs(const struct network *net, const struct http_questions *all, const struct http_question *q,
               const struct expected *e, const struct live_request *got)
{
    const struct listener_decision *d = &e->decision;
    if (got->status == 0) {
        return HTTP_UNANSWERED;
    }
    if (d->answer == LISTENER_REDIRECT || d->answer == LISTENER_FIXED_RESPONSE) {
        const char *wanted = d->location ? d->location : "", *location = got->location ? got->location : "";
        bool same = got->status == d->status && strcmp(wanted, location) == 0;
        return same ? NULL : "another answer than analysis says came";
    }
    if (got->server >= all->servers.n) {
        return e->unserved && got->status == 503 ? NULL : "no target answered, but the balancer";
    }
    if (!ip_equal(&got->told_src, &q->client)) {
        return "the target was told of another client than analysis says";
    }
    const struct live_server *by = &all->servers.items[got->server];
    for (size_t i = 0; i < e->spread.targets.n; i++) {
        const struct verify_target *t = &e->spread.targets.items[i];
        const struct eni *eni;
        const struct ip *ip = target_address(net, t, &eni);
        if (ip && strcmp(t->instance_id, by->ns) == 0 && t->port == by->port && ip_equal(ip, &by->ip)) {
            return NULL;
        }
    }
    return "a target answered that analysis does not allow";
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
    return leaves_out(all, q, e) ? "a target got none of the requests" : NULL;
}

const char *
http_question_differs(const struct network *net, const struct http_questions *questions, size_t i)
{
    struct expected e = { .unserved = false };
    expect(net, &questions->asked.items[i], &e);
    const char *how = differs(net, questions, &questions->asked.items[i], &e);
    expected_done(&e);
    return how;
}

/* ---- in words -------------------------------------------------------------------------------------------------------
 */
static char *
analysis_text(const struct http_question *q, const struct expected *e)
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
    return buf_steal(&text);
}

static char *
answer_text(const struct http_questions *all, const struct live_request *got)
{
    if (got->server < all->servers.n) {
        const struct live_server *by = &all->servers.items[got->server];
        return xasprintf("%s port %d answered, told of the client %s", by->ns, by->port,
                         got->told_src.family ? ip_str(&got->told_src) : "-");
    }
    return got->status == 0 ? xstrdup("no answer")
           : got->location  ? xasprintf("the balancer answered %d to %s", got->status, got->location)
                            : xasprintf("the balancer answered %d", got->status);
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
    expect(net, q, &e);
    const char *how = differs(net, questions, q, &e);
    char *analysis = analysis_text(q, &e), *kernel = kernel_text(questions, q);
    json_t *out =
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:o, s:o, s:s, s:s, s:s*}", "From", q->from->name, "To", q->door->name,
                  "Port", a->port, "SourceIp", ip_str(&a->src), "DestinationIp", ip_str(&a->dst), "Request",
                  json_sprintf("%s %s%s%s", a->method, a->path, a->query ? "?" : "", a->query ? a->query : ""),
                  "Fields", fields_json(a), "Analysis", analysis, "Kernel", kernel, "Difference", how);
    free(analysis);
    free(kernel);
    expected_done(&e);
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
           *counts = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "Asked", 0, "Rules", 0, "Forwarded", 0,
                               "Redirected", 0, "Fixed", 0, "Unserved", 0, "Differences", differences);
    *first = questions->asked.n;
    for (size_t i = 0; i < questions->asked.n; i++) {
        const struct http_question *q = &questions->asked.items[i];
        struct expected e = { .unserved = false };
        expect(net, q, &e);
        for (size_t k = q->first; k < q->first + q->n; k++) {
            count(counts, &e, &questions->sent.items[k]);
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
        expected_done(&e);
    }
    return counts;
}

#include "cloud/random_requests.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/verify_balancers.h"
#include "cloud/verify_gap.h"
#include "netsim/analysis/walk.h"
#include "netsim/live/plan.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/random_net.h"

#define KINDS_OF_REQUEST 8   /* of a network */
#define DRAWS            100 /* until there are so many */
#define SENT_EACH        12  /* for each target, so that none is left out by chance */
#define SENT_MOST        40  /* of one kind */
#define FIRST_PORT       43000
#define LEFT_OUT_CHANCE  1e-5

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
expect(const struct network *net, const struct random_request *r, struct expected *e)
{
    listener_decide(r->listener, &r->request, &e->decision);
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
server_of(const struct random_requests *all, const char *instance_id, const struct ip *ip, int port)
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
serve_targets(const struct network *net, const struct plan *plan, const struct random_request *r,
              const struct expected *e, struct random_requests *all)
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

/* ---- drawing --------------------------------------------------------------------------------------------------------
 */
static void
draw_text(struct random_net *r, struct random_request *q)
{
    static const char *const hosts[] = { "www.example.com",  "WEB-1.example.com", "web-10.example.com:80",
                                         "shop.example.com", "example.com",       "10.0.0.4" },
                             *const paths[] = { "/",          "/api/",       "/api/x",  "/API/a",
                                                "/img/a.png", "/img/a.jpeg", "/img/b/x" },
                             *const queries[] = { "v=1", "V=12&w=2*", "w=3", "v=2*", "a&v=23", "" },
                             *const tiers[] = { "gold", "Golden", "tin", "none" };
    int n_headers = lot(r, 3);
    q->request = (struct listener_request){ .method = chance(r, 60) ? "GET" : "POST",
                                            .host = hosts[lot(r, ARRAY_SIZE(hosts))],
                                            .path = paths[lot(r, ARRAY_SIZE(paths))],
                                            .n_headers = (size_t)n_headers };
    q->request.query = chance(r, 60) ? queries[lot(r, ARRAY_SIZE(queries))] : NULL;
    for (int i = 0; i < n_headers; i++) {
        q->headers[i] = (struct listener_header){ i ? "X-TIER" : "x-tier", tiers[lot(r, ARRAY_SIZE(tiers))] };
    }
}

static char *
text_of(const struct random_request *q)
{
    const struct listener_request *r = &q->request;
    struct buf text = { 0 };
    buf_printf(&text, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n", r->method,
               r->path, r->query ? "?" : "", r->query ? r->query : "", r->host);
    for (size_t i = 0; i < r->n_headers; i++) {
        buf_printf(&text, "%s: %s\r\n", q->headers[i].name, q->headers[i].value);
    }
    buf_str_add(&text, "\r\n");
    return buf_steal(&text);
}

static bool
is_node(const struct verify_side *side)
{
    return side->eni && side->node == side->eni && side->balancer && side->balancer->listeners.n;
}

static const struct verify_side *
side_of(const verify_side_vec *sides, const char *eni_id)
{
    for (size_t i = 0; i < sides->n; i++) {
        if (is_node(&sides->items[i]) && strcmp(sides->items[i].eni->obj.id, eni_id) == 0) {
            return &sides->items[i];
        }
    }
    return NULL;
}

/* What a listener of a network balancer is before: fills in the application balancer's listener and a node of it. */
static bool
find_behind(const struct network *net, const verify_side_vec *sides, struct random_request *q)
{
    const struct lb_action *a = q->listener->actions.n ? &q->listener->actions.items[0] : NULL;
    const struct target_group *group = a && a->group_arn ? network_target_group(net, a->group_arn) : NULL;
    bool application = group && strcmp(group->target_type, "alb") == 0 && group->targets.n;
    const struct load_balancer *behind = application ? network_load_balancer(net, group->targets.items[0].id) : NULL;
    struct eni *const *nodes;
    q->listener = NULL;
    q->node = behind && load_balancer_enis(net, behind, &nodes) ? side_of(sides, nodes[0]->obj.id) : NULL;
    for (size_t i = 0; q->node && i < behind->listeners.n; i++) {
        if (behind->listeners.items[i].port == group->port) {
            q->listener = &behind->listeners.items[i];
        }
    }
    return q->listener != NULL;
}

/* A machine, or the internet. */
static bool
may_ask(const struct verify_side *side)
{
    return !side->only_answers && !side->gateway && (!side->eni || *side->eni->attachment.instance_id);
}

static void
send_some(struct random_requests *all, struct random_request *q, const struct expected *e, const struct flow_spec *flow)
{
    size_t n = e->spread.targets.n > 1 ? SENT_EACH * e->spread.targets.n : 1;
    q->first = all->sent.n;
    q->n = n < SENT_MOST ? n : SENT_MOST;
    for (size_t i = 0; i < q->n; i++) {
        struct live_request *one = VEC_ADD(&all->sent);
        *one = (struct live_request){ .src = flow->src_ip,
                                      .dst = flow->dst_ip,
                                      .src_port = FIRST_PORT + (int)all->sent.n,
                                      .dst_port = flow->dst_port,
                                      .text = text_of(q) };
        snprintf(one->from, sizeof one->from, "%s",
                 q->from->eni ? q->from->eni->attachment.instance_id : PLAN_INTERNET_ID);
    }
}

/* Is each of the nodes behind the network balancer reached, and does each reach the targets? */
static bool
passes_behind(const struct network *net, const struct plan *plan, const verify_side_vec *sides, struct flow_spec *flow,
              struct random_request *q, const struct expected *e, struct random_requests *all)
{
    struct verify_spread spread = { 0 };
    verify_spread_targets(net, q->door, PROTOCOL_TCP, flow->dst_port, &spread);
    bool ok = spread.targets.n > 0;
    for (size_t i = 0; ok && i < spread.targets.n; i++) {
        flow->receiver = spread.targets.items[i].instance_id;
        q->node = side_of(sides, flow->receiver);
        struct ip seen;
        ok = q->node && passes(net, plan, flow, &seen) && ip_equal(&seen, &q->request.client) &&
             serve_targets(net, plan, q, e, all);
    }
    VEC_DONE(&spread.targets);
    return ok;
}

static void
draw(struct random_net *r, const struct plan *plan, const verify_side_vec *sides, const struct verify_side *from,
     const struct verify_side *door, struct random_requests *all)
{
    int family = chance(r, 25) ? IP_V6 : IP_V4;
    const struct lb_listener *outer = &door->balancer->listeners.items[lot(r, (int)door->balancer->listeners.n)];
    bool front = load_balancer_is_network(door->balancer);
    struct random_request q = { .from = from, .door = door, .node = door, .listener = outer };
    const struct ip *src = verify_side_address(from, family), *dst = verify_side_address(door, family),
                    *public = dst && !from->eni ? eni_public_ip(door->eni, dst) : NULL;
    draw_text(r, &q);
    if (!src || !dst || (front && !find_behind(r->net, sides, &q))) {
        return;
    }
    struct flow_spec flow = { .from = verify_side_end(from),
                              .to = verify_side_end(door),
                              .protocol = PROTOCOL_TCP,
                              .src_ip = *src,
                              .dst_ip = public ? *public : *dst,
                              .src_port = FIRST_PORT,
                              .dst_port = outer->port,
                              .icmp_type = -1,
                              .icmp_code = -1,
                              .family = family,
                              .ends_at_balancer = !front,
                              .ends_at_application = true };
    struct expected e = { .unserved = false };
    if (verify_can_ask(r->net, from, door, PROTOCOL_TCP, outer->port, &flow.dst_ip) &&
        passes(r->net, plan, &flow, &q.request.client)) {
        q.request.headers = q.headers;
        expect(r->net, &q, &e);
        if (front ? passes_behind(r->net, plan, sides, &flow, &q, &e, all) : serve_targets(r->net, plan, &q, &e, all)) {
            send_some(all, &q, &e, &flow);
            *VEC_ADD(&all->asked) = q;
        }
        expected_done(&e);
    }
}

void
random_requests_draw(struct random_net *r, const struct plan *plan, const verify_side_vec *sides,
                     struct random_requests *out)
{
    VEC(const struct verify_side *) doors = { 0 }, clients = { 0 };
    for (size_t i = 0; i < sides->n; i++) {
        const struct verify_side *side = &sides->items[i];
        if (is_node(side)) {
            *VEC_ADD(&doors) = side;
        } else if (may_ask(side)) {
            *VEC_ADD(&clients) = side;
        }
    }
    for (int i = 0; i < DRAWS && doors.n && clients.n && out->asked.n < KINDS_OF_REQUEST; i++) {
        const struct verify_side *from = clients.items[lot(r, (int)clients.n)];
        draw(r, plan, sides, from, doors.items[lot(r, (int)doors.n)], out);
    }
    for (size_t i = 0; i < out->asked.n; i++) { /* which stay where they are from now on */
        out->asked.items[i].request.headers = out->asked.items[i].headers;
    }
    VEC_DONE(&doors);
    VEC_DONE(&clients);
}

/* ---- judging
 * ----------------------------------------------------------------------------------------------------------
 */
struct verdict {
    const struct network *net;
    const struct random_requests *all;
    json_t *counts, *differences;
};

static void
differ(struct verdict *v, const struct random_request *q, const struct expected *e, char *how)
{
    const struct listener_request *r = &q->request;
    json_array_append_new(v->differences,
                          json_sprintf("%s -> %s port %d, %s %s%s%s of %s (%s of %s): %s", q->from->name, q->door->name,
                                       q->listener->port, r->method, r->path, r->query ? "?" : "",
                                       r->query ? r->query : "", r->host,
                                       e->decision.rule ? "rule" : "the listener itself",
                                       e->decision.rule ? e->decision.rule->priority : q->node->balancer->name, how));
    free(how);
}

/* NULL: the answer is one of those that analysis allows. */
static char *
how_it_differs(const struct verdict *v, const struct random_request *q, const struct expected *e,
               const struct live_request *got)
{
    const struct listener_decision *d = &e->decision;
    if (got->status == 0) {
        return xstrdup("no answer came");
    }
    if (d->answer == LISTENER_REDIRECT || d->answer == LISTENER_FIXED_RESPONSE) {
        const char *wanted = d->location ? d->location : "", *location = got->location ? got->location : "";
        bool same = got->status == d->status && strcmp(wanted, location) == 0;
        return same ? NULL : xasprintf("analysis %d %s, kernel %d %s", d->status, wanted, got->status, location);
    }
    if (got->server >= v->all->servers.n) {
        return e->unserved && got->status == 503 ? NULL
                                                 : xasprintf("no target answered, but the balancer: %d", got->status);
    }
    if (!ip_equal(&got->told_src, &q->request.client)) {
        return xasprintf("the target was told of the client %s, analysis says %s", ip_str(&got->told_src),
                         ip_str(&q->request.client));
    }
    const struct live_server *by = &v->all->servers.items[got->server];
    for (size_t i = 0; i < e->spread.targets.n; i++) {
        const struct verify_target *t = &e->spread.targets.items[i];
        const struct eni *eni;
        const struct ip *ip = target_address(v->net, t, &eni);
        if (ip && strcmp(t->instance_id, by->ns) == 0 && t->port == by->port && ip_equal(ip, &by->ip)) {
            return NULL;
        }
    }
    return xasprintf("answered by %s port %d, which analysis does not allow", by->ns, by->port);
}

static void
count(struct verdict *v, const struct expected *e, const struct live_request *got)
{
    const char *fate = e->decision.answer == LISTENER_REDIRECT         ? "Redirected"
                       : e->decision.answer == LISTENER_FIXED_RESPONSE ? "Fixed"
                       : got->status == 503                            ? "Unserved"
                                                                       : "Forwarded";
    json_object_set_new(v->counts, fate, json_integer(json_int(v->counts, fate, 0) + 1));
    json_object_set_new(v->counts, "Asked", json_integer(json_int(v->counts, "Asked", 0) + 1));
    json_object_set_new(v->counts, "Rules", json_integer(json_int(v->counts, "Rules", 0) + (e->decision.rule != NULL)));
}

/* Each target gets its part. */
static void
judge_spread(struct verdict *v, const struct random_request *q, const struct expected *e)
{
    for (size_t i = 0; i < e->spread.targets.n; i++) {
        const struct verify_target *t = &e->spread.targets.items[i];
        bool met = false;
        for (size_t k = q->first; k < q->first + q->n; k++) {
            size_t server = v->all->sent.items[k].server;
            const struct live_server *by = server < v->all->servers.n ? &v->all->servers.items[server] : NULL;
            met = met || (by && strcmp(by->ns, t->instance_id) == 0 && by->port == t->port);
        }
        if (!met && !e->spread.sticky && pow(1 - t->part, (double)q->n) < LEFT_OUT_CHANCE) {
            differ(v, q, e, xasprintf("%s port %d got none of %zu", t->instance_id, t->port, q->n));
        }
    }
}

json_t *
random_requests_judge(const struct network *net, const struct random_requests *requests)
{
    struct verdict v = { .net = net,
                         .all = requests,
                         .counts = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "Asked", 0, "Rules", 0, "Forwarded", 0,
                                             "Redirected", 0, "Fixed", 0, "Unserved", 0),
                         .differences = json_array() };
    for (size_t i = 0; i < requests->asked.n; i++) {
        const struct random_request *q = &requests->asked.items[i];
        struct expected e = { .unserved = false };
        size_t before = json_array_size(v.differences);
        expect(net, q, &e);
        for (size_t k = q->first; k < q->first + q->n; k++) {
            char *how = how_it_differs(&v, q, &e, &requests->sent.items[k]);
            count(&v, &e, &requests->sent.items[k]);
            if (how && json_array_size(v.differences) == before) {
                differ(&v, q, &e, how); /* of one kind the first is enough */
            } else {
                free(how);
            }
        }
        if (json_array_size(v.differences) == before) {
            judge_spread(&v, q, &e);
        }
        expected_done(&e);
    }
    json_object_set_new(v.counts, "Differences", v.differences);
    return v.counts;
}

void
random_requests_done(struct random_requests *requests)
{
    for (size_t i = 0; i < requests->sent.n; i++) {
        free(requests->sent.items[i].text);
        free(requests->sent.items[i].location);
    }
    VEC_DONE(&requests->sent);
    VEC_DONE(&requests->servers);
    VEC_DONE(&requests->asked);
}

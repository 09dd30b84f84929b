#include "cloud/http_expected.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud/verify_gap.h"
#include "netsim/analysis/listener_session.h"
#include "netsim/analysis/walk.h"
#include "netsim/live/plan.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/trust_store.h"

#define SENT_EACH  12 /* for each target, so that none is left out by chance */
#define SENT_MOST  40 /* of one question */
#define FIRST_PORT 43000
#define AGAIN_PORT 45000
#define AGAIN_EACH 6 /* clients of one question that come back */

/* ---- what may become of a request ----------------------------------------------------------------------------------
 */

void
http_expected_done(struct expected *e)
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

void
http_expect(const struct network *net, const struct http_question *r, struct expected *e)
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

const struct ip *
http_target_address(const struct network *net, const struct verify_target *t, const struct eni **eni)
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
        const struct ip *ip = http_target_address(net, t, &eni);
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

/* 'cookies': those that the client has; NULL: none. */
static char *
text_of(const struct http_asked *a, const char *cookies)
{
    struct buf text = { 0 };
    buf_printf(&text, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n", a->method,
               a->path, a->query ? "?" : "", a->query ? a->query : "", a->host);
    for (size_t i = 0; i < a->n_fields; i++) {
        buf_printf(&text, "%s: %s\r\n", a->fields[i].name, a->fields[i].value);
    }
    if (cookies) {
        buf_printf(&text, "Cookie: %s\r\n", cookies);
    }
    buf_str_add(&text, "\r\n");
    return buf_steal(&text);
}

bool
http_is_secure(const struct http_question *q)
{
    return strcmp(q->listener->protocol, "HTTPS") == 0;
}

void
http_host(const struct http_asked *a, char host[static 80])
{
    struct ip ip;
    snprintf(host, 80, "%.*s", (int)strcspn(a->host, ":"), a->host);
    if (ip_parse(host, &ip)) {
        host[0] = '\0';
    }
}

static void
add_request(const struct http_question *q, const char *cookies, int first_port, live_request_vec *out)
{
    const struct http_asked *a = &q->asked;
    struct live_request *one = VEC_ADD(out);
    *one = (struct live_request){ .src = a->src,
                                  .dst = a->dst,
                                  .src_port = first_port + (int)out->n,
                                  .dst_port = a->port,
                                  .text = text_of(a, cookies),
                                  .secure = http_is_secure(q) };
    http_host(a, one->host);
    snprintf(one->from, sizeof one->from, "%s", q->from->eni ? q->from->eni->attachment.instance_id : PLAN_INTERNET_ID);
}

static void
send_some(struct http_questions *all, struct http_question *q, const struct expected *e)
{
    size_t n = e->spread.targets.n > 1 ? SENT_EACH * e->spread.targets.n : 1;
    q->first = all->sent.n;
    q->n = n < SENT_MOST ? n : SENT_MOST;
    for (size_t i = 0; i < q->n; i++) {
        add_request(q, NULL, FIRST_PORT, &all->sent);
    }
    for (size_t i = 0; i < e->spread.targets.n; i++) {
        q->sticks =
            q->sticks || listener_cookies(e->decision.action, e->spread.targets.items[i].group, LIVE_SERVER_COOKIE);
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
    if (http_is_secure(&q) && listener_mutual_mode(q.listener) == MUTUAL_VERIFY) {
        *why = "the listener asks clients for certificates, which are not sent";
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
    http_expect(net, &q, &e);
    bool ok = front ? passes_behind(net, plan, sides, &flow, &q, &e, out) : serve_targets(net, plan, &q, &e, out);
    if (ok) {
        send_some(out, &q, &e);
        *VEC_ADD(&out->asked) = q;
    }
    http_expected_done(&e);
    return ok;
}

bool
http_questions_send(struct http_questions *questions, http_send_fn *send, void *context, struct err *err)
{
    if (questions->sent.n && !send(context, &questions->servers, &questions->sent, err)) {
        return false;
    }
    for (size_t i = 0; i < questions->asked.n; i++) {
        const struct http_question *q = &questions->asked.items[i];
        for (size_t k = q->first, n = 0; q->sticks && k < q->first + q->n && n < AGAIN_EACH; k++) {
            const char *cookies = questions->sent.items[k].cookies;
            if (cookies && questions->sent.items[k].server < questions->servers.n) {
                add_request(q, cookies, AGAIN_PORT, &questions->again);
                *VEC_ADD(&questions->again_of) = k;
                n++;
            }
        }
    }
    return questions->again.n == 0 || send(context, &questions->servers, &questions->again, err);
}

void
http_questions_done(struct http_questions *questions)
{
    for (size_t i = 0; i < questions->sent.n; i++) {
        live_request_done(&questions->sent.items[i]);
    }
    for (size_t i = 0; i < questions->again.n; i++) {
        live_request_done(&questions->again.items[i]);
    }
    VEC_DONE(&questions->sent);
    VEC_DONE(&questions->again);
    VEC_DONE(&questions->again_of);
    VEC_DONE(&questions->servers);
    VEC_DONE(&questions->asked);
}

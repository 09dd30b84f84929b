#include "cloud/live_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/certificates.h"
#include "cloud/flow_capture.h"
#include "cloud/keeper_link.h"
#include "cloud/metrics.h"
#include "cloud/live_services.h"
#include "cloud/state.h"
#include "netsim/live/keeper.h"
#include "netsim/live/meter.h"
#include "netsim/live/route_count.h"
#include "netsim/live/trace.h"
#include "netsim/model/certificate.h"

#define TICK_MS 1000 /* how often the kernel's flow counters are read: the precision of a record's times */

/* ---- in the keeper ------------------------------------------------------------------------------------------------
 */
static bool
keeper_start(void *context, const struct progress *progress, struct err *err)
{
    struct cloud *cloud = context;
    /* Programs of instances trust it, so it is there before the first one starts; a lab that does not come up is as it
     * was. */
    bool anew = !network_authority(cloud->net);
    struct pem_pair authority;
    setenv("VPCLAB_LAB", cloud->dir->path, 1); /* what instances must not see: guest_files.c */
    if (anew && !cloud_authority(cloud, &authority, err)) {
        return false;
    }
    cloud->live = (cloud->exact ? live_start_exact : live_start)(cloud->net, progress, err);
    if (!cloud->live || (anew && !state_save(cloud, err))) {
        return false;
    }
    flow_capture_start(cloud, live_flows_poll);
    return live_serve(cloud->live, &(struct live_hooks){ .context = cloud, LIVE_SERVICE_HOOKS }, err);
}

static int
keeper_fd(void *context)
{
    const struct cloud *cloud = context;
    return cloud->live ? live_fd(cloud->live) : -1;
}

static void
keeper_ready(void *context)
{
    live_ready(((struct cloud *)context)->live);
}

static void
keeper_stopped(void *context)
{
    struct cloud *cloud = context;
    metrics_stop(cloud);
    flow_capture_stop(cloud);
    live_stop(cloud->live);
    cloud->live = NULL;
}

/* The process that had the throw-away lab was killed and can no longer remove it. */
static void
keeper_orphaned(void *context)
{
    const struct cloud *cloud = context;
    lab_dir_remove(cloud->dir->path, NULL);
}

static void
keeper_tick(void *context)
{
    struct cloud *cloud = context;
    metrics_tick(cloud, false, NULL);
    flow_capture_tick(cloud, false, NULL);
    live_tick(cloud->live);
}

static struct ip
ip_of(const json_t *value)
{
    struct ip ip = { 0 };
    const char *text = json_string_value(value);
    if (!text || !ip_parse(text, &ip)) {
        ip = (struct ip){ 0 };
    }
    return ip;
}

static const char *
text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? text : "";
}

/* A probe as the words between the two processes have it, and what became of it. */
static json_t *
probe_question(const struct live_probe *p)
{
    return json_pack("[s, s, s, s, i, i, i, s]", p->from, p->to, ip_str(&p->src), ip_str(&p->dst), p->protocol,
                     p->src_port, p->dst_port, p->also ? p->also : "");
}

static void
read_probe_question(const json_t *row, struct live_probe *p)
{
    snprintf(p->from, sizeof p->from, "%s", text_of(json_array_get(row, 0)));
    snprintf(p->to, sizeof p->to, "%s", text_of(json_array_get(row, 1)));
    p->src = ip_of(json_array_get(row, 2));
    p->dst = ip_of(json_array_get(row, 3));
    p->protocol = (int)json_integer_value(json_array_get(row, 4));
    p->src_port = (int)json_integer_value(json_array_get(row, 5));
    p->dst_port = (int)json_integer_value(json_array_get(row, 6));
    p->also = text_of(json_array_get(row, 7)); /* stays as long as the question does */
}

static json_t *
probe_answer(const struct live_probe *p)
{
    return json_pack("[b, b, s, s, I, i, i, i, b, i, s]", p->arrived, p->replied, ip_str(&p->seen_src),
                     ip_str(&p->seen_dst), (json_int_t)p->rtt_us, p->seen_src_port, p->seen_dst_port, p->src_port,
                     p->refused, (int)p->receiver, p->kept_at);
}

static void
read_probe_answer(const json_t *row, struct live_probe *p)
{
    p->arrived = json_is_true(json_array_get(row, 0));
    p->replied = json_is_true(json_array_get(row, 1));
    p->seen_src = ip_of(json_array_get(row, 2));
    p->seen_dst = ip_of(json_array_get(row, 3));
    p->rtt_us = json_integer_value(json_array_get(row, 4));
    p->seen_src_port = (int)json_integer_value(json_array_get(row, 5));
    p->seen_dst_port = (int)json_integer_value(json_array_get(row, 6));
    p->src_port = (int)json_integer_value(json_array_get(row, 7));
    p->refused = json_is_true(json_array_get(row, 8));
    p->receiver = (size_t)json_integer_value(json_array_get(row, 9));
    snprintf(p->kept_at, sizeof p->kept_at, "%s", text_of(json_array_get(row, 10)));
}

static bool
serve_probes(struct cloud *cloud, const json_t *asked, int timeout_ms, json_t *out, struct err *err)
{
    size_t n = json_array_size(asked);
    struct live_probe *probes = xcalloc(n, sizeof *probes);
    for (size_t i = 0; i < n; i++) {
        read_probe_question(json_array_get(asked, i), &probes[i]);
    }
    bool ok = live_probe(cloud->live, probes, n, timeout_ms, err);
    json_t *rows = json_array();
    for (size_t i = 0; ok && i < n; i++) {
        json_array_append_new(rows, probe_answer(&probes[i]));
    }
    json_object_set_new(out, "probes", rows);
    free(probes);
    return ok;
}

static bool
serve_trace(struct cloud *cloud, const json_t *asked, int timeout_ms, json_t *out, struct err *err)
{
    size_t n = json_array_size(asked);
    struct live_probe *probes = xcalloc(n + 1, sizeof *probes);
    json_t *ways = json_array(), *answers = json_array();
    for (size_t i = 0; i < n; i++) {
        read_probe_question(json_array_get(asked, i), &probes[i]);
    }
    bool ok = live_trace(cloud->live, cloud->net, probes, n, timeout_ms, ways, err);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(answers, probe_answer(&probes[i]));
    }
    json_object_set_new(out, "ways", ways);
    json_object_set_new(out, "probes", answers);
    free(probes);
    return ok;
}

/* The socket's descriptor goes with the reply. */
static bool
serve_socket(struct cloud *cloud, const json_t *asked, struct keeper_message *reply, struct err *err)
{
    struct ip ip = ip_of(json_array_get(asked, 3));
    int fd = live_socket(cloud->live, text_of(json_array_get(asked, 0)),
                         json_integer_value(json_array_get(asked, 1)) == 6 ? IP_V6 : IP_V4,
                         (int)json_integer_value(json_array_get(asked, 2)), ip.family ? &ip : NULL,
                         (int)json_integer_value(json_array_get(asked, 4)), err);
    if (fd >= 0) {
        reply->fds[reply->n_fds++] = fd;
    }
    return fd >= 0;
}

static bool
serve_host_socket(struct cloud *cloud, const json_t *asked, struct keeper_message *reply, struct err *err)
{
    struct ip ip;
    int port, fd = live_host_socket(cloud->live, text_of(json_array_get(asked, 0)),
                                    json_integer_value(json_array_get(asked, 1)) == 6 ? IP_V6 : IP_V4,
                                    (int)json_integer_value(json_array_get(asked, 2)), &ip, &port, err);
    if (fd >= 0) {
        json_object_set_new(reply->json, "address", json_string(ip_str(&ip)));
        json_object_set_new(reply->json, "port", json_integer(port));
        reply->fds[reply->n_fds++] = fd;
    }
    return fd >= 0;
}

static void
meter_interface(void *context, const char *id, const struct live_count *in, const struct live_count *out)
{
    json_object_set_new(json_object_get(context, "interfaces"), id,
                        json_pack("[I, I, I, I]", (json_int_t)in->packets, (json_int_t)in->bytes,
                                  (json_int_t)out->packets, (json_int_t)out->bytes));
}

static void
meter_refused(void *context, const char *eni_id, const char *rule, const struct live_count *count)
{
    char *key = xasprintf("%s %s", eni_id, rule);
    json_object_set_new(json_object_get(context, "refused"), key, json_integer((json_int_t)count->packets));
    free(key);
}

static void
meter_nothing(void *context, const char *nat_id, bool from_source, const struct live_count *count)
{
    (void)context, (void)nat_id, (void)from_source, (void)count;
}

/* An attachment of a transit gateway is shown like an interface, from where the gateway stands. */
static void
meter_transit(void *context, const char *tgw_id, const char *attachment_id, const char *what,
              const struct live_count *count)
{
    bool in = strcmp(what, "in") == 0, out = strcmp(what, "out") == 0;
    json_t *interfaces = json_object_get(context, "interfaces"), *row = json_object_get(interfaces, attachment_id);
    (void)tgw_id;
    if (!in && !out) {
        char *key = xasprintf("%s lost:%s", attachment_id, what);
        json_object_set_new(json_object_get(context, "refused"), key, json_integer((json_int_t)count->packets));
        free(key);
        return;
    }
    if (!row) {
        row = json_pack("[i, i, i, i]", 0, 0, 0, 0);
        json_object_set_new(interfaces, attachment_id, row);
    }
    for (size_t i = 0; i < 2; i++) { /* one of several subnets' links */
        size_t at = (in ? 0 : 2) + i;
        json_int_t so_far = json_integer_value(json_array_get(row, at));
        json_array_set_new(row, at, json_integer(so_far + (json_int_t)(i ? count->bytes : count->packets)));
    }
}

/* A rule is one in each family and router that has it. */
static void
meter_rule(void *context, const char *rule, const struct live_count *count)
{
    json_t *rules = json_object_get(context, "rules");
    json_object_set_new(rules, rule, json_integer(json_int(rules, rule, 0) + (json_int_t)count->packets));
}

/* One of several blocks or zones of a route. */
static void
meter_route(void *context, const char *route, const struct live_count *count)
{
    json_t *routes = json_object_get(context, "routes");
    json_object_set_new(routes, route, json_integer(json_int(routes, route, 0) + (json_int_t)count->packets));
}

static bool
serve_meter(struct cloud *cloud, bool rules, json_t *out, struct err *err)
{
    struct live_meter_listener listener = { .interface = meter_interface,
                                            .nat = meter_nothing,
                                            .refused = meter_refused,
                                            .transit = meter_transit,
                                            .rule = meter_rule,
                                            .route = meter_route,
                                            .context = out };
    if (rules) {
        json_object_set_new(out, "rules", json_object());
        json_object_set_new(out, "routes", json_object());
    }
    json_object_set_new(out, "interfaces", json_object());
    json_object_set_new(out, "refused", json_object());
    return live_meter(cloud->live, cloud->net, rules, &listener, err);
}

static void
keeper_serve(void *context, const struct keeper_message *request, struct keeper_message *reply, bool *stop)
{
    struct cloud *cloud = context;
    if (keeper_link_serve(cloud, request, reply)) {
        return;
    }
    struct err err = { 0 };
    const char *node = json_str(request->json, "enter");
    const json_t *probes = json_object_get(request->json, "probe"), *trace = json_object_get(request->json, "trace"),
                 *socket = json_object_get(request->json, "socket");
    int timeout_ms = (int)json_int(request->json, "timeout", 500);
    bool ok = true;
    reply->json = json_object();
    if (node) {
        const struct guest *guest;
        int user;
        ok = live_guest(cloud->live, node, &guest, &user, &err) &&
             keeper_reply_namespaces(reply, live_namespace(cloud->live, node), guest, user, &err);
    } else if (probes) {
        ok = serve_probes(cloud, probes, timeout_ms, reply->json, &err);
    } else if (json_object_get(request->json, "requests")) {
        ok = live_link_serve_requests(cloud, request->json, reply->json, &err);
    } else if (trace) {
        ok = serve_trace(cloud, trace, timeout_ms, reply->json, &err);
    } else if (socket) {
        ok = serve_socket(cloud, socket, reply, &err);
    } else if (json_object_get(request->json, "host_socket")) {
        ok = serve_host_socket(cloud, json_object_get(request->json, "host_socket"), reply, &err);
    } else if (json_object_get(request->json, "router_end")) {
        const char *end = live_router_end(cloud->live, json_str(request->json, "router_end"));
        ok = end || err_set(&err, ERR_INPUT, "InvalidParameterValue", "`%s` is not in the live lab",
                            json_str(request->json, "router_end"));
        json_object_set_new(reply->json, "link", json_string(end ? end : ""));
    } else if (json_flag(request->json, "health", false)) {
        json_object_set_new(reply->json, "health", live_health(cloud->live));
    } else if (json_flag(request->json, "flows", false)) {
        ok = flow_capture_tick(cloud, true, &err);
    } else if (json_flag(request->json, "meter", false)) {
        ok = serve_meter(cloud, json_flag(request->json, "rules", false), reply->json, &err);
    } else if (json_object_get(request->json, "count_routes")) {
        ok = live_count_routes(cloud->live, cloud->net, json_flag(request->json, "count_routes", false), &err);
    } else if (json_flag(request->json, "stop", false)) {
        *stop = true;
    } else {
        ok = err_set(&err, ERR_FAULT, "", "the keeper does not know this request");
        err_hint(&err, "it may be of another version: `vpclab down`, then `vpclab up`");
    }
    if (!ok) {
        json_object_set_new(reply->json, "error", err_to_json(&err));
    }
}

/* ---- outside ------------------------------------------------------------------------------------------------------
 */
bool
live_link_require(const struct cloud *cloud, struct err *err)
{
    if (keeper_link_is_live(cloud)) {
        return true;
    }
    err_set(err, ERR_INPUT, "IncorrectState", "lab `%s` is not live", cloud_lab_name(cloud));
    return err_hint(err, "`vpclab up` builds it in the kernel");
}

bool
live_link_up(struct cloud *cloud, const struct progress *progress, struct err *err)
{
    if (!cloud->dir) {
        return err_set(err, ERR_INPUT, "IncorrectState", "a lab without a directory cannot be live");
    }
    const struct keeper_hooks hooks = { .context = cloud,
                                        .start = keeper_start,
                                        .serve = keeper_serve,
                                        .tick = keeper_tick,
                                        .tick_ms = TICK_MS,
                                        .fd = keeper_fd,
                                        .ready = keeper_ready,
                                        .stopped = keeper_stopped,
                                        .orphaned = cloud->dir->throw_away ? keeper_orphaned : NULL,
                                        .place = cloud->dir->path };
    return keeper_spawn(cloud->dir->socket_path, &hooks, progress, err);
}

bool
live_link_down(struct cloud *cloud, struct err *err)
{
    return live_link_require(cloud, err) && keeper_stop(cloud->dir->socket_path, err);
}

bool
live_link_ask(const struct cloud *cloud, json_t *question, struct keeper_message *reply, struct err *err)
{
    struct keeper_message request = { .json = question };
    bool ok = live_link_require(cloud, err) && keeper_call(cloud->dir->socket_path, &request, reply, err);
    json_decref(question);
    const json_t *error = ok ? json_object_get(reply->json, "error") : NULL;
    if (error) {
        err_from_json(error, err);
        keeper_message_done(reply);
    }
    return ok && !error;
}

bool
live_link_probe(const struct cloud *cloud, struct live_probe *probes, size_t n, int timeout_ms, struct err *err)
{
    if (cloud->live) {
        return live_probe(cloud->live, probes, n, timeout_ms, err);
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(rows, probe_question(&probes[i]));
    }
    struct keeper_message reply = { 0 };
    if (!live_link_ask(cloud, json_pack("{s:o, s:i}", "probe", rows, "timeout", timeout_ms), &reply, err)) {
        return false;
    }
    const json_t *answers = json_object_get(reply.json, "probes");
    for (size_t i = 0; i < n; i++) {
        read_probe_answer(json_array_get(answers, i), &probes[i]);
    }
    keeper_message_done(&reply);
    return true;
}

json_t *
live_link_trace(const struct cloud *cloud, struct live_probe *probes, size_t n, int timeout_ms, struct err *err)
{
    struct keeper_message reply = { 0 };
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(rows, probe_question(&probes[i]));
    }
    if (!live_link_ask(cloud, json_pack("{s:o, s:i}", "trace", rows, "timeout", timeout_ms), &reply, err)) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        read_probe_answer(json_array_get(json_object_get(reply.json, "probes"), i), &probes[i]);
    }
    json_t *ways = json_incref(json_object_get(reply.json, "ways"));
    keeper_message_done(&reply);
    return ways;
}

/* The descriptor of a reply, which is the caller's now. */
static int
take_socket(struct keeper_message *reply, const char *node, struct err *err)
{
    int fd = reply->n_fds == 1 ? reply->fds[0] : -1;
    reply->n_fds = fd >= 0 ? 0 : reply->n_fds;
    if (fd < 0) {
        err_set(err, ERR_FAULT, "", "the keeper gave no socket in `%s`", node);
    }
    return fd;
}

int
live_link_socket(const struct cloud *cloud, const char *node, int family, int protocol, const struct ip *ip, int port,
                 struct err *err)
{
    struct keeper_message reply = { 0 };
    json_t *question =
        json_pack("{s:[s, i, i, s, i]}", "socket", node, family == IP_V6 ? 6 : 4, protocol, ip ? ip_str(ip) : "", port);
    if (!live_link_ask(cloud, question, &reply, err)) {
        return -1;
    }
    int fd = take_socket(&reply, node, err);
    keeper_message_done(&reply);
    return fd;
}

int
live_link_host_socket(const struct cloud *cloud, const char *node, int family, int protocol, struct ip *ip, int *port,
                      struct err *err)
{
    struct keeper_message reply = { 0 };
    json_t *question = json_pack("{s:[s, i, i]}", "host_socket", node, family == IP_V6 ? 6 : 4, protocol);
    if (!live_link_ask(cloud, question, &reply, err)) {
        return -1;
    }
    *ip = ip_of(json_object_get(reply.json, "address"));
    *port = (int)json_int(reply.json, "port", 0);
    int fd = take_socket(&reply, node, err);
    keeper_message_done(&reply);
    return fd;
}

json_t *
live_link_health(const struct cloud *cloud, struct err *err)
{
    struct keeper_message reply = { 0 };
    if (cloud->live) {
        return live_health(cloud->live);
    }
    if (!live_link_ask(cloud, json_pack("{s:b}", "health", 1), &reply, err)) {
        return NULL;
    }
    json_t *health = json_incref(json_object_get(reply.json, "health"));
    keeper_message_done(&reply);
    return health;
}

bool
live_link_flush(const struct cloud *cloud, struct err *err)
{
    struct keeper_message reply = { 0 };
    if (!live_link_ask(cloud, json_pack("{s:b}", "flows", 1), &reply, err)) {
        return false;
    }
    keeper_message_done(&reply);
    return true;
}

bool
live_link_count_routes(const struct cloud *cloud, bool on, struct err *err)
{
    struct keeper_message reply = { 0 };
    if (cloud->live) {
        return live_count_routes(cloud->live, cloud->net, on, err);
    }
    bool ok = live_link_ask(cloud, json_pack("{s:b}", "count_routes", on), &reply, err);
    if (ok) {
        keeper_message_done(&reply);
    }
    return ok;
}

json_t *
live_link_meter(const struct cloud *cloud, bool rules, struct err *err)
{
    struct keeper_message reply = { 0 };
    if (!live_link_ask(cloud, json_pack("{s:b, s:b}", "meter", 1, "rules", rules), &reply, err)) {
        return NULL;
    }
    json_t *counters = json_incref(reply.json);
    keeper_message_done(&reply);
    return counters;
}

bool
live_link_router_end(const struct cloud *cloud, const char *eni_id, char name[static 16], struct err *err)
{
    struct keeper_message reply = { 0 };
    if (!live_link_ask(cloud, json_pack("{s:s}", "router_end", eni_id), &reply, err)) {
        return false;
    }
    snprintf(name, 16, "%s", json_str(reply.json, "link"));
    keeper_message_done(&reply);
    return true;
}

bool
live_link_enter(const struct cloud *cloud, const char *node, int fds[static KEEPER_NAMESPACES], struct err *err)
{
    struct keeper_message reply = { 0 };
    if (!live_link_ask(cloud, json_pack("{s:s}", "enter", node), &reply, err)) {
        return false;
    }
    bool whole = reply.n_fds == KEEPER_GUEST || reply.n_fds == KEEPER_NAMESPACES;
    for (int i = 0; whole && i < KEEPER_NAMESPACES; i++) {
        fds[i] = i < reply.n_fds ? reply.fds[i] : -1;
    }
    reply.n_fds = whole ? 0 : reply.n_fds; /* they are the caller's now */
    keeper_message_done(&reply);
    return whole || err_set(err, ERR_FAULT, "", "the keeper gave no namespaces for `%s`", node);
}

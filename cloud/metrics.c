#include "cloud/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "cloud/state.h"
#include "netsim/live/live.h"
#include "netsim/live/meter.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/eni.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/private_service.h"

#define MINUTE_MS 60000

struct counted { /* of one line: what the kernel had when it was last read */
    struct live_count last;
};
struct metrics {
    struct map known; /* "in i-0a1b eni-0c2d -" -> struct counted */
    int64_t minute;   /* since 1970, of the last reading */
};
struct sampling {
    struct cloud *cloud;
    struct buf lines;
    int64_t minute_s;
    struct map rules;    /* -> struct live_count: a rule is one for each family and router that has it */
    struct map transits; /* -> struct transit_sum: an attachment has a link for each of its subnets */
};
struct transit_sum {
    const char *kind;
    char tgw_id[ID_SIZE], attachment_id[ID_SIZE], rule[16];
    struct live_count count;
};

static void
add(void *context, const char *kind, const char *owner, const char *id, const char *rule,
    const struct live_count *count)
{
    struct sampling *s = context;
    char key[320];
    snprintf(key, sizeof key, "%s %s %s %s", kind, owner, id, rule);
    struct counted *known = map_get(&s->cloud->metrics->known, key);
    if (!known) {
        known = xcalloc(1, sizeof *known);
        map_put(&s->cloud->metrics->known, key, known);
    }
    bool anew = count->packets < known->last.packets; /* a chain was written anew, or a link made again */
    uint64_t packets = count->packets - (anew ? 0 : known->last.packets),
             bytes = count->bytes - (anew ? 0 : known->last.bytes);
    known->last = *count;
    if (packets || bytes) {
        buf_printf(&s->lines, "%" PRId64 " %s %" PRIu64 " %" PRIu64 "\n", s->minute_s, key, packets, bytes);
    }
}

/* Not what was counted but how it is now: whose latest value in a minute counts (metrics_is_gauge()). */
static void
add_gauge(struct sampling *s, const char *kind, const char *owner, const char *id, const char *what, uint64_t value)
{
    buf_printf(&s->lines, "%" PRId64 " %s %s %s %s %" PRIu64 " 0\n", s->minute_s, kind, owner, id, what, value);
}

bool
metrics_is_gauge(const char *what)
{
    return strncmp(what, "is-", 3) == 0;
}

static void
take_interface(void *context, const char *id, const struct live_count *in, const struct live_count *out)
{
    struct sampling *s = context;
    if (strncmp(id, "vpn-", 4) == 0) { /* 'in' as the customer sees it */
        add(s, "vpn-in", id, "-", "-", out);
        add(s, "vpn-out", id, "-", "-", in);
        add_gauge(s, "vpn-state", id, "-", "is-up", 1);
        return;
    }
    const struct eni *eni = store_get(network_store(s->cloud->net), &eni_kind, id);
    if (eni && *eni->attachment.instance_id) {
        add(s, "in", eni->attachment.instance_id, id, "-", in);
        add(s, "out", eni->attachment.instance_id, id, "-", out);
    }
    const struct endpoint *endpoint = eni ? network_endpoint_of_eni(s->cloud->net, id) : NULL;
    if (endpoint) {
        struct live_count both = { in->packets + out->packets, in->bytes + out->bytes };
        add(s, "endpoint", endpoint->obj.id, id, "-", &both);
    }
}

static void
take_transit(void *context, const char *tgw_id, const char *attachment_id, const char *what,
             const struct live_count *count)
{
    struct sampling *s = context;
    bool in = strcmp(what, "in") == 0, out = strcmp(what, "out") == 0;
    char key[2 * ID_SIZE + 64];
    snprintf(key, sizeof key, "%s %s %s", tgw_id, attachment_id, what);
    struct transit_sum *sum = map_get(&s->transits, key);
    if (!sum) {
        sum = xcalloc(1, sizeof *sum);
        snprintf(sum->tgw_id, sizeof sum->tgw_id, "%s", tgw_id);
        snprintf(sum->attachment_id, sizeof sum->attachment_id, "%s", attachment_id);
        snprintf(sum->rule, sizeof sum->rule, "%s", in || out ? "-" : what);
        sum->kind = in ? "tgw-in" : out ? "tgw-out" : "tgw-lost";
        map_put(&s->transits, key, sum);
    }
    sum->count.packets += count->packets;
    sum->count.bytes += count->bytes;
}

static void
add_transits(struct sampling *s)
{
    size_t cursor = 0;
    const char *key;
    void *value;
    while (map_next(&s->transits, &cursor, &key, &value)) {
        const struct transit_sum *sum = value;
        add(s, sum->kind, sum->tgw_id, sum->attachment_id, sum->rule, &sum->count);
        free(value);
    }
    map_done(&s->transits);
}

static void
take_nat(void *context, const char *nat_id, bool from_source, const struct live_count *count)
{
    add(context, from_source ? "source" : "destination", nat_id, "-", "-", count);
}

static void
take_refused(void *context, const char *eni_id, const char *rule, const struct live_count *count)
{
    add(context, "refused", "-", eni_id, rule, count);
}

static void
take_rule(void *context, const char *rule, const struct live_count *count)
{
    struct sampling *s = context;
    struct live_count *sum = map_get(&s->rules, rule);
    if (!sum) {
        sum = xcalloc(1, sizeof *sum);
        map_put(&s->rules, rule, sum);
    }
    sum->packets += count->packets;
    sum->bytes += count->bytes;
}

/* A node counts for its balancer. */
static void
take_node(void *context, const char *eni_id, const char *what, const struct live_count *count)
{
    struct sampling *s = context;
    const struct eni *eni = store_get(network_store(s->cloud->net), &eni_kind, eni_id);
    const struct load_balancer *lb = eni ? network_load_balancer_of_eni(s->cloud->net, eni) : NULL;
    const struct classic_balancer *classic = eni && !lb ? network_classic_balancer_of_eni(s->cloud->net, eni) : NULL;
    const char *owner = lb ? lb->obj.id : classic ? classic->obj.id : NULL;
    if (owner && strcmp(what, "active") == 0) {
        add_gauge(s, "balancer", owner, eni_id, "is-active", count->packets);
    } else if (owner) {
        add(s, "balancer", owner, eni_id, what, count);
    }
}

static void
take_balancer(void *context, const char *name, const char *balancer, const char *group, uint64_t n)
{
    bool bytes = strncmp(name, "bytes-", 6) == 0;
    add(context, "balancer", balancer, group, name, &(struct live_count){ .packets = n, .bytes = bytes ? n : 0 });
}

static void
add_health(struct sampling *s)
{
    const struct network *net = s->cloud->net;
    json_t *health = live_health(s->cloud->live), *states;
    const char *of, *target;
    json_object_foreach(health, of, states)
    {
        const struct target_group *group = store_get(network_store(net), &target_group_kind, of);
        const struct load_balancer *lb =
            group && group->balancer_arns.n ? network_load_balancer(net, group->balancer_arns.items[0]) : NULL;
        const char *owner = lb ? lb->obj.id : of;
        uint64_t healthy = 0, unhealthy = 0;
        json_t *state;
        json_object_foreach(states, target, state)
        {
            bool well = strcmp(json_string_value(state), "healthy") == 0;
            healthy += well;
            unhealthy += !well;
        }
        if (lb || !group) {
            add_gauge(s, "balancer", owner, group ? of : "-", "is-healthy", healthy);
            add_gauge(s, "balancer", owner, group ? of : "-", "is-unhealthy", unhealthy);
        }
    }
    json_decref(health);
}

static void
add_rules(struct sampling *s)
{
    size_t cursor = 0;
    const char *rule;
    void *sum;
    while (map_next(&s->rules, &cursor, &rule, &sum)) {
        add(s, "rule", "-", "-", rule, sum);
        free(sum);
    }
    map_done(&s->rules);
}

/* How many endpoints are joined to each endpoint service. */
static void
add_services(struct sampling *s)
{
    const struct store *store = network_store(s->cloud->net);
    for (const struct private_service *service = store_first(store, &private_service_kind); service;
         service = store_next(store, service)) {
        uint64_t n = 0;
        for (const struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
            n += e->state && strcmp(e->state, "available") == 0 && e->service_name &&
                 network_private_service(s->cloud->net, e->service_name) == service;
        }
        if (n) {
            add_gauge(s, "service", service->obj.id, "-", "is-endpoints", n);
        }
    }
}

static bool
append(const struct cloud *cloud, const struct buf *lines, struct err *err)
{
    char *path = cloud->dir ? xasprintf("%s/metrics.log", cloud->dir->path) : NULL;
    FILE *file = path && lines->size ? fopen(path, "ae") : NULL;
    bool ok = !path || !lines->size || (file && fwrite(lines->data, 1, lines->size, file) == lines->size);
    ok = (!file || fclose(file) == 0) && ok;
    if (!ok) {
        err_set(err, ERR_MACHINE, "", "cannot write metrics to `%s`: %s", path, strerror(errno));
    }
    free(path);
    return ok;
}

bool
metrics_tick(struct cloud *cloud, bool now, struct err *err)
{
    int64_t minute = clock_now_ms(&cloud->clock) / MINUTE_MS;
    if (!cloud->live) {
        return true; /* a unit test's */
    }
    if (!cloud->metrics) {
        cloud->metrics = xcalloc(1, sizeof *cloud->metrics);
        cloud->metrics->minute = minute;
    }
    if (!now && minute == cloud->metrics->minute) {
        return true;
    }
    /* What was counted since the last reading is of the minute that was then. */
    struct sampling s = { .cloud = cloud, .minute_s = cloud->metrics->minute * 60 };
    struct live_meter_listener listener = { .interface = take_interface,
                                            .nat = take_nat,
                                            .refused = take_refused,
                                            .transit = take_transit,
                                            .rule = take_rule,
                                            .node = take_node,
                                            .balancer = take_balancer,
                                            .context = &s };
    bool ok = live_meter(cloud->live, cloud->net, true, &listener, err);
    add_rules(&s);
    add_transits(&s);
    add_health(&s);
    add_services(&s);
    ok = append(cloud, &s.lines, ok ? err : NULL) && ok;
    cloud->metrics->minute = minute;
    buf_done(&s.lines);
    return ok;
}

void
metrics_stop(struct cloud *cloud)
{
    if (cloud->metrics) {
        size_t cursor = 0;
        const char *key;
        void *value;
        metrics_tick(cloud, true, NULL);
        while (map_next(&cloud->metrics->known, &cursor, &key, &value)) {
            free(value);
        }
        map_done(&cloud->metrics->known);
        free(cloud->metrics);
        cloud->metrics = NULL;
    }
}

bool
metrics_read(const struct cloud *cloud, metric_visit *visit, void *context, struct err *err)
{
    char *path = cloud->dir ? xasprintf("%s/metrics.log", cloud->dir->path) : NULL, *line = NULL;
    FILE *file = path ? fopen(path, "re") : NULL;
    bool ok = !path || file || errno == ENOENT ||
              err_set(err, ERR_MACHINE, "", "cannot open `%s`: %s", path, strerror(errno));
    size_t room = 0;
    while (file && getline(&line, &room, file) > 0) {
        struct metric_point p;
        if (sscanf(line, "%" SCNd64 " %15s %63s %63s %159s %" SCNu64 " %" SCNu64, &p.minute_s, p.kind, p.owner, p.id,
                   p.rule, &p.packets, &p.bytes) == 7) { /* else it was cut off when a keeper was killed */
            visit(context, &p);
        }
    }
    if (file) {
        fclose(file);
    }
    free(line);
    free(path);
    return ok;
}

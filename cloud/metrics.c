#include "cloud/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "cloud/state.h"
#include "netsim/live/meter.h"
#include "netsim/model/eni.h"

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
    struct map rules; /* -> struct live_count: a rule is one for each family and router that has it */
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
    if (packets) {
        buf_printf(&s->lines, "%" PRId64 " %s %" PRIu64 " %" PRIu64 "\n", s->minute_s, key, packets, bytes);
    }
}

static void
take_interface(void *context, const char *id, const struct live_count *in, const struct live_count *out)
{
    struct sampling *s = context;
    const struct eni *eni = store_get(network_store(s->cloud->net), &eni_kind, id);
    if (eni && *eni->attachment.instance_id) {
        add(s, "in", eni->attachment.instance_id, id, "-", in);
        add(s, "out", eni->attachment.instance_id, id, "-", out);
    }
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
    struct live_meter_listener listener = { take_interface, take_nat, take_refused, take_rule, &s };
    bool ok = live_meter(cloud->live, cloud->net, true, &listener, err);
    add_rules(&s);
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

#include "cloud/flow_capture.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/flow_s3.h"
#include "cloud/flow_store.h"

struct flow_capture {
    struct flow_window *window;
    flow_poll *poll;
};

/* What flow_window_close() told, by log, until it is written. */
struct delivery {
    struct cloud *cloud;
    struct flow_batch batch;
    int64_t now_ms;
    bool ok;
    struct err *err;
};

void
flow_capture_start(struct cloud *cloud, flow_poll *poll)
{
    struct flow_capture *capture = xcalloc(1, sizeof *capture);
    capture->window = flow_window_new();
    capture->poll = poll;
    cloud->flows = capture;
    flow_window_sync(capture->window, cloud->net, clock_now_ms(&cloud->clock));
}

static void
deliver(struct delivery *d)
{
    d->ok = flow_s3_deliver(d->cloud, &d->batch, d->err) && d->ok;
    d->ok = flow_batch_write(d->cloud, &d->batch, d->err) && d->ok;
}

static void
take_record(void *context, const struct flow_log *log, const struct flow_format *format,
            const struct flow_record *record, const char *line)
{
    struct delivery *d = context;
    if (strcmp(d->batch.log_id, log->obj.id) != 0) {
        deliver(d);
        buf_clear(&d->batch.header);
        memcpy(d->batch.log_id, log->obj.id, sizeof d->batch.log_id);
        flow_home_of(log, &d->batch.home);
        flow_format_header(format, &d->batch.header);
    }
    flow_batch_add(&d->batch, record, line, d->now_ms);
}

static void
take_sample(void *context, const struct flow_sample *sample)
{
    struct cloud *cloud = context;
    flow_window_add(cloud->flows->window, cloud->net, sample);
}

static void
take_loss(void *context, const char *eni_id, uint64_t packets)
{
    struct cloud *cloud = context;
    flow_window_skipped(cloud->flows->window, cloud->net, eni_id, packets);
}

static void
take_transit(void *context, const struct flow_transit_sample *sample)
{
    struct cloud *cloud = context;
    flow_window_add_transit(cloud->flows->window, cloud->net, sample);
}

static void
take_transit_loss(void *context, const char *tgw_id, const char *attachment_id, uint64_t packets)
{
    struct cloud *cloud = context;
    flow_window_skipped_transit(cloud->flows->window, cloud->net, tgw_id, attachment_id, packets);
}

bool
flow_capture_tick(struct cloud *cloud, bool flush, struct err *err)
{
    struct flow_capture *capture = cloud->flows;
    int64_t now_ms = clock_now_ms(&cloud->clock);
    struct live_flow_listener listener = { .sample = take_sample,
                                           .lost = take_loss,
                                           .transit = take_transit,
                                           .transit_lost = take_transit_loss,
                                           .whole = flush,
                                           .context = cloud };
    flow_window_sync(capture->window, cloud->net, now_ms);
    bool polled = capture->poll(cloud->live, cloud->net, now_ms, &listener, err);
    /* What was counted before a failure is still good. */
    struct delivery d = { .cloud = cloud, .now_ms = now_ms, .ok = true, .err = err };
    flow_window_close(capture->window, cloud->net, now_ms, flush, take_record, &d);
    deliver(&d);
    flow_batch_done(&d.batch);
    return polled && d.ok;
}

void
flow_capture_stop(struct cloud *cloud)
{
    if (cloud->flows) {
        flow_capture_tick(cloud, true, NULL);
        flow_window_free(cloud->flows->window);
        free(cloud->flows);
        cloud->flows = NULL;
    }
}

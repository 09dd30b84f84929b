#include "cloud/flow_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/state.h"

struct flow_capture {
    struct flow_window *window;
    flow_poll *poll;
};

/* What flow_window_close() told, by log, until it is written. */
struct delivery {
    const struct cloud *cloud;
    struct buf header, lines;
    char log_id[ID_SIZE]; /* of the lines; "": none yet */
    bool ok;
    struct err *err;
};

char *
flow_logs_path(const struct cloud *cloud, const char *flow_log_id)
{
    if (!cloud->dir) {
        return NULL;
    }
    return flow_log_id ? xasprintf("%s/flowlogs/%s.log", cloud->dir->path, flow_log_id)
                       : xasprintf("%s/flowlogs", cloud->dir->path);
}

void
flow_capture_start(struct cloud *cloud, flow_poll *poll)
{
    struct flow_capture *capture = xcalloc(1, sizeof *capture);
    capture->window = flow_window_new();
    capture->poll = poll;
    cloud->flows = capture;
    flow_window_sync(capture->window, cloud->net, clock_now_ms(&cloud->clock));
}

static bool
write_all(int fd, const struct buf *text)
{
    for (size_t done = 0; done < text->size;) {
        ssize_t n = write(fd, text->data + done, text->size - done);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Appends the lines in one write, so that a reader never sees half a record unless the disk is full. */
static void
deliver(struct delivery *d)
{
    if (d->lines.size == 0) {
        return;
    }
    char *directory = flow_logs_path(d->cloud, NULL), *path = flow_logs_path(d->cloud, d->log_id);
    if (!path) { /* a lab that is never saved: nobody could read it */
        return;
    }
    if (mkdir(directory, 0755) != 0 && errno != EEXIST) {
        d->ok = err_set(d->err, ERR_MACHINE, "", "cannot make `%s`: %s", directory, strerror(errno));
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct buf text = { 0 };
    if (fd >= 0 && lseek(fd, 0, SEEK_END) == 0) {
        buf_printf(&text, "%s\n", buf_str(&d->header));
    }
    buf_add(&text, d->lines.data, d->lines.size);
    if (fd < 0 || !write_all(fd, &text)) {
        d->ok = err_set(d->err, ERR_MACHINE, "", "cannot write flow log records to `%s`: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    buf_done(&text);
    free(directory);
    free(path);
}

static void
take_record(void *context, const struct flow_log *log, const struct flow_format *format,
            const struct flow_record *record, const char *line)
{
    struct delivery *d = context;
    (void)record;
    if (strcmp(d->log_id, log->obj.id) != 0) {
        deliver(d);
        buf_clear(&d->lines);
        buf_clear(&d->header);
        memcpy(d->log_id, log->obj.id, sizeof d->log_id);
        flow_format_header(format, &d->header);
    }
    buf_printf(&d->lines, "%s\n", line);
}

static void
take_sample(void *context, const struct flow_sample *sample)
{
    struct cloud *cloud = context;
    flow_window_add(cloud->flows->window, cloud->net, sample);
}

static void
take_loss(void *context, const char *eni_id)
{
    struct cloud *cloud = context;
    flow_window_skipped(cloud->flows->window, cloud->net, eni_id);
}

bool
flow_capture_tick(struct cloud *cloud, bool flush, struct err *err)
{
    struct flow_capture *capture = cloud->flows;
    int64_t now_ms = clock_now_ms(&cloud->clock);
    struct live_flow_listener listener = { .sample = take_sample, .lost = take_loss, .context = cloud };
    flow_window_sync(capture->window, cloud->net, now_ms);
    bool polled = capture->poll(cloud->live, cloud->net, now_ms, &listener, err);
    /* What was counted before a failure is still good. */
    struct delivery d = { .cloud = cloud, .ok = true, .err = err };
    flow_window_close(capture->window, cloud->net, now_ms, flush, take_record, &d);
    deliver(&d);
    buf_done(&d.header);
    buf_done(&d.lines);
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

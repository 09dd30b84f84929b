/* cloud/ops_clock.c - the lab's clock: what time it is, and putting it on.  Sessions expire and flow log intervals end
 * by it. */
#include <string.h>

#include "cloud/flow_capture.h"
#include "cloud/metrics.h"
#include "cloud/op.h"

static void
answer(struct op_call *call)
{
    const struct cloud *cloud = call->cloud;
    char now[32];
    clock_format_ms(clock_now_ms(&cloud->clock), now);
    json_object_set_new(call->out, "Time", json_string(now));
    json_object_set_new(call->out, "Still", json_boolean(cloud->clock.fixed));
    json_object_set_new(call->out, "AheadSeconds", json_integer(cloud->clock.fixed ? 0 : cloud->clock.base_ms / 1000));
}

static bool
clock_show(struct op_call *call, struct err *err)
{
    (void)err;
    answer(call);
    return true;
}

/* What went by until now is of the old time; what is over at the new one is written. */
static bool
change_clock(struct op_call *call, struct clock to, struct err *err)
{
    struct cloud *cloud = call->cloud;
    if (cloud->flows && (!flow_capture_tick(cloud, false, err) || !metrics_tick(cloud, true, err))) {
        return false;
    }
    cloud->clock = to;
    bool ok = !cloud->flows || flow_capture_tick(cloud, false, err);
    answer(call);
    return ok;
}

static bool
clock_advance(struct op_call *call, struct err *err)
{
    const char *span = arg_str(call->in, "Span");
    struct clock to = call->cloud->clock;
    int64_t ms;
    if (!clock_parse_span(span, &ms)) {
        err_set(err, ERR_USAGE, "", "`%s` is not a span of time", span);
        err_hint(err, "write 90s, 5m, 2h or 1d; at most 100 years");
        return err_at(err, "SPAN", 0, 0);
    }
    clock_advance_ms(&to, ms);
    return change_clock(call, to, err);
}

static bool
clock_set(struct op_call *call, struct err *err)
{
    const char *time = arg_str(call->in, "Time");
    struct clock to = { 0 };
    int64_t ms;
    if (strcmp(time, "now") == 0) {
        ms = clock_now_ms(&to);
    } else if (!clock_parse(time, &ms)) {
        err_set(err, ERR_USAGE, "", "`%s` is not a time", time);
        err_hint(err, "write 2026-01-02T03:04:05Z, or `now` for the machine's own");
        return err_at(err, "TIME", 0, 0);
    }
    if (arg_flag(call->in, "Still", false)) {
        clock_set_ms(&to, ms);
    } else {
        clock_advance_ms(&to, ms - clock_now_ms(&to));
    }
    return change_clock(call, to, err);
}

static void
clock_text(const json_t *out, struct buf *text)
{
    long long ahead = json_int(out, "AheadSeconds", 0);
    buf_str_add(text, json_str(out, "Time"));
    if (json_flag(out, "Still", false)) {
        buf_str_add(text, ", standing still");
    } else if (ahead) {
        buf_printf(text, ", %lld s %s the machine's clock", ahead < 0 ? -ahead : ahead,
                   ahead < 0 ? "behind" : "ahead of");
    }
    buf_char(text, '\n');
}

static const struct op_param none[] = { { 0 } };
static const struct op_param advance_params[] = {
    { "Span", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "90s, 5m, 2h or 1d", NULL, NULL, NULL },
    { 0 },
};
static const struct op_param set_params[] = {
    { "Time", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "2026-01-02T03:04:05Z, or `now`", NULL, NULL, NULL },
    { "Still", OP_BOOL, OP_OPTIONAL, "from then on it moves only when told", NULL, NULL, NULL },
    { 0 },
};

const struct op ops_clock[] = {
    { .name = "clock advance",
      .mode = OP_WRITE,
      .run = clock_advance,
      .text = clock_text,
      .params = advance_params,
      .group = "lab",
      .help = "Put the lab's clock on: flow log intervals end and sessions expire at once.",
      .examples = "clock advance 10m\n" },
    { .name = "clock set",
      .mode = OP_WRITE,
      .run = clock_set,
      .text = clock_text,
      .params = set_params,
      .group = "lab",
      .help = "Set the lab's clock.",
      .examples = "clock set 2026-01-02T03:04:05Z           it goes on from there\n"
                  "clock set 2026-01-02T03:04:05Z --still   it moves with `clock advance` only\n"
                  "clock set now                            as the machine's\n" },
    { .name = "clock",
      .mode = OP_READ,
      .run = clock_show,
      .text = clock_text,
      .params = none,
      .group = "lab",
      .help = "Show the lab's time." },
    { 0 },
};

/* cloud/ops_top.c - `vpclab top`: who sends how much now, and what is refused by which rule. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/live_link.h"
#include "cloud/op.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"

#define SECOND_US  1000000
#define ROWS_USUAL 24 /* of a terminal that does not say */
#define ROWS_HEADS 5  /* the two heads, the line between, and the last one, which stays empty */

static volatile sig_atomic_t ended;

static void
on_signal(int number)
{
    (void)number;
    ended = 1;
}

static const char *
name_of(const struct cloud *cloud, const char *id)
{
    const struct store *store = network_store(cloud->net);
    const struct eni *eni = store_get(store, &eni_kind, id);
    const struct object *gateway = store_get(store, &nat_gateway_kind, id);
    if (gateway && object_name(gateway)) {
        return object_name(gateway);
    }
    const struct instance *instance = eni ? store_get(store, &instance_kind, eni->attachment.instance_id) : NULL;
    const char *name = instance ? object_name(&instance->obj) : NULL;
    return name ? name : instance ? instance->obj.id : "-";
}

static long long
at(const json_t *list, size_t i)
{
    return json_integer_value(json_array_get(list, i));
}

static int
compare_rows(const void *a, const void *b)
{
    json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    long long p = json_int(x, "PacketsIn", 0) + json_int(x, "PacketsOut", 0) + json_int(x, "Packets", 0),
              q = json_int(y, "PacketsIn", 0) + json_int(y, "PacketsOut", 0) + json_int(y, "Packets", 0);
    return p > q ? -1 : p < q;
}

static json_t *
busiest_first(json_t *list)
{
    size_t n = json_array_size(list);
    json_t **rows = xcalloc(n + 1, sizeof *rows), *out = json_array();
    for (size_t i = 0; i < n; i++) {
        rows[i] = json_array_get(list, i);
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    for (size_t i = 0; i < n; i++) {
        json_array_append(out, rows[i]);
    }
    free(rows);
    json_decref(list);
    return out;
}

/* What came between two readings, a second apart. */
static void
differ(const struct cloud *cloud, const json_t *was, const json_t *is, json_t *out)
{
    json_t *interfaces = json_array(), *refused = json_array(), *value;
    const json_t *before = json_object_get(was, "interfaces");
    const char *key;
    json_object_foreach(json_object_get(is, "interfaces"), key, value)
    {
        const json_t *old = json_object_get(before, key);
        json_array_append_new(interfaces,
                              json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "Interface", key, "Name", name_of(cloud, key),
                                        "PacketsIn", (json_int_t)(at(value, 0) - at(old, 0)), "BytesIn",
                                        (json_int_t)(at(value, 1) - at(old, 1)), "PacketsOut",
                                        (json_int_t)(at(value, 2) - at(old, 2)), "BytesOut",
                                        (json_int_t)(at(value, 3) - at(old, 3))));
    }
    before = json_object_get(was, "refused");
    json_object_foreach(json_object_get(is, "refused"), key, value)
    {
        long long packets = json_integer_value(value) - json_integer_value(json_object_get(before, key));
        size_t size = strcspn(key, " ");
        if (packets > 0) {
            json_array_append_new(refused, json_pack("{s:s%, s:s, s:I}", "Interface", key, size, "Rule", key + size + 1,
                                                     "Packets", (json_int_t)packets));
        }
    }
    json_object_set_new(out, "Interfaces", busiest_first(interfaces));
    json_object_set_new(out, "Refused", busiest_first(refused));
}

static const char *
size_text(long long bytes, char text[static 32])
{
    const char *units[] = { "B", "KB", "MB", "GB" };
    double value = (double)bytes;
    int unit = 0;
    while (value >= 1000 && unit < 3) {
        value /= 1000;
        unit++;
    }
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text;
}

/* Ids of attachments are longer than those of interfaces. */
static int
width_of(const json_t *out)
{
    static const char *const lists[] = { "Interfaces", "Refused" };
    size_t width = 22, i;
    const json_t *row;
    for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
        json_array_foreach(json_object_get(out, lists[l]), i, row)
        {
            size_t size = strlen(json_str(row, "Interface"));
            width = size > width ? size : width;
        }
    }
    return (int)width;
}

static void
top_text(const json_t *out, struct buf *text)
{
    const json_t *row;
    size_t i;
    char in[32], sent[32];
    if (json_flag(out, "Shown", false)) {
        return;
    }
    int width = width_of(out);
    buf_printf(text, "%-*s %-16s %9s %10s %9s %10s\n", width, "interface", "instance", "in/s", "bytes/s", "out/s",
               "bytes/s");
    json_array_foreach(json_object_get(out, "Interfaces"), i, row)
    {
        buf_printf(text, "%-*s %-16s %9lld %10s %9lld %10s\n", width, json_str(row, "Interface"), json_str(row, "Name"),
                   json_int(row, "PacketsIn", 0), size_text(json_int(row, "BytesIn", 0), in),
                   json_int(row, "PacketsOut", 0), size_text(json_int(row, "BytesOut", 0), sent));
    }
    if (json_array_size(json_object_get(out, "Refused"))) {
        buf_printf(text, "\n%-*s %-50s %9s\n", width, "refused at", "rule", "packets/s");
    }
    json_array_foreach(json_object_get(out, "Refused"), i, row)
    {
        buf_printf(text, "%-*s %-50s %9lld\n", width, json_str(row, "Interface"), json_str(row, "Rule"),
                   json_int(row, "Packets", 0));
    }
}

static size_t
cut(json_t *list, size_t rows)
{
    while (json_array_size(list) > rows) {
        json_array_remove(list, json_array_size(list) - 1);
    }
    return json_array_size(list);
}

/* Only the busiest fit on a terminal; a third of it is for refusals, if there are so many. */
static void
cut_to_terminal(json_t *out)
{
    struct winsize size;
    size_t rows =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > ROWS_HEADS + 3 ? size.ws_row : ROWS_USUAL;
    json_t *interfaces = json_object_get(out, "Interfaces"), *refused = json_object_get(out, "Refused");
    size_t room = rows - ROWS_HEADS, n_refused = json_array_size(refused);
    size_t shown = cut(interfaces, room - (n_refused < room / 3 ? n_refused : room / 3));
    cut(refused, room - shown);
}

static void
show(struct op_call *call)
{
    struct buf text = { 0 };
    buf_str_add(&text, "\033[H\033[J");
    cut_to_terminal(call->out);
    top_text(call->out, &text);
    call->progress->write(call->progress->context, buf_str(&text));
    buf_done(&text);
}

static bool
top_run(struct op_call *call, struct err *err)
{
    bool again = call->progress && call->progress->write && !call->progress->formatted && isatty(STDOUT_FILENO) &&
                 !arg_flag(call->in, "Once", false);
    struct sigaction act = { .sa_handler = on_signal }, old;
    json_t *was = live_link_meter(call->cloud, false, err);
    if (!was) {
        return false;
    }
    ended = 0;
    sigaction(SIGINT, &act, &old);
    do {
        usleep(SECOND_US);
        json_t *is = ended ? NULL : live_link_meter(call->cloud, false, err);
        if (!is) {
            break;
        }
        differ(call->cloud, was, is, call->out);
        json_decref(was);
        was = is;
        if (again) {
            show(call);
        }
    } while (again && !ended);
    sigaction(SIGINT, &old, NULL);
    json_decref(was);
    if (again) {
        json_object_set_new(call->out, "Shown", json_true());
    }
    return !err || err->kind == ERR_NONE;
}

static const struct op_param top_params[] = {
    { "Once", OP_BOOL, OP_OPTIONAL, "one second's figures; so it is where no terminal shows them, and as JSON", NULL,
      NULL, NULL },
    { 0 },
};

const struct op ops_top[] = {
    { .name = "top",
      .mode = OP_LOCAL,
      .run = top_run,
      .text = top_text,
      .params = top_params,
      .group = "look",
      .help = "Show who sends how much in the live lab now, and what is refused by which rule.",
      .examples = "top          until ^C\ntop --once\n" },
    { 0 },
};

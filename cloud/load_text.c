#include "cloud/load_text.h"

#include <string.h>

#include "base/vec.h"

json_t *
load_amount_json(long long bytes, long long packets)
{
    json_t *out = json_pack("{s:I}", "Bytes", (json_int_t)bytes);
    if (packets >= 0) {
        json_object_set_new(out, "Packets", json_integer((json_int_t)packets));
    }
    return out;
}

/* ---- for a person -------------------------------------------------------------------------------------------------
 */
void
load_scaled_text(struct buf *text, double number, double kilo, const char *unit)
{
    static const char *const prefixes[] = { "", "K", "M", "G", "T" };
    size_t i = 0;
    for (; number >= kilo && i + 1 < ARRAY_SIZE(prefixes); i++) {
        number /= kilo;
    }
    buf_printf(text, "%.*f %s%s", i ? 2 : 0, number, prefixes[i], unit);
}

void
load_amount_text(struct buf *text, const json_t *amount)
{
    load_scaled_text(text, (double)json_int(amount, "Bytes", 0), 1024, "B");
    long long packets = json_int(amount, "Packets", 0);
    if (json_object_get(amount, "Packets")) {
        buf_printf(text, " in %lld packet%s", packets, plural(packets));
    }
}

static void
print_amount(struct buf *text, const char *what, int width, const json_t *amount)
{
    buf_printf(text, "%-*s ", width, what);
    load_amount_text(text, amount);
}

void
load_text(const json_t *out, struct buf *text)
{
    const char *receiver = json_str(out, "Receiver"), *protocol = json_str(out, "Protocol");
    double percent = json_real_value(json_object_get(out, "LostPercent"));
    bool udp = strcmp(protocol, "udp") == 0, known = strcmp(receiver, "unknown") != 0;
    const char *got = strcmp(receiver, "counted") == 0 ? "received" : receiver;
    int width = strlen(got) > 9 ? (int)strlen(got) : 9;
    buf_printf(text, "%s -> %s (%s)  %s/%lld  %.2f s\n", json_str(out, "Source"), json_str(out, "Destination"),
               json_str(out, "Address"), protocol, json_int(out, "Port", 0),
               json_real_value(json_object_get(out, "Seconds")));
    print_amount(text, "sent", width, json_object_get(out, "Sent"));
    buf_char(text, '\n');
    if (!known) {
        buf_printf(text, "%-*s nobody said: `load --receive %lld` there counts\n", width, "received",
                   json_int(out, "Port", 0));
        return;
    }
    print_amount(text, got, width, json_object_get(out, "Received"));
    buf_str_add(text, ", ");
    load_scaled_text(text, (double)json_int(out, "BitsPerSecond", 0), 1000, "bit/s");
    buf_printf(text, "\n%-*s %lld (%.2f %%)", width, "lost", json_int(out, "Lost", 0), percent);
    if (udp) {
        buf_printf(text, ", %lld out of order, %lld twice\n", json_int(out, "OutOfOrder", 0),
                   json_int(out, "Duplicates", 0));
    } else {
        buf_printf(text, " and sent again; round trip %.3f ms\n",
                   json_real_value(json_object_get(out, "RoundTripMilliseconds")));
    }
    if (!udp && !json_flag(out, "Complete", true)) {
        buf_str_add(text, "the connection broke: not all that was sent arrived\n");
    }
}

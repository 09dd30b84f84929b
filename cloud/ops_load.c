/* cloud/ops_load.c - how much a way through the live lab carries: `load web db:5201`. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/inside.h"
#include "cloud/live_link.h"
#include "cloud/live_names.h"
#include "cloud/load_inside.h"
#include "cloud/load_text.h"
#include "cloud/names.h"
#include "netsim/live/load.h"
#include "netsim/live/tap_flow.h"
#include "netsim/model/instance.h"

#define USUAL_PORT    5201 /* iperf3's */
#define USUAL_SECONDS 3
#define MOST_SECONDS  600
#define MOST_BYTES    (1LL << 40)
#define UDP_SIZE      1400
#define UDP_RATE      100000000LL
#define TCP_SIZE      (128 << 10)
#define WAIT_MS       1000

struct question {
    struct live_node from, to;
    struct load_options options;
    const char
        *balancer; /* the domain name of a balancer: whoever it sends to must listen; NULL: no balancer is sent to */
    bool from_tap; /* the sender is a TAP host */
    const struct instance *tap; /* the TAP host that is sent to; NULL: a machine with a receiver of ours */
};

/* ---- the question -------------------------------------------------------------------------------------------------
 */
/* "db:5201", "10.0.2.10:5201", "[2600::1]:5201": the port is cut off; a name may have colons itself
 * ("onprem:cgw-0a1b"). */
static bool
split_port(const char *text, char *name, size_t size, int *port, struct err *err)
{
    struct ip ip;
    const char *colon = strrchr(text, ':');
    bool bracketed = text[0] == '[' && colon && colon > text && colon[-1] == ']';
    bool digits = colon && colon[1] && colon[1 + strspn(colon + 1, "0123456789")] == '\0';
    *port = USUAL_PORT;
    if (!digits || (!bracketed && ip_parse(text, &ip))) {
        snprintf(name, size, "%s", text);
        return true;
    }
    long number = strlen(colon + 1) > 5 ? 0 : strtol(colon + 1, NULL, 10);
    if (number < 1 || number > 65535) {
        err_set(err, ERR_USAGE, "", "`%s` is no port", colon + 1);
        return err_at(err, "DESTINATION", 0, 0);
    }
    *port = (int)number;
    snprintf(name, size, "%.*s", (int)(colon - text) - (bracketed ? 2 : 0), text + (bracketed ? 1 : 0));
    return true;
}

/* "64K", "100M", "1.5G"; K is 'kilo'. */
static bool
read_amount(const json_t *in, const char *name, const char *option, int kilo, long long otherwise, long long least,
            long long most, long long *amount, struct err *err)
{
    static const char units[] = "KMG";
    const char *text = arg_str(in, name);
    char *end = NULL;
    double number = text && *text >= '0' && *text <= '9' ? strtod(text, &end) : -1;
    const char *unit = end && *end ? strchr(units, *end >= 'a' ? *end - 32 : *end) : NULL;
    *amount = otherwise;
    if (!text) {
        return true;
    }
    for (const char *u = units; unit && u <= unit; u++) {
        number *= kilo;
    }
    if (number < (double)least || number > (double)most || (*end && (!unit || end[1]))) {
        err_set(err, ERR_USAGE, "", "`%s` is not between %lld and %lld", text, least, most);
        err_hint(err, "a number, with K, M or G");
        return err_at(err, option, 0, 0);
    }
    *amount = (long long)number;
    return true;
}

static bool
read_options(const json_t *in, struct load_options *o, struct err *err)
{
    const char *protocol = arg_str(in, "Protocol");
    o->protocol = protocol && strcmp(protocol, "udp") == 0 ? PROTOCOL_UDP : PROTOCOL_TCP;
    bool udp = o->protocol == PROTOCOL_UDP;
    long long size, seconds = arg_int(in, "Seconds", json_object_get(in, "Count") ? 60 : USUAL_SECONDS);
    o->count = arg_int(in, "Count", 0);
    if (!read_amount(in, "Size", "--size", 1024, udp ? UDP_SIZE : TCP_SIZE, udp ? LOAD_UDP_MIN : 1,
                     udp ? LOAD_UDP_MAX : LOAD_TCP_MAX, &size, err) ||
        !read_amount(in, "Rate", "--rate", 1000, udp ? UDP_RATE : 0, 1000, 1000000000000LL, &o->bits_per_second, err)) {
        return false;
    }
    o->size = (size_t)size;
    if (seconds < 1 || seconds > MOST_SECONDS) {
        err_set(err, ERR_USAGE, "", "--seconds is 1 to %d, not %lld", MOST_SECONDS, seconds);
        return err_at(err, "--seconds", 0, 0);
    }
    o->max_ms = (int)seconds * 1000;
    if (json_object_get(in, "Count") && (o->count < 1 || o->count > MOST_BYTES / size)) {
        err_set(err, ERR_USAGE, "", "--count is 1 to %lld of this size, not %lld", MOST_BYTES / size, o->count);
        return err_at(err, "--count", 0, 0);
    }
    return true;
}

static bool
is_served(const struct instance *instance, int protocol, int port)
{
    for (size_t i = 0; i < instance->served.n; i++) {
        const struct served_port *p = &instance->served.items[i];
        if (p->protocol == protocol && p->from <= port && port <= p->to) {
            return true;
        }
    }
    return false;
}

/* A TAP host receives only where it was told to. */
static bool
check_tap_hosts(struct op_call *call, struct question *q, struct err *err)
{
    const struct network *net = call->cloud->net;
    const struct instance *from = store_get(network_store(net), &instance_kind, q->from.id),
                          *to = store_get(network_store(net), &instance_kind, q->to.id);
    const char *protocol = protocol_name(q->options.protocol);
    q->from_tap = from && instance_is_tap(net, from);
    q->tap = to && instance_is_tap(net, to) ? to : NULL;
    if (q->tap && !is_served(q->tap, q->options.protocol, q->options.port)) {
        err_set(err, ERR_INPUT, "IncorrectState", "`%s` is a TAP host and serves no %s/%d", q->to.name, protocol,
                q->options.port);
        return err_hint(err, "`serve %s %s/%d` lets it", q->to.name, protocol, q->options.port);
    }
    return true;
}

/* A balancer by its name, as its domain name leads the sender to one of its nodes. */
static bool
find_destination(struct op_call *call, const char *name, int family, struct question *q, struct err *err)
{
    struct live_balancer balancer;
    struct dns_answer answer = { 0 };
    if (!live_balancer_find(call->cloud, name, &balancer)) {
        return live_node_find(call->cloud, name, &q->to, err);
    }
    q->balancer = balancer.domain;
    if (balancer.application) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` passes requests on, not bytes", name);
        return err_hint(err, "exec %s -- curl http://%s/", q->from.name, q->balancer);
    }
    bool ok = names_ask(call->cloud, q->from.eni ? q->from.eni->vpc_id : NULL, NULL, q->balancer,
                        family == IP_V6 ? DNS_AAAA : 0, &answer, err);
    const struct ip *ip = ok ? names_address(&answer) : NULL;
    if (ok && !ip) {
        ok = err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no address for `%s`", name, q->from.name);
    }
    ok = ok && live_node_find(call->cloud, ip_str(ip), &q->to, err);
    snprintf(q->to.name, sizeof q->to.name, "%.79s", name);
    dns_answer_done(&answer);
    return ok;
}

static bool
read_question(struct op_call *call, struct question *q, struct err *err)
{
    char name[ID_SIZE + 256];
    int family = arg_flag(call->in, "Ipv6", false) ? IP_V6 : IP_V4;
    if (!live_node_find(call->cloud, arg_str(call->in, "Source"), &q->from, err) ||
        !split_port(arg_str(call->in, "Destination"), name, sizeof name, &q->options.port, err) ||
        !find_destination(call, name, family, q, err) || !read_options(call->in, &q->options, err)) {
        return false;
    }
    family = q->to.ip.family ? q->to.ip.family : family;
    return live_node_address(call->cloud, &q->from, &q->to, family, &q->options.to, err) &&
           check_tap_hosts(call, q, err);
}

/* ---- the run ------------------------------------------------------------------------------------------------------
 */
static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* One packet first: what cannot arrive is known at once, without waiting for a connection. */
static bool
check_way(struct op_call *call, const struct question *q, struct err *err)
{
    const struct load_options *o = &q->options;
    struct live_probe probe = { .dst = o->to, .protocol = o->protocol, .dst_port = o->port };
    const char *protocol = protocol_name(o->protocol);
    snprintf(probe.from, sizeof probe.from, "%s", q->from.end);
    snprintf(probe.to, sizeof probe.to, "%s", q->to.end);
    if (!live_link_probe(call->cloud, &probe, 1, WAIT_MS, err)) {
        return false;
    }
    if ((probe.arrived && (probe.replied || o->protocol == PROTOCOL_UDP)) ||
        (q->balancer && (o->protocol == PROTOCOL_UDP || (probe.replied && !probe.refused)))) {
        return true;
    }
    if (q->balancer) { /* who behind it should have got it is the balancer's affair */
        err_set(err, ERR_INPUT, "IncorrectState", "%s/%d from `%s` is %s by `%s` (%s)", protocol, o->port, q->from.name,
                probe.refused ? "refused" : "not answered", q->to.name, ip_str(&o->to));
        return err_hint(err, "its targets must listen: `serve`; `elbv2 describe-target-health` tells how they are, "
                             "`trace` where it stops");
    }
    err_set(err, ERR_INPUT, "IncorrectState", "%s/%d from `%s` %s `%s` (%s)", protocol, o->port, q->from.name,
            probe.arrived ? "gets no answer back from" : "does not arrive at", q->to.name, ip_str(&o->to));
    return err_hint(err, "`reach %s %s %s/%d` says why, `trace` where it stops", q->from.name, q->to.name, protocol,
                    o->port);
}

/* The address to send from when an interface was named: others would send by their first one. */
static const struct ip *
own_address(const struct question *q)
{
    const struct eni *eni = q->from.eni;
    if (!eni || strcmp(q->from.end, eni->obj.id) != 0) {
        return NULL;
    }
    return q->options.to.family == IP_V4 ? eni_primary_ip(eni)
           : eni->addresses6.n           ? &eni->addresses6.items[0].ip
                                         : NULL;
}

static bool
run_load(struct op_call *call, struct question *q, struct load_result *result, struct err *err)
{
    struct load_options *o = &q->options;
    bool counted = !q->tap && !q->balancer;
    int receiver =
        counted ? live_link_socket(call->cloud, q->to.id, o->to.family, o->protocol, NULL, o->port, err) : -1;
    bool ok = (!counted || receiver >= 0) && check_way(call, q, err);
    int sender =
        !ok ? -1
        : q->from_tap
            ? live_link_host_socket(call->cloud, q->from.end, o->to.family, o->protocol, &o->from, &o->from_port, err)
            : live_link_socket(call->cloud, q->from.id, o->to.family, o->protocol, own_address(q), 0, err);
    struct sigaction act = { .sa_handler = on_signal }, old;
    stopped = 0;
    q->options.stop = &stopped;
    sigaction(SIGINT, &act, &old);
    ok = sender >= 0 && load_run(sender, receiver, o, result, err);
    sigaction(SIGINT, &old, NULL);
    if (sender >= 0) {
        close(sender);
    }
    if (receiver >= 0) {
        close(receiver);
    }
    return ok;
}

static void
answer(json_t *out, const struct question *q, const struct load_result *r, const char *receiver)
{
    bool udp = q->options.protocol == PROTOCOL_UDP;
    json_object_set_new(out, "Source", json_string(q->from.name));
    json_object_set_new(out, "Destination", json_string(q->to.name));
    json_object_set_new(out, "Address", json_string(ip_str(&q->options.to)));
    json_object_set_new(out, "Port", json_integer(q->options.port));
    json_object_set_new(out, "Protocol", json_string(protocol_name(q->options.protocol)));
    json_object_set_new(out, "Receiver", json_string(receiver));
    json_object_set_new(out, "Seconds", json_real(r->seconds));
    json_object_set_new(out, "BitsPerSecond",
                        json_integer(r->seconds > 0 ? (json_int_t)((double)r->received_bytes * 8 / r->seconds) : 0));
    json_object_set_new(out, "Sent", load_amount_json(r->sent_bytes, r->sent_packets));
    json_object_set_new(out, "Received", load_amount_json(r->received_bytes, r->received_packets));
    if (udp) {
        long long lost = r->sent_packets - r->received_packets;
        json_object_set_new(out, "Lost", json_integer((json_int_t)lost));
        json_object_set_new(out, "LostPercent",
                            json_real(r->sent_packets ? 100.0 * (double)lost / (double)r->sent_packets : 0));
        json_object_set_new(out, "OutOfOrder", json_integer((json_int_t)r->out_of_order));
        json_object_set_new(out, "Duplicates", json_integer((json_int_t)r->duplicates));
    } else {
        json_object_set_new(out, "Lost", json_integer((json_int_t)r->retransmitted));
        json_object_set_new(
            out, "LostPercent",
            json_real(r->sent_packets ? 100.0 * (double)r->retransmitted / (double)r->sent_packets : 0));
        json_object_set_new(out, "RoundTripMilliseconds", json_real(r->rtt_ms));
        json_object_set_new(out, "Complete", json_boolean(r->complete));
    }
}

static bool
missing(const char *operand, struct err *err)
{
    err_set(err, ERR_USAGE, "", "`%s` is missing", operand);
    return err_hint(err, "load web db:5201; in an instance `load db:5201` sends and `load --receive 5201` counts");
}

/* In a machine of the lab: the one operand is who receives. */
static bool
load_from_here(struct op_call *call, struct err *err)
{
    const char *text = arg_str(call->in, "Source"), *more = arg_str(call->in, "Destination");
    struct question q = { 0 };
    struct load_result r;
    char name[ID_SIZE + 256];
    if (!text || more) {
        err_set(err, ERR_USAGE, "", text ? "`load` sends from where it runs, which is `%s`" : "who receives is missing",
                inside_node());
        return err_hint(err, "load %s; between others: outside", more ? more : "db:5201");
    }
    if (!split_port(text, name, sizeof name, &q.options.port, err) || !read_options(call->in, &q.options, err) ||
        !load_inside_send(name, arg_flag(call->in, "Ipv6", false) ? IP_V6 : IP_V4, &q.options, &r, err)) {
        return false;
    }
    bool udp = q.options.protocol == PROTOCOL_UDP;
    snprintf(q.from.name, sizeof q.from.name, "%s", inside_node());
    snprintf(q.to.name, sizeof q.to.name, "%.79s", name);
    answer(call->out, &q, &r, r.told ? "counted" : !udp ? "acknowledged" : r.received_packets ? "echoed" : "unknown");
    call->no = !r.complete || !r.received_bytes;
    return true;
}

/* Counting takes what comes, and works where packets of the lab come. */
static bool
receive(struct op_call *call, long long port, struct err *err)
{
    static const struct {
        const char *member, *option;
    } senders[] = { { "Protocol", "--protocol" },
                    { "Size", "--size" },
                    { "Rate", "--rate" },
                    { "Count", "--count" },
                    { "Ipv6", "--ipv6" } };
    if (arg_str(call->in, "Source")) {
        return err_set(err, ERR_USAGE, "", "`--receive` counts where it runs: it takes no machine");
    }
    if (port < 1 || port > 65535) {
        return err_set(err, ERR_USAGE, "", "--receive is a port, 1 to 65535, not %lld", port);
    }
    for (size_t i = 0; i < ARRAY_SIZE(senders); i++) {
        if (json_object_get(call->in, senders[i].member)) {
            err_set(err, ERR_USAGE, "", "`--receive` counts what comes: this is the sender's to say");
            return err_at(err, senders[i].option, 0, 0);
        }
    }
    if (!inside_node()) {
        err_set(err, ERR_USAGE, "", "`--receive` counts in an instance, and this is none");
        return err_hint(err, "exec NODE -- vpclab load --receive %lld", port);
    }
    return load_inside_receive(call, (int)port, err);
}

static bool
load_op(struct op_call *call, struct err *err)
{
    struct question q = { 0 };
    struct load_result r;
    long long port = arg_int(call->in, "Receive", -1);
    if (json_object_get(call->in, "Receive")) {
        return receive(call, port, err);
    }
    if (inside_node()) {
        return load_from_here(call, err);
    }
    if (!arg_str(call->in, "Destination")) {
        return missing(arg_str(call->in, "Source") ? "DESTINATION" : "SOURCE", err);
    }
    if (!live_link_require(call->cloud, err) || !read_question(call, &q, err) || !run_load(call, &q, &r, err)) {
        return false;
    }
    answer(call->out, &q, &r,
           !q.tap && !q.balancer                ? "counted"
           : q.options.protocol == PROTOCOL_UDP ? "echoed"
                                                : "acknowledged");
    call->no = !r.complete || !r.received_bytes;
    return true;
}

static void
text_of(const json_t *out, struct buf *text)
{
    (json_object_get(out, "Runs") ? load_inside_receive_text : load_text)(out, text);
}

static const struct op_param load_params[] = {
    { "Source", OP_ENDPOINT, OP_OPTIONAL | OP_POSITIONAL,
      "instance, interface, `onprem` or `internet` that sends; left out in an instance, which sends itself", NULL,
      NULL },
    { "Destination", OP_ENDPOINT, OP_OPTIONAL | OP_POSITIONAL,
      "who receives, or a balancer, with a port or without (5201): db, db:80", NULL, NULL },
    { "Protocol", OP_STRING, OP_OPTIONAL, "tcp, or udp in datagrams", NULL, "tcp udp", NULL },
    { "Seconds", OP_INT, OP_OPTIONAL, "how long at most (3; with --count 60)", NULL, NULL },
    { "Size", OP_STRING, OP_OPTIONAL, "bytes of a datagram (1400), or of a write (128K)", NULL, NULL },
    { "Rate", OP_STRING, OP_OPTIONAL, "bits a second: 50M, 1G (udp 100M; tcp as fast as it goes)", NULL, NULL },
    { "Count", OP_INT, OP_OPTIONAL, "so many datagrams or writes at most", NULL, NULL },
    { "Ipv6", OP_BOOL, OP_OPTIONAL, "by IPv6", NULL, NULL },
    { "Receive", OP_INT, OP_OPTIONAL, "in an instance: count what others send to this port, until ^C", NULL, NULL },
    { 0 },
};

const struct op ops_load[] = {
    { .name = "load",
      .mode = OP_LOCAL,
      .run = load_op,
      .text = text_of,
      .params = load_params,
      .inside = true,
      .group = "ask",
      .help = "Send as much as a way through the live lab carries, or as you say, and count what arrives.",
      .examples = "load web db                                  TCP to port 5201, 3 seconds\n"
                  "load web db:80 --size 64K --count 16384      1 GiB\n"
                  "load web db --protocol udp --rate 500M --size 200\n"
                  "shell web; load db                           from inside, to `load --receive 5201` in db\n" },
    { 0 },
};

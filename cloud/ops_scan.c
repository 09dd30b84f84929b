/* cloud/ops_scan.c - which ports of a machine answer another: `scan web db 1-1024`, with real packets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/live_link.h"
#include "cloud/live_names.h"
#include "cloud/op.h"

#define PROBES_AT_ONCE 2048
#define WAIT_MS        500 /* at most, for a batch; mostly the lab knows at once that nothing more can come */

/* What is tried when no port is named: services that people leave open. */
static const char *const usual_ports[] = { "20-23", "25",   "53",   "80",   "110",  "111",  "135",  "139",  "143",
                                           "389",   "443",  "445",  "993",  "995",  "1433", "1521", "2049", "2375",
                                           "3306",  "3389", "5432", "5900", "6379", "8080", "8443", "9200", "27017" };

typedef VEC(int) port_vec;

static bool
add_ports(port_vec *ports, const char *word, struct err *err)
{
    char *end;
    long from = strtol(word, &end, 10), to = from;
    bool ok = *word >= '0' && *word <= '9';
    if (ok && *end == '-' && end[1] >= '0' && end[1] <= '9') {
        to = strtol(end + 1, &end, 10);
    }
    if (!ok || *end || from < 1 || to > 65535 || to < from) {
        err_set(err, ERR_USAGE, "", "`%s` are no ports to scan", word);
        return err_hint(err, "80, 1-1024; none for the usual services");
    }
    for (long p = from; p <= to; p++) {
        *VEC_ADD(ports) = (int)p;
    }
    return true;
}

static bool
read_ports(const json_t *words, port_vec *ports, struct err *err)
{
    size_t n = json_array_size(words);
    for (size_t i = 0; i < (n ? n : ARRAY_SIZE(usual_ports)); i++) {
        if (!add_ports(ports, n ? json_string_value(json_array_get(words, i)) : usual_ports[i], err)) {
            return false;
        }
    }
    return true;
}

/* Of UDP nobody can tell an open port from a closed one by silence: what arrives is "reached". */
static const char *
state_of(const struct live_probe *p)
{
    return p->protocol == PROTOCOL_UDP ? (p->arrived ? "reached" : "filtered")
           : !p->replied               ? "filtered"
           : p->refused                ? "closed"
                                       : "open";
}

static bool
send_probes(struct op_call *call, const struct live_probe *pattern, const port_vec *ports, struct err *err)
{
    json_t *found = json_array();
    json_object_set_new(call->out, "Ports", found);
    json_int_t n_filtered = 0;
    struct live_probe *probes = xcalloc(PROBES_AT_ONCE, sizeof *probes);
    bool ok = true;
    for (size_t at = 0; ok && at < ports->n; at += PROBES_AT_ONCE) {
        size_t n = ports->n - at < PROBES_AT_ONCE ? ports->n - at : PROBES_AT_ONCE;
        for (size_t i = 0; i < n; i++) {
            probes[i] = *pattern;
            probes[i].dst_port = ports->items[at + i];
        }
        ok = live_link_probe(call->cloud, probes, n, WAIT_MS, err);
        for (size_t i = 0; ok && i < n; i++) {
            const char *state = state_of(&probes[i]);
            if (strcmp(state, "filtered") == 0) {
                n_filtered++;
            } else {
                json_array_append_new(found, json_pack("{s:i, s:s}", "Port", probes[i].dst_port, "State", state));
            }
        }
    }
    free(probes);
    json_object_set_new(call->out, "Scanned", json_integer((json_int_t)ports->n));
    json_object_set_new(call->out, "Filtered", json_integer(n_filtered));
    call->no = n_filtered == (json_int_t)ports->n;
    return ok;
}

static bool
scan_run(struct op_call *call, struct err *err)
{
    struct live_node from, to;
    port_vec ports = { 0 };
    struct live_probe probe = { .protocol = arg_flag(call->in, "Udp", false) ? PROTOCOL_UDP : PROTOCOL_TCP };
    bool six = arg_flag(call->in, "Ipv6", false);
    bool ok =
        read_ports(json_object_get(call->in, "Ports"), &ports, err) && live_link_require(call->cloud, err) &&
        live_node_find(call->cloud, arg_str(call->in, "Source"), &from, err) &&
        live_destination_find(call->cloud, &from, arg_str(call->in, "Destination"), six ? IP_V6 : IP_V4, &to, err);
    int family = ok && (six || to.ip.family == IP_V6) ? IP_V6 : IP_V4;
    ok = ok && live_node_address(call->cloud, &from, &to, family, &probe.dst, err);
    if (ok) {
        snprintf(probe.from, sizeof probe.from, "%s", from.end);
        snprintf(probe.to, sizeof probe.to, "%s", to.end);
        json_object_set_new(call->out, "Source", json_string(from.name));
        json_object_set_new(call->out, "Destination", json_string(to.name));
        json_object_set_new(call->out, "Address", json_string(ip_str(&probe.dst)));
        json_object_set_new(call->out, "Protocol", json_string(protocol_name(probe.protocol)));
        ok = send_probes(call, &probe, &ports, err);
    }
    VEC_DONE(&ports);
    return ok;
}

static void
scan_text(const json_t *out, struct buf *text)
{
    size_t i;
    const json_t *port;
    long long n = json_int(out, "Scanned", 0);
    buf_printf(text, "%s -> %s (%s), %lld %s port%s\n", json_str(out, "Source"), json_str(out, "Destination"),
               json_str(out, "Address"), n, json_str(out, "Protocol"), plural(n));
    json_array_foreach(json_object_get(out, "Ports"), i, port)
    {
        buf_printf(text, "%-6lld %s\n", json_int(port, "Port", 0), json_str(port, "State"));
    }
    if (json_int(out, "Filtered", 0)) {
        buf_printf(text, "%lld filtered: nothing came back\n", json_int(out, "Filtered", 0));
    }
}

static const struct op_param scan_params[] = {
    { "Source", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL, "instance, interface, `onprem` or `internet` that asks", NULL,
      NULL },
    { "Destination", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL,
      "who is asked: a machine, balancer, address or domain name", NULL, NULL },
    { "Ports", OP_LIST, OP_OPTIONAL | OP_POSITIONAL, "80, 1-1024 ...; the usual services if not given", NULL, NULL },
    { "Udp", OP_BOOL, OP_OPTIONAL, "UDP instead of TCP", NULL, NULL },
    { "Ipv6", OP_BOOL, OP_OPTIONAL, "by IPv6", NULL, NULL },
    { 0 },
};

const struct op ops_scan[] = {
    { .name = "scan",
      .mode = OP_LOCAL,
      .run = scan_run,
      .text = scan_text,
      .params = scan_params,
      .group = "lab",
      .help =
          "Try the ports of a machine in the live lab: open, closed (refused by the machine), or filtered on the way.",
      .examples = "scan internet web              the usual services, as anybody may try them\n"
                  "scan web db 5432 8000-8100     these ports\n" },
    { 0 },
};

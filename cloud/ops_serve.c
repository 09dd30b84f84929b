/* cloud/ops_serve.c - what instances of a live lab answer by themselves: `serve web tcp/80`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/op.h"
#include "netsim/model/instance.h"

#define RANGE_MAX 256 /* ports of one range: each is a socket of an instance with a namespace */

/* "tcp/80", "udp/53", "tcp/8000-8010", "80". */
static bool
read_port(const char *word, struct served_port *out, struct err *err)
{
    const char *slash = strchr(word, '/'), *numbers = slash ? slash + 1 : word;
    size_t n = slash ? (size_t)(slash - word) : 0;
    char *end;
    *out = (struct served_port){ .protocol = n == 3 && memcmp(word, "udp", 3) == 0 ? PROTOCOL_UDP : PROTOCOL_TCP };
    bool named = !slash || (n == 3 && (memcmp(word, "tcp", 3) == 0 || memcmp(word, "udp", 3) == 0));
    long from = strtol(numbers, &end, 10), to = from;
    bool number = end != numbers && *numbers >= '0' && *numbers <= '9';
    if (number && *end == '-' && end[1] >= '0' && end[1] <= '9') {
        to = strtol(end + 1, &end, 10);
    }
    if (!named || !number || *end || from < 1 || to > 65535 || to < from) {
        err_set(err, ERR_USAGE, "", "`%s` is no port to serve", word);
        return err_hint(err, "tcp/80, udp/53, tcp/8000-8010");
    }
    if (to - from >= RANGE_MAX) {
        err_set(err, ERR_USAGE, "", "`%s` is more than %d ports", word, RANGE_MAX);
        return err_hint(err, "serve those that matter");
    }
    out->from = (int32_t)from;
    out->to = (int32_t)to;
    return true;
}

static void
print_port(const struct served_port *p, char out[static 32])
{
    const char *protocol = p->protocol == PROTOCOL_UDP ? "udp" : "tcp";
    if (p->from == p->to) {
        snprintf(out, 32, "%s/%d", protocol, (int)p->from);
    } else {
        snprintf(out, 32, "%s/%d-%d", protocol, (int)p->from, (int)p->to);
    }
}

static bool
is_served(const struct instance *instance, const struct served_port *port)
{
    for (size_t i = 0; i < instance->served.n; i++) {
        const struct served_port *p = &instance->served.items[i];
        if (p->protocol == port->protocol && p->from == port->from && p->to == port->to) {
            return true;
        }
    }
    return false;
}

/* All or none. */
static bool
check_ports(const struct instance *instance, const json_t *words, bool stop, struct err *err)
{
    struct served_port port;
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        if (!read_port(word, &port, err)) {
            return false;
        }
        if (stop && !is_served(instance, &port)) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not served", word);
            return err_hint(err, "`serve %s` shows what is", instance->obj.id);
        }
    }
    return true;
}

static bool
serve_run(struct op_call *call, struct err *err)
{
    struct network *net = call->cloud->net;
    struct instance *instance = network_require(net, &instance_kind, arg_str(call->in, "Instance"), err);
    const json_t *words = json_object_get(call->in, "Ports");
    bool stop = arg_flag(call->in, "Stop", false);
    struct served_port port;
    if (!instance || !check_ports(instance, words, stop, err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(words); i++) {
        read_port(json_string_value(json_array_get(words, i)), &port, NULL);
        instance_serve(net, instance, &port, !stop);
    }
    while (stop && !json_array_size(words) && instance->served.n) {
        struct served_port last = instance->served.items[instance->served.n - 1];
        instance_serve(net, instance, &last, false);
    }
    json_t *list = json_array();
    for (size_t i = 0; i < instance->served.n; i++) {
        char text[32];
        print_port(&instance->served.items[i], text);
        json_array_append_new(list, json_string(text));
    }
    json_object_set_new(call->out, "InstanceId", json_string(instance->obj.id));
    json_object_set_new(call->out, "Host", json_string(instance_is_tap(net, instance) ? "tap" : "namespace"));
    json_object_set_new(call->out, "Ports", list);
    return true;
}

static void
serve_text(const json_t *out, struct buf *text)
{
    size_t i;
    const json_t *port;
    buf_printf(text, "%s serves", json_str(out, "InstanceId"));
    json_array_foreach(json_object_get(out, "Ports"), i, port)
    {
        buf_printf(text, " %s", json_string_value(port));
    }
    buf_str_add(text, json_array_size(json_object_get(out, "Ports")) ? "\n" : " nothing\n");
}

static const struct op_param serve_params[] = {
    { "Instance", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "instance that answers", "instance", NULL },
    { "Ports", OP_LIST, OP_OPTIONAL | OP_POSITIONAL, "tcp/80, udp/53, tcp/8000-8010; shows what is served if not given",
      NULL, NULL },
    { "Stop", OP_BOOL, OP_OPTIONAL, "close these ports, or all", NULL, NULL },
    { 0 },
};

const struct op ops_serve[] = {
    { .name = "serve",
      .mode = OP_WRITE,
      .run = serve_run,
      .text = serve_text,
      .params = serve_params,
      .group = "lab",
      .help = "Let an instance of the live lab answer on ports: HTTP with its address on TCP, the same back on UDP. "
              "Groups and ACLs still decide.",
      .examples = "serve web tcp/80 udp/53      then: exec client -- curl http://web/\n"
                  "serve web tcp/80 --stop\n" },
    { 0 },
};

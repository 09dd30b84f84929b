#include "cloud/load_inside.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/load_text.h"

static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static struct sigaction
catch_interrupt(int number)
{
    struct sigaction act = { .sa_handler = on_signal }, old;
    stopped = 0;
    sigaction(number, &act, &old);
    return old;
}

/* ---- sending ------------------------------------------------------------------------------------------------------
 */
/* IPv4 where there is a choice, as the lab's other verbs have it. */
static bool
look_up(const char *name, int family, struct ip *ip, struct err *err)
{
    if (ip_parse(name, ip)) {
        return true;
    }
    const int families[] = { family == IP_V6 ? AF_INET6 : AF_INET, AF_INET6 };
    int status = 0;
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        struct addrinfo hints = { .ai_family = families[i], .ai_socktype = SOCK_STREAM }, *found = NULL;
        char text[NI_MAXHOST];
        status = getaddrinfo(name, NULL, &hints, &found);
        bool ok = status == 0 &&
                  getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 &&
                  ip_parse(text, ip);
        if (status == 0) {
            freeaddrinfo(found);
        }
        if (ok) {
            return true;
        }
    }
    err_set(err, ERR_INPUT, "InvalidParameterValue", "no address of `%s` is known here: %s", name,
            gai_strerror(status));
    return err_hint(err, "an address, the name of an instance (/etc/hosts has them) or a domain name");
}

bool
load_inside_send(const char *name, int family, struct load_options *options, struct load_result *result,
                 struct err *err)
{
    if (!look_up(name, family, &options->to, err)) {
        return false;
    }
    bool udp = options->protocol == PROTOCOL_UDP;
    int fd =
        socket(options->to.family == IP_V6 ? AF_INET6 : AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot open a socket: %s", strerror(errno));
    }
    struct sigaction old = catch_interrupt(SIGINT);
    options->stop = &stopped;
    options->ask = true;
    bool ok = load_run(fd, -1, options, result, err);
    sigaction(SIGINT, &old, NULL);
    close(fd);
    return ok ||
           err_hint(err, "`load --receive %d` there counts; outside `reach` says whether it may arrive", options->port);
}

/* ---- receiving ----------------------------------------------------------------------------------------------------
 */
static int
open_receiver(int type, int port, struct err *err)
{
    const struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int on = 1, off = 0, fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool both = fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0;
    if (fd < 0) { /* a kernel without IPv6 */
        fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    ok = ok && (both ? bind(fd, (const struct sockaddr *)&six, sizeof six)
                     : bind(fd, (const struct sockaddr *)&four, sizeof four)) == 0;
    ok = ok && (type != SOCK_STREAM || listen(fd, 128) == 0);
    if (!ok) {
        err_set(err, errno == EADDRINUSE ? ERR_INPUT : ERR_MACHINE, errno == EADDRINUSE ? "IncorrectState" : "",
                "cannot receive at port %d: %s", port, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

static void
run_text(const json_t *run, struct buf *text)
{
    buf_printf(text, "%s port %lld  %s  %.2f s  ", json_str(run, "Source"), json_int(run, "SourcePort", 0),
               json_str(run, "Protocol"), json_real_value(json_object_get(run, "Seconds")));
    load_amount_text(text, json_object_get(run, "Received"));
    buf_str_add(text, ", ");
    load_scaled_text(text, (double)json_int(run, "BitsPerSecond", 0), 1000, "bit/s");
    if (strcmp(json_str(run, "Protocol"), "udp") == 0) {
        buf_printf(text, ", %lld out of order, %lld twice", json_int(run, "OutOfOrder", 0),
                   json_int(run, "Duplicates", 0));
    }
    buf_char(text, '\n');
}

/* Shown as it ends; kept for an answer of another form. */
static void
take_run(void *context, const struct ip *from, int port, int protocol, const struct load_result *result)
{
    struct op_call *call = context;
    const struct progress *progress = call->progress;
    json_t *run = json_pack("{s:s, s:i, s:s, s:f}", "Source", ip_str(from), "SourcePort", port, "Protocol",
                            protocol_name(protocol), "Seconds", result->seconds);
    json_object_set_new(
        run, "BitsPerSecond",
        json_integer(result->seconds > 0 ? (json_int_t)((double)result->received_bytes * 8 / result->seconds) : 0));
    json_object_set_new(run, "Received", load_amount_json(result->received_bytes, result->received_packets));
    if (protocol == PROTOCOL_UDP) {
        json_object_set_new(run, "OutOfOrder", json_integer((json_int_t)result->out_of_order));
        json_object_set_new(run, "Duplicates", json_integer((json_int_t)result->duplicates));
    }
    if (!progress || !progress->write || progress->formatted) {
        json_array_append_new(json_object_get(call->out, "Runs"), run);
        return;
    }
    struct buf text = { 0 };
    run_text(run, &text);
    progress->write(progress->context, buf_str(&text));
    buf_done(&text);
    json_decref(run);
}

bool
load_inside_receive(struct op_call *call, int port, struct err *err)
{
    int tcp = open_receiver(SOCK_STREAM, port, err);
    int udp = tcp >= 0 ? open_receiver(SOCK_DGRAM, port, err) : -1;
    json_object_set_new(call->out, "Port", json_integer(port));
    json_object_set_new(call->out, "Runs", json_array());
    const struct progress *progress = call->progress;
    if (udp >= 0 && progress && progress->write && !progress->formatted) {
        char text[80];
        snprintf(text, sizeof text, "receiving at port %d, tcp and udp; ^C ends it\n", port);
        progress->write(progress->context, text);
    }
    struct sigaction old_int = catch_interrupt(SIGINT), old_term = catch_interrupt(SIGTERM);
    bool ok = udp >= 0 && load_receive(tcp, udp, arg_int(call->in, "Seconds", 0) * 1000, &stopped, take_run, call, err);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    if (tcp >= 0) {
        close(tcp);
    }
    if (udp >= 0) {
        close(udp);
    }
    return ok;
}

void
load_inside_receive_text(const json_t *out, struct buf *text)
{
    const json_t *run;
    size_t i;
    json_array_foreach(json_object_get(out, "Runs"), i, run)
    {
        run_text(run, text);
    }
}

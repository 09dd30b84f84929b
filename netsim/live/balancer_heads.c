#include "netsim/live/balancer_heads.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/vec.h"

static bool
is_one_of(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Between two neighbours only: these, and what a Connection field names. */
static bool
is_hop_field(const struct http_head *head, const char *name)
{
    static const char *const names[] = { "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade" };
    static const char *const framing[] = { "Content-Length", "Transfer-Encoding", "Host" };
    bool named = false;
    for (size_t i = 0; i < head->n_fields && !named; i++) {
        named = strcasecmp(head->fields[i].name, "Connection") == 0 && http_field_names(head->fields[i].value, name);
    }
    return is_one_of(name, names, ARRAY_SIZE(names)) || (named && !is_one_of(name, framing, ARRAY_SIZE(framing)));
}

static bool
is_plain_name(const char *name)
{
    while (isalnum((unsigned char)*name) || *name == '-') {
        name++;
    }
    return !*name;
}

bool
balancer_asks_upgrade(const struct http_head *head)
{
    return head->minor > 0 && http_field(head, "Upgrade") &&
           http_field_names(http_field(head, "Connection"), "upgrade");
}

static void
write_forwarded_for(struct buf *out, const struct http_head *head, const struct balancer_told *told)
{
    bool six = strchr(told->client, ':') != NULL, any = false;
    if (told->xff == XFF_REMOVE) {
        return;
    }
    for (size_t i = 0; i < head->n_fields; i++) {
        if (strcasecmp(head->fields[i].name, "X-Forwarded-For") == 0) {
            buf_printf(out, "%s%s", any ? ", " : "X-Forwarded-For: ", head->fields[i].value);
            any = true;
        }
    }
    if (told->xff == XFF_APPEND) {
        buf_str_add(out, any ? ", " : "X-Forwarded-For: ");
        buf_printf(out, told->shows_port && six ? "[%s]" : "%s", told->client);
        if (told->shows_port) {
            buf_printf(out, ":%d", told->client_port);
        }
        any = true;
    }
    buf_str_add(out, any ? "\r\n" : "");
}

void
balancer_make_trace(int64_t now_ms, size_t turn, char trace[static BALANCER_TRACE_SIZE])
{
    unsigned char bytes[12] = { 0 };
    size_t n = (size_t)snprintf(trace, BALANCER_TRACE_SIZE, "1-%08x-", (unsigned)(now_ms / 1000));
    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) < 0) {
        memcpy(bytes, &turn, sizeof turn); /* one after the other at least */
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        n += (size_t)snprintf(trace + n, BALANCER_TRACE_SIZE - n, "%02x", bytes[i]);
    }
}

/* A trace that goes on keeps its root; one's own part stands before it. */
static void
write_trace(struct buf *out, const struct http_head *head, const char *trace)
{
    const char *before = http_field(head, "X-Amzn-Trace-Id");
    if (trace && before && strcasestr(before, "Root=")) {
        buf_printf(out, "X-Amzn-Trace-Id: Self=%s;%s\r\n", trace, before);
    } else if (trace) {
        buf_printf(out, "X-Amzn-Trace-Id: Root=%s\r\n", trace);
    }
}

void
balancer_write_request(struct buf *out, const struct http_head *head, const struct balancer_told *told)
{
    static const char *const own[] = { "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "Expect" };
    static const char *const tls[] = { "X-Amzn-Tls-Version", "X-Amzn-Tls-Cipher-Suite" };
    bool upgrades = balancer_asks_upgrade(head);
    buf_printf(out, "%s %s HTTP/1.1\r\n", head->method, head->target);
    if (!http_field(head, "Host")) {
        buf_printf(out, "Host: %s\r\n", told->host);
    }
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct http_field *f = &head->fields[i];
        bool traced = told->trace && strcasecmp(f->name, "X-Amzn-Trace-Id") == 0;
        if (!is_hop_field(head, f->name) && !is_one_of(f->name, own, ARRAY_SIZE(own)) && !traced &&
            !(told->tls_version && is_one_of(f->name, tls, ARRAY_SIZE(tls))) &&
            !(told->mutual && strncasecmp(f->name, "X-Amzn-Mtls-", 12) == 0) &&
            !(told->drops_invalid && !is_plain_name(f->name))) {
            buf_printf(out, "%s: %s\r\n", f->name, f->value);
        }
    }
    write_forwarded_for(out, head, told);
    buf_printf(out, "X-Forwarded-Proto: %s\r\nX-Forwarded-Port: %d\r\n", told->secure ? "https" : "http", told->port);
    write_trace(out, head, told->trace);
    if (told->tls_version && told->secure) {
        buf_printf(out, "X-Amzn-Tls-Version: %s\r\nX-Amzn-Tls-Cipher-Suite: %s\r\n", told->tls_version,
                   told->tls_cipher);
    }
    buf_str_add(out, told->mutual ? told->mutual : "");
    if (upgrades) {
        buf_printf(out, "Connection: Upgrade\r\nUpgrade: %s\r\n\r\n", http_field(head, "Upgrade"));
    } else {
        buf_str_add(out, "Connection: close\r\n\r\n");
    }
}

void
balancer_write_answer(struct buf *out, const struct http_head *head, const char *more, bool keeps, bool plain)
{
    const char *upgrade = head->status == 101 ? http_field(head, "Upgrade") : NULL;
    buf_printf(out, "HTTP/1.1 %d %s\r\n", head->status, head->reason);
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct http_field *f = &head->fields[i];
        if (!is_hop_field(head, f->name) && !(plain && strcasecmp(f->name, "Transfer-Encoding") == 0)) {
            buf_printf(out, "%s: %s\r\n", f->name, f->value);
        }
    }
    buf_str_add(out, more ? more : "");
    if (upgrade) {
        buf_printf(out, "Connection: Upgrade\r\nUpgrade: %s\r\n", upgrade);
    } else if (head->status >= 200) {
        buf_printf(out, "Connection: %s\r\n", keeps ? "keep-alive" : "close");
    }
    buf_str_add(out, "\r\n");
}

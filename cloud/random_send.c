/* cloud/random_send.c - the kernel's half of `verify --random`: the lab is built, asked and taken down. */
#include <time.h>

#include "cloud/random_verify.h"

#define PROBE_MS   500
#define REQUEST_MS 20000 /* all of them: they take some milliseconds, on a busy machine a retransmission or two */

/* ---- what the lab's services ask for: nobody has a role or a name here --------------------------------------------
 */
static const struct network *
own_network(void *context)
{
    return context;
}

static const char *
no_role(void *context, const struct instance *instance)
{
    (void)context;
    (void)instance;
    return NULL;
}

static json_t *
no_credentials(void *context, const struct instance *instance)
{
    (void)context;
    (void)instance;
    return NULL;
}

static int64_t
now_ms(void *context)
{
    (void)context;
    return (int64_t)time(NULL) * 1000;
}

static void
no_identity(void *context, const struct instance *instance, struct live_identity *identity)
{
    (void)context;
    (void)instance;
    (void)identity;
}

static void
no_s3(void *context, const char *endpoint_id, struct http_exchange *exchange)
{
    (void)context;
    (void)endpoint_id;
    (void)exchange;
}

struct sending {
    struct live *live;
    int timeout_ms;
};

static bool
send_requests(void *context, const live_server_vec *servers, live_request_vec *requests, struct err *err)
{
    const struct sending *sending = context;
    return live_request(sending->live, servers->items, servers->n, requests->items, requests->n, sending->timeout_ms,
                        err);
}

static bool
serve_and_send(struct live *live, const struct network *net, struct random_live *beside, struct err *err)
{
    struct sending sending = { live, beside->requests_ms ? beside->requests_ms : REQUEST_MS };
    const struct live_hooks hooks = { .context = (void *)net,
                                      .network = own_network,
                                      .role = no_role,
                                      .credentials = no_credentials,
                                      .now_ms = now_ms,
                                      .identity = no_identity,
                                      .s3 = no_s3 };
    return live_serve(live, &hooks, err) && http_questions_send(&beside->requests, send_requests, &sending, err);
}

bool
random_send_live(void *context, const struct network *net, struct live_probe *probes, size_t n, struct err *err)
{
    struct random_live *beside = context;
    struct live *live = live_start(net, NULL, err);
    bool ok = live && (n == 0 || live_probe(live, probes, n, PROBE_MS, err));
    if (ok && beside && beside->followed.n) {
        struct random_followed *followed = &beside->followed;
        followed->ways = json_array();
        ok = live_trace(live, net, followed->probes, followed->n, PROBE_MS, followed->ways, err);
    }
    if (ok && beside && beside->requests.sent.n) {
        ok = serve_and_send(live, net, beside, err);
    }
    if (live) {
        live_stop(live);
    }
    return ok;
}

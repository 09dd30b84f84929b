#include "cloud/live_remarks.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/model/certificate.h"
#include "netsim/model/classic_policy.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/private_service.h"
#include "netsim/model/trust_store.h"

static bool
same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static void
add(json_t *list, char *id, const char *what)
{
    json_array_append_new(list, json_pack("{s:s, s:s}", "Id", id, "What", what));
    free(id);
}

/* ---- listeners ----------------------------------------------------------------------------------------------------
 */
static bool
authenticates(const struct lb_action *actions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (actions[i].type && strncmp(actions[i].type, "authenticate-", 13) == 0) {
            return true;
        }
    }
    return false;
}

static const char stand_in[] = "its certificate is not in the lab: one of the lab's own authority is shown";

static void
add_listener(json_t *list, const struct network *net, const struct load_balancer *lb, const struct lb_listener *l)
{
    bool asks = authenticates(l->actions.items, l->actions.n);
    for (size_t i = 0; i < l->rules.n; i++) {
        asks = asks || authenticates(l->rules.items[i].actions.items, l->rules.items[i].actions.n);
    }
    const char *arn = json_str(json_array_get(l->certificates, 0), "CertificateArn");
    if (listener_has_tls(l) && !network_certificate(net, arn)) {
        add(list, xasprintf("%s:%d", lb->name, l->port), stand_in);
    }
    const struct trust_store *store = network_trust_store(net, json_str(l->mutual, "TrustStoreArn"));
    if (listener_mutual_mode(l) == MUTUAL_VERIFY && !(store && store->pem)) {
        add(list, xasprintf("%s:%d", lb->name, l->port),
            "the bundle of its trust store is not in the lab: no client is let in");
    }
    if (asks) {
        add(list, xasprintf("%s:%d", lb->name, l->port), "nobody is authenticated: requests go on without it");
    }
}

/* ---- target groups ------------------------------------------------------------------------------------------------
 */
static const struct {
    const char *key, *usual, *what; /* any other value is said */
} attributes[] = {
    { "slow_start.duration_seconds", "0", "new targets have their whole share at once" },
    { "load_balancing.algorithm.type", "round_robin", "targets have their turns, whatever the algorithm" },
};

static void
add_group(json_t *list, const struct target_group *group)
{
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        const char *value = target_group_attribute(group, attributes[i].key);
        if (value && strcmp(value, attributes[i].usual) != 0) {
            add(list, xstrdup(group->name), attributes[i].what);
        }
    }
    if (group->protocol_version && strcmp(group->protocol_version, "HTTP1") != 0) {
        add(list, xstrdup(group->name), "targets are spoken to by HTTP/1.1");
    }
    if (same(group->target_type, "lambda")) {
        add(list, xstrdup(group->name), "functions are not in the lab: requests are answered 503");
    }
}

/* Of a service of somebody's own whose balancer nobody put into the lab. */
static void
add_endpoint(json_t *list, const struct network *net, const struct endpoint *e)
{
    const struct private_service *service = network_private_service(net, e->service_name);
    bool offered = e->service_name && strstr(e->service_name, ".vpce-svc-");
    if (offered && endpoint_is_interface(e) && !(service && private_service_has_balancer(net, service))) {
        add(list, xstrdup(e->obj.id), "the balancer of its service is not in the lab: pages of the lab's own answer");
    }
}

json_t *
live_remarks(const struct network *net)
{
    const struct store *store = network_store(net);
    json_t *list = json_array();
    for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
        for (size_t i = 0; i < lb->listeners.n; i++) {
            add_listener(list, net, lb, &lb->listeners.items[i]);
        }
    }
    for (const struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
        add_endpoint(list, net, e);
    }
    for (const struct target_group *g = store_first(store, &target_group_kind); g; g = store_next(store, g)) {
        if (g->balancer_arns.n) {
            add_group(list, g);
        }
    }
    for (const struct classic_balancer *lb = store_first(store, &classic_balancer_kind); lb;
         lb = store_next(store, lb)) {
        for (size_t i = 0; i < lb->listeners.n; i++) {
            const struct classic_listener *l = &lb->listeners.items[i];
            if (classic_listener_has_tls(l) && !network_certificate(net, l->certificate_id)) {
                add(list, xasprintf("%s:%d", lb->obj.id, l->port), stand_in);
            }
        }
        for (size_t n = 0; classic_unknown_policy(lb, n); n++) {
            add(list, xasprintf("%s policy %s", lb->obj.id, classic_unknown_policy(lb, n)),
                "what it says is not in the import: no PROXY header is put before the bytes");
        }
    }
    return list;
}

/* netsim/model/random_sessions.c - what an application balancer of a random network gives its clients: certificates of
 * HTTPS, and cookies that keep them with a target or a target group. */
#include <stdio.h>
#include <string.h>

#include "netsim/model/certificate.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/random_net.h"

#define CERTIFICATES_MOST 4

/* For names that requests ask for, by a wildcard too; a new one or one of those there are. */
static const char *
certificate(struct random_net *r)
{
    static const char *const names[][2] = { { "www.example.com", NULL },
                                            { "*.example.com", NULL },
                                            { "Shop.example.com", "example.com" },
                                            { "web-1.example.com", "*.other.example" },
                                            { "lab.example", NULL } };
    struct store *store = network_store(r->net);
    size_t n = store_count(store, &certificate_kind);
    if (n >= CERTIFICATES_MOST || (n && chance(r, 50))) {
        const struct certificate *c = store_first(store, &certificate_kind);
        for (int skip = lot(r, (int)n); skip > 0; skip--) {
            c = store_next(store, c);
        }
        return c->arn;
    }
    struct certificate *c = certificate_add(r->net);
    const char *const *own = names[lot(r, ARRAY_SIZE(names))];
    c->domain = xstrdup(own[0]);
    c->status = xstrdup("ISSUED");
    c->type = xstrdup("AMAZON_ISSUED");
    c->key_algorithm = xstrdup("EC-prime256v1");
    for (size_t i = 0; i < 2 && own[i]; i++) {
        *VEC_ADD(&c->names) = xstrdup(own[i]);
    }
    return c->arn;
}

void
random_net_secure(struct random_net *r, json_t *listener)
{
    static const char *const policies[] = { "ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-2-2021-06",
                                            "ELBSecurityPolicy-TLS13-1-3-2021-06", "ELBSecurityPolicy-FS-1-2-2019-08" };
    json_object_set_new(listener, "Protocol", json_string("HTTPS"));
    json_object_set_new(listener, "Certificates", json_pack("[{s:s}]", "CertificateArn", certificate(r)));
    if (chance(r, 60)) {
        json_object_set_new(listener, "SslPolicy", json_string(policies[lot(r, ARRAY_SIZE(policies))]));
    }
}

void
random_net_add_certificates(struct random_net *r, struct lb_listener *listener)
{
    for (int i = lot(r, 3); i > 0; i--) {
        struct err refused = { 0 };
        json_t *list = json_pack("[{s:s}]", "CertificateArn", certificate(r));
        listener_add_certificates(r->net, listener, list, &refused);
        json_decref(list);
    }
}

/* The servers of `verify` set a cookie SESSION; an application that never sets its cookie keeps nobody. */
void
random_net_stick(struct random_net *r, struct target_group *group)
{
    struct err err = { 0 };
    bool by_app = chance(r, 50);
    const char *values[][2] = {
        { "stickiness.type", by_app ? "app_cookie" : "lb_cookie" },
        { "stickiness.app_cookie.cookie_name", chance(r, 75) ? "SESSION" : "OTHER" },
        { by_app ? "stickiness.app_cookie.duration_seconds" : "stickiness.lb_cookie.duration_seconds",
          chance(r, 50) ? "600" : "86400" },
        { "stickiness.enabled", "true" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(values) && !err.kind; i++) {
        if (by_app || i != 1) {
            target_group_set_attribute(r->net, group, values[i][0], values[i][1], &err);
        }
    }
}

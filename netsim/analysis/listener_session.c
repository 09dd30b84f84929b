#include "netsim/analysis/listener_session.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"

/* ---- TLS ------------------------------------------------------------------------------------------------------------
 */
/* `*.` stands for one label. */
static bool
name_fits(const char *name, const char *host)
{
    const char *rest = strchr(host, '.');
    if (strncmp(name, "*.", 2) == 0) {
        return rest && rest != host && strcasecmp(rest, name + 1) == 0;
    }
    return strcasecmp(name, host) == 0;
}

static bool
certificate_fits_host(const struct certificate *c, const char *host)
{
    bool fits = c->domain && name_fits(c->domain, host);
    for (size_t i = 0; i < c->names.n && !fits; i++) {
        fits = name_fits(c->names.items[i], host);
    }
    return fits;
}

static size_t
count_fitting(const struct network *net, const json_t *list, const char *host)
{
    size_t i, n = 0;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        const struct certificate *c = network_certificate(net, json_str(item, "CertificateArn"));
        n += c && certificate_fits_host(c, host);
    }
    return n;
}

static bool
lists(const json_t *list, const struct certificate *c)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *arn = json_str(item, "CertificateArn");
        if (arn && strcmp(arn, c->arn) == 0) {
            return true;
        }
    }
    return false;
}

bool
listener_may_show(const struct network *net, const struct lb_listener *listener, const char *host,
                  const struct certificate *certificate)
{
    bool is_default = lists(listener->certificates, certificate);
    size_t n =
        *host ? count_fitting(net, listener->certificates, host) + count_fitting(net, listener->more_certificates, host)
              : 0;
    return n == 0 ? is_default
                  : (is_default || lists(listener->more_certificates, certificate)) &&
                        certificate_fits_host(certificate, host);
}

int
listener_tls_version(const struct lb_listener *listener)
{
    const struct ssl_policy *policy = ssl_policy_find(listener->ssl_policy ? listener->ssl_policy : SSL_POLICY_DEFAULT);
    return policy ? policy->to : 2;
}

/* ---- cookies --------------------------------------------------------------------------------------------------------
 */
static bool
attribute_is(const struct target_group *group, const char *key, const char *wanted)
{
    const char *value = target_group_attribute(group, key);
    return value && strcmp(value, wanted) == 0;
}

bool
listener_keeps_group(const struct lb_action *action)
{
    return json_flag(action->stickiness, "Enabled", false);
}

unsigned
listener_cookies(const struct lb_action *action, const struct target_group *group, const char *app)
{
    bool on = attribute_is(group, "stickiness.enabled", "true"),
         by_app = attribute_is(group, "stickiness.type", "app_cookie");
    unsigned flags = listener_keeps_group(action) ? LISTENER_COOKIE_GROUP : 0;
    if (on && !by_app) {
        flags |= LISTENER_COOKIE_TARGET;
    }
    if (on && by_app && attribute_is(group, "stickiness.app_cookie.cookie_name", app)) {
        flags |= LISTENER_COOKIE_APP;
    }
    return flags;
}

unsigned
listener_cookies_read(const char *text, bool *strange)
{
    static const struct {
        const char *name;
        unsigned flag;
    } rows[] = { { "AWSALB=", LISTENER_COOKIE_TARGET },
                 { "AWSALBCORS=", LISTENER_COOKIE_TARGET << 8 },
                 { "AWSALBAPP-0=", LISTENER_COOKIE_APP },
                 { "AWSALBTG=", LISTENER_COOKIE_GROUP },
                 { "AWSALBTGCORS=", LISTENER_COOKIE_GROUP << 8 } };
    unsigned flags = 0;
    for (const char *p = text ? text : ""; *p; p += strcspn(p, ";"), p += strspn(p, "; ")) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            flags |= strncmp(p, rows[i].name, strlen(rows[i].name)) == 0 ? rows[i].flag : 0;
        }
    }
    *strange = (flags & (LISTENER_COOKIE_TARGET | LISTENER_COOKIE_GROUP)) != flags >> 8;
    return flags & 0xff;
}

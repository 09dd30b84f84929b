/* Certificates, security policies and ALPN of listeners that end TLS.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html,
 * .../API_AddListenerCertificates.html */
#include "netsim/model/balancer_parts.h"
#include "netsim/model/certificate.h"

#define MORE_CERTIFICATES_MAX 25 /* AWS's quota, the default one not counted */

bool
listener_has_tls(const struct lb_listener *listener)
{
    return str_is(listener->protocol, "HTTPS") || str_is(listener->protocol, "TLS");
}

static bool
policy_check(const struct lb_listener *listener, struct err *err)
{
    static const char *const alpn[] = { "None", "HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred" };
    const char *wanted = json_string_value(json_array_get(listener->alpn, 0));
    bool known = false;
    if (listener->ssl_policy && !ssl_policy_find(listener->ssl_policy)) {
        err_set(err, ERR_INPUT, "SSLPolicyNotFound", "the SSL policy `%.80s` does not exist", listener->ssl_policy);
        return err_hint(err, "such as ELBSecurityPolicy-TLS13-1-2-2021-06");
    }
    for (size_t i = 0; i < ARRAY_SIZE(alpn); i++) {
        known = known || str_is(alpn[i], wanted);
    }
    if (wanted && (!known || !str_is(listener->protocol, "TLS"))) {
        return err_set(err, ERR_INPUT, "ALPNPolicyNotSupported", "a listener of %s has no ALPN policy `%.40s`",
                       listener->protocol, wanted);
    }
    return true;
}

bool
listener_tls_check(const struct network *net, struct lb_listener *listener, bool given, struct err *err)
{
    size_t n = json_array_size(listener->certificates);
    if (!listener_mutual_check(net, listener, err)) {
        return false;
    }
    if (!listener_has_tls(listener)) {
        bool plain = n == 0 && !listener->ssl_policy && json_array_size(listener->alpn) == 0;
        return plain || err_set(err, ERR_INPUT, "ValidationError",
                                "a listener of %s ends no TLS: it has no certificates, SSL policy or ALPN policy",
                                listener->protocol ? listener->protocol : "");
    }
    if (n == 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "a certificate must be specified for %s listeners",
                       listener->protocol);
    }
    if (given && n > 1) {
        err_set(err, ERR_INPUT, "TooManyCertificates", "a listener has one default certificate, not %zu", n);
        return err_hint(err, "`elbv2 add-listener-certificates` adds those for other names");
    }
    if (!policy_check(listener, err)) {
        return false;
    }
    if (!listener->ssl_policy) {
        listener->ssl_policy = xstrdup(SSL_POLICY_DEFAULT);
    }
    return !given || certificate_check(net, json_str(json_array_get(listener->certificates, 0), "CertificateArn"), err);
}

/* ---- beside the default one ----------------------------------------------------------------------------------------
 */

static bool
tls_only(const struct lb_listener *listener, struct err *err)
{
    return listener_has_tls(listener) ||
           err_set(err, ERR_INPUT, "ValidationError", "a listener of %s has no certificates",
                   listener->protocol ? listener->protocol : "");
}

static bool
place_of(const json_t *list, const char *arn, size_t *at)
{
    for (*at = 0; *at < json_array_size(list); ++*at) {
        if (str_is(json_str(json_array_get(list, *at), "CertificateArn"), arn)) {
            return true;
        }
    }
    return false;
}

bool
listener_add_certificates(struct network *net, struct lb_listener *listener, const json_t *certificates,
                          struct err *err)
{
    size_t at, fresh = 0;
    if (!tls_only(listener, err)) {
        return false;
    }
    if (json_array_size(certificates) == 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "a certificate must be specified");
    }
    for (size_t i = 0; i < json_array_size(certificates); i++) {
        const char *arn = json_str(json_array_get(certificates, i), "CertificateArn");
        if (!certificate_check(net, arn, err)) {
            return false;
        }
        fresh += !place_of(listener->more_certificates, arn, &at);
    }
    if (json_array_size(listener->more_certificates) + fresh > MORE_CERTIFICATES_MAX) {
        return err_set(err, ERR_INPUT, "TooManyCertificates",
                       "a listener has at most %d certificates beside the default one", MORE_CERTIFICATES_MAX);
    }
    if (!listener->more_certificates) {
        listener->more_certificates = json_array();
    }
    for (size_t i = 0; i < json_array_size(certificates); i++) {
        const char *arn = json_str(json_array_get(certificates, i), "CertificateArn");
        if (!place_of(listener->more_certificates, arn, &at)) {
            json_array_append_new(listener->more_certificates, json_pack("{s:s}", "CertificateArn", arn));
        }
    }
    network_touch(net);
    return true;
}

bool
listener_drop_certificates(struct network *net, struct lb_listener *listener, const json_t *certificates,
                           struct err *err)
{
    size_t at;
    if (!tls_only(listener, err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(certificates); i++) {
        const char *arn = json_str(json_array_get(certificates, i), "CertificateArn");
        if (!place_of(listener->more_certificates, arn, &at) && place_of(listener->certificates, arn, &at)) {
            err_set(err, ERR_INPUT, "OperationNotPermitted", "`%.160s` is the listener's default certificate", arn);
            return err_hint(err, "`elbv2 modify-listener --certificates` gives it another");
        }
    }
    for (size_t i = 0; i < json_array_size(certificates); i++) {
        const char *arn = json_str(json_array_get(certificates, i), "CertificateArn");
        if (place_of(listener->more_certificates, arn, &at)) {
            json_array_remove(listener->more_certificates, at);
        }
    }
    network_touch(net);
    return true;
}

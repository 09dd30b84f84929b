#include "netsim/model/certificate.h"

#include "netsim/model/classic_balancer.h"
#include "netsim/model/internal.h"

#define AUTHORITY_ID "authority"

static const struct field certificate_fields[] = {
    FIELD(struct certificate, "CertificateArn", FIELD_STRING, arn, 0),
    FIELD(struct certificate, "DomainName", FIELD_STRING, domain, 0),
    FIELD(struct certificate, "SubjectAlternativeNames", FIELD_STRINGS, names, FIELD_ALWAYS),
    FIELD(struct certificate, "Serial", FIELD_STRING, serial, 0),
    FIELD(struct certificate, "Subject", FIELD_STRING, subject, 0),
    FIELD(struct certificate, "Issuer", FIELD_STRING, issuer, 0),
    FIELD(struct certificate, "CreatedAt", FIELD_TIME, created, 0),
    FIELD(struct certificate, "IssuedAt", FIELD_TIME, issued, 0),
    FIELD(struct certificate, "ImportedAt", FIELD_TIME, imported, 0),
    FIELD(struct certificate, "Status", FIELD_STRING, status, 0),
    FIELD(struct certificate, "NotBefore", FIELD_TIME, not_before, 0),
    FIELD(struct certificate, "NotAfter", FIELD_TIME, not_after, 0),
    FIELD(struct certificate, "KeyAlgorithm", FIELD_STRING, key_algorithm, 0),
    FIELD(struct certificate, "SignatureAlgorithm", FIELD_STRING, signature_algorithm, 0),
    FIELD(struct certificate, "Type", FIELD_STRING, type, 0),
    FIELD(struct certificate, "ValidationMethod", FIELD_STRING, validation, FIELD_STATE_ONLY),
    FIELD(struct certificate, "Pem", FIELD_STRING, pem, FIELD_STATE_ONLY),
    FIELD(struct certificate, "Chain", FIELD_STRING, chain, FIELD_STATE_ONLY),
    FIELD(struct certificate, "Key", FIELD_STRING, key, FIELD_STATE_ONLY),
    FIELD_LIST(struct certificate, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
const struct kind certificate_kind = {
    .name = "certificate",
    .prefix = "",
    .arn_type = "certificate/",
    .list = "AcmCertificates", /* "Certificates" are those of listeners */
    .id_member = "CertificateArn",
    .not_found = "ResourceNotFoundException",
    .size = sizeof(struct certificate),
    .fields = certificate_fields,
};

static const struct field authority_fields[] = {
    FIELD(struct authority, "AuthorityId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct authority, "Pem", FIELD_STRING, pem, FIELD_STATE_ONLY),
    FIELD(struct authority, "Key", FIELD_STRING, key, FIELD_STATE_ONLY),
    FIELD_END,
};
const struct kind authority_kind = {
    .name = "certificate-authority",
    .prefix = "",
    .list = "LabAuthorities",
    .id_member = "AuthorityId",
    .not_found = "ResourceNotFoundException",
    .size = sizeof(struct authority),
    .fields = authority_fields,
};

struct certificate *
network_certificate(const struct network *net, const char *arn)
{
    for (struct certificate *c = store_first(net->store, &certificate_kind); c; c = store_next(net->store, c)) {
        if (str_is(c->arn, arn)) {
            return c;
        }
    }
    return NULL;
}

struct certificate *
certificate_add(struct network *net)
{
    char uuid[37];
    id_new_uuid(net->ids, uuid);
    struct certificate *certificate = network_add(net, &certificate_kind, uuid);
    certificate->arn = xasprintf("arn:aws:acm:%s:%s:certificate/%s", net->region, net->account, uuid);
    return certificate;
}

void
certificate_delete(struct network *net, struct certificate *certificate)
{
    network_remove(net, certificate);
}

void
certificate_changed(struct network *net)
{
    network_touch(net);
}

bool
certificate_check(const struct network *net, const char *arn, struct err *err)
{
    if (network_certificate(net, arn)) {
        return true;
    }
    err_set(err, ERR_INPUT, "CertificateNotFound", "the certificate `%.160s` does not exist", arn ? arn : "");
    return err_hint(err, "`acm list-certificates` shows those there are, `acm request-certificate` and "
                         "`acm import-certificate` make one");
}

/* ---- who uses it ---------------------------------------------------------------------------------------------------
 */

static bool
listener_names(const struct lb_listener *listener, const char *arn)
{
    const json_t *const lists[] = { listener->certificates, listener->more_certificates };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        for (size_t j = 0; j < json_array_size(lists[i]); j++) {
            if (str_is(json_str(json_array_get(lists[i], j), "CertificateArn"), arn)) {
                return true;
            }
        }
    }
    return false;
}

json_t *
certificate_users(const struct network *net, const struct certificate *certificate)
{
    json_t *list = json_array();
    for (const struct load_balancer *lb = store_first(net->store, &load_balancer_kind); lb;
         lb = store_next(net->store, lb)) {
        bool used = false;
        for (size_t i = 0; i < lb->listeners.n && !used; i++) {
            used = listener_names(&lb->listeners.items[i], certificate->arn);
        }
        if (used) {
            json_array_append_new(list, json_string(lb->arn));
        }
    }
    for (const struct classic_balancer *lb = store_first(net->store, &classic_balancer_kind); lb;
         lb = store_next(net->store, lb)) {
        bool used = false;
        for (size_t i = 0; i < lb->listeners.n && !used; i++) {
            used = str_is(lb->listeners.items[i].certificate_id, certificate->arn);
        }
        if (used) {
            json_array_append_new(list, json_sprintf("arn:aws:elasticloadbalancing:%s:%s:loadbalancer/%s",
                                                     lb->obj.region, lb->obj.account, classic_balancer_name(lb)));
        }
    }
    return list;
}

/* ---- the authority --------------------------------------------------------------------------------------------------
 */

struct authority *
network_authority(const struct network *net)
{
    return store_get(net->store, &authority_kind, AUTHORITY_ID);
}

struct authority *
network_set_authority(struct network *net, const char *pem, const char *key)
{
    struct authority *authority = network_add(net, &authority_kind, AUTHORITY_ID);
    authority->pem = xstrdup(pem);
    authority->key = xstrdup(key);
    return authority;
}

/* ---- security policies ----------------------------------------------------------------------------------------------
 * Versions only: which ciphers a policy has beside them is the library's choice here.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html,
 * .../classic/elb-security-policy-table.html */
const struct ssl_policy *
ssl_policy_find(const char *name)
{
    static const struct ssl_policy policies[] = {
        { "ELBSecurityPolicy-2016-08", 0, 2 },
        { "ELBSecurityPolicy-2015-05", 0, 2 },
        { "ELBSecurityPolicy-TLS-1-0-2015-04", 0, 2 },
        { "ELBSecurityPolicy-TLS-1-1-2017-01", 1, 2 },
        { "ELBSecurityPolicy-TLS-1-2-2017-01", 2, 2 },
        { "ELBSecurityPolicy-TLS-1-2-Ext-2018-06", 2, 2 },
        { "ELBSecurityPolicy-FS-2018-06", 0, 2 },
        { "ELBSecurityPolicy-FS-1-1-2019-08", 1, 2 },
        { "ELBSecurityPolicy-FS-1-2-2019-08", 2, 2 },
        { "ELBSecurityPolicy-FS-1-2-Res-2019-08", 2, 2 },
        { "ELBSecurityPolicy-FS-1-2-Res-2020-10", 2, 2 },
        { "ELBSecurityPolicy-TLS13-1-0-2021-06", 0, 3 },
        { "ELBSecurityPolicy-TLS13-1-1-2021-06", 1, 3 },
        { "ELBSecurityPolicy-TLS13-1-2-2021-06", 2, 3 },
        { "ELBSecurityPolicy-TLS13-1-2-Res-2021-06", 2, 3 },
        { "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", 2, 3 },
        { "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", 2, 3 },
        { "ELBSecurityPolicy-TLS13-1-3-2021-06", 3, 3 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        if (str_is(policies[i].name, name)) {
            return &policies[i];
        }
    }
    return NULL;
}

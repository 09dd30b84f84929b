#include "netsim/model/trust_store.h"

#include "netsim/model/balancer_parts.h"

static const struct field store_fields[] = {
    FIELD(struct trust_store, "Name", FIELD_STRING, name, 0),
    FIELD(struct trust_store, "TrustStoreArn", FIELD_STRING, arn, 0),
    FIELD(struct trust_store, "Status", FIELD_STRING, status, 0),
    FIELD(struct trust_store, "NumberOfCaCertificates", FIELD_INT, n_certificates, 0),
    FIELD(struct trust_store, "TotalRevokedEntries", FIELD_INT, n_revoked, 0),
    FIELD(struct trust_store, "Bundle", FIELD_STRING, pem, FIELD_STATE_ONLY),
    FIELD_LIST(struct trust_store, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
const struct kind trust_store_kind = {
    .name = "trust-store",
    .prefix = "",
    .arn_type = "truststore/",
    .list = "TrustStores",
    .id_member = "TrustStoreArn",
    .ids_param = "TrustStoreArns",
    .not_found = "TrustStoreNotFound",
    .malformed = "ValidationError",
    .size = sizeof(struct trust_store),
    .fields = store_fields,
};

struct trust_store *
network_trust_store(const struct network *net, const char *arn_or_id)
{
    const char *id = kind_id(&trust_store_kind, arn_or_id);
    return id ? store_get(net->store, &trust_store_kind, id) : NULL;
}

struct trust_store *
trust_store_create(struct network *net, const char *name, const char *pem, int n_certificates, struct err *err)
{
    if (!balancer_name_check("trust store", name, err)) {
        return NULL;
    }
    for (const struct trust_store *s = store_first(net->store, &trust_store_kind); s; s = store_next(net->store, s)) {
        if (str_is(s->name, name) && str_is(s->obj.account, net->account) && str_is(s->obj.region, net->region)) {
            err_set(err, ERR_INPUT, "DuplicateTrustStoreName", "there is a trust store `%s` already", name);
            return NULL;
        }
    }
    char hex[BALANCER_HEX_DIGITS + 1], id[ID_SIZE];
    balancer_hex(net, hex);
    snprintf(id, sizeof id, "%s/%s", name, hex);
    struct trust_store *store = network_add(net, &trust_store_kind, id);
    store->arn = balancer_arn(net, id, "truststore/");
    store->name = xstrdup(name);
    store->status = xstrdup("ACTIVE");
    trust_store_set_bundle(net, store, pem, n_certificates);
    return store;
}

void
trust_store_set_bundle(struct network *net, struct trust_store *store, const char *pem, int n_certificates)
{
    str_set(&store->pem, pem);
    store->n_certificates = n_certificates;
    network_touch(net);
}

json_t *
trust_store_users(const struct network *net, const struct trust_store *store)
{
    json_t *list = json_array();
    for (const struct load_balancer *lb = store_first(net->store, &load_balancer_kind); lb;
         lb = store_next(net->store, lb)) {
        for (size_t i = 0; i < lb->listeners.n; i++) {
            if (str_is(json_str(lb->listeners.items[i].mutual, "TrustStoreArn"), store->arn)) {
                json_array_append_new(list, json_string(lb->listeners.items[i].arn));
            }
        }
    }
    return list;
}

bool
trust_store_delete(struct network *net, struct trust_store *store, struct err *err)
{
    json_t *users = trust_store_users(net, store);
    if (json_array_size(users)) {
        err_set(err, ERR_INPUT, "TrustStoreInUse", "the trust store `%s` is used by the listener `%.120s`", store->name,
                json_string_value(json_array_get(users, 0)));
        err_hint(err, "`elbv2 modify-listener --mutual-authentication Mode=off` first");
    } else {
        network_remove(net, store);
    }
    json_decref(users);
    return !err->kind;
}

/* ---- MutualAuthentication of a listener ---------------------------------------------------------------------------
 */

static const char *const modes[] = {
    [MUTUAL_OFF] = "off", [MUTUAL_PASSTHROUGH] = "passthrough", [MUTUAL_VERIFY] = "verify"
};

enum mutual_mode
listener_mutual_mode(const struct lb_listener *listener)
{
    const char *mode = json_str(listener->mutual, "Mode");
    return str_is(mode, modes[MUTUAL_VERIFY])        ? MUTUAL_VERIFY
           : str_is(mode, modes[MUTUAL_PASSTHROUGH]) ? MUTUAL_PASSTHROUGH
                                                     : MUTUAL_OFF;
}

static bool
mode_check(const struct lb_listener *listener, struct err *err)
{
    const char *mode = json_str(listener->mutual, "Mode");
    bool known = false;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        known = known || str_is(modes[i], mode);
    }
    if (!known) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "the mode of mutual authentication is `off`, `passthrough` or `verify`, not `%.40s`",
                       mode ? mode : "");
    }
    return str_is(listener->protocol, "HTTPS") || str_is(mode, "off") ||
           err_set(err, ERR_INPUT, "ValidationError", "mutual authentication is of listeners of HTTPS, not of %s",
                   listener->protocol ? listener->protocol : "");
}

/* What only `verify` has. */
static bool
verify_check(const struct network *net, const struct lb_listener *listener, struct err *err)
{
    static const char *const members[] = { "TrustStoreArn", "IgnoreClientCertificateExpiry",
                                           "AdvertiseTrustStoreCaNames" };
    const json_t *mutual = listener->mutual;
    bool verifies = listener_mutual_mode(listener) == MUTUAL_VERIFY;
    for (size_t i = 0; !verifies && i < ARRAY_SIZE(members); i++) {
        if (json_object_get(mutual, members[i])) {
            return err_set(err, ERR_INPUT, "ValidationError", "`%s` is of the mode `verify`, not of `%s`", members[i],
                           json_str(mutual, "Mode"));
        }
    }
    const char *arn = json_str(mutual, "TrustStoreArn"), *names = json_str(mutual, "AdvertiseTrustStoreCaNames");
    if (verifies && str_empty(arn)) {
        err_set(err, ERR_INPUT, "ValidationError", "the mode `verify` needs a `TrustStoreArn`");
        return err_hint(err, "`elbv2 create-trust-store` makes one of a bundle in an S3 bucket");
    }
    if (verifies && !network_trust_store(net, arn)) {
        return err_set(err, ERR_INPUT, "TrustStoreNotFound", "the trust store `%.120s` does not exist", arn);
    }
    return !names || str_is(names, "on") || str_is(names, "off") ||
           err_set(err, ERR_INPUT, "ValidationError", "`AdvertiseTrustStoreCaNames` is `on` or `off`, not `%.40s`",
                   names);
}

bool
listener_mutual_check(const struct network *net, struct lb_listener *listener, struct err *err)
{
    if (!listener->mutual) {
        listener->mutual = str_is(listener->protocol, "HTTPS") ? json_pack("{s:s}", "Mode", "off") : NULL;
        return true;
    }
    /* What a listener shows of itself may be said again. */
    json_object_del(listener->mutual, "TrustStoreAssociationStatus");
    if (!mode_check(listener, err) || !verify_check(net, listener, err)) {
        return false;
    }
    if (listener_mutual_mode(listener) == MUTUAL_VERIFY) {
        json_object_update_missing_new(listener->mutual, json_pack("{s:b, s:s}", "IgnoreClientCertificateExpiry", 0,
                                                                   "AdvertiseTrustStoreCaNames", "off"));
        json_object_set_new(listener->mutual, "TrustStoreAssociationStatus", json_string("active"));
    }
    return true;
}

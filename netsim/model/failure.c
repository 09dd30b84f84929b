#include "netsim/model/failure.h"

#include <stdio.h>

#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/internal.h"
#include "netsim/model/vpn.h"

static const struct field failure_fields[] = {
    FIELD(struct failure, "FailureId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct failure, "Type", FIELD_STRING, type, 0),
    FIELD(struct failure, "Target", FIELD_ID, target, 0),
    FIELD(struct failure, "Since", FIELD_TIME, time, 0),
    FIELD_END,
};

const struct kind failure_kind = {
    .name = "failure",
    .prefix = "",
    .list = "Failures",
    .id_member = "FailureId",
    .not_found = "IncorrectState",
    .size = sizeof(struct failure),
    .fields = failure_fields,
};

static void
failure_id(char id[static ID_SIZE], const char *target)
{
    snprintf(id, ID_SIZE, "failed:%.56s", target);
}

static const struct failure *
failure_of(const struct network *net, const char *target)
{
    char id[ID_SIZE];
    if (!target || !store_first(net->store, &failure_kind)) {
        return NULL; /* nearly always */
    }
    failure_id(id, target);
    return store_get(net->store, &failure_kind, id);
}

const struct failure *
subnet_failure(const struct network *net, const struct subnet *subnet)
{
    return subnet ? failure_of(net, subnet->zone) : NULL;
}

const struct failure *
nat_failure(const struct network *net, const struct nat_gateway *nat)
{
    const struct failure *own = failure_of(net, nat->obj.id);
    return own ? own : subnet_failure(net, store_get(net->store, &subnet_kind, nat->subnet_id));
}

const struct failure *
vif_failure(const struct network *net, const struct virtual_interface *vif)
{
    return failure_of(net, vif->obj.id);
}

const struct failure *
eni_failure(const struct network *net, const struct eni *eni)
{
    if (!store_first(net->store, &failure_kind)) {
        return NULL;
    }
    const struct failure *found = subnet_failure(net, store_get(net->store, &subnet_kind, eni->subnet_id));
    if (!found && *eni->attachment.instance_id) {
        found = failure_of(net, eni->attachment.instance_id);
    }
    for (const struct nat_gateway *nat = store_first(net->store, &nat_gateway_kind); nat && !found;
         nat = store_next(net->store, nat)) {
        for (size_t i = 0; i < nat->addresses.n && !found; i++) {
            found = strcmp(nat->addresses.items[i].eni_id, eni->obj.id) == 0 ? failure_of(net, nat->obj.id) : NULL;
        }
    }
    return found;
}

/* ---- operations ---------------------------------------------------------------------------------------------------
 */
static bool
zone_exists(const struct network *net, const char *name, struct err *err)
{
    char zone[24], id[24];
    for (size_t i = 0; network_zone(net, i, zone, id); i++) {
        if (strcmp(zone, name) == 0) {
            return true;
        }
    }
    for (const struct subnet *s = store_first(net->store, &subnet_kind); s; s = store_next(net->store, s)) {
        if (str_is(s->zone, name)) {
            return true; /* of another region */
        }
    }
    err_set(err, ERR_INPUT, "InvalidParameterValue", "there is no zone `%s` in %s", name, net->region);
    return err_hint(err, "`ec2 describe-availability-zones` lists them");
}

static bool
instance_exists(const struct network *net, const char *id, struct err *err)
{
    return network_require(net, &instance_kind, id, err) != NULL;
}

static bool
nat_exists(const struct network *net, const char *id, struct err *err)
{
    return network_require(net, &nat_gateway_kind, id, err) != NULL;
}

static bool
vif_exists(const struct network *net, const char *id, struct err *err)
{
    return network_require(net, &virtual_interface_kind, id, err) != NULL;
}

static const struct {
    const char *type;
    bool (*exists)(const struct network *net, const char *target, struct err *err);
} types[] = {
    { "az", zone_exists },
    { "nat", nat_exists },
    { "instance", instance_exists },
    { "vif", vif_exists },
};

struct failure *
failure_add(struct network *net, const char *type, const char *target, struct err *err)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(types) && strcmp(types[i].type, type) != 0) {
        i++;
    }
    if (i == ARRAY_SIZE(types)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` cannot fail: az, nat, instance or vif can", type);
        return NULL;
    }
    if (!types[i].exists(net, target, err)) {
        return NULL;
    }
    if (failure_of(net, target)) {
        err_set(err, ERR_INPUT, "IncorrectState", "%s `%s` has failed already", type, target);
        err_hint(err, "`restore %s %s`", type, target);
        return NULL;
    }
    char id[ID_SIZE];
    failure_id(id, target);
    struct failure *failure = network_add(net, &failure_kind, id);
    failure->type = xstrdup(type);
    snprintf(failure->target, sizeof failure->target, "%s", target);
    failure->time = network_now_ms(net);
    store_touch(net->store);
    return failure;
}

bool
failure_remove(struct network *net, const char *type, const char *target, struct err *err)
{
    char id[ID_SIZE];
    failure_id(id, target);
    struct failure *failure = store_get(net->store, &failure_kind, id);
    if (!failure || !str_is(failure->type, type)) {
        err_set(err, ERR_INPUT, "IncorrectState", "%s `%s` has not failed", type, target);
        return err_hint(err, "`failures` lists what has");
    }
    network_remove(net, failure);
    return true;
}

size_t
failures_remove_all(struct network *net)
{
    size_t n = 0;
    for (struct failure *f; (f = store_first(net->store, &failure_kind)); n++) {
        network_remove(net, f);
    }
    return n;
}

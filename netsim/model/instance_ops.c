/* Instances: running, starting, stopping, terminating. */
#include "netsim/model/internal.h"

#include <stdio.h>
#include <time.h>

/* ---- the request
 * -------------------------------------------------------------------------------------------------------- */

static bool
image_check(const char *image_id, struct err *err)
{
    if (str_empty(image_id)) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter ImageId");
        return err_hint(err, "any well-formed id will do here: --image-id ami-0123456789abcdef0");
    }
    if (!id_well_formed(image_id, "ami") && strncmp(image_id, "resolve:ssm:", 12) != 0) {
        err_set(err, ERR_INPUT, "InvalidAMIID.Malformed", "invalid id: `%s` (expecting \"ami-...\")", image_id);
        return err_hint(err, "any well-formed id will do here: --image-id ami-0123456789abcdef0");
    }
    return true;
}

/* FAMILY.SIZE; AWS has hundreds and adds more, so the form is what is checked. */
bool
instance_type_check(const char *type, struct err *err)
{
    const char *dot = strchr(type, '.');
    bool good = dot && dot > type && dot[1] &&
                strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789-") == (size_t)(dot - type) &&
                dot[1 + strspn(dot + 1, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
    if (!good) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%s` for InstanceType", type);
        return err_hint(err, "a type looks like t3.micro");
    }
    return true;
}

/* Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html, "Xen-based instances": these
 * families, but for their bare metal sizes. */
bool
instance_type_is_nitro(const char *type)
{
    static const char xen[] = " m1 m2 m3 m4 t1 t2 c1 c3 c4 cc2 r3 r4 x1 x1e cr1 d2 h1 hs1 i2 i3 f1 g2 g3 g3s p2 p3 ";
    const char *dot = type ? strchr(type, '.') : NULL;
    char family[24];
    if (!dot || dot - type > 20) {
        return false;
    }
    snprintf(family, sizeof family, " %.*s ", (int)(dot - type), type);
    return strcmp(dot, ".metal") == 0 || !strstr(xen, family);
}

static const struct subnet *
default_subnet(const struct network *net, struct err *err)
{
    const struct vpc *vpc = network_default_vpc(net);
    if (!vpc) {
        err_set(err, ERR_INPUT, "VPCIdNotSpecified", "no default VPC for this user");
        err_hint(err, "name a subnet (--subnet-id)");
        return NULL;
    }
    const struct subnet *first = NULL;
    for (const struct subnet *s = store_first(net->store, &subnet_kind); s; s = store_next(net->store, s)) {
        if (s->default_for_az && s->zone && strcmp(s->vpc_id, vpc->obj.id) == 0 &&
            (!first || strcmp(s->zone, first->zone) < 0)) {
            first = s;
        }
    }
    if (!first) {
        err_set(err, ERR_INPUT, "MissingInput", "no subnets found for the default VPC `%s`", vpc->obj.id);
        err_hint(err, "name a subnet (--subnet-id)");
    }
    return first;
}

static bool
given_enis_check(const struct network *net, const struct instance_spec *spec, size_t count, struct err *err)
{
    if (count > 1) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "an existing interface serves one instance, not %zu", count);
    }
    const struct eni *first = NULL;
    for (size_t i = 0; i < spec->n_eni_ids; i++) {
        const struct eni *eni = network_require(net, &eni_kind, spec->eni_ids[i], err);
        if (!eni) {
            return false;
        }
        if (eni->attached) {
            return err_set(err, ERR_INPUT, "InvalidNetworkInterface.InUse",
                           "the network interface `%s` is in use by `%s`", eni->obj.id, eni->attachment.instance_id);
        }
        first = first ? first : eni;
        if (eni->zone && first->zone && strcmp(eni->zone, first->zone) != 0) {
            return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                           "`%s` and `%s` are not in the same availability zone", first->obj.id, eni->obj.id);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(spec->eni_ids[i], spec->eni_ids[j]) == 0) {
                return err_set(err, ERR_INPUT, "InvalidParameterValue", "the network interface `%s` is given twice",
                               eni->obj.id);
            }
        }
    }
    return true;
}

/* ---- running
 * ------------------------------------------------------------------------------------------------------------- */

static void
state_set(struct instance *instance, enum instance_state state)
{
    instance->state_code = (int32_t)state;
    str_set(&instance->state_name, instance_state_name((int)state));
}

/* ---- metadata options ---------------------------------------------------------------------------------------------
 */
static bool
check_word(const char *name, const char *word, const char *one, const char *other, struct err *err)
{
    return !word || strcmp(word, one) == 0 || strcmp(word, other) == 0 ||
           err_set(err, ERR_INPUT, "InvalidParameterValue", "value (`%s`) for parameter %s is neither %s nor %s", word,
                   name, one, other);
}

bool
instance_set_metadata(struct instance *instance, const struct metadata_options *change, struct err *err)
{
    struct metadata_options *m = &instance->metadata;
    if (!check_word("HttpTokens", change->tokens, "optional", "required", err) ||
        !check_word("HttpEndpoint", change->endpoint, "enabled", "disabled", err) ||
        !check_word("HttpProtocolIpv6", change->ipv6, "enabled", "disabled", err) ||
        !check_word("InstanceMetadataTags", change->tags, "enabled", "disabled", err)) {
        return false;
    }
    if (change->hop_limit < 0 || change->hop_limit > 64) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "value (`%d`) for parameter HttpPutResponseHopLimit is not 1 to 64", change->hop_limit);
    }
    const struct {
        char **to;
        const char *from;
    } words[] = { { &m->tokens, change->tokens },
                  { &m->endpoint, change->endpoint },
                  { &m->ipv6, change->ipv6 },
                  { &m->tags, change->tags } };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (words[i].from) {
            str_set(words[i].to, words[i].from);
        }
    }
    m->hop_limit = change->hop_limit ? change->hop_limit : m->hop_limit;
    str_set(&m->state, "applied");
    return true;
}

/* An amazon-owned address for the primary one, unless an Elastic IP is there. */
static bool
public_ip_give(struct network *net, struct instance *instance, struct err *err)
{
    struct eni *eni = instance_eni(net, instance, 0);
    struct ip ip;
    if (!eni || !eni->addresses.n || eni->addresses.items[0].association.public_ip.family) {
        return true;
    }
    if (!network_pick_public(net, &instance->last_public_ip, &ip, err)) {
        return false;
    }
    struct ip primary = eni->addresses.items[0].ip;
    eni_set_public_ip(net, eni, &primary, &ip, NULL);
    return true;
}

static struct instance *
instance_add(struct network *net, const struct instance_spec *spec, const char *reservation_id, size_t index)
{
    struct instance *instance = network_add(net, &instance_kind, NULL);
    memcpy(instance->reservation_id, reservation_id, ID_SIZE);
    instance->image_id = xstrdup(spec->image_id);
    instance->type = xstrdup(spec->type ? spec->type : "m1.small"); /* AWS's default */
    instance->key_name = spec->key_name ? xstrdup(spec->key_name) : NULL;
    instance->user_data = spec->user_data ? xstrdup(spec->user_data) : NULL;
    instance->profile_arn = spec->profile_arn ? xstrdup(spec->profile_arn) : NULL;
    instance->launch_index = (int32_t)index;
    instance->launch_time = network_now_ms(net);
    instance->transition_reason = xstrdup("");
    instance_set_metadata(
        instance,
        &(struct metadata_options){
            .tokens = "optional", .endpoint = "enabled", .ipv6 = "disabled", .tags = "disabled", .hop_limit = 1 },
        NULL);
    state_set(instance, INSTANCE_RUNNING);
    return instance;
}

/* The names it answers to: as the request says, else as the subnet does. */
static void
instance_names_set(struct instance *instance, const struct instance_spec *spec, const struct subnet *home)
{
    const char *type = spec->hostname_type ? spec->hostname_type : home ? home->hostname_type : NULL;
    instance->hostname_type = xstrdup(type ? type : "ip-name");
    instance->dns_a_record = spec->dns_a_record ? spec->dns_a_record > 0 : home && home->dns_a_record;
    instance->dns_aaaa_record = spec->dns_aaaa_record ? spec->dns_aaaa_record > 0 : home && home->dns_aaaa_record;
}

/* Its interfaces: new ones as the spec says, or those given. */
static bool
instance_connect(struct network *net, struct instance *instance, const struct instance_spec *spec,
                 const struct subnet *subnet, struct err *err)
{
    struct eni *eni = NULL;
    if (spec->n_eni_ids) {
        for (size_t i = 0; i < spec->n_eni_ids; i++) {
            struct eni *given = store_get(net->store, &eni_kind, spec->eni_ids[i]);
            eni_attach_to(net, given, instance->obj.id, instance->obj.account, (int)i, false);
            eni = eni ? eni : given;
        }
    } else {
        struct eni_spec eni_spec = spec->eni;
        eni_spec.subnet_id = subnet->obj.id;
        eni = eni_create(net, &eni_spec, err);
        if (!eni) {
            return false;
        }
        eni_attach_to(net, eni, instance->obj.id, instance->obj.account, 0, !spec->keep_eni);
    }
    const struct subnet *home = store_get(net->store, &subnet_kind, eni->subnet_id);
    const struct vpc *vpc = store_get(net->store, &vpc_kind, eni->vpc_id);
    memcpy(instance->vpc_id, eni->vpc_id, ID_SIZE);
    memcpy(instance->subnet_id, eni->subnet_id, ID_SIZE);
    instance->zone = xstrdup(eni->zone ? eni->zone : "");
    instance->tenancy = xstrdup(vpc && vpc->tenancy ? vpc->tenancy : "default");
    instance_names_set(instance, spec, home);
    /* What the subnet says holds for interfaces that come with the instance, not for those that were there before. */
    instance->auto_public_ip = spec->n_eni_ids        ? false
                               : spec->public_ip >= 0 ? spec->public_ip > 0
                                                      : home && home->map_public_ip;
    return !instance->auto_public_ip || public_ip_give(net, instance, err);
}

static void
instance_undo(struct network *net, struct instance *instance)
{
    struct eni *eni;
    while ((eni = instance_eni(net, instance, 0))) {
        eni_remove(net, eni);
    }
    network_remove(net, instance);
}

bool
instances_run(struct network *net, const struct instance_spec *spec, size_t count, struct instance **out,
              struct err *err)
{
    const struct subnet *subnet = NULL;
    char reservation_id[ID_SIZE];
    if (!image_check(spec->image_id, err) || (spec->type && !instance_type_check(spec->type, err))) {
        return false;
    }
    if (spec->n_eni_ids) {
        if (!given_enis_check(net, spec, count, err)) {
            return false;
        }
    } else {
        subnet = spec->eni.subnet_id ? network_require(net, &subnet_kind, spec->eni.subnet_id, err)
                                     : default_subnet(net, err);
        if (!subnet) {
            return false;
        }
        if (count > 1 && (spec->eni.ip.family || spec->eni.n_secondary || spec->eni.n_ips6)) {
            return err_set(err, ERR_INPUT, "InvalidParameterCombination", "an address serves one instance, not %zu",
                           count);
        }
    }
    id_new(net->ids, "r", reservation_id);
    for (size_t i = 0; i < count; i++) {
        out[i] = instance_add(net, spec, reservation_id, i);
        if (!instance_connect(net, out[i], spec, subnet, err)) {
            for (size_t j = i + 1; j-- > 0;) {
                instance_undo(net, out[j]);
            }
            return false;
        }
    }
    route_tables_refresh(net);
    return true;
}

/* ---- changing state
 * ----------------------------------------------------------------------------------------------------------- */

static bool
wrong_state(const struct instance *instance, const char *verb, struct err *err)
{
    return err_set(err, ERR_INPUT, "IncorrectInstanceState", "the instance `%s` is %s and cannot be %s",
                   instance->obj.id, instance->state_name, verb);
}

/* "User initiated (2026-01-02 03:04:05 GMT)", as describe-instances says it. */
static void
reason_set(const struct network *net, struct instance *instance, const char *code, const char *message)
{
    char text[64];
    time_t now = (time_t)(network_now_ms(net) / 1000);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "User initiated (%Y-%m-%d %H:%M:%S GMT)", &tm);
    str_set(&instance->transition_reason, code ? text : "");
    str_set(&instance->state_reason_code, code);
    str_set(&instance->state_reason, message);
}

bool
instance_start(struct network *net, struct instance *instance, struct err *err)
{
    if (instance_is_running(instance)) {
        return true; /* AWS answers with the state it is in */
    }
    if (instance->state_code != INSTANCE_STOPPED) {
        return wrong_state(instance, "started", err);
    }
    if (instance->auto_public_ip && !public_ip_give(net, instance, err)) {
        return false;
    }
    state_set(instance, INSTANCE_RUNNING);
    reason_set(net, instance, NULL, NULL);
    instance->launch_time = network_now_ms(net);
    route_tables_refresh(net);
    return true;
}

bool
instance_stop(struct network *net, struct instance *instance, struct err *err)
{
    if (instance->state_code == INSTANCE_STOPPED) {
        return true;
    }
    if (!instance_is_running(instance)) {
        return wrong_state(instance, "stopped", err);
    }
    struct eni *const *enis;
    size_t n = index_instance_enis(net, instance->obj.id, &enis);
    for (size_t i = 0; i < n; i++) {
        struct eni *eni = enis[i];
        for (size_t j = 0; j < eni->addresses.n; j++) {
            const struct eni_association *association = &eni->addresses.items[j].association;
            if (association->public_ip.family &&
                !association->allocation_id) { /* auto-assigned: goes back to the pool */
                struct ip private_ip = eni->addresses.items[j].ip;
                instance->last_public_ip = association->public_ip;
                instance->auto_public_ip = true; /* an imported instance shows only now that it was so */
                eni_set_public_ip(net, eni, &private_ip, NULL, NULL);
                n = index_instance_enis(net, instance->obj.id, &enis);
            }
        }
    }
    state_set(instance, INSTANCE_STOPPED);
    reason_set(net, instance, "Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown");
    route_tables_refresh(net);
    return true;
}

bool
instance_terminate(struct network *net, struct instance *instance, struct err *err)
{
    if (instance->state_code == INSTANCE_TERMINATED) {
        return true;
    }
    if (instance->disable_api_termination) {
        err_set(err, ERR_INPUT, "OperationNotPermitted", "the instance `%s` may not be terminated", instance->obj.id);
        return err_hint(err, "modify its disableApiTermination attribute first");
    }
    struct eni *const *enis;
    while (index_instance_enis(net, instance->obj.id, &enis)) {
        struct eni *eni = enis[0];
        if (eni->attachment.delete_on_termination) {
            eni_remove(net, eni);
        } else {
            eni_detach_from(net, eni); /* and its Elastic IPs stay with it */
        }
    }
    state_set(instance, INSTANCE_TERMINATED);
    reason_set(net, instance, "Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown");
    instance->vpc_id[0] = instance->subnet_id[0] = '\0'; /* AWS lists a terminated instance without its network */
    instance->auto_public_ip = false;
    routes_target_gone(net, instance->obj.id);
    return true;
}

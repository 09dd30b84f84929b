#include "netsim/model/log_group.h"
#include "netsim/model/failure.h"
#include "netsim/model/internal.h"

#include "netsim/model/certificate.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/private_service.h"
#include "netsim/model/trust_store.h"

#include <assert.h>
#include <stdio.h>

/* Load order: what others refer to comes first, and interfaces before instances, whose nested copies then count less.
 */
const struct kind *const network_kinds[] = {
    &authority_kind,
    &certificate_kind,
    &dhcp_options_kind,
    &vpc_kind,
    &subnet_kind,
    &prefix_list_kind,
    &security_group_kind,
    &network_acl_kind,
    &eni_kind,
    &instance_kind,
    &internet_gateway_kind,
    &egress_only_gateway_kind,
    &elastic_ip_kind,
    &nat_gateway_kind,
    &endpoint_kind,
    &peering_kind,
    &transit_gateway_kind,
    &tgw_route_table_kind,
    &tgw_attachment_kind,
    &customer_gateway_kind,
    &vpn_gateway_kind,
    &vpn_connection_kind,
    &direct_connect_connection_kind,
    &direct_connect_gateway_kind,
    &direct_connect_association_kind,
    &virtual_interface_kind,
    &load_balancer_kind,
    &target_group_kind,
    &classic_balancer_kind,
    &trust_store_kind,
    &private_service_kind,
    &route_table_kind,
    &flow_log_kind,
    &log_group_kind,
    &hosted_zone_kind,
    &block_public_access_kind,
    &bpa_exclusion_kind,
    &insights_path_kind,
    &insights_analysis_kind,
    &access_scope_kind,
    &access_scope_analysis_kind,
    &failure_kind,
    NULL,
};

struct network *
network_new(struct id_gen *ids, const struct clock *clock)
{
    struct network *net = xcalloc(1, sizeof *net);
    net->store = store_new();
    store_set_context(net->store, net);
    net->ids = ids;
    net->clock = clock;
    net->limits = true;
    network_set_owner(net, "123456789012", "us-east-1");
    return net;
}

void
network_free(struct network *net)
{
    if (!net) {
        return;
    }
    index_free(net->index);
    VEC_DONE(&net->changes.list);
    store_free(net->store);
    free(net);
}

struct store *
network_store(const struct network *net)
{
    return net->store;
}

struct network *
network_of(const struct store *store)
{
    return store_context(store);
}

struct id_gen *
network_ids(const struct network *net)
{
    return net->ids;
}

int64_t
network_now_ms(const struct network *net)
{
    return clock_now_ms(net->clock);
}

void
network_set_owner(struct network *net, const char *account, const char *region)
{
    snprintf(net->account, sizeof net->account, "%s", account);
    snprintf(net->region, sizeof net->region, "%s", region);
}

const char *
network_account(const struct network *net)
{
    return net->account;
}

const char *
network_region(const struct network *net)
{
    return net->region;
}

void
network_set_limits(struct network *net, bool limits)
{
    net->limits = limits;
}

void
network_set_tap_hosts(struct network *net, bool tap_hosts)
{
    net->tap_hosts = tap_hosts;
}

bool
network_tap_hosts(const struct network *net)
{
    return net->tap_hosts;
}

const struct kind *
network_kind_of_id(const char *id)
{
    const struct kind *found = NULL; /* by the longest prefix: tgw-rtb-1 is no transit gateway */
    for (const struct kind *const *k = network_kinds; *k; k++) {
        size_t length = strlen((*k)->prefix);
        if (length > 0 && strncmp(id, (*k)->prefix, length) == 0 && id[length] == '-' &&
            (!found || length > strlen(found->prefix))) {
            found = *k;
        }
    }
    return found;
}

void *
network_require(const struct network *net, const struct kind *kind, const char *id, struct err *err)
{
    void *object = id ? store_get(net->store, kind, kind_id(kind, id)) : NULL;
    if (object) {
        return object;
    }
    if (str_empty(id)) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain %s", kind->id_member);
        return NULL;
    }
    /* Imported test data may have ids of any form, so an id counts as malformed only when nothing has it. */
    if (kind->prefix[0] && !id_well_formed(id, kind->prefix)) {
        err_set(err, ERR_INPUT, kind->malformed ? kind->malformed : kind->not_found,
                "invalid id: `%s` (expecting \"%s-...\")", id, kind->prefix);
        const struct kind *other = network_kind_of_id(id);
        if (other && other != kind) {
            err_hint(err, "`%s` is the id of a %s; this needs a %s", id, other->name, kind->name);
        }
        return NULL;
    }
    err_set(err, ERR_INPUT, kind->not_found, "the %s ID `%s` does not exist", kind->name, id);
    return NULL;
}

/* Zones: the region's name and a letter; ids are the region's short form, as AWS builds them (us-east-1 -> use1-az1).
 * AWS shuffles letters against ids for each account; here a is az1 so that a lab is predictable. */
bool
network_zone(const struct network *net, size_t index, char name[static 24], char id[static 24])
{
    size_t n = strcmp(net->region, "us-east-1") == 0 ? 6 : 3;
    if (index >= n) {
        return false;
    }
    snprintf(name, 24, "%.22s%c", net->region, (char)('a' + index));
    static const struct {
        const char *word, *brief;
    } directions[] = { { "northeast", "ne" }, { "southeast", "se" }, { "northwest", "nw" },
                       { "southwest", "sw" }, { "central", "c" },    { "north", "n" },
                       { "south", "s" },      { "east", "e" },       { "west", "w" } };
    char brief[16] = "";
    const char *rest = net->region;
    size_t length = strcspn(rest, "-"); /* "us", "eu", "ap" */
    snprintf(brief, sizeof brief, "%.*s", (int)(length < 4 ? length : 4), rest);
    while (*(rest += length) == '-') {
        rest++;
        length = strcspn(rest, "-");
        const char *part = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(directions) && !part; i++) {
            if (strlen(directions[i].word) == length && strncmp(rest, directions[i].word, length) == 0) {
                part = directions[i].brief;
            }
        }
        size_t used = strlen(brief);
        if (part) {
            snprintf(brief + used, sizeof brief - used, "%s", part);
        } else {
            snprintf(brief + used, sizeof brief - used, "%.*s", (int)(length < 3 ? length : 3), rest);
        }
    }
    snprintf(id, 24, "%s-az%zu", brief, index + 1);
    return true;
}

static void
object_adopt(const struct network *net, struct object *object)
{
    if (!object->account[0]) {
        memcpy(object->account, net->account, sizeof object->account);
    }
    if (!object->region[0]) {
        memcpy(object->region, net->region, sizeof object->region);
    }
}

/* Kinds whose coming and going the index sees. */
static bool
indexed(const struct kind *kind)
{
    return kind == &eni_kind || kind == &route_table_kind || kind == &network_acl_kind ||
           kind == &internet_gateway_kind || kind == &endpoint_kind || kind == &peering_kind ||
           kind == &tgw_attachment_kind || kind == &vpn_gateway_kind;
}

void *
network_add(struct network *net, const struct kind *kind, const char *id)
{
    char fresh_id[ID_SIZE];
    if (!id) {
        do {
            id_new(net->ids, kind->prefix, fresh_id);
        } while (store_get(net->store, kind, fresh_id));
        id = fresh_id;
    }
    bool keep = !indexed(kind) && index_is_fresh(net);
    struct object *object = store_add(net->store, kind, id);
    object_adopt(net, object);
    if (keep) {
        index_stamp(net);
    }
    return object;
}

void
network_remove(struct network *net, void *object)
{
    bool keep = !indexed(((struct object *)object)->kind) && index_is_fresh(net);
    store_delete(net->store, object);
    if (keep) {
        index_stamp(net);
    }
}

void
network_touch(struct network *net)
{
    bool keep = index_is_fresh(net);
    store_touch(net->store);
    if (keep) {
        index_stamp(net);
    }
}

void
str_set(char **slot, const char *text)
{
    char *copy = text ? xstrdup(text) : NULL;
    free(*slot);
    *slot = copy;
}

void
id_set(char id[static ID_SIZE], const char *text)
{
    snprintf(id, ID_SIZE, "%s", text ? text : "");
}

char *
object_arn(const struct object *object, const char *type)
{
    return xasprintf("arn:aws:ec2:%s:%s:%s/%s", object->region, object->account, type, object->id);
}

void
dependents_add(struct dependents *dependents, const char *id)
{
    if (dependents->n++ < 4) {
        buf_printf(&dependents->text, "%s`%s`", dependents->n > 1 ? ", " : "", id);
    }
}

bool
dependents_none(struct dependents *dependents, const char *id, struct err *err)
{
    bool none = dependents->n == 0;
    if (!none) {
        if (dependents->n > 4) {
            buf_printf(&dependents->text, " and %zu more", dependents->n - 4);
        }
        err_set(err, ERR_INPUT, "DependencyViolation", "`%s` has dependencies and cannot be deleted: %s", id,
                buf_str(&dependents->text));
        err_hint(err, "delete or detach %s first", dependents->n == 1 ? "it" : "these");
    }
    buf_done(&dependents->text);
    return none;
}

/* What a kind's loaded() could not read is left in the object; here it is tried again, with an error to set. */
static bool
group_loaded_well(const struct security_group *group, const char *where, struct err *err)
{
    for (int egress = 0; egress < 2; egress++) {
        json_t *left = egress ? group->permissions_egress : group->permissions;
        sg_rule_vec rules = { 0 };
        char place[160];
        snprintf(place, sizeof place, "%s %s.%s", where ? where : "", group->obj.id,
                 egress ? "IpPermissionsEgress" : "IpPermissions");
        bool read = sg_rules_read(left, egress, false, place, &rules, err);
        VEC_DONE(&rules); /* nothing was left, or nothing of it was kept: no rule is in it */
        if (!read) {
            return false;
        }
    }
    return true;
}

/* After loading AWS's form: owners, and ids of rules, which describe-security-groups does not print. */
static bool
kind_adopt(struct network *net, const struct kind *kind, const char *where, struct err *err)
{
    for (struct object *object = store_first(net->store, kind); object; object = store_next(net->store, object)) {
        object_adopt(net, object);
        if (kind == &security_group_kind) {
            struct security_group *group = (struct security_group *)object;
            if (!group_loaded_well(group, where, err)) {
                return false;
            }
            for (size_t i = 0; i < group->rules.n; i++) {
                if (!group->rules.items[i].id[0]) {
                    id_new(net->ids, "sgr", group->rules.items[i].id);
                }
            }
        } else if (kind == &instance_kind && !instance_load_enis(net->store, (struct instance *)object, err)) {
            return false;
        }
    }
    for (struct object *eni = kind == &instance_kind ? store_first(net->store, &eni_kind) : NULL; eni;
         eni = store_next(net->store, eni)) {
        object_adopt(net, eni); /* the nested ones */
    }
    return true;
}

bool
network_load_kind(struct network *net, const struct kind *kind, const json_t *array, const char *where, size_t *skipped,
                  struct err *err)
{
    json_t *flat = kind == &instance_kind ? instances_from_reservations(array) : NULL;
    bool ok = store_load_kind(net->store, kind, flat ? flat : array, where, skipped, err) &&
              kind_adopt(net, kind, where, err);
    if (kind == &instance_kind) {
        instances_lend_groups(net->store);
    }
    json_decref(flat);
    store_touch(net->store);
    return ok;
}

#include "cloud/names.h"

#include <string.h>
#include "cloud/live_link.h"
#include "netsim/live/balancer_zones.h"
#include "netsim/live/internet_hosts.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/instance.h"

bool
looks_like_domain(const char *text)
{
    char name[DNS_NAME_SIZE];
    struct ip ip;
    return text && strchr(text, '.') && !strchr(text, '/') && !ip_parse(text, &ip) && dns_name_read(text, name);
}

const char *
vpc_of_end(const struct network *net, const char *id)
{
    const struct object *object = id ? store_find(network_store(net), id) : NULL;
    const struct kind *kind = object ? object->kind : NULL;
    return kind == &instance_kind   ? ((const struct instance *)object)->vpc_id
           : kind == &eni_kind      ? ((const struct eni *)object)->vpc_id
           : kind == &subnet_kind   ? ((const struct subnet *)object)->vpc_id
           : kind == &endpoint_kind ? ((const struct endpoint *)object)->vpc_id
           : kind == &vpc_kind      ? object->id
                                    : NULL;
}

const struct subnet *
subnet_of_end(const struct network *net, const char *id)
{
    const struct object *object = id ? store_find(network_store(net), id) : NULL;
    const struct kind *kind = object ? object->kind : NULL;
    const struct eni *eni = kind == &eni_kind        ? (const struct eni *)object
                            : kind == &instance_kind ? instance_eni(net, (const struct instance *)object, 0)
                                                     : NULL;
    return kind == &subnet_kind ? (const struct subnet *)object
           : eni                ? store_get(network_store(net), &subnet_kind, eni->subnet_id)
                                : NULL;
}

/* The instances of 'vpc_id' ask servers that the lab does not have. */
static bool
asks_others(const struct network *net, const char *vpc_id)
{
    const struct vpc *vpc = vpc_id ? store_get(network_store(net), &vpc_kind, vpc_id) : NULL;
    struct resolver_client client = { 0 };
    if (vpc) {
        resolver_client_of(net, vpc, &client);
    }
    bool amazon = client.amazon;
    resolver_client_done(&client);
    return vpc && !amazon;
}

/* A question, and what the live lab's health checks say, which is asked for when a balancer's name is met. */
struct asking {
    const struct cloud *cloud;
    struct resolver_moment moment;
    json_t *health;
};

static bool
is_healthy(void *context, const struct target_group *group, const struct lb_target *target)
{
    const struct asking *by = context;
    const char *state = json_str(json_object_get(by->health, group->obj.id), target->id);
    return state && strcmp(state, "healthy") == 0;
}

static bool
node_serves(void *context, const struct network *net, const struct load_balancer *lb, const struct eni *node)
{
    struct asking *by = context;
    struct err none = { 0 };
    by->health = by->health ? by->health : live_link_health(by->cloud, &none);
    return !by->health || balancer_node_serves(net, lb, node, is_healthy, by);
}

/* As the live lab's resolver: what the model leaves to the public DNS may be a name of the lab's internet. */
static bool
ask_one(const struct asking *by, const char *vpc_id, const char *name, int type, struct dns_answer *answer,
        struct err *err)
{
    if (!resolver_lookup_at(by->cloud->net, vpc_id, name, type, &by->moment, answer, err)) {
        return false;
    }
    if (!asks_others(by->cloud->net, vpc_id)) {
        internet_hosts_complete(type, answer);
    }
    return true;
}

static bool
ask_type(const struct asking *by, const char *vpc_id, const struct subnet *subnet, const char *name, int type,
         struct dns_answer *answer, struct err *err)
{
    struct dns_answer four = { 0 };
    if (!ask_one(by, vpc_id, name, type, answer, err)) {
        return false;
    }
    if (resolver_wants_dns64(subnet, type, answer) && ask_one(by, vpc_id, name, DNS_A, &four, err)) {
        resolver_dns64(subnet, &four, answer);
    }
    return true;
}

bool
names_ask(const struct cloud *cloud, const char *vpc_id, const struct subnet *subnet, const char *name, int type,
          struct dns_answer *answer, struct err *err)
{
    bool six_first = subnet && subnet->ipv6_native, ok = true;
    struct asking by = { .cloud = cloud };
    by.moment = (struct resolver_moment){ .serves = cloud_is_live(cloud) ? node_serves : NULL, .context = &by };
    if (!ask_type(&by, vpc_id, subnet, name, type ? type : six_first ? DNS_AAAA : DNS_A, answer, err)) {
        ok = false;
    } else if (!type && answer->outcome == DNS_NO_DATA) {
        struct dns_answer other = { 0 };
        if (ask_type(&by, vpc_id, subnet, name, six_first ? DNS_A : DNS_AAAA, &other, err) &&
            other.outcome == DNS_ANSWERED) {
            dns_answer_done(answer);
            *answer = other;
        } else {
            dns_answer_done(&other);
        }
    }
    json_decref(by.health);
    return ok;
}

/* What a stub resolver would report. */
static const char *const statuses[] = {
    [DNS_NO_NAME] = "NXDOMAIN", [DNS_ANSWERED] = "NOERROR",  [DNS_NO_DATA] = "NODATA",
    [DNS_SILENT] = "TIMEOUT",   [DNS_ELSEWHERE] = "UNKNOWN", [DNS_FAILED] = "SERVFAIL",
};

static json_t *
records_json(const struct dns_record *records, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct dns_record *r = &records[i];
        const char *type = dns_type_name(r->type);
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s}", "Name", dns_name_short(r->name), "Type",
                                              type ? type : "", "TTL", (int)r->ttl_s, "Value",
                                              r->text ? dns_name_short(r->text) : ip_str(&r->ip)));
    }
    return list;
}

json_t *
names_json(const struct network *net, const char *vpc_id, const struct dns_answer *answer)
{
    const struct vpc *vpc = vpc_id ? store_get(network_store(net), &vpc_kind, vpc_id) : NULL;
    json_t *out = json_pack("{s:s, s:s}", "Name", dns_name_short(answer->name), "Status", statuses[answer->outcome]);
    if (vpc) {
        struct ip resolver = resolver_address(vpc);
        json_object_set_new(out, "VpcId", json_string(vpc->obj.id));
        json_object_set_new(out, "Resolver", json_string(ip_str(&resolver)));
    }
    json_object_set_new(out, "Records", records_json(answer->records.items, answer->records.n));
    if (answer->possible.n > 0) {
        json_object_set_new(out, "AlsoPossible", records_json(answer->possible.items, answer->possible.n));
    }
    json_object_set_new(out, "Reason", json_string(answer->reason));
    if (answer->hint) {
        json_object_set_new(out, "Hint", json_string(answer->hint));
    }
    return out;
}

const struct ip *
names_address(const struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->records.n && answer->outcome == DNS_ANSWERED; i++) {
        if (answer->records.items[i].ip.family != IP_NONE) {
            return &answer->records.items[i].ip;
        }
    }
    return NULL;
}

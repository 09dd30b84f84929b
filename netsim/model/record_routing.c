#include "netsim/model/record_routing.h"

#include <stdio.h>
#include "netsim/model/failure.h"
#include "netsim/model/instance.h"
#include "netsim/model/internal.h"
#include "netsim/model/load_balancer.h"

#define MULTI_VALUE_MAX 8
#define WEIGHT_MAX      255

/* ---- policies ---------------------------------------------------------------------------------------------------- */

static json_t *
weight_of(const struct dns_record_set *r)
{
    return r->weight;
}
static json_t *
failover_of(const struct dns_record_set *r)
{
    return r->failover;
}
static json_t *
region_of(const struct dns_record_set *r)
{
    return r->region;
}
static json_t *
location_of(const struct dns_record_set *r)
{
    return r->geo;
}
static json_t *
multi_value_of(const struct dns_record_set *r)
{
    return json_is_true(r->multi_value) ? r->multi_value : NULL;
}

static bool
is_weight(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= WEIGHT_MAX;
}

static bool
is_failover(const json_t *value)
{
    return str_is(json_string_value(value), "PRIMARY") || str_is(json_string_value(value), "SECONDARY");
}

static bool
is_location(const json_t *value)
{
    const char *continent = json_str(value, "ContinentCode"), *country = json_str(value, "CountryCode");
    return continent ? strlen(continent) == 2 && !country
                     : country && (strcmp(country, "*") == 0 || strlen(country) == 2) &&
                           (!json_object_get(value, "SubdivisionCode") || strcmp(country, "*") != 0);
}

static bool
is_text(const json_t *value)
{
    return json_string_length(value) > 0;
}

static const struct policy {
    const char *name;
    json_t *(*of)(const struct dns_record_set *);
    bool (*valid)(const json_t *);
    const char *form;
    bool one_of_value; /* no two records of a name and type have the same */
} policies[] = {
    { "Weight", weight_of, is_weight, "0 to 255", false },
    { "Failover", failover_of, is_failover, "PRIMARY or SECONDARY", true },
    { "Region", region_of, is_text, "a region", true },
    { "GeoLocation", location_of, is_location, "a ContinentCode, or a CountryCode (`*`: anywhere)", true },
    { "MultiValueAnswer", multi_value_of, NULL, NULL, false },
};

static const struct policy *
policy_of(const struct dns_record_set *record)
{
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        if (policies[i].of(record)) {
            return &policies[i];
        }
    }
    return NULL;
}

const char *
record_policy(const struct dns_record_set *record)
{
    const struct policy *policy = policy_of(record);
    return policy ? policy->name : NULL;
}

static bool
own_check(const struct dns_record_set *record, const struct policy *policy, struct err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        n += policies[i].of(record) != NULL;
    }
    if (record->cidr_routing || record->geo_proximity) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab cannot know what `%s` chooses",
                       record->cidr_routing ? "CidrRoutingConfig" : "GeoProximityLocation");
    }
    if (n > 1 || (n == 0 && record->set_identifier)) {
        return err_set(err, ERR_INPUT, "InvalidInput",
                       "a record with a SetIdentifier has exactly one of Weight, Region, Failover, GeoLocation and "
                       "MultiValueAnswer, not %zu",
                       n);
    }
    if (policy && (str_empty(record->set_identifier) || strlen(record->set_identifier) > 128)) {
        return err_set(err, ERR_INPUT, "InvalidInput",
                       "a record with `%s` needs a SetIdentifier of 1 to 128 characters", policy->name);
    }
    if (policy && policy->valid && !policy->valid(policy->of(record))) {
        return err_set(err, ERR_INPUT, "InvalidInput", "`%s` is %s", policy->name, policy->form);
    }
    return true;
}

bool
record_policy_check(const struct hosted_zone *zone, const struct dns_record_set *record, struct err *err)
{
    const struct policy *policy = policy_of(record);
    if (!own_check(record, policy, err)) {
        return false;
    }
    if (policy && (str_is(record->type, "NS") || str_is(record->type, "SOA"))) {
        return err_set(err, ERR_INPUT, "InvalidChangeBatch", "a record of type %s has no routing policy", record->type);
    }
    if (str_is(policy ? policy->name : NULL, "MultiValueAnswer") &&
        (record->alias_name || str_is(record->type, "CNAME"))) {
        return err_set(err, ERR_INPUT, "InvalidChangeBatch",
                       "neither an alias nor a CNAME can be a multivalue answer: `%s`", dns_name_short(record->name));
    }
    for (size_t i = 0; i < zone->records.n; i++) {
        const struct dns_record_set *other = &zone->records.items[i];
        if (!str_is(other->name, record->name) || !str_is(other->type, record->type) ||
            (str_is(other->set_identifier, record->set_identifier) ||
             (!other->set_identifier && !record->set_identifier))) {
            continue;
        }
        if (policy_of(other) != policy) {
            return err_set(
                err, ERR_INPUT, "InvalidChangeBatch",
                "`%s` %s cannot be created: there are records of another routing policy with this name and type",
                dns_name_short(record->name), record->type);
        }
        if (policy && policy->one_of_value && json_equal(policy->of(other), policy->of(record))) {
            return err_set(err, ERR_INPUT, "InvalidChangeBatch", "`%s` %s cannot be created: `%s` has the same %s",
                           dns_name_short(record->name), record->type, other->set_identifier, policy->name);
        }
    }
    return true;
}

/* ---- health ------------------------------------------------------------------------------------------------------ */

static bool
eni_is_dead(const struct network *net, const struct eni *eni)
{
    const struct instance *instance =
        *eni->attachment.instance_id ? store_get(net->store, &instance_kind, eni->attachment.instance_id) : NULL;
    return (instance && !instance_is_running(instance)) || eni_failure(net, eni);
}

static bool
address_is_dead(const struct network *net, const struct ip *ip)
{
    struct ip private_ip;
    const struct eni *eni = network_eni_by_public_ip(net, ip, &private_ip);
    for (const struct vpc *vpc = eni ? NULL : store_first(net->store, &vpc_kind); vpc && !eni;
         vpc = store_next(net->store, vpc)) {
        eni = network_eni_by_address(net, vpc->obj.id, ip);
    }
    return eni && eni_is_dead(net, eni);
}

static const struct eni *
first_eni(const struct network *net, const struct instance *instance)
{
    struct eni *const *enis;
    return instance_enis(net, instance, &enis) > 0 ? enis[0] : NULL;
}

static bool
target_is_dead(const struct network *net, const char *id)
{
    struct ip ip;
    const struct instance *instance = id ? store_get(net->store, &instance_kind, id) : NULL;
    const struct eni *eni = instance ? first_eni(net, instance) : NULL;
    return eni ? eni_is_dead(net, eni) : id && ip_parse(id, &ip) && address_is_dead(net, &ip);
}

/* A balancer is as well as any of its targets; one without targets is not. */
static bool
balancer_is_dead(const struct network *net, const struct load_balancer *lb)
{
    for (const struct target_group *g = store_first(net->store, &target_group_kind); g; g = store_next(net->store, g)) {
        bool serves = false;
        for (size_t i = 0; i < g->balancer_arns.n; i++) {
            serves |= str_is(g->balancer_arns.items[i], lb->arn);
        }
        for (size_t i = 0; serves && i < g->targets.n; i++) {
            if (!target_is_dead(net, g->targets.items[i].id)) {
                return false;
            }
        }
    }
    return true;
}

static bool
alias_is_dead(const struct network *net, const char *alias)
{
    char target[DNS_NAME_SIZE], own[DNS_NAME_SIZE];
    if (!dns_name_read(alias, target)) {
        return false;
    }
    for (const struct load_balancer *lb = store_first(net->store, &load_balancer_kind); lb;
         lb = store_next(net->store, lb)) {
        if (lb->dns_name && dns_name_read(lb->dns_name, own) && dns_name_within(target, own)) {
            return balancer_is_dead(net, lb);
        }
    }
    return false;
}

static bool
is_healthy(const struct network *net, const struct dns_record_set *record)
{
    if (record->alias_name) {
        return !record->alias_health || !alias_is_dead(net, record->alias_name);
    }
    size_t dead = 0;
    for (size_t i = 0; record->health_check && i < record->values.n; i++) {
        struct ip ip;
        dead +=
            record->values.items[i].value && ip_parse(record->values.items[i].value, &ip) && address_is_dead(net, &ip);
    }
    return dead == 0 || dead < record->values.n;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* Where AWS's regions are. */
static const struct {
    const char *region, *continent, *country, *subdivision;
} places[] = {
    { "us-east-1", "NA", "US", "VA" },    { "us-east-2", "NA", "US", "OH" },     { "us-west-1", "NA", "US", "CA" },
    { "us-west-2", "NA", "US", "OR" },    { "us-gov-west-1", "NA", "US", "OR" }, { "us-gov-east-1", "NA", "US", "OH" },
    { "ca-central-1", "NA", "CA", "" },   { "ca-west-1", "NA", "CA", "" },       { "mx-central-1", "NA", "MX", "" },
    { "sa-east-1", "SA", "BR", "" },      { "eu-west-1", "EU", "IE", "" },       { "eu-west-2", "EU", "GB", "" },
    { "eu-west-3", "EU", "FR", "" },      { "eu-central-1", "EU", "DE", "" },    { "eu-central-2", "EU", "CH", "" },
    { "eu-north-1", "EU", "SE", "" },     { "eu-south-1", "EU", "IT", "" },      { "eu-south-2", "EU", "ES", "" },
    { "af-south-1", "AF", "ZA", "" },     { "me-south-1", "AS", "BH", "" },      { "me-central-1", "AS", "AE", "" },
    { "il-central-1", "AS", "IL", "" },   { "ap-south-1", "AS", "IN", "" },      { "ap-south-2", "AS", "IN", "" },
    { "ap-east-1", "AS", "HK", "" },      { "ap-northeast-1", "AS", "JP", "" },  { "ap-northeast-2", "AS", "KR", "" },
    { "ap-northeast-3", "AS", "JP", "" }, { "ap-southeast-1", "AS", "SG", "" },  { "ap-southeast-3", "AS", "ID", "" },
    { "ap-southeast-5", "AS", "MY", "" }, { "ap-southeast-7", "AS", "TH", "" },  { "ap-southeast-2", "OC", "AU", "" },
    { "ap-southeast-4", "OC", "AU", "" }, { "cn-north-1", "AS", "CN", "" },      { "cn-northwest-1", "AS", "CN", "" },
};

/* How well a location fits: 3 a subdivision, 2 a country, 1 a continent, 0 anywhere, -1 not. */
static int
location_fit(const json_t *location, const char *region)
{
    const char *continent = json_str(location, "ContinentCode"), *country = json_str(location, "CountryCode"),
               *subdivision = json_str(location, "SubdivisionCode");
    if (str_is(country, "*")) {
        return 0;
    }
    for (size_t i = 0; region && i < ARRAY_SIZE(places); i++) {
        if (strcmp(places[i].region, region) != 0) {
            continue;
        }
        return continent                                    ? (str_is(continent, places[i].continent) ? 1 : -1)
               : !str_is(country, places[i].country)        ? -1
               : !subdivision                               ? 2
               : str_is(subdivision, places[i].subdivision) ? 3
                                                            : -1;
    }
    return -1;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

struct candidates {
    const struct network *net;
    VEC(const struct dns_record_set *) sets;
    const char *region;
    uint32_t draw;
    bool none_healthy; /* then every record counts, as Route 53 has it */
};

static bool
counts(const struct candidates *c, const struct dns_record_set *record)
{
    return c->none_healthy || is_healthy(c->net, record);
}

static void
choose(struct record_choice *choice, const struct dns_record_set *record)
{
    *VEC_ADD(&choice->sets) = record;
}

static int64_t
weight(const struct dns_record_set *record)
{
    return json_integer_value(record->weight);
}

/* Records of weight 0 are answered when nothing else is left. */
static void
by_weight(const struct candidates *c, struct record_choice *choice)
{
    int64_t sum = 0, at;
    size_t first = 0;
    for (size_t i = 0; i < c->sets.n; i++) {
        sum += counts(c, c->sets.items[i]) ? weight(c->sets.items[i]) : 0;
    }
    for (size_t i = 0; i < c->sets.n; i++) {
        if (counts(c, c->sets.items[i]) && (sum == 0 || weight(c->sets.items[i]) > 0)) {
            choose(choice, c->sets.items[i]);
        }
    }
    at = sum ? (int64_t)c->draw % sum : (int64_t)(c->draw % (choice->sets.n + !choice->sets.n));
    for (size_t i = 0; i < choice->sets.n; i++) {
        if (!c->draw) { /* the heaviest */
            first = weight(choice->sets.items[i]) > weight(choice->sets.items[first]) ? i : first;
        } else if (at >= 0) {
            first = i;
            at -= sum ? weight(choice->sets.items[i]) : 1;
        }
    }
    if (choice->sets.n > 0) {
        const struct dns_record_set *chosen = choice->sets.items[first];
        choice->sets.items[first] = choice->sets.items[0];
        choice->sets.items[0] = chosen;
        snprintf(choice->why, sizeof choice->why, "by weight, %lld of %lld", (long long)weight(chosen), (long long)sum);
    }
}

/* The secondary record while the primary is unhealthy and it is not; else the primary. */
static void
by_failover(const struct candidates *c, struct record_choice *choice)
{
    const struct dns_record_set *of[2] = { NULL, NULL };
    for (size_t i = 0; i < c->sets.n; i++) {
        of[str_is(json_string_value(c->sets.items[i]->failover), "SECONDARY")] = c->sets.items[i];
    }
    bool over = of[1] && (!of[0] || (!is_healthy(c->net, of[0]) && is_healthy(c->net, of[1])));
    choose(choice, of[over]);
    snprintf(choice->why, sizeof choice->why, over ? "the secondary, as the primary is %s" : "the primary",
             of[0] ? "unhealthy" : "missing");
}

/* That of the asker's own region; which of others is nearer, no call of AWS tells. */
static void
by_region(const struct candidates *c, struct record_choice *choice)
{
    for (size_t i = 0; i < c->sets.n; i++) {
        if (counts(c, c->sets.items[i]) && str_is(json_string_value(c->sets.items[i]->region), c->region)) {
            choose(choice, c->sets.items[i]);
            snprintf(choice->why, sizeof choice->why, "by latency, %s is the asker's own region", c->region);
            return;
        }
    }
    for (size_t i = 0; i < c->sets.n; i++) {
        if (counts(c, c->sets.items[i])) {
            choose(choice, c->sets.items[i]);
        }
    }
    snprintf(choice->why, sizeof choice->why, "by latency, which vpclab does not know between regions");
}

static void
by_location(const struct candidates *c, struct record_choice *choice)
{
    const struct dns_record_set *best = NULL;
    int best_fit = -1;
    for (size_t i = 0; i < c->sets.n; i++) {
        int fit = counts(c, c->sets.items[i]) ? location_fit(c->sets.items[i]->geo, c->region) : -1;
        if (fit > best_fit) {
            best = c->sets.items[i];
            best_fit = fit;
        }
    }
    if (best) {
        choose(choice, best);
    }
    snprintf(choice->why, sizeof choice->why, "by the location of %s", c->region ? c->region : "who asks");
}

static void
by_many(const struct candidates *c, struct record_choice *choice)
{
    for (size_t i = 0; i < c->sets.n && choice->sets.n < MULTI_VALUE_MAX; i++) {
        const struct dns_record_set *record = c->sets.items[(i + c->draw) % c->sets.n];
        if (counts(c, record)) {
            choose(choice, record);
        }
    }
    choice->together = true;
    snprintf(choice->why, sizeof choice->why, "%zu of %zu values", choice->sets.n, c->sets.n);
}

static const struct {
    const char *policy;
    void (*choose)(const struct candidates *, struct record_choice *);
} choosers[] = {
    { "Weight", by_weight },        { "Failover", by_failover },     { "Region", by_region },
    { "GeoLocation", by_location }, { "MultiValueAnswer", by_many },
};

void
record_choose(const struct network *net, const struct hosted_zone *zone, const char *name, const char *type,
              const char *region, uint32_t draw, struct record_choice *choice)
{
    struct candidates c = { .net = net, .region = region, .draw = draw, .none_healthy = true };
    for (size_t i = 0; i < zone->records.n; i++) {
        const struct dns_record_set *record = &zone->records.items[i];
        if (str_is(record->name, name) && str_is(record->type, type)) {
            *VEC_ADD(&c.sets) = record;
            c.none_healthy = c.none_healthy && !is_healthy(net, record);
        }
    }
    const char *policy = c.sets.n ? record_policy(c.sets.items[0]) : NULL;
    for (size_t i = 0; policy && i < ARRAY_SIZE(choosers); i++) {
        if (strcmp(choosers[i].policy, policy) == 0) {
            choosers[i].choose(&c, choice);
        }
    }
    for (size_t i = 0; !policy && i < c.sets.n; i++) { /* simple, or an import's that nothing here decides */
        choose(choice, c.sets.items[i]);
    }
    VEC_DONE(&c.sets);
}

void
record_choice_done(struct record_choice *choice)
{
    VEC_DONE(&choice->sets);
}

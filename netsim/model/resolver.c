#include "netsim/model/resolver.h"

#include <stdarg.h>
#include <stdio.h>
#include "netsim/model/record_routing.h"
#include "netsim/model/resolver_names.h"

#define CHAIN_MAX 8 /* CNAMEs and aliases one after another; more is taken for a circle */

static const struct {
    int type;
    const char *name;
} types[] = {
    { DNS_A, "A" },     { DNS_AAAA, "AAAA" }, { DNS_CNAME, "CNAME" }, { DNS_NS, "NS" },   { DNS_SOA, "SOA" },
    { DNS_PTR, "PTR" }, { DNS_MX, "MX" },     { DNS_TXT, "TXT" },     { DNS_SRV, "SRV" }, { DNS_CAA, "CAA" }
};

const char *
dns_type_name(int type)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (types[i].type == type) {
            return types[i].name;
        }
    }
    return NULL;
}

int
dns_type_parse(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (str_is(types[i].name, text)) {
            return types[i].type;
        }
    }
    return 0;
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static void
record_list_done(struct dns_record *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(records[i].name);
        free(records[i].text);
    }
}

void
dns_answer_done(struct dns_answer *answer)
{
    record_list_done(answer->records.items, answer->records.n);
    record_list_done(answer->possible.items, answer->possible.n);
    VEC_DONE(&answer->records);
    VEC_DONE(&answer->possible);
    free(answer->reason);
    free(answer->hint);
    *answer = (struct dns_answer){ 0 };
}

bool
dns_say(struct dns_question *q, enum dns_outcome outcome, const char *authority, const char *format, ...)
{
    va_list args;
    struct buf text = { 0 };
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    free(q->answer->reason);
    q->answer->reason = buf_steal(&text);
    q->answer->outcome = outcome;
    id_set(q->answer->authority, authority);
    return true;
}

bool
dns_hint(struct dns_question *q, const char *format, ...)
{
    va_list args;
    struct buf text = { 0 };
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    free(q->answer->hint);
    q->answer->hint = buf_steal(&text);
    return true;
}

void
dns_add(struct dns_question *q, int type, int64_t ttl_s, const struct ip *ip, const char *text)
{
    struct dns_record *record = VEC_ADD(&q->answer->records);
    record->name = xstrdup(q->owner);
    record->type = type;
    record->ttl_s = (int32_t)ttl_s;
    record->ip = ip ? *ip : (struct ip){ 0 };
    record->text = text ? xstrdup(text) : NULL;
}

/* ---- hosted zones ------------------------------------------------------------------------------------------------ */

static bool
has_name(const struct hosted_zone *zone, const char *name, bool below)
{
    for (size_t i = 0; i < zone->records.n; i++) {
        const char *own = zone->records.items[i].name;
        if (own && (strcmp(own, name) == 0 || (below && dns_name_within(own, name)))) {
            return true;
        }
    }
    return false;
}

/* The name whose records answer: itself, or the wildcard at its closest ancestor that exists (RFC 4592).  NULL: nobody.
 */
static const char *
name_in_zone(const struct hosted_zone *zone, const char *name, char wildcard[static DNS_NAME_SIZE])
{
    if (has_name(zone, name, true)) {
        return name;
    }
    for (const char *up = strchr(name, '.'); up && strlen(up + 1) >= strlen(zone->name); up = strchr(up + 1, '.')) {
        snprintf(wildcard, DNS_NAME_SIZE, "*.%.250s", up + 1);
        if (has_name(zone, wildcard, false)) {
            return wildcard;
        }
        if (has_name(zone, up + 1, true)) {
            return NULL;
        }
    }
    return NULL;
}

static void
add_values(struct dns_question *q, const struct dns_record_set *record, int type)
{
    for (size_t i = 0; i < record->values.n; i++) {
        const char *value = record->values.items[i].value;
        struct ip ip = { 0 };
        char name[DNS_NAME_SIZE];
        bool names = type == DNS_CNAME || type == DNS_NS || type == DNS_PTR;
        if (type != DNS_A && type != DNS_AAAA) {
            dns_add(q, type, record->ttl_s, NULL, names && dns_name_read(value, name) ? name : value);
        } else if (ip_parse(value, &ip)) {
            dns_add(q, type, record->ttl_s, &ip, NULL);
        }
    }
}

static bool ask(struct dns_question *q, int depth);

/* Instead of values the name of another: its addresses are answered under this name. */
static bool
follow_alias(struct dns_question *q, const struct hosted_zone *zone, const struct dns_record_set *record, int depth)
{
    char target[DNS_NAME_SIZE];
    if (!record->alias_name || !dns_name_read(record->alias_name, target)) {
        return dns_say(q, DNS_FAILED, zone->obj.id, "the alias of `%s` in `%s` names nothing", dns_name_short(q->name),
                       zone->obj.id);
    }
    size_t before = q->answer->records.n;
    struct dns_question next = *q;
    next.name = target;
    ask(&next, depth + 1);
    char *found = q->answer->reason;
    q->answer->reason = NULL;
    bool answered = q->answer->outcome == DNS_ANSWERED;
    for (size_t i = before; i < q->answer->records.n && record->ttl_s; i++) {
        q->answer->records.items[i].ttl_s = (int32_t)record->ttl_s;
    }
    dns_say(q,
            answered                              ? DNS_ANSWERED
            : q->answer->outcome == DNS_ELSEWHERE ? DNS_ELSEWHERE
                                                  : DNS_NO_DATA,
            zone->obj.id, "`%s` in hosted zone `%s` is an alias of `%s`: %s", dns_name_short(q->name), zone->obj.id,
            dns_name_short(target), found ? found : "");
    free(found);
    return true;
}

static bool
follow_cname(struct dns_question *q, const struct hosted_zone *zone, const struct dns_record_set *record, int depth)
{
    char target[DNS_NAME_SIZE];
    if (record->values.n == 0 || !dns_name_read(record->values.items[0].value, target)) {
        return dns_say(q, DNS_FAILED, zone->obj.id, "the CNAME of `%s` in `%s` names nothing", dns_name_short(q->name),
                       zone->obj.id);
    }
    add_values(q, record, DNS_CNAME);
    struct dns_question next = *q;
    next.name = next.owner = target;
    ask(&next, depth + 1);
    char *found = q->answer->reason;
    q->answer->reason = NULL;
    dns_say(q, q->answer->outcome, zone->obj.id, "`%s` in hosted zone `%s` stands for `%s`: %s",
            dns_name_short(q->name), zone->obj.id, dns_name_short(target), found ? found : "");
    free(found);
    return true;
}

/* What another choice would have answered: its addresses join those that are possible. */
static void
add_possible(struct dns_question *q, const struct hosted_zone *zone, const struct dns_record_set *record, int depth)
{
    struct dns_answer other = { 0 };
    struct dns_question next = *q;
    next.answer = &other;
    if (record->alias_name) {
        follow_alias(&next, zone, record, depth);
    } else if (str_is(record->type, "CNAME")) {
        follow_cname(&next, zone, record, depth);
    } else {
        add_values(&next, record, q->type);
    }
    for (size_t i = 0; i < other.records.n; i++) {
        *VEC_ADD(&q->answer->possible) = other.records.items[i];
    }
    for (size_t i = 0; i < other.possible.n; i++) {
        *VEC_ADD(&q->answer->possible) = other.possible.items[i];
    }
    other.records.n = other.possible.n = 0; /* handed over */
    dns_answer_done(&other);
}

/* The records of one type that the name has there, as its routing policy chooses. */
static bool
answer_chosen(struct dns_question *q, const struct hosted_zone *zone, const struct record_choice *choice, int depth)
{
    const struct dns_record_set *record = choice->sets.items[0];
    for (size_t i = 1; !choice->together && i < choice->sets.n; i++) {
        add_possible(q, zone, choice->sets.items[i], depth);
    }
    if (record->alias_name) {
        return follow_alias(q, zone, record, depth);
    }
    if (str_is(record->type, "CNAME") && q->type != DNS_CNAME) {
        return follow_cname(q, zone, record, depth);
    }
    for (size_t i = 0; i < (choice->together ? choice->sets.n : 1); i++) {
        add_values(q, choice->sets.items[i], q->type);
    }
    return dns_say(q, DNS_ANSWERED, zone->obj.id, "the %s hosted zone `%s` (%s) has the record of `%s`%s%s%s",
                   zone->is_private ? "private" : "public", dns_name_short(zone->name), zone->obj.id,
                   dns_name_short(q->name), choice->why[0] ? " (" : "", choice->why, choice->why[0] ? ")" : "");
}

static bool
zone_answers(struct dns_question *q, const struct hosted_zone *zone, int depth)
{
    char wildcard[DNS_NAME_SIZE];
    const char *kind = zone->is_private ? "private hosted zone" : "public hosted zone";
    const char *name = name_in_zone(zone, q->name, wildcard);
    if (!name) {
        dns_say(q, DNS_NO_NAME, zone->obj.id, "the %s `%s` (%s) owns the name and has no record of it", kind,
                dns_name_short(zone->name), zone->obj.id);
        return dns_hint(q, "route53 change-resource-record-sets --hosted-zone-id %s", zone->obj.id);
    }
    const char *types_tried[] = { dns_type_name(q->type), "CNAME" };
    for (size_t i = 0; i < ARRAY_SIZE(types_tried); i++) {
        struct record_choice choice = { 0 };
        bool any = types_tried[i] && hosted_zone_record(zone, name, types_tried[i]);
        record_choose(q->net, zone, name, any ? types_tried[i] : "", q->vpc ? q->vpc->obj.region : NULL,
                      q->moment->draw, &choice);
        bool chosen = choice.sets.n > 0 && answer_chosen(q, zone, &choice, depth);
        if (any && !chosen) {
            dns_say(q, DNS_NO_DATA, zone->obj.id, "no record of `%s` in `%s` (%s) is for it, %s",
                    dns_name_short(q->name), dns_name_short(zone->name), zone->obj.id, choice.why);
        }
        record_choice_done(&choice);
        if (any) {
            return true;
        }
    }
    const char *type = types_tried[0];
    return dns_say(q, DNS_NO_DATA, zone->obj.id, "the %s `%s` (%s) has %s record of `%s` not", kind,
                   dns_name_short(zone->name), zone->obj.id, type ? type : "no such", dns_name_short(q->name));
}

/* The most specific zone that holds the name: private ones of the VPC, or public ones. */
static const struct hosted_zone *
zone_of(const struct dns_question *q, bool private)
{
    const struct hosted_zone *best = NULL;
    for (const struct hosted_zone *z = store_first(q->net->store, &hosted_zone_kind); z;
         z = store_next(q->net->store, z)) {
        if (z->name && z->is_private == private && dns_name_within(q->name, z->name) &&
            (!private || (q->vpc && hosted_zone_has_vpc(z, q->vpc->obj.id))) &&
            (!best || strlen(z->name) > strlen(best->name))) {
            best = z;
        }
    }
    return best;
}

/* A private zone that has the name but is not for this VPC: worth saying. */
static const struct hosted_zone *
zone_of_others(const struct dns_question *q)
{
    for (const struct hosted_zone *z = store_first(q->net->store, &hosted_zone_kind); z;
         z = store_next(q->net->store, z)) {
        char wildcard[DNS_NAME_SIZE];
        if (z->is_private && z->name && dns_name_within(q->name, z->name) &&
            !(q->vpc && hosted_zone_has_vpc(z, q->vpc->obj.id)) && name_in_zone(z, q->name, wildcard)) {
            return z;
        }
    }
    return NULL;
}

/* ---- who decides ------------------------------------------------------------------------------------------------- */

static bool
nobody_knows(struct dns_question *q)
{
    const struct hosted_zone *zone = zone_of_others(q);
    if (zone && q->vpc) {
        dns_say(q, DNS_ELSEWHERE, zone->obj.id,
                "the private hosted zone `%s` (%s), which has the name, is not associated with `%s`; the public DNS is "
                "asked, which is not in the lab",
                dns_name_short(zone->name), zone->obj.id, q->vpc->obj.id);
        return dns_hint(q, "route53 associate-vpc-with-hosted-zone --hosted-zone-id %s --vpc VPCRegion=%s,VPCId=%s",
                        zone->obj.id, q->vpc->obj.region, q->vpc->obj.id);
    }
    if (zone) {
        return dns_say(q, DNS_ELSEWHERE, zone->obj.id,
                       "only the VPCs of the private hosted zone `%s` (%s) know the name; the public DNS is asked, "
                       "which is not in the lab",
                       dns_name_short(zone->name), zone->obj.id);
    }
    return dns_say(q, DNS_ELSEWHERE, "",
                   "`%s` belongs to nothing in the lab; the public DNS is asked, which is not in it",
                   dns_name_short(q->name));
}

/* Private zones, private DNS of endpoints and internal names: the longest domain owns the name; of the same length the
 * first of them. */
static bool
ask_private(struct dns_question *q, int depth)
{
    const struct hosted_zone *zone = zone_of(q, true);
    char domain[DNS_NAME_SIZE] = "";
    bool off;
    const struct endpoint *endpoint = dns_endpoint_of_name(q->net, q->vpc, q->name, domain, &off);
    const char *internal = dns_internal_domain(q->name);
    size_t zone_size = zone ? strlen(zone->name) : 0, endpoint_size = endpoint && !off ? strlen(domain) : 0;
    if (zone && !dns_vpc_names(q->vpc)) {
        dns_say(
            q, DNS_ELSEWHERE, zone->obj.id,
            "private hosted zones need enableDnsHostnames of `%s`, which is off; the public DNS is asked, which is not "
            "in the lab",
            q->vpc->obj.id);
        return dns_hint(q, "%s", dns_vpc_names_hint(q->vpc));
    }
    if (zone && zone_size >= endpoint_size && zone_size >= (internal ? strlen(internal) : 0)) {
        return zone_answers(q, zone, depth);
    }
    return endpoint_size ? dns_endpoint_answer(q, endpoint, NULL) : dns_internal_name(q);
}

static bool
ask(struct dns_question *q, int depth)
{
    if (depth > CHAIN_MAX) {
        return dns_say(q, DNS_FAILED, "", "more than %d names stand for one another: a circle", CHAIN_MAX);
    }
    if (q->vpc && !q->vpc->dns_support) {
        dns_say(q, DNS_SILENT, "", "`%s` has enableDnsSupport off: its resolver does not answer", q->vpc->obj.id);
        return dns_hint(q, "%s", dns_vpc_names_hint(q->vpc));
    }
    if (q->vpc && ask_private(q, depth)) {
        return true;
    }
    const struct hosted_zone *zone = zone_of(q, false);
    return zone ? zone_answers(q, zone, depth) : dns_public_aws_name(q) || nobody_knows(q);
}

static const struct resolver_moment usual = { 0 };

bool
resolver_ask(const struct network *net, const char *vpc_id, const char *name, int type, struct dns_answer *answer,
             struct err *err)
{
    return resolver_ask_at(net, vpc_id, name, type, &usual, answer, err);
}

bool
resolver_ask_at(const struct network *net, const char *vpc_id, const char *name, int type,
                const struct resolver_moment *moment, struct dns_answer *answer, struct err *err)
{
    char read[DNS_NAME_SIZE];
    const struct vpc *vpc = vpc_id ? network_require(net, &vpc_kind, vpc_id, err) : NULL;
    if (vpc_id && !vpc) {
        return false;
    }
    if (!name || !dns_name_read(name, read)) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is no domain name", name ? name : "");
    }
    memcpy(answer->name, read, sizeof read);
    struct dns_question q = {
        .net = net, .vpc = vpc, .owner = read, .name = read, .type = type, .moment = moment, .answer = answer
    };
    return ask(&q, 0);
}

/* ---- DNS64 ------------------------------------------------------------------------------------------------------- */

bool
resolver_wants_dns64(const struct subnet *subnet, int type, const struct dns_answer *answer)
{
    return subnet && subnet->dns64 && type == DNS_AAAA && answer->outcome == DNS_NO_DATA;
}

static void
make_six(struct dns_record *records, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (records[i].type == DNS_A) {
            struct ip prefix = ip_lit("64:ff9b::");
            records[i].type = DNS_AAAA;
            records[i].ip = ip_add(&prefix, records[i].ip.lo);
        }
    }
}

void
resolver_dns64(const struct subnet *subnet, struct dns_answer *four, struct dns_answer *answer)
{
    if (four->outcome != DNS_ANSWERED) {
        dns_answer_done(four);
        return;
    }
    make_six(four->records.items, four->records.n);
    make_six(four->possible.items, four->possible.n);
    dns_answer_done(answer);
    *answer = *four;
    *four = (struct dns_answer){ 0 };
    char *reason = xasprintf("%s; it has no IPv6 address, so DNS64 of `%s` makes one of the IPv4 address",
                             answer->reason ? answer->reason : "", subnet->obj.id);
    free(answer->reason);
    answer->reason = reason;
}

/* ---- as an instance does it -------------------------------------------------------------------------------------- */

struct ip
resolver_address(const struct vpc *vpc)
{
    return ip_add(&vpc->cidr.ip, 2);
}

static bool
is_amazon(const struct vpc *vpc, const char *server)
{
    struct ip ip, own = resolver_address(vpc), link = ip_lit("169.254.169.253"), link6 = ip_lit("fd00:ec2::253");
    return strcmp(server, "AmazonProvidedDNS") == 0 ||
           (ip_parse(server, &ip) && (ip_equal(&ip, &own) || ip_equal(&ip, &link) || ip_equal(&ip, &link6)));
}

void
resolver_client_of(const struct network *net, const struct vpc *vpc, struct resolver_client *client)
{
    *client = (struct resolver_client){ 0 };
    if (str_is(vpc->dhcp_options_id, "default")) {
        return; /* AWS's word for no options at all */
    }
    const struct dhcp_options *options =
        vpc->dhcp_options_id ? store_get(net->store, &dhcp_options_kind, vpc->dhcp_options_id) : NULL;
    for (size_t i = 0; options && i < options->configurations.n; i++) {
        const struct dhcp_configuration *c = &options->configurations.items[i];
        for (size_t k = 0; k < c->values.n && str_is(c->key, "domain-name-servers"); k++) {
            *VEC_ADD(&client->servers) = c->values.items[k].value;
            client->amazon |= is_amazon(vpc, c->values.items[k].value);
        }
        if (str_is(c->key, "domain-name") && c->values.n && c->values.items[0].value) {
            /* Some systems take several domains in the one value; the first is searched first. */
            char first[DNS_NAME_SIZE];
            snprintf(first, sizeof first, "%.*s", (int)strcspn(c->values.items[0].value, " ,"),
                     c->values.items[0].value);
            client->domain[0] = '\0';
            if (!dns_name_read(first, client->domain)) {
                client->domain[0] = '\0';
            }
        }
    }
    if (!options) { /* left out by an import: what every region begins with */
        *VEC_ADD(&client->servers) = "AmazonProvidedDNS";
        client->amazon = true;
        snprintf(client->domain, sizeof client->domain,
                 strcmp(vpc->obj.region, "us-east-1") == 0 ? "ec2.internal." : "%s.compute.internal.", vpc->obj.region);
    }
}

void
resolver_client_done(struct resolver_client *client)
{
    VEC_DONE(&client->servers);
}

static bool
no_amazon_server(struct dns_question *q, const struct resolver_client *client)
{
    struct buf servers = { 0 };
    for (size_t i = 0; i < client->servers.n; i++) {
        buf_printf(&servers, "%s%s", i ? ", " : "", client->servers.items[i]);
    }
    if (client->servers.n) {
        dns_say(q, DNS_ELSEWHERE, "", "DHCP sends the instances of `%s` to %s, and what these answer is not in the lab",
                q->vpc->obj.id, buf_str(&servers));
    } else {
        dns_say(q, DNS_SILENT, "", "DHCP names no server to the instances of `%s`", q->vpc->obj.id);
    }
    buf_done(&servers);
    return dns_hint(q, "ec2 associate-dhcp-options with a set whose domain-name-servers has AmazonProvidedDNS");
}

bool
resolver_lookup(const struct network *net, const char *vpc_id, const char *name, int type, struct dns_answer *answer,
                struct err *err)
{
    return resolver_lookup_at(net, vpc_id, name, type, &usual, answer, err);
}

bool
resolver_lookup_at(const struct network *net, const char *vpc_id, const char *name, int type,
                   const struct resolver_moment *moment, struct dns_answer *answer, struct err *err)
{
    const struct vpc *vpc = vpc_id ? network_require(net, &vpc_kind, vpc_id, err) : NULL;
    char read[DNS_NAME_SIZE];
    if (!vpc || !name || !dns_name_read(name, read)) {
        return resolver_ask_at(net, vpc_id, name, type, moment, answer, err);
    }
    struct resolver_client client;
    resolver_client_of(net, vpc, &client);
    bool ok;
    if (!client.amazon) {
        struct dns_question q = { .net = net, .vpc = vpc, .owner = read, .name = read, .type = type, .answer = answer };
        memcpy(answer->name, read, sizeof read);
        ok = no_amazon_server(&q, &client);
    } else if (!strchr(name, '.') && client.domain[0] && strlen(read) + strlen(client.domain) < DNS_NAME_SIZE) {
        char full[2 * DNS_NAME_SIZE];
        snprintf(full, sizeof full, "%s%s", read, client.domain);
        ok = resolver_ask_at(net, vpc_id, full, type, moment, answer, err);
    } else {
        ok = resolver_ask_at(net, vpc_id, name, type, moment, answer, err);
    }
    resolver_client_done(&client);
    return ok;
}

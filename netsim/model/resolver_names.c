/* Names that AWS itself gives.  Sources: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html and
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/hostname-types.html (ip-name, resource-name),
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-dns.html (public names across peering),
 * https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html */
#include "netsim/model/resolver_names.h"

#include <ctype.h>
#include <stdio.h>

#include "netsim/model/failure.h"

#define NAME_TTL_S 60 /* what Amazon's own names last */

bool
dns_vpc_names(const struct vpc *vpc)
{
    return vpc->dns_support && vpc->dns_hostnames;
}

const char *
dns_vpc_names_hint(const struct vpc *vpc)
{
    static _Thread_local char text[160];
    snprintf(text, sizeof text, "ec2 modify-vpc-attribute --vpc-id %s --enable-dns-%s", vpc->obj.id,
             vpc->dns_support ? "hostnames" : "support");
    return text;
}

static void
add_eni(struct dns_question *q, const struct eni *eni, bool public)
{
    const struct ip *ip = eni_primary_ip(eni);
    ip = ip && public ? eni_public_ip(eni, ip) : ip;
    if (ip && q->type == DNS_A) {
        dns_add(q, DNS_A, NAME_TTL_S, ip, NULL);
    }
    if (eni->addresses6.n && q->type == DNS_AAAA) {
        dns_add(q, DNS_AAAA, NAME_TTL_S, &eni->addresses6.items[0].ip, NULL);
    }
}

static enum dns_outcome
outcome_of(const struct dns_question *q)
{
    size_t n = q->answer->records.n;
    return n && q->answer->records.items[n - 1].type == q->type ? DNS_ANSWERED : DNS_NO_DATA;
}

/* ---- inside a VPC ------------------------------------------------------------------------------------------------ */

const char *
dns_internal_domain(const char *name)
{
    static const char *const domains[] = { "ec2.internal.", "compute.internal." };
    for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
        if (dns_name_within(name, domains[i])) {
            return domains[i];
        }
    }
    return NULL;
}

/* "ip-10-0-1-5." at the start of a name. */
static bool
read_ip_name(const char *name, const char *prefix, struct ip *ip)
{
    unsigned a, b, c, d;
    int length = 0;
    size_t skip = strlen(prefix);
    if (strncmp(name, prefix, skip) != 0 || sscanf(name + skip, "%3u-%3u-%3u-%3u.%n", &a, &b, &c, &d, &length) != 4 ||
        !length || a > 255 || b > 255 || c > 255 || d > 255) {
        return false;
    }
    *ip = ip_v4(a << 24 | b << 16 | c << 8 | d);
    return true;
}

static bool
no_instance_name(struct dns_question *q, const struct vpc *home, const char *what)
{
    if (home && home != q->vpc) {
        return dns_say(q, DNS_NO_NAME, "", "private names are known in their own VPC only: `%s` belongs to `%s`",
                       dns_name_short(q->name), home->obj.id);
    }
    return dns_say(q, DNS_NO_NAME, "", "no interface of `%s` has the %s of `%s`", q->vpc->obj.id, what,
                   dns_name_short(q->name));
}

/* An interface of another VPC with that address, to say where the name would be known. */
static const struct vpc *
home_of_address(const struct dns_question *q, const struct ip *ip)
{
    for (const struct vpc *vpc = store_first(q->net->store, &vpc_kind); vpc; vpc = store_next(q->net->store, vpc)) {
        if (network_eni_by_address(q->net, vpc->obj.id, ip)) {
            return vpc;
        }
    }
    return NULL;
}

static bool
ip_name(struct dns_question *q, const struct ip *ip)
{
    char expected[80];
    dns_private_name(q->vpc->obj.region, ip, expected, sizeof expected);
    const struct eni *eni = network_eni_by_address(q->net, q->vpc->obj.id, ip);
    if (strcmp(expected, dns_name_short(q->name)) != 0 || !eni) {
        return no_instance_name(q, home_of_address(q, ip), "address");
    }
    if (q->type == DNS_A) {
        dns_add(q, DNS_A, NAME_TTL_S, ip, NULL);
    }
    return dns_say(q, outcome_of(q), eni->obj.id, "`%s` is the IP name of %s", dns_name_short(q->name),
                   eni_label(q->net, eni));
}

static bool
resource_name(struct dns_question *q, const struct instance *instance)
{
    const struct eni *eni = instance_eni(q->net, instance, 0);
    const struct vpc *home = store_get(q->net->store, &vpc_kind, instance->vpc_id);
    if (home != q->vpc || !eni || instance_kind.gone(instance)) {
        return no_instance_name(q, home, "id");
    }
    bool wanted = q->type == DNS_AAAA ? instance->dns_aaaa_record : instance->dns_a_record;
    if (wanted) {
        add_eni(q, eni, false);
    }
    dns_say(q, outcome_of(q), instance->obj.id,
            wanted ? "`%s` is the resource name of %s" : "`%s` has no %s record: %s", dns_name_short(q->name),
            wanted ? eni_label(q->net, eni) : (q->type == DNS_AAAA ? "AAAA" : "A"),
            "its resource name is not answered for it");
    return wanted || (q->type != DNS_A && q->type != DNS_AAAA) ||
           dns_hint(q, "ec2 modify-private-dns-name-options --instance-id %s --enable-resource-name-dns-%s-record",
                    instance->obj.id, q->type == DNS_AAAA ? "aaaa" : "a");
}

/* "5.1.0.10.in-addr.arpa.": the name of who has the address. */
static bool
reverse_name(struct dns_question *q)
{
    unsigned a, b, c, d;
    int length = 0;
    if (sscanf(q->name, "%3u.%3u.%3u.%3u.in-addr.arpa.%n", &d, &c, &b, &a, &length) != 4 || !length ||
        (a | b | c | d) > 255) {
        return false;
    }
    struct ip ip = ip_v4(a << 24 | b << 16 | c << 8 | d);
    const struct eni *eni = network_eni_by_address(q->net, q->vpc->obj.id, &ip);
    if (!eni && !vpc_contains_ip(q->vpc, &ip)) {
        return false;
    }
    if (eni && q->type == DNS_PTR) {
        char name[80];
        dns_private_name(eni->obj.region, &ip, name, sizeof name - 1);
        strcat(name, ".");
        dns_add(q, DNS_PTR, NAME_TTL_S, NULL, name);
    }
    return dns_say(q, eni ? outcome_of(q) : DNS_NO_NAME, eni ? eni->obj.id : "", "%s `%s` has the address %s",
                   eni ? eni_label(q->net, eni) : "no interface of", q->vpc->obj.id, ip_str(&ip));
}

bool
dns_internal_name(struct dns_question *q)
{
    struct ip ip;
    if (!dns_internal_domain(q->name)) {
        return dns_vpc_names(q->vpc) && reverse_name(q);
    }
    if (!dns_vpc_names(q->vpc)) {
        dns_say(q, DNS_NO_NAME, "", "`%s` has enableDnsHostnames off: private names of instances are not answered",
                q->vpc->obj.id);
        return dns_hint(q, "%s", dns_vpc_names_hint(q->vpc));
    }
    if (read_ip_name(q->name, "ip-", &ip)) {
        return ip_name(q, &ip);
    }
    char id[ID_SIZE];
    snprintf(id, sizeof id, "%.*s", (int)strcspn(q->name, "."), q->name);
    const struct instance *instance = store_get(q->net->store, &instance_kind, id);
    char expected[DNS_NAME_SIZE];
    snprintf(expected, sizeof expected,
             strcmp(q->vpc->obj.region, "us-east-1") == 0 ? "%s.ec2.internal." : "%s.%s.compute.internal.", id,
             q->vpc->obj.region);
    if (instance && strcmp(expected, q->name) == 0) {
        return resource_name(q, instance);
    }
    return no_instance_name(q, NULL, instance ? "region" : "id");
}

/* ---- endpoints --------------------------------------------------------------------------------------------------- */

static bool
is_own_name(const char *name)
{
    return strstr(name, ".vpce.amazonaws.com") != NULL;
}

/* "*.dkr.ecr.us-east-1.amazonaws.com" stands for every name below it, any other for itself. */
static bool
entry_owns(const char *entry, const char *name, char domain[static DNS_NAME_SIZE])
{
    char read[DNS_NAME_SIZE];
    if (!dns_name_read(entry, read)) {
        return false;
    }
    bool any = strncmp(read, "*.", 2) == 0;
    snprintf(domain, DNS_NAME_SIZE, "%s", any ? read + 2 : read);
    return any ? dns_name_within(name, domain) && strcmp(name, domain) != 0 : strcmp(name, domain) == 0;
}

const struct endpoint *
dns_endpoint_of_name(const struct network *net, const struct vpc *vpc, const char *name,
                     char domain[static DNS_NAME_SIZE], bool *off)
{
    const struct endpoint *found = NULL;
    *off = false;
    for (const struct endpoint *e = store_first(net->store, &endpoint_kind); e; e = store_next(net->store, e)) {
        if (strcmp(e->vpc_id, vpc->obj.id) != 0 || endpoint_is_gateway(e) || !endpoint_is_available(e)) {
            continue;
        }
        for (size_t i = 0; i < e->dns_entries.n; i++) {
            const char *entry = e->dns_entries.items[i].name;
            char owned[DNS_NAME_SIZE];
            if (entry && !is_own_name(entry) && entry_owns(entry, name, owned) && (!found || *off)) {
                found = e;
                *off = !e->private_dns || !dns_vpc_names(vpc);
                memcpy(domain, owned, DNS_NAME_SIZE);
            }
        }
    }
    return found;
}

bool
dns_endpoint_answer(struct dns_question *q, const struct endpoint *endpoint, const char *zone)
{
    for (size_t i = 0; i < endpoint->eni_ids.n; i++) {
        const struct eni *eni = store_get(q->net->store, &eni_kind, endpoint->eni_ids.items[i]);
        if (eni && (!zone || str_is(eni->zone, zone))) {
            add_eni(q, eni, false);
        }
    }
    return dns_say(q, outcome_of(q), endpoint->obj.id, "`%s` is %s name of the interface endpoint `%s` (%s)",
                   dns_name_short(q->name), is_own_name(q->name) ? "a" : "the private DNS", endpoint->obj.id,
                   endpoint->service_name ? endpoint->service_name : "?");
}

/* The zone in "vpce-0a1b-9xyz-us-east-1a.sts...": of a subnet of the endpoint. */
static const char *
zone_in_name(const struct dns_question *q, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->eni_ids.n; i++) {
        const struct eni *eni = store_get(q->net->store, &eni_kind, endpoint->eni_ids.items[i]);
        size_t n = strcspn(q->name, "."), length = eni && eni->zone ? strlen(eni->zone) : 0;
        if (length && n > length && memcmp(q->name + n - length, eni->zone, length) == 0) {
            return eni->zone;
        }
    }
    return NULL;
}

static bool
endpoint_own_name(struct dns_question *q)
{
    if (!is_own_name(q->name)) {
        return false;
    }
    for (const struct endpoint *e = store_first(q->net->store, &endpoint_kind); e; e = store_next(q->net->store, e)) {
        for (size_t i = 0; i < e->dns_entries.n; i++) {
            char read[DNS_NAME_SIZE];
            if (e->dns_entries.items[i].name && dns_name_read(e->dns_entries.items[i].name, read) &&
                strcmp(read, q->name) == 0) {
                return dns_endpoint_answer(q, e, zone_in_name(q, e));
            }
        }
    }
    return dns_say(q, DNS_NO_NAME, "", "no endpoint of the lab is called `%s`", dns_name_short(q->name));
}

/* ---- public names of what the lab holds -------------------------------------------------------------------------- */

/* Asked in its own VPC, or in a peered one that may, the public name of an instance means its private address. */
static const char *
sees_private(const struct dns_question *q, const struct vpc *home)
{
    if (!q->vpc || q->vpc == home) {
        return q->vpc ? "asked inside its VPC it means the private address" : NULL;
    }
    const struct peering *peering = network_peering_between(q->net, q->vpc->obj.id, home->obj.id);
    const struct peering_side *side = peering ? peering_other(peering, q->vpc->obj.id) : NULL;
    return side && side->dns_resolution
               ? "the peering connection allows DNS resolution, so it means the private address"
               : NULL;
}

static bool
public_instance_name(struct dns_question *q)
{
    struct ip ip, private_ip;
    char expected[80];
    if (!read_ip_name(q->name, "ec2-", &ip)) {
        return false;
    }
    const struct eni *eni = network_eni_by_public_ip(q->net, &ip, &private_ip);
    const struct vpc *home = eni ? store_get(q->net->store, &vpc_kind, eni->vpc_id) : NULL;
    if (!home) {
        return false;
    }
    dns_public_name(home->obj.region, &ip, expected, sizeof expected);
    if (strcmp(expected, dns_name_short(q->name)) != 0) {
        return false;
    }
    if (!dns_vpc_names(home)) {
        dns_say(q, DNS_NO_NAME, eni->obj.id, "%s has no public name: its VPC `%s` has enableDnsHostnames off",
                eni_label(q->net, eni), home->obj.id);
        return dns_hint(q, "%s", dns_vpc_names_hint(home));
    }
    const char *private = sees_private(q, home);
    if (q->type == DNS_A) {
        dns_add(q, DNS_A, NAME_TTL_S, private ? &private_ip : &ip, NULL);
    }
    return dns_say(q, outcome_of(q), eni->obj.id, "`%s` is the public name of %s%s%s", dns_name_short(q->name),
                   eni_label(q->net, eni), private ? "; " : "", private ? private : "");
}

/* "dualstack.NAME" is the balancer, "us-east-1a.NAME" its address in one zone. */
static bool
is_balancer_name(const struct load_balancer *lb, const char *name, char zone[static 24])
{
    char read[DNS_NAME_SIZE];
    zone[0] = '\0';
    if (!lb->dns_name || !dns_name_read(lb->dns_name, read) || !dns_name_within(name, read)) {
        return false;
    }
    size_t extra = strlen(name) - strlen(read);
    if (extra > 1 && strncmp(name, "dualstack.", extra) != 0) {
        snprintf(zone, 24, "%.*s", (int)(extra - 1 < 23 ? extra - 1 : 23), name);
    }
    return true;
}

/* A node in a zone that has failed, or has no healthy targets, is left out of the balancer's own name, unless all are:
 * then AWS names them all.  Source: https://repost.aws/knowledge-center/elb-dns-cross-zone-balance-configuration */
static bool
is_left_out(const struct dns_question *q, const struct load_balancer *lb, const struct eni *node)
{
    const struct resolver_moment *now = q->moment;
    return eni_failure(q->net, node) || (now->serves && !now->serves(now->context, q->net, lb, node));
}

static bool
leaves_out_some(const struct dns_question *q, const struct load_balancer *lb, struct eni *const *enis, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        out += is_left_out(q, lb, enis[i]);
    }
    return out > 0 && out < n;
}

static bool
balancer_name(struct dns_question *q)
{
    for (const struct load_balancer *lb = store_first(q->net->store, &load_balancer_kind); lb;
         lb = store_next(q->net->store, lb)) {
        char zone[24];
        if (!is_balancer_name(lb, q->name, zone)) {
            continue;
        }
        bool public = str_is(lb->scheme, "internet-facing");
        struct eni *const *enis;
        size_t n = load_balancer_enis(q->net, lb, &enis), here = 0;
        bool some_only = !zone[0] && leaves_out_some(q, lb, enis, n);
        for (size_t i = 0; i < n; i++) {
            if ((!zone[0] || str_is(enis[i]->zone, zone)) && !(some_only && is_left_out(q, lb, enis[i]))) {
                add_eni(q, enis[i], public);
                here++;
            }
        }
        return dns_say(q, here ? outcome_of(q) : DNS_NO_NAME, lb->obj.id,
                       here ? "`%s` is the name of the %s load balancer `%s`"
                            : "`%s`: the %s load balancer `%s` is not in that zone",
                       dns_name_short(q->name), public ? "internet-facing" : "internal",
                       lb->name ? lb->name : lb->obj.id);
    }
    return false;
}

bool
dns_public_aws_name(struct dns_question *q)
{
    return public_instance_name(q) || balancer_name(q) || endpoint_own_name(q);
}

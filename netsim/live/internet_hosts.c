#include "netsim/live/internet_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "netsim/live/plan.h"
#include "netsim/model/endpoint.h"

#define TTL_S 300

const struct internet_host internet_hosts[] = {
    { "dns.example.", PLAN_CALLER4, PLAN_CALLER6, 53 },
    { "web.example.", "192.88.99.80", "3fff::80", 80 },
    { "scanner.example.", "192.88.99.66", "3fff::66", 0 },
    { 0 },
};

static void
reverse_name(const struct ip *ip, char out[static 80])
{
    size_t n = 0;
    for (unsigned i = 0; ip->family == IP_V4 && i < 4; i++) {
        n += (size_t)snprintf(out + n, 80 - n, "%u.", (unsigned)(ip->lo >> (8 * i) & 255));
    }
    for (unsigned i = 0; ip->family == IP_V6 && i < 32; i++) {
        n += (size_t)snprintf(out + n, 80 - n, "%x.",
                              (unsigned)((i < 16 ? ip->lo >> (4 * i) : ip->hi >> (4 * (i - 16))) & 15));
    }
    snprintf(out + n, 80 - n, "%s", ip->family == IP_V4 ? "in-addr.arpa." : "ip6.arpa.");
}

static void
add_record(struct dns_answer *answer, const char *name, int type, const struct ip *ip, const char *text)
{
    struct dns_record *r = VEC_ADD(&answer->records);
    *r =
        (struct dns_record){ .name = xstrdup(name), .type = type, .ttl_s = TTL_S, .text = text ? xstrdup(text) : NULL };
    r->ip = ip ? *ip : r->ip;
}

/* "s3.amazonaws.com.", "s3.us-east-1.amazonaws.com.", "BUCKET.s3.us-east-1.amazonaws.com.",
 * "dynamodb.us-east-1.amazonaws.com.": the first address of the service's first block. */
static bool
ask_service(const char *name, int type, struct dns_answer *answer)
{
    static const char tail[] = ".amazonaws.com.";
    size_t size = strlen(name);
    if (size < sizeof tail || strcasecmp(name + size - (sizeof tail - 1), tail) != 0) {
        return false;
    }
    for (const struct endpoint_service *s = endpoint_services; s->name; s++) {
        size_t n = strlen(s->name);
        for (const char *label = name; label && s->blocks[0];
             label = strchr(label, '.') ? strchr(label, '.') + 1 : NULL) {
            if (strncasecmp(label, s->name, n) == 0 && label[n] == '.') {
                struct cidr block = cidr_lit(s->blocks[0]);
                struct ip ip = cidr_first(&block);
                if (type == DNS_A) {
                    add_record(answer, name, DNS_A, &ip, NULL);
                }
                answer->outcome = answer->records.n ? DNS_ANSWERED : DNS_NO_DATA;
                return true;
            }
        }
    }
    return false;
}

static bool
ask_host(const char *name, int type, struct dns_answer *answer)
{
    for (const struct internet_host *host = internet_hosts; host->name; host++) {
        for (int family = IP_V4; family <= IP_V6; family += 2) {
            struct ip ip = ip_lit(family == IP_V4 ? host->ip4 : host->ip6);
            char reverse[80];
            reverse_name(&ip, reverse);
            bool own = strcasecmp(name, host->name) == 0, back = strcasecmp(name, reverse) == 0;
            if (!own && !back) {
                continue;
            }
            if (back && type == DNS_PTR) {
                add_record(answer, name, DNS_PTR, NULL, host->name);
            } else if (own && (type == DNS_A || type == DNS_AAAA)) {
                ip = ip_lit(type == DNS_A ? host->ip4 : host->ip6);
                add_record(answer, name, type, &ip, NULL);
            }
            answer->outcome = answer->records.n ? DNS_ANSWERED : DNS_NO_DATA;
            return true;
        }
    }
    return false;
}

/* The name that was asked in the end: the last that a CNAME leads to. */
static const char *
sought_name(const struct dns_answer *answer)
{
    const char *name = answer->name;
    for (size_t i = 0; i < answer->records.n; i++) {
        name = answer->records.items[i].type == DNS_CNAME ? answer->records.items[i].text : name;
    }
    return name;
}

bool
internet_hosts_complete(int type, struct dns_answer *answer)
{
    struct dns_answer found = { 0 };
    const char *name = sought_name(answer);
    if (answer->outcome != DNS_ELSEWHERE) {
        return false;
    }
    bool host = ask_host(name, type, &found);
    if (!host && !ask_service(name, type, &found)) {
        return false;
    }
    char *reason =
        xasprintf("%sthe lab's internet has `%.*s`%s%s", answer->records.n ? "it stands for another name: " : "",
                  (int)strlen(name) - 1, name, host ? "" : " at the first address of the service's blocks",
                  found.outcome == DNS_ANSWERED ? "" : ", but no record of this type");
    free(answer->reason);
    free(answer->hint);
    answer->reason = reason;
    answer->hint = NULL;
    answer->outcome = found.outcome;
    for (size_t i = 0; i < found.records.n; i++) {
        *VEC_ADD(&answer->records) = found.records.items[i];
    }
    VEC_DONE(&found.records);
    return true;
}

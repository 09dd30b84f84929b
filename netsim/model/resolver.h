/* netsim/model/resolver.h - what a name means inside a VPC: the answer of Amazon's resolver at VPC+2, and why.
 *
 * The one place that decides names.  A question goes to the most specific of: the private hosted zones associated with
 * the VPC, the private DNS names of its interface endpoints, the internal names of its instances (ip-10-0-1-5.ec2.internal,
 * i-0abc.ec2.internal); what none of them owns is looked for in the lab's public zones and among the public names of
 * instances, endpoints and balancers.  A zone that owns a name has the last word: what is not in it does not exist.
 * Names that only the real internet knows are DNS_ELSEWHERE.
 *
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html, AmazonDNS-concepts.html,
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html,
 * https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html, RFC 1034 (aliases, wildcards)
 * Uses: the model.   Used by: analysis (ends given by name), cloud/ops_resolve.c, live/ (the resolver at VPC+2). */
#pragma once
#include "netsim/model/hosted_zone.h"

enum dns_type { DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28,
                DNS_SRV = 33, DNS_CAA = 257 }; /* IANA's numbers */
const char *dns_type_name(int type);  /* "A"; NULL for one that is not above */
int dns_type_parse(const char *text); /* 0: none of them */

enum dns_outcome {
    DNS_NO_NAME,   /* NXDOMAIN: whoever owns the name has none such */
    DNS_ANSWERED,  /* records of the type asked for (after the CNAMEs that lead to them) */
    DNS_NO_DATA,   /* the name exists, but not with this type; CNAMEs may stand in 'records' */
    DNS_SILENT,    /* nobody answers: the VPC's resolver is off, or DHCP names no server */
    DNS_ELSEWHERE, /* another server decides, which the lab does not hold: the public DNS, or one that DHCP names */
    DNS_FAILED,    /* SERVFAIL: CNAMEs in a circle or too many of them */
};
struct dns_record {
    char *name;    /* with a dot at the end */
    int type;      /* enum dns_type */
    int32_t ttl_s;
    struct ip ip;  /* DNS_A, DNS_AAAA */
    char *text;    /* all others: the value as a zone file spells it ("10 mail.example.com."); names end with a dot */
};
struct dns_answer {
    enum dns_outcome outcome;
    VEC(struct dns_record) records; /* in the order a reply has them */
    VEC(struct dns_record) possible; /* what chance, or what is not known, could as well have answered (weighted, latency) */
    char *reason;                   /* one sentence: who decided, and for a no why */
    char *hint;                     /* the command that would mend a no; NULL */
    char authority[ID_SIZE];        /* hosted zone, endpoint, instance, interface or balancer that answered; "" none */
    char name[DNS_NAME_SIZE];       /* what was asked in the end (resolver_lookup() may add the search domain) */
};
void dns_answer_done(struct dns_answer *answer);

/* The answer of the VPC's own resolver (VPC+2, 169.254.169.253) to one question from inside the VPC.  'vpc_id' NULL: from the internet,
 * to the public DNS.  'answer' is zeroed memory; the caller calls dns_answer_done().  False, with nothing in 'answer', only when the
 * question cannot be asked: InvalidVpcID.NotFound, InvalidParameterValue (no name). */
bool resolver_ask(const struct network *net, const char *vpc_id, const char *name, int type, struct dns_answer *answer, struct err *err);

/* What is so at the moment of the question and not in the model. */
struct eni;
struct load_balancer;
struct resolver_moment {
    uint32_t draw; /* a random number, where routing by weight is to be a matter of chance; 0: what is most likely is answered */
    /* Are there healthy targets for this node of a balancer?  Those without are left out of its name, unless all are so.  NULL: all have. */
    bool (*serves)(void *context, const struct network *net, const struct load_balancer *lb, const struct eni *node);
    void *context;
};
bool resolver_ask_at(const struct network *net, const char *vpc_id, const char *name, int type, const struct resolver_moment *moment,
                     struct dns_answer *answer, struct err *err);

/* DNS64: for who asks from a subnet that has it on, IPv6 addresses are made of IPv4 ones where a name has none of its own.  resolver_wants_dns64()
 * says whether 'answer', to a question for 'type', is such a case; then resolver_dns64() makes it of 'four', the answer for DNS_A, which it takes.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html */
bool resolver_wants_dns64(const struct subnet *subnet, int type, const struct dns_answer *answer);
void resolver_dns64(const struct subnet *subnet, struct dns_answer *four, struct dns_answer *answer);

/* The same as an instance of the VPC does it: asks the servers that DHCP names (DNS_ELSEWHERE when these are others than Amazon's), a
 * name without dots in DHCP's domain first. */
bool resolver_lookup(const struct network *net, const char *vpc_id, const char *name, int type, struct dns_answer *answer, struct err *err);
bool resolver_lookup_at(const struct network *net, const char *vpc_id, const char *name, int type, const struct resolver_moment *moment,
                        struct dns_answer *answer, struct err *err);

/* What DHCP tells the instances of a VPC.  A set that an import left out counts as Amazon's default. */
struct resolver_client {
    bool amazon;              /* the VPC's resolver is among the servers */
    VEC(const char *) servers; /* as the options say; borrowed until the network changes */
    char domain[DNS_NAME_SIZE]; /* "ec2.internal."; "" none */
};
void resolver_client_of(const struct network *net, const struct vpc *vpc, struct resolver_client *client);
void resolver_client_done(struct resolver_client *client);
struct ip resolver_address(const struct vpc *vpc); /* VPC+2 */

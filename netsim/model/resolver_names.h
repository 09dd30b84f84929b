/* netsim/model/resolver_names.h - names that AWS itself gives: of instances, endpoints, balancers.  Only resolver.c includes it. */
#pragma once
#include "netsim/model/internal.h"
#include "netsim/model/resolver.h"

/* One question on its way. */
struct dns_question {
    const struct network *net;
    const struct vpc *vpc; /* who asks; NULL: the internet */
    const char *owner;     /* the name of the records answered: what was asked, or the alias that led here */
    const char *name;
    int type;
    const struct resolver_moment *moment;
    struct dns_answer *answer;
};

/* Sets the outcome and the sentence; they all return true, so that an answer is one line. */
bool dns_say(struct dns_question *q, enum dns_outcome outcome, const char *authority, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool dns_hint(struct dns_question *q, const char *format, ...) __attribute__((format(printf, 2, 3)));
void dns_add(struct dns_question *q, int type, int64_t ttl_s, const struct ip *ip, const char *text);

/* A VPC in which Amazon's names of instances, private zones and private DNS of endpoints work. */
bool dns_vpc_names(const struct vpc *vpc);
const char *dns_vpc_names_hint(const struct vpc *vpc); /* the command that makes it so; rotating buffer */

/* Each looks whether the name is of its kind; false: it is not, and 'q' is as it was.
 * instance: ip-10-0-1-5.ec2.internal, i-0abc.ec2.internal and their reverse; 'specific' is the length of the zone that owns such names,
 * so that a private hosted zone may be more specific; service: vpce-..., ELB, public names of instances. */
bool dns_internal_name(struct dns_question *q);
bool dns_public_aws_name(struct dns_question *q);
/* The available interface endpoint of the VPC whose private DNS owns the name, and the domain it owns; NULL if none does. */
const struct endpoint *dns_endpoint_of_name(const struct network *net, const struct vpc *vpc, const char *name,
                                            char domain[static DNS_NAME_SIZE], bool *off);
bool dns_endpoint_answer(struct dns_question *q, const struct endpoint *endpoint, const char *zone);
/* The domain of internal names that holds 'name': "ec2.internal."; NULL if none does. */
const char *dns_internal_domain(const char *name);

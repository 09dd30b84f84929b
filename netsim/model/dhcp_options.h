/* netsim/model/dhcp_options.h - what DHCP tells the instances of a VPC: domain name, name servers, time servers.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html, API_DhcpOptions
 * Used by: cloud/ops_ec2_dhcp_options.c; a VPC names one in dhcp_options_id ("default": none). */
#pragma once
#include "netsim/model/vpc.h"

struct dhcp_value {
    char *value;
};
struct dhcp_configuration {
    char *key; /* domain-name-servers domain-name ntp-servers netbios-name-servers netbios-node-type */
    VEC(struct dhcp_value) values;
};
struct dhcp_options {
    struct object obj; /* id: dopt-... */
    VEC(struct dhcp_configuration) configurations;
};
extern const struct kind dhcp_options_kind;

struct dhcp_options *dhcp_options_create(struct network *net); /* without options yet */
/* One option; 'values' a JSON list of texts.  InvalidParameterValue: a key AWS does not know, a name server or time server that is no
 * address, more than four of them.  Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateDhcpOptions.html */
bool dhcp_options_add(struct dhcp_options *options, const char *key, const json_t *values, struct err *err);
/* What a region has from the start: its domain name and Amazon's resolver. */
struct dhcp_options *dhcp_options_create_default(struct network *net);
void dhcp_options_associate(struct network *net, struct vpc *vpc, const char *id /* or "default" */);
bool dhcp_options_delete(struct network *net, struct dhcp_options *options, struct err *err); /* DependencyViolation: VPCs */

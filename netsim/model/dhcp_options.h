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

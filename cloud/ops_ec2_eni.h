/* cloud/ops_ec2_eni.h - an interface as a request spells it out: create-network-interface, and run-instances for each device.
 *
 * Used by: ops_ec2_eni.c, ops_ec2_instance.c. */
#pragma once
#include "cloud/ops_ec2.h"
#include "netsim/model/eni.h"

struct eni_request {
    struct eni_spec spec; /* points into what follows and into the request's JSON */
    VEC(struct ip) secondary, ips6;
    VEC(const char *) groups;
};

/* Reads SubnetId, Description, Groups, PrivateIpAddress, PrivateIpAddresses, SecondaryPrivateIpAddressCount, Ipv6Addresses and
 * Ipv6AddressCount of 'json' (the request itself, or one item of its NetworkInterfaces), which must stay while 'request' is used.
 * 'where' is the path of 'json' in the request, "" or "NetworkInterfaces[0]".  InvalidParameterValue, InvalidParameterCombination.
 * Call eni_request_done() in any case. */
bool eni_request_read(const json_t *json, const char *where, struct eni_request *request, struct err *err);
void eni_request_done(struct eni_request *request);

/* RunInstances (ops_ec2_run.c); its row stands with the other operations on instances. */
bool ec2_run_instances(struct op_call *call, struct err *err);

struct instance;
/* Members of MetadataOptions or of modify-instance-metadata-options (ops_ec2_metadata.c).  InvalidParameterValue. */
bool ec2_set_metadata(struct instance *instance, const json_t *options, struct err *err);

/* netsim/analysis/batch.h - questions and answers as JSON, one object each: `vpclab reach --batch`.
 *
 *     {"from":{"instance":"i-1"},"to":{"internet":true},"protocol":"tcp","dstPort":443,"dstIp":"8.8.8.8"}
 *     {"verdict":"reachable","reply":"allowed","why":null,"codes":[],"path":["i-1","subnet-1","igw-1"],"arrives":{...}}
 *
 *     {"securityGroup":"sg-1","direction":"ingress","protocol":"tcp","srcIp":"1.2.3.4","dstIp":"10.0.0.1","dstPort":22}
 *     {"verdict":"permit"}                      also "networkAcl": and "eni":
 *
 *     {"table":"rtb-1","destination":"10.0.0.0/8"}
 *     {"present":true,"via":"nat-1"}
 *
 * Members that are no part of the question (expect, basis ...) are ignored.
 *
 * Uses: reach.h.   Used by: cloud/ops_reach.c, tests/vectors. */
#pragma once
#include "netsim/analysis/reach.h"

/* The answer, owned by the caller.  NULL and 'err' for what is no question (ERR_DOCUMENT, the member in 'where') or names what does not
 * exist (AWS's code). */
json_t *batch_answer(const struct network *net, const json_t *question, struct err *err);

/* The flow a JSON object asks about. */
bool flow_from_json(const json_t *question, struct flow_spec *flow, struct err *err);

/* netsim/analysis/access_scope.h - Network Access Analyzer: which paths are there that fit a match and no exclusion?
 *
 * The ends are all interfaces, internet and private gateways, peering connections and transit gateway attachments that a match names;
 * interfaces that no rule tells apart count once, so the findings are a representative set, as in AWS.  Each pair is asked of reach().
 * Sources: https://docs.aws.amazon.com/vpc/latest/network-access-analyzer/how-network-access-analyzer-works.html,
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AccessScopePathRequest.html
 *
 * Uses: reach.h.   Used by: cloud/ops_ec2_access_scopes.c. */
#pragma once
#include "netsim/analysis/reach.h"

/* Appends an array of PathComponents for each finding.  'match' and 'exclude' are lists of AccessScopePath that access_scope_check()
 * let pass.  Returns how many interfaces were looked at. */
int access_scope_findings(const struct network *net, const json_t *match, const json_t *exclude, json_t *findings);

/* InvalidParameterValue: a type of resource the analyzer does not know, an address that is no CIDR, ports that are none. */
bool access_scope_check(const json_t *paths, const char *where, struct err *err);

/* cloud/resource_word.h - the resource that a person means by a short word, and what the lab knows about it.
 *
 * Policies speak of ARNs; a person types `web`, `vpc-0a1b`, `role/app`, `my-bucket/key`.  Which ARN a word stands for
 * depends on the action, whose resource types the catalogue lists.
 *
 * Used by: ops_simulate.c. */
#pragma once
#include "cloud/cloud.h"
#include "iampolicy/catalog/catalog.h"

struct iam_request;

/* The ARN for 'word' in a request for 'action' ("ec2:DeleteVpc"): an ARN or "*" as it is; bucket and key of S3; a KMS
 * key's id or alias; a user, group, role by name; a network resource by id or Name tag; else what has the form of one
 * of the action's resources without its head (`table/orders`), or the only thing that varies in it (`orders`).  The
 * caller frees it. NULL and a hint with the forms when it is none of these: no policy would match, which would be taken
 * for an answer. */
char *resource_of_word(const struct cloud *cloud, struct iam_catalog *catalog, const char *action, const char *word,
                       struct err *err);

/* Condition keys that AWS takes from the resource, where the lab has it: aws:ResourceTag/KEY, ec2:Vpc, ... */
void resource_tell_request(struct cloud *cloud, struct iam_catalog *catalog, const char *action, const char *arn,
                           struct iam_request *request);

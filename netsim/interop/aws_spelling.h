/* netsim/interop/aws_spelling.h - answers of services other than EC2, brought to the form that kinds and parts are read in.
 *
 * Direct Connect spells members with a small letter first; Route 53 answers for one hosted zone at a time: get-hosted-zone has its VPCs beside
 * it, list-resource-record-sets does not name it (its id stands in the file's name, else its SOA record has its name).
 * Used by: aws_import.c. */
#pragma once
#include "base/json.h"

/* 'files' are changed in place; 'names' tells the ids that stand in names of files. */
void aws_spell(json_t *const *files, const char *const *names, size_t n);
/* Its part for elbv2 (aws_spelling_elb.c): listeners name their balancer and rules their listener; targets and attributes are of whatever the
 * file is named after; tags go to what they name. */
void aws_spell_balancers(json_t *const *files, const char *const *names, size_t n);
/* Its part for calls about one thing that do not name it (aws_spelling_calls.c): tables of transit gateways, attributes of Classic balancers. */
void aws_spell_calls(json_t *const *files, const char *const *names, size_t n);
/* Its part for tags (aws_spelling_tags.c): what `ec2 describe-tags` told goes to the objects it names; the rest stays in the lists. */
void aws_spell_tags(json_t *const *files, size_t n);
/* Its part for VPCs (aws_spelling_vpc.c): EnableDnsHostnames, from describe-vpc-attribute, else from what needs it. */
void aws_spell_vpcs(json_t *const *files, size_t n);

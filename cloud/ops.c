/* cloud/ops.c - the register of operations: which families there are, and how words find a row. */
#include <stdio.h>
#include <string.h>
#include "base/map.h"
#include "base/vec.h"
#include "cloud/awsmodel/awsmodel.h"
#include "cloud/op.h"
#include "cloud/suggest.h"

/* A family is the array that ends an ops_*.c file: `const struct op ops_X[] = { {...}, {0} };`.  Its order here is the
 * order of help and manual, so the families of one service stand together. */
/* clang-format off */
#define FAMILIES(FAMILY) \
    FAMILY(ops_lab) \
    FAMILY(ops_live) \
    FAMILY(ops_serve) \
    FAMILY(ops_scan) \
    FAMILY(ops_trace) \
    FAMILY(ops_load) \
    FAMILY(ops_reach) \
    FAMILY(ops_resolve) \
    FAMILY(ops_connectivity) \
    FAMILY(ops_assert) \
    FAMILY(ops_diff) \
    FAMILY(ops_audit) \
    FAMILY(ops_verify) \
    FAMILY(ops_ec2_describe) \
    FAMILY(ops_ec2_tags) \
    FAMILY(ops_ec2_vpc) \
    FAMILY(ops_ec2_instance) \
    FAMILY(ops_ec2_metadata) \
    FAMILY(ops_ec2_eni) \
    FAMILY(ops_ec2_security_group) \
    FAMILY(ops_ec2_network_acl) \
    FAMILY(ops_ec2_routes) \
    FAMILY(ops_ec2_gateways) \
    FAMILY(ops_ec2_peering) \
    FAMILY(ops_ec2_transit_gateway) \
    FAMILY(ops_ec2_tgw_attachments) \
    FAMILY(ops_ec2_endpoints) \
    FAMILY(ops_ec2_endpoint_services) \
    FAMILY(ops_ec2_egress_dhcp) \
    FAMILY(ops_ec2_block_public_access) \
    FAMILY(ops_ec2_vpn) \
    FAMILY(ops_ec2_account) \
    FAMILY(ops_ec2_prefix_lists) \
    FAMILY(ops_ec2_flow_logs) \
    FAMILY(ops_ec2_insights) \
    FAMILY(ops_ec2_access_scopes) \
    FAMILY(ops_elbv2) \
    FAMILY(ops_elbv2_targets) \
    FAMILY(ops_elbv2_listeners) \
    FAMILY(ops_elbv2_trust) \
    FAMILY(ops_elb) \
    FAMILY(ops_elb_policies) \
    FAMILY(ops_acm) \
    FAMILY(ops_route53) \
    FAMILY(ops_directconnect) \
    FAMILY(ops_import) \
    FAMILY(ops_import_iam) \
    FAMILY(ops_flows) \
    FAMILY(ops_clock) \
    FAMILY(ops_failure) \
    FAMILY(ops_capture) \
    FAMILY(ops_logs) \
    FAMILY(ops_log_groups) \
    FAMILY(ops_cloudwatch) \
    FAMILY(ops_top) \
    FAMILY(ops_iam_simulate) \
    FAMILY(ops_simulate) \
    FAMILY(ops_iam_batch) \
    FAMILY(ops_policy_test) \
    FAMILY(ops_iam_entities) \
    FAMILY(ops_iam_policies) \
    FAMILY(ops_iam_more) \
    FAMILY(ops_iam_account) \
    FAMILY(ops_iam_access_keys) \
    FAMILY(ops_iam_providers) \
    FAMILY(ops_iam_service_roles) \
    FAMILY(ops_iam_last_accessed) \
    FAMILY(ops_sts) \
    FAMILY(ops_sts_federation) \
    FAMILY(ops_s3) \
    FAMILY(ops_s3_settings) \
    FAMILY(ops_s3_objects) \
    FAMILY(ops_s3_list) \
    FAMILY(ops_organizations) \
    FAMILY(ops_organizations_policies) \
    FAMILY(ops_ram) \
    FAMILY(ops_ram_associate) \
    FAMILY(ops_ram_list) \
    FAMILY(ops_kms) \
    FAMILY(ops_kms_grants) \
    FAMILY(ops_s3control)
/* clang-format on */

#define DECLARE(family) extern const struct op family[];
#define LIST(family)    family,
FAMILIES(DECLARE)
static const struct op *const families[] = { FAMILIES(LIST) NULL };

#define OPS_MAX 1024

const struct op *const *
ops_all(void)
{
    static const struct op *all[OPS_MAX + 1];
    if (!all[0]) {
        size_t n = 0;
        for (size_t i = 0; families[i]; i++) {
            for (const struct op *op = families[i]; op->name && n < OPS_MAX; op++) {
                all[n++] = op;
            }
        }
    }
    return all;
}

const struct op *
op_by_name(const char *service, const char *name)
{
    for (const struct op *const *op = ops_all(); *op; op++) {
        const char *s = (*op)->service;
        if (strcmp((*op)->name, name) == 0 && (s && service ? strcmp(s, service) == 0 : s == service)) {
            return *op;
        }
    }
    return NULL;
}

const char *
op_words(const struct op *op)
{
    static struct map spelled; /* worked out once for a row and kept until the program ends */
    char key[24];
    if (!op->service) {
        return op->name;
    }
    snprintf(key, sizeof key, "%p", (const void *)op);
    char *words = map_get(&spelled, key);
    if (!words) {
        const struct aws_operation *aws = aws_operation_find(op->service, op->name);
        words = xasprintf("%s %s", op->service, aws ? aws_text(aws->words) : op->name);
        map_put(&spelled, key, words);
    }
    return words;
}

/* How many of the words name this row: 2 for "ec2 create-vpc" and "iam decide", 1 for "reach"; 0 when they name
 * another. */
static size_t
words_match(const struct op *op, size_t n, char *const *words)
{
    if (op->service) {
        if (n < 2 || strcmp(words[0], op->service) != 0) {
            return 0;
        }
        const struct aws_operation *aws = aws_operation_find(op->service, op->name);
        return aws && strcmp(words[1], aws_text(aws->words)) == 0 ? 2 : 0;
    }
    const char *space = strchr(op->name, ' ');
    if (!space) {
        return n >= 1 && strcmp(words[0], op->name) == 0 ? 1 : 0;
    }
    size_t first = (size_t)(space - op->name);
    return n >= 2 && strlen(words[0]) == first && memcmp(words[0], op->name, first) == 0 &&
                   strcmp(words[1], space + 1) == 0
               ? 2
               : 0;
}

/* The second word of rows that begin with 'first'. */
static const char *
second_word(const struct op *op, const char *first)
{
    if (op->service) {
        const struct aws_operation *aws = aws_operation_find(op->service, op->name);
        return aws && strcmp(op->service, first) == 0 ? aws_text(aws->words) : NULL;
    }
    const char *space = strchr(op->name, ' ');
    size_t size = space ? (size_t)(space - op->name) : 0;
    return space && strlen(first) == size && memcmp(op->name, first, size) == 0 ? space + 1 : NULL;
}

static const struct op *
not_found(size_t n, char *const *words, struct err *err)
{
    if (n == 0) {
        err_set(err, ERR_USAGE, "", "a command is missing");
        err_hint(err, "`vpclab help` lists the commands");
        return NULL;
    }
    bool group = false; /* the first word is right: a service, or "lab" of "lab new" */
    struct suggest second = suggest_start(n > 1 ? words[1] : ""), first = suggest_start(words[0]);
    char names[OPS_MAX][24];
    size_t n_names = 0;
    for (const struct op *const *op = ops_all(); *op; op++) {
        const char *word = second_word(*op, words[0]);
        if (word) {
            group = true;
            suggest_offer(&second, word);
        }
        const char *name = (*op)->service ? (*op)->service : (*op)->name;
        snprintf(names[n_names], sizeof names[0], "%.*s", (int)strcspn(name, " "), name);
        suggest_offer(&first, names[n_names++]);
    }
    if (group && n > 1) {
        const struct aws_operation *aws = aws_operation_by_words(words[0], words[1]);
        if (aws) {
            err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model `%s %s` yet", words[0], words[1]);
            err_hint(err, "`vpclab ops` lists what it does model");
            return NULL;
        }
        err_set(err, ERR_USAGE, "", "`%s` is not an operation of `%s`", words[1], words[0]);
        if (!second.best) {
            err_hint(err, "`vpclab help %s` lists them", words[0]);
        }
        suggest_hint(&second, err, "");
    } else if (group) {
        err_set(err, ERR_USAGE, "", "`%s` needs an operation after it", words[0]);
        err_hint(err, "`vpclab help %s` lists them", words[0]);
    } else {
        err_set(err, ERR_USAGE, "", "`%s` is not a command", words[0]);
        suggest_hint(&first, err, "");
        err_hint(err, "`vpclab help` lists the commands");
    }
    return NULL;
}

const struct op *
op_find(size_t n, char *const *words, size_t *n_words, struct err *err)
{
    const struct op *found = NULL;
    size_t best = 0;
    for (const struct op *const *op = ops_all(); *op; op++) {
        size_t match = words_match(*op, n, words);
        if (match > best) {
            best = match;
            found = *op;
        }
    }
    if (!found) {
        return not_found(n, words, err);
    }
    *n_words = best;
    return found;
}

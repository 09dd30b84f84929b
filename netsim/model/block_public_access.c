#include "netsim/model/block_public_access.h"

#include "netsim/model/internal.h"

#define EXCLUSIONS_MAX 50 /* AWS's default quota of an account */

static const struct field options_fields[] = {
    FIELD(struct block_public_access, "Id", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct block_public_access, "State", FIELD_STRING, state, 0),
    FIELD(struct block_public_access, "InternetGatewayBlockMode", FIELD_STRING, mode, 0),
    FIELD(struct block_public_access, "Reason", FIELD_STRING, reason, 0),
    FIELD(struct block_public_access, "LastUpdateTimestamp", FIELD_TIME, updated, 0),
    FIELD(struct block_public_access, "ManagedBy", FIELD_STRING, managed_by, 0),
    FIELD(struct block_public_access, "ExclusionsAllowed", FIELD_STRING, exclusions_allowed, 0),
    FIELD_END,
};

static void
options_describe(const struct store *store, const void *object, json_t *out)
{
    const struct block_public_access *options = object;
    (void)store;
    json_object_set_new(out, "AwsAccountId", json_string(options->obj.account));
    json_object_set_new(out, "AwsRegion", json_string(options->obj.region));
}

const struct kind block_public_access_kind = {
    .name = "vpc-block-public-access-options",
    .prefix = "",
    .list = "VpcBlockPublicAccessOptions",
    .single = true,
    .id_member = "Id",
    .not_found = "InvalidParameterValue",
    .size = sizeof(struct block_public_access),
    .fields = options_fields,
    .describe = options_describe,
};

static const struct field exclusion_fields[] = {
    FIELD(struct bpa_exclusion, "ExclusionId", FIELD_ID, obj.id, 0),
    FIELD(struct bpa_exclusion, "InternetGatewayExclusionMode", FIELD_STRING, mode, 0),
    FIELD(struct bpa_exclusion, "ResourceArn", FIELD_STRING, resource_arn, 0),
    FIELD(struct bpa_exclusion, "State", FIELD_STRING, state, 0),
    FIELD(struct bpa_exclusion, "Reason", FIELD_STRING, reason, 0),
    FIELD(struct bpa_exclusion, "CreationTimestamp", FIELD_TIME, created, 0),
    FIELD(struct bpa_exclusion, "LastUpdateTimestamp", FIELD_TIME, updated, 0),
    FIELD(struct bpa_exclusion, "DeletionTimestamp", FIELD_TIME, deleted, 0),
    FIELD_LIST(struct bpa_exclusion, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcBlockPublicAccessExclusions.html */
static const struct filter_row exclusion_filters[] = {
    { "resource-arn", "ResourceArn" },
    { "internet-gateway-exclusion-mode", "InternetGatewayExclusionMode" },
    { "state", "State" },
    { NULL, NULL },
};

static bool
exclusion_gone(const void *object)
{
    return str_is(((const struct bpa_exclusion *)object)->state, "delete-complete");
}

const struct kind bpa_exclusion_kind = {
    .name = "vpc-block-public-access-exclusion",
    .prefix = "vpcbpa-exclude",
    .type = "vpc-block-public-access-exclusion",
    .list = "VpcBlockPublicAccessExclusions",
    .id_member = "ExclusionId",
    .ids_param = "ExclusionIds",
    .not_found = "InvalidVpcBlockPublicAccessExclusionId.NotFound",
    .malformed = "InvalidVpcBlockPublicAccessExclusionId.Malformed",
    .size = sizeof(struct bpa_exclusion),
    .fields = exclusion_fields,
    .filters = exclusion_filters,
    .gone = exclusion_gone,
};

/* ---- what holds -------------------------------------------------------------------------------------------------- */

static struct block_public_access *
options_of(const struct network *net, const char *account, const char *region)
{
    char id[ID_SIZE];
    snprintf(id, sizeof id, "%.15s/%.23s", account, region);
    return store_get(net->store, &block_public_access_kind, id);
}

struct block_public_access *
network_block_public_access(const struct network *net)
{
    return options_of(net, net->account, net->region);
}

const char *
public_access_mode(const struct network *net, const struct vpc *vpc)
{
    const struct block_public_access *options = options_of(net, vpc->obj.account, vpc->obj.region);
    return options && options->mode ? options->mode : "off";
}

static bool
names(const struct bpa_exclusion *exclusion, const char *type, const char *id)
{
    const char *at = exclusion->resource_arn && id ? strrchr(exclusion->resource_arn, '/') : NULL;
    return at && strcmp(at + 1, id) == 0 && strstr(exclusion->resource_arn, type) != NULL;
}

/* The exclusion that counts for a subnet: its own, else its VPC's. */
static const struct bpa_exclusion *
exclusion_of(const struct network *net, const char *vpc_id, const char *subnet_id)
{
    const struct bpa_exclusion *found = NULL;
    for (const struct bpa_exclusion *e = store_first(net->store, &bpa_exclusion_kind); e;
         e = store_next(net->store, e)) {
        if (!exclusion_gone(e) && names(e, ":subnet/", subnet_id)) {
            return e;
        }
        if (!exclusion_gone(e) && names(e, ":vpc/", vpc_id)) {
            found = e;
        }
    }
    return found;
}

bool
public_access_blocked(const struct network *net, const struct vpc *vpc, const char *subnet_id, enum bpa_way way)
{
    const char *mode = public_access_mode(net, vpc);
    if (strcmp(mode, "off") == 0 || (strcmp(mode, "block-ingress") == 0 && way == BPA_OUT_ONLY)) {
        return false;
    }
    const struct bpa_exclusion *exclusion = exclusion_of(net, vpc->obj.id, subnet_id);
    /* AWS: an egress-only exclusion "only applies when BPA is set to Bidirectional". */
    bool outwards = way != BPA_IN && strcmp(mode, "block-bidirectional") == 0;
    return !exclusion || (!outwards && !str_is(exclusion->mode, "allow-bidirectional"));
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

struct block_public_access *
block_public_access_set(struct network *net, const char *mode)
{
    struct block_public_access *options = network_block_public_access(net);
    if (!options) {
        char id[ID_SIZE];
        snprintf(id, sizeof id, "%s/%s", net->account, net->region);
        options = network_add(net, &block_public_access_kind, id);
        options->managed_by = xstrdup("account");
        options->exclusions_allowed = xstrdup("allowed");
    }
    str_set(&options->mode, mode);
    str_set(&options->state, "update-complete");
    options->updated = network_now_ms(net);
    network_touch(net);
    return options;
}

struct bpa_exclusion *
bpa_exclusion_create(struct network *net, const char *id, const char *mode, struct err *err)
{
    bool subnet = strncmp(id, "subnet-", 7) == 0;
    const struct object *object = network_require(net, subnet ? &subnet_kind : &vpc_kind, id, err);
    size_t n = 0;
    for (const struct bpa_exclusion *e = object ? store_first(net->store, &bpa_exclusion_kind) : NULL; e;
         e = store_next(net->store, e)) {
        if (!exclusion_gone(e) && names(e, subnet ? ":subnet/" : ":vpc/", id)) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is excluded already by `%s`", id, e->obj.id);
            err_hint(err, "modify-vpc-block-public-access-exclusion changes its mode");
            return NULL;
        }
        n += !exclusion_gone(e) && strcmp(e->obj.account, net->account) == 0;
    }
    if (object && net->limits && n >= EXCLUSIONS_MAX) {
        err_set(err, ERR_INPUT, "VpcBlockPublicAccessExclusionLimitExceeded", "an account has at most %d exclusions",
                EXCLUSIONS_MAX);
        return NULL;
    }
    if (!object) {
        return NULL;
    }
    struct bpa_exclusion *exclusion = network_add(net, &bpa_exclusion_kind, NULL);
    exclusion->resource_arn = object_arn(object, subnet ? "subnet" : "vpc");
    exclusion->mode = xstrdup(mode);
    exclusion->state = xstrdup("create-complete");
    exclusion->created = exclusion->updated = network_now_ms(net);
    return exclusion;
}

static bool
is_there(const struct bpa_exclusion *exclusion, struct err *err)
{
    return !exclusion_gone(exclusion) ||
           err_set(err, ERR_INPUT, bpa_exclusion_kind.not_found, "the exclusion `%s` is deleted", exclusion->obj.id);
}

bool
bpa_exclusion_modify(struct network *net, struct bpa_exclusion *exclusion, const char *mode, struct err *err)
{
    if (!is_there(exclusion, err)) {
        return false;
    }
    str_set(&exclusion->mode, mode);
    str_set(&exclusion->state, "update-complete");
    exclusion->updated = network_now_ms(net);
    network_touch(net);
    return true;
}

bool
bpa_exclusion_delete(struct network *net, struct bpa_exclusion *exclusion, struct err *err)
{
    if (!is_there(exclusion, err)) {
        return false;
    }
    str_set(&exclusion->state, "delete-complete");
    exclusion->updated = exclusion->deleted = network_now_ms(net);
    network_touch(net);
    return true;
}

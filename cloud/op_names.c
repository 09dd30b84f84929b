/* cloud/op_names.c - how operations and parameters are spelled, and which parameters name resources. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/op_types.h"

/* ---- Spelling ---------------------------------------------------------------------------------------------------- */

const struct aws_operation *
op_aws(const struct op *op)
{
    return op->service ? aws_operation_find(op->service, op->name) : NULL;
}

void
option_spelling(const char *name, char separator, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = name; *p && n + 2 < size; p++) {
        bool begins =
            isupper((unsigned char)*p) && p > name && (!isupper((unsigned char)p[-1]) || islower((unsigned char)p[1]));
        if (begins) {
            out[n++] = separator;
        }
        out[n++] = (char)tolower((unsigned char)*p);
    }
    out[n] = '\0';
}

bool
same_spelling(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, "-_");
        b += strspn(b, "-_");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) {
            return false;
        }
        if (!*a) {
            return true;
        }
        a++;
        b++;
    }
}

/* Endings of member names and the id prefix of the kind they name; the longest that fits wins.  "-": not ours to
 * resolve. */
static const struct {
    const char *ending, *prefix;
} id_endings[] = {
    { "VpcId", "vpc" },
    { "SubnetId", "subnet" },
    { "GroupId", "sg" },
    { "SecurityGroups", "sg" }, /* elbv2; in ec2 these are names */
    { "Subnets", "subnet" },
    { "TargetGroupId", "-" },
    { "NetworkAclId", "acl" },
    { "RouteTableId", "rtb" },
    { "TransitGatewayRouteTableId", "tgw-rtb" },
    { "LocalGatewayRouteTableId", "-" },
    { "InternetGatewayId", "igw" },
    { "EgressOnlyInternetGatewayId", "eigw" },
    { "NatGatewayId", "nat" },
    { "GatewayId", "" },
    { "TransitGatewayId", "tgw" },
    { "LocalGatewayId", "-" },
    { "CarrierGatewayId", "-" },
    { "CustomerGatewayId", "cgw" },
    { "VpnGatewayId", "vgw" },
    { "NetworkInterfaceId", "eni" },
    { "InstanceId", "i" },
    { "AllocationId", "eipalloc" },
    { "PrefixListId", "pl" },
    { "FlowLogId", "fl" },
    { "NetworkInsightsPathId", "nip" },
    { "NetworkInsightsAnalysisId", "nia" },
    { "NetworkInsightsAccessScopeId", "nis" },
    { "NetworkInsightsAccessScopeAnalysisId", "nisa" },
    { "VpcPeeringConnectionId", "pcx" },
    { "VpcEndpointId", "vpce" },
    { "DhcpOptionsId", "dopt" },
    { "ResourceId", "" },
    { "TransitGatewayAttachmentId", "tgw-attach" },
    { "VpnConnectionId", "vpn" },
};

static bool
ends_with(const char *text, size_t size, const char *ending)
{
    size_t n = strlen(ending);
    return n <= size && memcmp(text + size - n, ending, n) == 0;
}

static const char *
id_kind(const char *member)
{
    size_t size = strlen(member), best = 0;
    const char *prefix = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(id_endings); i++) {
        const char *ending = id_endings[i].ending;
        bool one = ends_with(member, size, ending);
        bool many = ends_with(ending, strlen(ending), "Id") && size > 0 && member[size - 1] == 's' &&
                    ends_with(member, size - 1, ending);
        if ((one || many) && strlen(ending) > best) {
            best = strlen(ending);
            prefix = id_endings[i].prefix;
        }
    }
    return prefix && strcmp(prefix, "-") != 0 ? prefix : NULL;
}

const char *
op_member_kind(const struct op *op, const char *member)
{
    bool ec2 = strcmp(op->service, "ec2") == 0;
    if (strcmp(op->service, "directconnect") == 0) {
        return strcmp(member, "virtualGatewayId") == 0 ? "vgw" : strcmp(member, "gatewayId") == 0 ? "" : NULL;
    }
    if (strcmp(op->service, "route53") == 0) {
        return strcmp(member, "VPCId") == 0                                       ? "vpc"
               : strcmp(member, "HostedZoneId") == 0 || strcmp(member, "Id") == 0 ? "hosted-zone"
                                                                                  : NULL;
    }
    if (!ec2 && strcmp(op->service, "elbv2") != 0 && strcmp(op->service, "elb") != 0) {
        return NULL;
    }
    if (ec2 && (strcmp(member, "SecurityGroups") == 0 || strcmp(member, "Subnets") == 0)) {
        return NULL;
    }
    if (ec2 && strcmp(member, "Resources") == 0) {
        return ""; /* create-tags, delete-tags */
    }
    /* Groups of interfaces are ids although they are not called so. */
    if (ec2 && strcmp(member, "Groups") == 0) {
        return "sg";
    }
    return id_kind(member);
}

/* ---- Names of resources ------------------------------------------------------------------------------------------ */

struct resolve {
    const struct op *op;
    const struct cloud *cloud;
    struct buf path;
    struct err *err;
};

static json_t *
resolve_text(struct resolve *resolve, const char *kind, const json_t *value)
{
    char id[ID_SIZE];
    if (!cloud_resolve(resolve->cloud, kind[0] ? kind : NULL, json_string_value(value), id, resolve->err)) {
        err_at(resolve->err, buf_str(&resolve->path), 0, 0);
        return NULL;
    }
    return json_string(id);
}

static bool
resolve_list(struct resolve *resolve, const char *kind, json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *id = resolve_text(resolve, kind, json_array_get(list, i));
        if (!id) {
            return false;
        }
        json_array_set_new(list, i, id);
    }
    return true;
}

static bool resolve_structure(struct resolve *resolve, const struct aws_shape *shape, json_t *value);

static bool
resolve_member(struct resolve *resolve, const struct aws_shape *shape, const char *name, json_t *object)
{
    json_t *value = json_object_get(object, name);
    const struct aws_shape *of = shape->type == AWS_LIST ? aws_shape(shape->of) : shape;
    if (!value) {
        return true;
    }
    if (of->type == AWS_STRING) {
        const char *kind = op_member_kind(resolve->op, name);
        if (!kind) {
            return true;
        }
        if (json_is_array(value)) {
            return resolve_list(resolve, kind, value);
        }
        json_t *id = resolve_text(resolve, kind, value);
        return id && json_object_set_new(object, name, id) == 0;
    }
    if (of->type != AWS_STRUCTURE) {
        return true;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!resolve_structure(resolve, of, json_array_get(value, i))) {
            return false;
        }
    }
    return json_is_array(value) || resolve_structure(resolve, of, value);
}

static bool
resolve_structure(struct resolve *resolve, const struct aws_shape *shape, json_t *value)
{
    const struct aws_member *members = aws_members(shape);
    for (size_t i = 0; i < shape->n; i++) {
        const char *name = aws_text(members[i].name);
        size_t size = resolve->path.size;
        buf_printf(&resolve->path, "%s%s", size ? "." : "", name);
        if (!resolve_member(resolve, aws_shape(members[i].shape), name, value)) {
            return false;
        }
        resolve->path.size = size;
        resolve->path.data[size] = '\0';
    }
    return true;
}

static bool
resolve_params(struct resolve *resolve, json_t *args)
{
    for (const struct op_param *param = resolve->op->params; param && param->name; param++) {
        json_t *value = json_object_get(args, param->name);
        bool any = param->type == OP_ENDPOINT;
        if (!value || !(param->kind || any)) {
            continue;
        }
        buf_clear(&resolve->path);
        buf_str_add(&resolve->path, param->name);
        if (json_is_array(value)) {
            if (!resolve_list(resolve, param->kind ? param->kind : "", value)) {
                return false;
            }
            continue;
        }
        json_t *id =
            json_is_string(value) ? resolve_text(resolve, param->kind ? param->kind : "", value) : json_incref(value);
        if (!id || json_object_set_new(args, param->name, id) != 0) {
            return false;
        }
    }
    return true;
}

bool
op_resolve_names(const struct op *op, const struct cloud *cloud, json_t *args, struct err *err)
{
    struct resolve resolve = { .op = op, .cloud = cloud, .err = err };
    bool done;
    if (op->service) {
        const struct aws_operation *aws = op_aws(op);
        const struct aws_shape *shape = aws ? aws_shape(aws->input) : NULL;
        done = !shape || resolve_structure(&resolve, shape, args);
    } else {
        done = resolve_params(&resolve, args);
    }
    buf_done(&resolve.path);
    return done;
}

#include "netsim/model/eni_owner.h"

#include <stdio.h>
#include "netsim/model/internal.h"

#define UUID_SIZE 36

enum name_rule {
    NAME_NONE,
    NAME_REST,  /* all that follows the prefix */
    NAME_WORD,  /* up to a blank */
    NAME_UUID,  /* without the UUID at the end, which the service adds */
    NAME_SLASH, /* what follows the last slash */
};
static const struct {
    const char *prefix, *service;
    enum name_rule name;
} descriptions[] = {
    { "AWS Lambda VPC ENI-", "Lambda", NAME_UUID },
    { "RDSNetworkInterface", "RDS", NAME_NONE },
    { "ElastiCache ", "ElastiCache", NAME_WORD },
    { "EFS mount target for ", "EFS", NAME_WORD },
    { "arn:aws:ecs:", "ECS", NAME_SLASH },
    { "Amazon EKS ", "EKS", NAME_REST },
    { "RedshiftNetworkInterface", "Redshift", NAME_NONE },
    { "DMSNetworkInterface", "DMS", NAME_NONE },
    { "ELB ", "Elastic Load Balancing", NAME_REST },
    { "ES ", "OpenSearch", NAME_REST },
    { "AWS created network interface for directory ", "Directory Service", NAME_WORD },
    { "Route 53 Resolver: ", "Route 53 Resolver", NAME_WORD },
    { "VPC Endpoint Interface ", "VPC endpoint", NAME_WORD },
    { "Interface for NAT Gateway ", "NAT gateway", NAME_WORD },
    { "Network Interface for Transit Gateway Attachment ", "transit gateway attachment", NAME_WORD },
};
/* Where the description says nothing. */
static const struct {
    const char *word, *service;
} types[] = {
    { "lambda", "Lambda" },
    { "nat_gateway", "NAT gateway" },
    { "vpc_endpoint", "VPC endpoint" },
    { "transit_gateway", "transit gateway attachment" },
    { "network_load_balancer", "Elastic Load Balancing" },
    { "load_balancer", "Elastic Load Balancing" },
    { "gateway_load_balancer", "Elastic Load Balancing" },
    { "api_gateway_managed", "API Gateway" },
    { "global_accelerator_managed", "Global Accelerator" },
    { "quicksight", "QuickSight" },
    { "amazon-rds", "RDS" },
    { "amazon-elasticache", "ElastiCache" },
    { "amazon-elb", "Elastic Load Balancing" },
    { "amazon-redshift", "Redshift" },
};

static void
read_name(const char *rest, enum name_rule rule, struct eni_owner *owner)
{
    size_t n = strlen(rest);
    if (rule == NAME_SLASH) {
        const char *slash = strrchr(rest, '/');
        rest = slash ? slash + 1 : rest;
        n = strlen(rest);
    } else if (rule == NAME_UUID && n > UUID_SIZE + 1 && rest[n - UUID_SIZE - 1] == '-') {
        n -= UUID_SIZE + 1;
    } else if (rule == NAME_WORD) {
        n = strcspn(rest, " ");
    }
    snprintf(owner->name, sizeof owner->name, "%.*s", rule == NAME_NONE ? 0 : (int)(n < 95 ? n : 95), rest);
}

bool
eni_owner_of(const struct eni *eni, struct eni_owner *owner)
{
    const char *text = eni->description ? eni->description : "";
    *owner = (struct eni_owner){ 0 };
    if (eni->attached && eni->attachment.instance_id[0]) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(descriptions); i++) {
        size_t n = strlen(descriptions[i].prefix);
        if (strncmp(text, descriptions[i].prefix, n) == 0) {
            owner->service = descriptions[i].service;
            read_name(text + n, descriptions[i].name, owner);
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (str_is(eni->type, types[i].word) || str_is(eni->requester_id, types[i].word)) {
            owner->service = types[i].service;
            return true;
        }
    }
    bool amazon = eni->requester_managed && eni->requester_id && strncmp(eni->requester_id, "amazon-", 7) == 0;
    owner->service = amazon ? eni->requester_id : NULL;
    return amazon;
}

const char *
eni_owner_str(const struct eni *eni)
{
    static _Thread_local char buffers[8][160];
    static _Thread_local unsigned next;
    struct eni_owner owner;
    if (!eni_owner_of(eni, &owner)) {
        return NULL;
    }
    char *out = buffers[next++ % 8];
    snprintf(out, sizeof buffers[0], "%.60s%s%s", owner.service, owner.name[0] ? " " : "", owner.name);
    return out;
}

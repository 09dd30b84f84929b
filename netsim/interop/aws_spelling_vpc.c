/* Whether a VPC gives names to what is in it: describe-vpcs does not tell.  describe-vpc-attribute does, one attribute
 * at a time; else what only such a VPC can have tells: names of instances, endpoints with private DNS. Source:
 * https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html, .../privatelink/manage-dns-names.html */
#include <string.h>

#include "base/vec.h"
#include "netsim/interop/aws_spelling.h"

static json_t *
vpc_called(json_t *const *files, size_t n, const char *id)
{
    for (size_t f = 0; f < n; f++) {
        const json_t *vpcs = json_object_get(files[f], "Vpcs");
        for (size_t i = 0; id && i < json_array_size(vpcs); i++) {
            const char *own = json_str(json_array_get(vpcs, i), "VpcId");
            if (own && strcmp(own, id) == 0) {
                return json_array_get(vpcs, i);
            }
        }
    }
    return NULL;
}

static void
read_attributes(json_t *file, json_t *const *files, size_t n)
{
    static const char *const names[] = { "EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics" };
    json_t *vpc = vpc_called(files, n, json_str(file, "VpcId"));
    for (size_t i = 0; vpc && i < ARRAY_SIZE(names); i++) {
        json_t *value = json_object_get(json_object_get(file, names[i]), "Value");
        if (json_is_boolean(value)) {
            json_object_set(vpc, names[i], value);
            json_object_del(file, names[i]);
        }
    }
    if (vpc) {
        json_object_del(file, "VpcId");
    }
}

/* The VPC in which the thing shows that names are given. */
static const char *
vpc_with_names(const json_t *thing)
{
    const char *dns = json_str(thing, "PublicDnsName");
    bool named = (dns && *dns) || json_is_true(json_object_get(thing, "PrivateDnsEnabled")) ||
                 json_is_true(json_object_get(thing, "IsDefault"));
    return named ? json_str(thing, "VpcId") : NULL;
}

static void
infer_names(const json_t *list, json_t *const *files, size_t n)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *thing = json_array_get(list, i);
        json_t *vpc = vpc_called(files, n, vpc_with_names(thing));
        if (vpc && !json_object_get(vpc, "EnableDnsHostnames")) {
            json_object_set_new(vpc, "EnableDnsHostnames", json_true());
        }
        infer_names(json_object_get(thing, "Instances"), files, n);
    }
}

void
aws_spell_vpcs(json_t *const *files, size_t n)
{
    static const char *const lists[] = { "Vpcs", "VpcEndpoints", "Instances", "Reservations" };
    for (size_t f = 0; f < n; f++) {
        read_attributes(files[f], files, n);
    }
    for (size_t f = 0; f < n; f++) {
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
            infer_names(json_object_get(files[f], lists[i]), files, n);
        }
    }
}

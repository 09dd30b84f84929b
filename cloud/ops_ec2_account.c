/* cloud/ops_ec2_account.c - regions, Availability Zones and account attributes. */
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/vpc.h"

/* Regions of the standard partition; those since 2019 must be enabled by an account.
 * Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html */
static const struct region {
    const char *name;
    bool opt_in;
} regions[] = {
    { "af-south-1", true },      { "ap-east-1", true },       { "ap-east-2", true },      { "ap-northeast-1", false },
    { "ap-northeast-2", false }, { "ap-northeast-3", false }, { "ap-south-1", false },    { "ap-south-2", true },
    { "ap-southeast-1", false }, { "ap-southeast-2", false }, { "ap-southeast-3", true }, { "ap-southeast-4", true },
    { "ap-southeast-5", true },  { "ap-southeast-6", true },  { "ap-southeast-7", true }, { "ca-central-1", false },
    { "ca-west-1", true },       { "eu-central-1", false },   { "eu-central-2", true },   { "eu-north-1", false },
    { "eu-south-1", true },      { "eu-south-2", true },      { "eu-west-1", false },     { "eu-west-2", false },
    { "eu-west-3", false },      { "il-central-1", true },    { "me-central-1", true },   { "me-south-1", true },
    { "mx-central-1", true },    { "sa-east-1", false },      { "us-east-1", false },     { "us-east-2", false },
    { "us-west-1", false },      { "us-west-2", false },
};
static const struct filter_row region_filters[] = {
    { "endpoint", "Endpoint" },
    { "opt-in-status", "OptInStatus" },
    { "region-name", "RegionName" },
    { NULL, NULL },
};
static const struct filter_row zone_filters[] = {
    { "group-name", "GroupName" },
    { "message", "Messages.Message" },
    { "opt-in-status", "OptInStatus" },
    { "parent-zone-id", "ParentZoneId" },
    { "parent-zone-name", "ParentZoneName" },
    { "region-name", "RegionName" },
    { "state", "State" },
    { "zone-id", "ZoneId" },
    { "zone-name", "ZoneName" },
    { "zone-type", "ZoneType" },
    { NULL, NULL },
};
/* Not kinds of the store: what the filters need to know. */
static const struct kind region_kind = { .name = "region", .list = "Regions", .filters = region_filters };
static const struct kind zone_kind = { .name = "zone", .list = "AvailabilityZones", .filters = zone_filters };

static bool
names_item(const json_t *names, const json_t *item, const char *member)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (strcmp(json_string_value(json_array_get(names, i)), json_str(item, member)) == 0) {
            return true;
        }
    }
    return json_array_size(names) == 0;
}

/* Every name of the argument must be one of 'all'. */
static bool
check_names(const struct op_call *call, const char *argument, const json_t *all, const char *member, const char *what,
            struct err *err)
{
    const json_t *names = json_object_get(call->in, argument);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        bool found = false;
        for (size_t k = 0; k < json_array_size(all) && !found; k++) {
            found = strcmp(json_str(json_array_get(all, k), member), name) == 0;
        }
        if (!found) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid %s: `%s`", what, name);
            return err_at(err, argument, 0, 0);
        }
    }
    return true;
}

static bool
describe_regions(struct op_call *call, struct err *err)
{
    const json_t *filters = json_object_get(call->in, "Filters"), *names = json_object_get(call->in, "RegionNames");
    /* Regions that need enabling show when all are asked for, or they by name; this account has enabled none of them.
     */
    bool every = arg_flag(call->in, "AllRegions", false) || json_array_size(names) > 0;
    json_t *all = json_array(), *shown = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
        json_t *endpoint = json_sprintf("ec2.%s.amazonaws.com", regions[i].name);
        json_array_append_new(all, json_pack("{s:s, s:s, s:o}", "OptInStatus",
                                             regions[i].opt_in ? "not-opted-in" : "opt-in-not-required", "RegionName",
                                             regions[i].name, "Endpoint", endpoint));
    }
    bool ok = filters_check(&region_kind, filters, err) &&
              check_names(call, "RegionNames", all, "RegionName", "region name", err);
    for (size_t i = 0; ok && i < ARRAY_SIZE(regions); i++) {
        json_t *region = json_array_get(all, i);
        if ((every || !regions[i].opt_in) && names_item(names, region, "RegionName") &&
            filters_match(&region_kind, filters, region)) {
            json_array_append(shown, region);
        }
    }
    json_decref(all);
    json_object_set_new(call->out, "Regions", shown);
    return ok;
}

/* AllAvailabilityZones adds Local and Wavelength Zones one has not opted in to; a lab has none. */
static bool
describe_availability_zones(struct op_call *call, struct err *err)
{
    const json_t *filters = json_object_get(call->in, "Filters"), *names = json_object_get(call->in, "ZoneNames"),
                 *ids = json_object_get(call->in, "ZoneIds");
    const char *region = call->cloud->region;
    json_t *all = json_array(), *shown = json_array();
    char name[24], id[24];
    for (size_t i = 0; network_zone(ec2_net(call), i, name, id); i++) {
        json_array_append_new(all, json_pack("{s:s, s:[], s:s, s:s, s:s, s:o, s:s, s:s, s:s}", "OptInStatus",
                                             "opt-in-not-required", "Messages", "RegionName", region, "ZoneName", name,
                                             "ZoneId", id, "GroupName", json_sprintf("%s-zg-1", region),
                                             "NetworkBorderGroup", region, "ZoneType", "availability-zone", "State",
                                             "available"));
    }
    bool ok = filters_check(&zone_kind, filters, err) &&
              check_names(call, "ZoneNames", all, "ZoneName", "availability zone", err) &&
              check_names(call, "ZoneIds", all, "ZoneId", "availability zone id", err);
    for (size_t i = 0; ok && i < json_array_size(all); i++) {
        json_t *zone = json_array_get(all, i);
        if (names_item(names, zone, "ZoneName") && names_item(ids, zone, "ZoneId") &&
            filters_match(&zone_kind, filters, zone)) {
            json_array_append(shown, zone);
        }
    }
    json_decref(all);
    json_object_set_new(call->out, "AvailabilityZones", shown);
    return ok;
}

static const char *
default_vpc(const struct op_call *call)
{
    const struct store *store = network_store(ec2_net(call));
    for (const struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        if (vpc->is_default && strcmp(vpc->obj.region, call->cloud->region) == 0 &&
            strcmp(vpc->obj.account, call->cloud->account) == 0) {
            return vpc->obj.id;
        }
    }
    return "none";
}

/* The quotas are the ones the model enforces.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAccountAttributes.html */
static bool
describe_account_attributes(struct op_call *call, struct err *err)
{
    (void)err; /* names were checked against AWS's */
    const struct {
        const char *name, *value;
    } attributes[] = {
        { "supported-platforms", "VPC" }, { "vpc-max-security-groups-per-interface", "5" },
        { "max-elastic-ips", "5" },       { "max-instances", "20" },
        { "vpc-max-elastic-ips", "5" },   { "default-vpc", default_vpc(call) },
    };
    const json_t *names = json_object_get(call->in, "AttributeNames");
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        json_t *attribute = json_pack("{s:s, s:[{s:s}]}", "AttributeName", attributes[i].name, "AttributeValues",
                                      "AttributeValue", attributes[i].value);
        if (names_item(names, attribute, "AttributeName")) {
            json_array_append(list, attribute);
        }
        json_decref(attribute);
    }
    json_object_set_new(call->out, "AccountAttributes", list);
    return true;
}

const struct op ops_ec2_account[] = {
    { .service = "ec2",
      .name = "DescribeRegions",
      .mode = OP_READ,
      .run = describe_regions,
      .help = "Show AWS's regions." },
    { .service = "ec2",
      .name = "DescribeAvailabilityZones",
      .mode = OP_READ,
      .run = describe_availability_zones,
      .help = "Show the Availability Zones of the region in use." },
    { .service = "ec2",
      .name = "DescribeAccountAttributes",
      .mode = OP_READ,
      .run = describe_account_attributes,
      .help = "Show the account's quotas and its default VPC." },
    { 0 },
};

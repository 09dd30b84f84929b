/* cloud/ops_ec2_run.c - run-instances: from AWS's many ways to spell an interface to instances of the model.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2_eni.h"
#include "netsim/model/instance.h"
#include "netsim/model/security_group.h"

#define INSTANCES_MAX 10000

static bool
combination(const char *a, const char *b, struct err *err)
{
    return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                   "the parameters `%s` and `%s` may not be used in the same request", a, b);
}

/* ---- the interfaces ------------------------------------------------------------------------------------------------
 */

/* What stands beside NetworkInterfaces belongs inside it when that is used. */
static bool
check_beside(const struct op_call *call, struct err *err)
{
    static const char *const members[] = { "SubnetId",         "SecurityGroupIds", "SecurityGroups",
                                           "PrivateIpAddress", "Ipv6Addresses",    "Ipv6AddressCount" };
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (json_object_get(call->in, members[i])) {
            combination("NetworkInterfaces", members[i], err);
            return err_hint(err, "say it inside NetworkInterfaces");
        }
    }
    return true;
}

/* Groups by name, which only work in the default VPC. */
static bool
add_named_groups(const struct op_call *call, json_t *groups, struct err *err)
{
    const json_t *names = json_object_get(call->in, "SecurityGroups"), *name;
    const struct vpc *vpc = network_default_vpc(ec2_net(call));
    size_t i;
    if (names && json_object_get(call->in, "SubnetId")) {
        combination("SecurityGroups", "SubnetId", err);
        return err_hint(err, "name the groups by id (--security-group-ids)");
    }
    json_array_foreach(names, i, name)
    {
        const struct security_group *group =
            vpc ? network_group_by_name(ec2_net(call), vpc->obj.id, json_string_value(name)) : NULL;
        if (!group) {
            return err_set(err, ERR_INPUT, "InvalidGroup.NotFound",
                           "the security group `%s` does not exist in the default VPC", json_string_value(name));
        }
        json_array_append_new(groups, json_string(group->obj.id));
    }
    return true;
}

/* The default subnet of Placement's zone, when no subnet is named. */
static bool
place(const struct op_call *call, json_t *interface, struct err *err)
{
    const char *zone = json_string_value(json_at(call->in, "Placement.AvailabilityZone"));
    const struct store *store = network_store(ec2_net(call));
    const struct subnet *subnet = store_get(store, &subnet_kind, json_str(interface, "SubnetId"));
    if (!zone) {
        return true;
    }
    if (json_object_get(interface, "SubnetId")) {
        return !subnet || (subnet->zone && strcmp(subnet->zone, zone) == 0) ||
               err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is in %s, not in %s", subnet->obj.id,
                       subnet->zone, zone);
    }
    const struct vpc *vpc = network_default_vpc(ec2_net(call));
    for (subnet = store_first(store, &subnet_kind); vpc && subnet; subnet = store_next(store, subnet)) {
        if (subnet->default_for_az && strcmp(subnet->vpc_id, vpc->obj.id) == 0 && subnet->zone &&
            strcmp(subnet->zone, zone) == 0) {
            json_object_set_new(interface, "SubnetId", json_string(subnet->obj.id));
            return true;
        }
    }
    err_set(err, ERR_INPUT, "MissingInput", "there is no default subnet in %s", zone);
    return err_hint(err, "name a subnet (--subnet-id)");
}

/* One list in the shape of NetworkInterfaces, whichever way the request says it; owned by the caller. */
static json_t *
interfaces_of(const struct op_call *call, struct err *err)
{
    const json_t *given = json_object_get(call->in, "NetworkInterfaces");
    bool ok;
    json_t *list;
    if (json_array_size(given) > 0) {
        list = json_deep_copy(given);
        ok = check_beside(call, err);
    } else {
        static const char *const members[] = { "SubnetId", "PrivateIpAddress", "Ipv6Addresses", "Ipv6AddressCount" };
        json_t *interface = json_pack("{s:i}", "DeviceIndex", 0),
               *groups = json_deep_copy(json_object_get(call->in, "SecurityGroupIds"));
        groups = groups ? groups : json_array();
        for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
            json_t *value = json_object_get(call->in, members[i]);
            if (value) {
                json_object_set(interface, members[i], value);
            }
        }
        list = json_pack("[o]", interface);
        ok = add_named_groups(call, groups, err);
        json_object_set_new(interface, "Groups", groups);
    }
    if (!ok || !place(call, json_array_get(list, 0), err)) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* Each device once, device 0 there, and nothing that is not modelled. */
static bool
check_interfaces(const json_t *list, struct err *err)
{
    static const char *const refused[] = { "AssociateCarrierIpAddress",
                                           "Ipv4Prefixes",
                                           "Ipv4PrefixCount",
                                           "Ipv6Prefixes",
                                           "Ipv6PrefixCount",
                                           "PrimaryIpv6",
                                           "EnaSrdSpecification",
                                           "ConnectionTrackingSpecification",
                                           "EnaQueueCount" };
    size_t n = json_array_size(list);
    bool first = false;
    for (size_t i = 0; i < n; i++) {
        const json_t *interface = json_array_get(list, i);
        long long device = json_int(interface, "DeviceIndex", -1);
        const char *type = json_str(interface, "InterfaceType");
        if (device < 0) {
            return err_set(err, ERR_INPUT, "MissingParameter",
                           "each network interface requires a device index (`DeviceIndex`)");
        }
        for (size_t j = 0; j < i; j++) {
            if (json_int(json_array_get(list, j), "DeviceIndex", -1) == device) {
                return err_set(err, ERR_INPUT, "InvalidParameterValue",
                               "each network interface requires a unique device index, not `%lld` twice", device);
            }
        }
        for (size_t j = 0; j < ARRAY_SIZE(refused); j++) {
            if (json_object_get(interface, refused[j])) {
                return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model `%s` of an interface",
                               refused[j]);
            }
        }
        if ((type && strcmp(type, "interface") != 0) || json_int(interface, "NetworkCardIndex", 0) != 0) {
            return err_set(err, ERR_INPUT, "UnsupportedOperation",
                           "vpclab models interfaces of the type `interface` on network card 0");
        }
        if (n > 1 && json_object_get(interface, "AssociatePublicIpAddress")) {
            return err_set(
                err, ERR_INPUT, "InvalidParameterCombination",
                "`AssociatePublicIpAddress` cannot be specified when launching with multiple network interfaces");
        }
        if (json_object_get(interface, "AssociatePublicIpAddress") && json_str(interface, "NetworkInterfaceId")) {
            return combination("NetworkInterfaceId", "AssociatePublicIpAddress", err);
        }
        first = first || device == 0;
    }
    return first ||
           err_set(err, ERR_INPUT, "InvalidParameterValue", "one of the network interfaces has to be device 0");
}

/* A further interface of one new instance. */
static bool
connect_further(struct op_call *call, struct instance *instance, const json_t *interface, struct err *err)
{
    const char *id = json_str(interface, "NetworkInterfaceId");
    struct eni_request request = { 0 };
    struct eni *eni = NULL;
    if (id) {
        eni = network_require(ec2_net(call), &eni_kind, id, err);
    } else if (eni_request_read(interface, "NetworkInterfaces", &request, err)) {
        request.spec.subnet_id = request.spec.subnet_id ? request.spec.subnet_id : instance->subnet_id;
        eni = eni_create(ec2_net(call), &request.spec, err);
    }
    eni_request_done(&request);
    if (!eni || !eni_attach(ec2_net(call), eni, instance->obj.id, (int)json_int(interface, "DeviceIndex", 0), err)) {
        return false;
    }
    eni->attachment.delete_on_termination = json_flag(interface, "DeleteOnTermination", !id);
    return true;
}

/* ---- the request
 * ------------------------------------------------------------------------------------------------------ */

static bool
read_profile(const struct op_call *call, char **arn, struct err *err)
{
    const json_t *profile = json_object_get(call->in, "IamInstanceProfile");
    const char *name = json_str(profile, "Name"), *given = json_str(profile, "Arn");
    *arn = NULL;
    if (name && given) {
        return combination("IamInstanceProfile.Name", "IamInstanceProfile.Arn", err);
    }
    if (given && strncmp(given, "arn:aws:iam::", 13) != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "value (`%s`) for parameter `iamInstanceProfile.arn` is invalid", given);
    }
    if (given) {
        *arn = xstrdup(given);
    } else if (name) {
        *arn = xasprintf("arn:aws:iam::%s:instance-profile/%s", network_account(ec2_net(call)), name);
    }
    return true;
}

static bool
read_counts(const struct op_call *call, size_t *min, size_t *max, struct err *err)
{
    long long least = arg_int(call->in, "MinCount", 1), most = arg_int(call->in, "MaxCount", 1);
    if (least < 1 || most < least) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "MinCount `%lld` and MaxCount `%lld` have to be 1 or more, and the latter not less", least,
                       most);
    }
    if (most > INSTANCES_MAX) {
        return err_set(err, ERR_INPUT, "InstanceLimitExceeded", "`%lld` instances at once are more than %d", most,
                       INSTANCES_MAX);
    }
    *min = (size_t)least;
    *max = (size_t)most;
    return true;
}

/* As many as there are addresses for, between MinCount and MaxCount.  Returns how many; 0 with an error. */
static size_t
run_some(struct op_call *call, const struct instance_spec *spec, size_t min, size_t max, struct instance **out,
         struct err *err)
{
    struct err first = { 0 };
    if (instances_run(ec2_net(call), spec, max, out, &first)) {
        return max;
    }
    if (min < max && strcmp(first.code, "InsufficientFreeAddressesInSubnet") == 0) {
        for (size_t n = max; --n >= min;) {
            if (instances_run(ec2_net(call), spec, n, out, NULL)) {
                return n;
            }
        }
    }
    if (err && err->kind == ERR_NONE) {
        *err = first;
    }
    return 0;
}

/* AWS answers while the instances are starting: pending, and no public address yet. */
static void
answer_run(struct op_call *call, struct instance *const *instances, size_t n)
{
    json_t *described = json_array(), *instance, *interface, *address;
    size_t i, j, k;
    for (i = 0; i < n; i++) {
        json_array_append_new(described, object_describe(network_store(ec2_net(call)), instances[i]));
    }
    json_t *reservations = instances_to_reservations(ec2_net(call), described);
    json_object_update(call->out, json_array_get(reservations, 0));
    json_decref(reservations);
    json_decref(described);
    json_array_foreach(json_object_get(call->out, "Instances"), i, instance)
    {
        json_object_set_new(instance, "State", json_pack("{s:i, s:s}", "Code", INSTANCE_PENDING, "Name", "pending"));
        json_object_set_new(instance, "StateReason", json_pack("{s:s, s:s}", "Code", "pending", "Message", "pending"));
        json_object_set_new(instance, "PublicDnsName", json_string(""));
        json_object_del(instance, "PublicIpAddress");
        json_array_foreach(json_object_get(instance, "NetworkInterfaces"), j, interface)
        {
            json_object_del(interface, "Association");
            json_object_set_new(json_object_get(interface, "Attachment"), "Status", json_string("attaching"));
            json_array_foreach(json_object_get(interface, "PrivateIpAddresses"), k, address)
            {
                json_object_del(address, "Association");
            }
        }
    }
}

/* Everything about the instances but their interfaces, which are in 'request'. */
static void
fill_spec(const struct op_call *call, const json_t *interface, const struct eni_request *request, char *arn,
          struct instance_spec *spec)
{
    const json_t *public = json_object_get(interface, "AssociatePublicIpAddress"),
                 *names = json_object_get(call->in, "PrivateDnsNameOptions"),
                 *a = json_object_get(names, "EnableResourceNameDnsARecord"),
                 *aaaa = json_object_get(names, "EnableResourceNameDnsAAAARecord");
    *spec = (struct instance_spec){
        .image_id = arg_str(call->in, "ImageId"),
        .type = arg_str(call->in, "InstanceType"),
        .key_name = arg_str(call->in, "KeyName"),
        .user_data = arg_str(call->in, "UserData"),
        .profile_arn = arn,
        .eni = request->spec,
        .public_ip = public ? json_is_true(public) : -1,
        .hostname_type = json_str(names, "HostnameType"),
        .dns_a_record = a ? (json_is_true(a) ? 1 : -1) : 0,
        .dns_aaaa_record = aaaa ? (json_is_true(aaaa) ? 1 : -1) : 0,
        .keep_eni = !json_flag(interface, "DeleteOnTermination", true),
    };
}

static bool
finish(struct op_call *call, struct instance *instance, const json_t *list, const json_t *first, struct err *err)
{
    const char *tenancy = json_string_value(json_at(call->in, "Placement.Tenancy"));
    const char *token = arg_str(call->in, "ClientToken");
    size_t i;
    const json_t *interface;
    json_array_foreach(list, i, interface)
    {
        if (interface != first && !connect_further(call, instance, interface, err)) {
            return false;
        }
    }
    if (tenancy) {
        free(instance->tenancy);
        instance->tenancy = xstrdup(tenancy);
    }
    instance->client_token = token ? xstrdup(token) : NULL;
    instance->disable_api_termination = arg_flag(call->in, "DisableApiTermination", false);
    if (instance->profile_arn) {
        char id[ID_SIZE];
        id_new_iam(network_ids(ec2_net(call)), "AIPA", id);
        instance->profile_id = xstrdup(id);
    }
    const json_t *metadata = json_object_get(call->in, "MetadataOptions");
    if (metadata && !ec2_set_metadata(instance, metadata, err)) {
        return err_at(err, "MetadataOptions", 0, 0);
    }
    ec2_tag_new(call, &instance->obj);
    struct eni *const *enis;
    size_t n = instance_enis(ec2_net(call), instance, &enis);
    for (size_t e = 0; e < n; e++) {
        ec2_tag_new(call, &enis[e]->obj);
    }
    return true;
}

static bool
run_list(struct op_call *call, const json_t *list, struct err *err)
{
    const json_t *first = json_array_get(list, 0), *interface;
    size_t i, min = 1, max = 1;
    json_array_foreach(list, i, interface)
    {
        first = json_int(interface, "DeviceIndex", -1) == 0 ? interface : first;
    }
    const char *eni_id = json_str(first, "NetworkInterfaceId");
    struct eni_request request = { 0 };
    struct instance_spec spec;
    char *arn = NULL;
    bool ok = read_counts(call, &min, &max, err) && eni_request_read(first, "NetworkInterfaces", &request, err) &&
              read_profile(call, &arn, err);
    struct instance **instances = ok ? xcalloc(max, sizeof *instances) : NULL;
    size_t n = 0;
    if (ok) {
        fill_spec(call, first, &request, arn, &spec);
        spec.public_ip =
            json_array_size(list) > 1 ? 0 : spec.public_ip; /* AWS gives none to an instance with several interfaces */
        if (eni_id) {
            spec.eni_ids = &eni_id;
            spec.n_eni_ids = 1;
        }
        n = run_some(call, &spec, min, max, instances, err);
    }
    ok = n > 0;
    for (i = 0; i < n && ok; i++) {
        ok = finish(call, instances[i], list, first, err);
    }
    if (ok) {
        answer_run(call, instances, n);
    }
    free(instances);
    free(arn);
    eni_request_done(&request);
    return ok;
}

bool
ec2_run_instances(struct op_call *call, struct err *err)
{
    static const struct kind *const kinds[] = { &instance_kind, &eni_kind, NULL };
    const json_t *placement = json_object_get(call->in, "Placement");
    const char *member;
    json_t *value;
    if (!ec2_check_tags(call, kinds, err)) {
        return false;
    }
    json_object_foreach((json_t *)placement, member, value)
    {
        if (strcmp(member, "AvailabilityZone") != 0 && strcmp(member, "Tenancy") != 0) {
            return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model `Placement.%s`", member);
        }
    }
    if (json_object_get(call->in, "SubnetId") && !ec2_require(call, &subnet_kind, "SubnetId", err)) {
        return false;
    }
    json_t *list = interfaces_of(call, err);
    bool ok = list && check_interfaces(list, err) && run_list(call, list, err);
    json_decref(list);
    return ok;
}

/* The kind row of instances, AWS's reservations, and the questions about one; the operations are in instance_ops.c. */
#include "netsim/model/internal.h"
#include "netsim/model/load_balancer.h"

static const struct field served_port_fields[] = {
    FIELD(struct served_port, "Protocol", FIELD_INT, protocol, 0),
    FIELD(struct served_port, "FromPort", FIELD_INT, from, 0),
    FIELD(struct served_port, "ToPort", FIELD_INT, to, 0),
    FIELD_END,
};

static const struct field instance_fields[] = {
    FIELD(struct instance, "ClientToken", FIELD_STRING, client_token, 0),
    FIELD(struct instance, "IamInstanceProfile.Arn", FIELD_STRING, profile_arn, 0),
    FIELD(struct instance, "IamInstanceProfile.Id", FIELD_STRING, profile_id, 0),
    FIELD(struct instance, "NetworkInterfaces", FIELD_DOCUMENT, loaded_enis, FIELD_INPUT_ONLY),
    FIELD(struct instance, "SecurityGroups", FIELD_DOCUMENT, loaded_groups, FIELD_INPUT_ONLY),
    FIELD(struct instance, "StateReason.Code", FIELD_STRING, state_reason_code, 0),
    FIELD(struct instance, "StateReason.Message", FIELD_STRING, state_reason, 0),
    FIELD_LIST(struct instance, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct instance, "InstanceId", FIELD_ID, obj.id, 0),
    FIELD(struct instance, "ImageId", FIELD_STRING, image_id, 0),
    FIELD(struct instance, "State.Code", FIELD_INT, state_code, 0),
    FIELD(struct instance, "State.Name", FIELD_STRING, state_name, 0),
    FIELD(struct instance, "StateTransitionReason", FIELD_STRING, transition_reason, FIELD_ALWAYS),
    FIELD(struct instance, "KeyName", FIELD_STRING, key_name, 0),
    FIELD(struct instance, "AmiLaunchIndex", FIELD_INT, launch_index, 0),
    FIELD(struct instance, "InstanceType", FIELD_STRING, type, 0),
    FIELD(struct instance, "LaunchTime", FIELD_TIME, launch_time, 0),
    FIELD(struct instance, "Placement.Tenancy", FIELD_STRING, tenancy, 0),
    FIELD(struct instance, "Placement.AvailabilityZone", FIELD_STRING, zone, 0),
    FIELD(struct instance, "SubnetId", FIELD_ID, subnet_id, 0),
    FIELD(struct instance, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD(struct instance, "PrivateDnsNameOptions.HostnameType", FIELD_STRING, hostname_type, 0),
    FIELD(struct instance, "PrivateDnsNameOptions.EnableResourceNameDnsARecord", FIELD_BOOL, dns_a_record, 0),
    FIELD(struct instance, "PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord", FIELD_BOOL, dns_aaaa_record, 0),
    FIELD(struct instance, "ReservationId", FIELD_ID, reservation_id, FIELD_STATE_ONLY),
    FIELD(struct instance, "UserData", FIELD_STRING, user_data, FIELD_STATE_ONLY),
    FIELD(struct instance, "DisableApiTermination", FIELD_BOOL, disable_api_termination,
          FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD(struct instance, "AutoPublicIp", FIELD_BOOL, auto_public_ip, FIELD_STATE_ONLY),
    FIELD(struct instance, "LastPublicIp", FIELD_IP, last_public_ip, FIELD_STATE_ONLY),
    FIELD_LIST(struct instance, "Served", served, served_port_fields, FIELD_STATE_ONLY),
    FIELD(struct instance, "MetadataOptions.State", FIELD_STRING, metadata.state, 0),
    FIELD(struct instance, "MetadataOptions.HttpTokens", FIELD_STRING, metadata.tokens, 0),
    FIELD(struct instance, "MetadataOptions.HttpPutResponseHopLimit", FIELD_INT, metadata.hop_limit, FIELD_OPTIONAL),
    FIELD(struct instance, "MetadataOptions.HttpEndpoint", FIELD_STRING, metadata.endpoint, 0),
    FIELD(struct instance, "MetadataOptions.HttpProtocolIpv6", FIELD_STRING, metadata.ipv6, 0),
    FIELD(struct instance, "MetadataOptions.InstanceMetadataTags", FIELD_STRING, metadata.tags, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html */
static const struct filter_row instance_filters[] = {
    { "availability-zone", "Placement.AvailabilityZone" },
    { "client-token", "ClientToken" },
    { "dns-name", "PublicDnsName" },
    { "iam-instance-profile.arn", "IamInstanceProfile.Arn" },
    { "iam-instance-profile.id", "IamInstanceProfile.Id" },
    { "image-id", "ImageId" },
    { "instance-id", "InstanceId" },
    { "instance-state-code", "State.Code" },
    { "instance-state-name", "State.Name" },
    { "instance-type", "InstanceType" },
    { "instance.group-id", "SecurityGroups.GroupId" },
    { "instance.group-name", "SecurityGroups.GroupName" },
    { "ip-address", "PublicIpAddress" },
    { "ipv6-address", "Ipv6Address" },
    { "key-name", "KeyName" },
    { "launch-index", "AmiLaunchIndex" },
    { "launch-time", "LaunchTime" },
    { "metadata-options.http-endpoint", "MetadataOptions.HttpEndpoint" },
    { "metadata-options.http-put-response-hop-limit", "MetadataOptions.HttpPutResponseHopLimit" },
    { "metadata-options.http-tokens", "MetadataOptions.HttpTokens" },
    { "metadata-options.instance-metadata-tags", "MetadataOptions.InstanceMetadataTags" },
    { "network-interface.addresses.association.public-ip",
      "NetworkInterfaces.PrivateIpAddresses.Association.PublicIp" },
    { "network-interface.addresses.association.ip-owner-id",
      "NetworkInterfaces.PrivateIpAddresses.Association.IpOwnerId" },
    { "network-interface.addresses.primary", "NetworkInterfaces.PrivateIpAddresses.Primary" },
    { "network-interface.addresses.private-ip-address", "NetworkInterfaces.PrivateIpAddresses.PrivateIpAddress" },
    { "network-interface.association.public-ip", "NetworkInterfaces.Association.PublicIp" },
    { "network-interface.association.ip-owner-id", "NetworkInterfaces.Association.IpOwnerId" },
    { "network-interface.attachment.attachment-id", "NetworkInterfaces.Attachment.AttachmentId" },
    { "network-interface.attachment.attach-time", "NetworkInterfaces.Attachment.AttachTime" },
    { "network-interface.attachment.delete-on-termination", "NetworkInterfaces.Attachment.DeleteOnTermination" },
    { "network-interface.attachment.device-index", "NetworkInterfaces.Attachment.DeviceIndex" },
    { "network-interface.attachment.status", "NetworkInterfaces.Attachment.Status" },
    { "network-interface.description", "NetworkInterfaces.Description" },
    { "network-interface.group-id", "NetworkInterfaces.Groups.GroupId" },
    { "network-interface.group-name", "NetworkInterfaces.Groups.GroupName" },
    { "network-interface.ipv6-addresses.ipv6-address", "NetworkInterfaces.Ipv6Addresses.Ipv6Address" },
    { "network-interface.mac-address", "NetworkInterfaces.MacAddress" },
    { "network-interface.network-interface-id", "NetworkInterfaces.NetworkInterfaceId" },
    { "network-interface.owner-id", "NetworkInterfaces.OwnerId" },
    { "network-interface.private-dns-name", "NetworkInterfaces.PrivateDnsName" },
    { "network-interface.source-dest-check", "NetworkInterfaces.SourceDestCheck" },
    { "network-interface.status", "NetworkInterfaces.Status" },
    { "network-interface.subnet-id", "NetworkInterfaces.SubnetId" },
    { "network-interface.vpc-id", "NetworkInterfaces.VpcId" },
    { "private-dns-name", "PrivateDnsName" },
    { "private-ip-address", "PrivateIpAddress" },
    { "reason", "StateTransitionReason" },
    { "reservation-id", "ReservationId" },
    { "source-dest-check", "SourceDestCheck" },
    { "state-reason-code", "StateReason.Code" },
    { "state-reason-message", "StateReason.Message" },
    { "subnet-id", "SubnetId" },
    { "tenancy", "Placement.Tenancy" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

static const struct {
    enum instance_state code;
    const char *name;
} states[] = {
    { INSTANCE_PENDING, "pending" },
    { INSTANCE_RUNNING, "running" },
    { INSTANCE_SHUTTING_DOWN, "shutting-down" },
    { INSTANCE_TERMINATED, "terminated" },
    { INSTANCE_STOPPING, "stopping" },
    { INSTANCE_STOPPED, "stopped" },
};

const char *
instance_state_name(int code)
{
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        if ((int)states[i].code == (code & 255)) { /* the high byte is AWS's own */
            return states[i].name;
        }
    }
    return "pending";
}

/* ---- loading
 * --------------------------------------------------------------------------------------------------------- */

/* Interfaces that the dump lists only inside the instance. */
bool
instance_load_enis(struct store *store, struct instance *instance, struct err *err)
{
    const json_t *item;
    size_t i;
    json_array_foreach(instance->loaded_enis, i, item)
    {
        const char *id = json_str(item, "NetworkInterfaceId");
        if (str_empty(id) || strlen(id) >= ID_SIZE || store_get(store, &eni_kind, id)) {
            continue;
        }
        struct eni *eni = store_add(store, &eni_kind, id);
        if (!fields_load(eni_fields, eni, item, instance->obj.id, NULL, err)) {
            store_delete(store, eni);
            return false;
        }
        memcpy(eni->obj.account, instance->obj.account, sizeof eni->obj.account);
        memcpy(eni->obj.region, instance->obj.region, sizeof eni->obj.region);
        eni->attached =
            true; /* what an instance lists is attached to it; the nested form does not repeat the instance's id */
        memcpy(eni->attachment.instance_id, instance->obj.id, ID_SIZE);
        if (!eni->zone) {
            str_set(&eni->zone, instance->zone);
        }
        if (!eni->subnet_id[0]) {
            memcpy(eni->subnet_id, instance->subnet_id, ID_SIZE);
        }
        if (!eni->vpc_id[0]) {
            memcpy(eni->vpc_id, instance->vpc_id, ID_SIZE);
        }
        eni_finish_loading(store, eni);
    }
    json_decref(instance->loaded_enis);
    instance->loaded_enis = NULL;
    return true;
}

void
instances_lend_groups(struct store *store)
{
    for (struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        const struct instance *instance =
            eni->groups.n == 0 ? store_get(store, &instance_kind, eni->attachment.instance_id) : NULL;
        for (size_t i = 0; instance && i < json_array_size(instance->loaded_groups); i++) {
            const char *id = json_str(json_array_get(instance->loaded_groups, i), "GroupId");
            if (id) {
                id_set(VEC_ADD(&eni->groups)->id, id);
            }
        }
    }
    for (struct instance *i = store_first(store, &instance_kind); i; i = store_next(store, i)) {
        json_decref(i->loaded_groups);
        i->loaded_groups = NULL;
    }
}

static void
instance_loaded(struct store *store, void *object)
{
    struct instance *instance = object;
    if (instance->state_name) {
        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
            if (strcmp(states[i].name, instance->state_name) == 0) {
                instance->state_code = (int32_t)states[i].code;
            }
        }
    } else {
        str_set(&instance->state_name, instance_state_name(instance->state_code));
    }
    /* On failure the list stays, and network_load_kind() reports it: this callback has no error to set. */
    instance_load_enis(store, instance, NULL);
}

json_t *
instances_from_reservations(const json_t *reservations)
{
    json_t *flat = json_array();
    const json_t *reservation, *instances;
    json_t *instance;
    size_t i, j;
    if (!json_is_array(reservations)) {
        json_decref(flat);
        return json_incref((json_t *)reservations);
    }
    json_array_foreach(reservations, i, reservation)
    {
        instances = json_object_get(reservation, "Instances");
        if (json_is_null(instances) && !json_object_get(reservation, "InstanceId")) {
            continue; /* an empty list, as some SDKs print it */
        }
        if (!json_is_array(instances)) {
            json_array_append(flat, (json_t *)reservation);
            continue;
        }
        json_array_foreach(instances, j, instance)
        {
            json_t *copy = json_copy(instance);
            static const char *const members[] = { "ReservationId", "OwnerId" };
            for (size_t m = 0; json_is_object(copy) && m < ARRAY_SIZE(members); m++) {
                json_t *value = json_object_get(reservation, members[m]);
                if (value && !json_object_get(copy, members[m])) {
                    json_object_set(copy, members[m], value);
                }
            }
            json_array_append_new(flat, copy);
        }
    }
    return flat;
}

json_t *
instances_to_reservations(const struct network *net, const json_t *described)
{
    json_t *list = json_array(), *item;
    struct map by_id = { 0 };
    size_t i;
    (void)net;
    json_array_foreach(described, i, item)
    {
        const char *id = json_str(item, "ReservationId");
        json_t *reservation = map_get(&by_id, id ? id : "");
        if (!reservation) {
            reservation = json_object();
            json_object_set_new(reservation, "ReservationId", json_string(id ? id : ""));
            json_object_set(reservation, "OwnerId", json_object_get(item, "OwnerId"));
            json_object_set_new(reservation, "Groups", json_array());
            json_object_set_new(reservation, "Instances", json_array());
            json_array_append_new(list, reservation);
            map_put(&by_id, id ? id : "", reservation);
        }
        json_t *copy = json_copy(item);
        json_object_del(copy, "ReservationId");
        json_object_del(copy, "OwnerId");
        json_array_append_new(json_object_get(reservation, "Instances"), copy);
    }
    map_done(&by_id);
    return list;
}

/* ---- describing
 * ------------------------------------------------------------------------------------------------------ */

static void
members_drop(json_t *object, const char *const *members)
{
    for (; object && *members; members++) {
        json_object_del(object, *members);
    }
}

/* The interface as it stands inside an instance: shape InstanceNetworkInterface, which has fewer members. */
static json_t *
nested_eni(const struct store *store, const struct eni *eni)
{
    static const char *const of_eni[] = { "AvailabilityZone", "PublicDnsName", "RequesterId", "RequesterManaged",
                                          "TagSet",           "Ipv6Address",   NULL };
    static const char *const of_attachment[] = { "InstanceId", "InstanceOwnerId", NULL };
    static const char *const of_association[] = { "AllocationId", "AssociationId", NULL };
    json_t *out = object_describe(store, eni), *item; /* what its members share among themselves all of them lose */
    size_t i;
    members_drop(out, of_eni);
    members_drop(json_object_get(out, "Attachment"), of_attachment);
    members_drop(json_object_get(out, "Association"), of_association);
    json_array_foreach(json_object_get(out, "PrivateIpAddresses"), i, item)
    {
        members_drop(json_object_get(item, "Association"), of_association);
    }
    return out;
}

static void
instance_describe(const struct store *store, const void *object, json_t *out)
{
    const struct instance *instance = object;
    const struct network *net = network_of(store);
    struct eni *const *enis;
    json_t *list = json_array();
    size_t n = net ? index_instance_enis(net, instance->obj.id, &enis) : 0;
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, nested_eni(store, enis[i]));
    }
    json_t *first = json_array_get(list, 0), *association = json_object_get(first, "Association");
    char private_name[80] = "";
    if (n && eni_primary_ip(enis[0])) {
        dns_private_name(instance->obj.region, eni_primary_ip(enis[0]), private_name, sizeof private_name);
        json_object_set(out, "PrivateIpAddress", json_object_get(first, "PrivateIpAddress"));
    }
    /* Unlike an interface, an instance has its private name with DNS hostnames off, too. */
    const char *given = json_str(first, "PrivateDnsName"), *public_name = json_str(association, "PublicDnsName");
    if (str_is(instance->hostname_type, "resource-name")) {
        snprintf(private_name, sizeof private_name,
                 strcmp(instance->obj.region, "us-east-1") == 0 ? "%.30s.ec2.internal" : "%.30s.%s.compute.internal",
                 instance->obj.id, instance->obj.region);
        given = NULL;
    }
    json_object_set_new(out, "PrivateDnsName", json_string(given ? given : private_name));
    json_object_set_new(out, "PublicDnsName", json_string(public_name ? public_name : ""));
    if (association) {
        json_object_set(out, "PublicIpAddress", json_object_get(association, "PublicIp"));
    }
    if (n && enis[0]->addresses6.n) {
        json_object_set_new(out, "Ipv6Address", json_string(ip_str(&enis[0]->addresses6.items[0].ip)));
    }
    json_object_set_new(out, "SecurityGroups", n ? json_deep_copy(json_object_get(first, "Groups")) : json_array());
    if (n) {
        json_object_set_new(out, "SourceDestCheck", json_boolean(enis[0]->source_dest_check));
    }
    json_object_set_new(out, "NetworkInterfaces", list);
    if (instance->reservation_id[0]) {
        json_object_set_new(out, "ReservationId", json_string(instance->reservation_id));
    }
}

static bool
instance_gone(const void *object)
{
    return (((const struct instance *)object)->state_code & 255) == INSTANCE_TERMINATED;
}

const struct kind instance_kind = {
    .name = "instance",
    .prefix = "i",
    .type = "instance",
    .list = "Instances",
    .id_member = "InstanceId",
    .ids_param = "InstanceIds",
    .not_found = "InvalidInstanceID.NotFound",
    .malformed = "InvalidInstanceID.Malformed",
    .size = sizeof(struct instance),
    .fields = instance_fields,
    .shows_owner = true,
    .filters = instance_filters,
    .loaded = instance_loaded,
    .describe = instance_describe,
    .gone = instance_gone,
};

bool
instance_is_running(const struct instance *instance)
{
    return (instance->state_code & 255) == INSTANCE_RUNNING;
}

/* What a gateway balancer sends takes a kernel to forward it. */
static bool
instance_inspects(const struct network *net, const struct instance *instance)
{
    const struct store *store = network_store(net);
    for (const struct target_group *g = store_first(store, &target_group_kind); g; g = store_next(store, g)) {
        for (size_t i = 0; g->protocol && strcmp(g->protocol, "GENEVE") == 0 && i < g->targets.n; i++) {
            if (g->targets.items[i].id && strcmp(g->targets.items[i].id, instance->obj.id) == 0) {
                return true;
            }
        }
    }
    return false;
}

bool
instance_is_tap(const struct network *net, const struct instance *instance)
{
    const char *tag = object_tag(&instance->obj, INSTANCE_HOST_TAG);
    struct eni *const *enis;
    size_t n = index_instance_enis(net, instance->obj.id, &enis);
    for (size_t i = 0; i < n; i++) {
        if (!enis[i]->source_dest_check) {
            return false;
        }
    }
    bool tap = tag && strcmp(tag, "tap") == 0         ? true
               : tag && strcmp(tag, "namespace") == 0 ? false
                                                      : network_tap_hosts(net);
    return tap && !instance_inspects(net, instance);
}

bool
instance_serve(struct network *net, struct instance *instance, const struct served_port *port, bool open)
{
    for (size_t i = 0; i < instance->served.n; i++) {
        const struct served_port *p = &instance->served.items[i];
        if (p->protocol == port->protocol && p->from == port->from && p->to == port->to) {
            if (!open) {
                VEC_REMOVE(&instance->served, i);
                network_touch(net);
            }
            return !open;
        }
    }
    if (open) {
        *VEC_ADD(&instance->served) = *port;
        network_touch(net);
    }
    return open;
}

struct eni *
instance_eni(const struct network *net, const struct instance *instance, int device)
{
    struct eni *const *enis;
    size_t n = index_instance_enis(net, instance->obj.id, &enis);
    for (size_t i = 0; i < n; i++) {
        if (enis[i]->attachment.device_index == device) {
            return enis[i];
        }
    }
    return NULL;
}

size_t
instance_enis(const struct network *net, const struct instance *instance, struct eni *const **enis)
{
    return index_instance_enis(net, instance->obj.id, enis);
}

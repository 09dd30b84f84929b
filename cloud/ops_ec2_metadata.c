/* cloud/ops_ec2_metadata.c - how an instance may ask about itself, and what it printed while it started.
 *
 * The metadata itself is served in the live lab: netsim/live/metadata.c.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html */
#include <string.h>
#include "cloud/ops_ec2_eni.h"
#include "netsim/model/instance.h"

bool
ec2_set_metadata(struct instance *instance, const json_t *options, struct err *err)
{
    const json_t *hops = json_object_get(options, "HttpPutResponseHopLimit");
    struct metadata_options change = { .tokens = (char *)json_str(options, "HttpTokens"),
                                       .endpoint = (char *)json_str(options, "HttpEndpoint"),
                                       .ipv6 = (char *)json_str(options, "HttpProtocolIpv6"),
                                       .tags = (char *)json_str(options, "InstanceMetadataTags") };
    long long limit = json_int(options, "HttpPutResponseHopLimit", 0);
    if (hops && (limit < 1 || limit > 64)) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "value (`%lld`) for parameter HttpPutResponseHopLimit is not 1 to 64", limit);
    }
    change.hop_limit = (int32_t)limit;
    return instance_set_metadata(instance, &change, err);
}

static bool
modify_instance_metadata_options(struct op_call *call, struct err *err)
{
    struct instance *instance = ec2_require(call, &instance_kind, "InstanceId", err);
    if (!instance) {
        return false;
    }
    if ((instance->state_code & 255) == INSTANCE_TERMINATED) {
        return err_set(err, ERR_INPUT, "IncorrectInstanceState", "the instance `%s` is terminated", instance->obj.id);
    }
    store_touch(network_store(ec2_net(call)));
    if (!ec2_set_metadata(instance, call->in, err)) {
        return false;
    }
    json_t *described = object_describe(network_store(ec2_net(call)), instance);
    json_object_set_new(call->out, "InstanceId", json_string(instance->obj.id));
    json_object_set(call->out, "InstanceMetadataOptions", json_object_get(described, "MetadataOptions"));
    json_decref(described);
    return true;
}

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_metadata[] = {
    ROW("ModifyInstanceMetadataOptions", OP_WRITE, modify_instance_metadata_options, "instance/${InstanceId}",
        "Change how an instance's metadata is served: tokens, hop limit, on or off."),
    { 0 },
};

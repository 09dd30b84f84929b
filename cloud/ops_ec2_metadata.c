/* cloud/ops_ec2_metadata.c - how an instance may ask about itself, and what it printed while it started.
 *
 * The metadata itself is served in the live lab: netsim/live/metadata.c.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html */
#include <string.h>
#include "cloud/ops_ec2_eni.h"
#include "netsim/live/live.h"
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

/* Text as JSON can hold it: what is no UTF-8 becomes a question mark. */
static json_t *
printable(const struct buf *text)
{
    json_t *whole = json_stringn(buf_str(text), text->size);
    struct buf plain = { 0 };
    for (size_t i = 0; !whole && i < text->size; i++) {
        buf_char(&plain, (unsigned char)text->data[i] < 128 ? text->data[i] : '?');
    }
    whole = whole ? whole : json_stringn(buf_str(&plain), plain.size);
    buf_done(&plain);
    return whole;
}

/* As text, which is what `aws ec2 get-console-output` makes of the base64 that travels. */
static bool
get_console_output(struct op_call *call, struct err *err)
{
    const struct instance *instance = ec2_require(call, &instance_kind, "InstanceId", err);
    if (!instance) {
        return false;
    }
    const struct buf *console = call->cloud->live ? live_console(call->cloud->live, instance->obj.id) : NULL;
    char now[32];
    clock_format_ms(clock_now_ms(&call->cloud->clock), now);
    json_object_set_new(call->out, "InstanceId", json_string(instance->obj.id));
    json_object_set_new(call->out, "Timestamp", json_string(now));
    json_object_set_new(call->out, "Output", console ? printable(console) : json_string(""));
    return true;
}

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_metadata[] = {
    ROW("ModifyInstanceMetadataOptions", OP_WRITE, modify_instance_metadata_options, "instance/${InstanceId}",
        "Change how an instance's metadata is served: tokens, hop limit, on or off."),
    ROW("GetConsoleOutput", OP_READ, get_console_output, "instance/${InstanceId}",
        "Show what an instance's user data printed since the live lab was built."),
    { 0 },
};

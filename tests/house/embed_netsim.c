/* A program that embeds libnetsim: a VPC, two instances in a new account's default VPC, one question.  Built with libnetsim, libbase and
 * jansson alone: no kernel, no privilege. */
#include <string.h>
#include "netsim/analysis/reach.h"
#include "netsim/model/instance.h"

int
main(void)
{
    struct id_gen ids = { 0 };
    struct clock clock = { 0 };
    struct err err = { 0 };
    struct instance *instances[2];
    struct reach_result result = { 0 };
    id_gen_seed(&ids, 1);
    struct network *net = network_new(&ids, &clock);
    struct instance_spec spec = { .image_id = "ami-12345678", .public_ip = -1 };
    if (!network_create_default_vpc(net, &err) || !instances_run(net, &spec, 2, instances, &err)) {
        return 2;
    }
    struct flow_spec flow = { .protocol = PROTOCOL_TCP, .src_port = -1, .dst_port = 22 };
    flow.from.kind = flow.to.kind = FLOW_END_INSTANCE;
    memcpy(flow.from.id, instances[0]->obj.id, ID_SIZE);
    memcpy(flow.to.id, instances[1]->obj.id, ID_SIZE);
    bool answered = reach(net, &flow, false, &result, &err);
    bool reachable = result.reachable;
    reach_result_done(&result);
    network_free(net);
    return answered && reachable ? 0 : 1; /* the default security group lets its members talk */
}

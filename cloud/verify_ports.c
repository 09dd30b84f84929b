#include "cloud/verify_ports.h"

#include "netsim/model/network.h"
#include "netsim/model/security_group.h"

#define UNNAMED_PORT 4444
#define PORTS_MAX    64 /* of one pair; more say nothing new and cost time */

void
ports_add(struct verify_ports *ports, int protocol, int port)
{
    for (size_t i = 0; i < ports->list.n; i++) {
        if (ports->list.items[i].protocol == protocol && ports->list.items[i].port == port) {
            return;
        }
    }
    if (ports->list.n < PORTS_MAX) {
        *VEC_ADD(&ports->list) = (struct verify_port){ protocol, port };
    }
}

void
ports_add_of(const struct network *net, const struct eni *eni, bool egress, struct verify_ports *ports)
{
    for (size_t i = 0; eni && i < eni->groups.n; i++) {
        const struct security_group *group =
            store_get(network_store(net), &security_group_kind, eni->groups.items[i].id);
        for (size_t j = 0; group && j < group->rules.n; j++) {
            const struct sg_rule *rule = &group->rules.items[j];
            bool ported = rule->protocol == PROTOCOL_TCP || rule->protocol == PROTOCOL_UDP;
            if (rule->egress != egress || !ported || rule->from < 0) {
                continue;
            }
            /* 0 is no port that a packet could name usefully. */
            ports_add(ports, rule->protocol, rule->from ? rule->from : 1);
            ports_add(ports, rule->protocol, rule->to);
        }
    }
}

void
ports_add_unnamed(struct verify_ports *ports)
{
    int port = UNNAMED_PORT;
    for (size_t i = 0; i < ports->list.n; i++) {
        if (ports->list.items[i].protocol == PROTOCOL_TCP && ports->list.items[i].port == port) {
            port++;
            i = 0;
        }
    }
    ports_add(ports, PROTOCOL_TCP, port);
}

/* Places at VPC endpoints: a gateway endpoint that a route leads to, the interface of an interface endpoint.
 * Sources: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html, .../concepts.html */
#include <string.h>

#include "netsim/analysis/mended.h"
#include "netsim/analysis/walk_places.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/network.h"

/* tcp, and icmp echo.  Source: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html */
static bool
gateway_endpoint_carries(const struct packet *p)
{
    return p->protocol == PROTOCOL_TCP || (p->protocol == PROTOCOL_ICMP && (p->icmp_type == 8 || p->icmp_type == 0)) ||
           (p->protocol == PROTOCOL_ICMPV6 && (p->icmp_type == 128 || p->icmp_type == 129));
}

void
place_vpce(struct walk *w)
{
    const char *id = w->gateway_id = w->route->gateway_id;
    const struct endpoint *endpoint = walk_get(w, &endpoint_kind, id);
    walk_cross(w, HOP_VPCE, endpoint ? &endpoint->obj : NULL)->id = id;
    w->stop_what = "Gateway Load Balancer endpoint";
    if (!endpoint) {
        walk_stop(w, STOP_UNKNOWN_RESOURCE);
    } else if (!endpoint_is_gateway(endpoint)) {
        walk_stop(w, STOP_UNMODELLED);
    } else if (strcmp(endpoint->vpc_id, w->vpc_id) != 0) {
        walk_stop(w, STOP_BLACKHOLE);
    } else if (!endpoint_is_available(endpoint) && walk_stops(w, STOP_GATEWAY_STATE)) {
        return;
    } else if (!gateway_endpoint_carries(&w->packet)) {
        walk_stop(w, STOP_VPCE_PROTOCOL);
    } else if (!network_eni_by_address(w->net, w->vpc_id, &w->packet.src)) {
        walk_stop(w, STOP_VPCE_SOURCE); /* nobody outside the VPC may use it */
    } else if (walk_is_target(w, id)) {
        walk_arrive(w);
    } else {
        walk_outside(w);
    }
}

/* Only answers come out of an endpoint. */
void
walk_from_endpoint(struct walk *w, const char *id)
{
    const struct endpoint *endpoint = walk_get(w, &endpoint_kind, id);
    walk_cross(w, HOP_VPCE, endpoint ? &endpoint->obj : NULL)->id = id;
    w->vpc_id = endpoint ? endpoint->vpc_id : NULL;
    walk_stop(w, endpoint ? STOP_VPCE_INTRA_VPC : STOP_UNKNOWN_RESOURCE);
}

bool
endpoint_sends(struct walk *w)
{
    if (w->is_reply || !network_endpoint_of_eni(w->net, w->eni->obj.id)) {
        return true;
    }
    walk_stop(w, STOP_VPCE_INTRA_VPC);
    return false;
}

bool
endpoint_receives(struct walk *w)
{
    const struct endpoint *endpoint = network_endpoint_of_eni(w->net, w->eni->obj.id);
    return !endpoint || endpoint_is_available(endpoint) || !walk_stops(w, STOP_GATEWAY_STATE);
}

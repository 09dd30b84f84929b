/* Places at VPC endpoints: a gateway endpoint or one of a Gateway Load Balancer that a route leads to, the interface of
 * an interface endpoint with the service behind it. Sources:
 * https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html, .../concepts.html */
#include <string.h>

#include "netsim/analysis/mended.h"
#include "netsim/analysis/vpce.h"
#include "netsim/analysis/walk_places.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/failure.h"
#include "netsim/model/network.h"
#include "netsim/model/private_service.h"

/* tcp, and icmp echo.  Source: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html */
static bool
gateway_endpoint_carries(const struct packet *p)
{
    return p->protocol == PROTOCOL_TCP || (p->protocol == PROTOCOL_ICMP && (p->icmp_type == 8 || p->icmp_type == 0)) ||
           (p->protocol == PROTOCOL_ICMPV6 && (p->icmp_type == 128 || p->icmp_type == 129));
}

/* ---- Endpoints of Gateway Load Balancers ---------------------------------------------------------------------------
 */

/* A flow that the balancer does not know may begin with any packet, but for TCP: "Asymmetric flows are not supported
 * when the load balancer did not process the initial packet".  Source:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/gateway/gateway-load-balancers.html#asymmetric-flows */
static bool
knows_flow(struct walk *w, const struct endpoint *endpoint)
{
    for (size_t i = 0; w->is_reply && i < w->session->inspected.n; i++) {
        const struct inspection *known = &w->session->inspected.items[i];
        if (known->endpoint == endpoint && ip_equal(&known->src, &w->packet.dst) &&
            ip_equal(&known->dst, &w->packet.src)) {
            return true;
        }
    }
    if (!w->is_reply) {
        *VEC_ADD(&w->session->inspected) = (struct inspection){ endpoint, w->packet.src, w->packet.dst };
    }
    return !w->is_reply || w->packet.protocol != PROTOCOL_TCP;
}

/* What the appliances behind the balancer let through comes out of the endpoint unchanged and goes on by the route
 * table of its subnet. AWS's analyzer does not look behind the endpoint, so neither do we. Source:
 * https://docs.aws.amazon.com/vpc/latest/reachability/how-reachability-analyzer-works.html */
static void
leave_gateway_lb(struct walk *w, const struct endpoint *endpoint, const struct eni *eni)
{
    walk_through_middlebox(w);
    w->eni = eni;
    w->subnet = walk_get(w, &subnet_kind, eni->subnet_id);
    w->vpc_id = endpoint->vpc_id;
    w->at = AT_EDGE_OUT;
    if (!w->subnet) {
        walk_stop(w, STOP_NO_SUBNET);
    }
}

static void
through_gateway_lb(struct walk *w, const struct endpoint *endpoint)
{
    const struct eni *eni = vpce_eni(w->net, endpoint->obj.id, w->subnet ? w->subnet->obj.id : NULL);
    const struct subnet *before = w->subnet, *subnet = eni ? walk_get(w, &subnet_kind, eni->subnet_id) : NULL;
    w->subnet = subnet;
    if (subnet && subnet != before && !walk_pass_acl(w, false)) {
        return;
    }
    walk_cross(w, HOP_VPCE, &endpoint->obj);
    if (!endpoint_is_available(endpoint) && walk_stops(w, STOP_GATEWAY_STATE)) {
        return;
    }
    w->eni = eni;
    if (eni && eni_failure(w->net, eni) && walk_stops(w, STOP_FAILED)) {
        return;
    }
    if (walk_is_target(w, endpoint->obj.id)) {
        walk_arrive(w);
    } else if (!eni) {
        walk_stop(w, STOP_UNKNOWN_RESOURCE);
    } else if (w->packet.dst.family == IP_V6 && !eni->addresses6.n) {
        walk_stop(w, STOP_BLACKHOLE); /* IPv6 takes an endpoint of address type dualstack */
    } else if (!knows_flow(w, endpoint)) {
        walk_stop(w, STOP_GWLB_NO_FLOW);
    } else {
        leave_gateway_lb(w, endpoint, eni);
    }
}

/* ---- A route to an endpoint ----------------------------------------------------------------------------------------
 */

static void
to_gateway_endpoint(struct walk *w, const struct endpoint *endpoint)
{
    walk_cross(w, HOP_VPCE, &endpoint->obj);
    if (!endpoint_is_available(endpoint) && walk_stops(w, STOP_GATEWAY_STATE)) {
        return;
    }
    if (!gateway_endpoint_carries(&w->packet)) {
        walk_stop(w, STOP_VPCE_PROTOCOL);
    } else if (!network_eni_by_address(w->net, w->vpc_id, &w->packet.src)) {
        walk_stop(w, STOP_VPCE_SOURCE); /* nobody outside the VPC may use it */
    } else if (walk_is_target(w, endpoint->obj.id)) {
        walk_arrive(w);
    } else {
        walk_outside(w);
    }
}

void
place_vpce(struct walk *w)
{
    const char *id = w->gateway_id = w->route->gateway_id;
    const struct endpoint *endpoint = walk_get(w, &endpoint_kind, id);
    if (endpoint && strcmp(endpoint->vpc_id, w->vpc_id) == 0 && endpoint_is_gateway(endpoint)) {
        to_gateway_endpoint(w, endpoint);
    } else if (endpoint && strcmp(endpoint->vpc_id, w->vpc_id) == 0 && endpoint_is_gateway_lb(endpoint)) {
        through_gateway_lb(w, endpoint);
    } else { /* AWS refuses a route to an endpoint of another VPC or an interface endpoint; an import may hold one */
        walk_cross(w, HOP_VPCE, endpoint ? &endpoint->obj : NULL)->id = id;
        walk_stop(w, endpoint ? STOP_BLACKHOLE : STOP_UNKNOWN_RESOURCE);
    }
}

/* ---- An endpoint as the source -------------------------------------------------------------------------------------
 */

/* Only answers come out of an endpoint, but out of that of a Gateway Load Balancer all that its appliances send on. */
void
walk_from_endpoint(struct walk *w, const char *id)
{
    const struct endpoint *endpoint = walk_get(w, &endpoint_kind, id);
    const struct eni *eni = endpoint && endpoint_is_gateway_lb(endpoint) ? vpce_eni(w->net, id, NULL) : NULL;
    walk_cross(w, HOP_VPCE, endpoint ? &endpoint->obj : NULL)->id = id;
    w->vpc_id = endpoint ? endpoint->vpc_id : NULL;
    if (eni && !endpoint_is_available(endpoint) && walk_stops(w, STOP_GATEWAY_STATE)) {
        return;
    }
    if (eni && eni_failure(w->net, eni) && walk_stops(w, STOP_FAILED)) {
        return;
    }
    if (eni) {
        leave_gateway_lb(w, endpoint, eni);
    } else {
        walk_stop(w, endpoint ? STOP_VPCE_INTRA_VPC : STOP_UNKNOWN_RESOURCE);
    }
}

void
endpoint_answers(struct walk *w, const char *id)
{
    const struct endpoint *endpoint = walk_get(w, &endpoint_kind, id);
    if (endpoint && endpoint_is_gateway_lb(endpoint)) {
        walk_from_endpoint(w, id);
    } else {
        walk_enter_vpc(w, id);
    }
}

/* ---- Interface endpoints -------------------------------------------------------------------------------------------
 */

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
    if (!endpoint) {
        return true;
    }
    if (!endpoint_is_available(endpoint) && walk_stops(w, STOP_GATEWAY_STATE)) {
        return false;
    }
    const struct private_service *service = network_private_service(w->net, endpoint->service_name);
    bool addressed = eni_has_ip(w->eni, &w->packet.dst) && endpoint_is_interface(endpoint);
    /* With the filters open the ports are not those that listeners ask for: connectivity ends at the endpoint. */
    return !service || !addressed || w->is_reply || w->filters_open || !service_receives(w, service);
}

#include "netsim/analysis/vpce.h"

#include <string.h>

#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/network.h"
#include "netsim/model/private_service.h"

bool
vpce_service_address(const struct network *net, const char *id, int family, struct ip *ip)
{
    const struct endpoint *endpoint = store_get(network_store(net), &endpoint_kind, id);
    const struct prefix_list *list =
        endpoint && endpoint->service_name ? network_service_prefix_list(net, endpoint->service_name) : NULL;
    for (size_t i = 0; list && i < list->entries.n; i++) {
        if (list->entries.items[i].cidr.ip.family == family) {
            *ip = cidr_first(&list->entries.items[i].cidr);
            return true;
        }
    }
    return false;
}

/* 2 in the same subnet, 1 in the same zone. */
static int
nearness(const struct eni *eni, const struct subnet *near)
{
    return !near                                       ? 0
           : strcmp(eni->subnet_id, near->obj.id) == 0 ? 2
                                                       : eni->zone && near->zone && strcmp(eni->zone, near->zone) == 0;
}

const struct eni *
vpce_eni(const struct network *net, const char *id, const char *subnet_id)
{
    const struct store *store = network_store(net);
    const struct endpoint *endpoint = store_get(store, &endpoint_kind, id);
    const struct subnet *near = subnet_id ? store_get(store, &subnet_kind, subnet_id) : NULL;
    const struct eni *best = NULL;
    for (size_t i = 0; endpoint && i < endpoint->eni_ids.n; i++) {
        const struct eni *eni = store_get(store, &eni_kind, endpoint->eni_ids.items[i]);
        best = eni && (!best || nearness(eni, near) > nearness(best, near)) ? eni : best;
    }
    return best;
}

const char *
vpce_of_eni(const struct network *net, const char *eni_id)
{
    const struct endpoint *endpoint = network_endpoint_of_eni(net, eni_id);
    return endpoint ? endpoint->obj.id : NULL;
}

const char *
vpce_of_service(const struct network *net, const char *service_id, const char *vpc_id)
{
    const struct store *store = network_store(net);
    const struct private_service *service = store_get(store, &private_service_kind, service_id);
    const struct endpoint *best = NULL;
    for (const struct endpoint *e = service ? store_first(store, &endpoint_kind) : NULL; e; e = store_next(store, e)) {
        bool leads_there = e->service_name && service->name && strcmp(e->service_name, service->name) == 0;
        if (leads_there && (!vpc_id || strcmp(e->vpc_id, vpc_id) == 0) &&
            (!best || (endpoint_is_available(e) && !endpoint_is_available(best)))) {
            best = e;
        }
    }
    return best ? best->obj.id : NULL;
}

const struct eni *
vpce_service_node(const struct network *net, const char *service_id)
{
    const struct private_service *service = store_get(network_store(net), &private_service_kind, service_id);
    for (size_t i = 0; service && i < service->nlb_arns.n + service->gwlb_arns.n; i++) {
        const char *arn =
            i < service->nlb_arns.n ? service->nlb_arns.items[i] : service->gwlb_arns.items[i - service->nlb_arns.n];
        const struct load_balancer *lb = network_load_balancer(net, arn);
        struct eni *const *enis;
        if (lb && load_balancer_enis(net, lb, &enis) > 0) {
            return enis[0];
        }
    }
    return NULL;
}

#include "netsim/analysis/vpce.h"

#include <string.h>

#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/network.h"

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

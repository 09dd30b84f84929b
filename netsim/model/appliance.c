#include "netsim/model/appliance.h"

#include "netsim/model/internal.h"

enum appliance_role
instance_appliance(const struct network *net, const struct instance *instance)
{
    struct eni *const *enis;
    size_t n = instance_enis(net, instance, &enis);
    const char *role = object_tag(&instance->obj, APPLIANCE_TAG);
    for (size_t i = 0; i < n; i++) {
        if (!enis[i]->source_dest_check) {
            return str_is(role, "none")  ? APPLIANCE_NONE
                   : str_is(role, "nat") ? APPLIANCE_TRANSLATES
                                         : APPLIANCE_FORWARDS;
        }
    }
    return APPLIANCE_NONE;
}

const struct eni *
appliance_exit(const struct network *net, const struct instance *instance, const struct ip *source,
               const struct ip *destination)
{
    struct eni *const *enis;
    size_t n = instance_enis(net, instance, &enis);
    for (size_t i = 0; i < n; i++) {
        if (eni_has_ip(enis[i], source)) {
            return enis[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        const struct subnet *subnet = store_get(net->store, &subnet_kind, enis[i]->subnet_id);
        if (subnet && subnet_contains_ip(subnet, destination)) {
            return enis[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (appliance_hears(net, enis[i], destination->family)) {
            return enis[i];
        }
    }
    return NULL;
}

bool
appliance_hears(const struct network *net, const struct eni *eni, int family)
{
    const struct subnet *subnet = store_get(net->store, &subnet_kind, eni->subnet_id);
    return subnet && (family == IP_V4 ? subnet->cidr.ip.family != 0 : subnet_cidr6(subnet) != NULL);
}

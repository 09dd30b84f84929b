#include "netsim/interop/aws_shared.h"

#include <stdio.h>
#include <string.h>
#include "netsim/model/gateways.h"
#include "netsim/model/subnet.h"
#include "netsim/model/transit_gateway.h"

void
aws_sighted(aws_sightings *sightings, const struct kind *kind, const char *id, const char *account)
{
    if (kind == &transit_gateway_kind || kind == &subnet_kind || kind == &prefix_list_kind) {
        struct aws_sighting *one = VEC_ADD(sightings);
        *one = (struct aws_sighting){ .kind = kind };
        snprintf(one->id, sizeof one->id, "%s", id);
        snprintf(one->account, sizeof one->account, "%s", account);
    }
}

static bool
is_account(const char *text)
{
    return strlen(text) == 12 && strspn(text, "0123456789") == 12;
}

void
aws_shared_write(const struct network *net, const aws_sightings *sightings, json_t *report)
{
    json_t *list = json_array();
    struct map seen = { 0 };
    for (size_t i = 0; i < sightings->n; i++) {
        const struct aws_sighting *one = &sightings->items[i];
        const struct object *object = store_get(network_store(net), one->kind, one->id);
        char key[ID_SIZE + 16];
        snprintf(key, sizeof key, "%s %s", one->id, one->account);
        if (object && is_account(object->account) && is_account(one->account) &&
            strcmp(object->account, one->account) != 0 && !map_get(&seen, key)) {
            map_put(&seen, key, (void *)one);
            json_array_append_new(list, json_pack("{s:s, s:s}", "Id", one->id, "Account", one->account));
        }
    }
    map_done(&seen);
    json_object_set_new(report, "Shared", list);
}

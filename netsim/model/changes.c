#include "netsim/model/changes.h"

#include "netsim/model/internal.h"

void
network_changes_seen(const struct network *net)
{
    struct network *writable = (struct network *)net;
    writable->changes.followed = true;
    writable->changes.generation = store_generation(net->store);
    writable->changes.list.n = 0;
}

bool
network_changes(const struct network *net, const struct network_change **list, size_t *n)
{
    *list = net->changes.list.items;
    *n = net->changes.list.n;
    return net->changes.followed && net->changes.generation == store_generation(net->store);
}

void
network_changed(struct network *net, uint64_t before, enum network_change_kind kind, const char *id)
{
    if (!net->changes.followed || net->changes.generation != before) {
        return; /* something else has changed before */
    }
    struct network_change *change = VEC_ADD(&net->changes.list);
    change->kind = kind;
    id_set(change->id, id);
    net->changes.generation = store_generation(net->store);
}

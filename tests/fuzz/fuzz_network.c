/* What `aws ec2 describe-*` might have printed, damaged in any way: loading refuses it or takes it, and whatever was
 * taken can be described, asked and taken apart again. */
#include "tests/fuzz/fuzz.h"

#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"

static void
describe_all(struct network *net)
{
    struct store *store = network_store(net);
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        for (void *object = store_first(store, *kind); object; object = store_next(store, object)) {
            json_decref(object_describe(store, object));
        }
        json_decref(store_save_kind(store, *kind));
    }
}

static void
ask_all(struct network *net)
{
    struct store *store = network_store(net);
    struct eni *const *members;
    struct ip ip;
    for (struct subnet *s = store_first(store, &subnet_kind); s; s = store_next(store, s)) {
        network_subnet_route_table(net, s);
        network_subnet_acl(net, s);
        subnet_free_addresses(net, s);
        subnet_pick_address(net, s, s->cidr.bits >= 16 ? IP_V4 : IP_V6, &ip, NULL);
    }
    for (struct eni *e = store_first(store, &eni_kind); e; e = store_next(store, e)) {
        for (size_t i = 0; i < e->addresses.n; i++) {
            network_eni_by_address(net, e->vpc_id, &e->addresses.items[i].ip);
            eni_public_ip(e, &e->addresses.items[i].ip);
        }
        eni_label(net, e);
    }
    for (struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        network_group_members(net, g->obj.id, &members);
    }
    route_tables_refresh(net);
}

static void
delete_all(struct network *net)
{
    struct store *store = network_store(net);
    for (struct instance *i = store_first(store, &instance_kind); i; i = store_next(store, i)) {
        instance_stop(net, i, NULL);
        instance_start(net, i, NULL);
        instance_terminate(net, i, NULL);
    }
    for (struct nat_gateway *n = store_first(store, &nat_gateway_kind); n; n = store_next(store, n)) {
        nat_gateway_delete(net, n, NULL);
    }
    for (struct eni *e = store_first(store, &eni_kind), *next; e; e = next) {
        next = store_next(store, e);
        eni_delete(net, e, NULL);
    }
    for (struct subnet *s = store_first(store, &subnet_kind), *next; s; s = next) {
        next = store_next(store, s);
        subnet_delete(net, s, NULL);
    }
    for (struct vpc *v = store_first(store, &vpc_kind), *next; v; v = next) {
        next = store_next(store, v);
        vpc_delete(net, v, NULL);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    struct id_gen ids;
    const struct clock clock = { .fixed = true };
    struct err err = { 0 };
    json_t *json = json_read(text, strlen(text), "dump", &err);
    id_gen_seed(&ids, 1);
    struct network *net = network_new(&ids, &clock);
    bool ok = json != NULL;
    for (const struct kind *const *kind = network_kinds; *kind && ok; kind++) {
        const json_t *array = json_object_get(json, *kind == &instance_kind ? "Reservations" : (*kind)->list);
        ok = !array || network_load_kind(net, *kind, array, (*kind)->list, NULL, &err);
        FUZZ_CHECK(ok || err.text[0]);
    }
    describe_all(net); /* also what a refused dump left behind */
    ask_all(net);
    delete_all(net);
    describe_all(net);
    network_free(net);
    json_decref(json);
    free(text);
    return 0;
}

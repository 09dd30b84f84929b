/* What the tests of netsim/model share: a network with fixed ids and time. */
#pragma once
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "tests/test.h"

static struct id_gen model_ids;
static const struct clock model_clock = { .fixed = true, .base_ms = 1767312000000 };

__attribute__((unused)) static struct network *
model_new(void)
{
    id_gen_seed(&model_ids, 7);
    return network_new(&model_ids, &model_clock);
}

__attribute__((unused)) static struct vpc *
model_vpc(struct network *net, const char *cidr, bool ipv6)
{
    struct err err = { 0 };
    struct vpc *vpc = vpc_create(net, &(struct vpc_spec){ .cidr = cidr_lit(cidr), .amazon_ipv6 = ipv6 }, &err);
    REQUIRE(vpc, "%s", err.text);
    return vpc;
}

__attribute__((unused)) static struct subnet *
model_subnet(struct network *net, const struct vpc *vpc, const char *cidr)
{
    struct err err = { 0 };
    struct subnet_spec spec = { .vpc_id = vpc->obj.id, .cidr = cidr_lit(cidr) };
    struct subnet *subnet = subnet_create(net, &spec, &err);
    REQUIRE(subnet, "%s", err.text);
    return subnet;
}

__attribute__((unused)) static struct internet_gateway *
model_igw(struct network *net, const struct vpc *vpc)
{
    struct err err = { 0 };
    struct internet_gateway *igw = internet_gateway_create(net, &err);
    REQUIRE(igw && internet_gateway_attach(net, igw, vpc->obj.id, &err), "%s", err.text);
    return igw;
}

__attribute__((unused)) static struct eni *
model_eni(struct network *net, const struct subnet *subnet, const char *ip)
{
    struct err err = { 0 };
    struct eni *eni = eni_create(
        net, &(struct eni_spec){ .subnet_id = subnet->obj.id, .ip = ip ? ip_lit(ip) : (struct ip){ 0 } }, &err);
    REQUIRE(eni, "%s", err.text);
    return eni;
}

__attribute__((unused)) static struct instance *
model_instance(struct network *net, const struct subnet *subnet, int public_ip)
{
    struct err err = { 0 };
    struct instance *instance;
    struct instance_spec spec = { .image_id = "ami-0123456789abcdef0",
                                  .eni.subnet_id = subnet->obj.id,
                                  .public_ip = public_ip };
    REQUIRE(instances_run(net, &spec, 1, &instance, &err), "%s", err.text);
    return instance;
}

/* Every kind as state.json holds it; the caller frees it. */
__attribute__((unused)) static char *
model_save(const struct network *net)
{
    struct buf text = { 0 };
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        json_t *array = store_save_kind(network_store(net), *kind);
        json_write_aws(array, &text);
        json_decref(array);
    }
    return buf_steal(&text);
}

__attribute__((unused)) static struct network *
model_reload(const struct network *net)
{
    struct network *copy = network_new(&model_ids, &model_clock);
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        struct err err = { 0 };
        json_t *array = store_save_kind(network_store(net), *kind);
        CHECK(network_load_kind(copy, *kind, array, (*kind)->list, NULL, &err), "%s %s", err.where, err.text);
        json_decref(array);
    }
    return copy;
}

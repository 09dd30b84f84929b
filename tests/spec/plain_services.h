/* tests/spec/plain_services.h - the third part of plain_net.h: VPC Block Public Access, appliances, gateway route
 * tables, endpoints of Gateway Load Balancers.
 *
 * Read from AWS's pages: security-vpc-bpa, gateway-route-tables, work-with-nat-instances, route-table-options
 * (middlebox appliances), privatelink concepts and gateway-load-balancer-endpoints. */
#pragma once
#include "netsim/model/classic_balancer.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/private_service.h"

/* ---- Block Public Access: stops what begins at the VPC's edge; answers go with what they answer. --------------------
 */

static bool
plain_closed(const struct plain *w, const char *vpc_id, const struct eni *eni, enum plain_door door)
{
    const struct vpc *vpc = store_get(network_store(w->net), &vpc_kind, vpc_id);
    const char *mode = "off", *own = NULL, *whole = NULL;
    EACH(block_public_access, o, block_public_access_kind)
    {
        bool owner = vpc && strcmp(o->obj.account, vpc->obj.account) == 0;
        mode = owner && strcmp(o->obj.region, vpc->obj.region) == 0 ? o->mode : mode;
    }
    EACH(bpa_exclusion, e, bpa_exclusion_kind)
    {
        const char *id = strrchr(e->resource_arn, '/') + 1;
        bool there = strcmp(e->state, "delete-complete") != 0;
        own = there && eni && strcmp(id, eni->subnet_id) == 0 ? e->mode : own;
        whole = there && strcmp(id, vpc_id) == 0 ? e->mode : whole;
    }
    const char *excluded = own ? own : whole ? whole : "";
    bool both_ways = strcmp(mode, "block-bidirectional") == 0;
    if (w->back || strcmp(mode, "off") == 0 || strcmp(excluded, "allow-bidirectional") == 0) {
        return false;
    }
    /* "This only applies when BPA is set to Bidirectional." */
    bool out = both_ways ? strcmp(excluded, "allow-egress") == 0 : door == DOOR_OUT_ONLY;
    return door == DOOR_IN || !out;
}

/* ---- Instances that send on what is not theirs
 * -----------------------------------------------------------------------
 */

static const struct eni *
plain_device(const struct plain *w, const char *instance_id, int device)
{
    const struct eni *found = NULL;
    EACH(eni, eni, eni_kind)
    {
        if (*instance_id && strcmp(eni->attachment.instance_id, instance_id) == 0 &&
            eni->attachment.device_index == device) {
            found = eni;
        }
    }
    return found;
}

static void
plain_to_appliance(struct plain *w, const struct route *r, const struct subnet *from, const char *vpc)
{
    const struct eni *next = r->instance_id ? plain_device(w, r->instance_id, 0) : NULL;
    EACH(eni, e, eni_kind)
    {
        next = r->eni_id && strcmp(e->obj.id, r->eni_id) == 0 ? e : next;
    }
    if (!next || strcmp(next->vpc_id, vpc) != 0) {
        plain_drop(w, "blackhole-route");
    } else if ((!from || strcmp(next->subnet_id, from->obj.id) != 0) &&
               !plain_acl(w, plain_subnet(w, next->subnet_id), false)) {
        plain_drop(w, "nacl-ingress");
    } else {
        plain_enter(w, next);
    }
}

/* An answer to what it sent under its own address becomes one to the first sender. */
static bool
plain_knows_answer(struct plain *w, const struct eni *eni)
{
    for (int i = 0; w->back && i < w->n_nat_memory; i++) {
        const struct plain_packet *sent = &w->nat_memory[i].outside, *inside = &w->nat_memory[i].inside;
        if (w->nat_memory[i].at == eni && ip_equal(&sent->src, &w->p.dst) && ip_equal(&sent->dst, &w->p.src) &&
            sent->sport == w->p.dport && sent->dport == w->p.sport) {
            w->p.dst = inside->src;
            w->p.dport = inside->sport;
            return true;
        }
    }
    return false;
}

/* Behind a middlebox nobody's groups are known. */
static void
plain_through_middlebox(struct plain *w)
{
    w->home = NULL;
    w->lb = NULL;
    w->names_groups = false;
    w->came = w->came == CAME_BY_TGW ? CAME_BY_TGW : CAME_FROM_OUTSIDE;
}

/* By the interface whose address it bears, or that is the destination's neighbour, else by the first. */
static const struct eni *
plain_exit(const struct plain *w, const char *instance_id)
{
    for (int device = 0; device < 4; device++) {
        const struct eni *eni = plain_device(w, instance_id, device);
        if (eni && plain_holds(eni, &w->p.src)) {
            return eni;
        }
    }
    for (int device = 0; device < 4; device++) {
        const struct eni *eni = plain_device(w, instance_id, device);
        if (eni && plain_subnet_has(plain_subnet(w, eni->subnet_id), &w->p.dst)) {
            return eni;
        }
    }
    return plain_device(w, instance_id, 0);
}

static void
plain_send_on(struct plain *w, const struct eni *in, bool known_answer)
{
    const char *id = in->attachment.instance_id, *role = NULL;
    bool instance = false, unchecked = false;
    EACH(instance, i, instance_kind)
    {
        if (strcmp(i->obj.id, id) == 0) {
            instance = true;
            role = object_tag(&i->obj, "vpclab:appliance");
        }
    }
    for (int device = 0; instance && device < 4; device++) {
        const struct eni *eni = plain_device(w, id, device);
        unchecked = unchecked || (eni && !eni->source_dest_check);
    }
    if (!instance || !unchecked || plain_same(role, "none")) {
        plain_drop(w, instance ? "appliance-keeps" : "unsupported-appliance");
        return;
    }
    const struct eni *out = plain_exit(w, id);
    /* An answer that it knows nothing of passes as it is, but for udp's, which looks like a first packet. */
    bool passes = w->back && (known_answer || w->p.protocol != 17);
    plain_through_middlebox(w);
    if (plain_same(role, "nat") && !passes && w->p.src.family == IP_V4 && out->addresses.n &&
        !plain_holds(out, &w->p.src) && w->n_nat_memory < 31) {
        w->nat_memory[w->n_nat_memory].nat = NULL;
        w->nat_memory[w->n_nat_memory].at = out;
        w->nat_memory[w->n_nat_memory].inside = w->p;
        w->p.src = out->addresses.items[0].ip;
        w->nat_memory[w->n_nat_memory++].outside = w->p;
        w->home = out->vpc_id;
        w->came = CAME_NOWHERE;
    }
    if (out->source_dest_check && !plain_holds(out, &w->p.src)) {
        plain_drop(w, "source-dest-check");
    } else if (plain_groups(w, out, true)) {
        plain_leave(w, out, plain_subnet(w, out->subnet_id));
    } else {
        plain_drop(w, "sg-egress");
    }
}

/* ---- Route tables of gateways: what comes in may have to pass a middlebox first. -----------------------------------
 */

static bool
plain_lacks_public_ip(const struct eni *eni)
{
    bool found = false;
    for (size_t i = 0; i < eni->addresses.n; i++) {
        found = found || eni->addresses.items[i].association.public_ip.family;
    }
    return !found;
}

/* May it go on to who has the address?  False: it was dropped, or sent elsewhere. */
static bool
plain_ingress(struct plain *w, const char *gateway, const char *vpc)
{
    const struct route_table *table = NULL;
    EACH(route_table, t, route_table_kind)
    {
        for (size_t i = 0; i < t->associations.n; i++) {
            table = strcmp(t->associations.items[i].gateway_id, gateway) == 0 ? t : table;
        }
    }
    const struct route *r = plain_route_of(w, table);
    const char *id = r ? r->gateway_id : NULL;
    if (!table || (plain_same(id, "local") && !plain_same(r->state, "blackhole"))) {
        return true;
    }
    if (!r || plain_same(r->state, "blackhole")) {
        plain_drop(w, r ? "blackhole-route" : "no-route");
    } else if (r->eni_id || r->instance_id) {
        const struct eni *next = r->instance_id ? plain_device(w, r->instance_id, 0)
                                                : store_get(network_store(w->net), &eni_kind, r->eni_id);
        bool internet = strncmp(gateway, "igw-", 4) == 0 && w->p.dst.family == IP_V4;
        if (next && internet && plain_lacks_public_ip(next)) {
            plain_drop(w, "ingress-no-public-ip");
        } else {
            plain_to_appliance(w, r, NULL, vpc);
        }
    } else if (id && strncmp(id, "vpce-", 5) == 0) {
        plain_endpoint_by_route(w, id, NULL, vpc);
    } else {
        plain_drop(w, "unsupported-gateway-route-table");
    }
    return false;
}

/* ---- Endpoints -----------------------------------------------------------------------------------------------------
 */

static bool
plain_is_gwlb_endpoint(const struct plain *w, const char *id)
{
    const struct endpoint *e = store_get(network_store(w->net), &endpoint_kind, id);
    return e && plain_same(e->type, "GatewayLoadBalancer");
}

static void
plain_out_of_gwlb_endpoint(struct plain *w, const struct eni *eni)
{
    plain_through_middlebox(w);
    plain_leave(w, NULL, plain_subnet(w, eni->subnet_id));
}

static bool
plain_inspected(const struct plain *w, const struct endpoint *e)
{
    bool found = false;
    for (int i = 0; i < w->n_inspected; i++) {
        found = found || (w->inspected[i].by == e && ip_equal(&w->inspected[i].src, &w->p.dst) &&
                          ip_equal(&w->inspected[i].dst, &w->p.src));
    }
    return found;
}

/* In by its interface, through appliances that let everything pass, and out again.  Of tcp only flows that it saw
 * begin: gateway-load-balancers, "Asymmetric flows". */
static void
plain_through_gwlb_endpoint(struct plain *w, const char *id, const struct subnet *from)
{
    const struct endpoint *e = store_get(network_store(w->net), &endpoint_kind, id);
    const struct eni *eni = store_get(network_store(w->net), &eni_kind, e->eni_ids.items[0]);
    if ((!from || strcmp(from->obj.id, eni->subnet_id) != 0) && !plain_acl(w, plain_subnet(w, eni->subnet_id), false)) {
        plain_drop(w, "nacl-ingress");
    } else if (!plain_same(e->state, "available")) {
        plain_drop(w, "gateway-state");
    } else if (plain_is_dead(w, eni)) {
        plain_drop(w, "failed");
    } else if (plain_meant(w, id)) {
        w->end_eni = NULL;
        w->end_vpc = e->vpc_id;
        w->end_gateway = id;
    } else if (w->p.dst.family == IP_V6 && !eni->addresses6.n) {
        plain_drop(w, "blackhole-route");
    } else if (w->back && w->p.protocol == 6 && !plain_inspected(w, e)) {
        plain_drop(w, "asymmetric-return");
    } else {
        if (!w->back && w->n_inspected < 32) {
            w->inspected[w->n_inspected].by = e;
            w->inspected[w->n_inspected].src = w->p.src;
            w->inspected[w->n_inspected++].dst = w->p.dst;
        }
        plain_out_of_gwlb_endpoint(w, eni);
    }
}

static void
plain_from_gwlb_endpoint(struct plain *w, const char *id)
{
    const struct endpoint *e = store_get(network_store(w->net), &endpoint_kind, id);
    w->came = CAME_FROM_OUTSIDE;
    const struct eni *eni = store_get(network_store(w->net), &eni_kind, e->eni_ids.items[0]);
    if (!plain_same(e->state, "available") || plain_is_dead(w, eni)) {
        plain_drop(w, plain_same(e->state, "available") ? "failed" : "gateway-state");
    } else {
        plain_out_of_gwlb_endpoint(w, eni);
    }
}

static const struct endpoint *
plain_endpoint_of(const struct plain *w, const struct eni *eni)
{
    EACH(endpoint, e, endpoint_kind)
    {
        for (size_t i = 0; i < e->eni_ids.n; i++) {
            if (strcmp(e->eni_ids.items[i], eni->obj.id) == 0) {
                return e;
            }
        }
    }
    return NULL;
}

static const struct load_balancer *
plain_balancer_of(const struct plain *w, const struct eni *eni)
{
    EACH(load_balancer, lb, load_balancer_kind)
    {
        if (eni->description && strncmp(eni->description, "ELB ", 4) == 0 &&
            strcmp(eni->description + 4, lb->obj.id) == 0) {
            return lb;
        }
    }
    return NULL;
}

/* What an interface may not begin by itself; NULL: anything else may. */
static const char *
plain_cannot_open(const struct plain *w, const struct eni *eni)
{
    const struct load_balancer *lb = plain_balancer_of(w, eni);
    if (w->back) {
        return NULL;
    }
    if (plain_endpoint_of(w, eni)) {
        return "vpce-unsolicited";
    }
    if (!lb || !plain_same(lb->type, "gateway")) {
        return NULL;
    }
    return w->p.protocol != 17 ? "gwlb-protocol" : w->p.dport != 6081 ? "gwlb-port" : NULL;
}

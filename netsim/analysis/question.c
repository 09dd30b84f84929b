#include "netsim/analysis/question.h"

#include <string.h>

#include "netsim/analysis/vpce.h"
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/private_service.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

#define EPHEMERAL_PORT 40000

/* An outside host to ask from or about, where the question names none. */
static struct ip
internet_host(int family)
{
    return ip_lit(family == IP_V6 ? "2001:4860:4860::8888" : "8.8.8.8");
}

/* ---- The ends ------------------------------------------------------------------------------------------------------
 */

/* What an id may be as an end, by its prefix. */
static const struct {
    const char *prefix;
    enum flow_end_kind kind;
} end_prefixes[] = {
    { "i-", FLOW_END_INSTANCE },  { "eni-", FLOW_END_ENI },      { "igw-", FLOW_END_GATEWAY },
    { "nat-", FLOW_END_GATEWAY }, { "tgw-", FLOW_END_GATEWAY },  { "vgw-", FLOW_END_GATEWAY },
    { "pcx-", FLOW_END_GATEWAY }, { "dxgw-", FLOW_END_GATEWAY }, { "eigw-", FLOW_END_GATEWAY },
    { "cgw-", FLOW_END_GATEWAY }, { "vpn-", FLOW_END_GATEWAY },  { "vpce-", FLOW_END_VPCE },
};

bool
flow_end_of_id(const char *id, struct flow_end *end)
{
    for (size_t i = 0; i < ARRAY_SIZE(end_prefixes); i++) {
        if (strncmp(id, end_prefixes[i].prefix, strlen(end_prefixes[i].prefix)) == 0 && strlen(id) < sizeof end->id) {
            end->kind = end_prefixes[i].kind;
            strcpy(end->id, id);
            return true;
        }
    }
    return false;
}

/* The kinds of gateways an end may be, by id prefix. */
static const struct {
    const char *prefix;
    const struct kind *kind;
} gateway_ends[] = {
    { "igw-", &internet_gateway_kind },
    { "tgw-attach-", &tgw_attachment_kind },
    { "tgw-", &transit_gateway_kind },
    { "vgw-", &vpn_gateway_kind },
    { "pcx-", &peering_kind },
    { "eigw-", &egress_only_gateway_kind },
    { "cgw-", &customer_gateway_kind },
    { "vpn-", &vpn_connection_kind },
    { "", &direct_connect_gateway_kind }, /* ids of any form */
};

static int
flow_family(const struct flow_spec *flow)
{
    const struct ip *stated[] = { &flow->src_ip, &flow->dst_ip, &flow->from.ip, &flow->to.ip };
    for (size_t i = 0; i < ARRAY_SIZE(stated); i++) {
        if (stated[i]->family != IP_NONE) {
            return stated[i]->family;
        }
    }
    return flow->family == IP_V6 || flow->protocol == PROTOCOL_ICMPV6 ? IP_V6 : IP_V4;
}

static const struct ip *
eni_address_of_family(const struct eni *eni, int family)
{
    if (family == IP_V6) {
        return eni->addresses6.n ? &eni->addresses6.items[0].ip : NULL;
    }
    return eni_primary_ip(eni);
}

/* An address as an end: the interface that has it (only one may), else the world outside. */
static bool
end_from_address(const struct network *net, const struct ip *ip, const char *near_vpc, const struct eni **eni,
                 struct err *err)
{
    *eni = near_vpc ? network_eni_by_address(net, near_vpc, ip) : NULL;
    if (*eni) {
        return true;
    }
    const struct store *store = network_store(net);
    for (const struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        const struct eni *found = network_eni_by_address(net, vpc->obj.id, ip);
        if (found && *eni) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is an address of %s and of %s", ip_str(ip),
                    (*eni)->obj.id, found->obj.id);
            return err_hint(err, "name the interface or the instance");
        }
        *eni = found ? found : *eni;
    }
    if (!*eni && ip->family == IP_V4) {
        struct ip private_ip;
        *eni = network_eni_by_public_ip(net, ip, &private_ip);
    }
    return true;
}

/* The private address behind a public one of the interface; NULL if it has not that. */
static const struct ip *
eni_of_public_ip(const struct eni *eni, const struct ip *public_ip)
{
    for (size_t i = 0; i < eni->addresses.n; i++) {
        if (ip_equal(&eni->addresses.items[i].association.public_ip, public_ip)) {
            return &eni->addresses.items[i].ip;
        }
    }
    return NULL;
}

static bool
end_from_instance(const struct network *net, const char *id, const struct ip *stated, struct end *end, struct err *err)
{
    const struct instance *instance = network_require(net, &instance_kind, id, err);
    if (!instance) {
        return false;
    }
    struct eni *const *enis;
    size_t n = instance_enis(net, instance, &enis);
    for (size_t i = 0; i < n && !end->eni; i++) { /* the one with the address that the question states ... */
        const struct ip *at = stated->family == IP_V4 ? eni_of_public_ip(enis[i], stated) : NULL;
        end->eni = stated->family && (at || eni_has_ip(enis[i], stated)) ? enis[i] : NULL;
    }
    end->eni = end->eni ? end->eni : n ? enis[0] : NULL; /* ... else its first */
    if (!end->eni) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "instance `%s` (%s) has no network interface", id,
                       instance->state_name ? instance->state_name : "unknown state");
    }
    return true;
}

static bool
end_from_gateway(const struct network *net, const char *id, struct end *end, struct err *err)
{
    if (strncmp(id, "nat-", 4) == 0) {
        const struct nat_gateway *nat = network_require(net, &nat_gateway_kind, id, err);
        if (!nat) {
            return false;
        }
        end->eni = nat->addresses.n ? store_get(network_store(net), &eni_kind, nat->addresses.items[0].eni_id) : NULL;
        if (!end->eni) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "NAT gateway `%s` has no network interface", id);
        }
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(gateway_ends); i++) {
        if (strncmp(id, gateway_ends[i].prefix, strlen(gateway_ends[i].prefix)) == 0) {
            end->gateway_id = id;
            return network_require(net, gateway_ends[i].kind, id, err) != NULL;
        }
    }
    return false;
}

/* An interface endpoint is one of its interfaces; a gateway endpoint is a gateway. */
static bool
end_from_vpce(const struct network *net, const char *id, const struct ip *override, const char *near_subnet,
              struct end *end, struct err *err)
{
    const struct endpoint *endpoint = store_get(network_store(net), &endpoint_kind, id);
    if (!endpoint) {
        return err_set(err, ERR_INPUT, "InvalidVpcEndpointId.NotFound", "no VPC endpoint is called `%s`", id);
    }
    end->gateway_id = id;
    bool by_route = endpoint_is_gateway(endpoint) || endpoint_is_gateway_lb(endpoint);
    if (!by_route) {
        const struct eni *stated = override->family ? network_eni_by_address(net, endpoint->vpc_id, override) : NULL;
        const char *owner = stated ? vpce_of_eni(net, stated->obj.id) : NULL;
        end->eni = owner && strcmp(owner, id) == 0 ? stated : vpce_eni(net, id, near_subnet);
    }
    if (!by_route && !end->eni) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "VPC endpoint `%s` has no network interface", id);
    }
    return true;
}

/* A client asks the service by the endpoint in its VPC; what comes from the service, its balancers send. */
static bool
end_from_service(const struct network *net, const char *id, const struct ip *override, const struct eni *near,
                 bool is_destination, struct end *end, struct err *err)
{
    if (!network_require(net, &private_service_kind, id, err)) {
        return false;
    }
    if (!is_destination) {
        end->eni = vpce_service_node(net, id);
        return end->eni || err_set(err, ERR_INPUT, "InvalidParameterValue",
                                   "no interface of a balancer of the service `%s` is known", id);
    }
    const char *endpoint_id = vpce_of_service(net, id, near ? near->vpc_id : NULL);
    if (!endpoint_id) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no endpoint to the service `%s`",
                near ? near->vpc_id : "the lab", id);
        return err_hint(err, "ec2 create-vpc-endpoint --vpc-endpoint-type Interface, or ask from the VPC that has one");
    }
    return end_from_vpce(net, endpoint_id, override, near ? near->subnet_id : NULL, end, err);
}

static bool
end_resolve(const struct network *net, const struct flow_end *named, const struct ip *override, const struct eni *near,
            bool is_destination, struct end *end, struct err *err)
{
    switch (named->kind) {
    case FLOW_END_INSTANCE:
        return end_from_instance(net, named->id, override, end, err);
    case FLOW_END_ENI:
        end->eni = network_require(net, &eni_kind, named->id, err);
        return end->eni != NULL;
    case FLOW_END_GATEWAY:
        if (strncmp(named->id, "vpce-", 5) != 0) {
            return end_from_gateway(net, named->id, end, err);
        }
        return end_from_vpce(net, named->id, override, near ? near->subnet_id : NULL, end, err);
    case FLOW_END_VPCE:
        if (strncmp(named->id, "vpce-svc-", 9) == 0) {
            return end_from_service(net, named->id, override, near, is_destination, end, err);
        }
        return end_from_vpce(net, named->id, override, near ? near->subnet_id : NULL, end, err);
    case FLOW_END_IP:
        end->any_holder = true;
        end->ip = named->ip;
        return end_from_address(net, override->family ? override : &named->ip,
                                is_destination ? near ? near->vpc_id : "" : NULL, &end->eni, err);
    case FLOW_END_INTERNET:
        return true;
    case FLOW_END_NONE:
        break;
    }
    return err_set(err, ERR_INPUT, "MissingParameter", "the question names no %s",
                   is_destination ? "destination" : "source");
}

/* The address an interface is spoken of by: the stated one, else its own of that family. */
static bool
eni_end_ip(const struct eni *eni, int family, struct ip *ip, struct err *err)
{
    const struct ip *own = eni_address_of_family(eni, family);
    if (!own) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no IPv%d address", eni->obj.id, family);
    }
    *ip = *own;
    return true;
}

/* From outside an interface goes by its public address.  False: it has none. */
static bool
public_end_ip(const struct eni *eni, int family, struct ip *ip)
{
    if (family == IP_V6) {
        const struct ip *own = eni_address_of_family(eni, family);
        *ip = own ? *own : (struct ip){ 0 };
        return own && !ip_is_private(own);
    }
    const struct ip *own = eni_primary_ip(eni);
    const struct ip *public_ip = own ? eni_public_ip(eni, own) : NULL;
    for (size_t i = 0; !public_ip && i < eni->addresses.n; i++) {
        public_ip = eni_public_ip(eni, &eni->addresses.items[i].ip);
    }
    *ip = public_ip ? *public_ip : own ? *own : (struct ip){ 0 };
    return public_ip != NULL;
}

/* ---- The question --------------------------------------------------------------------------------------------------
 */

bool
question_from_public_side(const struct question *q)
{
    return !q->from.eni && (!q->from.gateway_id || strncmp(q->from.gateway_id, "igw-", 4) == 0);
}

static bool
protocol_check(const struct flow_spec *flow, int family, int *protocol, struct err *err)
{
    *protocol = flow->protocol;
    if (flow->protocol < 0 || flow->protocol > 255) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "a packet has one protocol, 0 to 255; `%s` is none",
                protocol_name(flow->protocol));
        return err_hint(err, "ask for tcp, udp, icmp or a number");
    }
    if (protocol_is_icmp(flow->protocol)) {
        *protocol = family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP; /* people say icmp for both */
    }
    if (flow->dst_port > 65535 || flow->src_port > 65535) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "a port is 0 to 65535, not `%d`",
                       flow->dst_port > 65535 ? flow->dst_port : flow->src_port);
    }
    return true;
}

static bool
ends_check(const struct question *q, struct err *err)
{
    if (q->packet.src.family != q->packet.dst.family) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination", "`%s` and `%s` are of different families",
                       ip_str(&q->packet.src), ip_str(&q->packet.dst));
    }
    if (!q->from.eni && !q->to.eni && !q->to.any_holder && question_from_public_side(q)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "both ends are outside the lab");
        return err_hint(err, "name an instance or an interface as one end");
    }
    return true;
}

static bool
question_addresses(const struct flow_spec *flow, int family, struct question *q, struct err *err)
{
    struct packet *p = &q->packet;
    p->src = flow->src_ip;
    p->dst = flow->dst_ip;
    if (!p->src.family) {
        if (q->from.eni) {
            if (q->from.any_holder && eni_has_ip(q->from.eni, &q->from.ip)) {
                p->src = q->from.ip;
            } else if (!eni_end_ip(q->from.eni, family, &p->src, err)) {
                return false;
            }
        } else {
            bool known =
                q->from.ip.family ||
                (q->from.gateway_id && gateway_address(q->net, q->from.gateway_id, q->to.eni, false, family, &p->src));
            if (q->from.ip.family) {
                p->src = q->from.ip;
            } else if (!known) {
                p->src = q->anyone = internet_host(family);
            }
        }
    }
    if (p->dst.family) {
        return true;
    }
    if (q->to.ip.family) {
        p->dst = q->to.ip;
    } else if (!q->to.eni) {
        bool known = q->to.gateway_id && gateway_address(q->net, q->to.gateway_id, q->from.eni, true, family, &p->dst);
        if (!known) {
            p->dst = q->anyone = internet_host(family);
        }
    } else if (!question_from_public_side(q)) {
        return eni_end_ip(q->to.eni, family, &p->dst, err);
    } else if (!public_end_ip(q->to.eni, family, &p->dst)) {
        if (!p->dst.family) {
            return eni_end_ip(q->to.eni, family, &p->dst, err);
        }
        q->no_public_ip = true;
    }
    return true;
}

bool
question_init(const struct network *net, const struct flow_spec *flow, struct question *q, struct err *err)
{
    *q = (struct question){ .net = net };
    int family = flow_family(flow);
    struct packet *p = &q->packet;
    if (!protocol_check(flow, family, &p->protocol, err)) {
        return false;
    }
    p->src_port = p->dst_port = -1;
    if (protocol_has_ports(p->protocol)) {
        p->src_port = flow->src_port >= 0 ? flow->src_port : EPHEMERAL_PORT;
        p->dst_port = flow->dst_port;
    }
    p->icmp_type = p->icmp_code = -1;
    if (protocol_is_icmp(p->protocol)) {
        p->icmp_type = flow->icmp_type >= 0 ? flow->icmp_type : p->protocol == PROTOCOL_ICMP ? 8 : 128;
        p->icmp_code = flow->icmp_code >= 0 ? flow->icmp_code : 0;
    }
    q->wanted_receiver = flow->receiver;
    q->wanted_src = flow->receiver_src;
    q->wanted_port = flow->receiver_port;
    q->health_check = flow->health_check;
    q->ends_at_balancer = flow->ends_at_balancer;
    q->ends_at_application = flow->ends_at_application;
    q->all_obstacles = flow->all_obstacles;
    q->from_alone = flow->interfaces_alone && flow->from.kind == FLOW_END_ENI;
    q->to_alone = flow->interfaces_alone && flow->to.kind == FLOW_END_ENI;
    if (!end_resolve(net, &flow->from, &flow->src_ip, NULL, false, &q->from, err) ||
        !end_resolve(net, &flow->to, &flow->dst_ip, q->from.eni, true, &q->to, err)) {
        return false;
    }
    if (q->from.any_holder && !q->from.eni) {
        q->from.gateway_id = gateway_of_outsider(net, &q->from.ip, q->to.eni);
    }
    return question_addresses(flow, family, q, err) && ends_check(q, err);
}

struct target
question_target(const struct question *q)
{
    if (q->to.gateway_id) {
        return (struct target){ .kind = q->to.eni ? TARGET_ENI : TARGET_GATEWAY,
                                .eni = q->to.eni,
                                .gateway_id = q->to.gateway_id };
    }
    if (q->to.any_holder) {
        return (struct target){ .kind = TARGET_ADDRESS };
    }
    if (q->to.eni) {
        return (struct target){ .kind = TARGET_ENI, .eni = q->to.eni };
    }
    return (struct target){ .kind = TARGET_INTERNET };
}

#include "netsim/model/internal.h"

static const struct field cidr4_fields[] = {
    FIELD(struct vpc_cidr, "AssociationId", FIELD_ID, association_id, 0),
    FIELD(struct vpc_cidr, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct vpc_cidr, "CidrBlockState.State", FIELD_STRING, state, 0),
    FIELD_END,
};
const struct field vpc_cidr6_fields[] = {
    FIELD(struct vpc_cidr, "AssociationId", FIELD_ID, association_id, 0),
    FIELD(struct vpc_cidr, "Ipv6CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct vpc_cidr, "Ipv6CidrBlockState.State", FIELD_STRING, state, 0),
    FIELD(struct vpc_cidr, "NetworkBorderGroup", FIELD_STRING, border_group, 0),
    FIELD(struct vpc_cidr, "Ipv6Pool", FIELD_STRING, pool, 0),
    FIELD_END,
};
static const struct field vpc_fields[] = {
    FIELD(struct vpc, "InstanceTenancy", FIELD_STRING, tenancy, 0),
    FIELD_LIST(struct vpc, "Ipv6CidrBlockAssociationSet", cidrs6, vpc_cidr6_fields, 0),
    FIELD_LIST(struct vpc, "CidrBlockAssociationSet", cidrs, cidr4_fields, 0),
    FIELD(struct vpc, "IsDefault", FIELD_BOOL, is_default, 0),
    FIELD_LIST(struct vpc, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct vpc, "VpcId", FIELD_ID, obj.id, 0),
    FIELD(struct vpc, "State", FIELD_STRING, state, 0),
    FIELD(struct vpc, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct vpc, "DhcpOptionsId", FIELD_STRING, dhcp_options_id, 0),
    FIELD(struct vpc, "EnableDnsSupport", FIELD_BOOL, dns_support, FIELD_STATE_ONLY),
    FIELD(struct vpc, "EnableDnsHostnames", FIELD_BOOL, dns_hostnames, FIELD_STATE_ONLY),
    FIELD(struct vpc, "EnableNetworkAddressUsageMetrics", FIELD_BOOL, usage_metrics, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html */
static const struct filter_row vpc_filters[] = {
    { "cidr", "CidrBlock" },
    { "cidr-block-association.cidr-block", "CidrBlockAssociationSet.CidrBlock" },
    { "cidr-block-association.association-id", "CidrBlockAssociationSet.AssociationId" },
    { "cidr-block-association.state", "CidrBlockAssociationSet.CidrBlockState.State" },
    { "dhcp-options-id", "DhcpOptionsId" },
    { "ipv6-cidr-block-association.ipv6-cidr-block", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock" },
    { "ipv6-cidr-block-association.ipv6-pool", "Ipv6CidrBlockAssociationSet.Ipv6Pool" },
    { "ipv6-cidr-block-association.association-id", "Ipv6CidrBlockAssociationSet.AssociationId" },
    { "ipv6-cidr-block-association.state", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State" },
    { "is-default", "IsDefault" },
    { "isDefault", "IsDefault" },
    { "state", "State" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

static void
vpc_init(void *object)
{
    struct vpc *vpc = object;
    vpc->dns_support = true; /* describe-vpcs does not tell; AWS's default */
}

/* Old dumps have only CidrBlock, without the association set. */
static void
vpc_loaded(struct store *store, void *object)
{
    struct vpc *vpc = object;
    (void)store;
    if (vpc->cidrs.n == 0 && vpc->cidr.ip.family != IP_NONE) {
        struct vpc_cidr *block = VEC_ADD(&vpc->cidrs);
        block->cidr = vpc->cidr;
        block->state = xstrdup("associated");
    } else if (vpc->cidr.ip.family == IP_NONE && vpc->cidrs.n > 0) {
        vpc->cidr = vpc->cidrs.items[0].cidr;
    }
}

const struct kind vpc_kind = {
    .name = "vpc",
    .prefix = "vpc",
    .type = "vpc",
    .list = "Vpcs",
    .id_member = "VpcId",
    .ids_param = "VpcIds",
    .not_found = "InvalidVpcID.NotFound",
    .malformed = "InvalidVpcID.Malformed",
    .size = sizeof(struct vpc),
    .fields = vpc_fields,
    .shows_owner = true,
    .filters = vpc_filters,
    .init = vpc_init,
    .loaded = vpc_loaded,
};

/* A block that was disassociated stays listed for a while in AWS's answers; it no longer counts. */
static bool
associated(const struct vpc_cidr *block)
{
    return !block->state || strcmp(block->state, "associated") == 0 || strcmp(block->state, "associating") == 0;
}

bool
vpc_contains_ip(const struct vpc *vpc, const struct ip *ip)
{
    struct cidr host = cidr_host(ip);
    return vpc_contains(vpc, &host);
}

bool
vpc_contains(const struct vpc *vpc, const struct cidr *cidr)
{
    const bool v6 = cidr->ip.family == IP_V6;
    const struct vpc_cidr *blocks = v6 ? vpc->cidrs6.items : vpc->cidrs.items;
    size_t n = v6 ? vpc->cidrs6.n : vpc->cidrs.n;
    for (size_t i = 0; i < n; i++) {
        if (associated(&blocks[i]) && cidr_contains(&blocks[i].cidr, cidr)) {
            return true;
        }
    }
    return false;
}

/* ---- creating and deleting
 * -------------------------------------------------------------------------------------------- */

struct range_row {
    const char *cidr, *why;
};

static bool
range_check(const struct cidr *cidr, struct err *err)
{
    /* Addresses no host can have; AWS reserves the link-local ones for its own services (DNS, metadata). */
    static const struct range_row unusable[] = {
        { "0.0.0.0/8", "addresses of \"this network\"" }, { "127.0.0.0/8", "loopback addresses" },
        { "169.254.0.0/16", "link-local addresses" },     { "224.0.0.0/4", "multicast addresses" },
        { "240.0.0.0/4", "reserved addresses" },
    };
    if (cidr->ip.family != IP_V4 || cidr->bits < 16 || cidr->bits > 28) {
        err_set(err, ERR_INPUT, "InvalidVpc.Range", "the CIDR `%s` is invalid", cidr_str(cidr));
        return err_hint(err, "an IPv4 block of a VPC is between /16 and /28");
    }
    for (size_t i = 0; i < ARRAY_SIZE(unusable); i++) {
        struct cidr range = cidr_lit(unusable[i].cidr);
        if (cidr_overlaps(&range, cidr)) {
            err_set(err, ERR_INPUT, "InvalidVpc.Range", "the CIDR `%s` is invalid: %s are %s", cidr_str(cidr),
                    unusable[i].cidr, unusable[i].why);
            return err_hint(err, "use a private range (RFC 1918): 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16");
        }
    }
    return true;
}

static bool
cidr6_check(const struct cidr *cidr, struct err *err)
{
    if (cidr->ip.family != IP_V6 || cidr->bits < 44 || cidr->bits > 60 || cidr->bits % 4 != 0) {
        err_set(err, ERR_INPUT, "InvalidVpc.Range", "the IPv6 CIDR `%s` is invalid", cidr_str(cidr));
        return err_hint(err, "an IPv6 block of a VPC is /44, /48, /52, /56 or /60");
    }
    return true;
}

static bool
same_place(const struct network *net, const struct object *object)
{
    return strcmp(object->account, net->account) == 0 && strcmp(object->region, net->region) == 0;
}

static bool
limit_check(const struct network *net, const struct vpc_spec *spec, struct err *err)
{
    size_t n = 0;
    for (const struct vpc *vpc = store_first(net->store, &vpc_kind); vpc; vpc = store_next(net->store, vpc)) {
        if (!same_place(net, &vpc->obj)) {
            continue;
        }
        n++;
        if (spec->is_default && vpc->is_default) {
            return err_set(err, ERR_INPUT, "DefaultVpcAlreadyExists", "a default VPC already exists in %s: `%s`",
                           net->region, vpc->obj.id);
        }
    }
    if (net->limits && n >= 5) {
        err_set(err, ERR_INPUT, "VpcLimitExceeded", "the maximum number of VPCs has been reached (5 in %s)",
                net->region);
        return err_hint(err, "delete a VPC, or `lab limits off`");
    }
    return true;
}

/* The region's one set of DHCP options, as a new account has it. */
static char *
dhcp_options(struct network *net)
{
    for (const struct vpc *vpc = store_first(net->store, &vpc_kind); vpc; vpc = store_next(net->store, vpc)) {
        if (vpc->dhcp_options_id && strcmp(vpc->dhcp_options_id, "default") != 0 && same_place(net, &vpc->obj)) {
            return xstrdup(vpc->dhcp_options_id);
        }
    }
    return xstrdup(dhcp_options_create_default(net)->obj.id);
}

/* An unused /56 of the documentation prefix (RFC 3849), so that no lab ever names a stranger's network. */
static struct cidr
pick_amazon_cidr6(struct network *net)
{
    for (;;) {
        uint64_t number = id_random_below(net->ids, UINT64_C(1) << 24);
        struct cidr cidr = { .ip = { .hi = UINT64_C(0x20010db8) << 32 | number << 8, .family = IP_V6 }, .bits = 56 };
        bool used = false;
        for (const struct vpc *vpc = store_first(net->store, &vpc_kind); vpc; vpc = store_next(net->store, vpc)) {
            for (size_t i = 0; i < vpc->cidrs6.n; i++) {
                used = used || cidr_overlaps(&vpc->cidrs6.items[i].cidr, &cidr);
            }
        }
        if (!used) {
            return cidr;
        }
    }
}

static struct vpc_cidr *
block_add(struct network *net, struct vpc *vpc, const struct cidr *cidr, const char *pool)
{
    bool v6 = cidr->ip.family == IP_V6;
    struct vpc_cidr *block = v6 ? VEC_ADD(&vpc->cidrs6) : VEC_ADD(&vpc->cidrs);
    id_new(net->ids, "vpc-cidr-assoc", block->association_id);
    block->cidr = *cidr;
    block->state = xstrdup("associated");
    if (v6) {
        block->border_group = xstrdup(vpc->obj.region);
        block->pool = xstrdup(pool);
    }
    return block;
}

struct vpc *
vpc_create(struct network *net, const struct vpc_spec *spec, struct err *err)
{
    if (!range_check(&spec->cidr, err) || (spec->cidr6.ip.family && !cidr6_check(&spec->cidr6, err)) ||
        !limit_check(net, spec, err)) {
        return NULL;
    }
    if (spec->tenancy && !str_is(spec->tenancy, "default") && !str_is(spec->tenancy, "dedicated")) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%s` for InstanceTenancy", spec->tenancy);
        err_hint(err, "use default or dedicated");
        return NULL;
    }
    char *dhcp = dhcp_options(net);
    struct cidr cidr6 = spec->cidr6.ip.family ? spec->cidr6
                        : spec->amazon_ipv6   ? pick_amazon_cidr6(net)
                                              : (struct cidr){ 0 };
    struct vpc *vpc = network_add(net, &vpc_kind, NULL);
    vpc->cidr = spec->cidr;
    vpc->dhcp_options_id = dhcp;
    vpc->state = xstrdup("available");
    vpc->tenancy = xstrdup(spec->tenancy ? spec->tenancy : "default");
    vpc->is_default = vpc->dns_hostnames = spec->is_default;
    block_add(net, vpc, &spec->cidr, NULL);
    if (cidr6.ip.family) {
        block_add(net, vpc, &cidr6, spec->cidr6.ip.family ? "BringYourOwn" : "Amazon");
    }
    route_table_add(net, vpc, true);
    network_acl_add(net, vpc, true);
    security_group_add(net, vpc, "default", "default VPC security group");
    return vpc;
}

/* What joins the VPC to something else. */
static void
links_of_vpc(const struct network *net, const char *id, struct dependents *left)
{
    const struct store *store = net->store;
    for (const struct egress_only_gateway *g = store_first(store, &egress_only_gateway_kind); g;
         g = store_next(store, g)) {
        dependents_add_if(left, str_is(egress_only_gateway_vpc(g), id), g->obj.id);
    }
    for (const struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
        dependents_add_if(left, strcmp(e->vpc_id, id) == 0 && !str_is(e->state, "deleted"), e->obj.id);
    }
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        dependents_add_if(left, strcmp(a->vpc_id, id) == 0 && !tgw_attachment_is_over(a), a->obj.id);
    }
    const struct vpn_gateway *vgw = network_vpc_vgw(net, id);
    dependents_add_if(left, vgw, vgw ? vgw->obj.id : "");
    for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
        dependents_add_if(left, strcmp(lb->vpc_id, id) == 0, lb->obj.id);
    }
}

bool
vpc_delete(struct network *net, struct vpc *vpc, struct err *err)
{
    struct dependents left = { 0 };
    struct store *store = net->store;
    const char *id = vpc->obj.id;
    for (struct subnet *s = store_first(store, &subnet_kind); s; s = store_next(store, s)) {
        dependents_add_if(&left, strcmp(s->vpc_id, id) == 0, s->obj.id);
    }
    for (struct route_table *t = store_first(store, &route_table_kind); t; t = store_next(store, t)) {
        dependents_add_if(&left, strcmp(t->vpc_id, id) == 0 && !route_table_is_main(t), t->obj.id);
    }
    for (struct network_acl *a = store_first(store, &network_acl_kind); a; a = store_next(store, a)) {
        dependents_add_if(&left, strcmp(a->vpc_id, id) == 0 && !a->is_default, a->obj.id);
    }
    for (struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        dependents_add_if(&left, strcmp(g->vpc_id, id) == 0 && !str_is(g->name, "default"), g->obj.id);
    }
    for (struct eni *e = store_first(store, &eni_kind); e; e = store_next(store, e)) {
        dependents_add_if(&left, strcmp(e->vpc_id, id) == 0, e->obj.id);
    }
    struct internet_gateway *igw = network_vpc_igw(net, id);
    if (igw) {
        dependents_add(&left, igw->obj.id);
    }
    links_of_vpc(net, id, &left);
    if (!dependents_none(&left, id, err)) {
        return false;
    }
    /* What AWS made with the VPC goes with it; nothing else of the VPC is left. */
    static const struct {
        const struct kind *kind;
        size_t vpc_id;
    } rows[] = {
        { &route_table_kind, offsetof(struct route_table, vpc_id) },
        { &network_acl_kind, offsetof(struct network_acl, vpc_id) },
        { &security_group_kind, offsetof(struct security_group, vpc_id) },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (void *object = store_first(store, rows[i].kind), *next; object; object = next) {
            next = store_next(store, object);
            if (strcmp((char *)object + rows[i].vpc_id, id) == 0) {
                network_remove(net, object);
            }
        }
    }
    peerings_forget_vpc(net, id);
    network_remove(net, vpc);
    return true;
}

/* ---- further blocks
 * ------------------------------------------------------------------------------------------------------ */

/* Which ranges may not be added to a VPC that has a block of 'has'.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html#add-cidr-block-restrictions */
static const struct {
    const char *has, *refused;
} restrictions[] = {
    { "10.0.0.0/8", "172.16.0.0/12" },     { "10.0.0.0/8", "192.168.0.0/16" },    { "10.0.0.0/15", "10.0.0.0/16" },
    { "10.0.0.0/8", "198.19.0.0/16" },     { "172.16.0.0/12", "10.0.0.0/8" },     { "172.16.0.0/12", "192.168.0.0/16" },
    { "172.16.0.0/12", "172.31.0.0/16" },  { "172.16.0.0/12", "198.19.0.0/16" },  { "192.168.0.0/16", "10.0.0.0/8" },
    { "192.168.0.0/16", "172.16.0.0/12" }, { "192.168.0.0/16", "198.19.0.0/16" }, { "198.19.0.0/16", "10.0.0.0/8" },
    { "198.19.0.0/16", "172.16.0.0/12" },  { "198.19.0.0/16", "192.168.0.0/16" },
};

static bool
is_private_v4(const struct cidr *cidr)
{
    struct ip first = cidr_first(cidr);
    return ip_is_private(&first);
}

static bool
restriction_check(const struct vpc *vpc, const struct cidr *cidr, struct err *err)
{
    struct cidr benchmark = cidr_lit("198.19.0.0/16");
    for (size_t b = 0; b < vpc->cidrs.n; b++) {
        const struct cidr *block = &vpc->cidrs.items[b].cidr;
        bool refused = false;
        for (size_t i = 0; i < ARRAY_SIZE(restrictions); i++) {
            struct cidr has = cidr_lit(restrictions[i].has), no = cidr_lit(restrictions[i].refused);
            refused = refused || (cidr_contains(&has, block) && cidr_contains(&no, cidr));
        }
        /* A VPC of public or shared (RFC 6598) addresses takes neither private ranges nor 198.19.0.0/16. */
        if (!is_private_v4(block) && !cidr_contains(&benchmark, block)) {
            refused = refused || is_private_v4(cidr) || cidr_contains(&benchmark, cidr);
        }
        if (refused) {
            err_set(err, ERR_INPUT, "InvalidVpc.Range", "the CIDR `%s` is restricted beside `%s`", cidr_str(cidr),
                    cidr_str(block));
            return err_hint(err, "use a block from the same private range as the VPC's, a publicly routable one, or "
                                 "one from 100.64.0.0/10");
        }
    }
    return true;
}

/* A new block gives every table a local route, which must not lose to a route that is there: that one may only be
 * wider. */
static bool
route_conflict_check(const struct network *net, const struct vpc *vpc, const struct cidr *cidr, struct err *err)
{
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        for (size_t i = 0; strcmp(t->vpc_id, vpc->obj.id) == 0 && i < t->routes.n; i++) {
            const struct route *route = &t->routes.items[i];
            const struct cidr *there = cidr->ip.family == IP_V6 ? &route->cidr6 : &route->cidr;
            if (there->ip.family && cidr_contains(cidr, there)) {
                return err_set(err, ERR_INPUT, "CidrConflict", "the CIDR `%s` conflicts with the route to `%s` in `%s`",
                               cidr_str(cidr), cidr_str(there), t->obj.id);
            }
        }
    }
    return true;
}

static bool
overlap_check(const struct vpc *vpc, const struct cidr *cidr, struct err *err)
{
    const struct vpc_cidr *blocks = cidr->ip.family == IP_V6 ? vpc->cidrs6.items : vpc->cidrs.items;
    size_t n = cidr->ip.family == IP_V6 ? vpc->cidrs6.n : vpc->cidrs.n;
    for (size_t i = 0; i < n; i++) {
        if (cidr_overlaps(&blocks[i].cidr, cidr)) {
            return err_set(err, ERR_INPUT, "CidrConflict", "the CIDR `%s` overlaps `%s` of `%s`", cidr_str(cidr),
                           cidr_str(&blocks[i].cidr), vpc->obj.id);
        }
    }
    return true;
}

/* The block, its local routes and, with the first IPv6 block, the rules that AWS adds to what it had made itself. */
static struct vpc_cidr *
block_associate(struct network *net, struct vpc *vpc, const struct cidr *cidr, const char *pool)
{
    bool first6 = cidr->ip.family == IP_V6 && vpc->cidrs6.n == 0;
    route_tables_add_local(net, vpc, cidr);
    if (first6) {
        network_acls_add_ipv6(net, vpc);
        security_groups_add_ipv6(net, vpc);
    }
    struct vpc_cidr *block = block_add(net, vpc, cidr, pool);
    store_touch(net->store);
    return block;
}

struct vpc_cidr *
vpc_associate_cidr(struct network *net, struct vpc *vpc, const struct cidr *cidr, struct err *err)
{
    bool v6 = cidr->ip.family == IP_V6;
    if (!(v6 ? cidr6_check(cidr, err) : range_check(cidr, err)) || !overlap_check(vpc, cidr, err) ||
        (!v6 && !restriction_check(vpc, cidr, err)) || !route_conflict_check(net, vpc, cidr, err)) {
        return NULL;
    }
    if (net->limits && (v6 ? vpc->cidrs6.n : vpc->cidrs.n) >= 5) {
        err_set(err, ERR_INPUT, "CidrLimitExceeded", "`%s` has met its maximum number of allowed CIDRs: 5",
                vpc->obj.id);
        return NULL;
    }
    return block_associate(net, vpc, cidr, "BringYourOwn");
}

struct vpc_cidr *
vpc_associate_amazon_ipv6(struct network *net, struct vpc *vpc, struct err *err)
{
    if (net->limits && vpc->cidrs6.n >= 5) {
        err_set(err, ERR_INPUT, "CidrLimitExceeded", "`%s` has met its maximum number of allowed CIDRs: 5",
                vpc->obj.id);
        return NULL;
    }
    struct cidr cidr = pick_amazon_cidr6(net);
    return block_associate(net, vpc, &cidr, "Amazon");
}

/* Does a subnet lie in this block? */
static const struct subnet *
block_subnet(const struct network *net, const struct vpc *vpc, const struct cidr *cidr)
{
    for (const struct subnet *s = store_first(net->store, &subnet_kind); s; s = store_next(net->store, s)) {
        const struct cidr *own = cidr->ip.family == IP_V6 ? subnet_cidr6(s) : &s->cidr;
        if (strcmp(s->vpc_id, vpc->obj.id) == 0 && own && own->ip.family && cidr_contains(cidr, own)) {
            return s;
        }
    }
    return NULL;
}

bool
vpc_disassociate_cidr(struct network *net, const char *association_id, struct err *err)
{
    for (struct vpc *vpc = store_first(net->store, &vpc_kind); vpc; vpc = store_next(net->store, vpc)) {
        for (size_t i = 0; i < vpc->cidrs.n + vpc->cidrs6.n; i++) {
            bool v6 = i >= vpc->cidrs.n;
            struct vpc_cidr *block = v6 ? &vpc->cidrs6.items[i - vpc->cidrs.n] : &vpc->cidrs.items[i];
            if (strcmp(block->association_id, association_id) != 0) {
                continue;
            }
            if (!v6 && cidr_equal(&block->cidr, &vpc->cidr)) {
                return err_set(err, ERR_INPUT, "OperationNotPermitted",
                               "`%s` is the primary IPv4 CIDR block of `%s` and stays with it", cidr_str(&block->cidr),
                               vpc->obj.id);
            }
            const struct subnet *subnet = block_subnet(net, vpc, &block->cidr);
            if (subnet) {
                return err_set(err, ERR_INPUT, "InvalidCidrBlock.InUse", "`%s` is in use by `%s`",
                               cidr_str(&block->cidr), subnet->obj.id);
            }
            route_tables_drop_local(net, vpc, &block->cidr);
            fields_done(vpc_cidr6_fields, block);
            v6 ? VEC_REMOVE(&vpc->cidrs6, i - vpc->cidrs.n) : VEC_REMOVE(&vpc->cidrs, i);
            store_touch(net->store);
            return true;
        }
    }
    return err_set(err, ERR_INPUT, "InvalidVpcCidrBlockAssociationID.NotFound",
                   "the CIDR association `%s` does not exist", association_id);
}

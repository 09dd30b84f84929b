#include "netsim/model/peering.h"

#include "netsim/model/internal.h"

static const struct field cidr_fields[] = {
    FIELD(struct peering_cidr, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD_END,
};
static const struct field cidr6_fields[] = {
    FIELD(struct peering_cidr, "Ipv6CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD_END,
};
static const struct field side_fields[] = {
    FIELD(struct peering_side, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD_LIST(struct peering_side, "Ipv6CidrBlockSet", cidrs6, cidr6_fields, 0),
    FIELD_LIST(struct peering_side, "CidrBlockSet", cidrs, cidr_fields, 0),
    FIELD(struct peering_side, "OwnerId", FIELD_STRING, owner_id, 0),
    FIELD(struct peering_side, "PeeringOptions.AllowDnsResolutionFromRemoteVpc", FIELD_BOOL, dns_resolution, 0),
    FIELD(struct peering_side, "PeeringOptions.AllowEgressFromLocalClassicLinkToRemoteVpc", FIELD_BOOL,
          classic_link_to_vpc, 0),
    FIELD(struct peering_side, "PeeringOptions.AllowEgressFromLocalVpcToRemoteClassicLink", FIELD_BOOL,
          vpc_to_classic_link, 0),
    FIELD(struct peering_side, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD(struct peering_side, "Region", FIELD_STRING, region, 0),
    FIELD_END,
};
static const struct field peering_fields[] = {
    FIELD_NEST(struct peering, "AccepterVpcInfo", accepter, side_fields, FIELD_ALWAYS),
    FIELD(struct peering, "ExpirationTime", FIELD_TIME, expiration_time, 0),
    FIELD_NEST(struct peering, "RequesterVpcInfo", requester, side_fields, FIELD_ALWAYS),
    FIELD(struct peering, "Status.Code", FIELD_STRING, status, 0),
    FIELD(struct peering, "Status.Message", FIELD_STRING, message, 0),
    FIELD_LIST(struct peering, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD(struct peering, "VpcPeeringConnectionId", FIELD_ID, obj.id, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html */
static const struct filter_row peering_filters[] = {
    { "accepter-vpc-info.cidr-block", "AccepterVpcInfo.CidrBlock" },
    { "accepter-vpc-info.owner-id", "AccepterVpcInfo.OwnerId" },
    { "accepter-vpc-info.vpc-id", "AccepterVpcInfo.VpcId" },
    { "expiration-time", "ExpirationTime" },
    { "requester-vpc-info.cidr-block", "RequesterVpcInfo.CidrBlock" },
    { "requester-vpc-info.owner-id", "RequesterVpcInfo.OwnerId" },
    { "requester-vpc-info.vpc-id", "RequesterVpcInfo.VpcId" },
    { "status-code", "Status.Code" },
    { "status-message", "Status.Message" },
    { "vpc-peering-connection-id", "VpcPeeringConnectionId" },
    { NULL, NULL },
};

const struct kind peering_kind = {
    .name = "vpc-peering-connection",
    .prefix = "pcx",
    .type = "vpc-peering-connection",
    .list = "VpcPeeringConnections",
    .id_member = "VpcPeeringConnectionId",
    .ids_param = "VpcPeeringConnectionIds",
    .not_found = "InvalidVpcPeeringConnectionID.NotFound",
    .malformed = "InvalidVpcPeeringConnectionId.Malformed",
    .size = sizeof(struct peering),
    .fields = peering_fields,
    .filters = peering_filters,
};

bool
peering_is_active(const struct peering *peering)
{
    return str_is(peering->status, "active");
}

bool
peering_in_region(const struct peering *peering, const char *region)
{
    return strcmp(peering->obj.region, region) == 0 || str_is(peering->requester.region, region) ||
           str_is(peering->accepter.region, region);
}

bool
peering_of_account(const struct peering *peering, const char *account)
{
    return strcmp(peering->obj.account, account) == 0 || str_is(peering->requester.owner_id, account) ||
           str_is(peering->accepter.owner_id, account);
}

const struct peering_side *
peering_other(const struct peering *peering, const char *vpc_id)
{
    return strcmp(peering->requester.vpc_id, vpc_id) == 0  ? &peering->accepter
           : strcmp(peering->accepter.vpc_id, vpc_id) == 0 ? &peering->requester
                                                           : NULL;
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

#define PENDING_MS (INT64_C(7) * 24 * 3600 * 1000)

static void
side_fill(struct peering_side *side, const struct vpc *vpc)
{
    id_set(side->vpc_id, vpc->obj.id);
    str_set(&side->owner_id, vpc->obj.account);
    str_set(&side->region, vpc->obj.region);
    side->cidr = vpc->cidr;
    side->cidrs.n = side->cidrs6.n = 0;
    for (size_t i = 0; i < vpc->cidrs.n; i++) {
        VEC_ADD(&side->cidrs)->cidr = vpc->cidrs.items[i].cidr;
    }
    for (size_t i = 0; i < vpc->cidrs6.n; i++) {
        VEC_ADD(&side->cidrs6)->cidr = vpc->cidrs6.items[i].cidr;
    }
}

static void
set_status(struct peering *peering, const char *code, char *message)
{
    str_set(&peering->status, code);
    free(peering->message);
    peering->message = message;
}

static bool
blocks_overlap(const struct vpc_cidr *a, size_t n_a, const struct vpc_cidr *b, size_t n_b)
{
    for (size_t i = 0; i < n_a; i++) {
        for (size_t k = 0; k < n_b; k++) {
            if (cidr_overlaps(&a[i].cidr, &b[k].cidr)) {
                return true;
            }
        }
    }
    return false;
}

/* Of IPv4 or IPv6.  Source: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html */
static bool
overlap(const struct vpc *a, const struct vpc *b)
{
    return blocks_overlap(a->cidrs.items, a->cidrs.n, b->cidrs.items, b->cidrs.n) ||
           blocks_overlap(a->cidrs6.items, a->cidrs6.n, b->cidrs6.items, b->cidrs6.n);
}

static bool
is_alive(const struct peering *peering)
{
    return peering_is_active(peering) || str_is(peering->status, "pending-acceptance") ||
           str_is(peering->status, "provisioning");
}

/* A VPC pair has one connection; AWS answers a second request with the first. */
static struct peering *
find_alive(const struct network *net, const char *vpc_id, const char *peer_vpc_id)
{
    for (struct peering *p = store_first(net->store, &peering_kind); p; p = store_next(net->store, p)) {
        const struct peering_side *other = is_alive(p) ? peering_other(p, vpc_id) : NULL;
        if (other && strcmp(other->vpc_id, peer_vpc_id) == 0) {
            return p;
        }
    }
    return NULL;
}

struct peering *
peering_create(struct network *net, const struct peering_spec *spec, struct err *err)
{
    const struct vpc *vpc = network_require(net, &vpc_kind, spec->vpc_id, err);
    if (!vpc) {
        return NULL;
    }
    if (str_empty(spec->peer_vpc_id)) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `PeerVpcId`");
        return NULL;
    }
    if (strlen(spec->peer_vpc_id) >= ID_SIZE || strcmp(spec->peer_vpc_id, spec->vpc_id) == 0) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%.60s` cannot be peered with `%s`", spec->peer_vpc_id,
                spec->vpc_id);
        return NULL;
    }
    struct peering *known = find_alive(net, spec->vpc_id, spec->peer_vpc_id);
    if (known) {
        err_set(err, ERR_INPUT, "VpcPeeringConnectionAlreadyExists", "`%s` and `%s` have the connection `%s` (%s)",
                spec->vpc_id, spec->peer_vpc_id, known->obj.id, known->status);
        return NULL;
    }
    const struct vpc *peer = store_get(net->store, &vpc_kind, spec->peer_vpc_id);
    const char *owner = spec->peer_owner_id ? spec->peer_owner_id : vpc->obj.account;
    const char *region = spec->peer_region ? spec->peer_region : vpc->obj.region;
    bool found = peer && strcmp(peer->obj.account, owner) == 0 && strcmp(peer->obj.region, region) == 0;
    struct peering *peering = network_add(net, &peering_kind, NULL);
    side_fill(&peering->requester, vpc);
    if (found) {
        side_fill(&peering->accepter, peer);
    } else {
        id_set(peering->accepter.vpc_id, spec->peer_vpc_id);
        str_set(&peering->accepter.owner_id, owner);
        str_set(&peering->accepter.region, region);
    }
    if (!found) {
        set_status(peering, "failed",
                   xasprintf("The VPC %s of %s in %s does not exist", spec->peer_vpc_id, owner, region));
    } else if (overlap(vpc, peer)) {
        set_status(peering, "failed", xstrdup("The VPCs have overlapping CIDR blocks"));
    } else {
        set_status(peering, "pending-acceptance", xasprintf("Pending Acceptance by %s", owner));
        peering->expiration_time = network_now_ms(net) + PENDING_MS;
    }
    return peering;
}

static bool
check_accepter(const struct network *net, const struct peering *peering, const char *verb, struct err *err)
{
    if (!str_is(peering->accepter.owner_id, net->account)) {
        err_set(err, ERR_INPUT, "OperationNotPermitted", "`%s` must be %s by account %s, which owns `%s`",
                peering->obj.id, verb, peering->accepter.owner_id, peering->accepter.vpc_id);
        return err_hint(err, "`--as %s`, or as a role there", peering->accepter.owner_id);
    }
    if (!str_is(peering->accepter.region, net->region)) {
        err_set(err, ERR_INPUT, "OperationNotPermitted", "`%s` must be %s in %s, where `%s` is", peering->obj.id, verb,
                peering->accepter.region, peering->accepter.vpc_id);
        return err_hint(err, "`--region %s`", peering->accepter.region);
    }
    if (!str_is(peering->status, "pending-acceptance")) {
        return err_set(err, ERR_INPUT, "InvalidStateTransition",
                       "`%s` is %s: only a connection in pending-acceptance can be %s", peering->obj.id,
                       peering->status, verb);
    }
    return true;
}

bool
peering_accept(struct network *net, struct peering *peering, struct err *err)
{
    if (!check_accepter(net, peering, "accepted", err)) {
        return false;
    }
    const struct vpc *a = network_require(net, &vpc_kind, peering->requester.vpc_id, err);
    const struct vpc *b = a ? network_require(net, &vpc_kind, peering->accepter.vpc_id, err) : NULL;
    if (!b) {
        return false;
    }
    if (overlap(a, b)) { /* a block may have been added since */
        return err_set(err, ERR_INPUT, "OverlappingCidrs", "`%s` and `%s` have overlapping CIDR blocks", a->obj.id,
                       b->obj.id);
    }
    side_fill(&peering->accepter, b);
    peering->expiration_time = 0;
    set_status(peering, "active", xstrdup("Active"));
    store_touch(net->store);
    route_tables_refresh(net);
    return true;
}

static void
end(struct network *net, struct peering *peering, const char *code, char *message)
{
    peering->expiration_time = 0;
    set_status(peering, code, message);
    store_touch(net->store);
    route_tables_refresh(net);
}

bool
peering_reject(struct network *net, struct peering *peering, struct err *err)
{
    if (!check_accepter(net, peering, "rejected", err)) {
        return false;
    }
    end(net, peering, "rejected", xasprintf("Rejected by %s", peering->accepter.owner_id));
    return true;
}

bool
peering_delete(struct network *net, struct peering *peering, struct err *err)
{
    if (!is_alive(peering) && !str_is(peering->status, "failed")) {
        return err_set(err, ERR_INPUT, "InvalidStateTransition", "`%s` is %s and cannot be deleted", peering->obj.id,
                       peering->status);
    }
    end(net, peering, "deleted", xasprintf("Deleted by %s", net->account));
    return true;
}

void
peerings_forget_vpc(struct network *net, const char *vpc_id)
{
    for (struct peering *p = store_first(net->store, &peering_kind); p; p = store_next(net->store, p)) {
        if (is_alive(p) && peering_other(p, vpc_id)) {
            end(net, p, "deleted", xasprintf("Deleted with the VPC %s", vpc_id));
        }
    }
}

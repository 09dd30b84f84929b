/* Mends between VPCs: routes through peering connections and transit gateways; and in which region a mend is typed. */
#include <string.h>

#include "netsim/analysis/mended.h"
#include "netsim/analysis/obstacle_mend.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"

/* The block of the VPC (NULL: of any but 'here') that holds the address, as a route's destination; NULL: none does. */
static const struct cidr *
block_with(const struct network *net, const char *vpc_id, const char *here, const struct ip *ip)
{
    const struct store *store = network_store(net);
    for (const struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        size_t n = ip->family == IP_V6 ? vpc->cidrs6.n : vpc->cidrs.n;
        bool meant = vpc_id ? strcmp(vpc->obj.id, vpc_id) == 0 : strcmp(vpc->obj.id, here) != 0;
        for (size_t i = 0; meant && i < n; i++) {
            const struct cidr *block = ip->family == IP_V6 ? &vpc->cidrs6.items[i].cidr : &vpc->cidrs.items[i].cidr;
            if (cidr_contains_ip(block, ip)) {
                return block;
            }
        }
    }
    return NULL;
}

static bool
waits(const struct tgw_attachment *a)
{
    return a->state && strcmp(a->state, "pendingAcceptance") == 0;
}

/* One of the gateway whose VPC holds the address, in service or waiting; NULL if there is none. */
static const struct tgw_attachment *
attachment_with(const struct network *net, const char *tgw_id, const char *here, const struct ip *ip)
{
    const struct store *store = network_store(net);
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (strcmp(a->tgw_id, tgw_id) == 0 && *a->vpc_id && strcmp(a->vpc_id, here) != 0 &&
            (waits(a) || tgw_attachment_is_available(a)) && block_with(net, a->vpc_id, here, ip)) {
            return a;
        }
    }
    return NULL;
}

/* The VPC's own attachment, or the destination's, waits for the owner of the gateway. */
static bool
mend_waiting(const struct obstacle *o, struct buf *out)
{
    const struct store *store = network_store(o->net);
    const char *here = o->walk->vpc_id;
    const struct tgw_attachment *first = NULL;
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); here && a && !first;
         a = store_next(store, a)) {
        bool ours = strcmp(a->vpc_id, here) == 0 && (waits(a) || tgw_attachment_is_available(a));
        const struct tgw_attachment *far = ours ? attachment_with(o->net, a->tgw_id, here, &o->packet->dst) : NULL;
        first = far && waits(a) ? a : far && waits(far) ? far : NULL;
    }
    if (first) {
        buf_printf(out, "ec2 accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id %s", first->obj.id);
    }
    return first != NULL;
}

void
mend_gateway_attachment(const struct obstacle *o, struct buf *out)
{
    mend_waiting(o, out);
}

bool
mend_route_to_vpc(const struct obstacle *o, struct buf *out)
{
    struct route thought = { 0 };
    const struct ip *dst = &o->packet->dst;
    const char *here = o->walk->vpc_id;
    if (!walk_route_to_other_vpc(o->walk, &thought)) {
        return mend_waiting(o, out);
    }
    const struct peering *peering =
        thought.peering_id ? store_get(network_store(o->net), &peering_kind, thought.peering_id) : NULL;
    const struct peering_side *far = peering ? peering_other(peering, here) : NULL;
    const struct cidr *block = block_with(o->net, far ? far->vpc_id : NULL, here, dst);
    if (!block) {
        return false;
    }
    buf_printf(out, "ec2 create-route --route-table-id %s --%s %s %s %s", o->table->obj.id,
               dst->family == IP_V6 ? "destination-ipv6-cidr-block" : "destination-cidr-block", cidr_str(block),
               thought.peering_id ? "--vpc-peering-connection-id" : "--transit-gateway-id",
               thought.peering_id ? thought.peering_id : thought.transit_gateway_id);
    return true;
}

void
mend_tgw_no_route(const struct obstacle *o, struct buf *out)
{
    const struct tgw_attachment *to = walk_tgw_detour(o->walk);
    const struct cidr *block = to ? block_with(o->net, *to->vpc_id ? to->vpc_id : NULL, "", &o->packet->dst) : NULL;
    if (block && o->hop->component && o->hop->component->kind == &tgw_route_table_kind) {
        buf_printf(out,
                   "ec2 create-transit-gateway-route --transit-gateway-route-table-id %s --destination-cidr-block %s "
                   "--transit-gateway-attachment-id %s",
                   o->hop->component->id, cidr_str(block), to->obj.id);
    } else if (!to) {
        mend_waiting(o, out);
    }
}

/* The sender's own subnet is one of its zone. */
void
mend_tgw_zone(const struct obstacle *o, struct buf *out)
{
    if (o->walk->attachment && o->walk->subnet) {
        buf_printf(out,
                   "ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id %s --add-subnet-ids %s",
                   o->walk->attachment->obj.id, o->walk->subnet->obj.id);
    }
}

/* The first id in the command is that of what is changed; a peering connection is accepted by its accepter, an
 * attachment by the owner of the gateway. */
static bool
place_of(const struct network *net, const char *id, const char **account, const char **region)
{
    const struct object *object = store_find(network_store(net), id);
    if (object) {
        const struct peering_side *side =
            object->kind == &peering_kind ? &((const struct peering *)(const void *)object)->accepter : NULL;
        const struct tgw_attachment *asked =
            object->kind == &tgw_attachment_kind ? (const struct tgw_attachment *)(const void *)object : NULL;
        *account = side ? side->owner_id : asked && waits(asked) ? asked->tgw_owner_id : object->account;
        *region = side ? side->region : object->region;
    }
    return object != NULL;
}

void
mend_where_it_is(const struct network *net, struct buf *command)
{
    const char *account = NULL, *region = NULL;
    bool found = false;
    for (const char *word = buf_str(command); word && !found; word = strchr(word, ' ')) {
        char id[ID_SIZE] = "";
        word += strspn(word, " ");
        size_t size = strcspn(word, " ");
        if (size == 0) {
            break;
        }
        if (size < sizeof id) {
            memcpy(id, word, size);
            found = place_of(net, id, &account, &region);
        }
    }
    if (account && *account && strcmp(account, network_account(net)) != 0) {
        buf_printf(command, " --as %s", account);
    }
    if (region && *region && strcmp(region, network_region(net)) != 0) {
        buf_printf(command, " --region %s", region);
    }
}

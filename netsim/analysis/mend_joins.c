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

bool
mend_route_to_vpc(const struct obstacle *o, struct buf *out)
{
    struct route thought = { 0 };
    const struct ip *dst = &o->packet->dst;
    const char *here = o->walk->vpc_id;
    if (!walk_route_to_other_vpc(o->walk, &thought)) {
        return false;
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

/* The first id in the command is that of what is changed; a peering connection is accepted by its accepter. */
static bool
place_of(const struct network *net, const char *id, const char **account, const char **region)
{
    const struct object *object = store_find(network_store(net), id);
    if (object) {
        const struct peering_side *side =
            object->kind == &peering_kind ? &((const struct peering *)(const void *)object)->accepter : NULL;
        *account = side ? side->owner_id : object->account;
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

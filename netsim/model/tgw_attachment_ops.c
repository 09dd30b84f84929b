/* What is attached to transit gateways: VPCs, other resources, and other transit gateways by peerings. */
#include "netsim/model/internal.h"

#define ENI_DESCRIPTION "Network Interface for Transit Gateway Attachment "

bool
tgw_attachment_is_over(const struct tgw_attachment *attachment)
{
    return tgw_is_gone(attachment->state) || str_is(attachment->state, "rejected");
}

bool
tgw_attachment_of_account(const struct tgw_attachment *attachment, const char *account)
{
    return strcmp(attachment->obj.account, account) == 0 || str_is(attachment->tgw_owner_id, account) ||
           str_is(attachment->resource_owner_id, account) || str_is(attachment->peer_owner_id, account);
}

struct tgw_attachment *
tgw_attachment_require(const struct network *net, const char *id, struct err *err)
{
    struct tgw_attachment *attachment = network_require(net, &tgw_attachment_kind, id, err);
    if (attachment && tgw_is_gone(attachment->state)) {
        err_set(err, ERR_INPUT, "InvalidTransitGatewayAttachmentID.NotFound",
                "the transit gateway attachment `%s` is deleted", id);
        return NULL;
    }
    return attachment;
}

static bool
subnets_check(const struct network *net, const char *vpc_id, const char *const *ids, size_t n, struct err *err)
{
    if (n == 0) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `SubnetIds`");
    }
    for (size_t i = 0; i < n; i++) {
        const struct subnet *subnet = network_require(net, &subnet_kind, ids[i], err);
        if (!subnet) {
            return false;
        }
        if (strcmp(subnet->vpc_id, vpc_id) != 0) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "the subnet `%s` is of `%s`, not of `%s`", ids[i],
                           subnet->vpc_id, vpc_id);
        }
        for (size_t k = 0; k < i; k++) {
            const struct subnet *other = store_get(net->store, &subnet_kind, ids[k]);
            if (str_is(subnet->zone, other->zone)) {
                err_set(err, ERR_INPUT, "DuplicateSubnetsInSameZone", "`%s` and `%s` are both in %s", ids[k], ids[i],
                        subnet->zone);
                return err_hint(err, "one subnet in each zone serves the whole zone");
            }
        }
    }
    return true;
}

/* A new attachment goes to the gateway's default tables. */
static void
adopt(struct network *net, const struct transit_gateway *tgw, struct tgw_attachment *attachment)
{
    if (tgw->association_table_id[0]) {
        memcpy(attachment->table_id, tgw->association_table_id, ID_SIZE);
        str_set(&attachment->association_state, "associated");
    }
    struct tgw_route_table *table = store_get(net->store, &tgw_route_table_kind, tgw->propagation_table_id);
    if (table) {
        tgw_propagate(net, table, attachment, NULL);
    }
}

static struct tgw_attachment *
attachment_add(struct network *net, const struct transit_gateway *tgw, const char *type, const struct object *resource)
{
    struct tgw_attachment *attachment = network_add(net, &tgw_attachment_kind, NULL);
    memcpy(attachment->obj.account, resource->account, sizeof attachment->obj.account);
    id_set(attachment->tgw_id, tgw->obj.id);
    attachment->tgw_owner_id = xstrdup(tgw->obj.account);
    attachment->resource_type = xstrdup(type);
    id_set(attachment->resource_id, resource->id);
    attachment->resource_owner_id = xstrdup(resource->account);
    attachment->creation_time = network_now_ms(net);
    return attachment;
}

struct tgw_attachment *
tgw_attach(struct network *net, struct transit_gateway *tgw, const char *type, const struct object *resource)
{
    struct tgw_attachment *attachment = attachment_add(net, tgw, type, resource);
    attachment->state = xstrdup("available");
    adopt(net, tgw, attachment);
    return attachment;
}

/* The gateway's interface in a subnet; it is the VPC owner's, whoever let it be made. */
static bool
eni_add(struct network *net, const struct tgw_attachment *attachment, const char *subnet_id, struct err *err)
{
    char *description = xasprintf(ENI_DESCRIPTION "%s", attachment->obj.id);
    struct eni_spec spec = { .subnet_id = subnet_id,
                             .type = "transit_gateway",
                             .description = description,
                             .no_groups = true,
                             .requester_managed = true };
    struct eni *eni = eni_create(net, &spec, err);
    free(description);
    if (!eni) {
        return false;
    }
    memcpy(eni->obj.account, attachment->obj.account, sizeof eni->obj.account);
    eni->source_dest_check = false;
    eni_attach_to(net, eni, "", "amazon-aws", 1, false);
    return true;
}

/* Into service: the interfaces are made, and the gateway's default tables know it. */
static bool
vpc_attachment_begin(struct network *net, const struct transit_gateway *tgw, struct tgw_attachment *attachment,
                     struct err *err)
{
    for (size_t i = 0; i < attachment->subnet_ids.n; i++) {
        if (!eni_add(net, attachment, attachment->subnet_ids.items[i], err)) {
            return false; /* no address left: the operation ends here and what it did is undone */
        }
    }
    str_set(&attachment->state, "available");
    adopt(net, tgw, attachment);
    store_touch(net->store);
    route_tables_refresh(net);
    return true;
}

/* Its interfaces in one subnet, or (NULL) in all. */
static void
enis_drop(struct network *net, const struct tgw_attachment *attachment, const char *subnet_id)
{
    char *description = xasprintf(ENI_DESCRIPTION "%s", attachment->obj.id);
    for (struct eni *eni = store_first(net->store, &eni_kind), *next; eni; eni = next) {
        next = store_next(net->store, eni);
        if (eni->requester_managed && str_is(eni->description, description) &&
            (!subnet_id || strcmp(eni->subnet_id, subnet_id) == 0)) {
            eni_remove(net, eni);
        }
    }
    free(description);
}

static void
subnet_drop(struct network *net, struct tgw_attachment *attachment, const char *subnet_id)
{
    enis_drop(net, attachment, subnet_id);
    for (size_t i = attachment->subnet_ids.n; i-- > 0;) {
        if (strcmp(attachment->subnet_ids.items[i], subnet_id) == 0) {
            free(attachment->subnet_ids.items[i]);
            VEC_REMOVE(&attachment->subnet_ids, i);
        }
    }
}

/* One that is in service or waits to be; NULL if there is none. */
static const struct tgw_attachment *
standing_attachment(const struct network *net, const char *tgw_id, const char *vpc_id)
{
    const struct tgw_attachment *a = store_first(net->store, &tgw_attachment_kind);
    while (a && (strcmp(a->tgw_id, tgw_id) != 0 || strcmp(a->vpc_id, vpc_id) != 0 || tgw_attachment_is_over(a))) {
        a = store_next(net->store, a);
    }
    return a;
}

struct tgw_attachment *
tgw_attach_vpc(struct network *net, const struct tgw_vpc_spec *spec, struct err *err)
{
    struct transit_gateway *tgw = tgw_require(net, spec->tgw_id, err);
    const struct vpc *vpc = tgw ? network_require(net, &vpc_kind, spec->vpc_id, err) : NULL;
    if (!vpc || !subnets_check(net, spec->vpc_id, spec->subnet_ids, spec->n_subnets, err)) {
        return NULL;
    }
    const struct tgw_attachment *known = standing_attachment(net, spec->tgw_id, spec->vpc_id);
    if (known) {
        err_set(err, ERR_INPUT, "DuplicateTransitGatewayAttachment", "`%s` has the attachment `%s` (%s) to `%s`",
                spec->tgw_id, known->obj.id, known->state, spec->vpc_id);
        return NULL;
    }
    bool waits = strcmp(tgw->obj.account, vpc->obj.account) != 0 && !str_is(tgw->auto_accept, "enable");
    struct tgw_attachment *attachment = attachment_add(net, tgw, "vpc", &vpc->obj);
    id_set(attachment->vpc_id, vpc->obj.id);
    attachment->vpc_owner_id = xstrdup(vpc->obj.account);
    attachment->dns_support = xstrdup(tgw_choice(spec->dns_support, "enable"));
    attachment->sg_referencing = xstrdup(tgw_choice(spec->sg_referencing, "enable"));
    attachment->ipv6_support = xstrdup(tgw_choice(spec->ipv6_support, "disable"));
    attachment->appliance_mode = xstrdup(tgw_choice(spec->appliance_mode, "disable"));
    for (size_t i = 0; i < spec->n_subnets; i++) {
        *VEC_ADD(&attachment->subnet_ids) = xstrdup(spec->subnet_ids[i]);
    }
    if (waits) {
        attachment->state = xstrdup("pendingAcceptance");
        store_touch(net->store);
        return attachment;
    }
    return vpc_attachment_begin(net, tgw, attachment, err) ? attachment : NULL;
}

static bool
check_answer(const struct network *net, const struct tgw_attachment *attachment, const char *owner, const char *tgw_id,
             struct err *err)
{
    if (!str_is(attachment->state, "pendingAcceptance")) {
        return err_set(err, ERR_INPUT, "IncorrectState", "`%s` is %s: nobody waits for an answer", attachment->obj.id,
                       attachment->state);
    }
    if (!str_is(owner, net->account)) {
        err_set(err, ERR_INPUT, "OperationNotPermitted", "`%s` is answered by account %s, which owns `%s`",
                attachment->obj.id, owner ? owner : "", tgw_id);
        return err_hint(err, "`--as %s`, or as a role there", owner ? owner : "");
    }
    return true;
}

bool
tgw_vpc_answer(struct network *net, struct tgw_attachment *attachment, bool accept, struct err *err)
{
    const struct transit_gateway *tgw = tgw_require(net, attachment->tgw_id, err);
    if (!tgw || !check_answer(net, attachment, tgw->obj.account, attachment->tgw_id, err)) {
        return false;
    }
    if (accept) {
        return vpc_attachment_begin(net, tgw, attachment, err);
    }
    str_set(&attachment->state, "rejected");
    store_touch(net->store);
    return true;
}

struct tgw_attachment *
tgw_peer(struct network *net, struct transit_gateway *tgw, const char *peer_id, const char *peer_owner,
         const char *peer_region, struct err *err)
{
    const struct transit_gateway *peer = tgw_require(net, peer_id, err);
    if (!peer) {
        return NULL;
    }
    if (peer == tgw || strcmp(peer->obj.account, peer_owner) != 0 || strcmp(peer->obj.region, peer_region) != 0) {
        err_set(err, ERR_INPUT, peer == tgw ? "InvalidParameterValue" : "InvalidTransitGatewayID.NotFound",
                peer == tgw ? "`%s` cannot be peered with itself" : "`%s` is not of account %s in %s", peer_id,
                peer_owner, peer_region);
        return NULL;
    }
    for (const struct tgw_attachment *a = store_first(net->store, &tgw_attachment_kind); a;
         a = store_next(net->store, a)) {
        bool same = (strcmp(a->tgw_id, tgw->obj.id) == 0 && strcmp(a->peer_tgw_id, peer_id) == 0) ||
                    (strcmp(a->tgw_id, peer_id) == 0 && strcmp(a->peer_tgw_id, tgw->obj.id) == 0);
        if (same && !tgw_attachment_is_over(a)) {
            err_set(err, ERR_INPUT, "DuplicateTransitGatewayAttachment", "`%s` and `%s` have the attachment `%s` (%s)",
                    tgw->obj.id, peer_id, a->obj.id, a->state);
            return NULL;
        }
    }
    /* It joins the default tables when it is accepted; static routes are left to the person. */
    struct tgw_attachment *attachment = network_add(net, &tgw_attachment_kind, NULL);
    id_set(attachment->tgw_id, tgw->obj.id);
    attachment->tgw_owner_id = xstrdup(tgw->obj.account);
    attachment->resource_type = xstrdup("peering");
    id_set(attachment->resource_id, peer_id);
    attachment->resource_owner_id = xstrdup(peer->obj.account);
    id_set(attachment->peer_tgw_id, peer_id);
    attachment->peer_owner_id = xstrdup(peer->obj.account);
    attachment->peer_region = xstrdup(peer->obj.region);
    attachment->state = xstrdup("pendingAcceptance");
    attachment->creation_time = network_now_ms(net);
    store_touch(net->store);
    return attachment;
}

/* Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-transit-gateways.html, "Default route table association" */
static void
join_default_table(const struct network *net, const char *tgw_id, char table_id[static ID_SIZE], char **state)
{
    const struct transit_gateway *tgw = store_get(net->store, &transit_gateway_kind, tgw_id);
    if (tgw && tgw->association_table_id[0]) {
        memcpy(table_id, tgw->association_table_id, ID_SIZE);
        str_set(state, "associated");
    }
}

bool
tgw_peer_answer(struct network *net, struct tgw_attachment *attachment, bool accept, struct err *err)
{
    if (!check_answer(net, attachment, attachment->peer_owner_id, attachment->peer_tgw_id, err)) {
        return false;
    }
    if (!str_is(attachment->peer_region, net->region)) {
        err_set(err, ERR_INPUT, "OperationNotPermitted", "`%s` is answered in %s, where `%s` is", attachment->obj.id,
                attachment->peer_region, attachment->peer_tgw_id);
        return err_hint(err, "`--region %s`", attachment->peer_region);
    }
    str_set(&attachment->state, accept ? "available" : "rejected");
    if (accept) { /* each side's gateway has a default table of its own; peerings propagate nothing */
        join_default_table(net, attachment->tgw_id, attachment->table_id, &attachment->association_state);
        join_default_table(net, attachment->peer_tgw_id, attachment->peer_table_id,
                           &attachment->peer_association_state);
    }
    store_touch(net->store);
    return true;
}

bool
tgw_modify_vpc_attachment(struct network *net, struct tgw_attachment *attachment, const struct tgw_vpc_spec *spec,
                          const char *const *drop, size_t n_drop, struct err *err)
{
    VEC(const char *) ids = { 0 };
    bool in_service = tgw_attachment_is_available(attachment); /* one that waits has no interfaces yet */
    for (size_t i = 0; i < attachment->subnet_ids.n; i++) {
        bool stays = true;
        for (size_t k = 0; k < n_drop && stays; k++) {
            stays = strcmp(drop[k], attachment->subnet_ids.items[i]) != 0;
        }
        if (stays) {
            *VEC_ADD(&ids) = attachment->subnet_ids.items[i];
        }
    }
    for (size_t i = 0; i < spec->n_subnets; i++) {
        *VEC_ADD(&ids) = spec->subnet_ids[i];
    }
    bool ok = subnets_check(net, attachment->vpc_id, ids.items, ids.n, err);
    VEC_DONE(&ids);
    for (size_t k = 0; ok && k < n_drop; k++) {
        subnet_drop(net, attachment, drop[k]);
    }
    for (size_t i = 0; ok && i < spec->n_subnets; i++) {
        *VEC_ADD(&attachment->subnet_ids) = xstrdup(spec->subnet_ids[i]);
        ok = !in_service || eni_add(net, attachment, spec->subnet_ids[i], err);
    }
    const struct {
        char **slot;
        const char *given;
    } options[] = { { &attachment->dns_support, spec->dns_support },
                    { &attachment->sg_referencing, spec->sg_referencing },
                    { &attachment->ipv6_support, spec->ipv6_support },
                    { &attachment->appliance_mode, spec->appliance_mode } };
    for (size_t i = 0; ok && i < ARRAY_SIZE(options); i++) {
        if (options[i].given) {
            str_set(options[i].slot, options[i].given);
        }
    }
    store_touch(net->store);
    return ok;
}

static void
forget_in_table(struct tgw_route_table *table, const char *attachment_id)
{
    for (size_t i = table->propagations.n; i-- > 0;) {
        struct tgw_propagation *p = &table->propagations.items[i];
        if (strcmp(p->attachment_id, attachment_id) == 0) {
            free(p->resource_type);
            free(p->state);
            VEC_REMOVE(&table->propagations, i);
        }
    }
    for (size_t i = 0; i < table->routes.n; i++) {
        struct tgw_route *route = &table->routes.items[i];
        for (size_t k = 0; k < route->attachments.n; k++) {
            if (strcmp(route->attachments.items[k].attachment_id, attachment_id) == 0) {
                str_set(&route->state, "blackhole");
            }
        }
    }
}

void
tgw_attachment_end(struct network *net, struct tgw_attachment *attachment)
{
    for (struct tgw_route_table *t = store_first(net->store, &tgw_route_table_kind); t; t = store_next(net->store, t)) {
        forget_in_table(t, attachment->obj.id);
    }
    attachment->table_id[0] = '\0';
    str_set(&attachment->association_state, NULL);
    str_set(&attachment->state, "deleted");
    attachment->peer_table_id[0] = '\0';
    str_set(&attachment->peer_association_state, NULL);
    enis_drop(net, attachment, NULL);
    store_touch(net->store);
    route_tables_refresh(net);
}

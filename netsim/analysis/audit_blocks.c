/* netsim/analysis/audit_blocks.c - remarks on blocks of addresses that overlap or are split, and on tables of transit
 * gateways. */
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/audit_checks.h"
#include "netsim/analysis/rule_sets.h"
#include "netsim/analysis/tgw_table.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/gateways.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"

#define EACH(type, variable)                                                                                           \
    const struct type *variable = store_first(network_store(audit->net), &type##_kind);                                \
    variable;                                                                                                          \
    variable = store_next(network_store(audit->net), variable)

/* ---- Blocks that cover others together
 * ----------------------------------------------------------------------------------
 */

bool
audit_blocks_cover(const struct cidr *blocks, size_t n, const struct cidr *cidr)
{
    bool touches = false;
    for (size_t i = 0; i < n; i++) {
        if (cidr_contains(&blocks[i], cidr)) {
            return true;
        }
        touches = touches || cidr_overlaps(&blocks[i], cidr);
    }
    if (!touches || cidr->bits >= (cidr->ip.family == IP_V6 ? 128 : 32)) {
        return false;
    }
    struct cidr low = { cidr->ip, (uint8_t)(cidr->bits + 1) };
    struct ip last_of_low = cidr_last(&low);
    struct cidr high = { ip_add(&last_of_low, 1), low.bits };
    return audit_blocks_cover(blocks, n, &low) && audit_blocks_cover(blocks, n, &high);
}

/* The next larger block, of which this is a half. */
static struct cidr
parent_of(const struct cidr *cidr)
{
    struct cidr parent = { cidr->ip, (uint8_t)(cidr->bits - 1) };
    parent.ip = ip_mask(&parent.ip, parent.bits);
    return parent;
}

/* Two rules that say the same of the two halves of one block. */
static bool
are_halves(const struct sg_rule *a, const struct sg_rule *b)
{
    bool same = a->egress == b->egress && a->protocol == b->protocol && a->from == b->from && a->to == b->to;
    if (!same || !a->cidr.ip.family || a->cidr.ip.family != b->cidr.ip.family || a->cidr.bits != b->cidr.bits ||
        a->cidr.bits == 0 || cidr_equal(&a->cidr, &b->cidr)) {
        return false;
    }
    struct cidr x = parent_of(&a->cidr), y = parent_of(&b->cidr);
    return cidr_equal(&x, &y);
}

void
audit_cidr_split(struct audit *audit)
{
    for (EACH(security_group, g)) {
        for (size_t i = 0; i < g->rules.n; i++) {
            for (size_t k = i + 1; k < g->rules.n; k++) {
                const struct sg_rule *a = &g->rules.items[i], *b = &g->rules.items[k];
                if (are_halves(a, b)) {
                    struct cidr whole = parent_of(&a->cidr);
                    char *other = audit_rule_text(audit, b);
                    audit_report(audit, g, audit_rule_text(audit, a), audit_revoke(g, a),
                                 "with %s it makes up %s%s: one rule would say it", other, cidr_str(&whole),
                                 whole.bits == 0 ? ", every address" : "");
                    free(other);
                }
            }
        }
    }
}

/* ---- Transit gateways
 * ---------------------------------------------------------------------------------------------------
 */

/* VPCs whose blocks a table of the gateway leads to: those that propagate into it. */
static const struct vpc *
propagated_vpc(const struct audit *audit, const struct tgw_route_table *table, size_t index)
{
    const struct store *store = network_store(audit->net);
    const struct tgw_attachment *a =
        store_get(store, &tgw_attachment_kind, table->propagations.items[index].attachment_id);
    return a && tgw_attachment_is_available(a) ? store_get(store, &vpc_kind, a->vpc_id) : NULL;
}

static void
report_overlaps(struct audit *audit, const struct tgw_route_table *table, const struct vpc *a, const struct vpc *b)
{
    for (size_t i = 0; i < a->cidrs.n; i++) {
        for (size_t k = 0; k < b->cidrs.n; k++) {
            const struct cidr *one = &a->cidrs.items[i].cidr, *other = &b->cidrs.items[k].cidr;
            if (cidr_overlaps(one, other)) {
                audit_report(audit, table, NULL, NULL,
                             "%s of %s overlaps %s of %s, and both propagate into the table: packets to what is common "
                             "reach one of them only",
                             cidr_str(one), a->obj.id, cidr_str(other), b->obj.id);
            }
        }
    }
}

void
audit_tgw_overlap(struct audit *audit)
{
    for (EACH(tgw_route_table, table)) {
        for (size_t i = 0; i < table->propagations.n; i++) {
            const struct vpc *a = propagated_vpc(audit, table, i);
            for (size_t k = i + 1; a && k < table->propagations.n; k++) {
                const struct vpc *b = propagated_vpc(audit, table, k);
                if (b && b != a) {
                    report_overlaps(audit, table, a, b);
                }
            }
        }
    }
}

/* Without the attachments of the other accounts in the dump an attachment that is not there says nothing. */
static bool
leads_nowhere(const struct audit *audit, const struct tgw_route *route)
{
    const struct store *store = network_store(audit->net);
    bool nowhere = route->attachments.n > 0;
    for (size_t i = 0; i < route->attachments.n && nowhere; i++) {
        const struct tgw_attachment *a =
            store_get(store, &tgw_attachment_kind, route->attachments.items[i].attachment_id);
        nowhere = a && !tgw_attachment_is_available(a);
    }
    return nowhere || tgw_route_is_blackhole(route);
}

void
audit_tgw_blackhole(struct audit *audit)
{
    for (EACH(tgw_route_table, table)) {
        for (size_t i = 0; i < table->routes.n; i++) {
            const struct tgw_route *route = &table->routes.items[i];
            const char *to = route->prefix_list_id ? route->prefix_list_id : cidr_str(&route->cidr);
            if (leads_nowhere(audit, route)) {
                audit_report(audit, table, xasprintf("%s -> blackhole", to),
                             route->prefix_list_id
                                 ? NULL
                                 : xasprintf("ec2 delete-transit-gateway-route --transit-gateway-route-table-id %s "
                                             "--destination-cidr-block %s",
                                             table->obj.id, to),
                             "packets to %s are dropped: on purpose, or because the attachment is gone", to);
            }
        }
    }
}

#include "netsim/analysis/address_parts.h"

#include <stdlib.h>

void
address_parts_add(struct address_parts *parts, const struct cidr *cidr)
{
    if (cidr->ip.family != IP_NONE) {
        *VEC_ADD(&parts->items) = (struct address_part){ { ip_mask(&cidr->ip, cidr->bits), cidr->bits }, -1 };
    }
}

static int
compare_parts(const void *a, const void *b)
{
    const struct cidr *x = &((const struct address_part *)a)->cidr, *y = &((const struct address_part *)b)->cidr;
    int order = ip_compare(&x->ip, &y->ip);
    return order ? order : (int)x->bits - (int)y->bits;
}

void
address_parts_sort(struct address_parts *parts)
{
    size_t n = 0;
    if (parts->items.n > 0) {
        qsort(parts->items.items, parts->items.n, sizeof *parts->items.items, compare_parts);
    }
    for (size_t i = 0; i < parts->items.n; i++) {
        if (n > 0 && cidr_equal(&parts->items.items[i].cidr, &parts->items.items[n - 1].cidr)) {
            continue;
        }
        struct address_part *part = &parts->items.items[n];
        *part = parts->items.items[i];
        part->parent = (int)n - 1;
        while (part->parent >= 0 && !cidr_contains(&parts->items.items[part->parent].cidr, &part->cidr)) {
            part->parent = parts->items.items[part->parent].parent;
        }
        n++;
    }
    parts->items.n = n;
}

void
address_parts_done(struct address_parts *parts)
{
    VEC_DONE(&parts->items);
}

int
address_parts_find(const struct address_parts *parts, const struct ip *ip)
{
    size_t lo = 0, hi = parts->items.n;
    while (lo < hi) { /* the last CIDR that begins at or before the address */
        size_t middle = lo + (hi - lo) / 2;
        if (ip_compare(&parts->items.items[middle].cidr.ip, ip) <= 0) {
            lo = middle + 1;
        } else {
            hi = middle;
        }
    }
    int part = (int)lo - 1;
    while (part >= 0 && !cidr_contains_ip(&parts->items.items[part].cidr, ip)) {
        part = parts->items.items[part].parent;
    }
    return part;
}

bool
address_parts_first(const struct address_parts *parts, int part, const struct ip *from, struct ip *ip)
{
    const struct cidr *cidr = &parts->items.items[part].cidr;
    struct ip at = cidr_first(cidr);
    if (from->family == at.family && ip_compare(from, &at) > 0) {
        at = *from;
    }
    /* Children lie behind their parent in the list, in the order of their addresses: step over each that holds 'at'. */
    while (cidr_contains_ip(cidr, &at)) {
        int holder = address_parts_find(parts, &at);
        if (holder == part) {
            *ip = at;
            return true;
        }
        const struct ip last = cidr_last(&parts->items.items[holder].cidr);
        at = ip_add(&last, 1);
        if (ip_compare(&at, &last) <= 0) {
            return false; /* wrapped: the end of all addresses */
        }
    }
    return false;
}

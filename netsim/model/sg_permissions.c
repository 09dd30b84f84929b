/* AWS's IpPermissions taken apart into flat rules: strictly for a person's request, leniently for what AWS itself has
 * printed. */
#include "netsim/model/internal.h"

#include <stdio.h>

struct reading {
    bool egress, strict;
    const char *where; /* "--ip-permissions", "SecurityGroups[3].IpPermissions" */
    size_t number;     /* of the permission within its list */
    sg_rule_vec *rules;
    struct err *err;
};

static bool refuse(const struct reading *r, const char *member, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static bool
refuse(const struct reading *r, const char *member, const char *code, const char *format, ...)
{
    char place[160];
    va_list args;
    va_start(args, format);
    err_vset(r->err, ERR_INPUT, code, format, args);
    va_end(args);
    snprintf(place, sizeof place, "%s[%zu]%s%s", r->where && *r->where ? r->where : "IpPermissions", r->number,
             *member ? "." : "", member);
    return err_at(r->err, place, 0, 0);
}

/* Where the four kinds of peers stand in a permission, and the member of each item that names it. */
static const struct peer_row {
    const char *list, *member;
    int family; /* of a CIDR; 0: an id */
    size_t offset;
} peer_rows[] = {
    { "IpRanges", "CidrIp", IP_V4, 0 },
    { "Ipv6Ranges", "CidrIpv6", IP_V6, 0 },
    { "PrefixListIds", "PrefixListId", 0, offsetof(struct sg_rule, prefix_list_id) },
    { "UserIdGroupPairs", "GroupId", 0, offsetof(struct sg_rule, group_id) },
};

bool
sg_ports_check(int32_t protocol, int32_t from, int32_t to, struct err *err)
{
    if (protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP) {
        if (from < 0 || from > 65535 || to < 0 || to > 65535) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "%s port `%d` is out of range (0 to 65535)",
                           protocol_name(protocol), from < 0 || from > 65535 ? from : to);
        }
        return from <= to || err_set(err, ERR_INPUT, "InvalidParameterValue",
                                     "invalid port range: from port `%d` is above to port `%d`", from, to);
    }
    if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6) {
        if (from < -1 || from > 255 || to < -1 || to > 255) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue",
                           "%s type and code are -1 (every) or 0 to 255, not `%d` and `%d`", protocol_name(protocol),
                           from, to);
        }
        return from != -1 || to == -1 ||
               err_set(err, ERR_INPUT, "InvalidParameterValue", "every ICMP type (-1) needs every code (-1), not `%d`",
                       to);
    }
    return true;
}

static bool
ports_read(const struct reading *r, const json_t *permission, struct sg_rule *rule)
{
    bool has_from = json_is_integer(json_object_get(permission, "FromPort")),
         has_to = json_is_integer(json_object_get(permission, "ToPort"));
    long long from = json_int(permission, "FromPort", -1), to = json_int(permission, "ToPort", -1);
    bool ports = rule->protocol == PROTOCOL_TCP || rule->protocol == PROTOCOL_UDP;
    bool icmp = rule->protocol == PROTOCOL_ICMP || rule->protocol == PROTOCOL_ICMPV6;
    rule->from = rule->to = -1; /* other protocols have none, and AWS ignores those given */
    if (!ports && !icmp) {
        return true;
    }
    if (r->strict) {
        if ((ports || rule->protocol == PROTOCOL_ICMP) && (!has_from || !has_to)) {
            return refuse(r, has_from ? "ToPort" : "FromPort", "InvalidParameterValue", "%s",
                          ports ? "must specify both from and to ports with TCP/UDP"
                                : "must specify both type and code with ICMP");
        }
        struct err bad = { 0 };
        int clipped_from = from < INT32_MIN || from > INT32_MAX ? -2 : (int)from,
            clipped_to = to < INT32_MIN || to > INT32_MAX ? -2 : (int)to;
        if (!sg_ports_check(rule->protocol, clipped_from, clipped_to, &bad)) {
            return refuse(r, "FromPort", bad.code, "%s", bad.text);
        }
    } else if (ports && (from < 0 || to < from || to > 65535)) {
        from = 0; /* old data without ports, or with -1, means every port */
        to = 65535;
    } else if (icmp && (from < -1 || from > 255 || to < -1 || to > 255)) {
        from = to = -1;
    }
    rule->from = (int32_t)from;
    rule->to = (int32_t)to;
    return true;
}

static bool
cidr_read(const struct reading *r, const struct peer_row *row, const char *text, struct cidr *cidr)
{
    char member[64];
    snprintf(member, sizeof member, "%s.%s", row->list, row->member);
    /* AWS masks host bits off here (100.68.0.18/18 becomes 100.68.0.0/18), but wants the length. */
    if ((r->strict && !strchr(text, '/')) || !cidr_parse_loose(text, cidr)) {
        refuse(r, member, "InvalidParameterValue", "CIDR block `%s` is malformed", text);
        struct ip ip;
        return ip_parse(text, &ip) ? err_hint(r->err, "one address is written `%s/%u`", text, ip_width(&ip)) : false;
    }
    if (cidr->ip.family != row->family) {
        refuse(r, member, "InvalidParameterValue", "`%s` is not an IPv%d block", text, row->family);
        return err_hint(r->err, "give it in %s",
                        row->family == IP_V4 ? "Ipv6Ranges as CidrIpv6" : "IpRanges as CidrIp");
    }
    return true;
}

static char *
text_copy(const json_t *object, const char *member)
{
    const char *text = json_str(object, member);
    return text ? xstrdup(text) : NULL;
}

static bool
peer_read(const struct reading *r, const struct peer_row *row, const json_t *item, const struct sg_rule *permission)
{
    const char *text = json_str(item, row->member);
    struct cidr cidr = { 0 };
    if (!text && row->offset == offsetof(struct sg_rule, group_id)) {
        text = json_str(item, "GroupName"); /* authorize looks the name up */
    }
    if (str_empty(text)) {
        return refuse(r, row->list, "InvalidParameterValue", "an item of %s has no %s", row->list, row->member);
    }
    if (row->family && !cidr_read(r, row, text, &cidr)) {
        return false;
    }
    struct sg_rule *rule = VEC_ADD(r->rules);
    *rule = *permission;
    rule->cidr = cidr;
    if (!row->family) {
        *(char **)((char *)rule + row->offset) = xstrdup(text);
    }
    if (row->offset == offsetof(struct sg_rule, group_id)) {
        rule->group_owner = text_copy(item, "UserId");
        rule->group_vpc_id = text_copy(item, "VpcId");
        rule->peering_id = text_copy(item, "VpcPeeringConnectionId");
        rule->peering_status = text_copy(item, "PeeringStatus");
    }
    rule->description = text_copy(item, "Description");
    return true;
}

static bool
permission_read(const struct reading *r, const json_t *permission)
{
    struct sg_rule rule = { .egress = r->egress };
    const char *protocol = json_str(permission, "IpProtocol");
    int number = 0;
    if (!json_is_object(permission)) {
        return refuse(r, "", "InvalidParameterValue",
                      "expected an object with IpProtocol, FromPort, ToPort and IpRanges or the like");
    }
    if (!protocol) {
        return refuse(r, "IpProtocol", "MissingParameter", "the request must contain the parameter IpProtocol");
    }
    if (!protocol_parse(protocol, &number)) {
        refuse(r, "IpProtocol", "InvalidParameterValue", "invalid protocol: `%s`", protocol);
        return err_hint(r->err, "use tcp, udp, icmp, icmpv6, a number from 0 to 255, or -1 for every protocol");
    }
    rule.protocol = number;
    if (!ports_read(r, permission, &rule)) {
        return false;
    }
    size_t before = r->rules->n;
    for (size_t i = 0; i < ARRAY_SIZE(peer_rows); i++) {
        const json_t *list = json_object_get(permission, peer_rows[i].list), *item;
        size_t at;
        if (list && !json_is_array(list)) {
            return refuse(r, peer_rows[i].list, "InvalidParameterValue", "%s is not a list", peer_rows[i].list);
        }
        json_array_foreach(list, at, item)
        {
            if (!peer_read(r, &peer_rows[i], item, &rule)) {
                return false;
            }
        }
    }
    if (r->strict && r->rules->n == before) {
        refuse(r, "", "MissingParameter", "the permission names no %s", r->egress ? "destination" : "source");
        return err_hint(r->err, "give IpRanges, Ipv6Ranges, PrefixListIds or UserIdGroupPairs");
    }
    return true;
}

bool
sg_rules_read(const json_t *permissions, bool egress, bool strict, const char *where, sg_rule_vec *rules,
              struct err *err)
{
    struct reading r = { .egress = egress, .strict = strict, .where = where, .rules = rules, .err = err };
    size_t before = rules->n;
    const json_t *permission;
    bool ok = !permissions || json_is_array(permissions) ||
              refuse(&r, "", "InvalidParameterValue", "expected a list of permissions");
    json_array_foreach(permissions, r.number, permission)
    {
        ok = ok && permission_read(&r, permission);
    }
    while (!ok && rules->n > before) {
        sg_rule_done(&rules->items[--rules->n]);
    }
    return ok;
}

bool
sg_rules_from_permissions(const json_t *permissions, bool egress, const char *where, sg_rule_vec *rules,
                          struct err *err)
{
    return sg_rules_read(permissions, egress, true, where, rules, err);
}

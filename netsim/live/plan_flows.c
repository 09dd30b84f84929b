/* What the router counts for flow logs, and how it remembers which rule refused a packet.
 *
 * A refusal is always a jump: a stage without a rule that admits the packet, or an ACL's deny, writes the number of
 * what refused into the packet's mark and priority (it is dropped next, so nobody else needs them) and goes to
 * `fl_deny_out` or `fl_deny_in`.  Where nothing is recorded these chains only drop.  docs/FLOWLOGS.md says what is
 * recorded, docs/LIVE.md shows the hooks. */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"
#include "netsim/live/plan_flows.h"

static const char *const family_names[] = { [IP_V4] = "ipv4", [IP_V6] = "ipv6" };
static const char *const family_words[] = { [IP_V4] = "ip", [IP_V6] = "ip6" };

const struct plan_flow_set plan_flow_sets[] = {
    { "fl_tcp", IP_V4, PROTOCOL_TCP },
    { "fl_udp", IP_V4, PROTOCOL_UDP },
    { "fl_oth", IP_V4, 0 },
    { "fl_tcp6", IP_V6, PROTOCOL_TCP },
    { "fl_udp6", IP_V6, PROTOCOL_UDP },
    { "fl_oth6", IP_V6, 0 },
    { NULL, 0, 0 },
};

/* Of the sets there are two: while one is written the other is read for the last time and emptied. */
const char *
plan_flow_name(const char *name, char generation, char text[static 16])
{
    snprintf(text, 16, "%.12s_%c", name, generation);
    return text;
}

void
plan_flow_record(char generation, const char *before, struct buf *text)
{
    buf_printf(text, "%smeta l4proto vmap { 6 : goto fl_tcp_%c, 17 : goto fl_udp_%c }\n%sgoto fl_oth_%c\n", before,
               generation, generation, before, generation);
}

static void
add_set(struct builder *b, struct plan_ns *ns, const char *name, const char *type)
{
    char head[256];
    snprintf(head, sizeof head, "set %s { type %s; size %u; flags dynamic,timeout; timeout %ds; }", name, type,
             b->numbers->flow_set_size ? b->numbers->flow_set_size : PLAN_FLOW_SET_SIZE, PLAN_FLOW_TIMEOUT_MS / 1000);
    plan_set_add(b, ns, name, head);
}

/* Which of the interfaces behind a TAP device it was: the sender, or with bit 31 of the mark the receiver. */
#define LOST_OF_TAPS                                                                                                   \
    "meta nfproto ipv4 meta mark & 0x80000000 == 0 update @fl_lost4 { meta mark . ip saddr counter }\n"                \
    "meta nfproto ipv4 meta mark & 0x80000000 != 0 update @fl_lost4 { meta mark . ip daddr counter }\n"                \
    "meta nfproto ipv6 meta mark & 0x80000000 == 0 update @fl_lost6 { meta mark . ip6 saddr counter }\n"               \
    "meta nfproto ipv6 meta mark & 0x80000000 != 0 update @fl_lost6 { meta mark . ip6 daddr counter }\n"
/* Of the mark only what names an interface and a direction, for which there is a place (plan_places_of_lost()). */
#define LINK_ALONE "meta mark set meta mark & 0x807fffff\n"

/* One of the chains that count: by protocol, and at the end what found no room. */
static void
plan_counting(struct builder *b, struct plan_ns *ns, bool ip6, const char *tcp, bool shared, char generation)
{
    const struct {
        const char *chain, *ports, *types, *before;
    } kinds[] = {
        { "fl_tcp", "tcp sport . tcp dport", "inet_service . inet_service", tcp },
        { "fl_udp", "udp sport . udp dport", "inet_service . inet_service", "" },
        { "fl_oth", "meta l4proto", "inet_proto", "" },
    };
    char chain[16], set[16], type[128];
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct buf text = { 0 };
        buf_str_add(&text, kinds[i].before);
        for (int family = IP_V4; family <= (ip6 ? IP_V6 : IP_V4); family += IP_V6 - IP_V4) {
            char name[16];
            const char *ip = family_words[family];
            snprintf(name, sizeof name, "%s%s", kinds[i].chain, family == IP_V6 ? "6" : "");
            plan_flow_name(name, generation, set);
            snprintf(type, sizeof type, "mark . %s_addr . %s_addr . %s", family_names[family], family_names[family],
                     kinds[i].types);
            add_set(b, ns, set, type);
            buf_printf(&text, "meta nfproto %s update @%s { meta mark . %s saddr . %s daddr . %s counter } return\n",
                       family_names[family], set, ip, ip, kinds[i].ports);
        }
        /* A full set drops new flows without a word; how many packets is said here. */
        buf_printf(&text, "%s%supdate @fl_lost { meta mark counter }\n", ns->kind == PLAN_ROUTER ? LINK_ALONE : "",
                   shared ? LOST_OF_TAPS : "");
        /* A chain and a set may have the same name. */
        plan_chain_add(b, ns, plan_flow_name(kinds[i].chain, generation, chain), "", buf_str(&text));
        buf_done(&text);
    }
}

/* Both generations.  Where only some flags are recorded, packets that have none of them are spared the look. */
static void
plan_all_counting(struct builder *b, struct plan_ns *ns, bool ip6, const char *tcp, bool shared)
{
    struct buf record = { 0 };
    plan_set_add(b, ns, "fl_lost", "set fl_lost { type mark; size 65536; flags dynamic; }");
    if (shared) {
        plan_set_add(b, ns, "fl_lost4", "set fl_lost4 { type mark . ipv4_addr; size 65536; flags dynamic; }");
        plan_set_add(b, ns, "fl_lost6", "set fl_lost6 { type mark . ipv6_addr; size 65536; flags dynamic; }");
    }
    plan_counting(b, ns, ip6, tcp, shared, 'a');
    plan_counting(b, ns, ip6, tcp, shared, 'b');
    plan_flow_record('a', "", &record);
    plan_chain_add(b, ns, "fl_record", "", buf_str(&record));
    buf_done(&record);
}

void
plan_flow_counting(struct builder *b, struct plan_ns *ns, bool ip6)
{
    plan_all_counting(b, ns, ip6, "jump fl_flags\n", false);
}

bool
plan_link_mark(struct builder *b, const struct eni *eni, uint32_t index, bool ingress, char mark[static 16])
{
    const struct flow_log *log;
    snprintf(mark, 16, "0x%08x", (index - PLAN_LINK_BASE) | (ingress ? 0x80000000u : 0));
    return eni && flow_logs_of_eni(b->net, eni, &log, 1);
}

void
plan_port_lost(struct builder *b, const struct plan_vpc *v, const struct plan_port *port, struct plan_set *lost4,
               struct plan_set *lost6)
{
    char mark[16];
    for (int ingress = 0; port->shared && ingress < 2; ingress++) {
        if (!plan_link_mark(b, port->eni, port->index, ingress == 1, mark)) {
            return;
        }
        for (size_t j = 0; j < port->eni->addresses.n; j++) {
            plan_element_add(b, lost4, NULL, "%s . %s counter", mark, ip_str(&port->eni->addresses.items[j].ip));
        }
        for (size_t j = 0; v->ip6 && j < port->eni->addresses6.n; j++) {
            plan_element_add(b, lost6, NULL, "%s . %s counter", mark, ip_str(&port->eni->addresses6.items[j].ip));
        }
    }
}

/* A machine short of time refuses new elements even where there is room: it has no counters ready.  What it refuses is
 * counted in elements that are there from the beginning. */
static void
plan_places_of_lost(struct builder *b, struct plan_vpc *v)
{
    static const char *const maps[] = { "fl_egress", "fl_ingress" };
    struct plan_set *lost = plan_set_added(v->router, "fl_lost"), *lost4 = plan_set_added(v->router, "fl_lost4"),
                    *lost6 = plan_set_added(v->router, "fl_lost6");
    for (size_t m = 0; m < ARRAY_SIZE(maps); m++) {
        const struct plan_set *map = plan_set_added(v->router, maps[m]);
        for (size_t i = 0; map && i < map->elements.n; i++) {
            plan_element_add(b, lost, NULL, "%s counter", map->elements.items[i].data);
        }
    }
    for (size_t i = 0; lost4 && i < v->ports.n; i++) {
        plan_port_lost(b, v, &v->ports.items[i], lost4, lost6);
    }
}

/* Which rule refused what; source ports decide nothing, so they are left out. */
static void
plan_reasons(struct builder *b, struct plan_vpc *v)
{
    struct buf text = { 0 };
    for (int family = IP_V4; family <= (v->ip6 ? IP_V6 : IP_V4); family += IP_V6 - IP_V4) {
        const char *ip = family_words[family], *six = family == IP_V6 ? "6" : "";
        char name[16], type[128];
        snprintf(name, sizeof name, "fl_why%s", six);
        snprintf(type, sizeof type, "mark . classid . %s_addr . %s_addr . inet_service", family_names[family],
                 family_names[family]);
        add_set(b, v->router, name, type);
        buf_printf(&text,
                   "meta nfproto %s meta l4proto { 6, 17 } update @%s { meta mark . meta priority . %s saddr . %s "
                   "daddr . th dport counter }\n",
                   family_names[family], name, ip, ip);
        snprintf(name, sizeof name, "fl_whyo%s", six);
        snprintf(type, sizeof type, "mark . classid . %s_addr . %s_addr . inet_proto", family_names[family],
                 family_names[family]);
        add_set(b, v->router, name, type);
        buf_printf(&text,
                   "meta nfproto %s meta l4proto != { 6, 17 } update @%s { meta mark . meta priority . %s saddr . %s "
                   "daddr . meta l4proto counter }\n",
                   family_names[family], name, ip, ip);
    }
    buf_str_add(&text, "goto fl_record\n");
    plan_chain_add(b, v->router, "fl_reject", "", buf_str(&text));
    buf_done(&text);
}

/* Which interfaces are recorded: the mark's low bits name them, bit 31 says ingress (live/flow_source.c reads it back).
 */
struct recorded {
    struct plan_set *out, *in;
};

/* Sets must be there before their elements, hence two passes. */
static bool
record_link(struct builder *b, struct plan_vpc *v, struct recorded *r, const struct eni *eni, uint32_t index,
            const char *name, int pass)
{
    char mark[16];
    if (!plan_link_mark(b, eni, index, pass == 1, mark)) {
        return false;
    }
    if (!r->out) {
        r->out = plan_set_add(b, v->router, "fl_egress", "map fl_egress { type ifname : mark; }");
    }
    if (pass == 1 && !r->in) {
        r->in = plan_set_add(b, v->router, "fl_ingress", "map fl_ingress { type ifname : mark; }");
    }
    plan_element_add(b, pass ? r->in : r->out, mark, "\"%s\"", name);
    return true;
}

/* Attachments of transit gateways have an interface in each of their subnets.
 * Source: vpc/latest/userguide/flow-logs-records-examples.html, "Traffic through a transit gateway" */
static void
record_transit(struct builder *b, struct plan_vpc *v, struct recorded *r, const struct plan_transit *t, int pass)
{
    const struct eni *eni = t->subnet ? tgw_attachment_eni(b->net, t->attachment, t->subnet->obj.id) : NULL;
    if (!record_link(b, v, r, eni, t->index, t->name, pass)) {
        return;
    }
    for (size_t i = 0; i < v->router->links.n; i++) {
        if (v->router->links.items[i].here.index == t->index) {
            v->router->links.items[i].attachment_eni = arena_strdup(b->plan->arena, eni->obj.id);
        }
    }
}

static bool
plan_recorded(struct builder *b, struct plan_vpc *v)
{
    struct recorded r = { 0 };
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < v->ports.n; i++) {
            const struct plan_port *port = &v->ports.items[i];
            const struct eni *eni =
                port->nat ? store_get(b->store, &eni_kind, port->nat->addresses.items[0].eni_id) : port->eni;
            record_link(b, v, &r, eni, port->index, port->name, pass);
        }
        for (size_t i = 0; i < v->transits.n; i++) {
            record_transit(b, v, &r, &v->transits.items[i], pass);
        }
    }
    return r.out != NULL;
}

#define ACCEPT_OUT "meta mark set iifname map @fl_egress jump fl_record\n"
/* By interface and by what refused, for metrics; there are few, and it is asked of refused packets only. */
#define REFUSED_OUT "update @fl_refused { meta iif . meta mark counter }\n"
#define REFUSED_IN  "update @fl_refused { meta oif . meta mark counter }\n"
/* Behind a TAP device with several hosts also by which of them. */
#define REFUSED_TAP_OUT                                                                                                \
    "iifname @taps meta nfproto ipv4 update @fl_refused4 { meta iif . meta mark . ip saddr counter }\n"                \
    "iifname @taps meta nfproto ipv6 update @fl_refused6 { meta iif . meta mark . ip6 saddr counter }\n"
#define REFUSED_TAP_IN                                                                                                 \
    "oifname @taps meta nfproto ipv4 update @fl_refused4 { meta oif . meta mark . ip daddr counter }\n"                \
    "oifname @taps meta nfproto ipv6 update @fl_refused6 { meta oif . meta mark . ip6 daddr counter }\n"
#define LOGS       "jump fl_log_1\njump fl_log_2\njump fl_log_3\njump fl_log_4\n"
#define REJECT_OUT "meta mark set iifname map @fl_egress meta mark set meta mark | 0x00800000 jump fl_reject\n"
#define REJECT_IN  "meta mark set oifname map @fl_ingress meta mark set meta mark | 0x00800000 jump fl_reject\n"
#define ACCEPT_IN  "meta mark set oifname map @fl_ingress jump fl_record\n"

void
plan_flow_logs(struct builder *b, struct plan_vpc *v)
{
    bool recording = plan_recorded(b, v);
    /* Captures put a `log` into one of these; without it they cost refused packets next to nothing, others nothing. */
    for (int i = 1; i <= PLAN_LOG_GROUPS; i++) {
        char name[24];
        snprintf(name, sizeof name, "fl_log_%d", i);
        plan_chain_add(b, v->router, name, "", "");
    }
    plan_set_add(b, v->router, "fl_refused", "set fl_refused { type iface_index . mark; size 65536; flags dynamic; }");
    bool shared = plan_shared_taps(b, v);
    struct arena *arena = b->plan->arena;
    plan_chain_add(b, v->router, "fl_deny_out", "",
                   arena_join(arena, REFUSED_OUT, shared ? REFUSED_TAP_OUT : "", LOGS, recording ? REJECT_OUT : "",
                              "drop\n", NULL));
    plan_chain_add(b, v->router, "fl_deny_in", "",
                   arena_join(arena, REFUSED_IN, shared ? REFUSED_TAP_IN : "", LOGS,
                              recording ? ACCEPT_OUT REJECT_IN : "", "drop\n", NULL));
    if (!recording) {
        return;
    }
    plan_all_counting(b, v->router, v->ip6, "tcp flags & (fin | syn | rst) != 0 jump fl_flags\n", shared);
    plan_places_of_lost(b, v);
    plan_reasons(b, v);
    plan_chain_add(b, v->router, "fl_flags", "",
                   "tcp flags & (syn | ack) == syn | ack meta mark set meta mark | 0x12000000\n"
                   "tcp flags & (syn | ack) == syn meta mark set meta mark | 0x02000000\n"
                   "tcp flags & fin == fin meta mark set meta mark | 0x01000000\n"
                   "tcp flags & rst == rst meta mark set meta mark | 0x04000000\n");
    plan_chain_add(b, v->router, "f_account", "type filter hook forward priority 45; policy accept;",
                   ACCEPT_OUT ACCEPT_IN);
}

/* ---- names of what refused ----------------------------------------------------------------------------------------
 */
const char *
plan_refusal(struct builder *b, uint32_t number, bool egress)
{
    return arena_printf(b->plan->arena, "meta mark set 0x%x meta priority set %x:%x goto fl_deny_%s", number,
                        number >> 16, number & 0xffff, egress ? "out" : "in");
}

const char *
plan_deny(struct builder *b, const char *acl_id, bool egress, int number)
{
    char key[ID_SIZE + 8];
    snprintf(key, sizeof key, "acl:%s", acl_id);
    uint32_t acl = (uint32_t)(uintptr_t)map_get(&b->numbers->known, key);
    if (!acl && b->numbers->last_acl < PLAN_REFUSED_ACLS_MAX) {
        acl = ++b->numbers->last_acl;
        map_put(&b->numbers->known, key, (void *)(uintptr_t)acl);
    }
    /* 32767 is the last one of every list, 32768 the same for IPv6: the console's `*`. */
    if (!acl || number >= 32767) {
        return plan_refusal(b, egress ? PLAN_REFUSED_ACL_OUT : PLAN_REFUSED_ACL_IN, egress);
    }
    return plan_refusal(b, acl << 17 | (egress ? PLAN_REFUSED_EGRESS : 0) | (uint32_t)number, egress);
}

bool
plan_rule_text(const struct plan_numbers *numbers, uint32_t refusal, char *text, size_t size)
{
    size_t cursor = 0;
    const char *key;
    void *value;
    while (plan_refused_number(refusal) && map_next(&numbers->known, &cursor, &key, &value)) {
        if ((uint32_t)(uintptr_t)value == refusal >> 17 && strncmp(key, "acl:", 4) == 0) {
            snprintf(text, size, "%s:%s:%u", key + 4, plan_refused_egress(refusal) ? "egress" : "ingress",
                     plan_refused_number(refusal));
            return true;
        }
    }
    return false;
}

/* A stage or rule that refuses leaves its number in the mark, for captures, and in the priority, for flow logs. */
uint32_t
plan_refused_number(uint32_t refusal)
{
    return refusal >> 17 ? refusal & 0xffff : 0;
}

bool
plan_refused_egress(uint32_t refusal)
{
    return refusal >> 17 ? (refusal & PLAN_REFUSED_EGRESS) != 0
                         : refusal == PLAN_REFUSED_GROUP_OUT || refusal == PLAN_REFUSED_ACL_OUT ||
                               refusal == PLAN_REFUSED_PUBLIC_OUT;
}

bool
plan_refused_public(uint32_t refusal)
{
    return refusal == PLAN_REFUSED_PUBLIC_OUT || refusal == PLAN_REFUSED_PUBLIC_IN;
}

#include "netsim/live/meter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/vec.h"
#include "netsim/flowlog/flowlog.h"
#include "netsim/live/gwlb.h"
#include "netsim/live/flow_source.h"
#include "netsim/live/live_internal.h"
#include "netsim/live/plan_build.h"
#include "netsim/live/plan_flows.h"
#include "netsim/live/services.h"
#include "netsim/live/tap_hosts.h"

#define ETHERNET 14 /* bytes of a frame's header, which no figure of AWS's counts */

struct metering {
    struct live *live;
    const struct network *net;
    const struct live_meter_listener *listener;
    const struct plan_ns *ns; /* being read */
    const char *set;          /* of it */
    plan_transit_ports ports;
    uint32_t sequence;
    uint64_t active;              /* flows of the node being read */
    const struct plan_link *link; /* whose hosts are being read */
    bool routes;                  /* the rules that are read count routes */
    struct map refused;           /* "eni-0a rule" -> struct live_count */
    struct map node; /* of the node being read: "bytes-tcp" -> struct live_count, of all rules of that name */
};

static const struct plan_link *
link_of(const struct metering *m, uint32_t index)
{
    for (size_t i = 0; i < m->ns->links.n; i++) {
        if (m->ns->links.items[i].here.index == index) {
            return &m->ns->links.items[i];
        }
    }
    return NULL;
}

/* The interface (a NAT gateway's id for its own) behind a link of the router; NULL: a gateway's link, or one with
 * several. */
static const char *
id_of_link(const struct metering *m, uint32_t index)
{
    const struct plan_link *link = link_of(m, index);
    return link && *link->eni_id ? link->eni_id : NULL;
}

/* NAT gateways have an interface of their own, which is what filters and flow logs speak of. */
static const char *
eni_of(const struct metering *m, const char *id)
{
    const struct nat_gateway *nat = id ? store_get(network_store(m->net), &nat_gateway_kind, id) : NULL;
    return nat && nat->addresses.n ? nat->addresses.items[0].eni_id : id;
}

/* ---- asking the kernel --------------------------------------------------------------------------------------------
 */
static int
open_in(const struct metering *m, int family)
{
    spaces_enter(&m->live->spaces, spaces_find(&m->live->spaces, m->ns->id));
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family), size = 4 << 20;
    spaces_go_home(&m->live->spaces);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    return fd;
}

static bool
dump(struct metering *m, int fd, const struct nlmsghdr *h, mnl_cb_t each, struct err *err)
{
    char buffer[65536] __attribute__((aligned(8)));
    int status = fd >= 0 && send(fd, h, h->nlmsg_len, 0) > 0 ? MNL_CB_OK : -1;
    while (status > MNL_CB_STOP) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        status = n < 0 ? (errno == EINTR ? MNL_CB_OK : -1) : mnl_cb_run(buffer, (size_t)n, h->nlmsg_seq, 0, each, m);
        if (status < 0 && errno == EINTR) {
            status = MNL_CB_OK; /* it changed while it was read: good enough for counters */
        }
    }
    return status >= 0 ||
           err_set(err, ERR_MACHINE, "", "cannot read the counters of `%s`: %s", m->ns->id, strerror(errno));
}

/* ---- links --------------------------------------------------------------------------------------------------------
 */
static int
take_link(const struct nlmsghdr *h, void *data)
{
    struct metering *m = data;
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);
    const char *id = id_of_link(m, (uint32_t)info->ifi_index);
    const struct nlattr *attribute;
    if (!id || h->nlmsg_type != RTM_NEWLINK) {
        return MNL_CB_OK;
    }
    mnl_attr_for_each(attribute, h, sizeof *info)
    {
        struct rtnl_link_stats64 stats;
        if (mnl_attr_get_type(attribute) == IFLA_STATS64 && mnl_attr_get_payload_len(attribute) >= sizeof stats) {
            memcpy(&stats, mnl_attr_get_payload(attribute), sizeof stats);
            /* What the router sends is what the interface receives. */
            struct live_count in = { stats.tx_packets, stats.tx_bytes - ETHERNET * stats.tx_packets },
                              out = { stats.rx_packets, stats.rx_bytes - ETHERNET * stats.rx_packets };
            m->listener->interface(m->listener->context, id, &in, &out);
        }
    }
    return MNL_CB_OK;
}

/* What one of several hosts behind a device got and sent. */
static void
take_host(void *context, const uint8_t mac[6], const struct tap_count *in, const struct tap_count *out)
{
    const struct metering *m = context;
    struct plan_tap wanted = { 0 };
    memcpy(wanted.host.mac, mac, sizeof wanted.host.mac);
    const struct plan_tap *tap =
        m->link->hosts.n ? bsearch(&wanted, m->link->hosts.items, m->link->hosts.n, sizeof wanted, plan_tap_compare)
                         : NULL;
    if (tap) {
        m->listener->interface(m->listener->context, tap->eni_id, &(struct live_count){ in->packets, in->bytes },
                               &(struct live_count){ out->packets, out->bytes });
    }
}

static void
read_hosts(struct metering *m)
{
    for (size_t i = 0; i < m->ns->links.n; i++) {
        m->link = &m->ns->links.items[i];
        if (m->link->tap && !*m->link->eni_id) {
            tap_hosts_counts(m->live->spaces.taps, m->link->here.index, take_host, m);
        }
    }
}

static bool
read_links(struct metering *m, struct err *err)
{
    read_hosts(m);
    char buffer[256] __attribute__((aligned(8)));
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    h->nlmsg_type = RTM_GETLINK;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    h->nlmsg_seq = ++m->sequence;
    mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
    int fd = open_in(m, NETLINK_ROUTE);
    bool ok = dump(m, fd, h, take_link, err);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* ---- refusals -----------------------------------------------------------------------------------------------------
 */
static void
add_count(struct map *sums, const char *key, const struct live_count *count)
{
    struct live_count *sum = map_get(sums, key);
    if (!sum) {
        sum = xcalloc(1, sizeof *sum);
        map_put(sums, key, sum);
    }
    sum->packets += count->packets;
    sum->bytes += count->bytes;
}

/* Where interfaces share a link there is an element for each address: together they are the interface's. */
static void
add_refused(struct metering *m, const char *eni, const char *rule, const struct live_count *count)
{
    char key[ID_SIZE + FLOW_RULE_SIZE];
    snprintf(key, sizeof key, "%s %s", eni, rule);
    add_count(&m->refused, key, count);
}

static void
tell_refused(struct metering *m)
{
    size_t cursor = 0;
    const char *key;
    void *sum;
    while (map_next(&m->refused, &cursor, &key, &sum)) {
        char eni[ID_SIZE];
        size_t size = strcspn(key, " ");
        snprintf(eni, sizeof eni, "%.*s", (int)size, key);
        m->listener->refused(m->listener->context, eni, key + size + 1, sum);
        free(sum);
    }
    map_done(&m->refused);
}

static int
take_element(struct nftnl_set_elem *elem, void *data)
{
    struct metering *m = data;
    uint32_t size = 0, key[2];
    const uint8_t *bytes = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &size);
    const struct nftnl_expr *counter = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_EXPR, NULL);
    if (!bytes || !counter || size < sizeof key) {
        return 0;
    }
    memcpy(key, bytes, sizeof key);
    /* Link and refusal; where a link has several interfaces then the address. */
    const char *eni = eni_of(m, id_of_link(m, key[0]));
    if (size > sizeof key) {
        const struct plan_link *link = link_of(m, key[0]);
        struct ip ip = ip_of_bytes(bytes + sizeof key, size == sizeof key + 4 ? IP_V4 : IP_V6);
        const char *found = link ? plan_link_eni(link, &ip) : "";
        eni = *found ? found : NULL;
    }
    struct live_count count = { nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_PACKETS),
                                nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_BYTES) };
    char rule[FLOW_RULE_SIZE];
    if (eni) {
        live_refusal_name(m->live, m->net, eni, key[1], rule);
        add_refused(m, eni, rule, &count);
    }
    return 0;
}

static int
take_elements(const struct nlmsghdr *h, void *data)
{
    struct nftnl_set *set = nftnl_set_alloc();
    if (set && nftnl_set_elems_nlmsg_parse(h, set) == 0) {
        nftnl_set_elem_foreach(set, take_element, data);
    }
    nftnl_set_free(set);
    return MNL_CB_OK;
}

/* ---- transit gateways ---------------------------------------------------------------------------------------------
 */
/* The attachment at a link of the transit gateway; "" if it has none any more. */
static const char *
attachment_of_link(const struct metering *m, uint32_t index)
{
    const struct plan_set *from = plan_find_set(m->ns, "fl_from");
    char key[24] = "";
    for (size_t i = 0; i < m->live->plan->namespaces.n && !*key; i++) {
        const struct plan_ns *ns = m->live->plan->namespaces.items[i];
        for (size_t j = 0; j < ns->links.n; j++) {
            const struct plan_link *link = &ns->links.items[j];
            const struct nlq_end *end = ns == m->ns                             ? &link->here
                                        : strcmp(link->peer_ns, m->ns->id) == 0 ? &link->peer
                                                                                : NULL;
            if (end && end->index == index) {
                snprintf(key, sizeof key, "\"%s\"", end->name);
            }
        }
    }
    const struct plan_element *element = from ? plan_find_element(from, key) : NULL;
    size_t number = element ? strtoul(element->data, NULL, 16) : 0;
    return number < m->ports.n ? m->ports.items[number].attachment_id : "";
}

static int
take_transit(struct nftnl_set_elem *elem, void *data)
{
    static const char *const losses[] = { [FLOW_LOST_NO_ROUTE] = "no-route",
                                          [FLOW_LOST_BLACKHOLE] = "blackhole",
                                          [FLOW_LOST_MTU] = "mtu",
                                          [FLOW_LOST_TTL] = "ttl" };
    struct metering *m = data;
    uint32_t size = 0, key[2] = { 0 };
    const void *bytes = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &size);
    const struct nftnl_expr *counter = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_EXPR, NULL);
    if (!bytes || !counter || size < sizeof key[0]) {
        return 0;
    }
    memcpy(key, bytes, size < sizeof key ? sizeof key[0] : sizeof key);
    struct live_count count = { nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_PACKETS),
                                nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_BYTES) };
    bool lost = strcmp(m->set, "tgw_lost") == 0;
    const char *what = !lost ? m->set + strlen("tgw_") : key[1] && key[1] <= FLOW_LOSSES ? losses[key[1] - 1] : NULL;
    const char *attachment = attachment_of_link(m, key[0]);
    if (what && *attachment) {
        m->listener->transit(m->listener->context, m->ns->id, attachment, what, &count);
    }
    return 0;
}

static int
take_transits(const struct nlmsghdr *h, void *data)
{
    struct nftnl_set *set = nftnl_set_alloc();
    if (set && nftnl_set_elems_nlmsg_parse(h, set) == 0) {
        nftnl_set_elem_foreach(set, take_transit, data);
    }
    nftnl_set_free(set);
    return MNL_CB_OK;
}

static bool
read_set(struct metering *m, int fd, const char *name, mnl_cb_t take, struct err *err)
{
    char buffer[512] __attribute__((aligned(8)));
    struct nftnl_set *set = nftnl_set_alloc();
    struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, ++m->sequence);
    nftnl_set_set_str(set, NFTNL_SET_TABLE, "vpc");
    nftnl_set_set_str(set, NFTNL_SET_NAME, name);
    nftnl_set_elems_nlmsg_build_payload(h, set);
    nftnl_set_free(set);
    m->set = name;
    return dump(m, fd, h, take, err);
}

static bool
read_transit(struct metering *m, struct err *err)
{
    static const char *const names[] = { "tgw_in", "tgw_out", "tgw_lost" };
    int fd = open_in(m, NETLINK_NETFILTER);
    bool ok = true;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        ok = ok && read_set(m, fd, names[i], take_transits, err);
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool
has_tunnel(const struct plan_ns *ns)
{
    for (size_t i = 0; i < ns->links.n; i++) {
        if (strncmp(ns->links.items[i].eni_id, "vpn-", 4) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- rules --------------------------------------------------------------------------------------------------------
 */
static int
find_comment(const struct nftnl_udata *attribute, void *data)
{
    if (nftnl_udata_type(attribute) == NFTNL_UDATA_RULE_COMMENT) {
        *(const char **)data = nftnl_udata_get(attribute);
    }
    return 0;
}

static int
find_counter(struct nftnl_expr *expr, void *data)
{
    struct live_count *count = data;
    const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
    if (name && strcmp(name, "counter") == 0) {
        count->packets = nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_PACKETS);
        count->bytes = nftnl_expr_get_u64(expr, NFTNL_EXPR_CTR_BYTES);
    }
    return 0;
}

const char *
live_rule_comment(const struct nftnl_rule *rule)
{
    uint32_t size = 0;
    const void *user = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &size);
    const char *comment = NULL;
    return user && nftnl_udata_parse(user, size, find_comment, &comment) >= 0 ? comment : NULL;
}

bool
live_rule_name(const char *chain, const char *comment, char name[static FLOW_RULE_SIZE])
{
    if (strncmp(comment, "sgr-", 4) == 0) {
        snprintf(name, FLOW_RULE_SIZE, "%s", comment);
        return true;
    }
    if (strncmp(chain, "nacl_", 5) != 0) {
        return false;
    }
    /* "acl-0a1b 100" in nacl_..._in: as refusals have it. */
    size_t size = strcspn(comment, " "), n = strlen(chain);
    const char *number = comment[size] ? comment + size + 1 : "";
    snprintf(name, FLOW_RULE_SIZE, "%.*s:%s:%s", (int)size, comment,
             strcmp(chain + n - 3, "_in") == 0 ? "ingress" : "egress", atoi(number) >= 32767 ? "*" : number);
    return true;
}

static void
tell_node(struct metering *m)
{
    size_t cursor = 0;
    const char *name;
    void *sum;
    while (map_next(&m->node, &cursor, &name, &sum)) {
        if (m->listener->node) {
            m->listener->node(m->listener->context, m->ns->id, name, sum);
        }
        free(sum);
    }
    map_done(&m->node);
    m->node = (struct map){ 0 };
}

static void
tell_rule(struct metering *m, const char *chain, const char *comment, const struct live_count *count)
{
    char rule[FLOW_RULE_SIZE];
    bool of_node = strncmp(comment, "new-", 4) == 0 || strncmp(comment, "bytes-", 6) == 0;
    if (m->routes) {
        m->listener->route(m->listener->context, comment, count);
    } else if (m->ns->kind == PLAN_NAT && of_node) {
        add_count(&m->node, comment, count); /* several rules have one name */
    } else if (m->ns->kind == PLAN_NAT) {
        bool source = strcmp(comment, "from source") == 0;
        if (source || strcmp(comment, "from destination") == 0) {
            m->listener->nat(m->listener->context, m->ns->id, source, count);
        }
    } else if (live_rule_name(chain, comment, rule)) {
        m->listener->rule(m->listener->context, rule, count);
    }
}

static int
take_rule(const struct nlmsghdr *h, void *data)
{
    struct nftnl_rule *rule = nftnl_rule_alloc();
    if (rule && nftnl_rule_nlmsg_parse(h, rule) == 0) {
        const char *comment = live_rule_comment(rule), *chain = nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN);
        struct live_count count = { 0 };
        if (chain && comment) {
            nftnl_expr_foreach(rule, find_counter, &count);
            tell_rule(data, chain, comment, &count);
        }
    }
    nftnl_rule_free(rule);
    return MNL_CB_OK;
}

static bool
dump_rules(struct metering *m, int fd, const char *table, struct err *err)
{
    char buffer[512] __attribute__((aligned(8)));
    struct nftnl_rule *rule = nftnl_rule_alloc();
    struct nlmsghdr *h = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETRULE, NFPROTO_INET, NLM_F_DUMP, ++m->sequence);
    nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, table);
    nftnl_rule_nlmsg_build_payload(h, rule);
    nftnl_rule_free(rule);
    return dump(m, fd, h, take_rule, err);
}

static bool
read_nftables(struct metering *m, bool rules, struct err *err)
{
    int fd = open_in(m, NETLINK_NETFILTER);
    bool ok = true;
    if (m->ns->kind == PLAN_ROUTER) {
        ok = read_set(m, fd, "fl_refused", take_elements, err);
        bool shared = plan_find_set(m->ns, "fl_refused4") != NULL;
        ok = ok && (!shared || (read_set(m, fd, "fl_refused4", take_elements, err) &&
                                read_set(m, fd, "fl_refused6", take_elements, err)));
        tell_refused(m);
    }
    if (ok && (rules || m->ns->kind == PLAN_NAT)) {
        ok = dump_rules(m, fd, "vpc", err);
        tell_node(m);
    }
    if (ok && rules && m->live->counts_routes && m->listener->route) {
        m->routes = true;
        ok = dump_rules(m, fd, ROUTES_TABLE, err);
        m->routes = false;
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* ---- flows that are open ------------------------------------------------------------------------------------------
 */
const struct nlattr *
live_nested(const struct nlattr *in, uint16_t type)
{
    const struct nlattr *attribute;
    if (in) {
        mnl_attr_for_each_nested(attribute, in)
        {
            if (mnl_attr_get_type(attribute) == type) {
                return attribute;
            }
        }
    }
    return NULL;
}

/* Of tcp those that are opening or open, as AWS counts. */
static int
take_connection(const struct nlmsghdr *h, void *data)
{
    struct metering *m = data;
    const struct nlattr *attribute, *info = NULL;
    uint32_t status = 0;
    mnl_attr_for_each(attribute, h, sizeof(struct nfgenmsg))
    {
        switch (mnl_attr_get_type(attribute)) {
        case CTA_STATUS:
            status = ntohl(mnl_attr_get_u32(attribute));
            break;
        case CTA_PROTOINFO:
            info = live_nested(attribute, CTA_PROTOINFO_TCP);
            break;
        default:
            break;
        }
    }
    const struct nlattr *state = live_nested(info, CTA_PROTOINFO_TCP_STATE);
    bool open = !info || (state && mnl_attr_get_u8(state) >= TCP_CONNTRACK_SYN_SENT &&
                          mnl_attr_get_u8(state) <= TCP_CONNTRACK_ESTABLISHED);
    m->active += open && (status & IPS_DST_NAT);
    return MNL_CB_OK;
}

static bool
read_flows(struct metering *m, struct err *err)
{
    char buffer[512] __attribute__((aligned(8)));
    int fd = open_in(m, NETLINK_NETFILTER);
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    h->nlmsg_seq = ++m->sequence;
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(h, sizeof *head);
    *head = (struct nfgenmsg){ .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
    m->active = 0;
    bool ok = dump(m, fd, h, take_connection, err);
    if (fd >= 0) {
        close(fd);
    }
    if (ok) {
        m->listener->node(m->listener->context, m->ns->id, "active", &(struct live_count){ .packets = m->active });
    }
    return ok;
}

static void
take_gwlb(void *context, const char *eni_id, const struct gwlb_count *count)
{
    const struct live_meter_listener *l = context;
    l->node(l->context, eni_id, "new-flow", &(struct live_count){ .packets = count->flows });
    l->node(l->context, eni_id, "bytes-flow", &(struct live_count){ count->packets, count->bytes });
    l->node(l->context, eni_id, "active", &(struct live_count){ .packets = count->active });
}

bool
live_meter(struct live *live, const struct network *net, bool rules, const struct live_meter_listener *listener,
           struct err *err)
{
    struct metering m = { .live = live, .net = net, .listener = listener };
    bool ok = true;
    plan_transit_ports_of(&live->numbers, &m.ports);
    for (size_t i = 0; ok && i < live->plan->namespaces.n; i++) {
        m.ns = live->plan->namespaces.items[i];
        if (m.ns->kind == PLAN_ROUTER) {
            ok = read_links(&m, err) && read_nftables(&m, rules, err);
        } else if (m.ns->kind == PLAN_NAT) {
            bool is_node = plan_find_chain(m.ns, "p_new") != NULL;
            ok = read_nftables(&m, false, err) && (!is_node || !listener->node || read_flows(&m, err));
        } else if (m.ns->kind == PLAN_TRANSIT && has_tunnel(m.ns)) {
            ok = read_links(&m, err);
        }
        if (ok && plan_find_set(m.ns, "tgw_in")) {
            ok = read_transit(&m, err);
        }
    }
    if (ok && listener->balancer && live->services) {
        services_counts(live->services, listener->balancer, listener->context);
    }
    if (ok && listener->node && live->gwlb) {
        gwlb_counts(live->gwlb, take_gwlb, (void *)listener);
    }
    VEC_DONE(&m.ports);
    return ok;
}

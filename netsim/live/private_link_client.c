#include "netsim/live/private_link_client.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/meter.h"
#include "netsim/live/plan_build.h"
#include "netsim/model/private_service.h"

bool
private_link_is_link(const struct ip *ip)
{
    struct cidr block = cidr_lit(ip->family == IP_V6 ? PLAN_PRIVATE_LINK_BLOCK6 : PLAN_PRIVATE_LINK_BLOCK);
    return cidr_contains_ip(&block, ip);
}

/* ---- the kernel's words -------------------------------------------------------------------------------------------
 */
static void
put_address(struct nlmsghdr *h, uint16_t type4, uint16_t type6, const struct ip *ip)
{
    uint8_t bytes[16];
    size_t size = ip_to_bytes(ip, bytes);
    mnl_attr_put(h, size == 16 ? type6 : type4, size, bytes);
}

/* The connection whose answers go from 'far' and the listener's port to 'link'. */
static void
put_question(struct nlmsghdr *h, const struct ip *far, int port, const struct ip *link, int link_port)
{
    h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
    h->nlmsg_flags = NLM_F_REQUEST;
    h->nlmsg_seq = 1;
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(h, sizeof *head);
    *head = (struct nfgenmsg){ .nfgen_family = link->family == IP_V6 ? AF_INET6 : AF_INET, .version = NFNETLINK_V0 };
    struct nlattr *tuple = mnl_attr_nest_start(h, CTA_TUPLE_REPLY), *part = mnl_attr_nest_start(h, CTA_TUPLE_IP);
    put_address(h, CTA_IP_V4_SRC, CTA_IP_V6_SRC, far);
    put_address(h, CTA_IP_V4_DST, CTA_IP_V6_DST, link);
    mnl_attr_nest_end(h, part);
    part = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(h, CTA_PROTO_NUM, IPPROTO_TCP);
    mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons((uint16_t)port));
    mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, htons((uint16_t)link_port));
    mnl_attr_nest_end(h, part);
    mnl_attr_nest_end(h, tuple);
}

/* Who began it. */
static int
take_client(const struct nlmsghdr *h, void *data)
{
    struct private_link_client *out = data;
    const struct nlattr *attribute, *tuple = NULL;
    mnl_attr_for_each(attribute, h, sizeof(struct nfgenmsg))
    {
        tuple = mnl_attr_get_type(attribute) == CTA_TUPLE_ORIG ? attribute : tuple;
    }
    const struct nlattr *addresses = live_nested(tuple, CTA_TUPLE_IP), *v4 = live_nested(addresses, CTA_IP_V4_SRC),
                        *v6 = live_nested(addresses, CTA_IP_V6_SRC),
                        *port = live_nested(live_nested(tuple, CTA_TUPLE_PROTO), CTA_PROTO_SRC_PORT);
    if (port && (v4 || v6)) {
        out->ip = ip_of_bytes(mnl_attr_get_payload(v4 ? v4 : v6), v4 ? IP_V4 : IP_V6);
        out->port = ntohs(mnl_attr_get_u16(port));
    }
    return MNL_CB_OK;
}

static bool
ask(int fd, const struct ip *link, int link_port, int port, struct private_link_client *out)
{
    char buffer[4096] __attribute__((aligned(8)));
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    struct ip far = *link;
    far.lo |= 1; /* the pair of a link: the endpoint's end is even, the node's odd */
    put_question(h, &far, port, link, link_port);
    if (send(fd, h, h->nlmsg_len, 0) < 0) {
        return false;
    }
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT); /* the kernel has answered when send() returns */
    return n > 0 && mnl_cb_run(buffer, (size_t)n, 1, 0, take_client, out) >= 0 && out->port;
}

/* ---- the endpoints of the service ---------------------------------------------------------------------------------
 */
bool
private_link_find(const struct services *services, const struct load_balancer *lb, const struct ip *link, int link_port,
                  int port, struct private_link_client *out)
{
    const struct network *net = services_network(services);
    const struct store *store = network_store(net);
    const struct private_service *service = network_service_of_balancer(net, lb->arn);
    *out = (struct private_link_client){ .port = 0 };
    for (const struct endpoint *e = service ? store_first(store, &endpoint_kind) : NULL; e; e = store_next(store, e)) {
        bool own = e->service_name && strcmp(e->service_name, service->name) == 0;
        for (size_t i = 0; own && i < e->eni_ids.n; i++) {
            int fd = services_socket(services, e->eni_ids.items[i], AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
            bool found = fd >= 0 && ask(fd, link, link_port, port, out);
            if (fd >= 0) {
                close(fd);
            }
            if (found) {
                snprintf(out->endpoint_id, sizeof out->endpoint_id, "%s", e->obj.id);
                return true;
            }
        }
    }
    return false;
}

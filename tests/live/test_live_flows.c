/* What flow logs count of real packets: which rule refused them, that none is lost, and how many were when there was no
 * room. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <sys/socket.h>

#include "netsim/live/flow_source.h"
#include "netsim/live/live_internal.h"
#include "tests/live/lab.h"
#include "tests/unit/model.h"

/* Two subnets with an ACL each, `a` in the first and `b` in the second; b's group lets port 443 in and nothing else. A
 * log of all. */
struct fixture {
    struct network *net;
    struct live *live;
    struct network_acl *acl; /* of b's subnet */
    struct security_group *open, *shut;
    struct instance *a, *b;
};

static VEC(struct flow_sample) samples;
static uint64_t lost_packets[2]; /* of a, of b */

static void
take_sample(void *context, const struct flow_sample *sample)
{
    (void)context;
    *VEC_ADD(&samples) = *sample;
}

static void
take_loss(void *context, const char *eni_id, uint64_t packets)
{
    struct fixture *f = context;
    lost_packets[strcmp(instance_eni(f->net, f->b, 0)->obj.id, eni_id) == 0] += packets;
}

static void
poll_flows(struct fixture *f, int64_t at)
{
    struct err err = { 0 };
    struct live_flow_listener listener = { .sample = take_sample, .lost = take_loss, .context = f };
    REQUIRE(live_flows_poll(f->live, f->net, at, &listener, &err), "%s", err.text);
}

static void
update(struct fixture *f)
{
    struct err err = { 0 };
    store_touch(network_store(f->net));
    REQUIRE(live_update(f->live, f->net, &err), "%s: %s (%s)", err.where, err.text, err.hint);
}

static void
allow(struct fixture *f, struct security_group *group, int protocol, int from, int to)
{
    struct err err = { 0 };
    struct sg_rule rule = { .protocol = protocol, .from = from, .to = to, .cidr = cidr_lit("0.0.0.0/0") };
    REQUIRE(security_group_authorize(f->net, group, &rule, 1, &err), "%s", err.text);
}

static struct instance *
run(struct fixture *f, const struct subnet *subnet, const struct security_group *group, const char *ip)
{
    struct err err = { 0 };
    const char *id = group->obj.id;
    struct instance *instance;
    struct instance_spec spec = { .image_id = "ami-0123456789abcdef0" };
    spec.eni = (struct eni_spec){ .subnet_id = subnet->obj.id, .ip = ip_lit(ip), .groups = &id, .n_groups = 1 };
    REQUIRE(instances_run(f->net, &spec, 1, &instance, &err), "%s", err.text);
    return instance;
}

static void
acl_entry(struct fixture *f, int number, bool egress, int protocol, int action, bool add)
{
    struct err err = { 0 };
    struct nacl_entry entry = { .number = number,
                                .egress = egress,
                                .protocol = protocol,
                                .action = action,
                                .has_ports = protocol > 0,
                                .ports = { 0, 65535 },
                                .cidr = cidr_lit("0.0.0.0/0") };
    REQUIRE(add ? network_acl_add_entry(f->net, f->acl, &entry, &err)
                : network_acl_delete_entry(f->net, f->acl, number, egress, &err),
            "%s", err.text);
}

static struct fixture
fixture_new(uint32_t flow_set_size)
{
    struct fixture f = { .net = model_new() };
    struct err err = { 0 };
    struct vpc *vpc = model_vpc(f.net, "10.0.0.0/16", false);
    struct subnet *one = model_subnet(f.net, vpc, "10.0.1.0/24"), *two = model_subnet(f.net, vpc, "10.0.2.0/24");
    f.acl = network_acl_create(f.net, vpc->obj.id, false, &err);
    acl_entry(&f, 100, false, -1, NACL_ALLOW, true);
    acl_entry(&f, 100, true, -1, NACL_ALLOW, true);
    struct network_acl *old = network_subnet_acl(f.net, two);
    for (size_t i = 0; i < old->associations.n; i++) {
        if (strcmp(old->associations.items[i].subnet_id, two->obj.id) == 0) {
            char id[ID_SIZE];
            snprintf(id, sizeof id, "%s", old->associations.items[i].id);
            REQUIRE(network_acl_replace_association(f.net, id, f.acl, &err), "%s", err.text);
            break;
        }
    }
    f.open = security_group_create(f.net, vpc->obj.id, "open", "open", &err);
    f.shut = security_group_create(f.net, vpc->obj.id, "shut", "shut", &err);
    allow(&f, f.open, -1, -1, -1);
    allow(&f, f.shut, PROTOCOL_TCP, 443, 443);
    f.a = run(&f, one, f.open, "10.0.1.10");
    f.b = run(&f, two, f.shut, "10.0.2.10");
    struct flow_log_spec spec = { .resource_id = vpc->obj.id,
                                  .traffic_type = "ALL",
                                  .destination_type = "s3",
                                  .destination = "arn:aws:s3:::b",
                                  .max_interval = 60 };
    f.live = live_start(f.net, NULL, &err);
    REQUIRE(f.live, "%s: %s (%s)", err.where, err.text, err.hint);
    f.live->numbers.flow_set_size = flow_set_size;
    REQUIRE(flow_log_create(f.net, &spec, &err), "%s", err.text);
    update(&f);
    samples.n = 0;
    memset(lost_packets, 0, sizeof lost_packets);
    poll_flows(&f, 1000);
    return f;
}

static void
fixture_done(struct fixture *f)
{
    live_stop(f->live);
    network_free(f->net);
    VEC_DONE(&samples);
}

static void
send_probe(struct fixture *f, int protocol, int port)
{
    struct err err = { 0 };
    struct live_probe p = { .protocol = protocol, .dst_port = port, .dst = ip_lit("10.0.2.10") };
    snprintf(p.from, sizeof p.from, "%s", f->a->obj.id);
    snprintf(p.to, sizeof p.to, "%s", f->b->obj.id);
    REQUIRE(live_probe(f->live, &p, 1, 500, &err), "%s", err.text);
}

/* The rule that refused the flow at `b`; "" if there is no such sample. */
static const char *
refusal(struct fixture *f, int protocol, int dst_port, int direction)
{
    const char *eni = instance_eni(f->net, f->b, 0)->obj.id;
    for (size_t i = samples.n; i-- > 0;) {
        const struct flow_sample *s = &samples.items[i];
        if (strcmp(s->eni_id, eni) == 0 && s->protocol == protocol && s->action == FLOW_REJECT &&
            s->direction == direction && (dst_port < 0 || s->dst_port == dst_port)) {
            return s->rule;
        }
    }
    return "no such sample";
}

TEST(the_rule_that_refused_is_told)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(0);
    char text[FLOW_RULE_SIZE];
    send_probe(&f, PROTOCOL_TCP, 22);
    send_probe(&f, PROTOCOL_ICMP, 8);
    poll_flows(&f, 2000);
    snprintf(text, sizeof text, "%s:ingress:none", f.shut->obj.id);
    CHECK_STR(refusal(&f, PROTOCOL_TCP, 22, FLOW_INGRESS), text, "the group has no rule");
    CHECK_STR(refusal(&f, PROTOCOL_ICMP, 0, FLOW_INGRESS), text, "nor for pings");

    /* The same packet again, refused by an ACL's rule and then by another: the latest counts. */
    acl_entry(&f, 90, false, PROTOCOL_TCP, NACL_DENY, true);
    update(&f);
    send_probe(&f, PROTOCOL_TCP, 22);
    poll_flows(&f, 3000);
    snprintf(text, sizeof text, "%s:ingress:90", f.acl->obj.id);
    CHECK_STR(refusal(&f, PROTOCOL_TCP, 22, FLOW_INGRESS), text, "an ACL's rule");
    acl_entry(&f, 90, false, 0, 0, false);
    acl_entry(&f, 100, false, 0, 0, false);
    update(&f);
    send_probe(&f, PROTOCOL_TCP, 22);
    poll_flows(&f, 4000);
    snprintf(text, sizeof text, "%s:ingress:*", f.acl->obj.id);
    CHECK_STR(refusal(&f, PROTOCOL_TCP, 22, FLOW_INGRESS), text, "the last of the ACL");

    /* A request that is accepted and an answer that is not. */
    acl_entry(&f, 100, false, -1, NACL_ALLOW, true);
    acl_entry(&f, 80, true, PROTOCOL_TCP, NACL_DENY, true);
    update(&f);
    send_probe(&f, PROTOCOL_TCP, 443);
    poll_flows(&f, 5000);
    snprintf(text, sizeof text, "%s:egress:80", f.acl->obj.id);
    CHECK_STR(refusal(&f, PROTOCOL_TCP, -1, FLOW_EGRESS), text, "the answer");
    CHECK_STR(refusal(&f, PROTOCOL_TCP, 443, FLOW_INGRESS), "no such sample", "the request was accepted");
    fixture_done(&f);
}

/* A UDP socket in an instance's namespace. */
static int
socket_in(struct fixture *f, const struct instance *instance)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    REQUIRE(setns(live_namespace(f->live, instance->obj.id), CLONE_NEWNET) == 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(setns(home, CLONE_NEWNET) == 0 && fd >= 0);
    close(home);
    return fd;
}

/* One datagram to each of the ports, every one a flow of its own. */
static void
send_flows(int fd, int first_port, int n)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    inet_pton(AF_INET, "10.0.2.10", &to.sin_addr);
    for (int i = 0; i < n; i++) {
        to.sin_port = htons((uint16_t)(first_port + i));
        REQUIRE(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof to) == 1, "port %d: %s", first_port + i,
                strerror(errno));
    }
}

static uint64_t
count_packets(struct fixture *f, const struct instance *instance, int direction)
{
    uint64_t n = 0;
    for (size_t i = 0; i < samples.n; i++) {
        const struct flow_sample *s = &samples.items[i];
        n += strcmp(s->eni_id, instance_eni(f->net, instance, 0)->obj.id) == 0 && s->direction == direction ? s->packets
                                                                                                            : 0;
    }
    return n;
}

TEST(what_finds_no_room_is_counted)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(1000);
    int fd = socket_in(&f, f.a);
    send_flows(fd, 10000, 3000);
    poll_flows(&f, 2000);
    uint64_t left = count_packets(&f, f.a, FLOW_EGRESS), arrived = count_packets(&f, f.b, FLOW_INGRESS);
    CHECK(lost_packets[0] > 0 && lost_packets[1] > 0, "%" PRIu64 " and %" PRIu64, lost_packets[0], lost_packets[1]);
    CHECK(left + lost_packets[0] == 3000, "%" PRIu64 " told and %" PRIu64 " lost of 3000", left, lost_packets[0]);
    CHECK(arrived + lost_packets[1] == 3000, "%" PRIu64 " told and %" PRIu64 " lost of 3000", arrived, lost_packets[1]);
    uint64_t before = lost_packets[0];
    poll_flows(&f, 3000);
    CHECK(lost_packets[0] == before, "a loss is told once");
    close(fd);
    fixture_done(&f);
}

/* More flows than there is room for, with reading between: the full table is exchanged for an empty one and nothing is
 * lost. */
TEST(tables_are_exchanged_before_they_are_full)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(8000);
    int fd = socket_in(&f, f.a), rounds = 25, each = 2000;
    for (int i = 0; i < rounds; i++) {
        send_flows(fd, 10000 + i * each, each);
        poll_flows(&f, 2000 + i);
    }
    poll_flows(&f, 9000);
    uint64_t sent = (uint64_t)rounds * (uint64_t)each;
    uint64_t left = count_packets(&f, f.a, FLOW_EGRESS), arrived = count_packets(&f, f.b, FLOW_INGRESS);
    CHECK(left + lost_packets[0] == sent, "left: %" PRIu64 " told and %" PRIu64 " lost", left, lost_packets[0]);
    CHECK(arrived + lost_packets[1] == sent, "arrived: %" PRIu64 " told and %" PRIu64 " lost", arrived,
          lost_packets[1]);
    /* A kernel short of time may refuse an element though there is room; it is counted. */
    CHECK(lost_packets[0] + lost_packets[1] < (uint64_t)each, "%" PRIu64 " lost", lost_packets[0] + lost_packets[1]);
    /* Changes of the model meanwhile write the first table again. */
    acl_entry(&f, 90, false, PROTOCOL_TCP, NACL_DENY, true);
    update(&f);
    send_flows(fd, 10000, 3);
    poll_flows(&f, 10000);
    CHECK(count_packets(&f, f.a, FLOW_EGRESS) == left + 3, "after a change: %" PRIu64,
          count_packets(&f, f.a, FLOW_EGRESS));
    close(fd);
    fixture_done(&f);
}

TEST_MAIN

/* Flows that are running while groups and machines change: real sockets in the instances' namespaces. */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/live/places.h"

#define PATIENCE_MS 400

/* A server and a client in f.a's subnet, each with a group of its own. */
struct pair {
    struct place server, client;
};

static struct place
neighbour(struct fixture *f, const char *name, const char *ip)
{
    struct err err = { 0 };
    struct place p = f->a;
    p.group = security_group_create(f->net, p.vpc->obj.id, name, name, &err);
    REQUIRE(p.group, "%s", err.text);
    p.instance = run(f->net, &p, ip_lit(ip));
    return p;
}

static void
drop_rules(struct fixture *f, struct security_group *group, bool egress)
{
    struct err err = { 0 };
    for (size_t i = group->rules.n; i-- > 0;) {
        char id[ID_SIZE];
        const char *ids[] = { id };
        snprintf(id, sizeof id, "%s", group->rules.items[i].id);
        if (group->rules.items[i].egress == egress) {
            CHECK(security_group_revoke_ids(f->net, group, egress, ids, 1, &err), "%s", err.text);
        }
    }
    update(f);
}

static void
let_out(struct fixture *f, struct security_group *group)
{
    struct err err = { 0 };
    struct sg_rule rule = { .egress = true, .protocol = -1, .from = -1, .to = -1, .cidr = cidr_lit("0.0.0.0/0") };
    CHECK(security_group_authorize(f->net, group, &rule, 1, &err), "%s", err.text);
    update(f);
}

static int
socket_in(struct fixture *f, const struct instance *instance, int type)
{
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    REQUIRE(setns(live_namespace(f->live, instance->obj.id), CLONE_NEWNET) == 0);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    REQUIRE(setns(home, CLONE_NEWNET) == 0 && fd >= 0);
    close(home);
    return fd;
}

static struct sockaddr_in
address_of(struct fixture *f, const struct instance *instance, int port)
{
    const struct ip *ip = eni_primary_ip(instance_eni(f->net, instance, 0));
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl((uint32_t)ip->lo) };
}

struct connection {
    int listener, server, client;
};

static struct connection
connection_open(struct fixture *f, const struct place *server, const struct place *client)
{
    struct connection c = { .listener = socket_in(f, server->instance, SOCK_STREAM),
                            .client = socket_in(f, client->instance, SOCK_STREAM) };
    struct sockaddr_in at = address_of(f, server->instance, 80);
    REQUIRE(bind(c.listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(c.listener, 1) == 0);
    REQUIRE(connect(c.client, (struct sockaddr *)&at, sizeof at) == 0, "%s", strerror(errno));
    c.server = accept(c.listener, NULL, NULL);
    REQUIRE(c.server >= 0);
    return c;
}

static void
connection_close(struct connection *c)
{
    close(c->listener);
    close(c->server);
    close(c->client);
}

static bool
passes(int from, int to)
{
    char byte = 'x';
    struct pollfd p = { .fd = to, .events = POLLIN };
    return send(from, &byte, 1, MSG_NOSIGNAL) == 1 && poll(&p, 1, PATIENCE_MS) == 1 && recv(to, &byte, 1, 0) == 1;
}

/* What was sent in vain arrives when TCP sends it again. */
static bool
catches_up(int to)
{
    char byte;
    struct pollfd p = { .fd = to, .events = POLLIN };
    return poll(&p, 1, 5000) == 1 && recv(to, &byte, 1, 0) == 1;
}

TEST(a_tracked_flow_goes_on_without_its_rule)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct pair p = { neighbour(&f, "server", "10.1.0.20"), neighbour(&f, "client", "10.1.0.21") };
    allow(f.net, p.server.group, 80, "10.0.0.0/8");
    update(&f);
    struct connection c = connection_open(&f, &p.server, &p.client);
    CHECK(passes(c.client, c.server) && passes(c.server, c.client), "with the rules");
    drop_rules(&f, p.server.group, false);
    CHECK(passes(c.client, c.server) && passes(c.server, c.client), "without the server's rule");
    CHECK(!probe(&f, p.client.instance, p.server.instance, 80, NULL, false).arrived, "a new one does not begin");
    drop_rules(&f, p.server.group, true);
    drop_rules(&f, p.client.group, true);
    CHECK(passes(c.client, c.server) && passes(c.server, c.client), "without any rule");
    allow(f.net, p.server.group, 80, "10.0.0.0/8");
    let_out(&f, p.client.group);
    CHECK(probe(&f, p.client.instance, p.server.instance, 80, NULL, false).replied, "a new one begins again");
    connection_close(&c);
    fixture_done(&f);
}

TEST(an_untracked_flow_ends_with_its_rule)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct pair p = { neighbour(&f, "server", "10.1.0.20"), neighbour(&f, "client", "10.1.0.21") };
    allow(f.net, p.server.group, 80, "0.0.0.0/0");
    update(&f);
    struct connection c = connection_open(&f, &p.server, &p.client);
    CHECK(passes(c.client, c.server) && passes(c.server, c.client), "with the rules");
    drop_rules(&f, p.server.group, false);
    CHECK(!passes(c.client, c.server), "everybody was let in, and every answer out: cut at once");
    allow(f.net, p.server.group, 80, "0.0.0.0/0");
    update(&f);
    CHECK(catches_up(c.server), "the rule is back");
    drop_rules(&f, p.server.group, true);
    CHECK(!passes(c.server, c.client), "answers need the rule that lets them out");
    let_out(&f, p.server.group);
    CHECK(catches_up(c.client), "it is back");
    connection_close(&c);
    fixture_done(&f);
}

/* The client's side: its group lets everything out to everybody, and everybody in on every port. */
TEST(an_untracked_flow_ends_with_the_rule_of_its_sender)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct pair p = { neighbour(&f, "server", "10.1.0.20"), neighbour(&f, "client", "10.1.0.21") };
    allow(f.net, p.server.group, 80, "10.0.0.0/8");
    struct sg_rule everybody = { .protocol = PROTOCOL_TCP, .from = 0, .to = 65535, .cidr = cidr_lit("0.0.0.0/0") };
    CHECK(security_group_authorize(f.net, p.client.group, &everybody, 1, &err), "%s", err.text);
    update(&f);
    struct connection c = connection_open(&f, &p.server, &p.client);
    CHECK(passes(c.client, c.server) && passes(c.server, c.client), "with the rules");
    drop_rules(&f, p.server.group, false);
    CHECK(passes(c.client, c.server) && passes(c.server, c.client), "tracked for the server");
    drop_rules(&f, p.client.group, true);
    CHECK(!passes(c.client, c.server), "untracked for the client");
    let_out(&f, p.client.group);
    CHECK(catches_up(c.server), "the rule is back");
    drop_rules(&f, p.client.group, false);
    CHECK(!passes(c.server, c.client), "answers need the rule that lets them in");
    connection_close(&c);
    fixture_done(&f);
}

TEST(changes_lose_no_packet_of_other_flows)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct pair p = { neighbour(&f, "server", "10.1.0.20"), neighbour(&f, "client", "10.1.0.21") };
    struct place other = neighbour(&f, "other", "10.1.0.22");
    allow(f.net, p.server.group, 53, "10.0.0.0/8");
    struct err err = { 0 };
    struct sg_rule udp = { .protocol = PROTOCOL_UDP, .from = 53, .to = 53, .cidr = cidr_lit("10.0.0.0/8") };
    CHECK(security_group_authorize(f.net, p.server.group, &udp, 1, &err), "%s", err.text);
    update(&f);
    int server = socket_in(&f, p.server.instance, SOCK_DGRAM), client = socket_in(&f, p.client.instance, SOCK_DGRAM);
    struct sockaddr_in at = address_of(&f, p.server.instance, 53);
    REQUIRE(bind(server, (struct sockaddr *)&at, sizeof at) == 0);
    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    pid_t pid = fork(); /* sends without a pause while the network changes */
    REQUIRE(pid >= 0);
    if (pid == 0) {
        for (uint32_t i = 0; i < 3000; i++) {
            send(client, &i, sizeof i, 0);
            usleep(100);
        }
        _exit(0);
    }
    size_t n_changes = 0, n = 0;
    struct pollfd poll_server = { .fd = server, .events = POLLIN };
    for (;;) {
        if (n_changes < 30) {
            if (n_changes % 3 == 0) {
                allow(f.net, other.group, 1000 + (int)n_changes, "10.0.0.0/8");
            } else if (n_changes % 3 == 1) {
                struct route route = { .cidr = cidr_lit("192.0.2.0/24"),
                                       .gateway_id = network_vpc_igw(f.net, f.a.vpc->obj.id)->obj.id };
                CHECK(n_changes % 2 ? route_create(f.net, f.a.table, &route, &err)
                                    : route_delete(f.net, f.a.table, &route, &err),
                      "%s", err.text);
            } else {
                char ip[IP_STR_SIZE];
                snprintf(ip, sizeof ip, "10.1.1.%u", (unsigned)n_changes);
                run(f.net, &other, ip_lit(ip));
            }
            n_changes++;
            update(&f);
        }
        uint32_t number;
        while (recv(server, &number, sizeof number, MSG_DONTWAIT) == sizeof number) {
            CHECK(number == n, "packet %u is lost after %zu changes", (unsigned)n, n_changes);
            n = number + 1;
        }
        if (n_changes == 30 && poll(&poll_server, 1, 300) == 0) {
            break;
        }
    }
    CHECK(n == 3000, "%zu of 3000 packets", n);
    waitpid(pid, NULL, 0);
    close(server);
    close(client);
    fixture_done(&f);
}

TEST(instances_stop_start_and_end_while_live)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct pair p = { neighbour(&f, "server", "10.1.0.20"), neighbour(&f, "client", "10.1.0.21") };
    allow(f.net, p.server.group, 80, "10.0.0.0/8");
    update(&f);
    CHECK(answered(&f, &p.client, &p.server), "running");
    CHECK(instance_stop(f.net, p.server.instance, &err), "%s", err.text);
    update(&f);
    CHECK(live_namespace(f.live, p.server.instance->obj.id) < 0, "stopped: no machine");
    CHECK(!probe(&f, p.client.instance, p.server.instance, 80, NULL, false).arrived, "stopped");
    CHECK(answered(&f, &p.client, &f.a), "the others answer");
    CHECK(instance_start(f.net, p.server.instance, &err), "%s", err.text);
    update(&f);
    CHECK(answered(&f, &p.client, &p.server), "started again, with its private address");
    CHECK(instance_terminate(f.net, p.server.instance, &err), "%s", err.text);
    update(&f);
    CHECK(live_namespace(f.live, p.server.instance->obj.id) < 0 && answered(&f, &p.client, &f.a), "terminated");
    fixture_done(&f);
}

TEST_MAIN

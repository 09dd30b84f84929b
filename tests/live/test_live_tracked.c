/* Flows that are running while groups and machines change: real sockets in the instances' namespaces. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
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

/* ---- changes under a running flow ---------------------------------------------------------------------------------
 */
/* A process of its own sends without a pause, each packet once the one before has arrived: to a port that never
 * answers, so that each is new to the router and asked of all groups, and to one that does, both ways. */
struct flow {
    pid_t pid;
    int server[2], client[2]; /* sockets: the one without an answer, the one with */
    struct told {
        _Atomic uint64_t rounds, lost;
    } * told;
};
#define LOST_MS 2000 /* nothing is sent again, so what has not come by then will not */

static bool
arrives(int fd, uint64_t number, struct sockaddr_in *from)
{
    uint64_t got = UINT64_MAX;
    socklen_t size = sizeof *from;
    struct pollfd p = { .fd = fd, .events = POLLIN };
    while (poll(&p, 1, LOST_MS) == 1 && recvfrom(fd, &got, sizeof got, 0, (struct sockaddr *)from, &size) > 0) {
        if (got == number) {
            return true;
        }
    }
    return false;
}

static void
flow_run(const struct flow *flow)
{
    for (uint64_t i = 0;; i++) {
        struct sockaddr_in from = { 0 }, server = { 0 };
        for (int k = 0; k < 2; k++) {
            bool there = send(flow->client[k], &i, sizeof i, 0) == sizeof i && arrives(flow->server[k], i, &from);
            flow->told->lost += !there;
        }
        bool back = sendto(flow->server[1], &i, sizeof i, 0, (struct sockaddr *)&from, sizeof from) == sizeof i &&
                    arrives(flow->client[1], i, &server);
        flow->told->lost += !back;
        flow->told->rounds++;
    }
}

static struct flow
flow_start(struct fixture *f, const struct place *from, const struct place *to)
{
    struct flow flow = { .told = mmap(NULL, sizeof(struct told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                                      0) };
    REQUIRE(flow.told != MAP_FAILED);
    for (int k = 0; k < 2; k++) {
        struct sockaddr_in at = address_of(f, to->instance, 53 + k);
        flow.server[k] = socket_in(f, to->instance, SOCK_DGRAM);
        flow.client[k] = socket_in(f, from->instance, SOCK_DGRAM);
        REQUIRE(bind(flow.server[k], (struct sockaddr *)&at, sizeof at) == 0);
        REQUIRE(connect(flow.client[k], (struct sockaddr *)&at, sizeof at) == 0);
    }
    flow.pid = fork();
    REQUIRE(flow.pid >= 0);
    if (flow.pid == 0) {
        flow_run(&flow);
        _exit(0);
    }
    return flow;
}

/* Some more packets than before, however busy the machine is; how many were lost till now. */
static uint64_t
flow_goes_on(const struct flow *flow)
{
    uint64_t until = flow->told->rounds + 3;
    for (int i = 0; i < 60000 && flow->told->rounds < until; i++) {
        usleep(1000);
    }
    return flow->told->lost;
}

static void
flow_end(struct flow *flow)
{
    kill(flow->pid, SIGKILL);
    waitpid(flow->pid, NULL, 0);
    for (int k = 0; k < 2; k++) {
        close(flow->server[k]);
        close(flow->client[k]);
    }
    munmap(flow->told, sizeof *flow->told);
}

/* What changes: nothing of it says a word about the flow, though some of it is where the flow passes. */
struct scene {
    struct fixture *f;
    struct place from, to, other; /* the flow's ends, each in a subnet with an ACL; a third machine */
    struct network_acl *acl;      /* of the flow's end */
    struct network_acl *acl_other;
};

static void
change_rule(struct scene *s, int i, struct err *err)
{
    struct sg_rule rule = {
        .protocol = PROTOCOL_TCP, .from = 2000 + i, .to = 2000 + i, .cidr = cidr_lit("10.0.0.0/8")
    };
    security_group_authorize(s->f->net, i % 2 ? s->to.group : s->other.group, &rule, 1, err);
}

static void
change_rule_away(struct scene *s, int i, struct err *err)
{
    struct security_group *group = i % 2 ? s->to.group : s->other.group;
    const char *id = group->rules.items[group->rules.n - 1].id;
    security_group_revoke_ids(s->f->net, group, false, &id, 1, err);
}

static void
change_acl(struct scene *s, int i, struct err *err)
{
    struct nacl_entry entry = {
        .number = 5, .egress = i % 2, .protocol = PROTOCOL_ALL, .cidr = cidr_lit("198.51.100.0/24")
    };
    network_acl_add_entry(s->f->net, s->acl, &entry, err);
}

static void
change_acl_away(struct scene *s, int i, struct err *err)
{
    network_acl_delete_entry(s->f->net, s->acl, 5, i % 2, err);
}

/* The subnet gets an ACL that lets everything pass. */
static struct network_acl *
new_acl(struct scene *s, const struct subnet *subnet, struct err *err)
{
    const struct network_acl *old = network_subnet_acl(s->f->net, subnet);
    struct network_acl *acl = network_acl_create(s->f->net, s->to.vpc->obj.id, false, err);
    char id[ID_SIZE] = "";
    for (size_t i = 0; i < old->associations.n; i++) {
        if (strcmp(old->associations.items[i].subnet_id, subnet->obj.id) == 0) {
            snprintf(id, sizeof id, "%s", old->associations.items[i].id);
        }
    }
    for (int egress = 0; acl && egress < 2; egress++) {
        struct nacl_entry all = { .number = 100,
                                  .egress = egress,
                                  .action = NACL_ALLOW,
                                  .protocol = PROTOCOL_ALL,
                                  .cidr = cidr_lit("0.0.0.0/0") };
        network_acl_add_entry(s->f->net, acl, &all, err);
    }
    return acl && network_acl_replace_association(s->f->net, id, acl, err) ? acl : NULL;
}

/* To and fro. */
static void
change_subnet_acl(struct scene *s, int i, struct err *err)
{
    if (i % 2 == 0) {
        s->acl_other = new_acl(s, s->other.subnet, err);
        return;
    }
    char id[ID_SIZE];
    snprintf(id, sizeof id, "%s", s->acl_other->associations.items[0].id);
    network_acl_replace_association(s->f->net, id, s->acl, err);
}

static void
change_route(struct scene *s, int i, struct err *err)
{
    (void)i;
    struct route route = { .cidr = cidr_lit("192.0.2.0/24"),
                           .gateway_id = network_vpc_igw(s->f->net, s->from.vpc->obj.id)->obj.id };
    route_create(s->f->net, s->from.table, &route, err);
}

static void
change_route_away(struct scene *s, int i, struct err *err)
{
    (void)i;
    struct route route = { .cidr = cidr_lit("192.0.2.0/24") };
    route_delete(s->f->net, s->from.table, &route, err);
}

static void
change_membership(struct scene *s, int i, struct err *err)
{
    const char *groups[] = { s->other.group->obj.id, i % 2 ? s->to.group->obj.id : s->from.group->obj.id };
    eni_set_groups(s->f->net, instance_eni(s->f->net, s->other.instance, 0), groups, 1 + (size_t)(i % 2), err);
}

static void
change_tag(struct scene *s, int i, struct err *err)
{
    (void)err;
    object_set_tag(&s->other.instance->obj, "round", i % 2 ? "a" : "b");
    store_touch(network_store(s->f->net));
}

static void
change_stop(struct scene *s, int i, struct err *err)
{
    (void)i;
    instance_stop(s->f->net, s->other.instance, err);
}

static void
change_start(struct scene *s, int i, struct err *err)
{
    (void)i;
    instance_start(s->f->net, s->other.instance, err);
}

static void
change_instances(struct scene *s, int i, struct err *err)
{
    (void)i, (void)err;
    run(s->f->net, &s->other, (struct ip){ 0 });
}

static void
change_subnets(struct scene *s, int i, struct err *err)
{
    struct subnet_spec spec = { .vpc_id = s->to.vpc->obj.id,
                                .cidr = { .ip = ip_v4(0x0a040800u + (uint32_t)i * 256), .bits = 24 } };
    subnet_create(s->f->net, &spec, err);
}

static struct place
scene_place(struct network *net)
{
    struct place p = { .vpc = model_vpc(net, "10.4.0.0/16", false) };
    p.subnet = model_subnet(net, p.vpc, "10.4.1.0/24");
    model_igw(net, p.vpc);
    p.table = network_subnet_route_table(net, p.subnet);
    return p;
}

/* Live, and udp may come to 'to'. */
static struct scene
scene_new(struct fixture *f)
{
    struct err err = { 0 };
    struct network *net = f->net = model_new();
    struct place a = scene_place(net);
    struct scene s = { .f = f, .from = a, .to = a, .other = a };
    s.to.subnet = model_subnet(net, a.vpc, "10.4.2.0/24");
    s.other.subnet = model_subnet(net, a.vpc, "10.4.3.0/24");
    struct place *const ends[] = { &s.from, &s.to, &s.other };
    static const char *const names[] = { "from", "to", "other" };
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        ends[i]->group = security_group_create(net, a.vpc->obj.id, names[i], names[i], &err);
        REQUIRE(ends[i]->group, "%s", err.text);
        ends[i]->instance = run(net, ends[i], (struct ip){ 0 });
    }
    struct sg_rule udp = { .protocol = PROTOCOL_UDP, .from = 53, .to = 54, .cidr = cidr_lit("10.0.0.0/8") };
    CHECK(security_group_authorize(net, s.to.group, &udp, 1, &err), "%s", err.text);
    f->live = live_start(net, NULL, &err);
    REQUIRE(f->live, "%s", err.text);
    return s;
}

TEST(changes_lose_no_packet_of_other_flows)
{
    LAB_OR_SKIP();
    static const struct {
        const char *what;
        void (*make)(struct scene *s, int i, struct err *err);
    } changes[] = {
        { "a rule", change_rule },
        { "a rule less", change_rule_away },
        { "an ACL entry", change_acl },
        { "an ACL entry less", change_acl_away },
        { "a route", change_route },
        { "a route less", change_route_away },
        { "a membership", change_membership },
        { "the ACL of the subnet", change_subnet_acl },
        { "a tag", change_tag },
        { "a stop", change_stop },
        { "a start", change_start },
        { "an instance more", change_instances },
        { "a subnet more", change_subnets },
    };
    struct err err = { 0 };
    struct fixture f = { 0 };
    struct scene s = scene_new(&f);
    struct network *net = f.net;
    s.acl = new_acl(&s, s.to.subnet, &err); /* which the other subnets have not */
    REQUIRE(s.acl && live_update(f.live, net, &err), "%s", err.text);
    struct flow flow = flow_start(&f, &s.from, &s.to);
    CHECK_INT(flow_goes_on(&flow), 0, "before any change");
    for (int round = 0; round < 3; round++) {
        for (size_t c = 0; c < ARRAY_SIZE(changes); c++) {
            changes[c].make(&s, round, &err);
            CHECK_OK(&err, "%s, round %d", changes[c].what, round);
            CHECK(live_update(f.live, net, &err), "%s: %s", changes[c].what, err.text);
            CHECK_INT(flow_goes_on(&flow), 0, "lost by %s, round %d", changes[c].what, round);
        }
    }
    /* The control: such a change where it does say something about the flow. */
    struct nacl_entry entry = {
        .number = 5, .protocol = PROTOCOL_UDP, .has_ports = true, .ports = { 53, 53 }, .cidr = cidr_lit("10.4.1.0/24")
    };
    CHECK(network_acl_add_entry(net, s.acl, &entry, &err) && live_update(f.live, net, &err), "%s", err.text);
    for (int i = 0; i < 30000 && !flow.told->lost; i++) {
        usleep(1000);
    }
    CHECK(flow.told->lost > 0, "an ACL entry that denies it loses packets");
    flow_end(&flow);
    fixture_done(&f);
}

/* ---- changes of what a flood goes through -------------------------------------------------------------------------
 */
/* Another process sends to a port that nobody has; the receiver's kernel counts what comes. */
struct flood {
    pid_t pid;
    struct sent {
        _Atomic bool stop;
        _Atomic uint64_t packets;
    } * sent;
};

static struct flood
flood_start(struct fixture *f, const struct place *from, const struct place *to)
{
    struct flood flood = { .sent = mmap(NULL, sizeof(struct sent), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                                        -1, 0) };
    REQUIRE(flood.sent != MAP_FAILED);
    struct sockaddr_in at = address_of(f, to->instance, 53);
    int fd = socket_in(f, from->instance, SOCK_DGRAM);
    flood.pid = fork();
    REQUIRE(flood.pid >= 0);
    while (flood.pid == 0) {
        flood.sent->packets += sendto(fd, "", 1, 0, (struct sockaddr *)&at, sizeof at) == 1;
        if (flood.sent->stop) {
            _exit(0);
        }
    }
    close(fd);
    return flood;
}

static uint64_t
flood_end(struct flood *flood)
{
    flood->sent->stop = true;
    waitpid(flood->pid, NULL, 0);
    uint64_t packets = flood->sent->packets;
    munmap(flood->sent, sizeof *flood->sent);
    return packets;
}

/* What came to ports that nobody has. */
static uint64_t
received(struct fixture *f, const struct instance *instance)
{
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    REQUIRE(setns(live_namespace(f->live, instance->obj.id), CLONE_NEWNET) == 0);
    FILE *file = fopen("/proc/thread-self/net/snmp", "r");
    REQUIRE(setns(home, CLONE_NEWNET) == 0 && file);
    char line[512];
    uint64_t n = 0;
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "Udp: %*u %" SCNu64, &n);
    }
    fclose(file);
    close(home);
    return n;
}

/* Each change brings chains that the packets of the flood go through from then on, and they allow what those before
 * did.
 */
TEST(new_chains_lose_no_packet)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = { 0 };
    struct scene s = scene_new(&f);
    struct flood flood = flood_start(&f, &s.from, &s.to);
    for (int round = 0; round < 40; round++) {
        struct network_acl *before = (struct network_acl *)(uintptr_t)network_subnet_acl(f.net, s.from.subnet);
        REQUIRE(new_acl(&s, s.from.subnet, &err) && live_update(f.live, f.net, &err), "%s", err.text);
        CHECK(round == 0 || network_acl_delete(f.net, before, &err), "%s", err.text);
        const char *groups[] = { s.to.group->obj.id, s.other.group->obj.id };
        REQUIRE(
            eni_set_groups(f.net, instance_eni(f.net, s.to.instance, 0), groups, 1 + (size_t)(round % 2 == 0), &err) &&
                live_update(f.live, f.net, &err),
            "%s", err.text);
    }
    uint64_t sent = flood_end(&flood);
    CHECK(sent == received(&f, s.to.instance), "%" PRIu64 " of %" PRIu64, received(&f, s.to.instance), sent);
    CHECK(sent > 100, "%" PRIu64, sent);
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

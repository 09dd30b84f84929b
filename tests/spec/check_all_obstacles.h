/* tests/spec/check_all_obstacles.h - what `reach --all` lists, against the plain reading: in a copy of the network in
 * which each listed obstacle is mended, by a rule for that very packet and nothing else, the packet arrives and is
 * answered; and where the mends are in groups and ACLs of their own, with any one of them left out it does not.
 *
 * Filters alone can be mended so; where something else stands in the way there is nothing to check. */
#pragma once
#include "cloud/shrink.h"
#include "netsim/analysis/mended.h"
#include "netsim/analysis/question.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/security_group.h"
#include "tests/spec/plain_ask.h"
#include "tests/test.h"

#define OBSTACLES_MOST 16

struct all_counts {
    size_t listed, mended, balanced, needed; /* lists; of filters alone; past balancers; obstacles left out */
};

struct obstacle_mend {
    const char *id; /* of the group or ACL */
    bool acl, egress;
    struct packet packet;
};

/* False: no filter, or an interface without groups. */
static bool
mend_of(const struct walk *no, struct obstacle_mend *mend)
{
    bool group = no->stop == STOP_SG_EGRESS || no->stop == STOP_SG_INGRESS;
    *mend = (struct obstacle_mend){ .packet = no->packet,
                                    .acl = !group,
                                    .egress = no->stop == STOP_SG_EGRESS || no->stop == STOP_NACL_EGRESS ||
                                              no->stop == STOP_CLB_ACL };
    if (group) {
        mend->id = no->eni && no->eni->groups.n ? no->eni->groups.items[0].id : NULL;
        return mend->id && store_get(network_store(no->net), &security_group_kind, mend->id);
    }
    bool acl = no->stop == STOP_NACL_EGRESS || no->stop == STOP_NACL_INGRESS || no->stop == STOP_CLB_ACL;
    const struct network_acl *of = acl && no->subnet ? network_subnet_acl(no->net, no->subnet) : NULL;
    mend->id = of ? of->obj.id : NULL;
    return of != NULL;
}

static void
mend_group(struct network *net, const struct obstacle_mend *mend)
{
    struct security_group *group = store_get(network_store(net), &security_group_kind, mend->id);
    const struct packet *p = &mend->packet;
    bool icmp = p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6;
    bool ports = p->protocol == PROTOCOL_TCP || p->protocol == PROTOCOL_UDP;
    *VEC_ADD(&group->rules) = (struct sg_rule){ .egress = mend->egress,
                                                .protocol = p->protocol,
                                                .from = icmp    ? p->icmp_type
                                                        : ports ? p->dst_port
                                                                : -1,
                                                .to = icmp    ? p->icmp_code
                                                      : ports ? p->dst_port
                                                              : -1,
                                                .cidr = cidr_host(mend->egress ? &p->dst : &p->src) };
}

/* Before all others. */
static void
mend_acl(struct network *net, const struct obstacle_mend *mend)
{
    struct network_acl *acl = store_get(network_store(net), &network_acl_kind, mend->id);
    const struct packet *p = &mend->packet;
    const struct ip *peer = mend->egress ? &p->dst : &p->src;
    struct nacl_entry entry = { .egress = mend->egress, .action = NACL_ALLOW, .protocol = p->protocol };
    *(peer->family == IP_V6 ? &entry.cidr6 : &entry.cidr) = cidr_host(peer);
    entry.has_ports = p->protocol == PROTOCOL_TCP || p->protocol == PROTOCOL_UDP;
    entry.has_icmp = p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6;
    entry.ports = (struct nacl_port_range){ p->dst_port, p->dst_port };
    entry.icmp = (struct nacl_icmp){ .type = p->icmp_type, .code = p->icmp_code };
    VEC_ADD(&acl->entries);
    memmove(&acl->entries.items[1], &acl->entries.items[0], (acl->entries.n - 1) * sizeof entry);
    acl->entries.items[0] = entry;
}

/* Does it arrive, and is it answered if it can be, with all mends but the one at 'without'? */
static bool
passes_with(const struct network *net, const struct flow_spec *flow, const struct packet *sent,
            const struct obstacle_mend *mends, size_t n, size_t without, bool *balanced)
{
    struct id_gen ids = { 0 };
    struct clock clock = { 0 };
    struct network *copy = network_new(&ids, &clock);
    json_t *json = shrink_save(net);
    REQUIRE(shrink_load(copy, json), "a network cannot be read again");
    json_decref(json);
    for (size_t i = 0; i < n; i++) {
        if (i != without) {
            (mends[i].acl ? mend_acl : mend_group)(copy, &mends[i]);
        }
    }
    store_touch(network_store(copy));
    struct plain w = plain_ask(copy, flow, sent);
    bool passes = !w.why && strcmp(plain_ask_answer(&w, flow, sent), "blocked") != 0;
    *balanced = w.n_lb_memory > 0;
    network_free(copy);
    return passes;
}

static bool
on_their_own(const struct obstacle_mend *mends, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(mends[i].id, mends[j].id) == 0) {
                return false;
            }
        }
    }
    return true;
}

/* The mends of all obstacles there and back; 0: none is listed, or not by rules alone. */
static size_t
mends_of(const struct question *question, struct packet *sent, struct obstacles lists[2], struct obstacle_mend *mends)
{
    struct question q = *question;
    struct session session = { 0 };
    struct walk forward, back = { 0 };
    size_t n = 0;
    q.mended = &lists[0];
    question_walk(&q, &session, &forward);
    q.mended = &lists[1];
    bool answered = forward.arrived && question_walk_back(&q, &forward, &session, &back);
    bool good = forward.arrived && (!answered || back.arrived);
    *sent = forward.start;
    for (int way = 0; way < 2; way++) {
        for (size_t i = 0; good && i < lists[way].items.n; i++) {
            good = n < OBSTACLES_MOST && mend_of(&lists[way].items.items[i], &mends[n]);
            n += good;
        }
    }
    walk_done(&forward);
    walk_done(&back);
    session_done(&session);
    return good ? n : 0;
}

static void
check_all_obstacles(const struct network *net, const struct flow_spec *flow, uint64_t seed, struct all_counts *counts)
{
    struct err err = { 0 };
    struct question question;
    struct obstacles lists[2];
    struct obstacle_mend mends[OBSTACLES_MOST];
    struct packet sent;
    memset(lists, 0, sizeof lists);
    if (!question_init(net, flow, &question, &err)) {
        return;
    }
    size_t n = mends_of(&question, &sent, lists, mends);
    counts->listed += lists[0].items.n + lists[1].items.n > 0;
    if (n > 0) {
        bool balanced;
        bool passes = passes_with(net, flow, &sent, mends, n, n, &balanced);
        CHECK(passes, "seed %" PRIu64 ": %s -> %s %s: %zu mended, and it does not pass", seed, flow->from.id,
              flow->to.id, flow_str(&sent), n);
        counts->mended++;
        counts->balanced += balanced;
        for (size_t i = 0; passes && on_their_own(mends, n) && i < n; i++) {
            counts->needed++;
            CHECK(!passes_with(net, flow, &sent, mends, n, i, &balanced),
                  "seed %" PRIu64 ": %s -> %s %s: it passes without the mend of %s", seed, flow->from.id, flow->to.id,
                  flow_str(&sent), mends[i].id);
        }
    }
    obstacles_done(&lists[0]);
    obstacles_done(&lists[1]);
}

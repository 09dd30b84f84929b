/* netsim/analysis/reach.h - may this packet arrive, by which way, and who says so?
 *
 * One packet is walked hop by hop through the model (walk.h) and back; the answer is a path in the vocabulary of AWS's Reachability
 * Analyzer (PathComponent, Explanation).  No kernel, no packets: live/ builds the same model for real and must agree.
 * Sources: https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html, API_PathComponent, API_Explanation
 *
 * Uses: netsim/model.   Used by: cloud/ops_reach.c (reach, batch), cloud/ops_lab.c (verify). */
#pragma once
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"

/* One end of a question.  At most one of the members says what it is. */
enum flow_end_kind {
    FLOW_END_NONE, FLOW_END_INSTANCE, FLOW_END_ENI, FLOW_END_INTERNET, FLOW_END_IP, FLOW_END_GATEWAY, FLOW_END_VPCE
};
struct flow_end {
    enum flow_end_kind kind;
    char id[ID_SIZE]; /* INSTANCE, ENI, GATEWAY (igw-, nat-, vgw-, tgw-..), VPCE */
    struct ip ip;     /* IP */
};
/* What the id stands for, by its prefix; false: nothing that sends or receives. */
bool flow_end_of_id(const char *id, struct flow_end *end);
struct flow_spec {
    struct flow_end from, to;
    int protocol;         /* IP protocol number; PROTOCOL_ALL is not a packet: refused */
    int src_port, dst_port; /* -1: an ephemeral port (40000) / whichever gets through: reach_any_port() */
    int icmp_type, icmp_code; /* -1: echo request / code 0 */
    struct ip src_ip, dst_ip; /* overrides; IP_NONE: primary private address of the end (public when it comes from the internet) */
    bool ends_at_balancer; /* the packet arrives at a balancer's interface if a listener takes it: where it goes on from there is another question */
    bool ends_at_application; /* likewise at an application balancer behind a network one; of 'receivers' it is by the interface of its node */
    bool health_check; /* the balancer itself asks whether its target answers: not what it carries */
    bool interfaces_alone; /* an end named as an interface counts without its instance: whether that runs is not asked, as in AWS */
    const char *receiver; /* behind a load balancer, the instance whose way to show if it is among the receivers; NULL: the first */
    struct ip receiver_src; /* of its ways, by several target groups, that on which it sees this client, IP_NONE: any, */
    int receiver_port;      /* at this port, 0: any */
    bool all_obstacles;   /* the words are of a walk past every obstacle, as if each were mended; verdict and codes stay of the first */
    int family;           /* IP_V4 (0 too) or IP_V6, when no address tells */
};
/* The packet's header at one place. */
struct packet {
    struct ip src, dst;
    int protocol, src_port, dst_port, icmp_type, icmp_code;
};
/* The packet that answers 'packet'.  False: nothing answers it (an ICMP error, an echo reply). */
bool packet_answer(const struct packet *packet, struct packet *answer);
enum reach_reply { REPLY_UNKNOWN, REPLY_ALLOWED, REPLY_BLOCKED };

typedef VEC(char *) id_list; /* owned */
struct reach_result {
    bool reachable;             /* the one packet gets there */
    enum reach_reply reply;     /* may the answer come back? only when reachable */
    bool path_found;            /* AWS's NetworkPathFound: reachable, and for TCP the reply as well */
    const char *why;            /* reason word of the vectors ("sg-ingress"), static; NULL when reachable */
    const char *codes[4];       /* AWS explanation codes, the best first; static; NULL-terminated */
    const char *reply_why, *reply_codes[4]; /* the same for an answer that is blocked */
    struct packet sent, arrives; /* as it set out; as seen at the far end (or where it stopped), after translation */
    id_list receivers;          /* behind a load balancer: every target that gets the packet (instance id, else address) */
    id_list path;               /* ids crossed, as vectors/net describes: instance, subnet, gateway, vpc ... */
    json_t *forward, *back;     /* arrays of PathComponent */
    json_t *explanations;       /* array of Explanation; empty when reachable and the answer comes back */
    json_t *obstacles;          /* all_obstacles: [{Direction, ExplanationCode, Component, Reason, Hint}]; else NULL */
    json_t *steps;              /* our own reading of both ways: [{Direction, Component, Id, Name, Verdict, Text, Rules}] */
    char *reason, *hint;        /* what decided a no, as one sentence, and the command that would mend it; NULL */
};
void reach_result_done(struct reach_result *result);

/* Answers 'flow'.  False only when the question cannot be asked: InvalidInstanceID.NotFound and friends, InvalidParameterValue
 * (protocol, an end without address of the family).  'result' is zeroed memory; call reach_result_done() after success.
 * 'want_components' false skips the JSON members (for millions of questions). */
bool reach(const struct network *net, const struct flow_spec *flow, bool want_components, struct reach_result *result,
           struct err *err);

/* The same for a flow of tcp or udp without a destination port: AWS then takes any port that gets through.  Tries one port of every range
 * between the bounds that rules name, so a no is a no for all 65,536; 'result' is of the lowest port that passes, else of 'otherwise'.
 * reach() does this by itself when dst_port is -1. */
int reach_any_port(const struct network *net, const struct flow_spec *flow, int otherwise);

const char *flow_str(const struct packet *packet); /* "tcp/443", "icmp 8/0", "udp"; rotating buffer */

/* One packet against one group, ACL or the groups of one interface (id tells), as rules only. */
bool filter_permits(const struct network *net, const char *id, bool egress, const struct packet *packet, bool *permits,
                    struct err *err);

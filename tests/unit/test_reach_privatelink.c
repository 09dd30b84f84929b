/* Endpoint services on tests/reach/privatelink/network.json: vpc-c connects to services of vpc-p, whose addresses are
 * the same; a Network Load Balancer with nodes in two zones stands behind each.  vpc-g sends everything through an
 * endpoint of the Gateway Load Balancer in vpc-s. */
#include "netsim/model/private_service.h"
#include "tests/unit/reach_ask.h"

#define NETWORK "tests/reach/privatelink/network.json"
#define OUT     "\"internet\": true"

static const struct reach_case cases[] = {
    /* endpoint, service, node, target: and back */
    { I("i-c1"), V("vpce-1"), PORT(443), "reachable allowed" },
    { I("i-c1"), E("eni-e10"), PORT(443), "reachable allowed" },
    { I("i-c1"), IP("10.0.1.100"), PORT(443), "reachable allowed" },
    { I("i-c1"), I("i-t1"), ", \"dstIp\": \"10.0.1.100\"" PORT(443), "reachable allowed" },
    { I("i-c1"), I("i-t2"), ", \"dstIp\": \"10.0.1.100\"" PORT(443), "other-destination NO_POSSIBLE_DESTINATION" },
    /* the endpoint's groups, the listener, the node's groups: they see the client's address */
    { I("i-c1"), V("vpce-1"), PORT(9000), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-c1"), V("vpce-2"), PORT(80), "lb-no-listener ELBV2_LISTENERS_MISMATCH" },
    { I("i-c1"), V("vpce-1"), PORT(80), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-c2"), V("vpce-1"), PORT(443), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-c2"), V("vpce-1"), ", \"dstIp\": \"10.0.1.100\"" PORT(443), "sg-ingress ENI_SG_RULES_MISMATCH" },
    /* the service by name, which is its endpoint in the VPC of who asks; and what its balancers send */
    { I("i-c1"), V("vpce-svc-1"), PORT(443), "reachable allowed" },
    { I("i-c1"), V("vpce-svc-1"), PORT(9000), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-c1"), V("vpce-svc-2"), PORT(80), "lb-no-listener ELBV2_LISTENERS_MISMATCH" },
    { I("i-c1"), V("vpce-svc-3"), PORT(443), "vpce-zone VPCE_SERVICE_NOT_INSTALLED_IN_AZ" },
    { I("i-g"), V("vpce-svc-4"), PORT(443), "reachable allowed" },
    { V("vpce-svc-4"), I("i-fw"), ", \"protocol\": \"udp\"" PORT(6081), "reachable allowed" },
    { V("vpce-svc-4"), I("i-fw"), PORT(80), "gwlb-protocol GWLB_PROTOCOL_RESTRICTION" },
    /* that groups without a rule do not stand in the way when they are not to be asked */
    { I("i-c1"), V("vpce-2"), PORT(443), "reachable allowed" },
    { I("i-c2"), V("vpce-2"), PORT(443), "reachable allowed" },
    { I("i-c2"), V("vpce-3"), PORT(443), "reachable allowed" }, /* a balancer without groups: its addresses are named */
    /* a zone without a node; a connection that was rejected */
    { I("i-c1"), V("vpce-3"), PORT(443), "vpce-zone VPCE_SERVICE_NOT_INSTALLED_IN_AZ" },
    { I("i-c1"), V("vpce-4"), PORT(443), "gateway-state BAD_STATE" },
    /* nothing else joins the two VPCs, and nothing is opened backwards */
    { I("i-c1"), IP("10.0.10.10"), PORT(8443), "no-such-address NO_POSSIBLE_DESTINATION" },
    { V("vpce-1"), I("i-c1"), PORT(22), "vpce-unsolicited VPCE_INTRA_VPC_TRAFFIC" },
    /* through an endpoint of a Gateway Load Balancer, both ways */
    { OUT, I("i-g"), PORT(443), "reachable allowed" },
    { OUT, I("i-g"), PORT(80), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { OUT, I("i-g"), PORT(8080), "nacl-ingress SUBNET_ACL_RESTRICTION" }, /* of the endpoint's subnet */
    { I("i-g"), OUT, PORT(443), "reachable allowed" },
    { I("i-g"), V("vpce-gw"), PORT(443), "reachable allowed" },
    { V("vpce-gw"), I("i-g"), PORT(443), "reachable allowed" },
    /* the balancer itself speaks GENEVE to its targets */
    { E("eni-gw-s1"), I("i-fw"), ", \"protocol\": \"udp\"" PORT(6081), "reachable allowed" },
    { E("eni-gw-s1"), I("i-fw"), PORT(80), "gwlb-protocol GWLB_PROTOCOL_RESTRICTION" },
    { E("eni-gw-s1"), I("i-fw"), ", \"protocol\": \"udp\"" PORT(53), "gwlb-port GWLB_DESTINATION_PORT_RESTRICTION" },
};

TEST(services_behind_endpoints)
{
    ask_cases(NETWORK, cases, ARRAY_SIZE(cases));
}

static void
check_path(const json_t *answer, const char *const *ids)
{
    const json_t *path = json_object_get(answer, "path");
    size_t at = 0;
    for (; *ids; ids++) {
        while (at < json_array_size(path) && strcmp(json_string_value(json_array_get(path, at)), *ids) != 0) {
            at++;
        }
        char *all = json_dumps(path, 0);
        CHECK(at++ < json_array_size(path), "%s is not on the path %s, or too early", *ids, all);
        free(all);
    }
}

TEST(the_target_sees_the_nodes_address)
{
    struct lab lab;
    lab_init(&lab, NETWORK);
    json_t *a = ask(lab.net, I("i-c1"), V("vpce-1"), PORT(443)), *arrives = json_object_get(a, "arrives");
    CHECK_STR(json_str(arrives, "srcIp"), "10.0.10.100");
    CHECK_STR(json_str(arrives, "dstIp"), "10.0.10.10");
    CHECK_INT(json_int(arrives, "dstPort", 0), 8443);
    CHECK_INT(json_array_size(json_object_get(a, "lbTargets")), 1); /* i-t2 is in the other zone */
    check_path(a, (const char *const[]){ "i-c1", "eni-e10", "vpce-1", "vpce-svc-1", "eni-svc-p1", "i-t1", NULL });
    json_decref(a);
    lab_done(&lab);
}

TEST(a_gateway_balancer_changes_nothing)
{
    struct lab lab;
    lab_init(&lab, NETWORK);
    json_t *a = ask(lab.net, OUT, I("i-g"), PORT(443));
    CHECK_STR(json_str(json_object_get(a, "arrives"), "srcIp"), "8.8.8.8");
    check_path(a, (const char *const[]){ "igw-g", "vpce-gw", "subnet-ge", "subnet-g1", "i-g", NULL });
    json_decref(a);
    a = ask(lab.net, I("i-g"), OUT, PORT(443));
    check_path(a, (const char *const[]){ "i-g", "subnet-g1", "vpce-gw", "igw-g", NULL });
    json_decref(a);
    lab_done(&lab);
}

static const char *const principals[] = { "*", "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:user/ann",
                                          "arn:aws:iam::444455556666:role/app" };

/* Its own account, everybody, an account's root for all of the account, or the very user or role. */
static bool
plainly_admitted(const struct private_service *service, const char *account, const char *arn)
{
    bool admitted = strcmp(account, service->obj.account) == 0;
    for (size_t i = 0; i < service->principals.n; i++) {
        const char *p = service->principals.items[i].arn;
        bool whole = strstr(p, account) && strcmp(strrchr(p, ':'), ":root") == 0;
        admitted = admitted || *p == '*' || whole || (arn && strcmp(p, arn) == 0);
    }
    return admitted;
}

/* One connection by lot: who asks, whom the service permits, whether its owner must agree. */
static void
check_connection(struct lab *lab, struct id_gen *lot)
{
    static const char *const accounts[] = { "123456789012", "111122223333", "444455556666" };
    struct private_service *service = store_get(network_store(lab->net), &private_service_kind, "vpce-svc-2");
    struct err err = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(principals); i++) {
        private_service_forbid(lab->net, service, principals[i], &(struct err){ 0 });
        if (id_random_below(lot, 4) == 0) {
            REQUIRE(private_service_permit(lab->net, service, principals[i], &err), "%s", err.text);
        }
    }
    const char *account = accounts[id_random_below(lot, 3)], *who = principals[id_random_below(lot, 4)];
    who = strstr(who, account) && !strstr(who, ":root") ? who : NULL;
    service->acceptance_required = id_random_below(lot, 2);
    strcpy(service->obj.account, "123456789012");
    network_set_owner(lab->net, account, "us-east-1");
    struct vpc *vpc = store_get(network_store(lab->net), &vpc_kind, "vpc-c");
    strcpy(vpc->obj.account, account);
    const struct endpoint_spec spec = { .vpc_id = "vpc-c",
                                        .service_name = service->name,
                                        .principal = who,
                                        .type = ENDPOINT_INTERFACE,
                                        .subnets = (const char *const[]){ "subnet-c1" },
                                        .groups = (const char *const[]){ "sg-ep" },
                                        .n_subnets = 1,
                                        .n_groups = 1 };
    struct endpoint *e = endpoint_create(lab->net, &spec, &err);
    CHECK((e != NULL) == plainly_admitted(service, account, who), "%s %s: %s", account, who ? who : "", err.text);
    if (e) {
        char to[80];
        snprintf(to, sizeof to, "\"eni\": \"%s\"", e->eni_ids.items[0]);
        json_t *a = ask(lab->net, I("i-c1"), to, PORT(443));
        const char *why = json_str(a, "why");
        CHECK_STR(why ? why : json_str(a, "verdict"), service->acceptance_required ? "gateway-state" : "reachable");
        json_decref(a);
        endpoint_delete(lab->net, e);
    }
}

TEST(who_is_admitted_connects_and_waits_where_the_owner_must_agree)
{
    struct lab lab;
    struct id_gen lot;
    id_gen_seed(&lot, 11);
    lab_init(&lab, NETWORK);
    for (int i = 0; i < 400; i++) {
        check_connection(&lab, &lot);
    }
    lab_done(&lab);
}

TEST_MAIN

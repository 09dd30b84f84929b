/* Interface endpoints as dumps show them, asked as `reach --batch` is asked, on tests/reach/endpoints/network.json:
 * vpc-1 with subnets in three zones peers with vpc-2; endpoints with and without policy, private DNS, groups, in one
 * subnet or several, with members missing. */
#include "netsim/model/endpoint.h"
#include "netsim/model/instance.h"
#include "netsim/model/route_table.h"
#include "tests/unit/lab_story.h"
#include "tests/unit/reach_ask.h"

static const struct reach_case cases[] = {
    /* two subnets: the one near the sender answers, the other can be named */
    { I("i-a"), V("vpce-sts"), PORT(443), "reachable allowed" },
    { I("i-b"), V("vpce-sts"), PORT(443), "reachable allowed" },
    { I("i-a"), E("eni-sts-b"), PORT(443), "reachable allowed" },
    { I("i-a"), V("vpce-sts"), ", \"dstIp\": \"10.0.2.50\"" PORT(443), "reachable allowed" },
    { I("i-a"), IP("10.0.2.50"), PORT(443), "reachable allowed" },
    { I("i-a"), V("vpce-sts"), ", \"dstIp\": \"10.0.2.51\"" PORT(443), "no-such-address NO_POSSIBLE_DESTINATION" },
    /* its groups, whoever asks and from where */
    { I("i-a"), V("vpce-sts"), PORT(80), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-p"), V("vpce-sts"), PORT(443), "reachable allowed" }, /* across the peering connection */
    { I("i-p"), V("vpce-bare"), PORT(80), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-a"), V("vpce-kms"), PORT(443), "sg-ingress ENI_SG_RULES_MISMATCH" }, /* names a group the sender lacks */
    /* the ACL of its subnet */
    { I("i-b"), V("vpce-kms"), PORT(443), "nacl-ingress SUBNET_ACL_RESTRICTION" },
    /* members missing: type, interfaces, VPC, groups of the interface; an interface whose endpoint is not in the dump
     */
    { I("i-a"), V("vpce-bare"), PORT(443), "reachable allowed" },
    { I("i-a"), E("eni-bare"), PORT(443), "reachable allowed" },
    { I("i-a"), V("vpce-loose"), PORT(443), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-a"), E("eni-orphan"), PORT(443), "reachable allowed" },
    { I("i-a"), E("eni-orphan"), PORT(22), "sg-ingress ENI_SG_RULES_MISMATCH" },
    /* state: a connection that its service has not accepted carries nothing */
    { I("i-a"), V("vpce-wait"), PORT(443), "gateway-state BAD_STATE" },
    { I("i-a"), E("eni-wait"), PORT(443), "gateway-state BAD_STATE" },
    { I("i-a"), V("vpce-far"), PORT(443), "reachable allowed" }, /* a service of an account that is not here */
    /* endpoints answer and open nothing, however they are named */
    { V("vpce-sts"), I("i-a"), PORT(22), "vpce-unsolicited VPCE_INTRA_VPC_TRAFFIC" },
    { E("eni-sts-a"), I("i-a"), PORT(22), "vpce-unsolicited VPCE_INTRA_VPC_TRAFFIC" },
    { E("eni-bare"), I("i-p"), PORT(22), "vpce-unsolicited VPCE_INTRA_VPC_TRAFFIC" },
    /* from outside nobody comes to a private address */
    { "\"internet\": true", E("eni-sts-a"), PORT(443), "no-public-ip IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS" },
};

TEST(interface_endpoints_of_a_dump)
{
    ask_cases("tests/reach/endpoints/network.json", cases, ARRAY_SIZE(cases));
}

TEST(what_a_record_lacks_its_interfaces_tell)
{
    struct lab lab;
    lab_init(&lab, "tests/reach/endpoints/network.json");
    const struct endpoint *bare = store_get(network_store(lab.net), &endpoint_kind, "vpce-bare");
    CHECK_STR(bare->type, "Interface");
    CHECK_STR(bare->vpc_id, "vpc-1");
    CHECK_INT(bare->eni_ids.n, 1);
    CHECK_STR(bare->subnet_ids.items[0], "subnet-b");
    const struct eni *loose = store_get(network_store(lab.net), &eni_kind, "eni-loose");
    CHECK_INT(loose->groups.n, 1);
    lab_done(&lab);
}

/* "Gateway endpoints ... TCP", and echo requests with their answers; from interfaces of the VPC that a route leads to
 * it. */
TEST(a_gateway_endpoint_carries_tcp_and_echoes)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    static const struct step steps[] = {
        { "ec2 create-vpc --cidr-block 10.0.0.0/16 --amazon-provided-ipv6-cidr-block --tag-specifications "
          "ResourceType=vpc,Tags=[{Key=Name,Value=main}]",
          "", "" },
        { "ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --tag-specifications "
          "ResourceType=subnet,Tags=[{Key=Name,Value=private}]",
          "", "" },
        { "ec2 create-route-table --vpc-id main --tag-specifications "
          "ResourceType=route-table,Tags=[{Key=Name,Value=table}]",
          "", "" },
        { "ec2 associate-route-table --route-table-id table --subnet-id private", "", "" },
        { "ec2 run-instances --image-id ami-12345678 --subnet-id private --private-ip-address 10.0.1.10 "
          "--tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=web}]",
          "", "" },
        { "ec2 create-vpc-endpoint --vpc-id main --service-name com.amazonaws.us-east-1.s3 --route-table-ids table", "",
          "" },
    };
    TELL(cloud, steps);
    char id[ID_SIZE], web[ID_SIZE + 16];
    REQUIRE(cloud_resolve(cloud, NULL, "web", id, &err), "%s", err.text);
    snprintf(web, sizeof web, "\"instance\": \"%s\"", id);
    static const struct {
        const char *packet, *answer;
    } packets[] = {
        { PORT(443), "reachable allowed" },
        { PORT(22), "reachable allowed" },
        { ", \"protocol\": \"udp\"" PORT(443), "vpce-protocol VPCE_GATEWAY_PROTOCOL_RESTRICTION" },
        { ", \"protocol\": \"icmp\"", "reachable allowed" },
        { ", \"protocol\": \"icmp\", \"icmpType\": 0", "reachable -" },
        { ", \"protocol\": \"icmp\", \"icmpType\": 3", "vpce-protocol VPCE_GATEWAY_PROTOCOL_RESTRICTION" },
        { ", \"protocol\": \"47\"", "vpce-protocol VPCE_GATEWAY_PROTOCOL_RESTRICTION" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
        check_case(cloud->net, &(struct reach_case){ web, IP("52.216.1.1"), packets[i].packet, packets[i].answer });
    }
    /* the same of IPv6, as an import may have it */
    struct store *store = network_store(cloud->net);
    struct instance *instance = store_get(store, &instance_kind, id);
    const struct vpc *vpc = store_get(store, &vpc_kind, instance_eni(cloud->net, instance, 0)->vpc_id);
    struct ip six = vpc->cidrs6.items[0].cidr.ip;
    six.lo += 16;
    VEC_ADD(&instance_eni(cloud->net, instance, 0)->addresses6)->ip = six;
    REQUIRE(cloud_resolve(cloud, NULL, "table", id, &err), "%s", err.text);
    struct route_table *table = store_get(store, &route_table_kind, id);
    struct route *route = VEC_ADD(&table->routes);
    route->cidr6 = cidr_lit("2001:db8:5::/48");
    const struct endpoint *endpoint = store_first(store, &endpoint_kind);
    route->gateway_id = xstrdup(endpoint->obj.id);
    route->state = xstrdup("active");
    store_touch(store);
    static const struct {
        const char *packet, *answer;
    } packets6[] = {
        { PORT(443), "reachable allowed" },
        { ", \"protocol\": \"udp\"" PORT(443), "vpce-protocol VPCE_GATEWAY_PROTOCOL_RESTRICTION" },
        { ", \"protocol\": \"58\", \"icmpType\": 128", "reachable allowed" },
        { ", \"protocol\": \"58\", \"icmpType\": 129", "reachable -" },
        { ", \"protocol\": \"58\", \"icmpType\": 1", "vpce-protocol VPCE_GATEWAY_PROTOCOL_RESTRICTION" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(packets6); i++) {
        check_case(cloud->net,
                   &(struct reach_case){ web, IP("2001:db8:5::1"), packets6[i].packet, packets6[i].answer });
    }
    cloud_close(cloud);
}

TEST_MAIN

/* What on a packet's way the live lab lacks is found wherever on the way it stands. */
#include "cloud/verify_gap.h"

#include <stdlib.h>

#include "base/json.h"
#include "cloud/shrink.h"
#include "tests/test.h"

/* A client of an endpoint in subnet-c, whose service is a network balancer in subnet-b; the route table of that leads
 * to the balancer's target through an endpoint of a gateway load balancer that is not in the lab. */
static const char service_text[] =
    "{'Vpcs': [{'VpcId': 'vpc-0', 'CidrBlock': '10.0.0.0/16', 'CidrBlockAssociationSet': [{'CidrBlock': '10.0.0.0/16',"
    " 'CidrBlockState': {'State': 'associated'}}]}],"
    "'Subnets': ["
    "{'SubnetId': 'subnet-a', 'VpcId': 'vpc-0', 'CidrBlock': '10.0.0.0/24', 'AvailabilityZone': 'us-east-1b'},"
    "{'SubnetId': 'subnet-b', 'VpcId': 'vpc-0', 'CidrBlock': '10.0.1.0/24', 'AvailabilityZone': 'us-east-1b'},"
    "{'SubnetId': 'subnet-c', 'VpcId': 'vpc-0', 'CidrBlock': '10.0.2.0/24', 'AvailabilityZone': 'us-east-1b'}],"
    "'SecurityGroups': [{'GroupId': 'sg-0', 'VpcId': 'vpc-0', 'GroupName': 'g', 'Rules': ["
    "{'IsEgress': false, 'IpProtocol': '-1', 'FromPort': -1, 'ToPort': -1, 'Cidr': '0.0.0.0/0'},"
    "{'IsEgress': true, 'IpProtocol': '-1', 'FromPort': -1, 'ToPort': -1, 'Cidr': '0.0.0.0/0'}]}],"
    "'NetworkInterfaces': ["
    "{'NetworkInterfaceId': 'eni-client', 'SubnetId': 'subnet-a', 'VpcId': 'vpc-0', 'Status': 'in-use',"
    " 'SourceDestCheck': true, 'InterfaceType': 'interface', 'Groups': [{'GroupId': 'sg-0'}],"
    " 'Attachment': {'DeviceIndex': 0, 'InstanceId': 'i-client'}, 'PrivateIpAddresses': [{'Primary': true, "
    "'PrivateIpAddress': '10.0.0.6'}]},"
    "{'NetworkInterfaceId': 'eni-target', 'SubnetId': 'subnet-c', 'VpcId': 'vpc-0', 'Status': 'in-use',"
    " 'SourceDestCheck': true, 'InterfaceType': 'interface', 'Groups': [{'GroupId': 'sg-0'}],"
    " 'Attachment': {'DeviceIndex': 0, 'InstanceId': 'i-target'}, 'PrivateIpAddresses': [{'Primary': true, "
    "'PrivateIpAddress': '10.0.2.9'}]},"
    "{'NetworkInterfaceId': 'eni-node', 'SubnetId': 'subnet-b', 'VpcId': 'vpc-0', 'Status': 'in-use', "
    "'SourceDestCheck': true,"
    " 'InterfaceType': 'network_load_balancer', 'Description': 'ELB net/front/1', 'RequesterManaged': true,"
    " 'AvailabilityZone': 'us-east-1b', 'PrivateIpAddresses': [{'Primary': true, 'PrivateIpAddress': '10.0.1.5'}]},"
    "{'NetworkInterfaceId': 'eni-door', 'SubnetId': 'subnet-c', 'VpcId': 'vpc-0', 'Status': 'in-use', "
    "'SourceDestCheck': true,"
    " 'InterfaceType': 'vpc_endpoint', 'Description': 'VPC Endpoint Interface vpce-door', 'RequesterManaged': true,"
    " 'AvailabilityZone': 'us-east-1b', 'Groups': [{'GroupId': 'sg-0'}], 'PrivateIpAddresses': [{'Primary': true, "
    "'PrivateIpAddress': '10.0.2.5'}]},"
    "{'NetworkInterfaceId': 'eni-gwlb', 'SubnetId': 'subnet-a', 'VpcId': 'vpc-0', 'Status': 'in-use', "
    "'SourceDestCheck': true,"
    " 'InterfaceType': 'gateway_load_balancer_endpoint', 'Description': 'VPC Endpoint Interface vpce-gwlb',"
    " 'RequesterManaged': true, 'PrivateIpAddresses': [{'Primary': true, 'PrivateIpAddress': '10.0.0.4'}]}],"
    "'Instances': ["
    "{'InstanceId': 'i-client', 'State': {'Code': 16, 'Name': 'running'}, 'SubnetId': 'subnet-a', 'VpcId': 'vpc-0'},"
    "{'InstanceId': 'i-target', 'State': {'Code': 16, 'Name': 'running'}, 'SubnetId': 'subnet-c', 'VpcId': 'vpc-0'}],"
    "'VpcEndpoints': ["
    "{'VpcEndpointId': 'vpce-door', 'VpcEndpointType': 'Interface', 'VpcId': 'vpc-0', 'ServiceName': "
    "'com.example.vpce-svc-1',"
    " 'State': 'available', 'SubnetIds': ['subnet-c'], 'Groups': [{'GroupId': 'sg-0'}], 'NetworkInterfaceIds': "
    "['eni-door']},"
    "{'VpcEndpointId': 'vpce-gwlb', 'VpcEndpointType': 'GatewayLoadBalancer', 'VpcId': 'vpc-0', 'ServiceName': "
    "'com.example.gone',"
    " 'State': 'available', 'SubnetIds': ['subnet-a'], 'NetworkInterfaceIds': ['eni-gwlb']}],"
    "'LoadBalancers': [{'LoadBalancerArn': 'arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/front/1',"
    " 'LoadBalancerName': 'front', 'Scheme': 'internal', 'VpcId': 'vpc-0', 'State': {'Code': 'active'}, 'Type': "
    "'network',"
    " 'AvailabilityZones': [{'ZoneName': 'us-east-1b', 'SubnetId': 'subnet-b'}], 'Listeners': [{'Port': 5432, "
    "'Protocol': 'TCP',"
    " 'DefaultActions': [{'Type': 'forward', 'TargetGroupArn': "
    "'arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/t/1'}]}]}],"
    "'TargetGroups': [{'TargetGroupArn': 'arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/t/1', "
    "'TargetGroupName': 't',"
    " 'Protocol': 'TCP', 'Port': 80, 'VpcId': 'vpc-0', 'TargetType': 'instance', 'TargetHealthDescriptions': ["
    "{'Target': {'Id': 'i-target', 'Port': 80}}]}],"
    "'ServiceConfigurations': [{'ServiceId': 'vpce-svc-1', 'ServiceName': 'com.example.vpce-svc-1', 'ServiceState': "
    "'Available',"
    " 'ServiceType': [{'ServiceType': 'Interface'}], 'AvailabilityZones': ['us-east-1b'],"
    " 'NetworkLoadBalancerArns': ['arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/front/1']}],"
    "'RouteTables': ["
    "{'RouteTableId': 'rtb-main', 'VpcId': 'vpc-0', 'Associations': [{'Main': true}], 'Routes': ["
    "{'DestinationCidrBlock': '10.0.0.0/16', 'GatewayId': 'local', 'State': 'active'}]},"
    "{'RouteTableId': 'rtb-b', 'VpcId': 'vpc-0', 'Associations': [{'Main': false, 'SubnetId': 'subnet-b'}], 'Routes': ["
    "{'DestinationCidrBlock': '10.0.0.0/16', 'GatewayId': 'local', 'State': 'active'},"
    "{'DestinationCidrBlock': '10.0.2.0/24', 'GatewayId': 'vpce-gwlb', 'State': 'active'}]}]}";

/* A private gateway with a VPN connection and, beside it, Direct Connect. */
static const char hybrid_text[] =
    "{'Vpcs': [{'VpcId': 'vpc-0', 'CidrBlock': '10.0.0.0/16', 'CidrBlockAssociationSet': [{'CidrBlock': '10.0.0.0/16',"
    " 'CidrBlockState': {'State': 'associated'}}]}],"
    "'Subnets': [{'SubnetId': 'subnet-a', 'VpcId': 'vpc-0', 'CidrBlock': '10.0.0.0/24', 'AvailabilityZone': "
    "'us-east-1b'}],"
    "'NetworkInterfaces': [{'NetworkInterfaceId': 'eni-client', 'SubnetId': 'subnet-a', 'VpcId': 'vpc-0', 'Status': "
    "'in-use',"
    " 'SourceDestCheck': true, 'InterfaceType': 'interface', 'Attachment': {'DeviceIndex': 0, 'InstanceId': "
    "'i-client'},"
    " 'PrivateIpAddresses': [{'Primary': true, 'PrivateIpAddress': '10.0.0.6'}]}],"
    "'Instances': [{'InstanceId': 'i-client', 'State': {'Code': 16, 'Name': 'running'}, 'SubnetId': 'subnet-a', "
    "'VpcId': 'vpc-0'}],"
    "'CustomerGateways': [{'CustomerGatewayId': 'cgw-0', 'State': 'available'}],"
    "'VpnGateways': [{'VpnGatewayId': 'vgw-0', 'State': 'available', 'VpcAttachments': [{'State': 'attached', 'VpcId': "
    "'vpc-0'}]}],"
    "'VpnConnections': [{'VpnConnectionId': 'vpn-0', 'CustomerGatewayId': 'cgw-0', 'VpnGatewayId': 'vgw-0', 'State': "
    "'available',"
    " 'Options': {'StaticRoutesOnly': true}, 'Routes': [{'DestinationCidrBlock': '192.168.1.0/24', 'State': "
    "'available'}]}],"
    "'DirectConnectGateways': [{'DirectConnectGatewayId': 'office', 'DirectConnectGatewayState': 'available'}],"
    "'DirectConnectGatewayAssociations': [{'AssociationId': 'a-1', 'DirectConnectGatewayId': 'office', "
    "'AssociationState': 'associated',"
    " 'AssociatedGateway': {'Id': 'vgw-0', 'Type': 'virtualPrivateGateway'}, 'VirtualGatewayId': 'vgw-0',"
    " 'AllowedPrefixesToDirectConnectGateway': [{'Cidr': '10.0.0.0/16'}]}],"
    "'RouteTables': [{'RouteTableId': 'rtb-main', 'VpcId': 'vpc-0', 'Associations': [{'Main': true}], 'Routes': ["
    "{'DestinationCidrBlock': '10.0.0.0/16', 'GatewayId': 'local', 'State': 'active'},"
    "{'DestinationCidrBlock': '192.168.0.0/16', 'GatewayId': 'vgw-0', 'State': 'active'}]}]}";

static struct network *
network_of_text(const char *network_text, struct id_gen *ids, struct clock *clock)
{
    char *text = xstrdup(network_text);
    struct err err = { 0 };
    for (char *p = text; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    json_t *json = json_read(text, strlen(text), "test", &err);
    REQUIRE(json, "%s", err.text);
    struct network *net = network_new(ids, clock);
    REQUIRE(shrink_load(net, json), "the network cannot be read");
    json_decref(json);
    free(text);
    return net;
}

TEST(a_gap_behind_an_endpoint_of_a_service_of_the_lab_is_found)
{
    static const struct {
        const char *to, *id;
    } cases[] = {
        { "eni-door", "vpce-gwlb" }, /* through the endpoint's service to the target */
        { "eni-node", "vpce-gwlb" },
        { "eni-target", NULL }, /* straight: it does not come there */
    };
    struct id_gen ids = { 0 };
    struct clock clock = { 0 };
    struct network *net = network_of_text(service_text, &ids, &clock);
    struct plan_numbers numbers = { 0 };
    struct plan *plan = plan_new(net, &numbers);
    plan_numbers_done(&numbers);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_spec flow = {
            .protocol = PROTOCOL_TCP, .src_port = 50000, .dst_port = 5432, .icmp_type = -1, .icmp_code = -1
        };
        struct reach_result said = { 0 };
        struct verify_gap gap;
        struct err err = { 0 };
        flow_end_of_id("eni-client", &flow.from);
        flow_end_of_id(cases[i].to, &flow.to);
        REQUIRE(reach(net, &flow, false, &said, &err), "%s", err.text);
        CHECK(said.reachable, "%s: %s", cases[i].to, said.why);
        reach_result_done(&said);
        REQUIRE(verify_find_gap(net, plan, &flow, "", &gap, &err), "%s", err.text);
        CHECK_STR(gap.lacks ? gap.id : "", cases[i].id ? cases[i].id : "", "%s", cases[i].to);
    }
    plan_free(plan);
    network_free(net);
}

TEST(which_of_vpn_and_direct_connect_takes_a_packet_is_not_known_where_both_may)
{
    static const struct {
        const char *to, *dst;
        bool gap;
    } cases[] = {
        { "office", "192.168.1.10", true }, /* the VPN connection has a static route there */
        { "vpn-0", "192.168.1.10", true },
        { "office", "192.168.2.10", false },
    };
    struct id_gen ids = { 0 };
    struct clock clock = { 0 };
    struct network *net = network_of_text(hybrid_text, &ids, &clock);
    struct plan_numbers numbers = { 0 };
    struct plan *plan = plan_new(net, &numbers);
    plan_numbers_done(&numbers);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct flow_spec flow = { .to = { .kind = FLOW_END_GATEWAY },
                                  .protocol = PROTOCOL_TCP,
                                  .src_port = 50000,
                                  .dst_port = 22,
                                  .icmp_type = -1,
                                  .icmp_code = -1,
                                  .dst_ip = ip_lit(cases[i].dst) };
        struct verify_gap gap;
        struct err err = { 0 };
        flow_end_of_id("eni-client", &flow.from);
        snprintf(flow.to.id, sizeof flow.to.id, "%s", cases[i].to);
        REQUIRE(verify_find_gap(net, plan, &flow, "", &gap, &err), "%s", err.text);
        CHECK((gap.lacks != NULL) == cases[i].gap, "%s %s: %s", cases[i].to, cases[i].dst, gap.what);
    }
    plan_free(plan);
    network_free(net);
}

TEST_MAIN

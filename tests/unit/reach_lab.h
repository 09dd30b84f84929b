/* tests/unit/reach_lab.h - a small network in the JSON that `aws ec2 describe-*` prints, for tests of reachability.
 *
 *   vpc-1 10.0.0.0/16, igw-1      subnet-pub: web, fw, the NAT gateway    subnet-app: app, off (stopped)    subnet-db: db, behind acl-db */
#pragma once
#include "base/json.h"
#include "netsim/model/network.h"
#include "tests/test.h"

struct lab {
    struct id_gen ids;
    struct clock clock;
    struct network *net;
};

/* Loads an object whose members are AWS's lists ("Vpcs": [...]). */
__attribute__((unused)) static void
lab_load(struct lab *lab, const char *text)
{
    struct err err = { 0 };
    json_t *json = json_read(text, strlen(text), "lab", &err);
    REQUIRE(CHECK_OK(&err));
    for (size_t i = 0; network_kinds[i]; i++) {
        json_t *list = json_object_get(json, network_kinds[i]->list);
        if (list) {
            REQUIRE(network_load_kind(lab->net, network_kinds[i], list, network_kinds[i]->list, NULL, &err), "%s %s", err.where, err.text);
        }
    }
    json_decref(json);
}

__attribute__((unused)) static void
lab_init(struct lab *lab, const char *text)
{
    *lab = (struct lab){ 0 };
    id_gen_seed(&lab->ids, 1);
    lab->net = network_new(&lab->ids, &lab->clock);
    lab_load(lab, text);
}

__attribute__((unused)) static void
lab_done(struct lab *lab)
{
    network_free(lab->net);
}

/* clang-format off */
#define PERM(members_) "{" members_ "}"
#define TCP(port_) "\"IpProtocol\":\"tcp\",\"FromPort\":" #port_ ",\"ToPort\":" #port_
#define FROM_CIDR(cidr_) ",\"IpRanges\":[{\"CidrIp\":\"" cidr_ "\"}]"
#define FROM_CIDR6(cidr_) ",\"Ipv6Ranges\":[{\"CidrIpv6\":\"" cidr_ "\"}]"
#define FROM_GROUP(id_) ",\"UserIdGroupPairs\":[{\"GroupId\":\"" id_ "\"}]"
#define ALL_OUT "\"IpPermissionsEgress\":[{\"IpProtocol\":\"-1\",\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}],\"Ipv6Ranges\":[{\"CidrIpv6\":\"::/0\"}]}]"
#define GROUP(id_, name_, in_, out_) "{\"GroupId\":\"" id_ "\",\"GroupName\":\"" name_ "\",\"VpcId\":\"vpc-1\",\"IpPermissions\":[" in_ "]," out_ "}"
#define ENTRY(number_, egress_, protocol_, action_, rest_) \
    "{\"RuleNumber\":" #number_ ",\"Egress\":" #egress_ ",\"Protocol\":\"" protocol_ "\",\"RuleAction\":\"" action_ "\"," rest_ "}"
#define PORTS(from_, to_) ",\"PortRange\":{\"From\":" #from_ ",\"To\":" #to_ "}"
#define ENI(id_, instance_, subnet_, group_, check_, rest_) \
    "{\"NetworkInterfaceId\":\"eni-" id_ "\",\"VpcId\":\"vpc-1\",\"SubnetId\":\"" subnet_ "\",\"Groups\":[" group_ "],\"SourceDestCheck\":" check_ \
    ",\"Status\":\"in-use\",\"Attachment\":{\"AttachmentId\":\"eni-attach-" id_ "\",\"DeviceIndex\":0,\"InstanceId\":\"i-" instance_ "\",\"Status\":\"attached\"}," rest_ "}"
#define IN_GROUP(id_) "{\"GroupId\":\"" id_ "\"}"
#define ADDRESSES(list_) "\"PrivateIpAddresses\":[" list_ "]"
#define PRIMARY(ip_) "{\"PrivateIpAddress\":\"" ip_ "\",\"Primary\":true}"
#define PRIMARY_PUBLIC(ip_, public_) "{\"PrivateIpAddress\":\"" ip_ "\",\"Primary\":true,\"Association\":{\"PublicIp\":\"" public_ "\"}}"
#define ADDRESS6(ip_) ",\"Ipv6Addresses\":[{\"Ipv6Address\":\"" ip_ "\"}]"
#define INSTANCE(name_, subnet_, code_, state_) \
    "{\"InstanceId\":\"i-" name_ "\",\"VpcId\":\"vpc-1\",\"SubnetId\":\"" subnet_ "\",\"State\":{\"Code\":" #code_ ",\"Name\":\"" state_ "\"},\"Tags\":[{\"Key\":\"Name\",\"Value\":\"" name_ "\"}]}"
#define SUBNET(id_, cidr_, cidr6_) \
    "{\"SubnetId\":\"" id_ "\",\"VpcId\":\"vpc-1\",\"CidrBlock\":\"" cidr_ "\",\"AvailabilityZone\":\"us-east-1a\",\"State\":\"available\"," \
    "\"Ipv6CidrBlockAssociationSet\":[{\"AssociationId\":\"a-" id_ "\",\"Ipv6CidrBlock\":\"" cidr6_ "\",\"Ipv6CidrBlockState\":{\"State\":\"associated\"}}]}"
#define ROUTE(destination_, target_, state_) "{\"DestinationCidrBlock\":\"" destination_ "\"," target_ ",\"State\":\"" state_ "\",\"Origin\":\"CreateRoute\"}"
#define LOCAL_ROUTES "{\"DestinationCidrBlock\":\"10.0.0.0/16\",\"GatewayId\":\"local\",\"State\":\"active\",\"Origin\":\"CreateRouteTable\"}," \
    "{\"DestinationIpv6CidrBlock\":\"2001:db8:1::/56\",\"GatewayId\":\"local\",\"State\":\"active\",\"Origin\":\"CreateRouteTable\"}"
#define TABLE(id_, association_, routes_) \
    "{\"RouteTableId\":\"" id_ "\",\"VpcId\":\"vpc-1\",\"Associations\":[{\"RouteTableAssociationId\":\"x-" id_ "\",\"RouteTableId\":\"" id_ "\"," association_ "}]," \
    "\"Routes\":[" LOCAL_ROUTES routes_ "]}"

#define REACH_LAB "{" \
"\"Vpcs\":[{\"VpcId\":\"vpc-1\",\"CidrBlock\":\"10.0.0.0/16\",\"State\":\"available\"," \
 "\"CidrBlockAssociationSet\":[{\"AssociationId\":\"va-1\",\"CidrBlock\":\"10.0.0.0/16\",\"CidrBlockState\":{\"State\":\"associated\"}}]," \
 "\"Ipv6CidrBlockAssociationSet\":[{\"AssociationId\":\"va-2\",\"Ipv6CidrBlock\":\"2001:db8:1::/56\",\"Ipv6CidrBlockState\":{\"State\":\"associated\"}}]}]," \
"\"Subnets\":[" SUBNET("subnet-pub", "10.0.0.0/24", "2001:db8:1::/64") "," SUBNET("subnet-app", "10.0.1.0/24", "2001:db8:1:1::/64") "," \
 SUBNET("subnet-db", "10.0.2.0/24", "2001:db8:1:2::/64") "]," \
"\"PrefixLists\":[{\"PrefixListId\":\"pl-admin\",\"PrefixListName\":\"admin\",\"Cidrs\":[\"198.18.0.0/24\",\"198.18.7.0/24\"]}," \
 "{\"PrefixListId\":\"pl-far\",\"PrefixListName\":\"far\",\"Cidrs\":[\"192.0.2.0/24\"]}]," \
"\"SecurityGroups\":[" \
 GROUP("sg-web", "web", PERM(TCP(443) FROM_CIDR("0.0.0.0/0") FROM_CIDR6("::/0")) "," \
  PERM("\"IpProtocol\":\"icmp\",\"FromPort\":8,\"ToPort\":-1" FROM_CIDR("0.0.0.0/0")) "," \
  PERM(TCP(22) ",\"PrefixListIds\":[{\"PrefixListId\":\"pl-admin\"}]"), ALL_OUT) "," \
 GROUP("sg-app", "app", PERM(TCP(8080) FROM_GROUP("sg-web")) "," PERM(TCP(9000) FROM_GROUP("sg-app")), ALL_OUT) "," \
 GROUP("sg-db", "db", PERM(TCP(5432) FROM_GROUP("sg-app")) "," PERM("\"IpProtocol\":\"icmp\",\"FromPort\":-1,\"ToPort\":-1" FROM_GROUP("sg-app")), \
  "\"IpPermissionsEgress\":[]") "," \
 GROUP("sg-open", "open", PERM("\"IpProtocol\":\"-1\"" FROM_CIDR("0.0.0.0/0")), ALL_OUT) "]," \
"\"NetworkAcls\":[" \
 "{\"NetworkAclId\":\"acl-1\",\"VpcId\":\"vpc-1\",\"IsDefault\":true,\"Associations\":[{\"NetworkAclAssociationId\":\"na-1\",\"SubnetId\":\"subnet-pub\"}," \
 "{\"NetworkAclAssociationId\":\"na-2\",\"SubnetId\":\"subnet-app\"}],\"Entries\":[" \
 ENTRY(100, false, "-1", "allow", "\"CidrBlock\":\"0.0.0.0/0\"") "," ENTRY(100, true, "-1", "allow", "\"CidrBlock\":\"0.0.0.0/0\"") "," \
 ENTRY(101, false, "-1", "allow", "\"Ipv6CidrBlock\":\"::/0\"") "," ENTRY(101, true, "6", "allow", "\"Ipv6CidrBlock\":\"::/0\"" PORTS(0, 65535)) "," \
 ENTRY(32767, false, "-1", "deny", "\"CidrBlock\":\"0.0.0.0/0\"") "," ENTRY(32767, true, "-1", "deny", "\"CidrBlock\":\"0.0.0.0/0\"") "," \
 ENTRY(32768, false, "-1", "deny", "\"Ipv6CidrBlock\":\"::/0\"") "," ENTRY(32768, true, "-1", "deny", "\"Ipv6CidrBlock\":\"::/0\"") "]}," \
 "{\"NetworkAclId\":\"acl-db\",\"VpcId\":\"vpc-1\",\"IsDefault\":false,\"Associations\":[{\"NetworkAclAssociationId\":\"na-3\",\"SubnetId\":\"subnet-db\"}],\"Entries\":[" \
 ENTRY(110, false, "1", "allow", "\"CidrBlock\":\"10.0.1.0/24\",\"IcmpTypeCode\":{\"Type\":8,\"Code\":-1}") "," \
 ENTRY(100, false, "6", "allow", "\"CidrBlock\":\"10.0.1.0/24\"" PORTS(5432, 5432)) "," \
 ENTRY(90, false, "6", "deny", "\"CidrBlock\":\"10.0.1.66/32\"" PORTS(5432, 5432)) "," \
 ENTRY(100, true, "6", "allow", "\"CidrBlock\":\"10.0.1.0/24\"" PORTS(1024, 65535)) "," \
 ENTRY(32767, false, "-1", "deny", "\"CidrBlock\":\"0.0.0.0/0\"") "," ENTRY(32767, true, "-1", "deny", "\"CidrBlock\":\"0.0.0.0/0\"") "]}]," \
"\"NetworkInterfaces\":[" \
 ENI("web", "web", "subnet-pub", IN_GROUP("sg-web"), "true", ADDRESSES(PRIMARY_PUBLIC("10.0.0.10", "203.0.113.10") "," \
  "{\"PrivateIpAddress\":\"10.0.0.11\",\"Primary\":false}") ADDRESS6("2001:db8:1::10")) "," \
 ENI("app", "app", "subnet-app", IN_GROUP("sg-app"), "true", ADDRESSES(PRIMARY("10.0.1.10")) ADDRESS6("2001:db8:1:1::10")) "," \
 ENI("app2", "app2", "subnet-app", IN_GROUP("sg-app"), "true", ADDRESSES(PRIMARY("10.0.1.66"))) "," \
 ENI("off", "off", "subnet-app", IN_GROUP("sg-open"), "true", ADDRESSES(PRIMARY("10.0.1.20"))) "," \
 ENI("db", "db", "subnet-db", IN_GROUP("sg-db"), "true", ADDRESSES(PRIMARY("10.0.2.10"))) "," \
 ENI("fw", "fw", "subnet-pub", IN_GROUP("sg-open"), "true", ADDRESSES(PRIMARY("10.0.0.30"))) "," \
 "{\"NetworkInterfaceId\":\"eni-nat\",\"VpcId\":\"vpc-1\",\"SubnetId\":\"subnet-pub\",\"Groups\":[],\"SourceDestCheck\":false,\"Status\":\"in-use\"," \
 "\"InterfaceType\":\"nat_gateway\"," ADDRESSES(PRIMARY_PUBLIC("10.0.0.5", "203.0.113.5")) "}," \
 "{\"NetworkInterfaceId\":\"eni-free\",\"VpcId\":\"vpc-1\",\"SubnetId\":\"subnet-pub\",\"Groups\":[" IN_GROUP("sg-open") "],\"SourceDestCheck\":true," \
 "\"Status\":\"available\"," ADDRESSES(PRIMARY_PUBLIC("10.0.0.77", "203.0.113.77")) "}]," \
"\"Instances\":[" INSTANCE("web", "subnet-pub", 16, "running") "," INSTANCE("app", "subnet-app", 16, "running") "," \
 INSTANCE("app2", "subnet-app", 16, "running") "," INSTANCE("off", "subnet-app", 80, "stopped") "," INSTANCE("db", "subnet-db", 16, "running") "," \
 INSTANCE("fw", "subnet-pub", 16, "running") "]," \
"\"InternetGateways\":[{\"InternetGatewayId\":\"igw-1\",\"Attachments\":[{\"VpcId\":\"vpc-1\",\"State\":\"available\"}]},{\"InternetGatewayId\":\"igw-2\",\"Attachments\":[]}]," \
"\"NatGateways\":[{\"NatGatewayId\":\"nat-1\",\"VpcId\":\"vpc-1\",\"SubnetId\":\"subnet-pub\",\"State\":\"available\",\"ConnectivityType\":\"public\"," \
 "\"NatGatewayAddresses\":[{\"NetworkInterfaceId\":\"eni-nat\",\"PrivateIp\":\"10.0.0.5\",\"PublicIp\":\"203.0.113.5\",\"IsPrimary\":true}]}]," \
"\"RouteTables\":[" TABLE("rtb-main", "\"Main\":true", "") "," \
 TABLE("rtb-pub", "\"Main\":false,\"SubnetId\":\"subnet-pub\"", "," ROUTE("0.0.0.0/0", "\"GatewayId\":\"igw-1\"", "active") "," \
  ROUTE("100.64.0.0/10", "\"GatewayId\":\"igw-1\"", "active") "," ROUTE("192.168.0.0/16", "\"GatewayId\":\"igw-2\"", "active") "," \
  "{\"DestinationIpv6CidrBlock\":\"::/0\",\"GatewayId\":\"igw-1\",\"State\":\"active\",\"Origin\":\"CreateRoute\"}") "," \
 TABLE("rtb-app", "\"Main\":false,\"SubnetId\":\"subnet-app\"", "," ROUTE("0.0.0.0/0", "\"NatGatewayId\":\"nat-1\"", "active") "," \
  ROUTE("198.51.100.0/24", "\"NatGatewayId\":\"nat-gone\"", "blackhole") "," ROUTE("172.16.0.0/12", "\"VpcPeeringConnectionId\":\"pcx-1\"", "active") "," \
  ROUTE("192.0.2.0/25", "\"GatewayId\":\"igw-1\"", "active") "," \
  "{\"DestinationPrefixListId\":\"pl-far\",\"NetworkInterfaceId\":\"eni-fw\",\"State\":\"active\",\"Origin\":\"CreateRoute\"}") "]}"
/* clang-format on */

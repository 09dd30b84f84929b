/* What joins a VPC to something else: peering connections, transit gateways, endpoints, VPN and egress-only gateways.
 */
#include "tests/test.h"
#include "tests/unit/lab_story.h"

#define NAMED(type, name) " --tag-specifications ResourceType=" type ",Tags=[{Key=Name,Value=" name "}]"

static struct cloud *
two_vpcs(void)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    static const struct step base[] = {
        { "ec2 create-vpc --cidr-block 10.0.0.0/16" NAMED("vpc", "a"), "", "10.0.0.0/16" },
        { "ec2 create-vpc --cidr-block 10.1.0.0/16" NAMED("vpc", "b"), "", "10.1.0.0/16" },
        { "ec2 create-vpc --cidr-block 10.1.128.0/17" NAMED("vpc", "c"), "", "10.1.128.0/17" },
        { "ec2 create-subnet --vpc-id a --cidr-block 10.0.1.0/24 --availability-zone us-east-1a" NAMED("subnet", "a1"),
          "", "" },
        { "ec2 create-subnet --vpc-id a --cidr-block 10.0.2.0/24 --availability-zone us-east-1a" NAMED("subnet", "a2"),
          "", "" },
        { "ec2 create-subnet --vpc-id b --cidr-block 10.1.1.0/24 --availability-zone us-east-1b" NAMED("subnet", "b1"),
          "", "" },
        { "ec2 create-route-table --vpc-id a" NAMED("route-table", "ra"), "", "" },
        { "ec2 create-route-table --vpc-id b" NAMED("route-table", "rb"), "", "" },
    };
    TELL(cloud, base);
    return cloud;
}

TEST(peerings_are_asked_for_and_accepted)
{
    struct cloud *cloud = two_vpcs();
    static const struct step steps[] = {
        { "ec2 create-vpc-peering-connection --vpc-id a --peer-vpc-id a", "InvalidParameterValue", "peered" },
        { "ec2 create-vpc-peering-connection --vpc-id b --peer-vpc-id c", "", "overlapping" },
        { "ec2 create-vpc-peering-connection --vpc-id a --peer-vpc-id vpc-00000000000000000", "", "\"failed\"" },
        { "ec2 create-vpc-peering-connection --vpc-id a --peer-vpc-id b" NAMED("vpc-peering-connection", "p"), "",
          "\"Code\":\"pending-acceptance\"" },
        { "ec2 create-vpc-peering-connection --vpc-id b --peer-vpc-id a", "VpcPeeringConnectionAlreadyExists", "pcx-" },
        { "ec2 create-route --route-table-id ra --destination-cidr-block 10.1.0.0/16 --vpc-peering-connection-id p", "",
          "true" },
        { "ec2 describe-route-tables --route-table-ids ra --query RouteTables[].Routes[1].State", "",
          "[\"blackhole\"]" },
        { "ec2 modify-vpc-peering-connection-options --vpc-peering-connection-id p "
          "--requester-peering-connection-options AllowDnsResolutionFromRemoteVpc=true",
          "OperationNotPermitted", "pending-acceptance" },
        { "ec2 accept-vpc-peering-connection --vpc-peering-connection-id p", "", "\"Code\":\"active\"" },
        { "ec2 accept-vpc-peering-connection --vpc-peering-connection-id p", "InvalidStateTransition", "active" },
        { "ec2 describe-route-tables --route-table-ids ra --query RouteTables[].Routes[1].State", "", "[\"active\"]" },
        { "ec2 modify-vpc-peering-connection-options --vpc-peering-connection-id p "
          "--requester-peering-connection-options AllowDnsResolutionFromRemoteVpc=true",
          "", "\"AllowDnsResolutionFromRemoteVpc\":true" },
        { "ec2 create-route-table --vpc-id c" NAMED("route-table", "rc"), "", "" },
        { "ec2 create-route --route-table-id rc --destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id p",
          "InvalidParameterValue", "different networks" },
        { "ec2 describe-vpc-peering-connections --filters Name=status-code,Values=active --query "
          "VpcPeeringConnections[].AccepterVpcInfo.CidrBlock",
          "", "[\"10.1.0.0/16\"]" },
        { "ec2 delete-vpc-peering-connection --vpc-peering-connection-id p", "", "true" },
        { "ec2 describe-route-tables --route-table-ids ra --query RouteTables[].Routes[1].State", "",
          "[\"blackhole\"]" },
        { "ec2 create-vpc-peering-connection --vpc-id a --peer-vpc-id b" NAMED("vpc-peering-connection", "q"), "", "" },
        { "ec2 reject-vpc-peering-connection --vpc-peering-connection-id q", "", "true" },
        { "ec2 create-route --route-table-id rb --destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id q",
          "InvalidVpcPeeringConnectionID.NotFound", "rejected" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST_MAIN

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

TEST(transit_gateways_route_between_attachments)
{
    struct cloud *cloud = two_vpcs();
    static const struct step steps[] = {
        { "ec2 create-transit-gateway --options AmazonSideAsn=1", "InvalidParameterValue", "AmazonSideAsn" },
        { "ec2 create-transit-gateway --options MulticastSupport=enable", "UnsupportedOperation", "MulticastSupport" },
        { "ec2 create-transit-gateway" NAMED("transit-gateway", "t"), "",
          "\"SecurityGroupReferencingSupport\":\"disable\"" },
        { "ec2 create-route --route-table-id ra --destination-cidr-block 10.0.0.0/8 --transit-gateway-id t",
          "InvalidTransitGatewayID.NotFound", "not attached" },
        { "ec2 create-transit-gateway-vpc-attachment --transit-gateway-id t --vpc-id a --subnet-ids a1 a2",
          "DuplicateSubnetsInSameZone", "us-east-1a" },
        { "ec2 create-transit-gateway-vpc-attachment --transit-gateway-id t --vpc-id a --subnet-ids b1",
          "InvalidParameterValue", "vpc-" },
        { "ec2 create-transit-gateway-vpc-attachment --transit-gateway-id t --vpc-id a --subnet-ids a1" NAMED(
              "transit-gateway-attachment", "ta"),
          "", "\"ApplianceModeSupport\":\"disable\"" },
        { "ec2 create-transit-gateway-vpc-attachment --transit-gateway-id t --vpc-id a --subnet-ids a2",
          "DuplicateTransitGatewayAttachment", "tgw-attach-" },
        { "ec2 create-transit-gateway-vpc-attachment --transit-gateway-id t --vpc-id b --subnet-ids b1" NAMED(
              "transit-gateway-attachment", "tb"),
          "", "" },
        { "ec2 describe-network-interfaces --filters Name=interface-type,Values=transit_gateway --query "
          "NetworkInterfaces[].Groups[]",
          "", "[]" },
        { "ec2 create-route --route-table-id ra --destination-cidr-block 10.1.0.0/16 --transit-gateway-id t", "",
          "true" },
        { "ec2 describe-transit-gateway-route-tables --query "
          "TransitGatewayRouteTables[].[DefaultAssociationRouteTable,DefaultPropagationRouteTable]",
          "", "[[true,true]]" },
        { "ec2 create-transit-gateway-route-table --transit-gateway-id t" NAMED("transit-gateway-route-table", "tt"),
          "", "\"DefaultAssociationRouteTable\":false" },
        { "ec2 associate-transit-gateway-route-table --transit-gateway-route-table-id tt "
          "--transit-gateway-attachment-id ta",
          "Resource.AlreadyAssociated", "tgw-rtb-" },
        { "ec2 enable-transit-gateway-route-table-propagation --transit-gateway-route-table-id tt "
          "--transit-gateway-attachment-id ta",
          "", "\"State\":\"enabled\"" },
        { "ec2 enable-transit-gateway-route-table-propagation --transit-gateway-route-table-id tt "
          "--transit-gateway-attachment-id ta",
          "TransitGatewayRouteTablePropagation.Duplicate", "tgw-attach-" },
        { "ec2 create-transit-gateway-route --transit-gateway-route-table-id tt --destination-cidr-block 10.0.0.0/16 "
          "--transit-gateway-attachment-id tb",
          "", "\"Type\":\"static\"" },
        { "ec2 create-transit-gateway-route --transit-gateway-route-table-id tt --destination-cidr-block 10.0.0.0/16 "
          "--blackhole",
          "RouteAlreadyExists", "10.0.0.0/16" },
        { "ec2 create-transit-gateway-route --transit-gateway-route-table-id tt --destination-cidr-block 10.2.0.0/16 "
          "--blackhole",
          "", "\"State\":\"blackhole\"" },
        { "ec2 create-transit-gateway-route --transit-gateway-route-table-id tt --destination-cidr-block 10.3.0.0/16",
          "MissingParameter", "Blackhole" },
        { "ec2 search-transit-gateway-routes --transit-gateway-route-table-id tt --filters Name=type,Values=propagated "
          "--query Routes[].DestinationCidrBlock",
          "", "[]" }, /* the static one hides it */
        { "ec2 delete-transit-gateway-route --transit-gateway-route-table-id tt --destination-cidr-block 10.0.0.0/16",
          "", "\"State\":\"deleted\"" },
        { "ec2 search-transit-gateway-routes --transit-gateway-route-table-id tt --filters "
          "Name=route-search.longest-prefix-match,Values=10.0.9.9/32 --query "
          "Routes[].[DestinationCidrBlock,TransitGatewayAttachments[0].ResourceType]",
          "", "[[\"10.0.0.0/16\",\"vpc\"]]" },
        { "ec2 replace-transit-gateway-route --transit-gateway-route-table-id tt --destination-cidr-block 10.2.0.0/16 "
          "--transit-gateway-attachment-id tb",
          "", "\"State\":\"active\"" },
        { "ec2 delete-transit-gateway --transit-gateway-id t", "IncorrectState", "tgw-attach-" },
        { "ec2 delete-vpc --vpc-id b", "DependencyViolation", "tgw-attach-" },
        { "ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id tb", "", "\"State\":\"deleted\"" },
        { "ec2 search-transit-gateway-routes --transit-gateway-route-table-id tt --filters Name=state,Values=blackhole "
          "--query Routes[].DestinationCidrBlock",
          "", "[\"10.2.0.0/16\"]" },
        { "ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id ta", "", "\"State\":\"deleted\"" },
        { "ec2 describe-route-tables --route-table-ids ra --query RouteTables[].Routes[1].State", "",
          "[\"blackhole\"]" },
        { "ec2 describe-network-interfaces --query NetworkInterfaces", "", "[]" },
        { "ec2 delete-transit-gateway-route-table --transit-gateway-route-table-id tt", "", "\"State\":\"deleted\"" },
        { "ec2 delete-transit-gateway --transit-gateway-id t", "", "\"State\":\"deleted\"" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST(gateway_endpoints_are_routes)
{
    struct cloud *cloud = two_vpcs();
    static const struct step steps[] = {
        { "ec2 create-vpc-endpoint --vpc-id a --service-name com.amazonaws.us-east-1.nothing", "InvalidServiceName",
          "nothing" },
        { "ec2 create-vpc-endpoint --vpc-id a --service-name com.amazonaws.us-east-1.sts --route-table-ids ra",
          "InvalidServiceName", "type `Gateway`" },
        { "ec2 create-vpc-endpoint --vpc-id a --service-name com.amazonaws.us-east-1.s3 --route-table-ids rb",
          "InvalidParameter", "rtb-" },
        { "ec2 create-vpc-endpoint --vpc-id a --service-name com.amazonaws.us-east-1.s3 --policy-document nonsense",
          "InvalidPolicyDocument", "JSON" },
        { "ec2 create-vpc-endpoint --vpc-id a --service-name com.amazonaws.us-east-1.s3 --route-table-ids ra" NAMED(
              "vpc-endpoint", "s3"),
          "", "\"VpcEndpointType\":\"Gateway\"" },
        { "ec2 describe-route-tables --route-table-ids ra --query "
          "RouteTables[].Routes[1].[starts_with(GatewayId,'vpce-'),starts_with(DestinationPrefixListId,'pl-')]",
          "", "[[true,true]]" },
        { "ec2 create-vpc-endpoint --vpc-id a --service-name com.amazonaws.us-east-1.s3 --route-table-ids ra",
          "RouteAlreadyExists", "pl-" },
        { "ec2 create-route --route-table-id ra --destination-cidr-block 192.0.2.0/24 --vpc-endpoint-id s3",
          "InvalidParameterValue", "gateway endpoint" },
        { "ec2 describe-prefix-lists --query PrefixLists[].PrefixListName", "", "[\"com.amazonaws.us-east-1.s3\"]" },
        { "ec2 delete-vpc --vpc-id a", "DependencyViolation", "vpce-" },
        { "ec2 modify-vpc-endpoint --vpc-endpoint-id s3 --add-subnet-ids a1", "InvalidParameter", "no subnets" },
        { "ec2 modify-vpc-endpoint --vpc-endpoint-id s3 --remove-route-table-ids ra", "", "true" },
        { "ec2 describe-route-tables --route-table-ids ra --query length(RouteTables[0].Routes)", "", "1" },
        { "ec2 modify-vpc-endpoint --vpc-endpoint-id s3 --add-route-table-ids ra", "", "true" },
        { "ec2 delete-vpc-endpoints --vpc-endpoint-ids s3 vpce-00000000000000000", "",
          "InvalidVpcEndpointId.NotFound" },
        { "ec2 describe-route-tables --route-table-ids ra --query length(RouteTables[0].Routes)", "", "1" },
        { "ec2 describe-vpc-endpoints --query VpcEndpoints", "", "[]" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST(interface_endpoints_are_interfaces)
{
    struct cloud *cloud = two_vpcs();
#define STS                                                                                                            \
    "ec2 create-vpc-endpoint --vpc-id a --service-name com.amazonaws.us-east-1.sts --vpc-endpoint-type Interface "
    static const struct step steps[] = {
        { STS "--subnet-ids a1", "InvalidParameter", "enableDnsHostnames" },
        { "ec2 modify-vpc-attribute --vpc-id a --enable-dns-hostnames", "", "" },
        { STS "--subnet-ids a1 a2", "DuplicateSubnetsInSameZone", "us-east-1a" },
        { STS "--subnet-ids b1", "InvalidParameter", "subnet-" },
        { "ec2 create-security-group --group-name g --description d --vpc-id a", "", "" },
        { STS "--subnet-ids a1" NAMED("vpc-endpoint", "sts"), "", "\"DnsName\":\"sts.us-east-1.amazonaws.com\"" },
        { "ec2 describe-network-interfaces --query "
          "NetworkInterfaces[].[InterfaceType,RequesterManaged,Groups[0].GroupName]",
          "", "[[\"vpc_endpoint\",true,\"default\"]]" },
        { "ec2 modify-vpc-endpoint --vpc-endpoint-id sts --add-security-group-ids g", "", "true" },
        { "ec2 describe-network-interfaces --query NetworkInterfaces[].Groups[].GroupName", "", "[\"default\",\"g\"]" },
        { "ec2 modify-vpc-endpoint --vpc-endpoint-id sts --no-private-dns-enabled", "", "true" },
        { "ec2 describe-vpc-endpoints --query VpcEndpoints[].length(DnsEntries)", "", "[2]" },
        { "ec2 delete-subnet --subnet-id a1", "DependencyViolation", "eni-" },
        { "ec2 delete-vpc-endpoints --vpc-endpoint-ids sts", "", "[]" },
        { "ec2 describe-network-interfaces --query NetworkInterfaces", "", "[]" },
        { "ec2 describe-vpc-endpoint-services --service-names com.amazonaws.us-east-1.s3 --query "
          "ServiceDetails[].ServiceType[].ServiceType",
          "", "[\"Gateway\",\"Interface\"]" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST(egress_only_gateways_and_dhcp_options)
{
    struct cloud *cloud = two_vpcs();
    static const struct step steps[] = {
        { "ec2 create-egress-only-internet-gateway --vpc-id a" NAMED("egress-only-internet-gateway", "e"), "",
          "\"State\":\"attached\"" },
        { "ec2 create-route --route-table-id ra --destination-cidr-block 0.0.0.0/0 --egress-only-internet-gateway-id e",
          "InvalidParameterValue", "IPv4" },
        { "ec2 create-route --route-table-id rb --destination-ipv6-cidr-block ::/0 --egress-only-internet-gateway-id e",
          "InvalidParameterValue", "different networks" },
        { "ec2 create-route --route-table-id ra --destination-ipv6-cidr-block ::/0 --egress-only-internet-gateway-id e",
          "", "true" },
        { "ec2 delete-vpc --vpc-id a", "DependencyViolation", "eigw-" },
        { "ec2 delete-egress-only-internet-gateway --egress-only-internet-gateway-id e", "", "\"ReturnCode\":true" },
        { "ec2 describe-route-tables --route-table-ids ra --query RouteTables[].Routes[1].State", "",
          "[\"blackhole\"]" },
        { "ec2 describe-dhcp-options --query DhcpOptions[].DhcpConfigurations[].Values[].Value", "",
          "[\"ec2.internal\",\"AmazonProvidedDNS\"]" },
        { "ec2 create-dhcp-options --dhcp-configurations Key=domain-name-servers,Values=10.0.0.300",
          "InvalidParameterValue", "10.0.0.300" },
        { "ec2 create-dhcp-options --dhcp-configurations Key=color,Values=blue", "InvalidParameterValue", "color" },
        { "ec2 create-dhcp-options --dhcp-configurations Key=domain-name,Values=example.com "
          "Key=domain-name-servers,Values=10.0.0.53,10.0.1.53" NAMED("dhcp-options", "d"),
          "", "10.0.1.53" },
        { "ec2 associate-dhcp-options --dhcp-options-id d --vpc-id a", "", "{}" },
        { "ec2 delete-dhcp-options --dhcp-options-id d", "DependencyViolation", "vpc-" },
        { "ec2 associate-dhcp-options --dhcp-options-id default --vpc-id a", "", "{}" },
        { "ec2 delete-dhcp-options --dhcp-options-id d", "", "{}" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST(vpn_connections_propagate_routes)
{
    struct cloud *cloud = two_vpcs();
    static const struct step steps[] = {
        { "ec2 create-customer-gateway --type ipsec.1", "MissingParameter", "IpAddress" },
        { "ec2 create-customer-gateway --type ipsec.2 --ip-address 198.51.100.9", "InvalidParameterValue", "ipsec.2" },
        { "ec2 create-customer-gateway --type ipsec.1 --ip-address 198.51.100.9 --bgp-asn 65010" NAMED(
              "customer-gateway", "cgw"),
          "", "\"BgpAsn\":\"65010\"" },
        { "ec2 create-vpn-gateway --type ipsec.1" NAMED("vpn-gateway", "v"), "", "\"AmazonSideAsn\":64512" },
        { "ec2 create-route --route-table-id ra --destination-cidr-block 172.16.0.0/16 --gateway-id v",
          "InvalidParameterValue", "different networks" },
        { "ec2 enable-vgw-route-propagation --gateway-id v --route-table-id ra", "Gateway.NotAttached", "vgw-" },
        { "ec2 attach-vpn-gateway --vpn-gateway-id v --vpc-id a", "", "\"State\":\"attached\"" },
        { "ec2 attach-vpn-gateway --vpn-gateway-id v --vpc-id b", "VpnGatewayAttachmentLimitExceeded", "vgw-" },
        { "ec2 enable-vgw-route-propagation --gateway-id v --route-table-id ra", "", "{}" },
        { "ec2 create-vpn-connection --type ipsec.1 --customer-gateway-id cgw", "MissingParameter", "VpnGatewayId" },
        { "ec2 create-vpn-connection --type ipsec.1 --customer-gateway-id cgw --vpn-gateway-id v --options "
          "StaticRoutesOnly=true" NAMED("vpn-connection", "vpn"),
          "", "\"StaticRoutesOnly\":true" },
        { "ec2 create-vpn-connection-route --vpn-connection-id vpn --destination-cidr-block 172.16.0.0/16", "", "{}" },
        { "ec2 describe-route-tables --route-table-ids ra --query "
          "RouteTables[].Routes[1].[DestinationCidrBlock,Origin]",
          "", "[[\"172.16.0.0/16\",\"EnableVgwRoutePropagation\"]]" },
        { "ec2 delete-route --route-table-id ra --destination-cidr-block 172.16.0.0/16", "InvalidParameterValue",
          "propagated" },
        { "ec2 delete-vpc --vpc-id a", "DependencyViolation", "vgw-" },
        { "ec2 delete-vpn-gateway --vpn-gateway-id v", "IncorrectState", "attached" },
        { "ec2 delete-customer-gateway --customer-gateway-id cgw", "IncorrectState", "vpn-" },
        { "ec2 create-transit-gateway" NAMED("transit-gateway", "t"), "", "" },
        { "ec2 create-vpn-connection --type ipsec.1 --customer-gateway-id cgw --transit-gateway-id t", "",
          "\"TransitGatewayId\":\"tgw-" },
        { "ec2 describe-transit-gateway-attachments --query "
          "TransitGatewayAttachments[].[ResourceType,Association.State]",
          "", "[[\"vpn\",\"associated\"]]" },
        { "ec2 delete-vpn-connection --vpn-connection-id vpn", "", "{}" },
        { "ec2 describe-route-tables --route-table-ids ra --query length(RouteTables[0].Routes)", "", "1" },
        { "ec2 detach-vpn-gateway --vpn-gateway-id v --vpc-id a", "", "{}" },
        { "ec2 describe-route-tables --route-table-ids ra --query RouteTables[].PropagatingVgws[]", "", "[]" },
        { "ec2 delete-vpn-gateway --vpn-gateway-id v", "", "{}" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST(transit_gateways_are_peered)
{
    struct cloud *cloud = two_vpcs();
#define PEER "ec2 create-transit-gateway-peering-attachment --transit-gateway-id t --peer-transit-gateway-id "
    static const struct step steps[] = {
        { "ec2 create-transit-gateway" NAMED("transit-gateway", "t"), "", "" },
        { "ec2 create-transit-gateway --options DefaultRouteTableAssociation=disable" NAMED("transit-gateway", "u"), "",
          "" },
        { PEER "t --peer-account-id 123456789012 --peer-region us-east-1", "InvalidParameterValue", "itself" },
        { PEER "u --peer-account-id 123456789012 --peer-region eu-west-1", "InvalidTransitGatewayID.NotFound",
          "eu-west-1" },
        { PEER "u --peer-account-id 123456789012 --peer-region us-east-1" NAMED("transit-gateway-attachment", "p"), "",
          "\"State\":\"pendingAcceptance\"" },
        { PEER "u --peer-account-id 123456789012 --peer-region us-east-1", "DuplicateTransitGatewayAttachment",
          "tgw-attach-" },
        { "ec2 accept-transit-gateway-peering-attachment --transit-gateway-attachment-id p", "",
          "\"State\":\"available\"" },
        { "ec2 reject-transit-gateway-peering-attachment --transit-gateway-attachment-id p", "IncorrectState",
          "available" },
        /* the default table of the one; the other has none */
        { "ec2 describe-transit-gateway-attachments --query "
          "TransitGatewayAttachments[?ResourceType=='peering'].Association.State",
          "", "[\"associated\"]" },
        { "ec2 create-transit-gateway-route-table --transit-gateway-id u" NAMED("transit-gateway-route-table", "ut"),
          "", "" },
        { "ec2 associate-transit-gateway-route-table --transit-gateway-route-table-id ut "
          "--transit-gateway-attachment-id p",
          "", "\"ResourceType\":\"peering\"" },
        { "ec2 enable-transit-gateway-route-table-propagation --transit-gateway-route-table-id ut "
          "--transit-gateway-attachment-id p",
          "IncorrectState", "peering" },
        { "ec2 create-transit-gateway-route --transit-gateway-route-table-id ut --destination-cidr-block 10.0.0.0/16 "
          "--transit-gateway-attachment-id p",
          "", "\"State\":\"active\"" },
        { "ec2 delete-transit-gateway --transit-gateway-id u", "IncorrectState", "tgw-attach-" },
        { "ec2 create-transit-gateway-vpc-attachment --transit-gateway-id t --vpc-id a --subnet-ids a1" NAMED(
              "transit-gateway-attachment", "ta"),
          "", "" },
        { "ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id ta --add-subnet-ids a2",
          "DuplicateSubnetsInSameZone", "us-east-1a" },
        { "ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id ta --add-subnet-ids a2 "
          "--remove-subnet-ids a1 --options ApplianceModeSupport=enable",
          "", "\"ApplianceModeSupport\":\"enable\"" },
        { "ec2 describe-network-interfaces --query length(NetworkInterfaces)", "", "1" },
        { "ec2 describe-transit-gateway-peering-attachments --query "
          "TransitGatewayPeeringAttachments[].AccepterTgwInfo.Region",
          "", "[\"us-east-1\"]" },
        { "ec2 delete-transit-gateway-peering-attachment --transit-gateway-attachment-id p", "",
          "\"State\":\"deleted\"" },
        { "ec2 search-transit-gateway-routes --transit-gateway-route-table-id ut --filters Name=type,Values=static "
          "--query Routes[].State",
          "", "[\"blackhole\"]" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST_MAIN

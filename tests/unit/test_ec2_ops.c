/* EC2 operations of route tables, gateways, addresses, prefix lists, flow logs, tags and describe-*: command lines and
 * what they answer or refuse. */
#include "tests/test.h"
#include "netsim/model/security_group.h"
#include "tests/unit/lab_story.h"

#include "base/buf.h"
#include "cloud/query.h"
#include "netsim/model/changes.h"
#include "netsim/model/eni.h"

static struct cloud *
lab(void)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    static const struct step base[] = {
        { "ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications ResourceType=vpc,Tags=[{Key=Name,Value=prod}]",
          "", "10.0.0.0/16" },
        { "ec2 create-subnet --vpc-id prod --cidr-block 10.0.1.0/24 --tag-specifications "
          "ResourceType=subnet,Tags=[{Key=Name,Value=public}]",
          "", "10.0.1.0/24" },
        { "ec2 create-subnet --vpc-id prod --cidr-block 10.0.2.0/24 --tag-specifications "
          "ResourceType=subnet,Tags=[{Key=Name,Value=private}]",
          "", "10.0.2.0/24" },
        { "ec2 create-internet-gateway --tag-specifications ResourceType=internet-gateway,Tags=[{Key=Name,Value=gate}]",
          "", "\"Attachments\":[]" },
    };
    TELL(cloud, base);
    return cloud;
}

TEST(route_tables_are_built_and_refused)
{
    struct cloud *cloud = lab();
    static const struct step steps[] = {
        { "ec2 create-route-table --vpc-id prod --tag-specifications "
          "ResourceType=route-table,Tags=[{Key=Name,Value=outward}]",
          "",
          "\"Routes\":[{\"DestinationCidrBlock\":\"10.0.0.0/"
          "16\",\"GatewayId\":\"local\",\"Origin\":\"CreateRouteTable\",\"State\":\"active\"}]" },
        { "ec2 create-route-table --vpc-id vpc-00000000000000000", "InvalidVpcID.NotFound", "vpc-00000000000000000" },
        { "ec2 create-route --route-table-id outward --destination-cidr-block 0.0.0.0/0 --gateway-id gate",
          "InvalidParameterValue", "igw-" },
        { "ec2 attach-internet-gateway --internet-gateway-id gate --vpc-id prod", "", "{}" },
        { "ec2 attach-internet-gateway --internet-gateway-id gate --vpc-id prod", "Resource.AlreadyAssociated",
          "igw-" },
        { "ec2 create-route --route-table-id outward --destination-cidr-block 0.0.0.0/0 --gateway-id gate", "",
          "{\"Return\":true}" },
        { "ec2 create-route --route-table-id outward --destination-cidr-block 0.0.0.0/0 --gateway-id gate",
          "RouteAlreadyExists", "0.0.0.0/0" },
        { "ec2 create-route --route-table-id outward --destination-cidr-block 192.168.7.9/16 --gateway-id gate", "",
          "true" },
        { "ec2 describe-route-tables --route-table-ids outward --query RouteTables[].Routes[].DestinationCidrBlock", "",
          "192.168.0.0/16" }, /* host bits are dropped, as AWS does */
        { "ec2 create-route --route-table-id outward --destination-cidr-block 1.2.3.0/33 --gateway-id gate",
          "InvalidParameterValue", "1.2.3.0/33" },
        { "ec2 create-route --route-table-id outward --destination-cidr-block 1.2.3.4 --gateway-id gate",
          "InvalidParameterValue", "1.2.3.4" },
        { "ec2 create-route --route-table-id outward --destination-cidr-block ::/0 --gateway-id gate",
          "InvalidParameterValue", "::/0" },
        { "ec2 create-route --route-table-id outward --destination-cidr-block 9.0.0.0/8", "MissingParameter",
          "target" },
        { "ec2 create-route --route-table-id outward --gateway-id gate", "MissingParameter", "destination" },
        { "ec2 create-route --route-table-id outward --destination-cidr-block 9.0.0.0/8 --gateway-id gate "
          "--nat-gateway-id "
          "nat-00000000000000000",
          "InvalidParameterCombination", "one target" },
        { "ec2 create-route --route-table-id outward --destination-cidr-block 9.0.0.0/8 --odb-network-arn arn:x",
          "UnsupportedOperation", "OdbNetworkArn" },
        { "ec2 replace-route --route-table-id outward --destination-cidr-block 9.0.0.0/8 --gateway-id gate",
          "InvalidRoute.NotFound", "9.0.0.0/8" },
        { "ec2 delete-route --route-table-id outward --destination-cidr-block 192.168.0.0/16", "", "{}" },
        { "ec2 delete-route --route-table-id outward --destination-cidr-block 192.168.0.0/16", "InvalidRoute.NotFound",
          "192.168.0.0/16" },
        { "ec2 delete-route --route-table-id outward --destination-cidr-block 10.0.0.0/16", "InvalidParameterValue",
          "local" },
        { "ec2 associate-route-table --route-table-id outward --subnet-id public", "",
          "\"AssociationState\":{\"State\":\"associated\"}" },
        { "ec2 associate-route-table --route-table-id outward", "MissingParameter", "`SubnetId` or `GatewayId`" },
        { "ec2 associate-route-table --route-table-id outward --subnet-id public --gateway-id gate",
          "InvalidParameterCombination", "together" },
        { "ec2 describe-route-tables --filters Name=association.main,Values=false --query RouteTables[].Tags[].Value",
          "", "[\"outward\"]" },
        { "ec2 delete-route-table --route-table-id outward", "DependencyViolation", "rtb-" },
        { "ec2 disassociate-route-table --association-id rtbassoc-00000000000000000", "InvalidAssociationID.NotFound",
          "rtbassoc-00000000000000000" },
        { "ec2 delete-internet-gateway --internet-gateway-id gate", "DependencyViolation", "igw-" },
        { "ec2 detach-internet-gateway --internet-gateway-id gate --vpc-id prod", "", "{}" },
        { "ec2 detach-internet-gateway --internet-gateway-id gate --vpc-id prod", "Gateway.NotAttached", "igw-" },
        { "ec2 describe-route-tables --route-table-ids outward --query RouteTables[].Routes[].State", "",
          "[\"active\",\"blackhole\"]" },
        { "ec2 delete-internet-gateway --internet-gateway-id gate", "", "{}" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST(addresses_and_nat_gateways)
{
    struct cloud *cloud = lab();
    static const struct step steps[] = {
        { "ec2 allocate-address --tag-specifications ResourceType=elastic-ip,Tags=[{Key=Name,Value=exit}]", "",
          "\"Domain\":\"vpc\"" },
        { "ec2 allocate-address --domain standard", "UnsupportedOperation", "EC2-Classic" },
        { "ec2 allocate-address --network-border-group eu-west-1", "InvalidParameterValue", "eu-west-1" },
        { "ec2 allocate-address --address 1.2.3.4", "UnsupportedOperation", "Address" },
        { "ec2 describe-addresses --filters Name=tag:Name,Values=ex* --query Addresses[].PublicIpv4Pool", "",
          "[\"amazon\"]" },
        { "ec2 describe-addresses --public-ips 9.9.9.9", "InvalidAddress.NotFound", "9.9.9.9" },
        { "ec2 create-nat-gateway --subnet-id public", "MissingParameter", "AllocationId" },
        { "ec2 create-nat-gateway --subnet-id public --allocation-id exit", "Gateway.NotAttached", "vpc-" },
        { "ec2 attach-internet-gateway --internet-gateway-id gate --vpc-id prod", "", "{}" },
        { "ec2 create-nat-gateway --subnet-id public --allocation-id exit --connectivity-type private",
          "InvalidParameterCombination", "AllocationId" },
        { "ec2 create-nat-gateway --subnet-id public --allocation-id exit --secondary-private-ip-address-count 1",
          "UnsupportedOperation", "Secondary" },
        { "ec2 create-nat-gateway --subnet-id public --allocation-id exit --availability-mode regional",
          "UnsupportedOperation", "regional" },
        { "ec2 create-nat-gateway --subnet-id public --allocation-id exit --client-token once --tag-specifications "
          "ResourceType=natgateway,Tags=[{Key=Name,Value=nat}]",
          "", "\"ConnectivityType\":\"public\"" },
        { "ec2 create-nat-gateway --subnet-id private --connectivity-type private --private-ip-address 10.0.2.77", "",
          "10.0.2.77" },
        { "ec2 release-address --allocation-id exit", "InvalidIPAddress.InUse", "in use" },
        { "ec2 describe-nat-gateways --filter Name=state,Values=available --query length(NatGateways)", "", "2" },
        { "ec2 delete-nat-gateway --nat-gateway-id nat", "", "\"NatGatewayId\":\"nat-" },
        { "ec2 describe-nat-gateways --filter Name=state,Values=deleted --query NatGateways[].Tags[].Value", "",
          "[\"nat\"]" },
    };
    TELL(cloud, steps);
    struct err err = { 0 };
    const struct network *net = cloud->net;
    const struct object *private = NULL;
    for (private = store_first(network_store(net), &subnet_kind); private;
         private = store_next(network_store(net), private)) {
        if (object_name(private) && strcmp(object_name(private), "private") == 0) {
            break;
        }
    }
    for (int i = 0; i < 2; i++) {
        struct eni *eni = eni_create(cloud->net, &(struct eni_spec){ .subnet_id = private->id }, &err);
        REQUIRE(eni, "%s", err.text);
        object_set_tag(&eni->obj, "Name", i ? "spare" : "card");
    }
    static const struct step more[] = {
        { "ec2 create-tags --resources card --tags Key=Kind,Value=spare", "", "{}" }, /* and so the lab is saved */
        { "ec2 associate-address --allocation-id exit --network-interface-id card", "",
          "\"AssociationId\":\"eipassoc-" },
        { "ec2 associate-address --allocation-id exit --network-interface-id spare --no-allow-reassociation",
          "Resource.AlreadyAssociated", "already associated" },
        { "ec2 associate-address --allocation-id exit --network-interface-id card --no-allow-reassociation", "",
          "eipassoc-" }, /* it is there already */
        { "ec2 associate-address --allocation-id exit", "MissingParameter", "`InstanceId` or `NetworkInterfaceId`" },
        { "ec2 associate-address --network-interface-id card", "MissingParameter", "AllocationId" },
        { "ec2 associate-address --allocation-id exit --network-interface-id card --private-ip-address 10.0.2.300",
          "InvalidParameterValue", "10.0.2.300" },
        { "ec2 disassociate-address --association-id eipassoc-00000000000000000", "InvalidAssociationID.NotFound",
          "eipassoc-00000000000000000" },
        { "ec2 disassociate-address", "MissingParameter", "AssociationId" },
        { "ec2 release-address --public-ip 9.9.9.9", "InvalidAddress.NotFound", "9.9.9.9" },
    };
    TELL(cloud, more);
    cloud_close(cloud);
}

TEST(prefix_lists_have_versions)
{
    struct cloud *cloud = lab();
    static const struct step steps[] = {
        { "ec2 create-managed-prefix-list --prefix-list-name offices --max-entries 3 --address-family IPv4 --entries "
          "Cidr=198.51.100.0/24,Description=Oslo Cidr=203.0.113.7/32 --tag-specifications "
          "ResourceType=prefix-list,Tags=[{Key=Name,Value=pl}]",
          "", "\"Version\":1" },
        { "ec2 create-managed-prefix-list --prefix-list-name x --max-entries 0 --address-family IPv4",
          "InvalidParameterValue", "MaxEntries" },
        { "ec2 create-managed-prefix-list --prefix-list-name x --max-entries 1 --address-family IPv4 --entries "
          "Cidr=::/0",
          "InvalidParameterValue", "::/0" },
        { "ec2 create-managed-prefix-list --prefix-list-name x --max-entries 1 --address-family IPv4 --entries "
          "Cidr=nonsense",
          "InvalidParameterValue", "nonsense" },
        { "ec2 get-managed-prefix-list-entries --prefix-list-id pl", "",
          "{\"Entries\":[{\"Cidr\":\"198.51.100.0/24\",\"Description\":\"Oslo\"},{\"Cidr\":\"203.0.113.7/32\"}]}" },
        { "ec2 modify-managed-prefix-list --prefix-list-id pl --add-entries Cidr=192.0.2.0/24", "MissingParameter",
          "CurrentVersion" },
        { "ec2 modify-managed-prefix-list --prefix-list-id pl --current-version 2 --add-entries Cidr=192.0.2.0/24",
          "PrefixListVersionMismatch", "2" },
        { "ec2 modify-managed-prefix-list --prefix-list-id pl --current-version 1 --add-entries Cidr=192.0.2.0/24 "
          "--remove-entries "
          "Cidr=203.0.113.7/32",
          "", "\"Version\":2" },
        { "ec2 modify-managed-prefix-list --prefix-list-id pl --max-entries 1", "InvalidParameterValue", "MaxEntries" },
        { "ec2 modify-managed-prefix-list --prefix-list-id pl --max-entries 2 --prefix-list-name sites", "",
          "\"PrefixListName\":\"sites\"" },
        { "ec2 modify-managed-prefix-list --prefix-list-id pl --max-entries 9 --current-version 2 --add-entries "
          "Cidr=1.0.0.0/8",
          "InvalidParameterCombination", "MaxEntries" },
        { "ec2 get-managed-prefix-list-entries --prefix-list-id pl --target-version 1", "UnsupportedOperation",
          "version 2" },
        { "ec2 describe-prefix-lists --filters Name=prefix-list-name,Values=sites", "",
          "\"Cidrs\":[\"198.51.100.0/24\",\"192.0.2.0/24\"]" },
        { "ec2 describe-managed-prefix-lists --prefix-list-ids pl --query PrefixLists[].[MaxEntries,Version]", "",
          "[[2,2]]" },
        { "ec2 create-security-group --group-name g --description d --vpc-id prod", "", "\"GroupId\":\"sg-" },
        { "ec2 get-managed-prefix-list-associations --prefix-list-id pl", "", "{\"PrefixListAssociations\":[]}" },
        { "ec2 delete-managed-prefix-list --prefix-list-id pl", "", "\"State\":\"delete-complete\"" },
        { "ec2 get-managed-prefix-list-entries --prefix-list-id pl-00000000000000000", "InvalidPrefixListID.NotFound",
          "pl-0000" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST(flow_logs_name_what_failed)
{
    struct cloud *cloud = lab();
    static const struct step steps[] = {
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-group-name flows "
          "--deliver-logs-permission-arn arn:aws:iam::123456789012:role/logs --tag-specifications "
          "ResourceType=vpc-flow-log,Tags=[{Key=Name,Value=log}]",
          "", "\"Unsuccessful\":[]" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod vpc-00000000000000000 --traffic-type ALL "
          "--log-group-name flows --deliver-logs-permission-arn arn:aws:iam::123456789012:role/logs",
          "", "\"FlowLogIds\":[],\"Unsuccessful\":[{\"Error\":{\"Code\":\"FlowLogAlreadyExists\"" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod vpc-00000000000000000 --traffic-type REJECT "
          "--log-destination-type s3 --log-destination arn:aws:s3:::bucket --max-aggregation-interval 60",
          "", "\"Error\":{\"Code\":\"InvalidVpcID.NotFound\"" },
        { "ec2 create-flow-logs --resource-type Subnet --resource-ids prod --traffic-type ALL --log-destination-type "
          "s3 --log-destination arn:aws:s3:::bucket",
          "", "\"Code\":\"InvalidSubnetID" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod ", "MissingParameter", "TrafficType" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --max-aggregation-interval "
          "61",
          "InvalidParameter", "61" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL", "InvalidParameter",
          "LogGroupName" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-group-name g",
          "InvalidParameter", "DeliverLogsPermissionArn" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-group-name g "
          "--deliver-logs-permission-arn logs",
          "InvalidParameter", "not the ARN of a role" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-destination "
          "arn:aws:s3:::bucket --deliver-logs-permission-arn arn:aws:iam::123456789012:role/logs",
          "InvalidParameter", "not the ARN of a log group" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-group-name g "
          "--log-destination arn:aws:logs:us-east-1:123456789012:log-group:g",
          "InvalidParameter", "together" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-destination-type s3",
          "InvalidParameter", "LogDestination" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-destination-type s3 "
          "--log-group-name g",
          "InvalidParameter", "LogGroupName" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-destination-type s3 "
          "--log-destination arn:aws:s3:::bucket --deliver-logs-permission-arn arn:aws:iam::123456789012:role/logs",
          "InvalidParameter", "does not apply" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-destination-type s3 "
          "--log-destination arn:aws:s3:::b/AWSLogs/x",
          "InvalidParameter", "AWSLogs" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-destination-type "
          "kinesis-data-firehose --log-destination arn:aws:s3:::b",
          "InvalidParameter", "delivery stream" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-destination-type s3 "
          "--log-destination arn:aws:s3:::bucket --log-format '${version} ${nonsense}'",
          "InvalidParameterValue", "nonsense" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-destination-type s3 "
          "--log-destination arn:aws:s3:::bucket --log-format '${version} ${tgw-id}'",
          "InvalidParameterValue", "tgw-id" },
        { "ec2 create-flow-logs --resource-type VPC --resource-ids prod --traffic-type ALL --log-destination-type s3 "
          "--log-destination arn:aws:s3:::bucket --log-format ''",
          "InvalidParameterValue", "at least one" },
        { "ec2 create-flow-logs --resource-type TransitGateway --resource-ids tgw-1 --traffic-type ALL "
          "--log-destination-type s3 --log-destination arn:aws:s3:::bucket",
          "InvalidParameter", "TrafficType" },
        { "ec2 create-flow-logs --resource-type TransitGateway --resource-ids tgw-1 --max-aggregation-interval 600 "
          "--log-destination-type s3 --log-destination arn:aws:s3:::bucket",
          "InvalidParameter", "600" },
        { "ec2 create-flow-logs --resource-type TransitGateway --resource-ids tgw-1 --log-format '${action}' "
          "--log-destination-type s3 --log-destination arn:aws:s3:::bucket",
          "InvalidParameterValue", "action" },
        { "ec2 create-flow-logs --resource-type TransitGateway --resource-ids tgw-1 --log-destination-type s3 "
          "--log-destination arn:aws:s3:::bucket",
          "", "InvalidTransitGatewayID" },
        { "ec2 create-flow-logs --resource-type RegionalNatGateway --resource-ids nat-1 --traffic-type ALL "
          "--log-destination-type s3 --log-destination arn:aws:s3:::bucket",
          "UnsupportedOperation", "RegionalNatGateway" },
        { "ec2 describe-flow-logs --filter Name=traffic-type,Values=REJECT --query "
          "FlowLogs[].[LogDestinationType,MaxAggregationInterval]",
          "", "[[\"s3\",60]]" },
        { "ec2 delete-flow-logs --flow-log-ids log fl-00000000000000000", "",
          "\"Unsuccessful\":[{\"Error\":{\"Code\":\"InvalidFlowLogId.NotFound\"" },
        { "ec2 describe-flow-logs --query length(FlowLogs)", "", "1" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST(tags_are_checked_and_found)
{
    struct cloud *cloud = lab();
    static const struct step steps[] = {
        { "ec2 create-tags --resources prod public --tags Key=Tier,Value=one Key=Empty,Value=", "", "{}" },
        { "ec2 describe-tags --filters Name=key,Values=Tier --query Tags[].ResourceType", "", "[\"vpc\",\"subnet\"]" },
        { "ec2 describe-tags --filters Name=tag:Tier,Values=o* Name=resource-type,Values=subnet --query length(Tags)",
          "", "1" },
        { "ec2 describe-vpcs --filters Name=tag-key,Values=Empty --query length(Vpcs)", "", "1" },
        { "ec2 delete-tags --resources prod --tags Key=Tier,Value=two", "", "{}" },
        { "ec2 describe-tags --filters Name=key,Values=Tier --query length(Tags)", "",
          "2" }, /* the value did not agree */
        { "ec2 delete-tags --resources prod --tags Key=Tier", "", "{}" },
        { "ec2 describe-tags --filters Name=key,Values=Tier --query length(Tags)", "", "1" },
        { "ec2 delete-tags --resources public", "", "{}" },
        { "ec2 describe-tags --filters Name=resource-type,Values=subnet --query Tags[].Value", "", "[\"private\"]" },
        { "ec2 create-tags --resources prod vpc-00000000000000000 --tags Key=a,Value=b", "InvalidVpcID.NotFound",
          "vpc-0" },
        { "ec2 describe-tags --filters Name=key,Values=a --query length(Tags)", "", "0" }, /* all or nothing */
        { "ec2 create-tags --resources nonsense-1 --tags Key=a,Value=b", "InvalidID", "nonsense-1" },
        { "ec2 create-tags --resources prod --tags Key=aws:x,Value=b", "InvalidParameterValue", "aws:" },
        { "ec2 create-tags --resources prod --tags Key=a,Value=b Key=a,Value=c", "InvalidParameterValue",
          "more than once" },
        { "ec2 create-internet-gateway --tag-specifications ResourceType=vpc,Tags=[{Key=a,Value=b}]",
          "InvalidParameterValue", "not a valid taggable" },
        { "ec2 create-vpc --cidr-block 10.9.0.0/16 --tag-specifications ResourceType=vpc,Tags=[{Key=aws:a,Value=b}]",
          "InvalidParameterValue", "aws:" },
        { "ec2 describe-tags --filters Name=colour,Values=x", "InvalidParameterValue", "colour" },
    };
    TELL(cloud, steps);
    struct buf line = { 0 };
    buf_str_add(&line, "ec2 create-tags --resources private --tags");
    for (int i = 0; i < 50; i++) {
        buf_printf(&line, " Key=k%d,Value=v", i);
    }
    const struct step many[] = { { buf_str(&line), "TagLimitExceeded", "50" } }; /* and its Name */
    /* lab_run() takes 64 words, which is enough for 5 + 50 */
    TELL(cloud, many);
    buf_done(&line);
    cloud_close(cloud);
}

TEST(a_client_token_makes_a_request_once)
{
    struct cloud *cloud = lab();
    struct err err = { 0 };
    const char *line = "ec2 create-route-table --vpc-id prod --client-token t-1 --tag-specifications "
                       "ResourceType=route-table,Tags=[{Key=Name,Value=rt}]";
    json_t *first = lab_run(cloud, line, &err), *again = lab_run(cloud, line, &err);
    CHECK(first && again, "%s", err.text);
    CHECK(json_equal(first, again));
    CHECK_STR(json_string_value(json_at(again, "ClientToken")), "t-1");
    json_decref(first);
    json_decref(again);
    static const struct step steps[] = {
        { "ec2 describe-route-tables --filters Name=tag:Name,Values=rt --query length(RouteTables)", "", "1" },
        { "ec2 create-route-table --vpc-id prod --client-token t-1", "IdempotentParameterMismatch", "t-1" },
        { "ec2 create-route-table --vpc-id prod --client-token t-2", "", "\"ClientToken\":\"t-2\"" },
        { "ec2 create-route-table --vpc-id vpc-00000000000000000 --client-token t-3", "InvalidVpcID.NotFound", "" },
        { "ec2 create-route-table --vpc-id prod --client-token t-3", "", "t-3" }, /* a refused request was not made */
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST(describing_pages_filters_and_names)
{
    struct cloud *cloud = lab();
    static const struct step steps[] = {
        { "ec2 describe-subnets --subnet-ids public --query Subnets[].CidrBlock", "", "[\"10.0.1.0/24\"]" },
        { "ec2 describe-subnets --subnet-ids public public --query length(Subnets)", "", "1" },
        { "ec2 describe-subnets --subnet-ids subnet-00000000000000000", "InvalidSubnetID.NotFound", "subnet-0" },
        { "ec2 describe-subnets --subnet-ids subnet-xyz", "InvalidSubnetID.Malformed", "subnet-xyz" },
        { "ec2 describe-subnets --subnet-ids public --max-results 5", "InvalidParameterCombination", "MaxResults" },
        { "ec2 describe-subnets --filters Name=vpc,Values=x", "InvalidParameterValue", "`vpc`" },
        { "ec2 describe-subnets --filters Name=cidr-block,Values=10.0.?.0/24 --query length(Subnets)", "", "2" },
        { "ec2 describe-subnets --next-token 00ff", "InvalidPaginationToken", "00ff" },
        { "ec2 describe-security-groups --group-names nonsense", "InvalidGroup.NotFound", "nonsense" },
        { "ec2 describe-security-groups --group-names default --query length(SecurityGroups)", "", "2" },
        { "ec2 describe-instances", "", "{\"Reservations\":[]}" },
        { "ec2 describe-regions --region-names us-east-1 --query Regions[].Endpoint", "",
          "[\"ec2.us-east-1.amazonaws.com\"]" },
        { "ec2 describe-regions --region-names mars-1", "InvalidParameterValue", "mars-1" },
        { "ec2 describe-regions --all-regions --filters Name=opt-in-status,Values=not-opted-in --query "
          "contains(Regions[].RegionName,`\"af-south-1\"`)",
          "", "true" },
        { "ec2 describe-availability-zones --query AvailabilityZones[0].[ZoneName,ZoneId]", "",
          "[\"us-east-1a\",\"use1-az1\"]" },
        { "ec2 describe-availability-zones --zone-names us-east-1x", "InvalidParameterValue", "us-east-1x" },
        { "ec2 describe-account-attributes --attribute-names supported-platforms", "",
          "{\"AccountAttributes\":[{\"AttributeName\":\"supported-platforms\",\"AttributeValues\":[{\"AttributeValue\":"
          "\"VPC\"}]}]}" },
    };
    TELL(cloud, steps);

    /* Pages: every subnet once, in the order of the whole list. */
    struct err err = { 0 };
    json_t *whole = lab_run(cloud, "ec2 describe-subnets", &err), *all = json_object_get(whole, "Subnets");
    size_t n = json_array_size(all), seen = 0;
    char *token = NULL;
    CHECK(n > 5);
    do {
        char *line =
            xasprintf("ec2 describe-subnets --max-results 5%s%s", token ? " --next-token " : "", token ? token : "");
        json_t *page = lab_run(cloud, line, &err);
        CHECK(page, "%s: %s", line, err.text);
        const json_t *list = json_object_get(page, "Subnets");
        CHECK(json_array_size(list) <= 5);
        for (size_t i = 0; i < json_array_size(list); i++, seen++) {
            CHECK(json_equal(json_array_get(list, i), json_array_get(all, seen)), "item %zu", seen);
        }
        free(token);
        token = json_str(page, "NextToken") ? xstrdup(json_str(page, "NextToken")) : NULL;
        json_decref(page);
        free(line);
    } while (token && seen < n + 5);
    CHECK_INT(seen, n);
    free(token);
    json_decref(whole);
    cloud_close(cloud);
}

TEST(group_references_across_a_peering_connection)
{
    /* A real shape: only a rule of another VPC, with the peering connection AWS writes into it, is a reference. */
    struct err err = { 0 };
    struct cloud *cloud = cloud_open(&(struct cloud_options){ .throw_away = true, .seed = 7, .bare = true }, &err);
    static const char groups[] =
        "[{\"GroupId\":\"sg-0000000a\",\"GroupName\":\"a\",\"VpcId\":\"vpc-0000000a\",\"OwnerId\":\"123456789012\","
        "\"IpPermissions\":[{\"IpProtocol\":\"-1\",\"UserIdGroupPairs\":[{\"GroupId\":\"sg-0000000a\"}]}]},"
        "{\"GroupId\":\"sg-0000000b\",\"GroupName\":\"b\",\"VpcId\":\"vpc-0000000b\",\"OwnerId\":\"123456789012\","
        "\"IpPermissions\":[{\"IpProtocol\":\"-1\",\"UserIdGroupPairs\":[{\"GroupId\":\"sg-0000000a\",\"VpcId\":"
        "\"vpc-0000000a\",\"VpcPeeringConnectionId\":\"pcx-0000000c\"}]}]}]";
    json_t *array = json_read(groups, sizeof groups - 1, "groups", &err);
    REQUIRE(store_load_kind(network_store(cloud->net), &security_group_kind, array, "groups", NULL, &err), "%s",
            err.text);
    json_decref(array);
    static const struct step steps[] = {
        { "ec2 describe-security-group-references --group-id sg-0000000a", "",
          "[{\"GroupId\":\"sg-0000000a\",\"ReferencingVpcId\":\"vpc-0000000b\",\"VpcPeeringConnectionId\":\"pcx-"
          "0000000c\"}]" },
        { "ec2 describe-security-group-references --group-id sg-0000000b", "", "\"SecurityGroupReferenceSet\":[]" },
        { "ec2 describe-security-group-references --group-id sg-0000000d", "InvalidGroup.NotFound", "sg-0000000d" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

/* The live lab follows these without a new plan (netsim/model/changes.h); whatever else an attribute is has no note. */
TEST(small_changes_of_every_day_are_noted)
{
    struct cloud *cloud = lab();
    static const struct step base[] = {
        { "ec2 create-security-group --group-name web --description web --vpc-id prod", "", "sg-" },
        { "ec2 create-security-group --group-name db --description db --vpc-id prod", "", "sg-" },
        { "ec2 run-instances --image-id ami-12345678 --subnet-id public --private-ip-address 10.0.1.10 "
          "--tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=a}]",
          "", "i-" },
    };
    TELL(cloud, base);
    const struct eni *eni = store_first(network_store(cloud->net), &eni_kind);
    REQUIRE(eni);
    static const struct {
        const char *line; /* the interface's id follows */
        bool noted;
    } cases[] = {
        { "ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 0.0.0.0/0", true },
        { "ec2 modify-instance-attribute --instance-id a --groups web db", true },
        { "ec2 modify-network-interface-attribute --groups db --network-interface-id ", true },
        { "ec2 modify-network-interface-attribute --no-source-dest-check --network-interface-id ", false },
        { "ec2 modify-instance-attribute --instance-id a --source-dest-check", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct network_change *changes;
        struct err err = { 0 };
        size_t n, size = strlen(cases[i].line);
        char *line = xasprintf("%s%s", cases[i].line, cases[i].line[size - 1] == ' ' ? eni->obj.id : "");
        network_changes_seen(cloud->net);
        json_t *out = lab_run(cloud, line, &err);
        CHECK(out, "%s: %s", line, err.text);
        CHECK(network_changes(cloud->net, &changes, &n) == cases[i].noted && (!cases[i].noted || n > 0), "%s", line);
        json_decref(out);
        free(line);
    }
    cloud_close(cloud);
}

TEST_MAIN

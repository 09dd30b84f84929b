/* Operations on VPCs, subnets, groups, lists, interfaces and instances as a person types them: what is answered and
 * what is refused. */
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

struct step {
    const char *line; /* NULL ends the list */
    const char *code; /* "" : it works */
    const char *path,
        *value; /* a dotted path in the answer, lists by their first item, and what stands there; NULL: not looked at */
};

/* "Vpc.Tags.Key": lists on the way are entered at their first item. */
static const char *
text_at(const json_t *json, const char *path, char *number)
{
    while (json && *path) {
        size_t length = strcspn(path, ".");
        json = json_is_array(json) ? json_array_get(json, 0) : json;
        json = json_object_getn(json, path, length);
        path += length + (path[length] == '.');
    }
    json = json_is_array(json) && json_array_size(json) ? json_array_get(json, 0) : json;
    if (json_is_integer(json)) {
        sprintf(number, "%lld", (long long)json_integer_value(json));
        return number;
    }
    return json_is_boolean(json) ? (json_is_true(json) ? "true" : "false") : json ? json_string_value(json) : NULL;
}

static void
run_steps(const struct step *steps)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    for (; steps->line; steps++) {
        struct err refused = { 0 };
        char number[32];
        json_t *out = lab_run(cloud, steps->line, &refused);
        CHECK_STR(refused.code, steps->code, "%s: %s", steps->line, refused.text);
        CHECK((out != NULL) == !steps->code[0], "%s: %s", steps->line, refused.text);
        if (steps->path && out) {
            CHECK_STR(text_at(out, steps->path, number), steps->value, "%s: %s", steps->line, steps->path);
        }
        json_decref(out);
    }
    cloud_close(cloud);
}

#define NAME(type_, name_) " --tag-specifications ResourceType=" type_ ",Tags=[{Key=Name,Value=" name_ "}]"

TEST(vpcs_and_subnets)
{
    static const struct step steps[] = {
        { "ec2 create-vpc", "MissingParameter" },
        { "ec2 create-vpc --cidr-block 10.0.0.0/33", "InvalidParameterValue" },
        { "ec2 create-vpc --cidr-block 10.0.0.0/8", "InvalidVpc.Range" },
        { "ec2 create-vpc --cidr-block 10.0.0.0/16 --ipv4-ipam-pool-id ipam-pool-1", "UnsupportedOperation" },
        { "ec2 create-vpc --cidr-block 10.0.0.0/16" NAME("subnet", "lab"), "InvalidParameterValue" },
        { "ec2 create-vpc --cidr-block 10.0.77.5/16 --amazon-provided-ipv6-cidr-block" NAME("vpc", "lab"), "",
          "Vpc.CidrBlock", "10.0.0.0/16" },
        { "ec2 describe-vpcs --vpc-ids lab", "", "Vpcs.Tags.Value", "lab" },
        { "ec2 create-default-vpc", "DefaultVpcAlreadyExists" },
        { "ec2 modify-vpc-attribute --vpc-id lab", "MissingParameter" },
        { "ec2 modify-vpc-attribute --vpc-id lab --enable-dns-hostnames --enable-dns-support",
          "InvalidParameterCombination" },
        { "ec2 modify-vpc-attribute --vpc-id lab --no-enable-dns-support", "" },
        { "ec2 modify-vpc-attribute --vpc-id lab --enable-dns-hostnames", "InvalidParameterValue" },
        { "ec2 describe-vpc-attribute --vpc-id lab --attribute enableDnsSupport", "", "EnableDnsSupport.Value",
          "false" },
        { "ec2 associate-vpc-cidr-block --vpc-id lab", "MissingParameter" },
        { "ec2 associate-vpc-cidr-block --vpc-id lab --cidr-block 192.168.0.0/16", "InvalidVpc.Range" },
        { "ec2 associate-vpc-cidr-block --vpc-id lab --cidr-block 100.64.0.0/16", "",
          "CidrBlockAssociation.CidrBlockState.State", "associating" },
        { "ec2 disassociate-vpc-cidr-block --association-id vpc-cidr-assoc-0",
          "InvalidVpcCidrBlockAssociationID.NotFound" },
        { "ec2 create-subnet --vpc-id lab", "MissingParameter" },
        { "ec2 create-subnet --vpc-id lab --cidr-block 10.0.1.0/24 --availability-zone us-east-1b" NAME("subnet", "a"),
          "", "Subnet.AvailabilityZoneId", "use1-az2" },
        { "ec2 create-subnet --vpc-id lab --cidr-block 10.0.1.0/25", "InvalidSubnet.Conflict" },
        { "ec2 create-subnet --vpc-id lab --ipv6-native --cidr-block 10.0.2.0/24", "InvalidParameterCombination" },
        { "ec2 describe-subnets --subnet-ids a", "", "Subnets.AvailableIpAddressCount", "251" },
        { "ec2 modify-subnet-attribute --subnet-id a --map-public-ip-on-launch", "" },
        { "ec2 describe-subnets --subnet-ids a", "", "Subnets.MapPublicIpOnLaunch", "true" },
        { "ec2 modify-subnet-attribute --subnet-id a --assign-ipv6-address-on-creation", "InvalidParameterValue" },
        { "ec2 modify-subnet-attribute --subnet-id a --enable-dns64", "" },
        { "ec2 describe-subnets --subnet-ids a", "", "Subnets.EnableDns64", "true" },
        { "ec2 modify-subnet-attribute --subnet-id a --enable-lni-at-device-index 1", "UnsupportedOperation" },
        { "ec2 create-default-subnet --availability-zone us-east-1a", "DefaultSubnetAlreadyExistsInAvailabilityZone" },
        { "ec2 delete-vpc --vpc-id lab", "DependencyViolation" },
        { "ec2 delete-subnet --subnet-id a --dry-run", "DryRunOperation" },
        { "ec2 delete-subnet --subnet-id a", "" },
        { "ec2 delete-vpc --vpc-id lab", "" },
        { "ec2 describe-vpcs --vpc-ids lab", "InvalidVpcID.NotFound" },
        { NULL, NULL, NULL, NULL },
    };
    run_steps(steps);
}

TEST(a_region_is_a_place_of_its_own)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    json_t *out = lab_run(cloud, "ec2 create-vpc --cidr-block 10.0.0.0/16", &err);
    REQUIRE(out, "%s", err.text);
    char line[120];
    snprintf(line, sizeof line, "ec2 create-subnet --cidr-block 10.0.1.0/24 --vpc-id %s",
             json_string_value(json_at(out, "Vpc.VpcId")));
    json_decref(out);
    snprintf(cloud->region, sizeof cloud->region, "eu-west-1");
    CHECK(!lab_run(cloud, line, &err));
    CHECK_STR(err.code, "InvalidVpcID.NotFound");
    CHECK(strstr(err.hint, "us-east-1"), "%s", err.hint);
    cloud_close(cloud);
}

TEST(groups_and_lists)
{
    static const struct step steps[] = {
        { "ec2 create-vpc --cidr-block 10.0.0.0/16" NAME("vpc", "lab"), "" },
        { "ec2 create-security-group --group-name web --description 'web servers' --vpc-id lab" NAME("security-group",
                                                                                                     "web"),
          "", "Tags.Value", "web" },
        { "ec2 create-security-group --group-name web --description x --vpc-id lab", "InvalidGroup.Duplicate" },
        { "ec2 authorize-security-group-ingress --group-id web", "MissingParameter" },
        { "ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 0.0.0.0/0" NAME(
              "security-group-rule", "http"),
          "", "SecurityGroupRules.Tags.Value", "http" },
        { "ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 0.0.0.0/0",
          "InvalidPermission.Duplicate" },
        { "ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 5432 --source-group web", "",
          "SecurityGroupRules.FromPort", "5432" },
        { "ec2 authorize-security-group-ingress --group-id web --protocol icmp --port 8-0 --cidr 10.0.0.0/8", "",
          "SecurityGroupRules.ToPort", "0" },
        { "ec2 authorize-security-group-egress --group-id web --ip-permissions "
          "IpProtocol=tcp,FromPort=443,ToPort=443,Ipv6Ranges=[{CidrIpv6=::/0,Description=out}]",
          "", "SecurityGroupRules.CidrIpv6", "::/0" },
        { "ec2 describe-security-groups --group-ids web", "", "SecurityGroups.IpPermissions.FromPort", "80" },
        { "ec2 describe-security-groups --filters Name=ip-permission.from-port,Values=5432", "",
          "SecurityGroups.GroupName", "web" },
        { "ec2 update-security-group-rule-descriptions-ingress --group-id web --ip-permissions "
          "IpProtocol=tcp,FromPort=80,ToPort=80,IpRanges=[{CidrIp=0.0.0.0/0,Description=everybody}]",
          "", "Return", "true" },
        { "ec2 describe-security-groups --group-ids web", "", "SecurityGroups.IpPermissions.IpRanges.Description",
          "everybody" },
        { "ec2 revoke-security-group-ingress --group-id web --protocol tcp --port 81 --cidr 0.0.0.0/0",
          "InvalidPermission.NotFound" },
        { "ec2 revoke-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 0.0.0.0/0", "",
          "RevokedSecurityGroupRules.CidrIpv4", "0.0.0.0/0" },
        { "ec2 revoke-security-group-ingress --group-id web --security-group-rule-ids sgr-0",
          "InvalidSecurityGroupRuleId.NotFound" },
        { "ec2 describe-security-group-rules --security-group-rule-ids sgr-0", "InvalidSecurityGroupRuleId.Malformed" },
        { "ec2 delete-security-group --group-id web", "", "Return", "true" },
        { "ec2 delete-security-group --group-name default", "CannotDelete" },
        /* In the default VPC groups go by name, and revoking what is not there answers with it. */
        { "ec2 create-security-group --group-name db --description x", "" },
        { "ec2 revoke-security-group-ingress --group-name db --protocol udp --port 53 --cidr 10.0.0.0/8", "",
          "UnknownIpPermissions.IpRanges.CidrIp", "10.0.0.0/8" },
        { "ec2 create-network-acl --vpc-id lab --client-token t1" NAME("network-acl", "edge"), "",
          "NetworkAcl.Entries.RuleNumber", "32767" },
        { "ec2 create-network-acl --vpc-id lab --client-token t1", "IdempotentParameterMismatch" },
        { "ec2 create-network-acl-entry --network-acl-id edge --ingress --rule-number 100 --protocol tcp --port-range "
          "From=80,To=80 --cidr-block 0.0.0.0/0 --rule-action allow",
          "" },
        { "ec2 create-network-acl-entry --network-acl-id edge --ingress --rule-number 100 --protocol -1 --cidr-block "
          "0.0.0.0/0 --rule-action allow",
          "NetworkAclEntryAlreadyExists" },
        { "ec2 create-network-acl-entry --network-acl-id edge --egress --rule-number 100 --protocol udp --cidr-block "
          "0.0.0.0/0 --rule-action allow",
          "InvalidParameterValue" },
        { "ec2 replace-network-acl-entry --network-acl-id edge --egress --rule-number 100 --protocol -1 --cidr-block "
          "0.0.0.0/0 --rule-action deny",
          "InvalidNetworkAclEntry.NotFound" },
        { "ec2 describe-network-acls --network-acl-ids edge", "", "NetworkAcls.Entries.PortRange.From", "80" },
        { "ec2 delete-network-acl-entry --network-acl-id edge --ingress --rule-number 100", "" },
        { "ec2 replace-network-acl-association --association-id aclassoc-0 --network-acl-id edge",
          "InvalidAssociationID.NotFound" },
        { "ec2 delete-network-acl --network-acl-id edge", "" },
        { NULL, NULL, NULL, NULL },
    };
    run_steps(steps);
}

#define RUN "ec2 run-instances --image-id ami-0123456789abcdef0"

TEST(instances)
{
    static const struct step steps[] = {
        { "ec2 run-instances --image-id debian", "InvalidAMIID.Malformed" },
        { "ec2 run-instances", "MissingParameter" },
        { RUN " --ebs-optimized", "UnsupportedOperation" },
        { RUN " --count 3:2", "InvalidParameterValue" },
        { RUN NAME("vpc", "x"), "InvalidParameterValue" },
        { "ec2 create-vpc --cidr-block 10.0.0.0/16" NAME("vpc", "lab"), "" },
        { "ec2 create-subnet --vpc-id lab --cidr-block 10.0.1.0/28" NAME("subnet", "a"), "" },
        { RUN " --subnet-id a --private-ip-address 10.0.1.9 --client-token t1 --key-name me --user-data hello "
              "--iam-instance-profile Name=app --disable-api-termination" NAME("instance", "web"),
          "", "Instances.State.Name", "pending" },
        { RUN " --subnet-id a --client-token t1", "IdempotentParameterMismatch" },
        { "ec2 describe-instances --instance-ids web", "", "Reservations.Instances.IamInstanceProfile.Arn",
          "arn:aws:iam::123456789012:instance-profile/app" },
        { "ec2 describe-instances --filters Name=network-interface.addresses.private-ip-address,Values=10.0.1.*", "",
          "Reservations.Instances.KeyName", "me" },
        { "ec2 describe-instance-attribute --instance-id web --attribute userData", "", "UserData.Value", "aGVsbG8=" },
        { "ec2 terminate-instances --instance-ids web", "OperationNotPermitted" },
        { "ec2 modify-instance-attribute --instance-id web --no-disable-api-termination", "" },
        { RUN " --subnet-id a --private-ip-address 10.0.1.9", "InvalidIPAddress.InUse" },
        { RUN " --subnet-id a --count 20", "InsufficientFreeAddressesInSubnet" },
        { RUN " --subnet-id a --count 2:20", "", NULL, NULL },
        { "ec2 describe-subnets --subnet-ids a", "", "Subnets.AvailableIpAddressCount", "0" },
        { "ec2 create-subnet --vpc-id lab --cidr-block 10.0.2.0/24" NAME("subnet", "b"), "" },
        { RUN " --subnet-id b --associate-public-ip-address" NAME("instance", "pub"), "", "Instances.PublicDnsName",
          "" },
        { "ec2 describe-instances --instance-ids pub", "", "Reservations.Instances.PublicIpAddress", "203.0.113.1" },
        { "ec2 start-instances --instance-ids pub", "", "StartingInstances.CurrentState.Name", "running" },
        { "ec2 stop-instances --instance-ids pub", "", "StoppingInstances.CurrentState.Name", "stopping" },
        { "ec2 describe-instances --instance-ids pub", "", "Reservations.Instances.State.Name", "stopped" },
        { "ec2 describe-instances --instance-ids pub", "", "Reservations.Instances.PublicIpAddress", NULL },
        { "ec2 describe-instance-status --instance-ids pub --include-all-instances", "",
          "InstanceStatuses.InstanceStatus.Status", "not-applicable" },
        { "ec2 reboot-instances --instance-ids pub", "IncorrectState" },
        { "ec2 modify-instance-attribute --instance-id pub --instance-type t3.large", "" },
        { "ec2 start-instances --instance-ids pub", "", "StartingInstances.PreviousState.Name", "stopped" },
        { "ec2 describe-instances --instance-ids pub", "", "Reservations.Instances.PublicIpAddress", "203.0.113.2" },
        { "ec2 modify-instance-attribute --instance-id pub --instance-type t3.small", "IncorrectInstanceState" },
        { "ec2 modify-instance-attribute --instance-id pub --no-source-dest-check", "" },
        { "ec2 describe-instance-attribute --instance-id pub --attribute sourceDestCheck", "", "SourceDestCheck.Value",
          "false" },
        { "ec2 modify-instance-attribute --instance-id pub --no-source-dest-check --instance-type x.y",
          "InvalidParameterCombination" },
        { "ec2 stop-instances --instance-ids web i-00000000000000000", "InvalidInstanceID.NotFound" },
        { "ec2 describe-instances --instance-ids web", "", "Reservations.Instances.State.Name", "running" },
        { "ec2 terminate-instances --instance-ids pub", "", "TerminatingInstances.PreviousState.Name", "running" },
        { "ec2 describe-instances --instance-ids pub", "", "Reservations.Instances.State.Name", "terminated" },
        { RUN " --subnet-id b" NAME("instance", "pub"), "" }, /* the name is free again */
        { "ec2 describe-instances --instance-ids pub", "", "Reservations.Instances.State.Name", "running" },
        { "ec2 terminate-instances --instance-ids web pub", "", "TerminatingInstances.CurrentState.Name",
          "shutting-down" },
        { NULL, NULL, NULL, NULL },
    };
    run_steps(steps);
}

TEST(interfaces)
{
    static const struct step steps[] = {
        { "ec2 create-vpc --cidr-block 10.0.0.0/16" NAME("vpc", "lab"), "" },
        { "ec2 create-subnet --vpc-id lab --cidr-block 10.0.1.0/24" NAME("subnet", "a"), "" },
        { "ec2 create-network-interface --subnet-id a --private-ip-address 10.0.1.300", "InvalidParameterValue" },
        { "ec2 create-network-interface --subnet-id a --interface-type efa", "UnsupportedOperation" },
        { "ec2 create-network-interface --subnet-id a --private-ip-addresses PrivateIpAddress=10.0.1.20,Primary=true "
          "PrivateIpAddress=10.0.1.21,Primary=false "
          "--description second" NAME("network-interface", "eth"),
          "", "NetworkInterface.PrivateIpAddress", "10.0.1.20" },
        { "ec2 describe-network-interfaces --filters Name=tag:Name,Values=eth", "", "NetworkInterfaces.Status",
          "available" },
        { "ec2 assign-private-ip-addresses --network-interface-id eth --secondary-private-ip-address-count 1", "",
          "AssignedPrivateIpAddresses.PrivateIpAddress", "10.0.1.4" },
        { "ec2 unassign-private-ip-addresses --network-interface-id eth --private-ip-addresses 10.0.1.20",
          "InvalidParameterValue" },
        { "ec2 unassign-private-ip-addresses --network-interface-id eth --private-ip-addresses 10.0.1.21", "" },
        { "ec2 assign-ipv6-addresses --network-interface-id eth --ipv6-address-count 1", "InvalidParameterValue" },
        { RUN " --subnet-id a --private-ip-address 10.0.1.30" NAME("instance", "web"), "" },
        { "ec2 attach-network-interface --network-interface-id eth --instance-id web --device-index 0",
          "InvalidParameterValue" },
        { "ec2 attach-network-interface --network-interface-id eth --instance-id web --device-index 1", "",
          "NetworkCardIndex", "0" },
        { "ec2 describe-instances --instance-ids web", "", "Reservations.Instances.PrivateIpAddress", "10.0.1.30" },
        { "ec2 modify-instance-attribute --instance-id web --no-source-dest-check", "InvalidInstanceID" },
        { "ec2 delete-network-interface --network-interface-id eth", "InvalidNetworkInterface.InUse" },
        { "ec2 modify-network-interface-attribute --network-interface-id eth --no-source-dest-check", "" },
        { "ec2 describe-network-interface-attribute --network-interface-id eth --attribute sourceDestCheck", "",
          "SourceDestCheck.Value", "false" },
        { "ec2 modify-network-interface-attribute --network-interface-id eth --description Value=x "
          "--no-source-dest-check",
          "InvalidParameterCombination" },
        { "ec2 terminate-instances --instance-ids web", "" },
        { "ec2 describe-network-interfaces", "", "NetworkInterfaces.Description", "second" },
        { "ec2 delete-network-interface --network-interface-id eth", "" },
        { "ec2 run-instances --image-id ami-0123456789abcdef0 --network-interfaces "
          "DeviceIndex=0,SubnetId=a,PrivateIpAddress=10.0.1.40,DeleteOnTermination=false "
          "DeviceIndex=1,SubnetId=a,Description=two" NAME("instance", "two"),
          "", "Instances.NetworkInterfaces.PrivateIpAddress", "10.0.1.40" },
        { "ec2 run-instances --image-id ami-0123456789abcdef0 --subnet-id a --network-interfaces DeviceIndex=0",
          "InvalidParameterCombination" },
        { "ec2 run-instances --image-id ami-0123456789abcdef0 --network-interfaces DeviceIndex=1,SubnetId=a",
          "InvalidParameterValue" },
        { "ec2 run-instances --image-id ami-0123456789abcdef0 --network-interfaces DeviceIndex=0,SubnetId=a "
          "DeviceIndex=0,SubnetId=a",
          "InvalidParameterValue" },
        { "ec2 terminate-instances --instance-ids two", "" },
        { "ec2 describe-network-interfaces", "", "NetworkInterfaces.PrivateIpAddress", "10.0.1.40" },
        { NULL, NULL, NULL, NULL },
    };
    run_steps(steps);
}

TEST_MAIN

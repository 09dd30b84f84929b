#include "cloud/unmodelled.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define TRACKING "ConnectionTrackingSpecification"
#define ENA_SRD  "EnaSrdSpecification "
#define IPAM4    "Ipv4IpamPoolId Ipv4NetmaskLength "
#define IPAM6    "Ipv6IpamPoolId Ipv6NetmaskLength "
#define BYOIP    "Ipv6Pool Ipv6CidrBlock Ipv6CidrBlockNetworkBorderGroup "

const struct unmodelled unmodelled_rows[] = {
    { "acm", "RequestCertificate",
      "CertificateAuthorityArn ManagedBy DomainValidationOptions "
      "Options.CertificateTransparencyLoggingPreference=ENABLED Options.Export=DISABLED" },
    { "acm", "ListCertificates",
      "SortBy SortOrder Includes.extendedKeyUsage Includes.keyUsage Includes.exportOption Includes.managedBy" },

    { "cloudwatch", "ListMetrics", "RecentlyActive IncludeLinkedAccounts=false OwningAccount" },
    { "cloudwatch", "GetMetricData", "MaxDatapoints LabelOptions NextToken MetricDataQueries.AccountId" },
    { "cloudwatch", "GetMetricData", "MetricDataQueries.Expression MetricDataQueries.Period",
      "the lab has no metric math: ask for each metric by its `MetricStat`" },
    { "cloudwatch", "GetMetricStatistics", "ExtendedStatistics" },

    { "directconnect", "CreateConnection", "lagId providerName requestMACSec=false" },

    { "ec2", "AllocateAddress", "Address CustomerOwnedIpv4Pool IpamPoolId" },
    { "ec2", "AssignIpv6Addresses", "Ipv6Prefixes Ipv6PrefixCount=0" },
    { "ec2", "AssignPrivateIpAddresses", "Ipv4Prefixes Ipv4PrefixCount=0" },
    { "ec2", "AssociateRouteTable", "PublicIpv4Pool" },
    { "ec2", "AssociateSubnetCidrBlock", IPAM6 },
    { "ec2", "AssociateVpcCidrBlock", IPAM4 IPAM6 BYOIP },
    { "ec2", "AttachNetworkInterface", ENA_SRD "EnaQueueCount" },
    { "ec2", "CreateCustomerGateway", "CertificateArn BgpAsnExtended" },
    { "ec2", "CreateDefaultSubnet", "Ipv6Native=false AvailabilityZoneId" },
    { "ec2", "CreateFlowLogs",
      "DeliverCrossAccountRole DestinationOptions.FileFormat=plain-text "
      "DestinationOptions.HiveCompatiblePartitions=false DestinationOptions.PerHourPartition=false" },
    { "ec2", "CreateNatGateway",
      "VpcId AvailabilityZoneAddresses SecondaryAllocationIds SecondaryPrivateIpAddresses "
      "SecondaryPrivateIpAddressCount=0" },
    { "ec2", "CreateNetworkInterface",
      "Ipv4Prefixes Ipv4PrefixCount=0 Ipv6Prefixes Ipv6PrefixCount=0 EnablePrimaryIpv6=false " TRACKING " Operator" },
    { "ec2", "CreateRoute ReplaceRoute", "OdbNetworkArn" },
    { "ec2", "CreateSubnet", IPAM4 IPAM6 "OutpostArn" },
    { "ec2", "CreateTransitGatewayPeeringAttachment", "Options.DynamicRouting=disable" },
    { "ec2", "CreateVpc", IPAM4 IPAM6 BYOIP "VpcEncryptionControl" },
    { "ec2", "CreateVpcEndpoint", "SubnetConfigurations ServiceNetworkArn ResourceConfigurationArn ServiceRegion" },
    { "ec2", "CreateVpcEndpointServiceConfiguration", "SupportedRegions" },
    { "ec2", "CreateVpnConnection", "VpnConcentratorId PreSharedKeyStorage=Standard" },
    { "ec2", "DescribeInstances DescribeInstanceStatus DescribeNetworkInterfaces", "IncludeManagedResources=false" },
    { "ec2", "DescribeVpcEndpointServices", "ServiceRegions" },
    { "ec2", "EnableTransitGatewayRouteTablePropagation DisableTransitGatewayRouteTablePropagation",
      "TransitGatewayRouteTableAnnouncementId" },
    { "ec2", "ModifyInstanceAttribute",
      "DisableApiStop=false BlockDeviceMappings Kernel Ramdisk InstanceInitiatedShutdownBehavior=stop "
      "EbsOptimized=false SriovNetSupport EnaSupport" },
    { "ec2", "ModifyManagedPrefixList", "IpamPrefixListResolverSyncEnabled=false" },
    { "ec2", "ModifyNetworkInterfaceAttribute",
      ENA_SRD "EnablePrimaryIpv6=false " TRACKING " AssociatePublicIpAddress AssociatedSubnetIds" },
    { "ec2", "ModifySubnetAttribute",
      "MapCustomerOwnedIpOnLaunch=false CustomerOwnedIpv4Pool EnableLniAtDeviceIndex DisableLniAtDeviceIndex=false" },
    { "ec2", "ModifyVpcEndpoint", "SubnetConfigurations" },
    { "ec2", "ModifyVpcEndpointServiceConfiguration", "AddSupportedRegions RemoveSupportedRegions" },
    { "ec2", "RunInstances",
      "BlockDeviceMappings KernelId RamdiskId Monitoring.Enabled=false ElasticGpuSpecification "
      "ElasticInferenceAccelerators LaunchTemplate InstanceMarketOptions CreditSpecification CpuOptions "
      "CapacityReservationSpecification HibernationOptions.Configured=false LicenseSpecifications "
      "EnclaveOptions.Enabled=false MaintenanceOptions.AutoRecovery=default DisableApiStop=false "
      "EnablePrimaryIpv6=false NetworkPerformanceOptions.BandwidthWeighting=default Operator SecondaryInterfaces "
      "InstanceInitiatedShutdownBehavior=stop AdditionalInfo EbsOptimized=false" },
    { "ec2", "StartInstances", "AdditionalInfo" },
    { "ec2", "UnassignIpv6Addresses", "Ipv6Prefixes" },
    { "ec2", "UnassignPrivateIpAddresses", "Ipv4Prefixes" },

    { "elb", "CreateLoadBalancer", "AvailabilityZones",
      "--subnets: a VPC's balancer has one subnet in each of its zones" },
    { "elb", "ModifyLoadBalancerAttributes",
      "LoadBalancerAttributes.AccessLog.Enabled=false LoadBalancerAttributes.AdditionalAttributes" },

    { "elbv2", "CreateLoadBalancer", "CustomerOwnedIpv4Pool EnablePrefixForIpv6SourceNat=off IpamPools" },
    { "elbv2", "SetSubnets", "IpAddressType EnablePrefixForIpv6SourceNat=off" },
    { "elbv2", "CreateListener CreateRule", "Tags", "balancers, target groups and trust stores have tags here" },
    { "elbv2", "CreateListener ModifyListener", "DefaultActions.JwtValidationConfig" },
    { "elbv2", "CreateRule ModifyRule",
      "Actions.JwtValidationConfig Transforms Conditions.RegexValues Conditions.HostHeaderConfig.RegexValues "
      "Conditions.PathPatternConfig.RegexValues Conditions.HttpHeaderConfig.RegexValues" },
    { "elbv2", "ModifyRule", "ResetTransforms=false" },
    { "elbv2", "CreateTargetGroup", "TargetControlPort" },
    { "elbv2", "RegisterTargets DeregisterTargets DescribeTargetHealth", "Targets.QuicServerId" },
    { "elbv2", "DescribeTargetHealth", "Include" },

    { "iam", "ListPoliciesGrantingServiceAccess", "Marker" },

    { "kms", "CreateKey", "CustomKeyStoreId XksKeyId" },

    { "logs", "CreateLogGroup", "kmsKeyId deletionProtectionEnabled=false" },
    { "logs", "DescribeLogGroups", "accountIdentifiers includeLinkedAccounts=false" },
    { "logs", "FilterLogEvents GetLogEvents", "unmask=false" },

    { "organizations", "CreateAccount", "IamUserAccessToBilling=ALLOW" },

    { "ram", "TagResource UntagResource", "resourceArn" },
    { "ram", "CreateResourceShare",
      "permissionArns sources resourceShareConfiguration.retainSharingOnAccountLeaveOrganization=false" },
    { "ram", "AssociateResourceShare DisassociateResourceShare", "sources" },
    { "ram", "GetResourceShares", "permissionArn permissionVersion" },

    { "route53", "CreateHostedZone ListHostedZones", "DelegationSetId" },
    { "route53", "ListVPCAssociationAuthorizations", "NextToken MaxResults" },

    { "s3api", "CreateBucket",
      "BucketNamespace=global CreateBucketConfiguration.Location CreateBucketConfiguration.Bucket "
      "CreateBucketConfiguration.Tags" },
    { "s3api", "DeleteObjects", "Delete.Objects.ETag Delete.Objects.LastModifiedTime Delete.Objects.Size" },
    { "s3api", "PutBucketEncryption", "ServerSideEncryptionConfiguration.Rules.BlockedEncryptionTypes" },
    { "s3api", "PutBucketVersioning", "MFA" },
    { "s3control", "CreateAccessPoint", "Scope Tags" },

    { "sts", "AssumeRole", "ProvidedContexts" },
    { "sts", "AssumeRoleWithWebIdentity", "ProviderId",
      "it goes with access tokens of OAuth 2.0; an OpenID Connect token names its provider itself" },

    { 0 },
};

/* Is the word one of the list's? */
static bool
is_listed(const char *list, const char *word)
{
    size_t size = strlen(word);
    const char *at = strstr(list, word);
    while (at && !((at == list || at[-1] == ' ') && (at[size] == ' ' || !at[size]))) {
        at = strstr(at + 1, word);
    }
    return at != NULL;
}

/* Does the value say nothing, or what AWS takes without it? */
static bool
is_default(const json_t *value, const char *otherwise, size_t size)
{
    const json_t *inner = json_object_get(value, "Value"); /* {"Value": true} */
    value = inner ? inner : value;
    char number[32] = "";
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    }
    const char *text = json_is_integer(value)   ? number
                       : json_is_boolean(value) ? (json_is_true(value) ? "true" : "false")
                                                : json_string_value(value);
    bool empty = json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);
    return empty || (size && text && strlen(text) == size && memcmp(text, otherwise, size) == 0);
}

/* One member of a row: 'at' is what is left of its name, 'path' where 'value' is.  False when the request gives it. */
static bool
check_member(const struct op_call *call, const struct unmodelled *row, const char *at, const json_t *value,
             const char *path, struct err *err)
{
    size_t size = strcspn(at, ".= "), i;
    bool last = at[size] != '.';
    struct buf here = { 0 };
    const json_t *item;
    bool ok = true;
    if (json_is_array(value)) {
        json_array_foreach((json_t *)value, i, item)
        {
            buf_clear(&here);
            buf_printf(&here, "%s[%zu]", path, i);
            ok = ok && check_member(call, row, at, item, buf_str(&here), err);
        }
        buf_done(&here);
        return ok;
    }
    const json_t *member = json_object_getn(value, at, size);
    const char *otherwise = at[size] == '=' ? at + size + 1 : "";
    buf_printf(&here, "%s%s%.*s", path, path[0] ? "." : "", (int)size, at);
    if (member && !last) {
        ok = check_member(call, row, at + size + 1, member, buf_str(&here), err);
    } else if (member && !is_default(member, otherwise, strcspn(otherwise, " "))) {
        bool s3 = strncmp(call->op->service, "s3", 2) == 0;
        ok = err_set(err, ERR_INPUT, s3 ? "NotImplemented" : "UnsupportedOperation", "vpclab does not model `%s` of %s",
                     buf_str(&here), call->op->name);
        if (row->hint) {
            err_hint(err, "%s", row->hint);
        } else if (otherwise[0]) {
            err_hint(err, "only AWS's default `%.*s` has a meaning here", (int)strcspn(otherwise, " "), otherwise);
        }
        err_at(err, buf_str(&here), 0, 0);
    }
    buf_done(&here);
    return ok;
}

bool
unmodelled_check(const struct op_call *call, struct err *err)
{
    bool ok = true;
    for (const struct unmodelled *row = unmodelled_rows; call->op->service && row->service; row++) {
        bool fits = strcmp(row->service, call->op->service) == 0 && is_listed(row->operations, call->op->name);
        for (const char *at = row->members; fits && ok && *at; at += *at == ' ') {
            ok = check_member(call, row, at, call->in, "", err);
            at += strcspn(at, " ");
        }
    }
    return ok;
}

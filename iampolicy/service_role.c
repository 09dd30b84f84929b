#include "iampolicy/service_role.h"

#include <stddef.h>
#include <string.h>

#define ROLE(service_, name_, policy_)                                                                                 \
    {                                                                                                                  \
        service_ ".amazonaws.com", "AWSServiceRoleFor" name_, policy_, false                                           \
    }
const struct iam_service_role iam_service_roles[] = {
    { "autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling", "AutoScalingServiceRolePolicy", true },
    ROLE("elasticloadbalancing", "ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy"),
    ROLE("ecs", "ECS", "AmazonECSServiceRolePolicy"),
    ROLE("eks", "AmazonEKS", "AmazonEKSServiceRolePolicy"),
    ROLE("eks-nodegroup", "AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup"),
    ROLE("eks-fargate", "AmazonEKSForFargate", "AmazonEKSForFargateServiceRolePolicy"),
    ROLE("rds", "RDS", "AmazonRDSServiceRolePolicy"),
    ROLE("elasticache", "ElastiCache", "ElastiCacheServiceRolePolicy"),
    ROLE("spot", "EC2Spot", "AWSEC2SpotServiceRolePolicy"),
    ROLE("spotfleet", "EC2SpotFleet", "AWSEC2SpotFleetServiceRolePolicy"),
    ROLE("transitgateway", "VPCTransitGateway", "AWSVPCTransitGatewayServiceRolePolicy"),
    ROLE("ipam", "IPAM", "AWSIPAMServiceRolePolicy"),
    ROLE("s2svpn", "VPCS2SVPN", "AWSVPCS2SVpnServiceRolePolicy"),
    ROLE("verified-access", "VPCVerifiedAccess", "AWSVPCVerifiedAccessServiceRolePolicy"),
    ROLE("route53resolver", "Route53Resolver", "Route53ResolverServiceRolePolicy"),
    ROLE("organizations", "Organizations", "AWSOrganizationsServiceTrustPolicy"),
    ROLE("sso", "SSO", "AWSSSOServiceRolePolicy"),
    ROLE("trustedadvisor", "TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"),
    ROLE("cloudtrail", "CloudTrail", "CloudTrailServiceRolePolicy"),
    ROLE("access-analyzer", "AccessAnalyzer", "AccessAnalyzerServiceRolePolicy"),
    ROLE("guardduty", "AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy"),
    ROLE("securityhub", "SecurityHub", "AWSSecurityHubServiceRolePolicy"),
    ROLE("macie", "AmazonMacie", "AmazonMacieServiceRolePolicy"),
    ROLE("globalaccelerator", "GlobalAccelerator", "AWSGlobalAcceleratorSLRPolicy"),
    ROLE("ops.apigateway", "APIGateway", "APIGatewayServiceRolePolicy"),
    ROLE("elasticfilesystem", "AmazonElasticFileSystem", "AmazonElasticFileSystemServiceRolePolicy"),
    ROLE("es", "AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy"),
    ROLE("batch", "Batch", "BatchServiceRolePolicy"),
    ROLE("backup", "Backup", "AWSBackupServiceLinkedRolePolicyForBackup"),
    ROLE("replicator.lambda", "LambdaReplicator", "AWSLambdaReplicator"),
    ROLE("config-conforms", "ConfigConforms", "ConfigConformsServiceRolePolicy"),
    ROLE("ecs.application-autoscaling", "ApplicationAutoScaling_ECSService",
         "AWSApplicationAutoscalingECSServicePolicy"),
    ROLE("dynamodb.application-autoscaling", "ApplicationAutoScaling_DynamoDBTable",
         "AWSApplicationAutoscalingDynamoDBTablePolicy"),
    ROLE("lambda.application-autoscaling", "ApplicationAutoScaling_LambdaConcurrency",
         "AWSApplicationAutoscalingLambdaConcurrencyPolicy"),
    { NULL, NULL, NULL, false },
};

const struct iam_service_role *
iam_service_role_find(const char *service)
{
    const struct iam_service_role *row = iam_service_roles;
    while (row->service && strcmp(row->service, service) != 0) {
        row++;
    }
    return row->service ? row : NULL;
}

bool
iam_is_service_role_path(const char *path)
{
    return path && strncmp(path, "/aws-service-role/", 18) == 0;
}

/* Load balancers: command lines and what they answer or refuse. */
#include "tests/test.h"
#include "tests/unit/lab_story.h"

#define NAMED(type, name) " --tag-specifications ResourceType=" type ",Tags=[{Key=Name,Value=" name "}]"

TEST(balancers_listen_and_forward)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    REQUIRE(cloud, "%s", err.text);
    static const struct step steps[] = {
        { "ec2 create-vpc --cidr-block 10.0.0.0/16" NAMED("vpc", "a"), "", "" },
        { "ec2 create-vpc --cidr-block 10.1.0.0/16" NAMED("vpc", "b"), "", "" },
        { "ec2 create-subnet --vpc-id a --cidr-block 10.0.1.0/24 --availability-zone us-east-1a" NAMED("subnet", "a1"),
          "", "" },
        { "ec2 create-subnet --vpc-id a --cidr-block 10.0.2.0/24 --availability-zone us-east-1b" NAMED("subnet", "a2"),
          "", "" },
        { "ec2 create-security-group --group-name open --description d --vpc-id a", "", "" },
        { "ec2 authorize-security-group-ingress --group-id open --protocol tcp --port 80 --cidr 0.0.0.0/0", "", "" },
        { "ec2 run-instances --image-id ami-12345678 --subnet-id a2 --security-group-ids open" NAMED("instance", "web"),
          "", "" },
        { "elbv2 create-load-balancer --name web_lb --subnets a1 a2 --scheme internal", "ValidationError", "web_lb" },
        { "elbv2 create-load-balancer --name weblb --subnets a1 --scheme internal", "ValidationError", "zones" },
        { "elbv2 create-load-balancer --name weblb --subnets a1 a2", "InvalidSubnet", "internet gateway" },
        { "elbv2 create-load-balancer --name weblb --subnets a1 a2 --scheme internal --security-groups open", "",
          "\"Code\":\"active\"" },
        { "elbv2 create-load-balancer --name weblb --subnets a1 a2 --scheme internal", "DuplicateLoadBalancerName",
          "weblb" },
        { "ec2 describe-network-interfaces --filters Name=requester-id,Values=amazon-elb --query "
          "length(NetworkInterfaces)",
          "", "2" },
        { "elbv2 create-target-group --name tcp --protocol TCP --port 80 --vpc-id a", "",
          "\"TargetType\":\"instance\"" },
        { "elbv2 create-target-group --name other --protocol HTTP --port 80 --vpc-id b", "", "" },
        { "elbv2 create-target-group --name http --protocol HTTP --port 80 --vpc-id a", "",
          "\"HealthCheckPath\":\"/\"" },
        { "elbv2 register-targets --target-group-arn other --targets Id=web", "InvalidTarget", "i-" },
        { "elbv2 register-targets --target-group-arn http --targets Id=web", "", "{}" },
        { "elbv2 describe-target-health --target-group-arn http --query TargetHealthDescriptions[].TargetHealth.Reason",
          "", "[\"Target.NotInUse\"]" },
        { "elbv2 create-listener --load-balancer-arn weblb --protocol TCP --port 80 --default-actions "
          "Type=forward,TargetGroupArn=tcp",
          "ValidationError", "HTTP" },
        { "elbv2 create-listener --load-balancer-arn weblb --protocol HTTP --port 80 --default-actions "
          "Type=forward,TargetGroupArn=none",
          "TargetGroupNotFound", "none" },
        { "elbv2 create-listener --load-balancer-arn weblb --protocol HTTP --port 80 --default-actions "
          "Type=forward,TargetGroupArn=other",
          "InvalidConfigurationRequest", "vpc-" },
        { "elbv2 create-listener --load-balancer-arn weblb --protocol HTTPS --port 443 --default-actions "
          "Type=forward,TargetGroupArn=http",
          "ValidationError", "certificate" },
        { "elbv2 create-listener --load-balancer-arn weblb --protocol HTTP --port 80 --default-actions "
          "Type=forward,TargetGroupArn=http",
          "", "\"ForwardConfig\":{\"TargetGroups\":[{\"TargetGroupArn\":\"arn:aws:" },
        { "elbv2 create-listener --load-balancer-arn weblb --protocol HTTP --port 80 --default-actions "
          "Type=forward,TargetGroupArn=http",
          "DuplicateListener", "80" },
        { "elbv2 describe-target-groups --names http --query TargetGroups[].length(LoadBalancerArns)", "", "[1]" },
        { "elbv2 describe-target-health --target-group-arn http --query TargetHealthDescriptions[].TargetHealth.State",
          "", "[\"healthy\"]" },
        { "ec2 revoke-security-group-ingress --group-id open --protocol tcp --port 80 --cidr 0.0.0.0/0", "", "" },
        { "elbv2 describe-target-health --target-group-arn http --query TargetHealthDescriptions[].TargetHealth.State",
          "", "[\"unhealthy\"]" },
        { "elbv2 delete-target-group --target-group-arn http", "ResourceInUse", "weblb" },
        { "elbv2 modify-load-balancer-attributes --load-balancer-arn weblb --attributes Key=color,Value=blue",
          "ValidationError", "color" },
        { "elbv2 modify-load-balancer-attributes --load-balancer-arn weblb --attributes "
          "Key=deletion_protection.enabled,Value=true",
          "", "deletion_protection.enabled" },
        { "elbv2 delete-load-balancer --load-balancer-arn weblb", "OperationNotPermitted", "protection" },
        { "elbv2 modify-load-balancer-attributes --load-balancer-arn weblb --attributes "
          "Key=deletion_protection.enabled,Value=false",
          "", "" },
        { "elbv2 describe-listeners --load-balancer-arn weblb --query Listeners[].Port", "", "[80]" },
        { "ec2 delete-subnet --subnet-id a1", "DependencyViolation", "eni-" },
        { "elbv2 delete-load-balancer --load-balancer-arn weblb", "", "{}" },
        { "elbv2 delete-load-balancer --load-balancer-arn weblb", "", "{}" },
        { "elbv2 describe-load-balancers --names weblb", "LoadBalancerNotFound", "weblb" },
        { "elbv2 deregister-targets --target-group-arn http --targets Id=web", "", "{}" },
        { "elbv2 delete-target-group --target-group-arn http", "", "{}" },
        { "ec2 describe-network-interfaces --filters Name=requester-id,Values=amazon-elb --query NetworkInterfaces", "",
          "[]" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

TEST_MAIN

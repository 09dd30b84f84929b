#include "iampolicy/aws_policies.h"

#define STATEMENT(text) "{\n    \"Version\": \"2012-10-17\",\n    \"Statement\": [\n" text "\n    ]\n}"
#define ALLOW(actions)                                                                                                 \
    STATEMENT("        {\n            \"Effect\": \"Allow\",\n            \"Action\": [" actions                       \
              "],\n            \"Resource\": \"*\"\n        }")

const struct iam_aws_policy iam_aws_policies[] = {
    { "/", "AdministratorAccess", "v1", ALLOW("\"*\"") },
    { "/", "PowerUserAccess", "v5",
      STATEMENT("        {\n            \"Effect\": \"Allow\",\n"
                "            \"NotAction\": [\"iam:*\", \"organizations:*\", \"account:*\"],\n            "
                "\"Resource\": \"*\"\n        },\n"
                "        {\n            \"Effect\": \"Allow\",\n"
                "            \"Action\": [\"account:GetAccountInformation\", \"account:GetPrimaryEmail\", "
                "\"account:ListRegions\",\n"
                "                       \"iam:CreateServiceLinkedRole\", \"iam:DeleteServiceLinkedRole\", "
                "\"iam:ListRoles\",\n"
                "                       \"organizations:DescribeOrganization\"],\n            \"Resource\": \"*\"\n    "
                "    }") },
    { "/", "AmazonS3FullAccess", "v2", ALLOW("\"s3:*\", \"s3-object-lambda:*\"") },
    { "/", "AmazonS3ReadOnlyAccess", "v3",
      ALLOW("\"s3:Get*\", \"s3:List*\", \"s3:Describe*\", \"s3-object-lambda:Get*\", \"s3-object-lambda:List*\"") },
    { "/", "AmazonEC2FullAccess", "v5",
      STATEMENT("        {\n            \"Action\": \"ec2:*\",\n            \"Effect\": \"Allow\",\n            "
                "\"Resource\": \"*\"\n        },\n"
                "        {\n            \"Effect\": \"Allow\",\n            \"Action\": \"elasticloadbalancing:*\",\n  "
                "          \"Resource\": \"*\"\n        },\n"
                "        {\n            \"Effect\": \"Allow\",\n            \"Action\": \"cloudwatch:*\",\n            "
                "\"Resource\": \"*\"\n        },\n"
                "        {\n            \"Effect\": \"Allow\",\n            \"Action\": \"autoscaling:*\",\n           "
                " \"Resource\": \"*\"\n        },\n"
                "        {\n            \"Effect\": \"Allow\",\n            \"Action\": "
                "\"iam:CreateServiceLinkedRole\",\n            \"Resource\": \"*\",\n"
                "            \"Condition\": {\n                \"StringEquals\": {\n                    "
                "\"iam:AWSServiceName\": [\n"
                "                        \"autoscaling.amazonaws.com\", \"ec2scheduled.amazonaws.com\",\n"
                "                        \"elasticloadbalancing.amazonaws.com\", \"spot.amazonaws.com\",\n"
                "                        \"spotfleet.amazonaws.com\", \"transitgateway.amazonaws.com\"\n"
                "                    ]\n                }\n            }\n        }") },
    { "/", "AmazonEC2ReadOnlyAccess", "v2",
      ALLOW("\"ec2:Describe*\", \"ec2:GetSecurityGroupsForVpc\", \"elasticloadbalancing:Describe*\",\n"
            "                       \"cloudwatch:ListMetrics\", \"cloudwatch:GetMetricStatistics\", "
            "\"cloudwatch:Describe*\",\n"
            "                       \"autoscaling:Describe*\"") },
    { "/", "IAMFullAccess", "v2",
      ALLOW("\"iam:*\", \"organizations:DescribeAccount\", \"organizations:DescribeOrganization\",\n"
            "                       \"organizations:DescribeOrganizationalUnit\", \"organizations:DescribePolicy\",\n"
            "                       \"organizations:ListChildren\", \"organizations:ListParents\",\n"
            "                       \"organizations:ListPoliciesForTarget\", \"organizations:ListRoots\",\n"
            "                       \"organizations:ListPolicies\", \"organizations:ListTargetsForPolicy\"") },
    { "/", "IAMReadOnlyAccess", "v4",
      ALLOW(
          "\"iam:GenerateCredentialReport\", \"iam:GenerateServiceLastAccessedDetails\", \"iam:Get*\", \"iam:List*\",\n"
          "                       \"iam:SimulateCustomPolicy\", \"iam:SimulatePrincipalPolicy\"") },
    { "/", "IAMUserChangePassword", "v2",
      STATEMENT(
          "        {\n            \"Effect\": \"Allow\",\n            \"Action\": [\"iam:ChangePassword\"],\n"
          "            \"Resource\": [\"arn:aws:iam::*:user/${aws:username}\"]\n        },\n"
          "        {\n            \"Effect\": \"Allow\",\n            \"Action\": [\"iam:GetAccountPasswordPolicy\"],\n"
          "            \"Resource\": \"*\"\n        }") },
    { "/", "AmazonSQSFullAccess", "v1", ALLOW("\"sqs:*\"") },
    { "/", "AmazonSQSReadOnlyAccess", "v4",
      ALLOW("\"sqs:GetQueueAttributes\", \"sqs:GetQueueUrl\", \"sqs:ListDeadLetterSourceQueues\",\n"
            "                       \"sqs:ListMessageMoveTasks\", \"sqs:ListQueues\", \"sqs:ListQueueTags\"") },
    { "/", "AmazonSNSFullAccess", "v1", ALLOW("\"sns:*\"") },
    { "/", "AmazonSNSReadOnlyAccess", "v1", ALLOW("\"sns:GetTopicAttributes\", \"sns:List*\"") },
    { "/service-role/", "AWSLambdaBasicExecutionRole", "v1",
      ALLOW("\"logs:CreateLogGroup\", \"logs:CreateLogStream\", \"logs:PutLogEvents\"") },
    { "/", "AmazonSSMManagedInstanceCore", "v2",
      STATEMENT(
          "        {\n            \"Effect\": \"Allow\",\n"
          "            \"Action\": [\"ssm:DescribeAssociation\", \"ssm:GetDeployablePatchSnapshotForInstance\", "
          "\"ssm:GetDocument\",\n"
          "                       \"ssm:DescribeDocument\", \"ssm:GetManifest\", \"ssm:GetParameter\", "
          "\"ssm:GetParameters\",\n"
          "                       \"ssm:ListAssociations\", \"ssm:ListInstanceAssociations\", \"ssm:PutInventory\",\n"
          "                       \"ssm:PutComplianceItems\", \"ssm:PutConfigurePackageResult\",\n"
          "                       \"ssm:UpdateAssociationStatus\", \"ssm:UpdateInstanceAssociationStatus\",\n"
          "                       \"ssm:UpdateInstanceInformation\"],\n            \"Resource\": \"*\"\n        },\n"
          "        {\n            \"Effect\": \"Allow\",\n"
          "            \"Action\": [\"ssmmessages:CreateControlChannel\", \"ssmmessages:CreateDataChannel\",\n"
          "                       \"ssmmessages:OpenControlChannel\", \"ssmmessages:OpenDataChannel\"],\n            "
          "\"Resource\": \"*\"\n        },\n"
          "        {\n            \"Effect\": \"Allow\",\n"
          "            \"Action\": [\"ec2messages:AcknowledgeMessage\", \"ec2messages:DeleteMessage\", "
          "\"ec2messages:FailMessage\",\n"
          "                       \"ec2messages:GetEndpoint\", \"ec2messages:GetMessages\", "
          "\"ec2messages:SendReply\"],\n"
          "            \"Resource\": \"*\"\n        }") },
    { NULL, NULL, NULL, NULL },
};

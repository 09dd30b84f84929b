# What an account has beside users and roles: its alias, identity providers, service-linked roles, reports of last use.
load helper

PROVIDER=arn:aws:iam::123456789012:oidc-provider/token.example.com

@test "an account has one alias, and no other account has the same" {
    vpclab iam create-account-alias --account-alias acme-dev
    vpclab iam create-account-alias --account-alias acme-test
    says acme-test vpclab iam list-account-aliases --query 'AccountAliases[0]' -o text
    says 1 vpclab iam list-account-aliases --query 'length(AccountAliases)' -o text
    wrong 4 "3 to 63 small letters" vpclab iam create-account-alias --account-alias Acme
    wrong 4 "3 to 63 small letters" vpclab iam create-account-alias --account-alias a--b
    wrong 4 "the account's alias is \`acme-test\`" vpclab iam delete-account-alias --account-alias acme-dev
    wrong 2 "--account-alias" vpclab iam create-account-alias --account-alias ''
    vpclab organizations create-organization --feature-set ALL >/dev/null
    vpclab organizations create-account --account-name prod --email p@example.com >/dev/null
    wrong 4 EntityAlreadyExists vpclab --as prod iam create-account-alias --account-alias acme-test
    vpclab iam delete-account-alias --account-alias acme-test
    says 0 vpclab iam list-account-aliases --query 'length(AccountAliases)' -o text
}

@test "an OpenID Connect provider has client ids, thumbprints and tags" {
    vpclab iam create-open-id-connect-provider --url https://token.example.com --client-id-list one --tags Key=team,Value=blue \
        --thumbprint-list AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDD >/dev/null
    wrong 4 EntityAlreadyExists vpclab iam create-open-id-connect-provider --url https://token.example.com
    wrong 4 "https://HOST" vpclab iam create-open-id-connect-provider --url http://token.example.com
    wrong 4 "https://HOST" vpclab iam create-open-id-connect-provider --url 'https://token.example.com?x=1'
    wrong 4 "40 hexadecimal digits" vpclab iam create-open-id-connect-provider --url https://b.example.com \
        --thumbprint-list gggggggggggggggggggggggggggggggggggggggg
    vpclab iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn $PROVIDER --client-id two
    vpclab iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn $PROVIDER --client-id two
    vpclab iam remove-client-id-from-open-id-connect-provider --open-id-connect-provider-arn $PROVIDER --client-id one
    vpclab iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn $PROVIDER \
        --thumbprint-list 1111111111111111111111111111111111111111
    vpclab iam tag-open-id-connect-provider --open-id-connect-provider-arn $PROVIDER --tags Key=env,Value=dev
    vpclab iam untag-open-id-connect-provider --open-id-connect-provider-arn $PROVIDER --tag-keys team
    says 'token.example.com two 1111111111111111111111111111111111111111 env' vpclab iam get-open-id-connect-provider \
        --open-id-connect-provider-arn $PROVIDER --query "join(' ', [Url, ClientIDList[], ThumbprintList[], Tags[].Key][])" -o text
    says $PROVIDER vpclab iam list-open-id-connect-providers --query 'OpenIDConnectProviderList[].Arn' -o text
    wrong 4 NoSuchEntity vpclab iam get-open-id-connect-provider --open-id-connect-provider-arn ${PROVIDER}x
    wrong 4 InvalidInput vpclab iam get-open-id-connect-provider --open-id-connect-provider-arn arn:aws:iam::123456789012:user/alice
    vpclab iam delete-open-id-connect-provider --open-id-connect-provider-arn $PROVIDER
    vpclab iam delete-open-id-connect-provider --open-id-connect-provider-arn $PROVIDER # AWS: no error where there is none
    says 0 vpclab iam list-open-id-connect-providers --query 'length(OpenIDConnectProviderList)' -o text
}

metadata() # ENTITY: at least a thousand characters, as AWS demands
{
    printf '<?xml version="1.0"?>\n<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s" validUntil="2030-01-02T00:00:00Z">\n<md:IDPSSODescriptor/>\n<!-- %01000d -->\n</md:EntityDescriptor>\n' "$1" 0
}

@test "a SAML provider is known by its metadata" {
    metadata https://idp.example.com >"$DIR/idp.xml"
    arn=$(vpclab iam create-saml-provider --name idp --saml-metadata-document "file://$DIR/idp.xml" --query SAMLProviderArn -o text)
    [ "$arn" = arn:aws:iam::123456789012:saml-provider/idp ]
    says '2030-01-02T00:00:00Z' vpclab iam list-saml-providers --query 'SAMLProviderList[0].ValidUntil' -o text
    vpclab iam get-saml-provider --saml-provider-arn "$arn" --query SAMLMetadataDocument -o text | grep -q 'entityID="https://idp.example.com"'
    wrong 4 EntityAlreadyExists vpclab iam create-saml-provider --name idp --saml-metadata-document "file://$DIR/idp.xml"
    sed 's/entityID/entityId/' "$DIR/idp.xml" >"$DIR/bad.xml"
    wrong 4 "Could not parse metadata" vpclab iam create-saml-provider --name other --saml-metadata-document "file://$DIR/bad.xml"
    wrong 4 "Could not parse metadata" vpclab iam update-saml-provider --saml-provider-arn "$arn" --saml-metadata-document "file://$DIR/bad.xml"
    wrong 2 "--saml-metadata-document" vpclab iam create-saml-provider --name other --saml-metadata-document '<x/>'
    wrong 4 "not modelled" vpclab iam update-saml-provider --saml-provider-arn "$arn" --assertion-encryption-mode Allowed
    vpclab iam delete-saml-provider --saml-provider-arn "$arn"
    wrong 4 NoSuchEntity vpclab iam get-saml-provider --saml-provider-arn "$arn"
}

@test "a service-linked role is its service's own" {
    vpclab iam create-service-linked-role --aws-service-name elasticloadbalancing.amazonaws.com >/dev/null
    name=AWSServiceRoleForElasticLoadBalancing
    wrong 4 "has been taken" vpclab iam create-service-linked-role --aws-service-name elasticloadbalancing.amazonaws.com
    wrong 4 "not allowed" vpclab iam create-service-linked-role --aws-service-name ecs.amazonaws.com --custom-suffix x
    wrong 4 'did you mean `autoscaling.amazonaws.com`' vpclab iam create-service-linked-role --aws-service-name autoscaling
    wrong 4 UnmodifiableEntity vpclab iam delete-role --role-name $name
    wrong 4 UnmodifiableEntity vpclab iam attach-role-policy --role-name $name --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess
    vpclab iam tag-role --role-name $name --tags Key=a,Value=b
    says arn:aws:iam::aws:policy/aws-service-role/AWSElasticLoadBalancingServiceRolePolicy \
        vpclab iam list-attached-role-policies --role-name $name --query 'AttachedPolicies[].PolicyArn' -o text
    vpc=$(vpclab -q ec2 create-vpc --cidr-block 10.0.0.0/16)
    a=$(vpclab -q ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a)
    b=$(vpclab -q ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.2.0/24 --availability-zone us-east-1b)
    lb=$(vpclab elbv2 create-load-balancer --name web --scheme internal --subnets "$a" "$b" --query 'LoadBalancers[0].LoadBalancerArn' -o text)
    task=$(vpclab iam delete-service-linked-role --role-name $name --query DeletionTaskId -o text)
    says FAILED vpclab iam get-service-linked-role-deletion-status --deletion-task-id "$task" --query Status -o text
    says "$lb" vpclab iam get-service-linked-role-deletion-status --deletion-task-id "$task" \
        --query 'Reason.RoleUsageList[0].Resources[0]' -o text
    vpclab elbv2 delete-load-balancer --load-balancer-arn "$lb"
    task=$(vpclab iam delete-service-linked-role --role-name $name --query DeletionTaskId -o text)
    says SUCCEEDED vpclab iam get-service-linked-role-deletion-status --deletion-task-id "$task" --query Status -o text
    wrong 4 NoSuchEntity vpclab iam get-role --role-name $name
    wrong 4 NoSuchEntity vpclab iam get-service-linked-role-deletion-status --deletion-task-id task/none
    vpclab iam create-role --role-name plain --assume-role-policy-document '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}' >/dev/null
    wrong 4 "is not linked to a service" vpclab iam delete-service-linked-role --role-name plain
}

@test "the journal tells when a service was last used, and by whom" {
    vpclab iam create-group --group-name ops >/dev/null
    for u in alice bob; do
        vpclab iam create-user --user-name $u >/dev/null
        vpclab iam add-user-to-group --group-name ops --user-name $u
    done
    vpclab iam put-group-policy --group-name ops --policy-name look --policy-document \
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:Describe*","sqs:*"],"Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}'
    vpclab --as alice ec2 describe-vpcs >/dev/null
    run vpclab --as alice ec2 create-vpc --cidr-block 10.0.0.0/16 # refused attempts count too
    [ "$status" = 4 ]
    details() # ARN, GRANULARITY, QUERY
    {
        vpclab iam get-service-last-accessed-details --query "$3" -o text --job-id \
            "$(vpclab iam generate-service-last-accessed-details --arn "arn:aws:iam::123456789012:$1" --granularity "$2" --query JobId -o text)"
    }
    says 'ec2 sqs' details user/alice SERVICE_LEVEL "join(' ', ServicesLastAccessed[].ServiceNamespace)"
    says 'Amazon EC2 1 arn:aws:iam::123456789012:user/alice' details group/ops SERVICE_LEVEL \
        "join(' ', [ServicesLastAccessed[0].ServiceName, to_string(ServicesLastAccessed[0].TotalAuthenticatedEntities), ServicesLastAccessed[0].LastAuthenticatedEntity])"
    says 0 details user/bob SERVICE_LEVEL 'ServicesLastAccessed[0].TotalAuthenticatedEntities'
    says DescribeVpcs details user/alice ACTION_LEVEL \
        'ServicesLastAccessed[0].TrackedActionsLastAccessed[?LastAccessedTime].ActionName'
    job=$(vpclab iam generate-service-last-accessed-details --arn arn:aws:iam::123456789012:group/ops --query JobId -o text)
    says 'alice bob' vpclab iam get-service-last-accessed-details-with-entities --job-id "$job" --service-namespace ec2 \
        --query "join(' ', EntityDetailsList[].EntityInfo.Name)" -o text
    says alice vpclab iam get-service-last-accessed-details-with-entities --job-id "$job" --service-namespace ec2 \
        --query 'EntityDetailsList[?LastAuthenticated].EntityInfo.Name' -o text
    wrong 4 NoSuchEntity vpclab iam generate-service-last-accessed-details --arn arn:aws:iam::123456789012:user/carol
    wrong 4 InvalidInput vpclab iam generate-service-last-accessed-details --arn arn:aws:s3:::some-bucket-of-mine
    wrong 4 NoSuchEntity vpclab iam get-service-last-accessed-details --job-id 00000000-0000-0000-0000-000000000000
}

@test "policies that grant a service are listed, with whose they are" {
    vpclab iam create-user --user-name alice >/dev/null
    vpclab iam create-group --group-name ops >/dev/null
    vpclab iam add-user-to-group --group-name ops --user-name alice
    vpclab iam put-group-policy --group-name ops --policy-name queues --policy-document \
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:Send*","Resource":"*"}}'
    vpclab iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess
    q() { vpclab iam list-policies-granting-service-access --arn arn:aws:iam::123456789012:user/alice --service-namespaces sqs s3 --query "$1" -o text; }
    says 'queues ReadOnlyAccess' q "join(' ', sort_by(PoliciesGrantingServiceAccess[0].Policies, &PolicyType)[].PolicyName)"
    says ops q "PoliciesGrantingServiceAccess[0].Policies[?PolicyType=='INLINE'].EntityName"
    says ReadOnlyAccess q 'PoliciesGrantingServiceAccess[1].Policies[].PolicyName'
    wrong 4 'is not a service' vpclab iam list-policies-granting-service-access --arn arn:aws:iam::123456789012:user/alice --service-namespaces sqsx
}

@test "these operations are asked for with the right resources" {
    vpclab iam create-user --user-name alice >/dev/null
    vpclab iam put-user-policy --user-name alice --policy-name p --policy-document '{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"arn:aws:iam::*:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS","Condition":{"StringEquals":{"iam:AWSServiceName":"ecs.amazonaws.com"}}},
        {"Effect":"Allow","Action":"iam:CreateOpenIDConnectProvider","Resource":"arn:aws:iam::*:oidc-provider/good.example.com"},
        {"Effect":"Allow","Action":["iam:GenerateServiceLastAccessedDetails","iam:ListPoliciesGrantingServiceAccess"],"Resource":"arn:aws:iam::*:user/${aws:username}"}]}'
    vpclab --as alice iam create-service-linked-role --aws-service-name ecs.amazonaws.com >/dev/null
    wrong 4 AccessDenied vpclab --as alice iam create-service-linked-role --aws-service-name rds.amazonaws.com
    vpclab --as alice iam create-open-id-connect-provider --url https://good.example.com >/dev/null
    wrong 4 "on resource: arn:aws:iam::123456789012:oidc-provider/bad.example.com" \
        vpclab --as alice iam create-open-id-connect-provider --url https://bad.example.com
    vpclab --as alice iam generate-service-last-accessed-details --arn arn:aws:iam::123456789012:user/alice >/dev/null
    wrong 4 AccessDenied vpclab --as alice iam generate-service-last-accessed-details --arn arn:aws:iam::aws:policy/ReadOnlyAccess
    vpclab --as alice iam list-policies-granting-service-access --arn arn:aws:iam::123456789012:user/alice --service-namespaces ec2 >/dev/null
    wrong 4 AccessDenied vpclab --as alice iam create-account-alias --account-alias mine
}

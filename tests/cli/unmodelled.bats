# What the lab has no meaning for is refused, in every service; AWS's own default passes; what is accepted is done.
load helper

id() { vpclab "$@" -o text; }

@test "an option that the lab does not model is refused by its name, and nothing changes" {
    vpclab s3api create-bucket --bucket box >/dev/null
    vpclab logs create-log-group --log-group-name g
    local service operation option rest
    # SERVICE OPERATION OPTION VALUE...; the option is what the error begins with.
    while read -r service operation option rest; do
        # shellcheck disable=SC2086 # words
        wrong 4 "error: $option" vpclab "$service" "$operation" ${option%%[.\[]*} $rest
        grep -q 'vpclab does not model' "$DIR/err"
    done <<'LINES'
acm request-certificate --options.Export Export=ENABLED --domain-name a.example
acm list-certificates --includes.keyUsage keyUsage=ANY
cloudwatch get-metric-data --metric-data-queries[0].Expression Id=a,Expression=1+1 --start-time 2026-01-01T00:00:00Z --end-time 2026-01-01T01:00:00Z
ec2 create-vpc --ipv4-ipam-pool-id p --cidr-block 10.0.0.0/16
ec2 create-vpc --vpc-encryption-control Mode=enforce --cidr-block 10.0.0.0/16
ec2 run-instances --monitoring.Enabled Enabled=true --image-id ami-0123456789abcdef0
elb create-load-balancer --availability-zones us-east-1a --load-balancer-name a --listeners Protocol=TCP,LoadBalancerPort=80,InstancePort=80
elbv2 create-target-group --target-control-port 80 --name t --protocol TCP --port 80
elbv2 create-rule --conditions[0].HostHeaderConfig.RegexValues Field=host-header,HostHeaderConfig={RegexValues=[a]} --listener-arn a --priority 1 --actions Type=forward
elbv2 create-listener --tags Key=a,Value=b --load-balancer-arn a --default-actions Type=forward
elbv2 register-targets --targets[0].QuicServerId Id=i-1,QuicServerId=0x1 --target-group-arn a
iam list-policies-granting-service-access --marker 1 --arn arn:aws:iam::123456789012:user/u --service-namespaces s3
kms create-key --xks-key-id a
logs create-log-group --deletion-protection-enabled --log-group-name h
logs filter-log-events --unmask --log-group-name g
logs describe-log-groups --account-identifiers 111122223333
ram create-resource-share --sources 111122223333 --name s
route53 create-hosted-zone --delegation-set-id d --name a.example --caller-reference c
s3api create-bucket --create-bucket-configuration.Tags Tags=[{Key=a,Value=b}] --bucket other
s3api delete-objects --delete.Objects[0].ETag Objects=[{Key=a,ETag=x}] --bucket box
s3api put-bucket-versioning --mfa 123 --bucket box --versioning-configuration Status=Enabled
organizations create-account --iam-user-access-to-billing DENY --email a@b.example --account-name d
LINES
}

@test "what AWS would take anyway, and an empty list, pass" {
    vpclab acm request-certificate --domain-name a.example --options CertificateTransparencyLoggingPreference=ENABLED,Export=DISABLED >/dev/null
    vpclab logs create-log-group --log-group-name g --no-deletion-protection-enabled
    vpclab logs filter-log-events --log-group-name g --no-unmask >/dev/null
    vpclab ec2 run-instances --image-id ami-0123456789abcdef0 --monitoring Enabled=false --no-ebs-optimized --block-device-mappings '[]' \
        --instance-initiated-shutdown-behavior stop --hibernation-options Configured=false >/dev/null
    wrong 4 "only AWS's default \`stop\`" vpclab ec2 run-instances --image-id ami-0123456789abcdef0 --instance-initiated-shutdown-behavior terminate
}

@test "a certificate is asked for once with one token for one request" {
    ask() { id acm request-certificate --query CertificateArn "$@"; }
    local first
    first=$(ask --domain-name a.example --idempotency-token t1)
    [ "$(ask --domain-name a.example --idempotency-token t1)" = "$first" ]
    [ "$(ask --domain-name a.example --idempotency-token t2)" != "$first" ]
    [ "$(ask --domain-name b.example --idempotency-token t1)" != "$first" ]
    [ "$(id acm list-certificates --query 'length(CertificateSummaryList)')" = 3 ]
}

@test "lists page where botocore names no pages, and buckets by region" {
    [ "$(id ram list-resource-types --max-results 1 --query 'length(resourceTypes)')" = 1 ]
    local second
    second=$(id ram list-resource-types --query 'resourceTypes[1].resourceType')
    [ "$(id ram list-resource-types --max-results 1 --next-token "$(id ram list-resource-types --max-results 1 --query nextToken)" --query 'resourceTypes[0].resourceType')" = "$second" ]
    wrong 4 'is not a token of this list' vpclab ram list-resource-types --next-token x
    vpclab s3api create-bucket --bucket one >/dev/null
    vpclab s3api create-bucket --bucket two >/dev/null
    vpclab --region eu-west-1 s3api create-bucket --bucket far --create-bucket-configuration LocationConstraint=eu-west-1 >/dev/null
    [ "$(id s3api list-buckets --bucket-region eu-west-1 --query 'Buckets[].Name')" = far ]
    [ "$(id s3api list-buckets --max-items 1 --query 'length(Buckets)')" = 1 ]
    [ "$(id s3api list-buckets --max-buckets 2 --query 'length(Buckets)')" = 2 ]
    vpclab s3api put-object --bucket one --key k >/dev/null
    [ "$(id s3api list-objects-v2 --bucket one --fetch-owner --query 'Contents[0].Owner.ID')" = 123456789012 ]
    [ "$(id s3api list-objects-v2 --bucket one --query 'Contents[0].Owner.ID')" = None ]
    vpclab s3api put-object --bucket one --key 'a b/%' >/dev/null
    [ "$(id s3api list-objects-v2 --bucket one --encoding-type url --query 'Contents[0].Key')" = a+b/%25 ]
    [ "$(id s3api list-objects-v2 --bucket one --encoding-type url --delimiter / --query 'CommonPrefixes[0].Prefix')" = a+b/ ]
}

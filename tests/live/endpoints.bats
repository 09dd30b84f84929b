#!/usr/bin/env bats
# VPC endpoints with something behind them.
load ../cli/helper
load services

s3=http://s3.us-east-1.amazonaws.com

@test "gateway endpoint: its routes lead to the service without the internet; groups and ACLs are asked" {
    setup_lab
    run_instance web a --private-ip-address 10.0.1.10
    run_instance db b
    vpclab ec2 create-route-table --vpc-id main --tag-specifications 'ResourceType=route-table,Tags=[{Key=Name,Value=private}]' >/dev/null
    vpclab ec2 associate-route-table --route-table-id private --subnet-id a >/dev/null
    up
    [ "$(code web http://dynamodb.us-east-1.amazonaws.com/)" = 000 ]
    vpce=$(vpclab ec2 create-vpc-endpoint --vpc-id main --service-name com.amazonaws.us-east-1.dynamodb --route-table-ids private \
        --query VpcEndpoint.VpcEndpointId --output text)
    [ "$(get web http://dynamodb.us-east-1.amazonaws.com/)" = "com.amazonaws.us-east-1.dynamodb by $vpce: hello 10.0.1.10" ]
    [ "$(code db http://dynamodb.us-east-1.amazonaws.com/)" = 000 ] # its subnet has another table
    group=$(vpclab ec2 describe-instances --filters Name=tag:Name,Values=web --query 'Reservations[0].Instances[0].SecurityGroups[0].GroupId' --output text)
    vpclab ec2 revoke-security-group-egress --group-id "$group" --protocol -1 --cidr 0.0.0.0/0 >/dev/null
    [ "$(code web http://dynamodb.us-east-1.amazonaws.com/)" = 000 ]
    list=$(vpclab ec2 describe-prefix-lists --filters Name=prefix-list-name,Values=com.amazonaws.us-east-1.dynamodb --query 'PrefixLists[0].PrefixListId' --output text)
    vpclab ec2 authorize-security-group-egress --group-id "$group" --ip-permissions "IpProtocol=tcp,FromPort=80,ToPort=80,PrefixListIds=[{PrefixListId=$list}]" >/dev/null
    [ "$(code web http://dynamodb.us-east-1.amazonaws.com/)" = 200 ]
    vpclab ec2 delete-vpc-endpoints --vpc-endpoint-ids "$vpce" >/dev/null
    [ "$(code web http://dynamodb.us-east-1.amazonaws.com/)" = 000 ]
    vpclab verify
}

@test "interface endpoint: an interface with groups, found by its private name" {
    setup_lab
    vpclab ec2 modify-vpc-attribute --vpc-id main --enable-dns-hostnames
    run_instance web b --private-ip-address 10.0.2.10
    vpclab ec2 create-security-group --group-name door --description x --vpc-id main >/dev/null
    up
    vpce=$(vpclab ec2 create-vpc-endpoint --vpc-id main --vpc-endpoint-type Interface --service-name com.amazonaws.us-east-1.sqs --subnet-ids a \
        --security-group-ids door --private-dns-enabled --query VpcEndpoint.VpcEndpointId --output text)
    address=$(vpclab ec2 describe-network-interfaces --filters Name=interface-type,Values=vpc_endpoint --query 'NetworkInterfaces[0].PrivateIpAddress' --output text)
    [ "$(vpclab exec web -- getent hosts sqs.us-east-1.amazonaws.com | cut -d' ' -f1)" = "$address" ]
    [ "$(code web https://sqs.us-east-1.amazonaws.com/)" = 000 ]
    vpclab ec2 authorize-security-group-ingress --group-id door --protocol tcp --port 443 --cidr 10.0.2.0/24 >/dev/null
    [ "$(get web https://sqs.us-east-1.amazonaws.com/)" = "com.amazonaws.us-east-1.sqs by $vpce: hello 10.0.2.10" ]
    [ "$(code web http://sqs.us-east-1.amazonaws.com:443/)" = 000 ] # TLS is spoken there
    name=$(vpclab ec2 describe-vpc-endpoints --vpc-endpoint-ids "$vpce" --query 'VpcEndpoints[0].DnsEntries[0].DnsName' --output text)
    vpclab ec2 modify-vpc-endpoint --vpc-endpoint-id "$vpce" --no-private-dns-enabled >/dev/null
    [ "$(code web https://sqs.us-east-1.amazonaws.com/)" = 000 ]
    [ "$(get web "https://$name/")" = "com.amazonaws.us-east-1.sqs by $vpce: hello 10.0.2.10" ] # by its own name
    [ "$(code web "https://$address/")" = 000 ]                                                  # which an address is not
    [ "$(code web "https://$address/" -k)" = 200 ]
    vpclab verify
}

@test "S3: signed requests are decided by the lab's IAM and the endpoint's policy" {
    setup_lab
    vpclab iam create-role --role-name app --assume-role-policy-document \
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}' >/dev/null
    vpclab iam create-instance-profile --instance-profile-name app >/dev/null
    vpclab iam add-role-to-instance-profile --instance-profile-name app --role-name app
    vpclab s3api create-bucket --bucket photos >/dev/null
    run_instance web a --iam-instance-profile Name=app
    vpclab ec2 create-route-table --vpc-id main --tag-specifications 'ResourceType=route-table,Tags=[{Key=Name,Value=private}]' >/dev/null
    vpclab ec2 associate-route-table --route-table-id private --subnet-id a >/dev/null
    vpce=$(vpclab ec2 create-vpc-endpoint --vpc-id main --service-name com.amazonaws.us-east-1.s3 --route-table-ids private \
        --query VpcEndpoint.VpcEndpointId --output text)
    up
    credentials=$(get web http://169.254.169.254/latest/meta-data/iam/security-credentials/app)
    key=$(jq -r .AccessKeyId <<<"$credentials") secret=$(jq -r .SecretAccessKey <<<"$credentials") token=$(jq -r .Token <<<"$credentials")
    signed() { # URL OPTION...: body and status
        vpclab exec web -- curl -s -m 20 -w '\n%{http_code}' --aws-sigv4 aws:amz:us-east-1:s3 --user "$key:$secret" \
            -H "X-Amz-Security-Token: $token" "${@:2}" "$1"
    }
    url=http://photos.s3.us-east-1.amazonaws.com
    run signed $url/cat.txt -X PUT -d meow
    [[ "$output" == *"<Code>AccessDenied</Code>"*403 ]]
    vpclab iam put-role-policy --role-name app --policy-name photos --policy-document \
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::photos","arn:aws:s3:::photos/*"]}]}' >/dev/null
    [ "$(signed $url/cat.txt -X PUT -d meow | tail -1)" = 200 ]
    [ "$(signed $url/cat.txt)" = $'meow\n200' ]
    [ "$(signed $s3/photos/cat.txt)" = $'meow\n200' ] # by path
    [ "$(vpclab s3api head-object --bucket photos --key cat.txt --query ContentLength)" = 4 ]
    [[ "$(signed "$url/?list-type=2")" == *"<Key>cat.txt</Key><Size>4</Size>"*200 ]]
    [[ "$(signed $url/dog.txt)" == *"<Code>NoSuchKey</Code>"*404 ]]
    # Signatures count: nobody, a wrong secret, a session without its token.
    [ "$(code web $url/cat.txt)" = 403 ]
    token=x run signed $url/cat.txt
    [[ "$output" == *InvalidToken*400 ]]
    secret=x run signed $url/cat.txt
    [[ "$output" == *SignatureDoesNotMatch*403 ]]
    # The endpoint's policy narrows; the bucket's may ask which endpoint it was.
    vpclab ec2 modify-vpc-endpoint --vpc-endpoint-id "$vpce" --policy-document \
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}]}' >/dev/null
    [ "$(signed $url/cat.txt | tail -1)" = 200 ]
    [ "$(signed $url/cat.txt -X DELETE | tail -1)" = 403 ]
    vpclab ec2 modify-vpc-endpoint --vpc-endpoint-id "$vpce" --reset-policy >/dev/null
    deny() {
        vpclab s3api put-bucket-policy --bucket photos --policy \
            "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::photos/*\",\"Condition\":{\"StringNotEquals\":{\"aws:SourceVpce\":\"$1\"}}}]}"
    }
    deny vpce-0123456789abcdef0
    [ "$(signed $url/cat.txt | tail -1)" = 403 ]
    deny "$vpce"
    [ "$(signed $url/cat.txt | tail -1)" = 200 ]
    # Only inside TLS: the same request on 443, with a certificate that the instance trusts.
    vpclab s3api put-bucket-policy --bucket photos --policy \
        '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}'
    [ "$(signed $url/cat.txt | tail -1)" = 403 ]
    [ "$(signed ${url/http:/https:}/cat.txt)" = $'meow\n200' ]
    [ "$(signed ${s3/http:/https:}/photos/cat.txt)" = $'meow\n200' ]
    [ "$(signed $url/cat.txt -X DELETE | tail -1)" = 204 ]
    [ "$(signed ${url/http:/https:}/cat.txt | tail -1)" = 404 ]
    grep -q "\"eventName\":\"GetObject\".*\"sourceIPAddress\":\"10.0.1" "$XDG_DATA_HOME"/vpclab/labs/default/journal.jsonl
}

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
    [ "$(code web http://sqs.us-east-1.amazonaws.com:443/)" = 000 ]
    vpclab ec2 authorize-security-group-ingress --group-id door --protocol tcp --port 443 --cidr 10.0.2.0/24 >/dev/null
    [ "$(get web http://sqs.us-east-1.amazonaws.com:443/)" = "com.amazonaws.us-east-1.sqs by $vpce: hello 10.0.2.10" ]
    vpclab ec2 modify-vpc-endpoint --vpc-endpoint-id "$vpce" --no-private-dns-enabled >/dev/null
    [ "$(code web http://sqs.us-east-1.amazonaws.com:443/)" = 000 ]
    [ "$(code web "http://$address:443/")" = 200 ]
    vpclab verify
}

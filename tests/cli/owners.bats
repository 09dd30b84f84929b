# Interfaces that services own, secondary addresses, instances of several interfaces.
load helper

# eni ID IP DESCRIPTION TYPE REQUESTER: as describe-network-interfaces prints it.
eni() {
    printf '{"NetworkInterfaceId":"%s","VpcId":"%s","SubnetId":"%s","PrivateIpAddress":"%s","Description":"%s","InterfaceType":"%s","RequesterId":"%s","RequesterManaged":true,"Status":"in-use","SourceDestCheck":true,"Groups":[{"GroupId":"%s","GroupName":"default"}],"Attachment":{"AttachmentId":"eni-attach-0","InstanceOwnerId":"amazon-aws","DeviceIndex":1,"Status":"attached"}}' \
        "$1" "$vpc" "$subnet" "$2" "$3" "$4" "$5" "$group"
}
account() {
    vpclab ec2 run-instances --image-id ami-12345678 --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=web}]' >/dev/null
    read -r vpc subnet group < <(vpclab ec2 describe-instances --query 'Reservations[0].Instances[0].[VpcId,SubnetId,SecurityGroups[0].GroupId]' --output text)
    mkdir "$DIR/dump"
    {
        printf '{"NetworkInterfaces":['
        eni eni-0db 172.31.0.201 RDSNetworkInterface interface amazon-rds
        printf ,
        eni eni-0fn 172.31.0.202 'AWS Lambda VPC ENI-orders-11111111-2222-3333-4444-555555555555' lambda AROAEXAMPLE:orders
        printf ,
        eni eni-0fs 172.31.0.203 'EFS mount target for fs-0123456789abcdef0 (fsmt-0123456789abcdef0)' interface 123456789012
        printf ,
        eni eni-0ca 172.31.0.204 'ElastiCache sessions-001' interface amazon-elasticache
        printf ,
        eni eni-0ec 172.31.0.205 'arn:aws:ecs:us-east-1:123456789012:attachment/aaaa-bbbb' interface 123456789012
        printf ']}'
    } >"$DIR/dump/NetworkInterfaces.json"
    vpclab import aws "$DIR/dump" >/dev/null
}

@test "interfaces of services have names, groups and verdicts, and the answers say whose they are" {
    account
    says 'REACHABLE  web -> RDS  tcp/5432' vpclab reach web rds tcp/5432
    grep -qF ', of RDS' "$DIR/out"
    says 'web -> Lambda orders  tcp/443' vpclab reach web orders tcp/443
    says 'web -> EFS fs-0123456789abcdef0' vpclab reach web fs-0123456789abcdef0 tcp/2049
    says 'ElastiCache sessions-001 -> ECS aaaa-bbbb' vpclab reach sessions-001 aaaa-bbbb tcp/6379
    run vpclab reach internet rds tcp/5432
    [ "$status" = 1 ]
    vpclab ec2 revoke-security-group-ingress --group-id "$group" --ip-permissions "IpProtocol=-1,UserIdGroupPairs=[{GroupId=$group}]" >/dev/null
    run vpclab reach web rds tcp/5432
    [ "$status" = 1 ] && [[ $output == *ENI_SG_RULES_MISMATCH* ]]
}

@test "secondary addresses and further interfaces are ends of their own" {
    account
    first=$(vpclab ec2 describe-instances --query 'Reservations[0].Instances[0].NetworkInterfaces[0].NetworkInterfaceId' --output text)
    vpclab ec2 assign-private-ip-addresses --network-interface-id "$first" --private-ip-addresses 172.31.0.150 >/dev/null
    says '172.31.0.150' vpclab reach rds 172.31.0.150 tcp/22
    says '172.31.0.150:' vpclab reach web rds tcp/5432 --source-ip 172.31.0.150
    second=$(vpclab ec2 create-network-interface --subnet-id "$subnet" --private-ip-address 172.31.0.160 --query NetworkInterface.NetworkInterfaceId --output text)
    vpclab ec2 attach-network-interface --network-interface-id "$second" --instance-id web --device-index 1 >/dev/null
    # The stated address says by which interface the instance sends or is reached.
    says "$second" vpclab reach web rds tcp/5432 --source-ip 172.31.0.160
    says "$second" vpclab reach rds web tcp/22 --destination-ip 172.31.0.160
    says "$first" vpclab reach rds web tcp/22
    vpclab ec2 unassign-private-ip-addresses --network-interface-id "$first" --private-ip-addresses 172.31.0.150
    run vpclab reach rds 172.31.0.150 tcp/22
    [ "$status" = 1 ]
    wrong 4 InvalidParameterValue vpclab ec2 unassign-private-ip-addresses --network-interface-id "$first" --private-ip-addresses 172.31.0.150
}

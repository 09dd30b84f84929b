#!/usr/bin/env bats
# Real packets between two accounts: through a shared transit gateway, and within a shared subnet.
load ../cli/helper
load services

@test "packets cross accounts once the owner has accepted, and a participant's machine answers in a shared subnet" {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    vpclab organizations create-organization >/dev/null
    vpclab ram enable-sharing-with-aws-organization >/dev/null
    dev=$(vpclab organizations create-account --email dev@example.com --account-name dev --query CreateAccountStatus.AccountId -o text)
    vpclab -q -f - >/dev/null <<END
tgw = ec2 create-transit-gateway --tag-specifications ResourceType=transit-gateway,Tags=[{Key=Name,Value=hub}]
vpc = ec2 create-vpc --cidr-block 10.1.0.0/16
net = ec2 create-subnet --vpc-id \$vpc --cidr-block 10.1.1.0/24 --availability-zone us-east-1a --tag-specifications ResourceType=subnet,Tags=[{Key=Name,Value=common}]
open = ec2 create-security-group --group-name open --description open --vpc-id \$vpc
ec2 authorize-security-group-ingress --group-id \$open --protocol tcp --port 22 --cidr 10.0.0.0/8
ec2 run-instances --image-id ami-12345678 --subnet-id \$net --security-group-ids \$open --private-ip-address 10.1.1.10 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=shared}]
ec2 create-transit-gateway-vpc-attachment --transit-gateway-id \$tgw --vpc-id \$vpc --subnet-ids \$net
routes = ec2 create-route-table --vpc-id \$vpc
ec2 associate-route-table --route-table-id \$routes --subnet-id \$net
ec2 create-route --route-table-id \$routes --destination-cidr-block 10.2.0.0/16 --transit-gateway-id \$tgw
vpc2 = ec2 create-vpc --cidr-block 10.2.0.0/16 --as $dev
net2 = ec2 create-subnet --vpc-id \$vpc2 --cidr-block 10.2.1.0/24 --availability-zone us-east-1a --as $dev
ec2 run-instances --image-id ami-12345678 --subnet-id \$net2 --private-ip-address 10.2.1.10 --as $dev --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=spoke}]
END
    T=$(vpclab ec2 describe-transit-gateways --query 'TransitGateways[0].TransitGatewayId' -o text)
    S=$(vpclab ec2 describe-subnets --filters Name=tag:Name,Values=common --query 'Subnets[0].[SubnetId,VpcId]' -o text)
    read -r S C <<<"$S"
    here=arn:aws:ec2:us-east-1:123456789012
    vpclab ram create-resource-share --name net --resource-arns "$here:transit-gateway/$T" "$here:subnet/$S" --principals "$dev" >/dev/null
    G=$(vpclab --as dev ec2 create-security-group --group-name app --description app --vpc-id "$C" --query GroupId -o text)
    vpclab --as dev ec2 authorize-security-group-ingress --group-id "$G" --protocol tcp --port 80 --cidr 10.1.0.0/16 >/dev/null
    vpclab --as dev ec2 run-instances --image-id ami-12345678 --subnet-id "$S" --security-group-ids "$G" \
        --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=guest}]' >/dev/null
    V=$(vpclab --as dev ec2 describe-vpcs --filters Name=cidr,Values=10.2.0.0/16 --query 'Vpcs[0].VpcId' -o text)
    N=$(vpclab --as dev ec2 describe-subnets --filters "Name=vpc-id,Values=$V" --query 'Subnets[0].SubnetId' -o text)
    R=$(vpclab --as dev ec2 describe-route-tables --filters "Name=vpc-id,Values=$V" --query 'RouteTables[0].RouteTableId' -o text)
    up
    A=$(vpclab --as dev ec2 create-transit-gateway-vpc-attachment --transit-gateway-id "$T" --vpc-id "$V" --subnet-ids "$N" \
        --query TransitGatewayVpcAttachment.TransitGatewayAttachmentId -o text)
    run vpclab trace spoke 10.1.1.10 tcp/22
    [ "$status" = 1 ]
    vpclab ec2 accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" >/dev/null
    vpclab --as dev ec2 create-route --route-table-id "$R" --destination-cidr-block 10.1.0.0/16 --transit-gateway-id "$T" >/dev/null
    vpclab trace spoke 10.1.1.10 tcp/22
    vpclab trace shared guest tcp/80
    run vpclab trace shared guest tcp/22 # the participant's group decides
    [ "$status" = 1 ]
    vpclab verify
    vpclab ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" >/dev/null
    run vpclab trace spoke 10.1.1.10 tcp/22
    [ "$status" = 1 ]
}

#!/usr/bin/env bats
# A network balancer whose target is across a peering and sees the client's address: the target's group names the balancer's.
load ../cli/helper
load services

setup_peering() {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    cat >"$DIR/lab.vpc" <<'END'
left = ec2 create-vpc --cidr-block 10.0.0.0/16
desk = ec2 create-subnet --vpc-id $left --cidr-block 10.0.1.0/24 --availability-zone us-east-1a
right = ec2 create-vpc --cidr-block 10.9.0.0/16
rack = ec2 create-subnet --vpc-id $right --cidr-block 10.9.1.0/24 --availability-zone us-east-1a
pcx = ec2 create-vpc-peering-connection --vpc-id $left --peer-vpc-id $right
ec2 accept-vpc-peering-connection --vpc-peering-connection-id $pcx
out = ec2 create-route-table --vpc-id $left
ec2 create-tags --resources $out --tags Key=Name,Value=out
ec2 associate-route-table --route-table-id $out --subnet-id $desk
ec2 create-route --route-table-id $out --destination-cidr-block 10.9.0.0/16 --vpc-peering-connection-id $pcx
back = ec2 create-route-table --vpc-id $right
ec2 associate-route-table --route-table-id $back --subnet-id $rack
ec2 create-route --route-table-id $back --destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id $pcx
doors = ec2 create-security-group --group-name doors --vpc-id $left --description x
ec2 authorize-security-group-ingress --group-id $doors --protocol tcp --port 80 --cidr 0.0.0.0/0
people = ec2 create-security-group --group-name people --vpc-id $left --description x
behind = ec2 create-security-group --group-name behind --vpc-id $right --description x
ec2 authorize-security-group-ingress --group-id $behind --protocol tcp --port 80 --source-group $doors
ec2 run-instances --image-id ami-12345678 --subnet-id $desk --security-group-ids $people --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=client}]
ec2 run-instances --image-id ami-12345678 --subnet-id $rack --private-ip-address 10.9.1.10 --security-group-ids $behind --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=target}]
lb = elbv2 create-load-balancer --name entry --type network --scheme internal --subnets $desk --security-groups $doors
group = elbv2 create-target-group --name far --protocol TCP --port 80 --vpc-id $left --target-type ip
elbv2 modify-target-group-attributes --target-group-arn $group --attributes Key=preserve_client_ip.enabled,Value=true
elbv2 register-targets --target-group-arn $group --targets Id=10.9.1.10,AvailabilityZone=all
elbv2 create-listener --load-balancer-arn $lb --protocol TCP --port 80 --default-actions Type=forward,TargetGroupArn=$group
END
    vpclab -q -f "$DIR/lab.vpc" >/dev/null
    up
    vpclab serve target tcp/80 >/dev/null
    ENTRY=$(vpclab ec2 describe-network-interfaces --filters 'Name=description,Values=ELB net/entry/*' --query 'NetworkInterfaces[0].PrivateIpAddress' --output text)
}
groups() { # GROUP: what the target's group names instead
    vpclab ec2 revoke-security-group-ingress --group-id behind --protocol tcp --port 80 --source-group "$NAMED" >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id behind --protocol tcp --port 80 --source-group "$1" >/dev/null
    NAMED=$1
}

@test "what a balancer sends across a peering counts as the balancer's under the client's address, what the client sends does not" {
    setup_peering
    NAMED=doors
    [ "$(get client "http://$ENTRY/")" = 10.9.1.10 ]
    [ "$(code client http://10.9.1.10/)" = 000 ] # past the balancer
    vpclab reach client "$ENTRY" tcp/80 >/dev/null
    vpclab verify >"$DIR/report"
    grep -q 'disagree on 0$' "$DIR/report"
    grep -q '^client  *.*elastic\|^client  *eni-.* tcp/80' "$DIR/report"
    # The client's own group is that of what it sends itself.
    groups people
    [ "$(code client "http://$ENTRY/")" = 000 ]
    [ "$(get client http://10.9.1.10/)" = 10.9.1.10 ]
    ! vpclab reach client "$ENTRY" tcp/80 >/dev/null
    vpclab verify >/dev/null
    groups doors
    [ "$(get client "http://$ENTRY/")" = 10.9.1.10 ]
    # Its way is the connection's: with the route it goes.
    pcx=$(vpclab ec2 describe-vpc-peering-connections --query 'VpcPeeringConnections[0].VpcPeeringConnectionId' --output text)
    vpclab ec2 delete-route --route-table-id out --destination-cidr-block 10.9.0.0/16
    [ "$(code client "http://$ENTRY/")" = 000 ]
    vpclab ec2 create-route --route-table-id out --destination-cidr-block 10.9.0.0/16 --vpc-peering-connection-id "$pcx" >/dev/null
    [ "$(get client "http://$ENTRY/")" = 10.9.1.10 ]
}

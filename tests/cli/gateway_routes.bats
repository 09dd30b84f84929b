# Ingress routing: what AWS takes and refuses in the route table of a gateway.
load helper

begin() {
    vpclab -q -f - <<'END' >/dev/null
v = ec2 create-vpc --cidr-block 10.5.0.0/16 --tag-specifications ResourceType=vpc,Tags=[{Key=Name,Value=five}]
s = ec2 create-subnet --vpc-id $v --cidr-block 10.5.1.0/24
ec2 create-network-interface --subnet-id $s --private-ip-address 10.5.1.10 --tag-specifications ResourceType=network-interface,Tags=[{Key=Name,Value=box}]
ec2 create-route-table --vpc-id $v --tag-specifications ResourceType=route-table,Tags=[{Key=Name,Value=edge}]
END
    IGW=$(vpclab -q ec2 create-internet-gateway)
    VGW=$(vpclab -q ec2 create-vpn-gateway --type ipsec.1)
}

@test "a gateway that is not attached, or a table with routes that lead outside, is refused" {
    begin
    for gateway in "$IGW" "$VGW"; do
        wrong 4 Gateway.NotAttached vpclab ec2 associate-route-table --route-table-id edge --gateway-id "$gateway"
    done
    wrong 4 InvalidGatewayID.NotFound vpclab ec2 associate-route-table --route-table-id edge --gateway-id igw-0123456789abcdef0
    wrong 4 MissingParameter vpclab ec2 associate-route-table --route-table-id edge
    vpclab ec2 attach-internet-gateway --internet-gateway-id "$IGW" --vpc-id five >/dev/null
    vpclab ec2 attach-vpn-gateway --vpn-gateway-id "$VGW" --vpc-id five >/dev/null
    vpclab ec2 create-route --route-table-id edge --destination-cidr-block 0.0.0.0/0 --gateway-id "$IGW" >/dev/null
    wrong 4 'outside `vpc-' vpclab ec2 associate-route-table --route-table-id edge --gateway-id "$IGW"
    vpclab ec2 delete-route --route-table-id edge --destination-cidr-block 0.0.0.0/0 >/dev/null
    vpclab ec2 enable-vgw-route-propagation --route-table-id edge --gateway-id "$VGW" >/dev/null
    wrong 4 'propagated routes' vpclab ec2 associate-route-table --route-table-id edge --gateway-id "$IGW"
    vpclab ec2 disable-vgw-route-propagation --route-table-id edge --gateway-id "$VGW" >/dev/null
    says rtbassoc- vpclab ec2 associate-route-table --route-table-id edge --gateway-id "$IGW"
    says rtbassoc- vpclab ec2 associate-route-table --route-table-id edge --gateway-id "$VGW"
}

@test "its routes lead to interfaces of the VPC, for blocks of the VPC" {
    begin
    vpclab ec2 attach-internet-gateway --internet-gateway-id "$IGW" --vpc-id five >/dev/null
    vpclab ec2 associate-route-table --route-table-id edge --gateway-id "$IGW" >/dev/null
    wrong 4 InvalidParameterValue vpclab ec2 create-route --route-table-id edge --destination-cidr-block 10.9.0.0/16 --network-interface-id box
    wrong 4 InvalidParameterValue vpclab ec2 create-route --route-table-id edge --destination-cidr-block 0.0.0.0/0 --gateway-id "$IGW"
    wrong 4 InvalidParameterValue vpclab ec2 create-route --route-table-id edge --destination-cidr-block 10.5.1.128/25 --network-interface-id box
    says true vpclab ec2 create-route --route-table-id edge --destination-cidr-block 10.5.1.0/24 --network-interface-id box
    vpclab ec2 replace-route --route-table-id edge --destination-cidr-block 10.5.0.0/16 --network-interface-id box
    vpclab ec2 replace-route --route-table-id edge --destination-cidr-block 10.5.0.0/16 --local-target
}

# Direct Connect: gateways, associations, virtual interfaces, and the way on premises that they give.
load helper

office() {
    vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=main}]' >/dev/null
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=apps}]' >/dev/null
    vpclab ec2 run-instances --image-id ami-12345678 --subnet-id apps --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=web}]' >/dev/null
    vgw=$(vpclab ec2 create-vpn-gateway --type ipsec.1 --query VpnGateway.VpnGatewayId --output text)
    vpclab ec2 attach-vpn-gateway --vpn-gateway-id "$vgw" --vpc-id main >/dev/null
    table=$(vpclab ec2 describe-route-tables --filters "Name=vpc-id,Values=$(vpclab ec2 describe-vpcs --filters Name=tag:Name,Values=main --query 'Vpcs[0].VpcId' --output text)" --query 'RouteTables[0].RouteTableId' --output text)
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 192.168.0.0/16 --gateway-id "$vgw" >/dev/null
    dx=$(vpclab directconnect create-direct-connect-gateway --direct-connect-gateway-name office --query directConnectGateway.directConnectGatewayId --output text)
}

@test "a Direct Connect gateway joins a VPC with the office" {
    office
    says '"directConnectGatewayState": "available"' vpclab directconnect describe-direct-connect-gateways --direct-connect-gateway-id "$dx"
    says '"associationState": "associated"' vpclab directconnect create-direct-connect-gateway-association --direct-connect-gateway-id "$dx" --gateway-id "$vgw"
    grep -qF '"cidr": "10.0.0.0/16"' "$DIR/out" # the VPC's block, as nothing else was given
    con=$(vpclab directconnect create-connection --location EqDC2 --bandwidth 1Gbps --connection-name line --query connectionId --output text)
    says '"virtualInterfaceState": "available"' vpclab directconnect create-private-virtual-interface --connection-id "$con" \
        --new-private-virtual-interface "virtualInterfaceName=vif,vlan=101,asn=65000,directConnectGatewayId=$dx"
    vif=$(vpclab directconnect describe-virtual-interfaces --connection-id "$con" --query 'virtualInterfaces[0].virtualInterfaceId' --output text)
    says PrivateVirtualInterface vpclab directconnect describe-direct-connect-gateway-attachments --direct-connect-gateway-id "$dx"
    says "$dx" vpclab reach web 192.168.1.10 tcp/443
    says '"cidr": "10.9.0.0/16"' vpclab directconnect update-direct-connect-gateway-association \
        --association-id "$(vpclab directconnect describe-direct-connect-gateway-associations --query 'directConnectGatewayAssociations[0].associationId' --output text)" \
        --add-allowed-prefixes-to-direct-connect-gateway cidr=10.9.0.0/16
    vpclab directconnect delete-direct-connect-gateway-association --direct-connect-gateway-id "$dx" --virtual-gateway-id "$vgw" >/dev/null
    wrong 4 'has the virtual interface' vpclab directconnect delete-direct-connect-gateway --direct-connect-gateway-id "$dx"
    wrong 4 'carries the virtual interface' vpclab directconnect delete-connection --connection-id "$con"
    says deleted vpclab directconnect delete-virtual-interface --virtual-interface-id "$vif"
    says deleted vpclab directconnect delete-connection --connection-id "$con"
    says deleted vpclab directconnect delete-direct-connect-gateway --direct-connect-gateway-id "$dx"
    [ "$(vpclab directconnect describe-direct-connect-gateways --query 'length(directConnectGateways)')" = 0 ]
}

@test "from the office only what is announced can be reached" {
    office
    association=$(vpclab directconnect create-direct-connect-gateway-association --direct-connect-gateway-id "$dx" --gateway-id "$vgw" \
        --query directConnectGatewayAssociation.associationId --output text)
    group=$(vpclab ec2 describe-instances --filters Name=tag:Name,Values=web --query 'Reservations[0].Instances[0].SecurityGroups[0].GroupId' --output text)
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 443 --cidr 192.168.0.0/16 >/dev/null
    says REACHABLE vpclab reach "$dx" web tcp/443 --source-ip 192.168.1.10
    says REACHABLE vpclab reach web "$dx" tcp/443 --destination-ip 192.168.1.10
    vpclab directconnect update-direct-connect-gateway-association --association-id "$association" \
        --add-allowed-prefixes-to-direct-connect-gateway cidr=10.9.0.0/16 --remove-allowed-prefixes-to-direct-connect-gateway cidr=10.0.0.0/16 >/dev/null
    run vpclab reach "$dx" web tcp/443 --source-ip 192.168.1.10
    [ "$status" = 1 ] && [[ $output == *CANNOT_ROUTE*'announces no prefix'* ]]
    hint=${output##*hint: } hint=${hint%%$'\n'*}
    run vpclab reach web "$dx" tcp/443 --destination-ip 192.168.1.10
    [ "$status" = 1 ] && [[ $output == *'CANNOT_ROUTE'* ]] # the answer does not find back
    vpclab ${hint#vpclab } >/dev/null
    says REACHABLE vpclab reach "$dx" web tcp/443 --source-ip 192.168.1.10
    con=$(vpclab directconnect create-connection --location EqDC2 --bandwidth 1Gbps --connection-name line --query connectionId --output text)
    vif=$(vpclab directconnect create-private-virtual-interface --connection-id "$con" \
        --new-private-virtual-interface "virtualInterfaceName=vif,vlan=101,asn=65000,directConnectGatewayId=$dx" --query virtualInterfaceId --output text)
    vpclab fail vif "$vif" >/dev/null
    run vpclab reach "$dx" web tcp/443 --source-ip 192.168.1.10
    [ "$status" = 1 ] && [[ $output == *BAD_STATE*"$vif"*'failed in this lab'* ]]
    vpclab restore vif "$vif" >/dev/null
    says REACHABLE vpclab reach "$dx" web tcp/443 --source-ip 192.168.1.10
    wrong 4 dxvif vpclab fail vif dxvif-0123456789abcdef0
}

@test "a virtual interface leads directly to a virtual private gateway" {
    office
    con=$(vpclab directconnect create-connection --location EqDC2 --bandwidth 1Gbps --connection-name line --query connectionId --output text)
    vif=$(vpclab directconnect create-private-virtual-interface --connection-id "$con" \
        --new-private-virtual-interface "virtualInterfaceName=vif,vlan=101,asn=65000,virtualGatewayId=$vgw" --query virtualInterfaceId --output text)
    says "$vgw" vpclab reach web 192.168.1.10 tcp/443
    vpclab fail vif "$vif" >/dev/null
    run vpclab reach web 192.168.1.10 tcp/443
    [ "$status" = 1 ] && [[ $output == *BAD_STATE*"$vif"*'failed in this lab'* ]]
    vpclab restore vif "$vif" >/dev/null
    # A VPN connection has what it routes; the line carries the rest.
    gateway=$(vpclab ec2 create-customer-gateway --type ipsec.1 --public-ip 198.51.100.1 --bgp-asn 65000 --query CustomerGateway.CustomerGatewayId --output text)
    vpn=$(vpclab ec2 create-vpn-connection --type ipsec.1 --customer-gateway-id "$gateway" --vpn-gateway-id "$vgw" --options StaticRoutesOnly=true --query VpnConnection.VpnConnectionId --output text)
    vpclab ec2 create-vpn-connection-route --vpn-connection-id "$vpn" --destination-cidr-block 192.168.7.0/24
    says "$vpn" vpclab reach web 192.168.7.10 tcp/443
    says REACHABLE vpclab reach web 192.168.1.10 tcp/443
    ! vpclab reach web 192.168.1.10 tcp/443 | grep -q "$vpn"
}

@test "a transit gateway is attached by its association" {
    office
    tgw=$(vpclab ec2 create-transit-gateway --options AmazonSideAsn=64600 --query TransitGateway.TransitGatewayId --output text)
    wrong 4 'announces 1 to 200 allowed prefixes, not 0' vpclab directconnect create-direct-connect-gateway-association --direct-connect-gateway-id "$dx" --gateway-id "$tgw"
    vpclab directconnect create-direct-connect-gateway-association --direct-connect-gateway-id "$dx" --gateway-id "$tgw" \
        --add-allowed-prefixes-to-direct-connect-gateway cidr=10.0.0.0/8 >/dev/null
    says "$dx" vpclab ec2 describe-transit-gateway-attachments --filters Name=resource-type,Values=direct-connect-gateway
    wrong 4 'not both' vpclab directconnect create-direct-connect-gateway-association --direct-connect-gateway-id "$dx" --gateway-id "$vgw"
    says disassociated vpclab directconnect delete-direct-connect-gateway-association \
        --association-id "$(vpclab directconnect describe-direct-connect-gateway-associations --query 'directConnectGatewayAssociations[0].associationId' --output text)"
    [ "$(vpclab ec2 describe-transit-gateway-attachments --filters Name=resource-type,Values=direct-connect-gateway Name=state,Values=available --query 'length(TransitGatewayAttachments)')" = 0 ]
}

@test "Direct Connect refuses what does not fit" {
    office
    wrong 4 'no private autonomous system number' vpclab directconnect create-direct-connect-gateway --direct-connect-gateway-name x --amazon-side-asn 3
    wrong 4 'does not exist' vpclab directconnect delete-direct-connect-gateway --direct-connect-gateway-id 11111111-2222-3333-4444-555555555555
    wrong 4 'does not exist' vpclab directconnect create-direct-connect-gateway-association --direct-connect-gateway-id "$dx" --gateway-id vgw-0123456789abcdef0
    con=$(vpclab directconnect create-connection --location EqDC2 --bandwidth 1Gbps --connection-name line --query connectionId --output text)
    wrong 4 'VLAN of 1 to 4094' vpclab directconnect create-private-virtual-interface --connection-id "$con" --new-private-virtual-interface "virtualInterfaceName=v,vlan=5000,asn=65000,directConnectGatewayId=$dx"
    wrong 4 'one of the two' vpclab directconnect create-private-virtual-interface --connection-id "$con" --new-private-virtual-interface virtualInterfaceName=v,vlan=5,asn=65000
    vpclab directconnect create-transit-virtual-interface --connection-id "$con" --new-transit-virtual-interface "virtualInterfaceName=v,vlan=5,asn=65000,directConnectGatewayId=$dx" >/dev/null
    wrong 4 'is used by' vpclab directconnect create-private-virtual-interface --connection-id "$con" --new-private-virtual-interface "virtualInterfaceName=w,vlan=5,asn=65000,virtualGatewayId=$vgw"
    wrong 4 'of one sort' vpclab directconnect create-private-virtual-interface --connection-id "$con" --new-private-virtual-interface "virtualInterfaceName=w,vlan=6,asn=65000,directConnectGatewayId=$dx"
    wrong 2 direct-connect-gateway-name vpclab directconnect create-direct-connect-gateway
}

@test "a peering connection is listed for both accounts, in both regions, and accepted in the other" {
    a=$(vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text)
    b=$(vpclab --region eu-west-1 --as 222222222222 ec2 create-vpc --cidr-block 10.1.0.0/16 --query Vpc.VpcId --output text)
    pcx=$(vpclab ec2 create-vpc-peering-connection --vpc-id "$a" --peer-vpc-id "$b" --peer-owner-id 222222222222 --peer-region eu-west-1 \
        --query VpcPeeringConnection.VpcPeeringConnectionId --output text)
    says "$pcx" vpclab ec2 describe-vpc-peering-connections
    says "$pcx" vpclab --region eu-west-1 --as 222222222222 ec2 describe-vpc-peering-connections --vpc-peering-connection-ids "$pcx"
    [ "$(vpclab --region us-west-2 ec2 describe-vpc-peering-connections --query 'length(VpcPeeringConnections)')" = 0 ]
    [ "$(vpclab --as 333333333333 ec2 describe-vpc-peering-connections --query 'length(VpcPeeringConnections)')" = 0 ]
    wrong 4 OperationNotPermitted vpclab ec2 accept-vpc-peering-connection --vpc-peering-connection-id "$pcx"
    says '"Code": "active"' vpclab --region eu-west-1 --as 222222222222 ec2 accept-vpc-peering-connection --vpc-peering-connection-id "$pcx"
}

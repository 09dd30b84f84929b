#!/usr/bin/env bats
# What `verify` asks and reports, on networks of ground truth and small labs.  All of the former: verify_networks.sh.
load ../cli/helper
NET=../shared/vectors/net

teardown() {
    vpclab down >/dev/null 2>&1 || true
    rm -rf "$DIR"
}
begin() {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
}
up() {
    vpclab up >/dev/null || { [ $? = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs: $(vpclab up 2>&1 | head -n 1)"; }
}
# verified NETWORK: imports it, builds it, verifies it; what `verify` says is in $DIR/said.
verified() {
    [ -d "$NET" ] || skip "$NET is absent"
    rm -rf "${XDG_DATA_HOME:?}"
    vpclab import aws "$NET/$1/aws" >/dev/null 2>"$DIR/import" || { cat "$DIR/import"; return 1; }
    up
    vpclab verify >"$DIR/said" || { echo "$1:"; grep -A 2 DISAGREE "$DIR/said"; return 1; }
    grep -q 'disagree on 0' "$DIR/said"
    vpclab down >/dev/null
}

@test "networks outside AWS are asked by their connection, and answer" {
    begin
    verified vpn-gateway
    cat "$DIR/said"
    grep -qE '^i-099cf38911942421c +vpn-03701a53bba3c48b7 +IPv4 +2/2 +tcp/4444 icmp 8/0 . -$' "$DIR/said"
    grep -qE '^vpn-03701a53bba3c48b7 +i-099cf38911942421c +IPv4 +3/3 +tcp/22 . tcp/4444 icmp 8/0$' "$DIR/said"
    grep -q '^10 packets: analysis and kernel agree on 10, disagree on 0$' "$DIR/said"
    verified direct-connect-gateway
    grep -qE '^7b2c4f8a-1234-4abc-9def-fedcba987654 +dx-test-instance +IPv4 +2/2 +tcp/4444' "$DIR/said"
}

@test "across a peering the private address is asked for, beside the public one" {
    begin
    left=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].VpcId' -o text)
    right=$(vpclab ec2 create-vpc --cidr-block 10.9.0.0/16 --query Vpc.VpcId -o text)
    igw=$(vpclab ec2 create-internet-gateway --query InternetGateway.InternetGatewayId -o text)
    vpclab ec2 attach-internet-gateway --internet-gateway-id "$igw" --vpc-id "$right" >/dev/null
    table() { vpclab ec2 describe-route-tables --filters "Name=vpc-id,Values=$1" --query 'RouteTables[0].RouteTableId' -o text; }
    vpclab ec2 create-route --route-table-id "$(table "$right")" --destination-cidr-block 0.0.0.0/0 --gateway-id "$igw" >/dev/null
    there=$(vpclab ec2 create-subnet --vpc-id "$right" --cidr-block 10.9.1.0/24 --query Subnet.SubnetId -o text)
    here=$(vpclab ec2 describe-subnets --filters "Name=vpc-id,Values=$left" --query 'Subnets[0].SubnetId' -o text)
    for vpc in "$left" "$right"; do
        group=$(vpclab ec2 describe-security-groups --filters "Name=vpc-id,Values=$vpc" --query 'SecurityGroups[0].GroupId' -o text)
        vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 80 --cidr 0.0.0.0/0 >/dev/null
    done
    for subnet in "$here" "$there"; do
        vpclab ec2 run-instances --image-id ami-12345678 --subnet-id "$subnet" --associate-public-ip-address >/dev/null
    done
    vpclab up >/dev/null || up
    vpclab verify >"$DIR/before"
    pcx=$(vpclab ec2 create-vpc-peering-connection --vpc-id "$left" --peer-vpc-id "$right" \
        --query VpcPeeringConnection.VpcPeeringConnectionId -o text)
    vpclab ec2 accept-vpc-peering-connection --vpc-peering-connection-id "$pcx" >/dev/null
    vpclab ec2 create-route --route-table-id "$(table "$left")" --destination-cidr-block 10.9.0.0/16 --vpc-peering-connection-id "$pcx" >/dev/null
    vpclab ec2 create-route --route-table-id "$(table "$right")" --destination-cidr-block 172.31.0.0/16 --vpc-peering-connection-id "$pcx" >/dev/null
    vpclab verify >"$DIR/after"
    cat "$DIR/before" "$DIR/after"
    # Both ways: over the internet and over the peering, port 80 passes.
    [ "$(grep -o 'tcp/80' "$DIR/before" | wc -l)" = 4 ]
    [ "$(grep -o 'tcp/80' "$DIR/after" | wc -l)" = 6 ]
    ! grep -q 'cannot be compared' "$DIR/after"
}

@test "every rule and route is met by some packet, or the report says which is not and why" {
    begin
    vpc=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].VpcId' -o text)
    subnet=$(vpclab ec2 describe-subnets --query 'Subnets[0].SubnetId' -o text)
    for name in web nobody; do
        vpclab ec2 create-security-group --group-name $name --description x --vpc-id "$vpc" >/dev/null
    done
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 22-23 --cidr 198.51.100.0/24 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol udp --port 53 --source-group nobody >/dev/null
    vpclab ec2 run-instances --image-id ami-12345678 --subnet-id "$subnet" --security-group-ids web --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=web}]' >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id web --ip-permissions 'IpProtocol=tcp,FromPort=80,ToPort=80,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    acl=$(vpclab ec2 describe-network-acls --query 'NetworkAcls[0].NetworkAclId' -o text)
    vpclab ec2 create-network-acl-entry --network-acl-id "$acl" --ingress --rule-number 50 --protocol tcp --port-range From=8000,To=8000 --cidr-block 198.51.100.0/24 --rule-action deny
    vpclab ec2 create-network-acl-entry --network-acl-id "$acl" --ingress --rule-number 120 --protocol tcp --port-range From=1,To=9 --cidr-block 0.0.0.0/0 --rule-action deny
    table=$(vpclab ec2 describe-route-tables --query 'RouteTables[0].RouteTableId' -o text)
    gate=$(vpclab ec2 describe-internet-gateways --query 'InternetGateways[0].InternetGatewayId' -o text)
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 203.0.114.0/24 --gateway-id "$gate" >/dev/null
    gone=$(vpclab ec2 create-network-interface --subnet-id "$subnet" --query NetworkInterface.NetworkInterfaceId -o text)
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 203.0.115.0/24 --network-interface-id "$gone" >/dev/null
    vpclab ec2 delete-network-interface --network-interface-id "$gone" >/dev/null
    up
    vpclab verify >"$DIR/said"
    cat "$DIR/said"
    grep -qE '^exercised: 5 of 8 rules, 3 of 4 routes, with [0-9]+ packets aimed at them$' "$DIR/said"
    grep -qE '^  not sgr-[0-9a-f]+ \(web\)  udp 53 from sg-[0-9a-f]+ \(nobody\): no running interface is in sg-' "$DIR/said"
    grep -qE "^  not $acl:ingress:120  .*: rule 100 decides all of it before\$" "$DIR/said"
    grep -qE "^  not $table  172.31.0.0/16 -> local: nobody else" "$DIR/said"
    grep -qE '^  not sgr-[0-9a-f]+ \(web\)  tcp 80 from ::/0: no running interface under it has an IPv6 address$' "$DIR/said"
    [ "$(grep -c '^  not ' "$DIR/said")" = 4 ]
    grep -qE '^followed [1-9][0-9]* packets hop by hop: [1-9][0-9]* decisions of the kernel are those of analysis$' "$DIR/said"
    # One packet that was asked for says nothing about the others.
    vpclab verify internet web --port 22 >"$DIR/said"
    [ "$(grep -c exercised "$DIR/said")" = 0 ]
    [ "$(grep -c followed "$DIR/said")" = 0 ]
    vpclab verify internet web --port 22 --trace 1 >"$DIR/said"
    grep -q '^followed 1 packet hop by hop' "$DIR/said"
    # Addresses that nobody has: never silently somebody else's.
    run vpclab verify web 203.0.114.9
    [ "$status" = 0 ]
    grep -q '^web  *internet .* icmp 8/0 | -$' <<<"$output"
    run vpclab verify 172.31.0.99
    [ "$status" = 4 ]
    grep -q 'nobody in the lab has the address' <<<"$output"
}

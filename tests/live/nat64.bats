#!/usr/bin/env bats
# NAT64 and DNS64: machines without IPv4 reach IPv4 by a NAT gateway: in the internet, in another subnet and in a peered VPC.
load ../cli/helper
load services

# `six` in an IPv6-only subnet; `four` and, across a peering, `far` have IPv4 alone.
setup_nat64() {
    setup_lab
    add_gateway
    vpclab ec2 create-subnet --vpc-id main --ipv6-native --ipv6-cidr-block "${six1%?::/64}3::/64" --availability-zone us-east-1a \
        --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=native}]' >/dev/null
    cat >"$DIR/lab.vpc" <<'END'
eip = ec2 allocate-address
nat = ec2 create-nat-gateway --subnet-id a --allocation-id $eip
ec2 create-tags --resources $nat --tags Key=Name,Value=nat
rt = ec2 create-route-table --vpc-id main
ec2 create-tags --resources $rt --tags Key=Name,Value=way64
ec2 associate-route-table --route-table-id $rt --subnet-id native
ec2 create-route --route-table-id $rt --destination-ipv6-cidr-block 64:ff9b::/96 --nat-gateway-id $nat
other = ec2 create-vpc --cidr-block 10.9.0.0/16
distant = ec2 create-subnet --vpc-id $other --cidr-block 10.9.1.0/24
pcx = ec2 create-vpc-peering-connection --vpc-id main --peer-vpc-id $other
ec2 accept-vpc-peering-connection --vpc-peering-connection-id $pcx
ec2 create-route --route-table-id public --destination-cidr-block 10.9.0.0/16 --vpc-peering-connection-id $pcx
back = ec2 create-route-table --vpc-id $other
ec2 associate-route-table --route-table-id $back --subnet-id $distant
ec2 create-route --route-table-id $back --destination-cidr-block 10.0.0.0/16 --vpc-peering-connection-id $pcx
door = ec2 create-security-group --group-name door --vpc-id main --description x
ec2 authorize-security-group-ingress --group-id $door --protocol tcp --port 80 --cidr 10.0.1.0/24
ec2 authorize-security-group-ingress --group-id $door --protocol icmp --port -1 --cidr 10.0.1.0/24
gate = ec2 create-security-group --group-name gate --vpc-id $other --description x
ec2 authorize-security-group-ingress --group-id $gate --protocol tcp --port 80 --cidr 10.0.1.0/24
ec2 run-instances --image-id ami-12345678 --subnet-id native --ipv6-address-count 1 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=six}]
ec2 run-instances --image-id ami-12345678 --subnet-id b --private-ip-address 10.0.2.10 --security-group-ids $door --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=four}]
ec2 run-instances --image-id ami-12345678 --subnet-id $distant --private-ip-address 10.9.1.10 --security-group-ids $gate --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=far}]
ec2 create-flow-logs --resource-type VPC --resource-ids main --traffic-type ALL --log-destination-type s3 --log-destination arn:aws:s3:::logs --log-format '${interface-id} ${srcaddr} ${dstaddr} ${protocol} ${dstport} ${flow-direction} ${action}'
END
    vpclab -q -f "$DIR/lab.vpc" >/dev/null
    up
    vpclab serve four tcp/80 >/dev/null
    vpclab serve far tcp/80 >/dev/null
}
pings() { # SIZE ADDRESS: once more when the first was too big for the way
    vpclab exec six -- ping -q -c 1 -W 2 -s "$1" "$2" >/dev/null || vpclab exec six -- ping -q -c 1 -W 5 -s "$1" "$2" >/dev/null
}

@test "an IPv6-only machine reaches IPv4 by NAT64: another subnet, a peered VPC, the internet; TCP, echo, large packets" {
    setup_nat64
    [ "$(get six 'http://[64:ff9b::10.0.2.10]/')" = 10.0.2.10 ]
    [ "$(get six 'http://[64:ff9b::10.9.1.10]/')" = 10.9.1.10 ]
    # web.example tells whose address it saw
    public=$(vpclab ec2 describe-nat-gateways --nat-gateway-ids nat --query 'NatGateways[0].NatGatewayAddresses[0].PublicIp' --output text)
    get six 'http://[64:ff9b::192.88.99.80]/' | grep -qF "$public"
    pings 56 64:ff9b::8.8.8.8
    pings 3000 64:ff9b::8.8.8.8   # in pieces, after "packet too big"
    pings 8900 64:ff9b::10.0.2.10 # whole there, in pieces back
    # What stops it is what stops IPv4, or the route; with it back the same packet passes.
    [ "$(code six 'http://[64:ff9b::10.0.1.99]/')" = 000 ]
    vpclab ec2 revoke-security-group-ingress --group-id door --protocol tcp --port 80 --cidr 10.0.1.0/24 >/dev/null
    [ "$(code six 'http://[64:ff9b::10.0.2.10]/')" = 000 ]
    vpclab ec2 authorize-security-group-ingress --group-id door --protocol tcp --port 80 --cidr 10.0.1.0/24 >/dev/null
    vpclab ec2 delete-route --route-table-id way64 --destination-ipv6-cidr-block 64:ff9b::/96
    [ "$(code six 'http://[64:ff9b::10.0.2.10]/')" = 000 ]
    vpclab ec2 create-route --route-table-id way64 --destination-ipv6-cidr-block 64:ff9b::/96 --nat-gateway-id nat >/dev/null
    [ "$(get six 'http://[64:ff9b::10.0.2.10]/')" = 10.0.2.10 ]
    # Nobody comes in by the gateway, nor sends to the addresses that it gives its clients.
    [ "$(code four "http://[$(vpclab exec six -- ip -6 -br addr show dev eth0 | awk '{ sub("/.*", "", $3); print $3 }')]/")" = 000 ]
    [ "$(code six 'http://[64:ff9b::240.0.0.1]/')" = 000 ]
    # Both legs are in the flow logs.
    vpclab flows | tr -s ' ' >"$DIR/flows"
    grep -q '64:ff9b::a00:20a 6 80 egress ACCEPT' "$DIR/flows"
    grep -q '64:ff9b::a00:20a 6 80 ingress ACCEPT' "$DIR/flows"
    nat=$(vpclab ec2 describe-nat-gateways --nat-gateway-ids nat --query 'NatGateways[0].NatGatewayAddresses[0].[NetworkInterfaceId,PrivateIp]' --output text | tr '\t' ' ')
    grep -q "^$nat 10.0.2.10 6 80 egress ACCEPT" "$DIR/flows"
    # Analysis and kernel agree, hop by hop, and the route is among what was met.
    vpclab verify --trace 40 >"$DIR/report"
    grep -q 'disagree on 0$' "$DIR/report"
    ! grep -q 'not.*64:ff9b' "$DIR/report"
    vpclab trace six 64:ff9b::10.0.2.10 tcp/80 >"$DIR/trace"
    grep -q 'NAT gateway .*destination \[64:ff9b::a00:20a\]:80 becomes 10.0.2.10:80' "$DIR/trace"
    vpclab reach six 64:ff9b::10.0.2.10 --port 80 >/dev/null
}

@test "DNS64: names with IPv4 alone get an IPv6 address in its subnet, and nowhere else" {
    command -v dig >/dev/null || skip "dig is not installed"
    setup_nat64
    vpclab ec2 modify-vpc-attribute --vpc-id main --enable-dns-hostnames
    ask() { vpclab exec "$1" -- dig +short +tries=2 +time=5 AAAA "$2" "$3"; }
    [ "$(ask six ip-10-0-2-10.ec2.internal @fd00:ec2::253)" = "" ]
    vpclab ec2 modify-subnet-attribute --subnet-id native --enable-dns64
    for how in @fd00:ec2::253 +tcp; do
        [ "$(ask six ip-10-0-2-10.ec2.internal $how)" = 64:ff9b::a00:20a ]
    done
    [ "$(ask six web.example @fd00:ec2::253)" = "$(vpclab exec six -- dig +short AAAA web.example @fd00:ec2::253)" ]
    [[ $(ask six web.example @fd00:ec2::253) != 64:ff9b:* ]]
    [[ $(ask six s3.us-east-1.amazonaws.com @fd00:ec2::253) = 64:ff9b:* ]]
    [ "$(ask four ip-10-0-2-10.ec2.internal @10.0.0.2)" = "" ]
    [ "$(get six http://ip-10-0-2-10.ec2.internal/)" = 10.0.2.10 ]
    vpclab resolve ip-10-0-2-10.ec2.internal --from six | grep -q 'AAAA  64:ff9b::a00:20a'
    vpclab reach six ip-10-0-2-10.ec2.internal --port 80 >/dev/null
    vpclab ec2 modify-subnet-attribute --subnet-id native --no-enable-dns64
    [ "$(ask six ip-10-0-2-10.ec2.internal @fd00:ec2::253)" = "" ]
}

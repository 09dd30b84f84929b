#!/usr/bin/env bats
# `vpclab audit`: what it finds, that the mend it names mends it, its exit status, and its formats.
load helper

audit() { vpclab audit --fail-on none "$@"; }
has() { audit --format json | jq -e --arg c "$1" 'any(.Findings[]; .Code == $c)' >/dev/null; }
lacks() { ! has "$1" || { audit; return 1; }; }
# mends CODE: it is found, its command runs, and then it is not found.
mends() {
    has "$1" || { audit; return 1; }
    local line
    line=$(audit --format json | jq -r --arg c "$1" 'first(.Findings[] | select(.Code == $c)).Mend')
    # shellcheck disable=SC2086 # words of a command
    vpclab $line >"$DIR/out" || { echo "$line"; return 1; }
    lacks "$1" || { echo "$line mends nothing"; return 1; }
}
base() {
    vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=main}]' >/dev/null
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=a}]' >/dev/null
    vpclab ec2 create-security-group --vpc-id main --group-name web --description web >/dev/null
}

@test "a port of administration open to the world ends with status 1" {
    base
    says "0 high" vpclab audit
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 443 --cidr 0.0.0.0/0 >/dev/null
    says "0 high" vpclab audit
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 22 --cidr 0.0.0.0/0 >/dev/null
    run vpclab audit
    [ "$status" = 1 ]
    [[ "$output" == *"SSH (tcp/22)"* ]]
    mends sg-port-from-world
    says "0 high" vpclab audit
    run vpclab audit --fail-on low
    [ "$status" = 1 ]
}

@test "world-open over IPv6, every protocol, implied rules, unattached groups" {
    base
    vpclab ec2 authorize-security-group-ingress --group-id web --ip-permissions 'IpProtocol=-1,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    mends sg-all-from-world
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80-90 --cidr 10.0.0.0/8 >/dev/null
    lacks sg-rule-implied
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 81 --cidr 10.1.0.0/16 >/dev/null
    mends sg-rule-implied
    has sg-unattached
}

@test "ACLs: replies, shadowed entries, no subnet" {
    base
    acl=$(vpclab ec2 create-network-acl --vpc-id main --query NetworkAcl.NetworkAclId --output text)
    has nacl-unattached
    old=$(vpclab ec2 describe-network-acls --filters Name=association.subnet-id,Values="$(vpclab ec2 describe-subnets --filters Name=tag:Name,Values=a --query 'Subnets[0].SubnetId' --output text)" --query 'NetworkAcls[0].Associations[?SubnetId!=`null`].NetworkAclAssociationId | [0]' --output text)
    vpclab ec2 replace-network-acl-association --association-id "$old" --network-acl-id "$acl" >/dev/null
    audit --format json | jq -e --arg a "$acl" 'all(.Findings[]; .Code != "nacl-unattached" or .ResourceId != $a)'
    entry() { vpclab ec2 create-network-acl-entry --network-acl-id "$acl" --rule-action "$4" --rule-number "$1" "--$2" --protocol tcp --port-range "From=$3" --cidr-block "${5:-0.0.0.0/0}" >/dev/null; }
    entry 100 ingress 443,To=443 allow
    mends nacl-blocks-replies
    entry 110 ingress 443,To=443 deny 10.1.0.0/16
    mends nacl-entry-overruled
    entry 120 ingress 443,To=443 allow 10.1.0.0/16
    mends nacl-entry-redundant
}

@test "routes: blackhole, NAT in a private subnet" {
    base
    table=$(vpclab ec2 describe-route-tables --filters Name=vpc-id,Values="$(vpclab ec2 describe-vpcs --filters Name=tag:Name,Values=main --query 'Vpcs[0].VpcId' --output text)" --query 'RouteTables[0].RouteTableId' --output text)
    igw=$(vpclab ec2 create-internet-gateway --query InternetGateway.InternetGatewayId --output text)
    vpclab ec2 attach-internet-gateway --internet-gateway-id "$igw" --vpc-id main
    eip=$(vpclab ec2 allocate-address --query AllocationId --output text)
    vpclab ec2 create-nat-gateway --subnet-id a --allocation-id "$eip" >/dev/null
    mends nat-private-subnet
    nat=$(vpclab ec2 create-nat-gateway --subnet-id a --connectivity-type private --query NatGateway.NatGatewayId --output text)
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 172.16.0.0/12 --nat-gateway-id "$nat" >/dev/null
    lacks route-blackhole
    vpclab ec2 delete-nat-gateway --nat-gateway-id "$nat" >/dev/null
    mends route-blackhole
}

@test "packets that arrive and whose answers take another way" {
    base
    vpc=$(vpclab ec2 describe-subnets --filters Name=tag:Name,Values=a --query 'Subnets[0].VpcId' --output text)
    table=$(vpclab ec2 describe-route-tables --filters Name=vpc-id,Values="$vpc" --query 'RouteTables[0].RouteTableId' --output text)
    igw=$(vpclab ec2 create-internet-gateway --query InternetGateway.InternetGatewayId --output text)
    vpclab ec2 attach-internet-gateway --internet-gateway-id "$igw" --vpc-id "$vpc"
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 0.0.0.0/0 --gateway-id "$igw" >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 443 --cidr 0.0.0.0/0 >/dev/null
    eni=$(vpclab ec2 create-network-interface --subnet-id a --groups web --query NetworkInterface.NetworkInterfaceId --output text)
    id=$(vpclab ec2 run-instances --image-id ami-12345678 --network-interfaces "DeviceIndex=0,NetworkInterfaceId=$eni" --query 'Instances[0].InstanceId' --output text)
    [ -n "$id" ]
    eip=$(vpclab ec2 allocate-address --query AllocationId --output text)
    vpclab ec2 associate-address --allocation-id "$eip" --network-interface-id "$eni" >/dev/null
    lacks path-asymmetric
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.2.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=nat}]' >/dev/null
    eip=$(vpclab ec2 allocate-address --query AllocationId --output text)
    nat=$(vpclab ec2 create-nat-gateway --subnet-id nat --allocation-id "$eip" --query NatGateway.NatGatewayId --output text)
    private=$(vpclab ec2 create-route-table --vpc-id "$vpc" --query RouteTable.RouteTableId --output text)
    vpclab ec2 create-route --route-table-id "$private" --destination-cidr-block 0.0.0.0/0 --nat-gateway-id "$nat" >/dev/null
    vpclab ec2 associate-route-table --route-table-id "$private" --subnet-id a >/dev/null
    audit --format json | jq -e --arg t "$private" 'any(.Findings[]; .Code == "path-asymmetric" and .ResourceId == $t and (.Reason | startswith("packets from the internet to subnet-")))'
}

@test "transit gateways: blocks that overlap, routes that drop" {
    base
    vpclab ec2 create-vpc --cidr-block 10.1.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=other}]' >/dev/null
    vpclab ec2 create-vpc --cidr-block 10.0.0.0/17 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=same}]' >/dev/null
    tgw=$(vpclab ec2 create-transit-gateway --query TransitGateway.TransitGatewayId --output text)
    table=$(vpclab ec2 describe-transit-gateway-route-tables --query 'TransitGatewayRouteTables[0].TransitGatewayRouteTableId' --output text)
    join() {
        subnet=$(vpclab ec2 create-subnet --vpc-id "$1" --cidr-block "$2" --query Subnet.SubnetId --output text)
        vpclab ec2 create-transit-gateway-vpc-attachment --transit-gateway-id "$tgw" --vpc-id "$1" --subnet-ids "$subnet" >/dev/null
    }
    join main 10.0.9.0/24
    join other 10.1.9.0/24
    lacks tgw-overlap
    join same 10.0.9.0/24
    has tgw-overlap
    lacks tgw-blackhole
    vpclab ec2 create-transit-gateway-route --transit-gateway-route-table-id "$table" --destination-cidr-block 10.7.0.0/16 --blackhole >/dev/null
    mends tgw-blackhole
}

@test "rules that nothing comes to, and blocks in pieces" {
    base
    for name in one two; do
        vpclab ec2 run-instances --image-id ami-12345678 --subnet-id a --security-group-ids web --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name}]" >/dev/null
    done
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 10.0.0.0/16 >/dev/null
    lacks sg-rule-unused
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 81 --cidr 10.9.0.0/16 >/dev/null
    mends sg-rule-unused
    vpclab ec2 stop-instances --instance-ids one two >/dev/null
    lacks sg-rule-unused
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 22 --cidr 0.0.0.0/1 >/dev/null
    lacks sg-port-from-world
    lacks sg-cidr-split
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 22 --cidr 128.0.0.0/1 >/dev/null
    has sg-cidr-split
    mends sg-port-from-world
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 90 --cidr 10.0.0.0/17 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 90 --cidr 10.0.128.0/17 >/dev/null
    lacks sg-rule-implied
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 90 --cidr 10.0.64.0/18 >/dev/null
    mends sg-rule-implied
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 90 --cidr 10.0.0.0/16 >/dev/null
    has sg-rule-implied
}

@test "a peering with routes on one side, and a rule that names a group behind a deleted one" {
    base
    vpclab ec2 create-vpc --cidr-block 10.1.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=other}]' >/dev/null
    vpclab ec2 create-security-group --vpc-id other --group-name far --description far >/dev/null
    pcx=$(vpclab ec2 create-vpc-peering-connection --vpc-id main --peer-vpc-id other --query VpcPeeringConnection.VpcPeeringConnectionId --output text)
    vpclab ec2 accept-vpc-peering-connection --vpc-peering-connection-id "$pcx" >/dev/null
    lacks peering-one-sided
    main=$(vpclab ec2 describe-vpcs --filters Name=tag:Name,Values=main --query 'Vpcs[0].VpcId' --output text)
    table=$(vpclab ec2 describe-route-tables --filters Name=vpc-id,Values="$main" --query 'RouteTables[0].RouteTableId' --output text)
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 10.1.0.0/16 --vpc-peering-connection-id "$pcx" >/dev/null
    mends peering-one-sided
    lacks peering-overlap
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --source-group far >/dev/null
    lacks sg-reference-gone
    vpclab ec2 delete-vpc-peering-connection --vpc-peering-connection-id "$pcx" >/dev/null
    has sg-reference-gone
    has route-blackhole
}

@test "SARIF names every check and the resources" {
    base
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 3389 --cidr 0.0.0.0/0 >/dev/null
    audit --format sarif | jq -e '.version == "2.1.0" and (.runs[0] | (.tool.driver.rules | length) > 10 and
        any(.results[]; .ruleId == "sg-port-from-world" and .level == "error" and
            (.locations[0].logicalLocations[0].fullyQualifiedName | startswith("sg-"))) and
        ([.results[].ruleId] - [.tool.driver.rules[].id] == []))'
    # The properties that the SARIF 2.1.0 schema has for each object, which allows no others, those it requires, and its enumerations.
    audit --format sarif | jq -e 'def only(allowed; required): (keys - allowed == []) and (required - keys == []);
        only(["$schema", "version", "runs"]; ["version", "runs"]) and
        all(.runs[]; . as $run | only(["tool", "results"]; ["tool"]) and
            (.tool | only(["driver"]; ["driver"])) and (.tool.driver | only(["name", "version", "informationUri", "rules"]; ["name"])) and
            (.tool.driver.rules | (map(.id) | unique | length) == length) and
            all(.tool.driver.rules[]; only(["id", "shortDescription", "defaultConfiguration"]; ["id"]) and
                (.shortDescription | only(["text"]; ["text"])) and
                (.defaultConfiguration | only(["level"]; [])) and (.defaultConfiguration.level | IN("none", "note", "warning", "error"))) and
            all(.results[]; only(["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"]; ["message"]) and
                $run.tool.driver.rules[.ruleIndex].id == .ruleId and
                (.level | IN("none", "note", "warning", "error")) and (.message | only(["text"]; [])) and (.message.text | type == "string") and
                all(.partialFingerprints[]; type == "string") and
                all(.locations[]; only(["logicalLocations"]; []) and
                    all(.logicalLocations[]; only(["name", "fullyQualifiedName", "kind"]; []) and .kind == "resource"))))'
    wrong 2 "xml" vpclab audit --format xml
}

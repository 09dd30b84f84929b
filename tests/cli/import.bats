#!/usr/bin/env bats
# `vpclab import aws` and `export aws`: real dumps in, their questions answered, and out again.
load helper

NET=../shared/vectors/net

# Every flow of a case through import and `reach --batch`; prints the questions whose answer is not the expected one.
answers() {
    vpclab --lab "$1" import aws "$NET/$1/aws" >/dev/null || return
    jq -c '.flows[]' "$NET/$1/expect.json" >"$DIR/questions"
    vpclab --lab "$1" reach --batch "$DIR/questions" >"$DIR/answers" || return
    [ "$(wc -l <"$DIR/questions")" = "$(wc -l <"$DIR/answers")" ] || return
    paste -d '\n' "$DIR/questions" "$DIR/answers" |
        jq -cs '[range(0; length; 2) as $i | {q: .[$i], a: .[$i + 1]}
                 | select(.q.quirk != true)
                 | select(.q.expect != .a.verdict or (.q.reply != null and .q.reply != .a.reply))][]' >"$DIR/wrong"
    [ ! -s "$DIR/wrong" ] || { echo "$1"; cat "$DIR/wrong"; return 1; }
}

@test "imported dumps give every expected verdict" {
    [ -d "$NET" ] || skip "no vectors here"
    command -v jq >/dev/null || skip "no jq"
    for case in public-subnet nat-gateway public-subnet-nacl same-subnet basic-two-subnets nacl-tiers sg-references; do
        answers $case
    done
}

@test "the report counts, names what was left out and warns" {
    [ -d "$NET" ] || skip "no vectors here"
    says "     9  network-interface" vpclab --lab a import aws $NET/hybrid-region/aws
    grep -qF "     1  DBInstances (us-west-2/RdsInstances.json): arn:aws:rds:us-west-2:123456:db:test-rds" "$DIR/out"
    grep -qF "members of instance left out: Architecture" "$DIR/out"
    grep -qF "warning: route-table \`rtb-f28e418b\` names the natgateway \`nat-055c00735cace0ec4\`" "$DIR/out"
    grep -qF "the lab is in account 118292266645, region us-west-2" "$DIR/out"
    says '"List": "DBInstances"' vpclab --lab b import aws $NET/hybrid-region/aws --output json
}

@test "a wrong dump names the place and changes nothing" {
    mkdir "$DIR/dump"
    printf '{"Vpcs": [\n  {"VpcId": "vpc-1",}]}\n' >"$DIR/dump/Vpcs.json"
    wrong 3 "$DIR/dump/Vpcs.json:2:20: error: a comma before \`}\`" vpclab import aws "$DIR/dump"
    printf '{"Vpcs": [\n  {"VpcId": "vpc-1", "CidrBlock": 7}]}\n' >"$DIR/dump/Vpcs.json"
    wrong 3 "Vpcs.json:2:35: error: Vpcs[0].CidrBlock: expected a string" vpclab import aws "$DIR/dump"
    printf '{"Tags": []}\n' >"$DIR/dump/Vpcs.json"
    wrong 3 "holds a list of network resources" vpclab import aws "$DIR/dump"
    wrong 5 "No such file or directory" vpclab import aws "$DIR/absent"
    wrong 2 "\`DIRECTORY\` is missing" vpclab import aws
}

@test "an export is read back" {
    vpclab ec2 create-vpc --cidr-block 10.9.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=nine}]' >/dev/null
    says "accounts/123456789012/us-east-1/Vpcs.json" vpclab export aws "$DIR/out.d"
    wrong 4 "already" vpclab export aws "$DIR/out.d"
    vpclab --lab other import aws "$DIR/out.d" >/dev/null
    says 10.9.0.0/16 vpclab --lab other ec2 describe-vpcs --vpc-ids nine
    wrong 4 ResourceAlreadyExists vpclab import aws "$DIR/out.d"
}

@test "a member that means another thing in another kind is no missing id" {
    mkdir "$DIR/dump"
    cat >"$DIR/dump/all.json" <<'END'
{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}],
 "LoadBalancers": [{"LoadBalancerArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/front/725b996cb6be8fba",
                    "LoadBalancerName": "front", "Type": "network", "Scheme": "internal", "VpcId": "vpc-1"}],
 "TargetGroups": [{"TargetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/8e891d8fcdf8ece8",
                   "TargetGroupName": "web", "Protocol": "TCP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}],
 "TargetHealthDescriptions": [{"Target": {"Id": "10.0.0.5", "Port": 80}}]}
END
    vpclab import aws "$DIR/dump" >"$DIR/out"
    ! grep -E "classic-load-balancer|hosted-zone" "$DIR/out" || { cat "$DIR/out"; return 1; }
    [ -d "$NET" ] || skip "no vectors here"
    vpclab --lab b import aws $NET/load-balancer/aws >"$DIR/out"
    ! grep -E "classic-load-balancer|hosted-zone" "$DIR/out" || { cat "$DIR/out"; return 1; }
}

@test "what elbv2 prints for one balancer, group or listener at a time is read as it stands" {
    vpclab -q -f - <<'END' >/dev/null
vpc = ec2 create-vpc --cidr-block 10.9.0.0/16
a = ec2 create-subnet --vpc-id $vpc --cidr-block 10.9.1.0/24 --availability-zone us-east-1a
b = ec2 create-subnet --vpc-id $vpc --cidr-block 10.9.2.0/24 --availability-zone us-east-1b
open = ec2 create-security-group --vpc-id $vpc --group-name open --description open
ec2 authorize-security-group-ingress --group-id $open --protocol tcp --port 0-65535 --cidr 10.9.0.0/16
web = ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id $a --security-group-ids $open --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=web}]
api = ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id $b --security-group-ids $open --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=api}]
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id $a --private-ip-address 10.9.1.50 --security-group-ids $open --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=client}]
lb = elbv2 create-load-balancer --name front --scheme internal --subnets $a $b --security-groups $open
t1 = elbv2 create-target-group --name web --protocol HTTP --port 8080 --vpc-id $vpc
t2 = elbv2 create-target-group --name api --protocol HTTP --port 9090 --vpc-id $vpc
elbv2 register-targets --target-group-arn $t1 --targets Id=$web
elbv2 register-targets --target-group-arn $t2 --targets Id=$api
listener = elbv2 create-listener --load-balancer-arn $lb --protocol HTTP --port 80 --default-actions Type=forward,TargetGroupArn=$t1
elbv2 create-rule --listener-arn $listener --priority 10 --conditions Field=path-pattern,Values=/api/* --actions Type=forward,TargetGroupArn=$t2
elbv2 add-tags --resource-arns $lb --tags Key=team,Value=shop
END
    mkdir "$DIR/raw"
    for what in vpcs subnets route-tables network-acls security-groups network-interfaces instances internet-gateways; do
        vpclab ec2 describe-$what >"$DIR/raw/$what.json"
    done
    lb=$(vpclab elbv2 describe-load-balancers --query 'LoadBalancers[0].LoadBalancerArn' -o text)
    vpclab elbv2 describe-load-balancers >"$DIR/raw/balancers.json"
    vpclab elbv2 describe-target-groups >"$DIR/raw/groups.json"
    vpclab elbv2 describe-listeners --load-balancer-arn "$lb" >"$DIR/raw/listeners.json"
    vpclab elbv2 describe-rules --listener-arn "$(vpclab elbv2 describe-listeners --load-balancer-arn "$lb" --query 'Listeners[0].ListenerArn' -o text)" >"$DIR/raw/rules.json"
    vpclab elbv2 describe-tags --resource-arns "$lb" >"$DIR/raw/tags.json"
    vpclab elbv2 describe-load-balancer-attributes --load-balancer-arn "$lb" >"$DIR/raw/front.json"
    for group in web api; do
        arn=$(vpclab elbv2 describe-target-groups --names $group --query 'TargetGroups[0].TargetGroupArn' -o text)
        vpclab elbv2 describe-target-health --target-group-arn "$arn" >"$DIR/raw/health-${arn##*/}.json"
    done
    vpclab --lab b import aws "$DIR/raw" >"$DIR/out"
    ! grep -E "left out, of kinds|warning" "$DIR/out" || { cat "$DIR/out"; return 1; }
    says '"shop"' vpclab --lab b elbv2 describe-tags --resource-arns "$lb"
    for lab in default b; do
        vpclab --lab $lab reach client "$(vpclab ec2 describe-network-interfaces --query 'NetworkInterfaces[?contains(Description, `front`)].NetworkInterfaceId | [0]' -o text)" tcp/80 >"$DIR/$lab"
        vpclab --lab $lab who-can-reach web >>"$DIR/$lab"
        vpclab --lab $lab elbv2 describe-rules --listener-arn "$(vpclab elbv2 describe-listeners --load-balancer-arn "$lb" --query 'Listeners[0].ListenerArn' -o text)" >>"$DIR/$lab"
    done
    grep -q REACHABLE "$DIR/b"
    sed -i 's/sgr-[0-9a-f]*/sgr/' "$DIR/default" "$DIR/b" # describe-security-groups does not tell them
    diff "$DIR/default" "$DIR/b"
    # what cannot be told apart is named, not guessed
    mv "$DIR/raw/$(cd "$DIR/raw" && ls | grep health | head -1)" "$DIR/raw/somebody.json"
    says "TargetHealthDescriptions (somebody.json)" vpclab --lab c import aws "$DIR/raw"
}

@test "files that say nothing are named, and two Classic balancers of one name are not made one" {
    mkdir "$DIR/dump"
    : >"$DIR/dump/failed.json"
    wrong 3 "none of the 1 JSON files" vpclab import aws "$DIR/dump"
    echo '[{"VpcId": "vpc-1"}]' >"$DIR/dump/queried.json"
    wrong 3 "none of the 2 JSON files" vpclab import aws "$DIR/dump"
    wrong 3 "without --query" vpclab import aws "$DIR/dump"
    for zone in east-1 west-2; do
        mkdir "$DIR/dump/us-$zone"
        echo '{"LoadBalancerDescriptions": [{"LoadBalancerName": "old", "DNSName": "old-1.us-'$zone'.elb.amazonaws.com"}]}' >"$DIR/dump/us-$zone/b.json"
    done
    vpclab import aws "$DIR/dump" >"$DIR/out"
    grep -q "failed.json.*empty: the command" "$DIR/out"
    grep -q "queried.json.*without its name" "$DIR/out"
    says us-east-1.elb vpclab elb describe-load-balancers
    says us-west-2.elb vpclab --region us-west-2 elb describe-load-balancers
    mkdir "$DIR/flat"
    for zone in east-1 west-2; do
        cp "$DIR/dump/us-$zone/b.json" "$DIR/flat/$zone.json" # no folder tells that these are two regions
    done
    vpclab --lab flat import aws "$DIR/flat" >"$DIR/out"
    grep -q 'warning: west-2.json: another classic-load-balancer is called `old`' "$DIR/out"
}

@test "private DNS of endpoints works in an import, though describe-vpcs does not tell whether the VPC gives names" {
    mkdir "$DIR/dump"
    cat >"$DIR/dump/all.json" <<'END'
{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}],
 "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1a"}],
 "NetworkInterfaces": [
   {"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "VpcId": "vpc-1", "PrivateIpAddress": "10.0.1.10",
    "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.10", "Primary": true}]},
   {"NetworkInterfaceId": "eni-2", "SubnetId": "subnet-1", "VpcId": "vpc-1", "PrivateIpAddress": "10.0.1.20", "InterfaceType": "vpc_endpoint",
    "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.20", "Primary": true}]}],
 "VpcEndpoints": [{"VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "VpcId": "vpc-1", "State": "available",
   "ServiceName": "com.amazonaws.us-east-1.sqs", "PrivateDnsEnabled": true, "NetworkInterfaceIds": ["eni-2"],
   "DnsEntries": [{"DnsName": "sqs.us-east-1.amazonaws.com", "HostedZoneId": "ZONEIDPENDING"}]}]}
END
    vpclab import aws "$DIR/dump" >/dev/null
    says 10.0.1.20 vpclab resolve sqs.us-east-1.amazonaws.com --from eni-1
    says REACHABLE vpclab reach eni-1 sqs.us-east-1.amazonaws.com tcp/443
    # what the account says counts more than what is inferred
    echo '{"VpcId": "vpc-1", "EnableDnsHostnames": {"Value": false}}' >"$DIR/dump/attribute.json"
    vpclab --lab b import aws "$DIR/dump" >"$DIR/out"
    ! grep "left out" "$DIR/out"
    run vpclab --lab b resolve sqs.us-east-1.amazonaws.com --from eni-1
    [ "$status" = 1 ] && [[ "$output" == *"belongs to nothing in the lab"* ]]
}

@test "a service of another account, known by describe-vpc-endpoint-services, takes endpoints and is nobody's here" {
    mkdir "$DIR/dump"
    cat >"$DIR/dump/all.json" <<'END'
{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": "111111111111"}],
 "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1a"}],
 "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "default", "VpcId": "vpc-1"}],
 "ServiceNames": ["com.amazonaws.vpce.us-east-1.vpce-svc-0b"],
 "ServiceDetails": [{"ServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-0b", "ServiceId": "vpce-svc-0b", "Owner": "999999999999",
  "ServiceType": [{"ServiceType": "Interface"}], "AvailabilityZones": ["us-east-1a"], "AcceptanceRequired": true}]}
END
    vpclab import aws "$DIR/dump" >"$DIR/out"
    ! grep -q 'left out\|warning' "$DIR/out"
    says '"Owner": "999999999999"' vpclab ec2 describe-vpc-endpoint-services --service-names com.amazonaws.vpce.us-east-1.vpce-svc-0b
    [ "$(vpclab ec2 describe-vpc-endpoint-service-configurations --query 'length(ServiceConfigurations)')" = 0 ]
    says pendingAcceptance vpclab ec2 create-vpc-endpoint --vpc-id vpc-1 --vpc-endpoint-type Interface --service-name com.amazonaws.vpce.us-east-1.vpce-svc-0b --subnet-ids subnet-1
}

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

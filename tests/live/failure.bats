#!/usr/bin/env bats
# `fail`, `restore`, `failures`, `status`: at the command line, with a live lab and without one.
load ../cli/helper

setup_file() { :; }
teardown() {
    vpclab down >/dev/null 2>&1 || true
    rm -rf "$DIR"
}
begin() {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    subnet_a=$(vpclab ec2 describe-subnets --filters Name=availability-zone,Values=us-east-1a --query 'Subnets[0].SubnetId' -o text)
    subnet_b=$(vpclab ec2 describe-subnets --filters Name=availability-zone,Values=us-east-1b --query 'Subnets[0].SubnetId' -o text)
    for n in a:$subnet_a b:$subnet_b b2:$subnet_b; do
        vpclab ec2 run-instances --image-id ami-12345678 --subnet-id "${n#*:}" --associate-public-ip-address \
            --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=${n%:*}}]" >/dev/null
    done
    group=$(vpclab ec2 describe-security-groups --query 'SecurityGroups[0].GroupId' -o text)
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol icmp --port=-1 --cidr 0.0.0.0/0 >/dev/null
}
up() {
    vpclab up >/dev/null || { [ $? = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs: $(vpclab up 2>&1 | head -n 1)"; }
}

@test "a zone fails and is restored in the live lab; status and reach say so" {
    begin
    up
    vpclab ping a b --count 1
    vpclab ping internet a --count 1
    vpclab exec --detach a -- sleep 300
    run vpclab fail az us-east-1a
    [ "$status" = 0 ]
    [[ "$output" == "failed: az us-east-1a since "* ]]
    ! vpclab ping a b --count 1
    ! vpclab ping internet a --count 1
    vpclab ping b b2 --count 1
    vpclab ping internet b --count 1
    run vpclab reach a b --protocol icmp
    [ "$status" = 1 ]
    [[ "$output" == *"zone us-east-1a has failed in this lab"* ]]
    [[ "$output" == *"restore az us-east-1a"* ]]
    run vpclab status
    [[ "$output" == "lab \`"*"\` is live: 1 VPC, 3 instances, 3 running; "*"failed: az us-east-1a since "* ]]
    vpclab verify >"$DIR/said"
    grep -q 'disagree on 0' "$DIR/said"
    grep -q '^failed: az us-east-1a since ' "$DIR/said"
    # A change meanwhile, and one more failure: each is undone by itself.
    vpclab fail instance b2 >/dev/null
    ! vpclab ping b b2 --count 1
    vpclab restore az us-east-1a >/dev/null
    vpclab ping a b --count 1
    vpclab ping internet a --count 1
    vpclab exec a -- pgrep sleep # its programs went on
    ! vpclab ping b b2 --count 1
    run vpclab restore all
    [ "$output" = "nothing has failed" ]
    vpclab ping b b2 --count 1
}

@test "failures are saved with the lab, and are there when it goes live" {
    begin
    vpclab fail instance a >/dev/null
    run vpclab failures
    [[ "$output" == "failed: instance i-"* ]]
    run vpclab failures --query 'Failures[].Type' -o text
    [ "$output" = instance ]
    ! vpclab reach b a --protocol icmp >/dev/null
    up
    ! vpclab ping b a --count 1
    vpclab ping b b2 --count 1
    vpclab ec2 terminate-instances --instance-ids a >/dev/null
    vpclab verify >/dev/null
}

@test "what cannot fail, has failed already or is fine is refused with a hint" {
    begin
    run vpclab fail moon full
    [ "$status" = 2 ]
    run vpclab fail az
    [ "$status" = 2 ]
    run vpclab fail az mars-1a
    [ "$status" = 4 ]
    [[ "$output" == *"there is no zone \`mars-1a\`"*"describe-availability-zones"* ]]
    run vpclab fail instance nobody
    [ "$status" = 4 ]
    run vpclab restore instance a
    [ "$status" = 4 ]
    [[ "$output" == *"has not failed"* ]]
    vpclab fail az us-east-1b >/dev/null
    run vpclab fail az us-east-1b
    [ "$status" = 4 ]
    [[ "$output" == *"restore az us-east-1b"* ]]
    run vpclab restore az
    [ "$status" = 2 ]
    run vpclab restore all us-east-1b
    [ "$status" = 2 ]
    vpclab restore all >/dev/null
    run vpclab failures
    [ "$output" = "nothing has failed" ]
}

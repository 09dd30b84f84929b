#!/usr/bin/env bats
# While a lab is live its keeper asks the caller's policies too.
load ../cli/helper

teardown() {
    vpclab down >/dev/null 2>&1 || true
    rm -rf "$DIR"
}

@test "the keeper refuses what the caller's policies do not allow" {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    vpclab iam create-user --user-name alice >/dev/null
    vpclab iam put-user-policy --user-name alice --policy-name p --policy-document \
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}}'
    vpclab up >/dev/null || { [ $? = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs"; }
    says 172.31.0.0/16 vpclab --as alice ec2 describe-vpcs
    wrong 4 '[UnauthorizedOperation]' vpclab --as alice ec2 create-vpc --cidr-block 10.1.0.0/16
    says 10.1.0.0/16 vpclab ec2 create-vpc --cidr-block 10.1.0.0/16
    says user/alice vpclab --as alice sts get-caller-identity
    says :root vpclab sts get-caller-identity
    grep -q '"userName":"alice".*"errorCode":"UnauthorizedOperation"' "$XDG_DATA_HOME/vpclab/labs/default/journal.jsonl"
}

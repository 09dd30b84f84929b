#!/usr/bin/env bats
# Instance metadata: what an instance is told about itself, who is told, and how far a token travels.
load ../cli/helper
load services

at=http://169.254.169.254
token() { # NODE [SECONDS]
    get "$1" $at/latest/api/token -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: ${2:-60}"
}
role() { # NAME SERVICE
    vpclab iam create-role --role-name "$1" --assume-role-policy-document \
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"$2\"},\"Action\":\"sts:AssumeRole\"}]}" >/dev/null
    vpclab iam create-instance-profile --instance-profile-name "$1" >/dev/null
    vpclab iam add-role-to-instance-profile --instance-profile-name "$1" --role-name "$1"
}

@test "metadata: each instance is told about itself, whatever its groups and ACLs say" {
    setup_lab
    web=$(run_instance web a --private-ip-address 10.0.1.10 --user-data 'some text' --ipv6-address-count 1)
    db=$(run_instance db b)
    # Nothing may leave the subnet; AWS filters neither metadata nor the resolver.
    vpc=$(vpclab ec2 describe-vpcs --vpc-ids main --query 'Vpcs[0].VpcId' --output text)
    acl=$(vpclab ec2 describe-network-acls --filters "Name=vpc-id,Values=$vpc" --query 'NetworkAcls[0].NetworkAclId' --output text)
    vpclab ec2 replace-network-acl-entry --network-acl-id "$acl" --egress --rule-number 100 --protocol -1 --rule-action deny --cidr-block 0.0.0.0/0 >/dev/null
    up
    [ "$(get web $at/latest/meta-data/instance-id)" = "$web" ]
    [ "$(get db $at/latest/meta-data/instance-id)" = "$db" ]
    [ "$(get web $at/latest/meta-data/local-ipv4)" = 10.0.1.10 ]
    [ "$(get web $at/2021-07-15/meta-data/placement/region)" = us-east-1 ]
    [ "$(get web $at/latest/user-data)" = "some text" ]
    [ "$(code db $at/latest/user-data)" = 404 ]
    mac=$(get web $at/latest/meta-data/mac)
    [ "$(get web $at/latest/meta-data/network/interfaces/macs/)" = "$mac/" ]
    [ "$(get web "$at/latest/meta-data/network/interfaces/macs/$mac/subnet-ipv4-cidr-block")" = 10.0.1.0/24 ]
    [ "$(vpclab exec web -- cat /sys/class/net/eth0/address)" = "$mac" ]
    get web $at/latest/dynamic/instance-identity/document | grep -q "\"instanceId\": \"$web\""
    [ "$(code web $at/latest/meta-data/nosuch)" = 404 ]
    [ "$(code web $at/1999-01-01/)" = 404 ]
    [ "$(code web $at/latest/meta-data/ -X DELETE)" = 405 ]
    # Only port 80 answers, and only there.
    [ "$(code web http://169.254.169.254:81/)" = 000 ]
    # By IPv6 when it is switched on.
    [ "$(code web 'http://[fd00:ec2::254]/latest/meta-data/')" = 403 ]
    vpclab ec2 modify-instance-metadata-options --instance-id web --http-protocol-ipv6 enabled >/dev/null
    [ "$(get web 'http://[fd00:ec2::254]/latest/meta-data/instance-id')" = "$web" ]
}

@test "metadata: tokens are asked for when required, are the instance's own and end" {
    setup_lab
    run_instance web a --metadata-options HttpTokens=required
    run_instance db a
    up
    [ "$(code web $at/latest/meta-data/)" = 401 ]
    [ "$(code db $at/latest/meta-data/)" = 200 ]
    mine=$(token web) other=$(token db) short=$(token web 1)
    [ "$(code web $at/latest/meta-data/ -H "X-aws-ec2-metadata-token: $mine")" = 200 ]
    [ "$(code web $at/latest/meta-data/ -H "X-aws-ec2-metadata-token: $other")" = 401 ]
    [ "$(code db $at/latest/meta-data/ -H "X-aws-ec2-metadata-token: nonsense")" = 401 ]
    for seconds in 0 21601 -1 x ''; do
        [ "$(code web $at/latest/api/token -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: $seconds")" = 400 ]
    done
    [ "$(code web $at/latest/api/token -X PUT)" = 400 ]
    [ "$(code web $at/latest/api/token -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' -H 'X-Forwarded-For: 10.0.0.1')" = 403 ]
    sleep 1.1
    [ "$(code web $at/latest/meta-data/ -H "X-aws-ec2-metadata-token: $short")" = 401 ]
    vpclab ec2 modify-instance-metadata-options --instance-id web --http-endpoint disabled >/dev/null
    [ "$(code web $at/latest/meta-data/ -H "X-aws-ec2-metadata-token: $mine")" = 403 ]
    vpclab ec2 modify-instance-metadata-options --instance-id web --http-endpoint enabled --http-tokens optional >/dev/null
    [ "$(code web $at/latest/meta-data/)" = 200 ]
}

@test "metadata: a token travels as many hops as the instance allows" {
    setup_lab
    run_instance web a
    up
    # A container behind the instance: one hop further, translated to the instance's address.
    cat >"$DIR/container" <<'SCRIPT'
echo 1 >/proc/sys/net/ipv4/ip_forward
unshare -n sleep 20 & inner=$!
while [ "$(readlink /proc/$inner/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.02; done
ip link add v0 type veth peer name v1 netns $inner
ip addr add 172.17.0.1/24 dev v0; ip link set v0 up
nft 'add table ip t; add chain ip t p { type nat hook postrouting priority 100; }; add rule ip t p oifname eth0 masquerade'
inside() { nsenter -t $inner -n "$@"; }
inside ip addr add 172.17.0.2/24 dev v1; inside ip link set v1 up; inside ip route add default via 172.17.0.1
for try in 1 2 3 4 5; do inside ping -q -c1 -W1 172.17.0.1 >/dev/null && break; done
inside curl -s -m 2 -o /dev/null -w '%{http_code} ' http://169.254.169.254/latest/meta-data/
inside curl -s -m 2 -o /dev/null -w '%{http_code} ' -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token
kill $inner
SCRIPT
    command -v nft >/dev/null && command -v nsenter >/dev/null || skip "nft and nsenter are not installed"
    run vpclab exec web -- sh -c "$(cat "$DIR/container")"
    [ "$output" = "200 000 " ]
    vpclab exec web -- sh -c 'ip link del v0; nft delete table ip t'
    vpclab ec2 modify-instance-metadata-options --instance-id web --http-put-response-hop-limit 2 >/dev/null
    run vpclab exec web -- sh -c "$(cat "$DIR/container")"
    [ "$output" = "200 200 " ]
}

@test "metadata: a role's credentials are a session of the lab, if the role trusts EC2" {
    setup_lab
    role app ec2.amazonaws.com
    role closed lambda.amazonaws.com
    web=$(run_instance web a --iam-instance-profile Name=app)
    run_instance bad a --iam-instance-profile Name=closed
    run_instance none a
    up
    [ "$(code none $at/latest/meta-data/iam/)" = 404 ]
    [ "$(get web $at/latest/meta-data/iam/security-credentials/)" = app ]
    key=$(get web $at/latest/meta-data/iam/security-credentials/app | jq -r .AccessKeyId)
    [ "$(get web $at/latest/meta-data/iam/security-credentials/app | jq -r .AccessKeyId)" = "$key" ]
    [[ "$(vpclab --as "$key" sts get-caller-identity --query Arn --output text)" == *":assumed-role/app/$web" ]]
    # What the role may not do its credentials may not either, and what it may, they may.
    run vpclab --as "$key" ec2 describe-vpcs
    [ "$status" = 4 ]
    vpclab iam put-role-policy --role-name app --policy-name see --policy-document \
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:DescribeVpcs","Resource":"*"}]}' >/dev/null
    vpclab --as "$key" ec2 describe-vpcs >/dev/null
    get bad $at/latest/meta-data/iam/security-credentials/closed | grep -q AssumeRoleUnauthorizedAccess
}

@test "metadata: nobody asks under another's address" {
    setup_lab
    run_instance web a --private-ip-address 10.0.1.10
    thief=$(run_instance thief a --private-ip-address 10.0.1.66)
    vpclab ec2 modify-instance-attribute --instance-id thief --no-source-dest-check
    up
    vpclab exec thief -- ip addr add 10.0.1.10/32 dev eth0
    [ "$(code thief $at/latest/meta-data/ --interface 10.0.1.10)" = 000 ]
    [ "$(get thief $at/latest/meta-data/instance-id --interface 10.0.1.66)" = "$thief" ]
}

@test "modify-instance-metadata-options: what it refuses" {
    vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=main}]' >/dev/null
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=a}]' >/dev/null
    run_instance web a >/dev/null
    refused() { run vpclab ec2 modify-instance-metadata-options "${@:2}"; [ "$status" -gt 1 ] && [[ "$output" == *"$1"* ]]; }
    refused InvalidInstanceID.NotFound --instance-id i-0123456789abcdef0 --http-tokens required
    refused HttpPutResponseHopLimit --instance-id web --http-put-response-hop-limit 65
    refused HttpPutResponseHopLimit --instance-id web --http-put-response-hop-limit 0
    refused maybe --instance-id web --http-tokens maybe
    run vpclab ec2 modify-instance-metadata-options
    [ "$status" = 2 ]
    [ "$(vpclab ec2 modify-instance-metadata-options --instance-id web --query InstanceMetadataOptions.HttpTokens --output text)" = optional ]
    [ "$(vpclab ec2 describe-instances --filters Name=metadata-options.http-tokens,Values=optional --query 'length(Reservations)')" = 1 ]
    run vpclab ec2 run-instances --image-id ami-12345678 --subnet-id a --metadata-options HttpPutResponseHopLimit=99
    [ "$status" = 4 ]
    [[ "$output" == *metadata-options* ]]
}

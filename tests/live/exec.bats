#!/usr/bin/env bats
# An instance is a shell away: real programs in a live lab, and changes that act on the next packet.
load ../cli/helper

setup_lab() {
    XDG_RUNTIME_DIR=${SHORT:-$DIR/run} # of a long path no socket is below it
    export XDG_RUNTIME_DIR
    mkdir -p -m 700 "$XDG_RUNTIME_DIR"
    vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=main}]' >/dev/null
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=a}]' >/dev/null
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.2.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=b}]' >/dev/null
    vpclab ec2 create-security-group --group-name db --description db --vpc-id main >/dev/null
    run_instance web a 10.0.1.10
    run_instance db b 10.0.2.10 --security-group-ids db
    vpclab up >/dev/null || { [ $? = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs"; }
}
run_instance() { # NAME SUBNET ADDRESS OPTION...
    local name=$1 subnet=$2 ip=$3
    shift 3
    vpclab ec2 run-instances --image-id ami-12345678 --subnet-id "$subnet" --private-ip-address "$ip" "$@" \
        --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name}]" >/dev/null
}
teardown() {
    vpclab down >/dev/null 2>&1 || true
    rm -rf "$DIR" "${SHORT:-$DIR}"
}
page() { vpclab exec web -- curl -s -m 1 -o /dev/null -w '%{http_code}' http://db:8080/; }

@test "exec: an instance has the address, prefix and route of its subnet" {
    setup_lab
    run vpclab exec web -- ip addr show eth0
    [[ "$output" == *"inet 10.0.1.10/24"* ]]
    run vpclab exec web -- ip route
    [[ "$output" == *"default via 10.0.1.1 dev eth0"* ]]
    run vpclab exec web -- hostname
    [ "$output" = ip-10-0-1-10 ]
}

@test "exec: curl reaches a web server by name as soon as a rule admits it, and not before" {
    setup_lab
    # Python's server asks for its own name before it listens: that must not wait for a name server.
    vpclab exec --detach db -- /usr/bin/env python3 -m http.server 8080
    for _ in $(seq 50); do
        vpclab exec db -- ss -ltn | grep -q :8080 && break
        sleep 0.1
    done
    run page
    [ "$output" = 000 ]
    vpclab ec2 authorize-security-group-ingress --group-id db --protocol tcp --port 8080 --cidr 10.0.1.0/24 >/dev/null
    run page
    [ "$output" = 200 ]
    vpclab ec2 revoke-security-group-ingress --group-id db --protocol tcp --port 8080 --cidr 10.0.1.0/24 >/dev/null
    run page
    [ "$output" = 000 ]
}

@test "exec: a program's exit status is ours; a missing program, an unknown node and a lab that is down are told apart" {
    setup_lab
    run vpclab exec web -- sh -c 'exit 7'
    [ "$status" = 7 ]
    run vpclab exec web -- no-such-program
    [ "$status" = 5 ]
    [[ "$output" == *'cannot run `no-such-program`'* ]]
    run vpclab exec nosuch -- true
    [ "$status" = 4 ]
    [[ "$output" == *'`nosuch`'* ]]
    vpclab down >/dev/null
    run vpclab exec web -- true
    [ "$status" = 4 ]
    [[ "$output" == *"not live"* ]]
}

@test "exec: what runs in an instance ends with the lab" {
    setup_lab
    vpclab exec --detach web -- sleep 987
    pgrep -f '^sleep 987' >/dev/null
    vpclab down >/dev/null
    run pgrep -f '^sleep 987'
    [ "$status" = 1 ]
}

@test "exec: a live lab whose directory or socket somebody removes ends by itself" {
    local what
    cp "$VPCLAB" "$DIR/vpclab" # the processes of this lab are those that run this file
    VPCLAB=$DIR/vpclab
    SHORT=$(mktemp -d /tmp/vpclab-run.XXXXXX)
    for what in "$DIR/data" "$SHORT"; do
        setup_lab
        [ -n "$(processes)" ]
        rm -rf "$what"
        for _ in $(seq 200); do [ -n "$(processes)" ] || break; sleep 0.05; done
        [ -z "$(processes)" ]
        rm -rf "$DIR/data" "$SHORT"
    done
}
processes() { find /proc/[0-9]*/exe -maxdepth 0 -lname "$DIR/vpclab*" 2>/dev/null; }

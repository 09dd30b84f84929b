#!/usr/bin/env bats
# `verify --random`: networks by lot in throw-away labs; the lab in use is not touched.  What a disagreement shrinks to: tests/unit/test_shrink.c.
load ../cli/helper

begin() {
    XDG_RUNTIME_DIR=$DIR/run
    TMPDIR=$DIR/tmp
    export XDG_RUNTIME_DIR TMPDIR
    mkdir -m 700 "$XDG_RUNTIME_DIR" "$TMPDIR"
}
random() { # OPTION...: what it prints is in $DIR/said
    vpclab verify --random "$@" >"$DIR/said" 2>"$DIR/err" && return
    local status=$?
    [ $status = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs: $(head -n 1 "$DIR/err")"
    cat "$DIR/said" "$DIR/err"
    return $status
}
counted() { vpclab verify --random "$1" --seed "$2" --query "$3" -o text; }

@test "random networks: both judges agree, and every sort of fate is among the packets" {
    begin
    random 6 --seed 3 --script "$DIR/script"
    cat "$DIR/said"
    grep -q '^6 networks from seed 3; [1-9][0-9]* packets stopped, [1-9][0-9]* arrived without answer, [1-9][0-9]* answered$' "$DIR/said"
    # What an appliance keeps, say, is not compared; most packets are.
    grep -Eq '^240 packets: analysis and kernel agree on (240|2[23][0-9]), disagree on 0(; [0-9]+ cannot be compared)?$' "$DIR/said"
    for kind in instance network-acl natgateway transit-gateway vpn-connection; do
        grep -qE "^$kind +[1-9]" "$DIR/said"
    done
    [ ! -e "$DIR/script" ] # there was nothing to show
    [ -z "$(find "$TMPDIR" "$XDG_RUNTIME_DIR" ! -type d)" ] # nothing is left of them
}

@test "a seed gives the same networks and packets again, another one others" {
    begin
    random 1 --seed 3
    # Without balancers, whose choice among targets is the kernel's: a target that is shut off gets another packet each time.
    first=$(counted 2 8 '[Asked,Stopped,Answered,Constructs.instance.Objects]')
    echo "$first"
    [ "$first" = "$(counted 2 8 '[Asked,Stopped,Answered,Constructs.instance.Objects]')" ]
    [ "$first" != "$(counted 2 2 '[Asked,Stopped,Answered,Constructs.instance.Objects]')" ]
}

@test "the lab in use stays as it is, live or not" {
    begin
    random 1 --seed 3
    vpclab ec2 run-instances --image-id ami-12345678 >/dev/null
    vpclab up >/dev/null # it adds the lab's authority
    state >"$DIR/before"
    random 1 --seed 3
    vpclab status | grep -q live
    vpclab verify >/dev/null
    state | cmp - "$DIR/before"
}

@test "random networks have no ends and flows to name" {
    wrong 2 "random networks have ends and flows of their own" vpclab verify --random 2 --port 80
    wrong 2 "only --seed and --script go with it" vpclab verify internet --random 2
    wrong 2 "a seed is for networks drawn by lot" vpclab verify --seed 2
    wrong 2 "a script is for networks drawn by lot" vpclab verify --script x
    wrong 2 '`0` networks cannot be tried' vpclab verify --random 0
    wrong 2 '`-4` is no seed' vpclab verify --random 1 --seed -4
    wrong 2 '' vpclab verify --random
    wrong 2 '' vpclab verify --random many
}

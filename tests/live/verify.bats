#!/usr/bin/env bats
# `verify` over the networks of ground truth: what both judges have, they agree on; what only one has is listed, not judged.
load ../cli/helper
NET=../shared/vectors/net

teardown() {
    vpclab down >/dev/null 2>&1 || true
    rm -rf "$DIR"
}
begin() {
    [ -d "$NET" ] || skip "$NET is absent"
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
}
up() {
    vpclab up >/dev/null || { [ $? = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs: $(vpclab up 2>&1 | head -n 1)"; }
}
# verified NETWORK: imports it, builds it, verifies it; what `verify` says is in $DIR/said.
verified() {
    rm -rf "${XDG_DATA_HOME:?}"
    vpclab import aws "$NET/$1/aws" >/dev/null 2>"$DIR/import" || { cat "$DIR/import"; return 1; }
    up
    vpclab verify >"$DIR/said" || { echo "$1:"; grep -A 2 DISAGREE "$DIR/said"; return 1; }
    grep -q 'disagree on 0' "$DIR/said"
    vpclab down >/dev/null
}

@test "no network of ground truth has a disagreement" {
    begin
    for network in "$NET"/*/aws; do
        verified "$(basename "$(dirname "$network")")"
    done
}

@test "a way through what is not built live is listed, and its packets are not counted as agreement" {
    begin
    verified vpn-gateway
    cat "$DIR/said"
    grep -q '^not built live: virtual private gateway vgw-0c09bd7fadac961bf (1 pair)$' "$DIR/said"
    grep -q '^5 packets: analysis and kernel agree on 3, disagree on 0; 2 cannot be compared$' "$DIR/said"
}

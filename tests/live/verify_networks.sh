#!/usr/bin/env bash
# verify_networks.sh - `verify` on every network of ground truth, as real packets: a row for each, and no disagreement in any.  Scenarios end in
# `verify` themselves (tests/scenarios).  What of a network is not modelled, or not built, is counted apart.
set -u
cd "$(dirname "$0")/../.." || exit
net=../shared/vectors/net
v=${VPCLAB:-$PWD/build/vpclab}
dir=$(mktemp -d /tmp/vpclab-net.XXXXXX) # short: a socket lies below it
mkdir -m 700 "$dir/run"
export XDG_DATA_HOME=$dir/data XDG_RUNTIME_DIR=$dir/run XDG_CONFIG_HOME=$dir/config XDG_STATE_HOME=$dir/state VPCLAB_PAGER=
trap '"$v" down >/dev/null 2>&1; rm -rf "$dir"' EXIT
passed=0 failed=0
skip() {
    echo "SKIPPED verify_networks: $*"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
[ -d "$net" ] || skip "$net is absent"
if ! "$v" doctor >"$dir/doctor" 2>&1; then
    [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] || { cat "$dir/doctor"; exit 1; }
    skip "this machine cannot run live labs: $(grep -m1 '^NO' "$dir/doctor")"
fi

columns='[length(Pairs), Asked, Agree, Disagree, NotCompared, Coverage.Exercised, Coverage.Rules, Coverage.Taken, Coverage.Routes]'
printf '%-30s %5s %7s %7s %8s %12s %7s %7s\n' network pairs packets agree disagree 'not compared' rules routes
for network in "$net"/*/aws; do
    name=$(basename "$(dirname "$network")")
    rm -rf "${XDG_DATA_HOME:?}"
    if "$v" import aws "$network" >/dev/null 2>"$dir/err" && "$v" up >/dev/null 2>"$dir/err" &&
        "$v" verify --query "$columns" -o text >"$dir/row" 2>"$dir/err"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $name: $(head -n 1 "$dir/err")"
        "$v" verify 2>&1 | grep -A 2 DISAGREE
    fi
    "$v" down >/dev/null 2>&1
    read -r pairs asked agree disagree apart met rules taken routes <"$dir/row"
    printf '%-30s %5s %7s %7s %8s %12s %7s %7s\n' "$name" "$pairs" "$asked" "$agree" "$disagree" "$apart" "$met/$rules" "$taken/$routes"
done
[ $((passed + failed)) = 24 ] || { echo "FAILED $((passed + failed)) networks, not 24"; failed=$((failed + 1)); }
echo "$passed passed, $failed failed"
[ $failed = 0 ]

#!/usr/bin/env bash
# mininet.sh [HOSTS [ROUNDS]] - a network of 100 hosts up and down, by Debian's mininet 2.3 and by vpclab, in turn, in the same run.  Prints the best of each and
# the ratio.
#
#   mininet   mn --switch lxbr --topo single,100 --test none    one switch, 100 hosts; start, then stop
#   vpclab    vpclab up; vpclab down                            one VPC, one subnet, 100 instances with a security group: two commands
#
# Needs root (mininet does), and: apt-get install mininet bridge-utils.  mininet works in a network namespace of its own, so that the machine's links stay
# as they are.  A last row tells what making the model costs once, which is in neither.
set -eu
cd "$(dirname "$0")/.."
hosts=${1:-100} rounds=${2:-3}
vpclab=${VPCLAB:-$PWD/build/vpclab}
[ "$(id -u)" = 0 ] || { echo "mininet.sh: mininet needs root" >&2; exit 1; }
for program in mn brctl unshare; do
    command -v $program >/dev/null || { echo "mininet.sh: no \`$program\`: apt-get install mininet bridge-utils" >&2; exit 1; }
done
[ -x "$vpclab" ] || { echo "mininet.sh: no $vpclab: make" >&2; exit 1; }

dir=$(mktemp -d /tmp/vpclab-mn.XXXXXX) # short: a socket lies below it
trap '"$vpclab" down >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
mkdir -m 700 "$dir/run"
export XDG_DATA_HOME=$dir/data XDG_RUNTIME_DIR=$dir/run XDG_STATE_HOME=$dir/state XDG_CONFIG_HOME=$dir/config VPCLAB_PAGER=

milliseconds() { # COMMAND...: how long it takes; its output is shown if it fails
    local begin end
    begin=$(date +%s%N)
    "$@" >"$dir/log" 2>&1 </dev/null || { cat "$dir/log" >&2; return 1; }
    end=$(date +%s%N)
    echo $(((end - begin) / 1000000))
}
least() { if [ -z "$1" ] || [ "$2" -lt "$1" ]; then echo "$2"; else echo "$1"; fi; }

model() {
    "$vpclab" lab limits off
    "$vpclab" ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=net}]'
    "$vpclab" ec2 create-subnet --vpc-id net --cidr-block 10.0.0.0/20 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=all}]'
    "$vpclab" ec2 run-instances --image-id ami-12345678 --subnet-id all --count "$hosts"
}
mininet() { unshare --net --mount mn --switch lxbr --topo "single,$hosts" --test none; }

made=$(milliseconds model)
theirs='' ours_up='' ours_down='' ours=''
for _ in $(seq "$rounds"); do
    theirs=$(least "$theirs" "$(milliseconds mininet)")
    up=$(milliseconds "$vpclab" up) down=$(milliseconds "$vpclab" down)
    if [ "$(least "$ours" $((up + down)))" != "$ours" ]; then
        ours=$((up + down)) ours_up=$up ours_down=$down
    fi
done
mn --version >"$dir/version" 2>&1
echo "mininet $(cat "$dir/version"): $hosts hosts started and stopped in $theirs ms"
echo "$("$vpclab" --version | head -1): $hosts instances up in $ours_up ms, down in $ours_down ms, together $ours ms"
awk -v t="$theirs" -v o="$ours" 'BEGIN { printf "ratio: %.1f\n", t / o }'
echo "(the model, made once by four commands: $made ms)"

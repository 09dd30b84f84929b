#!/usr/bin/env bash
# kill.sh [N] - SIGKILL at N random instants (100; 30 with sanitizers) of up, of a live lab that is being changed, and of down.  After each nothing may be left that
# holds a namespace: no process, no mount; the state must be readable, and the next `up` must work.  SEED repeats a run.
set -u
cd "$(dirname "$0")/../.." || exit
n=${1:-${KILLS:-$([ -n "${SAN:-}" ] && echo 30 || echo 100)}}
RANDOM=${SEED:=$$}
dir=$(mktemp -d /tmp/vpclab-kill.XXXXXX) # short: a socket lies below it
mkdir -m 700 "$dir/run"
mkdir "$dir/bin"
export XDG_DATA_HOME=$dir/data XDG_RUNTIME_DIR=$dir/run XDG_CONFIG_HOME=$dir/config XDG_STATE_HOME=$dir/state VPCLAB_PAGER=
cp "${VPCLAB:-build/vpclab}" "$dir/vpclab"
cp "$(command -v sleep)" "$dir/bin/sleep"
v=$dir/vpclab
failed=0 passed=0

if ! "$v" doctor >"$dir/doctor" 2>&1; then
    [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] || { cat "$dir/doctor"; exit 1; }
    echo "SKIPPED kill: this machine cannot run live labs: $(grep -m1 '^NO' "$dir/doctor")"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

# Every process of the lab: vpclab itself and what was started in it, known by the files they run.
left() { find /proc/[0-9]*/exe -maxdepth 0 -lname "$dir/*" 2>/dev/null | sed 's|/proc/\([0-9]*\)/exe|\1|'; }
kill_all() { local p; for p in $(left); do kill -9 "$p" 2>/dev/null; done; }
cleanup() { kill_all; rm -rf "$dir"; }
trap cleanup EXIT

complain() { echo "FAILED at instant $i (SEED=$SEED), $phase: $*"; failed=$((failed + 1)); bad=1; }
# An instance sees of /tmp only the directory that a program is started in.
sleep_inside() { (cd "$dir/bin" && "$v" exec --detach "$web" -- "$dir/bin/sleep" 1000); }
pause() { sleep "0.0$(printf %02d $((RANDOM % ${1:-40})))"; }
gone() { # within two seconds
    local t
    for t in $(seq 40); do [ -z "$(left)" ] && return; sleep 0.05; done
    return 1
}

vpc=$("$v" ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text)
subnet=$("$v" ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.1.0/24 --query Subnet.SubnetId --output text)
group=$("$v" ec2 create-security-group --vpc-id "$vpc" --group-name test --description test --query GroupId --output text)
"$v" ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr 10.0.0.0/16 >/dev/null
"$v" ec2 run-instances --image-id ami-0abcdef1234567890 --instance-type t3.micro --count 4 --subnet-id "$subnet" --security-group-ids "$group" >/dev/null || exit
"$v" ec2 create-nat-gateway --subnet-id "$subnet" --connectivity-type private >/dev/null || exit
web=$("$v" ec2 describe-instances --query 'Reservations[0].Instances[0].InstanceId' --output text)
mounts=$(grep -c . /proc/self/mountinfo)

for i in $(seq "$n"); do
    bad=0
    case $((i % 3)) in
    0)
        phase="up"
        "$v" up >/dev/null 2>&1 &
        pause
        kill -9 $! 2>/dev/null
        wait $! 2>/dev/null
        # Whole or not at all: a lab that is there answers.
        sleep 0.05
        if [ -n "$(left)" ] && ! "$v" exec "$web" -- true >/dev/null 2>&1; then
            gone || complain "neither live nor gone"
        fi
        ;;
    1)
        phase="live, being changed"
        "$v" up >/dev/null 2>&1 || complain "up failed"
        sleep_inside
        (
            for port in $(seq 8001 8040); do
                "$v" ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port "$port" --cidr 10.0.0.0/16
                "$v" ec2 revoke-security-group-ingress --group-id "$group" --protocol tcp --port "$port" --cidr 10.0.0.0/16
            done
        ) >/dev/null 2>&1 &
        changer=$!
        pause 60
        kill_all
        kill -9 $changer 2>/dev/null
        wait $changer 2>/dev/null
        kill_all
        ;;
    2)
        phase="down"
        "$v" up >/dev/null 2>&1 || complain "up failed"
        sleep_inside
        "$v" down >/dev/null 2>&1 &
        pause 8
        if [ $((RANDOM % 2)) = 0 ]; then kill -9 $! 2>/dev/null; else kill_all; fi
        wait $! 2>/dev/null
        ;;
    esac
    kill_all
    gone || complain "processes are left: $(left)"
    [ "$(grep -c . /proc/self/mountinfo)" = "$mounts" ] || complain "a mount is left"
    "$v" ec2 describe-instances --query 'length(Reservations[0].Instances)' >"$dir/out" 2>&1 || complain "the state is broken: $(cat "$dir/out")"
    [ "$(cat "$dir/out")" = 4 ] || complain "the state lost instances: $(cat "$dir/out")"
    if [ $((i % 10)) = 0 ]; then
        { "$v" up && "$v" verify && "$v" down; } >"$dir/out" 2>&1 || complain "the next lab fails: $(tail -3 "$dir/out")"
    fi
    [ $bad = 1 ] || passed=$((passed + 1))
done
# Nothing half written stays once somebody has worked in the lab again.
"$v" up >"$dir/out" 2>&1 && "$v" down >"$dir/out" 2>&1 || complain "the last lab fails: $(cat "$dir/out")"
ls "$dir/data/vpclab/labs/default" >"$dir/out"
if grep -vxE 'state.json|journal.jsonl|lock|flowlogs|captures' "$dir/out"; then
    complain "files are left"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]

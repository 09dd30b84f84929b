#!/usr/bin/env bash
# kill.sh [N] - SIGKILL at N random instants (75; 24 with sanitizers; 1,000 in `make check-deep`) of up, of a live lab that is being changed, and of
# down.  After each nothing may be left that holds a namespace: no process, no mount, no device; once the next command has looked, no socket and no temporary
# file either; the state must be readable, and the next `up` must work.
# The lab has everything that serves: resolver, metadata, endpoints, balancers with health checks, what `serve` opened, user data that runs, flow logs, and
# TAP hosts where the machine has them.  What was answered before the kill must be in the state after it.  SEED repeats a run.
set -u
cd "$(dirname "$0")/../.." || exit
n=${1:-${KILLS:-$([ -n "${SAN:-}" ] && echo 24 || echo 75)}}
RANDOM=${SEED:=$$}
dir=$(mktemp -d /tmp/vpclab-kill.XXXXXX) # short: a socket lies below it
mkdir -m 700 "$dir/run"
mkdir "$dir/bin" "$dir/tmp"
export TMPDIR=$dir/tmp
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

# Every process of the lab: vpclab itself and what was started in it, known by the files they run; user data by its words.
user_data() { pgrep -f "^sleep 1000[.]$$\$"; }
left() { find /proc/[0-9]*/exe -maxdepth 0 -lname "$dir/*" 2>/dev/null | sed 's|/proc/\([0-9]*\)/exe|\1|'; user_data; }
kill_all() { local p; for p in $(left); do kill -9 "$p" 2>/dev/null; done; }
cleanup() { kill_all; rm -rf "$dir"; }
trap cleanup EXIT

complain() { echo "FAILED at instant $i (SEED=$SEED), $phase: $*"; failed=$((failed + 1)); bad=1; }
# An instance sees of /tmp only the directory that a program is started in.
sleep_inside() { (cd "$dir/bin" && "$v" exec --detach "$web" -- "$dir/bin/sleep" 1000); }
pause() { sleep "0.$(printf %03d $((RANDOM % $1)))"; } # up to so many milliseconds
gone() { # soon, as the machine may be busy
    local t
    for t in $(seq 400); do [ -z "$(left)" ] && return; sleep 0.05; done
    return 1
}

# A change notes when it begins and when it was answered: with nothing begun since, the state has what was answered last.
rule() {
    echo "$*" >>"$dir/begun"
    "$v" ec2 "$1-security-group-ingress" --group-id "$group" --protocol tcp --port "$2" --cidr 10.0.0.0/16 && echo "$*" >>"$dir/done"
}
kept() {
    local last port found
    last=$(tail -n 1 "$dir/done")
    port=${last##* }
    [ -n "$last" ] && [ "$last" = "$(tail -n 1 "$dir/begun")" ] || return 0
    found=$("$v" ec2 describe-security-group-rules --filters "Name=group-id,Values=$group" \
        --query "length(SecurityGroupRules[?FromPort==\`$port\`])" 2>&1 | tee "$dir/out")
    [ "$found" = "$([ "${last% *}" = authorize ] && echo 1 || echo 0)" ] && acknowledged=$((acknowledged + 1))
}
acknowledged=0
vpc=$("$v" ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text)
subnet=$("$v" ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.1.0/24 --query Subnet.SubnetId --output text)
group=$("$v" ec2 create-security-group --vpc-id "$vpc" --group-name test --description test --query GroupId --output text)
"$v" ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr 10.0.0.0/16 >/dev/null
# Their user data goes on until the lab ends.
printf '#!/bin/sh\nexec sleep 1000.%s\n' $$ >"$dir/user-data"
run=(ec2 run-instances --image-id ami-0abcdef1234567890 --instance-type t3.micro --subnet-id "$subnet" --security-group-ids "$group")
"$v" "${run[@]}" --count 4 --user-data "file://$dir/user-data" >/dev/null || exit
"$v" ec2 create-nat-gateway --subnet-id "$subnet" --connectivity-type private >/dev/null || exit
"$v" ec2 create-vpc-endpoint --vpc-id "$vpc" --service-name com.amazonaws.us-east-1.s3 >/dev/null || exit
"$v" ec2 create-vpc-endpoint --vpc-id "$vpc" --service-name com.amazonaws.us-east-1.sqs --vpc-endpoint-type Interface --no-private-dns-enabled \
    --subnet-ids "$subnet" >/dev/null || exit
"$v" ec2 create-flow-logs --resource-type VPC --resource-ids "$vpc" --traffic-type ALL --log-destination-type s3 \
    --log-destination arn:aws:s3:::logs >/dev/null || exit
"$v" s3api create-bucket --bucket photos >/dev/null || exit
ids=$("$v" ec2 describe-instances --query 'Reservations[0].Instances[].InstanceId' --output text)
second=$(cut -f 2 <<<"$ids")
"$v" serve "$second" tcp/80 udp/53 >/dev/null || exit
other=$("$v" ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.2.0/24 --availability-zone us-east-1b --query Subnet.SubnetId --output text)
for kind in network application; do
    "$v" elbv2 create-load-balancer --name "$kind" --type $kind --scheme internal --subnets "$subnet" "$other" --security-groups "$group" >/dev/null || exit
    protocol=$([ $kind = network ] && echo TCP || echo HTTP)
    "$v" elbv2 create-target-group --name "$kind" --protocol "$protocol" --port 80 --vpc-id "$vpc" >/dev/null || exit
    "$v" elbv2 register-targets --target-group-arn "$kind" --targets "Id=$second" >/dev/null || exit
    "$v" elbv2 create-listener --load-balancer-arn "$kind" --protocol "$protocol" --port 80 --default-actions "Type=forward,TargetGroupArn=$kind" >/dev/null || exit
done
"$v" ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 80 --cidr 10.0.0.0/16 >/dev/null
# The third one turns into a TAP host and back; the fourth is one.
third=$(cut -f 3 <<<"$ids")
taps=
if [ -r /dev/net/tun ] && [ -w /dev/net/tun ]; then
    taps=yes
    "$v" ec2 create-tags --resources "$(cut -f 4 <<<"$ids")" --tags Key=vpclab:host,Value=tap
fi
web=$("$v" ec2 describe-instances --query 'Reservations[0].Instances[0].InstanceId' --output text)
# Without a kill: the user data runs, a served port answers through the balancer, and nothing is left.  Instants of `up` are spread over what it takes.
i=0 phase="before"
up_ms=$("$v" up --query Milliseconds --output text) || { complain "up failed"; exit 1; }
up_ms=${up_ms%.*}
up_ms=$((up_ms < 30 ? 40 : up_ms > 700 ? 900 : up_ms * 5 / 4))
address=$("$v" ec2 describe-network-interfaces --filters "Name=description,Values=ELB app/*" "Name=subnet-id,Values=$subnet" \
    --query 'NetworkInterfaces[0].PrivateIpAddress' --output text)
for _ in $(seq 200); do
    user_data >/dev/null &&
        "$v" exec "$(cut -f 1 <<<"$ids")" -- curl -sf -o /dev/null -m 1 "http://$address/" && phase=
    [ -z "$phase" ] && break
    sleep 0.1
done
[ -z "$phase" ] || complain "the services do not answer"
"$v" down >/dev/null || complain "down failed"
gone || complain "processes are left: $(left)"
mounts=$(grep -c . /proc/self/mountinfo) links=$(ls /sys/class/net | wc -l)

for i in $(seq "$n"); do
    bad=0
    case $((i % 3)) in
    0)
        phase="up"
        "$v" up >/dev/null 2>&1 &
        pause "$up_ms"
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
        : >"$dir/begun" >"$dir/done"
        (
            for port in $(seq 8001 8040); do
                rule authorize "$port"
                "$v" serve "$second" tcp/"$port"
                [ -z "$taps" ] || "$v" ec2 create-tags --resources "$third" --tags "Key=vpclab:host,Value=$([ $((port % 2)) = 0 ] && echo tap || echo namespace)"
                rule revoke "$port"
                "$v" serve "$second" tcp/"$port" --stop
            done
        ) >/dev/null 2>&1 &
        changer=$!
        pause "$([ -n "${SAN:-}" ] && echo 600 || echo 90)"
        kill_all
        kill -9 $changer 2>/dev/null
        wait $changer 2>/dev/null
        kill_all
        kept || complain "what was answered is not in the state: $(tail -n 1 "$dir/done"), with $(cat "$dir/out")"
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
    [ "$(ls /sys/class/net | wc -l)" = "$links" ] || complain "a link is left"
    "$v" ec2 describe-instances --query 'length(Reservations[0].Instances)' >"$dir/out" 2>&1 || complain "the state is broken: $(cat "$dir/out")"
    [ "$(cat "$dir/out")" = 4 ] || complain "the state lost instances: $(cat "$dir/out")"
    [ -z "$(find "$dir/run" -type s)" ] || complain "a socket is left: $(find "$dir/run" -type s)"
    [ -z "$(ls -A "$dir/tmp")" ] || complain "a temporary file is left: $(ls -A "$dir/tmp")"
    if [ $((i % 10)) = 0 ]; then
        { "$v" up && "$v" verify && "$v" down; } >"$dir/out" 2>&1 || complain "the next lab fails: $(tail -3 "$dir/out")"
    fi
    [ $bad = 1 ] || passed=$((passed + 1))
done
# Nothing half written stays once somebody has worked in the lab again.
"$v" up >"$dir/out" 2>&1 && "$v" down >"$dir/out" 2>&1 || complain "the last lab fails: $(cat "$dir/out")"
ls "$dir/data/vpclab/labs/default" >"$dir/out"
if grep -vxE 'state.json|journal.jsonl|lock|flowlogs|captures|metrics.log' "$dir/out"; then
    complain "files are left"
fi
echo "$acknowledged changes were answered just before the kill"
echo "$passed passed, $failed failed"
[ $failed = 0 ]

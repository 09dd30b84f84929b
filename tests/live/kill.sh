#!/usr/bin/env bash
# Kills vpclab (SIGKILL) at random instants while a lab goes up, is live or goes down, KILLS times (100): afterwards no process, no
# namespace and no mount of it is left, the state is whole, and the lab comes up again.  SEED repeats a run.
set -u
cd "$(dirname "$0")/../.." || exit
VPCLAB=${VPCLAB:-$PWD/build/vpclab}
KILLS=${KILLS:-$([ -n "${SAN:-}" ] && echo 30 || echo 100)} SEED=${SEED:-$$} # sanitizers are slow
RANDOM=$SEED
dir=$(mktemp -d "${TMPDIR:-/tmp}/vpclab-kill.XXXXXX")
export XDG_DATA_HOME=$dir/data XDG_RUNTIME_DIR=$dir/run
mkdir -m 700 "$XDG_RUNTIME_DIR"
state=$XDG_DATA_HOME/vpclab/labs/default/state.json
# Whatever a lab starts bears this word in its environment.
VPCLAB_KILL_TEST=$(cat /proc/sys/kernel/random/uuid)
marked=(env "VPCLAB_KILL_TEST=$VPCLAB_KILL_TEST" "$VPCLAB") # becomes vpclab, so $! is its pid
vpclab() { "${marked[@]}" "$@"; }
ours() { grep -ls -z "^VPCLAB_KILL_TEST=$VPCLAB_KILL_TEST$" /proc/[0-9]*/environ 2>/dev/null | sed 's,/proc/,,; s,/environ,,'; }
mounts() { awk '{ print $5 }' /proc/self/mountinfo | sort; }
trap 'kill -9 $(ours) 2>/dev/null; rm -rf "$dir"' EXIT

passed=0 failed=0
complain() {
    echo "kill $i, $phase, after $delay ms, of $victim (SEED=$SEED): $*"
    failed=$((failed + 1))
}

# ---- the lab: two instances and a NAT gateway
subnet=$(vpclab ec2 describe-subnets --query 'Subnets[0].SubnetId' -o text) || exit
for name in web db; do
    vpclab ec2 run-instances --image-id ami-12345678 --subnet-id "$subnet" \
        --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name}]" >/dev/null || exit
done
vpclab ec2 create-nat-gateway --subnet-id "$subnet" --allocation-id "$(vpclab ec2 allocate-address --query AllocationId -o text)" >/dev/null || exit
vpclab up >"$dir/out" 2>&1
status=$?
if [ $status = 5 ] && [ -z "${CI:-}" ]; then
    echo "SKIPPED kill: this machine builds no labs: $(head -n 1 "$dir/out")"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
elif [ $status != 0 ]; then
    cat "$dir/out"
    exit 1
fi
# The control: while a lab is live its keeper is found, and with it the program in an instance.
vpclab exec web -- sleep 60 &
sleep 0.2
if [ "$(ours | wc -l)" -lt 3 ]; then
    echo "the processes of a live lab are not found: $(ours | tr '\n' ' ')"
    failed=1
fi
vpclab down >/dev/null || failed=1
wait 2>/dev/null
before=$(cat "$state") mounts_before=$(mounts)

# Kills one of our processes at random, or all of them.
kill_some() { # PID OF THE COMMAND
    local pids
    mapfile -t pids < <(ours)
    case $((RANDOM % 3)) in
    0) victim="the command" && kill -9 "$1" 2>/dev/null ;;
    1) victim="one process" && [ ${#pids[@]} -gt 0 ] && kill -9 "${pids[RANDOM % ${#pids[@]}]}" 2>/dev/null ;;
    2) victim="every process" && [ ${#pids[@]} -gt 0 ] && kill -9 "${pids[@]}" 2>/dev/null ;;
    esac
}

# Nothing is left: a lab that survived (only the command was killed) goes down when told.
check_gone() {
    local left
    vpclab down >"$dir/out" 2>&1
    for _ in $(seq 100); do
        left=$(ours)
        [ -n "$left" ] || break
        sleep 0.02
    done
    [ -z "$left" ] || complain "still running: $(ps -o pid=,stat=,args= -p "$(tr '\n' ',' <<<"$left")0"); down said: $(cat "$dir/out")"
    [ "$(mounts)" = "$mounts_before" ] || complain "mounts left over: $(comm -13 <(echo "$mounts_before") <(mounts))"
    [ "$(cat "$state")" = "$before" ] || complain "the state has changed"
    find "$XDG_DATA_HOME" -name '*.tmp*' | grep -q . && complain "half-written files: $(find "$XDG_DATA_HOME" -name '*.tmp*')"
    vpclab ec2 describe-instances >/dev/null 2>"$dir/out" || complain "the lab cannot be read: $(cat "$dir/out")"
}

phases=(up live down)
for ((i = 1; i <= KILLS; i++)); do
    phase=${phases[RANDOM % 3]} delay=$((RANDOM % 30)) victim=nothing
    [ "$phase" != down ] || delay=$((delay / 4)) # going down is quicker
    failed_before=$failed
    if [ "$phase" != up ]; then
        vpclab up >"$dir/out" 2>&1 || complain "the lab does not come up again: $(cat "$dir/out")"
    fi
    case $phase in
    up) "${marked[@]}" up >/dev/null 2>&1 & ;;
    live) "${marked[@]}" exec web -- sleep 60 >/dev/null 2>&1 & ;;
    down) "${marked[@]}" down >/dev/null 2>&1 & ;;
    esac
    command=$!
    sleep "0.0$(printf '%02d' "$delay")"
    kill_some "$command"
    [ "$phase" != live ] || kill "$command" 2>/dev/null # sleeping on, if another was killed
    wait "$command" 2>/dev/null
    check_gone
    [ "$failed" != "$failed_before" ] || passed=$((passed + 1))
done 2>/dev/null

if vpclab up >"$dir/out" 2>&1 && vpclab ping web db >>"$dir/out" 2>&1 && vpclab down >>"$dir/out" 2>&1; then
    passed=$((passed + 1))
else
    echo "at the end the lab does not work:"
    cat "$dir/out"
    failed=$((failed + 1))
fi
echo "kill: $passed passed, $failed failed"
[ "$failed" = 0 ]

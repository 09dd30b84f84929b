#!/usr/bin/env bats
# What root in an instance can try, and what comes of it.  Each attempt that fails there is made by the lab's owner too, where it works.
load ../cli/helper
load services

begin() {
    setup_lab
    XDG_RUNTIME_DIR=$(mktemp -d /tmp/vh.XXXXXX) # short: the socket lies there
    run_instance web a --private-ip-address 10.0.1.10
    run_instance peer a --private-ip-address 10.0.1.11
    run_instance db b --private-ip-address 10.0.2.10
    up
}
teardown() {
    vpclab down >/dev/null 2>&1 || true
    vpclab --lab other down >/dev/null 2>&1 || true
    rm -rf "$DIR" "$XDG_RUNTIME_DIR"
}
outside() { python3 tests/live/hostile.py "$@"; }
inside() { vpclab exec web -- python3 tests/live/hostile.py "$@"; }
# only_outside ATTEMPT...: it works for the owner and not for root in the instance.
only_outside() {
    local out in
    out=$(outside "$@") in=$(inside "$@")
    [ "$out" = yes ] || { echo "control: $* says $out"; return 1; }
    [ -n "$in" ] && [ "$in" != yes ] || { echo "HOLE: $* says $in"; return 1; }
}
never_inside() { # where the owner may lack the right as well
    local in
    in=$(inside "$@")
    [ -n "$in" ] && [ "$in" != yes ] || { echo "HOLE: $* says $in"; return 1; }
}
as_root_only_outside() { if [ "$(id -u)" = 0 ]; then only_outside "$@"; else never_inside "$@"; fi; }
keeper_socket() { echo "$XDG_RUNTIME_DIR"/vpclab/*.sock; }

@test "hostile: the machine's files are there to read and not to write; the owner's and the lab's are not there" {
    begin
    local mine=$PWD/tests/live/hostile-$$ state
    state=$(echo "$XDG_DATA_HOME"/vpclab/labs/default/state.json)
    echo secret >"$DIR/secret"
    only_outside read "$state"
    only_outside read "$DIR/secret"
    only_outside write "$state"
    only_outside lists "$XDG_RUNTIME_DIR"
    only_outside connect "$(keeper_socket)"
    only_outside create "$mine"
    rm "$mine"
    as_root_only_outside read /etc/shadow
    as_root_only_outside create "/etc/hostile-$$"
    rm -f "/etc/hostile-$$"
    # Where the owner stands is shown, and stays as it is; not so where he stands above his own or the lab's files.
    mkdir "$DIR/work"
    chmod 755 "$DIR/work"
    echo data >"$DIR/work/data"
    chmod 666 "$DIR/work/data"
    here() { (cd "$1" && vpclab exec web -- sh -c "$2"); }
    [ "$(here "$DIR/work" 'cat data')" = data ]
    run here "$DIR/work" "echo changed >data || { mount -o remount,bind,rw $DIR/work; echo changed >data; }"
    [ "$status" != 0 ]
    [ "$(cat "$DIR/work/data")" = data ]
    run here "$DIR" 'cat secret'
    [ "$status" = 1 ]
    # The means are there: what needs no more than they give works.
    [ "$(inside read "$PWD/tests/live/hostile.py")" = yes ]
    [ "$(inside read /etc/passwd)" = yes ]
    [ "$(inside create /tmp/mine)" = yes ]
    vpclab exec web -- test -e /tmp/mine
    [ ! -e /tmp/mine ]
    run vpclab exec peer -- test -e /tmp/mine
    [ "$status" = 1 ]
}

@test "hostile: mounts cannot be lifted, made writable or made of devices" {
    begin
    echo secret >"$DIR/secret"
    # With the same rights: its own room can be made read-only and lifted, and a file system mounted.
    vpclab exec web -- mount -o remount,bind,ro /tmp
    run vpclab exec web -- sh -c 'mount -o remount,bind,ro /tmp && touch /tmp/x'
    [ "$status" = 1 ]
    vpclab exec web -- sh -c 'mount -t tmpfs none /tmp && umount /tmp'
    vpclab exec web -- mount -t tmpfs none /run
    for what in 'mount -o remount,bind,rw /' 'mount -o remount,rw /' 'mount -o remount,bind,dev /' 'umount -l /etc' 'umount -l /' 'mount -o remount,bind,rw /dev'; do
        run vpclab exec web -- $what
        [ "$status" != 0 ] || { echo "HOLE: $what"; false; }
    done
    # Lifting what can be lifted shows nothing.
    cd /
    run vpclab exec web -- sh -c "for i in 1 2 3 4; do for d in /tmp /run /home /root /proc /dev/shm; do umount -l \$d; done; done 2>/dev/null; cat $DIR/secret"
    [ "$status" != 0 ]
    # Its own /proc stays where a mount of the owner's came after it.
    run vpclab exec web -- sh -c 'umount -l /proc 2>/dev/null || { echo 0; exit; }; for i in 1 2 3; do umount -l /proc; done 2>/dev/null; ls /proc | grep -c "^[0-9]"'
    [ "$output" = 0 ]
    cd "$OLDPWD"
    as_root_only_outside node "$DIR/node"
    as_root_only_outside node "/tmp/node-$$"
    rm -f "/tmp/node-$$"
    never_inside read /dev/mem
    [ -z "$(vpclab exec web -- find /dev /proc/1/root -maxdepth 3 -xdev -type b 2>/dev/null)" ]
}

@test "hostile: no process outside can be seen, signalled, traced or followed into its network" {
    begin
    local keeper other
    keeper=$(outside keeper "$(keeper_socket)")
    # Numbers that no test beside this one uses.
    vpclab exec --detach db -- sleep 43$$
    other=$(pgrep -f "^sleep 43$$")
    # As the machine numbers them, and as the lab does: in an instance 1 is its own first process, which is ours.
    for pid in "$keeper" "$other"; do
        only_outside kill "$pid"
        only_outside read "/proc/$pid/environ"
        only_outside lists "/proc/$pid/root/"
        only_outside join "$pid"
        if [ "$(id -u)" = 0 ] || [ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" = 0 ]; then
            only_outside trace "$pid"
        fi
    done
    for what in "read /proc/1/environ" "lists /proc/1/root/" "lists /proc/1/fd" "read /proc/1/mem" "join 1" "trace 1"; do
        never_inside $what
    done
    # Own programs can be looked into, so the attempts are good ones.
    vpclab exec --detach web -- sleep 12$$
    own=$(vpclab exec web -- pgrep -f "^sleep 12$$")
    for what in "kill $own" "read /proc/$own/environ" "lists /proc/$own/root/" "join $own" "trace $own"; do
        [ "$(inside $what)" = yes ] || { echo "control: $what says $(inside $what)"; false; }
    done
    run vpclab exec web -- pgrep -f "^sleep 43$$"
    [ "$status" = 1 ]
    vpclab exec web -- sh -c 'trap "" TERM; kill -9 -1' || true
    run pgrep -f "^sleep 12$$"
    [ "$status" = 1 ]
    kill -0 "$keeper"
    kill -0 "$other"
    vpclab exec web -- true
}

@test "hostile: a program that the owner starts cannot be looked into before it is the instance's" {
    begin
    vpclab exec web -- python3 tests/live/hostile.py window 2 >"$DIR/window" &
    for _ in $(seq 20); do vpclab exec web -- true; done
    wait $!
    grep -q '^EPERM seen [1-9]' "$DIR/window" || { cat "$DIR/window"; false; }
}

@test "hostile: the router's rules and links are the owner's; the machine's sockets are out of reach" {
    begin
    nsid=$(vpclab exec web -- ip -o link show eth0 | sed 's/.*link-netnsid \([0-9]*\).*/\1/')
    [[ "$nsid" =~ ^[0-9]+$ ]]
    # By the number that a link gives its other end's namespace; the owner may so from the router.
    there=$(vpclab exec router:main -- sh -c 'ip -o link | sed -n "s/.*link-netnsid \([0-9]*\).*/\1/p" | head -1')
    [ "$(vpclab exec router:main -- python3 tests/live/hostile.py links "$there")" = yes ]
    never_inside links "$nsid"
    vpclab exec router:main -- nft list ruleset >"$DIR/before"
    grep -q 'table inet vpc' "$DIR/before"
    [ -z "$(vpclab exec web -- nft list ruleset)" ]
    run vpclab exec web -- sh -c 'nft flush ruleset; nft add table inet vpc; nft delete table inet vpc; sysctl -w net.ipv4.ip_forward=0'
    vpclab exec router:main -- nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//' >"$DIR/after"
    sed -i 's/packets [0-9]* bytes [0-9]*//' "$DIR/before"
    cmp "$DIR/before" "$DIR/after"
    [ "$(vpclab exec router:main -- cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
    # An abstract socket of the machine.
    python3 - "hostile-$$" <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind("\0" + sys.argv[1]); s.listen(); s.settimeout(30)
for _ in range(2):
    s.accept()
PY
    local listener=$!
    for _ in $(seq 100); do [ "$(outside connect "@hostile-$$")" = yes ] && break; sleep 0.05; done
    [ "$(inside connect "@hostile-$$")" != yes ]
    [ "$(outside connect "@hostile-$$")" = yes ]
    wait $listener
}

@test "hostile: the kernel's own switches, modules and keys stay the machine's" {
    begin
    for path in /proc/sys/kernel/core_pattern /proc/sys/vm/overcommit_memory /proc/sysrq-trigger; do
        [ ! -e $path ] || as_root_only_outside write $path
    done
    [ "$(inside write /proc/sys/net/ipv4/ip_forward)" = yes ] # of its own network
    # A kernel without modules refuses everybody.
    if [ "$(id -u)" = 0 ] && [ "$(outside module x)" = yes ]; then only_outside module x; else never_inside module x; fi
}

@test "hostile: a program cannot type into the owner's terminal, which it can use" {
    command -v script >/dev/null || skip "script is not installed"
    begin
    at_terminal() { script -qec "$*" /dev/null </dev/null | tr -d '\r'; }
    [[ "$(at_terminal "$VPCLAB exec web -- sh -c 'test -t 0 && stty -a'")" == *speed* ]]
    run at_terminal "$VPCLAB exec web -- python3 tests/live/hostile.py types x"
    [[ "$output" == *EPERM* ]]
    # Newer kernels let nobody.
    [ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1)" = 1 ] || skip "this kernel forbids it to everybody"
    [[ "$(at_terminal python3 tests/live/hostile.py types x)" == *yes* ]]
}

heard() { # NODE: what comes to its port 999, from whom
    vpclab exec "$1" -- timeout 5 python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 999)); print(s.recvfrom(99), flush=True)' >"$DIR/heard" 2>/dev/null || true
}
@test "hostile: a packet carries the sender's own address unless the check is off; nobody takes another's address by ARP" {
    begin
    group=$(vpclab ec2 describe-instances --instance-ids db --query 'Reservations[0].Instances[0].SecurityGroups[0].GroupId' --output text)
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol udp --port 999 --cidr 0.0.0.0/0 >/dev/null
    send() { # until heard or the listener gives up
        heard db &
        local listener=$!
        while kill -0 $listener 2>/dev/null; do inside forge "$1" 10.0.2.10 999 >/dev/null; done
        wait $listener || true
        cat "$DIR/heard"
    }
    [[ "$(send 10.0.1.10)" == *forged*10.0.1.10* ]] # its own
    [ -z "$(send 10.0.1.11)" ]
    vpclab ec2 modify-instance-attribute --instance-id web --no-source-dest-check
    [[ "$(send 10.0.1.11)" == *forged*10.0.1.11* ]]
    vpclab ec2 modify-instance-attribute --instance-id web --source-dest-check
    # ARP: in a network of its own the same claim is believed, in the lab by nobody.
    vpclab exec web -- unshare -n sh -c 'ip link add va type veth peer name vb; ip addr add 10.9.0.1/24 dev va; ip link set va up; ip link set vb up
        ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:99 dev va nud stale
        mac=$(ip -o link show vb | sed "s/.*ether \([0-9a-f:]*\).*/\1/")
        for try in $(seq 60); do
            python3 tests/live/hostile.py claim vb 10.9.0.2 >/dev/null
            ip neigh show 10.9.0.2 | grep -q "$mac" && exit 0
            sleep 0.05
        done
        exit 1'
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol icmp --port -1 --cidr 0.0.0.0/0 >/dev/null
    owner() { vpclab exec router:main -- ip neigh show 10.0.1.11 nud permanent; }
    before=$(owner)
    [ -n "$before" ]
    [ "$(inside claim eth0 10.0.1.11)" = yes ]
    [ "$(inside claim eth0 10.0.1.1)" = yes ]
    [ "$(owner)" = "$before" ]
    vpclab exec peer -- ping -c1 -W2 10.0.2.10
    vpclab exec db -- ping -c1 -W2 10.0.1.11
}

@test "hostile: another lab is another world; what an instance breaks of its own is mended by a stop and a start" {
    begin
    other() { vpclab --lab other "$@"; }
    other ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=main}]' >/dev/null
    other ec2 create-subnet --vpc-id main --cidr-block 10.0.3.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=a}]' >/dev/null
    other ec2 run-instances --image-id ami-12345678 --subnet-id a --private-ip-address 10.0.3.10 --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=far}]' >/dev/null
    other ec2 run-instances --image-id ami-12345678 --subnet-id a --private-ip-address 10.0.3.11 --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=near}]' >/dev/null
    other up >/dev/null
    other exec --detach far -- sleep 54$$
    pid=$(pgrep -f "^sleep 54$$")
    only_outside kill "$pid"
    only_outside join "$pid"
    other exec near -- ping -c1 -W2 10.0.3.10
    run vpclab exec web -- ping -c1 -W1 10.0.3.10
    [ "$status" = 1 ]
    other exec near -- touch /tmp/theirs
    run vpclab exec web -- test -e /tmp/theirs
    [ "$status" = 1 ]
    other down >/dev/null
    vpclab exec web -- ip link del eth0
    vpclab exec peer -- ping -c1 -W2 10.0.1.11
    vpclab ec2 modify-instance-attribute --instance-id web --no-source-dest-check
    vpclab ec2 stop-instances --instance-ids web >/dev/null
    vpclab ec2 start-instances --instance-ids web >/dev/null
    vpclab exec web -- ping -c1 -W2 10.0.1.11
    vpclab ec2 terminate-instances --instance-ids web >/dev/null
}

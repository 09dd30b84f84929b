#!/usr/bin/env bats
# `trace` follows a packet to the rule that stops it; `load` measures what passes.
load ../cli/helper
load services

two_machines() {
    setup_lab
    add_gateway
    vpclab ec2 create-security-group --group-name db --description db --vpc-id main >/dev/null
    web=$(run_instance web a --private-ip-address 10.0.1.10 --associate-public-ip-address)
    db=$(run_instance db b --private-ip-address 10.0.2.10 --ipv6-address-count 1 --security-group-ids db)
    open_db tcp 5201-5202 >/dev/null
    up
}
open_db() { # PROTOCOL PORTS: the rule's id
    vpclab ec2 authorize-security-group-ingress --group-id db --protocol "$1" --port "$2" --cidr 10.0.0.0/16 \
        --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
}
ways() { # DIRECTION: the kinds of the hops
    jq -r --arg way "$1" '[.Hops[] | select(.Direction == $way) | .Type] | join(" > ")' "$DIR/trace"
}
trace() { vpclab trace "$@" --output json >"$DIR/trace"; }

@test "trace: a packet and its answer, hop by hop, with the rules that let them pass" {
    two_machines
    rule=$(open_db tcp 22)
    trace web db tcp/22
    [ "$(ways forward)" = "interface > router > interface" ]
    [ "$(ways answer)" = "interface > router > interface" ]
    jq -e --arg rule "$rule" '.Hops[1].Rules | index($rule)' "$DIR/trace"
    jq -e '.Hops[4].Rules | index("tracked")' "$DIR/trace"
    jq -e '.Arrived and .Replied and .Refused and (.Hops | all(.Stopped == null))' "$DIR/trace"
    # The same packet without the rule.
    vpclab ec2 revoke-security-group-ingress --group-id db --security-group-rule-ids "$rule" >/dev/null
    run trace web db tcp/22
    [ "$status" = 1 ]
    group=$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=db --query 'SecurityGroups[0].GroupId' --output text)
    [ "$(jq -r '.Hops[-1].Stopped' "$DIR/trace")" = "$group:ingress:none" ]
    # Flow logs use the packet's mark for themselves.
    vpclab ec2 create-flow-logs --resource-type VPC --resource-ids main --traffic-type ALL --log-destination-type s3 --log-destination arn:aws:s3:::logs >/dev/null
    run trace web db tcp/22
    [ "$(jq -r '.Hops[-1].Stopped' "$DIR/trace")" = "$group:ingress:none" ]
    run vpclab trace web db tcp/22
    [[ "$output" == *"did not arrive"*"hint: \`reach web db tcp/22 --all\`"* ]]
    # Nothing of it stays in the router.
    run vpclab exec router:main -- nft list tables
    [[ "$output" != *trace* ]]
}

@test "trace: translation at the gateway, an answer that an ACL stops, a route that leads nowhere" {
    two_machines
    trace web internet
    [ "$(ways forward)" = "interface > router > internet gateway > internet" ]
    jq -e '.Hops[2] | .Source == "10.0.1.10" and .NewSource != null' "$DIR/trace"
    jq -e '.Hops[1].RouteTable' "$DIR/trace"
    # By name, of the lab's internet and as the resolver answers; ping and scan know the same.
    trace web web.example
    vpclab ping web web.example --count 1
    vpclab scan web web.example 80 | grep -q '^80 *open$'
    run vpclab ping web nosuch.example
    [ "$status" = 4 ] && [[ "$output" == *'`nosuch.example` has no address for `web`'* ]]
    run trace db internet
    [ "$status" = 1 ]
    [[ "$(jq -r '.Hops[-1].Stopped' "$DIR/trace")" == "no route of rtb-"*" leads to 8.8.8.8"* ]]
    acl=$(vpclab ec2 describe-network-acls --filters Name=default,Values=true "Name=vpc-id,Values=$(vpclab ec2 describe-vpcs --vpc-ids main --query 'Vpcs[0].VpcId' --output text)" \
        --query 'NetworkAcls[0].NetworkAclId' --output text)
    vpclab ec2 create-network-acl-entry --network-acl-id "$acl" --rule-number 50 --protocol tcp --port-range From=1024,To=65535 \
        --cidr-block 10.0.1.0/24 --rule-action deny --egress
    run trace web db tcp/5201
    [ "$status" = 1 ]
    jq -e '.Arrived and (.Replied | not)' "$DIR/trace"
    [ "$(jq -r '.Hops[-1] | .Direction + " " + .Stopped' "$DIR/trace")" = "answer $acl:egress:50" ]
}

@test "trace: by IPv6, and what cannot be asked" {
    two_machines
    run vpclab trace db web --ipv6
    [ "$status" = 4 ] # web has no address
    [[ "$output" == *"has no IPv6 address"* ]]
    vpclab ec2 assign-ipv6-addresses --network-interface-id "$(vpclab ec2 describe-instances --instance-ids web \
        --query 'Reservations[0].Instances[0].NetworkInterfaces[0].NetworkInterfaceId' --output text)" --ipv6-address-count 1 >/dev/null
    run trace db web --ipv6
    [ "$status" = 1 ]
    [[ "$(jq -r '.Hops[-1].Stopped' "$DIR/trace")" == "sg-"*":ingress:none" ]]
    vpclab ec2 authorize-security-group-ingress --group-id "$(vpclab ec2 describe-instances --instance-ids web \
        --query 'Reservations[0].Instances[0].SecurityGroups[0].GroupId' --output text)" --ip-permissions 'IpProtocol=-1,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    trace db web --ipv6
    jq -e .Replied "$DIR/trace"
    for bad in tcp udp icmp/8 tcp/0 tcp/x nonsense/5; do
        run vpclab trace web db "$bad"
        [ "$status" = 2 ]
        [[ "$output" == *"hint: "* ]]
    done
    run vpclab trace router:main db
    [ "$status" = 4 ]
    for ask in "trace web main" "ping main web" "scan main web 22" "ping web main" "load main web"; do
        # shellcheck disable=SC2086
        run vpclab $ask
        [ "$status" = 4 ]
        [[ "$output" == *"is a router: it neither sends nor receives"* ]]
    done
    run vpclab trace web ""
    [ "$status" != 0 ]
    vpclab down >/dev/null
    run vpclab trace web db
    [ "$status" = 4 ]
    [[ "$output" == *"not live"*"vpclab up"* ]]
}

load_json() { vpclab load "$@" --output json >"$DIR/load"; }

@test "load: what is sent over TCP arrives, counted at both ends, and ends by time and by bytes" {
    two_machines
    load_json web db --size 64K --count 160
    jq -e '.Received.Bytes == 160 * 65536 and .Sent.Bytes == .Received.Bytes and .Complete and .BitsPerSecond > 0' "$DIR/load"
    jq -e '.Received.Packets > 0 and .Sent.Packets >= .Received.Packets' "$DIR/load"
    load_json web db:5202 --rate 8M --seconds 1 --size 10K
    jq -e '.Received.Bytes > 0 and .Received.Bytes <= 1100000' "$DIR/load" # a rate is never exceeded
    run vpclab load web db --count 10
    [ "$status" = 0 ]
    [[ "$output" == *"sent "*"received "*"bit/s"*"lost "* ]]
    # From Lua too.
    echo 'print(lab.load("web", "db", {count = 10, size = "1K"}).Received.Bytes)' >"$DIR/load.lua"
    [ "$(vpclab --lab default run "$DIR/load.lua")" = 10240 ]
}

receive() { # NODE: counts at port 5201 until it is told to end; its lines are in $DIR/received
    vpclab exec "$1" -- vpclab load --receive 5201 >"$DIR/received" 3>&- &
    receiver=$!
    for _ in $(seq 200); do
        [ -s "$DIR/received" ] && return
        sleep 0.05
    done
    return 1
}

@test "load: from inside an instance to another that counts, by TCP, UDP and IPv6" {
    two_machines
    open_db udp 5201 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id db --ip-permissions 'IpProtocol=tcp,FromPort=5201,ToPort=5201,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    vpclab ec2 assign-ipv6-addresses --network-interface-id "$(interface 10.0.1.10)" --ipv6-address-count 1 >/dev/null
    inside() { vpclab exec web -- vpclab load "$@"; }
    receive db
    inside db --size 64K --count 160 --output json >"$DIR/load"
    jq -e '.Source == "web" and .Address == "10.0.2.10" and .Receiver == "counted" and .Complete' "$DIR/load"
    jq -e '.Received.Bytes == 160 * 65536 and .Received.Packets > 0' "$DIR/load"
    inside db:5201 --protocol udp --count 200 --size 100 --rate 2M --output json >"$DIR/load"
    jq -e '.Receiver == "counted" and .Sent.Packets == 200 and .Received.Packets == 200 and .Received.Bytes == 20000 and .Lost == 0' "$DIR/load"
    six=$(vpclab ec2 describe-instances --instance-ids db --query 'Reservations[0].Instances[0].NetworkInterfaces[0].Ipv6Addresses[0].Ipv6Address' --output text)
    inside "[$six]:5201" --count 3 --size 1K --output json >"$DIR/load"
    jq -e --arg six "$six" '.Address == $six and .Received.Bytes == 3072' "$DIR/load"
    run inside "$six" --count 3 --ipv6
    [[ "$output" == *"received "*"bit/s"* ]]
    # The receiver told each run as it ended, and ends when it is interrupted.
    run vpclab exec db -- vpclab load --receive 5201
    [ "$status" = 4 ]
    [[ "$output" == *"cannot receive at port 5201: Address already in use"* ]]
    vpclab exec db -- pkill -INT vpclab
    wait "$receiver"
    [ "$(grep -c '  tcp  ' "$DIR/received")" = 3 ]
    grep -q '^10.0.1.10 port [0-9]*  tcp .* 10.00 MB in ' "$DIR/received"
    grep -q '^10.0.1.10 port [0-9]*  udp .* in 200 packets, .* 0 out of order, 0 twice$' "$DIR/received"
    # Now nobody counts, and then nothing passes.
    run inside db --count 1
    [ "$status" = 5 ]
    [[ "$output" == *"Connection refused"*'load --receive 5201'* ]]
    run inside db --protocol udp --count 5
    [ "$status" = 1 ]
    [[ "$output" == *"received  nobody said"* ]]
}

@test "load: inside an instance it sends from there, and whoever else asks for the lab is told where he is" {
    two_machines
    inside() { vpclab exec web -- vpclab "$@"; }
    run inside load ""
    [ "$status" = 2 ]
    for bad in "load" "load web db" "load --receive 0" "load --receive x" "load db --receive 5201" "load db:0" "load db --size 0"; do
        # shellcheck disable=SC2086
        run inside $bad
        [ "$status" = 2 ]
    done
    run inside load nobody
    [ "$status" = 4 ]
    [[ "$output" == *'no address of `nobody` is known here'* ]]
    for asks in "ping db" "scan db 1-10" "status" "ec2 describe-vpcs" "up"; do
        # shellcheck disable=SC2086
        run inside $asks
        [ "$status" = 4 ]
        [[ "$output" == *'this is inside `web`, a machine of a live lab'*"hint: ask outside"* ]]
    done
    vpclab exec web -- test ! -e /root/.local
    run vpclab exec internet -- "$VPCLAB" load 127.0.0.1:9 --count 1 # a machine of the lab's owner
    [ "$status" = 5 ]
    [[ "$output" == *"127.0.0.1 port 9: Connection refused"* ]]
    run inside --version
    [ "$status" = 0 ]
    # The program is found where its own directory is covered too, and what the instance puts in its place holds nobody up.
    cp "$VPCLAB" "$DIR/vpclab"
    vpclab exec db -- sh -c 'mkdir /run/vpclab && mkfifo /run/vpclab/vpclab'
    [ "$(env PATH=/usr/bin:/bin "$DIR/vpclab" exec db -- sh -c 'command -v vpclab && vpclab --version | head -1' | xargs)" = "/run/vpclab/vpclab $(vpclab --version | head -1)" ]
    # Outside both ends are needed.
    run vpclab load web
    [ "$status" = 2 ]
    [[ "$output" == *'`DESTINATION` is missing'* ]]
}

@test "load: UDP datagrams are counted one by one, through a NAT gateway and by IPv6 too" {
    two_machines
    open_db udp 5201 >/dev/null
    load_json web db --protocol udp --count 200 --size 100 --rate 2M
    jq -e '.Sent.Packets == 200 and .Received.Packets == 200 and .Received.Bytes == 20000 and .Lost == 0 and .Duplicates == 0' "$DIR/load"
    vpclab ec2 create-nat-gateway --subnet-id a --connectivity-type private --tag-specifications 'ResourceType=natgateway,Tags=[{Key=Name,Value=nat}]' >/dev/null
    vpclab ec2 create-route-table --vpc-id main --tag-specifications 'ResourceType=route-table,Tags=[{Key=Name,Value=private}]' >/dev/null
    vpclab ec2 associate-route-table --route-table-id private --subnet-id b >/dev/null
    run vpclab load db internet --count 5
    [ "$status" = 4 ]
    [[ "$output" == *"does not arrive at"*"reach db internet tcp/5201"* ]]
    vpclab ec2 create-nat-gateway --subnet-id a --allocation-id "$(vpclab ec2 allocate-address --query AllocationId --output text)" \
        --tag-specifications 'ResourceType=natgateway,Tags=[{Key=Name,Value=public}]' >/dev/null
    vpclab ec2 create-route --route-table-id private --destination-cidr-block 0.0.0.0/0 --nat-gateway-id public >/dev/null
    load_json db internet --protocol udp --count 50 --rate 1M
    jq -e '.Received.Packets == 50' "$DIR/load"
    load_json db internet --count 50
    jq -e .Complete "$DIR/load"
}

@test "load: what stops it is said at once: a rule, a port that is taken, a word that is none" {
    two_machines
    run vpclab load web db:9000
    [ "$status" = 4 ]
    [[ "$output" == *'tcp/9000 from `web` does not arrive at `db` (10.0.2.10)'* ]]
    [[ "$output" == *'hint: `reach web db tcp/9000` says why'* ]]
    run vpclab -q reach web db tcp/9000
    [ "$status" = 1 ]
    vpclab serve db tcp/5201 >/dev/null
    run vpclab load web db
    [ "$status" = 4 ]
    [[ "$output" == *"port 5201 of "*" is taken"*"choose another port"* ]]
    vpclab load web db:5202 --count 1 >/dev/null
    for bad in --seconds=0 --seconds=601 --size=0 --size=99M --size=5x --rate=fast --count=0 --protocol=icmp; do
        run vpclab load web db "$bad"
        [ "$status" = 2 ]
    done
    for bad in db:0 db:99999 nobody router:main; do
        run vpclab load web "$bad"
        [ "$status" != 0 ]
        [[ "$output" == *"error: "* ]]
    done
    run vpclab load web db --protocol udp --size 8
    [ "$status" = 2 ]
}

@test "load and trace: a TAP host sends, receives and is traced to" {
    [ -r /dev/net/tun ] && [ -w /dev/net/tun ] || skip "no access to /dev/net/tun"
    two_machines
    open_db udp 5201 >/dev/null
    vpclab ec2 create-tags --resources web --tags Key=vpclab:host,Value=tap
    load_json web db --size 4K --count 50
    jq -e '.Receiver == "counted" and .Complete and .Received.Bytes == 204800' "$DIR/load"
    load_json web db --protocol udp --size 30000 --count 20 --rate 10M # in pieces
    jq -e '.Sent.Packets == 20 and .Received.Packets == 20 and .Lost == 0' "$DIR/load"
    load_json web internet --size 64K --count 8 # its packets are too large for the gateway until that says so
    jq -e '.Complete and .Received.Bytes == 524288 and .Sent.Packets > 300' "$DIR/load"
    run vpclab load web db:9000
    [ "$status" = 4 ]
    [[ "$output" == *'tcp/9000 from `web` does not arrive at `db`'* ]]
    vpclab ec2 create-tags --resources db --tags Key=vpclab:host,Value=tap
    run vpclab load web db
    [ "$status" = 4 ]
    [[ "$output" == *"serves no tcp/5201"*'`serve db tcp/5201` lets it'* ]]
    vpclab serve db tcp/5201 udp/5201 >/dev/null
    load_json web db --size 1K --count 200
    jq -e '.Receiver == "acknowledged" and .Received.Bytes == 204800' "$DIR/load"
    load_json web db --protocol udp --count 50 --rate 1M
    jq -e '.Receiver == "echoed" and .Received.Packets == 50' "$DIR/load"
    load_json web db --protocol udp --size 65507 --count 10 --rate 10M # both ways in pieces
    jq -e '.Receiver == "echoed" and .Received.Packets == 10' "$DIR/load"
    trace web db tcp/5201
    [ "$(ways forward)" = "interface > router > interface" ]
    jq -e '.Replied and (.Refused | not)' "$DIR/trace"
    trace db web icmp || [ "$(jq -r '.Hops[-1].Stopped' "$DIR/trace" | cut -c 1-3)" = sg- ]
    [ "$(jq -r '.Hops[0].Name' "$DIR/trace")" = db ]
}

#!/usr/bin/env bats
# Machines that answer by themselves: what `serve` opens, on namespaces and on TAP hosts.
load ../cli/helper

setup_lab() { # HOST-OF-THE-SECOND
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --amazon-provided-ipv6-cidr-block --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=main}]' >/dev/null
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=a}]' >/dev/null
    vpclab ec2 create-security-group --group-name db --description db --vpc-id main >/dev/null
    run_instance client 10.0.1.10 namespace
    run_instance db 10.0.1.20 "$1" --security-group-ids db
    vpclab ec2 authorize-security-group-ingress --group-id db --protocol tcp --port 0-65535 --cidr 10.0.1.10/32 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id db --protocol udp --port 53 --cidr 10.0.1.10/32 >/dev/null
    vpclab up >"$DIR/up" 2>&1 || { [ $? = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs"; cat "$DIR/up"; }
}
run_instance() { # NAME ADDRESS HOST OPTION...
    local name=$1 ip=$2 host=$3
    shift 3
    vpclab ec2 run-instances --image-id ami-12345678 --subnet-id a --private-ip-address "$ip" "$@" \
        --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name},{Key=vpclab:host,Value=$host}]" >/dev/null
}
teardown() {
    vpclab down >/dev/null 2>&1 || true
    rm -rf "$DIR"
}
page() { vpclab exec client -- curl -s -m "${1:-1}" http://10.0.1.20:8080/; } # [SECONDS]: more where an answer is expected
udp() { # python: bash reads a datagram byte by byte and loses the rest
    vpclab exec client -- python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.sendto(b"hello", ("10.0.1.20", 53))
print(s.recv(100).decode())'
}

answers() { # whatever kind of machine db is
    run page 10
    [ "$status" = 7 ] # refused: nothing serves, but the way is open
    vpclab serve db tcp/8080 udp/53 >/dev/null
    run page 10
    [ "$output" = 10.0.1.20 ]
    run udp
    [ "$output" = hello ]
    # The same rules: without them the same request finds nothing.
    vpclab ec2 revoke-security-group-ingress --group-id db --protocol tcp --port 0-65535 --cidr 10.0.1.10/32 >/dev/null
    run page
    [ "$status" = 28 ]
    vpclab ec2 authorize-security-group-ingress --group-id db --protocol tcp --port 8080 --cidr 10.0.1.10/32 >/dev/null
    run page 10
    [ "$output" = 10.0.1.20 ]
    vpclab serve db tcp/8080 --stop >/dev/null
    run page 10
    [ "$status" = 7 ]
}

@test "serve: an instance with a namespace answers on the ports that were opened" {
    setup_lab namespace
    answers
}

@test "hosts: a TAP host answers pings, TCP and UDP under the same rules, and has no programs" {
    if [ ! -r /dev/net/tun ] || [ ! -w /dev/net/tun ]; then # then `up` must say why, and how to mend it
        setup_lab tap
        grep -q 'cannot open `/dev/net/tun`, which TAP hosts need' "$DIR/up"
        grep -q 'hint: ' "$DIR/up"
        return
    fi
    setup_lab tap
    answers
    vpclab ec2 authorize-security-group-ingress --group-id db --protocol icmp --port -1 --cidr 0.0.0.0/0 >/dev/null
    run vpclab exec client -- ping -c 1 -W 1 10.0.1.20
    [ "$status" = 0 ]
    run vpclab ping client db --count 1
    [ "$status" = 0 ]
    run vpclab exec db -- true
    [ "$status" = 4 ]
    [[ "$output" == *"\`db\` is a TAP host: no program runs in it"* ]]
    # From one kind to the other and back, while it runs.
    vpclab serve db tcp/8080 >/dev/null
    vpclab ec2 create-tags --resources "$(vpclab serve db --query InstanceId --output text)" --tags Key=vpclab:host,Value=namespace >/dev/null
    run vpclab exec db -- hostname
    [ "$output" = ip-10-0-1-20 ]
    run page 10
    [ "$output" = 10.0.1.20 ]
}

@test "hosts: five hundred TAP hosts come up, are stopped and terminated, and verify agrees" {
    [ -w /dev/net/tun ] || return 0 # as the test before says
    setup_lab namespace
    vpclab lab limits off >/dev/null
    vpclab lab hosts tap >/dev/null
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.8.0/21 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=many}]' >/dev/null
    vpclab ec2 run-instances --image-id ami-12345678 --subnet-id many --count 500 --query 'Instances[].InstanceId' --output text >"$DIR/ids"
    read -r one two _ <"$DIR/ids"
    run vpclab ping "$one" "$two" --count 1
    [ "$status" = 0 ]
    vpclab ec2 stop-instances --instance-ids "$two" >/dev/null
    run vpclab ping "$one" "$two" --count 1
    [ "$status" != 0 ]
    vpclab ec2 start-instances --instance-ids "$two" >/dev/null
    run vpclab ping "$one" "$two" --count 1
    [ "$status" = 0 ]
    run vpclab verify "$one" client
    [ "$status" = 0 ]
    # shellcheck disable=SC2046
    vpclab ec2 terminate-instances --instance-ids $(cut -f 1-20 "$DIR/ids") >/dev/null
    run vpclab ping "$one" "$two" --count 1
    [ "$status" != 0 ]
}

@test "hosts: what comes in pieces is answered in pieces, if the groups let the whole of it in" {
    [ -w /dev/net/tun ] || return 0 # as a test before says
    setup_lab tap
    local block node eni
    block=$(vpclab ec2 describe-vpcs --filters Name=tag:Name,Values=main --query 'Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock' -o text)
    vpclab ec2 associate-subnet-cidr-block --subnet-id a --ipv6-cidr-block "${block%/*}/64" >/dev/null
    for node in client db; do
        eni=$(vpclab ec2 describe-instances --filters "Name=tag:Name,Values=$node" --query 'Reservations[0].Instances[0].NetworkInterfaces[0].NetworkInterfaceId' -o text)
        vpclab ec2 assign-ipv6-addresses --network-interface-id "$eni" --ipv6-addresses "${block%/*}$([ $node = db ] && echo 20 || echo 10)" >/dev/null
    done
    vpclab ec2 authorize-security-group-ingress --group-id db --ip-permissions "IpProtocol=udp,FromPort=53,ToPort=53,Ipv6Ranges=[{CidrIpv6=$block}]" \
        "IpProtocol=icmp,FromPort=8,ToPort=-1,IpRanges=[{CidrIp=10.0.0.0/16}]" "IpProtocol=icmpv6,FromPort=128,ToPort=-1,Ipv6Ranges=[{CidrIpv6=$block}]" >/dev/null
    vpclab serve db udp/53 >/dev/null
    echoes() { vpclab exec client -- python3 -c 'import socket, sys
for ip in sys.argv[3:]:
    s = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", int(sys.argv[1])))
    said, data = "silent", bytes(i * 7 % 251 for i in range(65507))
    for i in range(int(sys.argv[2])):
        s.settimeout(1)
        s.sendto(data, (ip, 53))
        try:
            said = "same" if s.recv(70000) == data else "other"
            break
        except socket.timeout:
            pass
    print(said)' "$1" "$2" 10.0.1.20 "${block%/*}20"; }
    run echoes 4001 10
    [ "$output" = $'same\nsame' ]
    for ip in 10.0.1.20 "${block%/*}20"; do
        run vpclab exec client -- ping -c 3 -i 0.2 -W 5 -s 30000 "$ip"
        [ "$status" = 0 ]
    done
    # The control: without the rule no piece arrives.
    vpclab ec2 revoke-security-group-ingress --group-id db --protocol udp --port 53 --cidr 10.0.1.10/32 >/dev/null
    run echoes 4002 2
    [ "$output" = $'silent\nsame' ]
}

@test "doctor: says whether TAP hosts work, and else the command that mends it; nobody needs a lab for that" {
    run env XDG_DATA_HOME=/proc/nowhere "$VPCLAB" doctor --output json
    echo "$output" | jq -e '.Findings[] | select(.Feature == "TAP hosts") | (.Required | not) and (.Works or (.Remedy | length > 0))'
    [ -d /dev/net ] && unshare -rm true 2>/dev/null || skip "unshare makes no user namespace here"
    # The same machine without the file.
    run unshare -rm sh -c 'mount -t tmpfs none /dev/net && "$VPCLAB" doctor'
    [[ "$output" == *"-    TAP hosts"*"missing, /dev/net/tun: No such file or directory"*"as root: modprobe tun"* ]]
}

@test "hosts: none of many probes is lost among TAP hosts" {
    [ -w /dev/net/tun ] || return 0
    setup_lab namespace
    vpclab lab hosts tap >/dev/null
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.8.0/21 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=many}]' >/dev/null
    for port in 22 443; do
        vpclab ec2 authorize-security-group-ingress --group-id db --protocol tcp --port $port --cidr 10.0.0.0/16 >/dev/null
    done
    vpclab ec2 run-instances --image-id ami-12345678 --subnet-id many --count 80 --security-group-ids db >/dev/null
    run vpclab verify --query '[Asked > `24000`, Disagree]' --output text
    echo "$output"
    [ "$output" = "True	0" ]
}

@test "serve: what is no port is refused and nothing is opened" {
    setup_lab namespace
    for bad in tcp tcp/0 tcp/70000 sctp/5 tcp/9-8 80x '' tcp/1-300; do
        run vpclab serve client udp/53 "$bad"
        [ "$status" = 2 ]
        [[ "$output" == *"hint: "* ]]
    done
    run vpclab serve client
    [[ "$output" == *"serves nothing" ]]
    run vpclab serve client tcp/80 --stop
    [[ "$output" == *'`tcp/80` is not served'* ]]
}

@test "scan: ports are open, closed or filtered, as rules and machines say" {
    setup_lab namespace
    vpclab serve db tcp/8080 tcp/9001-9003 >/dev/null
    vpclab ec2 revoke-security-group-ingress --group-id db --protocol tcp --port 0-65535 --cidr 10.0.1.10/32 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id db --protocol tcp --port 8000-9002 --cidr 10.0.1.10/32 >/dev/null
    run vpclab scan client db 7990-9010 --query 'Ports[?State==`open`].Port' --output text
    [ "$(echo $output)" = "8080 9001 9002" ]
    run vpclab scan client db 8080 8081 7999
    [ "$status" = 0 ]
    [[ "$output" == *"8080   open"*"8081   closed"*"1 filtered"* ]]
    run vpclab scan client db 8080
    [[ "$output" == *"8080   open" ]] # nothing is filtered: nothing is said of it
    run vpclab scan client db 7000
    [ "$status" = 1 ]
    run vpclab scan client db 53 54 --udp
    [[ "$output" == *"53     reached"*"1 filtered"* ]]
    for bad in 0 70000 9-8 http 5x; do
        run vpclab scan client db "$bad"
        [ "$status" = 2 ]
        [[ "$output" == *"are no ports to scan"* ]]
    done
    run vpclab scan client nobody
    [ "$status" != 0 ]
}

value() { # NAMESPACE NAME DIMENSION VALUE: the sum of the last hour
    vpclab cloudwatch get-metric-statistics --namespace "$1" --metric-name "$2" --dimensions "Name=$3,Value=$4" --statistics Sum --period 3600 \
        --start-time "$(date -u -d '-1 hour' +%FT%TZ)" --end-time "$(date -u -d '+1 hour' +%FT%TZ)" -o json | jq '[.Datapoints[].Sum] | add // 0'
}
packets() { # INTERFACE ACTION: in the records of its flows
    vpclab flows --output json | jq "[.FlowLogs[].Records[] | select(.\"interface-id\" == \"$1\" and .action == \"$2\") | .packets] | add // 0"
}
devices() { vpclab exec router:main -- ip -o link show type tun | wc -l; }

@test "hosts: TAP hosts with the same groups share a device, and records, metrics and rules tell them apart" {
    [ -w /dev/net/tun ] || return 0
    local eni id i
    setup_lab namespace
    vpclab logs create-log-group --log-group-name g >/dev/null
    vpclab ec2 create-flow-logs --resource-type VPC --resource-ids "$(vpclab ec2 describe-vpcs --filters Name=tag:Name,Values=main --query 'Vpcs[0].VpcId' -o text)" \
        --traffic-type ALL --log-group-name g --deliver-logs-permission-arn arn:aws:iam::123456789012:role/x >/dev/null
    for i in 1 2 3; do
        run_instance "h$i" "10.0.1.3$i" tap
        eni[i]=$(vpclab ec2 describe-network-interfaces --filters "Name=addresses.private-ip-address,Values=10.0.1.3$i" --query 'NetworkInterfaces[0].NetworkInterfaceId' -o text)
        id[i]=$(vpclab ec2 describe-network-interfaces --filters "Name=addresses.private-ip-address,Values=10.0.1.3$i" --query 'NetworkInterfaces[0].Attachment.InstanceId' -o text)
    done
    [ "$(devices)" = 1 ]
    vpclab ping h1 h2 --count 3
    vpclab ping h1 h3 --count 2
    # Other groups are another device: new flows are refused at h3 alone, what was counted stays.
    vpclab ec2 modify-instance-attribute --instance-id h3 --groups db >/dev/null
    [ "$(devices)" = 2 ]
    run vpclab ping h2 h3 --count 1
    [ "$status" = 1 ]
    vpclab ping h2 h1 --count 1
    [ "$(packets "${eni[1]}" ACCEPT) $(packets "${eni[2]}" ACCEPT) $(packets "${eni[3]}" ACCEPT)" = "12 9 4" ]
    [ "$(packets "${eni[1]}" REJECT) $(packets "${eni[2]}" REJECT) $(packets "${eni[3]}" REJECT)" = "0 0 1" ]
    for i in 1 2 3; do refused[i]=$(value VPCLab RefusedPackets NetworkInterfaceId "${eni[i]}") in[i]=$(value AWS/EC2 NetworkPacketsIn InstanceId "${id[i]}"); done
    [ "${refused[*]}" = "0 0 1" ]
    [ "${in[*]}" = "6 4 2" ] # h3's two came by the device that it has left
    # Once more the same groups, and a route that leads to one of them: it alone has a device of its own.
    vpclab ec2 modify-instance-attribute --instance-id h3 --groups "$(vpclab ec2 describe-network-interfaces --network-interface-ids "${eni[1]}" --query 'NetworkInterfaces[0].Groups[0].GroupId' -o text)" >/dev/null
    [ "$(devices)" = 1 ]
    vpclab ec2 create-route --route-table-id "$(vpclab ec2 describe-route-tables --filters Name=vpc-id,Values="$(vpclab ec2 describe-vpcs --filters Name=tag:Name,Values=main --query 'Vpcs[0].VpcId' -o text)" --query 'RouteTables[0].RouteTableId' -o text)" \
        --destination-cidr-block 10.9.0.0/16 --network-interface-id "${eni[2]}" >/dev/null
    [ "$(devices)" = 2 ]
    run vpclab verify
    [ "$status" = 0 ]
    # Nor can one send with the address of another behind its device.
    run vpclab verify h1 client --source-ip 10.0.1.33 --protocol icmp
    [ "$status" = 0 ]
}

@test "hosts: what is refused at each of a TAP host's addresses adds up" {
    [ -w /dev/net/tun ] || return 0
    setup_lab tap
    eni=$(vpclab ec2 describe-network-interfaces --filters Name=addresses.private-ip-address,Values=10.0.1.20 --query 'NetworkInterfaces[0].NetworkInterfaceId' -o text)
    vpclab ec2 assign-private-ip-addresses --network-interface-id "$eni" --private-ip-addresses 10.0.1.21 >/dev/null
    ! vpclab -q ping client 10.0.1.20 --count 2
    ! vpclab -q ping client 10.0.1.21 --count 3
    [ "$(value VPCLab RefusedPackets NetworkInterfaceId "$eni")" = 5 ]
    ! vpclab -q ping client 10.0.1.21 --count 1
    [ "$(value VPCLab RefusedPackets NetworkInterfaceId "$eni")" = 6 ]
}

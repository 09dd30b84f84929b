#!/usr/bin/env bats
# Real programs with real traffic: curl, iperf3, dig and tcpdump in instances, and a long TCP transfer through a NAT gateway.
# VPCLAB_BYTES says how much (32 MiB; `make check-deep` sends 1 GiB).
load ../cli/helper
load services

BYTES=${VPCLAB_BYTES:-33554432}
OUTSIDE=198.51.100.7 # in the internet, where every address answers

private_client() {
    setup_lab
    add_gateway
    vpclab ec2 create-nat-gateway --subnet-id a --allocation-id "$(vpclab ec2 allocate-address --query AllocationId --output text)" \
        --tag-specifications 'ResourceType=natgateway,Tags=[{Key=Name,Value=nat}]' >/dev/null
    vpclab ec2 create-route-table --vpc-id main --tag-specifications 'ResourceType=route-table,Tags=[{Key=Name,Value=private}]' >/dev/null
    vpclab ec2 create-route --route-table-id private --destination-cidr-block 0.0.0.0/0 --nat-gateway-id nat >/dev/null
    vpclab ec2 associate-route-table --route-table-id private --subnet-id b >/dev/null
    vpclab ec2 create-security-group --group-name web --description x --vpc-id main >/dev/null
    run_instance client b --private-ip-address 10.0.2.10 >/dev/null
    run_instance web a --private-ip-address 10.0.1.10 --security-group-ids web >/dev/null
    up
}
open_web() { # PROTOCOL PORTS
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol "$1" --port "$2" --cidr 10.0.0.0/16 >/dev/null
}
listening() { # NODE PORT
    for _ in $(seq 200); do
        vpclab exec "$1" -- ss -ltnH "sport = :$2" | grep -q . && return
        sleep 0.05
    done
    return 1
}

@test "a long TCP transfer goes through a NAT gateway whole: iperf3, and load" {
    command -v iperf3 >/dev/null || skip "iperf3 is not installed"
    private_client
    vpclab exec --detach internet -- iperf3 -s -1 -p 5300
    listening internet 5300
    vpclab exec client -- iperf3 -c "$OUTSIDE" -p 5300 -n "$BYTES" -J >"$DIR/iperf"
    # Its server closes when the client says that it is through, with the last of the data still under way.
    jq -e --argjson bytes "$BYTES" '.end.sum_sent.bytes >= $bytes and .end.sum_received.bytes > 0' "$DIR/iperf"
    [ "$(jq -r '.start.connected[0].local_host' "$DIR/iperf")" = 10.0.2.10 ]
    vpclab load client internet --size 64K --count "$((BYTES / 65536))" --seconds 300 --output json >"$DIR/load"
    jq -e --argjson bytes "$BYTES" '.Complete and .Received.Bytes == $bytes' "$DIR/load"
    # The gateway counted both.
    sum=$(vpclab cloudwatch get-metric-statistics --namespace AWS/NATGateway --metric-name BytesOutToDestination --statistics Sum --period 86400 \
        --dimensions "Name=NatGatewayId,Value=$(vpclab ec2 describe-nat-gateways --query 'NatGateways[0].NatGatewayId' --output text)" \
        --start-time "$(date -u -d '-1 day' +%FT%TZ)" --end-time "$(date -u -d '+1 day' +%FT%TZ)" --query 'sum(Datapoints[].Sum)')
    [ "${sum%.*}" -ge "$((BYTES + $(jq '.end.sum_received.bytes' "$DIR/iperf")))" ]
    # Without the route nothing gets out.
    vpclab ec2 delete-route --route-table-id private --destination-cidr-block 0.0.0.0/0
    run vpclab exec client -- timeout 1 iperf3 -c "$OUTSIDE" -p 5300 -n 1
    [ "$status" != 0 ]
}

@test "iperf3 sends UDP between subnets, when the group lets it" {
    command -v iperf3 >/dev/null || skip "iperf3 is not installed"
    private_client
    open_web tcp 5300
    vpclab exec --detach web -- iperf3 -s -p 5300
    listening web 5300
    run vpclab exec client -- timeout 1 iperf3 -c 10.0.1.10 -p 5300 -u -b 5M -n 100K -J
    [ "$status" != 0 ] # the control connection is there, the datagrams are not
    open_web udp 5300
    for _ in $(seq 20); do # its server may still wait for the first one
        vpclab exec client -- iperf3 -c 10.0.1.10 -p 5300 -u -b 5M -n 100K -J >"$DIR/iperf" && break
        sleep 0.5
    done
    jq -e '.end.sum.bytes >= 100000 and .end.sum.lost_percent < 100' "$DIR/iperf"
}

@test "curl brings a file whole, dig asks the resolver, and tcpdump in the instance sees both" {
    private_client
    mkdir "$DIR/files"
    head -c 3000000 /dev/urandom >"$DIR/files/blob"
    (cd "$DIR/files" && vpclab exec --detach web -- python3 -m http.server 8080) # an instance sees the directory it is started in
    vpclab exec web -- tcpdump -Z root -U -i eth0 -w - 'tcp port 8080 or udp port 53' >"$DIR/seen.pcap" 2>/dev/null &
    listening web 8080
    # It gives up its rights at the start: where a plain user owns the lab, the kernel does not let it.
    watched=$(id -u | grep -x 0 || true)
    for _ in $(seq 100); do [ -z "$watched" ] || [ -s "$DIR/seen.pcap" ] && break; sleep 0.05; done
    [ "$(code client http://10.0.1.10:8080/blob)" = 000 ]
    open_web tcp 8080
    vpclab exec client -- curl -sf -m 60 http://10.0.1.10:8080/blob >"$DIR/copy"
    cmp "$DIR/files/blob" "$DIR/copy"
    [ -n "$(vpclab exec client -- dig +short +time=5 web.example)" ]
    [ "$(vpclab exec web -- dig +short +time=5 web.example)" = "$(vpclab exec web -- dig +short +time=5 +tcp @169.254.169.253 web.example)" ]
    [ -n "$watched" ] || return 0
    for _ in $(seq 100); do
        tcpdump -r "$DIR/seen.pcap" -n >"$DIR/seen" 2>/dev/null || true
        grep -q 'web.example' "$DIR/seen" && break
        sleep 0.05
    done
    grep -q '10.0.2.10.*> 10.0.1.10.8080: Flags \[S\]' "$DIR/seen"
    grep -q 'A? web.example' "$DIR/seen"
}

#!/usr/bin/env bats
# Captures of real packets, read by tshark.
load ../cli/helper
load flow_lab

need_tshark() { command -v tshark >/dev/null || skip "tshark is not installed"; }

# capture NODE FILE OPTION...: in the background, until it runs; end_capture ends it.
begin_capture() {
    "$VPCLAB" capture "$@" >"$DIR/capture.out" 2>"$DIR/capture.err" &
    capture=$!
    for _ in $(seq 100); do
        [ -s "$2" ] && return
        kill -0 "$capture" 2>/dev/null || { cat "$DIR/capture.err"; return 1; }
        sleep 0.05
    done
    return 1
}
end_capture() {
    sleep 0.1
    kill -INT $(pgrep -P "$capture") && wait "$capture"
}
# fields FILE FILTER FIELD...
fields() {
    local file=$1 filter=$2 args=()
    shift 2
    for f in "$@"; do args+=(-e "$f"); done
    tshark -r "$file" -Y "$filter" -T fields -E separator=' ' "${args[@]}" 2>/dev/null
}

@test "a capture opens in tshark: interfaces, verdicts, rules, filters" {
    need_tshark
    lab_with_flow_log
    up
    listen db 5432
    begin_capture db "$DIR/db.pcapng"
    knock web "$db" 5432
    refused web "$db" 22
    end_capture
    grep -q "refused" "$DIR/capture.out"
    fields "$DIR/db.pcapng" "tcp.port == 5432" frame.interface_name frame.comment >"$DIR/seen"
    grep -q "^$(eni db) ACCEPT ingress$" "$DIR/seen"
    grep -q "^$(eni db) ACCEPT egress$" "$DIR/seen"
    # What was refused never came to db's link; it is there as what the router refused, with the rule.
    tshark -r "$DIR/db.pcapng" | head; cat "$DIR/capture.out"; fields "$DIR/db.pcapng" "tcp.port == 22" frame.interface_name frame.comment
    [ "$(fields "$DIR/db.pcapng" "tcp.port == 22" frame.interface_name frame.comment | sort -u)" = "$(eni db) refused REJECT ingress $group:ingress:none" ]

    # At the sender the same packet left; what its own group refuses is refused there.
    begin_capture web "$DIR/web.pcapng" --filter "tcp port 22 or udp port 53"
    refused web "$db" 22
    vpclab ec2 revoke-security-group-egress --group-id "$(of_instance web 'SecurityGroups[0].GroupId')" --protocol -1 --cidr 0.0.0.0/0 >/dev/null
    vpclab exec web -- bash -c "echo x >/dev/udp/$db/53" # at once: nc may leave before it has read its input
    knock db "$web" 5432 || true
    end_capture
    [ "$(fields "$DIR/web.pcapng" "tcp.port == 22" frame.interface_name frame.comment | sort -u)" = "$(eni web) ACCEPT egress" ]
    [ "$(fields "$DIR/web.pcapng" "udp" frame.interface_name frame.comment | sort -u)" = "$(eni web) REJECT egress $(of_instance web 'SecurityGroups[0].GroupId'):egress:none" ]
    [ -z "$(fields "$DIR/web.pcapng" "tcp.port == 5432" frame.number)" ]
}

@test "a capture of the lab is read back as flows, with the rule that refused" {
    lab_with_flow_log
    up
    listen db 5432
    begin_capture db "$DIR/db.pcapng"
    knock web "$db" 5432
    refused web "$db" 22
    end_capture
    vpclab flows --from "$DIR/db.pcapng" >"$DIR/out"
    grep -qE "^$(eni db) +$web +$db +[0-9]+ +5432 +6 .* ACCEPT +3 +ingress +OK +$group:ingress:sgr-[0-9a-f]+ +ACCEPT" "$DIR/out"
    grep -qE "^$(eni db) +$web +$db +[0-9]+ +22 +6 .* REJECT +2 +ingress +OK +$group:ingress:none +REJECT" "$DIR/out"
}

@test "what tshark counts on an interface is what the flow log says" {
    need_tshark
    lab_with_flow_log
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol icmp --port -1 --cidr 172.31.0.0/16 >/dev/null
    up
    vpclab exec --detach db -- sh -c 'nc -lk 5432 >/dev/null'
    sleep 0.3
    begin_capture db "$DIR/db.pcapng"
    vpclab exec web -- ping -c 5 -i 0.02 -s 200 "$db" >/dev/null
    vpclab exec web -- sh -c "head -c 300000 /dev/zero | nc -N -w 2 $db 5432"
    end_capture
    local counted seen protocol
    for protocol in icmp tcp; do
        # bytes of a record are those of the IP packets
        counted=$(fields "$DIR/db.pcapng" "$protocol && ip.dst == $db" ip.len | awk '{ n++; s += $1 } END { print n, s }')
        seen=$(vpclab flows db --protocol $protocol --output json | jq -r "[.FlowLogs[].Records[] | select(.dstaddr == \"$db\")] | \"\(map(.packets) | add) \(map(.bytes) | add)\"")
        [ "$counted" = "$seen" ] || { echo "$protocol: tshark $counted, flow log $seen"; return 1; }
    done
}

@test "TCP travels in pieces longer than its header can say, and each counts whole" {
    need_tshark
    [ "$(printf '6.3\n%s\n' "$(uname -r)" | sort -V | head -1)" = 6.3 ] || skip "the kernel is older than 6.3"
    lab_with_flow_log
    up
    begin_capture db "$DIR/db.pcapng" --filter "tcp port 5432 and greater 66000" --count 1
    vpclab load web db:5432 --seconds 1 >/dev/null
    wait "$capture"
    seen=$(fields "$DIR/db.pcapng" "tcp.dstport == 5432" frame.len ip.len frame.cap_len)
    read -r frame ip captured <<<"$seen"
    [ "$frame" -gt 66000 ] && [ "$ip" = $((frame - 14)) ] && [ "$captured" -le 65550 ]
    [ "$(vpclab flows --from "$DIR/db.pcapng" -o json | jq '[.. | .bytes? // empty] | add')" = "$ip" ]
    # What docs/LIVE.md says to those who want none.
    vpclab exec web -- ip link set eth0 gso_max_size 65535
    begin_capture db "$DIR/short.pcapng" --filter "tcp port 5432 and greater 66000"
    vpclab load web db:5432 --seconds 1 >/dev/null
    end_capture
    [ -z "$(fields "$DIR/short.pcapng" tcp frame.len)" ]
}

@test "a capture of a VPC or a transit gateway is one of its router" {
    lab_with_flow_log
    tgw=$(vpclab ec2 create-transit-gateway --query TransitGateway.TransitGatewayId -o text)
    vpclab ec2 create-transit-gateway-vpc-attachment --transit-gateway-id "$tgw" --vpc-id "$vpc" --subnet-ids "$subnet" >/dev/null
    up
    [[ "$(vpclab capture "$tgw" "$DIR/tgw.pcapng" --for 1s)" == "0 packets of $tgw in "* ]]
    begin_capture "$vpc" "$DIR/vpc.pcapng" --filter icmp
    vpclab -q ping web db --count 1 || true
    end_capture
    [ "$(fields "$DIR/vpc.pcapng" "" ip.src | head -1)" = "$web" ]
}

@test "captures end by count and by time, of a NAT gateway, an internet gateway, a router" {
    need_tshark
    lab_with_flow_log
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol icmp --port -1 --cidr 0.0.0.0/0 >/dev/null
    up
    begin_capture db "$DIR/db.pcapng" --filter icmp --count 3 --buffer 1M
    vpclab exec web -- ping -c 3 -i 0.02 "$db" >/dev/null
    wait "$capture"
    [ "$(fields "$DIR/db.pcapng" icmp frame.number | wc -l)" = 3 ]
    igw=$(vpclab ec2 describe-internet-gateways --query 'InternetGateways[0].InternetGatewayId' -o text)
    begin_capture "$igw" "$DIR/igw.pcapng"
    vpclab exec web -- ping -c 1 -W 1 8.8.8.8 >/dev/null
    end_capture
    fields "$DIR/igw.pcapng" "icmp.type == 8" frame.interface_description ip.src >"$DIR/seen"
    grep -q "the side of the VPC: private addresses $web" "$DIR/seen"
    grep -q "the side of the internet: public addresses $(of_instance web PublicIpAddress)" "$DIR/seen"
    begin_capture "router:$vpc" "$DIR/router.pcapng" --for 1s
    vpclab exec web -- ping -c 1 "$db" >/dev/null
    wait "$capture"
    [ "$(fields "$DIR/router.pcapng" icmp frame.number | wc -l)" = 4 ] # in and out, there and back
}

@test "a ring holds the newest packets and no more than its size" {
    need_tshark
    lab_with_flow_log
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol udp --port 0-65535 --cidr 0.0.0.0/0 >/dev/null
    up
    begin_capture db "$DIR/ring.pcapng" --ring 1M --no-verdicts --filter "udp port 7000 or udp port 7001"
    vpclab load web db:7000 --protocol udp --count 2500 --size 1000 >/dev/null # 2.6 MB: both halves are begun anew
    vpclab exec web -- bash -c "echo last >/dev/udp/$db/7001"
    for _ in $(seq 50); do grep -qs last "$DIR/ring.pcapng" && break; sleep 0.05; done
    end_capture
    cat "$DIR/capture.out"
    size=$(stat -c %s "$DIR/ring.pcapng")
    [ "$size" -le 1048576 ] && [ "$size" -gt 524288 ]
    # Every packet that tshark sees there is newer than any that is not: their numbers go on to the last one.
    n=$(fields "$DIR/ring.pcapng" "udp.port == 7000" frame.number | wc -l)
    grep -qE "^[0-9]+ packets of db in .*; the oldest [0-9]+ are no longer there" "$DIR/capture.out"
    total=$(grep -oE "^[0-9]+" "$DIR/capture.out") lost=$(grep -oE "oldest [0-9]+" "$DIR/capture.out" | grep -oE "[0-9]+")
    [ "$n" = $((total - lost - 1)) ]
    [ "$(fields "$DIR/ring.pcapng" "" udp.dstport | tail -n 1)" = 7001 ]
    tshark -r "$DIR/ring.pcapng" -T fields -e frame.time_epoch 2>/dev/null | sort -c -n # in their order
    [ -z "$(find "$DIR" -maxdepth 1 -name '*ring*' ! -name ring.pcapng)" ] # and nothing beside it
}

@test "a capture of a TAP host has its packets alone, though others are behind the same device" {
    need_tshark
    [ -r /dev/net/tun ] && [ -w /dev/net/tun ] || skip "no access to /dev/net/tun"
    lab_with_flow_log
    tap='ResourceType=instance,Tags=[{Key=vpclab:host,Value=tap},{Key=Name,Value='
    for name in one two; do
        vpclab ec2 run-instances --image-id ami-12345678 --subnet-id "$subnet" --security-group-ids "$group" --tag-specifications "$tap$name}]" >/dev/null
    done
    vpclab ec2 authorize-security-group-ingress --group-id db --protocol icmp --port -1 --cidr 0.0.0.0/0 >/dev/null
    one=$(address one) two=$(address two)
    up
    begin_capture one "$DIR/one.pcapng" --filter 'icmp or tcp'
    vpclab -q ping two web --count 1 || true
    vpclab -q ping web two --count 1
    vpclab -q ping web one --count 2
    knock web "$two" 22 || true
    knock web "$one" 22 || true
    end_capture
    fields "$DIR/one.pcapng" "" ip.src ip.dst frame.comment | awk '!/REJECT/ || !n++' >"$DIR/seen" # a knock may come again
    { for _ in 1 2; do printf '%s\n' "$web $one ACCEPT ingress" "$one $web ACCEPT egress"; done
      echo "$web $one REJECT ingress $group:ingress:none"; } | cmp - "$DIR/seen"
    # Times are the lab's: in both they are those of the same minutes, also when the clock was put on.
    vpclab clock advance 1h >/dev/null
    begin_capture one "$DIR/late.pcapng" --filter icmp
    vpclab -q ping web one --count 1
    end_capture
    at=$(fields "$DIR/late.pcapng" "" frame.time_epoch | head -1)
    [ $((${at%.*} - $(date +%s))) -gt 3500 ]
    vpclab flows one --from "$DIR/one.pcapng" --protocol icmp | grep -q " $one  *$web .* 2  *80 .* ACCEPT "
}

@test "captures refuse what they cannot do" {
    lab_with_flow_log
    run vpclab capture web "$DIR/x"
    [ "$status" = 4 ] && grep -q "not live" <<<"$output"
    up
    run vpclab capture web "$DIR/x" --filter "tcp prot 80"
    [ "$status" = 2 ] && grep -q 'is no filter' <<<"$output"
    run vpclab capture nobody "$DIR/x"
    [ "$status" != 0 ]
    run vpclab capture web "$DIR/none/x"
    [ "$status" = 5 ] && grep -q "cannot write" <<<"$output"
    run vpclab capture web "$DIR/x" --ring lots
    [ "$status" = 2 ]
    run vpclab capture web "$DIR/x" --ring 512K
    [ "$status" = 2 ] && grep -q "at least 1024K" <<<"$output"
    run vpclab capture web - --ring 1M --count 1
    [ "$status" = 2 ] && grep -q "a ring needs a file" <<<"$output"
    run vpclab capture web "$DIR/x" --buffer lots
    [ "$status" = 2 ]
    run vpclab capture web "$DIR/x" --for ages
    [ "$status" = 2 ]
    run timeout 20 "$VPCLAB" capture web "$DIR/x" --count 0
    [ "$status" = 2 ] && grep -q "must be at least 1" <<<"$output"
    run timeout 10 "$VPCLAB" capture web "$DIR/x.pcapng" --for 0s
    [ "$status" = 2 ] && grep -q "is not a span" <<<"$output"
    # What could not begin leaves the file as it was, and none where there was none.
    echo precious >"$DIR/old"
    run vpclab capture web "$DIR/old" --filter "foo bar"
    [ "$status" = 2 ] && [ "$(cat "$DIR/old")" = precious ]
    run vpclab capture web "$DIR/new" --filter "foo bar"
    [ "$status" = 2 ] && [ ! -e "$DIR/new" ]
    vpclab capture web "$DIR/old" --for 1s && [ "$(head -c 4 "$DIR/old" | xxd -p)" = 0a0d0d0a ] && ! grep -q precious "$DIR/old"
    # Who reads may go.
    vpclab exec --detach web -- ping -q -i 0.2 -w 20 192.0.2.1
    { timeout 20 "$VPCLAB" capture web - --for 30s; echo "status $?" >&2; } 2>"$DIR/said" | head -c 4 >/dev/null
    [ "$(cat "$DIR/said")" = "status 0" ]
    # as many at once as a router tells apart, and no more with verdicts
    local running=()
    for i in 1 2 3 4; do
        begin_capture web "$DIR/$i.pcapng"
        running+=("$capture")
    done
    run vpclab capture web "$DIR/x" --for 1s
    [ "$status" = 5 ] && grep -q "four captures with verdicts run in this VPC already" <<<"$output"
    run vpclab capture web "$DIR/x" --for 1s --no-verdicts
    [ "$status" = 0 ]
    for capture in "${running[@]}"; do end_capture; done
    # a capture that was killed leaves nothing that the next one meets
    begin_capture web "$DIR/a.pcapng"
    kill -KILL $(pgrep -P "$capture") "$capture"
    wait "$capture" || true
    begin_capture web "$DIR/b.pcapng"
    refused web "$db" 22
    end_capture
}

@test "a capture ends with its machine, and with the lab" {
    lab_with_flow_log
    up
    begin_capture db "$DIR/db.pcapng"
    vpclab ec2 terminate-instances --instance-ids "$(of_instance db InstanceId)" >/dev/null
    wait "$capture"
    begin_capture web "$DIR/web.pcapng"
    vpclab down >/dev/null
    wait "$capture"
    grep -q "packets of web in" "$DIR/capture.out"
}

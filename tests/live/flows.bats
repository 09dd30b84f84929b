#!/usr/bin/env bats
# Flow logs of real packets.  Every refusal has its positive control: the same packet is accepted once the one rule is there.
load ../cli/helper
load flow_lab

@test "accepted and rejected connections, in the default format" {
    lab_with_flow_log
    up
    listen db 5432
    listen db 22
    knock web "$db" 5432
    refused web "$db" 22
    has "^2 +123456789012 +$(eni web) +$web +$db +[0-9]+ +5432 +6 +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +ACCEPT +OK" web --dst-port 5432
    has "^2 +123456789012 +$(eni db) +$web +$db +[0-9]+ +5432 +6 .* ACCEPT +OK" db --dst-port 5432
    has " $(eni db) +$db +$web +5432 +[0-9]+ +6 .* ACCEPT +OK" db --src-port 5432
    # A SYN nobody answers is sent again after a second, which may still fall into the wait: one packet or two.
    has "$(eni web) +$web +$db +[0-9]+ +22 +6 +(1 +60|2 +120) .* ACCEPT +OK" web --dst-port 22 # it left, and was refused at the other end
    has "$(eni db) +$web +$db +[0-9]+ +22 +6 +(1 +60|2 +120) .* REJECT +OK +$group:ingress:none$" db --action REJECT
    has " ACCEPT +OK +-$" db --dst-port 5432
    has_not REJECT web

    # the control: with the rule, while live, the same packet is accepted
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 22 --cidr "$web/32" >/dev/null
    knock web "$db" 22
    has "$(eni db) +$web +$db +[0-9]+ +22 +6 .* ACCEPT +OK" db --dst-port 22 --action ACCEPT
}

@test "records stay in AWS's form when the lab is down" {
    lab_with_flow_log
    up
    listen db 5432
    knock web "$db" 5432
    vpclab down >/dev/null # what the open interval holds is written
    local file=$XDG_DATA_HOME/vpclab/labs/default/flowlogs/$log.log
    head -n 1 "$file" | grep -qx "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    grep -qE "^2 123456789012 $(eni db) $web $db [0-9]+ 5432 6 [0-9]+ [0-9]+ [0-9]{10} [0-9]{10} ACCEPT OK$" "$file"
    has " ACCEPT " db --since 1m
    has_not " ACCEPT " db --since 2020-01-01T00:00:00Z --dst-port 5433
}

@test "a log of rejects has no accepted record" {
    lab_with_flow_log '${dstport} ${action}' REJECT
    up
    listen db 5432
    knock web "$db" 5432
    refused web "$db" 22
    has "^22 +REJECT"
    has_not ACCEPT
    has "no record matches: the log's format has no interface-id" db
}

@test "custom format: flags, direction, path, ids, packet addresses" {
    lab_with_flow_log '${interface-id} ${instance-id} ${subnet-id} ${vpc-id} ${az-id} ${region} ${type} ${pkt-srcaddr} ${pkt-dstaddr} ${dstport} ${tcp-flags} ${flow-direction} ${traffic-path} ${action}'
    up
    listen db 5432
    knock web "$db" 5432
    refused web "$db" 22
    local ids="$(of_instance web InstanceId) +$subnet +$vpc +use1-az[1-6] +us-east-1 +IPv4"
    has "^$(eni web) +$ids +$web +$db +5432 +3 +egress +1 +ACCEPT" # SYN, then FIN
    has "^$(eni web) +$ids +$db +$web +[0-9]+ +19 +ingress +- +ACCEPT" # SYN-ACK, then FIN
    has "^$(eni db) .* $web +$db +22 +2 +ingress +- +REJECT"
    has_not ingress --direction egress
    has egress --direction egress
}

@test "udp and icmp, and what a network ACL refuses" {
    lab_with_flow_log
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol -1 --cidr 172.31.0.0/16 >/dev/null
    local other acl
    other=$(vpclab ec2 describe-subnets --query 'Subnets[1].SubnetId' -o text)
    subnet=$other run_instance far --security-group-ids "$group"
    acl=$(vpclab ec2 describe-network-acls --query 'NetworkAcls[0].NetworkAclId' -o text)
    up
    listen db 5353 -u
    vpclab exec far -- sh -c "echo hello | nc -u -w 1 $db 5353"
    vpclab exec far -- ping -c 1 -W 1 "$db" >/dev/null
    has "$(eni db) +$(address far) +$db +[0-9]+ +5353 +17 +1 +34 .* ACCEPT" db --protocol udp
    has "$(eni db) +$(address far) +$db +0 +0 +1 +1 +84 .* ACCEPT" db --protocol icmp
    has "$(eni db) +$db +$(address far) +0 +0 +1 +1 +84 .* ACCEPT" db --protocol icmp

    # the ACL of both subnets now refuses UDP on its way in
    vpclab ec2 create-network-acl-entry --network-acl-id "$acl" --rule-number 50 --protocol 17 --port-range From=0,To=65535 \
        --cidr-block 0.0.0.0/0 --rule-action deny --ingress >/dev/null
    vpclab exec far -- sh -c "echo hello | nc -u -w 1 $db 5353"
    has "$(eni db) +$(address far) +$db +[0-9]+ +5353 +17 +1 +34 .* REJECT +OK +$acl:ingress:50$" db --protocol udp --action REJECT
}

@test "through a NAT gateway: its interface, and who is behind it" {
    lab_with_flow_log '${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${dstport} ${flow-direction} ${traffic-path} ${action}'
    local private table nat eip app nat_address nat_eni
    private=$(vpclab ec2 create-subnet --vpc-id "$vpc" --cidr-block 172.31.200.0/24 --query Subnet.SubnetId -o text)
    eip=$(vpclab ec2 allocate-address --query AllocationId -o text)
    nat=$(vpclab ec2 create-nat-gateway --subnet-id "$subnet" --allocation-id "$eip" --query NatGateway.NatGatewayId -o text)
    table=$(vpclab ec2 create-route-table --vpc-id "$vpc" --query RouteTable.RouteTableId -o text)
    vpclab ec2 associate-route-table --route-table-id "$table" --subnet-id "$private" >/dev/null
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 0.0.0.0/0 --nat-gateway-id "$nat" >/dev/null
    subnet=$private run_instance app
    app=$(address app)
    nat_address=$(vpclab ec2 describe-nat-gateways --query 'NatGateways[0].NatGatewayAddresses[0].PrivateIp' -o text)
    nat_eni=$(vpclab ec2 describe-nat-gateways --query 'NatGateways[0].NatGatewayAddresses[0].NetworkInterfaceId' -o text)
    up
    listen internet 443
    knock app 8.8.8.8 443
    has "^$(eni app) +$app +8.8.8.8 +$app +8.8.8.8 +443 +egress +1 +ACCEPT"
    has "^$nat_eni +$app +$nat_address +$app +8.8.8.8 +443 +ingress +- +ACCEPT"
    has "^$nat_eni +$nat_address +8.8.8.8 +$nat_address +8.8.8.8 +443 +egress +8 +ACCEPT"
    has "^$nat_eni +8.8.8.8 +$nat_address +8.8.8.8 +$nat_address +[0-9]+ +ingress +- +ACCEPT"
    has "^$nat_eni +$nat_address +$app +8.8.8.8 +$app +[0-9]+ +egress +1 +ACCEPT"
}

@test "what the sender's own group refuses is one record, at the sender" {
    lab_with_flow_log '${interface-id} ${srcaddr} ${dstaddr} ${dstport} ${flow-direction} ${action}'
    up
    listen web 8080
    vpclab ec2 authorize-security-group-ingress --group-id "$(of_instance web 'SecurityGroups[0].GroupId')" --protocol tcp --port 8080 \
        --cidr 172.31.0.0/16 >/dev/null
    vpclab ec2 revoke-security-group-egress --group-id "$group" --protocol -1 --cidr 0.0.0.0/0 >/dev/null
    refused db "$web" 8080
    has "^$(eni db) +$db +$web +8080 +egress +REJECT"
    has_not "^$(eni web) " --dst-port 8080
    vpclab ec2 authorize-security-group-egress --group-id "$group" --protocol tcp --port 8080 --cidr "$web/32" >/dev/null
    knock db "$web" 8080
    has "^$(eni db) +$db +$web +8080 +egress +ACCEPT"
    has "^$(eni web) +$db +$web +8080 +ingress +ACCEPT"
}

@test "IPv6" {
    lab_with_flow_log '${interface-id} ${srcaddr} ${dstaddr} ${dstport} ${type} ${flow-direction} ${action}'
    local block web6 db6
    vpclab ec2 associate-vpc-cidr-block --vpc-id "$vpc" --amazon-provided-ipv6-cidr-block >/dev/null
    block=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock' -o text)
    vpclab ec2 associate-subnet-cidr-block --subnet-id "$subnet" --ipv6-cidr-block "${block%/*}/64" >/dev/null
    for name in web db; do
        vpclab ec2 assign-ipv6-addresses --network-interface-id "$(eni $name)" --ipv6-address-count 1 >/dev/null
    done
    web6=$(of_instance web 'NetworkInterfaces[0].Ipv6Addresses[0].Ipv6Address')
    db6=$(of_instance db 'NetworkInterfaces[0].Ipv6Addresses[0].Ipv6Address')
    vpclab ec2 authorize-security-group-ingress --group-id "$group" \
        --ip-permissions "IpProtocol=tcp,FromPort=5432,ToPort=5432,Ipv6Ranges=[{CidrIpv6=$block}]" >/dev/null
    up
    vpclab exec db -- sh -c "nc -6lk 5432 >/dev/null 2>&1 & for i in 1 2 3 4 5 6 7 8 9 10; do ss -lnt | grep -q :5432 && exit; sleep 0.05; done; exit 1"
    knock web "$db6" 5432
    refused web "$db6" 5433
    has " $web6 +$db6 +5432 +IPv6 +ingress +ACCEPT" db
    has " $web6 +$db6 +5433 +IPv6 +ingress +REJECT" db
    has " $db6 +$web6 +[0-9]+ +IPv6 +ingress +ACCEPT" web
}

@test "the lab's clock: an interval ends when it is advanced" {
    lab_with_flow_log
    up
    listen db 5432
    knock web "$db" 5432
    local file=$XDG_DATA_HOME/vpclab/labs/default/flowlogs/$log.log
    sleep 1.2 # the first interval begins with the lab; its traffic is counted
    [ ! -e "$file" ] || { echo "records before the interval's end"; return 1; }
    vpclab clock advance 10m >/dev/null
    grep -qE "^2 123456789012 $(eni db) $web $db [0-9]+ 5432 6 .* ACCEPT OK$" "$file"
    [ "$(grep -cE "$(eni db) .* NODATA$" "$file")" = 9 ] # ten intervals, in one of which was traffic
    knock web "$db" 5432
    vpclab clock advance 1m >/dev/null
    [ "$(grep -cE "$(eni db) $web $db [0-9]+ 5432 6 .* ACCEPT OK$" "$file")" = 2 ]
}

@test "records are log events in the group that the flow log names" {
    lab_with_flow_log '${dstport} ${action}' # without interface-id: the stream's name knows it all the same
    up
    refused web "$db" 22
    [ "$(vpclab logs filter-log-events --log-group-name flows --filter-pattern '[port=22, action=REJECT]' --query 'events[].logStreamName' -o text)" = "$(eni db)-all" ]
    [ "$(vpclab logs filter-log-events --log-group-name flows --filter-pattern '[port=22, action=ACCEPT]' --query 'events[].logStreamName' -o text)" = "$(eni web)-all" ]
}

@test "records delivered to S3: an object as AWS names it, and in the lab's bucket" {
    lab_with_flow_log
    vpclab s3api create-bucket --bucket flow-bucket >/dev/null
    vpclab ec2 create-flow-logs --resource-type VPC --resource-ids "$vpc" --traffic-type REJECT --log-destination-type s3 \
        --log-destination arn:aws:s3:::flow-bucket/net --max-aggregation-interval 60 >/dev/null
    up
    refused web "$db" 22
    vpclab clock advance 1m >/dev/null
    local key
    key=$(vpclab s3api list-objects-v2 --bucket flow-bucket --query 'Contents[0].Key' -o text)
    grep -qE "^net/AWSLogs/123456789012/vpcflowlogs/us-east-1/20[0-9]{2}/[0-9]{2}/[0-9]{2}/123456789012_vpcflowlogs_us-east-1_fl-[0-9a-f]+_20[0-9]{6}T[0-9]{4}Z_[0-9a-f]{8}\.log\.gz$" <<<"$key"
    gzip -dc "$XDG_DATA_HOME/vpclab/labs/default/flowlogs/s3/flow-bucket/$key" >"$DIR/object"
    head -n 1 "$DIR/object" | grep -q "^version account-id interface-id"
    grep -qE "$(eni db) $web $db [0-9]+ 22 6 .* REJECT OK$" "$DIR/object"
}

@test "followed: what is refused is shown as it happens, with the rule" {
    lab_with_flow_log
    up
    refused web "$db" 23
    timeout 5 "$VPCLAB" flows db --action REJECT --follow >"$DIR/followed" 2>&1 &
    sleep 1
    refused web "$db" 22
    for _ in $(seq 40); do grep -q " REJECT " "$DIR/followed" && break; sleep 0.1; done
    grep -qE " $web +$db +[0-9]+ +22 +6 .* REJECT +OK +$group:ingress:none$" "$DIR/followed" || { cat "$DIR/followed"; return 1; }
    ! grep -q " 23 " "$DIR/followed" # what was before is not asked for
    wait || true
    # It ends with the lab, and that is no fault; what the last moment had is shown.
    timeout 20 "$VPCLAB" flows db --action REJECT --follow >"$DIR/followed" 2>&1 &
    follower=$!
    sleep 1
    refused web "$db" 24
    vpclab down
    wait "$follower"
    grep -qE " 24 +6 .* REJECT " "$DIR/followed"
    ! grep -q error "$DIR/followed"
}

@test "followed as JSON: an object a line, and nothing else; what has no end is neither queried nor laid out" {
    lab_with_flow_log
    up
    wrong 2 'has no end' vpclab flows --follow -o table
    wrong 2 'has no end' vpclab flows --follow -o json --query 'FlowLogs[0]'
    wrong 2 'has no end' vpclab flows --follow -q
    wrong 2 'cannot be followed' vpclab flows --follow -o json --from "$DIR/none"
    timeout 60 "$VPCLAB" flows db --action REJECT --since 1h --follow -o json >"$DIR/followed" 2>"$DIR/said" &
    follower=$!
    refused web "$db" 23
    for _ in $(seq 100); do grep -q REJECT "$DIR/followed" && break; sleep 0.1; done
    refused web "$db" 24
    vpclab down
    wait "$follower"
    [ ! -s "$DIR/said" ]
    while read -r line; do
        jq -e --arg log "$log" --arg web "$web" '.FlowLogId == $log and .srcaddr == $web and .action == "REJECT" and (.dstport == 23 or .dstport == 24) and (.rule | endswith(":ingress:none"))' <<<"$line" >/dev/null || { echo "$line"; return 1; }
    done <"$DIR/followed"
    [ "$(jq -r .dstport "$DIR/followed" | sort -u | xargs)" = "23 24" ]
    # the same from the file, as one document
    vpclab flows --from "$XDG_DATA_HOME/vpclab/labs/default/flowlogs/$log.log" --dst-port 24 -o json | jq -e '.FlowLogs[0].Records[0].dstport == 24' >/dev/null
}

# packets_of OPTION...: of 300 kB in a lab that was started so; a segment is at most the MTU of 9001 bytes.
packets_of() {
    vpclab up "$@" >/dev/null
    vpclab exec --detach db -- sh -c 'nc -lk 5432 >/dev/null'
    sleep 0.3
    vpclab exec web -- sh -c "head -c 300000 /dev/zero | nc -N -w 2 $db 5432"
    vpclab flows db --dst-port 5432 --since 1m --output json | jq '[.FlowLogs[].Records[].packets] | add'
    vpclab down >/dev/null
}

@test "exact: every packet of a large transfer counts" {
    lab_with_flow_log
    up && vpclab down >/dev/null
    [ "$(packets_of --exact)" -ge 34 ]
    rm "$XDG_DATA_HOME/vpclab/labs/default/flowlogs"/*
    [ "$(packets_of)" -lt 34 ] # the control: without it the kernel forwards several at once
}

@test "what VPC Block Public Access refuses is a REJECT at the interface, with its reason; addresses of S3 are called so" {
    lab_with_flow_log '${interface-id} ${pkt-srcaddr} ${pkt-dstaddr} ${dstport} ${flow-direction} ${action} ${reject-reason} ${pkt-src-aws-service} ${pkt-dst-aws-service} ${packets} ${bytes}'
    up
    public=$(of_instance web PublicIpAddress)
    refused web 52.216.1.1 443 # nobody listens there: a RST
    has "^$(eni web) +$web +52.216.1.1 +443 +egress +ACCEPT +- +- +S3 +[0-9]+ +[0-9]+ +-\$"
    has "^$(eni web) +52.216.1.1 +$web +[0-9]+ +ingress +ACCEPT +- +S3 +- +[0-9]+ +[0-9]+ +-\$"
    vpclab ec2 modify-vpc-block-public-access-options --internet-gateway-block-mode block-bidirectional >/dev/null
    refused web 52.216.1.1 444
    vpclab ec2 authorize-security-group-ingress --group-id default --protocol tcp --port 81-82 --cidr 0.0.0.0/0 >/dev/null
    refused internet "$public" 81
    refused internet "$public" 83
    has "^$(eni web) +$web +52.216.1.1 +444 +egress +REJECT +BPA +- +S3 +[0-9]+ +- +block-public-access:egress\$"
    has "^$(eni web) +8.8.8.8 +$web +81 +ingress +REJECT +BPA +- +- +[0-9]+ +- +block-public-access:ingress\$"
    has "^$(eni web) +8.8.8.8 +$web +83 +ingress +REJECT +- +- +- +[0-9]+ +[0-9]+ +sg-[0-9a-f]+:ingress:none\$"
    vpclab verify >/dev/null
    vpclab ec2 modify-vpc-block-public-access-options --internet-gateway-block-mode off >/dev/null
    vpclab exec web -- ping -c 1 -W 1 52.216.1.1 >/dev/null
}

# A flow of the log before that goes on is counted from where the new log begins.
@test "a log made anew counts from nothing" {
    lab_with_flow_log '${interface-id} ${srcport} ${dstport} ${packets} ${flow-direction}'
    up
    send() {
        vpclab exec web -- python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', 4000))
for i in range($1):
    s.sendto(b'x', ('$db', 9))"
    }
    send 3
    has "^$(eni web) +4000 +9 +3 +egress" web --dst-port 9
    vpclab ec2 delete-flow-logs --flow-log-ids "$log" >/dev/null
    send 2
    log=$(vpclab ec2 create-flow-logs --resource-type VPC --resource-ids "$vpc" --traffic-type ALL --log-destination-type s3 \
        --log-destination arn:aws:s3:::b --log-format '${interface-id} ${dstport} ${packets} ${flow-direction}' --query 'FlowLogIds[0]' -o text)
    send 5
    has "^$(eni web) +9 +5 +egress" web --dst-port 9 --flow-log-id "$log"
}

# sum SELECTOR: packets, and packets that SKIPDATA records say were lost, of those flows.
sum() { vpclab flows --output json | jq "[.FlowLogs[].Records[] | select($1)] | map(.packets | numbers) | add // 0"; }

@test "at full load every packet of every flow is in the records, at both ends, or SKIPDATA says how many are not" {
    lab_with_flow_log '${interface-id} ${dstport} ${protocol} ${packets} ${flow-direction} ${action} ${log-status}'
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol udp --port 0-65535 --cidr 172.31.0.0/16 >/dev/null
    up
    local sent lost
    # as fast as they go, 20,000 flows: the kernel's tables grow while they are read
    vpclab exec web -- python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(60000):
    s.sendto(b'x' * 18, ('$db', 1 + i % 20000))"
    sent=$(vpclab exec web -- cat /proc/net/snmp | awk '/^Udp: [0-9]/ { print $5 }')
    [ "$sent" -ge 60000 ]
    lost=$(vpclab flows --log-status SKIPDATA | grep -oE "[0-9]+ packets? lost" | awk '{ n += $1 } END { print n + 0 }')
    [ $(($(sum "(.\"flow-direction\") == \"egress\" and .protocol == 17") + lost)) -ge "$sent" ]
    [ "$(sum "(.\"flow-direction\") == \"egress\" and .protocol == 17")" -le "$sent" ]
    [ $(($(sum "(.\"flow-direction\") == \"ingress\" and .protocol == 17 and .action == \"ACCEPT\"") + lost)) -ge "$sent" ]
}

@test "a stateless ACL: the request is accepted, the answer rejected; three logs see it, each in its own way" {
    lab_with_flow_log '${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${flow-direction} ${action}'
    # db in a subnet of its own, whose ACL lets everything in and no answer out
    local other acl far
    other=$(vpclab ec2 describe-subnets --query 'Subnets[1].SubnetId' -o text)
    subnet=$other run_instance far --security-group-ids "$group"
    far=$(address far)
    acl=$(vpclab ec2 create-network-acl --vpc-id "$vpc" --query NetworkAcl.NetworkAclId -o text)
    vpclab ec2 create-network-acl-entry --network-acl-id "$acl" --rule-number 100 --protocol -1 --cidr-block 0.0.0.0/0 --rule-action allow --ingress >/dev/null
    vpclab ec2 create-network-acl-entry --network-acl-id "$acl" --rule-number 90 --protocol 6 --port-range From=1024,To=65535 --cidr-block 0.0.0.0/0 --rule-action deny --egress >/dev/null
    vpclab ec2 replace-network-acl-association --network-acl-id "$acl" --association-id "$(vpclab ec2 describe-network-acls -o json |
        jq -r ".NetworkAcls[].Associations[] | select(.SubnetId == \"$other\").NetworkAclAssociationId")" >/dev/null
    of_subnet=$(vpclab ec2 create-flow-logs --resource-type Subnet --resource-ids "$other" --traffic-type REJECT --log-destination-type s3 \
        --log-destination arn:aws:s3:::b --max-aggregation-interval 60 --query 'FlowLogIds[0]' -o text)
    of_eni=$(vpclab ec2 create-flow-logs --resource-type NetworkInterface --resource-ids "$(eni far)" --traffic-type ACCEPT --log-destination-type s3 \
        --log-destination arn:aws:s3:::b --log-format '${dstport} ${action}' --query 'FlowLogIds[0]' -o text)
    up
    listen far 5432
    refused web "$far" 5432
    has "^$(eni far) +$web +$far +[0-9]+ +5432 +ingress +ACCEPT +-\$" far --flow-log-id "$log"
    has "^$(eni far) +$far +$web +5432 +[0-9]+ +egress +REJECT +$acl:egress:90\$" far --flow-log-id "$log"
    has_not "$far +$web +5432" web --flow-log-id "$log" # it never got there
    has "^2 +123456789012 +$(eni far) +$far +$web +5432 .* REJECT +OK +$acl:egress:90\$" --flow-log-id "$of_subnet"
    has_not ACCEPT --flow-log-id "$of_subnet"
    has "^5432 +ACCEPT" --flow-log-id "$of_eni"
    has_not REJECT --flow-log-id "$of_eni"
    # the control: without the entry, and with one that allows, the answer comes
    vpclab ec2 replace-network-acl-entry --network-acl-id "$acl" --rule-number 90 --protocol 6 --port-range From=1024,To=65535 --cidr-block 0.0.0.0/0 --rule-action allow --egress >/dev/null
    knock web "$far" 5432
    has "^$(eni web) +$far +$web +5432 +[0-9]+ +ingress +ACCEPT" web --flow-log-id "$log"
}

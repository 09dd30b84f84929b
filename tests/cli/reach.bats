#!/usr/bin/env bats
# `vpclab reach` as a person meets it: the lab of tests/reach/lab, the verdict, the obstacle, the mend.
load helper

with_lab() { vpclab import aws tests/reach/lab >/dev/null; }

# asks STATUS TEXT WORDS...: `vpclab reach WORDS` ends so and says TEXT.
asks() {
    local want=$1 text=$2 status=0
    shift 2
    vpclab reach "$@" >"$DIR/out" 2>"$DIR/err" || status=$?
    if [ "$status" != "$want" ] || ! grep -qF -- "$text" "$DIR/out" "$DIR/err"; then
        printf 'reach %s\nstatus %s, expected %s and: %s\n' "$*" "$status" "$want" "$text"
        cat "$DIR/out" "$DIR/err"
        return 1
    fi
}

@test "the first line is the verdict" {
    with_lab
    asks 0 "REACHABLE  web -> app  tcp/8080  9 hops" web app --port 8080
    asks 1 "BLOCKED  web -> app  tcp/80  ENI_SG_RULES_MISMATCH" web app --port 80
    asks 1 "BLOCKED  app -> db  tcp/5432  SUBNET_ACL_RESTRICTION  (it arrives, the answer does not come back)" app db --port 5432 --source-port 80
    asks 0 "REACHABLE  app -> db  icmp 8/0  9 hops, but the answer is lost  SUBNET_ACL_RESTRICTION" app db --protocol icmp
    asks 1 "UNKNOWN  app -> 172.16.0.1  tcp/80  UNKNOWN_RESOURCE" app 172.16.0.1 --port 80
    asks 0 "REACHABLE  internet -> web  tcp/443" internet web --port 443 --ipv6
    asks 0 "REACHABLE  web -> app  tcp/8080" web app # any port that gets through
}

@test "the hops name the deciding rules" {
    with_lab
    asks 0 ": tcp 8080 from sg-web (web)" web app --port 8080
    asks 0 "10.0.0.0/16 -> local" web app --port 8080
    asks 0 "in: rule 100 allows tcp 5432 from 10.0.1.0/24" app db --port 5432
    asks 0 "source 10.0.1.10 becomes 10.0.0.5" app internet --port 443
    asks 1 "not  tcp 9000 from sg-app (app)  other port" web app --port 80
    asks 1 "because: route table rtb-app has no route to 2001:4860:4860::8888" app internet --port 443 --ipv6
}

@test "the hint, typed in, mends it" {
    with_lab
    local question hint
    for question in "web app --port 80" "app2 db --port 5432" "internet web --port 80" "app internet --port 443 --ipv6" \
        "app db --port 5432 --source-port 1023" "app db --protocol icmp --icmp-type 13"; do
        # shellcheck disable=SC2086
        vpclab reach $question >"$DIR/out" && { echo "$question passes already"; return 1; }
        while hint=$(sed -n 's/^hint: //p' "$DIR/out") && [ -n "$hint" ]; do
            eval "vpclab $hint" >/dev/null || { cat "$DIR/out"; return 1; }
            # shellcheck disable=SC2086
            vpclab reach $question >"$DIR/out" && break
        done
        # shellcheck disable=SC2086
        asks 0 REACHABLE $question
    done
}

@test "--all lists every obstacle there and back; all hints together mend it" {
    with_lab
    asks 1 "3 obstacles" web db --port 80 --all
    asks 1 "3  SUBNET_ACL_RESTRICTION  on the way back, network ACL acl-db" web db --port 80 --all
    vpclab reach web db --port 80 --all -o json >"$DIR/json" || [ $? = 1 ]
    [ "$(jq -c '[.NetworkInsightsAnalyses[0].Explanations[].ExplanationCode]' "$DIR/json")" = \
        '["SUBNET_ACL_RESTRICTION","ENI_SG_RULES_MISMATCH","SUBNET_ACL_RESTRICTION"]' ]
    [ "$(jq -c '[.NetworkInsightsAnalyses[0].ForwardPathComponents[] | select(.Explanations) | .Component.Id]' "$DIR/json")" = '["acl-db","sg-db"]' ]
    [ "$(members .)" = "NetworkInsightsAnalyses " ]
    vpclab reach web db --port 80 --all | sed -n 's/^ *hint: //p' >"$DIR/hints" || true
    [ "$(wc -l <"$DIR/hints")" = 3 ]
    local hint
    while read -r hint; do eval "vpclab $hint" >/dev/null; done <"$DIR/hints"
    asks 0 REACHABLE web db --port 80 --all
    asks 0 REACHABLE web db --port 80
    asks 1 "because: " web app --port 80 # without it one obstacle, as AWS shows
    asks 1 "1 obstacle" web app --port 80 --all
    asks 1 "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS  i-app (app) has no public address" internet app --port 22 --all
    asks 1 "ENI_SG_RULES_MISMATCH  no inbound rule of sg-app" internet app --port 22 --all
    asks 1 "NGW_SOURCE_ADDRESS_REASSIGN  on the way back" internet app --port 22 --all
}

# members FILTER: the keys of the objects that jq's FILTER gives from $DIR/json, sorted
members() { jq -r "$1 | keys[]" "$DIR/json" | sort -u | tr '\n' ' '; }

@test "JSON has the shape of AWS's analysis, and no other member" {
    with_lab
    vpclab reach web app --port 80 -o json >"$DIR/json" || [ $? = 1 ]
    [ "$(members .)" = "NetworkInsightsAnalyses " ]
    [ "$(members '.NetworkInsightsAnalyses[]')" = "Explanations ForwardPathComponents NetworkPathFound ReturnPathComponents StartDate Status " ]
    [ "$(members '.NetworkInsightsAnalyses[].Explanations[]')" = "Direction ExplanationCode NetworkInterface SecurityGroups Vpc " ]
    [ "$(jq -c '[.NetworkInsightsAnalyses[0].ForwardPathComponents[].Component.Id]' "$DIR/json")" = \
        '["i-web","eni-web","sg-web","acl-1","rtb-pub","acl-1","sg-app"]' ]
    [ "$(jq -r '.NetworkInsightsAnalyses[0].ForwardPathComponents[-1].Explanations[0].ExplanationCode' "$DIR/json")" = ENI_SG_RULES_MISMATCH ]
    [ "$(vpclab reach web app --port 80 --query 'NetworkInsightsAnalyses[0].NetworkPathFound')" = false ]
    [ "$(vpclab reach web app --port 80 --query Verdict.Why)" = '"sg-ingress"' ]
    vpclab reach web app --port 8080 -o json >"$DIR/json"
    [ "$(members '.NetworkInsightsAnalyses[].ForwardPathComponents[]')" = \
        "AclRule AttachedTo Component InboundHeader OutboundHeader RouteTableRoute SecurityGroupRule SequenceNumber Subnet Vpc " ]
}

@test "batch: one answer a line, and a bad line does not stop it" {
    with_lab
    {
        echo '{"from":{"instance":"i-web"},"to":{"instance":"i-app"},"protocol":"tcp","dstPort":8080}'
        echo '{"from":{"instance":"i-web"},"to":{"instance":"i-app"},"protocol":"tcp","dstPort":80}'
        echo '{"from":'
        echo '{"from":{"instance":"i-00000000"},"to":{"internet":true},"protocol":"tcp"}'
        echo '{"from":{"instance":"i-web"},"to":{"internet":true},"protocol":"tcp","dstPort":"x"}'
        echo '{"securityGroup":"sg-web","direction":"ingress","protocol":"tcp","srcIp":"1.2.3.4","dstPort":443}'
        echo '{"networkAcl":"acl-db","direction":"egress","protocol":"tcp","dstIp":"1.2.3.4","dstPort":443}'
        echo '{"table":"rtb-app","destination":"8.0.0.0/8"}'
    } >"$DIR/questions"
    vpclab reach --batch "$DIR/questions" >"$DIR/answers"
    diff - "$DIR/answers" <<'END'
{"verdict":"reachable","reply":"allowed","why":null,"codes":[],"path":["i-web","subnet-pub","vpc-1","subnet-app","i-app"],"arrives":{"srcIp":"10.0.0.10","dstIp":"10.0.1.10","protocol":"tcp","srcPort":40000,"dstPort":8080}}
{"verdict":"unreachable","reply":null,"why":"sg-ingress","codes":["ENI_SG_RULES_MISMATCH"],"path":["i-web","subnet-pub","vpc-1","subnet-app","i-app"],"arrives":{"srcIp":"10.0.0.10","dstIp":"10.0.1.10","protocol":"tcp","srcPort":40000,"dstPort":80}}
{"error":{"code":"InvalidQuestion","message":"the text ends, but nothing closes `{` of 1:1","line":3,"column":9}}
{"error":{"code":"InvalidInstanceID.NotFound","message":"the instance ID `i-00000000` does not exist","line":4}}
{"error":{"code":"InvalidQuestion","message":"`dstPort` must be a number from 0 to 65535","line":5,"where":"dstPort"}}
{"verdict":"permit"}
{"verdict":"deny"}
{"present":true,"via":"nat-1"}
END
    vpclab reach --batch <"$DIR/questions" | diff - "$DIR/answers"
    vpclab reach --batch - <"$DIR/questions" | diff - "$DIR/answers"
}

@test "a batch of any length needs the memory of one line" {
    [ -z "${SAN:-}" ] || skip "a sanitizer keeps what was freed"
    with_lab
    peak() {
        python3 -c 'import resource, subprocess, sys
subprocess.run([sys.argv[3], "reach", "--batch", sys.argv[1]], stdout=open(sys.argv[2], "w"), check=False)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$1" "$DIR/answers" "$VPCLAB"
    }
    echo '{"from":{"instance":"i-web"},"to":{"instance":"i-app"},"protocol":"tcp","dstPort":8080}' >"$DIR/one"
    for _ in $(seq 10); do cat "$DIR/one" "$DIR/one"; done >"$DIR/few"
    for _ in $(seq 1000); do cat "$DIR/few"; done >"$DIR/many"
    few=$(peak "$DIR/few")
    many=$(peak "$DIR/many")
    [ "$(wc -l <"$DIR/answers")" = 20000 ]
    [ $((many - few)) -lt 4096 ] || { echo "$few KB, then $many KB"; return 1; }
}

@test "questions that cannot be asked" {
    with_lab
    asks 2 "DESTINATION is missing" web
    asks 4 "did you mean \`app\`?" web ap --port 80
    asks 4 "\`sg-web\` sends and receives no packets" web sg-web --port 80
    asks 2 "only tcp and udp have ports" web app --protocol icmp --port 80
    asks 2 "is not a port" web app --port 70000
    asks 4 "has no IPv6 address" web db --port 80 --ipv6
    asks 5 "no-such-file" --batch "$DIR/no-such-file"
}

@test "a route through a peering that nobody accepted yet says how to accept it" {
    vpclab -q -f - <<'END' >/dev/null
a = ec2 create-vpc --cidr-block 10.1.0.0/16
b = ec2 create-vpc --cidr-block 10.2.0.0/16
here = ec2 create-subnet --vpc-id $a --cidr-block 10.1.1.0/24
there = ec2 create-subnet --vpc-id $b --cidr-block 10.2.1.0/24
from = ec2 create-network-interface --subnet-id $here --private-ip-address 10.1.1.10
to = ec2 create-network-interface --subnet-id $there --private-ip-address 10.2.1.10
peering = ec2 create-vpc-peering-connection --vpc-id $a --peer-vpc-id $b
table = ec2 create-route-table --vpc-id $a
ec2 associate-route-table --route-table-id $table --subnet-id $here
ec2 create-route --route-table-id $table --destination-cidr-block 10.2.0.0/16 --vpc-peering-connection-id $peering
END
    peering=$(vpclab ec2 describe-vpc-peering-connections --query 'VpcPeeringConnections[0].VpcPeeringConnectionId' -o text)
    asks 1 "leads to a peering connection that is pending-acceptance" 10.1.1.10 10.2.1.10 --port 22
    asks 1 "hint: ec2 accept-vpc-peering-connection --vpc-peering-connection-id $peering" 10.1.1.10 10.2.1.10 --port 22
    vpclab ec2 delete-vpc-peering-connection --vpc-peering-connection-id "$peering" >/dev/null
    asks 1 "leads to something that is gone" 10.1.1.10 10.2.1.10 --port 22
    asks 1 "hint: ec2 delete-route --route-table-id rtb-" 10.1.1.10 10.2.1.10 --port 22
}

# two VPCs in two regions, a peering between them, and no route and no rule for it
far_peers() {
    vpclab -q -f - <<'END' >/dev/null
a = ec2 create-vpc --cidr-block 10.1.0.0/16
b = ec2 create-vpc --cidr-block 10.2.0.0/16 --region us-west-2
here = ec2 create-subnet --vpc-id $a --cidr-block 10.1.1.0/24
there = ec2 create-subnet --vpc-id $b --cidr-block 10.2.1.0/24 --region us-west-2
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id $here --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=near}]
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id $there --region us-west-2 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=far}]
peering = ec2 create-vpc-peering-connection --vpc-id $a --peer-vpc-id $b --peer-region us-west-2
ec2 accept-vpc-peering-connection --vpc-peering-connection-id $peering --region us-west-2
END
}

@test "a name in another region is found, and the hints for what is there say so" {
    far_peers
    asks 1 "near -> far  tcp/22" near far tcp/22
    wrong 4 "no vpc has the id or name" vpclab ec2 create-subnet --vpc-id far --cidr-block 10.1.2.0/24
    vpclab reach near far tcp/22 --all >"$DIR/out" || true
    grep -q -- "--vpc-peering-connection-id pcx-[0-9a-f]*$" "$DIR/out"
    grep -q -- "--destination-cidr-block 10.1.0.0/16 .*--region us-west-2$" "$DIR/out"
    sed -n 's/^ *hint: //p' "$DIR/out" >"$DIR/mends"
    [ "$(wc -l <"$DIR/mends")" = 3 ]
    vpclab -f "$DIR/mends" >/dev/null
    asks 0 REACHABLE near far tcp/22
}

@test "hints at a transit gateway: a subnet for the zone, a route in its table" {
    vpclab -q -f - <<'END' >/dev/null
a = ec2 create-vpc --cidr-block 10.1.0.0/16
b = ec2 create-vpc --cidr-block 10.2.0.0/16
a1 = ec2 create-subnet --vpc-id $a --cidr-block 10.1.1.0/24 --availability-zone us-east-1a
a2 = ec2 create-subnet --vpc-id $a --cidr-block 10.1.2.0/24 --availability-zone us-east-1b
b1 = ec2 create-subnet --vpc-id $b --cidr-block 10.2.1.0/24 --availability-zone us-east-1a
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id $a2 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=from}]
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id $b1 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=to}]
tgw = ec2 create-transit-gateway --options DefaultRouteTablePropagation=disable
ec2 create-transit-gateway-vpc-attachment --transit-gateway-id $tgw --vpc-id $a --subnet-ids $a1
ec2 create-transit-gateway-vpc-attachment --transit-gateway-id $tgw --vpc-id $b --subnet-ids $b1
END
    for ((i = 0; i < 8; i++)); do
        vpclab reach from to tcp/443 >"$DIR/out" || true
        grep -q '^hint: ' "$DIR/out" || break
        sed -n 's/^hint: //p' "$DIR/out" >>"$DIR/mends"
        tail -n1 "$DIR/mends" | vpclab -q >/dev/null
    done
    [ "$i" = 6 ] || { cat "$DIR/mends" "$DIR/out"; return 1; }
    grep -q -- "ec2 modify-transit-gateway-vpc-attachment .* --add-subnet-ids subnet-" "$DIR/mends"
    [ "$(grep -c -- "ec2 create-transit-gateway-route " "$DIR/mends")" = 2 ]
    [ "$(grep -c -- "ec2 create-route " "$DIR/mends")" = 2 ]
}

@test "two transit gateways, peered across regions: hints alone make the way, and peerings join the default tables" {
    vpclab -q -f - <<'END' >/dev/null
a = ec2 create-vpc --cidr-block 10.1.0.0/16
b = ec2 create-vpc --cidr-block 10.2.0.0/16 --region us-west-2
a1 = ec2 create-subnet --vpc-id $a --cidr-block 10.1.1.0/24 --availability-zone us-east-1a
b1 = ec2 create-subnet --vpc-id $b --cidr-block 10.2.1.0/24 --availability-zone us-west-2a --region us-west-2
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id $a1 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=from}]
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id $b1 --region us-west-2 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=to}]
east = ec2 create-transit-gateway
west = ec2 create-transit-gateway --region us-west-2
ec2 create-transit-gateway-vpc-attachment --transit-gateway-id $east --vpc-id $a --subnet-ids $a1
ec2 create-transit-gateway-vpc-attachment --transit-gateway-id $west --vpc-id $b --subnet-ids $b1 --region us-west-2
peering = ec2 create-transit-gateway-peering-attachment --transit-gateway-id $east --peer-transit-gateway-id $west --peer-account-id 123456789012 --peer-region us-west-2
ec2 accept-transit-gateway-peering-attachment --transit-gateway-attachment-id $peering --region us-west-2
END
    for ((i = 0; i < 8; i++)); do
        vpclab reach from to tcp/443 >"$DIR/out" || true
        grep -q '^hint: ' "$DIR/out" || break
        sed -n 's/^hint: //p' "$DIR/out" >>"$DIR/mends"
        tail -n1 "$DIR/mends" | vpclab -q >/dev/null
    done
    grep -q '^REACHABLE  from -> to  tcp/443  [0-9]* hops$' "$DIR/out" || { cat "$DIR/mends" "$DIR/out"; return 1; }
    [ "$(grep -c -- "create-transit-gateway-route .*--transit-gateway-attachment-id tgw-attach-" "$DIR/mends")" = 2 ]
    [ "$(grep -c -- "--region us-west-2$" "$DIR/mends")" = 3 ]
}

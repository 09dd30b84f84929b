#!/usr/bin/env bats
# shellcheck disable=SC2016
# `connectivity` and what is built on it, as a person meets them: the lab of tests/reach/lab.
load helper

with_lab() { vpclab import aws tests/reach/lab >/dev/null; }

# row TEXT WORDS...: the answer has this line, blanks apart.
row() {
    local line=$1
    shift
    vpclab "$@" 2>&1 | tr -s ' ' >"$DIR/out"
    grep -qxF -- "$line" "$DIR/out" || { echo "no line: $line"; cat "$DIR/out"; return 1; }
}

@test "connectivity says what passes, and exposed what the world can open" {
    with_lab
    row "web app, app2 tcp/8080" connectivity
    row "app db tcp/5432 icmp/8" connectivity --from app --to db
    row "app db tcp/5432 icmp/8" who-can-reach db
    row "app2 db icmp/8" who-can-reach 10.0.2.10
    row "app app2 tcp/9000" can-reach app
    row "internet web tcp/443 icmp/8" exposed
    row "198.18.0.0/24+198.18.7.0/24 web tcp/22,443 icmp/8" exposed
    row "internet web tcp/443 (IPv6)" exposed
    row "nothing passes" connectivity --from db --to web
    [ "$(vpclab connectivity --from web --to db | grep -c tcp)" = 0 ]
}

@test "gateways, balancers, endpoints and networks on premises are ends" {
    vpclab import aws tests/reach/routers >/dev/null
    row "i-app near, alb tcp/80" connectivity --from i-app --to 10.2.1.0/26
    row "alb i-app tcp/8080" can-reach alb
    row "alb i-app tcp/8080" connectivity --to app
    row "i-a vpce-11 tcp/443" who-can-reach vpce-11
    row "i-a s3 via vpce-22 tcp icmp/0,8" can-reach i-a
    row "i-a2 s3 via vpce-22 tcp icmp/0,8" who-can-reach vpce-22
    row "192.168.0.0/24 via vpn-11 near, alb tcp/80" connectivity --from onprem
    row "192.168.0.0/24 via vpn-22 i-a tcp/22" can-reach vpn-22
    row "i-a 192.168.0.0/24 via vpn-22 all" who-can-reach 192.168.0.7
    row "i-a2 alb tcp/80" who-can-reach alb
    says "nothing passes" vpclab connectivity --from onprem --to i-app
    [ "$(vpclab can-reach vpn-22 -o json --query 'Groups[?Gateway==`vpn-22`].Cidrs[] | [0]')" = '"192.168.0.0/24"' ]
    wrong 4 "no interface has the address" vpclab who-can-reach 10.99.0.0/24
}

@test "a secondary address that fares otherwise is an end of its own" {
    with_lab
    row "app web, web 10.0.0.11 tcp/443 icmp/8" connectivity --from app --to web
    row "internet web tcp/443 icmp/8" who-can-reach web
    [ "$(vpclab who-can-reach web | grep -c 'internet.*10.0.0.11')" = 0 ]
}

@test "an answer that is lost is said" {
    with_lab
    row "eni-free internet, 192.0.2.0/24+192.0.2.0/25+198.51.100.0/24, 198.18.0.0/24+198.18.7.0/24 udp icmp other; no answer: tcp" connectivity --from eni-free --to internet
}

@test "JSON has the exact sets" {
    with_lab
    [ "$(vpclab who-can-reach db -o json --query 'Flows[0].Arrives[?Protocols[0]==`6`] | [0].DestinationPorts' | tr -d ' \n')" = "[5432,5432]" ]
    [ "$(vpclab who-can-reach db -o json --query 'Flows[0].Answered[?Protocols[0]==`6`] | [0].SourcePorts' | tr -d ' \n')" = "[1024,65535]" ]
}

@test "graphs" {
    with_lab
    vpclab connectivity --from web --to app --graph dot >"$DIR/dot"
    grep -qxF '    "web" -> "app" [label="tcp/8080"];' "$DIR/dot"
    vpclab connectivity --from web --to app --graph mermaid | grep -qE '^    n[0-9]+ -->\|"tcp/8080"\| n[0-9]+$'
    vpclab connectivity --from app --to db --graph svg >"$DIR/svg"
    python3 -c 'import sys, xml.dom.minidom; print([t.firstChild.data for t in xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("text")])' \
        "$DIR/svg" >"$DIR/out"
    grep -qxF "['tcp/5432 icmp/8', 'app', 'db']" "$DIR/out" || { cat "$DIR/out"; return 1; }
}

@test "what names no end is refused" {
    wrong 4 "nothing" vpclab who-can-reach nothing
    wrong 4 "no interface has the address" vpclab can-reach 10.99.0.1
    wrong 2 "png" vpclab connectivity --graph png
}

@test "assert: what holds, and the path or obstacle of what does not" {
    with_lab
    says "4 of 4 statements hold" vpclab assert 'app reaches db tcp/5432' 'web does not reach db' 'no path from db to web tcp' 'web reaches app'
    says "1 of 1 statement hold" vpclab assert app reaches db tcp/5432 icmp/8
    local status=0
    vpclab assert 'internet reaches only web tcp/443 icmp/8' >"$DIR/out" || status=$?
    [ "$status" = 1 ]
    grep -qF "tcp/22: it arrives" "$DIR/out"
    grep -qE "igw-1 +destination 203.0.113.10 becomes 10.0.0.10" "$DIR/out"
    says "hold" vpclab assert '198.18.7.1 reaches only web tcp/443,22 icmp/8' 'internet reaches web icmp/8'
    status=0 # tcp/22 is for some of the internet only
    vpclab assert 'internet reaches web tcp/443,22' >"$DIR/out" || status=$?
    [ "$status" = 1 ]
    grep -qF -- "--port 22 --cidr 0.0.0.0/0" "$DIR/out"
    status=0
    vpclab assert 'web reaches app tcp/80' >"$DIR/out" || status=$?
    [ "$status" = 1 ]
    grep -qF "because: no inbound rule of sg-app (app) lets tcp/80 in" "$DIR/out"
    status=0
    vpclab assert 'app2 reaches db tcp/5432' 'no path from web to app' -o json --query 'Results[].Says' >"$DIR/out" || status=$?
    [ "$status" = 1 ]
    [ "$(grep -c "it does not arrive\|it arrives" "$DIR/out")" = 2 ]
}

@test "assert: balancers and what lies on premises" {
    vpclab import aws tests/reach/routers >/dev/null
    says "3 of 3 statements hold" vpclab assert 'onprem does not reach i-app' 'i-app reaches alb tcp/80' 'vpn-22 reaches i-a tcp/22'
    local status=0
    vpclab assert 'onprem reaches i-b tcp/22' 'onprem reaches i-app' >"$DIR/out" || status=$?
    [ "$status" = 1 ]
    grep -qF "vpn-22" "$DIR/out"
    wrong 4 '`onprem` is what lies behind' vpclab --lab other assert 'onprem reaches 10.0.0.1'
}

@test "assert: a file, and what is no statement" {
    with_lab
    printf '# rules\napp reaches db tcp/5432  # the database\n\nno path from web to db\n' >"$DIR/rules"
    says "2 of 2 statements hold" vpclab assert --file "$DIR/rules"
    wrong 2 '`app talks to db` is not a statement: `talks` stands where `does` or `reaches` is expected' vpclab assert 'app talks to db'
    wrong 2 'it ends where `to` is expected' vpclab assert 'no path from app'
    wrong 2 '`tho` stands where `to` is expected' vpclab assert 'no path from app tho db'
    wrong 2 'it ends where `NAME` is expected' vpclab assert 'app does not reach'
    wrong 2 '`tcp/x` names no packets' vpclab assert 'app reaches db tcp/x'
    printf 'app reaches db tcp/5432\napp reach db\n' >"$DIR/rules"
    wrong 2 "rules:2" vpclab assert --file "$DIR/rules"
    wrong 2 "needs a statement" vpclab assert
}

@test "assert is a function of scenarios" {
    with_lab
    cat >"$DIR/s.lua" <<'LUA'
local r = lab.assert{statements={"no path from nobody to web"}}
LUA
    cat >"$DIR/t.lua" <<'LUA'
local vpc = ec2.describe_vpcs().Vpcs[1].VpcId
local subnet = ec2.describe_subnets().Subnets[1].SubnetId
for _, name in ipairs{"a", "b"} do
    ec2.run_instances{ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnet,
        TagSpecifications={{ResourceType="instance", Tags={{Key="Name", Value=name}}}}}
end
print(lab.assert{statements={"a reaches b tcp/22"}}.Results[1].Holds)
print(lab.assert{statements={"no path from a to b"}}.Results[1].Holds)
LUA
    vpclab run "$DIR/t.lua" >"$DIR/out" 2>"$DIR/err" || { cat "$DIR/out" "$DIR/err"; return 1; }
    [ "$(cat "$DIR/out")" = "true
false" ]
    wrong 4 "nobody" vpclab run "$DIR/s.lua"
}

@test "plan shows what a command would change, and changes nothing" {
    with_lab
    state >"$DIR/before"
    row "+ internet -> web tcp/80" plan ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 0.0.0.0/0
    row "- internet -> web tcp/443 icmp/8" plan 'ec2 stop-instances --instance-ids web'
    says "no flow is gained or lost" vpclab plan ec2 create-tags --resources web --tags Key=a,Value=b
    state >"$DIR/after"
    cmp "$DIR/before" "$DIR/after"
    wrong 2 "changes nothing that" vpclab plan ec2 describe-vpcs
    wrong 4 "InvalidGroup.NotFound" vpclab plan ec2 delete-security-group --group-id sg-0123456789abcdef0
}

@test "diff: two labs, two dumps" {
    with_lab
    vpclab --lab other import aws tests/reach/lab >/dev/null
    says "no flow is gained or lost" vpclab diff default other
    says "no flow is gained or lost" vpclab diff tests/reach/lab "$XDG_DATA_HOME/vpclab/labs/other"
    vpclab --lab other ec2 revoke-security-group-ingress --group-id app --protocol tcp --port 8080 --source-group sg-web >/dev/null
    vpclab --lab other ec2 authorize-security-group-ingress --group-id app --protocol tcp --port 81-82 --source-group sg-web >/dev/null
    local status=0
    vpclab diff tests/reach/lab other | tr -s ' ' >"$DIR/out" || status=$?
    grep -qxF -- "- web -> app tcp/8080" "$DIR/out"
    grep -qxF -- "+ web -> app tcp/81-82" "$DIR/out"
    wrong 2 "neither a lab nor a directory" vpclab diff default nowhere
}

#!/usr/bin/env bats
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
    ! vpclab connectivity --from web --to db | grep -q tcp
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
}

@test "what names no end is refused" {
    wrong 4 "nothing" vpclab who-can-reach nothing
    wrong 4 "no interface has the address" vpclab can-reach 10.99.0.1
    wrong 2 "svg" vpclab connectivity --graph svg
}

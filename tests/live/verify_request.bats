#!/usr/bin/env bats
# `verify FROM BALANCER --request`: one HTTP request through the live lab and through analysis.  How random ones that differ are made small: tests/unit/test_shrink_request.c.
load ../cli/helper
load services

# What is reset inside the target analysis cannot know: so the two must differ.
@test "an HTTP request is put to both judges: rules, redirects, each target, and a fault shows" {
    setup_lab
    open_group web 80
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    two=$(run_instance two b --private-ip-address 10.0.2.12 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 >/dev/null
    vpclab elbv2 create-load-balancer --name door --scheme internal --subnets a b --security-groups web >/dev/null
    vpclab elbv2 create-target-group --name web --protocol HTTP --port 80 --vpc-id main >/dev/null
    targets web "$one" "$two"
    vpclab elbv2 create-listener --load-balancer-arn door --protocol HTTP --port 80 --default-actions Type=forward,TargetGroupArn=web \
        --query 'Listeners[0].ListenerArn' --output text >"$DIR/listener"
    vpclab elbv2 create-rule --listener-arn "$(cat "$DIR/listener")" --priority 7 --conditions Field=path-pattern,Values=/old/* \
        --actions 'Type=redirect,RedirectConfig={Protocol=HTTPS,StatusCode=HTTP_301}' >/dev/null
    wrong 4 "is not live" vpclab verify client door --request 'GET /'
    up
    vpclab verify client door --request 'GET /x?a=1' --headers 'Host: shop.example.com' 'X-Tier: gold' >"$DIR/said"
    cat "$DIR/said"
    grep -qE "^  analysis: the listener itself of door port 80 forwards it to $one port 80 or $two port 80, and tells of the client 10.0.1.10\$" "$DIR/said"
    grep -qE "^  kernel:   .*$one port 80 answered, told of the client 10.0.1.10, with cookies SESSION \([0-9]+ of 24\)" "$DIR/said"
    grep -q '^2 requests: analysis and kernel agree on 2, disagree on 0$' "$DIR/said" # one for each node
    vpclab verify client door --request 'GET /old/x' --headers 'Host: www.example' >"$DIR/said"
    grep -q '^  analysis: rule 7 of door port 80 redirects it (301) to https://www.example:80/old/x$' "$DIR/said"
    grep -q '^  kernel:   the balancer answered 301 to https://www.example:80/old/x$' "$DIR/said"
    wrong 4 "the balancer has no listener at that port" vpclab verify client door --port 81 --request 'GET /'
    wrong 4 'it has no node with listeners' vpclab verify client one --request 'GET /'
    wrong 2 "who sends the request" vpclab verify --request 'GET /'
    wrong 2 'is not a method and a path' vpclab verify client door --request 'get /'
    wrong 2 'is not a method and a path' vpclab verify client door --request ''
    wrong 2 'is not a field' vpclab verify client door --request 'GET /' --headers x
    wrong 2 "is the sender's own affair" vpclab verify client door --request 'GET /' --headers 'Connection: close'
    wrong 2 'fields belong to an HTTP request' vpclab verify client door --headers 'a: b'
    wrong 2 'goes by TCP' vpclab verify client door --request 'GET /' --protocol udp
    vpclab exec one -- nft 'add table inet t { chain c { type filter hook input priority 0; tcp dport 80 reject with tcp reset; }; }'
    vpclab exec two -- nft 'add table inet t { chain c { type filter hook input priority 0; tcp dport 80 reject with tcp reset; }; }'
    ! vpclab verify client door --request 'GET /' >"$DIR/said"
    cat "$DIR/said"
    grep -q '^DISAGREE client -> .*: no target answered, but the balancer$' "$DIR/said"
    grep -q '^  kernel:   the balancer answered 502 (24 of 24)$' "$DIR/said"
}

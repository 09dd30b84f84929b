#!/usr/bin/env bats
# Application balancers: by the rules to healthy targets, which are told whom they serve.
load ../cli/helper
load services

@test "application balancer: requests go by rule to healthy targets, which are told whom they serve" {
    setup_lab
    open_group door 80
    vpclab ec2 create-security-group --group-name web --description x --vpc-id main >/dev/null
    door=$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=door --query 'SecurityGroups[0].GroupId' --output text)
    one=$(run_instance one a --security-group-ids web)
    two=$(run_instance two b --security-group-ids web)
    api=$(run_instance api b --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10
    vpclab elbv2 create-load-balancer --name app --type application --scheme internal --subnets a b --security-groups "$door" >/dev/null
    for group in web api; do
        vpclab elbv2 create-target-group --name $group --protocol HTTP --port 8080 --vpc-id main >/dev/null
    done
    targets web "$one" "$two"
    targets api "$api"
    listener=$(vpclab elbv2 create-listener --load-balancer-arn app --protocol HTTP --port 80 --default-actions Type=forward,TargetGroupArn=web \
        --query 'Listeners[0].ListenerArn' --output text)
    rule() { # PRIORITY CONDITIONS ACTION
        vpclab elbv2 create-rule --listener-arn "$listener" --priority "$1" --conditions "$2" --actions "$3" >/dev/null
    }
    apis=$(vpclab elbv2 describe-target-groups --names api --query 'TargetGroups[0].TargetGroupArn' --output text)
    rule 10 'Field=path-pattern,Values=/api/*' "Type=forward,TargetGroupArn=$apis"
    rule 20 'Field=host-header,Values=old.example' 'Type=redirect,RedirectConfig={Host=new.example,StatusCode=HTTP_301}'
    rule 30 'Field=path-pattern,Values=/teapot' 'Type=fixed-response,FixedResponseConfig={StatusCode=418,MessageBody=short,ContentType=text/plain}'
    up
    for name in one two api; do serve $name $name 8080; done
    url=http://$(node app a)
    # Targets take what the balancer's group sends, and nothing before.
    [ "$(health web "unhealthy	unhealthy")" = "unhealthy unhealthy" ]
    reasons() { # WANTED: each once
        for _ in $(seq 100); do
            said=$(vpclab elbv2 describe-target-health --target-group-arn web --query 'TargetHealthDescriptions[].TargetHealth.[Reason,Description]' --output text | sort -u)
            [ "$said" = "$1" ] && return
            sleep 0.2
        done
        echo "said $said"
        return 1
    }
    reasons "Target.Timeout	Request timed out"
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 8080 --source-group "$door" >/dev/null
    [ "$(health web "healthy	healthy")" = "healthy healthy" ]
    vpclab elbv2 modify-target-group --target-group-arn web --matcher HttpCode=204 --healthy-threshold-count 2 >/dev/null
    reasons "Target.ResponseCodeMismatch	Health checks failed with these codes: [200]"
    vpclab elbv2 modify-target-group --target-group-arn web --matcher HttpCode=200-204 >/dev/null
    [ "$(health web "healthy	healthy")" = "healthy healthy" ]
    [ "$(pages client "$url/" 6)" = "one two" ]
    # Seen: the node; told: the client, after whoever was named before, and the host that was asked for.
    read -r _ seen told host path body < <(get client "$url/x?y=1" -H 'X-Forwarded-For: 192.0.2.7' -H 'Host: shop.example')
    [[ "$seen" == "$(node app a)" && "$told" == "192.0.2.7," && "$host" == 10.0.1.10 && "$path" == shop.example && "$body" == "/x?y=1 -" ]]
    [ "$(health api "healthy")" = healthy ]
    [ "$(get client "$url/api/v1" | cut -d' ' -f1)" = api ]
    [ "$(get client "$url/" -d "$(printf '%0100000d' 7)" | wc -c)" -gt 100000 ]
    [ "$(vpclab exec client -- curl -s -m 20 -o /dev/null -w '%{http_code} %{redirect_url}' -H 'Host: old.example' "$url/a?b=c")" = "301 http://new.example:80/a?b=c" ]
    [ "$(vpclab exec client -- curl -s -m 20 -w ' %{http_code}' "$url/teapot")" = "short 418" ]
    [ "$(code client "$url:81/")" = 000 ]
    # It ends connections: verify asks about the client's way to the node, and the node's to its targets.
    vpclab verify >"$DIR/report"
    grep -q "^client *$(interface "$(node app a)") .* tcp/80 | " "$DIR/report"
    for name in one two api; do grep -q "^$(interface "$(node app a)") *$name .* tcp/8080 | -" "$DIR/report"; done
    # One fails: the other has all.  Both: they are tried all the same, and refuse.
    vpclab exec one -- sh -c 'kill $(pgrep -f "[s]erve.py one")'
    [ "$(health web "unhealthy	healthy")" = "unhealthy healthy" ]
    [ "$(pages client "$url/" 6)" = two ]
    vpclab exec two -- sh -c 'kill $(pgrep -f "[s]erve.py two")'
    [ "$(code client "$url/")" = 502 ]
    vpclab elbv2 deregister-targets --target-group-arn web --targets "Id=$one" "Id=$two" >/dev/null
    [ "$(code client "$url/")" = 503 ]
    vpclab ec2 revoke-security-group-ingress --group-id door --protocol tcp --port 80 --cidr 0.0.0.0/0 >/dev/null
    [ "$(code client "$url/")" = 000 ]
}

@test "a network balancer before it sends to the node in its own zone" {
    setup_lab
    open_group door 80
    door=$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=door --query 'SecurityGroups[0].GroupId' --output text)
    run_instance client a
    vpclab elbv2 create-load-balancer --name app --type application --scheme internal --subnets a b --security-groups "$door" >/dev/null
    vpclab elbv2 create-listener --load-balancer-arn app --protocol HTTP --port 80 \
        --default-actions 'Type=fixed-response,FixedResponseConfig={StatusCode=418}' >/dev/null
    vpclab elbv2 create-load-balancer --name front --type network --scheme internal --subnets a b >/dev/null
    vpclab elbv2 create-target-group --name app --protocol TCP --port 80 --vpc-id main --target-type alb >/dev/null
    vpclab elbv2 register-targets --target-group-arn app \
        --targets "Id=$(vpclab elbv2 describe-load-balancers --names app --query 'LoadBalancers[0].LoadBalancerArn' --output text)" >/dev/null
    vpclab elbv2 create-listener --load-balancer-arn front --protocol TCP --port 80 --default-actions Type=forward,TargetGroupArn=app >/dev/null
    up
    answered() { # ZONE: 418, within many tries
        for _ in $(seq 20); do [ "$(code client "http://$(node front "$1")/")" = 418 ] && return; done
        return 1
    }
    answered a
    answered b
    vpclab verify client front --port 80 >"$DIR/said" || { cat "$DIR/said"; return 1; }
    cat "$DIR/said"
    grep -Eq 'agree on [1-9][0-9]*, disagree on 0$' "$DIR/said"
    vpclab elbv2 deregister-targets --target-group-arn app --targets "Id=$(vpclab elbv2 describe-load-balancers --names app --query 'LoadBalancers[0].LoadBalancerArn' --output text)" >/dev/null
    [ "$(code client "http://$(node front b)/")" = 000 ]
}

@test "a zone fails: its targets are unhealthy, its node leaves the balancer's name, the other zone answers" {
    setup_lab
    open_group door 80
    door=$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=door --query 'SecurityGroups[0].GroupId' --output text)
    one=$(run_instance one a --security-group-ids door)
    two=$(run_instance two b --security-group-ids door)
    run_instance client a --private-ip-address 10.0.1.10
    vpclab elbv2 create-load-balancer --name app --type application --scheme internal --subnets a b --security-groups "$door" >/dev/null
    vpclab elbv2 create-target-group --name web --protocol HTTP --port 80 --vpc-id main --healthy-threshold-count 2 >/dev/null
    targets web "$one" "$two"
    vpclab elbv2 create-listener --load-balancer-arn app --protocol HTTP --port 80 --default-actions Type=forward,TargetGroupArn=web >/dev/null
    vpclab -q serve one tcp/80
    vpclab -q serve two tcp/80
    up
    state() { vpclab elbv2 describe-target-health --target-group-arn web --targets "Id=$1" --query 'TargetHealthDescriptions[0].TargetHealth.State' --output text; }
    becomes() { for _ in $(seq 300); do [ "$(state "$1")" = "$2" ] && return; sleep 0.2; done; return 1; }
    becomes "$one" healthy
    becomes "$two" healthy
    name=$(vpclab elbv2 describe-load-balancers --names app --query 'LoadBalancers[0].DNSName' --output text)
    nodes() { vpclab exec client -- dig +short "$name" | sort | xargs; }
    both=$(printf '%s\n' "$(node app a)" "$(node app b)" | sort | xargs)
    [ "$(nodes)" = "$both" ]
    vpclab fail az us-east-1b >/dev/null
    [ "$(nodes)" = "$(node app a)" ]
    becomes "$two" unhealthy
    becomes "$one" healthy
    for _ in 1 2 3 4; do [ "$(code client "http://$name/")" = 200 ]; done
    vpclab restore all >/dev/null
    becomes "$two" healthy
    [ "$(nodes)" = "$both" ]
}

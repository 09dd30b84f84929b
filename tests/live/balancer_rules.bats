#!/usr/bin/env bats
# What rules and target groups of application balancers can say, each by real requests: conditions, actions, weights, stickiness; and of network ones.
load ../cli/helper
load services

lab_of_two() { # TYPE PROTOCOL: a balancer `lb` with groups `red` (one) and `blue` (two), a client
    setup_lab
    vpclab ec2 create-security-group --group-name all --description x --vpc-id main >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id all --protocol tcp --port 1-65535 --cidr 0.0.0.0/0 >/dev/null
    one=$(run_instance one a --security-group-ids all --private-ip-address 10.0.1.11)
    two=$(run_instance two b --security-group-ids all --private-ip-address 10.0.2.12)
    run_instance client a --private-ip-address 10.0.1.10 >/dev/null
    run_instance other b --private-ip-address 10.0.2.10 >/dev/null
    local groups=()
    [ "$1" = network ] || groups=(--security-groups "$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=all --query 'SecurityGroups[0].GroupId' --output text)")
    vpclab elbv2 create-load-balancer --name lb --type "$1" --scheme internal --subnets a b "${groups[@]}" >/dev/null
    for group in red blue; do
        vpclab elbv2 create-target-group --name $group --protocol "$2" --port 8080 --vpc-id main >/dev/null
    done
    targets red "$one"
    targets blue "$two"
    red=$(arn red) blue=$(arn blue)
}
arn() { vpclab elbv2 describe-target-groups --names "$1" --query 'TargetGroups[0].TargetGroupArn' --output text; }
listen() { # PROTOCOL ACTION
    listener=$(vpclab elbv2 create-listener --load-balancer-arn lb --protocol "$1" --port 80 --default-actions "$2" --query 'Listeners[0].ListenerArn' --output text)
}
start() {
    up
    for name in one two; do serve $name $name 8080; done
    [ "$(health red healthy)" = healthy ]
    [ "$(health blue healthy)" = healthy ]
    url=http://$(node lb a)
}
who() { # URL OPTION...: who answered
    get client "$@" | cut -d' ' -f1
}
weights() { # RED BLUE
    echo "[{\"Type\":\"forward\",\"ForwardConfig\":{\"TargetGroups\":[{\"TargetGroupArn\":\"$red\",\"Weight\":$1},{\"TargetGroupArn\":\"$blue\",\"Weight\":$2}]${3:-}}}]"
}

@test "rules: each condition lets what fits to the other group, and only that" {
    lab_of_two application HTTP
    listen HTTP "Type=forward,TargetGroupArn=$red"
    number=0
    rule() { # CONDITION: to the blue group
        number=$((number + 1))
        vpclab elbv2 create-rule --listener-arn "$listener" --priority $number --conditions "$1" --actions "Type=forward,TargetGroupArn=$blue" >/dev/null
    }
    rule '[{"Field":"host-header","HostHeaderConfig":{"Values":["*.blue.example"]}}]'
    rule '[{"Field":"path-pattern","PathPatternConfig":{"Values":["/b?ue/*"]}}]'
    rule '[{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"X-Colour","Values":["*blue*"]}}]'
    rule '[{"Field":"http-request-method","HttpRequestMethodConfig":{"Values":["DELETE","POST"]}},{"Field":"path-pattern","PathPatternConfig":{"Values":["/m"]}}]'
    rule '[{"Field":"query-string","QueryStringConfig":{"Values":[{"Key":"colour","Value":"bl*"},{"Value":"azure"}]}}]'
    rule '[{"Field":"source-ip","SourceIpConfig":{"Values":["10.0.2.10/32"]}}]'
    start
    blues() { for given in "$@"; do [ "$(eval "who $given")" = two ] || { echo "not two: $given"; return 1; }; done; }
    reds() { for given in "$@"; do [ "$(eval "who $given")" = one ] || { echo "not one: $given"; return 1; }; done; }
    blues "$url/ -H 'Host: a.BLUE.example:80'" "$url/blue/x" "$url/ -H 'x-colour: dark BLUE'" "$url/m -d x" "'$url/?a=1&Colour=BLACK'" "'$url/?z=azure'"
    wrong 4 'passes requests on, not bytes' vpclab load client lb:80
    reds "$url/" "$url/ -H 'Host: blue.example'" "$url/Blue/x" "$url/blue" "$url/ -H 'X-Colour: red'" "$url/m" "$url/n -d x" "'$url/?colour=red'" "'$url/?blue=colour'"
    [ "$(get other "$url/" | cut -d' ' -f1)" = two ]
    # The lowest number decides.
    last=$(vpclab elbv2 create-rule --listener-arn "$listener" --priority 90 --conditions 'Field=path-pattern,Values=/blue/*' --query 'Rules[0].RuleArn' \
        --actions 'Type=fixed-response,FixedResponseConfig={StatusCode=503,MessageBody=none,ContentType=text/plain}' --output text)
    blues "$url/blue/x"
    vpclab elbv2 set-rule-priorities --rule-priorities "RuleArn=$last,Priority=50" "RuleArn=$(vpclab elbv2 describe-rules --listener-arn "$listener" --query "Rules[?Priority=='2'].RuleArn | [0]" --output text),Priority=60" >/dev/null
    [ "$(code client "$url/blue/x" -m 20)" = 503 ]
    # Redirects keep what they do not name.
    vpclab elbv2 create-rule --listener-arn "$listener" --priority 7 --conditions 'Field=path-pattern,Values=/go/*' \
        --actions 'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,Path="/at/#{path}",Query="from=#{host}&#{query}",StatusCode=HTTP_302}' >/dev/null
    [ "$(vpclab exec client -- curl -s -m 20 -o /dev/null -w '%{http_code} %{redirect_url}' -H 'Host: red.example' "$url/go/x?a=b")" = "302 https://red.example:443/at/go/x?from=red.example&a=b" ]
}

@test "weights and stickiness: by turns as they weigh, and with one as long as the cookie says" {
    lab_of_two application HTTP
    listen HTTP "$(weights 3 1)"
    start
    tally() { for _ in $(seq "$1"); do who "${@:2}"; done | sort | uniq -c | xargs; }
    [ "$(tally 8 "$url/")" = "6 one 2 two" ]
    vpclab elbv2 modify-listener --listener-arn "$listener" --default-actions "$(weights 1 1 ',"TargetGroupStickinessConfig":{"Enabled":true,"DurationSeconds":300}')" >/dev/null
    jar="-c /tmp/jar -b /tmp/jar"
    # shellcheck disable=SC2086 # options
    first=$(who "$url/" $jar)
    # shellcheck disable=SC2086
    [ "$(tally 6 "$url/" $jar)" = "6 $first" ]
    [ "$(tally 6 "$url/")" = "3 one 3 two" ]
    vpclab exec client -- grep -q AWSALBTG /tmp/jar
    # One group of both: the balancer's own cookie, for as long as it lasts on the lab's clock.
    targets red "$two"
    [ "$(health red "healthy	healthy")" = "healthy healthy" ]
    vpclab elbv2 modify-listener --listener-arn "$listener" --default-actions "Type=forward,TargetGroupArn=$red" >/dev/null
    vpclab elbv2 modify-target-group-attributes --target-group-arn red --attributes Key=stickiness.enabled,Value=true Key=stickiness.lb_cookie.duration_seconds,Value=60 >/dev/null
    vpclab exec client -- rm /tmp/jar
    # shellcheck disable=SC2086
    first=$(who "$url/" $jar)
    # shellcheck disable=SC2086
    [ "$(tally 6 "$url/" $jar)" = "6 $first" ]
    cookie=$(vpclab exec client -- awk '$6 == "AWSALB" { print $7 }' /tmp/jar)
    [ "$(tally 4 "$url/" -b "AWSALB=$cookie")" = "4 $first" ]
    [ "$(tally 4 "$url/" -b "AWSALB=${cookie%????}zzzz")" = "2 one 2 two" ]
    vpclab clock advance 61s >/dev/null
    [ "$(tally 4 "$url/" -b "AWSALB=$cookie")" = "2 one 2 two" ]
    # The application's cookie: none of the balancer's until the target sets one (serve.py does for /login), none heeded without it.
    wrong 4 "needs the name of the application's cookie" vpclab elbv2 modify-target-group-attributes --target-group-arn red --attributes Key=stickiness.type,Value=app_cookie
    wrong 4 'cannot be the name' vpclab elbv2 modify-target-group-attributes --target-group-arn red --attributes Key=stickiness.app_cookie.cookie_name,Value=AWSALB
    wrong 4 '1 to 604800 seconds' vpclab elbv2 modify-target-group-attributes --target-group-arn red --attributes Key=stickiness.lb_cookie.duration_seconds,Value=0
    wrong 4 'not `source_ip`' vpclab elbv2 modify-target-group-attributes --target-group-arn red --attributes Key=stickiness.type,Value=source_ip
    vpclab elbv2 modify-target-group-attributes --target-group-arn red --attributes Key=stickiness.type,Value=app_cookie Key=stickiness.app_cookie.cookie_name,Value=session >/dev/null
    vpclab exec client -- rm /tmp/jar
    # shellcheck disable=SC2086
    [ "$(tally 4 "$url/" $jar)" = "2 one 2 two" ]
    # shellcheck disable=SC2086
    first=$(who "$url/login" $jar)
    # shellcheck disable=SC2086
    [ "$(tally 6 "$url/" $jar)" = "6 $first" ]
    cookie=$(vpclab exec client -- awk '$6 == "AWSALBAPP-0" { print $7 }' /tmp/jar)
    [ "$(tally 4 "$url/" -b "AWSALBAPP-0=$cookie")" = "2 one 2 two" ]
    [ "$(tally 4 "$url/" -b "AWSALBAPP-0=$cookie; session=x")" = "4 $first" ]
    # Who is ill gets nothing, cookie or not.
    vpclab exec "$first" -- sh -c 'kill $(pgrep -f "[s]erve.py")'
    [ "$first" = one ] && other="unhealthy	healthy" || other="healthy	unhealthy"
    [ "$(health red "$other")" = "${other/	/ }" ]
    [ "$(tally 4 "$url/" -b "AWSALBAPP-0=$cookie; session=x" | cut -d' ' -f1)" = 4 ]
}

@test "network balancer: a client's address decides with source_ip, and groups get what they weigh" {
    lab_of_two network TCP
    vpclab elbv2 modify-load-balancer-attributes --load-balancer-arn lb --attributes Key=load_balancing.cross_zone.enabled,Value=true >/dev/null
    listen TCP "$(weights 9 1)"
    start
    vpclab exec client -- curl -s -H 'Connection: close' "$url/[1-400]" | cut -d' ' -f1 | sort | uniq -c >"$DIR/tally"
    read -r reds _ < <(grep one "$DIR/tally")
    read -r blues _ < <(grep two "$DIR/tally")
    [ $((reds + blues)) = 400 ]
    [ "$blues" -ge 5 ] && [ "$blues" -le 120 ] # 40 are due
    # By its name: the way of a packet to whoever gets it, all ways, and as much as one carries.
    vpclab trace client lb tcp/80 >"$DIR/trace"
    grep -Eq 'destination 10\.0\.[12]\.[0-9]*:80 becomes 10\.0\.(1\.11|2\.12):8080' "$DIR/trace"
    vpclab verify client lb >"$DIR/report" || { cat "$DIR/report"; return 1; }
    [ "$(grep -c '^client .* tcp/80 | ' "$DIR/report")" = 2 ] # both nodes
    for name in one two; do
        vpclab exec $name -- sh -c 'kill $(pgrep -f "[s]erve.py")'
        vpclab exec --detach $name -- nc -lk 8080
        for _ in $(seq 200); do vpclab exec $name -- nc -z 127.0.0.1 8080 && break; done
    done
    [ "$(health red healthy)" = healthy ]
    [ "$(health blue healthy)" = healthy ]
    vpclab load client lb:80 --count 50 >"$DIR/load"
    grep -q '^acknowledged 6.25 MB' "$DIR/load"
    for name in one two; do
        vpclab exec $name -- sh -c 'kill $(pgrep -x nc)'
        serve $name $name 8080
    done
    wrong 4 'is not answered by `lb`' vpclab load client lb:81
    targets red "$two"
    [ "$(health red "healthy	healthy")" = "healthy healthy" ]
    vpclab elbv2 modify-listener --listener-arn "$listener" --default-actions "Type=forward,TargetGroupArn=$red" >/dev/null
    answered() { vpclab exec client -- curl -s -H 'Connection: close' "$url/[1-30]" | cut -d' ' -f1 | sort -u | wc -l; }
    [ "$(answered)" = 2 ]
    vpclab elbv2 modify-target-group-attributes --target-group-arn red --attributes Key=stickiness.enabled,Value=true >/dev/null
    [ "$(answered)" = 1 ]
}

sum() { # NAMESPACE METRIC STATISTIC NAME=VALUE...: over the day
    local query=() d
    for d in "${@:4}"; do query+=("Name=${d%%=*},Value=${d#*=}"); done
    vpclab cloudwatch get-metric-statistics --namespace "$1" --metric-name "$2" --start-time 2000-01-01T00:00:00Z --end-time 2100-01-01T00:00:00Z \
        --period 31536000 --statistics "$3" --dimensions "${query[@]}" --query "Datapoints[-1].$3" --output text
}

@test "metrics of balancers: what they counted, by balancer and target group, and how many targets are well" {
    lab_of_two application HTTP
    listen HTTP "Type=forward,TargetGroupArn=$red"
    vpclab elbv2 create-rule --listener-arn "$listener" --priority 1 --conditions 'Field=path-pattern,Values=/blue' --actions "Type=forward,TargetGroupArn=$blue" >/dev/null
    vpclab elbv2 create-rule --listener-arn "$listener" --priority 2 --conditions 'Field=path-pattern,Values=/go' \
        --actions 'Type=redirect,RedirectConfig={Host=new.example,StatusCode=HTTP_301}' >/dev/null
    vpclab elbv2 create-load-balancer --name flat --type network --scheme internal --subnets a b >/dev/null
    vpclab elbv2 create-target-group --name flat --protocol TCP --port 8080 --vpc-id main >/dev/null
    targets flat "$one"
    vpclab elbv2 create-listener --load-balancer-arn flat --protocol TCP --port 80 --default-actions "Type=forward,TargetGroupArn=$(arn flat)" >/dev/null
    start
    [ "$(health flat healthy)" = healthy ]
    for _ in 1 2 3; do who "$url/" >/dev/null; done
    who "$url/blue" >/dev/null
    code client "$url/go" -m 20 >/dev/null
    vpclab exec two -- sh -c 'kill $(pgrep -f "[s]erve.py")'
    [ "$(health blue unhealthy)" = unhealthy ]
    [ "$(code client "$url/blue" -m 20)" = 502 ]
    id=$(vpclab elbv2 describe-load-balancers --names lb --query 'LoadBalancers[0].LoadBalancerArn' --output text)
    id=${id#*loadbalancer/}
    app="AWS/ApplicationELB"
    [ "$(sum $app RequestCount Sum "LoadBalancer=$id")" = 5.0 ] # three, one, and one whose target refused; the redirect asked none
    [ "$(sum $app RequestCount Sum "LoadBalancer=$id" "TargetGroup=targetgroup/${red#*targetgroup/}")" = 3.0 ]
    [ "$(sum $app HTTPCode_Target_2XX_Count Sum "LoadBalancer=$id")" = 4.0 ]
    [ "$(sum $app HTTPCode_ELB_5XX_Count Sum "LoadBalancer=$id")" = 1.0 ]
    [ "$(sum $app HTTP_Redirect_Count Sum "LoadBalancer=$id")" = 1.0 ]
    [ "$(sum $app HealthyHostCount Minimum "LoadBalancer=$id" "TargetGroup=targetgroup/${blue#*targetgroup/}")" = 0.0 ]
    [ "$(sum $app UnHealthyHostCount Maximum "LoadBalancer=$id" "TargetGroup=targetgroup/${blue#*targetgroup/}")" = 1.0 ]
    at=$(node flat a)
    vpclab exec client -- curl -s -o /dev/null -H 'Connection: close' "http://$at/[1-7]"
    id=$(vpclab elbv2 describe-load-balancers --names flat --query 'LoadBalancers[0].LoadBalancerArn' --output text)
    id=${id#*loadbalancer/}
    [ "$(sum AWS/NetworkELB NewFlowCount Sum "LoadBalancer=$id")" = 7.0 ]
    [ "$(sum AWS/NetworkELB NewFlowCount_TCP Sum "LoadBalancer=$id")" = 7.0 ]
    [ "$(sum AWS/NetworkELB NewFlowCount_UDP Sum "LoadBalancer=$id")" = None ]
    bytes=$(sum AWS/NetworkELB ProcessedBytes Sum "LoadBalancer=$id")
    [ "${bytes%.*}" -gt 3500 ] # ten packets and more each, with their headers
    # One that is held open.
    vpclab exec --detach client -- python3 -c "import socket, time; s = socket.create_connection(('$at', 80)); time.sleep(600)"
    for _ in $(seq 50); do
        [ "$(sum AWS/NetworkELB ActiveFlowCount Maximum "LoadBalancer=$id")" = 1.0 ] && break
        sleep 0.2
    done
    [ "$(sum AWS/NetworkELB ActiveFlowCount Maximum "LoadBalancer=$id")" = 1.0 ]
    vpclab cloudwatch list-metrics --namespace AWS/NetworkELB --query 'Metrics[].MetricName' --output text | grep -qw HealthyHostCount
    wrong 4 'vpclab does not count `ConsumedLCUs`' vpclab cloudwatch get-metric-statistics --namespace AWS/NetworkELB --metric-name ConsumedLCUs \
        --start-time 2000-01-01T00:00:00Z --end-time 2100-01-01T00:00:00Z --period 60 --statistics Sum
}

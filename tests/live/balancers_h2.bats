#!/usr/bin/env bats
# Application balancers that are spoken to in HTTP/2: the same rules, targets and words as in HTTP/1.1.
load ../cli/helper
load services

@test "application balancer: requests in HTTP/2, many at a time in one connection, and in HTTP/1.1 when it is switched off" {
    setup_lab
    open_group web 8080
    open_group door 443
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 >/dev/null
    door=$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=door --query 'SecurityGroups[0].GroupId' --output text)
    vpclab elbv2 create-load-balancer --name app --type application --scheme internal --subnets a b --security-groups "$door" >/dev/null
    group=$(vpclab elbv2 create-target-group --name plain --protocol HTTP --port 8080 --vpc-id main --query 'TargetGroups[0].TargetGroupArn' --output text)
    targets plain "$one"
    www=$(vpclab acm request-certificate --domain-name www.example.com --key-algorithm EC_prime256v1 --query CertificateArn --output text)
    listener=$(vpclab elbv2 create-listener --load-balancer-arn app --protocol HTTPS --port 443 --certificates "CertificateArn=$www" \
        --default-actions "Type=forward,TargetGroupArn=$group" --query 'Listeners[0].ListenerArn' --output text)
    vpclab elbv2 create-rule --listener-arn "$listener" --priority 1 --conditions Field=path-pattern,Values=/fixed \
        --actions 'Type=fixed-response,FixedResponseConfig={StatusCode=404,MessageBody=fixed,ContentType=text/plain}' >/dev/null
    up
    serve one one 8080
    [ "$(health plain healthy)" = healthy ]
    n=$(node app a)
    ask() { vpclab exec client -- curl -s -m 30 --resolve "www.example.com:443:$n" "$@"; } # OPTION... URL
    url=https://www.example.com
    version=$(ask -o /dev/null -w '%{http_version}' $url/)
    [ "$version" = 2 ] || skip "built without libnghttp2"
    [ "$(ask $url/x)" = "one $n 10.0.1.10 www.example.com /x -" ]
    [ "$(ask -d body $url/y)" = "one $n 10.0.1.10 www.example.com /y body" ]
    [ "$(ask -w ' %{http_code} %{http_version}' $url/fixed)" = "fixed 404 2" ]
    [ "$(ask $url/chunks)" = "four five" ]
    [ "$(ask $url/to-the-end)" = "one $n 10.0.1.10 www.example.com /to-the-end -" ]
    [ "$(ask -I -o /dev/null -w '%{http_code}' $url/)" = 501 ] # the server's own word to HEAD
    ask --http1.1 -H 'X-Forwarded-For: 192.0.2.7' $url/told | grep -qx 'X-Forwarded-For: 192.0.2.7, 10.0.1.10'
    ask -H 'X-Forwarded-For: 192.0.2.7' -b 'a=1; b=2' $url/told | grep -qx 'X-Forwarded-For: 192.0.2.7, 10.0.1.10'
    ask $url/told | grep -qx 'X-Forwarded-Proto: https'
    # More than a window holds, of known size and not, there and back.
    vpclab exec client -- bash -c 'head -c 300000 /dev/zero | tr "\0" a >/tmp/big'
    for how in '-T /tmp/big -X POST' '-T - -X POST'; do
        [ "$(vpclab exec client -- bash -c "curl -s -m 30 --resolve www.example.com:443:$n $how $url/z </tmp/big | wc -c")" -gt 300000 ]
    done
    # Many at a time.
    said=$(ask -Z --parallel-immediate --parallel-max 30 -w '%{num_connects} %{http_code}\n' "$url/{a,b,c,fixed}?[1-15]" -o /dev/null)
    [ "$(grep -c ' 200$' <<<"$said")" = 45 ]
    [ "$(grep -c ' 404$' <<<"$said")" = 15 ]
    # A head that is too large, and what is no HTTP/2 at all; the next one is answered.
    [ "$(ask -o /dev/null -w '%{http_code}' -H "X-Long: $(printf '%020000d' 7)" $url/)" != 200 ]
    printf 'GET / HTTP/1.1\r\nHost: h\r\n\r\n' | vpclab exec client -- timeout 20 openssl s_client -connect "$n:443" -alpn h2 -quiet >/dev/null 2>&1 || true
    [ "$(ask $url/x)" = "one $n 10.0.1.10 www.example.com /x -" ]
    vpclab elbv2 modify-load-balancer-attributes --load-balancer-arn app --attributes Key=routing.http2.enabled,Value=false >/dev/null
    [ "$(ask -o /dev/null -w '%{http_version}' $url/)" = 1.1 ]
}

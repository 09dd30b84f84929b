#!/usr/bin/env bats
# Balancers that end TLS: certificates by name, to targets in plain or in TLS, health checks over TLS.
load ../cli/helper
load services

fails() { ! "$@"; } # `!` alone ends no test
# serve.py behind TLS, with a certificate that nobody else knows: NAME PORT [ADDRESS].
serve_tls() {
    vpclab exec --detach "$1" -- python3 tests/live/serve.py --tls "$2" "$3" "${@:4}"
    for _ in $(seq 100); do
        vpclab exec "$1" -- curl -skf -o /dev/null "https://127.0.0.1:$3/" && return
        sleep 0.05
    done
    return 1
}
certificate() { # NAME...
    vpclab acm request-certificate --domain-name "$1" --subject-alternative-names "$@" --key-algorithm EC_prime256v1 --query CertificateArn --output text
}
page() { # CLIENT NAME PORT NODE PATH OPTION...: what is read there by that name, with the certificate verified
    local node=$4
    [[ $node == *:* ]] && node="[$node]"
    vpclab exec "$1" -- curl -sf -m 20 --resolve "$2:$3:$node" "https://$2:$3$5" "${@:6}"
}
node6() { vpclab ec2 describe-network-interfaces --filters "Name=private-ip-address,Values=$1" --query 'NetworkInterfaces[0].Ipv6Addresses[0].Ipv6Address' --output text; }
listen() { # BALANCER PROTOCOL PORT GROUP OPTION...
    vpclab elbv2 create-listener --load-balancer-arn "$1" --protocol "$2" --port "$3" --default-actions "Type=forward,TargetGroupArn=$4" "${@:5}" \
        --query 'Listeners[0].ListenerArn' --output text
}

@test "network balancer: ends TLS by the name that is asked for, and targets see the client" {
    setup_lab
    open_group web 8080 8443
    vpclab ec2 authorize-security-group-ingress --group-id web --ip-permissions 'IpProtocol=tcp,FromPort=8080,ToPort=8080,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 --ipv6-address-count 1 >/dev/null
    vpclab elbv2 create-load-balancer --name lb --type network --scheme internal --ip-address-type dualstack --subnets a b >/dev/null
    vpclab elbv2 create-target-group --name plain --protocol TCP --port 8080 --vpc-id main >/dev/null
    vpclab elbv2 create-target-group --name sealed --protocol TLS --port 8443 --vpc-id main --health-check-protocol HTTPS --health-check-path / >/dev/null
    targets plain "$one"
    targets sealed "$one"
    www=$(certificate www.example.com)
    l=$(listen lb TLS 443 plain --certificates "CertificateArn=$www" --ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06)
    listen lb TLS 8443 sealed --certificates "CertificateArn=$www" --alpn-policy HTTP1Only >/dev/null
    up
    serve one one 8080
    serve_tls one one 8443
    [ "$(health plain healthy)" = healthy ]
    [ "$(health sealed healthy)" = healthy ]
    n=$(node lb a)
    [ "$(page client www.example.com 443 "$n" /x)" = "one 10.0.1.10 - www.example.com /x -" ]
    [ "$(page client www.example.com 8443 "$n" /y)" = "one 10.0.1.10 - www.example.com:8443 /y -" ]
    # The other family: from the node.
    [ "$(page client www.example.com 443 "$(node6 "$n")" /6)" = "one $n - www.example.com /6 -" ]
    # Another name is not verified, until its certificate is there.
    fails page client api.example.org 443 "$n" /
    vpclab elbv2 add-listener-certificates --listener-arn "$l" --certificates "CertificateArn=$(certificate '*.example.org')" >/dev/null
    [ "$(page client api.example.org 443 "$n" /z)" = "one 10.0.1.10 - api.example.org /z -" ]
    [ "$(page client www.example.com 443 "$n" /x)" = "one 10.0.1.10 - www.example.com /x -" ]
    # Versions are the policy's, ALPN the listener's.
    shake() { vpclab exec client -- openssl s_client -connect "$n:$1" -servername www.example.com "${@:2}" </dev/null 2>&1; }
    shake 443 | grep -q 'New, TLSv1.3'
    shake 8443 -alpn h2,http/1.1 | grep -q 'New, TLSv1.2'
    shake 8443 -alpn h2,http/1.1 | grep -q 'ALPN protocol: http/1.1'
    fails eval "shake 8443 -tls1_3 | grep -q 'New, TLS'"
    # What is no TLS gets no answer, and the next one does.
    [ "$(code client "http://$n:443/")" = 000 ]
    [ "$(page client www.example.com 443 "$n" /x)" = "one 10.0.1.10 - www.example.com /x -" ]
    id=$(vpclab elbv2 describe-load-balancers --names lb --query 'LoadBalancers[0].LoadBalancerArn' --output text)
    counted() {
        vpclab cloudwatch get-metric-statistics --namespace AWS/NetworkELB --metric-name "$1" --start-time 2000-01-01T00:00:00Z --end-time 2100-01-01T00:00:00Z \
            --period 31536000 --statistics Sum --dimensions "Name=LoadBalancer,Value=${id#*loadbalancer/}" --query 'Datapoints[-1].Sum' --output text
    }
    [ "$(counted NewFlowCount_TLS | cut -d. -f1)" -ge 10 ]
    # Bytes of what ends at the node: to the targets and from them, headers too.
    before=$(counted ProcessedBytes_TLS | cut -d. -f1)
    vpclab exec client -- curl -sf -m 20 -o /dev/null --resolve "www.example.com:443:$n" -d "$(printf '%0100000d' 7)" https://www.example.com/
    more=$(($(counted ProcessedBytes_TLS | cut -d. -f1) - before))
    [ "$more" -gt 200000 ] && [ "$more" -lt 260000 ] # it comes back
    [ "$(counted ClientTLSNegotiationErrorCount | cut -d. -f1)" -ge 2 ] # no TLS at all, no version in common
    vpclab verify >"$DIR/said" || { cat "$DIR/said"; false; }
    grep -q "^client *$(interface "$n") .* tcp/443 " "$DIR/said"
    # A group that admits the node alone keeps the client out, as its address is kept.
    vpclab ec2 revoke-security-group-ingress --group-id web --protocol tcp --port 8080 --cidr 0.0.0.0/0 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 8080 --cidr "$n/32" >/dev/null
    fails page client www.example.com 443 "$n" / -m 2
    vpclab elbv2 modify-target-group-attributes --target-group-arn plain --attributes Key=preserve_client_ip.enabled,Value=false >/dev/null
    [ "$(page client www.example.com 443 "$n" /x)" = "one $n - www.example.com /x -" ]
}

@test "classic balancer: ends SSL, begins it towards instances, and checks them over it" {
    setup_lab
    open_group web 8080 8443
    open_group door 443 8443 80
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 >/dev/null
    c=$(certificate www.example.com)
    vpclab elb create-load-balancer --load-balancer-name old --scheme internal --subnets a --security-groups door \
        --listeners "Protocol=SSL,LoadBalancerPort=443,InstancePort=8080,SSLCertificateId=$c" "Protocol=SSL,LoadBalancerPort=8443,InstanceProtocol=SSL,InstancePort=8443,SSLCertificateId=$c" \
        Protocol=TCP,LoadBalancerPort=80,InstanceProtocol=SSL,InstancePort=8443 >/dev/null
    vpclab elb register-instances-with-load-balancer --load-balancer-name old --instances "$one" >/dev/null
    vpclab elb configure-health-check --load-balancer-name old --health-check Target=SSL:8443,Interval=5,Timeout=2,UnhealthyThreshold=2,HealthyThreshold=2 >/dev/null
    up
    serve one one 8080
    in_service() { # STATE
        for _ in $(seq 100); do
            [ "$(vpclab elb describe-instance-health --load-balancer-name old --query 'InstanceStates[0].State' --output text)" = "$1" ] && return
            sleep 0.2
        done
        return 1
    }
    in_service OutOfService # nobody shakes hands yet
    serve_tls one one 8443
    in_service InService
    n=$(vpclab ec2 describe-network-interfaces --filters Name=requester-id,Values=amazon-elb --query 'NetworkInterfaces[0].PrivateIpAddress' --output text)
    [ "$(page client www.example.com 443 "$n" /x)" = "one $n - www.example.com /x -" ]
    [ "$(page client www.example.com 8443 "$n" /y)" = "one $n - www.example.com:8443 /y -" ]
    [ "$(get client "http://$n/z")" = "one $n - $n /z -" ]
    fails page client other.example.com 443 "$n" /
    vpclab elb configure-health-check --load-balancer-name old --health-check Target=HTTPS:8443/,Interval=5,Timeout=2,UnhealthyThreshold=2,HealthyThreshold=2 >/dev/null
    in_service InService
    vpclab verify >"$DIR/said" || { cat "$DIR/said"; false; }
    # Towards its own subnet it meets the outbound ACL, as it does for bytes that it does not read.
    acl=$(vpclab ec2 describe-network-acls --filters "Name=vpc-id,Values=$(vpclab ec2 describe-vpcs --vpc-ids main --query 'Vpcs[0].VpcId' --output text)" --query 'NetworkAcls[0].NetworkAclId' --output text)
    deny() { vpclab ec2 "$1-network-acl-entry" --network-acl-id "$acl" --egress --rule-number 10 "${@:2}" >/dev/null; }
    deny create --protocol tcp --port-range From=8080,To=8080 --cidr-block 10.0.1.0/24 --rule-action deny
    fails page client www.example.com 443 "$n" / -m 2
    deny delete
    [ "$(page client www.example.com 443 "$n" /x)" = "one $n - www.example.com /x -" ]
}

@test "application balancer: HTTPS, requests one after the other, and what targets are told" {
    setup_lab
    open_group web 8080 8443
    open_group door 80 443
    vpclab ec2 authorize-security-group-ingress --group-id door --ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 --ipv6-address-count 1 >/dev/null
    door=$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=door --query 'SecurityGroups[0].GroupId' --output text)
    vpclab elbv2 create-load-balancer --name app --type application --scheme internal --ip-address-type dualstack --subnets a b --security-groups "$door" >/dev/null
    vpclab elbv2 create-target-group --name plain --protocol HTTP --port 8080 --vpc-id main >/dev/null
    vpclab elbv2 create-target-group --name sealed --protocol HTTPS --port 8443 --vpc-id main --health-check-protocol HTTPS >/dev/null
    targets plain "$one"
    targets sealed "$one"
    listener=$(listen app HTTP 80 plain)
    secure=$(listen app HTTPS 443 plain --certificates "CertificateArn=$(certificate www.example.com)")
    vpclab elbv2 create-rule --listener-arn "$listener" --priority 1 --conditions Field=path-pattern,Values=/fixed \
        --actions 'Type=fixed-response,FixedResponseConfig={StatusCode=200,MessageBody=fixed,ContentType=text/plain}' >/dev/null
    vpclab elbv2 create-rule --listener-arn "$secure" --priority 1 --conditions Field=path-pattern,Values=/sealed* --actions \
        "Type=forward,TargetGroupArn=$(vpclab elbv2 describe-target-groups --names sealed --query 'TargetGroups[0].TargetGroupArn' --output text)" >/dev/null
    up
    serve one one 8080
    serve_tls one one 8443
    [ "$(health plain healthy)" = healthy ]
    [ "$(health sealed healthy)" = healthy ]
    n=$(node app a)
    # TLS on either side; each request of a connection goes by its own rule.
    [ "$(page client www.example.com 443 "$n" /x)" = "one $n 10.0.1.10 www.example.com /x -" ]
    [ "$(page client www.example.com 443 "$n" /sealed)" = "one $n 10.0.1.10 www.example.com /sealed -" ]
    fails page client other.example.com 443 "$n" /
    six=$(vpclab ec2 describe-network-interfaces --filters Name=private-ip-address,Values=10.0.1.10 --query 'NetworkInterfaces[0].Ipv6Addresses[0].Ipv6Address' --output text)
    [ "$(page client www.example.com 443 "$(node6 "$n")" /6)" = "one $n $six www.example.com /6 -" ]
    vpclab exec client -- openssl s_client -connect "$n:443" -alpn http/1.1 </dev/null 2>&1 | grep -q 'ALPN protocol: http/1.1'
    [ "$(vpclab exec client -- curl -s -m 20 --resolve "www.example.com:443:$n" -w '%{num_connects}\n' https://www.example.com/{a,sealed/b,c} -o /dev/null -o /dev/null -o /dev/null | xargs)" = "1 0 0" ]
    [ "$(vpclab exec client -- curl -s -m 20 -o /dev/null -w '%{http_code}' "http://$n:443/")" = 000 ]
    talk() { vpclab exec client -- python3 tests/live/http_talk.py "$n" 80 "$1" | sed "s/ $n / NODE /" | tr '\n' '|'; }
    is() { # TALK ANSWERS
        local said
        said=$(talk "$1")
        [ "$said" = "$2" ] || { echo "$1: $said"; return 1; }
    }
    is pipelined "200 keep-alive one NODE 10.0.1.10 h /a -|200 keep-alive fixed|200 close one NODE 10.0.1.10 h /b -|end|"
    is split "200 keep-alive one NODE 10.0.1.10 h /split -|200 keep-alive one NODE 10.0.1.10 h /next -|open|"
    is old "200 close one NODE 10.0.1.10 h / -|end|"
    is old-kept "200 keep-alive one NODE 10.0.1.10 h /1 -|200 close one NODE 10.0.1.10 h /2 -|end|"
    name=$(vpclab elbv2 describe-load-balancers --names app --query 'LoadBalancers[0].DNSName' --output text)
    is no-host "200 close one NODE 10.0.1.10 $name /no -|end|"
    is chunks "200 keep-alive one NODE 10.0.1.10 h /echo abcdefg|200 keep-alive one NODE 10.0.1.10 h /after -|open|"
    is half "200 keep-alive one NODE 10.0.1.10 h /half -|"
    # What the balancer answers itself it reads to the end: the next request is not what stood in a body.
    is dropped "200 keep-alive fixed|200 keep-alive one NODE 10.0.1.10 h /after -|open|"
    is bad-chunks "200 keep-alive fixed|end|"
    is upgrade "HTTP/1.1 101 Switching Protocols Connection: Upgrade Upgrade: echo|early bytes|end|"
    [[ "$(talk both)" == "400 close "*"|end|" ]]
    [ "$(get client "http://$n/chunks")" = "four five" ]
    [ "$(get client "http://$n/chunks" --http1.0)" = "four five" ]
    [ "$(get client "http://$n/to-the-end")" = "one $n 10.0.1.10 $n /to-the-end -" ]
    [ "$(get client "http://$n/" -H 'Expect: 100-continue' -d "$(printf '%0100000d' 7)" | wc -c)" -gt 100000 ]
    vpclab exec client -- curl -sI -m 20 "http://$n/" | grep -q '^HTTP/1.1 501' # HEAD: the server's own words, and no body is waited for
    # What targets are told, as the balancer's attributes say.
    told() { # ATTRIBUTE=VALUE OPTION...
        vpclab elbv2 modify-load-balancer-attributes --load-balancer-arn app --attributes "Key=${1%=*},Value=${1#*=}" >/dev/null
        page client www.example.com 443 "$n" /told --http1.1 "${@:2}" >"$DIR/told"
    }
    xff=routing.http.xff_header_processing.mode
    told $xff=append -H 'X-Forwarded-For: 192.0.2.7' -H 'X-Forwarded-Proto: gopher' -H 'Expect: 100-continue'
    grep -qx 'X-Forwarded-For: 192.0.2.7, 10.0.1.10' "$DIR/told"
    grep -qx 'X-Forwarded-Proto: https' "$DIR/told"
    grep -qx 'X-Forwarded-Port: 443' "$DIR/told"
    grep -qE '^X-Amzn-Trace-Id: Root=1-[0-9a-f]{8}-[0-9a-f]{24}$' "$DIR/told"
    fails grep -q '^Expect\|gopher\|Tls-Version' "$DIR/told"
    told $xff=preserve -H 'X-Forwarded-For: 192.0.2.7'
    grep -qx 'X-Forwarded-For: 192.0.2.7' "$DIR/told"
    told $xff=remove -H 'X-Forwarded-For: 192.0.2.7'
    fails grep -q '^X-Forwarded-For' "$DIR/told"
    told $xff=append
    told routing.http.xff_client_port.enabled=true
    grep -qE '^X-Forwarded-For: 10.0.1.10:[0-9]+$' "$DIR/told"
    told routing.http.xff_client_port.enabled=false
    told routing.http.x_amzn_tls_version_and_cipher_suite.enabled=true
    grep -qx 'X-Amzn-Tls-Version: TLSv1.2' "$DIR/told"
    told routing.http.drop_invalid_header_fields.enabled=false -H 'X-a_b: 1' && grep -q X-a_b "$DIR/told"
    told routing.http.drop_invalid_header_fields.enabled=true -H 'X-a_b: 1' && fails grep -q X-a_b "$DIR/told"
    wrong 4 'append`, `preserve` or `remove' vpclab elbv2 modify-load-balancer-attributes --load-balancer-arn app --attributes Key=$xff,Value=keep
    # Silence: in the middle of a request that is said, between two the connection ends.
    vpclab elbv2 modify-load-balancer-attributes --load-balancer-arn app --attributes Key=idle_timeout.timeout_seconds,Value=2 >/dev/null
    [[ "$(talk silent)" == "200 keep-alive one NODE 10.0.1.10 h /first -|408 close "*"|end|" ]]
    is idle "200 keep-alive one NODE 10.0.1.10 h /first -|end|"
    vpclab verify >"$DIR/said" || { cat "$DIR/said"; false; }
}

@test "classic balancer: HTTP and HTTPS are read, and instances told whom they serve" {
    setup_lab
    open_group web 8080 8443
    open_group door 80 443
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 >/dev/null
    vpclab elb create-load-balancer --load-balancer-name old --scheme internal --subnets a --security-groups door \
        --listeners Protocol=HTTP,LoadBalancerPort=80,InstancePort=8080 \
        "Protocol=HTTPS,LoadBalancerPort=443,InstanceProtocol=HTTPS,InstancePort=8443,SSLCertificateId=$(certificate www.example.com)" >/dev/null
    vpclab elb register-instances-with-load-balancer --load-balancer-name old --instances "$one" >/dev/null
    vpclab elb configure-health-check --load-balancer-name old --health-check Target=HTTP:8080/,Interval=5,Timeout=2,UnhealthyThreshold=2,HealthyThreshold=2 >/dev/null
    up
    n=$(vpclab ec2 describe-network-interfaces --filters Name=requester-id,Values=amazon-elb --query 'NetworkInterfaces[0].PrivateIpAddress' --output text)
    [ "$(code client "http://$n/" -m 20)" = 503 ] # nobody is in service
    serve one one 8080
    serve_tls one one 8443
    for _ in $(seq 100); do
        [ "$(code client "http://$n/" -m 20)" = 200 ] && break
        sleep 0.2
    done
    [ "$(get client "http://$n/x" -H 'X-Forwarded-For: 192.0.2.7')" = "one $n 192.0.2.7, 10.0.1.10 $n /x -" ]
    [ "$(page client www.example.com 443 "$n" /y)" = "one $n 10.0.1.10 www.example.com /y -" ]
    page client www.example.com 443 "$n" /told | grep -qx 'X-Forwarded-Proto: https'
    vpclab verify >"$DIR/said" || { cat "$DIR/said"; false; }
    grep -q "^client *$(interface "$n") .* tcp/80" "$DIR/said"
}

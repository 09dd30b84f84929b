#!/usr/bin/env bats
# Application balancers that ask clients for certificates, and the bytes that a balancer counts.
load ../cli/helper
load services

certificate() { vpclab acm request-certificate --domain-name "$1" --key-algorithm EC_prime256v1 --query CertificateArn --output text; }
listen() { # PORT GROUP MUTUAL
    vpclab elbv2 create-listener --load-balancer-arn app --protocol HTTPS --port "$1" --certificates "CertificateArn=$www" \
        --default-actions "Type=forward,TargetGroupArn=$2" --mutual-authentication "$3" >/dev/null
}
# In the client's /tmp: an authority NAME and a certificate of it for NAME.example.
make_certificates() { # NAME...
    for name; do
        vpclab exec client -- bash -c "cd /tmp && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN=$name -keyout $name.key -out $name.ca &&
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/C=IS/O=A, B/CN=$name.example' -keyout $name.pem -out $name.csr &&
            printf 'basicConstraints=CA:FALSE\n' >ext && openssl x509 -req -in $name.csr -CA $name.ca -CAkey $name.key -set_serial 0x03A5B1 -days 9 -extfile ext >>$name.pem" 2>/dev/null
    done
}
told() { # PORT OPTION...: what the target was told; nothing where nobody was let in
    vpclab exec client -- curl -s -m 20 --resolve "www.example.com:$1:$n" "https://www.example.com:$1/told" "${@:2}" >"$DIR/told" || true
}

@test "application balancer: clients' certificates are verified by a trust store, or handed on" {
    setup_lab
    open_group web 8080
    open_group door 443 8443 80
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 >/dev/null
    door=$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=door --query 'SecurityGroups[0].GroupId' --output text)
    vpclab elbv2 create-load-balancer --name app --type application --scheme internal --subnets a b --security-groups "$door" >/dev/null
    group=$(vpclab elbv2 create-target-group --name plain --protocol HTTP --port 8080 --vpc-id main --query 'TargetGroups[0].TargetGroupArn' --output text)
    targets plain "$one"
    www=$(certificate www.example.com)
    up
    serve one one 8080
    make_certificates ours theirs
    vpclab s3api create-bucket --bucket trust >/dev/null
    for name in ours theirs; do
        vpclab exec client -- cat /tmp/$name.ca >"$DIR/ca"
        vpclab s3api put-object --bucket trust --key $name.pem --body "$DIR/ca" >/dev/null
    done
    bundle="--ca-certificates-bundle-s3-bucket trust --ca-certificates-bundle-s3-key"
    store=$(vpclab elbv2 create-trust-store --name ours $bundle ours.pem --query 'TrustStores[0].TrustStoreArn' --output text)
    listen 443 "$group" "Mode=verify,TrustStoreArn=$store"
    listen 8443 "$group" Mode=passthrough
    vpclab elbv2 create-listener --load-balancer-arn app --protocol HTTP --port 80 \
        --default-actions 'Type=fixed-response,FixedResponseConfig={StatusCode=200,MessageBody=fixed,ContentType=text/plain}' >/dev/null
    [ "$(health plain healthy)" = healthy ]
    n=$(node app a)
    # Verified.
    told 443 --http1.1 --cert /tmp/ours.pem -H 'X-Amzn-Mtls-Clientcert-Subject: CN=root' -H 'X-Amzn-Mtls-Clientcert: mine'
    grep -qx 'X-Amzn-Mtls-Clientcert-Serial-Number: 03A5B1' "$DIR/told"
    grep -qx 'X-Amzn-Mtls-Clientcert-Issuer: CN=ours' "$DIR/told"
    grep -qx 'X-Amzn-Mtls-Clientcert-Subject: CN=ours.example,O=A\\, B,C=IS' "$DIR/told"
    grep -qE '^X-Amzn-Mtls-Clientcert-Validity: NotBefore=20[0-9-]+T[0-9:]+Z;NotAfter=20[0-9-]+T[0-9:]+Z$' "$DIR/told"
    grep -q '^X-Amzn-Mtls-Clientcert-Leaf: -----BEGIN%20CERTIFICATE-----%0A' "$DIR/told"
    [ "$(grep -c '^X-Amzn-Mtls' "$DIR/told")" = 5 ] # and nothing that it said itself
    told 443
    [ ! -s "$DIR/told" ] # no certificate
    told 443 --cert /tmp/theirs.pem
    [ ! -s "$DIR/told" ] # of somebody else's authority
    # The same is let in when its authority is trusted.
    vpclab elbv2 modify-trust-store --trust-store-arn "$store" $bundle theirs.pem >/dev/null
    told 443 --cert /tmp/theirs.pem
    grep -qx 'X-Amzn-Mtls-Clientcert-Issuer: CN=theirs' "$DIR/told"
    told 443 --cert /tmp/ours.pem
    [ ! -s "$DIR/told" ]
    # Handed on.
    told 8443 --cert /tmp/ours.pem
    grep -q '^X-Amzn-Mtls-Clientcert: -----BEGIN%20CERTIFICATE-----%0A' "$DIR/told"
    told 8443 --http1.1 -H 'X-Amzn-Mtls-Clientcert: mine'
    grep -q '^X-Forwarded-Proto: https' "$DIR/told"
    [ "$(grep -c '^X-Amzn-Mtls' "$DIR/told")" = 0 ]
    # Bytes: all that the client sent and got, also what the balancer answered by itself.
    id=$(vpclab elbv2 describe-load-balancers --names app --query 'LoadBalancers[0].LoadBalancerArn' --output text)
    counted() {
        vpclab cloudwatch get-metric-statistics --namespace AWS/ApplicationELB --metric-name "$1" --start-time 2000-01-01T00:00:00Z --end-time 2100-01-01T00:00:00Z \
            --period 31536000 --statistics Sum --dimensions "Name=LoadBalancer,Value=${id#*loadbalancer/}" --query 'sum(Datapoints[].Sum)' --output text
    }
    before=$(counted ProcessedBytes)
    sent=$(vpclab exec client -- curl -s -m 20 -o /dev/null -w '%{size_request} %{size_header} %{size_download}' "http://$n/")
    after=$(counted ProcessedBytes)
    echo "$before $after, $sent"
    [ $((${after%.*} - ${before%.*})) = $((${sent// /+})) ]
    vpclab verify >"$DIR/said" || { cat "$DIR/said"; false; }
}

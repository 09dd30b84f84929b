# Trust stores of load balancers and mutual authentication of listeners.
load helper

id() { vpclab "$@" -o text; }
build() {
    V=$(id ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId)
    A=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
    B=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.2.0/24 --availability-zone us-east-1b --query Subnet.SubnetId)
    vpclab elbv2 create-load-balancer --name app --scheme internal --subnets "$A" "$B" >/dev/null
    vpclab elbv2 create-load-balancer --name net --type network --scheme internal --subnets "$A" >/dev/null
    G=$(id elbv2 create-target-group --name web --protocol HTTP --port 80 --vpc-id "$V" --query 'TargetGroups[0].TargetGroupArn')
    N=$(id elbv2 create-target-group --name bytes --protocol TCP --port 80 --vpc-id "$V" --query 'TargetGroups[0].TargetGroupArn')
    C=$(id acm request-certificate --domain-name www.example --key-algorithm EC_prime256v1 --query CertificateArn)
    vpclab s3api create-bucket --bucket trust >/dev/null
}
authority() { # FILE NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj "/CN=$2" -keyout "$1.key" -out "$1" 2>/dev/null
}
put() { vpclab s3api put-object --bucket trust --key "$1" --body "$2" >/dev/null; }
store() { vpclab elbv2 create-trust-store --name "$1" --ca-certificates-bundle-s3-bucket trust --ca-certificates-bundle-s3-key "$2" "${@:3}"; }
listen() { vpclab elbv2 create-listener --load-balancer-arn app --protocol "$1" --port "$2" --default-actions "Type=forward,TargetGroupArn=$G" "${@:3}"; }

@test "a trust store is made of a bundle in a bucket, used by listeners, given another one and deleted" {
    build
    authority "$DIR/ca" one
    authority "$DIR/ca2" two
    cat "$DIR/ca" "$DIR/ca2" >"$DIR/both"
    put ca.pem "$DIR/ca"
    put both.pem "$DIR/both"
    T=$(id elbv2 create-trust-store --name ours --ca-certificates-bundle-s3-bucket trust --ca-certificates-bundle-s3-key ca.pem --tags Key=team,Value=net --query 'TrustStores[0].TrustStoreArn')
    [[ $T == arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/ours/* ]]
    [ "$(id elbv2 describe-trust-stores --names ours --query 'TrustStores[0].[Name,Status,NumberOfCaCertificates,TotalRevokedEntries]')" = $'ours\tACTIVE\t1\t0' ]
    [ "$(id elbv2 describe-tags --resource-arns "$T" --query 'TagDescriptions[0].Tags[0].Value')" = net ]
    L=$(listen HTTPS 443 --certificates "CertificateArn=$C" --mutual-authentication "Mode=verify,TrustStoreArn=$T" -o text --query 'Listeners[0].ListenerArn')
    [ "$(id elbv2 describe-listeners --listener-arns "$L" --query 'Listeners[0].MutualAuthentication.[Mode,TrustStoreArn,IgnoreClientCertificateExpiry,TrustStoreAssociationStatus,AdvertiseTrustStoreCaNames]')" = "verify"$'\t'"$T"$'\tFalse\tactive\toff' ]
    [ "$(id elbv2 describe-trust-store-associations --trust-store-arn "$T" --query 'TrustStoreAssociations[0].ResourceArn')" = "$L" ]
    says '"NumberOfCaCertificates": 2' vpclab elbv2 modify-trust-store --trust-store-arn "$T" --ca-certificates-bundle-s3-bucket trust --ca-certificates-bundle-s3-key both.pem
    wrong 4 TrustStoreInUse vpclab elbv2 delete-trust-store --trust-store-arn "$T"
    vpclab elbv2 modify-listener --listener-arn "$L" --port 8443 >/dev/null # says nothing of it, so it stays
    [ "$(id elbv2 describe-listeners --listener-arns "$L" --query 'Listeners[0].MutualAuthentication.Mode')" = verify ]
    vpclab elbv2 modify-listener --listener-arn "$L" --mutual-authentication Mode=passthrough >/dev/null
    [ "$(id elbv2 describe-listeners --listener-arns "$L" --query 'Listeners[0].MutualAuthentication')" = passthrough ]
    vpclab elbv2 delete-trust-store --trust-store-arn "$T"
    [ "$(id elbv2 describe-trust-stores --query 'length(TrustStores)')" = 0 ]
}

@test "what trust stores and mutual authentication refuse" {
    build
    authority "$DIR/ca" one
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=client -keyout "$DIR/k" -out "$DIR/csr" 2>/dev/null
    openssl x509 -req -in "$DIR/csr" -CA "$DIR/ca" -CAkey "$DIR/ca.key" -days 9 -out "$DIR/leaf" 2>/dev/null
    : >"$DIR/empty"
    printf 'a\0b' >"$DIR/binary"
    put ca.pem "$DIR/ca"
    for f in leaf empty binary ca.key; do
        put "$f" "$DIR/$f"
        wrong 4 InvalidCaCertificatesBundle store bad "$f"
    done
    wrong 4 CaCertificatesBundleNotFound store bad nothing
    wrong 4 'does not allow' store 'a b' ca.pem
    store ours ca.pem >/dev/null
    wrong 4 DuplicateTrustStoreName store ours ca.pem
    wrong 4 TrustStoreNotFound vpclab elbv2 describe-trust-stores --names other
    wrong 4 TrustStoreNotFound vpclab elbv2 delete-trust-store --trust-store-arn other
    tls() { listen HTTPS 443 --certificates "CertificateArn=$C" --mutual-authentication "$1"; }
    wrong 4 'needs a `TrustStoreArn`' tls Mode=verify
    wrong 4 TrustStoreNotFound tls Mode=verify,TrustStoreArn=arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/x/0123456789abcdef
    wrong 4 '`off`, `passthrough` or `verify`' tls Mode=maybe
    T=$(id elbv2 describe-trust-stores --query 'TrustStores[0].TrustStoreArn')
    wrong 4 'is of the mode `verify`' tls "Mode=passthrough,TrustStoreArn=$T"
    wrong 4 'is not a value' tls "Mode=verify,TrustStoreArn=$T,AdvertiseTrustStoreCaNames=yes"
    wrong 4 'of listeners of HTTPS, not of HTTP' listen HTTP 80 --mutual-authentication Mode=passthrough
    wrong 4 'of listeners of HTTPS, not of TLS' vpclab elbv2 create-listener --load-balancer-arn net --protocol TLS --port 443 --certificates "CertificateArn=$C" --default-actions "Type=forward,TargetGroupArn=$N" --mutual-authentication Mode=passthrough
    [ "$(id elbv2 describe-listeners --load-balancer-arn app --query 'length(Listeners)')" = 0 ]
    # who may make one: of the store, and of the object that it is made of
    vpclab iam create-user --user-name ann >/dev/null
    allow() { vpclab iam put-user-policy --user-name ann --policy-name p --policy-document "{\"Version\":\"2012-10-17\",\"Statement\":[$1]}"; }
    own='{"Effect":"Allow","Action":"elasticloadbalancing:CreateTrustStore","Resource":"arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/hers/*"}'
    allow "$own"
    wrong 4 's3:GetObject' store hers ca.pem --as ann
    allow "$own"',{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::trust/*"}'
    wrong 4 'elasticloadbalancing:CreateTrustStore' store his ca.pem --as ann
    says hers store hers ca.pem --as ann
}

# Certificates of AWS Certificate Manager, and the listeners that name them.
load helper

id() { vpclab "$@" -o text; }
fails() { ! "$@"; } # `!` alone ends no test
pems() { # NAME: a certificate of its own with its key
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
        -keyout "$DIR/$1.key" -out "$DIR/$1.pem" 2>/dev/null
}
import() { # CERTIFICATE KEY OPTION...
    vpclab acm import-certificate --certificate "fileb://$DIR/$1" --private-key "fileb://$DIR/$2" "${@:3}"
}
balancer() {
    V=$(id ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId)
    A=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
    B=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.2.0/24 --availability-zone us-east-1b --query Subnet.SubnetId)
    vpclab elbv2 create-load-balancer --name lb --scheme internal --subnets "$A" "$B" >/dev/null
    vpclab elbv2 create-target-group --name web --protocol HTTP --port 80 --vpc-id "$V" >/dev/null
}
listener() { vpclab elbv2 create-listener --load-balancer-arn lb --port 443 --default-actions Type=forward,TargetGroupArn=web "$@"; }

@test "certificates are issued at once, or imported with the key that belongs to them" {
    C=$(id acm request-certificate --domain-name www.example.com --subject-alternative-names '*.example.com' www.example.com --tags Key=team,Value=web --query CertificateArn)
    [[ "$C" =~ ^arn:aws:acm:us-east-1:123456789012:certificate/[0-9a-f-]{36}$ ]]
    says $'AMAZON_ISSUED\tISSUED\tRSA-2048\twww.example.com\t2' vpclab acm describe-certificate --certificate-arn "$C" -o text \
        --query 'Certificate.[Type,Status,KeyAlgorithm,DomainName,length(SubjectAlternativeNames)]'
    id acm get-certificate --certificate-arn "$C" --query Certificate >"$DIR/issued"
    id acm get-certificate --certificate-arn "$C" --query CertificateChain >"$DIR/authority"
    openssl verify -CAfile "$DIR/authority" -verify_hostname any.example.com "$DIR/issued"
    fails openssl verify -CAfile "$DIR/authority" -verify_hostname example.org "$DIR/issued"
    pems own.example
    pems other.example
    O=$(import own.example.pem own.example.key -o text --query CertificateArn)
    says IMPORTED vpclab acm describe-certificate --certificate-arn "$O"
    [ "$(id acm get-certificate --certificate-arn "$O" --query Certificate)" = "$(cat "$DIR/own.example.pem")" ]
    # RSA alone is listed unless others are asked for
    [ "$(id acm list-certificates --query 'CertificateSummaryList[].DomainName')" = www.example.com ]
    says own.example vpclab acm list-certificates --includes keyTypes=EC_prime256v1
    # a second import takes the first one's place
    says "$O" import other.example.pem other.example.key --certificate-arn "$O"
    says other.example vpclab acm describe-certificate --certificate-arn "$O" --query Certificate.DomainName
    says web vpclab acm list-tags-for-certificate --certificate-arn "$C"
    vpclab acm remove-tags-from-certificate --certificate-arn "$C" --tags Key=team,Value=other
    says web vpclab acm list-tags-for-certificate --certificate-arn "$C"
    vpclab acm remove-tags-from-certificate --certificate-arn "$C" --tags Key=team
    says '"Tags": []' vpclab acm list-tags-for-certificate --certificate-arn "$C"
    fails grep -q 'PRIVATE KEY' "$XDG_DATA_HOME"/vpclab/labs/default/journal.jsonl
    vpclab acm delete-certificate --certificate-arn "$O"
    wrong 4 ResourceNotFoundException vpclab acm describe-certificate --certificate-arn "$O"
}

@test "what ACM refuses" {
    pems own.example
    pems other.example
    wrong 4 'does not belong to the certificate [ValidationException]' import own.example.pem other.example.key
    wrong 4 'chain does not lead on' import own.example.pem own.example.key --certificate-chain "fileb://$DIR/other.example.pem"
    cat "$DIR"/own.example.pem "$DIR"/other.example.pem >"$DIR/two.pem"
    wrong 4 'more than one certificate' import two.pem own.example.key
    wrong 4 'not PEM text' import own.example.key own.example.key
    openssl pkey -in "$DIR/own.example.key" -aes128 -passout pass:secret -out "$DIR/sealed.key"
    wrong 4 'sealed with a password' import own.example.pem sealed.key
    : >"$DIR/empty"
    wrong 4 'is no PEM text' import empty own.example.key
    wrong 4 '`a_b.example` is no domain name [InvalidParameterException]' vpclab acm request-certificate --domain-name a_b.example
    wrong 4 'is no domain name' vpclab acm request-certificate --domain-name example.com --subject-alternative-names 'x.example,DNS:y.example'
    wrong 4 'RSA_2048, EC_prime256v1' vpclab acm request-certificate --domain-name example.com --key-algorithm RSA_4096
    wrong 4 'it must match' vpclab acm delete-certificate --certificate-arn www.example.com.and.more
    wrong 4 InvalidArnException vpclab acm delete-certificate --certificate-arn arn:aws:acm:us-east-1:123456789012:account/1
    C=$(id acm request-certificate --domain-name example.com --key-algorithm EC_prime256v1 --query CertificateArn)
    wrong 4 'only an imported certificate' import own.example.pem own.example.key --certificate-arn "$C"
    wrong 4 ResourceNotFoundException vpclab --region eu-west-1 acm get-certificate --certificate-arn "$C"
}

@test "listeners name certificates that are there, and these stay while they do" {
    balancer
    C=$(id acm request-certificate --domain-name www.example.com --key-algorithm EC_prime256v1 --query CertificateArn)
    D=$(id acm request-certificate --domain-name www.example.org --key-algorithm EC_prime256v1 --query CertificateArn)
    wrong 4 CertificateNotFound listener --protocol HTTPS --certificates CertificateArn="${C%?????}00000"
    wrong 4 'a certificate must be specified' listener --protocol HTTPS
    wrong 4 TooManyCertificates listener --protocol HTTPS --certificates CertificateArn="$C" CertificateArn="$D"
    wrong 4 SSLPolicyNotFound listener --protocol HTTPS --certificates CertificateArn="$C" --ssl-policy none
    wrong 4 ALPNPolicyNotSupported listener --protocol HTTPS --certificates CertificateArn="$C" --alpn-policy HTTP1Only
    wrong 4 'ends no TLS' listener --protocol HTTP --certificates CertificateArn="$C"
    L=$(listener --protocol HTTPS --certificates CertificateArn="$C" -o text --query 'Listeners[0].ListenerArn')
    says ELBSecurityPolicy-2016-08 vpclab elbv2 describe-listeners --listener-arns "$L"
    wrong 4 ResourceInUseException vpclab acm delete-certificate --certificate-arn "$C"
    says loadbalancer/app/lb/ vpclab acm describe-certificate --certificate-arn "$C" --query Certificate.InUseBy
    vpclab elbv2 add-listener-certificates --listener-arn "$L" --certificates CertificateArn="$D" >/dev/null
    wrong 4 CertificateNotFound vpclab elbv2 add-listener-certificates --listener-arn "$L" --certificates CertificateArn="${C%?????}00000"
    says '[true, false]' eval 'vpclab elbv2 describe-listener-certificates --listener-arn "$L" --query "Certificates[].IsDefault" | jq -c . | sed "s/,/, /"'
    wrong 4 ResourceInUseException vpclab acm delete-certificate --certificate-arn "$D"
    wrong 4 OperationNotPermitted vpclab elbv2 remove-listener-certificates --listener-arn "$L" --certificates CertificateArn="$C"
    vpclab elbv2 remove-listener-certificates --listener-arn "$L" --certificates CertificateArn="$D"
    vpclab acm delete-certificate --certificate-arn "$D"
    # to HTTP, and what it said of TLS is forgotten
    vpclab elbv2 modify-listener --listener-arn "$L" --protocol HTTP >/dev/null
    wrong 4 ValidationError vpclab elbv2 add-listener-certificates --listener-arn "$L" --certificates CertificateArn="$C"
    # Classic
    vpclab elb create-load-balancer --load-balancer-name old --scheme internal --subnets "$A" --listeners "Protocol=HTTPS,LoadBalancerPort=443,InstancePort=80,SSLCertificateId=$C" \
        Protocol=TCP,LoadBalancerPort=80,InstancePort=80 >/dev/null
    wrong 4 ResourceInUseException vpclab acm delete-certificate --certificate-arn "$C"
    says loadbalancer/old vpclab acm describe-certificate --certificate-arn "$C" --query Certificate.InUseBy
    D=$(id acm request-certificate --domain-name www.example.org --key-algorithm EC_prime256v1 --query CertificateArn)
    set_one() { vpclab elb set-load-balancer-listener-ssl-certificate --load-balancer-name old --load-balancer-port "$1" --ssl-certificate-id "$2"; }
    wrong 4 CertificateNotFound set_one 443 "${C%?????}00000"
    wrong 4 InvalidConfigurationRequest set_one 80 "$D"
    wrong 4 ListenerNotFound set_one 81 "$D"
    set_one 443 "$D"
    vpclab acm delete-certificate --certificate-arn "$C"
}

@test "who may use certificates is decided by their ARNs" {
    C=$(id acm request-certificate --domain-name www.example.com --key-algorithm EC_prime256v1 --query CertificateArn)
    vpclab iam create-user --user-name amy >/dev/null
    vpclab iam put-user-policy --user-name amy --policy-name p --policy-document '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"acm:DescribeCertificate","Resource":"'"$C"'"}}'
    says www.example.com vpclab --as amy acm describe-certificate --certificate-arn "$C"
    wrong 4 acm:DeleteCertificate vpclab --as amy acm delete-certificate --certificate-arn "$C"
    wrong 4 acm:RequestCertificate vpclab --as amy acm request-certificate --domain-name a.example.com
}

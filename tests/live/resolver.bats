#!/usr/bin/env bats
# Names inside the live lab, asked by the programs that people use; and the hosts of its internet.
load ../cli/helper
load services

ask() { # NODE NAME [OPTION...]
    vpclab exec "$1" -- dig +short +tries=1 +time=1 "${@:2}"
}
outcome() { # NODE NAME [OPTION...]: NOERROR, NXDOMAIN, or nothing
    vpclab exec "$1" -- dig +tries=1 +time=1 "${@:2}" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'
}
needs_dig() { command -v dig >/dev/null || skip "dig is not installed"; }

@test "resolver: VPC+2, 169.254.169.253 and fd00:ec2::253 say the same, by UDP and TCP, whatever groups and ACLs say" {
    needs_dig
    setup_lab
    vpclab ec2 modify-vpc-attribute --vpc-id main --enable-dns-hostnames
    vpclab ec2 create-security-group --group-name closed --description x --vpc-id main >/dev/null
    group=$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=closed --query 'SecurityGroups[0].GroupId' --output text)
    vpclab ec2 revoke-security-group-egress --group-id "$group" --protocol -1 --cidr 0.0.0.0/0 >/dev/null
    web=$(run_instance web a --private-ip-address 10.0.1.10 --security-group-ids closed --ipv6-address-count 1)
    run_instance db b --private-ip-address 10.0.2.10
    up
    for server in 10.0.0.2 169.254.169.253 fd00:ec2::253; do
        for way in +notcp +tcp; do
            [ "$(ask web ip-10-0-2-10.ec2.internal "@$server" $way)" = 10.0.2.10 ]
        done
    done
    [ "$(ask web ip-10-0-2-10)" = "" ] # dig searches no domain unless told to
    [ "$(ask web ip-10-0-2-10 +search)" = 10.0.2.10 ]
    [ "$(ask web -x 10.0.2.10)" = ip-10-0-2-10.ec2.internal. ]
    [ "$(outcome web ip-10-0-2-11.ec2.internal)" = NXDOMAIN ]
    [ "$(outcome web ip-10-0-2-10.ec2.internal AAAA)" = NOERROR ]
    [ "$(vpclab exec web -- getent hosts ip-10-0-2-10.ec2.internal | cut -d' ' -f1)" = 10.0.2.10 ]
    # The same group does stop what the router only forwards.
    [ "$(code web http://10.0.2.10/)" = 000 ]
}

@test "resolver: private zones of this VPC only; DNS support switched off is silence, DHCP's servers are asked instead" {
    needs_dig
    setup_lab
    vpclab ec2 modify-vpc-attribute --vpc-id main --enable-dns-hostnames # or private zones are not asked
    run_instance web a
    vpclab ec2 create-vpc --cidr-block 10.9.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=other}]' >/dev/null
    vpclab ec2 create-subnet --vpc-id other --cidr-block 10.9.1.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=far}]' >/dev/null
    run_instance stranger far
    zone=$(vpclab route53 create-hosted-zone --name corp.internal --caller-reference 1 --vpc VPCRegion=us-east-1,VPCId=main --query HostedZone.Id --output text)
    vpclab route53 change-resource-record-sets --hosted-zone-id "$zone" --change-batch \
        '{"Changes":[{"Action":"CREATE","ResourceRecordSet":{"Name":"db.corp.internal","Type":"A","TTL":60,"ResourceRecords":[{"Value":"10.0.2.10"}]}},
                     {"Action":"CREATE","ResourceRecordSet":{"Name":"say.corp.internal","Type":"TXT","TTL":60,"ResourceRecords":[{"Value":"\"two words\""}]}},
                     {"Action":"CREATE","ResourceRecordSet":{"Name":"www.corp.internal","Type":"CNAME","TTL":60,"ResourceRecords":[{"Value":"db.corp.internal"}]}}]}' >/dev/null
    up
    [ "$(ask web db.corp.internal)" = 10.0.2.10 ]
    [ "$(ask web www.corp.internal | tail -1)" = 10.0.2.10 ]
    [ "$(ask web say.corp.internal TXT)" = '"two words"' ]
    [ "$(outcome web nosuch.corp.internal)" = NXDOMAIN ]
    [ "$(outcome stranger db.corp.internal)" = NXDOMAIN ]
    # A change is there for the next question.
    vpclab route53 change-resource-record-sets --hosted-zone-id "$zone" --change-batch \
        '{"Changes":[{"Action":"UPSERT","ResourceRecordSet":{"Name":"db.corp.internal","Type":"A","TTL":60,"ResourceRecords":[{"Value":"10.0.2.11"}]}}]}' >/dev/null
    [ "$(ask web db.corp.internal)" = 10.0.2.11 ]
    vpclab ec2 modify-vpc-attribute --vpc-id main --no-enable-dns-support
    [ -z "$(outcome web db.corp.internal)" ]
    vpclab ec2 modify-vpc-attribute --vpc-id main --enable-dns-support
    [ "$(ask web db.corp.internal)" = 10.0.2.11 ]
    options=$(vpclab ec2 create-dhcp-options --dhcp-configurations Key=domain-name-servers,Values=10.0.2.53 --query DhcpOptions.DhcpOptionsId --output text)
    vpclab ec2 associate-dhcp-options --dhcp-options-id "$options" --vpc-id main
    [ "$(vpclab exec web -- sed -n 's/^nameserver //p' /etc/resolv.conf)" = 10.0.2.53 ]
}

@test "internet: names, a web server and a scanner; through a NAT gateway, and only from there" {
    needs_dig
    setup_lab
    add_gateway
    vpclab ec2 create-security-group --group-name web --description x --vpc-id main >/dev/null
    run_instance web a --private-ip-address 10.0.1.10 --associate-public-ip-address --ipv6-address-count 1 --security-group-ids web
    run_instance db b
    up
    [ "$(code db http://web.example/)" = 000 ]
    [ "$(ask db web.example)" = 192.88.99.80 ] # the resolver answers where the internet cannot be reached
    eip=$(vpclab ec2 allocate-address --query AllocationId --output text)
    nat=$(vpclab ec2 create-nat-gateway --subnet-id a --allocation-id "$eip" --query NatGateway.NatGatewayId --output text)
    public=$(vpclab ec2 describe-addresses --allocation-ids "$eip" --query 'Addresses[0].PublicIp' --output text)
    vpclab ec2 create-route-table --vpc-id main --tag-specifications 'ResourceType=route-table,Tags=[{Key=Name,Value=private}]' >/dev/null
    vpclab ec2 create-route --route-table-id private --destination-cidr-block 0.0.0.0/0 --nat-gateway-id "$nat" >/dev/null
    vpclab ec2 associate-route-table --route-table-id private --subnet-id b >/dev/null
    [ "$(get db http://web.example/)" = "web.example: hello $public" ]
    [ "$(ask db @8.8.8.8 web.example)" = 192.88.99.80 ]
    for name in web.example dns.example scanner.example; do # `resolve` says the same
        for type in A AAAA; do
            [ "$(vpclab resolve "$name" --from db --type $type --query 'Records[].Value' -o text)" = "$(ask db "$name" $type)" ]
        done
    done
    [[ "$(get web http://web.example/ -6)" == "web.example: hello "*:* ]]
    [ "$(outcome web nosuch.example)" = NXDOMAIN ]
    # The scanner finds a port as soon as the group opens it.
    address=$(vpclab ec2 describe-instances --filters Name=tag:Name,Values=web --query 'Reservations[0].Instances[0].PublicIpAddress' --output text)
    vpclab exec --detach web -- python3 -m http.server 8080
    for _ in $(seq 50); do
        vpclab exec web -- curl -sf -o /dev/null http://127.0.0.1:8080/ && break
        sleep 0.1
    done
    [ "$(code scanner "http://$address:8080/")" = 000 ]
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 8080 --cidr 192.88.99.66/32 >/dev/null
    [ "$(code scanner "http://$address:8080/")" = 200 ]
    [ "$(code internet "http://$address:8080/")" = 000 ]
    vpclab verify
}

# Hosted zones, names of instances, and what `resolve` and `reach` make of them.
load helper

# A VPC `main` with DNS hostnames and `web` in it, another VPC `other`, the zone corp.internal of `main`.
names() {
    vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=main}]' >/dev/null
    vpclab ec2 create-vpc --cidr-block 10.1.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=other}]' >/dev/null
    vpclab ec2 modify-vpc-attribute --vpc-id main --enable-dns-hostnames
    vpclab ec2 modify-vpc-attribute --vpc-id other --enable-dns-hostnames
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=apps}]' >/dev/null
    for name in web db; do
        vpclab ec2 run-instances --image-id ami-12345678 --subnet-id apps --private-ip-address "10.0.1.$([ $name = web ] && echo 10 || echo 20)" \
            --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name}]" >/dev/null
    done
    vpclab route53 create-hosted-zone --name corp.internal --caller-reference 1 --vpc VPCRegion=us-east-1,VPCId=main >"$DIR/zone"
}
record() { # ACTION NAME TYPE VALUE
    vpclab route53 change-resource-record-sets --hosted-zone-id corp.internal --change-batch \
        "{\"Changes\":[{\"Action\":\"$1\",\"ResourceRecordSet\":{\"Name\":\"$2\",\"Type\":\"$3\",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"$4\"}]}}]}"
}

@test "a private hosted zone is made, filled, read and deleted" {
    names
    grep -qF '"PrivateZone": true' "$DIR/zone"
    says INSYNC record CREATE db.corp.internal A 10.0.1.20
    says INSYNC record UPSERT db.corp.internal A 10.0.1.21
    says INSYNC record UPSERT '*.apps.corp.internal' CNAME db.corp.internal
    [ "$(vpclab route53 list-resource-record-sets --hosted-zone-id corp.internal --query 'ResourceRecordSets[].[Name,Type]' --output text)" = \
        "$(printf 'corp.internal.\tNS\ncorp.internal.\tSOA\n\\052.apps.corp.internal.\tCNAME\ndb.corp.internal.\tA')" ]
    [ "$(vpclab route53 list-resource-record-sets --hosted-zone-id corp.internal --max-items 2 --query NextRecordName)" = '"*.apps.corp.internal."' ]
    says '"db.corp.internal."' vpclab route53 list-resource-record-sets --hosted-zone-id corp.internal --start-record-name db.corp.internal
    says 'ResourceRecordSetCount": 4' vpclab route53 get-hosted-zone --id corp.internal
    says corp.internal. vpclab route53 list-hosted-zones --hosted-zone-type PrivateHostedZone
    says 'OwningAccount": "123456789012"' vpclab route53 list-hosted-zones-by-vpc --vpc-id main --vpc-region us-east-1
    wrong 4 HostedZoneNotEmpty vpclab route53 delete-hosted-zone --id corp.internal
    record DELETE db.corp.internal A 10.0.1.21 >/dev/null
    record DELETE '*.apps.corp.internal' CNAME db.corp.internal >/dev/null
    says INSYNC vpclab route53 delete-hosted-zone --id corp.internal
    [ "$(vpclab route53 list-hosted-zones --query 'length(HostedZones)')" = 0 ]
}

@test "Route 53 refuses what AWS refuses, and changes nothing" {
    names
    record CREATE db.corp.internal A 10.0.1.20 >/dev/null
    wrong 4 'InvalidChangeBatch' record CREATE db.corp.internal A 10.0.1.21
    wrong 4 'is not an IPv4 address' record CREATE x.corp.internal A db
    wrong 4 'is not in the zone' record CREATE x.example.com A 10.0.0.1
    wrong 4 'a CNAME stands alone' record CREATE db.corp.internal CNAME x.corp.internal
    wrong 4 'at the top of the zone' record CREATE corp.internal CNAME x.corp.internal
    wrong 4 'it was not found' record DELETE nobody.corp.internal A 10.0.1.20
    wrong 4 'not those it has' record DELETE db.corp.internal A 10.0.1.21
    wrong 4 InvalidDomainName vpclab route53 create-hosted-zone --name 'a..b' --caller-reference 2
    wrong 4 HostedZoneAlreadyExists vpclab route53 create-hosted-zone --name other.internal --caller-reference 1
    wrong 4 ConflictingDomainExists vpclab route53 create-hosted-zone --name corp.internal --caller-reference 2 --vpc VPCRegion=us-east-1,VPCId=main
    wrong 4 InvalidVPCId vpclab route53 create-hosted-zone --name a.internal --caller-reference 2 --vpc VPCRegion=eu-west-1,VPCId=main
    wrong 4 LastVPCAssociation vpclab route53 disassociate-vpc-from-hosted-zone --hosted-zone-id corp.internal --vpc VPCRegion=us-east-1,VPCId=main
    wrong 4 VPCAssociationNotFound vpclab route53 disassociate-vpc-from-hosted-zone --hosted-zone-id corp.internal --vpc VPCRegion=us-east-1,VPCId=other
    wrong 4 NoSuchHostedZone vpclab route53 get-hosted-zone --id Z0000
    wrong 4 UnsupportedOperation vpclab route53 change-resource-record-sets --hosted-zone-id corp.internal --change-batch \
        '{"Changes":[{"Action":"CREATE","ResourceRecordSet":{"Name":"w.corp.internal","Type":"A","TTL":60,"SetIdentifier":"a","CidrRoutingConfig":{"CollectionId":"c","LocationName":"l"},"ResourceRecords":[{"Value":"10.0.0.1"}]}}]}'
    wrong 2 hosted-zone-id vpclab route53 change-resource-record-sets --change-batch '{"Changes":[]}'
    # A batch is made as a whole: the first change is taken back.
    wrong 4 '--change-batch.Changes[1]' vpclab route53 change-resource-record-sets --hosted-zone-id corp.internal --change-batch \
        '{"Changes":[{"Action":"DELETE","ResourceRecordSet":{"Name":"db.corp.internal","Type":"A","TTL":60,"ResourceRecords":[{"Value":"10.0.1.20"}]}},
                     {"Action":"DELETE","ResourceRecordSet":{"Name":"x.corp.internal","Type":"A","TTL":60,"ResourceRecords":[{"Value":"10.0.1.20"}]}}]}'
}

@test "who may change which zone is asked of policies" {
    names
    zone=$(vpclab route53 list-hosted-zones --query 'HostedZones[0].Id' --output text)
    vpclab iam create-user --user-name dns >/dev/null
    vpclab iam put-user-policy --user-name dns --policy-name p --policy-document \
        "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"route53:ChangeResourceRecordSets\",\"Resource\":\"arn:aws:route53:::hostedzone/${zone##*/}\"}}"
    says INSYNC vpclab --as dns route53 change-resource-record-sets --hosted-zone-id "$zone" --change-batch \
        '{"Changes":[{"Action":"CREATE","ResourceRecordSet":{"Name":"s.corp.internal","Type":"A","AliasTarget":{"HostedZoneId":"Z7HUB22UULQXV","DNSName":"sts.us-east-1.amazonaws.com","EvaluateTargetHealth":false}}}]}'
    wrong 4 AccessDenied vpclab --as dns route53 list-resource-record-sets --hosted-zone-id "$zone"
    wrong 4 AccessDenied vpclab --as dns route53 change-resource-record-sets --hosted-zone-id Z0001 --change-batch \
        '{"Changes":[{"Action":"DELETE","ResourceRecordSet":{"Name":"s.corp.internal","Type":"A","TTL":1,"ResourceRecords":[{"Value":"10.0.0.1"}]}}]}'
}

@test "a VPC of another account needs the zone owner's authorization" {
    names
    vpclab --as 222222222222 ec2 create-vpc --cidr-block 10.2.0.0/16 --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=theirs}]' >/dev/null
    wrong 4 NotAuthorizedException vpclab --as 222222222222 route53 associate-vpc-with-hosted-zone --hosted-zone-id corp.internal --vpc VPCRegion=us-east-1,VPCId=theirs
    says '"VPCId": "vpc-' vpclab route53 create-vpc-association-authorization --hosted-zone-id corp.internal --vpc VPCRegion=us-east-1,VPCId=theirs
    says '"VPCId": "vpc-' vpclab route53 list-vpc-association-authorizations --hosted-zone-id corp.internal
    says INSYNC vpclab --as 222222222222 route53 associate-vpc-with-hosted-zone --hosted-zone-id corp.internal --vpc VPCRegion=us-east-1,VPCId=theirs
    vpclab route53 delete-vpc-association-authorization --hosted-zone-id corp.internal --vpc VPCRegion=us-east-1,VPCId=theirs
    wrong 4 VPCAssociationAuthorizationNotFound vpclab route53 delete-vpc-association-authorization --hosted-zone-id corp.internal --vpc VPCRegion=us-east-1,VPCId=theirs
}

@test "resolve says what a name means to whoever asks, and why" {
    names
    record CREATE db.corp.internal A 10.0.1.20 >/dev/null
    record CREATE sql.corp.internal CNAME db.corp.internal >/dev/null
    says 'db.corp.internal  A  10.0.1.20' vpclab resolve sql.corp.internal --from web
    says 'the resolver 10.0.0.2: ' vpclab resolve db.corp.internal --from web
    says '10.0.1.10' vpclab resolve ip-10-0-1-10 --from db
    run vpclab resolve db.corp.internal --from other
    [ "$status" = 1 ] && [[ $output == *'is not associated with'*'associate-vpc-with-hosted-zone'* ]]
    run vpclab resolve db.corp.internal
    [ "$status" = 1 ] && [[ $output == *'only the VPCs of the private hosted zone'* ]]
    run vpclab resolve x.corp.internal --from web
    [ "$status" = 1 ] && [[ $output == *NXDOMAIN*'owns the name and has no record of it'* ]]
    run vpclab resolve db.corp.internal --from web --type AAAA --output json
    [ "$status" = 1 ] && [[ $output == *'"Status": "NODATA"'* ]]
    vpclab route53 associate-vpc-with-hosted-zone --hosted-zone-id corp.internal --vpc VPCRegion=us-east-1,VPCId=other >/dev/null
    says 10.0.1.20 vpclab resolve db.corp.internal --from other
    vpclab ec2 modify-vpc-attribute --vpc-id main --no-enable-dns-hostnames
    run vpclab resolve db.corp.internal --from web
    [ "$status" = 1 ] && [[ $output == *'need enableDnsHostnames'* ]]
    vpclab ec2 modify-vpc-attribute --vpc-id main --no-enable-dns-support
    run vpclab resolve db.corp.internal --from web
    [ "$status" = 1 ] && [[ $output == *TIMEOUT*'enableDnsSupport off'* ]]
    wrong 4 'is no domain name' vpclab resolve 'a..b' --from web
    wrong 2 'is in no VPC' vpclab resolve a.b --from 10.9.9.9
    wrong 2 NAME vpclab resolve
}

@test "reach takes a name for a destination and means what the source would" {
    names
    record CREATE db.corp.internal A 10.0.1.20 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id "$(vpclab ec2 describe-instances --filters Name=tag:Name,Values=db --query 'Reservations[0].Instances[0].SecurityGroups[0].GroupId' --output text)" \
        --protocol tcp --port 5432 --cidr 10.0.0.0/16 >/dev/null
    says 'REACHABLE  web -> 10.0.1.20  tcp/5432' vpclab reach web db.corp.internal tcp/5432
    grep -qF 'name  db.corp.internal: the private hosted zone' "$DIR/out"
    says '10.0.1.20' vpclab reach web ip-10-0-1-20.ec2.internal icmp
    run vpclab reach web x.corp.internal tcp/5432
    [ "$status" = 1 ] && [[ $output == *'BLOCKED  web -> x.corp.internal  tcp/5432  NO_SOURCE_OR_DESTINATION'*'has no record of it'* ]]
    run vpclab reach web x.corp.internal tcp/5432 --output json
    [ "$status" = 1 ] && [[ $output == *'"NetworkPathFound": false'* ]]
    run vpclab reach internet db.corp.internal tcp/5432
    [ "$status" = 1 ] && [[ $output == *'only the VPCs of the private hosted zone'* ]]
    wrong 2 'a source is no domain name' vpclab reach db.corp.internal web
    wrong 2 'is no protocol and port' vpclab reach web db tcp/x
    wrong 2 'says protocol and port already' vpclab reach web db tcp/22 --port 23
}

@test "an instance's resource name is answered when its options say so" {
    names
    id=$(vpclab ec2 describe-instances --filters Name=tag:Name,Values=web --query 'Reservations[0].Instances[0].InstanceId' --output text)
    run vpclab resolve "$id.ec2.internal" --from db
    [ "$status" = 1 ] && [[ $output == *modify-private-dns-name-options* ]]
    says '"Return": true' vpclab ec2 modify-private-dns-name-options --instance-id web --enable-resource-name-dns-a-record
    says 10.0.1.10 vpclab resolve "$id.ec2.internal" --from db
    wrong 4 IncorrectInstanceState vpclab ec2 modify-private-dns-name-options --instance-id web --private-dns-hostname-type resource-name
    vpclab ec2 stop-instances --instance-ids web >/dev/null
    says true vpclab ec2 modify-private-dns-name-options --instance-id web --private-dns-hostname-type resource-name
    says "\"PrivateDnsName\": \"$id.ec2.internal\"" vpclab ec2 describe-instances --instance-ids web
    vpclab ec2 modify-subnet-attribute --subnet-id apps --enable-resource-name-dns-a-record-on-launch
    says '"EnableResourceNameDnsARecord": true' vpclab ec2 run-instances --image-id ami-12345678 --subnet-id apps
}

@test "hosted zones and Direct Connect come in as AWS's own commands print them, and go out again" {
    names
    record CREATE db.corp.internal A 10.0.1.20 >/dev/null
    dx=$(vpclab directconnect create-direct-connect-gateway --direct-connect-gateway-name office --query directConnectGateway.directConnectGatewayId --output text)
    mkdir "$DIR/dump"
    for call in describe-vpcs describe-subnets describe-instances describe-network-interfaces describe-dhcp-options; do
        vpclab ec2 "$call" >"$DIR/dump/$call.json"
    done
    vpclab route53 list-hosted-zones >"$DIR/dump/zones.json"
    vpclab route53 get-hosted-zone --id corp.internal >"$DIR/dump/zone.json"
    vpclab route53 list-resource-record-sets --hosted-zone-id corp.internal >"$DIR/dump/records.json"
    vpclab directconnect describe-direct-connect-gateways >"$DIR/dump/dx.json"
    vpclab lab new copy --bare >/dev/null
    vpclab --lab copy import aws "$DIR/dump" >/dev/null
    vpclab --lab copy ec2 modify-vpc-attribute --vpc-id main --enable-dns-hostnames # no describe-vpcs tells it
    says 'db.corp.internal  A  10.0.1.20' vpclab --lab copy resolve db.corp.internal --from web
    says "$dx" vpclab --lab copy directconnect describe-direct-connect-gateways
    vpclab --lab copy export aws "$DIR/again" >/dev/null
    vpclab lab new third --bare >/dev/null
    vpclab --lab third import aws "$DIR/again" >/dev/null
    says '"db.corp.internal."' vpclab --lab third route53 list-resource-record-sets --hosted-zone-id corp.internal
    says '"VPCId": "vpc-' vpclab --lab third route53 get-hosted-zone --id corp.internal
}

@test "routing policies choose what a name means, and say what else it may mean" {
    names
    weighted() { # ACTION SetIdentifier WEIGHT VALUE
        vpclab route53 change-resource-record-sets --hosted-zone-id corp.internal --change-batch \
            "{\"Changes\":[{\"Action\":\"$1\",\"ResourceRecordSet\":{\"Name\":\"app.corp.internal\",\"Type\":\"A\",\"TTL\":60,\"SetIdentifier\":\"$2\",\"Weight\":$3,\"ResourceRecords\":[{\"Value\":\"$4\"}]}}]}"
    }
    says INSYNC weighted CREATE blue 9 10.0.1.20
    says INSYNC weighted CREATE green 1 10.0.1.10
    wrong 4 InvalidChangeBatch weighted CREATE green 2 10.0.1.10
    wrong 4 InvalidChangeBatch record CREATE app.corp.internal A 10.0.1.1
    says 'app.corp.internal  A  10.0.1.20' vpclab resolve app.corp.internal --from web
    grep -qF '10.0.1.10  (also possible)' "$DIR/out"
    grep -qF 'by weight, 9 of 10' "$DIR/out"
    run vpclab reach web app.corp.internal tcp/22
    [[ $output == *'it may as well mean 10.0.1.10'* ]]
    [ "$(vpclab route53 list-resource-record-sets --hosted-zone-id corp.internal --start-record-name app.corp.internal --max-items 1 --query '[NextRecordIdentifier,ResourceRecordSets[0].Weight]' --output text)" = "$(printf 'green\t9')" ]
    [ "$(vpclab route53 list-resource-record-sets --hosted-zone-id corp.internal --start-record-name app.corp.internal --start-record-type A --start-record-identifier green --query 'ResourceRecordSets[].SetIdentifier' --output text)" = green ]
    vpclab export aws "$DIR/out.d" >/dev/null
    vpclab --lab again import aws "$DIR/out.d" >/dev/null
    says 'by weight, 9 of 10' vpclab --lab again resolve app.corp.internal --from web
    weighted UPSERT blue 0 10.0.1.20 >/dev/null
    says 'app.corp.internal  A  10.0.1.10' vpclab resolve app.corp.internal --from web
    ! grep -q 'also possible' "$DIR/out"
}

@test "resolve and reach know the hosts of the lab's internet, also by a CNAME of a zone; what else is outside stays unknown" {
    names
    [ "$(vpclab resolve web.example | head -1)" = "web.example  A  192.88.99.80" ]
    [ "$(vpclab resolve web.example. --from web --type AAAA --query 'Records[0].Value' -o text)" = 3fff::80 ]
    [ "$(vpclab resolve 80.99.88.192.in-addr.arpa --type PTR --query 'Records[0].Value' -o text)" = web.example ]
    record CREATE shop.corp.internal CNAME web.example >/dev/null
    [ "$(vpclab resolve shop.corp.internal --from web --query 'Records[].Value' -o text)" = $'web.example\t192.88.99.80' ]
    run vpclab resolve web.example --type MX
    [ "$status" = 1 ] && [[ "$output" == *"web.example: NODATA"* ]]
    run vpclab resolve web.example --from web --type CAA
    [ "$status" = 1 ] && [[ "$output" == *"web.example: NODATA"* ]]
    run vpclab resolve nosuch.example --from web
    [ "$status" = 1 ] && [[ "$output" == *"nosuch.example: UNKNOWN"* ]]
    run vpclab reach web web.example --port 80
    [ "$status" = 1 ] && [[ "$output" == *"192.88.99.80"* ]]
    # Who asks other servers asks them for these too.
    options=$(vpclab ec2 create-dhcp-options --dhcp-configurations Key=domain-name-servers,Values=10.0.2.53 --query DhcpOptions.DhcpOptionsId --output text)
    vpclab ec2 associate-dhcp-options --dhcp-options-id "$options" --vpc-id main
    run vpclab resolve web.example --from web
    [ "$status" = 1 ] && [[ "$output" == *"web.example: UNKNOWN"* ]]
    wrong 4 'is no domain name' vpclab resolve ''
}

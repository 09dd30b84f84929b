# VPC Block Public Access: its switch, exclusions, what `reach` makes of them, import and export.
load helper

site() {
    vpclab ec2 run-instances --image-id ami-12345678 --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=web}]' >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-name default --protocol tcp --port 443 --cidr 0.0.0.0/0 >/dev/null
    subnet=$(vpclab ec2 describe-instances --query 'Reservations[0].Instances[0].SubnetId' --output text)
}

@test "Block Public Access closes the region, exclusions open it again" {
    site
    says '"State": "default-state"' vpclab ec2 describe-vpc-block-public-access-options
    vpclab reach internet web --port 443 >/dev/null
    says '"InternetGatewayBlockMode": "block-bidirectional"' vpclab ec2 modify-vpc-block-public-access-options --internet-gateway-block-mode block-bidirectional
    run vpclab reach internet web --port 443
    [ "$status" = 1 ] && [[ $output == *VPC_BLOCK_PUBLIC_ACCESS_ENABLED*"create-vpc-block-public-access-exclusion --subnet-id $subnet"*allow-bidirectional* ]]
    run vpclab reach web internet --port 443
    [ "$status" = 1 ] && [[ $output == *VPC_BLOCK_PUBLIC_ACCESS_ENABLED*allow-egress* ]]
    id=$(vpclab ec2 create-vpc-block-public-access-exclusion --subnet-id "$subnet" --internet-gateway-exclusion-mode allow-egress \
        --query VpcBlockPublicAccessExclusion.ExclusionId --output text)
    vpclab reach web internet --port 443 >/dev/null
    run vpclab reach internet web --port 443
    [ "$status" = 1 ]
    says update-complete vpclab ec2 modify-vpc-block-public-access-exclusion --exclusion-id "$id" --internet-gateway-exclusion-mode allow-bidirectional
    vpclab reach internet web --port 443 >/dev/null
    says "$id" vpclab ec2 describe-vpc-block-public-access-exclusions --filters Name=internet-gateway-exclusion-mode,Values=allow-bidirectional
    says delete-complete vpclab ec2 delete-vpc-block-public-access-exclusion --exclusion-id "$id"
    run vpclab reach web internet --port 443
    [ "$status" = 1 ]
    # Another region is not concerned.
    says '"InternetGatewayBlockMode": "off"' vpclab --region eu-west-1 ec2 describe-vpc-block-public-access-options
}

@test "what cannot be excluded is refused" {
    site
    wrong 4 MissingParameter vpclab ec2 create-vpc-block-public-access-exclusion --internet-gateway-exclusion-mode allow-egress
    wrong 4 InvalidSubnetID.NotFound vpclab ec2 create-vpc-block-public-access-exclusion --subnet-id subnet-0123456789abcdef0 --internet-gateway-exclusion-mode allow-egress
    wrong 4 allow-nothing vpclab ec2 create-vpc-block-public-access-exclusion --subnet-id "$subnet" --internet-gateway-exclusion-mode allow-nothing
    wrong 2 internet-gateway-block-mode vpclab ec2 modify-vpc-block-public-access-options
    vpclab ec2 create-vpc-block-public-access-exclusion --subnet-id "$subnet" --internet-gateway-exclusion-mode allow-egress >/dev/null
    wrong 4 'is excluded already' vpclab ec2 create-vpc-block-public-access-exclusion --subnet-id "$subnet" --internet-gateway-exclusion-mode allow-egress
    wrong 4 InvalidVpcBlockPublicAccessExclusionId.NotFound vpclab ec2 delete-vpc-block-public-access-exclusion --exclusion-id vpcbpa-exclude-0123456789abcdef0
}

@test "the switch and the exclusions go out and come in as AWS prints them" {
    site
    vpclab ec2 modify-vpc-block-public-access-options --internet-gateway-block-mode block-ingress >/dev/null
    vpclab ec2 create-vpc-block-public-access-exclusion --subnet-id "$subnet" --internet-gateway-exclusion-mode allow-egress >/dev/null
    vpclab export aws "$DIR/dump" >/dev/null
    cat "$DIR"/dump/accounts/123456789012/us-east-1/VpcBlockPublicAccessOptions.json
    vpclab lab new other --bare >/dev/null
    vpclab --lab other import aws "$DIR/dump" >/dev/null
    says '"InternetGatewayBlockMode": "block-ingress"' vpclab --lab other ec2 describe-vpc-block-public-access-options
    says allow-egress vpclab --lab other ec2 describe-vpc-block-public-access-exclusions
    run vpclab --lab other reach internet web --port 443
    [ "$status" = 1 ] && [[ $output == *VPC_BLOCK_PUBLIC_ACCESS_ENABLED* ]]
    mkdir "$DIR/mine"
    vpclab ec2 describe-vpc-block-public-access-options >"$DIR/mine/bpa.json"
    vpclab lab new third --bare >/dev/null
    vpclab --lab third import aws "$DIR/mine" >/dev/null
}

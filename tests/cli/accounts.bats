# Several accounts: an organization, what it forbids, and what crosses from one account to another.
load helper

begin() {
    vpclab organizations create-organization >/dev/null
    ROOT=$(vpclab organizations list-roots --query 'Roots[0].Id' --output text)
    DEV=$(vpclab organizations create-account --email dev@example.com --account-name dev \
        --query CreateAccountStatus.AccountId --output text)
}
allow() { printf '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"%s","Resource":"%s"}}' "$@"; }

@test "an account of the organization acts by id and by name" {
    begin
    says "\"Account\": \"$DEV\"" vpclab --as "$DEV" sts get-caller-identity
    says "\"Account\": \"$DEV\"" vpclab --as dev sts get-caller-identity
    says "$DEV" vpclab --as dev organizations describe-organization --query "'$DEV'"
    wrong 4 AccessDeniedException vpclab --as dev organizations list-accounts
    wrong 4 NoSuchEntity vpclab --as nobody sts get-caller-identity
    vpclab --as dev iam create-user --user-name bob
    says "arn:aws:iam::$DEV:user/bob" vpclab --as dev iam list-users
    [ "$(vpclab iam list-users --query 'length(Users)')" = 0 ]
}

@test "an SCP refuses in the member account, not in the management account" {
    begin
    printf '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"ec2:CreateVpc","Resource":"*"}}' >"$DIR/scp.json"
    P=$(vpclab organizations create-policy --name no-vpc --description '' --type SERVICE_CONTROL_POLICY \
        --content "file://$DIR/scp.json" --query Policy.PolicySummary.Id --output text)
    vpclab organizations attach-policy --policy-id "$P" --target-id "$DEV"
    wrong 4 'explicit deny in a service control policy' vpclab --as dev ec2 create-vpc --cidr-block 10.1.0.0/16
    says VpcId vpclab ec2 create-vpc --cidr-block 10.1.0.0/16
    says '"AllowedByOrganizations": false' vpclab --as dev iam simulate-principal-policy --action-names ec2:CreateVpc \
        --policy-source-arn "arn:aws:iam::$DEV:role/OrganizationAccountAccessRole"
    says '"AllowedByOrganizations": true' vpclab --as dev iam simulate-principal-policy --action-names ec2:CreateSubnet \
        --policy-source-arn "arn:aws:iam::$DEV:role/OrganizationAccountAccessRole"
}

@test "an RCP keeps outsiders out of a member's bucket" {
    begin
    vpclab --as dev s3api create-bucket --bucket shared >/dev/null
    vpclab --as dev s3api put-bucket-policy --bucket shared \
        --policy "$(allow 999988887777 s3:GetObject 'arn:aws:s3:::shared/*')"
    says allowed vpclab simulate arn:aws:iam::999988887777:root s3:GetObject shared/k --query Decision --output text
    ORG=$(vpclab organizations describe-organization --query Organization.Id --output text)
    cat >"$DIR/rcp.json" <<RCP
{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
 "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "$ORG"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}}
RCP
    P=$(vpclab organizations create-policy --name perimeter --description '' --type RESOURCE_CONTROL_POLICY \
        --content "file://$DIR/rcp.json" --query Policy.PolicySummary.Id --output text)
    vpclab organizations enable-policy-type --root-id "$ROOT" --policy-type RESOURCE_CONTROL_POLICY >/dev/null
    vpclab organizations attach-policy --policy-id "$P" --target-id "$ROOT"
    status=0
    vpclab simulate arn:aws:iam::999988887777:root s3:GetObject shared/k >"$DIR/out" || status=$?
    [ "$status" = 1 ]
    grep -q 'resource control policy' "$DIR/out"
    says ALLOWED vpclab simulate "arn:aws:iam::$DEV:root" s3:GetObject shared/k
}

@test "a KMS key opens to another account when both sides say so" {
    begin
    K=$(vpclab kms create-key --query KeyMetadata.Arn --output text)
    wrong 4 AccessDeniedException vpclab --as dev kms describe-key --key-id "$K"
    cat >"$DIR/key.json" <<KEY
{"Version": "2012-10-17", "Statement": [
 {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"},
 {"Effect": "Allow", "Principal": {"AWS": "$DEV"}, "Action": "kms:DescribeKey", "Resource": "*"}]}
KEY
    vpclab kms put-key-policy --key-id "$K" --policy "file://$DIR/key.json"
    says '"KeyState": "Enabled"' vpclab --as dev kms describe-key --key-id "$K"
    wrong 4 AccessDeniedException vpclab --as dev kms get-key-policy --key-id "$K"
}

@test "who may not list a bucket is not told which keys it lacks" {
    vpclab s3api create-bucket --bucket shop >/dev/null
    vpclab s3api put-object --bucket shop --key there >/dev/null
    vpclab iam create-user --user-name alice >/dev/null
    vpclab iam put-user-policy --user-name alice --policy-name p --policy-document \
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}'
    says ETag vpclab --as alice s3api head-object --bucket shop --key there
    wrong 4 'perform: s3:ListBucket' vpclab --as alice s3api head-object --bucket shop --key missing
    wrong 4 NoSuchKey vpclab s3api head-object --bucket shop --key missing
}

@test "an access point is saved with the lab and decides" {
    vpclab s3api create-bucket --bucket desk-bucket >/dev/null
    vpclab s3control create-access-point --account-id 123456789012 --name desk --bucket desk-bucket \
        --vpc-configuration VpcId=vpc-1a2b3c4d >/dev/null
    says VPC vpclab s3control get-access-point --account-id 123456789012 --name desk --query NetworkOrigin --output text
    point=arn:aws:s3:us-east-1:123456789012:accesspoint/desk
    says allowed vpclab simulate root s3:GetObject "$point/object/k" --context aws:SourceVpc=vpc-1a2b3c4d \
        --query Decision --output text
}

@test "a peering connection to another account is accepted there, and each side has its own options" {
    begin
    A=$(vpclab ec2 create-vpc --cidr-block 10.1.0.0/16 --query Vpc.VpcId --output text)
    B=$(vpclab --as "$DEV" ec2 create-vpc --cidr-block 10.2.0.0/16 --query Vpc.VpcId --output text)
    # without the owner the VPC would be one of ours, and there is none of that id
    says '"failed"' vpclab ec2 create-vpc-peering-connection --vpc-id "$A" --peer-vpc-id "$B"
    P=$(vpclab ec2 create-vpc-peering-connection --vpc-id "$A" --peer-vpc-id "$B" --peer-owner-id "$DEV" --query VpcPeeringConnection.VpcPeeringConnectionId --output text)
    wrong 4 OperationNotPermitted vpclab ec2 accept-vpc-peering-connection --vpc-peering-connection-id "$P"
    wrong 4 "--as $DEV" vpclab ec2 accept-vpc-peering-connection --vpc-peering-connection-id "$P"
    wrong 4 OperationNotPermitted vpclab ec2 reject-vpc-peering-connection --vpc-peering-connection-id "$P"
    says '"active"' vpclab --as "$DEV" ec2 accept-vpc-peering-connection --vpc-peering-connection-id "$P"
    wrong 4 OperationNotPermitted vpclab ec2 modify-vpc-peering-connection-options --vpc-peering-connection-id "$P" \
        --accepter-peering-connection-options AllowDnsResolutionFromRemoteVpc=true
    says true vpclab ec2 modify-vpc-peering-connection-options --vpc-peering-connection-id "$P" \
        --requester-peering-connection-options AllowDnsResolutionFromRemoteVpc=true
}

@test "the hints for what belongs to another account say so" {
    begin
    vpclab -q -f - <<END >/dev/null
a = ec2 create-vpc --cidr-block 10.1.0.0/16
b = ec2 create-vpc --cidr-block 10.2.0.0/16 --as $DEV
here = ec2 create-subnet --vpc-id \$a --cidr-block 10.1.1.0/24
there = ec2 create-subnet --vpc-id \$b --cidr-block 10.2.1.0/24 --as $DEV
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id \$here --private-ip-address 10.1.1.10
ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id \$there --private-ip-address 10.2.1.10 --as $DEV
ec2 create-vpc-peering-connection --vpc-id \$a --peer-vpc-id \$b --peer-owner-id $DEV
table = ec2 create-route-table --vpc-id \$a
ec2 associate-route-table --route-table-id \$table --subnet-id \$here
END
    vpclab ec2 create-route --route-table-id "$(vpclab ec2 describe-route-tables --query 'RouteTables[?Associations[0].SubnetId].RouteTableId | [0]' -o text)" \
        --destination-cidr-block 10.2.0.0/16 --vpc-peering-connection-id "$(vpclab ec2 describe-vpc-peering-connections --query 'VpcPeeringConnections[0].VpcPeeringConnectionId' -o text)" >/dev/null
    for ((i = 0; i < 6; i++)); do
        vpclab reach 10.1.1.10 10.2.1.10 tcp/22 >"$DIR/out" || true
        grep -q '^hint: ' "$DIR/out" || break
        sed -n 's/^hint: //p' "$DIR/out" >>"$DIR/mends"
        tail -n1 "$DIR/mends" | vpclab -q >/dev/null
    done
    cat "$DIR/mends"
    grep -q '^REACHABLE' "$DIR/out"
    [ "$(grep -c -- "--as $DEV$" "$DIR/mends")" = 3 ] # accept, a rule, a route back
}

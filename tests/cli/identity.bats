# Who acts: --as, assume, sessions, and what a refusal leaves behind.
load helper

user() { # NAME STATEMENT: a user with one inline policy
    vpclab iam create-user --user-name "$1" >/dev/null
    vpclab iam put-user-policy --user-name "$1" --policy-name p --policy-document \
        "{\"Version\": \"2012-10-17\", \"Statement\": [$2]}"
}
reader='{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}'
events() { cat "$XDG_DATA_HOME"/vpclab/labs/default/journal.jsonl; }

@test "--as: a reader reads and changes nothing" {
    user alice "$reader"
    says '172.31.0.0/16' vpclab --as alice ec2 describe-vpcs
    says '172.31.0.0/16' vpclab ec2 describe-vpcs --as arn:aws:iam::123456789012:user/alice
    wrong 4 'is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:us-east-1:123456789012:vpc/*' \
        vpclab --as alice ec2 create-vpc --cidr-block 10.0.0.0/16
    grep -q '\[UnauthorizedOperation\]' "$DIR/err"
    events | tail -2 | grep '"type":"IAMUser"' | grep '"userName":"alice"' | grep -q '"errorCode":"UnauthorizedOperation"'
    wrong 4 '[UnauthorizedOperation]' vpclab --as alice ec2 create-vpc --cidr-block 10.0.0.0/16 --dry-run
    wrong 4 '[DryRunOperation]' vpclab --as root ec2 create-vpc --cidr-block 10.0.0.0/16 --dry-run
    says '10.0.0.0/16' vpclab ec2 create-vpc --cidr-block 10.0.0.0/16
}

@test "--as: who is not there" {
    wrong 4 'there is no user or role `nobody`' vpclab --as nobody ec2 describe-vpcs
    wrong 4 'there is no session' vpclab --as arn:aws:sts::123456789012:assumed-role/app/x ec2 describe-vpcs
    wrong 4 '[InvalidClientTokenId]' vpclab --as AKIAIOSFODNN7EXAMPLE ec2 describe-vpcs
}

@test "an encoded message decodes to what was asked" {
    user alice "$reader"
    wrong 4 'Encoded authorization failure message: ' vpclab --as alice ec2 create-vpc --cidr-block 10.0.0.0/16
    message=$(sed -n 's/.*failure message: \([^ ]*\) .*/\1/p' "$DIR/err")
    says '\"action\":\"ec2:CreateVpc\"' vpclab sts decode-authorization-message --encoded-message "$message"
    grep -q 'explicitDeny\\":false' "$DIR/out"
    wrong 4 '[InvalidAuthorizationMessageException]' vpclab sts decode-authorization-message --encoded-message x"$message"
}

@test "assume-role: the trust policy decides, and the session acts" {
    user alice "$reader"
    vpclab iam create-role --role-name app --assume-role-policy-document '{"Version": "2012-10-17", "Statement":
        [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/alice"}, "Action": "sts:AssumeRole"}]}' >/dev/null
    vpclab iam attach-role-policy --role-name app --policy-arn arn:aws:iam::aws:policy/AmazonEC2FullAccess
    role=arn:aws:iam::123456789012:role/app session=arn:aws:sts::123456789012:assumed-role/app/batch
    wrong 4 'Roles may not be assumed by root accounts' vpclab sts assume-role --role-arn $role --role-session-name batch
    says "$session" vpclab --as alice sts assume-role --role-arn $role --role-session-name batch
    key=$(sed -n 's/.*"AccessKeyId": "\(.*\)",/\1/p' "$DIR/out")
    says 10.1.0.0/16 vpclab --as $session ec2 create-vpc --cidr-block 10.1.0.0/16
    says "$session" vpclab --as "$key" sts get-caller-identity
    events | grep '"type":"AssumedRole"' | grep -q '"sessionIssuer":{"type":"Role"'
    vpclab iam delete-role --role-name app 2>/dev/null || vpclab iam detach-role-policy --role-name app --policy-arn arn:aws:iam::aws:policy/AmazonEC2FullAccess
    vpclab iam delete-role --role-name app
    wrong 4 '[InvalidClientTokenId]' vpclab --as "$key" sts get-caller-identity
}

@test "assume changes who acts from there on" {
    user alice "$reader"
    vpclab -c 'sts get-caller-identity --query Arn
        assume alice > /dev/null
        sts get-caller-identity --query Arn
        expect UnauthorizedOperation ec2 create-vpc --cidr-block 10.0.0.0/16
        sts get-caller-identity --query Arn --as root
        assume root > /dev/null
        sts get-caller-identity --query Arn' >"$DIR/out"
    printf '"arn:aws:iam::123456789012:%s"\n' root user/alice root root | diff - "$DIR/out"
}

@test "Lua: lab.as from there on, or for one function" {
    cat >"$DIR/as.lua" <<'END'
iam.create_user{ user_name = "alice" }
lab.expect_error("UnauthorizedOperation", lab.as, "alice", ec2.describe_vpcs)
print(sts.get_caller_identity().Arn)
lab.as("alice")
print(sts.get_caller_identity().Arn)
lab.as("alice", function() print(sts.get_caller_identity().UserId == iam_id) end)
print(lab.as(nil))
print(sts.get_caller_identity().Arn)
END
    vpclab run "$DIR/as.lua" >"$DIR/out"
    grep -q '^ok  refused: You are not authorized' "$DIR/out"
    sed 1d "$DIR/out" >"$DIR/rest"
    printf '%s\n' arn:aws:iam::123456789012:root arn:aws:iam::123456789012:user/alice false \
        arn:aws:iam::123456789012:user/alice arn:aws:iam::123456789012:root | diff - "$DIR/rest"
}

@test "get-user without a name is whoever asks; --as and assume complete to principals" {
    user alice '{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "arn:aws:iam::*:user/${aws:username}"}'
    says '"UserName": "alice"' vpclab --as alice iam get-user
    says 'arn:aws:iam::123456789012:root' vpclab iam get-user
    wrong 4 'AccessDenied' vpclab --as alice iam get-user --user-name bob
    says 'alice ' vpclab complete -- assume al
    says 'alice ' vpclab complete -- ec2 describe-vpcs --as al
}

@test "an expired session and a key switched off are refused" {
    user alice '{"Effect": "Allow", "Action": "*", "Resource": "*"}'
    key=$(vpclab iam create-access-key --user-name alice --query AccessKey.AccessKeyId -o text)
    says user/alice vpclab --as "$key" sts get-caller-identity
    vpclab iam update-access-key --user-name alice --access-key-id "$key" --status Inactive
    wrong 4 '[InvalidClientTokenId]' vpclab --as "$key" sts get-caller-identity
    grep -q 'is inactive' "$DIR/err"
}

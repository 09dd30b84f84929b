# `import iam`: a real account's users, groups, roles and policies.
load helper

account()
{
    cat >"$DIR/account.json" <<'END'
{"UserDetailList": [{"Path": "/", "UserName": "alice", "UserId": "AIDAIMPORTEDALICE0001", "Arn": "arn:aws:iam::123456789012:user/alice",
    "CreateDate": "2024-01-02T03:04:05+00:00", "GroupList": ["readers"], "AttachedManagedPolicies": [], "Tags": [{"Key": "team", "Value": "red"}],
    "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}}]}],
 "GroupDetailList": [{"Path": "/", "GroupName": "readers", "GroupId": "AGPAIMPORTEDREADERS01", "Arn": "arn:aws:iam::123456789012:group/readers",
    "CreateDate": "2024-01-02T03:04:05Z", "GroupPolicyList": [], "AttachedManagedPolicies": [{"PolicyName": "read", "PolicyArn": "arn:aws:iam::123456789012:policy/read"},
      {"PolicyName": "Rare", "PolicyArn": "arn:aws:iam::aws:policy/Rare"}]}],
 "RoleDetailList": [{"Path": "/", "RoleName": "app", "RoleId": "AROAIMPORTEDAPP000001", "Arn": "arn:aws:iam::123456789012:role/app", "CreateDate": "2024-01-02T03:04:05Z",
    "AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ec2.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D",
    "RolePolicyList": [], "AttachedManagedPolicies": [], "Tags": [], "RoleLastUsed": {},
    "InstanceProfileList": [{"Path": "/", "InstanceProfileName": "app", "InstanceProfileId": "AIPAIMPORTEDAPP000001", "Arn": "arn:aws:iam::123456789012:instance-profile/app", "CreateDate": "2024-01-02T03:04:05Z", "Roles": []}]}],
 "Policies": [{"PolicyName": "read", "PolicyId": "ANPAIMPORTEDREAD00001", "Arn": "arn:aws:iam::123456789012:policy/read", "Path": "/", "DefaultVersionId": "v3",
    "AttachmentCount": 1, "IsAttachable": true, "CreateDate": "2024-01-02T03:04:05Z", "UpdateDate": "2024-01-02T03:04:05Z",
    "PolicyVersionList": [{"VersionId": "v3", "IsDefaultVersion": true, "CreateDate": "2024-01-02T03:04:05Z",
      "Document": {"Version": "2012-10-17", "Statement": [{"Sid": "Get", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}}]},
  {"PolicyName": "Rare", "PolicyId": "ANPAAWSRARE0000000001", "Arn": "arn:aws:iam::aws:policy/Rare", "Path": "/", "DefaultVersionId": "v1",
    "CreateDate": "2024-01-02T03:04:05Z", "UpdateDate": "2024-01-02T03:04:05Z", "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "CreateDate": "2024-01-02T03:04:05Z",
      "Document": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}]}}]}]}
END
}

@test "an imported account decides" {
    account
    says 'imported into account 123456789012: 1 user, 1 group, 1 role, 2 policies' vpclab import iam "$DIR/account.json"
    says ALLOWED vpclab simulate alice s3:GetObject b/k
    says ALLOWED vpclab simulate alice sqs:SendMessage arn:aws:sqs:us-east-1:123456789012:q
    says ALLOWED vpclab simulate alice sns:Publish arn:aws:sns:us-east-1:123456789012:t
    says ALLOWED vpclab simulate ec2.amazonaws.com sts:AssumeRole app
    run vpclab simulate alice s3:PutObject b/k
    [ "$status" = 1 ]
    says '"app"' vpclab iam get-instance-profile --instance-profile-name app --query InstanceProfile.Roles[0].RoleName
    # A second import replaces, and new versions go on counting.
    says 'imported' vpclab import iam "$DIR/account.json"
    [ "$(vpclab iam list-users --query 'length(Users)')" = 1 ]
    says '"v4"' vpclab iam create-policy-version --policy-arn arn:aws:iam::123456789012:policy/read \
        --policy-document '{"Version":"2012-10-17","Statement":[]}' --query PolicyVersion.VersionId
}

@test "what goes out comes in again" {
    account
    vpclab import iam "$DIR/account.json" >/dev/null
    vpclab iam get-account-authorization-details --filter User Group Role LocalManagedPolicy >"$DIR/out.json"
    vpclab --lab second import iam "$DIR/out.json" >/dev/null
    vpclab --lab second iam get-account-authorization-details --filter User Group Role LocalManagedPolicy >"$DIR/again.json"
    diff "$DIR/out.json" "$DIR/again.json"
    grep -q AIDAIMPORTEDALICE0001 "$DIR/again.json"
}

@test "what cannot be read is named, and nothing is changed" {
    account
    sed -i 's/"Effect": "Allow", "Action": "sqs/"Efect": "Allow", "Action": "sqs/' "$DIR/account.json"
    wrong 3 'UserDetailList[0]' vpclab import iam "$DIR/account.json"
    echo '{"Users": []}' >"$DIR/account.json"
    wrong 3 'get-account-authorization-details' vpclab import iam "$DIR/account.json"
    echo '{"UserDetailList": [{"UserName": "x"}]}' >"$DIR/account.json"
    wrong 3 'it has no name and ARN' vpclab import iam "$DIR/account.json"
}

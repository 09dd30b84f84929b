# S3 requests through access points, and the KMS keys of objects: both ask policies of their own.
load helper

allow() { # USER ACTIONS RESOURCE: an inline policy
    vpclab iam put-user-policy --user-name "$1" --policy-name "p$RANDOM" --policy-document \
        "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":$2,\"Resource\":$3}}"
}
POINT=arn:aws:s3:us-east-1:123456789012:accesspoint/reports

setup_point()
{
    vpclab s3api create-bucket --bucket data-1 >/dev/null
    vpclab s3control create-access-point --account-id 123456789012 --name reports --bucket data-1 >/dev/null
    vpclab s3api put-object --bucket data-1 --key q1 --body /dev/null --tagging team=blue >/dev/null
    vpclab iam create-user --user-name alice >/dev/null
}

@test "an object is got through an access point, by ARN and by alias" {
    setup_point
    alias=$(vpclab s3control get-access-point --account-id 123456789012 --name reports --query Alias -o text)
    [[ $alias =~ ^reports-[a-z0-9]{34}-s3alias$ ]]
    allow alice '"s3:GetObject"' "\"$POINT/object/q*\""
    says '"AcceptRanges"' vpclab --as alice s3api get-object --bucket "$POINT" --key q1
    says '"AcceptRanges"' vpclab --as alice s3api get-object --bucket "$alias" --key q1
    # The policy is for the access point, not for the bucket beneath it.
    wrong 4 'on resource: "arn:aws:s3:::data-1/q1"' vpclab --as alice s3api get-object --bucket data-1 --key q1
    wrong 4 "on resource: \"$POINT/object/x\"" vpclab --as alice s3api get-object --bucket "$POINT" --key x
    wrong 4 "on resource: \"$POINT\"" vpclab --as alice s3api list-objects-v2 --bucket "$alias"
    allow alice '"s3:ListBucket"' "\"$POINT\""
    says q1 vpclab --as alice s3api list-objects-v2 --bucket "$alias" --query 'Contents[].Key' -o text
    wrong 4 NoSuchAccessPoint vpclab s3api get-object --bucket "${POINT}x" --key q1
    wrong 4 NoSuchAccessPoint vpclab s3api get-object --bucket nothing-s3alias --key q1
    wrong 4 MethodNotAllowed vpclab s3api put-bucket-policy --bucket "$POINT" --policy '{}'
}

@test "the access point's policy and the bucket's both have a say, and know which access point it is" {
    setup_point
    allow alice '["s3:GetObject","s3:PutObject"]' '"*"'
    vpclab s3control put-access-point-policy --account-id 123456789012 --name reports --policy \
        "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"$POINT/object/secret/*\"}}"
    vpclab s3api put-object --bucket data-1 --key secret/a --body /dev/null >/dev/null
    wrong 4 "explicit deny in a resource-based policy" vpclab --as alice s3api get-object --bucket "$POINT" --key secret/a
    says '"ETag"' vpclab --as alice s3api get-object --bucket data-1 --key secret/a
    # Only through access points of the account: the bucket's policy from AWS's page about delegating.
    vpclab s3api put-bucket-policy --bucket data-1 --policy '{"Version":"2012-10-17","Statement":[{"Sid":"OnlyThroughPoints","Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data-1/*","Condition":{"StringNotEquals":{"s3:DataAccessPointAccount":"123456789012"}}},
        {"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::data-1/*","Condition":{"ArnEquals":{"s3:DataAccessPointArn":"'$POINT'"}}}]}'
    wrong 4 "explicit deny" vpclab --as alice s3api get-object --bucket data-1 --key secret/a
    says '"ETag"' vpclab --as alice s3api get-object --bucket "$POINT" --key q1
    wrong 4 "explicit deny" vpclab --as alice s3api put-object --bucket "$POINT" --key q2 --body /dev/null
    says '"ETag"' vpclab --as alice s3api put-object --bucket data-1 --key q2 --body /dev/null
    # Copying through it asks for the source's object as well.
    wrong 4 "$POINT/object/secret/a" vpclab --as alice s3api copy-object --bucket data-1 --key c --copy-source "$POINT/object/secret/a"
    says '"ETag"' vpclab --as alice s3api copy-object --bucket data-1 --key c --copy-source "$POINT/object/q1"
}

@test "an access point of a VPC answers nobody outside of it" {
    setup_point
    vpc=$(vpclab -q ec2 create-vpc --cidr-block 10.0.0.0/16)
    vpclab s3control create-access-point --account-id 123456789012 --name inner --bucket data-1 --vpc-configuration "VpcId=$vpc" >/dev/null
    allow alice '"s3:*"' '"*"'
    wrong 4 AccessDenied vpclab --as alice s3api get-object --bucket arn:aws:s3:us-east-1:123456789012:accesspoint/inner --key q1
    says '"ETag"' vpclab --as alice s3api get-object --bucket "$POINT" --key q1
    says ALLOWED vpclab simulate alice s3:GetObject arn:aws:s3:us-east-1:123456789012:accesspoint/inner/object/q1 --context "aws:SourceVpc=$vpc"
}

setup_key()
{
    vpclab s3api create-bucket --bucket data-1 >/dev/null
    vpclab iam create-user --user-name alice >/dev/null
    allow alice '["s3:GetObject","s3:PutObject"]' '"*"'
    key=$(vpclab kms create-key --query KeyMetadata.Arn -o text)
}

@test "putting an object under a KMS key asks for kms:GenerateDataKey, getting it for kms:Decrypt" {
    setup_key
    put() { vpclab --as alice s3api put-object --bucket data-1 --key a --body /dev/null --server-side-encryption aws:kms --ssekms-key-id "$key"; }
    wrong 4 "kms:GenerateDataKey on resource: $key" put
    allow alice '"kms:GenerateDataKey"' "\"$key\""
    says "$key" put
    wrong 4 "kms:Decrypt on resource: $key" vpclab --as alice s3api get-object --bucket data-1 --key a
    says "$key" vpclab --as alice s3api head-object --bucket data-1 --key a # nothing is decrypted
    wrong 4 "kms:Decrypt" vpclab --as alice s3api copy-object --bucket data-1 --key b --copy-source data-1/a
    allow alice '"kms:Decrypt"' "\"$key\""
    says '"ETag"' vpclab --as alice s3api get-object --bucket data-1 --key a
    says AES256 vpclab --as alice s3api copy-object --bucket data-1 --key b --copy-source data-1/a
    vpclab kms disable-key --key-id "$key"
    wrong 4 KMS.DisabledException vpclab --as alice s3api get-object --bucket data-1 --key a
    wrong 4 KMS.NotFoundException vpclab s3api put-object --bucket data-1 --key a --body /dev/null --server-side-encryption aws:kms --ssekms-key-id alias/none
    wrong 4 InvalidArgument vpclab s3api put-object --bucket data-1 --key a --body /dev/null --ssekms-key-id "$key"
}

@test "a key's policy may serve S3 alone, and only some objects" {
    setup_key
    allow alice '"kms:*"' '"*"'
    policy() # VIA CONTEXT
    {
        vpclab kms put-key-policy --key-id "$key" --policy '{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["kms:Put*","kms:Describe*"],"Resource":"*"},
            {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*",
             "Condition":{"StringEquals":{"kms:ViaService":"'"$1"'","kms:CallerAccount":"123456789012"},"StringLike":{"kms:EncryptionContext:aws:s3:arn":"'"$2"'"}}}]}'
    }
    put() { vpclab --as alice s3api put-object --bucket data-1 --key "$1" --body /dev/null --server-side-encryption aws:kms --ssekms-key-id "$key" "${@:2}"; }
    policy s3.us-east-1.amazonaws.com 'arn:aws:s3:::data-1/team/*'
    says "$key" put team/a
    wrong 4 "kms:GenerateDataKey" put other/a
    wrong 4 "kms:GenerateDataKey" put team/a --bucket-key-enabled # then the context is the bucket's ARN
    policy s3.us-east-1.amazonaws.com 'arn:aws:s3:::data-1'
    says '"BucketKeyEnabled": true' put team/a --bucket-key-enabled
    says '"ETag"' vpclab --as alice s3api get-object --bucket data-1 --key team/a
    policy ec2.us-east-1.amazonaws.com '*'
    wrong 4 "kms:Decrypt" vpclab --as alice s3api get-object --bucket data-1 --key team/a
}

@test "a bucket's default key is asked for too" {
    setup_key
    vpclab kms create-alias --alias-name alias/data --target-key-id "$key"
    vpclab s3api put-bucket-encryption --bucket data-1 --server-side-encryption-configuration \
        '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"alias/data"}}]}'
    wrong 4 "kms:GenerateDataKey on resource: $key" vpclab --as alice s3api put-object --bucket data-1 --key a --body /dev/null
    says AES256 vpclab --as alice s3api put-object --bucket data-1 --key a --body /dev/null --server-side-encryption AES256
    allow alice '"kms:GenerateDataKey"' '"*"'
    says "$key" vpclab --as alice s3api put-object --bucket data-1 --key a --body /dev/null
    # S3's own key needs no permission within the account.
    says '"aws:kms"' vpclab --as alice s3api put-object --bucket data-1 --key b --body /dev/null --server-side-encryption aws:kms --ssekms-key-id alias/aws/s3
    says '"aws:kms"' vpclab --as alice s3api get-object --bucket data-1 --key b
}

# Questions to policies at the command line: the short verb, the simulator and the batch forms.
load helper

setup_readers()
{
    printf '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {\n      "Sid": "Read",\n      "Effect": "Allow",\n      "Action": "s3:GetObject",\n      "Resource": "arn:aws:s3:::my-bucket/reports/*",\n      "Condition": { "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }\n    }\n  ]\n}\n' >"$DIR/read.json"
    vpclab iam create-user --user-name alice >/dev/null
    vpclab iam put-user-policy --user-name alice --policy-name readers --policy-document "file://$DIR/read.json"
}

@test "simulate names the statement that decided, with the user's own line" {
    setup_readers
    run vpclab simulate alice s3:GetObject my-bucket/reports/q3.csv --context aws:SourceIp=203.0.113.9
    [ "$status" = 0 ]
    [[ ${lines[0]} == ALLOWED* ]]
    [[ $output == *'user/alice/readers:4:5  Allow `Read`'* ]]
    [[ $output == *'7 | "Action": "s3:GetObject",'* ]]
}

@test "simulate shows what came near, and what is missing" {
    setup_readers
    run vpclab simulate alice s3:GetObject my-bucket/reports/q3.csv
    [ "$status" = 1 ]
    [[ ${lines[0]} == DENIED* ]]
    [[ $output == *'user/alice/readers:9:37'* ]]
    [[ $output == *'wants  IpAddress aws:SourceIp 203.0.113.0/24'* ]]
    [[ $output == *'not in the request: aws:SourceIp'* ]]
    # The bucket's policy may grant it as well: the positive control.
    vpclab s3api create-bucket --bucket my-bucket >/dev/null
    vpclab s3api put-bucket-policy --bucket my-bucket --policy '{"Version":"2012-10-17","Statement":[{"Sid":"Alice","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::my-bucket/*"}]}'
    run vpclab simulate alice s3:GetObject my-bucket/reports/q3.csv
    [ "$status" = 0 ]
    [[ $output == *'bucket/my-bucket:1:38  Allow `Alice`'* ]]
}

@test "a word stands for the ARN that the action is about, and brings what the lab knows of it" {
    vpclab iam create-user --user-name alice >/dev/null
    vpclab iam put-user-policy --user-name alice --policy-name red --policy-document '{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"ec2:DeleteVpc","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}},
        {"Effect":"Allow","Action":"ec2:DeleteSubnet","Resource":"*","Condition":{"ArnLike":{"ec2:Vpc":"arn:aws:ec2:*:*:vpc/vpc-*"}}},
        {"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:123456789012:orders"},
        {"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"arn:aws:dynamodb:us-east-1:123456789012:table/orders"}]}'
    local vpc subnet
    vpc=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].VpcId' --output text)
    subnet=$(vpclab ec2 describe-subnets --query 'Subnets[0].SubnetId' --output text)
    no ec2:DeleteVpc "$vpc" # not red yet: what makes the next one pass
    vpclab ec2 create-tags --resources "$vpc" --tags Key=team,Value=red Key=Name,Value=main
    says "ec2:DeleteVpc  arn:aws:ec2:us-east-1:123456789012:vpc/$vpc" vpclab simulate alice ec2:DeleteVpc "$vpc"
    says "vpc/$vpc" vpclab simulate alice ec2:DeleteVpc main
    says ALLOWED vpclab simulate alice ec2:DeleteVpc "arn:aws:ec2:us-east-1:123456789012:vpc/$vpc"
    no ec2:DeleteVpc "$vpc" --context aws:ResourceTag/team=blue # what the question says itself stands
    no ec2:DeleteVpc "arn:aws:ec2:us-east-1:999999999999:vpc/$vpc" # somebody else's
    says ALLOWED vpclab simulate alice ec2:DeleteSubnet "$subnet"
    says ALLOWED vpclab simulate alice sqs:SendMessage orders
    says table/orders vpclab simulate alice dynamodb:GetItem table/orders
    says table/orders vpclab simulate alice dynamodb:GetItem orders
    wrong 4 '`foo` does not name a resource of ec2:RunInstances' vpclab simulate alice ec2:RunInstances foo
    wrong 4 '`x` does not name a resource of foo:Bar' vpclab why alice foo:Bar x
}

no() {
    local status=0
    vpclab simulate alice "$@" >"$DIR/out" || status=$?
    [ "$status" = 1 ] && grep -q ^DENIED "$DIR/out"
}

@test "an unknown action is remarked with the nearest one" {
    setup_readers
    run vpclab simulate alice s3:GetObjct my-bucket/x
    [[ $output == *'did you mean `s3:GetObject`?'* ]]
}

@test "the simulator takes a policy from a file" {
    printf '{\n  "Version": "2012-10-17",\n  "Statement": { "Effect": "Allow", "Action": "s3:Get*", "Resource": "*" }\n}\n' >"$DIR/get.json"
    says allowed vpclab iam simulate-custom-policy --policy-input-list "file://$DIR/get.json" --action-names s3:GetObject \
        --query 'EvaluationResults[0].EvalDecision' --output text
    sed 's/"Action"/"Acton"/' "$DIR/get.json" >"$DIR/wrong.json"
    wrong 3 'wrong.json:3:' vpclab iam simulate-custom-policy --policy-input-list "file://$DIR/wrong.json" --action-names s3:GetObject
}

@test "the simulator answers one result an action, with the results of each resource" {
    setup_readers
    q() { vpclab iam simulate-principal-policy --policy-source-arn arn:aws:iam::123456789012:user/alice --action-names s3:GetObject \
        --resource-arns arn:aws:s3:::my-bucket/reports/a arn:aws:s3:::other/b \
        --context-entries ContextKeyName=aws:SourceIp,ContextKeyValues=203.0.113.9,ContextKeyType=ip --output text --query "$1"; }
    [ "$(q 'length(EvaluationResults)')" = 1 ]
    [ "$(q 'EvaluationResults[0].EvalDecision')" = implicitDeny ]
    [ "$(q 'EvaluationResults[0].ResourceSpecificResults[0].EvalResourceDecision')" = allowed ]
    [ "$(q 'EvaluationResults[0].ResourceSpecificResults[0].MatchedStatements[0].SourcePolicyId')" = readers ]
    [ "$(q 'EvaluationResults[0].ResourceSpecificResults[0].MatchedStatements[0].StartPosition.Line')" = 4 ]
}

@test "a batch goes on after a wrong line" {
    good='{"id":"g","request":{"principal":"123456789012","action":"s3:GetObject","resource":{"arn":"*"},"context":{}},"policies":{}}'
    printf '%s\n{"id": 7, "request": 5}\n{"id": \n\n%s\n' "$good" "$good" >"$DIR/cases"
    run vpclab iam decide --batch "$DIR/cases"
    [ "$status" = 0 ]
    [ "${#lines[@]}" = 4 ]
    [[ ${lines[0]} == '{"id": "g", "decision": "allowed", '* ]]
    [[ ${lines[1]} == '{"id": 7, "error": {"code": "InvalidInput", '*'"line": 2, "column": 22}}' ]]
    [[ ${lines[2]} == '{"id": null, "error": '*'"line": 3, '* ]]
    [[ ${lines[3]} == "${lines[0]}" ]]
    # Standard input gives the same.
    [ "$(vpclab iam decide --batch <"$DIR/cases")" = "$output" ]
    [ "$(vpclab iam decide --batch - <"$DIR/cases")" = "$output" ]
}

@test "conditions and elements are asked alone" {
    run vpclab iam match --batch <<'LINES'
{"id": 1, "operator": "NumericLessThan", "key": "s3:max-keys", "policyValues": ["10"], "contextValues": ["9.5"], "multivalued": false, "context": {}}
{"id": 2, "element": "NotAction", "patterns": ["s3:*"], "action": "ec2:RunInstances"}
{"id": 3, "element": "Principal", "value": {"AWS": "arn:aws:iam::555555555555:role/x"}, "principal": "arn:aws:sts::555555555555:assumed-role/x/s"}
LINES
    [ "$status" = 0 ]
    [ "${lines[0]}" = '{"id": 1, "result": true}' ]
    [ "${lines[1]}" = '{"id": 2, "result": true}' ]
    [ "${lines[2]}" = '{"id": 3, "result": "role"}' ]
}

@test "what is in use is not deleted, and the message says by what" {
    vpclab iam create-policy --policy-name m --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}' >/dev/null
    vpclab iam create-user --user-name bob >/dev/null
    vpclab iam attach-user-policy --user-name bob --policy-arn arn:aws:iam::123456789012:policy/m
    wrong 4 'DeleteConflict' vpclab iam delete-user --user-name bob
    wrong 4 'attached to the user `bob`' vpclab iam delete-policy --policy-arn arn:aws:iam::123456789012:policy/m
    wrong 4 'EntityAlreadyExists' vpclab iam create-user --user-name BOB
    wrong 4 'NoSuchEntity' vpclab iam get-role --role-name bob
    wrong 3 'MalformedPolicyDocument' vpclab iam create-role --role-name r --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}'
    vpclab iam detach-user-policy --user-name bob --policy-arn arn:aws:iam::123456789012:policy/m
    vpclab iam delete-user --user-name bob
    vpclab iam delete-policy --policy-arn arn:aws:iam::123456789012:policy/m
}

@test "a list of policies takes a file, a document and a JSON list of documents" {
    printf '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}\n' >"$DIR/p.json"
    line='EvaluationResults[0].[EvalDecision, MatchedStatements[0].StartPosition.Line]'
    for given in "file://$DIR/p.json" "$(cat "$DIR/p.json")"; do
        run vpclab iam simulate-custom-policy --policy-input-list "$given" --action-names s3:GetObject --output text --query "$line"
        [ "$output" = $'allowed\t4' ]
    done
    says allowed vpclab iam simulate-custom-policy --policy-input-list "[$(cat "$DIR/p.json")]" --action-names s3:GetObject
    sed -i 's/Effect/Efect/' "$DIR/p.json"
    wrong 3 "p.json:4:6" vpclab iam simulate-custom-policy --policy-input-list "file://$DIR/p.json" --action-names s3:GetObject
}

@test "why names the keys that would change the answer and the smallest change of policies" {
    setup_readers
    run vpclab why alice s3:GetObject my-bucket/reports/q3.csv
    [ "$status" = 1 ]
    [[ $output == *'aws:SourceIp=203.0.113.0  -> allowed'* ]]
    run vpclab why alice s3:GetObject my-bucket/other --context aws:SourceIp=203.0.113.9
    [[ $output == *'1. add `arn:aws:s3:::my-bucket/other` to Resource of `Read` in user/alice/readers (user/alice/readers:8:19)'* ]]
    run vpclab why alice s3:GetObject my-bucket/other --context aws:SourceIp=203.0.113.9 --output json --query 'Changes[0].Change'
    [ "$output" = '"AddValue"' ]
    run vpclab why alice s3:GetObject my-bucket/reports/q3.csv --context aws:SourceIp=203.0.113.9
    [ "$status" = 0 ]
    [[ $output != *'would be allowed after'* ]]
}

@test "a launch scenario of the simulator wants its resources named" {
    arns="arn:aws:ec2:us-east-1:123456789012:instance/* arn:aws:ec2:us-east-1::image/* arn:aws:ec2:us-east-1:123456789012:security-group/*"
    policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}'
    q() { vpclab iam simulate-custom-policy --policy-input-list "$policy" --action-names ec2:RunInstances "$@"; }
    wrong 4 'needs a resource of type `network-interface`' q --resource-arns $arns --resource-handling-option EC2-VPC-InstanceStore
    says '"allowed"' q --resource-arns $arns arn:aws:ec2:us-east-1:123456789012:network-interface/* --resource-handling-option EC2-VPC-InstanceStore
    wrong 4 'is not a way of handling resources' q --resource-handling-option EC2-Moon
}

@test "a group keeps its members under a new name; the account counts what it has" {
    vpclab iam create-user --user-name alice >/dev/null
    vpclab iam create-group --group-name readers >/dev/null
    vpclab iam create-group --group-name others >/dev/null
    vpclab iam add-user-to-group --user-name alice --group-name readers
    vpclab iam update-group --group-name readers --new-group-name Lectores
    says '"Lectores"' vpclab iam list-groups-for-user --user-name alice --query Groups[0].GroupName
    says '"alice"' vpclab iam get-group --group-name Lectores --query Users[0].UserName
    wrong 4 EntityAlreadyExists vpclab iam update-group --group-name Lectores --new-group-name OTHERS
    [ "$(vpclab iam get-account-summary --query SummaryMap.Groups)" = 2 ]
    wrong 4 NoSuchEntity vpclab iam update-role-description --role-name none --description x
}

@test "like AWS's simulator: the option, its remark, and the same from Lua" {
    vpclab iam create-user --user-name alice >/dev/null
    vpclab iam put-user-policy --user-name alice --policy-name p --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}'
    vpclab iam create-role --role-name app --assume-role-policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}' >/dev/null
    run vpclab simulate alice sts:AssumeRole app
    [ "$status" = 1 ]
    run vpclab simulate alice sts:AssumeRole app --like-aws
    [ "$status" = 0 ]
    [[ $output == ALLOWED* ]]
    [[ $output == *"remark: AWS's simulator asks no trust policy"* ]]
    printf 'local a = iam.simulate_custom_policy{policy_input_list={[[{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}]]}, action_names={"sts:AssumeRole"}, resource_arns={"arn:aws:iam::123456789012:role/app"}, like_aws=true}\nprint(a.EvaluationResults[1].EvalDecision, a.Remarks[1].Code)\n' >"$DIR/like.lua"
    says $'allowed\tLIKE_AWS_ASSUME' vpclab run "$DIR/like.lua"
    run vpclab iam simulate-principal-policy --help
    [[ $output == *--*like-aws* ]]
}

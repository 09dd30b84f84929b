# `why` alone, near misses in every layer, and the simulator's readable form.
load helper

setup_layers() # alice: identity, boundary, an organization with an SCP that lets less through
{
    vpclab organizations create-organization --feature-set ALL >/dev/null
    root=$(vpclab organizations list-roots --query 'Roots[0].Id' -o text)
    account=$(vpclab organizations create-account --account-name dev --email d@example.com --query CreateAccountStatus.AccountId -o text)
    vpclab --as dev iam create-user --user-name alice >/dev/null
    vpclab --as dev iam put-user-policy --user-name alice --policy-name own --policy-document \
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}}'
    vpclab --as dev iam create-policy --policy-name edge --policy-document \
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}' >/dev/null
    vpclab --as dev iam put-user-permissions-boundary --user-name alice --permissions-boundary "arn:aws:iam::$account:policy/edge"
    scp=$(vpclab organizations create-policy --name little --description x --type SERVICE_CONTROL_POLICY --query Policy.PolicySummary.Id -o text \
        --content '{"Version":"2012-10-17","Statement":{"Sid":"Little","Effect":"Allow","Action":["s3:ListBucket","iam:*"],"Resource":"*"}}')
    vpclab organizations attach-policy --policy-id "$scp" --target-id "$account"
    vpclab organizations detach-policy --policy-id p-FullAWSAccess --target-id "$account"
}

@test "why alone explains the last refusal, as it was decided then" {
    run vpclab why
    [ "$status" = 4 ]
    [[ $output == *"nothing was refused in this lab yet"* ]]
    vpclab iam create-user --user-name bob >/dev/null
    vpclab iam put-user-policy --user-name bob --policy-name p --policy-document \
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:CreateVpc","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"blue"}}}}'
    run vpclab --as bob ec2 create-vpc --cidr-block 10.0.0.0/16
    [ "$status" = 4 ]
    [[ $output == *'`why` explains'* ]]
    run vpclab why
    [ "$status" = 1 ]
    [[ ${lines[0]} == "ec2 create-vpc was refused at "*"(UnauthorizedOperation)" ]]
    [[ $output == *'wants  StringEquals aws:RequestTag/team blue'* ]]
    [[ $output == *'aws:RequestTag/team=blue  -> allowed'* ]]
    # What is asked afterwards and allowed does not change it; nor does mending the policy.
    vpclab iam delete-user-policy --user-name bob --policy-name p
    run vpclab why
    [[ $output == *'StringEquals aws:RequestTag/team blue'* ]]
    run vpclab --as bob iam create-user --user-name carol
    run vpclab why --output json --query '[Operation,Decision]'
    [[ $output == *'iam create-user'* && $output == *implicitDeny* ]]
    wrong 2 'lacks the action' vpclab why bob
}

@test "every layer that is silent shows what came near, with the failing element" {
    setup_layers
    run vpclab why "arn:aws:iam::$account:user/alice" s3:GetObject data/a
    [ "$status" = 1 ]
    [[ $output == *'service control policy allows it'* ]]
    [[ $output == *'`Little`, but its action does not match'* ]]
    [[ $output == *'and in the identity layer'*'wants  arn:aws:s3:::other/*'* ]]
    [[ $output == *'and in the permissionsBoundary layer'*'wants  Bool aws:MultiFactorAuthPresent true'*'has    no aws:MultiFactorAuthPresent'* ]]
    [[ $output == *'it would be allowed after'* ]]
    # A layer that allows has no near misses.
    vpclab --as dev iam delete-user-permissions-boundary --user-name alice
    run vpclab why "arn:aws:iam::$account:user/alice" s3:GetObject data/a
    [[ $output != *permissionsBoundary* ]]
}

@test "simulate-principal-policy: organization and boundary have their say, each in its member" {
    setup_layers
    q() { vpclab --as dev iam simulate-principal-policy --policy-source-arn "arn:aws:iam::$account:user/alice" \
        --action-names "$1" --resource-arns arn:aws:s3:::other/a --query "EvaluationResults[0].[EvalDecision,OrganizationsDecisionDetail.AllowedByOrganizations,PermissionsBoundaryDecisionDetail.AllowedByPermissionsBoundary]" \
        -o text --context-entries "ContextKeyName=aws:MultiFactorAuthPresent,ContextKeyValues=$2,ContextKeyType=boolean"; }
    [ "$(q s3:GetObject true)" = $'implicitDeny\tFalse\tTrue' ]
    vpclab organizations attach-policy --policy-id p-FullAWSAccess --target-id "$account"
    [ "$(q s3:GetObject true)" = $'allowed\tTrue\tTrue' ]
    [ "$(q s3:GetObject false)" = $'implicitDeny\tTrue\tFalse' ]
    [ "$(q s3:PutObject true)" = $'implicitDeny\tTrue\tFalse' ]
    # A boundary that is passed takes the place of the user's own; the organization stays.
    says allowed vpclab --as dev iam simulate-principal-policy --policy-source-arn "arn:aws:iam::$account:user/alice" --action-names s3:GetObject \
        --resource-arns arn:aws:s3:::other/a --permissions-boundary-policy-input-list '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    deny=$(vpclab organizations create-policy --name no --description x --type SERVICE_CONTROL_POLICY --query Policy.PolicySummary.Id -o text \
        --content '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}')
    vpclab organizations attach-policy --policy-id "$deny" --target-id "$root"
    [ "$(q s3:GetObject true)" = $'explicitDeny\tFalse\tTrue' ]
    # AWS names no statement of an SCP.
    says '[]' vpclab --as dev iam simulate-principal-policy --policy-source-arn "arn:aws:iam::$account:user/alice" --action-names s3:GetObject \
        --resource-arns arn:aws:s3:::other/a --query 'EvaluationResults[0].MatchedStatements'
}

@test "the simulator's table shows the statements in the user's own lines" {
    printf '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {\n      "Sid": "Read",\n      "Effect": "Allow",\n      "Action": "s3:Get*",\n      "Resource": "arn:aws:s3:::data/*"\n    },\n    {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}\n  ]\n}\n' >"$DIR/p.json"
    run vpclab iam simulate-custom-policy --policy-input-list "file://$DIR/p.json" --action-names s3:GetObject s3:PutObject s3:DeleteObject \
        --resource-arns arn:aws:s3:::data/a --output table
    [ "$status" = 0 ]
    [[ ${lines[0]} == 'ACTION           RESOURCE             DECISION' ]]
    [[ ${lines[1]} == 's3:GetObject     arn:aws:s3:::data/a  allowed' ]]
    [[ $output == *'PolicyInputList.1:4:5  Allow `Read`'*'      7 |   "Action": "s3:Get*",'*'      9 | },'* ]]
    [[ $output == *'s3:PutObject on arn:aws:s3:::data/a: implicitDeny'*'wants  s3:Get*'*'has    s3:PutObject'* ]]
    [[ $output == *'     10 | {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}'* ]]
    run vpclab iam simulate-custom-policy --policy-input-list "file://$DIR/p.json" --action-names s3:GetObject s3:PutObject --output table --max-items 1
    [[ $output != *s3:PutObject* ]]
    # The other forms are AWS's and know nothing of it.
    run vpclab iam simulate-custom-policy --policy-input-list "file://$DIR/p.json" --action-names s3:GetObject --output json
    [[ $output != *Told* && $output == *EvaluationResults* ]]
}

@test "of a long list of actions the entry that matters is shown" {
    vpclab iam create-user --user-name ro >/dev/null
    vpclab iam attach-user-policy --user-name ro --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess
    run vpclab simulate ro s3:GetObject b/k
    [ "$status" = 0 ]
    [[ $output == *' | "s3:Get*",'* ]]
    run vpclab simulate ro s3:PutObject b/k
    [ "$status" = 1 ]
    [[ $output == *' | "s3:DescribeJob",'* ]]
    [[ $output =~ 'wants  s3:DescribeJob, s3:Get*, s3:List* and '[0-9]+' others' ]]
    wrong 4 'did you mean `arn:aws:iam::aws:policy/ReadOnlyAccess`?' \
        vpclab iam attach-user-policy --user-name ro --policy-arn arn:aws:iam::aws:policy/ReadonlyAccess
}

# Bad input at every face: one error with its place and a hint, the documented status, no change of state.
load helper

@test "an unknown word" {
    wrong 2 'did you mean `reach`?' vpclab raech web db
    wrong 2 "Try 'vpclab --help'." vpclab frobnicate
    wrong 2 'did you mean `create-vpc`?' vpclab ec2 creat-vpc
    wrong 2 '`ec2` needs an operation' vpclab ec2
}

@test "words are not shortened outside the prompt" {
    wrong 2 'is not written in full' vpclab rea a b
    wrong 2 '`reach`' vpclab rea a b
}

@test "an unknown option, a missing value, a bad value" {
    wrong 2 '--cidr-blok' vpclab ec2 create-vpc --cidr-blok 10.0.0.0/16
    wrong 2 "Try 'vpclab ec2 create-vpc --help'." vpclab ec2 create-vpc --cidr-blok 10.0.0.0/16
    wrong 2 '--cidr-block' vpclab ec2 create-vpc --cidr-block
    wrong 2 '`yaml` is not a value of --output' vpclab ec2 describe-vpcs --output yaml
    wrong 2 '`--lab` needs a value' vpclab ec2 describe-vpcs --lab
    wrong 2 '`--quiet` takes no value' vpclab ec2 describe-vpcs --quiet=1
    wrong 2 '`--bogus` is not an option of `vpclab`' vpclab --bogus
    wrong 2 '`--bogus` is not an option of `vpclab`' vpclab --bogus ec2 describe-vpcs
    wrong 2 'vpc-id' vpclab ec2 create-subnet --cidr-block 10.0.0.0/24
    wrong 2 'port' vpclab reach web db --port 99999
    wrong 2 'port' vpclab reach web db --port http
}

@test "an operation that refuses says AWS's code" {
    wrong 4 '[InvalidVpcID.NotFound]' vpclab ec2 delete-vpc --vpc-id vpc-0123456789abcdef0
    wrong 4 '[InvalidVpc.Range]' vpclab ec2 create-vpc --cidr-block 10.0.0.0/8
    wrong 4 '[DryRunOperation]' vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --dry-run
    wrong 4 '[DryRunOperation]' vpclab -n ec2 create-vpc --cidr-block 10.0.0.0/16
}

@test "malformed JSON has a line, a column and a mark" {
    printf '[\n  {"Name": "vpc-id" "Values": []}\n]\n' >"$DIR/filters.json"
    wrong 3 'filters.json:2:' vpclab ec2 describe-vpcs --filters "file://$DIR/filters.json"
    wrong 3 '^' vpclab ec2 describe-vpcs --filters "file://$DIR/filters.json"
    wrong 3 'error:' vpclab ec2 describe-vpcs --filters '[{"Name": "vpc-id",}]'
}

@test "a mistake in a policy is in its file, or in its option" {
    vpclab iam create-user --user-name alice >/dev/null
    printf '{\n  "Version": "2012-10-17",\n  "Statement": [{"Effect": "Alow", "Action": "*", "Resource": "*"}]\n}\n' >"$DIR/policy.json"
    put='iam put-user-policy --user-name alice --policy-name p --policy-document'
    # shellcheck disable=SC2086
    wrong 3 'policy.json:3:28: error: ' vpclab $put "file://$DIR/policy.json"
    wrong 3 '[MalformedPolicyDocument]' vpclab $put "file://$DIR/policy.json"
    wrong 3 '^~~~~~' vpclab $put "file://$DIR/policy.json"
    wrong 3 '--policy-document:1:' vpclab $put '{"Statement": [}'
}

@test "a missing file" {
    wrong 5 'nowhere.json' vpclab ec2 describe-vpcs --filters file://nowhere.json
    wrong 5 'nowhere.vpc' vpclab -f nowhere.vpc
    wrong 5 'nowhere.lua' vpclab run nowhere.lua
    wrong 5 'nowhere' vpclab source nowhere
}

@test "a query outside JMESPath" {
    wrong 2 'frobnicate' vpclab ec2 describe-vpcs --query 'frobnicate(Vpcs)'
}

@test "-c and -f and what stands beside them" {
    wrong 2 '-c' vpclab -c
    wrong 2 '-f' vpclab -f
    wrong 2 'exclude each other' vpclab -c 'vars' -f x
    wrong 2 'one command too many' vpclab -c 'vars' vars
}

@test "a line that can never be right" {
    wrong 2 'there is no variable `$nope`' vpclab -c 'ec2 delete-vpc --vpc-id $nope'
    wrong 2 'is never closed' vpclab -c "ec2 describe-vpcs 'x"
    wrong 2 '`|` needs a command' vpclab -c 'ec2 describe-vpcs |'
    wrong 2 '`$_` is the last id made' vpclab -c 'ec2 delete-vpc --vpc-id $_'
}

@test "a file of commands says file and line, and stops at the first failure" {
    printf 'vars\n\nec2 delete-vpc --vpc-id vpc-0123456789abcdef0\nec2 create-vpc --cidr-block 10.9.0.0/16\n' >"$DIR/setup.vpc"
    wrong 4 'setup.vpc:3: error: ' vpclab -f "$DIR/setup.vpc"
    wrong 4 '<stdin>:3: error: ' vpclab -f - <"$DIR/setup.vpc"
    wrong 4 '<stdin>:3: error: ' vpclab <"$DIR/setup.vpc"
    printf 'vars\nfoo "bar\n' >"$DIR/open.vpc"
    wrong 2 'open.vpc:2:5: error: ' vpclab -f "$DIR/open.vpc"
    printf 'vars\0vars\n' >"$DIR/nul.vpc"
    wrong 3 'NUL' vpclab -f "$DIR/nul.vpc"
    printf 'source %s/loop.vpc\n' "$DIR" >"$DIR/loop.vpc"
    wrong 2 'each other' vpclab -f "$DIR/loop.vpc"
}

@test "a scenario with a mistake says file and line" {
    printf 'local x =\n\nprint(x y)\n' >"$DIR/syntax.lua"
    wrong 3 'syntax.lua:3: error:' vpclab run "$DIR/syntax.lua"
    printf '\nlocal t = nil\nprint(t.x)\n' >"$DIR/runtime.lua"
    wrong 3 'runtime.lua:3: error:' vpclab run "$DIR/runtime.lua"
    printf 'error({})\n' >"$DIR/table.lua"
    wrong 3 'given a table that has no text' vpclab run "$DIR/table.lua"
    printf 'ec2.create_vpc{ cidr_block = "10.0.0.0/8" }\n' >"$DIR/refused.lua"
    wrong 4 'refused.lua:1: error:' vpclab run "$DIR/refused.lua"
    wrong 4 '[InvalidVpc.Range]' vpclab run "$DIR/refused.lua"
    printf '\nec2.create_vpc{ cidr_blok = "10.0.0.0/16" }\n' >"$DIR/parameter.lua"
    wrong 2 'parameter.lua:2: error:' vpclab run "$DIR/parameter.lua"
    printf 'ec2.create_vpcs{}\n' >"$DIR/unknown.lua"
    wrong 3 'ec2 has no function `create_vpcs`' vpclab run "$DIR/unknown.lua"
    printf 'ec2.create_vpc{ cidr_block = print }\n' >"$DIR/function.lua"
    wrong 3 'a function is no value that JSON can write' vpclab run "$DIR/function.lua"
    wrong 2 '`run` needs' vpclab run
    wrong 2 '`many` is not a number for --seed' vpclab run --seed many x.lua
}

@test "settings, counts and help of what is not there" {
    wrong 2 '`colour` is not a setting' vpclab set colour on
    wrong 2 '`blue` is not a value of `color`' vpclab set color blue
    wrong 2 '`x` is not a number' vpclab repeat x vars
    wrong 2 'is not a command' vpclab help frobnicate
    wrong 2 'there is no completion for `fish`' vpclab completion fish
    wrong 2 '`--all` is not an option of `vars`' vpclab vars --all
}

@test "every verb, asked wrongly, says so with status 2 and changes nothing" {
    verbs=$(vpclab help | sed -n '/^Ask/,/^Scenarios/ { /^  [a-z]/ { s/^  //; s/  .*//; p } }')
    [ "$(wc -l <<<"$verbs")" -gt 35 ]
    while read -r verb; do
        # shellcheck disable=SC2086 # a verb may be two words
        wrong 2 "\`--nonsense\` is not an option of" vpclab $verb --nonsense
        # shellcheck disable=SC2086
        says "Usage: vpclab $verb" vpclab help $verb
    done <<<"$verbs"
    wrong 2 'DIRECTORY: the word is empty' vpclab import aws ""
    wrong 2 'SOURCE: the word is empty' vpclab trace "" ""
    wrong 2 'hint: SPAN: 90s, 5m, 2h or 1d' vpclab clock advance
    wrong 2 'the lab has no service `ecc`' vpclab ops ecc
    wrong 2 'did you mean `ec2`?' vpclab ops ecc
    wrong 2 '`vars` takes no operand' vpclab vars x
}

@test "a damaged state file is named and left alone" {
    vpclab ec2 describe-vpcs >/dev/null
    file=$XDG_DATA_HOME/vpclab/labs/default/state.json
    head -c 100 "$file" >"$DIR/half"
    cp "$DIR/half" "$file"
    status=0
    vpclab ec2 describe-vpcs 2>"$DIR/err" || status=$?
    [ "$status" = 3 ]
    grep -q 'state.json' "$DIR/err"
    cmp "$file" "$DIR/half"
}

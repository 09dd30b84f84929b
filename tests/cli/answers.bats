# Lines of commands that must all be done: every answer has AWS's members (another one is a fault, status 70), and is JSON.
load helper

@test "a tour of EC2's operations answers in AWS's shapes" {
    vpclab lab new tour --seed 5 >/dev/null
    vpclab --lab tour -f tests/cli/lines/ec2-tour.txt >"$DIR/out" || { tail -3 "$DIR/out"; false; }
    grep -qF '"PrivateIpAddress": "10.0.1.7"' "$DIR/out"
    # What was done can be read back by the next process.
    [ "$(vpclab --lab tour ec2 describe-vpcs --query 'length(Vpcs)')" = 2 ]
}

@test "a tour of IAM, STS and S3 answers in AWS's shapes" {
    vpclab lab new tour --seed 5 >/dev/null
    vpclab --lab tour -f tests/cli/lines/iam-tour.txt >"$DIR/out" || { tail -3 "$DIR/out"; false; }
    grep -qF '"Arn": "arn:aws:iam::123456789012:user/alice"' "$DIR/out"
}

@test "a mistake in a policy names the file and shows the line" {
    printf '{\n "Version": "2012-10-17",\n "Statement": [{"Effect":"Alow","Action":"*","Resource":"*"}]}' >"$DIR/p.json"
    vpclab iam create-user --user-name alice >/dev/null
    wrong 3 "$DIR/p.json:3:26: error" vpclab iam put-user-policy --user-name alice --policy-name p --policy-document "file://$DIR/p.json"
    wrong 3 '--policy-document:1:' vpclab iam put-user-policy --user-name alice --policy-name p --policy-document '{"a":'
}

@test "the same tour twice prints the same" {
    for n in 1 2; do
        vpclab lab new "tour$n" --seed 5 >/dev/null
        vpclab --lab "tour$n" -f tests/cli/lines/ec2-tour.txt >"$DIR/out$n"
    done
    cmp "$DIR/out1" "$DIR/out2"
    cmp "$XDG_DATA_HOME/vpclab/labs/tour1/state.json" "$XDG_DATA_HOME/vpclab/labs/tour2/state.json"
    cmp "$XDG_DATA_HOME/vpclab/labs/tour1/journal.jsonl" "$XDG_DATA_HOME/vpclab/labs/tour2/journal.jsonl"
}

@test "answers are JSON that another program reads" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    for words in 'ec2 describe-vpcs' 'ec2 describe-subnets' 'ec2 describe-security-groups' 'journal --output json'; do
        # shellcheck disable=SC2086
        vpclab $words | python3 -c 'import json, sys; text = sys.stdin.read(); assert json.dumps(json.loads(text), indent=4, ensure_ascii=False) + "\n" == text'
    done
}

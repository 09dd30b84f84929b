# `policy test`: tables of requests with expected decisions.
load helper

tables()
{
    mkdir -p "$DIR/t"
    printf '{\n  "Version": "2012-10-17",\n  "Statement": { "Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" }\n}\n' >"$DIR/t/identity.json"
    printf '%s -> allowed by Read\n' 'arn:aws:iam::123456789012:user/a s3:GetObject arn:aws:s3:::b/k' >"$DIR/t/requests.txt"
}

@test "all as expected: exit status 0, and 1 with the reason when one differs" {
    tables
    says '1 passed, 0 failed' vpclab policy test "$DIR/t"
    printf '%s -> allowed\n' 'arn:aws:iam::123456789012:user/a s3:GetObject arn:aws:s3:::other/k' >>"$DIR/t/requests.txt"
    run vpclab policy test "$DIR/t/requests.txt" tests/policies/session
    [ "$status" = 1 ]
    [[ $output == *"t/requests.txt:2: expected allowed, decided implicitDeny"* ]]
    [[ $output == *"t/identity.json:3:90  Allow \`Read\`, but its resource does not match"* ]]
    [[ ${lines[-1]} == *' passed, 1 failed' ]]
}

@test "TAP and JUnit" {
    tables
    printf '%s -> allowed\n' 'arn:aws:iam::123456789012:user/a s3:GetObject arn:aws:s3:::other/<#>' >>"$DIR/t/requests.txt"
    run vpclab policy test "$DIR/t" --format tap
    [ "$status" = 1 ]
    [ "${lines[0]}" = 'TAP version 14' ]
    [ "${lines[1]}" = '1..2' ]
    [[ ${lines[2]} == 'ok 1 - '* ]]
    [[ ${lines[3]} == 'not ok 2 - '*'other/<\#>'* ]]
    run vpclab policy test "$DIR/t" --format junit
    [ "$status" = 1 ]
    [[ $output == *'tests="2" failures="1"'* ]]
    [[ $output == *'other/&lt;#&gt;'* ]]
    if command -v python3 >/dev/null; then
        python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parseString(sys.argv[1])' "$output"
    fi
    wrong 2 'yaml' vpclab policy test "$DIR/t" --format yaml
}

@test "JSON cases" {
    case='{"id":"a","request":{"principal":"123456789012","action":"s3:GetObject","resource":{"arn":"*"}},"policies":{},"expect":{"decision":"allowed"}}'
    printf '[\n%s,\n%s\n]' "$case" "$case" >"$DIR/c.json"
    says '2 passed, 0 failed' vpclab policy test "$DIR/c.json"
    printf '%s\n{"id":7}\n' "$case" >"$DIR/c.jsonl"
    wrong 3 'c.jsonl:2:' vpclab policy test "$DIR/c.jsonl"
}

@test "what is wrong is named with its place" {
    tables
    printf 'arn:aws:iam::123456789012:user/a s3GetObject *  -> allowed\n' >>"$DIR/t/requests.txt"
    wrong 3 't/requests.txt:2:34' vpclab policy test "$DIR/t"
    tables
    printf '{"Version":"2012-10-17",\n"Statement":5}' >"$DIR/t/session.json"
    wrong 3 't/session.json' vpclab policy test "$DIR/t"
    mv "$DIR/t/session.json" "$DIR/t/other.json"
    wrong 2 'does not say what policy it is' vpclab policy test "$DIR/t"
    wrong 5 'missing' vpclab policy test "$DIR/missing"
}

# The shell at a terminal: script(1) gives it one.
load helper

# prompt KEYS: what the terminal shows, escape sequences and carriage returns off.
prompt() {
    (sleep 0.2; printf '%b' "$1"; sleep 0.3) | timeout 10 script -qec "$VPCLAB" /dev/null 2>&1 |
        sed -e 's/\x1b\[[?0-9;]*[a-zA-Z]//g' -e 's/\r//g' >"$DIR/screen"
}
shows() { grep -qF -- "$1" "$DIR/screen" || { echo "no: $1"; cat "$DIR/screen"; return 1; }; }

setup_file() { command -v script >/dev/null || skip "script(1) is not installed"; }

@test "a prompt, an answer, and leaving" {
    prompt 'ec2 describe-vpcs --query Vpcs[0].CidrBlock\nexit\n'
    shows 'vpclab default 123456789012 us-east-1> '
    shows '"172.31.0.0/16"'
}

@test "words may be shortened, mistakes name what was meant" {
    prompt 'jou\nversio\nraech a b\nexit\n'
    shows 'vpclab 0.'
    shows 'did you mean `reach`?'
    ! grep -q "Try 'vpclab" "$DIR/screen"
}

@test "an open quote or bracket goes on; Ctrl-C drops it" {
    prompt 'ec2 describe-vpcs --filters [{"Name": "is-default",\n"Values": ["true"]}] --query Vpcs[0].CidrBlock\nexit\n'
    shows '   ...> '
    shows '"172.31.0.0/16"'
    prompt "ec2 describe-vpcs 'abc\n\003version\nexit\n"
    shows '^C'
    shows 'vpclab 0.'
}

@test "Ctrl-D leaves, with the status of the last command" {
    (sleep 0.2; printf 'foo\n\004') | timeout 10 script -qec "$VPCLAB" /dev/null >/dev/null || status=$?
    [ "${status:-0}" = 2 ]
}

@test "Tab completes, ? says what comes next" {
    prompt 'vers\t\nexit\n'
    shows 'vpclab 0.'
    prompt 'ec2 create-tags --res?\025exit\n'
    shows '--resources'
}

@test "variables live as long as the shell" {
    prompt 'v = ec2 describe-vpcs\nvars\nexit\n'
    grep -q 'v = vpc-' "$DIR/screen"
}

@test "what another process changes is seen" {
    prompt 'vars\n!"$VPCLAB" -q ec2 create-vpc --cidr-block 10.7.0.0/16 --tag-specifications "ResourceType=vpc,Tags=[{Key=Name,Value=other}]"\nec2 describe-vpcs --vpc-ids oth\t\nexit\n'
    shows '"CidrBlock": "10.7.0.0/16"'
}

@test "history: kept with mode 600, without secrets, blanks and doubles" {
    file=$XDG_STATE_HOME/vpclab/history
    prompt 'vars\nvars\n version\nset --secret-access-key x\nec2 describe-vpcs "a\nb"\nexit\n'
    [ "$(stat -c %a "$file")" = 600 ]
    [ "$(grep -c '^vars$' "$file")" = 1 ]
    ! grep -q 'version\|secret' "$file"
    prompt 'history\nexit\n'
    shows 'ec2 describe-vpcs "a'
    VPCLAB_HISTFILE=$DIR/other prompt 'vars\nexit\n'
    [ -s "$DIR/other" ]
    VPCLAB_HISTFILE= prompt 'time vars\nexit\n'
    ! grep -q 'time vars' "$file"
}

@test "vpclabrc runs first, and not with --no-rc" {
    mkdir -p "$XDG_CONFIG_HOME/vpclab"
    echo 'set prompt "hello \\r> "' >"$XDG_CONFIG_HOME/vpclab/vpclabrc"
    prompt 'exit\n'
    shows 'hello us-east-1> '
}

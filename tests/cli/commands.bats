# One command, lines, files and the prompt: what works.
load helper

@test "help, version and manual come from the table" {
    says 'Usage: vpclab' vpclab --help
    says 'Usage: vpclab' vpclab help
    says 'Usage: vpclab ec2 create-vpc' vpclab ec2 create-vpc --help
    says '--cidr-block' vpclab ec2 create-vpc -h
    says 'Usage: vpclab ec2 create-vpc' vpclab aws ec2 create-vpc help
    says 'Usage: vpclab reach' vpclab help reach
    says 'create-vpc' vpclab ec2 --help
    says 'create-vpc' vpclab help ec2
    says 'vpclab 0.' vpclab --version
    says 'vpclab 0.' vpclab -V
    says '.TH VPCLAB 1' vpclab man
    says 'describe\-vpcs' vpclab man
}

@test "--max-items counts items of the answer, fewer than AWS's smallest page too" {
    says 1 vpclab ec2 describe-subnets --max-items 1 --query 'length(Subnets)'
    says NextToken vpclab ec2 describe-subnets --max-items 1
    says 6 vpclab ec2 describe-subnets --max-items 5000 --query 'length(Subnets)'
    run vpclab ec2 describe-subnets --max-items 0
    [ "$status" = 2 ]
    run vpclab ec2 describe-subnets --max-results 1
    [ "$status" = 2 ]
}

@test "every help text fits 80 columns" {
    vpclab ops --help >/dev/null
    for words in help 'reach --help' 'verify --help' 'exec --help' 'simulate --help' 'ec2 create-subnet --help' 'ec2 run-instances --help' 'help ec2' 'help prompt' 'run --help'; do
        # shellcheck disable=SC2086
        vpclab $words | awk -v w="$words" 'length($0) > 80 { print w ": " $0; bad = 1 } END { exit bad }'
    done
}

@test "the manual has no mistake that groff knows of" {
    command -v groff >/dev/null || skip "groff is not installed"
    vpclab man >"$DIR/vpclab.1"
    groff -man -Tutf8 -ww -z "$DIR/vpclab.1" 2>"$DIR/warnings"
    [ ! -s "$DIR/warnings" ] || { head "$DIR/warnings"; false; }
}

@test "a pasted aws line works as it is" {
    says '"CidrBlock": "10.7.0.0/16"' vpclab -c 'aws ec2 create-vpc \
        --cidr-block 10.7.0.0/16 --endpoint-url http://localhost:4566 --profile lab --no-cli-pager'
}

@test "formats: json as aws prints it, text, query, quiet" {
    says '    "Vpcs": [' vpclab ec2 describe-vpcs
    says 'True' vpclab ec2 describe-vpcs --query 'Vpcs[0].IsDefault' --output text
    [ "$(VPCLAB_OUTPUT=text vpclab ec2 describe-vpcs --query 'Vpcs[0].CidrBlock')" = 172.31.0.0/16 ]
    vpclab ec2 create-vpc --cidr-block 10.8.0.0/16 -q >"$DIR/id"
    grep -qx 'vpc-[0-9a-f]*' "$DIR/id"
}

@test "variables, the last id, pipes and files" {
    says '10.1.0.0/24' vpclab -c 'vpc = ec2 create-vpc --cidr-block 10.1.0.0/16 > /dev/null
        ec2 create-subnet --vpc-id $vpc --cidr-block 10.1.0.0/24 | cat
        ec2 delete-subnet --subnet-id $_'
    vpclab -c "ec2 describe-vpcs > $DIR/vpcs.json; ec2 describe-subnets >> $DIR/vpcs.json"
    grep -q '"Vpcs"' "$DIR/vpcs.json"
    grep -q '"Subnets"' "$DIR/vpcs.json"
    says 'hello' vpclab -c '!echo hello'
    says '1' vpclab -c 'ec2 describe-vpcs | head -1 | wc -l'
}

@test "documents: JSON as it stands, heredocs, files, standard input" {
    for value in "[{\"Name\": \"is-default\", \"Values\": [\"true\"]}]" 'Name=is-default,Values=true'; do
        says 172.31.0.0/16 vpclab ec2 describe-vpcs --filters "$value"
    done
    says 172.31.0.0/16 vpclab -c 'ec2 describe-vpcs --filters [{"Name": "is-default",
        "Values": ["true"]}]'
    says 172.31.0.0/16 vpclab -c 'ec2 describe-vpcs --filters <<json
[{"Name": "is-default", "Values": ["true"]}]
'
    printf '[{"Name": "is-default", "Values": ["true"]}]' >"$DIR/f.json"
    says 172.31.0.0/16 vpclab ec2 describe-vpcs --filters "file://$DIR/f.json"
}

@test "try goes on, expect wants the failure it names" {
    says 172.31.0.0/16 vpclab -c 'try ec2 delete-vpc --vpc-id vpc-0123456789abcdef0; ec2 describe-vpcs'
    vpclab expect InvalidVpcID.NotFound ec2 delete-vpc --vpc-id vpc-0123456789abcdef0
    vpclab expect 4 ec2 delete-vpc --vpc-id vpc-0123456789abcdef0
    run vpclab expect InvalidVpc.Range ec2 delete-vpc --vpc-id vpc-0123456789abcdef0
    [ "$status" = 1 ]
    run vpclab expect 4 ec2 describe-vpcs
    [ "$status" = 1 ]
}

@test "the reader of the pipe may go away" {
    run bash -c '"$VPCLAB" man | head -1'
    [ "$status" = 0 ]
    [ "${lines[0]}" = '.TH VPCLAB 1 "" "vpclab 0.1.0" "User Commands"' ]
}

@test "a scenario runs on a throw-away lab, with arguments, the same ids every time" {
    cat >"$DIR/s.lua" <<'END'
local vpc = ec2.create_vpc{ CidrBlock = "10.0.0.0/16" }
assert(ec2.describe_vpcs{ vpc_ids = { vpc.Vpc.VpcId } }.Vpcs[1].CidrBlock == "10.0.0.0/16")
print(vpc.Vpc.VpcId, arg[1])
local ok, e = pcall(ec2.delete_vpc, { vpc_id = "vpc-0123456789abcdef0" })
print(ok, e.code)
lab.expect_error("InvalidVpc.Range", ec2.create_vpc, { cidr_block = "10.0.0.0/8" })
END
    vpclab run "$DIR/s.lua" one >"$DIR/1"
    vpclab run "$DIR/s.lua" one >"$DIR/2"
    cmp "$DIR/1" "$DIR/2"
    grep -q '	one$' "$DIR/1"
    grep -q '^false	InvalidVpcID.NotFound$' "$DIR/1"
    grep -q '^ok *refused' "$DIR/1"
    vpclab run --seed 2 "$DIR/s.lua" one >"$DIR/3"
    ! cmp -s "$DIR/1" "$DIR/3"
    [ ! -e "$XDG_DATA_HOME/vpclab/labs/default" ]
    echo 'os.exit(7)' >"$DIR/exit.lua"
    run vpclab run "$DIR/exit.lua"
    [ "$status" = 7 ]
    echo 'pcall(os.exit, 8); print("not reached")' >"$DIR/exit.lua"
    run vpclab run "$DIR/exit.lua"
    [ "$status" = 8 ]
    [ "$output" = "" ]
}

@test "completion: words, options, values, variables, paths" {
    completes() { # EXPECTED WORDS...
        local want=$1
        shift
        vpclab complete -- "$@" >"$DIR/out"
        grep -qx -- "$want *" "$DIR/out" || { echo "$* : no $want"; cat "$DIR/out"; return 1; }
    }
    completes reach rea
    completes create-vpc ec2 create-v
    completes --cidr-block ec2 create-vpc --ci
    completes default ec2 create-vpc --instance-tenancy de
    completes '--output=json' reach --output=j
    completes json ec2 describe-vpcs --output j
    completes ec2 help e
    completes create-vpc try ec2 create-v
    vpc=$(vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 -q)
    vpclab ec2 create-tags --resources "$vpc" --tags Key=Name,Value=shop
    completes shop ec2 create-subnet --vpc-id sh
    completes "$vpc" ec2 create-subnet --vpc-id "${vpc:0:8}"
    touch "$DIR/policy.json"
    completes "file://$DIR/policy.json" ec2 describe-vpcs --filters "file://$DIR/po"
    ! vpclab complete -- ec2 create-vpc --cidr-block 10.0.0.0/16 --c | grep -q cidr-block
}

@test "completion: what fails, labs, log groups, fields of flow logs" {
    completes() { # EXPECTED WORDS...
        local want=$1
        shift
        vpclab complete -- "$@" >"$DIR/out"
        grep -qx -- "$want *" "$DIR/out" || { echo "$* : no $want"; cat "$DIR/out"; return 1; }
    }
    vpc=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].VpcId' -o text)
    subnet=$(vpclab ec2 describe-subnets --query 'Subnets[0].SubnetId' -o text)
    vpclab -q ec2 run-instances --image-id ami-0abcdef1234567890 --subnet-id "$subnet" --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=web}]'
    completes us-east-1a fail az u
    completes us-east-1f restore az ''
    completes web fail instance w
    ! vpclab complete -- fail nat '' | grep -q web
    completes advance clock a
    completes hosts lab ho
    completes default lab delete ''
    completes default status --lab ''
    completes dstport= flows --where dst
    vpclab -q ec2 create-flow-logs --resource-type VPC --resource-ids "$vpc" --traffic-type ALL --log-group-name shop \
        --deliver-logs-permission-arn arn:aws:iam::123456789012:role/r
    completes shop logs filter-log-events --log-group-name s
    # What the lab keeps for itself is nothing to name.
    vpclab -q acm request-certificate --domain-name www.example.com >/dev/null
    ! vpclab complete -- ec2 create-flow-logs --resource-ids '' | grep -q authority
}

@test "completion: actions, condition keys, principals, ARNs, filter names" {
    offers() { # EXPECTED WORDS...: the whole candidate, with the blank that ends it
        local want=$1
        shift
        vpclab complete -- "$@" >"$DIR/out"
        grep -qFx -- "$want" "$DIR/out" || { echo "$* : no $want"; head -20 "$DIR/out"; return 1; }
    }
    offers s3: simulate alice s
    offers 's3:GetObject ' simulate alice s3:Ge
    ! grep -q PutObject "$DIR/out"
    offers 'ec2:RunInstances ' iam simulate-custom-policy --action-names s3:GetObject ec2:Run
    offers aws:SourceIp= simulate alice s3:GetObject x --context aws:S
    offers aws:RequestTag/ simulate alice s3:GetObject x --context aws:Req
    offers s3:prefix= simulate alice s3:ListBucket x --context s3:p
    vpclab complete -- simulate alice ec2:RunInstances x --context s3:p >"$DIR/out"
    [ ! -s "$DIR/out" ]
    offers ContextKeyName=aws:SourceIp,ContextKeyType=ip,ContextKeyValues= \
        iam simulate-custom-policy --context-entries ContextKeyName=aws:So
    vpclab iam create-user --user-name alice >/dev/null
    offers 'alice ' simulate al
    offers 'arn:aws:iam::123456789012:user/alice ' iam simulate-principal-policy --policy-source-arn arn
    offers 'arn:aws:iam::aws:policy/PowerUserAccess ' iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/Pow
    vpclab s3api create-bucket --bucket shop >/dev/null
    offers arn:aws:s3:::shop simulate alice s3:GetObject arn:aws:s3
    offers Name= ec2 describe-subnets --filters N
    offers Name=vpc-id,Values= ec2 describe-subnets --filters Name=vp
    offers Name=tag: ec2 describe-subnets --filters Name=vpc-id,Values=x Name=tag
}

@test "completion offers every service" { # how long that takes: bench/bench_command.c
    vpclab lab new default >/dev/null
    vpclab complete -- simulate alice '' >"$DIR/out"
    [ "$(wc -l <"$DIR/out")" -gt 300 ]
}

@test "bash completion" {
    bash -c 'eval "$("$VPCLAB" completion bash)"; COMP_WORDS=("$VPCLAB" ec2 create-vp) COMP_CWORD=2; _vpclab; printf "%s\n" "${COMPREPLY[@]}"' >"$DIR/out"
    grep -q '^create-vpc ' "$DIR/out"
}

@test "colour: on a terminal, unless NO_COLOR, TERM=dumb or --color say otherwise" {
    esc=$(printf '\033')
    vpclab --color=always nonsense 2>"$DIR/err" || true
    grep -q "$esc" "$DIR/err"
    unset NO_COLOR
    vpclab nonsense 2>"$DIR/err" || true
    ! grep -q "$esc" "$DIR/err"
    command -v script >/dev/null || skip "script(1) is not installed"
    colour() { # ASSIGNMENT... : does a terminal see colour?
        env TERM=xterm "$@" script -qec '"$VPCLAB" $OPTION nonsense' /dev/null | grep -q "$esc"
    }
    colour OPTION=
    ! colour OPTION= NO_COLOR=1
    ! colour OPTION= TERM=dumb
    ! colour OPTION=--color=never
    colour OPTION=--color=always NO_COLOR=1
}

@test "a pager for what is taller than the screen, and only then" {
    command -v script >/dev/null || skip "script(1) is not installed"
    paged() { VPCLAB_PAGER='sed s/^/PAGED:/' script -qec "stty rows 20 cols 80; $1" /dev/null | grep -q PAGED; }
    paged '"$VPCLAB" help'
    ! paged '"$VPCLAB" version'
    ! paged '"$VPCLAB" --no-pager help'
    ! paged '"$VPCLAB" help | cat'
    ! paged 'VPCLAB_PAGER= "$VPCLAB" help'
}

@test "help names each service once" {
    [ "$(vpclab help | grep -c 'operations: `vpclab ec2 --help`')" = 1 ]
    [ -z "$(vpclab help | grep -o 'operations: `vpclab [a-z0-9]*' | sort | uniq -d)" ]
}

@test "load --receive: where no machine of the lab is, and what is the sender's to say" {
    wrong 2 "counts in an instance, and this is none" timeout 10 "$VPCLAB" load --receive 5201
    wrong 2 "this is the sender's to say" vpclab load --receive 5201 --rate 1M
    wrong 2 "is a port, 1 to 65535" vpclab load --receive 0
    wrong 2 "it takes no machine" vpclab load db --receive 5201
}

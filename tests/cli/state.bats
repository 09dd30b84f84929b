# A lab on disk: saved after each change, damaged or newer files refused and kept, one writer, nothing half done.
load helper

lab_file() { echo "$XDG_DATA_HOME/vpclab/labs/default/$1"; }

# refused FILE-TEXT MESSAGE: with this state.json every command fails with status 3 and leaves the file alone.
refused() {
    mkdir -p "$(dirname "$(lab_file state.json)")"
    printf '%s' "$1" >"$(lab_file state.json)"
    for words in 'ec2 describe-vpcs' 'ec2 create-vpc --cidr-block 10.0.0.0/16'; do
        local status=0
        # shellcheck disable=SC2086
        vpclab $words >"$DIR/out" 2>"$DIR/err" || status=$?
        if [ "$status" != 3 ] || ! grep -qF -- "$2" "$DIR/err" || [ -s "$DIR/out" ] || [ "$(cat "$(lab_file state.json)")" != "$1" ]; then
            printf '%s\nstatus %s, expected 3 and: %s\n' "$words" "$status" "$2"
            cat "$DIR/err"
            return 1
        fi
    done
}

@test "a change is there in the next process" {
    vpclab ec2 create-vpc --cidr-block 10.9.0.0/16 >/dev/null
    says 10.9.0.0/16 vpclab ec2 describe-vpcs --query 'Vpcs[].CidrBlock' --output text
}

@test "a damaged state file is named with line and column, and kept" {
    refused '{"version": 1,
"ids": ["00' 'state.json:2:'
    refused '' 'state.json'
    refused 'not json' 'state.json:1:1'
    refused '{"version": 1, "ids": 5}' '`ids`'
}

@test "the state file of a newer program is refused and kept" {
    refused '{"version": 999, "something": "else"}' 'a newer vpclab wrote this lab'
}

@test "a refused operation leaves the state as it was" {
    wrong 4 'InvalidVpc.Range' vpclab ec2 create-vpc --cidr-block 10.0.0.0/30
    wrong 4 'DryRunOperation' vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --dry-run
    wrong 2 '--cidr-blok' vpclab ec2 create-vpc --cidr-blok 10.0.0.0/16
}

@test "the journal has what was done and what was refused, a line each" {
    vpclab ec2 create-vpc --cidr-block 10.9.0.0/16 >/dev/null
    ! vpclab ec2 create-vpc --cidr-block 10.9.0.0/30 2>/dev/null
    [ "$(wc -l <"$(lab_file journal.jsonl)")" = 2 ]
    says 'REFUSED InvalidVpc.Range' vpclab journal --refused
    says '"eventName": "CreateVpc"' vpclab journal --changes --output json
    [ "$(vpclab journal --changes --query 'Events[].errorCode' --output text)" = 'InvalidVpc.Range' ]
}

@test "many processes change one lab, and nothing is lost" {
    vpclab ec2 describe-vpcs >/dev/null
    for i in $(seq 12); do
        vpclab ec2 create-security-group --group-name "g$i" --description x >/dev/null &
    done
    wait
    [ "$(vpclab ec2 describe-security-groups --query 'length(SecurityGroups[?starts_with(GroupName,`g`)])')" = 12 ]
    [ "$(grep -c CreateSecurityGroup "$(lab_file journal.jsonl)")" = 12 ]
}

@test "a process that holds the lab is named" {
    vpclab ec2 describe-vpcs >/dev/null
    (
        exec 9>>"$(lab_file lock)"
        flock 9
        echo $BASHPID >"$(lab_file lock)"
        exec sleep 5
    ) &
    local holder=$!
    for _ in $(seq 50); do [ -s "$(lab_file lock)" ] && break; sleep 0.02; done
    local status=0
    vpclab ec2 create-vpc --cidr-block 10.9.0.0/16 2>"$DIR/err" || status=$?
    kill "$holder"
    cat "$DIR/err"
    [ "$status" = 5 ]
    grep -qF "is being changed by process $holder" "$DIR/err"
}

@test "a killed writer leaves the old state or the new one" {
    vpclab ec2 describe-vpcs >/dev/null
    for i in $(seq 20); do
        vpclab ec2 create-security-group --group-name "k$i" --description x >/dev/null 2>&1 &
        local writer=$!
        sleep "0.00$((i % 8))"
        kill -9 "$writer" 2>/dev/null || true
        wait "$writer" 2>/dev/null || true
        vpclab ec2 describe-security-groups >/dev/null
    done
    vpclab ec2 create-security-group --group-name last --description x >/dev/null
}

@test "labs begin, are listed, are deleted" {
    says 'Name:' vpclab lab new exam
    says 'exam' vpclab lab list
    vpclab lab new empty --bare --seed 7 >/dev/null
    [ "$(vpclab --lab empty ec2 describe-vpcs --query 'length(Vpcs)')" = 0 ]
    [ "$(vpclab --lab exam ec2 describe-vpcs --query 'length(Vpcs)')" = 1 ]
    wrong 2 'already' vpclab lab new exam
    vpclab lab delete exam >/dev/null
    [ ! -e "$XDG_DATA_HOME/vpclab/labs/exam" ]
    wrong 2 'there is no lab `exam`' vpclab lab delete exam
}

@test "a lab in use that has not begun is begun as lab new says" {
    VPCLAB_LAB=x vpclab lab new x --bare >/dev/null
    [ "$(vpclab --lab x ec2 describe-vpcs --query 'length(Vpcs)')" = 0 ]
    VPCLAB_LAB=y vpclab lab list >/dev/null
    [ ! -e "$XDG_DATA_HOME/vpclab/labs/y" ]
}

@test "labs are listed, begun and deleted while the one in use is damaged or newer" {
    mkdir -p "$(dirname "$(lab_file state.json)")"
    vpclab lab new old >/dev/null
    for text in 'not json' '{"version": 999}'; do
        printf '%s' "$text" >"$(lab_file state.json)"
        says default vpclab lab list
        says old vpclab lab list
        vpclab lab new other >/dev/null
        vpclab lab delete other >/dev/null
        [ "$(cat "$(lab_file state.json)")" = "$text" ]
    done
    run vpclab lab delete none
    [ "$status" = 2 ]
    [[ "$output" = *'there is no lab `none`'* ]]
    [ ! -e "$(lab_file journal.jsonl)" ]
    vpclab lab delete default >/dev/null
    [ ! -e "$(lab_file state.json)" ]
}

@test "two labs with one seed are the same" {
    vpclab lab new a --seed 5 >/dev/null
    vpclab lab new b --seed 5 >/dev/null
    for lab in a b; do vpclab --lab $lab ec2 create-vpc --cidr-block 10.0.0.0/16 >"$DIR/$lab"; done
    cmp "$DIR/a" "$DIR/b"
    cmp "$XDG_DATA_HOME/vpclab/labs/a/state.json" "$XDG_DATA_HOME/vpclab/labs/b/state.json"
}

@test "a directory with other things is no lab" {
    mkdir "$DIR/mine"
    echo thesis >"$DIR/mine/thesis.txt"
    wrong 2 'is not a lab' vpclab --lab "$DIR/mine" ec2 create-vpc --cidr-block 10.0.0.0/16
    says '"Vpcs"' vpclab --lab "$DIR/fresh" ec2 describe-vpcs
}

@test "a new lab has AWS's quotas, or none" {
    vpclab lab new strict >/dev/null
    vpclab lab new free --no-limits >/dev/null
    for i in 1 2 3 4; do
        vpclab --lab strict ec2 create-vpc --cidr-block "10.$i.0.0/16" >/dev/null
        vpclab --lab free ec2 create-vpc --cidr-block "10.$i.0.0/16" >/dev/null
    done
    wrong 4 'VpcLimitExceeded' vpclab --lab strict ec2 create-vpc --cidr-block 10.5.0.0/16
    says 10.5.0.0 vpclab --lab free ec2 create-vpc --cidr-block 10.5.0.0/16
}

# Real programs in a live lab, and what is left of it: by the command line only.
setup() {
    cd "$BATS_TEST_DIRNAME/../.." || exit
    export VPCLAB=${VPCLAB:-$PWD/build/vpclab}
    DIR=$(mktemp -d /tmp/vpclab.XXXXXX) # short: a socket lies below it
    mkdir -m 700 "$DIR/run"
    export XDG_DATA_HOME=$DIR/data XDG_RUNTIME_DIR=$DIR/run XDG_CONFIG_HOME=$DIR/config XDG_STATE_HOME=$DIR/state VPCLAB_PAGER= NO_COLOR=1
    unset VPCLAB_LAB VPCLAB_OUTPUT
    if ! "$VPCLAB" doctor >"$DIR/doctor" 2>&1; then
        [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] || { cat "$DIR/doctor"; false; }
        skip "this machine cannot run live labs: $(grep -m1 '^NO' "$DIR/doctor")"
    fi
}
teardown() {
    "$VPCLAB" down >/dev/null 2>&1 || true
    rm -rf "$DIR"
}
vpclab() { "$VPCLAB" "$@" 3>&-; }

# A web server in a public subnet, a database in a private one; the group lets in what ports() adds.
build() {
    vpc=$(vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId --output text)
    one=$(vpclab ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.1.0/24 --query Subnet.SubnetId --output text)
    two=$(vpclab ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.2.0/24 --query Subnet.SubnetId --output text)
    igw=$(vpclab ec2 create-internet-gateway --query InternetGateway.InternetGatewayId --output text)
    vpclab ec2 attach-internet-gateway --internet-gateway-id "$igw" --vpc-id "$vpc"
    table=$(vpclab ec2 describe-route-tables --filters "Name=vpc-id,Values=$vpc" --query 'RouteTables[0].RouteTableId' --output text)
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 0.0.0.0/0 --gateway-id "$igw" >/dev/null
    group=$(vpclab ec2 create-security-group --vpc-id "$vpc" --group-name test --description test --query GroupId --output text)
    run_instance web "$one" 10.0.1.10 --associate-public-ip-address
    run_instance db "$two" 10.0.2.10 --no-associate-public-ip-address
}
run_instance() { # NAME SUBNET ADDRESS [OPTION]
    vpclab ec2 run-instances --image-id ami-0abcdef1234567890 --count 1 --instance-type t3.micro --subnet-id "$2" --private-ip-address "$3" \
        --security-group-ids "$group" "$4" --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$1}]" >/dev/null
}
ports() { # PORT [CIDR]
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port "$1" --cidr "${2:-0.0.0.0/0}" >/dev/null
}
serve() { # NODE PORT: until it listens
    vpclab exec --detach "$1" -- python3 -m http.server "$2"
    for _ in $(seq 100); do
        vpclab exec "$1" -- curl -sf -o /dev/null "http://127.0.0.1:$2/" && return
        sleep 0.05
    done
    return 1
}

@test "standard input goes to the program" {
    build
    vpclab up
    [ "$(echo hello | vpclab exec web -- cat)" = hello ]
}

@test "curl and ping between instances by name, when the group allows" {
    build
    vpclab up
    serve db 8080
    run vpclab exec web -- curl -s -o /dev/null --max-time 1 http://db:8080/
    [ "$status" = 28 ] # silence, not a refusal
    ports 8080
    run vpclab exec web -- curl -sf --max-time 5 http://db:8080/
    [ "$status" = 0 ]
    [[ "$output" == *"Directory listing"* ]]
    run vpclab exec web -- ping -c1 -W1 db
    [ "$status" = 1 ]
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol icmp --port -1 --cidr 0.0.0.0/0 >/dev/null
    vpclab exec web -- ping -c1 -W1 db
    vpclab ping web db --count 1
}

@test "the internet reaches a public address and nothing else" {
    build
    ports 8080
    vpclab up
    serve web 8080
    public=$(vpclab ec2 describe-instances --filters Name=tag:Name,Values=web --query 'Reservations[0].Instances[0].PublicIpAddress' --output text)
    vpclab exec internet -- curl -sf -o /dev/null --max-time 5 "http://$public:8080/"
    run vpclab exec internet -- curl -s -o /dev/null --max-time 1 http://10.0.1.10:8080/
    [ "$status" != 0 ]
    vpclab verify
}

@test "flow logs show what was accepted and what was rejected" {
    build
    ports 8080
    vpclab ec2 create-flow-logs --resource-type VPC --resource-ids "$vpc" --traffic-type ALL --log-destination-type s3 \
        --log-destination arn:aws:s3:::logs --max-aggregation-interval 60 >/dev/null
    vpclab up
    vpclab verify web db --port 8080
    vpclab verify web db --port 9999
    vpclab flows >"$DIR/flows"
    awk '$5 == "10.0.2.10" && $7 == 8080 { print $13 }' "$DIR/flows" | sort -u | grep -qx ACCEPT
    awk '$5 == "10.0.2.10" && $7 == 9999 { print $13 }' "$DIR/flows" | sort -u | grep -qx REJECT
}

@test "stop and start while live" {
    build
    ports 22
    vpclab up
    db=$(vpclab ec2 describe-instances --filters Name=tag:Name,Values=db --query 'Reservations[0].Instances[0].InstanceId' --output text)
    vpclab verify web db --port 22
    vpclab ec2 stop-instances --instance-ids "$db" >/dev/null
    run vpclab exec db -- true
    [ "$status" = 4 ]
    vpclab ec2 start-instances --instance-ids "$db" >/dev/null
    run vpclab verify web db --port 22
    [ "$status" = 0 ]
    [[ "$output" == *"tcp/22 | -"* ]]
}

@test "up twice and down twice are refused" {
    build
    vpclab up
    run vpclab up
    [ "$status" = 4 ]
    vpclab down
    run vpclab down
    [ "$status" = 4 ]
    [ ! -e "$DIR/run/vpclab" ] # with the last socket
}

@test "sockets of labs that were killed and are gone are taken away by the next up; others stay" {
    build
    mkdir -p -m 700 "$DIR/run/vpclab"
    for name in dead young; do
        python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$DIR/run/vpclab/$name.sock"
    done
    touch "$DIR/run/vpclab/file.sock"
    vpclab --lab other up >/dev/null || { [ $? = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs"; }
    touch -d '2 minutes ago' "$DIR"/run/vpclab/{dead,file,other-*}.sock
    vpclab up
    [ "$(ls "$DIR/run/vpclab" | sed 's/-.*//' | xargs)" = "default file.sock other young.sock" ]
    vpclab --lab other exec router:"$(vpclab --lab other ec2 describe-vpcs --query 'Vpcs[0].VpcId' --output text)" -- true
    vpclab --lab other down
}

@test "a machine without the features: the missing thing, its remedy, status 5, nothing changed" {
    command -v unshare >/dev/null || skip "unshare is not installed"
    build
    before=$(cat "$XDG_DATA_HOME/vpclab/labs/default/state.json")
    # Inside, no further user namespace may be made.
    run unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$VPCLAB" up'
    [ "$status" = 5 ]
    [[ "$output" == *"cannot make a user namespace"* ]]
    [[ "$output" == *"user.max_user_namespaces"* ]]
    [ "$before" = "$(cat "$XDG_DATA_HOME/vpclab/labs/default/state.json")" ]
    # What needs it was not tried, and nobody is sent to mend it.
    run unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$VPCLAB" doctor'
    [ "$status" = 1 ]
    [[ "$output" == *"NO   namespaces "*"user.max_user_namespaces"*"?    links "*"not tried, needs what is missing above"* ]]
    [[ "$output" != *modprobe* ]]
    vpclab up
}

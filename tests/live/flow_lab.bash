# Shared by the tests of flow logs, captures and metrics: a lab with two instances and a flow log.
# web and db in one subnet of the default VPC, apart by a custom group on db; $1: the log's format, if any.
lab_with_flow_log() {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    vpc=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].VpcId' -o text)
    subnet=$(vpclab ec2 describe-subnets --query 'Subnets[0].SubnetId' -o text)
    group=$(vpclab ec2 create-security-group --group-name db --description db --vpc-id "$vpc" --query GroupId -o text)
    vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 5432 --cidr 172.31.0.0/16 >/dev/null
    run_instance web
    run_instance db --security-group-ids "$group"
    web=$(address web) db=$(address db)
    log=$(vpclab ec2 create-flow-logs --resource-type VPC --resource-ids "$vpc" --traffic-type "${2:-ALL}" --log-group-name flows \
        --deliver-logs-permission-arn arn:aws:iam::123456789012:role/flow-logs --max-aggregation-interval 60 ${1:+--log-format "$1"} --query 'FlowLogIds[0]' -o text)
}
run_instance() { # NAME OPTION...
    local name=$1
    shift
    vpclab ec2 run-instances --image-id ami-12345678 --subnet-id "$subnet" "$@" \
        --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name}]" >/dev/null
}
of_instance() { vpclab ec2 describe-instances --filters "Name=tag:Name,Values=$1" --query "Reservations[0].Instances[0].$2" -o text; }
address() { of_instance "$1" PrivateIpAddress; }
eni() { of_instance "$1" 'NetworkInterfaces[0].NetworkInterfaceId'; }

up() {
    vpclab up >/dev/null || { [ $? = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs: $(vpclab up 2>&1 | head -n 1)"; }
}
teardown() {
    vpclab down >/dev/null 2>&1 || true
    rm -rf "$DIR"
}
listen() { # INSTANCE PORT OPTION...
    local node=$1 port=$2 option=l
    shift 2
    [ "${1:-}" = -u ] && option=lu
    vpclab exec "$node" -- sh -c "nc -${option}k $port >/dev/null 2>&1 & for i in 1 2 3 4 5 6 7 8 9 10; do ss -ln$([ $option = lu ] && echo u || echo t) | grep -q :$port && exit; sleep 0.05; done; exit 1"
}
knock() { vpclab exec "$1" -- nc -w 1 -z "$2" "$3"; } # FROM ADDRESS PORT
refused() { if knock "$@"; then echo "$* is open"; return 1; fi; }

# has PATTERN OPTION...: a line of `flows OPTION...` matches.
has() {
    local pattern=$1
    shift
    vpclab flows "$@" >"$DIR/flows"
    grep -qE -- "$pattern" "$DIR/flows" || { echo "no line matches $pattern in: flows $*"; cat "$DIR/flows"; return 1; }
}
has_not() { ! has "$@" >/dev/null || { echo "a line matches: $*"; cat "$DIR/flows"; return 1; }; }


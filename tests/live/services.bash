# What the tests of the lab's services share: a VPC `main` with IPv4 and IPv6, subnets `a` (public) and `b`, instances by run_instance.
setup_lab() {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --amazon-provided-ipv6-cidr-block --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=main}]' >/dev/null
    six=$(vpclab ec2 describe-vpcs --vpc-ids main --query 'Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock' --output text)
    read -r six1 six2 < <(python3 -c 'import ipaddress, sys; n = list(ipaddress.ip_network(sys.argv[1]).subnets(new_prefix=64)); print(n[1], n[2])' "$six")
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --ipv6-cidr-block "$six1" --availability-zone us-east-1a \
        --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=a}]' >/dev/null
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.2.0/24 --ipv6-cidr-block "$six2" --availability-zone us-east-1b \
        --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=b}]' >/dev/null
}
run_instance() { # NAME SUBNET OPTION...
    local name=$1 subnet=$2
    shift 2
    vpclab ec2 run-instances --image-id ami-12345678 --subnet-id "$subnet" "$@" \
        --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name}]" --query 'Instances[0].InstanceId' --output text
}
open_group() { # NAME PORT...
    vpclab ec2 create-security-group --group-name "$1" --description x --vpc-id main >/dev/null
    for port in "${@:2}"; do
        vpclab ec2 authorize-security-group-ingress --group-id "$1" --protocol tcp --port "$port" --cidr 0.0.0.0/0 >/dev/null
    done
}
interface() { # ADDRESS: its id
    vpclab ec2 describe-network-interfaces --filters "Name=private-ip-address,Values=$1" --query 'NetworkInterfaces[0].NetworkInterfaceId' --output text
}
pages() { # NODE URL N: who answered, each once, in order
    for _ in $(seq "$3"); do get "$1" "$2" || echo nobody; done | cut -d' ' -f1 | sort -u | xargs
}
add_gateway() { # the internet for subnet a
    vpclab ec2 create-internet-gateway --tag-specifications 'ResourceType=internet-gateway,Tags=[{Key=Name,Value=gate}]' >/dev/null
    vpclab ec2 attach-internet-gateway --internet-gateway-id gate --vpc-id main
    vpclab ec2 create-route-table --vpc-id main --tag-specifications 'ResourceType=route-table,Tags=[{Key=Name,Value=public}]' >/dev/null
    vpclab ec2 create-route --route-table-id public --destination-cidr-block 0.0.0.0/0 --gateway-id gate >/dev/null
    vpclab ec2 create-route --route-table-id public --destination-ipv6-cidr-block ::/0 --gateway-id gate >/dev/null
    vpclab ec2 associate-route-table --route-table-id public --subnet-id a >/dev/null
}
up() {
    vpclab up >/dev/null || { [ $? = 5 ] && [ -z "${VPCLAB_REQUIRE_LIVE:-}" ] && skip "this machine builds no labs"; }
}
teardown() {
    vpclab down >/dev/null 2>&1 || true
    rm -rf "$DIR"
}
get() { # NODE URL OPTION...: the body, nothing when refused
    local node=$1 url=$2
    shift 2
    vpclab exec "$node" -- curl -sf -m 20 "$@" "$url"
}
# Nobody who is silent takes the connection; who takes it may be slow.
code() { # NODE URL OPTION...: the status, 000 for silence
    local node=$1 url=$2
    shift 2
    vpclab exec "$node" -- curl -s --connect-timeout 1.5 -m 10 -o /dev/null -w '%{http_code}' "$@" "$url" || true
}
serve() { # NODE NAME PORT: until it listens
    vpclab exec --detach "$1" -- python3 tests/live/serve.py "$2" "$3"
    for _ in $(seq 100); do
        vpclab exec "$1" -- curl -sf -o /dev/null "http://127.0.0.1:$3/" && return
        sleep 0.05
    done
    return 1
}
# The address of a balancer's node in subnet NAME.
node() { # BALANCER SUBNET
    local subnet
    subnet=$(vpclab ec2 describe-subnets --filters "Name=tag:Name,Values=$2" --query 'Subnets[0].SubnetId' --output text)
    vpclab ec2 describe-network-interfaces --filters "Name=description,Values=ELB */$1/*" "Name=subnet-id,Values=$subnet" \
        --query 'NetworkInterfaces[0].PrivateIpAddress' --output text
}
targets() { # GROUP INSTANCE...
    local group=$1 list=()
    shift
    for name; do list+=("Id=$name"); done
    vpclab elbv2 register-targets --target-group-arn "$group" --targets "${list[@]}" >/dev/null
}
health() { # GROUP: the states in order, once none is initial
    local states
    for _ in $(seq 300); do
        states=$(vpclab elbv2 describe-target-health --target-group-arn "$1" --query 'TargetHealthDescriptions[].TargetHealth.State' --output text)
        [ "$states" = "${2:-}" ] && break
        [ -z "${2:-}" ] && [[ $states != *initial* ]] && break
        sleep 0.2
    done
    echo "$states" | tr '\t' ' '
}

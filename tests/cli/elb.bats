# Classic Load Balancers.
load helper

id() { vpclab "$@" -o text; }

build() {
    V=$(id ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId)
    A=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
    B=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.2.0/24 --availability-zone us-east-1b --query Subnet.SubnetId)
    G=$(id ec2 create-security-group --group-name lb --description d --vpc-id "$V" --query GroupId)
    H=$(id ec2 create-security-group --group-name host --description d --vpc-id "$V" --query GroupId)
    vpclab ec2 authorize-security-group-ingress --group-id "$G" --protocol tcp --port 0-65535 --cidr 10.0.0.0/16 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id "$H" --protocol tcp --port 8080 --source-group "$G" >/dev/null
    run_instance() { id ec2 run-instances --image-id ami-0123456789abcdef0 --subnet-id "$1" --security-group-ids "$H" --query 'Instances[0].InstanceId'; }
    WEB=$(run_instance "$A")
    APP=$(run_instance "$B")
    vpclab elb create-load-balancer --load-balancer-name old --scheme internal --subnets "$A" --security-groups "$G" --listeners Protocol=HTTP,LoadBalancerPort=80,InstancePort=8080 >/dev/null
}
node() { id ec2 describe-network-interfaces --filters Name=requester-id,Values=amazon-elb "Name=subnet-id,Values=$1" --query 'NetworkInterfaces[0].NetworkInterfaceId'; }
flow() { printf '{"from":{"instance":"%s"},"to":{"eni":"%s"},"protocol":"%s","dstPort":%s}\n' "$WEB" "$(node "$A")" "${2:-tcp}" "$1" | vpclab reach --batch >"$DIR/flow" || true; cat "$DIR/flow"; }

@test "a classic balancer listens, registers, checks and sends, with the analyzer's codes" {
    build
    [[ "$(flow 80)" == *TARGET_ADDRESS_RESTRICTION* ]]
    says "$APP" vpclab elb register-instances-with-load-balancer --load-balancer-name old --instances "$APP"
    [[ "$(flow 80)" == *ELB_INSTALLED_AZ_RESTRICTION* ]]
    says "$B" vpclab elb attach-load-balancer-to-subnets --load-balancer-name old --subnets "$B"
    [[ "$(flow 80)" == *ELB_NOT_CROSSZONE* ]]
    says true vpclab elb modify-load-balancer-attributes --load-balancer-name old --load-balancer-attributes 'CrossZoneLoadBalancing={Enabled=true}'
    [[ "$(flow 80)" == *'"verdict":"reachable","reply":"allowed"'* ]]
    [[ "$(flow 80)" == *"$APP"* ]]
    [[ "$(flow 81)" == *ELB_LISTENERS_MISMATCH*ELB_LISTENER_PORT_RESTRICTION* ]]
    [[ "$(flow 80 udp)" == *sg-ingress* ]]
    says InService vpclab elb describe-instance-health --load-balancer-name old
    vpclab elb configure-health-check --load-balancer-name old --health-check Target=TCP:9,Interval=10,Timeout=5,UnhealthyThreshold=2,HealthyThreshold=2 >/dev/null
    says OutOfService vpclab elb describe-instance-health --load-balancer-name old --instances "$APP"
    # an instance beside the node: the outbound ACL is met all the same
    vpclab elb deregister-instances-from-load-balancer --load-balancer-name old --instances "$APP" >/dev/null
    vpclab elb register-instances-with-load-balancer --load-balancer-name old --instances "$WEB" >/dev/null
    [[ "$(flow 80)" == *'"reachable"'* ]]
    ACL=$(id ec2 describe-network-acls --filters "Name=vpc-id,Values=$V" --query 'NetworkAcls[0].NetworkAclId')
    vpclab ec2 create-network-acl-entry --network-acl-id "$ACL" --egress --rule-number 10 --protocol tcp --port-range From=8080,To=8080 --cidr-block 10.0.1.0/24 --rule-action deny >/dev/null
    [[ "$(flow 80)" == *ELB_ACL_RESTRICTION* ]]
    # it goes with its interfaces
    vpclab elb delete-load-balancer --load-balancer-name old
    vpclab elb delete-load-balancer --load-balancer-name old
    says 0 vpclab ec2 describe-network-interfaces --filters Name=requester-id,Values=amazon-elb --query 'length(NetworkInterfaces)'
}

@test "what a classic balancer refuses" {
    build
    L=Protocol=HTTP,LoadBalancerPort=80,InstancePort=8080
    wrong 4 DuplicateLoadBalancerName vpclab elb create-load-balancer --load-balancer-name old --scheme internal --subnets "$A" --listeners $L
    wrong 4 'no internet gateway' vpclab elb create-load-balancer --load-balancer-name new --subnets "$A" --listeners $L
    wrong 4 SubnetNotFound vpclab elb create-load-balancer --load-balancer-name new --subnets subnet-0123456789abcdef0 --listeners $L
    wrong 4 UnsupportedProtocol vpclab elb create-load-balancer --load-balancer-name new --scheme internal --subnets "$A" --listeners Protocol=UDP,LoadBalancerPort=80,InstancePort=8080
    wrong 4 SSLCertificateId vpclab elb create-load-balancer-listeners --load-balancer-name old --listeners Protocol=HTTPS,LoadBalancerPort=443,InstancePort=8080
    wrong 4 DuplicateListener vpclab elb create-load-balancer-listeners --load-balancer-name old --listeners $L
    wrong 4 ListenerNotFound vpclab elb delete-load-balancer-listeners --load-balancer-name old --load-balancer-ports 99
    wrong 4 'last subnet' vpclab elb detach-load-balancer-from-subnets --load-balancer-name old --subnets "$A"
    wrong 4 InvalidSecurityGroup vpclab elb apply-security-groups-to-load-balancer --load-balancer-name old --security-groups sg-0123456789abcdef0
    wrong 4 'is not registered' vpclab elb deregister-instances-from-load-balancer --load-balancer-name old --instances "$WEB"
    wrong 4 'like `TCP:80`' vpclab elb configure-health-check --load-balancer-name old --health-check Target=ICMP,Interval=10,Timeout=5,UnhealthyThreshold=2,HealthyThreshold=2
    wrong 4 'less than it' vpclab elb configure-health-check --load-balancer-name old --health-check Target=TCP:80,Interval=10,Timeout=10,UnhealthyThreshold=2,HealthyThreshold=2
    wrong 4 LoadBalancerNotFound vpclab elb describe-load-balancers --load-balancer-names nothing
}

@test "a classic balancer comes back from an export, and describe-load-balancers of AWS is read" {
    build
    vpclab elb register-instances-with-load-balancer --load-balancer-name old --instances "$WEB" >/dev/null
    vpclab export aws "$DIR/out.d" >/dev/null
    grep -q '"LoadBalancerName": "old"' "$DIR"/out.d/accounts/*/us-east-1/LoadBalancerDescriptions.json
    vpclab --lab copy import aws "$DIR/out.d" >/dev/null
    diff <(vpclab elb describe-load-balancers) <(vpclab --lab copy elb describe-load-balancers)
    vpclab --lab copy reach "$WEB" "$(node "$A")" --port 80
    says old vpclab connectivity --to "$(node "$A")"
}

@test "a name is one balancer's in an account and region, and free in another" {
    build
    wrong 4 DuplicateLoadBalancerName vpclab elb create-load-balancer --load-balancer-name old --scheme internal --subnets "$A" --listeners Protocol=TCP,LoadBalancerPort=1,InstancePort=1
    for where in '--region eu-west-1' '--as 222222222222'; do
        W=$(id $where ec2 create-vpc --cidr-block 10.9.0.0/16 --query Vpc.VpcId)
        C=$(id $where ec2 create-subnet --vpc-id "$W" --cidr-block 10.9.1.0/24 --query Subnet.SubnetId)
        wrong 4 LoadBalancerNotFound vpclab $where elb describe-load-balancers --load-balancer-names old
        says DNSName vpclab $where elb create-load-balancer --load-balancer-name old --scheme internal --subnets "$C" --listeners Protocol=TCP,LoadBalancerPort=9,InstancePort=9
        wrong 4 DuplicateLoadBalancerName vpclab $where elb create-load-balancer --load-balancer-name old --scheme internal --subnets "$C" --listeners Protocol=TCP,LoadBalancerPort=9,InstancePort=9
        [ "$(id $where elb describe-load-balancers --query 'LoadBalancerDescriptions[*].[LoadBalancerName,VPCId]')" = "old"$'\t'"$W" ]
        says targetgroup/web vpclab $where elbv2 create-target-group --name web --protocol TCP --port 80 --vpc-id "$W"
        wrong 4 DuplicateTargetGroupName vpclab $where elbv2 create-target-group --name web --protocol TCP --port 80 --vpc-id "$W"
    done
    [ "$(id elb describe-load-balancers --query 'LoadBalancerDescriptions[*].[LoadBalancerName,VPCId]')" = "old"$'\t'"$V" ]
    [[ "$(flow 9)" == *lb-no-listener* ]] # each keeps its own interfaces and listeners
    vpclab export aws "$DIR/out.d" >/dev/null
    vpclab --lab again import aws "$DIR/out.d" >/dev/null
    [ "$(id --lab again --region eu-west-1 elb describe-load-balancers --query 'LoadBalancerDescriptions[0].ListenerDescriptions[0].Listener.LoadBalancerPort')" = 9 ]
    vpclab --region eu-west-1 elb delete-load-balancer --load-balancer-name old
    says '"old"' vpclab elb describe-load-balancers --load-balancer-names old
    wrong 4 LoadBalancerNotFound vpclab --region eu-west-1 elb describe-load-balancers --load-balancer-names old
}

# Who may do what to load balancers and endpoint services: resources by their ARNs, keys of the request.
load helper

id() { vpclab "$@" -o text; }
allow() { # what the user may do: a policy's statements
    vpclab iam put-user-policy --user-name ann --policy-name p --policy-document "{\"Version\":\"2012-10-17\",\"Statement\":[$1]}"
}
build() {
    V=$(id ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId)
    A=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
    G=$(id ec2 create-security-group --group-name lb --description d --vpc-id "$V" --query GroupId)
    LB=$(id elbv2 create-load-balancer --name web --type network --scheme internal --subnets "$A" --query 'LoadBalancers[0].LoadBalancerArn')
    TG=$(id elbv2 create-target-group --name web --protocol TCP --port 80 --vpc-id "$V" --query 'TargetGroups[0].TargetGroupArn')
    vpclab iam create-user --user-name ann >/dev/null
    E=arn:aws:elasticloadbalancing:us-east-1:123456789012
}

@test "a statement about one balancer is about that one, by ARN and by name" {
    build
    OTHER=$(id elbv2 create-load-balancer --name other --type network --scheme internal --subnets "$A" --query 'LoadBalancers[0].LoadBalancerArn')
    allow "{\"Effect\":\"Allow\",\"Action\":\"elasticloadbalancing:*\",\"Resource\":[\"$E:loadbalancer/net/web/*\",\"$E:targetgroup/web/*\",\"$E:listener/net/web/*\"]}"
    change() { vpclab elbv2 modify-load-balancer-attributes --as ann --load-balancer-arn "$1" --attributes Key=deletion_protection.enabled,Value=false; }
    says deletion_protection change "$LB"
    says deletion_protection change web
    wrong 4 AccessDenied change "$OTHER"
    wrong 4 "loadbalancer/net/other/" change other
    L=$(id elbv2 create-listener --as ann --load-balancer-arn "$LB" --protocol TCP --port 80 --default-actions "Type=forward,TargetGroupArn=$TG" --query 'Listeners[0].ListenerArn')
    wrong 4 AccessDenied vpclab elbv2 create-listener --as ann --load-balancer-arn "$OTHER" --protocol TCP --port 80 --default-actions "Type=forward,TargetGroupArn=$TG"
    vpclab elbv2 delete-listener --as ann --listener-arn "$L"
    wrong 4 AccessDenied vpclab elbv2 describe-load-balancers --as ann
    wrong 4 AccessDenied vpclab elbv2 delete-target-group --as ann --target-group-arn "$E:targetgroup/api/1"
}

@test "keys of a request: scheme, subnet, groups, protocol, tags of the balancer" {
    build
    create() { vpclab elbv2 create-load-balancer --as ann --name new --type network --scheme "$1" --subnets "$A" --security-groups "$G" "${@:2}"; }
    allow '{"Effect":"Allow","Action":"elasticloadbalancing:CreateLoadBalancer","Resource":"*","Condition":{"StringEquals":{"elasticloadbalancing:Scheme":"internet-facing"}}}'
    wrong 4 AccessDenied create internal
    allow "{\"Effect\":\"Allow\",\"Action\":\"elasticloadbalancing:CreateLoadBalancer\",\"Resource\":\"$E:loadbalancer/net/new/*\",\"Condition\":{\"StringEquals\":{\"elasticloadbalancing:Scheme\":\"internal\"},\"ForAllValues:StringEquals\":{\"elasticloadbalancing:Subnet\":\"$A\",\"elasticloadbalancing:SecurityGroup\":\"$G\"}}}"
    wrong 4 'elasticloadbalancing:AddTags' create internal --tags Key=team,Value=net
    says internal create internal
    allow '{"Effect":"Allow","Action":"elasticloadbalancing:CreateListener","Resource":"*","Condition":{"ForAllValues:StringEquals":{"elasticloadbalancing:ListenerProtocol":["TLS"]}}}'
    wrong 4 AccessDenied vpclab elbv2 create-listener --as ann --load-balancer-arn "$LB" --protocol TCP --port 80 --default-actions "Type=forward,TargetGroupArn=$TG"
    allow '{"Effect":"Allow","Action":"elasticloadbalancing:DeleteLoadBalancer","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"net"}}}'
    wrong 4 AccessDenied vpclab elbv2 delete-load-balancer --as ann --load-balancer-arn "$LB"
    vpclab elbv2 add-tags --resource-arns "$LB" --tags Key=team,Value=net
    vpclab elbv2 delete-load-balancer --as ann --load-balancer-arn "$LB"
}

@test "a Classic Load Balancer goes by its name, an endpoint service by its id" {
    build
    for n in one two; do
        vpclab elb create-load-balancer --load-balancer-name $n --scheme internal --subnets "$A" --listeners Protocol=TCP,LoadBalancerPort=80,InstancePort=80 >/dev/null
    done
    allow "{\"Effect\":\"Allow\",\"Action\":\"elasticloadbalancing:*\",\"Resource\":\"$E:loadbalancer/one\"}"
    vpclab elb delete-load-balancer --as ann --load-balancer-name one
    wrong 4 AccessDenied vpclab elb delete-load-balancer --as ann --load-balancer-name two
    S=$(id ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns "$LB" --query ServiceConfiguration.ServiceId)
    permit() { vpclab ec2 modify-vpc-endpoint-service-permissions --as ann --service-id "$S" --add-allowed-principals '*'; }
    allow '{"Effect":"Allow","Action":"ec2:*","Resource":"arn:aws:ec2:us-east-1:123456789012:vpc-endpoint-service/vpce-svc-0123456789abcdef0"}'
    wrong 4 UnauthorizedOperation permit
    allow "{\"Effect\":\"Allow\",\"Action\":\"ec2:*\",\"Resource\":\"arn:aws:ec2:us-east-1:123456789012:vpc-endpoint-service/$S\"}"
    says AddedPrincipals permit
}

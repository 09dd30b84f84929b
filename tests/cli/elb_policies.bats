# Policies of Classic Load Balancers: cookies of listeners, the PROXY header of instances' ports.
load helper

id() { vpclab "$@" -o text; }
build() {
    V=$(id ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId)
    A=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
    vpclab elb create-load-balancer --load-balancer-name old --scheme internal --subnets "$A" --listeners \
        Protocol=HTTP,LoadBalancerPort=80,InstancePort=8080 Protocol=TCP,LoadBalancerPort=81,InstancePort=8081 >/dev/null
}
own() { vpclab elb create-lb-cookie-stickiness-policy --load-balancer-name old --policy-name "$@"; }
app() { vpclab elb create-app-cookie-stickiness-policy --load-balancer-name old --policy-name "$@"; }
proxy() { vpclab elb create-load-balancer-policy --load-balancer-name old --policy-name "$1" --policy-type-name ProxyProtocolPolicyType --policy-attributes "${@:2}"; }
listener() { vpclab elb set-load-balancer-policies-of-listener --load-balancer-name old --load-balancer-port "$1" --policy-names "${@:2}"; }
backend() { vpclab elb set-load-balancer-policies-for-backend-server --load-balancer-name old --instance-port "$1" --policy-names "${@:2}"; }
shown() { id elb describe-load-balancers --load-balancer-names old --query "LoadBalancerDescriptions[0].$1"; }

@test "policies are made, given to listeners and instance ports, shown, taken away and deleted" {
    build
    own day --cookie-expiration-period 86400
    own browser
    app session --cookie-name JSESSIONID
    proxy told AttributeName=ProxyProtocol,AttributeValue=true
    listener 80 day
    backend 8081 told
    [ "$(shown 'ListenerDescriptions[?Listener.LoadBalancerPort==`80`].PolicyNames | [0]')" = day ]
    [ "$(shown 'BackendServerDescriptions[0].[InstancePort,PolicyNames[0]]')" = $'8081\ttold' ]
    [ "$(shown 'Policies.LBCookieStickinessPolicies[].[PolicyName,CookieExpirationPeriod]' | head -1)" = $'day\t86400' ]
    [ "$(shown 'Policies.AppCookieStickinessPolicies[0].CookieName')" = JSESSIONID ]
    [ "$(shown 'Policies.OtherPolicies[0]')" = told ]
    [ "$(id elb describe-load-balancer-policies --load-balancer-name old --query 'length(PolicyDescriptions)')" = 4 ]
    [ "$(id elb describe-load-balancer-policies --load-balancer-name old --policy-names told --query 'PolicyDescriptions[0].[PolicyTypeName,PolicyAttributeDescriptions[0].AttributeValue]')" = $'ProxyProtocolPolicyType\ttrue' ]
    listener 80 session
    [ "$(shown 'ListenerDescriptions[?Listener.LoadBalancerPort==`80`].PolicyNames | [0]')" = session ]
    wrong 4 'in use at the listener on port 80' vpclab elb delete-load-balancer-policy --load-balancer-name old --policy-name session
    wrong 4 'instances'"'"' port 8081' vpclab elb delete-load-balancer-policy --load-balancer-name old --policy-name told
    vpclab elb set-load-balancer-policies-of-listener --load-balancer-name old --load-balancer-port 80 --policy-names '[]'
    vpclab elb set-load-balancer-policies-for-backend-server --load-balancer-name old --instance-port 8081 --policy-names '[]'
    for p in day browser session told told; do # one that is not there is no error
        vpclab elb delete-load-balancer-policy --load-balancer-name old --policy-name $p
    done
    [ "$(id elb describe-load-balancer-policies --load-balancer-name old --query 'length(PolicyDescriptions)')" = 0 ]
}

@test "what policies of a classic balancer refuse" {
    build
    own day --cookie-expiration-period 60
    own other
    app session --cookie-name s
    proxy told AttributeName=ProxyProtocol,AttributeValue=true
    wrong 4 DuplicatePolicyName own day
    wrong 4 DuplicatePolicyName app told --cookie-name s
    wrong 4 'letters, digits and hyphens' own 'a b'
    wrong 4 'letters, digits and hyphens' own ''
    wrong 4 'number of seconds' own minus --cookie-expiration-period -1
    wrong 4 'cannot be the name' app c --cookie-name 'a=b'
    wrong 4 'needs the attribute `CookieName`' app c --cookie-name ''
    wrong 4 'is `true` or `false`' proxy c AttributeName=ProxyProtocol,AttributeValue=maybe
    wrong 4 'has an attribute `ProxyProtocol`' proxy c AttributeName=Cookie,AttributeValue=true
    wrong 4 'needs the attribute `ProxyProtocol`' vpclab elb create-load-balancer-policy --load-balancer-name old --policy-name c --policy-type-name ProxyProtocolPolicyType
    wrong 4 PolicyTypeNotFound vpclab elb create-load-balancer-policy --load-balancer-name old --policy-name c --policy-type-name SSLNegotiationPolicyType
    wrong 4 LoadBalancerNotFound vpclab elb create-lb-cookie-stickiness-policy --load-balancer-name none --policy-name p
    wrong 4 ListenerNotFound listener 99 day
    wrong 4 PolicyNotFound listener 80 none
    wrong 4 'one policy of cookies at most' listener 80 day other
    wrong 4 'speaks TCP' listener 81 day
    wrong 4 'not for a listener' listener 80 told
    wrong 4 'not for the port of instances' backend 8080 day
    wrong 4 'no listener of `old` sends to port 9' backend 9 told
    wrong 4 PolicyNotFound backend 8081 none
    wrong 4 PolicyNotFound vpclab elb describe-load-balancer-policies --load-balancer-name old --policy-names none
    wrong 4 'sample policies' vpclab elb describe-load-balancer-policies
    [ "$(shown 'ListenerDescriptions[].PolicyNames[]')" = '' ]
    # who may do it
    vpclab iam create-user --user-name ann >/dev/null
    wrong 4 'elasticloadbalancing:SetLoadBalancerPoliciesOfListener' listener 80 day --as ann
    vpclab iam put-user-policy --user-name ann --policy-name p --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"elasticloadbalancing:SetLoadBalancerPoliciesOfListener","Resource":"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/old"}]}'
    listener 80 day --as ann
}

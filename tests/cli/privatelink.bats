# Endpoint services (AWS PrivateLink) and Gateway Load Balancer endpoints from the command line.
load helper

id() { vpclab "$@" -o text; }

# A provider's VPC with a Network Load Balancer before an instance, and a consumer's with an instance.
build() {
    P=$(id ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId)
    C=$(id ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId)
    PS=$(id ec2 create-subnet --vpc-id "$P" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
    CS=$(id ec2 create-subnet --vpc-id "$C" --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
    CB=$(id ec2 create-subnet --vpc-id "$C" --cidr-block 10.0.2.0/24 --availability-zone us-east-1b --query Subnet.SubnetId)
    PG=$(id ec2 create-security-group --group-name open --description open --vpc-id "$P" --query GroupId)
    CG=$(id ec2 create-security-group --group-name open --description open --vpc-id "$C" --query GroupId)
    vpclab ec2 authorize-security-group-ingress --group-id "$PG" --protocol tcp --port 8443 --cidr 10.0.1.0/24 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id "$CG" --protocol tcp --port 443 --cidr 10.0.0.0/16 >/dev/null
    T=$(id ec2 run-instances --image-id ami-0123456789abcdef0 --subnet-id "$PS" --security-group-ids "$PG" --query 'Instances[0].InstanceId')
    I=$(id ec2 run-instances --image-id ami-0123456789abcdef0 --subnet-id "$CS" --security-group-ids "$CG" --query 'Instances[0].InstanceId')
    LB=$(id elbv2 create-load-balancer --name svc --type network --scheme internal --subnets "$PS" --query 'LoadBalancers[0].LoadBalancerArn')
    TG=$(id elbv2 create-target-group --name svc --protocol TCP --port 8443 --vpc-id "$P" --query 'TargetGroups[0].TargetGroupArn')
    vpclab elbv2 register-targets --target-group-arn "$TG" --targets "Id=$T" >/dev/null
    vpclab elbv2 create-listener --load-balancer-arn "$LB" --protocol TCP --port 443 --default-actions "Type=forward,TargetGroupArn=$TG" >/dev/null
}
service() { # SERVICE and its NAME, with these options
    SERVICE=$(id ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns "$LB" "$@" --query ServiceConfiguration.ServiceId)
    NAME=com.amazonaws.vpce.us-east-1.$SERVICE
}

@test "a consumer reaches the provider through endpoint, service and balancer, once it is accepted" {
    build
    service
    E=$(id ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id "$C" --service-name "$NAME" --subnet-ids "$CS" --security-group-ids "$CG" --query VpcEndpoint.VpcEndpointId)
    says pendingAcceptance vpclab ec2 describe-vpc-endpoints --vpc-endpoint-ids "$E"
    says pendingAcceptance vpclab ec2 describe-vpc-endpoint-connections --filters "Name=service-id,Values=$SERVICE"
    says '[]' vpclab ec2 describe-vpc-endpoint-connections --filters Name=vpc-endpoint-state,Values=available --query VpcEndpointConnections
    run vpclab reach "$I" "$E" --port 443
    [ "$status" = 1 ]
    [[ "$output" == *"is not available"* ]]
    vpclab ec2 accept-vpc-endpoint-connections --service-id "$SERVICE" --vpc-endpoint-ids "$E"
    vpclab reach "$I" "$E" --port 443
    says "$SERVICE" vpclab reach "$I" "$E" --port 443 -o json
    says 'endpoint service' vpclab reach "$I" "$E" --port 443
    says "$I -> $SERVICE" vpclab reach "$I" "$SERVICE" --port 443
    says "$SERVICE -> $T" vpclab reach "$SERVICE" "$T" --port 8443
    wrong 4 "has no endpoint to the service" vpclab reach "$T" "$SERVICE" --port 443
    says "$E" vpclab who-can-reach "$SERVICE"
    # already accepted, unknown, then cut off and let in again
    says InvalidState vpclab ec2 accept-vpc-endpoint-connections --service-id "$SERVICE" --vpc-endpoint-ids "$E"
    says InvalidVpcEndpointId.NotFound vpclab ec2 accept-vpc-endpoint-connections --service-id "$SERVICE" --vpc-endpoint-ids vpce-0123456789abcdef0
    says '[]' vpclab ec2 reject-vpc-endpoint-connections --service-id "$SERVICE" --vpc-endpoint-ids "$E" --query Unsuccessful
    run vpclab reach "$I" "$E" --port 443
    [ "$status" = 1 ]
    says ExistingVpcEndpointConnections bash -c "'$VPCLAB' ec2 accept-vpc-endpoint-connections --service-id $SERVICE --vpc-endpoint-ids $E >/dev/null; '$VPCLAB' ec2 delete-vpc-endpoint-service-configurations --service-ids $SERVICE"
    vpclab ec2 delete-vpc-endpoints --vpc-endpoint-ids "$E" >/dev/null
    says '[]' vpclab ec2 delete-vpc-endpoint-service-configurations --service-ids "$SERVICE" --query Unsuccessful
    says '[]' vpclab ec2 describe-vpc-endpoint-service-configurations --query ServiceConfigurations
}

@test "an endpoint service: what it refuses" {
    build
    wrong 4 'needs a Network Load Balancer' vpclab ec2 create-vpc-endpoint-service-configuration
    wrong 4 'does not exist' vpclab ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/x/1
    wrong 4 'no IPv6' vpclab ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns "$LB" --supported-ip-address-types ipv6
    service --no-acceptance-required
    wrong 4 'serves' vpclab ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns "$LB"
    wrong 4 'serves the endpoint service' vpclab elbv2 delete-load-balancer --load-balancer-arn "$LB"
    wrong 4 'does not support the availability zone' vpclab ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id "$C" --service-name "$NAME" --subnet-ids "$CB"
    wrong 4 'does not exist for endpoints of type `GatewayLoadBalancer`' vpclab ec2 create-vpc-endpoint --vpc-endpoint-type GatewayLoadBalancer --vpc-id "$C" --service-name "$NAME" --subnet-ids "$CS"
    wrong 4 'address type `ipv6`' vpclab ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id "$C" --service-name "$NAME" --subnet-ids "$CS" --ip-address-type ipv6
    wrong 4 'a service needs' vpclab ec2 modify-vpc-endpoint-service-configuration --service-id "$SERVICE" --remove-network-load-balancer-arns "$LB"
    wrong 4 'InvalidVpcEndpointServiceId.NotFound' vpclab ec2 modify-vpc-endpoint-service-configuration --service-id vpce-svc-0123456789abcdef0 --acceptance-required
    wrong 4 'is no principal' vpclab ec2 modify-vpc-endpoint-service-permissions --service-id "$SERVICE" --add-allowed-principals bob
    wrong 4 'is not permitted' vpclab ec2 modify-vpc-endpoint-service-permissions --service-id "$SERVICE" --remove-allowed-principals '*'
    wrong 4 'has no private DNS name' vpclab ec2 start-vpc-endpoint-service-private-dns-verification --service-id "$SERVICE"
    wrong 4 'has no private DNS name' vpclab ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id "$C" --service-name "$NAME" --subnet-ids "$CS" --private-dns-enabled
    wrong 4 'filter' vpclab ec2 describe-vpc-endpoint-connections --filters Name=nonsense,Values=x
}

@test "the private DNS name of a service is taken once it is verified" {
    build
    service --no-acceptance-required --private-dns-name api.example.com
    says pendingVerification vpclab ec2 describe-vpc-endpoint-service-configurations --service-ids "$SERVICE"
    vpclab ec2 modify-vpc-attribute --vpc-id "$C" --enable-dns-hostnames
    wrong 4 'has not verified' vpclab ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id "$C" --service-name "$NAME" --subnet-ids "$CS" --private-dns-enabled
    vpclab ec2 start-vpc-endpoint-service-private-dns-verification --service-id "$SERVICE" >/dev/null
    says verified vpclab ec2 describe-vpc-endpoint-services --service-names "$NAME" --query 'ServiceDetails[0].PrivateDnsNameVerificationState'
    says api.example.com vpclab ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id "$C" --service-name "$NAME" --subnet-ids "$CS" --private-dns-enabled
}

@test "another account needs the owner's permission" {
    build
    service --no-acceptance-required
    vpclab ec2 create-vpc --cidr-block 10.9.0.0/16 --as 111122223333 >/dev/null
    V=$(id ec2 describe-vpcs --as 111122223333 --filters Name=cidr,Values=10.9.0.0/16 --query 'Vpcs[0].VpcId')
    S=$(id ec2 create-subnet --as 111122223333 --vpc-id "$V" --cidr-block 10.9.1.0/24 --availability-zone us-east-1a --query Subnet.SubnetId)
    make_endpoint() { vpclab ec2 create-vpc-endpoint --as 111122223333 --vpc-endpoint-type Interface --vpc-id "$V" --service-name "$NAME" --subnet-ids "$S" --query VpcEndpoint.State; }
    wrong 4 'InvalidServiceName' make_endpoint
    says Account vpclab ec2 modify-vpc-endpoint-service-permissions --service-id "$SERVICE" --add-allowed-principals arn:aws:iam::111122223333:root
    says arn:aws:iam::111122223333:root vpclab ec2 describe-vpc-endpoint-service-permissions --service-id "$SERVICE" --filters Name=principal-type,Values=Account
    says '[]' vpclab ec2 describe-vpc-endpoint-service-permissions --service-id "$SERVICE" --filters Name=principal-type,Values=All --query AllowedPrincipals
    says available make_endpoint
    says 111122223333 vpclab ec2 describe-vpc-endpoint-connections --query 'VpcEndpointConnections[].VpcEndpointOwner'
    says '[]' vpclab ec2 describe-vpc-endpoint-connections --as 111122223333 --query VpcEndpointConnections
    vpclab ec2 modify-vpc-endpoint-service-permissions --service-id "$SERVICE" --remove-allowed-principals arn:aws:iam::111122223333:root >/dev/null
    wrong 4 'InvalidServiceName' make_endpoint
}

@test "services, permissions and connections come back from an export" {
    build
    service
    vpclab ec2 modify-vpc-endpoint-service-permissions --service-id "$SERVICE" --add-allowed-principals '*' arn:aws:iam::111122223333:role/app >/dev/null
    E=$(id ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id "$C" --service-name "$NAME" --subnet-ids "$CS" --security-group-ids "$CG" --query VpcEndpoint.VpcEndpointId)
    vpclab ec2 accept-vpc-endpoint-connections --service-id "$SERVICE" --vpc-endpoint-ids "$E" >/dev/null
    vpclab export aws "$DIR/out.d" >/dev/null
    grep -q '"Principal": "\*"' "$DIR"/out.d/accounts/*/us-east-1/AllowedPrincipals.json
    grep -q "\"ServiceId\": \"$SERVICE\"" "$DIR"/out.d/accounts/*/us-east-1/VpcEndpointConnections.json
    vpclab --lab copy import aws "$DIR/out.d" >"$DIR/report"
    for what in 'describe-vpc-endpoint-service-configurations' "describe-vpc-endpoint-service-permissions --service-id $SERVICE" describe-vpc-endpoint-connections; do
        # shellcheck disable=SC2086
        diff <(vpclab ec2 $what) <(vpclab --lab copy ec2 $what)
    done
    vpclab --lab copy reach "$I" "$E" --port 443
}

@test "policies may ask whose service an endpoint is for (ec2:VpceServiceOwner)" {
    build
    service --no-acceptance-required
    vpclab iam create-user --user-name bob >/dev/null
    only() { # OWNER: whose services bob may make and change endpoints to
        vpclab iam put-user-policy --user-name bob --policy-name p --policy-document '{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"ec2:*","NotResource":"arn:aws:ec2:*:*:vpc-endpoint/*"},
            {"Effect":"Allow","Action":"ec2:*","Resource":"arn:aws:ec2:*:*:vpc-endpoint/*","Condition":{"StringEquals":{"ec2:VpceServiceOwner":"'"$1"'"}}}]}'
    }
    to() { vpclab --as bob ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id "$C" --service-name "$1" --subnet-ids "$CS" --security-group-ids "$CG" --query VpcEndpoint.VpcEndpointId -o text; }
    vpclab ec2 modify-vpc-attribute --vpc-id "$C" --enable-dns-hostnames
    only amazon
    wrong 4 UnauthorizedOperation to "$NAME"
    says vpce- to com.amazonaws.us-east-1.sqs
    only 123456789012
    wrong 4 UnauthorizedOperation to com.amazonaws.us-east-1.sqs
    says vpce- to "$NAME"
    E=$(cat "$DIR/out")
    only 999988887777
    wrong 4 UnauthorizedOperation vpclab --as bob ec2 modify-vpc-endpoint --vpc-endpoint-id "$E" --private-dns-enabled
    wrong 4 UnauthorizedOperation to "$NAME"
}

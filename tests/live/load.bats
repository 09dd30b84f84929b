#!/usr/bin/env bats
# `trace` follows a packet to the rule that stops it; `load` measures what passes.
load ../cli/helper
load services

two_machines() {
    setup_lab
    add_gateway
    vpclab ec2 create-security-group --group-name db --description db --vpc-id main >/dev/null
    web=$(run_instance web a --private-ip-address 10.0.1.10 --associate-public-ip-address)
    db=$(run_instance db b --private-ip-address 10.0.2.10 --ipv6-address-count 1 --security-group-ids db)
    open_db tcp 5201-5202 >/dev/null
    up
}
open_db() { # PROTOCOL PORTS: the rule's id
    vpclab ec2 authorize-security-group-ingress --group-id db --protocol "$1" --port "$2" --cidr 10.0.0.0/16 \
        --query 'SecurityGroupRules[0].SecurityGroupRuleId' --output text
}
ways() { # DIRECTION: the kinds of the hops
    jq -r --arg way "$1" '[.Hops[] | select(.Direction == $way) | .Type] | join(" > ")' "$DIR/trace"
}
trace() { vpclab trace "$@" --output json >"$DIR/trace"; }

@test "trace: a packet and its answer, hop by hop, with the rules that let them pass" {
    two_machines
    rule=$(open_db tcp 22)
    trace web db tcp/22
    [ "$(ways forward)" = "interface > router > interface" ]
    [ "$(ways answer)" = "interface > router > interface" ]
    jq -e --arg rule "$rule" '.Hops[1].Rules | index($rule)' "$DIR/trace"
    jq -e '.Hops[4].Rules | index("tracked")' "$DIR/trace"
    jq -e '.Arrived and .Replied and .Refused and (.Hops | all(.Stopped == null))' "$DIR/trace"
    # The same packet without the rule.
    vpclab ec2 revoke-security-group-ingress --group-id db --security-group-rule-ids "$rule" >/dev/null
    run trace web db tcp/22
    [ "$status" = 1 ]
    group=$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=db --query 'SecurityGroups[0].GroupId' --output text)
    [ "$(jq -r '.Hops[-1].Stopped' "$DIR/trace")" = "$group:ingress:none" ]
    run vpclab trace web db tcp/22
    [[ "$output" == *"did not arrive"*"hint: \`reach web db tcp/22 --all\`"* ]]
    # Nothing of it stays in the router.
    run vpclab exec router:main -- nft list tables
    [[ "$output" != *trace* ]]
}

@test "trace: translation at the gateway, an answer that an ACL stops, a route that leads nowhere" {
    two_machines
    trace web internet
    [ "$(ways forward)" = "interface > router > internet gateway > internet" ]
    jq -e '.Hops[2] | .Source == "10.0.1.10" and .NewSource != null' "$DIR/trace"
    jq -e '.Hops[1].RouteTable' "$DIR/trace"
    run trace db internet
    [ "$status" = 1 ]
    [[ "$(jq -r '.Hops[-1].Stopped' "$DIR/trace")" == "no route of rtb-"*" leads to 8.8.8.8"* ]]
    acl=$(vpclab ec2 describe-network-acls --filters Name=default,Values=true "Name=vpc-id,Values=$(vpclab ec2 describe-vpcs --vpc-ids main --query 'Vpcs[0].VpcId' --output text)" \
        --query 'NetworkAcls[0].NetworkAclId' --output text)
    vpclab ec2 create-network-acl-entry --network-acl-id "$acl" --rule-number 50 --protocol tcp --port-range From=1024,To=65535 \
        --cidr-block 10.0.1.0/24 --rule-action deny --egress
    run trace web db tcp/5201
    [ "$status" = 1 ]
    jq -e '.Arrived and (.Replied | not)' "$DIR/trace"
    [ "$(jq -r '.Hops[-1] | .Direction + " " + .Stopped' "$DIR/trace")" = "answer $acl:egress:50" ]
}

@test "trace: by IPv6, and what cannot be asked" {
    two_machines
    run vpclab trace db web --ipv6
    [ "$status" = 4 ] # web has no address
    [[ "$output" == *"has no IPv6 address"* ]]
    vpclab ec2 assign-ipv6-addresses --network-interface-id "$(vpclab ec2 describe-instances --instance-ids web \
        --query 'Reservations[0].Instances[0].NetworkInterfaces[0].NetworkInterfaceId' --output text)" --ipv6-address-count 1 >/dev/null
    run trace db web --ipv6
    [ "$status" = 1 ]
    [[ "$(jq -r '.Hops[-1].Stopped' "$DIR/trace")" == "sg-"*":ingress:none" ]]
    vpclab ec2 authorize-security-group-ingress --group-id "$(vpclab ec2 describe-instances --instance-ids web \
        --query 'Reservations[0].Instances[0].SecurityGroups[0].GroupId' --output text)" --ip-permissions 'IpProtocol=-1,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    trace db web --ipv6
    jq -e .Replied "$DIR/trace"
    for bad in tcp udp icmp/8 tcp/0 tcp/x nonsense/5; do
        run vpclab trace web db "$bad"
        [ "$status" = 2 ]
        [[ "$output" == *"hint: "* ]]
    done
    run vpclab trace router:main db
    [ "$status" = 4 ]
    run vpclab trace web ""
    [ "$status" != 0 ]
    vpclab down >/dev/null
    run vpclab trace web db
    [ "$status" = 4 ]
    [[ "$output" == *"not live"*"vpclab up"* ]]
}

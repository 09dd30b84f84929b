#!/usr/bin/env bats
# User data runs in the instance when it starts for the first time; its console tells.
load ../cli/helper
load services

console() { # NODE TEXT: waits until the console holds it
    for _ in $(seq 50); do
        vpclab ec2 get-console-output --instance-id "$1" --query Output --output text | grep -q "$2" && return
        sleep 0.1
    done
    vpclab ec2 get-console-output --instance-id "$1"
    return 1
}

@test "user data: a script runs once, in its instance, with names and metadata" {
    setup_lab
    run_instance web a --private-ip-address 10.0.1.10 --user-data '#!/bin/sh
echo "begin $(hostname) $(ip -4 -o addr show eth0 | grep -o "10[.0-9]*/24")"
curl -s http://169.254.169.254/latest/meta-data/local-ipv4; echo
exec python3 -m http.server 18765'
    run_instance plain a --user-data 'no script'
    vpclab ec2 authorize-security-group-ingress --group-id "$(vpclab ec2 describe-security-groups --filters Name=group-name,Values=default \
        --query 'SecurityGroups[-1].GroupId' --output text)" --protocol tcp --port 18765 --cidr 10.0.0.0/16 >/dev/null
    run vpclab ec2 get-console-output --instance-id web --query Output --output text
    [ "$status" = 0 ]
    up
    console web 'begin ip-10-0-1-10 10.0.1.10/24'
    console web '^10.0.1.10$'
    for _ in $(seq 50); do [ "$(code plain http://web:18765/)" = 200 ] && break; sleep 0.1; done
    [ "$(code plain http://web:18765/)" = 200 ]
    [ -z "$(vpclab ec2 get-console-output --instance-id plain --query Output --output text)" ]
    # A change of the lab does not run it again, nor does a stop and a start; a new instance's runs at once.
    vpclab ec2 stop-instances --instance-ids web >/dev/null
    vpclab ec2 start-instances --instance-ids web >/dev/null
    sleep 0.5
    [ "$(vpclab ec2 get-console-output --instance-id web --query Output --output text | grep -c begin)" = 1 ]
    run_instance late a --user-data '#!/usr/bin/env python3
print("late", 6 * 7, flush=True)'
    console late 'late 42'
    run_instance wrong a --user-data '#!/no/such/interpreter'
    console wrong 'cannot run the script'
    vpclab down >/dev/null
    run pgrep -f 'http.server 18765'
    [ "$status" = 1 ]
    run vpclab ec2 get-console-output --instance-id i-0123456789abcdef0
    [ "$status" = 4 ]
    run vpclab ec2 get-console-output
    [ "$status" = 2 ]
}

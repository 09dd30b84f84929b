#!/usr/bin/env -S vpclab run
-- Central inspection: all traffic between two VPCs passes a fleet of firewalls, in a VPC of its own.
--
-- A transit gateway sends what comes from the spokes to the inspection VPC; there a Gateway Load Balancer endpoint leads it to one of two
-- firewalls and back, and the same transit gateway delivers it.  The attachment is in appliance mode, so both directions of a connection
-- enter by the same zone.  The spokes have IPv4 and IPv6.

local function named(kind, name)
    return { { resource_type = kind, tags = { { key = "Name", value = name } } } }
end
local image = { image_id = "ami-0abcdef1234567890", instance_type = "t3.micro", min_count = 1, max_count = 1 }
local function run(name, subnet, ip, group, ipv6)
    local spec = { subnet_id = subnet, private_ip_address = ip, security_group_ids = { group },
        ipv6_address_count = ipv6 and 1 or nil, tag_specifications = named("instance", name) }
    for k, v in pairs(image) do
        spec[k] = v
    end
    return ec2.run_instances(spec).Instances[1].InstanceId
end
local function vpc_of(name, number)
    local vpc = ec2.create_vpc{ cidr_block = ("10.%d.0.0/16"):format(number), amazon_provided_ipv6_cidr_block = true,
        tag_specifications = named("vpc", name) }.Vpc.VpcId
    return vpc, ec2.describe_vpcs{ vpc_ids = { vpc } }.Vpcs[1].Ipv6CidrBlockAssociationSet[1].Ipv6CidrBlock
end
local function nth_64(block, n) -- of a /56, whose fourth part may be left out because it is 0
    local head = block:match("^(.*)::/56$")
    local _, parts = head:gsub("%x+", "")
    return parts < 4 and ("%s:%x::/64"):format(head, n) or ("%s%02x::/64"):format(head:sub(1, -3), n)
end
local function subnet_of(name, vpc, number, six, n)
    return ec2.create_subnet{ vpc_id = vpc, cidr_block = ("10.%d.%d.0/24"):format(number, n), ipv6_cidr_block = nth_64(six, n),
        availability_zone = "us-east-1a", tag_specifications = named("subnet", name) }.Subnet.SubnetId
end
local function main_table(vpc)
    return ec2.describe_route_tables{ filters = { { name = "vpc-id", values = { vpc } } } }.RouteTables[1].RouteTableId
end

lab.title "1. Two spokes at a transit gateway"

local tgw = ec2.create_transit_gateway{ description = "hub", options = { default_route_table_association = "disable",
    default_route_table_propagation = "disable" }, tag_specifications = named("transit-gateway", "hub") }.TransitGateway.TransitGatewayId
local function attach(vpc, subnet, options)
    return ec2.create_transit_gateway_vpc_attachment{ transit_gateway_id = tgw, vpc_id = vpc, subnet_ids = { subnet },
        options = options }.TransitGatewayVpcAttachment.TransitGatewayAttachmentId
end
local function spoke(name, number)
    local vpc, six = vpc_of(name, number)
    local subnet = subnet_of(name, vpc, number, six, 1)
    local group = ec2.create_security_group{ vpc_id = vpc, group_name = name, description = "HTTP, HTTPS and ping" }.GroupId
    ec2.authorize_security_group_ingress{ group_id = group, ip_permissions = {
        { ip_protocol = "tcp", from_port = 80, to_port = 80, ip_ranges = { { cidr_ip = "10.0.0.0/8" } } },
        { ip_protocol = "tcp", from_port = 443, to_port = 443, ip_ranges = { { cidr_ip = "10.0.0.0/8" } },
            ipv6_ranges = { { cidr_ipv6 = "::/0" } } } } }
    run(name, subnet, ("10.%d.1.10"):format(number), group, true)
    local attachment = attach(vpc, subnet, { ipv6_support = "enable" })
    local to = { route_table_id = main_table(vpc), transit_gateway_id = tgw }
    for _, block in ipairs{ "0.0.0.0/0", "::/0" } do
        to.destination_cidr_block, to.destination_ipv6_cidr_block = nil, nil
        to[block == "::/0" and "destination_ipv6_cidr_block" or "destination_cidr_block"] = block
        ec2.create_route(to)
    end
    return { vpc = vpc, attachment = attachment }
end
local dev, prod = spoke("dev", 1), spoke("prod", 2)

lab.title "2. The firewalls, behind a Gateway Load Balancer"

local vpc, six = vpc_of("inspection", 9)
local rack = subnet_of("firewalls", vpc, 9, six, 1)
local group = ec2.create_security_group{ vpc_id = vpc, group_name = "firewall", description = "GENEVE and health checks" }.GroupId
ec2.authorize_security_group_ingress{ group_id = group, ip_permissions = {
    { ip_protocol = "udp", from_port = 6081, to_port = 6081, ip_ranges = { { cidr_ip = "10.9.1.0/24" } } },
    { ip_protocol = "tcp", from_port = 80, to_port = 80, ip_ranges = { { cidr_ip = "10.9.1.0/24" } } } } }
local fw1, fw2 = run("fw1", rack, "10.9.1.11", group, true), run("fw2", rack, "10.9.1.12", group, true)
local lb = elbv2.create_load_balancer{ name = "inspect", type = "gateway", subnets = { rack }, ip_address_type = "dualstack" }
    .LoadBalancers[1].LoadBalancerArn
local targets = elbv2.create_target_group{ name = "firewalls", protocol = "GENEVE", port = 6081, vpc_id = vpc,
    health_check_protocol = "TCP", health_check_port = "80" }.TargetGroups[1].TargetGroupArn
elbv2.register_targets{ target_group_arn = targets, targets = { { id = fw1 }, { id = fw2 } } }
elbv2.create_listener{ load_balancer_arn = lb, default_actions = { { type = "forward", target_group_arn = targets } } }

-- The service is offered to the endpoint in the same VPC; other accounts could have endpoints of their own.
local service = ec2.create_vpc_endpoint_service_configuration{ gateway_load_balancer_arns = { lb }, acceptance_required = false,
    supported_ip_address_types = { "ipv4", "ipv6" } }.ServiceConfiguration.ServiceName
local gate = subnet_of("endpoint", vpc, 9, six, 2)
local endpoint = ec2.create_vpc_endpoint{ vpc_endpoint_type = "GatewayLoadBalancer", vpc_id = vpc, service_name = service,
    subnet_ids = { gate }, ip_address_type = "dualstack" }.VpcEndpoint.VpcEndpointId

lab.title "3. Routes: spokes, gateway, endpoint, gateway, spokes"

local door = subnet_of("attachment", vpc, 9, six, 3)
local inspection = attach(vpc, door, { appliance_mode_support = "enable", ipv6_support = "enable" })
local function table_of(name, subnet, target)
    local id = ec2.create_route_table{ vpc_id = vpc, tag_specifications = named("route-table", name) }.RouteTable.RouteTableId
    ec2.associate_route_table{ route_table_id = id, subnet_id = subnet }
    target.route_table_id = id
    target.destination_cidr_block = "10.0.0.0/8"
    ec2.create_route(target)
    target.destination_cidr_block, target.destination_ipv6_cidr_block = nil, "::/0"
    ec2.create_route(target)
end
table_of("to the firewalls", door, { vpc_endpoint_id = endpoint })
table_of("back to the hub", gate, { transit_gateway_id = tgw })

local function hub_table(name, associated)
    local id = ec2.create_transit_gateway_route_table{ transit_gateway_id = tgw,
        tag_specifications = named("transit-gateway-route-table", name) }.TransitGatewayRouteTable.TransitGatewayRouteTableId
    for _, attachment in ipairs(associated) do
        ec2.associate_transit_gateway_route_table{ transit_gateway_route_table_id = id, transit_gateway_attachment_id = attachment }
    end
    return id
end
local from_spokes = hub_table("from the spokes", { dev.attachment, prod.attachment })
for _, block in ipairs{ "0.0.0.0/0", "::/0" } do
    ec2.create_transit_gateway_route{ transit_gateway_route_table_id = from_spokes, destination_cidr_block = block,
        transit_gateway_attachment_id = inspection }
end
local inspected = hub_table("inspected", { inspection })
for _, s in ipairs{ dev, prod } do
    ec2.enable_transit_gateway_route_table_propagation{ transit_gateway_route_table_id = inspected,
        transit_gateway_attachment_id = s.attachment }
end
print(lab.reach{ source = "dev", destination = "prod", port = 443 })

lab.title "4. With real packets: they come out of the endpoint as they went in"

lab.up()
lab.expect_reachable{ source = "dev", destination = "prod", port = 443 }
lab.expect_reachable{ source = "dev", destination = "prod", port = 80 }
lab.expect_reachable{ source = "prod", destination = "dev", port = 443, ipv6 = true }
lab.expect_blocked{ source = "dev", destination = "prod", port = 22 }

lab.title "5. The firewalls forbid plain HTTP, by rules of their own"

-- `reach` knows what AWS knows: it does not look into an appliance.
local rules = "table inet firewall { chain forward { type filter hook forward priority 0; iifname \"gwi-*\" tcp dport 80 drop; }; }"
for _, firewall in ipairs{ "fw1", "fw2" } do
    lab.exec(firewall, "nft", rules)
end
lab.expect_blocked{ source = "dev", destination = "prod", port = 80 }
lab.expect_reachable{ source = "dev", destination = "prod", port = 443 }
for _, firewall in ipairs{ "fw1", "fw2" } do
    lab.exec(firewall, "nft", "flush", "ruleset")
end
lab.expect_reachable{ source = "dev", destination = "prod", port = 80 }

lab.title "6. One firewall stops, then the other"

ec2.stop_instances{ instance_ids = { fw1 } }
lab.expect_reachable{ source = "dev", destination = "prod", port = 443 }
ec2.stop_instances{ instance_ids = { fw2 } }
lab.expect_blocked{ source = "dev", destination = "prod", port = 443 }
ec2.start_instances{ instance_ids = { fw1, fw2 } }
lab.expect_reachable{ source = "dev", destination = "prod", port = 443 }

lab.title "7. Every pair"

print(lab.verify())
print(lab.down())

#!/usr/bin/env -S vpclab run
-- A VPC in two zones, with a NAT gateway in each and a VPN connection to a network on premises; then things fail.
--
-- Routes to the network on premises are propagated: they come with the VPN connection's static routes and go with them.
-- A zone that fails takes its NAT gateway along; the other zone goes on because its route table names its own.
-- Everything happens in a throw-away lab.

local function named(kind, name)
    return { { resource_type = kind, tags = { { key = "Name", value = name } } } }
end

lab.title "1. Build: two zones, each with a public and a private subnet"

local vpc = ec2.create_vpc{ cidr_block = "10.0.0.0/16", tag_specifications = named("vpc", "office") }.Vpc.VpcId
local igw = ec2.create_internet_gateway{}.InternetGateway.InternetGatewayId
ec2.attach_internet_gateway{ internet_gateway_id = igw, vpc_id = vpc }
local vgw = ec2.create_vpn_gateway{ type = "ipsec.1", tag_specifications = named("vpn-gateway", "vgw") }.VpnGateway.VpnGatewayId
ec2.attach_vpn_gateway{ vpn_gateway_id = vgw, vpc_id = vpc }

local group = ec2.create_security_group{ vpc_id = vpc, group_name = "app", description = "from the office" }.GroupId
ec2.authorize_security_group_ingress{ group_id = group, ip_permissions = {
    { ip_protocol = "tcp", from_port = 8080, to_port = 8080, ip_ranges = { { cidr_ip = "192.168.0.0/16" } } },
    { ip_protocol = "icmp", from_port = -1, to_port = -1, ip_ranges = { { cidr_ip = "192.168.0.0/16" } } } } }

local function subnet(name, block, zone)
    return ec2.create_subnet{ vpc_id = vpc, cidr_block = block, availability_zone = zone,
        tag_specifications = named("subnet", name) }.Subnet.SubnetId
end
local function route_table(name, of, target)
    local id = ec2.create_route_table{ vpc_id = vpc, tag_specifications = named("route-table", name) }.RouteTable.RouteTableId
    ec2.associate_route_table{ route_table_id = id, subnet_id = of }
    target.route_table_id, target.destination_cidr_block = id, "0.0.0.0/0"
    ec2.create_route(target)
    return id
end
for i, zone in ipairs{ "us-east-1a", "us-east-1b" } do
    local letter = zone:sub(-1)
    local public = subnet("public-" .. letter, ("10.0.%d.0/24"):format(i), zone)
    local private = subnet("private-" .. letter, ("10.0.1%d.0/24"):format(i), zone)
    route_table("public-" .. letter, public, { gateway_id = igw })
    local nat = ec2.create_nat_gateway{ subnet_id = public, allocation_id = ec2.allocate_address{ domain = "vpc" }.AllocationId,
        tag_specifications = named("natgateway", "nat-" .. letter) }.NatGateway.NatGatewayId
    local id = route_table("private-" .. letter, private, { nat_gateway_id = nat })
    ec2.enable_vgw_route_propagation{ route_table_id = id, gateway_id = vgw }
    ec2.run_instances{ image_id = "ami-0abcdef1234567890", instance_type = "t3.micro", min_count = 1, max_count = 1,
        subnet_id = private, private_ip_address = ("10.0.1%d.10"):format(i), security_group_ids = { group },
        tag_specifications = named("instance", "app-" .. letter) }
end

lab.title "2. A customer gateway, and a VPN connection with a static route"

local cgw = ec2.create_customer_gateway{ type = "ipsec.1", public_ip = "203.0.113.7", bgp_asn = 65000,
    tag_specifications = named("customer-gateway", "office") }.CustomerGateway.CustomerGatewayId
local vpn = ec2.create_vpn_connection{ type = "ipsec.1", customer_gateway_id = cgw, vpn_gateway_id = vgw,
    options = { static_routes_only = true }, tag_specifications = named("vpn-connection", "vpn") }.VpnConnection.VpnConnectionId
ec2.create_vpn_connection_route{ vpn_connection_id = vpn, destination_cidr_block = "192.168.0.0/16" }
lab.expect_reachable{ source = "app-a", destination = vpn, destination_ip = "192.168.0.10", port = 443 }
lab.expect_reachable{ source = vpn, source_ip = "192.168.0.10", destination = "app-b", port = 8080 }

lab.title "3. The same network in the kernel; the office is a machine too"

print(lab.up())
lab.exec("onprem", "ip", "-br", "-4", "addr", "show", "lo")
print(lab.verify{ source = "onprem" })

lab.title "4. A zone fails, and what is left goes on"

local function check(zone, expect)
    expect{ source = "app-" .. zone, destination = "internet", port = 443 }
    expect{ source = vpn, source_ip = "192.168.0.10", destination = "app-" .. zone, port = 8080 }
end
check("a", lab.expect_reachable)
check("b", lab.expect_reachable)
print(lab.fail{ type = "az", name = "us-east-1a" }.Failures[1].Target .. " fails")
check("a", lab.expect_blocked)
check("b", lab.expect_reachable)
print("and is restored")
lab.restore{ type = "all" }
check("a", lab.expect_reachable)

lab.title "5. One NAT gateway fails: its zone keeps the way to the office, not the one to the internet"

lab.fail{ type = "nat", name = "nat-b" }
lab.expect_blocked{ source = "app-b", destination = "internet", port = 443 }
lab.expect_reachable{ source = "app-b", destination = vpn, destination_ip = "192.168.0.10", port = 443 }
lab.expect_reachable{ source = "app-a", destination = "internet", port = 443 }
print(lab.reach{ source = "app-b", destination = "internet", port = 443 })
lab.restore{ type = "nat", name = "nat-b" }
lab.expect_reachable{ source = "app-b", destination = "internet", port = 443 }

lab.title "6. Every pair"

print(lab.verify())
print(lab.down())

#!/usr/bin/env -S vpclab run
-- Hub and spoke: three VPCs at one transit gateway.  Development and production reach the shared services and not each
-- other, because their route table knows the shared VPC alone.
--
-- The gateway's tables decide, not the VPCs': every VPC sends all of 10.0.0.0/8 to the gateway.  Later one VPC is put in
-- quarantine with a single blackhole route.  Everything happens in a throw-away lab.

local function named(kind, name)
    return { { resource_type = kind, tags = { { key = "Name", value = name } } } }
end

lab.title "1. Build: three VPCs, a server in each"

local tgw = ec2.create_transit_gateway{ description = "hub",
    options = { default_route_table_association = "disable", default_route_table_propagation = "disable" },
    tag_specifications = named("transit-gateway", "hub") }.TransitGateway.TransitGatewayId

local function place(name, number)
    local block = ("10.%d.0.0/16"):format(number)
    local vpc = ec2.create_vpc{ cidr_block = block, tag_specifications = named("vpc", name) }.Vpc.VpcId
    local subnet = ec2.create_subnet{ vpc_id = vpc, cidr_block = ("10.%d.1.0/24"):format(number),
        availability_zone = "us-east-1a", tag_specifications = named("subnet", name) }.Subnet.SubnetId
    local group = ec2.create_security_group{ vpc_id = vpc, group_name = name, description = name }.GroupId
    ec2.authorize_security_group_ingress{ group_id = group, ip_permissions = { { ip_protocol = "tcp", from_port = 443,
        to_port = 443, ip_ranges = { { cidr_ip = "10.0.0.0/8" } } } } }
    ec2.run_instances{ image_id = "ami-0abcdef1234567890", instance_type = "t3.micro", min_count = 1, max_count = 1,
        subnet_id = subnet, private_ip_address = ("10.%d.1.10"):format(number), security_group_ids = { group },
        tag_specifications = named("instance", name) }
    local attachment = ec2.create_transit_gateway_vpc_attachment{ transit_gateway_id = tgw, vpc_id = vpc,
        subnet_ids = { subnet } }.TransitGatewayVpcAttachment.TransitGatewayAttachmentId
    local main = ec2.describe_route_tables{ filters = { { name = "vpc-id", values = { vpc } } } }.RouteTables[1]
    ec2.create_route{ route_table_id = main.RouteTableId, destination_cidr_block = "10.0.0.0/8",
        transit_gateway_id = tgw }
    return { name = name, vpc = vpc, attachment = attachment, block = block }
end
local dev, prod, shared = place("dev", 1), place("prod", 2), place("shared", 3)

lab.title "2. The hub's tables: who is asked, and who is known there"

-- An attachment's association says which table its packets are looked up in; a propagation says whose blocks a table knows.
local function table_of(name, associated, propagated)
    local id = ec2.create_transit_gateway_route_table{ transit_gateway_id = tgw,
        tag_specifications = named("transit-gateway-route-table", name) }.TransitGatewayRouteTable.TransitGatewayRouteTableId
    for _, p in ipairs(associated) do
        ec2.associate_transit_gateway_route_table{ transit_gateway_route_table_id = id,
            transit_gateway_attachment_id = p.attachment }
    end
    for _, p in ipairs(propagated) do
        ec2.enable_transit_gateway_route_table_propagation{ transit_gateway_route_table_id = id,
            transit_gateway_attachment_id = p.attachment }
    end
    return id
end
table_of("spokes", { dev, prod }, { shared })
local inner = table_of("shared", { shared }, { dev, prod })
print("  table    packets of   knows")
print("  spokes   dev, prod    " .. shared.block)
print("  shared   shared       " .. dev.block .. ", " .. prod.block)

local function check_all()
    lab.expect_reachable{ source = "dev", destination = "shared", port = 443 }
    lab.expect_reachable{ source = "prod", destination = "shared", port = 443 }
    lab.expect_reachable{ source = "shared", destination = "dev", port = 443 }
    lab.expect_blocked{ source = "dev", destination = "prod", port = 443 }
    lab.expect_blocked{ source = "prod", destination = "dev", port = 443 }
    lab.expect_blocked{ source = "dev", destination = "shared", port = 22 }
end
check_all()

lab.title "3. Why may development not reach production?"

print(lab.reach{ source = "dev", destination = "prod", port = 443 })

lab.title "4. The same network in the kernel, with real packets"

print(lab.up())
check_all()

lab.title "5. Quarantine: one static route, and answers to development go nowhere"

ec2.create_transit_gateway_route{ transit_gateway_route_table_id = inner, destination_cidr_block = "10.1.0.0/16",
    blackhole = true }
lab.expect_blocked{ source = "shared", destination = "dev", port = 443 }
lab.expect_reachable{ source = "prod", destination = "shared", port = 443 }
print("and back again:")
ec2.delete_transit_gateway_route{ transit_gateway_route_table_id = inner, destination_cidr_block = "10.1.0.0/16" }
lab.expect_reachable{ source = "shared", destination = "dev", port = 443 }

lab.title "6. Every pair"

print(lab.verify())
print(lab.down())
